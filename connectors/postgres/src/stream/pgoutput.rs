//! pgoutput, protocol version 1 (PostgreSQL manual, "Logical Replication Message Formats"): messages into events of a batch.
//!
//! The decoder keeps what depends on the order of the stream: the open transaction, the place of each event in it, and what
//! was delivered before a restart. It never waits: it returns a RELATION to the caller, who looks the table up.

mod messages;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use record::{Batch, NONE, Position, RowRef, Span, Texts};
use relational::{At, Changes, TransactionTopic, Wanted, reach};

use super::message::{LogicalMessage, Malformed, NamedType, Relation, named_type, relation, tuple};
use super::reader::Cursor;
use super::state::{Known, Open, Seen};
use crate::lsn::Lsn;
use crate::position::{
    COPIED, KIND, Kind, LSN, LSN_COMMIT, LSN_PROC, ORIGIN_LSN, Stored, TS_US, TX_ID, TX_LSN, TX_ROW, texts,
};
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
    changes: Changes,
    open: Option<Open>,
    last_commit: i64,
    last_commit_us: i64,
    /// The stored offset from which the stream goes on; cleared once the stream is past it.
    resume: Option<Stored>,
    /// Transactions of the stream that a copy has read already, with the text that says so in positions; cleared once the
    /// stream is past them.
    seen: Option<(Seen, Arc<str>)>,
    batch_number: u64,
    /// For each shape of the batch, what post-processors do with its table.
    plans: Vec<Plans>,
}

impl Decoder {
    pub(crate) fn new(wanted: Wanted, resume: Option<Stored>, metadata: Option<TransactionTopic>) -> Self {
        let last_commit = resume.as_ref().and_then(|stored| stored.position.word(LSN_COMMIT)).unwrap_or(NONE);
        Self {
            relations: HashMap::new(),
            changes: Changes::new(wanted, metadata, transaction_id),
            open: None,
            last_commit,
            last_commit_us: NONE,
            resume,
            seen: None,
            batch_number: 0,
            plans: Vec::new(),
        }
    }

    /// Begins a new connection: the server announces every table again and sends whole transactions.
    pub(crate) fn reconnected(&mut self, resume: Option<Stored>) {
        self.relations.clear();
        self.open = None;
        self.changes.reset();
        self.last_commit = resume.as_ref().and_then(|stored| stored.position.word(LSN_COMMIT)).unwrap_or(NONE);
        if self.last_commit_us == NONE {
            self.last_commit_us = resume.as_ref().and_then(|stored| stored.position.word(TS_US)).unwrap_or(NONE);
        }
        // What an earlier process, or an earlier connection, still had to pass over.
        let copied = resume.as_ref().and_then(|stored| stored.position.text(COPIED));
        self.seen = copied.and_then(|text| Some((Seen::parse(text)?, text.into())));
        self.resume = resume;
    }

    /// Up to where transactions may be passed over because a copy has them; none if no copy has any.
    pub(crate) fn passes_over_until(&self) -> Option<Lsn> {
        self.seen.as_ref().map(|(seen, _)| seen.until)
    }

    /// The texts of positions outside of a transaction.
    fn texts(&self) -> Option<Texts> {
        self.seen.as_ref().and_then(|(_, text)| texts(None, Some(Arc::clone(text))))
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
        if self.seen.as_ref().is_some_and(|(seen, _)| wal_end as u64 >= seen.until.0) {
            self.seen = None;
        }
        let mut position = Position { texts: self.texts(), ..Position::UNKNOWN };
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
        if let Some((seen, _)) = &self.seen {
            done |= seen.has(xid as u32, commit_lsn);
            if commit_lsn as u64 >= seen.until.0 {
                self.seen = None;
            }
        }
        self.changes.begin(commit_us / 1000);
        self.open = Some(Open::new(xid, commit_lsn, commit_us, (done, done_rows), self.texts()));
        Ok(())
    }

    fn commit(&mut self, batch: &mut Batch, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        cursor.u8()?;
        let (commit_lsn, end_lsn, commit_us) =
            (cursor.i64()?, cursor.i64()?, cursor.i64()?.saturating_add(POSTGRES_EPOCH_US));
        let open = self.open.take();
        let xid = open.as_ref().map_or(NONE, |open| open.xid);
        let done = open.as_ref().is_some_and(|open| open.done);
        self.last_commit = self.last_commit.max(end_lsn);
        self.last_commit_us = commit_us;
        if done {
            return Ok(());
        }
        self.resume = None;
        batch.transactions += 1;
        let mut position = Position { texts: self.texts(), ..Position::UNKNOWN };
        position.words[TS_US] = commit_us;
        position.words[TX_ID] = xid;
        position.words[LSN] = end_lsn;
        position.words[LSN_PROC] = end_lsn;
        position.words[LSN_COMMIT] = end_lsn;
        position.words[TX_LSN] = commit_lsn;
        position.words[TX_ROW] = open.as_ref().map_or(0, |open| open.rows);
        position.words[KIND] = Kind::Commit as i64;
        self.changes.end(batch, || format!("{xid}:{commit_lsn}"), commit_us / 1000, position);
        Ok(())
    }

    fn origin(&mut self, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let (lsn, name) = (cursor.i64()?, cursor.text()?);
        let copied = self.seen.as_ref().map(|(_, text)| Arc::clone(text));
        if let Some(open) = &mut self.open {
            open.texts = texts(Some(name.into()), copied);
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
            // Where both are equal the offset stands between transactions, and `begin` has decided.
            let is_inside = stored.position.word(LSN_PROC).is_some()
                && stored.position.word(LSN_PROC) != stored.position.word(LSN_COMMIT);
            is_redelivered = in_it && is_inside && start < last;
        }
        if start != open.lsn {
            (open.lsn_before, open.lsn) = (open.lsn, start);
        }
        let mut position = Position { words: [NONE; Position::WORDS], texts: open.texts.clone() };
        position.words[TS_US] = open.commit_us;
        position.words[TX_ID] = open.xid;
        position.words[LSN] = start;
        position.words[LSN_PROC] = open.lsn_before;
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
        self.changes.has_metadata() && self.open.as_ref().is_some_and(|open| !open.done)
    }

    /// Counts a row message. Returns where it stands; `None` if the row gives no record: its position then counts as reached.
    #[inline]
    fn wanted_row(
        &mut self,
        batch: &mut Batch,
        start: i64,
        id: u32,
        kind: Kind,
        is_skipped: bool,
    ) -> Result<Option<At>, Malformed> {
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
        Ok(Some(At { shape, position, is_redelivered }))
    }

    fn insert(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let id = cursor.u32()?;
        cursor.u8()?;
        let is_skipped = self.changes.wanted.skip_create;
        let Some(at) = self.wanted_row(batch, start, id, Kind::Insert, is_skipped)? else { return Ok(()) };
        let after = tuple(batch, &mut cursor)?;
        if after.count > 0 {
            self.changes.insert(batch, at, after);
        }
        Ok(())
    }

    fn update(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let id = cursor.u32()?;
        let Some(at) = self.wanted_row(batch, start, id, Kind::Update, false)? else { return Ok(()) };
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
        if let Some(before) = before.filter(|before| before.count == after.count) {
            // The new row lacks an unchanged TOASTed value. With REPLICA IDENTITY FULL the old row has it.
            for i in 0..after.count as usize {
                let (old, new) = (batch.spans[before.first as usize + i], &mut batch.spans[after.first as usize + i]);
                if *new == Span::UNCHANGED && old != Span::MISSING {
                    *new = old;
                }
            }
        }
        let key = self.relations.get(&id).map_or(&[][..], |known| &known.key);
        self.changes.update(batch, cursor.bytes(), at, (before, after), key);
        Ok(())
    }

    fn delete(&mut self, batch: &mut Batch, start: i64, mut cursor: Cursor<'_>) -> Result<(), Malformed> {
        let id = cursor.u32()?;
        let is_skipped = self.changes.wanted.skip_delete;
        let Some(at) = self.wanted_row(batch, start, id, Kind::Delete, is_skipped)? else { return Ok(()) };
        let tag = cursor.u8()?;
        let before = self.old_tuple(batch, &mut cursor, id, tag)?;
        if before.count == 0 {
            reach(batch, at.position, at.is_redelivered);
            return Ok(());
        }
        self.changes.delete(batch, at, before);
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
        self.changes.truncate(batch, &shapes, &position, is_redelivered);
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
