//! Which view of the database a copy reads, and from which LSN the log is followed after it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Session;
use crate::copy::View;
use crate::error::Error;
use crate::position::{LSN, Stored};
use crate::slot::Slot;
use crate::sql::OpenTransaction;

/// A wait is shown in the log and the task's status after this time, and again every [`TELL_EVERY`].
const TELL_AFTER: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Session {
    /// The view that a copy reads, with the LSN from which the log is followed after it; `None` when the connector is to stop.
    pub(super) async fn view(&mut self, slot: &Slot, stored: Option<&Stored>) -> Result<Option<View>, Error> {
        let existing = match slot {
            Slot::Created(created) => {
                let lsn = created.consistent_point.0 as i64;
                return Ok(Some(View { name: created.snapshot_name.clone(), lsn, ..View::default() }));
            }
            Slot::Existing(existing) => existing,
        };
        let confirmed = existing.confirmed_flush_lsn.map_or(0, |lsn| lsn.0 as i64);
        // After an unfinished copy the log is followed from the consistent point that was stored then: rows that were deleted
        // between the two attempts appear only in the log after that point.
        if let Some(begun) = stored.filter(|stored| stored.snapshot_unfinished).and_then(|s| s.position.word(LSN)) {
            return Ok(Some(View { lsn: begun.max(confirmed), ..View::default() }));
        }
        // The publication may be new. Rows written before the publication existed cannot be decoded with it, so the transactions
        // that wrote them must have ended before the point from which the log is followed.
        if !self.writers_ended().await? {
            return Ok(None);
        }
        let now = self.catalog.sql().await?.current_lsn().await?.0 as i64;
        // A view that is taken now must show every commit before that point. A commit is written to the log a moment before its
        // rows become visible, and with a synchronous standby that moment lasts until the standby answers.
        if !self.writers_ended().await? {
            return Ok(None);
        }
        Ok(Some(View { lsn: now.max(confirmed), passes_over: true, ..View::default() }))
    }

    /// Waits until all transactions have ended that are open now and have written to this database; transactions of other
    /// databases cannot have. False when the connector is to stop.
    async fn writers_ended(&mut self) -> Result<bool, Error> {
        let mut tell_at = Instant::now() + TELL_AFTER;
        let mut open = self.catalog.sql().await?.writing_here().await?;
        let mut told = false;
        while !open.is_empty() {
            if Instant::now() >= tell_at {
                tell_at = Instant::now() + TELL_EVERY;
                told = true;
                let who = OpenTransaction::listed(&open);
                tracing::warn!(connector = %self.outlet.connector, "the copy waits for transactions to end: {who}");
                self.outlet.waiting(&format!(
                    "The copy is waiting for transactions to end: {who}.\nReason: they wrote to this database before the point \
                     from which the log is to be read, so neither the copy nor the log would have what they wrote. It goes on \
                     by itself."
                ));
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = self.outlet.stopped() => return Ok(false),
            }
            let now = self.catalog.sql().await?.writing_here().await?;
            open.retain(|then| now.iter().any(|now| now.xid == then.xid));
        }
        if told {
            self.outlet.running();
        }
        Ok(true)
    }
}

/// The text in the task's status while the creation of a slot waits.
pub(super) fn slot_waits(slot: &str, open: &[OpenTransaction]) -> String {
    format!(
        "Creating replication slot \"{slot}\" is waiting for transactions to end: {}.\nReason: PostgreSQL makes a slot when every \
         transaction that was open has ended, in whatever database of the server. It goes on by itself.",
        OpenTransaction::listed(open)
    )
}
