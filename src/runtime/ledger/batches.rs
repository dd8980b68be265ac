//! Batches that were sent and are not acknowledged as a whole. Connect counts records by batches: those of a batch are active
//! until its last one is acknowledged, and only then count as written.
//!
//! Must not know: metrics.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// A batch that was sent.
#[derive(Clone, Copy, Debug)]
struct Batch {
    /// All of its records have numbers below this one.
    upto: u64,
    polled: u64,
    sent: u64,
    source_ms: Option<i64>,
}

/// What has become of the batches since it was last asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Acknowledged {
    /// Records that the connector made, of batches that are acknowledged as a whole.
    pub(crate) polled: u64,
    /// Records that were sent, of the same batches.
    pub(crate) sent: u64,
    /// When the source wrote the oldest of the other batches, in milliseconds since 1970, if it says so.
    pub(crate) oldest_ms: Option<i64>,
}

#[derive(Debug, Default)]
pub(super) struct Batches(Mutex<VecDeque<Batch>>);

impl Batches {
    /// A batch was sent; its records have numbers below `upto`. Call it once a batch.
    pub(super) fn add(&self, upto: u64, polled: u64, sent: u64, source_ms: Option<i64>) {
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Batches of which nothing was sent could be without end while the broker is away. They are acknowledged with the
        // batch before.
        match batches.back_mut().filter(|last| last.upto == upto) {
            Some(last) => {
                last.polled += polled;
                last.sent += sent;
            }
            None => batches.push_back(Batch { upto, polled, sent, source_ms }),
        }
    }

    /// Forgets the batches whose numbers are all below `base`, and says what they were.
    pub(super) fn take(&self, base: u64) -> Acknowledged {
        let mut batches = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut taken = Acknowledged::default();
        while batches.front().is_some_and(|batch| batch.upto <= base)
            && let Some(batch) = batches.pop_front()
        {
            taken.polled += batch.polled;
            taken.sent += batch.sent;
        }
        taken.oldest_ms = batches.front().and_then(|batch| batch.source_ms);
        taken
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_count_when_their_whole_batch_is_acknowledged() {
        let batches = Batches::default();
        batches.add(3, 4, 3, Some(10));
        batches.add(3, 2, 0, Some(11));
        batches.add(5, 2, 2, Some(12));
        assert_eq!(batches.take(2), Acknowledged { polled: 0, sent: 0, oldest_ms: Some(10) });
        assert_eq!(batches.take(4), Acknowledged { polled: 6, sent: 3, oldest_ms: Some(12) });
        assert_eq!(batches.take(5), Acknowledged { polled: 2, sent: 2, oldest_ms: None });
    }
}
