//! Many connectors, and one for a long time: memory stays within its bound, and open files, threads and connections of servers
//! come back to what they were. The long forms are those of `make test-long`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rig::{Daemon, Database, Footprint, Kafka, MySqlDatabase, Options, Product, wait_until};
use serde_json::{Map, Value};

const PATIENCE: Duration = Duration::from_secs(120);

/// These tests measure: one at a time.
static ALONE: Mutex<()> = Mutex::new(());

fn alone() -> MutexGuard<'static, ()> {
    ALONE.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What 50 connectors may use, of which ten are busy.
const LIMIT_MIB: u64 = 256;

/// What is shared, and so does not depend on how many there are: the byte budget and the producers' queues (16 and 8 MiB), and what
/// librdkafka and the allocator hold beside it, which differs by 20 MiB from run to run.
const SHARED_MIB: u64 = 104;

/// A connector of this database for one table, with its own slot, publication and topics.
fn connector(database: &Database, name: &str, table: &str) -> Map<String, Value> {
    let table = format!("public.{table}");
    database.connector(&[
        ("slot.name", name),
        ("publication.name", name),
        ("topic.prefix", name),
        ("table.include.list", &table),
    ])
}

/// Of 50 connectors ten are written to as fast as they go. The short form has 20, of which four are busy, and as large a part
/// of the memory that is not shared.
#[test]
fn many_connectors_share_one_budget() {
    let _alone = alone();
    let (count, busy, seconds) = if rig::long() { (50, 10, 45) } else { (20, 4, 10) };
    let daemon = Daemon::start(Options::new("many"));
    let alone = Footprint::of(daemon.pid());
    let database = Database::create("many");
    let names: Vec<String> = (0..count).map(|n| format!("{}_{n}", database.name)).collect();
    for (n, name) in names.iter().enumerate() {
        database.run(&format!("create table t{n}(id int primary key, v text); insert into t{n} values (0, 'copied')"));
        daemon.create(name, &connector(&database, name, &format!("t{n}")));
    }
    let kafka = Kafka::shared();
    let topic = |n: usize| format!("{}.public.t{n}", names[n]);
    for (n, name) in names.iter().enumerate() {
        daemon.wait_task(name, "RUNNING", PATIENCE);
        wait_until("the copy is there", PATIENCE, || kafka.length(&topic(n)) == 1);
    }
    println!("{count} connectors at rest: {}; none: {alone}", Footprint::of(daemon.pid()));
    let over = Arc::new(AtomicBool::new(false));
    let writers: Vec<_> = (0..busy)
        .map(|n| {
            let (session, over) = (database.session(), Arc::clone(&over));
            std::thread::spawn(move || {
                let mut last = 0;
                while !over.load(Ordering::Relaxed) {
                    let (from, to) = (last + 1, last + 1000);
                    session.run(&format!(
                        "insert into t{n} select i, repeat('x', 400) from generate_series({from}, {to}) i"
                    ));
                    last = to;
                }
                last
            })
        })
        .collect();
    let end = Instant::now() + Duration::from_secs(seconds);
    while Instant::now() < end {
        std::thread::sleep(Duration::from_millis(500));
        let now = Footprint::of(daemon.pid());
        assert!(now.peak_kib / 1024 <= LIMIT_MIB, "{now}");
    }
    over.store(true, Ordering::Relaxed);
    let written: Vec<i64> = writers.into_iter().map(|writer| writer.join().unwrap()).collect();
    for (n, written) in written.iter().enumerate() {
        wait_until("all rows come", PATIENCE * 2, || kafka.length(&topic(n)) > *written);
    }
    // The quiet ones are as quick as ever.
    for n in busy..count {
        database.run(&format!("insert into t{n} values (1, 'late')"));
    }
    for (n, name) in names.iter().enumerate().skip(busy) {
        wait_until("the row of a quiet table comes", Duration::from_secs(30), || kafka.length(&topic(n)) == 2);
        assert_eq!(daemon.task(name), ("RUNNING".to_owned(), String::new()), "{name}");
    }
    let now = Footprint::of(daemon.pid());
    println!("{count} connectors, {busy} busy, {} rows: {now}", written.iter().sum::<i64>());
    let fixed = alone.peak_kib + SHARED_MIB * 1024;
    let share = fixed + (LIMIT_MIB * 1024 - fixed) * count as u64 / 50;
    assert!(now.peak_kib <= share, "{now}, and {} MiB are the limit", share / 1024);
}

/// The sessions of the connectors on both servers.
fn sessions(postgres: &Database, mysql: &MySqlDatabase) -> (usize, usize) {
    let all = "select count(*) from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()";
    (postgres.cell(all).parse().unwrap(), mysql.sessions())
}

/// Connectors are made, paused, stopped, restarted, fail and are deleted, again and again.
#[test]
fn nothing_is_left_of_connectors_that_are_gone() {
    let _alone = alone();
    let (warm, rounds) = if rig::long() { (10, 200) } else { (4, 12) };
    let daemon = Daemon::start(Options::new("rounds"));
    let (postgres, mysql) = (Database::create("rounds"), MySqlDatabase::create(Product::MySql, "rounds"));
    postgres.run("create table t(id int primary key); insert into t values (1)");
    mysql.run("create table t(id int primary key); insert into t values (1); create table nudge(id serial)");
    let before = sessions(&postgres, &mysql);
    let mut base = None;
    for round in 0..warm + rounds {
        one_round(&daemon, &postgres, &mysql, round);
        wait_until("the servers have no session of it", PATIENCE, || {
            // MySQL notices that a reader is gone when it has something to send to it.
            mysql.run("insert into nudge values ()");
            sessions(&postgres, &mysql) == before
        });
        if round + 1 == warm {
            base = Some(Footprint::of(daemon.pid()));
        }
    }
    let base = base.unwrap();
    let settled = |now: Footprint| now.files <= base.files + 2 && now.threads <= base.threads + 2;
    wait_until("files and threads are given back", Duration::from_secs(30), || settled(Footprint::of(daemon.pid())));
    let now = Footprint::of(daemon.pid());
    println!("{rounds} rounds: {base}, then {now}");
    // 40 KiB a round would be a leak: 8 MiB after 200 rounds. An allocator keeps some of what was freed.
    let grown_kib = now.resident_kib.saturating_sub(base.resident_kib);
    assert!(grown_kib <= 8 * 1024, "{grown_kib} KiB more after {rounds} rounds");
}

fn one_round(daemon: &Daemon, postgres: &Database, mysql: &MySqlDatabase, round: usize) {
    let (pg, my) = (&postgres.name, &mysql.name);
    let call = |method: &str, path: &str, name: &str, status: u16| {
        let answer = daemon.rest(method, &format!("/connectors/{name}{path}"), None);
        assert_eq!(answer.status, status, "{method} {path}: {}", answer.text);
    };
    daemon.create(pg, &postgres.connector(&[]));
    daemon.create(my, &mysql.connector(&[]));
    for name in [pg, my] {
        daemon.wait_task(name, "RUNNING", PATIENCE);
    }
    postgres.wait_streamed(true);
    match round % 4 {
        0 => {
            for name in [pg, my] {
                call("PUT", "/pause", name, 202);
                daemon.wait_task(name, "PAUSED", PATIENCE);
                call("PUT", "/resume", name, 202);
                daemon.wait_task(name, "RUNNING", PATIENCE);
            }
        }
        1 => {
            for name in [pg, my] {
                call("POST", "/restart?includeTasks=true", name, 202);
                daemon.wait_task(name, "RUNNING", PATIENCE);
            }
        }
        2 => {
            // It fails: its slot is taken from it, and its publication is gone when it comes back.
            postgres.run(&format!("drop publication {pg}"));
            postgres.run(&format!("insert into t values ({})", round + 10));
            daemon.wait_task(pg, "FAILED", PATIENCE);
        }
        _ => {
            for name in [pg, my] {
                call("PUT", "/stop", name, 204);
            }
            postgres.wait_streamed(false);
        }
    }
    // The offset goes with the slot: one without the other would be a loss.
    call("PUT", "/stop", pg, 204);
    call("DELETE", "/offsets", pg, 200);
    for name in [pg, my] {
        call("DELETE", "", name, 204);
    }
    postgres.wait_streamed(false);
    postgres.run(&format!("select pg_drop_replication_slot('{pg}')"));
    postgres.run(&format!("drop publication if exists {pg}"));
    for name in [pg, my] {
        wait_until("it is gone", PATIENCE, || daemon.rest("GET", &format!("/connectors/{name}"), None).status == 404);
    }
}

/// Connectors of both databases under an even load: nothing grows.
#[test]
fn an_even_load_costs_the_same_all_the_time() {
    let _alone = alone();
    let seconds = if rig::long() { 1200 } else { 30 };
    let daemon = Daemon::start(Options::new("soak"));
    let (postgres, mysql) = (Database::create("soak"), MySqlDatabase::create(Product::MySql, "soak"));
    postgres.run("create table t(id int primary key, v text)");
    mysql.run("create table t(id int primary key, v text)");
    daemon.create(&postgres.name, &postgres.connector(&[("heartbeat.interval.ms", "1000")]));
    daemon.create(&mysql.name, &mysql.connector(&[("heartbeat.interval.ms", "1000")]));
    postgres.wait_streamed(true);
    mysql.wait_reader_after(0);
    let (over, last) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicI64::new(0)));
    let writer = {
        let (over, last) = (Arc::clone(&over), Arc::clone(&last));
        let (of_postgres, of_mysql) = (postgres.session(), mysql.session());
        std::thread::spawn(move || {
            while !over.load(Ordering::Relaxed) {
                let from = last.load(Ordering::Relaxed);
                let rows: Vec<String> = (from + 1..=from + 50).map(|id| format!("({id}, repeat('y', 200))")).collect();
                let insert = format!("insert into t values {}", rows.join(", "));
                of_postgres.run(&insert);
                of_mysql.run(&insert);
                let delete = format!("delete from t where id <= {}", from - 1000);
                of_postgres.run(&delete);
                of_mysql.run(&delete);
                last.store(from + 50, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(20));
            }
        })
    };
    let (mut seen, began) = (Vec::new(), Instant::now());
    while began.elapsed() < Duration::from_secs(seconds) {
        std::thread::sleep(Duration::from_secs(seconds) / 60);
        seen.push((Footprint::of(daemon.pid()), sessions(&postgres, &mysql)));
        for name in [&postgres.name, &mysql.name] {
            assert_eq!(daemon.task(name).0, "RUNNING");
        }
    }
    over.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    let kafka = Kafka::shared();
    let all = last.load(Ordering::Relaxed);
    for topic in [format!("{}.public.t", postgres.name), format!("{0}.{0}.t", mysql.name)] {
        wait_until("all rows come", PATIENCE, || kafka.length(&topic) >= all);
    }
    // The first third is for caches to fill.
    let (first, later) = (&seen[seen.len() / 3..seen.len() / 2], &seen[seen.len() * 4 / 5..]);
    let most = |part: &[(Footprint, (usize, usize))], of: fn(&(Footprint, (usize, usize))) -> i64| {
        part.iter().map(of).max().unwrap()
    };
    println!("{all} rows in {seconds} s; first {}, last {}", seen[0].0, seen.last().unwrap().0);
    for (what, of, more) in [
        ("files", (|s: &(Footprint, (usize, usize))| s.0.files as i64) as fn(&(Footprint, (usize, usize))) -> i64, 2),
        ("threads", |s| s.0.threads as i64, 2),
        // One that asks how much log the server keeps comes and goes every minute.
        ("sessions of PostgreSQL", |s| s.1.0 as i64, 1),
        ("sessions of MySQL", |s| s.1.1 as i64, 1),
        ("KiB of memory", |s| s.0.resident_kib as i64, 4096),
    ] {
        let (then, now) = (most(first, of), most(later, of));
        assert!(now <= then + more, "{what}: {then}, and later {now}");
    }
}
