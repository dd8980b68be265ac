//! Every converter by its class name: classes, properties, and what Java answered.

pub(super) mod answers;
pub(super) mod any;

use record::{Kind, Payload, Schema, Value};
use settings::Properties;

use super::*;

/// The encoder of a converter that need not wait.
pub(super) fn prepared(converter: &dyn Converter, topic: &str, given: Given<'_, '_>) -> Result<Encoder, ConvertError> {
    let mut prepare = converter.prepare_for(topic, given);
    let mut context = std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(encoder) = prepare.as_mut().poll(&mut context) else { panic!("it waits") };
    encoder
}

/// Writes a payload with a converter that need not wait.
pub(super) fn written(
    converter: &dyn Converter,
    topic: &str,
    payload: &Payload<'_>,
    headers: &Headers<'_>,
) -> Result<Option<Vec<u8>>, ConvertError> {
    let given = Given { payload, headers };
    let mut out = Vec::new();
    let there = prepared(converter, topic, given)?.write(given, &mut out)?;
    Ok(there.then_some(out))
}

#[track_caller]
fn check(class: &str, schema: &Arc<Schema>, value: &Value, expect: Result<Option<&[u8]>, &str>) {
    let converter = create(class, &Properties::new(), Role::Header).unwrap();
    let payload = Payload::Value(Arc::clone(schema), value.clone());
    let written = written(&*converter, "t", &payload, &Headers::default());
    let written = written.as_ref().map(Option::as_deref).map_err(ToString::to_string);
    assert_eq!(written, expect.map_err(str::to_owned), "{class}");
}

fn schema(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).optional().build()
}

#[test]
fn other_converters() {
    let members = [("id", Kind::Int32), ("s", Kind::String), ("n", Kind::Int32)];
    let of = schema(Kind::structure(members.map(|(name, kind)| (name, schema(kind)))));
    let value = Value::Struct(vec![Value::Int(1), Value::text("a\"b"), Value::Null]);
    let (text, int) = (schema(Kind::String), schema(Kind::Int32));
    check("SimpleHeaderConverter", &of, &value, Ok(Some(br#"{"id":1,"s":"a\"b","n":null}"#)));
    check("Simple", &text, &Value::text("bare \""), Ok(Some(b"bare \"")));
    check("Simple", &text, &Value::Null, Ok(None));
    let bytes = schema(Kind::Bytes);
    let inside = schema(Kind::structure([("b", schema(Kind::Bytes))]));
    check("Simple", &bytes, &Value::Bytes(vec![1]), Ok(Some(b"AQ==")));
    check("Simple", &inside, &Value::Struct(vec![Value::Bytes(vec![1])]), Ok(Some(br#"{"b":"AQ=="}"#)));
    check("StringConverter", &of, &value, Ok(Some(br#"Struct{id=1,s=a"b}"#)));
    check("String", &int, &Value::Int(-7), Ok(Some(b"-7")));
    check("String", &int, &Value::Null, Ok(None));
    check("Integer", &int, &Value::Int(258), Ok(Some(&[0, 0, 1, 2])));
    check("Long", &int, &Value::Int(1), Err("Failed to serialize to long (was class java.lang.Integer): "));
    check("Boolean", &schema(Kind::Bool), &Value::Bool(true), Ok(Some(&[1])));
    check("Boolean", &int, &Value::Int(1), Err("Invalid schema type for BooleanConverter: INT32"));
    check("ByteArray", &schema(Kind::Bytes), &Value::Bytes(vec![1, 255]), Ok(Some(&[1, 255])));
    check("ByteArray", &of, &value, Err("Invalid schema type for ByteArrayConverter: STRUCT"));
}

#[test]
fn classes_and_properties() {
    assert!(find("SimpleHeaderConverter", Role::Value).is_none());
    assert_eq!(find("Json", Role::Key).map(|entry| entry.class), Some("org.apache.kafka.connect.json.JsonConverter"));
    // Confluent's and Apicurio's have the same simple name.
    assert!(find("AvroConverter", Role::Key).is_none());
    let confluent = "io.confluent.connect.avro.AvroConverter";
    assert_eq!(find(confluent, Role::Key).map(|entry| entry.class), Some(confluent));
    assert!(find(confluent, Role::Header).is_none());
    let create = |properties: &[(&str, &str)]| {
        create("JsonConverter", &properties.iter().copied().collect(), Role::Value)
            .map(|_| ())
            .map_err(|e| e.to_string())
    };
    assert_eq!(create(&[("schemas.enable", "FALSE"), ("decimal.format", "numeric"), ("other", "x")]), Ok(()));
    let expect = "Invalid value maybe for configuration schemas.enable: Expected value to be either true or false";
    assert_eq!(create(&[("schemas.enable", "maybe")]), Err(expect.to_owned()));
}

/// What Kafka's own converters write.
#[test]
fn kafkas_converters_answer_as_in_java() {
    let mut wrong = 0;
    for case in &answers::read("converters/kafka.jsonl") {
        let converter = create(case.json["class"].as_str().unwrap(), &case.options, Role::Header).unwrap();
        let made = written(&*converter, "t", &case.payload(), &Headers::default());
        let made = match made {
            Err(error) => Err(error.to_string()),
            Ok(bytes) if case.json.get("text").is_some() => Ok(bytes.map(|bytes| String::from_utf8(bytes).unwrap())),
            Ok(bytes) => Ok(bytes.map(|bytes| answers::hex(&bytes))),
        };
        let expect = match (case.json.get("error"), case.answer("text").or_else(|| case.answer("bytes"))) {
            (Some(error), _) => Err(error.as_str().unwrap().to_owned()),
            (None, answer) => answer.unwrap(),
        };
        if made != expect {
            wrong += 1;
            println!("{}\n  wanted {expect:?}\n  made   {made:?}", case.line);
        }
    }
    assert_eq!(wrong, 0);
}
