//! How a copy begins on a busy server: which transactions it waits for, what the status says of them, and what happens
//! to tables that are changed after the view was taken and before they are read.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeMap;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, Session, wait_until};
use serde_json::Value;

const LIMIT: Duration = Duration::from_secs(60);

/// A server that allows prepared transactions.
fn server() -> Server {
    let mut server = Server::postgres("logical");
    Session::connect(server.address(), "postgres").run("alter system set max_prepared_transactions = 10");
    server.stop(false);
    server.start_again();
    server
}

fn make_slot(database: &Database) {
    database.run(&format!("select pg_create_logical_replication_slot('{}', 'pgoutput')", database.name));
}

/// Replays the records of a topic. Returns the operations in order, and the rows at the end by key.
fn replayed(kafka: &Kafka, topic: &str) -> (String, BTreeMap<String, Value>) {
    let (mut operations, mut rows) = (String::new(), BTreeMap::new());
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"].clone();
    for message in kafka.consume(topic) {
        let Some(value) = message.value.as_deref().map(read) else { continue };
        operations.push_str(value["op"].as_str().unwrap());
        let key = read(message.key.as_deref().unwrap()).to_string();
        match &value["after"] {
            Value::Null => rows.remove(&key),
            after => rows.insert(key, after.clone()),
        };
    }
    (operations, rows)
}

/// The rows of a table, which the records must add up to.
fn rows(database: &Database, table: &str) -> Vec<Value> {
    let rows = database.rows(&format!("select to_jsonb(t) from {table} t order by id"));
    rows.into_iter().map(|row| serde_json::from_str(row[0].as_deref().unwrap()).unwrap()).collect()
}

#[test]
fn what_is_open_elsewhere_holds_nothing_up() {
    let server = server();
    let database = Database::create_at(server.address(), &rig::unique("elsewhere"));
    let other = Database::create_at(server.address(), &rig::unique("other"));
    database.run("create table t(id int primary key)");
    make_slot(&database);
    database.run("insert into t values (1)");
    other.run("create table t(id int primary key)");
    let open = other.session();
    open.run("begin; insert into t values (1)");
    other.session().run("begin; insert into t values (2); prepare transaction 'forgotten'");

    let daemon = Daemon::start(Options::new("elsewhere"));
    daemon.create(&database.name, &database.connector(&[]));
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the copied row", LIMIT, || kafka.length(&topic) == 1);
    let log = daemon.log();
    assert!(!log.contains("waits for transactions"), "{log}");
    other.run("rollback prepared 'forgotten'");
}

/// A prepared transaction of this database that was forgotten: the copy waits for it and the status names it. What it
/// and others wrote is in the copy, and does not come again from the log.
#[test]
fn what_is_open_here_is_waited_for_and_named() {
    let server = server();
    let database = Database::create_at(server.address(), &rig::unique("here"));
    database.run("create table t(id int primary key)");
    make_slot(&database);
    database.run("insert into t values (1)");
    database.session().run("begin; insert into t values (2); prepare transaction 'it''s forgotten'");
    database.run("insert into t values (3)");

    let daemon = Daemon::start(Options::new("here"));
    daemon.create(&database.name, &database.connector(&[]));
    wait_until("the status names the transaction", LIMIT, || {
        let (state, trace) = daemon.task(&database.name);
        let named = format!(
            "waiting for transactions to end: prepared transaction 'it's forgotten' (database \"{}\"",
            database.name
        );
        state == "RUNNING" && trace.contains(&named)
    });
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    assert_eq!(kafka.length(&topic), 0, "the copy did not wait");
    database.run("commit prepared 'it''s forgotten'");
    wait_until("the copied rows", LIMIT, || kafka.length(&topic) == 3);
    database.wait_streamed(true);
    wait_until("the status is plain again", LIMIT, || daemon.task(&database.name).1.is_empty());
    database.run("insert into t values (4)");
    wait_until("the row of the log", LIMIT, || replayed(&kafka, &topic).1.len() == 4);
    assert_eq!(replayed(&kafka, &topic).0, "rrrc");
}

/// PostgreSQL waits for the transactions of the whole server when it creates a slot.
#[test]
fn a_slot_says_for_whom_it_waits() {
    let server = server();
    let database = Database::create_at(server.address(), &rig::unique("slot"));
    let other = Database::create_at(server.address(), &rig::unique("other"));
    for database in [&database, &other] {
        database.run("create table t(id int primary key); insert into t values (1)");
    }
    let open = other.session();
    open.run("begin; insert into t values (2)");
    let pid = open.cell("select pg_backend_pid()");

    let daemon = Daemon::start(Options::new("slot"));
    daemon.create(&database.name, &database.connector(&[]));
    let tells = |of: &str| {
        wait_until(&format!("the status tells of {of}"), LIMIT, || daemon.task(&database.name).1.contains(of));
    };
    tells(&format!("waiting for transactions to end: pid {pid} (database \"{}\"", other.name));
    open.run("prepare transaction 'left'");
    tells(&format!("waiting for transactions to end: prepared transaction 'left' (database \"{}\"", other.name));
    other.run("rollback prepared 'left'");
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the copied row", LIMIT, || kafka.length(&topic) == 1);
    database.wait_streamed(true);
    wait_until("the status is plain again", LIMIT, || daemon.task(&database.name) == ("RUNNING".into(), String::new()));
}

#[test]
fn tables_are_changed_between_the_view_and_their_reading() {
    let database = Database::create("ddl");
    for table in [
        "a_locked",
        "b_drops",
        "c_renames",
        "d_dropped",
        "e_truncated",
        "f_rewritten",
        "g_renamed",
        "k_anew",
        "z_plain",
    ] {
        database.run(&format!(
            "create table {table}(id int primary key, v int, w text); \
             insert into {table} select n, n * 10, 'w' from generate_series(1, 3) n"
        ));
    }
    database.run(
        "create table p_parts(id int primary key, v int) partition by range (id); \
         create table p_low partition of p_parts for values from (0) to (100); \
         create table p_high partition of p_parts for values from (100) to (200); \
         insert into p_parts values (1, 1), (101, 1)",
    );
    let daemon = Daemon::start(Options::new("ddl"));
    let config = [
        ("snapshot.delay.ms", "10000"),
        ("publication.autocreate.mode", "all_tables"),
        ("publish.via.partition.root", "true"),
    ];
    daemon.create(&database.name, &database.connector(&config));
    let made = format!(
        "select 1 from pg_replication_slots where slot_name = '{}' and confirmed_flush_lsn is not null",
        database.name
    );
    wait_until("the slot is made", LIMIT, || database.cell(&made) == "1");
    // The view that the copy reads is the slot's. Nothing has been read at this point.
    let holder = database.session();
    holder.run("begin; lock table a_locked in access exclusive mode");
    database.run(
        "alter table b_drops drop column v; alter table c_renames rename column v to renamed; drop table d_dropped; \
         update f_rewritten set v = 77 where id = 1; alter table g_renamed rename to h_named",
    );
    database.run("insert into e_truncated values (4, 40, 'w')");
    database.run("truncate e_truncated");
    database.run("insert into e_truncated values (5, 50, 'w')");
    database.run("alter table f_rewritten alter v type bigint");
    database.run("update f_rewritten set v = 78 where id = 1; delete from f_rewritten where id = 3");
    database.run(
        "drop table k_anew; create table k_anew(id int primary key, other text); insert into k_anew values (9, 'o')",
    );
    database.run("truncate p_low; insert into p_parts values (2, 2)");
    wait_until("the status says who holds the table", LIMIT, || {
        let (state, trace) = daemon.task(&database.name);
        let pid = holder.cell("select pg_backend_pid()");
        state == "RUNNING"
            && trace.contains(&format!("Copying table public.a_locked is waiting for transactions to end: pid {pid} "))
    });
    holder.run("commit");
    database.wait_streamed(true);
    for table in ["a_locked", "b_drops", "c_renames", "e_truncated", "f_rewritten", "h_named", "k_anew", "z_plain"] {
        let other = if table == "k_anew" { "other" } else { "w" };
        database.run(&format!("insert into {table}(id, {other}) values (1000, 'last')"));
    }
    database.run("insert into p_parts values (150, 150)");
    let kafka = Kafka::shared();
    let topic = |table: &str| format!("{}.public.{table}", database.name);
    let check = |table: &str, expect: &str, wanted: &[Value]| {
        let last = if table == "p_parts" { r#"{"id":150}"# } else { r#"{"id":1000}"# };
        wait_until(&format!("the last row of {table}"), LIMIT, || replayed(&kafka, &topic(table)).1.contains_key(last));
        let (operations, found) = replayed(&kafka, &topic(table));
        assert_eq!(operations, expect, "{table}");
        let mut found: Vec<Value> = found.into_values().collect();
        found.sort_by_key(|row| row["id"].as_i64());
        assert_eq!(found, wanted, "{table}");
    };
    for (table, operations) in [
        ("a_locked", "rrrc"),
        ("b_drops", "rrrc"),
        ("c_renames", "rrrc"),
        // Read in a view of its own: changes since the first view come again from the log.
        ("f_rewritten", "rruudc"),
        ("h_named", "rrrc"),
        ("k_anew", "rcc"),
        ("z_plain", "rrrc"),
    ] {
        check(table, operations, &rows(&database, table));
    }
    // A truncation is not sent (skipped.operations), so the row that it removed stays, as in any stream.
    let gone = serde_json::json!({"id": 4, "v": 40, "w": "w"});
    let mut wanted = rows(&database, "e_truncated");
    wanted.insert(0, gone);
    check("e_truncated", "rccc", &wanted);
    check("p_parts", "rrcc", &rows(&database, "p_parts"));
    assert_eq!(kafka.length(&topic("d_dropped")), 0);
    assert_eq!(daemon.task(&database.name).0, "RUNNING");
    let log = daemon.log();
    assert!(!log.contains("trying again"), "{log}");
}
