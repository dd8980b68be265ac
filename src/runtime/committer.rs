//! Stores the position that a task has reached once every record up to it is delivered, and then tells the connector.
//!
//! The order keeps records from being lost: delivered, then the offset stored, then the source told. The source may discard
//! its log up to the position that it was told. If it were told before the offset is stored, a crash in between would start
//! from an offset whose log is gone. With transactions the first two are one step.
//!
//! Must not know: how records are sent, SQL.

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use record::Position;
use relational::Meters;
use serde_json::{Map, Value as Json};
use tokio::sync::watch;
use tokio::task::spawn_blocking;
use tokio::time::{Instant, timeout};

use super::delivery::Alarm;
use super::exactly_once::{Ended, Transactions};
use super::ledger::{Committable, Ledger};
use super::owner::Fence;
use crate::sink::SinkError;
use crate::store::{ConnectorOffsets, StoreError};

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
    AtLeastOnce(ConnectorOffsets),
    /// Records and their offset are committed together. A crash before that leaves neither. A commit that fails raises the
    /// alarm: nothing more can be stored by this task.
    ExactlyOnce(Transactions, Arc<Alarm>),
}

/// What became of a write.
struct Answer {
    /// What was written; `None` if there was nothing new.
    committable: Option<Committable>,
    result: Result<(), Unstored>,
    /// Records of the transaction, if it was one.
    records: Option<u64>,
}

/// Why a position was not stored.
#[derive(Debug, thiserror::Error)]
enum Unstored {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error(transparent)]
    Transaction(#[from] SinkError),
}

/// A write that is not acknowledged yet.
struct Writing {
    answer: Pin<Box<dyn Future<Output = Answer> + Send>>,
    begun: Instant,
}

pub(crate) struct Committer {
    place: Arc<Place>,
    strategy: Strategy,
    ledger: Arc<Ledger>,
    /// Whether this process may write.
    fence: Arc<Fence>,
    meters: Arc<Meters>,
    every: Duration,
    /// Tells the connector what is stored. Dropped at the end, which tells it that nothing more comes.
    stored: Option<watch::Sender<Option<Position>>>,
    last: Instant,
    /// When the first record was seen that is not committed yet. Only with transactions.
    opened: Option<Instant>,
    /// The write under way; there is one at a time.
    writing: Option<Writing>,
    /// A transaction failed: nothing more is written.
    is_over: bool,
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
            place: Arc::new(place),
            strategy,
            ledger,
            fence,
            meters,
            every: flush_interval.min(COMMIT_AT_LEAST),
            stored: Some(stored),
            last: Instant::now(),
            opened: None,
            writing: None,
            is_over: false,
        }
    }

    /// Begins to store what may be stored, if it is time or somebody waits for it. It does not wait for the store's answer,
    /// which takes as long as the broker is away: [`settled`](Self::settled) does.
    pub(crate) fn look(&mut self) {
        if self.writing.is_none() && !self.is_over && self.is_due() {
            self.begin();
        }
    }

    fn is_due(&mut self) -> bool {
        match &self.strategy {
            Strategy::AtLeastOnce(_) => self.ledger.is_awaited() || self.last.elapsed() >= self.every,
            Strategy::ExactlyOnce(transactions, _) => {
                transactions.is_due(&self.ledger, &mut self.opened, (self.last, self.every))
            }
        }
    }

    /// Waits for the answer to the write under way, then tells the connector, or gives the position back to the ledger.
    /// While no write is under way it returns when a transaction may have to end; call [`look`](Self::look) then. It may be
    /// dropped and called again.
    pub(crate) async fn settled(&mut self) {
        let Some(writing) = &mut self.writing else {
            return match &self.strategy {
                Strategy::ExactlyOnce(transactions, _) => transactions.turns.rested().await,
                Strategy::AtLeastOnce(_) => std::future::pending().await,
            };
        };
        let answer = (&mut writing.answer).await;
        if let Some(Writing { begun, .. }) = self.writing.take() {
            self.wrote(begun, answer);
        }
    }

    /// Ends the committing: waits for the write under way, stores what was delivered since, and then tells the connector
    /// that nothing more comes. Gives up waiting after `within`, because nothing can be stored while the broker is away.
    /// Of a task that failed, what was delivered before is stored at least once. A transaction that cannot end with a position
    /// is given up, so that nobody who reads the topics has to wait until the broker does that.
    pub(crate) async fn finish(&mut self, within: Duration, has_failed: bool) {
        let all = async {
            if self.writing.is_some() {
                self.settled().await;
            }
            let transactions = match &self.strategy {
                Strategy::AtLeastOnce(_) => None,
                Strategy::ExactlyOnce(..) if self.is_over => return,
                Strategy::ExactlyOnce(transactions, _) => Some(transactions.clone()),
            };
            let commits =
                transactions.as_ref().is_none_or(|transactions| !has_failed && !transactions.turns.is_copying());
            if commits {
                self.begin();
                if self.writing.is_some() {
                    self.settled().await;
                }
            }
            // What is left of an event that was not sent whole, of a copy, or of a task that failed.
            let open = transactions.filter(|transactions| !self.is_over && transactions.is_open(&self.ledger));
            if let Some(transactions) = open {
                let ledger = Arc::clone(&self.ledger);
                drop(spawn_blocking(move || transactions.give_up(&ledger, within)).await);
            }
        };
        // Nothing is to be done after a time-out: the next start repeats what was not stored.
        let _ = timeout(within, all).await;
        self.stored = None;
    }

    fn begin(&mut self) {
        self.last = Instant::now();
        match &self.strategy {
            Strategy::AtLeastOnce(offsets) => {
                let Some(committable) = self.ledger.committable() else { return self.nothing_new() };
                if !self.fence.is_open() {
                    self.ledger.put_back(committable);
                    return;
                }
                let offset = self.place.offset_of(&committable);
                let pending = offsets.write(&self.place.connector, &self.place.partition, &offset);
                self.writing = Some(Writing {
                    begun: Instant::now(),
                    answer: Box::pin(async {
                        let result = pending.await.map_err(Unstored::Store);
                        Answer { committable: Some(committable), result, records: None }
                    }),
                });
            }
            Strategy::ExactlyOnce(transactions, _) => {
                let (transactions, ledger, place) =
                    (transactions.clone(), Arc::clone(&self.ledger), Arc::clone(&self.place));
                let ending = spawn_blocking(move || transactions.end(&ledger, &place));
                self.writing = Some(Writing {
                    begun: Instant::now(),
                    answer: Box::pin(async {
                        match ending.await {
                            Ok(Ended { committable, result, records }) => {
                                let result = result.map_err(Unstored::Transaction);
                                Answer { committable, result, records: Some(records) }
                            }
                            // It panicked, or the process ends: whether it was committed, only the next start knows.
                            Err(_) => {
                                Answer { committable: None, result: Err(SinkError::Stopped.into()), records: None }
                            }
                        }
                    }),
                });
            }
        }
    }

    /// Nothing is new. Connect counts that as a commit that succeeded.
    fn nothing_new(&self) {
        self.meters.count(|numbers| {
            numbers.commits += 1;
            numbers.commit_ms.add(Instant::now(), 0.0);
            numbers.commit_outcomes.add(Instant::now(), 1.0);
        });
    }

    fn wrote(&mut self, begun: Instant, Answer { committable, result, records }: Answer) {
        let took_ms = begun.elapsed().as_secs_f64() * 1000.0;
        self.opened = None;
        let error = match (result, committable) {
            (Ok(()), None) => return self.nothing_new(),
            (Ok(()), Some(committable)) => {
                self.meters.count(|numbers| {
                    numbers.commits += 1;
                    numbers.commit_ms.add(Instant::now(), took_ms);
                    numbers.commit_outcomes.add(Instant::now(), 1.0);
                    if let Some(records) = records {
                        numbers.transaction_records.add(Instant::now(), records as f64);
                    }
                });
                if let Some(stored) = &self.stored {
                    stored.send_replace(committable.stream().cloned());
                }
                return committable.stored();
            }
            (Err(Unstored::Store(error)), Some(committable)) => {
                self.ledger.put_back(committable);
                tracing::warn!(connector = %self.place.connector, %error,
                    "the offset could not be stored; it is tried again, and nothing is confirmed to the source meanwhile");
                None
            }
            (Err(Unstored::Store(_)), None) => None,
            (Err(Unstored::Transaction(error)), _) => Some(error),
        };
        self.meters.count(|numbers| {
            numbers.failed_commits += 1;
            numbers.commit_outcomes.add(Instant::now(), 0.0);
        });
        if let (Some(error), Strategy::ExactlyOnce(_, alarm)) = (error, &self.strategy) {
            self.is_over = true;
            // A sink that was stopped belongs to a task that ends anyway.
            if !matches!(error, SinkError::Stopped) {
                tracing::warn!(connector = %self.place.connector, %error, "a transaction was not committed");
                alarm.raise(error.to_string(), error.is_transient(), error.outlook());
            }
        }
    }
}

impl Place {
    /// The offset of what may be stored. Each lane adds its own keys; the stream's are first.
    pub(super) fn offset_of(&self, committable: &Committable) -> Map<String, Json> {
        committable.positions().flat_map(|position| (self.offset)(position)).collect()
    }
}

#[cfg(test)]
mod tests;
