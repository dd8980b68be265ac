//! The sink on librdkafka: one producer, one thread that hears its deliveries.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, OnceLock, PoisonError, Weak};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};

use super::aside::{self, Aside};
use super::error::serialized_bytes;
use super::properties::Mapped;
use super::window::Window;
use super::{Delivery, DeliveryError, HeaderSet, Outgoing, Sink, SinkError};

/// How long a blocked sender sleeps at most before it looks at the stop flag again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// rdkafka's poll spins for the last millisecond of its time-out: seldom is cheap. Callbacks are called at once, but no event
/// ends the poll.
const POLL: Duration = Duration::from_millis(250);

/// The fence is looked at once in so many records.
const LOOK_EVERY: u64 = 16;

/// How long a sink that was dropped goes on hearing of deliveries.
const LAST_DELIVERIES: Duration = Duration::from_millis(200);

/// How many deliveries a sender that found librdkafka's queue full waits for.
const ROOM_RECORDS: u64 = 512;

/// A broker that is away is complained of many times a second; this often it is logged.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What a producer of a connector is made of.
pub struct Settings {
    /// `connector-producer-C-N`, the id that Java gives it.
    pub client_id: String,
    /// The mapped properties: worker's `producer.*` with the connector's `producer.override.*` over them.
    pub properties: Mapped,
    /// Whether this process may produce at this moment; asked before one record in 16, so it must be cheap. `false` is for
    /// ever: the group has another owner.
    pub may_produce: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A [`Sink`] on one librdkafka producer.
pub struct KafkaSink {
    line: Arc<Line>,
    state: Arc<State>,
    max_request_bytes: usize,
    poller: Option<JoinHandle<()>>,
    /// Closing the client waits for brokers: the last field, so that it is done aside.
    _last: Aside<Line>,
}

/// The producer and what waits for it. Whoever finds that nothing is under way hands on: a sender, or the last delivery.
struct Line {
    producer: BaseProducer<Deliveries>,
    /// None when librdkafka takes all at once.
    window: Option<Mutex<Window>>,
    state: Arc<State>,
}

/// What senders and the polling thread share.
struct State {
    client_id: String,
    may_produce: Box<dyn Fn() -> bool + Send + Sync>,
    stopped: AtomicBool,
    closing: AtomicBool,
    /// Records taken from senders, handed on to librdkafka, and with their delivery known.
    sent: AtomicU64,
    handed: AtomicU64,
    delivered: AtomicU64,
    delivery: Box<Delivery>,
    /// The count of deliveries at which the polling thread wakes whoever sleeps; `u64::MAX` while nobody does. A
    /// threshold and not a flag, so that a sender that found the window full gets room for many records at once.
    wake_at: AtomicU64,
    lock: Mutex<()>,
    room: Condvar,
    /// Set by librdkafka's complaint that no broker can be reached, cleared by the next delivery.
    is_away: AtomicBool,
    away: Mutex<Option<Arc<str>>>,
    /// When the last complaint was logged.
    said: Mutex<Option<Instant>>,
}

impl State {
    fn set_away(&self, why: Option<Arc<str>>) {
        self.is_away.store(why.is_some(), Ordering::Release);
        *self.away.lock().unwrap_or_else(PoisonError::into_inner) = why;
    }

    fn is_stopped(&self) -> bool {
        self.stopped.load(Ordering::Acquire) || !(self.may_produce)()
    }

    /// Whether librdkafka has nothing under way.
    fn is_idle(&self) -> bool {
        // Delivered first: handed never falls behind it.
        let delivered = self.delivered.load(Ordering::Acquire);
        self.handed.load(Ordering::Acquire) == delivered
    }

    /// One record's fate is known.
    fn settle(&self, seq: u64, outcome: Result<(), DeliveryError>) {
        let is_ok = outcome.is_ok();
        (self.delivery)(seq, outcome);
        if is_ok && self.is_away.load(Ordering::Acquire) {
            self.set_away(None);
        }
        let delivered = self.delivered.fetch_add(1, Ordering::AcqRel) + 1;
        if delivered >= self.wake_at.load(Ordering::Acquire) {
            self.wake_at.store(u64::MAX, Ordering::Release);
            self.room.notify_all();
        }
    }

    /// A delivery was lost to a panic, so that its record stays under way for ever: the sink stops, and the task is told in
    /// the form of a delivery that failed. It belongs to no record.
    fn break_down(&self) {
        self.stopped.store(true, Ordering::Release);
        let error = DeliveryError::Refused {
            topic: "none".to_owned(),
            java: "org.apache.kafka.connect.errors.ConnectException",
            reason:
                "the thread that hears of deliveries ended by a defect of afterimage; the log names the place. Report \
                     it with the log, and restart the task: it goes on from the stored offset"
                    .to_owned(),
            transient: true,
        };
        // If telling is what panics, the senders still find the sink stopped.
        let _ = catch_unwind(AssertUnwindSafe(|| (self.delivery)(u64::MAX, Err(error))));
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, ()> {
        // The mutex guards no data, so a panic of another holder leaves nothing half done.
        self.lock.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sleeps until `delivered` deliveries have come or `atmost` is over (a wake-up lost to a race costs just that).
    fn doze(&self, delivered: u64, atmost: Duration) {
        let guard = self.lock();
        self.wake_at.fetch_min(delivered, Ordering::AcqRel);
        if self.delivered.load(Ordering::Acquire) < delivered {
            drop(self.room.wait_timeout(guard, atmost).unwrap_or_else(PoisonError::into_inner));
        }
    }
}

/// librdkafka's callbacks.
struct Deliveries {
    state: Arc<State>,
    /// Where records wait for those under way; set once the producer is made.
    line: OnceLock<Weak<Line>>,
}

impl ClientContext for Deliveries {
    fn error(&self, error: KafkaError, reason: &str) {
        // Not fatal: librdkafka goes on trying for ever; the person must still learn that the broker is away, once in a
        // while.
        let mut said = self.state.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::warn!(client = %self.state.client_id, %error, reason, "Kafka producer");
            *said = Some(Instant::now());
        }
        drop(said);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.state.set_away(Some(reason.into()));
        }
    }
}

impl ProducerContext for Deliveries {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, seq: usize) {
        let outcome = match result {
            Ok(_) => Ok(()),
            Err((error, message)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
                let bytes = message.key().map_or(0, <[u8]>::len) + message.payload().map_or(0, <[u8]>::len);
                Err(DeliveryError::from_code(code, message.topic(), bytes))
            }
        };
        self.state.settle(seq as u64, outcome);
        if self.state.is_idle()
            && let Some(line) = self.line.get().and_then(Weak::upgrade)
        {
            line.look(false);
        }
    }
}

impl Line {
    /// The polling thread: hears of deliveries until the sink is dropped. librdkafka's events are handled in poll, on this
    /// thread, so that a panic in what they lead to comes out here and passes through no frame of C.
    fn hear(&self) {
        let is_closing = || self.state.closing.load(Ordering::Acquire);
        let heard = catch_unwind(AssertUnwindSafe(|| {
            while !is_closing() {
                self.producer.poll(POLL);
                self.look(true);
            }
        }));
        if heard.is_err() {
            self.state.break_down();
            while !is_closing() {
                std::thread::sleep(POLL);
            }
        }
        // What was purged still owes its deliveries.
        let end = Instant::now() + LAST_DELIVERIES;
        while !self.state.is_idle() && Instant::now() < end {
            // It has been told already.
            let _ = catch_unwind(AssertUnwindSafe(|| self.producer.poll(LOOK_AGAIN)));
        }
    }

    /// Hands on what waits, if it may go.
    fn look(&self, reads_clock: bool) {
        if let Some(mut window) = self.window() {
            self.advance(&mut window, reads_clock);
        }
    }

    /// Hands on what waits, if nothing is under way; `reads_clock` also when it has waited too long for that: a partition
    /// that cannot be written must not hold up all others.
    fn advance(&self, window: &mut Window, reads_clock: bool) {
        if window.is_empty() || !(self.state.is_idle() || reads_clock && window.is_overdue()) {
            return;
        }
        window.open();
        let mut look = 0;
        while let Some(out) = window.front() {
            // The whole question reads a clock.
            look += 1;
            if look % LOOK_EVERY == 1 && self.state.is_stopped() {
                return self.give_up(window);
            }
            match self.produce(&out) {
                Ok(true) => {}
                Ok(false) => return,
                Err(error) => self.fail(out.seq, error),
            }
            window.pop();
        }
    }

    /// What waits will not be sent by this sink.
    fn give_up(&self, window: &mut Window) {
        while let Some(out) = window.front() {
            self.fail(out.seq, DeliveryError::Purged { topic: out.topic.to_owned() });
            window.pop();
        }
    }

    /// A record that librdkafka never had.
    fn fail(&self, seq: u64, error: DeliveryError) {
        self.state.handed.fetch_add(1, Ordering::AcqRel);
        self.state.settle(seq, Err(error));
    }

    /// `Ok(false)` when librdkafka's queue is full, which it is not for long: no record is larger than all of it.
    fn produce(&self, out: &Outgoing<'_>) -> Result<bool, DeliveryError> {
        let record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord {
            topic: out.topic,
            partition: out.partition,
            payload: out.value,
            key: out.key,
            timestamp: out.timestamp_ms,
            headers: out.headers.and_then(|HeaderSet { native, .. }| native.clone()),
            delivery_opaque: out.seq as usize,
        };
        // Counted before, so that a delivery never overtakes its record in the counters.
        self.state.handed.fetch_add(1, Ordering::AcqRel);
        let Err((error, _)) = self.producer.send(record) else { return Ok(true) };
        self.state.handed.fetch_sub(1, Ordering::AcqRel);
        match error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown) {
            RDKafkaErrorCode::QueueFull => Ok(false),
            code => {
                let bytes = out.key.map_or(0, <[u8]>::len) + out.value.map_or(0, <[u8]>::len);
                Err(DeliveryError::from_code(code, out.topic, bytes))
            }
        }
    }

    fn window(&self) -> Option<MutexGuard<'_, Window>> {
        // A panic between two of its methods leaves the window whole.
        self.window.as_ref().map(|window| window.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl KafkaSink {
    /// Makes the producer and its polling thread. `delivery` is called from that thread for what librdkafka had, and from
    /// whoever hands on or stops for what it never had.
    pub fn new(settings: Settings, delivery: Box<Delivery>) -> Result<Self, SinkError> {
        let Settings { client_id, properties, may_produce } = settings;
        for warning in &properties.warnings {
            tracing::warn!(client = %client_id, "{warning}");
        }
        if let Some(refusal) = properties.refusals.into_iter().next() {
            return Err(SinkError::Property(refusal));
        }
        let failed = |reason: String| SinkError::Client { client_id: client_id.clone(), reason };
        let max_request_bytes = properties.max_request_bytes;
        let mut config = ClientConfig::new();
        for (name, value) in &properties.client {
            config.set(name, value);
        }
        if !properties.client.contains_key("client.id") {
            config.set("client.id", &client_id);
        }
        let state = Arc::new(State {
            client_id: client_id.clone(),
            may_produce,
            stopped: AtomicBool::new(false),
            closing: AtomicBool::new(false),
            sent: AtomicU64::new(0),
            handed: AtomicU64::new(0),
            delivered: AtomicU64::new(0),
            delivery,
            wake_at: AtomicU64::new(u64::MAX),
            lock: Mutex::new(()),
            room: Condvar::new(),
            is_away: AtomicBool::new(false),
            away: Mutex::default(),
            said: Mutex::default(),
        });
        let context = Deliveries { state: Arc::clone(&state), line: OnceLock::new() };
        let producer = BaseProducer::from_config_and_context(&config, context).map_err(|e| failed(e.to_string()))?;
        let window = properties.window_bytes.map(|(batch, queue)| Mutex::new(Window::new(batch, queue)));
        let line = Arc::new(Line { producer, window, state: Arc::clone(&state) });
        // Set for the first time: it cannot fail.
        let _ = line.producer.context().line.set(Arc::downgrade(&line));
        let poller = std::thread::Builder::new()
            .name("kafka-deliveries".to_owned())
            .spawn({
                let line = Arc::clone(&line);
                move || line.hear()
            })
            .map_err(|e| failed(e.to_string()))?;
        let last = Aside::hold(&line);
        Ok(Self { line, state, max_request_bytes, poller: Some(poller), _last: last })
    }

    /// Why records wait: no broker can be reached, in librdkafka's words. `None` while nothing waits.
    pub fn away(&self) -> Option<Arc<str>> {
        if !self.state.is_away.load(Ordering::Acquire) || self.in_flight() == 0 {
            return None;
        }
        self.state.away.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Asks the broker for a topic's metadata, which lets it create the topic where it creates topics by itself. Meant
    /// for a topic's first use: librdkafka otherwise learns of the new topic only at its next refresh. `Ok(true)` when
    /// the topic has a leader now.
    pub fn warm(&self, topic: &str, timeout: Duration) -> Result<bool, SinkError> {
        let metadata = self.line.producer.client().fetch_metadata(Some(topic), timeout).map_err(|error| {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
            SinkError::Refused(DeliveryError::from_code(code, topic, 0))
        })?;
        Ok(metadata.topics().iter().any(|t| t.error().is_none() && t.partitions().iter().any(|p| p.leader() >= 0)))
    }
}

impl Sink for KafkaSink {
    fn send(&self, out: Outgoing<'_>) -> Result<(), SinkError> {
        let (header_count, header_bytes) = out.headers.map_or((0, 0), |h| (h.count, h.wire_bytes));
        let bytes = serialized_bytes(out.key, out.value, header_count, header_bytes);
        if bytes > self.max_request_bytes {
            let (topic, limit) = (out.topic.to_owned(), self.max_request_bytes);
            return Err(SinkError::TooLarge { topic, bytes, limit });
        }
        // Connect hands −1 on as "no timestamp"; other negative ones are Java's IllegalArgumentException.
        let timestamp_ms = match out.timestamp_ms {
            None | Some(-1) => None,
            Some(timestamp_ms) if timestamp_ms < 0 => {
                return Err(SinkError::Timestamp { topic: out.topic.to_owned(), timestamp_ms });
            }
            stamped => stamped,
        };
        let out = Outgoing { timestamp_ms, ..out };
        let mut look = self.state.sent.load(Ordering::Relaxed).is_multiple_of(LOOK_EVERY);
        loop {
            // The whole question reads a clock: asked every few records, and after every wait.
            if self.state.stopped.load(Ordering::Acquire) || look && self.state.is_stopped() {
                return Err(SinkError::Stopped);
            }
            let mut window = self.line.window();
            let passes = window.as_mut().is_none_or(|window| {
                self.line.advance(window, look);
                window.passes(&out, self.state.is_idle())
            });
            if passes {
                // Counted before, as in `produce`.
                self.state.sent.fetch_add(1, Ordering::AcqRel);
                let produced = self.line.produce(&out);
                if let Ok(true) = produced {
                    return Ok(());
                }
                self.state.sent.fetch_sub(1, Ordering::AcqRel);
                produced?;
            } else if let Some(window) = window.as_mut()
                && !window.is_full()
            {
                self.state.sent.fetch_add(1, Ordering::AcqRel);
                window.hold(&out);
                return Ok(());
            }
            look = true;
            let waits_for_all = window.is_some();
            drop(window);
            let room = if waits_for_all { u64::MAX } else { ROOM_RECORDS };
            let delivered = self.state.delivered.load(Ordering::Acquire);
            let handed = self.state.handed.load(Ordering::Acquire);
            self.state.doze(delivered.saturating_add(room).min(handed), LOOK_AGAIN);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        let sent = self.state.sent.load(Ordering::Acquire);
        let start = Instant::now();
        while self.state.delivered.load(Ordering::Acquire) < sent {
            let Some(left) = timeout.checked_sub(start.elapsed()) else { return false };
            self.state.doze(sent, LOOK_AGAIN.min(left));
        }
        true
    }

    fn stop(&self, purge: bool) {
        self.state.stopped.store(true, Ordering::Release);
        if purge {
            if let Some(mut window) = self.line.window() {
                self.line.give_up(&mut window);
            }
            self.line.producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
        }
        self.state.room.notify_all();
    }

    fn is_stopped(&self) -> bool {
        self.state.is_stopped()
    }

    fn in_flight(&self) -> u64 {
        // Delivered first: the difference is then never negative.
        let delivered = self.state.delivered.load(Ordering::Acquire);
        self.state.sent.load(Ordering::Acquire).saturating_sub(delivered)
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        self.stop(true);
        self.state.closing.store(true, Ordering::Release);
        if let Some(poller) = self.poller.take() {
            aside::remember(poller);
        }
    }
}

#[cfg(test)]
mod tests;
