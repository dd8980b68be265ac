//! Where the server's binlog stands, and sets of GTIDs as the server computes them.

use super::{Sql, quoted_text};
use crate::Flavour;
use crate::error::Error;

/// Where the binlog ends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinlogStatus {
    /// Name of the file that is written now.
    pub file: String,
    /// Where the next event will begin in it, in bytes.
    pub position: u64,
    /// The transactions that the server has executed, as its own text without line feeds. MySQL: `Executed_Gtid_Set`, `None`
    /// where it is empty; MariaDB: `gtid_binlog_pos`.
    pub gtids: Option<String>,
}

/// A file of the binlog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BinlogFile {
    /// Its name.
    pub name: String,
    /// Its size in bytes.
    pub size_bytes: u64,
}

/// Where the first event of each file begins.
const FIRST_EVENT: u64 = 4;

/// Since this version the statement is `SHOW BINARY LOG STATUS`; since 8.4 the old one is gone.
const NEW_STATUS: (u16, u16, u16) = (8, 2, 0);

fn without_line_feeds(set: &str) -> Option<String> {
    Some(set.replace(['\n', '\r'], "")).filter(|set| !set.is_empty())
}

impl Sql {
    /// Where the binlog ends. Needs REPLICATION CLIENT (MariaDB: BINLOG MONITOR).
    pub async fn binlog_status(&mut self) -> Result<BinlogStatus, Error> {
        let doing = "reading where the binlog ends";
        let flavour = self.flavour();
        let is_new = flavour == Flavour::MySql && self.version() >= NEW_STATUS;
        let rows = self.query(doing, if is_new { "SHOW BINARY LOG STATUS" } else { "SHOW MASTER STATUS" }).await?;
        let Some(row) = rows.first() else {
            let at = self.connection.options().at();
            return Err(Error::Variable { at, name: "log_bin", found: "OFF".into(), wanted: "ON" });
        };
        let (Some(file), Some(position)) = (row.text(0).map(str::to_owned), row.number(1)) else {
            return Err(self.strange(doing, "the answer lacks a column"));
        };
        let gtids = match flavour {
            Flavour::MySql => row.text(4).and_then(without_line_feeds),
            Flavour::MariaDb => self.gtid_variable(doing, "gtid_binlog_pos").await?,
        };
        Ok(BinlogStatus { file, position, gtids })
    }

    /// The files of the binlog, oldest first. Needs REPLICATION CLIENT (MariaDB: BINLOG MONITOR).
    pub async fn binlog_files(&mut self) -> Result<Vec<BinlogFile>, Error> {
        let doing = "listing the binlog's files";
        let rows = self.query(doing, "SHOW BINARY LOGS").await?;
        let file =
            |row: &crate::wire::Row| Some(BinlogFile { name: row.text(0)?.to_owned(), size_bytes: row.number(1)? });
        let files: Option<Vec<_>> = rows.iter().map(file).collect();
        files.ok_or_else(|| self.strange(doing, "the answer lacks a column"))
    }

    /// The transactions that the server has executed (`gtid_executed`; MariaDB: `gtid_binlog_pos`); `None` for none.
    pub async fn gtid_executed(&mut self) -> Result<Option<String>, Error> {
        let name = if self.flavour() == Flavour::MySql { "gtid_executed" } else { "gtid_binlog_pos" };
        self.gtid_variable("reading the executed GTIDs", name).await
    }

    /// The transactions that are no longer in the binlog; `None` for none. MySQL: `gtid_purged`; MariaDB: the set that stands at
    /// the begin of the oldest file.
    pub async fn gtid_purged(&mut self) -> Result<Option<String>, Error> {
        if self.flavour() == Flavour::MySql {
            return self.gtid_variable("reading the purged GTIDs", "gtid_purged").await;
        }
        match self.binlog_files().await?.first() {
            Some(oldest) => self.gtids_at(&oldest.name, FIRST_EVENT).await,
            None => Ok(None),
        }
    }

    async fn gtid_variable(&mut self, doing: &str, name: &str) -> Result<Option<String>, Error> {
        let row = self.row(doing, &format!("SELECT @@GLOBAL.{name}")).await?;
        Ok(row.text(0).and_then(without_line_feeds))
    }

    /// `GTID_SUBTRACT` of MySQL: the transactions of `all` that are not in `less`; `None` for none.
    pub async fn gtid_subtract(&mut self, all: &str, less: &str) -> Result<Option<String>, Error> {
        let sql = format!("SELECT GTID_SUBTRACT({}, {})", quoted_text(all), quoted_text(less));
        let row = self.row("subtracting sets of GTIDs", &sql).await?;
        Ok(row.text(0).and_then(without_line_feeds))
    }

    /// `BINLOG_GTID_POS` of MariaDB: the set that stands at a position of a file; `None` if the server does not know it.
    pub async fn gtids_at(&mut self, file: &str, position: u64) -> Result<Option<String>, Error> {
        let sql = format!("SELECT BINLOG_GTID_POS({}, {position})", quoted_text(file));
        let row = self.row("reading the GTIDs at a position", &sql).await?;
        Ok(row.text(0).and_then(without_line_feeds))
    }
}
