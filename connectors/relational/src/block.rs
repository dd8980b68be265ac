//! The source block of a connector: its fields, and those of them that name the table.

use std::sync::Arc;

use record::{Kind, Schema, SourceField, SourceShape};

use crate::envelope::{snapshot_field, source_struct};

/// Where a field of the source block comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BlockField {
    /// The first part of a table's name: its schema, or its database where a database has no schemas.
    Schema,
    /// The table's name without that part.
    Table,
    /// The same for all tables.
    Of(SourceField),
}

/// The source block of a connector, of which each table has its own copy.
#[derive(Clone, Debug)]
pub struct SourceBlock {
    schema: Arc<Schema>,
    fields: Vec<BlockField>,
}

/// The name, schema and origin of a field.
pub type NamedField = (&'static str, Arc<Schema>, BlockField);

impl SourceBlock {
    /// The block with this schema name, `io.debezium.connector.<connector>.Source`.
    pub fn new(name: &str, fields: Vec<NamedField>) -> Self {
        let (schemas, origins): (Vec<_>, Vec<_>) =
            fields.into_iter().map(|(name, schema, field)| ((name, schema), field)).unzip();
        Self { schema: source_struct(name, schemas), fields: origins }
    }

    /// The block of a table's changes. Both names are empty for a record that belongs to no table.
    pub fn of(&self, schema: &str, table: &str) -> SourceShape {
        let field = |field: &BlockField| match field {
            BlockField::Schema => SourceField::Text(schema.into()),
            BlockField::Table => SourceField::Text(table.into()),
            BlockField::Of(field) => field.clone(),
        };
        SourceShape { schema: Arc::clone(&self.schema), fields: self.fields.iter().map(field).collect() }
    }
}

/// The fields with which the source blocks of all relational connectors begin, in Debezium's order.
#[derive(Clone, Debug)]
pub struct FirstFields<'a> {
    /// The release of Debezium whose records these equal.
    pub version: &'a str,
    /// The connector's name, such as `postgresql`.
    pub connector: &'a str,
    /// `topic.prefix`.
    pub name: &'a str,
    /// The database.
    pub db: BlockField,
    /// `sequence`.
    pub sequence: SourceField,
    /// The word of a position with the event's time in microseconds.
    pub ts_us: usize,
}

impl FirstFields<'_> {
    /// The fields.
    pub fn named(self) -> Vec<NamedField> {
        let Self { version, connector, name, db, sequence, ts_us } = self;
        let (string, int) = (Schema::of(Kind::String), Schema::of(Kind::Int64));
        let optional_int = || int.clone().optional().build();
        let text = |text: &str| BlockField::Of(SourceField::Text(text.into()));
        vec![
            ("version", string.clone().build(), text(version)),
            ("connector", string.clone().build(), text(connector)),
            ("name", string.clone().build(), text(name)),
            ("ts_ms", int.clone().build(), BlockField::Of(SourceField::Millis(ts_us))),
            ("snapshot", snapshot_field(), BlockField::Of(SourceField::Snapshot)),
            ("db", string.clone().build(), db),
            ("sequence", string.optional().build(), BlockField::Of(sequence)),
            ("ts_us", optional_int(), BlockField::Of(SourceField::Micros(ts_us))),
            ("ts_ns", optional_int(), BlockField::Of(SourceField::Nanos(ts_us))),
        ]
    }
}
