//! The messages that a Connect schema becomes, as the class ProtobufData of Confluent's converter makes them.
//!
//! A struct becomes a message inside of the message that has the field. Types are told apart by their short names only, so
//! structs of the same short name are one message, and a struct named like the one around it is taken for that one.
//!
//! Must not know: registries, values, the text of a document.

use std::collections::HashSet;

use record::{Kind, Logical, Schema};

use super::error::ProtobufError;
use super::{Family, Options};
use crate::convert::{ConvertError, scrub};

const UNNAMED: &str = "ConnectDefault";

/// The place of a message in [`Model::messages`].
pub(super) type Id = usize;

/// All messages of a schema. The first one is the whole record.
#[derive(Debug)]
pub(super) struct Model {
    /// What stands before the name of the first message; none where it has no such part.
    pub(super) package: Option<String>,
    pub(super) messages: Vec<Message>,
    /// Files with the types that fields have, in the order of their first use.
    pub(super) imports: Vec<&'static str>,
}

#[derive(Debug)]
pub(super) struct Message {
    pub(super) name: String,
    pub(super) fields: Vec<Field>,
    /// The messages that are defined inside of this one.
    pub(super) inner: Vec<Id>,
}

#[derive(Debug)]
pub(super) struct Field {
    pub(super) name: String,
    pub(super) tag: u32,
    pub(super) label: Label,
    pub(super) of: Type,
    /// What Protobuf has no place for; it is kept in the field's options.
    pub(super) meta: Vec<(&'static str, String)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Label {
    None,
    Optional,
    Repeated,
}

/// The type of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    Scalar(Scalar),
    /// One of Google's messages that hold a scalar and can be missing.
    Wrapper(Scalar),
    Decimal,
    Date,
    Time,
    Timestamp,
    /// A struct.
    Struct(Id),
    /// An entry of a map.
    Entry(Id),
    /// A list inside of a list or a map (Apicurio's): a message whose one field is the list.
    List(Id),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scalar {
    Int32,
    Int64,
    Float,
    Double,
    Bool,
    Text,
    Bytes,
}

/// The messages of a struct.
///
/// # Errors
/// When Protobuf cannot express the schema. The error names the field.
pub(super) fn model(schema: &Schema, options: Options) -> Result<Model, ConvertError> {
    let mut maker = Maker {
        options,
        model: Model { package: None, messages: Vec::new(), imports: Vec::new() },
        unnamed: 0,
        path: Vec::new(),
    };
    match maker.root(schema) {
        Ok(()) => Ok(maker.model),
        Err(error) => Err(ConvertError::Protobuf { field: maker.path.join(".").into(), error }),
    }
}

/// The scalar type for values of a schema, without regard to logical types; none for lists, maps and structs.
pub(super) fn scalar(kind: &Kind) -> Option<Scalar> {
    Some(match kind {
        Kind::Int8 | Kind::Int16 | Kind::Int32 => Scalar::Int32,
        Kind::Int64 => Scalar::Int64,
        Kind::Float32 => Scalar::Float,
        Kind::Float64 => Scalar::Double,
        Kind::Bool => Scalar::Bool,
        Kind::String => Scalar::Text,
        Kind::Bytes => Scalar::Bytes,
        Kind::Array(_) | Kind::Map(..) | Kind::Struct(_) => return None,
    })
}

struct Maker {
    options: Options,
    model: Model,
    /// How many types had no name so far.
    unnamed: u32,
    /// Names of the fields on the way to the one that is made.
    path: Vec<String>,
}

impl Maker {
    fn root(&mut self, schema: &Schema) -> Result<(), ProtobufError> {
        let full = self.named(schema.name.as_deref());
        // Java's String.split leaves out empty parts at the end.
        let parts: Vec<String> =
            full.trim_end_matches('.').split('.').map(|part| scrubbed(part, self.options)).collect();
        let (name, package) =
            parts.split_last().filter(|(name, _)| !name.is_empty()).ok_or(ProtobufError::Unnamed { full })?;
        self.model.package = Some(package.join(".")).filter(|package| !package.is_empty());
        self.message(name, schema, "").map(|_| ())
    }

    /// Defines a message; `around` is the full name of the one that it stands in.
    fn message(&mut self, name: &str, schema: &Schema, around: &str) -> Result<Id, ProtobufError> {
        let id = self.model.messages.len();
        self.model.messages.push(Message { name: name.to_owned(), fields: Vec::new(), inner: Vec::new() });
        let full = if around.is_empty() { self.full(name) } else { format!("{around}.{name}") };
        check(name, &full)?;
        for field in schema.fields() {
            self.path.push(field.name.to_string());
            let name = scrubbed(&field.name, self.options);
            self.field(id, &full, name, &field.schema)?;
            self.path.pop();
        }
        self.check_names(id, &full)?;
        Ok(id)
    }

    fn full(&self, name: &str) -> String {
        match &self.model.package {
            Some(package) => format!("{package}.{name}"),
            None => name.to_owned(),
        }
    }

    fn field(&mut self, parent: Id, around: &str, name: String, schema: &Schema) -> Result<(), ProtobufError> {
        let full = format!("{around}.{name}");
        check(&name, &full)?;
        let label = match &schema.kind {
            Kind::Array(_) | Kind::Map(..) => Label::Repeated,
            _ if self.options.optional && schema.optional => Label::Optional,
            _ => Label::None,
        };
        let schema = if let Kind::Array(items) = &schema.kind { items } else { schema };
        let mut meta = Vec::new();
        let of = match (&schema.kind, schema.logical) {
            (_, Logical::Decimal { .. }) => {
                let parameter = |name: &str| schema.parameters.iter().find(|(key, _)| &**key == name);
                for (name, of) in [("precision", "connect.decimal.precision"), ("scale", "scale")] {
                    meta.extend(parameter(of).map(|(_, value)| (name, value.to_string())));
                }
                self.import("confluent/type/decimal.proto");
                Type::Decimal
            }
            (_, Logical::Date) => {
                self.import("google/type/date.proto");
                Type::Date
            }
            (_, Logical::Time) => {
                self.import("google/type/timeofday.proto");
                Type::Time
            }
            (_, Logical::Timestamp) => {
                self.import("google/protobuf/timestamp.proto");
                Type::Timestamp
            }
            (Kind::Array(_), _) => return Err(ProtobufError::NestedArray),
            (Kind::Map(keys, values), _) => {
                let entry = entry_name(&self.short(schema.name.as_deref()));
                Type::Entry(self.entry(parent, around, &entry, keys, values)?)
            }
            (Kind::Struct(_), _) => {
                let mut of = self.short(schema.name.as_deref());
                if of == name {
                    of.push_str("Message");
                }
                Type::Struct(self.structure(parent, around, &of, schema)?)
            }
            (kind, _) => {
                match kind {
                    Kind::Int8 => meta.push(("connect.type", "int8".to_owned())),
                    Kind::Int16 => meta.push(("connect.type", "int16".to_owned())),
                    _ => {}
                }
                // All other kinds are above.
                let of = scalar(kind).unwrap_or(Scalar::Bytes);
                if self.options.wrapper && schema.optional {
                    self.import("google/protobuf/wrappers.proto");
                    Type::Wrapper(of)
                } else {
                    Type::Scalar(of)
                }
            }
        };
        let fields = &mut self.model.messages[parent].fields;
        let tag = fields.len() as u32 + 1;
        fields.push(Field { name, tag, label, of, meta });
        Ok(())
    }

    /// The message of a struct: one that is there already, by its name, or a new one.
    fn structure(&mut self, parent: Id, around: &str, name: &str, schema: &Schema) -> Result<Id, ProtobufError> {
        let message = &self.model.messages[parent];
        if message.name == name {
            return Ok(parent);
        }
        if let Some(known) = message.inner.iter().find(|id| self.model.messages[**id].name == name) {
            return Ok(*known);
        }
        let id = self.message(name, schema, around)?;
        self.model.messages[parent].inner.push(id);
        Ok(id)
    }

    fn entry(
        &mut self,
        parent: Id,
        around: &str,
        name: &str,
        keys: &Schema,
        values: &Schema,
    ) -> Result<Id, ProtobufError> {
        let id = self.model.messages.len();
        self.model.messages.push(Message { name: name.to_owned(), fields: Vec::new(), inner: Vec::new() });
        let full = format!("{around}.{name}");
        check(name, &full)?;
        self.field(id, &full, "key".to_owned(), keys)?;
        self.field(id, &full, "value".to_owned(), values)?;
        for field in self.model.messages[id].fields.iter_mut().filter(|field| field.label == Label::Optional) {
            field.label = Label::None;
        }
        self.check_names(id, &full)?;
        self.model.messages[parent].inner.push(id);
        Ok(id)
    }

    fn import(&mut self, file: &'static str) {
        if !self.model.imports.contains(&file) {
            self.model.imports.push(file);
        }
    }

    fn check_names(&self, id: Id, full: &str) -> Result<(), ProtobufError> {
        let message = &self.model.messages[id];
        let mut seen = HashSet::new();
        let fields = message.fields.iter().map(|field| field.name.clone());
        let messages = message.inner.iter().map(|id| self.model.messages[*id].name.clone());
        // Each optional field stands in a group of its own.
        let groups = message.fields.iter().filter(|field| field.label == Label::Optional);
        let groups = groups.map(|field| format!("_{}", field.name));
        for name in messages.chain(fields).chain(groups) {
            if !seen.insert(name.clone()) {
                return Err(ProtobufError::Twice { full: format!("{full}.{name}"), name, around: full.to_owned() });
            }
        }
        Ok(())
    }

    /// A name, or one that is made up for a schema without one.
    fn named(&mut self, name: Option<&str>) -> String {
        match name {
            Some(name) if !name.is_empty() => name.to_owned(),
            _ => {
                self.unnamed += 1;
                format!("{UNNAMED}{}", self.unnamed)
            }
        }
    }

    /// The last part of a name.
    fn short(&mut self, name: Option<&str>) -> String {
        let full = self.named(name);
        let short = full.rsplit('.').next().unwrap_or_default();
        scrubbed(short, self.options)
    }
}

/// With `scrub.invalid.names`, a name that Protobuf allows.
pub(super) fn scrubbed(name: &str, options: Options) -> String {
    if options.family == Family::Apicurio {
        return replaced(name);
    }
    if options.scrub_names {
        return scrub::scrubbed(name, |first| first.is_ascii_digit() || first == '_');
    }
    name.to_owned()
}

/// A name in which underscores stand for what Apicurio's converter does not allow.
fn replaced(name: &str) -> String {
    let unit = |unit: u16| char::from_u32(unit.into()).filter(|c| c.is_alphanumeric()).unwrap_or('_');
    let out: String = name.encode_utf16().map(unit).collect();
    match out.chars().next() {
        None => "field".to_owned(),
        Some(first) if first.is_alphabetic() || first == '_' => out,
        Some(_) => format!("field_{out}"),
    }
}

/// The name of a map's entries.
fn entry_name(name: &str) -> String {
    if !name.contains('_') {
        return format!("{name}Entry");
    }
    let words = name.split('_').map(|word| {
        let mut letters = word.chars();
        let first = letters.next().map(|first| first.to_ascii_uppercase());
        first.into_iter().chain(letters.map(|letter| letter.to_ascii_lowercase())).collect::<String>()
    });
    format!("{}Entry", words.collect::<String>())
}

/// Whether Protobuf accepts a name. `full` is the name with those around it.
pub(super) fn check(name: &str, full: &str) -> Result<(), ProtobufError> {
    let full = || full.to_owned();
    if name.is_empty() {
        return Err(ProtobufError::Unnamed { full: full() });
    }
    let is_valid = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if !is_valid || name.starts_with(|first: char| first.is_ascii_digit()) {
        return Err(ProtobufError::Identifier { full: full(), name: name.to_owned() });
    }
    Ok(())
}
