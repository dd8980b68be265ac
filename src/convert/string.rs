//! `org.apache.kafka.connect.storage.StringConverter`: writes a value as Java's `toString` does.
//!
//! Must not know: JSON.

use record::{Kind, Logical, Part, Payload, Schema, Value, civil_from_days};
use settings::{Asked, Check, Def, Key, Support, Width};

use super::number::{write_double, write_float, write_int, write_long_decimal};
use super::{Converter, Encoder, Prepare};

const KEYS: &[Key] = &[Key::new("converter.encoding", settings::Kind::String)
    .default("UTF-8")
    .high()
    .shown("Encoding", Width::Medium)
    .checks(&[Check::Own(encoding)])
    .doc("The character set of the text. Only UTF-8 is written.")
    .support(Support::NoEffect("texts are always UTF-8"))];

/// The converter's keys.
pub(super) const DEF: Def = Def::new(&[super::TYPE_KEY, KEYS]);

fn encoding(asked: &Asked<'_>) -> Vec<String> {
    match asked.value.map(str::trim) {
        Some(name) if !["utf-8", "utf8"].iter().any(|known| name.eq_ignore_ascii_case(known)) => {
            let (name, key) = (name, asked.name);
            vec![format!("Invalid value {name} for configuration {key}: Only UTF-8 is supported")]
        }
        _ => Vec::new(),
    }
}

/// Writes values as Java's `toString` does, in UTF-8.
#[derive(Clone, Copy, Debug)]
pub struct StringConverter;

impl Converter for StringConverter {
    fn prepare<'a>(&'a self, _topic: &'a str, _part: Option<&'a Part>) -> Prepare<'a> {
        Box::pin(std::future::ready(Ok(Encoder::new(|given, out| Ok(write(given.payload, out))))))
    }
}

/// The text of a whole key, value or header, for messages; `null` for a null.
pub fn java_text(payload: &Payload<'_>) -> String {
    let mut text = Vec::new();
    if !write(payload, &mut text) {
        return "null".to_owned();
    }
    String::from_utf8_lossy(&text).into_owned()
}

/// Appends the text; returns false for a null.
pub(super) fn write(payload: &Payload<'_>, out: &mut Vec<u8>) -> bool {
    let value = payload.to_value();
    let (Some(schema), false) = (payload.schema(), value == Value::Null) else { return false };
    write_text(out, schema, &value);
    true
}

/// Writes a value as Java's `toString` does.
pub(super) fn write_text(out: &mut Vec<u8>, schema: &Schema, value: &Value) {
    match (&schema.kind, value) {
        (_, Value::Null) => out.extend_from_slice(b"null"),
        (_, Value::Bool(truth)) => out.extend_from_slice(if *truth { b"true" } else { b"false" }),
        (_, Value::Int(number)) => match instant_ms(schema, *number) {
            Some(ms) => write_date(out, ms),
            None => write_int(out, *number),
        },
        (_, Value::Float(number)) => write_float(out, *number),
        (_, Value::Double(number)) => write_double(out, *number),
        (_, Value::Text(text)) => out.extend_from_slice(text.as_bytes()),
        (_, Value::Decimal { unscaled, scale }) => write_long_decimal(out, unscaled, *scale),
        (_, Value::Bytes(bytes)) => {
            // Java prints the bounds of a ByteBuffer and nothing of its content.
            out.extend_from_slice(b"java.nio.HeapByteBuffer[pos=0 lim=");
            write_int(out, bytes.len() as i64);
            out.extend_from_slice(b" cap=");
            write_int(out, bytes.len() as i64);
            out.push(b']');
        }
        (Kind::Array(items), Value::Array(values)) => {
            joined(out, b"[", b"]", values.iter(), |out, value| write_text(out, items, value));
        }
        (Kind::Map(keys, values), Value::Map(entries)) => {
            joined(out, b"{", b"}", entries.iter(), |out, (key, value)| {
                write_text(out, keys, key);
                out.push(b'=');
                write_text(out, values, value);
            });
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            out.extend_from_slice(b"Struct{");
            let mut first = true;
            for (field, value) in fields.iter().zip(values) {
                // As in Connect's `Struct.toString`, null fields are left out, also those with a default.
                if *value == Value::Null {
                    continue;
                }
                if !std::mem::take(&mut first) {
                    out.push(b',');
                }
                out.extend_from_slice(field.name.as_bytes());
                out.push(b'=');
                write_text(out, &field.schema, value);
            }
            out.push(b'}');
        }
        // The value does not fit its schema; no connector or transform makes such values.
        (_, Value::Array(_) | Value::Map(_) | Value::Struct(_)) => out.extend_from_slice(b"{}"),
    }
}

/// The milliseconds since 1970 of Connect's Date, Time and Timestamp, whose values are Java's `Date`; none for other integers.
pub(super) fn instant_ms(schema: &Schema, number: i64) -> Option<i64> {
    match schema.logical {
        Logical::Date => Some(number.saturating_mul(86_400_000)),
        Logical::Time | Logical::Timestamp => Some(number),
        Logical::Plain | Logical::Decimal { .. } => None,
    }
}

/// Writes an instant as Java's `Date.toString` does, in UTC: `Thu Jan 02 00:00:00 UTC 2020`.
fn write_date(out: &mut Vec<u8>, ms: i64) {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let (days, seconds) = (ms.div_euclid(86_400_000), ms.rem_euclid(86_400_000) / 1000);
    let (year, month, day) = civil_from_days(days);
    let (weekday, month) = (DAYS[days.rem_euclid(7) as usize], MONTHS[month as usize - 1]);
    let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    let text = format!("{weekday} {month} {day:02} {hour:02}:{minute:02}:{second:02} UTC {year}");
    out.extend_from_slice(text.as_bytes());
}

fn joined<T>(
    out: &mut Vec<u8>,
    open: &[u8],
    close: &[u8],
    values: impl Iterator<Item = T>,
    write: impl Fn(&mut Vec<u8>, T),
) {
    out.extend_from_slice(open);
    for (i, value) in values.enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write(out, value);
    }
    out.extend_from_slice(close);
}
