//! Batches that were handed to the producer and are not acknowledged as a whole, each with its span.
//!
//! The thread that hears of acknowledgements asks for each record whether it is the last of its batch. It reads one word of a
//! table of a few kilobytes for that, and takes a lock once a batch. Traces that are off have no such table.
//!
//! Must not know: what was sent, the broker.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use super::{Span, now_ns};

/// How many last records can be looked for at a time; a power of two.
const PLACES_LOG2: u32 = 9;
/// The number of no record.
const FREE: u64 = u64::MAX;
/// How many batches may wait. The span of one for which there is no room ends without its delivery.
const MOST: usize = 4096;

/// A batch under way.
#[derive(Debug)]
pub(crate) struct Delivering {
    /// The batch's span.
    pub(crate) span: Span,
    /// The number of its last record in the ledger.
    pub(crate) last: u64,
    /// When it was handed to the producer, in nanoseconds since 1970.
    pub(crate) handed_ns: i64,
    /// When its last record was acknowledged.
    pub(crate) acknowledged_ns: Option<i64>,
}

/// The batches of a task that are under way.
#[derive(Debug)]
pub(crate) struct Waiting {
    /// The last records, each at the place of its number. A later one takes the place of an earlier one, whose batch then ends
    /// when somebody looks ([`Self::settle`]).
    lasts: Box<[AtomicU64]>,
    batches: Mutex<VecDeque<Delivering>>,
}

impl Default for Waiting {
    fn default() -> Self {
        Self { lasts: (0..1 << PLACES_LOG2).map(|_| AtomicU64::new(FREE)).collect(), batches: Mutex::default() }
    }
}

impl Waiting {
    fn place(&self, number: u64) -> &AtomicU64 {
        // Fibonacci hashing: numbers in equal steps are spread over all places.
        let place = number.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> (u64::BITS - PLACES_LOG2);
        &self.lasts[place as usize]
    }

    fn batches(&self) -> MutexGuard<'_, VecDeque<Delivering>> {
        self.batches.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A batch was handed to the producer. Call it in the order of the numbers.
    pub(crate) fn add(&self, batch: Delivering) {
        let last = batch.last;
        let mut batches = self.batches();
        if batches.len() < MOST {
            batches.push_back(batch);
            self.place(last).store(last, Ordering::Release);
        }
    }

    /// A record was acknowledged, or left out. Called for each record.
    #[inline]
    pub(crate) fn acknowledged(&self, number: u64) {
        let place = self.place(number);
        if place.load(Ordering::Acquire) == number {
            place.store(FREE, Ordering::Release);
            self.note(number);
        }
    }

    fn note(&self, number: u64) {
        let mut batches = self.batches();
        if let Ok(at) = batches.binary_search_by_key(&number, |batch| batch.last) {
            batches[at].acknowledged_ns = Some(now_ns());
        }
    }

    /// Ends the spans of the batches that are acknowledged as a whole; `covers` says whether all records up to a number are.
    pub(crate) fn settle(&self, covers: impl Fn(u64) -> bool) {
        let mut batches = self.batches();
        while batches.front().is_some_and(|batch| covers(batch.last))
            && let Some(Delivering { span, handed_ns, acknowledged_ns, .. }) = batches.pop_front()
        {
            let ended_ns = acknowledged_ns.unwrap_or_else(now_ns);
            let mut delivery = span.child("batch.deliver");
            delivery.begun_at(handed_ns);
            delivery.end_at(ended_ns);
            span.end_at(ended_ns);
        }
    }

    /// Ends the spans of all batches that are under way: they will not be acknowledged.
    pub(crate) fn give_up(&self) {
        for Delivering { mut span, .. } in self.batches().drain(..) {
            span.fail("not_acknowledged");
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.give_up();
    }
}
