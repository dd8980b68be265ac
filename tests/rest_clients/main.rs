//! Clients of the Connect REST API that others wrote, unchanged, each with one connector's life. What they give back is
//! asserted: in `clients.py` for those from PyPI, in `Client.java` for the one from Maven Central. And calls that schemathesis
//! makes up from the OpenAPI document.
//!
//! The clients are fetched by `scripts/setup.sh --rest-clients` into the cache.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

#[path = "../rig/mod.rs"]
mod rig;

use std::path::{Path, PathBuf};
use std::process::Command;

use rig::{Daemon, Database, Options, long, unique};
use serde_json::{Value, json};

/// Where `scripts/setup.sh --rest-clients` puts the clients.
fn home() -> PathBuf {
    let home = std::env::var("AFTERIMAGE_REST_CLIENTS").unwrap_or_else(|_| {
        panic!("AFTERIMAGE_REST_CLIENTS is not set: run the tests with `make test` or scripts/test.sh")
    });
    assert!(Path::new(&home).join("complete").exists(), "{home} is not complete: run scripts/setup.sh --rest-clients");
    PathBuf::from(home)
}

fn sources() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/rest_clients")
}

/// Runs a program to its end, in a folder of its own; it must succeed and end with this line.
#[track_caller]
fn expect(command: &mut Command, last: &str) {
    let dir = tempfile::tempdir().unwrap();
    let out = command.current_dir(dir.path()).output().unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&out.stdout);
    let complained = String::from_utf8_lossy(&out.stderr);
    assert!(
        out.status.success() && said.trim_end().ends_with(last),
        "{command:?}: {}\n{said}\n{complained}",
        out.status
    );
}

/// A daemon with a database of one table, and the file of a connector's configuration.
struct Stage {
    daemon: Daemon,
    database: Database,
    config: tempfile::NamedTempFile,
}

impl Stage {
    fn set(label: &str) -> Self {
        let database = Database::create(label);
        database.run("create table t (id int primary key, v text); insert into t values (1, 'a')");
        let config = tempfile::NamedTempFile::new().unwrap();
        let texts = Value::Object(database.connector(&[("table.include.list", "public.t")]));
        std::fs::write(config.path(), texts.to_string()).unwrap();
        Self { daemon: Daemon::start(Options::new(label)), database, config }
    }
}

#[track_caller]
fn python(client: &str) {
    let stage = Stage::set(&client.replace('-', "_"));
    let mut command = Command::new(home().join("python/bin/python"));
    command.arg(sources().join("clients.py")).arg(client).arg(stage.daemon.url()).arg(unique("named"));
    expect(command.arg(stage.config.path()), &format!("{client}: as expected"));
}

#[test]
fn kafka_connect_py() {
    python("kc");
}

#[test]
fn kafka_connect_api() {
    python("kafka-connect-api");
}

#[test]
fn kafkaconnect() {
    python("kafkaconnect");
}

#[test]
fn kafka_connect_healthcheck() {
    python("healthcheck");
}

#[test]
fn kafka_connect_client_of_java() {
    let stage = Stage::set("java_client");
    let mut command = Command::new("java");
    command.args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"]).arg(home().join("jars/*"));
    command.arg(sources().join("Client.java")).arg(stage.daemon.url()).arg(unique("named"));
    expect(command.arg(stage.config.path()), "kafka-connect-client: as expected");
}

/// Calls that schemathesis makes up: none is answered with an error of the server, or later than after 10 s, and each answer is
/// as the document says.
#[test]
fn calls_that_are_made_up() {
    let stage = Stage::set("made_up");
    // The name of the document's examples, so that some calls find a connector.
    let config = Value::Object(stage.database.connector(&[("table.include.list", "public.t")]));
    let body = json!({"name": "inventory", "config": config}).to_string();
    let created = stage.daemon.ask("POST", "/connectors", Some(&body));
    assert_eq!(created.status, 201, "{}", created.text);
    let mut command = Command::new(home().join("python/bin/python"));
    command.arg(sources().join("made_up.py")).arg(stage.daemon.url()).arg(if long() { "5000" } else { "300" });
    expect(&mut command, "calls were made up: as expected");
    let health = stage.daemon.ask("GET", "/health", None);
    assert_eq!(health.status, 200, "{}", health.text);
}
