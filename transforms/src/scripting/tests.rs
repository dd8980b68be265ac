//! The options of both transforms, and which records they look at.

use crate::example::with_record;
use crate::{Chain, find};
use settings::Properties;

const FILTER: &str = "io.debezium.transforms.Filter";
const ROUTER: &str = "io.debezium.transforms.ContentBasedRouter";
const DELETE: &str = r#"{"topic": "dummy2", "key": {"id": 2}, "value": {"op": "d", "before": {"id": 2, "amount": 5}}}"#;
const TOMBSTONE: &str = r#"{"topic": "dummy2", "key": {"id": 2}, "value": null}"#;
const HEARTBEAT: &str = r#"{"topic": "__debezium-heartbeat.srv", "value": {"ts_ms": 1}}"#;

/// What becomes of a record: its topic, `dropped`, `refused: key class message`, or `fails: class message`.
#[track_caller]
fn check(class: &str, options: &[(&str, &str)], record: &str, expect: &str) {
    let mut config = Properties::new();
    config.insert("transforms", "x");
    config.insert("transforms.x.type", class);
    for (name, value) in options {
        config.insert(format!("transforms.x.{name}"), *value);
    }
    let found = match Chain::build(&config) {
        Err(refusals) => refusals
            .iter()
            .map(|r| format!("refused: {} {} {}", r.invalid.key, r.java_class, r.invalid.message))
            .collect::<Vec<_>>()
            .join("; "),
        Ok(mut chain) => with_record(record, false, |record| match chain.apply(record.clone()) {
            Ok(Some(record)) => record.topic.to_string(),
            Ok(None) => "dropped".to_owned(),
            Err(error) => format!("fails: {} {error}", error.java_class()),
        }),
    };
    assert_eq!(found, expect, "{options:?}");
}

const GROOVY: (&str, &str) = ("language", "jsr223.groovy");

#[test]
fn options() {
    let condition = ("condition", "value.op != 'd' || value.before.id != 2");
    check(FILTER, &[GROOVY, condition], DELETE, "dropped");
    check(FILTER, &[("language", "jsr223.graal.js"), condition], DELETE, "dropped");
    check(FILTER, &[("language", "cel"), condition], DELETE, "dropped");
    check(
        FILTER,
        &[condition],
        DELETE,
        "refused: transforms.x.language io.debezium.DebeziumException The provided configuration isn't valid; check the error log for details. The 'language' value is invalid: A value is required",
    );
    check(
        FILTER,
        &[GROOVY],
        DELETE,
        "refused: transforms.x.condition io.debezium.DebeziumException The provided configuration isn't valid; check the error log for details. The 'condition' value is invalid: A value is required",
    );
    check(
        FILTER,
        &[("language", "groovy"), ("condition", "true")],
        DELETE,
        "refused: transforms.x.condition io.debezium.DebeziumException Value for option 'language' must begin with 'jsr223.' or 'wasm', e.g. 'jsr223.groovy'; or be 'cel'",
    );
    for (language, name) in [("jsr223.jython", "jython"), ("jsr223.jexl", "jexl"), ("wasm.chicory", "chicory")] {
        check(
            FILTER,
            &[("language", language), ("condition", "true")],
            DELETE,
            &format!(
                "refused: transforms.x.condition io.debezium.DebeziumException Failed to parse expression 'true': Implementation of language '{name}' not found on the classpath; the languages are jsr223.groovy, jsr223.graal.js and cel"
            ),
        );
    }
    check(
        FILTER,
        &[GROOVY, ("condition", "operation != 'd")],
        DELETE,
        "refused: transforms.x.condition io.debezium.DebeziumException Failed to parse expression 'operation != 'd': line 1, column 14: the text has no end: a ' is missing",
    );
    check(
        FILTER,
        &[GROOVY, ("condition", "true"), ("topic.regex", "(")],
        DELETE,
        "refused: transforms.x.topic.regex io.debezium.DebeziumException The provided configuration isn't valid; check the error log for details. The 'topic.regex' value '(' is invalid: A valid regular expressions is expected, but Unclosed group near index 1\n(",
    );
    check(
        ROUTER,
        &[GROOVY, ("topic.expression", "null"), ("null.handling.mode", "maybe")],
        DELETE,
        "refused: transforms.x.null.handling.mode io.debezium.DebeziumException The provided configuration isn't valid; check the error log for details. The 'null.handling.mode' value 'maybe' is invalid: Value must be one of keep, drop, evaluate",
    );
    assert!(find("Filter").is_some() && find("ContentBasedRouter").is_some());
}

/// What a connector's creation says about an expression, which Debezium would say only when the task starts.
#[test]
fn an_expression_is_refused_when_the_connector_is_created() {
    let refused = |language: &str, condition: &str| {
        let mut config = Properties::new();
        config.insert("transforms.x.language", language);
        config.insert("transforms.x.condition", condition);
        let kind = crate::ALL.iter().find(|kind| kind.class == FILTER).unwrap();
        let checked = settings::Def::validate_embedded(&[&kind.keys], "transforms.x.", "Transforms: x", 1, &config);
        let wrong = checked.into_iter().filter(|one| !one.errors.is_empty());
        wrong.map(|one| format!("{}: {}", one.name, one.errors.join("; "))).collect::<Vec<_>>().join("|")
    };
    assert_eq!(refused("jsr223.groovy", "value.op == 'c'"), "");
    let parse = "transforms.x.condition: Failed to parse expression";
    for (language, condition, expect) in [
        (
            "jsr223.groovy",
            "value.op = 'c'",
            "'value.op = 'c'': line 1, column 10: = cannot stand here: = assigns to a variable: write == to compare",
        ),
        (
            "jsr223.graal.js",
            "f()",
            "'f()': line 1, column 1: there is no function f: an expression knows key, value, keySchema, valueSchema, topic and header, and its own variables",
        ),
        (
            "cel",
            "f()",
            "'f()': line 1, column 2: there is no function f: the functions are contains, startsWith, endsWith, matches, size, int, uint, double, string, bytes, bool, dyn, type, of, none, ofNonZeroValue, hasValue, value, or, orValue",
        ),
        (
            "jsr223.jexl",
            "true",
            "'true': Implementation of language 'jexl' not found on the classpath; the languages are jsr223.groovy, jsr223.graal.js and cel",
        ),
    ] {
        assert_eq!(refused(language, condition), format!("{parse} {expect}"));
    }
}

/// A record is kept on true, results that are not Boolean fail, tombstones pass without evaluation, and a heartbeat fails
/// unless `topic.regex` excludes it.
#[test]
fn a_filter_keeps_what_is_true() {
    let fails = |condition: &str, topic: &str, why: &str| {
        format!(
            "fails: io.debezium.DebeziumException Error while evaluating expression '{condition}' for record 'ConnectRecord{{topic='{topic}'}}': {why}"
        )
    };
    let condition = |text| [GROOVY, ("condition", text)];
    check(FILTER, &condition("true"), DELETE, "dummy2");
    check(FILTER, &condition("false"), DELETE, "dropped");
    check(FILTER, &condition("value.before && value.op"), DELETE, "dummy2");
    let why = "The value returned by the expression is not a Boolean, but of the class java.lang.Integer";
    check(FILTER, &condition("1"), DELETE, &fails("1", "dummy2", why));
    let why =
        "The value returned by the expression is not a Boolean, but of the class org.apache.kafka.connect.data.Struct";
    check(FILTER, &condition("value.before"), DELETE, &fails("value.before", "dummy2", why));
    check(
        FILTER,
        &condition("null"),
        DELETE,
        "fails: java.lang.NullPointerException the expression 'null' returned null, not true or false",
    );
    check(FILTER, &condition("value.nosuch"), TOMBSTONE, "dummy2");
    let why = "op is not a valid field name (column 7)";
    check(FILTER, &condition("value.op == 'd'"), HEARTBEAT, &fails("value.op == 'd'", "__debezium-heartbeat.srv", why));
    let excluded = [GROOVY, ("condition", "value.op == 'c'"), ("topic.regex", "dum.*")];
    check(FILTER, &excluded, HEARTBEAT, "__debezium-heartbeat.srv");
    check(FILTER, &excluded, DELETE, "dropped");
    check(FILTER, &[GROOVY, ("condition", "value.op == 'c'"), ("topic.regex", "dum")], DELETE, "dummy2");
}

/// A column that is null is compared; a row that is null has no columns.
#[test]
fn null_is_below_every_number() {
    let condition = |text| [GROOVY, ("condition", text)];
    check(FILTER, &condition("value.after?.amount > 1000"), DELETE, "dropped");
    let failed = "fails: io.debezium.DebeziumException Error while evaluating expression 'value.after.amount > 1000' for record 'ConnectRecord{topic='dummy2'}': Cannot get property 'amount' on null object (column 13)";
    check(FILTER, &condition("value.after.amount > 1000"), DELETE, failed);
}

/// See `script::tests::groovy` for the types of numbers.
#[test]
fn a_router_takes_texts_only() {
    let expression = |text| [GROOVY, ("topic.expression", text)];
    check(ROUTER, &expression("topic + '.x'"), DELETE, "dummy2.x");
    check(ROUTER, &expression("null"), DELETE, "dummy2");
    check(ROUTER, &expression("value.before.id == 2 ? 'two' : null"), DELETE, "two");
    let failed = |text: &str, class: &str| {
        format!(
            "fails: io.debezium.DebeziumException Error while evaluating expression '{text}' for record 'ConnectRecord{{topic='dummy2'}}': The value returned by the expression is not a String, but of the class {class}"
        )
    };
    let gstring = "org.codehaus.groovy.runtime.GStringImpl";
    check(ROUTER, &expression("\"${topic}-x\""), DELETE, &failed("\"${topic}-x\"", gstring));
    check(ROUTER, &expression("1"), DELETE, &failed("1", "java.lang.Integer"));
    check(ROUTER, &expression("true"), DELETE, &failed("true", "java.lang.Boolean"));
}

#[test]
fn nulls() {
    let mode = |mode| [GROOVY, ("topic.expression", "value == null ? 'nulls' : 'x'"), ("null.handling.mode", mode)];
    check(ROUTER, &mode("keep"), TOMBSTONE, "dummy2");
    check(ROUTER, &mode(" Drop "), TOMBSTONE, "dropped");
    check(ROUTER, &mode("evaluate"), TOMBSTONE, "nulls");
    check(ROUTER, &mode("drop"), DELETE, "x");
    let condition = ("condition", "value.op != 'd' || value.before.id != 2");
    check(
        FILTER,
        &[GROOVY, condition, ("null.handling.mode", "evaluate")],
        TOMBSTONE,
        "fails: io.debezium.DebeziumException Error while evaluating expression 'value.op != 'd' || value.before.id != 2' for record 'ConnectRecord{topic='dummy2'}': Cannot get property 'op' on null object (column 7)",
    );
}

/// An expression sees what `MaskField` shows, of every type.
#[test]
fn masked_columns() {
    crate::example::check(
        FILTER,
        r#"{"transforms": "unwrap,mask,x",
            "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
            "transforms.mask.type": "org.apache.kafka.connect.transforms.MaskField$Value",
            "transforms.mask.fields": "whole,price,decimal,text,list,none",
            "language": "jsr223.groovy",
            "condition": "value.whole == 0 && value.price == 0.0 && value.decimal == 0 && value.text == '' && value.list == [] && value.none == null"}
        {"topic": "t", "types": {"after.decimal": "decimal(0)?"}, "value": {"op": "c", "after": {"id": 1, "whole": 5, "price": 2.5,
            "decimal": "7", "text": "x", "list": [1], "none": null}}}
        => {"value": {"id": 1, "whole": 0, "price": 0.0, "decimal": "0", "text": "", "list": [], "none": null}}"#,
    );
}
