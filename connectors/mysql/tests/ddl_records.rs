//! The records of DDL, against those of Debezium 3.6.1 with MySQL 9.7 and MariaDB 10.11.
//!
//! `ddl/debezium.jsonl` has one scenario a line. Its steps are the statements that a connector read, in their order, with
//! the records that the Java connector published for each on the topic of schema changes.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

use std::sync::Arc;

use mysql::Flavour;
use mysql::ddl::{Catalog, Dialect, Query, Rules, SchemaChange};
use mysql::model::{ChangeKind, Column, Table};
use serde_json::{Map, Value, json};

fn column(c: &Column) -> Value {
    let text = |t: &Option<Arc<str>>| t.as_deref().map_or(Value::Null, Value::from);
    let number = |n: Option<i32>| n.map_or(Value::Null, Value::from);
    let labels = if c.enum_values.is_empty() {
        Value::Null
    } else {
        json!(c.enum_values.iter().map(|v| &**v).collect::<Vec<_>>())
    };
    without_nulls(json!({
        "name": &*c.name, "jdbcType": c.jdbc_type, "typeName": &*c.type_name, "charsetName": text(&c.charset),
        "length": number(c.length), "scale": number(c.scale), "optional": c.optional,
        "autoIncremented": c.auto_incremented, "generated": c.generated, "comment": text(&c.comment),
        "defaultValueExpression": text(&c.default), "enumValues": labels,
    }))
}

fn table(t: &Table) -> Value {
    without_nulls(json!({
        "defaultCharsetName": t.default_charset.as_deref(),
        "primaryKeyColumnNames": t.primary_key.iter().map(|k| &**k).collect::<Vec<_>>(),
        "columns": t.columns.iter().map(column).collect::<Vec<_>>(),
        "comment": t.comment.as_deref(),
    }))
}

fn record(r: &SchemaChange) -> Value {
    let changes = r.changes.iter().map(|c| {
        let kind = match c.kind {
            ChangeKind::Create => "CREATE",
            ChangeKind::Alter => "ALTER",
            ChangeKind::Drop => "DROP",
        };
        let id = format!("\"{}\".\"{}\"", c.id.database, c.id.table);
        without_nulls(json!({ "type": kind, "id": id, "table": c.table.as_deref().map(table) }))
    });
    json!({ "database": r.database, "ddl": r.ddl, "table": r.source_table(), "changes": changes.collect::<Vec<_>>() })
}

fn without_nulls(value: Value) -> Value {
    let Value::Object(map) = value else { return value };
    Value::Object(map.into_iter().filter(|(_, v)| !v.is_null()).collect::<Map<_, _>>())
}

#[track_caller]
fn check(scenario: &str) {
    let all = include_str!("ddl/debezium.jsonl");
    let line = all.lines().map(|l| serde_json::from_str::<Value>(l).unwrap()).find(|v| v["scenario"] == scenario);
    let line = line.expect("the scenario is in the file");
    let mariadb = scenario.starts_with("maria");
    let dialect = Dialect::new(if mariadb { Flavour::MariaDb } else { Flavour::MySql });
    // MariaDB's connector keeps comments when it publishes schema changes.
    let comments = mariadb || scenario == "my-source-type";
    let mut catalog = Catalog::new(Rules { dialect, comments, lower_case_table_names: 0 });
    for step in line["steps"].as_array().unwrap() {
        let text = step["text"].as_str().unwrap();
        let database = step["database"].as_str().unwrap();
        let outcome = catalog.apply(&Query { text, database, sql_mode: None });
        assert_eq!(outcome.not_understood, None, "{text}");
        let records: Vec<Value> = outcome.records.iter().map(record).collect();
        assert_eq!(Value::from(records), step["records"], "{text}");
    }
}

macro_rules! scenarios {
    ($($name:ident = $scenario:literal)*) => {
        $(#[test]
        fn $name() {
            check($scenario);
        })*
    };
}

scenarios! {
    maria_ddl = "maria-ddl"
    maria_text = "maria-text"
    maria_types = "maria-types"
    maria_versioned = "maria-versioned"
    my_bits_bytes = "my-bits-bytes"
    my_ddl_columns = "my-ddl-columns"
    my_ddl_hard = "my-ddl-hard"
    my_ddl_tables = "my-ddl-tables"
    my_defaults = "my-defaults"
    my_enum_set = "my-enum-set"
    my_filters = "my-filters"
    my_generated = "my-generated"
    my_names = "my-names"
    my_num_precise = "my-num-precise"
    my_source_type = "my-source-type"
    my_text = "my-text"
    my_tx_metadata = "my-tx-metadata"
    my_vector = "my-vector"
}
