//! What a transform may ask of the connector whose records pass through it. Most transforms need nothing but the record;
//! the few that need more get it from here, so that this crate knows no database and no clock.
//!
//! Must not know: which connectors there are, SQL.

use std::sync::Arc;

use record::Position;
use settings::Properties;

/// The schema and the name of a table or view.
pub type TableName = (String, String);

/// What TimescaleDB's catalogue says of its chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Chunks {
    /// Each chunk with the hypertable that it is a part of.
    pub hypertables: Vec<(TableName, TableName)>,
    /// Each hypertable that holds a continuous aggregate, with the view that users know the aggregate by.
    pub aggregates: Vec<(TableName, TableName)>,
}

/// Reads TimescaleDB's catalogue anew at each call, and waits for the database meanwhile. The error says what failed; it
/// names no secrets.
pub type ChunkCatalog = Box<dyn FnMut() -> Result<Chunks, String> + Send>;

/// A record of which a transform wants spans.
pub struct RecordSpan<'a> {
    /// The trace that the record belongs to, as W3C's `traceparent` says it.
    pub traceparent: Option<&'a str>,
    /// W3C's `tracestate`.
    pub tracestate: Option<&'a str>,
    /// The name of the inner span.
    pub operation: &'a str,
    /// When the source wrote the change, in milliseconds since 1970.
    pub written_ms: Option<i64>,
    /// When the record was made, in milliseconds since 1970.
    pub made_ms: Option<i64>,
    /// The letter of the change.
    pub op: Option<String>,
    /// What the outer span says of the source, by the attribute's name. Asked for only when the trace is recorded.
    pub of_source: &'a dyn Fn() -> Vec<(String, String)>,
}

/// Where a record is in its trace, for its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TraceContext {
    /// W3C's `traceparent`.
    pub traceparent: String,
    /// W3C's `tracestate`.
    pub tracestate: Option<String>,
}

/// Makes the spans of a record and says where the record is in its trace then.
pub type RecordSpans = Arc<dyn Fn(&RecordSpan<'_>) -> Option<TraceContext> + Send + Sync>;

/// The connector, as far as transforms may know it.
pub struct Connector {
    /// How many entries the two maps have together that Kafka Connect keeps with each record: the source partition and the
    /// source offset, the latter as Debezium would fill it for this position.
    pub origin_entries: fn(&Position) -> u32,
    /// Makes a reader of TimescaleDB's catalogue from the transform's own options (`database.*` and `driver.*`). It connects
    /// at the first call of the reader.
    pub chunks: Box<dyn Fn(&Properties) -> ChunkCatalog + Send + Sync>,
    /// Makes spans of records; none where the worker exports no traces.
    pub spans: Option<RecordSpans>,
}

impl Default for Connector {
    /// A connector that has no TimescaleDB. Its records have the five entries in their maps that a change from PostgreSQL's
    /// stream has, and the one of the partition.
    fn default() -> Self {
        Self {
            origin_entries: |_| 6,
            chunks: Box::new(|_| Box::new(|| Err("the connector has no TimescaleDB".to_owned()))),
            spans: None,
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}
