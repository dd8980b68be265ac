//! What the store on Kafka is made of: clients' properties and three topics.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::store::Log;

/// One internal topic, as the worker's configuration has it.
#[derive(Debug, Clone, Default)]
pub struct TopicSettings {
    /// Its name.
    pub name: String,
    /// Partitions when it must be created; the config topic always has one. −1 is the broker's default.
    pub partitions: i32,
    /// Replicas when it must be created; −1 is the broker's default.
    pub replication_factor: i32,
    /// More settings when it must be created (`config.storage.*` and the like); `cleanup.policy` is always compact.
    pub config: BTreeMap<String, String>,
}

/// What the store on Kafka is made of.
#[derive(Clone)]
pub struct KafkaSettings {
    /// librdkafka's properties of the worker's internal clients: servers, security. May hold secrets.
    pub client: BTreeMap<String, String>,
    /// `group.id`; nobody joins it here, but librdkafka reads no topic without naming a group.
    pub group_id: String,
    /// `<group.id>[-<client.id>]`; `-configs`, `-offsets` and `-statuses` are added, as Connect does.
    pub client_id: String,
    /// `config.storage.topic`.
    pub configs: TopicSettings,
    /// `offset.storage.topic`.
    pub offsets: TopicSettings,
    /// `status.storage.topic`.
    pub statuses: TopicSettings,
    /// Whether configs and offsets may hold aborted transactions (exactly-once support is enabled).
    pub read_committed: bool,
}

impl KafkaSettings {
    pub(super) fn topic(&self, log: Log) -> &TopicSettings {
        match log {
            Log::Configs => &self.configs,
            Log::Offsets => &self.offsets,
            Log::Statuses => &self.statuses,
        }
    }

    /// A client of the internal topics: common properties and a name.
    pub(super) fn client(&self, suffix: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in &self.client {
            config.set(name, value);
        }
        config.set("client.id", format!("{}-{suffix}", self.client_id));
        config.set("allow.auto.create.topics", "false");
        config
    }
}

/// How Connect ends the client ids of a log.
pub(super) const fn suffix(log: Log) -> &'static str {
    match log {
        Log::Configs => "configs",
        Log::Offsets => "offsets",
        Log::Statuses => "statuses",
    }
}
