//! The schemas of Kafka Connect's logical types.
//!
//! Must not know: any transform.

use std::sync::Arc;

use record::{Kind, Schema};

fn named(kind: Kind, name: &str, optional: bool) -> Arc<Schema> {
    let name = format!("org.apache.kafka.connect.data.{name}");
    Schema::of(kind).named(&name, Some(1)).optional_if(optional).build()
}

/// Days since 1970.
pub(crate) fn date(optional: bool) -> Arc<Schema> {
    named(Kind::Int32, "Date", optional)
}

/// Milliseconds since midnight.
pub(crate) fn time(optional: bool) -> Arc<Schema> {
    named(Kind::Int32, "Time", optional)
}

/// Milliseconds since 1970.
pub(crate) fn timestamp(optional: bool) -> Arc<Schema> {
    named(Kind::Int64, "Timestamp", optional)
}

/// A required decimal with this many digits behind the point.
pub(crate) fn decimal(scale: i32) -> Arc<Schema> {
    let name = "org.apache.kafka.connect.data.Decimal";
    Schema::of(Kind::Bytes).named(name, Some(1)).parameter("scale", &scale.to_string()).build()
}
