//! Dates, times of day and timestamps under `time.precision.mode`: their schemas and their values.
//!
//! A date is a number of days since 1970-01-01, a time a number of microseconds, a timestamp a number of microseconds since
//! 1970-01-01T00:00:00.

use record::{Kind, SchemaBuilder, ValueRef, write_iso_date};

use super::{TimeMode, connect, debezium, words};

/// Microseconds of a day: a time of day ends at 24:00:00.
pub const DAY_MICROS: i64 = 86_400_000_000;

/// How a date is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DateForm {
    /// INT32: days since 1970.
    Days,
    /// STRING: `2024-02-29Z`.
    Iso,
}

/// How a time or a timestamp is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimeForm {
    /// A number of milliseconds: finer digits are cut.
    Millis,
    /// A number of microseconds.
    Micros,
    /// A number of nanoseconds.
    Nanos,
    /// ISO 8601 text that ends with `Z`.
    Iso,
}

/// The required schema of a date, and its form.
pub fn date(mode: TimeMode) -> (SchemaBuilder, DateForm) {
    match mode {
        TimeMode::Connect => (connect(Kind::Int32, "Date"), DateForm::Days),
        TimeMode::Isostring => (debezium(Kind::String, "time.IsoDate"), DateForm::Iso),
        _ => (debezium(Kind::Int32, "time.Date"), DateForm::Days),
    }
}

/// The required schema of a time of `digits` (0 to 6) fraction digits, and its form.
pub fn time(digits: u8, mode: TimeMode) -> (SchemaBuilder, TimeForm) {
    match mode {
        TimeMode::Connect => (connect(Kind::Int32, "Time"), TimeForm::Millis),
        TimeMode::Isostring => (debezium(Kind::String, "time.IsoTime"), TimeForm::Iso),
        TimeMode::Nanoseconds => (debezium(Kind::Int64, "time.NanoTime"), TimeForm::Nanos),
        TimeMode::Adaptive if digits <= 3 => (debezium(Kind::Int32, "time.Time"), TimeForm::Millis),
        _ => (debezium(Kind::Int64, "time.MicroTime"), TimeForm::Micros),
    }
}

/// The required schema of a timestamp without zone of `digits` (0 to 6) fraction digits, and its form.
pub fn timestamp(digits: u8, mode: TimeMode) -> (SchemaBuilder, TimeForm) {
    match mode {
        TimeMode::Connect => (connect(Kind::Int64, "Timestamp"), TimeForm::Millis),
        TimeMode::Isostring => (debezium(Kind::String, "time.IsoTimestamp"), TimeForm::Iso),
        TimeMode::Nanoseconds => (debezium(Kind::Int64, "time.NanoTimestamp"), TimeForm::Nanos),
        TimeMode::Adaptive | TimeMode::AdaptiveTimeMicroseconds if digits <= 3 => {
            (debezium(Kind::Int64, "time.Timestamp"), TimeForm::Millis)
        }
        _ => (debezium(Kind::Int64, "time.MicroTimestamp"), TimeForm::Micros),
    }
}

/// The required schema of a timestamp with zone, in every mode: `io.debezium.time.ZonedTimestamp`.
pub fn zoned() -> SchemaBuilder {
    debezium(Kind::String, "time.ZonedTimestamp")
}

impl DateForm {
    /// A date's value.
    ///
    /// # Errors
    /// The reason, when the days do not fit the INT32 that a schema of dates has.
    pub fn value<'a>(self, days: i64) -> Result<ValueRef<'a>, &'static str> {
        if i32::try_from(days).is_err() {
            return Err("a date out of range");
        }
        Ok(match self {
            Self::Days => ValueRef::Int(days),
            Self::Iso => words(iso_date_text(days)),
        })
    }
}

impl TimeForm {
    /// The value of a time of so many microseconds. An ISO text shows the time of day that they are, modulo a day.
    pub fn time<'a>(self, micros: i64) -> ValueRef<'a> {
        match self {
            Self::Millis => ValueRef::Int(micros.div_euclid(1000)),
            Self::Micros => ValueRef::Int(micros),
            Self::Nanos => ValueRef::Int(micros.wrapping_mul(1000)),
            Self::Iso => words(time_text(micros)),
        }
    }

    /// A timestamp's value.
    ///
    /// # Errors
    /// The reason, when its nanoseconds do not fit an INT64.
    pub fn timestamp<'a>(self, micros: i64) -> Result<ValueRef<'a>, &'static str> {
        Ok(match self {
            Self::Millis => ValueRef::Int(micros.div_euclid(1000)),
            Self::Micros => ValueRef::Int(micros),
            Self::Nanos => ValueRef::Int(
                micros.checked_mul(1000).ok_or("a timestamp outside of 1677–2262, the range of nanoseconds")?,
            ),
            Self::Iso => words(iso_timestamp_text(micros)),
        })
    }
}

/// Whether a number of microseconds is a time of day: 00:00:00 to 24:00:00.
pub fn is_time(micros: i64) -> bool {
    (0..=DAY_MICROS).contains(&micros)
}

/// `HH:MM:SS` and as many fraction digits as are not trailing zeros (java.time's ISO formatters), then `Z`.
pub fn time_text(micros: i64) -> String {
    let micros = micros.rem_euclid(DAY_MICROS);
    let (seconds, fraction) = (micros / 1_000_000, micros % 1_000_000);
    let mut text = format!("{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60);
    if fraction > 0 {
        text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
    }
    text.push('Z');
    text
}

/// A date's ISO text and `Z` (io.debezium.time.IsoDate).
pub fn iso_date_text(days: i64) -> String {
    let mut out = Vec::with_capacity(16);
    write_iso_date(&mut out, days);
    out.push(b'Z');
    String::from_utf8_lossy(&out).into_owned()
}

/// A timestamp's ISO text (io.debezium.time.IsoTimestamp).
pub fn iso_timestamp_text(micros: i64) -> String {
    let mut text = iso_date_text(micros.div_euclid(DAY_MICROS));
    text.pop();
    text.push('T');
    text.push_str(&time_text(micros));
    text
}

/// What stands for a missing timestamp with zone.
pub const ZONED_EPOCH: &str = "1970-01-01T00:00:00Z";

#[cfg(test)]
mod tests {
    use record::Value;

    use super::*;

    #[track_caller]
    fn check(shown: (SchemaBuilder, TimeForm), expect: &str) {
        let schema = shown.0.build();
        let name = schema.name.as_deref().and_then(|name| name.rsplit('.').next()).unwrap_or("-");
        assert_eq!(format!("{} {name} {:?}", schema.type_name(), shown.1), expect);
    }

    #[test]
    fn schemas_by_mode_and_precision() {
        for digits in [0, 3, 4, 6] {
            let short = digits <= 3;
            check(time(digits, TimeMode::Connect), "INT32 Time Millis");
            check(time(digits, TimeMode::Isostring), "STRING IsoTime Iso");
            check(time(digits, TimeMode::Nanoseconds), "INT64 NanoTime Nanos");
            check(time(digits, TimeMode::Adaptive), if short { "INT32 Time Millis" } else { "INT64 MicroTime Micros" });
            check(time(digits, TimeMode::AdaptiveTimeMicroseconds), "INT64 MicroTime Micros");
            check(time(digits, TimeMode::Microseconds), "INT64 MicroTime Micros");
            check(timestamp(digits, TimeMode::Connect), "INT64 Timestamp Millis");
            check(timestamp(digits, TimeMode::Isostring), "STRING IsoTimestamp Iso");
            check(timestamp(digits, TimeMode::Nanoseconds), "INT64 NanoTimestamp Nanos");
            check(timestamp(digits, TimeMode::Microseconds), "INT64 MicroTimestamp Micros");
            let adaptive = if short { "INT64 Timestamp Millis" } else { "INT64 MicroTimestamp Micros" };
            check(timestamp(digits, TimeMode::AdaptiveTimeMicroseconds), adaptive);
        }
    }

    #[test]
    fn values_by_form() {
        let micros = -1_500_i64;
        let shown = |form: TimeForm| (form.time(micros).to_value(), form.timestamp(micros).unwrap().to_value());
        assert_eq!(shown(TimeForm::Millis), (Value::Int(-2), Value::Int(-2)));
        assert_eq!(shown(TimeForm::Micros), (Value::Int(-1500), Value::Int(-1500)));
        assert_eq!(shown(TimeForm::Nanos), (Value::Int(-1_500_000), Value::Int(-1_500_000)));
        let texts = (Value::text("23:59:59.9985Z"), Value::text("1969-12-31T23:59:59.9985Z"));
        assert_eq!(shown(TimeForm::Iso), texts);
        assert!(TimeForm::Nanos.timestamp(i64::MAX / 999).is_err());
        assert!(DateForm::Days.value(i64::from(i32::MAX) + 1).is_err());
        assert_eq!(DateForm::Iso.value(0).unwrap().to_value(), Value::text("1970-01-01Z"));
    }
}
