//! Stores how far a task is, once that is delivered, and tells the connector what is stored.
//!
//! The order is the promise: delivered, then the offset stored, then the source told. What the source has been told it may
//! forget, so a position that is told before it is stored is lost by a crash in between.
//!
//! Must not know: how records are sent, SQL.

use std::sync::Arc;
use std::time::Duration;

use record::Position;
use relational::Meters;
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use tokio::time::{Instant, timeout};

use super::ledger::{Committable, Ledger};
use super::owner::Fence;
use crate::store::{Offsets, Pending, StoreError};

/// Offsets are stored at least this often while something is new, whatever `offset.flush.interval.ms` says: what is
/// stored late is repeated after a crash, and keeps the database's log.
const COMMIT_AT_LEAST: Duration = Duration::from_secs(5);

/// Where a position is stored, and under what.
pub(crate) struct Place {
    /// The connector's name.
    pub(crate) connector: Arc<str>,
    /// Its source partition.
    pub(crate) partition: Map<String, Json>,
    /// A position as the offset that is stored.
    pub(crate) offset: fn(&Position) -> Map<String, Json>,
}

/// How a position becomes durable.
pub(crate) enum Strategy {
    /// Records are acknowledged before their offset is written, by the store's own producer. A crash between the two
    /// repeats records; none is lost.
    AtLeastOnce(Offsets),
}

impl Strategy {
    fn write(&self, place: &Place, offset: &Map<String, Json>) -> Pending {
        match self {
            Self::AtLeastOnce(offsets) => offsets.write(&place.connector, [(&place.partition, Some(offset))]),
        }
    }
}

/// A write that is not acknowledged yet.
struct Writing {
    committable: Committable,
    pending: Pending,
    begun: Instant,
}

/// See the module.
pub(crate) struct Committer {
    place: Place,
    strategy: Strategy,
    ledger: Arc<Ledger>,
    /// Whether this process may write.
    fence: Arc<Fence>,
    meters: Arc<Meters>,
    every: Duration,
    /// Tells the connector. None when all is told.
    stored: Option<watch::Sender<Option<Position>>>,
    last: Instant,
    /// One at a time.
    writing: Option<Writing>,
}

impl Committer {
    /// For a task that starts now. `flush_interval` is `offset.flush.interval.ms`.
    pub(crate) fn new(
        place: Place,
        strategy: Strategy,
        (ledger, fence, meters): (Arc<Ledger>, Arc<Fence>, Arc<Meters>),
        flush_interval: Duration,
        stored: watch::Sender<Option<Position>>,
    ) -> Self {
        Self {
            place,
            strategy,
            ledger,
            fence,
            meters,
            every: flush_interval.min(COMMIT_AT_LEAST),
            stored: Some(stored),
            last: Instant::now(),
            writing: None,
        }
    }

    /// Begins to store what may be stored, if it is time or somebody waits for it. The answer may take as long as the
    /// broker is away, so nobody waits for it here: [`settled`](Self::settled) does.
    pub(crate) fn look(&mut self) {
        if self.writing.is_none() && (self.ledger.is_awaited() || self.last.elapsed() >= self.every) {
            self.begin();
        }
    }

    /// Waits for the answer to the write under way, for ever while there is none; then tells the connector, or takes the
    /// position back. May be dropped and called again.
    pub(crate) async fn settled(&mut self) {
        let Some(writing) = &mut self.writing else { return std::future::pending().await };
        let result = (&mut writing.pending).await;
        if let Some(writing) = self.writing.take() {
            self.wrote(writing, result);
        }
    }

    /// Nothing more comes: waits for the write under way and stores what was delivered since. Gives up after `within`: with
    /// the broker away nothing can be stored, and the next start repeats what was not. Then tells the connector that this
    /// was all.
    pub(crate) async fn finish(&mut self, within: Duration) {
        let all = async {
            if self.writing.is_some() {
                self.settled().await;
            }
            self.begin();
            if self.writing.is_some() {
                self.settled().await;
            }
        };
        // Told by the trace or repeated by the next start: nothing to do about it here.
        let _ = timeout(within, all).await;
        self.stored = None;
    }

    fn begin(&mut self) {
        self.last = Instant::now();
        let Some(committable) = self.ledger.committable() else {
            // Nothing is new. Connect counts that as a commit that succeeded.
            self.meters.count(|numbers| {
                numbers.commits += 1;
                numbers.commit_ms.add(Instant::now(), 0.0);
            });
            return;
        };
        if !self.fence.is_open() {
            self.ledger.put_back(committable);
            return;
        }
        // Each lane brings its own keys; the stream's are first.
        let mut offset = Map::new();
        for position in committable.positions() {
            offset.extend((self.place.offset)(position));
        }
        let pending = self.strategy.write(&self.place, &offset);
        self.writing = Some(Writing { committable, pending, begun: Instant::now() });
    }

    fn wrote(&mut self, writing: Writing, result: Result<(), StoreError>) {
        let Writing { committable, begun, .. } = writing;
        let took_ms = begun.elapsed().as_secs_f64() * 1000.0;
        match result {
            Ok(()) => {
                self.meters.count(|numbers| {
                    numbers.commits += 1;
                    numbers.commit_ms.add(Instant::now(), took_ms);
                });
                if let Some(stored) = &self.stored {
                    stored.send_replace(committable.stream().cloned());
                }
                committable.stored();
            }
            Err(error) => {
                self.meters.count(|numbers| numbers.failed_commits += 1);
                tracing::warn!(connector = %self.place.connector, %error,
                    "the offset could not be stored; it is tried again, and nothing is confirmed to the source meanwhile");
                self.ledger.put_back(committable);
            }
        }
    }
}

#[cfg(test)]
mod tests;
