//! Batches: a read buffer and what was found in it, in source order.

use std::sync::Arc;

use bytes::Bytes;

use crate::{Position, Schema, Shape, Span, Value};

/// What was read at once: one buffer, the cells found in it, and the events they make up, in source order.
///
/// A cell that is kept pins the whole buffer; what outlives the batch must be copied out of it.
#[derive(Debug, Default)]
pub struct Batch {
    /// The bytes that the spans point into.
    pub buffer: Bytes,
    /// The cells of all rows, one after the other.
    pub spans: Vec<Span>,
    /// The shapes that the changes of this batch refer to by index.
    pub shapes: Vec<Arc<Shape>>,
    /// The events, in source order.
    pub items: Vec<Item>,
    /// How many changes of tables that are not captured were passed over on the way.
    pub filtered: u32,
    /// How many transactions came to their end.
    pub transactions: u32,
}

impl Batch {
    /// The raw cells of a row.
    pub fn cells(&self, row: RowRef) -> &[Span] {
        &self.spans[row.first as usize..row.first as usize + usize::from(row.count)]
    }

    /// Empties it for reuse; keeps the allocations, drops the buffer.
    pub fn clear(&mut self) {
        self.buffer = Bytes::new();
        self.spans.clear();
        self.shapes.clear();
        self.items.clear();
        self.filtered = 0;
        self.transactions = 0;
    }
}

/// One thing that the source said.
#[derive(Debug)]
pub enum Item {
    /// A row change: raw.
    Change(Change),
    /// A record that is not a row: a heartbeat, a transaction's begin or end, a logical message.
    Event(Box<Event>),
    /// A position that yields no record (filtered, skipped, an uncaptured commit, a keepalive).
    Position(Position),
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `r`: read by a snapshot.
    Read,
    /// `c`.
    Create,
    /// `u`.
    Update,
    /// `d`.
    Delete,
    /// `t`: all rows of the table.
    Truncate,
}

impl Op {
    /// The letter of the envelope.
    pub fn letter(self) -> &'static str {
        match self {
            Self::Read => "r",
            Self::Create => "c",
            Self::Update => "u",
            Self::Delete => "d",
            Self::Truncate => "t",
        }
    }
}

/// Where a row's cells stand in the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRef {
    /// Index of its first span.
    pub first: u32,
    /// Number of cells.
    pub count: u16,
}

/// Half of a key change: it leaves as a delete under the old key and a create under the new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMove {
    /// The delete; its header names the new key, which is that of this row.
    To(RowRef),
    /// The create; its header names the old key, which is that of this row.
    From(RowRef),
}

/// The value of `source.snapshot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotMark {
    /// Streamed: the field is unset, so its default `false` shows.
    Streamed,
    /// `true`.
    True,
    /// `first`.
    First,
    /// `first_in_data_collection`.
    FirstInCollection,
    /// `last_in_data_collection`.
    LastInCollection,
    /// `last`.
    Last,
    /// `incremental`.
    Incremental,
}

impl SnapshotMark {
    /// The text of the field, none when it is unset.
    pub fn text(self) -> Option<&'static str> {
        Some(match self {
            Self::Streamed => return None,
            Self::True => "true",
            Self::First => "first",
            Self::FirstInCollection => "first_in_data_collection",
            Self::LastInCollection => "last_in_data_collection",
            Self::Last => "last",
            Self::Incremental => "incremental",
        })
    }
}

/// The place of an event in its transaction (the envelope's `transaction` block).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TransactionMark {
    /// The transaction's id as this event shows it.
    pub id: Box<str>,
    /// Place among all events of the transaction, from 1.
    pub total_order: i64,
    /// Place among those of the same table, from 1.
    pub collection_order: i64,
}

/// A row change, raw.
#[derive(Debug)]
pub struct Change {
    /// Index into the batch's shapes.
    pub shape: u16,
    /// What happened.
    pub op: Op,
    /// The row before, as far as the log carries it.
    pub before: Option<RowRef>,
    /// The row after.
    pub after: Option<RowRef>,
    /// Set on both halves of a key change.
    pub moved: Option<KeyMove>,
    /// Whether a tombstone follows.
    pub tombstone: bool,
    /// Whether this is the last change of its source event: only then may its position be stored.
    pub last: bool,
    /// Where in a snapshot it stands.
    pub mark: SnapshotMark,
    /// Its place in its transaction, when the user wants to know.
    pub transaction: Option<Box<TransactionMark>>,
    /// Where it stands in the log.
    pub position: Position,
}

impl Change {
    /// A change of the log as most are: no rows yet, the only one of its event, no tombstone, in no transaction block.
    pub fn new(shape: u16, op: Op, position: Position) -> Self {
        Self {
            shape,
            op,
            before: None,
            after: None,
            moved: None,
            tombstone: false,
            last: true,
            mark: SnapshotMark::Streamed,
            transaction: None,
            position,
        }
    }
}

/// A record that is not a row change: complete, in owned values.
#[derive(Debug)]
pub struct Event {
    /// Its topic.
    pub topic: Arc<str>,
    /// An explicit partition.
    pub partition: Option<i32>,
    /// Key schema and value.
    pub key: Option<(Arc<Schema>, Value)>,
    /// Value schema and value.
    pub value: Option<(Arc<Schema>, Value)>,
    /// The position that is stored once it is delivered; none when it must not move the stored position.
    pub position: Option<Position>,
}
