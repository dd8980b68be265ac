//! `org.apache.kafka.connect.json.JsonConverter`.
//!
//! A schema is compiled once: its names, braces and defaults become text. Writing a record is then one walk over its
//! cells. The bytes are those of Kafka's `JsonConverter`; numbers are written as Java does and strings as Jackson does.
//!
//! Must not know: databases.

mod plan;
mod read;
mod schema_text;
mod sparse;
mod text;
mod write;

use record::{Field, Part, Payload, Schema, ValueRef};
use settings::{Check, Def, Key, Kind, Properties, Support, Width};

use self::plan::Node;
use super::program::{Format, Program};
use super::{ConvertError, Converter, Encoder, Prepare};

pub use self::read::{Unreadable, read_payload};
pub(super) use self::sparse::SparseJson;
pub(super) use self::text::{write_base64, write_text};

/// The keys that decide what is written.
pub(super) const KEYS: &[Key] = &[
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
        .checks(&[Check::OneOfAnyCase(&["NUMERIC", "BASE64"])])
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
    /// Whether a null is written even where the schema is not optional. Only what is read back by this daemon may be so.
    pub(crate) any_null: bool,
    /// How maps are written whose keys are no texts.
    pub(crate) pairs: Pairs,
}

/// How the entries of a map are written whose keys cannot be the names of members.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pairs {
    /// As `[key,value]`, which is JsonConverter's way.
    Arrays,
    /// As `{"key":…,"value":…}`, which is Confluent's way. Keys that may be null are no names of members either.
    Objects,
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
            style: Style {
                schemas: flag("schemas.enable"),
                numeric,
                replace_null: flag("replace.null.with.default"),
                any_null: false,
                pairs: Pairs::Arrays,
            },
        }
    }

    /// A converter that keeps all of a record: with its schema, every null as a null whatever the schema says, decimals by
    /// their bytes. [`read_payload`] reads it back.
    pub fn faithful() -> Self {
        Self {
            style: Style { schemas: true, numeric: false, replace_null: false, any_null: true, pairs: Pairs::Arrays },
        }
    }

    /// The text of a schema, without escapes for characters beyond U+FFFF: Jackson writes none where the text does not
    /// become bytes at once.
    pub(super) fn schema_text(self, schema: &Schema) -> String {
        let mut out = Vec::new();
        schema_text::write_schema(&mut out, schema, None, self.style);
        text::without_pairs(&String::from_utf8_lossy(&out))
    }

    /// The encoder for a part of records. Unlike [`Converter::prepare`], this is not a future.
    ///
    /// # Errors
    /// None at present: every schema can be written as JSON.
    pub fn encoder(&self, part: Option<&Part>) -> Result<JsonEncoder, ConvertError> {
        JsonEncoder::new(part, self.style)
    }
}

impl Converter for JsonConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, part: Option<&'a Part>) -> Prepare<'a> {
        let encoder = self.encoder(part).map(|mut json| Encoder::new(move |given, out| json.write(given.payload, out)));
        Box::pin(std::future::ready(encoder))
    }
}

impl Format for Style {
    type Writer = Node;

    fn writer(&self, schema: &Schema, path: &str) -> Result<Node, ConvertError> {
        Ok(Node::of(schema, path, *self))
    }

    #[inline]
    fn write(node: &Node, value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        write::write_cell(node, value, out)
    }

    fn open(&self, schema: &Schema, out: &mut Vec<u8>) {
        if schema.fields().is_empty() {
            out.push(b'{');
        }
    }

    fn before_field(&self, index: usize, field: &Field, out: &mut Vec<u8>) {
        plan::prefix(index, &field.name, out);
    }

    fn close(&self, _: &Schema, out: &mut Vec<u8>) {
        out.push(b'}');
    }
}

/// Writes the records of one schema, which it holds in compiled form.
#[derive(Debug)]
pub struct JsonEncoder {
    program: Option<Program<Style>>,
}

impl JsonEncoder {
    fn new(part: Option<&Part>, style: Style) -> Result<Self, ConvertError> {
        let Some(part) = part else { return Ok(Self { program: None }) };
        let mut head = Vec::new();
        if style.schemas {
            head.extend_from_slice(b"{\"schema\":");
            if part.schema.schemaless {
                head.extend_from_slice(b"null");
            } else {
                schema_text::write_schema(&mut head, &part.schema, None, style);
            }
            head.extend_from_slice(b",\"payload\":");
        }
        let tail: &[u8] = if style.schemas { b"}" } else { b"" };
        Ok(Self { program: Some(Program::of(&style, part, &head, tail)?) })
    }

    /// Appends the payload to `out`. Returns false and writes nothing for a null without a schema.
    ///
    /// # Errors
    /// When a value does not fit its schema. The caller must then remove what was appended so far.
    pub fn write(&mut self, payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let Some(program) = &mut self.program else { return Ok(false) };
        program.write(payload.frame(), out)?;
        Ok(true)
    }
}

#[cfg(test)]
pub(super) mod sample;
#[cfg(test)]
mod tests;
