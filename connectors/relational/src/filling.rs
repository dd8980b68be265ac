//! The read buffer, and the batch that is made of it.
//!
//! Frames of the log are decoded where they stand: the batch's cells are offsets into the buffer. When the batch closes, it
//! takes the decoded bytes with it. What a frame is, only the connector knows: it looks at the [`unread`](Filling::unread)
//! bytes, and says up to where it has decoded them.

use bytes::{Buf, Bytes, BytesMut};
use record::{Batch, Item, Position};

use crate::Lease;

/// A batch closes at this many events or copied rows. A batch of the stream closes earlier when the socket is empty and the
/// pipeline is free.
pub const MAX_ITEMS: usize = 512;
/// A batch closes at this many bytes.
pub const MAX_BYTES: usize = 256 * 1024;
/// The size of the buffer: a full batch and one more read.
const BUFFER_BYTES: usize = MAX_BYTES + 64 * 1024;
/// The bytes of a batch up to this size are copied out of the buffer, so that a trickle of small transactions does not cost a
/// new buffer each.
const SMALL_BYTES: usize = 16 * 1024;

/// The buffer and the batch that are being filled.
#[derive(Debug)]
pub struct Filling {
    /// The bytes of the present batch, and behind them what has been read beyond it. Bytes are appended here.
    pub buffer: BytesMut,
    /// Bytes at the buffer's begin that have been decoded.
    parsed: usize,
    /// The lease for a frame that is larger than [`BUFFER_BYTES`].
    grown: Option<Lease>,
    /// The batch so far.
    pub batch: Box<Batch>,
}

/// What an incomplete frame needs before the rest of it can be read.
#[derive(Debug, PartialEq, Eq)]
pub enum Room {
    /// Nothing: there is room for the frame.
    There,
    /// The batch must be sent first.
    AfterBatch,
    /// A lease for the whole frame: the buffer must grow.
    Leased,
}

impl Default for Filling {
    fn default() -> Self {
        Self { buffer: BytesMut::with_capacity(BUFFER_BYTES), parsed: 0, grown: None, batch: Box::default() }
    }
}

impl Filling {
    /// Whether the batch is to be sent before more is decoded.
    #[inline]
    pub fn is_full(&self) -> bool {
        self.batch.items.len() >= MAX_ITEMS || self.parsed >= MAX_BYTES
    }

    /// Whether there is nothing to send.
    pub fn is_empty(&self) -> bool {
        self.batch.items.is_empty()
    }

    /// The bytes that are not decoded yet; they begin with the next frame.
    pub fn unread(&self) -> &[u8] {
        &self.buffer[self.parsed..]
    }

    /// Makes room for an incomplete frame of `need_bytes`, if it fits into [`BUFFER_BYTES`] or a lease is held for it.
    pub fn room_for(&mut self, need_bytes: usize) -> Room {
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
    pub fn grow(&mut self, need_bytes: usize, lease: Lease) {
        self.grown = Some(lease);
        self.buffer.reserve(need_bytes.saturating_sub(self.buffer.len()));
    }

    /// How many bytes of the buffer have been decoded. The batch will take them with it.
    #[inline]
    pub fn used_bytes(&self) -> usize {
        self.parsed
    }

    /// The lease that [`grow`](Self::grow) was given, if the batch holds the large frame, which is then alone in it.
    pub fn lease(&mut self) -> Option<Lease> {
        self.grown.take_if(|_| self.parsed > BUFFER_BYTES)
    }

    /// Notes that everything before this index of the buffer has been decoded.
    pub fn decoded(&mut self, end: usize) {
        self.parsed = end;
    }

    /// The last position in the batch.
    pub fn last_position(&self) -> Option<&Position> {
        self.batch.items.iter().rev().find_map(|item| match item {
            Item::Position(position) => Some(position),
            Item::Change(change) => Some(&change.position),
            Item::Event(event) => event.position.as_ref(),
        })
    }

    /// Takes the batch with its bytes, and begins a new one. `None` if the batch is empty.
    pub fn take(&mut self) -> Option<Box<Batch>> {
        let used = std::mem::take(&mut self.parsed);
        if self.batch.items.is_empty() {
            self.batch.clear();
            if used > BUFFER_BYTES {
                // A large frame that gave no event: its memory is freed together with its lease.
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

    /// The bytes of the batch so far, and the batch.
    pub fn parts(&mut self) -> (&[u8], &mut Batch) {
        (&self.buffer[..self.parsed], &mut self.batch)
    }

    /// As [`take`](Self::take), but only with the first `count` items; the others stay. The bytes of `more` are put behind the
    /// batch's own. The rows of the others may not refer to them.
    pub fn take_first(&mut self, count: usize, more: &[u8]) -> Option<Box<Batch>> {
        let is_all = count >= self.batch.items.len();
        if is_all && more.is_empty() {
            return self.take();
        }
        let mut buffer = BytesMut::with_capacity(self.parsed + more.len());
        buffer.extend_from_slice(&self.buffer[..self.parsed]);
        buffer.extend_from_slice(more);
        let mut first = if is_all {
            let used = std::mem::take(&mut self.parsed);
            if used > BUFFER_BYTES {
                drop(self.take_bytes(used));
            } else {
                self.buffer.advance(used);
            }
            std::mem::take(&mut self.batch)
        } else {
            let items = self.batch.items.drain(..count).collect();
            let (spans, shapes) = (self.batch.spans.clone(), self.batch.shapes.clone());
            Box::new(Batch { items, spans, shapes, ..Batch::default() })
        };
        first.buffer = buffer.freeze();
        Some(first)
    }

    /// Takes the first `used` bytes out of the buffer.
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

/// The position from which a reconnect goes on once the pipeline has this batch; `None` if it is the same as before.
pub fn reached(batch: &Batch) -> Option<Position> {
    batch.items.iter().rev().find_map(Item::reached).cloned()
}

#[cfg(test)]
mod tests;
