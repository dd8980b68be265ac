//! MySQL and MariaDB: a connector that a Java worker ran is continued here, in the middle of a transaction, from the offset
//! and the schema history that Debezium stored; and what is stored here has the form in which Debezium stores it.
//!
//! Debezium's records are in `tests/data/state`. Names and positions in them are replaced by those of the test's server.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use fancy_regex::Regex;
use rig::{Daemon, Kafka, MySqlDatabase, Options, Place, Product, wait_until};
use serde_json::{Map, Value, json};

const PATIENCE: Duration = Duration::from_secs(60);
const JSON: &str = "org.apache.kafka.connect.json.JsonConverter";
/// The table of Debezium's records, as its server shows it.
const KEEP: &str = "create table keep(id int not null, v varchar(10) default null, e enum('a','b') default 'a', \
                    n decimal(10,2) default null, primary key (id))";

/// The records of a file in `tests/data/state`: key and value.
fn state(file: &str) -> Vec<(Option<String>, String)> {
    let path = format!("{}/tests/data/state/{file}.jsonl", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    let record = |line: &str| -> (Option<String>, String) {
        let record: Value = serde_json::from_str(line).unwrap();
        (record["key"].as_str().map(str::to_owned), record["value"].as_str().unwrap().to_owned())
    };
    text.lines().map(record).collect()
}

/// The events of the binlog from a place on: type and position of each.
fn events(database: &MySqlDatabase, from: &Place) -> Vec<(String, u64)> {
    let rows = database.rows(&format!("show binlog events in '{}' from {}", from.file, from.position));
    rows.into_iter().map(|row| (row[2].clone().unwrap(), row[1].as_ref().unwrap().parse().unwrap())).collect()
}

/// Gives a text of Debezium's the names of the test and this place in its server's binlog.
fn moved(text: &str, database: &MySqlDatabase, to: &Place) -> String {
    let text = to.put_into(text);
    let text = if database.product == Product::MariaDb {
        text.replace("utf8mb4_0900_ai_ci", "utf8mb4_general_ci")
    } else {
        text
    };
    text.replace("keep-my", &database.name).replace("keepmy", &database.name).replace("keepdb", &database.name)
}

fn config(database: &MySqlDatabase) -> Map<String, Value> {
    database.connector(&[
        ("key.converter", JSON),
        ("key.converter.schemas.enable", "false"),
        ("value.converter", JSON),
        ("value.converter.schemas.enable", "false"),
    ])
}

/// What the topic of the table `keep` holds: `op` and the row, one text a record.
fn rows(kafka: &Kafka, database: &MySqlDatabase) -> Vec<String> {
    let shown = |value: Option<Vec<u8>>| {
        let Some(value) = value else { return "tombstone".to_owned() };
        let value: Value = serde_json::from_slice(&value).unwrap();
        format!("{} {}", value["op"].as_str().unwrap(), value["after"])
    };
    kafka.consume(&format!("{0}.{0}.keep", database.name)).into_iter().map(|message| shown(message.value)).collect()
}

/// What Debezium left: the configuration, the offset after the first row of a transaction of two, and the history.
#[track_caller]
fn goes_on_where_java_was(product: Product) {
    let options = Options::new("goeson");
    let group = options.group.clone();
    // The first start makes the internal topics.
    let mut daemon = Daemon::start(options);
    daemon.kill();
    let database = MySqlDatabase::create(product, "goeson");
    database.run(KEEP);
    database.run("insert into keep values (1, 'copied', 'b', 1.5)");
    let before = Place::now(&database);
    database.run(
        "begin; insert into keep values (2, 'sent', 'a', 2); insert into keep values (3, 'not sent', 'b', 3); commit",
    );
    database
        .run("alter table keep add column late int default 7 first; insert into keep(id, v) values (4, 'after ddl')");
    // MySQL's restart position is that of the transaction's BEGIN, MariaDB's that of the event with the GTID.
    let begin = match product {
        Product::MySql => events(&database, &before).into_iter().find(|(kind, _)| kind == "Query").unwrap().1,
        Product::MariaDb => before.position,
    };
    let stored = Place { file: before.file.clone(), position: begin, gtids: before.gtids.clone() };

    let kafka = Kafka::shared();
    let offsets = state("connect-offsets");
    let (key, offset) = offsets.iter().rfind(|(key, _)| key.as_ref().unwrap().contains("keep-my")).unwrap();
    assert!(offset.contains(r#""row":1,"server_id":1,"event":2"#), "{offset}");
    let key = moved(key.as_ref().unwrap(), &database, &stored);
    kafka.produce(&format!("{group}-offsets"), Some(&key), Some(&moved(offset, &database, &stored)));
    let history = format!("history.{}", database.name);
    kafka.create_topics(std::slice::from_ref(&history));
    for (_, record) in state("schema-history") {
        kafka.produce(&history, None, Some(&moved(&record, &database, &before)));
    }
    daemon.spawn();
    daemon.create(&database.name, &config(&database));
    database.wait_reader_after(0);
    database.run("insert into keep values (7, 5, 'now', 'a', null)");
    wait_until("the rows that Java had not sent", PATIENCE, || rows(&kafka, &database).len() >= 3);
    // The time in which a repeated record would come.
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(
        rows(&kafka, &database),
        [
            r#"c {"id":3,"v":"not sent","e":"b","n":"ASw="}"#,
            r#"c {"late":7,"id":4,"v":"after ddl","e":"a","n":null}"#,
            r#"c {"late":7,"id":5,"v":"now","e":"a","n":null}"#,
        ]
    );
}

#[test]
fn what_java_stored_of_mysql_is_continued() {
    goes_on_where_java_was(Product::MySql);
}

#[test]
fn what_java_stored_of_mariadb_is_continued() {
    goes_on_where_java_was(Product::MariaDb);
}

/// A text with marks for what differs from run to run: times, positions, GTIDs, and the names of the test.
fn shape(text: &str, database: &MySqlDatabase) -> String {
    let marked = Regex::new(r#"("(?:ts_sec|ts_ms|pos|server_id)"\s*:\s*)\d+"#).unwrap();
    let quoted = Regex::new(r#"("(?:file|gtids)"\s*:\s*)"[^"]*""#).unwrap();
    let text = marked.replace_all(text, "${1}0").into_owned();
    let text = quoted.replace_all(&text, "${1}\"x\"").into_owned();
    let text = text.replace(&format!("[\"{}\"", database.name), "[\"keep-my\"");
    let text = text.replace(&format!("{{\"server\":\"{}\"}}", database.name), "{\"server\":\"keepmy\"}");
    let text = text.replace(&format!("\"server\" : \"{}\"", database.name), "\"server\" : \"keepmy\"");
    text.replace(&database.name, "keepdb")
}

/// A worker with Debezium's MySQL connector can be handed what is stored here: it is what that connector itself would
/// have stored, but for times and positions.
#[test]
fn what_is_stored_of_mysql_is_what_java_stores() {
    let options = Options::new("asjava");
    let offsets = format!("{}-offsets", options.group);
    let daemon = Daemon::start(options);
    let database = MySqlDatabase::create(Product::MySql, "asjava");
    database.run(KEEP);
    database.run("insert into keep values (1, 'copied', 'b', 1.5)");
    daemon.create(&database.name, &config(&database));
    database.wait_reader_after(0);
    let kafka = Kafka::shared();
    let text = |bytes: Option<Vec<u8>>| String::from_utf8(bytes.unwrap_or_default()).unwrap();
    let last = || kafka.consume(&offsets).pop().map(|message| (text(message.key), text(message.value)));
    let is_last = |shown: &(Option<String>, String)| {
        let wanted = (shape(shown.0.as_ref().unwrap(), &database), shape(&shown.1, &database));
        last().is_some_and(|(key, value)| (shape(&key, &database), shape(&value, &database)) == wanted)
    };
    let java: Vec<_> =
        state("connect-offsets").into_iter().filter(|(key, _)| key.as_ref().unwrap().contains("keep-my")).collect();
    let stored = |shown: &(Option<String>, String), when: &str| {
        assert!(rig::within(PATIENCE, || is_last(shown)), "{when}: wanted {shown:?}, stored {:?}", last());
    };
    stored(&java[1], "after the copy");
    database.run("insert into keep values (2, 'streamed', 'a', 2)");
    // Java stores the counts of the last row's record. Here the end of the transaction is stored, which has none.
    let counts = Regex::new(r#""row":1,|,"event":2"#).unwrap();
    let ended = (java[2].0.clone(), counts.replace_all(&java[2].1, "").into_owned());
    stored(&ended, "after a transaction");

    // Other databases of the server are in the history, too.
    let is_ours = |record: &&String, name: &str| {
        let named = serde_json::from_str::<Value>(record).unwrap()["databaseName"].clone();
        named == json!("") || named == json!(name)
    };
    let all: Vec<String> =
        kafka.consume(&format!("history.{}", database.name)).into_iter().map(|message| text(message.value)).collect();
    let ours: Vec<String> = all.iter().filter(|r| is_ours(r, &database.name)).map(|r| shape(r, &database)).collect();
    let wanted: Vec<String> = state("schema-history").into_iter().map(|(_, record)| record).collect();
    let wanted: Vec<String> = wanted.iter().filter(|r| is_ours(r, "keepdb")).map(|r| shape(r, &database)).collect();
    assert!(wanted.len() > 3, "{wanted:?}");
    assert_eq!(ours, wanted);
}
