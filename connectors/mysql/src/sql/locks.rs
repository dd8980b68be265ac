//! Locks and transactions of a snapshot.
//!
//! Sources: MySQL Reference Manual, "FLUSH Statement", "LOCK TABLES", "START TRANSACTION"; Percona Server, "Backup Locks".

use super::{Sql, quoted};
use crate::Flavour;
use crate::error::Error;

/// How long the server waits for us to take the rows of a table, in seconds: a pipeline that is held up must not lose its
/// query. The server's default is a minute.
const NET_WRITE_TIMEOUT_S: u32 = 3600;

/// Tables of which writes are held up, for [`Sql::lock_tables`].
pub type TableLocks<'a> = &'a [(&'a str, &'a str)];

impl Sql {
    /// How long this session waits for locks, in seconds (`snapshot.lock.timeout.ms`).
    pub async fn lock_timeout(&mut self, seconds: u64) -> Result<(), Error> {
        let doing = "limiting how long locks are waited for";
        // The server takes one second at least.
        let seconds = seconds.max(1);
        self.execute(doing, &format!("SET SESSION lock_wait_timeout = {seconds}")).await?;
        self.execute(doing, &format!("SET SESSION innodb_lock_wait_timeout = {seconds}")).await
    }

    /// `FLUSH TABLES WITH READ LOCK`: holds up all writes of the server. Needs RELOAD.
    pub async fn lock_globally(&mut self) -> Result<(), Error> {
        self.execute("locking all tables for reading", "FLUSH TABLES WITH READ LOCK").await
    }

    /// `LOCK TABLES FOR BACKUP` of Percona Server: holds up DDL and writes to tables without transactions.
    pub async fn lock_for_backup(&mut self) -> Result<(), Error> {
        self.execute("locking tables for backup", "LOCK TABLES FOR BACKUP").await
    }

    /// `FLUSH TABLES … WITH READ LOCK`: holds up writes to these tables (database, table). Needs LOCK TABLES and RELOAD (or
    /// FLUSH_TABLES). Does nothing for no table, because without one the statement would lock all.
    pub async fn lock_tables(&mut self, tables: TableLocks<'_>) -> Result<(), Error> {
        if tables.is_empty() {
            return Ok(());
        }
        let names: Vec<String> = tables.iter().map(|(database, table)| quoted(database, table)).collect();
        self.execute("locking tables for reading", &format!("FLUSH TABLES {} WITH READ LOCK", names.join(", "))).await
    }

    /// Releases the locks of this session.
    pub async fn unlock(&mut self) -> Result<(), Error> {
        self.execute("releasing locks", "UNLOCK TABLES").await
    }

    /// Makes the session read tables as a copy must: without limits of time and rows that the server may set, texts of CHAR
    /// without the blanks that its `sql_mode` may add, and times in UTC, unless they are to be those of the server's zone.
    pub async fn prepare_reading(&mut self, in_utc: bool) -> Result<(), Error> {
        let doing = "preparing a session for reading tables";
        let limit = match self.flavour() {
            Flavour::MySql => "max_execution_time = 0",
            Flavour::MariaDb => "max_statement_time = 0",
        };
        let zone = if in_utc { ", time_zone = '+00:00'" } else { "" };
        let set = format!(
            "SET SESSION {limit}, net_write_timeout = {NET_WRITE_TIMEOUT_S}, sql_select_limit = {}, sql_mode = \
             REPLACE(@@SESSION.sql_mode, 'PAD_CHAR_TO_FULL_LENGTH', ''){zone}",
            u64::MAX
        );
        self.execute(doing, &set).await
    }

    /// Begins a transaction in which all reads see the state of this moment (REPEATABLE READ).
    pub async fn begin_reading(&mut self) -> Result<(), Error> {
        let doing = "beginning a transaction for reading";
        self.execute(doing, "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ").await?;
        self.execute(doing, "START TRANSACTION WITH CONSISTENT SNAPSHOT").await
    }

    /// Notes which tables the transaction has used up to here; see [`Sql::leave_tables`].
    pub async fn enter_tables(&mut self) -> Result<(), Error> {
        self.execute("beginning to read a table", "SAVEPOINT afterimage").await
    }

    /// Gives back the metadata locks of the tables that were read since [`Sql::enter_tables`], so that DDL need not wait for the
    /// end of the transaction. What the transaction sees stays as it is.
    pub async fn leave_tables(&mut self) -> Result<(), Error> {
        self.execute("ending to read a table", "ROLLBACK TO SAVEPOINT afterimage").await
    }

    /// Ends another session of the same account. It may have ended by itself, so errors do not matter.
    pub async fn end_session(&mut self, connection_id: u32) {
        if let Err(error) = self.execute("ending a session", &format!("KILL {connection_id}")).await {
            tracing::debug!(%error, "a session was not ended");
        }
    }

    /// Ends the transaction.
    pub async fn rollback(&mut self) -> Result<(), Error> {
        self.execute("ending a transaction", "ROLLBACK").await
    }

    /// Shows the server that this session lives.
    pub async fn ping(&mut self) -> Result<(), Error> {
        self.execute("keeping a session alive", "SELECT 1").await
    }
}
