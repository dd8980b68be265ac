mod chain;
mod letters;
mod once;
mod spans;

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use record::{
    Decode, DecodeError, KeyMove, KeyShape, Kind, NONE, Op, Part, RowRef, Schema, Shape, ShapeViews, SourceField,
    SourceShape, Span, Value, ValueRef,
};
use relational::{Budget, Meters, Outlet, OutletEnds, Outlook};
use serde_json::{Map, json};
use settings::Properties;
use tokio::runtime::Handle;
use tokio::sync::{oneshot, watch};

use super::*;
use crate::convert::{self, ConvertError, Converter, Encoder, Prepare, Role};
use crate::runtime::delivery::{Alarm, Deliveries};
use crate::runtime::failure::Stage;
use crate::runtime::letters::Sender;
use crate::runtime::letters::post::{self, Post};
use crate::runtime::tolerance::Tolerance;
use crate::runtime::traces::{Tracer, Waiting};
use crate::sink::DeliveryError;
use crate::sink::fake::FakeSink;

/// Cells are integers in text form.
struct Numbers;

impl Decode for Numbers {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        for span in spans {
            let text = span.bytes(buffer).and_then(|bytes| std::str::from_utf8(bytes).ok());
            let number = text.and_then(|text| text.parse().ok());
            out.push(ValueRef::Int(
                number.ok_or_else(|| DecodeError { column: "id".into(), reason: "no number".into() })?,
            ));
        }
        Ok(())
    }
}

/// `TABLE(id bigint primary key)`; word 0 of a position is its place, word 1 the time in microseconds.
fn shape(table: &str) -> Arc<Shape> {
    let id = Schema::of(Kind::Int64).build();
    let row = Schema::of(Kind::structure([("id", Arc::clone(&id))]))
        .optional()
        .named(&format!("{table}.Value"), None)
        .build();
    let source = Schema::of(Kind::structure([("ts_ms", Arc::clone(&id))])).build();
    let envelope = Schema::of(Kind::structure([
        ("before", Arc::clone(&row)),
        ("after", Arc::clone(&row)),
        ("source", Arc::clone(&source)),
        ("op", Schema::of(Kind::String).build()),
    ]));
    Arc::new(Shape {
        table: format!("public.{table}").into(),
        topic: format!("p.{table}").into(),
        key: Some(KeyShape { schema: Schema::of(Kind::structure([("id", id)])).build(), cells: vec![0] }),
        row,
        envelope: envelope.named(&format!("{table}.Envelope"), None).build(),
        cells: vec![0],
        source: SourceShape { schema: source, fields: vec![SourceField::Millis(1)] },
        decode: Box::new(Numbers),
        views: ShapeViews::default(),
    })
}

fn at(word: i64) -> Position {
    let mut words = [NONE; Position::WORDS];
    words[..2].copy_from_slice(&[word, 5_000_000]);
    Position { words, texts: None }
}

/// A batch of creates, one for each id, at the position of that number.
fn creates(shape: &Arc<Shape>, ids: &[&str]) -> Batch {
    let mut batch =
        Batch { buffer: ids.concat().into_bytes().into(), shapes: vec![Arc::clone(shape)], ..Batch::default() };
    let mut start = 0;
    for (first, id) in ids.iter().enumerate() {
        batch.spans.push(Span { start, len: id.len() as u32 });
        start += id.len() as u32;
        let mut change = Change::new(0, Op::Create, at(id.parse().unwrap_or(99)));
        change.after = Some(RowRef { first: first as u32, count: 1 });
        batch.items.push(Item::Change(change));
    }
    batch
}

/// A pipeline on its thread, with a sink and an outlet of the test's.
struct Bed {
    outlet: Outlet,
    sink: Arc<FakeSink>,
    ledger: Arc<Ledger>,
    alarm: Arc<Alarm>,
    meters: Arc<Meters>,
    awaited: Arc<Awaited>,
    waiting: Option<Arc<Waiting>>,
    stop: watch::Sender<bool>,
    ended: oneshot::Receiver<Result<(), Failure>>,
}

fn json_converter() -> Box<dyn Converter> {
    let properties = [("schemas.enable", "false")].into_iter().collect();
    convert::create("JsonConverter", &properties, Role::Value).unwrap()
}

fn bed(config: &[(&str, &str)], context: &[&str]) -> Bed {
    bed_with(config, context, json_converter())
}

/// The configuration of a pipeline with exactly-once delivery.
const ONCE: &[(&str, &str)] = &[("exactly.once.support", "required")];

fn bed_with(config: &[(&str, &str)], context: &[&str], value: Box<dyn Converter>) -> Bed {
    bed_traced(config, context, value, &Tracer::default())
}

fn bed_traced(config: &[(&str, &str)], context: &[&str], value: Box<dyn Converter>, traces: &Tracer) -> Bed {
    let turns = (config == ONCE).then(Arc::default);
    let config: Properties = config.iter().copied().collect();
    let meters = Arc::new(Meters::new("c".into()));
    let (ledger, alarm) = (Arc::<Ledger>::default(), Arc::<Alarm>::default());
    let reporter = Arc::new(Reporter {
        connector: "c".into(),
        tolerance: Tolerance::of(&config),
        partition: Map::from_iter([("server".to_owned(), json!("p"))]),
        offset: |position| Map::from_iter([("lsn".to_owned(), json!(position.word(0)))]),
        meters: Arc::clone(&meters),
    });
    let (post, inbox, refused) = Post::new(Arc::clone(&ledger), Arc::clone(&alarm), Arc::clone(&meters));
    let settings = reporter.tolerance.letters.clone();
    let waiting = traces.is_on().then(Arc::<Waiting>::default);
    let deliveries = Deliveries {
        ledger: Arc::clone(&ledger),
        reporter: Arc::clone(&reporter),
        alarm: Arc::clone(&alarm),
        letters: settings.is_some().then_some(inbox),
        waiting: waiting.clone(),
    };
    let sink = FakeSink::new(Box::new(move |seq, outcome| deliveries.settle(seq, outcome)));
    let (stop, stopped) = watch::channel(false);
    let awaited = Arc::<Awaited>::default();
    let attempts = Attempts::new(
        reporter.tolerance.retry,
        Handle::current(),
        stopped.clone(),
        Arc::clone(&meters),
        Arc::clone(&awaited),
    );
    let (mut outlet, OutletEnds { records, .. }) =
        Outlet::new("c".into(), None, stopped, &Budget::new(1 << 20, 1 << 20), 8, Arc::clone(&meters));
    outlet.notes_times = traces.is_on();
    let text = Schema::of(Kind::String).build();
    let context = Context {
        headers: context.iter().map(|name| Header::new(*name, Arc::clone(&text), Value::text("x"))).collect(),
        encoded: context.iter().fold(EncodedHeaders::default(), |set, name| set.with(name, Some(b"x"))),
    };
    let letters = settings.map(|settings| {
        let (connector, partition) = (Arc::clone(&reporter.connector), reporter.partition.clone());
        let sender = Arc::new(Sender { connector, partition, offset: reporter.offset });
        let desk = || Desk::new(Arc::clone(&settings), Arc::clone(&sender), Arc::clone(&post));
        let weak: std::sync::Weak<dyn Sink> = Arc::downgrade(&sink) as _;
        post::serve(refused, Arc::clone(&post), desk(), weak, Arc::clone(&context.headers)).unwrap();
        Letters { desk: desk(), make: None }
    });
    let pipeline = Pipeline {
        chain: Chain::build(&config).unwrap(),
        key: Writer::new(Stage::KeyConverter, "K", json_converter()),
        value: Writer::new(Stage::ValueConverter, "V", value),
        header: Writer::new(
            Stage::HeaderConverter,
            "H",
            convert::create("SimpleHeaderConverter", &Properties::new(), Role::Header).unwrap(),
        ),
        context,
        sink: Arc::clone(&sink) as _,
        ledger: Arc::clone(&ledger),
        topics: Arc::new(NewTopics::new(Arc::clone(&sink) as _, None, Arc::new(AtomicU64::new(0)))),
        reporter,
        attempts,
        turns,
        letters,
        spans: Spans::of(traces, &"c".into(), waiting.as_ref()),
    };
    let (ended, is_ended) = oneshot::channel();
    let handle = Handle::current();
    std::thread::spawn(move || {
        // So that a paused clock holds for this thread too.
        let _in_context = handle.enter();
        ended.send(pipeline.run(records))
    });
    Bed { outlet, sink, ledger, alarm, meters, awaited, waiting, stop, ended: is_ended }
}

impl Bed {
    async fn send(&self, batch: Batch) {
        let lease = self.outlet.lease(batch.buffer.len()).await;
        assert!(self.outlet.send(Box::new(batch), lease).await);
    }

    /// Closes the outlet and waits: how the pipeline ended.
    async fn end(&mut self) -> Result<(), Failure> {
        self.outlet.close();
        (&mut self.ended).await.unwrap()
    }

    fn committed(&self) -> Option<i64> {
        self.ledger.committable()?.stream()?.word(0)
    }

    fn keys(&self) -> Vec<String> {
        self.sink.sent().iter().filter_map(|sent| sent.key.clone()).collect()
    }
}

#[tokio::test]
async fn a_change_leaves_with_key_value_and_headers_and_counts_when_it_is_delivered() {
    let mut bed = bed(&[], &["ctx"]);
    let shape = shape("t");
    bed.send(creates(&shape, &["1", "2"])).await;
    bed.end().await.unwrap();
    let sent = bed.sink.sent().clone();
    let show =
        |n: usize| (sent[n].topic.as_str(), sent[n].key.as_deref(), sent[n].value.as_deref(), sent[n].headers.as_str());
    let value = r#"{"before":null,"after":{"id":1},"source":{"ts_ms":5000},"op":"c"}"#;
    assert_eq!(show(0), ("p.t", Some(r#"{"id":1}"#), Some(value), "ctx=x"));
    assert_eq!(bed.committed(), None, "nothing is delivered yet");
    bed.sink.deliver(sent[1].seq);
    assert_eq!(bed.committed(), None, "the first is not delivered yet");
    bed.sink.deliver(sent[0].seq);
    assert_eq!(bed.committed(), Some(2));
    let numbers = bed.meters.read();
    assert_eq!((numbers.creates, numbers.polled, numbers.sent, numbers.queued, numbers.queued_bytes), (2, 2, 2, 0, 0));
    assert!(numbers.lag_ms.is_some_and(|lag| lag > 0) && numbers.sent_bytes > 0);
}

#[tokio::test]
async fn copied_rows_are_counted_by_their_tables() {
    let mut bed = bed(&[], &[]);
    let (a, b) = (shape("a"), shape("b"));
    for (second, ids) in [(&a, ["1", "2", "3"]), (&b, ["4", "5", "6"])] {
        let mut batch = creates(&a, &ids);
        batch.shapes.push(Arc::clone(second));
        for (nth, item) in batch.items.iter_mut().enumerate() {
            let Item::Change(change) = item else { unreachable!() };
            // The first of three is of the log.
            change.mark = if nth == 0 { SnapshotMark::Streamed } else { SnapshotMark::True };
            change.shape = u16::from(nth == 2);
        }
        bed.send(batch).await;
    }
    bed.end().await.unwrap();
    let rows: Vec<String> =
        bed.meters.read().snapshot.rows.iter().map(|(table, count)| format!("{table} {count}")).collect();
    assert_eq!(rows, ["public.a 3", "public.b 1"]);
}

#[tokio::test]
async fn both_halves_of_a_changed_key_name_the_other_before_all_other_headers() {
    let mut bed = bed(&[], &["ctx"]);
    let mut batch = creates(&shape("t"), &["1", "2"]);
    let [Item::Change(one), Item::Change(two)] = &mut batch.items[..] else { unreachable!() };
    (one.moved, one.tombstone) = (Some(KeyMove::To(RowRef { first: 1, count: 1 })), true);
    two.moved = Some(KeyMove::From(RowRef { first: 0, count: 1 }));
    bed.send(batch).await;
    bed.end().await.unwrap();
    let headers: Vec<String> = bed.sink.sent().iter().map(|sent| sent.headers.clone()).collect();
    let to = r#"__debezium.newkey={"id":2},ctx=x"#;
    assert_eq!(headers, [to, to, r#"__debezium.oldkey={"id":1},ctx=x"#]);
    assert_eq!(bed.sink.sent()[1].value, None, "the tombstone");
}

#[tokio::test]
async fn a_row_that_cannot_be_read_ends_it_after_what_came_before() {
    let mut bed = bed(&[("errors.tolerance", "all")], &[]);
    bed.send(creates(&shape("t"), &["1", "x", "3"])).await;
    let failure = (&mut bed.ended).await.unwrap().unwrap_err();
    assert!(failure.trace().contains("public.t") && failure.trace().contains("column id"), "{failure}");
    assert_eq!(bed.keys(), [r#"{"id":1}"#]);
    bed.sink.deliver_all();
    assert_eq!(bed.committed(), Some(1), "what came before is as good as ever");
}

fn too_large() -> SinkError {
    SinkError::TooLarge { topic: "p.t".into(), bytes: 9, limit: 1 }
}

#[tokio::test]
async fn what_the_producer_refuses_ends_the_task_or_is_left_out() {
    let mut strict = bed(&[], &[]);
    *strict.sink.refuses.lock().unwrap() = Some(too_large());
    strict.send(creates(&shape("t"), &["1", "2"])).await;
    let failure = (&mut strict.ended).await.unwrap().unwrap_err();
    assert!(failure.trace().contains("RecordTooLargeException"), "{failure}");
    assert_eq!(strict.keys().len(), 0);

    let mut lax = bed(&[("errors.tolerance", "all")], &[]);
    *lax.sink.refuses.lock().unwrap() = Some(too_large());
    lax.send(creates(&shape("t"), &["1", "2"])).await;
    lax.end().await.unwrap();
    assert_eq!(lax.keys(), [r#"{"id":2}"#]);
    lax.sink.deliver_all();
    assert_eq!(lax.committed(), Some(2), "what is left out is passed");
    let numbers = lax.meters.read();
    assert_eq!((numbers.errors, numbers.skipped, numbers.sent), (1, 1, 1));
}

#[tokio::test]
async fn what_the_broker_refuses_is_left_out_or_raises_the_alarm() {
    let refused = || DeliveryError::Refused {
        topic: "p.t".into(),
        java: "X",
        reason: "no".into(),
        transient: false,
        outlook: Outlook::CannotPass,
    };
    for (tolerance, is_left_out) in [("none", false), ("all", true)] {
        let mut bed = bed(&[("errors.tolerance", tolerance)], &[]);
        bed.send(creates(&shape("t"), &["1"])).await;
        bed.end().await.unwrap();
        let seq = bed.sink.sent()[0].seq;
        bed.sink.refuse(seq, refused());
        assert_eq!(
            (bed.alarm.raised().is_none(), bed.committed().is_some()),
            (is_left_out, is_left_out),
            "{tolerance}"
        );
        assert_eq!(bed.meters.read().refused, u64::from(is_left_out));
    }
}

/// A converter whose service is away for this many questions.
#[derive(Debug)]
struct Flaky(AtomicU32, Mutex<Vec<tokio::time::Instant>>);

impl Flaky {
    fn boxed(times: u32) -> Box<dyn Converter> {
        Box::new(Self(AtomicU32::new(times), Mutex::default()))
    }
}

/// An encoder that writes nothing.
fn nothing() -> Encoder {
    Encoder::new(|_, _| Ok(true))
}

impl Converter for Flaky {
    fn prepare<'a>(&'a self, _: &'a str, _: Option<&'a Part>) -> Prepare<'a> {
        self.1.lock().unwrap().push(tokio::time::Instant::now());
        let is_away = self.0.fetch_update(Ordering::AcqRel, Ordering::Acquire, |left| left.checked_sub(1)).is_ok();
        let away = || ConvertError::Unavailable { service: "the registry".into(), reason: "refused".into() };
        Box::pin(std::future::ready(if is_away { Err(away()) } else { Ok(nothing()) }))
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_is_away_is_waited_for() {
    // Ten minutes at least, with a question every five seconds.
    for (timeout, away_for, goes_on) in [("0", 100, true), ("0", 200, false), ("900000", 170, true), ("-1", 999, true)]
    {
        let config = [("errors.retry.timeout", timeout), ("errors.retry.delay.max.ms", "100000")];
        let mut bed = bed_with(&config, &[], Flaky::boxed(away_for));
        bed.send(creates(&shape("t"), &["1"])).await;
        bed.outlet.close();
        let outcome = (&mut bed.ended).await.unwrap();
        assert_eq!(outcome.is_ok(), goes_on, "{timeout} ms, away for {away_for}: {outcome:?}");
        if let Err(failure) = outcome {
            assert!(failure.trace().contains("RetriableException: the registry cannot be asked"), "{failure}");
        } else {
            assert_eq!(bed.meters.read().retries, u64::from(away_for));
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_the_waiting() {
    let mut bed = bed_with(&[("errors.retry.timeout", "-1")], &[], Flaky::boxed(u32::MAX));
    bed.send(creates(&shape("t"), &["1"])).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(bed.ended.try_recv().is_err(), "it waits without an end");
    let trace = loop {
        match bed.awaited.trace() {
            Some(trace) => break trace,
            None => tokio::time::sleep(Duration::from_millis(1)).await,
        }
    };
    assert!(trace.contains("the registry cannot be asked: refused\nReason: the record is kept"), "{trace}");
    bed.stop.send_replace(true);
    let failure = (&mut bed.ended).await.unwrap().unwrap_err();
    assert!(failure.is_stop(), "no failure of the task");
    assert_eq!((bed.committed(), bed.awaited.trace()), (None, None));
}

/// A converter that cannot be prepared for the first record.
#[derive(Debug)]
struct Particular(AtomicU32);

impl Converter for Particular {
    fn prepare<'a>(&'a self, _: &'a str, _: Option<&'a Part>) -> Prepare<'a> {
        let is_first = self.0.fetch_add(1, Ordering::AcqRel) == 0;
        let refused = ConvertError::SchemaType { converter: "Particular", found: "STRUCT" };
        Box::pin(std::future::ready(if is_first { Err(refused) } else { Ok(nothing()) }))
    }
}

#[tokio::test]
async fn a_record_that_is_refused_does_not_condemn_those_behind_it() {
    let mut bed = bed_with(&[("errors.tolerance", "all")], &[], Box::new(Particular(AtomicU32::new(0))));
    bed.send(creates(&shape("t"), &["1", "2", "3"])).await;
    bed.end().await.unwrap();
    assert_eq!((bed.meters.read().skipped, bed.sink.sent().len()), (1, 2));
}

/// A converter whose service never answers.
#[derive(Debug)]
struct Silent;

impl Converter for Silent {
    fn prepare<'a>(&'a self, _: &'a str, _: Option<&'a Part>) -> Prepare<'a> {
        Box::pin(std::future::pending())
    }
}

#[tokio::test(start_paused = true)]
async fn a_stop_ends_a_question_that_is_not_answered() {
    let mut bed = bed_with(&[], &[], Box::new(Silent));
    bed.send(creates(&shape("t"), &["1"])).await;
    tokio::time::sleep(Duration::from_secs(3600)).await;
    assert!(bed.ended.try_recv().is_err(), "it waits without an end");
    bed.stop.send_replace(true);
    let failure = (&mut bed.ended).await.unwrap().unwrap_err();
    assert!(failure.is_stop(), "no failure of the task");
}

#[tokio::test]
async fn a_stop_does_not_end_what_need_not_wait() {
    let (_stop, stopped) = watch::channel(true);
    let meters = Arc::new(Meters::new("c".into()));
    let mut attempts = Attempts::new(Tolerance::default().retry, Handle::current(), stopped, meters, Arc::default());
    let all_done = move || (0..100).all(|_| attempts.run_async(|| async { Ok(()) }).is_ok());
    assert!(tokio::task::spawn_blocking(all_done).await.unwrap());
}

#[tokio::test]
async fn tables_in_turn_are_prepared_once() {
    #[derive(Debug)]
    struct Counting(Arc<AtomicU32>);
    impl Converter for Counting {
        fn prepare<'a>(&'a self, _: &'a str, _: Option<&'a Part>) -> Prepare<'a> {
            self.0.fetch_add(1, Ordering::AcqRel);
            Box::pin(std::future::ready(Ok(nothing())))
        }
    }
    let prepared = Arc::new(AtomicU32::new(0));
    let mut bed = bed_with(&[], &[], Box::new(Counting(Arc::clone(&prepared))));
    let shapes: Vec<_> = (0..200).map(|n| shape(&format!("t{n}"))).collect();
    for _ in 0..3 {
        for shape in &shapes {
            bed.send(creates(shape, &["1"])).await;
        }
    }
    bed.end().await.unwrap();
    assert_eq!((bed.sink.sent().len(), prepared.load(Ordering::Acquire)), (600, 200));
}
