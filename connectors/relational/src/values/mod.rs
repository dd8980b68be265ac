//! Values that look the same from every relational database: bytes, exact decimals, dates and times, under the settings
//! that choose their form.
//!
//! Purpose: a mode's schema and its value stand side by side and once, so that two connectors cannot differ in them. The
//! names of the schemas are those of Debezium's documentation ("Data type mappings").
//!
//! Must not know: a database's types, nor how their bytes look.

pub mod binary;
pub mod decimal;
mod failure;
mod modes;
pub mod number;
pub mod temporal;

pub use failure::Unreadable;
pub use modes::{BinaryMode, ConvertFailure, DecimalMode, TimeMode};

use record::{Kind, Schema, SchemaBuilder, Value, ValueRef};

/// A required schema of this type, name and version 1.
fn named(kind: Kind, name: &str) -> SchemaBuilder {
    Schema::of(kind).named(name, Some(1))
}

/// A required schema of Debezium's: `data.Json` is `io.debezium.data.Json`, version 1.
pub fn debezium(kind: Kind, name: &str) -> SchemaBuilder {
    named(kind, &format!("io.debezium.{name}"))
}

/// A required schema of Kafka Connect's: `Decimal` is `org.apache.kafka.connect.data.Decimal`, version 1.
pub fn connect(kind: Kind, name: &str) -> SchemaBuilder {
    named(kind, &format!("org.apache.kafka.connect.data.{name}"))
}

/// A struct's type, from the schemas of its fields.
pub fn structure(fields: Vec<(&str, SchemaBuilder)>) -> Kind {
    Kind::structure(fields.into_iter().map(|(name, schema)| (name, schema.build())))
}

/// `io.debezium.data.geometry.Point`, required.
pub fn point() -> SchemaBuilder {
    let kind = structure(vec![
        ("x", Schema::of(Kind::Float64)),
        ("y", Schema::of(Kind::Float64)),
        ("wkb", Schema::of(Kind::Bytes).optional()),
        ("srid", Schema::of(Kind::Int32).optional()),
    ]);
    debezium(kind, "data.geometry.Point").doc("Geometry (POINT)")
}

/// `io.debezium.data.geometry.Geometry` or, with the name `Geography`, its sister; required.
pub fn geometry(name: &str) -> SchemaBuilder {
    let kind = structure(vec![("wkb", Schema::of(Kind::Bytes)), ("srid", Schema::of(Kind::Int32).optional())]);
    debezium(kind, &format!("data.geometry.{name}")).doc(name)
}

/// The value of a [`point`] without an SRID: coordinates and 21 bytes of little-endian WKB.
pub fn point_of(x: f64, y: f64) -> Value {
    let mut wkb = vec![1, 1, 0, 0, 0];
    wkb.extend_from_slice(&x.to_le_bytes());
    wkb.extend_from_slice(&y.to_le_bytes());
    Value::Struct(vec![Value::Double(x), Value::Double(y), Value::Bytes(wkb), Value::Null])
}

/// The value of a [`geometry`] that stands for a missing one: GEOMETRYCOLLECTION EMPTY in little-endian WKB, no SRID.
pub fn empty_geometry() -> Value {
    Value::Struct(vec![Value::Bytes(vec![1, 7, 0, 0, 0, 0, 0, 0, 0]), Value::Null])
}

/// A value that has no compact form.
pub fn owned<'a>(value: Value) -> ValueRef<'a> {
    ValueRef::Owned(Box::new(value))
}

/// A text that had to be made.
pub fn words<'a>(text: String) -> ValueRef<'a> {
    owned(Value::Text(text))
}

/// The zero of a schema's type: 0, false, an empty text.
pub fn zero(schema: &Schema) -> Value {
    match &schema.kind {
        Kind::Bool => Value::Bool(false),
        Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => Value::Int(0),
        Kind::Float32 => Value::Float(0.0),
        Kind::Float64 => Value::Double(0.0),
        Kind::String => Value::text(""),
        Kind::Bytes => Value::Bytes(Vec::new()),
        Kind::Array(_) => Value::Array(Vec::new()),
        Kind::Map(..) => Value::Map(Vec::new()),
        Kind::Struct(fields) => Value::Struct(fields.iter().map(|field| zero(&field.schema)).collect()),
    }
}
