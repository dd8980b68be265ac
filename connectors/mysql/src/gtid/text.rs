//! The text of MySQL's sets.

use std::fmt;
use std::str::FromStr;

use super::mysql::{END, parse_uuid, uuid_text};
use super::{GtidError, Interval, MySqlSet, Source, Tag};

impl FromStr for MySqlSet {
    type Err = GtidError;

    /// Reads the server's text (with its line feeds, `uuid:1`) and Debezium's (`uuid:1-1`).
    fn from_str(text: &str) -> Result<Self, GtidError> {
        let mut set = Self::default();
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let mut parts = entry.split(':').map(str::trim);
            let uuid = parse_uuid(parts.next().unwrap_or_default())?;
            let mut tag = Tag::NONE;
            let mut tagged_without_numbers = false;
            let mut any = false;
            for part in parts {
                any = true;
                if part.starts_with(|c: char| c.is_ascii_digit()) {
                    set.add_interval(Source { uuid, tag }, interval(part)?);
                    tagged_without_numbers = false;
                } else if tagged_without_numbers || part.is_empty() {
                    return Err(GtidError("numbers are expected behind a tag"));
                } else {
                    tag = Tag::new(part.as_bytes()).ok_or(GtidError("a tag is expected"))?;
                    tagged_without_numbers = true;
                }
            }
            if tagged_without_numbers || !any {
                return Err(GtidError("numbers are expected behind a UUID or tag"));
            }
        }
        Ok(set)
    }
}

/// `7` or `7-9`. One that ends before it begins is empty, as the server has it.
fn interval(text: &str) -> Result<Interval, GtidError> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let number = |text: &str| {
        let number = text.trim().parse::<u64>().map_err(|_| GtidError("a number is expected"))?;
        if (1..END).contains(&number) { Ok(number) } else { Err(GtidError("a number is out of range")) }
    };
    // The server lets the end of an empty interval be 0.
    let last = if last.trim() == "0" { 0 } else { number(last)? };
    Ok(Interval { first: number(first)?, last })
}

impl fmt::Display for MySqlSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut before: Option<[u8; 16]> = None;
        for (source, intervals) in &self.sources {
            if before != Some(source.uuid) {
                if before.is_some() {
                    f.write_str(",")?;
                }
                f.write_str(&uuid_text(&source.uuid))?;
                before = Some(source.uuid);
            }
            if !source.tag.is_none() {
                write!(f, ":{}", source.tag)?;
            }
            for interval in intervals {
                write!(f, ":{}-{}", interval.first, interval.last)?;
            }
        }
        Ok(())
    }
}

impl fmt::Display for Source {
    /// What stands before the number in the text of one id.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uuid_text(&self.uuid))?;
        if self.tag.is_none() { Ok(()) } else { write!(f, ":{}", self.tag) }
    }
}
