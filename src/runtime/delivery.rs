//! What becomes of records after they were handed to the sink: counted as done, left out, or the end of the task.
//!
//! Must not know: how records are sent, where positions are stored.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::ledger::Ledger;
use super::tolerance::Reporter;
use crate::sink::Undelivered;

/// The first delivery that failed, and the alarm for it.
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

    /// Why a record was not delivered, if one was not.
    pub(crate) fn raised(&self) -> Option<String> {
        if !self.failed.load(Ordering::Acquire) {
            return None;
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Hears what became of each record.
pub(crate) struct Deliveries {
    pub(crate) ledger: Arc<Ledger>,
    pub(crate) reporter: Arc<Reporter>,
    pub(crate) alarm: Arc<Alarm>,
}

impl Deliveries {
    /// The record's fate is known. A record that is refused and left out counts as done: it is passed.
    pub(crate) fn settle(&self, seq: u64, outcome: Result<(), Undelivered<'_>>) {
        match outcome {
            Ok(()) => self.ledger.done(seq),
            Err(undelivered) if self.reporter.refused(&undelivered) => self.ledger.done(seq),
            Err(undelivered) => self.alarm.raise(undelivered.error.to_string()),
        }
    }
}
