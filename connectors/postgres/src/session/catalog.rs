//! The ordinary connection of a session.

use crate::error::Error;
use crate::sql::Sql;
use crate::wire::ConnectOptions;

/// An ordinary connection, opened when it is needed and opened again after it was lost.
pub(crate) struct Catalog {
    options: ConnectOptions,
    sql: Option<Sql>,
}

impl Catalog {
    pub(crate) fn new(options: ConnectOptions) -> Self {
        Self { options, sql: None }
    }

    pub(crate) async fn sql(&mut self) -> Result<&Sql, Error> {
        if self.sql.as_ref().is_none_or(Sql::is_closed) {
            self.sql = Some(Sql::connect(&self.options).await?);
        }
        match &self.sql {
            Some(sql) => Ok(sql),
            // Set two lines above.
            None => unreachable!(),
        }
    }

    /// Closes the connection: none is held while the log is followed.
    pub(crate) fn close(&mut self) {
        self.sql = None;
    }
}
