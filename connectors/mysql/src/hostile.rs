//! Feeds arbitrary bytes to the code that reads what the server sends: nothing may panic, and no cell may point outside of
//! its buffer.
//!
//! The fuzz targets (`fuzz/`) call these functions with libFuzzer's inputs. The tests below call them with recorded binlogs
//! of which a few bytes are changed.

use bytes::{Bytes, BytesMut};
use record::Span;

use crate::binlog::{
    Body, Checksum, Compression, EventKind, HEADER_LEN, Layout, PayloadReader, Reader, Side, TableMap,
};
use crate::json;

/// A table with a column of each type; the metadata are those of a recorded binlog.
const TABLE: &[u8] = include_bytes!("../tests/binlog/all-types.map");

/// Checks that every cell lies in the buffer.
fn look(spans: &[Span], buffer: &[u8]) {
    for span in spans {
        let absent = [Span::NULL, Span::MISSING].contains(span);
        assert_eq!(span.bytes(buffer).is_none(), absent, "{span:?} of {} bytes", buffer.len());
    }
}

/// An event around a body, without a checksum.
fn event(kind: u8, flags: u8, body: &[u8]) -> Vec<u8> {
    let length = (HEADER_LEN + body.len()) as u32;
    let mut out = vec![0, 0, 0, 0, kind, 1, 0, 0, 0];
    out.extend(length.to_le_bytes());
    out.extend((length + 4).to_le_bytes());
    out.extend([flags, 0]);
    out.extend(body);
    out
}

fn layout_of(map: &TableMap) -> Option<(u64, Layout)> {
    let _ = (map.metadata(crate::Flavour::MySql), map.metadata(crate::Flavour::MariaDb));
    map.layout().ok().map(|layout| (map.table_id, layout))
}

/// Reads events as a connection does. Each follows its type, its flags and its length (two bytes, big-endian); the header is
/// made. Returns how many rows were found, before and after a change counted apart.
///
/// # Panics
/// If a reader panics, or finds a cell outside of the buffer.
pub fn binlog_event(bytes: &[u8]) -> usize {
    let mut reader = Reader::new("f", 4, Checksum::None);
    let (mut rest, mut known, mut side) = (bytes, None, Side::default());
    let mut images = 0;
    while let Some(([kind, flags, high, low], behind)) = rest.split_first_chunk::<4>() {
        let body = behind.get(..usize::from(u16::from_be_bytes([*high, *low]))).unwrap_or(behind);
        rest = &behind[body.len()..];
        let bytes = event(*kind, *flags, body);
        let Ok(event) = reader.event(&bytes, 0) else { continue };
        images += follow(&reader, &bytes, &event.body, &mut known, &mut side);
        if let Body::Payload(found) = event.body {
            let data = Bytes::copy_from_slice(found.data);
            images += inside(&mut reader, found.compression, found.uncompressed_len, data, &mut known);
        }
    }
    images
}

/// Takes note of a table, or finds the cells of rows; returns how many images there were.
fn follow(reader: &Reader, buffer: &[u8], body: &Body, known: &mut Option<(u64, Layout)>, side: &mut Side) -> usize {
    let mut images = 0;
    match (body, known.as_ref()) {
        (Body::TableMap(map), _) => *known = layout_of(map),
        (Body::PreviousGtids(bytes), _) => drop(crate::gtid::MySqlSet::decode(bytes)),
        (Body::Rows(rows), Some((id, layout))) => {
            let mut spans = Vec::new();
            let result = rows.find(*id, layout, &mut spans, side, |row| {
                images += usize::from(row.before.is_some()) + usize::from(row.after.is_some());
            });
            match result {
                Ok(()) => {
                    assert_eq!(spans.len(), images * layout.columns().len());
                    let mut buffer = BytesMut::from(buffer);
                    if side.settle(&mut buffer, &mut spans).is_ok() {
                        look(&spans, &buffer);
                    }
                }
                Err(fault) => drop(reader.error(fault).to_string()),
            }
        }
        _ => {}
    }
    images
}

fn inside(
    reader: &mut Reader,
    compression: Compression,
    length: Option<u64>,
    data: Bytes,
    known: &mut Option<(u64, Layout)>,
) -> usize {
    // A short input can be a long payload; what comes late is no other than what comes early.
    const ENOUGH: usize = 1 << 20;
    let Ok(mut payload) = PayloadReader::new(compression, length, data) else { return 0 };
    let (mut out, mut side, mut images) = (BytesMut::new(), Side::default(), 0);
    while out.len() < ENOUGH {
        let Ok(Some(range)) = payload.next(&mut out) else { break };
        let Ok(event) = reader.inner(&out[range.clone()], range.start as u32) else { break };
        images += follow(reader, &out, &event.body, known, &mut side);
    }
    images
}

/// Finds the cells of the rows of a table that has every type. The first byte selects the type of event, the rest is its
/// body behind the flags.
///
/// # Panics
/// If the reader panics, or finds a cell outside of the buffer.
pub fn row_image(bytes: &[u8]) {
    const KINDS: [EventKind; 8] = [
        EventKind::WRITE_ROWS,
        EventKind::UPDATE_ROWS,
        EventKind::DELETE_ROWS,
        EventKind::PARTIAL_UPDATE_ROWS,
        EventKind::WRITE_ROWS_V1,
        EventKind::UPDATE_ROWS_V1,
        EventKind::WRITE_ROWS_COMPRESSED_V1,
        EventKind::UPDATE_ROWS_COMPRESSED_V1,
    ];
    let Some((kind, rest)) = bytes.split_first() else { return };
    let mut reader = Reader::new("f", 4, Checksum::None);
    let map = event(EventKind::TABLE_MAP.0, 0, TABLE);
    let (mut known, mut side) = (None, Side::default());
    if let Ok(event) = reader.event(&map, 0) {
        follow(&reader, &map, &event.body, &mut known, &mut side);
    }
    assert!(known.is_some(), "the table is read");
    // The table's number is the map's.
    let body = [&TABLE[..6], &[1, 0], rest].concat();
    let bytes = event(KINDS[usize::from(*kind) % KINDS.len()].0, 0, &body);
    if let Ok(event) = reader.event(&bytes, 0) {
        follow(&reader, &bytes, &event.body, &mut known, &mut side);
    }
}

/// Writes a document as text.
///
/// # Panics
/// If the writer panics, or writes far more than the document has.
pub fn json_binary(bytes: &[u8]) {
    let mut out = Vec::new();
    let _ = json::write_text(&mut out, bytes);
    // A double of ten bytes may have more than a thousand digits.
    assert!(out.len() <= 200 * (bytes.len() + 1), "{} bytes of {}", out.len(), bytes.len());
}

/// Applies differences to a document. The first two bytes are the document's length, big-endian.
///
/// # Panics
/// If that panics, or what it writes cannot be read although the document could.
pub fn json_diff(bytes: &[u8]) {
    let Some((length, rest)) = bytes.split_first_chunk::<2>() else { return };
    let Some((document, differences)) = rest.split_at_checked(usize::from(u16::from_be_bytes(*length))) else { return };
    let (mut out, mut text) = (Vec::new(), Vec::new());
    if json::apply(document, differences, &mut out).is_ok() {
        let _ = json::write_text(&mut text, &out);
    }
}

/// Decompresses a payload. The first byte says how it is compressed and whether its length is declared, the next two are the
/// length.
///
/// # Panics
/// If that panics, or gives more than was declared.
pub fn payload(bytes: &[u8]) {
    let Some(([flags, high, low], data)) = bytes.split_first_chunk::<3>() else { return };
    let compression = if flags & 1 == 0 { Compression::Zstd } else { Compression::None };
    let length = (flags & 2 == 0).then_some(u64::from(u16::from_be_bytes([*high, *low])));
    let Ok(mut reader) = PayloadReader::new(compression, length, Bytes::copy_from_slice(data)) else { return };
    let mut out = BytesMut::new();
    while out.len() < 1 << 20 {
        match reader.next(&mut out) {
            Ok(Some(_)) => {}
            _ => break,
        }
    }
    if let (Some(length), Compression::Zstd) = (length, compression) {
        assert!(out.len() as u64 <= length + (1 << 20), "{} bytes of {length}", out.len());
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;
    use proptest::sample::Index;

    use super::*;

    const RECORDED: [&[u8]; 4] = [
        include_bytes!("../tests/binlog/mysql-types.binlog"),
        include_bytes!("../tests/binlog/mysql-images.binlog"),
        include_bytes!("../tests/binlog/mariadb-types.binlog"),
        include_bytes!("../tests/binlog/mysql-compressed.binlog"),
    ];

    /// The events of a recorded binlog, in the form that [`binlog_event`] takes.
    fn framed(file: &[u8]) -> Vec<Vec<u8>> {
        let (mut out, mut position) = (Vec::new(), 4);
        while position < file.len() {
            let length = u32::from_le_bytes(file[position + 9..position + 13].try_into().unwrap()) as usize;
            // Without the checksum, which changed bytes would make wrong.
            let body = &file[position + HEADER_LEN..position + length - 4];
            let kind = file[position + 4];
            // The description of the format says that there are checksums.
            if kind != EventKind::FORMAT_DESCRIPTION.0 {
                out.push([&[kind, 0], &(body.len() as u16).to_be_bytes()[..], body].concat());
            }
            position += length;
        }
        out
    }

    fn change(bytes: &mut [u8], damage: Vec<(Index, u8)>) {
        for (place, byte) in damage {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
    }

    fn damage() -> impl Strategy<Value = Vec<(Index, u8)>> {
        vec((any::<Index>(), any::<u8>()), 0..4)
    }

    #[test]
    fn recorded_rows_are_all_found() {
        // As many as the recorded texts have.
        let counts = RECORDED.map(|file| binlog_event(&framed(file).concat()));
        assert_eq!(counts, [7, 16, 15, 312]);
    }

    proptest! {
        #[test]
        fn damaged_events(file: Index, from: Index, damage in damage()) {
            let events = framed(RECORDED[file.index(RECORDED.len())]);
            let from = from.index(events.len());
            let mut bytes = events[from..(from + 6).min(events.len())].concat();
            change(&mut bytes, damage);
            let _ = binlog_event(&bytes);
        }

        #[test]
        fn damaged_rows(kind: u8, columns in vec(any::<u8>(), 14), row in vec(any::<u8>(), 0..300)) {
            // Two bytes of length of the extra data, 51 columns, and their bits.
            row_image(&[&[kind, 2, 0, 51], columns.as_slice(), &row].concat());
            row_image(&[&[kind | 4, 51], columns.as_slice(), &row].concat());
        }

        #[test]
        fn any_payload(flags: u8, events in vec(vec(any::<u8>(), 0..60), 0..5), damage in damage()) {
            let inner: Vec<u8> = events.iter().flat_map(|body| event(EventKind::XID.0, 0, body)).collect();
            let mut data = if flags & 1 == 0 { zstd::bulk::compress(&inner, 3).unwrap() } else { inner.clone() };
            if !data.is_empty() {
                change(&mut data, damage);
            }
            payload(&[&[flags], &(inner.len() as u16).to_be_bytes()[..], &data].concat());
        }

        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            let _ = binlog_event(&bytes);
            row_image(&bytes);
            json_binary(&bytes);
            json_diff(&bytes);
            payload(&bytes);
        }
    }
}
