//! Partitions that Debezium chose.

use super::*;
use crate::example::check;

const CLASS: &str = KIND.class;

/// Checks the partition of one change; `outcome` is a number, or what stands behind `=>`.
#[track_caller]
fn case(fields: &str, count: i32, hash: &str, types: &str, value: &str, outcome: &str) {
    let outcome =
        if outcome.parse::<i32>().is_ok() { format!("{{\"partition\": {outcome}}}") } else { outcome.to_owned() };
    check(
        CLASS,
        &format!(
            r#"{{"{FIELDS}": "{fields}", "{COUNT}": "{count}", "partition.hash.function": "{hash}"}}
            {{"topic": "srv.public.m", "types": {types}, "value": {value}}} => {outcome}"#
        ),
    );
}

#[test]
fn examples_of_the_documentation() {
    let row = |product: &str| format!(r#"{{"op": "c", "after": {{"id": 1, "product": "{product}"}}}}"#);
    let id = r#"{"after.id": "int64"}"#;
    case("change.id,change.product", 100, "java", id, &row("orange"), "39");
    case("change.id,change.product", 100, "murmur", id, &row("orange"), "65");
    case("change.id,change.product", 100, "none", id, &row("orange"), "39");
    case("change.product", 2, "java", "{}", &row("hammer"), "0");
    case("change.product", 2, " MURMUR ", "{}", &row("hammer"), "1");
    case("change.product", 10, "murmur", "{}", &row("hammer"), "3");
    case("change.product", 2, "java", "{}", &row("APPLE"), "0");
    case("after.product", 2, "java", "{}", &row("APPLE"), "0");
    case("change . product", 2, "java", "{}", &row("APPLE"), "0");
    case("change.product", 3, "java", "{}", &row("orange"), "1");
    case("op", 7, "java", "{}", &row("x"), "1");
    case("change.missing,change.product", 3, "java", "{}", &row("orange"), "1");
}

/// The scenario whose records Debezium wrote to three partitions.
#[test]
fn what_debezium_wrote() {
    let fields = "source.table,change.region,op";
    for (op, region, partition) in [
        ("r", "us", "0"),
        ("r", "eu", "2"),
        ("r", "asia", "2"),
        ("u", "usx", "1"),
        ("u", "asiax", "1"),
        ("u", "eux", "2"),
    ] {
        case(
            fields,
            3,
            "murmur",
            "{}",
            &format!(r#"{{"op": "{op}", "after": {{"id": 2, "region": "{region}"}}}}"#),
            partition,
        );
    }
    case(fields, 3, "murmur", "{}", r#"{"op": "d", "before": {"id": 1, "region": null}}"#, "0");
    let long = r#"{"after.n": "int64"}"#;
    for (region, n, partition) in [
        ("us", 2, "0"),
        ("eu", 1, "1"),
        ("ünï", -5, "1"),
        ("ünï", -4, "0"),
        ("us", 3, "1"),
        ("asia", 99_999_999_999_i64, "2"),
        ("asia", 100_000_000_000, "1"),
        ("eu", 2, "2"),
    ] {
        let value = format!(r#"{{"op": "c", "after": {{"id": 1, "region": "{region}", "n": {n}}}}}"#);
        case("change.region,change.n", 4, "java", long, &value, partition);
    }
    case("change.region,change.n", 4, "java", long, r#"{"op": "c", "after": {"id": 9, "region": null, "n": 4}}"#, "0");
}

#[test]
fn records_that_are_left_alone() {
    check(
        CLASS,
        r#"{"partition.payload.fields": "change.n", "partition.topic.num": "4"}
        {"topic": "t", "partition": 9, "value": null} => {}
        {"topic": "t", "partition": 9, "value": {"change": {"n": 1}}} => {}
        {"topic": "t", "partition": 9, "value": {"op": "t"}} => {}
        {"topic": "t", "partition": 9, "value": {"op": "c", "after": {"id": 1, "n": null}}} => {}
        {"topic": "t", "partition": 9, "value": {"op": "c", "after": {"id": 1}}} => {}
        {"topic": "t", "partition": 9, "types": {"after.n": "int32?=6"}, "value": {"op": "c", "after": {"n": null}}}
        => {"partition": 2}"#,
    );
    let row = r#"{"op": "c", "after": {"id": 1, "n": 6}}"#;
    for fields in ["change", "nosuch", "nosuch.n", "op.n", "change.id.n", "after.nosuch", "."] {
        case(fields, 4, "java", "{}", row, "{}");
    }
}

#[test]
fn sums() {
    let case = |fields: &str, a: i64, b: i64, count, partition: &str| {
        let value = format!(r#"{{"op": "c", "after": {{"a": {a}, "b": {b}}}}}"#);
        case(fields, count, "java", r#"{"after.a": "int32", "after.b": "int32"}"#, &value, partition);
    };
    // The largest number counts as 0; a sign is masked, so -5 is 2147483643.
    case("after.a", i64::from(i32::MAX), 0, 5, "0");
    case("after.a", -1, 0, 5, "0");
    case("after.a", -5, 0, 10, "3");
    case("after.a,after.b", i64::from(i32::MAX), 3, 10, "2");
    case("after.a,after.a", 3, 0, 10, "6");
}

/// What is inside of a struct that is null cannot be told from a mistake in the options.
#[test]
fn structs_that_are_null() {
    let fails = "fails: Unprocessable message: a field of partition.payload.fields is inside of a struct that is null";
    case("before.n", 4, "java", "{}", r#"{"op": "c", "after": {"n": 1}}"#, fails);
    case("after.n", 4, "java", "{}", r#"{"op": "d", "before": {"n": 1}}"#, fails);
    case("transaction.id", 4, "java", "{}", r#"{"op": "c", "after": {"n": 1}}"#, fails);
    case("before.n", 4, "java", "{}", r#"{"op": "d", "before": {"n": 1}}"#, "1");
    case(
        "transaction.id",
        4,
        "java",
        "{}",
        r#"{"op": "c", "after": {"n": 1}, "transaction": {"id": "c", "total_order": 1, "data_collection_order": 1}}"#,
        "3",
    );
    // Even if the struct has no such field at all.
    case("before.nosuch", 4, "java", "{}", r#"{"op": "c", "after": {"n": 1}}"#, fails);
}

#[test]
fn options_that_are_refused() {
    #[track_caller]
    fn refused(fields: Option<&str>, count: Option<&str>, expect: &str) {
        let options = fields.map(|text| (FIELDS, text)).into_iter().chain(count.map(|text| (COUNT, text)));
        let made = KIND.create(&options.collect()).err().unwrap();
        assert!(made.iter().all(|refusal| refusal.java_class == java::CONFIG), "{made:?}");
        assert_eq!(made.iter().map(ToString::to_string).collect::<Vec<_>>(), [expect]);
    }
    let text = |key: &str, value: &str, problem: &str| {
        format!("Invalid value {value} for configuration {key}: The '{key}' value is invalid: {problem}")
    };
    refused(None, Some("2"), &text(FIELDS, "null", "A value is required"));
    refused(Some(" "), Some("2"), &text(FIELDS, " ", "A value is required"));
    refused(Some("op"), None, &text(COUNT, "null", "A value is required"));
    refused(Some(",source.table"), Some("2"), &text(FIELDS, ",source.table", "Empty string element(s) not permitted"));
    refused(Some("op"), Some("0"), &text(COUNT, "0", "A positive, non-zero integer value is expected"));
    refused(Some("op"), Some("-1"), &text(COUNT, "-1", "A positive, non-zero integer value is expected"));
    refused(Some("op"), Some("x"), &format!("Invalid value x for configuration {COUNT}: Not a number of type INT"));
    assert!(KIND.create(&[(FIELDS, "op,,"), (COUNT, "1")].into_iter().collect()).is_ok());
}
