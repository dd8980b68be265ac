//! The numbers of the worker, its connectors and their tasks, for whoever shows metrics.
//!
//! Must not know: names of metrics, HTTP.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use relational::{Meters, Numbers, Sampled, SnapshotState};
use settings::Properties;
use tokio::time::Instant;

use super::machine::State;
use super::phase::Phase;
use super::times::{RebalanceNumbers, Rebalances, StateTimes};
use super::{Supervisor, SupervisorSettings, properties};
use crate::plugins::Plugin;
use crate::runtime::catalog::PartKind;
use crate::runtime::owner::Ownership;
use crate::runtime::traces::TraceNumbers;

/// Attempts to start something, and how they ended.
#[derive(Debug, Default)]
pub(super) struct Starts {
    pub(super) attempts: AtomicU64,
    pub(super) successes: AtomicU64,
    pub(super) failures: AtomicU64,
    /// 1 for a success, 0 for a failure.
    outcomes: Mutex<Sampled>,
}

impl Starts {
    pub(super) fn tried(&self) {
        self.attempts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn ended(&self, is_success: bool) {
        let counter = if is_success { &self.successes } else { &self.failures };
        counter.fetch_add(1, Ordering::Relaxed);
        let outcome = f64::from(u8::from(is_success));
        self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).add(Instant::now(), outcome);
    }

    fn read(&self) -> StartNumbers {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        StartNumbers {
            attempts: read(&self.attempts),
            successes: read(&self.successes),
            failures: read(&self.failures),
            success_ratio: self.outcomes.lock().unwrap_or_else(PoisonError::into_inner).mean(),
        }
    }
}

/// A connector's restarts by itself.
#[derive(Debug, Default)]
struct Restarted {
    total: u64,
    due: Option<Instant>,
}

/// The meters of the tasks that run, by connector.
#[derive(Debug)]
pub(super) struct Metered {
    /// When the worker started, in milliseconds since 1970.
    started_ms: i64,
    tasks: Arc<Mutex<HashMap<Arc<str>, Arc<Meters>>>>,
    restarts: Mutex<HashMap<Arc<str>, Restarted>>,
    /// How long tasks have been in which state, by connector.
    times: Mutex<HashMap<Arc<str>, StateTimes>>,
    pub(super) rebalances: Mutex<Rebalances>,
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

impl Default for Metered {
    fn default() -> Self {
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let mut rebalances = Rebalances::default();
        rebalances.begins();
        Self {
            started_ms: now.as_millis() as i64,
            tasks: Arc::default(),
            times: Mutex::default(),
            rebalances: Mutex::new(rebalances),
            restarts: Mutex::default(),
            connector_starts: Starts::default(),
            task_starts: Starts::default(),
        }
    }
}

impl Metered {
    /// New meters for a connector's task, shown until the [`MeteredTask`] is dropped.
    pub(super) fn begin(&self, connector: &Arc<str>) -> (Arc<Meters>, MeteredTask) {
        self.in_times(|times| {
            let times = times.entry(Arc::clone(connector)).or_default();
            // A task that is resumed is still the same to Connect; one that is restarted is another.
            if !times.is_paused() {
                *times = StateTimes::default();
            }
        });
        let meters = Arc::new(Meters::new(Arc::clone(connector)));
        let mut tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        tasks.insert(Arc::clone(connector), Arc::clone(&meters));
        let (tasks, connector) = (Arc::clone(&self.tasks), Arc::clone(connector));
        (Arc::clone(&meters), MeteredTask { tasks, connector, meters })
    }

    fn restarts(&self) -> MutexGuard<'_, HashMap<Arc<str>, Restarted>> {
        self.restarts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Counts a restart of a task by itself.
    pub(super) fn restarted(&self, connector: &Arc<str>) {
        self.restarts().entry(Arc::clone(connector)).or_default().total += 1;
    }

    /// Notes when a task restarts by itself, if it does.
    pub(super) fn restart_due(&self, connector: &Arc<str>, due: Option<Instant>) {
        let mut restarts = self.restarts();
        match restarts.get_mut(connector) {
            Some(restarted) => restarted.due = due,
            None if due.is_some() => drop(restarts.insert(Arc::clone(connector), Restarted { total: 0, due })),
            None => {}
        }
    }

    /// This process lets go of all tasks.
    pub(super) fn no_restart_due(&self) {
        self.restarts().values_mut().for_each(|restarted| restarted.due = None);
    }

    /// The connector was deleted.
    pub(super) fn forget(&self, connector: &str) {
        self.restarts().remove(connector);
    }

    /// A connector's restarts.
    pub(super) fn restarts_of(&self, connector: &str) -> RestartNumbers {
        let now = Instant::now();
        let restarts = self.restarts();
        restarts.get(connector).map_or_else(RestartNumbers::default, |restarted| RestartNumbers {
            total: restarted.total,
            due_s: restarted.due.map(|due| due.saturating_duration_since(now).as_secs_f64()),
        })
    }

    fn in_times<T>(&self, act: impl FnOnce(&mut HashMap<Arc<str>, StateTimes>) -> T) -> T {
        act(&mut self.times.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// A connector's task is in this state from now on.
    pub(super) fn task_is(&self, connector: &Arc<str>, state: State) {
        self.in_times(|times| times.entry(Arc::clone(connector)).or_default().enter(state));
    }

    /// A connector has no task any more.
    pub(super) fn no_task(&self, connector: &str) {
        self.in_times(|times| times.remove(connector));
    }

    fn ratios(&self, connector: &str) -> Option<(f64, f64)> {
        self.in_times(|times| times.get(connector).map(StateTimes::ratios))
    }

    /// Takes note of who owns the group. `is_settled`: it is known who runs the connectors.
    pub(super) fn group_changes(&self, is_settled: bool) {
        let mut rebalances = self.rebalances.lock().unwrap_or_else(PoisonError::into_inner);
        if is_settled {
            rebalances.ends();
        } else {
            rebalances.begins();
        }
    }

    /// Whether a connector's task is, or was when it failed, in the middle of a copy.
    pub(super) fn is_copying(&self, connector: &str) -> bool {
        let state = self.of(connector).map(|numbers| numbers.snapshot.state);
        matches!(state, Some(SnapshotState::Running | SnapshotState::Aborted))
    }

    fn of(&self, connector: &str) -> Option<Numbers> {
        let tasks = self.tasks.lock().unwrap_or_else(PoisonError::into_inner);
        let meters = tasks.get(connector).cloned();
        drop(tasks);
        meters.map(|meters| meters.read())
    }
}

/// Attempts to start something, and how they ended, since the start of the worker.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct StartNumbers {
    /// How many attempts there were.
    pub attempts: u64,
    /// How many of them succeeded.
    pub successes: u64,
    /// How many of them failed.
    pub failures: u64,
    /// The part of those of the last minute that succeeded, 0 to 1; `None` if there were none.
    pub success_ratio: Option<f64>,
}

/// How often a task has restarted by itself since the worker started.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct RestartNumbers {
    /// How often it was started again by itself.
    pub total: u64,
    /// Seconds until that happens next; `None` unless it has failed and restarts by itself.
    pub due_s: Option<f64>,
}

/// The numbers of the worker.
#[derive(Clone, Debug, Default)]
pub struct WorkerNumbers {
    /// `rest.advertised.host.name:rest.advertised.port`, by which Connect names a worker.
    pub worker_id: String,
    /// When the worker started, in milliseconds since 1970.
    pub started_ms: i64,
    /// How the group has changed hands.
    pub rebalances: RebalanceNumbers,
    /// The generation that is written into statuses.
    pub generation: i32,
    /// Where the REST API of the group's owner is; `None`: here, or it is not known.
    pub owner_url: Option<String>,
    /// Starts of connectors.
    pub connector_starts: StartNumbers,
    /// Starts of tasks.
    pub task_starts: StartNumbers,
    /// What has become of spans; `None` where traces are off.
    pub traces: Option<TraceNumbers>,
    /// The connectors that this worker runs, by name.
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
    /// The class of its tasks; `None` for a class that is not built in.
    pub task_class: Option<&'static str>,
    /// The converters of keys, values and headers.
    pub converters: [ClassOf; 3],
    /// Its transforms, with the names that they have in the configuration.
    pub transforms: Vec<(String, ClassOf)>,
    /// Its predicates, with the names that they have in the configuration.
    pub predicates: Vec<(String, ClassOf)>,
    /// Its tasks.
    pub tasks: Vec<TaskNumbers>,
}

/// A class that a configuration names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassOf {
    /// Its full name; as configured if no such class is built in.
    pub class: String,
    /// Its version; empty if no such class is built in.
    pub version: &'static str,
}

/// The numbers of a task.
#[derive(Clone, Debug, Default)]
pub struct TaskNumbers {
    /// Its number.
    pub number: u32,
    /// Connect's name of its state.
    pub state: String,
    /// The part of its time in which it was running, 0 to 1.
    pub running_ratio: f64,
    /// The part of its time in which it was paused, 0 to 1.
    pub pause_ratio: f64,
    /// Its restarts by itself.
    pub restarts: RestartNumbers,
    /// What it counts while it runs.
    pub counted: Option<Numbers>,
}

/// The full name and the version of a class that a configuration names.
fn class_of(settings: &SupervisorSettings, kind: PartKind, name: &str) -> ClassOf {
    match settings.catalog.find(kind, name) {
        Some(found) => ClassOf { class: found.class.to_owned(), version: found.version },
        None => ClassOf { class: name.to_owned(), version: "" },
    }
}

/// The converters that a connector's tasks use: its own, or the worker's.
fn converters(settings: &SupervisorSettings, config: &Properties) -> [ClassOf; 3] {
    [
        ("key.converter", PartKind::Converter, ""),
        ("value.converter", PartKind::Converter, ""),
        ("header.converter", PartKind::HeaderConverter, "SimpleHeaderConverter"),
    ]
    .map(|(key, kind, default)| {
        let class = config.get(key).or_else(|| settings.worker.get(key)).unwrap_or(default);
        class_of(settings, kind, class.trim())
    })
}

/// The transforms or predicates that a list in the configuration names.
fn parts(settings: &SupervisorSettings, config: &Properties, list: &str, kind: PartKind) -> Vec<(String, ClassOf)> {
    let names = config.get(list).unwrap_or_default().split(',').map(str::trim).filter(|name| !name.is_empty());
    let class = |name: &str| config.get(&format!("{list}.{name}.type")).map(str::trim).unwrap_or_default();
    names.map(|name| (name.to_owned(), class_of(settings, kind, class(name)))).collect()
}

impl Supervisor {
    /// All numbers now. There are no connectors in them while another worker runs them.
    pub fn numbers(&self) -> WorkerNumbers {
        let shared = &self.shared;
        let mut numbers = WorkerNumbers {
            worker_id: shared.settings.worker_id.clone(),
            started_ms: shared.metered.started_ms,
            rebalances: shared.metered.rebalances.lock().unwrap_or_else(PoisonError::into_inner).read(),
            generation: shared.generation(),
            owner_url: None,
            connector_starts: shared.metered.connector_starts.read(),
            task_starts: shared.metered.task_starts.read(),
            traces: shared.settings.traces.numbers(),
            connectors: Vec::new(),
        };
        match &*self.phase.borrow() {
            Phase::Read(Ownership::Owner { .. }) => {}
            Phase::Read(Ownership::Standby { owner }) => {
                numbers.owner_url = Some(owner.clone()).filter(|owner| !owner.is_empty());
                return numbers;
            }
            _ => return numbers,
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
            let (running_ratio, pause_ratio) = shared.metered.ratios(&name).unwrap_or_default();
            let restarts = shared.metered.restarts_of(&name);
            let task = |(number, state)| TaskNumbers {
                number,
                state,
                running_ratio,
                pause_ratio,
                restarts,
                counted: of(number),
            };
            let tasks = tasks.into_iter().map(task).collect();
            numbers.connectors.push(ConnectorNumbers {
                topic_prefix: text("topic.prefix"),
                kind: plugin.map(|plugin| plugin.metrics_kind),
                version: plugin.map(|plugin| plugin.version),
                task_class: plugin.map(|plugin| plugin.task_class),
                converters: converters(&shared.settings, &config),
                transforms: parts(&shared.settings, &config, "transforms", PartKind::Transformation),
                predicates: parts(&shared.settings, &config, "predicates", PartKind::Predicate),
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
