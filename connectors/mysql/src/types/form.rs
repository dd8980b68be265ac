//! The three forms in which a cell's bytes arrive, and which types of the binlog fit which cells.

use super::cell::Cell;
use crate::binlog::{WireColumn, wire_type as kind};

/// How the bytes of a cell look. A cell's bytes never include a length that stands before them on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A row of a query's result in the text protocol, under `SET NAMES utf8mb4` and `time_zone = '+00:00'`.
    Text,
    /// A row of a prepared statement's result (the binary protocol), under the same settings.
    Binary,
    /// A row of the binlog whose table map names this type.
    Log(WireColumn),
}

/// The digits of a second's fraction, of the types that have them.
pub(super) fn digits(log: WireColumn) -> u8 {
    log.metadata.min(6) as u8
}

/// Whether the values are compressed column by column (MariaDB's COMPRESSED).
pub(super) fn is_compressed(log: WireColumn) -> bool {
    matches!(log.kind, kind::BLOB_COMPRESSED | kind::VARCHAR_COMPRESSED)
}

fn is_integer(log: WireColumn) -> bool {
    matches!(log.kind, kind::TINY | kind::SHORT | kind::LONG | kind::LONGLONG | kind::INT24)
}

fn is_string(log: WireColumn) -> bool {
    is_compressed(log)
        || matches!(log.kind, kind::VARCHAR | kind::TINY_BLOB..=kind::BLOB | kind::VAR_STRING | kind::STRING)
}

/// Whether the log's values of this type can be read as `cell`. They cannot when the table was changed behind the
/// connector's back.
pub(super) fn fits(log: WireColumn, cell: &Cell) -> bool {
    match cell {
        Cell::Converted(inner, _) => fits(log, inner),
        Cell::Int { .. } | Cell::Flag | Cell::UnsignedBigint => is_integer(log),
        Cell::Float => log.kind == kind::FLOAT,
        Cell::Double { .. } => matches!(log.kind, kind::FLOAT | kind::DOUBLE),
        Cell::Decimal { .. } => log.kind == kind::NEWDECIMAL,
        Cell::Bit | Cell::Bits { .. } => log.kind == kind::BIT,
        Cell::Year { .. } => log.kind == kind::YEAR,
        Cell::Text(_) | Cell::Bytes { .. } => is_string(log),
        Cell::Uuid | Cell::Inet4 | Cell::Inet6 => is_string(log),
        Cell::Enum(_) => log.kind == kind::ENUM,
        Cell::Set(_) => log.kind == kind::SET,
        Cell::Json => log.kind == kind::JSON,
        Cell::Date { .. } => matches!(log.kind, kind::DATE | kind::NEWDATE),
        Cell::Time(_) => matches!(log.kind, kind::TIME | kind::TIME2),
        Cell::Datetime { .. } => matches!(log.kind, kind::DATETIME | kind::DATETIME2),
        Cell::Timestamp { .. } => matches!(log.kind, kind::TIMESTAMP | kind::TIMESTAMP2),
        Cell::Point | Cell::Geometry => matches!(log.kind, kind::GEOMETRY | kind::TINY_BLOB..=kind::BLOB),
        // MariaDB's is a VARBINARY.
        Cell::Vector => log.kind == kind::VECTOR || is_string(log),
    }
}
