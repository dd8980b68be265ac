//! `org.apache.kafka.connect.json.JsonConverter`.
//!
//! A schema is compiled once into names, braces and defaults that are text already; a record is then one walk over its
//! cells. What the bytes must be stands in Kafka's `JsonConverter`; the texts of numbers and strings are Java's and
//! Jackson's.
//!
//! Must not know: databases, the registry.

mod envelope;
mod plan;
mod schema_text;
mod text;
mod write;

use std::sync::Arc;

use record::{Payload, Schema};
use settings::{Check, Def, Key, Kind, Properties, Support, Width};

use self::envelope::{Part, SourceTexts};
use self::plan::{Form, Node};
use super::{ConvertError, Converter, Encoder, Prepare};

pub(super) use self::text::write_base64;

const KEYS: &[Key] = &[
    Key::new("schemas.enable", Kind::Boolean)
        .default("true")
        .high()
        .at("Schemas", 0)
        .shown("Enable Schemas", Width::Medium)
        .doc("Whether each key and value carries its schema beside the payload."),
    Key::new("schemas.cache.size", Kind::Int)
        .default("1000")
        .high()
        .at("Schemas", 1)
        .shown("Schema Cache Size", Width::Medium)
        .doc("How many schemas are kept in their written form.")
        .support(Support::NoEffect("a schema is written once a topic, and kept with the topic")),
    Key::new("schema.content", Kind::String)
        .high()
        .at("Schemas", 2)
        .shown("Schema Content", Width::Medium)
        .doc("A fixed schema for what is read; a source connector does not use it.")
        .support(Support::NoEffect("only reading uses it, in Kafka Connect too")),
    Key::new("decimal.format", Kind::String)
        .default("BASE64")
        .low()
        .at("Serialization", 0)
        .shown("Decimal Format", Width::Medium)
        .checks(&[Check::OneOfAnyCase(&["BASE64", "NUMERIC"])])
        .doc("How decimals are written: BASE64 of the unscaled value, or NUMERIC digits."),
    Key::new("replace.null.with.default", Kind::Boolean)
        .default("true")
        .low()
        .at("Serialization", 1)
        .shown("Replace null with default", Width::Medium)
        .doc("Whether a null is written as its field's default, where it has one."),
];

/// The converter's keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY, KEYS]);

/// How values are written.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// Schemas beside payloads.
    pub(crate) schemas: bool,
    /// Decimals as digits.
    pub(crate) numeric: bool,
    /// Nulls as defaults.
    pub(crate) replace_null: bool,
}

/// The converter: its settings; all else belongs to its encoders.
#[derive(Clone, Copy, Debug)]
pub struct JsonConverter {
    style: Style,
}

impl JsonConverter {
    /// From properties that [`DEF`](Def) has checked.
    pub(super) fn new(properties: &Properties) -> Self {
        let flag = |name| properties.get(name).is_none_or(|text| text.trim().eq_ignore_ascii_case("true"));
        let numeric = properties.get("decimal.format").is_some_and(|text| text.trim().eq_ignore_ascii_case("numeric"));
        Self {
            style: Style { schemas: flag("schemas.enable"), numeric, replace_null: flag("replace.null.with.default") },
        }
    }

    /// The encoder of a schema, without waiting.
    pub fn encoder(&self, schema: Option<&Arc<Schema>>) -> JsonEncoder {
        JsonEncoder::new(schema, self.style)
    }
}

impl Converter for JsonConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, schema: Option<&'a Arc<Schema>>) -> Prepare<'a> {
        let encoder = Encoder::Json(Box::new(self.encoder(schema)));
        Box::pin(std::future::ready(Ok(encoder)))
    }
}

/// A compiled schema.
#[derive(Debug)]
pub struct JsonEncoder {
    node: Option<Node>,
    schema: u32,
    parts: Box<[Part]>,
    /// `{"schema":{…},"payload":`, empty without schemas.
    head: Box<[u8]>,
    source: SourceTexts,
}

impl JsonEncoder {
    fn new(schema: Option<&Arc<Schema>>, style: Style) -> Self {
        let mut head = Vec::new();
        if style.schemas {
            head.extend_from_slice(b"{\"schema\":");
            match schema {
                Some(schema) => schema_text::write_schema(&mut head, schema, None, style),
                None => head.extend_from_slice(b"null"),
            }
            head.extend_from_slice(b",\"payload\":");
        }
        Self {
            node: schema.map(|schema| Node::of(schema, "", style)),
            schema: schema.map_or(0, |schema| schema.id),
            parts: schema.map_or_else(Box::default, |s| s.fields().iter().map(|f| Part::named(&f.name)).collect()),
            head: head.into(),
            source: SourceTexts::default(),
        }
    }

    /// Appends the payload; false, and nothing written, for a null without a schema.
    ///
    /// # Errors
    /// When a value does not fit its schema. What was written by then is to be cut off by the caller.
    pub fn write(&mut self, payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let Some(schema) = payload.schema() else { return Ok(false) };
        let Some(node) = self.node.as_ref().filter(|_| schema.id == self.schema) else {
            return Err(ConvertError::OtherSchema { prepared: self.schema, found: schema.id });
        };
        out.extend_from_slice(&self.head);
        match (payload, &node.form) {
            (Payload::Change(decoded), Form::Struct(members)) => {
                envelope::write_change(members, &self.parts, &mut self.source, decoded, out)?;
            }
            (Payload::View(view, decoded), Form::Struct(members)) => envelope::write_view(members, view, decoded, out)?,
            (Payload::Key(shape, cells), _) => {
                let places = shape.key.as_ref().map_or(&[][..], |key| &key.cells);
                envelope::write_image(node, Some(cells), places, out)?;
            }
            (Payload::Value(_, value), _) => write::write_owned(node, value, out)?,
            (Payload::Borrowed(_, value), _) => write::write_owned(node, value, out)?,
            _ => write::write_null(node, out)?,
        }
        if !self.head.is_empty() {
            out.push(b'}');
        }
        Ok(true)
    }
}

#[cfg(test)]
mod sample;
#[cfg(test)]
mod tests;
