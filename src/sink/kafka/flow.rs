//! How many records are where, and who sleeps until one of them is delivered.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::sink::{Delivery, Undelivered};

/// What senders and the polling thread share.
pub(super) struct Flow {
    may_produce: Box<dyn Fn() -> bool + Send + Sync>,
    pub(super) stopped: AtomicBool,
    /// Records taken from senders, handed on to librdkafka, and with their delivery known.
    pub(super) sent: AtomicU64,
    pub(super) handed: AtomicU64,
    pub(super) delivered: AtomicU64,
    delivery: Box<Delivery>,
    /// The count of deliveries at which the polling thread wakes whoever sleeps; `u64::MAX` while nobody does. A
    /// threshold and not a flag, so that a sender that found the window full gets room for many records at once.
    wake_at: AtomicU64,
    lock: Mutex<()>,
    room: Condvar,
    /// Set by librdkafka's complaint that no broker can be reached, cleared by the next delivery.
    is_away: AtomicBool,
    away: Mutex<Option<Arc<str>>>,
}

impl Flow {
    pub(super) fn new(may_produce: Box<dyn Fn() -> bool + Send + Sync>, delivery: Box<Delivery>) -> Self {
        Self {
            may_produce,
            stopped: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            handed: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            delivery,
            wake_at: AtomicU64::new(u64::MAX),
            lock: Mutex::new(()),
            room: Condvar::new(),
            is_away: AtomicBool::new(false),
            away: Mutex::default(),
        }
    }

    pub(super) fn set_away(&self, why: Option<Arc<str>>) {
        self.is_away.store(why.is_some(), Ordering::Release);
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    /// Why records wait, if any do.
    pub(super) fn away(&self) -> Option<Arc<str>> {
        if !self.is_away.load(Ordering::Acquire) || self.in_flight() == 0 {
            return None;
        }
        self.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn in_flight(&self) -> u64 {
        // Delivered first: the difference is then never negative.
        let delivered = self.delivered.load(Ordering::Acquire);
        self.sent.load(Ordering::Acquire).saturating_sub(delivered)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire) || !(self.may_produce)()
    }

    /// Whether librdkafka has nothing under way.
    pub(super) fn is_idle(&self) -> bool {
        // Delivered first: handed never falls behind it.
        let delivered = self.delivered.load(Ordering::Acquire);
        self.handed.load(Ordering::Acquire) == delivered
    }

    /// One record's fate is known.
    pub(super) fn settle(&self, seq: u64, outcome: Result<(), Undelivered<'_>>) {
        let is_ok = outcome.is_ok();
        (self.delivery)(seq, outcome);
        if is_ok && self.is_away.load(Ordering::Acquire) {
            self.set_away(None);
        }
        let delivered = self.delivered.fetch_add(1, Ordering::AcqRel) + 1;
        if delivered >= self.wake_at.load(Ordering::Acquire) {
            self.wake_at.store(u64::MAX, Ordering::Release);
            self.wake();
        }
    }

    /// Wakes whoever sleeps, to look again.
    pub(super) fn wake(&self) {
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // The mutex guards no data, so a panic of another holder leaves nothing half done.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until `delivered` deliveries have come or `atmost` is over (a wake-up lost to a race costs just that).
    pub(super) fn doze(&self, delivered: u64, atmost: Duration) {
        let guard = self.lock();
        self.wake_at.fetch_min(delivered, Ordering::AcqRel);
        if self.delivered.load(Ordering::Acquire) < delivered {
            drop(self.room.wait_timeout(guard, atmost).unwrap_or_else(PoisonError::into_inner));
        }
    }
}
