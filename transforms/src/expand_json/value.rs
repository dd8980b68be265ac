//! Makes the value of a JSON tree under the schema that was inferred from it.
//!
//! Must not know: how schemas are inferred.

use std::borrow::Cow;
use std::collections::HashMap;

use record::{Kind, Schema, Value};

use super::NotExpanded;
use super::node::Node;

/// Makes values, as long as there are not too many.
struct Maker {
    /// How many values may still be made.
    left: usize,
}

/// The value of `node`, which a text of `length` bytes describes.
pub(super) fn of(node: &Node<'_>, schema: &Schema, length: usize) -> Result<Value, NotExpanded> {
    // An array of objects with very different fields becomes structs that have all of these fields. So a text could ask for
    // memory by the square of its length.
    Maker { left: length.saturating_mul(8).saturating_add(4096) }.value(node, schema)
}

impl Maker {
    fn value(&mut self, node: &Node<'_>, schema: &Schema) -> Result<Value, NotExpanded> {
        self.left = self.left.checked_sub(1).ok_or(NotExpanded::Large)?;
        Ok(match (node, &schema.kind) {
            (Node::Null, _) if schema.optional => Value::Null,
            (Node::Bool(truth), Kind::Bool) => Value::Bool(*truth),
            (Node::Int(number), Kind::Int32) if i32::try_from(*number).is_ok() => Value::Int(*number),
            // As in Debezium, a smaller number does not fit a larger type.
            (Node::Int(number), Kind::Int64) if i32::try_from(*number).is_err() => Value::Int(*number),
            (Node::Double(number), Kind::Float64) => Value::Double(*number),
            (Node::Text(text), Kind::String) => Value::text(text),
            (Node::Array(items), Kind::Array(of)) => {
                Value::Array(items.iter().map(|item| self.value(item, of)).collect::<Result<_, _>>()?)
            }
            (Node::Object(members), Kind::Struct(_)) => self.structure(members, schema)?,
            _ => return Err(NotExpanded::Unfit),
        })
    }

    /// Fields are looked for by the names that they have in the schema. So a field whose name was adjusted is null.
    fn structure(&mut self, members: &[(Cow<'_, str>, Node<'_>)], schema: &Schema) -> Result<Value, NotExpanded> {
        let fields = schema.fields();
        let mut values = Vec::with_capacity(fields.len());
        let index: Option<HashMap<&str, &Node<'_>>> = (fields.len().saturating_mul(members.len()) > 1024)
            .then(|| members.iter().map(|(name, node)| (&**name, node)).collect());
        // The members mostly stand in the order of the fields.
        let mut next = 0;
        for field in fields {
            let found = if let Some(index) = &index {
                index.get(&*field.name).copied()
            } else {
                let (before, behind) = members.split_at(next);
                let place = behind.iter().chain(before).position(|(name, _)| **name == *field.name);
                place.map(|place| {
                    let place = (next + place) % members.len();
                    next = place + 1;
                    &members[place].1
                })
            };
            let value = if let Some(node) = found {
                self.value(node, &field.schema)?
            } else {
                self.left = self.left.checked_sub(1).ok_or(NotExpanded::Large)?;
                Value::Null
            };
            values.push(value);
        }
        Ok(Value::Struct(values))
    }
}
