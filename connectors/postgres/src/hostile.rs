//! Feeds arbitrary bytes to the code that reads what the server sends: nothing may panic, and no cell may point outside of
//! its buffer.
//!
//! The fuzz targets (`fuzz/`) call these functions with libFuzzer's inputs. The tests below call them with well-formed
//! streams of which a few bytes are changed.

use std::sync::{Arc, LazyLock};

use bytes::BytesMut;
use record::{Batch, Change, Item, KeyMove, RowRef, Schema, Shape, SourceShape, Span};
use relational::{Adjustment, Column, Patterns, SourceContext, Table, TopicNaming, TransactionTopic, Wanted};

use crate::copy::{CopyReader, SIGNATURE};
use crate::stream::{Cursor, Decoder, Known, MessageTopic, Step};
use crate::types::{BinaryMode, Catalogue, Modes, PgType, RowCodec, TypeKind, column_codec, plan};
use crate::wire::frames::{Frames, stream_message};

/// The column types of the one table that all rows are decoded as. They reach every reader of cells.
const TYPES: &[&str] = &[
    "int4",
    "bool",
    "int8",
    "oid",
    "float4",
    "float8",
    "text",
    "inet",
    "json",
    "jsonb",
    "xml",
    "uuid",
    "bytea",
    "bit",
    "varbit",
    "numeric",
    "money",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "interval",
    "point",
    "geometry",
    "hstore",
    "vector",
    "halfvec",
    "sparsevec",
    "tsvector",
];
/// The OIDs are made up: that of an array type is its element type's plus this.
const ARRAYS: u32 = 1000;

/// The table as the stream sends it (text), and as a copy sends it (COPY's binary format). Each is made only once, because a
/// fuzzer runs thousands of inputs a second.
static STREAMED: LazyLock<Option<Arc<Shape>>> = LazyLock::new(|| shape(false));
static COPIED: LazyLock<Option<Arc<Shape>>> = LazyLock::new(|| shape(true));

/// A table with a column of each type, and a column of arrays of each type.
fn shape(copied: bool) -> Option<Arc<Shape>> {
    let mut catalogue = Catalogue::default();
    let plain = (1_u32..).zip(TYPES).map(|(oid, name)| PgType::built_in(oid, name, TypeKind::Base));
    let array = |oid| PgType::built_in(oid + ARRAYS, "_", TypeKind::Array(oid));
    let arrays = (1_u32..).zip(TYPES).map(|(oid, _)| array(oid));
    catalogue.extend(plain.chain(arrays).collect::<Vec<_>>());
    let modes = Modes::default();
    let (mut columns, mut codecs) = (Vec::new(), Vec::new());
    let oids = (1_u32..).take(TYPES.len());
    for oid in oids.clone().chain(oids.map(|oid| oid + ARRAYS)) {
        let Some(planned) = plan(&catalogue, oid, -1, &modes) else { continue };
        let name = format!("c{oid}");
        let codec = column_codec(&name, &planned, oid == 1, None, &modes);
        let codec = if copied { codec.copied() } else { codec };
        columns.push(Column { name: name.into(), schema: Arc::clone(&codec.schema), in_value: true, rule: None });
        codecs.push(Some(codec));
    }
    let table = Table { schema: "s".into(), name: "t".into(), columns, key: vec![0] };
    let mut context = SourceContext::new(TopicNaming::new("p"), Adjustment::None, Adjustment::None);
    let source = SourceShape { schema: Schema::of(record::Kind::Struct(Vec::new())).build(), fields: Vec::new() };
    context.shape(&table, source, Box::new(RowCodec::new(codecs))).ok().map(Arc::new)
}

/// Checks that every cell of a row lies in the buffer, and decodes the row. An error is allowed, a panic is not.
fn look(shape: &Shape, batch: &Batch, row: RowRef, buffer: &[u8]) {
    let cells = batch.cells(row);
    for span in cells {
        let absent = [Span::NULL, Span::UNCHANGED, Span::MISSING].contains(span);
        assert_eq!(span.bytes(buffer).is_none(), absent, "{span:?} of {} bytes", buffer.len());
    }
    let mut values = Vec::new();
    if shape.decode.row(buffer, cells, &mut values).is_ok() {
        assert_eq!(values.len(), shape.cells.len());
    }
}

fn look_at(change: &Change, batch: &Batch, buffer: &[u8]) {
    let shape = &batch.shapes[usize::from(change.shape)];
    let moved = change.moved.map(|(KeyMove::To(row) | KeyMove::From(row))| row);
    for row in change.before.into_iter().chain(change.after).chain(moved) {
        look(shape, batch, row, buffer);
    }
}

/// Feeds pgoutput messages to the decoder. The first byte holds flags of the configuration; after it each message follows
/// its length (two bytes, big-endian).
///
/// # Panics
/// If the decoder panics, or returns a cell outside of the buffer.
pub fn pgoutput(bytes: &[u8]) {
    let (Some(shape), Some((flags, mut rest))) = (STREAMED.as_ref(), bytes.split_first()) else { return };
    let wanted = Wanted {
        skip_create: flags & 1 != 0,
        skip_update: flags & 2 != 0,
        skip_delete: flags & 4 != 0,
        skip_truncate: flags & 8 != 0,
        tombstones: flags & 16 != 0,
        skip_unchanged: flags & 64 != 0,
        moves_as_update: false,
    };
    let metadata = (flags & 32 != 0).then(|| TransactionTopic::new(&TopicNaming::new("p"), Adjustment::None));
    let mut decoder = Decoder::new(wanted, None, metadata);
    // Two tables are known from the start, one captured and one not, so that the first messages can be rows.
    let every_other = (0..shape.cells.len()).map(|i| i % 2 == 0).collect();
    decoder.install(1, Known::new(Some(Arc::clone(shape)), every_other, vec![0]));
    decoder.install(2, Known::new(None, vec![true], Vec::new()));
    let any = (Patterns::default(), Patterns::default());
    let messages =
        MessageTopic::new("p", Adjustment::None, shape.source.clone(), any, BinaryMode::Base64, flags & 32 != 0);
    let (mut batch, mut lsn) = (Batch::default(), 0);
    decoder.next_batch();
    while let Some((length, behind)) = rest.split_first_chunk::<2>() {
        let message = behind.get(..usize::from(u16::from_be_bytes(*length))).unwrap_or(behind);
        rest = &behind[message.len()..];
        lsn += 8;
        let end = bytes.len() - rest.len();
        match decoder.message(&mut batch, lsn, Cursor::new(&bytes[..end], end - message.len())) {
            Ok(Step::Relation(relation)) => {
                let identity: Vec<bool> = relation.columns.iter().map(|column| column.identity).collect();
                let key = (0..identity.len() as u16).filter(|i| identity[usize::from(*i)]).collect();
                decoder.install(relation.id, Known::new(Some(Arc::clone(shape)), identity, key));
            }
            Ok(Step::Message(message)) => decoder.met(&mut batch, message, &messages, 0),
            Ok(Step::Done | Step::Type(_)) => {}
            // A session ends here.
            Err(_) => break,
        }
        decoder.keepalive(lsn);
    }
    for item in &batch.items {
        if let Item::Change(change) = item {
            look_at(change, &batch, bytes);
        }
    }
}

/// Feeds rows in COPY's binary format to the reader. The first byte is the size of the pieces in which the rows come (less
/// one); the header is prepended to the rest.
///
/// # Panics
/// If the reader panics, returns a cell outside of the buffer, or lacks a row that `has_row` promised.
pub fn copied(bytes: &[u8]) {
    let (Some(shape), Some((piece, rest))) = (COPIED.as_ref(), bytes.split_first()) else { return };
    let (mut reader, mut batch, mut buffer) = (CopyReader::default(), Batch::default(), BytesMut::new());
    let mut stream = SIGNATURE.to_vec();
    stream.extend_from_slice(&[0; 8]);
    stream.extend_from_slice(rest);
    let mut rows = Vec::new();
    for message in stream.chunks(usize::from(*piece) + 1) {
        reader.feed(message);
        loop {
            let promised = reader.has_row();
            match reader.row(&mut batch, &mut buffer) {
                Ok(Some(row)) => rows.push(row),
                Ok(None) => {
                    assert!(!promised, "a row was promised");
                    break;
                }
                Err(_) => return,
            }
        }
    }
    for row in rows {
        look(shape, &batch, row, &buffer);
    }
}

/// Decodes one cell. The first byte selects the column, the second the format (stream or copy); the rest is the cell.
///
/// # Panics
/// If a reader of cells panics.
pub fn cell(bytes: &[u8]) {
    let Some(([column, form], rest)) = bytes.split_first_chunk::<2>() else { return };
    let Some(shape) = (if form & 1 == 0 { &STREAMED } else { &COPIED }).as_ref() else { return };
    let (column, count) = (usize::from(*column) % shape.cells.len(), shape.cells.len() as u16);
    let mut batch = Batch { spans: vec![Span::NULL; shape.cells.len()], ..Batch::default() };
    batch.spans[column] = Span { start: 0, len: rest.len() as u32 };
    look(shape, &batch, RowRef { first: 0, count }, rest);
}

/// Splits bytes from the socket into frames, and reads the messages of the replication stream in them.
///
/// # Panics
/// If a frame lies outside of the bytes.
pub fn frames(bytes: &[u8]) {
    for frame in Frames::new(bytes).flatten() {
        let payload = bytes.get(frame.payload.clone());
        assert!(payload.is_some() && frame.payload.end == frame.consumed, "{frame:?} of {} bytes", bytes.len());
        let _ = payload.map(stream_message);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    /// Cells that are nearly right for some column: numbers of the usual widths, short texts.
    fn cell_of_a_type() -> impl Strategy<Value = Vec<u8>> {
        let text = "[-+0-9a-z{}\",:. ]{0,24}".prop_map(String::into_bytes);
        prop_oneof![
            text,
            vec(any::<u8>(), 0..20),
            any::<[u8; 4]>().prop_map(Vec::from),
            any::<[u8; 8]>().prop_map(Vec::from)
        ]
    }

    /// LSNs and times, among them the extreme values.
    fn word() -> impl Strategy<Value = Vec<u8>> {
        prop_oneof![4 => any::<i64>(), 1 => Just(i64::MAX), 1 => Just(i64::MIN), 1 => 0_i64..9]
            .prop_map(|w| w.to_be_bytes().to_vec())
    }

    /// The number of cells, then the cells.
    fn row(cells: &[Option<Vec<u8>>], mut one: impl FnMut(&mut Vec<u8>, Option<&[u8]>)) -> Vec<u8> {
        let mut out = (cells.len() as u16).to_be_bytes().to_vec();
        for cell in cells {
            one(&mut out, cell.as_deref());
        }
        out
    }

    fn cells() -> impl Strategy<Value = Vec<Option<Vec<u8>>>> {
        let whole = STREAMED.as_ref().map_or(0, |shape| shape.cells.len());
        assert!(whole > 50, "{whole} columns");
        prop_oneof![3 => vec(proptest::option::of(cell_of_a_type()), whole), 2 => vec(proptest::option::of(cell_of_a_type()), 0..3)]
    }

    fn tuple() -> impl Strategy<Value = Vec<u8>> {
        (cells(), any::<bool>()).prop_map(|(cells, unchanged)| {
            row(&cells, |out, cell| match cell {
                None => out.push(if unchanged { b'u' } else { b'n' }),
                Some(bytes) => {
                    out.push(b't');
                    out.extend((bytes.len() as u32).to_be_bytes());
                    out.extend(bytes);
                }
            })
        })
    }

    fn begin() -> impl Strategy<Value = Vec<u8>> {
        (word(), word()).prop_map(|(lsn, time)| [b"B", lsn.as_slice(), &time, b"\0\0\0\x09"].concat())
    }

    fn message() -> impl Strategy<Value = Vec<u8>> {
        let table = || prop_oneof![3 => Just(1_u32), 1 => 2_u32..4].prop_map(u32::to_be_bytes);
        let old = || prop_oneof![Just(b"K"), Just(b"O")];
        prop_oneof![
            1 => begin(),
            1 => (word(), word(), word()).prop_map(|(lsn, end, time)| [b"C\0", lsn.as_slice(), &end, &time].concat()),
            2 => (table(), tuple()).prop_map(|(id, new)| [b"I", id.as_slice(), b"N", &new].concat()),
            1 => (table(), tuple()).prop_map(|(id, new)| [b"U", id.as_slice(), b"N", &new].concat()),
            3 => (table(), old(), tuple(), tuple())
                .prop_map(|(id, tag, old, new)| [b"U", id.as_slice(), tag, &old, b"N", &new].concat()),
            1 => (table(), old(), tuple()).prop_map(|(id, tag, old)| [b"D", id.as_slice(), tag, &old].concat()),
            1 => table().prop_map(|id| [b"T\0\0\0\x01\0", id.as_slice()].concat()),
            1 => (table(), word()).prop_map(|(id, column)| [b"R", id.as_slice(), b"s\0t\0d\0\x01\x01c\0", &column].concat()),
            1 => (any::<u8>(), word()).prop_map(|(flags, lsn)| [b"M", &[flags][..], &lsn, b"p\0\0\0\0\x01x"].concat()),
            1 => (table(), word()).prop_map(|(oid, name)| [b"Y", oid.as_slice(), b"s\0", &name, b"\0"].concat()),
            1 => word().prop_map(|lsn| [b"O", lsn.as_slice(), b"o\0"].concat()),
        ]
    }

    /// The stream with up to two of its bytes changed.
    fn damaged(stream: impl Strategy<Value = Vec<u8>>) -> impl Strategy<Value = Vec<u8>> {
        (stream, vec((any::<proptest::sample::Index>(), any::<u8>()), 0..3)).prop_map(|(mut stream, damage)| {
            for (place, byte) in damage.into_iter().filter(|_| !stream.is_empty()).collect::<Vec<_>>() {
                let place = place.index(stream.len());
                stream[place] = byte;
            }
            stream
        })
    }

    proptest! {
        #[test]
        fn any_stream_of_changes(flags: u8, first in begin(), messages in vec(damaged(message()), 1..8)) {
            let framed = std::iter::once(&first).chain(&messages).flat_map(|m| [&(m.len() as u16).to_be_bytes(), m.as_slice()].concat());
            pgoutput(&std::iter::once(flags).chain(framed).collect::<Vec<_>>());
        }

        #[test]
        fn any_copied_rows(piece: u8, rows in damaged(vec(cells(), 0..4).prop_map(|rows| {
            let one = |out: &mut Vec<u8>, cell: Option<&[u8]>| match cell {
                None => out.extend((-1_i32).to_be_bytes()),
                Some(bytes) => {
                    out.extend((bytes.len() as i32).to_be_bytes());
                    out.extend(bytes);
                }
            };
            let mut stream: Vec<u8> = rows.iter().flat_map(|cells| row(cells, one)).collect();
            stream.extend((-1_i16).to_be_bytes());
            stream
        }))) {
            copied(&std::iter::once(piece).chain(rows).collect::<Vec<_>>());
        }

        #[test]
        fn any_cell(column: u8, form: u8, bytes in damaged(cell_of_a_type())) {
            super::cell(&[&[column, form], bytes.as_slice()].concat());
        }

        #[test]
        fn any_bytes(bytes: Vec<u8>) {
            pgoutput(&bytes);
            copied(&bytes);
            cell(&bytes);
            frames(&bytes);
        }
    }
}
