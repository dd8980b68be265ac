//! What a copy reads, and from where the log goes on after it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Session;
use crate::copy::View;
use crate::error::Error;
use crate::position::{LSN, Stored};
use crate::slot::Slot;
use crate::sql::OpenTransaction;

/// A wait is told of after this, and again every [`TELL_EVERY`].
const TELL_AFTER: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_secs(10);
const LOOK_EVERY: Duration = Duration::from_millis(50);

impl Session {
    /// What to read, and the LSN from which the log goes on after it; `None` when the connector is to stop.
    pub(super) async fn view(&mut self, slot: &Slot, stored: Option<&Stored>) -> Result<Option<View>, Error> {
        let existing = match slot {
            Slot::Created(created) => {
                let lsn = created.consistent_point.0 as i64;
                return Ok(Some(View { name: created.snapshot_name.clone(), lsn, ..View::default() }));
            }
            Slot::Existing(existing) => existing,
        };
        let confirmed = existing.confirmed_flush_lsn.map_or(0, |lsn| lsn.0 as i64);
        // A copy that was begun goes on from the consistent point that was stored then: what was deleted between the two
        // attempts stands in the log after it, and nowhere else.
        if let Some(begun) = stored.filter(|stored| stored.snapshot_unfinished).and_then(|s| s.position.word(LSN)) {
            return Ok(Some(View { lsn: begun.max(confirmed), ..View::default() }));
        }
        // The publication may have been made just now. A transaction that wrote before that cannot be decoded through it, so
        // all of these must have ended before the point from which the log is read.
        if !self.writers_ended().await? {
            return Ok(None);
        }
        let now = self.catalog.sql().await?.current_lsn().await?.0 as i64;
        // And a view that is taken now must see every commit before that point: a commit's record is written a moment before
        // its rows can be seen, and that moment lasts as long as a synchronous standby takes.
        if !self.writers_ended().await? {
            return Ok(None);
        }
        Ok(Some(View { lsn: now.max(confirmed), passes_over: true, ..View::default() }))
    }

    /// Waits until all transactions have ended that have written to this database and are open now. Those of other databases
    /// cannot have written here. False when the connector is to stop.
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

/// What a person reads while the server makes a slot.
pub(super) fn slot_waits(slot: &str, open: &[OpenTransaction]) -> String {
    format!(
        "Creating replication slot \"{slot}\" is waiting for transactions to end: {}.\nReason: PostgreSQL makes a slot when every \
         transaction that was open has ended, in whatever database of the server. It goes on by itself.",
        OpenTransaction::listed(open)
    )
}
