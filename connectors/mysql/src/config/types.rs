//! How column types become values.
//!
//! Must not know: the types.

use jiff::fmt::temporal::DateTimeParser;
use jiff::tz::TimeZone;
use relational::values::{BinaryMode, ConvertFailure, DecimalMode, TimeMode};
use settings::Reader;

use super::modes::Failure;
use crate::Flavour;
use crate::types::{BigintUnsignedMode, Converters, Modes};

/// Reads the settings of [`Modes`].
pub(super) fn read(r: &mut Reader<'_>, flavour: Flavour) -> Modes {
    Modes {
        decimal: r.choice("decimal.handling.mode", DecimalMode::Precise),
        time: r.choice("time.precision.mode", TimeMode::AdaptiveTimeMicroseconds),
        binary: r.choice("binary.handling.mode", BinaryMode::Bytes),
        bigint_unsigned: r.choice("bigint.unsigned.handling.mode", BigintUnsignedMode::Long),
        failure: r.choice("event.converting.failure.handling.mode", ConvertFailure::Warn),
        stops_at_invalid_dates: r.choice("event.processing.failure.handling.mode", Failure::Fail) == Failure::Fail,
        adjusts_years: r.boolean("enable.time.adjuster"),
        snapshot_zone: zone(r, flavour),
        converters: Converters::read(r.properties()).unwrap_or_else(|complaints| {
            for complaint in complaints {
                r.complain(complaint);
            }
            Converters::default()
        }),
        ..Modes::default()
    }
}

/// The zone that a property of the Java driver names; none for the driver's words for the server's own.
fn zone(r: &mut Reader<'_>, flavour: Flavour) -> Option<TimeZone> {
    let (names, servers_own) = match flavour {
        Flavour::MySql => (["driver.connectionTimeZone", "database.connectionTimeZone"], "SERVER"),
        Flavour::MariaDb => (["driver.timezone", "database.timezone"], "auto"),
    };
    let (name, text) = names.into_iter().find_map(|name| Some((name, r.text_or_none(name)?)))?;
    let text = text.trim();
    if text.is_empty() || text.eq_ignore_ascii_case(servers_own) {
        return None;
    }
    let zone = DateTimeParser::new().parse_time_zone(text);
    if zone.is_err() {
        let problem =
            format!("A time zone is expected, such as Europe/Berlin or +02:00, or {servers_own} for the server's own");
        r.refuse(name, &problem);
    }
    zone.ok()
}
