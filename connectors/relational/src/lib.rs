//! What all connectors of relational databases have in common.
//!
//! Purpose: the rules of events, filters, column rules, topic names, name adjustment, shapes of tables, the envelope and its
//! source block, transaction metadata, heartbeats and the statement that goes with them, post-processors, the batches that are being filled, the outlet through
//! which a connector talks to the runtime, the byte budget that all connectors share, the task's shell (when a failed session
//! is run again, the traces of errors), how a server's certificate is verified, users and
//! passwords that change, the values that look the
//! same from all databases, and what a running task counts. All of it is
//! here once, so that two
//! connectors cannot behave differently.
//!
//! Must not know: pgoutput, the binlog, SQL, Kafka.

mod action_query;
mod adjustments;
mod block;
mod budget;
mod changes;
#[cfg(feature = "claims")]
pub mod claims;
mod column;
mod copied;
mod copying;
mod credentials;
mod envelope;
mod events;
mod filling;
mod filter;
mod heartbeat;
mod history;
pub mod keys;
mod marks;
mod meters;
mod naming;
mod outlet;
pub mod reselect;
mod retained;
mod retries;
mod row_treatment;
mod shapes;
pub mod shell;
mod tally;
mod tcp;
pub mod tls;
pub mod trace;
mod transaction;
pub mod values;

pub use action_query::{ActionQuery, StatementSession};
pub use adjustments::{Adjustments, NameAdjustment};
pub use block::{BlockField, FirstFields, NamedField, SourceBlock};
pub use budget::{Budget, Lease};
pub use changes::{At, Changes, Wanted, reach};
pub use column::{Applied, ColumnRules, SourceType, Treatment, Unchanged, in_map_order};
pub use copied::CopiedRows;
pub use copying::Copying;
pub use credentials::{Credentials, Renewed};
pub use envelope::{Column, SourceContext, Table, snapshot_field, source_struct, transaction_block};
pub use events::{Events, GuardrailAction, Limits, Operation, TooMany};
pub use filling::{Filling, MAX_BYTES, MAX_ITEMS, Room, reached};
pub use filter::{Patterns, TableFilter, TableFilterSpec};
pub use heartbeat::Heartbeat;
pub use history::{History, HistoryAnswer, HistoryError, HistoryRequest, Kept, Loaded, Loading};
pub use meters::{
    Histogram, HistogramNumbers, HistoryNumbers, HistoryState, Lags, LogNumbers, Meters, Numbers, Sampled,
    SnapshotNumbers, SnapshotState,
};
pub use naming::{KeyField, NamingStrategy, TopicNaming};
pub use outlet::{CopyState, Message, Outlet, OutletEnds, Place, Standing, TaskError};
pub use record::{Adjustment, adjust_field_name, adjust_schema_name};
pub use retained::{Retained, RetainedWatch};
pub use retries::{Retries, Verdict};
pub use retry::Outlook;
pub use row_treatment::RowTreatment;
pub use shapes::{Draft, MessageKey, Shaped, Shapes, Use};
pub use tcp::Tcp;
pub use transaction::{TransactionTopic, Transactions};
