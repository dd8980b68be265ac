//! Schema histories that Debezium 3.6.1 (MySQL 9.7) and 3.5.0 (MariaDB 10.11) read, and went on from with the right rows.
//!
//! `tests/mysql_swap.rs` recorded them into `tests/data/swap`: the first records are Debezium's own, the others the daemon's.
//! What is written today for the same statements must be the same bytes.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use mysql::Flavour;
use mysql::ddl::{Catalog, DdlFilter, Dialect, Query, Rules};
use mysql::history::{HistoryRecord, Recovery, When, recover};
use serde_json::Value;

struct Line {
    by_java: bool,
    text: String,
}

fn lines(file: &str) -> Vec<Line> {
    let path = format!("{}/../../tests/data/swap/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let line = |line: &str| {
        let line: Value = serde_json::from_str(line).unwrap();
        let text = line["history"].as_str()?.to_owned();
        Some(Line { by_java: line["by"] == "java", text })
    };
    text.lines().filter_map(line).collect()
}

/// The record with the database, statement and changes of another.
fn written(record: &HistoryRecord, like: mysql::ddl::SchemaChange) -> String {
    let (database, ddl) = (Some(like.database), Some(like.ddl));
    HistoryRecord { database, ddl, changes: like.changes, ..record.clone() }.to_json()
}

#[track_caller]
fn check(flavour: Flavour, file: &str) {
    let lines = lines(file);
    let comments = flavour == Flavour::MariaDb;
    let mut catalog = Catalog::new(Rules { dialect: Dialect::new(flavour), comments, lower_case_table_names: 0 });
    let filter = DdlFilter::new(None).unwrap();
    let (mut ours, mut last_of_java, mut at) = (Vec::new(), Vec::new(), 0);
    while let Some(line) = lines.get(at) {
        let record = HistoryRecord::parse(line.text.as_bytes()).unwrap();
        assert_eq!(record.to_json(), line.text, "a record is not written as it was read");
        if line.by_java {
            let recovery = Recovery { source: &record.source, filter: &filter, prefer_ddl: false };
            last_of_java = recover([&record], &mut catalog, &recovery, |_| When::At).again;
            at += 1;
            continue;
        }
        let (text, database) = (record.ddl.as_deref().unwrap(), record.database.as_deref().unwrap());
        let query = Query { text, database, sql_mode: None };
        // With GTIDs the last statement before a stop is read once more.
        let outcome = catalog.again(&query, &last_of_java).unwrap_or_else(|| catalog.apply(&query));
        assert!(!outcome.records.is_empty(), "{text}");
        for change in outcome.records {
            let record = HistoryRecord::parse(lines[at].text.as_bytes()).unwrap();
            assert_eq!(written(&record, change), lines[at].text, "{text}");
            ours.push(record.ddl.unwrap());
            at += 1;
        }
    }
    assert!(ours.len() > 10, "{ours:?}");
}

#[test]
fn statements_of_mysql_give_what_java_read() {
    check(Flavour::MySql, "swapmysql");
    check(Flavour::MySql, "swapfiles");
}

#[test]
fn statements_of_mariadb_give_what_java_read() {
    check(Flavour::MariaDb, "swapmariadb");
}
