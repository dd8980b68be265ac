//! The server's version and settings, the session's role, the end of the log and the server's clock.

use super::{Sql, get};
use crate::error::Error;
use crate::lsn::Lsn;

/// What the server is and how it is set up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerFacts {
    /// `server_version_num`.
    pub version: u32,
    /// `wal_level`; streaming needs `logical`.
    pub wal_level: String,
    /// Encoding of the database, such as `UTF8`. The server sends us UTF-8 whatever it is.
    pub encoding: String,
    /// Whether the server is a standby.
    pub in_recovery: bool,
}

/// The role of this session, and what it may do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Role {
    /// `pg_roles.rolname`.
    pub name: String,
    /// Whether it may log in.
    pub can_login: bool,
    /// Whether it may stream; true also for superusers and members of the cloud providers' replication roles.
    pub can_replicate: bool,
    /// Whether it is a superuser.
    pub is_superuser: bool,
}

impl ServerFacts {
    /// Checks that the log can be decoded.
    ///
    /// # Errors
    /// [`Error::WalLevel`] when `wal_level` is not `logical`.
    pub fn check_wal_level(&self) -> Result<(), Error> {
        if self.wal_level == "logical" {
            return Ok(());
        }
        Err(Error::WalLevel { found: self.wal_level.clone() })
    }
}

impl Sql {
    /// Version, `wal_level`, encoding, standby or not: one round trip.
    pub async fn facts(&self) -> Result<ServerFacts, Error> {
        let doing = "reading the server's settings";
        let sql = "SELECT pg_catalog.current_setting('server_version_num')::int4, \
                   pg_catalog.current_setting('wal_level'), pg_catalog.pg_encoding_to_char(encoding)::text, \
                   pg_catalog.pg_is_in_recovery() \
                   FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";
        let row = self.row(doing, sql, &[]).await?;
        Ok(ServerFacts {
            version: get::<i32>(&row, 0, doing)? as u32,
            wal_level: get(&row, 1, doing)?,
            encoding: get(&row, 2, doing)?,
            in_recovery: get(&row, 3, doing)?,
        })
    }

    /// What this session's role may do.
    pub async fn role(&self) -> Result<Role, Error> {
        let doing = "reading the attributes of the role";
        let sql = "SELECT r.rolname::text, r.rolcanlogin, r.rolsuper, r.rolreplication OR r.rolsuper OR EXISTS \
                   (SELECT 1 FROM pg_catalog.pg_auth_members m JOIN pg_catalog.pg_roles b ON b.oid = m.roleid \
                   WHERE m.member = r.oid AND b.rolname IN ('rds_superuser', 'rdsadmin', 'rdsrepladmin', 'rds_replication')) \
                   FROM pg_catalog.pg_roles r WHERE r.rolname = current_user";
        let row = self.row(doing, sql, &[]).await?;
        Ok(Role {
            name: get(&row, 0, doing)?,
            can_login: get(&row, 1, doing)?,
            is_superuser: get(&row, 2, doing)?,
            can_replicate: get(&row, 3, doing)?,
        })
    }

    /// The end of the log that is written. On a standby the end of what was replayed, because a query sees no more than that.
    pub async fn current_lsn(&self) -> Result<Lsn, Error> {
        self.lsn("pg_current_wal_lsn").await
    }

    async fn lsn(&self, function: &str) -> Result<Lsn, Error> {
        let doing = "reading the end of the log";
        let sql = format!(
            "SELECT (CASE WHEN pg_catalog.pg_is_in_recovery() THEN pg_catalog.pg_last_wal_replay_lsn() \
             ELSE pg_catalog.{function}() END)::text"
        );
        let row = self.row(doing, &sql, &[]).await?;
        let text: Option<String> = get(&row, 0, doing)?;
        text.map_or(Ok(Lsn::INVALID), |text| {
            text.parse().map_err(|_| Error::Protocol { doing: doing.into(), reason: "not a position".into() })
        })
    }

    /// The end of the log, with what is not written out yet. On a standby the end of what was replayed.
    pub async fn insert_lsn(&self) -> Result<Lsn, Error> {
        self.lsn("pg_current_wal_insert_lsn").await
    }

    /// The id of the server's process for this session.
    pub async fn pid(&self) -> Result<i32, Error> {
        let doing = "asking for the session's process";
        get(&self.row(doing, "SELECT pg_catalog.pg_backend_pid()", &[]).await?, 0, doing)
    }

    /// The full 64-bit id of the present transaction, `None` on a standby. Assigns one.
    pub async fn current_xid(&self) -> Result<Option<u64>, Error> {
        let doing = "reading the transaction id";
        let function = if self.server_version() >= 130_000 { "pg_current_xact_id" } else { "txid_current" };
        let sql = format!(
            "SELECT CASE WHEN pg_catalog.pg_is_in_recovery() THEN NULL ELSE pg_catalog.{function}()::text::int8 END"
        );
        let row = self.row(doing, &sql, &[]).await?;
        Ok(get::<Option<i64>>(&row, 0, doing)?.map(|xid| xid as u64))
    }

    /// `CURRENT_TIMESTAMP` (the begin of the transaction) in microseconds since 1970 UTC.
    pub async fn current_timestamp_us(&self) -> Result<i64, Error> {
        let doing = "reading the server's clock";
        let sql = "SELECT (pg_catalog.date_part('epoch', pg_catalog.date_trunc('second', CURRENT_TIMESTAMP))::int8 * 1000000 \
                   + pg_catalog.date_part('microseconds', CURRENT_TIMESTAMP)::int8 \
                   - pg_catalog.trunc(pg_catalog.date_part('second', CURRENT_TIMESTAMP))::int8 * 1000000)";
        get(&self.row(doing, sql, &[]).await?, 0, doing)
    }
}
