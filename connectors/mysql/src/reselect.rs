//! How MySQL and MariaDB are asked for rows by their keys (`ReselectColumnsPostProcessor`).
//!
//! What single changes lack, and what becomes of the answers: [`relational::reselect`]. The answers are texts of a query's
//! result, which are not the log's bytes, so they stand behind the log's cells (`types/row.rs`).
//!
//! Must not know: topics, records, the connection of the binlog.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use record::Position;
use relational::Meters;
use relational::reselect::{self, Answer, Found, Lookup, Missed, Why};
use tokio::time::{Instant, sleep};

use crate::Flavour;
use crate::error::Error;
use crate::position::{FILE, GTID, POS, TS_US};
use crate::sql::{ByKey, Sql, Unwritable};
use crate::stream::now_us;
use crate::types::ColumnCodec;
use crate::wire::ConnectOptions;

/// What the post-processors do with a table.
pub(crate) type Plans = reselect::Plans<ColumnCodec, ByKey>;
/// Reads columns again.
pub(crate) type Reselector = reselect::Reselector<ByKeys>;
type Ask<'a> = reselect::Ask<'a, ColumnCodec, ByKey>;

/// A connection that was not used for so long is opened anew: something in between may have forgotten it.
const IDLE: Duration = Duration::from_secs(60);
/// MariaDB, and MySQL without GTIDs, do not say which transactions can be seen. The row of a change that is not older than
/// this is looked for a moment later, and once more when it is not found.
const RECENT_US: i64 = 2_000_000;
/// How long the first and the second look wait, each once for all that are asked for together.
const AGAIN_AFTER: Duration = Duration::from_millis(50);

/// Asks for rows over a connection of its own, which is opened at the first question.
pub(crate) struct ByKeys {
    options: ConnectOptions,
    sql: Option<Sql>,
    used: Instant,
    /// The last transaction that the server was found to show.
    seen: Option<Arc<str>>,
}

/// A reselector whose connection is opened in this way.
pub(crate) fn reselector(options: ConnectOptions, meters: Arc<Meters>) -> Reselector {
    Reselector::new(ByKeys { options, sql: None, used: Instant::now(), seen: None }, meters)
}

impl Lookup for ByKeys {
    type Column = ColumnCodec;
    type Query = ByKey;
    type Error = Error;

    async fn rows(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, Error> {
        // Taken, so that a connection on which something failed, or whose answer was not waited for, is not used again.
        let idle = self.sql.take().filter(|_| self.used.elapsed() <= IDLE);
        let mut sql = if let Some(sql) = idle {
            sql
        } else {
            let mut sql = Sql::connect(&self.options).await?;
            sql.prepare_reading(true).await?;
            sql
        };
        let is_seen = self.until_seen(&mut sql, asks).await?;
        // An update that cannot be seen yet would be answered with the row as it was before, and nothing in the answer tells.
        if !is_seen && asks.iter().any(|ask| is_recent(ask.position)) {
            sleep(AGAIN_AFTER).await;
        }
        let mut answers = Vec::with_capacity(asks.len());
        for ask in asks {
            answers.push(answer(&mut sql, ask).await?);
        }
        let is_early =
            |(ask, found): &(&Ask<'_>, &mut Answer)| !is_seen && **found == Err(Why::NoRow) && is_recent(ask.position);
        let mut early: Vec<_> = asks.iter().zip(&mut answers).filter(is_early).collect();
        if !early.is_empty() {
            sleep(AGAIN_AFTER).await;
        }
        for (ask, found) in &mut early {
            **found = answer(&mut sql, ask).await?;
        }
        self.used = Instant::now();
        self.sql = Some(sql);
        Ok(answers)
    }

    fn position(position: &Position) -> String {
        format!("{}:{}", position.text(FILE).unwrap_or_default(), position.word(POS).unwrap_or(0))
    }
}

impl From<Missed> for Error {
    fn from(missed: Missed) -> Self {
        Self::Reselect(Box::new(missed))
    }
}

impl ByKeys {
    /// Waits until the server shows what the transactions of these changes did. A server sends a transaction when the binlog
    /// has it, a moment before its rows can be seen, and a question in that moment would be answered with an older row, or
    /// none. False if the server does not say, be it of one of the changes only, because that has no GTID.
    async fn until_seen(&mut self, sql: &mut Sql, asks: &[Ask<'_>]) -> Result<bool, Error> {
        if sql.flavour() == Flavour::MariaDb {
            return Ok(false);
        }
        let has_all = asks.iter().all(|ask| ask.position.text(GTID).is_some());
        let mut unseen: Vec<&str> = asks.iter().filter_map(|ask| ask.position.text(GTID)).collect();
        unseen.dedup();
        unseen.retain(|id| Some(*id) != self.seen.as_deref());
        let Some(last) = unseen.last() else { return Ok(has_all) };
        let is_seen = sql.wait_until_executed(&unseen.join(",")).await?;
        self.seen = is_seen.then(|| Arc::from(*last));
        Ok(is_seen && has_all)
    }
}

fn is_recent(position: &Position) -> bool {
    position.word(TS_US).is_some_and(|ts_us| now_us() - ts_us < RECENT_US)
}

/// The row that a change is about, or why there is none. An error that a later try may mend is an error.
async fn answer(sql: &mut Sql, ask: &Ask<'_>) -> Result<Answer, Error> {
    let columns = ask.columns.iter().map(|column| &*column.name);
    let statement = match ask.query.statement(columns, &ask.key) {
        Ok(statement) => statement,
        Err(Unwritable { column, reason }) => {
            return Ok(Err(Why::Refused(format!("column {column} of the key: {reason}"))));
        }
    };
    match sql.by_key(&statement).await {
        Ok(None) => Ok(Err(Why::NoRow)),
        Ok(Some(found)) => Ok(readable(ask, found)),
        Err(Error::Server { server, .. }) if !server.is_transient() => Ok(Err(Why::Refused(server.to_string()))),
        Err(error) => Err(error),
    }
}

/// The row, if its cells are values of the columns, which may have been altered since the change.
fn readable(ask: &Ask<'_>, found: Found) -> Answer {
    let reads = |cell: &Option<Bytes>, codec: &ColumnCodec| cell.as_ref().is_none_or(|bytes| codec.reads_text(bytes));
    match ask.columns.iter().zip(&found.cells).find(|(column, cell)| !reads(cell, &column.codec)) {
        Some((column, _)) => Err(Why::OtherType(column.name.to_string())),
        None => Ok(found),
    }
}
