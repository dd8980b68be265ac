//! What Debezium's topic routing does, case by case.

use super::*;
use crate::example::{check, look_at};

const CLASS: &str = KIND.class;
const SHARDS: &str = r#""topic.regex": "(.*)customers_shard(.*)", "topic.replacement": "$1customers_all""#;

#[test]
fn keys() {
    let given = r#"{"topic": "srv.customers_shard7", "key": {"id": 1}, "value": null}"#;
    let case = |options: &str, key: &str| {
        let outcome = format!(
            r#"{{"topic": "srv.customers_all", "key": {key}, "types": {{"key": "struct srv.customers_all.Key"}}}}"#
        );
        check(CLASS, &format!("{{{SHARDS}{options}}}\n{given} => {outcome}"));
    };
    case("", r#"{"id": 1, "__dbz__physicalTableIdentifier": "srv.customers_shard7"}"#);
    case(r#", "key.enforce.uniqueness": "false""#, r#"{"id": 1}"#);
    case(r#", "key.enforce.uniqueness": "false", "key.field.name": "x""#, r#"{"id": 1}"#);
    case(r#", "key.field.name": "shard""#, r#"{"id": 1, "shard": "srv.customers_shard7"}"#);
    let regex =
        r#", "key.field.regex": "(.*)customers_shard(.*)", "key.field.replacement": "$2", "key.field.name": "shard""#;
    case(regex, r#"{"id": 1, "shard": "7"}"#);
    // If that regex does not match, the old topic is the value.
    let regex = r#", "key.field.regex": "customers", "key.field.replacement": "$2", "key.field.name": "shard""#;
    case(regex, r#"{"id": 1, "shard": "srv.customers_shard7"}"#);
    check(
        CLASS,
        &format!(
            r#"{{{SHARDS}}}
            {{"topic": "srv.customers_shard1", "value": {{"op": "c", "after": {{"id": 1}}}}}}
            => {{"topic": "srv.customers_all", "key": null, "types": {{"key": "none"}}}}
            {{"topic": "srv.customers_shard1", "key": "a"}}
            => fails: Only Struct objects supported for [Updating schema], found: java.lang.String
            {{"topic": "srv.customers_shard1", "types": {{"key": "struct? x.Key", "key.id": "int64", "key.n": "int32?=5"}},
              "key": {{"id": 1, "n": null}}}}
            => {{"topic": "srv.customers_all", "key": {{"id": 1, "n": null, "__dbz__physicalTableIdentifier": "srv.customers_shard1"}},
                 "types": {{"key": "struct? srv.customers_all.Key", "key.id": "int64", "key.n": "int32?=5",
                            "key.__dbz__physicalTableIdentifier": "string"}}}}"#
        ),
    );
    check(
        CLASS,
        &format!(
            r#"{{{SHARDS}, "key.field.name": "id"}}
            {{"topic": "srv.customers_shard1", "key": {{"id": 1}}}}
            => fails: Cannot create field because of field name duplication id"#
        ),
    );
}

#[test]
fn values() {
    check(
        CLASS,
        &format!(
            r#"{{{SHARDS}}}
            {{"topic": "srv.customers_shard2", "key": {{"id": 1}}, "types": {{"after.n": "int32?=5", "before.n": "int32?=5"}},
              "value": {{"op": "u", "before": {{"id": 1, "n": 1}}, "after": {{"id": 1, "n": null}}}}}}
            => {{"topic": "srv.customers_all", "key": {{"id": 1, "__dbz__physicalTableIdentifier": "srv.customers_shard2"}},
                 "value": {{"op": "u", "before": {{"id": 1, "n": 1}}, "after": {{"id": 1, "n": null}},
                            "source": {{"table": "customers_shard2"}}, "transaction": null}},
                 "types": {{"value": "struct srv.customers_all.Envelope", "value#version": "2",
                            "value.before": "struct? srv.customers_all.Value", "value.after": "struct? srv.customers_all.Value",
                            "value.after.n": "int32?=5", "value.source": "struct io.debezium.connector.postgresql.Source"}}}}
            {{"topic": "srv.customers_shard2", "key": {{"id": 1}}, "value": {{"op": "t"}}}}
            => {{"topic": "srv.customers_all", "key": {{"id": 1, "__dbz__physicalTableIdentifier": "srv.customers_shard2"}},
                 "value": {{"op": "t", "before": null, "after": null}}}}
            {{"topic": "srv.customers_shard2", "key": {{"k": 1}}, "value": {{"ts_ms": 1}}, "headers": [["h", 1]], "partition": 2, "timestamp": 9}}
            => {{"topic": "srv.customers_all", "key": {{"k": 1, "__dbz__physicalTableIdentifier": "srv.customers_shard2"}},
                 "types": {{"value": "struct srv.customers_shard2.Value"}}}}"#
        ),
    );
}

/// Nothing is copied: what the key gets is a constant.
#[test]
fn nothing_is_copied() {
    let options = [("topic.regex", "(.*)1"), ("topic.replacement", "$1")];
    look_at(CLASS, &options, &[r#"{"topic": "t1", "value": {"op": "c", "after": {"id": 1}}}"#], |record| {
        assert!(matches!(&record.value, Payload::View(_, Some(_), own) if own.is_empty()), "{record:?}");
    });
}

#[test]
fn topics() {
    let record = r#"{"topic": "srv.a", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}"#;
    let case = |regex: &str, replacement: &str, outcome: &str| {
        let options = format!(r#"{{"topic.regex": "{regex}", "topic.replacement": "{replacement}"}}"#);
        check(CLASS, &format!("{options}\n{record} => {outcome}"));
    };
    // A part that matches is not enough.
    case("srv", "x", "{}");
    // An empty topic leaves the record as it was.
    case(".*()", "$1", "{}");
    case("(.*)", "$2", "fails: No group 2");
    // The same topic again: the key still changes.
    case("srv.a", "srv.a", r#"{"key": {"id": 1, "__dbz__physicalTableIdentifier": "srv.a"}}"#);
    // The regex must match the whole topic, but only what is found first is replaced.
    case("(.*?)", "x.", r#"{"topic": "x.srv.a", "key": {"id": 1, "__dbz__physicalTableIdentifier": "srv.a"}}"#);
}

#[test]
fn names_of_schemas() {
    let given = r#"{"topic": "s-1.log_1", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}"#;
    for (mode, topic) in [("none", "s-1.logs"), ("Avro", "s_1.logs"), ("avro_unicode", "s_u002d1.logs")] {
        let options = format!(
            r#"{{"topic.regex": "(.*)log_[0-9]+", "topic.replacement": "$1logs", "key.enforce.uniqueness": false,
                "schema.name.adjustment.mode": "{mode}"}}"#
        );
        let outcome = format!(
            r#"{{"topic": "s-1.logs", "types": {{"key": "struct {topic}.Key", "value": "struct {topic}.Envelope",
                "value.after": "struct? {topic}.Value"}}}}"#
        );
        check(CLASS, &format!("{options}\n{given} => {outcome}"));
    }
    // Two topics with one key schema: the first of them names it. (Schemas of different tables have different names.)
    let types = r#""types": {"key": "struct same"}, "key": {"id": 1}, "value": null}"#;
    let after = r#""key": {"id": 1}, "types": {"key": "struct x-1.Key"}}"#;
    check(
        CLASS,
        &format!(
            r#"{{"topic.regex": "(.*)", "topic.replacement": "x-$1", "key.enforce.uniqueness": false}}
            {{"topic": "1", {types} => {{"topic": "x-1", {after}
            {{"topic": "2", {types} => {{"topic": "x-2", {after}"#
        ),
    );
}

/// A row that a transform before this one gave more fields than the row before has.
#[test]
fn rows_of_different_schemas() {
    let of = |names: &[&str]| {
        let fields = names.iter().map(|name| (*name, Schema::of(Kind::Int32).optional().build()));
        Schema::of(Kind::structure(fields)).optional().named("p.a.Value", None).build()
    };
    let (narrow, wide) = (of(&["a", "c"]), of(&["c", "b", "a"]));
    let part = as_row(Part::owned(Arc::clone(&narrow), 0), &wide).unwrap();
    let frame = [Value::Struct(vec![Value::Int(1), Value::Int(3)])];
    let frame = record::Frame { decoded: None, owned: &frame };
    assert_eq!(part.value(frame), Value::Struct(vec![Value::Int(3), Value::Null, Value::Int(1)]));
    assert_eq!(part.value(record::Frame { decoded: None, owned: &[Value::Null] }), Value::Null);
    let wrong = as_row(Part::owned(wide, 0), &narrow).unwrap_err();
    assert_eq!(wrong.to_string(), "b is not a valid field name");
}

#[test]
fn options_that_are_refused() {
    #[track_caller]
    fn refused(options: &[(&str, &str)], expect: &[&str]) {
        let made = KIND.create(&options.iter().copied().collect()).err().unwrap();
        assert!(made.iter().all(|refusal| refusal.java_class == java::CONNECT), "{made:?}");
        assert_eq!(made.iter().map(ToString::to_string).collect::<Vec<_>>(), expect);
    }
    const REGEX: (&str, &str) = ("topic.regex", "a");
    const REPLACEMENT: (&str, &str) = ("topic.replacement", "b");
    refused(
        &[],
        &[
            "Unable to validate config. The 'topic.regex' value is invalid: A value is required",
            "Unable to validate config. The 'topic.replacement' value is invalid: A value is required",
        ],
    );
    refused(
        &[REGEX, ("topic.replacement", "")],
        &["Unable to validate config. The 'topic.replacement' value '' is invalid: A value is required"],
    );
    refused(
        &[REGEX, REPLACEMENT, ("key.field.regex", "a")],
        &["Unable to validate config. The 'key.field.replacement' value is invalid: key.field.replacement must be \
           non-empty if key.field.regex is set."],
    );
    refused(
        &[REGEX, REPLACEMENT, ("schema.name.adjustment.mode", "x")],
        &[
            "Unable to validate config. The 'schema.name.adjustment.mode' value 'x' is invalid: Value must be one of none, \
           avro, avro_unicode",
        ],
    );
    refused(
        &[("topic.regex", "("), REPLACEMENT],
        &[
            "Unable to validate config. The 'topic.regex' value '(' is invalid: A valid regular expressions is expected, but \
           Unclosed group near index 1\n(",
        ],
    );
}
