//! The error for rows of a table of which nothing tells how it is.

use crate::ddl::NotUnderstood;

/// Rows of a table that a statement may have changed which is not understood, and neither the binlog nor the server tells how
/// the table was.
#[derive(Debug, thiserror::Error)]
#[error(
    "table {table}, at {at}: its rows cannot be read, because {statement}; it stands at {statement_at}. {reason}. Set \
     binlog_row_metadata=FULL on the server, so that such a statement does not matter; to go on here, restart with \
     snapshot.mode=recovery (right only if the table was not altered since), let the table stay as it was known \
     (schema.history.internal.skip.unparseable.ddl=true), or leave out its rows (inconsistent.schema.handling.mode=warn). Tell us \
     the statement"
)]
pub struct InDoubt {
    /// `database.table`.
    pub table: String,
    /// `file:position` of the rows.
    pub at: String,
    /// What is not understood.
    pub statement: NotUnderstood,
    /// `file:position` of the statement.
    pub statement_at: String,
    /// Why neither the binlog nor the server tells how the table was.
    pub reason: String,
}
