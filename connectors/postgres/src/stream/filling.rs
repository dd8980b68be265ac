//! The read buffer, and the batch that is made of it.
//!
//! Frames are decoded where they stand: the batch's cells are places in the buffer, and when the batch closes, the bytes
//! that were decoded go with it.

use bytes::{Buf, Bytes, BytesMut};
use record::{Batch, Item, Position};
use relational::Lease;

use crate::wire::frames::{Frame, Next, next_frame};

/// A batch closes at so many events,
const MAX_ITEMS: usize = 512;
/// or at so many bytes,
const MAX_BYTES: usize = 256 * 1024;
/// or when the socket is empty. The buffer has room for one more read.
const BUFFER_BYTES: usize = MAX_BYTES + 64 * 1024;
/// Less than this is copied out of the buffer, so that a trickle of small transactions does not cost a buffer each.
const SMALL_BYTES: usize = 16 * 1024;

/// What is being filled.
pub(super) struct Filling {
    pub(super) buffer: BytesMut,
    /// Bytes at the buffer's begin that have been decoded.
    parsed: usize,
    /// The part of the byte budget for a frame that is larger than the buffer.
    grown: Option<Lease>,
    pub(super) batch: Box<Batch>,
}

/// What a frame that has begun needs before the rest of it can be read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Room {
    /// Nothing: there is room for it.
    There,
    /// What has been decoded leaves first.
    AfterBatch,
    /// A part of the byte budget for all of it: the buffer must grow.
    Leased,
}

impl Filling {
    pub(super) fn new() -> Self {
        Self { buffer: BytesMut::with_capacity(BUFFER_BYTES), parsed: 0, grown: None, batch: Box::default() }
    }

    /// Whether the batch is to leave before more is decoded.
    pub(super) fn is_full(&self) -> bool {
        self.batch.items.len() >= MAX_ITEMS || self.parsed >= MAX_BYTES
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.batch.items.is_empty()
    }

    /// The next frame, if it is complete: its tag, and where its payload and its end are in the buffer.
    pub(super) fn frame(&self) -> Next {
        match next_frame(&self.buffer[self.parsed..]) {
            Next::Frame(Frame { tag, payload, consumed }) => Next::Frame(Frame {
                tag,
                payload: self.parsed + payload.start..self.parsed + payload.end,
                consumed: self.parsed + consumed,
            }),
            other => other,
        }
    }

    /// Makes room for an incomplete frame of `need_bytes`, as long as that takes no more memory than there is.
    pub(super) fn room_for(&mut self, need_bytes: usize) -> Room {
        if self.parsed + need_bytes > BUFFER_BYTES {
            if self.parsed > 0 {
                return Room::AfterBatch;
            }
            if self.grown.is_none() {
                return Room::Leased;
            }
        }
        let have_bytes = self.buffer.len() - self.parsed;
        self.buffer.reserve(need_bytes.saturating_sub(have_bytes));
        Room::There
    }

    /// Grows the buffer for a frame of `need_bytes`, which `lease` allows.
    pub(super) fn grow(&mut self, need_bytes: usize, lease: Lease) {
        self.grown = Some(lease);
        self.buffer.reserve(need_bytes.saturating_sub(self.buffer.len()));
    }

    /// Bytes that the batch takes with it.
    pub(super) fn used_bytes(&self) -> usize {
        self.parsed
    }

    /// The lease of the batch, when it is a frame that made the buffer grow: such a frame is alone in its batch.
    pub(super) fn lease(&mut self) -> Option<Lease> {
        self.grown.take_if(|_| self.parsed > BUFFER_BYTES)
    }

    /// A frame has been decoded.
    pub(super) fn decoded(&mut self, frame: &Frame) {
        self.parsed = frame.consumed;
    }

    /// The position of the last thing in the batch that has one.
    pub(super) fn last_position(&self) -> Option<&Position> {
        self.batch.items.iter().rev().find_map(|item| match item {
            Item::Position(position) => Some(position),
            Item::Change(change) => Some(&change.position),
            Item::Event(event) => event.position.as_ref(),
        })
    }

    /// The batch with its bytes; a new one begins. `None` when there is nothing in it.
    pub(super) fn take(&mut self) -> Option<Box<Batch>> {
        let used = std::mem::take(&mut self.parsed);
        if self.batch.items.is_empty() {
            self.batch.clear();
            if used > BUFFER_BYTES {
                // A large frame that nobody wants: its memory goes with its lease.
                drop(self.take_bytes(used));
                self.grown = None;
            } else {
                self.buffer.advance(used);
            }
            return None;
        }
        let mut batch = std::mem::take(&mut self.batch);
        batch.buffer = self.take_bytes(used);
        Some(batch)
    }

    /// The first bytes of the buffer, as the batch's own.
    fn take_bytes(&mut self, used: usize) -> Bytes {
        if used <= SMALL_BYTES {
            let bytes = Bytes::copy_from_slice(&self.buffer[..used]);
            self.buffer.advance(used);
            self.buffer.reserve(BUFFER_BYTES.saturating_sub(self.buffer.len()).min(SMALL_BYTES * 4));
            return bytes;
        }
        let bytes = self.buffer.split_to(used).freeze();
        let mut fresh = BytesMut::with_capacity(BUFFER_BYTES.max(self.buffer.len() + SMALL_BYTES));
        fresh.extend_from_slice(&self.buffer);
        self.buffer = fresh;
        bytes
    }
}

/// Where a reconnect goes on once this batch is with the pipeline.
pub(super) fn reached(batch: &Batch) -> Option<Position> {
    batch.items.iter().rev().find_map(|item| match item {
        Item::Position(position) => Some(position.clone()),
        Item::Change(change) => change.last.then(|| change.position.clone()),
        Item::Event(event) => event.position.clone(),
    })
}

#[cfg(test)]
mod tests;
