//! The ledger: which records have been delivered, and so which position may be stored.
//!
//! Every record takes a number in source order. Partitions acknowledge in any order; a position counts once every number
//! before it is done, so what is stored never runs ahead of what the broker has. One bit a record in a bounded ring: the
//! acknowledging thread sets a bit and takes no lock.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use record::Position;
use tokio::sync::oneshot;

/// Records under way at most; a multiple of 64.
const CAPACITY: u64 = 1 << 18;

/// See the module.
#[derive(Debug)]
pub struct Ledger {
    /// One bit a number, at its place modulo the capacity.
    done: Box<[AtomicU64]>,
    /// The least number that is not known to be done.
    base: AtomicU64,
    /// The next number to give.
    next: AtomicU64,
    marks: Mutex<Marks>,
}

#[derive(Debug, Default)]
struct Marks {
    /// Positions, each with the number below which all must be done.
    positions: VecDeque<(u64, Position)>,
    /// Who waits for a position to be stored.
    waiting: Vec<(u64, oneshot::Sender<()>)>,
}

/// What may be stored now.
#[derive(Debug)]
pub struct Committable {
    /// All numbers below this are done.
    pub upto: u64,
    /// The position to store; none when nothing new is done.
    pub position: Option<Position>,
}

impl Default for Ledger {
    fn default() -> Self {
        Self::new()
    }
}

impl Ledger {
    /// An empty ledger.
    pub fn new() -> Self {
        Self {
            done: (0..CAPACITY / 64).map(|_| AtomicU64::new(0)).collect(),
            base: AtomicU64::new(0),
            next: AtomicU64::new(0),
            marks: Mutex::default(),
        }
    }

    /// The next number, or `None` while too many records are under way. Called by the one thread that sends.
    pub fn take(&self) -> Option<u64> {
        let next = self.next.load(Ordering::Relaxed);
        if next - self.base.load(Ordering::Acquire) >= CAPACITY {
            self.advance();
            if next - self.base.load(Ordering::Acquire) >= CAPACITY {
                return None;
            }
        }
        self.next.store(next + 1, Ordering::Release);
        Some(next)
    }

    /// The number is done: delivered, or deliberately skipped.
    pub fn done(&self, seq: u64) {
        let place = seq % CAPACITY;
        self.done[(place / 64) as usize].fetch_or(1 << (place % 64), Ordering::AcqRel);
    }

    /// This position counts once everything taken so far is done.
    pub fn mark(&self, position: Position) {
        let upto = self.next.load(Ordering::Acquire);
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        // A later position at the same number replaces the earlier one.
        if let Some(last) = marks.positions.back_mut().filter(|(at, _)| *at == upto) {
            last.1 = position;
            return;
        }
        marks.positions.push_back((upto, position));
    }

    /// As [`mark`](Self::mark), and tells when it has been stored.
    pub fn mark_and_tell(&self, position: Position, tell: oneshot::Sender<()>) {
        self.mark(position);
        let upto = self.next.load(Ordering::Acquire);
        self.marks.lock().unwrap_or_else(PoisonError::into_inner).waiting.push((upto, tell));
    }

    /// Moves the base over what is done. Only one thread may be here at a time; the lock of the marks sees to that.
    fn advance(&self) {
        let _one_at_a_time = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        self.advance_locked();
    }

    fn advance_locked(&self) -> u64 {
        let next = self.next.load(Ordering::Acquire);
        let mut base = self.base.load(Ordering::Acquire);
        while base < next {
            let place = base % CAPACITY;
            let word = &self.done[(place / 64) as usize];
            let bits = word.load(Ordering::Acquire) >> (place % 64);
            let run = u64::from(bits.trailing_ones()).min(64 - place % 64).min(next - base);
            if run == 0 {
                break;
            }
            // The bits are cleared before the base moves: a number of the next round may set them only after that.
            let mask = if run == 64 { u64::MAX } else { (1 << run) - 1 } << (place % 64);
            word.fetch_and(!mask, Ordering::AcqRel);
            base += run;
            self.base.store(base, Ordering::Release);
        }
        base
    }

    /// What may be stored now. Positions that it covers are forgotten: the caller stores the one it gets, or gives it
    /// back with [`put_back`](Self::put_back).
    pub fn committable(&self) -> Committable {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        let upto = self.advance_locked();
        let mut position = None;
        while marks.positions.front().is_some_and(|(at, _)| *at <= upto) {
            position = marks.positions.pop_front().map(|(_, position)| position);
        }
        Committable { upto, position }
    }

    /// The position could not be stored: a later one covers it, or it is given again.
    pub fn put_back(&self, committable: Committable) {
        if let Some(position) = committable.position {
            let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
            marks.positions.push_front((committable.upto, position));
        }
    }

    /// A position up to this number is stored: those who wait for it are told.
    pub fn stored(&self, upto: u64) {
        let mut marks = self.marks.lock().unwrap_or_else(PoisonError::into_inner);
        for (_, tell) in marks.waiting.extract_if(.., |(at, _)| *at <= upto) {
            // Nobody waits any more: then nobody needs to know.
            let _ = tell.send(());
        }
    }

    /// Whether anybody waits for a position to be stored.
    pub fn awaited(&self) -> bool {
        !self.marks.lock().unwrap_or_else(PoisonError::into_inner).waiting.is_empty()
    }

    /// All numbers below this are done.
    pub fn done_below(&self) -> u64 {
        self.advance();
        self.base.load(Ordering::Acquire)
    }

    /// Numbers given and not done.
    pub fn under_way(&self) -> u64 {
        self.next.load(Ordering::Acquire) - self.base.load(Ordering::Acquire)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(word: i64) -> Position {
        let mut position = Position::UNKNOWN;
        position.words[0] = word;
        position
    }

    fn committed(ledger: &Ledger) -> Option<i64> {
        ledger.committable().position.and_then(|position| position.word(0))
    }

    #[test]
    fn a_position_waits_for_all_before_it() {
        let ledger = Ledger::new();
        let (a, b) = (ledger.take().unwrap(), ledger.take().unwrap());
        ledger.mark(at(1));
        ledger.done(b);
        assert_eq!(committed(&ledger), None);
        ledger.done(a);
        assert_eq!(committed(&ledger), Some(1));
        assert_eq!(committed(&ledger), None);
    }

    #[test]
    fn a_position_without_records_counts_at_once() {
        let ledger = Ledger::new();
        ledger.mark(at(5));
        assert_eq!(committed(&ledger), Some(5));
    }

    #[test]
    fn a_position_put_back_is_given_again_unless_a_later_one_covers_it() {
        let ledger = Ledger::new();
        ledger.mark(at(1));
        let first = ledger.committable();
        ledger.put_back(first);
        assert_eq!(committed(&ledger), Some(1));
        ledger.mark(at(1));
        let first = ledger.committable();
        let seq = ledger.take().unwrap();
        ledger.mark(at(2));
        ledger.done(seq);
        ledger.put_back(first);
        assert_eq!(committed(&ledger), Some(2));
    }

    #[test]
    fn the_ring_is_bounded() {
        let ledger = Ledger::new();
        for _ in 0..CAPACITY {
            ledger.take().unwrap();
        }
        assert_eq!(ledger.take(), None);
        ledger.done(1);
        assert_eq!(ledger.take(), None);
        ledger.done(0);
        assert_eq!((ledger.take(), ledger.take(), ledger.take()), (Some(CAPACITY), Some(CAPACITY + 1), None));
    }

    proptest! {
        /// Whatever the order of the acknowledgements: what is given has all before it done, and is the last such.
        #[test]
        fn the_longest_done_prefix(order in Just((0..300_u64).collect::<Vec<_>>()).prop_shuffle(), every in 1..20_u64) {
            let ledger = Ledger::new();
            for seq in 0..300_u64 {
                prop_assert_eq!(ledger.take(), Some(seq));
                if seq % every == 0 {
                    ledger.mark(at(seq as i64));
                }
            }
            let mut seen = vec![false; 300];
            for seq in order {
                ledger.done(seq);
                seen[seq as usize] = true;
                let prefix = seen.iter().take_while(|done| **done).count() as u64;
                if let Some(last) = committed(&ledger) {
                    prop_assert!((last as u64) < prefix, "{} is not below {}", last, prefix);
                    prop_assert!(last as u64 + every >= prefix.min(last as u64 + every), "the last mark below the prefix");
                }
            }
            prop_assert_eq!(ledger.under_way(), 300 - seen.iter().filter(|done| **done).count() as u64);
        }
    }
}
