//! Moves one value to another time zone, by its type.
//!
//! Must not know: which fields are chosen.

use record::{Schema, Value, ValueRef};

use super::iso::Zoned;
use super::zone::Zone;
use crate::TransformError;
use crate::error::java;

/// How a type of time is moved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum How {
    /// A number without a zone, this many to the second: read as the time that a clock in UTC shows, it becomes the instant
    /// at which a clock in the target zone shows the same.
    Local(i64),
    /// A text with an offset: the same instant under the zone's offset.
    Timestamp,
    /// A text with a time and an offset: the same instant under the offset that the zone has now.
    Time,
    /// A number of the source block, this many to the second: the zone's offset is added.
    Instant(i64),
}

/// What a field's type has to do with time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Type {
    /// It can be moved.
    Moves(How),
    /// A date, or a time without an offset, which Debezium leaves with a warning.
    Stays,
    /// It is no time.
    Other,
}

impl Type {
    /// Of a field of a row, or of the source block.
    pub(super) fn of(schema: &Schema, source_field: Option<&str>) -> Self {
        match (schema.name.as_deref(), source_field) {
            (Some("io.debezium.time.Timestamp" | "org.apache.kafka.connect.data.Timestamp"), _) => {
                Self::Moves(How::Local(1000))
            }
            (Some("io.debezium.time.MicroTimestamp"), _) => Self::Moves(How::Local(1_000_000)),
            (Some("io.debezium.time.NanoTimestamp"), _) => Self::Moves(How::Local(1_000_000_000)),
            (Some("io.debezium.time.ZonedTimestamp"), _) => Self::Moves(How::Timestamp),
            (Some("io.debezium.time.ZonedTime"), _) => Self::Moves(How::Time),
            (
                Some(
                    "io.debezium.time.Date"
                    | "io.debezium.time.Time"
                    | "io.debezium.time.MicroTime"
                    | "io.debezium.time.NanoTime"
                    | "org.apache.kafka.connect.data.Date"
                    | "org.apache.kafka.connect.data.Time",
                ),
                _,
            ) => Self::Stays,
            (None, Some("ts_ms")) => Self::Moves(How::Instant(1000)),
            (None, Some("ts_us")) => Self::Moves(How::Instant(1_000_000)),
            (None, Some("ts_ns")) => Self::Moves(How::Instant(1_000_000_000)),
            _ => Self::Other,
        }
    }
}

impl How {
    /// The value in the other zone. `now` is in seconds since 1970.
    pub(super) fn moved(self, cell: &ValueRef<'_>, zone: &Zone, now: i64) -> Result<Value, Wrong> {
        if cell.is_null() {
            return Ok(Value::Null);
        }
        match self {
            Self::Local(units) => {
                let number = cell.as_int().ok_or(Wrong::Type)?;
                let offset = zone.at_local(number.div_euclid(units)).map_err(Wrong::Zone)?;
                // Java's arithmetic wraps.
                Ok(Value::Int(number.wrapping_sub(i64::from(offset) * units)))
            }
            Self::Instant(units) => {
                let number = cell.as_int().ok_or(Wrong::Type)?;
                let offset = zone.at_instant(number.div_euclid(units)).map_err(Wrong::Zone)?;
                Ok(Value::Int(number.wrapping_add(i64::from(offset) * units)))
            }
            Self::Timestamp => {
                let time = if let ValueRef::Zoned { micros, .. } = cell {
                    let nanos = micros.rem_euclid(1_000_000) as u32 * 1000;
                    Zoned { seconds: micros.div_euclid(1_000_000), nanos, offset: 0 }
                } else {
                    text(cell, Zoned::timestamp)?
                };
                let offset = zone.at_local(time.seconds).map_err(Wrong::Zone)?;
                Ok(Value::Text(time.moved(offset).timestamp_text()))
            }
            Self::Time => {
                let time = text(cell, Zoned::time)?;
                let offset = zone.at_instant(now).map_err(Wrong::Zone)?;
                Ok(Value::Text(time.moved(offset).time_text()))
            }
        }
    }
}

fn text<T>(cell: &ValueRef<'_>, read: impl FnOnce(&str) -> Option<T>) -> Result<T, Wrong> {
    let mut text = Vec::with_capacity(40);
    if !cell.write_text(&mut text) {
        return Err(Wrong::Type);
    }
    std::str::from_utf8(&text).ok().and_then(read).ok_or(Wrong::Text)
}

/// Why a value cannot be moved.
#[derive(Debug)]
pub(super) enum Wrong {
    /// The zone has no rules.
    Zone(TransformError),
    /// The value is not of the type that its schema's name stands for.
    Type,
    /// The text is no time.
    Text,
}

impl Wrong {
    pub(super) fn of_field(self, name: &str) -> TransformError {
        match self {
            Self::Zone(error) => error,
            Self::Type => TransformError::new(java::CLASS_CAST, format!("The field {name} holds no time")),
            Self::Text => {
                let message = format!("The text of the field {name} could not be parsed as a time with an offset");
                TransformError::new("java.time.format.DateTimeParseException", message)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        let check = |how: How, zone: &str, number, expect: i64| {
            let zone = Zone::named(zone).unwrap();
            assert_eq!(how.moved(&ValueRef::Int(number), &zone, 0).unwrap(), Value::Int(expect), "{how:?} {number}");
        };
        // A time without a zone gets smaller where the zone is ahead, and one of the source block larger.
        check(How::Local(1000), "Africa/Cairo", 1_522_116_000_000, 1_522_108_800_000);
        check(How::Instant(1000), "Europe/Moscow", 1_234_567_890, 1_245_367_890);
        check(How::Instant(1_000_000), "-01:00", 1, -3_599_999_999);
        check(How::Local(1_000_000_000), "+00:00:01", -1, -1_000_000_001);
        // Java's arithmetic wraps at the ends.
        check(How::Local(1000), "-01:00", i64::MAX, i64::MIN + 3_599_999);
    }
}
