//! What the topic of the dead letters holds of one connector: which letters, which of them were replayed. Only digests, places
//! and times are kept, so that the topic may be far larger than memory.
//!
//! Must not know: how the topic is read; what is done with a letter.

use std::collections::{HashMap, HashSet, VecDeque};

use serde_json::Value as Json;

use super::form::{self, Identity, Letter, Mark};

/// How many letters of a connector are known at most: with more of them, nothing is done, and the answer says so.
pub(crate) const MOST_LETTERS: usize = 100_000;

/// A record of the topic.
pub(crate) struct Written<'a> {
    /// Its partition, and its offset there.
    pub(crate) place: (i32, i64),
    /// Its key.
    pub(crate) key: Option<&'a [u8]>,
    /// How many bytes key and value have.
    pub(crate) bytes: usize,
    /// Its headers, in order.
    pub(crate) headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

impl<'a> Written<'a> {
    fn header(&self, name: &str) -> Option<&'a [u8]> {
        // The record's own headers come first; none of them can take the place of the writer's.
        self.headers.iter().rev().find(|(known, _)| *known == name).and_then(|(_, value)| *value)
    }

    fn text(&self, name: &str) -> Option<String> {
        self.header(name).map(|value| String::from_utf8_lossy(value).into_owned())
    }
}

/// A letter, without what it holds.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) identity: Identity,
    /// Names topic and key before the chain; none without a key.
    pub(super) key: Option<Identity>,
    /// Names the source event.
    pub(super) event: Identity,
    /// The record's topic before the chain.
    pub(super) topic: String,
    /// When the record would have been sent, in milliseconds since 1970.
    pub(super) timestamp_ms: i64,
    /// The places of its parts.
    pub(super) places: Vec<(i32, i64)>,
    /// The bytes of all parts.
    pub(super) bytes: usize,
    pub(super) is_replayed: bool,
}

/// A letter as it is shown: nothing of what the record holds.
#[derive(Clone, Debug, PartialEq)]
pub struct Shown {
    /// The partition of its first part.
    pub partition: i32,
    /// The offset of its first part.
    pub offset: i64,
    /// When the record would have been sent, in milliseconds since 1970.
    pub timestamp_ms: i64,
    /// The record's topic before the chain.
    pub topic: String,
    /// The source partition.
    pub source_partition: Json,
    /// The source offset.
    pub source_offset: Json,
    /// The stage that failed; this and what follows is missing if the connector leaves these headers out.
    pub stage: Option<String>,
    /// The Java class that failed.
    pub class: Option<String>,
    /// The class of the exception.
    pub exception: Option<String>,
    /// The exception's message.
    pub message: Option<String>,
    /// Whether it was replayed.
    pub is_replayed: bool,
}

/// A letter whose parts have not all been seen.
struct Open {
    entry: Entry,
    left: u32,
}

/// Why a topic's letters cannot be known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the topic holds more than {MOST_LETTERS} dead letters of the connector")]
pub(crate) struct TooMany;

/// The letters of one connector.
pub(crate) struct Index {
    connector: String,
    entries: Vec<Entry>,
    open: HashMap<String, Open>,
    marks: HashSet<Identity>,
    /// How many of the newest letters are shown.
    shows: usize,
    newest: VecDeque<(Identity, Shown)>,
    /// Letters of another version of the form.
    pub(super) unreadable: u64,
    is_full: bool,
}

impl Index {
    /// An empty index, which will show this many of the newest letters.
    pub(crate) fn new(connector: &str, shows: usize) -> Self {
        Self {
            connector: connector.to_owned(),
            entries: Vec::new(),
            open: HashMap::new(),
            marks: HashSet::new(),
            shows,
            newest: VecDeque::new(),
            unreadable: 0,
            is_full: false,
        }
    }

    /// Takes the next record of the topic. False when there are too many letters, and nothing more need be read.
    pub(crate) fn add(&mut self, written: &Written<'_>) -> bool {
        if let Some(mark) = written.header(form::REPLAYED) {
            if let Ok(mark) = serde_json::from_slice::<Mark>(mark)
                && mark.connector == self.connector
            {
                self.marks.extend(Identity::from_hex(&mark.letter));
            }
            return true;
        }
        // Other connectors may share the topic, sinks of Connect with letters of another kind as well.
        let Some(letter) = written.header(form::LETTER) else { return true };
        let Ok(letter) = serde_json::from_slice::<Letter>(letter) else {
            self.unreadable += 1;
            return true;
        };
        if letter.connector != self.connector {
            return true;
        }
        if letter.version != form::VERSION || letter.part >= letter.parts {
            self.unreadable += 1;
            return true;
        }
        if self.entries.len() + self.open.len() >= MOST_LETTERS || self.marks.len() > MOST_LETTERS {
            self.is_full = true;
            return false;
        }
        self.letter(&letter, written);
        true
    }

    fn letter(&mut self, letter: &Letter, written: &Written<'_>) {
        let place = written.place;
        if letter.part == 0 {
            let [partition, offset] =
                [form::SOURCE_PARTITION, form::SOURCE_OFFSET].map(|name| written.header(name).unwrap_or_default());
            let offset = &*form::of_event(offset);
            let identity = letter.identity(partition, offset, written.key);
            let event = if letter.by_position { [partition, offset] } else { [letter.id.as_bytes(), b""] };
            let entry = Entry {
                identity,
                key: written.key.map(|key| form::digest([letter.topic.as_bytes(), key])),
                event: form::digest(event),
                topic: letter.topic.clone(),
                timestamp_ms: letter.timestamp,
                places: vec![place],
                bytes: written.bytes,
                is_replayed: false,
            };
            if letter.parts == 1 {
                self.entries.push(entry);
            } else {
                self.open.insert(letter.id.clone(), Open { entry, left: letter.parts - 1 });
            }
            self.show(identity, letter, written);
            return;
        }
        // Parts of one letter come in order; one whose beginning is gone is of no use.
        let Some(open) = self.open.get_mut(&letter.id) else { return };
        open.entry.places.push(place);
        open.entry.bytes += written.bytes;
        open.left -= 1;
        if open.left == 0
            && let Some(open) = self.open.remove(&letter.id)
        {
            self.entries.push(open.entry);
        }
    }

    fn show(&mut self, identity: Identity, letter: &Letter, written: &Written<'_>) {
        if self.shows == 0 {
            return;
        }
        let json = |name| written.header(name).and_then(|text| serde_json::from_slice(text).ok()).unwrap_or_default();
        let shown = Shown {
            partition: written.place.0,
            offset: written.place.1,
            timestamp_ms: letter.timestamp,
            topic: letter.topic.clone(),
            source_partition: json(form::SOURCE_PARTITION),
            source_offset: json(form::SOURCE_OFFSET),
            stage: written.text(form::STAGE),
            class: written.text(form::CLASS),
            exception: written.text(form::EXCEPTION),
            message: written.text(form::MESSAGE),
            is_replayed: false,
        };
        // A crash may have left the same letter before.
        self.newest.retain(|(known, _)| *known != identity);
        self.newest.push_back((identity, shown));
        if self.newest.len() > self.shows {
            self.newest.pop_front();
        }
    }

    /// The letters in the order of their records, each record once: the last of several letters of a record. A letter of which a
    /// part is missing is none: its writer ended before the position moved, and has written it again.
    ///
    /// # Errors
    /// When there are too many.
    pub(crate) fn finish(mut self) -> Result<Letters, TooMany> {
        if self.is_full {
            return Err(TooMany);
        }
        let mut seen = HashSet::new();
        self.entries.reverse();
        self.entries.retain(|entry| seen.insert(entry.identity));
        self.entries.reverse();
        // A stable sort: letters of one time stay in the order in which they were written.
        self.entries.sort_by_key(|entry| entry.timestamp_ms);
        for entry in &mut self.entries {
            entry.is_replayed = self.marks.contains(&entry.identity);
        }
        let whole: HashSet<Identity> = self.entries.iter().map(|entry| entry.identity).collect();
        let newest = self.newest.into_iter().rev().filter(|(identity, _)| whole.contains(identity));
        let newest =
            newest.map(|(identity, shown)| Shown { is_replayed: self.marks.contains(&identity), ..shown }).collect();
        Ok(Letters { entries: self.entries, newest, unreadable: self.unreadable })
    }
}

/// The letters of one connector, in the order of their records.
#[derive(Debug)]
pub(crate) struct Letters {
    pub(super) entries: Vec<Entry>,
    /// The newest first.
    pub(crate) newest: Vec<Shown>,
    /// How many letters are of another version of the form.
    pub(crate) unreadable: u64,
}

impl Letters {
    /// How many letters there are, and how many of them were replayed.
    pub(crate) fn counts(&self) -> (u64, u64) {
        let replayed = self.entries.iter().filter(|entry| entry.is_replayed).count();
        (self.entries.len() as u64, replayed as u64)
    }

    /// The letters that were not replayed, each with the one of the same key that came after it, if that is of another event.
    pub(super) fn open(&self) -> impl Iterator<Item = (&Entry, Option<&Entry>)> {
        let mut last: HashMap<Identity, usize> = HashMap::new();
        for (at, entry) in self.entries.iter().enumerate() {
            if let Some(key) = entry.key {
                last.insert(key, at);
            }
        }
        self.entries.iter().enumerate().filter(|(_, entry)| !entry.is_replayed).map(move |(at, entry)| {
            let last = entry.key.and_then(|key| last.get(&key)).filter(|last| **last > at);
            let later = last.and_then(|last| self.entries.get(*last)).filter(|later| later.event != entry.event);
            (entry, later)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A letter as its writer would write it: position, key, time, and which part.
    struct Sample(&'static str, Option<&'static str>, i64, (u32, u32));

    fn add(index: &mut Index, offset: i64, sample: &Sample) {
        let Sample(position, key, timestamp, (part, parts)) = *sample;
        let letter = Letter {
            version: form::VERSION,
            id: format!("{position}-{offset}").split('/').next().unwrap().to_owned(),
            connector: "c".to_owned(),
            topic: "t".to_owned(),
            partition: None,
            timestamp,
            nth: 0,
            by_position: true,
            headers: 0,
            part,
            parts,
        };
        let letter = serde_json::to_vec(&letter).unwrap();
        let position = position.split('/').next().unwrap().as_bytes();
        index.add(&Written {
            place: (0, offset),
            key: key.map(str::as_bytes),
            bytes: 10,
            headers: vec![
                (form::SOURCE_PARTITION, Some(b"{}")),
                (form::SOURCE_OFFSET, Some(position)),
                (form::STAGE, Some(b"TRANSFORMATION")),
                (form::LETTER, Some(&letter)),
            ],
        });
    }

    fn mark(index: &mut Index, identity: Identity, connector: &str) {
        let mark = Mark { connector: connector.to_owned(), letter: identity.hex(), to: None };
        let mark = serde_json::to_vec(&mark).unwrap();
        index.add(&Written { place: (0, 99), key: None, bytes: 0, headers: vec![(form::REPLAYED, Some(&mark))] });
    }

    #[test]
    fn the_order_is_that_of_the_records_and_a_later_letter_of_a_key_is_known() {
        let mut index = Index::new("c", 2);
        // The second was refused by the broker, and so written after the third.
        for (offset, sample) in (0..).zip([
            Sample("1", Some("a"), 10, (0, 1)),
            Sample("3", Some("a"), 30, (0, 1)),
            Sample("2", Some("a"), 20, (0, 1)),
            Sample("4", Some("b"), 40, (0, 1)),
            Sample("5", None, 50, (0, 1)),
            Sample("6", None, 60, (0, 1)),
        ]) {
            add(&mut index, offset, &sample);
        }
        let letters = index.finish().unwrap();
        let open: Vec<_> =
            letters.open().map(|(entry, later)| (entry.timestamp_ms, later.map(|later| later.timestamp_ms))).collect();
        assert_eq!(open, [(10, Some(30)), (20, Some(30)), (30, None), (40, None), (50, None), (60, None)]);
        assert_eq!(letters.newest.iter().map(|shown| shown.timestamp_ms).collect::<Vec<_>>(), [60, 50]);
        assert_eq!(letters.newest[0].stage.as_deref(), Some("TRANSFORMATION"));
    }

    #[test]
    fn a_letter_that_a_crash_has_left_twice_counts_once_and_is_replayed_once() {
        let mut index = Index::new("c", 9);
        add(&mut index, 0, &Sample("1", Some("a"), 10, (0, 1)));
        add(&mut index, 1, &Sample("2", Some("b"), 11, (0, 1)));
        add(&mut index, 2, &Sample("1", Some("a"), 90, (0, 1)));
        let letters = index.finish().unwrap();
        let identity = letters.entries[1].identity;
        assert_eq!(
            (letters.counts(), letters.entries[1].places.clone()),
            ((2, 0), vec![(0, 2)]),
            "the last one counts"
        );
        assert_eq!(letters.newest.len(), 2);

        let mut index = Index::new("c", 9);
        add(&mut index, 0, &Sample("1", Some("a"), 10, (0, 1)));
        mark(&mut index, identity, "other");
        mark(&mut index, identity, "c");
        add(&mut index, 2, &Sample("1", Some("a"), 90, (0, 1)));
        let letters = index.finish().unwrap();
        assert_eq!((letters.counts(), letters.open().count(), letters.newest[0].is_replayed), ((1, 1), 0, true));
    }

    #[test]
    fn parts_make_one_letter_and_half_a_letter_is_none() {
        let mut index = Index::new("c", 9);
        let part = |index: &mut Index, offset, id: &'static str, part| {
            let letter = Letter {
                version: form::VERSION,
                id: id.to_owned(),
                connector: "c".to_owned(),
                topic: "t".to_owned(),
                partition: None,
                timestamp: 5,
                nth: 0,
                by_position: false,
                headers: 0,
                part,
                parts: 3,
            };
            let letter = serde_json::to_vec(&letter).unwrap();
            let headers = vec![(form::LETTER, Some(&*letter))];
            index.add(&Written { place: (0, offset), key: Some(b"k"), bytes: 10, headers });
        };
        for (offset, id, number) in [(0, "x", 0), (1, "y", 0), (2, "x", 1), (3, "y", 1), (4, "x", 2), (5, "z", 2)] {
            part(&mut index, offset, id, number);
        }
        let letters = index.finish().unwrap();
        assert_eq!(letters.entries.len(), 1);
        assert_eq!((letters.entries[0].places.clone(), letters.entries[0].bytes), (vec![(0, 0), (0, 2), (0, 4)], 30));
        assert_eq!(letters.newest.len(), 1);
    }

    #[test]
    fn other_records_of_the_topic_are_passed_over() {
        let mut index = Index::new("c", 9);
        for header in [("x", &b"y"[..]), (form::LETTER, b"{}"), (form::LETTER, b"\xff"), (form::REPLAYED, b"no")] {
            let headers = vec![(header.0, Some(header.1))];
            assert!(index.add(&Written { place: (0, 0), key: None, bytes: 0, headers }));
        }
        let letters = index.finish().unwrap();
        assert_eq!((letters.counts(), letters.unreadable), ((0, 0), 2));
    }

    #[test]
    fn too_many_are_refused() {
        let mut index = Index::new("c", 0);
        let positions: Vec<&'static str> = vec!["1"];
        for offset in 0..=MOST_LETTERS as i64 {
            add(&mut index, offset, &Sample(positions[0], None, 1, (0, 1)));
        }
        assert_eq!(index.finish().unwrap_err(), TooMany);
    }
}
