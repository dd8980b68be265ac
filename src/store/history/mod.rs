//! Schema histories: where the DDL lies that a connector has seen.
//!
//! Purpose: a connector's schema history is apart from the worker's state. It is in a topic of a Kafka cluster of its own, in a
//! file, or in memory, as the connector's own keys say. Here a record is a text. All calls block: each history has a thread.
//!
//! Must not know: what the records mean, connectors, how Java's client properties are named in librdkafka.

mod file;
mod kafka;

use std::path::PathBuf;

pub use self::file::HistoryFile;
pub use self::kafka::{HistoryTopic, HistoryTopicSettings};

/// What there is of a history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Found {
    /// The topic or file does not exist.
    Missing,
    /// It exists, and nothing is in it.
    Empty,
    /// It has records.
    Records,
}

/// Why a history could not be read or written.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum HistoryError {
    /// The Kafka client could not be made: its configuration is wrong.
    #[error(
        "the Kafka client of the schema history could not be made: {reason}. Check \
         schema.history.internal.kafka.bootstrap.servers, schema.history.internal.producer.* and \
         schema.history.internal.consumer.*"
    )]
    Client {
        /// librdkafka's text.
        reason: String,
    },
    /// The broker refused, or did not answer.
    #[error("the schema history in topic '{topic}' could not be {what}: {reason}")]
    Broker {
        /// The topic.
        topic: String,
        /// What was being done, such as `read`.
        what: &'static str,
        /// librdkafka's text.
        reason: String,
        /// Whether it may pass by itself.
        is_transient: bool,
    },
    /// The file could not be read or written.
    #[error("the schema history in file {} could not be {what}: {reason}", path.display())]
    File {
        /// The file.
        path: PathBuf,
        /// What was being done, such as `read`.
        what: &'static str,
        /// The operating system's text.
        reason: String,
    },
    /// Nobody waits for the answer any more.
    #[error("the connector has ended")]
    Ended,
}

impl HistoryError {
    /// Whether it may pass by itself.
    pub fn is_transient(&self) -> bool {
        matches!(self, Self::Broker { is_transient: true, .. } | Self::Ended)
    }
}

/// A connector's schema history.
pub enum SchemaHistory {
    /// In a topic.
    Kafka(Box<HistoryTopic>),
    /// In a file.
    File(HistoryFile),
    /// In memory: gone with the task.
    Memory(Vec<String>),
}

impl SchemaHistory {
    /// What is there.
    ///
    /// # Errors
    /// When it cannot be found out.
    pub fn find(&self) -> Result<Found, HistoryError> {
        match self {
            Self::Kafka(topic) => topic.find(),
            Self::File(file) => file.find(),
            Self::Memory(records) => Ok(if records.is_empty() { Found::Empty } else { Found::Records }),
        }
    }

    /// Makes the topic or file, if it does not exist.
    ///
    /// # Errors
    /// When it could not be made.
    pub fn create(&self) -> Result<(), HistoryError> {
        match self {
            Self::Kafka(topic) => topic.create(),
            Self::File(file) => file.create(),
            Self::Memory(_) => Ok(()),
        }
    }

    /// Gives all records from the beginning to the present end, until `give` returns false.
    ///
    /// # Errors
    /// When the history could not be read to its end.
    pub fn load(&self, give: &mut dyn FnMut(String) -> bool) -> Result<(), HistoryError> {
        match self {
            Self::Kafka(topic) => topic.load(give),
            Self::File(file) => file.load(give),
            Self::Memory(records) => {
                let _ = records.iter().all(|record| give(record.clone()));
                Ok(())
            }
        }
    }

    /// Appends records, and returns when all are durable. Gives up when `goes_on` returns false.
    ///
    /// # Errors
    /// When not all of them were acknowledged.
    pub fn append(&mut self, records: Vec<String>, goes_on: &dyn Fn() -> bool) -> Result<(), HistoryError> {
        match self {
            Self::Kafka(topic) => topic.append(&records, goes_on),
            Self::File(file) => file.append(&records),
            Self::Memory(kept) => {
                kept.extend(records);
                Ok(())
            }
        }
    }
}
