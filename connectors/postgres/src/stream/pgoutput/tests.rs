//! A restart in the middle of a transaction: whatever was delivered before it, the rest equals that of an uninterrupted run,
//! the records as well as their places in the transaction.

mod handed_back;

use std::collections::BTreeSet;

use proptest::prelude::*;
use record::{Change, Item, Schema, Shape, ShapeViews, SourceShape};
use relational::{Adjustment, Patterns, TopicNaming};

use super::*;
use crate::config::BinaryMode;
use crate::position::{from_offset, to_offset};
use crate::stream::logical::MessageTopic;
use crate::types::RowCodec;

/// What a transaction does: (what, table or prefix, key before, key after, LSNs to the next one).
type Act = (u8, u32, u8, u8, i64);

/// Tables 1 and 2 are captured, 3 is not; messages of prefix `p1` and `p2` are wanted, `p3` are not.
const CAPTURED: [u32; 2] = [1, 2];

fn shape(id: u32) -> Arc<Shape> {
    let row = Schema::of(record::Kind::Struct(Vec::new())).build();
    let source = SourceShape { schema: Arc::clone(&row), fields: Vec::new() };
    Arc::new(Shape {
        table: format!("public.t{id}").into(),
        topic: "t".into(),
        key: None,
        row: Arc::clone(&row),
        envelope: row,
        cells: Vec::new(),
        source,
        decode: Box::new(RowCodec::new(Vec::new())),
        views: ShapeViews::default(),
    })
}

/// One message of the stream: its LSN and its bytes.
type Sent = (i64, Vec<u8>);

fn row(tag: u8, key: u8) -> Vec<u8> {
    [&[tag, 0, 1, b't', 0, 0, 0, 1][..], &[b'0' + key]].concat()
}

/// The bytes of transactions and of messages between them.
fn stream(transactions: &[(Vec<Act>, bool)]) -> Vec<Sent> {
    let mut sent = Vec::new();
    let mut lsn = 1000;
    for (i, (acts, message_after)) in transactions.iter().enumerate() {
        let rows: i64 = acts.iter().map(|act| act.4).sum();
        let commit = lsn + 8 * rows + 16;
        let xid = 700 + i as u32;
        sent.push((lsn, [&b"B"[..], &commit.to_be_bytes(), &[0; 8], &xid.to_be_bytes()].concat()));
        for (what, to, before, after, step) in acts {
            let (id, tag) = (to.to_be_bytes(), |tag: u8| vec![tag]);
            let bytes = match what {
                0 => [tag(b'I'), id.to_vec(), row(b'N', *after)].concat(),
                1 => [tag(b'U'), id.to_vec(), row(b'N', *after)].concat(),
                2 => [tag(b'U'), id.to_vec(), row(b'K', *before), row(b'N', *after)].concat(),
                3 => [tag(b'D'), id.to_vec(), row(b'K', *before)].concat(),
                4 => [&b"T"[..], &2_u32.to_be_bytes(), &[0], &id, &1_u32.to_be_bytes()].concat(),
                _ => message(true, lsn, *to),
            };
            sent.push((lsn, bytes));
            lsn += 8 * step;
        }
        sent.push((commit, [&b"C\0"[..], &commit.to_be_bytes(), &(commit + 8).to_be_bytes(), &[0; 8]].concat()));
        lsn = commit + 24;
        if *message_after {
            sent.push((lsn, message(false, lsn, 1)));
            lsn += 24;
        }
    }
    sent
}

fn message(transactional: bool, lsn: i64, prefix: u32) -> Vec<u8> {
    let prefix = format!("p{prefix}\0");
    [&[b'M', u8::from(transactional)][..], &lsn.to_be_bytes(), prefix.as_bytes(), &1_u32.to_be_bytes(), b"x"].concat()
}

/// The records of a run, each with the position that may be stored once it is delivered; and positions without a record.
fn run(
    sent: &[Sent],
    wanted: &Wanted,
    metadata: bool,
    resume: Option<Stored>,
) -> Vec<(Option<String>, Option<Position>)> {
    let naming = TopicNaming::new("p");
    let topic = metadata.then(|| TransactionTopic::new(&naming, Adjustment::None));
    let mut decoder = Decoder::new(wanted.clone(), None, topic);
    decoder.reconnected(resume);
    for id in 1..=3 {
        let known = Known::new(CAPTURED.contains(&id).then(|| shape(id)), vec![true], vec![0]);
        decoder.install(id, known);
    }
    let source = SourceShape { schema: Schema::of(record::Kind::Struct(Vec::new())).build(), fields: Vec::new() };
    let patterns = (Patterns::parse("p1,p2").unwrap(), Patterns::default());
    let messages = MessageTopic::new("p", Adjustment::None, source, patterns, BinaryMode::Bytes, metadata);
    let mut records = Vec::new();
    for (lsn, bytes) in sent {
        // One batch for each message, so that no position is replaced by the next one.
        let mut batch = Batch::default();
        decoder.next_batch();
        match decoder.message(&mut batch, *lsn, Cursor::new(bytes, 0)).unwrap() {
            Step::Done => {}
            other @ (Step::Relation(_) | Step::Type(_)) => panic!("{other:?}"),
            Step::Message(message) => decoder.met(&mut batch, message, &messages, 0),
        }
        records.extend(batch.items.into_iter().map(|item| match item {
            Item::Position(position) => (None, Some(position)),
            Item::Event(event) => {
                // Schemas have other ids in each run.
                let value = |part: Option<(Arc<Schema>, record::Value)>| part.map(|(_, value)| value);
                (Some(format!("{} {:?} {:?}", event.topic, value(event.key), value(event.value))), event.position)
            }
            Item::Change(change) => {
                let table = &batch.shapes[usize::from(change.shape)].table;
                let Change { op, moved, tombstone, transaction, position, last, .. } = change;
                let text =
                    format!("{op:?} {table} {} {tombstone} {transaction:?} {:?}", moved.is_some(), position.words);
                (Some(text), last.then_some(position))
            }
        }));
    }
    records
}

fn acts() -> impl Strategy<Value = Vec<(Vec<Act>, bool)>> {
    // There are only two keys, so that half of the updates change the key. Many events have the same LSN.
    let act = (0..6_u8, 1..=3_u32, 0..2_u8, 0..2_u8, 0..2_i64);
    prop::collection::vec((prop::collection::vec(act, 0..8), any::<bool>()), 1..4)
}

proptest! {
    #[test]
    fn a_restart_anywhere_gives_the_rest(
        transactions in acts(), skips in any::<[bool; 5]>(), metadata in any::<bool>(), java in any::<bool>(),
    ) {
        let [skip_create, skip_update, skip_delete, skip_truncate, skip_unchanged] = skips;
        let wanted =
            Wanted { skip_create, skip_update, skip_delete, skip_truncate, skip_unchanged, tombstones: true, moves_as_update: false };
        let sent = stream(&transactions);
        let whole = run(&sent, &wanted, metadata, None);
        for (i, (_, position)) in whole.iter().enumerate() {
            let Some(position) = position else { continue };
            let stored = from_offset(&to_offset(position)).unwrap();
            prop_assert!(stored.exact);
            let rest: Vec<_> = whole[i + 1..].iter().filter_map(|(record, _)| record.as_ref()).collect();
            let again = run(&sent, &wanted, metadata, Some(stored.clone()));
            let again: Vec<_> = again.iter().filter_map(|(record, _)| record.as_ref()).collect();
            // Nothing may differ, `lsn_commit` and the place of BEGIN included.
            prop_assert_eq!(&again, &rest, "after record {} at {:?}", i, position);
            if java {
                // Without our own keys, as the Java connector stores the offset: no record is lost, some may come twice.
                let mut offset = to_offset(position);
                offset.remove("tx_lsn");
                offset.remove("tx_row");
                let again = run(&sent, &wanted, metadata, from_offset(&offset));
                let again: BTreeSet<_> = again.iter().filter_map(|(record, _)| record.clone()).collect();
                prop_assert!(rest.iter().all(|record| again.contains(*record)), "lost after record {}", i);
            }
        }
    }
    /// After a copy that shows transactions beyond the point from which the log is followed. However often the stream is
    /// interrupted, it sends the others, and each once.
    #[test]
    fn what_a_copy_has_read_is_passed_over(
        transactions in acts(), copied in any::<[bool; 3]>(), until in 0..4_usize, metadata in any::<bool>(),
    ) {
        let sent = stream(&transactions);
        let commits: Vec<i64> = sent.iter().filter(|(_, bytes)| bytes[0] == b'C').map(|(lsn, _)| *lsn).collect();
        let until_lsn = commits.get(until).map_or(100_000, |commit| commit + 1);
        // Transaction `i` has the id `700 + i`. Some run while the view is taken; which of those commit before its end is known.
        let running: Vec<String> = (0..3).filter(|i| !copied[*i]).map(|i| (700 + i).to_string()).collect();
        let text = format!("{until_lsn}:700:703:{}", running.join(","));
        prop_assert_eq!(&Seen::parse(&text).unwrap().to_text(), &text);
        let is_read = |position: &Position| {
            let i = position.word(TX_ID).filter(|xid| (700..703).contains(xid)).map(|xid| (xid - 700) as usize);
            i.is_some_and(|i| copied[i] && commits[i] < until_lsn)
        };
        let offset = serde_json::json!({"lsn": 900, "tx_row": 0, "snapshot": "INITIAL", "snapshot_completed": true, "copied": text});
        let wanted = Wanted { tombstones: true, ..Wanted::default() };
        let whole = run(&sent, &wanted, metadata, from_offset(offset.as_object().unwrap()));
        prop_assert!(whole.iter().all(|(_, position)| !position.as_ref().is_some_and(is_read)));
        if !metadata {
            let texts = |records: Vec<(Option<String>, Option<Position>)>| {
                records.into_iter().filter_map(|(record, _)| record).collect::<Vec<_>>()
            };
            let others = run(&sent, &wanted, false, None);
            prop_assert_eq!(texts(whole.clone()).len(), others_of(&others, is_read));
        }
        for (i, (_, position)) in whole.iter().enumerate() {
            let Some(position) = position else { continue };
            let rest: Vec<_> = whole[i + 1..].iter().filter_map(|(record, _)| record.as_ref()).collect();
            let again = run(&sent, &wanted, metadata, from_offset(&to_offset(position)));
            let again: Vec<_> = again.iter().filter_map(|(record, _)| record.as_ref()).collect();
            prop_assert_eq!(&again, &rest, "after record {} at {:?}", i, position);
        }
    }
}

/// How many records are of events that are not `read`. A record without a position belongs to the event whose position comes
/// next.
fn others_of(records: &[(Option<String>, Option<Position>)], read: impl Fn(&Position) -> bool) -> usize {
    let (mut count, mut open) = (0, 0);
    for (record, position) in records {
        open += usize::from(record.is_some());
        if let Some(position) = position {
            count += if read(position) { 0 } else { open };
            open = 0;
        }
    }
    count
}
