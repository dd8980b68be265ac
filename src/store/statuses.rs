//! What the records of the status topic mean: the state of each connector and task, and the topics they wrote to.

use std::collections::BTreeMap;
use std::sync::{Arc, PoisonError, RwLock};

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::json::{bytes, object};
use super::{Entry, Log, Object, Pending, Store};

/// The value of a connector's or task's status record, its fields in Java's order.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Status {
    /// `RUNNING`, `PAUSED`, `STOPPED`, `FAILED`, `UNASSIGNED`, `RESTARTING`.
    pub state: String,
    /// The error that ended it, or what it waits for, in the form of a Java stack trace.
    #[serde(default)]
    pub trace: Option<String>,
    /// `host:port` of the worker that wrote it.
    pub worker_id: String,
    /// The generation in which it was written. Java takes the group's; here each take-over begins one that is higher than
    /// all stored ones.
    pub generation: i32,
    /// The plug-in's version; workers before Kafka 4.1 write none.
    #[serde(default)]
    pub version: Option<String>,
}

impl Status {
    /// Whether Connect writes this state with `putSafe`: FAILED and UNASSIGNED must not overwrite the status that another
    /// worker has written in a later generation.
    fn is_safe(&self) -> bool {
        matches!(self.state.as_str(), "FAILED" | "UNASSIGNED")
    }

    fn may_follow(&self, cached: Option<&Self>) -> bool {
        !self.is_safe() || cached.is_none_or(|c| c.worker_id == self.worker_id || c.generation <= self.generation)
    }
}

/// A topic that a connector wrote to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopicStatus {
    /// The topic's name.
    pub name: String,
    /// The connector's name.
    pub connector: String,
    /// The number of the task that wrote to the topic first.
    pub task: u32,
    /// When that was noticed, in milliseconds since the epoch.
    #[serde(rename = "discoverTimestamp")]
    pub discovered_ms: i64,
}

/// The state that the records of the status topic add up to.
#[derive(Debug, Clone, Default)]
pub struct StatusView {
    connectors: BTreeMap<String, Status>,
    tasks: BTreeMap<String, BTreeMap<u32, Status>>,
    topics: BTreeMap<String, BTreeMap<String, TopicStatus>>,
}

impl StatusView {
    /// A connector's status.
    pub fn connector(&self, name: &str) -> Option<&Status> {
        self.connectors.get(name)
    }

    /// A task's status.
    pub fn task(&self, connector: &str, task: u32) -> Option<&Status> {
        self.tasks.get(connector)?.get(&task)
    }

    /// A connector's tasks with a status, by number.
    pub fn tasks(&self, connector: &str) -> impl Iterator<Item = (u32, &Status)> {
        self.tasks.get(connector).into_iter().flatten().map(|(number, status)| (*number, status))
    }

    /// The topics a connector wrote to, by name.
    pub fn topics(&self, connector: &str) -> impl Iterator<Item = &TopicStatus> {
        self.topics.get(connector).into_iter().flat_map(BTreeMap::values)
    }

    /// Every connector that has a status or a task with one, whether it is still configured or not.
    pub fn connectors(&self) -> impl Iterator<Item = &str> {
        let tasks = self.tasks.keys().filter(|name| !self.connectors.contains_key(*name));
        self.connectors.keys().chain(tasks).map(String::as_str)
    }

    /// Folds one record.
    pub fn apply(&mut self, key: &[u8], value: Option<&[u8]>) {
        let Ok(key) = str::from_utf8(key) else { return };
        if let Some(name) = key.strip_prefix("status-connector-") {
            match value.map(serde_json::from_slice::<Status>) {
                None => drop(self.connectors.remove(name)),
                Some(Ok(status)) => drop(self.connectors.insert(name.to_owned(), status)),
                Some(Err(_)) => skipped(key),
            }
        } else if let Some(id) = key.strip_prefix("status-task-") {
            let parsed = id.rsplit_once('-').and_then(|(name, number)| Some((name, number.parse::<u32>().ok()?)));
            let Some((name, number)) = parsed else { return skipped(key) };
            self.apply_task(key, name, number, value);
        } else if let Some(rest) = key.strip_prefix("status-topic-") {
            let Some((topic, connector)) = rest.split_once(":connector-") else { return skipped(key) };
            let topics = self.topics.entry(connector.to_owned()).or_default();
            match value.map(topic_status) {
                None => drop(topics.remove(topic)),
                Some(Some(status)) => drop(topics.insert(topic.to_owned(), status)),
                Some(None) => skipped(key),
            }
        } else {
            skipped(key);
        }
    }

    fn apply_task(&mut self, key: &str, name: &str, number: u32, value: Option<&[u8]>) {
        let status = match value.map(serde_json::from_slice::<Status>) {
            Some(Err(_)) => return skipped(key),
            Some(Ok(status)) => Some(status),
            None => None,
        };
        let tasks = self.tasks.entry(name.to_owned()).or_default();
        match status {
            None => {
                tasks.remove(&number);
                if tasks.is_empty() {
                    self.tasks.remove(name);
                }
            }
            Some(status) => {
                // A worker that gave the task up late must not hide that another worker runs it now.
                let runs = |c: &Status| c.state == "RUNNING" && c.generation >= status.generation;
                if status.state != "UNASSIGNED"
                    || !tasks.get(&number).is_some_and(|c| runs(c) && c.worker_id != status.worker_id)
                {
                    tasks.insert(number, status);
                }
            }
        }
    }
}

fn skipped(key: &str) {
    tracing::warn!(key, "status topic: a record is not in a form known here, it is skipped");
}

fn topic_status(value: &[u8]) -> Option<TopicStatus> {
    let mut outer: Object = object(value)?;
    serde_json::from_value(outer.remove("topic")?).ok()
}

/// The status topic: a cached view, and writes by Connect's rules.
#[derive(Clone)]
pub struct Statuses {
    store: Arc<dyn Store>,
    view: Arc<RwLock<StatusView>>,
}

impl Statuses {
    /// Follows the status log of a store that has not been started yet.
    pub fn new(store: Arc<dyn Store>) -> Self {
        let view = Arc::new(RwLock::new(StatusView::default()));
        store.follow(Log::Statuses, {
            let view = Arc::clone(&view);
            Box::new(move |key, value| view.write().unwrap_or_else(PoisonError::into_inner).apply(key, value))
        });
        Self { store, view }
    }

    /// Reads the view. `read` must be short: the store's thread waits for it.
    pub fn read<T>(&self, read: impl FnOnce(&StatusView) -> T) -> T {
        read(&self.view.read().unwrap_or_else(PoisonError::into_inner))
    }

    fn put(&self, key: String, value: Option<Vec<u8>>) -> Pending {
        self.store.append(Log::Statuses, vec![Entry::new(key, value)])
    }

    /// Writes a connector's status; FAILED and UNASSIGNED only if no other worker has written one in a later generation.
    pub fn put_connector(&self, name: &str, status: &Status) -> Pending {
        if !self.read(|view| status.may_follow(view.connector(name))) {
            return Pending::over(Ok(()));
        }
        self.put(format!("status-connector-{name}"), Some(bytes(status)))
    }

    /// Writes a task's status, by the same rule as a connector's.
    pub fn put_task(&self, connector: &str, task: u32, status: &Status) -> Pending {
        if !self.read(|view| status.may_follow(view.task(connector, task))) {
            return Pending::over(Ok(()));
        }
        self.put(format!("status-task-{connector}-{task}"), Some(bytes(status)))
    }

    /// Puts a task's status into the view at once. While the broker is away its record does not come back, and who asks
    /// this process for the status must still see it.
    pub fn show_task(&self, connector: &str, task: u32, status: &Status) {
        let mut view = self.view.write().unwrap_or_else(PoisonError::into_inner);
        view.tasks.entry(connector.to_owned()).or_default().insert(task, status.clone());
    }

    /// Writes that a connector has written to a topic.
    pub fn put_topic(&self, status: &TopicStatus) -> Pending {
        let key = format!("status-topic-{}:connector-{}", status.name, status.connector);
        self.put(key, Some(bytes(&json!({"topic": status}))))
    }

    /// Deletes a connector's status.
    pub fn remove_connector(&self, name: &str) -> Pending {
        self.put(format!("status-connector-{name}"), None)
    }

    /// Deletes a task's status.
    pub fn remove_task(&self, connector: &str, task: u32) -> Pending {
        self.put(format!("status-task-{connector}-{task}"), None)
    }

    /// Deletes the record of all topics that a connector wrote to.
    pub fn remove_topics(&self, connector: &str) -> Pending {
        let key = |topic: &TopicStatus| Entry::new(format!("status-topic-{}:connector-{connector}", topic.name), None);
        let entries: Vec<Entry> = self.read(|view| view.topics(connector).map(key).collect());
        if entries.is_empty() { Pending::over(Ok(())) } else { self.store.append(Log::Statuses, entries) }
    }
}

#[cfg(test)]
#[allow(clippy::expect_used)] // tests
mod tests {
    use serde_json::Value;

    use super::*;

    fn status(state: &str, worker: &str, generation: i32) -> Status {
        let (state, worker_id) = (state.to_owned(), worker.to_owned());
        Status { state, trace: None, worker_id, generation, version: None }
    }

    #[track_caller]
    fn check_safe(new: (&str, &str, i32), cached: Option<(&str, &str, i32)>, may: bool) {
        let cached = cached.map(|(s, w, g)| status(s, w, g));
        assert_eq!(status(new.0, new.1, new.2).may_follow(cached.as_ref()), may, "{new:?} after {cached:?}");
    }

    #[test]
    fn safe_writes() {
        for (new, cached, may) in [
            (("FAILED", "a", 1), None, true),
            (("FAILED", "a", 1), Some(("RUNNING", "a", 9)), true),
            (("UNASSIGNED", "a", 1), Some(("RUNNING", "b", 2)), false),
            (("UNASSIGNED", "a", 2), Some(("RUNNING", "b", 2)), true),
            (("RUNNING", "a", 1), Some(("RUNNING", "b", 2)), true),
        ] {
            check_safe(new, cached, may);
        }
    }

    #[test]
    fn a_late_unassigned_is_ignored() {
        let mut view = StatusView::default();
        let mut put = |s: &Status| view.apply(b"status-task-a-b-0", Some(&bytes(s)));
        put(&status("RUNNING", "b", 5));
        put(&status("UNASSIGNED", "a", 5));
        assert_eq!(view.task("a-b", 0).map(|s| s.state.as_str()), Some("RUNNING"));
        view.apply(b"status-task-a-b-0", Some(&bytes(&status("UNASSIGNED", "a", 6))));
        assert_eq!(view.task("a-b", 0).map(|s| s.state.as_str()), Some("UNASSIGNED"));
        view.apply(b"status-task-a-b-0", None);
        assert_eq!(view.tasks("a-b").count(), 0);
    }

    #[test]
    fn a_java_workers_records() {
        let mut view = StatusView::default();
        for line in include_str!("../../tests/data/state/connect-status.jsonl").lines() {
            let record: Value = serde_json::from_str(line).expect("a line of the recording");
            let (key, value) = (record["key"].as_str().expect("key"), record["value"].as_str().expect("value"));
            view.apply(key.as_bytes(), Some(value.as_bytes()));
            let again = if key.starts_with("status-topic-") {
                bytes(&json!({"topic": topic_status(value.as_bytes())}))
            } else {
                bytes(&serde_json::from_str::<Status>(value).expect("a status"))
            };
            assert_eq!(String::from_utf8(again).expect("UTF-8"), value, "{key}");
        }
        assert_eq!(view.connectors().collect::<Vec<_>>(), ["keep-my", "keep-pg"]);
        assert_eq!(view.connector("keep-pg").map(|s| (s.state.as_str(), s.generation)), Some(("PAUSED", 126)));
        let topics: Vec<_> = view.topics("keep-my").map(|t| t.name.as_str()).collect();
        assert_eq!(topics, ["keepmy", "keepmy.keepdb.keep"]);
    }
}
