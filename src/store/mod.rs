//! The state that outlives the process: connectors' configurations, source offsets, statuses; and schema histories.
//!
//! Its form is the Java worker's, byte for byte where Java compares bytes, so that a cluster can be taken over from
//! Kafka Connect and given back. A [`Store`] is where the bytes lie (three compacted topics, or a file in standalone
//! mode); [`Configs`], [`Offsets`] and [`Statuses`] are what the bytes mean: each folds its log into a view that is read
//! without a round trip, and writes by appending to the log and waiting until the append has been read back. A schema history is no
//! part of that state, but a connector's own ([`history`]).
//!
//! Must not know: connectors' types, the producer of their records, converters, HTTP.

mod configs;
#[cfg(test)]
pub(crate) mod fake;
mod file;
pub mod history;
mod json;
mod kafka;
mod murmur2;
mod offsets;
mod own_offsets;
mod scan;
mod statuses;

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};

pub use configs::{ConfigChange, ConfigView, Configs, TargetState, TaskSet};
pub use file::File;
pub use kafka::{Kafka, KafkaSettings, TopicSettings};
pub use murmur2::{murmur2, partition_of};
pub use offsets::Offsets;
pub use own_offsets::ConnectorOffsets;
use retry::Outlook;
pub use scan::{Range, Scan, ScanError, Seen};
pub use statuses::{Status, StatusView, Statuses, TopicStatus};
use tokio::sync::oneshot;

/// A JSON object whose order of keys is kept: a connector's configuration, a source partition, a source offset.
pub type Object = serde_json::Map<String, serde_json::Value>;

/// One of the three logs that hold a worker's state: each is an internal topic, or its counterpart in standalone mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Log {
    /// `config.storage.topic`.
    Configs,
    /// `offset.storage.topic`.
    Offsets,
    /// `status.storage.topic`.
    Statuses,
}

impl Log {
    /// All three.
    pub const ALL: [Self; 3] = [Self::Configs, Self::Offsets, Self::Statuses];

    /// The worker's configuration key that names the topic.
    pub const fn key(self) -> &'static str {
        match self {
            Self::Configs => "config.storage.topic",
            Self::Offsets => "offset.storage.topic",
            Self::Statuses => "status.storage.topic",
        }
    }
}

/// A record of a log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key's bytes.
    pub key: Vec<u8>,
    /// `None` is a tombstone.
    pub value: Option<Vec<u8>>,
}

impl Entry {
    /// A record with a text key.
    pub fn new(key: impl Into<Vec<u8>>, value: Option<Vec<u8>>) -> Self {
        Self { key: key.into(), value }
    }
}

/// Called with the key and value of each record of a log, in the order of its partition; the records of other processes come
/// too. A value of `None` is a tombstone. It runs on the store's thread and must be short.
pub type Fold = Box<dyn FnMut(&[u8], Option<&[u8]>) + Send>;

/// Why the stored state cannot be read or written.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// An internal topic whose cleanup policy would delete records. The text is that of Java's
    /// `TopicAdmin.verifyTopicCleanupPolicyOnlyCompact`.
    #[error(
        "org.apache.kafka.common.config.ConfigException: Topic '{topic}' supplied via the '{key}' property is required to \
         have 'cleanup.policy=compact' to guarantee consistency and durability of {what}, but found the topic currently \
         has 'cleanup.policy={policy}'. Continuing would likely result in eventually losing {what} and problems \
         restarting this Connect cluster in the future. Change the '{key}' property in the Connect worker configurations \
         to use a topic with 'cleanup.policy=compact'."
    )]
    NotCompacted {
        /// The topic's name.
        topic: String,
        /// The worker's configuration key that names the topic.
        key: &'static str,
        /// What the topic holds, in Java's words.
        what: &'static str,
        /// The topic's `cleanup.policy`.
        policy: String,
    },
    /// A config topic with several partitions, between which records have no order. The text is Java's.
    #[error(
        "org.apache.kafka.common.config.ConfigException: Topic '{topic}' supplied via the 'config.storage.topic' property \
         is required to have a single partition in order to guarantee consistency of connector configurations, but found \
         {partitions} partitions."
    )]
    ManyPartitions {
        /// The topic's name.
        topic: String,
        /// How many partitions the topic has.
        partitions: usize,
    },
    /// Two logs are configured to use one topic, where each would read the other's records.
    #[error("{first} and {second} both name topic '{topic}'; give each a topic of its own")]
    SharedTopic {
        /// The topic's name.
        topic: String,
        /// The worker's configuration key that names the topic.
        first: &'static str,
        /// The other key that names it.
        second: &'static str,
    },
    /// An internal topic is missing and could not be created.
    #[error("topic '{topic}' ({key}) could not be created: {reason}. Create it compacted, or allow this user to")]
    Create {
        /// The topic's name.
        topic: String,
        /// The worker's configuration key that names the topic.
        key: &'static str,
        /// The broker's answer.
        reason: String,
    },
    /// The broker did not take a record, or did not answer.
    #[error("topic '{topic}': {reason}")]
    Broker {
        /// The topic's name.
        topic: String,
        /// librdkafka's text.
        reason: String,
    },
    /// The Kafka client could not be made: its configuration is wrong.
    #[error(
        "the Kafka client for the internal topics could not be made: {reason}. Check bootstrap.servers and security"
    )]
    Client {
        /// librdkafka's text.
        reason: String,
    },
    /// The offset file of standalone mode could not be read or written.
    #[error("offset file {path}: {reason}")]
    File {
        /// The file's path.
        path: String,
        /// The operating system's error, or what is wrong with the contents.
        reason: String,
    },
    /// A write by a process that does not own its group; only the owner may write.
    #[error("this process does not own its group (any more): nothing may be written")]
    NotOwner,
    /// The store was closed while the record was under way.
    #[error("the store was closed")]
    Closed,
}

impl StoreError {
    /// Whether trying again may help.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Broker { .. } | Self::Closed)
    }

    /// Whether a task that fails because of this may succeed when it is started again later.
    pub fn outlook(&self) -> Outlook {
        match self {
            Self::Broker { .. } | Self::Closed => Outlook::MayPass,
            Self::Create { .. } | Self::Client { .. } | Self::File { .. } => Outlook::Unknown,
            // Another process has the group, and starts the task itself.
            Self::NotOwner | Self::NotCompacted { .. } | Self::ManyPartitions { .. } | Self::SharedTopic { .. } => {
                Outlook::CannotPass
            }
        }
    }
}

/// A write under way. Await it, or [`wait`](Self::wait) on a plain thread; dropping it does not take the write back.
#[derive(Debug)]
#[must_use = "a write is not acknowledged before this is"]
pub struct Pending(oneshot::Receiver<Result<(), StoreError>>);

impl Pending {
    /// A write under way, and the sender that completes it.
    pub fn new() -> (oneshot::Sender<Result<(), StoreError>>, Self) {
        let (done, pending) = oneshot::channel();
        (done, Self(pending))
    }

    /// A write that has ended already.
    pub fn over(result: Result<(), StoreError>) -> Self {
        let (done, pending) = Self::new();
        // Cannot fail: the receiver is in `pending`.
        let _ = done.send(result);
        pending
    }

    /// Blocks a plain thread until the write is acknowledged and read back. Must not be called in an async task.
    pub fn wait(self) -> Result<(), StoreError> {
        self.0.blocking_recv().unwrap_or(Err(StoreError::Closed))
    }
}

impl Future for Pending {
    type Output = Result<(), StoreError>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(|result| result.unwrap_or(Err(StoreError::Closed)))
    }
}

/// Where the bytes of the state lie: [`Kafka`] or [`File`].
pub trait Store: Send + Sync {
    /// Has `fold` called for every record of `log`. Call it once for each log, before [`start`](Self::start).
    fn follow(&self, log: Log, fold: Fold);

    /// Reads all logs to their ends and returns; from then on the store's own threads follow them. Call it on a plain
    /// thread: it blocks for as long as the broker is away, and only [`close`](Self::close) ends it sooner.
    fn start(&self) -> Result<(), StoreError>;

    /// Complete when the topics' cleanup policies have been checked; fails if one is not compacted. It is apart from
    /// [`start`](Self::start) because the broker may take longer to describe the topics than they take to read. Await it
    /// after `start` and before anything is written.
    fn checked(&self) -> Pending;

    /// Appends `entries` in their order. Complete when all are acknowledged, read back, and have been through the fold.
    fn append(&self, log: Log, entries: Vec<Entry>) -> Pending;

    /// As [`append`](Self::append), for what only the group's leader may write: in one transaction, if the store is to.
    fn append_as_leader(&self, log: Log, entries: Vec<Entry>) -> Pending {
        self.append(log, entries)
    }

    /// This process leads the group from now on. A transaction that the leader before it left open is ended, and what that
    /// one still sends in transactions is refused.
    fn lead(&self) -> Pending {
        Pending::over(Ok(()))
    }

    /// Complete when every record that is in `log` at the time of the call, whoever wrote it, has been through the fold. Of
    /// a topic that is read with `read_committed`, what stands behind a transaction that is still open does not count.
    fn read_to_end(&self, log: Log) -> Pending;

    /// As [`read_to_end`](Self::read_to_end), but also waits until the transactions that are open now have ended.
    fn read_settled(&self, log: Log) -> Pending {
        self.read_to_end(log)
    }

    /// The topic and the partition in which the record with this key lies. `None` for a store that is no topic, or whose
    /// topic has not been read yet.
    fn place(&self, _log: Log, _key: &[u8]) -> Option<(String, i32)> {
        None
    }

    /// Why [`start`](Self::start) has not returned yet, for the health page.
    fn trouble(&self) -> Option<String>;

    /// Drops records that were appended and have not been sent yet; their writes fail. A record that the broker has been
    /// sent cannot be taken back.
    fn abandon(&self);

    /// Ends the threads; writes under way fail as [`StoreError::Closed`].
    fn close(&self);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn which_failures_may_pass() {
        let (topic, reason) = (|| "t".to_owned(), || "r".to_owned());
        for (error, expect) in [
            (StoreError::Broker { topic: topic(), reason: reason() }, Outlook::MayPass),
            (StoreError::Closed, Outlook::MayPass),
            (StoreError::File { path: "f".to_owned(), reason: reason() }, Outlook::Unknown),
            (StoreError::NotOwner, Outlook::CannotPass),
            (StoreError::ManyPartitions { topic: topic(), partitions: 2 }, Outlook::CannotPass),
        ] {
            assert_eq!(error.outlook(), expect, "{error}");
        }
    }
}
