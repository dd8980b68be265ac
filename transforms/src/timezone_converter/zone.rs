//! Time zones by the ids that Java knows, and their offsets.
//!
//! Java knows an offset such as `+05:30`, the regions of the tz database except a few, and three letters from older times
//! (`PST`). It accepts the latter in a configuration, but then finds no rules for them.
//!
//! Must not know: how times are written.

use jiff::Timestamp;
use jiff::tz::{AmbiguousOffset, Offset, TimeZone, TimeZoneDatabase};

use crate::TransformError;

/// Ids of the tz database that Java does not have.
const NOT_IN_JAVA: &[&str] = &["EST", "Factory", "GMT+0", "GMT-0", "HST", "MST", "ROC", "localtime", "posixrules"];

/// The three letters of older times, and what Java meant by them.
const SHORT: &[(&str, &str)] = &[
    ("ACT", "Australia/Darwin"),
    ("AET", "Australia/Sydney"),
    ("AGT", "America/Argentina/Buenos_Aires"),
    ("ART", "Africa/Cairo"),
    ("AST", "America/Anchorage"),
    ("BET", "America/Sao_Paulo"),
    ("BST", "Asia/Dhaka"),
    ("CAT", "Africa/Harare"),
    ("CNT", "America/St_Johns"),
    ("CST", "America/Chicago"),
    ("CTT", "Asia/Shanghai"),
    ("EAT", "Africa/Addis_Ababa"),
    ("ECT", "Europe/Paris"),
    ("EST", "-05:00"),
    ("HST", "-10:00"),
    ("IET", "America/Indiana/Indianapolis"),
    ("IST", "Asia/Kolkata"),
    ("JST", "Asia/Tokyo"),
    ("MIT", "Pacific/Apia"),
    ("MST", "-07:00"),
    ("NET", "Asia/Yerevan"),
    ("NST", "Pacific/Auckland"),
    ("PLT", "Asia/Karachi"),
    ("PNT", "America/Phoenix"),
    ("PRT", "America/Puerto_Rico"),
    ("PST", "America/Los_Angeles"),
    ("SST", "Pacific/Guadalcanal"),
    ("VST", "Asia/Ho_Chi_Minh"),
];

/// The id to write instead of three letters, if the id is one of these.
pub(super) fn instead_of(id: &str) -> Option<&'static str> {
    SHORT.iter().find(|(short, _)| *short == id).map(|(_, long)| *long)
}

/// A time zone.
#[derive(Clone, Debug)]
pub(super) enum Zone {
    /// The same offset at all times, in seconds.
    Fixed(i32),
    /// A region with its rules.
    Region(TimeZone),
    /// Java accepts the id in a configuration and fails with the first time that it converts.
    Unusable(TransformError),
}

impl Zone {
    /// The zone with this id; `None` if Java does not accept it.
    pub(super) fn named(id: &str) -> Option<Self> {
        if let Some(zone) = offset(id) {
            return Some(zone);
        }
        if instead_of(id).is_some() {
            let unknown = format!("Unknown time-zone ID: {id}");
            return Some(Self::Unusable(TransformError::new("java.time.zone.ZoneRulesException", unknown)));
        }
        let regions = TimeZoneDatabase::bundled();
        // The look-up itself ignores case, which Java does not.
        let known = !NOT_IN_JAVA.contains(&id) && regions.available().any(|name| name.as_str() == id);
        if known { regions.get(id).ok().map(Self::Region) } else { None }
    }

    /// The offset in seconds at an instant, given in seconds since 1970.
    pub(super) fn at_instant(&self, seconds: i64) -> Result<i32, TransformError> {
        self.offset(|zone| {
            let instant = Timestamp::from_second(within(seconds)).ok()?;
            Some(zone.to_offset(instant))
        })
    }

    /// The offset in seconds at a local time, given in seconds since the local 1970. Of a time that the clocks skip or show
    /// twice it is the offset before they are put forward or back, as in Java.
    pub(super) fn at_local(&self, seconds: i64) -> Result<i32, TransformError> {
        self.offset(|zone| {
            let local = Offset::UTC.to_datetime(Timestamp::from_second(within(seconds)).ok()?);
            Some(match zone.to_ambiguous_timestamp(local).offset() {
                AmbiguousOffset::Unambiguous { offset } => offset,
                AmbiguousOffset::Gap { before, .. } | AmbiguousOffset::Fold { before, .. } => before,
            })
        })
    }

    fn offset(&self, of: impl FnOnce(&TimeZone) -> Option<Offset>) -> Result<i32, TransformError> {
        match self {
            Self::Fixed(seconds) => Ok(*seconds),
            // All times are within the library's range, so there is always an offset.
            Self::Region(zone) => Ok(of(zone).map_or(0, Offset::seconds)),
            Self::Unusable(error) => Err(error.clone()),
        }
    }
}

/// A time with the same offset within the years that the library knows (to 9999; Java knows many more). Beyond the year 9000
/// the rules repeat every 400 years, and before the year −7000 there is only local mean time.
fn within(seconds: i64) -> i64 {
    const CYCLE: i64 = 146_097 * 86_400;
    const LAST: i64 = 221_845_392_000;
    const FIRST: i64 = -283_000_000_000;
    if seconds > LAST { LAST - CYCLE + (seconds - LAST).rem_euclid(CYCLE) } else { seconds.max(FIRST) }
}

/// A zone of the form `+hh:mm` or `+hh:mm:ss`; `None` for other texts. An offset beyond 18 hours is accepted, but unusable.
fn offset(id: &str) -> Option<Zone> {
    let bytes = id.as_bytes();
    let two = |at: usize| match bytes.get(at..at + 2)? {
        [a @ b'0'..=b'9', b @ b'0'..=b'9'] => Some(i32::from(a - b'0') * 10 + i32::from(b - b'0')),
        _ => None,
    };
    let sign = match bytes.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, minutes) = (two(1)?, two(4)?);
    let seconds = match bytes.len() {
        6 => 0,
        9 if bytes[6] == b':' => two(7)?,
        _ => return None,
    };
    if bytes[3] != b':' {
        return None;
    }
    let unusable = |message: String| Zone::Unusable(TransformError::new("java.time.DateTimeException", message));
    for (what, value, most) in [("hours", hours, 18), ("minutes", minutes, 59), ("seconds", seconds, 59)] {
        if value > most {
            let value = sign * value;
            let range = format!("value {value} is not in the range -{most} to {most}");
            return Some(unusable(format!("Zone offset {what} not in valid range: {range}")));
        }
    }
    let total = hours * 3600 + minutes * 60 + seconds;
    if total > 18 * 3600 {
        return Some(unusable("Zone offset not in valid range: -18:00 to +18:00".to_owned()));
    }
    Some(Zone::Fixed(sign * total))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(id: &str, local: i64, expect: Option<Result<i32, &str>>) {
        let zone = Zone::named(id);
        let found = zone.map(|zone| zone.at_local(local).map_err(|error| error.to_string()));
        assert_eq!(found, expect.map(|expect| expect.map_err(str::to_owned)), "{id}");
    }

    #[test]
    fn ids() {
        check("+05:30", 0, Some(Ok(19_800)));
        check("-03:30:10", 0, Some(Ok(-12_610)));
        check("+18:00", 0, Some(Ok(64_800)));
        check("Europe/Warsaw", 1_719_835_200, Some(Ok(7200)));
        check("UTC", 0, Some(Ok(0)));
        check("GMT0", 0, Some(Ok(0)));
        check("Etc/GMT+5", 0, Some(Ok(-18_000)));
        check("EST5EDT", 0, Some(Ok(-18_000)));
        for refused in
            ["", "5:30", "+0530", "+05:30:", "+aa:bb", "Z", "GMT+1", "GMT+0", "europe/warsaw", "ROC", "Mars/X"]
        {
            check(refused, 0, None);
        }
        check("PST", 0, Some(Err("Unknown time-zone ID: PST")));
        check("EST", 0, Some(Err("Unknown time-zone ID: EST")));
        check("+25:00", 0, Some(Err("Zone offset hours not in valid range: value 25 is not in the range -18 to 18")));
        check(
            "-01:75",
            0,
            Some(Err("Zone offset minutes not in valid range: value -75 is not in the range -59 to 59")),
        );
        check("+18:30", 0, Some(Err("Zone offset not in valid range: -18:00 to +18:00")));
    }

    #[test]
    fn short_ids_name_zones() {
        for (short, long) in SHORT {
            assert!(matches!(Zone::named(long), Some(Zone::Fixed(_) | Zone::Region(_))), "{short}: {long}");
        }
    }

    #[test]
    fn clocks_that_are_put_forward_and_back() {
        let zone = Zone::named("Europe/Warsaw").unwrap();
        for (local, expect) in [
            // 2024-03-31 01:59:59, 02:00:00 and 02:59:59 (skipped), 03:00:00.
            (1_711_850_399, 3600),
            (1_711_850_400, 3600),
            (1_711_853_999, 3600),
            (1_711_854_000, 7200),
            // 2024-10-27 01:59:59, 02:00:00 and 02:59:59 (twice), 03:00:00.
            (1_729_994_399, 7200),
            (1_729_994_400, 7200),
            (1_729_997_999, 7200),
            (1_729_998_000, 3600),
        ] {
            assert_eq!(zone.at_local(local), Ok(expect), "{local}");
        }
        assert_eq!(zone.at_instant(1_711_846_799), Ok(3600));
        assert_eq!(zone.at_instant(1_711_846_800), Ok(7200));
    }

    #[test]
    fn times_far_away() {
        const YEARS_400: i64 = 146_097 * 86_400;
        let zone = Zone::named("Europe/Warsaw").unwrap();
        let local_mean_time = 5040;
        for (at, expect) in [(1_719_835_200, 7200), (1_704_110_400, 3600)] {
            for cycles in [0, 1, 10, 15, 20, 700_000] {
                assert_eq!(zone.at_local(at + cycles * YEARS_400), Ok(expect), "{cycles}");
                assert_eq!(zone.at_instant(at + cycles * YEARS_400), Ok(expect), "{cycles}");
            }
        }
        for far in [-283_000_000_000, -300_000_000_000, i64::MIN] {
            assert_eq!(zone.at_local(far), Ok(local_mean_time));
        }
        assert!(zone.at_instant(i64::MAX).is_ok());
    }
}
