//! The replication slot: found or made before anything is read, dropped when asked.
//!
//! Changes wait in the slot while nobody reads. A slot that belongs to something else, or that has lost log, is therefore
//! refused with a remedy and never replaced silently.
//!
//! Must not know: pgoutput's messages, snapshots, stored offsets.

mod fit;

pub(crate) use fit::check;

use std::time::Duration;

use tokio::time::{Instant, MissedTickBehavior, interval_at, sleep};

use crate::error::Error;
use crate::sql::{OpenTransaction, SlotInfo, Sql};
use crate::wire::{Canceller, CreatedSlot, Replication};

/// The output plugin of every slot that this connector reads.
pub const PLUGIN: &str = "pgoutput";
/// How often it is logged which transactions the creation of a slot waits for.
const REMIND_EVERY: Duration = Duration::from_secs(10);
/// A slot that another session is still creating is looked at this often, and [`UNFINISHED_LOOKS`] times at most.
const UNFINISHED_EVERY: Duration = Duration::from_secs(2);
const UNFINISHED_LOOKS: u32 = 900;
const DROP_TRIES: u32 = 3;
const DROP_PAUSE: Duration = Duration::from_secs(1);

/// The settings of the slot.
#[derive(Clone, Debug)]
pub struct SlotOptions {
    /// `slot.name`.
    pub name: String,
    /// `slot.failover`; ignored where the server does not support it (before 17, on a standby).
    pub failover: bool,
    /// `slot.max.retries`: further tries after the creation ran into a timeout of the server.
    pub max_retries: u32,
    /// `slot.retry.delay.ms`.
    pub retry_delay: Duration,
}

/// The slot that [`ensure`] found or created.
#[derive(Clone, Debug)]
pub enum Slot {
    /// It existed.
    Existing(SlotInfo),
    /// It was created just now. Its exported snapshot lives until the next command on the replication connection.
    Created(CreatedSlot),
}

/// Looks for the slot; `None` if there is none of this name. A slot of another plugin or database, or one that has lost log,
/// is an error. A slot that another session is still creating has no `confirmed_flush_lsn` yet. It is waited for as long as
/// some session is idle in a transaction, which may hold the creation up, but for [`UNFINISHED_LOOKS`] looks at most.
pub async fn find(sql: &Sql, name: &str) -> Result<Option<SlotInfo>, Error> {
    let mut looks = 0;
    loop {
        let Some(mut slot) = sql.slot(name).await? else { return Ok(None) };
        fit::check(&slot, &sql.options().dbname)?;
        if slot.confirmed_flush_lsn.is_some() {
            return Ok(Some(slot));
        }
        looks += 1;
        if looks >= UNFINISHED_LOOKS || !sql.any_idle_in_transaction().await? {
            // A safe stand-in: the LSN that the slot will have confirmed is never before its `restart_lsn`, so at worst the log is
            // read from too early a point, never from too late a one.
            slot.confirmed_flush_lsn = slot.restart_lsn;
            return Ok(Some(slot));
        }
        if looks == 1 {
            tracing::warn!(slot = %name, "the slot is being created elsewhere, which waits for open transactions to end");
        }
        sleep(UNFINISHED_EVERY).await;
    }
}

/// Finds the slot or creates it. The creation waits for all transactions of the whole server that are open now, however long
/// they last. After a second, and then every 10 s, `waiting` is called with those that still hold it up. Dropping the future
/// cancels the command, so that no slot stays behind.
pub async fn ensure(
    replication: &mut Replication,
    sql: &Sql,
    options: &SlotOptions,
    mut waiting: impl FnMut(&[OpenTransaction]),
) -> Result<Slot, Error> {
    if let Some(slot) = find(sql, &options.name).await? {
        return Ok(Slot::Existing(slot));
    }
    let failover = options.failover && sql.server_version() >= 170_000 && !sql.facts().await?.in_recovery;
    let mut tries = 0;
    loop {
        let error = match create(replication, sql, &options.name, failover, &mut waiting).await {
            Ok(created) => {
                tracing::info!(slot = %options.name, consistent_point = %created.consistent_point, "slot created");
                return Ok(Slot::Created(created));
            }
            Err(error) => error,
        };
        let timed_out = matches!(error.sqlstate(), Some("57014" | "55P03"));
        if !timed_out || tries >= options.max_retries {
            return Err(Error::SlotCreation { slot: options.name.clone(), cause: Box::new(error) });
        }
        tries += 1;
        tracing::warn!(slot = %options.name, tries, "creating the slot timed out, trying again: {error}");
        sleep(options.retry_delay).await;
    }
}

/// Adds to the error of a slot in use what the server knows of the session that uses it.
pub async fn name_owner(error: &mut Error, sql: &Sql) {
    let Some((slot, owner)) = error.taken() else { return };
    match sql.slot_owner(slot).await {
        // By now the slot may be free, or in use by another session. The error is about the process that the server named.
        Ok(Some(found)) if owner.pid.is_none_or(|pid| Some(pid) == found.pid) => *owner = found,
        Ok(_) => {}
        Err(error) => tracing::debug!(%slot, "cannot tell who uses the slot: {error}"),
    }
}

async fn create(
    replication: &mut Replication,
    sql: &Sql,
    name: &str,
    failover: bool,
    waiting: &mut impl FnMut(&[OpenTransaction]),
) -> Result<CreatedSlot, Error> {
    let pid = replication.pid();
    let mut undo = CancelOnDrop(Some(replication.canceller()));
    let mut reminder = interval_at(Instant::now() + REMIND_EVERY / 10, REMIND_EVERY);
    reminder.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let creation = replication.create_slot(name, PLUGIN, failover);
    tokio::pin!(creation);
    let result = loop {
        tokio::select! {
            result = &mut creation => break result,
            _ = reminder.tick() => match sql.blockers_of(pid).await {
                Ok(open) if !open.is_empty() => {
                    let who = OpenTransaction::listed(&open);
                    tracing::warn!(slot = %name, "creating the slot waits for transactions to end: {who}");
                    waiting(&open);
                }
                Ok(_) => {}
                Err(error) => tracing::debug!(slot = %name, "cannot tell what the slot waits for: {error}"),
            },
        }
    };
    undo.0 = None;
    result
}

/// Cancels the creation of a slot when its future is dropped. Otherwise the server would finish the slot once the open
/// transactions end, and nobody would ever read it.
struct CancelOnDrop(Option<Canceller>);

impl Drop for CancelOnDrop {
    fn drop(&mut self) {
        if let (Some(canceller), Ok(runtime)) = (self.0.take(), tokio::runtime::Handle::try_current()) {
            runtime.spawn(async move {
                if let Err(error) = canceller.cancel().await {
                    tracing::warn!(
                        "the creation of a slot could not be cancelled, so the server may finish it: if pg_replication_slots \
                         shows it and nobody reads it, drop it: {error}"
                    );
                }
            });
        }
    }
}

/// Drops the slot. While it is in use there are three tries, a second apart, because the server may need a moment to see
/// that its reader is gone. A slot that does not exist is no error.
pub async fn drop_slot(sql: &Sql, name: &str) -> Result<(), Error> {
    let mut tries = 1;
    loop {
        match sql.drop_slot(name).await {
            Ok(()) => return Ok(()),
            Err(error) if error.sqlstate() == Some("42704") => return Ok(()),
            Err(error) if error.sqlstate() == Some("55006") && tries < DROP_TRIES => {
                tracing::warn!(slot = %name, tries, "the slot is still in use, trying again: {error}");
                tries += 1;
                sleep(DROP_PAUSE).await;
            }
            Err(Error::Server { server, .. }) if server.sqlstate == "55006" => {
                return Err(Error::slot_taken(name, *server));
            }
            Err(error) => return Err(error),
        }
    }
}
