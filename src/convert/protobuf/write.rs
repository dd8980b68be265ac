//! Writes values as Protobuf's messages.
//!
//! The length of a message stands before it, so it is put in when the message is written. Most messages are short enough
//! that the one byte kept free for it suffices.
//!
//! Must not know: registries, documents.

use record::{Frame, Node, Value, ValueRef, civil_from_days, unhex_checked};

use super::error::ProtobufError;
use super::model::{Label, Scalar};
use super::plan::{Item, Member};
use crate::convert::ConvertError;
use crate::convert::java_class_names::of_cell;
use crate::convert::number::write_long_decimal;

type Done = Result<(), ConvertError>;

const VARINT: u32 = 0;
const FIXED_64: u32 = 1;
const DELIMITED: u32 = 2;
const FIXED_32: u32 = 5;

/// Writes the fields of a record.
pub(super) fn write_members(members: &[Member], nodes: &[Node], frame: Frame<'_>, out: &mut Vec<u8>) -> Done {
    for (member, node) in members.iter().zip(nodes) {
        write_node(member, node, frame, out)?;
    }
    Ok(())
}

fn write_node(member: &Member, node: &Node, frame: Frame<'_>, out: &mut Vec<u8>) -> Done {
    match (node, &member.item) {
        (Node::Leaf(leaf), _) => leaf.with(frame, |cell| write_cell(member, cell, out)),
        (Node::Struct(_, presence), _) if !presence.holds(frame) => write_cell(member, &ValueRef::Null, out),
        (Node::Struct(nodes, _), Item::Struct(members)) => {
            key(out, member.tag, DELIMITED);
            delimited(out, |out| write_members(members, nodes, frame, out))
        }
        (Node::Struct(..), _) => write_cell(member, &ValueRef::Owned(Box::new(node.value(frame))), out),
    }
}

/// Writes the fields of a record that is one value.
pub(super) fn write_record(members: &[Member], value: &Value, out: &mut Vec<u8>) -> Done {
    let Value::Struct(values) = value else { return Ok(()) };
    for (member, value) in members.iter().zip(values) {
        write_cell(member, &ValueRef::Shared(value), out)?;
    }
    Ok(())
}

/// Writes the content of the message that holds a record that is no struct.
pub(super) fn write_root(item: &Item, cell: &ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    let fails = |error| ConvertError::Protobuf { field: "".into(), error };
    match item {
        Item::Wrapper(of) => {
            if write_scalar(*of, cell, 1, false, out) {
                Ok(())
            } else {
                Err(mismatch("", "BYTES", cell))
            }
        }
        item => write_content(item, cell, out).map_err(fails),
    }
}

fn mismatch(path: &str, expected: &'static str, cell: &ValueRef<'_>) -> ConvertError {
    ConvertError::Type { field: path.into(), expected, found: of_cell(cell) }
}

/// Writes a field, or nothing for a null.
fn write_cell(member: &Member, cell: &ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    if cell.is_null() {
        return match &member.default {
            Some(default) => write_cell(member, &ValueRef::Shared(default), out),
            None => Ok(()),
        };
    }
    if member.label != Label::Repeated {
        return write_item(member, cell, member.label == Label::Optional, out);
    }
    let (ValueRef::Owned(_) | ValueRef::Shared(_)) = cell else {
        return Err(mismatch(&member.path, member.type_name, cell));
    };
    match (&member.item, owned(cell)) {
        (Item::Missing, _) => write_item(member, cell, true, out),
        (_, Some(Value::Array(values))) if values.is_empty() => Ok(()),
        (_, Some(Value::Array(values))) if values.contains(&Value::Null) => {
            Err(fails(member, ProtobufError::NullElement))
        }
        (Item::Scalar(of), Some(Value::Array(values))) if !matches!(of, Scalar::Text | Scalar::Bytes) => {
            key(out, member.tag, DELIMITED);
            delimited(out, |out| {
                for value in values {
                    write_packed(*of, value, out)
                        .then_some(())
                        .ok_or_else(|| mismatch(&member.path, member.type_name, &ValueRef::Shared(value)))?;
                }
                Ok(())
            })
        }
        (_, Some(Value::Array(values))) => {
            values.iter().try_for_each(|value| write_item(member, &ValueRef::Shared(value), true, out))
        }
        (Item::Entry(members), Some(Value::Map(entries))) => entries.iter().try_for_each(|(key_of, value)| {
            // Where both are always written, neither can be missing.
            let is_strict = members[0].label == Label::Optional;
            if is_strict && (*key_of == Value::Null || *value == Value::Null) {
                return Err(fails(member, ProtobufError::NullElement));
            }
            key(out, member.tag, DELIMITED);
            delimited(out, |out| {
                write_cell(&members[0], &ValueRef::Shared(key_of), out)?;
                write_cell(&members[1], &ValueRef::Shared(value), out)
            })
        }),
        _ => Err(mismatch(&member.path, member.type_name, cell)),
    }
}

fn owned<'v>(cell: &'v ValueRef<'_>) -> Option<&'v Value> {
    match cell {
        ValueRef::Owned(value) => Some(value),
        ValueRef::Shared(value) => Some(value),
        _ => None,
    }
}

fn fails(member: &Member, error: ProtobufError) -> ConvertError {
    ConvertError::Protobuf { field: member.path.clone(), error }
}

/// Writes one value with the field's number. `always`: also a value that Protobuf leaves out by default, such as zero.
fn write_item(member: &Member, cell: &ValueRef<'_>, always: bool, out: &mut Vec<u8>) -> Done {
    match (&member.item, owned(cell)) {
        (Item::Scalar(of), _) => {
            let is_written = write_scalar(*of, cell, member.tag, always, out);
            is_written.then_some(()).ok_or_else(|| mismatch(&member.path, member.type_name, cell))
        }
        (Item::Wrapper(of), _) => {
            key(out, member.tag, DELIMITED);
            delimited(out, |out| {
                let is_written = write_scalar(*of, cell, 1, false, out);
                is_written.then_some(()).ok_or_else(|| mismatch(&member.path, member.type_name, cell))
            })
        }
        (Item::Struct(members), Some(value @ Value::Struct(values))) if values.len() == members.len() => {
            key(out, member.tag, DELIMITED);
            delimited(out, |out| write_record(members, value, out))
        }
        (Item::Missing, _) => {
            let name = member.path.rsplit('.').next().unwrap_or_default().to_owned();
            Err(fails(member, ProtobufError::Field { name }))
        }
        (Item::Unwritable(error), _) => Err(fails(member, error.clone())),
        (Item::List(list), _) => {
            key(out, member.tag, DELIMITED);
            delimited(out, |out| write_cell(list, cell, out))
        }
        (Item::Struct(_) | Item::Entry(_), _) => Err(mismatch(&member.path, member.type_name, cell)),
        (item, _) => {
            key(out, member.tag, DELIMITED);
            delimited(out, |out| write_content(item, cell, out).map_err(|error| fails(member, error)))
        }
    }
}

/// Writes the content of the message of a logical type.
fn write_content(item: &Item, cell: &ValueRef<'_>, out: &mut Vec<u8>) -> Result<(), ProtobufError> {
    if let (Item::Decimal, Some((unscaled, digits, scale))) = (item, decimal(cell)) {
        bytes(out, 1, &unscaled);
        number(out, 2, i64::from(digits));
        number(out, 3, i64::from(scale));
        return Ok(());
    }
    let Some(value) = integer(cell) else { return Ok(()) };
    match item {
        Item::Date => {
            let (year, month, day) = date(value);
            number(out, 1, year);
            number(out, 2, i64::from(month));
            number(out, 3, i64::from(day));
        }
        Item::Time => {
            if !(0..=86_400_000).contains(&value) {
                return Err(ProtobufError::Time);
            }
            number(out, 1, value / 3_600_000 % 24);
            number(out, 2, value / 60_000 % 60);
            number(out, 3, value / 1000 % 60);
            number(out, 4, value % 1000 * 1_000_000);
        }
        Item::Timestamp => {
            let seconds = value.div_euclid(1000);
            if !(-62_135_596_800..=253_402_300_799).contains(&seconds) {
                return Err(ProtobufError::Timestamp);
            }
            number(out, 1, seconds);
            number(out, 2, value.rem_euclid(1000) * 1_000_000);
        }
        _ => {}
    }
    Ok(())
}

/// Year, month and day of a number of days since 1970-01-01, as Java's `GregorianCalendar` counts: by the Julian calendar
/// before 1582-10-15, and with positive years before year 1 too.
fn date(days: i64) -> (i64, u32, u32) {
    let (year, month, day) = if days < -141_427 {
        let shifted = days + 2_440_588 + 32_082;
        let year = (4 * shifted + 3).div_euclid(1461);
        let of_year = shifted - (1461 * year).div_euclid(4);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        (year - 4800 + month / 10, (month + 3 - 12 * (month / 10)) as u32, day as u32)
    } else {
        civil_from_days(days)
    };
    (if year < 1 { 1 - year } else { year }, month, day)
}

fn integer(cell: &ValueRef<'_>) -> Option<i64> {
    match (cell, owned(cell)) {
        (ValueRef::Int(number), _) | (_, Some(Value::Int(number))) => Some(*number),
        _ => None,
    }
}

/// The unscaled value, the number of its digits, and the scale.
fn decimal(cell: &ValueRef<'_>) -> Option<(Vec<u8>, u32, i32)> {
    match (cell, owned(cell)) {
        (ValueRef::Decimal { unscaled, scale }, _) => {
            let digits = unscaled.unsigned_abs().checked_ilog10().unwrap_or(0) + 1;
            Some((record::twos_complement(*unscaled), digits, *scale))
        }
        (_, Some(Value::Decimal { unscaled, scale })) => {
            let mut text = Vec::new();
            write_long_decimal(&mut text, unscaled, 0);
            let digits = text.len() - usize::from(text.starts_with(b"-"));
            Some((unscaled.clone(), digits as u32, *scale))
        }
        _ => None,
    }
}

/// Writes a scalar with the field's number; false when the value is no such scalar.
fn write_scalar(of: Scalar, cell: &ValueRef<'_>, tag: u32, always: bool, out: &mut Vec<u8>) -> bool {
    match (of, cell) {
        (_, ValueRef::Shared(value)) => return write_owned_scalar(of, value, tag, always, out),
        (_, ValueRef::Owned(value)) => return write_owned_scalar(of, value, tag, always, out),
        (Scalar::Int32 | Scalar::Int64, ValueRef::Int(number)) => {
            if always || *number != 0 {
                key(out, tag, VARINT);
                varint(out, *number as u64);
            }
        }
        (Scalar::Bool, ValueRef::Bool(truth)) => {
            if always || *truth {
                key(out, tag, VARINT);
                out.push(u8::from(*truth));
            }
        }
        (Scalar::Float, ValueRef::Float(number)) => {
            // A negative zero is not the zero that is left out.
            if always || number.to_bits() != 0 {
                key(out, tag, FIXED_32);
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        (Scalar::Double, ValueRef::Double(number)) => {
            if always || number.to_bits() != 0 {
                key(out, tag, FIXED_64);
                out.extend_from_slice(&number.to_le_bytes());
            }
        }
        (Scalar::Text, ValueRef::Text(text)) => {
            if always || !text.is_empty() {
                bytes(out, tag, text.as_bytes());
            }
        }
        (Scalar::Bytes, ValueRef::Bytes(content)) => {
            if always || !content.is_empty() {
                bytes(out, tag, content);
            }
        }
        (Scalar::Bytes, ValueRef::Hex(digits)) => {
            if always || !digits.is_empty() {
                // The decoder has checked the digits.
                let content = unhex_checked(digits);
                key(out, tag, DELIMITED);
                varint(out, content.len() as u64);
                out.extend(content);
            }
        }
        (Scalar::Text, ValueRef::Zoned { .. } | ValueRef::Uuid(_) | ValueRef::Sequence { .. }) => {
            key(out, tag, DELIMITED);
            // Texts of these kinds are never empty, and are written without fail.
            let _ = delimited(out, |out| {
                cell.write_text(out);
                Ok(())
            });
        }
        _ => return false,
    }
    true
}

fn write_owned_scalar(of: Scalar, value: &Value, tag: u32, always: bool, out: &mut Vec<u8>) -> bool {
    let cell = match value {
        Value::Bool(truth) => ValueRef::Bool(*truth),
        Value::Int(number) => ValueRef::Int(*number),
        Value::Float(number) => ValueRef::Float(*number),
        Value::Double(number) => ValueRef::Double(*number),
        Value::Text(text) => ValueRef::Text(text),
        Value::Bytes(content) => ValueRef::Bytes(content),
        _ => return false,
    };
    write_scalar(of, &cell, tag, always, out)
}

/// Writes an element of a list of numbers, which stand side by side; false when the value is no such scalar.
fn write_packed(of: Scalar, value: &Value, out: &mut Vec<u8>) -> bool {
    match (of, value) {
        (Scalar::Int32 | Scalar::Int64, Value::Int(number)) => varint(out, *number as u64),
        (Scalar::Bool, Value::Bool(truth)) => out.push(u8::from(*truth)),
        (Scalar::Float, Value::Float(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Scalar::Double, Value::Double(number)) => out.extend_from_slice(&number.to_le_bytes()),
        _ => return false,
    }
    true
}

/// Writes a number, unless it is zero.
fn number(out: &mut Vec<u8>, tag: u32, number: i64) {
    if number != 0 {
        key(out, tag, VARINT);
        varint(out, number as u64);
    }
}

fn bytes(out: &mut Vec<u8>, tag: u32, content: &[u8]) {
    key(out, tag, DELIMITED);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn key(out: &mut Vec<u8>, tag: u32, kind: u32) {
    varint(out, u64::from(tag << 3 | kind));
}

/// Writes a number in groups of seven bits, the lowest ones first.
pub(super) fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Writes what `write` writes, with its length before it.
fn delimited(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> Done) -> Done {
    let start = out.len();
    out.push(0);
    write(out)?;
    let len = out.len() - start - 1;
    if len < 0x80 {
        out[start] = len as u8;
        return Ok(());
    }
    let mut head = Vec::with_capacity(5);
    varint(&mut head, len as u64);
    out.splice(start..=start, head);
    Ok(())
}
