//! What `errors.*` and `topic.creation.*` do: which lines the log has of a record that is left out, how topics are made, and what
//! happens when one cannot be made.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, wait_until};
use serde_json::{Value, json};

const SOON: Duration = Duration::from_secs(40);

/// Fails for the row with id 2.
const FAILS: &[(&str, &str)] = &[
    ("transforms", "f"),
    ("transforms.f.type", "io.debezium.transforms.Filter"),
    ("transforms.f.language", "jsr223.groovy"),
    ("transforms.f.condition", "value.after.id == 2 ? 'no' : true"),
    ("errors.tolerance", "all"),
];

fn count(daemon: &Daemon, connector: &str, name: &str) -> f64 {
    let metrics = daemon.rest("GET", "/metrics", None).text;
    let begin = format!("kafka_connect_task_error_metrics_{name}{{connector=\"{connector}\"");
    let line = metrics.lines().find(|line| line.starts_with(&begin)).unwrap_or_else(|| panic!("{begin} in {metrics}"));
    line.rsplit(' ').next().unwrap().parse().unwrap()
}

#[test]
fn a_record_that_is_left_out_is_logged_as_asked() {
    let daemon = Daemon::start(Options::new("logged"));
    let kafka = Kafka::shared();
    for (label, keys, is_logged, is_shown) in [
        ("quiet", &[][..], false, false),
        ("told", &[("errors.log.enable", "true")], true, false),
        ("shown", &[("errors.log.enable", "true"), ("errors.log.include.messages", "true")], true, true),
        // The record is shown only in a line that is asked for.
        ("alone", &[("errors.log.include.messages", "true")], false, false),
    ] {
        let database = Database::create(label);
        let name = &database.name;
        database.run("create table t(id int primary key, v text)");
        daemon.create(name, &database.connector(&[FAILS, keys].concat()));
        database.wait_streamed(true);
        database.run(&format!("insert into t values (1, 'a'), (2, 'cell-of-{label}'), (3, 'c')"));
        let topic = format!("{name}.public.t");
        wait_until("the others come", SOON, || kafka.length(&topic) == 2);
        let log = daemon.log();
        let line = "Executing stage 'TRANSFORMATION' with class 'io.debezium.transforms.Filter'";
        let found = log.lines().find(|text| text.contains(&format!("Error encountered in task {name}-0. {line}")));
        assert_eq!(found.is_some(), is_logged, "{label}");
        if let Some(found) = found {
            let shows = "', where source record is = SourceRecord{sourcePartition={server=";
            assert_eq!(found.contains(shows), is_shown, "{found}");
            assert!(found.contains("Error while evaluating expression") && found.contains("left out"), "{found}");
            assert!(found.contains("public.t") && found.contains("tx_row"), "{found}");
        }
        assert_eq!(log.contains(&format!("cell-of-{label}")), is_shown, "{label}");
        // Shown as text, because numbers of this kind are compared with a margin only.
        let counted = |name: &str| count(&daemon, &database.name, name).to_string();
        assert_eq!(
            [
                "total_record_failures",
                "total_record_errors",
                "total_records_skipped",
                "total_errors_logged",
                "total_retries"
            ]
            .map(counted),
            ["1", "1", "1", if is_logged { "1" } else { "0" }, "0"],
            "{label}"
        );
        assert_eq!(daemon.task(name), ("RUNNING".to_owned(), String::new()));
    }
}

/// What came before the record that fails is delivered and stored; a restart fails at the same record.
#[test]
fn without_tolerance_the_first_failure_ends_the_task() {
    let daemon = Daemon::start(Options::new("first"));
    let (kafka, database) = (Kafka::shared(), Database::create("first"));
    let name = &database.name;
    database.run("create table t(id int primary key, v text)");
    daemon.create(name, &database.connector(&FAILS[..4]));
    database.wait_streamed(true);
    database.run("insert into t values (1, 'a')");
    database.run("insert into t values (2, 'b')");
    database.run("insert into t values (3, 'c')");
    let topic = format!("{name}.public.t");
    for _ in 0..2 {
        let trace = daemon.wait_task(name, "FAILED", SOON);
        let begin = "org.apache.kafka.connect.errors.ConnectException: Tolerance exceeded in error handler\nCaused by: \
                     io.debezium.DebeziumException";
        assert!(trace.starts_with(begin) && !trace.contains("'b'"), "{trace}");
        assert_eq!(kafka.length(&topic), 1);
        daemon.rest("POST", &format!("/connectors/{name}/restart?includeTasks=true"), None);
        wait_until("it has begun again", SOON, || daemon.log().matches("the task failed and stays so").count() >= 2);
    }
}

#[test]
fn topics_are_made_as_their_groups_say() {
    let daemon = Daemon::start(Options::new("groups"));
    let (kafka, database) = (Kafka::shared(), Database::create("groups"));
    let name = &database.name;
    database.run(
        "create table a1(id int primary key); create table a2(id int primary key); create table b(id int primary key)",
    );
    let include = format!(".*\\.a\\d,{name}\\.public\\.nothing");
    daemon.create(
        name,
        &database.connector(&[
            ("topic.creation.groups", "as"),
            ("topic.creation.default.replication.factor", "1"),
            ("topic.creation.default.partitions", "2"),
            // As in Connect this says nothing: every topic that no group has belongs to the default.
            ("topic.creation.default.include", "nothing"),
            ("topic.creation.as.include", &include),
            ("topic.creation.as.exclude", ".*2"),
            ("topic.creation.as.partitions", "3"),
        ]),
    );
    database.wait_streamed(true);
    database.run("insert into a1 values (1); insert into a2 values (1); insert into b values (1)");
    let partitions = |table: &str| {
        let topic = format!("{name}.public.{table}");
        kafka.topics().into_iter().find(|(known, _)| *known == topic).map_or(0, |(_, count)| count)
    };
    wait_until("all topics", SOON, || {
        ["a1", "a2", "b"].iter().all(|table| kafka.length(&format!("{name}.public.{table}")) == 1)
    });
    assert_eq!(["a1", "a2", "b"].map(partitions), [3, 2, 2]);
    // Each is told soon after its first record was acknowledged.
    let all = ["a1", "a2", "b"].map(|table| format!("{name}.public.{table}"));
    wait_until("the topics are told", SOON, || {
        daemon.rest("GET", &format!("/connectors/{name}/topics"), None).json()[name]["topics"] == json!(all)
    });
}

/// One broker cannot have three replicas.
#[test]
fn a_topic_that_cannot_be_made_is_named_and_comes_when_it_can() {
    let daemon = Daemon::start(Options::new("unmade"));
    let (kafka, database) = (Kafka::shared(), Database::create("unmade"));
    let name = &database.name;
    database.run("create table t(id int primary key); insert into t values (1)");
    let mut config = database.connector(&[
        ("topic.creation.default.replication.factor", "3"),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.cleanup.policy", "compact"),
    ]);
    daemon.create(name, &config);
    let trace = daemon.wait_task(name, "FAILED", SOON);
    let wanted = format!(
        "Task failed to create new topic (name={name}.public.t, numPartitions=1, replicationFactor=3, \
         replicasAssignments=null, configs={{cleanup.policy=compact}}). Ensure that the task is authorized to create topics or \
         that the topic exists and restart the task"
    );
    assert!(trace.contains(&wanted), "{trace}");
    config.insert("topic.creation.default.replication.factor".to_owned(), json!("1"));
    assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/config"), Some(&Value::Object(config))).status, 200);
    wait_until("the row", SOON, || kafka.length(&format!("{name}.public.t")) == 1);
}

/// The default's partitions and replication factor are required once there is any `topic.creation.` key. As in Connect the
/// configuration is taken, and the task fails.
#[test]
fn a_default_without_replicas_fails_the_task() {
    let daemon = Daemon::start(Options::new("half"));
    let database = Database::create("half");
    database.run("create table t(id int primary key)");
    let name = &database.name;
    daemon.create(name, &database.connector(&[("topic.creation.default.partitions", "1")]));
    let answer = |daemon: &Daemon| daemon.rest("GET", &format!("/connectors/{name}/status"), None).text;
    wait_until("it fails", SOON, || {
        let status = answer(&daemon);
        status.contains("FAILED") && status.contains("topic.creation.default.replication.factor")
    });
}
