//! Payloads to bytes: the converters of Kafka Connect, by their Java class names.
//!
//! Converting has two halves. [`Converter::prepare`] runs once a topic and schema, may wait (a registry), and compiles all
//! that records of this schema share into an [`Encoder`]; [`Encoder::write`] then runs once a record, does not wait, and
//! goes straight from the cells into the output. The caller keeps the encoders, by topic and schema id.
//!
//! Must not know: databases, the Kafka client, which connector a record comes from.

mod bytes;
mod class;
mod error;
mod header;
mod json;
mod number;
mod primitive;
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

/// What preparing gives, once it is done.
pub type Prepare<'a> = Pin<Box<dyn Future<Output = Result<Encoder, ConvertError>> + Send + 'a>>;

/// A configured converter, for keys, values or headers.
pub trait Converter: Send + Sync + std::fmt::Debug {
    /// Prepares what writes records of this schema to this topic. `None` is the schema of tombstones and keyless rows.
    ///
    /// # Errors
    /// When the converter cannot write the schema at all.
    fn prepare<'a>(&'a self, topic: &'a str, schema: Option<&'a Arc<Schema>>) -> Prepare<'a>;
}

/// What writes the records of one schema. It belongs to one thread: what it finds out on the way it keeps without a lock.
#[derive(Debug)]
pub enum Encoder {
    /// JSON, with or without schemas.
    Json(Box<JsonEncoder>),
    /// Java's text forms.
    Text,
    /// Text forms that can be read back as values.
    Header,
    /// Bytes as they are.
    Bytes,
    /// One number or truth.
    Primitive(PrimitiveConverter),
}

impl Encoder {
    /// Appends the payload to `out`. False means a Kafka null: no bytes at all.
    ///
    /// # Errors
    /// When the value does not fit the schema or the converter. What `out` got by then is cut off again.
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

/// The key that every converter has: what it is used for. The worker fills it in.
const TYPE_KEY: &[Key] = &[Key::new("converter.type", Kind::String)
    .required()
    .low()
    .checks(&[Check::OneOfExactly(&["key", "value", "header"])])
    .doc("What this converter is used for.")];

#[cfg(test)]
mod tests;
