//! `GET /metrics` of a running worker: what a connector counts, and that the dashboard and the alert rules ask for what is there.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]
#![allow(clippy::float_cmp, reason = "what is compared is whole")]

mod rig;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::time::Duration;

use rig::{Daemon, Database, Kafka, MySqlDatabase, Options, Product, Server, wait_until};
use serde_json::Value;

const SOON: Duration = Duration::from_secs(40);

/// A sample: its name, its labels, its value.
#[derive(Debug)]
struct Sample {
    name: String,
    labels: BTreeMap<String, String>,
    value: f64,
}

/// Reads the text format. No label of these tests has a comma, a brace or a quote in it.
fn samples(text: &str) -> Vec<Sample> {
    let read = |line: &str| {
        let (series, value) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, ""));
        let pairs = labels.trim_end_matches('}').split("\",").filter_map(|pair| pair.split_once("=\""));
        let labels = pairs.map(|(name, text)| (name.to_owned(), text.trim_end_matches('"').to_owned())).collect();
        Sample { name: name.to_owned(), labels, value: value.parse().unwrap() }
    };
    text.lines().filter(|line| !line.starts_with('#')).map(read).collect()
}

fn scrape(daemon: &Daemon) -> Vec<Sample> {
    samples(&daemon.rest("GET", "/metrics", None).text)
}

/// The value of the only sample of this name that has these labels.
fn value(samples: &[Sample], name: &str, labels: &[(&str, &str)]) -> Option<f64> {
    let has = |sample: &&Sample| {
        labels.iter().all(|(label, text)| sample.labels.get(*label).is_some_and(|known| known == text))
    };
    let found: Vec<&Sample> = samples.iter().filter(|sample| sample.name == name).filter(has).collect();
    assert!(found.len() <= 1, "{name} {labels:?}: {found:?}");
    found.first().map(|sample| sample.value)
}

#[track_caller]
fn wait_for(daemon: &Daemon, name: &str, labels: &[(&str, &str)], fits: impl Fn(f64) -> bool) {
    wait_until(&format!("{name} {labels:?}"), SOON, || value(&scrape(daemon), name, labels).is_some_and(&fits));
}

// --- what a connector counts ---

#[test]
fn what_a_connector_of_postgresql_counts() {
    let daemon = Daemon::start(Options::new("counts"));
    let database = Database::create("counts");
    database.run("create table a(id int primary key); create table b(id int primary key)");
    database.run("insert into a select generate_series(1, 3)");
    daemon.create("c", &database.connector(&[]));
    let (task, name) = (&[("connector", "c"), ("task", "0")][..], database.name.as_str());
    let copy = |table| [("context", "snapshot"), ("name", name), ("plugin", "postgres"), ("table", table)];
    let snapshot = &copy("")[..3];
    wait_for(&daemon, "debezium_metrics_SnapshotCompleted", snapshot, |value| value == 1.0);
    wait_for(&daemon, "debezium_metrics_RowsScanned", &copy("public.a"), |rows| rows == 3.0);
    database.wait_streamed(true);
    database.run("insert into b values (1); update b set id = 1; delete from a where id = 1");
    wait_for(&daemon, "afterimage_task_latency_seconds_count", task, |count| count >= 1.0);
    // A delete has a tombstone behind it.
    wait_for(&daemon, "kafka_connect_source_task_metrics_source_record_write_total", task, |count| count == 7.0);
    wait_for(&daemon, "afterimage_task_retained_log_bytes", task, |bytes| bytes > 0.0);
    let samples = scrape(&daemon);
    let streaming = &[("context", "streaming"), ("name", name), ("plugin", "postgres")][..];
    for (metric, labels, expect) in [
        ("debezium_metrics_TotalTableCount", snapshot, 2.0),
        ("debezium_metrics_RemainingTableCount", snapshot, 0.0),
        ("debezium_metrics_SnapshotRunning", snapshot, 0.0),
        ("debezium_metrics_TotalNumberOfEventsSeen", snapshot, 3.0),
        ("debezium_metrics_Connected", streaming, 1.0),
        ("debezium_metrics_TotalNumberOfCreateEventsSeen", streaming, 1.0),
        ("debezium_metrics_TotalNumberOfUpdateEventsSeen", streaming, 1.0),
        ("debezium_metrics_TotalNumberOfDeleteEventsSeen", streaming, 1.0),
        ("kafka_connect_source_task_metrics_source_record_poll_total", task, 7.0),
        ("kafka_connect_source_task_metrics_source_record_active_count", task, 0.0),
        ("afterimage_task_lag_records", task, 0.0),
        ("afterimage_task_lag_seconds", task, 0.0),
        ("kafka_connect_connector_task_metrics_pause_ratio", task, 0.0),
        ("kafka_connect_connect_worker_metrics_connector_count", &[], 1.0),
        ("kafka_connect_connect_worker_metrics_task_startup_success_total", &[], 1.0),
        ("kafka_connect_connect_worker_rebalance_metrics_rebalancing", &[], 0.0),
    ] {
        assert_eq!(value(&samples, metric, labels), Some(expect), "{metric}");
    }
    let running = value(&samples, "kafka_connect_connector_task_metrics_running_ratio", task).unwrap();
    assert!(running > 0.0 && running <= 1.0, "{running}");
    let p95 = value(&samples, "debezium_metrics_MilliSecondsBehindSourceP95", streaming).unwrap();
    assert!((0.0..60_000.0).contains(&p95), "{p95}");

    daemon.rest("PUT", "/connectors/c/pause", None);
    daemon.wait_task("c", "PAUSED", SOON);
    wait_for(&daemon, "kafka_connect_connector_task_metrics_pause_ratio", task, |ratio| ratio > 0.0);
    let paused = scrape(&daemon);
    let state = |state| [("connector", "c"), ("task", "0"), ("status", state)];
    let shown = |name| value(&paused, "kafka_connect_connector_task_metrics_status", &state(name));
    assert_eq!((shown("paused"), shown("running")), (Some(1.0), Some(0.0)));
}

#[test]
fn what_connectors_of_mysql_count() {
    let daemon = Daemon::start(Options::new("binlogs"));
    for (product, plugin) in [(Product::MySql, "mysql"), (Product::MariaDb, "mariadb")] {
        let database = MySqlDatabase::create(product, plugin);
        database.run("create table a(id int primary key); insert into a values (1), (2)");
        daemon.create(plugin, &database.connector(&[]));
        let name = database.name.as_str();
        let table = format!("{name}.a");
        let copy = [("context", "snapshot"), ("name", name), ("plugin", plugin), ("table", table.as_str())];
        wait_for(&daemon, "debezium_metrics_RowsScanned", &copy, |rows| rows == 2.0);
        wait_for(&daemon, "debezium_metrics_SnapshotCompleted", &copy[..3], |value| value == 1.0);
        let task = &[("connector", plugin), ("task", "0")][..];
        // Of a server on which others write, too, it is some number.
        wait_for(&daemon, "afterimage_task_retained_log_bytes", task, |bytes| bytes >= 0.0);
        database.run("insert into a values (3)");
        wait_for(&daemon, "afterimage_task_latency_seconds_count", task, |count| count >= 1.0);
        let streaming = [("context", "streaming"), ("name", name), ("plugin", plugin)];
        wait_for(&daemon, "debezium_metrics_TotalNumberOfCreateEventsSeen", &streaming, |count| count == 1.0);
    }
}

#[test]
fn updates_that_are_left_out_are_counted() {
    let daemon = Daemon::start(Options::new("unchanged"));
    let database = Database::create("unchanged");
    database.run(
        "create table t(id int primary key, a int); alter table t replica identity full; insert into t values (1, 1)",
    );
    daemon.create(
        "c",
        &database.connector(&[("skip.messages.without.change", "true"), ("column.include.list", "public.t.id")]),
    );
    database.wait_streamed(true);
    database.run("update t set a = 2; update t set a = 3");
    let streaming = [("context", "streaming"), ("name", database.name.as_str()), ("plugin", "postgres")];
    wait_for(&daemon, "debezium_metrics_NumberOfUnchangedEventsSkipped", &streaming, |count| count == 2.0);
}

#[test]
fn transactions_are_counted_with_exactly_once_delivery() {
    let daemon = Daemon::start(Options::new("sizes").with("exactly.once.source.support", "enabled"));
    let database = Database::create("sizes");
    database.run("create table t(id int primary key); insert into t select generate_series(1, 5)");
    daemon.create("c", &database.connector(&[]));
    let task = &[("connector", "c"), ("task", "0")][..];
    let size = |of: &str| format!("kafka_connect_source_task_metrics_transaction_size_{of}");
    // All rows of a copy are one transaction.
    wait_for(&daemon, &size("max"), task, |records| records == 5.0);
    database.wait_streamed(true);
    database.run("insert into t values (6)");
    wait_for(&daemon, &size("min"), task, |records| records <= 1.0);
}

#[test]
fn names_are_those_that_the_worker_is_told() {
    let daemon = Daemon::start(Options::new("names").with("metrics.names", "f2,f3"));
    let samples = scrape(&daemon);
    for (name, is_there) in [
        ("kafka_connect_worker_connector_count", true),
        ("kafka_connect_worker_metrics_connector_count", true),
        ("kafka_connect_connect_worker_metrics_connector_count", false),
    ] {
        assert_eq!(value(&samples, name, &[]).is_some(), is_there, "{name}");
    }
}

/// A level that is set for Java's logger of the REST API is that of the lines of its requests.
#[test]
fn java_s_loggers_have_levels() {
    let daemon = Daemon::start(Options::new("loggers"));
    let set = |logger: &str, level: &str| {
        let answer =
            daemon.ask("PUT", &format!("/admin/loggers/{logger}"), Some(&format!("{{\"level\": \"{level}\"}}")));
        assert_eq!((answer.status, answer.json()), (200, serde_json::json!([logger])));
    };
    daemon.ask("GET", "/connectors?first", None);
    set("org.apache.kafka.connect.runtime.rest", "WARN");
    daemon.ask("GET", "/connectors?second", None);
    set("org.apache.kafka.connect.runtime.rest", "INFO");
    daemon.ask("GET", "/connectors?third", None);
    // A line is written before its answer is sent, or just after.
    wait_until("the third request is logged", SOON, || daemon.log().contains("/connectors?third"));
    let log = daemon.log();
    assert!(log.contains("/connectors?first") && !log.contains("/connectors?second"), "{log}");
}

#[test]
fn a_standby_counts_no_connectors() {
    let options = Options::new("two");
    let owner = Daemon::start(options.clone());
    let database = Database::create("two");
    database.run("create table t(id int primary key)");
    owner.create("c", &database.connector(&[]));
    let standby = Daemon::start(options);
    standby.wait_standby();
    let count = |daemon| value(&scrape(daemon), "kafka_connect_connect_worker_metrics_connector_count", &[]);
    assert_eq!((count(&owner), count(&standby)), (Some(1.0), Some(0.0)));
    assert!(scrape(&standby).iter().all(|sample| !sample.labels.contains_key("connector")), "they would count twice");
}

// --- what the dashboard and the alert rules ask for ---

/// What a query asks for: names of metrics with the labels in their braces, and labels elsewhere.
#[derive(Debug, Default, PartialEq)]
struct Asked {
    selectors: Vec<(String, Vec<(String, String)>)>,
    labels: BTreeSet<String>,
}

/// Words of PromQL that are neither metrics nor followed by a parenthesis.
const OPERATORS: &[&str] = &["and", "or", "unless", "bool", "offset"];
/// Words of PromQL that are followed by labels in parentheses.
const GROUPINGS: &[&str] = &["by", "without", "on", "ignoring", "group_left", "group_right"];

/// Whether the word before `rest` is a function or an aggregation.
fn is_applied(rest: &str) -> bool {
    let groups = |word: &str| rest.strip_prefix(word).is_some_and(|rest| rest.trim_start().starts_with('('));
    rest.starts_with('(') || GROUPINGS.iter().any(|word| groups(word))
}

/// Reads a query as far as these tests need it.
fn asked(query: &str) -> Asked {
    let mut found = Asked::default();
    let mut rest = query;
    while let Some(first) = rest.chars().next() {
        if first == '[' {
            rest = &rest[rest.find(']').expect("a range ends") + 1..];
            continue;
        }
        if first.is_ascii_digit() || first == '.' {
            rest = rest.trim_start_matches(|c: char| c.is_ascii_alphanumeric() || c == '.');
            continue;
        }
        if !(first.is_ascii_alphabetic() || first == '_') {
            rest = &rest[first.len_utf8()..];
            continue;
        }
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_' || c == ':')).unwrap_or(rest.len());
        let (word, behind) = rest.split_at(end);
        rest = behind.trim_start();
        if GROUPINGS.contains(&word) {
            let (labels, behind) = rest.trim_start_matches('(').split_once(')').expect("labels end");
            found.labels.extend(labels.split(',').map(|label| label.trim().to_owned()));
            rest = behind;
        } else if let Some(behind) = rest.strip_prefix('{') {
            let (matchers, behind) = behind.split_once('}').expect("matchers end");
            let matcher = |text: &str| {
                let (label, wanted) = text.split_once('=').expect("a matcher compares");
                (label.trim().to_owned(), wanted.trim_start_matches('~').trim_matches('"').to_owned())
            };
            let matchers = matchers.split(',').filter(|text| !text.trim().is_empty()).map(matcher).collect();
            found.selectors.push((word.to_owned(), matchers));
            rest = behind;
        } else if !is_applied(rest) && !OPERATORS.contains(&word) {
            found.selectors.push((word.to_owned(), Vec::new()));
        }
    }
    found
}

#[test]
fn queries_are_read() {
    let query =
        r#"histogram_quantile(0.95, sum by (connector, le) (rate(a_bucket{x="1",y=~"$z"}[5m]))) > 0.5 and on(q) b"#;
    let matchers = vec![("x".to_owned(), "1".to_owned()), ("y".to_owned(), "$z".to_owned())];
    let expect = Asked {
        selectors: vec![("a_bucket".to_owned(), matchers), ("b".to_owned(), Vec::new())],
        labels: ["connector", "le", "q"].map(str::to_owned).into(),
    };
    assert_eq!(asked(query), expect);
}

/// Labels that Prometheus adds to what it has scraped.
const OF_PROMETHEUS: &[&str] = &["instance", "job"];

/// What a query asks for and the page does not have.
fn missing(query: &str, shown: &[Sample]) -> Vec<String> {
    let asked = asked(query);
    let mut missing = Vec::new();
    if asked.selectors.is_empty() {
        missing.push(format!("no metric in {query}"));
    }
    let mut known: BTreeSet<&str> = OF_PROMETHEUS.iter().copied().collect();
    for (name, matchers) in &asked.selectors {
        let fits = |sample: &&Sample| {
            sample.name == *name
                && matchers.iter().all(|(label, wanted)| {
                    sample.labels.get(label).is_some_and(|text| wanted.starts_with('$') || wanted == text)
                })
        };
        let found: Vec<&Sample> = shown.iter().filter(fits).collect();
        if found.is_empty() {
            missing.push(format!("{name}{matchers:?} in {query}"));
        }
        known.extend(found.iter().flat_map(|sample| sample.labels.keys()).map(String::as_str));
    }
    missing.extend(
        asked.labels.iter().filter(|label| !known.contains(label.as_str())).map(|label| format!("{label} in {query}")),
    );
    missing
}

fn file(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

/// Labels that a text names, as `{{label}}` or `{{ $labels.label }}`.
fn named_labels(text: &str) -> Vec<String> {
    let inside = text.split("{{").skip(1).filter_map(|part| part.split_once("}}")).map(|(label, _)| label.trim());
    inside
        .filter(|label| !label.starts_with("$value"))
        .map(|label| label.trim_start_matches("$labels.").to_owned())
        .collect()
}

/// All queries of the dashboard, with the labels that their legends name.
fn dashboard() -> Vec<(String, Vec<String>)> {
    let board: Value = serde_json::from_str(&file("docker/grafana/dashboard.json")).unwrap();
    let mut queries = Vec::new();
    for panel in board["panels"].as_array().unwrap() {
        for target in panel["targets"].as_array().into_iter().flatten() {
            let text = |key: &str| target[key].as_str().unwrap().to_owned();
            queries.push((text("expr"), named_labels(&text("legendFormat"))));
        }
    }
    for variable in board["templating"]["list"].as_array().unwrap() {
        let Some(query) = variable["query"]["query"].as_str() else { continue };
        let inside = query.strip_prefix("label_values(").and_then(|rest| rest.strip_suffix(')')).unwrap();
        let (metric, label) = inside.split_once(", ").unwrap();
        queries.push((metric.to_owned(), vec![label.to_owned()]));
    }
    queries
}

/// All rules, with the labels that their texts name.
fn alerts() -> Vec<(String, Vec<String>)> {
    let rules: Value = serde_yaml_ng::from_str(&file("docker/prometheus/alerts.yaml")).unwrap();
    let mut queries = Vec::new();
    let mut names = BTreeSet::new();
    for group in rules["groups"].as_array().unwrap() {
        for rule in group["rules"].as_array().unwrap() {
            assert!(names.insert(rule["alert"].as_str().unwrap()), "{rule}: another rule has this name");
            assert!(["warning", "critical"].contains(&rule["labels"]["severity"].as_str().unwrap()), "{rule}");
            let texts = ["summary", "description"].map(|key| rule["annotations"][key].as_str().unwrap());
            queries
                .push((rule["expr"].as_str().unwrap().to_owned(), texts.into_iter().flat_map(named_labels).collect()));
        }
    }
    queries
}

/// Each name and each label of each query is in the answer of a worker whose connector copies, streams and has a slot with a
/// limit.
#[test]
fn the_dashboard_and_the_alert_rules_ask_for_what_is_there() {
    let server = Server::postgres("logical");
    let database = Database::create_at(server.address(), &rig::unique("asked"));
    database.run("create table t(id int primary key); insert into t values (1)");
    database.session().run("alter system set max_slot_wal_keep_size = '1GB'");
    database.session().run("select pg_reload_conf()");
    let daemon = Daemon::start(Options::new("asked"));
    daemon.create("c", &database.connector(&[]));
    database.wait_streamed(true);
    database.run("insert into t values (2)");
    let topic = format!("{}.public.t", database.name);
    wait_until("both rows are there", SOON, || Kafka::shared().length(&topic) == 2);
    let task = &[("connector", "c"), ("task", "0")][..];
    wait_for(&daemon, "afterimage_task_latency_seconds_count", task, |count| count >= 1.0);
    wait_for(&daemon, "afterimage_task_safe_log_bytes", task, |bytes| bytes > 0.0);
    wait_for(&daemon, "kafka_connect_connector_task_metrics_offset_commit_max_time_ms", task, |_| true);
    let shown = scrape(&daemon);
    let mut wrong = Vec::new();
    let queries: Vec<_> = dashboard().into_iter().chain(alerts()).collect();
    assert!(queries.len() > 60, "{} queries", queries.len());
    for (query, labels) in queries {
        wrong.extend(missing(&query, &shown));
        let names: BTreeSet<String> = asked(&query).selectors.into_iter().map(|(name, _)| name).collect();
        let known = |label: &String| {
            let has = |sample: &Sample| names.contains(&sample.name) && sample.labels.contains_key(label);
            OF_PROMETHEUS.contains(&label.as_str()) || shown.iter().any(has)
        };
        wrong.extend(labels.iter().filter(|label| !known(label)).map(|label| format!("label {label} of {query}")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
