//! Java's `GregorianCalendar` in UTC: days and fields, Gregorian from the 15th of October 1582 on and Julian before.
//!
//! Years are counted as astronomers do: the year 1 BC is 0.
//!
//! Must not know: patterns, texts.

use record::{civil_from_days, days_from_civil};

pub(super) const DAY_MS: i64 = 86_400_000;

/// 15 October 1582, in days since 1970: the first day of the Gregorian calendar.
const FIRST_GREGORIAN: i64 = -141_427;

/// The first month of the year.
const JANUARY: i64 = 0;

/// A day by its calendar fields.
#[derive(Clone, Copy, Debug)]
pub(super) struct Date {
    pub(super) days: i64,
    pub(super) year: i64,
    /// From 0.
    pub(super) month: i64,
    /// From 1.
    pub(super) day: i64,
}

/// Days since 1970 of a Julian date. The month must be in its range.
fn julian_days(year: i64, month: i64, day: i64) -> i64 {
    // Years from March on, so that the leap day is the last one.
    let (y, m) = if month < 2 { (year - 1, month + 10) } else { (year, month - 2) };
    y * 365 + y.div_euclid(4) + (153 * m + 2) / 5 + day - 1 - 719_470
}

/// The day of a year, month and day. As in Java's lenient calendars, months and days beyond their range go on into the next
/// ones, and numbers below it count backwards.
pub(super) fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = (year + month.div_euclid(12), month.rem_euclid(12));
    let gregorian = days_from_civil(year, month as u32 + 1, 1) + day - 1;
    if gregorian >= FIRST_GREGORIAN { gregorian } else { julian_days(year, month, 1) + day - 1 }
}

/// The date of a day since 1970.
pub(super) fn date_of(days: i64) -> Date {
    if days >= FIRST_GREGORIAN {
        let (year, month, day) = civil_from_days(days);
        return Date { days, year, month: i64::from(month) - 1, day: i64::from(day) };
    }
    // Days since 1 March of the year 0, in the Julian calendar.
    let z = days + 719_470;
    let cycle = z.div_euclid(1461);
    let in_cycle = z.rem_euclid(1461);
    let year_in_cycle = (in_cycle - in_cycle / 1460) / 365;
    let day_of_year = in_cycle - 365 * year_in_cycle;
    let from_march = (5 * day_of_year + 2) / 153;
    let month = if from_march < 10 { from_march + 2 } else { from_march - 10 };
    let year = cycle * 4 + year_in_cycle + i64::from(month < 2);
    Date { days, year, month, day: day_of_year - (153 * from_march + 2) / 5 + 1 }
}

/// The day of the week, from 0 for Sunday.
pub(super) fn weekday(days: i64) -> i64 {
    (days + 4).rem_euclid(7)
}

/// The last day of this weekday that is not after `days`.
fn last(weekday_wanted: i64, days: i64) -> i64 {
    days - (weekday(days) - weekday_wanted).rem_euclid(7)
}

impl Date {
    /// From 1.
    pub(super) fn day_of_year(&self) -> i64 {
        self.days - days_of(self.year, JANUARY, 1) + 1
    }

    /// The how manyth of its weekday in the month the day is, from 1.
    pub(super) fn weekday_in_month(&self) -> i64 {
        (self.day - 1).div_euclid(7) + 1
    }

    /// From 1; the first week is the one with the first day of the month.
    pub(super) fn week_of_month(&self) -> i64 {
        (self.days - last(0, days_of(self.year, self.month, 1))) / 7 + 1
    }

    /// The year to which the week belongs, and the week's number in it.
    pub(super) fn week(&self) -> (i64, i64) {
        let start = |year| last(0, days_of(year, JANUARY, 1));
        if self.days >= start(self.year + 1) {
            return (self.year + 1, 1);
        }
        (self.year, (self.days - start(self.year)) / 7 + 1)
    }
}

/// The fields that say which day it is; at least the last one that was set counts.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct DayFields {
    /// Month from 0.
    pub(super) month: Option<i64>,
    pub(super) day_of_month: Option<Set>,
    pub(super) day_of_year: Option<Set>,
    pub(super) week_of_year: Option<Set>,
    pub(super) week_of_month: Option<Set>,
    pub(super) weekday_in_month: Option<Set>,
    /// From 0 for Sunday; other numbers count on.
    pub(super) weekday: Option<Set>,
}

/// A field that was set, and when: later ones have higher numbers.
#[derive(Clone, Copy, Debug)]
pub(super) struct Set {
    pub(super) value: i64,
    pub(super) when: usize,
}

/// The ways in which a day can be said.
#[derive(Clone, Copy, PartialEq)]
enum Way {
    DayOfMonth,
    WeekOfMonth,
    WeekdayInMonth,
    DayOfYear,
    WeekOfYear,
}

impl DayFields {
    /// The way whose fields were set last. A week needs its weekday too, if anything else says the day.
    fn way(&self) -> Way {
        // When the last and when the first field of a way was set.
        type When = Option<(usize, usize)>;
        let both = |week: Option<Set>| Some((week?.when.max(self.weekday?.when), week?.when));
        let when = |field: Option<Set>| field.map(|set| (set.when, set.when));
        let pick = |ways: [(Way, When); 5]| {
            let mut best: Option<(Way, (usize, usize))> = None;
            for (way, when) in ways {
                if let Some(when) = when
                    && best.is_none_or(|(_, known)| when > known)
                {
                    best = Some((way, when));
                }
            }
            best.map(|(way, _)| way)
        };
        let complete = [
            (Way::DayOfMonth, when(self.day_of_month)),
            (Way::WeekOfMonth, both(self.week_of_month)),
            (Way::WeekdayInMonth, both(self.weekday_in_month)),
            (Way::DayOfYear, when(self.day_of_year)),
            (Way::WeekOfYear, both(self.week_of_year)),
        ];
        let alone = [
            (Way::WeekOfMonth, when(self.week_of_month)),
            (Way::WeekdayInMonth, when(self.weekday_in_month).max(when(self.weekday))),
            (Way::WeekOfYear, when(self.week_of_year)),
            (Way::DayOfMonth, None),
            (Way::DayOfYear, None),
        ];
        pick(complete).or_else(|| pick(alone)).unwrap_or(Way::DayOfMonth)
    }

    /// The day since 1970, in this year.
    pub(super) fn days(&self, year: i64) -> i64 {
        let value = |field: Option<Set>, otherwise| field.map_or(otherwise, |set| set.value);
        let month = self.month.unwrap_or(JANUARY);
        let first = days_of(year, month, 1);
        let weekday = value(self.weekday, 0).rem_euclid(7);
        let in_week = |sunday: i64, week: i64| last(weekday, sunday + 6) + 7 * (week - 1);
        match self.way() {
            Way::DayOfMonth => days_of(year, month, value(self.day_of_month, 1)),
            // The ten days that the year 1582 lacks are not counted.
            Way::DayOfYear => days_of(year, JANUARY, 1) + value(self.day_of_year, 1) - 1,
            Way::WeekOfMonth => in_week(last(0, first), value(self.week_of_month, 1)),
            Way::WeekOfYear => in_week(last(0, days_of(year, JANUARY, 1)), value(self.week_of_year, 1)),
            Way::WeekdayInMonth => match value(self.weekday_in_month, 1) {
                count if count >= 0 => last(weekday, first + 7 * count - 1),
                // Counted from the end of the month.
                count => last(weekday, days_of(year, month + 1, 1) + 7 * (count + 1) - 1),
            },
        }
    }

    /// The day since 1970, where the year is that of a week.
    pub(super) fn days_of_week_year(&self, year: i64) -> i64 {
        let value = |field: Option<Set>, otherwise| field.map_or(otherwise, |set| set.value);
        let weekday = value(self.weekday, 0);
        let week = value(self.week_of_year, 1) + weekday.div_euclid(7);
        last(0, days_of(year, JANUARY, 1)) + 7 * (week - 1) + weekday.rem_euclid(7)
    }
}

/// The same date and time, 80 years earlier.
pub(super) fn eighty_years_before(ms: i64) -> i64 {
    let date = date_of(ms.div_euclid(DAY_MS));
    // The 29th of February is in both years or in none, because 80 is a multiple of 4, except around 1900 and 2100.
    let last_day = days_of(date.year - 80, date.month + 1, 1) - days_of(date.year - 80, date.month, 1);
    days_of(date.year - 80, date.month, date.day.min(last_day)) * DAY_MS + ms.rem_euclid(DAY_MS)
}
