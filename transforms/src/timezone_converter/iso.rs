//! Times as Debezium writes them: `2024-06-01T12:00:00.5+02:00` and `12:00:00Z`.
//!
//! Must not know: time zones.

use record::{days_from_civil, write_iso_date};

const DAY: i64 = 86_400;

/// A local time with its offset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Zoned {
    /// Seconds since the local 1970, or since the local midnight.
    pub(super) seconds: i64,
    /// Nanoseconds in the second.
    pub(super) nanos: u32,
    /// Seconds to subtract for UTC.
    pub(super) offset: i32,
}

impl Zoned {
    /// The same instant under another offset.
    pub(super) fn moved(self, offset: i32) -> Self {
        Self { seconds: self.seconds - i64::from(self.offset) + i64::from(offset), offset, ..self }
    }

    /// Reads a date and a time.
    pub(super) fn timestamp(text: &str) -> Option<Self> {
        let (date, time) = text.split_once('T')?;
        let (sign, digits) = match date.as_bytes().first()? {
            b'-' => (-1, &date[1..]),
            b'+' => (1, &date[1..]),
            _ => (1, date),
        };
        let mut parts = digits.split('-');
        let (year, month, day) = (parts.next()?, two(parts.next()?)?, two(parts.next()?)?);
        let is_year = (4..=10).contains(&year.len()) && year.bytes().all(|digit| digit.is_ascii_digit());
        if !is_year || parts.next().is_some() || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
            return None;
        }
        let days = days_from_civil(sign * year.parse::<i64>().ok()?, month, day);
        let time = Self::time(time)?;
        Some(Self { seconds: days * DAY + time.seconds, ..time })
    }

    /// Reads a time.
    pub(super) fn time(text: &str) -> Option<Self> {
        let (clock, offset) = text.split_at(text.find(['Z', '+', '-'])?);
        let offset = match offset.as_bytes() {
            b"Z" => 0,
            [sign, ..] => {
                let seconds = clock_seconds(&offset[1..])?;
                if *sign == b'-' { -(seconds as i32) } else { seconds as i32 }
            }
            [] => return None,
        };
        let (clock, fraction) = clock.split_once('.').unwrap_or((clock, ""));
        if fraction.len() > 9 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
            return None;
        }
        let nanos = format!("{fraction:0<9}").parse().ok()?;
        Some(Self { seconds: i64::from(clock_seconds(clock)?), nanos, offset })
    }

    /// The date and the time as a text, without zeros at the end of the fraction.
    pub(super) fn timestamp_text(self) -> String {
        let mut out = Vec::with_capacity(40);
        write_iso_date(&mut out, self.seconds.div_euclid(DAY));
        out.push(b'T');
        self.finish(out)
    }

    /// The time as a text, without zeros at the end of the fraction.
    pub(super) fn time_text(self) -> String {
        self.finish(Vec::with_capacity(24))
    }

    fn finish(self, mut out: Vec<u8>) -> String {
        write_clock(&mut out, self.seconds.rem_euclid(DAY) as u32, true);
        if self.nanos > 0 {
            let fraction = format!(".{:09}", self.nanos);
            out.extend_from_slice(fraction.trim_end_matches('0').as_bytes());
        }
        if self.offset == 0 {
            out.push(b'Z');
        } else {
            out.push(if self.offset < 0 { b'-' } else { b'+' });
            let seconds = self.offset.unsigned_abs();
            write_clock(&mut out, seconds, !seconds.is_multiple_of(60));
        }
        // Only ASCII was written.
        String::from_utf8(out).unwrap_or_default()
    }
}

fn two(text: &str) -> Option<u32> {
    if text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit()) { text.parse().ok() } else { None }
}

/// The seconds of `hh:mm` or `hh:mm:ss`.
fn clock_seconds(text: &str) -> Option<u32> {
    let mut parts = text.split(':');
    let (hours, minutes) = (two(parts.next()?)?, two(parts.next()?)?);
    let seconds = parts.next().map_or(Some(0), two)?;
    let fits = hours < 24 && minutes < 60 && seconds < 60 && parts.next().is_none();
    fits.then_some(hours * 3600 + minutes * 60 + seconds)
}

fn write_clock(out: &mut Vec<u8>, seconds: u32, with_seconds: bool) {
    let two = |number: u32| [b'0' + (number / 10) as u8, b'0' + (number % 10) as u8];
    out.extend_from_slice(&two(seconds / 3600));
    out.push(b':');
    out.extend_from_slice(&two(seconds / 60 % 60));
    if with_seconds {
        out.push(b':');
        out.extend_from_slice(&two(seconds % 60));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn texts_move() {
        for (text, offset, expect) in [
            ("2018-01-02T11:15:30.123456789+00:00", 19_800, "2018-01-02T16:45:30.123456789+05:30"),
            ("2024-06-01T12:00:00Z", -12_600, "2024-06-01T08:30:00-03:30"),
            ("2024-03-31T01:30:00.000000Z", 19_800, "2024-03-31T07:00:00+05:30"),
            ("1969-12-31T23:59:59.5Z", 3600, "1970-01-01T00:59:59.5+01:00"),
            ("2024-01-01T12:00+01:00", 0, "2024-01-01T11:00:00Z"),
            ("+10000-01-01T00:00:00Z", -3600, "9999-12-31T23:00:00-01:00"),
            ("-0001-12-31T23:00:00Z", 5040, "0000-01-01T00:24:00+01:24"),
            ("1800-01-01T00:00:00Z", -17_762, "1799-12-31T19:03:58-04:56:02"),
        ] {
            assert_eq!(Zoned::timestamp(text).map(|time| time.moved(offset).timestamp_text()).as_deref(), Some(expect));
        }
        for (text, offset, expect) in [
            ("12:00:00Z", 3600, "13:00:00+01:00"),
            ("23:30:00.250+01:00", 10_800, "01:30:00.25+03:00"),
            ("00:10:00Z", -3600, "23:10:00-01:00"),
        ] {
            assert_eq!(Zoned::time(text).map(|time| time.moved(offset).time_text()).as_deref(), Some(expect));
        }
    }

    #[test]
    fn what_is_no_time() {
        for text in [
            "",
            "2024-01-01",
            "2024-01-01T",
            "2024-01-01T12:00:00",
            "24-01-01T12:00:00Z",
            "2024-13-01T12:00:00Z",
            "2024-01-01T24:00:00Z",
            "2024-01-01T12:00:00.0123456789Z",
            "infinity",
            "2024-01-01T12:00:00ZZ",
            "2024-01-01T1:00Z",
        ] {
            assert_eq!(Zoned::timestamp(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn texts_read_back(seconds in -100_000_000_000_000_i64..100_000_000_000_000, nanos in 0_u32..1_000_000_000, offset in -64_800..=64_800) {
            let time = Zoned { seconds, nanos, offset };
            prop_assert_eq!(Zoned::timestamp(&time.timestamp_text()), Some(time));
            let time = Zoned { seconds: seconds.rem_euclid(DAY), ..time };
            prop_assert_eq!(Zoned::time(&time.time_text()), Some(time));
        }

        #[test]
        fn no_text_is_too_much(text in ".{0,40}") {
            let _ = (Zoned::timestamp(&text), Zoned::time(&text));
        }
    }
}
