//! Scenarios whose results were taken from Debezium, on a table `a(id int primary key, v text, n int default 5)`.

use record::{
    Change, Decode, DecodeError, Decoded, KeyShape, NONE, Op, Position, Shape, ShapeViews, SourceField, SourceShape,
    Span, TransactionMark, ValueRef,
};

use super::*;
use crate::Chain;

struct NoDecode;

impl Decode for NoDecode {
    fn row<'a>(&self, _: &'a [u8], _: &'a [Span], _: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        Ok(())
    }
}

fn plain(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).build()
}

fn optional(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).optional().build()
}

fn shape() -> Shape {
    let n = Schema::of(Kind::Int32).optional().default(Some(Value::Int(5))).build();
    let row = Kind::structure(vec![("id", plain(Kind::Int32)), ("v", optional(Kind::String)), ("n", n)]);
    let row = Schema::of(row).optional().named("p.a.Value", Some(3)).build();
    let key = Schema::of(Kind::structure(vec![("id", plain(Kind::Int32))])).named("p.a.Key", None).build();
    let snapshot = Schema::of(Kind::String).optional().default(Some(Value::text("false"))).build();
    let source = Kind::structure(vec![
        ("table", plain(Kind::String)),
        ("lsn", optional(Kind::Int64)),
        ("ts_ms", plain(Kind::Int64)),
        ("snapshot", snapshot),
    ]);
    let source = Schema::of(source).named("Source", Some(1)).build();
    let transaction = Schema::of(Kind::structure(vec![("id", plain(Kind::String))])).optional().build();
    let envelope = Kind::structure(vec![
        ("before", row.clone()),
        ("after", row.clone()),
        ("source", source.clone()),
        ("transaction", transaction),
        ("op", plain(Kind::String)),
        ("ts_ms", optional(Kind::Int64)),
    ]);
    Shape {
        table: "public.a".into(),
        topic: "p.a".into(),
        key: Some(KeyShape { schema: key, cells: vec![2] }),
        row,
        envelope: Schema::of(envelope).named("p.a.Envelope", Some(2)).build(),
        // The cells are in reverse order, so that mixing up a cell's index and a field's index fails a test.
        cells: vec![2, 1, 0],
        source: SourceShape {
            schema: source,
            fields: vec![
                SourceField::Text("a".into()),
                SourceField::Word(0),
                SourceField::Millis(1),
                SourceField::Snapshot,
            ],
        },
        decode: Box::new(NoDecode),
        views: ShapeViews::default(),
    }
}

fn change(op: Op) -> Change {
    let mut words = [NONE; Position::WORDS];
    words[..2].copy_from_slice(&[77, 5_000_000]);
    Change::new(0, op, Position { words, texts: None })
}

fn show_value(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Int(number) => number.to_string(),
        Value::Text(text) => text.clone(),
        other => format!("{other:?}"),
    }
}

/// The record as `topic: field=value … [header=value …]`; `-` when it was dropped.
fn show(record: Option<&Record<'_>>) -> String {
    let Some(record) = record else { return "-".into() };
    let value = match (record.value.schema(), record.value.to_value()) {
        (None, _) => "null".into(),
        (Some(schema), Value::Struct(values)) => {
            assert_eq!((schema.optional, schema.version), (false, Some(3)));
            let pairs = schema.fields().iter().zip(&values).map(|(f, v)| format!("{}={}", f.name, show_value(v)));
            pairs.collect::<Vec<_>>().join(" ")
        }
        (Some(schema), value) => format!("{} of {}", show_value(&value), schema.name.as_deref().unwrap_or("?")),
    };
    let headers: Vec<_> =
        record.headers.iter().map(|h| format!("{}={}", h.name, show_value(&h.value.to_value()))).collect();
    let headers = if headers.is_empty() { String::new() } else { format!(" [{}]", headers.join(" ")) };
    format!("{}: {value}{headers}", record.topic)
}

fn row(id: i64, text: Option<&str>) -> Vec<ValueRef<'_>> {
    vec![ValueRef::Null, text.map_or(ValueRef::Null, ValueRef::Text), ValueRef::Int(id)]
}

fn chain(options: &[(&str, &str)]) -> Chain {
    let mut config = Properties::new();
    config.insert("transforms", "x");
    config.insert("transforms.x.type", KIND.class);
    for (name, value) in options {
        config.insert(format!("transforms.x.{name}"), *value);
    }
    Chain::build(&config).unwrap()
}

/// Sends a create, a delete with its tombstone and a truncate through the transform, as raw changes and as values.
#[track_caller]
fn check(options: &[(&str, &str)], expect: [&str; 3]) {
    let shape = shape();
    let row = row(1, Some("x"));
    for owned in [false, true] {
        let mut chain = chain(options);
        let drops = options.iter().any(|(name, _)| *name == "drop.fields.header.name");
        let changes = [(Op::Create, None, Some(&*row)), (Op::Delete, Some(&*row), None), (Op::Truncate, None, None)];
        let mut shown = Vec::new();
        for (op, before, after) in changes {
            let mut raw = change(op);
            raw.tombstone = op == Op::Delete;
            let decoded = Decoded::new(&shape, &raw, before, after, 9_000_000);
            let mut payload = decoded.envelope();
            if owned {
                payload = payload.into_owned();
            }
            shown.push(send(&mut chain, drops, &decoded, payload));
            if op == Op::Delete {
                shown.push(send(&mut chain, drops, &decoded, Payload::Null));
            }
        }
        assert_eq!(shown.pop().unwrap(), "-", "a truncate");
        // The headers of a delete and its tombstone are one list only where the connector made them.
        let expect = expect
            .map(|text| if owned { text.replace("null [__op=d __t=a __op=d]", "null [__op=d]") } else { text.into() });
        assert_eq!(shown, expect, "owned: {owned}");
    }
}

fn send<'a>(chain: &mut Chain, drops: bool, decoded: &'a Decoded<'a>, value: Payload<'a>) -> String {
    let names = Value::Array(vec![Value::text("v"), Value::text("id")]);
    let mut headers = Headers::default();
    if drops {
        let list = Schema::of(Kind::Array(plain(Kind::String))).build();
        headers.push(Header::new("gone", list, names));
    }
    let topic = decoded.shape.topic.clone();
    let record = Record { topic, partition: None, timestamp_ms: None, key: decoded.key(), value, headers };
    let sent = chain.apply(record).map(|mut record| {
        if let Some(record) = &mut record {
            record.headers.retain(|header| &*header.name != "gone");
        }
        show(record.as_ref())
    });
    sent.unwrap_or_else(|error| error.to_string())
}

const ROW: &str = "p.a: id=1 v=x n=null";

#[test]
fn delete_modes() {
    check(&[], [ROW, "p.a: null of p.a.Value", "-"]);
    check(&[(MODE, "drop")], [ROW, "-", "-"]);
    check(&[(MODE, "delete-to-tombstone")], [ROW, "p.a: null", "-"]);
    // The step that adds `__deleted` replaces nulls with the columns' defaults.
    let (live, dead) = ("p.a: id=1 v=x n=5 __deleted=false", "p.a: id=1 v=x n=5 __deleted=true");
    check(&[(MODE, "rewrite")], [live, dead, "-"]);
    check(&[(MODE, "Rewrite-With-Tombstone")], [live, dead, "p.a: null"]);
    let (live, dead) = ("p.a: id=1 v=x n=null __deleted=false", "p.a: id=1 v=x n=null __deleted=true");
    check(&[(MODE, "rewrite"), ("replace.null.with.default", "false")], [live, dead, "-"]);
    // The removed options change nothing.
    check(&[("drop.tombstones", "false"), ("delete.handling.mode", "rewrite")], [ROW, "p.a: null of p.a.Value", "-"]);
}

#[test]
fn added_fields_and_headers() {
    let deleted = "p.a: null of p.a.Value";
    check(
        &[("add.fields", "op,table,source.ts_ms,transaction.id:tx,lsn,nosuch,snapshot,ts_ms")],
        [
            "p.a: id=1 v=x n=null __op=c __table=a __source_ts_ms=5000 __tx=null __lsn=77 __snapshot=null __ts_ms=9",
            deleted,
            "-",
        ],
    );
    check(
        &[("add.fields", "op:oper, transaction"), ("add.fields.prefix", "m_")],
        ["p.a: id=1 v=x n=null m_oper=c m_transaction=null", deleted, "-"],
    );
    check(
        &[(MODE, "rewrite-with-tombstone"), ("add.headers", "op,table:t")],
        [
            "p.a: id=1 v=x n=5 __deleted=false [__op=c __t=a]",
            "p.a: id=1 v=x n=5 __deleted=true [__op=d __t=a]",
            "p.a: null [__op=d __t=a __op=d]",
        ],
    );
    check(
        &[("add.fields", "op,source.op:op")],
        ["Cannot create field because of field name duplication __op", deleted, "-"],
    );
    check(&[("add.fields", "source")], ["Struct schemas do not match.", deleted, "-"]);
    check(&[("add.fields", "none.x")], ["none is not a valid field name", deleted, "-"]);
}

#[test]
fn routes_and_dropped_fields() {
    check(&[("route.by.field", "v")], ["x: id=1 v=x n=null", "x: null of p.a.Value", "-"]);
    let wrong = "Field 'id' is not of type STRING";
    check(&[("route.by.field", "id")], [wrong, wrong, "-"]);
    check(&[("route.by.field", "w")], ["w is not a valid field name", "w is not a valid field name", "-"]);
    // Only optional fields are dropped unless the options say otherwise; nulls in the others become defaults.
    let deleted = "p.a: null of p.a.Value";
    check(&[("drop.fields.header.name", "gone")], ["p.a: id=1 n=5", deleted, "-"]);
    let all = [("drop.fields.header.name", "gone"), ("drop.fields.keep.schema.compatible", "false")];
    check(&all, ["p.a: n=5", deleted, "-"]);
}

#[test]
fn a_whole_transaction_passes_only_as_null() {
    let (shape, row) = (shape(), row(1, None));
    let mut create = change(Op::Create);
    create.transaction = Some(Box::new(TransactionMark { id: "7".into(), total_order: 1, collection_order: 1 }));
    let decoded = Decoded::new(&shape, &create, None, Some(&row), 0);
    for (list, expect) in [("transaction", "Struct schemas do not match."), ("id", "p.a: id=1 v=null n=null __id=7")] {
        assert_eq!(send(&mut chain(&[("add.fields", list)]), false, &decoded, decoded.envelope()), expect);
    }
}

#[test]
fn refused_options_and_warnings() {
    let refused = |key: &'static str, value: &'static str| {
        let made = KIND.create(&[(key, value)].into_iter().collect()).err().unwrap();
        made.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
    };
    let modes = "drop, tombstone, rewrite, rewrite-with-tombstone, delete-to-tombstone";
    let expect = format!("Invalid value none for configuration {MODE}: Value must be one of {modes}");
    assert_eq!(refused(MODE, "none"), expect);
    assert_eq!(refused("add.fields", "a:b:c"), "Unexpected field name: a:b:c");
    for (drops, handling, equivalent) in [
        ("true", "drop", "drop"),
        ("false", "drop", "delete-to-tombstone"),
        ("true", "rewrite", "rewrite"),
        ("false", "rewrite", "rewrite-with-tombstone"),
    ] {
        let found = warnings(&[("drop.tombstones", drops), ("delete.handling.mode", handling)].into_iter().collect());
        assert_eq!(found.len(), 2);
        assert!(found[0].remedy.starts_with(&format!("Set {MODE}={equivalent} ")), "{}", found[0].remedy);
    }
    let found = warnings(&[("drop.tombstones", "false")].into_iter().collect());
    assert!(found[0].remedy.contains("=delete-to-tombstone "));
}
