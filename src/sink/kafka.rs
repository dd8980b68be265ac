//! The sink on librdkafka: one producer, one thread that hears its deliveries.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};

use super::error::serialized_bytes;
use super::properties::Mapped;
use super::{Delivery, DeliveryError, HeaderSet, Outgoing, Sink, SinkError};

/// How long a blocked sender sleeps at most before it looks at the stop flag again.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// rdkafka's poll spins for the last millisecond of its time-out: seldom is cheap. Events end the wait at once.
const POLL: Duration = Duration::from_millis(250);

/// The fence is looked at once in so many records.
const LOOK_EVERY: u64 = 16;

/// How many deliveries a sender that found the queue full waits for.
const ROOM_RECORDS: u64 = 512;

/// A broker that is away is complained of many times a second; this often it is logged.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What a producer of a connector is made of.
pub struct Settings {
    /// `connector-producer-C-N`, the id that Java gives it.
    pub client_id: String,
    /// The mapped properties: worker's `producer.*` with the connector's `producer.override.*` over them.
    pub properties: Mapped,
    /// Whether this process may produce at this moment; asked before every record, so it must be cheap. `false` is for
    /// ever: the group has another owner.
    pub may_produce: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A [`Sink`] on one librdkafka producer.
pub struct KafkaSink {
    producer: Arc<BaseProducer<Deliveries>>,
    state: Arc<State>,
    max_request_bytes: usize,
    poller: Option<JoinHandle<()>>,
}

/// What senders and the polling thread share.
struct State {
    client_id: String,
    may_produce: Box<dyn Fn() -> bool + Send + Sync>,
    stopped: AtomicBool,
    closing: AtomicBool,
    sent: AtomicU64,
    delivered: AtomicU64,
    /// The count of deliveries at which the polling thread wakes whoever sleeps; `u64::MAX` while nobody does. A
    /// threshold and not a flag, so that a sender that found the queue full gets room for many records at once.
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
    delivery: Box<Delivery>,
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
        (self.delivery)(seq as u64, outcome);
        if self.state.is_away.load(Ordering::Acquire) && result.is_ok() {
            self.state.set_away(None);
        }
        let delivered = self.state.delivered.fetch_add(1, Ordering::AcqRel) + 1;
        if delivered >= self.state.wake_at.load(Ordering::Acquire) {
            self.state.wake_at.store(u64::MAX, Ordering::Release);
            self.state.room.notify_all();
        }
    }
}

impl KafkaSink {
    /// Makes the producer and its polling thread. `delivery` is called from that thread only.
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
            delivered: AtomicU64::new(0),
            wake_at: AtomicU64::new(u64::MAX),
            lock: Mutex::new(()),
            room: Condvar::new(),
            is_away: AtomicBool::new(false),
            away: Mutex::default(),
            said: Mutex::default(),
        });
        let context = Deliveries { state: Arc::clone(&state), delivery };
        let producer = BaseProducer::from_config_and_context(&config, context).map_err(|e| failed(e.to_string()))?;
        let producer = Arc::new(producer);
        let poller = std::thread::Builder::new()
            .name("kafka-deliveries".to_owned())
            .spawn({
                let (producer, state) = (Arc::clone(&producer), Arc::clone(&state));
                move || {
                    while !state.closing.load(Ordering::Acquire) {
                        producer.poll(POLL);
                    }
                }
            })
            .map_err(|e| failed(e.to_string()))?;
        Ok(Self { producer, state, max_request_bytes, poller: Some(poller) })
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
        let metadata = self.producer.client().fetch_metadata(Some(topic), timeout).map_err(|error| {
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
        let timestamp = match out.timestamp_ms {
            None | Some(-1) => None,
            Some(timestamp_ms) if timestamp_ms < 0 => {
                return Err(SinkError::Timestamp { topic: out.topic.to_owned(), timestamp_ms });
            }
            stamped => stamped,
        };
        let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord {
            topic: out.topic,
            partition: out.partition,
            payload: out.value,
            key: out.key,
            timestamp,
            headers: out.headers.and_then(|HeaderSet { native, .. }| native.clone()),
            delivery_opaque: out.seq as usize,
        };
        let mut look = self.state.sent.load(Ordering::Relaxed).is_multiple_of(LOOK_EVERY);
        loop {
            // The whole question reads a clock: asked every few records, and after every wait.
            if self.state.stopped.load(Ordering::Acquire) || look && self.state.is_stopped() {
                return Err(SinkError::Stopped);
            }
            look = true;
            // Counted before, so that a delivery never overtakes its record in the counters.
            self.state.sent.fetch_add(1, Ordering::AcqRel);
            let Err((error, returned)) = self.producer.send(record) else { return Ok(()) };
            self.state.sent.fetch_sub(1, Ordering::AcqRel);
            match error.rdkafka_error_code() {
                Some(RDKafkaErrorCode::QueueFull) => {
                    let delivered = self.state.delivered.load(Ordering::Acquire);
                    let room = ROOM_RECORDS.min(self.in_flight().max(1));
                    self.state.doze(delivered + room, LOOK_AGAIN);
                    record = returned;
                }
                code => {
                    let code = code.unwrap_or(RDKafkaErrorCode::Unknown);
                    return Err(SinkError::Refused(DeliveryError::from_code(code, out.topic, bytes)));
                }
            }
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
            self.producer.purge(PurgeConfig::default().queue().inflight());
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
        // What was purged still owes its deliveries; the polling thread brings them.
        self.flush(Duration::from_millis(200));
        self.state.closing.store(true, Ordering::Release);
        if let Some(poller) = self.poller.take() {
            // The polling thread has nothing to say; a panic in it was printed by the hook.
            let _ = poller.join();
        }
    }
}
