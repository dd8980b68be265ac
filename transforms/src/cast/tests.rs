use record::{Kind, Schema, SchemaBuilder, Value, ValueRef};

use super::convert::{Wrong, convert, keeps, kind_of};
use super::*;

const ALL: [Target; 8] = [
    Target::Int8,
    Target::Int16,
    Target::Int32,
    Target::Int64,
    Target::Float32,
    Target::Float64,
    Target::Boolean,
    Target::String,
];

fn of(kind: Kind) -> SchemaBuilder {
    Schema::of(kind)
}

fn logical(kind: Kind, name: &str) -> SchemaBuilder {
    of(kind).named(&format!("org.apache.kafka.connect.data.{name}"), Some(1))
}

/// The value in all eight types, in the order of [`ALL`], as Kafka Connect's own class gives them.
#[track_caller]
fn check(schema: SchemaBuilder, value: &Value, expect: [Result<Value, Wrong>; 8]) {
    let schema = schema.build();
    for (target, expect) in ALL.into_iter().zip(expect) {
        assert_eq!(convert(&ValueRef::Shared(value), &schema, target), expect, "{value:?} to {target:?}");
        if keeps(&schema, target) {
            assert_eq!(expect.as_ref(), Ok(value), "{target:?} keeps it");
        }
        assert_eq!(convert(&ValueRef::Null, &schema, target), Ok(Value::Null));
    }
}

fn numbers(ints: [i64; 4], float: f32, double: f64, truth: bool, text: &str) -> [Result<Value, Wrong>; 8] {
    let [a, b, c, d] = ints.map(Value::Int);
    [a, b, c, d, Value::Float(float), Value::Double(double), Value::Bool(truth), Value::text(text)].map(Ok)
}

#[test]
fn integers() {
    check(of(Kind::Int32), &Value::Int(300), numbers([44, 300, 300, 300], 300.0, 300.0, true, "300"));
    check(of(Kind::Int8), &Value::Int(-1), numbers([-1; 4], -1.0, -1.0, true, "-1"));
    check(of(Kind::Int16), &Value::Int(0), numbers([0; 4], 0.0, 0.0, false, "0"));
    let large = Value::Int(9_007_199_254_740_993);
    let expect =
        numbers([1, 1, 1, 9_007_199_254_740_993], 9.007_199e15, 9_007_199_254_740_992.0, true, "9007199254740993");
    check(of(Kind::Int64), &large, expect);
}

#[test]
fn floating_point() {
    check(of(Kind::Float64), &Value::Double(-2.9), numbers([-2; 4], -2.9, -2.9, true, "-2.9"));
    check(of(Kind::Float64), &Value::Double(0.5), numbers([0; 4], 0.5, 0.5, false, "0.5"));
    let (int, long) = (i64::from(i32::MAX), 3_000_000_000);
    check(of(Kind::Float64), &Value::Double(3e9), numbers([-1, -1, int, long], 3e9, 3e9, true, "3.0E9"));
    let huge = numbers([-1, -1, int, i64::MAX], f32::INFINITY, 1e300, true, "1.0E300");
    check(of(Kind::Float64), &Value::Double(1e300), huge);
    check(of(Kind::Float32), &Value::Float(1.5), numbers([1; 4], 1.5, 1.5, true, "1.5"));
    let schema = of(Kind::Float64).build();
    assert_eq!(convert(&ValueRef::Double(f64::NAN), &schema, Target::Int64), Ok(Value::Int(0)));
    assert_eq!(convert(&ValueRef::Double(f64::NAN), &schema, Target::String), Ok(Value::text("NaN")));
}

#[test]
fn booleans_and_texts() {
    check(of(Kind::Bool), &Value::Bool(true), numbers([1; 4], 1.0, 1.0, true, "true"));
    check(of(Kind::Bool), &Value::Bool(false), numbers([0; 4], 0.0, 0.0, false, "false"));
    check(of(Kind::String), &Value::text("+12"), numbers([12; 4], 12.0, 12.0, false, "+12"));
    let text = |text: &str| Ok(Value::text(text));
    let range = Err(Wrong::Range);
    for (given, ints, real, truth) in [
        ("1.25", [None; 4], Some(1.25), false),
        (" 8 ", [None; 4], Some(8.0), false),
        ("1e3", [None; 4], Some(1000.0), false),
        ("300", [None, Some(300), Some(300), Some(300)], Some(300.0), false),
        ("TRUE", [None; 4], None, true),
        ("", [None; 4], None, false),
    ] {
        let ints = ints.map(|int: Option<i64>| int.map(Value::Int).ok_or(Wrong::Range));
        let float = real.map(|real| Value::Float(real as f32)).ok_or(Wrong::Range);
        let double = real.map(Value::Double).ok_or(Wrong::Range);
        let rest = [float, double, Ok(Value::Bool(truth)), text(given)];
        let mut all = ints.into_iter().chain(rest);
        check(of(Kind::String), &Value::text(given), std::array::from_fn(|_| all.next().unwrap()));
    }
    assert_eq!(convert(&ValueRef::Text("x"), &of(Kind::String).build(), Target::Int8), range);
    let zoned = ValueRef::Zoned { micros: 0, digits: 0 };
    assert_eq!(convert(&zoned, &of(Kind::String).build(), Target::String), text("1970-01-01T00:00:00Z"));
}

#[test]
fn bytes_and_decimals() {
    let class = Err(Wrong::Class);
    let only_text = |text: &str| {
        let no = || class.clone();
        [no(), no(), no(), no(), no(), no(), no(), Ok(Value::text(text))]
    };
    check(of(Kind::Bytes), &Value::Bytes(vec![1, 2, 255]), only_text("AQL/"));
    assert_eq!(convert(&ValueRef::Hex(b"0102ff"), &of(Kind::Bytes).build(), Target::String), Ok(Value::text("AQL/")));
    let decimal = |unscaled: i128, scale| Value::Decimal { unscaled: record::twos_complement(unscaled), scale };
    let schema = || logical(Kind::Bytes, "Decimal").parameter("scale", "2");
    check(schema(), &decimal(30_099, 2), numbers([44, 300, 300, 300], 300.99, 300.99, true, "300.99"));
    check(schema(), &decimal(-1, 2), numbers([0; 4], -0.01, -0.01, false, "-0.01"));
    check(schema(), &decimal(0, 10), numbers([0; 4], 0.0, 0.0, false, "0E-10"));
    let long = "99999999999999999999.00";
    let low = 7_766_279_631_452_241_919_i64;
    let ints = [i64::from(low as i8), i64::from(low as i16), i64::from(low as i32), low];
    check(schema(), &decimal(9_999_999_999_999_999_999_900, 2), numbers(ints, 1e20, 1e20, true, long));
    let cell = ValueRef::Decimal { unscaled: 150, scale: 2 };
    assert_eq!(convert(&cell, &schema().build(), Target::Float64), Ok(Value::Double(1.5)));
}

/// Connect's own dates and times are texts in the form that fits the value, and numbers as they are held.
#[test]
fn dates() {
    let text = |kind, name: &str, number| {
        convert(&ValueRef::Int(number), &logical(kind, name).build(), Target::String).map(|value| format!("{value:?}"))
    };
    for (kind, name, number, expect) in [
        (Kind::Int32, "Date", 19_724, "2024-01-02"),
        (Kind::Int32, "Date", 0, "00:00:00.000Z"),
        (Kind::Int32, "Date", -1, "00:00:00.000Z"),
        (Kind::Int32, "Time", 3_600_001, "01:00:00.001Z"),
        (Kind::Int64, "Timestamp", 1_704_164_645_678, "2024-01-02T03:04:05.678Z"),
        (Kind::Int64, "Timestamp", 1_704_153_600_000, "2024-01-02"),
        (Kind::Int64, "Timestamp", -1, "23:59:59.999Z"),
    ] {
        assert_eq!(text(kind, name, number), Ok(format!("Text({expect:?})")), "{name} {number}");
    }
    let days = logical(Kind::Int32, "Date").build();
    assert_eq!(convert(&ValueRef::Int(19_724), &days, Target::Int8), Ok(Value::Int(12)));
    assert_eq!(convert(&ValueRef::Int(19_724), &days, Target::Float64), Ok(Value::Double(19_724.0)));
}

#[test]
fn collections_cannot_be_cast() {
    let of_ints = Kind::Array(of(Kind::Int32).build());
    for (kind, value) in [(of_ints, Value::Array(vec![])), (Kind::Struct(vec![]), Value::Struct(vec![]))] {
        for target in ALL {
            let found = convert(&ValueRef::Shared(&value), &of(kind.clone()).build(), target);
            assert_eq!(found, Err(Wrong::Type));
            assert!(!keeps(&of(kind.clone()).build(), target));
        }
    }
    assert!(matches!(kind_of(Target::Boolean), Kind::Bool));
}

#[test]
fn records() {
    let class = "org.apache.kafka.connect.transforms.Cast$Value";
    crate::example::check(
        class,
        r#"{"spec": "a:string,raw:int8,s:string"}
        {"topic": "t", "types": {"raw": "bytes?"}, "value": {"a": null, "raw": null, "s": {"b": 1}}}
        => fails: Cast transformation does not support casting from STRUCT; supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]
        {"topic": "t", "types": {"raw": "bytes?", "a": "int16?=7"}, "value": {"a": null, "raw": null, "s": "x"}}
        => {"value": {"a": "7", "raw": null, "s": "x"}, "types": {"value.a": "string?=\"7\"", "value.raw": "int8?"}}
        {"topic": "t", "types": {"raw": "bytes?"}, "value": {"a": null, "raw": "x", "s": "x"}}
        => fails: Unexpected type in Cast transformation: class java.nio.HeapByteBuffer
        {"topic": "t", "value": "text"}
        => fails: Cannot list fields on non-struct type"#,
    );
    // The whole value keeps the name of its schema; a field does not.
    crate::example::check(
        "org.apache.kafka.connect.transforms.Cast$Key",
        r#"{"spec": "int64"}
        {"topic": "t", "types": {"key": "int32 io.debezium.time.Date"}, "key": 19724, "value": {"id": 1}}
        => {"types": {"key": "int64 io.debezium.time.Date"}}
        {"topic": "t", "key": "x", "value": {"id": 1}}
        => fails: Value (of the whole key) was out of range for requested data type
        {"topic": "t", "key": {"id": 1}, "value": {"id": 1}}
        => fails: Cast transformation does not support casting from STRUCT; supported types are [INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]"#,
    );
}
