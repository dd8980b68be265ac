//! What is known of TimescaleDB's catalogue, read anew when a chunk is asked for that is not known.
//!
//! A chunk that the catalogue does not know either was dropped before its changes were seen. Debezium reads the catalogue for
//! each of these changes; here it is read again for such a chunk after a pause only.
//!
//! Must not know: records, SQL.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::{ChunkCatalog, Chunks, TableName};

/// How long the catalogue is not read again for a chunk that it does not know.
const PAUSE: Duration = Duration::from_secs(10);

/// What a chunk belongs to.
#[derive(Debug)]
pub(super) struct Target {
    /// Unique among all targets that the transform has had.
    pub(super) number: u64,
    pub(super) schema: String,
    pub(super) table: String,
    pub(super) topic: Arc<str>,
    /// Names and values of the headers.
    pub(super) headers: Vec<(&'static str, String)>,
}

/// What was found for a chunk.
#[derive(Debug)]
pub(super) enum Found {
    Target(Arc<Target>),
    /// The catalogue does not know the chunk.
    Nothing,
}

/// The catalogue as it was read last.
pub(super) struct Catalog {
    prefix: String,
    read: ChunkCatalog,
    /// What the chunks belong to, by schema and name.
    chunks: HashMap<String, HashMap<String, Arc<Target>>>,
    /// Chunks that the catalogue did not know, since when it was read last.
    unknown: HashSet<TableName>,
    read_at: Option<Instant>,
    numbers: u64,
}

impl std::fmt::Debug for Catalog {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Catalog").field("chunks", &self.chunks).finish_non_exhaustive()
    }
}

impl Catalog {
    /// An empty one; topics get the prefix.
    pub(super) fn new(prefix: String, read: ChunkCatalog) -> Self {
        let (chunks, unknown) = (HashMap::new(), HashSet::new());
        Self { prefix, read, chunks, unknown, read_at: None, numbers: 0 }
    }

    /// From now on this reads the catalogue.
    pub(super) fn read_with(&mut self, read: ChunkCatalog) {
        self.read = read;
    }

    fn known(&self, schema: &str, table: &str) -> Option<Found> {
        self.chunks.get(schema)?.get(table).map(|target| Found::Target(Arc::clone(target)))
    }

    /// What a chunk belongs to. The error says why the catalogue could not be read.
    pub(super) fn find(&mut self, schema: &str, table: &str) -> Result<Found, String> {
        if let Some(found) = self.known(schema, table) {
            return Ok(found);
        }
        let name: TableName = (schema.to_owned(), table.to_owned());
        let is_fresh = self.read_at.is_some_and(|at| at.elapsed() < PAUSE);
        if is_fresh && self.unknown.contains(&name) {
            return Ok(Found::Nothing);
        }
        self.reload()?;
        if let Some(found) = self.known(schema, table) {
            return Ok(found);
        }
        tracing::warn!("Unable to find hypertable for chunk '{schema}.{table}'");
        self.unknown.insert(name);
        Ok(Found::Nothing)
    }

    fn reload(&mut self) -> Result<(), String> {
        let Chunks { hypertables, aggregates } = (self.read)()?;
        if self.read_at.is_none_or(|at| at.elapsed() >= PAUSE) {
            self.unknown.clear();
        }
        self.read_at = Some(Instant::now());
        self.chunks.clear();
        let aggregates: HashMap<TableName, TableName> = aggregates.into_iter().collect();
        for (chunk, hypertable) in hypertables {
            let mut headers = vec![
                ("__debezium_timescaledb_chunk_table", chunk.1.clone()),
                ("__debezium_timescaledb_chunk_schema", chunk.0.clone()),
            ];
            let aggregate = aggregates.get(&hypertable).cloned();
            if aggregate.is_some() {
                headers.push(("__debezium_timescaledb_hypertable_table", hypertable.1.clone()));
                headers.push(("__debezium_timescaledb_hypertable_schema", hypertable.0.clone()));
            }
            let (schema, table) = aggregate.unwrap_or(hypertable);
            let topic = format!("{}.{schema}.{table}", self.prefix).into();
            self.numbers += 1;
            let target = Arc::new(Target { number: self.numbers, schema, table, topic, headers });
            self.chunks.entry(chunk.0).or_default().insert(chunk.1, target);
        }
        Ok(())
    }
}
