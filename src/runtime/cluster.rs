//! The Kafka cluster's id, which `GET /` shows.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::watch;

/// How long one question waits for the broker.
const ASK: Duration = Duration::from_secs(5);

/// Asks the brokers for their cluster's id until one answers; a plain thread does, as the client blocks.
pub fn id(client: BTreeMap<String, String>) -> watch::Receiver<String> {
    let (publish, id) = watch::channel(String::new());
    let ask = move || {
        let mut config = ClientConfig::new();
        config.extend(client);
        let Ok(consumer) = config.create::<BaseConsumer>() else { return };
        while !publish.is_closed() {
            if let Some(found) = consumer.client().fetch_cluster_id(ASK) {
                publish.send_replace(found);
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("cluster-id".to_owned()).spawn(ask) {
        tracing::warn!(%error, "no thread to ask for the cluster's id");
    }
    id
}
