//! A task at work: the connector's future, the pipeline's thread and the committer, started and stopped together.
//!
//! On a stop the connector closes its end first. Then the pipeline takes what is left, the sink flushes, the last position is
//! stored, and only then the connector confirms it to the source and ends.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use relational::{Meters, Outlet, Standing, TaskError};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::build::{self, Built};
use super::{TaskEvent, TaskSpec, Worker};
use crate::runtime::committer::{Committer, Place, Strategy};
use crate::runtime::defect::{self, Defect};
use crate::runtime::delivery::{Alarm, Deliveries};
use crate::runtime::failpoint;
use crate::runtime::failure::Failure;
use crate::runtime::ledger::Ledger;
use crate::runtime::owner::Fence;
use crate::runtime::pipeline::{Attempts, Awaited, Pipeline};
use crate::runtime::tolerance::{Reporter, Tolerance};
use crate::runtime::topics::NewTopics;
use crate::sink::Sink;

/// How often the task looks whether there is something to store or to report.
const LOOK: Duration = Duration::from_millis(50);
/// How many batches can be under way between the reader and the pipeline.
const DEPTH: usize = 8;

/// The connector's future, which ends when this is dropped: dropping a `JoinHandle` alone would let it go on.
struct Connector(JoinHandle<Result<(), TaskError>>);

impl Drop for Connector {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a task to its end and reports how it ended. The sink is put into `slot`, so that the task can be cancelled.
pub(super) async fn drive(
    spec: TaskSpec,
    worker: Arc<Worker>,
    stop: watch::Receiver<bool>,
    slot: Arc<OnceLock<Arc<dyn Sink>>>,
) {
    let (events, meters) = (spec.events.clone(), Arc::clone(&spec.meters));
    let outcome = defect::caught(run(spec, worker, stop, Arc::clone(&slot))).await.unwrap_or_else(|defect| {
        if let Some(sink) = slot.get() {
            // A pipeline that waits in the sink returns.
            sink.stop(true);
        }
        Err(defect.trace("the task"))
    });
    meters.complain(true);
    if let Err(trace) = outcome {
        // Fails when the supervisor has gone: then nobody wants to know.
        let _ = events.send(TaskEvent::Failed { trace });
    }
}

async fn run(
    spec: TaskSpec,
    worker: Arc<Worker>,
    stop: watch::Receiver<bool>,
    slot: Arc<OnceLock<Arc<dyn Sink>>>,
) -> Result<(), String> {
    let (ledger, alarm, meters) = (Arc::<Ledger>::default(), Arc::<Alarm>::default(), Arc::clone(&spec.meters));
    let partition = (spec.plugin.partition)(&spec.config);
    let reporter = Arc::new(Reporter {
        connector: Arc::clone(&spec.connector),
        tolerance: Tolerance::of(&spec.config),
        partition: partition.clone(),
        offset: spec.plugin.offset,
        meters: Arc::clone(&meters),
    });
    let deliveries =
        Deliveries { ledger: Arc::clone(&ledger), reporter: Arc::clone(&reporter), alarm: Arc::clone(&alarm) };
    let delivery = Box::new(move |seq, outcome: Result<(), crate::sink::Undelivered<'_>>| {
        deliveries.settle(seq, outcome);
    });
    let Built { sink, chain, key, value, header, context, topics } = build::build(&spec, &worker, delivery).await?;
    let _ = slot.set(Arc::clone(&sink));
    let topics = Arc::new(NewTopics::new(Arc::clone(&sink), topics, Arc::clone(&spec.resets)));
    let offset = worker.offsets.get(&spec.connector, &partition);

    // The supervisor stops the connector, or this task does when the pipeline fails.
    let (inner_stop, inner_stopped) = watch::channel(*stop.borrow());
    let retry = reporter.tolerance.retry;
    let awaited = Arc::<Awaited>::default();
    let attempts =
        Attempts::new(retry, Handle::current(), inner_stopped.clone(), Arc::clone(&meters), Arc::clone(&awaited));
    let (outlet, ends) =
        Outlet::new(Arc::clone(&spec.connector), offset, inner_stopped, &worker.budget, DEPTH, Arc::clone(&meters));
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
        chain,
        key,
        value,
        header,
        context,
        sink: Arc::clone(&sink),
        ledger: Arc::clone(&ledger),
        topics: Arc::clone(&topics),
        reporter,
        attempts,
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

    let place = Place { connector: Arc::clone(&spec.connector), partition, offset: spec.plugin.offset };
    let fence = Arc::clone(&spec.fence);
    let committer = Committer::new(
        place,
        Strategy::AtLeastOnce(worker.offsets.clone()),
        (Arc::clone(&ledger), Arc::clone(&fence), Arc::clone(&meters)),
        worker.flush_interval,
        ends.stored,
    );
    let mut running = Running {
        committer,
        teller: Teller {
            events: spec.events,
            ledger,
            topics,
            awaited,
            sink: Arc::clone(&sink),
            meters,
            told: Standing::Starting,
        },
        fence,
        sink,
        flush_timeout: worker.flush_timeout,
    };
    running.until_ended(stop, inner_stop, ends.standing, pipeline_ended, connector, &alarm).await
}

/// A task that runs.
struct Running {
    committer: Committer,
    teller: Teller,
    fence: Arc<Fence>,
    sink: Arc<dyn Sink>,
    flush_timeout: Duration,
}

impl Running {
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
                        self.teller.standing(standing.borrow_and_update().clone());
                    }
                }
                // An error means that the handle was dropped: that is a stop too.
                () = async { drop(stop.wait_for(|stop| *stop).await) }, if !is_stopping => {
                    is_stopping = true;
                    let _ = inner_stop.send(true);
                }
                () = self.committer.settled() => {}
                _ = look.tick() => {
                    if alarm.raised().is_some() {
                        // A pipeline that waits in the sink returns and ends, and the connector with it.
                        self.sink.stop(false);
                        let _ = inner_stop.send(true);
                    }
                    self.committer.look();
                    self.teller.progress();
                    if !has_ended && !is_stopping {
                        self.teller.standing(standing.borrow().clone());
                    }
                }
            }
        };
        // Nothing more comes. What is under way is delivered, its position stored and confirmed to the source.
        let _ = inner_stop.send(true);
        let undelivered = alarm.raised().map(Failure::delivery);
        // After a failed delivery nothing is flushed, but what was delivered before it is stored below and not sent again.
        if !self.fence.is_open() {
            self.sink.stop(true);
        } else if undelivered.is_none() {
            let (sink, within) = (Arc::clone(&self.sink), self.flush_timeout);
            let _ = tokio::task::spawn_blocking(move || sink.flush(within)).await;
        }
        let failure = undelivered.or(outcome.err().filter(|failure| !failure.is_stop()));
        self.committer.finish(self.flush_timeout).await;
        self.teller.progress();
        let mut connector = connector;
        let ended = tokio::time::timeout(self.flush_timeout, &mut connector.0).await;
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
}

/// What a task shows whose position is not stored though the broker is not known to be away.
const NOT_STORED: &str = "org.apache.kafka.connect.errors.ConnectException: the position is not stored yet\nReason: the records \
    before it must be delivered, and offset.storage.topic (or the file of offset.storage.file.filename) must take the write. \
    The task goes on by itself then. Check that the topic has a leader and that this worker may write to it.";

/// Reports to the supervisor what is new.
struct Teller {
    events: mpsc::UnboundedSender<TaskEvent>,
    ledger: Arc<Ledger>,
    topics: Arc<NewTopics>,
    awaited: Arc<Awaited>,
    sink: Arc<dyn Sink>,
    meters: Arc<Meters>,
    /// What the supervisor was told last.
    told: Standing,
}

impl Teller {
    /// Reports how the task stands, if that has changed. If the connector and the sink both wait, the connector's
    /// reason is shown, except that the sink's reason says more than that a position is not stored.
    fn standing(&mut self, standing: Standing) {
        let standing = match standing {
            Standing::Running | Standing::Storing => match self.awaits() {
                Some(trace) => Standing::Waiting(trace),
                None => standing,
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
            Standing::Storing => TaskEvent::Waiting { trace: NOT_STORED.into() },
            Standing::Waiting(trace) => TaskEvent::Waiting { trace: Arc::clone(trace) },
        };
        // Fails when the supervisor has gone: then nobody wants to know.
        let _ = self.events.send(event);
    }

    /// What the pipeline or the sink waits for.
    fn awaits(&self) -> Option<Arc<str>> {
        self.topics.waits().or_else(|| self.awaited.trace()).or_else(|| self.broker_away())
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

    /// Reports the topics whose first record was acknowledged, and updates the meters.
    fn progress(&self) {
        self.ledger.advance();
        for topic in self.topics.acknowledged(|seq| self.ledger.covers(seq)) {
            let _ = self.events.send(TaskEvent::Topic(topic));
        }
        let under_way = self.ledger.under_way();
        self.meters.count(|numbers| numbers.under_way = under_way);
        self.meters.complain(false);
    }
}
