//! The two phases of XA transactions, as the decoder meets them: the events of the first are kept, the second sends or forgets
//! them. All rows that a commit sends count as rows of one event, so that a restart in their midst finds its place whatever
//! else was kept.
//!
//! A restart must read the first phase again. MySQL's GTIDs have gaps: the transaction's own is not among the executed ones
//! until it ends. Elsewhere the stored offset goes back to where the oldest kept transaction was prepared, and counts the
//! events from there on.
//!
//! Must not know: how cells are found.

use record::Batch;

use super::decoder::{Context, Decoder, Sending, Step};
use super::rows::Captured;
use super::xa::{KEPT_BYTES, Kept, XaStatement};
use crate::binlog::{Body, XaPrepare};
use crate::error::Error;
use crate::gtid::Xid;

impl Decoder {
    /// Whether the events of an XA transaction are kept now, so that no event is to be decoded apart.
    #[inline]
    pub(crate) fn is_keeping(&self) -> bool {
        self.prepared.is_keeping()
    }

    /// The first phase of an XA transaction begins.
    pub(super) fn begin_xa(&mut self, start: u64) {
        self.place.begin_xa(start);
        self.begun(start);
        self.prepared.begin();
    }

    /// Whether an event of a first phase is kept; none if it is no event of rows.
    pub(super) fn keeps(&mut self, body: &Body<'_>, context: &mut Context<'_>) -> Result<Option<bool>, Error> {
        Ok(match body {
            Body::TableMap(map) => {
                self.mapped(map, context)?;
                Some(self.is_captured(map.table_id))
            }
            Body::Rows(rows) => Some(!rows.is_empty() && self.is_captured(rows.table_id)),
            Body::RowsQuery(_) => Some(self.options.with_query),
            _ => None,
        })
    }

    fn is_captured(&self, table_id: u64) -> bool {
        let is_known = self.maps.get(&table_id).is_some_and(|mapped| !matches!(mapped.table, Captured::No));
        is_known && !self.is_left_out
    }

    /// The kept events are too many: they are sent although the transaction may still be rolled back.
    pub(super) fn spill(&mut self, start: u64) -> Step {
        tracing::warn!(
            file = self.reader.file(),
            position = start,
            "prepared XA transactions hold more than {} MiB of changes: \
            those of this one are sent before it is committed, and stay sent if it is rolled back (XA RECOVER lists what is \
            prepared)",
            KEPT_BYTES >> 20
        );
        let events = self.prepared.spill();
        self.sending = Some(self.sending(None, &Kept::default()));
        Step::Kept(events)
    }

    fn sending(&self, ends: Option<(u64, u64)>, kept: &Kept) -> Sending {
        let done = self.resume.as_ref().map_or(0, |resume| resume.rows_done(self.place.counted()));
        Sending { rows: 0, done, ends, id: kept.id, anchor: kept.anchor }
    }

    /// The first phase ends; or the transaction, if it has one phase only.
    pub(super) fn xa_prepare(&mut self, xa: &XaPrepare<'_>, batch: &mut Batch, start: u64, end: u64) -> Step {
        if xa.one_phase {
            self.place.is_one_phase();
            if self.sending.take().is_none() {
                self.sending = Some(self.sending(Some((start, end)), &Kept::default()));
                return Step::Kept(self.prepared.spill());
            }
        } else {
            if self.sending.take().is_some() {
                // First phases do not count as events, so that the next one stands at the same place as this one. The rows that
                // the offset counts are this one's, at the latest; better send rows twice than leave out those of the next.
                let counted = self.place.counted();
                self.resume.take_if(|resume| !matches!(resume.rows_done(counted), 0 | u64::MAX));
            }
            if let Some((kept, number)) = self.prepared.prepared(Xid::from(xa)) {
                kept.id = self.place.mysql_id().filter(|id| self.place.executed().remove(*id));
                if kept.id.is_none() {
                    kept.anchor = Some(number);
                    self.place.anchor(number);
                }
            }
        }
        self.commit_quietly(batch, start, end);
        Step::Done
    }

    /// A statement about an XA transaction.
    pub(super) fn xa(&mut self, statement: XaStatement, start: u64, end: u64, batch: &mut Batch) -> Step {
        let (xid, is_commit) = match statement {
            XaStatement::Start => {
                self.begin_xa(start);
                return Step::Done;
            }
            XaStatement::Other => {
                self.done(end);
                return Step::Done;
            }
            XaStatement::Commit(xid) => (xid, true),
            XaStatement::Rollback(xid) => (xid, false),
        };
        // MariaDB's GTID has begun it already.
        if !self.place.is_inside() {
            self.place.begin(start, None);
            self.begun(start);
        }
        let kept = self.prepared.take(&xid);
        if kept.is_none() && is_commit {
            tracing::warn!(
                file = self.reader.file(),
                position = start,
                "an XA transaction is committed that was prepared before \
                the place from which this connector reads: what it changed is not sent, unless another connector has done it"
            );
        }
        let kept = kept.unwrap_or_default();
        self.sending = Some(self.sending(Some((start, end)), &kept));
        if is_commit {
            return Step::Kept(kept.into_reader());
        }
        self.unkept(batch);
        Step::Done
    }

    /// All events of a [`Step::Kept`] are done.
    pub(crate) fn unkept(&mut self, batch: &mut Batch) {
        let Some(Sending { ends: Some((start, end)), id, anchor, .. }) =
            self.sending.take_if(|sending| sending.ends.is_some())
        else {
            return;
        };
        if let Some(id) = id {
            self.place.executed().add(id);
        }
        if let Some(number) = anchor {
            self.place.release(number);
        }
        self.commit_quietly(batch, start, end);
    }
}
