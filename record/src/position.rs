//! Where in the source's log an event stands, and what its source block and its stored offset are made from.

use std::sync::Arc;

/// The word that means "not known".
pub const NONE: i64 = i64::MIN;

/// The texts of a position, at the indexes that its connector gives them. A text that is not known is none.
pub type Texts = Arc<[Option<Arc<str>>]>;

/// The place of an event in the source's log. Only the connector knows which word and which text means what; the source
/// block and the stored offset are written from them. To everybody else a position is opaque: the ledger only keeps it in
/// order.
///
/// A position is small, because one is made for every event. Numbers stand in it; texts are shared by all events that have
/// the same ones, so a clone counts a reference and copies nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Position {
    /// Numbers such as an LSN, an offset in a file, a time in microseconds; [`NONE`] when unknown.
    pub words: [i64; Self::WORDS],
    /// The texts that a position needs: an origin's name; files of the binlog, a GTID set, the GTID of the transaction, a
    /// statement. They are made once a transaction or statement, never once an event.
    pub texts: Option<Texts>,
}

impl Position {
    /// How many words a position has: as many as the connectors need. MySQL's are, of the event, where it begins, its row,
    /// server, thread, time and where its transaction begins; of the point to go on from, where it is, how many events and
    /// rows after it are done, and flags.
    pub const WORDS: usize = 10;

    /// A position of which nothing is known.
    pub const UNKNOWN: Self = Self { words: [NONE; Self::WORDS], texts: None };

    /// The word at index `slot`, or `None` when it is not known.
    pub fn word(&self, slot: usize) -> Option<i64> {
        Some(self.words[slot]).filter(|word| *word != NONE)
    }

    /// The text at index `slot`, or `None` when it is not known.
    pub fn text(&self, slot: usize) -> Option<&str> {
        self.texts.as_ref()?.get(slot)?.as_deref()
    }
}

// A change holds a position, and half a thousand changes wait in a batch.
const _: () = assert!(size_of::<Position>() == 96);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_found_at_its_index() {
        let texts: Texts = Arc::new([Some("a".into()), None]);
        let position = Position { texts: Some(texts), ..Position::UNKNOWN };
        assert_eq!([0, 1, 2].map(|slot| position.text(slot)), [Some("a"), None, None]);
        assert_eq!(Position::UNKNOWN.text(0), None);
    }
}
