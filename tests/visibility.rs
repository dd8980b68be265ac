//! The log shows a commit before other sessions see it. The catalogue must not be asked for the table's columns too
//! early.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, wait_until};
use serde_json::{Value, json};

/// A synchronous standby that does not exist holds the transaction between its commit record and its end for as long as
/// the test wants. Without it, that is a short moment which only a busy machine shows.
#[test]
fn columns_are_those_of_the_transaction() {
    let server = Server::postgres("logical");
    let database = Database::create_at(server.address(), &rig::unique("seen"));
    database.run("create table t(id int primary key, a text); insert into t values (1, 'one')");
    let daemon = Daemon::start(Options::new("seen"));
    daemon.create(&database.name, &database.connector(&[]));
    database.wait_streamed(true);
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the copied row", Duration::from_secs(30), || kafka.length(&topic) == 1);

    let standby = |name: &str| {
        database.run(&format!("alter system set synchronous_standby_names = '{name}'"));
        database.run("select pg_reload_conf()");
        wait_until("the setting", Duration::from_secs(10), || database.cell("show synchronous_standby_names") == name);
    };
    standby("nobody");
    let writer = database.session();
    let writing = std::thread::spawn(move || {
        writer.run(
            "begin; create type mood as enum ('glad'); alter table t alter a set not null, alter a set default 'def', \
             add m mood; insert into t(id, m) values (2, 'glad'); commit",
        );
    });
    let sql = "select count(*) from pg_stat_activity where wait_event = 'SyncRep'";
    wait_until("the commit waits", Duration::from_secs(10), || database.cell(sql) == "1");
    // Long enough for the daemon to read the change, if it did not wait; and well below the time for which it waits.
    std::thread::sleep(Duration::from_millis(300));
    let early = kafka.length(&topic);
    // This must come first, because nothing can be dropped while commits wait.
    standby("");
    writing.join().unwrap();
    assert_eq!(early, 1, "told before it could be seen");
    wait_until("the new row", Duration::from_secs(30), || kafka.length(&topic) == 2);

    let message = kafka.consume(&topic).pop().unwrap();
    let value: Value = serde_json::from_slice(&message.value.unwrap()).unwrap();
    assert_eq!(value["payload"]["after"], json!({"id": 2, "a": "def", "m": "glad"}));
    let fields = value["schema"]["fields"][1]["fields"].as_array().unwrap();
    let a = fields.iter().find(|field| field["field"] == "a").unwrap();
    assert_eq!((&a["optional"], &a["default"]), (&json!(false), &json!("def")), "{a}");
}

/// Three such transactions over two tables each, which are read at once. Each must be waited for only once. The server,
/// which here gives up a silent client quickly, must get a status between the waits.
#[test]
fn a_transaction_is_waited_for_once() {
    let server = Server::postgres("logical");
    let database = Database::create_at(server.address(), &rig::unique("once"));
    let tables = ["a", "b", "c", "d", "e", "f"];
    for table in tables {
        database.run(&format!("create table {table}(id int primary key)"));
    }
    let daemon = Daemon::start(Options::new("once"));
    database.run("alter system set wal_sender_timeout = '5s'");
    database.run("select pg_reload_conf()");
    daemon.create(&database.name, &database.connector(&[("status.update.interval.ms", "1000")]));
    database.wait_streamed(true);
    database.run("alter system set synchronous_standby_names = 'nobody'");
    database.run("select pg_reload_conf()");
    let sql = "show synchronous_standby_names";
    wait_until("the setting", Duration::from_secs(10), || database.cell(sql) == "nobody");
    let writing: Vec<_> = tables
        .chunks(2)
        .map(|pair| {
            let (writer, pair) = (database.session(), pair.to_vec());
            std::thread::spawn(move || {
                let (one, other) = (pair[0], pair[1]);
                writer.run(&format!("begin; insert into {one} values (1); insert into {other} values (1); commit"));
            })
        })
        .collect();
    let kafka = Kafka::shared();
    let told = || tables.iter().all(|table| kafka.length(&format!("{}.public.{table}", database.name)) == 1);
    let is_told = rig::within(Duration::from_secs(30), told);
    let (log, server_log) = (daemon.log(), server.log());
    database.run("alter system reset synchronous_standby_names");
    database.run("select pg_reload_conf()");
    for writer in writing {
        writer.join().unwrap();
    }
    assert!(is_told, "not every row arrived");
    let waits = log.lines().filter(|line| line.contains("before a transaction that changed it can be seen")).count();
    assert_eq!((waits, server_log.contains("replication timeout")), (3, false), "{server_log}");
}
