//! The rows of the tables that are captured: TABLE_MAP events explain them, and of each event of rows the cells are found.
//!
//! A table is held against its TABLE_MAP once for each TABLE_MAP that differs from the last one of its number, never for a row.
//!
//! Must not know: transactions' begins and ends, statements.

use std::ops::Range;
use std::sync::Arc;

use bytes::BytesMut;
use record::{Batch, Span};

use super::decoder::{Context, Decoder};
use super::emit::Emitted;
use crate::announced::Announced;
use crate::binlog::{Body, Fault, Header, Layout, Row, Rows, RowsKind, TableMap};
use crate::config::Failure;
use crate::error::Error;
use crate::model::TableId;
use crate::tables::{Known, Wire};

/// A table that a TABLE_MAP announced.
#[derive(Debug)]
pub(super) struct Mapped {
    pub(super) table: Captured,
    layout: Layout,
    signature: Box<[u8]>,
    /// The index that the table's shape had in a batch.
    slot: u16,
}

/// Whether a table is captured.
#[derive(Debug)]
pub(super) enum Captured {
    /// It is not, or its rows are left out.
    No,
    /// It is.
    Known(Known),
    /// It is, and its TABLE_MAP stands where a restart reads again what was delivered: the table may have been altered since,
    /// so the two are held against each other only when there are rows to deliver.
    Later(Box<Announced>),
    /// It is, and a statement that is not understood may have changed it: its rows wait until that is found out.
    InDoubt(Box<Announced>),
}

/// What became of an event of rows.
#[derive(Debug)]
pub(crate) enum Taken {
    /// It is done.
    Done,
    /// Nothing yet: the table of this number is in doubt. The event is to be read again once it is not.
    InDoubt(u64),
}

impl Decoder {
    pub(super) fn mapped(&mut self, map: &TableMap<'_>, context: &mut Context<'_>) -> Result<(), Error> {
        if self.maps.get(&map.table_id).is_some_and(|known| *known.signature == *map.signature()) {
            return Ok(());
        }
        let layout = map.layout().map_err(|fault| self.reader.error(fault))?;
        let id = TableId { database: map.database.into(), table: map.table.into() };
        let is_redelivered = self.resume.as_ref().is_some_and(|resume| resume.is_done(self.place.counted()));
        let table = if context.tables.captures(&id) {
            let flavour = context.catalog.rules().dialect.flavour;
            let announced = Announced::new(map, &layout, flavour).map_err(|fault| self.reader.error(fault))?;
            if is_redelivered && !self.changes.has_metadata() {
                Captured::Later(Box::new(announced))
            } else {
                self.known(announced, &layout, context)?
            }
        } else {
            Captured::No
        };
        self.maps.insert(map.table_id, Mapped { table, layout, signature: map.signature().into(), slot: u16::MAX });
        Ok(())
    }

    /// Holds a captured table against its TABLE_MAP.
    fn known(&mut self, announced: Announced, layout: &Layout, context: &mut Context<'_>) -> Result<Captured, Error> {
        if context.catalog.doubt(&announced.id).is_some() {
            return Ok(Captured::InDoubt(Box::new(announced)));
        }
        if let Some(table) = context.catalog.table(&announced.id) {
            let known = context.tables.known(table, Wire::Log(layout, &announced));
            let known = known.map_err(|error| self.placed(error))?;
            if let Some(key) = announced.other_key(table, context.catalog.rules().dialect.flavour) {
                self.warn_of_key(&announced.id, &key.join(", "), &table.primary_key.join(", "));
            }
            return Ok(Captured::Known(known));
        }
        match self.options.unknown_table {
            Failure::Fail => Err(Error::UnknownTable { table: announced.id.to_string() }),
            mode => {
                if mode == Failure::Warn {
                    tracing::warn!(table = %announced.id, "the table's schema is not known to this connector, so its changes are \
                        left out (inconsistent.schema.handling.mode)");
                }
                Ok(Captured::No)
            }
        }
    }

    /// Another key in the binlog is worth a warning, once for each table.
    fn warn_of_key(&mut self, id: &TableId, found: &str, known: &str) {
        if self.warned_keys.insert(id.clone()) {
            tracing::warn!(
                "table {id}, at {}: the server's key is ({found}), and the records have that of the schema history ({known}). If \
                the primary key was changed by a statement that the binlog does not have, restart the connector with \
                snapshot.mode=recovery",
                self.reader.at()
            );
        }
    }

    /// The error with the place of the event that was read last.
    fn placed(&self, error: Error) -> Error {
        match error {
            Error::Rows { table, reason, .. } => Error::Rows { table, at: Some(self.reader.at()), reason },
            other => other,
        }
    }

    /// What the TABLE_MAP of this number says of a table that is in doubt.
    pub(crate) fn in_doubt(&self, table_id: u64) -> Option<&Announced> {
        match &self.maps.get(&table_id)?.table {
            Captured::InDoubt(announced) => Some(announced),
            _ => None,
        }
    }

    /// The rows of the table of this number, which is in doubt, are left out.
    pub(crate) fn leave_out(&mut self, table_id: u64) {
        if let Some(mapped) = self.maps.get_mut(&table_id) {
            mapped.table = Captured::No;
        }
    }

    #[inline]
    pub(super) fn change_rows(
        &mut self,
        rows: &Rows<'_>,
        start: u64,
        buffer: &[u8],
        batch: &mut Batch,
        context: &mut Context<'_>,
    ) -> Result<Taken, Error> {
        match self.find_rows(rows, batch, context)? {
            Search::Found(found) => self.emit(&found, start, buffer, batch),
            Search::Nothing => {}
            Search::InDoubt => return Ok(Taken::InDoubt(rows.table_id)),
        }
        Ok(Taken::Done)
    }

    /// As [`Decoder::event`], for an event that [`needs_room`]: it stands in `apart`, the buffer of a batch of its own, and the
    /// cells that have to be computed are put behind it.
    pub(crate) fn event_apart(
        &mut self,
        apart: &mut BytesMut,
        range: Range<usize>,
        is_inner: bool,
        batch: &mut Batch,
        context: &mut Context<'_>,
    ) -> Result<Taken, Error> {
        let (bytes, base) = (&apart[range.clone()], range.start as u32);
        let event = if is_inner { self.reader.inner(bytes, base)? } else { self.reader.event(bytes, base)? };
        self.time(&event.header, is_inner);
        let (start, end) = (event.start, event.end);
        let Body::Rows(rows) = event.body else { return Ok(Taken::Done) };
        let first = batch.spans.len();
        match self.find_rows(&rows, batch, context)? {
            Search::Found(found) => {
                self.side.settle(apart, &mut batch.spans[first..]).map_err(|fault| self.reader.error(fault))?;
                self.emit(&found, start, apart, batch);
            }
            Search::Nothing => {}
            Search::InDoubt => return Ok(Taken::InDoubt(rows.table_id)),
        }
        self.done(end);
        Ok(Taken::Done)
    }

    /// Finds the rows of an event, into `self.rows`.
    #[inline]
    fn find_rows(&mut self, rows: &Rows<'_>, batch: &mut Batch, context: &mut Context<'_>) -> Result<Search, Error> {
        let done = match &self.sending {
            Some(sending) => sending.done.saturating_sub(sending.rows),
            None => self.resume.as_ref().map_or(0, |resume| resume.rows_done(self.place.counted())),
        };
        let has_metadata = self.changes.has_metadata() && self.sending.is_none();
        let is_wanted = !self.is_left_out && (done != u64::MAX || has_metadata);
        let mut mapped = self.maps.get_mut(&rows.table_id);
        // Of an event that was delivered whole before the restart nothing is found out: its table may have been altered since.
        let is_to_send = is_wanted && done != u64::MAX;
        if is_to_send && let Some(Mapped { table: Captured::Later(_) | Captured::InDoubt(_), .. }) = mapped {
            self.settle(rows.table_id, context)?;
            mapped = self.maps.get_mut(&rows.table_id);
        }
        let Some(mapped) = mapped else {
            // An event without rows that only ends a statement names no table.
            return if rows.is_empty() { Ok(Search::Nothing) } else { Err(self.no_table_map(rows.table_id)) };
        };
        let known = match &mapped.table {
            Captured::Known(known) if is_wanted => known,
            Captured::InDoubt(_) if is_to_send => return Ok(Search::InDoubt),
            Captured::No => {
                batch.filtered += 1;
                return Ok(Search::Nothing);
            }
            _ => {
                batch.filtered += u32::from(self.is_left_out);
                return Ok(Search::Nothing);
            }
        };
        self.rows.clear();
        let found = &mut self.rows;
        rows.find(rows.table_id, &mapped.layout, &mut batch.spans, &mut self.side, |row| found.push(row))
            .map_err(|fault| self.reader.error(fault))?;
        if !known.computed.is_empty() && !rows.full() {
            let is_lacking = null_for(&known.computed, &self.rows, &mut batch.spans);
            if is_lacking && self.warned_computed.insert(known.shape.table.to_string()) {
                warn_of_computed(known.shape.table.as_ref(), &self.reader.at());
            }
        }
        let slot = slot_of(batch, &mut mapped.slot, known);
        Ok(Search::Found(Found { kind: rows.kind, table: rows.table_id, slot, done }))
    }

    /// Holds a table against its TABLE_MAP that was not at once, or that was in doubt.
    #[cold]
    fn settle(&mut self, table_id: u64, context: &mut Context<'_>) -> Result<(), Error> {
        let Some(mut mapped) = self.maps.remove(&table_id) else { return Ok(()) };
        if let Captured::Later(announced) | Captured::InDoubt(announced) = mapped.table {
            mapped.table = self.known(*announced, &mapped.layout, context)?;
        }
        self.maps.insert(table_id, mapped);
        Ok(())
    }

    #[inline]
    fn emit(&mut self, found: &Found, start: u64, buffer: &[u8], batch: &mut Batch) {
        let Some(Mapped { table: Captured::Known(known), .. }) = self.maps.get(&found.table) else { return };
        let before = self.sending.as_ref().map_or(0, |sending| sending.rows);
        let emitted = Emitted {
            kind: found.kind,
            rows: &self.rows,
            slot: found.slot,
            key: &known.wire_key,
            position: self.place.position(start),
            done: found.done,
            before,
        };
        let count = self.rows.len();
        if let Some(sending) = &mut self.sending {
            sending.rows += count as u64;
            emitted.put(&mut self.xa_changes, buffer, batch);
        } else {
            emitted.put(&mut self.changes, buffer, batch);
        }
        self.place.rows_done(count.saturating_sub(1));
    }

    fn no_table_map(&self, table_id: u64) -> Error {
        self.reader.error(Fault::NoTableMap(table_id)).into()
    }
}

/// Makes these cells null where the images of the rows lack them. Says whether there was one.
#[cold]
fn null_for(computed: &[u16], rows: &[Row], spans: &mut [Span]) -> bool {
    let mut is_lacking = false;
    for image in rows.iter().flat_map(|row| [row.before, row.after]).flatten() {
        for place in computed {
            let cell = spans.get_mut(image.first as usize + usize::from(*place));
            if let Some(cell) = cell.filter(|cell| **cell == Span::MISSING) {
                *cell = Span::NULL;
                is_lacking = true;
            }
        }
    }
    is_lacking
}

fn warn_of_computed(table: &str, at: &str) {
    tracing::warn!(
        table,
        at,
        "the binlog has no values of generated columns: MariaDB 11.8 leaves them out of updates and deletes. They are sent as null. \
         To have them read from the table, use the post-processor {} (post.processors); to leave them out, name them in \
         column.exclude.list",
        relational::reselect::CLASS
    );
}

/// The rows of an event that are to be sent.
struct Found {
    kind: RowsKind,
    /// The table's number.
    table: u64,
    /// The index of its shape in the batch.
    slot: u16,
    /// How many of the rows were delivered before the restart.
    done: u64,
}

/// What was found of an event's rows.
enum Search {
    Found(Found),
    /// None of them is sent.
    Nothing,
    InDoubt,
}

/// Whether cells of the event's rows are computed, so that they need more room than the event: [`Decoder::event_apart`].
pub(crate) fn needs_room(event: &[u8]) -> bool {
    Header::parse(event).is_some_and(|header| header.kind.computes_cells())
}

/// The index of a table's shape in the batch; the shape is added if the batch does not have it where it was last.
fn slot_of(batch: &mut Batch, slot: &mut u16, known: &Known) -> u16 {
    if batch.shapes.get(usize::from(*slot)).is_none_or(|shape| !Arc::ptr_eq(shape, &known.shape)) {
        batch.shapes.push(Arc::clone(&known.shape));
        *slot = (batch.shapes.len() - 1) as u16;
    }
    *slot
}
