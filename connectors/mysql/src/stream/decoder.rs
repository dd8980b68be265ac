//! The events of the binlog, one after another: what each means for the open transaction, and which items of a batch its rows
//! become.
//!
//! Must not know: the socket, Kafka, what a statement of DDL does.

use std::collections::{HashMap, HashSet};
use std::ops::Range;

use bytes::Bytes;
use record::{Batch, Position};
use relational::{Changes, reach};

use super::executed::MySqlId;
use super::held::Held;
use super::place::Place;
use super::resume::Resume;
use super::rows::{Mapped, Taken};
use super::statement::{Kind, kind_of, text_of};
use super::xa::{KeptReader, Prepared, XaStatement};
use crate::binlog::{Body, Event, Fault, Header, MariaGtidEvent, Payload, PayloadReader, Query, Reader, Row, Side};
use crate::config::{Failure, GtidSources};
use crate::ddl::Catalog;
use crate::error::Error;
use crate::gtid::{MariaGtid, Source, Tag};
use crate::model::TableId;
use crate::tables::{Known, Tables};

/// What the caller must do before the next event.
pub(crate) enum Step {
    /// Nothing.
    Done,
    /// Apply a statement that may change tables, and then call [`Decoder::applied`].
    Statement(Box<Statement>),
    /// Read the events of a compressed transaction, and then call [`Decoder::unpacked`].
    Payload(Box<PayloadReader>),
    /// Read the events of an XA transaction that is committed, and then call [`Decoder::unkept`].
    Kept(KeptReader),
    /// Find out how the table of this number is, which a statement may have changed that is not understood, and give the event
    /// again.
    InDoubt(u64),
}

/// A statement of the binlog that may change tables.
#[derive(Debug)]
pub(crate) struct Statement {
    pub(crate) text: String,
    pub(crate) database: String,
    pub(crate) sql_mode: Option<u64>,
    /// Where it stands; a restart from here reads it again.
    pub(crate) position: Position,
    /// Where it ends.
    pub(crate) end: u64,
}

/// The rows of an XA transaction are sent: all its events count as one.
#[derive(Debug)]
pub(super) struct Sending {
    /// How many rows of it have been seen.
    pub(super) rows: u64,
    /// How many were delivered before the restart.
    pub(super) done: u64,
    /// Where the event stands that commits it, and where that ends; none while its first phase is still being read.
    pub(super) ends: Option<(u64, u64)>,
    pub(super) id: Option<MySqlId>,
    pub(super) anchor: Option<u64>,
}

/// The settings that the decoder needs.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    /// Whether statements are shown (`include.query`).
    pub(crate) with_query: bool,
    /// What becomes of rows of a captured table whose schema is not known.
    pub(crate) unknown_table: Failure,
    /// How many events of a transaction are held back until it ends (`binlog.buffer.size`).
    pub(crate) held_events: usize,
    /// The sources whose changes of rows are sent, if others are left out (`gtid.source.filter.dml.events`).
    pub(crate) sources: Option<GtidSources>,
}

/// What the events are held against.
pub(crate) struct Context<'a> {
    pub(crate) tables: &'a mut Tables,
    pub(crate) catalog: &'a Catalog,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Decoder {
    pub(crate) reader: Reader,
    pub(crate) place: Place,
    pub(crate) held: Held,
    pub(super) changes: Changes,
    /// Those of XA transactions, which have no transaction metadata, as in Debezium.
    pub(super) xa_changes: Changes,
    pub(super) prepared: Prepared,
    pub(super) sending: Option<Sending>,
    pub(super) options: Options,
    pub(super) maps: HashMap<u64, Mapped>,
    pub(super) resume: Option<Resume>,
    /// The transaction is one that is left out.
    pub(super) is_left_out: bool,
    /// Scratch: the rows of an event.
    pub(super) rows: Vec<Row>,
    pub(super) side: Side,
    /// Statements that changed rows and were logged as text have been warned of.
    has_warned: bool,
    /// The tables of which it was warned that the binlog has another key.
    pub(super) warned_keys: HashSet<TableId>,
    /// The tables of which it was warned that the binlog lacks generated columns.
    pub(super) warned_computed: HashSet<String>,
}

impl Decoder {
    /// `resume` is what of the first transaction was delivered already.
    pub(crate) fn new(
        reader: Reader,
        place: Place,
        changes: Changes,
        options: Options,
        resume: Option<Resume>,
    ) -> Self {
        Self {
            reader,
            place,
            held: Held::new(options.held_events),
            xa_changes: Changes::new(changes.wanted.clone(), None, crate::position::transaction_id),
            changes,
            prepared: Prepared::default(),
            sending: None,
            options,
            maps: HashMap::new(),
            resume,
            is_left_out: false,
            rows: Vec::new(),
            side: Side::default(),
            has_warned: false,
            warned_keys: HashSet::new(),
            warned_computed: HashSet::new(),
        }
    }

    /// Takes an event: its bytes, and where they begin in the batch's buffer. `is_inner`: it is one of a compressed
    /// transaction.
    pub(crate) fn event(
        &mut self,
        buffer: &[u8],
        range: Range<usize>,
        is_inner: bool,
        batch: &mut Batch,
        context: &mut Context<'_>,
    ) -> Result<Step, Error> {
        let (bytes, base) = (&buffer[range.clone()], range.start as u32);
        let event = if is_inner { self.reader.inner(bytes, base)? } else { self.reader.event(bytes, base)? };
        self.time(&event.header, is_inner);
        let Event { header, start, end, body } = event;
        if self.prepared.is_keeping()
            && let Some(is_kept) = self.keeps(&body, context)?
        {
            let checksum_len = if is_inner { 0 } else { self.reader.format().checksum.len() };
            let is_over = is_kept && !self.prepared.keep(bytes, checksum_len);
            return Ok(if is_over { self.spill(start) } else { Step::Done });
        }
        match body {
            Body::Rows(rows) => {
                if let Taken::InDoubt(table) = self.change_rows(&rows, start, buffer, batch, context)? {
                    return Ok(Step::InDoubt(table));
                }
            }
            Body::TableMap(map) => self.mapped(&map, context)?,
            Body::Xid(_) => {
                self.commit(batch, start, end);
                return Ok(Step::Done);
            }
            Body::Query(query) => return Ok(self.query(&query, start, end, batch)),
            Body::Gtid(id) => {
                let source = Source { uuid: id.uuid, tag: id.tag };
                self.is_left_out = self.leaves_out(|| Source { tag: Tag::NONE, ..source }.to_string());
                let number = id.number;
                self.place.mysql_gtid((source, number), || format!("{source}:{number}"), id.original_commit_us);
            }
            Body::AnonymousGtid(_) => {
                self.is_left_out = false;
                self.place.forget_gtid();
            }
            Body::MariaGtid(id) => {
                self.mariadb_gtid(&id, header.server_id, start);
                self.held.begin(batch, self.place.counted());
            }
            Body::Payload(payload) => return Ok(Step::Payload(Box::new(self.payload(payload)?))),
            Body::Rotate(rotate) => {
                self.maps.clear();
                let is_new = self.place.rotated(rotate.file, rotate.position);
                // So that the stored offset does not stay in a file that the server deletes, while nothing is written to the
                // captured tables.
                if is_new && self.resume.is_none() {
                    reach(batch, self.place.position(rotate.position), false);
                }
                return Ok(Step::Done);
            }
            Body::RowsQuery(statement) => {
                if self.options.with_query {
                    self.place.query(statement);
                }
            }
            Body::XaPrepare(xa) => return Ok(self.xa_prepare(&xa, batch, start, end)),
            Body::PreviousGtids(set) => {
                let set = self.place.executed().before_file(set);
                if set.map_err(|error| self.reader.error(Fault::Malformed(error.0)))? {
                    self.place.executed_is_known();
                }
            }
            Body::MariaGtidList(list) => {
                if self.place.executed().before_mariadb_file(&list) {
                    self.place.executed_is_known();
                }
            }
            Body::Incident(incident) => return Err(self.reader.error(Fault::Incident(incident.number)).into()),
            // Made for the connection, or no part of a transaction.
            Body::FormatDescription | Body::Heartbeat(_) | Body::Stop => return Ok(Step::Done),
            Body::BinlogCheckpoint(_) | Body::StartEncryption(_) | Body::ViewChange | Body::Ignored => {}
        }
        self.done(end);
        Ok(Step::Done)
    }

    /// An event is done that may be one of a transaction. Those of an XA transaction that is sent are no events of their own.
    pub(super) fn done(&mut self, end: u64) {
        if self.sending.is_none() {
            self.place.done(end);
        }
    }

    /// Takes the time of an event. Rows of an XA transaction have that of its commit.
    pub(super) fn time(&mut self, header: &Header, is_inner: bool) {
        if !is_inner || self.sending.is_none() {
            self.place.event(header);
        }
    }

    fn payload(&self, payload: Payload<'_>) -> Result<PayloadReader, Error> {
        let data = Bytes::copy_from_slice(payload.data);
        let reader = PayloadReader::new(payload.compression, payload.uncompressed_len, data);
        reader.map_err(|fault| self.reader.error(fault).into())
    }

    /// All events of a compressed transaction are done, and so is the event that held them.
    pub(crate) fn unpacked(&mut self) {
        self.place.done(self.reader.position());
    }

    fn leaves_out(&self, source: impl FnOnce() -> String) -> bool {
        self.options.sources.as_ref().is_some_and(|filter| !filter.keeps(&source()))
    }

    fn mariadb_gtid(&mut self, id: &MariaGtidEvent<'_>, server: u32, start: u64) {
        self.is_left_out = self.leaves_out(|| format!("{}-{server}", id.domain));
        self.place.mariadb_gtid(MariaGtid { domain: id.domain, server, sequence: id.sequence });
        let has = |flag: u8| id.flags & flag != 0;
        if has(MariaGtidEvent::PREPARED_XA) {
            // The event stands for XA START.
            self.begin_xa(start);
            return;
        }
        if has(MariaGtidEvent::COMPLETED_XA) {
            self.place.begin(start, None);
        } else if has(MariaGtidEvent::STANDALONE) {
            self.place.begin_statement(start);
        } else {
            self.place.begin(start, None);
            self.changes.begin(self.place.ts_ms());
        }
        self.begun(start);
    }

    /// A transaction begins at `start`.
    pub(super) fn begun(&mut self, start: u64) {
        if let Some(resume) = &mut self.resume {
            resume.begins(self.place.file(), start, self.place.counted());
        }
    }

    fn query(&mut self, query: &Query<'_>, start: u64, end: u64, batch: &mut Batch) -> Step {
        let text = query.statement.trim_ascii();
        match kind_of(text) {
            Kind::Begin => {
                self.place.begin(start, Some(query.thread_id));
                self.begun(start);
                self.changes.begin(self.place.ts_ms());
                self.held.begin(batch, self.place.counted());
            }
            Kind::Commit => {
                self.commit(batch, start, end);
                return Step::Done;
            }
            Kind::Rollback => {
                self.rolled_back(batch, start, end);
                return Step::Done;
            }
            Kind::Xa => return self.xa(XaStatement::parse(text), start, end, batch),
            Kind::Savepoint => {}
            Kind::ChangesRows => {
                if !std::mem::replace(&mut self.has_warned, true) {
                    tracing::warn!(
                        file = self.reader.file(),
                        position = start,
                        database = query.database,
                        "a statement that \
                        changes rows was logged as text, so its changes cannot be sent: set binlog_format=ROW in the session \
                        that ran it"
                    );
                }
            }
            // It was applied before the restart.
            Kind::Other if self.resume.as_ref().is_some_and(|resume| resume.is_done(self.place.counted())) => {}
            Kind::Other => {
                let position = self.place.position(start);
                let text = text_of(text, &query.status).into_owned();
                let (database, sql_mode) = (query.database.to_owned(), query.status.sql_mode);
                return Step::Statement(Box::new(Statement { text, database, sql_mode, position, end }));
            }
        }
        self.done(end);
        Step::Done
    }

    /// A statement has been applied. What TABLE_MAPs said of tables before it does not hold any more.
    ///
    /// As in Debezium, the statement's GTID counts as executed only when the next one comes: a restart right after the
    /// statement reads it again.
    pub(crate) fn applied(&mut self, statement: &Statement, batch: &mut Batch) {
        self.maps.clear();
        self.place.done(statement.end);
        if !self.place.is_inside() {
            self.held.end();
            let start = statement.position.word(crate::position::POS).unwrap_or(0) as u64;
            reach(batch, self.place.position(start), false);
        }
    }

    /// What becomes of rows of a captured table whose schema is not known.
    pub(crate) fn unknown_table(&self) -> Failure {
        self.options.unknown_table
    }

    /// Whether what was read waits for the end of its transaction.
    pub(crate) fn holds(&self) -> bool {
        self.held.waits(self.place.counted())
    }

    /// A transaction is in the binlog although it was rolled back: it did something that cannot be undone, such as making a
    /// temporary table.
    fn rolled_back(&mut self, batch: &mut Batch, start: u64, end: u64) {
        if self.held.discard(batch) {
            self.changes.reset();
            self.commit_quietly(batch, start, end);
            return;
        }
        tracing::warn!(
            file = self.reader.file(),
            position = start,
            "a transaction was rolled back, and its changes were sent: it is in the binlog because it also did something that \
             cannot be undone. With binlog.buffer.size above its number of events it is held back and thrown away"
        );
        self.commit(batch, start, end);
    }

    /// Rows of a captured table were all removed by TRUNCATE.
    pub(crate) fn truncated(&mut self, statement: &Statement, table: Known, batch: &mut Batch) {
        batch.shapes.push(table.shape);
        let slot = (batch.shapes.len() - 1) as u16;
        self.changes.truncate(batch, &[slot], &statement.position, false);
    }

    /// A restart has met everything that was delivered before it.
    fn forget_resume(&mut self) {
        // A long stream sees many numbers of tables; those of tables that are gone are never used again.
        if self.maps.len() > MAX_MAPS {
            self.maps.clear();
        }
        self.resume.take_if(|resume| resume.is_over(self.place.counted()));
    }

    fn commit(&mut self, batch: &mut Batch, start: u64, end: u64) {
        self.held.end();
        let (id, ts_ms) = (crate::position::transaction_id(&self.place.position(start)), self.place.ts_ms());
        let was_left_out = std::mem::take(&mut self.is_left_out);
        let is_redelivered = self.resume.as_ref().is_some_and(|resume| resume.is_done(self.place.counted()));
        self.place.commit(end);
        self.forget_resume();
        batch.transactions += 1;
        let position = self.place.position(start);
        if is_redelivered || was_left_out {
            reach(batch, position, is_redelivered);
        } else {
            self.changes.end(batch, || id, ts_ms, position);
        }
    }

    /// The end of an XA transaction, or of its first phase: no BEGIN was sent, and no END is.
    pub(super) fn commit_quietly(&mut self, batch: &mut Batch, start: u64, end: u64) {
        self.held.end();
        self.is_left_out = false;
        let is_redelivered = self.resume.as_ref().is_some_and(|resume| resume.is_done(self.place.counted()));
        self.place.commit(end);
        self.forget_resume();
        reach(batch, self.place.position(start), is_redelivered);
    }
}

/// How many TABLE_MAPs are remembered.
const MAX_MAPS: usize = 4096;
