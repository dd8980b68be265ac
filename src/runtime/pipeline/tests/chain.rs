//! Records on their way through the transforms: what is sent, what counts as delivered, and what a failure leads to.

use super::*;

/// A delete at the position of its id, with its tombstone.
fn delete(shape: &Arc<Shape>, id: &str) -> Batch {
    let mut batch = creates(shape, &[id]);
    let Item::Change(change) = &mut batch.items[0] else { unreachable!() };
    (change.op, change.before, change.after, change.tombstone) = (Op::Delete, change.after, None, true);
    batch
}

const UNWRAP: &[(&str, &str)] =
    &[("transforms", "u"), ("transforms.u.type", "io.debezium.transforms.ExtractNewRecordState")];

/// As JSON without schemas a delete is the word null, which is no tombstone, unless the transform makes it one.
#[tokio::test]
async fn a_flattened_delete_is_null_or_nothing() {
    let mode = |mode| ("transforms.u.delete.tombstone.handling.mode", mode);
    for (mode, expect) in [
        (mode("tombstone"), vec![Some("null")]),
        (mode("delete-to-tombstone"), vec![None]),
        (mode("rewrite-with-tombstone"), vec![Some(r#"{"id":3,"__deleted":"true"}"#), None]),
    ] {
        let mut bed = bed(&[UNWRAP, &[mode]].concat(), &[]);
        bed.send(delete(&shape("t"), "3")).await;
        bed.end().await.unwrap();
        let values: Vec<Option<String>> = bed.sink.sent().iter().map(|sent| sent.value.clone()).collect();
        assert_eq!(values, expect.into_iter().map(|text| text.map(str::to_owned)).collect::<Vec<_>>(), "{mode:?}");
    }
}

/// As texts the lists are those that Java's `SimpleHeaderConverter` writes; a tombstone shows those of its delete.
#[tokio::test]
async fn lists_of_columns_are_headers() {
    let changed = [
        ("transforms", "c"),
        ("transforms.c.type", "io.debezium.transforms.ExtractChangedRecordState"),
        ("transforms.c.header.changed.name", "Changed"),
        ("transforms.c.header.unchanged.name", "Unchanged"),
    ];
    let mut update = creates(&shape("t"), &["1", "2"]);
    update.items.truncate(1);
    let Item::Change(change) = &mut update.items[0] else { unreachable!() };
    (change.op, change.before, change.after) = (Op::Update, change.after, Some(RowRef { first: 1, count: 1 }));
    let mut bed = bed(&changed, &[]);
    bed.send(update).await;
    bed.send(delete(&shape("t"), "3")).await;
    bed.end().await.unwrap();
    let headers: Vec<String> = bed.sink.sent().iter().map(|sent| sent.headers.clone()).collect();
    let empty = "Changed=[],Unchanged=[]";
    assert_eq!(headers, [r#"Changed=["id"],Unchanged=[]"#, empty, empty]);
}

/// Nothing is sent, and what was dropped is done with all the same.
#[tokio::test]
async fn a_dropped_record_counts_as_delivered() {
    let filter = [("transforms", "f"), ("transforms.f.type", "org.apache.kafka.connect.transforms.Filter")];
    let mut bed = bed(&filter, &[]);
    bed.send(creates(&shape("t"), &["1", "2"])).await;
    bed.send(delete(&shape("t"), "3")).await;
    bed.end().await.unwrap();
    assert_eq!((bed.keys().len(), bed.committed(), bed.meters.read().dropped), (0, Some(3), 4));
}

/// A transform that fails for one record of three.
#[tokio::test]
async fn what_a_transform_refuses_ends_the_task_or_is_left_out() {
    let refuses = |tolerance| {
        [
            ("transforms", "f"),
            ("transforms.f.type", "io.debezium.transforms.Filter"),
            ("transforms.f.language", "jsr223.groovy"),
            ("transforms.f.condition", "value.after.id == 2 ? 'no' : true"),
            ("errors.tolerance", tolerance),
        ]
    };
    let mut strict = bed(&refuses("none"), &[]);
    strict.send(creates(&shape("t"), &["1", "2", "3"])).await;
    let trace = (&mut strict.ended).await.unwrap().unwrap_err().trace();
    let begin = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\nCaused by: \
                 io.debezium.DebeziumException: Error while evaluating expression";
    assert!(trace.starts_with(begin), "{trace}");
    strict.sink.deliver_all();
    assert_eq!((strict.keys().len(), strict.committed()), (1, Some(1)));

    let mut lax = bed(&refuses("all"), &[]);
    lax.send(creates(&shape("t"), &["1", "2", "3"])).await;
    lax.end().await.unwrap();
    lax.sink.deliver_all();
    assert_eq!(lax.keys(), [r#"{"id":1}"#, r#"{"id":3}"#]);
    assert_eq!((lax.committed(), lax.meters.read().skipped), (Some(3), 1));
}

/// Heartbeats, marks of transactions and changes of schemas take the way of all records: each is renamed here.
#[tokio::test]
async fn records_that_are_no_rows_pass_the_chain() {
    let route = [
        ("transforms", "r"),
        ("transforms.r.type", "RegexRouter"),
        ("transforms.r.regex", "(.*)"),
        ("transforms.r.replacement", "all.$1"),
    ];
    let names = [
        ("__debezium-heartbeat.p", "io.debezium.connector.common.Heartbeat"),
        ("p.transaction", "io.debezium.connector.common.TransactionMetadataValue"),
        ("p", "io.debezium.connector.mysql.SchemaChangeValue"),
    ];
    let event = |(n, (topic, name)): (usize, &(&str, &str))| {
        let fields = [("ts_ms", Schema::of(Kind::Int64).build())];
        let schema = Schema::of(Kind::structure(fields)).named(name, Some(1)).build();
        let value = Some((schema, Value::Struct(vec![Value::Int(7)])));
        Item::Event(Box::new(Event {
            topic: (*topic).into(),
            partition: Some(0),
            key: None,
            value,
            has_context: false,
            position: Some(at(n as i64 + 1)),
        }))
    };
    let mut bed = bed(&route, &[]);
    bed.send(Batch { items: names.iter().enumerate().map(event).collect(), ..Batch::default() }).await;
    bed.end().await.unwrap();
    let sent: Vec<_> = bed.sink.sent().iter().map(|sent| (sent.topic.clone(), sent.value.clone().unwrap())).collect();
    let expect = names.map(|(topic, _)| (format!("all.{topic}"), r#"{"ts_ms":7}"#.to_owned()));
    assert_eq!(sent, expect);
    bed.sink.deliver_all();
    assert_eq!(bed.committed(), Some(3));
}

#[tokio::test]
async fn headers_of_transforms_stand_behind_the_others() {
    let mut bed = bed(&[UNWRAP, &[("transforms.u.add.headers", "op")]].concat(), &["ctx"]);
    bed.send(creates(&shape("t"), &["1"])).await;
    bed.end().await.unwrap();
    assert_eq!(bed.sink.sent()[0].headers, "ctx=x,__op=c");
}
