//! Events that name a transaction.

use super::cursor::Cursor;
use super::{EventKind, Fault};
use crate::gtid::Tag;

/// GTID, GTID_TAGGED and ANONYMOUS_GTID of MySQL: the begin of a transaction, with its id and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GtidEvent {
    /// The server that ran the transaction first; zeros in ANONYMOUS_GTID.
    pub uuid: [u8; 16],
    /// The id's tag, empty in most.
    pub tag: Tag,
    /// The transaction's number, from 1; 0 in ANONYMOUS_GTID.
    pub number: u64,
    /// When the transaction was committed on the server that ran it first, in microseconds since 1970. None from servers
    /// before 8.0.1.
    pub original_commit_us: Option<u64>,
    /// When it was committed on the server that this connection reads from.
    pub immediate_commit_us: Option<u64>,
    /// The bytes of the transaction in the binlog, this event among them; none from servers before 8.0.2.
    pub transaction_length: Option<u64>,
}

impl GtidEvent {
    pub(super) fn parse(body: &[u8], kind: EventKind) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        cursor.u8("the flags")?;
        let uuid = cursor.array("the server's UUID")?;
        let number = cursor.u64("the number")?;
        let mut event = Self {
            uuid,
            tag: Tag::NONE,
            number,
            original_commit_us: None,
            immediate_commit_us: None,
            transaction_length: None,
        };
        event.check(kind)?;
        // What follows came with later versions. 2 marks two logical clocks; an older server has none, or others.
        if cursor.is_empty() || cursor.u8("the clocks")? != 2 {
            return Ok(event);
        }
        cursor.take(16, "the clocks")?;
        if cursor.left() >= 7 {
            const TWO_TIMES: u64 = 1 << 55;
            let immediate = cursor.uint(7, "the commit's time")?;
            event.immediate_commit_us = Some(immediate & !TWO_TIMES);
            event.original_commit_us = event.immediate_commit_us;
            if immediate & TWO_TIMES != 0 {
                event.original_commit_us = Some(cursor.uint(7, "the commit's time")?);
            }
            if !cursor.is_empty() {
                event.transaction_length = Some(cursor.packed("the transaction's length")?);
            }
        }
        Ok(event)
    }

    fn check(&self, kind: EventKind) -> Result<(), Fault> {
        let anonymous = kind == EventKind::ANONYMOUS_GTID;
        if anonymous != (self.number == 0) || self.number >= i64::MAX as u64 {
            return Err(Fault::Malformed("the transaction's number is out of range"));
        }
        Ok(())
    }

    /// GTID_TAGGED has the form of MySQL's serialization library: a version, the size, the last field that must be
    /// understood, then fields in growing order, each with its number in front; all numbers in [`varlen`]'s form.
    pub(super) fn parse_tagged(body: &[u8]) -> Result<Self, Fault> {
        const WHAT: &str = "the fields";
        const LAST_KNOWN: u64 = 11;
        let mut cursor = Cursor::new(body);
        if varlen(&mut cursor)? != 1 {
            return Err(Fault::Malformed("the version of the event's form is not 1"));
        }
        let size = varlen(&mut cursor)?;
        if size != body.len() as u64 {
            return Err(Fault::Malformed("the fields have another size than the event"));
        }
        if varlen(&mut cursor)? > LAST_KNOWN {
            return Err(Fault::Malformed("the event has fields that must not be passed over and that are unknown"));
        }
        let mut event = Self {
            uuid: [0; 16],
            tag: Tag::NONE,
            number: 0,
            original_commit_us: None,
            immediate_commit_us: None,
            transaction_length: None,
        };
        let mut least = 0;
        while !cursor.is_empty() {
            let field = varlen(&mut cursor)?;
            if field < least {
                return Err(Fault::Malformed("the fields are out of order"));
            }
            least = field.saturating_add(1);
            match field {
                // The flags.
                0 => drop(cursor.u8(WHAT)?),
                1 => {
                    for byte in &mut event.uuid {
                        *byte = u8::try_from(varlen(&mut cursor)?)
                            .map_err(|_| Fault::Malformed("a byte of the UUID is more than 255"))?;
                    }
                }
                2 => event.number = signed(varlen(&mut cursor)?).try_into().unwrap_or(0),
                3 => {
                    let length = varlen(&mut cursor)?;
                    let text = cursor.take(usize::try_from(length).map_err(|_| Fault::Short(WHAT))?, WHAT)?;
                    event.tag = Tag::new(text).ok_or(Fault::Malformed("the tag is not one"))?;
                }
                // last_committed and sequence_number.
                4 | 5 => drop(varlen(&mut cursor)?),
                6 => {
                    event.immediate_commit_us = Some(varlen(&mut cursor)?);
                    event.original_commit_us = event.immediate_commit_us;
                }
                7 => event.original_commit_us = Some(varlen(&mut cursor)?),
                8 => event.transaction_length = Some(varlen(&mut cursor)?),
                // The servers' versions, and the ticket of a group.
                9..=11 => drop(varlen(&mut cursor)?),
                // Fields of later versions, which may be passed over.
                _ => break,
            }
        }
        event.check(EventKind::GTID_TAGGED)?;
        Ok(event)
    }
}

/// A number of one to nine bytes: the ones at the low end of the first byte say how many more follow.
pub(crate) fn varlen(cursor: &mut Cursor) -> Result<u64, Fault> {
    const WHAT: &str = "a number";
    let first = cursor.u8(WHAT)?;
    let more = first.trailing_ones();
    let high = cursor.uint(more as usize, WHAT)?;
    if more == 8 {
        return Ok(high);
    }
    let own = u64::from(first) >> (more + 1);
    Ok(high << (7 - more) | own)
}

/// A signed number from its unsigned form: the lowest bit is the sign.
fn signed(number: u64) -> i64 {
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

/// GTID of MariaDB: the begin of a transaction, or of a statement that is one by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MariaGtidEvent<'a> {
    /// The transaction's number in the domain.
    pub sequence: u64,
    /// The replication domain.
    pub domain: u32,
    /// Bits, see the constants.
    pub flags: u8,
    /// The XA transaction that is prepared or completed by this one: format, global part, branch's part.
    pub xa: Option<(u32, &'a [u8], &'a [u8])>,
    /// The session that ran it; from MariaDB 11.5 on.
    pub thread_id: Option<u32>,
}

impl<'a> MariaGtidEvent<'a> {
    /// No COMMIT or XID ends it: one statement.
    pub const STANDALONE: u8 = 1;
    const GROUP_COMMIT: u8 = 2;
    /// The statement is DDL.
    pub const DDL: u8 = 32;
    /// An XA transaction is prepared.
    pub const PREPARED_XA: u8 = 64;
    /// An XA transaction is committed or rolled back.
    pub const COMPLETED_XA: u8 = 128;

    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        const THREAD: u8 = 16;
        const ALTER: u8 = 4 | 8;
        let mut cursor = Cursor::new(body);
        let (sequence, domain, flags) =
            (cursor.u64("the sequence")?, cursor.u32("the domain")?, cursor.u8("the flags")?);
        let mut event = Self { sequence, domain, flags, xa: None, thread_id: None };
        if flags & Self::GROUP_COMMIT != 0 {
            cursor.u64("the commit's number")?;
        }
        if flags & (Self::PREPARED_XA | Self::COMPLETED_XA) != 0 {
            let format = cursor.u32("the format")?;
            let (global, branch) = (cursor.u8("a length")?, cursor.u8("a length")?);
            let global = cursor.take(usize::from(global), "the identifier")?;
            event.xa = Some((format, global, cursor.take(usize::from(branch), "the identifier")?));
        }
        // The rest came with later versions. Events without other fields are filled with zeros, which say the same.
        if cursor.is_empty() {
            return Ok(event);
        }
        let more = cursor.u8("the flags")?;
        if more & 1 != 0 && !cursor.is_empty() {
            // How many engines more than one took part.
            cursor.u8("the engines")?;
        }
        if more & ALTER != 0 {
            // The sequence of the ALTER's begin.
            cursor.u64("the sequence")?;
        }
        if more & THREAD != 0 {
            event.thread_id = Some(cursor.u32("the thread")?);
        }
        Ok(event)
    }
}

/// GTID_LIST of MariaDB: the last id of each domain and server in earlier files, as (domain, server, sequence).
pub(super) fn gtid_list(body: &[u8]) -> Result<Vec<(u32, u32, u64)>, Fault> {
    const WHAT: &str = "the list";
    let mut cursor = Cursor::new(body);
    // The upper four bits are flags.
    let count = cursor.u32(WHAT)? & 0x0fff_ffff;
    if cursor.left() < count as usize * 16 {
        return Err(Fault::Short(WHAT));
    }
    (0..count).map(|_| Ok((cursor.u32(WHAT)?, cursor.u32(WHAT)?, cursor.u64(WHAT)?))).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(bytes: &[u8], expect: Result<u64, Fault>) {
        assert_eq!(varlen(&mut Cursor::new(bytes)), expect);
    }

    #[test]
    fn numbers_of_one_to_nine_bytes() {
        check(&[0], Ok(0));
        check(&[0xfe], Ok(127));
        // The example of the library's own description, the lowest byte first.
        check(&[0b1111_1011, 0b1111_1111, 0b0000_0111], Ok(65535));
        check(&[0xff, 1, 2, 3, 4, 5, 6, 7, 0x88], Ok(0x8807_0605_0403_0201));
        check(&[0x7f, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff], Ok((1 << 56) - 1));
        check(&[0xff, 1], Err(Fault::Short("a number")));
    }

    #[test]
    fn signed_numbers() {
        for (number, expect) in [(0, 0), (2, 1), (1, -1), (3, -2), (u64::MAX, i64::MIN), (u64::MAX - 1, i64::MAX)] {
            assert_eq!(signed(number), expect);
        }
    }

    /// The field after the greatest number there is would have no number.
    #[test]
    fn a_field_with_the_greatest_number_is_of_a_later_version() {
        let fields = [&[2, 12 << 1, 0][..], &[0xff; 9]].concat();
        // Which may be passed over; what is missing is the transaction.
        let missing = Fault::Malformed("the transaction's number is out of range");
        assert_eq!(GtidEvent::parse_tagged(&fields), Err(missing));
    }
}
