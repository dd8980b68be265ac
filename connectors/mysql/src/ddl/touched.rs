//! Which tables a statement may change the shape of, without applying it.

use super::normal::normal;
use super::read::{Failed, read};
use super::statement::{Clause, Name, Statement};
use super::{Catalog, NotUnderstood, Query};
use crate::model::TableId;

/// The tables that a statement makes, alters, renames or drops. Names are as the catalog's rules fold them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Touched {
    /// These.
    pub(crate) tables: Vec<TableId>,
    /// All of these databases.
    pub(crate) databases: Vec<String>,
    /// It may be any: not even the name can be read.
    pub(crate) any: bool,
}

impl Failed {
    /// Whether a statement that cannot be read is one that may make tables others than they are known.
    fn changes_tables(&self) -> bool {
        matches!(self.verb, "ALTER TABLE" | "CREATE TABLE" | "DROP TABLE" | "RENAME TABLE")
    }
}

impl Catalog {
    /// A statement that cannot be read matters if it changes a table that is known, makes one, or may do so.
    pub(super) fn failed(&self, failed: &Failed, current: &str) -> Result<(), NotUnderstood> {
        let table = failed.table.as_ref().map(|name| self.id(name, current));
        // What is not known cannot be altered into something else.
        let is_of_unknown = failed.verb == "ALTER TABLE" && table.as_ref().is_some_and(|id| self.table(id).is_none());
        if failed.changes_tables() && !is_of_unknown { Err(failed.outcome(table)) } else { Ok(()) }
    }

    /// The tables that the statement makes, alters, renames or drops, or may do so for all that can be read of it.
    pub(crate) fn touched(&self, query: &Query<'_>) -> Touched {
        let mut touched = Touched::default();
        let mut current = query.database.to_owned();
        let dialect = self.dialect(query);
        for sentence in read(&normal(query.text, dialect), dialect) {
            let Touched { tables, databases, any } = &mut touched;
            let mut add = |name: &Name| tables.push(self.key(&self.id(name, &current)));
            match &sentence.statement {
                Err(failed) if failed.changes_tables() => match &failed.table {
                    Some(name) => add(name),
                    None => *any = true,
                },
                Ok(Statement::CreateTable(create)) => add(&create.table),
                Ok(Statement::AlterTable { table, clauses }) => {
                    add(table);
                    for clause in clauses {
                        if let Clause::RenameTable(name) | Clause::ToTable(name) | Clause::FromTable(name) = clause {
                            add(name);
                        }
                    }
                }
                Ok(Statement::DropTables { tables, .. }) => tables.iter().for_each(add),
                Ok(Statement::RenameTables { pairs, .. }) => {
                    for (old, new, _) in pairs {
                        add(old);
                        add(new);
                    }
                }
                Ok(Statement::CreateUniqueIndex { table, .. }) => add(table),
                Ok(Statement::DropDatabase(name)) => databases.push(self.folded(name).to_string()),
                Ok(Statement::Use(name)) => current.clone_from(name),
                _ => {}
            }
        }
        touched
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;
    use crate::ddl::{Dialect, Rules};

    #[track_caller]
    fn check_in(case: u8, text: &str, expect: &[&str]) {
        let dialect = Dialect::new(Flavour::MySql);
        let catalog = Catalog::new(Rules { dialect, comments: false, lower_case_table_names: case });
        let touched = catalog.touched(&Query { text, database: "d", sql_mode: None });
        let mut found: Vec<String> = touched.tables.iter().map(ToString::to_string).collect();
        found.extend(touched.databases);
        found.extend(touched.any.then(|| "any".to_owned()));
        assert_eq!(found, expect, "{text}");
    }

    #[track_caller]
    fn check(text: &str, expect: &[&str]) {
        check_in(0, text, expect);
    }

    #[test]
    fn statements_about_tables() {
        check("create table t(a int)", &["d.t"]);
        check("create table if not exists d.t like o", &["d.t"]);
        check("alter table t add b int", &["d.t"]);
        check("alter table o rename to e.t", &["d.o", "e.t"]);
        check("rename table t to o", &["d.t", "d.o"]);
        check("rename table o to x, x to t", &["d.o", "d.x", "d.x", "d.t"]);
        check("drop table o, e.t", &["d.o", "e.t"]);
        check("drop database d", &["d"]);
        check("alter table t add b no such type", &["d.t"]);
        check("create unique index i on t(a)", &["d.t"]);
        check("use e; drop table t", &["e.t"]);
        check_in(1, "drop table T", &["d.t"]);
        check_in(2, "drop database D", &["d"]);
    }

    #[test]
    fn statements_about_nothing_that_matters() {
        for text in [
            "truncate table t",
            "create user u",
            "use e",
            "alter database d character set latin1",
            "create unique index i on",
            "create database 5",
            "drop database if exists",
            "truncate 5",
        ] {
            check(text, &[]);
        }
    }

    #[test]
    fn a_statement_whose_table_cannot_be_read_may_be_about_any() {
        check("rename table 5", &["any"]);
        check("drop table if exists", &["any"]);
    }

    /// What blocks the look at the server is what leaves a doubt, and nothing else.
    #[test]
    fn what_cannot_be_read_touches_what_it_leaves_in_doubt() {
        let dialect = Dialect::new(Flavour::MySql);
        let mut catalog = Catalog::new(Rules { dialect, comments: false, lower_case_table_names: 0 });
        let apply = |catalog: &mut Catalog, text| {
            catalog.apply(&Query { text, database: "d", sql_mode: None }).not_understood.is_some()
        };
        assert!(!apply(&mut catalog, "create table t(a int)"));
        for text in [
            "create table x(a no such type",
            "alter table t add b no such type",
            "alter table 5",
            "drop table if exists",
            "rename table 5",
            "create unique index i on",
            "create database 5",
            "drop database if exists",
            "truncate 5",
        ] {
            let touched = catalog.touched(&Query { text, database: "d", sql_mode: None });
            let matters = apply(&mut catalog.clone(), text);
            assert_eq!(touched != Touched::default(), matters, "{text}");
        }
    }
}
