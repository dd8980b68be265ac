//! The schema history: every DDL statement with the tables that it left behind, in Debezium's form.
//!
//! Purpose: a start must know each table as it was at the stored position, and the Java connector must be able to read what we write and we what it wrote.
//!
//! A [`HistoryRecord`] is one JSON text on the history topic. [`recover`] replays them up to a position; [`Storing`] says
//! which statements are kept.
//!
//! Must not know: where the records are kept.

mod json;
mod position;
mod record;
mod recovery;
mod storing;

pub use position::{GtidRelation, When, compare};
pub use record::{HistoryRecord, Unreadable, damaged};
pub use recovery::{Recovered, Recovery, recover};
pub use storing::Storing;
