//! The lock under which a copy begins.
//!
//! Purpose: it is held by a connection of its own, so that it ends with that connection, on whichever way the copy ends, and so
//! that the statements of the copy are not bound by it: a session with locked tables may read no others.
//!
//! Must not know: what is read while writes are held up.

use std::time::Duration;

use relational::Outlet;
use tokio::time::{Instant, sleep};

use crate::Flavour;
use crate::config::SnapshotLocking;
use crate::error::Error;
use crate::model::TableId;
use crate::sql::{Holder, Sql, TableLocks};
use crate::wire::{ConnectOptions, Identity};

/// A lock that waits for a long statement holds up all that is written behind it. So it is given up after this many seconds, and
/// asked for again after [`PAUSE`], in which the writes that have gathered go on.
const TRY_S: u64 = 1;
const PAUSE: Duration = Duration::from_millis(500);
/// `ER_LOCK_WAIT_TIMEOUT`.
const WAITED: u16 = 1205;
/// Access denied: to a database, to the server (how RDS answers FLUSH), or for want of a privilege.
const DENIED: [u16; 3] = [1044, 1045, 1227];

/// Holds up writes until it is released or dropped.
#[derive(Debug)]
pub(super) struct Lock {
    /// `None` if nothing is locked.
    sql: Option<Sql>,
    is_of_tables: bool,
}

/// What is to be locked.
#[derive(Clone, Copy, Debug)]
enum Target<'a> {
    /// The whole server: `FLUSH TABLES WITH READ LOCK`.
    Server,
    /// `LOCK TABLES FOR BACKUP`, which waits for no statement that only reads.
    Backup,
    /// These tables.
    Tables(TableLocks<'a>),
}

impl Lock {
    /// Locks as the mode says: the whole server, or the captured tables where the account may not lock the server. Waits for
    /// at most `limit` (`snapshot.lock.timeout.ms`), and the task's status says meanwhile whom for. `None` when the connector is to
    /// stop.
    pub(super) async fn take(
        options: &ConnectOptions,
        locking: SnapshotLocking,
        limit: Duration,
        captured: &[TableId],
        outlet: &Outlet,
    ) -> Result<Option<Self>, Error> {
        if locking == SnapshotLocking::None {
            return Ok(Some(Self { sql: None, is_of_tables: false }));
        }
        let mut sql = Sql::connect(options).await?;
        if let Err(error) = sql.lock_timeout(TRY_S.min(limit.as_secs())).await {
            tracing::warn!(%error, "the time that locks are waited for could not be set");
        }
        let is_for_backup =
            matches!(locking, SnapshotLocking::MinimalPercona | SnapshotLocking::MinimalPerconaNoTableLocks);
        let mut waiting = Waiting { at: options.at(), limit, until: Instant::now() + limit, outlet, has_waited: false };
        let target = if is_for_backup { Target::Backup } else { Target::Server };
        match waiting.lock(&mut sql, target).await {
            Ok(is_locked) => return Ok(is_locked.then_some(Self { sql: Some(sql), is_of_tables: false })),
            Err(error) if !error.number().is_some_and(|number| DENIED.contains(&number)) => return Err(error),
            Err(_) if locking == SnapshotLocking::MinimalPerconaNoTableLocks => return Err(Error::NoTableLocks),
            Err(error) => {
                tracing::info!(%error, "writes of the whole server cannot be held up, so the captured tables are locked");
            }
        }
        if !sql.grants().await?.has_anywhere("LOCK TABLES") {
            return Err(Error::LockTables { at: options.at(), user: options.user.clone() });
        }
        let names: Vec<(&str, &str)> = captured.iter().map(|id| (&*id.database, &*id.table)).collect();
        let is_locked = waiting.lock(&mut sql, Target::Tables(&names)).await?;
        Ok(is_locked.then_some(Self { sql: Some(sql), is_of_tables: true }))
    }

    /// Whether only the tables that were given are locked: others may be made and written to.
    pub(super) fn is_of_tables(&self) -> bool {
        self.is_of_tables
    }

    /// See that it holds on this server.
    pub(super) async fn is_at(&mut self, own: &Identity) -> Result<(), Error> {
        match &mut self.sql {
            Some(sql) => sql.is_at(own).await,
            None => Ok(()),
        }
    }

    /// Releases the lock. Its connection is closed, so that even a session that does not answer cannot keep it.
    pub(super) async fn release(&mut self) -> Result<(), Error> {
        let Some(mut sql) = self.sql.take() else { return Ok(()) };
        let unlocked = sql.unlock().await;
        sql.close().await;
        unlocked
    }

    /// Keeps the server from ending the idle connection, and the lock with it.
    pub(super) async fn ping(&mut self) -> Result<(), Error> {
        match &mut self.sql {
            Some(sql) => sql.ping().await,
            None => Ok(()),
        }
    }
}

/// The waiting for a lock.
struct Waiting<'a> {
    at: String,
    limit: Duration,
    until: Instant,
    outlet: &'a Outlet,
    has_waited: bool,
}

impl Waiting<'_> {
    /// Locks, again and again until it succeeds. False when the connector is to stop.
    async fn lock(&mut self, sql: &mut Sql, target: Target<'_>) -> Result<bool, Error> {
        loop {
            let mut holders = self.long_holders(sql, target).await?;
            if holders.is_empty() {
                let locked = match target {
                    Target::Server => sql.lock_globally().await,
                    Target::Backup => sql.lock_for_backup().await,
                    Target::Tables(names) => sql.lock_tables(names).await,
                };
                match locked {
                    Err(error) if error.number() == Some(WAITED) => holders = self.holders(sql, target).await?,
                    locked => {
                        if std::mem::take(&mut self.has_waited) {
                            self.outlet.running();
                        }
                        return locked.map(|()| true);
                    }
                }
            }
            if !self.pause(&named(&holders)).await? {
                return Ok(false);
            }
        }
    }

    /// Because of whom the lock is better not asked for. Once a lock of MySQL waits for a statement, others wait for that statement
    /// too until it ends, even after the lock was given up. Statements that are younger than half of the time already waited are
    /// likely to end soon: on a server that always runs some, the lock must not wait for ever.
    async fn long_holders(&self, sql: &mut Sql, target: Target<'_>) -> Result<Vec<Holder>, Error> {
        if sql.flavour() != Flavour::MySql || matches!(target, Target::Backup) {
            return Ok(Vec::new());
        }
        let holders = self.holders(sql, target).await?;
        let half_s = (Instant::now() + self.limit).saturating_duration_since(self.until).as_secs() / 2;
        if holders.iter().all(|holder| holder.seconds <= half_s)
            || matches!(target, Target::Server) && refuses_global_lock(sql).await?
        {
            return Ok(Vec::new());
        }
        Ok(holders)
    }

    /// Whom the lock would wait for; none where the server does not tell.
    async fn holders(&self, sql: &mut Sql, target: Target<'_>) -> Result<Vec<Holder>, Error> {
        let found = match target {
            Target::Tables(names) => sql.holders_of_tables(names).await,
            Target::Server | Target::Backup => sql.holders_of_server().await,
        };
        match found {
            Err(error) if error.server().is_some() => {
                tracing::debug!(%error, "the server does not tell which statements a lock would wait for");
                Ok(Vec::new())
            }
            found => found,
        }
    }

    /// Waits a moment. False when the connector is to stop.
    async fn pause(&mut self, holders: &str) -> Result<bool, Error> {
        if Instant::now() + PAUSE >= self.until {
            let after_ms = self.limit.as_millis() as u64;
            return Err(Error::LockWaits { at: self.at.clone(), after_ms, holders: holders.to_owned() });
        }
        if !std::mem::replace(&mut self.has_waited, true) {
            tracing::warn!(connector = %self.outlet.connector, "the lock of the snapshot waits for {holders}");
        }
        self.outlet.waiting(&format!(
            "The snapshot is waiting for {holders}.\nReason: it begins under a lock, which cannot be had before they end. Writes \
             are held up for a second at most. After snapshot.lock.timeout.ms ({} ms) it is begun anew.",
            self.limit.as_millis()
        ));
        let mut stop = self.outlet.stop.clone();
        tokio::select! {
            () = sleep(PAUSE) => Ok(true),
            () = async { drop(stop.wait_for(|stop| *stop).await) } => Ok(false),
        }
    }
}

/// Tables are made or dropped all the time, so that those which were locked are never those which are there.
pub(super) fn tables_change(at: String, limit: Duration) -> Error {
    let holders =
        "a moment in which no captured table is made or dropped, because this account may lock single tables only \
                   (GRANT RELOAD allows to lock all)"
            .to_owned();
    Error::LockWaits { at, after_ms: limit.as_millis() as u64, holders }
}

/// Whether the server refuses this account a lock of all tables, without waiting for anybody: for want of a privilege, or because
/// it is hosted by Amazon, which forbids the statement and whose programs lie in a folder of this name.
async fn refuses_global_lock(sql: &mut Sql) -> Result<bool, Error> {
    let is_hosted = sql.variable("basedir").await?.is_some_and(|folder| folder.starts_with("/rdsdbbin"));
    let grants = sql.grants().await?;
    Ok(is_hosted || !grants.has_globally("RELOAD") && !grants.has_globally("FLUSH_TABLES"))
}

/// The sessions in words.
fn named(holders: &[Holder]) -> String {
    if holders.is_empty() {
        return "statements of others, which the server does not name to this account (GRANT PROCESS, and SELECT ON \
                performance_schema.*)"
            .to_owned();
    }
    holders.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
