//! Connect schemas, interned: structurally equal schemas are one `Arc` with one id, which is never given out twice.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, LazyLock, Mutex, PoisonError, Weak};

use crate::Value;

/// The type of a schema.
#[derive(Clone, Debug)]
pub enum Kind {
    /// BOOLEAN.
    Bool,
    /// INT8.
    Int8,
    /// INT16.
    Int16,
    /// INT32.
    Int32,
    /// INT64.
    Int64,
    /// FLOAT32.
    Float32,
    /// FLOAT64.
    Float64,
    /// STRING.
    String,
    /// BYTES.
    Bytes,
    /// ARRAY of elements.
    Array(Arc<Schema>),
    /// MAP of keys to values.
    Map(Arc<Schema>, Arc<Schema>),
    /// STRUCT.
    Struct(Vec<Field>),
}

impl Kind {
    /// A struct of these fields, in their order.
    pub fn structure<'a>(fields: impl IntoIterator<Item = (&'a str, Arc<Schema>)>) -> Self {
        Self::Struct(fields.into_iter().map(|(name, schema)| Field { name: name.into(), schema }).collect())
    }
}

/// A field of a struct.
#[derive(Clone, Debug)]
pub struct Field {
    /// Name of the field in its struct.
    pub name: Arc<str>,
    /// Schema of the field's values.
    pub schema: Arc<Schema>,
}

/// Logical types that converters treat specially, found once from the schema's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Logical {
    /// None, or one that is written as its plain type.
    Plain,
    /// `org.apache.kafka.connect.data.Decimal` of this scale.
    Decimal {
        /// Digits behind the point.
        scale: i32,
    },
    /// `org.apache.kafka.connect.data.Date`.
    Date,
    /// `org.apache.kafka.connect.data.Time`.
    Time,
    /// `org.apache.kafka.connect.data.Timestamp`.
    Timestamp,
}

/// A Connect schema. Made by [`Schema::of`]; equal ones are the same `Arc` while anybody holds one.
#[derive(Debug)]
pub struct Schema {
    /// Unique for the life of the process.
    pub id: u32,
    /// The Connect type, with the schemas of elements or fields.
    pub kind: Kind,
    /// Whether null is allowed.
    pub optional: bool,
    /// The default value, none for a schema without one.
    pub default: Option<Value>,
    /// The schema's name, such as `io.debezium.time.Date`.
    pub name: Option<Arc<str>>,
    /// The schema's version, as Connect's schemas have one.
    pub version: Option<i32>,
    /// The documentation text.
    pub doc: Option<Arc<str>>,
    /// Names and values of the parameters, in the order given.
    pub parameters: Vec<(Arc<str>, Arc<str>)>,
    /// The logical type that the name stands for.
    pub logical: Logical,
    /// The value has a type but no schema that readers should see: a few transforms make such values, as Connect's do with
    /// maps. Converters write null in the place of the schema.
    pub schemaless: bool,
}

/// Gathers the parts of a schema.
#[derive(Clone, Debug)]
pub struct SchemaBuilder {
    kind: Kind,
    optional: bool,
    default: Option<Value>,
    name: Option<Arc<str>>,
    version: Option<i32>,
    doc: Option<Arc<str>>,
    parameters: Vec<(Arc<str>, Arc<str>)>,
    schemaless: bool,
}

impl Schema {
    /// Starts a schema: required, without name or default.
    pub fn of(kind: Kind) -> SchemaBuilder {
        SchemaBuilder {
            kind,
            optional: false,
            default: None,
            name: None,
            version: None,
            doc: None,
            parameters: Vec::new(),
            schemaless: false,
        }
    }

    /// A builder with everything this schema has.
    pub fn edit(&self) -> SchemaBuilder {
        SchemaBuilder {
            kind: self.kind.clone(),
            optional: self.optional,
            default: self.default.clone(),
            name: self.name.clone(),
            version: self.version,
            doc: self.doc.clone(),
            parameters: self.parameters.clone(),
            schemaless: self.schemaless,
        }
    }

    /// The fields of a struct; nothing for other kinds.
    pub fn fields(&self) -> &[Field] {
        match &self.kind {
            Kind::Struct(fields) => fields,
            _ => &[],
        }
    }

    /// A field's index by its name.
    pub fn field(&self, name: &str) -> Option<usize> {
        self.fields().iter().position(|field| &*field.name == name)
    }

    /// The Connect name of the type, as error messages spell it.
    pub fn type_name(&self) -> &'static str {
        match self.kind {
            Kind::Bool => "BOOLEAN",
            Kind::Int8 => "INT8",
            Kind::Int16 => "INT16",
            Kind::Int32 => "INT32",
            Kind::Int64 => "INT64",
            Kind::Float32 => "FLOAT32",
            Kind::Float64 => "FLOAT64",
            Kind::String => "STRING",
            Kind::Bytes => "BYTES",
            Kind::Array(_) => "ARRAY",
            Kind::Map(..) => "MAP",
            Kind::Struct(_) => "STRUCT",
        }
    }
}

static NEXT_ID: AtomicU32 = AtomicU32::new(1);

/// A fresh id; never given out twice in a process. Schemas and views share the numbers.
pub(crate) fn next_id() -> u32 {
    NEXT_ID.fetch_add(1, Ordering::Relaxed)
}

static INTERNED: LazyLock<Mutex<HashMap<Vec<u8>, Weak<Schema>>>> = LazyLock::new(Mutex::default);

impl SchemaBuilder {
    /// Allows null.
    #[must_use]
    pub fn optional(mut self) -> Self {
        self.optional = true;
        self
    }

    /// Allows null, or not.
    #[must_use]
    pub fn optional_if(mut self, optional: bool) -> Self {
        self.optional = optional;
        self
    }

    /// Sets or clears the default.
    #[must_use]
    pub fn default(mut self, value: Option<Value>) -> Self {
        self.default = value;
        self
    }

    /// Sets the name and the version.
    #[must_use]
    pub fn named(mut self, name: &str, version: Option<i32>) -> Self {
        self.name = Some(name.into());
        self.version = version;
        self
    }

    /// Sets the documentation text.
    #[must_use]
    pub fn doc(mut self, doc: &str) -> Self {
        self.doc = Some(doc.into());
        self
    }

    /// Adds a parameter after those that are there.
    #[must_use]
    pub fn parameter(mut self, name: &str, value: &str) -> Self {
        self.parameters.push((name.into(), value.into()));
        self
    }

    /// Sets the name, or removes it.
    #[must_use]
    pub fn name(mut self, name: Option<Arc<str>>) -> Self {
        self.name = name;
        self
    }

    /// Sets the version, or removes it.
    #[must_use]
    pub fn version(mut self, version: Option<i32>) -> Self {
        self.version = version;
        self
    }

    /// Makes the schema one that readers do not see; see [`Schema::schemaless`].
    #[must_use]
    pub fn schemaless(mut self) -> Self {
        self.schemaless = true;
        self
    }

    /// Replaces the type and nothing else.
    #[must_use]
    pub fn kind(mut self, kind: Kind) -> Self {
        self.kind = kind;
        self
    }

    /// Gives the interned schema: an equal one that somebody still holds, else a new one.
    pub fn build(self) -> Arc<Schema> {
        let print = self.fingerprint();
        let mut table = INTERNED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(schema) = table.get(&print).and_then(Weak::upgrade) {
            return schema;
        }
        // Dead entries are dropped when the table would grow, so that it is bounded by twice what is alive.
        if table.len() == table.capacity() {
            table.retain(|_, schema| schema.strong_count() > 0);
        }
        let scale = || self.parameters.iter().find(|(k, _)| &**k == "scale").and_then(|(_, v)| v.parse().ok());
        let logical = match self.name.as_deref() {
            Some("org.apache.kafka.connect.data.Decimal") => Logical::Decimal { scale: scale().unwrap_or(0) },
            Some("org.apache.kafka.connect.data.Date") => Logical::Date,
            Some("org.apache.kafka.connect.data.Time") => Logical::Time,
            Some("org.apache.kafka.connect.data.Timestamp") => Logical::Timestamp,
            _ => Logical::Plain,
        };
        let schema = Arc::new(Schema {
            id: next_id(),
            kind: self.kind,
            optional: self.optional,
            default: self.default,
            name: self.name,
            version: self.version,
            doc: self.doc,
            parameters: self.parameters,
            logical,
            schemaless: self.schemaless,
        });
        table.insert(print, Arc::downgrade(&schema));
        schema
    }

    /// Bytes that are equal exactly when the schemas are. Child schemas are interned, so their ids stand for them.
    fn fingerprint(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(64);
        let text = |out: &mut Vec<u8>, text: &str| {
            out.extend_from_slice(&(text.len() as u32).to_le_bytes());
            out.extend_from_slice(text.as_bytes());
        };
        let option = |out: &mut Vec<u8>, value: Option<&str>| match value {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                text(out, value);
            }
        };
        out.push(match &self.kind {
            Kind::Bool => 0,
            Kind::Int8 => 1,
            Kind::Int16 => 2,
            Kind::Int32 => 3,
            Kind::Int64 => 4,
            Kind::Float32 => 5,
            Kind::Float64 => 6,
            Kind::String => 7,
            Kind::Bytes => 8,
            Kind::Array(_) => 9,
            Kind::Map(..) => 10,
            Kind::Struct(_) => 11,
        });
        match &self.kind {
            Kind::Array(element) => out.extend_from_slice(&element.id.to_le_bytes()),
            Kind::Map(key, value) => {
                out.extend_from_slice(&key.id.to_le_bytes());
                out.extend_from_slice(&value.id.to_le_bytes());
            }
            Kind::Struct(fields) => {
                out.extend_from_slice(&(fields.len() as u32).to_le_bytes());
                for field in fields {
                    text(&mut out, &field.name);
                    out.extend_from_slice(&field.schema.id.to_le_bytes());
                }
            }
            _ => {}
        }
        out.push(u8::from(self.optional) | u8::from(self.schemaless) << 1);
        option(&mut out, self.name.as_deref());
        out.extend_from_slice(&self.version.unwrap_or(i32::MIN).to_le_bytes());
        option(&mut out, self.doc.as_deref());
        out.extend_from_slice(&(self.parameters.len() as u32).to_le_bytes());
        for (name, value) in &self.parameters {
            text(&mut out, name);
            text(&mut out, value);
        }
        match &self.default {
            None => out.push(0),
            Some(value) => {
                out.push(1);
                // Different values have different Debug texts (floats print their shortest distinct form; -0.0 is not 0.0).
                text(&mut out, &format!("{value:?}"));
            }
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_schemas_are_one() {
        let make =
            |name: &str| Schema::of(Kind::Int32).optional().named(name, Some(1)).default(Some(Value::Int(7))).build();
        let (one, same, other) = (make("a"), make("a"), make("b"));
        assert!(Arc::ptr_eq(&one, &same));
        assert_ne!(one.id, other.id);
    }

    #[test]
    fn an_id_is_never_given_twice() {
        let first = Schema::of(Kind::Bytes).named("gone", None).build().id;
        assert_ne!(Schema::of(Kind::Bytes).named("gone", None).build().id, first);
    }

    #[test]
    fn a_decimal_knows_its_scale() {
        let schema = Schema::of(Kind::Bytes)
            .named("org.apache.kafka.connect.data.Decimal", Some(1))
            .parameter("scale", "3")
            .build();
        assert_eq!(schema.logical, Logical::Decimal { scale: 3 });
    }
}
