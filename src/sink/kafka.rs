//! The sink that uses librdkafka: one producer, and one thread that polls for its delivery reports.

mod callbacks;
mod flow;
mod line;
mod share;
mod transaction;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::RDKafkaErrorCode;
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};

use self::callbacks::Callbacks;
use self::flow::Flow;
use self::line::{LOOK_EVERY, Line};
use super::aside::{self, Aside};
use super::error::serialized_bytes;
use super::window::Window;
use super::{Delivery, DeliveryError, OffsetEntry, Outgoing, ProducerSettings, Sink, SinkError};

/// How long a blocked sender sleeps at most before it checks again whether the sink is stopped.
const LOOK_AGAIN: Duration = Duration::from_millis(5);

/// A sender that finds librdkafka's queue full waits for this many deliveries.
const ROOM_RECORDS: u64 = 512;

/// A [`Sink`] that uses one librdkafka producer.
pub(super) struct KafkaSink {
    line: Arc<Line>,
    flow: Arc<Flow>,
    closing: Arc<AtomicBool>,
    max_request_bytes: usize,
    /// `transactional.id`, if records go in transactions.
    transactional_id: Option<String>,
    poller: Option<JoinHandle<()>>,
    /// Closing the client waits for brokers, so it is done on another thread. Must be the last field.
    _last: Aside<Line>,
}

impl KafkaSink {
    /// Makes the producer and its polling thread. `delivery` is called on that thread for records that librdkafka had,
    /// and on the thread that passes records on or stops the sink for records that librdkafka never had.
    pub(super) fn new(settings: ProducerSettings, delivery: Box<Delivery>) -> Result<Self, SinkError> {
        let ProducerSettings { client_id, properties, may_produce } = settings;
        for (_, warning) in &properties.warnings {
            tracing::warn!(client = %client_id, "{warning}");
        }
        if let Some(refusal) = properties.refusals.into_iter().next() {
            return Err(SinkError::Property(refusal));
        }
        let failed = |reason: String| SinkError::Client { client_id: client_id.clone(), reason };
        let max_request_bytes = properties.max_request_bytes;
        let transactional_id = properties.client.get("transactional.id").cloned();
        let mut config = ClientConfig::new();
        for (name, value) in &properties.client {
            config.set(name, value);
        }
        if !properties.client.contains_key("client.id") {
            config.set("client.id", &client_id);
        }
        let flow = Arc::new(Flow::new(may_produce, delivery));
        let callbacks = Callbacks::new(client_id.clone(), Arc::clone(&flow));
        let producer = BaseProducer::from_config_and_context(&config, callbacks).map_err(|e| failed(e.to_string()))?;
        let window = properties.window_bytes.map(|(batch, queue)| Mutex::new(Window::new(batch, queue)));
        let line = Arc::new(Line { producer, window, flow: Arc::clone(&flow) });
        line.producer.context().watch(&line);
        let closing = Arc::new(AtomicBool::new(false));
        let poller = std::thread::Builder::new()
            .name("kafka-deliveries".to_owned())
            .spawn({
                let (line, closing) = (Arc::clone(&line), Arc::clone(&closing));
                move || line.hear(&closing)
            })
            .map_err(|e| failed(e.to_string()))?;
        let last = Aside::hold(&line);
        Ok(Self { line, flow, closing, max_request_bytes, transactional_id, poller: Some(poller), _last: last })
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
        // Connect takes −1 for "no timestamp"; Java's client refuses other negative timestamps.
        let timestamp_ms = match out.timestamp_ms {
            None | Some(-1) => None,
            Some(timestamp_ms) if timestamp_ms < 0 => {
                return Err(SinkError::Timestamp { topic: out.topic.to_owned(), timestamp_ms });
            }
            stamped => stamped,
        };
        let out = Outgoing { timestamp_ms, ..out };
        let mut look = self.flow.sent.load(Ordering::Relaxed).is_multiple_of(LOOK_EVERY);
        loop {
            // The fence reads a clock, so it is asked only once in LOOK_EVERY records and after every wait.
            if self.flow.stopped.load(Ordering::Acquire) || look && self.flow.is_stopped() {
                return Err(SinkError::Stopped);
            }
            let mut window = self.line.window();
            let passes = window.as_mut().is_none_or(|window| {
                self.line.advance(window, look);
                window.passes(&out, self.flow.is_idle())
            });
            if passes {
                // Count as sent before sending: the report may arrive first.
                self.flow.sent.fetch_add(1, Ordering::AcqRel);
                let produced = self.line.produce(&out);
                if let Ok(true) = produced {
                    return Ok(());
                }
                self.flow.sent.fetch_sub(1, Ordering::AcqRel);
                produced?;
            } else if let Some(window) = window.as_mut()
                && !window.is_full()
            {
                self.flow.sent.fetch_add(1, Ordering::AcqRel);
                window.hold(&out);
                return Ok(());
            }
            look = true;
            let waits_for_all = window.is_some();
            drop(window);
            let room = if waits_for_all { u64::MAX } else { ROOM_RECORDS };
            let delivered = self.flow.delivered.load(Ordering::Acquire);
            let handed = self.flow.handed.load(Ordering::Acquire);
            self.flow.doze(delivered.saturating_add(room).min(handed), LOOK_AGAIN);
        }
    }

    fn flush(&self, timeout: Duration) -> bool {
        let sent = self.flow.sent.load(Ordering::Acquire);
        let start = Instant::now();
        while self.flow.delivered.load(Ordering::Acquire) < sent {
            let Some(left) = timeout.checked_sub(start.elapsed()) else { return false };
            self.flow.doze(sent, LOOK_AGAIN.min(left));
        }
        true
    }

    fn stop(&self, purge: bool) {
        self.flow.stopped.store(true, Ordering::Release);
        if purge {
            if let Some(mut window) = self.line.window() {
                self.line.give_up(&mut window);
            }
            self.line.producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
        }
        self.flow.wake();
    }

    fn is_stopped(&self) -> bool {
        self.flow.is_stopped()
    }

    fn in_flight(&self) -> u64 {
        self.flow.in_flight()
    }

    fn away(&self) -> Option<Arc<str>> {
        self.flow.away()
    }

    fn warm(&self, topic: &str, timeout: Duration) -> Result<bool, SinkError> {
        let metadata = self.line.producer.client().fetch_metadata(Some(topic), timeout).map_err(|error| {
            let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
            SinkError::Refused(DeliveryError::from_code(code, topic, 0))
        })?;
        Ok(metadata.topics().iter().any(|t| t.error().is_none() && t.partitions().iter().any(|p| p.leader() >= 0)))
    }

    fn is_transactional(&self) -> bool {
        self.transactional_id.is_some()
    }

    fn claim(&self, within: Duration) -> Result<bool, SinkError> {
        self.transaction()?.claim(within)
    }

    fn begin(&self) -> Result<(), SinkError> {
        self.transaction()?.begin()
    }

    fn commit(&self, offsets: &[OffsetEntry<'_>], within: Duration) -> Result<(), SinkError> {
        self.transaction()?.commit(offsets, within)
    }

    fn abort(&self, within: Duration) -> Result<(), SinkError> {
        self.transaction()?.abort(within)
    }
}

impl Drop for KafkaSink {
    fn drop(&mut self) {
        self.stop(true);
        self.closing.store(true, Ordering::Release);
        if let Some(poller) = self.poller.take() {
            aside::remember(poller);
        }
    }
}

#[cfg(test)]
mod tests;
