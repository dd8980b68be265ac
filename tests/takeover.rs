//! A connector that a Java worker ran is continued here, from the offsets that Debezium stores; and what is written to the
//! internal topics has the order and the form in which a Java worker writes it.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, wait_until};
use serde_json::{Value, json};

const PATIENCE: Duration = Duration::from_secs(30);

/// The slot is ahead of the stored position of a copy. The Java connector confirms changes of other tables without
/// storing an offset; afterimage never does.
#[test]
fn a_slot_ahead_of_a_stored_copy() {
    let daemon = Daemon::start(Options::new("ahead"));
    let database = Database::create("ahead");
    let (name, topic) = (&database.name, format!("{}.public.t", database.name));
    database.run("create table t(id int primary key); insert into t values (1); create table other(id int)");
    daemon.create(name, &database.connector(&[("table.include.list", "public.t")]));
    database.wait_streamed(true);
    let kafka = Kafka::shared();
    wait_until("the copied row", PATIENCE, || kafka.length(&topic) == 1);
    let offsets = format!("/connectors/{name}/offsets");
    let stop = || {
        assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/stop"), None).status, 204);
        database.wait_streamed(false);
    };
    let restart = || daemon.rest("PUT", &format!("/connectors/{name}/resume"), None);
    stop();
    let mut stored = daemon.rest("GET", &offsets, None).json();
    database.run("insert into other values (1)");
    database.run(
        "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) from pg_replication_slots \
         where database = current_database()",
    );
    restart();
    let trace = daemon.wait_task(name, "FAILED", PATIENCE);
    assert!(trace.contains("confirmed_flush_lsn"), "{trace}");

    // The offset that the Java connector stores after a copy, and keeps while its filter has passed no change.
    let offset = &mut stored["offsets"][0]["offset"];
    *offset = json!({"lsn": offset["lsn"], "txId": 7, "ts_usec": 1, "snapshot": "INITIAL", "snapshot_completed": true,
        "last_snapshot_record": true});
    stop();
    let answer = daemon.rest("PATCH", &offsets, Some(&stored));
    assert_eq!(answer.status, 200, "{}", answer.json());
    restart();
    daemon.wait_task(name, "RUNNING", PATIENCE);
    database.wait_streamed(true);
    database.run("insert into t values (2)");
    wait_until("the streamed row", PATIENCE, || kafka.length(&topic) == 2);
}

/// The records of a topic with one partition from an offset on: key and value as text.
fn since(kafka: &Kafka, topic: &str, from: i64) -> Vec<(String, Option<String>)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let all = kafka.consume_partition(topic, 0).into_iter().filter(|m| m.offset >= from);
    all.map(|m| (text(m.key.unwrap_or_default()), m.value.map(text))).collect()
}

/// What each call writes to the config topic, in Connect's order: two stops write both records twice, and a deletion leaves
/// the records of the tasks.
#[test]
fn the_config_topic_is_written_in_javas_order() {
    let (kafka, options) = (Kafka::shared(), Options::new("order"));
    let topic = format!("{}-configs", options.group);
    let daemon = Daemon::start(options);
    let database = Database::create("order");
    database.run("create table t(id int primary key)");
    let name = &database.name;
    let path = format!("/connectors/{name}");
    let before = kafka.length(&topic);
    let body = json!({"name": name, "config": database.connector(&[]), "initial_state": "PAUSED"});
    assert_eq!(daemon.rest("POST", "/connectors", Some(&body)).status, 201);
    assert_eq!(daemon.rest("PUT", &format!("{path}/resume"), None).status, 202);
    daemon.wait_task(name, "RUNNING", PATIENCE);
    for _ in 0..2 {
        assert_eq!(daemon.rest("PUT", &format!("{path}/stop"), None).status, 204);
    }
    assert_eq!(daemon.rest("DELETE", &path, None).status, 204);
    let written: Vec<String> = since(&kafka, &topic, before)
        .into_iter()
        .map(|(key, value)| {
            let key = key.replace(name.as_str(), "C");
            // Configurations are compared elsewhere.
            let value =
                value.map_or("null".to_owned(), |value| if value.len() > 60 { "{…}".to_owned() } else { value });
            format!("{key} {value}")
        })
        .collect();
    let stop = ["commit-C {\"tasks\":0}", "target-state-C {\"state\":\"PAUSED\",\"state.v2\":\"STOPPED\"}"];
    let first = [
        "target-state-C {\"state\":\"PAUSED\",\"state.v2\":\"PAUSED\"}",
        "connector-C {…}",
        "target-state-C {\"state\":\"STARTED\",\"state.v2\":\"STARTED\"}",
        "task-C-0 {…}",
        "commit-C {\"tasks\":1}",
    ];
    assert_eq!(written, [&first[..], &stop, &stop, &["connector-C null", "target-state-C null"]].concat());
}

/// At a stop the connector and its task become UNASSIGNED; after a kill the records say RUNNING.
#[test]
fn a_stop_is_told_and_a_kill_is_not() {
    let (kafka, options) = (Kafka::shared(), Options::new("told"));
    let topic = format!("{}-status", options.group);
    let mut daemon = Daemon::start(options);
    let database = Database::create("told");
    database.run("create table t(id int primary key)");
    daemon.create(&database.name, &database.connector(&[]));
    daemon.wait_task(&database.name, "RUNNING", PATIENCE);
    let states = |from: i64| -> Vec<String> {
        let shown = |(key, value): (String, Option<String>)| {
            let value: Value = serde_json::from_str(&value.unwrap_or_default()).unwrap_or_default();
            let fields: Vec<&str> = value.as_object().unwrap().keys().map(String::as_str).collect();
            assert_eq!(fields, ["state", "trace", "worker_id", "generation", "version"]);
            format!("{} {}", key.replace(&database.name, "C"), value["state"].as_str().unwrap())
        };
        let of_states = since(&kafka, &topic, from).into_iter().filter(|(key, _)| !key.starts_with("status-topic-"));
        of_states.map(shown).collect()
    };
    let both = |state: &str| [format!("status-connector-C {state}"), format!("status-task-C-0 {state}")];
    assert_eq!(states(0), both("RUNNING"));
    let before = kafka.length(&topic);
    assert_eq!(daemon.terminate(Duration::from_secs(20)), Some(0));
    assert_eq!(states(before), both("UNASSIGNED"));
    daemon.spawn();
    daemon.wait_task(&database.name, "RUNNING", PATIENCE);
    let before = kafka.length(&topic);
    daemon.kill();
    assert_eq!(states(before), [""; 0]);
}

/// Its offsets outlive a connector: one that is created again under the same name goes on where it was. DELETE writes a
/// tombstone for each offset.
#[test]
fn a_connector_that_is_created_again_goes_on() {
    let (kafka, options) = (Kafka::shared(), Options::new("again"));
    let offsets = format!("{}-offsets", options.group);
    let daemon = Daemon::start(options);
    let database = Database::create("again");
    database.run("create table t(id int primary key); insert into t values (1)");
    let (name, topic) = (&database.name, format!("{}.public.t", database.name));
    let path = format!("/connectors/{name}");
    daemon.create(name, &database.connector(&[]));
    database.wait_streamed(true);
    database.run("insert into t values (2)");
    wait_until("both rows", PATIENCE, || kafka.length(&topic) == 2);
    assert_eq!(daemon.rest("DELETE", &path, None).status, 204);
    database.wait_streamed(false);
    database.run("insert into t values (3)");
    daemon.create(name, &database.connector(&[]));
    wait_until("the row that it had missed", PATIENCE, || kafka.length(&topic) >= 3);
    assert_eq!(kafka.length(&topic), 3, "it was copied again");
    assert_eq!(daemon.rest("PUT", &format!("{path}/stop"), None).status, 204);
    assert_eq!(daemon.rest("DELETE", &format!("{path}/offsets"), None).status, 200);
    let last = since(&kafka, &offsets, 0).pop().unwrap();
    assert_eq!(last, (format!("[\"{name}\",{{\"server\":\"{name}\"}}]"), None));
}

/// Records that nobody expects: garbage, unknown keys, tasks without a commit, a commit of a connector that is gone, and what
/// was asked for in the past. They are passed over, and the connectors beside them start.
#[test]
fn surprises_in_the_config_topic_are_passed_over() {
    let (kafka, options) = (Kafka::shared(), Options::new("surprise"));
    let configs = format!("{}-configs", options.group);
    // The first start makes the internal topics.
    let mut daemon = Daemon::start(options);
    daemon.kill();
    let database = Database::create("surprise");
    database.run("create table t(id int primary key)");
    let name = &database.name;
    let mut config = database.connector(&[]);
    config.insert("name".to_owned(), name.as_str().into());
    let mut task = config.clone();
    task.insert("task.class".to_owned(), "io.debezium.connector.postgresql.PostgresConnectorTask".into());
    let stale = json!({"properties": {"task.class": "x"}}).to_string();
    for (key, value) in [
        (None, Some("no key".to_owned())),
        (Some("who-knows".to_owned()), Some("{}".to_owned())),
        (Some("connector-broken".to_owned()), Some("{\"properties\":".to_owned())),
        (Some("connector-odd".to_owned()), Some("[1]".to_owned())),
        (Some("task-gone-0".to_owned()), Some(stale.clone())),
        (Some("commit-gone".to_owned()), Some("{\"tasks\":1}".to_owned())),
        (Some("connector-gone".to_owned()), None),
        (Some(format!("target-state-{name}")), Some("{\"state\":\"PAUSED\",\"state.v2\":\"ODD\"}".to_owned())),
        (Some(format!("connector-{name}")), Some(json!({"properties": config}).to_string())),
        (Some(format!("task-{name}-7")), Some(stale)),
        (Some(format!("task-{name}-0")), Some(json!({"properties": task}).to_string())),
        (Some(format!("commit-{name}")), Some("{\"tasks\":1}".to_owned())),
        (Some(format!("restart-connector-{name}")), Some("{\"include-tasks\":true,\"only-failed\":false}".to_owned())),
        (Some("logger-cluster-afterimage".to_owned()), Some("{\"level\":\"TRACE\"}".to_owned())),
    ] {
        kafka.produce(&configs, key.as_deref(), value.as_deref());
    }
    let before = kafka.length(&configs);
    daemon.spawn();
    daemon.wait_task(name, "RUNNING", PATIENCE);
    database.wait_streamed(true);
    assert_eq!(daemon.rest("GET", "/connectors", None).json(), json!([name]));
    assert!(daemon.log().contains("Discarding config update record with invalid key: who-knows"), "{}", daemon.log());
    assert!(!daemon.log().contains("TRACE"), "a level of the past was set");
    let status = daemon.rest("GET", &format!("/connectors/{name}/status"), None).json();
    assert_eq!(status["tasks"].as_array().unwrap().len(), 1, "{status}");
    // The tasks are as they would be made here, so nothing is written.
    assert_eq!(kafka.length(&configs), before);
}
