//! Sends bytes to the broker, and reports what became of them.
//!
//! A connector's records arrive here as [`Outgoing`]: topic, key, value, headers, and the sequence number under which
//! the ledger waits for the record. librdkafka copies each record once and does the batching. Its report on a record
//! comes back as a [`Delivery`] with the same number. No record is dropped on the way: a full queue blocks the sender,
//! and a failed record is handed back whole with its error; the runtime then stops the task or applies
//! `errors.tolerance`.
//!
//! Reports arrive in one callback on one thread, and the opaque that librdkafka carries is the number, with one bit that says
//! whether the record's headers come back. At several hundred thousand records a second, an allocation, a channel or a future
//! for each record would cost more than sending.
//!
//! The rest of the daemon knows the trait [`Sink`] and how to [`open`] one, but not that librdkafka is behind it.
//!
//! Must not know: payloads, schemas, converters, the store, connectors' types.

mod aside;
mod error;
#[cfg(test)]
pub(crate) mod fake;
mod headers;
mod kafka;
pub mod properties;
mod refused;
mod security;
pub mod topics;
pub mod transactional;
mod window;

pub use aside::wait_closed;
pub use error::{DeliveryError, SinkError, TransactionEnd};
pub use headers::EncodedHeaders;

use std::sync::Arc;
use std::time::Duration;

use self::headers::HeaderCopies;
use self::properties::Mapped;

/// One record to send. All of it is borrowed: it is copied before [`Sink::send`] returns.
#[derive(Debug, Clone, Copy)]
pub struct Outgoing<'a> {
    /// The topic's name.
    pub topic: &'a str,
    /// The partition, if the connector or an SMT chose one. Otherwise the client takes murmur2 of the key, as Java's
    /// does.
    pub partition: Option<i32>,
    /// Milliseconds since 1970; with `None` the client takes the time of sending.
    pub timestamp_ms: Option<i64>,
    /// `None` is Kafka's null key, not an empty key.
    pub key: Option<&'a [u8]>,
    /// `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// The record's headers; `None` without any.
    pub headers: Option<&'a EncodedHeaders>,
    /// The ledger's sequence number; it comes back in the [`Delivery`].
    pub seq: u64,
}

/// A record that the sink accepted but that did not reach the broker. It is whole, so that it can be written elsewhere.
/// Its partition is the one that the client had chosen, if any. Its timestamp is missing when the broker refused the
/// record, because librdkafka no longer has it then.
#[derive(Debug)]
pub struct Undelivered<'a> {
    /// Why the record was not delivered.
    pub error: DeliveryError,
    /// The record.
    pub record: Outgoing<'a>,
}

/// Called once for each accepted record, with its sequence number and what became of it. It must be cheap. The caller
/// is usually the sink's own thread; for a record that librdkafka never had, it is the thread that passes records on or
/// stops the sink.
pub type Delivery = dyn Fn(u64, Result<(), Undelivered<'_>>) + Send + Sync;

/// A source offset as the store writes it, for a sink that commits it together with its records.
#[derive(Debug, Clone, Copy)]
pub struct OffsetEntry<'a> {
    /// The offsets topic.
    pub topic: &'a str,
    /// The partition in which whoever reads the topic looks for the key.
    pub partition: i32,
    /// The key's bytes.
    pub key: &'a [u8],
    /// The offset's bytes; `None` deletes the stored offset.
    pub value: Option<&'a [u8]>,
}

/// Where a connector's bytes go.
pub trait Sink: Send + Sync {
    /// Sends one record. While the queue is full, this blocks the calling thread (which must not be a thread of the
    /// async runtime) until there is room or the sink is stopped. After `Ok` exactly one [`Delivery`] follows; after
    /// `Err` none.
    fn send(&self, record: Outgoing<'_>) -> Result<(), SinkError>;

    /// Waits until every record sent so far has had its [`Delivery`]; returns false when `timeout` is over first.
    fn flush(&self, timeout: Duration) -> bool;

    /// Stops the sink for good: senders get [`SinkError::Stopped`]. With `purge`, records that wait or are in flight
    /// fail at once as [`DeliveryError::Purged`].
    fn stop(&self, purge: bool);

    /// Whether the sink was stopped, or this process may no longer produce.
    fn is_stopped(&self) -> bool;

    /// The number of records sent whose delivery is not known yet.
    fn in_flight(&self) -> u64;

    /// Why records wait, if no broker can be reached: the client's message. `None` when a broker can be reached or no
    /// record waits.
    fn away(&self) -> Option<Arc<str>>;

    /// Asks the broker about a topic before its first record, and so lets a broker with automatic topic creation create
    /// it. Otherwise the client would learn of a new topic only at its next metadata refresh. Returns `Ok(true)` when
    /// the topic has a leader. Blocks for at most `timeout`.
    fn warm(&self, topic: &str, timeout: Duration) -> Result<bool, SinkError>;

    /// Whether records and offsets are committed together, in Kafka transactions (KIP-98). Such a sink takes records only
    /// between [`begin`](Self::begin) and [`commit`](Self::commit) or [`abort`](Self::abort). A sink without transactions
    /// refuses the four calls below, because a caller that relies on them has promised exactly-once delivery.
    fn is_transactional(&self) -> bool {
        false
    }

    /// Takes over the transactional id. The broker first ends what an earlier producer left open under it, and refuses
    /// whatever that producer sends from now on. Blocks for at most `within`; `Ok(false)` when the broker has not answered
    /// by then, and the call may be made again. Call it once, before the first transaction.
    fn claim(&self, _within: Duration) -> Result<bool, SinkError> {
        Err(SinkError::NoTransactions)
    }

    /// Begins a transaction: consumers with `isolation.level=read_committed` see the records sent from now on only once
    /// the transaction is committed. The broker hears of it with the first record, so a transaction that stays empty costs
    /// nothing.
    fn begin(&self) -> Result<(), SinkError> {
        Err(SinkError::NoTransactions)
    }

    /// Commits the open transaction: its records become visible and the offsets are stored, both or neither. Blocks until
    /// the broker confirms it, for at most `within`. No record may be sent meanwhile. After an error the sink is of no more
    /// use: the error says whether the transaction was given up, or whether nobody knows.
    fn commit(&self, _offsets: &[OffsetEntry<'_>], _within: Duration) -> Result<(), SinkError> {
        Err(SinkError::NoTransactions)
    }

    /// Aborts the open transaction: its records are never seen, and count as delivered. Blocks for at most `within`.
    fn abort(&self, _within: Duration) -> Result<(), SinkError> {
        Err(SinkError::NoTransactions)
    }
}

/// What [`open`] needs to make a connector's sink.
pub struct ProducerSettings {
    /// The client's id, as Connect names it: `connector-producer-<connector>-<task>`.
    pub client_id: String,
    /// The mapped properties: the worker's `producer.*`, overridden by the connector's `producer.override.*`.
    pub properties: Mapped,
    /// The fence: whether this process may produce at this moment. It is asked before one record in 16, so it must be
    /// cheap. Once it returns false it always does, because another process owns the group.
    pub may_produce: Box<dyn Fn() -> bool + Send + Sync>,
}

/// A function that makes a sink. Outside of tests it is [`open`].
pub type Open = dyn Fn(ProducerSettings, Box<Delivery>) -> Result<Arc<dyn Sink>, SinkError> + Send + Sync;

/// Makes a sink that sends to the brokers in `bootstrap.servers`.
///
/// # Errors
/// When a property cannot be honoured or the client cannot be made. It is not an error when no broker answers.
pub fn open(settings: ProducerSettings, delivery: Box<Delivery>) -> Result<Arc<dyn Sink>, SinkError> {
    Ok(Arc::new(kafka::KafkaSink::new(settings, delivery)?))
}
