//! Sends a batch in which changes lack columns that post-processors read again.

use relational::Filling;
use relational::reselect::lacks;

use super::decoder::Decoder;
use super::follow::{Lasting, hand_over};
use crate::error::Error;
use crate::reselect::Plans;

/// What is done with the tables of the batch, if a change of it lacks a column that is read again.
pub(super) fn wanting(filling: &Filling, lasting: &Lasting<'_>) -> Option<Vec<Plans>> {
    let batch = &filling.batch;
    let plans = lasting.tables.plans(batch)?;
    batch.items.iter().any(|item| lacks(item, &plans, &batch.spans)).then_some(plans)
}

/// Reads again what changes of the batch lack, and sends the batch. False when the pipeline is gone or the connector is to
/// stop.
pub(super) async fn send_filled(
    filling: &mut Filling,
    lasting: &mut Lasting<'_>,
    decoder: &mut Decoder,
    plans: &[Plans],
) -> Result<bool, Error> {
    while !filling.is_empty() {
        let Some(part) = lasting.reselector.part(filling, plans, lasting.outlet).await? else { return Ok(false) };
        // One lease for all of it takes the place of that for the read bytes.
        drop(filling.lease());
        let lease = lasting.outlet.lease_or_stop(filling.used_bytes() + part.more.len()).await;
        let Some((batch, lease)) = filling.take_first(part.count, &part.more).zip(lease) else { return Ok(false) };
        if !hand_over(batch, lease, lasting, decoder).await {
            return Ok(false);
        }
    }
    Ok(true)
}
