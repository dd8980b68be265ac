//! Single columns of a row, found by its key, as texts.

use std::time::Duration;

use bytes::BytesMut;
use record::Span;
use relational::reselect::Found;
use tokio::time::timeout;

use super::{Sql, quoted, quoted_name, quoted_text};
use crate::error::Error;
use crate::types::Literal;
use crate::wire::NextRow;

/// The query for columns of one table's rows, without the list of the columns and the values of the key.
#[derive(Clone, Debug)]
pub struct ByKey {
    /// From FROM to WHERE.
    from: String,
    /// The columns of the key: their names, and how their cells become literals; none for a type that has no literals.
    key: Vec<(String, Option<Literal>)>,
}

/// Why there is no query for a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unwritable {
    /// The column of the key.
    pub column: String,
    /// Why its value cannot be looked for.
    pub reason: &'static str,
}

const READING: &str = "reading columns again";
/// How long the server may take until it shows a transaction that it has sent.
const SEEN_WITHIN_S: u32 = 10;

impl ByKey {
    /// Rows of `database.table` by these columns.
    pub fn new(database: &str, table: &str, key: Vec<(String, Option<Literal>)>) -> Self {
        Self { from: format!("FROM {} WHERE", quoted(database, table)), key }
    }

    /// The statement that gives these columns of the row with this key: one cell of the binlog for each of its columns.
    ///
    /// # Errors
    /// When a cell has no literal.
    pub fn statement<'a>(
        &self,
        columns: impl Iterator<Item = &'a str>,
        key: &[Option<&[u8]>],
    ) -> Result<String, Unwritable> {
        let condition = |((name, literal), cell): (&(String, Option<Literal>), Option<&[u8]>)| {
            let unwritable = |reason| Unwritable { column: name.clone(), reason };
            let literal =
                literal.as_ref().ok_or_else(|| unwritable("no row can be looked for by a value of its type"))?;
            let written = match cell {
                Some(raw) => literal.write(raw).map_err(|_| unwritable("its value cannot be read"))?,
                // Nothing equals it: no row is found.
                None => "NULL".to_owned(),
            };
            Ok(format!("{} = {written}", quoted_name(name)))
        };
        let conditions = self.key.iter().zip(key.iter().copied()).map(condition).collect::<Result<Vec<_>, _>>()?;
        let list: Vec<_> = columns.map(quoted_name).collect();
        // Two rows are enough to see that the key does not tell rows apart.
        Ok(format!("SELECT {} {} {} LIMIT 2", list.join(", "), self.from, conditions.join(" AND ")))
    }
}

impl Sql {
    /// Waits until the transactions of a set of GTIDs can be seen. False if the server does not say, or not in time.
    pub async fn wait_until_executed(&mut self, gtids: &str) -> Result<bool, Error> {
        let sql = format!("SELECT WAIT_FOR_EXECUTED_GTID_SET({}, {SEEN_WITHIN_S})", quoted_text(gtids));
        match self.query("waiting until a transaction can be seen", &sql).await {
            Ok(rows) => Ok(rows.first().and_then(|row| row.number::<u8>(0)) == Some(0)),
            // GTIDs were switched off meanwhile.
            Err(Error::Server { server, .. }) if !server.is_transient() => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Runs a statement of [`ByKey`], within `query_timeout_ms`.
    pub async fn by_key(&mut self, statement: &str) -> Result<Option<Found>, Error> {
        let limit_ms = self.connection.options().query_timeout_ms;
        if limit_ms == 0 {
            return self.first_of(statement).await;
        }
        if let Ok(found) = timeout(Duration::from_millis(limit_ms), self.first_of(statement)).await {
            return found;
        }
        self.cancel().await;
        let at = self.connection.options().at();
        Err(Error::QueryTimedOut { doing: READING.into(), at, after_ms: limit_ms })
    }

    /// The first row of a query, and whether there are more.
    async fn first_of(&mut self, statement: &str) -> Result<Option<Found>, Error> {
        let (mut buffer, mut spans) = (BytesMut::new(), Vec::new());
        let mut rows = self.rows(READING, statement, false).await?;
        let columns = rows.columns().len();
        let mut from = 0;
        loop {
            match rows.next(&mut buffer, from, &mut spans)? {
                NextRow::Row { end } => from = end,
                NextRow::Incomplete { need } => {
                    buffer.reserve(need.saturating_sub(buffer.len() - from).max(1024));
                    rows.fill(&mut buffer).await?;
                }
                NextRow::End { .. } => break,
            }
        }
        let bytes = buffer.freeze();
        let cell = |span: &Span| {
            let end = span.start as usize + span.len as usize;
            (span.len < Span::MISSING.len).then(|| bytes.slice(span.start as usize..end))
        };
        let is_one_of_several = spans.len() > columns;
        Ok(spans.get(..columns).map(|first| Found { cells: first.iter().map(cell).collect(), is_one_of_several }))
    }
}

#[cfg(test)]
mod tests;
