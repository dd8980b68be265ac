//! Turns payloads into bytes: the converters of Kafka Connect, found by their Java class names.
//!
//! Converting has two steps. [`Converter::prepare`] runs once for each topic and each way in which payloads are made (a schema
//! and the sources of its values, [`Part`]). It may wait, for example for a schema registry, and compiles everything that
//! these payloads share into an [`Encoder`]. [`Encoder::write`] runs once for each record, never waits, and writes straight
//! from the cells into the output. The caller keeps the encoders, by topic and [`Payload::id`].
//!
//! Must not know: databases, the Kafka client, which connector a record comes from.

mod announce;
mod avro;
mod bytes;
mod cloud_events;
mod delegate;
mod error;
mod ext_json;
mod header;
mod java_class_names;
mod json;
mod json_schema;
mod mapping_keys;
mod number;
mod primitive;
mod program;
mod proto_file;
mod protobuf;
pub mod registry;
mod scrub;
mod string;
mod table;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use record::{Headers, Part, Payload};
use settings::{Check, Key, Kind};

pub use self::avro::{AvroConverter, AvroError};
pub use self::bytes::ByteArrayConverter;
pub use self::cloud_events::CloudEventsConverter;
pub use self::delegate::DelegatingConverter;
pub use self::error::ConvertError;
pub use self::ext_json::ExtJsonConverter;
pub use self::header::SimpleHeaderConverter;
pub use self::json::{JsonConverter, JsonEncoder, Unreadable, read_payload};
pub use self::json_schema::JsonSchemaConverter;
pub use self::primitive::PrimitiveConverter;
pub use self::protobuf::{ApicurioProtobufConverter, ProtobufConverter, ProtobufError};
pub use self::string::{StringConverter, java_text};
pub use self::table::{ALL, Entry, Refusal, Role, create, find};

/// The future that [`Converter::prepare`] returns.
pub type Prepare<'a> = Pin<Box<dyn Future<Output = Result<Encoder, ConvertError>> + Send + 'a>>;

/// A configured converter, for keys, values or headers.
pub trait Converter: Send + Sync + std::fmt::Debug {
    /// Prepares an encoder for records of this topic that are made in this way. `None` stands for records without a schema:
    /// tombstones, and the keys of tables without a key. The future may be dropped before it is done, and the call repeated.
    ///
    /// # Errors
    /// When the converter cannot write the schema at all, or what it needs for it (a schema registry) refuses or does not
    /// answer.
    fn prepare<'a>(&'a self, topic: &'a str, part: Option<&'a Part>) -> Prepare<'a>;

    /// As [`prepare`](Self::prepare), by the first of the records. Only a converter that makes something of a record's headers
    /// needs more of it than its part.
    ///
    /// # Errors
    /// The same.
    fn prepare_for<'a>(&'a self, topic: &'a str, given: Given<'a, 'a>) -> Prepare<'a> {
        Box::pin(async move {
            let part = given.payload.part();
            self.prepare(topic, part.as_ref()).await
        })
    }
}

/// What an encoder sees of a record.
#[derive(Clone, Copy, Debug)]
pub struct Given<'r, 'a> {
    /// What is to be written: the record's key, its value, or the value of one of its headers.
    pub payload: &'r Payload<'a>,
    /// The record's headers, which CloudEvents are made of.
    pub headers: &'r Headers<'a>,
}

type Write = dyn FnMut(Given<'_, '_>, &mut Vec<u8>) -> Result<bool, ConvertError> + Send;

/// Writes the payloads of one topic that have one id. An encoder belongs to one thread, so it can cache without a lock.
pub struct Encoder {
    write: Box<Write>,
    headers: Vec<(Arc<str>, Vec<u8>)>,
}

impl std::fmt::Debug for Encoder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Encoder").field("headers", &self.headers).finish_non_exhaustive()
    }
}

impl Encoder {
    /// An encoder that writes with this function. The function appends to the buffer, and returns false for a Kafka null,
    /// which has no bytes at all.
    pub fn new(write: impl FnMut(Given<'_, '_>, &mut Vec<u8>) -> Result<bool, ConvertError> + Send + 'static) -> Self {
        Self { write: Box::new(write), headers: Vec::new() }
    }

    /// Adds a header that each record gets behind its own ones, such as a schema's id.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<Arc<str>>, value: Vec<u8>) -> Self {
        self.headers.push((name.into(), value));
        self
    }

    /// The headers that each record gets behind its own ones.
    pub fn headers(&self) -> &[(Arc<str>, Vec<u8>)] {
        &self.headers
    }

    /// Appends the payload to `out`. Returns false for a Kafka null, which has no bytes at all.
    ///
    /// # Errors
    /// When the value does not fit the schema or the converter. `out` is then as it was before. After
    /// [`ConvertError::Changed`] an encoder that is prepared for this record can write it.
    pub fn write(&mut self, given: Given<'_, '_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let start = out.len();
        let written = (self.write)(given, out);
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
