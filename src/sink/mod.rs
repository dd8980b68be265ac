//! Bytes to the broker, and what became of them.
//!
//! A connector's records end here as [`Outgoing`]: a topic, a key, a value, headers and the sequence number under which
//! the ledger waits for them. librdkafka copies each once and batches by itself; what it says of a record comes back as
//! a [`Delivery`] with the same number. Nothing is ever dropped on the way: a full queue blocks the sender, an error is
//! handed up and stops the task.
//!
//! Delivery goes through one callback on one thread, with the bare number as the native opaque, because at several
//! hundred thousand records a second an allocation, a channel or a future for each would cost more than the sending.
//!
//! Must not know: payloads, schemas, converters, the store, connectors' types.

mod aside;
mod error;
mod kafka;
pub mod properties;
mod security;
pub mod topics;
mod window;

pub use aside::wait_closed;
pub use error::{DeliveryError, SinkError};
pub use kafka::{KafkaSink, Settings};

use std::time::Duration;

use rdkafka::message::{Header, OwnedHeaders};

/// The native header set of a record, built once and cloned natively for each record that carries it.
#[derive(Debug, Clone, Default)]
pub struct HeaderSet {
    native: Option<OwnedHeaders>,
    /// Bytes these headers take in a record, in the wire form of KIP-98: the size check needs them.
    wire_bytes: usize,
    count: usize,
}

impl HeaderSet {
    /// Adds a header at the end; `None` is Kafka's null header value, not an empty one.
    #[must_use]
    pub fn with(mut self, name: &str, value: Option<&[u8]>) -> Self {
        let native = self.native.take().unwrap_or_default();
        self.native = Some(native.insert(Header { key: name, value }));
        self.wire_bytes += error::varint_bytes(name.len())
            + name.len()
            + value.map_or(1, |value| error::varint_bytes(value.len()) + value.len());
        self.count += 1;
        self
    }

    /// Adds the headers of another set at the end.
    #[must_use]
    pub fn and(mut self, other: &Self) -> Self {
        for header in other.native.iter().flat_map(rdkafka::message::Headers::iter) {
            self = self.with(header.key, header.value);
        }
        self
    }

    /// Whether there is no header.
    pub fn is_empty(&self) -> bool {
        self.native.is_none()
    }
}

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
    pub headers: Option<&'a HeaderSet>,
    /// The ledger's number; comes back in the [`Delivery`].
    pub seq: u64,
}

/// What became of the record `seq`. Called once a record, mostly from the sink's own thread (what the client never took:
/// from the one that hands it on or stops the sink), and must be cheap.
pub type Delivery = dyn Fn(u64, Result<(), DeliveryError>) + Send + Sync;

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
}
