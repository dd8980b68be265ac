//! Reads a topic that is not the daemon's own from one place to its present end, once, within a time. Nothing is committed,
//! and the daemon joins no group.
//!
//! Must not know: what the records mean.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{BorrowedMessage, Headers as _, Message as _, Timestamp};
use rdkafka::topic_partition_list::{Offset, TopicPartitionList, TopicPartitionListElem};

use crate::login::Tokens;

/// How long one poll waits at most.
const POLL: Duration = Duration::from_millis(100);

/// Why a topic could not be read.
#[derive(Clone, Debug, thiserror::Error)]
pub enum ScanError {
    /// The client could not be made.
    #[error("the consumer could not be made: {reason}. Check the consumer.* settings of the worker")]
    Client {
        /// librdkafka's message.
        reason: String,
    },
    /// The broker refused or did not answer.
    #[error("topic {topic} could not be read: {reason}. Check that Kafka runs and that this worker may read the topic")]
    Broker {
        /// The topic.
        topic: String,
        /// librdkafka's message.
        reason: String,
    },
    /// The time was over before the end was reached.
    #[error("topic {topic} was not read to its end in time: {records} records were read")]
    Late {
        /// The topic.
        topic: String,
        /// How many records were read before.
        records: u64,
    },
}

/// A record as it was read. It is borrowed from the client's memory.
#[derive(Clone, Copy)]
pub struct Seen<'a>(&'a BorrowedMessage<'a>);

impl<'a> Seen<'a> {
    /// The partition, and the offset in it.
    pub fn place(&self) -> (i32, i64) {
        (self.0.partition(), self.0.offset())
    }

    /// The record's time in milliseconds since 1970, and whether the broker set it when it took the record.
    pub fn time(&self) -> Option<(i64, bool)> {
        match self.0.timestamp() {
            Timestamp::NotAvailable => None,
            Timestamp::CreateTime(time_ms) => Some((time_ms, false)),
            Timestamp::LogAppendTime(time_ms) => Some((time_ms, true)),
        }
    }

    /// The key; `None` for a null.
    pub fn key(&self) -> Option<&'a [u8]> {
        self.0.key()
    }

    /// The value; `None` for a null.
    pub fn value(&self) -> Option<&'a [u8]> {
        self.0.payload()
    }

    /// The headers, in order.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> {
        let headers = self.0.headers();
        headers.into_iter().flat_map(|headers| headers.iter()).map(|header| (header.key, header.value))
    }
}

/// Which part of a topic is read.
#[derive(Clone, Debug)]
pub enum Range {
    /// All of it.
    Whole,
    /// What was written at this time (milliseconds since 1970) or later, as far as the broker's index of times tells.
    Since(i64),
    /// In each of these partitions, from the first offset to the second, both included.
    Within(BTreeMap<i32, (i64, i64)>),
}

/// Reads topics.
pub struct Scan(BaseConsumer<Tokens>);

impl Scan {
    /// A reader with a consumer's properties in librdkafka's words. It sees committed records only.
    ///
    /// # Errors
    /// When the client cannot be made.
    pub fn open(properties: &BTreeMap<String, String>, client_id: &str) -> Result<Self, ScanError> {
        let mut config = ClientConfig::new();
        for (name, value) in properties {
            config.set(name, value);
        }
        config
            .set("client.id", client_id)
            .set("group.id", client_id)
            .set("enable.auto.commit", "false")
            .set("enable.auto.offset.store", "false")
            .set("auto.offset.reset", "earliest")
            .set("allow.auto.create.topics", "false")
            .set("isolation.level", "read_committed")
            .set("enable.partition.eof", "true")
            .set("fetch.wait.max.ms", "50")
            .set("fetch.error.backoff.ms", "100")
            // A topic may be larger than memory.
            .set("queued.max.messages.kbytes", "4096");
        config.create_with_context(Tokens).map(Self).map_err(|error| ScanError::Client { reason: error.to_string() })
    }

    /// How many partitions a topic has; 0 when there is no such topic.
    ///
    /// # Errors
    /// When the broker does not answer until the deadline, or refuses.
    pub fn partitions(&self, topic: &str, deadline: Instant) -> Result<usize, ScanError> {
        let failed = |reason: String| ScanError::Broker { topic: topic.to_owned(), reason };
        let metadata = self.0.fetch_metadata(Some(topic), left(deadline)).map_err(|error| failed(error.to_string()))?;
        let Some(found) = metadata.topics().iter().find(|found| found.name() == topic) else { return Ok(0) };
        match found.error().map(RDKafkaErrorCode::from) {
            None => Ok(found.partitions().len()),
            Some(RDKafkaErrorCode::UnknownTopicOrPartition | RDKafkaErrorCode::UnknownTopic) => Ok(0),
            Some(code) => Err(failed(code.to_string())),
        }
    }

    /// Reads the records of a part of a topic and gives each to `take`, those of a partition in order. A topic that does not
    /// exist has none. `take` ends the reading by returning false.
    ///
    /// # Errors
    /// When the topic cannot be read, or not within the deadline.
    pub fn read(
        &self,
        topic: &str,
        range: &Range,
        deadline: Instant,
        take: &mut dyn FnMut(Seen<'_>) -> bool,
    ) -> Result<(), ScanError> {
        let failed = |error: KafkaError| ScanError::Broker { topic: topic.to_owned(), reason: error.to_string() };
        let partitions = self.partitions(topic, deadline)? as i32;
        let mut list = TopicPartitionList::new();
        for partition in 0..partitions {
            let from = match range {
                Range::Whole => Offset::Beginning,
                Range::Since(time_ms) => Offset::Offset(*time_ms),
                Range::Within(places) => match places.get(&partition) {
                    Some((first, _)) => Offset::Offset(*first),
                    None => continue,
                },
            };
            list.add_partition_offset(topic, partition, from).map_err(failed)?;
        }
        if let Range::Since(_) = range
            && list.count() > 0
        {
            list = self.0.offsets_for_times(list, left(deadline)).map_err(failed)?;
        }
        // A partition is done when this offset is reached, or its end.
        let last = |partition: i32| match range {
            Range::Within(places) => places.get(&partition).map_or(i64::MAX, |(_, last)| *last),
            Range::Whole | Range::Since(_) => i64::MAX,
        };
        let mut open: Vec<i32> = list.elements().iter().map(TopicPartitionListElem::partition).collect();
        if open.is_empty() {
            return Ok(());
        }
        self.0.assign(&list).map_err(failed)?;
        let outcome = self.follow(topic, &mut open, last, deadline, take);
        let unassigned = self.0.unassign().map_err(failed);
        outcome.and(unassigned)
    }

    fn follow(
        &self,
        topic: &str,
        open: &mut Vec<i32>,
        last: impl Fn(i32) -> i64,
        deadline: Instant,
        take: &mut dyn FnMut(Seen<'_>) -> bool,
    ) -> Result<(), ScanError> {
        let mut records = 0;
        while !open.is_empty() {
            match self.0.poll(POLL) {
                Some(Ok(message)) => {
                    let (partition, offset) = (message.partition(), message.offset());
                    records += 1;
                    if offset <= last(partition) && open.contains(&partition) && !take(Seen(&message)) {
                        return Ok(());
                    }
                    if offset >= last(partition) {
                        open.retain(|known| *known != partition);
                    }
                }
                Some(Err(KafkaError::PartitionEOF(partition))) => open.retain(|known| *known != partition),
                Some(Err(error)) => {
                    let code = error.rdkafka_error_code();
                    let is_refusal = matches!(
                        code,
                        Some(
                            RDKafkaErrorCode::TopicAuthorizationFailed
                                | RDKafkaErrorCode::SaslAuthenticationFailed
                                | RDKafkaErrorCode::UnknownTopicOrPartition
                                | RDKafkaErrorCode::UnknownTopic
                        )
                    );
                    if is_refusal {
                        return Err(ScanError::Broker { topic: topic.to_owned(), reason: error.to_string() });
                    }
                    // librdkafka tries again by itself; the pause keeps an error that stays from spinning.
                    std::thread::sleep(Duration::from_millis(20));
                }
                None => {}
            }
            if Instant::now() >= deadline {
                return Err(ScanError::Late { topic: topic.to_owned(), records });
            }
        }
        Ok(())
    }
}

/// The time that is left, but never nothing: librdkafka takes zero for "without waiting" and answers with an error that says
/// less than that the time was over.
fn left(deadline: Instant) -> Duration {
    deadline.saturating_duration_since(Instant::now()).max(Duration::from_millis(100))
}
