//! The lives of all connectors. Only the supervisor decides about their states.
//!
//! It has three parts, so that no lock is ever held across I/O. The *calls* (from REST) check and write to the config topic.
//! The *loop* ([`Supervisor::run`]) follows the topic and the ownership of the group, and wakes the keepers. Each connector
//! has a *keeper*, which compares what the topic says with what runs, lets its machine decide, and acts. Because keepers
//! follow the topic and not the calls, a change that another worker wrote has the same effect as one of our own.
//!
//! Must not know: HTTP, SQL, how a task moves records.

mod calls;
mod deadline;
mod fencing;
mod info;
mod keeper;
mod launch;
mod letters;
mod machine;
mod mailbox;
mod numbers;
mod offsets;
mod phase;
mod plan;
mod restarts;
mod shared;
mod stage;
mod tenure;
mod times;

use std::sync::Arc;

pub use calls::{Initial, Refusal};
pub use deadline::Deadline;
pub use info::{Info, PartState, StateInfo};
pub use launch::{Launch, Launched, Resolve, SetLogLevel, SupervisorSettings};
pub use letters::LetterList;
pub use numbers::{ClassOf, ConnectorNumbers, RestartNumbers, StartNumbers, TaskNumbers, WorkerNumbers};
pub use offsets::Alteration;
pub use phase::{Health, Leader};
pub use restarts::RestartSettings;
use shared::{Shared, Turn, properties};
pub use times::RebalanceNumbers;
use tokio::sync::{Mutex, broadcast, mpsc, oneshot, watch};

use self::phase::Phase;
use self::stage::Stages;
use super::fenced::Fenced;
pub use super::letters::index::Shown;
pub use super::letters::replay::{Refused as RefusedLetter, Replayed, Wanted};
use super::own_offsets::OffsetTopics;
use super::owner::Ownership;
use crate::store::{ConfigChange, Store, StoreError};

/// Supervises all connectors of the daemon.
pub struct Supervisor {
    shared: Arc<Shared>,
    phase: watch::Sender<Phase>,
    /// Asks the loop for a sign of life; the health page does.
    pings: mpsc::Sender<oneshot::Sender<()>>,
    /// The loop's end of `pings`, which it takes when it begins.
    pinged: Mutex<mpsc::Receiver<oneshot::Sender<()>>>,
    /// What the loop does.
    stages: Stages,
}

/// How many questions of the health page may wait. While the loop does not answer, further ones wait for room.
const PINGS: usize = 16;

impl Supervisor {
    /// A supervisor on a store that has not been started: [`run`](Self::run) starts it.
    pub fn new(store: Arc<Fenced>, offsets: Arc<OffsetTopics>, settings: SupervisorSettings) -> Arc<Self> {
        let shared = Shared::new(store, offsets, settings);
        let (phase, _) = watch::channel(Phase::Reading);
        let (pings, pinged) = mpsc::channel(PINGS);
        let stages = Stages::default();
        Arc::new(Self { shared: Arc::new(shared), phase, pings, pinged: Mutex::new(pinged), stages })
    }

    /// The settings that it was made with.
    pub fn settings(&self) -> &SupervisorSettings {
        &self.shared.settings
    }

    /// Reads the store, then follows it and the ownership until `stop` turns true; then stops all tasks within
    /// `task.shutdown.graceful.timeout.ms` and returns.
    ///
    /// # Errors
    /// The store cannot be used, and the process must exit.
    pub async fn run(
        &self,
        mut ownership: watch::Receiver<Ownership>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), StoreError> {
        let mut pinged = self.pinged.lock().await;
        let store = Arc::clone(&self.shared.store);
        let read = tokio::task::spawn_blocking(move || store.start());
        let read = self.stages.during("initializing and reading to the end of internal topics", read);
        tokio::select! {
            read = read => read.unwrap_or(Err(StoreError::Closed))?,
            () = stopped(&mut stop) => {
                self.close().await;
                return Ok(());
            }
        }
        // From here on reads are answered. Nothing is started or written before the topics' cleanup policies are checked.
        let mut changes = self.shared.configs.changes();
        self.phase.send_replace(Phase::Read(Ownership::Starting));
        tokio::select! {
            checked = self.stages.during("checking the internal topics", self.shared.store.checked()) => checked?,
            () = stopped(&mut stop) => {
                self.leave().await;
                return Ok(());
            }
        }
        let now = ownership.borrow_and_update().clone();
        // A take-over waits for the broker, which may be away for longer than a stop may take.
        tokio::select! {
            () = self.enter(now) => {}
            () = stopped(&mut stop) => {
                self.leave().await;
                return Ok(());
            }
        }
        loop {
            tokio::select! {
                biased;
                () = stopped(&mut stop) => break,
                changed = ownership.changed() => {
                    // The sender is gone: nobody watches the group any more, so the ownership counts as lost.
                    let now = if changed.is_ok() { ownership.borrow_and_update().clone() } else { Ownership::Lost };
                    let over = changed.is_err();
                    tokio::select! {
                        () = self.enter(now) => {}
                        () = stopped(&mut stop) => break,
                    }
                    if over {
                        stopped(&mut stop).await;
                        break;
                    }
                }
                Some(ping) = pinged.recv() => {
                    // Whoever asked may have stopped waiting.
                    let _ = ping.send(());
                }
                change = changes.recv() => self.changed(change),
            }
        }
        self.leave().await;
        Ok(())
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
        if let Ok(ConfigChange::Logger { logger, level }) = &change {
            // Every live worker follows these, whoever owns the group.
            (self.shared.settings.set_log_level)(logger, level);
            return;
        }
        if !matches!(&*self.phase.borrow(), Phase::Read(Ownership::Owner { .. })) {
            return;
        }
        match change {
            Ok(ConfigChange::Connector(name)) => self.look(&name, true),
            Ok(ConfigChange::Removed(name) | ConfigChange::Target(name) | ConfigChange::Tasks(name)) => {
                self.look(&name, false);
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
}

async fn stopped(stop: &mut watch::Receiver<bool>) {
    // An error means that the sender is gone, because the daemon ends: that is a stop too.
    let _ = stop.wait_for(|stop| *stop).await;
}
