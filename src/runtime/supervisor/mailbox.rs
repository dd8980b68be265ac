//! What a keeper is to look at next. Notes are merged and not queued, so that a mailbox cannot overflow: a hundred config
//! changes make the keeper look once, and of several restarts the widest wins, as in Connect.
//!
//! Must not know: what a keeper does because of a note.

use std::sync::{Mutex, PoisonError};

use tokio::sync::{Notify, oneshot};

/// Whoever waits for a restart; the error is the trace of a start that failed.
pub(super) type RestartDone = oneshot::Sender<Result<(), String>>;

/// A restart that was asked for.
#[derive(Debug, Default)]
pub(super) struct Restart {
    pub(super) connector: bool,
    pub(super) task: bool,
    /// Whether the restart first writes the status RESTARTING (only a restart with flags does).
    pub(super) announced: bool,
    pub(super) done: Vec<RestartDone>,
}

/// All notes since the keeper took them last.
#[derive(Debug, Default)]
pub(super) struct Mail {
    /// Compare the config topic with what runs.
    pub(super) look: bool,
    /// The connector's configuration was written, perhaps unchanged.
    pub(super) config: bool,
    pub(super) restart: Option<Restart>,
    /// Whoever waits until all of the above is done.
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

    /// Adds a restart and merges it with those that wait.
    pub(super) fn restart(&self, connector: bool, task: bool, announced: bool, done: RestartDone) {
        self.put(|mail| {
            let restart = mail.restart.get_or_insert_default();
            restart.connector |= connector;
            restart.task |= task;
            restart.announced |= announced;
            restart.done.push(done);
        });
    }

    /// Whether there is no note.
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
