//! The dead letters of a connector: what there is, and sending them again.
//!
//! Both read a topic that may be large, and so run on threads of their own, within a time; no more than two at once, so that they
//! cost a bounded amount of memory.
//!
//! Must not know: HTTP, the form of letters.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use relational::{Meters, TaskError};
use settings::Properties;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot, watch};
use tokio::time::timeout;

use super::{Refusal, Supervisor, properties};
use crate::plugins::Plugin;
use crate::runtime::defect;
use crate::runtime::ledger::Ledger;
use crate::runtime::letters::LetterTopic;
use crate::runtime::letters::index::Shown;
use crate::runtime::letters::replay::{self, Outcomes, Replay, ReplayError, Replayed, Wanted};
use crate::runtime::owner::Fence;
use crate::runtime::pipeline::single::{Single, Tray};
use crate::runtime::pipeline::{Attempts, Pipeline};
use crate::runtime::task::build;
use crate::runtime::tolerance::{Reporter, Tolerance};
use crate::runtime::topics::NewTopics;
use crate::runtime::traces::Tracer;
use crate::sink;
use crate::sink::properties::{self as client, Client};
use crate::store::Scan;

/// How long letters are read to be shown, and how long a replay lasts.
const WAIT: Duration = Duration::from_secs(60);
/// What a call may take beyond that: until clients have been made, and the last records are acknowledged.
const MORE: Duration = Duration::from_secs(25);
/// How many calls read letters at once.
const AT_ONCE: usize = 2;

const READING: &str = "The worker is currently reading the dead letters";

/// The letters of a connector, as they are shown.
#[derive(Clone, Debug, PartialEq)]
pub struct LetterList {
    /// Their topic.
    pub topic: String,
    /// How many records have a letter.
    pub letters: u64,
    /// How many of them were replayed.
    pub replayed: u64,
    /// Letters that another version wrote and this one cannot read.
    pub unreadable: u64,
    /// The newest letters, the newest first.
    pub newest: Vec<Shown>,
}

/// Who may read letters now.
pub(super) struct Readers {
    all: Arc<Semaphore>,
    replaying: std::sync::Mutex<std::collections::HashSet<String>>,
}

impl Default for Readers {
    fn default() -> Self {
        Self { all: Arc::new(Semaphore::new(AT_ONCE)), replaying: std::sync::Mutex::default() }
    }
}

/// A connector's turn to replay.
struct Turn {
    shared: Arc<super::Shared>,
    name: String,
}

impl Turn {
    fn take(shared: &Arc<super::Shared>, name: &str) -> Option<Self> {
        let mut replaying = shared.readers.replaying.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        replaying.insert(name.to_owned()).then(|| Self { shared: Arc::clone(shared), name: name.to_owned() })
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.shared.readers.replaying.lock().unwrap_or_else(std::sync::PoisonError::into_inner).remove(&self.name);
    }
}

/// What is known of a connector before its letters are read.
struct Known {
    config: Properties,
    plugin: &'static Plugin,
    worker: BTreeMap<String, String>,
    topic: LetterTopic,
    traces: Tracer,
}

impl Supervisor {
    /// What dead letters a connector has, with the newest `shows` of them.
    pub async fn dead_letters(&self, name: &str, shows: usize) -> Result<LetterList, Refusal> {
        self.readable()?;
        let known = self.letters_of(name).await?;
        let seat = self.seat().await?;
        let (consumer, topic, connector) = (consumer(&known)?, known.topic.name.to_string(), name.to_owned());
        let letters = apart(seat, move |deadline| {
            let scan = Scan::open(&consumer, &format!("connector-dead-letters-{connector}"))?;
            replay::letters(&scan, &topic, &connector, shows, deadline)
        });
        let letters = letters.await?;
        let (count, replayed) = letters.counts();
        let topic = known.topic.name.to_string();
        let (unreadable, newest) = (letters.unreadable, letters.newest);
        Ok(LetterList { topic, letters: count, replayed, unreadable, newest })
    }

    /// Sends the records of a connector's dead letters.
    pub async fn replay_letters(&self, name: &str, wanted: Wanted) -> Result<Replayed, Refusal> {
        self.writable().await?;
        let known = self.letters_of(name).await?;
        let Some(turn) = Turn::take(&self.shared, name) else {
            return Err(Refusal::Busy(format!("The dead letters of connector {name} are being replayed already")));
        };
        let fence = self.shared.store.fence().ok_or(Refusal::NotOwner)?;
        let seat = self.seat().await?;
        let consumer = consumer(&known)?;
        let made = make(name, &known, fence).await.map_err(Refusal::Failed)?;
        let (topic, connector) = (known.topic.name.to_string(), name.to_owned());
        let replayed = apart(seat, move |deadline| {
            // It ends when the thread does, even if nobody waits for the answer any more.
            let _turn = turn;
            let Made { single, sink, outcomes, stop } = made;
            let watching = Handle::current().spawn(async move {
                tokio::time::sleep_until(deadline.into()).await;
                stop.send_replace(true);
            });
            let scan = Scan::open(&consumer, &format!("connector-dead-letters-{connector}"))?;
            let (topic, connector) = (&*topic, &*connector);
            let replay =
                Replay { scan: &scan, topic, connector, single, sink, outcomes, deadline, next: 0, is_stuck: false };
            let replayed = replay.run(wanted);
            watching.abort();
            replayed
        });
        let replayed = replayed.await?;
        tracing::info!(
            connector = name,
            sent = replayed.sent,
            dropped = replayed.dropped,
            refused = replayed.refused,
            left = replayed.left,
            "dead letters were replayed"
        );
        Ok(replayed)
    }

    /// The settings of a connector with letters; variables are resolved.
    async fn letters_of(&self, name: &str) -> Result<Known, Refusal> {
        let stored = self.shared.configs.read(|view| view.connectors.get(name).cloned());
        let stored = stored.ok_or_else(|| Refusal::Absent(name.to_owned()))?;
        let settings = &self.shared.settings;
        let class = stored.get("connector.class").and_then(|class| class.as_str()).unwrap_or_default();
        let plugin = settings.find(class).ok_or_else(|| {
            Refusal::Invalid(format!("Connector {name} is of class {class}, which is not in this daemon"))
        })?;
        let config = settings.resolved(properties(&stored)).await;
        let config = config.map_err(|defect| Refusal::Failed(defect.trace("reading the configuration's variables")))?;
        let topic = LetterTopic::of(&config).ok_or_else(|| {
            Refusal::Invalid(format!(
                "Connector {name} has no dead letters: errors.deadletterqueue.topic.name is not set in its configuration"
            ))
        })?;
        let worker = settings.worker.iter();
        let worker = worker.filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        let traces = self.shared.settings.traces.clone();
        Ok(Known { config, plugin, worker, topic, traces })
    }

    async fn seat(&self) -> Result<OwnedSemaphorePermit, Refusal> {
        let seat = timeout(WAIT, Arc::clone(&self.shared.readers.all).acquire_owned()).await;
        // The semaphore is never closed.
        seat.map_err(|_| Refusal::TimedOut(READING.to_owned()))?.map_err(|_| Refusal::Stopping)
    }
}

/// The properties of the consumer that reads letters: the worker's own, its `consumer.*`, and the connector's
/// `consumer.override.*`.
fn consumer(known: &Known) -> Result<BTreeMap<String, String>, Refusal> {
    let mut all = known.worker.clone();
    all.extend(client::under("consumer.", &known.worker));
    all.extend(known.config.under("consumer.override.").map(|(name, value)| (name.to_owned(), value.to_owned())));
    let mapped = client::internal(Client::Consumer, &all);
    match mapped.refusals.first() {
        // The configuration may be right, and the file in the middle of its renewal.
        Some(refusal) if refusal.of_file => Err(Refusal::Failed(refusal.to_string())),
        Some(refusal) => Err(Refusal::Invalid(refusal.to_string())),
        None => Ok(mapped.client),
    }
}

/// What a replay works with.
struct Made {
    single: Single,
    sink: Arc<dyn sink::Sink>,
    outcomes: Arc<Outcomes>,
    /// Ends the waiting of a converter for its registry.
    stop: watch::Sender<bool>,
}

/// Makes chain, converters and producer anew, as a task that starts now would. The error is a trace.
async fn make(name: &str, known: &Known, fence: Arc<Fence>) -> Result<Made, String> {
    let trace = |error: TaskError| error.trace;
    let Known { config, plugin, worker, traces, .. } = known;
    let build::Parts { chain, key, value, header, context } =
        build::parts(plugin, config, worker, traces).await.map_err(trace)?;
    let outcomes = Arc::<Outcomes>::default();
    let settings = build::producer(format!("connector-dead-letters-{name}-0"), config, worker, fence);
    let delivery = outcomes.delivery();
    let sink = build::made(move || sink::open(settings, delivery)).await.map_err(|error| error.to_string())?;
    let topics = match build::creation(config, worker).map_err(trace)? {
        Some(creation) => {
            let made = build::topics(&format!("dead-letters-{name}"), config, worker, creation).await;
            Some(made.map_err(trace)?)
        }
        None => None,
    };
    let tray = Tray::new(Arc::clone(&sink));
    let (stop, stopped) = watch::channel(false);
    let meters = Arc::new(Meters::new(name.into()));
    // Nothing is tolerated: what fails is refused with its reason.
    let tolerance = Tolerance::default();
    let attempts = Attempts::new(tolerance.retry, Handle::current(), stopped, Arc::clone(&meters), Arc::default());
    let pipeline = Pipeline {
        chain,
        key,
        value,
        header,
        context,
        sink: Arc::clone(&tray) as _,
        ledger: Arc::<Ledger>::default(),
        topics: Arc::new(NewTopics::new(Arc::clone(&tray) as _, topics, Arc::<AtomicU64>::default())),
        reporter: Arc::new(Reporter {
            connector: name.into(),
            tolerance,
            partition: (plugin.partition)(config),
            offset: plugin.offset,
            meters,
        }),
        attempts,
        letters: None,
        turns: None,
        spans: None,
    };
    Ok(Made { single: Single::new(pipeline, tray), sink, outcomes, stop })
}

/// Does the work on a thread of its own. The thread ends by itself soon after its deadline; the process need not wait for it.
async fn apart<T: Send + 'static>(
    seat: OwnedSemaphorePermit,
    work: impl FnOnce(Instant) -> Result<T, ReplayError> + Send + 'static,
) -> Result<T, Refusal> {
    let (done, answer) = oneshot::channel();
    let handle = Handle::current();
    let body = move || {
        let _in_context = handle.enter();
        let outcome = defect::catch(|| work(Instant::now() + WAIT));
        drop(seat);
        // Whoever asked may have stopped waiting.
        let _ = done.send(outcome);
    };
    let thread = std::thread::Builder::new().name("dead-letters-read".to_owned()).spawn(body);
    thread.map_err(|error| Refusal::Failed(format!("no thread for the dead letters: {error}")))?;
    match timeout(WAIT + MORE, answer).await {
        Ok(Ok(Ok(Ok(done)))) => Ok(done),
        Ok(Ok(Ok(Err(error)))) => Err(Refusal::Failed(error.to_string())),
        Ok(Ok(Err(defect))) => Err(Refusal::Failed(defect.trace("the reading of dead letters"))),
        Ok(Err(_)) => Err(Refusal::Stopping),
        Err(_) => Err(Refusal::TimedOut(READING.to_owned())),
    }
}
