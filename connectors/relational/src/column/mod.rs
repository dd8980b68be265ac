//! What a user has done to columns on their way into a record: masks, digests, truncation, the source type told in the
//! schema (`column.mask.*`, `column.truncate.*`, `*.propagate.source.type`), and updates left out that change nothing that
//! is sent (`skip.messages.without.change`).
//!
//! A rule is looked for once a column, when its table's shape is made. What it does to the schema is done there; what it does
//! to values stands in a decoder around the table's own ([`Treated`]). A table without rules has no such decoder, so it pays
//! nothing.
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
