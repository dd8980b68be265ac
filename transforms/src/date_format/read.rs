//! Reads dates.

use super::calendar::{DAY_MS, DayFields, Set, date_of};
use super::names::{DAYS, ERAS, HALVES_OF_DAY, MONTHS, short};
use super::pattern::{Field, Item};
use super::zone;

/// What was read so far.
#[derive(Clone, Debug, Default)]
struct Found {
    before_common_era: bool,
    /// The year, or of the two kinds of year the one that was read last.
    year: Option<i64>,
    is_week_year: bool,
    /// The year was given by two digits, and is the first of the hundred years that these may mean.
    ambiguous: bool,
    day: DayFields,
    hour: Option<Set>,
    half_hour: Option<Set>,
    /// 0: before noon, 1: after.
    half_of_day: Option<Set>,
    minute: i64,
    second: i64,
    millisecond: i64,
    zone_ms: i64,
}

/// Reads a text. Years of two digits are those of the hundred years from `century_start_ms` on.
pub(super) fn read(items: &[Item], text: &str, century_start_ms: i64) -> Option<i64> {
    let bytes = text.as_bytes();
    let mut found = Found::default();
    let mut at = 0;
    for (step, item) in items.iter().enumerate() {
        match item {
            Item::Text(expect) => {
                if !bytes[at..].starts_with(expect.as_bytes()) {
                    return None;
                }
                at += expect.len();
            }
            Item::Field(field, count) => {
                // A number ends where its letters do if another number follows at once: `yyyyMMdd`.
                let is_bounded =
                    matches!(items.get(step + 1), Some(Item::Field(next, count)) if next.is_number(*count));
                let spot = Spot { bytes, at, count: *count, is_bounded, when: step + 1 };
                at = spot.read(*field, &mut found, century_start_ms)?;
            }
        }
    }
    let ms = found.instant();
    if found.ambiguous && ms < century_start_ms {
        found.year = found.year.map(|year| year + 100);
        return Some(found.instant());
    }
    Some(ms)
}

/// A place in the text at which a field is read.
struct Spot<'t> {
    bytes: &'t [u8],
    at: usize,
    count: usize,
    is_bounded: bool,
    /// The number of the field in the pattern.
    when: usize,
}

impl Spot<'_> {
    /// Reads the field and gives the place behind it.
    fn read(&self, field: Field, found: &mut Found, century_start_ms: i64) -> Option<usize> {
        // There must be something else than spaces, for names too, although spaces may not stand before a name.
        let start = self.at + self.bytes[self.at..].iter().position(|byte| !matches!(byte, b' ' | b'\t'))?;
        let set = |value: i64| Some(Set { value, when: self.when });
        match field {
            Field::Era => {
                let (era, end) = self.name(&[&ERAS])?;
                found.before_common_era = era == 0;
                return Some(end);
            }
            Field::Month if self.count > 2 => {
                let (month, end) = self.name(&[&MONTHS, &MONTHS.map(short)])?;
                found.day.month = Some(month);
                return Some(end);
            }
            Field::DayName => {
                let (day, end) = self.name(&[&DAYS, &DAYS.map(short)])?;
                found.day.weekday = set(day);
                return Some(end);
            }
            Field::HalfOfDay => {
                let (half, end) = self.name(&[&HALVES_OF_DAY])?;
                found.half_of_day = set(half);
                return Some(end);
            }
            Field::ZoneName | Field::Zone => {
                let (offset_ms, end) = zone::general(self.bytes, start, start > self.at)?;
                found.zone_ms = offset_ms;
                return Some(end);
            }
            Field::IsoZone => {
                let (offset_ms, end) = zone::iso(self.bytes, start, self.count)?;
                found.zone_ms = offset_ms;
                return Some(end);
            }
            _ => {}
        }
        let (value, end) = self.number(start)?;
        match field {
            Field::Year | Field::WeekYear => {
                let is_short = self.count <= 2 && end - start == 2 && self.bytes[start] != b'-';
                let (year, ambiguous) = if is_short { short_year(value, century_start_ms) } else { (value, false) };
                found.year = Some(year);
                found.ambiguous = ambiguous;
                found.is_week_year = field == Field::WeekYear;
            }
            Field::Month => found.day.month = Some(value - 1),
            Field::WeekOfYear => found.day.week_of_year = set(value),
            Field::WeekOfMonth => found.day.week_of_month = set(value),
            Field::DayOfYear => found.day.day_of_year = set(value),
            Field::DayOfMonth => found.day.day_of_month = set(value),
            Field::WeekdayInMonth => found.day.weekday_in_month = set(value),
            // From 1 for Monday to 0 for Sunday; a number that is no day stays as it is, but Java's days start at 1.
            Field::DayNumber => found.day.weekday = set(if (1..=7).contains(&value) { value % 7 } else { value - 1 }),
            Field::Hour => found.hour = set(value),
            Field::HourFromOne => found.hour = set(if value == 24 { 0 } else { value }),
            Field::HalfHour => found.half_hour = set(value),
            Field::HalfHourFromOne => found.half_hour = set(if value == 12 { 0 } else { value }),
            Field::Minute => found.minute = value,
            Field::Second => found.second = value,
            Field::Millisecond => found.millisecond = value,
            Field::Era | Field::DayName | Field::HalfOfDay | Field::ZoneName | Field::Zone | Field::IsoZone => {}
        }
        Some(end)
    }

    /// The index of the name that the text goes on with, in any case, and the place behind it. Of several, the longest one
    /// counts; a later list is tried if no name of the earlier ones fits.
    fn name(&self, lists: &[&[&str]]) -> Option<(i64, usize)> {
        let rest = &self.bytes[self.at..];
        let fits =
            |name: &&str| rest.get(..name.len()).is_some_and(|start| start.eq_ignore_ascii_case(name.as_bytes()));
        lists.iter().find_map(|names| {
            let (index, name) = names.iter().enumerate().filter(|(_, name)| fits(name)).max_by_key(|(_, n)| n.len())?;
            Some((index as i64, self.at + name.len()))
        })
    }

    /// A number, which may be negative, and the place behind it.
    fn number(&self, start: usize) -> Option<(i64, usize)> {
        let mut text = self.bytes;
        if self.is_bounded {
            text = text.get(..self.at + self.count)?;
        }
        let rest = text.get(start..)?;
        let negative = rest.first() == Some(&b'-');
        let digits = &rest[usize::from(negative)..];
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        if length == 0 {
            return None;
        }
        let magnitude = digits[..length]
            .iter()
            .try_fold(0_i64, |number, digit| number.checked_mul(10)?.checked_add(i64::from(digit - b'0')));
        // Java cuts a number to 32 bits, except one that needs more than 64: that becomes the largest.
        let value = match (magnitude, negative) {
            (Some(number), true) => (-number) as i32,
            (Some(number), false) => number as i32,
            (None, true) => i32::MIN,
            (None, false) => i32::MAX,
        };
        Some((i64::from(value), start + usize::from(negative) + length))
    }
}

/// The year that two digits mean, and whether it is the year in which the hundred years start.
fn short_year(digits: i64, century_start_ms: i64) -> (i64, bool) {
    let start = date_of(century_start_ms.div_euclid(DAY_MS)).year;
    let first = start.rem_euclid(100);
    let century = start - first;
    (century + digits + if digits < first { 100 } else { 0 }, digits == first)
}

impl Found {
    /// Milliseconds since 1970.
    fn instant(&self) -> i64 {
        let year = self.year.unwrap_or(1970);
        let year = if self.before_common_era { 1 - year } else { year };
        let days = if self.is_week_year { self.day.days_of_week_year(year) } else { self.day.days(year) };
        let in_day =
            self.hours() * 3_600_000 + self.minute * 60_000 + self.second * 1000 + self.millisecond - self.zone_ms;
        // A year of many digits leaves the range, in Java too.
        days.wrapping_mul(DAY_MS).wrapping_add(in_day)
    }

    /// The hour of the day: of the two ways to say it, the one that was completed last.
    fn hours(&self) -> i64 {
        let value = |field: Option<Set>| field.map_or(0, |set| set.value);
        let half = value(self.half_hour) + 12 * value(self.half_of_day);
        let of_half = self.half_hour.zip(self.half_of_day).map(|(hour, half)| hour.when.max(half.when));
        match (self.hour, of_half) {
            (Some(hour), Some(when)) if when > hour.when => half,
            (Some(hour), _) => hour.value,
            (None, _) => half,
        }
    }
}
