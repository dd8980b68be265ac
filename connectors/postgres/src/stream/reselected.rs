//! Sends a batch in which changes lack columns that post-processors read again. Meanwhile the server gets its statuses.

use relational::reselect::lacks;

use super::follow::Follow;
use crate::error::Error;

impl Follow<'_> {
    /// Whether a change of the batch lacks a column that is read again.
    pub(super) fn lacks(&self) -> bool {
        let batch = &self.filling.batch;
        let plans = self.lasting.decoder.plans();
        plans.is_some_and(|plans| batch.items.iter().any(|item| lacks(item, plans, &batch.spans)))
    }

    /// Reads again what changes of the batch lack, and sends the batch. False when the pipeline is gone or the connector is to
    /// stop.
    pub(super) async fn flush_filled(&mut self) -> Result<bool, Error> {
        while !self.filling.is_empty() {
            let (outlet, plans) = (&*self.lasting.outlet, self.lasting.decoder.plans().unwrap_or_default());
            let part = self.lasting.reselector.part(&mut self.filling, plans, outlet);
            let Some(part) = self.link.while_waiting(part).await?? else { return Ok(false) };
            // One lease for all of it takes the place of that for the read bytes.
            drop(self.filling.lease());
            let lease = self.leased(self.filling.used_bytes() + part.more.len()).await?;
            let Some((batch, lease)) = self.filling.take_first(part.count, &part.more).zip(lease) else {
                return Ok(false);
            };
            if !self.hand_over(batch, lease).await? {
                return Ok(false);
            }
        }
        self.lasting.decoder.next_batch();
        self.beat();
        Ok(true)
    }
}
