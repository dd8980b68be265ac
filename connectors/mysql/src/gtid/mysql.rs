//! MySQL's sets.

use std::collections::BTreeMap;

use super::{GtidError, Tag};

/// Where ids come from: a server, and a tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Source {
    /// The server's UUID.
    pub uuid: [u8; 16],
    /// The tag, or none.
    pub tag: Tag,
}

/// Ids with numbers from the first to the second, both included. Numbers begin at 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Interval {
    /// The first number.
    pub first: u64,
    /// The last number.
    pub last: u64,
}

/// One past the greatest number of an id.
pub(super) const END: u64 = i64::MAX as u64;

/// A set of MySQL's ids. Intervals of a source are in order, and neither overlap nor touch.
///
/// `parse` and `Display` are in Debezium's canonical form: UUIDs in lower case and in order, single numbers written as
/// ranges (`1-1`), tags behind their UUID. The server's own text is read as well.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct MySqlSet {
    pub(super) sources: BTreeMap<Source, Vec<Interval>>,
}

impl MySqlSet {
    /// Whether there is no id in it.
    pub fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    /// The sources with their intervals, in order.
    pub fn sources(&self) -> impl Iterator<Item = (&Source, &[Interval])> {
        self.sources.iter().map(|(source, intervals)| (source, intervals.as_slice()))
    }

    /// Adds one id. A number that no id has is left out.
    pub fn add(&mut self, source: Source, number: u64) {
        self.add_interval(source, Interval { first: number, last: number });
    }

    /// Adds the ids of an interval; one that ends before it begins, or has numbers that no id has, is left out.
    pub fn add_interval(&mut self, source: Source, new: Interval) {
        if new.first < 1 || new.first > new.last || new.last >= END {
            return;
        }
        let intervals = self.sources.entry(source).or_default();
        // Most often the new one continues the last one.
        if let Some(last) = intervals.last_mut().filter(|last| last.last + 1 == new.first) {
            last.last = new.last;
            return;
        }
        let from = intervals.partition_point(|old| old.last + 1 < new.first);
        let to = intervals.partition_point(|old| old.first <= new.last + 1);
        let merged = match intervals.get(from..to) {
            Some([first, .., last]) => Interval { first: first.first.min(new.first), last: last.last.max(new.last) },
            Some([only]) => Interval { first: only.first.min(new.first), last: only.last.max(new.last) },
            _ => new,
        };
        intervals.splice(from..to, [merged]);
    }

    /// Whether it has the id.
    pub fn has(&self, source: &Source, number: u64) -> bool {
        self.sources.get(source).is_some_and(|intervals| {
            let at = intervals.partition_point(|interval| interval.last < number);
            intervals.get(at).is_some_and(|interval| interval.first <= number)
        })
    }

    /// Whether it has all ids of the other (`GTID_SUBSET(other, self)`).
    pub fn contains(&self, other: &Self) -> bool {
        other.sources.iter().all(|(source, theirs)| {
            let ours = self.sources.get(source).map_or(&[][..], Vec::as_slice);
            theirs.iter().all(|part| {
                let at = ours.partition_point(|interval| interval.last < part.first);
                ours.get(at).is_some_and(|interval| interval.first <= part.first && part.last <= interval.last)
            })
        })
    }

    /// Adds all ids of the other.
    pub fn union(&mut self, other: &Self) {
        for (source, intervals) in &other.sources {
            for interval in intervals {
                self.add_interval(*source, *interval);
            }
        }
    }

    /// Takes away all ids of the other (`GTID_SUBTRACT(self, other)`).
    pub fn subtract(&mut self, other: &Self) {
        self.sources.retain(|source, ours| {
            if let Some(theirs) = other.sources.get(source) {
                *ours = without(ours, theirs);
            }
            !ours.is_empty()
        });
    }

    /// Keeps the ids of the servers for which `keep` says so; it is given the UUID's text.
    pub fn retain(&mut self, mut keep: impl FnMut(&str) -> bool) {
        self.sources.retain(|source, _| keep(&uuid_text(&source.uuid)));
    }

    /// Whether it has ids of a server.
    pub fn knows(&self, uuid: &[u8; 16]) -> bool {
        let from = Source { uuid: *uuid, tag: Tag::NONE };
        self.sources.range(from..).next().is_some_and(|(source, _)| source.uuid == *uuid)
    }

    /// For each server that the other knows, takes the other's ids in place of those that are here.
    pub fn replace(&mut self, other: &Self) {
        self.sources.retain(|source, _| !other.knows(&source.uuid));
        self.sources.extend(other.sources.iter().map(|(source, intervals)| (*source, intervals.clone())));
    }
}

/// `ours` without the numbers of `theirs`.
fn without(ours: &[Interval], theirs: &[Interval]) -> Vec<Interval> {
    let mut out = Vec::with_capacity(ours.len());
    for interval in ours {
        let mut first = interval.first;
        let from = theirs.partition_point(|their| their.last < interval.first);
        for their in theirs.iter().skip(from).take_while(|their| their.first <= interval.last) {
            if first < their.first {
                out.push(Interval { first, last: their.first - 1 });
            }
            first = their.last + 1;
        }
        if first <= interval.last {
            out.push(Interval { first, last: interval.last });
        }
    }
    out
}

/// A UUID's text: lower case, with hyphens.
pub(super) fn uuid_text(uuid: &[u8; 16]) -> String {
    let mut out = String::with_capacity(36);
    for (i, byte) in uuid.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            // A digit below 16 is one of base 16.
            out.push(char::from_digit(u32::from(digit), 16).unwrap_or('0'));
        }
    }
    out
}

/// A UUID from its text: 32 digits of base 16, with hyphens at the usual places or without any.
pub(super) fn parse_uuid(text: &str) -> Result<[u8; 16], GtidError> {
    const WRONG: GtidError = GtidError("a server's UUID is expected");
    let text = text.as_bytes();
    let hyphens = |i: usize| matches!(i, 8 | 13 | 18 | 23);
    let digits: Vec<u8> = match text.len() {
        32 => text.to_vec(),
        36 if (0..36).all(|i| (text[i] == b'-') == hyphens(i)) => text.iter().copied().filter(|b| *b != b'-').collect(),
        _ => return Err(WRONG),
    };
    let mut uuid = [0; 16];
    for (byte, pair) in uuid.iter_mut().zip(digits.chunks(2)) {
        for digit in pair {
            let digit = char::from(*digit).to_digit(16).ok_or(WRONG)?;
            *byte = *byte << 4 | digit as u8;
        }
    }
    Ok(uuid)
}
