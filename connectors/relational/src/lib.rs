//! What all connectors of relational databases have in common.
//!
//! Purpose: filters, column rules, topic names, name adjustment, the envelope and its source block, transaction
//! metadata, heartbeats, post-processors, the outlet through which a connector talks to the runtime, the byte budget that all connectors
//! share, when a failed session is retried, and what a running task counts. All of it is here once, so that two
//! connectors cannot behave differently.
//!
//! Must not know: pgoutput, the binlog, SQL, Kafka.

mod budget;
mod column;
mod envelope;
mod filter;
mod heartbeat;
mod meters;
mod naming;
mod outlet;
pub mod reselect;
mod retries;
mod tally;
mod transaction;

pub use budget::{Budget, Lease};
pub use column::{Applied, ColumnRules, SourceType, Treatment, Unchanged, in_map_order};
pub use envelope::{Column, SourceContext, Table, snapshot_field, source_struct, transaction_block};
pub use filter::{Patterns, TableFilter, TableFilterSpec};
pub use heartbeat::Heartbeat;
pub use meters::{Lags, Meters, Numbers, Sampled};
pub use naming::{KeyField, NamingStrategy, TopicNaming};
pub use outlet::{Message, Outlet, OutletEnds, Place, Standing, TaskError};
pub use record::{Adjustment, adjust_field_name, adjust_schema_name};
pub use retries::{Retries, Verdict};
pub use transaction::{TransactionTopic, Transactions};
