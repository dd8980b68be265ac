//! The converters whose schemas a registry keeps, against a real registry (Apicurio): what is registered is the document to the
//! letter, and records carry its id. Avro has tests of its own.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::sync::Arc;

use afterimage::convert::{Converter, Given, Role, create};
use base64::Engine as _;
use record::{Headers, Kind, Payload, Schema, Value};
use rig::{Registry, ask, unique};
use serde_json::{Value as Json, json};

fn row() -> (Arc<Schema>, Value) {
    let of = |kind| Schema::of(kind).build();
    let decimal = Schema::of(Kind::Bytes)
        .named("org.apache.kafka.connect.data.Decimal", Some(1))
        .parameter("scale", "2")
        .parameter("connect.decimal.precision", "9")
        .optional()
        .build();
    let fields = [("id", of(Kind::Int64)), ("s", Schema::of(Kind::String).optional().build()), ("d", decimal)];
    let fields = fields.into_iter().chain([("i", of(Kind::Int16))]);
    let schema = Schema::of(Kind::structure(fields)).named("shop.public.t.Value", None).build();
    let amount = Value::Decimal { unscaled: vec![0, 150], scale: 2 };
    (schema, Value::Struct(vec![Value::Int(7), Value::text("é"), amount, Value::Int(-1)]))
}

/// Writes the row, and gives its bytes and the headers that the encoder adds.
async fn written(
    converter: &dyn Converter,
    topic: &str,
    payload: &Payload<'_>,
) -> (Option<Vec<u8>>, Vec<(String, Vec<u8>)>) {
    let given = Given { payload, headers: &Headers::default() };
    let mut encoder = converter.prepare_for(topic, given).await.unwrap();
    let mut out = Vec::new();
    let there = encoder.write(given, &mut out).unwrap();
    let headers = encoder.headers().iter().map(|(name, value)| (name.to_string(), value.clone())).collect();
    (there.then_some(out), headers)
}

fn made(class: &str, settings: &[(&str, &str)], role: Role) -> Box<dyn Converter> {
    create(class, &settings.iter().copied().collect(), role).unwrap()
}

fn payload() -> Payload<'static> {
    let (schema, value) = row();
    Payload::Value(schema, value)
}

#[tokio::test]
async fn json_schema() {
    let (registry, topic) = (Registry::shared(), unique("js"));
    let url = registry.confluent_url();
    let class = "io.confluent.connect.json.JsonSchemaConverter";
    let (bytes, headers) =
        written(&*made(class, &[("schema.registry.url", &url)], Role::Value), &topic, &payload()).await;
    let bytes = bytes.unwrap();
    let id = i32::from_be_bytes(bytes[1..5].try_into().unwrap());
    assert_eq!((bytes[0], headers.len()), (0, 0));
    assert_eq!(std::str::from_utf8(&bytes[5..]).unwrap(), r#"{"id":7,"s":"é","d":"AJY=","i":-1}"#);
    let kept = registry.version(&format!("{topic}-value"), 1);
    assert_eq!((&kept["schemaType"], &kept["id"]), (&json!("JSON"), &json!(id)));
    let document = kept["schema"].as_str().unwrap();
    assert!(document.starts_with(r#"{"type":"object","title":"shop.public.t.Value","properties":{"#), "{document}");
    let oracle = jsonschema::validator_for(&serde_json::from_str(document).unwrap()).unwrap();
    oracle.validate(&serde_json::from_slice::<Json>(&bytes[5..]).unwrap()).unwrap();
    // A converter that starts anew makes no version; keys have a subject of their own.
    written(&*made(class, &[("schema.registry.url", &url)], Role::Value), &topic, &payload()).await;
    written(&*made(class, &[("schema.registry.url", &url)], Role::Key), &topic, &payload()).await;
    assert_eq!(registry.versions(&format!("{topic}-value")), [1]);
    assert_eq!(registry.versions(&format!("{topic}-key")), [1]);
    // By the name of the record.
    let name = unique("N");
    let (schema, value) = row();
    let payload = Payload::Value(schema.edit().named(&name, None).build(), value);
    let settings = [
        ("schema.registry.url", &*url),
        ("value.subject.name.strategy", "io.confluent.kafka.serializers.subject.RecordNameStrategy"),
    ];
    written(&*made(class, &settings, Role::Value), &topic, &payload).await;
    assert_eq!(registry.subjects(&name), [name.as_str()]);
}

#[tokio::test]
async fn protobuf() {
    let (registry, topic) = (Registry::shared(), unique("pb"));
    let url = registry.confluent_url();
    let class = "io.confluent.connect.protobuf.ProtobufConverter";
    let (bytes, _) = written(&*made(class, &[("schema.registry.url", &url)], Role::Value), &topic, &payload()).await;
    let bytes = bytes.unwrap();
    let id = i32::from_be_bytes(bytes[1..5].try_into().unwrap());
    let kept = registry.version(&format!("{topic}-value"), 1);
    assert_eq!((&kept["schemaType"], &kept["id"]), (&json!("PROTOBUF"), &json!(id)));
    let document = kept["schema"].as_str().unwrap();
    assert!(document.starts_with("syntax = \"proto3\";\npackage shop.public.t;\n\nimport \"confluent/type/decimal.proto\";\n\nmessage Value {\n"), "{document}");
    // The first message, and its fields.
    let expect = [0, 8, 7, 18, 2, 0xc3, 0xa9, 26, 8, 10, 2, 0, 150, 16, 3, 24, 2, 32];
    assert_eq!(&bytes[5..5 + expect.len()], expect);
    written(&*made(class, &[("schema.registry.url", &url)], Role::Value), &topic, &payload()).await;
    assert_eq!(registry.versions(&format!("{topic}-value")), [1]);
    // A key that is a number.
    let key = Payload::Value(Schema::of(Kind::Int32).build(), Value::Int(5));
    let (bytes, _) = written(&*made(class, &[("schema.registry.url", &url)], Role::Key), &topic, &key).await;
    assert_eq!(bytes.unwrap()[5..], [2, 8, 8, 5]);
}

#[tokio::test]
async fn apicurios_protobuf() {
    let (registry, topic) = (Registry::shared(), unique("apb"));
    let class = "io.apicurio.registry.utils.converter.ProtobufConverter";
    let url = registry.native_url(3);
    let settings = [("apicurio.registry.url", &*url), ("apicurio.registry.auto-register", "true")];
    let fields = [("id", Kind::Int64), ("s", Kind::String)].map(|(name, kind)| (name, Schema::of(kind).build()));
    let schema = Schema::of(Kind::structure(fields)).named("shop.public.t.Value", None).build();
    let row = Payload::Value(schema, Value::Struct(vec![Value::Int(7), Value::text("é")]));
    let (bytes, _) = written(&*made(class, &settings, Role::Value), &topic, &row).await;
    let bytes = bytes.unwrap();
    // The name of the message, and its fields.
    let expect = [&[7, 10, 5][..], b"Value", &[8, 7, 18, 2, 0xc3, 0xa9]].concat();
    assert_eq!(bytes[5..], expect);
    let kept = format!("{url}/ids/contentIds/{}", i32::from_be_bytes(bytes[1..5].try_into().unwrap()));
    let kept = ask("GET", &kept, None, &[]).unwrap().text;
    assert!(kept.ends_with("\nmessage Value {\n  int64 id = 1;\n\n  string s = 2;\n}\n"), "{kept}");
    // With headers, the id is there, and the names of the message and of its class.
    let settings = [&settings[..], &[("apicurio.registry.headers.enabled", "true")]].concat();
    let (bytes, headers) = written(&*made(class, &settings, Role::Value), &topic, &row).await;
    assert_eq!(bytes.unwrap(), expect);
    let names: Vec<_> = headers.iter().map(|(name, _)| &**name).collect();
    assert_eq!(names, ["apicurio.value.contentId", "apicurio.value.msgType", "apicurio.protobuf.type"]);
    assert_eq!(headers[2].1, b"Value");
}

#[tokio::test]
async fn ext_json() {
    let (registry, topic) = (Registry::shared(), unique("ext"));
    let class = "io.apicurio.registry.utils.converter.ExtJsonConverter";
    let url = registry.native_url(3);
    let settings = [("apicurio.registry.url", &*url), ("apicurio.registry.auto-register", "true")];
    let (bytes, _) = written(&*made(class, &settings, Role::Value), &topic, &payload()).await;
    let record: Json = serde_json::from_slice(&bytes.unwrap()).unwrap();
    assert_eq!(record["payload"], json!({"id": 7, "s": "é", "d": "AJY=", "i": -1}));
    let path = format!("{url}/ids/contentIds/{}", record["schemaId"]);
    let document = ask("GET", &path, None, &[]).unwrap().text;
    assert!(
        document.starts_with(r#"{"type":"struct","fields":[{"type":"int64","optional":false,"field":"id"}"#),
        "{document}"
    );
    let (bytes, _) =
        written(&*made(class, &settings, Role::Value), &topic, &Payload::NullOf(row().0.edit().optional().build()))
            .await;
    let record: Json = serde_json::from_slice(&bytes.unwrap()).unwrap();
    assert_eq!(record["payload"], Json::Null);
}

fn envelope() -> Payload<'static> {
    let of = |kind| Schema::of(kind).build();
    let (row, value) = row();
    let row = row.edit().optional().build();
    let texts = ["version", "connector", "name", "db", "sequence"].map(|name| (name, of(Kind::String)));
    let numbers = ["ts_ms", "lsn", "txId"].map(|name| (name, of(Kind::Int64)));
    let source = Schema::of(Kind::structure(texts.into_iter().chain(numbers)));
    let source = source.named("io.debezium.connector.postgresql.Source", Some(1)).build();
    let fields = [("before", Arc::clone(&row)), ("after", row), ("source", source), ("op", of(Kind::String))];
    let schema = Schema::of(Kind::structure(fields)).named("srv.public.t.Envelope", Some(2)).build();
    let texts = ["3.6.1.Final", "postgresql", "srv", "shop", "[]"].map(Value::text);
    let source = texts.into_iter().chain([1_700_000_000_000, 5, 6].map(Value::Int)).collect();
    Payload::Value(schema, Value::Struct(vec![Value::Null, value, Value::Struct(source), Value::text("c")]))
}

#[tokio::test]
async fn cloud_events_in_avro() {
    let (registry, topic) = (Registry::shared(), unique("ce"));
    let class = "io.debezium.converters.CloudEventsConverter";
    let url = registry.confluent_url();
    let mut settings = vec![("data.serializer.type", "avro"), ("avro.schema.registry.url", &*url)];
    let (bytes, _) = written(&*made(class, &settings, Role::Value), &topic, &envelope()).await;
    let event: Json = serde_json::from_slice(&bytes.unwrap()).unwrap();
    let id = registry.version(&format!("{topic}-value"), 1)["id"].clone();
    assert_eq!(event["dataschema"], format!("{url}/schemas/ids/{id}"));
    assert_eq!((&event["datacontenttype"], &event["iodebeziumlsn"]), (&json!("application/avro"), &json!("5")));
    let data = base64::engine::general_purpose::STANDARD.decode(event["data"].as_str().unwrap()).unwrap();
    assert_eq!(data[0..5], [&[0][..], &(id.as_i64().unwrap() as i32).to_be_bytes()].concat());
    // `before` is null, `after` is there; its first field is 7.
    assert_eq!(data[5..8], [0, 2, 14]);
    // The event in Avro too: the data has a subject of its own.
    let topic = unique("ce");
    settings.push(("serializer.type", "avro"));
    let (bytes, _) = written(&*made(class, &settings, Role::Value), &topic, &envelope()).await;
    let of_event = registry.version(&format!("{topic}-value"), 1);
    let of_data = registry.version(&format!("{topic}-data-value"), 1);
    let id = of_event["id"].as_i64().unwrap() as i32;
    assert_eq!(bytes.unwrap()[0..5], [&[0][..], &id.to_be_bytes()].concat());
    let name = |kept: &Json| {
        let document: Json = serde_json::from_str(kept["schema"].as_str().unwrap()).unwrap();
        format!("{}.{}", document["namespace"].as_str().unwrap(), document["name"].as_str().unwrap())
    };
    assert_eq!(name(&of_event), "srv.shop.CloudEvents.Envelope");
    assert_eq!(name(&of_data), "io.debezium.connector.postgresql.Data");
}
