//! The replication connection against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use std::time::Duration;

use bytes::BytesMut;
use postgres::slot::{Slot, SlotOptions};
use postgres::sql::Sql;
use postgres::wire::frames::{Frames, StreamMessage, stream_message};
use postgres::wire::{Replication, error_in_stream, loss_in_stream};
use postgres::{Error, Lsn, slot};
use rig::Database;
use tokio::time::{sleep, timeout};

fn pgoutput() -> Vec<(String, String)> {
    vec![("proto_version".into(), "1".into()), ("publication_names".into(), "\"p\"".into())]
}

fn wanted(name: &str) -> SlotOptions {
    SlotOptions { name: name.into(), failover: true, max_retries: 0, retry_delay: Duration::ZERO }
}

/// Reads until `enough` accepts the kinds of the pgoutput messages so far; gives these kinds and the end of the log.
async fn read_until(stream: &mut Replication, buffer: &mut BytesMut, enough: impl Fn(&str) -> bool) -> (String, Lsn) {
    let (mut kinds, mut end) = (String::new(), Lsn::INVALID);
    let reading = async {
        while !enough(&kinds) {
            stream.fill(buffer).await.unwrap();
            while stream.try_fill(buffer).unwrap().is_some() {}
            let mut frames = Frames::new(buffer);
            for frame in frames.by_ref() {
                let frame = frame.unwrap();
                assert_eq!(frame.tag, b'd');
                match stream_message(&buffer[frame.payload]).unwrap() {
                    StreamMessage::XLogData { data, end: at, clock_us, .. } => {
                        kinds.push(char::from(data[0]));
                        end = end.max(at);
                        assert!(clock_us > 0);
                    }
                    StreamMessage::Keepalive { end: at, .. } => end = end.max(at),
                }
            }
            let consumed = frames.consumed();
            let _ = buffer.split_to(consumed);
        }
    };
    timeout(Duration::from_secs(20), reading).await.expect("the stream is silent");
    (kinds, end)
}

async fn confirmed(sql: &Sql, slot: &str) -> Lsn {
    sql.slot(slot).await.unwrap().unwrap().confirmed_flush_lsn.unwrap()
}

#[tokio::test]
async fn a_change_arrives_and_its_position_is_confirmed() {
    let database = Database::fresh("wire_stream").await;
    database.sql("CREATE TABLE t (id int PRIMARY KEY, v text); CREATE PUBLICATION p FOR TABLE t").await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let mut stream = Replication::connect(&database.options).await.unwrap();
    assert!(stream.pid() > 0 && stream.server_version() >= 120_000);
    let made = slot::ensure(&mut stream, &sql, &wanted("wire_stream"), |_| {}).await.unwrap();
    let Slot::Created(created) = &made else { panic!("{made:?}") };
    assert!(created.consistent_point.is_valid() && created.snapshot_name.is_some());
    let again = slot::find(&sql, "wire_stream").await.unwrap().unwrap();
    assert_eq!(again.confirmed_flush_lsn, Some(created.consistent_point));

    stream.start("wire_stream", created.consistent_point, &pgoutput()).await.unwrap();
    // One transaction longer than any read buffer, then a small one.
    database.sql("INSERT INTO t SELECT n, repeat('x', 1000) FROM generate_series(1, 2000) n").await;
    database.sql("UPDATE t SET v = 'y' WHERE id = 1").await;
    let mut buffer = BytesMut::new();
    let (kinds, end) = read_until(&mut stream, &mut buffer, |kinds| kinds.matches('C').count() == 2).await;
    assert_eq!(kinds, format!("BR{}CBUC", "I".repeat(2000)));
    assert_eq!(stream.try_fill(&mut buffer).unwrap(), None);

    assert_eq!(confirmed(&sql, "wire_stream").await, created.consistent_point);
    stream.send_status(end, end, end, false).await.unwrap();
    for _ in 0..100 {
        if confirmed(&sql, "wire_stream").await == end {
            break;
        }
        sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(confirmed(&sql, "wire_stream").await, end);

    // A second reader is told who has the slot, with an error that may pass.
    let mut second = Replication::connect(&database.options).await.unwrap();
    let taken = second.start("wire_stream", end, &pgoutput()).await.unwrap_err();
    let Error::StreamStart { cause, .. } = &taken else { panic!("{taken:?}") };
    assert!(matches!(**cause, Error::SlotTaken { ref owner, .. } if owner.pid == Some(stream.pid())), "{taken}");
    assert!(taken.is_transient());
    assert!(taken.trace().contains("\nCaused by: org.postgresql.util.PSQLException: ERROR: replication slot"));

    stream.finish(&mut buffer, Duration::from_secs(10)).await.unwrap();
    second.start("wire_stream", end, &pgoutput()).await.unwrap();
    second.finish(&mut BytesMut::new(), Duration::from_secs(10)).await.unwrap();
    slot::drop_slot(&sql, "wire_stream").await.unwrap();
    slot::drop_slot(&sql, "wire_stream").await.unwrap();
    database.remove().await;
}

#[tokio::test]
async fn an_error_inside_the_stream_is_a_frame() {
    let database = Database::fresh("wire_error").await;
    database.sql("CREATE TABLE t (id int PRIMARY KEY)").await;
    let mut stream = Replication::connect(&database.options).await.unwrap();
    let created = stream.create_slot("wire_error", "pgoutput", false).await.unwrap();
    stream.start("wire_error", created.consistent_point, &pgoutput()).await.unwrap();
    database.sql("INSERT INTO t VALUES (1)").await;
    let mut buffer = BytesMut::new();
    let error = timeout(Duration::from_secs(20), async {
        loop {
            stream.fill(&mut buffer).await.unwrap();
            for frame in Frames::new(&buffer) {
                let frame = frame.unwrap();
                if frame.tag == b'E' {
                    return error_in_stream("wire_error", &buffer[frame.payload]);
                }
                // Since PostgreSQL 18 a missing publication is a warning and no error.
                if let Some(loss) = (frame.tag == b'N').then(|| loss_in_stream(&buffer[frame.payload])).flatten() {
                    return loss;
                }
            }
        }
    });
    let error = error.await.unwrap();
    assert!(matches!(&error, Error::PublicationMissing { publication } if publication == "p"), "{error}");
    assert!(!error.is_transient());
    drop(stream);
    database.remove().await;
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let database = Database::fresh("wire_wrong").await;
    let mut stream = Replication::connect(&database.options).await.unwrap();
    let error = stream.simple_query("SELECT * FROM no_such_table").await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42P01"));
    // The session goes on after an error.
    assert_eq!(
        stream.simple_query("SELECT 1, NULL; SELECT 2").await.unwrap(),
        vec![vec![Some("1".into()), None], vec![Some("2".into())]]
    );
    let error = stream.start("no_such_slot", Lsn(0), &pgoutput()).await.unwrap_err();
    assert_eq!(error.sqlstate(), Some("42704"), "{error}");
    assert!(!error.is_transient());

    let mut options = database.options.clone();
    options.dbname = "no_such_database".into();
    for error in [Replication::connect(&options).await.unwrap_err(), Sql::connect(&options).await.unwrap_err()] {
        assert_eq!(error.sqlstate(), Some("3D000"), "{error}");
        assert!(error.trace().starts_with("org.postgresql.util.PSQLException: FATAL: database"), "{}", error.trace());
    }
    options.port = 1;
    let error = Replication::connect(&options).await.unwrap_err();
    assert!(error.is_transient() && error.trace().contains(" refused. Check that the hostname"), "{}", error.trace());

    database.sql("SELECT pg_create_logical_replication_slot('wire_foreign', 'test_decoding')").await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let error = slot::ensure(&mut stream, &sql, &wanted("wire_foreign"), |_| {}).await.unwrap_err();
    assert!(matches!(&error, Error::SlotUnfit { reason, .. } if reason.contains("test_decoding")), "{error}");
    database.remove().await;
}

#[tokio::test]
async fn settings_are_pinned_against_the_database() {
    let database = Database::fresh("wire_pins").await;
    database
        .sql("ALTER DATABASE wire_pins SET datestyle = 'SQL, DMY'; ALTER DATABASE wire_pins SET intervalstyle = 'sql_standard'; \
              ALTER DATABASE wire_pins SET extra_float_digits = 0; ALTER DATABASE wire_pins SET timezone = 'Asia/Kathmandu'; \
              ALTER DATABASE wire_pins SET bytea_output = 'escape'; ALTER DATABASE wire_pins SET statement_timeout = '1s'; \
              ALTER DATABASE wire_pins SET standard_conforming_strings = off; ALTER DATABASE wire_pins SET lock_timeout = '1s'; \
              ALTER DATABASE wire_pins SET idle_in_transaction_session_timeout = '1s'; \
              ALTER DATABASE wire_pins SET client_encoding = 'LATIN1'")
        .await;
    let show = "SELECT name || '=' || setting FROM pg_settings WHERE name IN ('client_encoding', 'DateStyle', 'IntervalStyle', \
                'TimeZone', 'extra_float_digits', 'bytea_output', 'lc_monetary', 'statement_timeout', 'lock_timeout', \
                'idle_in_transaction_session_timeout', 'idle_session_timeout', 'standard_conforming_strings', \
                'application_name') ORDER BY name COLLATE \"C\"";
    let mut stream = Replication::connect(&database.options.named("Debezium Streaming")).await.unwrap();
    let rows = stream.simple_query(show).await.unwrap();
    let shown: Vec<_> = rows.into_iter().flatten().flatten().collect();
    let mut expect = vec![
        "DateStyle=ISO, YMD",
        "IntervalStyle=iso_8601",
        "TimeZone=UTC",
        "application_name=Debezium Streaming",
        "bytea_output=hex",
        "client_encoding=UTF8",
        "extra_float_digits=3",
        "idle_in_transaction_session_timeout=0",
        "idle_session_timeout=0",
        "lc_monetary=C",
        "lock_timeout=0",
        "standard_conforming_strings=on",
        "statement_timeout=0",
    ];
    if stream.server_version() < 140_000 {
        expect.retain(|line| !line.starts_with("idle_session"));
    }
    assert_eq!(shown, expect);

    let mut options = database.options.clone();
    options.initial_statements = vec!["SET search_path = pg_catalog".into()];
    let sql = Sql::connect(&options).await.unwrap();
    let differ = "DO $$ BEGIN IF current_setting('TimeZone') || current_setting('IntervalStyle') || \
                  current_setting('statement_timeout') || current_setting('search_path') <> 'UTCiso_86010pg_catalog' \
                  THEN RAISE 'not pinned'; END IF; END $$";
    sql.execute("comparing", differ).await.unwrap();
    database.remove().await;
}

#[tokio::test]
async fn creating_a_slot_waits_says_for_whom_and_can_be_given_up() {
    let database = Database::fresh("wire_wait").await;
    database.sql("CREATE TABLE t (id int PRIMARY KEY)").await;
    let holder = Sql::connect(&database.options).await.unwrap();
    holder.execute("test", "BEGIN; INSERT INTO t VALUES (1)").await.unwrap();
    let sql = Sql::connect(&database.options).await.unwrap();

    let mut given_up = Replication::connect(&database.options).await.unwrap();
    let mut told = Vec::new();
    let options = wanted("wire_wait");
    let creation = slot::ensure(&mut given_up, &sql, &options, |open| told = open.to_vec());
    assert!(timeout(Duration::from_millis(2500), creation).await.is_err());
    let who: Vec<_> = told.iter().map(|open| (open.pid, open.database.as_deref())).collect();
    assert_eq!(who, [(Some(holder.pid().await.unwrap()), Some("wire_wait"))], "{told:?}");
    drop(given_up);
    let mut left = sql.slot("wire_wait").await.unwrap();
    for _ in 0..100 {
        if left.is_none() {
            break;
        }
        sleep(Duration::from_millis(50)).await;
        left = sql.slot("wire_wait").await.unwrap();
    }
    assert_eq!(left, None, "the cancelled creation left its slot");

    let mut stream = Replication::connect(&database.options).await.unwrap();
    let creation = slot::ensure(&mut stream, &sql, &options, |_| {});
    let release = async {
        sleep(Duration::from_millis(300)).await;
        holder.execute("test", "COMMIT").await.unwrap();
    };
    let (made, ()) = tokio::join!(timeout(Duration::from_secs(20), creation), release);
    assert!(matches!(made.unwrap().unwrap(), Slot::Created(_)));
    drop(stream);
    database.remove().await;
}
