#![allow(clippy::unwrap_used, clippy::panic, reason = "a failed unwrap is a failed test")]

use super::*;
use crate::binlog::{Body, Checksum, Header, Reader};
use crate::ddl::{Catalog, Dialect, Query, Rules};
use crate::model::{Column, Table};

const MYSQL: &[u8] = include_bytes!("../../tests/binlog/mysql-types.binlog");
const MARIADB: &[u8] = include_bytes!("../../tests/binlog/mariadb-types.binlog");
const HIDDEN: &[u8] = include_bytes!("../../tests/binlog/mariadb-hidden.binlog");

/// Each TABLE_MAP of a recorded binlog, with the table that the statements before it left.
fn each(flavour: Flavour, log: &[u8], mut see: impl FnMut(&Announced, &Table)) {
    let dialect = Dialect::new(flavour);
    let mut catalog = Catalog::new(Rules { dialect, comments: false, lower_case_table_names: 0 });
    let mut reader = Reader::new("b.1", 4, Checksum::None);
    let (mut at, mut seen) = (4, 0);
    while let Some(header) = log.get(at..).and_then(Header::parse) {
        let event = reader.event(&log[at..at + header.length as usize], 0).unwrap();
        at += header.length as usize;
        match &event.body {
            Body::Query(query) => {
                let text = String::from_utf8_lossy(&query.statement);
                catalog.apply(&Query { text: &text, database: query.database, sql_mode: query.status.sql_mode });
            }
            Body::TableMap(map) => {
                let announced = Announced::new(map, &map.layout().unwrap(), flavour).unwrap();
                see(&announced, catalog.table(&announced.id).unwrap());
                seen += 1;
            }
            _ => {}
        }
    }
    assert!(seen > 0);
}

fn shown(column: &Column) -> String {
    let Column { name, type_name, jdbc_type, length, scale, charset, enum_values, optional, .. } = column;
    let mut parts = vec![format!("{name} {type_name} {jdbc_type}")];
    parts.extend([length, scale].into_iter().flatten().map(ToString::to_string));
    parts.extend(charset.as_ref().map(ToString::to_string));
    parts.extend((!enum_values.is_empty()).then(|| enum_values.join(",")));
    parts.extend((!optional).then(|| "required".to_owned()));
    parts.join(" ")
}

/// Name, type, its number, length and scale, character set, labels.
const MYSQL_TABLES: &str = "
all (id)
id BIGINT UNSIGNED -5 required
t TINYINT 5
tu TINYINT UNSIGNED 5
y YEAR 4
s SMALLINT 5
su SMALLINT UNSIGNED 5
m MEDIUMINT 4
mu MEDIUMINT UNSIGNED 4
i INT 4
iu INT UNSIGNED 4
b BIGINT -5
f FLOAT 6
fu FLOAT UNSIGNED 6
d DOUBLE 8
n DECIMAL 3 65 30
nu DECIMAL UNSIGNED 3 5 0
b1 BIT -7 1
b10 BIT -7 10
b64 BIT -7 64
da DATE 91
ti TIME 92
ti3 TIME 92 3
dt DATETIME 93
dt6 DATETIME 93 6
ts TIMESTAMP 2014
ts2 TIMESTAMP 2014 2
c CHAR 1 3 utf8mb4
c255 CHAR 1 255 utf8mb4
v10 VARCHAR 12 10 utf8mb4
v300 VARCHAR 12 300 utf8mb4
la VARCHAR 12 20 latin1
bi BINARY -2 8
vb VARBINARY -3 300
tt TINYTEXT 12 utf8mb4
tx TEXT 12 utf8mb4
mt MEDIUMTEXT 12 utf8mb4
lt LONGTEXT 12 latin1
tb TINYBLOB 2004
bl BLOB 2004
lb LONGBLOB 2004
e ENUM 1 1 utf8mb4 'a','b,c','ä'
e2 ENUM 1 1 latin1 'x','y'
st SET 1 5 utf8mb4 'q','r','s'
j JSON 1111
g GEOMETRY 1111
p POINT 1111
ls LINESTRING 1111
ve VECTOR 1111 3
inv INT 4
gen INT 4
virt INT 4
keyed (a,b)
a VARCHAR 12 50 utf8mb4 required
b INT 4 required";

const MARIADB_TABLES: &str = "v (id)
id INT 4 required
x INT 4";

const HIDDEN_TABLES: &str = "n (id)
id INT 4 required
v TEXT 12 latin1
b (id)
b BLOB 2004";

const LOGS: [(Flavour, &[u8]); 3] = [(Flavour::MySql, MYSQL), (Flavour::MariaDb, MARIADB), (Flavour::MariaDb, HIDDEN)];

#[test]
fn what_servers_announce_is_what_their_statements_made() {
    for (flavour, log) in LOGS {
        each(flavour, log, |announced, table| {
            let hidden = announced.held(table, flavour).unwrap();
            assert_eq!(hidden, announced.columns.len() - table.columns.len());
        });
    }
}

#[test]
fn a_table_that_is_rebuilt_keeps_what_is_known() {
    for (flavour, log) in LOGS {
        each(flavour, log, |announced, table| {
            if announced.has_names() {
                let rebuilt = announced.rebuilt(Some(table), None, flavour).unwrap();
                let (a, b) = (&rebuilt.columns, &table.columns);
                let differs: Vec<_> = a.iter().zip(b).filter(|(a, b)| a != b).collect();
                assert!(differs.is_empty(), "{differs:?}");
                assert_eq!(rebuilt, *table);
            }
        });
    }
}

#[track_caller]
fn check(flavour: Flavour, log: &[u8], expect: &str) {
    let mut tables = Vec::new();
    each(flavour, log, |announced, _| {
        if announced.has_names() {
            match announced.rebuilt(None, None, flavour) {
                Ok(table) => {
                    tables.push(format!("{} ({})", table.id.table, table.primary_key.join(",")));
                    tables.extend(table.columns.iter().map(shown));
                }
                Err(why) => tables.push(format!("{}: {why}", announced.id.table)),
            }
        }
    });
    let mut seen = std::collections::BTreeSet::new();
    tables.retain(|line| seen.insert(line.clone()));
    assert_eq!(tables.join("\n"), expect.trim());
}

#[test]
fn tables_of_which_only_the_binlog_tells() {
    check(Flavour::MySql, MYSQL, MYSQL_TABLES);
    check(Flavour::MariaDb, HIDDEN, HIDDEN_TABLES);
    let why = "all: the binlog of MariaDB does not tell UUID, INET6 and INET4 from BINARY";
    check(Flavour::MariaDb, MARIADB, &format!("{why}\n{MARIADB_TABLES}"));
}

/// The keys of the tables that are announced, if those of the model are `change`d.
#[track_caller]
fn check_key(flavour: Flavour, log: &[u8], table: &str, model: &[&str], expect: Option<&[&str]>) {
    each(flavour, log, |announced, known| {
        if announced.has_names() && &*announced.id.table == table {
            let key = model.iter().map(|name| (*name).into()).collect();
            let known = Table { primary_key: key, ..known.clone() };
            assert_eq!(announced.other_key(&known, flavour).as_deref(), expect);
        }
    });
}

#[test]
fn keys_that_are_not_those_of_the_history() {
    check_key(Flavour::MySql, MYSQL, "keyed", &["a", "b"], None);
    check_key(Flavour::MySql, MYSQL, "keyed", &["A", "b"], None);
    check_key(Flavour::MySql, MYSQL, "keyed", &["b", "a"], Some(&["a", "b"]));
    check_key(Flavour::MySql, MYSQL, "all", &[], Some(&["id"]));
    // The end of the row's version is a part of the server's key.
    check_key(Flavour::MariaDb, HIDDEN, "n", &["id"], None);
}
