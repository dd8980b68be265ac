//! The Kafka cluster's id, which `GET /` shows.

use std::collections::BTreeMap;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use tokio::sync::watch;

use crate::login::Tokens;

/// How long one request waits for the broker.
const ASK: Duration = Duration::from_secs(5);

/// Asks the brokers for their cluster's id until one answers, on a thread of its own, as the client blocks. The id is empty
/// until then.
pub fn id(client: BTreeMap<String, String>) -> watch::Receiver<String> {
    let (publish, id) = watch::channel(String::new());
    let ask = move || {
        let mut config = ClientConfig::new();
        config.extend(client);
        let Ok(consumer) = config.create_with_context::<_, BaseConsumer<Tokens>>(Tokens) else { return };
        while !publish.is_closed() {
            if let Some(found) = consumer.client().fetch_cluster_id(ASK) {
                publish.send_replace(found);
                return;
            }
        }
    };
    if let Err(error) = std::thread::Builder::new().name("cluster-id".to_owned()).spawn(ask) {
        tracing::warn!(%error, "the cluster's id stays unknown: the thread that asks for it could not be started");
    }
    id
}
