//! MySQL and MariaDB: starts of a connector that must fail, what the task's status says of it, and that it runs once the cause
//! is gone.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Kafka, MySqlDatabase, Options, Product, wait_until, within};

const PATIENCE: Duration = Duration::from_secs(30);
const TABLE: &str = "create table t(id int primary key); insert into t values (1)";

/// How many records the topic of the table has.
fn records(kafka: &Kafka, database: &MySqlDatabase) -> usize {
    kafka.consume(&format!("{0}.{0}.t", database.name)).len()
}

/// Waits until the task has failed with all of these words in its trace, those of one failure.
#[track_caller]
fn wait_failed(daemon: &Daemon, name: &str, words: &[&str]) {
    let mut last = (String::new(), String::new());
    let has_failed = within(PATIENCE, || {
        last = daemon.task(name);
        last.0 == "FAILED" && words.iter().all(|word| last.1.contains(word))
    });
    assert!(has_failed, "wanted FAILED with {words:?}; the task is {}: {}", last.0, last.1);
}

/// Each start names what the account lacks next, until it has all that the connector needs and nothing more.
fn an_account_is_told_what_it_lacks(product: Product, lacks: &[(&str, &[&str])]) {
    let daemon = Daemon::start(Options::new("rights"));
    let database = MySqlDatabase::create(product, "rights");
    let name = database.name.as_str();
    database.run(TABLE);
    let accounts = ["%", "localhost"].map(|host| format!("'{}'@'{host}'", database.user));
    for account in &accounts {
        database.run(&format!("revoke all privileges, grant option from {account}; grant select on *.* to {account}"));
    }
    // No more than one task is made, whatever is asked for.
    daemon.create(name, &database.connector(&[("tasks.max", "2")]));
    for (right, words) in lacks {
        wait_failed(&daemon, name, words);
        for account in &accounts {
            database.run(&format!("grant {right} on *.* to {account}"));
        }
        let restarted = daemon.rest("POST", &format!("/connectors/{name}/tasks/0/restart"), None);
        assert!(restarted.is_ok(), "{}", restarted.text);
    }
    let kafka = Kafka::shared();
    database.wait_reader_after(0);
    database.run("insert into t values (2)");
    wait_until("both rows", PATIENCE, || records(&kafka, &database) == 2);
    let status = daemon.rest("GET", &format!("/connectors/{name}/status"), None).json();
    assert_eq!(status["tasks"].as_array().map(Vec::len), Some(1), "{status}");
    assert_eq!(status["tasks"][0]["state"], "RUNNING", "{status}");
    let tasks = daemon.rest("GET", &format!("/connectors/{name}/tasks"), None).json();
    assert_eq!(tasks.as_array().map(Vec::len), Some(1), "{tasks}");
}

#[test]
fn an_account_of_mysql_is_told_what_it_lacks() {
    an_account_is_told_what_it_lacks(
        Product::MySql,
        &[
            ("lock tables", &["User does not have the 'LOCK TABLES' privilege", "GRANT RELOAD ON *.*"]),
            ("flush_tables", &["you need (at least one of) the RELOAD or FLUSH_TABLES privilege(s)", "GRANT RELOAD"]),
            ("replication client", &["REPLICATION CLIENT privilege(s)", "GRANT ", "reading where the binlog ends"]),
            ("replication slave", &["lacks REPLICATION SLAVE: GRANT REPLICATION SLAVE ON *.*"]),
        ],
    );
}

#[test]
fn an_account_of_mariadb_is_told_what_it_lacks() {
    an_account_is_told_what_it_lacks(
        Product::MariaDb,
        &[
            ("reload", &["RELOAD", "GRANT "]),
            ("binlog monitor", &["BINLOG MONITOR privilege(s)", "GRANT ", "reading where the binlog ends"]),
            ("replication slave", &["lacks REPLICATION SLAVE: GRANT REPLICATION SLAVE ON *.*"]),
        ],
    );
}

/// A start without its schema history is refused, and one with `recovery` makes it anew and goes on where the stored position is.
#[test]
fn a_deleted_history_is_noticed_and_recovered() {
    let daemon = Daemon::start(Options::new("nohistory"));
    let database = MySqlDatabase::create(Product::MySql, "nohistory");
    let name = database.name.as_str();
    database.run(TABLE);
    let (kafka, history) = (Kafka::shared(), format!("history.{name}"));
    daemon.create(name, &database.connector(&[]));
    database.wait_reader_after(0);
    database.run("insert into t values (2)");
    wait_until("both rows", PATIENCE, || records(&kafka, &database) == 2);
    let put = |what: &str| assert!(daemon.rest("PUT", &format!("/connectors/{name}/{what}"), None).is_ok(), "{what}");
    put("stop");
    database.run("insert into t values (3)");
    kafka.delete_topic(&history);
    put("resume");
    let words =
        ["The db history topic is missing. You may attempt to recover it by reconfiguring the connector to recovery."];
    wait_failed(&daemon, name, &words);
    assert!(kafka.topics().iter().all(|(topic, _)| *topic != history), "a start that is refused makes no topic");

    let config = serde_json::Value::Object(database.connector(&[("snapshot.mode", "recovery")]));
    let changed = daemon.rest("PUT", &format!("/connectors/{name}/config"), Some(&config));
    assert!(changed.is_ok(), "{}", changed.text);
    wait_until("the row of the time without a history", PATIENCE, || records(&kafka, &database) == 3);
    assert!(kafka.length(&history) > 0);
}
