//! Ordinary connections and every query of the catalogue.
//!
//! Purpose: statements and the shapes of their answers stand in one place, so that it shows what an account must be allowed
//! to do. Names are quoted here; values are written in hexadecimal, which means the same under every `sql_mode`.
//!
//! Must not know: the binlog's events, records, what the answers are used for.

mod grants;
mod holders;
mod locks;
mod position;
mod prepared;
mod reselect;
mod server;
mod tables;

use std::time::Duration;

use tokio::time::timeout;

pub use grants::{Grants, Purpose, Replica};
pub use holders::Holder;
pub use locks::TableLocks;
pub use position::{BinlogFile, BinlogStatus};
pub use reselect::{ByKey, Unwritable};
pub use server::{Server, Version};
pub use tables::{Cascade, Database, TableListed};

use crate::error::Error;
use crate::wire::{ConnectOptions, Connection, Row, Rows};

/// An ordinary session. Closed when dropped.
#[derive(Debug)]
pub struct Sql {
    connection: Connection,
}

/// Run first on each ordinary connection: texts come in UTF-8, and numbers of seconds and identifiers as they are.
const PINNED: &[&str] = &["SET NAMES utf8mb4", "SET SESSION autocommit = 1"];

/// `` `name` ``, quoted for SQL.
pub fn quoted_name(name: &str) -> String {
    format!("`{}`", name.replace('`', "``"))
}

/// `` `database`.`table` ``, quoted for SQL.
pub fn quoted(database: &str, table: &str) -> String {
    format!("{}.{}", quoted_name(database), quoted_name(table))
}

/// A text for SQL, whatever the session's `sql_mode` is.
pub fn quoted_text(text: &str) -> String {
    format!("_utf8mb4 {}", quoted_bytes(text.as_bytes()))
}

/// Bytes for SQL, whatever the session's `sql_mode` is.
pub fn quoted_bytes(bytes: &[u8]) -> String {
    use std::fmt::Write as _;
    let mut out = String::with_capacity(bytes.len() * 2 + 3);
    out.push_str("x'");
    for byte in bytes {
        // Writing to a String cannot fail.
        let _ = write!(out, "{byte:02x}");
    }
    out.push('\'');
    out
}

impl Sql {
    /// Connects, logs in, pins the session's settings and runs `initial_statements`.
    pub async fn connect(options: &ConnectOptions) -> Result<Self, Error> {
        let mut sql = Self { connection: Connection::open(options).await? };
        for statement in PINNED {
            sql.execute("pinning the session's settings", statement).await?;
        }
        for (index, statement) in options.initial_statements.iter().enumerate() {
            let doing = format!("running statement {} of database.initial.statements", index + 1);
            sql.execute(&doing, statement).await?;
        }
        Ok(sql)
    }

    /// The connection below.
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// Runs a statement within `query_timeout_ms`; an error begins with `doing`.
    pub async fn execute(&mut self, doing: &str, sql: &str) -> Result<(), Error> {
        self.query(doing, sql).await.map(drop)
    }

    /// Runs a query within `query_timeout_ms` and gives all its rows; an error begins with `doing`.
    pub async fn query(&mut self, doing: &str, sql: &str) -> Result<Vec<Row>, Error> {
        let limit_ms = self.connection.options().query_timeout_ms;
        if limit_ms == 0 {
            return self.connection.query(doing, sql).await;
        }
        let answer = timeout(Duration::from_millis(limit_ms), self.connection.query(doing, sql)).await;
        if let Ok(answer) = answer {
            return answer;
        }
        self.cancel().await;
        let at = self.connection.options().at();
        Err(Error::QueryTimedOut { doing: doing.into(), at, after_ms: limit_ms })
    }

    /// The one row of a query that always has one.
    async fn row(&mut self, doing: &str, sql: &str) -> Result<Row, Error> {
        let row = self.query(doing, sql).await?.into_iter().next();
        row.ok_or_else(|| self.strange(doing, "the answer has no row"))
    }

    fn strange(&self, doing: &str, reason: &str) -> Error {
        Error::Protocol { doing: format!("{doing} at {}", self.connection.options().at()), reason: reason.into() }
    }

    /// Asks the server over another connection to end the running statement. Whether that succeeds does not matter, because
    /// this session is given up anyway: its answer was not read.
    async fn cancel(&self) {
        let (options, id) = (self.connection.options(), self.connection.greeting().connection_id);
        let killed = async {
            let mut other = Connection::open(options).await?;
            other.query("cancelling a statement", &format!("KILL QUERY {id}")).await?;
            other.close().await;
            Ok::<(), Error>(())
        };
        match timeout(Duration::from_millis(options.connect_timeout_ms), killed).await {
            Ok(Ok(())) => {}
            Ok(Err(error)) => tracing::debug!("a statement could not be cancelled: {error}"),
            Err(_) => tracing::debug!("a statement could not be cancelled in time"),
        }
    }

    /// Begins to read the rows of a query in place, in the text protocol, or in the binary one (`snapshot.fetch.size` above
    /// 0), which the server speaks for prepared statements. Not bounded in time.
    pub async fn rows(&mut self, doing: &str, sql: &str, is_binary: bool) -> Result<Rows<'_>, Error> {
        if is_binary { self.connection.binary_rows(doing, sql).await } else { self.connection.rows(doing, sql).await }
    }

    /// Says good-bye and closes the socket.
    pub async fn close(self) {
        self.connection.close().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting() {
        assert_eq!(quoted("d", "a`b"), "`d`.`a``b`");
        assert_eq!(quoted_text("a'\\ä"), "_utf8mb4 x'61275cc3a4'");
    }
}
