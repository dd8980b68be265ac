//! Asks the brokers for the ends of a topic's partitions.
//!
//! Must not know: who asks, and why.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rdkafka::consumer::{BaseConsumer, Consumer};
use rdkafka::error::KafkaError;
use rdkafka::topic_partition_list::{Offset, TopicPartitionList};

use super::closing::Closing;
use super::reader::{Reads, consumer};
use super::{Log, Shared, StoreError, suffix};

/// How long a question may take.
const WITHIN: Duration = Duration::from_secs(5);
/// A client is given up at most this often.
const RENEW_EVERY: Duration = Duration::from_secs(1);

/// A client that reads nothing and only asks.
///
/// One whose question failed is given up, and the next question has another client. librdkafka can keep the leader epoch of a
/// partition as it was before its broker was restarted: every later question is then refused with `FencedLeaderEpoch`.
pub(super) struct Asking {
    /// Whether an open transaction is an end.
    committed: bool,
    client: Option<BaseConsumer<Reads>>,
    renewed: Option<Instant>,
    closing: Closing,
}

impl Asking {
    /// Asks with a client of its own, which is made at the first question.
    pub(super) fn new(committed: bool) -> Self {
        Self { committed, client: None, renewed: None, closing: Closing::default() }
    }

    /// Asks with this client, which has no partition any more.
    pub(super) fn with(client: BaseConsumer<Reads>, committed: bool) -> Self {
        Self { client: Some(client), ..Self::new(committed) }
    }

    /// The present end offsets of all partitions, in one round trip per broker.
    pub(super) fn ends(&mut self, shared: &Arc<Shared>, log: Log) -> Result<Vec<(i32, i64)>, StoreError> {
        let client = match self.client.take() {
            Some(client) => client,
            None => consumer(shared, suffix(log), self.committed, 500)?,
        };
        let ends = end_offsets(shared, log, &client);
        // While one is still being closed no other one is given up: an outage must not pile threads up.
        let keeps = ends.is_ok() || self.closing.is_busy() || self.renewed.is_some_and(|at| at.elapsed() < RENEW_EVERY);
        if keeps {
            self.client = Some(client);
        } else {
            self.renewed = Some(Instant::now());
            self.closing.close(client);
        }
        ends
    }

    /// Serves the client's log lines and errors. It has no partition, so no record comes.
    pub(super) fn serve(&self) {
        if let Some(client) = &self.client {
            drop(client.poll(Duration::ZERO));
        }
    }
}

fn end_offsets(shared: &Shared, log: Log, consumer: &BaseConsumer<Reads>) -> Result<Vec<(i32, i64)>, StoreError> {
    let topic = &shared.settings.topic(log).name;
    let failed = |error: KafkaError| StoreError::Broker { topic: topic.clone(), reason: error.to_string() };
    let mut list = TopicPartitionList::new();
    let count = shared.progress(log).next.len() as i32;
    for partition in 0..count {
        // In a query by time, -1 asks for the newest offset (ListOffsets in Kafka's protocol). `Offset::End` is -1, and
        // librdkafka passes it on unchanged.
        list.add_partition_offset(topic, partition, Offset::End).map_err(failed)?;
    }
    let found = consumer.offsets_for_times(list, WITHIN).map_err(failed)?;
    let mut ends = Vec::new();
    for element in found.elements() {
        element.error().map_err(failed)?;
        if let Offset::Offset(end) = element.offset() {
            ends.push((element.partition(), end));
        }
    }
    if ends.len() != count as usize {
        let reason = format!("the brokers told the ends of {} of its {count} partitions", ends.len());
        return Err(StoreError::Broker { topic: topic.clone(), reason });
    }
    Ok(ends)
}
