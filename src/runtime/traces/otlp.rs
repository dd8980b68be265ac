//! The message of an export, `ExportTraceServiceRequest` of OTLP 1.x, in protobuf
//! (<https://github.com/open-telemetry/opentelemetry-proto>), and what its answer says.
//!
//! Must not know: how it is sent.

use super::span::{Ended, Name, Value};

/// The status code of a span that failed.
const STATUS_ERROR: u64 = 2;

/// The scope's name: which library made the spans.
const SCOPE: &str = "afterimage";

/// The types of wire of protobuf.
const VARINT: u8 = 0;
const FIXED_64: u8 = 1;
const BYTES: u8 = 2;
const FIXED_32: u8 = 5;

/// The resource of all spans: what sends them.
pub(super) fn resource(attributes: &[(Name, Value)]) -> Vec<u8> {
    let mut out = Vec::new();
    for (name, value) in attributes {
        attribute(&mut out, 1, name, value);
    }
    out
}

/// The message for these spans, in their order. `resource` is what [`resource`] gave.
pub(super) fn request(resource: &[u8], spans: &[Ended]) -> Vec<u8> {
    let mut scope = Vec::new();
    bytes(&mut scope, 1, SCOPE.as_bytes());
    bytes(&mut scope, 2, env!("CARGO_PKG_VERSION").as_bytes());
    let mut scoped = Vec::with_capacity(spans.len() * 512);
    bytes(&mut scoped, 1, &scope);
    let mut one = Vec::with_capacity(1024);
    for ended in spans {
        one.clear();
        span(&mut one, ended);
        bytes(&mut scoped, 2, &one);
    }
    let mut of_resource = Vec::with_capacity(scoped.len() + resource.len() + 16);
    bytes(&mut of_resource, 1, resource);
    bytes(&mut of_resource, 2, &scoped);
    let mut out = Vec::with_capacity(of_resource.len() + 8);
    bytes(&mut out, 1, &of_resource);
    out
}

fn span(out: &mut Vec<u8>, span: &Ended) {
    bytes(out, 1, &span.context.trace);
    bytes(out, 2, &span.context.span);
    if let Some(state) = &span.context.state {
        bytes(out, 3, state.as_bytes());
    }
    if let Some(parent) = &span.parent {
        bytes(out, 4, parent);
    }
    bytes(out, 5, span.name.as_bytes());
    number(out, 6, span.kind as u64);
    tag(out, 7, FIXED_64);
    out.extend(span.begun_ns.to_le_bytes());
    tag(out, 8, FIXED_64);
    out.extend(span.until_ns.to_le_bytes());
    for (name, value) in &span.attributes {
        attribute(out, 9, name, value);
    }
    if span.has_failed {
        let mut status = Vec::with_capacity(2);
        number(&mut status, 3, STATUS_ERROR);
        bytes(out, 15, &status);
    }
    tag(out, 16, FIXED_32);
    out.extend(span.context.flags().to_le_bytes());
}

fn attribute(out: &mut Vec<u8>, field: u32, name: &str, value: &Value) {
    let (mut any, mut pair) = (Vec::new(), Vec::new());
    match value {
        Value::Text(text) => bytes(&mut any, 1, text.as_bytes()),
        Value::Int(int) => number(&mut any, 3, *int as u64),
    }
    bytes(&mut pair, 1, name.as_bytes());
    bytes(&mut pair, 2, &any);
    bytes(out, field, &pair);
}

fn tag(out: &mut Vec<u8>, field: u32, wire: u8) {
    varint(out, u64::from(field << 3) | u64::from(wire));
}

fn bytes(out: &mut Vec<u8>, field: u32, content: &[u8]) {
    tag(out, field, BYTES);
    varint(out, content.len() as u64);
    out.extend_from_slice(content);
}

fn number(out: &mut Vec<u8>, field: u32, value: u64) {
    tag(out, field, VARINT);
    varint(out, value);
}

fn varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value as u8 | 0x80);
        value >>= 7;
    }
    out.push(value as u8);
}

/// How many spans the collector refused, by the answer to an export (`ExportTraceServiceResponse.partial_success`). An answer
/// in another form says nothing.
pub(super) fn rejected(answer: &[u8]) -> u64 {
    let Some(Found::Bytes(partial)) = find(answer, 1) else { return 0 };
    match find(partial, 1) {
        Some(Found::Number(rejected)) => rejected,
        _ => 0,
    }
}

enum Found<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

/// The first field of this number in a message.
fn find(mut message: &[u8], wanted: u64) -> Option<Found<'_>> {
    while !message.is_empty() {
        let tag = read_varint(&mut message)?;
        let found = match (tag & 7) as u8 {
            VARINT => Found::Number(read_varint(&mut message)?),
            BYTES => {
                let length = usize::try_from(read_varint(&mut message)?).ok()?;
                let (content, rest) = message.split_at_checked(length)?;
                message = rest;
                Found::Bytes(content)
            }
            wire @ (FIXED_64 | FIXED_32) => {
                let (content, rest) = message.split_at_checked(if wire == FIXED_64 { 8 } else { 4 })?;
                message = rest;
                Found::Bytes(content)
            }
            _ => return None,
        };
        if tag >> 3 == wanted {
            return Some(found);
        }
    }
    None
}

fn read_varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = message.split_first()?;
        *message = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}
