//! The shared vocabulary of the daemon: tables and rows, Connect schemas, values, records and positions.
//!
//! Purpose: every other room speaks in these types, so a change travels from the socket to the broker without being
//! rebuilt. A row stays raw (spans into the buffer that was read) until the converter writes it; a schema is interned, so
//! that "the same schema" is one number to compare; a position is a handful of words that only its connector can read.
//!
//! Must not know: any wire format, any database, Kafka, I/O, clocks.

mod adjust;
mod batch;
mod cache;
mod headers;
pub mod java_map;
mod number;
mod part;
mod position;
mod row;
mod schema;
mod shape;
mod source;
mod text;
mod value;
mod view;

pub use adjust::{Adjustment, adjust_field_name, adjust_schema_name, push_unicode};
pub use batch::{Batch, Change, Event, Item, KeyMove, Op, RowRef, SnapshotMark, TransactionMark};
pub use cache::Cache;
pub use headers::{Follower, Header, Headers};
pub use number::{place_decimal, write_decimal, write_double, write_float, write_int, write_long_decimal};
pub use part::{Leaf, Node, Part, Presence};
pub use position::{NONE, Position, Texts};
pub use row::{Decode, DecodeError, Span};
pub use schema::{Field, Kind, Logical, Schema, SchemaBuilder};
pub use shape::{KeyShape, Shape, ShapeViews, SourceField, SourceShape};
pub use source::{Frame, Mask, Source};
pub use text::{civil_from_days, days_from_civil, write_iso_date, write_zoned};
pub use value::{Value, ValueRef, small_twos_complement, twos_complement, unhex, unhex_checked, unscaled_of};
pub use view::{Decoded, Payload, Record, View};
