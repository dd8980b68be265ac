//! Stores the position that a task has reached once every record up to it is delivered, and then tells the connector.
//!
//! The order keeps records from being lost: delivered, then the offset stored, then the source told. The source may discard
//! its log up to the position that it was told. If it were told before the offset is stored, a crash in between would start
//! from an offset whose log is gone.
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

/// Offsets are stored at least this often while something is new, even if `offset.flush.interval.ms` is longer: the older
/// the stored offset, the more records are repeated after a crash, and the more log the database has to keep.
const COMMIT_AT_LEAST: Duration = Duration::from_secs(5);

/// Under which key a task's position is stored, and in which form.
pub(crate) struct Place {
    /// The connector's name.
    pub(crate) connector: Arc<str>,
    /// The source partition.
    pub(crate) partition: Map<String, Json>,
    /// Makes the stored offset of a position.
    pub(crate) offset: fn(&Position) -> Map<String, Json>,
}

/// How a position is stored.
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

pub(crate) struct Committer {
    place: Place,
    strategy: Strategy,
    ledger: Arc<Ledger>,
    /// Whether this process may write.
    fence: Arc<Fence>,
    meters: Arc<Meters>,
    every: Duration,
    /// Tells the connector what is stored. Dropped at the end, which tells it that nothing more comes.
    stored: Option<watch::Sender<Option<Position>>>,
    last: Instant,
    /// The write under way; there is one at a time.
    writing: Option<Writing>,
}

impl Committer {
    /// A committer for a task that starts now. `flush_interval` is `offset.flush.interval.ms`.
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

    /// Begins to store what may be stored, if the interval is over or somebody waits for it. It does not wait for the
    /// store's answer, which takes as long as the broker is away: [`settled`](Self::settled) does.
    pub(crate) fn look(&mut self) {
        if self.writing.is_none() && (self.ledger.is_awaited() || self.last.elapsed() >= self.every) {
            self.begin();
        }
    }

    /// Waits for the answer to the write under way, then tells the connector, or gives the position back to the ledger.
    /// While no write is under way it never returns. It may be dropped and called again.
    pub(crate) async fn settled(&mut self) {
        let Some(writing) = &mut self.writing else { return std::future::pending().await };
        let result = (&mut writing.pending).await;
        if let Some(writing) = self.writing.take() {
            self.wrote(writing, result);
        }
    }

    /// Ends the committing: waits for the write under way, stores what was delivered since, and then tells the connector
    /// that nothing more comes. Gives up waiting after `within`, because nothing can be stored while the broker is away.
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
        // Nothing is to be done after a time-out: the next start repeats what was not stored.
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
        // Each lane adds its own keys to the offset; the stream's are first.
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
