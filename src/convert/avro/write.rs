//! Writes values in Avro's binary encoding, guided by a plan: one `match` for each value, straight into the output.
//!
//! Must not know: topics, envelopes, ids of schemas.

use record::{Value, ValueRef, twos_complement, unhex_checked};

use super::error::AvroError;
use super::plan::{Form, Plan};
use crate::convert::ConvertError;
use crate::convert::java_class_names::{of_cell, of_value};

type Done = Result<(), ConvertError>;

/// Writes an integer: seven bits a byte, the lowest first, and the sign in the lowest bit of all.
#[inline]
pub(super) fn write_long(out: &mut Vec<u8>, number: i64) {
    let mut rest = ((number << 1) ^ (number >> 63)) as u64;
    if rest < 0x80 {
        return out.push(rest as u8);
    }
    // Ten times seven bits are enough for 64.
    let (mut bytes, mut length) = ([0; 10], 0);
    while rest >= 0x80 {
        bytes[length] = rest as u8 | 0x80;
        length += 1;
        rest >>= 7;
    }
    bytes[length] = rest as u8;
    // A copy of a fixed length is two instructions, one of any length a call.
    let end = out.len() + length + 1;
    out.extend_from_slice(&bytes);
    out.truncate(end);
}

/// Writes the branch of a union.
#[inline]
fn write_branch(plan: &Plan, out: &mut Vec<u8>) {
    match &*plan.branch {
        [] => {}
        [one] => out.push(*one),
        more => out.extend_from_slice(more),
    }
}

/// Writes what a null becomes: the branch of null, or the default. Fails for a required value without a default.
#[inline]
pub(super) fn write_null(plan: &Plan, out: &mut Vec<u8>) -> Done {
    match &plan.null {
        Some(bytes) => {
            out.extend_from_slice(bytes);
            Ok(())
        }
        None => Err(ConvertError::Avro { field: plan.field.clone(), error: AvroError::Null }),
    }
}

#[cold]
fn mismatch(plan: &Plan, found: &'static str) -> ConvertError {
    ConvertError::Type { field: plan.field.clone(), expected: plan.form.type_name(), found }
}

/// Writes a cell.
#[inline]
pub(super) fn write_cell(plan: &Plan, cell: &ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    let value = match cell {
        ValueRef::Null => return write_null(plan, out),
        ValueRef::Owned(value) => return write_owned(plan, value, out),
        ValueRef::Shared(value) => return write_owned(plan, value, out),
        value => value,
    };
    write_branch(plan, out);
    match (&plan.form, value) {
        (Form::Int(bits), ValueRef::Int(number)) => write_int(plan, *bits, *number, out)?,
        (Form::Text, ValueRef::Text(text)) => write_bytes(out, text.as_bytes()),
        (Form::Text, ValueRef::Zoned { .. } | ValueRef::Uuid(_) | ValueRef::Sequence { .. }) => write_short(out, value),
        (Form::Decimal(scale), ValueRef::Decimal { unscaled, scale: found }) => {
            check_scale(plan, *scale, *found)?;
            write_unscaled(out, *unscaled);
        }
        (Form::Bool, ValueRef::Bool(truth)) => out.push(u8::from(*truth)),
        (Form::Float, ValueRef::Float(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Form::Double, ValueRef::Double(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Form::Bytes, ValueRef::Bytes(bytes)) => write_bytes(out, bytes),
        (Form::Bytes, ValueRef::Hex(digits)) => write_hex(out, digits),
        (Form::Enum(symbols), ValueRef::Text(text)) => write_symbol(plan, symbols.get(*text).map(Box::as_ref), out)?,
        // What is rare is written as an owned value.
        (Form::Fixed(..) | Form::Enum(_), value) => write_body(plan, &value.to_value(), out)?,
        _ => return Err(mismatch(plan, of_cell(cell))),
    }
    Ok(())
}

/// Writes an owned value.
pub(super) fn write_owned(plan: &Plan, value: &Value, out: &mut Vec<u8>) -> Done {
    if *value == Value::Null {
        return write_null(plan, out);
    }
    write_branch(plan, out);
    write_body(plan, value, out)
}

fn write_body(plan: &Plan, value: &Value, out: &mut Vec<u8>) -> Done {
    match (&plan.form, value) {
        (Form::Bool, Value::Bool(truth)) => out.push(u8::from(*truth)),
        (Form::Int(bits), Value::Int(number)) => write_int(plan, *bits, *number, out)?,
        (Form::Float, Value::Float(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Form::Double, Value::Double(number)) => out.extend_from_slice(&number.to_le_bytes()),
        (Form::Text, Value::Text(text)) => write_bytes(out, text.as_bytes()),
        (Form::Enum(symbols), Value::Text(text)) => {
            write_symbol(plan, symbols.get(text.as_str()).map(Box::as_ref), out)?;
        }
        (Form::Bytes, Value::Bytes(bytes)) => write_bytes(out, bytes),
        (Form::Decimal(scale), Value::Decimal { unscaled, scale: found }) => {
            check_scale(plan, *scale, *found)?;
            write_bytes(out, unscaled);
        }
        (Form::Fixed(size, None), Value::Bytes(bytes)) if bytes.len() == *size => out.extend_from_slice(bytes),
        (Form::Fixed(size, Some(scale)), Value::Decimal { unscaled, scale: found }) if unscaled.len() <= *size => {
            check_scale(plan, *scale, *found)?;
            let sign = if unscaled.first().is_some_and(|byte| *byte >= 0x80) { 0xff } else { 0 };
            out.resize(out.len() + size - unscaled.len(), sign);
            out.extend_from_slice(unscaled);
        }
        (Form::Array(items), Value::Array(values)) => {
            write_block(out, values, |value, out| write_owned(items, value, out))?;
        }
        (Form::Map(values), Value::Map(entries)) => write_block(out, entries, |(key, value), out| {
            let Value::Text(key) = key else { return Err(mismatch(plan, of_value(key))) };
            write_bytes(out, key.as_bytes());
            write_owned(values, value, out)
        })?,
        (Form::Entries(of), Value::Map(entries)) => write_block(out, entries, |(key, value), out| {
            write_owned(&of[0], key, out)?;
            write_owned(&of[1], value, out)
        })?,
        (Form::Struct(members), Value::Struct(values)) => {
            for member in members {
                write_owned(&member.plan, values.get(member.from).unwrap_or(&Value::Null), out)?;
            }
        }
        (Form::Union(members), Value::Struct(values)) => {
            let mut members = members.iter().zip(values);
            match members.find(|(member, value)| **value != Value::Null || member.null.is_some()) {
                Some((member, value)) => write_owned(member, value, out)?,
                None => write_null(plan, out)?,
            }
        }
        _ => return Err(mismatch(plan, of_value(value))),
    }
    Ok(())
}

#[inline]
fn write_int(plan: &Plan, bits: u32, number: i64, out: &mut Vec<u8>) -> Done {
    if bits == 32 && i32::try_from(number).is_err() {
        return Err(mismatch(plan, "java.lang.Long"));
    }
    write_long(out, number);
    Ok(())
}

/// Writes the number of bytes, and the bytes.
#[inline]
pub(super) fn write_bytes(out: &mut Vec<u8>, bytes: &[u8]) {
    write_long(out, bytes.len() as i64);
    out.extend_from_slice(bytes);
}

/// Writes a text that is made of a few numbers. Its length is known only afterwards; it takes one byte up to 63.
fn write_short(out: &mut Vec<u8>, value: &ValueRef<'_>) {
    let start = out.len();
    out.push(0);
    value.write_text(out);
    let length = out.len() - start - 1;
    if length < 64 {
        out[start] = (length << 1) as u8;
        return;
    }
    let text = out.split_off(start + 1);
    out.pop();
    write_bytes(out, &text);
}

fn write_hex(out: &mut Vec<u8>, digits: &[u8]) {
    // The decoder has checked the digits.
    let bytes = unhex_checked(digits);
    write_long(out, bytes.len() as i64);
    out.extend(bytes);
}

fn write_symbol(plan: &Plan, index: Option<&[u8]>, out: &mut Vec<u8>) -> Done {
    let reason = || AvroError::Registered { reason: "the enum has no such symbol".to_owned() };
    let index = index.ok_or_else(|| ConvertError::Avro { field: plan.field.clone(), error: reason() })?;
    out.extend_from_slice(index);
    Ok(())
}

/// Writes the shortest two's complement of a number, big-endian, with its length.
#[inline]
fn write_unscaled(out: &mut Vec<u8>, unscaled: i128) {
    if let Ok(small) = i64::try_from(unscaled) {
        let (bytes, start) = record::small_twos_complement(small);
        return write_bytes(out, &bytes[start..]);
    }
    write_bytes(out, &twos_complement(unscaled));
}

/// Writes items as one block with their number before them, and the empty block that ends the list.
pub(super) fn write_block<T>(out: &mut Vec<u8>, items: &[T], mut write: impl FnMut(&T, &mut Vec<u8>) -> Done) -> Done {
    if !items.is_empty() {
        write_long(out, items.len() as i64);
    }
    for item in items {
        write(item, out)?;
    }
    out.push(0);
    Ok(())
}

fn check_scale(plan: &Plan, schema: i32, value: i32) -> Done {
    if schema == value {
        return Ok(());
    }
    Err(ConvertError::Scale { field: plan.field.clone(), schema, value })
}
