//! Column rules: masks and hashes (`column.mask.*`), truncation (`column.truncate.*`), source types written into
//! schemas (`*.propagate.source.type`); and skipping updates that change nothing in the record
//! (`skip.messages.without.change`).
//!
//! The rule of a column is looked up once, when the shape of its table is made. The rule changes the column's schema at
//! that point; it changes the values in a decoder that wraps the table's own ([`Treated`]). A table without rules has
//! no such decoder and pays nothing.
//!
//! Must not know: a database's types or its log; how values are encoded.

mod digest;
mod java;
mod rules;
mod same;
mod treated;
mod treatment;

pub use java::in_map_order;
pub use rules::{Applied, ColumnRules, SourceType};
pub use same::Unchanged;
pub(crate) use treated::Treated;
pub use treatment::Treatment;
