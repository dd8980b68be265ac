//! Rules that are otherwise held by recorded binlogs only, on real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::time::Duration;

use mysql::Flavour;
use mysql::position::to_offset;
use rig::{BOTH, Database};
use task::{Record, State, Task, World};

const NO_PAUSE: Duration = Duration::ZERO;

fn streamed(state: &State) -> impl Iterator<Item = &Record> {
    state.rows().filter(|record| record.op != "r")
}

/// A task that has copied a database.
async fn following(flavour: Flavour, name: &str, more: &[(&str, &str)], world: &World) -> Task {
    let task = Task::start(flavour, name, more, world, NO_PAUSE);
    task.until("the copy", State::is_copied).await;
    task
}

/// Waits for so many streamed rows, and gives them.
async fn rows(task: &Task, count: usize) -> Vec<Record> {
    task.until(&format!("{count} rows"), |state| streamed(state).count() >= count).await;
    streamed(&task.world.lock().unwrap()).cloned().collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_server_s_own_databases_are_never_captured() {
    for flavour in BOTH {
        let name = "checklist_builtin";
        let mut database = Database::fresh(flavour, name).await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
        let list = format!("mysql,sys,performance_schema,information_schema,{name}");
        let world = World::default();
        let task = following(flavour, name, &[("database.include.list", &list)], &world).await;
        database.run("INSERT INTO t VALUES (1)").await;
        let rows = rows(&task, 1).await;
        task.stop().await;
        assert_eq!(rows.len(), 1);
        let records = world.lock().unwrap().records.clone();
        let of_server = |record: &Record| record.table.starts_with("mysql.") || record.table.starts_with("sys.");
        assert!(!records.iter().any(of_server), "{records:?}");
        assert!(world.lock().unwrap().rows().count() == 1, "nothing of the server's own tables is copied");
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_of_mysql() {
    let name = "checklist_mysql";
    let mut database = Database::fresh(Flavour::MySql, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
    database.run("CREATE TABLE other (id INT PRIMARY KEY)").await;
    let world = World::default();
    let more = [("table.include.list", "checklist_mysql[.]t")];
    let task = following(Flavour::MySql, name, &more, &world).await;
    database.run("SET gtid_next = 'AUTOMATIC:afterimage'").await;
    database.run("BEGIN").await;
    database.run("INSERT INTO other VALUES (1)").await;
    database.run("INSERT INTO t VALUES (1), (2)").await;
    database.run("INSERT INTO t VALUES (3)").await;
    database.run("COMMIT").await;
    let found = rows(&task, 3).await;
    task.kill().await;
    let gtid = |record: &Record| record.position.text(mysql::position::GTID).unwrap().to_owned();
    let at = |record: &Record| record.position.word(mysql::position::TS_US).unwrap();
    assert!(gtid(&found[0]).contains(":afterimage:"), "{}", gtid(&found[0]));
    assert!(found.iter().all(|record| gtid(record) == gtid(&found[0]) && at(record) == at(&found[0])));
    // BEGIN, and TABLE_MAP and rows of the table that is not captured, count; of the set, the open transaction is left out.
    let offset = to_offset(&found[1].position);
    assert_eq!((offset["event"].as_i64(), offset["row"].as_i64()), (Some(4), Some(2)), "{offset:?}");
    let tagged = |offset: &serde_json::Map<String, serde_json::Value>| {
        let gtids = offset["gtids"].as_str().unwrap().to_owned();
        gtids.split_once(":afterimage:").map(|(_, rest)| rest.split([',', ':']).next().unwrap().to_owned())
    };
    let number: u64 = gtid(&found[0]).rsplit(':').next().unwrap().parse().unwrap();
    let before = tagged(&offset).map_or(0, |range| range.rsplit('-').next().unwrap().parse().unwrap());
    assert_eq!(before, number - 1, "{offset:?}");
    // A restart goes on behind the last row.
    let task = Task::start(Flavour::MySql, name, &more, &world, NO_PAUSE);
    database.run("INSERT INTO t VALUES (4)").await;
    let found = rows(&task, 4).await;
    task.stop().await;
    let keys: Vec<_> = found.iter().map(|record| record.row.join(" ")).collect();
    assert_eq!(keys, ["Int(1)", "Int(2)", "Int(3)", "Int(4)"]);
    let single = to_offset(&found[3].position)["gtids"].as_str().unwrap().to_owned();
    assert!(
        single.split(',').all(|part| part.contains('-') && part.split(':').skip(1).all(|n| !n.is_empty())),
        "{single}"
    );
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn identities_of_mariadb() {
    let name = "checklist_mariadb";
    let mut database = Database::fresh(Flavour::MariaDb, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
    let world = World::default();
    let task = following(Flavour::MariaDb, name, &[], &world).await;
    database.run("INSERT INTO t VALUES (1)").await;
    database.run("SET SESSION server_id = 77").await;
    database.run("INSERT INTO t VALUES (2), (3)").await;
    let found = rows(&task, 3).await;
    task.stop().await;
    let own = database.sql.query("test", "SELECT @@GLOBAL.server_id").await.unwrap()[0].text(0).unwrap().to_owned();
    for (record, server) in found.iter().zip([own.as_str(), "77", "77"]) {
        let gtid = record.position.text(mysql::position::GTID).unwrap();
        let parts: Vec<&str> = gtid.split('-').collect();
        assert_eq!((parts.len(), parts[1]), (3, server), "{gtid}");
        assert_eq!(record.position.word(mysql::position::THREAD), None);
    }
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn partial_updates_of_json_are_whole() {
    let name = "checklist_json";
    let mut database = Database::fresh(Flavour::MySql, name).await;
    database.run("CREATE TABLE t (id INT PRIMARY KEY, j JSON)").await;
    database.run(r#"INSERT INTO t VALUES (1, '{"a":1,"b":[1,2,3],"c":"text"}')"#).await;
    let world = World::default();
    let task = following(Flavour::MySql, name, &[], &world).await;
    database.run("SET SESSION binlog_row_value_options = PARTIAL_JSON").await;
    database.run("UPDATE t SET j = JSON_SET(j, '$.a', 2, '$.b[1]', 20)").await;
    database.run("UPDATE t SET j = JSON_REMOVE(j, '$.c')").await;
    let found = rows(&task, 2).await;
    task.stop().await;
    for (record, expect) in found.iter().zip([r#"{"a":2,"b":[1,20,3],"c":"text"}"#, r#"{"a":2,"b":[1,20,3]}"#]) {
        let shown = record.row[1].replace('\\', "");
        assert!(shown.contains(&format!("\"{expect}\"")), "{shown}");
    }
    database.remove().await;
}

/// Changes that were logged as text cannot be sent, and are no statements about tables.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn changes_that_are_logged_as_text_are_passed_over() {
    for flavour in BOTH {
        let name = "checklist_text";
        let mut database = Database::fresh(flavour, name).await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY, v VARCHAR(40))").await;
        let world = World::default();
        let task = following(flavour, name, &[], &world).await;
        let history = world.lock().unwrap().history.clone().unwrap().len();
        database.run("SET SESSION binlog_format = STATEMENT").await;
        database.run("INSERT INTO t VALUES (1, 'ALTER TABLE t DROP v')").await;
        database.run("UPDATE t SET v = 'DROP TABLE t' WHERE id = 1").await;
        database.run("SET SESSION binlog_format = ROW").await;
        database.run("INSERT INTO t VALUES (2, 'b')").await;
        let found = rows(&task, 1).await;
        task.stop().await;
        assert_eq!(found[0].row.join(" "), "Int(2) Text(\"b\")");
        assert_eq!(world.lock().unwrap().history.clone().unwrap().len(), history);
        database.remove().await;
    }
}
