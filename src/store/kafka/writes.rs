//! Writing to the topics: one producer, and for each write the caller that waits for it.
//!
//! A write is complete when its records are acknowledged and have been read back.

use std::error::Error;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rdkafka::client::{ClientContext, OAuthToken};
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::KafkaError;
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};
use tokio::sync::oneshot;

use super::progress::Waiter;
use super::{Kafka, POLL, Shared, client_error, lock};
use crate::login;
use crate::store::{Entry, Log, Pending, StoreError};

/// A write whose records are not all acknowledged yet.
pub(super) struct Write {
    log: Log,
    left: usize,
    places: Vec<(i32, i64)>,
    failed: Option<StoreError>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// The context of the store's producer, which gets delivery reports; a record's opaque is its write's number.
pub(super) struct Acknowledged(Arc<Shared>);

impl ClientContext for Acknowledged {
    const ENABLE_REFRESH_OAUTH_TOKEN: bool = true;

    fn generate_oauth_token(&self, login: Option<&str>) -> Result<OAuthToken, Box<dyn Error>> {
        login::token(login)
    }

    fn error(&self, error: KafkaError, reason: &str) {
        self.0.note_error(&error, reason);
    }
}

impl ProducerContext for Acknowledged {
    type DeliveryOpaque = usize;

    fn delivery(&self, result: &DeliveryResult<'_>, id: usize) {
        let mut writes = lock(&self.0.writes);
        let Some(write) = writes.get_mut(&id) else { return };
        write.left -= 1;
        match result {
            Ok(message) => write.places.push((message.partition(), message.offset() + 1)),
            Err((error, message)) => {
                let topic = message.topic().to_owned();
                let reason = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
                write.failed.get_or_insert(StoreError::Broker { topic, reason });
            }
        }
        if write.left > 0 {
            return;
        }
        let Some(Write { log, places, failed, done, .. }) = writes.remove(&id) else { return };
        drop(writes);
        match failed {
            None => self.0.progress(log).wait(Waiter::new(places, done)),
            Some(failed) => drop(done.send(Err(failed))),
        }
    }
}

impl Kafka {
    /// Makes the producer and the thread that polls it. Its settings are Connect's: one request in flight, endless retries,
    /// and no idempotence, so that every acknowledgement has its record's offset.
    pub(super) fn make_producer(&self) -> Result<(), StoreError> {
        let mut config = self.shared.settings.client("producer");
        config
            .set("acks", "all")
            .set("max.in.flight", "1")
            .set("enable.idempotence", "false")
            .set("message.timeout.ms", "0")
            .set("linger.ms", "0")
            .set("partitioner", "murmur2_random")
            .set("queue.buffering.max.kbytes", "32768");
        let context = Acknowledged(Arc::clone(&self.shared));
        let producer = Arc::new(BaseProducer::from_config_and_context(&config, context).map_err(client_error)?);
        if self.producer.set(Arc::clone(&producer)).is_err() {
            return Ok(());
        }
        self.spawn("store-writes".to_owned(), move |shared| {
            while !shared.is_closed() {
                producer.poll(POLL);
            }
            producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
            producer.poll(Duration::from_millis(50));
        })
    }

    pub(super) fn produce(&self, log: Log, entries: &[Entry]) -> Pending {
        let topic = &self.shared.settings.topic(log).name;
        if entries.is_empty() {
            return Pending::over(Ok(()));
        }
        let Some(producer) = self.producer.get().filter(|_| !self.shared.is_closed()) else {
            return Pending::over(Err(StoreError::Closed));
        };
        let (done, pending) = Pending::new();
        let id = self.next_write.fetch_add(1, Ordering::Relaxed);
        let write = Write { log, left: entries.len(), places: Vec::with_capacity(entries.len()), failed: None, done };
        lock(&self.shared.writes).insert(id, write);
        for (sent, entry) in entries.iter().enumerate() {
            let mut record: BaseRecord<'_, [u8], [u8], usize> = BaseRecord::with_opaque_to(topic, id).key(&entry.key);
            record.payload = entry.value.as_deref();
            if let Err((error, _)) = producer.send(record) {
                // The rest is not sent: readers must not see a later record of a write without the earlier ones.
                let reason = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
                let mut writes = lock(&self.shared.writes);
                if let Some(write) = writes.get_mut(&id) {
                    write.failed.get_or_insert(StoreError::Broker { topic: topic.clone(), reason });
                    write.left -= entries.len() - sent;
                    if write.left == 0
                        && let Some(Write { failed, done, .. }) = writes.remove(&id)
                    {
                        // Whoever asked may have stopped waiting.
                        let _ = done.send(failed.map_or(Ok(()), Err));
                    }
                }
                break;
            }
        }
        pending
    }
}
