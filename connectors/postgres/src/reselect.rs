//! How PostgreSQL is asked for rows by their keys (`ReselectColumnsPostProcessor`).
//!
//! What single changes lack, and what becomes of the answers: [`relational::reselect`]. The answers have the form of the log's
//! cells, so they take the place of the cells that lack.
//!
//! Must not know: topics, records, the streaming connection.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::future::join_all;
use record::Position;
use relational::Meters;
use relational::reselect::{self, Answer, Found, Lookup, Missed, Why};
use tokio::time::Instant;

use crate::error::Error;
use crate::lsn::Lsn;
use crate::position::{LSN, TX_ID};
use crate::session::Catalog;
use crate::sql::{ByKey, Sql, Visible};
use crate::types::ColumnCodec;
use crate::wire::ConnectOptions;

/// What the post-processors do with a table.
pub(crate) type Plans = reselect::Plans<ColumnCodec, ByKey>;
/// Reads columns again.
pub(crate) type Reselector = reselect::Reselector<ByKeys>;
type Ask<'a> = reselect::Ask<'a, ColumnCodec, ByKey>;

/// A connection that was not used for so long is opened anew: something in between may have forgotten it.
const IDLE: Duration = Duration::from_secs(60);

/// Asks for rows over a connection of its own, which is opened at the first question.
pub(crate) struct ByKeys {
    catalog: Catalog,
    used: Instant,
    /// The newest view of the database that is known: transactions that it sees can be seen by later questions.
    view: Option<Visible>,
}

/// A reselector whose connection is opened in this way.
pub(crate) fn reselector(options: ConnectOptions, meters: Arc<Meters>) -> Reselector {
    let lookup = ByKeys { catalog: Catalog::new(options), used: Instant::now(), view: None };
    Reselector::new(lookup, meters)
}

impl Lookup for ByKeys {
    type Column = ColumnCodec;
    type Query = ByKey;
    type Error = Error;

    async fn rows(&mut self, asks: &[Ask<'_>]) -> Result<Vec<Answer>, Error> {
        if self.used.elapsed() > IDLE {
            self.catalog.close();
        }
        let sql = self.catalog.sql().await?;
        until_seen(sql, asks, &mut self.view).await?;
        let answers = join_all(asks.iter().map(|ask| answer(sql, ask))).await;
        self.used = Instant::now();
        answers.into_iter().collect()
    }

    fn position(position: &Position) -> String {
        Lsn(position.word(LSN).unwrap_or(0) as u64).to_string()
    }
}

impl From<Missed> for Error {
    fn from(missed: Missed) -> Self {
        Self::Reselect(Box::new(missed))
    }
}

/// Waits until the database shows what the transactions of these changes did. The log has a transaction a moment before its
/// rows can be seen, and a question in that moment would be answered with an older row, or none.
async fn until_seen(sql: &Sql, asks: &[Ask<'_>], view: &mut Option<Visible>) -> Result<(), Error> {
    let xid = |ask: &Ask<'_>| ask.position.word(TX_ID).unwrap_or(0) as u32;
    if asks.iter().all(|ask| view.as_ref().is_some_and(|view| view.sees(xid(ask)))) {
        return Ok(());
    }
    // A standby has none. It does not send a transaction before it shows it.
    let Some(now) = sql.visible().await? else { return Ok(()) };
    let mut unseen: Vec<u32> = asks.iter().map(xid).filter(|xid| !now.sees(*xid)).collect();
    unseen.dedup();
    for xid in unseen {
        sql.wait_until_seen(xid).await?;
    }
    *view = Some(now);
    Ok(())
}

/// The row that a change is about, or why there is none. An error that a later try may mend is an error.
async fn answer(sql: &Sql, ask: &Ask<'_>) -> Result<Answer, Error> {
    let statement = ask.query.statement(ask.columns.iter().map(|column| &*column.name));
    let found = match sql.by_key(&statement, &ask.key, ask.columns.len()).await {
        Ok(Some(found)) => found,
        Ok(None) => return Ok(Err(Why::NoRow)),
        Err(Error::Server { server, .. }) if !server.is_transient() => {
            return Ok(Err(Why::Refused(server.to_string())));
        }
        Err(error) => return Err(error),
    };
    Ok(readable(ask, found))
}

/// The row, if its cells are values of the columns, which may have been altered since the change.
fn readable(ask: &Ask<'_>, found: Found) -> Answer {
    let reads = |cell: &Option<Bytes>, codec: &ColumnCodec| cell.as_ref().is_none_or(|bytes| codec.reads(bytes));
    match ask.columns.iter().zip(&found.cells).find(|(column, cell)| !reads(cell, &column.codec)) {
        Some((column, _)) => Err(Why::OtherType(column.name.to_string())),
        None => Ok(found),
    }
}
