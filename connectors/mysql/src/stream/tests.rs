#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use bytes::BytesMut;
use record::{Batch, Change, Item, Op, Position, Value};
use relational::{Changes, Wanted};
use settings::Properties;

use super::decoder::{Context, Decoder, Options, Step};
use super::place::Place;
use super::rows::{Taken, needs_room};
use super::xa::{KEPT_BYTES, Prepared};
use super::{Executed, Resume};
use crate::Flavour;
use crate::binlog::{Body, Checksum, Header, Reader};
use crate::config::MySqlConfig;
use crate::ddl::{Catalog, Dialect, Query, Rules};
use crate::error::Error;
use crate::gtid::{MariaSet, MySqlSet, Source};
use crate::plugin::VERSION;
use crate::position::{Stored, from_offset, to_offset, transaction_id};
use crate::tables::Tables;

mod computed;
mod doubts;
mod identities;
mod offsets;
mod older;
mod restarts;
mod speed;
mod statements;

const FILE: &str = "b.7";

/// How positions are kept.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Gtid,
    File,
}

/// A recorded binlog, read as a server with that file would send it.
#[derive(Clone, Copy)]
struct Log {
    flavour: Flavour,
    bytes: &'static [u8],
    by: By,
}

/// The conditions of a reading.
#[derive(Clone, Copy)]
struct Given {
    /// Behind each statement there is one that puts all tables in doubt.
    doubts: bool,
    /// At most so many bytes of prepared XA transactions are kept.
    kept_bytes: usize,
}

/// Where a reader goes on.
#[derive(Clone)]
struct From {
    stored: Stored,
    catalog: Catalog,
}

/// An item of a batch.
struct Seen {
    /// `c t 1`: operation, table and key of a change; empty for a position.
    text: String,
    /// As it is stored, without the time.
    offset: String,
    /// The values of a changed row.
    values: Vec<Value>,
    position: Position,
    from: From,
}

impl Log {
    fn start(self) -> From {
        let gtids = (self.by == By::Gtid).then(|| self.before().unwrap_or_default());
        let stored = Stored {
            file: FILE.into(),
            pos: 4,
            gtids,
            events: 0,
            rows: 0,
            server_id: None,
            ts_s: None,
            is_copying: false,
        };
        let dialect = Dialect::new(self.flavour);
        From { stored, catalog: Catalog::new(Rules { dialect, comments: false, lower_case_table_names: 0 }) }
    }

    /// The ids in earlier files.
    fn before(self) -> Option<String> {
        let mut reader = Reader::new(FILE, 4, Checksum::None);
        self.events().find_map(|event| match reader.event(event, 0).unwrap().body {
            Body::PreviousGtids(set) => Some(MySqlSet::decode(set).unwrap().to_string()),
            Body::MariaGtidList(list) => {
                Some(list.iter().map(|(d, s, n)| format!("{d}-{s}-{n}")).collect::<Vec<_>>().join(","))
            }
            _ => None,
        })
    }

    fn events(self) -> impl Iterator<Item = &'static [u8]> {
        let mut rest = &self.bytes[4..];
        std::iter::from_fn(move || {
            let (event, behind) = rest.split_at(Header::parse(rest)?.length as usize);
            rest = behind;
            Some(event)
        })
    }

    /// The events that a server sends to a reader that goes on there.
    fn sent(self, stored: &Stored) -> Vec<&'static [u8]> {
        let mut reader = Reader::new(FILE, 4, Checksum::None);
        let (mut sent, mut has) = (Vec::new(), false);
        let gtids = stored.gtids.clone().unwrap_or_default();
        for bytes in self.events() {
            let event = reader.event(bytes, 0).unwrap();
            match &event.body {
                Body::Gtid(id) => {
                    let source = Source { uuid: id.uuid, tag: id.tag };
                    has = gtids.parse::<MySqlSet>().unwrap().has(&source, id.number);
                }
                Body::MariaGtid(id) => {
                    let set: MariaSet = gtids.parse().unwrap();
                    has = set.entries().iter().any(|e| e.domain == id.domain && id.sequence <= e.sequence);
                }
                _ => {}
            }
            let is_before = if self.by == By::Gtid { has } else { stored.file != FILE || event.start < stored.pos };
            if event.body == Body::FormatDescription || !is_before {
                sent.push(bytes);
            }
        }
        sent
    }

    /// Reads to the end.
    fn read(self, from: &From, settings: &[(&str, &str)]) -> Result<Vec<Seen>, Error> {
        self.read_as(from, settings, Given { doubts: false, kept_bytes: KEPT_BYTES })
    }

    /// Reads to the end, under these conditions.
    fn read_as(self, from: &From, settings: &[(&str, &str)], given: Given) -> Result<Vec<Seen>, Error> {
        let (mut decoder, mut tables, mut run) = self.reader(from, settings, given);
        for event in self.sent(&from.stored) {
            let start = run.buffer.len();
            run.buffer.extend_from_slice(event);
            run.event(&mut decoder, &mut tables, start..start + event.len(), false)?;
        }
        Ok(run.seen)
    }

    fn reader(self, from: &From, settings: &[(&str, &str)], given: Given) -> (Decoder, Tables, Run) {
        const BASE: [(&str, &str); 5] = [
            ("topic.prefix", "t"),
            ("database.hostname", "h"),
            ("database.user", "u"),
            ("database.password", "p"),
            ("database.server.id", "7"),
        ];
        let properties: Properties = BASE.iter().chain(settings).copied().collect();
        let config = MySqlConfig::read(self.flavour, &properties).unwrap();
        let tables = Tables::new(&config, VERSION).unwrap();
        let stored = &from.stored;
        let executed = match (&stored.gtids, self.flavour) {
            (None, _) => Executed::NONE,
            (Some(set), Flavour::MySql) => Executed::mysql(set.parse().unwrap()),
            (Some(set), Flavour::MariaDb) => Executed::mariadb(set.parse().unwrap()),
        };
        let wanted = Wanted { moves_as_update: true, ..config.events.wanted() };
        let changes = Changes::new(wanted, Tables::transaction_topic(&config), transaction_id).counted(super::counts);
        let sources = Some(config.binlog.sources.clone()).filter(|sources| !sources.keeps_all());
        let options =
            Options { with_query: false, unknown_table: config.binlog.unknown_table, held_events: 0, sources };
        let resume = Resume::new(stored.events, stored.rows, None);
        let reader = Reader::new(FILE, 4, Checksum::None);
        let mut decoder = Decoder::new(reader, Place::new(stored, executed), changes, options, resume);
        decoder.prepared = Prepared::up_to(given.kept_bytes);
        let run = Run {
            doubts: given.doubts,
            start: from.clone(),
            catalog: from.catalog.clone(),
            seen: Vec::new(),
            batch: Batch::default(),
            buffer: BytesMut::new(),
        };
        (decoder, tables, run)
    }
}

/// What a reader has read.
struct Run {
    doubts: bool,
    start: From,
    catalog: Catalog,
    seen: Vec<Seen>,
    batch: Batch,
    buffer: BytesMut,
}

impl Run {
    fn event(
        &mut self,
        decoder: &mut Decoder,
        tables: &mut Tables,
        range: std::ops::Range<usize>,
        is_inner: bool,
    ) -> Result<(), Error> {
        let mut context = Context { tables, catalog: &self.catalog };
        let batch = &mut self.batch;
        if needs_room(&self.buffer[range.clone()]) && !decoder.is_keeping() {
            let taken = decoder.event_apart(&mut self.buffer, range.clone(), is_inner, batch, &mut context)?;
            if let Taken::InDoubt(number) = taken {
                self.find_out(decoder, number);
                return self.event(decoder, tables, range, is_inner);
            }
            self.take();
            return Ok(());
        }
        match decoder.event(&self.buffer, range.clone(), is_inner, batch, &mut context)? {
            Step::Done => {}
            Step::InDoubt(number) => {
                self.find_out(decoder, number);
                return self.event(decoder, tables, range, is_inner);
            }
            Step::Statement(statement) => {
                let query =
                    Query { text: &statement.text, database: &statement.database, sql_mode: statement.sql_mode };
                self.catalog.apply(&query);
                if self.doubts {
                    self.catalog.apply(&Query { text: "RENAME TABLE 5", database: "", sql_mode: None });
                }
                decoder.applied(&statement, &mut self.batch);
            }
            Step::Payload(mut payload) => {
                while let Some(range) = payload.next(&mut self.buffer).unwrap() {
                    self.event(decoder, tables, range, true)?;
                }
                decoder.unpacked();
            }
            Step::Kept(mut kept) => {
                while let Some(range) = kept.next(&mut self.buffer) {
                    self.event(decoder, tables, range, true)?;
                }
                decoder.unkept(&mut self.batch);
            }
        }
        self.take();
        Ok(())
    }

    /// Takes what the binlog says of a table that is in doubt, or what was known of it.
    fn find_out(&mut self, decoder: &Decoder, number: u64) {
        let announced = decoder.in_doubt(number).unwrap();
        let old = self.catalog.table(&announced.id).map(|table| &**table);
        let rebuilt = || announced.rebuilt(old, None, self.catalog.rules().dialect.flavour).unwrap();
        let table = if announced.has_names() { rebuilt() } else { old.unwrap().clone() };
        let (text, from) = (format!("found {}", table.id.table), self.start.clone());
        let seen = Seen { text, offset: String::new(), values: Vec::new(), position: Position::UNKNOWN, from };
        self.seen.push(seen);
        self.catalog.put(table.into());
    }

    /// Takes the items out of the batch.
    fn take(&mut self) {
        let items = std::mem::take(&mut self.batch.items);
        for item in items {
            let (text, position) = match &item {
                Item::Change(change) => (self.shown(change), change.position.clone()),
                Item::Position(position) => (String::new(), position.clone()),
                Item::Event(event) => match &event.position {
                    Some(position) => ("END".to_owned(), position.clone()),
                    None => continue,
                },
            };
            let from = From { stored: from_offset(&to_offset(&position)).unwrap(), catalog: self.catalog.clone() };
            // The two halves of a change of the key are delivered together.
            let is_half = matches!(&item, Item::Change(change) if !change.last);
            let offset = if is_half { String::new() } else { shown_offset(&position) };
            let values = if let Item::Change(change) = &item { self.values(change) } else { Vec::new() };
            self.seen.push(Seen { text, offset, values, position, from });
        }
    }

    /// The values of a row; none if the event lacks some.
    fn values(&self, change: &Change) -> Vec<Value> {
        let mut values = Vec::new();
        let cells = self.batch.cells(change.after.or(change.before).unwrap());
        let decoded = self.batch.shapes[usize::from(change.shape)].decode.row(&self.buffer, cells, &mut values);
        decoded.map(|()| values.iter().map(record::ValueRef::to_value).collect()).unwrap_or_default()
    }

    fn shown(&self, change: &Change) -> String {
        let op = match change.op {
            Op::Create => 'c',
            Op::Update => 'u',
            Op::Delete => 'd',
            _ => '?',
        };
        let row = change.after.or(change.before).unwrap();
        let key = self.batch.cells(row)[0].bytes(&self.buffer);
        let key = key.map(|bytes| i32::from_le_bytes(bytes.try_into().unwrap())).unwrap_or_default();
        let table = &self.batch.shapes[usize::from(change.shape)].table;
        format!("{op} {} {key}", table.rsplit('.').next().unwrap())
    }
}

/// An offset without its time; a server's UUID is `U`.
fn shown_offset(position: &Position) -> String {
    let mut offset = to_offset(position);
    offset.remove("ts_sec");
    offset.remove("server_id");
    if let Some(gtids) = offset.get_mut("gtids") {
        let text = gtids.as_str().unwrap();
        *gtids = text.split_once(':').map_or(text.to_owned(), |(_, numbers)| format!("U:{numbers}")).into();
    }
    let parts = offset.iter().map(|(key, value)| format!("{key}={}", value.to_string().trim_matches('"')));
    parts.collect::<Vec<_>>().join(" ")
}

/// The changes, in their order.
fn texts(seen: &[Seen]) -> Vec<&str> {
    seen.iter().map(|seen| seen.text.as_str()).filter(|text| !text.is_empty()).collect()
}

const MYSQL_XA: &[u8] = include_bytes!("../../tests/binlog/mysql-xa.binlog");
const MARIADB_XA: &[u8] = include_bytes!("../../tests/binlog/mariadb-xa.binlog");
const MYSQL_IMAGES: &[u8] = include_bytes!("../../tests/binlog/mysql-images.binlog");
const MYSQL_COMPRESSED: &[u8] = include_bytes!("../../tests/binlog/mysql-compressed.binlog");
const MYSQL_DOUBT: &[u8] = include_bytes!("../../tests/binlog/mysql-doubt.binlog");
const MARIADB_DOUBT: &[u8] = include_bytes!("../../tests/binlog/mariadb-doubt.binlog");
const MARIADB_HIDDEN: &[u8] = include_bytes!("../../tests/binlog/mariadb-hidden.binlog");
const MARIADB_COMPUTED: &[u8] = include_bytes!("../../tests/binlog/mariadb-computed.binlog");
const MYSQL_TWO_TABLES: &[u8] = include_bytes!("../../tests/binlog/mysql-two-tables.binlog");
const MARIADB_SERVERS: &[u8] = include_bytes!("../../tests/binlog/mariadb-servers.binlog");
const MARIADB_COMPRESSED: &[u8] = include_bytes!("../../tests/binlog/mariadb-compressed.binlog");

fn mysql(bytes: &'static [u8], by: By) -> Log {
    Log { flavour: Flavour::MySql, bytes, by }
}

fn mariadb(bytes: &'static [u8], by: By) -> Log {
    Log { flavour: Flavour::MariaDb, bytes, by }
}
