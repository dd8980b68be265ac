//! The stop of the daemon. One clock, three moments: tasks (grace), status records (+1 s), everything (+2 s). All parts go by
//! that clock, so that their waits do not add up.
//!
//! Must not know: what is waited for.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::Supervisor;
use super::phase::Phase;
use crate::store::Store as _;

/// How long after the tasks' time the last status records may be written.
const RECORDS: Duration = Duration::from_secs(1);
/// How long after the tasks' time all must be over: the records, closing the store and leaving the group.
const FAREWELL: Duration = Duration::from_secs(2);

/// When the daemon's stop must be over. Calling any `of_*` method starts the clock if `begin` has not.
#[derive(Clone, Debug)]
pub struct Deadline {
    /// `task.shutdown.graceful.timeout.ms`: the time that all tasks together have.
    graceful: Duration,
    begun: watch::Sender<Option<Instant>>,
}

impl Deadline {
    pub(super) fn new(graceful: Duration) -> Self {
        Self { graceful, begun: watch::channel(None).0 }
    }

    /// The stop begins now, unless it has begun.
    pub(super) fn begin(&self) -> Instant {
        let mut begin = Instant::now();
        self.begun.send_if_modified(|begun| match *begun {
            Some(before) => {
                begin = before;
                false
            }
            None => begun.replace(begin).is_none(),
        });
        begin
    }

    /// Whether the stop has begun.
    pub(super) fn has_begun(&self) -> bool {
        self.begun.borrow().is_some()
    }

    /// Waits for the stop to begin.
    pub(super) async fn began(&self) {
        // Cannot fail: this deadline has the sender.
        let _ = self.begun.subscribe().wait_for(Option::is_some).await;
    }

    /// Until when tasks may deliver records and store offsets.
    pub(super) fn of_tasks(&self) -> Instant {
        self.begin() + self.graceful
    }

    /// Until when the last status records may be written.
    pub(super) fn of_records(&self) -> Instant {
        self.of_tasks() + RECORDS
    }

    /// Until when all must be over, whatever is waited for. The stop begins now, unless it has begun.
    pub fn of_all(&self) -> Instant {
        self.of_tasks() + FAREWELL
    }
}

impl Supervisor {
    /// When the daemon's stop must be over.
    pub fn deadline(&self) -> &Deadline {
        &self.shared.deadline
    }

    /// Stops everything in good order, all connectors at once.
    pub(super) async fn leave(&self) {
        self.shared.deadline.begin();
        self.phase.send_replace(Phase::Stopping);
        let mut waits = JoinSet::new();
        for kept in self.shared.keepers().values() {
            let (done, wait) = oneshot::channel();
            kept.mailbox.put(|mail| {
                mail.leave = true;
                mail.settled.push(done);
            });
            waits.spawn(wait);
        }
        let all = async { while waits.join_next().await.is_some() {} };
        if timeout_at(self.shared.deadline.of_records(), all).await.is_err() {
            tracing::warn!(
                "not all connectors stopped in time; what they had not stored is read again at the next start"
            );
        }
        self.shared.abort();
        self.close().await;
    }

    /// Closes the store. Its threads may wait for a broker: they are waited for until the deadline.
    pub(super) async fn close(&self) {
        let store = Arc::clone(&self.shared.store);
        let closing = tokio::task::spawn_blocking(move || store.close());
        if timeout_at(self.shared.deadline.of_all(), closing).await.is_err() {
            tracing::warn!("the internal topics' clients are left behind: they still wait for a broker");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const S: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn whoever_comes_later_has_what_is_left() {
        let deadline = Deadline::new(S * 5);
        assert!(!deadline.has_begun());
        let begin = deadline.begin();
        tokio::time::advance(S * 4).await;
        assert_eq!(deadline.begin(), begin);
        assert_eq!(deadline.of_tasks() - begin, S * 5);
        assert_eq!(deadline.of_all() - begin, S * 5 + FAREWELL);
        deadline.began().await;
    }
}
