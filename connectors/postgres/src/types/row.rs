//! Reading a row: the codecs of its columns, and the values that stand for what the log leaves out.

use std::sync::Arc;

use record::{Decode, DecodeError, Schema, Span, Value, ValueRef};
use relational::values::Unreadable;

use super::absent::{fallback, is_always_sent, unchanged};
use super::cell::{Cell, Form};
use super::default::default;
use super::plan::{ConvertFailure, Modes, Planned, finish};

/// One column's decoder.
#[derive(Clone, Debug)]
pub struct ColumnCodec {
    /// The column's name, for messages.
    pub name: Arc<str>,
    /// The field's schema.
    pub schema: Arc<Schema>,
    cell: Cell,
    form: Form,
    /// What stands for NULL and for a cell that is not in the row: null for a nullable column, else the column's default or
    /// the fallback of its type.
    null: Value,
    /// What stands for an unchanged value that the log does not carry; none for types that have no placeholder.
    unchanged: Option<Value>,
    unreadable: Unreadable,
}

/// Builds a column's codec for rows in the text form. [`ColumnCodec::copied`] makes it a codec for a snapshot's rows.
pub fn column_codec(
    name: &str,
    planned: &Planned,
    not_null: bool,
    default_expression: Option<&str>,
    modes: &Modes,
) -> ColumnCodec {
    let plain = finish(planned, !not_null, None);
    let default = default_expression
        .filter(|_| planned.has_default)
        .and_then(|expression| default(&planned.cell, &plain, expression));
    let schema = finish(planned, !not_null, default.clone());
    // Decided by the column's NOT NULL, not by schema.optional: PostGIS geometry is optional in the schema even when the column is NOT NULL.
    let null = if not_null { default.unwrap_or_else(|| fallback(&planned.cell, &schema)) } else { Value::Null };
    ColumnCodec {
        name: name.into(),
        unchanged: unchanged(&planned.cell, &schema, modes),
        cell: planned.cell.clone(),
        form: Form::Text,
        null,
        schema,
        unreadable: Unreadable { mode: modes.failure, meters: modes.meters.clone() },
    }
}

impl ColumnCodec {
    /// The codec of the same column for rows of a snapshot's COPY, which are binary.
    #[must_use]
    pub fn copied(mut self) -> Self {
        self.form = Form::Binary;
        self
    }

    /// The codec of the same column where a user's SELECT gives it in another type: the server prints the value as text, and
    /// `failure` says what becomes of a text that is not a value of the column's type.
    #[must_use]
    pub fn printed(mut self, failure: ConvertFailure) -> Self {
        self.form = Form::Text;
        self.unreadable.mode = failure;
        self
    }

    /// Whether a new row in the log may lack the column's value (an unchanged TOAST value).
    pub(crate) fn may_be_absent(&self) -> bool {
        !is_always_sent(&self.cell)
    }

    /// What the record shows for a value that the log does not carry; `None` for a type that has nothing to show.
    pub(crate) fn shown_when_absent(&self) -> Option<&Value> {
        self.unchanged.as_ref()
    }

    /// What the record shows for SQL NULL.
    pub(crate) fn shown_for_null(&self) -> &Value {
        &self.null
    }

    /// Whether these bytes are a value of the column.
    pub(crate) fn reads(&self, raw: &[u8]) -> bool {
        self.cell.read(self.form, raw).is_ok()
    }

    /// The expression that a snapshot selects for the column, given its quoted name.
    pub fn selected(&self, column: &str) -> String {
        self.cell.selected(column)
    }

    pub(super) fn failed(&self, reason: &'static str) -> Result<ValueRef<'_>, DecodeError> {
        self.unreadable.cell(&self.name, self.schema.optional, reason)
    }
}

/// Reads rows of a table: one codec for each captured cell.
#[derive(Clone, Debug)]
pub struct RowCodec {
    /// For each cell of the wire's row, in order, the codec of a captured column.
    columns: Vec<Option<ColumnCodec>>,
}

impl RowCodec {
    /// For rows of these cells; `None` stands for a cell that is on the wire but not captured.
    pub fn new(columns: Vec<Option<ColumnCodec>>) -> Self {
        Self { columns }
    }

    fn cell<'a>(column: &'a ColumnCodec, buffer: &'a [u8], span: Span) -> Result<ValueRef<'a>, DecodeError> {
        match span.bytes(buffer) {
            Some(raw) => match column.cell.read(column.form, raw) {
                Ok(value) => Ok(value),
                Err(reason) => column.failed(reason),
            },
            None if span == Span::UNCHANGED => match &column.unchanged {
                Some(value) => Ok(ValueRef::Shared(value)),
                None => column.failed(
                    "the value is stored out of line and unchanged, so the log does not carry it, and \
                    its type has no placeholder (REPLICA IDENTITY FULL would bring it)",
                ),
            },
            None if column.null == Value::Null => Ok(ValueRef::Null),
            None => Ok(ValueRef::Shared(&column.null)),
        }
    }
}

impl Decode for RowCodec {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        if spans.len() != self.columns.len() {
            return Err(DecodeError {
                column: "(row)".to_owned(),
                reason: format!("{} cells where the table has {}", spans.len(), self.columns.len()),
            });
        }
        for (column, span) in self.columns.iter().zip(spans) {
            if let Some(column) = column {
                out.push(Self::cell(column, buffer, *span)?);
            }
        }
        Ok(())
    }
}
