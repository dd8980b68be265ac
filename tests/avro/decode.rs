//! Decodes records with the crate `apache-avro`, and shows them as the JSON converter does.

use std::collections::HashMap;
use std::sync::Mutex;

use apache_avro::Schema;
use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::rig::Registry;

static SCHEMAS: Mutex<Option<HashMap<String, Schema>>> = Mutex::new(None);

/// A record in Confluent's wire format: a zero, the id of the schema in four bytes, the data.
#[track_caller]
pub(crate) fn record(registry: &Registry, bytes: &[u8]) -> Value {
    assert_eq!(bytes[0], 0, "no wire format");
    let id = u32::from_be_bytes(bytes[1..5].try_into().unwrap());
    let text = registry.schema(i64::from(id));
    let mut schemas = SCHEMAS.lock().unwrap();
    let schema = schemas
        .get_or_insert_default()
        .entry(text.clone())
        .or_insert_with(|| Schema::parse_str(&text).unwrap_or_else(|error| panic!("{error}: {text}")));
    let mut rest = &bytes[5..];
    let value = GenericDatumReader::builder(schema).build().unwrap().read_value(&mut rest).unwrap();
    assert!(rest.is_empty(), "{} bytes are left over", rest.len());
    show(value)
}

/// A zig-zag number of one or two bytes.
pub(crate) fn small(bytes: &[u8]) -> i64 {
    let mut number = 0_u64;
    for (i, byte) in bytes.iter().enumerate() {
        number |= u64::from(byte & 0x7f) << (7 * i);
        if byte & 0x80 == 0 {
            break;
        }
    }
    (number >> 1) as i64 ^ -((number & 1) as i64)
}

fn show(value: Avro) -> Value {
    let real = |number: f64, plain: Value| match number {
        n if n.is_nan() => json!("NaN"),
        n if n.is_infinite() => json!(if n > 0.0 { "Infinity" } else { "-Infinity" }),
        _ => plain,
    };
    match value {
        Avro::Null => Value::Null,
        Avro::Boolean(truth) => json!(truth),
        Avro::Int(number) | Avro::Date(number) | Avro::TimeMillis(number) => json!(number),
        Avro::Long(number) | Avro::TimestampMillis(number) => json!(number),
        // JSON has the digits of a 32-bit number; as a double it would have more.
        Avro::Float(number) => {
            real(f64::from(number), number.to_string().parse::<f64>().map_or(Value::Null, |n| json!(n)))
        }
        Avro::Double(number) => real(number, json!(number)),
        Avro::String(text) => json!(text),
        Avro::Bytes(bytes) => json!(STANDARD.encode(bytes)),
        Avro::Decimal(decimal) => {
            let bytes: Vec<u8> = (&decimal).try_into().unwrap();
            json!(STANDARD.encode(bytes))
        }
        Avro::Union(_, inner) => show(*inner),
        Avro::Array(items) => items.into_iter().map(show).collect(),
        Avro::Map(entries) => {
            let sorted: std::collections::BTreeMap<_, _> =
                entries.into_iter().map(|(name, value)| (name, show(value))).collect();
            Value::Object(sorted.into_iter().collect())
        }
        Avro::Record(fields) => Value::Object(fields.into_iter().map(|(name, value)| (name, show(value))).collect()),
        other => panic!("no JSON is known for {other:?}"),
    }
}

/// A value without what differs between two runs: times, positions, names of the database.
pub(crate) fn without_places(value: Value) -> Value {
    const PLACES: &[&str] = &["ts_ms", "ts_us", "ts_ns", "lsn", "sequence", "txId", "name", "db", "snapshot"];
    match value {
        Value::Object(members) => {
            let kept = members.into_iter().filter(|(name, _)| !PLACES.contains(&&**name));
            let inner = kept.map(|(name, value)| {
                // The id of the transaction has a position in it.
                let value = if name == "transaction" { json!(value.is_null()) } else { value };
                (name, without_places(value))
            });
            Value::Object(inner.collect::<Map<_, _>>())
        }
        Value::Array(items) => items.into_iter().map(without_places).collect(),
        other => other,
    }
}
