//! What a configuration promises is kept, or refused with the name of the key: over REST at creation and validation,
//! and at the start of a worker.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Options, kafka_address, within};
use serde_json::{Map, Value};

/// What happens to a connector with one more setting.
#[derive(Clone, Copy, Debug)]
enum Held {
    /// The answer is 400, and the error at this key has this text.
    Refused(&'static str),
    /// The answer is 201, with this warning at the key.
    NoEffect(&'static str),
    /// The answer is 201, without a warning.
    Works,
}
use Held::{NoEffect, Refused, Works};

/// Key, value, and what happens.
const CONNECTOR: &[(&str, &str, Held)] = &[
    // Features that are not built yet.
    ("converters", "mine", Refused("custom converters are Java classes")),
    ("post.processors", "reselector", Refused("Post processor 'reselector' is missing 'reselector.type' and/or")),
    ("post.processors.r.reselect.cache.enabled", "true", NoEffect("has no such option")),
    ("signal.data.collection", "public.signals", Refused("signals are not built in yet")),
    ("signal.enabled.channels", "source,kafka", Refused("signals are not built in yet")),
    ("offsets.storage.topic", "own", Works),
    ("exactly.once.support", "required", Refused("This worker does not have exactly-once source support enabled.")),
    ("transaction.boundary", "connector", Refused("does not support connector-defined transaction boundaries")),
    ("xmin.fetch.interval.ms", "1000", Refused("source.xmin is not read here")),
    ("sourceinfo.struct.maker", "com.example.Maker", Refused("it is a Java class")),
    ("internal.custom.retriable.exception", ".*", Refused("would fail the task")),
    ("database.connection.factory.class", "com.example.Factory", Refused("Java classes do not run here")),
    ("database.authenticationPluginClassName", "com.example.Iam", Refused("guards the connection")),
    // Names that are nearly right, of keys that must not be ignored.
    ("database.include.list", "shop", Refused("use database.dbname for the database")),
    ("database.exclude.list", "shop", Refused("schema.exclude.list or table.exclude.list")),
    ("column.mask.with.ten.chars", "public.t.card", Refused("column.mask.with.<n>.chars")),
    ("column.mask.hash.SHA-256.without.salt", "public.t.card", Refused("would be sent as they are")),
    ("column.truncate.to.chars", "public.t.card", Refused("column.truncate.to.<n>.chars")),
    // Properties of the producer.
    ("producer.override.transactional.id", "mine", Refused("it is the worker that names transactions")),
    ("producer.override.interceptor.classes", "com.example.Audit", Refused("to load com.example.Audit")),
    ("producer.override.acks", "2", Refused("is not one of all")),
    ("producer.override.partitioner.class", "com.example.P", Refused("murmur2")),
    ("producer.override.max.block.ms", "5", NoEffect("a full queue blocks")),
    ("producer.override.acks", "1", NoEffect("can lose records")),
    ("producer.override.linger.ms", "7", Works),
    ("connector.plugin.version", "1.0", Refused("version range [1.0,1.0], available versions: [3.6.1.Final]")),
    ("connector.plugin.version", "[3.6,4)", Works),
    ("key.converter.plugin.version", "1.0", Refused("version range [1.0,1.0]")),
    // Keys without effect that do no harm.
    ("max.batch.size", "4096", NoEffect("batches grow with the load")),
    ("poll.interval.ms", "100", NoEffect("handed on as they come")),
    ("snapshot.max.threads", "4", NoEffect("one connection copies table after table")),
    ("tasks.max", "3", NoEffect("makes one task")),
    ("notification.enabled.channels", "log", NoEffect("notifications are not built in yet")),
    ("openlineage.integration.enabled", "true", NoEffect("no OpenLineage events are sent")),
    ("read.only", "true", NoEffect("writes to no signal table")),
    ("database.loginTimeout", "9", NoEffect("a property of the Java driver")),
    ("value.converter.schemas.enable", "false", NoEffect("the connector sets no value.converter")),
    ("errors.deadletterqueue.topic.name", "dlq", NoEffect("unless errors.tolerance=all")),
    ("errors.deadletterqueue.topic.name", "no/topic", Refused("a topic's name has at most 249 letters")),
    ("errors.deadletterqueue.topic.replication.factor", "3", NoEffect("errors.deadletterqueue.topic.name is not set")),
    ("errors.deadletterqueue.topic.replication.factor", "0", Refused("at least 1, or -1")),
    ("table.whitelist", "public.t", NoEffect("everything is captured. Use table.include.list.")),
    // Keys that work.
    ("column.mask.with.10.chars", "public.t.card", Works),
    ("column.mask.hash.v2.SHA-256.with.salt.pepper", "public.t.card", Works),
    ("column.truncate.to.4.chars", "public.t.card", Works),
    ("skip.messages.without.change", "true", Works),
    ("heartbeat.action.query", "SELECT 1", Works),
    ("errors.retry.timeout", "1000", Works),
    ("snapshot.mode", "no_data", Works),
    ("max.batch.size", "2048", Works),
    ("notification.enabled.channels", "", Works),
    ("signal.enabled.channels", "source", Works),
];

/// The errors or warnings of a validation, by key.
type Said = Vec<(String, Vec<String>)>;

fn validate(daemon: &Daemon, config: &Map<String, Value>) -> (Said, Said) {
    let path = "/connector-plugins/PostgresConnector/config/validate";
    let answer = daemon.rest("PUT", path, Some(&Value::Object(config.clone())));
    assert_eq!(answer.status, 200, "{}", answer.text);
    let body = answer.json();
    let texts = |value: &Value, of: &str| -> Option<(String, Vec<String>)> {
        let all: Vec<String> = value[of].as_array()?.iter().map(|text| text.as_str().unwrap().to_owned()).collect();
        (!all.is_empty()).then(|| (value["name"].as_str().unwrap().to_owned(), all))
    };
    let values: Vec<&Value> = body["configs"].as_array().unwrap().iter().map(|one| &one["value"]).collect();
    let all = |of: &str| values.iter().filter_map(|value| texts(value, of)).collect();
    (all("errors"), all("warnings"))
}

#[test]
fn each_promise_of_a_connector_is_kept_or_refused() {
    let daemon = Daemon::start(Options::new("promises"));
    let database = Database::create("promises");
    database.run("create table t(id int primary key, card text)");
    let mut wrong = Vec::new();
    for (key, value, held) in CONNECTOR {
        let mut config = database.connector(&[("name", &database.name), (key, value)]);
        let (errors, warnings) = validate(&daemon, &config);
        config.remove("name");
        let body = serde_json::json!({"name": database.name, "config": config, "initial_state": "STOPPED"});
        let answer = daemon.rest("POST", "/connectors", Some(&body));
        let says = |said: &Said, text: &str| {
            said.iter().any(|(name, lines)| name == key && lines.iter().any(|line| line.contains(text)))
        };
        let fine = match held {
            Refused(text) => says(&errors, text) && answer.status == 400 && answer.text.contains(text),
            NoEffect(text) => errors.is_empty() && says(&warnings, text) && answer.status == 201,
            Works => errors.is_empty() && warnings.is_empty() && answer.status == 201,
        };
        if !fine {
            wrong.push(format!("{key}={value}, {held:?}: {errors:?} {warnings:?} {} {}", answer.status, answer.text));
        }
        if answer.status == 201 {
            daemon.rest("DELETE", &format!("/connectors/{}", database.name), None);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn what_has_no_effect_is_one_line_of_the_log() {
    let daemon = Daemon::start(Options::new("promise_log"));
    let database = Database::create("promise_log");
    database.run("create table t(id int primary key)");
    daemon.create(&database.name, &database.connector(&[("max.batch.size", "7000"), ("max.queue.size", "9000")]));
    daemon.wait_task(&database.name, "RUNNING", Duration::from_secs(30));
    let log = daemon.log();
    let lines: Vec<&str> = log.lines().filter(|line| line.contains("without effect here")).collect();
    assert_eq!(lines.len(), 1, "{lines:?}");
    assert!(lines[0].contains("'max.batch.size'") && lines[0].contains("'max.queue.size'"), "{}", lines[0]);
}

/// A class that is not built in: the first line is Connect's, and the next one says that this is afterimage.
#[test]
fn a_class_that_is_not_here() {
    let daemon = Daemon::start(Options::new("promise_class"));
    let database = Database::create("promise_class");
    database.run("create table t(id int primary key)");
    for (more, first, has) in [
        (
            &[("transforms", "a"), ("transforms.a.type", "com.example.Mask")][..],
            "Invalid value com.example.Mask for configuration transforms.a.type: Class com.example.Mask could not be found.",
            "io.debezium.transforms.ExtractNewRecordState",
        ),
        (
            &[("value.converter", "com.example.OwnConverter")],
            "Invalid value com.example.OwnConverter for configuration value.converter: Class com.example.OwnConverter could not be found.",
            "org.apache.kafka.connect.json.JsonConverter",
        ),
    ] {
        let config = database.connector(more);
        let body = serde_json::json!({"name": database.name, "config": config});
        let answer = daemon.rest("POST", "/connectors", Some(&body));
        assert_eq!(answer.status, 400, "{}", answer.text);
        let message = answer.json()["message"].as_str().unwrap().to_owned();
        let mut lines = message.lines().skip_while(|line| *line != first);
        assert_eq!(lines.next(), Some(first), "{message}");
        let next = lines.next().unwrap();
        assert!(next.starts_with("This is afterimage") && next.contains(has), "{next}");
        // The errors of a validation are Connect's, word for word.
        let (errors, _) = validate(&daemon, &{
            let mut config = config.clone();
            config.insert("name".to_owned(), Value::from("x"));
            config
        });
        assert_eq!(errors.iter().flat_map(|(_, lines)| lines).collect::<Vec<_>>(), [first]);
    }
}

/// As in Connect, mistakes in the common keys do not keep the database from being checked.
#[test]
fn all_that_is_wrong_is_told_at_once() {
    let daemon = Daemon::start(Options::new("promise_all"));
    let database = Database::create("promise_all");
    let keys = |more: &[(&str, &str)]| -> Vec<String> {
        let config = database.connector(&[&[("database.port", "1")], more].concat());
        validate(&daemon, &config).0.into_iter().map(|(key, _)| key).collect()
    };
    assert_eq!(keys(&[]), ["name", "database.hostname"]);
    assert_eq!(keys(&[("name", "x"), ("tasks.max", "abc")]), ["tasks.max", "database.hostname"]);
    assert_eq!(keys(&[("name", "x"), ("errors.tolerance", "some")]), ["errors.tolerance", "database.hostname"]);
    // When one of its own keys is wrong, Debezium does not check the database.
    assert_eq!(keys(&[("name", "x"), ("slot.name", "A")]), ["slot.name"]);
    for name in ["x%y", "a/b", "a\\b", "..", "100%"] {
        let config = database.connector(&[]);
        let body = serde_json::json!({"name": name, "config": config});
        let answer = daemon.rest("POST", "/connectors", Some(&body));
        assert!(
            answer.status == 400 && answer.text.contains("no path of the REST API can carry it"),
            "{name}: {}",
            answer.text
        );
    }
}

/// Columns whose names become one name end the task when it comes to their table. Debezium accepts such a configuration, so it
/// is warned of.
#[test]
fn columns_that_get_one_name_are_told_at_creation() {
    const MODE: (&str, &str) = ("field.name.adjustment.mode", "avro");
    let daemon = Daemon::start(Options::new("promise_names"));
    let database = Database::create("promise_names");
    database.run("create table plain(id int primary key, a int)");
    database.run("create table \"odd\"(id int primary key, \"a-b\" int, a_b int, \"1st\" int)");
    let said = "field.name.adjustment.mode: table public.odd: Cannot create field because of field name duplication a_b; rename a column, hide it \
                (column.exclude.list) or change field.name.adjustment.mode";
    for (more, is_fine) in [
        (&[MODE][..], false),
        (&[("value.converter", "io.confluent.connect.avro.AvroConverter")], false),
        (&[MODE, ("column.exclude.list", "public.odd.a-b")], true),
        (&[MODE, ("table.include.list", "public.plain")], true),
        (&[("field.name.adjustment.mode", "avro_unicode")], true),
        (&[], true),
    ] {
        let config = database.connector(&[&[("name", "x")], more].concat());
        let (errors, warnings) = validate(&daemon, &config);
        assert!(errors.iter().all(|(key, _)| key.starts_with("value.converter")), "{more:?}: {errors:?}");
        let warnings: Vec<_> = warnings.into_iter().filter(|(key, _)| key == MODE.0).collect();
        let expect = if is_fine { vec![] } else { vec![(MODE.0.to_owned(), vec![said.to_owned()])] };
        assert_eq!(warnings, expect, "{more:?}");
    }
}

/// A predicate that nobody declared passes validation, as in Connect, and the task does not start without it.
#[test]
fn a_predicate_that_nobody_declared_ends_the_task() {
    let daemon = Daemon::start(Options::new("promise_predicate"));
    let database = Database::create("promise_predicate");
    database.run("create table t(id int primary key)");
    let more = [
        ("transforms", "a"),
        ("transforms.a.type", "org.apache.kafka.connect.transforms.Filter"),
        ("transforms.a.predicate", "nobody"),
    ];
    daemon.create(&database.name, &database.connector(&more));
    let trace = daemon.wait_task(&database.name, "FAILED", Duration::from_secs(30));
    let first = "org.apache.kafka.connect.errors.ConnectException: org.apache.kafka.connect.errors.ConnectException: \
                 org.apache.kafka.common.config.ConfigException: Unknown configuration 'predicates.nobody.plugin.version'";
    assert_eq!(trace.lines().next(), Some(first), "{trace}");
}

/// Each promise of a worker's configuration is kept, or the start fails and names the key. The Java worker would fail
/// as well, or break the promise.
#[test]
fn each_promise_of_a_worker_is_kept_or_ends_the_start() {
    for (key, value, text) in [
        ("rest.extension.classes", "com.example.Guard", "'com.example.Guard' is not built in"),
        ("key.converter", "com.example.OwnConverter", "Class com.example.OwnConverter could not be found."),
        ("value.converter", "no.such.Converter", "This is afterimage"),
        ("header.converter", "no.such.Converter", "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
        ("producer.interceptor.classes", "com.example.Audit", "to load com.example.Audit"),
        ("config.providers", "vault", "config.providers.vault.class"),
    ] {
        let options = Options { wait: false, ..Options::new("promise_worker") }.with(key, value);
        assert_eq!(options.broker, kafka_address());
        let mut daemon = Daemon::start(options);
        assert!(within(Duration::from_secs(20), || !daemon.is_alive()), "{key}={value}: the worker runs");
        let log = daemon.log();
        assert!(log.contains(key) && log.contains(text), "{key}={value}: {log}");
    }
}
