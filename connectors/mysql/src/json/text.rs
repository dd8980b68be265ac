//! Writes documents as text, in Debezium's form.

use std::io::Write;

use super::document::{Container, DOUBLE, INT16, INT32, INT64, LITERAL, OPAQUE, STRING, UINT16, UINT32, UINT64, Value};
use super::{JsonError, MAX_DEPTH, opaque};

/// Appends the text of a document: without blanks, the keys in the server's order, doubles as Java writes them (and in
/// plain digits where Java would write an exponent), decimals in plain digits, times without zeros at the end of their
/// fraction, other values that JSON has not as base64. An empty document is `null`, as for the server.
///
/// # Errors
/// When the bytes are no document, or it is nested deeper than the server allows. A part of the text may then be in `out`.
pub fn write_text(out: &mut Vec<u8>, document: &[u8]) -> Result<(), JsonError> {
    // Each element takes more than one byte of the document, and each text its own bytes. A document in which the same
    // bytes are named again and again could otherwise write more than memory holds.
    let mut writer = Writer { out, left: document.len() + 1 };
    writer.value(Value::document(document)?, 0)
}

struct Writer<'a> {
    out: &'a mut Vec<u8>,
    /// How much may still be read.
    left: usize,
}

impl Writer<'_> {
    fn spend(&mut self, bytes: usize) -> Result<(), JsonError> {
        self.left = self.left.checked_sub(bytes).ok_or(JsonError("elements share their bytes"))?;
        Ok(())
    }

    fn value(&mut self, value: Value, depth: usize) -> Result<(), JsonError> {
        if depth > MAX_DEPTH {
            return Err(JsonError("it is nested too deeply"));
        }
        self.spend(1)?;
        if let Some(container) = value.container()? {
            return self.container(&container, depth);
        }
        match value.kind {
            LITERAL => self.out.extend_from_slice(match value.literal()? {
                0 => b"null",
                1 => b"true",
                _ => b"false",
            }),
            INT16 | INT32 | INT64 => record::write_int(self.out, value.signed()),
            UINT16 | UINT32 | UINT64 => write_unsigned(self.out, value.unsigned()),
            DOUBLE => write_double(self.out, f64::from_bits(value.unsigned())),
            STRING => self.string(value.text()?)?,
            OPAQUE => {
                let (kind, data) = value.opaque()?;
                self.spend(data.len())?;
                opaque::write(self.out, kind, data)?;
            }
            _ => return Err(JsonError("a type is unknown")),
        }
        Ok(())
    }

    fn container(&mut self, container: &Container, depth: usize) -> Result<(), JsonError> {
        self.out.push(if container.object { b'{' } else { b'[' });
        for i in 0..container.count {
            if i > 0 {
                self.out.push(b',');
            }
            if container.object {
                self.string(container.key(i)?)?;
                self.out.push(b':');
            }
            self.value(container.value(i)?, depth + 1)?;
        }
        self.out.push(if container.object { b'}' } else { b']' });
        Ok(())
    }

    fn string(&mut self, text: &[u8]) -> Result<(), JsonError> {
        self.spend(text.len())?;
        write_string(self.out, text);
        Ok(())
    }
}

/// Quotes a text. What need not be escaped is copied in one piece.
fn write_string(out: &mut Vec<u8>, text: &[u8]) {
    out.push(b'"');
    let mut rest = text;
    while let Some(at) = rest.iter().position(|byte| *byte < 0x20 || matches!(byte, b'"' | b'\\')) {
        out.extend_from_slice(&rest[..at]);
        match rest[at] {
            byte @ (b'"' | b'\\') => out.extend_from_slice(&[b'\\', byte]),
            0x08 => out.extend_from_slice(b"\\b"),
            b'\t' => out.extend_from_slice(b"\\t"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            byte => {
                const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
                out.extend_from_slice(b"\\u00");
                out.extend_from_slice(&[DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
            }
        }
        rest = &rest[at + 1..];
    }
    out.extend_from_slice(rest);
    out.push(b'"');
}

fn write_unsigned(out: &mut Vec<u8>, number: u64) {
    match i64::try_from(number) {
        Ok(number) => record::write_int(out, number),
        // Writing to a vector does not fail.
        Err(_) => drop(write!(out, "{number}")),
    }
}

/// Java's text; where that would have an exponent, all digits of the number, which a double has few enough of.
fn write_double(out: &mut Vec<u8>, number: f64) {
    let start = out.len();
    record::write_double(out, number);
    if !out[start..].contains(&b'E') {
        return;
    }
    out.truncate(start);
    // How many digits behind the point the number has: as many as its lowest bit is places below one.
    let bits = number.to_bits();
    let exponent = (bits >> 52 & 0x7ff) as i32;
    let fraction = bits & ((1 << 52) - 1) | if exponent == 0 { 0 } else { 1 << 52 };
    let lowest = exponent.max(1) - 1075 + fraction.trailing_zeros() as i32;
    // Writing to a vector does not fail.
    drop(write!(out, "{number:.places$}", places = usize::try_from(-lowest).unwrap_or(0)));
}
