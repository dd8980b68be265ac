//! No loss: the daemon is killed again and again while writers write, and the topics must still hold everything that
//! was committed.
//!
//! The daemon is killed with SIGKILL at random moments, also while rows are copied. The server's end of the connection on
//! which the log is read is ended, and the broker is stopped and started, too. In MySQL and MariaDB many rows stand in one
//! event, and events or whole transactions are compressed, so that kills fall into the middle of both. `tests/checker`
//! judges the topics, and mutants of the run check the judge. The seed is printed. AFTERIMAGE_SEED repeats the choices of a
//! run, although the moments also depend on the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

#[path = "../checker/mod.rs"]
mod checker;
mod judging;
#[path = "../rig/mod.rs"]
mod rig;
mod source;
mod writers;

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use checker::{Event, Evidence, Kind, Record, mutants};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rig::{Daemon, Kafka, Message, Options, Server, wait_until};
use serde_json::Value;
use source::Source;
use writers::{TABLES, WRITERS, Writer};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

struct Plan {
    label: &'static str,
    rows: i64,
    /// Number of kills while rows are copied. Each comes after another 5 to 25 % of the rows, so that rows are left to
    /// copy at every kill, whether the daemon begins again or continues.
    kills_in_snapshot: usize,
    kills_in_stream: usize,
    server: source::Kind,
    promise: Promise,
}

/// What the daemon promises, and how its topics are read and judged.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Promise {
    AtLeastOnce,
    /// With `exactly.once.source.support=enabled`, for consumers with `read_committed`.
    ExactlyOnce,
}

fn record(message: &Message) -> Record {
    let parsed = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap();
    let key = parsed(message.key.as_ref().expect("every record has a key"))["id"].as_i64().expect("the key has an id");
    let Some(value) = message.value.as_deref().map(parsed) else {
        return Record { key, kind: Kind::Tombstone, row: None };
    };
    let kind = match value["op"].as_str() {
        Some("r") => Kind::Read,
        Some("c") => Kind::Create,
        Some("u") => Kind::Update,
        Some("d") => Kind::Delete,
        other => panic!("an op {other:?} that nobody asked for"),
    };
    let after = &value["after"];
    let row = after.is_object().then(|| format!("{}|{}", after["ver"], after["note"].as_str().unwrap_or("null")));
    Record { key, kind, row }
}

fn evidence(source: &Source, kafka: &Kafka, promise: Promise, writers: Vec<Vec<Event>>) -> Evidence {
    let records = |t: usize| {
        let topic = source.topic(t);
        let read = match promise {
            Promise::AtLeastOnce => kafka.consume(&topic),
            Promise::ExactlyOnce => kafka.consume_committed(&topic),
        };
        read.iter().map(record).collect()
    };
    let tables = (0..TABLES).map(|t| source.content(t)).collect();
    Evidence { writers, tables, topics: (0..TABLES).map(records).collect() }
}

struct Ordeal<'a> {
    daemon: Daemon,
    broker: Server,
    kafka: Kafka,
    source: &'a Source,
    /// The reader of the log before the last kill.
    reader: u64,
    random: StdRng,
    plan: Plan,
}

impl Ordeal<'_> {
    fn length(&self) -> i64 {
        (0..TABLES).map(|t| self.kafka.length(&self.source.topic(t))).sum()
    }

    fn kill_in_snapshot(&mut self) {
        let all = self.plan.rows * TABLES as i64;
        for _ in 0..self.plan.kills_in_snapshot {
            let before = self.length();
            let share = self.random.random_range(0.05..0.25);
            let target = before + (all as f64 * share) as i64;
            let end = Instant::now() + Duration::from_secs(60);
            while self.length() < target {
                assert!(Instant::now() < end, "the snapshot does not go on: {} of {target} records", self.length());
            }
            self.daemon.kill();
            let copied = self.length() - before;
            assert!(copied < all * 8 / 10, "the copy was over before the kill: {copied} of {all} rows; take more rows");
            println!("killed after {copied} of {all} rows");
            self.daemon.spawn();
        }
    }

    /// Waits until the log is followed and more records have come. A kill right after the copy, before its end is
    /// stored, makes the daemon copy again.
    fn wait_progress(&self) {
        let is_followed = rig::within(Duration::from_secs(60), || self.source.is_followed_after(self.reader));
        assert!(is_followed, "the log is not followed; the task: {:?}", self.daemon.task(self.source.name()));
        let before = self.length();
        wait_until("the stream goes on", Duration::from_secs(60), || self.length() > before + 20);
    }

    fn kill_in_stream(&mut self) {
        for kill in 0..self.plan.kills_in_stream {
            // Without progress since the last kill, the daemon would only ever be killed during its start.
            self.wait_progress();
            let pause_ms = self.random.random_range(0..1000);
            std::thread::sleep(Duration::from_millis(pause_ms));
            // Between the kills of the daemon, its neighbours fail too.
            if kill % 4 == 1 {
                self.reader = self.source.reader();
                self.source.end_reader();
                println!("ended the reader of the log");
                self.wait_progress();
            }
            if kill % 8 == 5 {
                let now = self.random.random_bool(0.5);
                self.broker.stop(now);
                self.broker.start_again();
                println!("broker stopped (killed: {now}) and started");
                self.wait_progress();
            }
            self.reader = self.source.reader();
            self.daemon.kill();
            println!("killed while streaming, {} records", self.length());
            self.daemon.spawn();
        }
    }

    /// Waits until no record has come for a while, with the connector running.
    fn settle(&self) {
        self.daemon.wait_task(self.source.name(), "RUNNING", Duration::from_secs(60));
        let (mut last, mut since) = (-1, Instant::now());
        wait_until("the topics settle", Duration::from_secs(120), || {
            let now = self.length();
            if now != last || !self.source.is_followed_after(self.reader) {
                (last, since) = (now, Instant::now());
            }
            since.elapsed() > Duration::from_secs(4)
        });
    }
}

/// A plan with few kills for `make test`, or with many for `make test-long`.
fn plan(label: &'static str, server: source::Kind, kills_in_snapshot: usize, kills: [usize; 2]) -> Plan {
    let rows = if rig::long() { 400_000 } else { 40_000 };
    let promise = Promise::AtLeastOnce;
    Plan { label, rows, kills_in_snapshot, kills_in_stream: kills[usize::from(rig::long())], server, promise }
}

#[test]
fn nothing_is_lost_through_kills() {
    suffer(plan("crash", source::Kind::Postgres { is_minimal: false }, 3, [8, 60]));
}

#[test]
fn nothing_is_lost_with_the_minimal_role() {
    suffer(plan("crash_minimal", source::Kind::Postgres { is_minimal: true }, 1, [2, 10]));
}

#[test]
fn nothing_is_lost_from_mysql() {
    suffer(plan("crash_my", source::Kind::MySql { has_gtids: true }, 2, [4, 60]));
}

#[test]
fn nothing_is_lost_from_mysql_without_gtids() {
    suffer(plan("crash_pos", source::Kind::MySql { has_gtids: false }, 1, [2, 30]));
}

#[test]
fn nothing_is_lost_from_mariadb() {
    suffer(plan("crash_maria", source::Kind::MariaDb, 1, [4, 60]));
}

fn once(label: &'static str, server: source::Kind, kills_in_snapshot: usize, kills: [usize; 2]) -> Plan {
    Plan { promise: Promise::ExactlyOnce, ..plan(label, server, kills_in_snapshot, kills) }
}

#[test]
fn nothing_is_lost_or_repeated_with_exactly_once() {
    suffer(once("once", source::Kind::Postgres { is_minimal: false }, 3, [8, 30]));
}

#[test]
fn nothing_is_lost_or_repeated_from_mysql_with_exactly_once() {
    suffer(once("once_my", source::Kind::MySql { has_gtids: true }, 3, [8, 30]));
}

#[test]
fn nothing_is_lost_or_repeated_from_mysql_without_gtids_with_exactly_once() {
    suffer(once("once_pos", source::Kind::MySql { has_gtids: false }, 1, [2, 30]));
}

#[test]
fn nothing_is_lost_or_repeated_from_mariadb_with_exactly_once() {
    suffer(once("once_maria", source::Kind::MariaDb, 1, [2, 30]));
}

/// The judge of exactly once is shown what at least once leaves after the same kills: it must not accept that.
#[test]
fn at_least_once_is_not_taken_for_exactly_once() {
    let evidence = suffered(plan("not_once", source::Kind::Postgres { is_minimal: false }, 2, [1, 1]));
    assert!(checker::violations(&evidence).is_empty());
    let found = checker::once::repetitions(&evidence);
    assert!(!found.is_empty(), "two copies were interrupted, and nobody noticed that their rows came again");
}

/// One crash test runs at a time. Two brokers, two daemons and a dozen writers on a small machine leave the brokers too
/// little time for their own heartbeats.
static TURN: Mutex<()> = Mutex::new(());

fn suffer(plan: Plan) {
    let promise = plan.promise;
    judge(&suffered(plan), promise);
}

/// Runs the ordeal. Returns what is on the topics afterwards.
fn suffered(plan: Plan) -> Evidence {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = std::env::var("AFTERIMAGE_SEED").ok().map_or_else(rand::random, |s| s.parse().unwrap());
    println!("AFTERIMAGE_SEED={seed}");
    let broker = Server::kafka();
    let source = Source::create(plan.server, plan.label, broker.address());
    let filled = writers::prepare(&source, plan.rows);
    let options = Options { broker: broker.address().to_owned(), ..Options::new(plan.label) };
    let options = match plan.promise {
        Promise::AtLeastOnce => options,
        Promise::ExactlyOnce => options.with("exactly.once.source.support", "enabled"),
    };
    let daemon = Daemon::start(options);
    let kafka = Kafka::at(broker.address());
    let (stop, rows) = (AtomicBool::new(false), plan.rows);
    let mut ordeal =
        Ordeal { daemon, broker, kafka, source: &source, reader: 0, random: StdRng::seed_from_u64(seed), plan };
    let committed = std::thread::scope(|scope| {
        let ending = StopAtEnd(&stop);
        let handles: Vec<_> = (0..WRITERS)
            .zip(filled)
            .map(|(id, filled)| Writer::new(id, source.session(), seed, filled, rows))
            .map(|writer| scope.spawn(|| writer.write(&stop)))
            .collect();
        // The writers write before, while and after the connector is created.
        std::thread::sleep(Duration::from_millis(300));
        let config = source.connector(&[
            ("key.converter", JSON),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", JSON),
            ("value.converter.schemas.enable", "false"),
        ]);
        ordeal.daemon.create(source.name(), &config);
        ordeal.kill_in_snapshot();
        ordeal.daemon.wait_task(source.name(), "RUNNING", Duration::from_secs(60));
        source.wait_followed_after(0, Duration::from_secs(180));
        ordeal.kill_in_stream();
        std::thread::sleep(Duration::from_secs(1));
        drop(ending);
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    ordeal.settle();
    // Shown only if the judge finds something.
    println!("{}", ordeal.daemon.log());
    evidence(&source, &ordeal.kafka, ordeal.plan.promise, committed)
}

/// The judge can only be as right as what the writers say. They run with no connector, and what they say that they
/// committed must give the rows of the tables.
#[track_caller]
fn tell_the_truth(server: source::Kind) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let source = Source::create(server, "truth", "");
    let (rows, stop) = (2000, AtomicBool::new(false));
    let filled = writers::prepare(&source, rows);
    let committed: Vec<Vec<Event>> = std::thread::scope(|scope| {
        let ending = StopAtEnd(&stop);
        let writers = (0..WRITERS).zip(filled).map(|(id, filled)| Writer::new(id, source.session(), 7, filled, rows));
        let handles: Vec<_> = writers.map(|writer| scope.spawn(|| writer.write(&stop))).collect();
        std::thread::sleep(Duration::from_secs(4));
        drop(ending);
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    for table in 0..TABLES {
        let mut told = std::collections::BTreeMap::new();
        for event in committed.iter().flatten().filter(|event| event.table == table) {
            match &event.row {
                Some(row) => drop(told.insert(event.key, row.clone())),
                None => drop(told.remove(&event.key)),
            }
        }
        assert_eq!(told, source.content(table), "table {table}");
    }
    let (mut deletes, mut updates) = (0, 0);
    for event in committed.iter().flatten() {
        deletes += usize::from(event.kind == Kind::Delete);
        updates += usize::from(event.kind == Kind::Update);
    }
    assert!(deletes > 60 && updates > 60, "{deletes} deletes and {updates} updates have no event of many rows");
}

#[test]
fn writers_tell_the_truth_of_mysql() {
    tell_the_truth(source::Kind::MySql { has_gtids: true });
}

#[test]
fn writers_tell_the_truth_of_mariadb() {
    tell_the_truth(source::Kind::MariaDb);
}

/// Stops the writers also when the test fails. Otherwise the test would wait for them for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn judge(evidence: &Evidence, promise: Promise) {
    let records: usize = evidence.topics.iter().map(Vec::len).sum();
    let events: usize = evidence.writers.iter().map(|w| w.iter().filter(|e| e.kind != Kind::Read).count()).sum();
    println!("{events} events committed, {records} records on the topics");
    let found = checker::violations(evidence);
    assert!(found.is_empty(), "{} violations:\n{}", found.len(), found.join("\n"));
    let all = mutants::all(evidence);
    for wanted in mutants::WANTED {
        assert!(all.iter().any(|m| m.what.contains(wanted)), "this run offered no mutant of the kind {wanted}");
    }
    for mutant in &all {
        assert!(!checker::violations(&mutant.evidence).is_empty(), "not noticed: {}", mutant.what);
    }
    println!("{} mutants noticed", all.len());
    if promise == Promise::ExactlyOnce {
        judge_once(evidence);
    }
}

fn judge_once(evidence: &Evidence) {
    let found = checker::once::repetitions(evidence);
    assert!(found.is_empty(), "{} repetitions:\n{}", found.len(), found.join("\n"));
    let all = checker::once::mutants(evidence);
    for wanted in checker::once::WANTED {
        assert!(all.iter().any(|m| m.what.contains(wanted)), "this run offered no mutant of the kind {wanted}");
    }
    for mutant in &all {
        assert!(!checker::once::repetitions(&mutant.evidence).is_empty(), "not noticed: {}", mutant.what);
    }
    println!("nothing twice; {} mutants of exactly once noticed", all.len());
}
