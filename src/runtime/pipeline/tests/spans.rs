//! The spans of batches and copies.

use super::*;
use crate::runtime::traces::{Fake, Sampler};

/// A pipeline whose spans are looked at.
fn traced(config: &[(&str, &str)]) -> (Bed, Fake) {
    let fake = Fake::new(64, Sampler::default());
    (bed_traced(config, &[], json_converter(), &fake.tracer), fake)
}

impl Bed {
    /// As the task does from time to time.
    fn settle(&self) {
        self.ledger.advance();
        self.waiting.as_ref().unwrap().settle(|seq| self.ledger.covers(seq));
    }
}

/// Lines without the numbers that differ from run to run.
fn steady(lines: &[String]) -> Vec<String> {
    let word = |word: &&str| !word.starts_with("afterimage.lag_ms=") && !word.starts_with("afterimage.batch.bytes=");
    lines.iter().map(|line| line.split(' ').filter(word).collect::<Vec<_>>().join(" ")).collect()
}

/// What a span of a batch says.
fn of_batch(records: u64, sent: u64, copied: u64) -> String {
    format!(
        "batch afterimage.batch.copied_rows={copied} afterimage.batch.dropped={} afterimage.batch.records={records} \
         messaging.batch.message_count={sent} messaging.system=kafka",
        records - sent
    )
}

#[tokio::test]
async fn a_batch_has_a_span_until_it_is_acknowledged_as_a_whole() {
    let (mut bed, mut fake) = traced(&[]);
    bed.send(creates(&shape("t"), &["1", "2"])).await;
    bed.end().await.unwrap();
    assert_eq!(fake.lines(), ["batch.queue", "batch.convert"], "the batch is under way");
    let sent = bed.sink.sent().clone();
    bed.sink.deliver(sent[1].seq);
    bed.settle();
    assert!(fake.lines().is_empty(), "its first record is not acknowledged");
    bed.sink.deliver(sent[0].seq);
    bed.settle();
    let lines = fake.lines();
    assert!(lines[1].contains(" afterimage.lag_ms=") && lines[1].contains(" afterimage.batch.bytes="), "{lines:?}");
    assert_eq!(steady(&lines), ["batch.deliver in batch".to_owned(), of_batch(2, 2, 0)]);
}

#[tokio::test]
async fn a_batch_that_is_dropped_as_a_whole_ends_with_its_conversion() {
    let filter = [("transforms", "f"), ("transforms.f.type", "org.apache.kafka.connect.transforms.Filter")];
    let (mut bed, mut fake) = traced(&filter);
    bed.send(creates(&shape("t"), &["1"])).await;
    // One that only says how far the log was read has no span.
    bed.send(Batch { items: vec![Item::Position(at(2))], ..Batch::default() }).await;
    bed.end().await.unwrap();
    assert_eq!(steady(&fake.lines()), ["batch.queue in batch", "batch.convert in batch", &of_batch(1, 0, 0)]);
}

#[tokio::test]
async fn a_failure_is_told_by_its_class_alone() {
    let (mut bed, mut fake) = traced(&[]);
    bed.send(creates(&shape("t"), &["1", "x"])).await;
    bed.end().await.unwrap_err();
    bed.sink.deliver_all();
    bed.settle();
    let lines = fake.lines();
    let convert = "batch.convert in batch error.type=io.debezium.DebeziumException failed";
    assert!(lines.iter().any(|line| line == convert), "{lines:?}");
    let batch = lines.last().unwrap();
    assert!(batch.contains(" error.type=io.debezium.DebeziumException ") && batch.ends_with(" failed"), "{lines:?}");
    assert!(!lines.concat().contains("no number"), "{lines:?}");
}

#[tokio::test]
async fn a_copy_has_a_span_and_each_of_its_tables() {
    let (mut bed, mut fake) = traced(&[]);
    let copied = |table: &str, marks: &[SnapshotMark]| {
        let ids: Vec<String> = (1..=marks.len()).map(|id| id.to_string()).collect();
        let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
        let mut batch = creates(&shape(table), &ids);
        for (item, mark) in batch.items.iter_mut().zip(marks) {
            let Item::Change(change) = item else { unreachable!() };
            change.mark = *mark;
        }
        batch
    };
    assert!(bed.outlet.copy_begins().await);
    bed.send(copied("a", &[SnapshotMark::First, SnapshotMark::True])).await;
    bed.send(copied("a", &[SnapshotMark::LastInCollection])).await;
    bed.send(copied("b", &[SnapshotMark::FirstInCollection])).await;
    assert!(bed.outlet.copy_ends().await);
    // The next copy is not complete when the task ends.
    assert!(bed.outlet.copy_begins().await);
    bed.send(copied("a", &[SnapshotMark::First])).await;
    bed.end().await.unwrap();
    let mut lines: Vec<String> = fake.lines().into_iter().filter(|line| line.starts_with("snapshot")).collect();
    for line in &mut lines {
        *line = line.replace(" in snapshot", "");
    }
    assert_eq!(
        lines,
        [
            "snapshot.table afterimage.rows=3 afterimage.table=public.a",
            "snapshot.table afterimage.rows=1 afterimage.table=public.b",
            "snapshot",
            "snapshot.table afterimage.rows=1 afterimage.table=public.a error.type=interrupted failed",
            "snapshot error.type=interrupted failed",
        ]
    );
}

#[tokio::test]
async fn what_a_broker_never_acknowledges_ends_as_failed() {
    let (mut bed, mut fake) = traced(&[]);
    bed.send(creates(&shape("t"), &["1"])).await;
    bed.end().await.unwrap();
    bed.waiting.as_ref().unwrap().give_up();
    let lines = fake.lines();
    assert!(
        lines.last().unwrap().ends_with(" failed") && lines.concat().contains("error.type=not_acknowledged"),
        "{lines:?}"
    );
}
