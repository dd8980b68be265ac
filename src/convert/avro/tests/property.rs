//! Any Connect value, written by us and read back by the crate `apache-avro` with our document, is the same value.

use std::sync::Arc;

use apache_avro::reader::datum::GenericDatumReader;
use apache_avro::types::Value as Avro;
use proptest::prelude::*;
use record::{Kind, Logical, Schema, Value, twos_complement};
use settings::Properties;

use super::super::document::document;
use super::super::options::{Family, Options};
use super::bytes;

fn leaf() -> impl Strategy<Value = Arc<Schema>> {
    let named = |kind: Kind, name: &str| Schema::of(kind).named(name, Some(1));
    let decimal = |scale: &str| named(Kind::Bytes, "org.apache.kafka.connect.data.Decimal").parameter("scale", scale);
    proptest::sample::select(vec![
        Schema::of(Kind::Bool),
        Schema::of(Kind::Int8),
        Schema::of(Kind::Int16),
        Schema::of(Kind::Int32),
        Schema::of(Kind::Int64),
        Schema::of(Kind::Float32),
        Schema::of(Kind::Float64),
        Schema::of(Kind::String),
        Schema::of(Kind::Bytes),
        named(Kind::String, "io.debezium.time.ZonedTimestamp"),
        named(Kind::Int64, "io.debezium.time.MicroTimestamp"),
        named(Kind::Int32, "org.apache.kafka.connect.data.Date"),
        named(Kind::Int32, "org.apache.kafka.connect.data.Time"),
        named(Kind::Int64, "org.apache.kafka.connect.data.Timestamp"),
        decimal("0"),
        decimal("7").parameter("connect.decimal.precision", "20"),
    ])
    .prop_map(record::SchemaBuilder::build)
}

/// Schemas of every kind, some optional, some with a default.
fn schemas() -> impl Strategy<Value = Arc<Schema>> {
    leaf().prop_recursive(3, 24, 4, |inner| {
        let varied = (inner, any::<bool>(), any::<bool>()).prop_flat_map(|(schema, optional, defaulted)| {
            let optional = schema.edit().optional_if(optional).build();
            values(&optional).prop_map(move |default| {
                let default = (defaulted && default != Value::Null).then_some(default);
                optional.edit().default(default).build()
            })
        });
        prop_oneof![
            varied.clone().prop_map(|items| Schema::of(Kind::Array(items)).build()),
            varied.clone().prop_map(|of| Schema::of(Kind::Map(Schema::of(Kind::String).build(), of)).build()),
            // Entries of maps need names that differ, since their types do.
            (varied.clone(), varied.clone()).prop_map(|(keys, of)| {
                let name = format!("test.M{}x{}", keys.id, of.id);
                Schema::of(Kind::Map(keys, of)).named(&name, None).build()
            }),
            prop::collection::vec(varied, 0..4).prop_map(|fields| {
                let names = ["a", "b", "c", "d"];
                Schema::of(Kind::structure(names.into_iter().zip(fields))).build()
            }),
        ]
    })
}

fn values(schema: &Arc<Schema>) -> BoxedStrategy<Value> {
    let plain = match (&schema.kind, schema.logical) {
        (_, Logical::Decimal { scale }) => {
            any::<i128>().prop_map(move |number| Value::Decimal { unscaled: twos_complement(number), scale }).boxed()
        }
        (Kind::Bool, _) => any::<bool>().prop_map(Value::Bool).boxed(),
        (Kind::Int8, _) => any::<i8>().prop_map(|number| Value::Int(number.into())).boxed(),
        (Kind::Int16, _) => any::<i16>().prop_map(|number| Value::Int(number.into())).boxed(),
        (Kind::Int32, _) => any::<i32>().prop_map(|number| Value::Int(number.into())).boxed(),
        (Kind::Int64, _) => any::<i64>().prop_map(Value::Int).boxed(),
        (Kind::Float32, _) => any::<f32>().prop_map(Value::Float).boxed(),
        (Kind::Float64, _) => any::<f64>().prop_map(Value::Double).boxed(),
        (Kind::String, _) => ".{0,80}".prop_map(Value::Text).boxed(),
        (Kind::Bytes, _) => any::<Vec<u8>>().prop_map(Value::Bytes).boxed(),
        (Kind::Array(items), _) => prop::collection::vec(values(items), 0..3).prop_map(Value::Array).boxed(),
        (Kind::Map(keys, of), _) => {
            // At most one entry, because a map of the oracle has no order.
            prop::collection::vec((values(keys), values(of)), 0..2).prop_map(Value::Map).boxed()
        }
        (Kind::Struct(fields), _) => {
            fields.iter().map(|field| values(&field.schema)).collect::<Vec<_>>().prop_map(Value::Struct).boxed()
        }
    };
    if schema.optional { prop_oneof![1 => Just(Value::Null), 3 => plain].boxed() } else { plain }
}

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

fn schema_and_value() -> impl Strategy<Value = (Arc<Schema>, Value)> {
    (schemas(), any::<bool>()).prop_flat_map(|(schema, optional)| {
        let schema = schema.edit().optional_if(optional).build();
        values(&schema).prop_map(move |value| (schema.clone(), value))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn what_is_written_is_read_back((schema, value) in schema_and_value()) {
        prop_assume!(value != Value::Null);
        let options = Options::read(Family::Confluent, &Properties::new());
        let text = document(Some(&schema), options).unwrap();
        let written = bytes(&schema, &value, &text, options).unwrap();
        let oracle = apache_avro::Schema::parse_str(&text).unwrap();
        let mut rest = written.as_slice();
        let reader = GenericDatumReader::builder(&oracle).build().unwrap();
        let read = reader.read_value(&mut rest).unwrap();
        prop_assert!(rest.is_empty());
        prop_assert!(same(&schema, &value, &read, false), "{}\n{:?}\n{:?}", text, value, read);
    }
}
