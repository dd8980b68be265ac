//! What a table's changes look like: names, Connect schemas, which cell goes where. A table has one shape for each version
//! of its columns.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::{Decode, Schema};

/// A fresh shape id; never given out twice in a process.
pub fn next_shape_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

/// The message key of a table.
#[derive(Clone, Debug)]
pub struct KeyShape {
    /// The key's struct schema.
    pub schema: Arc<Schema>,
    /// For each field of the key, the cell that holds it.
    pub cells: Vec<u16>,
}

/// What all rows of a table have in common: everything that the pipeline needs to know besides the cells.
pub struct Shape {
    /// Shapes whose records look alike (the same table, read twice) may share an id. Other shapes never do while the process
    /// lives. Prepared encoders are found by this id.
    pub id: u64,
    /// `schema.table`, as messages and filters name it.
    pub table: Arc<str>,
    /// The topic of its records, before any transform.
    pub topic: Arc<str>,
    /// The key, unless the table has none.
    pub key: Option<KeyShape>,
    /// The row's struct schema (optional, as inside an envelope).
    pub row: Arc<Schema>,
    /// The whole value's schema.
    pub envelope: Arc<Schema>,
    /// For each field of the row, the cell that holds it.
    pub cells: Vec<u16>,
    /// The source block.
    pub source: SourceShape,
    /// Turns the raw rows of the table into values.
    pub decode: Box<dyn Decode>,
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape").field("id", &self.id).field("table", &self.table).finish_non_exhaustive()
    }
}

/// The source block: its schema and where each field comes from.
#[derive(Clone, Debug)]
pub struct SourceShape {
    /// The struct's schema.
    pub schema: Arc<Schema>,
    /// One entry for each field of the schema, in its order.
    pub fields: Vec<SourceField>,
}

/// Where a field of the source block comes from. A number is the index of a word of the event's
/// [`Position`](crate::Position).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceField {
    /// A text that is the same for every event of the table.
    Text(Arc<str>),
    /// A word as it stands; null when unknown.
    Word(usize),
    /// A word in microseconds, shown in milliseconds.
    Millis(usize),
    /// A word in microseconds.
    Micros(usize),
    /// A word in microseconds, shown in nanoseconds.
    Nanos(usize),
    /// The text of the change's [`SnapshotMark`](crate::SnapshotMark).
    Snapshot,
    /// A JSON text of two words: `["commit","lsn"]`, each null when unknown.
    Sequence {
        /// Index of the word with the last commit's LSN.
        commit: usize,
        /// Index of the word with the event's LSN.
        lsn: usize,
    },
    /// The position's text.
    PositionText,
}
