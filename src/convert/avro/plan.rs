//! How values of one schema are written: a Connect schema held against an Avro document once, so that nothing is
//! compared or looked up when a value is written.
//!
//! Must not know: where values come from.

use std::collections::HashMap;
use std::sync::Arc;

use record::{Kind, Logical, Schema, Value};

use super::document::{enum_parameter, has_text_keys, is_fixed, is_union};
use super::error::AvroError;
use super::names::{field_name, type_name};
use super::options::Options;
use super::types::{Form as Avro, Record, Type};
use super::write::{write_long, write_owned};
use crate::convert::ConvertError;

/// How a value is written.
#[derive(Clone, Debug)]
pub(super) struct Plan {
    pub(super) form: Form,
    /// The index of the value's branch, as bytes, for a value in a union; empty otherwise.
    pub(super) branch: Box<[u8]>,
    /// The bytes that a null becomes; none where a null is an error.
    pub(super) null: Option<Box<[u8]>>,
    /// Path of the field, for error messages, such as `after.id`.
    pub(super) field: Arc<str>,
}

/// What a value is.
#[derive(Clone, Debug)]
pub(super) enum Form {
    Bool,
    /// The number of bits is 32 or 64. Both are written alike, but a reader refuses a number that has too many.
    Int(u32),
    Float,
    Double,
    Text,
    /// The index of each symbol, as bytes.
    Enum(HashMap<Box<str>, Box<[u8]>>),
    Bytes,
    /// A decimal; its scale must be the one given here.
    Decimal(i32),
    /// Bytes of this number, and the scale if they are a decimal.
    Fixed(usize, Option<i32>),
    Array(Box<Plan>),
    /// A map with text keys.
    Map(Box<Plan>),
    /// A map with other keys: an array of records of key and value.
    Entries(Box<[Plan; 2]>),
    Struct(Box<[Member]>),
    /// A struct that stands for one of its fields, the first that is not null. The plan of each.
    Union(Box<[Plan]>),
}

/// A field of a record.
#[derive(Clone, Debug)]
pub(super) struct Member {
    /// Index of the field in the struct.
    pub(super) from: usize,
    pub(super) plan: Plan,
}

/// The plan for values of `schema` in a document of the type `of`.
///
/// # Errors
/// When the document cannot hold such values. The error names the field.
pub(super) fn plan(schema: &Schema, of: &Type, options: Options) -> Result<Plan, ConvertError> {
    Compiler { options }.value(schema, of, "")
}

struct Compiler {
    options: Options,
}

impl Compiler {
    /// A value that is no field of a struct: the whole record, an item, an entry of a map.
    fn value(&self, schema: &Schema, of: &Type, field: &str) -> Result<Plan, ConvertError> {
        if let (Avro::Union(branches), false) = (&of.form, is_union(schema)) {
            let at = self.branch_of(schema, branches, field)?;
            let mut plan = self.bare(schema, &branches[at], field)?;
            plan.branch = index(at);
            plan.null = null_of(branches).filter(|_| schema.optional);
            return Ok(plan);
        }
        let mut plan = self.bare(schema, of, field)?;
        if let Avro::Union(branches) = &of.form {
            plan.null = null_of(branches).filter(|_| schema.optional);
        }
        Ok(plan)
    }

    /// A field of a struct. A null in it becomes the default of its schema.
    fn member(&self, schema: &Schema, of: &Type, field: &str) -> Result<Plan, ConvertError> {
        let mut plan = self.value(schema, of, field)?;
        let default = schema.default.as_ref().filter(|value| **value != Value::Null && !self.options.keep_null);
        if let Some(default) = default {
            let mut bytes = Vec::new();
            // A default that does not fit its schema is not reported here. A null that would need it is then reported.
            plan.null = write_owned(&plan, default, &mut bytes).is_ok().then(|| bytes.into());
        }
        Ok(plan)
    }

    /// A value that is not null and in no union, or in one of the schema's own.
    fn bare(&self, schema: &Schema, of: &Type, field: &str) -> Result<Plan, ConvertError> {
        let decimal = match schema.logical {
            Logical::Decimal { scale } => Some(scale),
            _ => None,
        };
        let form = match (&schema.kind, &of.form) {
            (Kind::Bool, Avro::Boolean) => Form::Bool,
            (Kind::Int8 | Kind::Int16 | Kind::Int32, Avro::Int) => Form::Int(32),
            (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Avro::Long) => Form::Int(64),
            (Kind::Float32, Avro::Float) => Form::Float,
            (Kind::Float64, Avro::Double) => Form::Double,
            (Kind::String, Avro::String) => Form::Text,
            (Kind::String, Avro::Enum(of)) if enum_parameter(schema, self.options).is_some() => {
                let symbols = of.symbols.iter().enumerate();
                Form::Enum(symbols.map(|(i, symbol)| (symbol.as_str().into(), index(i))).collect())
            }
            (Kind::Bytes, Avro::Bytes) => decimal.map_or(Form::Bytes, Form::Decimal),
            (Kind::Bytes, Avro::Fixed(fixed)) => Form::Fixed(fixed.size, decimal),
            (Kind::Array(items), Avro::Array(of)) => Form::Array(Box::new(self.value(items, of, field)?)),
            (Kind::Map(keys, values), Avro::Map(of)) if has_text_keys(keys, self.options) => {
                Form::Map(Box::new(self.value(values, of, field)?))
            }
            (Kind::Map(keys, values), Avro::Array(of)) => match &of.form {
                Avro::Record(Record { fields, .. }) if fields.len() == 2 => Form::Entries(Box::new([
                    self.value(keys, &fields[0].of, field)?,
                    self.value(values, &fields[1].of, field)?,
                ])),
                _ => return Err(misfit(schema, of, field)),
            },
            (Kind::Struct(_), Avro::Union(branches)) if is_union(schema) => self.union(schema, branches, field)?,
            (Kind::Struct(_), Avro::Record(record)) => self.record(schema, record, field)?,
            _ => return Err(misfit(schema, of, field)),
        };
        Ok(Plan { form, branch: Box::default(), null: None, field: field.into() })
    }

    fn record(&self, schema: &Schema, record: &Record, field: &str) -> Result<Form, ConvertError> {
        let mut names = HashMap::new();
        for (i, of) in schema.fields().iter().enumerate() {
            let name = field_name(&of.name, self.options).map_err(|error| at(&inside(field, &of.name), error))?;
            names.insert(name, i);
        }
        let member = |of: &super::types::Field| {
            let Some(&from) = names.get(&of.name) else {
                let error = AvroError::Registered { reason: "the record has no such field".to_owned() };
                return Err(at(&inside(field, &of.name), error));
            };
            let own = &schema.fields()[from];
            Ok(Member { from, plan: self.member(&own.schema, &of.of, &inside(field, &own.name))? })
        };
        Ok(Form::Struct(record.fields.iter().map(member).collect::<Result<_, _>>()?))
    }

    fn union(&self, schema: &Schema, branches: &[Arc<Type>], field: &str) -> Result<Form, ConvertError> {
        let member = |of: &record::Field| {
            let path = inside(field, &of.name);
            let at = self.branch_of(&of.schema, branches, &path)?;
            let mut plan = self.bare(&of.schema, &branches[at], &path)?;
            plan.branch = index(at);
            if let Some(default) = of.schema.default.as_ref().filter(|_| !self.options.keep_null) {
                let mut bytes = Vec::new();
                plan.null = write_owned(&plan, default, &mut bytes).is_ok().then(|| bytes.into());
            }
            Ok(plan)
        };
        Ok(Form::Union(schema.fields().iter().map(member).collect::<Result<_, _>>()?))
    }

    /// The branch of a union that holds the values of a schema.
    fn branch_of(&self, schema: &Schema, branches: &[Arc<Type>], field: &str) -> Result<usize, ConvertError> {
        let words: &[&str] = match &schema.kind {
            Kind::Bool => &["boolean"],
            Kind::Int8 | Kind::Int16 | Kind::Int32 => &["int", "long"],
            Kind::Int64 => &["long"],
            Kind::Float32 => &["float"],
            Kind::Float64 => &["double"],
            Kind::String if enum_parameter(schema, self.options).is_some() => &["enum"],
            Kind::String => &["string"],
            Kind::Bytes if is_fixed(schema) => &["fixed"],
            Kind::Bytes => &["bytes"],
            Kind::Array(_) => &["array"],
            Kind::Map(keys, _) if has_text_keys(keys, self.options) => &["map"],
            Kind::Map(..) => &["array"],
            Kind::Struct(_) => &["record"],
        };
        let name = match enum_parameter(schema, self.options) {
            Some(parameter) => schema.parameters.iter().find(|(key, _)| &**key == parameter).map(|(_, name)| name),
            None => schema.name.as_ref(),
        };
        let name = name.and_then(|name| type_name(name, self.options).ok());
        let fits = |word: &str| {
            let same = |branch: &&Arc<Type>| branch.form.word() == word;
            let of_name = |branch: &Arc<Type>| branch.form.word() == word && branch.form.name() == name.as_ref();
            let only = (branches.iter().filter(same).count() == 1)
                .then(|| branches.iter().position(|branch| branch.form.word() == word));
            branches.iter().position(of_name).or_else(|| only.flatten())
        };
        words.iter().find_map(|word| fits(word)).ok_or_else(|| {
            let reason = format!("the union has no branch for {}", schema.type_name());
            at(field, AvroError::Registered { reason })
        })
    }
}

fn inside(field: &str, name: &str) -> String {
    if field.is_empty() { name.to_owned() } else { format!("{field}.{name}") }
}

fn at(field: &str, error: AvroError) -> ConvertError {
    ConvertError::Avro { field: field.into(), error }
}

fn misfit(schema: &Schema, of: &Type, field: &str) -> ConvertError {
    let reason = format!("it has {} where the record has {}", of.form.word(), schema.type_name());
    at(field, AvroError::Registered { reason })
}

fn index(of: usize) -> Box<[u8]> {
    let mut out = Vec::new();
    write_long(&mut out, of as i64);
    out.into()
}

fn null_of(branches: &[Arc<Type>]) -> Option<Box<[u8]>> {
    branches.iter().position(|branch| matches!(branch.form, Avro::Null)).map(index)
}

impl Form {
    /// The name of the schema's type, as in Connect's messages.
    pub(super) fn type_name(&self) -> &'static str {
        match self {
            Self::Bool => "BOOLEAN",
            Self::Int(32) => "INT32",
            Self::Int(_) => "INT64",
            Self::Float => "FLOAT32",
            Self::Double => "FLOAT64",
            Self::Text | Self::Enum(_) => "STRING",
            Self::Bytes | Self::Decimal(_) | Self::Fixed(..) => "BYTES",
            Self::Array(_) => "ARRAY",
            Self::Map(_) | Self::Entries(_) => "MAP",
            Self::Struct(_) | Self::Union(_) => "STRUCT",
        }
    }
}
