//! Exactly once (KIP-618): transactions, what fences whom, and what becomes of a transaction whose end is not known.
//!
//! That nothing is lost or repeated when the daemon is killed is the matter of `tests/crash`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod own_offsets;
#[path = "../rig/mod.rs"]
mod rig;
mod transactions;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, Signal, unique, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(60);

fn options(label: &str) -> Options {
    Options::new(label).with("exactly.once.source.support", "enabled")
}

fn prepare(label: &str) -> Database {
    let database = Database::create(label);
    database.run("create table t(id int primary key); insert into t values (1)");
    database
}

/// The ids on the table's topic, as a consumer with `read_committed` sees them.
fn ids(kafka: &Kafka, database: &Database) -> Vec<i64> {
    let topic = format!("{}.public.t", database.name);
    if kafka.length(&topic) == 0 {
        return Vec::new();
    }
    let id = |key: &[u8]| serde_json::from_slice::<Value>(key).unwrap()["payload"]["id"].as_i64().unwrap();
    kafka.consume_committed(&topic).iter().map(|m| id(m.key.as_ref().unwrap())).collect()
}

#[track_caller]
fn wait_ids(kafka: &Kafka, database: &Database, last: i64) {
    let mut seen = Vec::new();
    let come = rig::within(PATIENCE, || {
        seen = ids(kafka, database);
        seen.last() == Some(&last)
    });
    let want: Vec<i64> = (1..=last).collect();
    assert!(come, "row {last} has not come after {PATIENCE:?}: {seen:?}");
    assert_eq!(seen, want, "each row once, in order");
}

/// The records of a topic's one partition with their offsets. Offsets that are left out belong to the ends of transactions.
fn records(kafka: &Kafka, topic: &str) -> Vec<(i64, String, Value)> {
    let text = |bytes: &Option<Vec<u8>>| String::from_utf8(bytes.clone().unwrap_or_default()).unwrap();
    let value = |bytes: &Option<Vec<u8>>| bytes.as_ref().map_or(Value::Null, |b| serde_json::from_slice(b).unwrap());
    kafka.consume_committed(topic).iter().map(|m| (m.offset, text(&m.key), value(&m.value))).collect()
}

/// A process that was stopped and goes on has the same transactional id as the one that has taken over.
#[test]
fn a_process_that_was_stopped_commits_nothing_more() {
    let (database, kafka, options) = (prepare("zombie"), Kafka::shared(), options("zombie"));
    // The stopped owner holds the slot until PostgreSQL gives up the connection, by default after a minute.
    database.run(&format!("alter database {} set wal_sender_timeout = '3s'", database.name));
    let owner = Daemon::start(options.clone());
    owner.create(&database.name, &database.connector(&[]));
    wait_ids(&kafka, &database, 1);
    database.wait_streamed(true);
    let standby = Daemon::start(Options { wait: false, ..options });
    standby.wait_standby();
    // Rows come all the time, so that the owner has a transaction open when it is stopped.
    for id in 2..200 {
        database.run(&format!("insert into t values ({id})"));
        if id == 100 {
            owner.signal(Signal::Stop);
        }
    }
    wait_ids(&kafka, &database, 199);
    owner.signal(Signal::Continue);
    wait_until("it says that the group is lost", PATIENCE, || owner.log().contains("the group is lost"));
    owner.wait_standby();
    database.run("insert into t values (200)");
    wait_ids(&kafka, &database, 200);
    standby.wait_task(&database.name, "RUNNING", PATIENCE);
}

/// The broker stands still for longer than a transaction may last: it has aborted the transaction when it goes on, and the
/// producer is fenced. The task begins anew by itself.
#[test]
fn a_transaction_that_the_broker_gave_up_is_made_again() {
    let (database, broker) = (prepare("expired"), Server::kafka());
    let kafka = Kafka::at(broker.address());
    let daemon = Daemon::start(Options { broker: broker.address().to_owned(), ..options("expired") });
    let config = database.connector(&[("producer.override.transaction.timeout.ms", "3000")]);
    daemon.create(&database.name, &config);
    wait_ids(&kafka, &database, 1);
    database.wait_streamed(true);
    for round in 0..2 {
        let first = 2 + round * 20;
        database.run(&format!("insert into t select generate_series({first}, {})", first + 9));
        broker.signal("-STOP");
        database.run(&format!("insert into t select generate_series({}, {})", first + 10, first + 19));
        std::thread::sleep(Duration::from_secs(7));
        broker.signal("-CONT");
        wait_ids(&kafka, &database, first + 19);
    }
    daemon.wait_task(&database.name, "RUNNING", PATIENCE);
}

/// The database refuses the connector's password while rows wait. The task fails in the middle of its work, restarts by itself
/// several times, and takes its transactional id over from the producer before it.
#[test]
fn a_task_that_restarts_by_itself_sends_each_row_once() {
    let (database, kafka) = (prepare("again"), Kafka::shared());
    let daemon = Daemon::start(options("again"));
    let (name, role) = (&database.name, format!("role_{}", database.name));
    database.run(&format!("create role {role} login superuser password 'right'"));
    let config = database.connector(&[
        ("database.user", role.as_str()),
        ("database.password", "right"),
        ("task.restart.backoff.ms", "300"),
        ("task.restart.backoff.max.ms", "1000"),
    ]);
    daemon.create(name, &config);
    wait_ids(&kafka, &database, 1);
    database.wait_streamed(true);
    for round in 0..3 {
        let first = 2 + round * 100;
        database.run(&format!("insert into t select generate_series({first}, {})", first + 49));
        database.run(&format!("alter role {role} password 'another'"));
        database.run(&format!("select pg_terminate_backend(pid) from pg_stat_activity where usename = '{role}'"));
        let trace = daemon.wait_task(name, "FAILED", PATIENCE);
        assert!(trace.contains("the task restarts by itself in "), "{trace}");
        database.run(&format!("insert into t select generate_series({}, {})", first + 50, first + 99));
        database.run(&format!("alter role {role} password 'right'"));
        wait_ids(&kafka, &database, first + 99);
        daemon.wait_task(name, "RUNNING", PATIENCE);
    }
}

/// The config topic as a Java leader writes it: the connector, all its task records, their commit and the fencing count are a
/// transaction each, and a target state is none.
#[test]
fn the_config_topic_is_written_in_transactions() {
    let (database, kafka, options) = (prepare("leader"), Kafka::shared(), options("leader"));
    let topic = format!("{}-configs", options.group);
    let daemon = Daemon::start(options);
    daemon.create(&database.name, &database.connector(&[]));
    wait_ids(&kafka, &database, 1);
    let name = &database.name;
    let written = |from: usize| -> Vec<(i64, String)> {
        let own = |key: &str| key.ends_with(name) || key == format!("task-{name}-0");
        let all = records(&kafka, &topic).into_iter().filter(|(_, key, _)| own(key));
        all.map(|(offset, key, _)| (offset, key.replace(name, "C"))).skip(from).collect()
    };
    let keys = |written: &[(i64, String)]| written.iter().map(|(_, key)| key.clone()).collect::<Vec<_>>();
    let first = written(0);
    assert_eq!(keys(&first), ["connector-C", "task-C-0", "commit-C", "tasks-fencing-C"]);
    for pair in first.windows(2) {
        assert_eq!(pair[1].0 - pair[0].0, 2, "the end of a transaction lies between {pair:?}");
    }
    for _ in 0..2 {
        assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/pause"), None).status, 202);
    }
    let paused = written(first.len());
    assert_eq!(keys(&paused), ["target-state-C", "target-state-C"]);
    assert_eq!(paused[1].0 - paused[0].0, 1, "a target state is in no transaction");
    assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/resume"), None).status, 202);
    daemon.wait_task(name, "RUNNING", PATIENCE);
    assert_eq!(written(first.len() + paused.len()).len(), 1, "a start with the same tasks writes no fencing count");
}

/// Offsets are stored by the producer of the data, and changed through REST by one with the same transactional id.
#[test]
fn offsets_are_changed_in_a_transaction() {
    let (database, kafka, options) = (prepare("offsets"), Kafka::shared(), options("offsets"));
    let group = options.group.clone();
    let daemon = Daemon::start(options);
    let name = &database.name;
    daemon.create(name, &database.connector(&[("snapshot.mode", "initial")]));
    wait_ids(&kafka, &database, 1);
    database.run("insert into t values (2)");
    wait_ids(&kafka, &database, 2);
    assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/stop"), None).status, 204);
    wait_until("it is stopped", PATIENCE, || !database.is_streamed());
    let path = format!("/connectors/{name}/offsets");
    let stored = daemon.rest("GET", &path, None).json();
    assert_eq!(stored["offsets"][0]["partition"], json!({"server": name}), "{stored}");
    let answer = daemon.rest("DELETE", &path, None);
    assert!(answer.status == 200 && answer.text.contains("reset successfully"), "{} {}", answer.status, answer.text);
    assert_eq!(daemon.rest("GET", &path, None).json(), json!({"offsets": []}));
    let fencing: Vec<Value> = records(&kafka, &format!("{group}-configs"))
        .into_iter()
        .filter(|(_, key, _)| *key == format!("tasks-fencing-{name}"))
        .map(|(_, _, value)| value)
        .collect();
    assert_eq!(fencing, [json!({"task-count": 1}), json!({"task-count": 0})]);
    // The tombstone is the last record of its transaction, behind which the end of the transaction lies.
    let topic = format!("{group}-offsets");
    let last = records(&kafka, &topic).pop().unwrap();
    assert_eq!((&last.2, kafka.end(&topic, 0)), (&Value::Null, last.0 + 2), "{last:?}");
    let answer = daemon.rest("PATCH", &path, Some(&stored));
    assert!(answer.status == 200 && answer.text.contains("altered successfully"), "{} {}", answer.status, answer.text);
    assert_eq!(daemon.rest("GET", &path, None).json(), stored);
    assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/resume"), None).status, 202);
    database.wait_streamed(true);
    database.run("insert into t values (3)");
    // It went on from the offset that was put back.
    wait_ids(&kafka, &database, 3);
}

/// With transactions a record that is refused is not left out, because its transaction would be refused with it.
#[test]
fn a_record_that_is_too_large_fails_the_task_also_when_errors_are_tolerated() {
    let (database, kafka) = (prepare("large"), Kafka::shared());
    database.run("alter table t add column v text");
    let daemon = Daemon::start(options("large"));
    let name = &database.name;
    let config = database.connector(&[("errors.tolerance", "all"), ("producer.override.max.request.size", "30000")]);
    daemon.create(name, &config);
    wait_ids(&kafka, &database, 1);
    database.run("insert into t values (2, repeat('x', 40000))");
    let trace = daemon.wait_task(name, "FAILED", PATIENCE);
    assert!(trace.contains("RecordTooLargeException"), "{trace}");
    assert_eq!(ids(&kafka, &database), [1]);
}

#[test]
fn who_asks_for_it_and_cannot_have_it_is_told_at_once() {
    let database = prepare("asked");
    let without = Daemon::start(Options::new("asked_without"));
    let create = |daemon: &Daemon, key: &str, value: &str| {
        let config = database.connector(&[(key, value)]);
        let name = unique("asked");
        daemon.rest("POST", "/connectors", Some(&json!({"name": name, "config": config})))
    };
    let answer = create(&without, "exactly.once.support", "required");
    let text = "This worker does not have exactly-once source support enabled.";
    assert!(answer.status == 400 && answer.text.contains(text), "{} {}", answer.status, answer.text);
    let with = Daemon::start(options("asked_with"));
    let answer = create(&with, "transaction.boundary", "connector");
    let text = "The connector does not support connector-defined transaction boundaries with the given configuration. Please \
                reconfigure it to use a different transaction boundary definition.";
    assert!(answer.status == 400 && answer.text.contains(text), "{} {}", answer.status, answer.text);
    let answer = create(&with, "exactly.once.support", "required");
    assert_eq!(answer.status, 201, "{}", answer.text);
}
