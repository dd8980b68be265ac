//! One event after the other, and where each stands.

use super::control::{Heartbeat, Incident, Rotate, StartEncryption, XaPrepare, checkpoint, statement};
use super::format::{Checksum, Format};
use super::gtid_event::{GtidEvent, MariaGtidEvent, gtid_list};
use super::header::{HEADER_LEN, Header, widen};
use super::payload::Payload;
use super::query::Query;
use super::rows::Rows;
use super::table_map::TableMap;
use super::{BinlogError, EventKind, Fault};

/// An event.
#[derive(Clone, Debug, PartialEq)]
pub struct Event<'a> {
    /// Its header.
    pub header: Header,
    /// Where it starts in the file. Events that are in no file have the place of the next one that is; events inside of a
    /// compressed transaction have that of the TRANSACTION_PAYLOAD.
    pub start: u64,
    /// Where the next event starts in the file.
    pub end: u64,
    /// What it says.
    pub body: Body<'a>,
}

/// What an event says.
#[derive(Clone, Debug, PartialEq)]
pub enum Body<'a> {
    /// How the next events are built; the reader has taken note of it.
    FormatDescription,
    /// The events go on in another file; the reader has taken note of it.
    Rotate(Rotate<'a>),
    /// The server stopped, and a new file follows.
    Stop,
    /// The server has nothing to send.
    Heartbeat(Heartbeat<'a>),
    /// The server's binlog is not whole.
    Incident(Incident<'a>),
    /// A statement.
    Query(Query<'a>),
    /// Which table the next rows are of.
    TableMap(TableMap<'a>),
    /// Rows.
    Rows(Rows<'a>),
    /// A transaction's commit, with its number in the storage engine.
    Xid(u64),
    /// The begin of a transaction that has an id.
    Gtid(GtidEvent),
    /// The begin of a transaction that has none.
    AnonymousGtid(GtidEvent),
    /// The ids in earlier files, in the form that [`MySqlSet::decode`](crate::gtid::MySqlSet::decode) reads.
    PreviousGtids(&'a [u8]),
    /// The statement that the next rows come from, in the character set of the client that sent it.
    RowsQuery(&'a [u8]),
    /// A compressed transaction.
    Payload(Payload<'a>),
    /// The end of the rows of an XA transaction.
    XaPrepare(XaPrepare<'a>),
    /// Group replication: a member joined or left.
    ViewChange,
    /// MariaDB: the begin of a transaction.
    MariaGtid(MariaGtidEvent<'a>),
    /// MariaDB: the last ids in earlier files, as (domain, server, sequence).
    MariaGtidList(Vec<(u32, u32, u64)>),
    /// MariaDB: the oldest file that a recovery of the server needs.
    BinlogCheckpoint(&'a str),
    /// MariaDB: the rest of the file is encrypted on the server's disk. A server sends it in clear.
    StartEncryption(StartEncryption),
    /// An event that has no meaning here, or that is unknown and may be passed over.
    Ignored,
}

/// Reads events in their order, and keeps what they say of each other: the file, the position, how events are built.
#[derive(Clone, Debug)]
pub struct Reader {
    file: String,
    /// Where the next event starts.
    position: u64,
    format: Format,
    /// The event that was read last: its start, end and type.
    last: (u64, u64, EventKind),
}

impl Reader {
    /// A reader of a connection that was told to start at a position. `checksum` is what the connection was told: events
    /// before the first FORMAT_DESCRIPTION are built so.
    pub fn new(file: impl Into<String>, position: u64, checksum: Checksum) -> Self {
        let last = (position, position, EventKind::FORMAT_DESCRIPTION);
        Self { file: file.into(), position, format: Format::before(checksum), last }
    }

    /// The file that the last event is in.
    pub fn file(&self) -> &str {
        &self.file
    }

    /// Where the next event starts.
    pub fn position(&self) -> u64 {
        self.position
    }

    /// Where the event that was read last starts, as `file:position`, for messages.
    pub fn at(&self) -> String {
        format!("{}:{}", self.file, self.last.0)
    }

    /// Where the event that was read last starts.
    pub fn last_start(&self) -> u64 {
        self.last.0
    }

    /// How events are built.
    pub fn format(&self) -> &Format {
        &self.format
    }

    /// The error of the event that was read last.
    pub fn error(&self, fault: Fault) -> BinlogError {
        BinlogError { file: self.file.as_str().into(), position: self.last.0, event: self.last.2, fault }
    }

    /// Reads an event: all its bytes, from the header to the checksum. `base` is where they begin in the batch's buffer,
    /// which spans of cells count from.
    ///
    /// # Errors
    /// When the checksum is wrong, the event cannot be read, or it is unknown and not marked as one to pass over.
    pub fn event<'a>(&mut self, bytes: &'a [u8], base: u32) -> Result<Event<'a>, BinlogError> {
        let header = self.header(bytes)?;
        // A FORMAT_DESCRIPTION says itself how it is protected.
        let own =
            (header.kind == EventKind::FORMAT_DESCRIPTION).then(|| Format::parse(&bytes[HEADER_LEN..])).transpose();
        let own = own.map_err(|fault| self.error(fault))?;
        let checksum = own.as_ref().unwrap_or(&self.format).checksum;
        let body = checked(bytes, checksum).map_err(|fault| self.error(fault))?;
        if let Some(format) = own {
            self.format = format;
        }
        self.finish(header, body, base)
    }

    /// Reads an event of a compressed transaction, after the TRANSACTION_PAYLOAD was read by [`Reader::event`].
    ///
    /// # Errors
    /// As [`Reader::event`], and when the event is one that no transaction has.
    pub fn inner<'a>(&mut self, bytes: &'a [u8], base: u32) -> Result<Event<'a>, BinlogError> {
        let (start, end, _) = self.last;
        let Some(header) = Header::parse(bytes) else { return Err(self.error(Fault::Short("the header"))) };
        self.last = (start, end, header.kind);
        let outer = [EventKind::TRANSACTION_PAYLOAD, EventKind::FORMAT_DESCRIPTION, EventKind::ROTATE];
        if outer.contains(&header.kind) {
            return Err(self.error(Fault::Malformed("there is no such event inside of a compressed transaction")));
        }
        if header.length as usize != bytes.len() {
            return Err(self.error(Fault::Malformed("the event has another length than its header says")));
        }
        self.finish(header, &bytes[HEADER_LEN..], base)
    }

    /// Reads the header, and moves the position.
    fn header(&mut self, bytes: &[u8]) -> Result<Header, BinlogError> {
        let here = (self.position, self.position);
        let Some(header) = Header::parse(bytes) else {
            self.last = (here.0, here.1, EventKind(0));
            return Err(self.error(Fault::Short("the header")));
        };
        let in_file = !header.artificial()
            && header.next_position != 0
            && ![EventKind::HEARTBEAT, EventKind::HEARTBEAT_V2].contains(&header.kind);
        let (start, end) = if in_file {
            let end = widen(self.position, header.next_position);
            (end.saturating_sub(u64::from(header.length)), end)
        } else {
            here
        };
        self.last = (start, end, header.kind);
        if header.length as usize != bytes.len() {
            return Err(self.error(Fault::Malformed("the event has another length than its header says")));
        }
        self.position = end;
        Ok(header)
    }

    fn finish<'a>(&mut self, header: Header, body: &'a [u8], base: u32) -> Result<Event<'a>, BinlogError> {
        let (start, end, _) = self.last;
        let at = base.saturating_add(HEADER_LEN as u32);
        let body = self.body(&header, body, at).map_err(|fault| self.error(fault))?;
        if let Body::Rotate(rotate) = &body {
            self.file.clear();
            self.file.push_str(rotate.file);
            self.position = rotate.position;
        }
        Ok(Event { header, start, end, body })
    }

    fn body<'a>(&self, header: &Header, body: &'a [u8], at: u32) -> Result<Body<'a>, Fault> {
        use EventKind as K;
        let kind = header.kind;
        if let Some(rows) = Rows::parse(body, at, kind, &self.format) {
            return rows.map(Body::Rows);
        }
        Ok(match kind {
            K::FORMAT_DESCRIPTION => Body::FormatDescription,
            K::ROTATE => Body::Rotate(Rotate::parse(body)?),
            K::STOP => Body::Stop,
            K::HEARTBEAT => {
                let position = Some(widen(self.position, header.next_position));
                Body::Heartbeat(Heartbeat { position, ..Heartbeat::parse(body)? })
            }
            K::HEARTBEAT_V2 => Body::Heartbeat(Heartbeat::parse_v2(body)?),
            K::INCIDENT => Body::Incident(Incident::parse(body)?),
            K::QUERY | K::QUERY_COMPRESSED => Body::Query(Query::parse(body, kind, &self.format)?),
            K::TABLE_MAP => Body::TableMap(TableMap::parse(body, &self.format)?),
            K::XID => Body::Xid(super::cursor::Cursor::new(body).u64("the number")?),
            K::GTID => Body::Gtid(GtidEvent::parse(body, kind)?),
            K::ANONYMOUS_GTID => Body::AnonymousGtid(GtidEvent::parse(body, kind)?),
            K::GTID_TAGGED => Body::Gtid(GtidEvent::parse_tagged(body)?),
            K::PREVIOUS_GTIDS => Body::PreviousGtids(body),
            K::ROWS_QUERY | K::ANNOTATE_ROWS => Body::RowsQuery(statement(body, kind, &self.format)?),
            K::TRANSACTION_PAYLOAD => Body::Payload(Payload::parse(body)?),
            K::XA_PREPARE => Body::XaPrepare(XaPrepare::parse(body)?),
            K::VIEW_CHANGE => Body::ViewChange,
            K::MARIADB_GTID => Body::MariaGtid(MariaGtidEvent::parse(body)?),
            K::MARIADB_GTID_LIST => Body::MariaGtidList(gtid_list(body)?),
            K::BINLOG_CHECKPOINT => Body::BinlogCheckpoint(checkpoint(body)?),
            K::START_ENCRYPTION => Body::StartEncryption(StartEncryption::parse(body)?),
            // Statement-based replication needs these, a reader of rows does not.
            K::INTVAR
            | K::RAND
            | K::USER_VAR
            | K::LOAD
            | K::CREATE_FILE
            | K::APPEND_BLOCK
            | K::EXEC_LOAD
            | K::DELETE_FILE
            | K::NEW_LOAD
            | K::BEGIN_LOAD_QUERY
            | K::EXECUTE_LOAD_QUERY => Body::Ignored,
            K::IGNORABLE | K::TRANSACTION_CONTEXT => Body::Ignored,
            _ if header.ignorable() => Body::Ignored,
            _ => return Err(Fault::Unknown),
        })
    }
}

/// The bytes between the header and the checksum, once the checksum is verified.
fn checked(bytes: &[u8], checksum: Checksum) -> Result<&[u8], Fault> {
    let end = bytes.len().checked_sub(checksum.len()).filter(|end| *end >= HEADER_LEN);
    let (covered, found) = bytes.split_at(end.ok_or(Fault::Short("the checksum"))?);
    if let Ok(found) = <[u8; 4]>::try_from(found) {
        let found = u32::from_le_bytes(found);
        let computed = crc32fast::hash(covered);
        if found != computed {
            return Err(Fault::Checksum { found, computed });
        }
    }
    Ok(&covered[HEADER_LEN..])
}
