//! One connector's keeper: feeds its machine and carries out what it decides, one effect after the other.
//!
//! Each connector has a keeper of its own, so that one that is slow to stop, or whose start fails, holds nobody up. A
//! keeper is ended by aborting it: then its task is dropped with it, at once and without a word to the store, which is
//! what losing the group demands.
//!
//! Must not know: HTTP, other connectors.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use settings::Properties;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::machine::{Connector, Effect, Input, Machine, State, Task};
use super::mailbox::{Mail, Mailbox};
use super::numbers::MeteredTask;
use super::plan::{self, Plan};
use super::{Launched, Shared, Turn, properties};
use crate::runtime::task::{TaskEvent, TaskSpec};
use crate::store::{Object, Pending, Status, StatusView, TargetState, TopicStatus};

/// A status record is waited for, so that records keep their order; not longer than this, so that a broker that is away
/// does not keep a connector from being stopped.
const STATUS_WAIT: Duration = Duration::from_secs(5);
/// The same for task configurations.
const CONFIG_WAIT: Duration = Duration::from_secs(30);
/// A stop writes the empty task set first and its target state right behind it: an empty set alone is believed only
/// after this, so that the connector's STOPPED comes before its task's end, as tools expect.
const EMPTY_SET_WAIT: Duration = Duration::from_secs(1);
/// Waits between attempts to write task configurations.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));

/// What is to be done later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    /// Try the plan again.
    Prepare,
    /// Believe the empty task set.
    NoTasks,
}

/// The task that is up.
struct Up {
    launched: Launched,
    events: mpsc::UnboundedReceiver<TaskEvent>,
    /// It has said that it runs.
    has_run: bool,
    /// Its numbers are shown for as long as it is up.
    _metered: MeteredTask,
}

pub(super) struct Keeper {
    shared: Arc<Shared>,
    name: Arc<str>,
    mailbox: Arc<Mailbox>,
    machine: Machine,
    up: Option<Up>,
    plan: Option<Plan>,
    /// The configuration that the machine was last told of.
    config: Option<Object>,
    /// The commit that the machine was last told of.
    generation: Option<i32>,
    later: Option<(Instant, Later)>,
    backoff: Duration,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>, name: Arc<str>, mailbox: Arc<Mailbox>) -> Self {
        Self {
            shared,
            name,
            mailbox,
            machine: Machine::new(),
            up: None,
            plan: None,
            config: None,
            generation: None,
            later: None,
            backoff: BACKOFF.0,
        }
    }

    /// Keeps the connector until it is deleted and nothing waits, or the daemon leaves.
    pub(super) async fn run(mut self) {
        loop {
            let event = next_event(self.up.as_mut());
            let due = self.later;
            let pause = async move {
                match due {
                    Some((at, later)) => {
                        sleep_until(at).await;
                        later
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                biased;
                mail = self.mailbox.take() => {
                    if self.mail(mail).await {
                        return;
                    }
                    if self.config.is_none() && self.shared.retire(&self.name, &self.mailbox) {
                        return;
                    }
                }
                event = event => self.event(event).await,
                later = pause => self.later(later).await,
            }
        }
    }

    /// True when the daemon leaves.
    async fn mail(&mut self, mail: Mail) -> bool {
        if mail.leave {
            self.apply(Input::Leave).await;
            tell(mail.settled);
            return true;
        }
        self.look(mail.config).await;
        if let Some(restart) = mail.restart {
            let (connector, task, announced) = (restart.connector, restart.task, restart.announced);
            if self.config.is_some() {
                self.apply(Input::Restart { connector, task, announced }).await;
            }
            let failed = connector && self.machine.connector == Connector::Failed;
            for done in restart.done {
                let result = if failed { Err(format!("Failed to start connector: {}", self.name)) } else { Ok(()) };
                // Who asked may have gone.
                let _ = done.send(result);
            }
        }
        tell(mail.settled);
        false
    }

    /// Compares the config topic with what the machine knows.
    async fn look(&mut self, rewritten: bool) {
        let (config, target, tasks) = self.shared.configs.read(|view| {
            let tasks = view.tasks(&self.name).map(|tasks| (tasks.generation, tasks.count, tasks.is_inconsistent));
            (view.connectors.get(&*self.name).cloned(), view.target(&self.name), tasks)
        });
        let Some(config) = config else {
            if self.config.take().is_some() {
                self.later = None;
                self.generation = None;
                self.apply(Input::Removed).await;
            }
            return;
        };
        let first = self.config.is_none();
        let changed = rewritten || self.config.as_ref() != Some(&config);
        self.config = Some(config);
        self.apply(Input::Target(target)).await;
        if first {
            self.generation = tasks.map(|(generation, ..)| generation);
        }
        if changed {
            self.apply(Input::Config).await;
        }
        if first && target == TargetState::Paused && tasks.is_some_and(|(_, count, _)| count > 0) {
            self.apply(Input::Committed { any: true }).await;
        }
        self.look_at_tasks(target).await;
    }

    /// A commit that this keeper did not make itself.
    async fn look_at_tasks(&mut self, target: TargetState) {
        let tasks = self
            .shared
            .configs
            .read(|view| view.tasks(&self.name).map(|tasks| (tasks.generation, tasks.count, tasks.is_inconsistent)));
        let Some((generation, count, is_inconsistent)) = tasks else { return };
        if self.generation == Some(generation) || is_inconsistent {
            return;
        }
        if count == 0 && target != TargetState::Stopped {
            self.later = Some((Instant::now() + EMPTY_SET_WAIT, Later::NoTasks));
            return;
        }
        self.generation = Some(generation);
        if target != TargetState::Stopped {
            self.apply(Input::Committed { any: count > 0 }).await;
        }
    }

    async fn event(&mut self, event: Option<TaskEvent>) {
        if !self.shared.store.is_open() {
            // The task ends because it may not produce any more: no failure of its own, and not ours to tell.
            self.up = None;
            return;
        }
        match event {
            Some(TaskEvent::Running) => {
                if let Some(up) = self.up.as_mut().filter(|up| !up.has_run) {
                    up.has_run = true;
                    self.shared.metered.task_starts.ended(true);
                }
                self.apply(Input::TaskUp { waits_for: None }).await;
            }
            Some(TaskEvent::Waiting { trace }) => {
                self.apply(Input::TaskUp { waits_for: Some(trace.to_string()) }).await;
            }
            Some(TaskEvent::Failed { trace }) => {
                tracing::error!(
                    connector = &*self.name,
                    task = 0,
                    "the task failed and stays so until a restart: {trace}"
                );
                if self.up.take().is_some_and(|up| !up.has_run) {
                    self.shared.metered.task_starts.ended(false);
                }
                self.apply(Input::TaskDown { trace }).await;
            }
            Some(TaskEvent::Topic(topic)) => {
                let is_known = |view: &StatusView| view.topics(&self.name).any(|known| *known.name == *topic);
                if self.shared.settings.topic_tracking && !self.shared.statuses.read(is_known) {
                    let discovered_ms =
                        SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |d| d.as_millis() as i64);
                    let connector = self.name.to_string();
                    let status = TopicStatus { name: topic.to_string(), connector, task: 0, discovered_ms };
                    drop(self.shared.statuses.put_topic(&status));
                }
            }
            None => {
                self.up = None;
                let trace =
                    "org.apache.kafka.connect.errors.ConnectException: The task ended without having been told to \
                             and without saying why; see the log, then restart it"
                        .to_owned();
                tracing::error!(connector = &*self.name, task = 0, "{trace}");
                self.apply(Input::TaskDown { trace }).await;
            }
        }
    }

    async fn later(&mut self, later: Later) {
        self.later = None;
        match later {
            Later::Prepare if self.machine.connector == Connector::Preparing => self.prepare_and_apply().await,
            Later::Prepare => {}
            Later::NoTasks => {
                let tasks = self
                    .shared
                    .configs
                    .read(|view| view.tasks(&self.name).map(|tasks| (tasks.generation, tasks.count)));
                if let Some((generation, 0)) = tasks
                    && self.generation != Some(generation)
                {
                    self.generation = Some(generation);
                    self.apply(Input::Committed { any: false }).await;
                }
            }
        }
    }

    async fn prepare_and_apply(&mut self) {
        let input = self.prepare();
        self.apply(input).await;
    }

    /// Steps, carries out, and steps on with what that led to.
    async fn apply(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            for effect in self.machine.step(input) {
                inputs.extend(self.perform(effect).await);
            }
        }
    }

    async fn perform(&mut self, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Connector(state, trace) => {
                if let Some(trace) = &trace {
                    tracing::error!(connector = &*self.name, "the connector failed to start: {trace}");
                }
                let status = self.status(state, trace);
                written("status", self.shared.statuses.put_connector(&self.name, &status)).await;
            }
            Effect::Task(state, trace) => {
                let status = self.status(state, trace);
                if state == State::Running && status.trace.is_some() {
                    // It may be the broker that it waits for: who asks here is told all the same.
                    self.shared.statuses.show_task(&self.name, 0, &status);
                }
                written("status", self.shared.statuses.put_task(&self.name, 0, &status)).await;
            }
            Effect::Prepare => return Some(self.prepare()),
            Effect::Commit => return self.commit().await,
            Effect::Start => self.start(),
            Effect::Stop => {
                if let Some(up) = self.up.take() {
                    let grace = self.shared.settings.graceful_stop;
                    if !(up.launched.stop)(grace).await {
                        tracing::warn!(
                            connector = &*self.name,
                            task = 0,
                            "the task did not stop within task.shutdown.graceful.timeout.ms ({} ms) and was cancelled: \
                             what it had not stored is read again",
                            grace.as_millis()
                        );
                    }
                }
            }
            Effect::ForgetTask => {
                let tasks: Vec<u32> =
                    self.shared.statuses.read(|view| view.tasks(&self.name).map(|(number, _)| number).collect());
                for number in tasks {
                    written("status", self.shared.statuses.remove_task(&self.name, number)).await;
                }
            }
            Effect::Forget => {
                written("status", self.shared.statuses.remove_topics(&self.name)).await;
                written("status", self.shared.statuses.remove_connector(&self.name)).await;
            }
        }
        None
    }

    fn status(&self, state: State, trace: Option<String>) -> Status {
        let class = self.config.as_ref().and_then(|config| config.get("connector.class")?.as_str());
        let version = class.and_then(|class| self.shared.settings.find(class)).map(|plugin| plugin.version.to_owned());
        Status {
            state: state.name().to_owned(),
            trace,
            worker_id: self.shared.settings.worker_id.clone(),
            generation: self.shared.generation(),
            // As Java: these are written where the plug-in is not at hand.
            version: version.filter(|_| !matches!(state, State::Unassigned | State::Restarting)),
        }
    }

    fn prepare(&mut self) -> Input {
        let Some(config) = &self.config else { return Input::Unprepared { trace: String::new() } };
        let starts = &self.shared.metered.connector_starts;
        starts.tried();
        let plan = plan::plan(&self.shared, config);
        starts.ended(plan.is_ok());
        match plan {
            Ok(plan) => {
                let changed = self.shared.configs.read(|view| {
                    view.tasks(&self.name).is_none_or(|tasks| {
                        tasks.is_inconsistent || tasks.configs != plan.tasks || tasks.applied.as_ref() != Some(config)
                    })
                });
                self.plan = Some(plan);
                Input::Prepared { changed }
            }
            Err(trace) => Input::Unprepared { trace },
        }
    }

    async fn commit(&mut self) -> Option<Input> {
        let tasks = self.plan.as_ref().map(|plan| plan.tasks.clone()).unwrap_or_default();
        let _turn = self.shared.turn(&self.name, Turn::Tasks).await;
        let is_wanted = self
            .shared
            .configs
            .read(|view| view.connectors.contains_key(&*self.name) && view.target(&self.name) != TargetState::Stopped);
        if !is_wanted {
            // Stopped or deleted in the meantime: the next look says so.
            return None;
        }
        let write = self.shared.configs.put_task_configs(&self.name, &tasks);
        let result = timeout(CONFIG_WAIT, write).await;
        if let Ok(Ok(())) = result {
            self.backoff = BACKOFF.0;
            self.generation = self.shared.configs.read(|view| view.tasks(&self.name).map(|tasks| tasks.generation));
            return Some(Input::Committed { any: !tasks.is_empty() });
        }
        let why =
            result.map_or_else(|_| "no answer".to_owned(), |r| r.err().map_or_else(String::new, |e| e.to_string()));
        tracing::error!(
            connector = &*self.name,
            "the task configurations could not be written and will be tried again in {} ms: {why}",
            self.backoff.as_millis()
        );
        self.machine.connector = Connector::Preparing;
        self.later = Some((Instant::now() + self.backoff, Later::Prepare));
        self.backoff = (self.backoff * 2).min(BACKOFF.1);
        None
    }

    fn start(&mut self) {
        let stored =
            self.shared.configs.read(|view| view.tasks(&self.name).and_then(|tasks| tasks.configs.first().cloned()));
        let (Some(stored), Some(plan), Some(fence)) = (stored, &self.plan, self.shared.store.fence()) else {
            // Without a plan or a committed configuration there is nothing to start; the next look makes both.
            self.machine.task = Task::Absent;
            return;
        };
        let config: Properties = (self.shared.settings.resolve)(properties(&stored));
        let (events, received) = mpsc::unbounded_channel();
        let resets = Arc::clone(&self.shared.resets);
        let (meters, metered) = self.shared.metered.begin(&self.name);
        self.shared.metered.task_starts.tried();
        let connector = Arc::clone(&self.name);
        let spec = TaskSpec { connector, config, plugin: plan.plugin, fence, events, meters, resets };
        let launched = (self.shared.settings.launch)(spec);
        self.up = Some(Up { launched, events: received, has_run: false, _metered: metered });
    }
}

async fn next_event(up: Option<&mut Up>) -> Option<TaskEvent> {
    match up {
        Some(up) => up.events.recv().await,
        None => std::future::pending().await,
    }
}

fn tell(waiting: Vec<oneshot::Sender<()>>) {
    for done in waiting {
        // Who asked may have gone.
        let _ = done.send(());
    }
}

/// Waits for a write; one that fails is logged: the next status says more.
async fn written(what: &str, pending: Pending) {
    match timeout(STATUS_WAIT, pending).await {
        Ok(Ok(())) => {}
        Ok(Err(error)) => tracing::warn!("a {what} record was not written: {error}"),
        Err(_) => tracing::warn!("a {what} record is not acknowledged yet; going on without waiting for it"),
    }
}
