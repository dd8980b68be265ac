//! The transaction that a snapshot reads in, and COPY out of it.

use bytes::Bytes;
use futures_util::{Stream, StreamExt};
use postgres_protocol::escape::escape_literal;

use super::Sql;
use super::tables::TableName;
use crate::error::Error;
use crate::wire::ConnectOptions;

settings::choices! {
    /// `snapshot.isolation.mode`: isolation of a snapshot that has no exported snapshot to import.
    pub enum Isolation {
        /// SERIALIZABLE READ ONLY DEFERRABLE: waits until it can run without conflict, then has one view of all tables.
        Serializable = "serializable",
        /// One view of all tables.
        RepeatableRead = "repeatable_read",
        /// Each statement has its own view, so tables may be copied as they were at different moments.
        ReadCommitted = "read_committed",
        /// In PostgreSQL the same as `ReadCommitted`.
        ReadUncommitted = "read_uncommitted",
    }
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
    /// Name of the column in the answer.
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
    /// Connects and begins the transaction. With `snapshot` (from a slot's creation) it is REPEATABLE READ on that view,
    /// whatever `isolation` says; else the first query takes the view. Row-level security is off: reading a table whose
    /// policies would hide rows is an error (SQLSTATE 42501), not a copy with rows missing.
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

    /// The session, for queries that must be answered from the same view.
    pub fn sql(&self) -> &Sql {
        &self.sql
    }

    /// The id of the server's process for the session.
    pub fn pid(&self) -> i32 {
        self.pid
    }

    /// Locks the tables with `ACCESS SHARE` until the end of the transaction, waiting for each at most `timeout_ms`. A table
    /// that is gone is passed over.
    pub async fn lock(&self, tables: &[TableName], timeout_ms: u64) -> Result<(), Error> {
        self.sql.execute("setting lock_timeout", &format!("SET LOCAL lock_timeout = {timeout_ms}")).await?;
        for table in tables {
            let doing = format!("locking {table} (snapshot.lock.timeout.ms={timeout_ms})");
            self.lock_one(&doing, table).await?;
        }
        Ok(())
    }

    /// The columns that a user's SELECT gives, without running it. `doing` stands in errors.
    pub async fn describe(&self, doing: &str, statement: &str) -> Result<Vec<GivenColumn>, Error> {
        let prepared = self.sql.client.prepare(statement).await.map_err(|error| self.sql.failed(doing, error))?;
        let column = |column: &tokio_postgres::Column| GivenColumn {
            name: column.name().to_owned(),
            type_oid: column.type_().oid(),
            typmod: column.type_modifier(),
        };
        Ok(prepared.columns().iter().map(column).collect())
    }

    /// Takes the lock that reading a table takes (`ACCESS SHARE`), until the end of the transaction; false when there is no
    /// table of this name. The lock takes no view. It waits while another session alters the table, for as long as the
    /// `lock_timeout` lasts that [`SnapshotReader::lock`] has set.
    pub async fn lock_if_there(&self, table: &TableName) -> Result<bool, Error> {
        self.lock_one(&format!("locking {table}"), table).await
    }

    async fn lock_one(&self, doing: &str, table: &TableName) -> Result<bool, Error> {
        // In a savepoint, because a statement that fails would end the transaction, and the view with it.
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

    /// Runs `COPY (…) TO STDOUT …` and gives what it sends, one item for each CopyData message. A stream that ends without an
    /// error is complete. No other statement may run on this session meanwhile. `doing` stands in errors.
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
