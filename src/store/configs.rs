//! What the records of the config topic mean: connectors, their target states, their tasks, the session key.
//!
//! What only the group's leader writes goes through [`Store::append_as_leader`]; target states are anybody's.
//!
//! [`ConfigView`] folds records as Java's `KafkaConfigBackingStore` does, and copes like it with what compaction leaves
//! over. [`Configs`] keeps such a view and writes records in Java's order.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde_json::{Value, json};
use tokio::sync::broadcast;

use super::json::{bytes, object};
use super::{Entry, Log, Object, Store, StoreError};

/// What the user wants of a connector.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TargetState {
    /// The connector runs.
    #[default]
    Started,
    /// The connector does not run; its tasks stay configured.
    Paused,
    /// The connector does not run and has no tasks (KIP-875).
    Stopped,
}

impl TargetState {
    /// Connect's name of the state.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Started => "STARTED",
            Self::Paused => "PAUSED",
            Self::Stopped => "STOPPED",
        }
    }

    /// The state with this name of Connect's, if there is one.
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Started, Self::Paused, Self::Stopped].into_iter().find(|state| state.name() == name)
    }

    /// The state that a request or a file names when it creates a connector (KIP-980), upper or lower case.
    pub fn from_initial(name: &str) -> Option<Self> {
        match name.to_ascii_uppercase().as_str() {
            "RUNNING" => Some(Self::Started),
            "PAUSED" => Some(Self::Paused),
            "STOPPED" => Some(Self::Stopped),
            _ => None,
        }
    }

    /// The record's value. Workers from before KIP-875 read `state` and do not know STOPPED, so `state` says PAUSED then.
    fn value(self) -> Vec<u8> {
        let old = if self == Self::Stopped { Self::Paused } else { self };
        bytes(&json!({"state": old.name(), "state.v2": self.name()}))
    }

    fn from_value(value: &Object) -> Option<Self> {
        Self::from_name(value.get("state.v2").or_else(|| value.get("state"))?.as_str()?)
    }
}

/// The committed tasks of a connector.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct TaskSet {
    /// How many tasks the last commit record announces.
    pub count: u32,
    /// The tasks' configurations; fewer than `count` only when inconsistent.
    pub configs: Vec<Object>,
    /// The number of the last complete commit that was seen; the first is 0.
    pub commit_number: i32,
    /// Task records of the last commit are missing, because of compaction: the owner must write all of them again.
    pub is_inconsistent: bool,
    /// The connector's configuration from which these tasks were made.
    pub applied: Option<Object>,
    /// No `tasks-fencing-` record has come since the commit: with exactly-once support the producers of the tasks before
    /// this commit may still have to be fenced (KIP-618).
    pub is_fencing_pending: bool,
}

/// What one record of the config topic changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ConfigChange {
    /// A connector's configuration was written.
    Connector(String),
    /// A connector was deleted.
    Removed(String),
    /// A connector's target state was written or deleted.
    Target(String),
    /// A connector's tasks were committed.
    Tasks(String),
    /// The key with which workers sign their requests to each other was written.
    SessionKey,
    /// Another worker asked for a restart through the topic.
    Restart {
        /// The connector's name.
        connector: String,
        /// Restart its tasks too.
        include_tasks: bool,
        /// Restart only what has failed.
        only_failed: bool,
    },
    /// A cluster-wide log level was set.
    Logger {
        /// The logger's name.
        logger: String,
        /// The level's name.
        level: String,
    },
    /// Nothing that needs a reaction: a task record before its commit, a fencing count, a record that was skipped.
    Nothing,
}

/// The state that the records of the config topic add up to.
#[derive(Debug, Clone, Default)]
pub struct ConfigView {
    /// Connectors' configurations by name.
    pub connectors: BTreeMap<String, Object>,
    targets: BTreeMap<String, TargetState>,
    tasks: BTreeMap<String, TaskSet>,
    /// Task records whose commit record has not come yet.
    deferred: BTreeMap<String, BTreeMap<u32, Object>>,
    /// The counts of `tasks-fencing-` records.
    fencing: BTreeMap<String, u32>,
    /// The value of the session key's record. Nothing here uses it.
    pub session_key: Option<Vec<u8>>,
}

impl ConfigView {
    /// A connector's target state; STARTED if none was written.
    pub fn target(&self, connector: &str) -> TargetState {
        self.targets.get(connector).copied().unwrap_or_default()
    }

    /// A connector's committed tasks; none before its first commit.
    pub fn tasks(&self, connector: &str) -> Option<&TaskSet> {
        self.tasks.get(connector)
    }

    /// The task count of a connector's last `tasks-fencing-` record.
    pub fn fencing(&self, connector: &str) -> Option<u32> {
        self.fencing.get(connector).copied()
    }

    /// Folds one record and says what it changed.
    pub fn apply(&mut self, key: &[u8], value: Option<&[u8]>) -> ConfigChange {
        let Ok(key) = str::from_utf8(key) else {
            tracing::error!("config topic: a key is not UTF-8, its record is skipped");
            return ConfigChange::Nothing;
        };
        let parsed = value.map(object);
        if let Some(None) = parsed {
            tracing::error!(key, "config topic: the value is not a JSON object, its record is skipped");
            return ConfigChange::Nothing;
        }
        let object = parsed.flatten();
        if let Some(name) = key.strip_prefix("connector-") {
            self.connector(name, object)
        } else if let Some(task) = key.strip_prefix("task-") {
            self.task(task, object)
        } else if let Some(name) = key.strip_prefix("commit-") {
            self.commit(name, object.as_ref())
        } else if let Some(name) = key.strip_prefix("target-state-") {
            self.target_state(name, object.as_ref())
        } else if let Some(name) = key.strip_prefix("tasks-fencing-") {
            if let Some(count) = count(object.as_ref(), "task-count") {
                self.fencing.insert(name.to_owned(), count);
                if let Some(tasks) = self.tasks.get_mut(name) {
                    tasks.is_fencing_pending = false;
                }
            }
            ConfigChange::Nothing
        } else if key == "session-key" {
            self.session_key = value.map(<[u8]>::to_vec);
            ConfigChange::SessionKey
        } else if let Some(name) = key.strip_prefix("restart-connector-") {
            let flag = |name: &str| object.as_ref().and_then(|o| o.get(name)).and_then(Value::as_bool).unwrap_or(false);
            let (include_tasks, only_failed) = (flag("include-tasks"), flag("only-failed"));
            ConfigChange::Restart { connector: name.to_owned(), include_tasks, only_failed }
        } else if let Some(logger) = key.strip_prefix("logger-cluster-") {
            match object.as_ref().and_then(|o| o.get("level")).and_then(Value::as_str) {
                Some(level) => ConfigChange::Logger { logger: logger.to_owned(), level: level.to_owned() },
                None => ConfigChange::Nothing,
            }
        } else {
            tracing::error!("Discarding config update record with invalid key: {key}");
            ConfigChange::Nothing
        }
    }

    fn connector(&mut self, name: &str, value: Option<Object>) -> ConfigChange {
        let Some(value) = value else {
            self.tasks.remove(name);
            self.deferred.remove(name);
            let was_known = self.connectors.remove(name).is_some();
            return if was_known { ConfigChange::Removed(name.to_owned()) } else { ConfigChange::Nothing };
        };
        let Some(properties) = properties(value) else {
            tracing::error!(connector = name, "config topic: the connector's record has no properties, it is skipped");
            return ConfigChange::Nothing;
        };
        self.connectors.insert(name.to_owned(), properties);
        ConfigChange::Connector(name.to_owned())
    }

    fn task(&mut self, id: &str, value: Option<Object>) -> ConfigChange {
        // The number is behind the last dash, because a connector's name may contain dashes.
        let parsed = id.rsplit_once('-').and_then(|(name, number)| Some((name, number.parse::<u32>().ok()?)));
        if let (Some((name, number)), Some(properties)) = (parsed, value.and_then(properties)) {
            self.deferred.entry(name.to_owned()).or_default().insert(number, properties);
        }
        ConfigChange::Nothing
    }

    fn commit(&mut self, name: &str, value: Option<&Object>) -> ConfigChange {
        let Some(count) = count(value, "tasks") else { return ConfigChange::Nothing };
        let buffered = self.deferred.remove(name).unwrap_or_default();
        // The connector was deleted and its record compacted away: its tasks belong to no connector.
        let Some(config) = self.connectors.get(name) else { return ConfigChange::Nothing };
        let tasks =
            self.tasks.entry(name.to_owned()).or_insert_with(|| TaskSet { commit_number: -1, ..TaskSet::default() });
        tasks.count = count;
        tasks.is_fencing_pending = true;
        tasks.is_inconsistent = !(0..count).all(|number| buffered.contains_key(&number));
        if tasks.is_inconsistent {
            tasks.configs.clear();
        } else {
            tasks.configs = buffered.into_iter().take_while(|(number, _)| *number < count).map(|(_, c)| c).collect();
            tasks.commit_number += 1;
            tasks.applied = Some(config.clone());
        }
        ConfigChange::Tasks(name.to_owned())
    }

    fn target_state(&mut self, name: &str, value: Option<&Object>) -> ConfigChange {
        match value.map(TargetState::from_value) {
            None => self.targets.remove(name),
            Some(Some(state)) => self.targets.insert(name.to_owned(), state),
            Some(None) => {
                tracing::error!(connector = name, "config topic: unknown target state, its record is skipped");
                return ConfigChange::Nothing;
            }
        };
        ConfigChange::Target(name.to_owned())
    }
}

fn properties(mut value: Object) -> Option<Object> {
    match value.remove("properties") {
        Some(Value::Object(properties)) => Some(properties),
        _ => None,
    }
}

fn count(value: Option<&Object>, name: &str) -> Option<u32> {
    value?.get(name)?.as_u64()?.try_into().ok()
}

/// The config topic: a cached view, and writes in Java's order.
#[derive(Clone)]
pub struct Configs {
    store: Arc<dyn Store>,
    view: Arc<RwLock<ConfigView>>,
    changes: broadcast::Sender<ConfigChange>,
}

impl Configs {
    /// Follows the config log of a store that has not been started yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let view = Arc::new(RwLock::new(ConfigView::default()));
        let (changes, _) = broadcast::channel(1024);
        store.follow(Log::Configs, {
            let (view, changes) = (Arc::clone(&view), changes.clone());
            Box::new(move |key, value| {
                let change = view.write().unwrap_or_else(PoisonError::into_inner).apply(key, value);
                if change != ConfigChange::Nothing {
                    // Fails while nobody is subscribed, as during the first read: who subscribes later reads the view.
                    let _ = changes.send(change);
                }
            })
        });
        Self { store, view, changes }
    }

    /// Reads the view. `read` must be short: the store's thread waits for it.
    pub fn read<T>(&self, read: impl FnOnce(&ConfigView) -> T) -> T {
        read(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Changes from now on, those that other workers write too. A receiver that falls 1,024 changes behind gets `Lagged` and
    /// must look at the whole view again.
    pub fn changes(&self) -> broadcast::Receiver<ConfigChange> {
        self.changes.subscribe()
    }

    /// Creates or replaces a connector. A `target` is written before the configuration, so that the connector begins in that
    /// state (KIP-980).
    pub async fn put_connector(
        &self,
        name: &str,
        config: &Object,
        target: Option<TargetState>,
    ) -> Result<(), StoreError> {
        if let Some(target) = target {
            self.put_target_state(name, target).await?;
        }
        let connector = Entry::new(format!("connector-{name}"), Some(bytes(&json!({"properties": config}))));
        self.store.append_as_leader(Log::Configs, vec![connector]).await
    }

    /// Deletes a connector. Its task, commit and fencing records stay, as Java leaves them.
    pub async fn remove_connector(&self, name: &str) -> Result<(), StoreError> {
        self.store.append_as_leader(Log::Configs, vec![Entry::new(format!("connector-{name}"), None)]).await?;
        self.store.append(Log::Configs, vec![Entry::new(format!("target-state-{name}"), None)]).await
    }

    /// Replaces a connector's tasks: writes all their records and, when those have been read back, the commit record.
    pub async fn put_task_configs(&self, name: &str, configs: &[Object]) -> Result<(), StoreError> {
        let tasks: Vec<Entry> = configs
            .iter()
            .enumerate()
            .map(|(i, config)| Entry::new(format!("task-{name}-{i}"), Some(bytes(&json!({"properties": config})))))
            .collect();
        if !tasks.is_empty() {
            self.store.append_as_leader(Log::Configs, tasks).await?;
        }
        let commit = Entry::new(format!("commit-{name}"), Some(bytes(&json!({"tasks": configs.len()}))));
        self.store.append_as_leader(Log::Configs, vec![commit]).await
    }

    /// Says how many tasks the producers may belong to that are alive from now on: those of all others have been fenced.
    pub async fn put_fencing(&self, name: &str, count: u32) -> Result<(), StoreError> {
        let entry = Entry::new(format!("tasks-fencing-{name}"), Some(bytes(&json!({"task-count": count}))));
        self.store.append_as_leader(Log::Configs, vec![entry]).await
    }

    /// Writes a connector's target state.
    pub async fn put_target_state(&self, name: &str, target: TargetState) -> Result<(), StoreError> {
        let entry = Entry::new(format!("target-state-{name}"), Some(target.value()));
        self.store.append(Log::Configs, vec![entry]).await
    }

    /// Has all workers that run now set the level of a logger.
    pub async fn put_logger_level(&self, logger: &str, level: &str) -> Result<(), StoreError> {
        let entry = Entry::new(format!("logger-cluster-{logger}"), Some(bytes(&json!({"level": level}))));
        self.store.append(Log::Configs, vec![entry]).await
    }

    /// Waits until everything that is in the topic now has been read: another worker may have written.
    pub async fn refresh(&self) -> Result<(), StoreError> {
        self.store.read_to_end(Log::Configs).await
    }
}

#[cfg(test)]
mod tests;
