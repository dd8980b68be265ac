//! A connection that reads tables, one part after another, all in one transaction.
//!
//! Rows are found where they stand in the read buffer, which goes with the batch into the pipeline.
//!
//! Must not know: which marks rows get, locks.

use std::sync::Arc;
use std::time::Duration;

use record::{Change, Item, Op, Position, RowRef, SnapshotMark, Span};
use relational::{Filling, Outlet, Room};
use tokio::sync::Mutex;
use tokio::time::Instant;

use super::sending::Sending;
use super::structure::is_of_dropped_table;
use super::table::{Part, Table, moved};
use crate::error::Error;
use crate::position::TS_US;
use crate::sql::Sql;
use crate::wire::{ConnectOptions, NextRow};

/// How often the log tells how far a table is.
const TELL_EVERY: Duration = Duration::from_secs(10);
/// More than the packet at the end of the rows has.
const END_BYTES_MAX: usize = 1024;

/// See the module.
#[derive(Debug)]
pub(super) struct Reader {
    pub(super) sql: Sql,
    filling: Filling,
}

/// How the reading of a part ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// All its rows are handed on.
    Done,
    /// The transaction cannot show the table any more, because DDL has changed or dropped it since.
    Changed,
    /// The connector is to stop.
    Interrupted,
}

/// No such column, a definition that is newer than the transaction: what DDL since its begin leads to, unless the table was dropped.
const CHANGED: [u16; 2] = [1054, 1412];

/// Whether an error means that DDL has changed the table since the transaction began.
pub(super) fn is_of_changed_table(error: &Error) -> bool {
    is_of_dropped_table(error) || error.number().is_some_and(|number| CHANGED.contains(&number))
}

impl Reader {
    /// Connects. `in_utc`: whether times are read in UTC.
    pub(super) async fn open(options: &ConnectOptions, in_utc: bool, lock_timeout_s: u64) -> Result<Self, Error> {
        let mut sql = Sql::connect(options).await?;
        sql.prepare_reading(in_utc).await?;
        if let Err(error) = sql.lock_timeout(lock_timeout_s).await {
            tracing::warn!(%error, "the time that locks are waited for could not be set");
        }
        Ok(Self { sql, filling: Filling::default() })
    }

    /// Cuts a table into at most `parts` parts of about `rows` rows.
    pub(super) async fn cut(&mut self, table: &Table, parts: usize, rows: u64) -> Result<Vec<Part>, Error> {
        self.sql.enter_tables().await?;
        let mut found = vec![Part::default()];
        while found.len() < parts {
            let from = found.last().and_then(|part| part.from.clone());
            let Some(find) = table.query.find_end(from.as_deref(), rows) else { break };
            let doing = format!("cutting {} into parts", table.query.id);
            let answer = match self.sql.query(&doing, &find).await {
                Ok(answer) => answer,
                // The one who reads the table will meet it again.
                Err(error) if is_of_changed_table(&error) => break,
                Err(error) => return Err(error),
            };
            let Some(end) = answer.first().and_then(|row| row.text(0)).map(|text| table.query.bound(text)) else {
                break;
            };
            // More rows than a part has share the value: the part would be empty.
            if from.as_ref() == Some(&end) {
                break;
            }
            if let Some(last) = found.last_mut() {
                last.to = Some(end.clone());
            }
            found.push(Part { from: Some(end), to: None });
        }
        self.sql.leave_tables().await?;
        Ok(found)
    }

    /// Reads a part of a table and hands its rows on.
    pub(super) async fn read(
        &mut self,
        table: &Table,
        part: &Part,
        position: &Position,
        outlet: &Outlet,
        sending: &Mutex<Sending<'_>>,
    ) -> Result<Ended, Error> {
        self.sql.enter_tables().await?;
        let ended = match self.rows(table, part, position, outlet, sending).await {
            Ok(ended) => ended,
            Err(error) if is_of_changed_table(&error) => {
                tracing::warn!(table = %table.query.id, %error, "the table was changed after the copy began: it is read by itself, as it \
                    is now, and what changed since the copy began comes once more");
                self.filling = Filling::default();
                Ended::Changed
            }
            Err(error) => return Err(error),
        };
        if ended != Ended::Interrupted {
            self.sql.leave_tables().await?;
        }
        Ok(ended)
    }

    async fn rows(
        &mut self,
        table: &Table,
        part: &Part,
        position: &Position,
        outlet: &Outlet,
        sending: &Mutex<Sending<'_>>,
    ) -> Result<Ended, Error> {
        let Self { sql, filling } = self;
        let mut position = position.clone();
        position.words[TS_US] = sql.now_ms().await? * 1000;
        let doing = format!("copying the rows of {}", table.query.id);
        let mut rows = sql.rows(&doing, &table.query.select(part), table.is_binary).await?;
        let places = table.query.places(rows.columns())?;
        let mut scratch: Vec<Span> = Vec::new();
        let (mut count, mut tell) = (0_u64, Instant::now() + TELL_EVERY);
        let end = loop {
            let (from, first) = (filling.used_bytes(), filling.batch.spans.len());
            let Filling { buffer, batch, .. } = &mut *filling;
            match rows.next(buffer, from, &mut batch.spans)? {
                NextRow::Row { mut end } => {
                    let mut first = first;
                    if filling.is_full() {
                        // Sent only now that another row is there: the last one of a part is held back.
                        let spans = filling.batch.spans.split_off(first);
                        if !send(filling, table.index, outlet, sending).await {
                            return Ok(Ended::Interrupted);
                        }
                        filling.batch.spans.extend(spans.into_iter().map(|span| moved(span, from)));
                        (first, end) = (0, end - from);
                        if Instant::now() >= tell {
                            tell += TELL_EVERY;
                            tracing::info!(table = %table.query.id, rows = count, "the table is being copied");
                        }
                    }
                    add(filling, table, first, places.as_deref(), &mut scratch, &position);
                    filling.decoded(end);
                    count += 1;
                }
                NextRow::Incomplete { need } => {
                    // So long a packet is a row: the batch before it may be sent.
                    if need > END_BYTES_MAX {
                        match filling.room_for(need) {
                            Room::There => {}
                            Room::AfterBatch => {
                                if !send(filling, table.index, outlet, sending).await {
                                    return Ok(Ended::Interrupted);
                                }
                                continue;
                            }
                            Room::Leased => match outlet.lease_or_stop(need).await {
                                Some(lease) => filling.grow(need, lease),
                                None => return Ok(Ended::Interrupted),
                            },
                        }
                    }
                    rows.fill(&mut filling.buffer).await?;
                }
                NextRow::End { end } => break end,
            }
        };
        // The rows are held back, and what is held back has no lease.
        let end = end - filling.used_bytes();
        drop(filling.lease());
        let last = filling.take();
        filling.decoded(end);
        filling.take();
        let (whole, goes_on) = sending.lock().await.part_ends(table.index, last).await;
        if let Some(rows) = whole {
            tracing::info!(table = %table.query.id, rows, "a table is copied");
        }
        Ok(if goes_on { Ended::Done } else { Ended::Interrupted })
    }
}

/// Adds a row. The answer's cells are those of the batch from `first` on; `places` says where among them the row's are, if they
/// are not the same.
#[inline]
fn add(
    filling: &mut Filling,
    table: &Table,
    first: usize,
    places: Option<&[Option<usize>]>,
    scratch: &mut Vec<Span>,
    position: &Position,
) {
    let batch = &mut filling.batch;
    if let Some(places) = places {
        scratch.clear();
        scratch.extend(batch.spans.drain(first..));
        let cell = |place: &Option<usize>| place.and_then(|place| scratch.get(place)).copied().unwrap_or(Span::NULL);
        batch.spans.extend(places.iter().map(cell));
    }
    if batch.shapes.is_empty() {
        batch.shapes.push(Arc::clone(&table.shape));
    }
    let row = RowRef { first: first as u32, count: (batch.spans.len() - first) as u16 };
    let mark = SnapshotMark::True;
    batch.items.push(Item::Change(Change { after: Some(row), mark, ..Change::new(0, Op::Read, position.clone()) }));
}

/// Sends the batch. False when the connector is to stop.
async fn send(filling: &mut Filling, table: usize, outlet: &Outlet, sending: &Mutex<Sending<'_>>) -> bool {
    let mut lease = filling.lease();
    if lease.is_none() {
        // Lease now: when the batch takes this buffer, a new one is allocated.
        lease = outlet.lease_or_stop(filling.used_bytes()).await;
    }
    match lease {
        Some(lease) => match filling.take() {
            Some(batch) => sending.lock().await.rows(table, batch, lease).await,
            None => true,
        },
        None => false,
    }
}
