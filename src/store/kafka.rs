//! The store on three compacted topics, as a Connect cluster keeps them.
//!
//! A thread a topic reads it to its end with a consumer tuned for the start, then follows it for ever with one tuned for
//! rest: librdkafka waits `fetch.wait.max.ms` for a partition that has nothing, which is too long for the one and too
//! short for the other, and it cannot be changed in between. Writes go through one producer with one request in flight;
//! a write is complete when the reader has come past it.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::client::ClientContext;
use rdkafka::config::FromClientConfigAndContext;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::message::{DeliveryResult, Message};
use rdkafka::producer::{BaseProducer, BaseRecord, Producer, ProducerContext, PurgeConfig};
use tokio::sync::oneshot;

use super::{Entry, Fold, Log, Pending, Store, StoreError};

mod reader;
mod topics;

/// A broker that is away is complained of many times a second; this often it is logged.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// rdkafka's poll spins for the last millisecond of its time-out: seldom is cheap.
const POLL: Duration = Duration::from_millis(500);

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
    fn topic(&self, log: Log) -> &TopicSettings {
        match log {
            Log::Configs => &self.configs,
            Log::Offsets => &self.offsets,
            Log::Statuses => &self.statuses,
        }
    }

    /// A client of the internal topics: common properties and a name.
    fn client(&self, suffix: &str) -> ClientConfig {
        let mut config = ClientConfig::new();
        for (name, value) in &self.client {
            config.set(name, value);
        }
        config.set("client.id", format!("{}-{suffix}", self.client_id));
        config.set("allow.auto.create.topics", "false");
        config
    }
}

const fn suffix(log: Log) -> &'static str {
    match log {
        Log::Configs => "configs",
        Log::Offsets => "offsets",
        Log::Statuses => "statuses",
    }
}

/// A writer or reader that waits until the log has been read up to some places.
struct Waiter {
    /// Partition and the offset behind the last record waited for.
    until: Vec<(i32, i64)>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// How far one log is read, and who waits for it.
#[derive(Default)]
struct Progress {
    /// A partition's next offset.
    next: Vec<i64>,
    waiters: Vec<Waiter>,
    /// Asked to read to the end; the log's thread finds out where that is.
    requests: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

impl Progress {
    fn is_past(&self, until: &[(i32, i64)]) -> bool {
        until.iter().all(|(partition, offset)| self.next.get(*partition as usize).is_some_and(|next| next >= offset))
    }

    fn wait(&mut self, waiter: Waiter) {
        if self.is_past(&waiter.until) {
            // Whoever asked may have stopped waiting.
            let _ = waiter.done.send(Ok(()));
        } else {
            self.waiters.push(waiter);
        }
    }

    fn advance(&mut self, partition: i32, next: i64) {
        let index = partition as usize;
        if index >= self.next.len() {
            // A topic may gain partitions while it is read.
            self.next.resize(index + 1, 0);
        }
        self.next[index] = self.next[index].max(next);
        let mut i = 0;
        while i < self.waiters.len() {
            if self.is_past(&self.waiters[i].until) {
                let _ = self.waiters.swap_remove(i).done.send(Ok(()));
            } else {
                i += 1;
            }
        }
    }
}

/// A write whose records are not all acknowledged.
struct Write {
    /// `None`: a schema history, complete when acknowledged.
    log: Option<Log>,
    left: usize,
    places: Vec<(i32, i64)>,
    failed: Option<StoreError>,
    done: oneshot::Sender<Result<(), StoreError>>,
}

/// Whether the topics are fit to hold state, and who waits to hear it.
#[derive(Default)]
struct Verdict {
    result: Option<Result<(), StoreError>>,
    waiters: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

/// What the threads share.
struct Shared {
    settings: KafkaSettings,
    progress: [Mutex<Progress>; 3],
    writes: Mutex<HashMap<usize, Write>>,
    verdict: Mutex<Verdict>,
    trouble: Mutex<Option<String>>,
    said: Mutex<Option<Instant>>,
    closed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // All guarded data is whole between two statements; a panic elsewhere leaves nothing half done.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn progress(&self, log: Log) -> MutexGuard<'_, Progress> {
        lock(&self.progress[log as usize])
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn note(&self, trouble: impl Into<String>) {
        let trouble = trouble.into();
        let mut said = lock(&self.said);
        if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::warn!("internal topics: {trouble}");
            *said = Some(Instant::now());
        }
        *lock(&self.trouble) = Some(trouble);
    }
}

/// Deliveries of the store's producer; the opaque is the write's number.
struct Acknowledged(Arc<Shared>);

impl ClientContext for Acknowledged {
    fn error(&self, error: KafkaError, reason: &str) {
        self.0.note(format!("{error}: {reason}"));
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
        match (failed, log) {
            (None, Some(log)) => self.0.progress(log).wait(Waiter { until: places, done }),
            (failed, _) => drop(done.send(failed.map_or(Ok(()), Err))),
        }
    }
}

/// A [`Store`] on Kafka.
pub struct Kafka {
    shared: Arc<Shared>,
    folds: Mutex<HashMap<Log, Fold>>,
    producer: OnceLock<Arc<BaseProducer<Acknowledged>>>,
    next_write: AtomicUsize,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[allow(clippy::needless_pass_by_value)] // errors are handed over by `map_err`
fn client_error(error: impl ToString) -> StoreError {
    StoreError::Client { reason: error.to_string() }
}

impl Kafka {
    /// Checks the settings; nothing is connected before `start`.
    pub fn new(settings: KafkaSettings) -> Result<Self, StoreError> {
        for (i, first) in Log::ALL.iter().enumerate() {
            for second in &Log::ALL[i + 1..] {
                let topic = &settings.topic(*first).name;
                if *topic == settings.topic(*second).name {
                    let (first, second) = (first.key(), second.key());
                    return Err(StoreError::SharedTopic { topic: topic.clone(), first, second });
                }
            }
        }
        let shared = Arc::new(Shared {
            settings,
            progress: Default::default(),
            writes: Mutex::default(),
            verdict: Mutex::default(),
            trouble: Mutex::default(),
            said: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        Ok(Self {
            shared,
            folds: Mutex::default(),
            producer: OnceLock::new(),
            next_write: AtomicUsize::new(1),
            threads: Mutex::default(),
        })
    }

    fn spawn(&self, name: String, body: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name(name).spawn(move || body(&shared)).map_err(client_error)?;
        lock(&self.threads).push(thread);
        Ok(())
    }

    /// The producer, made on first use by `start`; Connect's settings for it: one request in flight, no idempotence, so
    /// that every acknowledgement has its offset, and endless retries.
    fn make_producer(&self) -> Result<(), StoreError> {
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

    fn produce(&self, topic: &str, log: Option<Log>, entries: &[Entry]) -> Pending {
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
                // The rest is not sent: a later record without an earlier one would be worse than none.
                let reason = error.rdkafka_error_code().map_or_else(|| error.to_string(), |code| code.to_string());
                let mut writes = lock(&self.shared.writes);
                if let Some(write) = writes.get_mut(&id) {
                    write.failed.get_or_insert(StoreError::Broker { topic: topic.to_owned(), reason });
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

impl Store for Kafka {
    fn follow(&self, log: Log, fold: Fold) {
        lock(&self.folds).insert(log, fold);
    }

    fn start(&self) -> Result<(), StoreError> {
        let (ready, answers) = mpsc::channel();
        for log in Log::ALL {
            let mut fold = lock(&self.folds).remove(&log).unwrap_or_else(|| Box::new(|_, _| ()));
            let ready = ready.clone();
            self.spawn(format!("store-{}", suffix(log)), move |shared| reader::run(shared, log, &mut fold, &ready))?;
        }
        drop(ready);
        self.spawn("store-policies".to_owned(), |shared| {
            let result = topics::check_policies(shared);
            let mut verdict = lock(&shared.verdict);
            for waiter in verdict.waiters.drain(..) {
                // Whoever asked may have stopped waiting.
                let _ = waiter.send(result.clone());
            }
            verdict.result = Some(result);
        })?;
        self.make_producer()?;
        for _ in Log::ALL {
            if let Err(error) = answers.recv().unwrap_or(Err(StoreError::Closed)) {
                self.shared.closed.store(true, Ordering::Release);
                return Err(error);
            }
        }
        *lock(&self.shared.trouble) = None;
        Ok(())
    }

    fn checked(&self) -> Pending {
        let mut verdict = lock(&self.shared.verdict);
        if let Some(result) = &verdict.result {
            return Pending::over(result.clone());
        }
        let (done, pending) = Pending::new();
        verdict.waiters.push(done);
        pending
    }

    fn append(&self, log: Log, entries: Vec<Entry>) -> Pending {
        self.produce(&self.shared.settings.topic(log).name, Some(log), &entries)
    }

    fn read_to_end(&self, log: Log) -> Pending {
        if self.shared.is_closed() {
            return Pending::over(Err(StoreError::Closed));
        }
        let (done, pending) = Pending::new();
        self.shared.progress(log).requests.push(done);
        pending
    }

    fn append_history(&self, name: &str, entries: Vec<Entry>) -> Pending {
        self.produce(name, None, &entries)
    }

    fn load_history(&self, name: &str) -> Result<Vec<Entry>, StoreError> {
        reader::load_history(&self.shared, name)
    }

    fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    fn abandon(&self) {
        if let Some(producer) = self.producer.get() {
            producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
        }
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        // Not locked while they end: a start that is under way still adds to them.
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            // A panic in it was printed by the hook.
            let _ = thread.join();
        }
        // Dropping the senders tells whoever still waits.
        lock(&self.shared.writes).clear();
        lock(&self.shared.verdict).waiters.clear();
        for progress in &self.shared.progress {
            let mut progress = lock(progress);
            progress.waiters.clear();
            progress.requests.clear();
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.close();
    }
}

/// librdkafka's code of an error.
fn code_of(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}
