//! Heartbeats: records that move the stored position while no captured table changes.

use std::sync::Arc;
use std::time::Duration;

use record::{Event, Kind, Position, Schema, Value};
use tokio::time::Instant;

use crate::{Adjustment, TopicNaming, adjust_schema_name};

/// Decides when a heartbeat is due, and makes its record.
#[derive(Debug)]
pub struct Heartbeat {
    interval: Duration,
    next: Instant,
    topic: Arc<str>,
    server: String,
    key: Arc<Schema>,
    value: Arc<Schema>,
}

impl Heartbeat {
    /// Heartbeats every `interval`; `None` when `interval` is zero, which switches heartbeats off.
    pub fn new(interval: Duration, naming: &TopicNaming, adjust: Adjustment) -> Option<Self> {
        if interval.is_zero() {
            return None;
        }
        let named = |name: &str, field: &str, kind: Kind| {
            Schema::of(Kind::structure([(field, Schema::of(kind).build())]))
                .named(&adjust_schema_name(adjust, name), Some(1))
                .build()
        };
        Some(Self {
            interval,
            next: Instant::now() + interval,
            topic: naming.heartbeat().into(),
            server: naming.prefix.clone(),
            key: named("io.debezium.connector.common.ServerNameKey", "serverName", Kind::String),
            value: named("io.debezium.connector.common.Heartbeat", "ts_ms", Kind::Int64),
        })
    }

    /// When the next heartbeat is due.
    pub fn due(&self) -> Instant {
        self.next
    }

    /// The heartbeat record if one is due or `force` is true; `position` is stored once it is delivered.
    pub fn beat(&mut self, now_ms: i64, position: &Position, force: bool) -> Option<Event> {
        let now = Instant::now();
        if !force && now < self.next {
            return None;
        }
        self.next = now + self.interval;
        Some(Event {
            topic: Arc::clone(&self.topic),
            partition: Some(0),
            key: Some((Arc::clone(&self.key), Value::Struct(vec![Value::text(&self.server)]))),
            value: Some((Arc::clone(&self.value), Value::Struct(vec![Value::Int(now_ms)]))),
            has_context: false,
            position: Some(position.clone()),
        })
    }
}
