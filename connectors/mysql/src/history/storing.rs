//! Which statements are kept in the history and published.

use crate::ddl::SchemaChange;
use crate::model::TableId;

/// The switches `schema.history.internal.store.only.captured.*.ddl`.
///
/// In the stream only that of tables has an effect; that of databases says which tables a snapshot reads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Storing {
    /// Only statements that touch a captured table (`store.only.captured.tables.ddl`).
    pub only_captured_tables: bool,
    /// Only tables of captured databases (`store.only.captured.databases.ddl`).
    pub only_captured_databases: bool,
}

impl Storing {
    /// Whether the schema of a table is read by a snapshot although the table itself is perhaps not captured.
    pub fn snapshots(self, captured: bool, database_captured: bool) -> bool {
        captured || !(self.only_captured_tables || self.only_captured_databases && !database_captured)
    }

    /// Whether the records of a statement are made at all: on the topic of schema changes, and in the history if
    /// [`Self::keeps`] says so too.
    pub fn publishes(
        self,
        records: &[SchemaChange],
        captured: impl Fn(&TableId) -> bool,
        database_captured: impl Fn(&str) -> bool,
    ) -> bool {
        !self.only_captured_tables
            || records.iter().any(|record| match &record.tables {
                // A database, or a variable of the server or of a database.
                None => is_global_set(record) || database_captured(&record.database),
                Some(tables) => tables.iter().any(&captured),
            })
    }

    /// Whether a record goes into the history.
    pub fn keeps(self, record: &SchemaChange, captured: impl Fn(&TableId) -> bool) -> bool {
        !self.only_captured_tables || is_global_set(record) || record.changes.iter().any(|change| captured(&change.id))
    }
}

/// A `SET` of variables that no database is named for.
fn is_global_set(record: &SchemaChange) -> bool {
    record.database.is_empty() && record.ddl.get(..4).is_some_and(|head| head.eq_ignore_ascii_case("SET "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;
    use crate::ddl::{Catalog, Dialect, Query, Rules};

    const CAPTURED: Storing = Storing { only_captured_tables: true, only_captured_databases: false };

    /// Table `d.t` is captured, and its database.
    #[track_caller]
    fn check(storing: Storing, statement: &str, database: &str, publishes: bool, keeps: bool) {
        let dialect = Dialect::new(Flavour::MySql);
        let mut catalog = Catalog::new(Rules { dialect, comments: false, lower_case_table_names: 0 });
        let records = catalog.apply(&Query { text: statement, database, sql_mode: None }).records;
        let captured = |id: &TableId| id.to_string() == "d.t";
        let published = storing.publishes(&records, captured, |d| d == "d");
        assert_eq!((published, records.iter().all(|r| storing.keeps(r, captured))), (publishes, keeps), "{statement}");
    }

    #[test]
    fn everything_is_stored_by_default() {
        for statement in ["create table u(a int)", "drop database other", "create index i on u(a)"] {
            check(Storing::default(), statement, "d", true, true);
        }
    }

    #[test]
    fn only_what_touches_captured_tables() {
        check(CAPTURED, "create table t(a int)", "d", true, true);
        check(CAPTURED, "create table u(a int)", "d", false, false);
        check(CAPTURED, "create index i on t(a)", "d", false, false);
        check(CAPTURED, "SET character_set_server=latin1", "", true, true);
        check(CAPTURED, "drop database d", "d", true, false);
        check(CAPTURED, "drop database other", "d", false, false);
    }

    #[test]
    fn what_a_snapshot_reads() {
        let databases = Storing { only_captured_tables: false, only_captured_databases: true };
        assert!(Storing::default().snapshots(false, false));
        assert!(databases.snapshots(false, true) && !databases.snapshots(false, false));
        assert!(CAPTURED.snapshots(true, true) && !CAPTURED.snapshots(false, true));
    }
}
