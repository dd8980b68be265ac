//! Recorded binlogs of real servers, decoded: each event and each cell as a line of text, compared with a kept one.
//!
//! `tests/binlog/record.sh` says how the binlogs were made. To keep new texts: `UPDATE_RECORDED=1 cargo test`; then read
//! the difference.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use std::fmt::Write as _;
use std::path::Path;

use bytes::{Bytes, BytesMut};
use mysql::Flavour;
use mysql::binlog::{Body, Checksum, Event, Layout, PayloadReader, Reader, Row, RowsKind, Side, TableMap, wire_type};
use mysql::gtid::MySqlSet;
use record::{RowRef, Span};

/// A cell: hexadecimal, or only its length and checksum if it is long; JSON as text.
fn cell(out: &mut String, kind: u8, span: Span, buffer: &[u8]) {
    let Some(bytes) = span.bytes(buffer) else {
        out.push_str(if span == Span::NULL { " -" } else { " ~" });
        return;
    };
    let mut text = Vec::new();
    if kind == wire_type::JSON && mysql::json::write_text(&mut text, bytes).is_ok() && text.len() < 300 {
        write!(out, " {}", String::from_utf8(text).unwrap()).unwrap();
    } else if bytes.len() > 40 {
        write!(out, " ({} bytes, crc {:08x})", bytes.len(), crc32fast::hash(bytes)).unwrap();
    } else {
        out.push(' ');
        for byte in bytes {
            write!(out, "{byte:02x}").unwrap();
        }
        if bytes.is_empty() {
            out.push('"');
        }
    }
}

/// What is known while a file is read.
#[derive(Default)]
struct Dump {
    flavour: Option<Flavour>,
    text: String,
    map: Option<(u64, Layout)>,
    signature: Vec<u8>,
    spans: Vec<Span>,
    side: Side,
    /// Rows whose cells are written when the batch is closed: the line before them, and the types of the columns.
    rows: Vec<(usize, &'static str, RowRef, Vec<u8>)>,
}

impl Dump {
    fn event(&mut self, reader: &Reader, event: &Event) {
        let at = (event.header.kind, event.start, event.end);
        write!(self.text, "{} {}-{}", at.0, at.1, at.2).unwrap();
        match &event.body {
            Body::FormatDescription => write!(self.text, " {:?}", reader.format().checksum).unwrap(),
            Body::TableMap(map) => self.table(map),
            Body::Rows(rows) => {
                let (id, layout) = self.map.as_ref().unwrap();
                write!(self.text, " {:?} end={} partition={:?}", rows.kind, rows.statement_end, rows.partition)
                    .unwrap();
                self.text.push('\n');
                let kinds: Vec<u8> = layout.columns().iter().map(|column| column.kind).collect();
                let place = self.text.len();
                let mut found = Vec::new();
                let result = rows.find(*id, layout, &mut self.spans, &mut self.side, |row: Row| found.push(row));
                assert!(found.iter().all(|row| row.before.is_none() == (rows.kind == RowsKind::Write)));
                for row in found {
                    let images = [("before", row.before), ("after", row.after)];
                    for (name, image) in images.into_iter().filter_map(|(name, image)| Some((name, image?))) {
                        self.rows.push((place, name, image, kinds.clone()));
                    }
                }
                if let Err(fault) = result {
                    write!(self.text, "  {}", reader.error(fault)).unwrap();
                } else {
                    return;
                }
            }
            Body::Query(query) => {
                let statement = String::from_utf8_lossy(&query.statement);
                let short: String =
                    statement.split_whitespace().collect::<Vec<_>>().join(" ").chars().take(60).collect();
                write!(self.text, " in {:?}: {short:?}", query.database).unwrap();
                if short != "BEGIN" {
                    write!(self.text, " {:?}", query.status).unwrap();
                }
            }
            Body::Gtid(gtid) => {
                let times = [gtid.original_commit_us, gtid.immediate_commit_us];
                let length = gtid.transaction_length;
                write!(self.text, " :{}:{} times={times:?} length={length:?}", gtid.tag, gtid.number).unwrap();
            }
            Body::PreviousGtids(bytes) => {
                let set = MySqlSet::decode(bytes).unwrap();
                let mut again = Vec::new();
                set.encode(&mut again);
                // Without tags the server may take either form.
                let tagged = set.sources().any(|(source, _)| !source.tag.is_none());
                assert!(!tagged || again == *bytes, "the encoding is the server's own");
                write!(self.text, " {}", set.to_string().get(36..).unwrap_or_default()).unwrap();
            }
            Body::RowsQuery(statement) => {
                let short: String = String::from_utf8_lossy(statement).chars().take(60).collect();
                write!(self.text, " {short:?}").unwrap();
            }
            Body::Payload(payload) => {
                write!(self.text, " {:?} {:?}", payload.compression, payload.uncompressed_len).unwrap();
            }
            Body::Ignored | Body::Stop | Body::ViewChange | Body::Xid(_) => {}
            body => write!(self.text, " {body:?}").unwrap(),
        }
        self.text.push('\n');
    }

    fn table(&mut self, map: &TableMap) {
        write!(self.text, " {}.{}", map.database, map.table).unwrap();
        let layout = map.layout().unwrap();
        // What has been written once is not written again.
        if self.signature == map.signature() {
            self.map = Some((map.table_id, layout));
            return;
        }
        self.signature = map.signature().to_vec();
        self.text.push('\n');
        let metadata = map.metadata(self.flavour.unwrap()).unwrap();
        for (i, (wire, column)) in layout.columns().iter().zip(&metadata.columns).enumerate() {
            let labels: Vec<_> = column.labels.iter().map(|label| String::from_utf8_lossy(label)).collect();
            let nullable = map.nullable.get(i);
            write!(self.text, "  {} {:#x} null={nullable} {:?}", wire.kind, wire.metadata, column.name).unwrap();
            let rest = (column.unsigned, column.collation, column.geometry, column.visible, column.dimensions);
            writeln!(self.text, " {rest:?} {labels:?}").unwrap();
        }
        write!(self.text, "  key {:?}", metadata.primary_key).unwrap();
        self.map = Some((map.table_id, layout));
    }

    /// Closes the batch: writes the rows behind the lines of their events.
    fn close(&mut self, mut buffer: BytesMut) {
        self.side.settle(&mut buffer, &mut self.spans).unwrap();
        for (place, name, row, kinds) in self.rows.drain(..).rev() {
            let mut line = format!("  {name}:");
            let spans = &self.spans[row.first as usize..row.first as usize + usize::from(row.count)];
            spans.iter().zip(kinds).for_each(|(span, kind)| cell(&mut line, kind, *span, &buffer));
            line.push('\n');
            self.text.insert_str(place, &line);
        }
        self.spans.clear();
    }
}

fn dump(file: &[u8], flavour: Flavour) -> String {
    let mut dump = Dump { flavour: Some(flavour), ..Dump::default() };
    assert_eq!(file[..4], *b"\xfebin");
    let mut reader = Reader::new("binlog.000001", 4, Checksum::None);
    let mut position = 4;
    while position < file.len() {
        let length = u32::from_le_bytes(file[position + 9..position + 13].try_into().unwrap()) as usize;
        let mut buffer = BytesMut::from(&file[position..position + length]);
        let event = reader.event(&file[position..position + length], 0).unwrap();
        assert_eq!((event.start, event.end), (position as u64, (position + length) as u64));
        dump.event(&reader, &event);
        if let Body::Payload(payload) = &event.body {
            let data = Bytes::copy_from_slice(payload.data);
            let mut payload = PayloadReader::new(payload.compression, payload.uncompressed_len, data).unwrap();
            buffer.clear();
            while let Some(range) = payload.next(&mut buffer).unwrap() {
                let event = reader.inner(&buffer[range.clone()], range.start as u32).unwrap();
                dump.event(&reader, &event);
            }
        }
        dump.close(buffer);
        position += length;
    }
    dump.text
}

#[track_caller]
fn check(name: &str) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/binlog");
    let flavour = if name.starts_with("mariadb") { Flavour::MariaDb } else { Flavour::MySql };
    let found = dump(&std::fs::read(folder.join(format!("{name}.binlog"))).unwrap(), flavour);
    let kept = folder.join(format!("{name}.txt"));
    if std::env::var_os("UPDATE_RECORDED").is_some() {
        std::fs::write(&kept, &found).unwrap();
    }
    let expect = std::fs::read_to_string(&kept).unwrap();
    let line = found.lines().zip(expect.lines()).position(|(found, expect)| found != expect);
    if let Some(line) = line {
        panic!("{name}, line {}:\n{:?}\n{:?}", line + 1, found.lines().nth(line), expect.lines().nth(line));
    }
    assert_eq!(found.lines().count(), expect.lines().count(), "{name}");
}

#[test]
fn all_types_of_mysql() {
    check("mysql-types");
}

#[test]
fn row_images_tags_xa_and_statements() {
    check("mysql-images");
}

#[test]
fn previous_ids_with_tags() {
    check("mysql-tags");
}

#[test]
fn no_checksums() {
    check("mysql-nochecksum");
}

#[test]
fn partial_updates_of_json() {
    check("mysql-json");
}

#[test]
fn a_compressed_transaction() {
    check("mysql-compressed");
}

#[test]
fn all_types_of_mariadb() {
    check("mariadb-types");
}

#[test]
fn compressed_events_of_mariadb() {
    check("mariadb-compressed");
}
