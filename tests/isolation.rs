//! A connector that is stuck, panics or reads rows that are too large must not hold up any other connector.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::{Duration, Instant};

use rig::{Daemon, Database, Kafka, Options, Server, free_port, wait_until, within};
use serde_json::{Map, Value, json};

/// The default of `task.shutdown.graceful.timeout.ms`.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// What the process may take in addition to the tasks.
const MARGIN: Duration = Duration::from_secs(3);
const PATIENCE: Duration = Duration::from_secs(60);

/// A connector of this database for one table, with its own slot, publication and topics.
fn connector(database: &Database, name: &str, table: &str, more: &[(&str, &str)]) -> Map<String, Value> {
    let table = format!("public.{table}");
    let own = [("slot.name", name), ("publication.name", name), ("topic.prefix", name), ("table.include.list", &table)];
    database.connector(&[&own, more].concat())
}

#[test]
fn connectors_that_are_stuck_hold_up_nobody() {
    let mut daemon = Daemon::start(Options::new("stuck"));
    let database = Database::create("stuck");
    // Far more data than the queues of a connector hold.
    database.run(
        "create table big(id int primary key, v text);
         insert into big select n, repeat('x', 500) from generate_series(1, 40000) n;
         create table small(id int primary key, v text)",
    );
    let nobody = format!("127.0.0.1:{}", free_port());
    let stuck: Vec<String> = (0..8).map(|n| format!("{}_{n}", database.name)).collect();
    for name in &stuck {
        daemon.create(name, &connector(&database, name, "big", &[("producer.override.bootstrap.servers", &nobody)]));
    }
    // Every connector has filled the memory that it can get: its copy waits until the daemon reads on.
    let held = "select count(*) from pg_stat_activity where datname = current_database() and query like 'COPY %' \
                and wait_event = 'ClientWrite'";
    wait_until("all eight are stuck", PATIENCE * 2, || database.cell(held) == "8");

    let healthy = format!("{}_healthy", database.name);
    daemon.create(&healthy, &connector(&database, &healthy, "small", &[]));
    let (kafka, topic) = (Kafka::shared(), format!("{healthy}.public.small"));
    database.run("insert into small values (0, '')");
    wait_until("the first row comes", PATIENCE, || kafka.length(&topic) == 1);
    let tail = kafka.tail(&topic);
    for id in 1..=20 {
        let asked = Instant::now();
        database.run(&format!("insert into small values ({id}, '')"));
        assert!(tail.next_key(Duration::from_secs(5)).is_some(), "row {id} did not come");
        println!("row {id} after {:?}", asked.elapsed());
    }
    // Many batches at once need more than the connector's floor in the byte budget, and must pass one after the other.
    database.run("insert into small select n, repeat('x', 500) from generate_series(21, 10000) n");
    let mut came = 0;
    let all = within(PATIENCE, || {
        came = kafka.length(&topic);
        came >= 10_001
    });
    assert!(all, "{came} of 10001 rows came");
    // A machine that stands still for seconds may lose the group, and then the transaction is sent again. Nothing else may.
    let log = daemon.log();
    assert!(came == 10_001 || log.contains("the group is lost"), "{came} of 10001 rows came:\n{log}");
    for name in &stuck {
        wait_until("it says what it waits for", PATIENCE, || {
            daemon.task(name).1.contains("no Kafka broker can be reached")
        });
        assert_eq!(daemon.task(name).0, "RUNNING", "{name}");
    }

    let asked = Instant::now();
    assert_eq!(daemon.terminate(SHUTDOWN + MARGIN), Some(0));
    println!("ended after {:?}", asked.elapsed());
}

#[test]
fn a_row_larger_than_the_budget_passes() {
    let daemon = Daemon::start(Options::new("huge"));
    let database = Database::create("huge");
    database.run(
        "create table t(id int primary key, v text); alter table t alter v set storage external;
         insert into t values (1, repeat('x', 20000000)), (2, 'small')",
    );
    let large = [
        ("producer.override.max.request.size", "60000000"),
        ("topic.creation.default.max.message.bytes", "60000000"),
        ("topic.creation.default.partitions", "1"),
        ("topic.creation.default.replication.factor", "1"),
    ];
    daemon.create(&database.name, &connector(&database, &database.name, "t", &large));
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    let came = |rows: i64| wait_until(&format!("{rows} rows"), PATIENCE, || kafka.length(&topic) == rows);
    came(2);
    database.wait_streamed(true);
    database.run("insert into t select n, repeat('y', 20000000) from generate_series(3, 5) n");
    database.run("insert into t values (6, 'small')");
    came(6);
}

#[test]
fn a_stop_has_one_deadline_with_the_broker_away() {
    let broker = Server::kafka();
    let mut daemon = Daemon::start(Options { broker: broker.address().to_owned(), ..Options::new("deadline") });
    let database = Database::create("deadline");
    database.run("create table t(id int primary key); insert into t values (1)");
    let names: Vec<String> = (0..5).map(|n| format!("{}_{n}", database.name)).collect();
    for name in &names {
        daemon.create(name, &connector(&database, name, "t", &[]));
    }
    let kafka = Kafka::at(broker.address());
    for name in &names {
        wait_until("the copy is done", PATIENCE, || kafka.length(&format!("{name}.public.t")) == 1);
        daemon.wait_task(name, "RUNNING", PATIENCE);
    }
    broker.stop(true);
    database.run("insert into t select generate_series(2, 300)");
    for name in &names {
        wait_until("it waits for the broker", PATIENCE, || daemon.task(name).1.contains("no Kafka broker"));
    }
    let asked = Instant::now();
    assert_eq!(daemon.terminate(SHUTDOWN + MARGIN), Some(0));
    println!("ended after {:?}", asked.elapsed());
}

/// A text in the messages of the panics that stands for the value of a cell.
const SECRET: &str = "4111-1111-secret";

#[test]
fn a_panic_is_one_connectors_own() {
    let database = Database::create("panics");
    database.run("create table t(id int primary key); insert into t select generate_series(1, 10)");
    let name = |what: &str| format!("{}_{what}", database.name);
    let faults = [("pipeline", "1*panic"), ("connector", "1*panic"), ("plan", "1*panic"), ("validate", "panic")];
    let faults: Vec<String> =
        faults.iter().map(|(place, what)| format!("{place}-{}={what}({SECRET})", name(place))).collect();
    let environment = vec![("FAILPOINTS".to_owned(), faults.join(";"))];
    // Here somebody restarts what has failed.
    let options = Options::new("panics").with("task.restart.enabled", "false");
    let mut daemon = Daemon::start(Options { environment, ..options });
    let kafka = Kafka::shared();

    let validated = json!({"name": name("validate"), "config": connector(&database, &name("validate"), "t", &[])});
    let answer = daemon.rest("POST", "/connectors", Some(&validated));
    assert_eq!(answer.status, 500, "{}", answer.text);
    let mut told = vec![answer.text];
    for what in ["plan", "connector", "pipeline", "healthy"] {
        daemon.create(&name(what), &connector(&database, &name(what), "t", &[]));
    }
    for what in ["connector", "pipeline"] {
        told.push(daemon.wait_task(&name(what), "FAILED", PATIENCE));
    }
    let plan = format!("/connectors/{}/status", name("plan"));
    let connector = || daemon.rest("GET", &plan, None).json()["connector"].clone();
    wait_until("the connector is FAILED", PATIENCE, || connector()["state"] == "FAILED");
    told.push(connector()["trace"].as_str().unwrap().to_owned());
    for trace in &told {
        assert!(trace.contains("defect of afterimage: panic at ") && trace.contains("report"), "{trace}");
        assert!(!trace.contains(SECRET), "{trace}");
    }
    let all_came = |what: &str, rows: i64| {
        let topic = format!("{}.public.t", name(what));
        wait_until(&format!("{what}: {rows} rows"), PATIENCE, || kafka.length(&topic) >= rows);
    };
    all_came("healthy", 10);
    let log = daemon.log();
    assert!(log.contains("panic at ") && !log.contains(SECRET), "{log}");

    // Each panic was set to happen once: after a restart everything goes on, and nothing is lost.
    database.run("insert into t values (11)");
    for what in ["plan", "connector", "pipeline"] {
        let path = format!("/connectors/{}/restart?includeTasks=true", name(what));
        assert_eq!(daemon.rest("POST", &path, None).status, 202);
        all_came(what, 11);
    }
    all_came("healthy", 11);
    assert_eq!(daemon.terminate(SHUTDOWN + MARGIN), Some(0));
}
