//! What a keeper is to look at next. Notes merge instead of queueing, so a mailbox has no bound to overflow: a hundred
//! config changes under way are one look, and of several restarts the widest wins, as Connect merges them.
//!
//! Must not know: what the notes lead to.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

/// Who waits for a restart; the error is the trace of a start that failed.
pub(super) type RestartDone = oneshot::Sender<Result<(), String>>;

/// A restart that was asked for.
#[derive(Debug, Default)]
pub(super) struct Restart {
    pub(super) connector: bool,
    pub(super) task: bool,
    pub(super) announced: bool,
    pub(super) done: Vec<RestartDone>,
}

/// All notes since the last look.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// The config topic has something on this connector.
    pub(super) look: bool,
    /// Its configuration was written, be it the same.
    pub(super) config: bool,
    pub(super) restart: Option<Restart>,
    /// Wait until all of the above is done.
    pub(super) settled: Vec<oneshot::Sender<()>>,
    /// The daemon ends.
    pub(super) leave: bool,
}

impl Mail {
    fn is_empty(&self) -> bool {
        !self.look && !self.config && self.restart.is_none() && self.settled.is_empty() && !self.leave
    }
}

/// A keeper's mailbox.
#[derive(Debug, Default)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    bell: Notify,
}

impl Mailbox {
    /// Adds a note.
    pub(super) fn put(&self, note: impl FnOnce(&mut Mail)) {
        note(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        self.bell.notify_one();
    }

    /// Adds a restart to those that wait.
    pub(super) fn restart(&self, connector: bool, task: bool, announced: bool, done: RestartDone) {
        self.put(|mail| {
            let restart = mail.restart.get_or_insert_default();
            restart.connector |= connector;
            restart.task |= task;
            restart.announced |= announced;
            restart.done.push(done);
        });
    }

    /// Whether nothing waits.
    pub(super) fn is_empty(&self) -> bool {
        self.mail.lock().unwrap_or_else(PoisonError::into_inner).is_empty()
    }

    /// Waits for notes and takes them all.
    pub(super) async fn take(&self) -> Mail {
        loop {
            let mail = std::mem::take(&mut *self.mail.lock().unwrap_or_else(PoisonError::into_inner));
            if !mail.is_empty() {
                return mail;
            }
            self.bell.notified().await;
        }
    }
}
