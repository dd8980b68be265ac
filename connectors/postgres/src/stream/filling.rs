//! The read buffer, and the batch that is made of it.
//!
//! Frames are decoded where they stand: the batch's cells are places in the buffer, and when the batch closes, the bytes
//! that were decoded go with it.

use bytes::{Buf, Bytes, BytesMut};
use record::{Batch, Item, Position};

use crate::wire::frames::{BadFrame, Frame, Next, next_frame};

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
    pub(super) batch: Box<Batch>,
}

impl Filling {
    pub(super) fn new() -> Self {
        Self { buffer: BytesMut::with_capacity(BUFFER_BYTES), parsed: 0, batch: Box::default() }
    }

    /// Whether the batch is to leave before more is decoded.
    pub(super) fn is_full(&self) -> bool {
        self.batch.items.len() >= MAX_ITEMS || self.parsed >= MAX_BYTES
    }

    /// Whether there is nothing to send.
    pub(super) fn is_empty(&self) -> bool {
        self.batch.items.is_empty()
    }

    /// The next complete frame: its tag, and where its payload and its end are in the buffer. `None` when more must be
    /// read.
    pub(super) fn frame(&mut self) -> Result<Option<Frame>, BadFrame> {
        match next_frame(&self.buffer[self.parsed..]) {
            Next::Frame(Frame { tag, payload, consumed }) => Ok(Some(Frame {
                tag,
                payload: self.parsed + payload.start..self.parsed + payload.end,
                consumed: self.parsed + consumed,
            })),
            Next::Incomplete { need } => {
                let have = self.buffer.len() - self.parsed;
                self.buffer.reserve(need.saturating_sub(have));
                Ok(None)
            }
            Next::Bad(bad) => Err(bad),
        }
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
            self.buffer.advance(used);
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
