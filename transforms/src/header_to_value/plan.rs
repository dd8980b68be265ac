//! Puts new fields into a struct and into structs inside of it.
//!
//! The structs that get a field are not optional afterwards, and nulls in them become defaults, as in Debezium. A struct that
//! is missing is made, but only in the outermost struct with its field; deeper down it is made empty. (Debezium does that too.)
//!
//! Must not know: headers.

use std::sync::Arc;

use record::{Kind, Node, Part, Presence, Schema};

use crate::TransformError;
use crate::error::java;
use crate::structs::{check_put, structure};

/// A field to add.
#[derive(Debug)]
pub(super) struct Entry<'e> {
    /// The names of the structs on the way, and of the field.
    pub(super) path: &'e [String],
    /// None for a value without a schema, which cannot be a field.
    pub(super) schema: Option<Arc<Schema>>,
    /// Which of the record's owned values it is.
    pub(super) slot: u16,
}

/// What is left of an entry's path, and the entry.
type Rest<'e> = (&'e [String], &'e Entry<'e>);

impl Entry<'_> {
    fn part(&self) -> Result<Part, TransformError> {
        let missing = || {
            let name = self.path.last().map_or("", String::as_str);
            TransformError::new(java::SCHEMA_BUILDER, format!("fieldSchema for field {name} cannot be null."))
        };
        Ok(Part::owned(Arc::clone(self.schema.as_ref().ok_or_else(missing)?), self.slot))
    }
}

/// The struct with the fields. Those that are there already keep their types and get new values.
pub(super) fn with_entries(part: &Part, entries: &[Entry<'_>]) -> Result<Part, TransformError> {
    for entry in entries {
        check_way(&part.schema, entry.path)?;
    }
    let entries: Vec<Rest<'_>> = entries.iter().map(|entry| (entry.path, entry)).collect();
    level(part, &entries, true)
}

/// Refuses a way that leads through a value which is no struct.
fn check_way(schema: &Schema, path: &[String]) -> Result<(), TransformError> {
    let mut schema = schema;
    for name in path.split_last().map_or(&[][..], |(_, structs)| structs) {
        if !matches!(schema.kind, Kind::Struct(_)) {
            return Err(TransformError::data("Cannot look up fields on non-struct type"));
        }
        let Some(at) = schema.field(name) else { break };
        schema = &schema.fields()[at].schema;
        if !matches!(schema.kind, Kind::Struct(_) | Kind::Array(_) | Kind::Map(..)) {
            let whole = path.join(".");
            let message =
                format!("Field '{name}' is a primitive type, not a struct. Cannot add nested field '{whole}'.");
            return Err(TransformError::new(java::DEBEZIUM, message));
        }
    }
    Ok(())
}

/// Those entries that are inside of the field `name`, each with what is left of its path.
fn inside<'e>(entries: &[Rest<'e>], name: &str) -> Vec<Rest<'e>> {
    let rest = |(path, entry): &Rest<'e>| match *path {
        [first, rest @ ..] if first == name && !rest.is_empty() => Some((rest, *entry)),
        _ => None,
    };
    entries.iter().filter_map(rest).collect()
}

/// One struct with its new fields. Each entry comes with what is left of its path.
fn level(part: &Part, entries: &[Rest<'_>], is_root: bool) -> Result<Part, TransformError> {
    if !matches!(part.schema.kind, Kind::Struct(_)) {
        return Err(TransformError::data("Cannot list fields on non-struct type"));
    }
    let mut fields: Vec<(Arc<str>, Part)> = Vec::new();
    for (name, field) in part.fields() {
        let inner = inside(entries, &name);
        let field = if inner.is_empty() { field.or_default() } else { level(&field, &inner, false)? };
        fields.push((name, field));
    }
    for (path, entry) in entries {
        let [name] = path else { continue };
        let new = entry.part()?;
        match fields.iter_mut().find(|(known, _)| **known == **name) {
            Some((_, field)) => {
                check_put(name, &field.schema, &new.schema)?;
                field.node = new.node;
            }
            None => fields.push((name.as_str().into(), new)),
        }
    }
    let mut made: Vec<&String> = Vec::new();
    for (path, _) in entries {
        let [name, _, ..] = path else { continue };
        if part.schema.field(name).is_some() || made.contains(&name) {
            continue;
        }
        made.push(name);
        let mut inner = Vec::new();
        for (rest, entry) in if is_root { inside(entries, name) } else { Vec::new() } {
            inner.push((rest[0].as_str().into(), entry.part()?));
        }
        let basics = Schema::of(Kind::Struct(Vec::new())).optional().build();
        fields.push((name.as_str().into(), structure(&basics, inner, Presence::Always)?));
    }
    let basics = part.schema.edit().optional_if(false).default(None).build();
    let presence = if is_root { Presence::Always } else { part.presence() };
    let made = structure(&basics, fields, presence)?;
    debug_assert!(matches!(made.node, Node::Struct(..)));
    Ok(made)
}
