//! Dates as Java's `SimpleDateFormat` writes and reads them, in UTC and in English.
//!
//! It reads leniently, as Java does by default: the 32nd of January is the first of February, spaces before numbers do not
//! matter, text behind the date neither. Weeks start on Sunday and the first week is the one with the 1st of January, as in
//! the locale en-US. Before the 15th of October 1582 dates are those of the Julian calendar.
//!
//! Must not know: schemas, any transform.

mod calendar;
mod names;
mod pattern;
mod read;
#[cfg(test)]
mod tests;
mod write;
mod zone;

use std::sync::LazyLock;
use std::time::{SystemTime, UNIX_EPOCH};

use self::pattern::Item;

/// A compiled pattern.
#[derive(Clone, Debug)]
pub(crate) struct DateFormat {
    pattern: String,
    items: Vec<Item>,
    /// Years of two digits are those of the hundred years from this instant on, in milliseconds since 1970: as in Java, 80
    /// years before the pattern was compiled.
    century_start_ms: i64,
}

impl DateFormat {
    /// Compiles a pattern.
    ///
    /// # Errors
    /// Java's message.
    pub(crate) fn new(pattern: &str) -> Result<Self, String> {
        let now_ms = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        Self::at(pattern, now_ms)
    }

    /// The same, as if it were compiled at this instant.
    fn at(pattern: &str, now_ms: i64) -> Result<Self, String> {
        let items = pattern::compile(pattern)?;
        Ok(Self { pattern: pattern.to_owned(), items, century_start_ms: calendar::eighty_years_before(now_ms) })
    }

    /// The pattern's text.
    pub(crate) fn pattern(&self) -> &str {
        &self.pattern
    }

    /// Writes an instant, given in milliseconds since 1970.
    pub(crate) fn write(&self, out: &mut Vec<u8>, ms: i64) {
        write::write(&self.items, out, ms);
    }

    /// Reads an instant in milliseconds since 1970; nothing when the text does not start with a date of this form.
    pub(crate) fn read(&self, text: &str) -> Option<i64> {
        read::read(&self.items, text, self.century_start_ms)
    }
}

/// Writes an instant as Connect makes texts of dates. It chooses the form by the value: whatever is before 1970-01-02 is a
/// time of day, and a midnight is a date.
pub(crate) fn write_as_connect(out: &mut Vec<u8>, ms: i64) {
    static FORMS: LazyLock<[Option<DateFormat>; 3]> = LazyLock::new(|| {
        ["HH:mm:ss.SSS'Z'", "yyyy-MM-dd", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"].map(|pattern| DateFormat::new(pattern).ok())
    });
    let form = match ms {
        ..86_400_000 => &FORMS[0],
        whole if whole % 86_400_000 == 0 => &FORMS[1],
        _ => &FORMS[2],
    };
    if let Some(form) = form {
        form.write(out, ms);
    }
}
