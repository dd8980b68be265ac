//! Decides whether topics hold everything that was committed exactly once.
//!
//! The rules of the judge of at-least-once delivery ([`violations`](super::violations)) say that nothing is missing and nothing
//! is in a wrong order. These say that nothing comes twice:
//! 1. A topic is one copy and then the stream: no copied row comes after a streamed event, and no key is copied twice.
//! 2. The records of a key are its events one after the other, each once. What a copied row shows already is not streamed.

use std::collections::HashMap;

use super::mutants::Mutant;
use super::{Evidence, Kind, Record, lives};

/// Everything that comes twice, in about 20 lines at most. Empty when the rules hold.
pub fn repetitions(evidence: &Evidence) -> Vec<String> {
    let mut found = Vec::new();
    for (table, topic) in evidence.topics.iter().enumerate() {
        let lives = lives(evidence, table);
        let event = |(writer, index): (usize, usize)| &evidence.writers[writer][index];
        // For each key, how many of its events its last record has reached.
        let mut reached: HashMap<i64, usize> = HashMap::new();
        let mut streams = false;
        for (offset, record) in topic.iter().enumerate() {
            let mut complain = |what: String| {
                found.push(format!("table {table}, record {offset}, {:?} of key {}: {what}", record.kind, record.key));
            };
            let Some(life) = lives.get(&record.key) else {
                complain("nobody committed anything for this key".to_owned());
                continue;
            };
            let is_read = record.kind == Kind::Read;
            let from = reached.get(&record.key).map_or(0, |reached| reached + 1);
            let same = |index: &usize| {
                let event = event(life[*index]);
                event.row == record.row && (is_read || event.kind == record.kind)
            };
            let Some(index) = (from..life.len()).find(same).or_else(|| (0..from.min(life.len())).rev().find(same))
            else {
                complain("it was never committed".to_owned());
                continue;
            };
            match reached.insert(record.key, index) {
                Some(_) if is_read => complain("the key was copied, or streamed, before".to_owned()),
                Some(before) if index <= before => complain("it comes again".to_owned()),
                Some(before) if index > before + 1 => complain("it comes with a gap".to_owned()),
                _ => {}
            }
            if is_read && streams {
                complain("it comes after the stream has begun".to_owned());
            }
            streams |= !is_read;
        }
    }
    found.truncate(20);
    found
}

/// Falsifications that delivery at least once allows, and exactly once does not: what a crash leaves when offsets are outside
/// of the transaction, when an aborted copy is seen, when a stream begins before its copy.
pub fn mutants(evidence: &Evidence) -> Vec<Mutant> {
    let mut mutants = Vec::new();
    for (table, topic) in evidence.topics.iter().enumerate() {
        let mut push = |what: &str, records: Vec<Record>| {
            let mut evidence = evidence.clone();
            evidence.topics[table] = records;
            mutants.push(Mutant { what: format!("table {table}: {what}"), evidence });
        };
        let first = topic.iter().position(|record| record.kind != Kind::Read).unwrap_or(topic.len());
        if topic.len() > first + 30 {
            let at = first + (topic.len() - first) / 2;
            let mut again = topic.clone();
            again.splice(at..at, topic[at - 10..at].iter().cloned());
            push("repeated a run of the stream", again);
            let mut again = topic.clone();
            again.insert(at, topic[at].clone());
            push("repeated one record of the stream", again);
        }
        if first > 10 {
            let mut again = topic.clone();
            again.splice(first..first, topic[..first / 2].iter().cloned());
            push("repeated half of the copy", again);
            let mut late = topic.clone();
            let row = late.remove(first / 2);
            late.push(row);
            push("moved a copied row behind the stream", late);
        }
        // A row that the copy shows in the state that a streamed update makes again.
        let updated = topic.iter().enumerate().skip(first).find_map(|(_, update)| {
            let read = topic[..first].iter().position(|read| read.key == update.key)?;
            (update.kind == Kind::Update).then_some((read, update.row.clone()))
        });
        if let Some((read, row)) = updated {
            let mut newer = topic.clone();
            newer[read].row = row;
            push("a copy newer than the stream's begin", newer);
        }
    }
    mutants
}

/// The kinds of mutants that every run must allow.
pub const WANTED: &[&str] = &[
    "repeated a run of the stream",
    "repeated one record of the stream",
    "repeated half of the copy",
    "moved a copied row behind the stream",
    "a copy newer than the stream's begin",
];
