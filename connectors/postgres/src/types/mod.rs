//! PostgreSQL's types: from a column's type to its Connect schema, and from its bytes (pgoutput's text, COPY's binary) to
//! a value. Which type becomes which schema follows Debezium's documentation of its PostgreSQL connector ("Data type
//! mappings"). The form of the bytes follows the PostgreSQL manual, chapter 8.
//!
//! Purpose: a new type costs one row in `plan.rs`, its case in `cell.rs` and a test.
//!
//! Must not know: sockets, SQL, Kafka, who reads the values.

mod absent;
mod array;
mod catalogue;
mod cell;
mod default;
mod given;
mod misc;
mod number;
mod plan;
mod row;
mod source;
mod time;

pub use catalogue::{Catalogue, PgType, TypeKind};
pub use cell::{Cell, Form};
pub use given::{Conversion, GivenRow, conversion};
pub use plan::{BinaryMode, ConvertFailure, DecimalMode, HstoreMode, IntervalMode, Modes, Planned, TimeMode, plan};
pub use row::{ColumnCodec, RowCodec, column_codec};
pub(crate) use source::source_type;
