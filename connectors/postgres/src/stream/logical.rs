//! Logical messages (`pg_logical_emit_message`) as records of their own topic.

use std::borrow::Cow;
use std::sync::Arc;

use record::{Event, Kind, NONE, Schema, SnapshotMark, SourceShape, Value};
use relational::values::binary::encoded;
use relational::{Adjustment, Patterns, adjust_schema_name, transaction_block};

use super::message::LogicalMessage;
use crate::config::BinaryMode;
use crate::position::{LSN, TS_US, TX_ID};

/// The topic of logical messages, its schemas, and which prefixes are wanted.
pub(crate) struct MessageTopic {
    topic: Arc<str>,
    key: Arc<Schema>,
    value: Arc<Schema>,
    source: SourceShape,
    include: Patterns,
    exclude: Patterns,
    binary: BinaryMode,
    with_transactions: bool,
}

impl MessageTopic {
    pub(crate) fn new(
        prefix: &str,
        adjust: Adjustment,
        source: SourceShape,
        (include, exclude): (Patterns, Patterns),
        binary: BinaryMode,
        with_transactions: bool,
    ) -> Self {
        let named = |name: &str| adjust_schema_name(adjust, &format!("io.debezium.connector.postgresql.{name}"));
        let text = Schema::of(Kind::String).optional().build();
        let content =
            Schema::of(if binary == BinaryMode::Bytes { Kind::Bytes } else { Kind::String }).optional().build();
        let message = Schema::of(Kind::structure([("prefix", Arc::clone(&text)), ("content", content)]))
            .named(&named("Message"), Some(1))
            .build();
        Self {
            // Always a dot, whatever topic.delimiter says, as in Debezium.
            topic: format!("{prefix}.message").into(),
            key: Schema::of(Kind::structure([("prefix", text)])).named(&named("MessageKey"), Some(1)).build(),
            value: Schema::of(Kind::structure([
                ("op", Schema::of(Kind::String).build()),
                ("ts_ms", Schema::of(Kind::Int64).optional().build()),
                ("source", Arc::clone(&source.schema)),
                ("transaction", transaction_block()),
                ("message", message),
            ]))
            .named(&named("MessageValue"), Some(1))
            .build(),
            source,
            include,
            exclude,
            binary,
            with_transactions,
        }
    }

    /// Whether messages of this prefix are wanted.
    pub(crate) fn wants(&self, prefix: &str) -> bool {
        if self.include.is_empty() { !self.exclude.matches(prefix) } else { self.include.matches(prefix) }
    }

    /// The record of a message. `orders` are its `total_order` and `data_collection_order` in the transaction.
    pub(crate) fn event(&self, message: LogicalMessage, orders: Option<(i64, i64)>, now_ms: i64) -> Event {
        let LogicalMessage { transactional, prefix, content, mut position, .. } = message;
        if position.words[TS_US] == NONE {
            // A message outside of a transaction has the time of the last commit. Before the first commit it gets the present.
            position.words[TS_US] = now_ms * 1000;
        }
        let content = encoded(Cow::Owned(content), self.binary).to_value();
        let transaction = match orders.filter(|_| transactional && self.with_transactions) {
            Some((total, collection)) => Value::Struct(vec![
                Value::Text(format!("{}:{}", position.words[TX_ID], position.words[LSN])),
                Value::Int(total),
                Value::Int(collection),
            ]),
            None => Value::Null,
        };
        let source = self.source.value(&position, SnapshotMark::Streamed);
        let value = Value::Struct(vec![
            Value::text("m"),
            Value::Int(now_ms),
            source,
            transaction,
            Value::Struct(vec![Value::text(&prefix), content]),
        ]);
        Event {
            topic: Arc::clone(&self.topic),
            partition: None,
            key: Some((Arc::clone(&self.key), Value::Struct(vec![Value::Text(prefix)]))),
            value: Some((Arc::clone(&self.value), value)),
            has_context: false,
            position: Some(position),
        }
    }
}
