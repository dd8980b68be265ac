//! XA transactions of MySQL and MariaDB while the daemon is killed between their two phases.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::{Duration, Instant};

use rig::{Daemon, Kafka, MySqlDatabase, Options, Product, wait_until};
use serde_json::Value;

const PATIENCE: Duration = Duration::from_secs(60);
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";

/// The keys of the rows on the topic, in the order of their first record.
fn keys(kafka: &Kafka, topic: &str) -> Vec<i64> {
    let key = |bytes: &[u8]| serde_json::from_slice::<Value>(bytes).unwrap()["id"].as_i64().unwrap();
    let mut keys: Vec<i64> = Vec::new();
    for key in kafka.consume(topic).iter().map(|message| key(message.key.as_ref().unwrap())) {
        if !keys.contains(&key) {
            keys.push(key);
        }
    }
    keys
}

/// Prepares a transaction that inserts rows, on a connection that ends then.
fn prepare(database: &MySqlDatabase, xid: &str, rows: &str) {
    let session = database.session();
    session.run(&format!("xa start {xid}; insert into t values {rows}; xa end {xid}; xa prepare {xid}"));
}

/// Ends a prepared transaction. The server gives it to other connections only when it has seen the end of its own.
#[track_caller]
fn end(database: &MySqlDatabase, how: &str, xid: &str) {
    let session = database.session();
    wait_until(&format!("xa {how} {xid}"), PATIENCE, || session.try_run(&format!("xa {how} {xid}")).is_ok());
}

/// The daemon is killed while three transactions are prepared. One is committed while it is down; of the others one is
/// committed and one rolled back when it runs again.
#[track_caller]
fn survive(product: Product) {
    let options = Options::new("xa");
    let offsets = format!("{}-offsets", options.group);
    let mut daemon = Daemon::start(options);
    let database = MySqlDatabase::create(product, "xa");
    database.run("create table t(id int primary key); insert into t values (1)");
    let config = database.connector(&[
        ("key.converter", JSON),
        ("key.converter.schemas.enable", "false"),
        ("value.converter", JSON),
    ]);
    daemon.create(&database.name, &config);
    database.wait_reader_after(0);
    let (kafka, topic) = (Kafka::shared(), format!("{0}.{0}.t", database.name));
    let xid = |letter: &str| format!("'{}{letter}'", database.name);
    prepare(&database, &xid("a"), "(10), (11)");
    prepare(&database, &xid("b"), "(20)");
    database.run("insert into t values (2)");
    prepare(&database, &xid("c"), "(30)");
    database.run("insert into t values (3)");
    wait_until("the rows between", PATIENCE, || keys(&kafka, &topic).len() >= 3);
    assert_eq!(keys(&kafka, &topic), [1, 2, 3], "what is prepared is not sent");
    // Offsets are stored once a second: then the position behind the prepared transactions has been.
    let (mut stored, mut since) = (0, Instant::now());
    wait_until("nothing more is stored", PATIENCE, || {
        let now = kafka.length(&offsets);
        if now != stored {
            (stored, since) = (now, Instant::now());
        }
        since.elapsed() > Duration::from_millis(1500)
    });
    let reader = database.reader();
    daemon.kill();
    end(&database, "commit", &xid("c"));
    database.run("insert into t values (4)");
    daemon.spawn();
    database.wait_reader_after(reader);
    wait_until("the row that was written meanwhile", PATIENCE, || keys(&kafka, &topic).contains(&4));
    end(&database, "rollback", &xid("b"));
    end(&database, "commit", &xid("a"));
    database.run("insert into t values (5)");
    wait_until("the last row", PATIENCE, || keys(&kafka, &topic).contains(&5));
    assert_eq!(keys(&kafka, &topic), [1, 2, 3, 30, 4, 10, 11, 5]);
}

#[test]
fn prepared_transactions_of_mysql() {
    survive(Product::MySql);
}

#[test]
fn prepared_transactions_of_mariadb() {
    survive(Product::MariaDb);
}
