//! Every release starts from what an earlier one stored: the three internal topics, schema histories, an offset in the middle
//! of a copy, the offset file of stand-alone mode. What each release wrote is kept in `tests/state/VERSION`.
//!
//! `scripts/record-state.sh` writes the folder of the present version, once for each release. Names and addresses in it are
//! marks (`{pg}`), and positions are replaced by those of the test's servers.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rig::{Daemon, Database, Kafka, MySqlDatabase, Options, Place, Product, kafka_address, wait_until};
use serde_json::{Map, Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
/// The connector of stand-alone mode. Its name is fixed, because a file of Java's objects has the lengths of its texts.
const ALONE: &str = "keep-alone";
const TABLE: &str = "create table t(id int primary key, v varchar(10))";
/// Enough that the recorder can kill the daemon in the middle of the copy.
const COPIED: i64 = 200_000;

fn folder(version: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/state").join(version)
}

/// The databases of the connectors, by the marks that stand for their names.
struct Servers {
    postgres: BTreeMap<&'static str, Database>,
    mysql: BTreeMap<&'static str, MySqlDatabase>,
}

impl Servers {
    fn create() -> Self {
        let postgres = ["pg", "copy", "paused", "stopped"].map(|mark| (mark, Database::create(&format!("keep{mark}"))));
        let products = [("my", Product::MySql), ("maria", Product::MariaDb)];
        let mysql = products.map(|(mark, product)| (mark, MySqlDatabase::create(product, &format!("keep{mark}"))));
        Self { postgres: postgres.into(), mysql: mysql.into() }
    }

    fn config(&self, mark: &str) -> Map<String, Value> {
        let more = [
            ("key.converter", JSON),
            ("key.converter.schemas.enable", "false"),
            ("value.converter", JSON),
            ("value.converter.schemas.enable", "false"),
        ];
        match self.postgres.get(mark) {
            Some(database) => database.connector(&more),
            None => self.mysql[mark].connector(&more),
        }
    }

    fn name(&self, mark: &str) -> &str {
        self.postgres.get(mark).map_or_else(|| &*self.mysql[mark].name, |database| &*database.name)
    }

    /// Every mark with the text that it stands for. The longer texts come first.
    fn marks(&self) -> Vec<(String, String)> {
        let (_, port) = self.postgres["pg"].address();
        let mut all = vec![
            ("{kafka}".to_owned(), kafka_address()),
            ("{pg port}".to_owned(), format!("\"database.port\":\"{port}\"")),
        ];
        for (mark, database) in &self.mysql {
            let config = database.connector(&[]);
            for key in ["database.port", "database.server.id"] {
                all.push((format!("{{{mark} {key}}}"), format!("\"{key}\":{}", config[key])));
            }
            all.push((format!("{{{mark}}}"), database.name.clone()));
        }
        all.extend(self.postgres.iter().map(|(mark, database)| (format!("{{{mark}}}"), database.name.clone())));
        all
    }

    fn run(&self, mark: &str, sql: &str) {
        match self.postgres.get(mark) {
            Some(database) => database.run(sql),
            None => self.mysql[mark].run(sql),
        }
    }

    fn topic(&self, mark: &str) -> String {
        let name = self.name(mark);
        if self.postgres.contains_key(mark) { format!("{name}.public.t") } else { format!("{name}.{name}.t") }
    }
}

/// The records of a topic: key and value as text.
fn texts(kafka: &Kafka, topic: &str) -> Vec<(Option<String>, Option<String>)> {
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    kafka.consume(topic).into_iter().map(|m| (m.key.map(text), m.value.map(text))).collect()
}

/// The stored offset of a connector.
fn offset(daemon: &Daemon, name: &str) -> Value {
    daemon.rest("GET", &format!("/connectors/{name}/offsets"), None).json()["offsets"][0]["offset"].clone()
}

/// The end of the database's log.
fn end_of_log(database: &Database) -> i64 {
    database.cell("select (pg_current_wal_insert_lsn() - '0/0')::bigint").parse().unwrap()
}

const LOGS: [&str; 3] = ["configs", "offsets", "status"];

#[test]
#[ignore = "scripts/record-state.sh runs it, once for each release"]
fn record_this_release() {
    let to = folder(env!("CARGO_PKG_VERSION"));
    std::fs::create_dir_all(&to).unwrap();
    let (servers, kafka) = (Servers::create(), Kafka::shared());
    let options = Options::new("keep");
    let group = options.group.clone();
    let mut daemon = Daemon::start(options);
    for mark in ["pg", "paused", "stopped", "my", "maria"] {
        servers.run(mark, &format!("{TABLE}; insert into t values (1, 'copied')"));
        let (name, topic) = (servers.name(mark), servers.topic(mark));
        daemon.create(name, &servers.config(mark));
        wait_until("the copy is there", PATIENCE, || kafka.length(&topic) == 1);
        match servers.postgres.get(mark) {
            Some(database) => database.wait_streamed(true),
            None => servers.mysql[mark].wait_reader_after(0),
        }
        servers.run(mark, "insert into t values (2, 'streamed')");
        wait_until("the streamed row is there", PATIENCE, || kafka.length(&topic) == 2);
        let is_of_the_stream =
            |offset: &Value| offset["snapshot"].is_null() && !offset["ts_usec"].is_null() || offset["ts_sec"].is_u64();
        wait_until("the offset is stored", PATIENCE, || is_of_the_stream(&offset(&daemon, name)));
    }
    for (mark, call, state) in [("paused", "pause", "PAUSED"), ("stopped", "stop", "STOPPED")] {
        let name = servers.name(mark);
        assert!(daemon.rest("PUT", &format!("/connectors/{name}/{call}"), None).is_ok());
        wait_until(state, PATIENCE, || {
            daemon.rest("GET", &format!("/connectors/{name}/status"), None).json()["connector"]["state"] == state
        });
    }
    servers
        .run("copy", &format!("{TABLE}; insert into t select i, repeat('x', 10) from generate_series(1, {COPIED}) i"));
    daemon.create(servers.name("copy"), &servers.config("copy"));
    wait_until("the copy has begun", PATIENCE, || kafka.length(&servers.topic("copy")) > 0);
    daemon.kill();
    assert!(kafka.length(&servers.topic("copy")) < COPIED, "the copy was over");
    let mut lines = Vec::new();
    let mut put = |log: &str, records: Vec<(Option<String>, Option<String>)>| {
        for (key, value) in records {
            let mut line = json!({"log": log, "key": key, "value": value}).to_string();
            for (mark, text) in servers.marks() {
                line = line.replace(&text, &mark).replace(&text.replace('"', "\\\""), &mark);
            }
            lines.push(line + "\n");
        }
    };
    for log in LOGS {
        put(log, texts(&kafka, &format!("{group}-{log}")));
    }
    for mark in ["my", "maria"] {
        put(&format!("history {mark}"), texts(&kafka, &format!("history.{}", servers.name(mark))));
    }
    std::fs::write(to.join("topics.jsonl"), lines.concat()).unwrap();

    let file = to.join("offsets.dat");
    // A file that is there would be continued.
    let _ = std::fs::remove_file(&file);
    let mut daemon = Daemon::start(Options { file: Some(file), ..Options::new("keepalone") });
    let database = Database::create("keepalone");
    database.run(&format!("{TABLE}; insert into t values (1, 'copied')"));
    daemon.create(ALONE, &alone(&database));
    database.wait_streamed(true);
    database.run("insert into t values (2, 'streamed')");
    wait_until("the offset is stored", PATIENCE, || {
        offset(&daemon, ALONE)["lsn"].as_i64() >= Some(end_of_log(&database))
    });
    daemon.kill();
}

fn alone(database: &Database) -> Map<String, Value> {
    database.connector(&[("topic.prefix", ALONE)])
}

/// A stored offset of PostgreSQL, moved so that its `lsn` is `to`.
fn moved(offset: &str, to: i64) -> String {
    let mut offset: Value = serde_json::from_str(offset).unwrap();
    let by = to - offset["lsn"].as_i64().unwrap();
    for key in ["lsn", "lsn_proc", "lsn_commit", "tx_lsn"] {
        if let Some(lsn) = offset[key].as_i64() {
            offset[key] = Value::from(lsn + by);
        }
    }
    offset.to_string()
}

/// Makes a database as it was when the state was stored, and returns the end of its log then.
fn prepared(database: &Database, slot: &str, rows: &str) -> i64 {
    let name = &database.name;
    database.run(TABLE);
    database.run(&format!("create publication {name} for table t"));
    database.run(&format!("select pg_create_logical_replication_slot('{slot}', 'pgoutput')"));
    database.run(rows);
    end_of_log(database)
}

const TWO: &str = "insert into t values (1, 'copied'); insert into t values (2, 'streamed')";

/// The values of a topic's rows: `op` and the id.
fn ops(kafka: &Kafka, topic: &str) -> Vec<String> {
    let shown = |text: Option<String>| {
        let value: Value = serde_json::from_str(&text.unwrap()).unwrap();
        format!("{} {}", value["op"].as_str().unwrap(), value["after"]["id"])
    };
    texts(kafka, topic).into_iter().map(|(_, value)| shown(value)).collect()
}

fn versions() -> Vec<String> {
    let names = std::fs::read_dir(folder("")).unwrap().map(|entry| entry.unwrap());
    let mut all: Vec<String> =
        names.filter(|entry| entry.path().is_dir()).map(|entry| entry.file_name().into_string().unwrap()).collect();
    all.sort();
    all
}

#[test]
fn the_state_of_each_release_is_there() {
    assert!(
        versions().contains(&env!("CARGO_PKG_VERSION").to_owned()),
        "run scripts/record-state.sh before the release of {}",
        env!("CARGO_PKG_VERSION")
    );
}

#[test]
fn topics_of_each_release_are_continued() {
    for version in versions() {
        topics_are_continued(&version);
    }
}

fn topics_are_continued(version: &str) {
    let (servers, kafka) = (Servers::create(), Kafka::shared());
    let options = Options::new("kept");
    let group = options.group.clone();
    // The first start makes the internal topics.
    let mut daemon = Daemon::start(options);
    daemon.kill();
    let mut ends: BTreeMap<&str, i64> = BTreeMap::new();
    for (mark, database) in &servers.postgres {
        let rows = if *mark == "copy" { "insert into t select i, 'x' from generate_series(1, 100) i" } else { TWO };
        ends.insert(mark, prepared(database, &database.name, rows));
    }
    let mut places: BTreeMap<&str, Place> = BTreeMap::new();
    for (mark, database) in &servers.mysql {
        database.run(TABLE);
        database.run(TWO);
        places.insert(mark, Place::now(database));
    }
    let text = std::fs::read_to_string(folder(version).join("topics.jsonl")).unwrap();
    for line in text.lines() {
        let mut line = line.to_owned();
        for (mark, text) in servers.marks() {
            // Most marks stand in a text within the line's JSON.
            line = line.replace(&mark, &text.replace('"', "\\\""));
        }
        let record: Value = serde_json::from_str(&line).unwrap();
        let (log, key) = (record["log"].as_str().unwrap(), record["key"].as_str());
        let mut value = record["value"].as_str().map(str::to_owned);
        let mark_of = |key: &str| {
            servers.postgres.keys().chain(servers.mysql.keys()).copied().find(|mark| key.contains(servers.name(mark)))
        };
        let topic = match (log, log.strip_prefix("history ")) {
            (_, Some(mark)) => {
                value = value.map(|value| places[mark].put_into(&value));
                let topic = format!("history.{}", servers.name(mark));
                if !kafka.topics().iter().any(|(name, _)| *name == topic) {
                    kafka.create_topics(std::slice::from_ref(&topic));
                }
                topic
            }
            ("offsets", _) => {
                let mark = mark_of(key.unwrap()).unwrap();
                value = value.map(|value| match ends.get(mark) {
                    Some(end) => moved(&value, *end),
                    None => places[mark].put_into(&value),
                });
                format!("{group}-offsets")
            }
            (log, _) => format!("{group}-{log}"),
        };
        kafka.produce(&topic, key, value.as_deref());
    }
    for mark in servers.postgres.keys().chain(servers.mysql.keys()).filter(|mark| **mark != "copy") {
        servers.run(mark, "insert into t values (3, 'missed')");
    }
    daemon.spawn();
    let listed = daemon.rest("GET", "/connectors", None).json();
    assert_eq!(listed.as_array().unwrap().len(), 6, "{version}: {listed}");
    for mark in ["pg", "my", "maria"] {
        let came = rig::within(PATIENCE, || kafka.length(&servers.topic(mark)) >= 1);
        assert!(came, "{version}: {mark}: {:?}", daemon.task(servers.name(mark)));
        assert_eq!(ops(&kafka, &servers.topic(mark)), ["c 3"], "{version}: {mark}");
    }
    // A copy that was not finished is made anew.
    wait_until("the copy", PATIENCE, || kafka.length(&servers.topic("copy")) >= 100);
    let all: Vec<String> = (1..=100).map(|id| format!("r {id}")).collect();
    assert_eq!(ops(&kafka, &servers.topic("copy"))[..100], all, "{version}");
    for (mark, state) in [("paused", "PAUSED"), ("stopped", "STOPPED")] {
        let path = format!("/connectors/{}", servers.name(mark));
        assert_eq!(daemon.rest("GET", &format!("{path}/status"), None).json()["connector"]["state"], state);
        assert_eq!(kafka.length(&servers.topic(mark)), 0, "{version}: {mark}");
        assert_eq!(daemon.rest("PUT", &format!("{path}/resume"), None).status, 202);
        wait_until("it goes on", PATIENCE, || kafka.length(&servers.topic(mark)) == 1);
        assert_eq!(ops(&kafka, &servers.topic(mark)), ["c 3"], "{version}: {mark}");
    }
}

/// A file of Java's objects with its values changed. Each text is an array of bytes with its length in front.
fn with_values(bytes: &[u8], change: impl Fn(&str) -> String) -> Vec<u8> {
    let mut out = Vec::new();
    let mut rest = bytes;
    while let Some(at) = rest.windows(2).position(|two| two == b"{\"") {
        let key = rest[..at].ends_with(b",");
        // An array's length: four bytes before its begin. A key is `["name",{…}]`, and is passed over.
        if key {
            let end = at + rest[at..].windows(2).position(|two| two == b"}]").unwrap() + 2;
            out.extend_from_slice(&rest[..end]);
            rest = &rest[end..];
            continue;
        }
        let length = u32::from_be_bytes(rest[at - 4..at].try_into().unwrap()) as usize;
        let value = change(std::str::from_utf8(&rest[at..at + length]).unwrap());
        out.extend_from_slice(&rest[..at - 4]);
        out.extend_from_slice(&(value.len() as u32).to_be_bytes());
        out.extend_from_slice(value.as_bytes());
        rest = &rest[at + length..];
    }
    out.extend_from_slice(rest);
    out
}

#[test]
fn offset_files_of_each_release_are_continued() {
    let kafka = Kafka::shared();
    let topic = format!("{ALONE}.public.t");
    for version in versions() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::create("keptalone");
        let end = prepared(&database, &database.name, TWO);
        let stored = std::fs::read(folder(&version).join("offsets.dat")).unwrap();
        let file = dir.path().join("offsets");
        std::fs::write(&file, with_values(&stored, |value| moved(value, end))).unwrap();
        database.run("insert into t values (3, 'missed')");
        let before = kafka.length(&topic);
        let daemon = Daemon::start(Options { file: Some(file), ..Options::new("keptalone") });
        daemon.create(ALONE, &alone(&database));
        let came = rig::within(PATIENCE, || kafka.length(&topic) > before);
        assert!(came, "{version}: {:?}", daemon.task(ALONE));
        let last = texts(&kafka, &topic).pop().unwrap().1.unwrap();
        let last: Value = serde_json::from_str(&last).unwrap();
        assert_eq!((&last["payload"]["op"], &last["payload"]["after"]["id"]), (&json!("c"), &json!(3)), "{version}");
        assert_eq!(kafka.length(&topic), before + 1, "{version}");
    }
}
