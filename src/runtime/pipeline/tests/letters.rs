//! Dead letters: what they hold, when the position moves past their records, and what happens when they cannot be written.

use serde_json::Value as Json;

use super::*;
use crate::convert::read_payload;
use crate::sink::DeliveryError;
use crate::sink::fake::Sent;

const KEPT: &[(&str, &str)] = &[("errors.tolerance", "all"), ("errors.deadletterqueue.topic.name", "dead")];

/// A transform that fails for the row of this id.
fn fails_at(condition: &'static str) -> Vec<(&'static str, &'static str)> {
    let filter = [
        ("transforms", "f"),
        ("transforms.f.type", "io.debezium.transforms.Filter"),
        ("transforms.f.language", "jsr223.groovy"),
        ("transforms.f.condition", condition),
    ];
    [KEPT, &filter].concat()
}

const SECOND: &str = "value.after.id == 2 ? 'no' : true";

/// A header of a record that was sent.
fn header(sent: &Sent, name: &str) -> Option<String> {
    sent.all_headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.clone())
}

fn letters(bed: &Bed) -> Vec<Sent> {
    bed.sink.sent().iter().filter(|sent| sent.topic == "dead").cloned().collect()
}

#[tokio::test]
async fn a_record_that_fails_is_kept_as_it_was_and_the_position_waits_for_it() {
    let mut bed = bed(&fails_at(SECOND), &["ctx"]);
    bed.send(creates(&shape("t"), &["1", "2", "3"])).await;
    bed.end().await.unwrap();
    let sent = bed.sink.sent().clone();
    let topics: Vec<&str> = sent.iter().map(|sent| sent.topic.as_str()).collect();
    assert_eq!(topics, ["p.t", "dead", "p.t"]);
    let letter = &sent[1];
    let read = |text: &Option<String>| read_payload(text.as_deref().map(str::as_bytes)).unwrap();
    let (key, value) = (read(&letter.key), read(&letter.value));
    assert_eq!(key.to_value(), Value::Struct(vec![Value::Int(2)]));
    let row = |id| Value::Struct(vec![Value::Int(id)]);
    assert_eq!(
        value.to_value(),
        Value::Struct(vec![Value::Null, row(2), Value::Struct(vec![Value::Int(5000)]), Value::text("c")])
    );
    assert_eq!(value.schema().unwrap().name.as_deref(), Some("t.Envelope"), "the schema is whole");
    let said = |name: &str| header(letter, &format!("__connect.errors.{name}"));
    for (name, expect) in [
        ("topic", "p.t"),
        ("connector.name", "c"),
        ("task.id", "0"),
        ("stage", "TRANSFORMATION"),
        ("class.name", "io.debezium.transforms.Filter"),
        ("exception.class.name", "io.debezium.DebeziumException"),
    ] {
        assert_eq!(said(name).as_deref(), Some(expect), "{name}");
    }
    assert!(said("exception.message").unwrap().starts_with("Error while evaluating expression"));
    assert!(said("exception.stacktrace").unwrap().starts_with("io.debezium.DebeziumException: Error while"));
    assert_eq!((said("partition"), said("offset")), (None, None), "it was never written");
    assert_eq!(header(letter, "__afterimage.source.partition").as_deref(), Some(r#"{"server":"p"}"#));
    assert_eq!(header(letter, "__afterimage.source.offset").as_deref(), Some(r#"{"lsn":2}"#));
    let meta: Json = serde_json::from_str(&header(letter, "__afterimage.letter").unwrap()).unwrap();
    assert_eq!((&meta["topic"], &meta["headers"], &meta["parts"]), (&json!("p.t"), &json!(1), &json!(1)));
    assert_eq!(
        header(letter, "ctx").as_deref(),
        Some(r#"{"schema":{"type":"string","optional":false},"payload":"x"}"#)
    );

    // The letter is the last to be acknowledged.
    bed.sink.deliver(sent[0].seq);
    bed.sink.deliver(sent[2].seq);
    assert_eq!(bed.committed(), None, "the letter is not acknowledged yet");
    bed.sink.deliver(letter.seq);
    assert_eq!(bed.committed(), Some(3));
    let numbers = bed.meters.read();
    assert_eq!((numbers.skipped, numbers.letters, numbers.failed_letters, numbers.sent), (1, 1, 0, 2));
}

#[tokio::test]
async fn none_is_written_unless_all_errors_are_tolerated() {
    let mut config = fails_at(SECOND);
    config.retain(|(key, _)| *key != "errors.tolerance");
    let mut bed = bed(&config, &[]);
    bed.send(creates(&shape("t"), &["1", "2"])).await;
    let trace = (&mut bed.ended).await.unwrap().unwrap_err().trace();
    assert!(trace.contains("Tolerance exceeded in error handler"), "{trace}");
    assert_eq!((letters(&bed).len(), bed.meters.read().letters), (0, 0));
}

#[tokio::test]
async fn the_headers_that_say_what_failed_can_be_left_out() {
    let mut config = fails_at(SECOND);
    config.push(("errors.deadletterqueue.context.headers.enable", "false"));
    let mut bed = bed(&config, &[]);
    bed.send(creates(&shape("t"), &["2"])).await;
    bed.end().await.unwrap();
    let names: Vec<String> = letters(&bed)[0].all_headers.iter().map(|(name, _)| name.clone()).collect();
    assert_eq!(names, ["__afterimage.source.partition", "__afterimage.source.offset", "__afterimage.letter"]);
}

/// The message of a converter that refuses.
#[derive(Debug)]
struct Refusing;

impl Converter for Refusing {
    fn prepare<'a>(&'a self, _: &'a str, _: Option<&'a Part>) -> Prepare<'a> {
        Box::pin(std::future::ready(Err(ConvertError::SchemaType { converter: "Refusing", found: "STRUCT" })))
    }
}

#[tokio::test]
async fn a_record_that_a_converter_refuses_is_kept() {
    let mut bed = bed_with(KEPT, &[], Box::new(Refusing));
    bed.send(creates(&shape("t"), &["1"])).await;
    bed.end().await.unwrap();
    let letters = letters(&bed);
    let said = |name: &str| header(&letters[0], &format!("__connect.errors.{name}"));
    assert_eq!((said("stage").as_deref(), said("class.name").as_deref()), (Some("VALUE_CONVERTER"), Some("V")));
    bed.sink.deliver_all();
    assert_eq!(bed.committed(), Some(1));
}

#[tokio::test]
async fn a_letter_that_cannot_be_written_ends_the_task() {
    // The producer refuses it at once.
    let mut bed = bed(&fails_at(SECOND), &[]);
    *bed.sink.refuses.lock().unwrap() = Some(SinkError::Timestamp { topic: "dead".into(), timestamp_ms: -5 });
    bed.send(creates(&shape("t"), &["2"])).await;
    let failure = (&mut bed.ended).await.unwrap().unwrap_err();
    let trace = failure.trace();
    assert!(trace.contains("could not be written to the dead letter topic dead") && !failure.is_stop(), "{trace}");
    assert!(trace.contains("Caused by: io.debezium.DebeziumException: Error while evaluating"), "{trace}");
    bed.sink.deliver_all();
    assert_eq!((bed.committed(), bed.meters.read().failed_letters), (None, 1));
    drop(bed);

    // The broker refuses it later.
    let mut bed = self::bed(&fails_at(SECOND), &[]);
    bed.send(creates(&shape("t"), &["1", "2"])).await;
    bed.end().await.unwrap();
    let [row, letter] = &bed.sink.sent().clone()[..] else { panic!("{:?}", bed.sink.sent()) };
    bed.sink.deliver(row.seq);
    let error = DeliveryError::Refused {
        topic: "dead".into(),
        java: "X",
        reason: "no".into(),
        transient: false,
        outlook: Outlook::CannotPass,
    };
    bed.sink.refuse(letter.seq, error);
    let alarm = bed.alarm.raised().expect("the task ends").cause;
    assert!(alarm.contains("could not be written to errors.deadletterqueue.topic.name"), "{alarm}");
    assert_eq!((bed.committed(), bed.meters.read().failed_letters), (None, 1), "nothing is lost");
}

fn refused() -> DeliveryError {
    DeliveryError::Refused {
        topic: "p.t".into(),
        java: "java.X",
        reason: "no".into(),
        transient: false,
        outlook: Outlook::CannotPass,
    }
}

/// Waits until so many records were sent.
async fn wait_sent(bed: &Bed, count: usize) {
    for _ in 0..2000 {
        if bed.sink.sent().len() >= count {
            return;
        }
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    panic!("{} of {count} records were sent", bed.sink.sent().len());
}

/// When the broker refuses a record, its batch is long over: it is made again from the batch, as it was before the chain.
#[tokio::test]
async fn a_record_that_the_broker_refuses_is_kept_as_it_was() {
    let unwrap = [("transforms", "u"), ("transforms.u.type", "io.debezium.transforms.ExtractNewRecordState")];
    let mut bed = bed(&[KEPT, &unwrap].concat(), &["ctx"]);
    let mut deletes = creates(&shape("t"), &["1", "2"]);
    let Item::Change(change) = &mut deletes.items[1] else { unreachable!() };
    (change.op, change.before, change.after, change.tombstone) = (Op::Delete, change.after, None, true);
    bed.send(deletes).await;
    bed.end().await.unwrap();
    let sent = bed.sink.sent().clone();
    assert_eq!(sent.len(), 2, "the delete is a tombstone: {sent:?}");
    bed.sink.refuse(sent[1].seq, refused());
    wait_sent(&bed, 3).await;
    assert!(bed.alarm.raised().is_none());
    bed.sink.deliver(sent[0].seq);
    assert_eq!(bed.committed(), None, "the letter is not acknowledged");
    let letter = letters(&bed).remove(0);
    let value = read_payload(letter.value.as_deref().map(str::as_bytes)).unwrap().to_value();
    let Value::Struct(envelope) = value else { panic!("{value:?}") };
    assert_eq!(envelope[3], Value::text("d"), "the envelope and not the flattened row");
    let said = |name: &str| header(&letter, &format!("__connect.errors.{name}")).unwrap();
    assert_eq!((said("stage"), said("exception.class.name")), ("KAFKA_PRODUCE".to_owned(), "java.X".to_owned()));
    assert!(header(&letter, "ctx").is_some());
    bed.sink.deliver(letter.seq);
    assert_eq!(bed.committed(), Some(2));
    assert_eq!(bed.meters.read().refused, 1);
}

/// Batches are kept while their records are under way, and no longer: their bytes are leased from the budget.
#[tokio::test]
async fn batches_of_delivered_records_are_let_go() {
    let mut bed = bed(KEPT, &[]);
    let (shape, text) = (shape("t"), "7".repeat(18));
    // Far more than the budget of this test, which is 1 MiB and as much again for the connector.
    for _ in 0..40 {
        let batch = creates(&shape, &vec![&*text; 8000]);
        tokio::time::timeout(Duration::from_secs(60), bed.send(batch)).await.expect("there is room for it");
        wait_sent(&bed, 8000).await;
        bed.sink.sent().clear();
        bed.sink.deliver_all();
        bed.ledger.advance();
    }
    bed.end().await.unwrap();
    assert_eq!(bed.meters.read().sent, 320_000);
}

/// The producer takes no record of more than 3000 bytes.
#[tokio::test]
async fn a_letter_that_is_too_large_goes_in_parts() {
    let mut bed = bed(&fails_at(SECOND), &[]);
    *bed.sink.limit.lock().unwrap() = Some(3000);
    let mut shape = shape("t");
    // The schema makes the letter large.
    let doc = "x".repeat(9000);
    let envelope = shape.envelope.edit().doc(&doc).build();
    Arc::get_mut(&mut shape).unwrap().envelope = envelope;
    bed.send(creates(&shape, &["2"])).await;
    bed.end().await.unwrap();
    let parts = letters(&bed);
    assert!(parts.len() > 3, "{}", parts.len());
    let value: String = parts.iter().filter_map(|part| part.value.clone()).collect();
    let payload = read_payload(Some(value.as_bytes())).unwrap();
    assert_eq!(payload.schema().unwrap().doc.as_deref(), Some(&*doc));
    let metas: Vec<Json> =
        parts.iter().map(|part| serde_json::from_str(&header(part, "__afterimage.letter").unwrap()).unwrap()).collect();
    for (n, meta) in metas.iter().enumerate() {
        assert_eq!((&meta["part"], &meta["parts"]), (&json!(n), &json!(parts.len())));
        assert_eq!(meta["id"], metas[0]["id"]);
    }
    assert!(parts.iter().all(|part| part.key == parts[0].key && part.seq == parts[0].seq));
    for part in &parts {
        assert_eq!(bed.committed(), None, "not all parts are acknowledged");
        bed.sink.deliver(part.seq);
    }
    assert_eq!((bed.committed(), bed.meters.read().letters), (Some(2), 1));
}

#[tokio::test]
async fn a_limit_below_the_headers_ends_the_task() {
    let mut bed = bed(&fails_at(SECOND), &[]);
    *bed.sink.limit.lock().unwrap() = Some(500);
    bed.send(creates(&shape("t"), &["2"])).await;
    let trace = (&mut bed.ended).await.unwrap().unwrap_err().trace();
    assert!(
        trace.contains("key and headers alone are nearly as large as producer.override.max.request.size"),
        "{trace}"
    );
    assert_eq!((bed.committed(), letters(&bed).len()), (None, 0));
}

/// By its time a replay sees whether a record of the same key was sent before or after a letter.
#[tokio::test]
async fn times_tell_letters_and_records_apart() {
    let mut bed = bed(&fails_at("value.after.id % 2 == 0 ? 'no' : true"), &[]);
    for _ in 0..3 {
        bed.send(creates(&shape("t"), &["1", "2", "4", "5"])).await;
    }
    bed.end().await.unwrap();
    let sent = bed.sink.sent().clone();
    for pair in sent.windows(2) {
        let (before, after) = (pair[0].timestamp_ms.unwrap(), pair[1].timestamp_ms.unwrap());
        let is_same_kind = (pair[0].topic == "dead") == (pair[1].topic == "dead");
        assert!(if is_same_kind { before <= after } else { before < after }, "{pair:?}");
    }
    assert_eq!(sent.len(), 12);
}
