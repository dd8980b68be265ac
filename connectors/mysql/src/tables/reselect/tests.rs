use record::{RowRef, Span, Value, ValueRef};
use relational::reselect::{CLASS, Candidate};
use settings::Properties;

use super::*;
use crate::binlog::{Layout, wire_type as wire};
use crate::config::MySqlConfig;
use crate::ddl::{Catalog, Dialect, Query, Rules};
use crate::model::TableId;
use crate::tables::{Known, Tables, Wire};

/// The types in the binlog of `id INT`, `n INT`, `b INT` and `s BLOB`.
const TYPES: &[(u8, &[u8])] = &[(wire::LONG, &[]), (wire::LONG, &[]), (wire::LONG, &[]), (wire::BLOB, &[2])];

fn tables(options: &[(&str, &str)]) -> Tables {
    const BASE: [(&str, &str); 7] = [
        ("topic.prefix", "t"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.password", "p"),
        ("database.server.id", "7"),
        ("post.processors", "r"),
        ("post.processors.r.type", CLASS),
    ];
    let prefix = |name: &str| if name.starts_with("reselect.") { "post.processors.r." } else { "" };
    let options: Vec<_> = options.iter().map(|(name, value)| (format!("{}{name}", prefix(name)), *value)).collect();
    let options = options.iter().map(|(name, value)| (name.as_str(), *value));
    let properties: Properties = BASE.into_iter().chain(options).collect();
    Tables::new(&MySqlConfig::read(Flavour::MySql, &properties).unwrap(), "1").unwrap()
}

fn table(ddl: &str) -> Table {
    let rules = Rules { dialect: Dialect::new(Flavour::MySql), comments: false, lower_case_table_names: 0 };
    let mut catalog = Catalog::new(rules);
    let outcome = catalog.apply(&Query { text: &format!("create table t ({ddl})"), database: "d", sql_mode: None });
    assert!(outcome.not_understood.is_none(), "{ddl}");
    catalog.table(&TableId { database: "d".into(), table: "t".into() }).unwrap().as_ref().clone()
}

fn known(tables: &mut Tables, ddl: &str) -> Known {
    let table = table(ddl);
    let (types, metadata): (Vec<u8>, Vec<_>) = TYPES[..table.columns.len()].iter().copied().unzip();
    let layout = Layout::parse(&types, &metadata.concat()).unwrap();
    let announced = TableMapped::plain(table.id.clone(), &layout);
    tables.known(&table, Wire::Log(&layout, &announced)).unwrap()
}

/// Each column that is read again when it is null, with the cells where it is and where it is put; then the columns by which
/// the row is looked for.
#[track_caller]
fn check(options: &[(&str, &str)], ddl: &str, expect: &str) {
    let mut tables = tables(options);
    let known = known(&mut tables, ddl);
    let plans = tables.plans(&Batch { shapes: vec![known.shape], ..Batch::default() });
    let column = |column: &Candidate<ColumnCodec>| {
        assert!(column.when.is_null && !column.when.is_absent, "the binlog leaves nothing out");
        format!("{}@{}>{} ", column.name, column.place, column.into)
    };
    let shown: Vec<String> = plans
        .iter()
        .flatten()
        .flat_map(|plans| plans.iter().flat_map(|plans| plans.iter()))
        .map(|plan| format!("{}by {}", plan.columns.iter().map(column).collect::<String>(), plan.key.join(",")))
        .collect();
    assert_eq!(shown.join("; "), expect, "{options:?} {ddl}");
}

#[test]
fn columns_that_can_lack() {
    check(&[], "id int primary key, n int, b int, s blob", "n@1>5 b@2>6 s@3>7 by id");
    check(&[], "id int primary key, n int not null", "");
    // A null with a default is none.
    check(&[], "id int primary key, n int default 7, b int default null", "b@2>5 by id");
    check(&[], "id int, n int", "");
    check(&[("reselect.null.values", "false")], "id int primary key, n int", "");
    check(&[("reselect.columns.include.list", "D.t:N")], "id int primary key, n int, b int", "n@1>4 by id");
    check(&[("reselect.columns.exclude.list", "d.t:n")], "id int primary key, n int, b int", "b@2>5 by id");
    check(&[("column.exclude.list", "d.t.n")], "id int primary key, n int, b int", "b@2>5 by id");
}

#[test]
fn keys_by_which_rows_are_looked_for() {
    check(&[], "id int not null, n int, unique key(id)", "n@1>3 by id");
    check(&[], "id int, n int, b int, primary key (n, id)", "b@2>5 by n,id");
    let keys = ("message.key.columns", "d.t:n");
    check(&[keys], "id int primary key, n int not null, b int", "b@2>5 by id");
    check(&[keys, ("reselect.use.event.key", "true")], "id int primary key, n int not null, b int", "b@2>5 by n");
    // A key that only the event has.
    check(&[keys], "id int not null, n int not null, b int", "b@2>5 by ");
}

#[test]
fn plans_go_with_the_shapes() {
    let mut tables = tables(&[]);
    let kept = known(&mut tables, "id int primary key, n int");
    for _ in 0..10 * MANY {
        known(&mut tables, "id int primary key, n int");
    }
    assert!(tables.again.plans.len() <= MANY + 1, "{}", tables.again.plans.len());
    assert!(tables.plans(&Batch { shapes: vec![kept.shape], ..Batch::default() }).is_some());
}

#[test]
fn what_was_read_stands_behind_the_cells_of_the_log() {
    let mut tables = tables(&[]);
    let shape = known(&mut tables, "id int primary key, n int, b int, s blob").shape;
    let buffer = b"\x01\0\0\0\x02\0\0\0-5xyz";
    let (id, n) = (Span { start: 0, len: 4 }, Span { start: 4, len: 4 });
    let spans = [
        id,
        n,
        Span::NULL,
        Span::NULL,
        Span::MISSING,
        Span::MISSING,
        Span { start: 8, len: 2 },
        Span { start: 10, len: 3 },
    ];
    let mut out: Vec<ValueRef<'_>> = Vec::new();
    shape.decode.row(buffer, &spans, &mut out).unwrap();
    let values: Vec<Value> = out.iter().map(ValueRef::to_value).collect();
    assert_eq!(values, [Value::Int(1), Value::Int(2), Value::Int(-5), Value::Bytes(b"xyz".to_vec())]);
    // A row of another number of cells is none of the table.
    let row = RowRef { first: 0, count: 7 };
    assert!(shape.decode.row(buffer, &spans[..usize::from(row.count)], &mut Vec::new()).is_err());
}
