//! What a running task counts: one set of numbers, changed once a batch and never for a single cell.
//!
//! The connector, the pipeline and the committer of one task share a [`Meters`]; whoever shows metrics reads it. Under which
//! names the numbers are shown is the business of whoever shows them.
//!
//! Must not know: names of metrics, formats.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::tally::{Complaint, Tally};

/// Rates, averages and maxima are of the last two windows of this length, as in Kafka's clients.
const WINDOW: Duration = Duration::from_secs(30);

/// The numbers of one task.
#[derive(Debug)]
pub struct Meters {
    connector: Arc<str>,
    numbers: Mutex<Numbers>,
    bad_values: Tally,
    left_out: Tally,
}

/// The numbers as they stand at one moment. Counters begin at the start of the task.
#[derive(Clone, Debug, Default)]
pub struct Numbers {
    /// Rows that were copied.
    pub reads: u64,
    /// Inserts of the log.
    pub creates: u64,
    /// Updates of the log.
    pub updates: u64,
    /// Deletes of the log.
    pub deletes: u64,
    /// Truncates and messages of the log.
    pub others: u64,
    /// Changes of tables that are not captured.
    pub filtered: u64,
    /// Values or rows that could not be read.
    pub erroneous: u64,
    /// Transactions of the log that were read to their end.
    pub transactions: u64,
    /// The clock when the last event was converted, milliseconds since 1970.
    pub last_event_ms: Option<i64>,
    /// How far that clock was ahead of the source's when it wrote the event, milliseconds.
    pub lag_ms: Option<i64>,
    /// Least, greatest and sum of the lags of all batches, milliseconds, and how many there were.
    pub lags: Lags,
    /// Whether the connector is connected and reads.
    pub is_connected: bool,
    /// How many batches may wait for the pipeline.
    pub queue_capacity: u64,
    /// Batches that wait for the pipeline,
    pub queued: u64,
    /// and the bytes of their buffers.
    pub queued_bytes: u64,
    /// Records that the connector made.
    pub polled: u64,
    /// Records handed to the sink,
    pub sent: u64,
    /// and of them those whose delivery is not known yet.
    pub under_way: u64,
    /// Records that the broker refused and that were left out.
    pub refused: u64,
    /// Bytes of the keys and values handed to the sink, before compression.
    pub sent_bytes: u64,
    /// Records that transforms dropped.
    pub dropped: u64,
    /// Operations that failed, attempts that were repeated included.
    pub failures: u64,
    /// Records that failed for good.
    pub errors: u64,
    /// Of them those that were left out.
    pub skipped: u64,
    /// Attempts that were repeated.
    pub retries: u64,
    /// Failed records that have a line in the log.
    pub logged: u64,
    /// When the last record failed, milliseconds since 1970.
    pub last_error_ms: Option<i64>,
    /// Writes of offsets that were acknowledged,
    pub commits: u64,
    /// and that failed.
    pub failed_commits: u64,
    /// How long such a write took, milliseconds.
    pub commit_ms: Sampled,
    /// How many records a batch made.
    pub batch_records: Sampled,
    /// How long a batch was converted, milliseconds.
    pub batch_ms: Sampled,
    /// Records under way, seen once a batch.
    pub active: Sampled,
    /// Records handed to the sink, a batch at a time.
    pub writes: Sampled,
}

/// Lags since the start of the task, milliseconds.
#[derive(Clone, Copy, Debug, Default)]
pub struct Lags {
    /// How many.
    pub count: u64,
    /// Their sum.
    pub sum: i64,
    /// The least.
    pub min: i64,
    /// The greatest.
    pub max: i64,
}

impl Lags {
    /// Takes one in.
    pub fn add(&mut self, lag_ms: i64) {
        let is_first = self.count == 0;
        self.min = if is_first { lag_ms } else { self.min.min(lag_ms) };
        self.max = if is_first { lag_ms } else { self.max.max(lag_ms) };
        self.sum = self.sum.saturating_add(lag_ms);
        self.count += 1;
    }
}

impl Numbers {
    /// Events of the log that were captured.
    pub fn streamed(&self) -> u64 {
        self.creates + self.updates + self.deletes + self.others
    }

    /// Records that the broker has acknowledged.
    pub fn delivered(&self) -> u64 {
        self.sent.saturating_sub(self.under_way).saturating_sub(self.refused)
    }
}

impl Meters {
    /// All at nothing. The connector's name is for the complaints.
    pub fn new(connector: Arc<str>) -> Self {
        Self { connector, numbers: Mutex::default(), bad_values: Tally::default(), left_out: Tally::default() }
    }

    fn lock(&self) -> MutexGuard<'_, Numbers> {
        // Each number stands for itself, so a panic of another holder leaves nothing half done.
        self.numbers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes numbers. Takes a lock: to be called for a batch or a failure, not for a record.
    pub fn count(&self, change: impl FnOnce(&mut Numbers)) {
        change(&mut self.lock());
    }

    /// All numbers now.
    pub fn read(&self) -> Numbers {
        self.lock().clone()
    }

    /// A value could not be converted and leaves as null. The log says so, once in a while.
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

    /// A record is left out because `errors.tolerance=all` says so. The log says so, once in a while; `text` names the
    /// record and never its values.
    pub fn left_out(&self, text: impl FnOnce() -> String) {
        if let Some(complaint) = self.left_out.add(text) {
            self.say_left_out(&complaint);
        }
    }

    fn say_left_out(&self, Complaint { count, text }: &Complaint) {
        tracing::error!(connector = %self.connector, count, "records are left out (errors.tolerance=all), one of them: {text} \
            (errors.log.enable=true gives each a line)");
    }

    /// Says what was counted and not said, if it is time; `is_last` when nothing comes any more.
    pub fn complain(&self, is_last: bool) {
        let due = |tally: &Tally| if is_last { tally.rest() } else { tally.due() };
        if let Some(complaint) = due(&self.bad_values) {
            self.say_bad_values(&complaint);
        }
        if let Some(complaint) = due(&self.left_out) {
            self.say_left_out(&complaint);
        }
    }
}

/// What was counted within one window.
#[derive(Clone, Copy, Debug)]
struct Window {
    begin: Instant,
    count: u64,
    sum: f64,
    max: f64,
}

/// Measurements of the last two windows.
#[derive(Clone, Copy, Debug, Default)]
pub struct Sampled {
    earlier: Option<Window>,
    now: Option<Window>,
}

impl Sampled {
    /// Takes a measurement of this moment in.
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

    /// The mean of the measurements; none without any.
    pub fn mean(&self) -> Option<f64> {
        let (count, sum) =
            self.windows().fold((0, 0.0), |(count, sum), window| (count + window.count, sum + window.sum));
        (count > 0).then(|| sum / count as f64)
    }

    /// The greatest measurement; none without any.
    pub fn max(&self) -> Option<f64> {
        self.windows().map(|window| window.max).reduce(f64::max)
    }

    /// The measurements' sum a second.
    pub fn per_second(&self) -> f64 {
        let Some(first) = self.windows().next() else { return 0.0 };
        // As Kafka's clients: the first window counts as a whole one, so that the first batch is no peak.
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
