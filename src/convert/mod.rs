//! Turns payloads into bytes: the converters of Kafka Connect, found by their Java class names.
//!
//! Converting has two steps. [`Converter::prepare`] runs once for each topic and schema. It may wait, for example for a
//! schema registry, and compiles everything that records of this schema share into an [`Encoder`]. [`Encoder::write`]
//! runs once for each record, never waits, and writes straight from the cells into the output. The caller keeps the
//! encoders, by topic and schema id.
//!
//! Must not know: databases, the Kafka client, which connector a record comes from.

mod bytes;
mod error;
mod header;
mod java_class_names;
mod json;
mod number;
mod primitive;
pub mod registry;
mod string;
mod table;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use record::{Payload, Schema};
use settings::{Check, Key, Kind};

pub use self::bytes::ByteArrayConverter;
pub use self::error::ConvertError;
pub use self::header::SimpleHeaderConverter;
pub use self::json::{JsonConverter, JsonEncoder};
pub use self::primitive::PrimitiveConverter;
pub use self::string::{StringConverter, java_text};
pub use self::table::{ALL, Entry, Refusal, Role, create, find};

/// The future that [`Converter::prepare`] returns.
pub type Prepare<'a> = Pin<Box<dyn Future<Output = Result<Encoder, ConvertError>> + Send + 'a>>;

/// A configured converter, for keys, values or headers.
pub trait Converter: Send + Sync + std::fmt::Debug {
    /// Prepares an encoder for records of this schema and topic. `None` stands for records without a schema:
    /// tombstones, and the keys of tables without a key.
    ///
    /// # Errors
    /// When the converter cannot write the schema at all.
    fn prepare<'a>(&'a self, topic: &'a str, schema: Option<&'a Arc<Schema>>) -> Prepare<'a>;
}

/// Writes the records of one schema. An encoder belongs to one thread, so it can cache without a lock.
#[derive(Debug)]
pub enum Encoder {
    /// JSON, with or without schemas.
    Json(Box<JsonEncoder>),
    /// Java's `toString`.
    Text,
    /// `SimpleHeaderConverter`: text or JSON.
    Header,
    /// Bytes, unchanged.
    Bytes,
    /// One number or boolean.
    Primitive(PrimitiveConverter),
}

impl Encoder {
    /// Appends the payload to `out`. Returns false for a Kafka null, which has no bytes at all.
    ///
    /// # Errors
    /// When the value does not fit the schema or the converter. `out` is then as it was before.
    pub fn write(&mut self, payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let start = out.len();
        let written = match self {
            Self::Json(json) => json.write(payload, out),
            Self::Text => Ok(string::write(payload, out)),
            Self::Header => header::write(payload, out),
            Self::Bytes => bytes::write(payload, out),
            Self::Primitive(primitive) => primitive.write(payload, out),
        };
        if written.is_err() {
            out.truncate(start);
        }
        written
    }
}

/// The key that every converter has: what the converter is used for. [`create`] sets it.
const TYPE_KEY: &[Key] = &[Key::new("converter.type", Kind::String)
    .required()
    .low()
    .checks(&[Check::OneOfExactly(&["key", "value", "header"])])
    .doc("What the converter is used for: key, value or header. The worker sets it itself, as the prefix says.")];

#[cfg(test)]
mod tests;
