//! What librdkafka says: of a record that its fate is known, of the brokers that none can be reached.

use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};
use std::time::{Duration, Instant};

use rdkafka::client::ClientContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, DeliveryResult, Headers as _, Message};
use rdkafka::producer::ProducerContext;

use super::flow::Flow;
use super::line::Line;
use crate::sink::{DeliveryError, EncodedHeaders, Outgoing, Undelivered};

/// A broker that is away is complained of many times a second; this often it is logged.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// librdkafka's callbacks.
pub(super) struct Callbacks {
    client_id: String,
    flow: Arc<Flow>,
    /// Where records wait for those under way; set once the producer is made.
    line: OnceLock<Weak<Line>>,
    /// When the last complaint was logged.
    said: Mutex<Option<Instant>>,
}

impl Callbacks {
    pub(super) fn new(client_id: String, flow: Arc<Flow>) -> Self {
        Self { client_id, flow, line: OnceLock::new(), said: Mutex::default() }
    }

    /// Tells which line to look at after a delivery.
    pub(super) fn watch(&self, line: &Arc<Line>) {
        // Called once, so it cannot fail.
        let _ = self.line.set(Arc::downgrade(line));
    }
}

impl ClientContext for Callbacks {
    fn error(&self, error: KafkaError, reason: &str) {
        // Not fatal: librdkafka goes on trying for ever; the person must still learn that the broker is away, once in a
        // while.
        let mut said = self.said.lock().unwrap_or_else(PoisonError::into_inner);
        if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::warn!(client = %self.client_id, %error, reason, "Kafka producer");
            *said = Some(Instant::now());
        }
        drop(said);
        if error.rdkafka_error_code() == Some(RDKafkaErrorCode::AllBrokersDown) {
            self.flow.set_away(Some(reason.into()));
        }
    }
}

impl ProducerContext for Callbacks {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, seq: usize) {
        let seq = seq as u64;
        match result {
            Ok(_) => self.flow.settle(seq, Ok(())),
            Err((error, message)) => {
                let code = error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown);
                refused(&self.flow, seq, code, message);
            }
        }
        if self.flow.is_idle()
            && let Some(line) = self.line.get().and_then(Weak::upgrade)
        {
            line.look(false);
        }
    }
}

/// Hands on a record that did not arrive, with all that it has.
fn refused(flow: &Flow, seq: u64, code: RDKafkaErrorCode, message: &BorrowedMessage<'_>) {
    let headers = message.headers().map(|headers| {
        headers.iter().fold(EncodedHeaders::default(), |set, header| set.with(header.key, header.value))
    });
    let record = Outgoing {
        topic: message.topic(),
        partition: Some(message.partition()).filter(|partition| *partition >= 0),
        timestamp_ms: message.timestamp().to_millis(),
        key: message.key(),
        value: message.payload(),
        headers: headers.as_ref(),
        seq,
    };
    let error = DeliveryError::of(code, &record);
    flow.settle(seq, Err(Undelivered { error, record }));
}
