//! What becomes of records that were handed to the sink: delivered, left out, or the end of the task.
//!
//! Must not know: how records are sent, where positions are stored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use retry::Outlook;

use super::ledger::Ledger;
use super::letters::post::{Inbox, Post, Refused};
use super::tolerance::Reporter;
use super::traces::Waiting;
use crate::sink::Undelivered;

/// Set by the first delivery that fails; the task ends then.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    failed: AtomicBool,
    failure: Mutex<Option<Raised>>,
}

/// Why a record was not delivered, or a transaction not committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Raised {
    /// `class: message` of the cause.
    pub(crate) cause: String,
    /// Whether the same may succeed with another producer.
    pub(crate) may_pass: bool,
    /// Whether a task that ends because of it may succeed when it is started again later.
    pub(crate) outlook: Outlook,
}

impl Alarm {
    /// Ends the task; only the first cause counts.
    pub(crate) fn raise(&self, cause: String, may_pass: bool, outlook: Outlook) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(Raised { cause, may_pass, outlook });
        }
    }

    /// What raised it; `None` while nothing has.
    pub(crate) fn raised(&self) -> Option<Raised> {
        if !self.failed.load(Ordering::Acquire) {
            return None;
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Is told by the sink what became of each record.
pub(crate) struct Deliveries {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) alarm: Arc<Alarm>,
    /// Takes records that are left out, if the task writes letters.
    pub(crate) letters: Option<Inbox>,
    /// The batches under way, where traces are made of them.
    pub(crate) waiting: Option<Arc<Waiting>>,
}

impl Deliveries {
    /// Takes the outcome of a record. A record that the broker refuses and that is left out counts as done, so that the
    /// position can move past it; if the task writes letters, it counts as done when its letter is delivered.
    pub(crate) fn settle(&self, seq: u64, outcome: Result<(), Undelivered<'_>>) {
        if let Some(inbox) = self.letters.as_ref().filter(|_| Post::is_letter(seq)) {
            return inbox.post.settle(seq, outcome.as_ref().copied().map_err(|undelivered| &undelivered.error));
        }
        if let Some(waiting) = &self.waiting {
            waiting.acknowledged(seq);
        }
        let committed_ms = self.ledger.take_commit(seq);
        if let Some(committed_ms) = committed_ms.filter(|_| outcome.is_ok()) {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            // 0 if the source's clock is ahead of this one.
            let took_ms = u64::try_from(now.as_millis() as i64 - committed_ms).unwrap_or(0);
            self.reporter.meters.latency().add(took_ms);
        }
        let undelivered = match outcome {
            Ok(()) => return self.ledger.done(seq),
            Err(undelivered) => undelivered,
        };
        match (self.reporter.refused(&undelivered), &self.letters) {
            (None, _) => {
                let error = &undelivered.error;
                self.alarm.raise(error.to_string(), error.is_transient(), error.outlook());
            }
            (Some(_), None) => self.ledger.done(seq),
            (Some((failure, origin)), Some(inbox)) => inbox.take(Refused { seq, failure, origin }),
        }
    }
}
