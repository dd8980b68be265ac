//! Rebuilds the tables as they were at a position.

use serde_json::{Map, Value};

use super::position::When;
use super::record::HistoryRecord;
use crate::ddl::{Catalog, DdlFilter, NotUnderstood, Query};
use crate::model::{ChangeKind, Column, Table, TableChange};

/// What a recovery goes by.
#[derive(Clone, Copy, Debug)]
pub struct Recovery<'a> {
    /// The connector's source; records of others are passed over.
    pub source: &'a Map<String, Value>,
    /// Statements that are passed over.
    pub filter: &'a DdlFilter,
    /// Read every statement again instead of taking the tables that the record has (`prefer.ddl`).
    pub prefer_ddl: bool,
}

/// What became of the records.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Recovered {
    /// How many were applied.
    pub applied: usize,
    /// How many belong to others or stand behind the position.
    pub passed: usize,
    /// The database and text of each record that stands at the position itself. The stream brings their statements once
    /// more; see [`Catalog::again`].
    pub again: Vec<(String, String)>,
    /// The statements that are not understood. The tables that they may have changed are in doubt ([`Catalog::doubt`]), until a
    /// later record tells how they are.
    pub in_doubt: Vec<NotUnderstood>,
}

/// Applies the records that stand at or before a position, in their order; `when` compares a record's position with it.
pub fn recover<'r>(
    records: impl IntoIterator<Item = &'r HistoryRecord>,
    catalog: &mut Catalog,
    recovery: &Recovery<'_>,
    mut when: impl FnMut(&Map<String, Value>) -> When,
) -> Recovered {
    let mut done = Recovered::default();
    for record in records {
        let when = if record.source == *recovery.source { when(&record.position) } else { When::After };
        if when == When::After {
            done.passed += 1;
            continue;
        }
        done.applied += 1;
        if when == When::At {
            done.again.push((record.database.clone().unwrap_or_default(), record.ddl.clone().unwrap_or_default()));
        }
        let ddl = record.ddl.as_deref();
        let query: Option<Query<'_>> =
            ddl.map(|text| Query { text, database: record.database.as_deref().unwrap_or(""), sql_mode: None });
        if record.changes.is_empty() {
            let Some(query) = query.filter(|q| !recovery.filter.drops(q.text)) else { continue };
            if let Some(failed) = catalog.apply(&query).not_understood {
                catalog.note_place(&place_of(&record.position));
                done.in_doubt.push(failed);
            }
            continue;
        }
        if recovery.prefer_ddl {
            let Some(query) = query.filter(|q| !recovery.filter.drops(q.text)) else { continue };
            // What became of a statement that is not understood was found out in another way: the record has it, and an earlier
            // record has raised the doubt.
            if catalog.apply_told(&query) {
                continue;
            }
        } else if let Some(query) = query.filter(|_| catalog.rules().dialect.flavour == crate::Flavour::MariaDb) {
            // A record does not say which columns the server computes; the statement does.
            catalog.apply_told(&query);
        }
        for change in &record.changes {
            apply(catalog, change);
        }
    }
    done
}

/// `file:position` of a recorded position, for messages.
fn place_of(position: &Map<String, Value>) -> String {
    let file = position.get("file").and_then(Value::as_str).unwrap_or_default();
    format!("{file}:{}", position.get("pos").and_then(Value::as_u64).unwrap_or(0))
}

fn apply(catalog: &mut Catalog, change: &TableChange) {
    let known =
        catalog.table(&change.id).or_else(|| change.previous.as_ref().and_then(|id| catalog.table(id))).cloned();
    let is_computed = |column: &Column| {
        let known = known.as_ref().and_then(|known| known.column(&column.name));
        known.is_some_and(|known| known.computed)
    };
    if let Some(previous) = &change.previous {
        catalog.remove(previous);
    }
    match &change.table {
        Some(table) if table.columns.iter().any(is_computed) => {
            let mut table = Table::clone(table);
            table.columns.iter_mut().for_each(|column| column.computed = is_computed(column));
            catalog.put(table.into());
        }
        Some(table) => catalog.put(table.clone()),
        None => debug_assert_eq!(change.kind, ChangeKind::Drop, "only a table that is gone has no shape"),
    }
    if change.kind == ChangeKind::Drop {
        catalog.remove(&change.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Flavour;
    use crate::ddl::{Dialect, Rules};
    use crate::model::TableId;
    use std::cmp::Ordering;

    fn source() -> Map<String, Value> {
        serde_json::from_str(r#"{"server":"s"}"#).unwrap()
    }

    fn catalog(flavour: Flavour) -> Catalog {
        Catalog::new(Rules { dialect: Dialect::new(flavour), comments: false, lower_case_table_names: 0 })
    }

    fn id(table: &str) -> TableId {
        TableId { database: "d".into(), table: table.into() }
    }

    /// The records that statements leave behind; the position of each is its number from 1.
    fn history(flavour: Flavour, statements: &[&str]) -> Vec<HistoryRecord> {
        let mut catalog = catalog(flavour);
        let mut records = Vec::new();
        for text in statements {
            for change in catalog.apply(&Query { text, database: "d", sql_mode: None }).records {
                let position = [("pos".to_owned(), Value::from(records.len() + 1))].into_iter().collect();
                let record = HistoryRecord {
                    source: source(),
                    position,
                    ts_ms: 0,
                    database: Some(change.database),
                    ddl: Some(change.ddl),
                    changes: change.changes,
                };
                // Through the text, as a start has it.
                records.push(HistoryRecord::parse(record.to_json().as_bytes()).unwrap());
            }
        }
        records
    }

    fn run(records: &[HistoryRecord], flavour: Flavour, prefer_ddl: bool, to: u64) -> (Catalog, Recovered) {
        let (source, filter) = (source(), DdlFilter::new(None).unwrap());
        let recovery = Recovery { source: &source, filter: &filter, prefer_ddl };
        let mut catalog = catalog(flavour);
        let done = recover(records, &mut catalog, &recovery, |p| match p["pos"].as_u64().unwrap().cmp(&to) {
            Ordering::Less => When::Before,
            Ordering::Equal => When::At,
            Ordering::Greater => When::After,
        });
        (catalog, done)
    }

    const STATEMENTS: &[&str] = &[
        "set character_set_server=latin1",
        "create database d",
        "create table a(id int primary key, v varchar(3))",
        "create table b(id int primary key)",
        "rename table a to x, b to a, x to b",
        "alter table b add e enum('x','y') default 'y'",
        "drop table a",
    ];

    #[track_caller]
    fn check(prefer_ddl: bool, to: u64, tables: &[(&str, usize)]) {
        let (catalog, _) = run(&history(Flavour::MySql, STATEMENTS), Flavour::MySql, prefer_ddl, to);
        let found: Vec<_> = catalog.tables().map(|t| (&*t.id.table, t.columns.len())).collect();
        assert_eq!(found, tables);
    }

    #[test]
    fn tables_are_as_they_were_at_the_position() {
        for prefer_ddl in [false, true] {
            check(prefer_ddl, 3, &[("a", 2)]);
            check(prefer_ddl, 4, &[("a", 2), ("b", 1)]);
            check(prefer_ddl, 7, &[("a", 1), ("b", 2)]);
            check(prefer_ddl, 8, &[("a", 1), ("b", 3)]);
            check(prefer_ddl, 9, &[("b", 3)]);
        }
    }

    #[test]
    fn recovered_tables_are_the_tables_that_were_recorded() {
        let records = history(Flavour::MySql, STATEMENTS);
        let (by_tables, _) = run(&records, Flavour::MySql, false, 9);
        let (by_ddl, _) = run(&records, Flavour::MySql, true, 9);
        assert_eq!(by_tables.table(&id("b")), by_ddl.table(&id("b")));
        assert_eq!(by_tables.table(&id("b")).unwrap().columns[1].charset.as_deref(), Some("latin1"));
        assert_eq!(by_tables.variable("character_set_server"), Some("latin1"));
    }

    /// A statement at the position is read again, and the tables stay as they are: the pairs of a swap would undo it.
    #[track_caller]
    fn check_again(at: u64, statement: &str, expect: &[(&str, usize)]) {
        let (catalog, done) = run(&history(Flavour::MySql, STATEMENTS), Flavour::MySql, false, at);
        let query = Query { text: statement, database: "d", sql_mode: None };
        let outcome = catalog.again(&query, &done.again).expect("the statement is known");
        assert_eq!(outcome.not_understood, None);
        let shown = outcome.records.iter().flat_map(|r| &r.changes);
        let tables: Vec<_> = shown.map(|c| (&*c.id.table, c.table.as_ref().map_or(0, |t| t.columns.len()))).collect();
        assert_eq!(tables, expect);
    }

    #[test]
    fn a_statement_that_is_read_again_shows_the_tables_as_they_are() {
        check_again(3, STATEMENTS[2], &[]);
        check_again(8, STATEMENTS[5], &[("b", 3)]);
        check_again(9, STATEMENTS[6], &[("a", 0)]);
        let (catalog, done) = run(&history(Flavour::MySql, STATEMENTS), Flavour::MySql, false, 8);
        let other = Query { text: "alter table b drop e", database: "d", sql_mode: None };
        assert_eq!(catalog.again(&other, &done.again), None);
    }

    #[test]
    fn records_of_others_are_passed_over() {
        let mut records = history(Flavour::MySql, STATEMENTS);
        records[2].source = Map::new();
        let (catalog, done) = run(&records, Flavour::MySql, false, 3);
        assert_eq!((catalog.tables().count(), done.applied, done.passed), (0, 2, 7));
    }

    #[test]
    fn columns_that_mariadb_computes_are_known_after_a_recovery() {
        let statements = [
            "create table a(id int primary key, v int as (id + 1), w int generated always as (id) stored)",
            "alter table a add x int, drop w",
            "create table b like a",
            "rename table a to c",
            "alter table b modify v int",
        ];
        let (catalog, _) = run(&history(Flavour::MariaDb, &statements), Flavour::MariaDb, false, 9);
        let computed = |table| -> Vec<_> {
            let columns = catalog.table(&id(table)).unwrap().columns.iter();
            columns.filter(|column| column.computed).map(|column| column.name.to_string()).collect()
        };
        assert_eq!((computed("c"), computed("b")), (vec!["v".to_owned()], Vec::new()));
    }

    /// A record of a statement that is not understood and, if `found`, a later one that tells of the table.
    #[track_caller]
    fn check_doubt(found: bool, prefer_ddl: bool, columns: usize, is_in_doubt: bool) {
        let unread = "create table a(id sometype)";
        let mut records = history(Flavour::MySql, &STATEMENTS[..3]);
        let mut raw = records[2].clone();
        raw.changes.clear();
        raw.ddl = Some(unread.to_owned());
        raw.position["pos"] = 4.into();
        let told = HistoryRecord { ddl: raw.ddl.clone(), position: raw.position.clone(), ..records[2].clone() };
        records.push(raw);
        records.extend(found.then_some(told));
        let (catalog, done) = run(&records, Flavour::MySql, prefer_ddl, 9);
        assert_eq!(catalog.table(&id("a")).unwrap().columns.len(), columns);
        assert_eq!(catalog.doubt(&id("a")).is_some(), is_in_doubt);
        assert_eq!(done.in_doubt.len(), 1);
        if let Some(doubt) = catalog.doubt(&id("a")) {
            assert_eq!((&*doubt.text, &*doubt.at), (unread, ":4"));
        }
    }

    #[test]
    fn a_statement_that_is_not_understood_leaves_its_table_in_doubt() {
        for prefer_ddl in [false, true] {
            check_doubt(false, prefer_ddl, 2, true);
            check_doubt(true, prefer_ddl, 2, false);
        }
    }

    /// A statement of which not even the table can be read leaves all tables in doubt. One after another is found out, and each
    /// that was stays known, whichever record is read later.
    #[test]
    fn tables_that_were_found_out_stay_known() {
        let unread = "alter table 5";
        let mut records = history(Flavour::MySql, &STATEMENTS[..4]);
        let at = |pos: usize, changes| HistoryRecord {
            position: [("pos".to_owned(), Value::from(pos))].into_iter().collect(),
            ddl: Some(unread.to_owned()),
            changes,
            ..records[2].clone()
        };
        let told = [at(5, Vec::new()), at(6, records[2].changes.clone()), at(7, records[3].changes.clone())];
        records.extend(told);
        for prefer_ddl in [false, true] {
            let in_doubt = |to: u64| {
                let (catalog, done) = run(&records, Flavour::MySql, prefer_ddl, to);
                assert_eq!(done.in_doubt.len(), 1);
                ["a", "b"].map(|table| catalog.doubt(&id(table)).is_some())
            };
            assert_eq!([5, 6, 7].map(in_doubt), [[true, true], [false, true], [false, false]], "{prefer_ddl}");
        }
    }
}
