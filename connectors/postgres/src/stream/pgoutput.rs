//! pgoutput, protocol version 1 (PostgreSQL manual, "Logical Replication Message Formats"): messages into events of a batch.
//!
//! The decoder keeps what depends on the order of the stream: the open transaction, the place of each event in it, and what
//! was delivered before a restart. It never waits: it returns a RELATION to the caller, who looks the table up.

mod messages;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use record::{Batch, Change, Item, KeyMove, NONE, Op, Position, RowRef, Span};
use relational::{TransactionTopic, Transactions, Unchanged};

use super::message::{LogicalMessage, Malformed, NamedType, Relation, named_type, relation, tuple};
use super::reader::Cursor;
use super::state::{Known, Open, Seen, Wanted};
use crate::position::{KIND, Kind, LSN, LSN_COMMIT, LSN_PROC, ORIGIN_LSN, Stored, TS_US, TX_ID, TX_LSN, TX_ROW};
use crate::reselect::Plans;
use crate::wire::POSTGRES_EPOCH_US;

/// What the caller does next.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: the message is in the batch.
    Done,
    /// Look the table up and [`Decoder::install`] it.
    Relation(Relation),
    /// Keep the name of a user's type: the catalogue may have lost it when a table with a column of it is announced.
    Type(NamedType),
    /// Pass the logical message to [`Decoder::met`].
    Message(LogicalMessage),
}

/// The state of a stream.
pub(crate) struct Decoder {
    relations: HashMap<u32, Known>,
    wanted: Wanted,
    open: Option<Open>,
    last_commit: i64,
    last_commit_us: i64,
    /// The stored offset from which the stream goes on; cleared once the stream is past it.
    resume: Option<Stored>,
    /// Transactions of the stream that a copy has read already; cleared once the stream is past them.
    seen: Option<Seen>,
    metadata: Option<TransactionTopic>,
    counts: Transactions,
    batch_number: u64,
    /// For each shape of the batch, what post-processors do with its table.
    plans: Vec<Plans>,
    unchanged: Unchanged,
}

impl Decoder {
    pub(crate) fn new(wanted: Wanted, resume: Option<Stored>, metadata: Option<TransactionTopic>) -> Self {
        let last_commit = resume.as_ref().and_then(|stored| stored.position.word(LSN_COMMIT)).unwrap_or(NONE);
        Self {
            relations: HashMap::new(),
            wanted,
            open: None,
            last_commit,
            last_commit_us: NONE,
            resume,
            seen: None,
            metadata,
            counts: Transactions::default(),
            batch_number: 0,
            plans: Vec::new(),
            unchanged: Unchanged::default(),
        }
    }

    /// Begins a new connection: the server announces every table again and sends whole transactions.
    pub(crate) fn reconnected(&mut self, resume: Option<Stored>) {
        self.relations.clear();
        self.open = None;
        self.counts.reset();
        self.last_commit = resume.as_ref().and_then(|stored| stored.position.word(LSN_COMMIT)).unwrap_or(NONE);
        if self.last_commit_us == NONE {
            self.last_commit_us = resume.as_ref().and_then(|stored| stored.position.word(TS_US)).unwrap_or(NONE);
        }
        self.resume = resume;
    }

    /// Skips the transactions that a copy has read already, on this connection and later ones.
    pub(crate) fn pass_over(&mut self, seen: Option<Seen>) {
        self.seen = seen;
    }

    /// The id of the open transaction.
    pub(crate) fn open_xid(&self) -> Option<u32> {
        self.open.as_ref().map(|open| open.xid as u32)
    }

    /// Begins a new batch, into which shapes must be put again.
    pub(crate) fn next_batch(&mut self) {
        self.batch_number += 1;
        self.plans.clear();
    }

    /// For each shape of the present batch, what post-processors do with its table; none if that is nothing for all of them.
    pub(crate) fn plans(&self) -> Option<&[Plans]> {
        self.plans.iter().any(Option::is_some).then_some(&self.plans)
    }

    pub(crate) fn install(&mut self, id: u32, known: Known) {
        self.relations.insert(id, known);
    }

    /// The position that may be stored because of a keepalive: everything before `wal_end` has been sent.
    pub(crate) fn keepalive(&mut self, wal_end: i64) -> Option<Position> {
        // Inside a transaction, and while the stream is not past the last commit or the stored offset, there is none.
        if self.open.is_some() || wal_end <= self.last_commit.max(0) {
            return None;
        }
        if let Some(stored) = &self.resume {
            let behind = [TX_LSN, LSN].iter().any(|slot| stored.position.word(*slot).is_some_and(|lsn| wal_end <= lsn));
            if behind {
                return None;
            }
        }
        let mut position = Position::UNKNOWN;
        position.words[LSN] = wal_end;
        position.words[LSN_PROC] = wal_end;
        position.words[LSN_COMMIT] = wal_end;
        // The next commit record may begin exactly at `wal_end`: only commits before it have been delivered.
        position.words[TX_LSN] = wal_end - 1;
        position.words[TX_ROW] = 0;
        position.words[TS_US] = self.last_commit_us;
        position.words[KIND] = Kind::Commit as i64;
        Some(position)
    }

    /// Decodes the message that the cursor stands at. `start` is the LSN that the server gave it. The cursor runs over the
    /// buffer that the batch will own, so its offsets are those of the spans.
    pub(crate) fn message(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<Step, Malformed> {
        match cursor.u8()? {
            b'I' => self.insert(batch, start, cursor)?,
            b'U' => self.update(batch, start, cursor)?,
            b'D' => self.delete(batch, start, cursor)?,
            b'B' => self.begin(cursor)?,
            b'C' => self.commit(batch, cursor)?,
            b'T' => self.truncate(batch, start, cursor)?,
            b'R' => return Ok(Step::Relation(relation(cursor)?)),
            b'O' => self.origin(cursor)?,
            b'Y' => return Ok(Step::Type(named_type(cursor)?)),
            b'M' => return self.logical(cursor),
            other => return Err(Malformed::Unknown(other)),
        }
        Ok(Step::Done)
    }

    fn begin(&mut self, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let (commit_lsn, commit_us, xid) =
            (cursor.i64()?, cursor.i64()?.saturating_add(POSTGRES_EPOCH_US), i64::from(cursor.u32()?));
        let (mut done, mut done_rows) = (false, 0);
        if let Some(stored) = &self.resume {
            let word = |slot| stored.position.word(slot);
            match word(TX_LSN) {
                // Our own offset names the transaction and the place in it.
                Some(tx) => {
                    let whole = stored.ends_with(Kind::Commit);
                    done = commit_lsn < tx || whole && commit_lsn <= tx;
                    if commit_lsn == tx && !whole {
                        done_rows = word(TX_ROW).unwrap_or(0);
                    }
                }
                // In the Java connector's offset the last whole transaction ended at lsn_commit.
                None => done = word(LSN_COMMIT).is_some_and(|commit| commit_lsn < commit),
            }
        }
        if let Some(seen) = &self.seen {
            done |= seen.has(xid as u32, commit_lsn);
            if commit_lsn as u64 >= seen.until.0 {
                self.seen = None;
            }
        }
        self.counts.reset();
        self.open = Some(Open::new(xid, commit_lsn, commit_us, done, done_rows));
        Ok(())
    }

    fn commit(&mut self, batch: &mut Batch, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        cursor.u8()?;
        let (commit_lsn, end_lsn, commit_us) =
            (cursor.i64()?, cursor.i64()?, cursor.i64()?.saturating_add(POSTGRES_EPOCH_US));
        let open = self.open.take();
        let xid = open.as_ref().map_or(NONE, |open| open.xid);
        let (done, begun) = open.as_ref().map_or((false, false), |open| (open.done, open.begun));
        self.last_commit = self.last_commit.max(end_lsn);
        self.last_commit_us = commit_us;
        if done {
            return Ok(());
        }
        self.resume = None;
        batch.transactions += 1;
        let mut position = Position::UNKNOWN;
        position.words[TS_US] = commit_us;
        position.words[TX_ID] = xid;
        position.words[LSN] = end_lsn;
        position.words[LSN_PROC] = end_lsn;
        position.words[LSN_COMMIT] = end_lsn;
        position.words[TX_LSN] = commit_lsn;
        position.words[TX_ROW] = open.as_ref().map_or(0, |open| open.rows);
        position.words[KIND] = Kind::Commit as i64;
        match &self.metadata {
            Some(topic) => {
                if !begun {
                    batch
                        .items
                        .push(Item::Event(Box::new(topic.begin(&format!("{xid}:{commit_lsn}"), commit_us / 1000))));
                }
                let end = topic.end(&format!("{xid}:{end_lsn}"), commit_us / 1000, &self.counts, position);
                batch.items.push(Item::Event(Box::new(end)));
            }
            None => reach(batch, position, false),
        }
        Ok(())
    }

    fn origin(&mut self, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let (lsn, name) = (cursor.i64()?, cursor.text()?);
        if let Some(open) = &mut self.open {
            open.origin = Some(name.into());
            open.origin_lsn = lsn;
        }
        Ok(())
    }

    /// Counts a row message. Returns its position, and whether it was delivered before the restart; `None` outside of a
    /// transaction.
    fn place(&mut self, start: i64, kind: Kind) -> Option<(Position, bool)> {
        let open = self.open.as_mut()?;
        open.rows += 1;
        let mut is_redelivered = open.done || open.rows <= open.done_rows;
        if let Some(stored) = self.resume.as_ref().filter(|stored| !stored.exact && !open.done) {
            // The Java connector stored the LSN of the last event. Other events may have the same LSN, so only those before
            // it were certainly delivered: an event that comes twice is better than one that is lost.
            let last = stored.position.word(LSN_PROC).or(stored.position.word(LSN)).unwrap_or(NONE);
            let in_it = stored.position.word(TX_ID).is_none_or(|xid| xid & 0xffff_ffff == open.xid);
            is_redelivered = in_it && stored.position.word(LSN_PROC).is_some() && start < last;
        }
        let mut position = Position { words: [NONE; Position::WORDS], text: open.origin.clone() };
        position.words[TS_US] = open.commit_us;
        position.words[TX_ID] = open.xid;
        position.words[LSN] = start;
        position.words[LSN_PROC] = start;
        position.words[LSN_COMMIT] = self.last_commit;
        position.words[TX_LSN] = open.commit_lsn;
        position.words[TX_ROW] = open.rows;
        position.words[ORIGIN_LSN] = open.origin_lsn;
        position.words[KIND] = kind as i64;
        Some((position, is_redelivered))
    }

    /// The index of a table's shape in the batch; `None` for a table that is not captured.
    fn shape(&mut self, batch: &mut Batch, id: u32) -> Result<Option<u16>, Malformed> {
        let known = self.relations.get_mut(&id).ok_or(Malformed::NoRelation(id))?;
        let Some(shape) = &known.shape else { return Ok(None) };
        if let Some((number, slot)) = known.slot.filter(|(number, _)| *number == self.batch_number) {
            debug_assert_eq!(number, self.batch_number);
            return Ok(Some(slot));
        }
        let slot = batch.shapes.len() as u16;
        batch.shapes.push(Arc::clone(shape));
        self.plans.push(known.plans.clone());
        known.slot = Some((self.batch_number, slot));
        Ok(Some(slot))
    }

    /// Whether an event that was delivered before the restart is decoded all the same: with transaction metadata it counts in
    /// its transaction, so that later events get the same `total_order` as without the restart.
    fn recounts(&self) -> bool {
        self.metadata.is_some() && self.open.as_ref().is_some_and(|open| !open.done)
    }

    /// Adds the transaction's BEGIN record before its first event, unless both were delivered before the restart
    /// (`is_redelivered`).
    fn begun(&mut self, batch: &mut Batch, position: &Position, is_redelivered: bool) {
        let Some(topic) = &self.metadata else { return };
        if let Some(open) = self.open.as_mut()
            && !std::mem::replace(&mut open.begun, true)
            && !is_redelivered
        {
            let begin = topic.begin(&transaction_id(position), open.commit_us / 1000);
            batch.items.push(Item::Event(Box::new(begin)));
        }
    }

    /// Counts an event and puts it into the batch, unless it was delivered before the restart (`is_redelivered`).
    fn emit(&mut self, batch: &mut Batch, mut change: Change, is_redelivered: bool) {
        if self.metadata.is_some() {
            self.begun(batch, &change.position, is_redelivered);
            let table = Arc::clone(&batch.shapes[usize::from(change.shape)].table);
            change.transaction = Some(Box::new(self.counts.mark(transaction_id(&change.position), &table)));
        }
        if !is_redelivered {
            batch.items.push(Item::Change(change));
        }
    }

    /// Counts a row message. Returns the index of its table's shape, its position, and whether it was delivered before the
    /// restart. `None` if the row gives no record; its position then counts as reached.
    #[inline]
    fn wanted_row(
        &mut self,
        batch: &mut Batch,
        start: i64,
        id: u32,
        kind: Kind,
        is_skipped: bool,
    ) -> Result<Option<(u16, Position, bool)>, Malformed> {
        let Some((position, is_redelivered)) = self.place(start, kind) else { return Err(Malformed::NoTransaction) };
        if is_redelivered && !self.recounts() {
            return Ok(None);
        }
        let shape = self.shape(batch, id)?;
        batch.filtered += u32::from(shape.is_none());
        let Some(shape) = shape.filter(|_| !is_skipped) else {
            reach(batch, position, is_redelivered);
            return Ok(None);
        };
        Ok(Some((shape, position, is_redelivered)))
    }

    fn insert(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let id = cursor.u32()?;
        cursor.u8()?;
        let is_skipped = self.wanted.skip_create;
        let Some((shape, position, is_redelivered)) = self.wanted_row(batch, start, id, Kind::Insert, is_skipped)?
        else {
            return Ok(());
        };
        let after = tuple(batch, &mut cursor)?;
        if after.count > 0 {
            self.emit(batch, change(shape, Op::Create, None, Some(after), position), is_redelivered);
        }
        Ok(())
    }

    fn update(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let id = cursor.u32()?;
        let Some((shape, position, is_redelivered)) = self.wanted_row(batch, start, id, Kind::Update, false)? else {
            return Ok(());
        };
        let mut before = None;
        let mut tag = cursor.u8()?;
        if matches!(tag, b'K' | b'O') {
            before = Some(self.old_tuple(batch, &mut cursor, id, tag)?);
            tag = cursor.u8()?;
        }
        if tag != b'N' {
            return Err(Malformed::Short);
        }
        let after = tuple(batch, &mut cursor)?;
        let mut moved = false;
        if let Some(before) = before.filter(|before| before.count == after.count) {
            // The new row lacks an unchanged TOASTed value. With REPLICA IDENTITY FULL the old row has it.
            for i in 0..after.count as usize {
                let (old, new) = (batch.spans[before.first as usize + i], &mut batch.spans[after.first as usize + i]);
                if *new == Span::UNCHANGED && old != Span::MISSING {
                    *new = old;
                }
            }
            moved = self.key_moved(batch, cursor.bytes(), id, before, after);
            if self.wanted.skip_unchanged {
                let (shape, old, new) = (&batch.shapes[usize::from(shape)], batch.cells(before), batch.cells(after));
                if self.unchanged.is_same(shape, cursor.bytes(), old, new) {
                    reach(batch, position, is_redelivered);
                    return Ok(());
                }
            }
        }
        match before {
            Some(before) if moved => self.emit_move(batch, shape, [before, after], position, is_redelivered),
            _ if self.wanted.skip_update => reach(batch, position, is_redelivered),
            before => self.emit(batch, change(shape, Op::Update, before, Some(after), position), is_redelivered),
        }
        Ok(())
    }

    /// A change of the key is sent as a delete under the old key, its tombstone, and a create under the new key.
    fn emit_move(
        &mut self,
        batch: &mut Batch,
        shape: u16,
        [before, after]: [RowRef; 2],
        position: Position,
        is_redelivered: bool,
    ) {
        if !self.wanted.skip_delete {
            let mut delete = change(shape, Op::Delete, Some(before), None, position.clone());
            delete.moved = Some(KeyMove::To(after));
            delete.tombstone = self.wanted.tombstones;
            delete.last = false;
            self.emit(batch, delete, is_redelivered);
        }
        if self.wanted.skip_create {
            reach(batch, position, is_redelivered);
        } else {
            let mut create = change(shape, Op::Create, None, Some(after), position);
            create.moved = Some(KeyMove::From(before));
            self.emit(batch, create, is_redelivered);
        }
    }

    fn key_moved(&self, batch: &Batch, buffer: &[u8], id: u32, before: RowRef, after: RowRef) -> bool {
        let Some(known) = self.relations.get(&id) else { return false };
        // A row with fewer columns than its table is reported where it is decoded.
        known.key.iter().filter(|column| **column < after.count).any(|column| {
            let old = batch.spans[before.first as usize + usize::from(*column)];
            let new = batch.spans[after.first as usize + usize::from(*column)];
            // Both are pgoutput's text of one type, so equal values are equal bytes. The old row may lack a key column (if an
            // index is the identity, or with message.key.columns): the key has changed then, and the delete's key has no value.
            new != Span::UNCHANGED && old.bytes(buffer) != new.bytes(buffer)
        })
    }

    fn delete(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let id = cursor.u32()?;
        let is_skipped = self.wanted.skip_delete;
        let Some((shape, position, is_redelivered)) = self.wanted_row(batch, start, id, Kind::Delete, is_skipped)?
        else {
            return Ok(());
        };
        let tag = cursor.u8()?;
        let before = self.old_tuple(batch, &mut cursor, id, tag)?;
        if before.count == 0 {
            reach(batch, position, is_redelivered);
            return Ok(());
        }
        let mut delete = change(shape, Op::Delete, Some(before), None, position);
        delete.tombstone = self.wanted.tombstones;
        self.emit(batch, delete, is_redelivered);
        Ok(())
    }

    fn truncate(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let count = cursor.u32()?;
        cursor.u8()?;
        let Some((position, is_redelivered)) = self.place(start, Kind::Truncate) else {
            return Err(Malformed::NoTransaction);
        };
        if is_redelivered && !self.recounts() {
            return Ok(());
        }
        let mut shapes = Vec::new();
        for _ in 0..count {
            let id = cursor.u32()?;
            shapes.extend(self.shape(batch, id)?);
        }
        if self.wanted.skip_truncate || shapes.is_empty() {
            reach(batch, position, is_redelivered);
            return Ok(());
        }
        for (i, shape) in shapes.iter().enumerate() {
            let mut truncate = change(*shape, Op::Truncate, None, None, position.clone());
            truncate.last = i + 1 == shapes.len();
            self.emit(batch, truncate, is_redelivered);
        }
        Ok(())
    }

    /// Reads an old row. With tag `K` it has only the columns of the replica identity; the others are missing, which is not
    /// the same as null.
    fn old_tuple(&self, batch: &mut Batch, cursor: &mut Cursor<'_>, id: u32, tag: u8) -> Result<RowRef, Malformed> {
        let row = tuple(batch, cursor)?;
        if tag == b'K'
            && let Some(known) = self.relations.get(&id)
        {
            for (i, identity) in known.identity.iter().enumerate().take(usize::from(row.count)) {
                let span = &mut batch.spans[row.first as usize + i];
                if !identity && *span == Span::NULL {
                    *span = Span::MISSING;
                }
            }
        }
        Ok(row)
    }
}

/// `xid:lsn` of the event.
fn transaction_id(position: &Position) -> String {
    format!("{}:{}", position.words[TX_ID], position.words[LSN])
}

/// Adds a position without a record, unless it was stored before the restart (`is_redelivered`). Of several in a row only the
/// last stays.
fn reach(batch: &mut Batch, position: Position, is_redelivered: bool) {
    match batch.items.last_mut() {
        _ if is_redelivered => {}
        Some(Item::Position(last)) => *last = position,
        _ => batch.items.push(Item::Position(position)),
    }
}

fn change(shape: u16, op: Op, before: Option<RowRef>, after: Option<RowRef>, position: Position) -> Change {
    Change { before, after, ..Change::new(shape, op, position) }
}
