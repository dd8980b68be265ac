//! A Java worker takes a connector back at any stored offset: it must send every row that was not delivered.
//!
//! The model is of what the Java connector 3.6.1 and earlier releases do with an offset (their class `WalPositionLocator`),
//! on a log in which transactions interleave without a gap: the end of a commit is where the next record begins.
//! `tests/postgres_swap.rs` tries the same with a real worker.

use serde_json::{Map, Value as Json, json};

use super::*;

/// A record of the log: which transaction it belongs to, and how many rows it holds; 0 rows: the transaction's commit.
type Logged = (u8, u8);

/// A message that the server sends.
struct Message {
    lsn: i64,
    bytes: Vec<u8>,
    kind: Kind,
    /// Where its transaction's commit record begins: the server sends what is committed at or after the LSN that it is asked
    /// for.
    commit: i64,
}

/// A transaction that has not committed yet.
struct Writing {
    xid: u8,
    /// The LSN of its first record.
    first: i64,
    /// LSN and number of rows.
    records: Vec<(i64, u8)>,
}

/// The stream that the server makes of the log, at whose end every transaction is committed. `lazy`: BEGIN has the LSN of the
/// first row (PostgreSQL 15 and later), else that of the transaction's first record, which is another table's.
fn messages_of(log: &[Logged], lazy: bool) -> Vec<Message> {
    let (mut open, mut sent, mut lsn): (Vec<Writing>, Vec<Message>, i64) = (Vec::new(), Vec::new(), 1000);
    for &(xid, rows) in log.iter().chain(&[(0, 0), (1, 0), (2, 0), (3, 0)]) {
        let begun = open.iter().position(|writing| writing.xid == xid);
        match (rows, begun) {
            (0, None) => continue,
            (0, Some(at)) => committed(&open.remove(at), lsn, lazy, &mut sent),
            (rows, Some(at)) => open[at].records.push((lsn, rows)),
            (rows, None) => {
                let first = lsn;
                lsn += if lazy { 0 } else { 8 };
                open.push(Writing { xid, first, records: vec![(lsn, rows)] });
            }
        }
        lsn += 8;
    }
    sent
}

/// Sends a transaction whose commit record begins at `commit`.
fn committed(writing: &Writing, commit: i64, lazy: bool, sent: &mut Vec<Message>) {
    let (end, xid) = (commit + 8, 700 + u32::from(writing.xid));
    let mut put = |lsn, kind, bytes| sent.push(Message { lsn, bytes, kind, commit });
    let begin = [&b"B"[..], &commit.to_be_bytes(), &[0; 8], &xid.to_be_bytes()].concat();
    put(if lazy { writing.records[0].0 } else { writing.first }, Kind::Begin, begin);
    for &(lsn, rows) in &writing.records {
        for _ in 0..rows {
            put(lsn, Kind::Insert, [&b"I"[..], &1_u32.to_be_bytes(), &row(b'N', 1)].concat());
        }
    }
    put(end, Kind::Commit, [&b"C\0"[..], &commit.to_be_bytes(), &end.to_be_bytes(), &[0; 8]].concat());
}

/// Releases of the Java connector that differ here.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Release {
    /// 3.6: after a message outside of transactions it goes on with the first one that comes.
    Now,
    /// 2.3 to 3.5.
    Before,
}

/// The rows that the Java connector sends when it goes on from `offset`, as indexes of `messages`.
fn sent_by_java(messages: &[Message], offset: &Map<String, Json>, confirmed: i64, release: Release) -> Vec<usize> {
    let word = |key: &str| offset.get(key).and_then(Json::as_i64);
    let start = word("lsn_proc").or(word("lsn")).unwrap();
    let first = messages.iter().position(|m| m.commit >= start.max(confirmed)).unwrap_or(messages.len());
    let stream = &messages[first..];
    let from = match word("lsn_proc") {
        None => Some(0),
        Some(last) => located(stream, last, word("lsn_commit").unwrap_or(last), &offset["messageType"], release)
            .and_then(|lsn| stream.iter().position(|m| m.lsn == lsn)),
    };
    let rows = |from: usize| (first + from..messages.len()).filter(|i| messages[*i].kind == Kind::Insert).collect();
    from.map(rows).unwrap_or_default()
}

/// The LSN at which the Java connector begins to send; `None` while it goes on looking.
fn located(stream: &[Message], last: i64, commit: i64, kind: &Json, release: Release) -> Option<i64> {
    let (mut begun, mut found) = (None, false);
    for message in stream {
        if found && message.lsn != last {
            return Some(message.lsn);
        }
        if found {
            if begun.is_some() && matches!(kind.as_str(), None | Some("BEGIN" | "COMMIT")) {
                return begun;
            }
            continue;
        }
        found = message.lsn == last;
        if release == Release::Now && kind == "MESSAGE" && commit == last {
            return Some(stream[0].lsn);
        }
        match message.kind {
            Kind::Begin => begun = Some(message.lsn),
            Kind::Commit if message.lsn > commit => return begun.or(Some(stream[0].lsn)),
            _ => {}
        }
    }
    None
}

/// The positions that may be stored: how many messages were delivered before, and the position.
fn positions(messages: &[Message]) -> Vec<(usize, Position)> {
    let mut decoder = Decoder::new(Wanted { tombstones: true, ..Wanted::default() }, None, None);
    decoder.install(1, Known::new(Some(shape(1)), vec![true], vec![0]));
    let mut all = Vec::new();
    for (i, message) in messages.iter().enumerate() {
        let mut batch = Batch::default();
        decoder.next_batch();
        decoder.message(&mut batch, message.lsn, Cursor::new(&message.bytes, 0)).unwrap();
        all.extend(batch.items.into_iter().map(|item| match item {
            Item::Position(position) => (i + 1, position),
            Item::Change(change) => (i + 1, change.position),
            Item::Event(event) => (i + 1, event.position.unwrap()),
        }));
        // The server says that it has read on, over what is no commit.
        let read = message.lsn + 8;
        if messages[i + 1..].iter().all(|m| m.commit >= read) {
            all.extend(decoder.keepalive(read).map(|position| (i + 1, position)));
        }
    }
    all
}

/// The rows that are lost when a Java worker sends only these rows after `delivered` messages.
fn lost(messages: &[Message], delivered: usize, sent: &[usize]) -> Vec<usize> {
    (delivered..messages.len()).filter(|i| messages[*i].kind == Kind::Insert && !sent.contains(i)).collect()
}

proptest! {
    #[test]
    fn java_loses_nothing(
        log in prop::collection::vec((0..4_u8, 0..4_u8), 1..14), lazy in any::<bool>(), confirms in any::<bool>(),
    ) {
        let messages = messages_of(&log, lazy);
        for (delivered, position) in positions(&messages) {
            let offset = to_offset(&position);
            let confirmed = if confirms { position.word(LSN_COMMIT).unwrap_or(0) } else { 0 };
            for release in [Release::Now, Release::Before] {
                let sent = sent_by_java(&messages, &offset, confirmed, release);
                let lost = lost(&messages, delivered, &sent);
                prop_assert!(lost.is_empty(), "{release:?} after {delivered} loses {lost:?} from {offset:?}");
                let twice: BTreeSet<_> = sent.iter().filter(|i| **i < delivered).map(|i| messages[*i].commit).collect();
                prop_assert!(twice.len() <= 1 || !confirms, "rows of {} transactions twice, from {offset:?}", twice.len());
            }
        }
    }
}

/// Of the offset that Debezium itself stores at a commit, and that was stored here before: an interleaved change begins where
/// the commit ends, and is taken for it.
#[test]
fn an_offset_at_the_end_of_a_commit_loses_rows() {
    // Transaction 1 writes, 0 writes, 0 commits, and right behind its commit 1 goes on.
    let messages = messages_of(&[(1, 1), (0, 1), (0, 0), (1, 1), (1, 1), (1, 0)], true);
    let at_commit = |(_, position): &(usize, Position)| position.words[KIND] == Kind::Commit as i64;
    let (delivered, position) = positions(&messages).into_iter().find(at_commit).unwrap();
    let end = position.words[LSN_COMMIT];
    let debeziums = json!({"lsn_proc": end, "lsn_commit": end, "lsn": end, "messageType": "COMMIT"});
    for release in [Release::Now, Release::Before] {
        let sent = sent_by_java(&messages, debeziums.as_object().unwrap(), end, release);
        assert_eq!(lost(&messages, delivered, &sent).len(), 2, "the model does not show the loss");
        let sent = sent_by_java(&messages, &to_offset(&position), end, release);
        assert_eq!(lost(&messages, delivered, &sent), [0_usize; 0]);
    }
}

/// The same of rows that share an LSN, as those of COPY do.
#[test]
fn an_offset_among_the_rows_of_one_record_loses_rows() {
    let messages = messages_of(&[(0, 1), (0, 3), (0, 1)], true);
    let (delivered, position) = positions(&messages).into_iter().find(|(_, p)| p.words[TX_ROW] == 2).unwrap();
    let lsn = position.words[LSN];
    let debeziums = json!({"lsn_proc": lsn, "lsn": lsn, "messageType": "INSERT"});
    let sent = sent_by_java(&messages, debeziums.as_object().unwrap(), 0, Release::Now);
    assert_eq!(lost(&messages, delivered, &sent).len(), 2, "the model does not show the loss");
    let sent = sent_by_java(&messages, &to_offset(&position), 0, Release::Now);
    assert_eq!(lost(&messages, delivered, &sent), [0_usize; 0]);
}
