//! What can go wrong on the way to the broker. Where Java's client has a message for an error, that message is used.

use rdkafka::error::RDKafkaErrorCode;
use retry::Outlook;

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
        /// Whether a task that fails because of it may succeed later.
        outlook: Outlook,
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
        let listed = match code {
            Code::MessageSizeTooLarge => return Self::TooLarge { topic, bytes },
            Code::PurgeQueue | Code::PurgeInflight => return Self::Purged { topic },
            Code::TopicAuthorizationFailed => {
                Some(("org.apache.kafka.common.errors.TopicAuthorizationException", false))
            }
            Code::ClusterAuthorizationFailed => {
                Some(("org.apache.kafka.common.errors.ClusterAuthorizationException", false))
            }
            Code::UnknownTopic | Code::UnknownTopicOrPartition => {
                Some(("org.apache.kafka.common.errors.UnknownTopicOrPartitionException", true))
            }
            Code::UnknownPartition => Some(("org.apache.kafka.common.errors.TimeoutException", false)),
            Code::InvalidTopic => Some(("org.apache.kafka.common.errors.InvalidTopicException", false)),
            Code::InvalidRecord => Some(("org.apache.kafka.common.InvalidRecordException", false)),
            Code::InvalidTimestamp => Some(("org.apache.kafka.common.errors.InvalidTimestampException", false)),
            Code::PolicyViolation => Some(("org.apache.kafka.common.errors.PolicyViolationException", false)),
            Code::MessageTimedOut | Code::RequestTimedOut | Code::OperationTimedOut => {
                Some(("org.apache.kafka.common.errors.TimeoutException", true))
            }
            Code::OutOfOrderSequenceNumber | Code::Fatal => {
                return Self::Fatal { topic };
            }
            Code::InvalidDifferentRecord => return Self::Neighbour { topic },
            Code::NotEnoughReplicas | Code::NotEnoughReplicasAfterAppend => {
                Some(("org.apache.kafka.common.errors.NotEnoughReplicasException", true))
            }
            // Another producer has the transactional id.
            Code::InvalidProducerEpoch | Code::ProducerFenced | Code::Fenced => {
                Some(("org.apache.kafka.common.errors.ProducerFencedException", true))
            }
            _ => None,
        };
        let (java, transient) = listed.unwrap_or(("org.apache.kafka.common.KafkaException", true));
        let reason = match code {
            // The first sentence is Java's.
            Code::TopicAuthorizationFailed => format!(
                "Not authorized to access topics: [{topic}]. Give the producer's user the right to WRITE to it, then restart \
                 the task, which goes on from the stored offset"
            ),
            _ => code.to_string(),
        };
        // Who may do what at a broker is changed there, by others.
        let is_access = matches!(code, Code::TopicAuthorizationFailed | Code::ClusterAuthorizationFailed);
        let outlook = match code {
            Code::InvalidProducerEpoch | Code::ProducerFenced | Code::Fenced => Outlook::CannotPass,
            _ if listed.is_none() => Outlook::Unknown,
            _ => Outlook::transient_or(transient || is_access, Outlook::CannotPass),
        };
        Self::Refused { topic, java, reason, transient, outlook }
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

    /// Whether a task that fails because of this may succeed when it is started again later.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::TooLarge { .. } => Outlook::CannotPass,
            // After a loss of records at the broker, the next start goes on from the stored offset.
            Self::Purged { .. } | Self::Fatal { .. } => Outlook::MayPass,
            // The other record of the batch may be refused again, or alone.
            Self::Neighbour { .. } => Outlook::Unknown,
            Self::Refused { outlook, .. } => *outlook,
        }
    }
}

/// What became of a transaction, or of the transactional id, when a call about it failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// It was given up: nothing of it is ever seen, and its offsets are not stored.
    Aborted,
    /// Its end was asked for and not confirmed: it may be committed or not. Only the offset that is stored afterwards tells.
    Unknown,
    /// Another producer has taken the transactional id, or the broker has ended a transaction that lasted too long.
    Fenced,
    /// The user may not use the transactional id.
    Unauthorized,
    /// The broker does not allow transactions to last as long as `transaction.timeout.ms` says.
    TooLong,
    /// The broker refuses it for good, for another reason.
    Refused,
}

impl TransactionEnd {
    /// The Java exception class by which users know the error.
    fn java(self) -> &'static str {
        match self {
            Self::Aborted => "org.apache.kafka.common.errors.TransactionAbortedException: the transaction was given up",
            Self::Unknown => {
                "org.apache.kafka.common.errors.TimeoutException: whether the transaction was committed is not known"
            }
            Self::Fenced => {
                "org.apache.kafka.common.errors.ProducerFencedException: another producer has the transactional id, or \
                 the transaction lasted longer than transaction.timeout.ms"
            }
            Self::Unauthorized => {
                "org.apache.kafka.common.errors.TransactionalIdAuthorizationException: transactional id authorization failed"
            }
            Self::TooLong => {
                "org.apache.kafka.common.errors.InvalidTxnTimeoutException: the broker's transaction.max.timeout.ms is \
                 shorter than transaction.timeout.ms"
            }
            Self::Refused => "org.apache.kafka.common.KafkaException: the broker refuses the transactional id",
        }
    }

    fn remedy(self) -> &'static str {
        match self {
            Self::Aborted | Self::Unknown | Self::Fenced | Self::Refused => "",
            Self::Unauthorized => {
                " Allow the producer's user the operations Write and Describe on the transactional id"
            }
            Self::TooLong => " Lower producer.override.transaction.timeout.ms, or raise the broker's limit",
        }
    }

    /// Whether a new producer with the same transactional id may succeed.
    pub fn is_transient(self) -> bool {
        matches!(self, Self::Aborted | Self::Unknown | Self::Fenced)
    }

    /// Whether a task that fails because of this may succeed when it is started again later. A task has tried again many
    /// times by then: one that is fenced each time has a rival, another worker or another group with its transactional id,
    /// and to start it again would only fence that one.
    pub fn outlook(self) -> Outlook {
        match self {
            Self::Aborted | Self::Unknown | Self::Unauthorized => Outlook::MayPass,
            Self::Fenced | Self::TooLong => Outlook::CannotPass,
            Self::Refused => Outlook::Unknown,
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
    /// A call about transactions failed.
    #[error("{} (transactional id {id}): {reason}.{}", .end.java(), .end.remedy())]
    Transaction {
        /// `transactional.id`.
        id: String,
        /// What became of the transaction.
        end: TransactionEnd,
        /// librdkafka's message.
        reason: String,
    },
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
            Self::Stopped
            | Self::NoTransactions
            | Self::Transaction { .. }
            | Self::Property(_)
            | Self::Client { .. } => false,
        }
    }

    /// Whether the same may succeed after a restart of the task.
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Stopped => true,
            Self::Transaction { end, .. } => end.is_transient(),
            Self::Refused(error) => error.is_transient(),
            Self::TooLarge { .. }
            | Self::Timestamp { .. }
            | Self::NoTransactions
            | Self::Property(_)
            | Self::Client { .. } => false,
        }
    }

    /// Whether a task that fails because of this may succeed when it is started again later.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::Transaction { end, .. } => end.outlook(),
            Self::Refused(error) => error.outlook(),
            // The files of a client's certificates may be in the middle of a change.
            Self::Stopped | Self::Client { .. } => Outlook::Unknown,
            Self::Property(refusal) => refusal.outlook(),
            Self::TooLarge { .. } | Self::Timestamp { .. } | Self::NoTransactions => Outlook::CannotPass,
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
    fn what_may_pass() {
        use RDKafkaErrorCode as Code;
        let of = |code| DeliveryError::from_code(code, "t", 1).outlook();
        for code in [
            Code::MessageTimedOut,
            Code::NotEnoughReplicas,
            Code::UnknownTopicOrPartition,
            Code::TopicAuthorizationFailed,
            Code::ClusterAuthorizationFailed,
            Code::Fatal,
        ] {
            assert_eq!(of(code), Outlook::MayPass, "{code}");
        }
        for code in [Code::MessageSizeTooLarge, Code::InvalidTopic, Code::InvalidRecord, Code::PolicyViolation] {
            assert_eq!(of(code), Outlook::CannotPass, "{code}");
        }
        for code in [Code::InvalidProducerEpoch, Code::ProducerFenced, Code::Fenced] {
            assert_eq!(of(code), Outlook::CannotPass, "{code}");
        }
        for code in [Code::InvalidDifferentRecord, Code::UnsupportedForMessageFormat, Code::InvalidRequiredAcks] {
            assert_eq!(of(code), Outlook::Unknown, "{code}");
        }
        let transaction = |end| SinkError::Transaction { id: "g-c-0".into(), end, reason: "r".into() }.outlook();
        // Another worker took over.
        assert_eq!(transaction(TransactionEnd::Fenced), Outlook::CannotPass);
        assert_eq!(transaction(TransactionEnd::Aborted), Outlook::MayPass);
        assert_eq!(transaction(TransactionEnd::Unauthorized), Outlook::MayPass);
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
