//! `io.debezium.transforms.tracing.ActivateTracingSpan`: passes a trace on from a column to the headers.
//!
//! A program that writes a row can leave its trace there: in a column, as a text in the form of Java's properties with the
//! names of [W3C's trace context](https://www.w3.org/TR/trace-context/). The transform adds `traceparent` and `tracestate` as
//! headers, so that consumers go on with the same trace.
//!
//! Where the worker exports traces (an endpoint is set, `docs/traces.md`), two spans stand in between, as in Debezium:
//! `db-log-write`, from the time of the change in the source on, with the fields of `source` as its attributes, and in it the
//! operation, from the time on at which the record was made. Headers then name the first, and a record without a trace context
//! begins a trace, unless `tracing.with.context.field.only` is true. Elsewhere no spans are made, and headers say what the
//! column says.
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
//! Must not know: how spans are made, how traces are collected.

use std::collections::HashMap;
use std::sync::Arc;

use record::{Cache, Frame, Header, Headers, Kind, Part, Payload, Record, Schema, Value};
use settings::{Def, Finding, Key, Properties, Severity, Width};

use crate::envelope::is_envelope;
use crate::error::java;
use crate::options::Options;
use crate::{Connector, RecordSpan, RecordSpans, TraceContext, Transform, TransformError};

const FIELD: &str = "tracing.span.context.field";
const OPERATION: &str = "tracing.operation.name";
const ONLY: &str = "tracing.with.context.field.only";

/// The number of tables whose column is remembered.
const CACHE: usize = 4096;

/// The field of MySQL's source block with the statement, in which values of cells stand: it is no attribute.
const STATEMENT: &str = "query";

const fn key(name: &'static str, kind: settings::Kind, display_name: &'static str) -> Key {
    crate::options::key(name, kind, display_name, Width::Medium).high()
}

const KEYS: &[Key] = &[
    key(FIELD, settings::Kind::String, "Serialized tracing span context field")
        .default("tracingspancontext")
        .doc("The column with the trace context, a text in the form of Java's properties."),
    key(OPERATION, settings::Kind::String, "Tracing operation name")
        .default("debezium-read")
        .doc("The name of the inner span of a record. Spans are made where the worker exports traces (otel.exporter.otlp.endpoint)."),
    key(ONLY, settings::Kind::Boolean, "Trace only events with context field present")
        .default("false")
        .doc("Whether records without a trace context are left alone. Where the worker exports no traces, they always are."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.tracing.ActivateTracingSpan",
    module: module_path!(),
    summary: "Passes a trace on from a column to the headers.",
    keys: Def::new(&[KEYS]),
    make: |properties| {
        let options = Options::new(properties);
        Ok(Box::new(ActivateTracingSpan {
            field: properties.get(FIELD).unwrap_or("tracingspancontext").to_owned(),
            operation: properties.get(OPERATION).unwrap_or("debezium-read").to_owned(),
            only: options.flag(ONLY, false),
            spans: None,
            tables: Cache::new(CACHE),
        }))
    },
    remarks,
};

fn remarks(_: &Properties) -> Vec<Finding> {
    vec![Finding {
        key: "type".to_owned(),
        severity: Severity::Warning,
        reason: "The trace context of a row is passed on in headers. Spans are made and exported only where the worker has an \
            endpoint for traces (OTEL_EXPORTER_OTLP_ENDPOINT)."
            .to_owned(),
        remedy: String::new(),
    }]
}

struct ActivateTracingSpan {
    field: String,
    operation: String,
    only: bool,
    /// Makes spans; none where the worker exports no traces.
    spans: Option<RecordSpans>,
    /// What matters of an envelope, by the value's id; none for other values.
    tables: Cache<u32, Option<Arc<Known>>>,
}

/// What matters of the envelopes of a table.
struct Known {
    /// The column with the context, if the table has it.
    column: Option<Part>,
    op: Option<Part>,
    made: Option<Part>,
    written: Option<Part>,
    /// The fields of the source block, by the names of their attributes.
    source: Vec<(String, Part)>,
}

/// The name of the attribute for a field of the source block, as Debezium gives it.
fn attribute(field: &str) -> String {
    match field {
        "db" => "db.instance".to_owned(),
        "connector" => "db.type".to_owned(),
        "name" => "db.cdc-name".to_owned(),
        other => format!("db.{other}"),
    }
}

impl Known {
    fn of(envelope: &Part, field: &str) -> Self {
        let source = envelope.field("source");
        let fields = source.iter().flat_map(Part::fields).filter(|(name, _)| **name != *STATEMENT);
        Self {
            column: envelope.field("after").and_then(|after| after.field(field)),
            op: envelope.field("op"),
            made: envelope.field("ts_ms"),
            written: source.as_ref().and_then(|source| source.field("ts_ms")),
            source: fields.map(|(name, part)| (attribute(&name), part.or_default())).collect(),
        }
    }

    /// The source block in texts, without what is null.
    fn of_source(&self, frame: Frame<'_>) -> Vec<(String, String)> {
        let text = |value: Value| match value {
            Value::Text(text) => Some(text),
            Value::Int(number) => Some(number.to_string()),
            Value::Bool(is_true) => Some(is_true.to_string()),
            _ => None,
        };
        self.source.iter().filter_map(|(name, part)| Some((name.clone(), text(part.value(frame))?))).collect()
    }
}

impl ActivateTracingSpan {
    fn table(&mut self, value: &Payload<'_>) -> Result<Option<Arc<Known>>, TransformError> {
        let id = value.id();
        if let Some(place) = self.tables.place(|known| *known == id, || id) {
            return Ok(self.tables.at(place).clone());
        }
        let envelope = value.part().filter(|part| is_envelope(&part.schema));
        let known = envelope.map(|envelope| Arc::new(Known::of(&envelope, &self.field)));
        let column = known.as_ref().and_then(|known| known.column.as_ref());
        if column.is_some_and(|column| !matches!(column.schema.kind, Kind::String)) {
            return Err(TransformError::field_type(&self.field, "STRING"));
        }
        self.tables.insert(id, known.clone());
        Ok(known)
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
        let Some(known) = self.table(&record.value)? else { return Ok(Some(record)) };
        let frame = record.value.frame();
        let context = known.column.as_ref().map(|column| column.with_text(frame, |text| text.map(properties)));
        let context = context.flatten().transpose()?;
        let traceparent = context.as_ref().and_then(|context| context.get("traceparent"));
        let traceparent = traceparent.filter(|text| is_traceparent(text)).map(String::as_str);
        let tracestate = context.as_ref().and_then(|context| context.get("tracestate"));
        let tracestate = tracestate.filter(|state| is_tracestate(state)).map(String::as_str);
        let made = match &self.spans {
            Some(spans) if context.is_some() || !self.only => spans(&RecordSpan {
                traceparent,
                tracestate,
                operation: &self.operation,
                written_ms: known.written.as_ref().and_then(|written| written.int(frame)),
                made_ms: known.made.as_ref().and_then(|made| made.int(frame)),
                op: known.op.as_ref().and_then(|op| op.text(frame)),
                of_source: &|| known.of_source(frame),
            }),
            Some(_) => None,
            None => traceparent.map(|parent| TraceContext {
                traceparent: parent.to_owned(),
                tracestate: tracestate.map(str::to_owned),
            }),
        };
        if let Some(TraceContext { traceparent, tracestate }) = made {
            set(&mut record.headers, "traceparent", &traceparent);
            if let Some(state) = tracestate {
                set(&mut record.headers, "tracestate", &state);
            }
        }
        Ok(Some(record))
    }

    fn attach(&mut self, connector: &Connector) {
        self.spans.clone_from(&connector.spans);
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

    /// What is asked of whoever makes the spans, in a line, and the headers that come of it.
    fn asked(options: &[(&str, &str)], record: &str) -> (Vec<String>, Vec<String>) {
        let asked = Arc::<std::sync::Mutex<Vec<String>>>::default();
        let spans: RecordSpans = {
            let asked = Arc::clone(&asked);
            Arc::new(move |span| {
                let RecordSpan { traceparent, tracestate, operation, op, .. } = span;
                let source: Vec<String> =
                    (span.of_source)().iter().map(|(name, text)| format!("{name}={text}")).collect();
                let op = op.as_deref().unwrap_or_default();
                let times = (span.written_ms.is_some(), span.made_ms.is_some());
                let line = format!("{traceparent:?} {tracestate:?} {operation} {op} {times:?} {}", source.join(" "));
                asked.lock().unwrap().push(line);
                Some(TraceContext { traceparent: "of-the-span".to_owned(), tracestate: None })
            })
        };
        let mut headers = Vec::new();
        crate::example::look_at_with(KIND.class, Some(spans), options, &[record], |record| {
            headers = record.headers.iter().map(|header| header.name.to_string()).collect();
        });
        let asked = asked.lock().unwrap().clone();
        (asked, headers)
    }

    #[test]
    fn spans_are_asked_for_where_there_is_somebody_who_makes_them() {
        let given = |context: &str| {
            format!(
                r#"{{"topic": "srv.public.t", "value": {{"op": "u", "ts_ms": 7, "after": {{"id": 1, "tracingspancontext": {context}}}}}}}"#
            )
        };
        let (all, headers) = asked(&[("tracing.operation.name", "mine")], &given(&format!("\"traceparent={PARENT}\"")));
        assert_eq!(headers, ["traceparent"]);
        assert_eq!(all.len(), 1, "{all:?}");
        assert!(all[0].starts_with(&format!("Some({PARENT:?}) None mine u (true, true) db.")), "{all:?}");
        assert!(all[0].contains(" db.table=t") && !all[0].contains("query"), "{all:?}");
        // A record without a context begins a trace, unless it is to be left alone.
        let (all, headers) = asked(&[], &given("null"));
        assert_eq!((all.len(), headers.len()), (1, 1), "{all:?}");
        assert!(all[0].starts_with("None None debezium-read u"), "{all:?}");
        assert_eq!(asked(&[("tracing.with.context.field.only", "true")], &given("null")), (Vec::new(), Vec::new()));
        let (all, _) = asked(&[("tracing.with.context.field.only", "true")], &given("\"nothing=1\""));
        assert_eq!(all.len(), 1, "{all:?}");
    }
}
