//! Any Connect value, written by us: the crate `jsonschema` finds that it fits our document, and `serde_json` reads the same
//! value.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;
use record::{Kind, Logical, Payload, Schema, Value};
use serde_json::Value as Json;

use super::Options;
use super::document::document;
use crate::convert::json::SparseJson;
use crate::convert::tests::any::schema_and_value;

/// Whether a value has a number for which JSON has none.
fn is_beyond_json(value: &Value) -> bool {
    match value {
        Value::Float(number) => !number.is_finite(),
        Value::Double(number) => !number.is_finite(),
        Value::Array(values) | Value::Struct(values) => values.iter().any(is_beyond_json),
        Value::Map(entries) => entries.iter().any(|(key, value)| is_beyond_json(key) || is_beyond_json(value)),
        _ => false,
    }
}

fn any_default(schema: &Schema, is: &impl Fn(&Value) -> bool) -> bool {
    let inner = match &schema.kind {
        Kind::Array(items) => any_default(items, is),
        Kind::Map(keys, values) => any_default(keys, is) || any_default(values, is),
        Kind::Struct(fields) => fields.iter().any(|field| any_default(&field.schema, is)),
        _ => false,
    };
    inner || schema.default.as_ref().is_some_and(is)
}

fn same(schema: &Schema, value: &Value, read: &Json) -> bool {
    let value = match (value, &schema.default) {
        (Value::Null, Some(default)) => default,
        (value, _) => value,
    };
    let number = || read.to_string();
    match (&schema.kind, value) {
        (_, Value::Null) => read.is_null(),
        (_, Value::Bool(truth)) => read == &Json::Bool(*truth),
        (_, Value::Int(value)) => read.as_i64() == Some(*value),
        (_, Value::Float(value)) => number().parse::<f32>().is_ok_and(|read| read.to_bits() == value.to_bits()),
        // serde_json reads some doubles as their neighbours.
        (_, Value::Double(value)) => read.as_f64().is_some_and(|read| (read - value).abs() <= value.abs() * 1e-15),
        (_, Value::Text(value)) => read.as_str() == Some(value),
        (_, Value::Bytes(value) | Value::Decimal { unscaled: value, .. }) => {
            read.as_str().is_some_and(|text| STANDARD.decode(text).is_ok_and(|read| read == *value))
        }
        (Kind::Array(items), Value::Array(values)) => read.as_array().is_some_and(|read| {
            values.len() == read.len() && values.iter().zip(read).all(|(value, read)| same(items, value, read))
        }),
        (Kind::Map(keys, of), Value::Map(entries)) if matches!(keys.kind, Kind::String) && !keys.optional => {
            let found = |(key, value): &(Value, Value)| {
                let key = if let (Value::Null, Some(default)) = (key, &keys.default) { default } else { key };
                if let Value::Text(key) = key { same(of, value, &read[key.as_str()]) } else { false }
            };
            entries.iter().all(found)
        }
        (Kind::Map(keys, of), Value::Map(entries)) => read.as_array().is_some_and(|read| {
            let found = |((key, value), read): (&(Value, Value), &Json)| {
                same(keys, key, &read["key"]) && same(of, value, &read["value"])
            };
            entries.len() == read.len() && entries.iter().zip(read).all(found)
        }),
        (Kind::Struct(fields), Value::Struct(values)) => {
            fields.iter().zip(values).all(|(field, value)| same(&field.schema, value, &read[&*field.name]))
        }
        _ => false,
    }
}

#[test]
fn decimals_are_logical_here() {
    let decimal = Schema::of(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal", Some(1)).build();
    assert_eq!(decimal.logical, Logical::Decimal { scale: 0 });
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn what_is_written_fits_the_document((schema, value) in schema_and_value()) {
        prop_assume!(value != Value::Null && !is_beyond_json(&value) && !any_default(&schema, &is_beyond_json));
        for additional in [true, false] {
            let options = Options { numeric: false, keep_null: false, additional };
            let text = document(&schema, options);
            let payload = Payload::Value(schema.clone(), value.clone());
            let mut writer = SparseJson::of(&payload.part().unwrap(), b"", options.style()).unwrap();
            let mut out = Vec::new();
            prop_assert!(writer.write(&payload, &mut out).unwrap());
            let read: Json = serde_json::from_slice(&out).unwrap();
            let oracle = jsonschema::validator_for(&serde_json::from_str(&text).unwrap()).unwrap();
            if let Err(error) = oracle.validate(&read) {
                prop_assert!(false, "{error}\n{text}\n{read}");
            }
            prop_assert!(same(&schema, &value, &read), "{text}\n{value:?}\n{read}");
        }
    }
}
