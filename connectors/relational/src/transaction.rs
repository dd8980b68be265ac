//! Transaction metadata (`provide.transaction.metadata`): BEGIN and END records, and each event's number in its
//! transaction.

use std::sync::Arc;

use record::{Event, Kind, Position, Schema, TransactionMark, Value};

use crate::{Adjustment, TopicNaming, adjust_schema_name};

/// The topic of transaction metadata and the schemas of its records.
#[derive(Debug)]
pub struct TransactionTopic {
    topic: Arc<str>,
    key: Arc<Schema>,
    value: Arc<Schema>,
}

/// Counts the events of the transaction that is open.
#[derive(Debug, Default)]
pub struct Transactions {
    total: i64,
    tables: Vec<(Arc<str>, i64)>,
}

impl TransactionTopic {
    /// The topic and schemas of a connector.
    pub fn new(naming: &TopicNaming, adjust: Adjustment) -> Self {
        let named = |name: &str| adjust_schema_name(adjust, &format!("io.debezium.connector.common.{name}"));
        let (text, int) = (Schema::of(Kind::String).build(), Schema::of(Kind::Int64).build());
        let collection =
            Schema::of(Kind::structure([("data_collection", Arc::clone(&text)), ("event_count", Arc::clone(&int))]))
                .optional()
                .named("event.collection", Some(1))
                .build();
        Self {
            topic: naming.transaction().into(),
            key: Schema::of(Kind::structure([("id", Arc::clone(&text))]))
                .named(&named("TransactionMetadataKey"), Some(1))
                .build(),
            value: Schema::of(Kind::structure([
                ("status", Arc::clone(&text)),
                ("id", text),
                ("event_count", Schema::of(Kind::Int64).optional().build()),
                ("data_collections", Schema::of(Kind::Array(collection)).optional().build()),
                ("ts_ms", int),
            ]))
            .named(&named("TransactionMetadataValue"), Some(1))
            .build(),
        }
    }

    fn event(&self, id: &str, values: Vec<Value>, position: Option<Position>) -> Event {
        Event {
            topic: Arc::clone(&self.topic),
            partition: None,
            key: Some((Arc::clone(&self.key), Value::Struct(vec![Value::text(id)]))),
            value: Some((Arc::clone(&self.value), Value::Struct(values))),
            has_context: false,
            position,
        }
    }

    /// The BEGIN record. It carries no position: if its position were stored, a restart would skip the transaction's
    /// first event.
    pub fn begin(&self, id: &str, ts_ms: i64) -> Event {
        let values = vec![Value::text("BEGIN"), Value::text(id), Value::Null, Value::Null, Value::Int(ts_ms)];
        self.event(id, values, None)
    }

    /// The END record with the counts; it carries the commit's position.
    pub fn end(&self, id: &str, ts_ms: i64, counts: &Transactions, position: Position) -> Event {
        let tables = counts.tables.iter().map(|(table, n)| Value::Struct(vec![Value::text(table), Value::Int(*n)]));
        let values = vec![
            Value::text("END"),
            Value::text(id),
            Value::Int(counts.total),
            Value::Array(tables.collect()),
            Value::Int(ts_ms),
        ];
        self.event(id, values, Some(position))
    }
}

impl Transactions {
    /// Starts counting from zero, for a new transaction.
    pub fn reset(&mut self) {
        self.total = 0;
        self.tables.clear();
    }

    /// The tables of the counted events, with their numbers of events.
    pub fn tables(&self) -> impl Iterator<Item = (&Arc<str>, i64)> {
        self.tables.iter().map(|(table, count)| (table, *count))
    }

    /// Counts an event of `table`; returns its number in the transaction and its number among the events of this table,
    /// both from 1.
    pub fn count(&mut self, table: &Arc<str>) -> (i64, i64) {
        self.total += 1;
        let entry = if let Some(i) = self.tables.iter_mut().position(|(name, _)| name == table) {
            &mut self.tables[i]
        } else {
            self.tables.push((Arc::clone(table), 0));
            let last = self.tables.len() - 1;
            &mut self.tables[last]
        };
        entry.1 += 1;
        (self.total, entry.1)
    }

    /// Counts an event of `table` and returns its `transaction` block.
    pub fn mark(&mut self, id: String, table: &Arc<str>) -> TransactionMark {
        let (total_order, collection_order) = self.count(table);
        TransactionMark { id: id.into_boxed_str(), total_order, collection_order }
    }
}
