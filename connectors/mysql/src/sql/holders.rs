//! Whose statements a lock waits for.
//!
//! `FLUSH TABLES … WITH READ LOCK` of MySQL, of all tables or of some, marks them as old before it waits for the statements that
//! use them. From then on each new statement on such a table waits for the old one, however long that lasts, even when the FLUSH
//! itself was given up. So a snapshot looks for such statements before it locks.
//!
//! Sources: MySQL Reference Manual, "The table_handles Table", "The metadata_locks Table" and "The threads Table"; all three need
//! no more than SELECT on them. MariaDB Knowledge Base, "Information Schema PROCESSLIST Table".

use std::fmt;

use super::{Sql, TableLocks};
use crate::Flavour;
use crate::error::Error;
use crate::wire::Row;

/// How many sessions are named.
const NAMED: usize = 5;
/// How many locks of tables are looked through.
const LOOKED_AT: usize = 1000;
/// A session that has done the same for less than this is not worth a word, in seconds.
const LONG_S: u64 = 1;

/// A session that a lock waits for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Holder {
    /// The number by which KILL knows it.
    pub session: u64,
    /// Its account.
    pub user: String,
    /// For how long its statement has run, or for how long it has been idle within its transaction, in seconds.
    pub seconds: u64,
    /// One of the tables that it uses, as `database.table`, if the server tells.
    pub table: Option<String>,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "session {} of '{}' ({} s", self.session, self.user, self.seconds)?;
        match &self.table {
            Some(table) => write!(f, ", table {table})"),
            None => f.write_str(")"),
        }
    }
}

fn holder(row: &Row) -> Option<Holder> {
    let seconds = row.number(2)?;
    let (session, user) = (row.number(0)?, row.text(1).unwrap_or_default().to_owned());
    Some(Holder { session, user, seconds, table: row.text(3).map(str::to_owned) })
}

/// The tables that statements of MySQL use now.
const USED: &str = "SELECT OWNER_THREAD_ID AS owner, OBJECT_SCHEMA AS d, OBJECT_NAME AS t FROM performance_schema.table_handles WHERE \
                    OBJECT_TYPE = 'TABLE' AND EXTERNAL_LOCK IS NOT NULL";
/// The statements of MySQL that write, DDL too.
const WRITES: &str = "SELECT OWNER_THREAD_ID, NULL, NULL FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = 'GLOBAL' AND \
                      LOCK_TYPE = 'INTENTION_EXCLUSIVE' AND LOCK_STATUS = 'GRANTED'";
/// The tables to which a transaction of MySQL has written that is not over.
const WRITTEN: &str = "SELECT OWNER_THREAD_ID, OBJECT_SCHEMA, OBJECT_NAME FROM performance_schema.metadata_locks WHERE OBJECT_TYPE = \
                       'TABLE' AND LOCK_STATUS = 'GRANTED' AND LOCK_TYPE NOT IN ('SHARED', 'SHARED_HIGH_PRIO', 'SHARED_READ', \
                       'SHARED_READ_ONLY')";

impl Sql {
    /// The sessions of others whose statements a lock of the whole server waits for and that have run for a second at least, the
    /// longest first, no more than a few. MariaDB tells only of sessions of the same account, unless the account has PROCESS.
    ///
    /// # Errors
    /// Where the account may not read what the server knows of its locks.
    pub async fn holders_of_server(&mut self) -> Result<Vec<Holder>, Error> {
        if self.flavour() == Flavour::MySql {
            return self.holders(&format!("{USED} UNION ALL {WRITES}"), |_| true).await;
        }
        let sql = format!(
            "SELECT ID, USER, TIME, NULL FROM information_schema.PROCESSLIST WHERE ID <> CONNECTION_ID() AND COMMAND IN ('Query', \
             'Execute') AND TIME >= {LONG_S} AND STATE NOT LIKE 'Waiting for %' ORDER BY 3 DESC, 1 LIMIT {NAMED}"
        );
        let rows = self.query("looking for statements that a lock waits for", &sql).await?;
        Ok(rows.iter().filter_map(holder).collect())
    }

    /// As [`Sql::holders_of_server`], for a lock of these tables. Such a lock also waits for transactions that are idle and have
    /// written to one of the tables.
    ///
    /// # Errors
    /// Where the account may not read what the server knows of its locks.
    pub async fn holders_of_tables(&mut self, tables: TableLocks<'_>) -> Result<Vec<Holder>, Error> {
        if self.flavour() == Flavour::MariaDb {
            return self.holders_of_server().await;
        }
        let wanted = |name: &str| tables.iter().any(|(database, table)| name == format!("{database}.{table}"));
        self.holders(&format!("{USED} UNION ALL {WRITTEN}"), wanted).await
    }

    /// The sessions of MySQL that `owners` gives, each once, with one of the tables that `wanted` says; a session without a table is
    /// always wanted.
    async fn holders(&mut self, owners: &str, wanted: impl Fn(&str) -> bool) -> Result<Vec<Holder>, Error> {
        // Not the threads that apply what a replica is sent: their time is how far the replica is behind, not for how long they
        // have used the table. MySQL before 8.0.26 calls them slaves.
        let sql = format!(
            "SELECT p.PROCESSLIST_ID, p.PROCESSLIST_USER, p.PROCESSLIST_TIME, CONCAT(o.d, '.', o.t) FROM ({owners}) AS o JOIN \
             performance_schema.threads AS p ON p.THREAD_ID = o.owner WHERE p.PROCESSLIST_ID <> CONNECTION_ID() AND \
             p.NAME NOT LIKE 'thread/sql/replica%' AND p.NAME NOT LIKE 'thread/sql/slave%' AND \
             p.PROCESSLIST_TIME >= {LONG_S} ORDER BY 3 DESC, 1, 4 DESC LIMIT {LOOKED_AT}"
        );
        let rows = self.query("looking for sessions that a lock waits for", &sql).await?;
        let mut holders: Vec<Holder> = rows.iter().filter_map(holder).collect();
        holders.retain(|holder| holder.table.as_deref().is_none_or(&wanted));
        holders.dedup_by_key(|holder| holder.session);
        holders.truncate(NAMED);
        Ok(holders)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn how_a_session_is_named() {
        let mut holder = Holder { session: 17, user: "app".into(), seconds: 23, table: Some("d.t".into()) };
        assert_eq!(holder.to_string(), "session 17 of 'app' (23 s, table d.t)");
        holder.table = None;
        assert_eq!(holder.to_string(), "session 17 of 'app' (23 s)");
    }
}
