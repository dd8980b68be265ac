//! Puts copied rows into batches.
//!
//! The last row is always held back, because only what follows tells whether it was the last of its table, or of all.

use std::sync::Arc;

use bytes::BytesMut;
use record::{Batch, Change, Item, Op, Position, RowRef, Shape};

use crate::marks::Marks;
use crate::{Lease, MAX_BYTES, MAX_ITEMS, Outlet};

/// A message up to this size is taken in as it is: a full buffer has room for one more.
const SMALL_BYTES: usize = 16 * 1024;
const BUFFER_BYTES: usize = MAX_BYTES + SMALL_BYTES;

/// The batch of copied rows that is being filled.
pub struct CopiedRows<'a> {
    /// Where batches go.
    pub outlet: &'a mut Outlet,
    batch: Box<Batch>,
    buffer: BytesMut,
    /// The lease for a row that is larger than [`BUFFER_BYTES`].
    grown: Option<Lease>,
    marks: Marks,
    /// Index of the table's shape in the batch.
    slot: Option<u16>,
    /// How many rows there have been.
    pub rows: u64,
    /// `rows` when the present table began.
    before: u64,
}

impl<'a> CopiedRows<'a> {
    /// Nothing is copied yet.
    pub fn new(outlet: &'a mut Outlet) -> Self {
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
    pub fn table_begins(&mut self) {
        self.marks.table();
        self.slot = None;
        self.before = self.rows;
    }

    /// Ends a table. Returns how many rows it had.
    pub fn table_ends(&mut self) -> u64 {
        let rows = self.rows - self.before;
        if rows > 0
            && let Some(held) = self.held()
        {
            held.mark = Marks::table_ended(held.mark);
        }
        rows
    }

    /// Whether the batch is to be sent before the next row is added. Send it only when another row is there: the last row is
    /// held back until its mark is known.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.batch.items.len() >= MAX_ITEMS || self.buffer.len() >= MAX_BYTES
    }

    /// The batch, whose spans the next row's cells are appended to, and the buffer, which their bytes are appended to.
    #[inline]
    pub fn parts(&mut self) -> (&mut Batch, &mut BytesMut) {
        (&mut self.batch, &mut self.buffer)
    }

    /// Adds a row whose cells are in the batch. All rows of a table have the same shape.
    #[inline]
    pub fn add(&mut self, row: RowRef, shape: &Arc<Shape>, position: &Position) {
        let slot = if let Some(slot) = self.slot {
            slot
        } else {
            self.batch.shapes.push(Arc::clone(shape));
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
    }

    /// Ends the copy: the last row gets the mark that says so, and the position of the finished copy. If there was no row, the
    /// position is sent by itself, but only if a stream follows.
    pub fn end(&mut self, position: &Position, streams_after: bool) {
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
    pub async fn grow_for(&mut self, message_bytes: usize) -> bool {
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
    pub async fn send(&mut self) -> bool {
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
