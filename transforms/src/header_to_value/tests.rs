//! What Debezium's `HeaderToValue` does, case by case.

use super::*;
use crate::example::check;

const CLASS: &str = KIND.class;

/// Checks one record with the headers `h` ("v") and `n` (2): the fields, the operation, the record's other members and the
/// outcome.
#[track_caller]
fn case(fields: &str, operation: &str, members: &str, outcome: &str) {
    check(
        CLASS,
        &format!(
            r#"{{"headers": "h,n", "fields": "{fields}", "operation": "{operation}"}}
            {{"topic": "t", "headers": [["h", "v"], ["k", true], ["n", 2]], {members}}} => {outcome}"#
        ),
    );
}

#[test]
fn fields_and_headers() {
    let value = r#""value": {"a": 1}"#;
    case("x,y", "copy", value, r#"{"value": {"a": 1, "x": "v", "y": 2}}"#);
    case("x,y", "Move", value, r#"{"value": {"a": 1, "x": "v", "y": 2}, "headers": [["k", true]]}"#);
    // The order is that of the record's headers, whatever that of the options is.
    check(
        CLASS,
        r#"{"headers": "a,b,c", "fields": "fa,fb,fc", "operation": "move"}
        {"topic": "t", "headers": [["c", 3], ["a", 1], ["d", 4]], "value": {"id": 0}}
        => {"value": {"id": 0, "fc": 3, "fa": 1}, "headers": [["d", 4]]}
        {"topic": "t", "headers": [["d", 4]], "value": {"id": 0}} => {}
        {"topic": "t", "headers": [["a", 1], ["a", 2]], "value": {"id": 0}} => {"value": {"id": 0, "fa": 2}, "headers": []}
        {"topic": "t", "headers": [["a", 1]], "value": null} => {}
        {"topic": "t", "headers": [["a", 1]], "value": "text"}
        => fails: Only Struct objects supported for [Header field insertion], found: java.lang.String"#,
    );
    // The type is the header's.
    check(
        CLASS,
        r#"{"headers": "a", "fields": "f", "operation": "copy"}
        {"topic": "t", "headers": [["a", 1]], "types": {"header:a": "int64 some.Name", "": "struct? t.Value"}, "value": {"id": 0}}
        => {"value": {"id": 0, "f": 1}, "types": {"value.f": "int64 some.Name", "value": "struct t.Value"}}
        {"topic": "t", "headers": [["a", null]], "value": {"id": 0}} => {"value": {"id": 0, "f": null}, "types": {"value.f": "string?"}}"#,
    );
}

#[test]
fn structs_inside() {
    let inner = r#""types": {"s": "struct? some.Inner"}, "value": {"a": 1, "s": {"b": 2}}"#;
    case(
        "s.x,y",
        "copy",
        inner,
        r#"{"value": {"a": 1, "s": {"b": 2, "x": "v"}, "y": 2}, "types": {"value.s": "struct some.Inner"}}"#,
    );
    // A struct is made, without a name; only its next field can be in it.
    let made = r#"{"value": {"a": 1, "s": {"b": 2}, "p": {"x": "v", "y": 2}}, "types": {"value.p": "struct?"}}"#;
    case("p.x,p.y", "copy", inner, made);
    case("p.x.z,y", "copy", inner, r#"{"value": {"a": 1, "s": {"b": 2}, "y": 2, "p": {"x": "v"}}}"#);
    case("s.p.x,y", "copy", inner, r#"{"value": {"a": 1, "s": {"b": 2, "p": {}}, "y": 2}}"#);
    case("a.x,y", "copy", inner, "fails: Field 'a' is a primitive type, not a struct. Cannot add nested field 'a.x'.");
    case(
        "s.b.x,y",
        "copy",
        inner,
        "fails: Field 'b' is a primitive type, not a struct. Cannot add nested field 's.b.x'.",
    );
    case("l.x,y", "copy", r#""value": {"l": [1]}"#, "fails: Cannot list fields on non-struct type");
    case("p.x,p.x", "copy", inner, "fails: Cannot create field because of field name duplication x");
    case("p.x,p", "copy", inner, "fails: Cannot create field because of field name duplication p");
    // Where the struct is null, there is no field. (Converters refuse such a record, because the struct is not optional now.)
    case(
        "s.x,y",
        "copy",
        r#""types": {"s": "struct?"}, "value": {"s": null}"#,
        r#"{"value": {"s": null, "y": 2}, "types": {"value.s": "struct"}}"#,
    );
}

#[test]
fn fields_that_are_there() {
    case(
        "a,y",
        "copy",
        r#""types": {"a": "string? some.Name"}, "value": {"a": "w"}"#,
        r#"{"value": {"a": "v", "y": 2}, "types": {"value.a": "string? some.Name"}}"#,
    );
    let wrong = "fails: Invalid Java object for schema with type INT32: class java.lang.String for field: \"a\"";
    case("a,y", "copy", r#""value": {"a": 1}"#, wrong);
}

/// In the structs that get a field, nulls become defaults.
#[test]
fn defaults() {
    case(
        "x,s.y",
        "copy",
        r#""types": {"a": "int32?=5", "s.b": "int32?=6", "u.c": "int32?=7"},
           "value": {"a": null, "s": {"b": null}, "u": {"c": null}}"#,
        r#"{"value": {"a": 5, "s": {"b": 6, "y": 2}, "u": {"c": null}, "x": "v"}}"#,
    );
}

#[test]
fn envelopes() {
    case(
        "source.h,changes",
        "move",
        r#""value": {"op": "d", "before": {"id": 1}}"#,
        r#"{"value": {"before": {"id": 1}, "after": null, "op": "d", "source": {"table": "t", "h": "v"}, "changes": 2},
            "headers": [["k", true]], "types": {"value": "struct t.Envelope"}}"#,
    );
    case(
        "after.x,y",
        "copy",
        r#""value": {"op": "c", "after": {"id": 1}}"#,
        r#"{"value": {"before": null, "after": {"id": 1, "x": "v"}, "y": 2}, "types": {"value.after": "struct t.Value"}}"#,
    );
}

/// The names of changed columns as a field of the flattened row.
#[test]
fn in_a_chain() {
    check(
        CLASS,
        r#"{"transforms": "c,h,u", "transforms.c.type": "io.debezium.transforms.ExtractChangedRecordState",
            "transforms.c.header.changed.name": "Changed", "transforms.h.type": "io.debezium.transforms.HeaderToValue",
            "transforms.h.headers": "Changed", "transforms.h.fields": "changes", "transforms.h.operation": "move",
            "transforms.u.type": "io.debezium.transforms.ExtractNewRecordState", "transforms.u.add.fields": "op,changes"}
        {"topic": "t", "headers": [["k", 1]], "value": {"op": "u", "before": {"id": 1, "name": "a"}, "after": {"id": 1, "name": "b"}}}
        => {"value": {"id": 1, "name": "b", "__op": "u", "__changes": ["name"]}, "headers": [["k", 1]],
            "types": {"value.__changes": "array<string?>? Changed"}}"#,
    );
}

#[test]
fn options_that_are_refused() {
    #[track_caller]
    fn refused(headers: Option<&str>, fields: Option<&str>, operation: Option<&str>, expect: &str) {
        let all = [("headers", headers), ("fields", fields), ("operation", operation)];
        let options = all.into_iter().filter_map(|(key, value)| Some((key, value?)));
        let made = KIND.create(&options.collect()).err().unwrap();
        assert!(made.iter().all(|refusal| refusal.java_class == java::CONFIG), "{made:?}");
        assert_eq!(made.iter().map(ToString::to_string).collect::<Vec<_>>(), [expect]);
    }
    let text = |key: &str, value: &str, problem: &str| {
        format!("Invalid value {value} for configuration {key}: The '{key}' value is invalid: {problem}")
    };
    let (copy, required) = (Some("copy"), "A value is required");
    refused(None, Some("f"), copy, &text("headers", "null", required));
    refused(Some("h"), None, copy, &text("fields", "null", required));
    refused(Some("h"), Some("f"), None, &text("operation", "null", required));
    refused(Some("h"), Some("f"), Some("take"), &text("operation", "take", "Value must be one of move, copy"));
    refused(Some("h,,i"), Some("f"), copy, &text("headers", "h,,i", "Empty string element(s) not permitted"));
    refused(Some("h"), Some("f g"), copy, &text("fields", "f g", "Element(s) containing space not permitted"));
    let sizes = "'fields' config must have the same number of elements as 'headers' config.";
    refused(Some("h"), Some("f, g"), copy, sizes);
}
