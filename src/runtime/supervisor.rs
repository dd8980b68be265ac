//! The life of all connectors: the one owner of their states.
//!
//! Three parts, so that no lock is ever held across I/O. The *calls* (REST) check and write the config topic. The *loop*
//! ([`Supervisor::run`]) follows the topic and the ownership of the group, and rings at the keepers' doors. A *keeper* a
//! connector compares what the topic says with what runs, lets its machine decide and acts. Because keepers follow the
//! topic and not the calls, a change that another worker wrote counts just as much as one of our own.
//!
//! Must not know: HTTP, SQL, how a task moves records.

mod calls;
mod keeper;
mod machine;
mod mailbox;
mod numbers;
mod offsets;
mod phase;
mod plan;
mod standing;

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

pub use calls::{Initial, Refusal};
pub use numbers::{ConnectorNumbers, StartNumbers, WorkerNumbers};
pub use offsets::Alteration;
pub use phase::Health;
use settings::Properties;
pub use standing::{Info, Part, StateInfo};
use tokio::sync::{OwnedMutexGuard, broadcast, oneshot, watch};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use self::keeper::Keeper;
use self::mailbox::Mailbox;
use self::numbers::Metered;
use self::phase::Phase;
use super::catalog::Catalog;
use super::fenced::Fenced;
use super::owner::{Fence, Ownership};
use super::task::{TaskHandle, TaskSpec};
use crate::plugins::{Boxed, Plugin};
use crate::store::{ConfigChange, Configs, Object, Offsets, Statuses, Store, StoreError};

/// A task that was started. Dropping it stops the task without waiting.
pub struct Launched {
    /// Stops it in good order; false when it had to be cancelled after the grace.
    pub stop: Box<dyn FnOnce(Duration) -> Boxed<bool> + Send + Sync>,
}

impl Launched {
    /// A task's handle; when this is dropped the task is cancelled.
    pub fn new(handle: TaskHandle) -> Self {
        struct Guard(Option<TaskHandle>);
        impl Drop for Guard {
            fn drop(&mut self) {
                if let Some(handle) = &self.0 {
                    handle.cancel();
                }
            }
        }
        let mut guard = Guard(Some(handle));
        let stop = move |grace| -> Boxed<bool> {
            let handle = guard.0.take();
            Box::pin(async move {
                match handle {
                    Some(handle) => handle.stop(grace).await,
                    None => true,
                }
            })
        };
        Self { stop: Box::new(stop) }
    }
}

/// Starts a task, which produces only while its fence is open.
pub type Launch = Arc<dyn Fn(TaskSpec) -> Launched + Send + Sync>;

/// Puts the values of `${provider:path:key}` in.
pub type Resolve = Arc<dyn Fn(Properties) -> Properties + Send + Sync>;

/// What the supervisor is told once, from the worker's file.
#[derive(Clone)]
pub struct Settings {
    /// `rest.advertised.host.name:rest.advertised.port`, as it stands in status records.
    pub worker_id: String,
    /// `task.shutdown.graceful.timeout.ms`.
    pub graceful_stop: Duration,
    /// `topic.tracking.enable`.
    pub topic_tracking: bool,
    /// `topic.tracking.allow.reset`.
    pub topic_tracking_reset: bool,
    /// The worker's own properties: defaults of converters, the override policy.
    pub worker: Properties,
    /// The connectors to offer: `plugins::ALL`.
    pub plugins: &'static [Plugin],
    /// SMTs, predicates and converters to offer.
    pub catalog: Catalog,
    /// Config variables.
    pub resolve: Resolve,
    /// Starts a task.
    pub launch: Launch,
}

impl Settings {
    /// Finds a connector by its class, its simple name, or that without `Connector`.
    pub(crate) fn find(&self, class: &str) -> Option<&'static Plugin> {
        self.plugins.iter().find(|plugin| settings::names_class(class, plugin.class, &["Connector"]))
    }
}

/// What the loop, the calls and the keepers share.
struct Shared {
    settings: Settings,
    configs: Configs,
    statuses: Statuses,
    offsets: Offsets,
    generation: AtomicI32,
    /// Counts resets of topics: after one, tasks tell their topics again.
    resets: Arc<AtomicU64>,
    /// What runs counts there.
    metered: Metered,
    /// Under all of the above; it knows the tenure's fence.
    store: Arc<Fenced>,
    keepers: Mutex<HashMap<Arc<str>, Kept>>,
    /// A connector's calls follow each other; so do the writes of its tasks, which keepers make too.
    locks: Mutex<HashMap<(String, Turn), Lock>>,
}

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Whose turn it is with a connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Turn {
    /// A call.
    Call,
    /// A write of task configurations.
    Tasks,
}

struct Kept {
    mailbox: Arc<Mailbox>,
    task: AbortHandle,
}

impl Shared {
    fn generation(&self) -> i32 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Waits for its turn. Locks nobody holds are forgotten on the way.
    async fn turn(&self, name: &str, turn: Turn) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry((name.to_owned(), turn)).or_default())
        };
        lock.lock_owned().await
    }

    fn keepers(&self) -> MutexGuard<'_, HashMap<Arc<str>, Kept>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a keeper of a deleted connector out of the table, unless there is new mail for it.
    fn retire(&self, name: &str, mailbox: &Arc<Mailbox>) -> bool {
        let mut keepers = self.keepers();
        if !mailbox.is_empty() {
            return false;
        }
        // After a loss and a new start another keeper may stand under the name.
        if keepers.get(name).is_some_and(|kept| Arc::ptr_eq(&kept.mailbox, mailbox)) {
            keepers.remove(name);
        }
        true
    }

    /// Hands a note to a connector's keeper, which is made if there is none.
    fn note(self: &Arc<Self>, name: &str, note: impl FnOnce(&Mailbox)) {
        let mut keepers = self.keepers();
        if !keepers.contains_key(name) {
            let name: Arc<str> = name.into();
            let mailbox = Arc::new(Mailbox::default());
            let keeper = Keeper::new(Arc::clone(self), Arc::clone(&name), Arc::clone(&mailbox));
            let task = tokio::spawn(keeper.run()).abort_handle();
            keepers.insert(name.clone(), Kept { mailbox, task });
        }
        if let Some(kept) = keepers.get(name) {
            note(&kept.mailbox);
        }
    }

    /// Ends all keepers and their tasks, now.
    fn abort(&self) {
        for (_, kept) in self.keepers().drain() {
            kept.task.abort();
        }
    }
}

/// Supervises all connectors of the daemon.
pub struct Supervisor {
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
}

impl Supervisor {
    /// On a store that has not been started: [`run`](Self::run) starts it.
    pub fn new(store: Arc<Fenced>, offsets: Offsets, settings: Settings) -> Arc<Self> {
        let shared = Shared {
            settings,
            configs: Configs::new(Arc::clone(&store) as _),
            statuses: Statuses::new(Arc::clone(&store) as _),
            offsets,
            generation: AtomicI32::new(0),
            resets: Arc::default(),
            metered: Metered::default(),
            store,
            keepers: Mutex::default(),
            locks: Mutex::default(),
        };
        let (phase, _) = watch::channel(Phase::Reading);
        Arc::new(Self { shared: Arc::new(shared), phase })
    }

    /// What it was told at the start.
    pub fn settings(&self) -> &Settings {
        &self.shared.settings
    }

    /// Reads the store, then follows it and the ownership until `stop` turns true; then stops all tasks within
    /// `task.shutdown.graceful.timeout.ms` and returns. An error means that the store cannot be used: exit.
    pub async fn run(
        &self,
        mut ownership: watch::Receiver<Ownership>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        let store = Arc::clone(&self.shared.store);
        let read = tokio::task::spawn_blocking(move || store.start());
        tokio::select! {
            read = read => read.unwrap_or(Err(StoreError::Closed))?,
            () = stopped(&mut stop) => {
                self.shared.store.close();
                return Ok(());
            }
        }
        // Read: reads are served from here on. Nothing is started or written before the topics are known to be fit.
        let mut changes = self.shared.configs.changes();
        self.phase.send_replace(Phase::Read(Ownership::Starting));
        tokio::select! {
            checked = self.shared.store.checked() => checked?,
            () = stopped(&mut stop) => {
                self.leave().await;
                return Ok(());
            }
        }
        let now = ownership.borrow_and_update().clone();
        self.enter(now).await;
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                changed = ownership.changed() => {
                    // An ownership that nobody watches over any more cannot be trusted.
                    let now = if changed.is_ok() { ownership.borrow_and_update().clone() } else { Ownership::Lost };
                    let over = changed.is_err();
                    self.enter(now).await;
                    if over {
                        stopped(&mut stop).await;
                        break;
                    }
                }
                change = changes.recv() => self.changed(change),
            }
        }
        self.leave().await;
        Ok(())
    }

    async fn enter(&self, ownership: Ownership) {
        let tenure = |ownership: &Ownership| match ownership {
            Ownership::Owner { generation, .. } => Some(*generation),
            _ => None,
        };
        let before = match &*self.phase.borrow() {
            Phase::Read(ownership) => tenure(ownership),
            Phase::Reading | Phase::Stopping => None,
        };
        let now = tenure(&ownership);
        if before.is_some() && before != now {
            // First of all: nothing may be produced any more. No status is written either, the new owner has the word.
            self.shared.store.end();
            self.shared.abort();
            tracing::warn!("the group is lost: all tasks are stopped at once");
        }
        match &ownership {
            Ownership::Owner { fence, .. } => {
                if before != now {
                    self.take_over(Arc::clone(fence)).await;
                }
            }
            Ownership::Starting => {
                tracing::info!("stored state is read; waiting to own the group before a connector starts");
            }
            Ownership::Standby => tracing::info!("another afterimage owns the group: standing by"),
            Ownership::Foreign { members } => tracing::warn!(
                "nothing starts while Kafka Connect workers are in the group: {}. Stop them; it is looked again every 5 s",
                members.join(", ")
            ),
            Ownership::Lost => tracing::warn!("the group is not owned: standing by until it can be taken again"),
        }
        self.phase.send_replace(Phase::Read(ownership));
    }

    /// Becomes the owner: what the topic says now is what is to run.
    async fn take_over(&self, fence: Arc<Fence>) {
        self.shared.store.begin(fence);
        // What the owner before wrote last must be known; a broker that is away now will say it through `changes`.
        for read in [self.shared.configs.refresh().await, self.shared.offsets.refresh().await] {
            if let Err(error) = read {
                tracing::warn!("the stored state could not be read again before taking over: {error}");
            }
        }
        let last = self.shared.statuses.read(|view| {
            let of_tasks = view.connectors().flat_map(|name| view.tasks(name)).map(|(_, status)| status.generation);
            view.connectors().filter_map(|name| view.connector(name)).map(|s| s.generation).chain(of_tasks).max()
        });
        let own = self.shared.generation();
        // Above all that was written before: "safe" statuses of an older generation are dropped by readers.
        self.shared.generation.store(own.max(last.unwrap_or(0)).saturating_add(1), Ordering::Relaxed);
        self.forget_leftovers();
        let names: Vec<String> = self.shared.configs.read(|view| view.connectors.keys().cloned().collect());
        tracing::info!(connectors = names.len(), "the group is owned: starting the stored connectors");
        for name in names {
            self.look(&name, false);
        }
    }

    /// Statuses of connectors and tasks that are not configured any more.
    fn forget_leftovers(&self) {
        let shared = &self.shared;
        let known: Vec<(String, Vec<u32>)> = shared.statuses.read(|view| {
            view.connectors().map(|name| (name.to_owned(), view.tasks(name).map(|(n, _)| n).collect())).collect()
        });
        for (name, tasks) in known {
            let (is_configured, count) = shared
                .configs
                .read(|view| (view.connectors.contains_key(&name), view.tasks(&name).map_or(0, |tasks| tasks.count)));
            for number in tasks.into_iter().filter(|number| *number >= count) {
                drop(shared.statuses.remove_task(&name, number));
            }
            if !is_configured {
                drop(shared.statuses.remove_topics(&name));
                drop(shared.statuses.remove_connector(&name));
            }
        }
    }

    fn look(&self, name: &str, config: bool) {
        self.shared.note(name, |mailbox| {
            mailbox.put(|mail| {
                mail.look = true;
                mail.config |= config;
            });
        });
    }

    fn changed(&self, change: Result<ConfigChange, broadcast::error::RecvError>) {
        if !matches!(&*self.phase.borrow(), Phase::Read(Ownership::Owner { .. })) {
            return;
        }
        match change {
            Ok(ConfigChange::Connector(name)) => self.look(&name, true),
            Ok(ConfigChange::Removed(name) | ConfigChange::Target(name) | ConfigChange::Tasks(name)) => {
                self.look(&name, false)
            }
            Ok(ConfigChange::Restart { connector, include_tasks, only_failed }) => {
                self.restart_asked(&connector, include_tasks, only_failed);
            }
            Ok(ConfigChange::Logger { .. } | ConfigChange::SessionKey | ConfigChange::Nothing)
            | Err(broadcast::error::RecvError::Closed) => {}
            Err(broadcast::error::RecvError::Lagged(_)) => {
                let mut names: Vec<String> = self.shared.configs.read(|view| view.connectors.keys().cloned().collect());
                names.extend(self.shared.keepers().keys().map(ToString::to_string));
                for name in &names {
                    self.look(name, false);
                }
            }
        }
    }

    /// Stops everything in good order, all connectors at once.
    async fn leave(&self) {
        self.phase.send_replace(Phase::Stopping);
        let mut waits = JoinSet::new();
        for kept in self.shared.keepers().values() {
            let (done, wait) = oneshot::channel();
            kept.mailbox.put(|mail| {
                mail.leave = true;
                mail.settled.push(done);
            });
            waits.spawn(wait);
        }
        // The grace is for the tasks; a little more for the records that say so.
        let bound = self.shared.settings.graceful_stop + Duration::from_secs(5);
        if timeout(bound, async { while waits.join_next().await.is_some() {} }).await.is_err() {
            tracing::warn!(
                "not all connectors stopped in time; what they had not stored is read again at the next start"
            );
        }
        self.shared.abort();
        self.shared.store.close();
    }
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // A sender that is gone means that the daemon ends.
    let _ = stop.wait_for(|stop| *stop).await;
}

/// A stored configuration as properties.
pub(super) fn properties(object: &Object) -> Properties {
    let mut properties = Properties::new();
    for (name, value) in object {
        match value {
            serde_json::Value::Null => properties.insert_null(name),
            serde_json::Value::String(text) => properties.insert(name, text),
            other => properties.insert(name, other.to_string()),
        }
    }
    properties
}
