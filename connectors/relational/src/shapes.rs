//! Shapes of tables, from the columns and codecs that a connector has found.
//!
//! Here it is decided which columns are in a record's value and in its key (`column.include.list` and its kin,
//! `message.key.columns`), which rules act on them, and what the source block says. The connector plans the codecs of the
//! columns that are wanted, in between.
//!
//! Must not know: a database's types, how rows are encoded.

use std::collections::HashSet;
use std::sync::Arc;

use record::{Decode, DecodeError, Kind, Schema, Shape, Span, Value, ValueRef};
use settings::{JavaRegex, Reader, RegexError};

use crate::{
    Adjustment, Column, ColumnRules, SourceBlock, SourceContext, SourceType, Table, TableFilter, adjust_field_name,
};

/// One entry of `message.key.columns`: all entries that match a table add their columns, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MessageKey {
    /// Regex on `schema.table` (`database.table` where a database has no schemas).
    pub table: String,
    /// Regexes on the column's name.
    pub columns: Vec<String>,
}

impl MessageKey {
    /// Reads `message.key.columns`. The key's check has refused entries that are not of the form `table:column,…`.
    pub fn read_all(r: &mut Reader<'_>) -> Vec<Self> {
        r.text("message.key.columns").split(';').filter_map(Self::parse).collect()
    }

    fn parse(entry: &str) -> Option<Self> {
        let (table, columns) = entry.trim().split_once(':')?;
        let columns: Vec<_> = columns.split(',').map(|c| c.trim().to_owned()).filter(|c| !c.is_empty()).collect();
        (!columns.is_empty()).then(|| Self { table: table.trim().to_owned(), columns })
    }
}

/// Makes the shapes of all tables of a connector.
#[derive(Debug)]
pub struct Shapes {
    context: SourceContext,
    filter: TableFilter,
    source: SourceBlock,
    /// `message.key.columns`: patterns on `schema.table.column`, in the order of the property.
    message_keys: Vec<JavaRegex>,
    rules: ColumnRules,
    /// What has been warned of, so that each warning has one line in the log and not one for each reconnect.
    warned: HashSet<String>,
}

/// A table whose shape is being made.
#[derive(Debug)]
pub struct Draft {
    /// `schema.table`, for messages.
    pub name: String,
    table: Table,
    /// The key's columns, in key order: those that `message.key.columns` asks for, else the table's own.
    key: Vec<String>,
    /// The wire columns of the key, in key order.
    wire_key: Vec<u16>,
}

/// Where a column goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Use {
    /// It is in the record's key.
    pub in_key: bool,
    /// It is in the record's value.
    pub in_value: bool,
}

impl Use {
    /// Whether the column is captured at all.
    pub fn is_any(self) -> bool {
        self.in_key || self.in_value
    }
}

/// A finished shape, and what of its making is of use later.
#[derive(Debug)]
pub struct Shaped {
    /// The shape.
    pub shape: Arc<Shape>,
    /// The wire columns that make the message key, in key order.
    pub wire_key: Vec<u16>,
    /// The captured columns, in the order of the cells that the decoder gives.
    pub table: Table,
}

impl Shapes {
    /// Compiles `message_keys`.
    ///
    /// # Errors
    /// The complaint about the first regex that does not compile. Validation refuses such a config before.
    pub fn new(
        context: SourceContext,
        filter: TableFilter,
        source: SourceBlock,
        message_keys: &[MessageKey],
        rules: ColumnRules,
    ) -> Result<Self, RegexError> {
        let patterns = message_keys.iter().flat_map(|key| {
            key.columns.iter().map(|column| JavaRegex::new(&format!("(?:{})\\.(?:{column})", key.table)))
        });
        let message_keys = patterns.collect::<Result<_, _>>()?;
        Ok(Self { context, filter, source, message_keys, rules, warned: HashSet::new() })
    }

    /// Which tables and columns are captured.
    pub fn filter(&self) -> &TableFilter {
        &self.filter
    }

    /// The source block.
    pub fn source(&self) -> &SourceBlock {
        &self.source
    }

    /// Whether `field.name.adjustment.mode` changes names at all.
    pub fn adjusts_fields(&self) -> bool {
        self.context.field_names != Adjustment::None
    }

    /// What is wrong with a table of which two captured columns get the same field name. The text is Kafka Connect's.
    pub fn clash<'c>(&self, schema: &str, table: &str, columns: impl Iterator<Item = &'c str>) -> Option<String> {
        let mut seen = HashSet::new();
        let fields = columns.filter(|column| self.filter.column(schema, table, column));
        let mut fields = fields.map(|column| adjust_field_name(self.context.field_names, column));
        let twice = fields.find(|field| !seen.insert(field.clone()))?;
        Some(format!("Cannot create field because of field name duplication {twice}"))
    }

    /// Whether this is to be warned of: true the first time.
    pub fn warns(&mut self, what: String) -> bool {
        self.warned.insert(what)
    }

    /// Begins a table. `columns` are the names of its columns as its rows have them, `key` names those of its own key.
    pub fn begin(&self, schema: &str, table: &str, columns: &[&str], key: Vec<String>) -> Draft {
        let name = format!("{schema}.{table}");
        let asked = self.asked_key(&name, columns);
        let key = if asked.is_empty() { key } else { asked };
        let place = |key: &String| columns.iter().position(|column| column == key).map(|place| place as u16);
        let wire_key = key.iter().filter_map(place).collect();
        let table = Table { schema: schema.into(), name: table.into(), columns: Vec::new(), key: Vec::new() };
        Draft { name, table, key, wire_key }
    }

    /// The key's columns according to `message.key.columns`; empty if it says nothing of this table.
    fn asked_key(&self, name: &str, columns: &[&str]) -> Vec<String> {
        let matched = self.message_keys.iter().flat_map(|pattern| {
            columns.iter().filter(move |column| pattern.matches(&format!("{name}.{column}")).unwrap_or(false))
        });
        let mut own: Vec<String> = Vec::new();
        for column in matched {
            if !own.iter().any(|known| known == column) {
                own.push((*column).to_owned());
            }
        }
        own
    }

    /// Where a column of the table goes.
    pub fn use_of(&self, draft: &Draft, column: &str) -> Use {
        let Table { schema, name, .. } = &draft.table;
        let in_key = draft.key.iter().any(|key| key == column);
        Use { in_key, in_value: self.filter.column(schema, name, column) }
    }

    /// Adds a captured column: the next cell that the decoder gives. `plain` is the schema of its field before any rule.
    /// `source` is asked only if there are rules.
    pub fn add(
        &mut self,
        draft: &mut Draft,
        column: &str,
        in_value: bool,
        plain: &Arc<Schema>,
        source: impl FnOnce() -> SourceType,
    ) {
        let mut rule = None;
        if in_value && !self.rules.is_empty() {
            rule = self.rules.of(&draft.name, column, &source(), plain);
            if let Some(reason) = rule.as_ref().and_then(|rule| rule.why_in_clear)
                && self.warned.insert(format!("{}.{column} in clear", draft.name))
            {
                tracing::warn!(table = %draft.name, %column, reason, "values of a column that a mask or a hash matches are \
                    published in clear");
            }
        }
        draft.table.columns.push(Column { name: column.into(), schema: Arc::clone(plain), in_value, rule });
    }

    /// Makes the shape. `decode` turns a row of the table into one value for each column that was added, in order.
    ///
    /// # Errors
    /// When two columns get the same field name after adjustment. The text is Kafka Connect's.
    pub fn finish(&mut self, draft: Draft, mut decode: Box<dyn Decode>) -> Result<Shaped, String> {
        let Draft { mut table, key, wire_key, .. } = draft;
        let place = |key: &String| table.columns.iter().position(|column| *column.name == **key);
        table.key = key.iter().filter_map(place).collect();
        if let Some((name, value)) = self.context.naming.key_field(&table.schema, &table.name) {
            table.key.push(table.columns.len());
            let schema = Schema::of(Kind::String).build();
            table.columns.push(Column { name: name.into(), schema, in_value: false, rule: None });
            decode = Box::new(Tagged { row: decode, tag: Value::Text(value) });
        }
        let source = self.source.of(&table.schema, &table.name);
        let shape = self.context.shape(&table, source, decode)?;
        Ok(Shaped { shape: Arc::new(shape), wire_key, table })
    }
}

/// Decodes a row, and adds a value at its end that is the same for all rows of the table.
struct Tagged {
    row: Box<dyn Decode>,
    tag: Value,
}

impl Decode for Tagged {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        self.row.row(buffer, spans, out)?;
        out.push(ValueRef::Shared(&self.tag));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn message_keys() {
        #[track_caller]
        fn check(entry: &str, expect: Option<(&str, &[&str])>) {
            let key = |(table, columns): (&str, &[&str])| MessageKey {
                table: table.to_owned(),
                columns: columns.iter().map(|&column| column.to_owned()).collect(),
            };
            assert_eq!(MessageKey::parse(entry), expect.map(key));
        }
        check(" public.a:id, k ", Some(("public.a", &["id", "k"])));
        check("", None);
    }
}
