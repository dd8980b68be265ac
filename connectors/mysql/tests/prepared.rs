//! XA transactions that are prepared while a copy begins: their rows come once, when they are committed, or the copy waits.
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
use mysql::wire::ConnectOptions;
use own::Own;
use rig::{BOTH, Database};
use task::{State, Task, World, operations};

const NO_PAUSE: Duration = Duration::ZERO;

/// A session with an XA transaction that is prepared.
struct Branch {
    sql: Sql,
    xid: String,
}

impl Branch {
    async fn prepare(server: &ConnectOptions, xid: &str, statements: &[&str]) -> Self {
        let mut branch = Self { sql: Sql::connect(server).await.unwrap(), xid: format!("'{xid}','b',7") };
        branch.run("XA START").await;
        for statement in statements {
            branch.sql.execute("test", statement).await.unwrap();
        }
        branch.run("XA END").await;
        branch.run("XA PREPARE").await;
        branch
    }

    async fn run(&mut self, verb: &str) {
        let statement = format!("{verb} {}", self.xid);
        self.sql.execute("test", &statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    async fn commit(mut self) {
        self.run("XA COMMIT").await;
    }

    async fn roll_back(mut self) {
        self.run("XA ROLLBACK").await;
    }

    /// The name as messages have it.
    fn shown(xid: &str) -> String {
        let digits: Vec<String> = xid.bytes().map(|byte| format!("{byte:02x}")).collect();
        format!("X'{}',X'62',7", digits.concat())
    }
}

fn streamed(state: &State) -> usize {
    state.rows().filter(|record| record.op != "r").count()
}

/// With MySQL's GTIDs the stream begins with what is prepared, over a restart too; what is of no captured table does not matter.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_stream_begins_with_what_was_prepared_before_the_copy() {
    let name = "prepared_stream";
    let mut database = Database::fresh(Flavour::MySql, name).await;
    let server = rig::server(Flavour::MySql);
    for table in ["t", "u", "other"] {
        database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
    }
    database.run("INSERT INTO t VALUES (1)").await;
    let insert = |table: &str, id: u32| format!("INSERT INTO {name}.{table} VALUES ({id})");
    let a = Branch::prepare(&server, "prepared_a", &[&insert("t", 10), &insert("u", 11)]).await;
    database.run("INSERT INTO t VALUES (2)").await;
    let b = Branch::prepare(&server, "prepared_b", &[&insert("t", 20)]).await;
    let other = Branch::prepare(&server, "prepared_o", &[&insert("other", 30)]).await;
    database.run("INSERT INTO t VALUES (3)").await;
    let tables = [("table.include.list", "prepared_stream[.](t|u)")];
    let world = World::default();
    let task = Task::start(Flavour::MySql, name, &tables, &world, NO_PAUSE);
    task.until("the copy", State::is_copied).await;
    task.kill().await;
    // Without rows, too: the commit is behind the begin of the stream.
    let no_rows = World::default();
    let no_data = [&tables[..], &[("snapshot.mode", "no_data")]].concat();
    let task = Task::start(Flavour::MySql, name, &no_data, &no_rows, NO_PAUSE);
    task.until("the position", State::is_copied).await;
    task.stop().await;
    let mut tasks = Vec::new();
    for (world, id) in [(&world, "7001"), (&no_rows, "7002")] {
        let more = [&tables[..], &[("database.server.id", id)]].concat();
        tasks.push(Task::start(Flavour::MySql, name, &more, world, NO_PAUSE));
    }
    database.run("INSERT INTO t VALUES (4)").await;
    for task in &tasks {
        task.until("a row of the stream", |state| streamed(state) == 1).await;
    }
    b.roll_back().await;
    a.commit().await;
    other.commit().await;
    database.run("INSERT INTO t VALUES (5)").await;
    for task in tasks {
        task.until("the last row", |state| streamed(state) >= 4).await;
        task.stop().await;
    }
    for (world, copied) in [(&world, &["r Int(1)", "r Int(2)", "r Int(3)"][..]), (&no_rows, &[])] {
        let world = world.lock().unwrap();
        let rows: Vec<_> = world.rows().map(|record| format!("{} {}", record.op, record.row.join(" "))).collect();
        let expect = [copied, &["c Int(4)", "c Int(10)", "c Int(11)", "c Int(5)"]].concat();
        assert_eq!(rows, expect);
    }
    database.remove().await;
}

/// Elsewhere the copy waits for the end, without a lock, and says for what. It does not wait for what is of no captured table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_waits_for_what_is_prepared() {
    for flavour in BOTH {
        let own = (flavour == Flavour::MySql)
            .then(|| Own::start(flavour, "prepared", "", "--gtid-mode=OFF --enforce-gtid-consistency=OFF"));
        let server = own.as_ref().map_or_else(|| rig::server(flavour), |own| rig::options(&own.at));
        let name = "prepared_wait";
        let mut database = Database::fresh_at(&server, name).await;
        for table in ["t", "other"] {
            database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
        }
        let insert = |table: &str, id: u32| format!("INSERT INTO {name}.{table} VALUES ({id})");
        let other = Branch::prepare(&server, "wait_o", &[&insert("other", 30)]).await;
        let port = server.port.to_string();
        let at = [("table.include.list", "prepared_wait[.]t"), ("database.port", &*port)];
        let start = |more: &[(&str, &str)], world: &World| {
            Task::start(flavour, name, &[&at[..], more].concat(), world, NO_PAUSE)
        };
        // What is of no captured table does not hold it up.
        let task = start(&[], &World::default());
        task.until("the copy", State::is_copied).await;
        task.stop().await;

        let a = Branch::prepare(&server, "wait_a", &[&insert("t", 10)]).await;
        let shown = Branch::shown("wait_a");
        let short = [("snapshot.lock.timeout.ms", "1000")];
        let trace = start(&short, &World::default()).failed().await;
        for part in [&*shown, "XA COMMIT", "snapshot.lock.timeout.ms"] {
            assert!(trace.contains(part), "{trace}");
        }
        assert!(!trace.contains(&Branch::shown("wait_o")), "{trace}");
        let world = World::default();
        let mut task = start(&[], &world);
        let status = task.waiting().await;
        assert!(status.contains(&shown) && status.contains("Nothing is locked"), "{status}");
        database.run("INSERT INTO t VALUES (2)").await;
        a.commit().await;
        task.until("the copy", State::is_copied).await;
        other.commit().await;
        database.run("INSERT INTO t VALUES (3)").await;
        task.until("a row of the stream", |state| streamed(state) == 1).await;
        task.stop().await;
        assert_eq!(operations(&world, &format!("{name}.t")), "rrc");
        database.remove().await;
    }
}

/// An account that may not see what is prepared copies all the same.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_may_not_see_what_is_prepared_is_not_held_up() {
    let name = "prepared_grants";
    let mut database = Database::fresh(Flavour::MySql, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
    database.run("INSERT INTO t VALUES (1)").await;
    let server = rig::server(Flavour::MySql);
    let branch = Branch::prepare(&server, "grants_a", &[&format!("INSERT INTO {name}.t VALUES (2)")]).await;
    let grants = "SELECT, RELOAD, SHOW DATABASES, REPLICATION SLAVE, REPLICATION CLIENT";
    let account = rig::account(&mut database.sql, name, grants).await;
    let more = [("database.user", account.user.as_str()), ("database.password", "ge'heim")];
    let world = World::default();
    let task = Task::start(Flavour::MySql, name, &more, &world, NO_PAUSE);
    task.until("the copy", State::is_copied).await;
    task.stop().await;
    assert_eq!(operations(&world, &format!("{name}.t")), "r");
    branch.roll_back().await;
    database.run(&format!("DROP USER '{name}'@'localhost'")).await;
    database.remove().await;
}
