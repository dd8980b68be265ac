//! What becomes of a change whose columns could not be read again: a warning, or the end of the task.
//!
//! Debezium's messages show the values of the key. Here they show the names of its columns, and the change's position.
//!
//! Must not know: which database was asked.

use std::fmt;

use super::Reselect;
use crate::Meters;

/// Columns of a change that could not be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Missed {
    /// `schema.table`.
    pub table: String,
    /// The names of the columns by which the row was looked for, separated by commas.
    pub key: String,
    /// The change's position in the log, as the database writes it.
    pub position: String,
    /// Why.
    pub why: Why,
}

/// Why columns could not be read again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Why {
    /// There is no row with this key any more.
    NoRow,
    /// There is no query, because the table has no key.
    NoKey,
    /// The change does not carry all columns of the key.
    KeyIsMissing,
    /// The column of this name holds what is no value of the type that it had when the change was made.
    OtherType(String),
    /// What was read is more than a batch can hold.
    TooLarge,
    /// The database refuses the query; the text says why, without values.
    Refused(String),
}

impl Why {
    /// Why the row, which may be there, was not read; `None` if there is no row.
    fn reason(&self) -> Option<String> {
        Some(match self {
            Self::NoRow => return None,
            Self::NoKey => {
                "the table has no primary key and no unique index (reselect.use.event.key=true looks for the row by \
                            the columns of message.key.columns)"
                    .to_owned()
            }
            Self::KeyIsMissing => "the change does not carry all columns of the key".to_owned(),
            Self::OtherType(column) => {
                format!("what column {column} holds now is no value of the type that it had when the change was made")
            }
            Self::TooLarge => "what was read of one batch has more than 4 GiB".to_owned(),
            Self::Refused(reason) => reason.clone(),
        })
    }
}

impl fmt::Display for Missed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { table, key, position, why } = self;
        match why.reason() {
            None => write!(f, "Failed to find row in table {table} with key {key} (the change is at {position})"),
            Some(reason) => write!(
                f,
                "Failed to re-select columns for table {table} and key {key} (the change is at {position}): {reason}"
            ),
        }
    }
}

impl Reselect {
    /// Settles what becomes of the change by `reselect.error.handling.mode`: with warn it stays as it is.
    ///
    /// # Errors
    /// With fail: what ends the task.
    pub fn settle(&self, missed: Missed, meters: &Meters) -> Result<(), Missed> {
        if self.fails {
            return Err(missed);
        }
        meters.not_reselected(|| format!("{missed} (post processor {})", self.name));
        Ok(())
    }
}
