//! Feeds arbitrary bytes to the code that reads cells, in each of their three forms: nothing may panic, and what is read must
//! fit the column's schema.
//!
//! The fuzz target `value` (`fuzz/`) calls this with libFuzzer's inputs. The tests below call it with random bytes.

use record::{Kind, Logical, Schema, Value};
use relational::values::{BinaryMode, ConvertFailure, DecimalMode, TimeMode};

use super::plan::plan;
use super::row::column_codec;
use super::sample::{column, table};
use super::{BigintUnsignedMode, Form, Modes};
use crate::Flavour;
use crate::binlog::{WireColumn, wire_type as kind};

/// Columns, and the types that the binlog has for them.
const COLUMNS: &[(&str, &[u8])] = &[
    ("DECIMAL(10,2)", &[kind::NEWDECIMAL]),
    ("DECIMAL(18,9)", &[kind::NEWDECIMAL]),
    ("DECIMAL(38,0)", &[kind::NEWDECIMAL]),
    ("DECIMAL(65,30)", &[kind::NEWDECIMAL]),
    ("NUMERIC(4,4)", &[kind::NEWDECIMAL]),
    ("DATE", &[kind::DATE, kind::NEWDATE]),
    ("TIME", &[kind::TIME, kind::TIME2]),
    ("TIME(6)", &[kind::TIME2]),
    ("DATETIME", &[kind::DATETIME, kind::DATETIME2]),
    ("DATETIME(6)", &[kind::DATETIME2]),
    ("TIMESTAMP", &[kind::TIMESTAMP, kind::TIMESTAMP2]),
    ("TIMESTAMP(6)", &[kind::TIMESTAMP2]),
    ("YEAR", &[kind::YEAR]),
    ("TINYINT", &[kind::TINY]),
    ("SMALLINT UNSIGNED", &[kind::SHORT]),
    ("MEDIUMINT", &[kind::INT24]),
    ("INT UNSIGNED", &[kind::LONG]),
    ("BIGINT UNSIGNED", &[kind::LONGLONG]),
    ("BOOLEAN", &[kind::TINY]),
    ("FLOAT", &[kind::FLOAT]),
    ("FLOAT(7,3)", &[kind::FLOAT, kind::DOUBLE]),
    ("DOUBLE", &[kind::FLOAT, kind::DOUBLE]),
    ("BIT(1)", &[kind::BIT]),
    ("BIT(17)", &[kind::BIT]),
    ("CHAR(5)", &[kind::STRING]),
    ("VARCHAR(5)", &[kind::VARCHAR, kind::VARCHAR_COMPRESSED]),
    ("BINARY(5)", &[kind::STRING]),
    ("LONGBLOB", &[kind::BLOB, kind::BLOB_COMPRESSED]),
    ("ENUM('a','b,c','it''s')", &[kind::ENUM]),
    ("SET('a','b','c')", &[kind::SET]),
    ("JSON", &[kind::JSON]),
    ("POINT", &[kind::GEOMETRY]),
    ("GEOMETRY", &[kind::GEOMETRY]),
    ("VECTOR(3)", &[kind::VECTOR]),
    ("UUID", &[kind::STRING]),
    ("INET4", &[kind::STRING]),
    ("INET6", &[kind::STRING]),
];
const CHARSETS: [&str; 8] = ["utf8mb4", "latin1", "gbk", "sjis", "utf16", "gb18030", "eucjpms", "ucs2"];

/// Reads a cell. The first byte is the column, the second the modes, the third the form and the character set, the fourth
/// and the fifth the metadata of the binlog's type (big-endian), the rest is the cell.
///
/// # Panics
/// If the reader panics, or gives a value that does not fit the column's schema.
pub fn value(bytes: &[u8]) {
    let Some(([of, flags, form, high, low], raw)) = bytes.split_first_chunk::<5>() else { return };
    let (definition, kinds) = COLUMNS[usize::from(*of) % COLUMNS.len()];
    let log = |at: usize| WireColumn { kind: kinds[at % kinds.len()], metadata: u16::from_be_bytes([*high, *low]) };
    let form = match form & 3 {
        0 => Form::Text,
        1 => Form::Binary,
        other => Form::Log(log(usize::from(other))),
    };
    let mut column = column(definition);
    column.charset = Some(CHARSETS[usize::from(bytes[2] >> 2) % CHARSETS.len()].into());
    column.optional = flags & 1 == 0;
    let flavour = if flags & 2 == 0 { Flavour::MySql } else { Flavour::MariaDb };
    let modes = modes(flags >> 2);
    let Some(planned) = plan(&table(), &column, flavour, &modes) else { return };
    let codec = column_codec(&column, &planned, &modes);
    let codec = match form {
        Form::Text => Ok(codec),
        Form::Binary => Ok(codec.of_protocol()),
        Form::Log(log) => codec.of_log(log),
    };
    let Ok(codec) = codec else { return };
    if is_too_long(form, raw) {
        return;
    }
    let Ok(found) = codec.read(raw).map(|value| value.to_value()) else { return };
    assert!(fits(&codec.schema, &found, form), "{found:?} does not fit {definition} in {form:?}");
    if let (DecimalMode::String, Value::Text(text), true) = (modes.decimal, &found, definition.starts_with("DEC")) {
        let again = column_codec(&column, &planned, &modes);
        let again = again.read(text.as_bytes()).map(|value| value.to_value());
        assert_eq!(again.as_ref().ok(), Some(&found), "the text of a {definition} is read as another number");
    }
}

/// Whether an integer of the binlog has more bytes than its type, which whoever finds the cells never gives.
fn is_too_long(form: Form, raw: &[u8]) -> bool {
    let Form::Log(log) = form else { return false };
    let bytes = match log.kind {
        kind::TINY => 1,
        kind::SHORT => 2,
        kind::INT24 => 3,
        kind::LONG => 4,
        _ => return false,
    };
    raw.len() > bytes
}

fn modes(flags: u8) -> Modes {
    const TIMES: [TimeMode; 6] = [
        TimeMode::Adaptive,
        TimeMode::AdaptiveTimeMicroseconds,
        TimeMode::Connect,
        TimeMode::Isostring,
        TimeMode::Microseconds,
        TimeMode::Nanoseconds,
    ];
    const DECIMALS: [DecimalMode; 3] = [DecimalMode::Precise, DecimalMode::Double, DecimalMode::String];
    const BYTES: [BinaryMode; 4] = [BinaryMode::Bytes, BinaryMode::Base64, BinaryMode::Base64UrlSafe, BinaryMode::Hex];
    let flags = usize::from(flags);
    Modes {
        decimal: DECIMALS[flags % 3],
        time: TIMES[flags % 6],
        binary: BYTES[flags % 4],
        bigint_unsigned: if flags & 1 == 0 { BigintUnsignedMode::Long } else { BigintUnsignedMode::Precise },
        // A fault ends the target, so that a stand-in is not taken for a value.
        failure: ConvertFailure::Fail,
        stops_at_invalid_dates: flags & 8 == 0,
        adjusts_years: flags & 16 == 0,
        ..Modes::default()
    }
}

/// Whether a value is one of the schema. A number in a text may be greater than its column, which no server sends.
fn fits(schema: &Schema, value: &Value, form: Form) -> bool {
    let within = |n: i64, bits: u32| form == Form::Text || form == Form::Binary || n >> (bits - 1) == n >> 63;
    match (&schema.kind, value) {
        (_, Value::Null) => schema.optional,
        (Kind::Bytes, Value::Decimal { unscaled, scale }) => {
            schema.logical == (Logical::Decimal { scale: *scale }) && !unscaled.is_empty()
        }
        (Kind::Bytes, Value::Bytes(_)) => schema.logical == Logical::Plain,
        (Kind::Bool, Value::Bool(_))
        | (Kind::String, Value::Text(_))
        | (Kind::Float32, Value::Float(_))
        | (Kind::Float64, Value::Double(_))
        | (Kind::Int64, Value::Int(_)) => true,
        (Kind::Int16, Value::Int(n)) => within(*n, 16),
        (Kind::Int32, Value::Int(n)) => within(*n, 32),
        (Kind::Array(of), Value::Array(items)) => items.iter().all(|item| fits(of, item, form)),
        (Kind::Struct(fields), Value::Struct(values)) => {
            fields.len() == values.len()
                && fields.iter().zip(values).all(|(field, value)| fits(&field.schema, value, form))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn any_cell(head in any::<[u8; 3]>(), metadata in any::<[u8; 2]>(), raw in vec(any::<u8>(), 0..20)) {
            value(&[&head[..], &metadata, &raw].concat());
        }

        #[test]
        fn moments_with_a_fraction(of in 5_u8..12, flags: u8, digits in 0_u8..7, raw in vec(any::<u8>(), 3..9)) {
            value(&[&[of, flags, 3, 0, digits], raw.as_slice()].concat());
        }

        #[test]
        fn packed_decimals(of in 0_u8..5, flags: u8, digits in any::<[u8; 2]>(), raw in vec(any::<u8>(), 0..31)) {
            let [precision, scale] = digits.map(|digits| digits % 67);
            value(&[&[of, flags, 2, precision, scale], raw.as_slice()].concat());
        }

        #[test]
        fn moments_in_texts(of in 5_u8..13, flags: u8, text in "-?[0-9]{2,4}[-:][0-9]{2}[-:][0-9]{2}( [0-9]{2}:[0-9]{2}:[0-9]{2})?(\\.[0-9]{0,7})?") {
            value(&[&[of, flags, 0, 0, 0], text.as_bytes()].concat());
        }
    }
}
