//! The events of the binlog: headers, checksums, row images.
//!
//! Purpose: rows are decoded from the bytes of the event that carries them, and an event that cannot be read is an error,
//! never a gap. An event is a view of the buffer that the connection fills; of its rows only the places of the cells are
//! found ([`Rows::find`]), in one pass and without an allocation a row, and the types decode the bytes there. The few cells
//! that are in no event (MariaDB's compressed rows, JSON after a partial update) go to a [`Side`]. A compressed
//! transaction is given out event by event ([`PayloadReader`]), so that it may be larger than the memory.
//!
//! Must not know: the socket, DDL's meaning, Connect's schemas.

mod bitmap;
mod columns;
mod control;
pub(crate) mod cursor;
mod fault;
mod format;
mod gtid_event;
mod header;
mod inflate;
mod kind;
mod metadata;
mod payload;
mod query;
mod reader;
mod rows;
mod side;
mod table_map;
#[cfg(test)]
mod tests;

pub use bitmap::Bitmap;
pub use columns::{Layout, WireColumn, wire_type};
pub use control::{Heartbeat, Incident, Rotate, StartEncryption, XaPrepare};
pub use fault::{BinlogError, Fault};
pub use format::{Checksum, Format};
pub use gtid_event::{GtidEvent, MariaGtidEvent};
pub use header::{HEADER_LEN, Header};
pub use kind::EventKind;
pub use metadata::{ColumnMetadata, Metadata};
pub use payload::{Compression, Payload, PayloadReader};
pub use query::{Query, Status};
pub use reader::{Body, Event, Reader};
pub use rows::{Row, Rows, RowsKind};
pub use side::Side;
pub use table_map::TableMap;

pub(crate) use columns::decimal_width;
pub(crate) use gtid_event::varlen;

/// The greatest event: the greatest `max_allowed_packet` of both servers, in bytes.
pub const MAX_EVENT_BYTES: u64 = 1 << 30;
