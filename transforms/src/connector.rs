//! What a transform may ask of the connector whose records pass through it. Most transforms need nothing but the record;
//! the few that need more get it from here, so that this crate knows no database and no clock.
//!
//! Must not know: which connectors there are, SQL.

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

/// The connector, as far as transforms may know it.
pub struct Connector {
    /// How many entries the two maps have together that Kafka Connect keeps with each record: the source partition and the
    /// source offset, the latter as Debezium would fill it for this position.
    pub origin_entries: fn(&Position) -> u32,
    /// Makes a reader of TimescaleDB's catalogue from the transform's own options (`database.*` and `driver.*`). It connects
    /// at the first call of the reader.
    pub chunks: Box<dyn Fn(&Properties) -> ChunkCatalog + Send + Sync>,
}

impl Default for Connector {
    /// A connector that has no TimescaleDB. Its records have the five entries in their maps that a change from PostgreSQL's
    /// stream has, and the one of the partition.
    fn default() -> Self {
        Self {
            origin_entries: |_| 6,
            chunks: Box::new(|_| Box::new(|| Err("the connector has no TimescaleDB".to_owned()))),
        }
    }
}

impl std::fmt::Debug for Connector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Connector").finish_non_exhaustive()
    }
}
