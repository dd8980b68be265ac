//! Where in the source's log an event stands, and the facts that its source block and its stored offset are made of.

use std::sync::Arc;

/// A word that says "not known" (SQL NULL would be another thing: positions have none).
pub const NONE: i64 = i64::MIN;

/// What the connector knows about the place of an event, opaque to everybody else: the connector says which word means
/// what, the source block and the offset are both written from it, and the ledger only stores and orders it.
///
/// Small and copied by value: one is made for every event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Numbers such as an LSN, a transaction id, a time in microseconds; [`NONE`] when unknown.
    pub words: [i64; Self::WORDS],
    /// The one text that a position may need (an origin's name, a GTID set); shared, never built per event.
    pub text: Option<Arc<str>>,
}

impl Position {
    /// How many words a position has; the largest need today is PostgreSQL's.
    pub const WORDS: usize = 10;

    /// A position of which nothing is known.
    pub const UNKNOWN: Self = Self { words: [NONE; Self::WORDS], text: None };

    /// The word in a slot, or `None` where it is not known.
    pub fn word(&self, slot: usize) -> Option<i64> {
        Some(self.words[slot]).filter(|word| *word != NONE)
    }
}
