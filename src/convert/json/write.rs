//! Writes values as JSON, guided by a compiled schema: one `match` for each cell, straight into the output.
//!
//! Must not know: topics, envelopes.

use record::{Value, ValueRef, twos_complement};

use super::plan::{Form, Member, Node};
use super::text::{write_base64, write_hex_as_base64, write_string};
use crate::convert::ConvertError;
use crate::convert::java_class_names::{of_cell, of_value};
use crate::convert::number::{write_decimal, write_double, write_float, write_int, write_long_decimal};

type Done = Result<(), ConvertError>;

/// Writes what a null becomes: `null` or the default. Fails for a required field without a default.
pub(super) fn write_null(node: &Node, out: &mut Vec<u8>) -> Done {
    match &node.null {
        Some(text) => {
            out.extend_from_slice(text);
            Ok(())
        }
        None => Err(ConvertError::RequiredNull { field: node.field.clone() }),
    }
}

#[cold]
fn mismatch(node: &Node, found: &'static str) -> ConvertError {
    ConvertError::Type { field: node.field.clone(), expected: node.type_name(), found }
}

/// Writes a cell.
#[inline]
pub(super) fn write_cell(node: &Node, cell: &ValueRef<'_>, out: &mut Vec<u8>) -> Done {
    match (&node.form, cell) {
        (_, ValueRef::Null) => return write_null(node, out),
        (Form::Int(_), ValueRef::Int(number)) => write_int(out, *number),
        (Form::Text, ValueRef::Text(text)) => write_string(out, text),
        (Form::Text, ValueRef::Zoned { .. } | ValueRef::Uuid(_)) => {
            // Neither form has a character that needs an escape.
            out.push(b'"');
            cell.write_text(out);
            out.push(b'"');
        }
        (Form::Text, ValueRef::Sequence { commit, lsn }) => write_sequence(out, *commit, *lsn),
        (Form::Decimal(scale), ValueRef::Decimal { unscaled, scale: found }) => {
            check_scale(node, *scale, *found)?;
            write_unscaled(out, *unscaled);
        }
        (Form::Numeric, ValueRef::Decimal { unscaled, scale }) => write_decimal(out, *unscaled, *scale),
        (Form::Bool, ValueRef::Bool(truth)) => write_bool(out, *truth),
        (Form::Float, ValueRef::Float(number)) => write_real(out, number.is_finite(), |out| write_float(out, *number)),
        (Form::Double, ValueRef::Double(number)) => {
            write_real(out, number.is_finite(), |out| write_double(out, *number));
        }
        (Form::Bytes, ValueRef::Bytes(bytes)) => quoted(out, |out| write_base64(out, bytes)),
        (Form::Bytes, ValueRef::Hex(digits)) => quoted(out, |out| write_hex_as_base64(out, digits)),
        (_, ValueRef::Owned(value)) => return write_owned(node, value, out),
        (_, ValueRef::Shared(value)) => return write_owned(node, value, out),
        _ => return Err(mismatch(node, of_cell(cell))),
    }
    Ok(())
}

/// Writes an owned value.
pub(super) fn write_owned(node: &Node, value: &Value, out: &mut Vec<u8>) -> Done {
    match (&node.form, value) {
        (_, Value::Null) => return write_null(node, out),
        (Form::Bool, Value::Bool(truth)) => write_bool(out, *truth),
        (Form::Int(_), Value::Int(number)) => write_int(out, *number),
        (Form::Float, Value::Float(number)) => write_real(out, number.is_finite(), |out| write_float(out, *number)),
        (Form::Double, Value::Double(number)) => write_real(out, number.is_finite(), |out| write_double(out, *number)),
        (Form::Text, Value::Text(text)) => write_string(out, text),
        (Form::Bytes, Value::Bytes(bytes)) => quoted(out, |out| write_base64(out, bytes)),
        (Form::Decimal(scale), Value::Decimal { unscaled, scale: found }) => {
            check_scale(node, *scale, *found)?;
            quoted(out, |out| write_base64(out, unscaled));
        }
        (Form::Numeric, Value::Decimal { unscaled, scale }) => write_long_decimal(out, unscaled, *scale),
        (Form::Array(item), Value::Array(values)) => return write_array(item, values, out),
        (Form::Object(of), Value::Map(entries)) => return write_object(node, of, entries, out),
        (Form::Pairs(of, texts), Value::Map(entries)) => return write_pairs(of, *texts, entries, out),
        (Form::Struct(members), Value::Struct(values)) if members.len() == values.len() => {
            return write_struct(members, out, |i, node, out| write_owned(node, &values[i], out));
        }
        _ => return Err(mismatch(node, of_value(value))),
    }
    Ok(())
}

/// Writes a struct; `write` is called with the index of each member and writes its value.
#[inline]
pub(super) fn write_struct(
    members: &[Member],
    out: &mut Vec<u8>,
    mut write: impl FnMut(usize, &Node, &mut Vec<u8>) -> Done,
) -> Done {
    for (i, member) in members.iter().enumerate() {
        out.extend_from_slice(&member.prefix);
        write(i, &member.node, out)?;
    }
    out.extend_from_slice(if members.is_empty() { b"{}" } else { b"}" });
    Ok(())
}

fn write_array(item: &Node, values: &[Value], out: &mut Vec<u8>) -> Done {
    out.push(b'[');
    for (i, value) in values.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_owned(item, value, out)?;
    }
    out.push(b']');
    Ok(())
}

fn write_object(node: &Node, of: &Node, entries: &[(Value, Value)], out: &mut Vec<u8>) -> Done {
    out.push(b'{');
    for (i, (key, value)) in entries.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write_key(node, key, out)?;
        write_owned(of, value, out)?;
    }
    out.push(b'}');
    Ok(())
}

/// Writes the key of a map's entry as the name of a member, and the colon behind it.
pub(super) fn write_key(node: &Node, key: &Value, out: &mut Vec<u8>) -> Done {
    match key {
        Value::Text(key) => write_string(out, key),
        // Java makes a text of the null.
        Value::Null => write_string(out, "null"),
        _ => return Err(mismatch(node, of_value(key))),
    }
    out.push(b':');
    Ok(())
}

fn write_pairs(of: &(Node, Node), texts: [&str; 3], entries: &[(Value, Value)], out: &mut Vec<u8>) -> Done {
    let [before, between, behind] = texts.map(str::as_bytes);
    out.push(b'[');
    for (i, (key, value)) in entries.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        out.extend_from_slice(before);
        write_owned(&of.0, key, out)?;
        out.extend_from_slice(between);
        write_owned(&of.1, value, out)?;
        out.extend_from_slice(behind);
    }
    out.push(b']');
    Ok(())
}

/// Writes the JSON text `["commit","lsn"]` as a JSON string.
fn write_sequence(out: &mut Vec<u8>, commit: Option<i64>, lsn: Option<i64>) {
    let word = |out: &mut Vec<u8>, word: Option<i64>| match word {
        None => out.extend_from_slice(b"null"),
        Some(word) => {
            out.extend_from_slice(b"\\\"");
            write_int(out, word);
            out.extend_from_slice(b"\\\"");
        }
    };
    out.extend_from_slice(b"\"[");
    word(out, commit);
    out.push(b',');
    word(out, lsn);
    out.extend_from_slice(b"]\"");
}

fn check_scale(node: &Node, schema: i32, value: i32) -> Done {
    if schema == value {
        return Ok(());
    }
    Err(ConvertError::Scale { field: node.field.clone(), schema, value })
}

fn write_bool(out: &mut Vec<u8>, truth: bool) {
    out.extend_from_slice(if truth { b"true" } else { b"false" });
}

/// Writes a floating-point number. NaN and the infinities are not JSON numbers, so they are quoted, as Jackson does.
fn write_real(out: &mut Vec<u8>, finite: bool, write: impl FnOnce(&mut Vec<u8>)) {
    if finite { write(out) } else { quoted(out, write) }
}

fn quoted(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    out.push(b'"');
    write(out);
    out.push(b'"');
}

/// Writes the shortest two's complement of a number, big-endian, in quoted base64.
fn write_unscaled(out: &mut Vec<u8>, unscaled: i128) {
    if let Ok(small) = i64::try_from(unscaled) {
        let (bytes, start) = record::small_twos_complement(small);
        return quoted(out, |out| write_base64(out, &bytes[start..]));
    }
    quoted(out, |out| write_base64(out, &twos_complement(unscaled)));
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn unscaled_is_minimal(number in any::<i64>(), shift in 0_u32..64) {
            for unscaled in [i128::from(number >> shift), i128::from(number) << shift] {
                let mut out = Vec::new();
                write_unscaled(&mut out, unscaled);
                let text = base64::engine::general_purpose::STANDARD.encode(twos_complement(unscaled));
                prop_assert_eq!(String::from_utf8(out).unwrap(), format!("\"{text}\""));
            }
        }
    }
}
