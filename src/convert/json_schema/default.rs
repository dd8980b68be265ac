//! Defaults in JSON Schemas.
//!
//! In Java a default goes through two libraries before it is text: org.json cuts zeros behind the point, and Jackson writes
//! what is left as a `BigDecimal`.
//!
//! Must not know: where in the document the default stands.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use record::java_map::{Made, listed};
use record::{Kind, Logical, Schema, Value};

use super::Options;
use super::document::is_object;
use crate::convert::json::write_text;
use crate::convert::number::{place_decimal, write_double, write_float, write_long_decimal};

/// Writes a default. False when it cannot stand in a document: because JSON has no such number, or the value is none of the
/// schema's.
pub(super) fn write_default(out: &mut String, schema: &Schema, value: &Value, options: Options) -> bool {
    match (&schema.kind, value) {
        (_, Value::Null) => match &schema.default {
            Some(default) if !options.keep_null && *default != Value::Null => {
                return write_default(out, schema, default, options);
            }
            _ if schema.optional => out.push_str("null"),
            _ => return false,
        },
        (_, Value::Decimal { unscaled, scale }) => match schema.logical {
            Logical::Decimal { .. } if options.numeric => {
                return write_number(out, |text| write_long_decimal(text, unscaled, *scale));
            }
            Logical::Decimal { scale: wanted } if wanted == *scale => write_bytes(out, unscaled),
            _ => return false,
        },
        (Kind::Bool, Value::Bool(truth)) => out.push_str(if *truth { "true" } else { "false" }),
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Value::Int(number)) => out.push_str(&number.to_string()),
        (Kind::Float32, Value::Float(number)) => return write_number(out, |text| write_float(text, *number)),
        (Kind::Float64, Value::Double(number)) => return write_number(out, |text| write_double(text, *number)),
        (Kind::String, Value::Text(text)) => write_text(out, text),
        (Kind::Bytes, Value::Bytes(bytes)) => write_bytes(out, bytes),
        (Kind::Array(items), Value::Array(values)) => {
            return joined(out, '[', ']', values, |out, value| write_item(out, items, value, options));
        }
        (Kind::Map(keys, of), Value::Map(entries)) if is_object(keys) => {
            let mut members = Vec::new();
            for (key, value) in entries {
                let Value::Text(key) = key else { return false };
                members.push((&**key, &**of, value));
            }
            return write_object(out, members, options);
        }
        (Kind::Map(keys, of), Value::Map(entries)) => {
            return joined(out, '[', ']', entries, |out, (key, value)| {
                let mut members = Vec::new();
                for (name, schema, value) in [("key", keys, key), ("value", of, value)] {
                    members.push((name, &**schema, value));
                }
                write_object(out, members, options)
            });
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            let members = fields.iter().zip(values);
            // A required field without a value is left out.
            let there = members.filter(|(field, value)| {
                **value != Value::Null
                    || field.schema.optional
                    || (field.schema.default.is_some() && !options.keep_null)
            });
            let members = there.map(|(field, value)| (&*field.name, &*field.schema, value)).collect();
            return write_object(out, members, options);
        }
        _ => return false,
    }
    true
}

/// Writes an element of a list or a map; null where the value is missing.
fn write_item(out: &mut String, schema: &Schema, value: &Value, options: Options) -> bool {
    if *value == Value::Null && !schema.optional && (schema.default.is_none() || options.keep_null) {
        out.push_str("null");
        return true;
    }
    write_default(out, schema, value, options)
}

fn write_object(out: &mut String, members: Vec<(&str, &Schema, &Value)>, options: Options) -> bool {
    let members = listed(members, |(name, ..)| name, Made::Growing);
    joined(out, '{', '}', &members, |out, (name, schema, value)| {
        write_text(out, name);
        out.push(':');
        write_item(out, schema, value, options)
    })
}

fn joined<T>(
    out: &mut String,
    open: char,
    close: char,
    items: &[T],
    mut write: impl FnMut(&mut String, &T) -> bool,
) -> bool {
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(',');
        }
        if !write(out, item) {
            return false;
        }
    }
    out.push(close);
    true
}

fn write_bytes(out: &mut String, bytes: &[u8]) {
    out.push('"');
    STANDARD.encode_string(bytes, out);
    out.push('"');
}

/// Writes a number that `write` writes as Java's `toString` does. False for what JSON has no number for.
fn write_number(out: &mut String, write: impl FnOnce(&mut Vec<u8>)) -> bool {
    let mut text = Vec::new();
    write(&mut text);
    let Ok(text) = String::from_utf8(text) else { return false };
    let is_exponential = text.contains('E');
    if !is_exponential && !text.contains('.') || text.ends_with(char::is_alphabetic) {
        // An integer, or no number at all.
        out.push_str(&text);
        return text.ends_with(|end: char| end.is_ascii_digit());
    }
    let cut = if is_exponential { &*text } else { text.trim_end_matches('0').trim_end_matches('.') };
    let (negative, cut) = cut.strip_prefix('-').map_or((false, cut), |cut| (true, cut));
    let (number, exponent) = cut.split_once('E').unwrap_or((cut, "0"));
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let digits = format!("{whole}{fraction}");
    let digits = match digits.trim_start_matches('0') {
        "" => "0",
        digits => digits,
    };
    let scale = fraction.len() as i32 - exponent.trim_start_matches('+').parse::<i32>().unwrap_or_default();
    let mut text = Vec::new();
    place_decimal(&mut text, negative && digits != "0", digits.as_bytes(), scale);
    out.push_str(&String::from_utf8_lossy(&text));
    true
}
