//! The messages that a Connect schema becomes in Apicurio's converter, and their text.
//!
//! All messages stand side by side in the file, the whole record's last. They are called after the fields that have them, and a
//! schema that occurs again has the same message. What Protobuf has no place for is kept in the JSON names of fields.
//!
//! Must not know: registries, values.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;

use record::{Kind, Schema};

use super::Options;
use super::error::ProtobufError;
use super::model::{Field, Id, Label, Message, Model, Type, check, scalar, scrubbed};
use crate::convert::ConvertError;

const PACKAGE: &str = "io.apicurio.registry.connect";
const MESSAGE: &str = "ConnectMessage";
/// The name under which a field's JSON name is kept.
const JSON_NAME: &str = "json_name";

/// The messages of a struct, and the order in which they stand in the file.
///
/// # Errors
/// When Protobuf cannot express the schema. The error names the field.
pub(super) fn model(schema: &Schema, options: Options) -> Result<(Model, Vec<Id>), ConvertError> {
    let mut maker = Maker {
        options,
        model: Model { package: Some(PACKAGE.to_owned()), messages: Vec::new(), imports: Vec::new() },
        order: Vec::new(),
        names: HashSet::new(),
        known: HashMap::new(),
        path: Vec::new(),
    };
    match maker.root(schema) {
        Ok(()) => Ok((maker.model, maker.order)),
        Err(error) => Err(ConvertError::Protobuf { field: maker.path.join(".").into(), error }),
    }
}

struct Maker {
    options: Options,
    model: Model,
    order: Vec<Id>,
    names: HashSet<String>,
    /// The messages of structs, by the ids of their schemas.
    known: HashMap<u32, Id>,
    /// Names of the fields on the way to the one that is made.
    path: Vec<String>,
}

impl Maker {
    fn root(&mut self, schema: &Schema) -> Result<(), ProtobufError> {
        if !matches!(schema.kind, Kind::Struct(_)) {
            return Err(ProtobufError::NoStruct);
        }
        let name = schema.name.as_deref().unwrap_or_default();
        let (package, name) = match name.rsplit_once('.') {
            Some((package, name)) => (Some(package), name),
            None => (None, name),
        };
        if let Some(package) = package {
            let parts: Vec<_> =
                package.trim_end_matches('.').split('.').map(|part| scrubbed(part, self.options)).collect();
            self.model.package = Some(parts.join("."));
        }
        let is_unnamed = schema.name.as_deref().is_none_or(|name| name.trim().is_empty());
        let name = if is_unnamed { MESSAGE.to_owned() } else { self.type_name(name) };
        self.structure(&name, schema).map(|_| ())
    }

    /// A name that begins with a capital letter.
    fn type_name(&self, name: &str) -> String {
        let name = match scrubbed(name, self.options) {
            _ if name.is_empty() => "Message".to_owned(),
            name => name
                .strip_prefix("field_")
                .filter(|rest| rest.starts_with(|c: char| !c.is_alphabetic()))
                .map_or(name.clone(), |rest| format!("Message_{rest}")),
        };
        let mut letters = name.chars();
        letters.next().map_or(String::new(), |first| first.to_uppercase().chain(letters).collect())
    }

    /// Begins a message with a name that no other one has.
    fn begin(&mut self, name: &str) -> Result<Id, ProtobufError> {
        let mut unique = name.to_owned();
        let mut number = 2;
        while !self.names.insert(unique.clone()) {
            unique = format!("{name}{number}");
            number += 1;
        }
        check(&unique, &self.full(&unique))?;
        self.model.messages.push(Message { name: unique, fields: Vec::new(), inner: Vec::new() });
        Ok(self.model.messages.len() - 1)
    }

    fn full(&self, name: &str) -> String {
        format!("{}.{name}", self.model.package.as_deref().unwrap_or_default())
    }

    fn structure(&mut self, name: &str, schema: &Schema) -> Result<Id, ProtobufError> {
        if let Some(known) = self.known.get(&schema.id) {
            return Ok(*known);
        }
        let id = self.begin(name)?;
        self.known.insert(schema.id, id);
        for field in schema.fields() {
            self.path.push(field.name.to_string());
            self.field(id, &field.name, &field.schema)?;
            self.path.pop();
        }
        self.order.push(id);
        Ok(id)
    }

    fn field(&mut self, id: Id, raw: &str, schema: &Schema) -> Result<(), ProtobufError> {
        let name = scrubbed(raw, self.options);
        let full = format!("{}.{name}", self.full(&self.model.messages[id].name));
        check(&name, &full)?;
        if self.model.messages[id].fields.iter().any(|field| field.name == name) {
            let around = self.full(&self.model.messages[id].name);
            return Err(ProtobufError::Twice { full, name, around });
        }
        let label = match &schema.kind {
            Kind::Array(_) | Kind::Map(..) => Label::Repeated,
            _ if schema.optional => Label::Optional,
            _ => Label::None,
        };
        let (of, items) = match &schema.kind {
            Kind::Array(items) => (self.of(items, &self.type_name(raw))?, &**items),
            Kind::Map(keys, values) => (self.entry(raw, keys, values)?, schema),
            _ => (self.of(schema, &self.type_name(raw))?, schema),
        };
        let hint = match items.kind {
            Kind::Int8 => "__int8:",
            Kind::Int16 => "__int16:",
            _ => "",
        };
        self.add(id, name, raw, label, of, hint);
        Ok(())
    }

    fn add(&mut self, id: Id, name: String, raw: &str, label: Label, of: Type, hint: &str) {
        let mut meta = Vec::new();
        match name == raw {
            true if hint.is_empty() => {}
            true => meta.push((JSON_NAME, format!("{hint}{name}"))),
            false => meta.push((JSON_NAME, format!("{hint}__raw:{raw}"))),
        }
        let fields = &mut self.model.messages[id].fields;
        let tag = fields.len() as u32 + 1;
        fields.push(Field { name, tag, label, of, meta });
    }

    fn of(&mut self, schema: &Schema, name: &str) -> Result<Type, ProtobufError> {
        Ok(match &schema.kind {
            Kind::Struct(_) => Type::Struct(self.structure(name, schema)?),
            Kind::Array(items) => {
                let id = self.begin(&format!("{name}Wrapper"))?;
                let element = format!("{}Element", self.model.messages[id].name);
                let of = self.of(items, &element)?;
                let hint = match items.kind {
                    Kind::Int8 => "__int8:",
                    Kind::Int16 => "__int16:",
                    _ => "",
                };
                self.add(id, "items".to_owned(), "items", Label::Repeated, of, hint);
                self.order.push(id);
                Type::List(id)
            }
            Kind::Map(keys, values) => self.entry(name, keys, values)?,
            // All other kinds are scalars.
            kind => scalar(kind).map_or(Type::Scalar(super::model::Scalar::Bytes), Type::Scalar),
        })
    }

    fn entry(&mut self, raw: &str, keys: &Schema, values: &Schema) -> Result<Type, ProtobufError> {
        if !matches!(keys.kind, Kind::String) {
            return Err(ProtobufError::Keys);
        }
        let name = format!("{}Entry", self.type_name(raw));
        let id = self.begin(&name)?;
        for (name, of) in [("key", keys), ("value", values)] {
            let made = self.of(of, &self.type_name(name))?;
            let hint = match of.kind {
                Kind::Int8 => "__int8:",
                Kind::Int16 => "__int16:",
                _ => "",
            };
            // Both are always written.
            self.add(id, name.to_owned(), name, Label::Optional, made, hint);
        }
        self.order.push(id);
        Ok(Type::Entry(id))
    }
}

/// The text of the document, as the library Wire writes it.
pub(super) fn document(model: &Model, order: &[Id]) -> String {
    let package = model.package.as_deref().unwrap_or_default();
    let entries: HashSet<Id> = model
        .messages
        .iter()
        .flat_map(|message| &message.fields)
        .filter_map(|field| if let Type::Entry(id) = field.of { Some(id) } else { None })
        .collect();
    let mut out =
        String::from("// Proto schema formatted by Wire, do not edit.\n// Source: \n\nsyntax = \"proto3\";\n");
    let _ = writeln!(out, "\npackage {package};");
    for id in order {
        let message = &model.messages[*id];
        let is_entry = entries.contains(id);
        let _ = write!(out, "\nmessage {} {{", message.name);
        if message.fields.is_empty() {
            out.push_str("}\n");
            continue;
        }
        out.push('\n');
        if is_entry {
            out.push_str("  option map_entry = true;\n\n");
        }
        let (optional, required): (Vec<_>, Vec<_>) =
            message.fields.iter().partition(|field| field.label == Label::Optional && !is_entry);
        for (i, field) in required.into_iter().chain(optional).enumerate() {
            if i > 0 {
                out.push('\n');
            }
            write_field(&mut out, model, field, is_entry);
        }
        out.push_str("}\n");
    }
    out
}

fn write_field(out: &mut String, model: &Model, field: &Field, is_entry: bool) {
    let label = match field.label {
        Label::Optional if !is_entry => "optional ",
        Label::None | Label::Optional => "",
        Label::Repeated => "repeated ",
    };
    let of = match field.of {
        Type::Scalar(scalar) | Type::Wrapper(scalar) => scalar.word().to_owned(),
        Type::Struct(id) | Type::Entry(id) | Type::List(id) => {
            format!(".{}.{}", model.package.as_deref().unwrap_or_default(), model.messages[id].name)
        }
        // Logical types are their plain types in this mapping.
        Type::Decimal | Type::Date | Type::Time | Type::Timestamp => "bytes".to_owned(),
    };
    let _ = write!(out, "  {label}{of} {} = {}", field.name, field.tag);
    for (name, value) in &field.meta {
        let _ = write!(out, " [{name} = \"{}\"]", value.replace('\\', "\\\\").replace('"', "\\\""));
    }
    out.push_str(";\n");
}
