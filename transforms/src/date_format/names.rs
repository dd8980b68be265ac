//! English names, as Java has them for the locale en-US.

pub(super) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// The days of the week, from Sunday on.
pub(super) const DAYS: [&str; 7] = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];

pub(super) const ERAS: [&str; 2] = ["BC", "AD"];

pub(super) const HALVES_OF_DAY: [&str; 2] = ["AM", "PM"];

/// The short form of a month or a day.
pub(super) fn short(name: &'static str) -> &'static str {
    &name[..3]
}
