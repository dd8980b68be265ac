//! The forms of a point in time, and milliseconds since 1970, which each of them is for a moment when it is converted.
//!
//! Must not know: options, records.

use std::sync::Arc;

use record::{Kind, Schema};

use crate::logical;

const DAY_MS: i64 = 86_400_000;

/// A form of a point in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    /// A number of units since 1970.
    Unix,
    /// Kafka Connect's Date: days since 1970.
    Date,
    /// Kafka Connect's Time: milliseconds since midnight.
    Time,
    /// Kafka Connect's Timestamp: milliseconds since 1970.
    Timestamp,
}

impl Form {
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "string" => Self::Text,
            "Date" => Self::Date,
            "Time" => Self::Time,
            "Timestamp" => Self::Timestamp,
            _ => Self::Unix,
        }
    }

    pub(super) fn schema(self, optional: bool) -> Arc<Schema> {
        let plain = |kind| Schema::of(kind).optional_if(optional).build();
        match self {
            Self::Text => plain(Kind::String),
            Self::Unix => plain(Kind::Int64),
            Self::Date => logical::date(optional),
            Self::Time => logical::time(optional),
            Self::Timestamp => logical::timestamp(optional),
        }
    }

    pub(super) fn to_ms(self, number: i64, precision: Precision) -> i64 {
        match self {
            Self::Unix => precision.to_ms(number),
            Self::Date => number.saturating_mul(DAY_MS),
            Self::Text | Self::Time | Self::Timestamp => number,
        }
    }

    pub(super) fn of_ms(self, ms: i64, precision: Precision) -> i64 {
        match self {
            Self::Unix => precision.of_ms(ms),
            // 32 bits, as Connect's Date has them.
            Self::Date => i64::from(ms.div_euclid(DAY_MS) as i32),
            Self::Time => ms.rem_euclid(DAY_MS),
            Self::Text | Self::Timestamp => ms,
        }
    }
}

/// The unit of numbers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Precision {
    Seconds,
    Milliseconds,
    Microseconds,
    Nanoseconds,
}

impl Precision {
    pub(super) fn parse(text: &str) -> Self {
        match text {
            "seconds" => Self::Seconds,
            "microseconds" => Self::Microseconds,
            "nanoseconds" => Self::Nanoseconds,
            _ => Self::Milliseconds,
        }
    }

    /// Java's `TimeUnit` cuts towards zero, and stops at the largest numbers.
    fn to_ms(self, number: i64) -> i64 {
        match self {
            Self::Seconds => number.saturating_mul(1000),
            Self::Milliseconds => number,
            Self::Microseconds => number / 1000,
            Self::Nanoseconds => number / 1_000_000,
        }
    }

    fn of_ms(self, ms: i64) -> i64 {
        match self {
            Self::Seconds => ms / 1000,
            Self::Milliseconds => ms,
            Self::Microseconds => ms.saturating_mul(1000),
            Self::Nanoseconds => ms.saturating_mul(1_000_000),
        }
    }
}
