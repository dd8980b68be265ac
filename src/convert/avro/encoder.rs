//! The writer of one kind of records: what stands before each of them, and the values behind it.
//!
//! Records are written straight from their cells by a [`Program`], as long as the document has the layout that this crate
//! gives it. A registry may answer with another one (`use.latest.version`): then each record becomes an owned value
//! first, and its fields are looked up by their names.
//!
//! Must not know: registries, topics.

use std::collections::HashMap;
use std::sync::Arc;

use record::{Field, Node, Part, Presence, Schema, Value, ValueRef};

use super::anything;
use super::document::is_union;
use super::error::AvroError;
use super::options::{Family, Options};
use super::parse::parse;
use super::plan::{Form, Plan, plan};
use super::types::{Form as Avro, Type};
use super::write::{write_cell, write_owned};
use crate::convert::program::{Format, Program};
use crate::convert::{ConvertError, Encoder, Given};

/// An encoder for the records of a part. `own` is the document that was made of the part's schema, `registered` the
/// one that the registry wants to be used, if it is another one. `head` stands before each record.
///
/// # Errors
/// When the document cannot hold the records.
pub(super) fn encoder(
    part: &Part,
    own: &str,
    registered: Option<&str>,
    head: &[u8],
    options: Options,
) -> Result<Encoder, ConvertError> {
    let read = |text: &str| parse(text).map_err(|error| ConvertError::Avro { field: "".into(), error });
    let of = read(own)?;
    if part.schema.schemaless {
        return schemaless(part, &of, registered.map(read).transpose()?.as_deref(), head);
    }
    let planned = plan(&part.schema, &of, options).map_err(same_name)?;
    let (of, planned, is_own) = match registered {
        Some(text) if text != own => {
            let other = read(text)?;
            let planned = plan(&part.schema, &other, options)?;
            let is_own = same_layout(&of, &other);
            (other, planned, is_own)
        }
        _ => (of, planned, true),
    };
    let may_be_null = !matches!(part.node, Node::Struct(_, Presence::Always));
    let (part, head) = (part.clone(), head.to_vec());
    let optional = part.schema.optional;
    let null =
        move || if optional { Ok(false) } else { Err(ConvertError::Avro { field: "".into(), error: AvroError::Null }) };
    if options.family == Family::Confluent && matches!(of.form, Avro::Bytes) {
        // Confluent's converter writes bytes that are a whole record without their number.
        return Ok(Encoder::new(move |given, out| match given.payload.to_value() {
            Value::Null => null(),
            Value::Bytes(bytes) | Value::Decimal { unscaled: bytes, .. } => {
                out.extend_from_slice(&head);
                out.extend_from_slice(&bytes);
                Ok(true)
            }
            other => write_owned(&planned, &other, out).map(|()| true),
        }));
    }
    let plans = if is_own { by_path(&planned, &part) } else { None };
    let Some(plans) = plans else {
        return Ok(Encoder::new(move |given, out| match given.payload.to_value() {
            Value::Null => null(),
            value => {
                out.extend_from_slice(&head);
                write_owned(&planned, &value, out).map(|()| true)
            }
        }));
    };
    let mut program = Program::of(&Binary { plans }, &part, &head, &[])?;
    Ok(Encoder::new(move |given: Given<'_, '_>, out| {
        if given.payload.is_null() || (may_be_null && part.is_null(given.payload.frame())) {
            return null();
        }
        program.write(given.payload.frame(), out)?;
        Ok(true)
    }))
}

/// An encoder for values without a schema.
fn schemaless(part: &Part, own: &Type, registered: Option<&Type>, head: &[u8]) -> Result<Encoder, ConvertError> {
    if registered.is_some_and(|registered| !same_layout(own, registered)) {
        let reason = "it is not that of values without a schema".to_owned();
        return Err(ConvertError::Avro { field: "".into(), error: AvroError::Registered { reason } });
    }
    let (schema, head) = (Arc::clone(&part.schema), head.to_vec());
    Ok(Encoder::new(move |given, out| match given.payload.to_value() {
        Value::Null => Ok(false),
        value => {
            out.extend_from_slice(&head);
            anything::write(out, &schema, &value).map(|()| true)
        }
    }))
}

/// A document of ours that cannot hold the records has two types of one name, and the first stands for both.
fn same_name(error: ConvertError) -> ConvertError {
    match error {
        ConvertError::Avro { field, error: AvroError::Registered { reason } } => {
            ConvertError::Avro { field, error: AvroError::SameName { reason } }
        }
        other => other,
    }
}

/// The plans of a record and of all fields that the program may write one by one, by their paths. `None` where a path
/// is not unique, or where a struct is written that stands for one of its fields.
fn by_path(of: &Plan, part: &Part) -> Option<HashMap<String, Plan>> {
    fn add(plans: &mut HashMap<String, Plan>, of: &Plan) -> bool {
        let members: &[_] = if let Form::Struct(members) = &of.form { members } else { &[] };
        plans.insert(of.field.to_string(), of.clone()).is_none()
            && members.iter().all(|member| add(plans, &member.plan))
    }
    fn is_written(schema: &Schema, node: &Node) -> bool {
        let Node::Struct(nodes, _) = node else { return true };
        let fields = schema.fields();
        !is_union(schema)
            && fields.len() == nodes.len()
            && fields.iter().zip(nodes.iter()).all(|(field, node)| is_written(&field.schema, node))
    }
    let mut plans = HashMap::new();
    (is_written(&part.schema, &part.node) && add(&mut plans, of)).then_some(plans)
}

/// Whether values are written alike in both types.
fn same_layout(one: &Type, other: &Type) -> bool {
    match (&one.form, &other.form) {
        (Avro::Array(one), Avro::Array(other)) | (Avro::Map(one), Avro::Map(other)) => same_layout(one, other),
        (Avro::Union(one), Avro::Union(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_layout(one, other))
        }
        (Avro::Record(one), Avro::Record(other)) => {
            let same = |(one, other): (&super::types::Field, &super::types::Field)| {
                one.name == other.name && same_layout(&one.of, &other.of)
            };
            one.name == other.name
                && one.fields.len() == other.fields.len()
                && one.fields.iter().zip(&other.fields).all(same)
        }
        (Avro::Enum(one), Avro::Enum(other)) => one.name == other.name && one.symbols == other.symbols,
        (Avro::Fixed(one), Avro::Fixed(other)) => one.name == other.name && one.size == other.size,
        (Avro::Recursive(one), Avro::Recursive(other)) => one == other,
        (one, other) => one.word() == other.word(),
    }
}

/// Avro's binary encoding, for documents of our own layout.
struct Binary {
    plans: HashMap<String, Plan>,
}

impl Format for Binary {
    type Writer = Plan;

    fn writer(&self, schema: &Schema, path: &str) -> Result<Plan, ConvertError> {
        self.plans.get(path).cloned().ok_or_else(|| ConvertError::Type {
            field: path.into(),
            expected: schema.type_name(),
            found: "nothing",
        })
    }

    #[inline]
    fn write(plan: &Plan, value: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ConvertError> {
        write_cell(plan, value, out)
    }

    fn open(&self, schema: &Schema, out: &mut Vec<u8>) {
        // Null is the first branch of every optional struct.
        if schema.optional {
            out.push(2);
        }
    }

    fn before_field(&self, _: usize, _: &Field, _: &mut Vec<u8>) {}

    fn close(&self, _: &Schema, _: &mut Vec<u8>) {}
}
