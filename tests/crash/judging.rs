//! Tests of the judge: small histories that it must accept, and others that it must refuse.

use std::collections::BTreeMap;

use super::checker::{Event, Evidence, Kind, Record, violations};

/// Parses an event or a record, such as "c 5 a @1": kind, key, row, and the transaction after `@`. Rows that existed
/// before the writers are "r 5 a @0".
fn event(text: &str) -> Event {
    let (head, transaction) = text.split_once('@').unwrap();
    let Record { key, kind, row } = record(head);
    Event { table: 0, key, kind, transaction: transaction.trim().parse().unwrap(), row }
}

fn record(text: &str) -> Record {
    let words: Vec<&str> = text.split_whitespace().collect();
    let kind = match words[0] {
        "r" => Kind::Read,
        "c" => Kind::Create,
        "u" => Kind::Update,
        "d" => Kind::Delete,
        "t" => Kind::Tombstone,
        other => panic!("{other}"),
    };
    Record { key: words[1].parse().unwrap(), kind, row: words.get(2).map(|w| (*w).to_owned()) }
}

/// What two writers committed, one with odd and one with even keys. The table is what they leave.
const HISTORY: &[&str] = &["r 1 a @0", "r 3 a @0", "u 1 b @1", "u 1 c @2", "d 3 @2", "t 3 @2", "c 3 d @3", "u 1 e @4"];
const OTHER: &[&str] = &["r 2 a @0", "u 2 b @1", "c 4 a @2", "d 4 @3", "t 4 @3"];

#[track_caller]
fn check(topic: &[&str], legal: bool) {
    let writers: Vec<Vec<Event>> = [HISTORY, OTHER].iter().map(|h| h.iter().map(|e| event(e)).collect()).collect();
    let table = BTreeMap::from([(1, "e".to_owned()), (2, "b".to_owned()), (3, "d".to_owned())]);
    let evidence = Evidence { writers, tables: vec![table], topics: vec![topic.iter().map(|r| record(r)).collect()] };
    let found = violations(&evidence);
    assert_eq!(found.is_empty(), legal, "{topic:?}: {found:?}");
}

const SNAPSHOT: &[&str] = &["r 1 a", "r 2 a", "r 3 a"];
const STREAM: &[&str] = &["u 1 b", "u 2 b", "u 1 c", "d 3", "t 3", "c 4 a", "c 3 d", "d 4", "t 4", "u 1 e"];

fn with(parts: &[&[&'static str]]) -> Vec<&'static str> {
    parts.concat()
}

#[test]
fn what_is_legal_passes() {
    check(&with(&[SNAPSHOT, STREAM]), true);
    // Killed while streaming, continued from the confirmed position.
    check(&with(&[SNAPSHOT, &STREAM[..5], &STREAM[2..]]), true);
    // Killed between a delete and its tombstone.
    check(&with(&[SNAPSHOT, &STREAM[..4], &STREAM[3..]]), true);
    // Killed twice in the same replay.
    check(&with(&[SNAPSHOT, &STREAM[..7], &STREAM[1..4], &STREAM[2..]]), true);
    // Killed while copying. The second snapshot sees newer rows, but the stream begins where the first snapshot was.
    check(&with(&[&SNAPSHOT[..2], &["r 1 c", "r 2 b"], STREAM]), true);
    // Killed after the copy, before its end was stored.
    check(&with(&[SNAPSHOT, &STREAM[..3], &["r 1 c", "r 2 b"], STREAM]), true);
    // The writers had begun before the connector was created.
    check(
        &with(&[&["r 1 b", "r 2 b", "r 3 a"], &["u 1 c", "d 3", "t 3", "c 4 a", "c 3 d", "d 4", "t 4", "u 1 e"]]),
        true,
    );
    // A key that was deleted before the second copy has no row in it, and its delete is in the stream.
    check(&with(&[&["r 1 e", "r 2 b"], STREAM]), true);
}

#[test]
fn what_is_illegal_is_refused() {
    // Any one record missing from the stream.
    for left_out in 1..STREAM.len() {
        check(&with(&[SNAPSHOT, &STREAM[..left_out], &STREAM[left_out + 1..]]), false);
    }
    // A row that the snapshot did not copy.
    check(
        &with(&[&SNAPSHOT[..1], &SNAPSHOT[2..], &["u 1 c", "d 3", "t 3", "c 4 a", "c 3 d", "d 4", "t 4", "u 1 e"]]),
        false,
    );
    // A gap between the snapshot and the stream.
    check(&with(&[SNAPSHOT, &STREAM[2..]]), false);
    // A replay with a gap.
    check(&with(&[SNAPSHOT, &STREAM[..6], &STREAM[1..3], &STREAM[4..]]), false);
    // A single duplicate that is not part of a replay.
    check(&with(&[SNAPSHOT, &STREAM[..3], &STREAM[..1], &STREAM[3..]]), false);
    // Wrong order within a key, and between two keys of one writer.
    check(&with(&[SNAPSHOT, &["u 1 c", "u 2 b", "u 1 b"], &STREAM[3..]]), false);
    check(&with(&[SNAPSHOT, &STREAM[..2], &["d 3", "u 1 c"], &STREAM[4..]]), false);
    // Records of what never existed: a key, a state, an event, a transaction that was rolled back.
    check(&with(&[SNAPSHOT, &["c 9 a"], STREAM]), false);
    check(&with(&[SNAPSHOT, &["r 1 z"], STREAM]), false);
    check(&with(&[SNAPSHOT, &["u 1 z"], STREAM]), false);
    check(&with(&[SNAPSHOT, STREAM, &["d 1", "t 1"]]), false);
    // A stale row after the stream, as a process that has lost the group would write it.
    check(&with(&[SNAPSHOT, STREAM, &["r 1 a"]]), false);
    // A stale part of the stream at the end.
    check(&with(&[SNAPSHOT, STREAM, &STREAM[..1]]), false);
}
