//! The rows of an event, on their way into a batch.
//!
//! Must not know: bytes of events, transactions.

use record::{Batch, Position};
use relational::{At, Changes, reach};

use super::place::of_row;
use crate::binlog::{Row, RowsKind};

/// See the module.
pub(super) struct Emitted<'a> {
    pub(super) kind: RowsKind,
    pub(super) rows: &'a [Row],
    /// The index of the table's shape in the batch.
    pub(super) slot: u16,
    /// The cells that make the message key.
    pub(super) key: &'a [u16],
    /// The event's position.
    pub(super) position: Position,
    /// How many of the rows were delivered before the restart.
    pub(super) done: u64,
    /// How many rows of other events are counted as if they stood in this one, before its own.
    pub(super) before: u64,
}

impl Emitted<'_> {
    /// `buffer` is what the rows' spans point into.
    #[inline]
    pub(super) fn put(self, changes: &mut Changes, buffer: &[u8], batch: &mut Batch) {
        for (i, row) in self.rows.iter().enumerate() {
            let is_redelivered = (i as u64) < self.done;
            if is_redelivered && !changes.has_metadata() {
                continue;
            }
            let at = At { shape: self.slot, position: of_row(&self.position, i, self.before), is_redelivered };
            match (self.kind, row.before, row.after) {
                (RowsKind::Write, _, Some(after)) if !changes.wanted.skip_create => changes.insert(batch, at, after),
                (RowsKind::Update, before, Some(after)) if !changes.wanted.skip_update => {
                    changes.update(batch, buffer, at, (before, after), self.key);
                }
                (RowsKind::Delete, Some(before), _) if !changes.wanted.skip_delete => changes.delete(batch, at, before),
                _ => reach(batch, at.position, is_redelivered),
            }
        }
    }
}
