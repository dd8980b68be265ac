//! Avro as Confluent's and Apicurio's converters write it.
//!
//! A Connect schema becomes an Avro document, which a registry stores under an id; a record becomes that id and the
//! values, one after the other, without names or types. The document must equal the Java converter's to the letter:
//! otherwise a topic gets a new version of its schema when afterimage takes it over.
//!
//! Must not know: databases, HTTP.

mod anything;
mod converter;
mod defaults;
mod document;
mod encoder;
mod error;
mod mapping_keys;
mod names;
mod options;
mod parse;
mod plan;
mod print;
mod types;
mod write;

pub use self::converter::AvroConverter;
pub(super) use self::converter::{APICURIO, CONFLUENT};
pub use self::error::AvroError;

#[cfg(test)]
mod tests;
