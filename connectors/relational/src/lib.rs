//! What each relational source owes Kafka Connect and Debezium's users, whatever its log looks like.
//!
//! Purpose: filters, column treatment, topic names, name adjustment, the envelope and its source block, transaction metadata,
//! heartbeats, the outlet through which a connector speaks to the runtime, and what a running task counts. Here once, so that
//! two connectors cannot differ.
//!
//! Must not know: pgoutput, the binlog, SQL, Kafka.

mod adjust;
mod column;
mod envelope;
mod filter;
mod heartbeat;
mod meters;
mod naming;
mod outlet;
mod shapes;
mod tally;
mod transaction;

pub use adjust::{Adjustment, adjust_field_name, adjust_schema_name};
pub use column::{Applied, ColumnRules, SourceType, Treatment, Unchanged, in_map_order};
pub use envelope::{Column, SourceContext, Table, snapshot_field, source_struct, transaction_block};
pub use filter::{Patterns, TableFilter, TableFilterSpec};
pub use heartbeat::Heartbeat;
pub use meters::{Lags, Meters, Numbers, Sampled};
pub use naming::{KeyField, NamingStrategy, TopicNaming};
pub use outlet::{Budget, Lease, Message, Outlet, OutletEnds, Place, Standing, TaskError};
pub use transaction::{TransactionTopic, Transactions};
