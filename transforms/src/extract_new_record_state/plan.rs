//! How a record is flattened: the output schema, and for each output field where its value is in the envelope. A plan
//! is made once for each input schema. For raw changes it is turned into a view; for an envelope that another transform
//! has turned into values, the values are read by it.
//!
//! Must not know: how options are written, headers, delete modes.

use std::collections::HashSet;
use std::sync::Arc;

use record::{Field, Kind, Schema, Shape, Value, View, ViewSource};

use super::reference::Reference;
use crate::TransformError;

/// Where an output field gets its value from.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Origin {
    /// A field of one of the envelope's structs: the index of the struct, the index of the field in it, and the value
    /// that replaces a null.
    Nested(usize, usize, Option<Value>),
    /// A field of the envelope itself, by its index.
    Root(usize),
    /// The same value in every record.
    Constant(Value),
}

/// One field of the result.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: Arc<str>,
    pub(super) schema: Arc<Schema>,
    pub(super) origin: Origin,
}

/// How records of one schema are flattened.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) columns: Vec<Column>,
    /// The row's schema. The flattened one has its name, version, documentation and parameters.
    basics: Arc<Schema>,
}

/// The schema of an added field: that of the envelope's field, but optional and without a default.
fn added_schema(schema: &Schema) -> Arc<Schema> {
    let basics = schema.edit().optional().default(None);
    // Debezium leaves out the fields of an added struct, so only a null struct fits the schema.
    if matches!(schema.kind, Kind::Struct(_)) { basics.kind(Kind::Struct(Vec::new())).build() } else { basics.build() }
}

/// Finds the field that `reference` names; `None` when neither the struct it names nor the envelope itself has that
/// field.
pub(super) fn resolve(envelope: &Schema, reference: &Reference) -> Result<Option<Column>, TransformError> {
    let column = |schema: &Schema, origin| {
        Some(Column { name: reference.name.as_str().into(), schema: added_schema(schema), origin })
    };
    if let Some(part) = &reference.part {
        let outer = envelope.field(part).ok_or_else(|| TransformError::NoField(part.clone()))?;
        let of = &envelope.fields()[outer].schema;
        if let Some(inner) = of.field(&reference.field) {
            // No default: a `source.snapshot` that is not set stays null although the field's schema has a default.
            return Ok(column(&of.fields()[inner].schema, Origin::Nested(outer, inner, None)));
        }
    }
    Ok(envelope.field(&reference.field).and_then(|at| column(&envelope.fields()[at].schema, Origin::Root(at))))
}

impl Plan {
    /// A plan of all columns of the row in `part` (`before` or `after`), unchanged.
    pub(super) fn of_row(envelope: &Schema, part: &str) -> Result<Self, TransformError> {
        let outer = envelope.field(part).ok_or_else(|| TransformError::NoField(part.to_owned()))?;
        let basics = envelope.fields()[outer].schema.clone();
        let columns = basics.fields().iter().enumerate().map(|(i, field)| Column {
            name: field.name.clone(),
            schema: field.schema.clone(),
            origin: Origin::Nested(outer, i, None),
        });
        Ok(Self { columns: columns.collect(), basics })
    }

    /// Adds `__deleted`.
    pub(super) fn mark_deleted(&mut self, deleted: bool, replace_null: bool) {
        if replace_null {
            self.fill_defaults();
        }
        self.columns.push(Column {
            name: super::DELETED.into(),
            schema: Schema::of(Kind::String).optional().build(),
            origin: Origin::Constant(Value::text(if deleted { "true" } else { "false" })),
        });
    }

    /// Makes nulls of columns with a default become that default, as Debezium does in steps that copy a struct.
    fn fill_defaults(&mut self) {
        for column in &mut self.columns {
            if let Origin::Nested(_, _, default @ None) = &mut column.origin {
                default.clone_from(&column.schema.default);
            }
        }
    }

    /// Adds the fields that `references` name, except those that the envelope does not have.
    pub(super) fn add(&mut self, envelope: &Schema, references: &[Reference]) -> Result<(), TransformError> {
        for reference in references {
            self.columns.extend(resolve(envelope, reference)?);
        }
        Ok(())
    }

    /// Drops the named fields; with `only_optional`, required fields are kept.
    pub(super) fn drop_fields(&mut self, names: &[String], only_optional: bool) {
        let goes = |column: &Column| {
            (!only_optional || column.schema.optional) && names.iter().any(|name| **name == *column.name)
        };
        if only_optional && !self.columns.iter().any(goes) {
            return;
        }
        self.columns.retain(|column| !goes(column));
        self.fill_defaults();
    }

    /// The output schema: name, version and so on are the row schema's, but it is not optional.
    pub(super) fn schema(&self) -> Result<Arc<Schema>, TransformError> {
        let mut seen = HashSet::new();
        if let Some(twice) = self.columns.iter().find(|column| !seen.insert(&*column.name)) {
            return Err(TransformError::Duplicate(twice.name.to_string()));
        }
        let field = |column: &Column| Field { name: column.name.clone(), schema: column.schema.clone() };
        let fields = self.columns.iter().map(field).collect();
        Ok(self.basics.edit().optional_if(false).default(None).kind(Kind::Struct(fields)).build())
    }

    /// The plan as a view of the raw changes of `shape`.
    pub(super) fn view(&self, shape: &Shape) -> Result<View, TransformError> {
        let fields = self.columns.iter().map(|column| lower(&column.origin, shape)).collect();
        Ok(View { schema: self.schema()?, fields })
    }

    /// The flattened struct, read from an envelope's value.
    pub(super) fn value(&self, envelope: &Value) -> Value {
        Value::Struct(self.columns.iter().map(|column| read(&column.origin, envelope)).collect())
    }
}

/// The source of a view's field that corresponds to `origin`.
pub(super) fn lower(origin: &Origin, shape: &Shape) -> ViewSource {
    let name = |at: usize| shape.envelope.fields().get(at).map_or("", |field| &*field.name);
    match origin {
        Origin::Constant(value) => ViewSource::Constant(value.clone()),
        Origin::Root(at) => match name(*at) {
            "op" => ViewSource::Op,
            "ts_ms" => ViewSource::TsMs,
            "ts_us" => ViewSource::TsUs,
            "ts_ns" => ViewSource::TsNs,
            // A whole struct, which `Envelope::check_whole` lets through only when it is null.
            _ => ViewSource::Constant(Value::Null),
        },
        Origin::Nested(outer, inner, default) => {
            let place = shape.cells.get(*inner).copied().unwrap_or(u16::MAX);
            match (name(*outer), default) {
                ("before", None) => ViewSource::Before(place),
                ("before", Some(default)) => ViewSource::BeforeOr(place, default.clone()),
                ("after", None) => ViewSource::After(place),
                ("after", Some(default)) => ViewSource::AfterOr(place, default.clone()),
                ("source", _) => ViewSource::Source(*inner as u16),
                ("transaction", _) => {
                    match shape.envelope.fields()[*outer].schema.fields().get(*inner).map_or("", |field| &*field.name) {
                        "id" => ViewSource::TransactionId,
                        "total_order" => ViewSource::TotalOrder,
                        "data_collection_order" => ViewSource::CollectionOrder,
                        _ => ViewSource::Constant(Value::Null),
                    }
                }
                _ => ViewSource::Constant(Value::Null),
            }
        }
    }
}

/// Reads what `origin` names from an envelope's value.
pub(super) fn read(origin: &Origin, envelope: &Value) -> Value {
    let field = |of: &Value, at: usize| match of {
        Value::Struct(values) => values.get(at).cloned().unwrap_or(Value::Null),
        _ => Value::Null,
    };
    match origin {
        Origin::Constant(value) => value.clone(),
        Origin::Root(at) => field(envelope, *at),
        Origin::Nested(outer, inner, default) => match field(&field(envelope, *outer), *inner) {
            // The default replaces a null field, but not a field of a struct that is itself null.
            Value::Null if field(envelope, *outer) != Value::Null => default.clone().unwrap_or(Value::Null),
            value => value,
        },
    }
}
