//! The offsets of one connector, which may have a topic of its own for them (`offsets.storage.topic`, KIP-618).
//!
//! What is in the connector's own topic counts; what only the worker's has counts too, because the key may have been set on a
//! connector that has run for long. (Java's worker takes a missing offset of the own topic for none, and copies everything
//! again.) The worker's topic gets a copy of each offset, so that nothing is lost when the key is removed.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::offsets::{PartitionOffset, canonical};
use super::{Entry, Kafka, KafkaSettings, Object, Offsets, Store, StoreError};

/// The offsets of one connector: the worker's topic, and the connector's own if it has one.
#[derive(Clone)]
pub struct ConnectorOffsets {
    worker: Offsets,
    own: Option<Own>,
}

/// A topic of the connector's own.
#[derive(Clone)]
struct Own {
    offsets: Offsets,
    _closing: Arc<Closing>,
}

/// Closes the store of an own topic when the last one that uses it is gone.
struct Closing(Arc<dyn Store>);

impl Drop for Closing {
    fn drop(&mut self) {
        let store = Arc::clone(&self.0);
        // Its threads are waited for, and whoever drops it must not. Without a thread, they end a moment after the process.
        let _ = std::thread::Builder::new().name("store-close".to_owned()).spawn(move || store.close());
    }
}

impl ConnectorOffsets {
    /// Of a connector without a topic of its own.
    pub fn of_worker(worker: Offsets) -> Self {
        Self { worker, own: None }
    }

    /// Opens the connector's own topic, which `settings` name as the offsets topic, and reads it to its end. Blocks.
    /// `wrap` puts around the store what asks whether this process may write.
    ///
    /// # Errors
    /// When the topic cannot be read, or made.
    pub fn open(
        worker: Offsets,
        settings: KafkaSettings,
        wrap: impl FnOnce(Arc<dyn Store>) -> Arc<dyn Store>,
    ) -> Result<Self, StoreError> {
        let store = wrap(Arc::new(Kafka::of_offsets(settings)));
        let offsets = Offsets::new(Arc::clone(&store));
        let closing = Arc::new(Closing(Arc::clone(&store)));
        store.start()?;
        Ok(Self { worker, own: Some(Own { offsets, _closing: closing }) })
    }

    /// The name of the topic in which the connector's offsets are; `None` where they are not in a topic.
    pub fn topic(&self) -> Option<String> {
        self.first().place(b"").map(|(topic, _)| topic)
    }

    fn first(&self) -> &Offsets {
        self.own.as_ref().map_or(&self.worker, |own| &own.offsets)
    }

    /// The stored offset of a partition.
    pub fn get(&self, connector: &str, partition: &Object) -> Option<Object> {
        let own = self.own.as_ref().and_then(|own| own.offsets.get(connector, partition));
        own.or_else(|| self.worker.get(connector, partition))
    }

    /// All partitions of a connector that have an offset.
    pub fn all(&self, connector: &str) -> Vec<PartitionOffset> {
        let mut all = BTreeMap::new();
        let own = self.own.iter().flat_map(|own| own.offsets.all(connector));
        for stored in self.worker.all(connector).into_iter().chain(own) {
            all.insert(canonical(&stored.partition), stored);
        }
        all.into_values().collect()
    }

    /// Waits until everything that is in the topics now has been read, and the transactions that are open now have ended.
    pub async fn settle(&self) -> Result<(), StoreError> {
        if let Some(own) = &self.own {
            own.offsets.settle().await?;
        }
        self.worker.settle().await
    }

    /// Waits until everything that is in the topics now has been read.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        if let Some(own) = &self.own {
            own.offsets.refresh().await?;
        }
        self.worker.refresh().await
    }

    /// Stores an offset, and leaves a copy of it in the worker's topic.
    pub fn write(
        &self,
        connector: &str,
        partition: &Object,
        offset: &Object,
    ) -> impl Future<Output = Result<(), StoreError>> + Send + use<> {
        let written = self.first().write(connector, [(partition, Some(offset))]);
        let (this, connector, partition, offset) =
            (self.own.is_some().then(|| self.clone()), connector.to_owned(), partition.clone(), offset.clone());
        async move {
            written.await?;
            if let Some(this) = this {
                this.copy(&connector, &partition, &offset);
            }
            Ok(())
        }
    }

    /// Leaves a copy of a stored offset in the worker's topic, if the connector has its own. Nobody waits for it.
    pub fn copy(&self, connector: &str, partition: &Object, offset: &Object) {
        if self.own.is_some() {
            drop(self.worker.write(connector, [(partition, Some(offset))]));
        }
    }

    /// The record that stores an offset, with its topic and partition; a tombstone for `None`. `None` where offsets are not
    /// in a topic.
    pub fn record(&self, connector: &str, partition: &Object, offset: Option<&Object>) -> Option<(String, i32, Entry)> {
        let entry = self.first().record(connector, partition, offset);
        let (topic, partition) = self.first().place(&entry.key)?;
        Some((topic, partition, entry))
    }

    /// Sets and deletes offsets, as REST asks. What is deleted is deleted from the worker's topic first, so that it does not
    /// come back from there.
    pub async fn change(&self, connector: &str, changes: &[(Object, Option<Object>)]) -> Result<(), StoreError> {
        self.delete_copies(connector, changes).await?;
        let all = changes.iter().map(|(partition, offset)| (partition, offset.as_ref()));
        self.first().write(connector, all).await?;
        self.copy_all(connector, changes);
        Ok(())
    }

    /// As [`change`](Self::change), but `write` writes the records to the connector's topic.
    ///
    /// # Errors
    /// Those of the store, and those of `write`.
    pub async fn change_by<F, E>(
        &self,
        connector: &str,
        changes: &[(Object, Option<Object>)],
        write: impl FnOnce(Vec<(String, i32, Entry)>) -> F,
    ) -> Result<(), E>
    where
        F: Future<Output = Result<(), E>>,
        E: From<StoreError>,
    {
        self.delete_copies(connector, changes).await?;
        let record =
            |(partition, offset): &(Object, Option<Object>)| self.record(connector, partition, offset.as_ref());
        let records: Vec<_> = changes.iter().filter_map(record).collect();
        if !records.is_empty() {
            write(records).await?;
        }
        self.copy_all(connector, changes);
        Ok(())
    }

    async fn delete_copies(&self, connector: &str, changes: &[(Object, Option<Object>)]) -> Result<(), StoreError> {
        if self.own.is_none() {
            return Ok(());
        }
        let deleted = changes.iter().filter(|(_, offset)| offset.is_none()).map(|(partition, _)| (partition, None));
        self.worker.write(connector, deleted).await
    }

    fn copy_all(&self, connector: &str, changes: &[(Object, Option<Object>)]) {
        for (partition, offset) in changes {
            if let Some(offset) = offset {
                self.copy(connector, partition, offset);
            }
        }
    }
}
