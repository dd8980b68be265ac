//! Reads columns of changes again from their tables, before a batch of the stream is sent.
//!
//! The changes that lack a column are looked for, and their rows are asked for over a connection of its own, many questions
//! at a time. The answers become cells of the changes' rows, so that everything behind (masks, conversion, SMTs) treats them
//! like any other.
//!
//! Must not know: SQL, how a connection is made, topics, records.

use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use record::{Batch, Item, Position, Span};

use super::plan::{Ask, Cells, Lack, Plans, lack, lacks};
use super::{Missed, Why};
use crate::Meters;

/// How many questions may be under way at a time.
const MOST_AT_A_TIME: usize = 32;
/// How many bytes the answers to them should have together, by the size of the last ones.
const AT_A_TIME_BYTES: usize = 256 * 1024;

/// What the connector found for a question: the cells of the row, or why there are none.
pub type Answer = Result<Found, Why>;

/// A database that is asked for rows by their keys.
pub trait Lookup: Send {
    /// What is needed to read a column.
    type Column: Send + Sync;
    /// What is needed to ask for a row.
    type Query: Send + Sync;
    /// Its errors, and what ends the task by `reselect.error.handling.mode=fail`.
    type Error: From<Missed> + Send;

    /// The rows that are asked for, in order. They must be as new as the changes: a log may have a transaction a moment before
    /// its rows can be seen.
    ///
    /// # Errors
    /// Those of the connection, which a later try may mend. What the server refuses is an [`Answer`].
    fn rows(
        &mut self,
        asks: &[Ask<'_, Self::Column, Self::Query>],
    ) -> impl Future<Output = Result<Vec<Answer>, Self::Error>> + Send;

    /// A change's position as messages name it.
    fn position(position: &Position) -> String;
}

/// A row that was found by its key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The columns that were asked for, in order; none for NULL.
    pub cells: Vec<Option<Bytes>>,
    /// Whether more rows have this key. This is the first.
    pub is_one_of_several: bool,
}

/// Reads columns again.
#[derive(Debug)]
pub struct Reselector<L> {
    /// Whom it asks.
    pub lookup: L,
    /// The size of the largest of the last answers.
    largest_bytes: usize,
    meters: Arc<Meters>,
}

/// A batch that is not closed yet.
pub(super) struct Unfinished<'a, C, Q> {
    pub(super) batch: &'a mut Batch,
    /// For each shape of the batch, what is done with its table.
    pub(super) plans: &'a [Plans<C, Q>],
    /// The bytes of the batch.
    pub(super) buffer: &'a [u8],
    /// The bytes that will stand behind them, with what was read so far.
    pub(super) more: &'a mut BytesMut,
}

impl<L: Lookup> Reselector<L> {
    /// One that has asked nothing yet.
    pub fn new(lookup: L, meters: Arc<Meters>) -> Self {
        Self { lookup, largest_bytes: AT_A_TIME_BYTES, meters }
    }

    /// Reads again what the items of the batch lack, from the item at `from` on and as many as is good at a time. Returns the
    /// index of the first item that is not done.
    ///
    /// # Errors
    /// Of the connection, which a later try may mend; and what ends the task by `reselect.error.handling.mode=fail`.
    pub(super) async fn fill(
        &mut self,
        from: usize,
        unfinished: Unfinished<'_, L::Column, L::Query>,
    ) -> Result<usize, L::Error> {
        let Unfinished { batch, plans, buffer, more } = unfinished;
        let most = (AT_A_TIME_BYTES / self.largest_bytes.max(1)).clamp(1, MOST_AT_A_TIME);
        let mut count = 0;
        let later = batch.items[from..].iter().position(|item| {
            count += usize::from(lacks(item, plans, &batch.spans));
            count > most
        });
        let end = later.map_or(batch.items.len(), |later| from + later);
        let rounds = plans.iter().flatten().map(|plans| plans.len()).max().unwrap_or(0);
        for round in 0..rounds {
            let items = batch.items[from..end].iter().enumerate().map(|(i, item)| (from + i, item));
            let wanting: Vec<_> = items.filter_map(|item| lack(item, plans, round, &batch.spans)).collect();
            if wanting.is_empty() {
                continue;
            }
            let answers = self.answers(&wanting, &Cells { spans: &batch.spans, buffer, more }).await?;
            self.largest_bytes = 0;
            for (lack, answer) in wanting.iter().zip(answers) {
                let before = more.len();
                let put = answer.and_then(|found| self.put(lack, &found, batch, buffer.len(), more));
                self.largest_bytes = self.largest_bytes.max(more.len() - before);
                if let Err(why) = put {
                    let missed = lack.plan.missed(why, L::position(&lack.position));
                    lack.plan.processor.settle(missed, &self.meters)?;
                }
            }
        }
        Ok(end)
    }

    /// What was found for each of these changes, in order.
    async fn answers(
        &mut self,
        wanting: &[Lack<'_, L::Column, L::Query>],
        cells: &Cells<'_>,
    ) -> Result<Vec<Answer>, L::Error> {
        let (mut asks, mut refused) = (Vec::with_capacity(wanting.len()), Vec::with_capacity(wanting.len()));
        for lack in wanting {
            match lack.ask(cells) {
                Ok(ask) => {
                    asks.push(ask);
                    refused.push(None);
                }
                Err(why) => refused.push(Some(why)),
            }
        }
        let rows = if asks.is_empty() { Vec::new() } else { self.lookup.rows(&asks).await? };
        let mut rows = rows.into_iter();
        let answer = |why: Option<Why>| why.map_or_else(|| rows.next().unwrap_or(Err(Why::NoRow)), Err);
        Ok(refused.into_iter().map(answer).collect())
    }

    /// Makes what was found cells of the change's row. Its bytes are added to `more`, which stands behind `base` other bytes.
    fn put(
        &self,
        lack: &Lack<'_, L::Column, L::Query>,
        found: &Found,
        batch: &mut Batch,
        base: usize,
        more: &mut BytesMut,
    ) -> Result<(), Why> {
        if found.is_one_of_several {
            let table = &lack.plan.table;
            self.meters.not_reselected(|| {
                format!("Re-selection detected multiple rows for the same key in table {table}, using first.")
            });
        }
        let bytes: usize = found.cells.iter().flatten().map(Bytes::len).sum();
        // Spans count in 32 bits, so where the last cell ends must fit too.
        let begin = base + more.len();
        let mut start = u32::try_from(begin + bytes).map(|_| begin as u32).map_err(|_| Why::TooLarge)?;
        let mut spans = Vec::with_capacity(found.cells.len());
        for cell in &found.cells {
            spans.push(match cell {
                None => Span::NULL,
                Some(bytes) => {
                    let span = Span { start, len: bytes.len() as u32 };
                    more.extend_from_slice(bytes);
                    start += span.len;
                    span
                }
            });
        }
        let row = lack.put(&spans, &mut batch.spans).ok_or(Why::TooLarge)?;
        if let Some(Item::Change(change)) = batch.items.get_mut(lack.item) {
            change.after = Some(row);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
