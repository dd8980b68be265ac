//! What a task counts of a log that is a row of files (a binlog), and of a schema history. Other connectors have neither.
//!
//! Must not know: names of metrics, what the files hold.

use std::sync::Arc;

/// Where a connector stands in a log that is a row of files, and what became of its transactions.
#[derive(Clone, Debug, Default)]
pub struct LogNumbers {
    /// The file of the last event that was handed on.
    pub file: Option<Arc<str>>,
    /// Where that event begins in its file, in bytes.
    pub position: Option<u64>,
    /// Whether the server gives each transaction an id.
    pub has_transaction_ids: bool,
    /// How often the connection was lost.
    pub disconnects: u64,
    /// Events that could not be read and were passed over.
    pub passed_over: u64,
    /// Transactions that were thrown away because they were rolled back.
    pub rolled_back: u64,
    /// Transactions that began before the one before them had ended.
    pub not_well_formed: u64,
    /// Transactions that were too large to be held back until their end.
    pub large: u64,
}

/// What a schema history does.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum HistoryState {
    /// It is not used yet.
    #[default]
    Stopped,
    /// It is being read.
    Recovering,
    /// It is kept up to date.
    Running,
}

/// What was read from a schema history and written to it.
#[derive(Clone, Copy, Debug, Default)]
pub struct HistoryNumbers {
    /// What it does.
    pub state: HistoryState,
    /// When it was last begun to be read, in milliseconds since 1970.
    pub recovery_began_ms: Option<i64>,
    /// Records that were read.
    pub recovered: u64,
    /// When the last one was read, in milliseconds since 1970.
    pub last_recovered_ms: Option<i64>,
    /// Changes that were applied: those of records that were read, and those that were written.
    pub applied: u64,
    /// When the last one was applied, in milliseconds since 1970.
    pub last_applied_ms: Option<i64>,
}
