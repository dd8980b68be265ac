//! What the catalogue is asked, and records that keep their names.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};

use super::*;
use crate::Chunks;

fn name(name: &str) -> crate::TableName {
    let (schema, table) = name.split_once('.').unwrap();
    (schema.to_owned(), table.to_owned())
}

#[test]
fn the_catalogue_is_read_for_unknown_chunks_only() {
    let reads = Arc::new(AtomicU32::new(0));
    let chunks = Arc::new(Mutex::new(Ok(vec![("i.a", "public.t")])));
    let (counted, shown) = (Arc::clone(&reads), Arc::clone(&chunks));
    let mut catalog = Catalog::new(
        "p".to_owned(),
        Box::new(move || {
            counted.fetch_add(1, Ordering::Relaxed);
            let pairs: Vec<(&str, &str)> = shown.lock().unwrap().clone()?;
            let hypertables = pairs.into_iter().map(|(chunk, table)| (name(chunk), name(table))).collect();
            Ok(Chunks { hypertables, aggregates: Vec::new() })
        }),
    );
    let mut check = |table: &str, expect: Result<Option<&str>, &str>, expected_reads: u32| {
        let found = catalog.find("i", table).map(|found| match found {
            Found::Target(target) => Some(target.topic.to_string()),
            Found::Nothing => None,
        });
        assert_eq!(found, expect.map(|topic| topic.map(str::to_owned)).map_err(str::to_owned), "{table}");
        assert_eq!(reads.load(Ordering::Relaxed), expected_reads, "{table}");
    };
    check("a", Ok(Some("p.public.t")), 1);
    check("a", Ok(Some("p.public.t")), 1);
    check("gone", Ok(None), 2);
    check("gone", Ok(None), 2);
    *chunks.lock().unwrap() = Ok(vec![("i.a", "public.t"), ("i.b", "public.u")]);
    check("b", Ok(Some("p.public.u")), 3);
    check("gone", Ok(None), 3);
    *chunks.lock().unwrap() = Err("it is away".to_owned());
    check("c", Err("it is away"), 4);
    check("c", Err("it is away"), 5);
    check("a", Ok(Some("p.public.t")), 5);
}

#[test]
fn other_records() {
    crate::example::check(
        KIND.class,
        r#"{"schema.list": "a, b", "target.topic.prefix": "x"}
        {"topic": "srv.b._hyper_1_1_chunk", "value": {"op": "c", "after": {"id": 1}}}
        => {}
        {"topic": "srv._timescaledb_internal._hyper_1_1_chunk", "value": {"op": "c", "after": {"id": 1}}}
        => {}
        {"topic": "srv._timescaledb_internal._hyper_1_1_chunk", "value": {"id": 1}}
        => {}
        {"topic": "srv.a.t", "value": null}
        => {}"#,
    );
    crate::example::check(
        KIND.class,
        r#"{"schema.list": "a,_timescaledb_internal", "target.topic.prefix": "x"}
        {"topic": "srv._timescaledb_internal._hyper_1_1_chunk", "value": {"op": "c", "after": {"id": 1}}}
        => {"topic": "x.public.conditions", "value": {"source": {"table": "conditions", "db": "shop"}},
            "headers": [["__debezium_timescaledb_chunk_table", "_hyper_1_1_chunk"],
                ["__debezium_timescaledb_chunk_schema", "_timescaledb_internal"]]}"#,
    );
}

#[test]
fn a_catalogue_that_cannot_be_read() {
    let mut transform = TimescaleDb::new(&Properties::new());
    let text = || Schema::of(Kind::String).build();
    let source = Kind::structure([("schema", text()), ("table", text())]);
    let envelope = Kind::structure([("source", Schema::of(source).build())]);
    let schema = Schema::of(envelope).named("a.Envelope", None).build();
    let value = Value::Struct(vec![Value::Struct(vec![Value::text(INTERNAL), Value::text("c")])]);
    let record = Record {
        topic: "t".into(),
        partition: None,
        timestamp_ms: None,
        key: Payload::Null,
        value: Payload::Value(schema, value),
        headers: record::Headers::default(),
    };
    let error = transform.apply(record).unwrap_err();
    let expect = "Failed to read TimescaleDB metadata: the connector has no TimescaleDB";
    assert_eq!((error.java_class(), error.to_string().as_str()), (java::DEBEZIUM, expect));
}
