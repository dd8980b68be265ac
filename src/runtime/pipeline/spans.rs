//! The spans of a task's batches and copies. A pipeline has them only where traces are exported.
//!
//! The span of a batch (`batch`) goes from the moment at which the connector handed it over to the broker's acknowledgement of its
//! last record. In it stand the wait for the pipeline (`batch.queue`), transforms and converters with the hand-over to the
//! producer (`batch.convert`), and the delivery (`batch.deliver`). The span of a copy (`snapshot`) has one for each table that
//! has rows (`snapshot.table`), to the conversion of its last row.
//!
//! Must not know: how spans are sent, transforms, converters.

use std::sync::Arc;

use record::{Batch, Item, SnapshotMark};
use relational::CopyState;

use super::scratch::Counts;
use crate::runtime::failure::Failure;
use crate::runtime::ledger::Ledger;
use crate::runtime::traces::{Context, Delivering, Kind, Span, Tracer, Waiting, now_ns};

/// What makes the spans.
pub(crate) struct Spans {
    tracer: Tracer,
    connector: Arc<str>,
    waiting: Arc<Waiting>,
    /// The copy that goes on.
    copy: Option<Span>,
    /// Its tables that have rows and are not at their end.
    tables: Vec<Table>,
}

/// A table that is copied.
struct Table {
    name: Arc<str>,
    span: Span,
    rows: u64,
    /// When its last row so far was converted, in nanoseconds since 1970.
    reached_ns: i64,
}

impl Table {
    fn end(mut self) {
        self.span.set("afterimage.rows", self.rows);
        self.span.end_at(self.reached_ns);
    }
}

impl Spans {
    /// What makes the spans of a task; none where traces are off. `waiting` gets the batches that are under way.
    pub(crate) fn of(tracer: &Tracer, connector: &Arc<str>, waiting: Option<&Arc<Waiting>>) -> Option<Self> {
        let waiting = Arc::clone(waiting?);
        Some(Self { tracer: tracer.clone(), connector: Arc::clone(connector), waiting, copy: None, tables: Vec::new() })
    }

    fn begin(&self, name: &'static str, kind: Kind, parent: Option<&Context>) -> Option<Span> {
        let mut span = self.tracer.begin(name, kind, parent)?;
        span.set("afterimage.connector", &self.connector);
        span.set("afterimage.task", 0_i64);
        Some(span)
    }

    /// A batch was converted; it was taken at `taken_ns`.
    pub(super) fn batch(
        &mut self,
        batch: &Batch,
        counts: &Counts,
        taken_ns: i64,
        outcome: &Result<(), Failure>,
        ledger: &Ledger,
    ) {
        // A batch may only say how far the log was read.
        if counts.polled == 0 && outcome.is_ok() {
            return;
        }
        let handed_ns = now_ns();
        if counts.reads > 0 {
            self.rows(batch, handed_ns);
        }
        let Some(mut span) = self.begin("batch", Kind::Producer, None) else { return };
        if !span.is_recorded() {
            return;
        }
        let read_ns = batch.read_ns.unwrap_or(taken_ns).min(taken_ns);
        span.begun_at(read_ns);
        if batch.read_ns.is_some() {
            let mut queue = span.child("batch.queue");
            queue.begun_at(read_ns);
            queue.end_at(taken_ns);
        }
        span.set("messaging.system", "kafka");
        span.set("messaging.batch.message_count", counts.sent);
        span.set("afterimage.batch.records", counts.polled);
        span.set("afterimage.batch.dropped", counts.dropped);
        span.set("afterimage.batch.bytes", counts.sent_bytes);
        span.set("afterimage.batch.copied_rows", counts.reads);
        if let Some(source_ms) = counts.source_ms {
            // Not below zero, whatever the two clocks say.
            span.set("afterimage.lag_ms", (taken_ns / 1_000_000 - source_ms).max(0));
        }
        let mut convert = span.child("batch.convert");
        convert.begun_at(taken_ns);
        // A task that is stopped has not failed.
        if let Some(failure) = outcome.as_ref().err().filter(|failure| !failure.is_stop()) {
            convert.fail(failure.class().to_owned());
            span.fail(failure.class().to_owned());
        }
        convert.end_at(handed_ns);
        if counts.sent == 0 {
            return span.end_at(handed_ns);
        }
        // Records were sent, so numbers were given.
        let last = ledger.given().saturating_sub(1);
        self.waiting.add(Delivering { span, last, handed_ns, acknowledged_ns: None });
        // The last record may have been acknowledged before it was waited for.
        ledger.advance();
        self.waiting.settle(|number| ledger.covers(number));
    }

    /// The copied rows of a batch, which were converted by now.
    fn rows(&mut self, batch: &Batch, reached_ns: i64) {
        for item in &batch.items {
            let Item::Change(change) = item else { continue };
            if matches!(change.mark, SnapshotMark::Streamed | SnapshotMark::Incremental) {
                continue;
            }
            let name = &batch.shapes[usize::from(change.shape)].table;
            let at = self.tables.iter().position(|table| Arc::ptr_eq(&table.name, name) || table.name == *name);
            let at = at.or_else(|| {
                let parent = self.copy.as_ref().map(Span::context);
                let mut span = self.begin("snapshot.table", Kind::Internal, parent)?;
                span.set("afterimage.table", name);
                self.tables.push(Table { name: Arc::clone(name), span, rows: 0, reached_ns });
                Some(self.tables.len() - 1)
            });
            let Some(at) = at else { return };
            let table = &mut self.tables[at];
            table.rows += 1;
            table.reached_ns = reached_ns;
            if matches!(change.mark, SnapshotMark::LastInCollection | SnapshotMark::Last) {
                self.tables.swap_remove(at).end();
            }
        }
    }

    /// How far a copy is.
    pub(super) fn copy(&mut self, state: CopyState) {
        match state {
            CopyState::Begins => {
                self.copy_fails();
                self.copy = self.begin("snapshot", Kind::Internal, None);
            }
            CopyState::Ends => {
                self.tables.drain(..).for_each(Table::end);
                self.copy = None;
            }
            CopyState::Fails => self.copy_fails(),
        }
    }

    fn copy_fails(&mut self) {
        for mut table in self.tables.drain(..) {
            table.span.fail("interrupted");
            table.end();
        }
        if let Some(mut copy) = self.copy.take() {
            copy.fail("interrupted");
        }
    }

    /// What is under way is dropped, though it will count as delivered.
    pub(super) fn give_up(&self) {
        self.waiting.give_up();
    }
}

impl Drop for Spans {
    /// The pipeline ends. A copy that was not complete begins anew at the next start.
    fn drop(&mut self) {
        self.copy_fails();
    }
}
