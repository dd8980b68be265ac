//! Writes payloads as JSON, but leaves out fields that have no value, where Kafka's JsonConverter would refuse the record.
//!
//! Few records lack a value that they must have. They are written anew, from an owned value, when the quick way has found
//! that out.
//!
//! Must not know: registries.

use record::{Part, Payload, Value};

use super::Style;
use super::plan::{Form, Node};
use super::write::{write_key, write_owned};
use crate::convert::ConvertError;
use crate::convert::program::Program;

/// Writes the records of one schema.
#[derive(Debug)]
pub(in crate::convert) struct SparseJson {
    program: Program<Style>,
    node: Node,
    head: Vec<u8>,
}

impl SparseJson {
    /// A writer that puts `head` before each record.
    ///
    /// # Errors
    /// When the schema cannot be written at all.
    pub(in crate::convert) fn of(part: &Part, head: &[u8], style: Style) -> Result<Self, ConvertError> {
        let program = Program::of(&style, part, head, &[])?;
        Ok(Self { program, node: Node::of(&part.schema, "", style), head: head.to_vec() })
    }

    /// Appends the payload. Returns false and writes nothing when there is no value at all.
    ///
    /// # Errors
    /// When a value does not fit its schema. The caller must then remove what was appended so far.
    pub(in crate::convert) fn write(&mut self, payload: &Payload<'_>, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
        let start = out.len();
        match self.program.write(payload.frame(), out) {
            Ok(()) => return Ok(true),
            Err(ConvertError::RequiredNull { .. }) => out.truncate(start),
            Err(error) => return Err(error),
        }
        out.extend_from_slice(&self.head);
        let there = write_there(&self.node, &payload.to_value(), out)?;
        if !there {
            out.truncate(start);
        }
        Ok(there)
    }
}

/// Writes a value if there is one, or something that stands for a null.
fn write_there(node: &Node, value: &Value, out: &mut Vec<u8>) -> Result<bool, ConvertError> {
    match (&node.form, value) {
        (_, Value::Null) => match &node.null {
            Some(text) => out.extend_from_slice(text),
            None => return Ok(false),
        },
        (Form::Struct(members), Value::Struct(values)) if members.len() == values.len() => {
            out.push(b'{');
            let mut comma: &[u8] = b"";
            for (member, value) in members.iter().zip(values) {
                let start = out.len();
                out.extend_from_slice(comma);
                // The prefix begins with a brace or a comma.
                out.extend_from_slice(&member.prefix[1..]);
                if write_there(&member.node, value, out)? {
                    comma = b",";
                } else {
                    out.truncate(start);
                }
            }
            out.push(b'}');
        }
        (Form::Array(item), Value::Array(values)) => {
            joined(out, [b'[', b']'], values, |out, value| write_or_null(item, value, out))?;
        }
        (Form::Object(of), Value::Map(entries)) => {
            joined(out, [b'{', b'}'], entries, |out, (key, value)| {
                write_key(node, key, out)?;
                write_or_null(of, value, out)
            })?;
        }
        (Form::Pairs(of, [before, between, behind]), Value::Map(entries)) => {
            joined(out, [b'[', b']'], entries, |out, (key, value)| {
                out.extend_from_slice(before.as_bytes());
                write_or_null(&of.0, key, out)?;
                out.extend_from_slice(between.as_bytes());
                write_or_null(&of.1, value, out)?;
                out.extend_from_slice(behind.as_bytes());
                Ok(())
            })?;
        }
        _ => write_owned(node, value, out)?,
    }
    Ok(true)
}

fn write_or_null(node: &Node, value: &Value, out: &mut Vec<u8>) -> Result<(), ConvertError> {
    if !write_there(node, value, out)? {
        out.extend_from_slice(b"null");
    }
    Ok(())
}

fn joined<T>(
    out: &mut Vec<u8>,
    [open, close]: [u8; 2],
    items: &[T],
    mut write: impl FnMut(&mut Vec<u8>, &T) -> Result<(), ConvertError>,
) -> Result<(), ConvertError> {
    out.push(open);
    for (i, item) in items.iter().enumerate() {
        if i > 0 {
            out.push(b',');
        }
        write(out, item)?;
    }
    out.push(close);
    Ok(())
}
