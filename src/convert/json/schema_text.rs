//! Writes a schema as the JSON that `schemas.enable` puts beside the payload.
//!
//! Must not know: payloads.

use record::{Kind, Schema};

use super::Style;
use super::plan::Node;
use super::text::write_string;
use crate::convert::number::write_int;

/// Writes a schema. For a field of a struct, `field` is its name, which comes last, as in Kafka's `JsonConverter`.
pub(super) fn write_schema(out: &mut Vec<u8>, schema: &Schema, field: Option<&str>, style: Style) {
    out.extend_from_slice(b"{\"type\":\"");
    out.extend_from_slice(type_word(&schema.kind).as_bytes());
    out.push(b'"');
    match &schema.kind {
        Kind::Array(items) => nested(out, "items", items, style),
        Kind::Map(keys, values) => {
            nested(out, "keys", keys, style);
            nested(out, "values", values, style);
        }
        Kind::Struct(fields) => {
            out.extend_from_slice(b",\"fields\":[");
            for (i, field) in fields.iter().enumerate() {
                if i > 0 {
                    out.push(b',');
                }
                write_schema(out, &field.schema, Some(&field.name), style);
            }
            out.push(b']');
        }
        _ => {}
    }
    out.extend_from_slice(if schema.optional { b",\"optional\":true" } else { b",\"optional\":false" });
    text(out, "name", schema.name.as_deref());
    if let Some(version) = schema.version {
        name(out, "version");
        write_int(out, i64::from(version));
    }
    text(out, "doc", schema.doc.as_deref());
    if !schema.parameters.is_empty() {
        name(out, "parameters");
        for (i, (parameter, value)) in schema.parameters.iter().enumerate() {
            out.push(if i == 0 { b'{' } else { b',' });
            write_string(out, parameter);
            out.push(b':');
            write_string(out, value);
        }
        out.push(b'}');
    }
    if let Some(rendered) = schema.default.as_ref().and_then(|value| Node::of(schema, "", style).rendered(value)) {
        name(out, "default");
        out.extend_from_slice(&rendered);
    }
    text(out, "field", field);
    out.push(b'}');
}

fn type_word(kind: &Kind) -> &'static str {
    match kind {
        Kind::Bool => "boolean",
        Kind::Int8 => "int8",
        Kind::Int16 => "int16",
        Kind::Int32 => "int32",
        Kind::Int64 => "int64",
        Kind::Float32 => "float",
        Kind::Float64 => "double",
        Kind::String => "string",
        Kind::Bytes => "bytes",
        Kind::Array(_) => "array",
        Kind::Map(..) => "map",
        Kind::Struct(_) => "struct",
    }
}

fn name(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn nested(out: &mut Vec<u8>, role: &str, schema: &Schema, style: Style) {
    name(out, role);
    write_schema(out, schema, None, style);
}

fn text(out: &mut Vec<u8>, role: &str, value: Option<&str>) {
    if let Some(value) = value {
        name(out, role);
        write_string(out, value);
    }
}
