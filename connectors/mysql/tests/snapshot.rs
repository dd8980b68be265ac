//! Snapshots of real servers: what is copied, from which moment, under which lock, and what a second start makes of a first.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use mysql::Flavour;
use own::Own;
use relational::Standing;
use rig::{BOTH, Database};
use task::{State, Task, World, operations};

const NO_PAUSE: Duration = Duration::ZERO;

/// Table and mark of each row.
fn marks(world: &World) -> Vec<String> {
    let world = world.lock().unwrap();
    world.rows().map(|record| format!("{} {}", record.table, record.mark.unwrap_or("-"))).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_readers_send_what_one_sends() {
    for flavour in BOTH {
        let name = "snapshot_side_by_side";
        let mut database = Database::fresh(flavour, name).await;
        database.fill("big", "INT", 45_000).await;
        database.fill("named", "VARCHAR(20) CHARACTER SET latin1", 25_000).await;
        database.fill("small", "INT", 3).await;
        database.run("CREATE TABLE empty_one (id INT PRIMARY KEY)").await;
        database.run("CREATE TABLE without_key AS SELECT * FROM small").await;
        let mut all = Vec::new();
        for more in [
            &[][..],
            &[("snapshot.max.threads", "3"), ("snapshot.max.threads.multiplier", "2")],
            &[("snapshot.max.threads", "2"), ("snapshot.tables.order.by.row.count", "descending")],
            &[("snapshot.max.threads", "2"), ("legacy.snapshot.max.threads", "true")],
        ] {
            let world = World::default();
            let more = [more, &[("snapshot.mode", "initial_only")]].concat();
            let task = Task::start(flavour, name, &more, &world, NO_PAUSE);
            task.until("the copy", State::is_copied).await;
            assert!(task.is_running());
            task.stop().await;
            let state = world.lock().unwrap();
            let mut sent: Vec<(String, Vec<String>)> =
                state.rows().map(|record| (record.table.clone(), record.row.clone())).collect();
            let mut seen: BTreeMap<&str, usize> = BTreeMap::new();
            for mark in state.rows().filter_map(|record| record.mark) {
                *seen.entry(mark).or_default() += 1;
            }
            assert_eq!(state.rows().last().unwrap().mark, Some("last"));
            // The first table of the others begins with `first`, and the last one ends with `last`.
            let first = seen.get("first").copied().unwrap_or(0);
            assert_eq!(first + seen["first_in_data_collection"], 4, "{seen:?}");
            assert_eq!((seen["last_in_data_collection"], seen["last"]), (3, 1), "{seen:?}");
            let is_sorted =
                state.rows().filter(|record| record.table == format!("{name}.big")).is_sorted_by_key(|record| {
                    record.row[0].trim_matches(|letter: char| !letter.is_ascii_digit()).parse::<u64>().unwrap_or(0)
                });
            let is_cut = more.len() > 1 && !more.contains(&("legacy.snapshot.max.threads", "true"));
            assert_eq!(is_sorted, !is_cut, "{more:?}");
            sent.sort();
            all.push(sent);
        }
        assert_eq!(all[0].len(), 45_000 + 25_000 + 3 + 3);
        for (place, sent) in all.iter().enumerate() {
            assert!(*sent == all[0], "the rows of run {place} are others");
        }
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_are_read_in_the_order_of_their_sizes() {
    for flavour in BOTH {
        let name = "snapshot_order";
        let mut database = Database::fresh(flavour, name).await;
        for table in ["a", "b", "c"] {
            database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
        }
        database.run("INSERT INTO a VALUES (1), (2)").await;
        database.run("INSERT INTO c VALUES (1), (2), (3)").await;
        let world = World::default();
        database.run("ANALYZE TABLE a, b, c").await;
        let list = format!("{name}[.]c,{name}[.].*");
        let more = [("table.include.list", list.as_str()), ("snapshot.tables.order.by.row.count", "ascending")];
        let task = Task::start(flavour, name, &more, &world, NO_PAUSE);
        task.until("the copy", State::is_copied).await;
        let marks = marks(&world);
        task.stop().await;
        let expect = [
            "a first_in_data_collection",
            "a last_in_data_collection",
            "c first_in_data_collection",
            "c true",
            "c last",
        ];
        assert_eq!(marks, expect.map(|text| format!("{name}.{text}")));
        database.remove().await;
    }
}

/// How long each batch of 512 rows is held up, so that others act while a copy runs.
const PAUSE: Duration = Duration::from_millis(40);

/// The keys (first columns) of a table's rows as the records leave them.
fn replayed(world: &World, table: &str) -> BTreeMap<String, Vec<String>> {
    let mut left = BTreeMap::new();
    for record in world.lock().unwrap().rows().filter(|record| record.table == table) {
        if record.op == "d" {
            left.remove(&record.row[0]);
        } else {
            left.insert(record.row[0].clone(), record.row.clone());
        }
    }
    left
}

async fn count(database: &mut Database, table: &str) -> usize {
    database.sql.query("test", &format!("SELECT COUNT(*) FROM {table}")).await.unwrap()[0].number(0).unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn writes_wait_as_long_as_the_mode_says() {
    for flavour in BOTH {
        let name = "snapshot_locks";
        let table = format!("{name}.t");
        let mut database = Database::fresh(flavour, name).await;
        database.fill("t", "INT", 30_000).await;
        for (mode, waits) in [("minimal", false), ("extended", true), ("none", false)] {
            let world = World::default();
            let task = Task::start(flavour, name, &[("snapshot.locking.mode", mode)], &world, PAUSE);
            task.until("first rows", |state| state.rows().count() >= 1000).await;
            database.sql.lock_timeout(if waits { 1 } else { 5 }).await.unwrap();
            let key = 100_000 + mode.len();
            let insert = format!("INSERT INTO t (id) VALUES ({key})");
            let written = database.sql.execute("writing", &insert).await;
            assert_eq!(written.err().and_then(|error| error.number()), waits.then_some(1205), "{mode}");
            assert!(world.lock().unwrap().rows().count() < 30_000, "the copy was over too early to show anything");
            task.until("the copy", State::is_copied).await;
            if waits {
                database.run(&insert).await;
            }
            task.until("the written row", |state| state.rows().any(|record| record.op == "c")).await;
            let before = count(&mut database, "t").await - 1;
            assert_eq!(operations(&world, &table), format!("{}c", "r".repeat(before)), "{mode}");
            task.stop().await;
        }
        database.remove().await;
    }
}

/// For how many seconds a session's statement has run.
async fn has_run_s(database: &mut Database, session: u32) -> u64 {
    let sql = format!("SELECT TIME FROM information_schema.PROCESSLIST WHERE ID = {session} AND COMMAND = 'Query'");
    database.sql.query("test", &sql).await.unwrap().first().and_then(|row| row.number(0)).unwrap_or(0)
}

/// A lock of MySQL waits for any statement, one of MariaDB only for those that write. The server is the test's own: a copy of
/// another test that asks for the lock of all tables while the statement runs on would hold up every test of this program.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lock_that_waits_says_whom_for_and_holds_nobody_up() {
    for flavour in BOTH {
        let name = "snapshot_waits";
        let own = Own::plain(flavour, &format!("waits-{flavour:?}"));
        let server = rig::options(&own.at);
        let port = server.port.to_string();
        let mut database = Database::fresh_at(&server, name).await;
        database.fill("t", "INT", 20).await;
        database.fill("u", "INT", 5).await;
        database.run("CREATE DATABASE snapshot_gone").await;
        database.run("CREATE TABLE snapshot_gone.t (id INT PRIMARY KEY)").await;
        let mut other = mysql::sql::Sql::connect(&server).await.unwrap();
        let session = other.connection().greeting().connection_id;
        let (statement, free) = match flavour {
            Flavour::MySql => (format!("SELECT COUNT(*) FROM {name}.t WHERE SLEEP(30) = 0"), &["t", "u"][..]),
            Flavour::MariaDb => (format!("UPDATE {name}.t SET n = SLEEP(30)"), &["u"][..]),
        };
        // The statement would run for ten minutes, and the snapshot would wait as long: both outlast the test on any machine.
        let long = [("database.port", port.as_str()), ("snapshot.lock.timeout.ms", "600000")];
        let slow = tokio::spawn(async move { other.execute("test", &statement).await.is_ok() });
        let limit = Instant::now() + Duration::from_secs(60);
        while has_run_s(&mut database, session).await < 1 {
            assert!(Instant::now() < limit && !slow.is_finished(), "the statement does not run");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        let named = format!("session {session} of 'root' (");
        let world = World::default();
        let mut task = Task::start(flavour, name, &long, &world, NO_PAUSE);
        let status = task.waiting_for(&named).await;
        assert_eq!(status.contains(&format!("table {name}.t")), flavour == Flavour::MySql, "{status}");
        let begin = Instant::now();
        for table in free {
            database.run(&format!("INSERT INTO {table} (id) VALUES (1000)")).await;
            database.sql.query("test", &format!("SELECT COUNT(*) FROM {table}")).await.unwrap();
        }
        // What is made and dropped while the lock is waited for is part of the moment that the copy shows.
        database.run("DROP DATABASE snapshot_gone").await;
        database.run("CREATE TABLE made (id INT PRIMARY KEY)").await;
        database.run("INSERT INTO made VALUES (1)").await;
        // A lock that is asked for holds them up for a second at most; one that is not given up would do so for minutes.
        assert!(begin.elapsed() < Duration::from_secs(30), "others were held up for {:?}", begin.elapsed());
        let short = [("database.port", port.as_str()), ("snapshot.lock.timeout.ms", "1000")];
        let trace = Task::start(flavour, name, &short, &World::default(), NO_PAUSE).failed().await;
        for part in ["Lock wait timeout exceeded", &named, "snapshot.lock.timeout.ms"] {
            assert!(trace.contains(part), "{trace}");
        }
        assert!(!slow.is_finished(), "the statement was over too early to show anything");
        database.run(&format!("KILL QUERY {session}")).await;
        task.until("the copy", State::is_copied).await;
        assert_eq!(task.standing(), Standing::Running);
        assert_eq!(world.lock().unwrap().rows().count(), 25 + free.len() + 1);
        assert_eq!(operations(&world, &format!("{name}.made")), "r");
        task.stop().await;
        slow.await.unwrap();
        database.remove().await;
    }
}

/// Where all tables cannot be locked, single ones are. That waits for idle transactions too, which have written to one of them.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn transactions_that_a_lock_of_tables_waits_for() {
    let name = "snapshot_idle";
    let mut database = Database::fresh(Flavour::MySql, name).await;
    for table in ["t", "u"] {
        database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
    }
    let mut other = mysql::sql::Sql::connect(&rig::server(Flavour::MySql)).await.unwrap();
    other.execute("test", "BEGIN").await.unwrap();
    other.execute("test", &format!("INSERT INTO {name}.t VALUES (9)")).await.unwrap();
    let limit = Instant::now() + Duration::from_secs(20);
    let holders = loop {
        let holders = database.sql.holders_of_tables(&[(name, "u"), (name, "t")]).await.unwrap();
        if !holders.is_empty() || Instant::now() > limit {
            break holders;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    };
    let [holder] = holders.as_slice() else { panic!("{holders:?}") };
    let session = u64::from(other.connection().greeting().connection_id);
    assert_eq!((holder.session, holder.user.as_str()), (session, "root"));
    assert_eq!(holder.table.as_deref(), Some("snapshot_idle.t"));
    assert_eq!(database.sql.holders_of_tables(&[(name, "u")]).await.unwrap(), []);
    other.execute("test", "COMMIT").await.unwrap();
    assert_eq!(database.sql.holders_of_tables(&[(name, "t")]).await.unwrap(), []);
    database.remove().await;
}

/// Without a row, the last record of the topic of schema changes ends the copy.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_of_empty_tables_ends_with_its_structure() {
    for flavour in BOTH {
        let name = "snapshot_empty";
        let mut database = Database::fresh(flavour, name).await;
        for table in ["a", "b"] {
            database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
        }
        let world = World::default();
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", State::is_copied).await;
        task.stop().await;
        let marks: Vec<&str> = {
            let world = world.lock().unwrap();
            assert_eq!(world.rows().count(), 0);
            world
                .records
                .iter()
                .map(|record| if record.row[0].contains("\"last\"") { "last" } else { "true" })
                .collect()
        };
        assert!(marks.len() > 5, "{marks:?}");
        let (last, others) = marks.split_last().unwrap();
        assert!(*last == "last" && others.iter().all(|mark| *mark == "true"), "{marks:?}");
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_an_account_must_be_allowed_for_a_lock() {
    const STREAM: &str = "SELECT, REPLICATION SLAVE, REPLICATION CLIENT";
    for flavour in BOTH {
        let name = "snapshot_grants";
        let mut database = Database::fresh(flavour, name).await;
        database.fill("t", "INT", 10).await;
        let cases = [
            (
                STREAM.to_owned(),
                "User does not have the 'LOCK TABLES' privilege required to obtain a consistent snapshot by \
                                 preventing concurrent writes to tables.",
            ),
            (format!("{STREAM}, LOCK TABLES"), "Access denied; you need (at least one of) the RELOAD"),
            (format!("{STREAM}, LOCK TABLES, FLUSH_TABLES"), ""),
            (format!("{STREAM}, RELOAD"), ""),
        ];
        for (grants, expect) in cases {
            // MariaDB has no such privilege, and everybody may lock the tables of its database `test`.
            if flavour == Flavour::MariaDb && (grants.contains("FLUSH_TABLES") || grants == STREAM) {
                continue;
            }
            let account = rig::account(&mut database.sql, name, &grants).await;
            let more = [("database.user", account.user.as_str()), ("database.password", "ge'heim")];
            let task = Task::start(flavour, name, &more, &World::default(), NO_PAUSE);
            if expect.is_empty() {
                task.until("the copy", State::is_copied).await;
                task.stop().await;
            } else {
                let trace = task.failed().await;
                assert!(trace.contains(expect) && trace.contains("GRANT"), "{grants}: {trace}");
            }
            database.run(&format!("DROP USER '{name}'@'localhost'")).await;
        }
        database.remove().await;
    }
}

/// Rows that are deleted between the attempts do not stay, and rows of a table that was altered in between are read as it is
/// now, while the log is read as the table was.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_copy_is_made_anew_from_its_first_position() {
    for flavour in BOTH {
        let name = "snapshot_killed";
        let table = format!("{name}.t");
        let mut database = Database::fresh(flavour, name).await;
        database.fill("t", "INT", 6000).await;
        let world = World::default();
        let task = Task::start(flavour, name, &[], &world, PAUSE);
        task.until("first rows", |state| state.rows().count() >= 1000).await;
        task.kill().await;
        let begun = world.lock().unwrap().offset.clone().unwrap();
        assert_eq!(begun["snapshot"], "INITIAL");
        let history = world.lock().unwrap().history.clone();
        database.run("UPDATE t SET n = -1 WHERE id = 1").await;
        database.run("DELETE FROM t WHERE id < 600 AND id > 1").await;
        database.run("ALTER TABLE t ADD COLUMN z INT NOT NULL DEFAULT 5").await;
        database.run("INSERT INTO t (id, z) VALUES (77777, 6)").await;

        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", State::is_copied).await;
        database.run("INSERT INTO t (id, z) VALUES (99999, 7)").await;
        task.until("the last row", |state| state.rows().last().is_some_and(|record| record.row[0].contains("99999")))
            .await;
        task.stop().await;
        let left = replayed(&world, &table);
        assert_eq!(left.len(), count(&mut database, "t").await);
        assert!(left.values().all(|row| row.len() == 5 || row[1].contains("-1")), "rows have the new column");
        let statements = world.lock().unwrap().history.clone().unwrap();
        assert_eq!(statements.len(), history.unwrap().len() + 1, "only the ALTER came to the history");
        database.remove().await;
    }
}

/// In the middle of a copy one table is rewritten, one loses a column and one is dropped, before they are read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_ddl_changes_after_the_copy_began() {
    for flavour in BOTH {
        let name = "snapshot_ddl";
        let mut database = Database::fresh(flavour, name).await;
        database.fill("a", "INT", 6000).await;
        for table in ["b", "c", "d"] {
            database.fill(table, "INT", 20).await;
        }
        let world = World::default();
        let task = Task::start(flavour, name, &[], &world, PAUSE);
        task.until("first rows", |state| state.rows().count() >= 1000).await;
        // Tables that were read, or will be, are not held.
        database.sql.lock_timeout(5).await.unwrap();
        database.run("ALTER TABLE b MODIFY n BIGINT, ADD COLUMN z INT DEFAULT 3").await;
        database.run("ALTER TABLE c DROP COLUMN t").await;
        database.run("DROP TABLE d").await;
        task.until("the copy", State::is_copied).await;
        for table in ["b", "c"] {
            database.run(&format!("INSERT INTO {table} (id) VALUES (99999)")).await;
        }
        task.until("the last row", |state| {
            ["b", "c"].iter().all(|table| state.rows().any(|r| r.op == "c" && r.table == format!("{name}.{table}")))
        })
        .await;
        for (table, columns) in [("b", 5), ("c", 3)] {
            let full = format!("{name}.{table}");
            assert_eq!(operations(&world, &full), format!("{}c", "r".repeat(20)));
            assert!(replayed(&world, &full).values().all(|row| row.len() == columns), "{full}");
        }
        let marks = marks(&world);
        assert_eq!(marks.iter().filter(|mark| mark.ends_with(" last")).count(), 1, "{marks:?}");
        task.stop().await;
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_s_zone_and_a_user_s_select() {
    for flavour in BOTH {
        let name = "snapshot_select";
        let table = format!("{name}.t");
        let mut database = Database::fresh(flavour, name).await;
        database.run("SET time_zone = '+00:00'").await;
        database.fill("t", "INT", 5).await;
        let select = format!("snapshot.select.statement.overrides.{table}");
        let statement = format!("SELECT at, 1 AS other, id FROM {table} WHERE id > 2");
        let mut all = Vec::new();
        for more in [
            &[][..],
            // As if the server were in that zone.
            &[("database.initial.statements", "SET time_zone = '+05:00'")],
            &[("snapshot.select.statement.overrides", &*table), (&*select, &*statement)],
        ] {
            let world = World::default();
            let task = Task::start(flavour, name, more, &world, NO_PAUSE);
            task.until("the copy", State::is_copied).await;
            if more.len() == 1 {
                // The stream has the same moment.
                database.run("INSERT INTO t (id, at) VALUES (50, '2024-05-06 07:08:09')").await;
                database.run("DELETE FROM t WHERE id = 50").await;
                task.until("the stream", |state| state.rows().any(|record| record.op == "d")).await;
                let world = world.lock().unwrap();
                assert!(world.rows().all(|record| record.row[3].contains("1714979289000000")), "{:?}", world.records);
            }
            task.stop().await;
            all.push(replayed(&world, &table));
        }
        assert_eq!(all[0].len(), 5);
        assert!(all[0].values().all(|row| row[3].contains("1714979289000000")), "{:?}", all[0]);
        assert_eq!(all[0], all[1]);
        assert_eq!(all[2].len(), 2);
        for (key, row) in &all[2] {
            let whole = &all[0][key];
            assert_eq!((&row[0], &row[3]), (&whole[0], &whole[3]));
            assert_eq!((row[1].as_str(), row[2].as_str()), ("Null", "Null"));
        }
        database.remove().await;
    }
}

/// Transactions that write the same number into two tables go on while the copy begins and runs.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_readers_see_one_moment() {
    for flavour in BOTH {
        let name = "snapshot_moment";
        let mut database = Database::fresh(flavour, name).await;
        database.fill("a", "INT", 20_000).await;
        database.fill("b", "INT", 20_000).await;
        let writing = tokio::spawn(async move {
            let mut sql = mysql::sql::Sql::connect(&rig::server(flavour)).await.unwrap();
            for n in 20_000.. {
                sql.execute("writing", "BEGIN").await.unwrap();
                for table in ["a", "b"] {
                    let insert = format!("INSERT INTO {name}.{table} (id) VALUES ({n})");
                    if sql.execute("writing", &insert).await.is_err() {
                        // The database is gone.
                        return;
                    }
                }
                sql.execute("writing", "COMMIT").await.unwrap();
            }
        });
        for locking in ["minimal", "none"] {
            let world = World::default();
            let more = [("snapshot.max.threads", "4"), ("snapshot.locking.mode", locking)];
            let task = Task::start(flavour, name, &more, &world, NO_PAUSE);
            task.until("some of the stream", |state| state.rows().filter(|record| record.op == "c").count() > 50).await;
            task.stop().await;
            let ids = |table: &str, op: &str| -> Vec<i64> {
                let world = world.lock().unwrap();
                let of = world.rows().filter(|record| record.table == format!("{name}.{table}") && record.op == op);
                of.map(|record| record.row[0].trim_matches(|c: char| !c.is_ascii_digit()).parse().unwrap()).collect()
            };
            let last = |table: &str| ids(table, "r").into_iter().max().unwrap();
            // Without a lock the readers begin one after another.
            if locking == "minimal" {
                assert_eq!(last("a"), last("b"));
                assert_eq!(ids("a", "c").first(), Some(&(last("a") + 1)), "no row is missing, and none comes twice");
            } else {
                assert!(*ids("a", "c").first().unwrap() <= last("a") + 1, "no row is missing");
            }
        }
        database.remove().await;
        writing.abort();
    }
}
