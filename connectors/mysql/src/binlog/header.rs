//! The header that all events have.

use super::EventKind;

/// The bytes of a header.
pub const HEADER_LEN: usize = 19;

/// An event's header (binlog version 4, all servers since MySQL 5.0).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// When the statement began, in seconds since 1970.
    pub timestamp_s: u32,
    /// The event's type.
    pub kind: EventKind,
    /// The server that wrote the event first.
    pub server_id: u32,
    /// The length of the whole event in bytes, with header and checksum.
    pub length: u32,
    /// Where the next event starts in the server's file: the lower 32 bits. 0 in events that are in no file, and in those
    /// inside of a compressed transaction.
    pub next_position: u32,
    /// Bits, see the constants.
    pub flags: u16,
}

impl Header {
    /// The event is in no file; the server made it for this connection.
    pub const ARTIFICIAL: u16 = 0x20;
    /// A reader that does not know the event may pass over it.
    pub const IGNORABLE: u16 = 0x80;

    /// Reads a header from the first bytes of an event; nothing if they are too few.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let h: &[u8; HEADER_LEN] = bytes.first_chunk()?;
        let u32_at = |at: usize| u32::from_le_bytes([h[at], h[at + 1], h[at + 2], h[at + 3]]);
        Some(Self {
            timestamp_s: u32_at(0),
            kind: EventKind(h[4]),
            server_id: u32_at(5),
            length: u32_at(9),
            next_position: u32_at(13),
            flags: u16::from_le_bytes([h[17], h[18]]),
        })
    }

    /// Whether a reader that does not know the event may pass over it.
    pub fn ignorable(&self) -> bool {
        self.flags & Self::IGNORABLE != 0
    }

    /// Whether the event is in no file.
    pub fn artificial(&self) -> bool {
        self.flags & Self::ARTIFICIAL != 0
    }
}

/// The smallest position from `previous` on of which `low` are the lower 32 bits: files may be larger than 4 GiB, and their
/// headers are not made for it.
pub(super) fn widen(previous: u64, low: u32) -> u64 {
    let near = previous & !u64::from(u32::MAX) | u64::from(low);
    if near < previous { near + (1 << 32) } else { near }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn positions_beyond_4_gib() {
        for (previous, low, expect) in [
            (0, 4, 4),
            (157, 157, 157),
            (u64::from(u32::MAX) - 10, 5, (1 << 32) + 5),
            ((1 << 32) + 5, 200, (1 << 32) + 200),
            ((2 << 32) + 5, 4, (3 << 32) + 4),
        ] {
            assert_eq!(widen(previous, low), expect, "{previous} {low}");
        }
    }

    #[test]
    fn a_short_header_is_none() {
        assert_eq!(Header::parse(&[0; 18]), None);
    }
}
