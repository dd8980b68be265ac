use proptest::prelude::*;

use super::*;

#[track_caller]
fn check(bytes: &[u8], sequence: u8, expect: &Next) {
    assert_eq!(&next_packet(&mut bytes.to_vec(), sequence), expect);
}

#[test]
fn packets() {
    check(b"", 0, &Next::Incomplete { need: 4 });
    check(b"\x02\0\0", 0, &Next::Incomplete { need: 4 });
    check(b"\x02\0\0\0a", 0, &Next::Incomplete { need: 6 });
    check(b"\x02\0\0\xffabX", 255, &Next::Packet(Packet { payload: 4..6, consumed: 6, sequence: 0 }));
    check(b"\0\0\0\x03", 3, &Next::Packet(Packet { payload: 4..4, consumed: 4, sequence: 4 }));
    check(b"\0\0\0\x03", 2, &Next::Bad(BadPacket::Order { wanted: 2, found: 3 }));
    check(b"\xff\xff\xff\0", 0, &Next::Incomplete { need: 4 + 0xff_ffff });
}

/// Packets of several pieces come back whole, whatever follows, and only when the last piece is there.
#[test]
fn long_packets() {
    for length in [PIECE_BYTES - 1, PIECE_BYTES, PIECE_BYTES + 1, 2 * PIECE_BYTES, 2 * PIECE_BYTES + 7] {
        let payload: Vec<u8> = (0..length).map(|at| (at % 251) as u8).collect();
        let mut bytes = Vec::new();
        let sequence = put_packet(&mut bytes, &payload, 254);
        let end = bytes.len();
        let short = next_packet(&mut bytes[..end - 1], 254);
        assert!(matches!(short, Next::Incomplete { need } if need <= end), "{length}: {short:?}");
        bytes.extend_from_slice(b"\x01\0\0\x09Z");
        let Next::Packet(packet) = next_packet(&mut bytes, 254) else { panic!("{length}: no packet") };
        assert!(bytes[packet.payload] == payload, "{length}: other bytes");
        assert_eq!((packet.consumed, packet.sequence), (end, sequence), "{length}");
        assert_eq!(&bytes[end..], b"\x01\0\0\x09Z", "{length}: the next packet is not touched");
    }
}

#[test]
fn a_packet_that_no_server_sends() {
    let mut bytes = vec![0; PACKET_MAX_BYTES + 1];
    for piece in 0..=PACKET_MAX_BYTES / (HEADER_BYTES + PIECE_BYTES) {
        let at = piece * (HEADER_BYTES + PIECE_BYTES);
        bytes[at..at + 4].copy_from_slice(&[0xff, 0xff, 0xff, piece as u8]);
    }
    assert_eq!(next_packet(&mut bytes, 0), Next::Bad(BadPacket::Long));
}

#[test]
fn integers() {
    #[track_caller]
    fn check(mut bytes: &[u8], expect: Option<u64>, left: usize) {
        assert_eq!((take_integer(&mut bytes), bytes.len()), (expect, left));
    }
    check(b"\xfaX", Some(250), 1);
    check(b"\xfc\x01\x02X", Some(0x201), 1);
    check(b"\xfd\x01\x02\x03", Some(0x3_0201), 0);
    check(b"\xfe\x01\0\0\0\0\0\0\x80", Some(0x8000_0000_0000_0001), 0);
    check(b"\xfc\x01", None, 2);
    check(b"\xfb", None, 1);
    check(b"", None, 0);
}

fn cells<'a>(buffer: &'a [u8], spans: &[Span]) -> Vec<Option<&'a [u8]>> {
    spans.iter().map(|span| span.bytes(buffer)).collect()
}

#[test]
fn text_rows() {
    let buffer = b"??\x03abc\xfb\0\x01z";
    let mut spans = Vec::new();
    assert_eq!(text_row(&buffer[2..], 2, 4, &mut spans), Ok(()));
    assert_eq!(cells(buffer, &spans), [Some(&b"abc"[..]), None, Some(b""), Some(b"z")]);
    assert_eq!(text_row(b"\x03ab", 0, 1, &mut Vec::new()), Err(BadPacket::Short));
    assert_eq!(text_row(b"\x01ab", 0, 1, &mut Vec::new()), Err(BadPacket::Row));
    assert_eq!(text_row(b"", 0, 1, &mut Vec::new()), Err(BadPacket::Short));
}

#[test]
fn binary_rows() {
    // LONG 7, NULL, DATETIME of four bytes, VARCHAR.
    let widths = [BinaryWidth::of(3), BinaryWidth::of(8), BinaryWidth::of(12), BinaryWidth::of(253)];
    let buffer = b"\0\x08\x07\0\0\0\x04\xea\x07\x0b\x1e\x02hi";
    let mut spans = Vec::new();
    assert_eq!(binary_row(buffer, 0, &widths, &mut spans), Ok(()));
    assert_eq!(cells(buffer, &spans), [Some(&b"\x07\0\0\0"[..]), None, Some(b"\xea\x07\x0b\x1e"), Some(b"hi")]);
    assert_eq!(binary_row(b"\0", 0, &widths, &mut Vec::new()), Err(BadPacket::Short));
    assert_eq!(binary_row(b"\0\x3c!", 0, &widths, &mut Vec::new()), Err(BadPacket::Row));
}

proptest! {
    #[test]
    fn hostile_bytes_never_panic_and_stay_in_bounds(mut bytes: Vec<u8>, columns in 0usize..20, types: Vec<u8>) {
        let length = bytes.len();
        let (mut spans, mut binary) = (Vec::new(), Vec::new());
        let widths: Vec<_> = types.into_iter().take(20).map(BinaryWidth::of).collect();
        let _ = text_row(&bytes, 0, columns, &mut spans);
        let _ = binary_row(&bytes, 0, &widths, &mut binary);
        for span in spans.iter().chain(&binary).filter(|span| **span != Span::NULL) {
            prop_assert!(span.start as usize + span.len as usize <= length);
        }
        let sequence = bytes.get(3).copied().unwrap_or(0);
        if let Next::Packet(packet) = next_packet(&mut bytes, sequence) {
            prop_assert!(packet.payload.end <= packet.consumed && packet.consumed <= length);
        }
    }

    #[test]
    fn any_cut_of_a_stream_gives_a_prefix_of_its_packets(
        payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..40), 0..10),
        cut in 0usize..500,
    ) {
        let (mut bytes, mut ends, mut sequence) = (Vec::new(), Vec::new(), 250);
        for payload in &payloads {
            sequence = put_packet(&mut bytes, payload, sequence);
            ends.push(bytes.len());
        }
        bytes.truncate(cut);
        let (mut at, mut sequence, mut found) = (0, 250, 0);
        while let Next::Packet(packet) = next_packet(&mut bytes[at..], sequence) {
            prop_assert_eq!(&bytes[at + packet.payload.start..at + packet.payload.end], payloads[found].as_slice());
            (at, sequence, found) = (at + packet.consumed, packet.sequence, found + 1);
        }
        prop_assert_eq!(found, ends.iter().filter(|end| **end <= cut).count());
    }
}
