//! Handing records on to librdkafka, at once or when those under way are delivered.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, BaseRecord};

use super::callbacks::Callbacks;
use super::flow::Flow;
use crate::sink::window::Window;
use crate::sink::{DeliveryError, EncodedHeaders, Outgoing, Undelivered};

/// rdkafka's poll spins for the last millisecond of its time-out: seldom is cheap. Callbacks are called at once, but no event
/// ends the poll.
const POLL: Duration = Duration::from_millis(250);
/// How long a sink that was dropped goes on hearing of deliveries, and how often it looks.
const LAST_DELIVERIES: (Duration, Duration) = (Duration::from_millis(200), Duration::from_millis(5));

/// The fence is looked at once in so many records.
pub(super) const LOOK_EVERY: u64 = 16;

/// The producer and what waits for it. Whoever finds that nothing is under way hands on: a sender, or the last delivery.
pub(super) struct Line {
    pub(super) producer: BaseProducer<Callbacks>,
    /// None when librdkafka takes all at once.
    pub(super) window: Option<Mutex<Window>>,
    pub(super) flow: Arc<Flow>,
}

impl Line {
    /// The polling thread: hears of deliveries until the sink is dropped. librdkafka's events are handled in poll, on this
    /// thread, so that a panic in what they lead to comes out here and passes through no frame of C.
    pub(super) fn hear(&self, closing: &AtomicBool) {
        let is_closing = || closing.load(Ordering::Acquire);
        let heard = catch_unwind(AssertUnwindSafe(|| {
            while !is_closing() {
                self.producer.poll(POLL);
                self.look(true);
            }
        }));
        if heard.is_err() {
            self.flow.break_down();
            while !is_closing() {
                std::thread::sleep(POLL);
            }
        }
        // What was purged still owes its deliveries.
        let end = Instant::now() + LAST_DELIVERIES.0;
        while !self.flow.is_idle() && Instant::now() < end {
            // A panic has been told of already.
            let _ = catch_unwind(AssertUnwindSafe(|| self.producer.poll(LAST_DELIVERIES.1)));
        }
    }

    /// Hands on what waits, if it may go.
    pub(super) fn look(&self, reads_clock: bool) {
        if let Some(mut window) = self.window() {
            self.advance(&mut window, reads_clock);
        }
    }

    /// Hands on what waits, if nothing is under way; `reads_clock` also when it has waited too long for that: a partition
    /// that cannot be written must not hold up all others.
    pub(super) fn advance(&self, window: &mut Window, reads_clock: bool) {
        if window.is_empty() || !(self.flow.is_idle() || reads_clock && window.is_overdue()) {
            return;
        }
        window.open();
        let mut look = 0;
        while let Some(out) = window.front() {
            // The whole question reads a clock.
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

    /// What waits will not be sent by this sink.
    pub(super) fn give_up(&self, window: &mut Window) {
        while let Some(out) = window.front() {
            self.fail(&out, DeliveryError::Purged { topic: out.topic.to_owned() });
            window.pop();
        }
    }

    /// A record that librdkafka never had.
    fn fail(&self, record: &Outgoing<'_>, error: DeliveryError) {
        self.flow.handed.fetch_add(1, Ordering::AcqRel);
        self.flow.settle(record.seq, Err(Undelivered { error, record: *record }));
    }

    /// `Ok(false)` when librdkafka's queue is full, which it is not for long: no record is larger than all of it.
    pub(super) fn produce(&self, out: &Outgoing<'_>) -> Result<bool, DeliveryError> {
        let record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord {
            topic: out.topic,
            partition: out.partition,
            payload: out.value,
            key: out.key,
            timestamp: out.timestamp_ms,
            headers: out.headers.and_then(EncodedHeaders::native),
            delivery_opaque: out.seq as usize,
        };
        // Counted before, so that a delivery never overtakes its record in the counters.
        self.flow.handed.fetch_add(1, Ordering::AcqRel);
        let Err((error, _)) = self.producer.send(record) else { return Ok(true) };
        self.flow.handed.fetch_sub(1, Ordering::AcqRel);
        match error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown) {
            RDKafkaErrorCode::QueueFull => Ok(false),
            code => Err(DeliveryError::of(code, out)),
        }
    }

    pub(super) fn window(&self) -> Option<MutexGuard<'_, Window>> {
        // A panic between two of its methods leaves the window whole.
        self.window.as_ref().map(|window| window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
