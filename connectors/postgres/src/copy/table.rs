//! Reading one table, as it is defined now: in the copy's view, or in a view of its own.

use std::pin::pin;
use std::time::Duration;

use futures_util::StreamExt;
use record::Position;
use relational::CopiedRows;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::{CopyReader, statement};
use crate::config::PostgresConfig;
use crate::error::Error;
use crate::session::Catalog;
use crate::sql::{Files, OpenTransaction, SnapshotReader, Sql, Table, TableName};
use crate::table::Tables;
use crate::wire::ConnectOptions;

/// A wait for a table's lock is shown in the log and the task's status after this time, and again every [`TELL_EVERY`].
const TELL_AFTER: Duration = Duration::from_secs(1);
const TELL_EVERY: Duration = Duration::from_secs(10);

/// What became of a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Read {
    /// Its rows are in the pipeline, or the table does not exist any more.
    Done,
    /// The copy's view cannot show its rows: the table is to be read in a view of its own.
    Apart,
    /// The pipeline is gone, or the connector is to stop.
    Interrupted,
}

/// Whether a table's lock was taken.
enum Lock {
    Held,
    /// There is no table of this name any more.
    NoTable,
    Interrupted,
}

/// A copy under way.
pub(super) struct Work<'a> {
    pub(super) config: &'a PostgresConfig,
    pub(super) options: &'a ConnectOptions,
    pub(super) tables: &'a mut Tables,
    /// Shows the catalogue as it is now; the copy's own connection shows it as it was when the view was taken.
    pub(super) catalog: &'a mut Catalog,
    pub(super) position: Position,
    pub(super) filling: CopiedRows<'a>,
}

fn not_copy(table: &TableName) -> Error {
    Error::Protocol { doing: format!("copying {table}"), reason: "the bytes are not COPY's binary format".into() }
}

impl Work<'_> {
    /// Reads a table in the copy's view, as it is defined now. `before` are the table's files as the view shows them: other
    /// files now mean that the table was rewritten or truncated.
    pub(super) async fn read_in_view(
        &mut self,
        reader: &SnapshotReader,
        listed: &Table,
        before: &Files,
    ) -> Result<Read, Error> {
        let name = &listed.name;
        match self.lock(reader, name).await? {
            Lock::Held => {}
            Lock::NoTable => {
                tracing::warn!(table = %name, "the table was dropped or renamed after the copy began: nothing is read of it");
                return Ok(Read::Done);
            }
            Lock::Interrupted => return Ok(Read::Interrupted),
        }
        // From here on nobody can change the table's definition, and all earlier changes of it are visible.
        let sql = self.catalog.sql().await?;
        let Some(table) = sql.table_named(name).await? else { return Ok(Read::Done) };
        let now = sql.files(&[table.oid]).await?.remove(&table.oid).unwrap_or_default();
        if table.oid != listed.oid || before.were_replaced(&now) {
            tracing::warn!(table = %name, "the table was rewritten, truncated or made anew after the copy's view was taken, which \
                does not show its rows: it is read in a view of its own, and what changed since the copy began comes once more");
            return Ok(Read::Apart);
        }
        self.tables.learn_types(sql, table.columns.iter().map(|column| column.type_oid)).await?;
        self.rows(reader, &table).await
    }

    /// Reads a table in a view of its own, which is taken when nobody can rewrite the table any more. The log is followed from
    /// a point before that view, so changes in between are sent again after the rows; the last of them gives the table's state.
    pub(super) async fn read_apart(&mut self, name: &TableName) -> Result<Read, Error> {
        let reader = SnapshotReader::begin(self.options, None, crate::sql::Isolation::RepeatableRead).await?;
        // The first query takes the view, so the lock comes before it.
        match self.lock(&reader, name).await? {
            Lock::Held => {}
            Lock::NoTable => {
                tracing::warn!(table = %name, "the table was dropped or renamed after the copy began: nothing is read of it");
                return Ok(Read::Done);
            }
            Lock::Interrupted => return Ok(Read::Interrupted),
        }
        let Some(table) = reader.sql().table_named(name).await? else { return Ok(Read::Done) };
        self.tables.learn_types(reader.sql(), table.columns.iter().map(|column| column.type_oid)).await?;
        let read = self.rows(&reader, &table).await?;
        if read == Read::Done {
            reader.rollback().await?;
        }
        Ok(read)
    }

    /// Takes the lock that reading takes anyway (ACCESS SHARE), so that the table's definition stays as it is until the rows
    /// have been read. If that lasts, the log and the task's status say who holds it up.
    async fn lock(&mut self, reader: &SnapshotReader, name: &TableName) -> Result<Lock, Error> {
        let mut stop = self.filling.outlet.stop.clone();
        let mut lock = pin!(reader.lock_if_there(name));
        let mut tell = interval_at(Instant::now() + TELL_AFTER, TELL_EVERY);
        tell.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = false;
        let is_there = loop {
            tokio::select! {
                biased;
                is_there = &mut lock => break is_there?,
                () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(Lock::Interrupted),
                _ = tell.tick() => told |= self.tell_of_lock(reader.pid(), name).await?,
            }
        };
        if told {
            self.filling.outlet.running();
        }
        Ok(if is_there { Lock::Held } else { Lock::NoTable })
    }

    async fn tell_of_lock(&mut self, pid: i32, name: &TableName) -> Result<bool, Error> {
        let open = self.catalog.sql().await?.blockers_of(pid).await?;
        if open.is_empty() {
            return Ok(false);
        }
        let who = OpenTransaction::listed(&open);
        tracing::warn!(table = %name, "the copy waits for the table's lock, which others hold: {who}");
        self.filling.outlet.waiting(&format!(
            "Copying table {name} is waiting for transactions to end: {who}.\nReason: they hold, or wait for, a lock on the table that \
             keeps everybody from reading it (such as ALTER TABLE or VACUUM FULL). It goes on by itself."
        ));
        Ok(true)
    }

    /// Counts a table that was read to its end.
    pub(super) fn table_ends(&self) {
        self.filling.outlet.meters.count(|numbers| numbers.snapshot.table_ends());
    }

    async fn rows(&mut self, reader: &SnapshotReader, table: &Table) -> Result<Read, Error> {
        let (from, copied) = match statement::for_table(reader, &self.config.snapshot, table).await? {
            Some((from, given)) => {
                let types = given.columns.iter().map(|column| column.type_oid);
                self.tables.learn_types(reader.sql(), types).await?;
                (from, self.tables.copied(table, Some(&given))?)
            }
            None => (table.name.quoted(), self.tables.copied(table, None)?),
        };
        let name = table.name.to_string();
        let sql = format!("COPY (SELECT {} FROM {from}) TO STDOUT (FORMAT binary)", copied.select);
        let mut stream = pin!(reader.copy(&format!("copying {name}"), &sql).await?);
        let mut copy = CopyReader::default();
        let mut stop = self.filling.outlet.stop.clone();
        self.filling.table_begins();
        loop {
            let message = tokio::select! {
                message = stream.next() => message,
                () = async { drop(stop.wait_for(|stop| *stop).await) } => return Ok(Read::Interrupted),
            };
            let Some(message) = message else { break };
            let message = message?;
            if !self.filling.grow_for(message.len()).await {
                return Ok(Read::Interrupted);
            }
            copy.feed(&message);
            loop {
                if self.filling.is_full() && copy.has_row() && !self.filling.send().await {
                    return Ok(Read::Interrupted);
                }
                let (batch, buffer) = self.filling.parts();
                let Some(row) = copy.row(batch, buffer).map_err(|_| not_copy(&table.name))? else { break };
                self.filling.add(row, &copied.shape, &self.position);
            }
        }
        if !copy.ended() {
            return Err(not_copy(&table.name));
        }
        let rows = self.filling.table_ends();
        tracing::info!(table = %name, rows, "table copied");
        Ok(Read::Done)
    }
}

/// Tables that were renamed since the view was taken, and are captured under their new name only. Neither the copy nor the
/// log has their earlier rows.
pub(super) async fn renamed_since(
    present: &Sql,
    reader: &SnapshotReader,
    tables: &Tables,
    known: &[Table],
) -> Result<Vec<TableName>, Error> {
    let mut now = tables.captured(present).await?;
    now.retain(|now| !known.iter().any(|known| known.name == now.name));
    let oids: Vec<u32> = now.iter().map(|table| table.oid).collect();
    if oids.is_empty() {
        return Ok(Vec::new());
    }
    let before = reader.sql().files(&oids).await?;
    Ok(now.into_iter().filter(|table| before.contains_key(&table.oid)).map(|table| table.name).collect())
}
