//! The JSON Schema of a Connect schema, as the class JsonSchemaData of Confluent's converter makes it.
//!
//! What JSON Schema has no place for (a type's width, version and parameters, the places of fields) is kept in properties whose
//! names begin with `connect.`. The order of all properties is part of the document's text: some stand in the order in which
//! the library everit-json-schema writes them, some in that of Java's hash maps.
//!
//! Must not know: registries, values other than defaults.

use std::fmt::Write as _;

use record::java_map::{Made, listed};
use record::{Kind, Logical, Schema};

use super::Options;
use super::default::write_default;
use crate::convert::json::write_text;

/// The text of the document for a schema.
pub(super) fn document(schema: &Schema, options: Options) -> String {
    let mut out = String::new();
    Writer { options, out: &mut out }.any(schema, None);
    out
}

struct Writer<'o> {
    options: Options,
    out: &'o mut String,
}

impl Writer<'_> {
    /// Writes the type of a schema. `index` is the place of the field in its struct.
    fn any(&mut self, schema: &Schema, index: Option<usize>) {
        if !schema.optional {
            return self.required(schema, index);
        }
        self.out.push('{');
        if let Some(index) = index {
            let _ = write!(self.out, "\"connect.index\":{index},");
        }
        self.out.push_str("\"oneOf\":[{\"type\":\"null\"},");
        self.required(schema, None);
        self.out.push_str("]}");
    }

    /// Writes the type without its null.
    fn required(&mut self, schema: &Schema, index: Option<usize>) {
        let (word, connect) = self.words(schema);
        self.out.push('{');
        // The library writes the type of booleans last.
        if word != "boolean" {
            self.member("type", |out| write_text(out, word));
        }
        if matches!(schema.kind, Kind::Struct(_)) && !self.options.additional {
            self.member("additionalProperties", |out| out.push_str("false"));
        }
        if let Some(name) = &schema.name {
            self.member("title", |out| write_text(out, name));
        }
        if let Some(doc) = &schema.doc {
            self.member("description", |out| write_text(out, doc));
        }
        if let Some(default) = &schema.default {
            let mut text = String::new();
            if write_default(&mut text, schema, default, self.options) {
                self.member("default", |out| out.push_str(&text));
            }
        }
        self.properties(schema, connect, index);
        match &schema.kind {
            Kind::Bool => self.member("type", |out| write_text(out, word)),
            Kind::Array(items) => self.inner("items", items),
            Kind::Map(keys, values) if is_object(keys) => self.inner("additionalProperties", values),
            Kind::Map(keys, values) => {
                self.name("items");
                self.out.push_str("{\"type\":\"object\",\"properties\":");
                self.fields(&[("key", keys), ("value", values)]);
                self.out.push('}');
            }
            Kind::Struct(fields) => {
                let fields: Vec<_> = fields.iter().map(|field| (&*field.name, &*field.schema)).collect();
                if !fields.is_empty() {
                    self.name("properties");
                    self.fields(&fields);
                }
            }
            _ => {}
        }
        self.out.push('}');
    }

    /// The JSON type, and the Connect type where the JSON type does not tell.
    fn words(&self, schema: &Schema) -> (&'static str, Option<&'static str>) {
        match (&schema.kind, schema.logical) {
            (Kind::Int8, _) => ("integer", Some("int8")),
            (Kind::Int16, _) => ("integer", Some("int16")),
            (Kind::Int32, _) => ("integer", Some("int32")),
            (Kind::Int64, _) => ("integer", Some("int64")),
            (Kind::Float32, _) => ("number", Some("float32")),
            (Kind::Float64, _) => ("number", Some("float64")),
            (Kind::Bool, _) => ("boolean", None),
            (Kind::String, _) => ("string", None),
            (Kind::Bytes, Logical::Decimal { .. }) if self.options.numeric => ("number", Some("bytes")),
            (Kind::Bytes, _) => ("string", Some("bytes")),
            (Kind::Array(_), _) => ("array", None),
            (Kind::Map(keys, _), _) if is_object(keys) => ("object", Some("map")),
            (Kind::Map(..), _) => ("array", Some("map")),
            (Kind::Struct(_), _) => ("object", None),
        }
    }

    /// Writes what only Connect knows.
    fn properties(&mut self, schema: &Schema, connect: Option<&'static str>, index: Option<usize>) {
        let mut properties = Vec::new();
        if let Some(connect) = connect {
            properties.push(("connect.type", format!("\"{connect}\"")));
        }
        if let Some(version) = schema.version {
            properties.push(("connect.version", version.to_string()));
        }
        let parameters = schema.parameters.iter().filter(|(name, _)| !name.starts_with("io.confluent.connect.json"));
        let parameters = listed(parameters, |(name, _)| name, Made::Growing);
        if !parameters.is_empty() {
            let mut text = String::new();
            for (i, (name, value)) in listed(parameters, |(name, _)| name, Made::Sized).into_iter().enumerate() {
                text.push(if i == 0 { '{' } else { ',' });
                write_text(&mut text, name);
                text.push(':');
                write_text(&mut text, value);
            }
            text.push('}');
            properties.push(("connect.parameters", text));
        }
        if let Some(index) = index {
            properties.push(("connect.index", index.to_string()));
        }
        let properties = listed(properties, |(name, _)| name, Made::Growing);
        for (name, text) in listed(properties, |(name, _)| name, Made::Copied) {
            self.member(name, |out| out.push_str(&text));
        }
    }

    /// Writes the types of fields, each with its place.
    fn fields(&mut self, fields: &[(&str, &Schema)]) {
        let fields = listed(fields.iter().enumerate(), |(_, (name, _))| name, Made::Growing);
        self.out.push('{');
        for (i, (place, (name, schema))) in fields.into_iter().enumerate() {
            if i > 0 {
                self.out.push(',');
            }
            write_text(self.out, name);
            self.out.push(':');
            self.any(schema, Some(place));
        }
        self.out.push('}');
    }

    fn inner(&mut self, name: &str, schema: &Schema) {
        self.name(name);
        self.any(schema, None);
    }

    fn member(&mut self, name: &str, write: impl FnOnce(&mut String)) {
        self.name(name);
        write(self.out);
    }

    /// Writes the name of a member, and a comma before it unless it is the first one.
    fn name(&mut self, name: &str) {
        if !self.out.ends_with('{') {
            self.out.push(',');
        }
        let _ = write!(self.out, "\"{name}\":");
    }
}

/// Whether a map with such keys is a JSON object. Others are arrays of entries.
pub(super) fn is_object(keys: &Schema) -> bool {
    matches!(keys.kind, Kind::String) && !keys.optional
}
