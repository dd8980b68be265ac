//! One connector's life over REST, mistakes of callers, and what plug-ins tell of themselves, call by call, compared with the
//! answers of a Kafka Connect 4.3.1 worker with Debezium 3.6.1.
//!
//! The status, the content type and the JSON are compared. Values that differ from run to run are replaced by a mark of
//! their type: versions, worker ids, traces, and messages unless the call says `exact`. Documentation texts are left
//! out. The data is in `tests/data/rest`.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::path::PathBuf;
use std::time::Duration;

use rig::{Answer, Daemon, Options, Session, ask, postgres_address, within};
use serde_json::{Map, Value, json};
use similar::TextDiff;

/// The database port in the recorded calls and answers.
const GOLDEN_PORT: &str = "15432";

const MARKED: &[&str] =
    &["version", "commit", "kafka_cluster_id", "worker_id", "trace", "documentation", "last_modified"];

fn mark(value: &Value) -> Value {
    // The names of types are those of the program that made the recording.
    let name = match value {
        Value::Null => "NoneType",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float",
        Value::Number(_) => "int",
        Value::String(_) => "str",
        Value::Array(_) => "list",
        Value::Object(_) => "dict",
    };
    Value::from(format!("<{name}>"))
}

fn normal(value: &Value, exact: bool) -> Value {
    match value {
        Value::Object(entries) => {
            let kept = entries.iter().filter(|(name, _)| *name != "documentation").map(|(name, v)| {
                let shown = if name == "message" && v.is_string() && !exact {
                    Value::from("<message>")
                } else if MARKED.contains(&name.as_str()) {
                    mark(v)
                } else {
                    normal(v, exact)
                };
                (name.clone(), shown)
            });
            Value::Object(kept.collect::<Map<_, _>>())
        }
        Value::Array(items) => Value::Array(items.iter().map(|item| normal(item, exact)).collect()),
        _ => value.clone(),
    }
}

/// An answer in the form of the golden file.
fn row(call: &str, answer: &Answer, exact: bool) -> Value {
    let body = match serde_json::from_str::<Value>(&answer.text) {
        Ok(body) => normal(&body, exact),
        Err(_) => Value::from(if answer.text.is_empty() { "" } else { "<text>" }),
    };
    json!({"call": call, "status": answer.status, "type": answer.content_type, "body": body})
}

fn difference(wanted: &Value, seen: &Value) -> Option<String> {
    // Maps are equal in any order. The texts are only for the error message.
    if wanted == seen {
        return None;
    }
    let (w, s) = (sorted(wanted), sorted(seen));
    let (w, s) = (serde_json::to_string_pretty(&w).unwrap() + "\n", serde_json::to_string_pretty(&s).unwrap() + "\n");
    Some(TextDiff::from_lines(&w, &s).unified_diff().context_radius(2).header("wanted", "seen").to_string())
}

fn sorted(value: &Value) -> Value {
    match value {
        Value::Object(entries) => {
            let mut all: Vec<_> = entries.iter().map(|(k, v)| (k.clone(), sorted(v))).collect();
            all.sort_by(|a, b| a.0.cmp(&b.0));
            Value::Object(all.into_iter().collect())
        }
        Value::Array(items) => Value::Array(items.iter().map(sorted).collect()),
        _ => value.clone(),
    }
}

#[test]
fn answers_are_as_connects() {
    let address = postgres_address();
    let port = address.rsplit(':').next().unwrap();
    let ours = |text: &str| text.replace(&format!("\"{GOLDEN_PORT}\""), &format!("\"{port}\""));
    let goldens = |text: &str| text.replace(&format!("\"{port}\""), &format!("\"{GOLDEN_PORT}\""));

    let elsewhere = std::env::var("AFTERIMAGE_TEST_REST").ok();
    let daemon = elsewhere.is_none().then(|| Daemon::start(Options::new("rest")));
    let url = elsewhere.unwrap_or_else(|| daemon.as_ref().unwrap().url());
    let database = Session::connect(&address, "postgres");
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/rest");
    let (mut bad, mut count) = (Vec::new(), 0);
    let files = ["errors", "lifecycle", "plugins"].iter().flat_map(|file| {
        let read = |ending: &str| std::fs::read_to_string(dir.join(format!("{file}.{ending}"))).unwrap();
        let calls: toml::Table = read("toml").parse().unwrap();
        let calls = calls["call"].as_array().unwrap().clone();
        let golden: Vec<Value> = serde_json::from_str(&read("golden.json")).unwrap();
        assert_eq!(calls.len(), golden.len(), "{file}: every call has its golden answer");
        calls.into_iter().zip(golden).enumerate().map(move |(number, pair)| (*file, number, pair))
    });
    for (file, number, (call, wanted)) in files {
        count += 1;
        let text = |key: &str| call.get(key).and_then(toml::Value::as_str);
        if let Some(sql) = text("sql") {
            // What the call before deletes may be in use for a moment longer.
            let mut last = Ok(());
            within(Duration::from_secs(10), || {
                last = database.try_run(sql);
                last.is_ok()
            });
            last.unwrap();
        }
        let exact = call.get("exact").and_then(toml::Value::as_bool) == Some(true);
        let (method, path) = text("do").unwrap().split_once(' ').unwrap();
        let body = text("body").map(ours);
        let headers = call.get("headers").and_then(toml::Value::as_table).into_iter().flatten();
        let headers: Vec<(String, String)> =
            headers.map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect();
        let mut answer = None;
        within(Duration::from_secs(20), || {
            let mut now =
                ask(method, &format!("{url}{path}"), body.as_deref(), &headers).unwrap_or_else(|e| panic!("{e}"));
            now.text = goldens(&now.text);
            let enough = text("until").is_none_or(|until| now.text.contains(until));
            answer = Some(now);
            enough
        });
        let seen = row(text("do").unwrap(), answer.as_ref().unwrap(), exact);
        if let Some(diff) = difference(&wanted, &seen) {
            bad.push(format!("{file}, call {}: {}\n{diff}", number + 1, text("do").unwrap()));
        }
    }
    assert!(bad.is_empty(), "{} of {count} answers differ\n{}", bad.len(), bad.join("\n"));
}

#[test]
fn a_difference_is_seen() {
    let answer = |status, text: &str| Answer { status, content_type: "application/json".into(), text: text.into() };
    let wanted = row("GET /", &answer(200, r#"{"version":"4.3.1","message":"a","name":"x"}"#), false);
    let same = row("GET /", &answer(200, r#"{"name":"x","message":"b","version":"9"}"#), false);
    assert_eq!(difference(&wanted, &same), None);
    for (status, text, exact) in [
        (404, r#"{"version":"4.3.1","message":"a","name":"x"}"#, false),
        (200, r#"{"version":"4.3.1","message":"a","name":"y"}"#, false),
        (200, r#"{"version":4,"message":"a","name":"x"}"#, false),
        (200, r#"{"version":"4.3.1","message":"b","name":"x"}"#, true),
        (200, "", false),
    ] {
        assert!(difference(&wanted, &row("GET /", &answer(status, text), exact)).is_some(), "{status} {text}");
    }
}
