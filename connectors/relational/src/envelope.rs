//! The envelope: builds the schemas of a table's key, row and value, and records which cell each field comes from.

use std::sync::Arc;

use record::{Decode, Field, KeyShape, Kind, Schema, Shape, ShapeViews, SourceShape, Value};

use crate::column::{Applied, Treated};
use crate::{Adjustment, TopicNaming, adjust_field_name, adjust_schema_name};

/// A column of a captured table.
#[derive(Clone, Debug)]
pub struct Column {
    /// The column's name in the database.
    pub name: Arc<str>,
    /// The schema of the column's field, with optionality and default, before any rule.
    pub schema: Arc<Schema>,
    /// Whether the column is in the record's value. A key column is in the key in any case.
    pub in_value: bool,
    /// What a rule does to the column in the value. Rules do not act on the key.
    pub rule: Option<Applied>,
}

/// A captured table. The cells of its rows are in the order of `columns`.
#[derive(Clone, Debug)]
pub struct Table {
    /// The database schema that the table is in.
    pub schema: Arc<str>,
    /// The table's name, without the schema.
    pub name: Arc<str>,
    /// The captured columns and the key's columns.
    pub columns: Vec<Column>,
    /// Indices into `columns` of the key's columns, in key order; empty for a table without a key.
    pub key: Vec<usize>,
}

/// What the shapes of all tables of a connector depend on.
#[derive(Debug)]
pub struct SourceContext {
    /// Makes the topic names.
    pub naming: TopicNaming,
    /// `schema.name.adjustment.mode`.
    pub schema_names: Adjustment,
    /// `field.name.adjustment.mode`.
    pub field_names: Adjustment,
    transaction: Arc<Schema>,
}

impl SourceContext {
    /// A context without any shapes yet.
    pub fn new(naming: TopicNaming, schema_names: Adjustment, field_names: Adjustment) -> Self {
        Self { naming, schema_names, field_names, transaction: transaction_block() }
    }

    /// The shape of a table: its schemas, named after the topic, and the cell of each field.
    ///
    /// # Errors
    /// When two columns get the same field name after adjustment. The text is Kafka Connect's.
    pub fn shape(&mut self, table: &Table, source: SourceShape, decode: Box<dyn Decode>) -> Result<Shape, String> {
        let topic = self.naming.data(&table.schema, &table.name);
        let named = |suffix: &str| adjust_schema_name(self.schema_names, &format!("{topic}.{suffix}"));
        let field_name = |column: &Column| adjust_field_name(self.field_names, &column.name).into();
        let mut cells = Vec::new();
        let mut fields: Vec<Field> = Vec::new();
        let mut treated = Treated::new(decode);
        // The cell of each column for use in the key: for treated columns it is the original value behind the row.
        let mut key_cells: Vec<u16> = (0..table.columns.len() as u16).collect();
        let mut behind = table.columns.len() as u16;
        for (i, column) in table.columns.iter().enumerate().filter(|(_, column)| column.in_value) {
            let schema = match &column.rule {
                None => Arc::clone(&column.schema),
                Some(rule) => rule.schema(&column.schema),
            };
            let field = Field { name: field_name(column), schema };
            if fields.iter().any(|other| other.name == field.name) {
                return Err(format!("Cannot create field because of field name duplication {}", field.name));
            }
            fields.push(field);
            cells.push(i as u16);
            if let Some(treatment) = column.rule.as_ref().and_then(|rule| rule.treatment.clone()) {
                let is_in_key = table.key.contains(&i);
                treated.treat(i as u16, treatment, is_in_key);
                if is_in_key {
                    key_cells[i] = behind;
                    behind += 1;
                }
            }
        }
        let row = Schema::of(Kind::Struct(fields)).optional().named(&named("Value"), None).build();
        let in_key =
            |i: &usize| Field { name: field_name(&table.columns[*i]), schema: Arc::clone(&table.columns[*i].schema) };
        let key = (!table.key.is_empty()).then(|| KeyShape {
            schema: Schema::of(Kind::Struct(table.key.iter().map(in_key).collect())).named(&named("Key"), None).build(),
            cells: table.key.iter().map(|i| key_cells[*i]).collect(),
        });
        let time = Schema::of(Kind::Int64).optional().build();
        let envelope = Schema::of(Kind::structure([
            ("before", Arc::clone(&row)),
            ("after", Arc::clone(&row)),
            ("source", Arc::clone(&source.schema)),
            ("transaction", Arc::clone(&self.transaction)),
            ("op", Schema::of(Kind::String).build()),
            ("ts_ms", Arc::clone(&time)),
            ("ts_us", Arc::clone(&time)),
            ("ts_ns", Arc::clone(&time)),
        ]))
        .named(&named("Envelope"), Some(2))
        .build();
        Ok(Shape {
            table: format!("{}.{}", table.schema, table.name).into(),
            topic: topic.into(),
            key,
            row,
            envelope,
            cells,
            source,
            decode: treated.into_decode(),
            views: ShapeViews::default(),
        })
    }
}

/// The schema of an envelope's `transaction` block.
pub fn transaction_block() -> Arc<Schema> {
    let int = Schema::of(Kind::Int64).build();
    Schema::of(Kind::structure([
        ("id", Schema::of(Kind::String).build()),
        ("total_order", Arc::clone(&int)),
        ("data_collection_order", int),
    ]))
    .optional()
    .named("event.block", Some(1))
    .build()
}

/// The schema of the `snapshot` field of a source block.
pub fn snapshot_field() -> Arc<Schema> {
    Schema::of(Kind::String)
        .optional()
        .named("io.debezium.data.Enum", Some(1))
        .parameter("allowed", "true,first,first_in_data_collection,last_in_data_collection,last,false,incremental")
        .default(Some(Value::text("false")))
        .build()
}

/// The struct schema of a source block with these fields.
pub fn source_struct(name: &str, fields: Vec<(&str, Arc<Schema>)>) -> Arc<Schema> {
    Schema::of(Kind::structure(fields)).named(name, Some(1)).build()
}
