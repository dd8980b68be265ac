//! One owner: of all processes that share a `group.id`, Java workers included, at most one runs connectors.
//!
//! The Kafka group is the lock. While members of protocol type `connect` are in it, Java workers run the connectors and
//! this process waits ([`Ownership::Foreign`]). While an afterimage is in it, no Java worker can join, because the group's
//! protocol type is another one.
//!
//! Of all afterimages only the owner is in the group, as its one static member (KIP-345). Standbys stay outside, so that the
//! group does not rebalance when they come and go, and read the mark that the owner writes into the group. A standby joins
//! under the static member's name when the mark says that the place is free, or when the mark has not changed for as long as
//! it lasts. Joining fences the member before, dead or alive: the broker refuses what it sends from then on. A process that
//! is restarted after a crash need not wait: it has its instance id again, and taking the lock of that id on its host
//! proves that the process before it is dead.
//!
//! An owner that loses the group must stop producing before another process begins. So the owner proves that it holds the
//! place again and again, by writing the mark, which the broker takes from the present holder only. The [`Fence`] of a tenure
//! is open for the session timeout minus one heartbeat after the last mark that the broker took, by the monotonic clock, and
//! it is asked at least every 16th record, after every wait of a sender, and before every write of state: a process that was
//! stopped and continued finds it closed, whichever thread wakes first.
//!
//! Must not know: what the owner does.

mod client;
mod fence;
mod lock;
mod machine;
mod mark;
mod membership;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::watch;

pub use self::fence::Fence;
use self::membership::Membership;

/// The settings of this process's membership in the group.
#[derive(Clone)]
pub struct GroupSettings {
    /// librdkafka properties of the worker's internal clients: servers, security. They may hold secrets.
    pub client: BTreeMap<String, String>,
    /// The client's id, by which the brokers' logs name this process.
    pub client_id: String,
    /// `group.id`.
    pub group_id: String,
    /// `afterimage.instance.id`: names this process across its restarts, and no other process of the group.
    pub instance_id: String,
    /// Where this process's REST API is, for the other processes of the group: `rest.advertised.*`.
    pub url: String,
    /// `config.storage.topic`. Its partition 0 stands for the owner's place; nobody joins before the topic exists.
    pub topic: String,
    /// `session.timeout.ms`: after this time without a heartbeat the broker counts the owner as dead.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat: Duration,
}

/// Who runs the connectors.
#[derive(Debug, Clone)]
pub enum Ownership {
    /// Not known yet: the broker has not answered, or it is not clear yet whether the owner lives.
    Starting,
    /// Java workers run them: they are in the group, which is looked at again every 5 s.
    Foreign {
        /// Their client ids and hosts.
        members: Vec<String>,
    },
    /// Another afterimage runs them; this process takes over when the other ends.
    Standby {
        /// Where the other's REST API is; empty when it has not said.
        owner: String,
    },
    /// This process runs them.
    Owner {
        /// Counts this process's tenures from 1. A number other than the last one seen means that the group was lost in
        /// between, even if [`Lost`](Self::Lost) was not seen.
        tenure: u32,
        /// Open as long as this tenure may produce; once closed, it never opens again.
        fence: Arc<Fence>,
    },
    /// This process has lost the group: everything that produces must be dropped.
    Lost,
}

/// The thread that holds the group.
pub struct Owner {
    state: watch::Receiver<Ownership>,
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Owner {
    /// Starts the thread that watches the group and takes it when it is free.
    pub fn start(settings: GroupSettings) -> std::io::Result<Self> {
        let (publish, state) = watch::channel(Ownership::Starting);
        let leave = Arc::new(AtomicBool::new(false));
        let membership = Membership::new(settings, publish, Arc::clone(&leave));
        let thread = std::thread::Builder::new().name("group-owner".to_owned()).spawn(move || membership.run())?;
        Ok(Self { state, leave, thread: Some(thread) })
    }

    /// The state, now and as it changes.
    pub fn state(&self) -> watch::Receiver<Ownership> {
        self.state.clone()
    }

    /// Gives the group back, so that a standby takes over at once. Blocks until the broker was told, at most a few seconds.
    /// Call it only after everything that produces has ended.
    pub fn leave(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // If the thread panicked, the panic hook has logged it.
            let _ = thread.join();
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.leave();
    }
}
