//! The copy of tables: their structure into the schema history, and their rows.
//!
//! Purpose: all that is read belongs to one moment, the position from which the binlog is followed afterwards. Writes are held
//! up for as long as it takes to read where the binlog ends, to begin the transactions of all readers, and to read the structure.
//! Nothing that is sent is waited for in that time: a broker that is away must not stop the writes of a database.
//!
//! Must not know: how rows are decoded, what the history is kept in, Kafka.

mod lock;
mod prepared;
mod reader;
mod sending;
mod structure;
mod table;
mod work;

use std::sync::Arc;

use record::{Batch, Item, Position};
use relational::Outlet;

use self::lock::Lock;
use self::prepared::Prepared;
use self::reader::Reader;
use self::structure::{HeldBack, Read, Statements, Structure};
use self::work::Work;
use crate::config::{MySqlConfig, SnapshotLocking};
use crate::ddl::Catalog;
use crate::error::Error;
use crate::model::TableId;
use crate::position::{
    COPIED, COPYING, EVENTS, FILE, GTIDS, POS, RESTART_FILE, RESTART_POS, ROW, ROWS, SERVER_ID, SNAPSHOT, TEXTS, TS_US,
};
use crate::schema::Schema;
use crate::sql::{BinlogStatus, Server, Sql};
use crate::tables::Tables;
use crate::wire::Identity;

/// How often a copy that locks single tables begins anew because some were made or dropped while they were being locked.
const MOST_ANEW: u32 = 10;

/// What a copy does, and where it stands.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Whether the structure of the tables is read into the schema history.
    pub(crate) structure: bool,
    /// Whether rows are copied.
    pub(crate) rows: bool,
    /// Whether the binlog is followed afterwards.
    pub(crate) streams_after: bool,
    /// The position to keep, if it is not that of the binlog's end: of a recovery, or of the first attempt of a copy.
    pub(crate) keeps: Option<Position>,
}

/// What the copy works with.
pub(crate) struct Parts<'a> {
    pub(crate) config: &'a MySqlConfig,
    pub(crate) server: &'a Server,
    pub(crate) sql: &'a mut Sql,
    pub(crate) tables: &'a mut Tables,
    pub(crate) schema: &'a mut Schema,
    pub(crate) outlet: &'a mut Outlet,
}

/// How a copy ended.
pub(crate) enum Copied {
    /// It is finished; the binlog is followed from this position.
    Done(Position),
    /// The connector is to stop.
    Interrupted,
}

/// The position of everything that a copy sends.
pub(crate) fn position_of(status: &BinlogStatus) -> Position {
    let file: Arc<str> = status.file.as_str().into();
    let mut texts: [Option<Arc<str>>; TEXTS] = Default::default();
    texts[FILE] = Some(Arc::clone(&file));
    texts[RESTART_FILE] = Some(file);
    texts[GTIDS] = status.gtids.as_deref().map(Arc::from);
    let mut position = Position { texts: Some(Arc::new(texts)), ..Position::UNKNOWN };
    for (slot, word) in [
        (POS, status.position as i64),
        (ROW, 0),
        (SERVER_ID, 0),
        (RESTART_POS, status.position as i64),
        (EVENTS, 0),
        (ROWS, 0),
        (SNAPSHOT, COPYING),
    ] {
        position.words[slot] = word;
    }
    position
}

/// The position at which the stream begins after a copy.
pub(crate) fn after_copy(mut position: Position) -> Position {
    position.words[SNAPSHOT] = COPIED;
    position
}

/// Copies, as the plan says.
pub(crate) async fn copy(plan: Plan, mut parts: Parts<'_>) -> Result<Copied, Error> {
    let snapshot = &parts.config.snapshot;
    let options = parts.sql.connection().options().clone();
    let limit = snapshot.copying.lock_timeout;
    if let Err(error) = parts.sql.lock_timeout(limit.as_secs()).await {
        tracing::warn!(%error, "the time that locks are waited for could not be set");
    }
    // Before anything is locked, because it may wait for the pipeline.
    if !parts.outlet.copy_begins().await {
        return Ok(Copied::Interrupted);
    }
    let own = parts.sql.identity().await?;
    let mut readers = Vec::new();
    for _ in 0..if plan.rows { snapshot.threads } else { 0 } {
        let in_utc = parts.config.types.snapshot_zone.is_none();
        let mut reader = Reader::open(&options, in_utc, limit.as_secs()).await?;
        reader.sql.is_at(&own).await?;
        readers.push(reader);
    }
    let Some(begun) = begin(&mut parts, &plan, &mut readers, &own).await? else { return Ok(Copied::Interrupted) };
    let Begun { mut lock, now, captured, statements } = begun;
    if captured.is_empty() {
        tracing::warn!(connector = %parts.outlet.connector, user = %options.user, "no table is captured now: the lists of databases and \
            tables choose none that the account sees, which are those on which it has SELECT");
    }

    let position = plan.keeps.clone().map_or(now, |mut kept| {
        kept.words[SNAPSHOT] = COPYING;
        kept
    });
    let mut held_back = None;
    if plan.structure {
        match statements.write(&mut parts, &position).await? {
            Read::Done(last) => held_back = last,
            Read::Interrupted => return Ok(Copied::Interrupted),
        }
    }
    let as_they_are = statements.tables(parts.server, parts.schema, parts.tables)?;
    // Once this is stored, a start that finds it knows that rows may have been sent.
    if plan.rows && !parts.outlet.store_begin_of_copy(position.clone()).await {
        return Ok(Copied::Interrupted);
    }
    let ids: Vec<u32> = readers.iter().map(|reader| reader.sql.connection().greeting().connection_id).collect();
    let copied = Box::pin(rows(
        &plan,
        &mut parts,
        Under { position, held_back, captured, as_they_are },
        &mut readers,
        &mut lock,
    ))
    .await;
    if !matches!(copied, Ok(Copied::Done(_))) {
        // A server notices a closed connection only when it has a row to send.
        for id in ids {
            parts.sql.end_session(id).await;
        }
    }
    // An error of the copy matters more than one of the unlocking.
    let (copied, unlocked) = (copied?, lock.release().await);
    unlocked?;
    for reader in readers {
        reader.sql.close().await;
    }
    Ok(copied)
}

/// How a copy has begun.
struct Begun {
    /// Released already, unless it lasts as long as the copy.
    lock: Lock,
    /// The position from which the binlog is followed.
    now: Position,
    /// The tables to be copied.
    captured: Vec<TableId>,
    statements: Statements,
}

/// Reads under the lock what belongs to one moment, and begins the views of the readers; `None` when the connector is to stop.
///
/// What was prepared in two phases before that moment and is committed behind it must come, too. Where the stream cannot begin
/// with it, all is begun anew when it has ended.
async fn begin(
    parts: &mut Parts<'_>,
    plan: &Plan,
    readers: &mut [Reader],
    own: &Identity,
) -> Result<Option<Begun>, Error> {
    let options = parts.sql.connection().options().clone();
    let snapshot = &parts.config.snapshot;
    let limit = snapshot.copying.lock_timeout;
    let mut anew = 0;
    loop {
        // Some servers allow a lock of single tables only, which must be known before.
        let to_lock = Structure::list(parts).await?.captured(parts);
        let mut lock = match Lock::take(&options, snapshot.locking, limit, &to_lock, parts.outlet).await {
            Ok(Some(lock)) => lock,
            Ok(None) => return Ok(None),
            // A table was dropped while its lock was waited for.
            Err(error) if structure::is_of_dropped_table(&error) && anew < MOST_ANEW => {
                anew += 1;
                continue;
            }
            Err(error) => return Err(error),
        };
        lock.is_at(own).await?;
        // Listed under the lock: a table that was made while the lock was waited for has rows which are not in the binlog behind
        // the position below.
        let structure = Structure::list(parts).await?;
        let captured = structure.captured(parts);
        // The position before the views: where nothing is locked, what is committed in between comes twice instead of never.
        let mut status = parts.sql.binlog_status().await?;
        // A position that is kept is before those that were prepared since.
        let streams = plan.streams_after && plan.keeps.is_none();
        let xids = if streams { prepared::listed(parts.sql).await? } else { Vec::new() };
        for reader in &mut *readers {
            reader.sql.begin_reading().await?;
        }
        if lock.is_of_tables() && Structure::list(parts).await?.captured(parts) != to_lock {
            // A table without a lock may have got rows since it was listed that are not in the binlog behind the position.
            lock.release().await?;
            rollback(readers).await?;
            anew += 1;
            if anew > MOST_ANEW {
                return Err(lock::tables_change(options.at(), limit));
            }
            continue;
        }
        let (schema, tables) = (&*parts.schema, &*parts.tables);
        let of = (schema, parts.server);
        let statements = if plan.structure {
            structure.statements(parts.sql, of, |id| schema.reads(id, tables)).await?
        } else {
            // The history has the tables as they were when an earlier attempt began; rows are read as the tables are now.
            structure.statements(parts.sql, of, |id| tables.captures(id)).await?
        };
        if snapshot.locking != SnapshotLocking::Extended {
            lock.release().await?;
        }
        match prepared::decide(parts.sql, xids, &status, parts.tables, parts.outlet).await? {
            Prepared::Begin(gtids) => {
                status.gtids = gtids;
                return Ok(Some(Begun { lock, now: position_of(&status), captured, statements }));
            }
            Prepared::Wait(xids) => {
                lock.release().await?;
                rollback(readers).await?;
                if !prepared::ended(parts.sql, xids, limit, parts.outlet).await? {
                    return Ok(None);
                }
            }
        }
    }
}

/// Gives up the views of the readers.
async fn rollback(readers: &mut [Reader]) -> Result<(), Error> {
    for reader in readers {
        reader.sql.rollback().await?;
    }
    Ok(())
}

/// What was found under the lock.
struct Under {
    position: Position,
    /// The last record of the structure.
    held_back: Option<HeldBack>,
    captured: Vec<TableId>,
    as_they_are: Catalog,
}

/// Copies the rows, and ends the copy.
async fn rows(
    plan: &Plan,
    parts: &mut Parts<'_>,
    under: Under,
    readers: &mut [Reader],
    lock: &mut Lock,
) -> Result<Copied, Error> {
    let Under { position, held_back, captured, as_they_are } = under;
    // Which mark the last record of the structure gets shows with the first row.
    let before = held_back.as_ref().and_then(|held| held.as_one_of_many(parts.schema, parts.tables));
    let (ended, before) = if readers.is_empty() {
        (None, before)
    } else {
        let work = Work::new(parts, &captured, &as_they_are).await?;
        match work.done(parts, readers, lock, &position, before).await? {
            Some(ended) => ended,
            None => return Ok(Copied::Interrupted),
        }
    };
    let mut finished = ended.clone().unwrap_or_else(|| after_copy(position));
    let mut items = Vec::new();
    if before.is_some() {
        // No row came after the structure: its last record is the last of all.
        let event = held_back.and_then(|held| held.as_last(parts.schema, parts.tables, &finished));
        items.extend(event.map(|event| Item::Event(Box::new(event))));
    } else if ended.is_none() && plan.streams_after {
        items.push(Item::Position(finished.clone()));
    }
    if !items.is_empty() {
        let batch = Box::new(Batch { items, ..Batch::default() });
        let Some(lease) = parts.outlet.lease_or_stop(0).await else { return Ok(Copied::Interrupted) };
        if !parts.outlet.send(batch, lease).await {
            return Ok(Copied::Interrupted);
        }
    }
    if !parts.outlet.copy_ends().await {
        return Ok(Copied::Interrupted);
    }
    if finished.word(TS_US).is_none() {
        finished.words[TS_US] = crate::stream::now_ms() / 1000 * 1_000_000;
    }
    Ok(Copied::Done(finished))
}
