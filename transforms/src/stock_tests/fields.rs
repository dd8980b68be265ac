//! Oddities of the transforms of fields.

use super::PACKAGE;

/// Runs examples; `name` is the class without its package.
#[track_caller]
fn check(name: &str, example: &str) {
    crate::example::check(&format!("{PACKAGE}{name}"), example);
}

/// Each transform that copies a struct makes a null its default, unless `replace.null.with.default` is false.
#[test]
fn nulls_and_defaults() {
    const GIVEN: &str =
        r#"{"topic": "t", "types": {"n": "int32?=5", "v": "string?"}, "value": {"id": 1, "n": null, "v": null}}"#;
    for (name, options, filled, kept) in [
        ("ReplaceField$Value", r#""exclude": "v""#, r#"{"id": 1, "n": 5}"#, r#"{"id": 1, "n": null}"#),
        ("ExtractField$Value", r#""field": "n""#, "5", "null"),
        (
            "InsertField$Value",
            r#""static.field": "s", "static.value": "x""#,
            r#"{"id": 1, "n": 5, "v": null, "s": "x"}"#,
            r#"{"id": 1, "n": null, "v": null, "s": "x"}"#,
        ),
        // A default is masked as any value is.
        (
            "MaskField$Value",
            r#""fields": "n""#,
            r#"{"id": 1, "n": 0, "v": null}"#,
            r#"{"id": 1, "n": null, "v": null}"#,
        ),
        (
            "Cast$Value",
            r#""spec": "n:string""#,
            r#"{"id": 1, "n": "5", "v": null}"#,
            r#"{"id": 1, "n": null, "v": null}"#,
        ),
        (
            "SetSchemaMetadata$Value",
            r#""schema.name": "x""#,
            r#"{"id": 1, "n": 5, "v": null}"#,
            r#"{"id": 1, "n": null, "v": null}"#,
        ),
        (
            "TimestampConverter$Value",
            r#""field": "v", "target.type": "string", "format": "yyyy""#,
            r#"{"id": 1, "n": 5, "v": null}"#,
            r#"{"id": 1, "n": null, "v": null}"#,
        ),
    ] {
        check(name, &format!("{{{options}}} {GIVEN} => {{\"value\": {filled}}}"));
        check(
            name,
            &format!("{{{options}, \"replace.null.with.default\": \"FALSE\"}} {GIVEN} => {{\"value\": {kept}}}"),
        );
    }
    let key = |more: &str, key: &str| {
        check("ValueToKey", &format!("{{\"fields\": \"n\"{more}}} {GIVEN} => {{\"key\": {{\"n\": {key}}}}}"));
    };
    key("", "5");
    key(r#", "replace.null.with.default": "false""#, "null");
    let header = |more: &str, value: &str| {
        let options = format!(r#"{{"fields": "n", "headers": "h", "operation": "copy"{more}}}"#);
        check("HeaderFrom$Value", &format!("{options} {GIVEN} => {{\"headers\": [[\"h\", {value}]]}}"));
    };
    header("", "5");
    header(r#", "replace.null.with.default": "false""#, "null");
}

#[test]
fn replaced_fields() {
    check(
        "ReplaceField$Value",
        r#"{"include": "b,a", "exclude": "b", "renames": "a:b"}
        {"topic": "t", "value": {"id": 1, "a": 2, "b": 3}}
        => {"value": {"b": 2}, "types": {"value": "struct t.Value"}}"#,
    );
    check(
        "ReplaceField$Value",
        r#"{"renames": "a:b,b:a"} {"topic": "t", "value": {"a": 2, "b": 3}} => {"value": {"b": 2, "a": 3}}"#,
    );
    check(
        "ReplaceField$Value",
        r#"{"renames": "a:b"}
        {"topic": "t", "value": {"a": 2, "b": 3}}
        => fails: Cannot create field because of field name duplication b
        {"topic": "t", "value": {"b": 3}}
        => fails: a is not a valid field name"#,
    );
    // The old options hide nothing.
    check("ReplaceField$Value", r#"{"blacklist": "a"} {"topic": "t", "value": {"a": 2}} => {}"#);
    check(
        "ReplaceField$Key",
        r#"{"exclude": "a"} {"topic": "t", "key": "text", "value": {"a": 2}}
        => fails: Only Struct objects supported for [field replacement], found: java.lang.String"#,
    );
}

#[test]
fn extracted_fields() {
    check(
        "ExtractField$Value",
        r#"{"field": "a.b", "field.syntax.version": "v2"}
        {"topic": "t", "types": {"a.b": "int16?=7"}, "value": {"id": 1, "a": {"b": null}}}
        => {"value": 7, "types": {"value": "int16?=7"}}
        {"topic": "t", "types": {"a.b": "int16?=7"}, "value": {"id": 1, "a": null}}
        => fails: Cannot look up fields on non-struct type
        {"topic": "t", "value": {"id": 1, "a": {"c": 1}}}
        => fails: Unknown field: a.b"#,
    );
    check(
        "ExtractField$Value",
        r#"{"field": "a.b"} {"topic": "t", "value": {"a": {"b": 1}, "a.b": 2}} => {"value": 2}"#,
    );
    check(
        "ExtractField$Value",
        r#"{"field": "after"}
        {"topic": "s.p.t", "value": {"op": "c", "after": {"id": 1, "v": "x"}}}
        => {"value": {"id": 1, "v": "x"}, "types": {"value": "struct? s.p.t.Value"}}
        {"topic": "s.p.t", "value": {"op": "d", "before": {"id": 1, "v": "x"}}}
        => {"value": null, "types": {"value": "struct? s.p.t.Value"}}"#,
    );
}

#[test]
fn inserted_fields() {
    check(
        "InsertField$Value",
        r#"{"partition.field": "p!", "timestamp.field": "ts!", "topic.field": "tp?", "static.field": "s!", "static.value": "x"}
        {"topic": "t", "partition": 3, "timestamp": 17, "value": {"id": 1}}
        => {"value": {"id": 1, "tp": "t", "p": 3, "ts": 17, "s": "x"},
            "types": {"value.p": "int32", "value.ts": "int64 org.apache.kafka.connect.data.Timestamp", "value.s": "string"}}
        {"topic": "u", "partition": 4, "timestamp": 18, "value": {"id": 1}}
        => {"value": {"id": 1, "tp": "u", "p": 4, "ts": 18, "s": "x"}}
        {"topic": "t", "partition": 5, "value": {"id": 1}}
        => {"value": {"id": 1, "tp": "t", "p": 5, "ts": null, "s": "x"}}
        {"topic": "t", "value": {"id": 1}}
        => {"value": {"id": 1, "tp": "t", "p": null, "ts": null, "s": "x"}}"#,
    );
    check(
        "InsertField$Value",
        r#"{"offset.field": "o"} {"topic": "t", "value": {"id": 1}}
        => fails: Only SinkRecord supported for [field insertion], found: org.apache.kafka.connect.source.SourceRecord"#,
    );
    check(
        "InsertField$Value",
        r#"{"topic.field": "!"} {"topic": "t", "value": {"id": 1}} => fails: fieldName cannot be null."#,
    );
    check("InsertField$Key", r#"{"topic.field": "x"} {"topic": "t", "value": {"id": 1}} => {}"#);
}

#[test]
fn masked_fields() {
    check(
        "MaskField$Value",
        r#"{"fields": "b,i8,f,d,s,l,m,dec,day"}
        {"topic": "t", "types": {"i8": "int8?", "f": "float32?", "m": "map<string,int32?>?", "dec": "decimal(0)?",
          "day": "int32? org.apache.kafka.connect.data.Date", "l": "array<int32?>?"},
         "value": {"b": true, "i8": 5, "f": 1.5, "d": 2.5, "s": "x", "l": [1], "m": {"k": 1}, "dec": "7", "day": 19724}}
        => {"value": {"b": false, "i8": 0, "f": 0.0, "d": 0.0, "s": "", "l": [], "m": {}, "dec": "0", "day": 0}}"#,
    );
    // The scale is 0, which does not fit the schema: the converter refuses the record, as in Connect.
    check(
        "MaskField$Value",
        r#"{"fields": "dec"} {"topic": "t", "types": {"dec": "decimal(2)?"}, "value": {"dec": "7.00"}} => {"value": {"dec": "0"}}"#,
    );
    check(
        "MaskField$Value",
        r#"{"fields": "raw"}
        {"topic": "t", "types": {"raw": "bytes?"}, "value": {"raw": "x"}}
        => fails: Cannot mask value of type: class java.nio.HeapByteBuffer
        {"topic": "t", "types": {"raw": "bytes?"}, "value": {"raw": null}}
        => {}
        {"topic": "t", "value": {"raw": {"a": 1}}}
        => fails: Cannot mask value of type: class org.apache.kafka.connect.data.Struct"#,
    );
    check(
        "MaskField$Value",
        r#"{"fields": "n,dec,s", "replacement": "300"}
        {"topic": "t", "types": {"n": "int8?", "dec": "decimal(2)?"}, "value": {"n": 1, "dec": "1.50", "s": "x"}}
        => {"value": {"n": 44, "dec": "300", "s": "300"}}"#,
    );
    check(
        "MaskField$Value",
        r#"{"fields": "x", "replacement": "***"}
        {"topic": "t", "value": {"x": 1}}
        => fails: Unable to convert *** (class java.lang.String) to a number
        {"topic": "t", "types": {"x": "decimal(1)?"}, "value": {"x": "1.0"}}
        => fails: Unable to convert *** (class java.lang.String) to number
        {"topic": "t", "value": {"x": true}}
        => fails: Cannot mask value of type class java.lang.Boolean with custom replacement.
        {"topic": "t", "value": {"x": [1]}}
        => fails: Cannot mask value of type class java.util.ArrayList with custom replacement.
        {"topic": "t", "types": {"x": "int32 org.apache.kafka.connect.data.Time"}, "value": {"x": 1}}
        => fails: Cannot mask value of type class java.util.Date with custom replacement."#,
    );
}

#[test]
fn flattened_fields() {
    check(
        "Flatten$Value",
        r#"{}
        {"topic": "t", "types": {"a": "struct", "a.m": "map<string,string?>?"}, "value": {"id": 1, "a": {"m": null}}}
        => fails: Flatten transformation does not support MAP for record with schemas (for field a.m).
        {"topic": "t", "types": {"a": "struct", "a.n": "int32"}, "value": {"id": 1, "a": {"n": 1}}}
        => {"value": {"id": 1, "a.n": 1}, "types": {"value.a.n": "int32"}}
        {"topic": "t", "value": {"a.b": 1, "a": {"b": 2}}}
        => fails: Cannot create field because of field name duplication a.b"#,
    );
    // Of a row that is missing no field has its default, also if a transform before has computed it.
    check(
        "Flatten$Value",
        r#"{"transforms": "zone,x", "transforms.zone.type": "io.debezium.transforms.TimezoneConverter",
            "transforms.zone.converted.timezone": "+01:00"}
        {"topic": "t", "types": {"after.at": "int64?=3600005 io.debezium.time.Timestamp",
            "after.other": "int64?=3600005 io.debezium.time.Timestamp"},
          "value": {"op": "c", "before": null, "after": {"id": 1, "at": 3600000, "other": null}}}
        => {"value": {"before.at": null, "after.at": 0, "after.other": 5}}"#,
    );
}

#[test]
fn hoisted_values_and_keys() {
    check(
        "HoistField$Key",
        r#"{"field": "id"} {"topic": "t", "key": 7, "value": {"id": 7}}
        => {"key": {"id": 7}, "types": {"key": "struct", "key.id": "int32?"}}"#,
    );
}

/// Of a tombstone `HoistField` makes a map without a schema. It can be hoisted again, and its fields can be extracted.
#[test]
fn maps_without_a_schema() {
    let becomes = |chain: &str, last: &str, field: &str, expect: &str| {
        let hoists: Vec<String> = (["f", "g"].iter())
            .map(|name| {
                format!(r#""transforms.{name}.type": "{PACKAGE}HoistField$Value", "transforms.{name}.field": "{name}""#)
            })
            .collect();
        let options = format!(r#""transforms": "{chain}", {}, "field": "{field}""#, hoists.join(", "));
        check(last, &format!(r#"{{{options}}} {{"topic": "t", "value": null}} => {{"value": {expect}}}"#));
    };
    becomes("f,x", "HoistField$Value", "h", r#"{"h": {"f": null}}"#);
    becomes("f,x", "ExtractField$Value", "f", "null");
    becomes("f,x", "ExtractField$Value", "other", "null");
    becomes("f,g,x", "ExtractField$Value", "g", r#"{"f": null}"#);
}

#[test]
fn keys_of_values() {
    check(
        "ValueToKey",
        r#"{"fields": "op,source"}
        {"topic": "s.p.t", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}, "types": {}}
        => {"key": {"op": "c", "source": {"version": "3.6.1.Final", "connector": "postgresql", "name": "s",
            "ts_ms": 1700000000000, "snapshot": null, "db": "shop", "sequence": "[null,\"24023128\"]",
            "ts_us": 1700000000000000, "ts_ns": 1700000000000000000, "schema": "p", "table": "t", "txId": 555,
            "lsn": 24023128, "xmin": null}}, "types": {"key.source": "struct io.debezium.connector.postgresql.Source"}}"#,
    );
}

#[test]
fn headers_from_fields() {
    check(
        "HeaderFrom$Value",
        r#"{"fields": "a,a", "headers": "x,x", "operation": "move"}
        {"topic": "t", "headers": [["x", 1]], "value": {"id": 1, "a": null}}
        => {"value": {"id": 1}, "headers": [["x", 1], ["x", null], ["x", null]]}"#,
    );
}

/// The text that stands for a topic may itself hold `${timestamp}`, and a pattern that is wrong fails at each record.
#[test]
fn routes_by_time() {
    check(
        "TimestampRouter",
        r#"{"topic.format": "${timestamp}/${topic}/${topic}", "timestamp.format": "HH"}
        {"topic": "a${timestamp}", "timestamp": 3600000} => {"topic": "01/a01/a01"}"#,
    );
    check(
        "TimestampRouter",
        r#"{"timestamp.format": "b"} {"topic": "a", "timestamp": 0} => fails: Illegal pattern character 'b'"#,
    );
}
