//! What a table's changes look like: names, Connect schemas, which cell goes where. One a table and version of it.

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

/// Everything the pipeline needs to know about a table's rows; what is the same for all of them is here, once.
pub struct Shape {
    /// Shapes whose records look alike may share it (the same table, read twice); others never do, for the life of the process.
    /// What is prepared for a shape is found by it.
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
    /// How its rows are read.
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
    /// One entry a field of the schema.
    pub fields: Vec<SourceField>,
}

/// Where a field of the source block comes from. Slots are words of the event's [`Position`](crate::Position).
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum SourceField {
    /// The same for every event of the table.
    Text(Arc<str>),
    /// A word as it stands; null when unknown.
    Word(usize),
    /// A word in microseconds, shown in milliseconds.
    Millis(usize),
    /// A word in microseconds.
    Micros(usize),
    /// A word in microseconds, shown in nanoseconds.
    Nanos(usize),
    /// The snapshot mark.
    Snapshot,
    /// A JSON text of two words: `["commit","lsn"]`, the first null when unknown.
    Sequence {
        /// Slot of the last commit's position.
        commit: usize,
        /// Slot of the event's position.
        lsn: usize,
    },
    /// The position's text.
    PositionText,
}
