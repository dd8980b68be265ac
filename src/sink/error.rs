//! What can go wrong on the way to the broker. Where Java's client has a message for an error, that message is used.

use rdkafka::error::RDKafkaErrorCode;

use super::Outgoing;

/// Why a record that the sink accepted did not reach the broker.
#[derive(Debug, Clone, thiserror::Error)]
pub enum DeliveryError {
    /// The batch is larger than the broker's `message.max.bytes` or the topic's `max.message.bytes`.
    #[error(
        "org.apache.kafka.common.errors.RecordTooLargeException: The request included a message larger than the max \
         message size the server will accept. (topic {topic}, {bytes} bytes before compression: raise the topic's \
         max.message.bytes or the broker's message.max.bytes, or set producer.override.max.request.size a little below it: \
         then no batch is larger, and a record that is refused alone may be left out with errors.tolerance=all)"
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Bytes of the record's key and value.
        bytes: usize,
    },
    /// The sink was stopped and dropped the records that it still had. Whether the broker has the record is not known.
    #[error("the record for topic {topic} was given up because the sink was stopped; it is sent again after a restart")]
    Purged {
        /// The topic.
        topic: String,
    },
    /// The idempotent producer cannot go on, because a broker lost acknowledged records.
    #[error(
        "org.apache.kafka.common.errors.OutOfOrderSequenceException: the broker no longer has records that it acknowledged \
         (topic {topic}; an unclean leader election?). Restart the task: it goes on from the stored offset. With \
         producer.override.enable.idempotence=false the producer does not notice, as in Kafka Connect"
    )]
    Fatal {
        /// The topic.
        topic: String,
    },
    /// The broker refused the whole batch because of another record in it.
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
        /// The Java exception class by which users know the error.
        java: &'static str,
        /// librdkafka's message.
        reason: String,
        /// Whether sending the record again may succeed.
        transient: bool,
    },
}

impl DeliveryError {
    /// The error for `record`, from librdkafka's code.
    pub(super) fn of(code: RDKafkaErrorCode, record: &Outgoing<'_>) -> Self {
        let bytes = record.key.map_or(0, <[u8]>::len) + record.value.map_or(0, <[u8]>::len);
        Self::from_code(code, record.topic, bytes)
    }

    /// The error from librdkafka's code; `bytes` is the size of the record's key and value.
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

    /// Whether this very record is the cause, and sending it again cannot help. [`DeliveryError::TooLarge`] does not
    /// count: the broker refuses the size of a whole batch, and that says nothing about each record in it. Java's
    /// client would split the batch; librdkafka does not.
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

/// Why the sink did not accept a record, or could not be made.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SinkError {
    /// The record is larger than `max.request.size`. The text is Java's, and the size is counted as Java does.
    #[error(
        "org.apache.kafka.common.errors.RecordTooLargeException: The message is {bytes} bytes when serialized which is \
         larger than {limit}, which is the value of the max.request.size configuration."
    )]
    TooLarge {
        /// The topic.
        topic: String,
        /// Upper bound of the serialised size, in bytes.
        bytes: usize,
        /// `max.request.size`, in bytes.
        limit: usize,
    },
    /// The timestamp is negative, which Kafka does not allow. The text is Java's.
    #[error(
        "java.lang.IllegalArgumentException: Invalid timestamp: {timestamp_ms}. Timestamp should always be \
         non-negative or null. (topic {topic})"
    )]
    Timestamp {
        /// The topic.
        topic: String,
        /// The refused timestamp, in milliseconds since 1970.
        timestamp_ms: i64,
    },
    /// The sink is stopped, or this process no longer owns the group: nothing may be produced.
    #[error("the sink is stopped: this process may not produce any more (it is shutting down or has lost its group)")]
    Stopped,
    /// Transactions were asked of a sink that has none.
    #[error("the producer was made without transactions: it can neither begin nor commit one")]
    NoTransactions,
    /// librdkafka refused the record at once.
    #[error(transparent)]
    Refused(#[from] DeliveryError),
    /// A property cannot be honoured; the text says why and what to do.
    #[error("{0}")]
    Property(#[from] super::properties::Refusal),
    /// librdkafka did not accept the configuration or could not start.
    #[error(
        "the Kafka producer {client_id} could not be made: {reason}. Check bootstrap.servers and producer.* settings"
    )]
    Client {
        /// The client's id.
        client_id: String,
        /// librdkafka's message.
        reason: String,
    },
}

impl SinkError {
    /// Whether this very record is the cause, and sending it again cannot help.
    pub fn is_of_the_record(&self) -> bool {
        match self {
            Self::TooLarge { .. } | Self::Timestamp { .. } => true,
            // librdkafka refused the record before it was in a batch, so the error is about this record alone.
            Self::Refused(error) => !error.is_transient(),
            Self::Stopped | Self::NoTransactions | Self::Property(_) | Self::Client { .. } => false,
        }
    }

    /// Whether the same may succeed after a restart of the task.
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

/// The number of bytes of a length as a zigzag varint, as record batches encode it (KIP-98).
pub(super) const fn varint_bytes(length: usize) -> usize {
    let mut zigzag = (length as u64) << 1;
    let mut bytes = 1;
    while zigzag >= 0x80 {
        zigzag >>= 7;
        bytes += 1;
    }
    bytes
}

/// Upper bound in bytes of a batch with this one record, as Java's producer estimates it: 61 bytes of batch header, 21
/// bytes for the longest possible record overhead, then key, value and headers with their lengths.
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
