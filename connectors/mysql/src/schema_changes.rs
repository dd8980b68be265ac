//! The topic of schema changes (`include.schema.changes`): one record for each statement, or for each table of one.
//!
//! Must not know: the grammar of DDL, the binlog.

use std::sync::Arc;

use record::{Adjustment, Event, Kind, Position, Schema, SnapshotMark, SourceShape, Value, adjust_schema_name};

use crate::Flavour;
use crate::ddl::SchemaChange;
use crate::model::{ChangeKind, Column, Table, TableChange};

/// The topic and the schemas of its records.
#[derive(Debug)]
pub(crate) struct SchemaTopic {
    topic: Arc<str>,
    key: Arc<Schema>,
    value: Arc<Schema>,
}

/// What a record says besides the statement.
#[derive(Debug)]
pub(crate) struct Said<'a> {
    /// The source block, of the record's database and tables.
    pub(crate) source: &'a SourceShape,
    /// Where the statement stands.
    pub(crate) position: &'a Position,
    /// What `source.snapshot` says.
    pub(crate) mark: SnapshotMark,
    /// When the record is made, in milliseconds since 1970.
    pub(crate) ts_ms: i64,
}

fn text() -> Arc<Schema> {
    Schema::of(Kind::String).build()
}

fn optional(kind: Kind) -> Arc<Schema> {
    Schema::of(kind).optional().build()
}

fn list(item: Arc<Schema>) -> Arc<Schema> {
    Schema::of(Kind::Array(item)).optional().build()
}

/// The schema of a column, of a table and of a change.
fn change_schema() -> Arc<Schema> {
    let column = Schema::of(Kind::structure([
        ("name", text()),
        ("jdbcType", Schema::of(Kind::Int32).build()),
        ("nativeType", optional(Kind::Int32)),
        ("typeName", text()),
        ("typeExpression", optional(Kind::String)),
        ("charsetName", optional(Kind::String)),
        ("length", optional(Kind::Int32)),
        ("scale", optional(Kind::Int32)),
        ("position", Schema::of(Kind::Int32).build()),
        ("optional", optional(Kind::Bool)),
        ("autoIncremented", optional(Kind::Bool)),
        ("generated", optional(Kind::Bool)),
        ("comment", optional(Kind::String)),
        ("defaultValueExpression", optional(Kind::String)),
        ("enumValues", list(text())),
    ]))
    .named("io.debezium.connector.schema.Column", Some(1))
    .build();
    let table = Schema::of(Kind::structure([
        ("defaultCharsetName", optional(Kind::String)),
        ("primaryKeyColumnNames", list(text())),
        ("columns", Schema::of(Kind::Array(column)).build()),
        ("comment", optional(Kind::String)),
    ]))
    .optional()
    .named("io.debezium.connector.schema.Table", Some(1))
    .build();
    Schema::of(Kind::structure([("type", text()), ("id", text()), ("table", table)]))
        .named("io.debezium.connector.schema.Change", Some(1))
        .build()
}

impl SchemaTopic {
    /// The topic is named as the prefix of all others.
    pub(crate) fn new(flavour: Flavour, prefix: &str, adjust: Adjustment, source: &Arc<Schema>) -> Self {
        let named =
            |name: &str| adjust_schema_name(adjust, &format!("io.debezium.connector.{}.{name}", flavour.kind()));
        let key =
            Schema::of(Kind::structure([("databaseName", text())])).named(&named("SchemaChangeKey"), Some(1)).build();
        let value = Schema::of(Kind::structure([
            ("source", Arc::clone(source)),
            ("ts_ms", Schema::of(Kind::Int64).build()),
            ("databaseName", optional(Kind::String)),
            ("schemaName", optional(Kind::String)),
            ("ddl", optional(Kind::String)),
            ("tableChanges", Schema::of(Kind::Array(change_schema())).build()),
        ]))
        .named(&named("SchemaChangeValue"), Some(1))
        .build();
        Self { topic: prefix.into(), key, value }
    }

    /// The record of a change. It carries the position of its statement, which a restart reads again.
    pub(crate) fn event(&self, change: &SchemaChange, said: &Said<'_>) -> Event {
        let Said { source, position, mark, ts_ms } = said;
        let value = Value::Struct(vec![
            source.value(position, *mark),
            Value::Int(*ts_ms),
            Value::text(&change.database),
            Value::Null,
            Value::text(&change.ddl),
            Value::Array(change.changes.iter().map(change_value).collect()),
        ]);
        Event {
            topic: Arc::clone(&self.topic),
            partition: Some(0),
            key: Some((Arc::clone(&self.key), Value::Struct(vec![Value::text(&change.database)]))),
            value: Some((Arc::clone(&self.value), value)),
            has_context: true,
            position: Some((*position).clone()),
        }
    }
}

fn maybe(text: Option<&str>) -> Value {
    text.map_or(Value::Null, Value::text)
}

fn number(number: Option<i32>) -> Value {
    number.map_or(Value::Null, |number| Value::Int(number.into()))
}

fn texts(names: &[Arc<str>]) -> Value {
    Value::Array(names.iter().map(|name| Value::text(name)).collect())
}

fn change_value(change: &TableChange) -> Value {
    let kind = match change.kind {
        ChangeKind::Create => "CREATE",
        ChangeKind::Alter => "ALTER",
        ChangeKind::Drop => "DROP",
    };
    let id = format!("\"{}\".\"{}\"", change.id.database, change.id.table);
    let table = change.table.as_deref().map_or(Value::Null, table_value);
    Value::Struct(vec![Value::text(kind), Value::text(&id), table])
}

fn table_value(table: &Table) -> Value {
    let columns = (1_i32..).zip(&table.columns).map(|(place, column)| column_value(place, column)).collect();
    Value::Struct(vec![
        maybe(table.default_charset.as_deref()),
        texts(&table.primary_key),
        Value::Array(columns),
        maybe(table.comment.as_deref()),
    ])
}

fn column_value(place: i32, column: &Column) -> Value {
    Value::Struct(vec![
        Value::text(&column.name),
        Value::Int(column.jdbc_type.into()),
        Value::Null,
        Value::text(&column.type_name),
        Value::text(&column.type_name),
        maybe(column.charset.as_deref()),
        number(column.length),
        number(column.scale),
        Value::Int(place.into()),
        Value::Bool(column.optional),
        Value::Bool(column.auto_incremented),
        Value::Bool(column.generated),
        maybe(column.comment.as_deref()),
        maybe(column.default.as_deref()),
        if column.enum_values.is_empty() { Value::Null } else { texts(&column.enum_values) },
    ])
}
