//! Measures how fast the daemon is on this machine: `make bench`. The yardstick is pg_recvlogical. It reads the same
//! log and does nothing with it, so no connector can be faster.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rig::{Daemon, Database, Kafka, Options};

fn rows() -> i64 {
    std::env::var("AFTERIMAGE_BENCH_ROWS").map_or(1_000_000, |n| n.parse().unwrap())
}

/// Seconds of CPU time, user and system, that a process has used so far.
fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The process name, in brackets, may hold spaces. utime and stime, in 1/100 s, are the 12th and 13th field after it.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn peak_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Waits until the topic holds `until` records. Returns the seconds since the first of them arrived.
fn drain(kafka: &Kafka, topic: &str, until: i64) -> f64 {
    let (before, end) = (kafka.length(topic), Instant::now() + Duration::from_secs(600));
    let mut first = None;
    loop {
        let now = kafka.length(topic);
        if now > before && first.is_none() {
            first = Some(Instant::now());
        }
        if now >= until {
            return first.unwrap().elapsed().as_secs_f64();
        }
        assert!(Instant::now() < end, "{now} of {until} records after 10 minutes");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Seconds that pg_recvlogical takes to read the log up to now. The slot must exist already.
fn recvlogical(database: &Database, slot: &str) -> f64 {
    let bin = std::env::var("AFTERIMAGE_POSTGRES_BIN").map_or_else(
        |_| {
            let mut found: Vec<_> =
                std::fs::read_dir("/usr/lib/postgresql").unwrap().map(|e| e.unwrap().path()).collect();
            found.sort();
            found.pop().unwrap().join("bin")
        },
        PathBuf::from,
    );
    let end = database.cell("select pg_current_wal_lsn()");
    // pg_recvlogical stops only at a message after its end position, so one more change is made.
    database.run("create table if not exists after_the_end(i int); insert into after_the_end values (1)");
    let (host, port) = database.address();
    let start = Instant::now();
    let publication = format!("publication_names={}", database.name);
    let status = Command::new(bin.join("pg_recvlogical"))
        .args([
            "-h",
            host,
            "-p",
            port,
            "-U",
            "postgres",
            "-d",
            &database.name,
            "--slot",
            slot,
            "--start",
            "--endpos",
            &end,
        ])
        .args(["-o", "proto_version=1", "-o", &publication, "-f", "/dev/null", "--no-loop"])
        .status()
        .unwrap();
    assert!(status.success());
    start.elapsed().as_secs_f64()
}

/// One daemon with one connector for one table.
struct Bench {
    kafka: Kafka,
    daemon: Daemon,
    database: Database,
    topic: String,
}

const ROW: &str = "i, 'customer ' || i, md5(i::text), i / 7.0, now()";

impl Bench {
    fn new() -> Self {
        let (kafka, daemon) = (Kafka::shared(), Daemon::start(Options::new("bench")));
        let database = Database::create("bench");
        let columns = "id bigint primary key, name text, hash text, price numeric(12,2), at timestamptz";
        database.run(&format!("create table t({columns})"));
        let topic = format!("{}.public.t", database.name);
        Self { kafka, daemon, database, topic }
    }

    /// Measures a snapshot of `rows` rows.
    fn snapshot(&self, rows: i64) {
        self.database.run(&format!("insert into t select {ROW} from generate_series(1, {rows}) i"));
        // When a connector does not name the converter itself, Connect uses the worker's with all its settings.
        let plain = ["key", "value"].map(|side| {
            [
                (format!("{side}.converter"), "org.apache.kafka.connect.json.JsonConverter"),
                (format!("{side}.converter.schemas.enable"), "false"),
            ]
        });
        let plain: Vec<_> = plain.as_flattened().iter().map(|(key, value)| (key.as_str(), *value)).collect();
        let (config, cpu) = (self.database.connector(&plain), cpu_s(self.daemon.pid()));
        self.daemon.create(&self.database.name, &config);
        let seconds = drain(&self.kafka, &self.topic, rows);
        println!(
            "snapshot: {:.0} rows/s, {:.2} CPU-seconds a million",
            rows as f64 / seconds,
            self.per_million(cpu, rows)
        );
        self.database.wait_streamed(true);
    }

    /// Measures how the changes that `fill` commits are streamed. They are made while the connector is stopped, and
    /// pg_recvlogical reads the same log first.
    fn stream(&self, what: &str, rows: i64, fill: &str) {
        let (rest, sent) = (format!("/connectors/{}", self.database.name), self.kafka.length(&self.topic));
        self.database.cell("select pg_create_logical_replication_slot('yardstick', 'pgoutput')");
        self.daemon.rest("PUT", &format!("{rest}/stop"), None);
        self.database.wait_streamed(false);
        self.database.run(fill);
        let yardstick_s = recvlogical(&self.database, "yardstick");
        self.database.run("select pg_drop_replication_slot('yardstick')");
        let cpu = cpu_s(self.daemon.pid());
        self.daemon.rest("PUT", &format!("{rest}/resume"), None);
        let seconds = drain(&self.kafka, &self.topic, sent + rows);
        println!(
            "{what}: {:.0} events/s, {:.2} of pg_recvlogical's {:.0}, {:.2} CPU-seconds a million",
            rows as f64 / seconds,
            yardstick_s / seconds,
            rows as f64 / yardstick_s,
            self.per_million(cpu, rows)
        );
        self.database.wait_streamed(true);
    }

    /// Measures the latency of single-row transactions at a steady rate: from the beginning of the statement to the
    /// consumer.
    fn latency(&self, rate: u32, rows: u32) {
        const FIRST: i64 = 1 << 40;
        let tail = self.kafka.tail(&self.topic);
        let writer = self.database.session();
        let (told, begun) = std::sync::mpsc::channel();
        let writing = std::thread::spawn(move || {
            let start = Instant::now();
            for n in 0..rows {
                std::thread::sleep(
                    (start + Duration::from_secs(1) / rate * n).saturating_duration_since(Instant::now()),
                );
                told.send(Instant::now()).unwrap();
                writer.run(&format!("insert into t values ({}, 'one', 'row', 1.5, now())", FIRST + i64::from(n)));
            }
        });
        let mut ms = Vec::with_capacity(rows as usize);
        for n in 0..rows {
            let key = tail.next_key(Duration::from_secs(30)).expect("a record within 30 s");
            let at = Instant::now();
            assert_eq!(key, format!("{{\"id\":{}}}", FIRST + i64::from(n)), "in order, each once");
            ms.push((at - begun.recv().unwrap()).as_secs_f64() * 1e3);
        }
        writing.join().unwrap();
        ms.sort_by(f64::total_cmp);
        let percentile = |p: usize| ms[(ms.len() * p / 100).min(ms.len() - 1)];
        println!(
            "latency at {rate} transactions/s: p50 {:.2} ms, p99 {:.2} ms, at most {:.2} ms",
            percentile(50),
            percentile(99),
            percentile(100)
        );
    }

    fn per_million(&self, cpu_before_s: f64, events: i64) -> f64 {
        (cpu_s(self.daemon.pid()) - cpu_before_s) / events as f64 * 1e6
    }
}

#[test]
#[ignore = "make bench runs it, with the optimised daemon"]
fn rates() {
    let rows = rows();
    let bench = Bench::new();
    bench.snapshot(rows);
    let small = format!(
        "do $$ begin for n in 0..{rows} / 1000 - 1 loop
           insert into t select {ROW} from generate_series({rows} + n * 1000 + 1, {rows} + n * 1000 + 1000) i;
           commit;
         end loop; end $$"
    );
    bench.stream("streaming, transactions of 1,000 rows", rows / 1000 * 1000, &small);
    let huge = format!("insert into t select {ROW} from generate_series(2 * {rows} + 1, 5 * {rows}) i");
    bench.stream(&format!("streaming, one transaction of {} rows", 3 * rows), 3 * rows, &huge);
    bench.latency(500, 10_000);
    println!("peak memory over all: {:.0} MB", peak_mb(bench.daemon.pid()));
}
