use relational::values::{BinaryMode, TimeMode};

use super::*;
use crate::Flavour;
use crate::types::plan::tests::modes;
use crate::types::sample::{column, table};
use crate::types::{BigintUnsignedMode, Modes, plan};

#[track_caller]
fn found(modes: &Modes, column: &Column) -> Option<Value> {
    let planned = plan(&table(), column, Flavour::MySql, modes).unwrap();
    default(column, &planned.cell, &planned.schema.build())
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "cases are written in place")]
fn check_with(modes: &Modes, definition: &str, default: &str, expect: Option<Value>) {
    let column = Column { default: Some(default.into()), ..column(definition) };
    assert_eq!(found(modes, &column), expect, "{definition} DEFAULT {default}");
}

#[track_caller]
fn check(definition: &str, default: &str, expect: impl Into<Option<Value>>) {
    check_with(&modes(), definition, default, expect.into());
}

fn text(text: &str) -> Value {
    Value::text(text)
}

fn decimal(unscaled: &[u8], scale: i32) -> Value {
    Value::Decimal { unscaled: unscaled.to_vec(), scale }
}

#[test]
fn numbers() {
    check("TINYINT", "-5", Value::Int(-5));
    check("TINYINT(1)", "true", Value::Int(1));
    check("INT", "FALSE", Value::Int(0));
    check("INT", " 7 ", Value::Int(7));
    check("INT", "2.5", Value::Int(3));
    check("INT", "-2.5", Value::Int(-2));
    check("INT", "x", None);
    check("BIGINT", "9000000000", Value::Int(9_000_000_000));
    check("BIGINT", "9223372036854775806", Value::Int(i64::MAX - 1));
    check("BIGINT UNSIGNED", "18446744073709551615", Value::Int(i64::MAX));
    check("BOOLEAN", "false", Value::Bool(false));
    check("BOOLEAN", "2", Value::Bool(true));
    check("FLOAT", "1e3", Value::Float(1000.0));
    check("FLOAT(5,2)", "3.10", Value::Double(3.1));
    check("DOUBLE", "-2.5e-3", Value::Double(-0.0025));
    check("DECIMAL(8,3)", "1", decimal(&[3, 0xe8], 3));
    check("DECIMAL(8,3)", "-0.5", decimal(&[0xfe, 0x0c], 3));
    check("DECIMAL(5,2)", "1.005", decimal(&[101], 2));
    check("DECIMAL(5,1)", "true", decimal(&[10], 1));
    check("DECIMAL(5,1)", "1.25e2", decimal(&[4, 0xe2], 1));
    check("DECIMAL(5,1)", "-", decimal(&[0], 1));
    check("YEAR", "2020", Value::Int(2020));
    check("YEAR", "20", Value::Int(2020));
    check("YEAR", "0000", Value::Int(2000));
    let string = Modes { decimal: DecimalMode::String, ..modes() };
    check_with(&string, "DECIMAL(10,4)", "1.5", Some(text("1.5000")));
    let precise = Modes { bigint_unsigned: BigintUnsignedMode::Precise, ..modes() };
    let most = [&[0][..], &[0xff; 8]].concat();
    check_with(&precise, "BIGINT UNSIGNED", "18446744073709551615", Some(decimal(&most, 0)));
}

#[test]
fn bits() {
    check("BIT", "1", Value::Bool(true));
    check("BIT(1)", "0", Value::Bool(false));
    check("BIT(8)", "10100101", Value::Bytes(vec![0xa5]));
    check("BIT(9)", "100000001", Value::Bytes(vec![1, 1]));
    check("BIT(16)", "101", Value::Bytes(vec![5, 0]));
    check("BIT(64)", &"1".repeat(64), Value::Bytes(vec![0xff; 8]));
    check("BIT(8)", "2", None);
    check("BIT(8)", "111111111", None);
}

#[test]
fn texts() {
    check("VARCHAR(20)", "it''s", text("it''s"));
    check("VARCHAR(20)", "\"a\" \\\\ b, c;d", text("\"a\" \\\\ b, c;d"));
    check("VARCHAR(20)", "", text(""));
    check("VARCHAR(20)", " x ", text(" x "));
    check("VARCHAR(20)", "_utf8mb4'x'", text("x"));
    check("VARCHAR(20)", "_x", text("_x"));
    check("CHAR(5)", "ab", text("ab"));
    check("ENUM('a','b,c')", "b,c", text("b,c"));
    check("SET('x','y')", "x,y", text("x,y"));
    check("BINARY(4)", "ab", Value::Bytes(b"ab".to_vec()));
    check_with(&Modes { binary: BinaryMode::Hex, ..modes() }, "BINARY(4)", "ab", Some(text("6162")));
    check("JSON", "{}", None);
    check("UUID", "00000000-0000-0000-0000-00000000000f", None);
    check("INET6", "::1", text("::1"));
    check("POINT", "x", None);
}

#[track_caller]
#[allow(clippy::needless_pass_by_value, reason = "cases are written in place")]
fn check_not_null(definition: &str, default: &str, expect: Option<Value>) {
    let column = Column { default: Some(default.into()), optional: false, ..column(definition) };
    assert_eq!(found(&modes(), &column), expect, "{definition} NOT NULL DEFAULT {default}");
}

#[test]
fn dates() {
    check("DATE", "2020-02-02", Value::Int(18_294));
    check("DATE", "2020-02-02 10:00:00", Value::Int(18_294));
    check("DATETIME", "2020-02-02 02:02:02", Value::Int(1_580_608_922_000));
    check("DATETIME(3)", "2020-02-02 02:02:02.5", Value::Int(1_580_608_922_500));
    check("DATETIME(6)", "2020-02-02 02:02:02.123456", Value::Int(1_580_608_922_123_456));
    check("DATETIME", "2020-02-02", Value::Int(1_580_601_600_000));
    check("DATETIME", EPOCH, Value::Int(0));
    check("TIMESTAMP", "2020-02-02 02:02:02", text("2020-02-02T02:02:02Z"));
    check("TIMESTAMP(6)", "2020-02-02 02:02:02.500000", text("2020-02-02T02:02:02.500000Z"));
    check("TIMESTAMP(3)", "2020-02-02 02:02:02", text("2020-02-02T02:02:02.000Z"));
    check("TIMESTAMP", EPOCH, None);
    check_not_null("TIMESTAMP(6)", EPOCH, Some(text("1970-01-01T00:00:00Z")));
    for zero in ["0000-00-00", "0000-00-00 00:00:00", "2020-00-15", "2020-05-00 00:00:00", "0000-05-06", "0"] {
        for definition in ["DATE", "DATETIME"] {
            check(definition, zero, None);
            check_not_null(definition, zero, Some(Value::Int(0)));
        }
    }
    for other in ["20200304", "2020-03-04T05:06:07"] {
        check("DATETIME", other, None);
        check("DATE", &other[..8], None);
    }
    check("TIME", "-10:11:12", Value::Int(-36_672_000_000));
    check("TIME(6)", "10:11:12.123456", Value::Int(36_672_123_456));
    check("TIME", "8:00", Value::Int(28_800_000_000));
    check("TIME", "838:59:59", Value::Int(3_020_399_000_000));
    check_with(&Modes { time: TimeMode::Isostring, ..modes() }, "TIME", "01:02:03", Some(text("01:02:03Z")));
    check_with(&Modes { time: TimeMode::Connect, ..modes() }, "TIME", "100:00:00", None);
    check_with(&Modes { time: TimeMode::Isostring, ..modes() }, "DATE", "2001-02-03", Some(text("2001-02-03Z")));
    let zone = jiff::tz::TimeZone::get("America/New_York").ok();
    let shifted = Modes { snapshot_zone: zone, ..modes() };
    check_with(&shifted, "TIMESTAMP", "2020-02-02 02:02:02", Some(text("2020-02-02T02:02:02Z")));
}

#[test]
fn a_column_without_a_default_has_none() {
    assert_eq!(found(&modes(), &column("INT")), None);
}
