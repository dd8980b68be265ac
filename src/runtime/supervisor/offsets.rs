//! Reading and changing a connector's stored offsets (KIP-875).
//!
//! Must not know: HTTP, what an offset means.

use std::sync::Arc;
use std::time::Duration;

use settings::Properties;
use tokio::time::timeout;

use super::fencing::Unfenced;
use super::stage::Stage;
use super::{Refusal, Supervisor, properties};
use crate::runtime::owner::Fence;
use crate::store::{ConnectorOffsets, Object, StoreError, TargetState};

/// A source partition and its new offset. An offset of `None` deletes the stored one; a partition of `None` (JSON null) is
/// refused.
pub type Alteration = (Option<Object>, Option<Object>);

const ACCESS: &str = "Error accessing the offsets topic";
const WAIT: Duration = Duration::from_secs(90);

impl Supervisor {
    /// All stored partitions and offsets of a connector, those that another worker has just written too.
    pub async fn offsets(&self, name: &str) -> Result<Vec<(Object, Object)>, Refusal> {
        self.readable()?;
        self.known(name)?;
        let stored = self.opened(name).await?;
        read(stored.refresh()).await?;
        Ok(stored.all(name).into_iter().map(|stored| (stored.partition, stored.offset)).collect())
    }

    /// Sets or deletes offsets of a stopped connector; returns Connect's text.
    pub async fn alter_offsets(&self, name: &str, offsets: Vec<Alteration>) -> Result<String, Refusal> {
        if offsets.is_empty() {
            return Err(Refusal::Invalid(
                "Partitions / offsets need to be provided for an alter offsets request".to_owned(),
            ));
        }
        self.writable().await?;
        let _turn = self.lock(name).await;
        self.stopped(name).await?;
        let mut entries: Vec<(Object, Option<Object>)> = Vec::with_capacity(offsets.len());
        for (partition, offset) in offsets {
            let partition = partition.ok_or_else(|| Refusal::Invalid("Partition objects cannot be null".to_owned()))?;
            if let Some(offset) = &offset
                && let Some((field, value)) = offset.iter().find(|(_, v)| v.is_object() || v.is_array())
            {
                let kind = if value.is_object() { "MAP" } else { "ARRAY" };
                return Err(Refusal::Invalid(format!(
                    "Offsets may only contain primitive types as values, but field {field} contains {kind}"
                )));
            }
            entries.push((partition, offset));
        }
        self.store(name, &entries).await?;
        Ok(done("altered"))
    }

    /// Deletes all offsets of a stopped connector; returns Connect's text.
    pub async fn reset_offsets(&self, name: &str) -> Result<String, Refusal> {
        self.writable().await?;
        let _turn = self.lock(name).await;
        self.stopped(name).await?;
        let stored = self.opened(name).await?;
        read(stored.refresh()).await?;
        let stored = stored.all(name);
        if !stored.is_empty() {
            let deleted: Vec<_> = stored.into_iter().map(|known| (known.partition, None)).collect();
            self.store(name, &deleted).await?;
        }
        Ok(done("reset"))
    }

    /// The stored offsets of a connector, which may be in a topic of its own.
    async fn opened(&self, name: &str) -> Result<ConnectorOffsets, Refusal> {
        let config = self.resolved(name).await?;
        let stage = Stage::begin("reading the offsets topic of the connector");
        // Nothing is written here, so whoever may not write may read.
        let fence = self.shared.store.fence().unwrap_or_else(|| Arc::new(Fence::unguarded()));
        match timeout(WAIT, self.shared.offsets.open(name, &config, fence)).await {
            Ok(opened) => opened.map_err(|source| Refusal::of_store(ACCESS, source)),
            Err(_) => Err(Refusal::TimedOut(stage.sentence())),
        }
    }

    async fn resolved(&self, name: &str) -> Result<Properties, Refusal> {
        let stored = self.shared.configs.read(|view| view.connectors.get(name).cloned()).unwrap_or_default();
        let config = self.shared.settings.resolved(properties(&stored)).await;
        config.map_err(|defect| Refusal::Failed(defect.trace("the call about offsets")))
    }

    async fn store(&self, name: &str, offsets: &[(Object, Option<Object>)]) -> Result<(), Refusal> {
        let config = self.resolved(name).await?;
        let stage = Stage::begin("storing the offsets of the connector");
        match timeout(WAIT, self.shared.store_offsets(name, &config, offsets)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(Unfenced::Store(source))) => Err(Refusal::of_store(ACCESS, source)),
            Ok(Err(other)) => Err(Refusal::Failed(other.to_string())),
            Err(_) => Err(Refusal::TimedOut(stage.sentence())),
        }
    }

    fn known(&self, name: &str) -> Result<(), Refusal> {
        if self.shared.configs.read(|view| view.connectors.contains_key(name)) {
            return Ok(());
        }
        Err(Refusal::Absent(name.to_owned()))
    }

    /// Refuses unless the connector is stopped. Waits until its task has really ended: until then it could store an offset.
    async fn stopped(&self, name: &str) -> Result<(), Refusal> {
        self.known(name)?;
        let (target, count) =
            self.shared.configs.read(|view| (view.target(name), view.tasks(name).map_or(0, |tasks| tasks.count)));
        if target != TargetState::Stopped || count != 0 {
            return Err(Refusal::Invalid(format!(
                "Connectors must be in the STOPPED state before their offsets can be modified. This can be done for the \
                 specified connector by issuing a 'PUT' request to the '/connectors/{name}/stop' endpoint"
            )));
        }
        self.settle(name).await
    }
}

fn done(what: &str) -> String {
    format!(
        "The Connect framework-managed offsets for this connector have been {what} successfully. However, if this \
         connector manages offsets externally, they will need to be manually {what} in the system that the connector uses."
    )
}

async fn read(write: impl Future<Output = Result<(), StoreError>>) -> Result<(), Refusal> {
    let stage = Stage::begin("reading to the end of the offsets topic");
    match timeout(WAIT, write).await {
        Ok(result) => result.map_err(|source| Refusal::of_store(ACCESS, source)),
        Err(_) => Err(Refusal::TimedOut(stage.sentence())),
    }
}
