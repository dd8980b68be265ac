//! PostgreSQL: a connector goes from a Java worker with Debezium to the daemon and back while two writers write transactions
//! that interleave. No row is lost, nothing is copied again, and what comes twice is a run that is sent again in order.
//!
//! Run by scripts/test-swap.sh, which fetches Debezium's plug-ins and names their folder in `AFTERIMAGE_TEST_DEBEZIUM`, and
//! the folder with the programs of a PostgreSQL 17 in `AFTERIMAGE_TEST_POSTGRES17`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, Server, Session, ask, unique, wait_until};
use serde_json::{Map, Value, json};

const PATIENCE: Duration = Duration::from_secs(120);
const STOP: Duration = Duration::from_secs(30);
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
/// What the partitions of the offset and status topics are by default in Connect.
const PARTITIONS: [(&str, &str); 2] = [("offset.storage.partitions", "25"), ("status.storage.partitions", "5")];

/// How a worker ends.
#[derive(Clone, Copy, Debug, PartialEq)]
enum End {
    Stopped,
    Killed,
}

struct Swap {
    kafka: Kafka,
    database: Database,
    options: Options,
    java: Option<Server>,
    daemon: Option<Daemon>,
}

impl Swap {
    fn new(address: &str, label: &str) -> Self {
        let database = Database::create_at(address, &unique(label));
        let options = PARTITIONS.iter().fold(Options::new(label), |options, (key, value)| options.with(key, value));
        Self { kafka: Kafka::shared(), database, options, java: None, daemon: None }
    }

    fn config(&self) -> Map<String, Value> {
        self.database.connector(&[
            ("key.converter", JSON),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", JSON),
            ("value.converter.schemas.enable", "false"),
            // Java's connector asks again for a slot whose reader was killed.
            ("slot.retry.delay.ms", "1000"),
            ("slot.max.retries", "60"),
        ])
    }

    fn topic(&self) -> String {
        format!("{}.public.t", self.database.name)
    }

    fn start_java(&mut self) {
        assert!(self.daemon.is_none());
        let plugins = std::env::var("AFTERIMAGE_TEST_DEBEZIUM").expect("run this with scripts/test-swap.sh");
        let properties = [&[("plugin.path", &*plugins)], &PARTITIONS[..]].concat();
        self.java = Some(Server::connect_as(&self.options.broker, &self.options.group, &properties));
    }

    fn create_under_java(&self) {
        let body = json!({"name": self.database.name, "config": self.config()}).to_string();
        let url = format!("http://{}/connectors", self.java.as_ref().unwrap().address());
        let answer = ask("POST", &url, Some(&body), &[]).unwrap();
        assert_eq!(answer.status, 201, "{}", answer.text);
    }

    fn end_java(&mut self, end: End) {
        self.java.take().unwrap().stop(end == End::Killed);
    }

    fn start_daemon(&mut self) {
        assert!(self.java.is_none());
        self.daemon = Some(Daemon::start(self.options.clone()));
    }

    fn end_daemon(&mut self, end: End) {
        let mut daemon = self.daemon.take().unwrap();
        match end {
            End::Stopped => assert_eq!(daemon.terminate(STOP), Some(0)),
            End::Killed => daemon.kill(),
        }
    }

    /// Waits until `more` records have come, and an offset has been stored meanwhile.
    #[track_caller]
    fn wait_more(&self, more: i64) {
        let (before, offset) = (self.kafka.length(&self.topic()), self.offset());
        self.wait_length(before + more);
        wait_until("another offset is stored", PATIENCE, || self.offset() != offset);
    }

    #[track_caller]
    fn wait_length(&self, length: i64) {
        let come = rig::within(PATIENCE, || self.kafka.length(&self.topic()) >= length);
        assert!(come, "{} of {length} records: {}", self.kafka.length(&self.topic()), self.trace());
    }

    /// What the worker that runs says of the connector.
    fn trace(&self) -> String {
        let path = format!("/connectors/{}/status", self.database.name);
        match (&self.java, &self.daemon) {
            (Some(java), _) => ask("GET", &format!("http://{}{path}", java.address()), None, &[]).map(|a| a.text),
            (_, Some(daemon)) => daemon.try_ask("GET", &path, None).map(|a| a.text),
            _ => Err("no worker runs".to_owned()),
        }
        .unwrap_or_else(|e| e)
    }

    /// The last offset that was stored of the connector.
    fn offset(&self) -> Value {
        let topic = format!("{}-offsets", self.options.group);
        let of_it = |key: &Option<Vec<u8>>| {
            key.as_ref().is_some_and(|key| String::from_utf8_lossy(key).contains(&self.database.name))
        };
        let last = self.kafka.consume(&topic).into_iter().rfind(|m| of_it(&m.key));
        last.and_then(|m| serde_json::from_slice(&m.value?).ok()).unwrap_or_default()
    }

    /// The records of the topic: `op` and the row's writer and number.
    fn records(&self) -> Vec<(String, i64, i64)> {
        let shown = |value: Vec<u8>| {
            let value: Value = serde_json::from_slice(&value).unwrap();
            let number = |name: &str| value["after"][name].as_i64().unwrap();
            (value["op"].as_str().unwrap().to_owned(), number("writer"), number("id"))
        };
        self.kafka.consume(&self.topic()).into_iter().map(|m| shown(m.value.unwrap())).collect()
    }
}

/// Writes transactions of one to nine rows until it is told to stop, some of them with COPY, whose rows share an LSN.
struct Writer {
    stop: Arc<AtomicBool>,
    thread: JoinHandle<i64>,
}

impl Writer {
    fn start(session: Session, writer: i64) -> Self {
        let stop = Arc::new(AtomicBool::new(false));
        let told = Arc::clone(&stop);
        let thread = std::thread::spawn(move || {
            let mut id = 0;
            while !told.load(Ordering::Relaxed) {
                session.run("begin");
                for _ in 0..rand::random_range(1..4) {
                    let rows = rand::random_range(1..4);
                    if rand::random_bool(0.3) {
                        let lines: Vec<_> = (1..=rows).map(|n| format!("{writer}\t{}\n", id + n)).collect();
                        session.copy("copy t from stdin", lines.concat());
                    } else {
                        let rows: Vec<String> = (1..=rows).map(|n| format!("({writer}, {})", id + n)).collect();
                        session.run(&format!("insert into t values {}", rows.join(", ")));
                    }
                    id += rows;
                    std::thread::sleep(Duration::from_millis(rand::random_range(0..8)));
                }
                session.run("commit");
            }
            id
        });
        Self { stop, thread }
    }

    /// Returns the last row's number.
    fn end(self) -> i64 {
        self.stop.store(true, Ordering::Relaxed);
        self.thread.join().unwrap()
    }
}

/// Checks that nothing is copied again, nothing is missing, and that what comes twice is a run in the order of the first
/// time. Returns how many records came twice.
#[track_caller]
fn check(records: &[(String, i64, i64)], copied: usize, last: &[(i64, i64)]) -> usize {
    assert!(records.iter().skip(copied).all(|(op, ..)| op == "c"), "a copy after the first one");
    let mut places: BTreeMap<(i64, i64), usize> = BTreeMap::new();
    let (mut before, mut runs, mut again) = (None, 0, 0);
    for (_, writer, id) in records {
        let next = places.len();
        let place = *places.entry((*writer, *id)).or_insert(next);
        if before.is_some_and(|before| place != before + 1) {
            assert!(before.is_some_and(|before| place <= before), "a run that came again was cut: {writer} {id}");
            runs += 1;
        }
        again += usize::from(place != next);
        before = Some(place);
    }
    for (writer, last) in last {
        let come: BTreeSet<i64> = places.keys().filter(|(of, _)| of == writer).map(|(_, id)| *id).collect();
        let missing: Vec<i64> = (1..=*last).filter(|id| !come.contains(id)).collect();
        assert!(missing.is_empty(), "writer {writer}: {} of {last} rows are lost: {missing:?}", missing.len());
    }
    println!("{} records, {again} of them again, in {runs} runs", records.len());
    runs
}

#[track_caller]
fn goes_there_and_back(address: &str, label: &str) {
    let mut swap = Swap::new(address, label);
    swap.database
        .run("create table t(writer int, id int, primary key (writer, id)); insert into t values (0, 1), (0, 2)");
    swap.start_java();
    swap.create_under_java();
    swap.wait_length(2);
    swap.database.wait_streamed(true);
    let writers: Vec<Writer> = (1..=2).map(|n| Writer::start(swap.database.session(), n)).collect();
    swap.wait_more(300);
    for end in [End::Stopped, End::Killed] {
        swap.end_java(end);
        swap.start_daemon();
        swap.wait_more(300);
        println!("the daemon went on after Java was {end:?}; its offset: {}", swap.offset());
        swap.end_daemon(end);
        println!("Java goes on from {}", swap.offset());
        swap.start_java();
        swap.wait_more(300);
    }
    let last: Vec<(i64, i64)> = [1, 2].into_iter().zip(writers.into_iter().map(Writer::end)).collect();
    swap.database.run("insert into t values (3, 1)");
    wait_until("the last row", PATIENCE, || swap.records().last().is_some_and(|(_, writer, _)| *writer == 3));
    // Each change of the worker sends at most one run again.
    let runs = check(&swap.records(), 2, &[&last[..], &[(3, 1)]].concat());
    assert!(runs <= 4, "{runs} runs came again");
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn postgres_goes_there_and_back() {
    goes_there_and_back(&rig::postgres_address(), "swappg");
}

fn postgres_17() -> Server {
    Server::postgres_of(&std::env::var("AFTERIMAGE_TEST_POSTGRES17").expect("run this with scripts/test-swap.sh"))
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn postgres_17_goes_there_and_back() {
    let server = postgres_17();
    goes_there_and_back(server.address(), "swappg");
}

/// A commit ends where a change of an open transaction begins, and the daemon stops between the two. The Java worker must send
/// the whole open transaction: it lost rows of such a one with an offset of its own form.
#[track_caller]
fn a_commit_that_ends_where_a_change_begins(address: &str, label: &str) {
    let mut swap = Swap::new(address, label);
    swap.database.run("create table t(writer int, id int, primary key (writer, id))");
    swap.start_daemon();
    swap.daemon.as_ref().unwrap().create(&swap.database.name, &swap.config());
    swap.database.wait_streamed(true);
    swap.database.run("insert into t values (0, 1)");
    swap.wait_length(1);
    let (long, asking) = (swap.database.session(), swap.database.session());
    let lsn = || asking.cell("select pg_current_wal_insert_lsn() - '0/0'").parse::<Value>().unwrap();
    long.run("begin; insert into t values (1, 1)");
    // The server writes to its log by itself, too: then another try is needed.
    let mut tries = 2..30;
    let stored = loop {
        let id = tries.next().expect("the log never had a commit right before a change");
        swap.database.run(&format!("insert into t values (2, {id})"));
        let end = lsn();
        let is_stored = rig::within(Duration::from_secs(5), || swap.offset()["lsn"] == end);
        if !is_stored || lsn() != end {
            continue;
        }
        long.run(&format!("insert into t values (1, {id})"));
        swap.end_daemon(End::Killed);
        let stored = swap.offset();
        if stored["lsn"] == end {
            break stored;
        }
        swap.start_daemon();
        swap.database.wait_streamed(true);
    };
    let rows: i64 = swap.database.cell("select count(*) from t").parse().unwrap();
    let open: i64 = long.cell("select count(*) from t where writer = 1").parse().unwrap();
    long.run("insert into t values (1, 100); insert into t values (1, 101); commit");
    swap.database.run("insert into t values (3, 1)");
    println!("Java goes on from {stored}");
    swap.start_java();
    wait_until("the last row", PATIENCE, || swap.records().last().is_some_and(|(_, writer, _)| *writer == 3));
    let records = swap.records();
    let of_it: Vec<_> = records.iter().filter(|(_, writer, _)| *writer == 1).map(|(_, _, id)| *id).collect();
    assert_eq!((records.len() as i64, of_it.len() as i64), (rows + open + 3, open + 2), "{of_it:?}");
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn java_loses_no_change_behind_a_commit() {
    a_commit_that_ends_where_a_change_begins(&rig::postgres_address(), "swapend");
}

#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn java_loses_no_change_behind_a_commit_of_17() {
    let server = postgres_17();
    a_commit_that_ends_where_a_change_begins(server.address(), "swapend");
}

/// The daemon is killed in the middle of a COPY, in which it has stored offsets: a record of the log holds many rows of it.
#[test]
#[ignore = "scripts/test-swap.sh runs it, with Debezium's plug-ins"]
fn java_goes_on_in_a_copy() {
    const ROWS: i64 = 100_000;
    let mut swap = Swap::new(&rig::postgres_address(), "swapcopy");
    swap.database.run("create table t(writer int, id int, v text, primary key (writer, id))");
    swap.daemon = Some(Daemon::start(swap.options.clone().with("offset.flush.interval.ms", "50")));
    swap.daemon.as_ref().unwrap().create(&swap.database.name, &swap.config());
    swap.database.wait_streamed(true);
    swap.database.run("insert into t values (0, 1)");
    swap.wait_length(1);
    let lines: Vec<_> = (1..=ROWS).map(|id| format!("1\t{id}\t{}\n", "x".repeat(100))).collect();
    swap.database.session().copy("copy t from stdin", lines.concat());
    let is_inside = |offset: &Value| offset["tx_row"].as_i64().is_some_and(|row| row > 1 && row < ROWS);
    wait_until("an offset inside of the transaction is stored", PATIENCE, || is_inside(&swap.offset()));
    swap.end_daemon(End::Killed);
    let (stored, sent) = (swap.offset(), swap.kafka.length(&swap.topic()));
    assert!(is_inside(&stored), "the transaction was over: {stored}");
    swap.database.run("insert into t values (3, 1)");
    swap.start_java();
    wait_until("the last row", 3 * PATIENCE, || {
        swap.kafka.length(&swap.topic()) > ROWS && swap.records().last().is_some_and(|(_, writer, _)| *writer == 3)
    });
    let records = swap.records();
    check(&records, 0, &[(0, 1), (1, ROWS), (3, 1)]);
    // It went on in the transaction, not at its begin.
    let first_again = records[sent as usize].2;
    println!("{sent} sent, Java went on at row {first_again}, from {stored}");
    assert!(first_again > 1, "the whole transaction was sent again");
}
