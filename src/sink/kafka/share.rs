//! What all producers of the process may hold in their queues together.
//!
//! A producer whose broker is away fills its queue. Of fifty such producers each could take the whole of its
//! `buffer.memory`, and the daemon would need as much memory as a Java worker. So each may hold [`OWN_BYTES`], and what
//! is beyond that comes, in pieces, out of one allowance for the whole process. A producer that gets no piece counts as
//! full: its connector waits, and others go on.

use std::sync::atomic::{AtomicUsize, Ordering};

/// What each producer may hold, whatever the others do: a request of the usual size.
const OWN_BYTES: usize = 256 * 1024;
/// What all producers together may hold beyond that.
const SHARED_BYTES: usize = 8 * 1024 * 1024;
/// How much of the shared part a producer takes or gives back at once, so that it is not touched for each record.
const PIECE_BYTES: usize = 128 * 1024;
/// What a record costs in librdkafka's queue beside its key and value, roughly.
const RECORD_BYTES: usize = 128;

/// The pieces that all producers have taken.
static TAKEN: Allowance = Allowance::new();

/// An allowance, and how much of it is taken.
struct Allowance(AtomicUsize);

impl Allowance {
    const fn new() -> Self {
        Self(AtomicUsize::new(0))
    }

    /// Takes as many pieces, if they are there.
    fn take(&self, pieces: usize) -> bool {
        let more = |taken| Some(taken + pieces * PIECE_BYTES).filter(|taken| *taken <= SHARED_BYTES);
        self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, more).is_ok()
    }

    fn give_back(&self, pieces: usize) {
        self.0.fetch_sub(pieces * PIECE_BYTES, Ordering::AcqRel);
    }
}

/// One producer's part.
pub(super) struct Share {
    allowance: &'static Allowance,
    /// The bytes in its queue.
    queued: AtomicUsize,
    /// How many pieces of the shared part it has.
    pieces: AtomicUsize,
}

/// What a record counts for.
pub(super) fn bytes(key: Option<&[u8]>, value: Option<&[u8]>) -> usize {
    RECORD_BYTES + key.map_or(0, <[u8]>::len) + value.map_or(0, <[u8]>::len)
}

impl Share {
    /// The part of a new producer.
    pub(super) fn new() -> Self {
        Self { allowance: &TAKEN, queued: AtomicUsize::new(0), pieces: AtomicUsize::new(0) }
    }

    /// Counts a record that is to be queued; false, and it is not counted, when there is no room for it. An empty queue takes
    /// any record, or a large one could never pass.
    pub(super) fn enter(&self, bytes: usize) -> bool {
        let before = self.queued.fetch_add(bytes, Ordering::AcqRel);
        let beyond = (before + bytes).saturating_sub(OWN_BYTES);
        let lacks = beyond.div_ceil(PIECE_BYTES).saturating_sub(self.pieces.load(Ordering::Acquire));
        if lacks == 0 || before == 0 {
            return true;
        }
        if !self.allowance.take(lacks) {
            self.queued.fetch_sub(bytes, Ordering::AcqRel);
            return false;
        }
        self.pieces.fetch_add(lacks, Ordering::AcqRel);
        true
    }

    /// Takes note that a record has left the queue. A piece is given back once a whole further one is free as well, so that
    /// a queue that stays about as full as it is does not take and give back all the time.
    pub(super) fn leave(&self, bytes: usize) {
        let queued = self.queued.fetch_sub(bytes, Ordering::AcqRel) - bytes;
        let spare = |pieces: usize| queued + 2 * PIECE_BYTES <= OWN_BYTES + pieces * PIECE_BYTES;
        let one_less = |pieces: usize| pieces.checked_sub(1).filter(|_| spare(pieces) || queued == 0);
        while self.pieces.fetch_update(Ordering::AcqRel, Ordering::Acquire, one_less).is_ok() {
            self.allowance.give_back(1);
        }
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.allowance.give_back(*self.pieces.get_mut());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(allowance: &'static Allowance) -> Share {
        Share { allowance, queued: AtomicUsize::new(0), pieces: AtomicUsize::new(0) }
    }

    fn fill(share: &Share) -> usize {
        let mut count = 0;
        while share.enter(PIECE_BYTES / 4) {
            count += 1;
        }
        count * PIECE_BYTES / 4
    }

    #[test]
    fn one_takes_all_and_leaves_the_others_their_own() {
        static ALL: Allowance = Allowance::new();
        let (first, second) = (share(&ALL), share(&ALL));
        assert_eq!(fill(&first), OWN_BYTES + SHARED_BYTES);
        assert_eq!(fill(&second), OWN_BYTES);
        // What the first gives back, the second can take.
        for _ in 0..16 {
            first.leave(PIECE_BYTES / 4);
        }
        assert_eq!(fill(&second), 3 * PIECE_BYTES);
        drop(first);
        assert_eq!(fill(&second), SHARED_BYTES - 3 * PIECE_BYTES);
        drop(second);
        assert_eq!(ALL.0.load(Ordering::Relaxed), 0);
    }

    #[test]
    fn a_record_larger_than_all_passes_alone() {
        static ALL: Allowance = Allowance::new();
        let share = share(&ALL);
        assert!(share.enter(OWN_BYTES + SHARED_BYTES + 1));
        assert!(!share.enter(1));
        share.leave(OWN_BYTES + SHARED_BYTES + 1);
        assert!(share.enter(1));
        share.leave(1);
        assert_eq!((ALL.0.load(Ordering::Relaxed), share.queued.load(Ordering::Relaxed)), (0, 0));
    }
}
