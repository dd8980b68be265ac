//! Dead letters of a source: with `errors.tolerance=all` and `errors.deadletterqueue.topic.name` a record that cannot be sent is
//! kept in a topic, as it was before the transforms, and is sent later by `POST /connectors/C/dead-letters/replay`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::collections::BTreeSet;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, Message, MySqlDatabase, Options, Product, Registry, unique, wait_until, within};
use serde_json::{Map, Value, json};

const SOON: Duration = Duration::from_secs(40);

/// A text that no log and no answer may show.
const CELL: &str = "canary-of-a-cell";

fn text(bytes: Option<&[u8]>) -> String {
    String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned()
}

fn json_of(bytes: Option<&[u8]>) -> Value {
    serde_json::from_slice(bytes.unwrap_or(b"null")).unwrap()
}

fn key(message: &Message) -> Value {
    json_of(message.key.as_deref())
}

fn value(message: &Message) -> Value {
    json_of(message.value.as_deref())
}

fn header(message: &Message, name: &str) -> String {
    message.headers.iter().find(|(known, _)| known == name).map(|(_, value)| text(value.as_deref())).unwrap_or_default()
}

/// The ids of the rows on a topic, by their keys, in order.
fn ids(kafka: &Kafka, topic: &str) -> Vec<i64> {
    kafka.consume(topic).iter().map(|message| key(message)["payload"]["id"].as_i64().unwrap()).collect()
}

/// The letters of a topic, without the marks of replays.
fn letters(kafka: &Kafka, topic: &str) -> Vec<Message> {
    kafka.consume(topic).into_iter().filter(|message| !header(message, "__afterimage.letter").is_empty()).collect()
}

/// A daemon, a database with `t(id, v)`, and a connector that keeps dead letters.
struct Bed {
    daemon: Daemon,
    database: Database,
    kafka: Kafka,
    /// The topic of the table, and that of the letters.
    topic: String,
    dead: String,
    config: Map<String, Value>,
}

const TABLE: &str = "create table t(id int primary key, v text)";

/// Fails for rows whose v begins with `bad`.
const FAILS: &[(&str, &str)] = &[
    ("transforms", "f"),
    ("transforms.f.type", "io.debezium.transforms.Filter"),
    ("transforms.f.language", "jsr223.groovy"),
    ("transforms.f.condition", "value != null && value.after != null && value.after.v.startsWith('bad') ? 'no' : true"),
];

impl Bed {
    fn new(label: &str, sql: &str, more: &[(&str, &str)]) -> Self {
        let daemon = Daemon::start(Options::new(label).with("offset.flush.interval.ms", "1000"));
        let database = Database::create(label);
        database.run(sql);
        let dead = format!("{}.dead", database.name);
        let of_letters = [
            ("errors.tolerance", "all"),
            ("errors.log.enable", "true"),
            ("errors.deadletterqueue.topic.name", &*dead),
            ("errors.deadletterqueue.topic.replication.factor", "1"),
        ];
        let config = database.connector(&[&of_letters, more].concat());
        daemon.create(&database.name, &config);
        let topic = format!("{}.public.t", database.name);
        let bed = Self { daemon, kafka: Kafka::shared(), topic, dead, config, database };
        bed.database.wait_streamed(true);
        bed
    }

    /// Changes keys of the connector's configuration; null takes one out. Waits until it streams again.
    fn change(&mut self, keys: &[(&str, Option<&str>)]) {
        for (key, value) in keys {
            match value {
                Some(value) => drop(self.config.insert((*key).to_owned(), json!(value))),
                None => drop(self.config.remove(*key)),
            }
        }
        let answer = self.daemon.rest("PUT", &self.path("config"), Some(&Value::Object(self.config.clone())));
        assert_eq!(answer.status, 200, "{}", answer.text);
    }

    fn mend(&mut self) {
        let names: Vec<(&str, Option<&str>)> = FAILS.iter().map(|(key, _)| (*key, None)).collect();
        self.change(&names);
    }

    fn path(&self, rest: &str) -> String {
        format!("/connectors/{}/{rest}", self.database.name)
    }

    #[track_caller]
    fn replay(&self, query: &str) -> Value {
        let answer = self.daemon.rest("POST", &self.path(&format!("dead-letters/replay{query}")), None);
        assert_eq!(answer.status, 200, "{}", answer.text);
        answer.json()
    }

    #[track_caller]
    fn list(&self) -> Value {
        let answer = self.daemon.rest("GET", &self.path("dead-letters"), None);
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert!(!answer.text.contains(CELL), "{}", answer.text);
        answer.json()
    }

    #[track_caller]
    fn wait(&self, rows: i64, letters: usize) {
        let mut last = (0, 0);
        let reached = within(SOON, || {
            last = (self.kafka.length(&self.topic), self::letters(&self.kafka, &self.dead).len());
            last == (rows, letters)
        });
        assert!(reached, "{last:?} rows and letters instead of {:?}", (rows, letters));
    }

    /// The values of `v` on the topic, for one key, in order; `-` for a delete or tombstone.
    fn states(&self, id: i64) -> Vec<String> {
        let of_key = |message: &&Message| key(message)["payload"]["id"] == json!(id);
        let state = |message: &Message| value(message)["payload"]["after"]["v"].as_str().unwrap_or("-").to_owned();
        self.kafka.consume(&self.topic).iter().filter(of_key).map(state).collect()
    }
}

#[test]
fn rows_that_a_transform_refuses_are_kept_and_sent_once() {
    let mut bed = Bed::new("letters", TABLE, FAILS);
    bed.database.run(&format!("insert into t values (1, 'good'), (2, 'bad {CELL}'), (3, 'good')"));
    bed.wait(2, 1);
    let letter = letters(&bed.kafka, &bed.dead).remove(0);
    let value = value(&letter);
    assert_eq!(value["payload"]["after"], json!({"id": 2, "v": format!("bad {CELL}")}));
    assert_eq!(value["schema"]["name"], json!(format!("{}.Envelope", bed.topic)));
    assert_eq!(key(&letter)["payload"], json!({"id": 2}));
    for (name, expect) in [
        ("topic", bed.topic.as_str()),
        ("connector.name", &bed.database.name),
        ("task.id", "0"),
        ("stage", "TRANSFORMATION"),
        ("class.name", "io.debezium.transforms.Filter"),
        ("exception.class.name", "io.debezium.DebeziumException"),
    ] {
        assert_eq!(header(&letter, &format!("__connect.errors.{name}")), expect, "{name}");
    }
    let offset: Value = serde_json::from_str(&header(&letter, "__afterimage.source.offset")).unwrap();
    assert_eq!(offset["lsn"], value["payload"]["source"]["lsn"]);
    let told: Vec<_> =
        letter.headers.iter().map(|(name, value)| format!("{name}={}\n", text(value.as_deref()))).collect();
    let told = told.concat();
    assert!(!told.contains(CELL), "{told}");

    // The list shows where and why, and nothing of the row.
    let list = bed.list();
    let newest = &list["newest"][0];
    assert_eq!(
        (&list["letters"], &list["replayed"], &newest["stage"]),
        (&json!(1), &json!(0), &json!("TRANSFORMATION"))
    );
    assert_eq!((&newest["topic"], &newest["source"]["offset"]), (&json!(bed.topic), &offset));
    let metrics = bed.daemon.rest("GET", "/metrics", None).text;
    let count = |name: &str| {
        let line = metrics.lines().find(|line| line.starts_with(&format!("kafka_connect_task_error_metrics_{name}{{")));
        line.and_then(|line| line.rsplit(' ').next()).map(str::to_owned)
    };
    assert_eq!(count("deadletterqueue_produce_requests").as_deref(), Some("1.0"), "{metrics}");
    assert_eq!(count("deadletterqueue_produce_failures").as_deref(), Some("0.0"));
    assert_eq!(count("total_records_skipped").as_deref(), Some("1.0"));

    // What fails still is refused with its reason.
    let refused = bed.replay("");
    assert_eq!((&refused["sent"], &refused["refused"]), (&json!(0), &json!(1)));
    assert!(refused["reasons"][0]["reason"].as_str().unwrap().starts_with("TRANSFORMATION: io.debezium"), "{refused}");

    bed.mend();
    let replayed = bed.replay("");
    assert_eq!((&replayed["sent"], &replayed["refused"], &replayed["left"]), (&json!(1), &json!(0), &json!(0)));
    assert_eq!(ids(&bed.kafka, &bed.topic), [1, 3, 2]);
    let again = bed.replay("?force=true");
    assert_eq!((&again["sent"], &again["already"]), (&json!(0), &json!(1)), "twice is once");
    assert_eq!(ids(&bed.kafka, &bed.topic), [1, 3, 2]);
    // Another process knows it as well: it stands in the topic.
    assert_eq!(bed.daemon.terminate(SOON), Some(0));
    bed.daemon.spawn();
    wait_until("the group is owned", SOON, || {
        bed.daemon
            .try_ask("POST", &bed.path("dead-letters/replay"), None)
            .is_ok_and(|a| a.status == 200 && a.json()["already"] == 1)
    });
    assert_eq!(bed.list()["replayed"], json!(1));
    assert_eq!(ids(&bed.kafka, &bed.topic), [1, 3, 2]);
    assert!(!bed.daemon.log().contains(CELL), "the log shows a cell");
}

#[test]
fn an_older_state_does_not_replace_a_newer_one() {
    let mut bed = Bed::new("newer", TABLE, FAILS);
    // Row 1: a newer record is on the topic. Row 2: a later letter. Row 3: the insert came before, nothing after it. In one
    // transaction, so that all have one batch and one time.
    bed.database.run(
        "begin; insert into t values (1, 'bad 1'), (2, 'bad 1'), (3, 'good');
         update t set v = 'good' where id = 1; update t set v = 'bad 2' where id = 2; update t set v = 'bad 1' where id = 3;
         commit",
    );
    bed.wait(2, 4);
    bed.mend();
    let replayed = bed.replay("");
    assert_eq!((&replayed["sent"], &replayed["refused"]), (&json!(2), &json!(2)), "{replayed}");
    let reasons: Vec<&str> =
        replayed["reasons"].as_array().unwrap().iter().map(|one| one["reason"].as_str().unwrap()).collect();
    assert!(reasons.iter().any(|reason| reason.contains("has a newer record of this key")), "{reasons:?}");
    assert!(reasons.iter().any(|reason| reason.contains("a later letter has the same key")), "{reasons:?}");
    assert_eq!([1, 2, 3].map(|id| bed.states(id).join(",")), ["good", "bad 2", "good,bad 1"]);
    // Refused again, for what was sent is newer now.
    assert_eq!(bed.replay("")["refused"], json!(2));
    let forced = bed.replay("?force=true");
    assert_eq!((&forced["sent"], &forced["refused"], &forced["already"]), (&json!(2), &json!(0), &json!(2)));
    assert_eq!(bed.states(1), ["good", "bad 1"]);
}

/// Updates, deletes and tombstones that are replayed leave the topic with the table's rows.
#[test]
fn a_delete_and_its_tombstone_go_together() {
    let fails: Vec<(&str, &str)> = FAILS[..3]
        .iter()
        .copied()
        .chain([
            ("transforms.f.null.handling.mode", "evaluate"),
            ("transforms.f.condition", "value == null || value.op == 'd' ? 'no' : true"),
        ])
        .collect();
    let mut bed = Bed::new("deletes", TABLE, &fails);
    bed.database.run("insert into t values (1, 'a'), (2, 'b'); delete from t where id = 1");
    bed.wait(2, 2);
    bed.mend();
    let replayed = bed.replay("");
    assert_eq!((&replayed["sent"], &replayed["refused"]), (&json!(2), &json!(0)), "{replayed}");
    let messages = bed.kafka.consume(&bed.topic);
    assert_eq!(value(&messages[2])["payload"]["op"], json!("d"));
    assert!(messages[3].value.is_none(), "a tombstone");
    assert_eq!(bed.states(1), ["a", "-", "-"]);
}

/// The producer refuses a record of more than 30,000 bytes. Its letter is as large, and goes in parts.
#[test]
fn a_record_that_is_too_large_is_kept_in_parts() {
    let mut bed = Bed::new("large", TABLE, &[("producer.override.max.request.size", "30000")]);
    bed.database.run("insert into t values (1, 'small'), (2, repeat('abcdefgh', 20000)), (3, 'small')");
    wait_until("the rows around it", SOON, || bed.kafka.length(&bed.topic) == 2);
    wait_until("the letter", SOON, || bed.list()["letters"] == json!(1));
    let list = bed.list();
    assert_eq!(
        (&list["newest"][0]["stage"], &list["newest"][0]["exception"]),
        (&json!("KAFKA_PRODUCE"), &json!("org.apache.kafka.common.errors.RecordTooLargeException"))
    );
    let parts = letters(&bed.kafka, &bed.dead);
    assert!(parts.len() > 5, "{}", parts.len());
    let whole: String = parts.iter().map(|part| text(part.value.as_deref())).collect();
    let whole: Value = serde_json::from_str(&whole).unwrap();
    assert_eq!(whole["payload"]["after"]["v"].as_str().unwrap().len(), 160_000);
    let refused = bed.replay("");
    assert!(refused["reasons"][0]["reason"].as_str().unwrap().contains("RecordTooLargeException"), "{refused}");
    bed.change(&[("producer.override.max.request.size", Some("1000000"))]);
    assert_eq!(bed.replay("")["sent"], json!(1));
    assert_eq!(ids(&bed.kafka, &bed.topic), [1, 3, 2]);
    assert_eq!(bed.states(2)[0].len(), 160_000);
}

/// A name that Avro cannot hold: the value converter refuses each record of the table.
#[test]
fn a_record_that_a_converter_refuses_is_kept() {
    let url = Registry::shared().confluent_url();
    let avro = [
        ("value.converter", "io.confluent.connect.avro.AvroConverter"),
        ("value.converter.schema.registry.url", &*url),
        ("field.name.adjustment.mode", "none"),
    ];
    let mut bed = Bed::new(
        "avro_letters",
        "create table t(id int primary key, \"a-b\" text); create table u(id int primary key)",
        &avro,
    );
    bed.database.run("insert into t values (1, 'x'); insert into u values (1)");
    let other = format!("{}.public.u", bed.database.name);
    wait_until("the other table's row", SOON, || bed.kafka.length(&other) == 1);
    bed.wait(0, 1);
    let letter = letters(&bed.kafka, &bed.dead).remove(0);
    assert_eq!(header(&letter, "__connect.errors.stage"), "VALUE_CONVERTER");
    assert_eq!(header(&letter, "__connect.errors.class.name"), "io.confluent.connect.avro.AvroConverter");
    assert_eq!(value(&letter)["payload"]["after"], json!({"id": 1, "a-b": "x"}));
    bed.change(&[("value.converter.scrub.invalid.names", Some("true"))]);
    assert_eq!(bed.replay("")["sent"], json!(1));
    assert_eq!(bed.kafka.consume(&bed.topic)[0].value.as_ref().unwrap()[0], 0, "Avro of the registry");
}

/// The broker takes no record without a key into a compacted topic. It says so after the record has left, and the letter holds the
/// record before the chain all the same.
#[test]
fn a_record_that_the_broker_refuses_is_kept() {
    let unwrap = [("transforms", "u"), ("transforms.u.type", "io.debezium.transforms.ExtractNewRecordState")];
    let bed = Bed::new("compact", &format!("{TABLE}; create table n(v text)"), &unwrap);
    let topic = format!("{}.public.n", bed.database.name);
    bed.kafka.create_topic(&topic, &[("cleanup.policy", "compact")]);
    bed.database.run("insert into n values ('x')");
    wait_until("the letter", SOON, || bed.list()["letters"] == json!(1));
    let letter = letters(&bed.kafka, &bed.dead).remove(0);
    assert_eq!(value(&letter)["payload"]["op"], json!("c"), "the envelope, which the transform takes off");
    assert_eq!((header(&letter, "__connect.errors.stage").as_str(), &letter.key), ("KAFKA_PRODUCE", &None));
    bed.database.run("insert into t values (1, 'goes on')");
    bed.wait(1, 1);
    bed.kafka.alter_topic(&topic, "cleanup.policy", "delete");
    // The broker takes note of the change a moment later.
    wait_until("the record", SOON, || bed.replay("")["sent"] == json!(1));
    assert_eq!(value(&bed.kafka.consume(&topic)[0])["payload"], json!({"v": "x"}));
}

/// The topic of the letters takes no record of more than 100 bytes.
#[test]
fn a_letter_that_cannot_be_written_fails_the_task_and_loses_nothing() {
    let label = "narrow";
    let daemon = Daemon::start(Options::new(label).with("offset.flush.interval.ms", "1000"));
    let database = Database::create(label);
    database.run(TABLE);
    let dead = format!("{}.dead", database.name);
    let kafka = Kafka::shared();
    kafka.create_topic(&dead, &[("max.message.bytes", "100")]);
    let of_letters = [("errors.tolerance", "all"), ("errors.deadletterqueue.topic.name", &*dead)];
    daemon.create(&database.name, &database.connector(&[&of_letters, FAILS].concat()));
    database.wait_streamed(true);
    database.run("insert into t values (1, 'good')");
    let topic = format!("{}.public.t", database.name);
    wait_until("the first row", SOON, || kafka.length(&topic) == 1);
    database.run("insert into t values (2, 'bad'), (3, 'good')");
    let trace = daemon.wait_task(&database.name, "FAILED", SOON);
    assert!(trace.contains("could not be written to errors.deadletterqueue.topic.name"), "{trace}");
    assert_eq!(kafka.length(&dead), 0);
    kafka.alter_topic(&dead, "max.message.bytes", "1000000");
    // The broker takes note of the change a moment later.
    wait_until("the letter", SOON, || {
        daemon.rest("POST", &format!("/connectors/{}/restart?includeTasks=true&onlyFailed=true", database.name), None);
        within(Duration::from_secs(5), || letters(&kafka, &dead).len() == 1)
    });
    wait_until("row 3", SOON, || ids(&kafka, &topic).contains(&3));
    assert!(!ids(&kafka, &topic).contains(&2));
}

/// At every moment a row is on its topic, in a letter, or still to be read.
#[test]
fn nothing_is_lost_when_the_process_is_killed() {
    let mut bed = Bed::new("killed", TABLE, FAILS);
    let (mut last, rounds) = (0, if rig::long() { 40 } else { 6 });
    for round in 0..rounds {
        let before = letters(&bed.kafka, &bed.dead).len();
        for _ in 0..20 {
            // Every third row fails.
            bed.database.run(&format!(
                "insert into t select n, case when n % 3 = 0 then 'bad' else 'good' end from generate_series({}, {}) n",
                last + 1,
                last + 25
            ));
            last += 25;
        }
        // Killed as soon as a letter is there: its offset is most likely not stored.
        wait_until("a letter of this round", SOON, || bed.kafka.length(&bed.dead) > before as i64);
        std::thread::sleep(Duration::from_millis(30 * round));
        bed.daemon.kill();
        bed.daemon.spawn();
    }
    // Behind this row's change in the log nothing is left that the last process has to send again: below, it would be sent
    // without its transform. A copy may show the row earlier.
    bed.database.run("insert into t values (0, 'good')");
    let ends = |message: &Message| key(message)["payload"]["id"] == 0 && value(message)["payload"]["op"] == "c";
    wait_until("the end of the log", SOON, || bed.kafka.consume(&bed.topic).iter().any(ends));
    let bad: BTreeSet<i64> = (1..=last).filter(|n| n % 3 == 0).collect();
    let kept = |bed: &Bed| -> BTreeSet<i64> {
        letters(&bed.kafka, &bed.dead).iter().map(|letter| key(letter)["payload"]["id"].as_i64().unwrap()).collect()
    };
    let good: BTreeSet<i64> = (1..=last).filter(|n| n % 3 != 0).chain([0]).collect();
    wait_until("all letters", SOON, || kept(&bed) == bad);
    wait_until("all rows", SOON, || ids(&bed.kafka, &bed.topic).into_iter().collect::<BTreeSet<_>>() == good);
    // Letters that were written twice are sent once.
    let twice = letters(&bed.kafka, &bed.dead).len() - bad.len();
    println!("{twice} letters were written twice");
    // Rows that were copied again have letters of their own; the older ones of a key are refused.
    let listed = bed.list()["letters"].as_u64().unwrap() as usize;
    assert!(listed >= bad.len(), "{listed}");
    bed.mend();
    let before = bed.kafka.length(&bed.topic);
    let replayed = bed.replay("?limit=10000");
    assert_eq!(replayed["sent"], json!(bad.len()), "{replayed}");
    assert_eq!(bed.kafka.length(&bed.topic), before + bad.len() as i64);
    assert_eq!(bed.replay("")["sent"], json!(0));
}

/// A letter cannot be read by another connector, and both may share a topic.
#[test]
fn connectors_may_share_a_topic_and_errors_have_connects_form() {
    let bed = Bed::new("shared", TABLE, FAILS);
    let other = Database::create("shared_too");
    other.run(TABLE);
    let of_letters = [("errors.tolerance", "all"), ("errors.deadletterqueue.topic.name", &*bed.dead)];
    bed.daemon.create(&other.name, &other.connector(&[&of_letters, FAILS].concat()));
    other.wait_streamed(true);
    other.run("insert into t values (1, 'bad'), (2, 'bad')");
    bed.database.run("insert into t values (1, 'bad')");
    wait_until("all letters", SOON, || letters(&bed.kafka, &bed.dead).len() == 3);
    assert_eq!(bed.list()["letters"], json!(1));

    let plain = Database::create("plain");
    bed.daemon.create(&plain.name, &plain.connector(&[]));
    for (method, path, status, message) in [
        ("GET", "/connectors/nobody/dead-letters".to_owned(), 404, "Connector nobody not found"),
        ("POST", "/connectors/nobody/dead-letters/replay".to_owned(), 404, "Connector nobody not found"),
        (
            "GET",
            format!("/connectors/{}/dead-letters", plain.name),
            400,
            "errors.deadletterqueue.topic.name is not set",
        ),
        (
            "POST",
            format!("/connectors/{}/dead-letters/replay", plain.name),
            400,
            "errors.deadletterqueue.topic.name is not set",
        ),
        ("GET", bed.path("dead-letters?newest=101"), 400, "\"newest\" must be a whole number from 0 to 100"),
        ("POST", bed.path("dead-letters/replay?limit=0"), 400, "\"limit\" must be a whole number from 1 to 10000"),
        ("PUT", bed.path("dead-letters"), 405, "HTTP 405 Method Not Allowed"),
    ] {
        let answer = bed.daemon.rest(method, &path, None);
        let body = answer.json();
        assert_eq!((answer.status, &body["error_code"]), (status, &json!(status)), "{method} {path}: {}", answer.text);
        assert!(body["message"].as_str().unwrap().contains(message), "{}", answer.text);
    }
}

/// Without a letter's topic everything is as it was: the record is left out.
#[test]
fn letters_need_a_topic_and_tolerance() {
    let bed = Bed::new("without", TABLE, FAILS);
    let database = Database::create("strict");
    database.run(TABLE);
    let dead = unique("never");
    let config = database.connector(&[&[("errors.deadletterqueue.topic.name", &*dead)], FAILS].concat());
    bed.daemon.create(&database.name, &config);
    database.wait_streamed(true);
    database.run("insert into t values (1, 'bad')");
    let trace = bed.daemon.wait_task(&database.name, "FAILED", SOON);
    assert!(trace.contains("Tolerance exceeded in error handler"), "{trace}");
    assert!(bed.kafka.topics().iter().all(|(topic, _)| *topic != dead), "no letter, no topic");
}

/// MySQL's positions are told apart by row, and its delete is a letter like PostgreSQL's.
#[test]
fn letters_of_mysql() {
    let daemon = Daemon::start(Options::new("my_letters").with("offset.flush.interval.ms", "1000"));
    let database = MySqlDatabase::create(Product::MySql, "my_letters");
    database.run("create table t(id int primary key, v text)");
    let dead = format!("{}.dead", database.name);
    let of_letters = [("errors.tolerance", "all"), ("errors.deadletterqueue.topic.name", &*dead)];
    // The expression has no answer for schema changes, which are records as well.
    let no_schemas = [("include.schema.changes", "false")];
    let mut config = database.connector(&[&of_letters, FAILS, &no_schemas].concat());
    daemon.create(&database.name, &config);
    let kafka = Kafka::shared();
    wait_until("it streams", SOON, || daemon.task(&database.name).0 == "RUNNING");
    database.run("insert into t values (1, 'bad'), (2, 'good'), (3, 'bad')");
    wait_until("the letters", SOON, || letters(&kafka, &dead).len() == 2);
    for (key, _) in FAILS {
        config.remove(*key);
    }
    daemon.rest("PUT", &format!("/connectors/{}/config", database.name), Some(&Value::Object(config)));
    let path = format!("/connectors/{}/dead-letters/replay", database.name);
    let answer = daemon.rest("POST", &path, None);
    assert_eq!((answer.status, &answer.json()["sent"]), (200, &json!(2)), "{}", answer.text);
    let topic = format!("{}.{}.t", database.name, database.name);
    let mut seen = ids(&kafka, &topic);
    seen.sort_unstable();
    assert_eq!(seen, [1, 2, 3]);
    assert_eq!(daemon.rest("POST", &path, None).json()["already"], json!(2));
}
