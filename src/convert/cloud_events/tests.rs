//! What Debezium's converter wrote, held against what is written here.

use std::sync::Arc;

use record::{Header, Headers, Kind, Op, Payload, Schema, TransactionMark, Value};
use serde_json::Value as Json;

use crate::convert::json::sample::{bench_cells, bench_shape, change, decoded};
use crate::convert::tests::answers::{self, Case, first_difference};
use crate::convert::tests::{prepared, written};
use crate::convert::{ConvertError, Given, Role, create};

const CLASS: &str = "io.debezium.converters.CloudEventsConverter";

fn headers(case: &Case) -> Headers<'static> {
    let mut headers = Headers::default();
    for header in case.json["headers"].as_array().into_iter().flatten() {
        let schema = answers::schema(&header[1]);
        let value = answers::value(&schema, &header[2]);
        headers.push(Header::new(header[0].as_str().unwrap(), schema, value));
    }
    headers
}

fn made(case: &Case, payload: &Payload<'_>) -> Result<Option<String>, String> {
    let class = case.json["class"].as_str().unwrap();
    let converter = create(class, &case.options, Role::Value).map_err(|refusal| refusal.to_string())?;
    match written(&*converter, "t", payload, &headers(case)) {
        Ok(bytes) => Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap())),
        Err(error) => Err(error.to_string()),
    }
}

#[test]
fn events_equal_debeziums() {
    let mut wrong = 0;
    for case in &answers::read("converters/cloud_events.jsonl") {
        let expect = case.answer("text").unwrap();
        match (made(case, &case.payload()), expect) {
            (Ok(Some(made)), Ok(Some(expect))) if made != expect => {
                wrong += 1;
                println!("{}\n{}", case.line, first_difference(&made, &expect));
            }
            (made, expect) if made != expect => {
                wrong += 1;
                println!("{}\n  wanted {expect:?}\n  made   {made:?}", case.line);
            }
            _ => {}
        }
    }
    assert_eq!(wrong, 0);
}

/// A change that is still cells gives the same event as one that is a value.
#[test]
fn cells_are_written_as_values_are() {
    let (shape, row) = (bench_shape(), bench_cells("héllo"));
    let mut update = change(Op::Update);
    update.transaction = Some(Box::new(TransactionMark { id: "5:6".into(), total_order: 3, collection_order: 2 }));
    for (change, before) in [(&update, Some(&row[..])), (&change(Op::Create), None)] {
        let event = decoded(&shape, change, before, Some(&row));
        let cells = event.envelope();
        let owned = Payload::Value(Arc::clone(&shape.envelope), cells.to_value());
        for options in [&[][..], &[("json.schemas.enable", "false"), ("json.decimal.format", "numeric")]] {
            let converter = create(CLASS, &options.iter().copied().collect(), Role::Value).unwrap();
            let [one, other] = [&cells, &owned].map(|payload| written(&*converter, "t", payload, &Headers::default()));
            assert_eq!(String::from_utf8(one.unwrap().unwrap()), String::from_utf8(other.unwrap().unwrap()));
        }
    }
}

/// With metadata in headers, records of one kind may have other headers, or none.
#[test]
fn headers_that_change() {
    let text = Schema::of(Kind::String).build();
    let source = |connector: &str| {
        let fields = ["connector", "name", "db"].map(|name| (name, Arc::clone(&text)));
        let fields = fields.into_iter().chain([("ts_ms", Schema::of(Kind::Int64).build())]);
        let fields = fields.chain(["file", "pos", "lsn", "txId", "sequence"].map(|name| (name, Arc::clone(&text))));
        let texts = [connector, "s", "d"].map(Value::text).into_iter().chain([Value::Int(0)]);
        let texts = texts.chain(["f", "1", "2", "3", "4"].map(Value::text));
        Header::new("source", Schema::of(Kind::structure(fields)).build(), Value::Struct(texts.collect()))
    };
    let headers = |connector: &str| {
        let mut headers = Headers::default();
        headers.push(source(connector));
        headers.push(Header::new("op", Arc::clone(&text), Value::text("c")));
        headers
    };
    let settings = [("metadata.source", "header,id:generate,type:generate"), ("extension.attributes.enable", "false")];
    let settings = settings.into_iter().chain([("json.schemas.enable", "false")]).collect();
    let converter = create(CLASS, &settings, Role::Value).unwrap();
    let schema = Schema::of(Kind::structure([("id", Schema::of(Kind::Int32).build())])).build();
    let payload = Payload::Value(schema, Value::Struct(vec![Value::Int(7)]));
    let (mysql, postgres, none) = (headers("mysql"), headers("postgresql"), Headers::default());
    let mut encoder = None;
    for (headers, expect) in [
        (&none, Ok(None)),
        (&mysql, Err(ConvertError::Changed)),
        (&mysql, Ok(Some("name:s;file:f;pos:1"))),
        (&none, Ok(None)),
        (&postgres, Err(ConvertError::Changed)),
        (&postgres, Ok(Some("name:s;lsn:2;txId:3;sequence:4"))),
    ] {
        let given = Given { payload: &payload, headers };
        let one = encoder.get_or_insert_with(|| prepared(&*converter, "t", given).unwrap());
        let mut out = Vec::new();
        let outcome = one.write(given, &mut out);
        let shown =
            outcome.clone().map(|there| there.then(|| serde_json::from_slice::<Json>(&out).unwrap()["id"].clone()));
        assert_eq!(shown, expect.clone().map(|id| id.map(Json::from)));
        if outcome.is_err() {
            encoder = None;
        }
    }
}
