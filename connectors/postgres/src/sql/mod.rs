//! Ordinary connections and every query of the catalog.
//!
//! All of the connector's queries stand here, so that one place shows what a role must be allowed to read. They name the
//! schema of what they read and take values as parameters. Queries about tables ask for thousands of tables at once.
//!
//! Must not know: the replication protocol, what the answers are used for.

mod connect;
mod prerequisites;
mod reselect;
mod server;
mod slots;
mod snapshot;
mod tables;
mod timescale;
mod transactions;
mod types;

use postgres_protocol::escape::escape_identifier;
use tokio_postgres::Row;
use tokio_postgres::types::FromSql;

pub use connect::Sql;
pub use prerequisites::{Access, PublicationState, Rights, Room};
pub use reselect::{ByKey, KeyColumn};
pub use server::{Role, ServerFacts};
pub use slots::{PublicationInfo, SlotInfo, SlotReader};
pub use snapshot::{GivenColumn, Isolation, SnapshotReader};
pub use tables::{Column, Files, Table, TableKind, TableName};
pub use timescale::ChunkTables;
pub use transactions::{OpenTransaction, Visible};

use crate::error::Error;

/// `"schema"."table"`, quoted for SQL.
pub fn quoted(schema: &str, table: &str) -> String {
    format!("{}.{}", escape_identifier(schema), escape_identifier(table))
}

/// `"name"`, quoted for SQL.
pub fn quoted_name(name: &str) -> String {
    escape_identifier(name)
}

/// One column of a row.
fn get<'a, T: FromSql<'a>>(row: &'a Row, index: usize, doing: &str) -> Result<T, Error> {
    row.try_get(index).map_err(|error| Error::Protocol { doing: doing.into(), reason: error.to_string() })
}

/// One column of a row, of type `"char"`.
fn get_char(row: &Row, index: usize, doing: &str) -> Result<u8, Error> {
    Ok(get::<i8>(row, index, doing)? as u8)
}

#[cfg(test)]
mod tests {
    use super::quoted;

    #[test]
    fn quoting() {
        assert_eq!(quoted("public", "T\"x"), "\"public\".\"T\"\"x\"");
    }
}
