use super::*;
use crate::binlog::wire_type as kind;
use crate::types::sample::{column, table};

#[track_caller]
fn check(definition: &str, (kind, metadata): (u8, u16), raw: &[u8], expect: &str) {
    let log = WireColumn { kind, metadata };
    let literal = Literal::of(&table(), &column(definition), Flavour::MySql, log);
    let found = literal.map(|literal| literal.write(raw));
    assert_eq!(found, Some(Ok(expect.to_owned())), "{definition}");
}

#[test]
fn literals() {
    check("INT", (kind::LONG, 0), &[0xff, 0xff, 0xff, 0xff], "-1");
    check("INT UNSIGNED", (kind::LONG, 0), &[0xff, 0xff, 0xff, 0xff], "4294967295");
    check("BIGINT UNSIGNED", (kind::LONGLONG, 0), &[0xff; 8], "18446744073709551615");
    check("BOOLEAN", (kind::TINY, 0), &[2], "2");
    check("FLOAT", (kind::FLOAT, 4), &0.1_f32.to_le_bytes(), "1.0000000149011612e-1");
    check("DOUBLE", (kind::DOUBLE, 8), &(-0.1_f64).to_le_bytes(), "-1e-1");
    check("BIT(9)", (kind::BIT, 0x0101), &[1, 2], "258");
    check("YEAR", (kind::YEAR, 0), &[120], "2020");
    check("YEAR", (kind::YEAR, 0), &[0], "0");
    check("VARCHAR(9)", (kind::VARCHAR, 36), b"a'\\", "_utf8mb4 x'61275c'");
    check("BINARY(4)", (kind::STRING, 0xfe04), &[1, 2], "x'01020000'");
    check("VARBINARY(4)", (kind::VARCHAR, 4), &[], "x''");
    check("ENUM('a','b')", (kind::ENUM, 0xf701), &[2], "_utf8mb4 x'62'");
    check("SET('x','y')", (kind::SET, 0xf801), &[3], "_utf8mb4 x'782c79'");
    check("DATE", (kind::DATE, 0), &[0x5d, 0xc8, 0x0f], "'2020-02-29'");
    check("DATE", (kind::DATE, 0), &[0, 0, 0], "'0000-00-00'");
    check("TIMESTAMP", (kind::TIMESTAMP2, 0), &1_577_836_805_u32.to_be_bytes(), "'2020-01-01 00:00:05.000000'");
    check("TIME", (kind::TIME2, 0), &[0x80, 0x10, 0x83], "'01:02:03.000000'");
}

#[test]
fn times() {
    assert_eq!(datetime(Some(-1), &[1]), Ok("'1969-12-31 23:59:59.999999'".to_owned()));
    for zero in [&[0, 0, 0, 0, 0][..], &[0x80, 0, 0, 0, 0]] {
        assert_eq!(datetime(None, zero), Ok("'0000-00-00 00:00:00'".to_owned()));
    }
    assert_eq!(time(3_020_399_000_001), "838:59:59.000001");
}

#[test]
fn types_that_nothing_is_equal_to() {
    for (definition, kind) in [("JSON", kind::JSON), ("POINT", kind::GEOMETRY)] {
        let log = WireColumn { kind, metadata: 4 };
        assert!(Literal::of(&table(), &column(definition), Flavour::MySql, log).is_none(), "{definition}");
    }
}

/// They are shown like the zero date, but a row with a zero date is another one.
#[test]
fn dates_with_a_day_or_a_month_of_zero() {
    let log = WireColumn { kind: kind::DATE, metadata: 0 };
    let literal = Literal::of(&table(), &column("DATE"), Flavour::MySql, log).unwrap();
    // 2020-00-15
    assert_eq!(literal.write(&[0x0f, 0xc8, 0x0f]), Err(NO_DAY));
    assert_eq!(datetime(None, &[0x80, 0, 0, 0, 1]), Err(NO_DAY));
}
