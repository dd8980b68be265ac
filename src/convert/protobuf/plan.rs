//! A schema and its messages compiled for writing: each field with its number and how its values are written.
//!
//! Must not know: where values come from.

use std::sync::Arc;

use record::{Kind, Logical, Schema, Value};

use super::error::ProtobufError;
use super::model::{Id, Label, Model, Scalar, Type, scalar, scrubbed};
use super::{Family, Options};

/// A field of a message.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) tag: u32,
    pub(super) item: Item,
    pub(super) label: Label,
    /// What a null becomes; without it a null is not written.
    pub(super) default: Option<Value>,
    /// Path of the field, for error messages, such as `after.id`.
    pub(super) path: Arc<str>,
    /// The name of the schema's type, as in Connect's messages.
    pub(super) type_name: &'static str,
}

/// How one value is written; of a list, one element.
#[derive(Debug)]
pub(super) enum Item {
    Scalar(Scalar),
    Wrapper(Scalar),
    Decimal,
    Date,
    Time,
    Timestamp,
    Struct(Box<[Member]>),
    /// An entry of a map.
    Entry(Box<[Member; 2]>),
    /// The message has no such field, because another struct of the same name has been taken for this one.
    Missing,
    /// A list inside of another one.
    List(Box<Member>),
    /// What cannot be written, and why.
    Unwritable(ProtobufError),
}

/// The fields of a whole record.
pub(super) fn plan(schema: &Schema, model: &Model, options: Options) -> Box<[Member]> {
    Planner { model, options }.members(schema, 0, "")
}

/// The one field of the message for a record that is no struct, and whether the message is that of a logical type.
pub(super) fn plan_scalar(schema: &Schema) -> Option<Item> {
    Some(match schema.logical {
        Logical::Decimal { .. } => Item::Decimal,
        Logical::Date => Item::Date,
        Logical::Time => Item::Time,
        Logical::Timestamp => Item::Timestamp,
        Logical::Plain => Item::Wrapper(scalar(&schema.kind)?),
    })
}

struct Planner<'m> {
    model: &'m Model,
    options: Options,
}

impl Planner<'_> {
    fn members(&self, schema: &Schema, id: Id, path: &str) -> Box<[Member]> {
        let fields = &self.model.messages[id].fields;
        let member = |field: &record::Field| {
            let path = if path.is_empty() { field.name.to_string() } else { [path, &field.name].join(".") };
            let name = scrubbed(&field.name, self.options);
            let place = fields.iter().position(|other| other.name == name);
            self.member(&field.schema, id, place, &path)
        };
        schema.fields().iter().map(member).collect()
    }

    fn member(&self, schema: &Schema, id: Id, place: Option<usize>, path: &str) -> Member {
        let default = schema.default.clone().filter(|value| !self.options.keep_null && *value != Value::Null);
        let field = place.map(|place| &self.model.messages[id].fields[place]);
        let label = field.map_or(Label::None, |field| field.label);
        let items = match &schema.kind {
            Kind::Array(items) if label == Label::Repeated => items,
            _ => schema,
        };
        let item = match field {
            Some(_) if matches!((&schema.kind, &items.kind), (Kind::Array(_), Kind::Map(..))) => {
                Item::Unwritable(match self.options.family {
                    Family::Confluent => ProtobufError::MapInArray,
                    Family::Apicurio => ProtobufError::NestedMap,
                })
            }
            Some(field) => self.item(items, field.of, path),
            None => Item::Missing,
        };
        Member {
            tag: field.map_or(0, |field| field.tag),
            item,
            label,
            default,
            path: path.into(),
            type_name: schema.type_name(),
        }
    }

    fn item(&self, schema: &Schema, of: Type, path: &str) -> Item {
        match (of, &schema.kind, schema.logical) {
            (Type::Decimal, _, Logical::Decimal { .. }) => Item::Decimal,
            (Type::Date, _, Logical::Date) => Item::Date,
            (Type::Time, _, Logical::Time) => Item::Time,
            (Type::Timestamp, _, Logical::Timestamp) => Item::Timestamp,
            (Type::Struct(id), Kind::Struct(_), _) => Item::Struct(self.members(schema, id, path)),
            (Type::Entry(id), Kind::Map(keys, values), _) => {
                Item::Entry(Box::new([self.entry(keys, id, 0, path), self.entry(values, id, 1, path)]))
            }
            (Type::List(id), Kind::Array(_), _) => Item::List(Box::new(self.entry(schema, id, 0, path))),
            (Type::Scalar(_), _, Logical::Decimal { .. }) => {
                Item::Unwritable(ProtobufError::Logical { found: "java.math.BigDecimal" })
            }
            (Type::Scalar(of), kind, _) if scalar(kind) == Some(of) => Item::Scalar(of),
            (Type::Wrapper(of), kind, _) if scalar(kind) == Some(of) => Item::Wrapper(of),
            _ => Item::Missing,
        }
    }

    /// The key or the value of an entry, where a null is never replaced by a default.
    fn entry(&self, schema: &Schema, id: Id, place: usize, path: &str) -> Member {
        let member = Member { default: None, ..self.member(schema, id, Some(place), path) };
        if let (Family::Apicurio, Kind::Map(..)) = (self.options.family, &schema.kind) {
            return Member { item: Item::Unwritable(ProtobufError::NestedMap), ..member };
        }
        member
    }
}
