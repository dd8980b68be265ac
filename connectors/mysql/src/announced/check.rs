//! A TABLE_MAP held against the table as the schema history has it.
//!
//! Must not know: what becomes of rows that do not fit.

use super::Announced;
use crate::Flavour;
use crate::binlog::wire_type as kind;
use crate::model::{Column, Table, same_name};
use crate::types::{jdbc, wrong_count};

/// What to do about a table that is another one than the history has.
pub(crate) const REMEDY: &str = "the table was changed by a statement that the binlog does not have (sql_log_bin=0), or the \
    schema history is not that of this server; restart the connector with snapshot.mode=recovery";

impl Announced {
    /// Whether rows that are announced so are rows of the table; gives the number of hidden cells behind its columns. The
    /// character sets are not compared: those of the announcement are used.
    ///
    /// # Errors
    /// What differs, and what to do. Debezium notices only another number of columns, and these are its words.
    pub(crate) fn held(&self, table: &Table, flavour: Flavour) -> Result<usize, String> {
        let hidden = self.hidden(table.columns.len(), flavour);
        if self.columns.len() != table.columns.len() + hidden {
            return Err(wrong_count(&table.id.table, table.columns.len(), self.columns.len()));
        }
        for (i, column) in table.columns.iter().enumerate() {
            if let Some(differs) = self.differs(i, column) {
                return Err(format!("column {}: {differs}; {REMEDY}", column.name));
            }
        }
        Ok(hidden)
    }

    /// In what a column is not the one of the history.
    fn differs(&self, at: usize, column: &Column) -> Option<String> {
        let said = self.columns.get(at)?;
        // A statement of a session in another character set than UTF-8 leaves names and labels that could not be read.
        let is_read = |text: &str| !text.contains(char::REPLACEMENT_CHARACTER);
        let other_name = said.name.as_deref().filter(|name| !same_name(name, &column.name));
        if let Some(name) = other_name.filter(|_| is_read(&column.name)) {
            return Some(format!("in the binlog its name is {name}"));
        }
        let wire = said.wire;
        if said.is_integer()
            && let Some(known) = integer(column)
        {
            if wire.kind != known {
                return Some("in the binlog it is an integer of another size".to_owned());
            }
            let unsigned = is_unsigned(column);
            if said.unsigned.is_some_and(|said| said != unsigned) {
                let text = if unsigned { "it is signed in the binlog" } else { "it is UNSIGNED in the binlog" };
                return Some(text.to_owned());
            }
        }
        let number = |number: Option<i32>, usual: i32| u8::try_from(number.unwrap_or(usual)).ok();
        match wire.kind {
            kind::NEWDECIMAL if matches!(column.jdbc_type, jdbc::DECIMAL | jdbc::NUMERIC) => {
                let [precision, scale] = wire.metadata.to_be_bytes();
                // DECIMAL(0) is DECIMAL(10).
                let length = column.length.filter(|length| *length != 0);
                let is_same = number(length, 10) == Some(precision) && number(column.scale, 0) == Some(scale);
                (!is_same).then(|| format!("in the binlog it is DECIMAL({precision},{scale})"))
            }
            kind::TIME2 | kind::DATETIME2 | kind::TIMESTAMP2 => {
                let is_same = number(column.length, 0) == u8::try_from(wire.metadata).ok();
                (!is_same).then(|| format!("in the binlog its seconds have {} fractional digits", wire.metadata))
            }
            kind::ENUM | kind::SET
                if !said.labels.is_empty() && column.enum_values.iter().all(|label| is_read(label)) =>
            {
                (!is_labelled(&column.enum_values, &said.labels))
                    .then(|| "in the binlog it has other labels".to_owned())
            }
            _ if matches!(column.jdbc_type, jdbc::BLOB | jdbc::VARBINARY | jdbc::BINARY) => {
                let charset = said.charset.filter(|charset| *charset != "binary");
                charset.map(|charset| format!("in the binlog it is a text in {charset}"))
            }
            _ => None,
        }
    }

    /// The columns of the primary key, if they are said and are not those of the history's key.
    ///
    /// That is no reason to stop: the servers announce the first unique key without NULL where there is no primary key, and
    /// Debezium's model, which the records follow, chooses another one in places, or keeps one that was dropped. MariaDB adds
    /// the end of the row's version to the key of a versioned table.
    pub(crate) fn other_key(&self, table: &Table, flavour: Flavour) -> Option<Vec<&str>> {
        let name = |column: &usize| self.columns.get(*column)?.name.as_deref();
        let key: Vec<&str> = self.primary_key.iter().map(name).collect::<Option<_>>()?;
        if key.is_empty() {
            return None;
        }
        let is_same = |key: &[&str]| {
            key.len() == table.primary_key.len() && key.iter().zip(&table.primary_key).all(|(a, b)| same_name(a, b))
        };
        if is_same(&key) {
            return None;
        }
        let last = self.primary_key.last().and_then(|column| self.columns.get(*column));
        if flavour == Flavour::MariaDb
            && last.is_some_and(|last| matches!(last.wire.kind, kind::TIMESTAMP2 | kind::LONGLONG) && !last.nullable)
            && is_same(&key[..key.len() - 1])
        {
            return None;
        }
        Some(key)
    }
}

/// The name of a type without what follows it.
pub(super) fn first_word(column: &Column) -> &str {
    column.type_name.split([' ', '(']).next().unwrap_or_default()
}

/// The binlog's number of a whole number's type.
pub(super) fn integer(column: &Column) -> Option<u8> {
    Some(match first_word(column) {
        "TINYINT" | "INT1" | "BOOL" | "BOOLEAN" => kind::TINY,
        "SMALLINT" | "INT2" => kind::SHORT,
        "MEDIUMINT" | "INT3" | "MIDDLEINT" => kind::INT24,
        "INT" | "INTEGER" | "INT4" => kind::LONG,
        "BIGINT" | "INT8" => kind::LONGLONG,
        _ => return None,
    })
}

pub(super) fn is_unsigned(column: &Column) -> bool {
    column.type_name.contains(" UNSIGNED") || column.type_name.contains(" ZEROFILL")
}

/// Whether the labels are those that are written. Of one with escapes or an introducer, what it means is left open. The
/// server cuts blanks at the end of labels.
pub(super) fn is_labelled(written: &[std::sync::Arc<str>], labels: &[String]) -> bool {
    let same = |(written, label): (&std::sync::Arc<str>, &String)| {
        let plain = written.strip_prefix('\'').and_then(|text| text.strip_suffix('\''));
        plain.filter(|text| !text.contains(['\\', '\''])).is_none_or(|text| text.trim_end() == label.trim_end())
    };
    written.len() == labels.len() && written.iter().zip(labels).all(same)
}
