//! Runs one scenario against a worker and returns the records of its topics, one line for each record.
//!
//! A scenario is a TOML file with `[config]` and `[[step]]`s. `[config]` is added to the basic configuration of the
//! connector. The steps run in order. Each step is one of `sql`, `create`, `pause`, `resume`, `stop`, `restart`,
//! `delete`, `config` (PUT, merged), `rest` = "METHOD /path" with `body`, or `produce` = a topic with `key` and
//! `value`. `validate` = settings validates the configuration with these merged, for this step only, and logs the errors of
//! each option. `settle` = N waits until no record has come for N seconds, `records` = N waits until there are N.
//! At the top, `db` is postgres, mysql or mariadb, and `alone = true` keeps all others from running meanwhile.
//! `{name}` is the name of connector, database, topic prefix, slot and publication.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use serde_json::json;

use super::json::Json;
use super::normal::{VOLATILE, doubts, mark, mark_made_up_key, payload, readable};
use super::rig::{Answer, Kafka, ask};
use super::source::{Before, Source};

const PATIENCE: Duration = Duration::from_secs(60);
const JSON_CONVERTER: &str = "org.apache.kafka.connect.json.JsonConverter";

/// The worker that runs the scenario's connector.
pub(crate) struct Worker<'a> {
    pub(crate) url: &'a str,
    pub(crate) kafka: Kafka,
}

struct Run<'a> {
    worker: &'a Worker<'a>,
    name: String,
    source: Source,
    config: serde_json::Map<String, serde_json::Value>,
    log: Vec<String>,
    is_minimal: bool,
}

/// The lines of the scenario: first the log of REST calls, then every record. With `is_minimal` the connector uses the
/// role with the fewest rights. At the end the run waits until there are `wanted` records, which a machine under load may
/// write later than the steps wait for.
pub(crate) fn run(stem: &str, text: &str, worker: &Worker<'_>, is_minimal: bool, wanted: usize) -> Vec<Json> {
    let scenario: toml::Table = text.parse().unwrap();
    let name = super::named(stem);
    let source = Source::create(scenario["db"].as_str().unwrap(), &name);
    let mut config = source.connector();
    for side in ["key", "value"] {
        config.insert(format!("{side}.converter"), JSON_CONVERTER.into());
        config.insert(format!("{side}.converter.schemas.enable"), "true".into());
    }
    let mut run = Run { worker, name, source, config, log: Vec::new(), is_minimal };
    if let Some(more) = scenario.get("config").and_then(toml::Value::as_table) {
        run.merge(more);
    }
    run.source.allow(&run.config);
    let names = |key: &str| -> Vec<String> {
        let list = scenario.get(key).and_then(toml::Value::as_array).cloned().unwrap_or_default();
        list.iter().map(|v| v.as_str().unwrap().replace("{name}", &run.name)).collect()
    };
    let (made, collapse) = (names("topics"), names("collapse"));
    let extra: BTreeSet<String> = names("volatile").into_iter().collect();
    if !made.is_empty() {
        worker.kafka.create_topics(&made);
    }
    for step in scenario["step"].as_array().unwrap() {
        run.step(step.as_table().unwrap());
    }
    run.wait_late(wanted);
    let status = run.call("GET", "/connectors/{name}/status", None).json();
    for task in status["tasks"].as_array().into_iter().flatten().filter(|t| t["state"] == "FAILED") {
        let first = task["trace"].as_str().unwrap_or_default().lines().next().unwrap_or_default().to_owned();
        run.log.push(format!("FAILED: {}", cut(&first, 500)));
    }
    let timestamps = scenario.get("timestamps").and_then(toml::Value::as_bool) == Some(true);
    let records = run.records(&extra, &collapse, timestamps);
    run.forget();
    let log = run.log.iter().map(Json::text).collect();
    [Json::Map(vec![("log".to_owned(), Json::List(log))])].into_iter().chain(records).collect()
}

fn cut(text: &str, characters: usize) -> String {
    text.chars().take(characters).collect()
}

/// The options of a validation that have errors, sorted by name, as JSON.
fn errors(answer: &serde_json::Value) -> String {
    let text = |value: &str| serde_json::to_string(value).unwrap();
    let mut all = Vec::new();
    for value in answer["configs"].as_array().into_iter().flatten().map(|config| &config["value"]) {
        let said: Vec<_> = value["errors"].as_array().into_iter().flatten().filter_map(|e| e.as_str()).collect();
        if !said.is_empty() {
            let said: Vec<String> = said.into_iter().map(|error| text(&listed(error))).collect();
            all.push(format!("{}: [{}]", text(value["name"].as_str().unwrap()), said.join(", ")));
        }
    }
    all.sort();
    format!("{{{}}}", all.join(", "))
}

/// An error that lists what is allowed, with the list sorted: Debezium lists a hash set.
fn listed(error: &str) -> String {
    let Some((head, list)) = error.split_once(" one of ") else { return error.to_owned() };
    let mut list: Vec<&str> = list.split(", ").collect();
    list.sort_unstable();
    format!("{head} one of {}", list.join(", "))
}

fn flag(step: &toml::Table, name: &str) -> bool {
    step.get(name).and_then(toml::Value::as_bool) == Some(true)
}

/// Whether a record of the transaction topic is the end of a transaction that holds no event of a captured table.
fn ends_empty(value: &Json) -> bool {
    payload(value).get("event_count").and_then(Json::as_int) == Some(0)
}

fn begins(row: &Json) -> bool {
    row.get("value").map(payload).and_then(|v| v.get("status")).and_then(Json::as_text) == Some("BEGIN")
}

impl Run<'_> {
    fn put(&self, text: &str) -> String {
        text.replace("{name}", &self.name)
    }

    fn merge(&mut self, more: &toml::Table) {
        for (key, value) in more {
            let (key, value) = (self.put(key), self.put(value.as_str().unwrap()));
            // An empty value removes a basic setting.
            if value.is_empty() {
                self.config.remove(&key)
            } else {
                self.config.insert(key, value.into())
            };
        }
    }

    fn call(&self, method: &str, path: &str, body: Option<&str>) -> Answer {
        let url = format!("{}{}", self.worker.url, self.put(path));
        for again in 0..40 {
            let answer = ask(method, &url, body, &[]).unwrap_or_else(|e| panic!("{e}"));
            // A worker in the middle of a rebalance answers 409, and the call must be repeated.
            if answer.status != 409 || answer.text.contains("already exists") || again == 39 {
                return answer;
            }
            std::thread::sleep(Duration::from_millis(250));
        }
        unreachable!()
    }

    fn logged(&mut self, what: &str, answer: &Answer) {
        let why = if answer.is_ok() { String::new() } else { format!(" {}", cut(&answer.text, 1500)) };
        self.log.push(format!("{what} {}{why}", answer.status));
    }

    fn step(&mut self, step: &toml::Table) {
        let text = |key: &str| step.get(key).and_then(toml::Value::as_str);
        let before = self.source.before();
        if let Some(sql) = text("sql") {
            self.source.run(&self.put(sql));
        }
        if let Some(topic) = text("produce") {
            let (key, value) = (text("key").map(|t| self.put(t)), text("value").map(|t| self.put(t)));
            self.worker.kafka.produce(&self.put(topic), key.as_deref(), value.as_deref());
        }
        if flag(step, "create") {
            if self.is_minimal {
                let role = self.source.minimal_role();
                self.config.extend(role.into_iter().map(|(key, value)| (key.to_owned(), value.into())));
            }
            let body = json!({"name": self.name, "config": self.config}).to_string();
            let answer = self.call("POST", "/connectors", Some(&body));
            self.logged("create", &answer);
        }
        for verb in ["pause", "resume", "stop"].into_iter().filter(|verb| flag(step, verb)) {
            self.call("PUT", &format!("/connectors/{{name}}/{verb}"), None);
        }
        if flag(step, "stop") {
            self.source.wait_stopped();
        }
        if flag(step, "restart") {
            self.call("POST", "/connectors/{name}/restart?includeTasks=true", None);
        }
        if flag(step, "delete") {
            self.call("DELETE", "/connectors/{name}", None);
        }
        if let Some(more) = step.get("config").and_then(toml::Value::as_table) {
            self.merge(more);
            let body = serde_json::Value::Object(self.config.clone()).to_string();
            let answer = self.call("PUT", "/connectors/{name}/config", Some(&body));
            if !answer.is_ok() {
                self.logged("config", &answer);
            }
        }
        if let Some(more) = step.get("validate").and_then(toml::Value::as_table) {
            self.validate(more);
        }
        if let Some((method, path)) = text("rest").and_then(|rest| rest.split_once(' ')) {
            let answer = self.call(method, path, text("body").map(|b| self.put(b)).as_deref());
            self.logged(&format!("{method} {path}"), &answer);
        }
        self.wait(step, &before);
    }

    fn validate(&mut self, more: &toml::Table) {
        let mut config = self.config.clone();
        config.insert("name".to_owned(), self.name.clone().into());
        config.extend(more.iter().map(|(key, value)| (self.put(key), self.put(value.as_str().unwrap()).into())));
        let class = self.config["connector.class"].as_str().unwrap();
        let path = format!("/connector-plugins/{class}/config/validate");
        let answer = self.call("PUT", &path, Some(&serde_json::Value::Object(config).to_string()));
        let errors = if answer.is_ok() { errors(&answer.json()) } else { cut(&answer.text, 1500) };
        // The golden records are those of a user without the scenario's name.
        let errors = errors.replace(&format!("'cdc_{}'", self.name), "'cdc'");
        self.log.push(format!("validate {} {errors}", answer.status));
    }

    fn wait(&self, step: &toml::Table, before: &Before) {
        let created = self.log.iter().any(|line| line == "create 201");
        let starts = ["create", "resume", "restart"].iter().any(|k| flag(step, k)) || step.contains_key("config");
        let is = |key: &str, value: &str| self.config.get(key).and_then(|v| v.as_str()) == Some(value);
        let copies_only = is("snapshot.mode", "initial_only")
            || is("snapshot.mode", "configuration_based")
                && !is("snapshot.mode.configuration.based.start.stream", "true");
        if starts && created && !copies_only {
            self.source.wait_started(before);
        }
        let moves = starts || ["sql", "rest", "produce"].iter().any(|k| step.contains_key(*k));
        if let Some(wanted) = step.get("records").and_then(toml::Value::as_integer) {
            let end = Instant::now() + PATIENCE;
            while self.total() < wanted && Instant::now() < end {
                std::thread::sleep(Duration::from_millis(50));
            }
        } else if let Some(settle) = step.get("settle") {
            self.settle(settle.as_float().or_else(|| settle.as_integer().map(|i| i as f64)).unwrap());
        } else if moves && created {
            self.settle(if flag(step, "create") {
                2.5
            } else if starts {
                4.0
            } else {
                1.5
            });
        }
    }

    /// The topics of the scenario: those that have its name between dots, dashes or the ends.
    fn topics(&self) -> Vec<(String, i32)> {
        let edge = |c: Option<char>| c.is_none_or(|c| c == '.' || c == '-');
        let mine = |topic: &str| {
            topic.match_indices(&self.name).any(|(at, name)| {
                edge(topic[..at].chars().next_back()) && edge(topic[at + name.len()..].chars().next())
            })
        };
        let shown = |topic: &str| mine(topic) && !topic.starts_with("history.") && !topic.starts_with("signal.");
        self.worker.kafka.topics().into_iter().filter(|(topic, _)| shown(topic)).collect()
    }

    fn total(&self) -> i64 {
        self.worker.kafka.count(&self.topics())
    }

    /// Waits until there are `wanted` records, and then until no further one comes.
    fn wait_late(&self, wanted: usize) {
        let (begin, wanted) = (Instant::now(), i64::try_from(wanted).unwrap());
        if self.total() >= wanted {
            return;
        }
        while self.total() < wanted && begin.elapsed() < PATIENCE {
            std::thread::sleep(Duration::from_millis(100));
        }
        println!("late {}: waited {} ms more for its records", self.name, begin.elapsed().as_millis());
        self.settle(1.5);
    }

    /// Waits until no record has come for `seconds`.
    fn settle(&self, seconds: f64) {
        let (quiet, end) = (Duration::from_secs_f64(seconds), Instant::now() + PATIENCE);
        let (mut last, mut since) = (-1, Instant::now());
        while Instant::now() < end {
            let now = self.total();
            if now != last {
                (last, since) = (now, Instant::now());
            } else if since.elapsed() > quiet {
                return;
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    fn records(&mut self, extra: &BTreeSet<String>, collapse: &[String], timestamps: bool) -> Vec<Json> {
        let mut out: Vec<Json> = Vec::new();
        for (topic, partitions) in self.topics() {
            for message in self.worker.kafka.consume(&topic) {
                if topic == self.name && !self.source.is_about(message.value.as_deref()) {
                    continue;
                }
                for doubt in doubts(message.value.as_deref()) {
                    if !self.log.contains(&doubt) {
                        self.log.push(doubt);
                    }
                }
                let (mut key, value) =
                    (readable(message.key.as_deref(), extra), readable(message.value.as_deref(), extra));
                mark_made_up_key(&mut key, &value);
                if self.source.is_mysql() && topic.ends_with(".transaction") && ends_empty(&value) {
                    // BEGIN and END of a transaction with nothing captured: anyone's on the server.
                    if out
                        .last()
                        .is_some_and(|row| row.get("topic").and_then(Json::as_text) == Some(&topic) && begins(row))
                    {
                        out.pop();
                    }
                    continue;
                }
                let mut row = vec![("topic".to_owned(), Json::text(&topic))];
                if partitions > 1 {
                    row.push(("partition".to_owned(), Json::Number(message.partition.to_string())));
                }
                if timestamps {
                    row.push(("timestamp".to_owned(), Json::Number(message.timestamp_ms.unwrap_or(-1).to_string())));
                }
                row.extend([("key".to_owned(), key), ("value".to_owned(), value)]);
                if !message.headers.is_empty() {
                    let headers = message.headers.iter().map(|(name, bytes)| {
                        let shown = readable(bytes.as_deref(), extra);
                        let shown = match name.as_str() {
                            "__debezium.context.runId" => Json::text("<str>"),
                            n if VOLATILE.contains(&n) || extra.contains(n) => mark(&shown),
                            _ => shown,
                        };
                        Json::List(vec![Json::text(name), shown])
                    });
                    row.push(("headers".to_owned(), Json::List(headers.collect())));
                }
                let row = Json::Map(row);
                if !(collapse.contains(&topic) && out.last() == Some(&row)) {
                    out.push(row);
                }
            }
        }
        out
    }

    /// Stops the connector and deletes its offsets and the connector itself.
    fn forget(&self) {
        self.call("PUT", "/connectors/{name}/stop", None);
        super::rig::within(Duration::from_secs(15), || {
            let answer = self.call("DELETE", "/connectors/{name}/offsets", None);
            answer.is_ok() || answer.status == 404
        });
        self.call("DELETE", "/connectors/{name}", None);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_a_validation_are_sorted() {
        let answer = json!({"configs": [
            {"value": {"name": "b", "errors": ["X: Value must be one of d, a, c"]}},
            {"value": {"name": "fine", "errors": []}},
            {"value": {"name": "a", "errors": ["A \"value\" is required", "again"]}},
        ]});
        assert_eq!(
            errors(&answer),
            r#"{"a": ["A \"value\" is required", "again"], "b": ["X: Value must be one of a, c, d"]}"#
        );
    }

    #[test]
    fn transactions_without_captured_rows_are_told() {
        let value = |text: &str| Json::parse(text).unwrap();
        assert!(ends_empty(&value(r#"{"schema":{},"payload":{"status":"END","event_count":0}}"#)));
        assert!(!ends_empty(&value(r#"{"status":"END","event_count":1}"#)));
        assert!(begins(&value(r#"{"topic":"t","value":{"payload":{"status":"BEGIN","event_count":null}}}"#)));
        assert!(!begins(&value(r#"{"topic":"t","value":{"status":"END"}}"#)));
    }
}
