//! Following the binlog: events become batches of changes, statements change the tables.
//!
//! Purpose: what has to be right for every event, whichever way it comes: where a restart goes on, what was already
//! delivered, and that a row never leaves before the schema that it is read by is safe in the history.
//!
//! Must not know: how a connection is made, what a copy does, Kafka.

mod ahead;
mod counted;
mod decoder;
mod doubt;
mod emit;
mod executed;
mod follow;
mod held;
mod phases;
mod place;
mod present;
mod reselected;
mod resume;
mod rows;
mod statement;
#[cfg(test)]
mod tests;
mod undecodable;
mod walk;
mod xa;

pub(crate) use decoder::{Decoder, Options};
pub(crate) use executed::Executed;
pub(crate) use follow::{Follow, Lasting, now_ms, now_us};
pub(crate) use place::Place;
pub(crate) use present::Present;
pub(crate) use resume::Resume;
pub(crate) use undecodable::Undecodable;
pub(crate) use walk::{Found, Inner, Walk, unpack};

/// Writes the counts of transaction metadata into a position, from which the Java connector can go on inside of the
/// transaction.
pub(crate) fn counts(position: &mut record::Position, counts: &relational::Transactions) {
    let counts: serde_json::Map<String, serde_json::Value> =
        counts.tables().map(|(table, count)| (table.to_string(), count.into())).collect();
    let Some(texts) = &position.texts else { return };
    let mut texts = texts.to_vec();
    if let Some(text) = texts.get_mut(crate::position::COUNTS) {
        *text = Some(serde_json::Value::Object(counts).to_string().into());
    }
    position.texts = Some(texts.into());
}
