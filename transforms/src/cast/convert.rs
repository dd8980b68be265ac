//! One value into another type, as Java's casts, `parseInt`, `toString` and their like do it.
//!
//! Must not know: fields, records.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use record::{Kind, Logical, Schema, Value, ValueRef, twos_complement, unhex};

use super::Target;
use crate::date_format;
use crate::java_number::{self, Decimal};

/// Why a value cannot be cast.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wrong {
    /// A text is no number of the type.
    Range,
    /// Bytes can become a text only.
    Class,
    /// The type cannot be cast at all.
    Type,
}

/// The type of the result.
pub(super) fn kind_of(target: Target) -> Kind {
    match target {
        Target::Int8 => Kind::Int8,
        Target::Int16 => Kind::Int16,
        Target::Int32 => Kind::Int32,
        Target::Int64 => Kind::Int64,
        Target::Float32 => Kind::Float32,
        Target::Float64 => Kind::Float64,
        Target::Boolean => Kind::Bool,
        Target::String => Kind::String,
    }
}

/// Whether values stay as they are under the new type.
pub(super) fn keeps(from: &Schema, to: Target) -> bool {
    let width = |kind: &Kind| match kind {
        Kind::Int8 => Some(1),
        Kind::Int16 => Some(2),
        Kind::Int32 => Some(4),
        Kind::Int64 => Some(8),
        _ => None,
    };
    let to = kind_of(to);
    match (&from.kind, &to) {
        (Kind::Bool, Kind::Bool)
        | (Kind::Float32, Kind::Float32)
        | (Kind::Float64, Kind::Float64)
        | (Kind::String, Kind::String) => true,
        (from, to) => matches!((width(from), width(to)), (Some(from), Some(to)) if from <= to),
    }
}

/// A value, without regard to how it is held.
enum Input<'v> {
    Bool(bool),
    Int(i64),
    Float(f32),
    Double(f64),
    Decimal(Decimal),
    Text(std::borrow::Cow<'v, str>),
    Bytes(std::borrow::Cow<'v, [u8]>),
    /// An array, map or struct.
    Other,
}

fn input<'v>(cell: &'v ValueRef<'v>) -> Option<Input<'v>> {
    let value = match cell {
        ValueRef::Null => return None,
        ValueRef::Bool(truth) => return Some(Input::Bool(*truth)),
        ValueRef::Int(number) => return Some(Input::Int(*number)),
        ValueRef::Float(number) => return Some(Input::Float(*number)),
        ValueRef::Double(number) => return Some(Input::Double(*number)),
        ValueRef::Decimal { unscaled, scale } => {
            return Some(Input::Decimal(Decimal::new(twos_complement(*unscaled), *scale)));
        }
        ValueRef::Text(text) => return Some(Input::Text((*text).into())),
        ValueRef::Bytes(bytes) => return Some(Input::Bytes((*bytes).into())),
        // The decoder has checked the digits.
        ValueRef::Hex(digits) => return Some(Input::Bytes(unhex(digits).unwrap_or_default().into())),
        ValueRef::Zoned { .. } | ValueRef::Uuid(_) | ValueRef::Sequence { .. } => {
            let mut text = Vec::new();
            cell.write_text(&mut text);
            return Some(Input::Text(String::from_utf8_lossy(&text).into_owned().into()));
        }
        ValueRef::Owned(value) => &**value,
        ValueRef::Shared(value) => *value,
    };
    Some(match value {
        Value::Null => return None,
        Value::Bool(truth) => Input::Bool(*truth),
        Value::Int(number) => Input::Int(*number),
        Value::Float(number) => Input::Float(*number),
        Value::Double(number) => Input::Double(*number),
        Value::Decimal { unscaled, scale } => Input::Decimal(Decimal::new(unscaled.clone(), *scale)),
        Value::Text(text) => Input::Text(text.into()),
        Value::Bytes(bytes) => Input::Bytes(bytes.into()),
        Value::Array(_) | Value::Map(_) | Value::Struct(_) => Input::Other,
    })
}

/// The value in the type `to`; null stays null.
pub(super) fn convert(cell: &ValueRef<'_>, from: &Schema, to: Target) -> Result<Value, Wrong> {
    let Some(input) = input(cell) else { return Ok(Value::Null) };
    if matches!(from.kind, Kind::Array(_) | Kind::Map(..) | Kind::Struct(_)) {
        return Err(Wrong::Type);
    }
    match to {
        Target::Int8 => integer(&input, |n| i64::from(n as i8), |n| i64::from(n as i32 as i8), parsed::<i8>),
        Target::Int16 => integer(&input, |n| i64::from(n as i16), |n| i64::from(n as i32 as i16), parsed::<i16>),
        Target::Int32 => integer(&input, |n| i64::from(n as i32), |n| i64::from(n as i32), parsed::<i32>),
        Target::Int64 => integer(&input, |n| n, |n| n as i64, parsed::<i64>),
        Target::Float32 => Ok(Value::Float(match &input {
            Input::Bool(truth) => f32::from(u8::from(*truth)),
            Input::Int(number) => *number as f32,
            Input::Float(number) => *number,
            Input::Double(number) => *number as f32,
            Input::Decimal(number) => number.to_f32(),
            Input::Text(text) => java_number::float(text).ok_or(Wrong::Range)?,
            Input::Bytes(_) | Input::Other => return Err(Wrong::Class),
        })),
        Target::Float64 => Ok(Value::Double(match &input {
            Input::Bool(truth) => f64::from(u8::from(*truth)),
            Input::Int(number) => *number as f64,
            Input::Float(number) => f64::from(*number),
            Input::Double(number) => *number,
            Input::Decimal(number) => number.to_f64(),
            Input::Text(text) => java_number::double(text).ok_or(Wrong::Range)?,
            Input::Bytes(_) | Input::Other => return Err(Wrong::Class),
        })),
        Target::Boolean => Ok(Value::Bool(match &input {
            Input::Bool(truth) => *truth,
            Input::Int(number) => *number != 0,
            Input::Float(number) => *number as i64 != 0,
            Input::Double(number) => *number as i64 != 0,
            Input::Decimal(number) => number.to_i64() != 0,
            Input::Text(text) => text.eq_ignore_ascii_case("true"),
            Input::Bytes(_) | Input::Other => return Err(Wrong::Class),
        })),
        Target::String => Ok(Value::Text(text(&input, from))),
    }
}

/// An integer: `cut` narrows one, `narrow` narrows a floating point number, `parse` reads a text.
fn integer(
    input: &Input<'_>,
    cut: impl Fn(i64) -> i64,
    narrow: impl Fn(f64) -> i64,
    parse: impl Fn(&str) -> Option<i64>,
) -> Result<Value, Wrong> {
    Ok(Value::Int(match input {
        Input::Bool(truth) => i64::from(*truth),
        Input::Int(number) => cut(*number),
        Input::Float(number) => narrow(f64::from(*number)),
        Input::Double(number) => narrow(*number),
        Input::Decimal(number) => cut(number.to_i64()),
        Input::Text(text) => parse(text).ok_or(Wrong::Range)?,
        Input::Bytes(_) | Input::Other => return Err(Wrong::Class),
    }))
}

fn parsed<T: std::str::FromStr + Into<i64>>(text: &str) -> Option<i64> {
    text.parse::<T>().ok().map(Into::into)
}

fn text(input: &Input<'_>, from: &Schema) -> String {
    let mut out = Vec::new();
    match input {
        Input::Bool(truth) => return truth.to_string(),
        Input::Text(text) => return text.to_string(),
        Input::Bytes(bytes) => return STANDARD.encode(bytes),
        Input::Int(number) => match from.logical {
            Logical::Date => date_format::write_as_connect(&mut out, number * 86_400_000),
            Logical::Time | Logical::Timestamp => date_format::write_as_connect(&mut out, *number),
            Logical::Plain | Logical::Decimal { .. } => record::write_int(&mut out, *number),
        },
        Input::Float(number) => record::write_float(&mut out, *number),
        Input::Double(number) => record::write_double(&mut out, *number),
        Input::Decimal(number) => {
            if let Value::Decimal { unscaled, scale } = number.clone().into_value() {
                record::write_long_decimal(&mut out, &unscaled, scale);
            }
        }
        Input::Other => {}
    }
    String::from_utf8(out).unwrap_or_default()
}
