//! What a statement did to a table, as history records tell it.

use std::sync::Arc;

use super::{Table, TableId};

/// What happened to a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeKind {
    /// It is new.
    Create,
    /// It was altered or renamed.
    Alter,
    /// It is gone.
    Drop,
}

/// A table that a statement changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TableChange {
    /// What happened.
    pub kind: ChangeKind,
    /// The table's name after the statement.
    pub id: TableId,
    /// Its name before, after `RENAME TABLE`.
    pub previous: Option<TableId>,
    /// The table after the statement; none if it is gone.
    pub table: Option<Arc<Table>>,
}
