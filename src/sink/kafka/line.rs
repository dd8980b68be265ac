//! Passes records on to librdkafka, at once or when those under way are delivered, and polls for delivery reports.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord, Producer as _};

use super::callbacks::{Callbacks, opaque};
use super::flow::Flow;
use super::share;
use crate::sink::window::Window;
use crate::sink::{DeliveryError, Outgoing, Undelivered};

/// How long one poll lasts. rdkafka's poll spins for the last millisecond of its timeout, so it should be called
/// rarely. A long timeout delays nothing: callbacks run at once during the poll, and no event ends it early.
const POLL: Duration = Duration::from_millis(250);
/// How long the polling thread of a dropped sink goes on waiting for delivery reports, and how long each poll lasts
/// then.
const LAST_DELIVERIES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(5));

/// The fence is asked once in this many records.
pub(super) const LOOK_EVERY: u64 = 16;

/// The producer, and the window with the records that wait for it. Held records are passed on by the thread that first
/// finds nothing under way: a sender's, or the one that reports the last delivery.
pub(super) struct Line {
    pub(super) producer: BaseProducer<Callbacks>,
    /// `None` when librdkafka gets every record at once.
    pub(super) window: Option<Mutex<Window>>,
    pub(super) flow: Arc<Flow>,
}

impl Line {
    /// The body of the polling thread: polls for delivery reports until the sink is dropped. rdkafka handles
    /// librdkafka's events in `poll` on this thread, so a panic in a callback arrives here without unwinding through C
    /// code.
    pub(super) fn hear(&self, closing: &AtomicBool) {
        let is_closing = || closing.load(Ordering::Acquire);
        let heard = catch_unwind(AssertUnwindSafe(|| {
            while !is_closing() {
                self.producer.poll(POLL);
                self.look(true);
                self.producer.context().copies.free_unused();
            }
        }));
        if heard.is_err() {
            self.flow.break_down();
            while !is_closing() {
                std::thread::sleep(POLL);
            }
        }
        // The records that were purged still get their delivery reports.
        let end = Instant::now() + LAST_DELIVERIES.0;
        while !self.flow.is_idle() && Instant::now() < end {
            // A panic was already reported by `break_down`, or nobody needs to know of it any more.
            let _ = catch_unwind(AssertUnwindSafe(|| self.producer.poll(LAST_DELIVERIES.1)));
        }
    }

    /// Passes held records on if they may go; see [`advance`](Self::advance).
    pub(super) fn look(&self, reads_clock: bool) {
        if let Some(mut window) = self.window() {
            self.advance(&mut window, reads_clock);
        }
    }

    /// Passes held records on if nothing is under way. With `reads_clock`, also if they have waited too long, because a
    /// partition that cannot be written must not hold up all others.
    pub(super) fn advance(&self, window: &mut Window, reads_clock: bool) {
        if window.is_empty() || !(self.flow.is_idle() || reads_clock && window.is_overdue()) {
            return;
        }
        window.begin_passing_on();
        let mut look = 0;
        while let Some(out) = window.front() {
            // The fence reads a clock, so it is asked only once in LOOK_EVERY records.
            look += 1;
            if look % LOOK_EVERY == 1 && self.flow.is_stopped() {
                return self.give_up(window);
            }
            match self.produce(&out) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.fail(&out, error),
            }
            window.pop();
        }
    }

    /// Reports all held records as not sent, because the sink is stopped.
    pub(super) fn give_up(&self, window: &mut Window) {
        while let Some(out) = window.front() {
            self.fail(&out, DeliveryError::Purged { topic: out.topic.to_owned() });
            window.pop();
        }
    }

    /// Reports that a record failed that librdkafka never had.
    fn fail(&self, record: &Outgoing<'_>, error: DeliveryError) {
        self.flow.handed.fetch_add(1, Ordering::AcqRel);
        self.flow.settle(record.seq, Err(Undelivered { error, record: *record }));
    }

    /// Passes one record to librdkafka. Returns `Ok(false)` when its queue is full, or all producers' queues together; trying again later succeeds,
    /// because the queue is larger than any record.
    pub(super) fn produce(&self, out: &Outgoing<'_>) -> Result<bool, DeliveryError> {
        let Callbacks { share, copies, .. } = &**self.producer.context();
        let bytes = share::bytes(out.key, out.value);
        if !share.enter(bytes) {
            return Ok(false);
        }
        let (headers, comes_back) = out.headers.map_or((None, false), |headers| copies.of(headers));
        let record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord {
            topic: out.topic,
            partition: out.partition,
            payload: out.value,
            key: out.key,
            timestamp: out.timestamp_ms,
            headers,
            delivery_opaque: opaque(out.seq, comes_back),
        };
        // Counted first, so that a record is never counted as delivered before it is counted here.
        self.flow.handed.fetch_add(1, Ordering::AcqRel);
        let Err((error, record)) = self.producer.send(record) else { return Ok(true) };
        if let Some(copy) = record.headers.filter(|_| comes_back) {
            copies.give_back(copy);
        }
        self.flow.handed.fetch_sub(1, Ordering::AcqRel);
        share.leave(bytes);
        match error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown) {
            RDKafkaErrorCode::QueueFull => Ok(false),
            code => Err(DeliveryError::of(code, out)),
        }
    }

    pub(super) fn window(&self) -> Option<MutexGuard<'_, Window>> {
        // A panic does not leave the window half changed, so a poisoned lock can still be used.
        self.window.as_ref().map(|window| window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
