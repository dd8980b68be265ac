//! The fields of a source block, an envelope or a view as owned values. Transforms that compute need them, and converters
//! that are not made for speed; the fast converters write from the cells.

use crate::{
    Decoded, Field, Kind, Op, Payload, Position, Schema, SnapshotMark, SourceField, SourceShape, TransactionMark,
    Value, ValueRef, View, ViewSource,
};

/// The text of a `Sequence` field: a JSON array of two texts, null where a word is unknown.
pub fn sequence_text(position: &Position, commit: usize, lsn: usize) -> String {
    let word = |slot| position.word(slot).map_or_else(|| "null".to_owned(), |word| format!("\"{word}\""));
    format!("[{},{}]", word(commit), word(lsn))
}

impl SourceField {
    /// The field's value for one event, null when it is not known.
    pub fn value(&self, position: &Position, mark: SnapshotMark) -> Value {
        match self {
            Self::Text(text) => Value::text(text),
            Self::Word(slot) => Value::int(position.word(*slot)),
            Self::Millis(slot) => Value::int(position.word(*slot).map(|us| us.div_euclid(1000))),
            Self::Micros(slot) => Value::int(position.word(*slot)),
            Self::Nanos(slot) => Value::int(position.word(*slot).map(|us| us.saturating_mul(1000))),
            Self::Snapshot => mark.text().map_or(Value::Null, Value::text),
            Self::Sequence { commit, lsn } => Value::Text(sequence_text(position, *commit, *lsn)),
            Self::PositionText => position.text.as_deref().map_or(Value::Null, Value::text),
        }
    }
}

impl SourceShape {
    /// The source block of one event, as a struct.
    pub fn value(&self, position: &Position, mark: SnapshotMark) -> Value {
        Value::Struct(self.fields.iter().map(|field| field.value(position, mark)).collect())
    }
}

impl TransactionMark {
    /// The value of one field of the envelope's `transaction` block, by the field's name; none for any other name.
    pub fn field(&self, name: &str) -> Option<Value> {
        Some(match name {
            "id" => Value::text(&self.id),
            "total_order" => Value::Int(self.total_order),
            "data_collection_order" => Value::Int(self.collection_order),
            _ => return None,
        })
    }
}

impl Op {
    fn value(self) -> Value {
        Value::text(self.letter())
    }
}

fn row(schema: &Schema, cells: &[ValueRef<'_>], places: &[u16]) -> Value {
    let count = schema.fields().len();
    Value::Struct(places.iter().take(count).map(|place| cell(Some(cells), *place)).collect())
}

fn cell(cells: Option<&[ValueRef<'_>]>, place: u16) -> Value {
    cells.and_then(|cells| cells.get(usize::from(place))).map_or(Value::Null, ValueRef::to_value)
}

impl Decoded<'_> {
    /// One field of the envelope, null when it is absent or not a field of an envelope.
    pub fn envelope_field(&self, field: &Field) -> Value {
        let transaction = || {
            let mark = self.change.transaction.as_deref()?;
            let Kind::Struct(fields) = &field.schema.kind else { return None };
            Some(Value::Struct(fields.iter().map(|f| mark.field(&f.name).unwrap_or(Value::Null)).collect()))
        };
        let image = |cells: Option<&[ValueRef<'_>]>| {
            cells.map_or(Value::Null, |cells| row(&field.schema, cells, &self.shape.cells))
        };
        match &*field.name {
            "before" => image(self.before),
            "after" => image(self.after),
            "source" => self.shape.source.value(self.position(), self.change.mark),
            "transaction" => transaction().unwrap_or(Value::Null),
            "op" => self.change.op.value(),
            "ts_ms" => Value::Int(self.processed_ns.div_euclid(1_000_000)),
            "ts_us" => Value::Int(self.processed_ns.div_euclid(1000)),
            "ts_ns" => Value::Int(self.processed_ns),
            _ => Value::Null,
        }
    }
}

impl ViewSource {
    /// The field's value for one event.
    pub fn value(&self, decoded: &Decoded<'_>) -> Value {
        let or = |value: Value, default: &Value| if value == Value::Null { default.clone() } else { value };
        let source = |place: u16| {
            let field = decoded.shape.source.fields.get(usize::from(place));
            field.map_or(Value::Null, |field| field.value(decoded.position(), decoded.change.mark))
        };
        let transaction =
            |name| decoded.change.transaction.as_ref().and_then(|mark| mark.field(name)).unwrap_or(Value::Null);
        match self {
            Self::After(place) => cell(decoded.after, *place),
            Self::Before(place) => cell(decoded.before, *place),
            Self::AfterOr(place, default) => or(cell(decoded.after, *place), default),
            Self::BeforeOr(place, default) => or(cell(decoded.before, *place), default),
            Self::Source(place) => source(*place),
            Self::Op => decoded.change.op.value(),
            Self::TsMs => Value::Int(decoded.processed_ns.div_euclid(1_000_000)),
            Self::TsUs => Value::Int(decoded.processed_ns.div_euclid(1000)),
            Self::TsNs => Value::Int(decoded.processed_ns),
            Self::TransactionId => transaction("id"),
            Self::TotalOrder => transaction("total_order"),
            Self::CollectionOrder => transaction("data_collection_order"),
            Self::Constant(value) => value.clone(),
        }
    }
}

impl View {
    /// The view of one event, as a struct.
    pub fn value(&self, decoded: &Decoded<'_>) -> Value {
        Value::Struct(self.fields.iter().map(|source| source.value(decoded)).collect())
    }
}

impl Payload<'_> {
    /// The payload as one owned value, for transforms that compute and for converters of single values.
    pub fn to_value(&self) -> Value {
        match self {
            Self::Null | Self::NullOf(_) => Value::Null,
            Self::Change(decoded) => {
                let fields = decoded.shape.envelope.fields();
                Value::Struct(fields.iter().map(|field| decoded.envelope_field(field)).collect())
            }
            Self::Key(shape, cells) => {
                shape.key.as_ref().map_or(Value::Null, |key| row(&key.schema, cells, &key.cells))
            }
            Self::View(view, decoded) => view.value(decoded),
            Self::Value(_, value) => value.clone(),
            Self::Borrowed(_, value) => (*value).clone(),
        }
    }
}
