//! The defaults of schemas as JSON texts, and whether Avro accepts one for a type.
//!
//! Must not know: documents.

use record::{Kind, Logical, Schema, Value};
use serde_json::Value as Json;

use super::document::{has_text_keys, is_union};
use super::error::AvroError;
use super::names::field_name;
use super::options::Options;
use super::types::{Form, Record, Type};
use crate::convert::json::write_text;
use crate::convert::number::{write_double, write_float};

/// Writes a value of a schema as Java's converter writes defaults. The value is an argument because a struct's default
/// holds values of its fields, whose schemas may have other defaults.
///
/// # Errors
/// When the value has another type than its schema.
pub(super) fn write_value(out: &mut String, schema: &Schema, value: &Value, options: Options) -> Result<(), AvroError> {
    match (&schema.kind, value) {
        (_, Value::Null) => out.push_str("null"),
        (Kind::Bool, Value::Bool(truth)) => out.push_str(if *truth { "true" } else { "false" }),
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Value::Int(number)) => out.push_str(&number.to_string()),
        (Kind::Float32, Value::Float(number)) => real(out, number.is_finite(), |out| write_float(out, *number)),
        (Kind::Float64, Value::Double(number)) => real(out, number.is_finite(), |out| write_double(out, *number)),
        (Kind::String, Value::Text(text)) => write_text(out, text),
        (Kind::Bytes, Value::Decimal { unscaled, scale }) => match schema.logical {
            Logical::Decimal { scale: wanted } if wanted == *scale => write_bytes(out, unscaled),
            _ => return Err(misfit(schema)),
        },
        (Kind::Bytes, Value::Bytes(bytes)) => write_bytes(out, bytes),
        (Kind::Array(items), Value::Array(values)) => {
            list(out, ('[', ']'), values, |out, value| write_value(out, items, value, options))?;
        }
        (Kind::Map(keys, values), Value::Map(entries)) if has_text_keys(keys, options) => {
            list(out, ('{', '}'), entries, |out, (key, value)| {
                let Value::Text(key) = key else { return Err(misfit(schema)) };
                write_text(out, key);
                out.push(':');
                write_value(out, values, value, options)
            })?;
        }
        (Kind::Map(keys, values), Value::Map(entries)) => {
            list(out, ('[', ']'), entries, |out, (key, value)| {
                out.push('[');
                write_value(out, keys, key, options)?;
                out.push(',');
                write_value(out, values, value, options)?;
                out.push(']');
                Ok(())
            })?;
        }
        (Kind::Struct(fields), Value::Struct(values)) if fields.len() == values.len() => {
            // A null stands for the default of the field's own schema.
            let mut members = fields.iter().zip(values).map(|(field, value)| match (&field.schema.default, value) {
                (Some(default), Value::Null) => (field, default),
                (_, value) => (field, value),
            });
            if is_union(schema) {
                // Java writes the first member, set or not.
                if let Some((field, value)) = members.next() {
                    return write_value(out, &field.schema, value, options);
                }
            }
            list(out, ('{', '}'), &members.collect::<Vec<_>>(), |out, (field, value)| {
                write_text(out, &field_name(&field.name, options)?);
                out.push(':');
                write_value(out, &field.schema, value, options)
            })?;
        }
        _ => return Err(misfit(schema)),
    }
    Ok(())
}

fn misfit(schema: &Schema) -> AvroError {
    AvroError::Default { found: schema.type_name() }
}

/// Bytes are the text whose characters have the numbers of the bytes (ISO-8859-1).
fn write_bytes(out: &mut String, bytes: &[u8]) {
    write_text(out, &bytes.iter().map(|byte| char::from(*byte)).collect::<String>());
}

/// Writes a floating-point number; NaN and the infinities are no JSON numbers, so they are quoted.
fn real(out: &mut String, finite: bool, write: impl FnOnce(&mut Vec<u8>)) {
    let mut text = Vec::new();
    write(&mut text);
    let text = String::from_utf8_lossy(&text);
    if finite { out.push_str(&text) } else { write_text(out, &text) }
}

fn list<T>(
    out: &mut String,
    (open, close): (char, char),
    items: &[T],
    mut write: impl FnMut(&mut String, &T) -> Result<(), AvroError>,
) -> Result<(), AvroError> {
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        write(out, item)?;
    }
    out.push(close);
    Ok(())
}

/// Whether Avro accepts this JSON text as the default of a field of this type. A union accepts what one of its branches
/// accepts, as in Java's library since 1.12.
pub(super) fn accepts(of: &Type, json: &str) -> bool {
    serde_json::from_str(json).is_ok_and(|json| takes(of, &json))
}

fn takes(of: &Type, json: &Json) -> bool {
    match &of.form {
        Form::Null => json.is_null(),
        Form::Boolean => json.is_boolean(),
        Form::Int => json.as_i64().is_some_and(|number| i32::try_from(number).is_ok()),
        Form::Long => json.is_i64(),
        Form::Float | Form::Double => {
            json.is_number() || json.as_str().is_some_and(|text| matches!(text, "NaN" | "Infinity" | "-Infinity"))
        }
        Form::String | Form::Bytes | Form::Enum(_) | Form::Fixed(_) => json.is_string(),
        Form::Array(items) => json.as_array().is_some_and(|array| array.iter().all(|item| takes(items, item))),
        Form::Map(values) => json.as_object().is_some_and(|map| map.values().all(|value| takes(values, value))),
        Form::Union(branches) => branches.iter().any(|branch| takes(branch, json)),
        Form::Record(Record { fields, .. }) => json.as_object().is_some_and(|object| {
            fields.iter().all(|field| match (object.get(&field.name), &field.default) {
                (Some(value), _) => takes(&field.of, value),
                (None, Some(default)) => accepts(&field.of, default),
                (None, None) => false,
            })
        }),
        Form::Recursive(_) => false,
    }
}
