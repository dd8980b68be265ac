//! A task at work: the connector's future, the pipeline's thread and the committer, started and stopped together.
//!
//! On a stop the connector closes its end first. Then the pipeline takes what is left, the sink flushes, the last position is
//! stored, and only then the connector confirms it to the source and ends.

use std::sync::Arc;
use std::time::Duration;

use relational::{Meters, Outlet, Standing, TaskError};
use retry::{Backoff, Outlook};
use tokio::runtime::Handle;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{Instant, timeout};

use super::begin::{Begun, Ending, begin, ending};
use super::build::{self, Built, Parts};
use super::starting::Starting;
use super::{Slot, TaskEvent, TaskSpec, Worker};
use crate::runtime::committer::{Committer, Place, Strategy};
use crate::runtime::defect::{self, Defect};
use crate::runtime::delivery::{Alarm, Deliveries};
use crate::runtime::exactly_once::{self, Boundary, Transactions, Turns};
use crate::runtime::failpoint;
use crate::runtime::failure::Failure;
use crate::runtime::history;
use crate::runtime::ledger::{Acknowledged, Ledger};
use crate::runtime::letters::Sender;
use crate::runtime::letters::desk::Desk;
use crate::runtime::letters::post::{self, Post};
use crate::runtime::owner::Fence;
use crate::runtime::pipeline::{Attempts, Awaited, Letters, Pipeline, Spans};
use crate::runtime::tolerance::{Reporter, Tolerance};
use crate::runtime::topics::NewTopics;
use crate::runtime::traces::Waiting;
use crate::runtime::trail::Trail;
use crate::sink::Sink;
use crate::sink::transactional::USUAL_TIMEOUT;

/// How often the task looks whether there is something to store or to report.
const LOOK: Duration = Duration::from_millis(50);
/// How many batches can be under way between the reader and the pipeline.
const DEPTH: usize = 8;
/// The first and the longest pause before a task begins anew.
const PAUSES: (Duration, Duration) = (Duration::from_millis(500), Duration::from_secs(10));
/// How often a task begins anew without having committed anything in between. Two producers that take the transactional id from
/// each other would never end.
const IN_VAIN: u32 = 20;

/// The connector's future, which ends when this is dropped: dropping a `JoinHandle` alone would let it go on.
struct Connector(JoinHandle<Result<(), TaskError>>);

impl Drop for Connector {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Runs a task to its end and reports how it ended. The sink is put into `slot`, so that the task can be cancelled. With
/// exactly-once delivery a task whose transaction failed begins anew, from the offset that is committed.
pub(super) async fn drive(spec: TaskSpec, worker: Arc<Worker>, mut stop: watch::Receiver<bool>, slot: Arc<Slot>) {
    let (events, meters) = (spec.events.clone(), Arc::clone(&spec.meters));
    let (mut backoff, mut in_vain, mut is_fenced) = (Backoff::new(PAUSES.0, PAUSES.1), 0, false);
    let mut copy_timeout = exactly_once::COPY_TIMEOUT;
    let starting = Starting::of(&spec, &worker);
    let outcome = loop {
        let way = (stop.clone(), Arc::clone(&slot), starting.clone());
        let running = run(spec.clone(), Arc::clone(&worker), way, copy_timeout);
        let ended = defect::caught(running).await.unwrap_or_else(|defect| {
            // A pipeline that waits in the sink returns.
            slot.stop();
            Err(Ending::Failed(TaskError { trace: defect.trace("the task"), outlook: Outlook::Unknown }))
        });
        let (mut error, got_on) = match ended {
            Ok(()) => break Ok(()),
            Err(Ending::Failed(error)) => break Err(error),
            Err(Ending::TooLong) => {
                copy_timeout = USUAL_TIMEOUT;
                continue;
            }
            Err(Ending::Anew { error, got_on }) => (error, got_on),
        };
        if got_on {
            backoff.reset();
            (in_vain, is_fenced) = (0, false);
        }
        in_vain += 1;
        is_fenced |= error.outlook == Outlook::CannotPass;
        if in_vain > IN_VAIN {
            if is_fenced {
                // The last attempt may have ended for another reason, but it would go on like this.
                error.outlook = Outlook::CannotPass;
            }
            break Err(error);
        }
        let pause = backoff.pause();
        tracing::warn!(connector = %spec.connector, pause_ms = pause.as_millis(), "the task begins anew with another producer, from \
            the offset that is committed: {error}");
        // Fails when the supervisor has gone: then nobody wants to know.
        let _ = events.send(TaskEvent::Waiting { trace: error.trace.into() });
        if timeout(pause, stop.wait_for(|stop| *stop)).await.is_ok() {
            break Ok(());
        }
    };
    meters.complain(true);
    if let Err(error) = outcome {
        starting.failed(&error);
        // Fails when the supervisor has gone: then nobody wants to know.
        let _ = events.send(TaskEvent::Failed(error));
    }
}

async fn run(
    spec: TaskSpec,
    worker: Arc<Worker>,
    (stop, slot, starting): (watch::Receiver<bool>, Arc<Slot>, Starting),
    copy_timeout: Duration,
) -> Result<(), Ending> {
    let (ledger, alarm, meters) = (Arc::<Ledger>::default(), Arc::<Alarm>::default(), Arc::clone(&spec.meters));
    let partition = (spec.plugin.partition)(&spec.config);
    let mut tolerance = Tolerance::of(&spec.config);
    if worker.exactly_once.is_some() {
        // A record that the broker refuses ends its transaction, so none can be left out.
        tolerance.keeps_undelivered();
    }
    let reporter = Arc::new(Reporter {
        connector: Arc::clone(&spec.connector),
        tolerance,
        partition: partition.clone(),
        offset: spec.plugin.offset,
        meters: Arc::clone(&meters),
    });
    let settings = reporter.tolerance.letters.clone();
    let (inbox, letters) = settings
        .map(|settings| {
            let (post, inbox, refused) = Post::new(Arc::clone(&ledger), Arc::clone(&alarm), Arc::clone(&meters));
            let (connector, partition) = (Arc::clone(&spec.connector), partition.clone());
            let sender = Arc::new(Sender { connector, partition, offset: spec.plugin.offset });
            let desk = || Desk::new(Arc::clone(&settings), Arc::clone(&sender), Arc::clone(&post));
            (inbox, (desk(), desk(), post, refused))
        })
        .unzip();
    let waiting = worker.traces.is_on().then(Arc::<Waiting>::default);
    let deliveries = Deliveries {
        ledger: Arc::clone(&ledger),
        reporter: Arc::clone(&reporter),
        alarm: Arc::clone(&alarm),
        letters: inbox,
        waiting: waiting.clone(),
    };
    let delivery = Box::new(move |seq, outcome: Result<(), crate::sink::Undelivered<'_>>| {
        deliveries.settle(seq, outcome);
    });
    let Some(begun) = begin(&spec, &worker, &partition, (&stop, &slot), delivery, copy_timeout).await? else {
        return Ok(());
    };
    let Begun { built, offsets, offset } = begun;
    let Built { sink, timeout, parts, topics, letter_topics } = built;
    let Parts { chain, key, value, header, context } = parts;
    let (letters, post) = letters
        .map(|(desk, of_refused, post, refused)| {
            let context = Arc::clone(&context.headers);
            post::serve(refused, Arc::clone(&post), of_refused, Arc::downgrade(&sink), context)
                .map_err(|error| no_thread("the dead letters", &error))?;
            Ok::<_, Ending>((Letters { desk, make: letter_topics }, post))
        })
        .transpose()?
        .unzip();
    let offsets_topic = offsets.topic().filter(|_| sink.is_transactional());
    let topics = NewTopics::new(Arc::clone(&sink), topics, Arc::clone(&spec.resets)).forbidding(offsets_topic);
    let topics = Arc::new(topics);
    let turns = sink.is_transactional().then(Arc::<Turns>::default);

    // The supervisor stops the connector, or this task does when the pipeline fails.
    let (inner_stop, inner_stopped) = watch::channel(*stop.borrow());
    let retry = reporter.tolerance.retry;
    let awaited = Arc::<Awaited>::default();
    let attempts =
        Attempts::new(retry, Handle::current(), inner_stopped.clone(), Arc::clone(&meters), Arc::clone(&awaited));
    let (mut outlet, ends) =
        Outlet::new(Arc::clone(&spec.connector), offset, inner_stopped, &worker.budget, DEPTH, Arc::clone(&meters));
    if spec.plugin.keeps_history {
        let opened = history::open(&spec.connector, &spec.config, Arc::clone(&spec.fence));
        outlet.history = Some(opened.map_err(Ending::Failed)?);
    }
    outlet.copies_are_whole = turns.is_some();
    outlet.notes_times = waiting.is_some();
    let connector = Connector(tokio::spawn({
        let (name, running) = (Arc::clone(&spec.connector), (spec.plugin.start)(spec.config.clone(), outlet));
        async move {
            let running = async move {
                failpoint::reach("connector", &name);
                running.await
            };
            let panicked = |defect: Defect| {
                let trace = defect.trace("the connector's task");
                Err(TaskError { trace, outlook: Outlook::Unknown })
            };
            defect::caught(running).await.unwrap_or_else(panicked)
        }
    }));
    let trail = reporter.tolerance.trail.clone().filter(|_| letters.is_some());
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
        turns: turns.clone(),
        letters,
        spans: Spans::of(&worker.traces, &spec.connector, waiting.as_ref()),
    };
    let (ended, pipeline_ended) = oneshot::channel();
    std::thread::Builder::new()
        .name("pipeline".to_owned())
        .spawn(move || {
            let outcome = defect::catch(|| pipeline.run(ends.records));
            // The receiver is gone when the task was cancelled.
            let _ = ended.send(outcome.unwrap_or_else(|defect| Err(Failure::defect(&defect))));
        })
        .map_err(|error| no_thread("the task", &error))?;

    let place = Place { connector: Arc::clone(&spec.connector), partition, offset: spec.plugin.offset };
    let fence = Arc::clone(&spec.fence);
    let transactions = turns.map(|turns| {
        let boundary = Boundary::of(&spec.config, worker.flush_interval);
        Transactions::new((Arc::clone(&sink), turns), offsets.clone(), boundary, timeout)
    });
    let strategy = match transactions.clone() {
        None => Strategy::AtLeastOnce(offsets),
        Some(transactions) => Strategy::ExactlyOnce(transactions, Arc::clone(&alarm)),
    };
    let committer = Committer::new(
        place,
        strategy,
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
            trail,
            waiting,
            starting,
            told: Standing::Starting,
        },
        fence,
        sink,
        post,
        flush_timeout: worker.flush_timeout,
    };
    let ended = running.until_ended(stop, inner_stop, ends.standing, pipeline_ended, connector, &alarm).await;
    ended.map_err(|end| match (end, &transactions) {
        (End::Of(failure), Some(transactions)) => ending(&failure, transactions.has_committed()),
        (End::Of(failure), None) => Ending::Failed(failure.end()),
        (End::Connector(error), _) => Ending::Failed(error),
    })
}

/// The system gives no thread to the process now: it has too many, or no memory.
fn no_thread(whose: &str, error: &std::io::Error) -> Ending {
    let trace = format!("{}: no thread for {whose}: {error}", build::CONNECT_EXCEPTION);
    Ending::Failed(TaskError { trace, outlook: Outlook::MayPass })
}

/// What ended a task.
enum End {
    /// A record, or the way to the broker.
    Of(Failure),
    /// The connector.
    Connector(TaskError),
}

/// A task that runs.
struct Running {
    committer: Committer,
    teller: Teller,
    fence: Arc<Fence>,
    sink: Arc<dyn Sink>,
    /// The dead letters, if the task writes any.
    post: Option<Arc<Post>>,
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
    ) -> Result<(), End> {
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
                () = self.committer.settled() => self.committer.look(),
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
        let raised = |alarm: &Alarm| {
            let raised = alarm.raised()?;
            Some(Failure::delivery(raised.cause, raised.outlook).of_the_way(raised.may_pass))
        };
        let undelivered = raised(alarm);
        // After a failed delivery nothing is flushed, but what was delivered before it is stored below and not sent again.
        if !self.fence.is_open() {
            self.sink.stop(true);
        } else if undelivered.is_none() {
            let (sink, post, within) = (Arc::clone(&self.sink), self.post.clone(), self.flush_timeout);
            // A record that the broker refuses meanwhile still gets its letter.
            let flush = move || sink.flush(within) && post.is_none_or(|post| post.finish(within));
            let _ = tokio::task::spawn_blocking(flush).await;
        }
        let mut failure = undelivered.or(outcome.err().filter(|failure| !failure.is_stop()));
        self.committer.finish(self.flush_timeout, failure.is_some()).await;
        failure = failure.or_else(|| raised(alarm).filter(|_| self.sink.is_transactional()));
        self.teller.progress();
        let mut connector = connector;
        let ended = tokio::time::timeout(self.flush_timeout, &mut connector.0).await;
        drop(connector);
        self.sink.stop(true);
        if let Some(failure) = failure {
            return Err(End::Of(failure));
        }
        match ended {
            Ok(Ok(Err(error))) => Err(End::Connector(error)),
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
    /// Where records come from, if their batches are kept for dead letters.
    trail: Option<Arc<Trail>>,
    /// The batches under way, where traces are made of them.
    waiting: Option<Arc<Waiting>>,
    starting: Starting,
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
            Standing::Running => {
                self.starting.runs();
                TaskEvent::Running
            }
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
        if let Some(trail) = &self.trail {
            trail.release(|seq| self.ledger.covers(seq));
        }
        if let Some(waiting) = &self.waiting {
            waiting.settle(|seq| self.ledger.covers(seq));
        }
        for topic in self.topics.acknowledged(|seq| self.ledger.covers(seq)) {
            let _ = self.events.send(TaskEvent::Topic(topic));
        }
        let Acknowledged { polled, sent, oldest_ms } = self.ledger.acknowledged();
        self.meters.count(|numbers| {
            numbers.oldest_under_way_ms = oldest_ms;
            if polled > 0 {
                let now = Instant::now();
                numbers.under_way = numbers.under_way.saturating_sub(polled);
                numbers.active.add(now, numbers.under_way as f64);
                numbers.written += sent;
                numbers.writes.add(now, sent as f64);
            }
        });
        self.meters.complain(false);
    }
}
