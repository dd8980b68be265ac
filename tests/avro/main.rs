//! The daemon with Avro and a real schema registry: every kind of column decodes to what JSON shows; a registry that is away,
//! slow, broken or that refuses loses no row and changes no order, and the task's status says why it waits or failed.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod decode;
mod documents;
#[path = "../rig/mod.rs"]
mod rig;
mod stub;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Message, Options, Registry, Server, wait_until};
use serde_json::{Map, Value, json};

use self::stub::{Reply, Stub};

const SOON: Duration = Duration::from_secs(30);
const AVRO: &str = "io.confluent.connect.avro.AvroConverter";

/// The connector's configuration with Avro for keys and values.
fn avro(database: &Database, url: &str, more: &[(&str, &str)]) -> Map<String, Value> {
    let mut config = database.connector(more);
    for part in ["key", "value"] {
        config.insert(format!("{part}.converter"), json!(AVRO));
        config.insert(format!("{part}.converter.schema.registry.url"), json!(url));
    }
    config
}

/// The ids of the rows on the topic, in order. Each record must decode with the schema that its id names.
fn ids(kafka: &Kafka, registry: &Registry, topic: &str) -> Vec<i64> {
    let id = |message: &Message| {
        let value = decode::record(registry, message.value.as_ref()?);
        value["after"]["id"].as_i64()
    };
    kafka.consume(topic).iter().filter_map(id).collect()
}

#[test]
fn every_kind_of_column_shows_what_json_shows() {
    let (daemon, registry, kafka) = (Daemon::start(Options::new("avro_kinds")), Registry::shared(), Kafka::shared());
    let table = include_str!("kinds.sql");
    let mut shown = Vec::new();
    for is_avro in [false, true] {
        let database = Database::create(if is_avro { "kinds_avro" } else { "kinds_json" });
        database.run(table);
        let more = [("provide.transaction.metadata", "true"), ("include.unknown.datatypes", "true")];
        let config = if is_avro {
            avro(&database, &registry.confluent_url(), &more)
        } else {
            let mut config = database.connector(&more);
            for part in ["key", "value"] {
                config.insert(format!("{part}.converter.schemas.enable"), json!("false"));
                config.insert(format!("{part}.converter"), json!("org.apache.kafka.connect.json.JsonConverter"));
            }
            config
        };
        daemon.create(&database.name, &config);
        let topic = format!("{}.public.t", database.name);
        // The slot alone does not tell that the rows are read: it is in use while it is created.
        wait_until("the copy is done", SOON, || database.is_streamed() && kafka.length(&topic) == 3);
        database.run("update t set s = 'again', n = -0.001 where id = 1; delete from t where id = 2");
        wait_until("all records are there", Duration::from_secs(60), || kafka.length(&topic) == 6);
        let read = |bytes: &Vec<u8>| {
            if is_avro { decode::record(&registry, bytes) } else { serde_json::from_slice(bytes).unwrap() }
        };
        let records: Vec<(Option<Value>, Option<Value>)> = kafka
            .consume(&topic)
            .iter()
            .map(|m| (m.key.as_ref().map(read), m.value.as_ref().map(read).map(decode::without_places)))
            .collect();
        shown.push(records);
    }
    let [json, avro] = shown.try_into().unwrap();
    assert_eq!(json.len(), 6);
    for (json, avro) in json.iter().zip(&avro) {
        assert_eq!(json, avro);
    }
}

#[test]
fn a_registry_that_is_killed_and_comes_back_loses_nothing() {
    let (daemon, kafka, mut server) = (Daemon::start(Options::new("avro_away")), Kafka::shared(), Server::registry());
    let database = Database::create("avro_away");
    database.run("create table t(id int primary key); create table u(id int primary key); insert into t values (1)");
    daemon.create(&database.name, &avro(&database, &Registry::of(&server).confluent_url(), &[]));
    let (t, u) = (format!("{}.public.t", database.name), format!("{}.public.u", database.name));
    wait_until("the copy is done", SOON, || database.is_streamed() && kafka.length(&t) == 1);
    server.stop(true);
    // What is known goes on without the registry.
    database.run("insert into t select generate_series(2, 100)");
    wait_until("rows with a known schema are sent", SOON, || kafka.length(&t) == 100);
    // A new schema waits, and everything behind it.
    database.run("insert into u values (1); insert into t values (101)");
    let name = &database.name;
    wait_until("the status says why", SOON, || daemon.task(name).1.contains("registry"));
    let (state, trace) = daemon.task(name);
    assert_eq!(state, "RUNNING", "{trace}");
    assert!(trace.contains(server.address()) && trace.contains("nothing is lost"), "{trace}");
    assert_eq!((kafka.length(&t), kafka.length(&u)), (100, 0));
    server.start_again();
    wait_until("it goes on by itself", SOON, || kafka.length(&u) == 1 && kafka.length(&t) == 101);
    wait_until("the status is clear again", SOON, || daemon.task(name) == ("RUNNING".into(), String::new()));
    let registry = Registry::of(&server);
    assert_eq!(ids(&kafka, &registry, &t), (1..=101).collect::<Vec<_>>());
    assert_eq!(ids(&kafka, &registry, &u), [1]);
}

#[test]
fn an_incompatible_schema_ends_the_task_with_the_rule_and_nothing_is_lost() {
    let (daemon, kafka, registry) = (Daemon::start(Options::new("avro_rule")), Kafka::shared(), Registry::shared());
    let database = Database::create("avro_rule");
    database.run("create table t(id int primary key, v int); insert into t values (1, 1)");
    daemon.create(&database.name, &avro(&database, &registry.confluent_url(), &[]));
    let topic = format!("{}.public.t", database.name);
    wait_until("the copy is done", SOON, || database.is_streamed() && kafka.length(&topic) == 1);
    let subject = format!("{topic}-value");
    registry.require(&subject, "BACKWARD");
    database.run("insert into t values (2, 2); alter table t alter v type text; insert into t values (3, 'x')");
    let trace = daemon.wait_task(&database.name, "FAILED", SOON);
    for part in [&*subject, "Failed to serialize Avro data from topic", "Remedy:", "409"] {
        assert!(trace.contains(part), "{part} is not in {trace}");
    }
    assert_eq!(ids(&kafka, &registry, &topic), [1, 2]);
    registry.require(&subject, "NONE");
    assert!(daemon.rest("POST", &format!("/connectors/{}/tasks/0/restart", database.name), None).is_ok());
    wait_until("it goes on", SOON, || ids(&kafka, &registry, &topic).last() == Some(&3));
    let mut seen = ids(&kafka, &registry, &topic);
    seen.dedup();
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn with_tolerance_an_incompatible_schema_is_the_records_error() {
    let (daemon, kafka, registry) = (Daemon::start(Options::new("avro_skip")), Kafka::shared(), Registry::shared());
    let database = Database::create("avro_skip");
    database.run(
        "create table t(id int primary key, v int); create table u(id int primary key); insert into t values (1, 1)",
    );
    let more = [("errors.tolerance", "all"), ("errors.log.enable", "true")];
    daemon.create(&database.name, &avro(&database, &registry.confluent_url(), &more));
    let (t, u) = (format!("{}.public.t", database.name), format!("{}.public.u", database.name));
    wait_until("the copy is done", SOON, || database.is_streamed() && kafka.length(&t) == 1);
    registry.require(&format!("{t}-value"), "BACKWARD");
    database.run("alter table t alter v type text; insert into t values (2, 'x'), (3, 'y'); insert into u values (1)");
    wait_until("other tables go on", SOON, || kafka.length(&u) == 1);
    assert_eq!((ids(&kafka, &registry, &t), daemon.task(&database.name).0.as_str()), (vec![1], "RUNNING"));
    let log = daemon.log();
    assert!(
        log.contains("the record is left out: errors.tolerance=all") && log.contains(&format!("{t}-value")),
        "{log}"
    );
}

/// What changes a row's schema makes one version of it, and nothing else does, however often the connector starts.
#[test]
fn what_makes_a_version() {
    let (daemon, kafka, registry) = (Daemon::start(Options::new("avro_versions")), Kafka::shared(), Registry::shared());
    let database = Database::create("avro_versions");
    database.run("create table t(id int primary key, v int); insert into t values (1, 1)");
    daemon.create(&database.name, &avro(&database, &registry.confluent_url(), &[]));
    let topic = format!("{}.public.t", database.name);
    wait_until("the copy is done", SOON, || database.is_streamed() && kafka.length(&topic) == 1);
    let mut rows = 1;
    let mut insert = |what: &str, expect: &[i64]| {
        rows += 1;
        database.run(&format!("insert into t(id, v) values ({rows}, {rows})"));
        wait_until("the row is there", SOON, || kafka.length(&topic) >= rows);
        assert_eq!(registry.versions(&format!("{topic}-value")), expect, "{what}");
        assert_eq!(registry.versions(&format!("{topic}-key")), [1], "{what}");
    };
    insert("a row", &[1]);
    for (sql, expect) in [
        ("comment on column t.v is 'x'", &[1][..]),
        ("alter table t alter v set default 5", &[1, 2]),
        ("alter table t alter v set not null", &[1, 2, 3]),
        ("create index on t(v); analyze t", &[1, 2, 3]),
    ] {
        database.run(sql);
        insert(sql, expect);
    }
    for _ in 0..10 {
        let restart = format!("/connectors/{}/restart?includeTasks=true", database.name);
        assert!(daemon.rest("POST", &restart, None).is_ok());
        insert("a restart", &[1, 2, 3]);
    }
}

/// A registry that refuses its credentials and takes them later, as when they are rotated: the task fails, and restarts by
/// itself until it is let in.
#[test]
fn a_registry_that_refuses_access_for_a_time() {
    let (daemon, kafka) = (Daemon::start(Options::new("avro_refuses")), Kafka::shared());
    let refusal = Reply::new(401, r#"{"error_code":40101,"message":"who are you"}"#);
    let id = |id: u32| Reply::new(200, &format!(r#"{{"id":{id}}}"#));
    let stub = Stub::start(vec![refusal.clone(), refusal.clone(), refusal, id(1), id(2)]);
    let database = Database::create("avro_refuses");
    database.run("create table t(id int primary key); insert into t select generate_series(1, 50)");
    let soon = [("task.restart.backoff.ms", "500"), ("task.restart.backoff.max.ms", "2000")];
    daemon.create(&database.name, &avro(&database, &stub.url(), &soon));
    let trace = daemon.wait_task(&database.name, "FAILED", SOON);
    assert!(trace.contains("401") && trace.contains("the task restarts by itself in"), "{trace}");
    let topic = format!("{}.public.t", database.name);
    wait_until("all rows come", SOON, || kafka.length(&topic) >= 50);
    wait_until("the status is clear", SOON, || daemon.task(&database.name) == ("RUNNING".into(), String::new()));
    let keys = kafka.consume(&topic);
    let keys = keys.iter().map(|m| decode::small(&m.key.as_ref().unwrap()[5..]));
    assert_eq!(keys.collect::<std::collections::BTreeSet<i64>>(), (1..=50).collect());
}

/// A registry of the test's that answers as told: what each answer leads to.
#[test]
fn answers_of_a_registry() {
    let daemon = Daemon::start(Options::new("avro_answers"));
    let kafka = Kafka::shared();
    let good = |id: u32| Reply::new(200, &format!(r#"{{"id":{id}}}"#));
    let later = |reply: Reply| vec![reply.clone(), reply, good(1), good(2)];
    for (label, replies, expect) in [
        ("broken", later(Reply::new(500, r#"{"error_code":50001,"message":"Error in the backend"}"#)), Ok(())),
        ("busy", later(Reply::new(429, "")), Ok(())),
        ("page", later(Reply::new(200, "<html>Welcome</html>")), Ok(())),
        ("empty", later(Reply::new(200, "")), Ok(())),
        ("slow", vec![good(1).after(Duration::from_secs(4)), good(2).after(Duration::from_secs(4))], Ok(())),
        (
            "invalid",
            vec![Reply::new(422, r#"{"error_code":42201,"message":"Invalid schema: no field c"}"#)],
            Err("Invalid schema: no field c"),
        ),
        ("forbidden", vec![Reply::new(401, r#"{"error_code":40101,"message":"who are you"}"#)], Err("401")),
    ] {
        let stub = Stub::start(replies);
        let database = Database::create(&format!("avro_{label}"));
        database.run("create table t(id int primary key); insert into t select generate_series(1, 50)");
        daemon.create(&database.name, &avro(&database, &stub.url(), &[]));
        let topic = format!("{}.public.t", database.name);
        match expect {
            Ok(()) => {
                wait_until(&format!("{label}: all rows come"), Duration::from_secs(60), || kafka.length(&topic) == 50);
                let keys: Vec<i64> =
                    kafka.consume(&topic).iter().map(|m| decode::small(&m.key.as_ref().unwrap()[5..])).collect();
                assert_eq!(keys, (1..=50).collect::<Vec<_>>(), "{label}");
            }
            Err(reason) => {
                let trace = daemon.wait_task(&database.name, "FAILED", SOON);
                assert!(trace.contains(reason) && trace.contains("Remedy:"), "{label}: {trace}");
                assert_eq!(kafka.length(&topic), 0, "{label}");
            }
        }
        assert!(daemon.rest("DELETE", &format!("/connectors/{}", database.name), None).is_ok());
    }
}
