//! FORMAT_DESCRIPTION: how the events of a file are built.

use super::cursor::Cursor;
use super::{EventKind, Fault};

/// How events are protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum Checksum {
    /// Not at all.
    #[default]
    None,
    /// Their last four bytes are the CRC32 of the others.
    Crc32,
}

impl Checksum {
    /// The bytes that it takes at an event's end.
    pub fn len(self) -> usize {
        match self {
            Self::None => 0,
            Self::Crc32 => 4,
        }
    }

    /// Whether it takes no bytes.
    pub fn is_empty(self) -> bool {
        self == Self::None
    }
}

/// How the events behind a FORMAT_DESCRIPTION are built.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Format {
    /// The server's version, as it writes it: `9.7.0`, `10.11.14-MariaDB-log`.
    pub server_version: String,
    /// How the events are protected.
    pub checksum: Checksum,
    /// The length of the fixed part behind the header, for each type from 1 on.
    pub post_header_lens: Vec<u8>,
}

const SERVER_VERSION_LEN: usize = 50;
const CHECKSUM_LEN: usize = 4;

impl Format {
    /// What is true until the first FORMAT_DESCRIPTION: the events before it are artificial, and protected as the connection
    /// was told (`@source_binlog_checksum`).
    pub fn before(checksum: Checksum) -> Self {
        Self { server_version: String::new(), checksum, post_header_lens: Vec::new() }
    }

    /// The length of the fixed part of a type; `usual` if the server has not said it.
    pub fn post_header_len(&self, kind: EventKind, usual: u8) -> usize {
        let said = usize::from(kind.0).checked_sub(1).and_then(|i| self.post_header_lens.get(i));
        usize::from(said.copied().filter(|len| *len > 0).unwrap_or(usual))
    }

    /// Reads the body of a FORMAT_DESCRIPTION: all bytes behind the header, with the checksum.
    pub(super) fn parse(body: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        if cursor.u16("the binlog version")? != 4 {
            return Err(Fault::Malformed("the binlog's version is not 4: servers before 5.0 are not supported"));
        }
        let version = cursor.take(SERVER_VERSION_LEN, "the server's version")?;
        let version = version.split(|byte| *byte == 0).next().unwrap_or_default();
        let server_version = String::from_utf8_lossy(version).into_owned();
        cursor.u32("the creation time")?;
        if usize::from(cursor.u8("the header's length")?) != super::HEADER_LEN {
            return Err(Fault::Malformed("the header's length is not 19"));
        }
        let mut lens = cursor.rest();
        let mut checksum = Checksum::None;
        if has_algorithm(&server_version) {
            // The algorithm's number, then room for this event's own checksum, whether there is one or not.
            let cut = lens.len().checked_sub(1 + CHECKSUM_LEN).ok_or(Fault::Short("the checksum algorithm"))?;
            checksum = match lens[cut] {
                0 | 255 => Checksum::None,
                1 => Checksum::Crc32,
                _ => return Err(Fault::Malformed("the checksum algorithm is neither NONE nor CRC32")),
            };
            lens = &lens[..cut];
        }
        Ok(Self { server_version, checksum, post_header_lens: lens.to_vec() })
    }
}

/// Whether a server writes the checksum algorithm: MySQL does since 5.6.1, MariaDB since 5.3.
fn has_algorithm(version: &str) -> bool {
    let mut numbers = version.split(|c: char| !c.is_ascii_digit()).map(|n| n.parse::<u32>().unwrap_or(0));
    let number = [numbers.next(), numbers.next(), numbers.next()].map(|n| n.unwrap_or(0));
    number >= [5, 6, 1] || version.contains("MariaDB") && number >= [5, 3, 0]
}
