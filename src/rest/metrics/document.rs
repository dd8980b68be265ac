//! Makes `docs/metrics.md` from the rows.
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test")]

use std::fmt::Write;

use super::names::{Group, MetricNames};
use super::rows::{self, Read, Row};

const HEAD: &str = "\
# Metrics

Made from the table in `src/rest/metrics/rows`; a test holds this file against it (with `AFTERIMAGE_UPDATE=1` it writes the file).
Do not edit it by hand. `GET /metrics` answers in the text format of Prometheus, on every worker. A worker that stands by shows
the worker's metrics only, because another one runs the connectors. docker/grafana has a dashboard, docker/prometheus alert rules.

Counters of tasks begin at zero when the task starts, as in Kafka Connect and Debezium. Rates, means and extremes are those of the
last minute (two windows of 30 s), unless a line says otherwise. A mean or extreme without measurements is not shown, and
nothing is ever infinite.
";

/// What stands above each family's names, with the labels of the metrics.
const PARTS: [(&str, &str, Part); 5] = [
    (
        "Kafka Connect: metrics.names=f1",
        "The default: as the Prometheus JMX exporter names the beans without rules. With `strip-total` in `metrics.names`, \
         `_total` is left out. What is a text in JMX is a label, and the value is 1.",
        Part::Connect("f1"),
    ),
    (
        "Kafka Connect: metrics.names=f2",
        "As the exporter's example file names them, which Strimzi uses. Of tasks it leaves out rates, extremes, parts and texts.",
        Part::Connect("f2"),
    ),
    ("Kafka Connect: metrics.names=f3", "As Debezium's example of monitoring names them.", Part::Connect("f3")),
    (
        "Debezium",
        "As Debezium's example of monitoring names them. `name` is the connector's `topic.prefix`, `plugin` is postgres, \
         mysql or mariadb, `context` is streaming, snapshot or schema-history.",
        Part::Debezium,
    ),
    ("afterimage", "What neither Kafka Connect nor Debezium has.", Part::Own),
];

#[derive(Clone, Copy)]
enum Part {
    Connect(&'static str),
    Debezium,
    Own,
}

impl Part {
    fn has(self, group: Group) -> bool {
        match self {
            Self::Connect(_) => !matches!(group, Group::Debezium(_) | Group::Own),
            Self::Debezium => matches!(group, Group::Debezium(_)),
            Self::Own => group == Group::Own,
        }
    }
}

/// A line of a table.
struct Line {
    name: String,
    kind: &'static str,
    labels: Vec<&'static str>,
    contexts: Vec<&'static str>,
    help: &'static str,
}

fn lines(part: Part) -> Vec<Line> {
    let names = match part {
        Part::Connect(family) => MetricNames::parse(&[family.to_owned()]).unwrap(),
        Part::Debezium | Part::Own => MetricNames::default(),
    };
    let mut lines: Vec<Line> = Vec::new();
    for row in rows::all().filter(|row| part.has(row.group)) {
        for name in row.names(names) {
            let context = row.group.context();
            if let Some(line) = lines.iter_mut().find(|line| line.name == name.text) {
                line.contexts.extend(context);
                continue;
            }
            lines.push(Line {
                kind: kind(row, &name.text),
                labels: name.labels.iter().chain(row.read.labels()).copied().collect(),
                contexts: context.into_iter().collect(),
                help: row.help,
                name: name.text,
            });
        }
    }
    lines
}

fn kind(row: &Row, name: &str) -> &'static str {
    match row.read {
        Read::Times(_) => "histogram",
        _ if name.ends_with("_total") => "counter",
        _ => "gauge",
    }
}

fn made() -> String {
    let mut out = HEAD.to_owned();
    for (title, about, part) in PARTS {
        let _ = write!(out, "\n## {title}\n\n{about}\n\n| name | type | labels | what it says |\n|---|---|---|---|\n");
        for Line { name, kind, labels, contexts, help } in lines(part) {
            let contexts = if contexts.is_empty() { String::new() } else { format!(" ({})", contexts.join(", ")) };
            let _ = writeln!(out, "| `{name}` | {kind} | {} | {help}{contexts} |", labels.join(", "));
        }
    }
    out
}

/// With `AFTERIMAGE_UPDATE=1` the test writes the file instead of comparing it.
#[test]
fn the_document_is_current() {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/docs/metrics.md");
    let made = made();
    if std::env::var_os("AFTERIMAGE_UPDATE").is_some() {
        std::fs::write(path, &made).expect("the file is written");
    }
    let there = std::fs::read_to_string(path).unwrap_or_default();
    assert!(there == made, "docs/metrics.md is not current: run this test with AFTERIMAGE_UPDATE=1");
}

#[test]
fn each_metric_is_explained() {
    for (title, _, part) in PARTS {
        let lines = lines(part);
        assert!(!lines.is_empty(), "{title}");
        for Line { name, help, .. } in lines {
            assert!(!help.is_empty() && !help.contains('|'), "{name}: {help:?}");
        }
    }
}
