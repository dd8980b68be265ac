//! Any Connect value, written by us and read back by the crate `apache-avro` with our document, is the same value.

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;
use proptest::prelude::*;
use record::{Kind, Schema, Value};
use settings::Properties;

use super::super::document::document;
use super::super::options::{Family, Options};
use super::bytes;
use crate::convert::tests::any::schema_and_value;

/// Whether the oracle read what was written. A null in a field that has a default is written as the default.
fn same(schema: &Schema, value: &Value, read: &Avro, is_field: bool) -> bool {
    let read = if let Avro::Union(_, inner) = read { inner } else { read };
    let value = match (value, &schema.default) {
        (Value::Null, Some(default)) if is_field => default,
        (value, _) => value,
    };
    let list = |items: &Schema, values: &[Value], read: &[Avro]| {
        values.len() == read.len() && values.iter().zip(read).all(|(value, read)| same(items, value, read, false))
    };
    match (value, read) {
        (Value::Null, Avro::Null) => true,
        (Value::Bool(value), Avro::Boolean(read)) => value == read,
        (Value::Int(value), Avro::Int(read) | Avro::Date(read) | Avro::TimeMillis(read)) => *value == i64::from(*read),
        (Value::Int(value), Avro::Long(read) | Avro::TimestampMillis(read)) => value == read,
        (Value::Float(value), Avro::Float(read)) => value.to_bits() == read.to_bits(),
        (Value::Double(value), Avro::Double(read)) => value.to_bits() == read.to_bits(),
        (Value::Text(value), Avro::String(read)) => value == read,
        (Value::Bytes(value), Avro::Bytes(read)) => value == read,
        (Value::Decimal { unscaled, .. }, Avro::Decimal(read)) => {
            Vec::<u8>::try_from(read).is_ok_and(|read| read == *unscaled)
        }
        (Value::Array(values), Avro::Array(read)) => {
            let Kind::Array(items) = &schema.kind else { return false };
            list(items, values, read)
        }
        (Value::Map(entries), Avro::Map(read)) => {
            let Kind::Map(_, of) = &schema.kind else { return false };
            let found = |(key, value): &(Value, Value)| {
                let Value::Text(key) = key else { return false };
                read.get(key).is_some_and(|read| same(of, value, read, false))
            };
            entries.len() == read.len() && entries.iter().all(found)
        }
        (Value::Map(entries), Avro::Array(read)) => {
            let Kind::Map(keys, of) = &schema.kind else { return false };
            let found = |((key, value), read): (&(Value, Value), &Avro)| {
                let Avro::Record(members) = read else { return false };
                same(keys, key, &members[0].1, false) && same(of, value, &members[1].1, false)
            };
            entries.len() == read.len() && entries.iter().zip(read).all(found)
        }
        (Value::Struct(values), Avro::Record(read)) => {
            let fields = schema.fields().iter().zip(values).zip(read);
            fields.len() == read.len()
                && fields.into_iter().all(|((field, value), (name, read))| {
                    *field.name == **name && same(&field.schema, value, read, true)
                })
        }
        _ => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_is_read_back((schema, value) in schema_and_value()) {
        prop_assume!(value != Value::Null);
        let options = Options::read(Family::Confluent, &Properties::new());
        let text = document(&schema, options).unwrap();
        let written = bytes(&schema, &value, &text, options).unwrap();
        let oracle = apache_avro::Schema::parse_str(&text).unwrap();
        let mut rest = written.as_slice();
        let reader = GenericDatumReader::builder(&oracle).build().unwrap();
        let read = reader.read_value(&mut rest).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert!(same(&schema, &value, &read, false), "{}\n{:?}\n{:?}", text, value, read);
    }
}
