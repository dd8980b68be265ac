//! `io.confluent.connect.json.JsonSchemaConverter`: JSON whose schema a registry stores under an id.
//!
//! A Connect schema becomes a JSON Schema; a record becomes the id and the values as JSON. The document must equal the Java
//! converter's to the letter: otherwise a topic gets a new version of its schema when afterimage takes it over.
//!
//! Must not know: HTTP, databases.

mod converter;
mod default;
mod document;
mod mapping_keys;

pub(super) use self::converter::DEF;
pub use self::converter::JsonSchemaConverter;
use super::json::{Pairs, Style};

/// The settings that the mapping depends on, named after the converter's keys.
#[derive(Clone, Copy, Debug)]
struct Options {
    /// `decimal.format=NUMERIC`: whether decimals are written as digits.
    numeric: bool,
    /// `ignore.default.for.nullables`: whether a null stays null in a field that has a default.
    keep_null: bool,
    /// `object.additional.properties`: whether objects may have properties that the schema does not name.
    additional: bool,
}

impl Options {
    fn style(self) -> Style {
        Style {
            schemas: false,
            numeric: self.numeric,
            replace_null: !self.keep_null,
            any_null: false,
            pairs: Pairs::Objects,
        }
    }

    fn read(properties: &settings::Properties) -> Self {
        let is =
            |name: &str, text: &str| properties.get(name).is_some_and(|value| value.trim().eq_ignore_ascii_case(text));
        Self {
            numeric: is("decimal.format", "numeric"),
            keep_null: is("ignore.default.for.nullables", "true"),
            additional: !is("object.additional.properties", "false"),
        }
    }
}

#[cfg(test)]
mod property;
#[cfg(test)]
mod tests;
