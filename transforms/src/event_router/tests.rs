//! What Debezium makes of outbox rows, case by case.

use std::fmt::Write as _;

use settings::Properties;

use super::*;
use crate::example::{check, look_at};

const CLASS: &str = KIND.class;

/// Checks what becomes of inserted outbox rows: `options`, then for each row its columns (beside the usual ones) and the
/// outcome. The usual columns are `id`, `aggregatetype`, `aggregateid` and `payload`; a row can give them another value.
#[track_caller]
fn rows(options: &str, rows: &[(&str, &str)]) {
    let mut example = options.to_owned();
    for (columns, outcome) in rows {
        let mut row = serde_json::json!({"id": "1", "aggregatetype": "Order", "aggregateid": "o", "payload": "p"});
        let mut types = serde_json::json!({});
        let columns: serde_json::Value = serde_json::from_str(columns).unwrap();
        for (name, value) in columns.as_object().unwrap() {
            match name.strip_prefix("type of ") {
                Some(name) => types[format!("after.{name}")] = value.clone(),
                None if value == "absent" => {
                    row.as_object_mut().unwrap().shift_remove(name);
                }
                None => row[name] = value.clone(),
            }
        }
        let record = serde_json::json!({
            "topic": "srv.public.outbox", "partition": 7, "timestamp": 5, "headers": [["h", "v"]], "types": types,
            "value": {"op": "c", "after": row},
        });
        writeln!(example, "\n{record} => {outcome}").unwrap();
    }
    check(CLASS, &example);
}

/// What a row becomes: the usual topic, key and so on, but for the members in `changes`.
fn event(changes: &str) -> String {
    let mut outcome = serde_json::json!({
        "topic": "outbox.event.Order", "key": "o", "value": "p", "partition": null, "timestamp": 1_700_000_000_123_i64,
        "headers": [["h", "v"], ["id", "1"]],
    });
    let changes: serde_json::Value = serde_json::from_str(changes).unwrap();
    for (name, value) in changes.as_object().unwrap() {
        outcome[name] = value.clone();
    }
    outcome.to_string()
}

#[test]
fn what_is_no_insert() {
    check(
        CLASS,
        r#"{}
        {"topic": "o", "value": {"op": "r", "after": {"id": 1, "aggregatetype": "A", "aggregateid": "k", "payload": "p"}}}
        => {"topic": "outbox.event.A", "key": "k", "value": "p", "timestamp": 1700000000123, "headers": [["id", 1]]}
        {"topic": "o", "value": {"op": "u", "before": {"id": 1}, "after": {"id": 1}}} => dropped
        {"topic": "o", "value": {"op": "d", "before": {"id": 1}}} => dropped
        {"topic": "any", "value": null} => dropped
        {"topic": "o", "value": {"op": "t"}} => fails: Only Struct objects supported for [Read Outbox Event], found: null
        {"topic": "heartbeat", "partition": 3, "value": {"ts_ms": 1}} => {}
        {"topic": "flat", "value": {"id": 1, "payload": "p"}} => {}"#,
    );
    let update = r#"{"topic": "o", "value": {"op": "u", "before": {"id": 1}, "after": {"id": 1}}}"#;
    for (behavior, outcome) in
        [("warn", "dropped"), ("Error", "dropped"), ("fatal", "fails: Unexpected update message received, fail.")]
    {
        check(CLASS, &format!("{{\"table.op.invalid.behavior\": \"{behavior}\"}} {update} => {outcome}"));
    }
}

#[test]
fn types_are_those_of_the_columns() {
    let columns = r#"{"id": "406c07f3", "type of id": "string io.debezium.data.Uuid", "aggregateid": 9, "type of aggregateid":
        "int64 some.Name", "type of payload": "string? io.debezium.data.Json"}"#;
    let types = r#"{"key": 9, "headers": [["h", "v"], ["id", "406c07f3"]], "types": {"key": "int64 some.Name",
        "value": "string? io.debezium.data.Json", "header:id": "string io.debezium.data.Uuid"}}"#;
    // Nulls keep the schemas; a null in a column with a default is the default.
    let nulls = r#"{"aggregateid": null, "payload": null, "type of id": "string?=x", "id": null}"#;
    let null = r#"{"key": null, "value": null, "headers": [["h", "v"], ["id", "x"]],
        "types": {"key": "string?", "value": "string?"}}"#;
    rows("{}", &[(columns, &event(types)), (nulls, &event(null))]);
    rows(
        "{}",
        &[(
            r#"{"payload": "raw", "type of payload": "bytes?"}"#,
            &event(r#"{"value": "raw", "types": {"value": "bytes?"}}"#),
        )],
    );
}

#[test]
fn missing_columns() {
    for (column, message) in [
        ("payload", "Unable to find payload field payload in event"),
        ("id", "id is not a valid field name"),
        ("aggregateid", "aggregateid is not a valid field name"),
        ("aggregatetype", "aggregatetype is not a valid field name"),
    ] {
        rows("{}", &[(&format!("{{\"{column}\": \"absent\"}}"), &format!("fails: {message}"))]);
    }
    rows(
        "{}",
        &[
            (r#"{"aggregatetype": null}"#, "fails: the column aggregatetype is null, so the event has no topic"),
            (r#"{"aggregatetype": 1}"#, "fails: Field 'aggregatetype' is not of type STRING"),
        ],
    );
}

#[test]
fn other_columns_and_topics() {
    rows(
        r#"{"table.field.event.id": "eid", "table.field.event.key": "k", "table.field.event.payload": "body",
            "route.by.field": "kind", "route.topic.regex": "(?<act>[a-z]+)-(?<routedByValue>.*)",
            "route.topic.replacement": "ev.${routedByValue}.$1"}"#,
        &[
            (
                r#"{"eid": 1, "k": "k1", "kind": "paid-event", "body": "b"}"#,
                &event(r#"{"topic": "ev.event.paid", "key": "k1", "value": "b", "headers": [["h", "v"], ["id", 1]]}"#),
            ),
            (
                r#"{"eid": 2, "k": null, "kind": "sent", "body": "b"}"#,
                &event(r#"{"topic": "sent", "key": null, "value": "b", "headers": [["h", "v"], ["id", 2]]}"#),
            ),
        ],
    );
    rows(
        r#"{"route.topic.replacement": "${routedByValue}.events"}"#,
        &[("{}", &event(r#"{"topic": "Order.events"}"#))],
    );
    rows(
        r#"{"route.topic.regex": "(.*)\\.(.*)", "route.topic.replacement": "$2"}"#,
        &[
            ("{}", &event(r#"{"topic": "Order"}"#)),
            (r#"{"aggregatetype": "a.b"}"#, &event(r#"{"topic": "b"}"#)),
            ("{}", &event(r#"{"topic": "Order"}"#)),
        ],
    );
    rows(r#"{"route.topic.replacement": "$x"}"#, &[("{}", "fails: Illegal group reference")]);
    rows(r#"{"route.topic.replacement": "${other}"}"#, &[("{}", "fails: No group other")]);
}

#[test]
fn timestamps() {
    let option = r#"{"table.field.event.timestamp": "at"}"#;
    let case = |kind: &str, value: &str, outcome: &str| {
        rows(option, &[(&format!("{{\"at\": {value}, \"type of at\": \"{kind}\"}}"), outcome)]);
    };
    let at = |millis: i64| event(&format!("{{\"timestamp\": {millis}}}"));
    case("int64? io.debezium.time.Timestamp", "1704103200123", &at(1_704_103_200_123));
    case("int64 io.debezium.time.MicroTimestamp", "1704103200123999", &at(1_704_103_200_123));
    case("int64 io.debezium.time.MicroTimestamp", "-1999", &at(-1));
    case("int64 io.debezium.time.NanoTimestamp", "1704103200123999999", &at(1_704_103_200_123));
    // A null gives the time of processing, whatever the type is called.
    case("int64? io.debezium.time.Timestamp", "null", &at(1_700_000_000_123));
    case("int64? io.debezium.time.Time", "null", &at(1_700_000_000_123));
    case("int64?", "1", "fails: Unsupported field type INT64 (without logical schema name) for event timestamp");
    case(
        "int64? io.debezium.time.MicroTime",
        "1",
        "fails: Unsupported field type io.debezium.time.MicroTime for event timestamp",
    );
    case(
        "string? io.debezium.time.ZonedTimestamp",
        "\"2024-01-01T10:00:00Z\"",
        "fails: Field 'at' is not of type INT64",
    );
    rows(option, &[("{}", "fails: Unable to find timestamp field at in event")]);
}

#[test]
fn placements() {
    rows(
        r#"{"table.fields.additional.placement": "type:header, type:Header:kind ,ver:partition"}"#,
        &[
            (
                r#"{"type": "T", "ver": 2}"#,
                &event(r#"{"partition": 2, "headers": [["h", "v"], ["id", "1"], ["type", "T"], ["kind", "T"]]}"#),
            ),
            (
                r#"{"type": null, "ver": null, "type of ver": "int32?"}"#,
                &event(
                    r#"{"headers": [["h", "v"], ["id", "1"], ["type", null], ["kind", null]], "types": {"header:type": "string?"}}"#,
                ),
            ),
            (r#"{"type": "T", "ver": 3, "type of ver": "int64"}"#, "fails: Field 'ver' is not of type INT32"),
            (r#"{"type": "T"}"#, "fails: ver is not a valid field name"),
            (r#"{"ver": 1}"#, "fails: type is not a valid field name"),
        ],
    );
    rows(
        r#"{"table.fields.additional.placement": "a:header,b:envelope,c:partition,d:envelope:e", "table.field.additional.missing": "ignore"}"#,
        &[
            (r#"{"d": true}"#, &event(r#"{"value": {"payload": "p", "e": true}}"#)),
            (
                r#"{"a": 1, "b": 2, "c": 3, "payload": "q", "type of payload": "string"}"#,
                &event(
                    r#"{"value": {"payload": "q", "b": 2}, "partition": 3, "headers": [["h", "v"], ["id", "1"], ["a", 1]]}"#,
                ),
            ),
        ],
    );
    rows(r#"{"table.fields.additional.placement": "b:envelope"}"#, &[("{}", "fails: Unable to find field b in event")]);
    let twice = "fails: Cannot create field because of field name duplication payload";
    rows(r#"{"table.fields.additional.placement": "b:envelope:payload"}"#, &[(r#"{"b": 1}"#, twice)]);
    let unknown = "fails: table.fields.additional.placement has no known placement for the column b";
    rows(r#"{"table.fields.additional.placement": "b:body"}"#, &[(r#"{"b": 1}"#, unknown)]);
    rows(
        r#"{"table.fields.additional.placement": "b:body", "table.field.additional.missing": "ignore"}"#,
        &[("{}", &event("{}"))],
    );
}

#[test]
fn names_of_envelopes() {
    let value = |name: &str, value: &str, version: &str| {
        event(&format!(
            r#"{{"value": {value}, "types": {{"value": "struct srv.public.outbox.{name}.Value", "value#version": "{version}"}}}}"#
        ))
    };
    let customer = |outcome: String| outcome.replace("event.Order", "event.Customer");
    // The first event with a payload schema names the schema for all.
    rows(
        r#"{"table.fields.additional.placement": "t:envelope"}"#,
        &[
            (r#"{"t": "x"}"#, &value("Order", r#"{"payload": "p", "t": "x"}"#, "none")),
            (
                r#"{"aggregatetype": "Customer", "t": null}"#,
                &customer(value("Order", r#"{"payload": "p", "t": null}"#, "none")),
            ),
            (
                r#"{"aggregatetype": "Customer", "t": "x", "payload": 1}"#,
                &customer(value("Customer", r#"{"payload": 1, "t": "x"}"#, "none")),
            ),
            (
                r#"{"t": "x", "payload": null, "type of payload": "int32?"}"#,
                &value("Customer", r#"{"payload": null, "t": "x"}"#, "none"),
            ),
            // Another table's row decided on the other fields too.
            (
                r#"{"t": 1}"#,
                "fails: Invalid Java object for schema with type STRING: class java.lang.Integer for field: \"t\"",
            ),
        ],
    );
    // With a version, the first event of that version decides, on the payload's type too.
    rows(
        r#"{"table.fields.additional.placement": "t:envelope", "table.field.event.schema.version": "ver"}"#,
        &[
            (r#"{"t": "x", "ver": 3}"#, &value("Order", r#"{"payload": "p", "t": "x"}"#, "3")),
            (
                r#"{"t": "x", "ver": 3, "aggregatetype": "Customer"}"#,
                &customer(value("Order", r#"{"payload": "p", "t": "x"}"#, "3")),
            ),
            (r#"{"t": "x", "ver": 4, "payload": 1}"#, &value("Order", r#"{"payload": 1, "t": "x"}"#, "4")),
            (
                r#"{"t": "x", "ver": 4, "payload": "p"}"#,
                "fails: Invalid Java object for schema with type INT32: class java.lang.String for field: \"payload\"",
            ),
            (r#"{"t": "x", "ver": 4, "payload": null}"#, &value("Order", r#"{"payload": null, "t": "x"}"#, "4")),
            (
                r#"{"t": "x", "ver": null, "type of ver": "int32?"}"#,
                &value("Order", r#"{"payload": "p", "t": "x"}"#, "none"),
            ),
            (r#"{"t": "x", "ver": "4"}"#, "fails: Field 'ver' is not of type INT32"),
            (r#"{"t": "x"}"#, "fails: ver is not a valid field name"),
        ],
    );
    // Without an envelope the version is not even looked at.
    rows(r#"{"table.field.event.schema.version": "ver"}"#, &[("{}", &event("{}"))]);
}

#[test]
fn json_payloads() {
    let json = r#"{\"at\": \"x\", \"id\": 1, \"ok\": true, \"sum\": 12.5, \"note\": null, \"lines\": [{\"n\": 2}, {\"n\": 1}], \"none\": []}"#;
    let row = format!("{{\"payload\": \"{json}\", \"tenant\": \"t1\"}}");
    let made = r#"{"at": "x", "id": 1, "ok": true, "sum": 12.5, "lines": [{"n": 2}, {"n": 1}]}"#;
    let types = r#"{"value": "struct? payload", "value.id": "int32?", "value.lines": "array<struct? payload.lines>?"}"#;
    rows(
        r#"{"table.expand.json.payload": "true"}"#,
        &[
            (&row, &event(&format!(r#"{{"value": {made}, "types": {types}}}"#))),
            (r#"{"payload": " {}"}"#, &event(r#"{"value": " {}", "types": {"value": "string?"}}"#)),
            (r#"{"payload": "[1,\"a\"]"}"#, &event(r#"{"value": "[1,\"a\"]", "types": {"value": "string?"}}"#)),
            (r#"{"payload": ""}"#, &event(r#"{"value": "", "types": {"value": "string?"}}"#)),
            (r#"{"payload": null}"#, &event(r#"{"value": null, "types": {"value": "string?"}}"#)),
            (r#"{"payload": 5}"#, &event(r#"{"value": 5, "types": {"value": "int32?"}}"#)),
        ],
    );
    rows(
        r#"{"table.expand.json.payload": "true", "table.json.payload.null.behavior": "optional_bytes"}"#,
        &[(
            r#"{"payload": "{\"note\":null}"}"#,
            &event(r#"{"value": {"note": null}, "types": {"value.note": "bytes?"}}"#),
        )],
    );
    rows(
        r#"{"table.expand.json.payload": "true", "field.name.adjustment.mode": "avro"}"#,
        &[(r#"{"payload": "{\"a-b\":1}"}"#, &event(r#"{"value": {"a_b": null}, "types": {"value.a_b": "int32?"}}"#))],
    );
    let around = |name: &str, value: &str| {
        event(&format!(r#"{{"value": {value}, "types": {{"value": "struct srv.public.outbox.{name}.Value"}}}}"#))
    };
    rows(
        r#"{"table.expand.json.payload": "true", "table.fields.additional.placement": "tenant:envelope"}"#,
        &[
            (&row, &around("Order", &format!(r#"{{"payload": {made}, "tenant": "t1"}}"#))),
            (r#"{"payload": "{}", "tenant": null}"#, &around("Order", r#"{"payload": {}, "tenant": null}"#)),
            (r#"{"payload": "none", "tenant": "t"}"#, &around("Order", r#"{"payload": "none", "tenant": "t"}"#)),
            (r#"{"payload": null, "tenant": "t"}"#, &around("Order", r#"{"payload": null, "tenant": "t"}"#)),
        ],
    );
    // With versions, a payload of another form does not fit.
    rows(
        r#"{"table.expand.json.payload": "true", "table.fields.additional.placement": "ver:envelope",
            "table.field.event.schema.version": "ver"}"#,
        &[
            (r#"{"payload": "{\"a\":1}", "ver": 1}"#, &around("Order", r#"{"payload": {"a": 1}, "ver": 1}"#)),
            (r#"{"payload": "{\"a\":2}", "ver": 1}"#, &around("Order", r#"{"payload": {"a": 2}, "ver": 1}"#)),
            (r#"{"payload": "{\"b\":2}", "ver": 1}"#, "fails: Struct schemas do not match."),
            (r#"{"payload": null, "ver": 1}"#, &around("Order", r#"{"payload": null, "ver": 1}"#)),
        ],
    );
}

#[test]
fn empty_payloads() {
    let tombstone = event(r#"{"value": null, "types": {"value": "none"}}"#);
    let filled = event(r#"{"value": "x"}"#);
    rows(
        r#"{"route.tombstone.on.empty.payload": "true"}"#,
        &[
            (r#"{"payload": " \n\t"}"#, &tombstone),
            (r#"{"payload": ""}"#, &tombstone),
            (r#"{"payload": null}"#, &tombstone),
            (r#"{"payload": "x"}"#, &filled),
            (r#"{"payload": 0}"#, &event(r#"{"value": 0}"#)),
            (r#"{"payload": "\u00a0"}"#, &event(r#"{"value": "\u00a0"}"#)),
        ],
    );
    rows(
        r#"{"route.tombstone.on.empty.payload": "true", "table.expand.json.payload": "true",
            "table.fields.additional.placement": "t:envelope"}"#,
        &[
            (r#"{"payload": null, "t": 1}"#, &tombstone),
            (r#"{"payload": "{}", "t": 1}"#, &event(r#"{"value": {"payload": {}, "t": 1}}"#)),
        ],
    );
    rows("{}", &[(r#"{"payload": " "}"#, &event(r#"{"value": " "}"#))]);
}

/// Nothing is copied: key, value and headers are views of the row's cells, without values of their own.
#[test]
fn nothing_is_copied() {
    let row = r#"{"topic": "o", "value": {"op": "c", "after":
        {"id": "1", "aggregatetype": "A", "aggregateid": "k", "payload": "p", "t": 1}}}"#;
    for placement in ["t:header", "t:header,t:envelope"] {
        look_at(CLASS, &[("table.fields.additional.placement", placement)], &[row], |record| {
            let headers = record.headers.iter().map(|header| &header.value);
            for payload in headers.chain([&record.key, &record.value]) {
                assert!(matches!(payload, Payload::View(_, Some(_), own) if own.is_empty()), "{payload:?}");
            }
            assert_eq!(record.headers.iter().count(), 2);
        });
    }
}

#[test]
fn options_that_are_refused() {
    #[track_caller]
    fn refused(key: &str, value: &str, expect: &str) {
        let made = KIND.create(&[(key, value)].into_iter().collect()).err().unwrap();
        assert_eq!(made.iter().map(ToString::to_string).collect::<Vec<_>>(), [expect]);
    }
    let of = |key: &str, value: &str, problem: &str| {
        refused(
            key,
            value,
            &format!("Invalid value {value} for configuration {key}: The '{key}' value is invalid: {problem}"),
        );
    };
    of("table.op.invalid.behavior", "no", "Value must be one of warn, error, fatal");
    of("table.field.additional.missing", "no", "Value must be one of error, ignore");
    of("table.json.payload.null.behavior", "no", "Value must be one of ignore, optional_bytes");
    of("route.topic.regex", "a(", "A valid regular expressions is expected, but Unclosed group near index 2\na(");
    let list = "A comma-separated list of valid String pairs or trios is expected but got: ";
    for value in ["a", "a:header,b", "a:header:b:c", "", ":"] {
        of("table.fields.additional.placement", value, &format!("{list}[{}]", value.replace(',', ", ")));
    }
    let key = "table.expand.json.payload";
    refused(
        key,
        "yes",
        &format!("Invalid value yes for configuration {key}: Expected value to be either true or false"),
    );
}

#[test]
fn options_of_older_releases_are_remarked_on() {
    let properties: Properties = [
        ("table.field.payload", "p"),
        ("field.event.id", "id"),
        ("debezium.op.invalid.behavior", "warn"),
        ("table.field.event.payload", "p"),
    ]
    .into_iter()
    .collect();
    let mut found: Vec<String> =
        KIND.warnings(&properties).into_iter().map(|f| format!("{} {}", f.key, f.remedy)).collect();
    found.sort();
    assert_eq!(
        found,
        [
            "debezium.op.invalid.behavior Use table.op.invalid.behavior.",
            "field.event.id Use table.field.event.id.",
            "table.field.payload Use table.field.event.payload.",
        ]
    );
}
