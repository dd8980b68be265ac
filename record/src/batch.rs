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
    /// How many updates that changed no captured column were left out on the way.
    pub unchanged: u32,
    /// How many transactions ended in this batch.
    pub transactions: u32,
    /// When the connector handed it over, in nanoseconds since 1970; only where traces are made of it.
    pub read_ns: Option<i64>,
}

impl Batch {
    /// The raw cells of a row.
    pub fn cells(&self, row: RowRef) -> &[Span] {
        &self.spans[row.first as usize..row.first as usize + usize::from(row.count)]
    }

    /// Empties the batch for reuse: drops the buffer and keeps the allocations.
    pub fn clear(&mut self) {
        self.buffer = Bytes::new();
        self.spans.clear();
        self.shapes.clear();
        self.items.clear();
        self.filtered = 0;
        self.unchanged = 0;
        self.transactions = 0;
        self.read_ns = None;
    }
}

/// One entry of a batch.
#[derive(Debug)]
pub enum Item {
    /// A row change whose cells are not decoded yet.
    Change(Change),
    /// A record that is not a row: a heartbeat, a transaction's begin or end, a logical message.
    Event(Box<Event>),
    /// A position that yields no record (filtered, skipped, an uncaptured commit, a keepalive).
    Position(Position),
}

impl Item {
    /// The position that may be stored once this item and all before it are delivered. `None` if the item is only a part of what
    /// its source event or transaction brings: the rest follows in the next items.
    pub fn reached(&self) -> Option<&Position> {
        match self {
            Self::Change(change) => change.last.then_some(&change.position),
            Self::Event(event) => event.position.as_ref(),
            Self::Position(position) => Some(position),
        }
    }
}

/// What happened to a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Op {
    /// `r`: read by a snapshot.
    Read,
    /// `c`: a row was inserted.
    Create,
    /// `u`: a row was updated.
    Update,
    /// `d`: a row was deleted.
    Delete,
    /// `t`: all rows of the table were removed by TRUNCATE.
    Truncate,
}

impl Op {
    /// The letter in the envelope's `op` field.
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

/// Which spans of a batch are the cells of a row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowRef {
    /// Index of the row's first cell in [`Batch::spans`].
    pub first: u32,
    /// Number of cells.
    pub count: u16,
}

/// An update that changes the key is sent as two records: a delete under the old key and a create under the new key. This
/// says which of the two a change is, and where the other key is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyMove {
    /// The delete. Its header `__debezium.newkey` is the key of this row.
    To(RowRef),
    /// The create. Its header `__debezium.oldkey` is the key of this row.
    From(RowRef),
}

/// The value of `source.snapshot`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotMark {
    /// Streamed: the field is unset, so its default `false` shows.
    Streamed,
    /// `true`: copied; none of the special rows that the next variants name.
    True,
    /// `first`: the first row of the copy's first table.
    First,
    /// `first_in_data_collection`: the first row of another table.
    FirstInCollection,
    /// `last_in_data_collection`: the last row of a table.
    LastInCollection,
    /// `last`: the last row of the copy.
    Last,
    /// `incremental`: a row of an incremental snapshot.
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
    /// The transaction's id as the block shows it. PostgreSQL's has the event's LSN behind it (`555:1234`).
    pub id: Box<str>,
    /// Place among all events of the transaction, from 1.
    pub total_order: i64,
    /// Place among the transaction's events of the same table, from 1.
    pub collection_order: i64,
}

/// A row change whose cells are not decoded yet.
#[derive(Debug)]
pub struct Change {
    /// Index into the batch's shapes.
    pub shape: u16,
    /// What happened to the row.
    pub op: Op,
    /// The row before the change, as far as the log carries it.
    pub before: Option<RowRef>,
    /// The row after the change.
    pub after: Option<RowRef>,
    /// Set on both halves of a key change.
    pub moved: Option<KeyMove>,
    /// Whether a tombstone is sent after the record.
    pub tombstone: bool,
    /// Whether this is the last change of its source event: only then may its position be stored.
    pub last: bool,
    /// What `source.snapshot` says of the row.
    pub mark: SnapshotMark,
    /// The change's place in its transaction; none unless `provide.transaction.metadata` is on.
    pub transaction: Option<Box<TransactionMark>>,
    /// The change's place in the source's log.
    pub position: Position,
}

impl Change {
    /// A streamed change with the usual values: no rows yet, the only change of its source event, no tombstone, no
    /// transaction block.
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
    /// The topic to send to.
    pub topic: Arc<str>,
    /// The partition to send to; without one the producer's partitioner decides.
    pub partition: Option<i32>,
    /// The key's schema and value; none for a record without a key.
    pub key: Option<(Arc<Schema>, Value)>,
    /// The value's schema and value; none for a record without a value.
    pub value: Option<(Arc<Schema>, Value)>,
    /// Whether the record has the headers that records of rows have (`extended.headers.enabled`).
    pub has_context: bool,
    /// The position that is stored once the record is delivered; none when the record must not move the stored position.
    pub position: Option<Position>,
}
