//! Where the attributes of one event are read from: fields of the record's value, or of a header's.
//!
//! Must not know: which attributes there are.

use record::{Header, Headers, Part, Value};

use crate::convert::Given;

/// A value that is read from each record.
#[derive(Debug)]
pub(super) enum Attribute {
    /// A part of the record's value.
    Value(Part),
    /// The value of a header, or one of its fields.
    Header {
        name: &'static str,
        field: Option<Box<str>>,
        /// The part of the header's value that was read last, and the id for which it holds.
        known: (u32, Option<Part>),
    },
}

/// The last header of a name, which is the one that counts.
pub(super) fn header<'h, 'a>(headers: &'h Headers<'a>, name: &str) -> Option<&'h Header<'a>> {
    headers.iter().filter(|header| *header.name == *name).last()
}

impl Attribute {
    pub(super) fn header(name: &'static str, field: Option<&str>) -> Self {
        Self::Header { name, field: field.map(Into::into), known: (0, None) }
    }

    /// The value; null where there is none. As with Connect's `Struct.get`, a null field has its default.
    pub(super) fn read(&mut self, given: Given<'_, '_>) -> Value {
        match self {
            Self::Value(part) => part.value(given.payload.frame()),
            Self::Header { name, field, known } => {
                let Some(header) = header(given.headers, name) else { return Value::Null };
                let id = header.value.id();
                if known.0 != id {
                    let part = header.value.part();
                    *known = (
                        id,
                        match field {
                            Some(field) => part.and_then(|part| part.field(field)).map(Part::or_default),
                            None => part,
                        },
                    );
                }
                known.1.as_ref().map_or(Value::Null, |part| part.value(header.value.frame()))
            }
        }
    }

    /// The value as Java shows it in a text; `null` for a null.
    pub(super) fn text(&mut self, given: Given<'_, '_>) -> String {
        match self.read(given) {
            Value::Text(text) => text,
            Value::Int(number) => number.to_string(),
            Value::Bool(truth) => truth.to_string(),
            _ => "null".to_owned(),
        }
    }
}
