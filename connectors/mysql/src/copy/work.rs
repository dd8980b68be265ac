//! What there is to read, and its distribution over the readers.
//!
//! All readers see one moment, so any of them may read any part of any table. They run side by side in one task: what costs time
//! is the server, and the records are made elsewhere.
//!
//! Must not know: how rows are read, which marks they get.

use std::collections::{BTreeSet, VecDeque};
use std::pin::pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::try_join_all;
use record::{Event, Position};
use relational::Outlet;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::Parts;
use super::lock::Lock;
use super::reader::{Ended, Reader};
use super::sending::Sending;
use super::structure::Structure;
use super::table::{Part, Table};
use crate::config::{Snapshot, TableOrder};
use crate::ddl::Catalog;
use crate::error::Error;
use crate::model::TableId;
use crate::sql::Sql;

/// A table is not cut into parts of fewer rows.
const PART_ROWS_MIN: u64 = 10_000;
/// How often the server sees a sign of life of the connections that wait for the readers.
const KEEP_ALIVE: Duration = Duration::from_secs(30);
/// How often a table that DDL changes is begun.
const TRIES_MAX: usize = 3;

/// The tables to copy, in their order.
#[derive(Debug)]
pub(super) struct Work {
    tables: Vec<Arc<Table>>,
    /// Of each table: into how many parts it is cut, and how many rows each has.
    cuts: Vec<(usize, u64)>,
}

/// What ends the reading early.
enum Halt {
    Failed(Error),
    /// The connector is to stop.
    Stopped,
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Failed(error)
    }
}

/// What all readers share.
struct Shared<'a> {
    queue: Mutex<VecDeque<(Arc<Table>, Part)>>,
    /// Tables that DDL changed after the copy began.
    changed: Mutex<BTreeSet<usize>>,
    position: &'a Position,
    outlet: &'a Outlet,
    sending: tokio::sync::Mutex<Sending<'a>>,
}

/// Nothing panics while one of these locks is held.
fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Work {
    /// Plans the copy of the captured tables. `catalog` has them as they are now.
    pub(super) async fn new(parts: &mut Parts<'_>, captured: &[TableId], catalog: &Catalog) -> Result<Self, Error> {
        let snapshot = &parts.config.snapshot;
        let mut wanted = Vec::new();
        for id in captured.iter().filter(|id| snapshot.copying.wants(&id.to_string())) {
            // The table was dropped since it was listed.
            let Some(table) = catalog.table(id) else { continue };
            let is_wanted = snapshot.threads > 1 || snapshot.order != TableOrder::Disabled;
            let is_estimated = is_wanted && snapshot.copying.select(&id.to_string()).is_none();
            let rows = if is_estimated { parts.sql.row_estimate(&id.database, &id.table).await? } else { None };
            wanted.push((Arc::clone(table), rows.unwrap_or(0)));
        }
        order(&mut wanted, snapshot);
        let (mut tables, mut cuts) = (Vec::new(), Vec::new());
        for (index, (table, rows)) in wanted.into_iter().enumerate() {
            let table = make(index, &table, snapshot, parts.tables)?;
            let most = if table.query.can_be_cut() { snapshot.parts(&table.query.id) as u64 } else { 1 };
            let count = (rows / PART_ROWS_MIN).clamp(1, most);
            tables.push(Arc::new(table));
            cuts.push((count as usize, rows.div_ceil(count)));
        }
        Ok(Self { tables, cuts })
    }

    /// Has everything read and sent. Returns the position of the finished copy if there was a row, and `before` if it was not
    /// sent before one; `None` when the connector is to stop.
    pub(super) async fn done(
        self,
        parts: &mut Parts<'_>,
        readers: &mut [Reader],
        lock: &mut Lock,
        position: &Position,
        before: Option<Event>,
    ) -> Result<Option<(Option<Position>, Option<Event>)>, Error> {
        let stop = parts.outlet.stop.clone();
        let Some(queue) = lasting(self.cut(readers), stop.clone(), parts.sql, lock).await? else { return Ok(None) };
        let counts: Vec<usize> = (0..self.tables.len())
            .map(|index| queue.iter().filter(|(table, _)| table.index == index).count())
            .collect();
        parts.outlet.meters.count(|numbers| numbers.snapshot.reads(self.tables.len()));
        let shared = Shared {
            queue: Mutex::new(queue),
            changed: Mutex::default(),
            position,
            outlet: &*parts.outlet,
            sending: tokio::sync::Mutex::new(Sending::new(&*parts.outlet, before, &counts)),
        };
        let reading = async { try_join_all(readers.iter_mut().map(|reader| shared.read(reader))).await.map(drop) };
        if lasting(reading, stop.clone(), parts.sql, lock).await?.is_none() {
            return Ok(None);
        }
        let changed = std::mem::take(&mut *locked(&shared.changed));
        for index in changed {
            let id = &self.tables[index].query.id;
            // It ends with this table: its connection is not kept over the reading of others.
            let options = parts.sql.connection().options().clone();
            let in_utc = parts.config.types.snapshot_zone.is_none();
            let wait_s = parts.config.snapshot.copying.lock_timeout.as_secs();
            let mut reader = Reader::open(&options, in_utc, wait_s).await?;
            let mut tries = 0;
            loop {
                tries += 1;
                let of = (&*parts.schema, parts.server);
                let statements = Structure::of(id).statements(&mut reader.sql, of, |_| true).await?;
                let catalog = statements.tables(parts.server, parts.schema, parts.tables)?;
                let Some(table) = catalog.table(id) else {
                    tracing::warn!(table = %id, "the table was dropped or renamed after the copy began: nothing is read of it");
                    if !shared.passes_over(index).await {
                        return Ok(None);
                    }
                    break;
                };
                let table = make(index, table, &parts.config.snapshot, parts.tables)?;
                reader.sql.begin_reading().await?;
                let (whole, last_try) = (Part::default(), tries == TRIES_MAX);
                let reading = async {
                    let reading = reader.read(&table, &whole, position, shared.outlet, &shared.sending);
                    reading.await.map_err(Halt::Failed)
                };
                match lasting(reading, stop.clone(), parts.sql, lock).await? {
                    Some(Ended::Done) => break,
                    Some(Ended::Changed) if !last_try => reader.sql.rollback().await?,
                    Some(Ended::Changed) => return Err(Error::ChangesOn { table: id.to_string() }),
                    Some(Ended::Interrupted) | None => return Ok(None),
                }
            }
            reader.sql.close().await;
        }
        let rows = shared.sending.lock().await.rows;
        tracing::info!(tables = self.tables.len(), rows, "the snapshot's rows are read");
        Ok(shared.sending.into_inner().end().await.ok())
    }

    /// Cuts the large tables; gives all parts in the order in which they are read.
    async fn cut(&self, readers: &mut [Reader]) -> Result<VecDeque<(Arc<Table>, Part)>, Halt> {
        let (next, found) = (Mutex::new(self.tables.iter()), Mutex::new(Vec::new()));
        let cut = async |reader: &mut Reader| -> Result<(), Halt> {
            loop {
                let Some(table) = locked(&next).next() else { return Ok(()) };
                let (count, rows) = self.cuts[table.index];
                let parts = if count > 1 { reader.cut(table, count, rows).await? } else { vec![Part::default()] };
                locked(&found).extend(parts.into_iter().enumerate().map(|(place, part)| (table.index, place, part)));
            }
        };
        try_join_all(readers.iter_mut().map(cut)).await?;
        let mut found = found.into_inner().unwrap_or_else(PoisonError::into_inner);
        found.sort_by_key(|(index, place, _)| (*index, *place));
        Ok(found.into_iter().map(|(index, _, part)| (Arc::clone(&self.tables[index]), part)).collect())
    }
}

impl Shared<'_> {
    /// Reads parts until there are no more.
    async fn read(&self, reader: &mut Reader) -> Result<(), Halt> {
        loop {
            let Some((table, part)) = locked(&self.queue).pop_front() else { return Ok(()) };
            let is_known_to_change = locked(&self.changed).contains(&table.index);
            let ended = if is_known_to_change {
                Ended::Changed
            } else {
                reader.read(&table, &part, self.position, self.outlet, &self.sending).await?
            };
            let goes_on = match ended {
                Ended::Done => true,
                // The first part that meets the change stays open until the table is read by itself; the others end.
                Ended::Changed => {
                    let is_first = locked(&self.changed).insert(table.index);
                    is_first || self.passes_over(table.index).await
                }
                Ended::Interrupted => false,
            };
            if !goes_on {
                return Err(Halt::Stopped);
            }
        }
    }

    /// Ends a part without its rows. False when the connector is to stop.
    async fn passes_over(&self, table: usize) -> bool {
        let (_, goes_on) = self.sending.lock().await.part_ends(table, None).await;
        goes_on
    }
}

fn make(
    index: usize,
    table: &crate::model::Table,
    snapshot: &Snapshot,
    tables: &mut crate::tables::Tables,
) -> Result<Table, Error> {
    let select = snapshot.copying.select(&table.id.to_string());
    Table::new(index, table, select, tables, snapshot.is_binary)
}

/// By the server's estimates, if they are asked for. Tables of equal size keep their order.
fn order(tables: &mut [(Arc<crate::model::Table>, u64)], snapshot: &Snapshot) {
    match snapshot.order {
        TableOrder::Disabled => {}
        TableOrder::Ascending => tables.sort_by_key(|(_, rows)| *rows),
        TableOrder::Descending => tables.sort_by_key(|(_, rows)| std::cmp::Reverse(*rows)),
    }
}

/// Runs until the work is done. `None` when the connector is to stop.
async fn lasting<T>(
    work: impl Future<Output = Result<T, Halt>>,
    mut stop: watch::Receiver<bool>,
    sql: &mut Sql,
    lock: &mut Lock,
) -> Result<Option<T>, Error> {
    let mut work = pin!(work);
    let mut stopped = pin!(async { drop(stop.wait_for(|stop| *stop).await) });
    let mut tick = interval_at(Instant::now() + KEEP_ALIVE, KEEP_ALIVE);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return match done {
                Ok(done) => Ok(Some(done)),
                Err(Halt::Failed(error)) => Err(error),
                Err(Halt::Stopped) => Ok(None),
            },
            () = &mut stopped => return Ok(None),
            _ = tick.tick() => {
                // The readers go on without them: their transactions have begun.
                for lived in [sql.ping().await, lock.ping().await] {
                    if let Err(error) = lived {
                        tracing::warn!(%error, "a connection that waited for the end of the copy is lost");
                    }
                }
            }
        }
    }
}
