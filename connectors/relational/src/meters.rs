//! What a running task counts: one set of numbers, updated once a batch and never for a single cell.
//!
//! The connector, the pipeline and the committer of one task share a [`Meters`]. The code that shows metrics reads it,
//! and gives the numbers their metric names.
//!
//! Must not know: names of metrics, formats.

mod histogram;
mod lags;
mod log;
mod sampled;
mod snapshot;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

pub use self::histogram::{Histogram, HistogramNumbers};
pub use self::lags::Lags;
pub use self::log::{HistoryNumbers, HistoryState, LogNumbers};
pub use self::sampled::Sampled;
pub use self::snapshot::{SnapshotNumbers, SnapshotState};
use crate::retained::Retained;
use crate::tally::{Complaint, Tally};

/// The numbers of one task.
#[derive(Debug)]
pub struct Meters {
    connector: Arc<str>,
    numbers: Mutex<Numbers>,
    /// From the source's commit to the broker's acknowledgement. It is outside of the lock, because the thread that hears of
    /// acknowledgements counts in it.
    latency: Histogram,
    bad_values: Tally,
    left_out: Tally,
    not_reselected: Tally,
}

/// The numbers at one moment. Counters start at zero when the task starts.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// Rows read by snapshots.
    pub reads: u64,
    /// Inserts read from the log.
    pub creates: u64,
    /// Updates read from the log.
    pub updates: u64,
    /// Deletes read from the log.
    pub deletes: u64,
    /// Truncates and logical decoding messages read from the log.
    pub others: u64,
    /// Changes of tables that are not captured.
    pub filtered: u64,
    /// Updates that changed no captured column and were left out. `None` for a connector that sends them.
    pub unchanged: Option<u64>,
    /// Values or rows that could not be decoded.
    pub erroneous: u64,
    /// Transactions of the log that were read to their end.
    pub transactions: u64,
    /// When the last event was converted, in milliseconds since 1970.
    pub last_event_ms: Option<i64>,
    /// `last_event_ms` minus the source's time of that event, in milliseconds.
    pub lag_ms: Option<i64>,
    /// The lags of all batches.
    pub lags: Lags,
    /// Whether the connector is connected and reading.
    pub is_connected: bool,
    /// The number of batches that may wait for the pipeline.
    pub queue_capacity: u64,
    /// Batches that wait for the pipeline.
    pub queued: u64,
    /// Events in the batches that wait for the pipeline.
    pub queued_events: u64,
    /// Bytes of the buffers of the batches that wait for the pipeline.
    pub queued_bytes: u64,
    /// Records that the connector made.
    pub polled: u64,
    /// Records passed to the sink.
    pub sent: u64,
    /// Records that the connector made, of batches that are not acknowledged as a whole.
    pub under_way: u64,
    /// Records passed to the sink, of batches that are acknowledged as a whole.
    pub written: u64,
    /// Records that the broker refused and that were skipped.
    pub refused: u64,
    /// When the source wrote the oldest batch that is not acknowledged as a whole, in milliseconds since 1970. `None` when there
    /// is no such batch, or when it does not say.
    pub oldest_under_way_ms: Option<i64>,
    /// Bytes of the keys and values passed to the sink, before compression.
    pub sent_bytes: u64,
    /// Records that transforms dropped.
    pub dropped: u64,
    /// Operations that failed, including attempts that were repeated.
    pub failures: u64,
    /// Records that failed for good.
    pub errors: u64,
    /// Records that failed for good and were skipped.
    pub skipped: u64,
    /// Records that were skipped and whose letter was to be written.
    pub letters: u64,
    /// Letters that could not be written.
    pub failed_letters: u64,
    /// Attempts that were repeated.
    pub retries: u64,
    /// Failed records that were logged, each with a line of its own.
    pub logged: u64,
    /// When the last record failed, in milliseconds since 1970.
    pub last_error_ms: Option<i64>,
    /// Offset writes that were acknowledged.
    pub commits: u64,
    /// Offset writes that failed.
    pub failed_commits: u64,
    /// How long an offset write took, in milliseconds.
    pub commit_ms: Sampled,
    /// 1 for an offset write that was acknowledged, 0 for one that failed.
    pub commit_outcomes: Sampled,
    /// Records of a transaction. Only with exactly-once delivery.
    pub transaction_records: Sampled,
    /// How many records a batch had.
    pub batch_records: Sampled,
    /// How long the conversion of a batch took, in milliseconds.
    pub batch_ms: Sampled,
    /// The number of records under way, whenever it changes.
    pub active: Sampled,
    /// Records of batches that are acknowledged as a whole.
    pub writes: Sampled,
    /// Of copies of tables.
    pub snapshot: SnapshotNumbers,
    /// The log that the server keeps for this connector, when it was last asked.
    pub retained: Option<Retained>,
    /// From the source's commit to the broker's acknowledgement. [`Meters::read`] fills it in.
    pub latency: HistogramNumbers,
    /// Of a log that is a row of files.
    pub log: Option<LogNumbers>,
    /// Of a schema history.
    pub history: Option<HistoryNumbers>,
}

impl Numbers {
    /// Captured events of the log: inserts, updates, deletes, truncates and messages.
    pub fn streamed(&self) -> u64 {
        self.creates + self.updates + self.deletes + self.others
    }

    /// The numbers of a log that is a row of files, from now on.
    pub fn log(&mut self) -> &mut LogNumbers {
        self.log.get_or_insert_default()
    }

    /// The numbers of a schema history, from now on.
    pub fn history(&mut self) -> &mut HistoryNumbers {
        self.history.get_or_insert_default()
    }

    /// Records that the broker has acknowledged, of batches that are acknowledged as a whole (as Connect counts them).
    pub fn delivered(&self) -> u64 {
        self.written.saturating_sub(self.refused)
    }

    /// Counts a value or row that could not be decoded, for the copy if one is under way.
    pub fn bad_value(&mut self) {
        let count = if self.snapshot.is_running() { &mut self.snapshot.erroneous } else { &mut self.erroneous };
        *count += 1;
    }
}

impl Meters {
    /// All numbers at zero. The connector's name appears in log lines.
    pub fn new(connector: Arc<str>) -> Self {
        Self {
            connector,
            numbers: Mutex::default(),
            latency: Histogram::default(),
            bad_values: Tally::default(),
            left_out: Tally::default(),
            not_reselected: Tally::default(),
        }
    }

    /// The connector's name.
    pub fn connector(&self) -> &str {
        &self.connector
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        // The numbers do not depend on each other, so they can be used after a panic of another thread that held the
        // lock.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes numbers. Takes a lock, so call it once for a batch or a failure, not for each record.
    pub fn count(&self, change: impl FnOnce(&mut Numbers)) {
        change(&mut self.lock());
    }

    /// A copy of all numbers.
    pub fn read(&self) -> Numbers {
        let mut numbers = self.lock().clone();
        numbers.latency = self.latency.read();
        numbers
    }

    /// The times from the source's commit to the broker's acknowledgement. Adding one takes no lock.
    pub fn latency(&self) -> &Histogram {
        &self.latency
    }

    /// Counts a value that could not be converted and is sent as null; logs this at most every ten seconds.
    pub fn bad_value(&self, column: &str, reason: &str) {
        self.count(Numbers::bad_value);
        if let Some(complaint) = self.bad_values.add(|| format!("column {column}: {reason}")) {
            self.say_bad_values(&complaint);
        }
    }

    fn say_bad_values(&self, Complaint { count, text }: &Complaint) {
        tracing::warn!(connector = %self.connector, count, "values cannot be converted and are emitted as null, {text} \
            (event.converting.failure.handling.mode=fail stops the task instead)");
    }

    /// Logs that a record is skipped because of `errors.tolerance=all`, at most every ten seconds. `text` must name the
    /// record without its values.
    pub fn left_out(&self, text: impl FnOnce() -> String) {
        if let Some(complaint) = self.left_out.add(text) {
            self.say_left_out(&complaint);
        }
    }

    fn say_left_out(&self, Complaint { count, text }: &Complaint) {
        tracing::error!(connector = %self.connector, count, "records are left out (errors.tolerance=all), one of them: {text} \
            (errors.log.enable=true gives each a line)");
    }

    /// Logs that columns of a change were not read again as they should have been, at most every ten seconds. `text` must
    /// name the table and the position without values.
    pub fn not_reselected(&self, text: impl FnOnce() -> String) {
        if let Some(complaint) = self.not_reselected.add(text) {
            self.say_not_reselected(&complaint);
        }
    }

    fn say_not_reselected(&self, Complaint { count, text }: &Complaint) {
        tracing::warn!(connector = %self.connector, count, "columns of changes are not read again as they should be, the last: \
            {text}");
    }

    /// Logs the complaints that were counted but not logged yet, if it is time. With `is_last`, the end of the task,
    /// logs them at once.
    pub fn complain(&self, is_last: bool) {
        let due = |tally: &Tally| if is_last { tally.rest() } else { tally.due() };
        if let Some(complaint) = due(&self.bad_values) {
            self.say_bad_values(&complaint);
        }
        if let Some(complaint) = due(&self.left_out) {
            self.say_left_out(&complaint);
        }
        if let Some(complaint) = due(&self.not_reselected) {
            self.say_not_reselected(&complaint);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_under_way_is_not_delivered() {
        let numbers = Numbers { sent: 10, written: 7, under_way: 3, refused: 1, ..Numbers::default() };
        assert_eq!(numbers.delivered(), 6);
    }

    #[test]
    fn values_of_a_copy_are_counted_with_it() {
        let meters = Meters::new("c".into());
        meters.bad_value("a", "reason");
        meters.count(|numbers| numbers.snapshot.begins());
        meters.bad_value("a", "reason");
        let numbers = meters.read();
        assert_eq!((numbers.erroneous, numbers.snapshot.erroneous), (1, 1));
    }
}
