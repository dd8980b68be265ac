//! How one post-processor reads the columns of one table again: made when the stream announces the table.
//!
//! Must not know: connections.

use std::sync::Arc;

use record::{Change, Item, Op, RowRef, Span};
use relational::reselect::{Missed, Reselect, When, Why};

use crate::lsn::Lsn;
use crate::position::{LSN, TX_ID};
use crate::sql::ByKey;
use crate::types::ColumnCodec;

/// What the post-processors do with a table, in their order; none where they have nothing to do with it.
pub(crate) type Plans = Option<Arc<[Plan]>>;

/// What one post-processor does with a table.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) processor: Reselect,
    /// `schema.table`.
    pub(crate) table: String,
    pub(crate) columns: Vec<Candidate>,
    /// The names of the columns by which the row is found.
    pub(crate) key: Vec<String>,
    /// Where these columns are on the wire.
    pub(crate) key_places: Vec<u16>,
    /// The query; none if there is no key.
    pub(crate) query: Option<ByKey>,
}

/// A column that may be read again.
#[derive(Debug)]
pub(crate) struct Candidate {
    /// Where it is on the wire.
    pub(crate) place: u16,
    pub(crate) when: When,
    pub(crate) codec: ColumnCodec,
}

/// A change that lacks columns.
#[derive(Debug)]
pub(super) struct Ask<'a> {
    pub(super) plan: &'a Plan,
    pub(super) row: RowRef,
    /// Which of the plan's columns it lacks.
    pub(super) lacks: Vec<&'a Candidate>,
    /// The id of the change's transaction.
    pub(super) xid: u32,
    lsn: Lsn,
}

impl Candidate {
    fn is_lacked(&self, row: RowRef, spans: &[Span]) -> bool {
        match spans.get(row.first as usize + usize::from(self.place)) {
            _ if self.place >= row.count => false,
            Some(span) => self.when.is_absent && *span == Span::UNCHANGED || self.when.is_null && *span == Span::NULL,
            None => false,
        }
    }
}

impl Plan {
    /// Whether a row lacks a column that this plan reads again.
    fn is_for(&self, row: RowRef, spans: &[Span]) -> bool {
        self.columns.iter().any(|column| column.is_lacked(row, spans))
    }

    /// What the change lacks; `None`: nothing.
    fn ask<'a>(&'a self, change: &Change, row: RowRef, spans: &[Span]) -> Option<Ask<'a>> {
        let lacks: Vec<_> = self.columns.iter().filter(|column| column.is_lacked(row, spans)).collect();
        let word = |slot| change.position.word(slot).unwrap_or(0);
        (!lacks.is_empty()).then(|| Ask { plan: self, row, lacks, xid: word(TX_ID) as u32, lsn: Lsn(word(LSN) as u64) })
    }
}

impl Ask<'_> {
    pub(super) fn missed(&self, why: Why) -> Missed {
        let key = if self.plan.key.is_empty() { "none".to_owned() } else { self.plan.key.join(", ") };
        Missed { table: self.plan.table.clone(), key, position: self.lsn.to_string(), why }
    }
}

/// The change of an item that may be read again, with its new row and the plans of its table. Rows that a snapshot has read
/// are as they are now. `plans` has an entry for each shape of the batch.
fn eligible<'i, 'p>(item: &'i Item, plans: &'p [Plans]) -> Option<(&'i Change, RowRef, &'p [Plan])> {
    let Item::Change(change) = item else { return None };
    let plans = plans.get(usize::from(change.shape))?.as_deref()?;
    (change.op != Op::Read).then_some((change, change.after?, plans))
}

/// Whether any plan is for this item.
pub(crate) fn lacks(item: &Item, plans: &[Plans], spans: &[Span]) -> bool {
    eligible(item, plans).is_some_and(|(_, row, plans)| plans.iter().any(|plan| plan.is_for(row, spans)))
}

/// What the plan at place `round` of the table's plans reads again for this item; `None`: nothing.
pub(super) fn ask<'p>(item: &Item, plans: &'p [Plans], round: usize, spans: &[Span]) -> Option<Ask<'p>> {
    let (change, row, plans) = eligible(item, plans)?;
    plans.get(round)?.ask(change, row, spans)
}
