//! `org.apache.kafka.connect.storage.SimpleHeaderConverter`, Connect's default for headers: writes texts that can be
//! read back as values.
//!
//! Must not know: which headers there are.

use record::{Kind, Part, Payload, Schema, Value, write_iso_date};
use settings::Def;

use super::json::write_base64;
use super::number::{write_double, write_float, write_int, write_long_decimal};
use super::string::instant_ms;
use super::{Converter, Encoder, Prepare};

/// The converter has no keys.
pub(super) const DEF: Def = Def::new(&[]);

/// Writes header values as texts that can be read back.
#[derive(Clone, Copy, Debug)]
pub struct SimpleHeaderConverter;

impl Converter for SimpleHeaderConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, _part: Option<&'a Part>) -> Prepare<'a> {
        Box::pin(std::future::ready(Ok(Encoder::new(|given, out| Ok(write(given.payload, out))))))
    }
}

/// Appends the text; returns false for a null.
fn write(payload: &Payload<'_>, out: &mut Vec<u8>) -> bool {
    let value = payload.to_value();
    match (payload.schema(), &value) {
        (None, _) | (_, Value::Null) => return false,
        (Some(_), Value::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (Some(_), Value::Bytes(bytes)) => write_base64(out, bytes),
        (Some(schema), value) => write_value(out, schema, value),
    }
    true
}

fn write_value(out: &mut Vec<u8>, schema: &Schema, value: &Value) {
    match (&schema.kind, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (_, Value::Bool(truth)) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        (_, Value::Int(number)) => write_number(out, schema, *number),
        (_, Value::Float(number)) => write_float(out, *number),
        (_, Value::Double(number)) => write_double(out, *number),
        (_, Value::Decimal { unscaled, scale }) => write_long_decimal(out, unscaled, *scale),
        // Inside another value, bytes are quoted, as texts are.
        (_, Value::Bytes(bytes)) => {
            out.push(b'"');
            write_base64(out, bytes);
            out.push(b'"');
        }
        (_, Value::Text(text)) => write_quoted(out, text),
        (Kind::Array(items), Value::Array(values)) => {
            out.push(b'[');
            for (i, value) in values.iter().enumerate() {
                comma(out, i);
                write_value(out, items, value);
            }
            out.push(b']');
        }
        (Kind::Map(keys, values), Value::Map(entries)) => {
            out.push(b'{');
            for (i, (key, value)) in entries.iter().enumerate() {
                comma(out, i);
                write_value(out, keys, key);
                out.push(b':');
                write_value(out, values, value);
            }
            out.push(b'}');
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            out.push(b'{');
            for (i, (field, value)) in fields.iter().zip(values).enumerate() {
                comma(out, i);
                write_quoted(out, &field.name);
                out.push(b':');
                // As in Connect's `Struct.get`, a null field has its default.
                let default = field.schema.default.as_ref().filter(|_| *value == Value::Null);
                write_value(out, &field.schema, default.unwrap_or(value));
            }
            out.push(b'}');
        }
        // The value does not fit its schema; no connector or transform makes such headers.
        (_, Value::Array(_) | Value::Map(_) | Value::Struct(_)) => out.extend_from_slice(b"null"),
    }
}

fn comma(out: &mut Vec<u8>, index: usize) {
    if index > 0 {
        out.push(b',');
    }
}

/// Writes a text inside another value: quoted, with only quotes and backslashes escaped.
fn write_quoted(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}

/// Writes an integer. Connect's Date, Time and Timestamp have one of three forms in UTC, as `java.util.Date` has in Connect:
/// the time of day for everything before 1970-01-02, the date for whole days, or both.
fn write_number(out: &mut Vec<u8>, schema: &Schema, number: i64) {
    const DAY_MS: i64 = 86_400_000;
    let Some(ms) = instant_ms(schema, number) else { return write_int(out, number) };
    let in_day = ms.rem_euclid(DAY_MS);
    let (dated, timed) = (ms >= DAY_MS, ms < DAY_MS || in_day != 0);
    if dated {
        write_iso_date(out, ms.div_euclid(DAY_MS));
    }
    if dated && timed {
        out.push(b'T');
    }
    if timed {
        let places = [
            (in_day / 3_600_000, 2, b':'),
            (in_day / 60_000 % 60, 2, b':'),
            (in_day / 1000 % 60, 2, b'.'),
            (in_day % 1000, 3, b'Z'),
        ];
        for (number, width, end) in places {
            if width == 3 && number < 100 {
                out.push(b'0');
            }
            if number < 10 {
                out.push(b'0');
            }
            write_int(out, number);
            out.push(end);
        }
    }
}
