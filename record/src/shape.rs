//! What a table's changes look like: names, Connect schemas, which cell goes where. A table has one shape for each version
//! of its columns.

use std::fmt;
use std::sync::{Arc, OnceLock};

use crate::{Decode, Node, Part, Presence, Schema, Source, Value, View};

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
    /// The views that the fields above describe, made when they are first asked for.
    pub views: ShapeViews,
}

/// The views of a table's keys and envelopes. Shapes whose records look alike (the same table, announced twice) have the
/// same views, so what was prepared for a view stays valid until the table changes.
#[derive(Debug, Default)]
pub struct ShapeViews {
    key: OnceLock<Option<Arc<View>>>,
    envelope: OnceLock<Arc<View>>,
}

impl ShapeViews {
    /// The view of the whole envelope.
    pub fn envelope(&self, shape: &Shape) -> &Arc<View> {
        self.envelope.get_or_init(|| View::of(shape.envelope_part(), 0))
    }

    /// The view of the key; none for a table without a key.
    pub fn key(&self, shape: &Shape) -> Option<&Arc<View>> {
        let view = |key: &KeyShape| {
            let nodes = key.cells.iter().map(|cell| Source::Key(*cell).into()).collect();
            View::of(Part { schema: Arc::clone(&key.schema), node: Node::Struct(nodes, Presence::Always) }, 0)
        };
        self.key.get_or_init(|| shape.key.as_ref().map(view)).as_ref()
    }
}

impl Shape {
    fn envelope_part(&self) -> Part {
        let row = |cell: fn(u16) -> Source, presence| {
            Node::Struct(self.cells.iter().map(|place| cell(*place).into()).collect(), presence)
        };
        let node = |field: &crate::Field| match &*field.name {
            "before" => row(Source::Before, Presence::Before),
            "after" => row(Source::After, Presence::After),
            "source" => Node::Struct(self.source.fields.iter().map(SourceField::node).collect(), Presence::Always),
            "transaction" => {
                let of = |field: &crate::Field| match &*field.name {
                    "id" => Source::TransactionId.into(),
                    "total_order" => Source::TotalOrder.into(),
                    "data_collection_order" => Source::CollectionOrder.into(),
                    _ => null(),
                };
                Node::Struct(field.schema.fields().iter().map(of).collect(), Presence::Transaction)
            }
            "op" => Source::Op.into(),
            "ts_ms" => Source::TsMs.into(),
            "ts_us" => Source::TsUs.into(),
            "ts_ns" => Source::TsNs.into(),
            _ => null(),
        };
        let nodes = self.envelope.fields().iter().map(node).collect();
        Part { schema: Arc::clone(&self.envelope), node: Node::Struct(nodes, Presence::Always) }
    }
}

fn null() -> Node {
    Source::Constant(Arc::new(Value::Null)).into()
}

impl SourceField {
    fn node(&self) -> Node {
        match self {
            Self::Text(text) => Source::Constant(Arc::new(Value::text(text))).into(),
            other => Source::Block(other.clone()).into(),
        }
    }
}

impl fmt::Debug for Shape {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shape").field("table", &self.table).finish_non_exhaustive()
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
    /// A word as it stands, that differs from event to event; null when unknown.
    Word(usize),
    /// A word as it stands, that is the same for all events of a transaction; null when unknown.
    Steady(usize),
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
    /// The position's text at this index; null when unknown.
    PositionText(usize),
}
