//! What the rest of the binlog says about tables: where the last statement about each stands, as far as was read.
//!
//! Purpose: it is read once for all tables that are in doubt. What the stream then passes needs no second look, and a later
//! question reads only what has been written since.
//!
//! Must not know: rows, what a statement does to a table, how a table is now.

use std::collections::HashMap;

use relational::Outlet;

use super::statement::{Kind, kind_of, text_of};
use super::walk::{Found, Inner, Walk, unpack};
use crate::binlog::{BinlogError, Body, Checksum, EventKind, Query as Logged, Reader};
use crate::ddl::{Catalog, Query, Touched};
use crate::error::Error;
use crate::model::TableId;
use crate::sql::BinlogStatus;
use crate::wire::{ConnectOptions, Identity};

/// So far ahead of the stream the binlog is read. A connector that is further behind is not about to catch up.
pub(super) const MOST_BYTES: u64 = 256 << 20;
/// So many names are remembered. Beyond that, a statement about another table counts as one about any.
const MOST_NAMES: usize = 100_000;
/// The events that may hold a statement.
const STATEMENTS: [EventKind; 2] = [EventKind::QUERY, EventKind::QUERY_COMPRESSED];

/// A place of the binlog: the number of its file among those that were read, and where in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Spot {
    file: usize,
    position: u64,
}

/// A file, and how many bytes of the binlog were before it, counted from where the reading began.
#[derive(Debug)]
struct File {
    name: String,
    before: u64,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Ahead {
    /// Whose binlog it is.
    server: Identity,
    files: Vec<File>,
    /// Where the reading began in the first file.
    from: u64,
    /// Up to where it was read.
    reader: Reader,
    tables: HashMap<TableId, Spot>,
    databases: HashMap<String, Spot>,
    any: Option<Spot>,
}

/// Why the reading did not come to the end of the binlog.
pub(super) enum Failed {
    Error(Box<Error>),
    /// What the server cannot tell, and why.
    Untold(String),
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self::Error(Box::new(error))
    }
}

impl From<BinlogError> for Failed {
    fn from(error: BinlogError) -> Self {
        Error::from(error).into()
    }
}

impl Ahead {
    /// Nothing is read yet behind this place.
    pub(super) fn new(server: Identity, file: &str, position: u64) -> Self {
        Self {
            server,
            files: vec![File { name: file.to_owned(), before: 0 }],
            from: position,
            reader: Reader::new(file, position, Checksum::None),
            tables: HashMap::new(),
            databases: HashMap::new(),
            any: None,
        }
    }

    /// Whose binlog it is.
    pub(super) fn server(&self) -> &Identity {
        &self.server
    }

    /// The place, if it is one between where the reading began and where it ended.
    pub(super) fn spot(&self, file: &str, position: u64) -> Option<Spot> {
        let spot = Spot { file: self.files.iter().position(|read| read.name == file)?, position };
        (Spot { file: 0, position: self.from } <= spot && spot <= self.here()).then_some(spot)
    }

    /// Up to where it was read.
    fn here(&self) -> Spot {
        Spot { file: self.files.len() - 1, position: self.reader.position() }
    }

    /// Whether the binlog was read up to where it ended then.
    fn is_at(&self, end: &BinlogStatus) -> bool {
        self.reader.file() == end.file && self.reader.position() >= end.position
    }

    /// `file:position`, for messages.
    pub(super) fn shown(&self, spot: Spot) -> String {
        let name = self.files.get(spot.file).map(|file| file.name.as_str()).unwrap_or_default();
        format!("{name}:{}", spot.position)
    }

    /// Where the last statement stands that is, or may be, about the table, whose name is folded; none if all such stand
    /// before `from`.
    pub(super) fn last(&self, table: &TableId, from: Spot) -> Option<Spot> {
        let of_database = self.databases.get(&*table.database);
        let last = [self.tables.get(table), of_database, self.any.as_ref()].into_iter().flatten().max()?;
        (*last >= from).then_some(*last)
    }

    /// The bytes of the binlog between a place and where was read.
    fn bytes_behind(&self, spot: Spot) -> u64 {
        let count = |spot: Spot| self.files.get(spot.file).map_or(0, |file| file.before + spot.position);
        count(self.here()).saturating_sub(count(spot))
    }

    /// Reads on, up to where the binlog ends.
    ///
    /// # Errors
    /// What the connection fails of, and why the end is not reached.
    pub(super) async fn read(
        &mut self,
        options: &ConnectOptions,
        from: Spot,
        end: &BinlogStatus,
        catalog: &Catalog,
        outlet: &Outlet,
    ) -> Result<(), Failed> {
        if self.is_at(end) {
            return Ok(());
        }
        let here = (self.reader.file(), self.reader.position());
        let mut walk = Walk::from(options, here, outlet).await?;
        same(&self.server, walk.identity())?;
        self.reader = Reader::new(here.0, here.1, walk.checksum());
        while !self.is_at(end) {
            let left = MOST_BYTES.saturating_sub(self.bytes_behind(from));
            match walk.next(left).await? {
                Found::Event(event) if left > 0 => self.event(event, catalog, outlet).await?,
                Found::Event(_) | Found::TooLarge => {
                    let most = MOST_BYTES >> 20;
                    return Err(Failed::Untold(format!("the connector is more than {most} MiB behind the server")));
                }
                Found::End => break,
            }
        }
        walk.close().await;
        Ok(())
    }

    /// Takes an event, and what statements it has.
    async fn event(&mut self, bytes: &[u8], catalog: &Catalog, outlet: &Outlet) -> Result<(), Failed> {
        let ended = self.here();
        let event = self.reader.event(bytes, 0)?;
        let spot = Spot { file: ended.file, position: event.start };
        match event.body {
            Body::Query(query) => self.statement(&query, spot, catalog),
            Body::Payload(payload) => {
                let reader = self.reader.clone();
                let take = |inner: Inner<'_>| match inner {
                    Inner::Read(Body::Query(query)) => self.statement(&query, spot, catalog),
                    Inner::Read(_) => {}
                    Inner::TooLarge => self.any = self.any.max(Some(spot)),
                };
                unpack(&reader, payload, &STATEMENTS, outlet, take).await?;
            }
            Body::Rotate(rotate) => {
                let last = self.files.last();
                if last.is_some_and(|file| file.name != rotate.file) {
                    let before = last.map_or(0, |file| file.before) + ended.position;
                    self.files.push(File { name: rotate.file.to_owned(), before });
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn statement(&mut self, logged: &Logged<'_>, spot: Spot, catalog: &Catalog) {
        let text = logged.statement.trim_ascii();
        if kind_of(text) != Kind::Other {
            return;
        }
        let text = text_of(text, &logged.status);
        let query = Query { text: &text, database: logged.database, sql_mode: logged.status.sql_mode };
        self.note(catalog.touched(&query), spot);
    }

    fn note(&mut self, touched: Touched, spot: Spot) {
        let Touched { tables, databases, mut any } = touched;
        for table in tables {
            if self.tables.len() < MOST_NAMES || self.tables.contains_key(&table) {
                self.tables.insert(table, spot);
            } else {
                any = true;
            }
        }
        self.databases.extend(databases.into_iter().map(|name| (name, spot)));
        if any {
            self.any = Some(spot);
        }
    }
}

/// Whether it is the server from which the stream comes.
pub(super) fn same(stream: &Identity, other: &Identity) -> Result<(), Failed> {
    match stream.differs(other) {
        None => Ok(()),
        Some(differs) => Err(Failed::Untold(format!(
            "another server answers than the one whose binlog is followed ({differs}): database.hostname leads to several servers, \
             as through a load balancer"
        ))),
    }
}
