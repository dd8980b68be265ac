//! Whose turn it is: the pipeline works on a message, or a transaction ends. Never both.
//!
//! A transaction must end between two messages: inside of one, the position behind its records is not known yet. The pipeline
//! stands still meanwhile, because a producer has one transaction at a time.
//!
//! Must not know: transactions, records.

use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use relational::CopyState;
use tokio::sync::Notify;
use tokio::time::Instant;

/// How long a wait lasts at most before it is looked whether it has become pointless.
const LOOK_AGAIN: Duration = Duration::from_millis(50);

#[derive(Debug, Default)]
struct State {
    /// The pipeline works on a message.
    is_working: bool,
    /// A transaction ends, or is about to.
    is_held: bool,
    /// Since when the pipeline has had nothing to do.
    idle_since: Option<Instant>,
    /// What was sent last belongs to a copy that is not finished.
    is_copying: bool,
    /// The ledger's numbers below this were sent in vain, or in an earlier transaction.
    void_below: u64,
}

/// See the module.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    state: Mutex<State>,
    changed: Condvar,
    rests: Notify,
}

/// Holds the pipeline between two messages until it is dropped.
#[derive(Debug)]
pub(crate) struct Held<'a>(&'a Turns);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.lock().is_held = false;
        self.0.changed.notify_all();
    }
}

impl Turns {
    fn lock(&self) -> MutexGuard<'_, State> {
        // A poisoned lock may be used: no panic can leave the state half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pipeline has a message: waits until no transaction ends.
    pub(crate) fn work(&self) {
        let mut state = self.lock();
        while state.is_held {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_working = true;
        state.idle_since = None;
    }

    /// The pipeline is done with its message; `is_idle`: no other waits.
    pub(crate) fn rest(&self, is_idle: bool) {
        {
            let mut state = self.lock();
            state.is_working = false;
            state.idle_since = is_idle.then(Instant::now);
        }
        self.changed.notify_all();
        if is_idle {
            self.rests.notify_one();
        }
    }

    /// How far a copy is. True if what it, or one before it, has sent was sent in vain. One that failed is not finished: nothing is
    /// to be committed before the next attempt.
    pub(crate) fn copies(&self, state: CopyState) -> bool {
        let mut known = self.lock();
        let was_copying = known.is_copying;
        match state {
            CopyState::Begins => known.is_copying = true,
            CopyState::Ends => known.is_copying = false,
            CopyState::Fails => {}
        }
        was_copying && state != CopyState::Ends
    }

    /// The open transaction was given up, and with it all numbers below this.
    pub(crate) fn give_up_below(&self, given: u64) {
        self.lock().void_below = given;
    }

    /// Whether a copy is not finished, since when the pipeline is idle, and below which number all was given up.
    pub(super) fn now(&self) -> (bool, Option<Instant>, u64) {
        let state = self.lock();
        (state.is_copying, state.idle_since, state.void_below)
    }

    /// Whether a copy is not finished.
    pub(crate) fn is_copying(&self) -> bool {
        self.lock().is_copying
    }

    /// Returns when the pipeline has become idle since the last call.
    pub(crate) async fn rested(&self) {
        self.rests.notified().await;
    }

    /// Waits until the pipeline is between two messages, and holds it there. `None` if `is_over` turns true meanwhile.
    pub(crate) fn hold(&self, is_over: impl Fn() -> bool) -> Option<Held<'_>> {
        let mut state = self.lock();
        state.is_held = true;
        let held = Held(self);
        while state.is_working {
            if is_over() {
                drop(state);
                return None;
            }
            let waited = self.changed.wait_timeout(state, LOOK_AGAIN);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        Some(held)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[test]
    fn whoever_holds_it_is_alone() {
        let (turns, at_work) = (Arc::new(Turns::default()), Arc::new(AtomicU32::new(0)));
        let worker = std::thread::spawn({
            let (turns, at_work) = (Arc::clone(&turns), Arc::clone(&at_work));
            move || {
                for _ in 0..2000 {
                    turns.work();
                    at_work.fetch_add(1, Ordering::SeqCst);
                    std::thread::yield_now();
                    at_work.fetch_sub(1, Ordering::SeqCst);
                    turns.rest(true);
                }
            }
        });
        while !worker.is_finished() {
            let held = turns.hold(|| false).unwrap();
            assert_eq!(at_work.load(Ordering::SeqCst), 0, "it worked while it was held");
            drop(held);
        }
        worker.join().unwrap();
    }

    #[test]
    fn a_pipeline_that_does_not_come_back_is_given_up() {
        let turns = Turns::default();
        turns.work();
        assert!(turns.hold(|| true).is_none());
        turns.rest(false);
        // It is not held any more.
        turns.work();
    }

    #[test]
    fn a_copy_that_begins_anew_is_noticed() {
        let turns = Turns::default();
        assert!(!turns.copies(CopyState::Fails), "nothing was sent yet");
        assert!(!turns.copies(CopyState::Begins));
        assert!(turns.copies(CopyState::Begins));
        assert!(turns.copies(CopyState::Fails));
        assert!(turns.is_copying());
        assert!(!turns.copies(CopyState::Ends));
        assert!(!turns.copies(CopyState::Begins));
    }
}
