//! What a column becomes: its Connect schema, and how its bytes are read in the binlog and in a query's result. Which type
//! becomes which schema follows Debezium's documentation of its MySQL and MariaDB connectors ("Data type mappings"). The
//! form of the bytes follows MySQL's internals manual ("Binary Protocol Value", "Rows_event") and the sources' formats of
//! the old temporal types.
//!
//! Purpose: one table decides for every type and mode, so that the snapshot and the stream give the same value: a new type
//! costs a row in `plan.rs`, its case in `cell.rs` and a test.
//!
//! Must not know: the socket, DDL's grammar, Kafka.

mod address;
mod cell;
mod charset;
mod compressed;
mod converters;
mod decimal;
mod default;
mod form;
mod geometry;
#[cfg(any(test, feature = "fuzzing"))]
pub mod hostile;
mod labels;
mod literal;
mod modes;
mod moment;
mod number;
mod plan;
mod row;
#[cfg(any(test, feature = "fuzzing"))]
mod sample;
#[cfg(test)]
mod servers;
mod source;

pub use cell::{Cell, Conversion, Fault};
pub use charset::Charset;
pub use converters::Converters;

pub use form::Form;
pub use labels::Labels;
pub use literal::Literal;
pub use modes::{BigintUnsignedMode, Modes};
pub use plan::{Planned, plan};
pub use row::{ColumnCodec, RowCodec, column_codec, wrong_count};
pub use source::source_type;

pub(crate) use charset::{charset_of_collation, most_bytes};
pub(crate) use plan::jdbc;
