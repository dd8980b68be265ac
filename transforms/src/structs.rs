//! What Connect's structs and schema builders refuse.
//!
//! Must not know: transforms.

use std::collections::HashSet;
use std::sync::Arc;

use record::{Kind, Logical, Part, Presence, Schema};

use crate::TransformError;

/// A struct of these fields, as [`Part::structure`] makes it.
///
/// # Errors
/// If two fields have one name.
pub(crate) fn structure(
    basics: &Schema,
    fields: Vec<(Arc<str>, Part)>,
    presence: Presence,
) -> Result<Part, TransformError> {
    names_differ(fields.iter().map(|(name, _)| &**name))?;
    Ok(Part::structure(basics, fields, presence))
}

/// Refuses two fields of one name.
pub(crate) fn names_differ<'a>(names: impl Iterator<Item = &'a str>) -> Result<(), TransformError> {
    let mut seen = HashSet::new();
    for name in names {
        if !seen.insert(name) {
            return Err(TransformError::duplicate(name));
        }
    }
    Ok(())
}

/// Whether a value of schema `of`, which is not null, may be put in the field `field` of schema `into`.
///
/// # Errors
/// What Connect's `Struct.put` says if not.
pub(crate) fn check_put(field: &str, into: &Schema, of: &Schema) -> Result<(), TransformError> {
    if into.id == of.id {
        return Ok(());
    }
    if java_class(into) != java_class(of) {
        let name = into.name.as_ref().map_or(String::new(), |name| format!(" \"{name}\""));
        let (kind, class) = (into.type_name(), java_class(of));
        return Err(TransformError::data(format!(
            "Invalid Java object for schema{name} with type {kind}: class {class} for field: \"{field}\""
        )));
    }
    match (&into.kind, &of.kind) {
        (Kind::Struct(_), _) => Err(TransformError::struct_mismatch()),
        (Kind::Array(into), Kind::Array(of)) => check_put(field, into, of),
        (Kind::Map(into_key, into), Kind::Map(of_key, of)) => {
            check_put(field, into_key, of_key)?;
            check_put(field, into, of)
        }
        _ => Ok(()),
    }
}

/// The Java class of the values of a schema, for messages that name it.
pub(crate) fn java_class(schema: &Schema) -> &'static str {
    match (&schema.kind, schema.logical) {
        (_, Logical::Decimal { .. }) => "java.math.BigDecimal",
        (_, Logical::Date | Logical::Time | Logical::Timestamp) => "java.util.Date",
        (Kind::Bool, _) => "java.lang.Boolean",
        (Kind::Int8, _) => "java.lang.Byte",
        (Kind::Int16, _) => "java.lang.Short",
        (Kind::Int32, _) => "java.lang.Integer",
        (Kind::Int64, _) => "java.lang.Long",
        (Kind::Float32, _) => "java.lang.Float",
        (Kind::Float64, _) => "java.lang.Double",
        (Kind::String, _) => "java.lang.String",
        (Kind::Bytes, _) => "java.nio.HeapByteBuffer",
        (Kind::Array(_), _) => "java.util.ArrayList",
        (Kind::Map(..), _) => "java.util.HashMap",
        (Kind::Struct(_), _) => "org.apache.kafka.connect.data.Struct",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_field_takes() {
        let of = |kind| Schema::of(kind).build();
        let maybe = |kind| Schema::of(kind).optional().build();
        let array = |element: Arc<Schema>| of(Kind::Array(element));
        let structure = |name: &'static str| of(Kind::structure([(name, of(Kind::Int32))]));
        let json = Schema::of(Kind::String).named("io.debezium.data.Json", Some(1)).build();
        let decimal = Schema::of(Kind::Bytes).named("org.apache.kafka.connect.data.Decimal", Some(1)).build();
        let check = |into: &Schema, of: &Schema, expect: &str| {
            let found = check_put("f", into, of).map_or_else(|error| error.to_string(), |()| String::new());
            assert_eq!(found, expect);
        };
        let wrong = |schema: &str, class: &str| {
            format!("Invalid Java object for schema{schema}: class {class} for field: \"f\"")
        };
        check(&json, &maybe(Kind::String), "");
        check(&of(Kind::Int32), &of(Kind::Int64), &wrong(" with type INT32", "java.lang.Long"));
        check(&json, &decimal, &wrong(" \"io.debezium.data.Json\" with type STRING", "java.math.BigDecimal"));
        check(
            &decimal,
            &of(Kind::Bytes),
            &wrong(" \"org.apache.kafka.connect.data.Decimal\" with type BYTES", "java.nio.HeapByteBuffer"),
        );
        check(&structure("a"), &structure("b"), "Struct schemas do not match.");
        check(&structure("a"), &structure("a"), "");
        check(&array(json.clone()), &array(of(Kind::String)), "");
        check(
            &array(json.clone()),
            &array(of(Kind::Bool)),
            &wrong(" \"io.debezium.data.Json\" with type STRING", "java.lang.Boolean"),
        );
    }
}
