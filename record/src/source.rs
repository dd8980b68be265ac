//! Where one value of a record comes from: a cell, a field of the source block, the operation, a constant, or a value
//! that belongs to the record itself.
//!
//! Must not know: schemas, formats.

use std::sync::Arc;

use crate::{Decoded, Leaf, Position, SnapshotMark, SourceField, SourceShape, Value, ValueRef};

/// Where a value comes from. A number is an index.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A cell of the row before.
    Before(u16),
    /// A cell of the row after.
    After(u16),
    /// A cell of the row that the record's key is made of.
    Key(u16),
    /// A field of the source block that differs from event to event.
    Block(SourceField),
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
    /// The same value in every record.
    Constant(Arc<Value>),
    /// One of the record's owned values.
    Owned(u16),
    /// Another value is shown in the place of one that is not null: that of a masked column.
    Masked(Arc<Mask>),
}

/// See [`Source::Masked`].
#[derive(Clone, Debug, PartialEq)]
pub struct Mask {
    /// The value that is not to be seen.
    pub hidden: Leaf,
    /// What is shown in its place.
    pub shown: Value,
}

/// What the values of one record are read from: the change that the record was made of, and the values that belong to the
/// record itself.
#[derive(Clone, Copy, Debug)]
pub struct Frame<'f> {
    /// The change; none for a record that is not a change, such as a heartbeat.
    pub decoded: Option<&'f Decoded<'f>>,
    /// The record's owned values.
    pub owned: &'f [Value],
}

static NULL: ValueRef<'static> = ValueRef::Null;

impl Source {
    /// Calls `read` with the value, which is not copied; with null when the frame has no such value.
    #[inline]
    pub fn with<R>(&self, frame: Frame<'_>, read: impl FnOnce(&ValueRef<'_>) -> R) -> R {
        if let Self::Owned(slot) = self {
            return read(&frame.owned.get(usize::from(*slot)).map_or(ValueRef::Null, ValueRef::Shared));
        }
        if let Self::Constant(value) = self {
            return read(&ValueRef::Shared(value));
        }
        if let Self::Masked(mask) = self {
            return if mask.hidden.is_null(frame) { read(&NULL) } else { read(&ValueRef::Shared(&mask.shown)) };
        }
        let Some(decoded) = frame.decoded else { return read(&NULL) };
        let row = match self {
            Self::Before(place) => (decoded.before, place),
            Self::After(place) => (decoded.after, place),
            Self::Key(place) => (decoded.key, place),
            other => return read(&other.of_event(decoded)),
        };
        read(row.0.and_then(|cells| cells.get(usize::from(*row.1))).unwrap_or(&NULL))
    }

    /// A value that is neither a cell nor independent of the change.
    fn of_event<'f>(&'f self, decoded: &'f Decoded<'f>) -> ValueRef<'f> {
        let mark = decoded.change.transaction.as_deref();
        let int = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Int);
        match self {
            Self::Block(field) => field.read(decoded.position(), decoded.change.mark),
            Self::Op => ValueRef::Text(decoded.change.op.letter()),
            Self::TsMs => ValueRef::Int(decoded.processed_ns.div_euclid(1_000_000)),
            Self::TsUs => ValueRef::Int(decoded.processed_ns.div_euclid(1000)),
            Self::TsNs => ValueRef::Int(decoded.processed_ns),
            Self::TransactionId => mark.map_or(ValueRef::Null, |mark| ValueRef::Text(&mark.id)),
            Self::TotalOrder => int(mark.map(|mark| mark.total_order)),
            Self::CollectionOrder => int(mark.map(|mark| mark.collection_order)),
            Self::Before(_) | Self::After(_) | Self::Key(_) | Self::Constant(_) | Self::Owned(_) | Self::Masked(_) => {
                ValueRef::Null
            }
        }
    }

    /// Whether the struct that the value is a field of is there in this record: the row before, the transaction block and
    /// so on. What is no field of an optional struct is always there.
    pub fn is_there(&self, frame: Frame<'_>) -> bool {
        let has = |part: fn(&Decoded<'_>) -> bool| frame.decoded.is_some_and(part);
        match self {
            Self::Before(_) => has(|decoded| decoded.before.is_some()),
            Self::After(_) => has(|decoded| decoded.after.is_some()),
            Self::Key(_) => has(|decoded| decoded.key.is_some()),
            Self::TransactionId | Self::TotalOrder | Self::CollectionOrder => {
                has(|decoded| decoded.change.transaction.is_some())
            }
            _ => true,
        }
    }
}

impl SourceField {
    /// The field's value for one event; null when it is not known.
    pub fn read<'f>(&'f self, position: &'f Position, mark: SnapshotMark) -> ValueRef<'f> {
        let int = |number: Option<i64>| number.map_or(ValueRef::Null, ValueRef::Int);
        let text = |text: Option<&'f str>| text.map_or(ValueRef::Null, ValueRef::Text);
        match self {
            Self::Text(constant) => ValueRef::Text(constant),
            Self::Word(slot) | Self::Steady(slot) | Self::Micros(slot) => int(position.word(*slot)),
            Self::Millis(slot) => int(position.word(*slot).map(|us| us.div_euclid(1000))),
            Self::Nanos(slot) => int(position.word(*slot).map(|us| us.saturating_mul(1000))),
            Self::Snapshot => text(mark.text()),
            Self::Sequence { commit, lsn } => {
                ValueRef::Sequence { commit: position.word(*commit), lsn: position.word(*lsn) }
            }
            Self::PositionText(slot) => text(position.text(*slot)),
        }
    }
}

impl SourceShape {
    /// The source block of one event, as a struct.
    pub fn value(&self, position: &Position, mark: SnapshotMark) -> Value {
        Value::Struct(self.fields.iter().map(|field| field.read(position, mark).to_value()).collect())
    }
}
