//! Columns that are read again (`ReselectColumnsPostProcessor`): that they look as in the log, for every type of column and
//! of key; what becomes of a change whose row is gone or cannot be read; large columns; and a database that does not answer.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, Session, wait_until};
use serde_json::{Map, Value};

const LIMIT: Duration = Duration::from_secs(60);
const CLASS: &str = "io.debezium.processors.reselect.ReselectColumnsPostProcessor";
const PLACEHOLDER: &str = "__debezium_unavailable_value";

/// A connector that reads columns again, with further settings; `reselect.…` are those of the post processor.
fn connector(database: &Database, more: &[(&str, &str)]) -> Map<String, Value> {
    let named = |name: &str| {
        if name.starts_with("reselect.") { format!("post.processors.r.{name}") } else { name.to_owned() }
    };
    let more: Vec<_> = more.iter().map(|(name, value)| (named(name), *value)).collect();
    let mut all = vec![("snapshot.mode", "no_data"), ("post.processors", "r"), ("post.processors.r.type", CLASS)];
    all.extend(more.iter().map(|(name, value)| (name.as_str(), *value)));
    database.connector(&all)
}

/// A connector that follows the log from here on. Changes that are made before it is resumed are read together.
fn stopped(daemon: &Daemon, database: &Database, config: &Map<String, Value>) {
    daemon.create(&database.name, config);
    let follows = format!("following the log connector={}", database.name);
    wait_until("the log is followed", LIMIT, || daemon.log().contains(&follows));
    daemon.rest("PUT", &format!("/connectors/{}/stop", database.name), None);
    database.wait_streamed(false);
}

fn resume(daemon: &Daemon, database: &Database) {
    daemon.rest("PUT", &format!("/connectors/{}/resume", database.name), None);
}

/// The envelopes of a table's records, once there are `count` of them.
fn envelopes(database: &Database, table: &str, count: i64) -> Vec<Value> {
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.{table}", database.name));
    wait_until(&format!("{count} records of {table}"), LIMIT, || kafka.length(&topic) >= count);
    let read = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"].clone();
    kafka.consume(&topic).iter().filter_map(|message| message.value.as_deref().map(read)).collect()
}

fn afters(database: &Database, table: &str, count: i64) -> Vec<Value> {
    envelopes(database, table, count).into_iter().map(|mut envelope| envelope["after"].take()).collect()
}

/// Values of all types of columns.
const VALUES: &[(&str, &str)] = &[
    ("boolean", "true"),
    ("smallint", "-7"),
    ("bigint", "9223372036854775807"),
    ("oid", "4294967295"),
    ("real", "0.1"),
    ("double precision", "'NaN'"),
    ("numeric(12,3)", "-12.340"),
    ("numeric", "123456789012345678901234567890.5"),
    ("money", "1234.56"),
    ("text", "'ü''%s\\n\"'"),
    ("varchar(10)", "''"),
    ("char(8)", "'ab'"),
    ("\"char\"", "'x'"),
    ("name", "'Name'"),
    ("citext", "'MixEd'"),
    ("mood", "'very sad'"),
    ("bytea", "'\\x00ff27'"),
    ("bit(3)", "B'101'"),
    ("bit", "B'1'"),
    ("varbit", "B'0011'"),
    ("date", "'2020-02-29'"),
    ("date", "'infinity'"),
    ("time(3)", "'23:59:59.123'"),
    ("timetz", "'12:00:00+05:30'"),
    ("timestamp", "'2020-01-01 00:00:00.000001'"),
    ("timestamptz(0)", "'1900-01-01 12:00:00+02'"),
    ("interval", "'1 year -2 days 03:04:05.6'"),
    ("uuid", "'00112233-4455-6677-8899-aabbccddeeff'"),
    ("json", "'{\"a\" :  [1]}'"),
    ("jsonb", "'{\"b\":1,\"a\":null}'"),
    ("xml", "'<?xml version=\"1.0\"?><a>1</a>'"),
    ("inet", "'10.0.0.1/32'"),
    ("inet", "'10.0.0.1/8'"),
    ("cidr", "'10.0.0.0/8'"),
    ("macaddr", "'08:00:2b:01:02:03'"),
    ("point", "'(1.5,-2)'"),
    ("int4range", "'[1,5)'"),
    ("tstzrange", "'[2020-01-01,)'"),
    ("hstore", "'a=>1, \"b c\"=>NULL'"),
    ("ltree", "'a.b.c'"),
    ("price", "19.99"),
    ("text[]", "'{a,NULL,\"b,c\"}'"),
    ("int[]", "'{1,NULL,3}'"),
    ("boolean[]", "'{t,f}'"),
    ("timestamptz[]", "'{2020-01-01 00:00:00+00}'"),
    ("numeric(6,2)[]", "'{1.50}'"),
    ("mood[]", "'{happy}'"),
    ("pair", "ROW(NULL, NULL)"),
    ("pair", "ROW(1, 'x')"),
];

const TYPES: &str = "create extension citext; create extension hstore; create extension ltree;
    create type mood as enum ('very sad', 'happy'); create domain price as numeric(8,2); create type pair as (a int, b text)";

#[test]
fn what_is_read_again_looks_as_in_the_log() {
    let daemon = Daemon::start(Options::new("reselect_types"));
    let database = Database::create("reselect_types");
    database.run(TYPES);
    let columns: Vec<String> = VALUES.iter().enumerate().map(|(i, (of, _))| format!("c{i} {of}")).collect();
    database.run(&format!("create table t(id int primary key, {})", columns.join(", ")));
    let config = connector(
        &database,
        &[
            ("include.unknown.datatypes", "true"),
            ("column.truncate.to.2.chars", "public.t.c14"),
            ("column.mask.hash.v2.SHA-256.with.salt.x", "public.t.c9"),
        ],
    );
    stopped(&daemon, &database, &config);
    // When the insert is read, the row has the values that only the update brought.
    database.run("insert into t(id) values (1)");
    let set: Vec<String> = VALUES.iter().enumerate().map(|(i, (_, value))| format!("c{i} = {value}")).collect();
    database.run(&format!("update t set {}", set.join(", ")));
    resume(&daemon, &database);
    let afters = afters(&database, "t", 2);
    let (read, logged) = (afters[0].as_object().unwrap(), afters[1].as_object().unwrap());
    assert_eq!(logged.len(), VALUES.len() + 1);
    for (name, logged) in logged {
        let of = name.strip_prefix('c').and_then(|i| i.parse::<usize>().ok()).map(|i| VALUES[i]);
        assert_eq!(&read[name], logged, "{name} {of:?}");
    }
    let nulls: Vec<_> = logged.iter().filter(|(_, value)| value.is_null()).map(|(name, _)| name).collect();
    assert!(nulls.is_empty(), "{nulls:?} show nothing");
    assert_eq!((&read["c14"], read["c9"].as_str().unwrap().len()), (&Value::from("Mi"), 64));
}

#[test]
fn values_that_the_log_does_not_carry_are_read_again() {
    let daemon = Daemon::start(Options::new("reselect_toast"));
    let database = Database::create("reselect_toast");
    database.run(TYPES);
    let columns = [
        ("text", "repeat('ü', 5000)"),
        ("varchar", "repeat('v', 5000)"),
        ("char(9000)", "repeat('c', 5000)"),
        ("citext", "repeat('C', 5000)"),
        ("bytea", "decode(repeat('00ff', 5000), 'hex')"),
        ("json", "to_json(repeat('j', 5000))"),
        ("jsonb", "to_jsonb(repeat('b', 5000))"),
        ("xml", "xmlelement(name a, repeat('x', 5000))"),
        ("hstore", "hstore('a', repeat('h', 5000))"),
        ("numeric", "repeat('9', 9000)::numeric"),
        ("text[]", "array[repeat('t', 5000), null]"),
        ("int[]", "array(select generate_series(1, 2000))"),
        ("bigint[]", "array(select generate_series(1, 2000))"),
        ("varbit", "repeat('10', 20000)::varbit"),
    ];
    let listed: Vec<String> = columns.iter().enumerate().map(|(i, (of, _))| format!("c{i} {of}")).collect();
    database.run(&format!("create table t(id int primary key, n int, {})", listed.join(", ")));
    for i in 0..columns.len() {
        database.run(&format!("alter table t alter c{i} set storage external"));
    }
    daemon.create(&database.name, &connector(&database, &[("decimal.handling.mode", "string")]));
    database.wait_streamed(true);
    let values: Vec<&str> = columns.iter().map(|(_, value)| *value).collect();
    database.run(&format!("insert into t values (1, 0, {})", values.join(", ")));
    database.run("update t set n = 1");
    // The row must still be there when it is read.
    afters(&database, "t", 2);
    database.run("update t set id = 2");
    let envelopes = envelopes(&database, "t", 5);
    assert_eq!(envelopes.iter().map(|e| e["op"].as_str().unwrap()).collect::<String>(), "cudc");
    for (id, n, at) in [(1, 1, 1), (2, 1, 3)] {
        let mut expect = envelopes[0]["after"].clone();
        (expect["id"], expect["n"]) = (id.into(), n.into());
        for (name, expect) in expect.as_object().unwrap() {
            let of = name.strip_prefix('c').and_then(|i| i.parse::<usize>().ok()).map(|i| columns[i].0);
            assert!(&envelopes[at]["after"][name] == expect, "record {at}, {name} {of:?}");
        }
    }
}

#[test]
fn rows_are_found_by_keys_of_every_type() {
    let daemon = Daemon::start(Options::new("reselect_keys"));
    let database = Database::create("reselect_keys");
    database.run(TYPES);
    let keys = [
        ("int", "-5"),
        ("bigint", "9223372036854775807"),
        ("boolean", "false"),
        ("double precision", "0.1"),
        ("real", "'NaN'"),
        ("numeric", "1.10"),
        ("money", "12.5"),
        ("text", "'it''s \"x\"'"),
        ("char(6)", "'ab'"),
        ("varchar(9)", "''"),
        ("citext", "'Mixed'"),
        ("name", "'n'"),
        ("mood", "'very sad'"),
        ("price", "1.20"),
        ("uuid", "gen_random_uuid()"),
        ("bytea", "'\\x00ff'"),
        ("date", "'infinity'"),
        ("time", "'12:00:00.000001'"),
        ("timestamp", "'2020-01-01 00:00:00.123456'"),
        ("timestamptz", "'2020-01-01 00:00:00+14'"),
        ("interval", "'1 day'"),
        ("bit(5)", "B'10101'"),
        ("inet", "'10.0.0.1/8'"),
        ("int[]", "'{1,2}'"),
        ("int4range", "'[1,3)'"),
        ("jsonb", "'{\"a\":1}'"),
    ];
    for (i, (of, value)) in keys.iter().enumerate() {
        database.run(&format!(
            "create table \"T{i}\"(\"Key\" {of}, \"select\" int, n int, body text, primary key (\"Key\", \"select\"));
             alter table \"T{i}\" alter body set storage external;
             insert into \"T{i}\" values ({value}, 7, 0, repeat('b', 3000))"
        ));
    }
    daemon.create(&database.name, &connector(&database, &[("include.unknown.datatypes", "true")]));
    database.wait_streamed(true);
    for i in 0..keys.len() {
        database.run(&format!("update \"T{i}\" set n = 1"));
    }
    for (i, (of, _)) in keys.iter().enumerate() {
        let afters = afters(&database, &format!("T{i}"), 1);
        assert!(afters[0]["body"] == "b".repeat(3000), "{of}: {}", afters[0]["body"]);
    }
    // Keys that message.key.columns chooses; a key that several rows have; and a table whose only key is the event's.
    database.run(
        "create table k(id int primary key, a int, n int, body text); alter table k alter body set storage external;
         create table w(a int, n int, body text); alter table w alter body set storage external;
         alter table w replica identity full;
         insert into k values (1, 5, 0, repeat('k', 3000)), (2, 5, 0, repeat('l', 3000));",
    );
    daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
    database.wait_streamed(false);
    let config = connector(
        &database,
        &[
            ("table.include.list", "public.[kw]"),
            ("message.key.columns", "public.k:a;public.w:a"),
            ("reselect.use.event.key", "true"),
        ],
    );
    daemon.create(&database.name, &config);
    database.wait_streamed(true);
    database.run("update k set n = 1 where id = 1");
    let body = afters(&database, "k", 1)[0]["body"].as_str().unwrap().to_owned();
    assert!(body == "k".repeat(3000) || body == "l".repeat(3000), "{body}");
    database.run("insert into w values (1, null, 'x')");
    database.run("update w set n = 1");
    assert_eq!(afters(&database, "w", 2)[1]["n"], 1);
    wait_until("the log says that there are several", LIMIT, || {
        daemon.log().contains("Re-selection detected multiple rows for the same key in table public.k, using first.")
    });
}

/// A table with a row whose body the log does not carry, and that is deleted before the change is read.
fn with_gone_row(daemon: &Daemon, database: &Database, more: &[(&str, &str)]) {
    database.run("create table t(id text primary key, n int, body text, note text)");
    database.run("alter table t alter body set storage external");
    database
        .run("insert into t values ('secret key', 0, repeat('b', 3000), 'x'), ('stays', 0, repeat('s', 3000), 'y')");
    let more: Vec<_> = more.iter().copied().chain([("tombstones.on.delete", "false")]).collect();
    stopped(daemon, database, &connector(database, &more));
    database.run("update t set n = 1");
    database.run("delete from t where n = 1 and id = 'secret key'");
    resume(daemon, database);
}

#[test]
fn a_row_that_is_gone_leaves_the_change_as_it_is() {
    let daemon = Daemon::start(Options::new("reselect_warn"));
    let database = Database::create("reselect_warn");
    with_gone_row(&daemon, &database, &[]);
    let envelopes = envelopes(&database, "t", 3);
    let updated: Vec<&Value> = envelopes.iter().filter(|e| e["op"] == "u").map(|e| &e["after"]).collect();
    assert_eq!((&updated[0]["id"], &updated[0]["body"]), (&"secret key".into(), &PLACEHOLDER.into()));
    assert_eq!((&updated[1]["id"], &updated[1]["body"]), (&"stays".into(), &"s".repeat(3000).into()));
    let log = daemon.log();
    assert!(log.contains("Failed to find row in table public.t with key id (the change is at "), "{log}");
    assert!(!log.contains("secret key"), "{log}");

    // What the database refuses is said too, once in ten seconds.
    database.run("alter table t rename body to content");
    database.run("update t set n = 2");
    assert_eq!(afters(&database, "t", 4)[3]["content"], "s".repeat(3000));
    daemon.rest("PUT", &format!("/connectors/{}/stop", database.name), None);
    database.wait_streamed(false);
    database.run("update t set n = 3");
    database.run("alter table t rename content to body");
    resume(&daemon, &database);
    assert_eq!(afters(&database, "t", 5)[4]["content"], PLACEHOLDER);
    let says = "Failed to re-select columns for table public.t and key id (the change is at ";
    wait_until("the log says so", LIMIT, || daemon.log().contains(says));
    assert!(daemon.log().contains("column \"content\" does not exist (SQLSTATE 42703)"), "{}", daemon.log());
}

#[test]
fn a_row_that_is_gone_ends_the_task_if_that_is_wanted() {
    let daemon = Daemon::start(Options::new("reselect_fail"));
    let database = Database::create("reselect_fail");
    with_gone_row(&daemon, &database, &[("reselect.error.handling.mode", "fail")]);
    let trace = daemon.wait_task(&database.name, "FAILED", LIMIT);
    let first = "org.apache.kafka.connect.errors.ConnectException: An exception occurred in the change event producer. This \
                 connector will be stopped.";
    assert_eq!(trace.lines().next(), Some(first));
    assert!(
        trace.contains("io.debezium.DebeziumException: Failed to find row in table public.t with key id"),
        "{trace}"
    );
    assert!(!trace.contains("secret key") && !daemon.log().contains("secret key"), "{trace}");
}

#[test]
fn large_columns_of_many_changes_come_in_order() {
    let daemon = Daemon::start(Options::new("reselect_large"));
    let database = Database::create("reselect_large");
    database.run("create table t(id int primary key, n int, body text)");
    database.run("alter table t alter body set storage external");
    // Together far more than a batch or a queue holds, and of sizes that are not known before.
    database.run(
        "insert into t select i, 0, i || ' ' || repeat('x', case when i in (17, 18, 200) then 900000 else 20000 end) \
         from generate_series(1, 300) i",
    );
    stopped(&daemon, &database, &connector(&database, &[]));
    database.run("update t set n = 1; update t set n = 2 where id % 2 = 0");
    resume(&daemon, &database);
    let found: Vec<(i64, i64, usize)> = afters(&database, "t", 450)
        .iter()
        .map(|after| {
            let body = after["body"].as_str().unwrap();
            let (id, rest) = body.split_once(' ').expect("what was read again");
            assert_eq!(id, after["id"].to_string());
            (after["n"].as_i64().unwrap(), after["id"].as_i64().unwrap(), rest.len())
        })
        .collect();
    let length = |id: i64| if [17, 18, 200].contains(&id) { 900_000 } else { 20_000 };
    let first: Vec<_> = (1..=300).map(|id| (1, id, length(id))).collect();
    let mut seen: Vec<_> = found[..300].to_vec();
    seen.sort_unstable();
    assert_eq!(seen, first);
    assert!(found[300..].iter().all(|(n, id, bytes)| *n == 2 && id % 2 == 0 && *bytes == length(*id)));
    // In the order of the log: that of the second statement is the order of the rows that the first one wrote.
    let order =
        |found: &[(i64, i64, usize)]| found.iter().map(|(_, id, _)| *id).filter(|id| id % 2 == 0).collect::<Vec<_>>();
    assert_eq!(order(&found[..300]), order(&found[300..]));
}

/// What the copy reads is not read again. What the log does not carry is, before the transforms take the row out of its
/// change.
#[test]
fn rows_of_a_copy_are_not_read_again() {
    let (daemon, server) = (Daemon::start(Options::new("reselect_copy")), Server::postgres("logical"));
    let database = Database::create_at(server.address(), &rig::unique("reselect_copy"));
    let admin = Session::connect(server.address(), "postgres");
    admin.run("alter system set log_statement = 'all'");
    admin.run("select pg_reload_conf()");
    database.run("create table t(id int primary key, n int, body text, note text)");
    database.run("alter table t alter body set storage external");
    database.run("insert into t values (1, 0, repeat('b', 3000), null)");
    let unwrap = "io.debezium.transforms.ExtractNewRecordState";
    let more = [("snapshot.mode", "initial"), ("transforms", "u"), ("transforms.u.type", unwrap)];
    daemon.create(&database.name, &connector(&database, &more));
    // Only the question for columns has this function.
    let asked = || server.log().lines().filter(|line| line.contains("pg_catalog.format(")).count();
    assert_eq!(envelopes(&database, "t", 1)[0]["n"], 0);
    assert_eq!(asked(), 0, "{}", server.log());
    database.wait_streamed(true);
    database.run("update t set n = 1");
    let row = &envelopes(&database, "t", 2)[1];
    assert_eq!((&row["n"], &row["body"]), (&1.into(), &"b".repeat(3000).into()));
    assert!(asked() > 0, "{}", server.log());
}

/// A commit is in the log before others can see its rows. With a synchronous standby that lasts until the standby answers.
#[test]
fn a_row_is_read_when_it_can_be_seen() {
    let daemon = Daemon::start(Options::new("reselect_seen"));
    let server = Server::postgres("logical");
    let database = Database::create_at(server.address(), &rig::unique("reselect_seen"));
    database.run("create table t(id int primary key, n int, note text)");
    daemon.create(&database.name, &connector(&database, &[]));
    wait_until("the log is followed", LIMIT, || daemon.log().contains("following the log"));
    let admin = Session::connect(server.address(), "postgres");
    admin.run("alter system set synchronous_standby_names = 'nobody'");
    admin.run("select pg_reload_conf()");
    let waits = "select 1 from pg_stat_activity where wait_event = 'SyncRep'";
    // The setting may reach a session a moment later, so several rows are written.
    let writer = database.session();
    let writing = std::thread::spawn(move || {
        for n in 0..200 {
            writer.run(&format!("insert into t values ({n}, 1)"));
            std::thread::sleep(Duration::from_millis(5));
        }
    });
    wait_until("the commit waits for the standby", LIMIT, || !admin.rows(waits).is_empty());
    // Long enough for the change to be read, and less than what it is waited for.
    std::thread::sleep(Duration::from_millis(700));
    admin.run("alter system reset synchronous_standby_names");
    admin.run("select pg_reload_conf()");
    writing.join().unwrap();
    assert_eq!(afters(&database, "t", 200).len(), 200);
    assert!(!daemon.log().contains("Failed to find row"), "{}", daemon.log());
}

#[test]
fn a_lock_is_waited_for_and_the_server_told_meanwhile() {
    let daemon = Daemon::start(Options::new("reselect_lock"));
    // A server of its own: what is locked here would hold up the slots of others.
    let server = Server::postgres("logical");
    let database = Database::create_at(server.address(), &rig::unique("reselect_lock"));
    database.run("create table t(id int primary key, n int, body text)");
    database.run("alter table t alter body set storage external");
    database.run("insert into t values (1, 0, repeat('b', 3000))");
    // The server ends the stream if it hears nothing for three seconds.
    let config = connector(&database, &[("driver.options", "-c wal_sender_timeout=3000")]);
    stopped(&daemon, &database, &config);
    database.run("update t set n = 1");
    let holder = database.session();
    holder.run("begin; lock table t in access exclusive mode");
    resume(&daemon, &database);
    wait_until("the status says what is waited for", LIMIT, || {
        let (state, trace) = daemon.task(&database.name);
        state == "RUNNING" && trace.contains("Reading columns again")
    });
    let topic = format!("{}.public.t", database.name);
    assert_eq!(Kafka::shared().length(&topic), 0);
    assert!(database.is_streamed());
    holder.run("commit");
    assert_eq!(afters(&database, "t", 1)[0]["body"], "b".repeat(3000));
    assert!(!daemon.log().contains("terminating walsender"), "{}", daemon.log());
    wait_until("the status is good again", LIMIT, || daemon.task(&database.name).1.is_empty());

    // A connection that breaks is made anew, and the change is not lost.
    let admin = Session::connect(server.address(), "postgres");
    database.run("update t set n = 2");
    assert_eq!(afters(&database, "t", 2)[1]["body"], "b".repeat(3000));
    holder.run("begin; lock table t in access exclusive mode");
    holder.run("update t set n = 3");
    holder.run("commit; begin; lock table t in access exclusive mode");
    let asking = format!(
        "select pid from pg_stat_activity where datname = '{}' and query like '%pg_catalog.format(%' and state = 'active' \
         and wait_event_type = 'Lock'",
        database.name
    );
    wait_until("the question waits", LIMIT, || !admin.rows(&asking).is_empty());
    admin.run(&format!("select pg_terminate_backend(pid) from ({asking}) q"));
    holder.run("commit");
    let afters = afters(&database, "t", 3);
    assert_eq!((&afters[2]["n"], &afters[2]["body"]), (&3.into(), &"b".repeat(3000).into()));
}
