//! What happens when the group is lost or won: all tasks end at once, or the stored connectors start.
//!
//! Must not know: how the group is won or lost.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use retry::Backoff;

use super::Supervisor;
use super::phase::Phase;
use crate::runtime::owner::{Fence, Ownership};
use crate::store::Store as _;

impl Supervisor {
    /// Takes note of who owns the group now, and begins or ends this process's own tenure.
    pub(super) async fn enter(&self, ownership: Ownership) {
        let tenure = |ownership: &Ownership| match ownership {
            Ownership::Owner { tenure, .. } => Some(*tenure),
            _ => None,
        };
        let before = match &*self.phase.borrow() {
            Phase::Read(ownership) => tenure(ownership),
            Phase::Reading | Phase::Stopping => None,
        };
        let now = tenure(&ownership);
        if before.is_some() && before != now {
            // This comes first: nothing may be produced any more. No status is written either; the new owner writes them.
            self.shared.store.end();
            self.shared.abort();
            tracing::warn!("the group is lost: all tasks are stopped at once");
        }
        let is_settled = !matches!(ownership, Ownership::Starting | Ownership::Lost);
        if !is_settled || before != now {
            self.shared.metered.group_changes(false);
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
            Ownership::Standby { owner } => {
                tracing::info!("another afterimage owns the group: standing by, and passing changes on to {owner}");
            }
            Ownership::Foreign { members } => tracing::warn!(
                "nothing starts while Kafka Connect workers are in the group: {}. Stop them; it is looked again every 5 s",
                members.join(", ")
            ),
            Ownership::Lost => tracing::warn!("the group is not owned: standing by until it can be taken again"),
        }
        if is_settled {
            self.shared.metered.group_changes(true);
        }
        self.phase.send_replace(Phase::Read(ownership));
    }

    /// Begins a tenure: reads the stored state to its end and starts the stored connectors.
    async fn take_over(&self, fence: Arc<Fence>) {
        self.shared.store.begin(Arc::clone(&fence));
        let reading = self.read_again(&fence);
        self.stages.during("reading the stored state to its end before taking over the group", reading).await;
        if !fence.is_open() {
            // The loss of the group comes next.
            return;
        }
        let last = self.shared.statuses.read(|view| {
            let of_tasks = view.connectors().flat_map(|name| view.tasks(name)).map(|(_, status)| status.generation);
            view.connectors().filter_map(|name| view.connector(name)).map(|s| s.generation).chain(of_tasks).max()
        });
        let own = self.shared.generation();
        // Higher than all that is stored: statuses of FAILED and UNASSIGNED do not replace those of a later generation.
        self.shared.generation.store(own.max(last.unwrap_or(0)).saturating_add(1), Ordering::Relaxed);
        self.forget_leftovers();
        let names: Vec<String> = self.shared.configs.read(|view| view.connectors.keys().cloned().collect());
        tracing::info!(connectors = names.len(), "the group is owned: starting the stored connectors");
        for name in names {
            self.look(&name, false);
        }
    }

    /// Reads the last writes of the owner before. It is tried again until it succeeds or the group is lost: connectors that
    /// start from an older state would run a configuration that is gone, or send again what was sent.
    async fn read_again(&self, fence: &Fence) {
        // A transaction that the owner before left open hides what stands behind it.
        if let Err(error) = self.shared.store.lead().await {
            tracing::error!("the transactional id of the group's leader could not be taken over: {error}");
        }
        let mut backoff = Backoff::new(Duration::from_millis(200), Duration::from_secs(10));
        while fence.is_open() {
            let read = match self.shared.configs.refresh().await {
                Ok(()) => self.shared.offsets.worker().refresh().await,
                failed => failed,
            };
            let Err(error) = read else { return };
            tracing::warn!("no connector is started until the stored state is read; it is tried again: {error}");
            tokio::time::sleep(backoff.pause()).await;
        }
    }

    /// Deletes the statuses of connectors and tasks that are not configured any more.
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
}
