//! No loss: the daemon is killed again and again while writers write, and the topics must still hold everything that
//! was committed.
//!
//! The daemon is killed with SIGKILL at random moments, at least three times while rows are copied. PostgreSQL's
//! walsender is terminated, and the broker is stopped and started, too. `tests/checker` judges the topics, and mutants
//! of the run check the judge. The seed is printed. AFTERIMAGE_SEED repeats the choices of a run, although the moments
//! also depend on the machine.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

#[path = "../checker/mod.rs"]
mod checker;
mod judging;
#[path = "../rig/mod.rs"]
mod rig;
mod writers;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use checker::{Event, Evidence, Kind, Record, mutants};
use rand::rngs::StdRng;
use rand::{Rng as _, SeedableRng as _};
use rig::{Daemon, Database, Kafka, Message, Options, Server, wait_until};
use serde_json::Value;
use writers::{TABLES, WRITERS, Writer};

const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

struct Plan {
    label: &'static str,
    rows: i64,
    /// Number of kills while rows are copied. Each comes after another 5 to 25 % of the rows, so that rows are left to
    /// copy at every kill, whether the daemon begins again or continues.
    kills_in_snapshot: usize,
    kills_in_stream: usize,
    /// Whether the connector uses the role with the documented minimum of rights, instead of the superuser.
    is_minimal: bool,
}

fn topic(database: &Database, table: usize) -> String {
    format!("{}.public.t{table}", database.name)
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

fn evidence(database: &Database, kafka: &Kafka, writers: Vec<Vec<Event>>) -> Evidence {
    let table = |t: usize| -> BTreeMap<i64, String> {
        let rows = database.rows(&format!("select id, ver || '|' || note from t{t}"));
        rows.into_iter().map(|r| (r[0].as_ref().unwrap().parse().unwrap(), r[1].clone().unwrap())).collect()
    };
    let records = |t: usize| kafka.consume(&topic(database, t)).iter().map(record).collect();
    Evidence { writers, tables: (0..TABLES).map(table).collect(), topics: (0..TABLES).map(records).collect() }
}

struct Ordeal<'a> {
    daemon: Daemon,
    broker: Server,
    kafka: Kafka,
    database: &'a Database,
    random: StdRng,
    plan: Plan,
}

impl Ordeal<'_> {
    fn length(&self) -> i64 {
        (0..TABLES).map(|t| self.kafka.length(&topic(self.database, t))).sum()
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
        wait_until("the log is followed", Duration::from_secs(60), || self.database.is_streamed());
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
                let ended = self.database.cell(
                    "select count(pg_terminate_backend(pid)) from pg_stat_replication where pid in
                    (select active_pid from pg_replication_slots where database = current_database())",
                );
                println!("ended {ended} walsenders");
                assert_ne!(ended, "0", "nobody streamed");
                self.wait_progress();
            }
            if kill % 8 == 5 {
                let now = self.random.random_bool(0.5);
                self.broker.stop(now);
                self.broker.start_again();
                println!("broker stopped (killed: {now}) and started");
                self.wait_progress();
            }
            self.daemon.kill();
            println!("killed while streaming, {} records", self.length());
            self.daemon.spawn();
        }
    }

    /// Waits until no record has come for a while, with the connector running.
    fn settle(&self) {
        self.daemon.wait_task(&self.database.name, "RUNNING", Duration::from_secs(60));
        let (mut last, mut since) = (-1, Instant::now());
        wait_until("the topics settle", Duration::from_secs(120), || {
            let now = self.length();
            if now != last || !self.database.is_streamed() {
                (last, since) = (now, Instant::now());
            }
            since.elapsed() > Duration::from_secs(4)
        });
    }
}

#[test]
fn nothing_is_lost_through_kills() {
    let (rows, kills_in_stream) = if rig::long() { (400_000, 60) } else { (40_000, 8) };
    suffer(Plan { label: "crash", rows, kills_in_snapshot: 3, kills_in_stream, is_minimal: false });
}

#[test]
fn nothing_is_lost_with_the_minimal_role() {
    let (rows, kills_in_stream) = if rig::long() { (400_000, 10) } else { (40_000, 2) };
    suffer(Plan { label: "crash_minimal", rows, kills_in_snapshot: 1, kills_in_stream, is_minimal: true });
}

/// One crash test runs at a time. Two brokers, two daemons and a dozen writers on a small machine leave the brokers too
/// little time for their own heartbeats.
static TURN: Mutex<()> = Mutex::new(());

fn suffer(plan: Plan) {
    let _turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
    let seed = std::env::var("AFTERIMAGE_SEED").ok().map_or_else(rand::random, |s| s.parse().unwrap());
    println!("AFTERIMAGE_SEED={seed}");
    let database = Database::create(plan.label);
    let filled = writers::prepare(&database, plan.rows);
    let broker = Server::kafka();
    let options = Options { broker: broker.address().to_owned(), ..Options::new(plan.label) };
    let daemon = Daemon::start(options);
    let kafka = Kafka::at(broker.address());
    let (stop, rows) = (AtomicBool::new(false), plan.rows);
    let mut ordeal = Ordeal { daemon, broker, kafka, database: &database, random: StdRng::seed_from_u64(seed), plan };
    let committed = std::thread::scope(|scope| {
        let ending = StopAtEnd(&stop);
        let handles: Vec<_> = (0..WRITERS)
            .zip(filled)
            .map(|(id, filled)| Writer::new(id, database.session(), seed, filled, rows))
            .map(|writer| scope.spawn(|| writer.write(&stop)))
            .collect();
        // The writers write before, while and after the connector is created.
        std::thread::sleep(Duration::from_millis(300));
        let mut config = database.connector(&[
            ("key.converter", JSON),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", JSON),
            ("value.converter.schemas.enable", "false"),
        ]);
        if ordeal.plan.is_minimal {
            config.extend(database.minimal_role().map(|(key, value)| (key.to_owned(), Value::from(value))));
        }
        ordeal.daemon.create(&database.name, &config);
        ordeal.kill_in_snapshot();
        ordeal.daemon.wait_task(&database.name, "RUNNING", Duration::from_secs(60));
        wait_until("the log is followed", Duration::from_secs(180), || ordeal.database.is_streamed());
        ordeal.kill_in_stream();
        std::thread::sleep(Duration::from_secs(1));
        drop(ending);
        handles.into_iter().map(|h| h.join().unwrap()).collect()
    });
    ordeal.settle();
    let evidence = evidence(&database, &ordeal.kafka, committed);
    judge(&evidence);
}

/// Stops the writers also when the test fails. Otherwise the test would wait for them for ever.
struct StopAtEnd<'a>(&'a AtomicBool);

impl Drop for StopAtEnd<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

fn judge(evidence: &Evidence) {
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
}
