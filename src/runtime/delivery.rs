//! What becomes of records that were handed to the sink: delivered, left out, or the end of the task.
//!
//! Must not know: how records are sent, where positions are stored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::ledger::Ledger;
use super::tolerance::Reporter;
use crate::sink::Undelivered;

/// Set by the first delivery that fails; the task ends then.
#[derive(Debug, Default)]
pub(crate) struct Alarm {
    failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Alarm {
    fn raise(&self, text: String) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
    }

    /// Why a record was not delivered; `None` while there is no such record.
    pub(crate) fn raised(&self) -> Option<String> {
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
}

impl Deliveries {
    /// Takes the outcome of a record. A record that the broker refuses and that is left out counts as done, so that the
    /// position can move past it.
    pub(crate) fn settle(&self, seq: u64, outcome: Result<(), Undelivered<'_>>) {
        match outcome {
            Ok(()) => self.ledger.done(seq),
            Err(undelivered) if self.reporter.refused(&undelivered) => self.ledger.done(seq),
            Err(undelivered) => self.alarm.raise(undelivered.error.to_string()),
        }
    }
}
