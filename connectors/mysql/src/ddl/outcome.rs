//! What a statement leaves behind: the records of the schema history and of the topic of schema changes.

use std::sync::Arc;

use crate::model::{TableChange, TableId};

/// What a statement did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The records, in their order. One without changes tells of a statement that changed no table that is known.
    pub records: Vec<SchemaChange>,
    /// The table that `TRUNCATE` emptied. Such a statement has no record.
    pub truncated: Option<TableId>,
    /// The statement changes a table and is not understood. What it may have changed is in doubt from now on
    /// ([`Catalog::doubt`](super::Catalog::doubt)); `records` has the statement as it came, for the schema history.
    pub not_understood: Option<NotUnderstood>,
}

/// A record about a statement, or about a part of one that names several tables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaChange {
    /// The database that it is about; empty for the whole server.
    pub database: String,
    /// The statement's text.
    pub ddl: String,
    /// At most one table that changed, with its new shape.
    pub changes: Vec<TableChange>,
    /// The tables for the `table` of the record's source, in Debezium's order. None is null, an empty list is an empty text.
    pub tables: Option<Arc<[TableId]>>,
}

impl SchemaChange {
    /// The `table` of the record's source: names between commas.
    pub fn source_table(&self) -> Option<String> {
        let tables = self.tables.as_ref()?;
        Some(tables.iter().map(|t| &*t.table).collect::<Vec<_>>().join(","))
    }
}

/// A statement that changes a table in a way that the reader does not know. Its text is not repeated, because it may hold
/// what no log should.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the statement {statement}{} is not understood: {why}, at byte {at} of its text",
    .table.as_ref().map(|t| format!(" of table {t}")).unwrap_or_default())]
pub struct NotUnderstood {
    /// The table. None if not even its name could be read.
    pub table: Option<TableId>,
    /// The statement's first words.
    pub statement: &'static str,
    /// What is not understood.
    pub why: &'static str,
    /// Where, in bytes from the start of the text.
    pub at: usize,
}

/// Java's `String.hashCode`.
fn java_hash(text: &str) -> u32 {
    text.encode_utf16().fold(0, |hash: u32, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)))
}

/// Sorts names as a Java `HashSet` of table names returns them, because records show that order.
pub(super) fn java_set_order(mut tables: Vec<TableId>) -> Vec<TableId> {
    let mut seen = std::collections::HashSet::new();
    tables.retain(|t| seen.insert(t.clone()));
    // The set that is shown is a copy of one that grew; a copy has room for its size at a load of three quarters.
    let needed = (tables.len() * 4 / 3 + 1).max(16);
    let buckets = needed.next_power_of_two() as u32;
    let bucket = |table: &TableId| {
        let hash = java_hash(&table.to_string());
        (hash ^ (hash >> 16)) & (buckets - 1)
    };
    tables.sort_by_key(bucket);
    tables
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(database: &str, inserted: &[&str], expect: &[&str]) {
        let ids = inserted.iter().map(|t| TableId { database: database.into(), table: (*t).into() }).collect();
        let order = java_set_order(ids);
        assert_eq!(order.iter().map(|t| &*t.table).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn names_stand_in_the_order_of_a_java_set() {
        // As Debezium 3.6.1 listed them for RENAME TABLE.
        check("c_my_ddl_tables", &["old_a", "a", "b"], &["old_a", "a", "b"]);
        check("c_maria_ddl", &["o2", "o"], &["o", "o2"]);
    }

    #[test]
    fn java_hash_of_a_text() {
        assert_eq!(java_hash("hello"), 99_162_322);
    }

    #[test]
    fn an_error_says_where() {
        let table = Some(TableId { database: "d".into(), table: "t".into() });
        let error = NotUnderstood { table, statement: "ALTER TABLE", why: "a clause is not known", at: 14 };
        let text =
            "the statement ALTER TABLE of table d.t is not understood: a clause is not known, at byte 14 of its text";
        assert_eq!(error.to_string(), text);
    }
}
