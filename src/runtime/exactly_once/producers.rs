//! Producers that do not belong to a running task: they fence the producers of earlier tasks, and write offsets for REST.
//!
//! Must not know: who asks.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use settings::Properties;
use tokio::task::spawn_blocking;

use super::transactional_id;
use crate::runtime::owner::Fence;
use crate::sink::transactional::{USUAL_TIMEOUT, transactional_producer};
use crate::sink::{OffsetEntry, Open, ProducerSettings, Sink, SinkError, TransactionEnd, properties};
use crate::store::Entry;

/// How long a producer may take for what it is made for.
const WITHIN: Duration = Duration::from_secs(30);
/// How long one question to the broker lasts.
const SLICE: Duration = Duration::from_secs(1);

/// Makes producers with the transactional ids of tasks.
pub struct Producers {
    /// `group.id`, with which the ids begin.
    group: String,
    /// The worker's properties.
    worker: BTreeMap<String, String>,
    open: Arc<Open>,
}

/// Whose producers are meant.
pub(crate) struct Of<'a> {
    pub(crate) connector: &'a str,
    /// The connector's configuration, variables resolved.
    pub(crate) config: &'a Properties,
    /// Whether this process may produce.
    pub(crate) fence: Arc<Fence>,
}

impl Producers {
    /// `open` makes the sinks; it is [`open`](crate::sink::open) outside of tests.
    pub fn new(group: String, worker: BTreeMap<String, String>, open: Arc<Open>) -> Self {
        Self { group, worker, open }
    }

    /// Fences the producers of the tasks `0..count`: takes their transactional ids over, and drops them.
    ///
    /// # Errors
    /// Why an id could not be taken over.
    pub(crate) async fn fence(&self, of: &Of<'_>, count: u32) -> Result<(), SinkError> {
        for task in 0..count {
            let sink = self.claimed(of, task, format!("connector-worker-adminclient-{}", of.connector)).await?;
            sink.stop(true);
        }
        Ok(())
    }

    /// Writes offset records in one transaction under the id of the connector's first task. Each has its topic and partition.
    ///
    /// # Errors
    /// Why they were not written.
    pub(crate) async fn write(&self, of: &Of<'_>, entries: Vec<(String, i32, Entry)>) -> Result<(), SinkError> {
        let sink = self.claimed(of, 0, format!("connector-offset-producer-{}", of.connector)).await?;
        let written = blocking({
            let sink = Arc::clone(&sink);
            move || {
                sink.begin()?;
                let entries: Vec<OffsetEntry<'_>> = entries
                    .iter()
                    .map(|(topic, partition, entry)| OffsetEntry {
                        topic,
                        partition: *partition,
                        key: &entry.key,
                        value: entry.value.as_deref(),
                    })
                    .collect();
                sink.commit(&entries, WITHIN)
            }
        });
        let written = written.await;
        sink.stop(true);
        written
    }

    async fn claimed(&self, of: &Of<'_>, task: u32, client_id: String) -> Result<Arc<dyn Sink>, SinkError> {
        let own =
            of.config.under("producer.override.").map(|(name, value)| (name.to_owned(), value.to_owned())).collect();
        let id = transactional_id(&self.group, of.connector, task);
        let bootstrap = self.worker.get("bootstrap.servers").cloned().unwrap_or_default();
        let of_worker = properties::under("producer.", &self.worker);
        let (properties, _) = transactional_producer(&bootstrap, &of_worker, &own, &id, USUAL_TIMEOUT);
        let (open, fence) = (Arc::clone(&self.open), Arc::clone(&of.fence));
        let settings = ProducerSettings { client_id, properties, may_produce: Box::new(move || fence.is_open()) };
        blocking(move || {
            let sink = open(settings, Box::new(|_, _| ()))?;
            let end = Instant::now() + WITHIN;
            while !sink.claim(SLICE)? {
                if Instant::now() >= end {
                    let reason = "the transaction coordinator did not answer within 30 s".to_owned();
                    return Err(SinkError::Transaction { id, end: TransactionEnd::Aborted, reason });
                }
            }
            Ok(sink)
        })
        .await
    }
}

/// Runs what blocks on a thread for that.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SinkError> + Send + 'static,
) -> Result<T, SinkError> {
    // It panicked, or the process ends.
    spawn_blocking(work).await.unwrap_or(Err(SinkError::Stopped))
}
