//! Mistakes of a user and faults of a server. Each must give a task a trace that says what is wrong and what to do,
//! while all other connectors go on.
//!
//! The first line of a trace has Java's form, `class: message`. The reason and the remedy come after it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod mistakes;
#[path = "../rig/mod.rs"]
mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, wait_until, within};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(40);

/// Checks that a person can act on a trace: Java's first line, a remedy after it, and no secret in it.
#[track_caller]
fn check_trace(trace: &str, names: &[&str]) {
    let mut lines = trace.lines();
    let first = lines.next().unwrap_or_default();
    let (class, message) = first.split_once(": ").unwrap_or_else(|| panic!("no class in {first:?} of\n{trace}"));
    assert!(class.contains('.') && !class.contains(' '), "{class:?} is no class, in\n{trace}");
    assert!(!message.trim().is_empty(), "{trace}");
    assert!(lines.any(|line| line.trim().len() > 15), "no remedy after the first line:\n{trace}");
    for name in names {
        assert!(trace.contains(name), "{name:?} is not in\n{trace}");
    }
    assert!(!trace.contains("s3cret-word"), "a secret in the trace");
}

/// Waits for a task that keeps trying (it is RUNNING) and whose trace names what it waits for.
#[track_caller]
fn wait_trace(daemon: &Daemon, name: &str, word: &str) -> String {
    wait_until(&format!("{name} is RUNNING and its trace names {word}"), PATIENCE, || {
        let (state, trace) = daemon.task(name);
        state == "RUNNING" && trace.contains(word)
    });
    daemon.task(name).1
}

/// Waits until `count` connectors follow the log. The slot cannot tell that: it is active while it is being created
/// too.
#[track_caller]
fn wait_following(daemon: &Daemon, count: usize) {
    wait_until("the log is followed", PATIENCE, || daemon.log().matches("following the log").count() == count);
}

/// Creates a role with a password, which may replicate and read.
fn role(database: &Database) {
    database.run(&format!(
        "drop role if exists r_{0}; create role r_{0} login replication password 'right';
         grant usage on schema public to r_{0}; grant select on all tables in schema public to r_{0}; grant create on database {0} to r_{0}",
        database.name
    ));
}

/// A dropped publication: servers before 18 end the stream, later ones only warn and skip the changes.
#[test]
fn a_publication_that_goes() {
    let daemon = Daemon::start(Options::new("gone"));
    let database = Database::create("gone");
    database.run("create table t(id int primary key)");
    daemon.create(&database.name, &database.connector(&[]));
    database.wait_streamed(true);
    database.run(&format!("drop publication {}", database.name));
    database.run("insert into t values (1)");
    check_trace(
        &daemon.wait_task(&database.name, "FAILED", PATIENCE),
        &[&format!("publication \"{}\" does not exist", database.name), "CREATE PUBLICATION"],
    );
}

#[test]
fn a_taken_slot() {
    let daemon = Daemon::start(Options::new("taken"));
    let database = Database::create("taken");
    database.run("create table t(id int primary key)");
    daemon.create(&database.name, &database.connector(&[]));
    wait_following(&daemon, 1);
    let second = database.connector(&[("topic.prefix", &format!("{}_second", database.name))]);
    daemon.create("second", &second);
    let owner = format!("which is connector \"{}\" of this worker", database.name);
    assert!(daemon.log().contains(&owner), "the POST was taken without a word in the log");
    let trace = wait_trace(&daemon, "second", &owner);
    check_trace(&trace, &["in use by process"]);
    assert!(trace.contains("application \"Debezium Streaming\"") && trace.contains("user \"postgres\""), "{trace}");
    assert!(daemon.log().contains(trace.rsplit("Reason: ").next().unwrap_or_default()), "the log does not say it");
    assert_eq!(daemon.task(&database.name), ("RUNNING".to_owned(), String::new()));
    // The configuration of a running connector is valid, although its slot is in use.
    let mut own = database.connector(&[]);
    own.insert("name".to_owned(), json!(database.name));
    let path = format!("/connector-plugins/{}/config/validate", own["connector.class"].as_str().unwrap_or_default());
    let answer = daemon.rest("PUT", &path, Some(&Value::Object(own)));
    assert_eq!((answer.status, answer.json()["error_count"].as_i64()), (200, Some(0)), "{}", answer.text);
    // The owner of the slot is deleted after it has confirmed a change. The second connector never had that change, so
    // it must not simply go on from the slot.
    let kafka = Kafka::shared();
    database.run("insert into t values (1)");
    assert!(
        within(PATIENCE, || kafka.length(&format!("{}.public.t", database.name)) == 1),
        "the owner does not stream"
    );
    daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
    check_trace(&daemon.wait_task("second", "FAILED", PATIENCE), &["changes between are gone"]);
    // The remedy that the trace names.
    daemon.rest("PUT", "/connectors/second/stop", None);
    wait_until("it is stopped", PATIENCE, || daemon.rest("DELETE", "/connectors/second/offsets", None).status == 200);
    daemon.rest("PUT", "/connectors/second/resume", None);
    daemon.wait_task("second", "RUNNING", PATIENCE);
    assert!(
        within(PATIENCE, || kafka.length(&format!("{}_second.public.t", database.name)) == 1),
        "the second connector does not copy"
    );
}

/// As above, but the slot is free again before the second connector, which has copied meanwhile, begins to stream. The server
/// would begin where the slot stands without a word.
#[test]
fn a_slot_that_is_advanced_during_a_copy() {
    let daemon = Daemon::start(Options::new("advanced"));
    let database = Database::create("advanced");
    database.run("create table t(id int primary key)");
    daemon.create(&database.name, &database.connector(&[]));
    wait_following(&daemon, 1);
    let prefix = format!("{}_second", database.name);
    daemon.create("second", &database.connector(&[("topic.prefix", &prefix), ("streaming.delay.ms", "6000")]));
    wait_until("the second has copied", PATIENCE, || daemon.log().matches("snapshot done").count() == 2);
    let confirmed = "select confirmed_flush_lsn from pg_replication_slots where database = current_database()";
    let before = database.cell(confirmed);
    database.run("insert into t values (1)");
    wait_until("the owner confirms", PATIENCE, || database.cell(confirmed) != before);
    daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
    check_trace(&daemon.wait_task("second", "FAILED", PATIENCE), &["changes between are gone"]);
    assert!(daemon.log().contains("was advanced by another process"), "it was free before the second looked again");
}

/// With errors.tolerance=all a record that is too large is left out, as in Connect, and always with a log line.
#[test]
fn a_record_that_is_too_large() {
    let daemon = Daemon::start(Options::new("large"));
    let database = Database::create("large");
    database.run("create table t(id int primary key, v text)");
    let (tolerant, strict) = (format!("{}_all", database.name), format!("{}_none", database.name));
    for (name, tolerance) in [(&tolerant, "all"), (&strict, "none")] {
        let config = database.connector(&[
            ("topic.prefix", name),
            ("slot.name", name),
            ("errors.tolerance", tolerance),
            ("producer.override.max.request.size", "20000"),
            ("snapshot.mode", "no_data"),
        ]);
        daemon.create(name, &config);
        daemon.wait_task(name, "RUNNING", PATIENCE);
    }
    wait_following(&daemon, 2);
    database.run("insert into t values (1, 'a')");
    database.run("insert into t select 2, string_agg(md5(i::text), 's3cret-word') from generate_series(1, 3000) i");
    let behind: i64 = database.cell("select (pg_current_wal_insert_lsn() - '0/0')::bigint").parse().unwrap();
    database.run("insert into t values (3, 'c')");
    let kafka = Kafka::shared();
    wait_until("the rows beside it come", PATIENCE, || kafka.length(&format!("{tolerant}.public.t")) == 2);
    assert_eq!(daemon.task(&tolerant), ("RUNNING".to_owned(), String::new()));
    let log = daemon.log();
    let line = log.lines().find(|line| line.contains("left out")).unwrap_or_else(|| panic!("it is lost in silence"));
    for word in
        ["RecordTooLargeException", &format!("{tolerant}.public.t"), "table=public.t", "\"lsn\":", "\"tx_lsn\":"]
    {
        assert!(line.contains(word), "{word} is not named in {line}");
    }
    assert!(!log.contains("s3cret-word"), "a cell in the log");
    // A record that was left out counts as done: it is not sent again.
    wait_until("the offset is behind it", PATIENCE, || {
        let answer = daemon.rest("GET", &format!("/connectors/{tolerant}/offsets"), None).json();
        answer["offsets"][0]["offset"]["lsn"].as_i64() >= Some(behind)
    });
    check_trace(&daemon.wait_task(&strict, "FAILED", PATIENCE), &["max.request.size"]);
    assert_eq!(kafka.length(&format!("{strict}.public.t")), 1);
}

/// A record that only the broker refuses: one without a key, on a compacted topic.
#[test]
fn a_record_that_the_broker_refuses() {
    let daemon = Daemon::start(Options::new("refused"));
    let database = Database::create("refused");
    database.run("create table keyed(id int primary key); create table keyless(v int)");
    let config = database.connector(&[
        ("errors.tolerance", "all"),
        ("topic.creation.default.replication.factor", "1"),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.cleanup.policy", "compact"),
        ("snapshot.mode", "no_data"),
    ]);
    daemon.create(&database.name, &config);
    wait_following(&daemon, 1);
    database.run("insert into keyed values (1); insert into keyless values (2); insert into keyed values (3)");
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.keyed", database.name));
    wait_until("the others come", PATIENCE, || kafka.length(&topic) == 2);
    wait_until("it is told", PATIENCE, || daemon.log().contains("left out"));
    let log = daemon.log();
    let line = log.lines().find(|line| line.contains("left out")).unwrap_or_default();
    for word in
        ["InvalidRecordException", &format!("{}.public.keyless", database.name), "table=public.keyless", "\"tx_row\":2"]
    {
        assert!(line.contains(word), "{word} is not named in {line}");
    }
    assert_eq!(daemon.task(&database.name), ("RUNNING".to_owned(), String::new()));
}

#[test]
fn a_missing_grant() {
    let daemon = Daemon::start(Options::new("grant"));
    let database = Database::create("grant");
    database.run("create table t(id int primary key); insert into t values (1); create publication p for table t");
    role(&database);
    database.run(&format!("revoke all on t from r_{}", database.name));
    let user = format!("r_{}", database.name);
    let config = database.connector(&[
        ("database.user", user.as_str()),
        ("database.password", "right"),
        ("publication.name", "p"),
        ("publication.autocreate.mode", "disabled"),
    ]);
    daemon.create(&database.name, &config);
    let trace = daemon.wait_task(&database.name, "FAILED", PATIENCE);
    check_trace(&trace, &["ERROR: permission denied for table t", "Grant what is missing"]);
    // The remedy that the trace names, and a restart, are enough.
    database.run(&format!("grant select on t to r_{}", database.name));
    daemon.rest("POST", &format!("/connectors/{}/restart?includeTasks=true", database.name), None);
    daemon.wait_task(&database.name, "RUNNING", PATIENCE);
    let kafka = Kafka::shared();
    assert!(within(PATIENCE, || kafka.length(&format!("{}.public.t", database.name)) == 1), "the row did not come");
    daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
    database.wait_streamed(false);
    database.run(&format!("drop owned by r_{0}; drop role r_{0}", database.name));
}

/// Several connectors that share one publication start at the same moment: each finds no publication, and each creates
/// it.
#[test]
fn connectors_that_share_a_publication_start_together() {
    const CONNECTORS: usize = 5;
    let daemon = Daemon::start(Options::new("shared"));
    let database = Database::create("shared");
    database.run("create table t(id int primary key)");
    let names: Vec<String> = (0..CONNECTORS).map(|i| format!("{}_{i}", database.name)).collect();
    std::thread::scope(|scope| {
        for name in &names {
            let (daemon, config) = (&daemon, database.connector(&[("topic.prefix", name), ("slot.name", name)]));
            scope.spawn(move || daemon.create(name, &config));
        }
    });
    wait_following(&daemon, CONNECTORS);
    database.run("insert into t values (1)");
    let kafka = Kafka::shared();
    for name in &names {
        let topic = format!("{name}.public.t");
        assert!(within(PATIENCE, || kafka.length(&topic) == 1), "{name} does not stream");
        assert_eq!(daemon.task(name), ("RUNNING".to_owned(), String::new()));
    }
}

/// A statement's value that its column cannot hold fails the task, unless the connector's configuration says what to
/// send instead.
#[test]
fn a_value_that_does_not_fit_is_null_where_that_is_asked_for() {
    let daemon = Daemon::start(Options::new("override"));
    let database = Database::create("override");
    database.run("create table t(id int primary key, v int, w smallint); insert into t values (1, 1, 1)");
    let statement = "select id, 'x'::text as v, 70000 as w from t";
    let config = database.connector(&[
        ("snapshot.select.statement.overrides", "public.t"),
        ("snapshot.select.statement.overrides.public.t", statement),
        ("event.converting.failure.handling.mode", "warn"),
    ]);
    daemon.create(&database.name, &config);
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the row comes", PATIENCE, || kafka.length(&topic) == 1);
    let value: Value = serde_json::from_slice(kafka.consume(&topic)[0].value.as_ref().unwrap()).unwrap();
    let row = value.get("payload").unwrap_or(&value)["after"].clone();
    assert_eq!(row, json!({"id": 1, "v": null, "w": null}));
}

#[test]
fn a_server_that_writes_no_logical_log() {
    let server = Server::postgres("replica");
    let daemon = Daemon::start(Options::new("wal_level"));
    let database = Database::create_at(server.address(), "wal_level");
    database.run("create table t(id int primary key)");
    daemon.create("w", &database.connector(&[]));
    let trace = daemon.wait_task("w", "FAILED", PATIENCE);
    let begin =
        "io.debezium.DebeziumException: Postgres server wal_level property must be 'logical' but is: 'replica'\n";
    assert!(trace.starts_with(begin) && trace.contains("ALTER SYSTEM SET wal_level = 'logical'"), "{trace}");
}

#[test]
fn no_free_slot() {
    let server = Server::postgres("logical");
    let daemon = Daemon::start(Options::new("slots"));
    let database = Database::create_at(server.address(), "slots");
    database.run("create table t(id int primary key)");
    database.run("select pg_create_physical_replication_slot('s' || i) from generate_series(1, (select setting::int from pg_settings where name = 'max_replication_slots')) i");
    daemon.create("s", &database.connector(&[]));
    let names = ["all replication slots are in use", "Raise max_replication_slots, or drop a slot that nobody reads"];
    check_trace(&daemon.wait_task("s", "FAILED", PATIENCE), &names);
}

#[test]
fn a_broker_that_is_away() {
    let mut broker = Server::kafka();
    let daemon = Daemon::start(Options { broker: broker.address().to_owned(), ..Options::new("away") });
    let database = Database::create("away");
    database.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(&database.name, &database.connector(&[]));
    daemon.wait_task(&database.name, "RUNNING", PATIENCE);
    let (kafka, topic) = (Kafka::at(broker.address()), format!("{}.public.t", database.name));
    assert!(within(PATIENCE, || kafka.length(&topic) == 1));
    broker.stop(true);
    database.run("insert into t select generate_series(2, 500)");
    let trace = wait_trace(&daemon, &database.name, "TimeoutException");
    check_trace(&trace, &["bootstrap.servers"]);
    broker.start_again();
    assert!(within(Duration::from_secs(60), || kafka.length(&topic) >= 500), "rows were lost with the broker away");
    let id = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"]["id"].as_i64().unwrap();
    let mut seen: Vec<i64> = kafka.consume(&topic).iter().map(|m| id(m.key.as_ref().unwrap())).collect();
    seen.dedup();
    let mut distinct = seen.clone();
    distinct.sort_unstable();
    distinct.dedup();
    assert_eq!(distinct, (1..=500).collect::<Vec<_>>());
    wait_until("the complaint is gone", PATIENCE, || {
        daemon.task(&database.name) == ("RUNNING".to_owned(), String::new())
    });
}

#[test]
fn a_broker_that_is_away_at_creation() {
    let daemon = Daemon::start(Options::new("away_first"));
    let database = Database::create("away_first");
    database.run("create table t(id int primary key); insert into t values (1)");
    let nobody = format!("127.0.0.1:{}", rig::free_port());
    let left = database.connector(&[
        ("producer.override.bootstrap.servers", nobody.as_str()),
        ("slot.name", "away_left"),
        ("publication.name", "away_left"),
    ]);
    let made = database.connector(&[
        ("producer.override.bootstrap.servers", nobody.as_str()),
        ("admin.override.bootstrap.servers", nobody.as_str()),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
    ]);
    daemon.create("left", &left);
    daemon.create("made", &made);
    for name in ["left", "made"] {
        check_trace(&wait_trace(&daemon, name, "TimeoutException"), &["bootstrap.servers"]);
    }
    // Nothing was delivered, so nothing may be confirmed: once the broker is right, the row arrives.
    for name in ["left", "made"] {
        let path = format!("/connectors/{name}/config");
        let mut right = if name == "left" { left.clone() } else { made.clone() };
        right.insert("topic.prefix".to_owned(), Value::from(format!("{}_{name}", database.name)));
        right.retain(|key, _| !key.contains("override"));
        let answer = daemon.rest("PUT", &path, Some(&Value::Object(right)));
        assert_eq!(answer.status, 200, "{}", answer.text);
    }
    let kafka = Kafka::shared();
    for name in ["left", "made"] {
        let topic = format!("{}_{name}.public.t", database.name);
        assert!(within(PATIENCE, || kafka.length(&topic) == 1), "the row did not come to {topic}");
    }
}

#[test]
fn an_old_configuration_is_told_what_replaced_it() {
    let daemon = Daemon::start(Options::new("old"));
    let old = json!({"name": "inventory", "config": {
        "connector.class": "io.debezium.connector.postgresql.PostgresConnector", "database.hostname": "postgres",
        "database.port": "5432", "database.user": "debezium", "database.password": "dbz", "database.dbname": "inventory",
        "database.server.name": "dbserver1", "table.whitelist": "public.users,public.orders", "plugin.name": "pgoutput",
        "slot.name": "debezium_slot", "publication.name": "dbz_publication", "include.schema.changes": "true",
        "snapshot.mode": "initial", "transforms": "unwrap",
        "transforms.unwrap.type": "io.debezium.transforms.ExtractNewRecordState",
        "transforms.unwrap.drop.tombstones": "false", "errors.tolerance": "all", "errors.log.enable": "true"}});
    let answer = daemon.rest("POST", "/connectors", Some(&old));
    assert_eq!(answer.status, 400, "{}", answer.text);
    let message = answer.json()["message"].as_str().unwrap_or_default().to_owned();
    let opening = "Connector configuration is invalid and contains the following ";
    assert!(message.starts_with(opening), "{message}");
    for name in [
        "topic.prefix",
        "database.server.name",
        "table.whitelist",
        "table.include.list",
        "drop.tombstones",
        "delete.tombstone.handling.mode",
    ] {
        assert!(message.contains(name), "{name} is not named in\n{message}");
    }
    assert_eq!(daemon.rest("GET", "/connectors", None).text.trim(), "[]");
}
