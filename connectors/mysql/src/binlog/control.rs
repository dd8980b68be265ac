//! Events about the binlog itself: the next file, heartbeats, incidents, prepared XA transactions.

use super::cursor::{Cursor, name};
use super::{EventKind, Fault, Format};

/// ROTATE: where the events go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rotate<'a> {
    /// The file.
    pub file: &'a str,
    /// The position in it.
    pub position: u64,
}

impl<'a> Rotate<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        let position = cursor.u64("the position")?;
        let file = name(cursor.rest())?.trim_end_matches('\0');
        if file.is_empty() {
            return Err(Fault::Short("the file's name"));
        }
        Ok(Self { file, position })
    }
}

/// HEARTBEAT and HEARTBEAT_V2: where the server stands while it has nothing to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Heartbeat<'a> {
    /// The file.
    pub file: &'a str,
    /// The position in it; version 1 has its lower 32 bits in the header only, and none here.
    pub position: Option<u64>,
}

impl<'a> Heartbeat<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        Ok(Self { file: name(body)?.trim_end_matches('\0'), position: None })
    }

    /// Version 2 consists of fields: type, length, value; type 0 ends them.
    pub(super) fn parse_v2(body: &'a [u8]) -> Result<Self, Fault> {
        const END: u64 = 0;
        const FILE: u64 = 1;
        const POSITION: u64 = 2;
        let mut cursor = Cursor::new(body);
        let mut heartbeat = Self { file: "", position: None };
        while !cursor.is_empty() {
            let kind = cursor.packed("a field's type")?;
            if kind == END {
                break;
            }
            let value = cursor.packed_bytes("a field")?;
            match kind {
                FILE => heartbeat.file = name(value)?,
                POSITION => heartbeat.position = Some(Cursor::new(value).packed("the position")?),
                _ => {}
            }
        }
        Ok(heartbeat)
    }
}

/// INCIDENT: the server says that its binlog is not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Incident<'a> {
    /// What happened; 1 is "events were lost".
    pub number: u16,
    /// The server's words for it.
    pub message: &'a [u8],
}

impl<'a> Incident<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        let number = cursor.u16("the incident's number")?;
        let message = if cursor.is_empty() { &[] } else { cursor.short_bytes("the message")? };
        Ok(Self { number, message })
    }
}

/// XA_PREPARE: the end of the rows of an XA transaction.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct XaPrepare<'a> {
    /// The transaction is committed by this event, in one phase; otherwise it is prepared, and a QUERY event with
    /// `XA COMMIT` or `XA ROLLBACK` follows some time.
    pub one_phase: bool,
    /// The number of the identifier's format.
    pub format: u32,
    /// The global part of the identifier.
    pub global: &'a [u8],
    /// The branch's part of the identifier.
    pub branch: &'a [u8],
}

impl<'a> XaPrepare<'a> {
    pub(super) fn parse(body: &'a [u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        let one_phase = cursor.u8("the phase")? != 0;
        let format = cursor.u32("the format")?;
        let (global, branch) = (cursor.u32("a length")?, cursor.u32("a length")?);
        if global > 64 || branch > 64 {
            return Err(Fault::Malformed("a part of the XA identifier is longer than 64 bytes"));
        }
        let global = cursor.take(global as usize, "the identifier")?;
        let branch = cursor.take(branch as usize, "the identifier")?;
        Ok(Self { one_phase, format, global, branch })
    }
}

/// ROWS_QUERY (MySQL) and ANNOTATE_ROWS (MariaDB): the statement that the next rows come from, in the character set of
/// the client that sent it.
pub(super) fn statement<'a>(body: &'a [u8], kind: EventKind, format: &Format) -> Result<&'a [u8], Fault> {
    let mut cursor = Cursor::new(body);
    if kind == EventKind::ROWS_QUERY {
        // A length of one byte, which is cut for long statements.
        cursor.take(format.post_header_len(kind, 0) + 1, "the statement's length")?;
    }
    Ok(cursor.rest())
}

/// BINLOG_CHECKPOINT: the oldest file that a recovery of the server needs.
pub(super) fn checkpoint(body: &[u8]) -> Result<&str, Fault> {
    let mut cursor = Cursor::new(body);
    let length = cursor.u32("the name's length")?;
    name(cursor.take(length as usize, "the file's name")?)
}

/// START_ENCRYPTION of MariaDB: how the rest of the file is encrypted. A server that sends its events to a client sends
/// them in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StartEncryption {
    /// The scheme.
    pub scheme: u8,
    /// The version of the key.
    pub key_version: u32,
}

impl StartEncryption {
    pub(super) fn parse(body: &[u8]) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        let parsed = Self { scheme: cursor.u8("the scheme")?, key_version: cursor.u32("the key's version")? };
        cursor.array::<12>("the nonce")?;
        Ok(parsed)
    }
}
