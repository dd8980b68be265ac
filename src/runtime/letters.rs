//! Dead letters: records that `errors.tolerance=all` leaves out, kept in a topic, and sent later.
//!
//! Kafka Connect has a dead letter queue for sinks only: a source's record that cannot be sent is lost. Here
//! `errors.deadletterqueue.topic.name` works for sources. A letter holds the record as it was before the transforms, so that a
//! replay ([`replay`]) can take it through a chain that was mended since. The stored position moves past a record only when its
//! letter is acknowledged; a letter that cannot be written ends the task.
//!
//! The [`desk`] writes letters with the task's own sink, so that they stand in whatever order and transaction its records do. The
//! [`post`] knows which of them are under way, and writes those of records that the broker refused after they had left.
//! [`index`] reads the topic again.
//!
//! Must not know: HTTP, which transform or converter failed and why.

pub(crate) mod desk;
mod form;
pub(crate) mod index;
pub(crate) mod kept;
pub(crate) mod post;
pub(crate) mod replay;

use std::sync::Arc;

use record::Position;
use serde_json::{Map, Value as Json};
use settings::{Asked, Properties};

use crate::sink::topics::TopicCreation;

const TOPIC: &str = "errors.deadletterqueue.topic.name";
const REPLICATION: &str = "errors.deadletterqueue.topic.replication.factor";
const CONTEXT: &str = "errors.deadletterqueue.context.headers.enable";

/// The `errors.deadletterqueue.*` settings of a connector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct LetterTopic {
    /// The topic that letters are written to.
    pub(crate) name: Arc<str>,
    /// With how many replicas the topic is made; −1 for the broker's default.
    pub(crate) replication_factor: i32,
    /// Whether letters say in headers what failed.
    pub(crate) tells_context: bool,
}

impl LetterTopic {
    /// Reads the settings; `None` when no topic is named. Whether letters are written is for `errors.tolerance` to say.
    pub(crate) fn of(config: &Properties) -> Option<Self> {
        let get = |key| config.get(key).map(str::trim).filter(|text: &&str| !text.is_empty());
        Some(Self {
            name: get(TOPIC)?.into(),
            replication_factor: get(REPLICATION).and_then(|text| text.parse().ok()).unwrap_or(-1),
            tells_context: get(CONTEXT).is_none_or(|text| text.eq_ignore_ascii_case("true")),
        })
    }

    /// How the topic is made when it is missing: with one partition, as Connect makes it.
    pub(crate) fn creation(&self) -> TopicCreation {
        TopicCreation::one(1, self.replication_factor)
    }
}

/// Where a task's records come from, as letters say it.
#[derive(Clone, Debug)]
pub(crate) struct Sender {
    /// The connector's name.
    pub(crate) connector: Arc<str>,
    /// The source partition, as it is stored.
    pub(crate) partition: Map<String, Json>,
    /// Makes the stored offset of a position.
    pub(crate) offset: fn(&Position) -> Map<String, Json>,
}

/// The rule for the topic's name: Kafka's.
pub(crate) fn topic_name(asked: &Asked<'_>) -> Vec<String> {
    let name = asked.value.map(str::trim).unwrap_or_default();
    let is_legal = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    if name.is_empty() || name.len() <= 249 && name.chars().all(is_legal) && name != "." && name != ".." {
        return Vec::new();
    }
    vec![format!(
        "Invalid value {name} for configuration {}: a topic's name has at most 249 letters, digits, dots, hyphens and \
         underscores, and is neither . nor ..",
        asked.name
    )]
}

/// Whether the connector leaves no records out, so that there are no letters.
pub(crate) fn has_no_letters(asked: &Asked<'_>) -> bool {
    asked.properties.get("errors.tolerance").map(str::trim) != Some("all")
}

/// Whether no topic is named, so that settings of the topic have no effect.
pub(crate) fn has_no_topic(asked: &Asked<'_>) -> bool {
    LetterTopic::of(asked.properties).is_none()
}
