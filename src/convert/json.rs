//! `org.apache.kafka.connect.json.JsonConverter`.
//!
//! A schema is compiled once: its names, braces and defaults become text. Writing a record is then one walk over its
//! cells. The bytes are those of Kafka's `JsonConverter`; numbers are written as Java does and strings as Jackson does.
//!
//! Must not know: databases.

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
        .doc("Whether each key and value is written as an object with its schema beside its payload, or as the payload alone."),
    Key::new("schemas.cache.size", Kind::Int)
        .default("1000")
        .high()
        .at("Schemas", 1)
        .shown("Schema Cache Size", Width::Medium)
        .doc("Number of schemas that Kafka Connect keeps in their written form.")
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
        .doc("How decimals (Connect's Decimal) are written: BASE64 (the bytes of the unscaled value, in base64) or NUMERIC (a JSON number)."),
    Key::new("replace.null.with.default", Kind::Boolean)
        .default("true")
        .low()
        .at("Serialization", 1)
        .shown("Replace null with default", Width::Medium)
        .doc("Whether a null is written as its field's default, where it has one."),
];

/// The converter's keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY, KEYS]);

/// The converter's settings.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Style {
    /// `schemas.enable`: whether the schema is written beside the payload.
    pub(crate) schemas: bool,
    /// `decimal.format=NUMERIC`: whether decimals are written as digits.
    pub(crate) numeric: bool,
    /// `replace.null.with.default`: whether a null is written as the field's default.
    pub(crate) replace_null: bool,
}

/// Makes encoders that write JSON.
#[derive(Clone, Copy, Debug)]
pub struct JsonConverter {
    style: Style,
}

impl JsonConverter {
    /// Reads the settings from properties that [`DEF`](Def) has already checked.
    pub(super) fn new(properties: &Properties) -> Self {
        let flag = |name| properties.get(name).is_none_or(|text| text.trim().eq_ignore_ascii_case("true"));
        let numeric = properties.get("decimal.format").is_some_and(|text| text.trim().eq_ignore_ascii_case("numeric"));
        Self {
            style: Style { schemas: flag("schemas.enable"), numeric, replace_null: flag("replace.null.with.default") },
        }
    }

    /// The encoder for a schema. Unlike [`Converter::prepare`], this is not a future.
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

/// Writes the records of one schema, which it holds in compiled form.
#[derive(Debug)]
pub struct JsonEncoder {
    node: Option<Node>,
    schema: u32,
    parts: Box<[Part]>,
    /// `{"schema":{…},"payload":`; empty without `schemas.enable`.
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

    /// Appends the payload to `out`. Returns false and writes nothing for a null without a schema.
    ///
    /// # Errors
    /// When a value does not fit its schema. The caller must then remove what was appended so far.
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
