//! Binlogs that older servers wrote, followed event by event. At each point where the server was asked what its tables hold,
//! the rows that the events have left must be what it answered.
//!
//! `tests/older/record.sh` says how they were recorded, and from which servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

use std::collections::BTreeMap;
use std::path::Path;

use bytes::BytesMut;
use mysql::Flavour;
use mysql::binlog::{Body, Checksum, Header, Layout, Reader, RowsKind, Side};
use mysql::ddl::{Catalog, Dialect, Query, Rules};
use mysql::model::{ChangeKind, Table, TableId};
use mysql::types::{ColumnCodec, Modes, column_codec, plan};
use record::{RowRef, Span, Value};

/// The values of a row by the names of its columns.
type Row = BTreeMap<String, Value>;

/// What the server answered at one point: the table, where its binlog then ended, and the rows (none: NULL).
struct Look {
    table: String,
    position: u64,
    rows: Vec<Vec<(String, Option<String>)>>,
}

fn looks(text: &str) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    let rows = text.split("row\n").skip(1).map(|row| {
        row.lines().map(|line| line.split_once('=').map_or((line, None), |(name, value)| (name, Some(value))))
    });
    for row in rows {
        let row: Vec<_> = row.map(|(name, value)| (name.to_owned(), value.map(str::to_owned))).collect();
        let value = |name: &str| row.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.clone());
        if let (Some(table), 1) = (value("look"), row.len()) {
            looks.push(Look { table, position: 0, rows: Vec::new() });
        } else if let Some(position) = value("Position") {
            looks.last_mut().unwrap().position = position.parse().unwrap();
        } else {
            looks.last_mut().unwrap().rows.push(row);
        }
    }
    looks
}

/// A cell as the server's client printed it; bytes are in hexadecimal.
fn printed(text: &str) -> Vec<u8> {
    match text.strip_prefix("0x") {
        Some(digits) => (0..digits.len() / 2).map(|i| u8::from_str_radix(&digits[2 * i..][..2], 16).unwrap()).collect(),
        None => text.as_bytes().to_vec(),
    }
}

/// The value without what differs between a query and the binlog on purpose: the zeros at the end of a second's fraction in
/// a TIMESTAMP and in JSON, and the blanks that the server prints between the members of JSON.
fn alike(codec: &ColumnCodec, value: Value) -> Value {
    match (codec.schema.name.as_deref(), value) {
        (Some("io.debezium.time.ZonedTimestamp"), Value::Text(text)) if text.contains('.') => {
            Value::Text(format!("{}Z", text.trim_end_matches('Z').trim_end_matches('0').trim_end_matches('.')))
        }
        (Some("io.debezium.data.Json"), Value::Text(text)) => {
            Value::Text(text.replace(": ", ":").replace(", ", ",").replace(".000000", ""))
        }
        (_, value) => value,
    }
}

fn read(codec: &ColumnCodec, raw: Option<&[u8]>) -> Value {
    let Some(raw) = raw else { return codec.shown_for_null().clone() };
    let value = codec.read(raw).unwrap_or_else(|error| panic!("{}: {raw:02x?}: {error:?}", codec.name)).to_value();
    alike(codec, value)
}

/// The tables as the events up to here left them.
struct Replica {
    flavour: Flavour,
    catalog: Catalog,
    /// Tables of the database `older`: the rows by their key.
    tables: BTreeMap<String, BTreeMap<String, Row>>,
    /// Names of the columns whose value an image left out.
    left_out: usize,
}

impl Replica {
    fn new(flavour: Flavour) -> Self {
        let rules = Rules { dialect: Dialect::new(flavour), comments: false, lower_case_table_names: 0 };
        Self { flavour, catalog: Catalog::new(rules), tables: BTreeMap::new(), left_out: 0 }
    }

    fn table(&self, name: &str) -> std::sync::Arc<Table> {
        let id = TableId { database: "older".into(), table: name.into() };
        self.catalog.table(&id).cloned().unwrap_or_else(|| panic!("no statement has made {name}"))
    }

    fn statement(&mut self, query: &mysql::binlog::Query<'_>) {
        let text = String::from_utf8_lossy(&query.statement);
        let query = Query { text: &text, database: query.database, sql_mode: query.status.sql_mode };
        let before: BTreeMap<TableId, _> =
            self.catalog.tables().map(|table| (table.id.clone(), table.clone())).collect();
        let outcome = self.catalog.apply(&query);
        assert_eq!(outcome.not_understood, None, "{text}");
        if let Some(id) = outcome.truncated {
            self.tables.insert(id.table.to_string(), BTreeMap::new());
        }
        for change in outcome.records.iter().flat_map(|record| &record.changes) {
            let previous = change.previous.as_ref().unwrap_or(&change.id);
            let mut rows = self.tables.remove(&*previous.table).unwrap_or_default();
            if let (ChangeKind::Alter, Some(new)) = (change.kind, &change.table) {
                // What became of a value whose column was altered is not followed: the next image of the row shows it.
                let old = before.get(previous).expect("a table that is altered was there");
                let stays = |name: &str| old.column(name).is_some_and(|column| new.column(name) == Some(column));
                for row in rows.values_mut() {
                    row.retain(|name, _| stays(name));
                }
            }
            if change.kind != ChangeKind::Drop {
                self.tables.insert(change.id.table.to_string(), rows);
            }
        }
    }

    /// The columns' codecs for text, or for the binlog with this layout.
    fn codecs(&self, table: &Table, layout: Option<&Layout>) -> Vec<ColumnCodec> {
        let modes = Modes::default();
        let of = |(i, column)| {
            let planned = plan(&table.id, column, self.flavour, &modes).expect("a known type");
            let codec = column_codec(column, &planned, &modes);
            match layout {
                Some(layout) => codec.of_log(layout.columns()[i]).unwrap_or_else(|e| panic!("{e:?}")),
                None => codec,
            }
        };
        table.columns.iter().enumerate().map(of).collect()
    }

    /// Values of the cells that an image has.
    fn image(codecs: &[ColumnCodec], spans: &[Span], buffer: &[u8]) -> Row {
        assert_eq!(codecs.len(), spans.len());
        let present = codecs.iter().zip(spans).filter(|(_, span)| **span != Span::MISSING);
        present.map(|(codec, span)| (codec.name.to_string(), read(codec, span.bytes(buffer)))).collect()
    }

    fn key(table: &Table, image: &Row) -> String {
        table.primary_key.iter().map(|name| format!("{:?}", image[&**name])).collect::<Vec<_>>().join("/")
    }

    fn change(&mut self, table: &Table, kind: RowsKind, before: Option<&Row>, after: Option<Row>) {
        let name = &table.id;
        let rows = self.tables.get_mut(&*table.id.table).expect("the table's rows");
        let old = before.map(|before| {
            let old = rows.remove(&Self::key(table, before)).unwrap_or_else(|| panic!("{name}: no row for {before:?}"));
            for (column, known) in &old {
                let shown = before.get(column).unwrap_or(known);
                assert_eq!(shown, known, "{name}.{column} before the change");
            }
            self.left_out += table.columns.len() - before.len();
            old
        });
        if let Some(after) = after {
            self.left_out += table.columns.len() - after.len();
            // What a shortened image of an insert leaves out is the column's default; of an update, it is what it was.
            let mut row = match (old, kind) {
                (Some(old), RowsKind::Update) => old,
                _ => self.codecs_defaults(table),
            };
            row.extend(after);
            let key = Self::key(table, &row);
            let rows = self.tables.get_mut(&*table.id.table).expect("the table's rows");
            assert!(rows.insert(key, row).is_none(), "{name}: a row with this key was there");
        }
    }

    fn codecs_defaults(&self, table: &Table) -> Row {
        let codecs = self.codecs(table, None);
        codecs
            .iter()
            .map(|codec| {
                let default = codec.schema.default.clone().unwrap_or_else(|| codec.shown_for_null().clone());
                (codec.name.to_string(), default)
            })
            .collect()
    }

    fn holds(&self, look: &Look, name: &str) {
        let table = self.table(&look.table);
        let codecs = self.codecs(&table, None);
        let rows: Vec<&Row> = self.tables[&look.table].values().collect();
        let where_ = format!("{name}: {} at {}", look.table, look.position);
        assert_eq!(rows.len(), look.rows.len(), "{where_}: rows");
        for answered in &look.rows {
            assert_eq!(answered.len(), codecs.len(), "{where_}: columns");
            let expect: Row = answered
                .iter()
                .zip(&codecs)
                .map(|((column, text), codec)| {
                    assert_eq!(**column, *codec.name, "{where_}");
                    (column.clone(), read(codec, text.as_deref().map(printed).as_deref()))
                })
                .collect();
            let key = Self::key(&table, &expect);
            let found = self.tables[&look.table].get(&key).unwrap_or_else(|| panic!("{where_}: no row {key}"));
            for (column, value) in &expect {
                assert_eq!(found.get(column), Some(value), "{where_}: {column} of {key}");
            }
        }
    }
}

/// Follows a recorded binlog. Returns its checksums, whether its transactions have ids, and how many cells its images left out.
#[track_caller]
fn follow(flavour: Flavour, name: &str) -> (Checksum, bool, usize) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/older");
    let file = std::fs::read(folder.join(format!("{name}.binlog"))).unwrap();
    let looks = looks(&std::fs::read_to_string(folder.join(format!("{name}.rows"))).unwrap());
    assert!(looks.len() > 2 && looks.iter().all(|look| !look.rows.is_empty()), "{name}: nothing is compared");
    let mut pending = looks.iter().peekable();
    let mut replica = Replica::new(flavour);
    let mut reader = Reader::new("binlog.000002", 4, Checksum::None);
    let (mut known, mut has_ids) = (None, false);
    let mut position = 4;
    while position < file.len() {
        while let Some(look) = pending.next_if(|look| look.position == position as u64) {
            replica.holds(look, name);
        }
        let bytes = &file[position..position + Header::parse(&file[position..]).unwrap().length as usize];
        position += bytes.len();
        let event = reader.event(bytes, 0).unwrap_or_else(|error| panic!("{name}: {error}"));
        match event.body {
            Body::Query(query) => replica.statement(&query),
            Body::Gtid(_) | Body::MariaGtid(_) => has_ids = true,
            Body::TableMap(map) => {
                assert_eq!(map.database, "older");
                known = Some((map.table_id, map.table.to_owned(), map.layout().unwrap()));
            }
            Body::Rows(rows) => {
                let (id, table, layout) = known.as_ref().unwrap();
                let (mut spans, mut side, mut found) = (Vec::new(), Side::default(), Vec::new());
                rows.find(*id, layout, &mut spans, &mut side, |row| found.push(row)).unwrap();
                let mut buffer = BytesMut::from(bytes);
                side.settle(&mut buffer, &mut spans).unwrap();
                let table = replica.table(table);
                let codecs = replica.codecs(&table, Some(layout));
                let image = |row: RowRef| {
                    let spans = &spans[row.first as usize..row.first as usize + usize::from(row.count)];
                    Replica::image(&codecs, spans, &buffer)
                };
                for row in found {
                    replica.change(&table, rows.kind, row.before.map(image).as_ref(), row.after.map(image));
                }
            }
            _ => {}
        }
    }
    assert!(pending.next().is_none(), "{name}: an answer at a position where no event ends");
    (reader.format().checksum, has_ids, replica.left_out)
}

/// Both recordings of a server: what its `-full` one has, checksums and ids of transactions. The `-images` one has the other
/// choice of checksums (MySQL 5.5 has no choice), and images that leave columns out where the server can write them.
#[track_caller]
fn check(flavour: Flavour, server: &str, checksum: Checksum, ids: bool) {
    assert_eq!(follow(flavour, &format!("{server}-full")), (checksum, ids, 0), "{server}: what is recorded");
    let (other, has_ids, left_out) = follow(flavour, &format!("{server}-images"));
    let has_choices = server != "mysql-5.5.34";
    assert_eq!(other != checksum, has_choices, "{server}: {other:?}");
    assert_eq!(has_ids, flavour == Flavour::MariaDb, "{server}");
    assert_eq!(left_out > 0, has_choices, "{server}: {left_out} cells were left out");
}

#[test]
fn mysql_5_5() {
    check(Flavour::MySql, "mysql-5.5.34", Checksum::None, false);
}

#[test]
fn mysql_5_6() {
    check(Flavour::MySql, "mysql-5.6.14", Checksum::Crc32, true);
}

#[test]
fn mysql_5_7() {
    check(Flavour::MySql, "mysql-5.7.22", Checksum::Crc32, true);
}

#[test]
fn mysql_8_0_from_its_begin() {
    check(Flavour::MySql, "mysql-8.0.15", Checksum::Crc32, true);
}

#[test]
fn mysql_8_0_late() {
    check(Flavour::MySql, "mysql-8.0.33", Checksum::Crc32, true);
}

#[test]
fn mariadb_10_1() {
    check(Flavour::MariaDb, "mariadb-10.1.23", Checksum::None, true);
}

#[test]
fn mariadb_10_2() {
    check(Flavour::MariaDb, "mariadb-10.2.11", Checksum::Crc32, true);
}

#[test]
fn mariadb_10_5() {
    check(Flavour::MariaDb, "mariadb-10.5", Checksum::Crc32, true);
}

#[test]
fn mariadb_10_11() {
    check(Flavour::MariaDb, "mariadb-10.11.5", Checksum::Crc32, true);
}

#[test]
fn mariadb_11_4() {
    check(Flavour::MariaDb, "mariadb-11.4.5", Checksum::Crc32, true);
}

#[test]
fn mariadb_11_8() {
    check(Flavour::MariaDb, "mariadb-11.8", Checksum::Crc32, true);
}
