//! The part of a batch that is read again before it is sent.
//!
//! What is read is as large as the columns are, which nobody knows before. So a batch is filled a part at a time, and sent in
//! several batches if what was read is large. Meanwhile a stop is obeyed, and the task's status tells of a long wait.
//!
//! Must not know: what is asked, how a batch is sent.

use std::time::Duration;

use bytes::BytesMut;
use tokio::time::sleep;

use super::again::{Lookup, Reselector, Unfinished};
use super::plan::Plans;
use crate::{Filling, MAX_BYTES, Outlet};

/// The task's status says that answers are waited for when it takes longer than this.
const TELL_AFTER: Duration = Duration::from_secs(10);

/// The first items of a batch, with what they lacked: what [`Filling::take_first`] takes.
#[derive(Debug)]
pub struct Part {
    /// How many items they are.
    pub count: usize,
    /// The bytes that were read, which belong behind those of the batch.
    pub more: BytesMut,
}

impl<L: Lookup> Reselector<L> {
    /// Reads again what the first items of the batch lack: of all, unless what is read is large. `None` when the connector is
    /// to stop.
    ///
    /// They end where a position is reached, because the connection may be lost before the next part, and all behind the last
    /// position then comes once more: half an event, or the BEGIN record of a transaction, would come twice.
    ///
    /// # Errors
    /// Of the connection, which a later try may mend; and what ends the task by `reselect.error.handling.mode=fail`.
    pub async fn part(
        &mut self,
        filling: &mut Filling,
        plans: &[Plans<L::Column, L::Query>],
        outlet: &Outlet,
    ) -> Result<Option<Part>, L::Error> {
        let (buffer, batch) = filling.parts();
        let (mut count, mut more) = (0, BytesMut::new());
        while count < batch.items.len() && (more.len() < MAX_BYTES || batch.items[count - 1].reached().is_none()) {
            let unfinished = Unfinished { batch, plans, buffer, more: &mut more };
            match while_told(outlet, Box::pin(self.fill(count, unfinished))).await.transpose()? {
                Some(done) => count = done,
                None => return Ok(None),
            }
        }
        Ok(Some(Part { count, more }))
    }
}

/// Waits for what is read again. `None` when the connector is to stop.
async fn while_told<T>(outlet: &Outlet, filled: impl Future<Output = T>) -> Option<T> {
    let mut stop = outlet.stop.clone();
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
    let filled = tokio::select! {
        biased;
        filled = filled => Some(filled),
        () = async { drop(stop.wait_for(|stop| *stop).await) } => None,
        () = tell => None,
    };
    if is_told {
        outlet.running();
    }
    filled
}
