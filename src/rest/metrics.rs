//! `GET /metrics`: the metrics of the worker, its connectors and tasks in the text format of Prometheus.
//!
//! The names are those that dashboards for Kafka Connect and Debezium use. Each of Connect's metrics is written under
//! both names that the Prometheus JMX exporter may give it. Without rules it is `kafka_connect_source_task_metrics_…`.
//! With the exporter's example file, which Strimzi uses, it is `kafka_connect_source_task_…`; that file leaves out
//! rates and maxima. Debezium's metrics are `debezium_metrics_…` with the attribute's name as in JMX.
//!
//! Must not know: where the numbers come from.

use std::fmt;

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, EncodeMetric as _, prometheus_text};
use prometheus_client::metrics::MetricType;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::registry::Registry;
use relational::Numbers;

use super::App;
use super::routes::METRICS;
use crate::runtime::supervisor::{ConnectorNumbers, StartNumbers, WorkerNumbers};

pub(super) fn routes() -> Router<App> {
    Router::new().route(METRICS, get(metrics))
}

async fn metrics(State(app): State<App>) -> Response {
    match text(app.supervisor.numbers()) {
        Ok(text) => ([("content-type", "text/plain; version=0.0.4; charset=utf-8")], text).into_response(),
        // Formatting into a string fails only if the formatter itself is wrong.
        Err(fmt::Error) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

fn text(numbers: WorkerNumbers) -> Result<String, fmt::Error> {
    let mut registry = Registry::default();
    registry.register_collector(Box::new(Scrape(numbers)));
    let mut text = String::new();
    prometheus_text::encode(&mut text, &registry)?;
    Ok(text)
}

/// Reads an attribute's value out of a task's numbers; `None` while there is nothing to report.
type Value = fn(&Numbers) -> Option<f64>;

/// An attribute of a task: its name in JMX, its description, and its value.
type Attribute = (&'static str, &'static str, Value);

/// Connect's group `connector-task-metrics`.
const TASK: &[Attribute] = &[
    ("batch-size-max", "Most records of a batch", |n| n.batch_records.max()),
    ("batch-size-avg", "Mean of the records of a batch", |n| n.batch_records.mean()),
    ("offset-commit-max-time-ms", "Longest write of an offset", |n| n.commit_ms.max()),
    ("offset-commit-avg-time-ms", "Mean time of a write of an offset", |n| n.commit_ms.mean()),
    ("offset-commit-success-percentage", "Part of the writes of offsets that succeeded, 0 to 1", |n| {
        part(n.commits, n.commits + n.failed_commits)
    }),
    ("offset-commit-failure-percentage", "Part of the writes of offsets that failed, 0 to 1", |n| {
        part(n.failed_commits, n.commits + n.failed_commits)
    }),
];

/// Connect's group `source-task-metrics`.
const SOURCE: &[Attribute] = &[
    ("source-record-poll-total", "Records that the connector made", |n| Some(n.polled as f64)),
    ("source-record-poll-rate", "Records that the connector made, a second", |n| Some(n.batch_records.per_second())),
    ("source-record-write-total", "Records that the broker acknowledged", |n| Some(n.delivered() as f64)),
    ("source-record-write-rate", "Records handed to the producer, a second", |n| Some(n.writes.per_second())),
    ("poll-batch-max-time-ms", "Longest time in which a batch was converted", |n| n.batch_ms.max()),
    ("poll-batch-avg-time-ms", "Mean time in which a batch was converted", |n| n.batch_ms.mean()),
    ("source-record-active-count", "Records that are not acknowledged yet", |n| Some(n.under_way as f64)),
    ("source-record-active-count-max", "Most records that were not acknowledged yet", |n| n.active.max()),
    ("source-record-active-count-avg", "Mean of the records that were not acknowledged yet", |n| n.active.mean()),
];

/// Connect's group `task-error-metrics`.
const ERRORS: &[Attribute] = &[
    ("total-record-failures", "Operations on records that failed, repeated ones included", |n| Some(n.failures as f64)),
    ("total-record-errors", "Records that failed for good", |n| Some(n.errors as f64)),
    ("total-records-skipped", "Records left out by errors.tolerance=all", |n| Some(n.skipped as f64)),
    ("total-retries", "Operations that were tried again", |n| Some(n.retries as f64)),
    ("total-errors-logged", "Failed records with a line in the log", |n| Some(n.logged as f64)),
    ("deadletterqueue-produce-requests", "Records written to a dead letter queue", |_| Some(0.0)),
    ("deadletterqueue-produce-failures", "Records that a dead letter queue refused", |_| Some(0.0)),
    ("last-error-timestamp", "When a record failed last, milliseconds since 1970", |n| {
        Some(n.last_error_ms.unwrap_or(0) as f64)
    }),
];

/// Debezium's metrics of the context `streaming`.
const STREAMING: &[Attribute] = &[
    ("Connected", "Whether the connector reads the log", |n| Some(f64::from(u8::from(n.is_connected)))),
    ("MilliSecondsBehindSource", "How far the last event was behind its source's clock, -1 before the first", |n| {
        Some(n.lag_ms.unwrap_or(-1) as f64)
    }),
    ("MilliSecondsBehindSourceMinValue", "The least lag", |n| lag(n, n.lags.min)),
    ("MilliSecondsBehindSourceMaxValue", "The greatest lag", |n| lag(n, n.lags.max)),
    ("MilliSecondsBehindSourceAverageValue", "The mean lag", |n| {
        (n.lags.count > 0).then(|| n.lags.sum as f64 / n.lags.count as f64)
    }),
    ("MilliSecondsSinceLastEvent", "Time since the last event, -1 before the first", |n| Some(since(n.last_event_ms))),
    ("TotalNumberOfEventsSeen", "Changes that were read, filtered ones included", |n| {
        Some((n.streamed() + n.filtered) as f64)
    }),
    ("TotalNumberOfCreateEventsSeen", "Inserts that were read", |n| Some(n.creates as f64)),
    ("TotalNumberOfUpdateEventsSeen", "Updates that were read", |n| Some(n.updates as f64)),
    ("TotalNumberOfDeleteEventsSeen", "Deletes that were read", |n| Some(n.deletes as f64)),
    ("NumberOfEventsFiltered", "Changes of tables that are not captured", |n| Some(n.filtered as f64)),
    ("NumberOfErroneousEvents", "Values that could not be converted", |n| Some(n.erroneous as f64)),
    ("NumberOfCommittedTransactions", "Transactions that were read to their end", |n| Some(n.transactions as f64)),
    ("QueueTotalCapacity", "Batches that may wait to be converted", |n| Some(n.queue_capacity as f64)),
    ("QueueRemainingCapacity", "Batches for which there is room", |n| {
        Some(n.queue_capacity.saturating_sub(n.queued) as f64)
    }),
    ("CurrentQueueSizeInBytes", "Bytes that wait to be converted", |n| Some(n.queued_bytes as f64)),
];

/// Debezium's metrics of the context `snapshot`.
const SNAPSHOT: &[Attribute] = &[("TotalNumberOfEventsSeen", "Rows that were copied", |n| Some(n.reads as f64))];

/// Metrics that only afterimage has.
const OWN: &[Attribute] = &[
    ("sent_bytes_total", "Bytes of keys and values handed to the producer, before compression", |n| {
        Some(n.sent_bytes as f64)
    }),
    ("dropped_records_total", "Records that transforms dropped", |n| Some(n.dropped as f64)),
];

/// Connect's states of connectors and tasks, as its metrics spell them.
const STATES: &[&str] = &["unassigned", "running", "paused", "stopped", "failed", "restarting"];

/// The attributes that the exporter's example file lets through.
const EXAMPLE_FILE: &[&str] = &[
    "total",
    "count",
    "ms",
    "ratio",
    "avg",
    "failures",
    "requests",
    "timestamp",
    "logged",
    "errors",
    "retries",
    "skipped",
];

fn part(some: u64, all: u64) -> Option<f64> {
    (all > 0).then(|| some as f64 / all as f64)
}

fn lag(numbers: &Numbers, value: i64) -> Option<f64> {
    (numbers.lags.count > 0).then_some(value as f64)
}

fn since(at_ms: Option<i64>) -> f64 {
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    at_ms.map_or(-1.0, |at_ms| (now.as_millis() as i64 - at_ms).max(0) as f64)
}

type Label<'a> = (&'static str, &'a str);

/// The samples of one metric: each set of labels with its value.
type Samples<'a> = Vec<(Vec<Label<'a>>, f64)>;

#[derive(Debug)]
struct Scrape(WorkerNumbers);

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let out = &mut encoder;
        self.worker(out)?;
        self.connectors(out)?;
        for (kind, attributes) in [("connector-task", TASK), ("source-task", SOURCE), ("task-error", ERRORS)] {
            for (name, help, value) in attributes {
                let samples =
                    self.tasks(*value, |connector, task| vec![("connector", &*connector.name), ("task", task)]);
                connect(out, kind, name, help, &samples)?;
            }
        }
        for (context, attributes) in [("streaming", STREAMING), ("snapshot", SNAPSHOT)] {
            for (name, help, value) in attributes {
                // An attribute that both contexts have is written once, as one metric with samples of both.
                let Some(contexts) = contexts(context, name) else { continue };
                let mut samples = Samples::new();
                for (context, value) in std::iter::once((context, *value)).chain(contexts) {
                    samples.extend(self.tasks(value, |connector, _| debezium(connector, context)));
                }
                write(out, &format!("debezium_metrics_{name}"), help, &samples)?;
            }
        }
        for (name, help, value) in OWN {
            let samples = self.tasks(*value, |connector, task| vec![("connector", &*connector.name), ("task", task)]);
            write(out, &format!("afterimage_task_{name}"), help, &samples)?;
        }
        Ok(())
    }
}

/// The other contexts that have an attribute with this name. `None` when an earlier context has already written it.
fn contexts(context: &str, name: &str) -> Option<Vec<(&'static str, Value)>> {
    if context == "snapshot" {
        return (!STREAMING.iter().any(|(known, ..)| *known == name)).then(Vec::new);
    }
    let same = SNAPSHOT.iter().filter(|(known, ..)| *known == name);
    Some(same.map(|(.., value)| ("snapshot", *value)).collect())
}

fn debezium<'a>(connector: &'a ConnectorNumbers, context: &'static str) -> Vec<Label<'a>> {
    vec![("context", context), ("name", &connector.topic_prefix), ("plugin", connector.kind.unwrap_or_default())]
}

/// Description of the metrics that stand for a state.
const STATE: &str = "1 for the state, 0 for all others";

/// Labels of tasks. Labels are texts, and a connector has one task.
const TASK_NUMBERS: [&str; 1] = ["0"];

impl Scrape {
    /// One sample for each task that runs in this process.
    fn tasks<'a>(
        &'a self,
        value: fn(&Numbers) -> Option<f64>,
        labels: impl Fn(&'a ConnectorNumbers, &'static str) -> Vec<Label<'a>>,
    ) -> Samples<'a> {
        let mut samples = Samples::new();
        for connector in &self.0.connectors {
            for (number, _, numbers) in &connector.tasks {
                let (Some(task), Some(numbers)) = (TASK_NUMBERS.get(*number as usize), numbers) else { continue };
                samples.extend(value(numbers).map(|value| (labels(connector, task), value)));
            }
        }
        samples
    }

    fn worker(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let all = &self.0;
        let tasks: usize = all.connectors.iter().map(|connector| connector.tasks.len()).sum();
        let mut rows = vec![
            ("connector-count".to_owned(), "Connectors", Some(all.connectors.len() as f64)),
            ("task-count".to_owned(), "Tasks", Some(tasks as f64)),
        ];
        for (what, StartNumbers { attempts, successes, failures }) in
            [("connector", all.connector_starts), ("task", all.task_starts)]
        {
            rows.extend([
                (format!("{what}-startup-attempts-total"), "Starts", Some(attempts as f64)),
                (format!("{what}-startup-success-total"), "Starts that succeeded", Some(successes as f64)),
                (format!("{what}-startup-failure-total"), "Starts that failed", Some(failures as f64)),
                (
                    format!("{what}-startup-success-percentage"),
                    "Part of the starts that succeeded, 0 to 1",
                    part(successes, successes + failures),
                ),
                (
                    format!("{what}-startup-failure-percentage"),
                    "Part of the starts that failed, 0 to 1",
                    part(failures, successes + failures),
                ),
            ]);
        }
        for (name, help, value) in rows {
            let samples: Samples<'_> = value.into_iter().map(|value| (Vec::new(), value)).collect();
            connect(out, "connect-worker", &name, help, &samples)?;
        }
        for state in ["total", "running", "paused", "failed", "unassigned", "destroyed", "restarting"] {
            let count = |connector: &ConnectorNumbers| {
                let is = |of: &str| state == "total" || of.eq_ignore_ascii_case(state);
                connector.tasks.iter().filter(|(_, of, _)| is(of)).count() as f64
            };
            let of = all.connectors.iter().filter(|connector| !connector.tasks.is_empty());
            let samples: Samples<'_> =
                of.map(|connector| (vec![("connector", &*connector.name)], count(connector))).collect();
            let name = format!("connector-{state}-task-count");
            connect(out, "connect-worker", &name, "Tasks of a connector, by their state", &samples)?;
        }
        Ok(())
    }

    fn connectors(&self, out: &mut DescriptorEncoder<'_>) -> Result<(), fmt::Error> {
        let (mut of_connectors, mut of_tasks, mut infos) = (Samples::new(), Samples::new(), Samples::new());
        for connector in &self.0.connectors {
            let name = ("connector", &*connector.name);
            for state in STATES {
                let is = |of: &str| f64::from(u8::from(of.eq_ignore_ascii_case(state)));
                of_connectors.push((vec![name, ("status", *state)], is(&connector.state)));
                for (number, of, _) in &connector.tasks {
                    let Some(task) = TASK_NUMBERS.get(*number as usize) else { continue };
                    of_tasks.push((vec![name, ("task", *task), ("status", *state)], is(of)));
                }
            }
            let version = connector.version.unwrap_or_default();
            let about = [("connector_class", &*connector.class), ("connector_version", version)];
            infos.push(([&[name, ("connector_type", "source")], &about[..]].concat(), 1.0));
        }
        write(out, "kafka_connect_connector_metrics_status", STATE, &of_connectors)?;
        write(out, "kafka_connect_connector_task_metrics_status", STATE, &of_tasks)?;
        let now: Samples<'_> = of_tasks.into_iter().filter(|(_, value)| *value > 0.0).collect();
        write(out, "kafka_connect_connector_status", "The state of each task", &now)?;
        write(out, "kafka_connect_connector_metrics_info", "What a connector is", &infos)
    }
}

/// Writes one of Connect's attributes under both names.
fn connect(
    out: &mut DescriptorEncoder<'_>,
    kind: &str,
    attribute: &str,
    help: &str,
    samples: &Samples<'_>,
) -> Result<(), fmt::Error> {
    let (name, snake) = (attribute.replace('-', "_"), kind.replace('-', "_"));
    write(out, &format!("kafka_connect_{snake}_metrics_{name}"), help, samples)?;
    if EXAMPLE_FILE.iter().any(|end| attribute.ends_with(end)) {
        // In the example file, the names of worker metrics lack "connect-".
        let snake = if kind == "connect-worker" { "worker" } else { &*snake };
        write(out, &format!("kafka_connect_{snake}_{name}"), help, samples)?;
    }
    Ok(())
}

/// Writes a metric. A name that ends in `_total` is a counter, every other one a gauge.
fn write(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, samples: &Samples<'_>) -> Result<(), fmt::Error> {
    if samples.is_empty() {
        return Ok(());
    }
    let counter = name.strip_suffix("_total");
    let kind = if counter.is_some() { MetricType::Counter } else { MetricType::Gauge };
    // The encoder adds `_total` to the name of a counter.
    let mut metric = out.encode_descriptor(counter.unwrap_or(name), help, None, kind)?;
    for (labels, value) in samples {
        if labels.is_empty() {
            match kind {
                MetricType::Counter => metric.encode_counter::<Vec<Label<'_>>, _, u64>(&(*value as u64), None)?,
                _ => metric.encode_gauge(value)?,
            }
            continue;
        }
        let family = metric.encode_family(labels)?;
        match kind {
            MetricType::Counter => ConstCounter::new(*value as u64).encode(family)?,
            _ => ConstGauge::new(*value).encode(family)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers() -> WorkerNumbers {
        let counted = Numbers {
            creates: 2,
            filtered: 1,
            reads: 5,
            polled: 7,
            sent: 7,
            under_way: 1,
            lag_ms: Some(12),
            is_connected: true,
            queue_capacity: 8,
            queued: 3,
            sent_bytes: 900,
            skipped: 1,
            ..Numbers::default()
        };
        WorkerNumbers {
            task_starts: StartNumbers { attempts: 2, successes: 1, failures: 1 },
            connectors: vec![ConnectorNumbers {
                name: "c\"1".to_owned(),
                topic_prefix: "p".to_owned(),
                class: "io.debezium.connector.postgresql.PostgresConnector".to_owned(),
                kind: Some("postgres"),
                version: Some("3.6.1.Final"),
                state: "RUNNING".to_owned(),
                tasks: vec![(0, "RUNNING".to_owned(), Some(counted))],
            }],
            ..WorkerNumbers::default()
        }
    }

    #[test]
    fn names_that_dashboards_ask_for() {
        let text = text(numbers()).unwrap();
        for line in [
            "kafka_connect_connect_worker_metrics_connector_count 1.0",
            "kafka_connect_worker_task_startup_attempts_total 2",
            "kafka_connect_connect_worker_metrics_task_startup_failure_percentage 0.5",
            r#"kafka_connect_worker_connector_running_task_count{connector="c\"1"} 1.0"#,
            r#"kafka_connect_source_task_metrics_source_record_poll_total{connector="c\"1",task="0"} 7"#,
            r#"kafka_connect_source_task_source_record_write_total{connector="c\"1",task="0"} 6"#,
            r#"kafka_connect_source_task_source_record_active_count{connector="c\"1",task="0"} 1.0"#,
            r#"kafka_connect_task_error_total_records_skipped{connector="c\"1",task="0"} 1.0"#,
            r#"kafka_connect_connector_task_metrics_status{connector="c\"1",task="0",status="running"} 1.0"#,
            r#"kafka_connect_connector_task_metrics_status{connector="c\"1",task="0",status="failed"} 0.0"#,
            r#"kafka_connect_connector_status{connector="c\"1",task="0",status="running"} 1.0"#,
            r#"debezium_metrics_MilliSecondsBehindSource{context="streaming",name="p",plugin="postgres"} 12.0"#,
            r#"debezium_metrics_TotalNumberOfEventsSeen{context="streaming",name="p",plugin="postgres"} 3.0"#,
            r#"debezium_metrics_TotalNumberOfEventsSeen{context="snapshot",name="p",plugin="postgres"} 5.0"#,
            r#"debezium_metrics_QueueRemainingCapacity{context="streaming",name="p",plugin="postgres"} 5.0"#,
            r#"afterimage_task_sent_bytes_total{connector="c\"1",task="0"} 900"#,
        ] {
            assert!(text.lines().any(|known| known == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn a_metric_is_described_once() {
        let text = text(numbers()).unwrap();
        let mut names: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("# TYPE ")).collect();
        let all = names.len();
        names.sort_unstable();
        names.dedup();
        assert_eq!(names.len(), all, "{text}");
        assert!(text.lines().all(|line| !line.contains("NaN")), "{text}");
    }

    #[test]
    fn what_the_example_file_leaves_out_stands_under_one_name() {
        let text = text(numbers()).unwrap();
        assert!(text.contains("kafka_connect_source_task_metrics_source_record_poll_rate{"));
        assert!(!text.contains("kafka_connect_source_task_source_record_poll_rate"));
    }
}
