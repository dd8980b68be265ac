//! Puts copied rows into batches.
//!
//! The last row is always held back, because only what follows tells whether it was the last of its table, or of all.

use std::sync::Arc;

use bytes::BytesMut;
use record::{Batch, Change, Item, Op, Position};
use relational::{Lease, Outlet};
use snapshot::Marks;

use super::binary::{CopyReader, NotCopy};
use crate::stream::{MAX_BYTES, MAX_ITEMS};
use crate::table::Copied;

/// A message up to this size is taken in as it is: a full buffer has room for one more.
const SMALL_BYTES: usize = 16 * 1024;
const BUFFER_BYTES: usize = MAX_BYTES + SMALL_BYTES;

/// What became of the next row.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Row {
    /// It is in the batch.
    Added,
    /// More bytes are needed.
    Incomplete,
    /// The pipeline is gone, or the connector is to stop.
    Gone,
}

pub(super) struct Filling<'a> {
    pub(super) outlet: &'a mut Outlet,
    batch: Box<Batch>,
    buffer: BytesMut,
    /// The lease for a row that is larger than [`BUFFER_BYTES`].
    grown: Option<Lease>,
    marks: Marks,
    /// Index of the table's shape in the batch.
    slot: Option<u16>,
    pub(super) rows: u64,
    /// `rows` when the present table began.
    before: u64,
}

impl<'a> Filling<'a> {
    pub(super) fn new(outlet: &'a mut Outlet) -> Self {
        Self {
            outlet,
            batch: Box::default(),
            buffer: BytesMut::with_capacity(BUFFER_BYTES),
            grown: None,
            marks: Marks::default(),
            slot: None,
            rows: 0,
            before: 0,
        }
    }

    /// Begins a table.
    pub(super) fn table_begins(&mut self) {
        self.marks.table();
        self.slot = None;
        self.before = self.rows;
    }

    /// Ends a table. Returns how many rows it had.
    pub(super) fn table_ends(&mut self) -> u64 {
        let rows = self.rows - self.before;
        if rows > 0
            && let Some(held) = self.held()
        {
            held.mark = Marks::table_ended(held.mark);
        }
        rows
    }

    /// Adds the next row. Before that it sends the batch if the batch is full.
    pub(super) async fn row(
        &mut self,
        reader: &mut CopyReader,
        copied: &Copied,
        position: &Position,
    ) -> Result<Row, NotCopy> {
        let full = self.batch.items.len() >= MAX_ITEMS || self.buffer.len() >= MAX_BYTES;
        // Only when another row is there: the last row is held back until its mark is known.
        if full && reader.has_row() && !self.send().await {
            return Ok(Row::Gone);
        }
        let Some(row) = reader.row(&mut self.batch, &mut self.buffer)? else { return Ok(Row::Incomplete) };
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
        Ok(Row::Added)
    }

    /// Ends the copy: the last row gets the mark that says so, and the position of the finished copy. If there was no row, the
    /// position is sent by itself, but only if a stream follows.
    pub(super) fn end(&mut self, position: &Position, streams_after: bool) {
        if let Some(last) = self.held() {
            last.mark = Marks::ended();
            last.position = position.clone();
        }
        if self.rows == 0 && streams_after {
            self.batch.items.push(Item::Position(position.clone()));
        }
    }

    /// Makes room before a message is taken in. If the message does not fit into the buffer, the batch is sent first; if it
    /// is larger than the buffer, a lease is waited for. False when the pipeline is gone, or when it is time to stop.
    pub(super) async fn grow_for(&mut self, message_bytes: usize) -> bool {
        // The trailer of COPY is small too: it must not send the batch, because the row before it is held back.
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

    /// Sends the batch. False when the pipeline is gone, or when it is time to stop.
    pub(super) async fn send(&mut self) -> bool {
        // Lease now: when the batch takes this buffer, a new one is allocated.
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
