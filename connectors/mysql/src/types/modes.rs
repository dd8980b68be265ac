//! The settings that decide how types become values.

use std::sync::Arc;

use jiff::tz::TimeZone;
use relational::Meters;
use relational::values::{BinaryMode, ConvertFailure, DecimalMode, TimeMode};

use super::converters::Converters;

settings::choices! {
    /// `bigint.unsigned.handling.mode`.
    pub enum BigintUnsignedMode {
        /// INT64: values above its range wrap to negative ones.
        Long = "long",
        /// Connect's Decimal: exact.
        Precise = "precise",
    }
}

/// The settings that decide how types become values.
#[derive(Clone, Debug)]
pub struct Modes {
    /// `decimal.handling.mode`: DECIMAL.
    pub decimal: DecimalMode,
    /// `time.precision.mode`: dates and times.
    pub time: TimeMode,
    /// `binary.handling.mode`: BINARY, VARBINARY, BLOB.
    pub binary: BinaryMode,
    /// `bigint.unsigned.handling.mode`.
    pub bigint_unsigned: BigintUnsignedMode,
    /// `event.converting.failure.handling.mode`: values that cannot be converted.
    pub failure: ConvertFailure,
    /// Whether a date that the calendar does not have (31 February, which some `sql_mode`s store) ends the task
    /// (`event.processing.failure.handling.mode=fail`); otherwise it becomes 1970-01-01.
    pub stops_at_invalid_dates: bool,
    /// `enable.time.adjuster`: whether the years 0 to 69 mean 2000 to 2069, and 70 to 99 mean 1970 to 1999.
    pub adjusts_years: bool,
    /// `driver.connectionTimeZone`, `driver.timezone`: the zone in which a snapshot's TIMESTAMPs are taken to be printed,
    /// where a user insists on one. Without it they are in UTC, as the session asks for.
    pub snapshot_zone: Option<TimeZone>,
    /// `converters`.
    pub converters: Converters,
    /// Counts values that cannot be converted and logs them; none in tests.
    pub meters: Option<Arc<Meters>>,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            decimal: DecimalMode::Precise,
            time: TimeMode::AdaptiveTimeMicroseconds,
            binary: BinaryMode::Bytes,
            bigint_unsigned: BigintUnsignedMode::Long,
            failure: ConvertFailure::Warn,
            stops_at_invalid_dates: true,
            adjusts_years: true,
            snapshot_zone: None,
            converters: Converters::default(),
            meters: None,
        }
    }
}
