//! The numbers of the worker, its connectors and their tasks, for whoever shows metrics.
//!
//! Must not know: names of metrics, HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use relational::{Meters, Numbers};

use super::{Supervisor, properties};
use crate::plugins::Plugin;

/// Attempts to start something, and how they ended.
#[derive(Debug, Default)]
pub(super) struct Starts {
    pub(super) attempts: AtomicU64,
    pub(super) successes: AtomicU64,
    pub(super) failures: AtomicU64,
}

impl Starts {
    pub(super) fn tried(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, is_success: bool) {
        let counter = if is_success { &self.successes } else { &self.failures };
        counter.fetch_add(1, Ordering::Relaxed);
    }

    fn read(&self) -> StartNumbers {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StartNumbers {
            attempts: read(&self.attempts),
            successes: read(&self.successes),
            failures: read(&self.failures),
        }
    }
}

/// The meters of the tasks that run, by connector.
#[derive(Debug, Default)]
pub(super) struct Metered {
    tasks: Arc<Mutex<HashMap<Arc<str>, Arc<Meters>>>>,
    pub(super) connector_starts: Starts,
    pub(super) task_starts: Starts,
}

/// Removes a task's meters from the table when it is dropped with the task.
pub(super) struct MeteredTask {
    tasks: Arc<Mutex<HashMap<Arc<str>, Arc<Meters>>>>,
    connector: Arc<str>,
    meters: Arc<Meters>,
}

impl Drop for MeteredTask {
    fn drop(&mut self) {
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        // The next task's meters may be there already.
        if tasks.get(&self.connector).is_some_and(|meters| Arc::ptr_eq(meters, &self.meters)) {
            tasks.remove(&self.connector);
        }
    }
}

impl Metered {
    /// New meters for a connector's task, shown until the [`MeteredTask`] is dropped.
    pub(super) fn begin(&self, connector: &Arc<str>) -> (Arc<Meters>, MeteredTask) {
        let meters = Arc::new(Meters::new(Arc::clone(connector)));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.insert(Arc::clone(connector), Arc::clone(&meters));
        let (tasks, connector) = (Arc::clone(&self.tasks), Arc::clone(connector));
        (Arc::clone(&meters), MeteredTask { tasks, connector, meters })
    }

    fn of(&self, connector: &str) -> Option<Numbers> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let meters = tasks.get(connector).cloned();
        drop(tasks);
        meters.map(|meters| meters.read())
    }
}

/// Attempts to start something, and how they ended, since the start of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct StartNumbers {
    /// How many attempts there were.
    pub attempts: u64,
    /// How many of them succeeded.
    pub successes: u64,
    /// How many of them failed.
    pub failures: u64,
}

/// The numbers of the worker.
#[derive(Clone, Debug, Default)]
pub struct WorkerNumbers {
    /// Starts of connectors.
    pub connector_starts: StartNumbers,
    /// Starts of tasks.
    pub task_starts: StartNumbers,
    /// All connectors, by name.
    pub connectors: Vec<ConnectorNumbers>,
}

/// The numbers of a connector.
#[derive(Clone, Debug)]
pub struct ConnectorNumbers {
    /// The connector's name.
    pub name: String,
    /// `topic.prefix`, which Debezium's metrics name the connector by.
    pub topic_prefix: String,
    /// Its class's full name; as configured if no such class is built in.
    pub class: String,
    /// What Debezium's metrics call its kind; `None` for a class that is not built in.
    pub kind: Option<&'static str>,
    /// Its class's version; `None` for a class that is not built in.
    pub version: Option<&'static str>,
    /// Connect's name of its state.
    pub state: String,
    /// Its tasks: number, Connect's name of the state, and what a running one counts.
    pub tasks: Vec<(u32, String, Option<Numbers>)>,
}

impl Supervisor {
    /// All numbers now. There are no connectors in them while the stored state is being read.
    pub fn numbers(&self) -> WorkerNumbers {
        let shared = &self.shared;
        let mut numbers = WorkerNumbers {
            connector_starts: shared.metered.connector_starts.read(),
            task_starts: shared.metered.task_starts.read(),
            connectors: Vec::new(),
        };
        if self.readable().is_err() {
            return numbers;
        }
        let configs: Vec<_> = shared.configs.read(|view| view.connectors.clone().into_iter().collect());
        for (name, config) in configs {
            let config = properties(&config);
            let text = |key| config.get(key).map(str::trim).unwrap_or_default().to_owned();
            let class = text("connector.class");
            let plugin: Option<&'static Plugin> = shared.settings.find(&class);
            let (state, tasks) = shared.statuses.read(|view| {
                let tasks: Vec<_> = view.tasks(&name).map(|(number, status)| (number, status.state.clone())).collect();
                (view.connector(&name).map(|status| status.state.clone()).unwrap_or_default(), tasks)
            });
            let of = |number| if number == 0 { shared.metered.of(&name) } else { None };
            let tasks = tasks.into_iter().map(|(number, state)| (number, state, of(number))).collect();
            numbers.connectors.push(ConnectorNumbers {
                topic_prefix: text("topic.prefix"),
                kind: plugin.map(|plugin| plugin.metrics_kind),
                version: plugin.map(|plugin| plugin.version),
                class: plugin.map_or(class, |plugin| plugin.class.to_owned()),
                name,
                state,
                tasks,
            });
        }
        numbers.connectors.sort_by(|a, b| a.name.cmp(&b.name));
        numbers
    }
}
