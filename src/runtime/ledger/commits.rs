//! When the source committed what some of the records under way are about, so that the time until their acknowledgement can be
//! measured.
//!
//! One record of each batch is noted. The thread that hears of acknowledgements asks for each record, and must not wait: it
//! reads one word of a table of a few kilobytes.
//!
//! Must not know: metrics, clocks.

use std::sync::atomic::{AtomicI64, AtomicU64, Ordering};

/// How many records can be noted; a power of two.
const PLACES_LOG2: u32 = 9;
/// The number of no record.
const FREE: u64 = u64::MAX;

#[derive(Debug)]
struct Place {
    number: AtomicU64,
    committed_ms: AtomicI64,
}

#[derive(Debug)]
pub(super) struct Commits(Box<[Place]>);

impl Default for Commits {
    fn default() -> Self {
        let free = |_| Place { number: AtomicU64::new(FREE), committed_ms: AtomicI64::new(0) };
        Self((0..1 << PLACES_LOG2).map(free).collect())
    }
}

impl Commits {
    fn place(&self, number: u64) -> &Place {
        // Fibonacci hashing: numbers in equal steps are spread over all places.
        let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - PLACES_LOG2);
        &self.0[place as usize]
    }

    /// Notes a record before it is sent. If its place is taken, the record there is the older one, and stays.
    pub(super) fn note(&self, number: u64, committed_ms: i64) {
        let place = self.place(number);
        if place.number.load(Ordering::Acquire) == FREE {
            place.committed_ms.store(committed_ms, Ordering::Relaxed);
            place.number.store(number, Ordering::Release);
        }
    }

    /// Forgets a record and gives its time; `None` for a record that was not noted.
    #[inline]
    pub(super) fn take(&self, number: u64) -> Option<i64> {
        let place = self.place(number);
        if place.number.load(Ordering::Acquire) != number {
            return None;
        }
        let committed_ms = place.committed_ms.load(Ordering::Relaxed);
        place.number.store(FREE, Ordering::Release);
        Some(committed_ms)
    }

    /// Forgets all records.
    pub(super) fn forget(&self) {
        for place in &self.0 {
            place.number.store(FREE, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_noted_record_is_found_once() {
        let commits = Commits::default();
        commits.note(7, 100);
        assert_eq!((commits.take(8), commits.take(7), commits.take(7)), (None, Some(100), None));
    }

    #[test]
    fn what_is_forgotten_is_not_found() {
        let commits = Commits::default();
        commits.note(7, 100);
        commits.forget();
        assert_eq!(commits.take(7), None);
        commits.note(7, 200);
        assert_eq!(commits.take(7), Some(200));
    }

    #[test]
    fn full_batches_have_places_of_their_own() {
        let commits = Commits::default();
        let firsts = || (0..64_u64).map(|batch| batch * 512);
        firsts().for_each(|number| commits.note(number, number as i64));
        let found = firsts().filter(|number| commits.take(*number) == Some(*number as i64)).count();
        assert!(found > 55, "{found} of 64");
    }

    #[test]
    fn the_older_of_two_stays() {
        let commits = Commits::default();
        let same = (1..1 << 20).find(|number| std::ptr::eq(commits.place(*number), commits.place(0))).unwrap();
        commits.note(0, 1);
        commits.note(same, 2);
        assert_eq!((commits.take(same), commits.take(0)), (None, Some(1)));
    }
}
