//! Sends what the readers read, and gives the rows their marks (`source.snapshot`).
//!
//! Purpose: which row is the first or the last of its table, or of the copy, shows only here, where the rows of all readers meet.
//! The last batch of each part of a table is held back until it shows. What is held back has no lease: a row that is larger
//! than the budget could otherwise wait for the lease of a row that waits for it.
//!
//! Must not know: SQL, how rows are read.

use record::{Batch, Change, Event, Item, Position, SnapshotMark};
use relational::{Lease, Outlet};

use super::after_copy;

/// See the module.
pub(super) struct Sending<'a> {
    outlet: &'a Outlet,
    /// A record that goes before the first row.
    before: Option<Event>,
    /// The tables, in their order.
    tables: Vec<Progress>,
    /// The last rows of the table that ended last.
    last: Option<Box<Batch>>,
    /// How many rows there have been.
    pub(super) rows: u64,
}

/// How far a table is.
#[derive(Debug, Default)]
struct Progress {
    has_begun: bool,
    /// How many of its parts are not read to their end.
    parts: usize,
    /// The last rows of the part that ended last.
    held: Option<Box<Batch>>,
    rows: u64,
}

fn change_of(item: &mut Item) -> Option<&mut Change> {
    if let Item::Change(change) = item { Some(change) } else { None }
}

impl<'a> Sending<'a> {
    /// Nothing is sent yet. `parts` is how many parts each table has.
    pub(super) fn new(outlet: &'a Outlet, before: Option<Event>, parts: &[usize]) -> Self {
        let tables = parts.iter().map(|parts| Progress { parts: *parts, ..Progress::default() }).collect();
        Self { outlet, before, tables, last: None, rows: 0 }
    }

    /// Sends rows of a table, behind which more rows of the same part follow. False when the connector is to stop.
    pub(super) async fn rows(&mut self, table: usize, mut batch: Box<Batch>, lease: Lease) -> bool {
        // These rows come after them.
        if let Some(last) = self.last.take()
            && !self.send_held(last).await
        {
            return false;
        }
        self.begin(table, &mut batch);
        self.send(batch, lease).await
    }

    /// A part of a table is read to its end; `rows` are the last ones. Returns how many rows the table had, if this was its last
    /// part, and whether to go on.
    pub(super) async fn part_ends(&mut self, table: usize, rows: Option<Box<Batch>>) -> (Option<u64>, bool) {
        let progress = &mut self.tables[table];
        progress.parts -= 1;
        let is_end = progress.parts == 0;
        let older = rows.and_then(|rows| progress.held.replace(rows));
        if let Some(mut older) = older {
            self.begin(table, &mut older);
            if !self.send_held(older).await {
                return (None, false);
            }
        }
        if !is_end {
            return (None, true);
        }
        if let Some(mut held) = self.tables[table].held.take() {
            self.begin(table, &mut held);
            if let Some(last) = held.items.last_mut().and_then(change_of)
                && last.mark != SnapshotMark::First
            {
                last.mark = SnapshotMark::LastInCollection;
            }
            if let Some(last) = self.last.replace(held)
                && !self.send_held(last).await
            {
                return (None, false);
            }
        }
        self.outlet.meters.count(|numbers| numbers.snapshot.table_ends());
        (Some(self.tables[table].rows), true)
    }

    /// Sends what is held back, now that all tables are read. The last row gets the position of the finished copy, which is
    /// returned; `None` if there was no row. The record before the first row is returned if it was not sent.
    pub(super) async fn end(mut self) -> Result<(Option<Position>, Option<Event>), Stopped> {
        let mut finished = None;
        if let Some(mut last) = self.last.take() {
            if let Some(change) = last.items.last_mut().and_then(change_of) {
                change.mark = SnapshotMark::Last;
                change.position = after_copy(change.position.clone());
                finished = Some(change.position.clone());
            }
            if !self.send_held(last).await {
                return Err(Stopped);
            }
        }
        Ok((finished, self.before))
    }

    /// Marks the first row of a table, and counts.
    fn begin(&mut self, table: usize, batch: &mut Batch) {
        let progress = &mut self.tables[table];
        progress.rows += batch.items.len() as u64;
        self.rows += batch.items.len() as u64;
        if !std::mem::replace(&mut progress.has_begun, true)
            && let Some(first) = batch.items.first_mut().and_then(change_of)
        {
            // Only a row of the first table is marked `first`: when that table is empty, no row is.
            first.mark = if table == 0 { SnapshotMark::First } else { SnapshotMark::FirstInCollection };
        }
    }

    async fn send_held(&mut self, batch: Box<Batch>) -> bool {
        match self.outlet.lease_or_stop(batch.buffer.len()).await {
            Some(lease) => self.send(batch, lease).await,
            None => false,
        }
    }

    async fn send(&mut self, mut batch: Box<Batch>, lease: Lease) -> bool {
        if let Some(event) = self.before.take() {
            batch.items.insert(0, Item::Event(Box::new(event)));
        }
        self.outlet.send(batch, lease).await
    }
}

/// The connector is to stop.
#[derive(Debug)]
pub(super) struct Stopped;
