//! What can go wrong on the way to the broker, in the words that Java's client uses where it has any.

use rdkafka::error::RDKafkaErrorCode;

use super::Outgoing;

/// A record that did not reach the broker.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeliveryError {
    /// The broker refused the size: its `message.max.bytes` or the topic's `max.message.bytes`.
    #[error(
        "org.apache.kafka.common.errors.RecordTooLargeException: The request included a message larger than the max \
         message size the server will accept. (topic {topic}, {bytes} bytes before compression: raise the topic's \
         max.message.bytes or the broker's message.max.bytes, or set producer.override.max.request.size a little below it: \
         then no batch is larger, and a record that is refused alone may be left out with errors.tolerance=all)"
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Bytes of key and value.
        bytes: usize,
    },
    /// The sink was stopped and threw away what it still held: whether the broker has it is not known.
    #[error("the record for topic {topic} was given up because the sink was stopped; it is sent again after a restart")]
    Purged {
        /// The topic.
        topic: String,
    },
    /// The idempotent producer cannot go on, after a broker lost acknowledged records.
    #[error(
        "org.apache.kafka.common.errors.OutOfOrderSequenceException: the broker no longer has records that it acknowledged \
         (topic {topic}; an unclean leader election?). Restart the task: it goes on from the stored offset. With \
         producer.override.enable.idempotence=false the producer does not notice, as in Kafka Connect"
    )]
    Fatal {
        /// The topic.
        topic: String,
    },
    /// The broker refused a batch for another record in it.
    #[error(
        "org.apache.kafka.common.InvalidRecordException: another record of the same batch was refused (topic {topic}); \
         producer.override.batch.size=1 makes that one alone refused"
    )]
    Neighbour {
        /// The topic.
        topic: String,
    },
    /// Any other refusal of the broker or the client.
    #[error("{java}: {reason} (topic {topic})")]
    Refused {
        /// The topic.
        topic: String,
        /// The Java class whose name users know the error by.
        java: &'static str,
        /// librdkafka's text.
        reason: String,
        /// Whether a restart of the task may mend it by itself.
        transient: bool,
    },
}

impl DeliveryError {
    /// From librdkafka's code for a record.
    pub(super) fn of(code: RDKafkaErrorCode, record: &Outgoing<'_>) -> Self {
        let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        Self::from_code(code, record.topic, bytes)
    }

    /// From librdkafka's code; `bytes` of key and value.
    pub(super) fn from_code(code: RDKafkaErrorCode, topic: &str, bytes: usize) -> Self {
        use RDKafkaErrorCode as Code;
        let topic = topic.to_owned();
        let (java, transient) = match code {
            Code::MessageSizeTooLarge => return Self::TooLarge { topic, bytes },
            Code::PurgeQueue | Code::PurgeInflight => return Self::Purged { topic },
            Code::TopicAuthorizationFailed => ("org.apache.kafka.common.errors.TopicAuthorizationException", false),
            Code::ClusterAuthorizationFailed => ("org.apache.kafka.common.errors.ClusterAuthorizationException", false),
            Code::UnknownTopic | Code::UnknownTopicOrPartition => {
                ("org.apache.kafka.common.errors.UnknownTopicOrPartitionException", true)
            }
            Code::UnknownPartition => ("org.apache.kafka.common.errors.TimeoutException", false),
            Code::InvalidTopic => ("org.apache.kafka.common.errors.InvalidTopicException", false),
            Code::InvalidRecord => ("org.apache.kafka.common.InvalidRecordException", false),
            Code::InvalidTimestamp => ("org.apache.kafka.common.errors.InvalidTimestampException", false),
            Code::PolicyViolation => ("org.apache.kafka.common.errors.PolicyViolationException", false),
            Code::MessageTimedOut | Code::RequestTimedOut | Code::OperationTimedOut => {
                ("org.apache.kafka.common.errors.TimeoutException", true)
            }
            Code::OutOfOrderSequenceNumber | Code::Fatal => {
                return Self::Fatal { topic };
            }
            Code::InvalidDifferentRecord => return Self::Neighbour { topic },
            Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => {
                ("org.apache.kafka.common.errors.NotEnoughReplicasException", true)
            }
            _ => ("org.apache.kafka.common.KafkaException", true),
        };
        Self::Refused { topic, java, reason: code.to_string(), transient }
    }

    /// Whether the record itself is refused, for good. A size is refused of a whole batch, which says nothing of each
    /// record in it; Java's client would split the batch, librdkafka does not.
    pub fn is_of_the_record(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Purged { .. } | Self::Fatal { .. } | Self::Neighbour { .. } => false,
            Self::Refused { transient, .. } => !transient,
        }
    }

    /// Whether sending the same record again may succeed.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::TooLarge { .. } => false,
            Self::Purged { .. } | Self::Fatal { .. } | Self::Neighbour { .. } => true,
            Self::Refused { transient, .. } => *transient,
        }
    }
}

/// A record that was not taken, or a sink that could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SinkError {
    /// Larger than the producer's own limit. The text is Java's, and the sizes are counted as Java counts them.
    #[error(
        "org.apache.kafka.common.errors.RecordTooLargeException: The message is {bytes} bytes when serialized which is \
         larger than {limit}, which is the value of the max.request.size configuration."
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Upper bound of the serialised size, bytes.
        bytes: usize,
        /// `max.request.size`, bytes.
        limit: usize,
    },
    /// Negative timestamps are not Kafka's; the text is Java's.
    #[error(
        "java.lang.IllegalArgumentException: Invalid timestamp: {timestamp_ms}. Timestamp should always be \
         non-negative or null. (topic {topic})"
    )]
    Timestamp {
        /// The topic.
        topic: String,
        /// The refused timestamp, milliseconds.
        timestamp_ms: i64,
    },
    /// The sink is stopped, or this process no longer owns the group: nothing may be produced.
    #[error("the sink is stopped: this process may not produce any more (it is shutting down or has lost its group)")]
    Stopped,
    /// Records and offsets were to be committed together.
    #[error("the producer was made without transactions: it can neither begin nor commit one")]
    NoTransactions,
    /// The client refused the record at once.
    #[error(transparent)]
    Refused(#[from] DeliveryError),
    /// A property that cannot be honoured; says why and what to do.
    #[error("{0}")]
    Property(#[from] super::properties::Refusal),
    /// librdkafka did not accept the configuration or could not start.
    #[error(
        "the Kafka producer {client_id} could not be made: {reason}. Check bootstrap.servers and producer.* settings"
    )]
    Client {
        /// The client's id.
        client_id: String,
        /// librdkafka's text.
        reason: String,
    },
}

impl SinkError {
    /// Whether the record itself is refused, for good.
    pub fn is_of_the_record(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Timestamp { .. } => true,
            // Refused alone, before it was in any batch.
            Self::Refused(error) => !error.is_transient(),
            Self::Stopped | Self::NoTransactions | Self::Property(_) | Self::Client { .. } => false,
        }
    }

    /// Whether a restart of the task may mend it by itself.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Refused(error) => error.is_transient(),
            Self::TooLarge { .. }
            | Self::Timestamp { .. }
            | Self::NoTransactions
            | Self::Property(_)
            | Self::Client { .. } => false,
        }
    }
}

/// Bytes of a zigzag varint holding a length (KIP-98).
pub(super) const fn varint_bytes(length: usize) -> usize {
    let mut zigzag = (length as u64) << 1;
    let mut bytes = 1;
    while zigzag >= 0x80 {
        zigzag >>= 7;
        bytes += 1;
    }
    bytes
}

/// Upper bound of a one-record batch as Java's producer estimates it: 61 bytes of batch header and 21 of a record's own
/// varints at their longest, then key, value and headers with their lengths.
pub(super) fn serialized_bytes(key: Option<&[u8]>, value: Option<&[u8]>, headers: usize, header_bytes: usize) -> usize {
    let sized = |bytes: Option<&[u8]>| bytes.map_or(1, |bytes| varint_bytes(bytes.len()) + bytes.len());
    61 + 21 + sized(key) + sized(value) + varint_bytes(headers) + header_bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(length: usize, bytes: usize) {
        assert_eq!(varint_bytes(length), bytes, "length {length}");
    }

    #[test]
    fn varints_are_as_long_as_kafkas() {
        for (length, bytes) in [(0, 1), (63, 1), (64, 2), (8191, 2), (8192, 3), (1_048_575, 3), (1_048_576, 4)] {
            check(length, bytes);
        }
    }

    #[test]
    fn sizes_are_counted_as_javas_producer_does() {
        assert_eq!(serialized_bytes(None, None, 0, 0), 85);
        assert_eq!(serialized_bytes(Some(b"key"), Some(&[0; 600]), 0, 0), 82 + 4 + 602 + 1);
        let headers = super::super::EncodedHeaders::default().with("__op", Some(b"c")).with("none", None);
        assert_eq!((headers.count, headers.wire_bytes), (2, 5 + 2 + 5 + 1));
    }
}
