//! Reads columns of changes again from their tables (`ReselectColumnsPostProcessor`), before a batch of the stream is sent.
//!
//! Purpose: which columns of which table is decided when the table is announced (`plan.rs`). Before a batch is sent, the
//! changes that lack such a column are looked for, and their rows are asked for over a connection of its own, many questions
//! at a time. The answers have the form of the log's cells, so they take the place of the cells that lack, and everything
//! behind (masks, conversion, SMTs) treats them like any other.
//!
//! Must not know: topics, records, the streaming connection.

mod plan;

use std::sync::Arc;
use std::time::Duration;

use bytes::BytesMut;
use futures_util::future::join_all;
use record::{Batch, RowRef, Span};
use relational::Meters;
use relational::reselect::Why;
use tokio::time::Instant;

use self::plan::{Ask, ask};
pub(crate) use self::plan::{Candidate, Plan, Plans, lacks};
use crate::error::Error;
use crate::session::Catalog;
use crate::sql::{Found, FoundRow, Sql, Visible};
use crate::wire::ConnectOptions;

/// How many questions may be under way at a time.
const MOST_AT_A_TIME: usize = 32;
/// How many bytes the answers to them should have together, by the size of the last ones.
const AT_A_TIME_BYTES: usize = 256 * 1024;
/// A connection that was not used for so long is opened anew: something in between may have forgotten it.
const IDLE: Duration = Duration::from_secs(60);

const NO_KEY: &str = "the table has no primary key and no unique index (reselect.use.event.key=true looks for the row by the \
                      columns of message.key.columns)";

/// Reads columns again. Keeps a connection for it, which is opened at the first question.
pub(crate) struct Reselector {
    catalog: Catalog,
    used: Instant,
    /// The newest view of the database that is known: transactions that it sees can be seen by later questions.
    view: Option<Visible>,
    /// The size of the largest of the last answers.
    largest_bytes: usize,
    meters: Arc<Meters>,
}

/// A batch that is not closed yet.
pub(crate) struct Unfinished<'a> {
    pub(crate) batch: &'a mut Batch,
    /// For each shape of the batch, what is done with its table.
    pub(crate) plans: &'a [Plans],
    /// The bytes of the batch.
    pub(crate) buffer: &'a [u8],
    /// The bytes that will stand behind them, with what was read so far.
    pub(crate) more: &'a mut BytesMut,
}

impl Reselector {
    pub(crate) fn new(options: ConnectOptions, meters: Arc<Meters>) -> Self {
        let catalog = Catalog::new(options);
        Self { catalog, used: Instant::now(), view: None, largest_bytes: AT_A_TIME_BYTES, meters }
    }

    /// Reads again what the items of the batch lack, from the item at `from` on and as many as is good at a time. Returns the
    /// index of the first item that is not done.
    ///
    /// # Errors
    /// Of the connection, which a later try may mend; and what ends the task by `reselect.error.handling.mode=fail`.
    pub(crate) async fn fill(&mut self, from: usize, unfinished: Unfinished<'_>) -> Result<usize, Error> {
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
            let items = &batch.items[from..end];
            let asks: Vec<_> = items.iter().filter_map(|item| ask(item, plans, round, &batch.spans)).collect();
            if asks.is_empty() {
                continue;
            }
            let answers = self.answers(&asks, &Cells { spans: &batch.spans, buffer, more }).await?;
            self.largest_bytes = 0;
            for (ask, answer) in asks.iter().zip(answers) {
                let before = more.len();
                let put = match answer {
                    Ok(row) => put(ask, &row, &mut batch.spans, buffer.len(), more)?,
                    Err(why) => Err(why),
                };
                self.largest_bytes = self.largest_bytes.max(more.len() - before);
                if let Err(why) = put {
                    let settled = ask.plan.processor.settle(ask.missed(why), &self.meters);
                    settled.map_err(|missed| Error::Reselect(Box::new(missed)))?;
                }
            }
        }
        Ok(end)
    }

    /// The rows that are asked for, in order.
    async fn answers(&mut self, asks: &[Ask<'_>], cells: &Cells<'_>) -> Result<Vec<Result<FoundRow, Why>>, Error> {
        if self.used.elapsed() > IDLE {
            self.catalog.close();
        }
        let sql = self.catalog.sql().await?;
        until_seen(sql, asks, &mut self.view).await?;
        let meters = &self.meters;
        let answers = join_all(asks.iter().map(|ask| answer(sql, ask, cells, meters))).await;
        self.used = Instant::now();
        answers.into_iter().collect()
    }
}

/// The cells of a batch, and the bytes that its spans point to.
struct Cells<'a> {
    spans: &'a [Span],
    buffer: &'a [u8],
    more: &'a [u8],
}

impl<'a> Cells<'a> {
    fn span(&self, row: RowRef, place: u16) -> Span {
        let span = self.spans.get(row.first as usize + usize::from(place)).filter(|_| place < row.count);
        span.copied().unwrap_or(Span::MISSING)
    }

    fn bytes(&self, span: Span) -> Option<&'a [u8]> {
        match (span.start as usize).checked_sub(self.buffer.len()) {
            None => span.bytes(self.buffer),
            Some(behind) => Span { start: behind as u32, ..span }.bytes(self.more),
        }
    }

    /// The values of the columns by which the row is found; `None` if the change does not carry one of them.
    fn key(&self, ask: &Ask<'_>) -> Option<Vec<Option<&'a [u8]>>> {
        let value = |place: &u16| match self.span(ask.row, *place) {
            Span::NULL => Some(None),
            span => self.bytes(span).map(Some),
        };
        ask.plan.key_places.iter().map(value).collect()
    }
}

/// Waits until the database shows what the transactions of these changes did. The log has a transaction a moment before its
/// rows can be seen, and a question in that moment would be answered with an older row, or none.
async fn until_seen(sql: &Sql, asks: &[Ask<'_>], view: &mut Option<Visible>) -> Result<(), Error> {
    let sees = |view: &Option<Visible>, xid| view.as_ref().is_some_and(|view| view.sees(xid));
    if asks.iter().all(|ask| sees(view, ask.xid)) {
        return Ok(());
    }
    // A standby has none. It does not send a transaction before it shows it.
    let Some(now) = sql.visible().await? else { return Ok(()) };
    let mut unseen: Vec<u32> = asks.iter().map(|ask| ask.xid).filter(|xid| !now.sees(*xid)).collect();
    unseen.dedup();
    for xid in unseen {
        sql.wait_until_seen(xid).await?;
    }
    *view = Some(now);
    Ok(())
}

/// The row that a change is about, or why there is none. An error that a later try may mend is an error.
async fn answer(sql: &Sql, ask: &Ask<'_>, cells: &Cells<'_>, meters: &Meters) -> Result<Result<FoundRow, Why>, Error> {
    let Some(query) = &ask.plan.query else { return Ok(Err(Why::Refused(NO_KEY.to_owned()))) };
    let Some(key) = cells.key(ask) else {
        return Ok(Err(Why::Refused("the change does not carry all columns of the key".to_owned())));
    };
    let statement = query.statement(ask.lacks.iter().map(|column| &*column.codec.name));
    match sql.by_key(&statement, &key).await {
        Ok(Found::Nothing) => Ok(Err(Why::NoRow)),
        Ok(Found::One(row)) => Ok(Ok(row)),
        Ok(Found::Several(row)) => {
            let table = &ask.plan.table;
            meters.not_reselected(|| {
                format!("Re-selection detected multiple rows for the same key in table {table}, using first.")
            });
            Ok(Ok(row))
        }
        Err(Error::Server { server, .. }) if !server.is_transient() => Ok(Err(Why::Refused(server.to_string()))),
        Err(error) => Err(error),
    }
}

/// Puts the columns of a row that was found in the place of those that the change lacks. Their bytes are added to `more`,
/// which stands behind `base` other bytes.
fn put(
    ask: &Ask<'_>,
    row: &FoundRow,
    spans: &mut [Span],
    base: usize,
    more: &mut BytesMut,
) -> Result<Result<(), Why>, Error> {
    for (index, column) in ask.lacks.iter().enumerate() {
        // The column may have been altered since the change.
        if row.cell(index)?.is_some_and(|bytes| !column.codec.reads(bytes)) {
            let name = &column.codec.name;
            return Ok(Err(Why::Refused(format!(
                "what column {name} holds now is no value of the type that it had when the change was made"
            ))));
        }
    }
    for (index, column) in ask.lacks.iter().enumerate() {
        let span = match row.cell(index)? {
            None => Span::NULL,
            Some(bytes) => {
                let start = u32::try_from(base + more.len()).map_err(|_| too_much())?;
                more.extend_from_slice(bytes);
                Span { start, len: bytes.len() as u32 }
            }
        };
        if let Some(cell) = spans.get_mut(ask.row.first as usize + usize::from(column.place)) {
            *cell = span;
        }
    }
    Ok(Ok(()))
}

fn too_much() -> Error {
    Error::Protocol {
        doing: "reading columns again".into(),
        reason: "the columns of one change have more than 4 GiB together".into(),
    }
}
