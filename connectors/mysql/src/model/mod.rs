//! Tables as DDL describes them: what the schema history stores and what types are planned from.
//!
//! Purpose: one model for the DDL reader, the history and the types; its fields are those of Debezium's history records.
//!
//! Must not know: SQL text, bytes, Connect's schemas.

mod change;

use std::fmt;
use std::sync::Arc;

pub use change::{ChangeKind, TableChange};

/// A table's name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TableId {
    /// The database (MySQL's word; `SCHEMA` is its synonym).
    pub database: Arc<str>,
    /// The table.
    pub table: Arc<str>,
}

impl fmt::Display for TableId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.database, self.table)
    }
}

/// A table: its columns in order, and its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Table {
    /// Its name.
    pub id: TableId,
    /// The character set of columns that name none, in the server's spelling (`utf8mb4`).
    pub default_charset: Option<Arc<str>>,
    /// The columns of the primary key, or of the unique index that stands for it, in key order.
    pub primary_key: Vec<Arc<str>>,
    /// The columns, in the order of the table.
    pub columns: Vec<Column>,
    /// The table's comment, as far as comments are kept.
    pub comment: Option<Arc<str>>,
}

impl Table {
    /// A table without columns.
    pub fn new(id: TableId) -> Self {
        let (primary_key, columns) = (Vec::new(), Vec::new());
        Self { id, default_charset: None, primary_key, columns, comment: None }
    }

    /// The column of that name; names of columns have no case.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.position(name).and_then(|at| self.columns.get(at))
    }

    /// The position of the column of that name, from 0.
    pub fn position(&self, name: &str) -> Option<usize> {
        self.columns.iter().position(|c| same_name(&c.name, name))
    }
}

/// Whether two names of columns are one: they differ at most in case.
pub fn same_name(a: &str, b: &str) -> bool {
    if a.is_ascii() && b.is_ascii() { a.eq_ignore_ascii_case(b) } else { a.to_lowercase() == b.to_lowercase() }
}

/// A column of a [`Table`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Column {
    /// Its name, as written.
    pub name: Arc<str>,
    /// The type's number in `java.sql.Types`; Debezium chooses the Connect type by it.
    pub jdbc_type: i32,
    /// The type as it was written, in upper case, with `UNSIGNED` and `ZEROFILL`: `INT UNSIGNED`.
    pub type_name: Arc<str>,
    /// The character set of a text column, in the server's spelling.
    pub charset: Option<Arc<str>>,
    /// Length, display width, number of digits or of fractional digits of seconds, as the type has it.
    pub length: Option<i32>,
    /// Digits behind the decimal point.
    pub scale: Option<i32>,
    /// Whether it may be NULL.
    pub optional: bool,
    /// `AUTO_INCREMENT`, and what Debezium counts as such.
    pub auto_incremented: bool,
    /// What Debezium writes as `generated` (not the columns that are `GENERATED ALWAYS AS`).
    pub generated: bool,
    /// Whether the server computes it from others (`GENERATED ALWAYS AS`). No record of the history has this: a recovery takes it
    /// from the statement.
    pub computed: bool,
    /// Its comment, as far as comments are kept.
    pub comment: Option<Arc<str>>,
    /// Whether it has a default; a column that may be NULL has one, NULL, unless it says otherwise.
    pub has_default: bool,
    /// The default's text without its outer quotes; none is NULL or an expression.
    pub default: Option<Arc<str>>,
    /// The labels of ENUM and SET, with their quotes and escapes as they were written: `'a'`.
    pub enum_values: Vec<Arc<str>>,
}
