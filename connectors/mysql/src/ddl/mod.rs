//! Reads the DDL that can change a table, and passes over everything else.
//!
//! Purpose: the binlog carries DDL as text, and the shape of every table follows from it; no statement that the server took may stop the connector.
//!
//! A text is cut into tokens ([`lexer`]) and read as one of some ten statements ([`read`]); a [`Catalog`] applies them to
//! its tables. What cannot change a table is not read. What does and is not understood is an answer of its own
//! ([`NotUnderstood`]), and leaves the tables that it may have changed in doubt ([`Catalog::doubt`]) until another statement
//! makes them or the caller finds out how they are. The model and the records follow Debezium 3.6.1, whose two grammars
//! differ in places ([`Grammar`]); where it would read rows wrongly, the server's rule is followed.
//!
//! Must not know: the wire, the binlog, Kafka, how values are decoded.

mod alter;
mod alteration;
mod catalog;
mod column;
mod create;
mod creation;
mod cursor;
mod datatype;
mod dialect;
mod doubts;
mod filter;
#[cfg(any(test, feature = "fuzzing"))]
pub mod hostile;
pub mod lexer;
mod normal;
mod outcome;
mod read;
mod statement;
mod touched;

pub use catalog::{Catalog, Query, Rules};
pub use dialect::{Dialect, Grammar};
pub use doubts::Doubt;
pub use filter::DdlFilter;
pub use outcome::{NotUnderstood, Outcome, SchemaChange};
pub(crate) use touched::Touched;

use statement::Name;
