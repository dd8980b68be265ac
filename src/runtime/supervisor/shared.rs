//! What the loop, the calls and the keepers share: the stored state, the keepers' table, and whose turn it is.
//!
//! Must not know: what a keeper does.

use std::collections::HashMap;
use std::sync::atomic::{AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use settings::Properties;
use tokio::sync::OwnedMutexGuard;
use tokio::task::AbortHandle;

use super::SupervisorSettings;
use super::deadline::Deadline;
use super::keeper::Keeper;
use super::letters::Readers;
use super::machine::State;
use super::mailbox::Mailbox;
use super::numbers::Metered;
use crate::runtime::defect;
use crate::runtime::fenced::Fenced;
use crate::runtime::own_offsets::OffsetTopics;
use crate::store::{Configs, Object, Status, Statuses};

/// What the loop, the calls and the keepers share.
pub(super) struct Shared {
    pub(super) settings: SupervisorSettings,
    pub(super) configs: Configs,
    pub(super) statuses: Statuses,
    pub(super) offsets: Arc<OffsetTopics>,
    /// The generation that this tenure writes into statuses.
    pub(super) generation: AtomicI32,
    /// Counts resets of topics: after one, tasks report their topics again.
    pub(super) resets: Arc<AtomicU64>,
    /// The meters of what runs.
    pub(super) metered: Metered,
    /// The store that `configs`, `statuses` and `offsets` write to; it has the tenure's fence.
    pub(super) store: Arc<Fenced>,
    /// Who reads dead letters.
    pub(super) readers: Readers,
    /// When the daemon's stop must be over.
    pub(super) deadline: Deadline,
    keepers: Mutex<HashMap<Arc<str>, Kept>>,
    /// One lock per connector for calls, another for writing task configurations (calls and keepers both write them).
    locks: Mutex<HashMap<(String, Turn), Lock>>,
}

type Lock = Arc<tokio::sync::Mutex<()>>;

/// Kinds of work that must not overlap for one connector.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Turn {
    /// A call.
    Call,
    /// A write of task configurations.
    Tasks,
}

pub(super) struct Kept {
    pub(super) mailbox: Arc<Mailbox>,
    task: AbortHandle,
}

impl Shared {
    pub(super) fn new(store: Arc<Fenced>, offsets: Arc<OffsetTopics>, settings: SupervisorSettings) -> Self {
        Self {
            deadline: Deadline::new(settings.graceful_stop),
            settings,
            configs: Configs::new(Arc::clone(&store) as _),
            statuses: Statuses::new(Arc::clone(&store) as _),
            offsets,
            generation: AtomicI32::new(0),
            resets: Arc::default(),
            metered: Metered::default(),
            readers: Readers::default(),
            store,
            keepers: Mutex::default(),
            locks: Mutex::default(),
        }
    }

    pub(super) fn generation(&self) -> i32 {
        self.generation.load(Ordering::Relaxed)
    }

    /// Waits for its turn. Locks that nobody holds or waits for are dropped on the way.
    pub(super) async fn turn(&self, name: &str, turn: Turn) -> OwnedMutexGuard<()> {
        let lock = {
            let mut locks = self.locks.lock().unwrap_or_else(PoisonError::into_inner);
            locks.retain(|_, lock| Arc::strong_count(lock) > 1);
            Arc::clone(locks.entry((name.to_owned(), turn)).or_default())
        };
        lock.lock_owned().await
    }

    pub(super) fn keepers(&self) -> MutexGuard<'_, HashMap<Arc<str>, Kept>> {
        self.keepers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a keeper of a deleted connector out of the table, unless there is new mail for it.
    pub(super) fn retire(&self, name: &str, mailbox: &Arc<Mailbox>) -> bool {
        let mut keepers = self.keepers();
        if !mailbox.is_empty() {
            return false;
        }
        // After the group was lost and won again, another keeper may have the name.
        if keepers.get(name).is_some_and(|kept| Arc::ptr_eq(&kept.mailbox, mailbox)) {
            keepers.remove(name);
        }
        true
    }

    /// Hands a note to a connector's keeper; makes the keeper if there is none.
    pub(super) fn note(self: &Arc<Self>, name: &str, note: impl FnOnce(&Mailbox)) {
        let mut keepers = self.keepers();
        if !keepers.contains_key(name) {
            let name: Arc<str> = name.into();
            let mailbox = Arc::new(Mailbox::default());
            let keeper = Keeper::new(Arc::clone(self), Arc::clone(&name), Arc::clone(&mailbox));
            let task = tokio::spawn(Arc::clone(self).keep(keeper, Arc::clone(&name), Arc::clone(&mailbox)));
            let task = task.abort_handle();
            keepers.insert(name.clone(), Kept { mailbox, task });
        }
        if let Some(kept) = keepers.get(name) {
            note(&kept.mailbox);
        }
    }

    /// Runs a keeper to its end. If it panics, its task is dropped with it, and its connector is FAILED until the next note
    /// makes another keeper: a restart, or a new record about the connector in the config topic.
    async fn keep(self: Arc<Self>, keeper: Keeper, name: Arc<str>, mailbox: Arc<Mailbox>) {
        let Err(defect) = defect::caught(keeper.run()).await else { return };
        let trace = defect.trace("the connector's keeper");
        tracing::error!(
            connector = &*name,
            "the connector failed and stays so until it is restarted or its configuration is written again: {trace}"
        );
        {
            let mut keepers = self.keepers();
            if keepers.get(&*name).is_some_and(|kept| Arc::ptr_eq(&kept.mailbox, &mailbox)) {
                keepers.remove(&*name);
            }
        }
        let status = Status {
            state: State::Failed.name().to_owned(),
            trace: Some(trace),
            worker_id: self.settings.worker_id.clone(),
            generation: self.generation(),
            version: None,
        };
        // Nobody waits for these writes: the keeper is gone.
        drop(self.statuses.put_connector(&name, &status));
        let tasks: Vec<u32> = self.statuses.read(|view| view.tasks(&name).map(|(number, _)| number).collect());
        for number in tasks {
            drop(self.statuses.put_task(&name, number, &status));
        }
    }

    /// Ends all keepers and their tasks, now.
    pub(super) fn abort(&self) {
        for (_, kept) in self.keepers().drain() {
            kept.task.abort();
        }
        self.metered.no_restart_due();
    }
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
