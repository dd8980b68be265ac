use bytes::{Bytes, BytesMut};
use record::Span;

use super::*;

/// A recorded binlog, and its events by their places.
const RECORDED: &[u8] = include_bytes!("../../tests/binlog/mysql-images.binlog");

fn events(file: &[u8]) -> Vec<&[u8]> {
    let (mut out, mut rest) = (Vec::new(), &file[4..]);
    while let Some(header) = Header::parse(rest) {
        let (event, behind) = rest.split_at(header.length as usize);
        out.push(event);
        rest = behind;
    }
    out
}

/// A reader behind the recorded FORMAT_DESCRIPTION.
fn reader() -> Reader {
    let mut reader = Reader::new("binlog.000042", 4, Checksum::None);
    reader.event(events(RECORDED)[0], 0).unwrap();
    reader
}

/// An event with a right checksum. It ends where the recorded FORMAT_DESCRIPTION's next one would.
fn event(kind: EventKind, flags: u16, body: &[u8]) -> Vec<u8> {
    let length = (HEADER_LEN + body.len() + 4) as u32;
    let mut out = vec![0, 0, 0, 0, kind.0, 1, 0, 0, 0];
    out.extend(length.to_le_bytes());
    out.extend((127 + length).to_le_bytes());
    out.extend(flags.to_le_bytes());
    out.extend(body);
    out.extend(crc32fast::hash(&out).to_le_bytes());
    out
}

#[track_caller]
fn check_error(bytes: &[u8], expect: &str) {
    let error = reader().event(bytes, 0).unwrap_err().to_string();
    assert_eq!(error, format!("binlog binlog.000042, position 127, event {expect}"));
}

#[test]
fn a_flipped_bit_is_found() {
    let mut bytes = event(EventKind::XID, 0, &7_u64.to_le_bytes());
    let found = crc32fast::hash(&bytes[..27]);
    bytes[20] ^= 1;
    let computed = crc32fast::hash(&bytes[..27]);
    let error = reader().event(&bytes, 0).unwrap_err();
    assert_eq!((error.position, error.fault), (127, Fault::Checksum { found, computed }));
}

#[test]
fn unknown_events_are_errors_unless_they_may_be_passed_over() {
    let unknown = "of type 200: this event type is unknown, and the event is not marked as one that may be skipped: rows may be in it";
    check_error(&event(EventKind(200), 0, b"x"), unknown);
    assert_eq!(reader().event(&event(EventKind(200), 0x80, b"x"), 0).unwrap().body, Body::Ignored);
    let rows = "PARTIAL_ROW_DATA (172): this event type is unknown, and the event is not marked as one that may be skipped: rows may be in it";
    check_error(&event(EventKind::PARTIAL_ROW_DATA, 0, b"x"), rows);
}

#[test]
fn a_wrong_length_is_an_error() {
    let bytes = event(EventKind::XID, 0, &7_u64.to_le_bytes());
    check_error(&bytes[..30], "XID (16): the event has another length than its header says");
    check_error(&bytes[..10], "of type 0: the event ends inside of the header");
    check_error(&event(EventKind::XID, 0, &[1, 2]), "XID (16): the event ends inside of the number");
}

#[test]
fn an_incident_has_its_number_and_message() {
    let bytes = event(EventKind::INCIDENT, 0, b"\x01\0\x04lost");
    let event = reader().event(&bytes, 0).unwrap();
    assert_eq!(event.body, Body::Incident(Incident { number: 1, message: b"lost" }));
}

#[test]
fn heartbeats_do_not_move_the_position() {
    let mut reader = reader();
    let first = reader.event(&event(EventKind::HEARTBEAT, 0, b"binlog.000042"), 0).unwrap().body == {
        let position = Some(127 + 36);
        Body::Heartbeat(Heartbeat { file: "binlog.000042", position })
    };
    // Field 1, four bytes: the file; field 2, nine bytes: the position.
    let body = [&b"\x01\x04file\x02\x09\xfe"[..], &5_000_000_000_u64.to_le_bytes(), b"\0"].concat();
    let bytes = event(EventKind::HEARTBEAT_V2, 0, &body);
    let second = reader.event(&bytes, 0).unwrap().body;
    assert!(first);
    assert_eq!(second, Body::Heartbeat(Heartbeat { file: "file", position: Some(5_000_000_000) }));
    assert_eq!(reader.position(), 127);
}

#[test]
fn a_rotation_names_the_file_of_what_follows() {
    let mut reader = reader();
    let bytes = event(EventKind::ROTATE, Header::ARTIFICIAL, b"\x04\0\0\0\0\0\0\0binlog.000043");
    reader.event(&bytes, 0).unwrap();
    assert_eq!((reader.file(), reader.position()), ("binlog.000043", 4));
}

#[test]
fn positions_go_on_beyond_4_gib() {
    let mut reader = Reader::new("f", u64::from(u32::MAX) - 50, Checksum::None);
    reader.event(events(RECORDED)[0], 0).unwrap();
    // The FORMAT_DESCRIPTION ends at 127, which is beyond the 4 GiB.
    let event = reader.event(events(RECORDED)[1], 0).unwrap();
    assert_eq!((event.start, event.end), ((1 << 32) + 127, (1 << 32) + 199));
}

#[test]
fn mariadbs_events_of_later_versions() {
    let fields = |flags: u8| [&9_u64.to_le_bytes()[..], &3_u32.to_le_bytes(), &[flags]].concat();
    // A session's number (11.5), behind a commit's number.
    let body = [fields(2), vec![0; 8], vec![16, 0x39, 0x30, 0, 0]].concat();
    let bytes = event(EventKind::MARIADB_GTID, 0, &body);
    let event_ = reader().event(&bytes, 0).unwrap();
    let expect = MariaGtidEvent { sequence: 9, domain: 3, flags: 2, xa: None, thread_id: Some(12345) };
    assert_eq!(event_.body, Body::MariaGtid(expect));
    let body = [&[1][..], &7_u32.to_le_bytes(), &[0; 12]].concat();
    let bytes = event(EventKind::START_ENCRYPTION, 0, &body);
    let body = reader().event(&bytes, 0).unwrap().body;
    assert_eq!(body, Body::StartEncryption(StartEncryption { scheme: 1, key_version: 7 }));
}

#[test]
fn a_gtid_of_a_replica_has_two_times_and_that_of_5_6_none() {
    let id = [&[0][..], &[7; 16], &5_u64.to_le_bytes()].concat();
    let clocks = [&[2][..], &[0; 16]].concat();
    let immediate = (100_u64 + (1 << 55)).to_le_bytes();
    let both = [&id[..], &clocks, &immediate[..7], &99_u64.to_le_bytes()[..7], &[200]].concat();
    for (body, expect) in
        [(both, [Some(99), Some(100)]), (id.clone(), [None, None]), ([&id[..], &clocks].concat(), [None; 2])]
    {
        let bytes = event(EventKind::GTID, 0, &body);
        let Body::Gtid(found) = reader().event(&bytes, 0).unwrap().body else { panic!("no GTID") };
        assert_eq!([found.original_commit_us, found.immediate_commit_us], expect);
        assert_eq!(found.number, 5);
    }
}

/// A table of one INT, and rows of it.
fn rows(kind: EventKind, columns: &[u8], data: &[u8]) -> Result<Vec<Span>, Fault> {
    let map = event(EventKind::TABLE_MAP, 0, b"\x09\0\0\0\0\0\0\0\x01d\0\x01t\0\x02\x03\x0f\x02\x0a\0\x02");
    let mut reader = reader();
    let Body::TableMap(map) = reader.event(&map, 0).unwrap().body else { panic!("no TABLE_MAP") };
    let body = [b"\x09\0\0\0\0\0\x01\0\x02\0\x02", columns, data].concat();
    let bytes = event(kind, 0, &body);
    let (mut spans, mut side) = (Vec::new(), Side::default());
    let Body::Rows(rows) = reader.event(&bytes, 1000).unwrap().body else { panic!("no rows") };
    rows.find(map.table_id, &map.layout().unwrap(), &mut spans, &mut side, |_| ())?;
    Ok(spans)
}

#[track_caller]
fn check_rows(columns: &[u8], data: &[u8], expect: Result<&[Span], Fault>) {
    assert_eq!(rows(EventKind::WRITE_ROWS, columns, data).as_deref().map_err(|fault| *fault), expect);
}

#[test]
fn cells_are_found_in_the_batchs_buffer() {
    // The row begins behind 19 bytes of header and 12 of the body; one byte has the NULL bits.
    let at = |start: u32, len: u32| Span { start: 1000 + 31 + start, len };
    check_rows(&[3], b"\0\x01\0\0\0\x02ab", Ok(&[at(1, 4), at(6, 2)]));
    check_rows(&[3], b"\x02\x01\0\0\0\0\x02\0\0\0\0", Ok(&[at(1, 4), Span::NULL, at(6, 4), at(11, 0)]));
    check_rows(&[2], b"\0\x01a", Ok(&[Span::MISSING, at(2, 1)]));
    check_rows(&[3], b"", Ok(&[]));
}

#[test]
fn rows_that_end_early_or_have_no_columns() {
    let short = Fault::Short("a row");
    for data in [&b"\0"[..], b"\0\x01\0\0", b"\0\x01\0\0\0", b"\0\x01\0\0\0\x03ab"] {
        check_rows(&[3], data, Err(short));
    }
    let none = "the rows have no columns at all: set binlog_row_image=FULL in the session that writes";
    check_rows(&[0], b"", Err(Fault::Malformed(none)));
    check_rows(&[0], b"x", Err(Fault::Malformed("there are bytes behind rows that have no columns")));
}

#[test]
fn rows_of_another_table_or_width() {
    let body = b"\x08\0\0\0\0\0\x01\0\x02\0\x01\x01\0\x01";
    let bytes = event(EventKind::WRITE_ROWS, 0, body);
    let mut reader = reader();
    let Body::Rows(rows) = reader.event(&bytes, 0).unwrap().body else { panic!("no rows") };
    let layout = Layout::parse(&[3, 3], &[]).unwrap();
    let find = |table| rows.find(table, &layout, &mut Vec::new(), &mut Side::default(), |_| ());
    assert_eq!(find(9), Err(Fault::TableNumber { rows: 8, map: 9 }));
    assert_eq!(find(8), Err(Fault::ColumnCount { rows: 1, map: 2 }));
}

#[test]
fn an_event_without_a_table_only_ends_a_statement() {
    let bytes = event(EventKind::WRITE_ROWS, 0, b"\xff\xff\xff\0\0\0\x01\0\x02\0\0");
    let mut reader = reader();
    let Body::Rows(rows) = reader.event(&bytes, 0).unwrap().body else { panic!("no rows") };
    let layout = Layout::parse(&[3], &[]).unwrap();
    assert!(rows.statement_end);
    assert_eq!(rows.find(9, &layout, &mut Vec::new(), &mut Side::default(), |_| ()), Ok(()));
}

/// Reads a payload of these bytes to its end; returns how many events there were.
fn payload(compression: Compression, length: Option<u64>, data: &[u8]) -> Result<usize, Fault> {
    let mut reader = PayloadReader::new(compression, length, Bytes::copy_from_slice(data))?;
    let (mut out, mut count) = (BytesMut::new(), 0);
    while let Some(range) = reader.next(&mut out)? {
        assert_eq!(range.len(), Header::parse(&out[range]).unwrap().length as usize);
        out.clear();
        count += 1;
    }
    Ok(count)
}

/// Three events as they are inside of a payload.
fn inner() -> Vec<u8> {
    let one = |body: &[u8]| {
        let bytes = event(EventKind::XID, 0, body);
        let mut bytes = bytes[..bytes.len() - 4].to_vec();
        let length = bytes.len() as u32;
        bytes[9..13].copy_from_slice(&length.to_le_bytes());
        bytes
    };
    [one(b"8 bytes."), one(&vec![7; 3_000_000]), one(b"")].concat()
}

#[test]
fn payloads_give_their_events_one_by_one() {
    let inner = inner();
    let length = inner.len() as u64;
    let data = zstd::bulk::compress(&inner, 3).unwrap();
    assert_eq!(payload(Compression::Zstd, Some(length), &data), Ok(3));
    assert_eq!(payload(Compression::Zstd, None, &data), Ok(3));
    assert_eq!(payload(Compression::None, None, &inner), Ok(3));
    // The data may be several frames.
    let (one, two) = inner.split_at(1_000_000);
    let frames = [zstd::bulk::compress(one, 3).unwrap(), zstd::bulk::compress(two, 3).unwrap()].concat();
    assert_eq!(payload(Compression::Zstd, Some(length), &frames), Ok(3));
}

#[test]
fn payloads_that_lie() {
    let inner = inner();
    let length = inner.len() as u64;
    let data = zstd::bulk::compress(&inner, 3).unwrap();
    let result = payload(Compression::Zstd, Some(length - 1), &data);
    assert!(
        matches!(result, Err(Fault::TooLarge { what: "the decompressed payload", most, .. }) if most == length - 1)
    );
    let shorter = Fault::Malformed("the payload is shorter than it says");
    assert_eq!(payload(Compression::Zstd, Some(length + 1), &data), Err(shorter));
    assert_eq!(payload(Compression::Zstd, Some(length), &data[..data.len() - 5]), Err(Fault::Decompress("zstd")));
    assert_eq!(payload(Compression::Zstd, Some(length), b"not zstd"), Err(Fault::Decompress("zstd")));
    let cut = Fault::Short("an event in the payload");
    assert_eq!(payload(Compression::None, None, &inner[..inner.len() - 1 - 19]), Err(cut));
    let header = Fault::Short("the header of an event in the payload");
    assert_eq!(payload(Compression::None, None, &inner[..inner.len() - 1]), Err(header));
}

#[test]
fn a_bomb_stops_at_what_it_declares() {
    // 1 GiB of zeros in 32 KiB, declared as 4 MiB. The first event's header says that it is the whole.
    let header = &mut event(EventKind::XID, 0, b"")[..HEADER_LEN];
    header[9..13].copy_from_slice(&(1_u32 << 29).to_le_bytes());
    let mut encoder = zstd::stream::Encoder::new(Vec::new(), 3).unwrap();
    std::io::Write::write_all(&mut encoder, header).unwrap();
    std::io::copy(&mut std::io::Read::take(std::io::repeat(0), 1 << 29), &mut encoder).unwrap();
    let data = encoder.finish().unwrap();
    assert!(data.len() < 1 << 16);
    let result = payload(Compression::Zstd, Some(4 << 20), &data);
    assert!(matches!(result, Err(Fault::TooLarge { size, .. }) if size < 6 << 20), "{result:?}");
}

#[test]
fn events_that_no_transaction_has() {
    let mut reader = reader();
    let mut bytes = event(EventKind::ROTATE, 0, b"\x04\0\0\0\0\0\0\0f");
    let length = bytes.len() as u32;
    bytes[9..13].copy_from_slice(&length.to_le_bytes());
    let error = reader.inner(&bytes, 0).unwrap_err();
    assert_eq!(error.fault, Fault::Malformed("there is no such event inside of a compressed transaction"));
}
