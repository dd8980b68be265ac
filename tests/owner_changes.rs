//! What rolling updates and crashes cost: standbys that come and go, an owner that is killed and started again, and an
//! owner that hands over to another worker.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use rdkafka::ClientConfig;
use rdkafka::consumer::{BaseConsumer, Consumer};
use rig::{Daemon, Database, Kafka, Options, Signal, Tail, wait_until};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(30);

fn topic(database: &Database) -> String {
    format!("{}.public.t", database.name)
}

fn id(key: &str) -> i64 {
    serde_json::from_str::<Value>(key).unwrap()["payload"]["id"].as_i64().unwrap()
}

/// Starts a daemon that owns its group and runs a connector, and waits for the first row.
fn begin(label: &str, options: Options) -> (Database, Daemon, Tail) {
    let database = Database::create(label);
    database.run("create table t(id int primary key); insert into t values (1)");
    let daemon = Daemon::start(options);
    daemon.create(&database.name, &database.connector(&[]));
    let kafka = Kafka::shared();
    wait_until("the first row", PATIENCE, || kafka.length(&topic(&database)) == 1);
    database.wait_streamed(true);
    let tail = kafka.tail(&topic(&database));
    // The tail's consumer must have joined the partition before times are measured with it.
    database.run("insert into t values (2)");
    wait_for(&tail, 2);
    (database, daemon, tail)
}

#[track_caller]
fn wait_for(tail: &Tail, wanted: i64) {
    let end = Instant::now() + PATIENCE;
    while Instant::now() < end {
        if tail.next_key(Duration::from_secs(1)).is_some_and(|key| id(&key) == wanted) {
            return;
        }
    }
    panic!("row {wanted} has not come after {PATIENCE:?}");
}

fn median(times: &mut [Duration]) -> Duration {
    times.sort();
    times[times.len() / 2]
}

#[test]
fn standbys_come_and_go_unnoticed() {
    let options = Options::new("come_and_go");
    let (database, owner, tail) = begin("come_and_go", options.clone());
    let session = database.session();
    let is_over = AtomicBool::new(false);
    let (committed, arrived) = std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            let mut committed = HashMap::new();
            for id in 100.. {
                if is_over.load(Ordering::Relaxed) {
                    break;
                }
                session.run(&format!("insert into t values ({id})"));
                committed.insert(id, Instant::now());
                std::thread::sleep(Duration::from_millis(20));
            }
            committed
        });
        let reader = scope.spawn(|| {
            let mut arrived: Vec<(i64, Instant)> = Vec::new();
            // Reads until no row has come for a while after the last one was written.
            loop {
                match tail.next_key(Duration::from_secs(3)) {
                    Some(key) => arrived.push((id(&key), Instant::now())),
                    None if is_over.load(Ordering::Relaxed) => break arrived,
                    None => {}
                }
            }
        });
        let ending = AtEnd(&is_over);
        let times = if rig::long() { 20 } else { 3 };
        for n in 0..times {
            let mut standby = Daemon::start(options.clone());
            standby.wait_standby();
            // Standbys leave in order or by a crash in turn. The next one joins before the group would give up a dead
            // member.
            if n % 2 == 0 {
                standby.kill();
            } else {
                assert_eq!(standby.terminate(PATIENCE), Some(0));
            }
        }
        std::thread::sleep(Duration::from_secs(2));
        drop(ending);
        (writer.join().unwrap(), reader.join().unwrap())
    });
    let mut late = Duration::ZERO;
    let mut count: HashMap<i64, u32> = HashMap::new();
    for (id, at) in arrived {
        *count.entry(id).or_default() += 1;
        late = late.max(at.saturating_duration_since(committed[&id]));
    }
    println!("{} rows, the latest {late:?} after its commit", committed.len());
    let (missing, twice): (Vec<_>, Vec<_>) = (
        committed.keys().filter(|id| !count.contains_key(id)).collect(),
        count.iter().filter(|(_, n)| **n > 1).collect(),
    );
    assert!(missing.is_empty() && twice.is_empty(), "missing {missing:?}, more than once {twice:?}");
    assert!(late <= Duration::from_secs(1), "a row came {late:?} after its commit");
    assert!(!owner.log().contains("the group is lost"));
}

/// Stops the threads also when the test fails. Otherwise the test would wait for them for ever.
struct AtEnd<'a>(&'a AtomicBool);

impl Drop for AtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_killed_owner_is_back_at_once() {
    // A standby that is present must neither be faster nor get in the way.
    let options = Options::new("back");
    let (database, mut owner, tail) = begin("back", options.clone());
    let standby = Daemon::start(options);
    standby.wait_standby();
    let times = if rig::long() { 15 } else { 5 };
    let (mut events, mut answers) = (Vec::new(), Vec::new());
    for n in 0..times {
        owner.kill();
        let row = 10 + n;
        database.run(&format!("insert into t values ({row})"));
        let begin = Instant::now();
        owner.spawn();
        answers.push(begin.elapsed());
        wait_for(&tail, row);
        events.push(begin.elapsed());
    }
    println!("REST after {answers:?}, the next event after {events:?}");
    assert!(standby.is_standby(), "the standby took over from a process that was back at once");
    assert!(median(&mut answers) <= Duration::from_secs(1), "REST after {answers:?}");
    assert!(median(&mut events) <= Duration::from_secs(1), "the next event after {events:?}");
}

#[test]
fn a_standby_takes_over_from_one_that_leaves() {
    let options = Options::new("leave");
    let (database, mut owner, tail) = begin("leave", options.clone());
    let standby = Daemon::start(options);
    standby.wait_standby();
    let begin = Instant::now();
    assert_eq!(owner.terminate(PATIENCE), Some(0));
    database.run("insert into t values (10)");
    wait_for(&tail, 10);
    let took = begin.elapsed();
    println!("the next event {took:?} after SIGTERM");
    assert!(took <= Duration::from_secs(3), "the next event {took:?} after SIGTERM");
}

#[test]
fn a_standby_takes_over_from_one_that_is_dead() {
    let options = Options::new("dead");
    let (database, mut owner, tail) = begin("dead", options.clone());
    // Two standbys that see the same must not get in each other's way.
    let standbys = [Daemon::start(options.clone()), Daemon::start(options)];
    standbys.iter().for_each(Daemon::wait_standby);
    owner.kill();
    let begin = Instant::now();
    database.run("insert into t values (10)");
    wait_for(&tail, 10);
    let took = begin.elapsed();
    println!("the next event {took:?} after SIGKILL");
    assert!(took <= Duration::from_secs(15), "the next event {took:?} after SIGKILL");
    assert_eq!(standbys.iter().filter(|standby| standby.is_standby()).count(), 1, "one of them still stands by");
}

#[test]
fn two_of_one_instance_id_have_one_owner() {
    let options = Options::new("double").with("afterimage.instance.id", "the-same");
    let (database, mut first, tail) = begin("double", options.clone());
    let second = Daemon::start(options);
    second.wait_standby();
    wait_until("it says what is wrong", PATIENCE, || second.log().contains("the-same"));
    database.run("insert into t values (10)");
    wait_for(&tail, 10);
    assert!(!first.log().contains("the group is lost"), "the first one was disturbed");
    first.kill();
    database.run("insert into t values (11)");
    wait_for(&tail, 11);
}

/// Another member takes the place under the same name, as a process with the same instance id on another machine would
/// do.
#[test]
fn an_owner_whose_place_is_taken_stops_and_says_why() {
    let options = Options::new("taken");
    let (database, owner, tail) = begin("taken", options.clone());
    let started = || {
        database.cell("select backend_start from pg_stat_replication where pid in (select active_pid from pg_replication_slots where database = current_database())")
    };
    let before = started();
    let thief: BaseConsumer = ClientConfig::new()
        .set("bootstrap.servers", &options.broker)
        .set("group.id", &options.group)
        .set("group.instance.id", "afterimage-owner")
        .set("partition.assignment.strategy", "cooperative-sticky")
        .set("enable.auto.commit", "false")
        .create()
        .unwrap();
    thief.subscribe(&[&format!("{}-configs", options.group)]).unwrap();
    wait_until("the owner says that its place was taken", PATIENCE, || {
        thief.poll(Duration::from_millis(50));
        owner.log().contains("FENCED_INSTANCE_ID")
    });
    // Nobody else writes marks, so the owner takes its place again. The connector that ran before must have been ended.
    database.run("insert into t values (10)");
    wait_for(&tail, 10);
    assert_ne!(started(), before, "the connector was not ended");
}

#[test]
fn an_owner_that_was_stopped_for_a_moment_goes_on() {
    let options = Options::new("moment");
    let (database, owner, tail) = begin("moment", options.clone());
    let standby = Daemon::start(options);
    standby.wait_standby();
    owner.signal(Signal::Stop);
    std::thread::sleep(Duration::from_secs(3));
    owner.signal(Signal::Continue);
    database.run("insert into t values (10)");
    wait_for(&tail, 10);
    assert!(standby.is_standby());
    assert!(!owner.log().contains("the group is lost"));
}
