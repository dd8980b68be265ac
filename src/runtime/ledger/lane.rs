//! One lane: a ring of bits for the records under way, and the positions that wait for them.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use record::Position;
use tokio::sync::oneshot;

/// How many records of a lane can be under way at most; a multiple of 64.
pub(super) const CAPACITY: u64 = 1 << 18;

/// A position that may be stored once all numbers below `upto` are done.
#[derive(Debug)]
pub(super) struct Mark {
    upto: u64,
    position: Position,
    /// Who waits for this position to be stored. They stay with their mark, so that a write answers only for the positions
    /// that it covers.
    pub(super) waiting: Vec<oneshot::Sender<()>>,
}

impl Mark {
    /// Takes over those who wait for an earlier mark, whose position this one covers.
    fn cover(&mut self, mut earlier: Self) {
        earlier.waiting.append(&mut self.waiting);
        self.waiting = earlier.waiting;
    }
}

#[derive(Debug, Default)]
struct Marks {
    /// Ascending by `upto`. Marks whose records are all done are merged into the first entry.
    ahead: VecDeque<Mark>,
    /// The position of the last mark that could be stored.
    reached: Option<Position>,
    /// The `upto` of the newest mark, stored or not.
    newest: u64,
}

#[derive(Debug)]
pub(super) struct Lane {
    /// One bit for each number, at the number modulo the capacity; set when the number is done.
    done: Box<[AtomicU64]>,
    /// The least number that is not known to be done.
    base: AtomicU64,
    /// The next number to give.
    next: AtomicU64,
    marks: Mutex<Marks>,
}

impl Default for Lane {
    fn default() -> Self {
        Self {
            done: (0..CAPACITY / 64).map(|_| AtomicU64::new(0)).collect(),
            base: AtomicU64::new(0),
            next: AtomicU64::new(0),
            marks: Mutex::default(),
        }
    }
}

impl Lane {
    pub(super) fn take(&self) -> Option<u64> {
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

    pub(super) fn done(&self, number: u64) {
        let place = number % CAPACITY;
        self.done[(place / 64) as usize].fetch_or(1 << (place % 64), Ordering::AcqRel);
    }

    pub(super) fn mark(&self, position: Position, tell: Option<oneshot::Sender<()>>) {
        let upto = self.next.load(Ordering::Acquire);
        let mut marks = self.lock();
        marks.newest = upto;
        // A later position at the same number covers the earlier one.
        match marks.ahead.back_mut().filter(|last| last.upto == upto) {
            Some(last) => {
                last.position = position;
                last.waiting.extend(tell);
            }
            None => marks.ahead.push_back(Mark { upto, position, waiting: tell.into_iter().collect() }),
        }
        // While offsets cannot be written nobody calls `committable`. Merging the marks here keeps them from growing beyond
        // the number of records under way.
        self.advance_locked(&mut marks);
    }

    /// Moves the base past all numbers that are done.
    pub(super) fn advance(&self) {
        let mut marks = self.lock();
        self.advance_locked(&mut marks);
    }

    /// Moves the base past all numbers that are done, and returns it. The caller holds the lock of the marks: only one
    /// thread may run this at a time.
    fn advance_locked(&self, marks: &mut Marks) -> u64 {
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
            // The bits are cleared before the base moves, because once the base has moved, `take` may reuse these bits.
            let mask = if run == 64 { u64::MAX } else { (1 << run) - 1 } << (place % 64);
            word.fetch_and(!mask, Ordering::AcqRel);
            base += run;
            self.base.store(base, Ordering::Release);
        }
        while marks.ahead.get(1).is_some_and(|second| second.upto <= base) {
            let first = marks.ahead.pop_front();
            if let (Some(first), Some(second)) = (first, marks.ahead.front_mut()) {
                second.cover(first);
            }
        }
        base
    }

    /// The mark that may be stored now, if there is a new one, and the position that the lane has reached.
    pub(super) fn committable(&self) -> (Option<Mark>, Option<Position>) {
        let mut marks = self.lock();
        let base = self.advance_locked(&mut marks);
        let is_new = marks.ahead.front().is_some_and(|mark| mark.upto <= base);
        let mark = if is_new { marks.ahead.pop_front() } else { None };
        if let Some(mark) = &mark {
            marks.reached = Some(mark.position.clone());
        }
        (mark, marks.reached.clone())
    }

    pub(super) fn put_back(&self, mark: Mark) {
        let mut marks = self.lock();
        marks.ahead.push_front(mark);
        self.advance_locked(&mut marks);
    }

    pub(super) fn is_awaited(&self) -> bool {
        let mut marks = self.lock();
        let base = self.advance_locked(&mut marks);
        marks.ahead.front().is_some_and(|mark| mark.upto <= base && !mark.waiting.is_empty())
    }

    pub(super) fn given(&self) -> u64 {
        self.next.load(Ordering::Acquire)
    }

    pub(super) fn is_at_mark(&self) -> bool {
        self.lock().newest == self.given()
    }

    pub(super) fn base(&self) -> u64 {
        self.base.load(Ordering::Acquire)
    }

    #[cfg(test)]
    pub(super) fn under_way(&self) -> u64 {
        // The base is read first: it never passes `next`, so the difference is not negative.
        let base = self.base();
        self.next.load(Ordering::Acquire) - base
    }

    /// How many marks are kept.
    #[cfg(test)]
    pub(super) fn marks(&self) -> usize {
        self.lock().ahead.len()
    }

    fn lock(&self) -> MutexGuard<'_, Marks> {
        // A poisoned lock may be used: no panic can leave the marks half changed.
        self.marks.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
