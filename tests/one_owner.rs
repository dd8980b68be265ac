//! Of all workers with the same `group.id`, afterimage or Java, only one at a time runs connectors.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::{Duration, Instant};

use rig::{Daemon, Database, Kafka, Options, Server, Signal, ask, unique, wait_until};
use serde_json::{Value, json};

/// How long a standby may take to take over after the death of the owner.
const TAKE_OVER: Duration = Duration::from_secs(15);

fn topic(database: &Database) -> String {
    format!("{}.public.t", database.name)
}

/// The ids of the rows on the topic, in order.
fn ids(kafka: &Kafka, database: &Database) -> Vec<i64> {
    let messages = kafka.consume(&topic(database));
    let id = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"]["id"].as_i64().unwrap();
    messages.iter().map(|m| id(m.key.as_ref().unwrap())).collect()
}

fn prepare(label: &str) -> Database {
    let database = Database::create(label);
    database.run("create table t(id int primary key); insert into t values (1)");
    database
}

#[track_caller]
fn wait_row(kafka: &Kafka, database: &Database, id: i64, limit: Duration) {
    wait_until(&format!("row {id} is on the topic"), limit, || {
        kafka.length(&topic(database)) > 0 && ids(kafka, database).contains(&id)
    });
}

fn health(daemon: &Daemon) -> (u16, String) {
    daemon.try_ask("GET", "/health", None).map_or((0, String::new()), |a| (a.status, a.text))
}

#[test]
fn a_standby_takes_over() {
    let database = prepare("standby");
    let kafka = Kafka::shared();
    let options = Options::new("standby");
    let mut owner = Daemon::start(options.clone());
    owner.create(&database.name, &database.connector(&[]));
    wait_row(&kafka, &database, 1, Duration::from_secs(30));
    let standby = Daemon::start(Options { wait: false, ..options });
    standby.wait_standby();
    database.run("insert into t values (2)");
    wait_row(&kafka, &database, 2, Duration::from_secs(10));
    assert_eq!(ids(&kafka, &database), [1, 2], "two ran the connector at once");
    owner.kill();
    let died = Instant::now();
    database.run("insert into t values (3)");
    wait_row(&kafka, &database, 3, TAKE_OVER);
    println!("taken over after {:?}", died.elapsed());
    wait_until("the new owner says that the task runs", Duration::from_secs(5), || {
        standby.task(&database.name).0 == "RUNNING"
    });
    assert_eq!(health(&standby).0, 200);
}

#[test]
fn an_owner_who_was_stopped_writes_nothing_stale() {
    let database = prepare("stopped");
    let kafka = Kafka::shared();
    // The stopped owner holds the slot until PostgreSQL gives up the connection, by default after a minute.
    database.run(&format!("alter database {} set wal_sender_timeout = '3s'", database.name));
    let options = Options::new("stopped");
    let group = options.group.clone();
    let owner = Daemon::start(options.clone());
    owner.create(&database.name, &database.connector(&[]));
    wait_row(&kafka, &database, 1, Duration::from_secs(30));
    let standby = Daemon::start(Options { wait: false, ..options });
    standby.wait_standby();
    owner.signal(Signal::Stop);
    // Rows that are inserted while the owner is stopped wait in its socket. It would write them when it goes on.
    for id in 2..50 {
        database.run(&format!("insert into t values ({id})"));
    }
    wait_row(&kafka, &database, 49, Duration::from_secs(60));
    database.run("insert into t values (50)");
    wait_row(&kafka, &database, 50, Duration::from_secs(30));
    // The number of statuses that the old owner wrote (they carry its address), and of records in the config topic,
    // which nobody has changed.
    let address = owner.url().trim_start_matches("http://").to_owned();
    let state = || {
        let statuses = kafka.consume(&format!("{group}-status"));
        let says = |value: &Option<Vec<u8>>| {
            let value = serde_json::from_slice::<Value>(value.as_deref().unwrap_or(b"null")).unwrap();
            value["worker_id"] == json!(address)
        };
        let own = statuses.iter().filter(|m| says(&m.value)).count();
        (own, kafka.length(&format!("{group}-configs")))
    };
    let (before, stored) = (ids(&kafka, &database), state());
    assert!(stored.0 >= 2, "the status records of {address} are not found");
    owner.signal(Signal::Continue);
    wait_until("it says that the group is lost", Duration::from_secs(30), || owner.log().contains("the group is lost"));
    // It stands by again, so whatever it wanted to write at the loss has been written or refused.
    owner.wait_standby();
    let after = ids(&kafka, &database);
    assert_eq!(after, before, "the one who had lost the group wrote after it went on");
    assert_eq!(state(), stored, "it wrote a status or a configuration");
    database.run("insert into t values (51)");
    wait_row(&kafka, &database, 51, Duration::from_secs(30));
    assert_eq!(ids(&kafka, &database), [&after[..], &[51]].concat(), "the old owner wrote, or two run the connector");
}

#[test]
fn beside_a_java_worker_nothing_starts() {
    let database = prepare("java_first");
    let group = unique("java_first");
    let worker = Server::connect(&rig::kafka_address(), &group, true);
    let members = ask("GET", &format!("http://{}/connectors", worker.address()), None, &[]).unwrap();
    assert_eq!(members.status, 200);
    let daemon = Daemon::start(Options { group, wait: false, ..Options::new("java_first") });
    wait_until("/health is 503 and names the members", Duration::from_secs(30), || {
        let (status, text) = health(&daemon);
        status == 503 && text.contains("connect-")
    });
    let (status, text) = health(&daemon);
    assert_eq!(status, 503, "{text}");
    let body = serde_json::from_str::<Value>(&text).unwrap();
    assert_ne!(body["status"], "healthy", "{text}");
    // Like any worker, a standby may show what the topics hold. It must change nothing and start nothing.
    assert_eq!(daemon.try_ask("GET", "/connectors", None).unwrap().text.trim(), "[]");
    let create = json!({"name": &database.name, "config": database.connector(&[])}).to_string();
    let answer = daemon.try_ask("POST", "/connectors", Some(&create)).unwrap();
    assert!(matches!(answer.status, 409 | 503), "{} {}", answer.status, answer.text);
    assert!(!database.is_streamed());
    // The daemon tries to join again by itself.
    worker.stop(false);
    wait_until("it owns the group", Duration::from_secs(30), || health(&daemon).0 == 200);
    daemon.create(&database.name, &database.connector(&[]));
    database.wait_streamed(true);
}

#[test]
fn a_java_worker_cannot_join_us() {
    let database = prepare("java_second");
    let kafka = Kafka::shared();
    let options = Options::new("java_second");
    let group = options.group.clone();
    let daemon = Daemon::start(options);
    daemon.create(&database.name, &database.connector(&[]));
    wait_row(&kafka, &database, 1, Duration::from_secs(30));
    let worker = Server::connect(&rig::kafka_address(), &group, false);
    // The Java worker ends once its parts have ended, for which it waits up to a minute.
    wait_until("the Java worker ends", Duration::from_secs(150), || !worker.is_alive());
    assert!(worker.log().contains("InconsistentGroupProtocol"), "it ended for another reason");
    database.run("insert into t values (2)");
    wait_row(&kafka, &database, 2, Duration::from_secs(10));
    assert_eq!(ids(&kafka, &database), [1, 2]);
    assert_eq!(health(&daemon).0, 200);
}
