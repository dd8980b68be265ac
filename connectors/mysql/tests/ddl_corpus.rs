//! The model of tables against real servers: every statement of `ddl/*.sql` is run, read back from the binlog as a connector
//! reads it, applied, and the model is compared with `information_schema`.
//!
//! `AFTERIMAGE_TEST_MYSQL` and `AFTERIMAGE_TEST_MARIADB` name the servers (`host:port`, user root without a password). Files
//! named `my-*` are for MySQL, `maria-*` for MariaDB, `both-*` for both. A line of each file is a part of a statement; a
//! delimiter at the end of a line ends it, and `{db}` stands for the database that the file has for itself.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

use std::collections::HashSet;
use std::fmt::Write as _;
use std::path::Path;

use mysql::Flavour;
use mysql::ddl::{Catalog, Dialect, Query, Rules};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Opts, Row};

#[path = "ddl/compare.rs"]
mod compare;

struct Server {
    conn: Conn,
    flavour: Flavour,
    dialect: Dialect,
}

impl Server {
    async fn connect(address: &str, flavour: Flavour) -> Self {
        let opts = Opts::from_url(&format!("mysql://root@{address}/")).unwrap();
        let conn = Conn::new(opts).await.expect("the test server answers");
        let (major, minor, patch) = conn.server_version();
        let version = u32::from(major) * 10_000 + u32::from(minor) * 100 + u32::from(patch);
        Self { conn, flavour, dialect: Dialect { version, ..Dialect::new(flavour) } }
    }

    async fn variable(&mut self, name: &str) -> String {
        self.conn.query_first(format!("select @@{name}")).await.unwrap().unwrap_or_default()
    }

    /// Where the binlog ends: its file and position.
    async fn position(&mut self) -> (String, u64) {
        let asks = if self.flavour == Flavour::MySql { "show binary log status" } else { "show master status" };
        let row: Row = self.conn.query_first(asks).await.unwrap().expect("the server writes a binlog");
        (row.get(0).unwrap(), row.get(1).unwrap())
    }

    /// The statements that the binlog has since a position and that concern the database, each with its session's database.
    async fn logged(&mut self, from: &(String, u64), database: &str) -> Vec<(String, String)> {
        let asks = format!("show binlog events in '{}' from {}", from.0, from.1);
        let rows: Vec<Row> = self.conn.query(asks).await.unwrap();
        let queries = rows.iter().filter(|row| row.get::<String, _>(2).unwrap() == "Query");
        queries.filter_map(|row| split_use(&row.get::<String, _>(5).unwrap(), database)).collect()
    }
}

/// `use `db`; statement` of the binlog; the rest of the server's statements are not ours.
fn split_use(info: &str, database: &str) -> Option<(String, String)> {
    if let Some(rest) = info.strip_prefix(&format!("use `{database}`; ")) {
        return Some((database.to_owned(), without_xid(rest)));
    }
    // A server lists this statement without its session's database, which the event has.
    if info.to_ascii_lowercase().starts_with("alter database character set") {
        return Some((database.to_owned(), without_xid(info)));
    }
    info.contains(database).then(|| (String::new(), without_xid(info)))
}

/// MySQL puts the transaction's number behind a statement when it lists the binlog.
fn without_xid(statement: &str) -> String {
    match statement.rsplit_once(" /* xid=") {
        Some((head, tail)) if tail.ends_with("*/") => head.to_owned(),
        _ => statement.to_owned(),
    }
}

/// The statements of a file.
fn statements(text: &str) -> Vec<String> {
    let (mut delimiter, mut statement, mut found) = (";".to_owned(), String::new(), Vec::new());
    for line in text.lines() {
        if let Some(word) = line.to_ascii_lowercase().strip_prefix("delimiter ") {
            word.trim().clone_into(&mut delimiter);
            continue;
        }
        statement.push_str(line);
        if let Some(whole) = statement.strip_suffix(delimiter.as_str()) {
            found.push(whole.trim_start_matches('\n').to_owned());
            statement.clear();
        } else {
            statement.push('\n');
        }
    }
    assert!(statement.trim().is_empty(), "a statement does not end: {statement}");
    found
}

#[derive(Default)]
struct Score {
    statements: usize,
    complaints: String,
    seen: HashSet<String>,
}

impl Score {
    fn complain(&mut self, file: &str, statement: &str, what: &str) {
        if !self.seen.insert(what.to_owned()) {
            // A table that differs does so after every later statement as well.
            return;
        }
        let _infallible = writeln!(self.complaints, "{file}: {statement}\n    {what}");
    }
}

async fn run(server: &mut Server, file: &Path, score: &mut Score) {
    let name = file.file_stem().unwrap().to_str().unwrap();
    let database = format!("ai_ddl_{}", name.replace('-', "_"));
    let mut catalog = Catalog::new(Rules { dialect: server.dialect, comments: true, lower_case_table_names: 0 });
    let charset = server.variable("character_set_server").await;
    catalog.set_variable("character_set_server", &charset);
    // What a run that was killed left behind.
    for left in [&database, &format!("{database}_two"), &format!("{database}_three")] {
        server.conn.query_drop(format!("drop database if exists `{left}`")).await.unwrap();
    }
    let head = [format!("create database `{database}` character set utf8mb4"), format!("use `{database}`")];
    let text = std::fs::read_to_string(file).unwrap().replace("{db}", &database);
    for (n, statement) in head.into_iter().chain(statements(&text)).enumerate() {
        let from = server.position().await;
        let mode = server.variable("sql_mode").await;
        catalog.set_variable("sql_mode", &mode);
        if let Err(e) = server.conn.query_drop(statement.as_str()).await {
            score.complain(name, &statement, &format!("the server refuses: {e}"));
            continue;
        }
        score.statements += 1;
        for (current, text) in server.logged(&from, &database).await {
            let outcome = catalog.apply(&Query { text: &text, database: &current, sql_mode: None });
            if let Some(e) = outcome.not_understood {
                score.complain(name, &text, &e.to_string());
            }
        }
        if n >= 2 {
            let found = compare::compare(&mut server.conn, server.flavour, &database, &catalog).await;
            for what in found {
                score.complain(name, &statement, &what);
            }
        }
    }
    server.conn.query_drop(format!("drop database `{database}`")).await.unwrap();
    server.conn.query_drop("set sql_mode = default").await.unwrap();
}

async fn corpus(variable: &str, flavour: Flavour, prefix: &str) {
    let address = std::env::var(variable).unwrap_or_else(|_| {
        panic!(
            "{variable} is not set: this test needs a server with a binlog (host:port, user root without a password)"
        )
    });
    let mut server = Server::connect(&address, flavour).await;
    let only = std::env::var("AFTERIMAGE_TEST_DDL_FILE").ok();
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/ddl");
    let mut files: Vec<_> = std::fs::read_dir(folder).unwrap().map(|e| e.unwrap().path()).collect();
    files.sort();
    let mut score = Score::default();
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let ours = name.starts_with(prefix) || name.starts_with("both-");
        if ours && file.extension().is_some_and(|e| e == "sql") && only.as_ref().is_none_or(|only| name.contains(only))
        {
            run(&mut server, &file, &mut score).await;
        }
    }
    eprintln!("{variable}: {} statements", score.statements);
    assert!(score.complaints.is_empty(), "{}", score.complaints);
    assert!(score.statements >= 300 || only.is_some(), "the corpus has shrunk to {}", score.statements);
}

#[tokio::test]
async fn the_model_is_what_mysql_has() {
    corpus("AFTERIMAGE_TEST_MYSQL", Flavour::MySql, "my-").await;
}

#[tokio::test]
async fn the_model_is_what_mariadb_has() {
    corpus("AFTERIMAGE_TEST_MARIADB", Flavour::MariaDb, "maria-").await;
}
