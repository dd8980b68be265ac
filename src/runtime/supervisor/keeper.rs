//! One connector's keeper: feeds its machine and carries out what it decides, one effect after the other.
//!
//! Each connector has a keeper of its own, so that a connector that is slow to stop, or whose start fails, holds no other
//! one up. When the group is lost, keepers are aborted: a keeper's task is dropped with it, at once and without a write to
//! the store.
//!
//! Must not know: HTTP, other connectors.

mod effects;
mod failed;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use retry::Backoff;
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until};

use super::machine::{Connector, Effect, Input, Machine, Task};
use super::mailbox::{Mail, Mailbox};
use super::numbers::MeteredTask;
use super::plan::Plan;
use super::restarts::Restarts;
use super::{Launched, Shared};
use crate::runtime::task::TaskEvent;
use crate::store::{Object, StatusView, TargetState, TopicStatus};

/// How long a keeper waits before it acts upon an empty task set. A stop of the connector writes the empty set first and its
/// target state right behind it; the connector's STOPPED must be written before its task's UNASSIGNED, as tools expect.
const EMPTY_SET_WAIT: Duration = Duration::from_secs(1);
/// The first and the longest pause between attempts to write task configurations.
const BACKOFF: (Duration, Duration) = (Duration::from_millis(250), Duration::from_secs(60));

/// What is to be done later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Later {
    /// Try the plan again.
    Prepare,
    /// Act upon the empty task set.
    NoTasks,
}

/// The task that is up.
struct Up {
    launched: Launched,
    events: mpsc::UnboundedReceiver<TaskEvent>,
    /// Whether it has said that it runs.
    has_run: bool,
    /// Shows the task's numbers until this is dropped.
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
    told_commit: Option<i32>,
    later: Option<(Instant, Later)>,
    backoff: Backoff,
    /// Starts the task again when it has failed.
    restarts: Restarts,
    /// Whether the daemon ends and this keeper has been told so.
    is_leaving: bool,
}

impl Keeper {
    pub(super) fn new(shared: Arc<Shared>, name: Arc<str>, mailbox: Arc<Mailbox>) -> Self {
        let restarts = Restarts::new(shared.settings.restarts.clone());
        Self {
            shared,
            name,
            mailbox,
            machine: Machine::new(),
            up: None,
            plan: None,
            config: None,
            told_commit: None,
            later: None,
            backoff: Backoff::new(BACKOFF.0, BACKOFF.1),
            restarts,
            is_leaving: false,
        }
    }

    /// Keeps the connector until it is deleted and there is no new note, or until the daemon ends.
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
            let again = at(self.restarts.due().filter(|_| self.machine.may_start_again()));
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
                () = again => self.start_again().await,
            }
        }
    }

    /// Acts upon notes; true when the daemon ends.
    async fn mail(&mut self, mail: Mail) -> bool {
        if mail.leave {
            self.is_leaving = true;
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
                // Whoever asked may have stopped waiting.
                let _ = done.send(result);
            }
        }
        tell(mail.settled);
        false
    }

    /// Compares the config topic with what the machine was told last, and tells it what is new.
    async fn look(&mut self, rewritten: bool) {
        let (config, target, tasks) = self.shared.configs.read(|view| {
            let tasks = view.tasks(&self.name).map(|tasks| (tasks.commit_number, tasks.count, tasks.is_inconsistent));
            (view.connectors.get(&*self.name).cloned(), view.target(&self.name), tasks)
        });
        let Some(config) = config else {
            if self.config.take().is_some() {
                self.later = None;
                self.told_commit = None;
                self.apply(Input::Removed).await;
                self.shared.metered.forget(&self.name);
            }
            return;
        };
        let first = self.config.is_none();
        let changed = rewritten || self.config.as_ref() != Some(&config);
        self.config = Some(config);
        self.apply(Input::Target(target)).await;
        if first {
            self.told_commit = tasks.map(|(commit, ..)| commit);
        }
        if changed {
            self.apply(Input::Config).await;
        }
        if first && target == TargetState::Paused && tasks.is_some_and(|(_, count, _)| count > 0) {
            self.apply(Input::Committed { any: true }).await;
        }
        self.look_at_tasks(target).await;
    }

    /// Acts upon a commit of tasks that this keeper has not written itself.
    async fn look_at_tasks(&mut self, target: TargetState) {
        let tasks = self
            .shared
            .configs
            .read(|view| view.tasks(&self.name).map(|tasks| (tasks.commit_number, tasks.count, tasks.is_inconsistent)));
        let Some((commit, count, is_inconsistent)) = tasks else { return };
        if self.told_commit == Some(commit) || is_inconsistent {
            return;
        }
        if count == 0 && target != TargetState::Stopped {
            self.later = Some((Instant::now() + EMPTY_SET_WAIT, Later::NoTasks));
            return;
        }
        self.told_commit = Some(commit);
        if target != TargetState::Stopped {
            self.apply(Input::Committed { any: count > 0 }).await;
        }
    }

    async fn event(&mut self, event: Option<TaskEvent>) {
        if !self.shared.store.is_open() {
            // The group is lost, and the task ended because it may not produce any more. That is no failure, and this process
            // may not write statuses either.
            self.up = None;
            return;
        }
        match event {
            Some(TaskEvent::Running) => {
                if let Some(up) = self.up.as_mut().filter(|up| !up.has_run) {
                    up.has_run = true;
                    self.shared.metered.task_starts.ended(true);
                }
                self.restarts.runs();
                self.apply(Input::TaskUp { waits_for: None }).await;
            }
            Some(TaskEvent::Waiting { trace }) => {
                self.restarts.waits(self.shared.metered.is_copying(&self.name));
                self.apply(Input::TaskUp { waits_for: Some(trace.to_string()) }).await;
            }
            Some(TaskEvent::Failed(error)) => self.failed(error).await,
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
            None => self.gone().await,
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
                    .read(|view| view.tasks(&self.name).map(|tasks| (tasks.commit_number, tasks.count)));
                if let Some((commit, 0)) = tasks
                    && self.told_commit != Some(commit)
                {
                    self.told_commit = Some(commit);
                    self.apply(Input::Committed { any: false }).await;
                }
            }
        }
    }

    async fn prepare_and_apply(&mut self) {
        let input = self.prepare().await;
        self.apply(input).await;
    }

    /// Tells the machine an input, carries out its effects, and tells it the inputs that come of those.
    async fn apply(&mut self, input: Input) {
        let mut inputs = VecDeque::from([input]);
        while let Some(input) = inputs.pop_front() {
            let is_own = input == Input::Again;
            for effect in self.machine.step(input) {
                if effect == Effect::Start && !is_own {
                    self.restarts.forget();
                }
                inputs.extend(self.perform(effect).await);
            }
        }
        if self.machine.task == Task::Absent {
            self.restarts.forget();
        }
        self.shared.metered.restart_due(&self.name, self.restarts.due().filter(|_| self.machine.may_start_again()));
    }
}

/// Waits until then; without a time for ever.
async fn at(due: Option<Instant>) {
    match due {
        Some(due) => sleep_until(due).await,
        None => std::future::pending().await,
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
        // Whoever asked may have stopped waiting.
        let _ = done.send(());
    }
}

#[cfg(test)]
mod tests;
