//! Where a connector's offsets are kept: in the worker's topic, or in one of its own (`offsets.storage.topic`).
//!
//! With exactly-once support the offsets go in the transactions of the connector's producer, and a transaction is of one Kafka
//! cluster: a connector whose producer writes to another cluster than the worker's has its offsets topic there, with the name of
//! the worker's unless it names one (KIP-618).
//!
//! Must not know: what an offset means, transactions.

use std::collections::BTreeMap;
use std::sync::Arc;

use settings::Properties;
use tokio::task::spawn_blocking;

use super::fenced::Fenced;
use super::owner::Fence;
use crate::sink::properties;
use crate::store::{ConnectorOffsets, KafkaSettings, Offsets, Store, StoreError};

/// What is needed to find and open the offsets of connectors.
pub struct OffsetTopics {
    worker: Offsets,
    /// The settings of the worker's own store. `None` in stand-alone mode, where the key has no effect.
    settings: Option<KafkaSettings>,
    /// The worker's properties.
    properties: BTreeMap<String, String>,
    /// Whether offsets go in the transactions of the connectors' producers.
    is_exactly_once: bool,
}

impl OffsetTopics {
    /// `settings` are those of the worker's own store, if its state is in topics.
    pub fn new(
        worker: Offsets,
        settings: Option<KafkaSettings>,
        properties: BTreeMap<String, String>,
        is_exactly_once: bool,
    ) -> Self {
        Self { worker, settings, properties, is_exactly_once }
    }

    /// Where no connector has a topic of its own, as in tests.
    pub fn of_worker(worker: Offsets) -> Arc<Self> {
        Arc::new(Self::new(worker, None, BTreeMap::new(), false))
    }

    /// The offsets of the worker's topic alone.
    pub fn worker(&self) -> &Offsets {
        &self.worker
    }

    /// Opens the offsets of a connector with this configuration. They are written only while `fence` is open.
    ///
    /// # Errors
    /// When the connector's own topic cannot be read, or made.
    pub async fn open(
        &self,
        connector: &str,
        config: &Properties,
        fence: Arc<Fence>,
    ) -> Result<ConnectorOffsets, StoreError> {
        let Some(settings) = self.own(connector, config) else {
            return Ok(ConnectorOffsets::of_worker(self.worker.clone()));
        };
        let worker = self.worker.clone();
        let wrap = move |store: Arc<dyn Store>| -> Arc<dyn Store> {
            let fenced = Fenced::new(store);
            fenced.begin(fence);
            fenced
        };
        let opened = spawn_blocking(move || ConnectorOffsets::open(worker, settings, wrap)).await;
        // It panicked, or the process ends.
        opened.unwrap_or(Err(StoreError::Closed))
    }

    /// The settings of the connector's own topic, if it has one.
    fn own(&self, connector: &str, config: &Properties) -> Option<KafkaSettings> {
        let worker = self.settings.as_ref()?;
        let of_worker = self.properties.get("bootstrap.servers").map_or("", |servers| servers.trim());
        let of_producers = self.properties.get("producer.bootstrap.servers").map(|servers| servers.trim());
        let own = config.get("producer.override.bootstrap.servers").map(str::trim);
        let servers = own.or(of_producers).unwrap_or(of_worker);
        let named = config.get("offsets.storage.topic").map(str::trim).filter(|topic| !topic.is_empty());
        let elsewhere = servers != of_worker;
        if named.is_none() && !(elsewhere && self.is_exactly_once) {
            return None;
        }
        let topic = named.unwrap_or(&worker.offsets.name);
        if topic == worker.offsets.name && !elsewhere {
            return None;
        }
        let mut settings = worker.clone();
        topic.clone_into(&mut settings.offsets.name);
        let own = config.under("admin.override.").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        settings.client =
            properties::admin(&self.properties, &properties::under("admin.", &self.properties), &own).client;
        settings.client.insert("bootstrap.servers".to_owned(), servers.to_owned());
        settings.client_id = format!("connector-consumer-{connector}-0");
        settings.leader_id = None;
        Some(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::store::TopicSettings;
    use crate::store::fake::FakeStore;

    #[test]
    fn which_topic_a_connector_has() {
        #[track_caller]
        fn check(is_exactly_once: bool, config: &[(&str, &str)], expect: Option<(&str, &str)>) {
            let topic = |name: &str| TopicSettings { name: name.to_owned(), ..TopicSettings::default() };
            let settings = KafkaSettings {
                client: BTreeMap::new(),
                group_id: "g".to_owned(),
                client_id: "g".to_owned(),
                configs: topic("c"),
                offsets: topic("o"),
                statuses: topic("s"),
                leader_id: Some("connect-cluster-g".to_owned()),
                read_committed: is_exactly_once,
            };
            let properties = BTreeMap::from([("bootstrap.servers".to_owned(), "b:1".to_owned())]);
            let worker = Offsets::new(FakeStore::new() as _);
            let topics = OffsetTopics::new(worker, Some(settings), properties, is_exactly_once);
            let own = topics.own("c", &config.iter().copied().collect());
            let found = own.as_ref().map(|own| (own.offsets.name.as_str(), own.client["bootstrap.servers"].as_str()));
            assert_eq!(found, expect, "{is_exactly_once} {config:?}");
            assert!(own.is_none_or(|own| own.leader_id.is_none()));
        }
        const ELSEWHERE: (&str, &str) = ("producer.override.bootstrap.servers", "d:1");
        check(false, &[], None);
        check(false, &[("offsets.storage.topic", "mine")], Some(("mine", "b:1")));
        check(false, &[("offsets.storage.topic", "o")], None);
        check(false, &[("offsets.storage.topic", "o"), ELSEWHERE], Some(("o", "d:1")));
        check(false, &[ELSEWHERE], None);
        check(true, &[ELSEWHERE], Some(("o", "d:1")));
        check(true, &[("offsets.storage.topic", "mine"), ELSEWHERE], Some(("mine", "d:1")));
        check(true, &[("producer.override.bootstrap.servers", "b:1")], None);
    }
}
