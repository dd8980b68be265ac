use std::sync::Arc;

use record::{Headers, Kind, Payload, Schema, Value};
use settings::Properties;

use crate::convert::tests::written;
use crate::convert::{Refusal, Role, create};

const BINARY: &str = "io.debezium.converters.BinaryDataConverter";
const ARRAYS: &str = "io.debezium.converters.ByteArrayConverter";
const JSON: &[(&str, &str)] = &[
    ("delegate.converter.type", "org.apache.kafka.connect.json.JsonConverter"),
    ("delegate.converter.type.schemas.enable", "false"),
    // The form of Debezium's documentation reaches no converter.
    ("delegate.converter.decimal.format", "numeric"),
];

fn schema(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).optional().build()
}

#[track_caller]
fn check(class: &str, options: &[(&str, &str)], payload: &Payload<'_>, expect: Result<Option<&str>, &str>) {
    for role in [Role::Key, Role::Value, Role::Header] {
        let converter = create(class, &options.iter().copied().collect(), role).unwrap();
        let made = written(&*converter, "topic", payload, &Headers::default());
        let made = made.map(|bytes| bytes.map(|bytes| String::from_utf8(bytes).unwrap())).map_err(|e| e.to_string());
        assert_eq!(made, expect.map(|text| text.map(str::to_owned)).map_err(str::to_owned), "{class}");
    }
}

#[test]
fn bytes_and_everything_else() {
    let of = |kind: Kind, value: Value| Payload::Value(schema(kind), value);
    let bytes = || of(Kind::Bytes, Value::Bytes(b"raw".to_vec()));
    let bits = Schema::of(Kind::Bytes).named("io.debezium.data.Bits", Some(1)).build();
    let bits = Payload::Value(bits, Value::Bytes(b"b".to_vec()));
    let decimal = Schema::of(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal", Some(1)).build();
    let decimal = Payload::Value(decimal, Value::Decimal { unscaled: vec![1], scale: 0 });
    let beat = of(Kind::structure([("ts_ms", schema(Kind::Int64))]), Value::Struct(vec![Value::Int(5)]));
    let lacks = |what: &str| format!("A topic of type '{what}' requires a delegate.converter.type to be configured");
    for (class, is_binary) in [(BINARY, true), (ARRAYS, false)] {
        check(class, &[], &Payload::Null, Ok(None));
        check(class, &[], &Payload::NullOf(schema(Kind::Bytes)), Ok(None));
        check(class, JSON, &Payload::NullOf(schema(Kind::Bytes)), Ok(None));
        check(class, JSON, &Payload::NullOf(schema(Kind::Int64)), Ok(Some("null")));
        check(class, &[], &bits, Ok(Some("b")));
        check(class, JSON, &bits, Ok(Some("b")));
        check(class, JSON, &beat, Ok(Some(r#"{"ts_ms":5}"#)));
        check(class, &[], &beat, Err(&lacks("Struct")));
        check(class, &[], &decimal, Err(&lacks("BigDecimal")));
        check(class, JSON, &decimal, Ok(Some("\"AQ==\"")));
        let (bare, delegated) = if is_binary { (Ok(Some("raw")), "raw") } else { (Err(()), "\"cmF3\"") };
        check(class, &[], &bytes(), bare.map_err(|()| "").or(Err(&*lacks("HeapByteBuffer"))));
        check(class, JSON, &bytes(), Ok(Some(delegated)));
    }
}

/// CloudEvents are prepared by a record's headers, which the other converter must be given too.
#[test]
fn a_delegate_sees_the_record() {
    let options = [("delegate.converter.type", "io.debezium.converters.CloudEventsConverter")];
    let converter = create(BINARY, &options.into_iter().collect(), Role::Value).unwrap();
    let of = schema(Kind::structure([("ts_ms", schema(Kind::Int64))]));
    let beat = Payload::Value(of, Value::Struct(vec![Value::Int(5)]));
    assert_eq!(written(&*converter, "topic", &beat, &Headers::default()), Ok(None));
}

#[test]
fn a_delegate_that_cannot_be_made_is_refused() {
    let refused = |options: &[(&str, &str)]| match create(
        BINARY,
        &options.iter().copied().collect::<Properties>(),
        Role::Value,
    ) {
        Err(Refusal::Properties(list)) => {
            list.into_iter().map(|invalid| (invalid.key, invalid.message)).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let [(key, message)] = &refused(&[("delegate.converter.type", "x.Y")])[..] else { panic!("one error") };
    assert_eq!(key, "delegate.converter.type");
    assert!(message.contains("Class x.Y could not be found"), "{message}");
    let bad = [("delegate.converter.type", "JsonConverter"), ("delegate.converter.type.schemas.enable", "maybe")];
    assert!(refused(&bad)[0].1.contains("schemas.enable"), "{:?}", refused(&bad));
}
