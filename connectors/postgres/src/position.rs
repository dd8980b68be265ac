//! What the words and texts of a [`Position`] mean for PostgreSQL, and the offset that is stored. The constants are indexes into
//! `words`; [`ORIGIN`] and [`COPIED`] are indexes into `texts`.
//!
//! The offset has Debezium's keys, so that the Java connector can resume from it, and two keys of our own (`tx_lsn`, `tx_row`), so
//! that we can resume at the exact event. A third one (`copied`) is there as long as the log may hold transactions that a copy has
//! read already.
//!
//! A position is the commit LSN of the event's transaction and the event's place in it. Logical decoding sends whole
//! transactions in the order of their commits, so this pair orders all events, even where many rows share an LSN or
//! transactions interleave in the log.
//!
//! The Java connector (3.6.1) has no such pair. It asks for the stream from `lsn_proc`, looks in it for a message with
//! exactly that LSN, and drops everything before the next LSN. That loses rows where the LSN that is looked for is also
//! the LSN of something else: the end of a commit is the LSN of whatever record comes next in the log, which may be a
//! change in the middle of another transaction; and all rows of one COPY record share theirs. So `lsn_proc` is written as
//! follows, and a Java worker that takes over loses nothing (`stream/pgoutput/tests/handed_back.rs`):
//!
//! - Between transactions, and before the second LSN of one, `lsn_proc` and `lsn_commit` are a byte before the end of the
//!   last commit (no record begins there, so that nothing is taken for it), and `messageType` is MESSAGE: then Java goes on
//!   with the first transaction that the server sends, as older releases do with the first whose commit comes later.
//! - Elsewhere in a transaction `lsn_proc` is the LSN before that of the event: rows that share an LSN with the event are sent
//!   again, and none is left out.

use std::sync::Arc;

use record::{NONE, Position, Texts};
use serde_json::{Map, Value as Json};

use crate::lsn::Lsn;

/// Time in microseconds since 1970: commit time, or when the snapshot's transaction began.
pub const TS_US: usize = 0;
/// Transaction id.
pub const TX_ID: usize = 1;
/// The LSN of the event.
pub const LSN: usize = 2;
/// The end of the last commit before the event (`lsn_commit`).
pub const LSN_COMMIT: usize = 3;
/// The last LSN of which everything was processed (`lsn_proc`): in a transaction the one before the event's, `NONE` if the
/// event's is the transaction's first; between transactions the end of the last commit.
pub const LSN_PROC: usize = 4;
/// `catalog_xmin` of the slot.
pub const XMIN: usize = 5;
/// The LSN at the origin of a replicated transaction.
pub const ORIGIN_LSN: usize = 6;
/// Index of a text: the name of the origin of a replicated transaction.
pub const ORIGIN: usize = 0;
/// Index of a text: which transactions after this position a copy has read already. A start from here must pass them over.
pub const COPIED: usize = 1;
/// The commit LSN of the event's own transaction.
pub const TX_LSN: usize = 7;
/// The event's place among the row messages of its transaction, from 1; 0 for a copy or a keepalive. An offset that has it
/// was written by afterimage and not by the Java connector.
pub const TX_ROW: usize = 8;
/// [`Kind`] of the last message (the low byte), and the snapshot flags above it.
pub const KIND: usize = 9;

const SNAPSHOT_INITIAL: i64 = 1 << 8;
const SNAPSHOT_LAST: i64 = 1 << 9;
const SNAPSHOT_COMPLETED: i64 = 1 << 10;

/// The last message that was processed (`messageType`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i64)]
#[allow(missing_docs, reason = "the names are the protocol's")]
pub enum Kind {
    Insert = 1,
    Update = 2,
    Delete = 3,
    Truncate = 4,
    Begin = 5,
    Commit = 6,
    Message = 7,
}

impl Kind {
    const ALL: [(Self, &'static str); 7] = [
        (Self::Insert, "INSERT"),
        (Self::Update, "UPDATE"),
        (Self::Delete, "DELETE"),
        (Self::Truncate, "TRUNCATE"),
        (Self::Begin, "BEGIN"),
        (Self::Commit, "COMMIT"),
        (Self::Message, "MESSAGE"),
    ];
}

/// How far a snapshot is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SnapshotState {
    /// No snapshot: streaming.
    None,
    /// Rows are being read.
    Running,
    /// The last row has been read.
    Last,
}

/// The [`Kind`] of the last message, as its number; 0 if there was none.
fn message_of(position: &Position) -> i64 {
    position.word(KIND).unwrap_or(0) & 0xff
}

/// The texts of positions: the origin's name, and what a copy has read already.
pub fn texts(origin: Option<Arc<str>>, copied: Option<Arc<str>>) -> Option<Texts> {
    (origin.is_some() || copied.is_some()).then(|| Arc::new([origin, copied]) as Texts)
}

/// Sets the snapshot flags of a position.
pub fn set_snapshot(position: &mut Position, state: SnapshotState) {
    position.words[KIND] = message_of(position)
        | match state {
            SnapshotState::None => 0,
            SnapshotState::Running => SNAPSHOT_INITIAL,
            SnapshotState::Last => SNAPSHOT_INITIAL | SNAPSHOT_LAST | SNAPSHOT_COMPLETED,
        };
}

/// Whether everything up to `lsn_commit` was delivered and nothing after it: a commit, a keepalive, a message outside of any
/// transaction. Inside of a transaction the last commit ended before the transaction's own commit record.
fn is_between(position: &Position) -> bool {
    let (commit, tx) = (position.words[LSN_COMMIT], position.words[TX_LSN]);
    commit != NONE && tx != NONE && (commit > tx || commit == tx && position.words[TX_ROW] == 0)
}

/// A byte before a record of the log: records begin at multiples of 8, so none begins there.
fn before(lsn: i64) -> i64 {
    lsn - 1
}

/// The inverse of [`before`]; `None` for an LSN at which a record may begin.
fn behind(lsn: i64) -> Option<i64> {
    (lsn & 7 == 7).then_some(lsn + 1)
}

/// The offset of a position, as stored and as `GET /connectors/{c}/offsets` shows it.
pub fn to_offset(position: &Position) -> Map<String, Json> {
    let mut out = Map::new();
    let flags = position.word(KIND).unwrap_or(0);
    let mut kind = Kind::ALL.iter().find(|(kind, _)| *kind as i64 == message_of(position)).map(|(_, name)| *name);
    let (mut processed, mut committed) = (position.word(LSN_PROC), position.word(LSN_COMMIT));
    if let Some(end) = committed.filter(|_| kind.is_some() && (is_between(position) || processed.is_none())) {
        (processed, committed) = (Some(before(end)), Some(before(end)));
        kind = Some("MESSAGE");
    }
    let mut put = |key: &str, word: Option<i64>| {
        if let Some(word) = word {
            out.insert(key.to_owned(), word.into());
        }
    };
    put("lsn_proc", processed);
    put("lsn_commit", committed);
    put("lsn", position.word(LSN));
    put("txId", position.word(TX_ID));
    put("ts_usec", position.word(TS_US));
    put("xmin", position.word(XMIN));
    put("tx_lsn", position.word(TX_LSN));
    put("tx_row", position.word(TX_ROW));
    if let Some(copied) = position.text(COPIED) {
        out.insert("copied".to_owned(), copied.into());
    }
    if let Some(kind) = kind {
        out.insert("messageType".to_owned(), kind.into());
    }
    if flags & SNAPSHOT_INITIAL != 0 {
        out.insert("snapshot".to_owned(), "INITIAL".into());
        out.insert("snapshot_completed".to_owned(), (flags & SNAPSHOT_COMPLETED != 0).into());
        out.insert("last_snapshot_record".to_owned(), (flags & SNAPSHOT_LAST != 0).into());
    }
    out
}

/// How many entries the maps have together that Debezium keeps with a record at this position: its source partition (one)
/// and its source offset. Our own keys do not count.
pub fn entries(position: &Position) -> u32 {
    let words = [LSN_COMMIT, LSN, TX_ID, TS_US, XMIN];
    let known = words.iter().filter(|slot| position.word(**slot).is_some()).count() as u32;
    let is_copied = position.word(KIND).unwrap_or(0) & SNAPSHOT_INITIAL != 0;
    // Of the stream Debezium always has `lsn_proc` and `messageType`.
    let of_the_stream = if message_of(position) == 0 { 0 } else { 2 };
    1 + known + of_the_stream + if is_copied { 3 } else { 0 }
}

/// A stored offset, parsed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The offset's values; a key that it lacks is `NONE`.
    pub position: Position,
    /// A snapshot was begun and not finished.
    pub snapshot_unfinished: bool,
    /// It has `tx_lsn`, so a restart resumes at the exact event. False for an offset that the Java connector wrote.
    pub exact: bool,
}

impl Stored {
    /// Whether the last record was copied, not streamed.
    pub fn is_copied(&self) -> bool {
        self.position.word(KIND).unwrap_or(0) & SNAPSHOT_INITIAL != 0
    }

    /// Whether `kind` was the last message that was processed.
    pub fn ends_with(&self, kind: Kind) -> bool {
        message_of(&self.position) == kind as i64
    }

    /// Why a slot at `restart` (`restart_lsn`) and `confirmed` (`confirmed_flush_lsn`) can no longer send everything after
    /// this offset; `None` if it can.
    pub fn passed_by(&self, restart: Option<Lsn>, confirmed: Option<Lsn>) -> Option<String> {
        let word = |slot| self.position.word(slot).map(|lsn| lsn as u64);
        let ours = word(TX_ROW).is_some();
        // An offset of the Java connector without `lsn_proc` proves nothing: it was written before the first event. Java leaves
        // such an offset unchanged while it confirms keepalives, so it may lag behind the slot without loss.
        let processed = word(LSN).filter(|_| ours).or(word(LSN_PROC))?;
        if let Some(restart) = restart.filter(|lsn| lsn.0 > processed) {
            return Some(format!("restart_lsn {restart}"));
        }
        // We store an offset before we confirm it. A slot that is confirmed beyond our offset was therefore advanced, or
        // created anew, by somebody else. A transaction that was open at a confirmed keepalive does not matter: the server
        // sends it again whole, because its commit comes after the confirmed LSN.
        let reached = [Some(processed), word(LSN_COMMIT), word(TX_LSN)].into_iter().flatten().max()?;
        let confirmed = confirmed.filter(|lsn| ours && lsn.0 > reached)?;
        Some(format!("confirmed_flush_lsn {confirmed}"))
    }
}

/// Reads a stored offset, ours or the Java connector's. `None` when it holds no LSN at all.
pub fn from_offset(offset: &Map<String, Json>) -> Option<Stored> {
    let mut position = Position::UNKNOWN;
    for (key, slot) in [
        ("lsn_proc", LSN_PROC),
        ("lsn_commit", LSN_COMMIT),
        ("lsn", LSN),
        ("txId", TX_ID),
        ("ts_usec", TS_US),
        ("xmin", XMIN),
        ("tx_lsn", TX_LSN),
        ("tx_row", TX_ROW),
    ] {
        position.words[slot] = offset.get(key).and_then(Json::as_i64).unwrap_or(NONE);
    }
    position.texts = offset.get("copied").and_then(Json::as_str).and_then(|copied| texts(None, Some(copied.into())));
    let kind = offset.get("messageType").and_then(Json::as_str);
    position.words[KIND] = Kind::ALL.iter().find(|(_, name)| Some(*name) == kind).map_or(0, |(kind, _)| *kind as i64);
    if let Some(end) = position.word(LSN_COMMIT).and_then(behind)
        && position.word(TX_LSN).is_some()
        && position.word(LSN_PROC) == position.word(LSN_COMMIT)
    {
        // Our own, as `to_offset` writes it for Java.
        position.words[LSN_COMMIT] = end;
        position.words[LSN_PROC] = NONE;
        if is_between(&position) {
            position.words[LSN_PROC] = end;
            position.words[KIND] = Kind::Commit as i64;
        }
    }
    let truth = |key: &str| offset.get(key).and_then(Json::as_bool).unwrap_or(false);
    // Older Debezium releases stored a boolean, newer ones store the kind of the snapshot.
    let snapshot = match offset.get("snapshot") {
        Some(Json::Bool(running)) => *running,
        Some(Json::String(kind)) => kind.eq_ignore_ascii_case("initial"),
        _ => false,
    };
    position.word(LSN).or(position.word(LSN_PROC))?;
    let snapshot_unfinished = snapshot && !truth("last_snapshot_record") && !truth("snapshot_completed");
    if snapshot {
        let state = if snapshot_unfinished { SnapshotState::Running } else { SnapshotState::Last };
        set_snapshot(&mut position, state);
    }
    Some(Stored { exact: position.word(TX_LSN).is_some(), snapshot_unfinished, position })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    #[test]
    fn offsets_of_the_java_connector() {
        for (text, unfinished, lsn) in [
            (
                r#"{"last_snapshot_record":true,"lsn":796775096,"txId":12878,"ts_usec":1,"snapshot":"INITIAL","snapshot_completed":true}"#,
                false,
                796_775_096,
            ),
            (r#"{"lsn":5,"snapshot":"INITIAL","snapshot_completed":false,"last_snapshot_record":false}"#, true, 5),
            (r#"{"lsn":5,"snapshot":true}"#, true, 5),
            (r#"{"lsn_proc":7,"messageType":"INSERT","lsn":7,"txId":1,"ts_usec":2}"#, false, 7),
        ] {
            let stored = from_offset(&serde_json::from_str(text).unwrap()).unwrap();
            assert_eq!(
                (stored.snapshot_unfinished, stored.position.word(LSN), stored.exact),
                (unfinished, Some(lsn), false)
            );
        }
        assert_eq!(from_offset(&serde_json::from_str("{}").unwrap()), None);
    }

    #[test]
    fn a_slot_that_passed_a_stored_position() {
        #[track_caller]
        fn check(offset: &str, (restart, confirmed): (u64, u64), expect: Option<&str>) {
            let stored = from_offset(&serde_json::from_str(offset).unwrap()).unwrap();
            let passed = stored.passed_by(Some(Lsn(restart)), Some(Lsn(confirmed)));
            assert_eq!(passed.as_deref(), expect, "{offset}");
            assert_eq!(stored.passed_by(None, None), None, "{offset}");
        }
        let (restart, confirmed) = (Some("restart_lsn 0/6E"), Some("confirmed_flush_lsn 0/78"));
        // Offsets of the Java connector: only one with `lsn_proc` shows a loss, and only against `restart_lsn`.
        let copied = r#"{"lsn":100,"txId":7,"ts_usec":1,"snapshot":"INITIAL","snapshot_completed":true,"last_snapshot_record":true}"#;
        check(copied, (90, 100), None);
        check(copied, (110, 120), None);
        check(r#"{"lsn":100,"txId":7,"ts_usec":1}"#, (110, 120), None);
        check(r#"{"lsn":100,"snapshot":true}"#, (110, 120), None);
        let streamed = r#"{"lsn_proc":100,"lsn_commit":95,"messageType":"INSERT","lsn":100,"txId":7,"ts_usec":1}"#;
        check(streamed, (90, 120), None);
        check(streamed, (100, 120), None);
        check(streamed, (110, 120), restart);
        // Our own offsets: a copy, an unfinished copy, a row in a transaction, a commit.
        let copied =
            r#"{"lsn":100,"tx_row":0,"snapshot":"INITIAL","snapshot_completed":true,"last_snapshot_record":true}"#;
        check(copied, (90, 100), None);
        check(copied, (90, 120), confirmed);
        check(copied, (110, 120), restart);
        check(r#"{"lsn":100,"tx_row":0,"snapshot":"INITIAL","snapshot_completed":false}"#, (90, 120), confirmed);
        let row = r#"{"lsn_proc":100,"lsn_commit":95,"lsn":100,"tx_lsn":130,"tx_row":3,"messageType":"INSERT"}"#;
        check(row, (90, 120), None);
        check(row, (110, 120), restart);
        let commit = r#"{"lsn_proc":100,"lsn_commit":100,"lsn":100,"tx_lsn":98,"tx_row":3,"messageType":"COMMIT"}"#;
        check(commit, (90, 100), None);
        check(commit, (90, 120), confirmed);
    }

    #[test]
    fn entries_of_debezium_s_maps() {
        for (offset, expect) in [
            (r#"{"lsn":5,"txId":1,"ts_usec":2,"tx_lsn":5,"tx_row":0,"snapshot":"INITIAL"}"#, 7),
            (r#"{"lsn_proc":7,"lsn":7,"txId":1,"ts_usec":2,"tx_lsn":9,"tx_row":1,"messageType":"UPDATE"}"#, 6),
            (r#"{"lsn_proc":7,"lsn_commit":6,"lsn":7,"txId":1,"ts_usec":2,"xmin":1,"messageType":"UPDATE"}"#, 8),
        ] {
            let stored = from_offset(&serde_json::from_str(offset).unwrap()).unwrap();
            assert_eq!(entries(&stored.position), expect, "{offset}");
        }
        assert_eq!(entries(&Position::UNKNOWN), 1);
    }

    proptest! {
        /// Of a transaction's first LSN the kind of the message is not kept.
        #[test]
        fn an_offset_reads_back(
            words in proptest::array::uniform10(1_i64..i64::MAX / 64), kind in 1_i64..8, between in any::<bool>(), first in any::<bool>(),
        ) {
            let mut position = Position { words: words.map(|word| 8 * word), texts: None };
            position.words[ORIGIN_LSN] = NONE;
            position.words[KIND] = kind;
            if between {
                position.words[LSN_COMMIT] = position.words[TX_LSN] + 8;
                position.words[LSN_PROC] = position.words[LSN_COMMIT];
                position.words[KIND] = Kind::Commit as i64;
            } else {
                position.words[LSN_COMMIT] = position.words[LSN_COMMIT].min(position.words[TX_LSN]);
                if first {
                    position.words[LSN_PROC] = NONE;
                }
            }
            let stored = from_offset(&to_offset(&position)).unwrap();
            if first && !between {
                position.words[KIND] = Kind::Message as i64;
            }
            prop_assert_eq!(stored.position, position);
            prop_assert!(stored.exact && !stored.snapshot_unfinished);
        }
    }

    /// What the releases before 0.2 stored of a commit.
    #[test]
    fn offsets_of_earlier_releases() {
        let commit = r#"{"lsn_proc":104,"lsn_commit":104,"lsn":104,"tx_lsn":96,"tx_row":3,"messageType":"COMMIT"}"#;
        let stored = from_offset(&serde_json::from_str(commit).unwrap()).unwrap();
        let is_so = (stored.position.word(LSN_COMMIT), stored.ends_with(Kind::Commit), stored.exact);
        assert_eq!(is_so, (Some(104), true, true));
        let written = Value::Object(to_offset(&stored.position));
        let expect = r#"{"lsn_proc":103,"lsn_commit":103,"lsn":104,"tx_lsn":96,"tx_row":3,"messageType":"MESSAGE"}"#;
        assert_eq!(written, serde_json::from_str::<Value>(expect).unwrap());
    }
}
