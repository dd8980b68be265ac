//! QUERY: a statement with what its meaning depends on.

use std::borrow::Cow;

use super::cursor::Cursor;
use super::inflate::inflated;
use super::{EventKind, Fault, Format};

/// QUERY, and QUERY_COMPRESSED of MariaDB.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Query<'a> {
    /// The session of the server that ran the statement.
    pub thread_id: u32,
    /// How long it ran, in seconds.
    pub duration_s: u32,
    /// The error that it ended with; 0 is none.
    pub error: u16,
    /// The current database; empty if there was none.
    pub database: &'a str,
    /// The statement, in the client's character set.
    pub statement: Cow<'a, [u8]>,
    /// The session's variables that the statement depends on.
    pub status: Status<'a>,
}

/// Variables of the session that ran a statement, as far as a reader of DDL needs them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Status<'a> {
    /// `sql_mode` as bits.
    pub sql_mode: Option<u64>,
    /// The numbers of `character_set_client`, `collation_connection` and `collation_server`.
    pub charsets: Option<[u16; 3]>,
    /// `time_zone`, if the statement used it.
    pub time_zone: Option<&'a str>,
    /// The number of the current database's default collation (`collation_database`).
    pub collation_database: Option<u16>,
    /// The number of the collation that columns of utf8mb4 get which name none (`default_collation_for_utf8mb4`).
    pub utf8mb4_collation: Option<u16>,
    /// The microseconds of the statement's start; the seconds are in the header.
    pub start_us: Option<u32>,
    /// Whether `explicit_defaults_for_timestamp` was on.
    pub explicit_timestamp_defaults: Option<bool>,
    /// The transaction's number, if the statement is DDL that commits itself.
    pub ddl_xid: Option<u64>,
    /// Whether `sql_require_primary_key` was on.
    pub require_primary_key: Option<bool>,
}

impl<'a> Query<'a> {
    pub(super) fn parse(body: &'a [u8], kind: EventKind, format: &Format) -> Result<Self, Fault> {
        let mut cursor = Cursor::new(body);
        let thread_id = cursor.u32("the thread")?;
        let duration_s = cursor.u32("the duration")?;
        let database = usize::from(cursor.u8("the database's length")?);
        let error = cursor.u16("the error")?;
        let status = usize::from(cursor.u16("the variables' length")?);
        // Fields that later versions may put behind the known ones.
        let known = usize::from(POST_HEADER);
        let more = format.post_header_len(kind, POST_HEADER).checked_sub(known);
        cursor.take(more.ok_or(Fault::Malformed("the fixed part is too short"))?, "the fixed part")?;
        let status = cursor.take(status, "the variables")?;
        let database = super::cursor::name(cursor.take(database, "the database")?)?;
        cursor.u8("the database")?;
        let rest = cursor.rest();
        let statement = match kind {
            EventKind::QUERY_COMPRESSED => Cow::Owned(inflated(rest)?),
            _ => Cow::Borrowed(rest),
        };
        Ok(Self { thread_id, duration_s, error, database, statement, status: Status::parse(status)? })
    }
}

/// The length of the fixed part since MySQL 5.0.
const POST_HEADER: u8 = 13;

impl<'a> Status<'a> {
    /// Reads the variables: each is a code and a value whose length follows from the code. Behind a code that is not known
    /// nothing can be read; codes are written in growing order, so that the known ones come first.
    fn parse(bytes: &'a [u8]) -> Result<Self, Fault> {
        const WHAT: &str = "the variables";
        let mut cursor = Cursor::new(bytes);
        let mut status = Self::default();
        while !cursor.is_empty() {
            match cursor.u8(WHAT)? {
                // Options of the session.
                0 => drop(cursor.u32(WHAT)?),
                1 => status.sql_mode = Some(cursor.u64(WHAT)?),
                // The catalog, in the form of 5.0.0 to 5.0.3.
                2 => {
                    let length = usize::from(cursor.u8(WHAT)?);
                    cursor.take(if length > 0 { length + 1 } else { 0 }, WHAT)?;
                }
                // auto_increment_increment and _offset.
                3 => drop(cursor.u32(WHAT)?),
                4 => status.charsets = Some([cursor.u16(WHAT)?, cursor.u16(WHAT)?, cursor.u16(WHAT)?]),
                5 => status.time_zone = Some(super::cursor::name(cursor.short_bytes(WHAT)?)?),
                // The catalog.
                6 => drop(cursor.short_bytes(WHAT)?),
                // lc_time_names.
                7 => drop(cursor.u16(WHAT)?),
                8 => status.collation_database = Some(cursor.u16(WHAT)?),
                // The tables that a multi-table update writes to.
                9 => drop(cursor.u64(WHAT)?),
                // The length of written data (never released).
                10 => drop(cursor.u32(WHAT)?),
                // The account that invokes a routine.
                11 => {
                    cursor.short_bytes(WHAT)?;
                    cursor.short_bytes(WHAT)?;
                }
                // The databases that are written to; 254 says that they are too many.
                12 => {
                    let count = cursor.u8(WHAT)?;
                    for _ in 0..if count == 254 { 0 } else { count } {
                        while cursor.u8(WHAT)? != 0 {}
                    }
                }
                // Microseconds: of MySQL, and with another code of MariaDB.
                13 | 128 => status.start_us = Some(cursor.uint(3, WHAT)? as u32),
                // An unused code.
                14 | 15 => break,
                16 => status.explicit_timestamp_defaults = Some(cursor.u8(WHAT)? != 0),
                17 => status.ddl_xid = Some(cursor.u64(WHAT)?),
                18 => status.utf8mb4_collation = Some(cursor.u16(WHAT)?),
                19 => status.require_primary_key = Some(cursor.u8(WHAT)? != 0),
                // default_table_encryption.
                20 => drop(cursor.u8(WHAT)?),
                _ => break,
            }
        }
        Ok(status)
    }
}
