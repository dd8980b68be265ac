//! Fencing the producers of a connector's earlier tasks before new ones start (KIP-618): Connect's round of zombie fencing.
//!
//! A `tasks-fencing-` record says how many tasks may have a producer that is alive. It is written after each commit of tasks,
//! when the producers of all tasks before that commit have been fenced.
//!
//! Must not know: Kafka, HTTP.

use std::sync::Arc;

use retry::Outlook;
use settings::Properties;

use super::Shared;
use crate::runtime::exactly_once::Of;
use crate::store::{Object, StoreError};

/// Why a round was not completed.
#[derive(Debug, thiserror::Error)]
pub(super) enum Unfenced {
    /// New tasks were committed meanwhile. The text is Connect's.
    #[error("Fencing failed because new task configurations were generated for the connector")]
    Changed,
    /// A producer could not be fenced.
    #[error("Failed to fence out the producers of earlier tasks: {0}")]
    Producer(#[from] crate::sink::SinkError),
    /// The record could not be written.
    #[error("Failed to write the fencing record: {0}")]
    Store(#[from] StoreError),
}

impl Unfenced {
    /// Whether a task that is not started because of this may be started later.
    pub(super) fn outlook(&self) -> Outlook {
        match self {
            Self::Changed => Outlook::MayPass,
            Self::Producer(error) => error.outlook(),
            Self::Store(error) => error.outlook(),
        }
    }
}

impl Shared {
    /// Makes sure that no producer of an earlier task can commit anything: does nothing unless exactly-once support is enabled
    /// and a round is due. `config` has its variables resolved.
    pub(super) async fn fence_before_start(&self, name: &str, config: &Properties) -> Result<(), Unfenced> {
        let due = self.configs.read(|view| {
            view.tasks(name).filter(|tasks| tasks.is_fencing_pending).map(|tasks| (tasks.count, view.fencing(name)))
        });
        match due.filter(|_| self.settings.exactly_once.is_some()) {
            // One task before and one now: it takes the same transactional id over at its start.
            Some((1, Some(1))) => self.fenced(name, config, 0, 1).await,
            Some((count, before)) => self.fenced(name, config, before.unwrap_or(0), count).await,
            None => Ok(()),
        }
    }

    /// A round before the offsets of a stopped connector are changed.
    pub(super) async fn fence_all(&self, name: &str, config: &Properties) -> Result<(), Unfenced> {
        let before = self.configs.read(|view| view.fencing(name));
        self.fenced(name, config, before.unwrap_or(0), 0).await
    }

    /// Fences the producers of the tasks `0..before`, and writes that `count` may be alive.
    async fn fenced(&self, name: &str, config: &Properties, before: u32, count: u32) -> Result<(), Unfenced> {
        let Some(producers) = &self.settings.exactly_once else { return Ok(()) };
        let Some(fence) = self.store.fence() else { return Err(StoreError::NotOwner.into()) };
        let commit = || self.configs.read(|view| view.tasks(name).map(|tasks| tasks.commit_number));
        let begun = commit();
        if before > 0 {
            producers.fence(&Of { connector: name, config, fence }, before).await?;
            self.configs.refresh().await?;
            if commit() != begun {
                return Err(Unfenced::Changed);
            }
        }
        Ok(self.configs.put_fencing(name, count).await?)
    }

    /// Changes offsets of a stopped connector: in a transaction if exactly-once support is enabled, after a round of fencing.
    pub(super) async fn store_offsets(
        &self,
        name: &str,
        config: &Properties,
        offsets: &[(Object, Option<Object>)],
    ) -> Result<(), Unfenced> {
        let Some(fence) = self.store.fence() else { return Err(StoreError::NotOwner.into()) };
        let stored = self.offsets.open(name, config, Arc::clone(&fence)).await?;
        let Some(producers) = &self.settings.exactly_once else { return Ok(stored.change(name, offsets).await?) };
        self.fence_all(name, config).await?;
        let of = &Of { connector: name, config, fence };
        let write = |records| async move { producers.write(of, records).await.map_err(Unfenced::from) };
        stored.change_by(name, offsets, write).await?;
        // Whoever asks for the offsets next sees them.
        Ok(stored.settle().await?)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sink::{SinkError, TransactionEnd};

    #[test]
    fn which_failures_may_pass() {
        let producer = |end| {
            Unfenced::from(SinkError::Transaction { id: "g-c-0".to_owned(), end, reason: "r".to_owned() }).outlook()
        };
        assert_eq!(producer(TransactionEnd::Aborted), Outlook::MayPass);
        assert_eq!(producer(TransactionEnd::Unauthorized), Outlook::MayPass);
        assert_eq!(producer(TransactionEnd::TooLong), Outlook::CannotPass);
        assert_eq!(Unfenced::from(StoreError::NotOwner).outlook(), Outlook::CannotPass);
        assert_eq!(Unfenced::Changed.outlook(), Outlook::MayPass);
    }
}
