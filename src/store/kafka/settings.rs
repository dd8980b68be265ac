//! The settings of the store on Kafka: its clients' properties and its three topics.

use std::collections::BTreeMap;

use rdkafka::ClientConfig;

use crate::store::Log;

/// One internal topic, as the worker's configuration has it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TopicSettings {
    /// The topic's name.
    pub name: String,
    /// How many partitions to create the topic with; −1 is the broker's default. The config topic always gets one.
    pub partitions: i32,
    /// How many replicas to create the topic with; −1 is the broker's default.
    pub replication_factor: i32,
    /// Topic settings to create the topic with (`config.storage.*` and the like); `cleanup.policy` is always `compact`.
    pub config: BTreeMap<String, String>,
}

/// The settings of the store on Kafka.
#[derive(Clone)]
pub struct KafkaSettings {
    /// librdkafka properties of the worker's internal clients: servers, security. They may hold secrets.
    pub client: BTreeMap<String, String>,
    /// `group.id`. The store does not join the group, but librdkafka makes no consumer without a group's name.
    pub group_id: String,
    /// The start of the clients' ids, `<group.id>[-<client.id>]`; `-configs`, `-offsets` or `-statuses` is added, as in
    /// Connect.
    pub client_id: String,
    /// `config.storage.topic`.
    pub configs: TopicSettings,
    /// `offset.storage.topic`.
    pub offsets: TopicSettings,
    /// `status.storage.topic`.
    pub statuses: TopicSettings,
    /// The transactional id of the group's leader, `connect-cluster-<group.id>`; `None` while exactly-once support is
    /// `disabled`: then nothing is written in transactions.
    pub leader_id: Option<String>,
    /// Whether configs and offsets are read with `isolation.level=read_committed`: with exactly-once support enabled, Java
    /// workers write them in transactions, which may be aborted.
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

    /// The configuration of a client whose id ends with `suffix`.
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

/// What Connect puts at the end of the ids of a log's clients.
pub(super) const fn suffix(log: Log) -> &'static str {
    match log {
        Log::Configs => "configs",
        Log::Offsets => "offsets",
        Log::Statuses => "statuses",
    }
}
