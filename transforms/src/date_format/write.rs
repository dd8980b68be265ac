//! Writes dates.

use super::calendar::{DAY_MS, date_of, weekday};
use super::names::{DAYS, ERAS, HALVES_OF_DAY, MONTHS, short};
use super::pattern::{Field, Item};

pub(super) fn write(items: &[Item], out: &mut Vec<u8>, ms: i64) {
    let date = date_of(ms.div_euclid(DAY_MS));
    let in_day = ms.rem_euclid(DAY_MS);
    let (hour, minute, second) = (in_day / 3_600_000, in_day / 60_000 % 60, in_day / 1000 % 60);
    let in_common_era = date.year > 0;
    for item in items {
        let (field, count) = match item {
            Item::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                continue;
            }
            Item::Field(field, count) => (*field, *count),
        };
        let name = |names: &[&'static str], at: i64| {
            let name = names[at as usize];
            if count > 3 { name } else { short(name) }
        };
        // Java has only a year of two digits for `yy`; other years are whole.
        let of_year = |year: i64| if count == 2 { year.rem_euclid(100) } else { year };
        let number = match field {
            Field::Era => {
                out.extend_from_slice(ERAS[usize::from(in_common_era)].as_bytes());
                continue;
            }
            Field::Month if count > 2 => {
                out.extend_from_slice(name(&MONTHS, date.month).as_bytes());
                continue;
            }
            Field::DayName => {
                out.extend_from_slice(name(&DAYS, weekday(date.days)).as_bytes());
                continue;
            }
            Field::HalfOfDay => {
                out.extend_from_slice(HALVES_OF_DAY[usize::from(hour >= 12)].as_bytes());
                continue;
            }
            Field::ZoneName => {
                out.extend_from_slice(if count > 3 { b"Coordinated Universal Time" } else { b"UTC" });
                continue;
            }
            Field::Zone => {
                out.extend_from_slice(b"+0000");
                continue;
            }
            Field::IsoZone => {
                out.push(b'Z');
                continue;
            }
            Field::Year => of_year(if in_common_era { date.year } else { 1 - date.year }),
            Field::WeekYear => of_year(date.week().0),
            Field::Month => date.month + 1,
            Field::WeekOfYear => date.week().1,
            Field::WeekOfMonth => date.week_of_month(),
            Field::DayOfYear => date.day_of_year(),
            Field::DayOfMonth => date.day,
            Field::WeekdayInMonth => date.weekday_in_month(),
            Field::DayNumber => (weekday(date.days) + 6) % 7 + 1,
            Field::Hour => hour,
            Field::HourFromOne => (hour + 23) % 24 + 1,
            Field::HalfHour => hour % 12,
            Field::HalfHourFromOne => (hour + 11) % 12 + 1,
            Field::Minute => minute,
            Field::Second => second,
            Field::Millisecond => in_day % 1000,
        };
        padded(out, number, count);
    }
}

/// Writes a number with at least `width` digits.
fn padded(out: &mut Vec<u8>, number: i64, width: usize) {
    let mut buffer = itoa::Buffer::new();
    let digits = buffer.format(number.unsigned_abs());
    if number < 0 {
        out.push(b'-');
    }
    out.resize(out.len() + width.saturating_sub(digits.len()), b'0');
    out.extend_from_slice(digits.as_bytes());
}
