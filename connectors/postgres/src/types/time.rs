//! Dates, times and intervals: their text (DateStyle ISO, IntervalStyle iso_8601, TimeZone UTC, which every connection of
//! ours sets) and their binary forms (days or microseconds since 2000-01-01). PostgreSQL manual, chapter 8.5.

use record::days_from_civil;
use relational::values::temporal::{DAY_MICROS, is_time};

/// Days from 1970-01-01 to 2000-01-01, PostgreSQL's epoch.
pub(super) const EPOCH_DAYS: i64 = 10_957;
/// Microseconds between the two epochs.
pub(super) const EPOCH_MICROS: i64 = EPOCH_DAYS * 86_400_000_000;

/// `infinity` of a timestamp, in microseconds: the number of the JDBC driver's `DATE_POSITIVE_INFINITY`, which Debezium takes
/// as microseconds.
pub(super) const INFINITY_MICROS: i64 = 9_223_372_036_825_200_000;
/// `-infinity` of a timestamp, the same way.
pub(super) const MINUS_INFINITY_MICROS: i64 = -9_223_372_036_832_400_000;
/// `infinity` of a date in days, the same for snapshot and stream.
pub(super) const INFINITY_DAYS: i64 = i32::MAX as i64;
/// `-infinity` of a date.
pub(super) const MINUS_INFINITY_DAYS: i64 = i32::MIN as i64;

/// The last year of the type date. A day of it, or of a year as long before our era, fits an `i32`.
const LAST_YEAR: i64 = 5_874_897;

/// A number of at most 18 digits at the front of a text, and the rest.
fn number(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > 18 {
        return None;
    }
    let n = text[..digits].iter().fold(0_i64, |n, d| n * 10 + i64::from(d - b'0'));
    Some((n, &text[digits..]))
}

/// As [`number`], but `None` beyond `max`: the parts of a date and of a time of day are bounded, so that arithmetic on them
/// cannot overflow, whatever the text is.
fn up_to(max: i64, text: &[u8]) -> Option<(i64, &[u8])> {
    number(text).filter(|(n, _)| *n <= max)
}

fn literal(text: &[u8], byte: u8) -> Option<&[u8]> {
    text.strip_prefix(&[byte])
}

/// `YYYY-MM-DD` at the front; the year may have more than four digits. Gives year, month and day and not a number of days,
/// because the era (`BC`) stands after the time of day.
#[allow(clippy::type_complexity, reason = "the date and what follows it")]
fn date_parts(text: &[u8]) -> Option<((i64, u32, u32), &[u8])> {
    let (year, rest) = up_to(LAST_YEAR, text)?;
    let (month, rest) = up_to(12, literal(rest, b'-')?)?;
    let (day, rest) = up_to(31, literal(rest, b'-')?)?;
    if month == 0 || day == 0 {
        return None;
    }
    Some(((year, month as u32, day as u32), rest))
}

fn days(parts: (i64, u32, u32), bc: bool) -> i64 {
    let (year, month, day) = parts;
    days_from_civil(if bc { 1 - year } else { year }, month, day)
}

/// A date in days since 1970; infinities are the constants above.
pub(super) fn date(text: &[u8]) -> Option<i64> {
    match text {
        b"infinity" => return Some(INFINITY_DAYS),
        b"-infinity" => return Some(MINUS_INFINITY_DAYS),
        _ => {}
    }
    let (parts, rest) = date_parts(text)?;
    match rest {
        b"" => Some(days(parts, false)),
        b" BC" => Some(days(parts, true)),
        _ => None,
    }
}

/// The digits behind a point as millionths; digits after the sixth are cut off.
fn sixth(digits: &[u8]) -> i64 {
    let padded = digits.iter().copied().chain(std::iter::repeat(b'0')).take(6);
    padded.fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'))
}

/// `HH:MM:SS[.ffffff]` at the front, in microseconds. A second may be the 60th, as PostgreSQL's input allows.
fn time_parts(text: &[u8]) -> Option<(i64, &[u8])> {
    let (hours, rest) = up_to(24, text)?;
    let (minutes, rest) = up_to(59, literal(rest, b':')?)?;
    let (seconds, mut rest) = up_to(60, literal(rest, b':')?)?;
    let mut micros = 0;
    if let Some(fraction) = literal(rest, b'.') {
        let count = fraction.iter().take_while(|b| b.is_ascii_digit()).count();
        if count == 0 || count > 6 {
            return None;
        }
        micros = sixth(&fraction[..count]);
        rest = &fraction[count..];
    }
    Some((((hours * 60 + minutes) * 60 + seconds) * 1_000_000 + micros, rest))
}

/// A time of day in microseconds.
pub(super) fn time(text: &[u8]) -> Option<i64> {
    time_parts(text).filter(|(micros, rest)| rest.is_empty() && is_time(*micros)).map(|(micros, _)| micros)
}

/// A zone offset such as `+02`, `-08:30` or `+05:53:28`, in seconds east of Greenwich, and the rest.
fn offset(text: &[u8]) -> Option<(i64, &[u8])> {
    let sign = match text.first()? {
        b'+' => 1,
        b'-' => -1,
        _ => return None,
    };
    let (hours, mut rest) = up_to(24, &text[1..])?;
    let mut seconds = hours * 3600;
    for unit in [60, 1] {
        if let Some(more) = literal(rest, b':') {
            let (n, after) = up_to(59, more)?;
            seconds += n * unit;
            rest = after;
        }
    }
    Some((sign * seconds, rest))
}

/// A time with zone, as microseconds of the day in UTC.
pub(super) fn time_with_zone(text: &[u8]) -> Option<i64> {
    let (micros, rest) = time_parts(text)?;
    let (east, rest) = offset(rest)?;
    rest.is_empty().then(|| (micros - east * 1_000_000).rem_euclid(DAY_MICROS))
}

/// A timestamp, with or without a zone, in microseconds since 1970 (UTC). `None` when the text is not one, or beyond what an
/// `i64` holds.
pub(super) fn timestamp(text: &[u8]) -> Option<i64> {
    match text {
        b"infinity" => return Some(INFINITY_MICROS),
        b"-infinity" => return Some(MINUS_INFINITY_MICROS),
        _ => {}
    }
    let (parts, rest) = date_parts(text)?;
    let (micros, mut rest) = time_parts(literal(rest, b' ')?)?;
    let mut east = 0;
    if matches!(rest.first(), Some(b'+' | b'-')) {
        (east, rest) = offset(rest)?;
    }
    let bc = match rest {
        b"" => false,
        b" BC" => true,
        _ => return None,
    };
    // The type's last years, 294247 to 294276, do not fit.
    days(parts, bc).checked_mul(DAY_MICROS)?.checked_add(micros - east * 1_000_000)
}

/// An interval: months, days and microseconds, each with its own sign.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Interval {
    pub(super) months: i64,
    pub(super) days: i64,
    pub(super) micros: i64,
}

impl Interval {
    /// Reads IntervalStyle iso_8601: `P1Y2M3DT4H5M6.789S`, each number with a sign of its own. `None` when the text is not of
    /// this form, or beyond what an `i64` holds.
    pub(super) fn parse(text: &[u8]) -> Option<Self> {
        let mut rest = literal(text, b'P')?;
        let (mut out, mut in_time) = (Self::default(), false);
        while let Some((first, after)) = rest.split_first() {
            if *first == b'T' && !in_time {
                (in_time, rest) = (true, after);
                continue;
            }
            let negative = *first == b'-';
            let (whole, mut tail) = number(if negative { after } else { rest })?;
            let mut fraction = 0;
            if let Some(more) = literal(tail, b'.') {
                let count = more.iter().take_while(|b| b.is_ascii_digit()).count();
                fraction = sixth(&more[..count]);
                tail = &more[count..];
            }
            let sign = if negative { -1 } else { 1 };
            let (unit, after) = tail.split_first()?;
            let (sum, in_units, more) = match (in_time, unit) {
                (false, b'Y') => (&mut out.months, 12, 0),
                (false, b'M') => (&mut out.months, 1, 0),
                (false, b'W') => (&mut out.days, 7, 0),
                (false, b'D') => (&mut out.days, 1, 0),
                (true, b'H') => (&mut out.micros, 3_600_000_000, 0),
                (true, b'M') => (&mut out.micros, 60_000_000, 0),
                (true, b'S') => (&mut out.micros, 1_000_000, fraction),
                _ => return None,
            };
            *sum = whole.checked_mul(in_units)?.checked_add(more)?.checked_mul(sign)?.checked_add(*sum)?;
            rest = after;
        }
        Some(out)
    }

    /// Microseconds, with months of 365.25 / 12 days. In double arithmetic, as io.debezium.time.MicroDuration computes it.
    pub(super) fn to_micros(self) -> i64 {
        let days = self.months as f64 * (365.25 / 12.0) + self.days as f64;
        ((days * 86_400_000_000.0) as i64).saturating_add(self.micros)
    }

    /// `P<y>Y<m>M<d>DT<h>H<mi>M<s>S`: all six parts, seconds without trailing zeros (io.debezium.time.Interval).
    pub(super) fn to_text(self) -> String {
        let seconds = self.micros % 60_000_000;
        let (whole, fraction) = (seconds / 1_000_000, (seconds % 1_000_000).abs());
        let sign = if seconds < 0 && whole == 0 { "-" } else { "" };
        let mut text = format!(
            "P{}Y{}M{}DT{}H{}M{sign}{whole}",
            self.months / 12,
            self.months % 12,
            self.days,
            self.micros / 3_600_000_000,
            self.micros / 60_000_000 % 60
        );
        if fraction > 0 {
            text.push_str(format!(".{fraction:06}").trim_end_matches('0'));
        }
        text.push('S');
        text
    }
}

#[cfg(test)]
mod tests {
    use relational::values::temporal::time_text;

    use super::*;

    #[test]
    fn dates() {
        for (text, expect) in [
            ("1970-01-01", Some(0)),
            ("2024-02-29", Some(19_782)),
            ("0044-03-15 BC", Some(-735_160)),
            ("infinity", Some(INFINITY_DAYS)),
            ("5874897-12-31", Some(2_145_042_905)),
            ("5874898-01-01", None),
            ("999999999999999999-01-01", None),
            ("999999999999999999-01-01 BC", None),
            ("2024-13-01", None),
            ("2024-00-01", None),
            ("x", None),
        ] {
            assert_eq!(date(text.as_bytes()), expect, "{text}");
        }
    }

    #[test]
    fn timestamps() {
        for (text, expect) in [
            ("2024-02-29 13:14:15.123456", Some(1_709_212_455_123_456)),
            ("2024-02-29 07:44:15.123456+00", Some(1_709_192_655_123_456)),
            ("1969-12-31 23:59:59.999999", Some(-1)),
            ("2024-02-29 13:14:15.5", Some(1_709_212_455_500_000)),
            ("infinity", Some(INFINITY_MICROS)),
            ("2024-02-29", None),
            ("294247-01-10 04:00:54.775807", Some(i64::MAX)),
            ("294247-01-10 04:00:54.775808", None),
            ("294276-12-31 23:59:59.999999+00", None),
            ("2024-02-29 999999999999999999:00:00", None),
            ("2024-02-29 00:00:00+999999999999999999", None),
            ("999999999999999999-02-28 00:00:00", None),
        ] {
            assert_eq!(timestamp(text.as_bytes()), expect, "{text}");
        }
    }

    #[test]
    fn times() {
        for (text, expect) in [
            ("13:14:15.123456", Some(47_655_123_456)),
            ("23:59:60", Some(86_400_000_000)),
            ("24:00:00", Some(86_400_000_000)),
            ("24:00:00.000001", None),
            ("999999999999999999:00:00", None),
            ("00:999999999999999999:00", None),
            ("00:00:999999999999999999", None),
        ] {
            assert_eq!(time(text.as_bytes()), expect, "{text}");
        }
    }

    #[test]
    fn times_with_zone() {
        for (text, expect) in [
            ("13:14:15.123456+02", "11:14:15.123456Z"),
            ("23:59:59.999-08", "07:59:59.999Z"),
            ("24:00:00+00", "00:00:00Z"),
            ("00:00:00-15", "15:00:00Z"),
            ("10:20:30.12+02", "08:20:30.12Z"),
            ("23:59:59.9999+00", "23:59:59.9999Z"),
        ] {
            assert_eq!(time_text(time_with_zone(text.as_bytes()).unwrap()), expect, "{text}");
        }
        for bad in ["999999999999999999:00:00+00", "00:00:00+999999999999999999", "00:00:00-00:999999999999999999"] {
            assert_eq!(time_with_zone(bad.as_bytes()), None, "{bad}");
        }
    }

    #[test]
    fn intervals() {
        for (text, micros, shown) in [
            ("P1Y2M3DT4H5M6.789012S", 37_091_106_789_012, "P1Y2M3DT4H5M6.789012S"),
            ("P-1M-1DT-1S", -2_716_201_000_000, "P0Y-1M-1DT0H0M-1S"),
            ("PT0S", 0, "P0Y0M0DT0H0M0S"),
            ("PT-0.5S", -500_000, "P0Y0M0DT0H0M-0.5S"),
            ("P100Y", 3_155_760_000_000_000, "P100Y0M0DT0H0M0S"),
            ("PT0.000001S", 1, "P0Y0M0DT0H0M0.000001S"),
            ("P178000000YT1S", i64::MAX, "P178000000Y0M0DT0H0M1S"),
            ("PT-2562047788H-54.775808S", i64::MIN, "P0Y0M0DT-2562047788H0M-54.775808S"),
        ] {
            let interval = Interval::parse(text.as_bytes()).unwrap();
            assert_eq!((interval.to_micros(), interval.to_text().as_str()), (micros, shown), "{text}");
        }
        let huge = "999999999999999999";
        for beyond in [
            format!("P{huge}Y"),
            format!("P{huge}W{huge}W"),
            format!("P{}", format!("{huge}D").repeat(10)),
            format!("PT-{huge}H"),
            format!("PT-{huge}M"),
            format!("PT{huge}S"),
        ] {
            assert_eq!(Interval::parse(beyond.as_bytes()), None, "{beyond}");
        }
    }
}
