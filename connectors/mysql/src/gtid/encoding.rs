//! The encoding of MySQL's sets in COM_BINLOG_DUMP_GTID and PREVIOUS_GTIDS.
//!
//! Eight bytes say how many sources follow; a source is its UUID, its tag (in the newer form only), the number of its
//! intervals and those, the second number being one past the end. In the newer form the first and the last of the eight
//! bytes are 1, and the count is between them. The server writes it only if there is a tag, and so does this.

use super::mysql::END;
use super::{GtidError, Interval, MySqlSet, Source, Tag};
use crate::binlog::cursor::Cursor;
use crate::binlog::{Fault, varlen};

const TAGGED: u64 = 1;

impl MySqlSet {
    /// Appends the encoding.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let tagged = self.sources.keys().any(|source| !source.tag.is_none());
        let count = self.sources.len() as u64;
        let head = if tagged { TAGGED << 56 | count << 8 | TAGGED } else { count };
        out.extend(head.to_le_bytes());
        for (source, intervals) in &self.sources {
            out.extend(source.uuid);
            if tagged {
                let tag = source.tag.as_str().as_bytes();
                // The length as a number of variable size; 32 at most needs one byte.
                out.push((tag.len() as u8) << 1);
                out.extend(tag);
            }
            out.extend((intervals.len() as u64).to_le_bytes());
            for interval in intervals {
                out.extend(interval.first.to_le_bytes());
                out.extend((interval.last + 1).to_le_bytes());
            }
        }
    }

    /// Reads an encoding.
    ///
    /// # Errors
    /// When it ends early, has more bytes, or has numbers that no id has.
    pub fn decode(bytes: &[u8]) -> Result<Self, GtidError> {
        read(bytes).map_err(|fault| match fault {
            Fault::Malformed(what) => GtidError(what),
            _ => GtidError("the encoding ends early"),
        })
    }
}

fn read(bytes: &[u8]) -> Result<MySqlSet, Fault> {
    const WHAT: &str = "the set";
    let mut cursor = Cursor::new(bytes);
    let head = cursor.u64(WHAT)?;
    let tagged = match head >> 56 {
        0 => false,
        TAGGED => true,
        _ => return Err(Fault::Malformed("the encoding has an unknown form")),
    };
    let count = if tagged { head >> 8 & 0xffff_ffff_ffff } else { head };
    let mut set = MySqlSet::default();
    for _ in 0..count {
        let uuid = cursor.array(WHAT)?;
        let mut tag = Tag::NONE;
        if tagged {
            let length = varlen(&mut cursor)?;
            let text = cursor.take(usize::try_from(length).map_err(|_| Fault::Short(WHAT))?, WHAT)?;
            tag = Tag::new(text).ok_or(Fault::Malformed("a tag is not one"))?;
        }
        for _ in 0..cursor.u64(WHAT)? {
            let (first, end) = (cursor.u64(WHAT)?, cursor.u64(WHAT)?);
            if first < 1 || end <= first || end > END {
                return Err(Fault::Malformed("an interval is out of range"));
            }
            set.add_interval(Source { uuid, tag }, Interval { first, last: end - 1 });
        }
    }
    if cursor.is_empty() { Ok(set) } else { Err(Fault::Malformed("there are bytes behind the set")) }
}
