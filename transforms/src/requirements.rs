//! What Connect's transforms require of keys and values, and how they build structs again.
//!
//! Must not know: any transform.

use std::sync::Arc;

use record::{Kind, Part, Payload, Presence, Schema};

use crate::TransformError;
use crate::error::java;
use crate::structs::{java_class, names_differ, structure};

/// The fields of a struct on their way into another one.
pub(crate) type Fields = Vec<(Arc<str>, Part)>;

/// The part of a payload that must be a struct. `purpose` stands in the message as Connect writes it.
pub(crate) fn struct_of(payload: &Payload<'_>, purpose: &str) -> Result<Part, TransformError> {
    let Some(part) = payload.part() else { return Err(TransformError::not_a_map(purpose, "null")) };
    if payload.is_null() {
        return Err(TransformError::not_a_struct(purpose, "null"));
    }
    needs_struct(&part.schema, purpose)?;
    Ok(part)
}

/// Refuses a value of another type than struct.
pub(crate) fn needs_struct(schema: &Schema, purpose: &str) -> Result<(), TransformError> {
    match schema.kind {
        Kind::Struct(_) => Ok(()),
        _ => Err(TransformError::not_a_struct(purpose, java_class(schema))),
    }
}

/// All fields of a struct, in their order. With `replace_null` a null becomes the default of its field.
pub(crate) fn fields(part: &Part, replace_null: bool) -> impl Iterator<Item = (Arc<str>, Part)> + '_ {
    part.fields().map(move |(name, field)| (name, or_default(field, replace_null)))
}

/// The part, whose nulls become the default if `replace_null` says so.
pub(crate) fn or_default(part: Part, replace_null: bool) -> Part {
    if replace_null { part.or_default() } else { part }
}

/// A struct of these fields with the name, version, documentation and parameters of `basics`. It is required and has no
/// default. The value is there in every record.
pub(crate) fn rebuilt(basics: &Schema, fields: Fields) -> Result<Part, TransformError> {
    let basics = basics.edit().optional_if(false).default(None).build();
    with_schema(&basics, fields)
}

/// A struct of these fields with everything that `basics` has.
pub(crate) fn with_schema(basics: &Schema, fields: Fields) -> Result<Part, TransformError> {
    all_named(fields.iter().map(|(name, _)| &**name))?;
    structure(basics, fields, Presence::Always)
}

/// Refuses a field without a name, and two fields of one name.
pub(crate) fn check_names<'n>(names: impl Iterator<Item = &'n str> + Clone) -> Result<(), TransformError> {
    all_named(names.clone())?;
    names_differ(names)
}

fn all_named<'n>(mut names: impl Iterator<Item = &'n str>) -> Result<(), TransformError> {
    let without = || TransformError::new(java::SCHEMA_BUILDER, "fieldName cannot be null.");
    if names.any(str::is_empty) { Err(without()) } else { Ok(()) }
}

/// An unnamed, required struct.
pub(crate) fn unnamed(fields: Fields) -> Result<Part, TransformError> {
    with_schema(&Schema::of(Kind::Struct(Vec::new())).build(), fields)
}
