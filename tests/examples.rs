//! Every file under `examples/` is created as a connector, with only the server and the names replaced, and must run.
//! The example that needs TLS is only validated, and may complain about nothing but its database.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::path::PathBuf;
use std::time::Duration;

use rig::{Daemon, Database, Options};
use serde_json::{Value, json};

/// Examples that need a server with TLS or a broker with SCRAM.
const NEEDS_MORE: [&str; 1] = ["postgres-tls-scram.json"];

/// The tables that the examples name.
const TABLES: &str = "create table customers(id int primary key, email text, card_number text, password text);
    create table orders(id int primary key, comment text);
    create table heartbeat(id int primary key, at timestamptz);
    insert into customers values (1, 'a@b.c', '4111111111111111', 'p'); insert into orders values (1, 'c')";

fn directory() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples")
}

fn files() -> Vec<String> {
    let names = std::fs::read_dir(directory()).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        names.filter(|name| std::path::Path::new(name).extension().is_some_and(|ends| ends == "json")).collect();
    names.sort();
    names
}

#[test]
fn the_readme_names_each_once() {
    let text = std::fs::read_to_string(directory().join("README.md")).unwrap();
    let rows = text.lines().filter_map(|line| Some(line.strip_prefix("| `")?.split('`').next()?.to_owned()));
    let mut named: Vec<String> = rows.collect();
    named.sort();
    assert_eq!(named, files());
}

#[test]
fn each_is_taken_and_runs() {
    let daemon = Daemon::start(Options::new("examples"));
    for file in files() {
        let database = Database::create("example");
        database.run(TABLES);
        let mut body: Value = serde_json::from_str(&std::fs::read_to_string(directory().join(&file)).unwrap()).unwrap();
        let config = body["config"].as_object_mut().unwrap();
        let (host, port) = database.address();
        for (key, value) in [
            ("database.hostname", host),
            ("database.port", port),
            ("database.user", "postgres"),
            ("database.dbname", &database.name),
            ("topic.prefix", &database.name),
            ("slot.name", &database.name),
            ("publication.name", &database.name),
        ] {
            config.insert(key.to_owned(), json!(value));
        }
        if NEEDS_MORE.contains(&file.as_str()) {
            config.insert("name".to_owned(), json!(database.name));
            let answer = daemon.rest(
                "PUT",
                "/connector-plugins/PostgresConnector/config/validate",
                Some(&Value::Object(config.clone())),
            );
            assert_eq!(answer.status, 200, "{file}: {}", answer.text);
            for one in answer.json()["configs"].as_array().unwrap() {
                // A key that is only an alias of an earlier key has a definition and no value.
                let Some(name) = one["value"]["name"].as_str() else { continue };
                let errors = one["value"]["errors"].to_string();
                assert!(errors == "[]" || name.starts_with("database."), "{file}: {name}: {errors}");
            }
            continue;
        }
        let name = body["name"].as_str().unwrap().to_owned();
        let answer = daemon.rest("POST", "/connectors", Some(&body));
        assert_eq!(answer.status, 201, "{file}: {}", answer.text);
        daemon.wait_task(&name, "RUNNING", Duration::from_secs(30));
        database.wait_streamed(true);
        assert_eq!(daemon.rest("DELETE", &format!("/connectors/{name}"), None).status, 204, "{file}");
        database.wait_streamed(false);
    }
}
