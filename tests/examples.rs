//! Every file under `examples/` is created as a connector, with only the server and the names replaced, and must run.
//! The example that needs TLS is only validated, and may complain about nothing but its database.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::path::PathBuf;
use std::time::Duration;

use rig::{Daemon, Database, MySqlDatabase, Options, Product};
use serde_json::{Map, Value, json};

/// Examples that need a server with TLS or a broker with SCRAM.
const NEEDS_MORE: [&str; 1] = ["postgres-tls-scram.json"];

/// The tables that the examples name.
const TABLES: &str = "create table customers(id int primary key, email text, card_number text, password text);
    create table orders(id int primary key, comment text);
    create table heartbeat(id int primary key, at timestamptz);
    insert into customers values (1, 'a@b.c', '4111111111111111', 'p'); insert into orders values (1, 'c')";

/// The tables of the examples of MySQL and MariaDB.
const TABLES_OF_MYSQL: &str =
    "create table customers(id int primary key, email text); insert into customers values (1, 'a@b.c')";

/// Keys whose values are those of the server and of this test's names.
const OF_MYSQL: [&str; 9] = [
    "database.hostname",
    "database.port",
    "database.user",
    "database.password",
    "database.server.id",
    "database.include.list",
    "topic.prefix",
    "schema.history.internal.kafka.bootstrap.servers",
    "schema.history.internal.kafka.topic",
];

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

/// The product of an example's database; none for PostgreSQL.
fn product(config: &Map<String, Value>) -> Option<Product> {
    let class = config["connector.class"].as_str().unwrap();
    Product::BOTH.into_iter().find(|product| class.contains(&format!(".{}.", product.name())))
}

/// Creates a connector, lets `follows` wait until it reads the log, and removes it.
fn runs(daemon: &Daemon, file: &str, body: &Value, follows: impl FnOnce()) {
    let name = body["name"].as_str().unwrap();
    let answer = daemon.rest("POST", "/connectors", Some(body));
    assert_eq!(answer.status, 201, "{file}: {}", answer.text);
    daemon.wait_task(name, "RUNNING", Duration::from_secs(30));
    follows();
    assert_eq!(daemon.rest("DELETE", &format!("/connectors/{name}"), None).status, 204, "{file}");
}

#[test]
fn each_is_taken_and_runs() {
    let daemon = Daemon::start(Options::new("examples"));
    for file in files() {
        let mut body: Value = serde_json::from_str(&std::fs::read_to_string(directory().join(&file)).unwrap()).unwrap();
        let config = body["config"].as_object_mut().unwrap();
        if let Some(product) = product(config) {
            let database = MySqlDatabase::create(product, "example");
            database.run(TABLES_OF_MYSQL);
            for (key, value) in database.connector(&[]) {
                if OF_MYSQL.contains(&key.as_str()) {
                    assert!(config.insert(key.clone(), value).is_some(), "{file} has no {key}");
                }
            }
            runs(&daemon, &file, &body, || database.wait_reader_after(0));
            continue;
        }
        let database = Database::create("example");
        database.run(TABLES);
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
            if let Some(store) = config.get_mut("producer.override.ssl.truststore.location") {
                // The example names a file of the reader's machine, which is opened here.
                *store = json!(concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/tests/data/ca.pem"));
            }
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
        runs(&daemon, &file, &body, || database.wait_streamed(true));
        database.wait_streamed(false);
    }
}
