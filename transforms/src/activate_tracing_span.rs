//! `io.debezium.transforms.tracing.ActivateTracingSpan`: passes a trace on from a column to the headers.
//!
//! A program that writes a row can leave its trace there: in a column, as a text in the form of Java's properties with the
//! names of [W3C's trace context](https://www.w3.org/TR/trace-context/). The transform adds `traceparent` and `tracestate` as
//! headers, so that consumers go on with the same trace. Debezium makes two spans of its own in between; this daemon makes and
//! exports none.
//!
//! ```json
//! {}
//! {"topic": "srv.public.orders", "headers": [["traceparent", "old"], ["x", "y"]], "value": {"op": "c", "after": {"id": 1,
//!   "tracingspancontext": "#written by a program\ntraceparent=00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\n"}}}
//! => {"headers": [["x", "y"], ["traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"]],
//!   "types": {"header:traceparent": "string"}}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1, "tracingspancontext": null}}}
//! => {}
//! {"topic": "srv.public.orders", "value": {"op": "d", "before": {"id": 1, "tracingspancontext": "traceparent=x"}}}
//! => {}
//! ```
//!
//! Must not know: how traces are collected.

use std::collections::HashMap;

use record::{Cache, Header, Headers, Kind, Part, Payload, Record, Schema, Value};
use settings::{Def, Finding, Key, Properties, Severity, Support, Width};

use crate::envelope::is_envelope;
use crate::error::java;
use crate::{Transform, TransformError};

const FIELD: &str = "tracing.span.context.field";

/// The number of tables whose column is remembered.
const CACHE: usize = 4096;

const NO_SPANS: &str = "no spans are made or exported";

const fn key(name: &'static str, kind: settings::Kind, display_name: &'static str) -> Key {
    crate::options::key(name, kind, display_name, Width::Medium).high()
}

const KEYS: &[Key] = &[
    key(FIELD, settings::Kind::String, "Serialized tracing span context field")
        .default("tracingspancontext")
        .doc("The column with the trace context, a text in the form of Java's properties."),
    key("tracing.operation.name", settings::Kind::String, "Tracing operation name")
        .default("debezium-read")
        .support(Support::NoEffect(NO_SPANS))
        .doc("The name of the span that Debezium makes for a record. No spans are made or exported here."),
    key("tracing.with.context.field.only", settings::Kind::Boolean, "Trace only events with context field present")
        .default("false")
        .support(Support::NoEffect("records without a trace context get none, whatever it says"))
        .doc("Whether Debezium leaves records without a trace context alone. They are always left alone here."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.tracing.ActivateTracingSpan",
    module: module_path!(),
    summary: "Passes a trace on from a column to the headers.",
    keys: Def::new(&[KEYS]),
    make: |properties| {
        let field = properties.get(FIELD).unwrap_or("tracingspancontext").to_owned();
        Ok(Box::new(ActivateTracingSpan { field, columns: Cache::new(CACHE) }))
    },
    remarks,
};

fn remarks(_: &Properties) -> Vec<Finding> {
    vec![Finding {
        key: "type".to_owned(),
        severity: Severity::Warning,
        reason: format!("The trace context of a row is passed on in headers, but {NO_SPANS} here."),
        remedy: String::new(),
    }]
}

#[derive(Debug)]
struct ActivateTracingSpan {
    field: String,
    /// The column with the context, by the value's id; none where there is no such column.
    columns: Cache<u32, Option<Part>>,
}

impl ActivateTracingSpan {
    fn column(&mut self, value: &Payload<'_>) -> Result<Option<Part>, TransformError> {
        let id = value.id();
        if let Some(place) = self.columns.place(|known| *known == id, || id) {
            return Ok(self.columns.at(place).clone());
        }
        let envelope = value.part().filter(|part| is_envelope(&part.schema));
        let column = envelope.and_then(|whole| whole.field("after")?.field(&self.field));
        if column.as_ref().is_some_and(|column| !matches!(column.schema.kind, Kind::String)) {
            return Err(TransformError::field_type(&self.field, "STRING"));
        }
        self.columns.insert(id, column.clone());
        Ok(column)
    }
}

/// Whether a text has the form that W3C prescribes: version, trace, span and flags in hexadecimal digits.
fn is_traceparent(text: &str) -> bool {
    let mut parts = text.split('-');
    let is_hex = |text: &str| text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    let mut part = |length: usize| parts.next().is_some_and(|part| part.len() == length && is_hex(part));
    if !(part(2) && part(32) && part(16) && part(2)) {
        return false;
    }
    // Later versions may have more parts. Only zeros are no trace and no span.
    let is_known = text.starts_with("00-");
    !text.starts_with("ff")
        && (!is_known || text.len() == 55)
        && text[3..35] != *"0".repeat(32)
        && text[36..52] != *"0".repeat(16)
}

fn set(headers: &mut Headers<'_>, name: &str, value: &str) {
    headers.retain(|header| *header.name != *name);
    headers.append_in_place(Header::new(name, Schema::of(Kind::String).build(), Value::text(value)));
}

/// Whether a text can be a trace state: it is in ASCII, and there is something in it.
fn is_tracestate(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Reads a text in the form of Java's properties. Only characters in ASCII come out right, but others do not matter here.
fn properties(text: &str) -> Result<HashMap<String, String>, TransformError> {
    let mut found = HashMap::new();
    java_properties::PropertiesIter::new(text.as_bytes())
        .read_into(|name, value| drop(found.insert(name, value)))
        .map_err(|_| {
            TransformError::new(java::ILLEGAL_ARGUMENT, "Malformed \\uxxxx encoding.")
                .remedy_is("Write the trace context as Java's Properties.store does.")
        })?;
    Ok(found)
}

impl Transform for ActivateTracingSpan {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(column) = self.column(&record.value)? else { return Ok(Some(record)) };
        let context = column.with_text(record.value.frame(), |text| text.map(properties)).transpose()?;
        let Some(context) = context else { return Ok(Some(record)) };
        let Some(parent) = context.get("traceparent").filter(|text| is_traceparent(text)) else {
            return Ok(Some(record));
        };
        set(&mut record.headers, "traceparent", parent);
        if let Some(state) = context.get("tracestate").filter(|state| is_tracestate(state)) {
            set(&mut record.headers, "tracestate", state);
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PARENT: &str = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

    #[test]
    fn parents() {
        for (text, expect) in [
            (PARENT, true),
            ("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", true),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more", false),
            ("ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-00000000000000000000000000000000-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01", false),
            ("00-4BF92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01", false),
            ("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7", false),
            ("", false),
        ] {
            assert_eq!(is_traceparent(text), expect, "{text}");
        }
    }

    #[track_caller]
    fn check(options: &str, context: &str, expect: &str) {
        let context = serde_json::Value::from(context);
        let record = format!(r#"{{"topic": "t", "value": {{"op": "u", "after": {{"id": 1, "ctx": {context}}}}}}}"#);
        crate::example::check(KIND.class, &format!("{options}\n{record}\n=> {expect}"));
    }

    #[test]
    fn contexts() {
        let options = r#"{"tracing.span.context.field": "ctx"}"#;
        let one = format!(r#"{{"headers": [["traceparent", "{PARENT}"]]}}"#);
        let both = format!(r#"{{"headers": [["traceparent", "{PARENT}"], ["tracestate", "a=1,b=2"]]}}"#);
        check(options, &format!("traceparent={PARENT}\ntracestate=a=1,b=\\u0032"), &both);
        check(options, &format!(" tracestate : a=1,\\\n   b=2\r\n!x\ntraceparent {PARENT}"), &both);
        check(options, &format!("tracestate=ü\ntraceparent={PARENT}"), &one);
        check(options, &format!("tracestate=\ntraceparent={PARENT}"), &one);
        check(options, "tracestate=a=1", "{}");
        check(options, "traceparent=00-1-2-3", "{}");
        check(options, "", "{}");
        check(options, "traceparent=\\u00", "fails: Malformed \\uxxxx encoding.");
        check(r#"{"tracing.span.context.field": "id"}"#, "", "fails: Field 'id' is not of type STRING");
        check("{}", &format!("traceparent={PARENT}"), "{}");
    }
}
