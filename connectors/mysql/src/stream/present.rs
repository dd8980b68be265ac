//! How the server has a table now, and whether that is how the table was at a place of the binlog: it is if the rest of the
//! binlog has no statement about it.
//!
//! Must not know: how rows are decoded, what a statement does to a table.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use relational::Outlet;
use tokio::time::{Instant, timeout};

use super::ahead::{Ahead, Failed, Spot, same};
use crate::announced::Announced;
use crate::ddl::{Catalog, Doubt, Query};
use crate::error::Error;
use crate::model::{Table, TableId};
use crate::sql::{BinlogStatus, Sql};
use crate::wire::{ConnectOptions, Identity};

/// So long it may take, while the connection that follows the binlog is not read.
const LIMIT: Duration = Duration::from_secs(30);
/// After this time the server is asked again what it could not tell.
const AGAIN_AFTER: Duration = Duration::from_secs(60);

/// Asks the server; opens connections of its own. It lives as long as the task.
#[derive(Debug)]
pub(crate) struct Present {
    options: ConnectOptions,
    ahead: Option<Ahead>,
    /// What the server did not tell, so that it is not asked again after each statement.
    untold: HashMap<TableId, Remembered>,
}

/// Whose rows come, and from where.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asked<'a> {
    /// What their TABLE_MAP says.
    pub(crate) announced: &'a Announced,
    /// The file that the stream is in, and how far in it.
    pub(crate) place: (&'a str, u64),
    /// What the table inherits.
    pub(crate) catalog: &'a Catalog,
    /// The server that sends the binlog.
    pub(crate) server: &'a Identity,
    pub(crate) outlet: &'a Outlet,
}

/// Why the server does not tell a table.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Untold {
    pub(crate) reason: String,
    /// It was said before.
    pub(crate) is_known: bool,
}

/// A table, or why the server does not tell it.
pub(crate) type Told = Result<Table, Untold>;

/// A reason why a table is not told.
#[derive(Debug)]
struct Remembered {
    announced: Announced,
    doubt: Option<Arc<Doubt>>,
    reason: String,
    /// The statement about the table that stands between: behind it the answer may be another one.
    until: Option<Spot>,
    at: Instant,
}

impl Present {
    pub(crate) fn new(options: ConnectOptions) -> Self {
        Self { options, ahead: None, untold: HashMap::new() }
    }

    /// The table of the rows.
    ///
    /// # Errors
    /// Only those that may pass by themselves; with the others there is no answer.
    pub(crate) async fn table(&mut self, asked: Asked<'_>) -> Result<Told, Error> {
        let id = &asked.announced.id;
        if let Some(reason) = self.remembered(asked) {
            return Ok(Err(Untold { reason, is_known: true }));
        }
        let mut until = None;
        let reason = match timeout(LIMIT, self.ask(asked, &mut until)).await {
            Ok(Ok(table)) => return Ok(Ok(table)),
            Ok(Err(Failed::Error(error))) if error.is_transient() => return Err(*error),
            Ok(Err(Failed::Error(error))) => error.to_string(),
            Ok(Err(Failed::Untold(reason))) => reason,
            // A lock on the table or a slow server: a later try may find it out, and goes on where this one was.
            Err(_) => {
                return Err(Error::QueryTimedOut {
                    doing: format!("asking how table {id} is"),
                    at: self.options.at(),
                    after_ms: LIMIT.as_millis() as u64,
                });
            }
        };
        let is_known = self.untold.get(id).is_some_and(|known| known.reason == reason);
        let (announced, doubt) = (asked.announced.clone(), asked.catalog.doubt(id).cloned());
        let remembered = Remembered { announced, doubt, reason: reason.clone(), until, at: Instant::now() };
        self.untold.insert(id.clone(), remembered);
        Ok(Err(Untold { reason, is_known }))
    }

    /// Why the server did not tell the table a while ago, if that still holds.
    fn remembered(&self, Asked { announced, place: (file, position), catalog, .. }: Asked<'_>) -> Option<String> {
        let known = self.untold.get(&announced.id)?;
        if known.announced != *announced || known.doubt.as_ref() != catalog.doubt(&announced.id) {
            return None;
        }
        let holds = match known.until {
            Some(until) => self.ahead.as_ref()?.spot(file, position)? <= until,
            None => known.at.elapsed() < AGAIN_AFTER,
        };
        holds.then(|| known.reason.clone())
    }

    /// `until`: where the statement stands that is in the way.
    async fn ask(&mut self, asked: Asked<'_>, until: &mut Option<Spot>) -> Result<Table, Failed> {
        let Asked { announced, place: (file, position), catalog, server, outlet } = asked;
        let id = &announced.id;
        let (told, end) = self.now(id, catalog, server).await?;
        let of_other = |ahead: &Ahead| ahead.server() != server || ahead.spot(file, position).is_none();
        if self.ahead.as_ref().is_none_or(of_other) {
            self.ahead = None;
            // Their places are those of a reading that is given up.
            self.untold.retain(|_, known| known.until.is_none());
        }
        let ahead = self.ahead.get_or_insert_with(|| Ahead::new(server.clone(), file, position));
        let Some(here) = ahead.spot(file, position) else {
            return Err(Failed::Untold("the place of the rows is not in the binlog that was read".to_owned()));
        };
        let was_read = ahead.read(&self.options, here, &end, catalog, outlet).await;
        // What was read may be enough to know that the server does not tell.
        if let Some(last) = ahead.last(&catalog.key(id), here) {
            *until = Some(last);
            let at = ahead.shown(last);
            return Err(Failed::Untold(format!("there is a later statement about the table, at {at}")));
        }
        was_read?;
        let table = told.map_err(Failed::Untold)?;
        let differs = |differs| format!("as the table is on the server it is not that of the rows ({differs})");
        announced.held(&table, catalog.rules().dialect.flavour).map_err(differs).map_err(Failed::Untold)?;
        Ok(table)
    }

    /// The table as it is now, and where the binlog ends after that. Where the server's own statement is not understood, its
    /// catalogue is asked, which says less.
    async fn now(
        &self,
        id: &TableId,
        catalog: &Catalog,
        server: &Identity,
    ) -> Result<(Result<Table, String>, BinlogStatus), Failed> {
        let mut sql = Sql::connect(&self.options).await?;
        same(server, &sql.identity().await?)?;
        sql.execute("pinning how statements are shown", "SET SESSION sql_mode = ''").await?;
        let (database, table) = (&*id.database, &*id.table);
        let mut told = made(id, &sql.create_statement(database, table).await?, catalog);
        if told.is_err()
            && let Some(described) = sql.described(database, table).await?
        {
            told = made(id, &described, catalog);
        }
        let end = sql.binlog_status().await?;
        sql.close().await;
        Ok((told, end))
    }
}

/// The table that the server's statement makes.
fn made(id: &TableId, statement: &str, catalog: &Catalog) -> Result<Table, String> {
    let mut catalog = catalog.clone();
    catalog.remove(id);
    let outcome = catalog.apply(&Query { text: statement, database: &id.database, sql_mode: Some(0) });
    match (outcome.not_understood, catalog.table(id)) {
        (Some(failed), _) => Err(format!("its own statement is not understood either: {failed}")),
        (None, Some(table)) => Ok(Table::clone(table)),
        (None, None) => Err("its answer is no statement that makes the table".to_owned()),
    }
}
