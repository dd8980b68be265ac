//! The Avro schema of a Connect schema, as the class AvroData of Confluent's converter makes it.
//!
//! What Avro has no place for (the name, version, parameters and default of a type) is kept in properties whose names
//! begin with `connect.`. Their order is part of the document's text, and so is the order of a union's branches.
//!
//! Must not know: registries, values other than defaults.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use record::{Kind, Schema, Value};

use super::anything::ANYTHING;
use super::defaults::{accepts, write_value};
use super::error::AvroError;
use super::names::{NAMESPACE, Name, field_name, type_name};
use super::options::{Family, Options};
use super::print;
use super::types::{Enum, Field, Fixed, Form, Properties, Record, Type};
use crate::convert::ConvertError;
use crate::convert::json::write_text;

const UNION: &str = "io.confluent.connect.avro.Union";
const ENUM: &str = "io.confluent.connect.avro.Enum";
const SHARED_UNION: &str = "org.apache.kafka.connect.data.Union";
const SHARED_ENUM: &str = "org.apache.kafka.connect.data.Enum";
const VARIANT: &str = "org.apache.kafka.connect.data.Variant";
const DECIMAL: &str = "org.apache.kafka.connect.data.Decimal";
const PRECISION: &str = "connect.decimal.precision";
const FIXED_SIZE: &str = "connect.fixed.size";
const FIELD_DEFAULT: &str = "io.confluent.connect.avro.field.default";

/// The text of the document for a schema.
///
/// # Errors
/// When Avro cannot express the schema. The error names the field.
pub(crate) fn document(schema: &Arc<Schema>, options: Options) -> Result<String, ConvertError> {
    if schema.schemaless {
        return Ok(ANYTHING.to_owned());
    }
    let mut maker = Maker {
        options,
        made: HashMap::new(),
        records: HashMap::new(),
        seen: HashSet::new(),
        unnamed: 0,
        path: Vec::new(),
    };
    match maker.of(schema, false) {
        Ok(of) => Ok(print::document(&of)),
        Err(error) => Err(ConvertError::Avro { field: maker.path.join(".").into(), error }),
    }
}

/// Whether a struct stands for one of several types.
pub(super) fn is_union(schema: &Schema) -> bool {
    schema.name.as_deref() == Some(UNION) || parameter(schema, SHARED_UNION).is_some()
}

/// Whether a map with such keys is an Avro map. Others are arrays of entries.
pub(super) fn has_text_keys(keys: &Schema, options: Options) -> bool {
    matches!(keys.kind, Kind::String) && (!keys.optional || options.optional_map_keys)
}

/// The parameter that makes a text an enum, if the settings let it be one.
pub(super) fn enum_parameter(schema: &Schema, options: Options) -> Option<&'static str> {
    let announced = parameter(schema, SHARED_ENUM).is_some() || parameter(schema, ENUM).is_some();
    match options {
        Options { sum_types: true, .. } if announced => Some(SHARED_ENUM),
        Options { enums: true, .. } if announced => Some(ENUM),
        _ => None,
    }
}

/// Whether bytes have a fixed length.
pub(super) fn is_fixed(schema: &Schema) -> bool {
    schema.name.is_some() && parameter(schema, FIXED_SIZE).is_some()
}

fn is_decimal(schema: &Schema) -> bool {
    schema.name.as_deref().is_some_and(|name| name.eq_ignore_ascii_case(DECIMAL))
}

fn parameter<'a>(schema: &'a Schema, name: &str) -> Option<&'a str> {
    schema.parameters.iter().find(|(key, _)| &**key == name).map(|(_, value)| &**value)
}

fn number<T: std::str::FromStr>(schema: &Schema, name: &str) -> Result<T, AvroError> {
    let text = parameter(schema, name);
    text.and_then(|text| text.parse().ok()).ok_or_else(|| AvroError::Parameters {
        reason: match text {
            Some(_) => format!("the parameter {name} is no number of its range"),
            None => format!("the parameter {name} is missing"),
        },
    })
}

fn quoted(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    write_text(&mut out, text);
    out
}

struct Maker {
    options: Options,
    /// What was made of required schemas, by their ids. The schemas are held, because one that nobody holds has another id when
    /// it is made again.
    made: HashMap<u32, (Arc<Schema>, Arc<Type>)>,
    /// Records by the name of their Connect schema, for schemas that differ and have the same name.
    records: HashMap<Arc<str>, Arc<Type>>,
    /// Names of the schemas that fields had so far.
    seen: HashSet<String>,
    /// How many types had no name so far.
    unnamed: u32,
    /// Names of the fields on the way to the one that is made.
    path: Vec<Arc<str>>,
}

impl Maker {
    /// The type of a schema. `required` leaves out the null of an optional schema.
    fn of(&mut self, schema: &Arc<Schema>, required: bool) -> Result<Arc<Type>, AvroError> {
        if !schema.optional
            && !is_union(schema)
            && let Some((_, made)) = self.made.get(&schema.id)
        {
            return Ok(made.clone());
        }
        let (mut plain, connect_type) = self.plain(schema)?;
        let made = if matches!(plain.form, Form::Union(_)) {
            Arc::new(plain)
        } else {
            self.describe(&mut plain.properties, schema, connect_type)?;
            logical(&mut plain, schema)?;
            let extra = schema.parameters.iter().filter(|(name, _)| name.starts_with("avro"));
            plain.properties.extend(extra.map(|(name, value)| (name.to_string(), quoted(value))));
            let plain = Arc::new(plain);
            if let (Kind::Struct(_), Some(name)) = (&schema.kind, &schema.name) {
                self.records.insert(name.clone(), plain.clone());
            }
            if required { plain } else { optional(schema, plain) }
        };
        if !schema.optional {
            self.made.insert(schema.id, (schema.clone(), made.clone()));
        }
        Ok(made)
    }

    /// The type of a schema that stands inside of another one and is not a field.
    fn inner(&mut self, schema: &Arc<Schema>, required: bool) -> Result<Arc<Type>, AvroError> {
        match schema.name.as_ref().and_then(|name| self.records.get(name)) {
            Some(known) if required => Ok(known.clone()),
            Some(known) => Ok(optional(schema, known.clone())),
            None => self.of(schema, required),
        }
    }

    /// The type without the properties of Connect, and the Connect type where Avro's does not tell.
    fn plain(&mut self, schema: &Arc<Schema>) -> Result<(Type, Option<&'static str>), AvroError> {
        let form = match &schema.kind {
            Kind::Int8 => return Ok((Form::Int.bare(), Some("int8"))),
            Kind::Int16 => return Ok((Form::Int.bare(), Some("int16"))),
            Kind::Int32 => Form::Int,
            Kind::Int64 => Form::Long,
            Kind::Float32 => Form::Float,
            Kind::Float64 => Form::Double,
            Kind::Bool => Form::Boolean,
            Kind::String => match enum_parameter(schema, self.options) {
                Some(parameter) => self.symbols(schema, parameter)?,
                None => Form::String,
            },
            Kind::Bytes => return Ok((self.bytes(schema)?, None)),
            Kind::Array(items) => Form::Array(self.inner(items, false)?),
            Kind::Map(keys, values) if has_text_keys(keys, self.options) => Form::Map(self.inner(values, false)?),
            Kind::Map(keys, values) => Form::Array(self.entry(schema, keys, values)?),
            Kind::Struct(_) => return Ok((self.structure(schema)?, None)),
        };
        Ok((form.bare(), None))
    }

    fn symbols(&mut self, schema: &Schema, parameter_name: &str) -> Result<Form, AvroError> {
        let short = self.name_of(schema)?.short;
        let doc_name = format!("{NAMESPACE}.enum.doc.{short}");
        let default_name = format!("{NAMESPACE}.enum.default.{short}");
        let name = parameter(schema, parameter_name)
            .ok_or_else(|| AvroError::Parameters { reason: "Type must have a name".to_owned() })?;
        let bare = Options { scrub_names: false, ..self.options };
        let prefix = format!("{parameter_name}.");
        let mut symbols = Vec::new();
        for (key, _) in &schema.parameters {
            if let Some(symbol) = key.strip_prefix(prefix.as_str()) {
                symbols.push(field_name(symbol, bare)?);
            }
        }
        let (doc, default) = if self.options.doc_of_schema {
            (parameter(schema, "connect.enum.doc"), None)
        } else {
            (parameter(schema, &doc_name), parameter(schema, &default_name))
        };
        if let Some(default) = default
            && !symbols.iter().any(|symbol| symbol == default)
        {
            let list = symbols.join(", ");
            let reason = format!("The Enum Default: {default} is not in the enum symbol set: [{list}]");
            return Err(AvroError::Parameters { reason });
        }
        Ok(Form::Enum(Enum {
            name: type_name(name, bare)?,
            doc: doc.map(str::to_owned),
            symbols,
            default: default.map(str::to_owned),
        }))
    }

    fn bytes(&mut self, schema: &Schema) -> Result<Type, AvroError> {
        let form = if is_fixed(schema) {
            Form::Fixed(Fixed { name: self.name_of(schema)?, size: number(schema, FIXED_SIZE)? })
        } else {
            Form::Bytes
        };
        let mut of = form.bare();
        if is_decimal(schema) {
            let (precision, scale) = digits(schema)?;
            of.properties.push(("scale".to_owned(), scale.to_string()));
            of.properties.push(("precision".to_owned(), precision.to_string()));
        }
        Ok(of)
    }

    /// The record of one entry of a map that is no Avro map.
    fn entry(&mut self, schema: &Schema, keys: &Arc<Schema>, values: &Arc<Schema>) -> Result<Arc<Type>, AvroError> {
        let (name, properties) = match &schema.name {
            None => (Name::of(Some(NAMESPACE), "MapEntry"), Properties::new()),
            Some(name) => {
                (type_name(name, self.options)?, vec![("connect.internal.type".to_owned(), quoted("MapEntry"))])
            }
        };
        let fields = vec![self.field("key".to_owned(), keys, None)?, self.field("value".to_owned(), values, None)?];
        Ok(Arc::new(Type { form: Form::Record(Record { name, doc: None, fields }), properties }))
    }

    fn structure(&mut self, schema: &Arc<Schema>) -> Result<Type, AvroError> {
        if schema.name.as_deref() == Some(VARIANT) && self.options.family == Family::Confluent {
            return Ok(variant());
        }
        let required = |schema: &Schema| schema.edit().optional_if(false).build();
        if is_union(schema) {
            let mut branches = Vec::new();
            if schema.optional {
                branches.push(Arc::new(Form::Null.bare()));
            }
            for field in schema.fields() {
                self.path.push(field.name.clone());
                branches.push(self.inner(&required(&field.schema), true)?);
                self.path.pop();
            }
            return union(branches);
        }
        if schema.optional {
            return union(vec![Arc::new(Form::Null.bare()), self.inner(&required(schema), false)?]);
        }
        let name = self.name_of(schema)?;
        let doc_name =
            if self.options.doc_of_schema { "connect.record.doc" } else { "io.confluent.connect.avro.record.doc" };
        let mut fields: Vec<Field> = Vec::with_capacity(schema.fields().len());
        for field in schema.fields() {
            self.path.push(field.name.clone());
            let field_doc = format!("{NAMESPACE}.field.doc.{}", field.name);
            let doc = parameter(schema, &field_doc).filter(|_| !self.options.doc_of_schema);
            let field = self.field(field_name(&field.name, self.options)?, &field.schema, doc)?;
            if fields.iter().any(|other| other.name == field.name) {
                return Err(AvroError::DuplicateField { name: field.name, record: name.text() });
            }
            fields.push(field);
            self.path.pop();
        }
        let doc = parameter(schema, doc_name).map(str::to_owned);
        Ok(Form::Record(Record { name, doc, fields }).bare())
    }

    fn field(&mut self, name: String, schema: &Arc<Schema>, doc: Option<&str>) -> Result<Field, AvroError> {
        let default = match real_default(schema) {
            Some(value) => Some(self.default_text(schema, value)?),
            None => schema.optional.then(|| "null".to_owned()),
        };
        let seen = match &schema.name {
            Some(name) => !self.seen.insert(self.seen_name(name)),
            None => false,
        };
        let of = self.of(schema, false)?;
        // Java's converter drops a default that Avro does not accept, and warns of it.
        let default = default.filter(|json| {
            let fits = accepts(&of, json);
            if !fits {
                tracing::warn!("Ignoring invalid default for field {name}");
            }
            fits
        });
        let mut properties = Properties::new();
        // A named type is written once, so the parameters of its other uses stand at their fields.
        let once = self.options.family == Family::Confluent && self.options.meta_data && seen && of.form.holds_named();
        if once && let Some(parameters) = self.parameters(schema) {
            properties.push(("connect.parameters".to_owned(), parameters));
        }
        let doc = if self.options.doc_of_schema { schema.doc.as_deref() } else { doc };
        Ok(Field { name, of, doc: doc.map(str::to_owned), default, properties })
    }

    /// The name under which Java's converter remembers the schemas of fields.
    fn seen_name(&self, connect: &str) -> String {
        if self.options.scrub_names {
            type_name(connect, self.options).map_or_else(|_| connect.to_owned(), |name| name.text())
        } else {
            connect.to_owned()
        }
    }

    /// The name of a record or a fixed.
    fn name_of(&mut self, schema: &Schema) -> Result<Name, AvroError> {
        if let Some(name) = &schema.name {
            return type_name(name, self.options);
        }
        self.unnamed += 1;
        let number = if self.unnamed > 1 { self.unnamed.to_string() } else { String::new() };
        Ok(Name::of(Some(NAMESPACE), &format!("ConnectDefault{number}")))
    }

    /// Adds what Connect knows of a schema.
    fn describe(
        &self,
        properties: &mut Properties,
        schema: &Schema,
        connect_type: Option<&str>,
    ) -> Result<(), AvroError> {
        if !self.options.meta_data {
            return Ok(());
        }
        let mut add = |name: &str, json: Option<String>| properties.extend(json.map(|json| (name.to_owned(), json)));
        add("connect.doc", schema.doc.as_deref().map(quoted));
        add("connect.version", schema.version.map(|version| version.to_string()));
        add("connect.parameters", self.parameters(schema));
        // The parameter says that the default was an Avro field's own, where it stands too.
        let of_the_field = !self.options.doc_of_schema && parameter(schema, FIELD_DEFAULT).is_some();
        if let Some(value) = real_default(schema).filter(|_| !of_the_field) {
            add("connect.default", Some(self.default_text(schema, value)?));
        }
        add("connect.name", schema.name.as_deref().map(quoted));
        add("connect.type", connect_type.map(quoted));
        Ok(())
    }

    fn default_text(&self, schema: &Schema, value: &Value) -> Result<String, AvroError> {
        let mut out = String::new();
        write_value(&mut out, schema, value, self.options)?;
        Ok(out)
    }

    /// The parameters as a JSON object; none when there are none to write.
    fn parameters(&self, schema: &Schema) -> Option<String> {
        let mut out = String::new();
        for (name, value) in &schema.parameters {
            if self.options.doc_of_schema || &**name != FIELD_DEFAULT {
                out.push(if out.is_empty() { '{' } else { ',' });
                write_text(&mut out, name);
                out.push(':');
                write_text(&mut out, value);
            }
        }
        (!out.is_empty()).then(|| out + "}")
    }
}

/// A schema's default, unless it is null, which is the same as none.
fn real_default(schema: &Schema) -> Option<&Value> {
    schema.default.as_ref().filter(|value| **value != Value::Null)
}

/// Adds null to the type of an optional schema. The branch of the default comes first, as Avro wants it.
fn optional(schema: &Schema, of: Arc<Type>) -> Arc<Type> {
    if !schema.optional {
        return of;
    }
    let null = Arc::new(Form::Null.bare());
    let branches = if real_default(schema).is_some() { vec![of, null] } else { vec![null, of] };
    Arc::new(Form::Union(branches).bare())
}

fn union(branches: Vec<Arc<Type>>) -> Result<Type, AvroError> {
    let mut words = HashSet::new();
    for branch in &branches {
        if matches!(branch.form, Form::Union(_)) {
            return Err(AvroError::NestedUnion);
        }
        let word = branch.form.name().map_or_else(|| branch.form.word().to_owned(), Name::text);
        if !words.insert(word.clone()) {
            return Err(AvroError::DuplicateBranch { branch: word });
        }
    }
    Ok(Form::Union(branches).bare())
}

/// Confluent's record for a Variant.
fn variant() -> Type {
    let field = |name: &str| Field {
        name: name.to_owned(),
        of: Arc::new(Form::Bytes.bare()),
        doc: None,
        default: None,
        properties: Properties::new(),
    };
    let fields = vec![field("metadata"), field("value")];
    let record = Record { name: Name::full("confluent.type.Variant"), doc: None, fields };
    Type { form: Form::Record(record), properties: vec![("logicalType".to_owned(), quoted("variant"))] }
}

/// Precision and scale of a decimal.
fn digits(schema: &Schema) -> Result<(i32, i32), AvroError> {
    let precision = parameter(schema, PRECISION).map_or(Ok(64), |_| number(schema, PRECISION))?;
    Ok((precision, number(schema, "scale")?))
}

/// Adds Avro's own logical type for Connect's. A decimal whose scale Avro does not allow gets the word all the same, and
/// readers see plain bytes.
fn logical(of: &mut Type, schema: &Schema) -> Result<(), AvroError> {
    let Some(name) = schema.name.as_deref() else { return Ok(()) };
    let is = |other: &str| name.eq_ignore_ascii_case(other);
    let word = if is_decimal(schema) {
        let (precision, scale) = digits(schema)?;
        if scale >= 0 && scale <= precision {
            check_precision(of, precision)?;
        }
        "decimal"
    } else if is("org.apache.kafka.connect.data.Time") {
        check_base(of, &Form::Int, "Time (millis)")?;
        "time-millis"
    } else if is("org.apache.kafka.connect.data.Timestamp") {
        check_base(of, &Form::Long, "Timestamp (millis)")?;
        "timestamp-millis"
    } else if is("org.apache.kafka.connect.data.Date") {
        check_base(of, &Form::Int, "Date")?;
        "date"
    } else {
        return Ok(());
    };
    of.properties.push(("logicalType".to_owned(), quoted(word)));
    Ok(())
}

fn check_base(of: &Type, wanted: &Form, logical: &'static str) -> Result<(), AvroError> {
    if of.form.word() == wanted.word() {
        return Ok(());
    }
    Err(AvroError::Logical { logical, wanted: wanted.word() })
}

fn check_precision(of: &Type, precision: i32) -> Result<(), AvroError> {
    let refuse = |reason: String| Err(AvroError::Parameters { reason });
    match &of.form {
        _ if precision <= 0 => refuse(format!("Invalid decimal precision: {precision} (must be positive)")),
        Form::Fixed(Fixed { size, .. }) => {
            // As many digits as surely fit: the floor of log10(2^(8·size − 1) − 1).
            let most = (std::f64::consts::LOG10_2 * (8.0 * *size as f64 - 1.0)).floor() as i32;
            if precision <= most {
                return Ok(());
            }
            refuse(format!("fixed({size}) cannot store {precision} digits (max {most})"))
        }
        Form::Bytes => Ok(()),
        _ => refuse("Logical type decimal must be backed by fixed or bytes".to_owned()),
    }
}
