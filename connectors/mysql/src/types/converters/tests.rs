use super::*;
use crate::Flavour;
use crate::binlog::{WireColumn, wire_type as kind};
use crate::types::form::Form;
use crate::types::plan::tests::modes;
use crate::types::sample::{column, table};
use crate::types::{ColumnCodec, Modes, column_codec, plan};

fn properties(pairs: &[(&str, &str)]) -> Properties {
    let mut all = Properties::default();
    for (key, value) in pairs {
        all.insert(*key, *value);
    }
    all
}

/// The codec of a column under one converter of this class with these options.
fn codec(class: &str, options: &[(&str, &str)], column: &Column) -> ColumnCodec {
    let class = format!("io.debezium.connector.binlog.converters.{class}");
    let mut pairs = vec![("converters", "x"), ("x.type", class.as_str())];
    pairs.extend(options);
    let modes = Modes { converters: Converters::read(&properties(&pairs)).unwrap(), ..modes() };
    let planned = plan(&table(), column, Flavour::MySql, &modes).unwrap();
    column_codec(column, &planned, &modes)
}

fn shown(codec: &ColumnCodec) -> String {
    let schema = &codec.schema;
    let default = schema.default.as_ref().map(|default| format!(" {default:?}"));
    let name = schema.name.as_deref().map(|name| format!(" {}", name.trim_start_matches("io.debezium.time.")));
    let optional = if schema.optional { "?" } else { "" };
    format!("{}{optional}{}{}", schema.type_name(), name.unwrap_or_default(), default.unwrap_or_default())
}

#[track_caller]
fn check_text(codec: &ColumnCodec, raw: &str, expect: Value) {
    assert_eq!(codec.read(raw.as_bytes()).map(|value| value.to_value()), Ok(expect), "{raw}");
}

#[test]
fn tinyint_one_to_boolean() {
    let class = "TinyIntOneToBooleanConverter";
    let one = Column { default: Some("1".into()), optional: false, ..column("TINYINT(1)") };
    let found = codec(class, &[], &one);
    assert_eq!(shown(&found), "BOOLEAN Bool(true)");
    for (raw, expect) in [("0", false), ("1", true), ("9", true), ("-1", false)] {
        check_text(&found, raw, Value::Bool(expect));
    }
    let of_log = found.of_log(WireColumn { kind: kind::TINY, metadata: 0 }).unwrap();
    assert_eq!(of_log.read(&[0xff]).unwrap().to_value(), Value::Bool(false));
    for (definition, options, expect) in [
        ("TINYINT", &[][..], "INT16?"),
        ("TINYINT UNSIGNED", &[], "INT16?"),
        ("TINYINT UNSIGNED", &[("x.length.checker", "false")], "BOOLEAN?"),
        ("TINYINT(1) UNSIGNED ZEROFILL", &[], "INT16?"),
        ("TINYINT(1)", &[("x.selector", "db.t.other")], "INT16?"),
        ("TINYINT(1)", &[("x.selector", "db.t.c,db.u.*")], "BOOLEAN?"),
    ] {
        assert_eq!(shown(&codec(class, options, &column(definition))), expect, "{definition} {options:?}");
    }
}

#[test]
fn jdbc_sink_data_types() {
    let class = "JdbcSinkDataTypesConverter";
    let all = "db.t.c";
    let flag = codec(class, &[("x.selector.boolean", all)], &column("BOOLEAN"));
    assert_eq!(shown(&flag), "INT16?");
    check_text(&flag, "1", Value::Int(1));
    let tiny = codec(class, &[("x.selector.boolean", all)], &column("TINYINT(1)"));
    check_text(&tiny, "-1", Value::Int(0));
    let real = codec(class, &[("x.selector.real", all)], &column("REAL"));
    assert_eq!(shown(&real), "FLOAT64?");
    check_text(&real, "1.5", Value::Double(1.5));
    let single = codec(class, &[("x.selector.real", all), ("x.treat.real.as.double", "false")], &column("DOUBLE"));
    assert_eq!(shown(&single), "FLOAT32?");
    check_text(&single, "1.5", Value::Float(1.5));
    let latin = Column { charset: Some("latin1".into()), ..column("VARCHAR(5)") };
    let string = codec(class, &[("x.selector.string", all)], &latin);
    let parameters: Vec<_> = string.schema.parameters.iter().map(|(key, value)| format!("{key}={value}")).collect();
    assert_eq!(parameters, ["__debezium.source.column.character_set=latin1"]);
    let int = codec(class, &[("x.selector.string", all)], &column("INT"));
    check_text(&int, "42", Value::text("42"));
    let untouched = codec(class, &[("x.selector.string", "db.t.other")], &latin);
    assert!(untouched.schema.parameters.is_empty());
}

/// The cases of Debezium's example: a literal for DATE and TIMESTAMP, null for DATETIME, one column of its own.
#[test]
fn zero_date_fallback() {
    let options = [
        ("x.fallback.date", "1900-01-01"),
        ("x.fallback.datetime", "NULL"),
        ("x.fallback.timestamp", "2000-01-01T01:00:00+01:00"),
    ];
    let of = |column: Column, more: &[(&str, &str)]| {
        codec("ZeroDateFallbackConverter", &[&options[..], more].concat(), &column)
    };
    let date = of(Column { optional: false, ..column("DATE") }, &[]);
    assert_eq!(shown(&date), "INT32 Date");
    check_text(&date, "0000-00-00", Value::Int(-25_567));
    check_text(&date, "1970-01-01", Value::Int(0));
    let with_default = Column { optional: false, default: Some("2020-01-01".into()), ..column("DATE") };
    assert_eq!(shown(&of(with_default, &[])), "INT32 Date Int(-25567)");
    let zero_default = Column { default: Some("0000-00-00".into()), ..column("DATE") };
    let own = of(zero_default, &[("x.column.db.t.c.fallback", "1999-12-31")]);
    assert_eq!(shown(&own), "INT32? Date");
    assert_eq!(own.shown_for_null(), &Value::Int(10_956));
    let datetime = of(Column { optional: false, ..column("DATETIME") }, &[]);
    assert_eq!(shown(&datetime), "INT64? Timestamp");
    check_text(&datetime, "0000-00-00 00:00:00", Value::Null);
    let datetime =
        of(Column { optional: false, default: Some("0000-00-00 00:00:00".into()), ..column("DATETIME(6)") }, &[]);
    assert_eq!(shown(&datetime), "INT64? MicroTimestamp");
    check_text(&datetime, "2020-05-06 07:08:09.5", Value::Int(1_588_748_889_500_000));
    let timestamp = of(column("TIMESTAMP(3)"), &[]);
    assert_eq!(shown(&timestamp), "STRING? ZonedTimestamp");
    assert_eq!(timestamp.shown_for_null(), &Value::text("2000-01-01T00:00:00Z"));
    let of_log = timestamp.of_log(WireColumn { kind: kind::TIMESTAMP2, metadata: 3 }).unwrap();
    let read = of_log.read(&[0, 0, 0, 1, 0x13, 0x88]).unwrap().to_value();
    assert_eq!(read, Value::text("1970-01-01T00:00:01.5Z"));
    let of_another_type = of(column("DATE"), &[("x.column.db.t.c.fallback", "1999-12-31 00:00:00")]);
    assert_eq!(of_another_type.shown_for_null(), &Value::Null);
    let not_meant = of(column("DATE"), &[("x.target.types", "TIMESTAMP")]);
    assert_eq!(not_meant.shown_for_null(), &Value::Null);
}

#[test]
fn the_first_converter_that_takes_a_column_wins() {
    let pairs = [
        ("converters", "a, b"),
        ("a.type", "io.debezium.connector.mysql.converters.JdbcSinkDataTypesConverter"),
        ("a.selector.boolean", ".*"),
        ("b.type", "io.debezium.connector.mysql.converters.TinyIntOneToBooleanConverter"),
    ];
    let modes = Modes { converters: Converters::read(&properties(&pairs)).unwrap(), ..modes() };
    let planned = plan(&table(), &column("TINYINT(1)"), Flavour::MySql, &modes).unwrap();
    assert_eq!(planned.schema.build().type_name(), "INT16");
    assert_eq!(planned.cell.read(Form::Text, b"5").unwrap().to_value(), Value::Int(1));
}

#[test]
fn configurations_that_cannot_be_used() {
    let class = |class: &str| format!("io.debezium.connector.binlog.converters.{class}");
    let (tiny, zero) = (class("TinyIntOneToBooleanConverter"), class("ZeroDateFallbackConverter"));
    for (pairs, key) in [
        (vec![], "x.type"),
        (vec![("x.type", "com.example.Own")], "x.type"),
        (vec![("x.type", tiny.as_str()), ("x.selector", "(")], "x.selector"),
        (vec![("x.type", zero.as_str()), ("x.fallback.date", "1.1.2000")], "x.fallback.date"),
        (vec![("x.type", zero.as_str()), ("x.fallback.datetime", "2000-01-01")], "x.fallback.datetime"),
        (vec![("x.type", zero.as_str()), ("x.fallback.timestamp", "2000-01-01 00:00:00")], "x.fallback.timestamp"),
        (vec![("x.type", zero.as_str()), ("x.column.db.t.c.fallback", "soon")], "x.column.db.t.c.fallback"),
        (vec![("x.type", "io.debezium.connector.mysql.converters.ZeroDateFallbackConverter")], "x.type"),
    ] {
        let complaints = Converters::read(&properties(&[&[("converters", "x")][..], &pairs].concat())).unwrap_err();
        assert_eq!(complaints.len(), 1, "{pairs:?}");
        assert_eq!(complaints[0].key, key, "{pairs:?}");
    }
}
