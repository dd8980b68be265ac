//! A column's default as its schema's default: the value of a literal. The rules are Debezium's; expressions give no
//! default.
//!
//! The text is the one that the table's model has: without its outer quotes, with what stands between them as written.

use record::{Schema, Value, ValueRef};
use relational::values::decimal::Digits;
use relational::values::{DecimalMode, binary};

use super::cell::{Cell, time_value};
use super::decimal;
use super::form::Form;
use super::moment;
use crate::model::Column;

/// What `CURRENT_TIMESTAMP` stands for in the model.
const EPOCH: &str = "1970-01-01 00:00:00";

/// The default in the schema of a column; none when it has none that can be shown.
pub(super) fn default(column: &Column, cell: &Cell, schema: &Schema) -> Option<Value> {
    let text = column.default.as_deref()?;
    let text = introduced(text);
    let trimmed = text.trim();
    match cell {
        Cell::Int { .. } => integer(trimmed).map(Value::Int),
        Cell::UnsignedBigint => Some(decimal::shown(number(trimmed)?, 0, DecimalMode::Precise)?.to_value()),
        Cell::Flag | Cell::Bit => Some(Value::Bool(flag(trimmed))),
        Cell::Bits { bytes } => bits(trimmed, *bytes).map(Value::Bytes),
        Cell::Float => Some(Value::Float(float(trimmed)? as f32)),
        Cell::Double { .. } => float(trimmed).map(Value::Double),
        Cell::Decimal { scale, mode } => Some(decimal::shown(number(trimmed)?, *scale, *mode)?.to_value()),
        Cell::Year { adjusts } => {
            let year = u16::try_from(integer(trimmed)?).ok()?;
            Some(Value::Int(i64::from(if *adjusts { moment::adjusted(year) } else { year })))
        }
        Cell::Text(_) | Cell::Enum(_) | Cell::Set(_) | Cell::Inet4 | Cell::Inet6 => Some(Value::text(text)),
        Cell::Bytes { mode, .. } => Some(binary::encoded(text.as_bytes().into(), *mode).to_value()),
        Cell::Date { .. } | Cell::Datetime { .. } | Cell::Timestamp { .. } => dated(column, cell, schema, trimmed),
        Cell::Time(form) => {
            let clock = trimmed.split_once(' ').map_or(trimmed, |(_, clock)| clock);
            Some(time_value(*form, moment::duration(clock.as_bytes())?).ok()?.to_value())
        }
        Cell::Converted(inner, conversion) => {
            let plain = default(column, inner, schema)?;
            Some(conversion.of(ValueRef::Shared(&plain)).ok()?.to_value())
        }
        Cell::Json | Cell::Uuid | Cell::Point | Cell::Geometry | Cell::Vector => None,
    }
}

/// A literal without its character set introducer: `_utf8mb4'x'` is `x`.
fn introduced(text: &str) -> &str {
    let inner = text.strip_prefix('_').and_then(|rest| rest.split_once('\''));
    match inner {
        Some((set, literal)) if set.bytes().all(|byte| byte.is_ascii_alphanumeric()) => {
            literal.strip_suffix('\'').unwrap_or(text)
        }
        _ => text,
    }
}

/// A date or a date and time. A zero date is none in a column that may be NULL, else the epoch; so is a text that is not of
/// the form `YYYY-MM-DD[ hh:mm:ss[.ffffff]]`.
fn dated(column: &Column, cell: &Cell, schema: &Schema, text: &str) -> Option<Value> {
    let epoch = || (!column.optional).then(|| cell.fallback(schema));
    let is_timestamp = matches!(cell, Cell::Timestamp { .. });
    if text == "0" || is_timestamp && text == EPOCH {
        return epoch();
    }
    let text = match cell {
        Cell::Date { .. } => text.split_once(' ').map_or(text, |(date, _)| date),
        _ => text,
    };
    // A part of the date that is zero, the year too, is what the text form takes for a zero date only in part.
    if text.starts_with("0000-") {
        return epoch();
    }
    // Of a TIMESTAMP, the default is taken to be in UTC, whatever zone a snapshot's session has.
    let utc = Cell::Timestamp { digits: None, zero_is_epoch: false, zone: None };
    let read = if is_timestamp { &utc } else { cell };
    match read.read(Form::Text, text.as_bytes()) {
        // All digits that the column has, as in the stream.
        Ok(ValueRef::Zoned { micros, digits }) => {
            let own = if let Cell::Timestamp { digits, .. } = cell { *digits } else { None };
            Some(ValueRef::Zoned { micros, digits: own.unwrap_or(digits) }.to_value())
        }
        Ok(value) if !value.is_null() => Some(value.to_value()),
        _ => epoch(),
    }
}

/// An integer, or a number rounded to one, half up. Beyond INT64 the nearest that it has.
fn integer(text: &str) -> Option<i64> {
    if text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false") {
        return Some(i64::from(text.eq_ignore_ascii_case("true")));
    }
    text.parse::<i64>().ok().or_else(|| text.parse::<f64>().ok().map(|number| (number + 0.5).floor() as i64))
}

/// A number, also with an exponent.
fn number(text: &str) -> Option<Digits> {
    let text = match text.to_ascii_lowercase().as_str() {
        "true" => "1",
        "false" => "0",
        _ => text.strip_prefix('+').unwrap_or(text),
    };
    let Some((digits, exponent)) = text.split_once(['e', 'E']) else { return Digits::parse(text.as_bytes()) };
    let (mut digits, exponent) = (Digits::parse(digits.as_bytes())?, exponent.parse::<i32>().ok()?);
    if exponent.abs() > 100 {
        return None;
    }
    digits.scale -= exponent;
    // Digits before the point are not cut: a negative scale becomes zeros.
    Some(if digits.scale < 0 { digits.at_scale(0) } else { digits })
}

fn float(text: &str) -> Option<f64> {
    match text.to_ascii_lowercase().as_str() {
        "true" => Some(1.0),
        "false" => Some(0.0),
        _ => text.parse().ok(),
    }
}

fn flag(text: &str) -> bool {
    text.parse::<i64>().map_or_else(|_| text.eq_ignore_ascii_case("true"), |number| number != 0)
}

/// The digits of `b'101'`, little-endian, in so many bytes.
fn bits(text: &str, bytes: usize) -> Option<Vec<u8>> {
    if text.is_empty() {
        return None;
    }
    let number = u64::from_str_radix(text, 2).ok()?;
    let mut out = number.to_le_bytes().to_vec();
    if out.iter().skip(bytes).any(|byte| *byte != 0) {
        return None;
    }
    out.resize(bytes, 0);
    Some(out)
}

#[cfg(test)]
mod tests;
