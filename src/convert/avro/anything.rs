//! Values without a schema: each is a record of Confluent's name Anything, with one field for each type, of which that of the
//! value's type is set. A few transforms make such values, as HoistField does of a null.
//!
//! Must not know: registries, topics.

use record::{Kind, Logical, Schema, Value};

use super::write::{write_block, write_bytes, write_long};
use crate::convert::ConvertError;
use crate::convert::java_class_names::of_part;

/// The document. It names itself, so it is written here as it is.
pub(super) const ANYTHING: &str = concat!(
    r#"{"type":"record","name":"Anything","namespace":"io.confluent.connect.avro","fields":["#,
    r#"{"name":"boolean","type":["null","boolean"],"default":null},{"name":"bytes","type":["null","bytes"],"default":null},"#,
    r#"{"name":"double","type":["null","double"],"default":null},{"name":"float","type":["null","float"],"default":null},"#,
    r#"{"name":"int","type":["null","int"],"default":null},{"name":"long","type":["null","long"],"default":null},"#,
    r#"{"name":"string","type":["null","string"],"default":null},"#,
    r#"{"name":"array","type":["null",{"type":"array","items":"Anything"}],"default":null},"#,
    r#"{"name":"map","type":["null",{"type":"array","items":{"type":"record","name":"MapEntry","fields":["#,
    r#"{"name":"key","type":"Anything"},{"name":"value","type":"Anything"}]}}],"default":null}]}"#
);

/// How many fields the record has.
const FIELDS: usize = 9;

/// Writes a value. Its schema only tells of what type it is.
///
/// # Errors
/// When Java has no such value without a schema.
pub(super) fn write(out: &mut Vec<u8>, schema: &Schema, value: &Value) -> Result<(), ConvertError> {
    let mut set = |field: usize| {
        out.extend(std::iter::repeat_n(0, field));
        // The second type of each field is the one that is not null.
        out.push(2);
        FIELDS - field - 1
    };
    let left = match (&schema.kind, value) {
        (_, Value::Null) => FIELDS,
        _ if schema.logical != Logical::Plain => return Err(no_type(schema, value)),
        (_, Value::Bool(truth)) => {
            let left = set(0);
            out.push(u8::from(*truth));
            left
        }
        (_, Value::Bytes(bytes)) => {
            let left = set(1);
            write_bytes(out, bytes);
            left
        }
        (_, Value::Double(number)) => {
            let left = set(2);
            out.extend_from_slice(&number.to_le_bytes());
            left
        }
        (_, Value::Float(number)) => {
            let left = set(3);
            out.extend_from_slice(&number.to_le_bytes());
            left
        }
        (kind, Value::Int(number)) => {
            let left = set(if matches!(kind, Kind::Int64) { 5 } else { 4 });
            write_long(out, *number);
            left
        }
        (_, Value::Text(text)) => {
            let left = set(6);
            write_bytes(out, text.as_bytes());
            left
        }
        (Kind::Array(items), Value::Array(values)) => {
            let left = set(7);
            write_block(out, values, |value, out| write(out, items, value))?;
            left
        }
        (Kind::Map(keys, of), Value::Map(entries)) => {
            let left = set(8);
            write_block(out, entries, |(key, value), out| {
                write(out, keys, key)?;
                write(out, of, value)
            })?;
            left
        }
        _ => return Err(no_type(schema, value)),
    };
    out.extend(std::iter::repeat_n(0, left));
    Ok(())
}

fn no_type(schema: &Schema, value: &Value) -> ConvertError {
    ConvertError::Type { field: "".into(), expected: "a value without a schema", found: of_part(Some(schema), value) }
}
