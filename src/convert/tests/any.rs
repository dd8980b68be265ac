//! Any Connect schema and any value of it, for the property tests of all converters.

use std::sync::Arc;

use proptest::prelude::*;
use record::{Kind, Logical, Schema, Value, twos_complement};

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
pub(in crate::convert) fn schemas() -> impl Strategy<Value = Arc<Schema>> {
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

/// Values of a schema.
pub(in crate::convert) fn values(schema: &Arc<Schema>) -> BoxedStrategy<Value> {
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

/// A schema and a value of it, which is null now and then where the schema allows it.
pub(in crate::convert) fn schema_and_value() -> impl Strategy<Value = (Arc<Schema>, Value)> {
    (schemas(), any::<bool>()).prop_flat_map(|(schema, optional)| {
        let schema = schema.edit().optional_if(optional).build();
        values(&schema).prop_map(move |value| (schema.clone(), value))
    })
}
