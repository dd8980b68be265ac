//! Sends a batch in which changes lack columns that post-processors read again.
//!
//! What was read is as large as the columns are, which nobody knows before. So the batch is filled a part at a time, and sent
//! in several batches if what was read is large. Meanwhile the server gets its statuses, and a stop is obeyed.

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::sleep;

use super::MAX_BYTES;
use super::follow::Follow;
use crate::error::Error;
use crate::reselect::{Unfinished, lacks};

/// The task's status says that answers are waited for when it takes longer than this.
const TELL_AFTER: Duration = Duration::from_secs(10);

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
            let (mut done, mut more) = (0, BytesMut::new());
            while done < self.filling.batch.items.len() && more.len() < MAX_BYTES {
                match self.filled(done, &mut more).await? {
                    Some(now) => done = now,
                    None => return Ok(false),
                }
            }
            // One lease for all of it takes the place of that for the read bytes.
            drop(self.filling.lease());
            let lease = self.leased(self.filling.used_bytes() + more.len()).await?;
            let Some((batch, lease)) = self.filling.take_first(done, &more).zip(lease) else { return Ok(false) };
            if !self.hand_over(batch, lease).await? {
                return Ok(false);
            }
        }
        self.lasting.decoder.next_batch();
        self.beat();
        Ok(true)
    }

    /// Fills the next items, from the one at `from` on. Returns the index of the first that is not filled; `None` when the
    /// connector is to stop.
    async fn filled(&mut self, from: usize, more: &mut BytesMut) -> Result<Option<usize>, Error> {
        let outlet = &*self.lasting.outlet;
        let mut stop = outlet.stop.clone();
        let (buffer, batch) = self.filling.parts();
        let plans = self.lasting.decoder.plans().unwrap_or_default();
        let filled = Box::pin(self.lasting.reselector.fill(from, Unfinished { batch, plans, buffer, more }));
        let mut is_told = false;
        let tell = async {
            sleep(TELL_AFTER).await;
            is_told = true;
            outlet.waiting(
                "Reading columns again (post.processors) is waiting for the database.\nReason: it has not answered for ten \
                 seconds; the query looks for a row by its key, so a lock on the table or a missing index may hold it up. It \
                 goes on by itself.",
            );
            std::future::pending::<()>().await;
        };
        let waited = async {
            tokio::select! {
                biased;
                filled = filled => Some(filled),
                () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
                () = tell => None,
            }
        };
        let filled = self.link.while_waiting(waited).await?;
        if is_told {
            self.lasting.outlet.running();
        }
        filled.transpose()
    }
}
