//! Copying: the rows of the captured tables, from one view of the database, into batches.
//!
//! One row is always held back, because only what follows tells whether it was the last of its table, or of all.

use bytes::BytesMut;
use futures_util::StreamExt;
use record::{Batch, Change, Item, Op, Position};
use relational::{Lease, Outlet};
use snapshot::Marks;
use std::sync::Arc;

use crate::config::{PostgresConfig, SnapshotIsolation, SnapshotLocking};
use crate::copy::CopyReader;
use crate::error::Error;
use crate::position::{LSN, SnapshotState, TS_US, TX_ID, TX_ROW, set_snapshot};
use crate::sql::{Isolation, SnapshotReader, Table};
use crate::table::{Copied, Tables};
use crate::wire::ConnectOptions;

/// A batch closes at so many rows,
const MAX_ITEMS: usize = 512;
/// or at so many bytes.
const MAX_BYTES: usize = 256 * 1024;
/// A message up to this size is just taken in: the buffer has room for one more.
const SMALL_BYTES: usize = 16 * 1024;
const BUFFER_BYTES: usize = MAX_BYTES + SMALL_BYTES;

/// How a copy ended.
#[derive(Debug)]
pub(crate) enum Copy {
    /// All rows are in the pipeline; the position that says so, if there was any row.
    Done(Option<Position>),
    /// The connector is to stop, or the pipeline is gone.
    Interrupted,
}

/// What a copy reads from.
pub(crate) struct View<'a> {
    /// The exported snapshot to import; none for a view of its own.
    pub(crate) name: Option<&'a str>,
    /// Where the log goes on after it: stored with every row.
    pub(crate) lsn: i64,
    /// A slot was not made for this copy: nothing follows it.
    pub(crate) alone: bool,
}

struct Filling<'a> {
    outlet: &'a mut Outlet,
    batch: Box<Batch>,
    buffer: BytesMut,
    /// The part of the byte budget for a row that is larger than the buffer.
    grown: Option<Lease>,
    marks: Marks,
    /// Index of the table's shape in the batch.
    slot: Option<u16>,
    rows: u64,
}

impl Filling<'_> {
    /// Adds a row; sends the batch before that when it is full. False when the pipeline is gone.
    async fn row(
        &mut self,
        reader: &mut CopyReader,
        copied: &Copied,
        position: &Position,
    ) -> Result<Option<bool>, Error> {
        let full = self.batch.items.len() >= MAX_ITEMS || self.buffer.len() >= MAX_BYTES;
        // Only when another row is there: the last one is held back for its mark.
        if full && reader.has_row() && !self.send().await {
            return Ok(Some(false));
        }
        let row = reader.row(&mut self.batch, &mut self.buffer).map_err(|_| not_copy(&copied.shape.table))?;
        let Some(row) = row else { return Ok(None) };
        let slot = if let Some(slot) = self.slot {
            slot
        } else {
            self.batch.shapes.push(Arc::clone(&copied.shape));
            let slot = (self.batch.shapes.len() - 1) as u16;
            self.slot = Some(slot);
            slot
        };
        self.batch.items.push(Item::Change(Change {
            after: Some(row),
            mark: self.marks.row(),
            ..Change::new(slot, Op::Read, position.clone())
        }));
        self.rows += 1;
        Ok(Some(true))
    }

    /// Before a message is taken in: when it does not fit into the buffer, what stands there leaves first, and one that is
    /// larger than the buffer waits for its part of the byte budget. False when it is time to stop, or the pipeline is gone.
    async fn grow_for(&mut self, message_bytes: usize) -> bool {
        // The end of the copy is small too: the row before it must be held back.
        if message_bytes <= SMALL_BYTES || self.buffer.len() + message_bytes <= BUFFER_BYTES {
            return true;
        }
        if !self.batch.items.is_empty() && !self.send().await {
            return false;
        }
        if message_bytes > BUFFER_BYTES && self.grown.is_none() {
            self.grown = self.outlet.lease_or_stop(message_bytes).await;
            return self.grown.is_some();
        }
        true
    }

    async fn send(&mut self) -> bool {
        // Before the batch takes the buffer away, since the next buffer is new memory.
        let lease = match self.grown.take() {
            Some(lease) => lease,
            None => match self.outlet.lease_or_stop(self.buffer.len()).await {
                Some(lease) => lease,
                None => return false,
            },
        };
        let mut batch = std::mem::take(&mut self.batch);
        batch.buffer = self.buffer.split().freeze();
        self.buffer = BytesMut::with_capacity(BUFFER_BYTES);
        self.slot = None;
        batch.items.is_empty() || self.outlet.send(batch, lease).await
    }

    fn held(&mut self) -> Option<&mut Change> {
        match self.batch.items.last_mut() {
            Some(Item::Change(change)) => Some(change),
            _ => None,
        }
    }
}

fn not_copy(table: &str) -> Error {
    Error::Protocol { doing: format!("copying {table}"), reason: "the bytes are not COPY's binary format".into() }
}

/// Copies all captured tables, as the view itself lists them: a table made while the slot waited for open transactions is
/// in the view, and its rows are nowhere else.
pub(crate) async fn copy(
    config: &PostgresConfig,
    options: &ConnectOptions,
    tables: &mut Tables,
    view: View<'_>,
    outlet: &mut Outlet,
) -> Result<Copy, Error> {
    let isolation = match config.snapshot.isolation {
        // Row three of the contract's table is for copies that nothing follows; else one moment is what is wanted.
        SnapshotIsolation::Serializable if view.alone => Isolation::Serializable,
        SnapshotIsolation::ReadCommitted if view.alone => Isolation::ReadCommitted,
        SnapshotIsolation::ReadUncommitted if view.alone => Isolation::ReadUncommitted,
        _ => Isolation::RepeatableRead,
    };
    let reader = SnapshotReader::begin(options, view.name, isolation, false).await?;
    let captured = tables.captured(reader.sql()).await?;
    let wanted: Vec<&Table> = captured.iter().filter(|table| is_wanted(config, table)).collect();
    if config.snapshot.locking == SnapshotLocking::Shared {
        let names: Vec<_> = wanted.iter().map(|table| table.name.clone()).collect();
        reader.lock(&names, config.snapshot.lock_timeout.as_millis() as u64).await?;
    }
    let hidden = reader.sql().hidden_by_row_security(&wanted.iter().map(|t| t.oid).collect::<Vec<_>>()).await?;
    if !hidden.is_empty() {
        let tables = hidden.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        return Err(Error::RowSecurity { tables, user: config.connection.user.clone() });
    }
    let mut position = Position::UNKNOWN;
    position.words[LSN] = view.lsn;
    position.words[TX_ID] = reader.sql().current_xid().await?.map_or(record::NONE, |xid| xid as i64);
    position.words[TS_US] = reader.sql().current_timestamp_us().await?;
    // Ours, so that a slot that is moved on before anything is streamed is noticed.
    position.words[TX_ROW] = 0;
    set_snapshot(&mut position, SnapshotState::Running);
    // The consistent point is stored before the first row leaves: a start that finds it knows that a copy was begun.
    if !view.alone && !outlet.store(position.clone()).await {
        return Ok(Copy::Interrupted);
    }
    let mut filling = Filling {
        outlet,
        batch: Box::default(),
        buffer: BytesMut::with_capacity(BUFFER_BYTES),
        grown: None,
        marks: Marks::default(),
        slot: None,
        rows: 0,
    };
    for table in &wanted {
        if !copy_table(config, &reader, tables, table, &position, &mut filling).await? {
            return Ok(Copy::Interrupted);
        }
    }
    set_snapshot(&mut position, SnapshotState::Last);
    let any = filling.rows > 0;
    if let Some(last) = filling.held() {
        last.mark = Marks::ended();
        last.position = position.clone();
    }
    if !any && !view.alone {
        // No row says that the copy is done: the position alone does.
        filling.batch.items.push(Item::Position(position.clone()));
    }
    if !filling.send().await {
        return Ok(Copy::Interrupted);
    }
    tracing::info!(tables = wanted.len(), rows = filling.rows, "snapshot done");
    reader.rollback().await?;
    Ok(Copy::Done(any.then_some(position)))
}

async fn copy_table(
    config: &PostgresConfig,
    reader: &SnapshotReader,
    tables: &mut Tables,
    table: &Table,
    position: &Position,
    filling: &mut Filling<'_>,
) -> Result<bool, Error> {
    let copied = tables.copied(table)?;
    let name = table.name.to_string();
    let from = match config.snapshot.selects.iter().find(|(of, _)| *of == name) {
        Some((_, select)) => format!("({}) AS snapshot_override", select.trim().trim_end_matches(';')),
        None => table.name.quoted(),
    };
    let sql = format!("COPY (SELECT {} FROM {from}) TO STDOUT (FORMAT binary)", copied.select);
    let mut stream = std::pin::pin!(reader.copy(&format!("copying {name}"), &sql).await?);
    let mut copy = CopyReader::default();
    filling.marks.table();
    filling.slot = None;
    let before = filling.rows;
    while let Some(message) = stream.next().await {
        let message = message?;
        if !filling.grow_for(message.len()).await {
            return Ok(false);
        }
        copy.feed(&message);
        loop {
            match filling.row(&mut copy, &copied, position).await? {
                Some(true) => {}
                Some(false) => return Ok(false),
                None => break,
            }
        }
        if filling.outlet.stopping() {
            return Ok(false);
        }
    }
    if !copy.ended() {
        return Err(not_copy(&name));
    }
    if filling.rows > before
        && let Some(held) = filling.held()
    {
        held.mark = Marks::table_ended(held.mark);
    }
    tracing::info!(table = %name, rows = filling.rows - before, "table copied");
    Ok(true)
}

/// `snapshot.include.collection.list`, and never the signal table.
fn is_wanted(config: &PostgresConfig, table: &Table) -> bool {
    let name = table.name.to_string();
    let signal = config.signals.table.as_ref().is_some_and(|signal| *signal == name);
    let listed = config.snapshot.tables.is_empty()
        || config
            .snapshot
            .tables
            .iter()
            .any(|p| settings::JavaRegex::new(p).is_ok_and(|p| p.matches(&name).unwrap_or(false)));
    listed && !signal
}
