//! What is shown of a connector: its configuration and its states, read from memory.
//!
//! Must not know: HTTP.

use super::machine::State;
use super::phase::Phase;
use super::{Refusal, Supervisor};
use crate::runtime::owner::Ownership;
use crate::store::{Object, Status};

const LOST: &str = "org.apache.kafka.common.errors.TimeoutException: this worker has lost its group: the broker did not \
                    confirm in time that it owns it\nReason: the task is stopped, so that no two workers run it. It goes on \
                    by itself from the stored offset once the broker answers; see whether the brokers in bootstrap.servers \
                    are up, reachable and not overloaded.";

/// A connector and its configuration, as `GET /connectors/NAME` shows it.
#[derive(Clone, Debug, PartialEq)]
pub struct Info {
    /// The connector's name.
    pub name: String,
    /// The configuration as stored: variables are not resolved.
    pub config: Object,
    /// How many tasks the connector has.
    pub tasks: u32,
    /// `source`, or `unknown` for a class that is not built in.
    pub kind: &'static str,
}

/// The state of a connector or a task.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PartState {
    /// Connect's name of the state.
    pub state: String,
    /// The worker that wrote the state, as `host:port`.
    pub worker_id: String,
    /// The plug-in's version.
    pub version: Option<String>,
    /// The error that ended it, or what it waits for.
    pub trace: Option<String>,
}

impl From<&Status> for PartState {
    fn from(status: &Status) -> Self {
        Self {
            state: status.state.clone(),
            worker_id: status.worker_id.clone(),
            version: status.version.clone(),
            trace: status.trace.clone().filter(|trace| !trace.is_empty()),
        }
    }
}

/// The state of a connector and of its tasks, as `GET /connectors/NAME/status` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StateInfo {
    /// The connector's name.
    pub name: String,
    /// The connector's own state.
    pub connector: PartState,
    /// The tasks' numbers and states, ascending.
    pub tasks: Vec<(u32, PartState)>,
    /// `source`, or `unknown` for a class that is not built in.
    pub kind: &'static str,
}

impl StateInfo {
    /// The answer to a restart with flags: whatever it will restart is shown as RESTARTING.
    pub(super) fn restarting(mut self, connector: bool, task: impl Fn(&PartState) -> bool) -> Self {
        // What has failed keeps its trace, as in Connect.
        let connector = connector.then_some(&mut self.connector);
        let tasks = self.tasks.iter_mut().map(|(_, part)| part).filter(|part| task(part));
        for part in connector.into_iter().chain(tasks) {
            State::Restarting.name().clone_into(&mut part.state);
        }
        self
    }
}

impl Supervisor {
    /// All connectors' names, sorted.
    pub fn names(&self) -> Result<Vec<String>, Refusal> {
        self.readable()?;
        Ok(self.shared.configs.read(|view| view.connectors.keys().cloned().collect()))
    }

    /// A connector's configuration.
    pub fn info(&self, name: &str) -> Result<Info, Refusal> {
        self.readable()?;
        let found = self.shared.configs.read(|view| {
            let config = view.connectors.get(name)?.clone();
            Some((config, view.tasks(name).map_or(0, |tasks| tasks.configs.len() as u32)))
        });
        let (config, tasks) = found.ok_or_else(|| Refusal::Absent(name.to_owned()))?;
        let kind = self.kind(&config);
        Ok(Info { name: name.to_owned(), config, tasks, kind })
    }

    /// A connector's committed task configurations.
    pub fn task_configs(&self, name: &str) -> Result<Vec<Object>, Refusal> {
        self.readable()?;
        let configs = self.shared.configs.read(|view| {
            view.connectors.get(name)?;
            Some(view.tasks(name).map(|tasks| tasks.configs.clone()).unwrap_or_default())
        });
        configs.ok_or_else(|| Refusal::Absent(name.to_owned()))
    }

    /// The state of a connector and of its tasks.
    pub fn connector_state(&self, name: &str) -> Result<StateInfo, Refusal> {
        self.readable()?;
        let found = self.shared.statuses.read(|view| {
            let connector = PartState::from(view.connector(name)?);
            Some((connector, view.tasks(name).map(|(number, status)| (number, PartState::from(status))).collect()))
        });
        let (connector, mut tasks): (_, Vec<(u32, PartState)>) =
            found.ok_or_else(|| Refusal::NoStatus(name.to_owned()))?;
        for (_, task) in &mut tasks {
            self.say_that_it_waits(task);
        }
        let config = self.shared.configs.read(|view| view.connectors.get(name).cloned());
        let kind = config.as_ref().map_or("unknown", |config| self.kind(config));
        Ok(StateInfo { name: name.to_owned(), connector, tasks, kind })
    }

    /// A task's state.
    pub fn task_state(&self, name: &str, task: i32) -> Result<PartState, Refusal> {
        self.readable()?;
        let number = u32::try_from(task).ok();
        let part = number.and_then(|task| self.shared.statuses.read(|view| view.task(name, task).map(PartState::from)));
        let mut part = part.ok_or_else(|| Refusal::NoTaskStatus(name.to_owned(), task))?;
        self.say_that_it_waits(&mut part);
        Ok(part)
    }

    /// A process that has lost its group has stopped its tasks and may write no status, so the stored one says RUNNING.
    fn say_that_it_waits(&self, task: &mut PartState) {
        let is_lost = matches!(&*self.phase.borrow(), Phase::Read(Ownership::Lost));
        let is_ours = task.state == State::Running.name() && task.worker_id == self.shared.settings.worker_id;
        if is_lost && is_ours && task.trace.is_none() {
            task.trace = Some(LOST.to_owned());
        }
    }

    /// The names of the topics that a connector wrote to, sorted.
    pub fn topics(&self, name: &str) -> Result<Vec<String>, Refusal> {
        self.readable()?;
        if !self.shared.settings.topic_tracking {
            return Err(Refusal::TopicTracking("Topic tracking is disabled."));
        }
        Ok(self.shared.statuses.read(|view| view.topics(name).map(|topic| topic.name.clone()).collect()))
    }

    fn kind(&self, config: &Object) -> &'static str {
        let class = config.get("connector.class").and_then(|class| class.as_str()).unwrap_or_default();
        if self.shared.settings.find(class).is_some() { "source" } else { "unknown" }
    }
}
