//! How fast the cells of rows are found: reads a recorded binlog again and again.
//!
//! `cargo run --release -p afterimage-mysql --example decode [FILE [SECONDS]]`; without a file, a table of twelve columns
//! is made up, in events of the size that servers write (8 KiB).
#![allow(clippy::unwrap_used, missing_docs, reason = "a measurement")]

use std::hint::black_box;
use std::time::{Duration, Instant};

use mysql::binlog::{Body, Checksum, Header, Reader, Side};
use record::Span;

fn event(kind: u8, body: &[u8]) -> Vec<u8> {
    let length = (19 + body.len() + 4) as u32;
    let mut out = vec![0, 0, 0, 0, kind, 1, 0, 0, 0];
    out.extend(length.to_le_bytes());
    out.extend([0; 6]);
    out.extend(body);
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out
}

/// `BIGINT, INT, INT, DECIMAL(10,2), DATETIME(6), VARCHAR(50) × 3, CHAR(20), DOUBLE, TINYINT, TEXT`, in 64 MiB of events.
fn made_up() -> Vec<u8> {
    let types = [8, 3, 3, 246, 18, 15, 15, 15, 254, 5, 1, 252];
    let metadata = [10, 2, 6, 200, 0, 200, 0, 200, 0, 0xfe, 80, 8, 2];
    let map =
        [&b"\x01\0\0\0\0\0\x01\0\x01d\0\x01t\0\x0c"[..], &types, &[metadata.len() as u8], &metadata, &[0xff, 0x0f]];
    let mut row = vec![0, 0];
    row.extend([7; 8 + 4 + 4 + 5 + 8]);
    for text in ["a name of a person", "someone@example.org", "paid", "0123456789"] {
        row.push(text.len() as u8);
        row.extend(text.as_bytes());
    }
    row.extend([1; 8 + 1]);
    row.extend([30, 0]);
    row.extend([b'x'; 30]);
    let rows = [&b"\x01\0\0\0\0\0\x01\0\x02\0\x0c\xff\x0f"[..], &row.repeat(8192 / row.len())].concat();
    let one = [event(19, &map.concat()), event(30, &rows)].concat();
    one.repeat((64 << 20) / one.len())
}

/// Reads all events once; returns the rows and the cells.
fn pass(file: &[u8], checksum: Checksum, spans: &mut Vec<Span>) -> (u64, u64) {
    let mut reader = Reader::new("measured", 4, checksum);
    let (mut position, mut rows, mut cells) = (0, 0_u64, 0_u64);
    let mut side = Side::default();
    let mut table = None;
    let mut signature = Vec::new();
    while let Some(header) = file.get(position..).and_then(Header::parse) {
        let end = position + header.length as usize;
        let event = reader.event(&file[position..end], position as u32).unwrap();
        match &event.body {
            Body::TableMap(map) if signature == map.signature() => {}
            Body::TableMap(map) => {
                signature = map.signature().to_vec();
                table = Some((map.table_id, map.layout().unwrap()));
            }
            Body::Rows(found) => {
                let (_, layout) = table.as_ref().unwrap();
                found
                    .find(found.table_id, layout, spans, &mut side, |row| {
                        rows += 1;
                        black_box(row);
                    })
                    .unwrap();
                // A batch.
                if spans.len() > 100_000 {
                    cells += spans.len() as u64;
                    black_box(&spans);
                    spans.clear();
                }
            }
            _ => {}
        }
        position = end;
    }
    cells += spans.len() as u64;
    spans.clear();
    (rows, cells)
}

fn main() {
    let mut arguments = std::env::args().skip(1);
    let (file, checksum) = match arguments.next() {
        Some(name) => (std::fs::read(name).unwrap()[4..].to_vec(), Checksum::None),
        None => (made_up(), Checksum::Crc32),
    };
    let seconds = arguments.next().map_or(3.0, |text| text.parse().unwrap());
    let mut spans = Vec::new();
    pass(&file, checksum, &mut spans);
    let start = Instant::now();
    let (mut rows, mut cells, mut bytes) = (0, 0, 0);
    while start.elapsed() < Duration::from_secs_f64(seconds) {
        let (r, c) = pass(&file, checksum, &mut spans);
        rows += r;
        cells += c;
        bytes += file.len();
    }
    let took = start.elapsed().as_secs_f64();
    println!(
        "{:.2} M rows/s, {:.1} M cells/s, {:.0} MB/s, checksums verified",
        rows as f64 / took / 1e6,
        cells as f64 / took / 1e6,
        bytes as f64 / took / 1e6
    );
}
