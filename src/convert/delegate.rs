//! `io.debezium.converters.BinaryDataConverter` and `io.debezium.converters.ByteArrayConverter`: write bytes unchanged, and
//! leave everything else to another converter.
//!
//! A topic of an outbox can so carry a payload that is bytes already, while heartbeats and schema changes of the same
//! connector are written as JSON.
//!
//! Must not know: any format.

use record::{Kind, Logical, Part, Schema, Value};
use settings::{Asked, Check, Def, Key, Properties};

use super::java_class_names::of_part;
use super::table::{self, Refusal, Role};
use super::{ConvertError, Converter, Encoder, Given, Prepare};

const TYPE: &str = "delegate.converter.type";

const KEYS: &[Key] = &[
    Key::new(TYPE, settings::Kind::String)
        .low()
        .checks(&[Check::Own(delegate)])
        .doc("The converter for values that are no bytes. Without one such values are errors."),
    Key::new("delegate.converter.type.<option>", settings::Kind::String)
        .low()
        .unlisted()
        .family("delegate.converter.type.<option>")
        .doc("An option of the converter for values that are no bytes."),
];

/// The converters' keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY, KEYS]);

/// Which bytes are written unchanged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Bytes {
    /// All of them.
    All,
    /// Those that are an array in Java. A column's bytes are a buffer there, except for bits.
    Arrays,
}

/// Writes bytes unchanged, and everything else with another converter.
#[derive(Debug)]
pub struct DelegatingConverter {
    bytes: Bytes,
    delegate: Option<Box<dyn Converter>>,
}

fn delegate(asked: &Asked<'_>) -> Vec<String> {
    match made(asked.properties) {
        Ok(_) => Vec::new(),
        Err(Refusal::Unknown(class)) => {
            vec![format!("Invalid value {class} for configuration {TYPE}: Class {class} could not be found.")]
        }
        Err(refusal) => vec![format!("Invalid value for configuration {TYPE}: {refusal}")],
    }
}

/// The other converter, if there is to be one.
fn made(properties: &Properties) -> Result<Option<Box<dyn Converter>>, Refusal> {
    let Some(class) = properties.get(TYPE).map(str::trim).filter(|class| !class.is_empty()) else { return Ok(None) };
    let prefix = format!("{TYPE}.");
    let options = properties.iter().filter_map(|(name, value)| Some((name.strip_prefix(&prefix)?, value?)));
    let role = match properties.get("converter.type") {
        Some("key") => Role::Key,
        Some("header") => Role::Header,
        _ => Role::Value,
    };
    table::create(class, &options.collect(), role).map(Some)
}

impl DelegatingConverter {
    /// A converter from properties that [`DEF`] has already checked.
    ///
    /// # Errors
    /// When the other converter cannot be made.
    pub(super) fn new(bytes: Bytes, properties: &Properties) -> Result<Self, Refusal> {
        Ok(Self { bytes, delegate: made(properties)? })
    }

    fn is_unchanged(&self, schema: &Schema) -> bool {
        let is_bytes = matches!(schema.kind, Kind::Bytes) && schema.logical == Logical::Plain;
        is_bytes && (self.bytes == Bytes::All || schema.name.as_deref() == Some("io.debezium.data.Bits"))
    }
}

impl DelegatingConverter {
    /// The encoder for records that are not the other converter's; else the other converter.
    fn own(&self, topic: &str, part: Option<&Part>) -> Result<Encoder, &dyn Converter> {
        let Some(part) = part else { return Ok(Encoder::new(|_, _| Ok(false))) };
        if self.is_unchanged(&part.schema) {
            return Ok(Encoder::new(|given, out| super::bytes::write(given.payload, out)));
        }
        if let Some(delegate) = &self.delegate {
            return Err(&**delegate);
        }
        let (schema, topic) = (part.schema.clone(), topic.to_owned());
        Ok(Encoder::new(move |given, _| match given.payload.to_value() {
            Value::Null if is_bytes(&schema) => Ok(false),
            value => {
                let found = of_part(Some(&schema), &value).rsplit('.').next().unwrap_or_default();
                Err(ConvertError::NoDelegate { topic: topic.clone(), found })
            }
        }))
    }
}

fn is_bytes(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::Bytes)
}

/// The other converter's encoder, but that nulls of bytes are nulls; those of other schemas are the other converter's.
fn guarded(mut encoder: Encoder, part: Option<&Part>) -> Encoder {
    if !part.is_some_and(|part| is_bytes(&part.schema)) {
        return encoder;
    }
    let headers = encoder.headers().to_vec();
    let guarded =
        Encoder::new(move |given, out| if given.payload.is_null() { Ok(false) } else { encoder.write(given, out) });
    headers.into_iter().fold(guarded, |encoder, (name, value)| encoder.with_header(name, value))
}

impl Converter for DelegatingConverter {
    fn prepare<'a>(&'a self, topic: &'a str, part: Option<&'a Part>) -> Prepare<'a> {
        Box::pin(async move {
            match self.own(topic, part) {
                Ok(encoder) => Ok(encoder),
                Err(delegate) => Ok(guarded(delegate.prepare(topic, part).await?, part)),
            }
        })
    }

    fn prepare_for<'a>(&'a self, topic: &'a str, given: Given<'a, 'a>) -> Prepare<'a> {
        Box::pin(async move {
            let part = given.payload.part();
            match self.own(topic, part.as_ref()) {
                Ok(encoder) => Ok(encoder),
                Err(delegate) => Ok(guarded(delegate.prepare_for(topic, given).await?, part.as_ref())),
            }
        })
    }
}

#[cfg(test)]
mod tests;
