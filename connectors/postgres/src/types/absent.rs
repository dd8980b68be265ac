//! What stands for values that the log leaves out: NOT NULL columns of a row image that has only the key, and unchanged
//! TOAST values.

use record::{Kind, Logical, Schema, Value};

use relational::values::decimal::Digits;
use relational::values::temporal::{DateForm, TimeForm, ZONED_EPOCH};
use relational::values::{empty_geometry, point_of, zero};

use super::Cell;
use super::plan::{BinaryMode, HstoreMode, Modes};

/// The value of a NOT NULL column that the row image leaves out: zero, empty, the epoch.
pub(super) fn fallback(cell: &Cell, schema: &Schema) -> Value {
    match cell {
        Cell::ZonedTimestamp { .. } => Value::text(ZONED_EPOCH),
        Cell::ZonedTime | Cell::Time(TimeForm::Iso) => Value::text("00:00:00Z"),
        Cell::Date(DateForm::Iso) => Value::text("1970-01-01Z"),
        Cell::Timestamp(TimeForm::Iso) => Value::text(ZONED_EPOCH),
        Cell::IsoInterval => Value::text("P0Y0M0DT0H0M0S"),
        Cell::Decimal { scale } | Cell::Money { scale } => Value::Decimal { unscaled: vec![0], scale: *scale },
        Cell::VariableDecimal => Value::Struct(vec![Value::Int(0), Value::Bytes(vec![0])]),
        Cell::DecimalString { scale: None } => Value::text("0"),
        Cell::DecimalString { scale: Some(scale) } | Cell::MoneyString { scale } => {
            Value::Text(Digits { negative: false, digits: Vec::new(), scale: *scale }.to_plain())
        }
        Cell::Hstore(HstoreMode::Json) => Value::text("{}"),
        Cell::Hstore(HstoreMode::Map) => Value::Map(Vec::new()),
        Cell::Point => point_of(0.0, 0.0),
        Cell::Geometry => empty_geometry(),
        Cell::SparseVector => Value::Struct(vec![Value::Int(0), Value::Map(Vec::new())]),
        _ => zero(schema),
    }
}

/// The placeholder for an unchanged TOAST value (`unavailable.value.placeholder`); `None` for types that cannot hold it.
pub(super) fn unchanged(cell: &Cell, schema: &Schema, modes: &Modes) -> Option<Value> {
    let bytes = &modes.placeholder;
    let text = || Value::Text(String::from_utf8_lossy(bytes).into_owned());
    Some(match cell {
        Cell::Bytea(BinaryMode::Bytes) => Value::Bytes(bytes.clone()),
        Cell::Hstore(HstoreMode::Map) => Value::Map(vec![(text(), text())]),
        Cell::Hstore(HstoreMode::Json) => {
            let word = String::from_utf8_lossy(bytes).into_owned();
            Value::Text(serde_json::json!({ word.clone(): word }).to_string())
        }
        Cell::Array { element, .. } => {
            let Kind::Array(item) = &schema.kind else { return None };
            match (element.as_ref(), &item.kind) {
                (Cell::Uuid, _) => Value::Array(vec![Value::Text(name_uuid(bytes))]),
                (Cell::Bytea(BinaryMode::Bytes), _) => Value::Array(vec![Value::Bytes(bytes.clone())]),
                (Cell::Text | Cell::Jsonb | Cell::Bytea(_), _) => Value::Array(vec![text()]),
                (Cell::Int, Kind::Int32 | Kind::Int64) | (Cell::Date(DateForm::Days), _)
                    if item.logical == Logical::Plain =>
                {
                    Value::Array(bytes.iter().map(|b| Value::Int(i64::from(*b as i8))).collect())
                }
                _ => return None,
            }
        }
        Cell::Opaque(BinaryMode::Bytes) | Cell::Geometric(BinaryMode::Bytes) => Value::Bytes(bytes.clone()),
        _ if matches!(schema.kind, Kind::String) => text(),
        _ => return None,
    })
}

/// Whether the log carries every value of a column, because all values of the type have the same size: the server never stores
/// such a value out of line.
pub(super) fn is_always_sent(cell: &Cell) -> bool {
    matches!(
        cell,
        Cell::Bool
            | Cell::Int
            | Cell::Oid
            | Cell::Float
            | Cell::Double
            | Cell::Uuid
            | Cell::Money { .. }
            | Cell::MoneyDouble
            | Cell::MoneyString { .. }
            | Cell::Date(_)
            | Cell::Time(_)
            | Cell::ZonedTime
            | Cell::Timestamp(_)
            | Cell::ZonedTimestamp { .. }
            | Cell::Interval
            | Cell::IsoInterval
            | Cell::Point
    )
}

/// A name-based UUID (RFC 4122 version 3: MD5) of some bytes without a namespace, as java.util.UUID.nameUUIDFromBytes.
fn name_uuid(bytes: &[u8]) -> String {
    let mut hash = md5(bytes);
    hash[6] = hash[6] & 0x0f | 0x30;
    hash[8] = hash[8] & 0x3f | 0x80;
    let mut text = String::with_capacity(36);
    for (i, byte) in hash.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
        }
    }
    text
}

fn md5(bytes: &[u8]) -> [u8; 16] {
    use md5::{Digest, Md5};
    Md5::digest(bytes).into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_text_decimal_has_its_columns_digits() {
        let schema = Schema::of(Kind::String).build();
        for (cell, expect) in [
            (Cell::DecimalString { scale: None }, "0"),
            (Cell::DecimalString { scale: Some(0) }, "0"),
            (Cell::DecimalString { scale: Some(2) }, "0.00"),
            (Cell::MoneyString { scale: 4 }, "0.0000"),
        ] {
            assert_eq!(fallback(&cell, &schema), Value::text(expect));
        }
    }

    #[test]
    fn a_name_based_uuid() {
        // java.util.UUID.nameUUIDFromBytes("hello".getBytes())
        assert_eq!(name_uuid(b"hello"), "5d41402a-bc4b-3a76-b971-9d911017c592");
    }
}
