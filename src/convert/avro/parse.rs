//! Reads the text of an Avro document. What values are written with is always read from a text, because a registry may
//! answer with another document than the one that was made of the schema (`use.latest.version`), and because a name
//! stands for the first type that has it.
//!
//! Must not know: Connect's schemas.

use std::collections::HashMap;
use std::sync::Arc;

use serde_json::Value as Json;

use super::error::AvroError;
use super::names::Name;
use super::types::{Enum, Field, Fixed, Form, Properties, Record, Type};

/// The type that a document describes, without the properties that only say more about it.
///
/// # Errors
/// When the text is no Avro schema.
pub(super) fn parse(text: &str) -> Result<Arc<Type>, AvroError> {
    let json = serde_json::from_str(text).map_err(|error| refuse(&format!("it is no JSON: {error}")))?;
    Reader { named: HashMap::new() }.of(&json, None)
}

fn refuse(reason: &str) -> AvroError {
    AvroError::Registered { reason: reason.to_owned() }
}

struct Reader {
    /// Types by their full names; none for one whose definition is being read.
    named: HashMap<Name, Option<Arc<Type>>>,
}

impl Reader {
    fn of(&mut self, json: &Json, around: Option<&str>) -> Result<Arc<Type>, AvroError> {
        let form = match json {
            Json::String(word) => match primitive(word) {
                Some(form) => form,
                None => return self.reference(word, around),
            },
            Json::Array(branches) => {
                let branches = branches.iter().map(|branch| self.of(branch, around));
                Form::Union(branches.collect::<Result<_, _>>()?)
            }
            Json::Object(_) => match &json["type"] {
                Json::String(word) => match word.as_str() {
                    "record" | "error" => return self.record(json, around),
                    "enum" | "fixed" => return self.small(json, word, around),
                    "array" => Form::Array(self.of(&json["items"], around)?),
                    "map" => Form::Map(self.of(&json["values"], around)?),
                    _ => return self.of(&json["type"], around),
                },
                inner => return self.of(inner, around),
            },
            _ => return Err(refuse("a type is missing")),
        };
        Ok(Arc::new(form.bare()))
    }

    fn reference(&self, word: &str, around: Option<&str>) -> Result<Arc<Type>, AvroError> {
        let near = if word.contains('.') { Name::full(word) } else { Name::of(around, word) };
        let (name, found) = match (self.named.get(&near), self.named.get(&Name::full(word))) {
            (Some(found), _) => (near, found),
            (None, Some(found)) => (Name::full(word), found),
            (None, None) => return Err(refuse(&format!("it has no type {word}"))),
        };
        Ok(found.clone().unwrap_or_else(|| Arc::new(Form::Recursive(name).bare())))
    }

    fn name(json: &Json, around: Option<&str>) -> Result<Name, AvroError> {
        match json["name"].as_str() {
            Some(name) if name.contains('.') => Ok(Name::full(name)),
            Some(name) => Ok(Name::of(json["namespace"].as_str().or(around), name)),
            None => Err(refuse("a type has no name")),
        }
    }

    fn define(&mut self, name: Name, form: Form) -> Arc<Type> {
        let of = Arc::new(form.bare());
        self.named.insert(name, Some(of.clone()));
        of
    }

    fn record(&mut self, json: &Json, around: Option<&str>) -> Result<Arc<Type>, AvroError> {
        let name = Self::name(json, around)?;
        self.named.insert(name.clone(), None);
        let mut fields = Vec::new();
        for field in json["fields"].as_array().into_iter().flatten() {
            fields.push(Field {
                name: field["name"].as_str().ok_or_else(|| refuse("a field has no name"))?.to_owned(),
                of: self.of(&field["type"], name.namespace.as_deref())?,
                doc: None,
                default: None,
                properties: Properties::new(),
            });
        }
        Ok(self.define(name.clone(), Form::Record(Record { name, doc: None, fields })))
    }

    /// Reads an enum or a fixed.
    fn small(&mut self, json: &Json, word: &str, around: Option<&str>) -> Result<Arc<Type>, AvroError> {
        let name = Self::name(json, around)?;
        let form = if word == "fixed" {
            let size = json["size"].as_u64().ok_or_else(|| refuse("a fixed has no size"))?;
            Form::Fixed(Fixed { name: name.clone(), size: size as usize })
        } else {
            let symbols = json["symbols"].as_array().into_iter().flatten().filter_map(Json::as_str);
            let symbols = symbols.map(str::to_owned).collect();
            Form::Enum(Enum { name: name.clone(), doc: None, symbols, default: None })
        };
        Ok(self.define(name, form))
    }
}

fn primitive(word: &str) -> Option<Form> {
    Some(match word {
        "null" => Form::Null,
        "boolean" => Form::Boolean,
        "int" => Form::Int,
        "long" => Form::Long,
        "float" => Form::Float,
        "double" => Form::Double,
        "string" => Form::String,
        "bytes" => Form::Bytes,
        _ => return None,
    })
}
