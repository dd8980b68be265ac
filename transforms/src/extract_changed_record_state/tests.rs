//! What counts as a change, and which records get the headers.

use super::*;
use crate::example::{check, look_at};

const CLASS: &str = KIND.class;

#[test]
fn records() {
    check(
        CLASS,
        r#"{"header.changed.name": "C", "header.unchanged.name": "U"}
        {"topic": "t", "headers": [["C", "x"]], "value": {"op": "u", "before": {"id": 1, "v": "x", "n": null},
         "after": {"id": 1, "v": "z", "n": 3}}}
        => {"headers": [["C", "x"], ["C", ["v", "n"]], ["U", ["id"]]]}
        {"topic": "t", "value": {"op": "u", "before": {"id": 1, "v": null}, "after": {"id": 1, "v": null}}}
        => {"headers": [["C", []], ["U", ["id", "v"]]]}
        {"topic": "t", "value": {"op": "u", "before": null, "after": {"id": 1}}} => {"headers": [["C", []], ["U", []]]}
        {"topic": "t", "value": {"op": "r", "after": {"id": 1}}} => {"headers": [["C", []], ["U", []]]}
        {"topic": "t", "value": {"op": "t"}} => {"headers": [["C", []], ["U", []]]}
        {"topic": "t", "value": {"id": 1}} => {}
        {"topic": "t", "value": null} => {}"#,
    );
    let update = r#"{"topic": "t", "value": {"op": "u", "before": {"id": 1, "v": 1}, "after": {"id": 1, "v": 2}}}"#;
    check(CLASS, &format!(r#"{{"header.unchanged.name": "U"}} {update} => {{"headers": [["U", ["id"]]]}}"#));
    check(CLASS, &format!(r#"{{"header.changed.name": " "}} {update} => {{}}"#));
    check(CLASS, &format!("{{}} {update} => {{}}"));
}

/// The connector gives a delete and its tombstone one list of headers, so the tombstone shows what was added to the delete.
#[test]
fn tombstones_show_the_headers_of_their_deletes() {
    let records = [r#"{"topic": "t", "value": {"op": "d", "before": {"id": 1}}}"#, r#"{"topic": "t", "value": null}"#];
    let mut shown = Vec::new();
    look_at(CLASS, &[("header.changed.name", "C"), ("header.unchanged.name", "U")], &records, |record| {
        shown.push(record.headers.iter().map(|header| header.name.to_string()).collect::<Vec<_>>());
    });
    assert_eq!(shown, [["C", "U"], ["C", "U"]]);
}

/// A default does not stand in for a null here.
#[test]
fn nulls_stay_nulls() {
    check(
        CLASS,
        r#"{"header.changed.name": "C"}
        {"topic": "t", "types": {"before.n": "int32?=5", "after.n": "int32?=5"},
         "value": {"op": "u", "before": {"n": null}, "after": {"n": 5}}}
        => {"headers": [["C", ["n"]]]}"#,
    );
}

#[test]
fn equal_in_java() {
    let decimal = |unscaled: i128, scale| ValueRef::Decimal { unscaled, scale };
    let owned = |value: Value| ValueRef::Owned(Box::new(value));
    let list = |items: &[f64]| owned(Value::Array(items.iter().map(|item| Value::Double(*item)).collect()));
    let map = |keys: &[&str]| owned(Value::Map(keys.iter().map(|key| (Value::text(key), Value::Int(1))).collect()));
    for (one, other, expect) in [
        (ValueRef::Null, ValueRef::Null, true),
        (ValueRef::Null, ValueRef::Int(0), false),
        (ValueRef::Int(1), owned(Value::Int(1)), true),
        (ValueRef::Text("a"), owned(Value::text("a")), true),
        (ValueRef::Text("a"), ValueRef::Text("b"), false),
        (ValueRef::Double(f64::NAN), ValueRef::Double(-f64::NAN), true),
        (ValueRef::Double(0.0), ValueRef::Double(-0.0), false),
        (ValueRef::Float(f32::NAN), owned(Value::Float(f32::NAN)), true),
        (ValueRef::Float(0.0), ValueRef::Float(-0.0), false),
        (decimal(10, 1), decimal(100, 2), false),
        (decimal(10, 1), owned(Value::Decimal { unscaled: vec![10], scale: 1 }), true),
        (ValueRef::Bytes(b"\x01\xff"), ValueRef::Hex(b"01ff"), true),
        (ValueRef::Hex(b"01ff"), ValueRef::Hex(b"01fe"), false),
        (list(&[f64::NAN, 1.0]), list(&[f64::NAN, 1.0]), true),
        (list(&[0.0]), list(&[-0.0]), false),
        (list(&[1.0]), list(&[1.0, 1.0]), false),
        (map(&["a", "b"]), map(&["b", "a"]), true),
        (map(&["a", "b"]), map(&["a", "c"]), false),
    ] {
        assert_eq!(same(&one, &other), expect, "{one:?} {other:?}");
        assert_eq!(same(&other, &one), expect, "{other:?} {one:?}");
    }
}
