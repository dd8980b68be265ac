//! Packets of the protocol: where they begin and end, and the rows and integers inside.
//!
//! The decoder walks the read buffer in place. A payload of 16 MiB and more comes in several pieces, each with a header of its
//! own; the pieces are moved together where they stand, so that whoever decodes sees one slice. Everything is bounds-checked,
//! because the bytes come from a network. Layouts: MySQL Source Code Documentation, chapter "Client/Server Protocol".
//!
//! Must not know: sockets, SQL, what an event means.

use std::ops::Range;

use record::Span;

/// Length (three bytes) and sequence number.
pub const HEADER_BYTES: usize = 4;
/// A piece of this length is not the last one of its packet.
const PIECE_BYTES: usize = 0xff_ffff;
/// The longest packet that a server can send: its own limit of `max_allowed_packet` (1 GiB), and an event's header.
pub const PACKET_MAX_BYTES: usize = 0x4000_0000 + 0x1_0000;

/// One complete packet; positions are relative to the slice that was given.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where the payload stands.
    pub payload: Range<usize>,
    /// Where the next packet begins.
    pub consumed: usize,
    /// The sequence number that the next packet must have.
    pub sequence: u8,
}

/// What stands at the begin of a slice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A whole packet.
    Packet(Packet),
    /// The slice ends before the packet does. `need` bytes in all are wanted before it is worth looking again.
    Incomplete {
        /// Length in bytes that the slice must reach.
        need: usize,
    },
    /// No server sends this; the connection cannot go on.
    Bad(BadPacket),
}

/// Why bytes are not of the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BadPacket {
    /// A packet is missing or repeated.
    #[error("a packet has number {found} where {wanted} must come")]
    Order {
        /// The number that must come.
        wanted: u8,
        /// The number of the packet.
        found: u8,
    },
    /// A packet above [`PACKET_MAX_BYTES`].
    #[error("a packet is longer than a server can send")]
    Long,
    /// A packet ends before its fields do.
    #[error("a packet is cut short")]
    Short,
    /// The first packet is no greeting of a server since 4.1.
    #[error("the first packet is no greeting of a server since version 4.1")]
    Greeting,
    /// A row has bytes behind its last cell.
    #[error("a row is longer than its cells")]
    Row,
}

/// Looks for a packet at the begin of `bytes`; it must have the number `sequence`. The pieces of a long packet are moved
/// together when all have arrived, so a packet that was returned must be passed over (`consumed`) and not be looked at again.
#[inline]
pub fn next_packet(bytes: &mut [u8], sequence: u8) -> Next {
    let Some((&[a, b, c, number], _)) = bytes.split_first_chunk::<HEADER_BYTES>() else {
        return Next::Incomplete { need: HEADER_BYTES };
    };
    if number != sequence {
        return Next::Bad(BadPacket::Order { wanted: sequence, found: number });
    }
    let length = u32::from_le_bytes([a, b, c, 0]) as usize;
    if length == PIECE_BYTES {
        return long_packet(bytes, sequence);
    }
    let consumed = HEADER_BYTES + length;
    if bytes.len() < consumed {
        return Next::Incomplete { need: consumed };
    }
    Next::Packet(Packet { payload: HEADER_BYTES..consumed, consumed, sequence: sequence.wrapping_add(1) })
}

/// A packet of several pieces.
#[cold]
fn long_packet(bytes: &mut [u8], first: u8) -> Next {
    let (mut at, mut sequence, mut pieces) = (0, first, 0);
    let consumed = loop {
        let Some((&[a, b, c, number], _)) = bytes.get(at..).and_then(<[u8]>::split_first_chunk::<HEADER_BYTES>) else {
            return Next::Incomplete { need: at + HEADER_BYTES };
        };
        if number != sequence {
            return Next::Bad(BadPacket::Order { wanted: sequence, found: number });
        }
        let length = u32::from_le_bytes([a, b, c, 0]) as usize;
        at += HEADER_BYTES + length;
        if at > PACKET_MAX_BYTES {
            return Next::Bad(BadPacket::Long);
        }
        if bytes.len() < at {
            return Next::Incomplete { need: at };
        }
        sequence = sequence.wrapping_add(1);
        pieces += 1;
        if length < PIECE_BYTES {
            break at;
        }
    };
    // Each piece moves towards the first by the headers before it.
    for piece in 1..pieces {
        let from = piece * (HEADER_BYTES + PIECE_BYTES) + HEADER_BYTES;
        let to = (from + PIECE_BYTES).min(consumed);
        bytes.copy_within(from..to, HEADER_BYTES + piece * PIECE_BYTES);
    }
    Next::Packet(Packet { payload: HEADER_BYTES..consumed - (pieces - 1) * HEADER_BYTES, consumed, sequence })
}

/// Writes a packet of any length, as pieces with their headers. Returns the sequence number that comes next.
pub fn put_packet(out: &mut Vec<u8>, mut payload: &[u8], mut sequence: u8) -> u8 {
    loop {
        let (piece, rest) = payload.split_at(payload.len().min(PIECE_BYTES));
        let length = piece.len() as u32;
        out.extend_from_slice(&length.to_le_bytes()[..3]);
        out.push(sequence);
        out.extend_from_slice(piece);
        sequence = sequence.wrapping_add(1);
        if piece.len() < PIECE_BYTES {
            return sequence;
        }
        payload = rest;
    }
}

/// Takes a length-encoded integer off the front. `None` if it is cut short, or is the mark of NULL or of an error.
#[inline]
pub fn take_integer(bytes: &mut &[u8]) -> Option<u64> {
    let (&first, rest) = bytes.split_first()?;
    let width = match first {
        0xfc => 2,
        0xfd => 3,
        0xfe => 8,
        0xfb | 0xff => return None,
        small => {
            *bytes = rest;
            return Some(u64::from(small));
        }
    };
    let (number, rest) = rest.split_at_checked(width)?;
    let mut wide = [0; 8];
    wide[..width].copy_from_slice(number);
    *bytes = rest;
    Some(u64::from_le_bytes(wide))
}

/// Takes a text with its length in front.
pub fn take_text<'a>(bytes: &mut &'a [u8]) -> Option<&'a [u8]> {
    let length = usize::try_from(take_integer(bytes)?).ok()?;
    let (text, rest) = bytes.split_at_checked(length)?;
    *bytes = rest;
    Some(text)
}

/// Appends a span for each of the `columns` cells of a row in the text protocol: the bytes of the text, or [`Span::NULL`].
/// `row` stands at `base` of the buffer that the spans are relative to.
///
/// # Errors
/// When the row has fewer or more cells.
#[inline]
pub fn text_row(row: &[u8], base: usize, columns: usize, spans: &mut Vec<Span>) -> Result<(), BadPacket> {
    let mut rest = row;
    for _ in 0..columns {
        if let Some((0xfb, after)) = rest.split_first() {
            rest = after;
            spans.push(Span::NULL);
            continue;
        }
        let text = take_text(&mut rest).ok_or(BadPacket::Short)?;
        let start = base + row.len() - rest.len() - text.len();
        spans.push(Span { start: start as u32, len: text.len() as u32 });
    }
    if rest.is_empty() { Ok(()) } else { Err(BadPacket::Row) }
}

/// How a column's cells lie in a row of the binary protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BinaryWidth {
    /// So many bytes.
    Fixed(u8),
    /// A byte with the length, then the value: dates and times.
    Short,
    /// A length-encoded integer, then the value.
    Text,
}

impl BinaryWidth {
    /// By the type of the column's definition (MySQL's `enum_field_types`).
    pub fn of(column_type: u8) -> Self {
        match column_type {
            1 => Self::Fixed(1),                  // TINY
            2 | 13 => Self::Fixed(2),             // SHORT, YEAR
            3 | 9 | 4 => Self::Fixed(4),          // LONG, INT24, FLOAT
            8 | 5 => Self::Fixed(8),              // LONGLONG, DOUBLE
            6 => Self::Fixed(0),                  // NULL
            7 | 10 | 11 | 12 | 14 => Self::Short, // TIMESTAMP, DATE, TIME, DATETIME, NEWDATE
            _ => Self::Text,
        }
    }
}

/// As [`text_row`], for a row of the binary protocol (the result of a prepared statement): numbers in little-endian order,
/// dates and times without the byte of their length.
///
/// # Errors
/// When the row has fewer or more cells.
pub fn binary_row(row: &[u8], base: usize, widths: &[BinaryWidth], spans: &mut Vec<Span>) -> Result<(), BadPacket> {
    // The header byte, then a bit for each NULL, beginning with the third bit.
    let nulls = row.get(1..1 + (widths.len() + 2).div_ceil(8)).ok_or(BadPacket::Short)?;
    let mut rest = row.get(1 + nulls.len()..).ok_or(BadPacket::Short)?;
    for (index, width) in widths.iter().enumerate() {
        let bit = index + 2;
        if nulls[bit / 8] >> (bit % 8) & 1 == 1 {
            spans.push(Span::NULL);
            continue;
        }
        let length = match width {
            BinaryWidth::Fixed(length) => usize::from(*length),
            BinaryWidth::Short => {
                let (&length, after) = rest.split_first().ok_or(BadPacket::Short)?;
                rest = after;
                usize::from(length)
            }
            BinaryWidth::Text => {
                let length = take_integer(&mut rest).ok_or(BadPacket::Short)?;
                usize::try_from(length).map_err(|_| BadPacket::Short)?
            }
        };
        let start = base + row.len() - rest.len();
        rest = rest.get(length..).ok_or(BadPacket::Short)?;
        spans.push(Span { start: start as u32, len: length as u32 });
    }
    if rest.is_empty() { Ok(()) } else { Err(BadPacket::Row) }
}

#[cfg(test)]
mod tests;
