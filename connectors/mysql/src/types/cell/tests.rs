//! Bytes to values, for every type in every form. The bytes of the binlog were worked out from the manual's description of
//! the row events.

use proptest::prelude::*;
use relational::values::TimeMode;

use super::*;
use crate::Flavour;
use crate::binlog::{WireColumn, wire_type as kind};
use crate::model::Column;
use crate::types::form::fits;
use crate::types::plan::tests::modes;
use crate::types::sample::{column, table};
use crate::types::{BigintUnsignedMode, Modes, plan};

fn text(text: &str) -> Value {
    Value::text(text)
}

fn log(kind: u8) -> Form {
    Form::Log(WireColumn { kind, metadata: 0 })
}

fn with(kind: u8, metadata: u16) -> Form {
    Form::Log(WireColumn { kind, metadata })
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "cases are written in place")]
fn check_column(modes: &Modes, column: &Column, form: Form, raw: &[u8], expect: Value) {
    let planned = plan(&table(), column, Flavour::MySql, modes).unwrap();
    if let Form::Log(log) = form {
        assert!(fits(log, &planned.cell), "{} {log:?}", column.type_name);
    }
    let found = planned.cell.read(form, raw).map(|value| value.to_value());
    assert_eq!(found, Ok(expect), "{} {form:?} {raw:02x?}", column.type_name);
}

#[track_caller]
fn check(definition: &str, form: Form, raw: &[u8], expect: Value) {
    check_column(&modes(), &column(definition), form, raw, expect);
}

#[track_caller]
fn check_fault(definition: &str, form: Form, raw: &[u8]) {
    let planned = plan(&table(), &column(definition), Flavour::MySql, &modes()).unwrap();
    let found = planned.cell.read(form, raw).map(|value| value.to_value());
    assert!(found.is_err(), "{definition} {form:?} {raw:02x?}: {found:?}");
}

#[test]
fn numbers() {
    for (definition, form, raw, expect) in [
        ("TINYINT", log(kind::TINY), &[0x80][..], Value::Int(-128)),
        ("TINYINT UNSIGNED", log(kind::TINY), &[0xff], Value::Int(255)),
        ("SMALLINT UNSIGNED", log(kind::SHORT), &[0xff, 0xff], Value::Int(65_535)),
        ("MEDIUMINT", log(kind::INT24), &[0, 0, 0x80], Value::Int(-8_388_608)),
        ("MEDIUMINT UNSIGNED", log(kind::INT24), &[0xff, 0xff, 0xff], Value::Int(16_777_215)),
        ("MEDIUMINT", Form::Binary, &[0, 0, 0x80, 0xff], Value::Int(-8_388_608)),
        ("INT UNSIGNED", log(kind::LONG), &[0xff; 4], Value::Int(4_294_967_295)),
        ("BIGINT UNSIGNED", log(kind::LONGLONG), &[0xff; 8], Value::Int(-1)),
        ("BIGINT UNSIGNED", Form::Text, b"18446744073709551615", Value::Int(-1)),
        ("INT(5) UNSIGNED ZEROFILL", Form::Text, b"00042", Value::Int(42)),
        ("BOOLEAN", log(kind::TINY), &[2], Value::Bool(true)),
        ("BOOLEAN", log(kind::TINY), &[0xff], Value::Bool(true)),
        ("BOOLEAN", Form::Text, b"0", Value::Bool(false)),
        ("FLOAT", log(kind::FLOAT), &16_777_216_f32.to_le_bytes(), Value::Float(16_777_216.0)),
        ("FLOAT(7,3)", log(kind::FLOAT), &2.142_f32.to_le_bytes(), Value::Double(2.141_999_959_945_678_7)),
        ("FLOAT(7,3)", Form::Text, b"2.142", Value::Double(2.141_999_959_945_678_7)),
        ("FLOAT(53)", log(kind::DOUBLE), &0.1_f64.to_le_bytes(), Value::Double(0.1)),
        ("FLOAT4", log(kind::FLOAT), &0.1_f32.to_le_bytes(), Value::Double(0.100_000_001_490_116_12)),
        ("DOUBLE", Form::Text, b"1.7976931348623157e308", Value::Double(f64::MAX)),
        (
            "DECIMAL(10,2)",
            Form::Text,
            b"-12345678.91",
            Value::Decimal { unscaled: vec![0xb6, 0x69, 0xfd, 0x2d], scale: 2 },
        ),
        (
            "DECIMAL(5,2)",
            with(kind::NEWDECIMAL, 0x0502),
            &[0x80, 1, 50],
            Value::Decimal { unscaled: vec![0, 150], scale: 2 },
        ),
        ("BIT(1)", with(kind::BIT, 0x0001), &[1], Value::Bool(true)),
        ("BIT(10)", with(kind::BIT, 0x0102), &[0x01, 0x01], Value::Bytes(vec![1, 1])),
        ("BIT(33)", Form::Text, &[1, 0, 0, 0, 0], Value::Bytes(vec![0, 0, 0, 0, 1])),
        ("YEAR", log(kind::YEAR), &[124], Value::Int(2024)),
        ("YEAR", log(kind::YEAR), &[0], Value::Int(1900)),
        ("YEAR", Form::Text, b"0000", Value::Int(2000)),
        ("YEAR", Form::Binary, &[0x6d, 7], Value::Int(1901)),
    ] {
        check(definition, form, raw, expect);
    }
    let precise = Modes { bigint_unsigned: BigintUnsignedMode::Precise, ..modes() };
    let most = Value::Decimal { unscaled: [&[0][..], &[0xff; 8]].concat(), scale: 0 };
    check_column(&precise, &column("BIGINT UNSIGNED"), log(kind::LONGLONG), &[0xff; 8], most.clone());
    check_column(&precise, &column("BIGINT UNSIGNED"), Form::Text, b"18446744073709551615", most);
    check_column(&Modes { adjusts_years: false, ..modes() }, &column("YEAR"), Form::Text, b"0000", Value::Int(0));
}

#[test]
fn texts() {
    let of_set = |set: &str| Column { charset: Some(set.into()), ..column("VARCHAR(20)") };
    for (set, raw, expect) in [
        ("latin1", &b"h\xe9\x80"[..], "hé€"),
        ("utf8mb4", "😀".as_bytes(), "😀"),
        ("sjis", b"\x83J", "カ"),
        ("binary", b"\xe9", "é"),
        ("nonsense", "ü".as_bytes(), "ü"),
    ] {
        check_column(&modes(), &of_set(set), log(kind::VARCHAR), raw, text(expect));
        // A query's result is in UTF-8 whatever the column's set is.
        check_column(&modes(), &of_set(set), Form::Text, expect.as_bytes(), text(expect));
        check_column(&modes(), &of_set(set), Form::Binary, expect.as_bytes(), text(expect));
    }
    check("CHAR(4)", with(kind::STRING, 16), b"ab", text("ab"));
    check("LONGTEXT", log(kind::BLOB), b"", text(""));
    check("TEXT", with(kind::BLOB_COMPRESSED, 2), b"\0abc", text("abc"));
    check("VARCHAR(9)", log(kind::VARCHAR_COMPRESSED), b"", text(""));
}

#[test]
fn bytes() {
    check("BINARY(8)", with(kind::STRING, 8), &[1, 2], Value::Bytes(vec![1, 2, 0, 0, 0, 0, 0, 0]));
    check("BINARY(2)", with(kind::STRING, 2), &[], Value::Bytes(vec![0, 0]));
    check("VARBINARY(8)", log(kind::VARCHAR), &[1, 0], Value::Bytes(vec![1, 0]));
    check("BLOB", log(kind::BLOB), &[], Value::Bytes(vec![]));
    for (mode, expect) in
        [(BinaryMode::Base64, "++8AAA=="), (BinaryMode::Base64UrlSafe, "--8AAA=="), (BinaryMode::Hex, "fbef0000")]
    {
        let modes = Modes { binary: mode, ..modes() };
        check_column(&modes, &column("BINARY(4)"), log(kind::STRING), &[0xfb, 0xef], text(expect));
    }
}

#[test]
fn labels() {
    let of_enum = with(kind::ENUM, 1);
    check("ENUM('small','it''s')", of_enum, &[2], text("it's"));
    check("ENUM('small','it''s')", of_enum, &[0], text(""));
    check("ENUM('small','it''s')", Form::Text, b"small", text("small"));
    check_fault("ENUM('small','it''s')", of_enum, &[3]);
    check_fault("ENUM('small','it''s')", of_enum, &[]);
    let of_set = with(kind::SET, 1);
    check("SET('a','b','c')", of_set, &[5], text("a,c"));
    check("SET('a','b','c')", of_set, &[0], text(""));
    check("SET('a','b','c')", Form::Text, b"a,c", text("a,c"));
    check_fault("SET('a','b','c')", of_set, &[8]);
}

#[test]
fn json() {
    check("JSON", log(kind::JSON), b"\x04\x01", text("true"));
    check("JSON", log(kind::JSON), b"", Value::Null);
    check("JSON", Form::Text, b"{\"a\": 1}", text("{\"a\": 1}"));
    check_fault("JSON", log(kind::JSON), b"\xff");
    let of_maria = plan(&table(), &column("JSON"), Flavour::MariaDb, &modes()).unwrap();
    let read = of_maria.cell.read(log(kind::BLOB), b"{\"x\":1.0}").unwrap().to_value();
    assert_eq!(read, text("{\"x\":1.0}"));
}

#[test]
fn dates_and_times() {
    let late = [0x99, 0xb2, 0xbb, 0x7e, 0xfb];
    for (definition, form, raw, expect) in [
        ("DATE", log(kind::DATE), &[0x5d, 0xd0, 0x0f][..], Value::Int(19_782)),
        ("DATE", Form::Text, b"0000-00-00", Value::Null),
        ("DATETIME", log(kind::DATETIME2), &late, Value::Int(1_709_251_199_000)),
        ("DATETIME(3)", with(kind::DATETIME2, 3), &[&late[..], &[0x26, 0x8e]].concat(), Value::Int(1_709_251_199_987)),
        ("DATETIME(6)", Form::Text, b"9999-12-31 23:59:59.999999", Value::Int(253_402_300_799_999_999)),
        ("DATETIME", Form::Text, b"2020-01-00 00:00:00", Value::Null),
        ("TIME", log(kind::TIME2), &[0x80, 0xc8, 0xb8], Value::Int(45_296_000_000)),
        ("TIME", Form::Text, b"-838:59:59", Value::Int(-3_020_399_000_000)),
        ("TIMESTAMP(3)", with(kind::TIMESTAMP2, 3), &[0, 0, 0, 1, 0x13, 0x88], text("1970-01-01T00:00:01.500Z")),
        ("TIMESTAMP(3)", Form::Text, b"1970-01-01 00:00:01.500", text("1970-01-01T00:00:01.5Z")),
        ("TIMESTAMP", log(kind::TIMESTAMP2), &[0, 0, 0, 1], text("1970-01-01T00:00:01Z")),
        ("TIMESTAMP", log(kind::TIMESTAMP2), &[0; 4], Value::Null),
        ("TIMESTAMP", Form::Text, b"0000-00-00 00:00:00", Value::Null),
    ] {
        check(definition, form, raw, expect);
    }
}

#[test]
fn zero_timestamps_of_mariadb() {
    let read = |definition: &str, form, raw: &[u8]| {
        let planned = plan(&table(), &column(definition), Flavour::MariaDb, &modes()).unwrap();
        planned.cell.read(form, raw).map(|value| value.to_value())
    };
    for (definition, form, raw, expect) in [
        ("TIMESTAMP", log(kind::TIMESTAMP2), &[0; 4][..], text("1970-01-01T00:00:00Z")),
        ("TIMESTAMP(6)", with(kind::TIMESTAMP2, 6), &[0; 7], text("1970-01-01T00:00:00.000000Z")),
        ("TIMESTAMP", Form::Text, b"0000-00-00 00:00:00", Value::Null),
        ("TIMESTAMP", Form::Binary, b"", Value::Null),
        ("DATETIME", log(kind::DATETIME2), &[0x80, 0, 0, 0, 0], Value::Null),
    ] {
        assert_eq!(read(definition, form, raw), Ok(expect), "{definition} {form:?}");
    }
}

#[test]
fn times_by_mode() {
    let read = |time, definition: &str, raw: &str| {
        let planned = plan(&table(), &column(definition), Flavour::MySql, &Modes { time, ..modes() }).unwrap();
        planned.cell.read(Form::Text, raw.as_bytes()).map(|value| value.to_value())
    };
    assert_eq!(read(TimeMode::Connect, "TIME(6)", "12:34:56.789012"), Ok(Value::Int(45_296_789)));
    assert_eq!(read(TimeMode::Connect, "TIME", "24:00:00"), Ok(Value::Int(86_400_000)));
    assert_eq!(read(TimeMode::Isostring, "TIME(3)", "12:34:56.780"), Ok(text("12:34:56.78Z")));
    for out_of_day in ["-00:00:01", "24:00:01", "-838:59:59"] {
        assert!(read(TimeMode::Connect, "TIME", out_of_day).is_err(), "{out_of_day}");
        assert!(read(TimeMode::Isostring, "TIME", out_of_day).is_err(), "{out_of_day}");
        assert!(read(TimeMode::Nanoseconds, "TIME", out_of_day).is_ok(), "{out_of_day}");
    }
    assert_eq!(read(TimeMode::Isostring, "DATE", "2024-02-29"), Ok(text("2024-02-29Z")));
    assert_eq!(read(TimeMode::Isostring, "DATETIME", "2024-02-29 10:00:00"), Ok(text("2024-02-29T10:00:00Z")));
    assert_eq!(read(TimeMode::Connect, "DATETIME(6)", "1969-12-31 23:59:59.999999"), Ok(Value::Int(-1)));
    assert!(read(TimeMode::Nanoseconds, "DATETIME", "9999-12-31 23:59:59").is_err());
}

#[test]
fn structures() {
    let point = [&[0, 0, 0, 0, 1, 1, 0, 0, 0][..], &1.5_f64.to_le_bytes(), &(-2.0_f64).to_le_bytes()].concat();
    for form in [log(kind::GEOMETRY), Form::Text, Form::Binary] {
        let wkb = Value::Bytes(point[4..].to_vec());
        check(
            "POINT",
            form,
            &point,
            Value::Struct(vec![Value::Double(1.5), Value::Double(-2.0), wkb.clone(), Value::Null]),
        );
        check("GEOMETRY", form, &point, Value::Struct(vec![wkb, Value::Null]));
    }
    check_fault("POINT", log(kind::GEOMETRY), &[0; 9]);
    check("VECTOR(1)", log(kind::VECTOR), &1_f32.to_le_bytes(), Value::Array(vec![Value::Float(1.0)]));
}

#[test]
fn types_of_the_log_that_are_not_the_columns() {
    for (definition, kind) in [
        ("INT", kind::VARCHAR),
        ("VARCHAR(5)", kind::LONG),
        ("DATE", kind::DATETIME2),
        ("DECIMAL(5,2)", kind::DOUBLE),
        ("JSON", kind::BLOB),
        ("FLOAT", kind::DOUBLE),
    ] {
        let planned = plan(&table(), &column(definition), Flavour::MySql, &modes()).unwrap();
        assert!(!fits(WireColumn { kind, metadata: 0 }, &planned.cell), "{definition} {kind}");
    }
}

#[test]
fn fallbacks_for_null() {
    let zero = |definition: &str, time| {
        let planned = plan(&table(), &column(definition), Flavour::MySql, &Modes { time, ..modes() }).unwrap();
        let schema = planned.schema.build();
        planned.cell.fallback(&schema)
    };
    for (definition, plain, iso) in [
        ("INT", Value::Int(0), Value::Int(0)),
        ("BOOL", Value::Bool(false), Value::Bool(false)),
        ("VARCHAR(3)", text(""), text("")),
        ("ENUM('a')", text(""), text("")),
        ("BLOB", Value::Bytes(vec![]), Value::Bytes(vec![])),
        ("DATE", Value::Int(0), text("1970-01-01Z")),
        ("DATETIME", Value::Int(0), text("1970-01-01T00:00:00Z")),
        ("TIME", Value::Int(0), text("00:00:00Z")),
        ("TIMESTAMP(3)", text("1970-01-01T00:00:00Z"), text("1970-01-01T00:00:00Z")),
        ("YEAR", Value::Int(0), Value::Int(0)),
        ("JSON", text("{}"), text("{}")),
        ("DOUBLE", Value::Double(0.0), Value::Double(0.0)),
        (
            "DECIMAL(5,2)",
            Value::Decimal { unscaled: vec![0], scale: 2 },
            Value::Decimal { unscaled: vec![0], scale: 2 },
        ),
        ("GEOMETRY", empty_geometry(), empty_geometry()),
        ("VECTOR(2)", Value::Array(vec![]), Value::Array(vec![])),
    ] {
        assert_eq!(zero(definition, TimeMode::AdaptiveTimeMicroseconds), plain, "{definition}");
        assert_eq!(zero(definition, TimeMode::Isostring), iso, "{definition}");
    }
}

const EVERY_TYPE: &[&str] = &[
    "BOOL",
    "TINYINT",
    "BIGINT UNSIGNED",
    "FLOAT",
    "DOUBLE",
    "DECIMAL(10,2)",
    "BIT",
    "BIT(9)",
    "YEAR",
    "VARCHAR(3)",
    "BINARY(4)",
    "BLOB",
    "ENUM('a','b')",
    "SET('a','b')",
    "JSON",
    "DATE",
    "TIME(6)",
    "DATETIME(6)",
    "TIMESTAMP(6)",
    "POINT",
    "GEOMETRY",
    "VECTOR(3)",
    "UUID",
    "INET4",
    "INET6",
];

proptest! {
    /// Whatever bytes arrive in whatever form: a value or a fault.
    #[test]
    fn hostile_bytes_do_not_panic(
        raw in proptest::collection::vec(any::<u8>(), 0..30),
        kind in any::<u8>(),
        meta in any::<u16>(),
    ) {
        for definition in EVERY_TYPE {
            let cell = plan(&table(), &column(definition), Flavour::MariaDb, &modes()).unwrap().cell;
            for form in [Form::Text, Form::Binary, Form::Log(WireColumn { kind, metadata: meta })] {
                let _ = cell.read(form, &raw);
            }
        }
    }

    /// A value fits the schema that was planned for it.
    #[test]
    fn texts_of_numbers_fit(n in any::<i64>()) {
        let planned = plan(&table(), &column("BIGINT"), Flavour::MySql, &modes()).unwrap();
        let (raw, packed) = (n.to_string(), n.to_le_bytes());
        prop_assert_eq!(planned.cell.read(Form::Text, raw.as_bytes()), Ok(ValueRef::Int(n)));
        prop_assert_eq!(planned.cell.read(log(kind::LONGLONG), &packed), Ok(ValueRef::Int(n)));
    }
}
