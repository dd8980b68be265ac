//! TimescaleDB's catalogue: which chunk is a part of which hypertable, and which hypertable holds which aggregate.

use super::{Sql, TableName, get};
use crate::error::Error;

/// What TimescaleDB's catalogue says of chunks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChunkTables {
    /// Each chunk with its hypertable.
    pub hypertables: Vec<(TableName, TableName)>,
    /// Each hypertable that holds a continuous aggregate, with the view that users see.
    pub aggregates: Vec<(TableName, TableName)>,
}

const HYPERTABLES: &str = "SELECT c.schema_name, c.table_name, h.schema_name, h.table_name \
    FROM _timescaledb_catalog.chunk c JOIN _timescaledb_catalog.hypertable h ON c.hypertable_id = h.id";

const AGGREGATES: &str = "SELECT h.schema_name, h.table_name, a.user_view_schema, a.user_view_name \
    FROM _timescaledb_catalog.continuous_agg a JOIN _timescaledb_catalog.hypertable h ON a.mat_hypertable_id = h.id";

impl Sql {
    /// Reads TimescaleDB's catalogue.
    ///
    /// # Errors
    /// What the server answers, for example that there is no such table, because the extension is not there.
    pub async fn chunk_tables(&self) -> Result<ChunkTables, Error> {
        Ok(ChunkTables { hypertables: self.pairs(HYPERTABLES).await?, aggregates: self.pairs(AGGREGATES).await? })
    }

    async fn pairs(&self, sql: &str) -> Result<Vec<(TableName, TableName)>, Error> {
        let doing = "reading TimescaleDB's catalogue";
        let rows = self.rows(doing, sql, &[]).await?;
        let name =
            |row, at| Ok::<_, Error>(TableName { schema: get(row, at, doing)?, table: get(row, at + 1, doing)? });
        rows.iter().map(|row| Ok((name(row, 0)?, name(row, 2)?))).collect()
    }
}
