//! What becomes of nulls: those without a schema (tombstones), and those with one.

use std::sync::Arc;

use record::{Headers, Kind, Payload, Record, Schema, Value};

use super::chain;
use crate::example::described;

/// A row: a required `id` and an optional `at`.
fn row(optional: bool) -> Arc<Schema> {
    let fields = [("id", Schema::of(Kind::Int32).build()), ("at", Schema::of(Kind::Int64).optional().build())];
    Schema::of(Kind::structure(fields)).named("t.Value", None).optional_if(optional).build()
}

fn record(value: Payload<'_>) -> Record<'_> {
    Record {
        topic: "t".into(),
        partition: None,
        timestamp_ms: Some(1_700_000_000_000),
        key: Payload::Value(Schema::of(Kind::Int32).build(), Value::Int(1)),
        value,
        headers: Headers::default(),
    }
}

/// Sends a tombstone and a null with an optional schema through the transform; expects these two values, or messages.
#[track_caller]
fn check(name: &str, options: &[&str], tombstone: &str, null_of: &str) {
    let sent = |value: Payload<'_>| match chain(name, options).unwrap().apply(record(value)) {
        Ok(Some(record)) => format!("{} of {}", described(&record.value), record.topic),
        Ok(None) => "dropped".to_owned(),
        Err(error) => format!("fails: {error}"),
    };
    let whole = |expect: &str| {
        let is_whole = expect.starts_with("fails") || expect == "dropped" || expect.contains(" of ");
        if is_whole { expect.to_owned() } else { format!("{expect} of t") }
    };
    assert_eq!(sent(Payload::Null), whole(tombstone), "{name}: tombstone");
    assert_eq!(sent(Payload::NullOf(row(true))), whole(null_of), "{name}: null with a schema");
    // A value of the same schema before it changes nothing.
    let mut chain = chain(name, options).unwrap();
    let value = Value::Struct(vec![Value::Int(1), Value::Int(2)]);
    let _ = chain.apply(record(Payload::Value(row(true), value)));
    let again = chain.apply(record(Payload::NullOf(row(true)))).map_err(|error| format!("fails: {error}"));
    match again {
        Ok(Some(record)) => {
            assert_eq!(format!("{} of {}", described(&record.value), record.topic), whole(null_of), "{name}: again");
        }
        Ok(None) => assert_eq!(whole(null_of), "dropped"),
        Err(error) => assert_eq!(error, whole(null_of), "{name}: again"),
    }
}

#[test]
fn nulls_that_pass() {
    for (name, options) in [
        ("Cast$Value", "spec=id:string"),
        ("Cast$Value", "spec=string"),
        ("Flatten$Value", "delimiter=_"),
        ("InsertField$Value", "static.field=a!|static.value=b"),
        ("ReplaceField$Value", "exclude=id"),
    ] {
        let options: Vec<&str> = options.split('|').collect();
        check(name, &options, "-", "null struct? t.Value");
    }
}

#[test]
fn nulls_that_change() {
    check("ExtractField$Value", &["field=at"], "-", "null int64?");
    check("ExtractField$Value", &["field=nosuch"], "-", "fails: Unknown field: nosuch");
    check("HoistField$Value", &["field=h"], r#"{"h":null} map<string,string?> without schema"#, r#"{"h":null} struct"#);
    check("SetSchemaMetadata$Value", &["schema.name=n"], "-", "null struct? n");
    check("TimestampConverter$Value", &["field=at", "target.type=Timestamp"], "-", "null struct? t.Value");
    let no_time = "fails: Schema Schema{t.Value:STRUCT} does not correspond to a known timestamp type format";
    check("TimestampConverter$Value", &["target.type=unix"], "-", no_time);
}

#[test]
fn nulls_that_fail() {
    for (name, options, purpose) in [
        ("MaskField$Value", "fields=id", "mask fields"),
        ("ValueToKey", "fields=id", "copying fields from value to key"),
        ("HeaderFrom$Value", "fields=id|headers=h|operation=copy", "header copy"),
        ("HeaderFrom$Value", "fields=id|headers=h|operation=move", "header move"),
    ] {
        let options: Vec<&str> = options.split('|').collect();
        check(
            name,
            &options,
            &format!("fails: Only Map objects supported in absence of schema for [{purpose}], found: null"),
            &format!("fails: Only Struct objects supported for [{purpose}], found: null"),
        );
    }
}

#[test]
fn nulls_that_do_not_matter() {
    let null = "null struct? t.Value";
    check("RegexRouter", &["regex=t", "replacement=u"], "- of u", "null struct? t.Value of u");
    check("DropHeaders", &["headers=h"], "-", null);
    check("InsertHeader", &["header=h", "value.literal=1"], "-", null);
    check("Filter", &[], "dropped", "dropped");
    check("TimestampRouter", &[], "- of t-20231114", "null struct? t.Value of t-20231114");
}

/// A null with a required schema does not fit into another struct.
#[test]
fn a_required_null_cannot_be_hoisted() {
    let result = chain("HoistField$Value", &["field=h"]).unwrap().apply(record(Payload::NullOf(row(false))));
    let message = "Invalid value: null used for required field: \"h\", schema type: STRUCT";
    assert_eq!(result.unwrap_err().to_string(), message);
    let mut renamed = chain("SetSchemaMetadata$Value", &["schema.name=n"]).unwrap();
    let record = renamed.apply(record(Payload::NullOf(row(false)))).unwrap().unwrap();
    assert_eq!(described(&record.value), "null struct n");
}
