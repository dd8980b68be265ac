//! Open transactions: which must be waited for, whose they are, and what a view sees of them.

use std::fmt;
use std::time::Duration;

use tokio::time::Instant;
use tokio_postgres::Row;
use tokio_postgres::types::Type;

use super::{Sql, get};
use crate::error::Error;

/// A transaction that has not ended, as far as this role may see it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OpenTransaction {
    /// Its 32-bit id; empty before it has one.
    pub xid: String,
    /// Id of the server's process that runs it; none for a prepared transaction.
    pub pid: Option<i32>,
    /// The database that it runs in.
    pub database: Option<String>,
    /// The name of a prepared transaction, for `COMMIT PREPARED` and `ROLLBACK PREPARED`.
    pub gid: Option<String>,
    /// The session's `application_name`.
    pub application: Option<String>,
    /// The session's state, such as `idle in transaction`.
    pub state: Option<String>,
    /// When it began, as the server writes it.
    pub since: Option<String>,
}

impl OpenTransaction {
    const COLUMNS: &str = "x.xid::text, a.pid, COALESCE(a.datname::text, p.database::text), p.gid, \
                           NULLIF(a.application_name, ''), a.state, \
                           pg_catalog.date_trunc('second', COALESCE(a.xact_start, p.prepared))::text";

    fn read(row: &Row, doing: &str) -> Result<Self, Error> {
        Ok(Self {
            xid: get::<Option<String>>(row, 0, doing)?.unwrap_or_default(),
            pid: get(row, 1, doing)?,
            database: get(row, 2, doing)?,
            gid: get(row, 3, doing)?,
            application: get(row, 4, doing)?,
            state: get(row, 5, doing)?,
            since: get(row, 6, doing)?,
        })
    }

    /// One text for messages: the transactions, then how to end one.
    pub(crate) fn listed(open: &[Self]) -> String {
        const SHOWN: usize = 5;
        let mut texts: Vec<_> = open.iter().take(SHOWN).map(ToString::to_string).collect();
        if open.len() > SHOWN {
            texts.push(format!("{} more", open.len() - SHOWN));
        }
        let mut sentences = vec![texts.join("; ")];
        if let Some(pid) = open.iter().find_map(|open| open.pid) {
            sentences.push(format!("A session that is not needed ends with SELECT pg_terminate_backend({pid})"));
        }
        if let Some(gid) = open.iter().find_map(|open| open.gid.as_deref()) {
            let gid = postgres_protocol::escape::escape_literal(gid);
            sentences.push(format!(
                "A prepared transaction that was forgotten ends with ROLLBACK PREPARED {gid} in its database"
            ));
        }
        sentences.join(". ")
    }
}

/// `pid 7 (database "app", application "psql", idle in transaction, since …)`. A prepared transaction is named by its gid.
impl fmt::Display for OpenTransaction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.pid, &self.gid) {
            (Some(pid), _) => write!(f, "pid {pid}")?,
            (None, Some(gid)) => write!(f, "prepared transaction '{gid}'")?,
            (None, None) => write!(f, "transaction {}", self.xid)?,
        }
        let quoted = |label: &str, text: &Option<String>| text.as_ref().map(|text| format!("{label} \"{text}\""));
        let known: Vec<_> = [
            quoted("database", &self.database),
            quoted("application", &self.application),
            self.state.clone(),
            self.since.as_ref().map(|since| format!("since {since}")),
        ]
        .into_iter()
        .flatten()
        .collect();
        if known.is_empty() { Ok(()) } else { write!(f, " ({})", known.join(", ")) }
    }
}

/// What a view of the database sees: `pg_current_snapshot()`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Visible {
    xmin: u64,
    xmax: u64,
    running: Vec<u64>,
}

/// As the server writes it, so that [`Visible::parse`] reads it.
impl fmt::Display for Visible {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:", self.xmin, self.xmax)?;
        for (index, xid) in self.running.iter().enumerate() {
            write!(f, "{}{xid}", if index == 0 { "" } else { "," })?;
        }
        Ok(())
    }
}

impl Visible {
    /// Reads `xmin:xmax:xip,xip…`.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(':');
        let (xmin, xmax) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        let mut running = Vec::new();
        for xid in parts.next()?.split(',').filter(|xid| !xid.is_empty()) {
            running.push(xid.parse().ok()?);
        }
        running.sort_unstable();
        Some(Self { xmin, xmax, running })
    }

    /// Whether the view sees what a committed transaction did. `xid` is the lower half of the transaction's 64-bit id, as the
    /// log has it. The upper half is found by taking the transaction to be less than 2^31 ids away from the view.
    pub(crate) fn sees(&self, xid: u32) -> bool {
        let ahead = xid.wrapping_sub(self.xmax as u32) as i32;
        if ahead >= 0 {
            return false;
        }
        let full = self.xmax.saturating_add_signed(i64::from(ahead));
        full < self.xmin || self.running.binary_search(&full).is_err()
    }
}

impl Sql {
    /// Open transactions that may have written to this database, the oldest first. Transactions of sessions in other
    /// databases cannot have written here and are left out.
    pub async fn writing_here(&self) -> Result<Vec<OpenTransaction>, Error> {
        let doing = "looking for open transactions";
        let columns = OpenTransaction::COLUMNS;
        let sessions = format!(
            "SELECT {columns} FROM pg_catalog.pg_stat_activity a CROSS JOIN LATERAL (SELECT a.backend_xid) x (xid) \
             LEFT JOIN pg_catalog.pg_prepared_xacts p ON false \
             WHERE a.backend_xid IS NOT NULL AND a.pid <> pg_catalog.pg_backend_pid() \
             AND (a.datname = pg_catalog.current_database() OR a.datid IS NULL OR a.datid = 0) \
             ORDER BY a.xact_start NULLS LAST, a.pid"
        );
        let prepared = format!(
            "SELECT {columns} FROM pg_catalog.pg_prepared_xacts p CROSS JOIN LATERAL (SELECT p.transaction) x (xid) \
             LEFT JOIN pg_catalog.pg_stat_activity a ON false \
             WHERE p.database = pg_catalog.current_database() ORDER BY p.prepared"
        );
        // Sessions first: a transaction that is prepared between the two queries is then found twice, and not never.
        let mut rows = self.rows(doing, &sessions, &[]).await?;
        rows.extend(self.rows(doing, &prepared, &[]).await?);
        rows.iter().map(|row| OpenTransaction::read(row, doing)).collect()
    }

    /// Transactions whose end the given process waits for, or which hold a lock that it waits for, the oldest first.
    pub async fn blockers_of(&self, pid: i32) -> Result<Vec<OpenTransaction>, Error> {
        let doing = "reading which transactions are waited for";
        let columns = OpenTransaction::COLUMNS;
        // A prepared transaction has no process. It is found by the id that is waited for, or by the locks that it holds.
        let sql = format!(
            "SELECT {columns} FROM unnest(pg_catalog.pg_blocking_pids($1)) b (pid) \
             JOIN pg_catalog.pg_stat_activity a ON a.pid = b.pid CROSS JOIN LATERAL (SELECT a.backend_xid) x (xid) \
             LEFT JOIN pg_catalog.pg_prepared_xacts p ON false \
             UNION \
             SELECT {columns} FROM pg_catalog.pg_locks w JOIN pg_catalog.pg_prepared_xacts p \
             ON p.transaction = w.transactionid OR w.relation IS NOT NULL AND EXISTS (SELECT 1 FROM pg_catalog.pg_locks h \
             WHERE h.granted AND h.pid IS NULL AND h.relation = w.relation AND h.database = w.database \
             AND h.virtualtransaction = '-1/' || p.transaction::text) \
             CROSS JOIN LATERAL (SELECT p.transaction) x (xid) LEFT JOIN pg_catalog.pg_stat_activity a ON false \
             WHERE w.pid = $1 AND NOT w.granted ORDER BY 7 NULLS LAST, 2"
        );
        let rows = self.rows(doing, &sql, &[(&pid, Type::INT4)]).await?;
        rows.iter().map(|row| OpenTransaction::read(row, doing)).collect()
    }

    /// Waits until other sessions see what a committed transaction did. Its commit is written to the log, and sent to us, a
    /// moment before that. Waits at most two seconds: if we are the synchronous standby that the commit waits for, the
    /// transaction cannot become visible before we confirm it.
    pub async fn wait_until_seen(&self, xid: u32) -> Result<(), Error> {
        const PAUSE: Duration = Duration::from_millis(5);
        let doing = "waiting for a transaction's end";
        // A transaction gives up the lock on its own id once its rows can be seen.
        let sql = format!(
            "SELECT count(*) FROM pg_catalog.pg_locks WHERE locktype = 'transactionid' AND mode = 'ExclusiveLock' AND granted \
             AND transactionid = '{xid}'::pg_catalog.xid"
        );
        let until = Instant::now() + Duration::from_secs(2);
        while get::<i64>(&self.row(doing, &sql, &[]).await?, 0, doing)? > 0 {
            if Instant::now() >= until {
                tracing::warn!(xid, "the database is read before a transaction that changed it can be seen");
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        Ok(())
    }

    /// What the present transaction's view sees; `None` on a standby, whose snapshots do not list the running transactions.
    pub async fn visible(&self) -> Result<Option<Visible>, Error> {
        let doing = "reading what the view sees";
        let sql = "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL \
                   ELSE pg_catalog.txid_current_snapshot()::text END";
        let text: Option<String> = get(&self.row(doing, sql, &[]).await?, 0, doing)?;
        Ok(text.as_deref().and_then(Visible::parse))
    }

    /// Whether any session is idle in a transaction.
    pub async fn any_idle_in_transaction(&self) -> Result<bool, Error> {
        let doing = "reading the sessions' states";
        let sql = "SELECT EXISTS (SELECT 1 FROM pg_catalog.pg_stat_activity WHERE state = 'idle in transaction' \
                   AND pid <> pg_catalog.pg_backend_pid())";
        get(&self.row(doing, sql, &[]).await?, 0, doing)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_waited_for() {
        #[track_caller]
        fn check(open: &[OpenTransaction], expect: &str) {
            assert_eq!(OpenTransaction::listed(open), expect);
        }
        let text = |text: &str| Some(text.to_owned());
        let session = OpenTransaction {
            pid: Some(7),
            database: text("app"),
            application: text("psql"),
            state: text("idle in transaction"),
            since: text("2026-01-01 00:00:00+00"),
            ..OpenTransaction::default()
        };
        let prepared = OpenTransaction { gid: text("it's"), database: text("other"), ..OpenTransaction::default() };
        let hidden = OpenTransaction { xid: "9".into(), ..OpenTransaction::default() };
        check(
            std::slice::from_ref(&session),
            "pid 7 (database \"app\", application \"psql\", idle in transaction, since 2026-01-01 00:00:00+00). A session \
             that is not needed ends with SELECT pg_terminate_backend(7)",
        );
        check(
            &[hidden.clone(), prepared],
            "transaction 9; prepared transaction 'it's' (database \"other\"). A prepared transaction that was forgotten ends \
             with ROLLBACK PREPARED 'it''s' in its database",
        );
        check(&vec![hidden; 7], "transaction 9; transaction 9; transaction 9; transaction 9; transaction 9; 2 more");
    }

    #[test]
    fn what_a_view_sees() {
        #[track_caller]
        fn check(view: &str, sees: &[u32], not: &[u32]) {
            let view = Visible::parse(view).unwrap();
            assert!(sees.iter().all(|xid| view.sees(*xid)), "{view:?} {sees:?}");
            assert!(!not.iter().any(|xid| view.sees(*xid)), "{view:?} {not:?}");
        }
        check("100:100:", &[3, 99], &[100, 101]);
        check("100:110:100,105", &[99, 101, 109], &[100, 105, 110, 111]);
        // After the 32-bit ids have wrapped around.
        check(
            "4294967290:4294967300:4294967290,4294967298",
            &[4_294_967_289, 4_294_967_295, 3],
            &[4_294_967_290, 2, 4],
        );
        check("8589934600:8589934600:", &[7, u32::MAX], &[8, 9]);
        for bad in ["", "1", "1:2", "1:2:x", "a:b:"] {
            assert_eq!(Visible::parse(bad), None, "{bad}");
        }
    }
}
