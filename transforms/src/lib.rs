//! Single message transforms (SMTs) and predicates: the chain between a connector and its converters.
//!
//! A transform gets a record whose payload is still raw cells, and should keep it so: it makes a [`View`](record::View) (an
//! output schema and where each value comes from) once for each input, found by [`Payload::id`](record::Payload::id), and then
//! only puts it in the place of the old one. Views compose: behind another transform the input is a view too. Only a
//! transform that computes new values makes owned ones, and only of the fields that it needs. Class names, keys, messages and
//! oddities are those of Kafka Connect and Debezium, because users bring their configs from there.
//!
//! Must not know: connectors, Kafka, converters.

mod activate_tracing_span;
mod by_logical_table_router;
mod cast;
mod chain;
mod connect_options;
mod connector;
mod content_based_router;
mod date_format;
mod decode_logical_message;
mod drop_headers;
mod enforce_record_size;
mod envelope;
mod error;
mod event_router;
#[cfg(test)]
mod example;
mod expand_json;
mod extract_changed_record_state;
mod extract_field;
mod extract_new_record_state;
mod extract_schema_to_new_record;
mod field_path;
mod filter;
mod flatten;
mod geometry;
mod half;
mod header_from;
mod header_to_value;
mod hoist_field;
#[cfg(any(test, feature = "fuzzing"))]
pub mod hostile;
mod insert_field;
mod insert_header;
mod java_number;
mod literal;
mod logical;
mod mask_field;
mod naming;
mod open_lineage;
mod options;
mod partition_routing;
mod predicate;
mod read_to_insert_event;
mod refused;
mod regex_router;
mod replace_field;
mod replaced;
mod requirements;
mod reshape;
mod schema_change_event_filter;
mod script;
mod script_filter;
mod scripting;
mod set_schema_metadata;
#[cfg(test)]
mod stock_tests;
mod structs;
mod table;
mod timescale_db;
mod timestamp_converter;
mod timestamp_router;
mod timezone_converter;
mod value_to_key;
mod vector_to_json;
mod walk;

use record::Record;

pub use self::chain::Chain;
pub use self::connector::{ChunkCatalog, Chunks, Connector, RecordSpan, RecordSpans, TableName, TraceContext};
pub use self::error::{Refusal, TransformError};
pub use self::predicate::{PREDICATES, Predicate, PredicateKind};
pub use self::refused::refused;
pub use self::replaced::replaced;
pub use self::table::{ALL, Kind, abstract_class, find};

/// One configured transform. [`apply`](Self::apply) takes `&mut self` because a chain belongs to one thread, so caches
/// need no locks.
pub trait Transform: Send {
    /// Transforms a record; returns `None` to drop it.
    ///
    /// # Errors
    /// When the record does not fit the transform's options, for example when a configured field does not exist.
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError>;

    /// Tells the transform whose records it will see, before the first of them.
    fn attach(&mut self, _: &Connector) {}
}
