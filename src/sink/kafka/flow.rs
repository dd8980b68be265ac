//! Counts the records that are sent, passed on and delivered, and lets senders sleep until enough are delivered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use retry::Outlook;

use super::callbacks::COMES_BACK;
use crate::sink::{Delivery, DeliveryError, Outgoing, Undelivered};

/// The number of a record that no ledger has: an offset that goes with a transaction.
pub(super) const UNNUMBERED: u64 = !COMES_BACK;

/// The counters and flags that senders and the polling thread share.
pub(super) struct Flow {
    may_produce: Box<dyn Fn() -> bool + Send + Sync>,
    pub(super) stopped: AtomicBool,
    /// Set while a transaction is aborted: what is dropped by that counts as delivered.
    pub(super) aborting: AtomicBool,
    /// Records accepted from senders.
    pub(super) sent: AtomicU64,
    /// Records passed on to librdkafka.
    pub(super) handed: AtomicU64,
    /// Records whose delivery is known, whether it failed or not.
    pub(super) delivered: AtomicU64,
    delivery: Box<Delivery>,
    /// The value of `delivered` at which the polling thread wakes the sleeping senders; `u64::MAX` while nobody sleeps.
    /// It is a threshold and not a flag, so that a sender that found the queue full wakes when there is room for many
    /// records.
    wake_at: AtomicU64,
    lock: Mutex<()>,
    room: Condvar,
    /// Set when librdkafka reports that no broker can be reached, cleared by the next delivery.
    is_away: AtomicBool,
    away: Mutex<Option<Arc<str>>>,
}

impl Flow {
    pub(super) fn new(may_produce: Box<dyn Fn() -> bool + Send + Sync>, delivery: Box<Delivery>) -> Self {
        Self {
            may_produce,
            stopped: AtomicBool::new(false),
            aborting: AtomicBool::new(false),
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

    /// Says better why no broker can be reached, if that is so.
    pub(super) fn explain_away(&self, why: &Arc<str>) {
        let mut away = self.away.lock().unwrap_or_else(PoisonError::into_inner);
        if away.is_some() {
            *away = Some(Arc::clone(why));
        }
    }

    /// Why no broker can be reached, if that is so and records wait.
    pub(super) fn away(&self) -> Option<Arc<str>> {
        if !self.is_away.load(Ordering::Acquire) || self.in_flight() == 0 {
            return None;
        }
        self.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    pub(super) fn in_flight(&self) -> u64 {
        // `delivered` is read first, so the difference is never negative.
        let delivered = self.delivered.load(Ordering::Acquire);
        self.sent.load(Ordering::Acquire).saturating_sub(delivered)
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire) || self.is_fenced()
    }

    /// Whether this process may no longer produce.
    pub(super) fn is_fenced(&self) -> bool {
        !(self.may_produce)()
    }

    /// Whether librdkafka has no record whose delivery is unknown.
    pub(super) fn is_idle(&self) -> bool {
        // `delivered` is read first, so `handed` is never less than it.
        let delivered = self.delivered.load(Ordering::Acquire);
        self.handed.load(Ordering::Acquire) == delivered
    }

    /// Reports what became of one record, and counts it as delivered.
    pub(super) fn settle(&self, seq: u64, outcome: Result<(), Undelivered<'_>>) {
        let is_ok = outcome.is_ok();
        let outcome = match outcome {
            Err(Undelivered { error: DeliveryError::Purged { .. }, .. }) if self.aborting.load(Ordering::Acquire) => {
                Ok(())
            }
            outcome => outcome,
        };
        // An offset that could not be written makes the commit fail.
        if seq != UNNUMBERED {
            (self.delivery)(seq, outcome);
        }
        if is_ok && self.is_away.load(Ordering::Acquire) {
            self.set_away(None);
        }
        let delivered = self.delivered.fetch_add(1, Ordering::AcqRel) + 1;
        if delivered >= self.wake_at.load(Ordering::Acquire) {
            self.wake_at.store(u64::MAX, Ordering::Release);
            self.wake();
        }
    }

    /// Stops the sink after a panic in a delivery callback. That delivery is lost, so its record would count as under
    /// way for ever. The task learns of it by a failed delivery with the number `u64::MAX`, which belongs to no record.
    pub(super) fn break_down(&self) {
        self.stopped.store(true, Ordering::Release);
        let error = DeliveryError::Refused {
            topic: "none".to_owned(),
            java: "org.apache.kafka.connect.errors.ConnectException",
            reason:
                "the thread that hears of deliveries ended by a defect of afterimage; the log names the place. Report \
                     it with the log, and restart the task: it goes on from the stored offset"
                    .to_owned(),
            transient: true,
            outlook: Outlook::Unknown,
        };
        let record = Outgoing {
            topic: "none",
            partition: None,
            timestamp_ms: None,
            key: None,
            value: None,
            headers: None,
            seq: u64::MAX,
        };
        // If this call panics too, senders still find the sink stopped.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.delivery)(u64::MAX, Err(Undelivered { error, record }))));
        self.wake();
    }

    /// Wakes all sleeping senders.
    pub(super) fn wake(&self) {
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // The mutex guards no data, so a poisoned lock can still be used.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until the count of deliveries reaches `delivered` or `atmost` is over. If a wake-up is lost to a race,
    /// the sleep lasts for `atmost`.
    pub(super) fn doze(&self, delivered: u64, atmost: Duration) {
        let guard = self.lock();
        self.wake_at.fetch_min(delivered, Ordering::AcqRel);
        if self.delivered.load(Ordering::Acquire) < delivered {
            drop(self.room.wait_timeout(guard, atmost).unwrap_or_else(PoisonError::into_inner));
        }
    }
}
