//! One owner: of all processes that share a `group.id`, Java workers included, at most one runs connectors.
//!
//! The Kafka group is the lock. While members of protocol type `connect` are in it, Java workers run the connectors and
//! this process waits ([`Ownership::Foreign`]). While a process of ours is in it, a Java worker that comes cannot join: the
//! group's protocol is another one.
//!
//! Of ours, only the owner is in the group, as its one static member. Standbys stay outside and look at the mark that the
//! owner writes into the group, so that no coming and going of theirs makes the group rebalance. A standby joins under the
//! static member's name when the mark says that the place is free or has said nothing new for as long as it lasts. That
//! fences the member before, dead or alive: the broker takes nothing from it any more. A process that crashed and is started
//! again need not wait even so long: it has its instance id again, and the lock of that id on its machine tells that the
//! process before it is dead.
//!
//! Losing the group must stop the producing before somebody else begins. So the owner proves its place again and again by
//! writing the mark, which the broker refuses from anyone but the present holder. The [`Fence`] of a tenure is open only
//! for session timeout minus one heartbeat after the last mark that was taken, by the monotonic clock, and it is asked
//! before every record: a process that was stopped and continued finds it closed, whichever thread wakes first.
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

/// What the group's membership is made of.
#[derive(Clone)]
pub struct Settings {
    /// librdkafka's properties of the worker's internal clients: servers, security. May hold secrets.
    pub client: BTreeMap<String, String>,
    /// The client's id, by which the brokers' logs name this process.
    pub client_id: String,
    /// `group.id`.
    pub group_id: String,
    /// Names this process across its restarts, and no other one of the group.
    pub instance_id: String,
    /// `config.storage.topic`; must exist.
    pub topic: String,
    /// `session.timeout.ms`: after so long without a heartbeat the broker counts the owner as dead.
    pub session_timeout: Duration,
    /// `heartbeat.interval.ms`.
    pub heartbeat: Duration,
}

/// Who runs the connectors.
#[derive(Debug, Clone)]
pub enum Ownership {
    /// Not known yet: the broker has not answered, or it is not yet seen whether the owner lives.
    Starting,
    /// Java workers are in the group; it is looked at again every 5 s.
    Foreign {
        /// Their client ids and hosts.
        members: Vec<String>,
    },
    /// Another process of ours runs them; this one takes over when it ends.
    Standby,
    /// This process.
    Owner {
        /// Counts this process's tenures from 1. A number that differs from the last seen means that the group was lost
        /// in between, also when [`Lost`](Self::Lost) itself was not seen.
        generation: u32,
        /// Open as long as this tenure may produce; never opens again.
        fence: Arc<Fence>,
    },
    /// This process no more; everything that produces must be thrown away.
    Lost,
}

/// The thread that holds the group.
pub struct Owner {
    state: watch::Receiver<Ownership>,
    leave: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Owner {
    /// Starts to watch the group and to take it when it is free.
    pub fn start(settings: Settings) -> std::io::Result<Self> {
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
    /// Everything that produces must have ended before.
    pub fn leave(&mut self) {
        self.leave.store(true, Ordering::Release);
        if let Some(thread) = self.thread.take() {
            // A panic in it was printed by the hook.
            let _ = thread.join();
        }
    }
}

impl Drop for Owner {
    fn drop(&mut self) {
        self.leave();
    }
}
