//! A reader of TimescaleDB's catalogue with a connection of its own, for a transform that has the connection's options among
//! its own.
//!
//! Must not know: the transform.

use settings::{Invalid, Properties};

use crate::config;
use crate::error::Error;
use crate::plugin::options_of;
use crate::session::Catalog;
use crate::sql::ChunkTables;

/// Reads TimescaleDB's catalogue. It connects at the first reading, and again after the connection was lost.
pub struct ChunkReader {
    catalog: Catalog,
}

impl ChunkReader {
    /// A reader that connects as the keys `database.*` and `driver.*` of these properties say. Other keys do not matter.
    ///
    /// # Errors
    /// All values of these keys that are refused.
    pub fn new(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        let connection = config::connection(properties)?;
        Ok(Self { catalog: Catalog::new(options_of(&connection, "Debezium TimescaleDB metadata")) })
    }

    /// Which chunk is a part of which hypertable, and which hypertable holds which aggregate.
    ///
    /// # Errors
    /// When the server cannot be reached or refuses, or when it has no TimescaleDB. The text names no secrets.
    pub async fn read(&mut self) -> Result<ChunkTables, Error> {
        match self.catalog.sql().await?.chunk_tables().await {
            // The connection is seldom used, and may have been lost long ago.
            Err(error) if error.is_transient() => {
                self.catalog.close();
                self.catalog.sql().await?.chunk_tables().await
            }
            read => read,
        }
    }
}

impl std::fmt::Debug for ChunkReader {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("ChunkReader").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options() {
        let reader = |pairs: &[(&str, &str)]| {
            let made = ChunkReader::new(&pairs.iter().copied().collect());
            made.map(|_| ()).map_err(|wrong| wrong.iter().map(|one| one.key.clone()).collect::<Vec<_>>())
        };
        let own = [("database.hostname", "h"), ("database.user", "u"), ("database.dbname", "d")];
        let with = |more: &[(&str, &str)]| reader(&[&own[..], more].concat());
        assert_eq!(with(&[("schema.list", "a"), ("snapshot.mode", "none of these")]), Ok(()));
        assert_eq!(with(&[("database.sslmode", "none of these")]), Err(vec!["database.sslmode".to_owned()]));
        assert_eq!(reader(&own[..1]), Err(vec!["database.user".to_owned(), "database.dbname".to_owned()]));
    }
}
