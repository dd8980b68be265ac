//! How fast, on this machine: `make bench`. The yardstick is pg_recvlogical, which reads the same log and does nothing
//! with it: no connector can be faster.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use rig::{Daemon, Database, Kafka, Options};

fn rows() -> i64 {
    std::env::var("AFTERIMAGE_BENCH_ROWS").map_or(1_000_000, |n| n.parse().unwrap())
}

/// User and system time of a process so far.
fn cpu_s(pid: u32) -> f64 {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap();
    // The name, in brackets, may hold spaces; utime and stime are the 12th and 13th field after it, in 1/100 s.
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
    (fields[11].parse::<f64>().unwrap() + fields[12].parse::<f64>().unwrap()) / 100.0
}

fn peak_mb(pid: u32) -> f64 {
    let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse::<f64>().unwrap() / 1024.0
}

/// Waits until the topic holds `until` records; the seconds from when it had moved first.
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

/// Seconds that pg_recvlogical takes for the log up to now; its slot must have been made before.
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
    // Something after the end, so that there is a message to stop at.
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

#[test]
#[ignore = "make bench runs it, with the optimised daemon"]
fn rates() {
    let (rows, kafka) = (rows(), Kafka::shared());
    let daemon = Daemon::start(Options::new("bench"));
    let database = Database::create("bench");
    let topic = format!("{}.public.t", database.name);
    let fill =
        format!("select i, 'customer ' || i, md5(i::text), i / 7.0, now() from generate_series({{}}, {rows} * {{}}) i");
    let fill = |from: i64, to: i64| fill.replacen("{}", &from.to_string(), 1).replacen("{}", &to.to_string(), 1);
    database.run("create table t(id bigint primary key, name text, hash text, price numeric(12,2), at timestamptz)");
    database.run(&format!("insert into t {}", fill(1, 1)));
    let config =
        database.connector(&[("key.converter.schemas.enable", "false"), ("value.converter.schemas.enable", "false")]);

    let cpu = cpu_s(daemon.pid());
    daemon.create(&database.name, &config);
    let snapshot_s = drain(&kafka, &topic, rows);
    println!(
        "snapshot: {:.0} rows/s, {:.2} CPU-seconds a million",
        rows as f64 / snapshot_s,
        per_million(cpu_s(daemon.pid()) - cpu, rows)
    );

    database.wait_streamed(true);
    database.cell("select pg_create_logical_replication_slot('yardstick', 'pgoutput')");
    daemon.rest("PUT", &format!("/connectors/{}/stop", database.name), None);
    database.wait_streamed(false);
    // Transactions of a thousand rows.
    database.run(&format!(
        "do $$ begin for n in 0..{rows} / 1000 - 1 loop
           insert into t select i, 'customer ' || i, md5(i::text), i / 7.0, now() from generate_series({rows} + n * 1000 + 1, {rows} + n * 1000 + 1000) i;
           commit;
         end loop; end $$"
    ));
    let streamed = rows / 1000 * 1000;
    let yardstick_s = recvlogical(&database, "yardstick");
    let cpu = cpu_s(daemon.pid());
    daemon.rest("PUT", &format!("/connectors/{}/resume", database.name), None);
    let stream_s = drain(&kafka, &topic, rows + streamed);
    println!("pg_recvlogical: {:.0} events/s", streamed as f64 / yardstick_s);
    println!(
        "streaming: {:.0} events/s, {:.2} of pg_recvlogical, {:.2} CPU-seconds a million",
        streamed as f64 / stream_s,
        yardstick_s / stream_s,
        per_million(cpu_s(daemon.pid()) - cpu, streamed)
    );
    println!("peak memory: {:.0} MB", peak_mb(daemon.pid()));
}

fn per_million(seconds: f64, events: i64) -> f64 {
    seconds / events as f64 * 1e6
}
