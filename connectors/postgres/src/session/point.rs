//! What a copy reads, and from where the log goes on after it.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::Session;
use crate::copy::View;
use crate::error::Error;
use crate::position::{LSN, Stored};
use crate::slot::Slot;
use crate::sql::OpenTransaction;

/// How long transactions are waited for whose commit may be in the log and not in a view yet. After that the log is read
/// from where the slot stands, and what the view shows is passed over in it: right as well, but everything that was
/// written since is sent over the network.
const PATIENCE: Duration = Duration::from_secs(30);
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
        let now = self.catalog.sql().await?.current_lsn().await?.0 as i64;
        let Some(all_seen) = self.commits_are_seen(confirmed > 0).await? else { return Ok(None) };
        let lsn = if all_seen { now.max(confirmed) } else { confirmed };
        Ok(Some(View { lsn, passes_over: true, ..View::default() }))
    }

    /// Waits until a view that is taken now sees every commit of this database that is in the log already: a commit's record
    /// is written a moment before its rows can be seen, and that moment lasts as long as a synchronous standby takes. Only
    /// transactions that have written, in this database, can be at that point. False when some of them last too long and
    /// there is another way; `None` when the connector is to stop.
    async fn commits_are_seen(&mut self, has_other_way: bool) -> Result<Option<bool>, Error> {
        let began = Instant::now();
        let mut tell_at = began + TELL_AFTER;
        let mut open = self.catalog.sql().await?.writing_here().await?;
        let mut told = false;
        while !open.is_empty() {
            if has_other_way && began.elapsed() >= PATIENCE {
                tracing::warn!(
                    connector = %self.outlet.connector,
                    "the copy begins although transactions are open: {}. The log is read from where the slot stands",
                    OpenTransaction::listed(&open)
                );
                break;
            }
            if Instant::now() >= tell_at {
                tell_at = Instant::now() + TELL_EVERY;
                told = true;
                let who = OpenTransaction::listed(&open);
                tracing::warn!(connector = %self.outlet.connector, "the copy waits for transactions to end: {who}");
                self.outlet.waiting(&format!(
                    "The copy is waiting for transactions to end: {who}.\nReason: they have written to this database, and \
                     their commit may be in the log already but not yet to be seen."
                ));
            }
            tokio::select! {
                () = sleep(LOOK_EVERY) => {}
                () = self.outlet.stopped() => return Ok(None),
            }
            let now = self.catalog.sql().await?.writing_here().await?;
            open.retain(|then| now.iter().any(|now| now.xid == then.xid));
        }
        if told {
            self.outlet.running();
        }
        Ok(Some(open.is_empty()))
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
