//! Decides whether topics tell the whole truth of what writers committed.
//!
//! Purpose: no test of safety is better than its judge, so the judge is apart and small. It is given what each writer
//! committed, in the writer's own order, what the tables hold at the end, and the topics' records; nothing else. Keys
//! belong to one writer each, so that a writer's own log is the true order of its keys' changes.
//!
//! What is legal, a topic (one partition) at a time:
//! 1. The records are runs, one after the other. A run is snapshot rows, then stream events. The *canonical order* is the
//!    order in which distinct stream events first appear; every run is a contiguous slice of it that begins at a place
//!    already reached (a replay) or right behind the end, and may extend it.
//! 2. A writer's events in the canonical order are exactly the last ones of what it committed, in its order, and all
//!    tables agree from which of the writer's transactions on: the stream has one beginning and no hole.
//! 3. What was committed before that beginning is in a snapshot row of the key: one that shows the state then or a later
//!    one. A key that did not exist then needs none.
//! 4. A snapshot row shows a state that the key has had, and the next stream event of that key leaves no gap behind it.
//! 5. The last value a key has on the topic is the table's row; a key that the table lacks has none.
//!
//! A key is deleted at most once: a delete says nothing but its key, and two of one key cannot be told apart after a
//! second copy.
//!
//! Must not know: the daemon, Kafka, SQL, positions in a log.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]

pub mod mutants;

use std::collections::{BTreeMap, HashMap, HashSet};

/// What a record or an event does to its key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `r`: a row that a snapshot saw.
    Read,
    /// `c`.
    Create,
    /// `u`.
    Update,
    /// `d`.
    Delete,
    /// A null value.
    Tombstone,
}

/// One event that a writer committed. A delete is two events, a change of the key three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Which table.
    pub table: usize,
    /// The row's key.
    pub key: i64,
    /// Never `Read`, except for rows that were there before the writers: transaction 0.
    pub kind: Kind,
    /// The writer's transaction, from 1.
    pub transaction: i64,
    /// The row's content after it; none after a delete.
    pub row: Option<String>,
}

/// One record of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The key.
    pub key: i64,
    /// From `op`, or from the null value.
    pub kind: Kind,
    /// The row's content (`after`); none for deletes and tombstones.
    pub row: Option<String>,
}

/// What the judge is given.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// A writer's committed events, in its order. A key stands with one writer only.
    pub writers: Vec<Vec<Event>>,
    /// A table's rows at the end.
    pub tables: Vec<BTreeMap<i64, String>>,
    /// A table's topic.
    pub topics: Vec<Vec<Record>>,
}

/// What is wrong with the evidence; empty when all is well. At most some 20 lines.
pub fn violations(evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    let canonical: Vec<Vec<(usize, usize)>> =
        (0..evidence.topics.len()).map(|table| runs(evidence, table, &mut found)).collect();
    completeness(evidence, &canonical, &mut found);
    for table in 0..evidence.topics.len() {
        fold(evidence, table, &mut found);
    }
    found.truncate(20);
    found
}

/// Where an event stands: its writer, and its index in the writer's list.
type Place = (usize, usize);

/// A key's life: its events in order.
fn lives(evidence: &Evidence, table: usize) -> HashMap<i64, Vec<Place>> {
    let mut lives: HashMap<i64, Vec<Place>> = HashMap::new();
    for (writer, events) in evidence.writers.iter().enumerate() {
        for (index, event) in events.iter().enumerate().filter(|(_, e)| e.table == table) {
            lives.entry(event.key).or_default().push((writer, index));
        }
    }
    lives
}

/// Rules 1 and 4; gives the canonical order.
fn runs(evidence: &Evidence, table: usize, found: &mut Vec<String>) -> Vec<Place> {
    let lives = lives(evidence, table);
    let event = |place: Place| &evidence.writers[place.0][place.1];
    let (mut canonical, mut at_of): (Vec<Place>, HashMap<Place, usize>) = (Vec::new(), HashMap::new());
    // Where the next record of this run must stand in the canonical order; none at a run's beginning.
    let mut expected: Option<usize> = None;
    // How far a key's last record goes in its life.
    let mut reached: HashMap<i64, usize> = HashMap::new();
    for (offset, record) in evidence.topics[table].iter().enumerate() {
        let mut complain =
            |what: &str| found.push(format!("table {table}, record {offset}, key {}: {what}", record.key));
        let Some(life) = lives.get(&record.key) else {
            complain("nobody committed anything for this key");
            continue;
        };
        if record.kind == Kind::Read {
            match life.iter().position(|p| record.row.is_some() && event(*p).row == record.row) {
                Some(index) => drop(reached.insert(record.key, index)),
                None => complain("a snapshot row that never was"),
            }
            expected = None;
            continue;
        }
        // A delete and its tombstone say nothing of which one they are: the one that goes on is meant, else a replayed one.
        let same = |p: &Place| event(*p).kind == record.kind && event(*p).row == record.row;
        let next = expected.and_then(|at| canonical.get(at)).filter(|p| event(**p).key == record.key && same(p));
        let behind = reached.get(&record.key).map_or(0, |r| r + 1);
        let index = match next {
            Some(place) => life.iter().position(|p| p == place),
            None => candidates(life, behind).find(|i| same(&life[*i])),
        };
        let Some(index) = index else {
            complain(&format!("{:?} {:?} was never committed", record.kind, record.row));
            continue;
        };
        if reached.contains_key(&record.key) && index > behind {
            complain(&format!(
                "{:?} comes with a gap: {} of the key's events are missing before it",
                record.kind,
                index - behind
            ));
        }
        reached.insert(record.key, index);
        let place = life[index];
        let at = *at_of.entry(place).or_insert_with(|| {
            canonical.push(place);
            canonical.len() - 1
        });
        match expected {
            Some(expected) if at > expected => complain("a replayed run leaves out what it had before"),
            // A step back begins a run; so does anything after snapshot rows.
            _ => {}
        }
        expected = Some(at + 1);
    }
    canonical
}

/// Where in a key's life a record may stand: right behind the last one, else the nearest before it, else after it.
fn candidates(life: &[Place], behind: usize) -> impl Iterator<Item = usize> + '_ {
    let behind = behind.min(life.len());
    std::iter::once(behind)
        .filter(|i| *i < life.len())
        .chain((0..behind).rev())
        .chain(behind + 1..life.len().max(behind + 1))
}

/// Rules 2 and 3.
fn completeness(evidence: &Evidence, canonical: &[Vec<Place>], found: &mut Vec<String>) {
    let all: Vec<HashMap<i64, Vec<Place>>> = (0..evidence.topics.len()).map(|table| lives(evidence, table)).collect();
    let read: Vec<Reads<'_>> = evidence.topics.iter().map(|topic| reads(topic)).collect();
    for (writer, events) in evidence.writers.iter().enumerate() {
        let mut streamed = vec![false; events.len()];
        for order in canonical {
            let mut last = None;
            for (_, index) in order.iter().filter(|(w, _)| *w == writer) {
                if last.is_some_and(|last| last > *index) {
                    found.push(format!(
                        "writer {writer}: {} comes after what it committed later",
                        told(&events[*index])
                    ));
                }
                last = Some(*index);
                streamed[*index] = true;
            }
        }
        let begins =
            (0..events.len()).filter(|i| streamed[*i]).map(|i| events[i].transaction).min().unwrap_or(i64::MAX);
        for (index, event) in events.iter().enumerate().filter(|(i, _)| !streamed[*i]) {
            if event.transaction >= begins {
                found.push(format!("writer {writer}: {} is not on the topic", told(event)));
            } else if !covered(events, &all[event.table][&event.key], index, &read[event.table]) {
                found.push(format!("writer {writer}: {} is neither in the stream nor in a snapshot", told(event)));
            }
        }
    }
}

fn told(event: &Event) -> String {
    format!("{:?} of key {} of table {} in transaction {}", event.kind, event.key, event.table, event.transaction)
}

/// What the snapshot rows of a topic show.
type Reads<'a> = HashSet<(i64, Option<&'a str>)>;

fn reads(topic: &[Record]) -> Reads<'_> {
    topic.iter().filter(|r| r.kind == Kind::Read).map(|r| (r.key, r.row.as_deref())).collect()
}

/// Whether a snapshot row shows the event's state or a later one, or nothing was left of it when the stream began.
fn covered(events: &[Event], life: &[Place], index: usize, reads: &Reads<'_>) -> bool {
    let mut later = life.iter().filter(|(_, i)| *i >= index).map(|(_, i)| &events[*i]);
    // Gone again: either the snapshot saw nothing, or the stream has the delete, which the other rules look at.
    later.any(|e| e.row.is_none() || reads.contains(&(e.key, e.row.as_deref())))
}

/// Rule 5.
fn fold(evidence: &Evidence, table: usize, found: &mut Vec<String>) {
    let mut folded: BTreeMap<i64, &str> = BTreeMap::new();
    for record in &evidence.topics[table] {
        match &record.row {
            Some(row) => drop(folded.insert(record.key, row)),
            None => drop(folded.remove(&record.key)),
        }
    }
    let rows = &evidence.tables[table];
    for (key, row) in rows {
        match folded.get(key) {
            None => found.push(format!("table {table}: row {key} is not on the topic")),
            Some(seen) if seen != row => found.push(format!("table {table}: row {key} is {row}, on the topic {seen}")),
            Some(_) => {}
        }
    }
    for key in folded.keys().filter(|key| !rows.contains_key(key)) {
        found.push(format!("table {table}: the topic has row {key}, which the table lacks"));
    }
}
