//! What the account may do.
//!
//! Sources: MySQL Reference Manual, "Privileges Provided by MySQL" and "SHOW GRANTS"; MariaDB Knowledge Base, "GRANT".

use std::collections::BTreeSet;

use super::{Sql, quoted};
use crate::Flavour;
use crate::error::Error;

/// What privileges are needed for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// To read the binlog.
    Stream,
    /// To hold up all writes for the begin of a snapshot.
    GlobalLock,
    /// To hold up writes to single tables, where the account may not hold up all.
    TableLocks,
}

/// A reader of the binlog, as it has registered itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Replica {
    /// Its `server_id`.
    pub server_id: u32,
    /// Its host, as it names itself; may be empty.
    pub host: String,
}

/// The privileges of an account.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Grants {
    /// Those on `*.*`, in upper case: `SELECT`, `RELOAD`, `ALL PRIVILEGES`.
    global: BTreeSet<String>,
    /// Those on a database or a table.
    narrower: BTreeSet<String>,
}

/// The global privileges that a purpose needs. Where several are listed together, one of them is enough; the first is named
/// when all are missing.
fn needed(purpose: Purpose, flavour: Flavour) -> &'static [&'static [&'static str]] {
    match (purpose, flavour) {
        (Purpose::Stream, Flavour::MySql) => &[&["REPLICATION SLAVE"], &["REPLICATION CLIENT"]],
        // MariaDB 10.5 gave REPLICATION CLIENT the name BINLOG MONITOR and lets those with REPLICATION SLAVE ADMIN list files.
        (Purpose::Stream, Flavour::MariaDb) => {
            &[&["REPLICATION SLAVE"], &["REPLICATION CLIENT", "BINLOG MONITOR", "SUPER"]]
        }
        (Purpose::GlobalLock, _) => &[&["RELOAD"]],
        (Purpose::TableLocks, Flavour::MySql) => &[&["LOCK TABLES"], &["RELOAD", "FLUSH_TABLES"]],
        (Purpose::TableLocks, Flavour::MariaDb) => &[&["LOCK TABLES"], &["RELOAD"]],
    }
}

impl Grants {
    /// Reads the lines of `SHOW GRANTS`.
    pub(crate) fn parse<'a>(lines: impl Iterator<Item = &'a str>) -> Self {
        let mut grants = Self::default();
        for line in lines {
            let Some(rest) = line.strip_prefix("GRANT ") else { continue };
            // A line without ON gives a role.
            let Some((privileges, on)) = rest.split_once(" ON ") else { continue };
            let is_global = on.starts_with("*.*");
            let target = if is_global { &mut grants.global } else { &mut grants.narrower };
            // Lists of columns stand in parentheses and may hold commas: `SELECT (a, b), INSERT`.
            let mut depth = 0_usize;
            for privilege in privileges.split(|letter: char| {
                match letter {
                    '(' => depth += 1,
                    ')' => depth = depth.saturating_sub(1),
                    _ => {}
                }
                letter == ',' && depth == 0
            }) {
                let name = privilege.split('(').next().unwrap_or_default().trim().to_ascii_uppercase();
                target.insert(if name == "ALL" { "ALL PRIVILEGES".into() } else { name });
            }
        }
        grants
    }

    /// Whether the account has a privilege on all databases.
    pub fn has_globally(&self, privilege: &str) -> bool {
        self.global.contains("ALL PRIVILEGES") || self.global.contains(privilege)
    }

    /// Whether the account has a privilege anywhere: what Debezium asks of LOCK TABLES.
    pub fn has_anywhere(&self, privilege: &str) -> bool {
        self.has_globally(privilege) || self.narrower.contains("ALL PRIVILEGES") || self.narrower.contains(privilege)
    }

    /// What is missing for a purpose, as GRANT names it. LOCK TABLES may be granted on the captured databases only, so it
    /// counts wherever it is.
    pub fn missing(&self, purpose: Purpose, flavour: Flavour) -> Vec<&'static str> {
        let has =
            |name: &&&str| if **name == "LOCK TABLES" { self.has_anywhere(name) } else { self.has_globally(name) };
        let lacking = needed(purpose, flavour).iter().filter(|any| !any.iter().any(|name| has(&name)));
        lacking.filter_map(|any| any.first().copied()).collect()
    }
}

impl Sql {
    /// The privileges of the account, with those of its active roles.
    pub async fn grants(&mut self) -> Result<Grants, Error> {
        let doing = "reading the privileges of the account";
        // Without a user's name the answer has the privileges of the active roles too.
        let rows = self.query(doing, "SHOW GRANTS").await?;
        Ok(Grants::parse(rows.iter().filter_map(|row| row.text(0))))
    }

    /// The account that this session has, as GRANT names it: `'user'@'host'`. It may be another one than the configuration
    /// names: the server takes the entry that fits the client's host best.
    pub async fn account(&mut self) -> Result<String, Error> {
        let row = self.row("asking for the account", "SELECT CURRENT_USER()").await?;
        let account = row.text(0).unwrap_or_default();
        let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
        let quoted = |text: &str| format!("'{}'", text.replace('\'', "''"));
        Ok(format!("{}@{}", quoted(user), quoted(host)))
    }

    /// Whether the account may read rows of a table. Reads none.
    ///
    /// # Errors
    /// Anything but the server's refusal.
    pub async fn may_read(&mut self, database: &str, table: &str) -> Result<bool, Error> {
        // A count needs any column's SELECT, and so it tells of a table of which some columns may be read that it can be read.
        let sql = format!("SELECT 1 FROM {} LIMIT 0", quoted(database, table));
        match self.query("trying whether a table may be read", &sql).await {
            Ok(_) => Ok(true),
            // 1142: the command is denied; 1044: the database is.
            Err(Error::Server { server, .. }) if matches!(server.number, 1142 | 1044) => Ok(false),
            // It may have been dropped, or be a table that cannot be opened at all: the task tells.
            Err(Error::Server { .. }) => Ok(true),
            Err(error) => Err(error),
        }
    }

    /// Who reads the binlog now and has registered. Needs REPLICATION SLAVE.
    pub async fn replicas(&mut self) -> Result<Vec<Replica>, Error> {
        let is_new = self.flavour() == Flavour::MySql && self.version() >= (8, 0, 22);
        let sql = if is_new { "SHOW REPLICAS" } else { "SHOW SLAVE HOSTS" };
        let rows = self.query("listing the replicas", sql).await?;
        let replica = |row: &crate::wire::Row| {
            let server_id = row.text(0)?.parse().ok()?;
            Some(Replica { server_id, host: row.text(1).unwrap_or_default().to_owned() })
        };
        Ok(rows.iter().filter_map(replica).collect())
    }

    /// Checks that the account may do what a purpose needs.
    ///
    /// # Errors
    /// [`Error::Privileges`] with what is missing.
    pub async fn check_grants(&mut self, purpose: Purpose) -> Result<(), Error> {
        let missing = self.grants().await?.missing(purpose, self.flavour());
        if missing.is_empty() {
            return Ok(());
        }
        let options = self.connection.options();
        Err(Error::Privileges { at: options.at(), user: options.user.clone(), missing })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(lines: &[&str], purpose: Purpose, flavour: Flavour, missing: &[&str]) {
        assert_eq!(Grants::parse(lines.iter().copied()).missing(purpose, flavour), missing, "{lines:?}");
    }

    #[test]
    fn what_is_missing() {
        let all = &["GRANT ALL PRIVILEGES ON *.* TO `root`@`localhost` WITH GRANT OPTION"][..];
        for flavour in [Flavour::MySql, Flavour::MariaDb] {
            check(all, Purpose::Stream, flavour, &[]);
            check(all, Purpose::TableLocks, flavour, &[]);
            check(
                &["GRANT USAGE ON *.* TO `c`@`%`"],
                Purpose::Stream,
                flavour,
                &["REPLICATION SLAVE", "REPLICATION CLIENT"],
            );
            check(&["GRANT SELECT ON *.* TO `c`@`%`"], Purpose::GlobalLock, flavour, &["RELOAD"]);
        }
        let cdc = &["GRANT SELECT, RELOAD, REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO `c`@`%`"][..];
        check(cdc, Purpose::Stream, Flavour::MySql, &[]);
        check(cdc, Purpose::TableLocks, Flavour::MySql, &["LOCK TABLES"]);
        let maria = &["GRANT REPLICATION SLAVE, BINLOG MONITOR ON *.* TO `c`@`%` IDENTIFIED BY PASSWORD '*0'"][..];
        check(maria, Purpose::Stream, Flavour::MariaDb, &[]);
        let narrow =
            &["GRANT FLUSH_TABLES ON *.* TO `c`@`%`", "GRANT SELECT (`a`, `b`), LOCK TABLES ON `d`.* TO `c`@`%`"];
        check(narrow, Purpose::TableLocks, Flavour::MySql, &[]);
        check(&["GRANT `r`@`%` TO `c`@`%`"], Purpose::GlobalLock, Flavour::MySql, &["RELOAD"]);
        check(&["GRANT RELOAD ON `d`.* TO `c`@`%`"], Purpose::GlobalLock, Flavour::MySql, &["RELOAD"]);
    }
}
