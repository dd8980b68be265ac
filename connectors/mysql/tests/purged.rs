//! Servers that have purged, or reset, what a stored position needs. Each test has a server of its own, because that concerns all
//! who read a server's binlog.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use mysql::Flavour;
use mysql::sql::Sql;
use own::Own;
use rig::Database;
use task::{State, Task, World, operations};

const NAME: &str = "purged";
const TABLE: &str = "purged.t";

/// How a stored position is named.
#[derive(Clone, Copy, Debug, PartialEq)]
enum By {
    Gtids,
    File,
    /// The file is there, and ends before the position.
    End,
}

async fn run(sql: &mut Sql, statement: &str) {
    sql.execute("test", statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
}

/// Has the server forget all files but the one that it writes. It keeps a file for a moment after it was closed.
async fn purge(sql: &mut Sql) {
    run(sql, "FLUSH BINARY LOGS").await;
    let limit = Instant::now() + Duration::from_secs(20);
    while sql.binlog_files().await.unwrap().len() > 1 {
        assert!(Instant::now() < limit, "the files are not purged");
        let file = sql.binlog_status().await.unwrap().file;
        run(sql, &format!("PURGE BINARY LOGS TO '{file}'")).await;
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

struct Server {
    flavour: Flavour,
    /// Ends with the test.
    own: Own,
    database: Database,
}

impl Server {
    async fn start(flavour: Flavour) -> Self {
        let own = Own::plain(flavour, &format!("forgets-{flavour:?}"));
        let mut database = Database::fresh_at(&rig::options(&own.at), NAME).await;
        database.fill("t", "INT", 3).await;
        Self { flavour, own, database }
    }

    fn task(&self, mode: &str, world: &World) -> Task {
        let (host, port) = self.own.at.rsplit_once(':').unwrap();
        let more = [("database.hostname", host), ("database.port", port), ("snapshot.mode", mode)];
        Task::start(self.flavour, NAME, &more, world, Duration::ZERO)
    }

    async fn insert(&mut self, id: u32) {
        self.database.run(&format!("INSERT INTO t (id) VALUES ({id})")).await;
    }

    /// What was stored, with the position named by this.
    async fn stored(&mut self, world: &World, by: By) -> World {
        let mut state: State = world.lock().unwrap().clone();
        let offset = state.offset.as_mut().unwrap();
        assert!(offset.contains_key("gtids"), "{offset:?}");
        if by != By::Gtids {
            offset.remove("gtids");
        }
        if by == By::End {
            let status = self.database.sql.binlog_status().await.unwrap();
            offset.insert("file".to_owned(), status.file.into());
            offset.insert("pos".to_owned(), (status.position + 1000).into());
        }
        Arc::new(Mutex::new(state))
    }

    /// `initial` refuses to go on, and `when_needed` copies anew.
    async fn is_lost(&mut self, world: &World, by: By, what: &str) {
        let world = self.stored(world, by).await;
        let before = operations(&world, TABLE);
        let offset = world.lock().unwrap().offset.clone();
        let trace = self.task("initial", &world).failed().await;
        let file = self.database.sql.binlog_status().await.unwrap().file;
        let has = if by == By::Gtids { "executed GTIDs '" } else { file.as_str() };
        for part in ["no longer available on the server", "snapshot.mode=when_needed", has] {
            assert!(trace.contains(part), "{what}, by {by:?}: {trace}");
        }
        assert_eq!(operations(&world, TABLE), before, "{what}, by {by:?}");
        assert_eq!(world.lock().unwrap().offset, offset, "{what}, by {by:?}");

        let rows = self.database.sql.query("test", "SELECT * FROM t").await.unwrap().len();
        let task = self.task("when_needed", &world);
        let copied = format!("{before}{}", "r".repeat(rows));
        let all = |state: &State| state.rows().count() == copied.len() && state.is_copied();
        task.until(&format!("{what}, by {by:?}: the copy"), all).await;
        self.insert(1000 + rows as u32).await;
        task.until("the stream", |state| state.rows().count() == copied.len() + 1).await;
        task.stop().await;
        assert_eq!(operations(&world, TABLE), format!("{copied}c"), "{what}, by {by:?}");
    }
}

async fn what_was_purged_or_reset(flavour: Flavour) {
    let mut server = Server::start(flavour).await;
    let world = World::default();
    let task = server.task("initial", &world);
    task.until("the copy", State::is_copied).await;
    server.insert(10).await;
    task.until("the row", |state| state.rows().count() == 4).await;
    task.stop().await;
    server.insert(11).await;
    purge(&mut server.database.sql).await;
    server.insert(12).await;
    for by in [By::Gtids, By::File, By::End] {
        server.is_lost(&world, by, "purged").await;
    }

    // A connector that never saw what is purged goes on over a restart.
    let fresh = World::default();
    for id in [20, 21] {
        let task = server.task("no_data", &fresh);
        task.until("the position", State::is_copied).await;
        let before = operations(&fresh, TABLE);
        server.insert(id).await;
        task.until("the row", |state| state.rows().count() == before.len() + 1).await;
        task.stop().await;
    }

    let reset = if flavour == Flavour::MySql { "RESET BINARY LOGS AND GTIDS" } else { "RESET MASTER" };
    server.database.run(reset).await;
    server.insert(30).await;
    for by in [By::Gtids, By::File, By::End] {
        server.is_lost(&fresh, by, "reset").await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mysql_purged_or_reset() {
    what_was_purged_or_reset(Flavour::MySql).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_mariadb_purged_or_reset() {
    what_was_purged_or_reset(Flavour::MariaDb).await;
}
