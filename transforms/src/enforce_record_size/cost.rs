//! How large Debezium estimates a record to be: the bytes that its objects take in Java's memory, roughly.
//!
//! What is the same in all records of a view is added up once. Only texts, bytes, lists and maps are looked at in each
//! record, and which structs are there.
//!
//! Must not know: options, what is cut.

use record::{Frame, Kind, Leaf, Node, Part, Presence, Schema, Source, Value, ValueRef, twos_complement};

const REFERENCE: u64 = 8;
const PRIMITIVE: u64 = 24;
const STRUCT: u64 = 56;
const TEXT: u64 = 56;
const BYTES: u64 = 24;
const ARRAY: u64 = 64;
const MAP: u64 = 88;
/// For each entry of the source partition and of the source offset, and for each header.
pub(super) const ENTRY: u64 = 100;
/// The timestamp.
pub(super) const TIMESTAMP: u64 = 8;

/// What a struct costs.
#[derive(Debug)]
pub(super) struct Cost {
    /// Without what follows.
    fixed: u64,
    /// Values whose cost depends on the record.
    values: Vec<(Weight, Leaf)>,
    /// Structs inside that may be null.
    structs: Vec<(Presence, Cost)>,
}

/// How a value is weighed.
#[derive(Debug)]
enum Weight {
    Text,
    Bytes,
    /// By its schema, item by item.
    Whole(std::sync::Arc<Schema>),
}

impl Cost {
    /// The cost of a struct.
    pub(super) fn of(part: &Part) -> Self {
        let mut cost = Self { fixed: STRUCT, values: Vec::new(), structs: Vec::new() };
        for (_, field) in part.fields() {
            cost.fixed += REFERENCE;
            match (&field.schema.kind, &field.node) {
                (kind, _) if is_primitive(kind) => cost.fixed += PRIMITIVE,
                (Kind::Struct(_), _) => {
                    let inner = Self::of(&field);
                    match field.presence() {
                        Presence::Always => {
                            cost.fixed += inner.fixed;
                            cost.values.extend(inner.values);
                            cost.structs.extend(inner.structs);
                        }
                        presence => cost.structs.push((presence, inner)),
                    }
                }
                (Kind::String, Node::Leaf(Leaf { source: Source::Constant(text), path, .. })) if path.is_empty() => {
                    cost.fixed += value(&field.schema, text);
                }
                (Kind::String, Node::Leaf(leaf)) => cost.values.push((Weight::Text, leaf.clone())),
                (Kind::Bytes, Node::Leaf(leaf)) => cost.values.push((Weight::Bytes, leaf.clone())),
                (_, Node::Leaf(leaf)) => cost.values.push((Weight::Whole(field.schema.clone()), leaf.clone())),
                // Only a struct is made of fields.
                (_, Node::Struct(..)) => {}
            }
        }
        cost
    }

    /// The cost in one record.
    pub(super) fn in_record(&self, frame: Frame<'_>, scratch: &mut Vec<u8>) -> u64 {
        let mut sum = self.fixed;
        for (weight, leaf) in &self.values {
            sum += leaf.with(frame, |cell| match (weight, cell) {
                (_, cell) if cell.is_null() => 0,
                (Weight::Text, cell) => TEXT + text(cell, scratch) as u64,
                (Weight::Bytes, cell) => BYTES + bytes(cell) as u64,
                (Weight::Whole(schema), ValueRef::Shared(whole)) => value(schema, whole),
                (Weight::Whole(schema), cell) => value(schema, &cell.to_value()),
            });
        }
        for (presence, inner) in &self.structs {
            if presence.holds(frame) {
                sum += inner.in_record(frame, scratch);
            }
        }
        sum
    }
}

fn is_primitive(kind: &Kind) -> bool {
    matches!(kind, Kind::Bool | Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 | Kind::Float32 | Kind::Float64)
}

/// The length of a text in UTF-8.
fn text(cell: &ValueRef<'_>, scratch: &mut Vec<u8>) -> usize {
    match cell {
        ValueRef::Text(text) => text.len(),
        ValueRef::Shared(Value::Text(text)) => text.len(),
        cell => {
            scratch.clear();
            cell.write_text(scratch);
            scratch.len()
        }
    }
}

/// The number of bytes; of a decimal those of the unscaled number.
fn bytes(cell: &ValueRef<'_>) -> usize {
    match cell {
        ValueRef::Bytes(bytes) => bytes.len(),
        ValueRef::Hex(digits) => digits.len() / 2,
        ValueRef::Decimal { unscaled, .. } => twos_complement(*unscaled).len(),
        ValueRef::Shared(value) => value_bytes(value),
        ValueRef::Owned(value) => value_bytes(value),
        _ => 0,
    }
}

fn value_bytes(value: &Value) -> usize {
    match value {
        Value::Bytes(bytes) | Value::Decimal { unscaled: bytes, .. } => bytes.len(),
        _ => 0,
    }
}

/// What an owned value costs.
fn value(schema: &Schema, of: &Value) -> u64 {
    match (&schema.kind, of) {
        (kind, _) if is_primitive(kind) => PRIMITIVE,
        (_, Value::Null) => 0,
        (Kind::String, Value::Text(text)) => TEXT + text.len() as u64,
        (Kind::Bytes, of) => BYTES + value_bytes(of) as u64,
        (Kind::Array(item), Value::Array(items)) => {
            ARRAY + items.iter().map(|of| REFERENCE + value(item, of)).sum::<u64>()
        }
        (Kind::Map(key, item), Value::Map(entries)) => {
            MAP + entries.iter().map(|(name, of)| 2 * REFERENCE + value(key, name) + value(item, of)).sum::<u64>()
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            let field = |(field, of): (&record::Field, &Value)| REFERENCE + value(&field.schema, of);
            STRUCT + fields.iter().zip(values).map(field).sum::<u64>()
        }
        _ => 0,
    }
}
