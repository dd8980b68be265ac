//! Bytes to the broker, and what became of them.
//!
//! A connector's records end here as [`Outgoing`]: a topic, a key, a value, headers and the sequence number under which
//! the ledger waits for them. librdkafka copies each once and batches by itself; what it says of a record comes back as
//! a [`Delivery`] with the same number. Nothing is ever dropped on the way: a full queue blocks the sender, an error is
//! handed up with the whole record and stops the task.
//!
//! Delivery goes through one callback on one thread, with the bare number as the native opaque, because at several
//! hundred thousand records a second an allocation, a channel or a future for each would cost more than the sending.
//!
//! The rest of the daemon knows the [`Sink`] and how to [`open`] one, and not which client is behind it.
//!
//! Must not know: payloads, schemas, converters, the store, connectors' types.

mod aside;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod headers;
mod kafka;
pub mod properties;
mod security;
pub mod topics;
mod window;

pub use aside::wait_closed;
pub use error::{DeliveryError, SinkError};
pub use headers::EncodedHeaders;

use std::sync::Arc;
use std::time::Duration;

use self::properties::Mapped;

/// One record on its way to the broker; all of it is borrowed, librdkafka copies it before `send` returns.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition, when the connector or an SMT chose one; else murmur2 of the key, as Java's client.
    pub partition: Option<i32>,
    /// Milliseconds since the epoch; `None` lets the client take the time of sending.
    pub timestamp_ms: Option<i64>,
    /// `None` is Kafka's null key, not the empty one.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers, if any.
    pub headers: Option<&'a EncodedHeaders>,
    /// The ledger's number; comes back in the [`Delivery`].
    pub seq: u64,
}

/// A record that was taken and did not reach the broker: whole, so that it can be written elsewhere. Its partition is the
/// one that the client had chosen by then. Its time is missing when it was the broker that refused it: librdkafka keeps none.
#[derive(Debug)]
pub struct Undelivered<'a> {
    /// Why.
    pub error: DeliveryError,
    /// The record.
    pub record: Outgoing<'a>,
}

/// What became of the record `seq`. Called once a record, mostly from the sink's own thread (what the client never took:
/// from the one that hands it on or stops the sink), and must be cheap.
pub type Delivery = dyn Fn(u64, Result<(), Undelivered<'_>>) + Send + Sync;

/// A source offset as the store writes it, for a sink that commits it together with its records.
#[derive(Debug, Clone, Copy)]
pub struct OffsetEntry<'a> {
    /// The offsets topic.
    pub topic: &'a str,
    /// The key's bytes.
    pub key: &'a [u8],
    /// The offset's bytes; `None` forgets it.
    pub value: Option<&'a [u8]>,
}

/// Where a connector's bytes go.
pub trait Sink: Send + Sync {
    /// Hands one record over. Blocks the calling (plain, not async) thread while the queue is full, until there is room
    /// or the sink is stopped. `Ok` means that exactly one [`Delivery`] will follow; `Err` that none will.
    fn send(&self, record: Outgoing<'_>) -> Result<(), SinkError>;

    /// Waits until every record sent so far has its delivery; `false` when `timeout` ran out first.
    fn flush(&self, timeout: Duration) -> bool;

    /// Stops for good: senders return [`SinkError::Stopped`]; with `purge`, records that wait or are in flight fail as
    /// [`DeliveryError::Purged`] at once.
    fn stop(&self, purge: bool);

    /// Whether it was stopped, or may not produce any more.
    fn is_stopped(&self) -> bool;

    /// Records sent whose delivery is not known yet.
    fn in_flight(&self) -> u64;

    /// Why records wait: no broker can be reached, in the client's words. `None` while nothing waits.
    fn away(&self) -> Option<Arc<str>>;

    /// Gets ready for a topic's first record, and lets the broker create the topic where it creates topics by itself: the
    /// client otherwise learns of a new topic only at its next refresh. `Ok(true)` when the topic has a leader now. Blocks
    /// for `timeout` at most.
    fn warm(&self, topic: &str, timeout: Duration) -> Result<bool, SinkError>;

    /// Whether records and offsets can be committed together. A sink without transactions refuses the three calls below:
    /// who asks for them has promised somebody that nothing comes twice.
    fn is_transactional(&self) -> bool {
        false
    }

    /// Opens a transaction: what is sent from here on is seen when it is committed, or never.
    fn begin(&self) -> Result<(), SinkError> {
        Err(SinkError::NoTransactions)
    }

    /// Makes the open transaction's records seen, and stores the offsets in the same step. Blocks until the broker says
    /// that it is so.
    fn commit(&self, _offsets: &[OffsetEntry<'_>]) -> Result<(), SinkError> {
        Err(SinkError::NoTransactions)
    }

    /// Takes the open transaction's records back.
    fn abort(&self) -> Result<(), SinkError> {
        Err(SinkError::NoTransactions)
    }
}

/// What a connector's sink is made of.
pub struct ProducerSettings {
    /// `connector-producer-C-N`, the id that Java gives it.
    pub client_id: String,
    /// The mapped properties: worker's `producer.*` with the connector's `producer.override.*` over them.
    pub properties: Mapped,
    /// Whether this process may produce at this moment; asked before one record in 16, so it must be cheap. `false` is for
    /// ever: the group has another owner.
    pub may_produce: Box<dyn Fn() -> bool + Send + Sync>,
}

/// Makes a sink; [`open`] is the one for brokers.
pub type Open = dyn Fn(ProducerSettings, Box<Delivery>) -> Result<Arc<dyn Sink>, SinkError> + Send + Sync;

/// A sink on the brokers that the properties name.
///
/// # Errors
/// When a property cannot be honoured or the client cannot be made. That no broker answers is no error.
pub fn open(settings: ProducerSettings, delivery: Box<Delivery>) -> Result<Arc<dyn Sink>, SinkError> {
    Ok(Arc::new(kafka::KafkaSink::new(settings, delivery)?))
}
