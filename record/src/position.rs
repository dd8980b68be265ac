//! Where in the source's log an event stands, and what its source block and its stored offset are made from.

use std::sync::Arc;

/// The word that means "not known".
pub const NONE: i64 = i64::MIN;

/// The place of an event in the source's log. Only the connector knows which word means what; the source block and the
/// stored offset are written from the words. To everybody else a position is opaque: the ledger only keeps it in order.
///
/// A position is small, because one is made for every event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Numbers such as an LSN, a transaction id, a time in microseconds; [`NONE`] when unknown.
    pub words: [i64; Self::WORDS],
    /// The one text that a position may need (an origin's name, a GTID set). It is shared by events, never made for each.
    pub text: Option<Arc<str>>,
}

impl Position {
    /// How many words a position has: as many as PostgreSQL's, which has the most.
    pub const WORDS: usize = 10;

    /// A position of which nothing is known.
    pub const UNKNOWN: Self = Self { words: [NONE; Self::WORDS], text: None };

    /// The word at index `slot`, or `None` when it is not known.
    pub fn word(&self, slot: usize) -> Option<i64> {
        Some(self.words[slot]).filter(|word| *word != NONE)
    }
}
