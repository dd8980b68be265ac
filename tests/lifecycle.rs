//! How a running connector behaves over time. At SIGTERM reading stops, records that were read are delivered, offsets
//! are stored, the position is confirmed, and the exit code is 0 within the shutdown timeout. After a reset, active
//! topics are reported again. Keys are those of the table at the time of the event.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::{Duration, Instant};

use rig::{Daemon, Database, Kafka, Options, Server, wait_until};
use serde_json::Value;

/// The default of `task.shutdown.graceful.timeout.ms`.
const SHUTDOWN: Duration = Duration::from_secs(5);
/// What the process may take in addition.
const MARGIN: Duration = Duration::from_secs(3);

/// The ids of the rows on the topic, in order.
fn ids(kafka: &Kafka, topic: &str) -> Vec<i64> {
    let id = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["payload"]["id"].as_i64().unwrap();
    kafka.consume(topic).iter().map(|m| id(m.key.as_ref().unwrap())).collect()
}

#[test]
fn nothing_is_repeated_after_a_stop() {
    let mut daemon = Daemon::start(Options::new("stop"));
    let database = Database::create("stop");
    database.run("create table t(id int primary key); insert into t select generate_series(1, 10)");
    daemon.create(&database.name, &database.connector(&[]));
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the copy is done", Duration::from_secs(30), || database.is_streamed() && kafka.length(&topic) == 10);
    let mut last = 10;
    // The daemon is stopped in the middle of work, three times.
    for _ in 0..3 {
        for _ in 0..20 {
            database.run(&format!("insert into t select generate_series({}, {})", last + 1, last + 100));
            last += 100;
        }
        let asked = Instant::now();
        assert_eq!(daemon.terminate(SHUTDOWN + MARGIN), Some(0));
        println!("ended after {:?}", asked.elapsed());
        assert!(!database.is_streamed(), "the slot is still held");
        daemon.spawn();
    }
    wait_until("all rows are there", Duration::from_secs(30), || kafka.length(&topic) >= last);
    assert_eq!(ids(&kafka, &topic), (1..=last).collect::<Vec<_>>());
}

#[test]
fn a_broker_that_is_away_does_not_hold_it_up() {
    let mut broker = Server::kafka();
    let mut daemon = Daemon::start(Options { broker: broker.address().to_owned(), ..Options::new("stop_away") });
    let database = Database::create("stop_away");
    database.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(&database.name, &database.connector(&[]));
    let (kafka, topic) = (Kafka::at(broker.address()), format!("{}.public.t", database.name));
    wait_until("the copy is done", Duration::from_secs(30), || database.is_streamed() && kafka.length(&topic) == 1);
    broker.stop(true);
    database.run("insert into t select generate_series(2, 300)");
    wait_until("it waits for the broker", Duration::from_secs(60), || {
        daemon.task(&database.name).1.contains("no Kafka broker")
    });
    let asked = Instant::now();
    // Records that cannot be delivered are given up after the shutdown timeout. They are read again after the next
    // start, so the exit code is 0.
    assert_eq!(daemon.terminate(SHUTDOWN * 3), Some(0));
    println!("ended after {:?}", asked.elapsed());
    broker.start_again();
    daemon.spawn();
    wait_until("the rows come after all", Duration::from_secs(60), || kafka.length(&topic) >= 300);
    let mut seen = ids(&kafka, &topic);
    seen.sort_unstable();
    seen.dedup();
    assert_eq!(seen, (1..=300).collect::<Vec<_>>());
}

/// Two sessions write as fast as they can. The server must still be told at every status interval which WAL it may
/// remove.
#[test]
fn a_flood_keeps_confirming() {
    const INTERVAL: Duration = Duration::from_secs(1);
    // Offsets are stored once a second as well, and a busy machine is slow.
    const LONGEST: Duration = Duration::from_secs(8);
    let daemon = Daemon::start(Options::new("flood"));
    let database = Database::create("flood");
    database.run("create table t(id bigserial primary key, v text)");
    daemon.create(&database.name, &database.connector(&[("status.update.interval.ms", "1000")]));
    database.wait_streamed(true);
    let is_over = std::sync::Arc::new(std::sync::atomic::AtomicBool::new(false));
    let writers: Vec<_> = (0..2)
        .map(|_| {
            let (session, is_over) = (database.session(), std::sync::Arc::clone(&is_over));
            std::thread::spawn(move || {
                while !is_over.load(std::sync::atomic::Ordering::Relaxed) {
                    session.run("insert into t(v) select repeat('x', 100) from generate_series(1, 2000)");
                }
            })
        })
        .collect();
    let confirmed =
        format!("select confirmed_flush_lsn from pg_replication_slots where slot_name = '{}'", database.name);
    let (mut last, mut moved, mut longest, mut moves) = (database.cell(&confirmed), Instant::now(), Duration::ZERO, 0);
    let end = Instant::now() + INTERVAL * 20;
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(100));
        let now = database.cell(&confirmed);
        longest = longest.max(moved.elapsed());
        if now != last {
            (last, moved, moves) = (now, Instant::now(), moves + 1);
        }
    }
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    for writer in writers {
        writer.join().unwrap();
    }
    println!("the confirmed position moved {moves} times, at the longest after {longest:?}");
    assert!(longest < LONGEST && moves >= 3, "{moves} moves, {longest:?} without one");
}

#[test]
fn topics_come_back_after_a_reset() {
    let daemon = Daemon::start(Options::new("reset"));
    let database = Database::create("reset");
    database.run("create table t(id int primary key); insert into t values (1)");
    daemon.create(&database.name, &database.connector(&[]));
    let path = format!("/connectors/{}/topics", database.name);
    let tells = |yes: bool| {
        wait_until(&format!("the topic is told: {yes}"), Duration::from_secs(20), || {
            daemon.rest("GET", &path, None).text.contains(".public.t") == yes
        });
    };
    tells(true);
    assert_eq!(daemon.rest("PUT", &format!("{path}/reset"), None).status, 202);
    tells(false);
    database.run("insert into t values (2)");
    tells(true);
}

/// Writes to table `t` and changes the table while the connector is stopped. Then the keys of all records, schemas
/// included, must be those of the table as it was: the first for the row that was copied, `rest` for what came after.
#[track_caller]
fn check_keys(label: &str, made: &str, later: &str, rest: &[&str]) {
    let daemon = Daemon::start(Options::new(label));
    let database = Database::create(label);
    database.run(&format!("create table other(id int primary key); {made}; insert into t values (1, 1)"));
    daemon.create(&database.name, &database.connector(&[]));
    let (kafka, topic) = (Kafka::shared(), format!("{}.public.t", database.name));
    wait_until("the copy is done", Duration::from_secs(30), || database.is_streamed() && kafka.length(&topic) == 1);
    let path = format!("/connectors/{}", database.name);
    daemon.rest("PUT", &format!("{path}/stop"), None);
    database.wait_streamed(false);
    database.run(later);
    daemon.rest("PUT", &format!("{path}/resume"), None);
    wait_until("all came", Duration::from_secs(30), || kafka.length(&topic) as usize == 1 + rest.len());
    let keys: Vec<Value> = kafka
        .consume(&topic)
        .iter()
        .map(|m| serde_json::from_slice(m.key.as_deref().unwrap_or(b"null")).unwrap())
        .collect();
    let payloads: Vec<String> = keys[1..].iter().map(|key| key["payload"].to_string()).collect();
    assert_eq!(payloads, rest, "{label}");
    for key in &keys[1..] {
        assert_eq!(key["schema"], keys[0]["schema"], "{label}: another schema than the row that was copied");
    }
}

#[test]
fn keys_are_of_the_events_time() {
    let made = "create table t(id int primary key, v int)";
    check_keys("key_dropped", made, "insert into t values (2, 2); drop table t", &[r#"{"id":2}"#]);
    check_keys(
        "key_renamed",
        made,
        "insert into t values (2, 2); alter table t rename id to ident; alter table t rename to u",
        &[r#"{"id":2}"#],
    );
    check_keys(
        "key_moved",
        made,
        "insert into t values (2, 2); alter table t drop constraint t_pkey; alter table t add primary key (v)",
        &[r#"{"id":2}"#],
    );
    check_keys(
        "key_index",
        "create table t(id int not null, v int); create unique index i on t(id); alter table t replica identity using index i",
        "insert into t values (2, 2); delete from t where id = 2; drop table t",
        &[r#"{"id":2}"#, r#"{"id":2}"#, r#"{"id":2}"#],
    );
}
