//! What each relational source owes Kafka Connect and Debezium's users, whatever its log looks like.
//!
//! Purpose: filters, topic names, name adjustment, the envelope and its source block, transaction metadata, heartbeats,
//! the outlet through which a connector speaks to the runtime, the byte budget that all share, and when a session that
//! failed is begun again. Here once, so that two connectors cannot differ.
//!
//! Must not know: pgoutput, the binlog, SQL, Kafka.

mod adjust;
mod budget;
mod envelope;
mod filter;
mod heartbeat;
mod naming;
mod outlet;
mod retries;
mod transaction;

pub use adjust::{Adjustment, adjust_field_name, adjust_schema_name};
pub use budget::{Budget, Lease};
pub use envelope::{Column, SourceContext, Table, snapshot_field, source_struct, transaction_block};
pub use filter::{Patterns, TableFilter, TableFilterSpec};
pub use heartbeat::Heartbeat;
pub use naming::{KeyField, NamingStrategy, TopicNaming};
pub use outlet::{Message, Outlet, OutletEnds, Standing, TaskError};
pub use retries::{Retries, Verdict};
pub use transaction::{TransactionTopic, Transactions};
