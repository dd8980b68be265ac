//! What expressions see of a record. This file alone knows how payloads are made; a value is read when it is asked for, and
//! texts stay where they are.
//!
//! Must not know: expressions.

use std::sync::Arc;

use record::{Frame, Headers, Kind, Leaf, Logical, Node, Payload, Record, Schema, Source, Value, ValueRef};

use super::decimal::Decimal;
use super::item::{Item, List, Map};
use super::number::{Number, Width};

/// A record that an expression is evaluated on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Bindings<'a>(pub(crate) &'a Record<'a>);

/// A struct of the record.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Struct<'a> {
    pub(crate) schema: &'a Arc<Schema>,
    fields: Fields<'a>,
}

#[derive(Clone, Copy, Debug)]
enum Fields<'a> {
    /// Made field by field of what this payload has.
    Made(&'a [Node], &'a Payload<'a>),
    Stored(&'a [Value]),
}

impl<'a> Struct<'a> {
    /// The field at this index as it is stored, without its default.
    pub(crate) fn field(&self, at: usize) -> Item<'a> {
        let Some(field) = self.schema.fields().get(at) else { return Item::Null };
        match self.fields {
            Fields::Made(nodes, of) => nodes.get(at).map_or(Item::Null, |node| made(&field.schema, node, of)),
            Fields::Stored(values) => values.get(at).map_or(Item::Null, |value| stored(&field.schema, value)),
        }
    }
}

impl<'a> Bindings<'a> {
    pub(crate) fn topic(self) -> &'a str {
        &self.0.topic
    }

    pub(crate) fn headers(self) -> &'a Headers<'a> {
        &self.0.headers
    }
}

/// A key, a value, or the value of a header.
pub(crate) fn payload<'a>(payload: &'a Payload<'a>) -> Item<'a> {
    match payload {
        Payload::Null | Payload::NullOf(_) => Item::Null,
        Payload::Value(schema, value) => stored(schema, value),
        Payload::View(view, ..) => made(&view.part.schema, &view.part.node, payload),
    }
}

fn made<'a>(schema: &'a Arc<Schema>, node: &'a Node, of: &'a Payload<'a>) -> Item<'a> {
    match node {
        Node::Struct(nodes, presence) if presence.holds(of.frame()) => {
            Item::Struct(Struct { schema, fields: Fields::Made(nodes, of) })
        }
        Node::Struct(..) => Item::Null,
        Node::Leaf(leaf) => read(schema, leaf, of.frame()),
    }
}

fn read<'a>(schema: &'a Arc<Schema>, leaf: &'a Leaf, frame: Frame<'a>) -> Item<'a> {
    let (mut found, mut there) = (None, leaf.source.is_there(frame));
    let row = frame.decoded.and_then(|decoded| match &leaf.source {
        Source::Before(place) => decoded.before?.get(usize::from(*place)),
        Source::After(place) => decoded.after?.get(usize::from(*place)),
        Source::Key(place) => decoded.key?.get(usize::from(*place)),
        _ => None,
    });
    match (&leaf.source, row) {
        (_, Some(ValueRef::Owned(value))) => found = Some(&**value),
        (_, Some(ValueRef::Shared(value))) => found = Some(*value),
        (_, Some(cell)) if leaf.path.is_empty() && !cell.is_null() => return of_cell(schema, cell),
        (Source::Owned(slot), _) => found = frame.owned.get(usize::from(*slot)),
        (Source::Constant(value), _) => found = Some(value),
        (Source::Masked(mask), _) => found = (!mask.hidden.is_null(frame)).then_some(&mask.shown),
        (Source::Op, _) => return frame.decoded.map_or(Item::Null, |decoded| Item::text(decoded.change.op.letter())),
        (Source::Before(_) | Source::After(_) | Source::Key(_), _) => {}
        _ => return leaf.with(frame, |cell| of_event(schema, cell)),
    }
    for step in &leaf.path {
        let fields = if let Some(Value::Struct(fields)) = found { Some(fields) } else { None };
        there = fields.is_some();
        found = fields.and_then(|fields| fields.get(usize::from(*step)));
    }
    let found = found.filter(|value| **value != Value::Null).or(leaf.or.as_deref().filter(|_| there));
    found.map_or(Item::Null, |value| stored(schema, value))
}

/// A cell of the record's change.
fn of_cell<'a>(schema: &Schema, cell: &'a ValueRef<'a>) -> Item<'a> {
    match cell {
        ValueRef::Text(text) => Item::text(text),
        ValueRef::Bytes(_) | ValueRef::Hex(_) => Item::Bytes,
        other => of_event(schema, other),
    }
}

/// A value that is not borrowed from the record.
fn of_event<'a>(schema: &Schema, cell: &ValueRef<'_>) -> Item<'a> {
    match cell {
        ValueRef::Bool(value) | ValueRef::Shared(Value::Bool(value)) => Item::Bool(*value),
        ValueRef::Int(value) | ValueRef::Shared(Value::Int(value)) => whole(schema, *value),
        ValueRef::Float(value) => Item::Number(Number::Float(*value)),
        ValueRef::Double(value) => Item::Number(Number::Double(*value)),
        ValueRef::Decimal { unscaled, scale } => decimal(Decimal::new((*unscaled).into(), i64::from(*scale))),
        other => {
            let mut text = Vec::new();
            if other.write_text(&mut text) {
                Item::made(String::from_utf8_lossy(&text).into_owned())
            } else {
                Item::Null
            }
        }
    }
}

fn decimal<'a>(decimal: Option<Decimal>) -> Item<'a> {
    decimal.map_or(Item::Bytes, |decimal| Item::Number(Number::Decimal(Arc::new(decimal))))
}

fn whole<'a>(schema: &Schema, value: i64) -> Item<'a> {
    let width = match (schema.logical, &schema.kind) {
        (Logical::Timestamp | Logical::Time, _) => return Item::Date(value),
        (Logical::Date, _) => return Item::Date(value.saturating_mul(86_400_000)),
        (_, Kind::Int8) => Width::Byte,
        (_, Kind::Int16) => Width::Short,
        (_, Kind::Int32) => Width::Int,
        _ => Width::Long,
    };
    Item::Number(Number::Whole(value, width))
}

/// A stored value under its schema.
pub(crate) fn stored<'a>(schema: &'a Arc<Schema>, value: &'a Value) -> Item<'a> {
    match (value, &schema.kind) {
        (Value::Bool(value), _) => Item::Bool(*value),
        (Value::Int(value), _) => whole(schema, *value),
        (Value::Float(value), _) => Item::Number(Number::Float(*value)),
        (Value::Double(value), _) => Item::Number(Number::Double(*value)),
        (Value::Text(text), _) => Item::text(text),
        (Value::Decimal { unscaled, scale }, _) => decimal(Decimal::of_bytes(unscaled, *scale)),
        (Value::Bytes(_), _) => Item::Bytes,
        (Value::Array(values), Kind::Array(element)) => Item::List(List::Stored(element, values)),
        (Value::Map(entries), Kind::Map(key, value)) => Item::Map(Map::Stored { key, value, entries }),
        (Value::Struct(values), Kind::Struct(_)) => Item::Struct(Struct { schema, fields: Fields::Stored(values) }),
        _ => Item::Null,
    }
}
