//! Records on their way through the chain: raw changes, views of them, and values.

use std::sync::Arc;

use crate::{Change, Headers, Position, Schema, Shape, Value, ValueRef};

/// A change whose cells have been decoded, once for its key, its value and every view of it.
#[derive(Debug)]
pub struct Decoded<'a> {
    /// The shape of the change's table.
    pub shape: &'a Shape,
    /// The raw change.
    pub change: &'a Change,
    /// Cells of the row before, in the shape's cell order.
    pub before: Option<&'a [ValueRef<'a>]>,
    /// Cells of the row after, in the shape's cell order.
    pub after: Option<&'a [ValueRef<'a>]>,
    /// When the change was processed: nanoseconds since 1970 (the envelope's `ts_ms`, `ts_us`, `ts_ns`).
    pub processed_ns: i64,
}

impl<'a> Decoded<'a> {
    /// The cells that the key is made of: those of the row after, or of the row before for a delete.
    pub fn key_cells(&self) -> Option<&'a [ValueRef<'a>]> {
        self.after.or(self.before)
    }

    /// The change's place in the source's log.
    pub fn position(&self) -> &'a Position {
        &self.change.position
    }
}

/// A record's key or value.
#[derive(Clone, Debug)]
pub enum Payload<'a> {
    /// Nothing, without a schema: the value of a tombstone, or the key of a record whose table has none.
    Null,
    /// Null under a schema.
    NullOf(Arc<Schema>),
    /// The whole envelope of a change.
    Change(&'a Decoded<'a>),
    /// The key of a change, from these cells.
    Key(&'a Shape, &'a [ValueRef<'a>]),
    /// A change seen through a view.
    View(Arc<View>, &'a Decoded<'a>),
    /// An owned value.
    Value(Arc<Schema>, Value),
    /// A value that the batch owns.
    Borrowed(&'a Arc<Schema>, &'a Value),
}

impl Payload<'_> {
    /// The schema, if it has one.
    pub fn schema(&self) -> Option<&Arc<Schema>> {
        match self {
            Self::Null => None,
            Self::NullOf(schema) | Self::Value(schema, _) => Some(schema),
            Self::Borrowed(schema, _) => Some(schema),
            Self::Change(decoded) => Some(&decoded.shape.envelope),
            Self::Key(shape, _) => shape.key.as_ref().map(|key| &key.schema),
            Self::View(view, _) => Some(&view.schema),
        }
    }

    /// Whether there is no value (with or without a schema).
    pub fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::NullOf(_))
    }
}

/// Another schema over the same cells: an output schema, and where each of its fields comes from.
#[derive(Debug)]
pub struct View {
    /// The output's struct schema.
    pub schema: Arc<Schema>,
    /// One entry for each field of the schema, in its order.
    pub fields: Vec<ViewSource>,
}

/// Where a view's field comes from.
#[derive(Clone, Debug, PartialEq)]
pub enum ViewSource {
    /// A cell of the row after.
    After(u16),
    /// A cell of the row before.
    Before(u16),
    /// A cell of the row after, or this default when it is null.
    AfterOr(u16, Value),
    /// A cell of the row before, or this default when it is null.
    BeforeOr(u16, Value),
    /// A field of the source block.
    Source(u16),
    /// The operation's letter.
    Op,
    /// Time of processing in milliseconds.
    TsMs,
    /// Time of processing in microseconds.
    TsUs,
    /// Time of processing in nanoseconds.
    TsNs,
    /// The transaction's id.
    TransactionId,
    /// The place among all events of the transaction.
    TotalOrder,
    /// The place among the transaction's events of the same table.
    CollectionOrder,
    /// A value that is the same for every record.
    Constant(Value),
}

/// A record in the chain. What a transform does not touch stays borrowed from the batch.
#[derive(Clone, Debug)]
pub struct Record<'a> {
    /// The topic to send to.
    pub topic: Arc<str>,
    /// The partition to send to; without one the producer's partitioner decides by the key.
    pub partition: Option<i32>,
    /// The record's timestamp in milliseconds since 1970; without one the producer's clock gives it.
    pub timestamp_ms: Option<i64>,
    /// The key, before a converter makes bytes of it.
    pub key: Payload<'a>,
    /// The value, before a converter makes bytes of it.
    pub value: Payload<'a>,
    /// The headers, in the order in which they are sent.
    pub headers: Headers<'a>,
}
