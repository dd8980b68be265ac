//! The calls that change something: each checks, writes to the config topic and reads that back; the keepers do the rest.
//!
//! Must not know: HTTP. The texts of the refusals are Connect's.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use serde_json::Value;
use settings::Properties;
use tokio::sync::{OwnedMutexGuard, oneshot};
use tokio::time::timeout;

use super::machine::State;
use super::mailbox::Mailbox;
use super::stage::Stage;
use super::{Info, PartState, StateInfo, Supervisor, Turn, properties};
use crate::runtime::validate::{self, Rejected};
use crate::store::{Object, StoreError, TargetState};

/// How long a write to the config topic may take. We wait as long as Connect does.
const WRITE_WAIT: Duration = Duration::from_secs(30);
/// How long a request may take. We wait as long as Connect does.
const REQUEST_WAIT: Duration = Duration::from_secs(90);
/// How long the topics of a reset connector are still shown. Connect answers a reset before it is done, and clients that
/// look right after the answer count on the old list.
const RESET_DELAY: Duration = Duration::from_millis(100);

/// The state that a new connector is to start in (KIP-980).
pub type Initial = Option<TargetState>;

/// Why a call was refused. The texts are those that Connect's REST API answers with.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// No such connector.
    #[error("Connector {0} not found")]
    Absent(String),
    /// No such connector, in the words of pause, resume and stop.
    #[error("Unknown connector {0}")]
    UnknownHere(String),
    /// No such connector, in the words of restart.
    #[error("Unknown connector: {0}")]
    Unknown(String),
    /// No such task.
    #[error("Unknown task: {0}-{1}")]
    UnknownTask(String, i32),
    /// No status record.
    #[error("No status found for connector {0}")]
    NoStatus(String),
    /// No status record, in the words of restart.
    #[error("Status for connector {0} not found")]
    StatusNotFound(String),
    /// No status record of a task.
    #[error("No status found for task {0}-{1}")]
    NoTaskStatus(String, i32),
    /// The name is taken.
    #[error("Connector {0} already exists")]
    Exists(String),
    /// The configuration is invalid, or the request makes no sense.
    #[error("{0}")]
    Invalid(String),
    /// Topic tracking or its reset is switched off.
    #[error("{0}")]
    TopicTracking(&'static str),
    /// A restart that failed, or a panic.
    #[error("{0}")]
    Failed(String),
    /// The same is being done already.
    #[error("{0}")]
    Busy(String),
    /// Another process owns the group, or nobody knows who does.
    #[error("Cannot complete request momentarily due to no known leader URL, likely because a rebalance was underway.")]
    NotOwner,
    /// The stored state has not been read to its end.
    #[error("Worker is still starting up and has not read its stored configs, offsets and statuses to their end yet")]
    Starting,
    /// The daemon ends.
    #[error("Worker is shutting down")]
    Stopping,
    /// No answer in time.
    #[error("Request timed out. {0}")]
    TimedOut(String),
    /// The stored state could not be written.
    #[error("{what}: {source}")]
    Store {
        /// What could not be done, in Connect's words.
        what: &'static str,
        /// Why it could not be done.
        source: StoreError,
    },
}

impl Refusal {
    /// Of a write that failed: `NotOwner` if only the group's owner may make it, and this process is not the owner.
    pub(super) fn of_store(what: &'static str, source: StoreError) -> Self {
        if matches!(source, StoreError::NotOwner) { Self::NotOwner } else { Self::Store { what, source } }
    }
}

impl From<Rejected> for Refusal {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Defect(trace) => Self::Failed(trace),
            other => Self::Invalid(other.to_string()),
        }
    }
}

const WRITING: &str = "Error writing connector configuration to Kafka";
const REMOVING: &str = "Error removing connector configuration from Kafka";
const TARGET: &str = "Error writing target state to Kafka";

impl Supervisor {
    /// Waits until the calls before this one on the same connector are done.
    pub(super) async fn lock(&self, name: &str) -> OwnedMutexGuard<()> {
        self.shared.turn(name, Turn::Call).await
    }

    fn exists(&self, name: &str) -> bool {
        self.shared.configs.read(|view| view.connectors.contains_key(name))
    }

    /// Creates a connector; refused when there is one of that name.
    pub async fn create(&self, name: &str, config: Properties, initial: Initial) -> Result<Info, Refusal> {
        self.writable().await?;
        self.accept(&config).await?;
        let _turn = self.lock(name).await;
        if self.exists(name) {
            return Err(Refusal::Exists(name.to_owned()));
        }
        let config = object(&config);
        within(WRITING, self.shared.configs.put_connector(name, &config, initial)).await?;
        self.answer(name, config)
    }

    /// Creates or replaces a connector's configuration; true when it is new.
    pub async fn replace(&self, name: &str, config: Properties) -> Result<(Info, bool), Refusal> {
        self.writable().await?;
        self.accept(&config).await?;
        let _turn = self.lock(name).await;
        let is_new = !self.exists(name);
        let config = object(&config);
        within(WRITING, self.shared.configs.put_connector(name, &config, None)).await?;
        Ok((self.answer(name, config)?, is_new))
    }

    /// Changes single keys; null takes a key out (KIP-477).
    pub async fn patch(&self, name: &str, changes: &Properties) -> Result<Info, Refusal> {
        self.writable().await?;
        let _turn = self.lock(name).await;
        let Some(stored) = self.shared.configs.read(|view| view.connectors.get(name).cloned()) else {
            return Err(Refusal::Absent(name.to_owned()));
        };
        let mut config = properties(&stored);
        for (key, value) in changes.iter() {
            match value {
                Some(value) => config.insert(key, value),
                None => drop(config.remove(key)),
            }
        }
        match config.get("name") {
            None => config.insert("name", name),
            Some(other) if other == name => {}
            Some(other) => return Err(Refusal::Invalid(validate::name_mismatch(other, name))),
        }
        self.accept(&config).await?;
        let config = object(&config);
        within(WRITING, self.shared.configs.put_connector(name, &config, None)).await?;
        self.info(name)
    }

    /// Deletes a connector; its offsets stay.
    pub async fn remove(&self, name: &str) -> Result<(), Refusal> {
        self.writable().await?;
        let _turn = self.lock(name).await;
        if !self.exists(name) {
            return Err(Refusal::Absent(name.to_owned()));
        }
        within(REMOVING, self.shared.configs.remove_connector(name)).await
    }

    /// Pauses, resumes or stops a connector.
    pub async fn aim(&self, name: &str, target: TargetState) -> Result<(), Refusal> {
        self.writable().await?;
        let _turn = self.lock(name).await;
        if !self.exists(name) {
            return Err(Refusal::UnknownHere(name.to_owned()));
        }
        if target == TargetState::Stopped {
            // A keeper must not commit tasks between the two writes or after them.
            let _tasks = self.shared.turn(name, Turn::Tasks).await;
            within(TARGET, self.shared.configs.put_task_configs(name, &[])).await?;
            return within(TARGET, self.shared.configs.put_target_state(name, target)).await;
        }
        within(TARGET, self.shared.configs.put_target_state(name, target)).await
    }

    /// Restarts the connector alone and waits for it.
    pub async fn restart(&self, name: &str) -> Result<(), Refusal> {
        self.writable().await?;
        if !self.exists(name) {
            return Err(Refusal::Unknown(name.to_owned()));
        }
        self.ask(name, true, false, false).await
    }

    /// Restarts what the flags say; answers with the plan, in which RESTARTING is what will be restarted.
    pub async fn restart_with(&self, name: &str, include_tasks: bool, only_failed: bool) -> Result<StateInfo, Refusal> {
        self.writable().await?;
        if !self.exists(name) {
            return Err(Refusal::Unknown(name.to_owned()));
        }
        let state = self.connector_state(name).map_err(|_| Refusal::StatusNotFound(name.to_owned()))?;
        let (connector, tasks) = restart_plan(&state, include_tasks, only_failed);
        self.restart_asked(name, include_tasks, only_failed);
        let is_in = move |part: &PartState| tasks && (!only_failed || is_failed(part));
        Ok(state.restarting(connector, is_in))
    }

    /// Has the keeper do a restart with flags, without waiting for it.
    pub(super) fn restart_asked(&self, name: &str, include_tasks: bool, only_failed: bool) {
        let Ok(state) = self.connector_state(name) else { return };
        let (connector, task) = restart_plan(&state, include_tasks, only_failed);
        if connector || task {
            let (done, _) = oneshot::channel();
            self.shared.note(name, |mailbox| mailbox.restart(connector, task, true, done));
        }
    }

    /// Restarts one task.
    pub async fn restart_task(&self, name: &str, task: i32) -> Result<(), Refusal> {
        self.writable().await?;
        if !self.exists(name) {
            return Err(Refusal::Unknown(name.to_owned()));
        }
        let count = self.shared.configs.read(|view| view.tasks(name).map_or(0, |tasks| tasks.configs.len()));
        if usize::try_from(task).map_or(true, |task| task >= count) {
            return Err(Refusal::UnknownTask(name.to_owned(), task));
        }
        self.ask(name, false, true, false).await
    }

    async fn ask(&self, name: &str, connector: bool, task: bool, announced: bool) -> Result<(), Refusal> {
        let stage =
            Stage::begin(format!("restarting {} {name}", if task { "a task of connector" } else { "connector" }));
        let (done, wait) = oneshot::channel();
        self.shared.note(name, |mailbox| mailbox.restart(connector, task, announced, done));
        match timeout(REQUEST_WAIT, wait).await {
            Ok(Ok(result)) => result.map_err(Refusal::Failed),
            Ok(Err(_)) => Err(Refusal::Stopping),
            Err(_) => Err(Refusal::TimedOut(stage.sentence())),
        }
    }

    /// Forgets which topics a connector wrote to. Answered before it is done, as in Connect.
    pub fn reset_topics(&self, name: &str) -> Result<(), Refusal> {
        self.readable()?;
        if !self.shared.settings.topic_tracking {
            return Err(Refusal::TopicTracking("Topic tracking is disabled."));
        }
        if !self.shared.settings.topic_tracking_reset {
            return Err(Refusal::TopicTracking("Topic tracking reset is disabled."));
        }
        let (statuses, name) = (self.shared.statuses.clone(), name.to_owned());
        let resets = Arc::clone(&self.shared.resets);
        tokio::spawn(async move {
            tokio::time::sleep(RESET_DELAY).await;
            if let Err(error) = statuses.remove_topics(&name).await {
                tracing::warn!(connector = name, "the topics were not reset: {error}");
            }
            resets.fetch_add(1, Ordering::Release);
        });
        Ok(())
    }

    /// Waits until a connector's keeper has done all that the config topic says.
    pub(super) async fn settle(&self, name: &str) -> Result<(), Refusal> {
        let stage = Stage::begin(format!("stopping connector {name}"));
        let (done, wait) = oneshot::channel();
        self.shared.note(name, |mailbox: &Mailbox| {
            mailbox.put(|mail| {
                mail.look = true;
                mail.settled.push(done);
            });
        });
        match timeout(REQUEST_WAIT, wait).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(_)) => Err(Refusal::Stopping),
            Err(_) => Err(Refusal::TimedOut(stage.sentence())),
        }
    }

    /// Validates a configuration, the server's side too, within the time that a request has.
    ///
    /// # Errors
    /// When it cannot be validated at all, or not in time.
    pub async fn validate(&self, config: &Properties) -> Result<validate::Validation, Refusal> {
        let class = config.get("connector.class").unwrap_or_default();
        let stage = Stage::begin(format!("validating the configuration of a connector of class {class}"));
        match timeout(REQUEST_WAIT, validate::validate(&self.shared.settings, config)).await {
            Ok(validation) => Ok(validation?),
            Err(_) => Err(Refusal::TimedOut(stage.sentence())),
        }
    }

    /// Sets a log level on all workers that run now (KIP-976). `level` is an upper-case name of Log4j.
    pub async fn set_cluster_log_level(&self, logger: &str, level: &str) -> Result<(), Refusal> {
        self.writable().await?;
        within("Error writing logger level to Kafka", self.shared.configs.put_logger_level(logger, level)).await
    }

    async fn accept(&self, config: &Properties) -> Result<(), Refusal> {
        let validation = self.validate(config).await?;
        for remark in &validation.remarks {
            tracing::warn!(connector = config.get("name").unwrap_or_default(), "{remark}");
        }
        match validation.complaint() {
            Some(text) => Err(Refusal::Invalid(text)),
            None => Ok(()),
        }
    }

    /// The answer to a create or replace, with the configuration in the order in which it was sent.
    fn answer(&self, name: &str, config: Object) -> Result<Info, Refusal> {
        Ok(Info { config, ..self.info(name)? })
    }
}

fn is_failed(part: &PartState) -> bool {
    part.state == State::Failed.name()
}

/// Whether the connector, and whether its task is to be restarted.
fn restart_plan(state: &StateInfo, include_tasks: bool, only_failed: bool) -> (bool, bool) {
    let connector = !only_failed || is_failed(&state.connector);
    let task = include_tasks && state.tasks.iter().any(|(_, part)| !only_failed || is_failed(part));
    (connector, task)
}

fn object(config: &Properties) -> Object {
    let value = |value: Option<&str>| value.map_or(Value::Null, |text| Value::String(text.to_owned()));
    config.iter().map(|(name, text)| (name.to_owned(), value(text))).collect()
}

async fn within(what: &'static str, write: impl Future<Output = Result<(), StoreError>>) -> Result<(), Refusal> {
    let result = timeout(WRITE_WAIT, write).await.unwrap_or_else(|_| {
        Err(StoreError::Broker { topic: "config.storage.topic".to_owned(), reason: "no answer".to_owned() })
    });
    result.map_err(|source| Refusal::of_store(what, source))
}
