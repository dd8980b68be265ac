//! The Java classes that values would have in Connect, for error messages that name them.
//!
//! Must not know: formats.

use record::{Kind, Logical, Schema, Value, ValueRef};

/// The class of a value that has this schema.
pub(super) fn of_part(schema: Option<&Schema>, value: &Value) -> &'static str {
    match (schema.map(|schema| (&schema.kind, schema.logical)), value) {
        (Some((_, Logical::Date | Logical::Time | Logical::Timestamp)), Value::Int(_)) => "java.util.Date",
        (Some((Kind::Int8, _)), Value::Int(_)) => "java.lang.Byte",
        (Some((Kind::Int16, _)), Value::Int(_)) => "java.lang.Short",
        (Some((Kind::Int32, _)), Value::Int(_)) => "java.lang.Integer",
        _ => of_value(value),
    }
}

/// The class of an owned value. An integer is always `Long` here, because only its schema knows its width.
pub(super) fn of_value(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "java.lang.Boolean",
        Value::Int(_) => "java.lang.Long",
        Value::Float(_) => "java.lang.Float",
        Value::Double(_) => "java.lang.Double",
        Value::Text(_) => "java.lang.String",
        Value::Bytes(_) => "java.nio.HeapByteBuffer",
        Value::Decimal { .. } => "java.math.BigDecimal",
        Value::Array(_) => "java.util.ArrayList",
        Value::Map(_) => "java.util.HashMap",
        Value::Struct(_) => "org.apache.kafka.connect.data.Struct",
    }
}

/// The class of a cell; an integer is always `Long` here too.
pub(super) fn of_cell(cell: &ValueRef<'_>) -> &'static str {
    match cell {
        ValueRef::Null => "null",
        ValueRef::Bool(_) => "java.lang.Boolean",
        ValueRef::Int(_) => "java.lang.Long",
        ValueRef::Float(_) => "java.lang.Float",
        ValueRef::Double(_) => "java.lang.Double",
        ValueRef::Text(_) | ValueRef::Zoned { .. } | ValueRef::Uuid(_) | ValueRef::Sequence { .. } => {
            "java.lang.String"
        }
        ValueRef::Bytes(_) | ValueRef::Hex(_) => "java.nio.HeapByteBuffer",
        ValueRef::Decimal { .. } => "java.math.BigDecimal",
        ValueRef::Owned(value) => of_value(value),
        ValueRef::Shared(value) => of_value(value),
    }
}
