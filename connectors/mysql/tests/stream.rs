//! The stream of real servers: connections that are cut off, positions that count without GTIDs, servers that appear after a
//! failover, statements that came while nobody listened.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/relay.rs"]
mod relay;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::fmt::Write as _;
use std::time::Duration;

use mysql::Flavour;
use relay::Relay;
use rig::{BOTH, Database};
use task::{State, Task, World};

const NO_PAUSE: Duration = Duration::ZERO;
/// Positions are file and place, although the server has GTIDs.
const BY_FILE: (&str, &str) = ("gtid.ignore.on.recovery", "true");

/// The streamed changes of rows: operation and key.
fn changes(state: &State) -> Vec<String> {
    let rows = state.records.iter().filter(|record| ["c", "u", "d"].contains(&record.op));
    let key = |text: &str| text.chars().filter(char::is_ascii_digit).collect::<String>();
    rows.map(|record| format!("{} {}", record.op, key(&record.row[0]))).collect()
}

fn is_copied(state: &State) -> bool {
    state.offset.as_ref().is_some_and(|offset| offset.contains_key("file") && !offset.contains_key("snapshot"))
}

/// A text that does not compress well.
fn noise(seed: u64) -> String {
    let mut out = String::new();
    let mut word = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    for _ in 0..12 {
        word ^= word << 13;
        word ^= word >> 7;
        word ^= word << 17;
        write!(out, "{word:016x}").unwrap();
    }
    out
}

const ROWS: u64 = 600;

/// Statements that together write some 500 kB into the binlog, and the changes that they make.
fn work() -> (Vec<String>, Vec<String>) {
    let rows: Vec<String> = (1..=ROWS).map(|id| format!("({id}, '{}')", noise(id))).collect();
    let statements = vec![
        format!("INSERT INTO t VALUES {}", rows.join(", ")),
        "UPDATE t SET v = CONCAT('x', v)".to_owned(),
        format!("DELETE FROM t WHERE id > {}", ROWS / 2),
        format!("INSERT INTO t VALUES ({}, 'end')", ROWS + 1),
    ];
    let all = |op: &'static str, ids: std::ops::RangeInclusive<u64>| ids.map(move |id| format!("{op} {id}"));
    let changes = all("c", 1..=ROWS).chain(all("u", 1..=ROWS)).chain(all("d", ROWS / 2 + 1..=ROWS));
    (statements, changes.chain(all("c", ROWS + 1..=ROWS + 1)).collect())
}

/// The connection is cut off in the midst of events, again and again. `is_one`: everything is one transaction.
async fn goes_on_without_repeats(flavour: Flavour, name: &str, is_one: bool, more: &[(&str, &str)], before: &[&str]) {
    let mut database = Database::fresh(flavour, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(255))").await;
    let relay = Relay::to(&rig::server(flavour)).await;
    let port = relay.port.to_string();
    let world = World::default();
    let base = [("database.port", port.as_str()), ("errors.max.retries", "20")];
    let task = Task::start(flavour, name, &[&base[..], more].concat(), &world, NO_PAUSE);
    task.until("the copy", is_copied).await;
    let (statements, expect) = work();
    // A restart begins with the transaction, and the compressed ones are small.
    let limits = [30_011, 70_001, 130_003, 250_007, 330_017];
    relay.cut_at(limits.into_iter().take(if is_one { 5 } else { 3 }));
    for statement in before {
        database.run(statement).await;
    }
    if is_one {
        database.run("BEGIN").await;
    }
    for statement in &statements {
        database.run(statement).await;
    }
    if is_one {
        database.run("COMMIT").await;
    }
    let last = expect.last().unwrap().clone();
    task.until("the last row", |state| changes(state).last() == Some(&last)).await;
    assert_eq!(relay.left(), 0, "each limit has cut a connection off");
    assert_eq!(changes(&world.lock().unwrap()), expect);
    task.stop().await;
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_mysql() {
    goes_on_without_repeats(Flavour::MySql, "stream_cut", true, &[], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_mysql_without_gtids() {
    goes_on_without_repeats(Flavour::MySql, "stream_cut_file", true, &[BY_FILE], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_mysql_with_compressed_transactions() {
    let before = &["SET SESSION binlog_transaction_compression = ON"];
    goes_on_without_repeats(Flavour::MySql, "stream_cut_packed", false, &[], before).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_mariadb() {
    goes_on_without_repeats(Flavour::MariaDb, "stream_cut", true, &[], &[]).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cut_connection_to_mariadb_without_gtids() {
    goes_on_without_repeats(Flavour::MariaDb, "stream_cut_file", true, &[BY_FILE], &[]).await;
}

/// A history and an offset with GTIDs are continued by file and position: the tables are those of the history, and what is
/// stored has no GTIDs any more. Without the setting GTIDs come back.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn gtids_that_are_ignored() {
    for flavour in BOTH {
        let name = "stream_ignored";
        let mut database = Database::fresh(flavour, name).await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
        let world = World::default();
        let has_gtids = |world: &World| world.lock().unwrap().offset.as_ref().unwrap().contains_key("gtids");
        let mut expect = Vec::new();
        for (start, more) in [&[][..], &[BY_FILE], &[BY_FILE], &[]].into_iter().enumerate() {
            let task = Task::start(flavour, name, more, &world, NO_PAUSE);
            task.until("the copy", is_copied).await;
            for id in [start * 2, start * 2 + 1] {
                database.run(&format!("ALTER TABLE t ADD COLUMN c{id} INT")).await;
                database.run(&format!("INSERT INTO t (id, c{id}) VALUES ({id}, 7)")).await;
                expect.push(format!("c {id}"));
                let columns = 2 + id;
                task.until("the row", |state| state.records.last().is_some_and(|row| row.row.len() == columns)).await;
            }
            task.stop().await;
            assert_eq!(changes(&world.lock().unwrap()), expect);
            if start < 3 {
                assert_eq!(has_gtids(&world), more.is_empty(), "start {start}");
            }
        }
        database.remove().await;
    }
}

/// While the connector is down, the server executes transactions of another server, as after a failover.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_appears() {
    let (flavour, name) = (Flavour::MySql, "stream_failover");
    let mut database = Database::fresh(flavour, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
    let own = database.sql.query("test", "SELECT @@server_uuid, UUID(), UUID()").await.unwrap();
    let uuid = |at: usize| own[0].text(at).unwrap().to_owned();
    let only_own = uuid(0);
    let world = World::default();
    let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
    task.until("the copy", is_copied).await;
    database.run("INSERT INTO t VALUES (1)").await;
    task.until("the first row", |state| changes(state).len() == 1).await;
    task.stop().await;
    let mut expect = vec!["c 1"];
    let filter = [("gtid.source.includes", only_own.as_str())];
    for (other, more, rows, seen) in
        [(uuid(1), &[][..], [2, 3, 4], &["c 2", "c 3", "c 4"][..]), (uuid(2), &filter[..], [5, 6, 7], &["c 7"][..])]
    {
        for (number, row) in [(1, rows[0]), (2, rows[1])] {
            database.run(&format!("SET gtid_next = '{other}:{number}'")).await;
            database.run(&format!("INSERT INTO t VALUES ({row})")).await;
            database.run("SET gtid_next = 'AUTOMATIC'").await;
        }
        database.run(&format!("INSERT INTO t VALUES ({})", rows[2])).await;
        let task = Task::start(flavour, name, more, &world, NO_PAUSE);
        expect.extend(seen);
        task.until("the row of the own server", |state| {
            changes(state).last().map(String::as_str) == seen.last().copied()
        })
        .await;
        assert_eq!(changes(&world.lock().unwrap()), expect);
        task.stop().await;
    }
    database.remove().await;
}

/// Rows that were written before an ALTER while the connector was down are read as the table was then.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_while_it_is_down() {
    for flavour in BOTH {
        let name = "stream_down";
        let mut database = Database::fresh(flavour, name).await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY, b VARCHAR(9), d INT)").await;
        let world = World::default();
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", is_copied).await;
        task.stop().await;
        for statement in [
            "INSERT INTO t VALUES (1, 'old', 10)",
            "ALTER TABLE t DROP COLUMN d, ADD COLUMN c INT FIRST",
            "INSERT INTO t VALUES (20, 2, 'new')",
            "RENAME TABLE t TO gone",
            "CREATE TABLE t (v VARCHAR(9), id INT PRIMARY KEY)",
            "INSERT INTO t VALUES ('other', 3)",
            "DROP TABLE gone",
        ] {
            database.run(statement).await;
        }
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the rows", |state| changes(state).len() == 3).await;
        let rows: Vec<_> = task.records().into_iter().filter(|record| record.op == "c").map(|row| row.row).collect();
        let shown: Vec<_> = rows.iter().map(|row| row.join(" ")).collect();
        assert_eq!(shown, ["Int(1) Text(\"old\") Int(10)", "Int(20) Int(2) Text(\"new\")", "Text(\"other\") Int(3)"]);
        task.stop().await;
        database.remove().await;
    }
}
