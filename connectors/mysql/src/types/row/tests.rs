use relational::values::ConvertFailure;

use super::*;
use crate::Flavour;
use crate::binlog::wire_type as kind;
use crate::types::plan;
use crate::types::plan::tests::modes;
use crate::types::sample::{column, table};

fn codec(column: &Column, modes: &Modes) -> ColumnCodec {
    let planned = plan(&table(), column, Flavour::MySql, modes).unwrap();
    column_codec(column, &planned, modes)
}

fn required(definition: &str) -> Column {
    Column { optional: false, ..column(definition) }
}

fn span(start: u32, len: u32) -> Span {
    Span { start, len }
}

fn decoded(row: &RowCodec, buffer: &[u8], spans: &[Span]) -> Result<Vec<Value>, String> {
    let mut out = Vec::new();
    row.row(buffer, spans, &mut out).map_err(|e| e.to_string())?;
    Ok(out.iter().map(ValueRef::to_value).collect())
}

#[test]
fn rows() {
    let modes = modes();
    let int = codec(&column("INT"), &modes).of_log(WireColumn { kind: kind::LONG, metadata: 0 }).unwrap();
    let text = codec(&column("VARCHAR(9)"), &modes).of_log(WireColumn { kind: kind::VARCHAR, metadata: 36 }).unwrap();
    let row = RowCodec::new("t".into(), vec![Some(int), None, Some(text)]);
    let buffer = b"\x05\0\0\0abc";
    let all = [span(0, 4), span(0, 4), span(4, 3)];
    assert_eq!(decoded(&row, buffer, &all), Ok(vec![Value::Int(5), Value::text("abc")]));
    let nulls = [Span::NULL, Span::NULL, Span::NULL];
    assert_eq!(decoded(&row, buffer, &nulls), Ok(vec![Value::Null, Value::Null]));
    let message = "column (row): Error processing row in t, internal schema size 3, but row size 2 , restart connector \
        with schema recovery mode.";
    assert_eq!(decoded(&row, buffer, &all[..2]), Err(message.to_owned()));
    let left_out = decoded(&row, buffer, &[all[0], all[1], Span::MISSING]).unwrap_err();
    assert!(left_out.starts_with(&format!("{message} The server's row image has no c: ")), "{left_out}");
    assert!(left_out.contains("column.exclude.list"), "{left_out}");
    // A cell that is not captured may be missing.
    assert!(decoded(&row, buffer, &[all[0], Span::MISSING, all[2]]).is_ok());
    assert!(decoded(&row, buffer, &[all[0], all[1], span(4, 99)]).is_err());
}

#[test]
fn only_rows_of_the_log_are_read_again() {
    let of_query = codec(&column("INT"), &modes());
    let of_log = of_query.clone().of_log(WireColumn { kind: kind::LONG, metadata: 0 }).unwrap();
    let again = |column| decoded(&RowCodec::new("t".into(), vec![Some(column)]), b"57", &[span(0, 1), span(1, 1)]);
    assert_eq!(again(of_log), Ok(vec![Value::Int(7)]));
    assert!(again(of_query).is_err());
}

#[test]
fn what_stands_for_null() {
    #[track_caller]
    fn check(column: &Column, expect: &Value) {
        assert_eq!(codec(column, &modes()).shown_for_null(), expect, "{column:?}");
    }
    let with = |default: &str, column: Column| Column { default: Some(default.into()), ..column };
    check(&with("5", column("INT")), &Value::Null);
    check(&with("5", required("INT")), &Value::Int(5));
    check(&required("INT"), &Value::Int(0));
    check(&required("DATE"), &Value::Int(0));
    check(&required("TIMESTAMP"), &Value::text("1970-01-01T00:00:00Z"));
    let default = with("1999-12-31 00:00:00", required("DATETIME"));
    check(&default, &Value::Int(946_598_400_000));
    // A zero date is null, with the same rules.
    let zero = codec(&default, &modes());
    assert_eq!(zero.read(b"0000-00-00 00:00:00").unwrap().to_value(), Value::Int(946_598_400_000));
    let zero = codec(&column("DATETIME"), &modes());
    assert_eq!(zero.read(b"0000-00-00 00:00:00").unwrap().to_value(), Value::Null);
}

#[test]
fn values_that_cannot_be_converted() {
    let with = |failure, column: &Column| {
        let modes = Modes { failure, ..modes() };
        codec(column, &modes).read(b"x").map(|value| value.to_value()).map_err(|e| e.to_string())
    };
    let error = Err("column c: not an integer".to_owned());
    assert_eq!(with(ConvertFailure::Warn, &column("INT")), Ok(Value::Null));
    assert_eq!(with(ConvertFailure::Skip, &column("INT")), Ok(Value::Null));
    assert_eq!(with(ConvertFailure::Fail, &column("INT")), error);
    assert_eq!(with(ConvertFailure::Warn, &required("INT")), error);
    let json = |failure, column: &Column| {
        let codec =
            codec(column, &Modes { failure, ..modes() }).of_log(WireColumn { kind: kind::JSON, metadata: 4 }).unwrap();
        codec.read(b"x").map(|value| value.to_value()).map_err(|e| e.to_string())
    };
    assert_eq!(json(ConvertFailure::Warn, &column("JSON")), Ok(Value::Null));
    assert_eq!(json(ConvertFailure::Warn, &required("JSON")), Ok(Value::text("{}")));
    assert_eq!(json(ConvertFailure::Fail, &required("JSON")), Err("column c: a type is unknown".to_owned()));
}

#[test]
fn dates_that_the_calendar_does_not_have() {
    let with = |stops_at_invalid_dates, definition: &str, raw: &[u8]| {
        let modes = Modes { stops_at_invalid_dates, ..modes() };
        codec(&column(definition), &modes).read(raw).map(|value| value.to_value()).map_err(|e| e.column)
    };
    assert_eq!(with(true, "DATE", b"2023-02-31"), Err("c".to_owned()));
    assert_eq!(with(false, "DATE", b"2023-02-31"), Ok(Value::Int(0)));
    assert_eq!(with(false, "TIMESTAMP", b"2023-02-31 00:00:00"), Ok(Value::text("1970-01-01T00:00:00Z")));
}

#[test]
fn a_type_of_the_log_that_is_not_the_columns_is_an_error() {
    let error = codec(&column("INT"), &modes()).of_log(WireColumn { kind: kind::VARCHAR, metadata: 9 }).unwrap_err();
    assert!(error.to_string().starts_with("column c: the binlog's type number 15 is not the type"), "{error}");
}

#[test]
fn rows_of_both_protocols() {
    let of_text = codec(&column("INT"), &modes());
    let of_protocol = of_text.clone().of_protocol();
    assert_eq!(of_text.read(b"258").unwrap(), ValueRef::Int(258));
    assert_eq!(of_protocol.read(&[2, 1, 0, 0]).unwrap(), ValueRef::Int(258));
}
