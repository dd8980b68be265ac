//! Encoders at work: what they write straight from cells is what the plan writes of owned values.

use std::sync::Arc;
use std::time::Instant;

use apache_avro::reader::datum::GenericDatumReader;
use record::{
    Decoded, Headers, Kind, Leaf, Node, Op, Part, Payload, Presence, Schema, Source, TransactionMark, Value, ValueRef,
    View,
};
use settings::Properties;

use super::super::document::document;
use super::super::encoder::encoder;
use super::super::options::{Family, Options};
use super::bytes;
use crate::convert::json::sample::{bench_cells, bench_shape, change, decoded, optional, plain};
use crate::convert::{Encoder, Given};

const HEAD: &[u8] = &[0, 0, 0, 0, 7];

fn options() -> Options {
    Options::read(Family::Confluent, &Properties::new())
}

fn made(part: &Part, registered: Option<&str>, options: Options) -> Result<Encoder, String> {
    let own = document(&part.schema, options).unwrap();
    encoder(part, &own, registered, HEAD, options).map_err(|error| format!("{error} at {}", error.field()))
}

/// The bytes behind the head; none for a Kafka null.
fn encode(payload: &Payload<'_>, registered: Option<&str>, options: Options) -> Result<Option<Vec<u8>>, String> {
    let mut encoder = made(&payload.part().unwrap(), registered, options)?;
    let mut out = Vec::new();
    let given = Given { payload, headers: &Headers::default() };
    let written = encoder.write(given, &mut out).map_err(|error| format!("{error} at {}", error.field()))?;
    Ok(written.then(|| out.strip_prefix(HEAD).unwrap().to_vec()))
}

/// Checks that the cells are written as the owned value is.
#[track_caller]
fn check(payload: &Payload<'_>) {
    let schema = payload.schema().unwrap();
    let own = document(schema, options()).unwrap();
    let expect = bytes(schema, &payload.to_value(), &own, options()).unwrap();
    assert_eq!(encode(payload, None, options()).unwrap(), Some(expect.clone()));
    // Another document of the same layout, and one of another layout.
    let spaced = own.replace(':', ": ");
    assert_eq!(encode(payload, Some(&spaced), options()).unwrap(), Some(expect));
    let turned = own.replace("[\"null\",\"int\"]", "[\"int\",\"null\"]");
    let expect = bytes(schema, &payload.to_value(), &turned, options()).unwrap();
    assert_eq!(encode(payload, Some(&turned), options()).unwrap(), Some(expect));
}

#[test]
fn envelopes_keys_and_views() {
    let shape = bench_shape();
    let row = bench_cells("héllo");
    let mut nulls = row.clone();
    nulls[1..].fill(ValueRef::Null);
    for op in [Op::Create, Op::Update, Op::Delete] {
        let mut change = change(op);
        change.transaction = (op == Op::Update)
            .then(|| Box::new(TransactionMark { id: "555:1".into(), total_order: 3, collection_order: 2 }));
        let event = decoded(&shape, &change, (op != Op::Create).then_some(&nulls), (op != Op::Delete).then_some(&row));
        check(&event.envelope());
        check(&event.key());
        check(&unwrapped(&event));
        check(&Payload::Value(Arc::clone(&shape.envelope), event.envelope().to_value()));
    }
}

/// The row after, as unwrap shows it, with a computed struct behind it.
fn unwrapped<'a>(event: &'a Decoded<'a>) -> Payload<'a> {
    let inner = Schema::of(Kind::structure([("x", optional(Kind::Int32))])).optional().named("p.Inner", None).build();
    let schema = Schema::of(Kind::structure([
        ("id", plain(Kind::Int64)),
        ("a", optional(Kind::Int32)),
        ("inner", Arc::clone(&inner)),
        ("copy", inner),
        ("op", plain(Kind::String)),
    ]))
    .optional()
    .named("p.Row", None)
    .build();
    let key = Source::Key(0).into();
    let copy = Node::Struct([Source::After(1).into()].into(), Presence::After);
    let a = Node::Leaf(Leaf { or: Some(Arc::new(Value::Int(9))), ..Leaf::from(Source::After(1)) });
    let nodes = [key, a, Source::Owned(0).into(), copy, Source::Op.into()];
    let part = Part { schema, node: Node::Struct(nodes.into(), Presence::Always) };
    event.envelope().through(&View::of(part, 1), [Value::Struct(vec![Value::Int(3)])])
}

#[test]
fn nulls_and_bare_bytes() {
    #[track_caller]
    fn check(schema: &Arc<Schema>, value: Value, options: Options, expect: Result<Option<&[u8]>, &str>) {
        let written = encode(&Payload::Value(Arc::clone(schema), value), None, options);
        assert_eq!(written, expect.map(|bytes| bytes.map(<[u8]>::to_vec)).map_err(str::to_owned));
    }
    let apicurio = Options::read(Family::Apicurio, &Properties::new());
    check(&plain(Kind::String), Value::text("a"), options(), Ok(Some(&[2, b'a'])));
    check(&optional(Kind::String), Value::text("a"), options(), Ok(Some(&[2, 2, b'a'])));
    // A null record is Kafka's null, never Avro's.
    check(&optional(Kind::String), Value::Null, options(), Ok(None));
    check(&plain(Kind::String), Value::Null, options(), Err("Found null value for non-optional schema at "));
    // Confluent's converter writes bytes that are a whole record as they are; Apicurio's writes their number too.
    check(&plain(Kind::Bytes), Value::Bytes(vec![1, 2]), options(), Ok(Some(&[1, 2])));
    check(&plain(Kind::Bytes), Value::Bytes(vec![1, 2]), apicurio, Ok(Some(&[4, 1, 2])));
    check(&optional(Kind::Bytes), Value::Bytes(vec![1, 2]), options(), Ok(Some(&[2, 4, 1, 2])));
}

#[test]
fn the_document_of_the_registry_decides() {
    #[track_caller]
    fn check(fields: &str, expect: Result<&[u8], &str>) {
        let schema = Schema::of(Kind::structure([("a", plain(Kind::Int32)), ("b", optional(Kind::String))]));
        let schema = schema.named("p.R", None).build();
        let value = Value::Struct(vec![Value::Int(1), Value::text("x")]);
        let document = format!(r#"{{"type":"record","name":"R","namespace":"p","fields":[{fields}]}}"#);
        let written = encode(&Payload::Value(schema, value), Some(&document), options());
        assert_eq!(written, expect.map(|bytes| Some(bytes.to_vec())).map_err(str::to_owned), "{fields}");
    }
    let a = r#"{"name":"a","type":"int"}"#;
    let b = r#"{"name":"b","type":["null","string"]}"#;
    check(&format!("{a},{b}"), Ok(&[2, 2, 2, b'x']));
    check(&format!("{b},{a}"), Ok(&[2, 2, b'x', 2]));
    check(b, Ok(&[2, 2, b'x']));
    check(&format!(r#"{{"name":"a","type":["long","null"]}},{b}"#), Ok(&[0, 2, 2, 2, b'x']));
    check(
        &format!(r#"{a},{b},{{"name":"c","type":"int"}}"#),
        Err("The registered schema cannot hold the record: the record has no such field at c"),
    );
    check(
        &format!(r#"{{"name":"a","type":"string"}},{b}"#),
        Err("The registered schema cannot hold the record: it has string where the record has INT32 at a"),
    );
}

/// As HoistField makes them of a null: a map of one entry, which is null.
#[test]
fn values_without_a_schema() {
    let map = Kind::Map(plain(Kind::String), optional(Kind::Int32));
    let schema = Schema::of(map).schemaless().build();
    let of = |value: Value| Payload::Value(schema.clone(), Value::Map(vec![(Value::text("f"), value)]));
    let anything = |bytes: &[u8]| [&[0; 8][..], &[2, 2], &[0, 0, 0, 0, 0, 0, 2, 2, b'f', 0, 0], bytes, &[0]].concat();
    for (value, bytes) in [(Value::Null, &[0; 9][..]), (Value::Int(-1), &[0, 0, 0, 0, 2, 1, 0, 0, 0, 0])] {
        let made = encode(&of(value), None, options()).unwrap().unwrap();
        assert_eq!(made, anything(bytes));
        let document = apache_avro::Schema::parse_str(&document(&schema, options()).unwrap()).unwrap();
        let mut rest = &made[..];
        GenericDatumReader::builder(&document).build().unwrap().read_value(&mut rest).unwrap();
        assert!(rest.is_empty());
    }
    assert_eq!(encode(&Payload::NullOf(schema.clone()), None, options()).unwrap(), None);
    let other = encode(&of(Value::Null), Some("\"string\""), options()).unwrap_err();
    assert!(other.contains("not that of values without a schema"), "{other}");
}

#[test]
fn two_types_of_one_name_are_refused() {
    let map = |of: Kind| Schema::of(Kind::Map(plain(Kind::Int32), plain(of))).build();
    let schema = Schema::of(Kind::structure([("a", map(Kind::Int32)), ("b", map(Kind::String))])).build();
    let error = made(&Part::owned(schema, 0), None, options()).unwrap_err();
    assert_eq!(
        error,
        "Two types of the schema have the same name in Avro: it has int where the record has STRING at b"
    );
}

/// Not a test of behaviour: `cargo test --release bench_avro -- --ignored --nocapture` prints the time for an event.
#[test]
#[ignore = "prints a time"]
fn bench_avro_nanoseconds_an_event() {
    let shape = bench_shape();
    let row = bench_cells("The quick brown fox jumps over the lazy dog, again and again, so");
    let create = change(Op::Create);
    let event = decoded(&shape, &create, None, Some(&row));
    let mut key = made(&event.key().part().unwrap(), None, options()).unwrap();
    let mut value = made(&event.envelope().part().unwrap(), None, options()).unwrap();
    let headers = Headers::default();
    let mut out = Vec::with_capacity(1 << 16);
    let mut best = f64::MAX;
    for _ in 0..20 {
        let begun = Instant::now();
        for _ in 0..50_000 {
            out.clear();
            let event = decoded(&shape, &create, None, Some(&row));
            key.write(Given { payload: &event.key(), headers: &headers }, &mut out).unwrap();
            value.write(Given { payload: &event.envelope(), headers: &headers }, &mut out).unwrap();
            std::hint::black_box(&out);
        }
        best = best.min(begun.elapsed().as_nanos() as f64 / 50_000.0);
    }
    println!("Avro: {best:.0} ns/event, {} bytes", out.len());
}
