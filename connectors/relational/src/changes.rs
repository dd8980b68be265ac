//! The rules of events: which changes of rows become which items of a batch.
//!
//! A connector reads rows out of its log and says what happened to them; which operations are left out
//! (`skipped.operations`), which updates are not worth a record (`skip.messages.without.change`), how a change of the key is
//! sent, after which records a tombstone comes, and what transaction metadata is added, is decided here. A change that gives
//! no record leaves its position, so that the stored offset gets on all the same.
//!
//! Must not know: how rows are encoded. Equal cells of one column have equal bytes, which every log grants within itself.

use std::sync::Arc;

use record::{Batch, Change, Item, KeyMove, Op, Position, RowRef, Span};

use crate::{TransactionTopic, Transactions, Unchanged};

/// Which changes are wanted.
#[derive(Clone, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting of its own")]
pub struct Wanted {
    /// `skipped.operations` has `c`.
    pub skip_create: bool,
    /// `skipped.operations` has `u`.
    pub skip_update: bool,
    /// `skipped.operations` has `d`.
    pub skip_delete: bool,
    /// `skipped.operations` has `t`.
    pub skip_truncate: bool,
    /// `skip.messages.without.change`: updates whose rows would be sent as they were before are not wanted.
    pub skip_unchanged: bool,
    /// `tombstones.on.delete`.
    pub tombstones: bool,
    /// Whether a change of the key is an update to the skipped operations: its delete and create are sent although they are
    /// skipped (MySQL, MariaDB). Otherwise each half counts as what it is (PostgreSQL).
    pub moves_as_update: bool,
}

/// Where a change stands.
#[derive(Clone, Debug)]
pub struct At {
    /// The index of its table's shape in the batch.
    pub shape: u16,
    /// Its place in the log.
    pub position: Position,
    /// It was delivered before a restart: it is counted, and not sent again.
    pub is_redelivered: bool,
}

/// Makes items of changes. Keeps the counts of the open transaction, as far as transaction metadata needs them.
#[derive(Debug)]
pub struct Changes {
    /// Which changes are wanted.
    pub wanted: Wanted,
    metadata: Option<TransactionTopic>,
    /// The id of the transaction that an event at this position belongs to, as its `transaction` block shows it.
    transaction_id: fn(&Position) -> String,
    /// Writes the counts into the position of a counted event.
    write_counts: Option<fn(&mut Position, &Transactions)>,
    counts: Transactions,
    /// The time of the open transaction's BEGIN record in milliseconds; none once the record has been made.
    begin_ms: Option<i64>,
    unchanged: Unchanged,
}

impl Changes {
    /// `metadata` is set if `provide.transaction.metadata` is.
    pub fn new(wanted: Wanted, metadata: Option<TransactionTopic>, transaction_id: fn(&Position) -> String) -> Self {
        let (counts, unchanged) = (Transactions::default(), Unchanged::default());
        Self { wanted, metadata, transaction_id, write_counts: None, counts, begin_ms: None, unchanged }
    }

    /// Has the counts of the open transaction written into the position of each event of it (MySQL and MariaDB store them).
    #[must_use]
    pub fn counted(mut self, write: fn(&mut Position, &Transactions)) -> Self {
        self.write_counts = Some(write);
        self
    }

    /// Whether transaction metadata is sent. Then events count although they were delivered before a restart, so that later
    /// events of their transaction get the same numbers as without the restart.
    pub fn has_metadata(&self) -> bool {
        self.metadata.is_some()
    }

    /// A transaction begins. Its BEGIN record, of the time `ts_ms`, is made with its first event, or at its end.
    pub fn begin(&mut self, ts_ms: i64) {
        self.counts.reset();
        self.begin_ms = Some(ts_ms);
    }

    /// The connection is a new one: the open transaction, if there was one, comes again whole.
    pub fn reset(&mut self) {
        self.counts.reset();
        self.begin_ms = None;
    }

    /// The transaction ends at this position. `begin_id` is its id in a BEGIN record, if it had no event.
    pub fn end(&mut self, batch: &mut Batch, begin_id: impl FnOnce() -> String, ts_ms: i64, position: Position) {
        let begin_ms = self.begin_ms.take();
        let Some(topic) = &self.metadata else { return reach(batch, position, false) };
        if let Some(begin_ms) = begin_ms {
            batch.items.push(Item::Event(Box::new(topic.begin(&begin_id(), begin_ms))));
        }
        let end = topic.end(&(self.transaction_id)(&position), ts_ms, &self.counts, position);
        batch.items.push(Item::Event(Box::new(end)));
    }

    /// Adds the transaction's BEGIN record before its first event, unless both were delivered before the restart
    /// (`is_redelivered`).
    pub fn begun(&mut self, batch: &mut Batch, position: &Position, is_redelivered: bool) {
        let Some(topic) = &self.metadata else { return };
        if let Some(begin_ms) = self.begin_ms.take()
            && !is_redelivered
        {
            let begin = topic.begin(&(self.transaction_id)(position), begin_ms);
            batch.items.push(Item::Event(Box::new(begin)));
        }
    }

    /// Counts an event that is not a change, but belongs to the open transaction. Returns its number in the transaction and
    /// among the events of this `collection`, both from 1.
    pub fn count(&mut self, collection: &Arc<str>) -> (i64, i64) {
        self.counts.count(collection)
    }

    /// A row was inserted.
    #[inline]
    pub fn insert(&mut self, batch: &mut Batch, at: At, after: RowRef) {
        self.emit(batch, change(at.shape, Op::Create, None, Some(after), at.position), at.is_redelivered);
    }

    /// A row was updated. `before` is none where the log does not have the row before. The spans of both rows point into
    /// `buffer`; `key` are the wire columns of the message key. A change of the key is sent as a delete and a create.
    #[inline]
    pub fn update(
        &mut self,
        batch: &mut Batch,
        buffer: &[u8],
        at: At,
        (before, after): (Option<RowRef>, RowRef),
        key: &[u16],
    ) {
        let mut moved = false;
        if let Some(before) = before.filter(|before| before.count == after.count) {
            moved = key_moved(batch, buffer, key, before, after);
            if self.wanted.skip_unchanged {
                let (shape, old, new) = (&batch.shapes[usize::from(at.shape)], batch.cells(before), batch.cells(after));
                if self.unchanged.is_same(shape, buffer, old, new) {
                    batch.unchanged += 1;
                    reach(batch, at.position, at.is_redelivered);
                    return;
                }
            }
        }
        match before {
            Some(before) if moved => self.emit_move(batch, at, [before, after]),
            _ if self.wanted.skip_update => reach(batch, at.position, at.is_redelivered),
            before => {
                self.emit(batch, change(at.shape, Op::Update, before, Some(after), at.position), at.is_redelivered);
            }
        }
    }

    /// A change of the key is sent as a delete under the old key, its tombstone, and a create under the new key.
    fn emit_move(&mut self, batch: &mut Batch, at: At, [before, after]: [RowRef; 2]) {
        let At { shape, position, is_redelivered } = at;
        let is_filtered = !self.wanted.moves_as_update;
        if !(is_filtered && self.wanted.skip_delete) {
            let mut delete = change(shape, Op::Delete, Some(before), None, position.clone());
            delete.moved = Some(KeyMove::To(after));
            delete.tombstone = self.wanted.tombstones;
            delete.last = false;
            self.emit(batch, delete, is_redelivered);
        }
        if is_filtered && self.wanted.skip_create {
            reach(batch, position, is_redelivered);
        } else {
            let mut create = change(shape, Op::Create, None, Some(after), position);
            create.moved = Some(KeyMove::From(before));
            self.emit(batch, create, is_redelivered);
        }
    }

    /// A row was deleted.
    #[inline]
    pub fn delete(&mut self, batch: &mut Batch, at: At, before: RowRef) {
        let mut delete = change(at.shape, Op::Delete, Some(before), None, at.position);
        delete.tombstone = self.wanted.tombstones;
        self.emit(batch, delete, at.is_redelivered);
    }

    /// All rows of these tables were removed by one statement; the tables are indexes of shapes in the batch. None of them
    /// may be captured.
    pub fn truncate(&mut self, batch: &mut Batch, shapes: &[u16], position: &Position, is_redelivered: bool) {
        if self.wanted.skip_truncate || shapes.is_empty() {
            reach(batch, position.clone(), is_redelivered);
            return;
        }
        for (i, shape) in shapes.iter().enumerate() {
            let mut truncate = change(*shape, Op::Truncate, None, None, position.clone());
            truncate.last = i + 1 == shapes.len();
            self.emit(batch, truncate, is_redelivered);
        }
    }

    /// Counts an event and puts it into the batch, unless it was delivered before the restart.
    #[inline]
    fn emit(&mut self, batch: &mut Batch, mut change: Change, is_redelivered: bool) {
        if self.metadata.is_some() {
            self.begun(batch, &change.position, is_redelivered);
            let table = Arc::clone(&batch.shapes[usize::from(change.shape)].table);
            let id = (self.transaction_id)(&change.position);
            change.transaction = Some(Box::new(self.counts.mark(id, &table)));
            if let Some(write) = self.write_counts {
                write(&mut change.position, &self.counts);
            }
        }
        if !is_redelivered {
            batch.items.push(Item::Change(change));
        }
    }
}

/// Whether the message key differs. A row with fewer columns than its table is reported where it is decoded. The old row may
/// lack a key column (if an index is PostgreSQL's replica identity, or with `message.key.columns`): the key has changed then,
/// and the delete's key has no value.
fn key_moved(batch: &Batch, buffer: &[u8], key: &[u16], before: RowRef, after: RowRef) -> bool {
    key.iter().filter(|column| **column < after.count).any(|column| {
        let old = batch.spans[before.first as usize + usize::from(*column)];
        let new = batch.spans[after.first as usize + usize::from(*column)];
        new != Span::UNCHANGED && old.bytes(buffer) != new.bytes(buffer)
    })
}

/// Adds a position without a record, unless it was stored before the restart (`is_redelivered`). Of several in a row only the
/// last stays.
pub fn reach(batch: &mut Batch, position: Position, is_redelivered: bool) {
    match batch.items.last_mut() {
        _ if is_redelivered => {}
        Some(Item::Position(last)) => *last = position,
        _ => batch.items.push(Item::Position(position)),
    }
}

fn change(shape: u16, op: Op, before: Option<RowRef>, after: Option<RowRef>, position: Position) -> Change {
    Change { before, after, ..Change::new(shape, op, position) }
}

#[cfg(test)]
mod tests;
