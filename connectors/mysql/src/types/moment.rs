//! DATE, TIME, DATETIME and TIMESTAMP in their three forms, the binlog's in both generations: with fractions (TIME2,
//! DATETIME2, TIMESTAMP2) and without, as servers before 5.6 wrote them and old tables still do.
//!
//! What the calendar does not have is told apart here: a zero date (`0000-00-00`, `2020-00-15`), which stands for no value,
//! and a date like 31 February, which some `sql_mode`s let pass.

use jiff::tz::TimeZone;
use record::days_from_civil;
use relational::values::temporal::DAY_MICROS;

use super::cell::Fault;
use super::form::{Form, digits as fraction_digits};
use crate::binlog::{WireColumn, wire_type as kind};

/// A date and a time of day as the server has them: not necessarily in the calendar.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Civil {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    /// Microseconds of the second.
    micros: u32,
}

/// A date in days since 1970; none for a zero date.
pub(super) fn date(form: Form, raw: &[u8], adjusts_years: bool) -> Result<Option<i64>, Fault> {
    let civil = match form {
        Form::Text => Civil::of_text(raw).filter(|_| raw.len() == 10),
        Form::Binary => Civil::of_protocol(raw),
        Form::Log(_) => match *raw {
            [a, b, c] => {
                let packed = u32::from_le_bytes([a, b, c, 0]);
                let (month, day) = ((packed >> 5 & 15) as u8, (packed & 31) as u8);
                Some(Civil { year: (packed >> 9) as u16, month, day, ..Civil::default() })
            }
            _ => None,
        },
    };
    civil.ok_or(Fault::Value("not a date"))?.days(form, adjusts_years)
}

/// A DATETIME in microseconds since 1970-01-01T00:00:00; none for a zero date.
pub(super) fn datetime(form: Form, raw: &[u8], adjusts_years: bool) -> Result<Option<i64>, Fault> {
    let civil = match form {
        Form::Text => Civil::of_text(raw),
        Form::Binary => Civil::of_protocol(raw),
        Form::Log(log) if log.kind == kind::DATETIME => <[u8; 8]>::try_from(raw).ok().map(Civil::of_decimal),
        Form::Log(log) => Civil::of_packed(raw, log),
    };
    civil.ok_or(Fault::Value("not a date and time"))?.micros(form, adjusts_years)
}

/// A TIMESTAMP in microseconds since 1970-01-01T00:00:00Z; none for the zero timestamp. `zone` is the one that the query's
/// texts are in; without it they are in UTC.
pub(super) fn timestamp(form: Form, raw: &[u8], zone: Option<&TimeZone>) -> Result<Option<i64>, Fault> {
    let bad = Fault::Value("not a timestamp");
    let Form::Log(log) = form else {
        let civil = if form == Form::Text { Civil::of_text(raw) } else { Civil::of_protocol(raw) };
        let micros = civil.ok_or(bad)?.micros(form, false)?;
        return Ok(micros.map(|micros| zone.map_or(micros, |zone| in_zone(micros, zone))));
    };
    let (seconds, fraction) = raw.split_at_checked(4).ok_or(bad)?;
    let seconds = <[u8; 4]>::try_from(seconds).map_err(|_| bad)?;
    let micros = if log.kind == kind::TIMESTAMP {
        i64::from(u32::from_le_bytes(seconds)) * 1_000_000
    } else {
        i64::from(u32::from_be_bytes(seconds)) * 1_000_000 + i64::from(micros_of(fraction, log).ok_or(bad)?)
    };
    Ok((micros != 0).then_some(micros))
}

/// The instant that a wall clock of the zone shows; of an hour that happens twice the first, of one that does not happen the
/// instant as far behind the gap (`java.time`'s rule).
fn in_zone(micros: i64, zone: &TimeZone) -> i64 {
    let wall = jiff::Timestamp::from_microsecond(micros).map(|at| TimeZone::UTC.to_datetime(at));
    let instant = wall.and_then(|wall| zone.to_ambiguous_zoned_datetime(wall).compatible());
    instant.map_or(micros, |instant| instant.timestamp().as_microsecond())
}

/// A TIME in microseconds, with its sign.
pub(super) fn time(form: Form, raw: &[u8]) -> Result<i64, Fault> {
    match form {
        Form::Text => duration(raw),
        Form::Binary => duration_of_protocol(raw),
        Form::Log(log) if log.kind == kind::TIME => match *raw {
            [a, b, c] => {
                let decimal = i32::from_le_bytes([0, a, b, c]) >> 8;
                let abs = decimal.unsigned_abs();
                elapsed(decimal < 0, u64::from(abs / 10_000), abs / 100 % 100, abs % 100, 0)
            }
            _ => None,
        },
        Form::Log(log) => duration_of_packed(raw, log),
    }
    .ok_or(Fault::Value("not a time"))
}

fn elapsed(negative: bool, hours: u64, minutes: u32, seconds: u32, micros: u32) -> Option<i64> {
    if minutes > 59 || seconds > 59 || micros > 999_999 || hours > 1_000_000 {
        return None;
    }
    let whole = (hours as i64 * 60 + i64::from(minutes)) * 60 + i64::from(seconds);
    let micros = whole * 1_000_000 + i64::from(micros);
    Some(if negative { -micros } else { micros })
}

/// `[-]HH:MM[:SS[.ffffff]]`; hours may have more digits.
pub(super) fn duration(text: &[u8]) -> Option<i64> {
    let (negative, text) = match text.split_first()? {
        (b'-', rest) => (true, rest),
        _ => (false, text),
    };
    let mut parts = text.splitn(3, |byte| *byte == b':');
    let (hours, minutes) = (digits(parts.next()?)?, digits(parts.next()?)?);
    let (seconds, micros) = match parts.next() {
        None => (0, 0),
        Some(seconds) => match seconds.iter().position(|byte| *byte == b'.') {
            Some(point) => (digits(&seconds[..point])?, fraction(&seconds[point + 1..])?),
            None => (digits(seconds)?, 0),
        },
    };
    elapsed(negative, u64::from(hours), minutes, seconds, micros)
}

fn duration_of_protocol(raw: &[u8]) -> Option<i64> {
    if raw.is_empty() {
        return Some(0);
    }
    let (sign, rest) = raw.split_first()?;
    let (days, rest) = rest.split_at_checked(4)?;
    let days = u32::from_le_bytes(days.try_into().ok()?);
    let (hours, minutes, seconds, micros) = match *rest {
        [hours, minutes, seconds] => (hours, minutes, seconds, 0),
        [hours, minutes, seconds, a, b, c, d] => (hours, minutes, seconds, u32::from_le_bytes([a, b, c, d])),
        _ => return None,
    };
    elapsed(*sign != 0, u64::from(days) * 24 + u64::from(hours), u32::from(minutes), u32::from(seconds), micros)
}

/// TIME2: 24 bits (sign, one spare, 10 of hours, 6 of minutes, 6 of seconds) and the fraction, as one big-endian number with
/// an offset, so that it sorts as bytes.
fn duration_of_packed(raw: &[u8], log: WireColumn) -> Option<i64> {
    let fraction_bytes = fraction_bytes(log);
    if raw.len() != 3 + fraction_bytes {
        return None;
    }
    let packed = raw.iter().fold(0_i64, |n, byte| n << 8 | i64::from(*byte)) - (1 << (8 * raw.len() - 1));
    let abs = packed.unsigned_abs();
    let (whole, fraction) = (abs >> (8 * fraction_bytes), abs & ((1 << (8 * fraction_bytes)) - 1));
    let micros = scaled(fraction as u32, fraction_bytes);
    elapsed(packed < 0, whole >> 12 & 0x3ff, (whole >> 6 & 63) as u32, (whole & 63) as u32, micros)
}

/// The bytes of a fraction of a second: one for each two digits.
fn fraction_bytes(log: WireColumn) -> usize {
    usize::from(fraction_digits(log).div_ceil(2))
}

/// A fraction of one, two or three bytes in microseconds.
fn scaled(fraction: u32, bytes: usize) -> u32 {
    fraction.saturating_mul(match bytes {
        0 => 0,
        1 => 10_000,
        2 => 100,
        _ => 1,
    })
}

fn micros_of(raw: &[u8], log: WireColumn) -> Option<u32> {
    if raw.len() != fraction_bytes(log) {
        return None;
    }
    let fraction = raw.iter().fold(0_u32, |n, byte| n << 8 | u32::from(*byte));
    Some(scaled(fraction, raw.len())).filter(|micros| *micros < 1_000_000)
}

/// A number of one to nine digits and nothing else.
fn digits(text: &[u8]) -> Option<u32> {
    if text.is_empty() || text.len() > 9 || !text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    Some(text.iter().fold(0, |n, digit| n * 10 + u32::from(digit - b'0')))
}

/// The digits behind a point in microseconds; those after the sixth are cut.
fn fraction(text: &[u8]) -> Option<u32> {
    let micros = digits(text)?;
    Some(match text.len() {
        6 => micros,
        short @ 1..6 => micros * 10_u32.pow(6 - short as u32),
        long => micros / 10_u32.pow(long as u32 - 6),
    })
}

impl Civil {
    /// `YYYY-MM-DD[ HH:MM:SS[.ffffff]]`.
    fn of_text(text: &[u8]) -> Option<Self> {
        let (date, rest) = text.split_at_checked(10)?;
        let dashed = date[4] == b'-' && date[7] == b'-';
        let (year, month, day) = (digits(&date[..4])?, digits(&date[5..7])?, digits(&date[8..])?);
        let mut civil = Self { year: year as u16, month: month as u8, day: day as u8, ..Self::default() };
        if !dashed {
            return None;
        }
        let Some(rest) = rest.strip_prefix(b" ") else { return rest.is_empty().then_some(civil) };
        let (clock, rest) = rest.split_at_checked(8)?;
        if clock[2] != b':' || clock[5] != b':' {
            return None;
        }
        civil.hour = digits(&clock[..2])? as u8;
        civil.minute = digits(&clock[3..5])? as u8;
        civil.second = digits(&clock[6..])? as u8;
        if !rest.is_empty() {
            civil.micros = fraction(rest.strip_prefix(b".")?)?;
        }
        Some(civil)
    }

    /// The binary protocol: nothing, a date, a date with hour, minute and second, or all of it with microseconds.
    fn of_protocol(raw: &[u8]) -> Option<Self> {
        let mut civil = Self::default();
        if raw.is_empty() {
            return Some(civil);
        }
        let (date, rest) = raw.split_at_checked(4)?;
        civil.year = u16::from_le_bytes([date[0], date[1]]);
        (civil.month, civil.day) = (date[2], date[3]);
        match *rest {
            [] => {}
            [hour, minute, second] => (civil.hour, civil.minute, civil.second) = (hour, minute, second),
            [hour, minute, second, a, b, c, d] => {
                (civil.hour, civil.minute, civil.second) = (hour, minute, second);
                civil.micros = u32::from_le_bytes([a, b, c, d]);
            }
            _ => return None,
        }
        Some(civil)
    }

    /// DATETIME before 5.6: the decimal number `YYYYMMDDHHMMSS`.
    fn of_decimal(raw: [u8; 8]) -> Self {
        let n = u64::from_le_bytes(raw);
        let two = |divisor: u64| (n / divisor % 100) as u8;
        let year = (n / 10_000_000_000).min(u64::from(u16::MAX)) as u16;
        let (month, day) = (two(100_000_000), two(1_000_000));
        Self { year, month, day, hour: two(10_000), minute: two(100), second: two(1), micros: 0 }
    }

    /// DATETIME2: 40 bits (sign, 17 of `year * 13 + month`, 5 of day, 5 of hour, 6 of minute, 6 of second), then the fraction.
    fn of_packed(raw: &[u8], log: WireColumn) -> Option<Self> {
        let (whole, fraction) = raw.split_at_checked(5)?;
        let packed = whole.iter().fold(0_u64, |n, byte| n << 8 | u64::from(*byte));
        let year_month = packed >> 22 & 0x1_ffff;
        Some(Self {
            year: (year_month / 13) as u16,
            month: (year_month % 13) as u8,
            day: (packed >> 17 & 31) as u8,
            hour: (packed >> 12 & 31) as u8,
            minute: (packed >> 6 & 63) as u8,
            second: (packed & 63) as u8,
            micros: micros_of(fraction, log)?,
        })
    }

    /// Days since 1970; none for a zero date. In the binlog's form the year zero makes one too, in a query's not: the
    /// consumers of Debezium's records see this difference.
    fn days(self, form: Form, adjusts_years: bool) -> Result<Option<i64>, Fault> {
        let Self { year, month, day, .. } = self;
        if month == 0 || day == 0 || year == 0 && matches!(form, Form::Log(_)) {
            return Ok(None);
        }
        if month > 12 || day > days_in(year, month) || year > 9999 {
            return Err(Fault::Calendar);
        }
        let year = if adjusts_years { adjusted(year) } else { year };
        Ok(Some(days_from_civil(i64::from(year), u32::from(month), u32::from(day))))
    }

    /// Microseconds since 1970-01-01T00:00:00; none for a zero date.
    fn micros(self, form: Form, adjusts_years: bool) -> Result<Option<i64>, Fault> {
        let Some(days) = self.days(form, adjusts_years)? else { return Ok(None) };
        if self.hour > 23 || self.minute > 59 || self.second > 59 || self.micros > 999_999 {
            return Err(Fault::Calendar);
        }
        let seconds = (i64::from(self.hour) * 60 + i64::from(self.minute)) * 60 + i64::from(self.second);
        Ok(Some(days * DAY_MICROS + seconds * 1_000_000 + i64::from(self.micros)))
    }
}

fn days_in(year: u16, month: u8) -> u8 {
    match month {
        2 if year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400)) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// The year that a year of two digits means (`enable.time.adjuster`).
pub(super) fn adjusted(year: u16) -> u16 {
    match year {
        0..=69 => year + 2000,
        70..=99 => year + 1900,
        _ => year,
    }
}

/// How many digits the fraction has without its trailing zeros.
pub(super) fn shown_digits(micros: i64) -> u8 {
    let (mut fraction, mut digits) = (micros.rem_euclid(1_000_000), 6);
    while digits > 0 && fraction % 10 == 0 {
        fraction /= 10;
        digits -= 1;
    }
    digits
}

#[cfg(test)]
mod tests;
