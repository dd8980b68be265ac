//! Decides whether topics hold exactly what writers committed, as far as at-least-once delivery allows.
//!
//! Purpose: a test of safety is only as good as its judge, so the judge is separate and small. Its input is what each
//! writer committed (in the writer's own order), the content of the tables at the end, and the records of the topics.
//! Each key belongs to one writer, so a writer's own log is the true order of the changes of its keys.
//!
//! These are the rules for each topic, which has one partition:
//! 1. The records are runs, one after the other. A run is snapshot rows, then stream events. The *canonical order* is
//!    the order in which distinct stream events first appear. Every run is a contiguous slice of that order. It begins at
//!    a place already reached (a replay) or right after the end, and it may extend the order.
//! 2. A writer's events in the canonical order are exactly the last ones that it committed, in its order. All tables
//!    agree with which of the writer's transactions the stream begins. So the stream has one beginning and no gap.
//! 3. What was committed before that beginning is covered by a snapshot row of the key, which shows the state at that
//!    time or a later one. A key that did not exist at that time needs no row.
//! 4. A snapshot row shows a state that the key once had, and the next stream event of that key follows without a gap.
//! 5. The last value of a key on the topic is the table's row. A key that is not in the table has no last value.
//!
//! Each key is deleted at most once. A delete holds nothing but its key, so that two deletes of one key could not be
//! told apart after a second copy.
//!
//! Must not know: the daemon, Kafka, SQL, positions in a log.
#![allow(dead_code, unreachable_pub, reason = "each test program uses its own part")]

pub mod mutants;
pub mod once;

use std::collections::{BTreeMap, HashMap, HashSet};

/// What a record or an event does to its key: `op` in the envelope.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Kind {
    /// `r`: a row of a snapshot.
    Read,
    /// `c`: an insert.
    Create,
    /// `u`: an update.
    Update,
    /// `d`: a delete.
    Delete,
    /// A record with a null value.
    Tombstone,
}

/// One event that a writer committed. A delete makes two events, a change of the key three.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Index of the table.
    pub table: usize,
    /// Key of the row.
    pub key: i64,
    /// Kind of the event. `Read` stands only for rows that existed before the writers began: transaction 0.
    pub kind: Kind,
    /// Number of the writer's transaction, from 1.
    pub transaction: i64,
    /// Content of the row after the event; `None` after a delete.
    pub row: Option<String>,
}

/// One record of a topic.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// Key of the record.
    pub key: i64,
    /// Kind of the record, from `op`, or `Tombstone` for a null value.
    pub kind: Kind,
    /// Content of the row (`after`); `None` for deletes and tombstones.
    pub row: Option<String>,
}

/// The input of the judge.
#[derive(Debug, Clone, Default)]
pub struct Evidence {
    /// For each writer its committed events, in order. No two writers share a key.
    pub writers: Vec<Vec<Event>>,
    /// For each table its rows at the end.
    pub tables: Vec<BTreeMap<i64, String>>,
    /// For each table the records of its topic.
    pub topics: Vec<Vec<Record>>,
}

/// Everything that is wrong with the evidence, in about 20 lines at most. Empty when all rules hold.
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

/// Identifies an event: the writer, and the index in the writer's list.
type Place = (usize, usize);

/// For each key of a table, its events in order.
fn lives(evidence: &Evidence, table: usize) -> HashMap<i64, Vec<Place>> {
    let mut lives: HashMap<i64, Vec<Place>> = HashMap::new();
    for (writer, events) in evidence.writers.iter().enumerate() {
        for (index, event) in events.iter().enumerate().filter(|(_, e)| e.table == table) {
            lives.entry(event.key).or_default().push((writer, index));
        }
    }
    lives
}

/// Checks rules 1 and 4. Returns the canonical order.
fn runs(evidence: &Evidence, table: usize, found: &mut Vec<String>) -> Vec<Place> {
    let lives = lives(evidence, table);
    let event = |place: Place| &evidence.writers[place.0][place.1];
    let (mut canonical, mut at_of): (Vec<Place>, HashMap<Place, usize>) = (Vec::new(), HashMap::new());
    // Place in the canonical order of the next record of this run; `None` at the beginning of a run.
    let mut expected: Option<usize> = None;
    // For each key, how many of its events its last record has reached.
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
        // Deletes and tombstones of a key look alike. The one that continues the run is preferred, otherwise a replayed
        // one.
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
            // A step back begins a new run, and so does any event after snapshot rows.
            _ => {}
        }
        expected = Some(at + 1);
    }
    canonical
}

/// The events of a key that a record may stand for, best first: right after the last one, then the nearest before it,
/// then later ones.
fn candidates(life: &[Place], behind: usize) -> impl Iterator<Item = usize> + '_ {
    let behind = behind.min(life.len());
    std::iter::once(behind)
        .filter(|i| *i < life.len())
        .chain((0..behind).rev())
        .chain(behind + 1..life.len().max(behind + 1))
}

/// Checks rules 2 and 3.
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

/// The rows that the snapshot records of a topic show.
type Reads<'a> = HashSet<(i64, Option<&'a str>)>;

fn reads(topic: &[Record]) -> Reads<'_> {
    topic.iter().filter(|r| r.kind == Kind::Read).map(|r| (r.key, r.row.as_deref())).collect()
}

/// Whether a snapshot row shows the state after the event or a later one, or the row was deleted before the stream
/// began.
fn covered(events: &[Event], life: &[Place], index: usize, reads: &Reads<'_>) -> bool {
    let mut later = life.iter().filter(|(_, i)| *i >= index).map(|(_, i)| &events[*i]);
    // The row was deleted again. Either the snapshot did not see it, or the stream has the delete, which the other
    // rules check.
    later.any(|e| e.row.is_none() || reads.contains(&(e.key, e.row.as_deref())))
}

/// Checks rule 5.
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
