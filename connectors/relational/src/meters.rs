//! What a running task counts: one set of numbers, updated once a batch and never for a single cell.
//!
//! The connector, the pipeline and the committer of one task share a [`Meters`]. The code that shows metrics reads it,
//! and gives the numbers their metric names.
//!
//! Must not know: names of metrics, formats.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::tally::{Complaint, Tally};

/// Rates, means and maxima are taken over the last two windows of this length, as in Kafka's clients
/// (`metrics.num.samples` and `metrics.sample.window.ms`).
const WINDOW: Duration = Duration::from_secs(30);

/// The numbers of one task.
#[derive(Debug)]
pub struct Meters {
    connector: Arc<str>,
    numbers: Mutex<Numbers>,
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
    /// Bytes of the buffers of the batches that wait for the pipeline.
    pub queued_bytes: u64,
    /// Records that the connector made.
    pub polled: u64,
    /// Records passed to the sink.
    pub sent: u64,
    /// Records passed to the sink whose delivery is not known yet.
    pub under_way: u64,
    /// Records that the broker refused and that were skipped.
    pub refused: u64,
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
    /// How many records a batch had.
    pub batch_records: Sampled,
    /// How long the conversion of a batch took, in milliseconds.
    pub batch_ms: Sampled,
    /// The number of records under way, sampled once a batch.
    pub active: Sampled,
    /// Records passed to the sink, sampled once a batch.
    pub writes: Sampled,
}

/// Lags since the start of the task, in milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lags {
    /// The number of lags measured.
    pub count: u64,
    /// The sum of all lags.
    pub sum: i64,
    /// The smallest lag; 0 before the first.
    pub min: i64,
    /// The largest lag; 0 before the first.
    pub max: i64,
}

impl Lags {
    /// Adds a lag.
    pub fn add(&mut self, lag_ms: i64) {
        let is_first = self.count == 0;
        self.min = if is_first { lag_ms } else { self.min.min(lag_ms) };
        self.max = if is_first { lag_ms } else { self.max.max(lag_ms) };
        self.sum = self.sum.saturating_add(lag_ms);
        self.count += 1;
    }
}

impl Numbers {
    /// Captured events of the log: inserts, updates, deletes, truncates and messages.
    pub fn streamed(&self) -> u64 {
        self.creates + self.updates + self.deletes + self.others
    }

    /// Records that the broker has acknowledged.
    pub fn delivered(&self) -> u64 {
        self.sent.saturating_sub(self.under_way).saturating_sub(self.refused)
    }
}

impl Meters {
    /// All numbers at zero. The connector's name appears in log lines.
    pub fn new(connector: Arc<str>) -> Self {
        Self {
            connector,
            numbers: Mutex::default(),
            bad_values: Tally::default(),
            left_out: Tally::default(),
            not_reselected: Tally::default(),
        }
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
        self.lock().clone()
    }

    /// Counts a value that could not be converted and is sent as null; logs this at most every ten seconds.
    pub fn bad_value(&self, column: &str, reason: &str) {
        self.count(|numbers| numbers.erroneous += 1);
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

/// The measurements of one window.
#[derive(Clone, Copy, Debug)]
struct Window {
    begin: Instant,
    count: u64,
    sum: f64,
    max: f64,
}

/// Measurements of the last two windows of 30 seconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampled {
    earlier: Option<Window>,
    now: Option<Window>,
}

impl Sampled {
    /// Adds a measurement taken at `at`.
    pub fn add(&mut self, at: Instant, value: f64) {
        match &mut self.now {
            Some(window) if at.duration_since(window.begin) < WINDOW => {
                window.count += 1;
                window.sum += value;
                window.max = window.max.max(value);
            }
            last => self.earlier = last.replace(Window { begin: at, count: 1, sum: value, max: value }),
        }
    }

    fn windows(&self) -> impl Iterator<Item = &Window> {
        [&self.earlier, &self.now].into_iter().flatten().filter(|window| window.begin.elapsed() < WINDOW * 2)
    }

    /// The mean of the measurements; `None` without measurements.
    pub fn mean(&self) -> Option<f64> {
        let (count, sum) =
            self.windows().fold((0, 0.0), |(count, sum), window| (count + window.count, sum + window.sum));
        (count > 0).then(|| sum / count as f64)
    }

    /// The largest measurement; `None` without measurements.
    pub fn max(&self) -> Option<f64> {
        self.windows().map(|window| window.max).reduce(f64::max)
    }

    /// The sum of the measurements per second.
    pub fn per_second(&self) -> f64 {
        let Some(first) = self.windows().next() else { return 0.0 };
        // As in Kafka's clients, the first window counts as a whole one; otherwise the first batch would give a huge
        // rate.
        let mut elapsed = first.begin.elapsed();
        if elapsed < WINDOW {
            elapsed += WINDOW;
        }
        self.windows().map(|window| window.sum).sum::<f64>() / elapsed.as_secs_f64()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn windows_forget() {
        let mut sampled = Sampled::default();
        assert_eq!((sampled.mean(), sampled.max(), sampled.per_second()), (None, None, 0.0));
        sampled.add(Instant::now(), 30.0);
        sampled.add(Instant::now(), 60.0);
        assert_eq!((sampled.mean(), sampled.max(), sampled.per_second()), (Some(45.0), Some(60.0), 3.0));
        tokio::time::advance(WINDOW).await;
        sampled.add(Instant::now(), 15.0);
        assert_eq!((sampled.mean(), sampled.max(), sampled.per_second()), (Some(35.0), Some(60.0), 3.5));
        tokio::time::advance(WINDOW).await;
        assert_eq!((sampled.mean(), sampled.max(), sampled.per_second()), (Some(15.0), Some(15.0), 0.5));
    }

    #[test]
    fn lags() {
        let mut lags = Lags::default();
        for lag in [5, -1, 8] {
            lags.add(lag);
        }
        assert_eq!((lags.count, lags.sum, lags.min, lags.max), (3, 12, -1, 8));
    }

    #[test]
    fn what_is_under_way_is_not_delivered() {
        let numbers = Numbers { sent: 10, under_way: 3, refused: 1, ..Numbers::default() };
        assert_eq!(numbers.delivered(), 6);
    }
}
