use super::*;
use crate::Flavour;
use crate::binlog::{WireColumn, wire_type};
use crate::ddl::{Catalog, Dialect, Query, Rules};
use crate::model::TableId;

fn literal() -> Option<Literal> {
    let rules = Rules { dialect: Dialect::new(Flavour::MySql), comments: false, lower_case_table_names: 0 };
    let mut catalog = Catalog::new(rules);
    catalog.apply(&Query { text: "create table t (k int)", database: "d", sql_mode: None });
    let id = TableId { database: "d".into(), table: "t".into() };
    let column = &catalog.table(&id).unwrap().columns[0];
    Literal::of(&id, column, Flavour::MySql, WireColumn { kind: wire_type::LONG, metadata: 0 })
}

#[test]
fn statements() {
    let by_key = ByKey::new("d", "t`x", vec![("a".to_owned(), literal()), ("B".to_owned(), literal())]);
    let statement = by_key.statement(["x", "Y z"].into_iter(), &[Some(&[7, 0, 0, 0]), None]);
    let expect = "SELECT `x`, `Y z` FROM `d`.`t``x` WHERE `a` = 7 AND `B` = NULL LIMIT 2";
    assert_eq!(statement.as_deref(), Ok(expect));
}

#[test]
fn keys_that_cannot_be_looked_for() {
    let by_key = |literal| ByKey::new("d", "t", vec![("a".to_owned(), literal)]);
    let unwritable = |reason| Err(Unwritable { column: "a".to_owned(), reason });
    let statement = by_key(None).statement(["x"].into_iter(), &[Some(&[7])]);
    assert_eq!(statement, unwritable("no row can be looked for by a value of its type"));
    let statement = by_key(literal()).statement(["x"].into_iter(), &[Some(&[7; 9])]);
    assert_eq!(statement, unwritable("its value cannot be read"));
}
