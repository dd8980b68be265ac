//! Keeps batches until their records are delivered, so that a record that the broker refuses can still be made as it was before
//! the chain. Only connectors that write letters keep them. The bytes stay leased meanwhile, so the byte budget bounds them.
//!
//! Must not know: how records are sent.

use std::fmt;
use std::sync::Arc;

use record::{Batch, Change, Header, Item, Position, Record, SnapshotMark};
use relational::Lease;

use super::desk::{Case, Desk};
use crate::runtime::failure::Failure;
use crate::runtime::pipeline::records;
use crate::sink::Sink;

/// Headers that every row's record of the connector has, as the transforms see them.
pub(crate) type ContextHeaders = Arc<[Header<'static>]>;

/// A batch, with the lease for its buffer.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) batch: Box<Batch>,
    _lease: Lease,
}

impl Held {
    pub(crate) fn new(batch: Box<Batch>, lease: Lease) -> Self {
        Self { batch, _lease: lease }
    }
}

/// Where a record of a batch is found again.
#[derive(Clone)]
pub(crate) struct Kept {
    held: Arc<Held>,
    /// The index of its event in the batch.
    item: u32,
    /// Its place among the records of the event.
    nth: u8,
    /// When it was sent, in milliseconds since 1970.
    timestamp_ms: i64,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The batch holds data.
        f.debug_struct("Kept").field("item", &self.item).field("nth", &self.nth).finish_non_exhaustive()
    }
}

impl PartialEq for Kept {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.held, &other.held) && (self.item, self.nth) == (other.item, other.nth)
    }
}

impl Eq for Kept {}

/// Whether a change's position, topic and key name its record alone. Copied rows share a position, and the key of a record need
/// not be that of one row (`message.key.columns`, topics that several tables share).
pub(crate) fn is_named(change: &Change) -> bool {
    change.mark == SnapshotMark::Streamed
}

impl Kept {
    pub(crate) fn new(held: &Arc<Held>, item: u32, nth: u8, timestamp_ms: i64) -> Self {
        Self { held: Arc::clone(held), item, nth, timestamp_ms }
    }

    /// Writes the record's letter.
    ///
    /// # Errors
    /// When the letter cannot be written.
    pub(crate) fn letter(
        &self,
        context: &ContextHeaders,
        (failure, class): (&Failure, &str),
        seq: u64,
        desk: &mut Desk,
        sink: &dyn Sink,
    ) -> Result<(), Failure> {
        let mut write = |record: &Record<'_>, position: Option<&Position>, by_position| {
            let (nth, timestamp_ms) = (self.nth, self.timestamp_ms);
            desk.write(&Case { failure, class, record, position, nth, by_position, timestamp_ms }, seq, sink)
        };
        let batch = &*self.held.batch;
        match batch.items.get(self.item as usize) {
            Some(Item::Change(change)) => {
                let (mut before, mut after, mut other) = (Vec::new(), Vec::new(), Vec::new());
                let cells = [&mut before, &mut after, &mut other];
                records::of_change(batch, change, context, cells, self.timestamp_ms * 1_000_000, |record, nth| {
                    if nth != self.nth {
                        return Ok(());
                    }
                    write(&record, Some(&change.position), is_named(change))
                })
            }
            Some(Item::Event(event)) => write(&records::of_event(event, context), event.position.as_ref(), false),
            Some(Item::Position(_)) | None => Ok(()),
        }
    }
}
