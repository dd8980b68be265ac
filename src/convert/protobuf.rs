//! Protobuf as Confluent's and Apicurio's converters write it, with a document that a registry stores under an id.
//!
//! A Connect schema becomes a `.proto` file; a record becomes the id, the place of its message in the file, and the message.
//! The document must equal the Java converter's to the letter: otherwise a topic gets a new version of its schema when
//! afterimage takes it over.
//!
//! Must not know: HTTP, databases.

mod apicurio;
mod converter;
mod document;
mod error;
mod flat;
mod indexes;
mod mapping_keys;
mod model;
mod plan;
mod write;

use record::Schema;
use settings::Properties;

pub(super) use self::apicurio::APICURIO;
pub use self::apicurio::ApicurioProtobufConverter;
pub(super) use self::converter::DEF;
pub use self::converter::ProtobufConverter;
pub use self::error::ProtobufError;
use super::ConvertError;

/// Whose mapping is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Family {
    /// `io.confluent.connect.protobuf.ProtobufConverter`.
    Confluent,
    /// `io.apicurio.registry.utils.converter.ProtobufConverter`.
    Apicurio,
}

/// The settings that the mapping depends on, named after the converter's keys.
#[derive(Clone, Copy, Debug)]
struct Options {
    /// Whose mapping is followed.
    family: Family,
    /// `optional.for.nullables`: whether fields that may be null are optional, so that null and zero differ.
    optional: bool,
    /// `wrapper.for.nullables`: whether scalars that may be null are messages, so that null and zero differ.
    wrapper: bool,
    /// `ignore.default.for.nullables`: whether a null stays null in a field that has a default.
    keep_null: bool,
    /// `scrub.invalid.names`: whether names that Protobuf does not allow are changed.
    scrub_names: bool,
}

impl Options {
    fn read(properties: &Properties) -> Self {
        let is = |name: &str| properties.get(name).is_some_and(|text| text.trim().eq_ignore_ascii_case("true"));
        Self {
            family: Family::Confluent,
            optional: is("optional.for.nullables"),
            wrapper: is("wrapper.for.nullables"),
            keep_null: is("ignore.default.for.nullables"),
            scrub_names: is("scrub.invalid.names"),
        }
    }
}

/// Lists and maps cannot be whole records.
fn root(schema: &Schema) -> ConvertError {
    ConvertError::Protobuf { field: "".into(), error: ProtobufError::Root { found: schema.type_name() } }
}

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
