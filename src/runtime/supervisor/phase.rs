//! How far the daemon has come between start and stop, and which calls it answers then.
//!
//! Must not know: HTTP.

use super::{Refusal, Supervisor};
use crate::runtime::owner::Ownership;
use crate::store::Store as _;

#[derive(Clone, Debug)]
pub(super) enum Phase {
    /// The stored state has not been read to its end.
    Reading,
    /// The stored state has been read; who owns the group.
    Read(Ownership),
    /// The daemon ends.
    Stopping,
}

/// What the health page says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Health {
    /// The daemon does its work, or stands by.
    Healthy(String),
    /// It is not ready yet.
    Starting(String),
    /// It was ready and is not any more.
    Unhealthy(String),
}

/// Who answers calls that change something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Leader {
    /// This process, or nobody: a call is refused then.
    Here,
    /// Another process, whose REST API is at this address.
    Other(String),
}

/// How long a call waits while it is not known yet who owns the group.
const DECISION_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

/// How long the loop may take to answer the health page. Connect waits as long.
const ANSWER_WAIT: std::time::Duration = std::time::Duration::from_secs(10);

impl Supervisor {
    /// For the health page. Once the stored state is read, the supervisor's loop must answer too: a worker that cannot take note
    /// of anything any more is unhealthy.
    pub async fn health(&self) -> Health {
        let health = self.known_health();
        if !matches!(health, Health::Healthy(_)) {
            return health;
        }
        let asked = async {
            let (answer, answered) = tokio::sync::oneshot::channel();
            self.pings.send(answer).await.ok()?;
            answered.await.ok()
        };
        match tokio::time::timeout(ANSWER_WAIT, asked).await {
            Ok(Some(())) => health,
            // The loop has ended in the meantime.
            Ok(None) => self.known_health(),
            Err(_) => Health::Unhealthy(format!(
                "Worker was unable to handle this request and may be unable to handle other requests. {}",
                self.stages.sentence()
            )),
        }
    }

    fn known_health(&self) -> Health {
        const STARTING: &str = "Worker is still starting up. ";
        match &*self.phase.borrow() {
            Phase::Reading => Health::Starting(match self.shared.store.trouble() {
                Some(trouble) => format!("{STARTING}Reading the stored configs, offsets and statuses: {trouble}"),
                None => format!("{STARTING}{}", self.stages.sentence()),
            }),
            Phase::Read(Ownership::Owner { .. }) => {
                Health::Healthy("Worker has completed startup and is ready to handle requests.".to_owned())
            }
            Phase::Read(Ownership::Standby { owner }) if owner.is_empty() => Health::Healthy(
                "Worker is a standby: another afterimage owns the group. Reads are served, changes are not.".to_owned(),
            ),
            Phase::Read(Ownership::Standby { owner }) => Health::Healthy(format!(
                "Worker is a standby: another afterimage owns the group. Reads are served, changes are passed on to {owner}."
            )),
            Phase::Read(Ownership::Starting) => Health::Starting(format!("{STARTING}Finding out who owns the group.")),
            Phase::Read(Ownership::Foreign { members }) => Health::Starting(format!(
                "{STARTING}No connector starts while Kafka Connect workers are in the group: {}. Stop them.",
                members.join(", ")
            )),
            Phase::Read(Ownership::Lost) => Health::Unhealthy(
                "Worker has lost its group and stopped all tasks; it takes over again when it can.".to_owned(),
            ),
            Phase::Stopping => Health::Unhealthy("Worker is shutting down".to_owned()),
        }
    }

    /// Who answers calls that change something.
    pub fn leader(&self) -> Leader {
        match &*self.phase.borrow() {
            Phase::Read(Ownership::Standby { owner }) if !owner.is_empty() => Leader::Other(owner.clone()),
            _ => Leader::Here,
        }
    }

    /// Whether the stored state has been read to its end.
    pub fn is_read(&self) -> bool {
        self.readable().is_ok()
    }

    /// Whether the stored state may be shown: it has been read to its end.
    pub(super) fn readable(&self) -> Result<(), Refusal> {
        match &*self.phase.borrow() {
            Phase::Reading => Err(Refusal::Starting),
            Phase::Read(_) | Phase::Stopping => Ok(()),
        }
    }

    /// Whether this daemon may change anything; waits while it is not known who owns the group.
    pub(super) async fn writable(&self) -> Result<(), Refusal> {
        self.readable()?;
        let mut phase = self.phase.subscribe();
        let decided = phase.wait_for(|phase| !matches!(phase, Phase::Read(Ownership::Starting)));
        let decided = tokio::time::timeout(DECISION_WAIT, decided).await;
        match decided.as_ref().ok().and_then(|result| result.as_ref().ok()).map(|phase| (**phase).clone()) {
            Some(Phase::Read(Ownership::Owner { .. })) => Ok(()),
            Some(Phase::Stopping) => Err(Refusal::Stopping),
            _ => Err(Refusal::NotOwner),
        }
    }
}
