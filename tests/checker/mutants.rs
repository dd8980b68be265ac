//! Falsifies the records of a run, to check that the judge notices.
//!
//! A mutant must be something that no crash can cause. A record that a replay repeats is therefore never dropped: the
//! result would look like a run that was cut short before that record, and would lose nothing.

use std::collections::{HashMap, HashSet};

use super::{Evidence, Kind, Record};

/// A falsification and the evidence that it leaves.
pub struct Mutant {
    /// What was falsified, for the error message.
    pub what: String,
    pub evidence: Evidence,
}

fn with(evidence: &Evidence, table: usize, what: String, change: impl FnOnce(&mut Vec<Record>)) -> Mutant {
    let mut evidence = evidence.clone();
    change(&mut evidence.topics[table]);
    Mutant { what, evidence }
}

/// All mutants that the records of this run allow. For each table: a dropped record of each kind, two swapped records,
/// the end cut off.
pub fn all(evidence: &Evidence) -> Vec<Mutant> {
    (0..evidence.topics.len()).flat_map(|table| of_table(evidence, table)).collect()
}

fn of_table(evidence: &Evidence, table: usize) -> Vec<Mutant> {
    let topic = &evidence.topics[table];
    let mut times: HashMap<(i64, Kind, Option<&str>), usize> = HashMap::new();
    for record in topic {
        *times.entry((record.key, record.kind, record.row.as_deref())).or_default() += 1;
    }
    // A key that the stream creates needs no snapshot row, so dropping that row would be legal.
    let created: HashSet<i64> = topic.iter().filter(|r| r.kind == Kind::Create).map(|r| r.key).collect();
    let once = |r: &Record| times[&(r.key, r.kind, r.row.as_deref())] == 1;
    let mut owner = HashMap::new();
    let mut gone = HashMap::new();
    for (writer, event) in evidence.writers.iter().enumerate().flat_map(|(w, es)| es.iter().map(move |e| (w, e))) {
        if event.table == table {
            owner.insert(event.key, writer);
            *gone.entry(event.key).or_insert(false) |= event.row.is_none();
        }
    }
    // The first stream record of each writer marks where the stream begins. Without it the stream would only begin
    // later, which is legal.
    let mut first = HashMap::new();
    for (offset, record) in topic.iter().enumerate().filter(|(_, r)| r.kind != Kind::Read) {
        if let Some(writer) = owner.get(&record.key) {
            first.entry(*writer).or_insert(offset);
        }
    }
    let streamed = |offset: usize| {
        let record = &topic[offset];
        record.kind != Kind::Read && once(record) && owner.get(&record.key).is_some_and(|w| first[w] != offset)
    };
    let middle =
        |mut offsets: Vec<usize>| if offsets.is_empty() { None } else { Some(offsets.swap_remove(offsets.len() / 2)) };
    let mut mutants = Vec::new();
    for kind in [Kind::Read, Kind::Create, Kind::Update, Kind::Delete, Kind::Tombstone] {
        let chosen = middle(
            (0..topic.len())
                .filter(|o| {
                    let record = &topic[*o];
                    match kind {
                        Kind::Read => {
                            record.kind == kind
                                && !gone.get(&record.key).copied().unwrap_or(true)
                                && !created.contains(&record.key)
                        }
                        _ => record.kind == kind && streamed(*o),
                    }
                })
                .take(2001)
                .collect(),
        );
        if let Some(offset) = chosen {
            let what = format!("table {table}: dropped record {offset}, {:?} of key {}", kind, topic[offset].key);
            let key = topic[offset].key;
            mutants.push(with(evidence, table, what, |topic| {
                if kind == Kind::Read {
                    // When a key was copied several times, any copy is enough. So all of them are dropped.
                    topic.retain(|record| record.kind != Kind::Read || record.key != key);
                } else {
                    topic.remove(offset);
                }
            }));
        }
    }
    let neighbours = (0..topic.len().saturating_sub(1)).filter(|o| {
        let (a, b) = (&topic[*o], &topic[o + 1]);
        streamed(*o) && streamed(o + 1) && owner.get(&a.key) == owner.get(&b.key) && a != b
    });
    if let Some(offset) = middle(neighbours.collect()) {
        mutants.push(with(
            evidence,
            table,
            format!("table {table}: swapped records {offset} and {}", offset + 1),
            |topic| {
                topic.swap(offset, offset + 1);
            },
        ));
    }
    if !topic.is_empty() {
        mutants.push(with(evidence, table, format!("table {table}: cut the last 3 records"), |topic| {
            topic.truncate(topic.len().saturating_sub(3));
        }));
    }
    mutants
}

/// The kinds of mutants that every run must allow.
pub const WANTED: &[&str] = &["Read", "Create", "Update", "Delete", "Tombstone", "swapped", "cut"];
