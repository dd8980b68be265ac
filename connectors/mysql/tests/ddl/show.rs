//! Says in short what a statement leaves behind, for tests that are tables of such answers.
#![allow(dead_code, reason = "each test program uses a part")]

use std::fmt::Write as _;

use mysql::Flavour;
use mysql::ddl::{Catalog, Dialect, Grammar, Outcome, Query, Rules};
use mysql::model::{Column, Table, TableId};

/// A column in short: `name TYPE(length,scale) charset !` (`!`: required; `#`: numbers itself; `=`: its default).
pub(crate) fn column(c: &Column) -> String {
    let mut text = format!("{} {}", c.name, c.type_name);
    match (c.length, c.scale) {
        (Some(length), Some(scale)) => write!(text, "({length},{scale})").unwrap(),
        (Some(length), None) => write!(text, "({length})").unwrap(),
        _ => {}
    }
    if let Some(charset) = &c.charset {
        write!(text, " {charset}").unwrap();
    }
    text.push_str(if c.optional { "" } else { " !" });
    text.push_str(if c.auto_incremented { " #" } else { "" });
    match (c.has_default, c.default.as_deref()) {
        (true, Some(default)) => write!(text, " ={default}").unwrap(),
        // The NULL of a column that may be NULL is not worth a word.
        (true, None) if !c.optional => text.push_str(" =NULL"),
        (false, _) if c.optional => text.push_str(" without default"),
        _ => {}
    }
    if let Some(comment) = &c.comment {
        write!(text, " '{comment}'").unwrap();
    }
    text
}

/// A table in short: its key, then its columns.
pub(crate) fn table(t: &Table) -> String {
    format!("({}) {}", t.primary_key.join(","), t.columns.iter().map(column).collect::<Vec<_>>().join(", "))
}

/// An outcome in short, one record a line: `[database:tables] text -> change`.
pub(crate) fn show(outcome: &Outcome) -> String {
    let mut lines = Vec::new();
    for record in &outcome.records {
        let tables = record.source_table().map_or(String::new(), |t| format!(":{t}"));
        let mut line = format!("[{}{tables}] {}", record.database, record.ddl);
        for change in &record.changes {
            write!(line, " -> {:?} {}", change.kind, change.id).unwrap();
            if let Some(previous) = &change.previous {
                write!(line, " was {previous}").unwrap();
            }
            if let Some(of) = &change.table {
                write!(line, " {}", table(of)).unwrap();
            }
        }
        lines.push(line);
    }
    lines.extend(outcome.truncated.as_ref().map(|id| format!("truncated {id}")));
    lines.extend(outcome.not_understood.as_ref().map(ToString::to_string));
    lines.join("\n")
}

pub(crate) fn catalog(dialect: Dialect, comments: bool) -> Catalog {
    let mut catalog = Catalog::new(Rules { dialect, comments, lower_case_table_names: 0 });
    catalog.set_variable("character_set_server", "utf8mb4");
    catalog
}

pub(crate) fn run(catalog: &mut Catalog, text: &str) -> Outcome {
    catalog.apply(&Query { text, database: "d", sql_mode: None })
}

#[track_caller]
pub(crate) fn check_in(dialect: Dialect, before: &[&str], statement: &str, expect: &str) {
    let mut catalog = catalog(dialect, false);
    for text in before {
        let outcome = run(&mut catalog, text);
        assert_eq!(outcome.not_understood, None, "{text}");
    }
    assert_eq!(show(&run(&mut catalog, statement)), expect);
}

#[track_caller]
pub(crate) fn check(before: &[&str], statement: &str, expect: &str) {
    check_in(Dialect::new(Flavour::MySql), before, statement, expect);
}

pub(crate) fn legacy() -> Dialect {
    Dialect { grammar: Grammar::Legacy, ..Dialect::new(Flavour::MySql) }
}

pub(crate) fn maria() -> Dialect {
    Dialect::new(Flavour::MariaDb)
}

/// The columns after the statements, in the default grammar.
#[track_caller]
pub(crate) fn check_table(statements: &[&str], expect: &str) {
    check_table_in(Dialect::new(Flavour::MySql), statements, expect);
}

#[track_caller]
pub(crate) fn check_table_in(dialect: Dialect, statements: &[&str], expect: &str) {
    let mut catalog = catalog(dialect, false);
    for text in statements {
        let outcome = run(&mut catalog, text);
        assert_eq!(outcome.not_understood, None, "{text}");
    }
    let id = TableId { database: "d".into(), table: "t".into() };
    assert_eq!(table(catalog.table(&id).expect("the table exists")), expect);
}

pub(crate) const T: &str = "create table t(id int primary key)";
