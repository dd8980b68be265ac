//! The dump of the binlog, on both products.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/mod.rs"]
mod rig;

use std::time::{Duration, Instant};

use mysql::sql::Sql;
use mysql::wire::{ConnectOptions, Dump, Replication, Start, TlsMode};
use mysql::{Error, Flavour};
use own::Own;
use rig::{BOTH, Database, Events};

// Types of events (byte 4 of the header).
const QUERY: u8 = 2;
const ROTATE: u8 = 4;
const FORMAT_DESCRIPTION: u8 = 15;
const HEARTBEAT: u8 = 27;
const WRITE_ROWS_V1: u8 = 23;
const WRITE_ROWS: u8 = 30;
const MYSQL_GTID: u8 = 33;
const ANNOTATE_ROWS: u8 = 160;
const MARIADB_GTID: u8 = 162;

fn dump(start: Start, server_id: u32) -> Dump {
    Dump {
        start,
        server_id,
        heartbeat_ms: 0,
        net_write_timeout_s: 0,
        net_read_timeout_s: 0,
        annotate_rows: false,
        until_end: true,
    }
}

async fn here(sql: &mut Sql) -> Start {
    let status = sql.binlog_status().await.unwrap();
    Start::Position { file: status.file, position: status.position }
}

/// The start behind the transactions that the server has executed.
async fn behind_executed(sql: &mut Sql) -> Start {
    let text = sql.gtid_executed().await.unwrap().unwrap_or_default();
    match sql.flavour() {
        Flavour::MariaDb => Start::MariaDbGtids(text.parse().unwrap()),
        Flavour::MySql => Start::MySqlGtids(text.parse().unwrap()),
    }
}

fn types(events: &[Vec<u8>]) -> Vec<u8> {
    events.iter().map(|event| event[4]).collect()
}

/// The events whose bytes hold a text.
fn holding(events: &[Vec<u8>], text: &str) -> Vec<u8> {
    let has = |event: &&Vec<u8>| event.windows(text.len()).any(|window| window == text.as_bytes());
    events.iter().filter(has).map(|event| event[4]).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_from_a_position_and_from_a_set() {
    for (number, flavour) in BOTH.into_iter().enumerate() {
        let mut database = Database::fresh(flavour, "wire_dump").await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY, s TEXT)").await;
        let options = rig::server(flavour);
        let (position, set) = (here(&mut database.sql).await, behind_executed(&mut database.sql).await);
        database.run("INSERT INTO t VALUES (1, 'mark-of-a-row')").await;
        for start in [position, set] {
            let dump = Dump { annotate_rows: true, ..dump(start, 8100 + number as u32) };
            let mut events = Events::new(Replication::start(&options, &dump).await.unwrap());
            assert_eq!(events.replication.checksum(), "CRC32");
            let events = events.all().await.unwrap();
            let types = types(&events);
            assert_eq!(types[0], ROTATE, "{types:?}");
            assert!(types.contains(&FORMAT_DESCRIPTION), "{types:?}");
            let gtid = if flavour == Flavour::MySql { MYSQL_GTID } else { MARIADB_GTID };
            assert!(types.contains(&gtid), "{:?}: {types:?}", dump.start);
            let expect: &[u8] = if flavour == Flavour::MySql { &[WRITE_ROWS] } else { &[ANNOTATE_ROWS, WRITE_ROWS_V1] };
            assert_eq!(holding(&events, "mark-of-a-row"), expect, "{types:?}");
            assert_eq!(holding(&events, "CREATE TABLE t (id"), [] as [u8; 0], "{:?}: an earlier statement", dump.start);
            for event in &events {
                // The event's own length and checksum: nothing is missing, and nothing is there too much.
                assert_eq!(u32::from_le_bytes(event[9..13].try_into().unwrap()) as usize, event.len());
                let (body, sum) = event.split_last_chunk::<4>().unwrap();
                assert_eq!(crc32fast::hash(body), u32::from_le_bytes(*sum), "event of type {}", event[4]);
            }
        }
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_of_more_than_a_packet() {
    for (number, flavour) in BOTH.into_iter().enumerate() {
        let mut database = Database::fresh(flavour, "wire_large").await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY, b LONGBLOB)").await;
        let start = here(&mut database.sql).await;
        for (id, length) in [(1, 40_000_000), (2, 16_777_215), (3, 3)] {
            database.run(&format!("INSERT INTO t VALUES ({id}, REPEAT('y', {length}))")).await;
        }
        let mut events =
            Events::new(Replication::start(&rig::server(flavour), &dump(start, 8110 + number as u32)).await.unwrap());
        let events = events.all().await.unwrap();
        let rows: Vec<_> =
            events.iter().filter(|event| matches!(event[4], WRITE_ROWS | WRITE_ROWS_V1)).map(Vec::as_slice).collect();
        assert_eq!(rows.len(), 3);
        for (event, length) in rows.into_iter().zip([40_000_000, 16_777_215, 3]) {
            let (body, sum) = event.split_last_chunk::<4>().unwrap();
            assert_eq!(crc32fast::hash(body), u32::from_le_bytes(*sum));
            assert_eq!(body.iter().rev().take_while(|byte| **byte == b'y').count(), length);
        }
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_idle_server_shows_that_it_lives() {
    for (number, flavour) in BOTH.into_iter().enumerate() {
        let mut root = Sql::connect(&rig::server(flavour)).await.unwrap();
        let start = here(&mut root).await;
        let waiting = Dump { heartbeat_ms: 200, until_end: false, ..dump(start, 8120 + number as u32) };
        let mut events = Events::new(Replication::start(&rig::server(flavour), &waiting).await.unwrap());
        let begin = Instant::now();
        let mut heartbeats = 0;
        while heartbeats < 3 {
            heartbeats += i32::from(events.next().await.unwrap().unwrap()[4] == HEARTBEAT);
            assert!(begin.elapsed() < Duration::from_secs(20));
        }
        // The server lists us.
        let replicas = if flavour == Flavour::MySql { "SHOW REPLICAS" } else { "SHOW SLAVE HOSTS" };
        let listed = root.query("test", replicas).await.unwrap();
        assert!(listed.iter().any(|row| row.number(0) == Some(8120 + number as u32)), "{listed:?}");
        // Somebody kills the connection.
        root.execute("test", &format!("KILL {}", events.replication.connection_id())).await.unwrap();
        let error = loop {
            if let Err(error) = events.next().await {
                break error;
            }
        };
        assert!(error.is_transient(), "{flavour:?}: {error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_replicas_with_one_id() {
    for (number, flavour) in BOTH.into_iter().enumerate() {
        let mut root = Sql::connect(&rig::server(flavour)).await.unwrap();
        let waiting = Dump { until_end: false, heartbeat_ms: 200, ..dump(here(&mut root).await, 8130 + number as u32) };
        let mut first = Events::new(Replication::start(&rig::server(flavour), &waiting).await.unwrap());
        first.next().await.unwrap();
        let mut second = Events::new(Replication::start(&rig::server(flavour), &waiting).await.unwrap());
        second.next().await.unwrap();
        let error = loop {
            if let Err(error) = first.next().await {
                break error;
            }
        };
        assert!(error.is_transient(), "{flavour:?}: {error:?}");
        let id = 8130 + number as u32;
        assert!(matches!(error, Error::ServerIdTaken { server_id, .. } if server_id == id), "{error:?}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_not() {
    for (number, flavour) in BOTH.into_iter().enumerate() {
        let mut root = Sql::connect(&rig::server(flavour)).await.unwrap();
        let start = here(&mut root).await;
        let options = rig::account(&mut root, "wire_no_dump", "SELECT").await;
        let error = Replication::start(&options, &dump(start, 8140 + number as u32)).await.unwrap_err();
        assert!(!error.is_transient() && error.to_string().contains("'wire_no_dump'"), "{error}");
        assert!(error.to_string().contains("REPLICATION SLAVE"), "{error}");
        root.execute("test", "DROP USER 'wire_no_dump'@'localhost'").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_server_no_longer_has() {
    for flavour in BOTH {
        let server = Own::start(flavour, &format!("purged-{flavour:?}"), "server", "");
        let options = ConnectOptions { tls: TlsMode::AnyCertificate, ..rig::options(&server.at) };
        let mut root = Sql::connect(&options).await.unwrap();
        root.execute("test", "CREATE DATABASE d").await.unwrap();
        let (old, old_set) = (here(&mut root).await, behind_executed(&mut root).await);
        root.execute("test", "CREATE TABLE d.t (id INT)").await.unwrap();
        // A dump goes on over a change of files.
        let waiting = Dump { until_end: false, ..dump(old.clone(), 9) };
        let mut before = Events::new(Replication::start(&options, &waiting).await.unwrap());
        assert!(before.replication.is_tls());
        for _ in 0..2 {
            root.execute("test", "FLUSH BINARY LOGS").await.unwrap();
        }
        let file = root.binlog_status().await.unwrap().file;
        let mut seen = Vec::new();
        // At the begin of each file the server says its name.
        while !holding(&seen, &file).contains(&ROTATE) {
            seen.push(before.next().await.unwrap().unwrap());
        }
        assert_eq!(holding(&seen, "CREATE TABLE d.t"), [QUERY]);
        before.replication.close().await;
        let begin = Instant::now();
        // The server keeps a file as long as it believes that a dump reads it.
        while root.binlog_files().await.unwrap().len() > 1 {
            root.execute("test", &format!("PURGE BINARY LOGS TO '{file}'")).await.unwrap();
            assert!(begin.elapsed() < Duration::from_secs(20), "the files are not purged");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        let nowhere = Start::Position { file: file.clone(), position: 1_000_000_000 };
        for start in [old, old_set, nowhere] {
            let mut events = Events::new(Replication::start(&options, &dump(start.clone(), 10)).await.unwrap());
            let error = events.all().await.unwrap_err();
            assert!(matches!(error, Error::BinlogLost { .. }), "{start:?}: {error:?}");
            assert_eq!((error.number(), error.is_transient()), (Some(1236), false));
            let text = error.to_string();
            assert!(text.contains(&start.to_string()) && text.contains("snapshot.mode=when_needed"), "{text}");
        }
    }
}
