//! Statements that are not understood, on real servers: what tells how a table is, what becomes of its rows when nothing does, and
//! what a restart finds. And tables that have cells or character sets which no statement shows.
//!
//! A statement about a column that was added outside of the binlog is one that no reader of the binlog can understand.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::time::Duration;

use mysql::Flavour;
use mysql::sql::Sql;
use own::Own;
use rig::{BOTH, Database};
use serde_json::Value as Json;
use task::{Record, State, Task, World};

const NO_PAUSE: Duration = Duration::ZERO;

fn rows(state: &State) -> impl Iterator<Item = &Record> {
    state.records.iter().filter(|record| record.op != "event")
}

fn is_copied(state: &State) -> bool {
    state.offset.as_ref().is_some_and(|offset| offset.contains_key("file") && !offset.contains_key("snapshot"))
}

/// The rows that were streamed: table, operation and values.
fn streamed(world: &World) -> Vec<String> {
    let world = world.lock().unwrap();
    let of_row = |record: &Record| format!("{} {} {}", record.table, record.op, record.row.join(" "));
    rows(&world).filter(|record| record.op != "r").map(of_row).collect()
}

/// The records of the history that have tables: the statement, and each table's kind of change and columns. Those without
/// are `-`.
fn told(world: &World) -> Vec<String> {
    let history = world.lock().unwrap().history.clone().unwrap();
    let shown = |text: &String| {
        let record: Json = serde_json::from_str(text).unwrap();
        let changes = record["tableChanges"].as_array().unwrap();
        let change = changes.iter().map(|change| {
            let columns = change["table"]["columns"].as_array().map(|columns| {
                columns.iter().map(|c| format!("{} {}", c["name"], c["typeName"])).collect::<Vec<_>>().join(", ")
            });
            format!("{}: {}", change["type"], columns.unwrap_or_default()).replace('"', "")
        });
        let text = change.collect::<Vec<_>>().join("; ");
        format!("{} | {}", record["ddl"].as_str().unwrap(), if text.is_empty() { "-" } else { &text })
    };
    history.iter().map(shown).filter(|text| text.starts_with("ALTER")).collect()
}

async fn unseen(sql: &mut Sql, statement: &str) {
    for statement in ["SET sql_log_bin = 0", statement, "SET sql_log_bin = 1"] {
        sql.execute("test", statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// Adds a column outside of the binlog, and then alters it there.
async fn alter(database: &mut Database) {
    unseen(&mut database.sql, "ALTER TABLE t ADD n INT NOT NULL").await;
    database.run("ALTER TABLE t MODIFY n BIGINT NOT NULL AFTER id").await;
}

const ALTER: &str = "ALTER TABLE t MODIFY n BIGINT NOT NULL AFTER id";
const FOUND: &str = "ALTER: id INT, n BIGINT, v VARCHAR";

async fn begin(flavour: Flavour, name: &str) -> (Database, World) {
    let mut database = Database::fresh(flavour, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10) DEFAULT 'x')").await;
    database.run("CREATE TABLE u (id INT PRIMARY KEY)").await;
    (database, World::default())
}

/// Runs a task until something of the stream was sent.
async fn until_streamed(task: &Task, count: usize) {
    let what = format!("{count} streamed rows");
    task.until(&what, |state| rows(state).filter(|record| record.op != "r").count() >= count).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_tells_how_a_table_is() {
    for flavour in BOTH {
        let name = "doubt_server";
        let (mut database, world) = begin(flavour, name).await;
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", is_copied).await;
        alter(&mut database).await;
        database.run("INSERT INTO u VALUES (1)").await;
        until_streamed(&task, 1).await;
        assert_eq!(told(&world), [format!("{ALTER} | -")], "another table is not held up");
        // A restart between the statement and the rows finds the doubt again.
        task.kill().await;
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        if flavour == Flavour::MySql {
            database.run("SET SESSION binlog_transaction_compression = ON").await;
        }
        database.run("INSERT INTO t (id, n) VALUES (2, 5000000000)").await;
        until_streamed(&task, 2).await;
        let found = [format!("{ALTER} | -"), format!("{ALTER} | {FOUND}")];
        assert_eq!(told(&world), found);
        task.stop().await;
        // A restart behind them finds the table.
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        database.run("INSERT INTO t VALUES (3, 7, 'c')").await;
        until_streamed(&task, 3).await;
        assert_eq!(told(&world), found);
        task.stop().await;
        let expect = ["u c Int(1)", "t c Int(2) Int(5000000000) Text(\"x\")", "t c Int(3) Int(7) Text(\"c\")"];
        assert_eq!(streamed(&world), expect.map(|row| format!("{name}.{row}")));
        let records = world.lock().unwrap().records.clone();
        let published = records.iter().rfind(|record| record.op == "event").unwrap();
        assert!(published.row[0].contains(ALTER) && published.row[0].contains("BIGINT"), "{:?}", published.row);
        database.remove().await;
    }
}

/// A later statement about the table is in the binlog, so that the server's present table is not that of the rows.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_tells_how_a_table_was() {
    for flavour in BOTH {
        let name = "doubt_nobody";
        let (mut database, world) = begin(flavour, name).await;
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", is_copied).await;
        task.stop().await;
        alter(&mut database).await;
        database.run("INSERT INTO t (id, n) VALUES (2, 5)").await;
        database.run("ALTER TABLE t ADD z INT").await;
        database.run("INSERT INTO t (id, n) VALUES (3, 6)").await;
        database.run("INSERT INTO u VALUES (1)").await;
        let trace = Task::start(flavour, name, &[], &world, NO_PAUSE).failed().await;
        for part in [
            format!("table {name}.t, at "),
            format!("the statement ALTER TABLE of table {name}.t is not understood: it names a column"),
            "there is a later statement about the table, at ".to_owned(),
            "binlog_row_metadata=FULL".to_owned(),
            "snapshot.mode=recovery".to_owned(),
        ] {
            assert!(trace.contains(&part), "{part}: {trace}");
        }
        assert_eq!(streamed(&world), [""; 0], "no row leaves under a wrong schema");
        let warn = [("inconsistent.schema.handling.mode", "warn")];
        let task = Task::start(flavour, name, &warn, &world, NO_PAUSE);
        until_streamed(&task, 2).await;
        task.stop().await;
        // Behind the last statement the server's table is that of the rows.
        let expect = ["t c Int(3) Int(6) Text(\"x\") Null", "u c Int(1)"];
        assert_eq!(streamed(&world), expect.map(|row| format!("{name}.{row}")));
        database.remove().await;
    }
}

/// `skip.unparseable.ddl` is the last resort: a statement that left the table as it was known.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_may_stay_as_it_was_known() {
    for flavour in BOTH {
        let name = "doubt_skip";
        let (mut database, world) = begin(flavour, name).await;
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", is_copied).await;
        task.stop().await;
        unseen(&mut database.sql, "ALTER TABLE t ADD n INT").await;
        database.run("ALTER TABLE t DROP n").await;
        database.run("INSERT INTO t VALUES (2, 'b')").await;
        database.run("ALTER TABLE t ADD z INT").await;
        let trace = Task::start(flavour, name, &[], &world, NO_PAUSE).failed().await;
        assert!(trace.contains("schema.history.internal.skip.unparseable.ddl=true"), "{trace}");
        let skip = [("schema.history.internal.skip.unparseable.ddl", "true")];
        let task = Task::start(flavour, name, &skip, &world, NO_PAUSE);
        until_streamed(&task, 1).await;
        task.stop().await;
        assert_eq!(streamed(&world), [format!("{name}.t c Int(2) Text(\"b\")")]);
        database.remove().await;
    }
}

/// With `binlog_row_metadata=FULL` the binlog itself tells, whatever comes later.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_binlog_tells_how_a_table_was() {
    for flavour in BOTH {
        let own = Own::start(flavour, "doubt", "", "--binlog-row-metadata=FULL");
        let name = "doubt_binlog";
        let mut database = Database::fresh_at(&rig::options(&own.at), name).await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(10) DEFAULT 'x')").await;
        let world = World::default();
        let (host, port) = own.at.rsplit_once(':').unwrap();
        let at = [("database.hostname", host), ("database.port", port)];
        let task = Task::start(flavour, name, &at, &world, NO_PAUSE);
        task.until("the copy", is_copied).await;
        task.stop().await;
        alter(&mut database).await;
        database.run("INSERT INTO t (id, n) VALUES (2, 5)").await;
        database.run("ALTER TABLE t DROP n").await;
        database.run("INSERT INTO t VALUES (3, 'c')").await;
        let task = Task::start(flavour, name, &at, &world, NO_PAUSE);
        until_streamed(&task, 2).await;
        task.stop().await;
        let expect = ["c Int(2) Int(5) Text(\"x\")", "c Int(3) Text(\"c\")"];
        assert_eq!(streamed(&world), expect.map(|row| format!("{name}.t {row}")));
        let expect = [
            format!("{ALTER} | -"),
            format!("{ALTER} | {FOUND}"),
            "ALTER TABLE t DROP n | ALTER: id INT, v VARCHAR".to_owned(),
        ];
        assert_eq!(told(&world), expect);
        // Another name with the same type is noticed, too.
        unseen(&mut database.sql, "ALTER TABLE t RENAME COLUMN v TO w").await;
        database.run("INSERT INTO t VALUES (4, 'd')").await;
        let trace = Task::start(flavour, name, &at, &world, NO_PAUSE).failed().await;
        assert!(trace.contains(&format!("table {name}.t, at ")), "{trace}");
        assert!(trace.contains("column v: in the binlog its name is w"), "{trace}");
        database.remove().await;
    }
}

/// MariaDB keeps the hash of a unique key over a BLOB in a column that only the binlog has.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn unique_keys_over_long_columns_of_mariadb() {
    let name = "doubt_hash";
    let mut database = Database::fresh(Flavour::MariaDb, name).await;
    database.run("CREATE TABLE b (id INT PRIMARY KEY, b TEXT, UNIQUE (b))").await;
    database.run("CREATE TABLE m (id INT, t TEXT UNIQUE, v VARCHAR(3000) CHARACTER SET utf8mb4 UNIQUE)").await;
    database.run("CREATE TABLE s (id INT PRIMARY KEY, t TEXT, UNIQUE (t)) WITH SYSTEM VERSIONING").await;
    database.run("INSERT INTO b VALUES (1, 'copied')").await;
    let world = World::default();
    let task = Task::start(Flavour::MariaDb, name, &[], &world, NO_PAUSE);
    task.until("the copy", is_copied).await;
    database.run("INSERT INTO b VALUES (2, 'b')").await;
    database.run("UPDATE b SET b = 'c' WHERE id = 2").await;
    database.run("INSERT INTO m VALUES (3, 't', 'v')").await;
    database.run("INSERT INTO s VALUES (4, 't')").await;
    database.run("CREATE TABLE later (id INT PRIMARY KEY, t TEXT UNIQUE)").await;
    database.run("ALTER TABLE later ADD n BIGINT").await;
    database.run("INSERT INTO later VALUES (5, 't', 6)").await;
    database.run("DELETE FROM b WHERE id = 2").await;
    until_streamed(&task, 6).await;
    task.stop().await;
    let expect = [
        "b c Int(2) Text(\"b\")",
        "b u Int(2) Text(\"c\")",
        "m c Int(3) Text(\"t\") Text(\"v\")",
        "s c Int(4) Text(\"t\")",
        "later c Int(5) Text(\"t\") Int(6)",
        "b d Int(2) Text(\"c\")",
    ];
    assert_eq!(streamed(&world), expect.map(|row| format!("{name}.{row}")));
    database.remove().await;
}

/// Debezium's default grammar passes over the character set of a table that is altered, so that the model of a column that
/// is added later has the old one. The values are those of the table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_character_set_of_a_column_that_is_added_after_an_alter() {
    let name = "doubt_charset";
    let mut database = Database::fresh(Flavour::MySql, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY) CHARACTER SET latin1").await;
    let world = World::default();
    let task = Task::start(Flavour::MySql, name, &[], &world, NO_PAUSE);
    task.until("the copy", is_copied).await;
    database.run("ALTER TABLE t DEFAULT CHARACTER SET utf8mb4").await;
    database.run("ALTER TABLE t ADD v VARCHAR(10), ADD e ENUM('é', 'ü')").await;
    database.run("INSERT INTO t VALUES (1, 'é€', 'ü')").await;
    until_streamed(&task, 1).await;
    task.stop().await;
    assert_eq!(streamed(&world), [format!("{name}.t c Int(1) Text(\"é€\") Text(\"ü\")")]);
    database.remove().await;
}

/// Without names in the binlog the number of columns and their types tell that a table was changed outside of it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_table_that_was_changed_outside_of_the_binlog() {
    for flavour in BOTH {
        for (change, expect) in [
            ("ADD c INT AFTER id", "Error processing row in t, internal schema size 2, but row size 3 ,"),
            ("MODIFY id BIGINT NOT NULL", "column id: in the binlog it is an integer of another size"),
            ("DROP v, ADD v DATETIME(3)", "column v: "),
            ("RENAME COLUMN v TO w, ADD c BIGINT NOT NULL", "internal schema size 2, but row size 3"),
        ] {
            let name = "doubt_outside";
            let (mut database, world) = begin(flavour, name).await;
            let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
            task.until("the copy", is_copied).await;
            unseen(&mut database.sql, &format!("ALTER TABLE t {change}")).await;
            database.sql.execute("test", "SET sql_mode = ''").await.unwrap();
            database.run("INSERT INTO t (id) VALUES (2)").await;
            let trace = task.failed().await;
            assert!(trace.contains(&format!("table {name}.t, at ")) && trace.contains(expect), "{change}: {trace}");
            assert!(trace.contains("recovery"), "{trace}");
            assert_eq!(streamed(&world), [""; 0]);
            database.remove().await;
        }
    }
}
