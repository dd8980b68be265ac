//! A task's transactions: when one ends, and how.
//!
//! Must not know: how offsets are spelled, threads of the pipeline.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use serde_json::{Map, Value as Json};
use tokio::time::Instant;

use super::Turns;
use crate::runtime::committer::Place;
use crate::runtime::ledger::{Committable, Ledger};
use crate::sink::transactional::USUAL_TIMEOUT;
use crate::sink::{OffsetEntry, Sink, SinkError, TransactionEnd};
use crate::store::ConnectorOffsets;

/// A transaction of up to this many records ends as soon as nothing else waits. One of more is not ended at the first moment
/// of rest: a busy source has such moments between any two batches, and each end costs the time of several batches.
const FEW_RECORDS: u64 = 512;
/// A rest of this length means that the source is idle.
const IDLE: Duration = Duration::from_millis(20);
/// How long a transaction lasts while the source is busy, at least and at most. Nothing is sent while one ends, so one lasts
/// [`TIMES`] as long as the end of the last one took.
const BUSY: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(5));
/// With this an end that takes 33 to 167 ms takes a thirtieth of the time.
const TIMES: u32 = 30;

/// Where transactions end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Boundary {
    /// When the source is idle, and every second, or every few, while it is busy.
    Poll,
    /// When this time has passed since the last end.
    Interval(Duration),
}

/// What is needed to end transactions. Cloned for the thread on which one ends.
#[derive(Clone)]
pub(crate) struct Transactions {
    pub(crate) sink: Arc<dyn Sink>,
    pub(crate) turns: Arc<Turns>,
    pub(crate) offsets: ConnectorOffsets,
    pub(crate) boundary: Boundary,
    /// How long a transaction may last before the broker aborts it.
    pub(crate) timeout: Duration,
    state: Arc<State>,
}

#[derive(Debug, Default)]
struct State {
    /// How many numbers the ledger had given when the last transaction ended.
    ended_at: AtomicU64,
    /// How many transactions were committed.
    committed: AtomicU64,
    /// How long nothing could be sent because the last transaction ended.
    pause_us: AtomicU64,
}

/// How the end of a transaction went.
pub(crate) struct Ended {
    /// What the transaction covers; `None` if there was nothing to commit.
    pub(crate) committable: Option<Committable>,
    pub(crate) result: Result<(), SinkError>,
    /// How many records it has.
    pub(crate) records: u64,
}

impl Transactions {
    pub(crate) fn new(
        (sink, turns): (Arc<dyn Sink>, Arc<Turns>),
        offsets: ConnectorOffsets,
        boundary: Boundary,
        timeout: Duration,
    ) -> Self {
        Self { sink, turns, offsets, boundary, timeout, state: Arc::default() }
    }

    /// How long a transaction lasts here at most: a quarter of what the broker allows is left for its end.
    fn longest(&self) -> Duration {
        self.timeout / 4 * 3
    }

    /// How long an end may take. Then the producer is given up, and another one finds out what became of the transaction.
    fn patience(&self) -> Duration {
        self.timeout.min(USUAL_TIMEOUT)
    }

    /// Whether the open transaction is to end now. `opened` is when its first record was seen here, `last` when the last
    /// transaction ended; positions without records are stored `every` so often.
    pub(crate) fn is_due(
        &self,
        ledger: &Ledger,
        opened: &mut Option<Instant>,
        (last, every): (Instant, Duration),
    ) -> bool {
        let (is_copying, idle_since, void_below) = self.turns.now();
        if self.state.ended_at.fetch_max(void_below, Ordering::AcqRel) < void_below {
            // Another transaction was begun since.
            *opened = None;
        }
        let records = ledger.given().saturating_sub(self.state.ended_at.load(Ordering::Acquire));
        if records == 0 {
            *opened = None;
        }
        if records > 0 {
            let begun = *opened.get_or_insert_with(Instant::now);
            if begun.elapsed() >= self.longest() {
                if is_copying {
                    tracing::warn!(
                        timeout_s = self.timeout.as_secs(),
                        "the copy lasts longer than a transaction may: the rows that were sent so far become visible, and would \
                         come again if the copy had to begin anew. producer.override.transaction.timeout.ms (and the broker's \
                         transaction.max.timeout.ms) let it last longer"
                    );
                }
                return true;
            }
        }
        // An event of which only a part was sent is not ended yet: it is looked again when the pipeline has worked on.
        if is_copying || idle_since.is_some() && !ledger.is_at_mark() {
            return false;
        }
        if ledger.is_awaited() {
            return true;
        }
        let Some(begun) = opened.filter(|_| records > 0) else { return last.elapsed() >= every };
        match self.boundary {
            Boundary::Interval(interval) => last.elapsed() >= interval,
            Boundary::Poll => {
                let rests = idle_since.is_some_and(|since| records <= FEW_RECORDS || since.elapsed() >= IDLE);
                let pause = Duration::from_micros(self.state.pause_us.load(Ordering::Acquire));
                rests || begun.elapsed() >= lasts_after(pause)
            }
        }
    }

    /// Whether a transaction was committed yet.
    pub(crate) fn has_committed(&self) -> bool {
        self.state.committed.load(Ordering::Acquire) > 0
    }

    /// Whether records were sent since the last end.
    pub(crate) fn is_open(&self, ledger: &Ledger) -> bool {
        ledger.given() > self.state.ended_at.load(Ordering::Acquire)
    }

    /// Ends the open transaction with the offset of its last record, and begins the next one. Blocks; nothing is sent
    /// meanwhile. If the pipeline is not at a position, nothing happens.
    pub(crate) fn end(&self, ledger: &Ledger, place: &Place) -> Ended {
        let nothing = Ended { committable: None, result: Ok(()), records: 0 };
        let Some(_held) = self.turns.hold(|| self.sink.is_stopped()) else { return nothing };
        if !ledger.is_at_mark() {
            // A batch has ended in the middle of an event: what is sent of it must not become visible without the rest.
            return nothing;
        }
        // Every record counts as delivered before the offset is taken: a record that failed must not be passed over.
        let begun = Instant::now();
        while !self.sink.flush(Duration::from_millis(100)) {
            if self.sink.is_stopped() {
                return Ended { result: Err(SinkError::Stopped), ..nothing };
            }
            if begun.elapsed() >= self.patience() {
                // Nothing is committed: the position behind a part of the records would be committed with all of them.
                let id = place.connector.to_string();
                let reason = "its records were not delivered in time".to_owned();
                let error = SinkError::Transaction { id, end: TransactionEnd::Aborted, reason };
                return Ended { result: Err(error), ..nothing };
            }
        }
        ledger.advance();
        if !ledger.is_delivered() {
            // Records that are thrown away because the task ends were not refused by anybody.
            if self.sink.is_stopped() {
                return Ended { result: Err(SinkError::Stopped), ..nothing };
            }
            // A record failed that was never handed to the client, which would commit the others: with them a position would be
            // committed from which they come again.
            let id = place.connector.to_string();
            let reason = "one of its records was not delivered".to_owned();
            return Ended {
                result: Err(SinkError::Transaction { id, end: TransactionEnd::Aborted, reason }),
                ..nothing
            };
        }
        let Some(committable) = ledger.committable() else { return nothing };
        let records = ledger.given().saturating_sub(self.state.ended_at.load(Ordering::Acquire));
        let result = self.commit(place, &place.offset_of(&committable), ledger.given());
        if result.is_ok() {
            let pause_us = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
            self.state.pause_us.store(pause_us, Ordering::Release);
            tracing::debug!(connector = %place.connector, records, pause_us, "a transaction has ended");
        }
        Ended { committable: Some(committable), result, records }
    }

    fn commit(&self, place: &Place, offset: &Map<String, Json>, given: u64) -> Result<(), SinkError> {
        let record = self.offsets.record(&place.connector, &place.partition, Some(offset));
        let (topic, partition, entry) = record.ok_or(SinkError::NoTransactions)?;
        let entry = OffsetEntry { topic: &topic, partition, key: &entry.key, value: entry.value.as_deref() };
        self.sink.commit(&[entry], self.patience())?;
        self.state.ended_at.store(given, Ordering::Release);
        self.state.committed.fetch_add(1, Ordering::AcqRel);
        self.offsets.copy(&place.connector, &place.partition, offset);
        self.sink.begin()
    }

    /// Gives the open transaction up, so that consumers need not wait until the broker does. Blocks.
    pub(crate) fn give_up(&self, ledger: &Ledger, within: Duration) {
        // What is dropped is reported as delivered, but no broker acknowledged it.
        ledger.forget_commits();
        if let Err(error) = self.sink.abort(within) {
            tracing::debug!(%error, "the open transaction could not be aborted; the broker does it");
        }
    }
}

/// How long a transaction lasts while the source is busy, if nothing could be sent for this long when the last one ended.
fn lasts_after(pause: Duration) -> Duration {
    (pause * TIMES).clamp(BUSY.0, BUSY.1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_longer_an_end_takes_the_longer_a_transaction_lasts() {
        for (pause_ms, lasts_ms) in [(0, 1000), (33, 1000), (50, 1500), (166, 4980), (167, 5000), (60_000, 5000)] {
            assert_eq!(lasts_after(Duration::from_millis(pause_ms)), Duration::from_millis(lasts_ms), "{pause_ms} ms");
        }
    }
}
