//! Keepers under a paused clock, on a store that acknowledges, refuses, or never answers.

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};
use settings::Properties;
use tokio::time::{sleep, timeout};

use super::*;
use crate::plugins;
use crate::runtime::catalog::Catalog;
use crate::runtime::fenced::Fenced;
use crate::runtime::own_offsets::OffsetTopics;
use crate::runtime::owner::Fence;
use crate::runtime::supervisor::{RestartSettings, Supervisor, SupervisorSettings};
use crate::runtime::task::TaskSpec;
use crate::store::{Entry, Fold, Log, Offsets, Pending, Store, StoreError};

mod restarts;

const MS: Duration = Duration::from_millis(1);
const S: Duration = Duration::from_secs(1);
const GRACEFUL: Duration = Duration::from_secs(5);

/// A broker in memory. What is written to a log is read back at once; a log that is away takes it and never answers.
#[derive(Default)]
struct Broker {
    folds: Mutex<HashMap<Log, Fold>>,
    away: Mutex<HashSet<Log>>,
    unanswered: Mutex<Vec<tokio::sync::oneshot::Sender<Result<(), StoreError>>>>,
    /// How many writes of configurations are still to be refused.
    refusals: AtomicU32,
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Store for Broker {
    fn follow(&self, log: Log, fold: Fold) {
        lock(&self.folds).insert(log, fold);
    }

    fn start(&self) -> Result<(), StoreError> {
        Ok(())
    }

    fn checked(&self) -> Pending {
        Pending::over(Ok(()))
    }

    fn append(&self, log: Log, entries: Vec<Entry>) -> Pending {
        if lock(&self.away).contains(&log) {
            let (done, pending) = Pending::new();
            lock(&self.unanswered).push(done);
            return pending;
        }
        let refuses = |left: u32| left.checked_sub(1);
        if log == Log::Configs && self.refusals.fetch_update(Ordering::Relaxed, Ordering::Relaxed, refuses).is_ok() {
            return Pending::over(Err(StoreError::Broker { topic: "configs".into(), reason: "not now".into() }));
        }
        if let Some(fold) = lock(&self.folds).get_mut(&log) {
            for entry in &entries {
                fold(&entry.key, entry.value.as_deref());
            }
        }
        Pending::over(Ok(()))
    }

    fn read_to_end(&self, _: Log) -> Pending {
        Pending::over(Ok(()))
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    fn abandon(&self) {}

    fn close(&self) {}
}

/// A supervisor that owns its group, and the tasks that it starts.
struct World {
    broker: Arc<Broker>,
    supervisor: Arc<Supervisor>,
    started: mpsc::UnboundedReceiver<TaskSpec>,
    /// Whether tasks that are told to stop end only when they are cancelled.
    are_stuck: Arc<AtomicBool>,
}

impl World {
    fn new() -> Self {
        let broker = Arc::new(Broker::default());
        let store = Fenced::new(Arc::clone(&broker) as _);
        store.begin(Arc::new(Fence::unguarded()));
        let (start, started) = mpsc::unbounded_channel();
        let are_stuck = Arc::new(AtomicBool::new(false));
        let stuck = Arc::clone(&are_stuck);
        let launch = move |spec: TaskSpec| {
            assert!(!spec.config.contains("panics.at.launch"), "a defect");
            start.send(spec).expect("the test listens");
            let stuck = Arc::clone(&stuck);
            let stop = move |grace: Duration| -> plugins::Boxed<bool> {
                Box::pin(async move {
                    if stuck.load(Ordering::Relaxed) {
                        sleep(grace).await;
                        return false;
                    }
                    true
                })
            };
            Launched { stop: Box::new(stop) }
        };
        let asked = AtomicU32::new(0);
        let resolve = move |config: Properties| {
            assert!(!config.contains("panics.at.resolve"), "a defect");
            let times = asked.fetch_add(1, Ordering::Relaxed) + 1;
            let told = |text: &str| {
                if text.contains("${") { format!("{text}, asked {times} times") } else { text.to_owned() }
            };
            config.iter().filter_map(|(name, value)| Some((name.to_owned(), told(value?)))).collect()
        };
        let settings = SupervisorSettings {
            traces: crate::runtime::traces::Tracer::default(),
            worker_id: "h:8083".to_owned(),
            graceful_stop: GRACEFUL,
            topic_tracking: true,
            topic_tracking_reset: true,
            worker: Properties::new(),
            plugins: plugins::ALL,
            catalog: Catalog::all(),
            resolve: Arc::new(resolve),
            launch: Arc::new(launch),
            exactly_once: None,
            restarts: RestartSettings::default(),
            set_log_level: Arc::new(|_, _| {}),
        };
        let supervisor = Supervisor::new(Arc::clone(&store), OffsetTopics::of_worker(Offsets::new(store)), settings);
        Self { broker, supervisor, started, are_stuck }
    }

    fn shared(&self) -> &Arc<Shared> {
        &self.supervisor.shared
    }

    fn look(&self, name: &str, config: bool) {
        self.shared().note(name, |mailbox| {
            mailbox.put(|mail| {
                mail.look = true;
                mail.config = config;
            });
        });
    }

    /// Writes a connector's configuration to the topic.
    async fn configure(&self, name: &str, more: &[(&str, &str)]) {
        let mut config = Object::from_iter([
            ("name".to_owned(), json!(name)),
            ("connector.class".to_owned(), json!(plugins::ALL[0].class)),
        ]);
        config.extend(more.iter().map(|(key, value)| ((*key).to_owned(), Value::from(*value))));
        self.shared().configs.put_connector(name, &config, None).await.expect("taken");
        self.look(name, true);
    }

    /// Waits for the next task that is started, and has it say that it runs.
    async fn task(&mut self) -> TaskSpec {
        let spec = timeout(S * 300, self.started.recv()).await.expect("a task starts").expect("a launch");
        spec.events.send(TaskEvent::Running).expect("the keeper listens");
        spec
    }

    /// Waits until the connector (or with `task` its task) is shown in `state`; returns its trace.
    async fn shown(&self, name: &str, task: bool, state: &str) -> String {
        let statuses = &self.shared().statuses;
        let look = || statuses.read(|view| if task { view.task(name, 0) } else { view.connector(name) }.cloned());
        for _ in 0..300_000 {
            if let Some(status) = look().filter(|status| status.state == state) {
                return status.trace.unwrap_or_default();
            }
            sleep(MS).await;
        }
        panic!("{name} is not {state} but {:?}", look());
    }
}

#[tokio::test(start_paused = true)]
async fn a_status_that_nobody_acknowledges_holds_nothing_up() {
    let mut world = World::new();
    lock(&world.broker.away).insert(Log::Statuses);
    let begin = Instant::now();
    world.configure("c", &[]).await;
    world.task().await;
    // One record is waited for before the start: that the connector runs.
    let waited = begin.elapsed();
    assert!(waited >= S * 5 && waited < S * 6, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn task_configurations_are_written_again_with_growing_pauses() {
    let mut world = World::new();
    world.configure("c", &[]).await;
    // Set after the configuration itself is written: only the task configurations are refused.
    world.broker.refusals.store(4, Ordering::Relaxed);
    let begin = Instant::now();
    world.task().await;
    // 250, 500, 1000 and 2000 ms, each drawn from its upper half.
    let waited = begin.elapsed();
    assert!(waited >= MS * 1875 && waited <= MS * 3800, "{waited:?}");
}

#[tokio::test(start_paused = true)]
async fn an_empty_task_set_is_believed_after_a_second() {
    let mut world = World::new();
    world.configure("c", &[]).await;
    let _task = world.task().await;
    world.shown("c", true, "RUNNING").await;
    let begin = Instant::now();
    world.shared().configs.put_task_configs("c", &[]).await.expect("taken");
    world.look("c", false);
    while world.shared().statuses.read(|view| view.task("c", 0).is_some()) {
        sleep(MS).await;
        assert!(begin.elapsed() < S * 10, "the task goes on");
    }
    assert!(begin.elapsed() >= S, "{:?}", begin.elapsed());
}

#[tokio::test(start_paused = true)]
async fn a_task_that_ends_without_a_word_is_failed() {
    let mut world = World::new();
    world.configure("c", &[]).await;
    drop(world.task().await);
    let trace = world.shown("c", true, "FAILED").await;
    assert!(trace.contains("without saying why") && trace.contains("restarts by itself"), "{trace}");
}

/// A connector whose configuration causes a panic fails alone: another one that is created after it runs, and the first one
/// runs too when its configuration is mended.
async fn check_defect(panics: &str) {
    let mut world = World::new();
    // Variables are resolved only where there is one.
    world.configure("bad", &[(panics, "${file:/x:y}")]).await;
    let trace = world.shown("bad", false, "FAILED").await;
    assert!(trace.contains("defect of afterimage"), "{panics}: {trace}");
    world.configure("good", &[]).await;
    let good = world.task().await;
    assert_eq!(&*good.connector, "good", "{panics}");
    world.shown("good", true, "RUNNING").await;
    world.configure("bad", &[]).await;
    let bad = world.task().await;
    assert_eq!(&*bad.connector, "bad", "{panics}");
    world.shown("bad", true, "RUNNING").await;
    world.shown("bad", false, "RUNNING").await;
}

#[tokio::test(start_paused = true)]
async fn a_defect_is_one_connectors_own() {
    check_defect("panics.at.resolve").await;
    // This one ends the keeper itself.
    check_defect("panics.at.launch").await;
}

#[tokio::test(start_paused = true)]
async fn a_stop_has_one_deadline_whatever_is_stuck() {
    let mut world = World::new();
    let mut tasks = Vec::new();
    for n in 0..12 {
        world.configure(&format!("c{n}"), &[]).await;
        tasks.push(world.task().await);
        world.shown(&format!("c{n}"), true, "RUNNING").await;
    }
    world.are_stuck.store(true, Ordering::Relaxed);
    lock(&world.broker.away).extend([Log::Configs, Log::Statuses, Log::Offsets]);
    // Some keepers are in the middle of a wait when the stop comes.
    for task in &tasks[..6] {
        task.events.send(TaskEvent::Waiting { trace: "away".into() }).expect("the keeper listens");
    }
    sleep(S).await;
    let begin = Instant::now();
    world.supervisor.leave().await;
    let took = begin.elapsed();
    assert!(took >= GRACEFUL && took <= GRACEFUL + S * 2, "{took:?}");
}

#[tokio::test(start_paused = true)]
async fn a_stop_where_nothing_is_stuck_takes_no_time() {
    let mut world = World::new();
    world.configure("c", &[]).await;
    let _task = world.task().await;
    world.shown("c", true, "RUNNING").await;
    let begin = Instant::now();
    world.supervisor.leave().await;
    assert!(begin.elapsed() < MS * 100, "{:?}", begin.elapsed());
    world.shown("c", true, "UNASSIGNED").await;
}
