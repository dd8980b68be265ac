//! A table like that of the benchmark, built by hand, for tests.

use std::sync::Arc;

use record::{
    Change, Decode, DecodeError, Decoded, KeyShape, Kind, NONE, Op, Position, Schema, Shape, ShapeViews, SourceField,
    SourceShape, Span, Value, ValueRef,
};

#[derive(Debug)]
struct NoDecode;

impl Decode for NoDecode {
    fn row<'a>(&self, _: &'a [u8], _: &'a [Span], _: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        Ok(())
    }
}

pub(crate) fn plain(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).build()
}

pub(crate) fn optional(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).optional().build()
}

pub(crate) fn decimal(scale: i32) -> Arc<Schema> {
    Schema::of(Kind::Bytes)
        .optional()
        .named("org.apache.kafka.connect.data.Decimal", Some(1))
        .parameter("scale", &scale.to_string())
        .build()
}

/// The shape of the benchmark's table; its key is `id`.
pub(crate) fn bench_shape() -> Shape {
    let row = Schema::of(Kind::structure(vec![
        ("id", plain(Kind::Int64)),
        ("a", optional(Kind::Int32)),
        ("b", optional(Kind::Int64)),
        ("c", optional(Kind::String)),
        ("d", decimal(2)),
        ("e", Schema::of(Kind::String).optional().named("io.debezium.time.ZonedTimestamp", Some(1)).build()),
    ]))
    .optional()
    .named("p.public.t.Value", None)
    .build();
    let key = Schema::of(Kind::structure(vec![("id", plain(Kind::Int64))])).named("p.public.t.Key", None).build();
    let snapshot = Schema::of(Kind::String)
        .optional()
        .named("io.debezium.data.Enum", Some(1))
        .parameter("allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental")
        .default(Some(Value::text("false")))
        .build();
    let source = [
        ("version", plain(Kind::String), SourceField::Text("3.6.1.Final".into())),
        ("connector", plain(Kind::String), SourceField::Text("postgresql".into())),
        ("name", plain(Kind::String), SourceField::Text("p".into())),
        ("ts_ms", plain(Kind::Int64), SourceField::Millis(0)),
        ("snapshot", snapshot, SourceField::Snapshot),
        ("db", plain(Kind::String), SourceField::Text("shop".into())),
        ("sequence", optional(Kind::String), SourceField::Sequence { commit: 1, lsn: 2 }),
        ("ts_us", optional(Kind::Int64), SourceField::Micros(0)),
        ("ts_ns", optional(Kind::Int64), SourceField::Nanos(0)),
        ("schema", plain(Kind::String), SourceField::Text("public".into())),
        ("table", plain(Kind::String), SourceField::Text("t".into())),
        ("txId", optional(Kind::Int64), SourceField::Steady(3)),
        ("lsn", optional(Kind::Int64), SourceField::Word(2)),
        ("xmin", optional(Kind::Int64), SourceField::Steady(4)),
        ("origin", optional(Kind::String), SourceField::PositionText(0)),
        ("origin_lsn", optional(Kind::Int64), SourceField::Steady(5)),
    ];
    let block = Schema::of(Kind::structure(source.iter().map(|(name, schema, _)| (*name, schema.clone()))))
        .named("io.debezium.connector.postgresql.Source", Some(1))
        .build();
    let transaction = Schema::of(Kind::structure(vec![
        ("id", plain(Kind::String)),
        ("total_order", plain(Kind::Int64)),
        ("data_collection_order", plain(Kind::Int64)),
    ]))
    .optional()
    .named("event.block", Some(1))
    .build();
    let envelope = Schema::of(Kind::structure(vec![
        ("before", row.clone()),
        ("after", row.clone()),
        ("source", block.clone()),
        ("transaction", transaction),
        ("op", plain(Kind::String)),
        ("ts_ms", optional(Kind::Int64)),
        ("ts_us", optional(Kind::Int64)),
        ("ts_ns", optional(Kind::Int64)),
    ]))
    .named("p.public.t.Envelope", Some(2))
    .build();
    Shape {
        table: "public.t".into(),
        topic: "p.public.t".into(),
        key: Some(KeyShape { schema: key, cells: vec![0] }),
        row,
        envelope,
        cells: vec![0, 1, 2, 3, 4, 5],
        source: SourceShape { schema: block, fields: source.into_iter().map(|(_, _, field)| field).collect() },
        decode: Box::new(NoDecode),
        views: ShapeViews::default(),
    }
}

/// A row of the benchmark's table; `text` is its column `c`.
pub(crate) fn bench_cells(text: &str) -> Vec<ValueRef<'_>> {
    vec![
        ValueRef::Int(123_456),
        ValueRef::Int(42),
        ValueRef::Int(9_876_543_210),
        ValueRef::Text(text),
        ValueRef::Decimal { unscaled: 1_234_567, scale: 2 },
        ValueRef::Zoned { micros: 1_709_212_455_123_456, digits: 6 },
    ]
}

pub(crate) fn change(op: Op) -> Change {
    let mut words = [NONE; Position::WORDS];
    words[..4].copy_from_slice(&[1_700_000_000_123_456, 24_023_119, 24_023_128, 555]);
    Change::new(0, op, Position { words, texts: None })
}

pub(crate) fn decoded<'a>(
    shape: &'a Shape,
    change: &'a Change,
    before: Option<&'a [ValueRef<'a>]>,
    after: Option<&'a [ValueRef<'a>]>,
) -> Decoded<'a> {
    Decoded::new(shape, change, before, after, 1_700_000_000_123_456_789)
}
