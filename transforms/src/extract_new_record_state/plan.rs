//! How a row is flattened: the output fields and where each of them is in the envelope. A plan is made once for each input.
//!
//! Must not know: how options are written, headers, delete modes.

use std::collections::HashSet;
use std::sync::Arc;

use record::{Kind, Part, Presence, Schema, Value};

use super::reference::Reference;
use crate::TransformError;

/// A field or header that `add.fields` or `add.headers` asks for.
#[derive(Clone, Debug)]
pub(super) struct Added {
    pub(super) name: Arc<str>,
    pub(super) part: Part,
    /// It is a whole struct or map; as a field, Debezium can only add it when it is null.
    pub(super) is_whole: bool,
}

impl Added {
    /// As a header, a whole struct is possible; nulls in it become defaults.
    pub(super) fn into_header(self) -> Self {
        let Kind::Struct(_) = self.part.schema.kind else { return self };
        let fields = self.part.fields().map(|(name, field)| (name, field.or_default())).collect();
        Self { part: Part::structure(&self.part.schema, fields, self.part.presence()), ..self }
    }
}

/// How records of one schema are flattened.
#[derive(Debug)]
pub(super) struct Plan {
    columns: Vec<(Arc<str>, Part)>,
    /// The row's schema. The flattened one has its name, version, documentation and parameters.
    basics: Arc<Schema>,
}

/// Finds the field that `reference` names; `None` when neither the struct it names nor the envelope itself has that
/// field.
pub(super) fn resolve(envelope: &Part, reference: &Reference) -> Result<Option<Added>, TransformError> {
    let outer = match &reference.part {
        Some(part) => Some(envelope.field(part).ok_or_else(|| TransformError::no_field(part))?),
        None => None,
    };
    // No default: a `source.snapshot` that is not set stays null although the field's schema has a default.
    let inner = outer.and_then(|outer| outer.field(&reference.field));
    let Some(found) = inner.or_else(|| envelope.field(&reference.field)) else { return Ok(None) };
    let is_whole = matches!(found.schema.kind, Kind::Struct(_) | Kind::Map(..));
    // The schema is that of the envelope's field, but optional and without a default.
    let part = Part { schema: found.schema.edit().optional().default(None).build(), ..found };
    Ok(Some(Added { name: reference.name.as_str().into(), part, is_whole }))
}

impl Plan {
    /// A plan of all columns of the row, unchanged.
    pub(super) fn of_row(row: &Part) -> Self {
        Self { columns: row.fields().collect(), basics: Arc::clone(&row.schema) }
    }

    /// Adds `__deleted`.
    pub(super) fn mark_deleted(&mut self, deleted: bool, replace_null: bool) {
        if replace_null {
            self.fill_defaults();
        }
        let text = Value::text(if deleted { "true" } else { "false" });
        let schema = Schema::of(Kind::String).optional().build();
        self.columns.push((super::DELETED.into(), Part::constant(schema, text)));
    }

    /// Makes nulls of columns with a default become that default, as Debezium does in steps that copy a struct.
    fn fill_defaults(&mut self) {
        self.columns =
            std::mem::take(&mut self.columns).into_iter().map(|(name, part)| (name, part.or_default())).collect();
    }

    /// Adds the fields that `references` name, except those that the envelope does not have. Returns those of them that
    /// must be null.
    pub(super) fn add(&mut self, envelope: &Part, references: &[Reference]) -> Result<Vec<Part>, TransformError> {
        let mut whole = Vec::new();
        for reference in references {
            let Some(mut added) = resolve(envelope, reference)? else { continue };
            if added.is_whole {
                whole.push(added.part.clone());
            }
            // Debezium leaves out the fields of an added struct, so only a null struct fits the schema.
            if let Kind::Struct(_) = added.part.schema.kind {
                let schema = added.part.schema.edit().kind(Kind::Struct(Vec::new())).build();
                added.part = Part::constant(schema, Value::Null);
            }
            self.columns.push((added.name, added.part));
        }
        Ok(whole)
    }

    /// Drops the named fields; with `only_optional`, required fields are kept.
    pub(super) fn drop_fields(&mut self, names: &[String], only_optional: bool) {
        let goes = |(name, part): &(Arc<str>, Part)| {
            (!only_optional || part.schema.optional) && names.iter().any(|dropped| **dropped == **name)
        };
        if only_optional && !self.columns.iter().any(goes) {
            return;
        }
        self.columns.retain(|column| !goes(column));
        self.fill_defaults();
    }

    /// Refuses two columns of one name.
    pub(super) fn check_names(&self) -> Result<(), TransformError> {
        let mut seen = HashSet::new();
        let twice = self.columns.iter().find(|(name, _)| !seen.insert(&**name));
        twice.map_or(Ok(()), |(name, _)| Err(TransformError::duplicate(name)))
    }

    /// The flattened row: name, version and so on are the row schema's, but it is not optional.
    pub(super) fn into_part(self) -> Part {
        let basics = self.basics.edit().optional_if(false).default(None).build();
        Part::structure(&basics, self.columns, Presence::Always)
    }
}
