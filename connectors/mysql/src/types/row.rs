//! Reading a row: the codecs of its columns.

use std::sync::Arc;

use record::{Decode, DecodeError, Schema, Span, Value, ValueRef};
use relational::values::Unreadable;

use super::cell::{Cell, Fault};
use super::default::default;
use super::form::{Form, fits};
use super::modes::Modes;
use super::plan::{Fallback, Planned};
use crate::binlog::WireColumn;
use crate::model::Column;

/// One column's decoder.
#[derive(Clone, Debug)]
pub struct ColumnCodec {
    /// The column's name, for messages.
    pub name: Arc<str>,
    /// The field's schema.
    pub schema: Arc<Schema>,
    cell: Cell,
    form: Form,
    /// What stands for NULL and for a zero date.
    null: Value,
    /// What stands for a date that the calendar does not have; none: the task stops.
    invalid_date: Option<Value>,
    unreadable: Unreadable,
}

/// Builds a column's codec for rows of a query's result in the text protocol.
pub fn column_codec(column: &Column, planned: &Planned, modes: &Modes) -> ColumnCodec {
    let fallback = planned.fallback.as_ref().map(|Fallback(value)| value);
    let is_optional = column.optional || fallback == Some(&Value::Null);
    let plain = planned.schema.clone().build();
    let default = default(column, &planned.cell, &plain);
    // A converter's fallback is the default wherever the table has one.
    let default = match (default, fallback) {
        (Some(_), Some(Value::Null)) | (None, _) => None,
        (Some(_), Some(value)) => Some(value.clone()),
        (own, None) => own,
    };
    let schema = planned.schema.clone().optional_if(is_optional).default(default.clone()).build();
    let null = match fallback {
        Some(value) => value.clone(),
        None if column.optional => Value::Null,
        None => default.unwrap_or_else(|| planned.cell.fallback(&schema)),
    };
    ColumnCodec {
        name: Arc::clone(&column.name),
        invalid_date: (!modes.stops_at_invalid_dates).then(|| planned.cell.fallback(&schema)),
        cell: planned.cell.clone(),
        form: Form::Text,
        null,
        schema,
        unreadable: Unreadable { mode: modes.failure, meters: modes.meters.clone() },
    }
}

impl ColumnCodec {
    /// The codec of the same column for rows of the binary protocol.
    #[must_use]
    pub fn of_protocol(mut self) -> Self {
        self.form = Form::Binary;
        self
    }

    /// The codec of the same column for rows of the binlog, whose table map gives it this type.
    ///
    /// # Errors
    /// When values of that type cannot be the column's: the table was changed by a statement that the connector has not seen.
    pub fn of_log(mut self, log: WireColumn) -> Result<Self, DecodeError> {
        if !fits(log, &self.cell) {
            let reason = format!(
                "the binlog's type number {} is not the type that the schema history has for the column; restart the \
                 connector with snapshot.mode=recovery",
                log.kind
            );
            return Err(DecodeError { column: self.name.to_string(), reason });
        }
        self.form = Form::Log(log);
        self.cell.in_utc();
        Ok(self)
    }

    /// What the record shows for SQL NULL.
    pub fn shown_for_null(&self) -> &Value {
        &self.null
    }

    /// The value of a cell with these bytes.
    ///
    /// # Errors
    /// When the bytes are not a value of the column, and the settings or the column's NOT NULL leave no other way.
    #[inline]
    pub fn read<'a>(&'a self, raw: &'a [u8]) -> Result<ValueRef<'a>, DecodeError> {
        self.read_as(self.form, raw)
    }

    /// Whether a text of a query's result, read in a session in UTC, is a value of the column.
    pub fn reads_text(&self, raw: &[u8]) -> bool {
        !matches!(self.cell.read(Form::Text, raw), Err(Fault::Value(_)))
    }

    #[inline]
    fn read_as<'a>(&'a self, form: Form, raw: &'a [u8]) -> Result<ValueRef<'a>, DecodeError> {
        match self.cell.read(form, raw) {
            Ok(ValueRef::Null) => Ok(self.null()),
            Ok(value) => Ok(value),
            Err(fault) => self.failed(fault),
        }
    }

    fn null(&self) -> ValueRef<'_> {
        if self.null == Value::Null { ValueRef::Null } else { ValueRef::Shared(&self.null) }
    }

    #[cold]
    fn failed(&self, fault: Fault) -> Result<ValueRef<'_>, DecodeError> {
        match (fault, &self.invalid_date) {
            (Fault::Value(reason), _) => {
                // Of all values only a JSON document has a stand-in, `{}`, where the column takes no null.
                let is_json = matches!(self.cell, Cell::Json);
                self.unreadable.cell(&self.name, self.schema.optional || is_json, reason)?;
                Ok(if is_json { self.null() } else { ValueRef::Null })
            }
            (Fault::Calendar, Some(value)) => Ok(ValueRef::Shared(value)),
            (Fault::Calendar, None) => Err(DecodeError {
                column: self.name.to_string(),
                reason: "a date that the calendar does not have; event.processing.failure.handling.mode=warn sends \
                    1970-01-01 in its place"
                    .to_owned(),
            }),
        }
    }
}

/// Reads rows of a table: one codec for each captured cell.
#[derive(Clone, Debug)]
pub struct RowCodec {
    /// The table's bare name, for messages.
    table: Arc<str>,
    /// For each cell of the wire's row, in order, the codec of a captured column.
    columns: Vec<Option<ColumnCodec>>,
}

/// The error for a row of another number of cells than the table has columns, in Debezium's words.
pub fn wrong_count(table: &str, columns: usize, cells: usize) -> String {
    format!(
        "Error processing row in {table}, internal schema size {columns}, but row size {cells} , restart connector with \
         schema recovery mode."
    )
}

impl RowCodec {
    /// For rows of these cells of `table`; `None` stands for a cell that is on the wire but not captured.
    pub fn new(table: Arc<str>, columns: Vec<Option<ColumnCodec>>) -> Self {
        Self { table, columns }
    }

    /// Reads a row of the log some of whose columns were read again: behind its own cells there are as many others, which hold
    /// texts of a query's result. In a row of a query so many cells are too many.
    #[cold]
    fn read_again<'a>(
        &'a self,
        buffer: &'a [u8],
        spans: &'a [Span],
        out: &mut Vec<ValueRef<'a>>,
    ) -> Result<(), DecodeError> {
        let count = self.columns.len();
        let is_of_log = self.columns.iter().flatten().all(|column| matches!(column.form, Form::Log(_)));
        if spans.len() != count * 2 || !is_of_log {
            return Err(self.incomplete(spans));
        }
        let (own, again) = spans.split_at(count);
        for (column, (own, again)) in self.columns.iter().zip(own.iter().zip(again)) {
            let Some(column) = column else { continue };
            let (form, span) = if *again == Span::MISSING { (column.form, own) } else { (Form::Text, again) };
            out.push(match span.bytes(buffer) {
                Some(raw) => column.read_as(form, raw)?,
                None if *span == Span::NULL => column.null(),
                None => return Err(self.incomplete(&spans[..count])),
            });
        }
        Ok(())
    }

    /// For each cell, the codec of a captured column.
    pub fn columns(&self) -> &[Option<ColumnCodec>] {
        &self.columns
    }

    #[cold]
    fn incomplete(&self, spans: &[Span]) -> DecodeError {
        let cells = spans.iter().filter(|span| **span != Span::MISSING).count();
        let mut reason = wrong_count(&self.table, self.columns.len(), cells);
        let left_out = self.columns.iter().zip(spans).filter(|(_, span)| **span == Span::MISSING);
        let left_out: Vec<&str> = left_out.filter_map(|(column, _)| Some(&*column.as_ref()?.name)).collect();
        if spans.len() == self.columns.len() && !left_out.is_empty() {
            // Known of MariaDB 11.8: with binlog_row_image=FULL, too, updates and deletes have no generated columns. Of those that are
            // known to be generated there is null by now.
            let left_out = left_out.join(", ");
            reason = format!(
                "{reason} The server's row image has no {left_out}: set binlog_row_image=FULL in the session that writes; \
                 MariaDB 11.8 leaves generated columns out of updates and deletes all the same: name them in \
                 column.exclude.list."
            );
        }
        DecodeError { column: "(row)".to_owned(), reason }
    }
}

impl Decode for RowCodec {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        if spans.len() != self.columns.len() {
            return self.read_again(buffer, spans, out);
        }
        for (column, span) in self.columns.iter().zip(spans) {
            let Some(column) = column else { continue };
            out.push(match span.bytes(buffer) {
                Some(raw) => column.read(raw)?,
                None if *span == Span::NULL => column.null(),
                // A row image that leaves columns out (binlog_row_image=MINIMAL), or a span beyond the buffer.
                None => return Err(self.incomplete(spans)),
            });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
