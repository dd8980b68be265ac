//! What can be wrong with the bytes of a binlog.

use super::EventKind;

/// An event that cannot be read: where it stands and what is wrong with it. Never holds a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("binlog {file}, position {position}, event {event}: {fault}")]
pub struct BinlogError {
    /// The binlog file, as the server names it.
    pub file: Box<str>,
    /// Where the event starts in the file. An event inside of a compressed transaction has the position of the
    /// TRANSACTION_PAYLOAD event.
    pub position: u64,
    /// The event's type.
    pub event: EventKind,
    /// What is wrong.
    pub fault: Fault,
}

impl BinlogError {
    /// Whether reading the event again may help: its bytes were changed on the way.
    pub fn is_transient(&self) -> bool {
        matches!(self.fault, Fault::Checksum { .. })
    }
}

/// What is wrong with an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The event ends before a field of it.
    #[error("the event ends inside of {0}")]
    Short(&'static str),
    /// A field has a value that it cannot have.
    #[error("{0}")]
    Malformed(&'static str),
    /// The event's checksum is another one than that of its bytes.
    #[error(
        "the checksum is {found:08x} where the bytes have {computed:08x}: they were changed on the way or on the server's \
         disk; read the event again, and if it stays so, look at the server's file with mysqlbinlog --verify-binlog-checksum"
    )]
    Checksum {
        /// The event's own.
        found: u32,
        /// That of the bytes.
        computed: u32,
    },
    /// A type that this version does not know, and that readers are not allowed to pass over.
    #[error("this event type is unknown, and the event is not marked as one that may be skipped: rows may be in it")]
    Unknown,
    /// The server lost events before this one.
    #[error("the server says that events are missing from its binlog (incident {0}); a new snapshot is needed")]
    Incident(u16),
    /// A column of a type that is not known.
    #[error("column {column} has the unknown binlog type {kind}")]
    ColumnType {
        /// The column, from 0.
        column: u16,
        /// The type's number.
        kind: u8,
    },
    /// The rows have another number of columns than the TABLE_MAP before them.
    #[error("the rows have {rows} columns, their TABLE_MAP has {map}")]
    ColumnCount {
        /// The columns of the rows.
        rows: u64,
        /// The columns of the TABLE_MAP.
        map: usize,
    },
    /// The rows name another table than the TABLE_MAP that they are read with.
    #[error("the rows are of table number {rows}, the TABLE_MAP is of {map}")]
    TableNumber {
        /// The number in the rows event.
        rows: u64,
        /// The number in the TABLE_MAP.
        map: u64,
    },
    /// Rows of a table number that no TABLE_MAP before them has.
    #[error("the rows are of table number {0}, which no TABLE_MAP before them explains")]
    NoTableMap(u64),
    /// A partial update of JSON, without the value that it changes.
    #[error(
        "column {0} has a partial JSON update, and the row's before image lacks the value that it changes: \
         set binlog_row_image=FULL in the session that writes, or switch off binlog_row_value_options=PARTIAL_JSON"
    )]
    PartialWithoutBefore(u16),
    /// A partial update of JSON that cannot be applied.
    #[error("column {column}: {fault}")]
    Json {
        /// The column, from 0.
        column: u16,
        /// Why.
        fault: crate::json::JsonError,
    },
    /// Compressed data that cannot be read.
    #[error("the {0} data cannot be decompressed")]
    Decompress(&'static str),
    /// More data than was declared, or than is allowed.
    #[error("{what} is {size} bytes, at most {most} are allowed")]
    TooLarge {
        /// What is too large.
        what: &'static str,
        /// Its size.
        size: u64,
        /// The limit.
        most: u64,
    },
}
