//! The store on three compacted topics, as a Connect cluster keeps them.
//!
//! Each topic has a thread. It reads the topic to its end with one consumer and then follows it with another one. The two
//! differ in `fetch.wait.max.ms`, the time for which a broker holds a fetch that finds nothing: short for a quick start,
//! long so that an idle daemon asks rarely. librdkafka cannot change it while a consumer lives.
//!
//! Writes go through one producer with one request in flight. A write is complete when the topic's thread has read it back.

mod asking;
mod closing;
mod leader;
mod progress;
mod reader;
mod settings;
mod settling;
mod topics;
mod writes;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError, mpsc};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::{BaseProducer, Producer, PurgeConfig};
use tokio::sync::oneshot;

use self::leader::Order;
use self::progress::{Progress, Waiter};
use self::settings::suffix;
pub use self::settings::{KafkaSettings, TopicSettings};
use self::writes::{Acknowledged, Write};
use super::{Entry, Fold, Log, Pending, Store, StoreError, partition_of};
use crate::login;

/// librdkafka reports a broker that is away many times a second. It is logged this often.
const SAY_EVERY: Duration = Duration::from_secs(10);

/// What a trouble begins with when TLS or the login failed: trying again does not help until somebody mends the settings.
const REFUSED: &str = "the broker does not let the worker in: check security.protocol, sasl.* and ssl.*: ";

/// What a trouble begins with when there is no token for the login. No broker is asked then.
const NO_TOKEN: &str = "there is no token for the worker's login: ";

/// How long one poll of the producer waits. rdkafka's poll spins during the last millisecond, so long polls cost less CPU.
const POLL: Duration = Duration::from_millis(500);

/// The result of checking the topics' cleanup policies, and who waits for it.
#[derive(Default)]
struct Verdict {
    result: Option<Result<(), StoreError>>,
    waiters: Vec<oneshot::Sender<Result<(), StoreError>>>,
}

/// What the threads share.
struct Shared {
    settings: KafkaSettings,
    /// The logs that are read.
    logs: &'static [Log],
    progress: [Mutex<Progress>; 3],
    writes: Mutex<HashMap<usize, Write>>,
    verdict: Mutex<Verdict>,
    trouble: Mutex<Option<String>>,
    said: Mutex<Option<Instant>>,
    /// When a broker last refused the connection.
    refused: Mutex<Option<Instant>>,
    closed: AtomicBool,
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    // A poisoned lock may be used: no panic can leave the guarded values half changed.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Shared {
    fn progress(&self, log: Log) -> MutexGuard<'_, Progress> {
        lock(&self.progress[log as usize])
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Notes an error that librdkafka reports.
    fn note_error(&self, error: &KafkaError, reason: &str) {
        use RDKafkaErrorCode::{Authentication, SSL, SaslAuthenticationFailed};
        let is_refusal = matches!(code_of(error), Authentication | SSL | SaslAuthenticationFailed);
        // With TLS 1.3 a broker that wants a certificate says so after the handshake, which is no error of TLS to librdkafka.
        if is_refusal || reason.contains("SSL routines:") {
            // Java's name of the setting.
            self.note(format!("{REFUSED}{}", reason.replace("ssl.ca.location", "ssl.truststore.location")));
        } else {
            self.note(format!("{error}: {reason}"));
        }
    }

    fn note(&self, trouble: impl Into<String>) {
        let no_token = login::trouble(|name| self.settings.client.get(name).map(String::as_str));
        let trouble = no_token.map_or_else(|| trouble.into(), |reason| format!("{NO_TOKEN}{reason}"));
        // What follows on a refusal ("all brokers are down", "no answer") says less.
        let mut refused = lock(&self.refused);
        if trouble.starts_with(REFUSED) {
            *refused = Some(Instant::now());
        } else if refused.is_some_and(|at| at.elapsed() < SAY_EVERY) {
            return;
        }
        drop(refused);
        let mut said = lock(&self.said);
        if said.is_none_or(|at| at.elapsed() >= SAY_EVERY) {
            tracing::warn!("internal topics: {trouble}");
            *said = Some(Instant::now());
        }
        *lock(&self.trouble) = Some(trouble);
    }
}

/// A [`Store`] on Kafka.
pub struct Kafka {
    shared: Arc<Shared>,
    folds: Mutex<HashMap<Log, Fold>>,
    producer: OnceLock<Arc<BaseProducer<Acknowledged>>>,
    next_write: AtomicUsize,
    /// The orders to the thread that writes in transactions.
    leader: Mutex<Option<mpsc::Sender<Order>>>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

#[allow(clippy::needless_pass_by_value)] // errors are handed over by `map_err`
fn client_error(error: impl ToString) -> StoreError {
    StoreError::Client { reason: error.to_string() }
}

impl Kafka {
    /// A store of offsets alone, for a connector with a topic of its own. The other two logs are never read or written.
    pub fn of_offsets(settings: KafkaSettings) -> Self {
        Self::with(settings, &[Log::Offsets])
    }

    /// Checks the settings. Nothing is connected before `start`.
    ///
    /// # Errors
    /// [`StoreError::SharedTopic`] when two logs name the same topic.
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
        Ok(Self::with(settings, &Log::ALL))
    }

    fn with(settings: KafkaSettings, logs: &'static [Log]) -> Self {
        let shared = Arc::new(Shared {
            settings,
            logs,
            progress: Default::default(),
            writes: Mutex::default(),
            verdict: Mutex::default(),
            trouble: Mutex::default(),
            refused: Mutex::default(),
            said: Mutex::default(),
            closed: AtomicBool::new(false),
        });
        Self {
            shared,
            folds: Mutex::default(),
            producer: OnceLock::new(),
            next_write: AtomicUsize::new(1),
            leader: Mutex::default(),
            threads: Mutex::default(),
        }
    }

    fn spawn(&self, name: String, body: impl FnOnce(&Arc<Shared>) + Send + 'static) -> Result<(), StoreError> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new().name(name).spawn(move || body(&shared)).map_err(client_error)?;
        lock(&self.threads).push(thread);
        Ok(())
    }
}

impl Store for Kafka {
    fn follow(&self, log: Log, fold: Fold) {
        lock(&self.folds).insert(log, fold);
    }

    fn start(&self) -> Result<(), StoreError> {
        let (ready, answers) = mpsc::channel();
        for &log in self.shared.logs {
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
        for _ in self.shared.logs {
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
        self.produce(log, &entries)
    }

    fn append_as_leader(&self, log: Log, entries: Vec<Entry>) -> Pending {
        if self.shared.settings.leader_id.is_none() || entries.is_empty() {
            return self.produce(log, &entries);
        }
        self.order(|done| Order::Write(log, entries, done))
    }

    fn lead(&self) -> Pending {
        if self.shared.settings.leader_id.is_none() {
            return Pending::over(Ok(()));
        }
        self.order(Order::Lead)
    }

    fn read_to_end(&self, log: Log) -> Pending {
        if self.shared.is_closed() {
            return Pending::over(Err(StoreError::Closed));
        }
        let (done, pending) = Pending::new();
        self.shared.progress(log).requests.push(done);
        pending
    }

    fn read_settled(&self, log: Log) -> Pending {
        if self.shared.is_closed() {
            return Pending::over(Err(StoreError::Closed));
        }
        let (done, pending) = Pending::new();
        self.shared.progress(log).settling.push(done);
        pending
    }

    fn place(&self, log: Log, key: &[u8]) -> Option<(String, i32)> {
        let partitions =
            u32::try_from(self.shared.progress(log).next.len()).ok().filter(|partitions| *partitions > 0)?;
        Some((self.shared.settings.topic(log).name.clone(), partition_of(key, partitions) as i32))
    }

    fn trouble(&self) -> Option<String> {
        lock(&self.shared.trouble).clone()
    }

    fn abandon(&self) {
        if let Some(producer) = self.producer.get() {
            producer.purge(PurgeConfig::default().queue().inflight().non_blocking());
        }
        self.retire();
    }

    fn close(&self) {
        self.shared.closed.store(true, Ordering::Release);
        // The lock is not held while the threads end: a `start` under way may still add one.
        let threads = std::mem::take(&mut *lock(&self.threads));
        for thread in threads {
            // If the thread panicked, the panic hook has logged it.
            let _ = thread.join();
        }
        // Whoever still waits gets `Closed` when the senders are dropped.
        lock(&self.shared.writes).clear();
        lock(&self.shared.verdict).waiters.clear();
        for progress in &self.shared.progress {
            lock(progress).close();
        }
    }
}

impl Drop for Kafka {
    fn drop(&mut self) {
        self.close();
    }
}

fn code_of(error: &KafkaError) -> RDKafkaErrorCode {
    error.rdkafka_error_code().unwrap_or(RDKafkaErrorCode::Unknown)
}
