//! Adds what a batch was to the task's meters.
//!
//! Must not know: what becomes of a record.

use std::sync::Arc;

use record::{Batch, Item, Position, Shape, SnapshotMark, SourceField};
use tokio::time::Instant;

use super::Pipeline;
use super::scratch::{Counts, Scratch};

impl Pipeline {
    /// Adds a batch's counts to the meters, and gives them.
    pub(super) fn count(&self, batch: &Batch, begun: Instant, scratch: &mut Scratch) -> Counts {
        let counts = std::mem::take(&mut scratch.counts);
        if counts.reads > 0 {
            copied_rows(batch, &mut scratch.copied);
        }
        let copied = &scratch.copied;
        let now_ms = scratch.now_ns / 1_000_000;
        self.reporter.meters.count(|numbers| {
            numbers.reads += counts.reads;
            numbers.creates += counts.creates;
            numbers.updates += counts.updates;
            numbers.deletes += counts.deletes;
            numbers.others += counts.others;
            numbers.filtered += u64::from(batch.filtered);
            numbers.unchanged = numbers.unchanged.map(|count| count + u64::from(batch.unchanged));
            numbers.transactions += u64::from(batch.transactions);
            numbers.queued = numbers.queued.saturating_sub(1);
            numbers.queued_events = numbers.queued_events.saturating_sub(batch.items.len() as u64);
            numbers.queued_bytes = numbers.queued_bytes.saturating_sub(batch.buffer.len() as u64);
            numbers.polled += counts.polled;
            numbers.sent += counts.sent;
            numbers.sent_bytes += counts.sent_bytes;
            numbers.dropped += counts.dropped;
            if let Some(source_ms) = counts.source_ms {
                // Not below zero, whatever the two clocks say.
                let lag_ms = (now_ms - source_ms).max(0);
                numbers.last_event_ms = Some(now_ms);
                numbers.lag_ms = Some(lag_ms);
                numbers.lags.add(lag_ms);
            }
            if counts.reads > 0 {
                numbers.snapshot.last_event_ms = Some(now_ms);
                let rows = &mut numbers.snapshot.rows;
                for (shape, count) in batch.shapes.iter().zip(copied).filter(|(_, count)| **count > 0) {
                    *rows.entry(Arc::clone(&shape.table)).or_default() += count;
                }
            }
            if counts.polled > 0 {
                let at = Instant::now();
                numbers.batch_records.add(at, counts.polled as f64);
                numbers.batch_ms.add(at, at.duration_since(begun).as_secs_f64() * 1000.0);
                numbers.under_way += counts.polled;
                numbers.active.add(at, numbers.under_way as f64);
            }
        });
        // After the records are counted as under way, because from here on another thread may count them as acknowledged.
        if counts.polled > 0 {
            self.ledger.batch_ends(counts.polled, counts.sent, counts.source_ms);
        }
        counts
    }
}

/// Counts the copied rows of a batch, one count for each of its shapes.
fn copied_rows(batch: &Batch, counts: &mut Vec<u64>) {
    counts.clear();
    counts.resize(batch.shapes.len(), 0);
    for item in &batch.items {
        if let Item::Change(change) = item
            && change.mark != SnapshotMark::Streamed
        {
            counts[usize::from(change.shape)] += 1;
        }
    }
}

/// When the source wrote an event, in milliseconds since 1970, if its source block says so.
pub(super) fn source_ms(shape: &Shape, position: &Position) -> Option<i64> {
    let slot = shape.source.fields.iter().find_map(|field| match field {
        SourceField::Millis(slot) => Some(*slot),
        _ => None,
    })?;
    position.word(slot).map(|us| us.div_euclid(1000))
}
