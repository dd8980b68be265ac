//! One running task: the connector's future, the pipeline's thread and the committer, started and stopped together.
//!
//! Order of confirmation: delivered, then stored, then told to the source. On a stop the connector closes its end first;
//! the pipeline drains, the sink flushes, the last position is stored, and only then the connector confirms and ends.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use relational::{Budget, Outlet, Standing, TaskError};
use serde_json::{Map, Value as Json};
use settings::Properties;
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::Instant;

use super::defect::{self, Defect};
use super::failpoint;
use super::failure::Failure;
use super::ledger::{Committable, Ledger};
use super::owner::Fence;
use super::parts::{self, Parts};
use super::pipeline::{Pipeline, Tolerance, left_out};
use super::topics::NewTopics;
use crate::plugins::Plugin;
use crate::sink::{KafkaSink, Sink};
use crate::store::{Offsets, Pending, StoreError};

/// How often the committer looks whether there is something to do.
const LOOK: Duration = Duration::from_millis(50);
/// Offsets are stored at least this often while something is new, whatever `offset.flush.interval.ms` says: what is
/// stored late is repeated after a crash, and keeps the database's log.
const COMMIT_AT_LEAST: Duration = Duration::from_secs(5);
/// Batches under way between the reader and the pipeline.
const DEPTH: usize = 8;

/// What a task tells its supervisor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TaskEvent {
    /// The connector has started, and nothing is in its way.
    Running,
    /// Something is in its way that passes by itself; it goes on trying. The text is as a failure's.
    Waiting {
        /// For `status.trace`.
        trace: Arc<str>,
    },
    /// Ended for good. The text is the trace: `class: message` first, then reason and remedy, in Java's form.
    Failed {
        /// For `status.trace`.
        trace: String,
    },
    /// A first record of this topic was acknowledged.
    Topic(Arc<str>),
}

/// What all tasks of a process share.
#[derive(Clone)]
pub struct Worker {
    /// The worker's properties as they stand after layering.
    pub properties: BTreeMap<String, String>,
    /// The stored offsets.
    pub offsets: Offsets,
    /// The byte budget of the process.
    pub budget: Budget,
    /// `offset.flush.interval.ms`.
    pub flush_interval: Duration,
    /// `offset.flush.timeout.ms`.
    pub flush_timeout: Duration,
}

/// What to run.
pub struct TaskSpec {
    /// The connector's name.
    pub connector: Arc<str>,
    /// Its configuration, variables resolved.
    pub config: Properties,
    /// Its class.
    pub plugin: &'static Plugin,
    /// Whether this process may produce.
    pub fence: Arc<Fence>,
    /// Counts resets of topics (`PUT /connectors/C/topics/reset`): after one, topics are told again at their next record.
    pub resets: Arc<AtomicU64>,
    /// Where events go.
    pub events: mpsc::UnboundedSender<TaskEvent>,
}

/// A task that runs. Dropping it cancels the task: nothing is flushed, nothing stored.
pub struct TaskHandle {
    stop: watch::Sender<bool>,
    sink: Arc<OnceLock<Arc<KafkaSink>>>,
    done: JoinHandle<()>,
}

impl TaskHandle {
    /// Stops reading, flushes, commits offsets, confirms the position; gives up waiting after `grace` (then the task is
    /// cancelled without a commit, as Connect does). True when it ended in time.
    pub async fn stop(mut self, grace: Duration) -> bool {
        let _ = self.stop.send(true);
        if tokio::time::timeout(grace, &mut self.done).await.is_ok() {
            return true;
        }
        self.cancel();
        false
    }

    /// Ends the task at once: nothing is flushed, nothing stored.
    pub fn cancel(&self) {
        if let Some(sink) = self.sink.get() {
            sink.stop(true);
        }
        self.done.abort();
    }
}

impl Drop for TaskHandle {
    fn drop(&mut self) {
        if !self.done.is_finished() {
            self.cancel();
        }
    }
}

/// Ends the connector's future with the task that waits for it: dropped alone, it would go on by itself.
struct Connector(JoinHandle<Result<(), TaskError>>);

impl Drop for Connector {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Starts a task. What happens to it is told through the spec's events.
pub fn start(spec: TaskSpec, worker: Arc<Worker>) -> TaskHandle {
    let (stop, stopped) = watch::channel(false);
    let sink = Arc::new(OnceLock::new());
    let done = tokio::spawn(drive(spec, worker, stopped, Arc::clone(&sink)));
    TaskHandle { stop, sink, done }
}

async fn drive(spec: TaskSpec, worker: Arc<Worker>, stop: watch::Receiver<bool>, slot: Arc<OnceLock<Arc<KafkaSink>>>) {
    let events = spec.events.clone();
    let outcome = defect::caught(run(spec, worker, stop, Arc::clone(&slot))).await.unwrap_or_else(|defect| {
        if let Some(sink) = slot.get() {
            // Whoever sends there returns.
            sink.stop(true);
        }
        Err(defect.trace("the task"))
    });
    if let Err(trace) = outcome {
        // The supervisor has gone: then nobody wants to know.
        let _ = events.send(TaskEvent::Failed { trace });
    }
}

/// The first delivery that failed, and the alarm for it.
#[derive(Default)]
struct Alarm {
    failed: AtomicBool,
    failure: Mutex<Option<String>>,
}

impl Alarm {
    fn raise(&self, text: String) {
        if !self.failed.swap(true, Ordering::AcqRel) {
            *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(text);
        }
    }

    fn take(&self) -> Option<String> {
        if !self.failed.load(Ordering::Acquire) {
            return None;
        }
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

async fn run(
    spec: TaskSpec,
    worker: Arc<Worker>,
    stop: watch::Receiver<bool>,
    slot: Arc<OnceLock<Arc<KafkaSink>>>,
) -> Result<(), String> {
    let (ledger, alarm) = (Arc::new(Ledger::new()), Arc::new(Alarm::default()));
    let tolerance = Tolerance::of(&spec.config);
    let Parts { sink, chain, key, value, header, context, topics } = {
        let (ledger, alarm) = (Arc::clone(&ledger), Arc::clone(&alarm));
        let (trail, connector, offset) = (tolerance.all.clone(), Arc::clone(&spec.connector), spec.plugin.offset);
        parts::build(
            &spec,
            &worker,
            Box::new(move |seq, outcome| match outcome {
                Ok(()) => ledger.done(seq),
                Err(error) => match &trail {
                    Some(trail) if error.is_of_the_record() => {
                        let what = Failure::delivery(error.to_string()).log_line(&connector);
                        left_out(&connector, error.topic(), &trail.of(seq), offset, &what);
                        ledger.done(seq);
                    }
                    _ => alarm.raise(error.to_string()),
                },
            }),
        )
        .await?
    };
    let _ = slot.set(Arc::clone(&sink));
    let topics = Arc::new(NewTopics::new(Arc::clone(&sink), topics, Arc::clone(&spec.resets)));
    let partition = (spec.plugin.partition)(&spec.config);
    let offset = worker.offsets.get(&spec.connector, &partition);

    // The connector is stopped by the supervisor, or by us when the pipeline fails.
    let (inner_stop, inner_stopped) = watch::channel(*stop.borrow());
    let (outlet, ends) = Outlet::new(Arc::clone(&spec.connector), offset, inner_stopped, &worker.budget, DEPTH);
    let connector = Connector(tokio::spawn({
        let (name, running) = (Arc::clone(&spec.connector), (spec.plugin.start)(spec.config.clone(), outlet));
        async move {
            let running = async move {
                failpoint::reach("connector", &name);
                running.await
            };
            let panicked = |defect: Defect| Err(TaskError { trace: defect.trace("the connector's task") });
            defect::caught(running).await.unwrap_or_else(panicked)
        }
    }));
    let pipeline = Pipeline {
        connector: Arc::clone(&spec.connector),
        chain,
        key,
        value,
        header,
        context,
        sink: Arc::clone(&sink),
        ledger: Arc::clone(&ledger),
        topics: Arc::clone(&topics),
        tolerance,
        offset: spec.plugin.offset,
        handle: Handle::current(),
    };
    let (ended, pipeline_ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("pipeline".to_owned())
        .spawn(move || {
            let outcome = defect::catch(|| pipeline.run(ends.records));
            // The receiver is gone when the task was cancelled.
            let _ = ended.send(outcome.unwrap_or_else(|defect| Err(Failure::defect(&defect))));
        })
        .map_err(|error| {
            format!("org.apache.kafka.connect.errors.ConnectException: no thread for the task: {error}")
        })?;

    let mut committer = Committer {
        spec,
        worker,
        partition,
        ledger,
        topics,
        sink,
        stored: ends.stored,
        last: Instant::now(),
        told: Standing::Starting,
        writing: None,
    };
    committer.until_ended(stop, inner_stop, ends.standing, pipeline_ended, connector, &alarm).await
}

/// The answer to the write under way; never, while there is none.
async fn written(writing: &mut Option<(Committable, Pending)>) -> Result<(), StoreError> {
    match writing {
        Some((_, pending)) => pending.await,
        None => std::future::pending().await,
    }
}

/// Stores what may be stored, and sees the task to its end.
struct Committer {
    spec: TaskSpec,
    worker: Arc<Worker>,
    partition: Map<String, Json>,
    ledger: Arc<Ledger>,
    topics: Arc<NewTopics>,
    sink: Arc<KafkaSink>,
    stored: watch::Sender<Option<record::Position>>,
    last: Instant,
    /// The position that is being stored; one at a time.
    writing: Option<(Committable, Pending)>,
    /// How the task stands, as the supervisor was told last.
    told: Standing,
}

impl Committer {
    async fn until_ended(
        &mut self,
        mut stop: watch::Receiver<bool>,
        inner_stop: watch::Sender<bool>,
        mut standing: watch::Receiver<Standing>,
        mut pipeline: oneshot::Receiver<Result<(), Failure>>,
        connector: Connector,
        alarm: &Alarm,
    ) -> Result<(), String> {
        let mut look = tokio::time::interval(LOOK);
        look.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        let (mut has_ended, mut is_stopping) = (false, false);
        let outcome = loop {
            tokio::select! {
                biased;
                result = &mut pipeline => break result.unwrap_or(Ok(())),
                changed = standing.changed(), if !has_ended => {
                    has_ended = changed.is_err();
                    if !has_ended && !is_stopping {
                        self.tell_standing(standing.borrow_and_update().clone());
                    }
                }
                // A closed channel means that the handle was dropped: that is a stop too.
                () = async { drop(stop.wait_for(|stop| *stop).await) }, if !is_stopping => {
                    is_stopping = true;
                    let _ = inner_stop.send(true);
                }
                result = written(&mut self.writing) => self.wrote(result),
                _ = look.tick() => {
                    if alarm.take().is_some() {
                        // The sink's senders return, so the pipeline ends and the connector with it.
                        self.sink.stop(false);
                        let _ = inner_stop.send(true);
                    }
                    self.look();
                    if !has_ended && !is_stopping {
                        self.tell_standing(standing.borrow().clone());
                    }
                }
            }
        };
        // Nothing more comes: what is under way is delivered, stored, and told to the source.
        let _ = inner_stop.send(true);
        let undelivered = alarm.take().map(Failure::delivery);
        // What was sent before a record that cannot be is as good as ever: it need not come again.
        if !self.spec.fence.is_open() {
            self.sink.stop(true);
        } else if undelivered.is_none() {
            let (sink, within) = (Arc::clone(&self.sink), self.worker.flush_timeout);
            let _ = tokio::task::spawn_blocking(move || sink.flush(within)).await;
        }
        let failure = undelivered.or(outcome.err().filter(|failure| !failure.is_stop()));
        // With the broker away nothing can be stored: then the next start repeats what was not.
        let within = self.worker.flush_timeout;
        let _ = tokio::time::timeout(within, self.commit_last()).await;
        self.tell_topics();
        drop(std::mem::replace(&mut self.stored, watch::channel(None).0));
        let mut connector = connector;
        let ended = tokio::time::timeout(self.worker.flush_timeout, &mut connector.0).await;
        drop(connector);
        self.sink.stop(true);
        if let Some(failure) = failure {
            return Err(failure.trace());
        }
        match ended {
            Ok(Ok(Err(error))) => Err(error.trace),
            _ => Ok(()),
        }
    }

    /// Tells how the task stands, if that is news: what is in the connector's way first, then what is in the sink's.
    fn tell_standing(&mut self, standing: Standing) {
        let standing = match standing {
            Standing::Running => match self.topics.waits().or_else(|| self.broker_away()) {
                Some(trace) => Standing::Waiting(trace),
                None => Standing::Running,
            },
            other => other,
        };
        if standing == self.told {
            return;
        }
        self.told = standing;
        let event = match &self.told {
            Standing::Starting => return,
            Standing::Running => TaskEvent::Running,
            Standing::Waiting(trace) => TaskEvent::Waiting { trace: Arc::clone(trace) },
        };
        // The supervisor has gone: then nobody wants to know.
        let _ = self.spec.events.send(event);
    }

    fn broker_away(&self) -> Option<Arc<str>> {
        let why = self.sink.away()?;
        let trace = format!(
            "org.apache.kafka.common.errors.TimeoutException: no Kafka broker can be reached: {why}\nReason: records wait \
             in the producer's queue and nothing is lost; they are sent as soon as a broker answers. Check that Kafka runs \
             and that bootstrap.servers and the producer's security settings are right.",
        );
        Some(trace.into())
    }

    fn look(&mut self) {
        let every = self.worker.flush_interval.min(COMMIT_AT_LEAST);
        if self.writing.is_none() && (self.ledger.awaited() || self.last.elapsed() >= every) {
            self.commit();
        }
        self.tell_topics();
    }

    /// Waits for the write under way, and stores what was delivered since.
    async fn commit_last(&mut self) {
        self.settle().await;
        self.commit();
        self.settle().await;
    }

    async fn settle(&mut self) {
        if self.writing.is_some() {
            let result = written(&mut self.writing).await;
            self.wrote(result);
        }
    }

    fn tell_topics(&self) {
        let below = self.ledger.done_below();
        for topic in self.topics.acknowledged(below) {
            let _ = self.spec.events.send(TaskEvent::Topic(topic));
        }
    }

    /// Begins to store the last position that may be stored. The answer may take as long as the broker is away, so
    /// nobody waits for it here.
    fn commit(&mut self) {
        self.last = Instant::now();
        let committable = self.ledger.committable();
        let upto = committable.upto;
        let Some(position) = &committable.position else {
            self.ledger.stored(upto);
            return;
        };
        if !self.spec.fence.is_open() {
            self.ledger.put_back(committable);
            return;
        }
        let offset = (self.spec.plugin.offset)(position);
        let pending = self.worker.offsets.write(&self.spec.connector, [(&self.partition, Some(&offset))]);
        self.writing = Some((committable, pending));
    }

    /// A write is over: the connector is told, or the position is put back.
    fn wrote(&mut self, result: Result<(), StoreError>) {
        let Some((committable, _)) = self.writing.take() else { return };
        match result {
            Ok(()) => {
                self.stored.send_replace(committable.position.clone());
                self.ledger.stored(committable.upto);
            }
            Err(error) => {
                tracing::warn!(connector = %self.spec.connector, %error,
                    "the offset could not be stored; it is tried again, and nothing is confirmed to the source meanwhile");
                self.ledger.put_back(committable);
            }
        }
    }
}
