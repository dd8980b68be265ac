//! What a start makes of what an earlier one left: its position and its schema history, whole, lost or damaged.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::sync::{Arc, Mutex};
use std::time::Duration;

use mysql::Flavour;
use rig::{BOTH, Database};
use task::{State, Task, World, operations};

const NO_PAUSE: Duration = Duration::ZERO;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_lost_history_and_its_recovery() {
    for flavour in BOTH {
        let name = "snapshot_recovery";
        let table = format!("{name}.t");
        let mut database = Database::fresh(flavour, name).await;
        database.fill("t", "INT", 5).await;
        let recovery = [("snapshot.mode", "recovery")];
        let world = World::default();
        let trace = Task::start(flavour, name, &recovery, &world, NO_PAUSE).failed().await;
        assert!(trace.contains("Could not find existing redo log information"), "{trace}");
        assert_eq!(world.lock().unwrap().history, None, "nothing is made by a start that is refused");

        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", State::is_copied).await;
        task.stop().await;
        database.run("INSERT INTO t (id) VALUES (6)").await;
        world.lock().unwrap().history = None;
        let trace = Task::start(flavour, name, &[], &world, NO_PAUSE).failed().await;
        assert!(trace.contains("The db history topic is missing."), "{trace}");

        let before = world.lock().unwrap().offset.clone().unwrap();
        let task = Task::start(flavour, name, &recovery, &world, NO_PAUSE);
        task.until("the row", |state| state.rows().any(|record| record.op == "c")).await;
        assert_eq!(operations(&world, &table), "rrrrrc");
        let history = world.lock().unwrap().history.clone().unwrap();
        let first: serde_json::Value = serde_json::from_str(&history[0]).unwrap();
        assert_eq!(first["position"]["pos"], before["pos"]);
        assert_eq!(first["position"]["snapshot"], "INITIAL");
        task.stop().await;
        database.remove().await;
    }
}

/// The offset names a file, or transactions, that the server does not have.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_position_that_the_server_has_no_more() {
    for flavour in BOTH {
        let name = "snapshot_lost";
        let mut database = Database::fresh(flavour, name).await;
        database.fill("t", "INT", 5).await;
        let world = World::default();
        let task = Task::start(flavour, name, &[], &world, NO_PAUSE);
        task.until("the copy", State::is_copied).await;
        task.stop().await;
        let strange = match flavour {
            Flavour::MySql => "00000000-0000-0000-0000-000000000001:1-5",
            Flavour::MariaDb => "4711-1-5",
        };
        for gtids in [None, Some(strange)] {
            let mut offset = world.lock().unwrap().offset.clone().unwrap();
            offset.insert("file".into(), "binlog.000000".into());
            offset.remove("gtids");
            offset.extend(gtids.map(|gtids| ("gtids".to_owned(), gtids.into())));
            world.lock().unwrap().offset = Some(offset);
            let trace = Task::start(flavour, name, &[], &world, NO_PAUSE).failed().await;
            assert!(trace.contains("no longer available on the server"), "{trace}");
            let copied = world.lock().unwrap().rows().count();
            let task = Task::start(flavour, name, &[("snapshot.mode", "when_needed")], &world, NO_PAUSE);
            task.until("the copy", |state| state.rows().count() == copied + 5 && state.is_copied()).await;
            task.stop().await;
        }
        database.remove().await;
    }
}

/// The number of a record of the history that has this text, from 0.
fn place(history: &[String], text: &str) -> usize {
    history.iter().position(|record| record.contains(text)).unwrap_or_else(|| panic!("{text}: {history:?}"))
}

/// A history that lacks records, or has others, never makes rows that nobody wrote: the start fails, or the first row whose table
/// is not as the history says.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_history_that_is_damaged() {
    type Damage = fn(&mut Vec<String>);
    type Case<'a> = (&'a str, Damage, &'a [(&'a str, &'a str)], &'a str, usize);
    const SKIPS: &[(&str, &str)] = &[("schema.history.internal.skip.unparseable.ddl", "true")];
    const NAME: &str = "starts_damaged";
    let mut database = Database::fresh(Flavour::MySql, NAME).await;
    for table in ["t", "u"] {
        database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY, v INT)")).await;
    }
    let world = World::default();
    let task = Task::start(Flavour::MySql, NAME, &[], &world, NO_PAUSE);
    task.until("the copy", State::is_copied).await;
    database.run("ALTER TABLE t ADD COLUMN z INT FIRST").await;
    database.run("INSERT INTO t VALUES (9, 1, 1)").await;
    task.until("a row", |state| state.rows().count() == 1).await;
    task.stop().await;
    database.run("INSERT INTO t VALUES (8, 2, 2)").await;
    database.run("INSERT INTO u VALUES (3, 3)").await;
    let stored = world.lock().unwrap().clone();
    assert_eq!(place(stored.history.as_ref().unwrap(), "ALTER TABLE t"), stored.history.as_ref().unwrap().len() - 1);

    // What was done to the history, the settings, what the trace says, and how many rows come at most.
    let cases: &[Case<'_>] = &[
        ("all is there", |_| {}, &[], "", 2),
        ("nothing is left", Vec::clear, &[], "The db history topic is missing.", 0),
        (
            "the history of another connector",
            |history| {
                for record in history {
                    *record = record.replace("\"server\" : \"", "\"server\" : \"other_");
                }
            },
            &[],
            "has no record of this connector (server 'starts_damaged')",
            0,
        ),
        ("its first records are gone", |history| drop(history.drain(..history.len() - 1)), &[], "starts_damaged.u", 1),
        ("its last record is gone", |history| drop(history.pop()), &[], "table starts_damaged.t, at ", 0),
        (
            "a record was cut",
            |history| {
                let cut = history.last().unwrap().len() / 2;
                history.last_mut().unwrap().truncate(cut);
            },
            &[],
            "is one of this connector's and damaged: a record of the schema history is not JSON",
            0,
        ),
        (
            "a record was cut, and may be passed over",
            |history| {
                let cut = history.last().unwrap().len() / 2;
                history.last_mut().unwrap().truncate(cut);
            },
            SKIPS,
            "table starts_damaged.t, at ",
            0,
        ),
        (
            "the tables of a record were changed",
            |history| {
                let at = place(history, "CREATE TABLE `u`");
                history[at] = history[at].replace("\"jdbcType\"", "\"type\"");
            },
            &[],
            "no usable `jdbcType`",
            0,
        ),
        (
            "others left something",
            |history| {
                for text in ["garbage", "", "{}", "[1]", "{\"source\":{\"server\":\"starts_damaged_2\"}}"] {
                    history.insert(history.len() / 2, text.to_owned());
                    history.push(text.to_owned());
                }
            },
            &[],
            "",
            2,
        ),
    ];
    for (what, damage, more, expect, sent) in cases {
        let mut state = stored.clone();
        damage(state.history.as_mut().unwrap());
        state.records.clear();
        let world = Arc::new(Mutex::new(state));
        let task = Task::start(Flavour::MySql, NAME, more, &world, NO_PAUSE);
        if expect.is_empty() {
            task.until(what, |state| state.rows().count() == *sent).await;
            task.stop().await;
        } else {
            let trace = task.failed().await;
            assert!(trace.contains(expect), "{what}: {trace}");
        }
        let world = world.lock().unwrap();
        // What was read with the row that failed is read again by the next start.
        assert!(world.rows().count() <= *sent, "{what}: {:?}", world.records);
        // The new column stands where the statement put it.
        let is_whole = |row: &[String]| row[0].ends_with("(8)") && row[1].ends_with("(2)");
        assert!(
            world
                .rows()
                .filter(|record| record.table.rsplit('.').next() == Some("t"))
                .all(|record| is_whole(&record.row)),
            "{what}"
        );
    }
    database.remove().await;
}

/// With the flags of `configuration_based`, a start that copies no rows goes on from the stored position, whatever it reads of the
/// tables' structure.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_start_by_flags_loses_no_changes() {
    for flavour in BOTH {
        let name = "starts_flags";
        let table = format!("{name}.t");
        let mut database = Database::fresh(flavour, name).await;
        database.fill("t", "INT", 3).await;
        let flags = [
            ("snapshot.mode", "configuration_based"),
            ("snapshot.mode.configuration.based.snapshot.schema", "true"),
            ("snapshot.mode.configuration.based.start.stream", "true"),
            ("snapshot.mode.configuration.based.snapshot.on.schema.error", "true"),
        ];
        let world = World::default();
        let task = Task::start(flavour, name, &flags, &world, NO_PAUSE);
        task.until("the structure", State::is_copied).await;
        task.stop().await;
        for (id, is_history_lost) in [(10, false), (11, true), (12, false)] {
            database.run(&format!("INSERT INTO t (id) VALUES ({id})")).await;
            if is_history_lost {
                world.lock().unwrap().history = None;
            }
            let task = Task::start(flavour, name, &flags, &world, NO_PAUSE);
            task.until("the row", |state| state.rows().any(|record| record.row[0].contains(&id.to_string()))).await;
            task.stop().await;
        }
        assert_eq!(operations(&world, &table), "ccc");
        database.remove().await;
    }
}
