//! What `validate` says of a server that lacks something, beside what a POST does with the same configuration.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Options, Server, wait_until};
use serde_json::{Map, Value, json};

const PASSWORD: &str = "canary-of-the-password";

/// The errors of a validation, as `key: error`, and the number that the answer gives.
fn errors(daemon: &Daemon, config: &Map<String, Value>) -> (i64, Vec<String>) {
    let path = "/connector-plugins/PostgresConnector/config/validate";
    let answer = daemon.ask("PUT", path, Some(&Value::Object(config.clone()).to_string()));
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains(PASSWORD), "the password is told");
    let body = answer.json();
    let mut found = Vec::new();
    for value in body["configs"].as_array().unwrap().iter().map(|one| &one["value"]) {
        for error in value["errors"].as_array().into_iter().flatten() {
            found.push(format!("{}: {}", value["name"].as_str().unwrap(), error.as_str().unwrap()));
        }
    }
    (body["error_count"].as_i64().unwrap(), found)
}

/// Connect stores such a configuration, because a person may be about to change the server; the task then fails.
#[test]
fn a_server_whose_log_is_not_logical() {
    let server = Server::postgres("replica");
    let database = Database::create_at(server.address(), "level");
    database.run("create table t (id int primary key)");
    let daemon = Daemon::start(Options::new("validate_level"));
    let mut config = database.connector(&[("name", "level")]);
    let wanted = "database.hostname: wal_level of the server is 'replica', logical decoding needs 'logical': ALTER SYSTEM SET \
                  wal_level = 'logical' and restart the server";
    assert_eq!(errors(&daemon, &config), (1, vec![wanted.to_owned()]));
    let created = daemon.ask("POST", "/connectors", Some(&json!({"name": "level", "config": config}).to_string()));
    assert_eq!(created.status, 201, "{}", created.text);
    wait_until("the task fails", Duration::from_secs(30), || {
        daemon.ask("GET", "/connectors/level/status", None).text.contains("wal_level")
    });
    assert_eq!(daemon.ask("DELETE", "/connectors/level", None).status, 204);
    // Rows alone can be copied from such a server.
    config.insert("snapshot.mode".to_owned(), json!("initial_only"));
    assert_eq!(errors(&daemon, &config), (0, Vec::new()));
}

/// What Debezium finds too is an error of both calls.
#[test]
fn a_server_that_lets_nobody_in() {
    let database = Database::create("validate_login");
    let daemon = Daemon::start(Options::new("validate_login"));
    let more = [("name", "x"), ("database.user", "nobody_here"), ("database.password", PASSWORD)];
    let config = database.connector(&more);
    let (count, found) = errors(&daemon, &config);
    assert_eq!((count, found.len()), (1, 1), "{found:?}");
    assert!(found[0].starts_with("database.hostname: Error while validating connector config: "), "{found:?}");
    let created = daemon.ask("POST", "/connectors", Some(&json!({"name": "x", "config": config}).to_string()));
    assert_eq!(created.status, 400, "{}", created.text);
    assert!(!created.text.contains(PASSWORD) && !daemon.log().contains(PASSWORD), "the password is told");
}
