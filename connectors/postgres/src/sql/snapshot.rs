//! The transaction that a snapshot reads in, and COPY out of it.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use postgres_protocol::escape::escape_literal;

use super::Sql;
use super::tables::TableName;
use crate::error::Error;
use crate::wire::ConnectOptions;

/// Isolation of a snapshot that has no exported snapshot to import.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Isolation {
    /// Waits until it can run without conflict.
    Serializable,
    /// One view of all tables.
    #[default]
    RepeatableRead,
    /// Each statement its own view.
    ReadCommitted,
    /// In PostgreSQL the same as `ReadCommitted`.
    ReadUncommitted,
}

impl Isolation {
    fn sql(self) -> &'static str {
        match self {
            Self::Serializable => "BEGIN ISOLATION LEVEL SERIALIZABLE READ ONLY DEFERRABLE",
            Self::RepeatableRead => "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY",
            Self::ReadCommitted => "BEGIN ISOLATION LEVEL READ COMMITTED READ ONLY",
            Self::ReadUncommitted => "BEGIN ISOLATION LEVEL READ UNCOMMITTED READ ONLY",
        }
    }
}

/// A column of a statement's answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GivenColumn {
    /// Its name there.
    pub name: String,
    /// `pg_type.oid`.
    pub type_oid: u32,
    /// Length, precision and scale in the type's own code; -1 for none.
    pub typmod: i32,
}

/// An ordinary session inside a read-only transaction. Dropping it ends the transaction.
#[derive(Debug)]
pub struct SnapshotReader {
    sql: Sql,
    pid: i32,
}

impl SnapshotReader {
    /// Connects and begins. With `snapshot` (from a slot's creation) the transaction is REPEATABLE READ on that view,
    /// whatever `isolation` says; else the first question takes the view. Row-level security is off: a table whose policies
    /// would hide rows is an error (SQLSTATE 42501) instead of a part of it.
    pub async fn begin(options: &ConnectOptions, snapshot: Option<&str>, isolation: Isolation) -> Result<Self, Error> {
        let sql = Sql::connect(options).await?;
        let pid = sql.pid().await?;
        let isolation = if snapshot.is_some() { Isolation::RepeatableRead } else { isolation };
        sql.execute("beginning the snapshot's transaction", isolation.sql()).await?;
        if let Some(snapshot) = snapshot {
            let import = format!("SET TRANSACTION SNAPSHOT {}", escape_literal(snapshot));
            sql.execute(&format!("importing snapshot {snapshot}"), &import).await?;
        }
        sql.execute("turning row-level security off", "SET LOCAL row_security = off").await?;
        Ok(Self { sql, pid })
    }

    /// The session, for questions that must be answered from the same view.
    pub fn sql(&self) -> &Sql {
        &self.sql
    }

    /// The server's process of the session.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// `ACCESS SHARE` locks until the end of the transaction, each waited for no longer than `timeout_ms`. A table that is
    /// gone has none.
    pub async fn lock(&self, tables: &[TableName], timeout_ms: u64) -> Result<(), Error> {
        self.sql.execute("setting lock_timeout", &format!("SET LOCAL lock_timeout = {timeout_ms}")).await?;
        for table in tables {
            let doing = format!("locking {table} (snapshot.lock.timeout.ms={timeout_ms})");
            self.lock_one(&doing, table).await?;
        }
        Ok(())
    }

    /// The columns that a statement of the user's own gives, without running it. `doing` stands in errors.
    pub async fn describe(&self, doing: &str, statement: &str) -> Result<Vec<GivenColumn>, Error> {
        let prepared = self.sql.client.prepare(statement).await.map_err(|error| self.sql.failed(doing, error))?;
        let column = |column: &tokio_postgres::Column| GivenColumn {
            name: column.name().to_owned(),
            type_oid: column.type_().oid(),
            typmod: column.type_modifier(),
        };
        Ok(prepared.columns().iter().map(column).collect())
    }

    /// The lock that reading a table takes, until the end of the transaction; false when there is no table of this name.
    /// Takes no view. Waits for as long as somebody changes the table, within what [`SnapshotReader::lock`] set.
    pub async fn lock_if_there(&self, table: &TableName) -> Result<bool, Error> {
        self.lock_one(&format!("locking {table}"), table).await
    }

    async fn lock_one(&self, doing: &str, table: &TableName) -> Result<bool, Error> {
        // A statement that fails would end the transaction, and the view with it.
        let lock = format!("SAVEPOINT before; LOCK TABLE {} IN ACCESS SHARE MODE; RELEASE before", table.quoted());
        match self.sql.execute_patiently(doing, &lock).await {
            Ok(()) => Ok(true),
            Err(error) if matches!(error.sqlstate(), Some("42P01" | "3F000")) => {
                self.sql.execute(doing, "ROLLBACK TO before; RELEASE before").await?;
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Runs `COPY (…) TO STDOUT …` and gives what it sends, a CopyData message an item. A stream that ends without an
    /// error is whole. No other statement may run on this session meanwhile. `doing` stands in errors.
    pub async fn copy(
        &self,
        doing: &str,
        sql: &str,
    ) -> Result<impl Stream<Item = Result<Bytes, Error>> + Send + use<>, Error> {
        let stream = self.sql.client.copy_out(sql).await.map_err(|error| self.sql.failed(doing, error))?;
        let (doing, at) = (doing.to_owned(), self.sql.options().at());
        Ok(stream.map(move |item| item.map_err(|error| Error::from_sql(doing.as_str(), &at, error))))
    }

    /// Ends the transaction; nothing was written in it.
    pub async fn rollback(self) -> Result<(), Error> {
        self.sql.execute("ending the snapshot's transaction", "ROLLBACK").await
    }
}
