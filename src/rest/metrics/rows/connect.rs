//! Kafka Connect's metrics.
//!
//! Not here: what Connect's Kafka clients count (`connect-metrics`, `connect-node-metrics`), and how often the group's members
//! send heartbeats, join and synchronise. There are no such clients here, and the group has one member.
//!
//! Must not know: how names are made.

use super::super::names::{Family, Group};
use super::{Read, Row, Series, flag, row};
use crate::rest::CONNECT_VERSION;
use crate::runtime::supervisor::{ClassOf, ConnectorNumbers, StartNumbers, TaskNumbers};

/// Of the worker and its connectors.
pub(super) static ROWS: &[Row] = &[
    row(
        Group::Worker,
        "connector-count",
        "Connectors that this worker runs",
        Read::Worker(|s| count(s.worker.connectors.len())),
    ),
    row(
        Group::Worker,
        "task-count",
        "Tasks that this worker runs",
        Read::Worker(|s| count(s.worker.connectors.iter().map(|connector| connector.tasks.len()).sum())),
    ),
    row(
        Group::Worker,
        "connector-startup-attempts-total",
        "Starts of connectors",
        Read::Worker(|s| Some(s.worker.connector_starts.attempts as f64)),
    ),
    row(
        Group::Worker,
        "connector-startup-success-total",
        "Starts of connectors that succeeded",
        Read::Worker(|s| Some(s.worker.connector_starts.successes as f64)),
    ),
    row(
        Group::Worker,
        "connector-startup-success-percentage",
        "Part of the last minute's starts of connectors that succeeded, 0 to 1; 0 without starts",
        Read::Worker(|s| Some(s.worker.connector_starts.success_ratio.unwrap_or(0.0))),
    ),
    row(
        Group::Worker,
        "connector-startup-failure-total",
        "Starts of connectors that failed",
        Read::Worker(|s| Some(s.worker.connector_starts.failures as f64)),
    ),
    row(
        Group::Worker,
        "connector-startup-failure-percentage",
        "Part of the last minute's starts of connectors that failed, 0 to 1",
        Read::Worker(|s| failed(s.worker.connector_starts)),
    ),
    row(
        Group::Worker,
        "task-startup-attempts-total",
        "Starts of tasks",
        Read::Worker(|s| Some(s.worker.task_starts.attempts as f64)),
    ),
    row(
        Group::Worker,
        "task-startup-success-total",
        "Starts of tasks that succeeded",
        Read::Worker(|s| Some(s.worker.task_starts.successes as f64)),
    ),
    row(
        Group::Worker,
        "task-startup-success-percentage",
        "Part of the last minute's starts of tasks that succeeded, 0 to 1; 0 without starts",
        Read::Worker(|s| Some(s.worker.task_starts.success_ratio.unwrap_or(0.0))),
    ),
    row(
        Group::Worker,
        "task-startup-failure-total",
        "Starts of tasks that failed",
        Read::Worker(|s| Some(s.worker.task_starts.failures as f64)),
    ),
    row(
        Group::Worker,
        "task-startup-failure-percentage",
        "Part of the last minute's starts of tasks that failed, 0 to 1",
        Read::Worker(|s| failed(s.worker.task_starts)),
    ),
    row(
        Group::WorkerConnector,
        "connector-total-task-count",
        "Tasks of a connector",
        Read::Connector(|c| tasks(c, None)),
    ),
    row(
        Group::WorkerConnector,
        "connector-running-task-count",
        "Tasks of a connector that run",
        Read::Connector(|c| tasks(c, Some("RUNNING"))),
    ),
    row(
        Group::WorkerConnector,
        "connector-paused-task-count",
        "Tasks of a connector that are paused",
        Read::Connector(|c| tasks(c, Some("PAUSED"))),
    ),
    row(
        Group::WorkerConnector,
        "connector-failed-task-count",
        "Tasks of a connector that failed",
        Read::Connector(|c| tasks(c, Some("FAILED"))),
    ),
    row(
        Group::WorkerConnector,
        "connector-unassigned-task-count",
        "Tasks of a connector that nobody runs",
        Read::Connector(|c| tasks(c, Some("UNASSIGNED"))),
    ),
    row(
        Group::WorkerConnector,
        "connector-destroyed-task-count",
        "Tasks of a connector that are deleted",
        Read::Connector(|c| tasks(c, Some("DESTROYED"))),
    ),
    row(
        Group::WorkerConnector,
        "connector-restarting-task-count",
        "Tasks of a connector that are being restarted",
        Read::Connector(|c| tasks(c, Some("RESTARTING"))),
    ),
    row(
        Group::Rebalance,
        "info",
        "How the group's members share connectors (one runs them all), and where its owner is",
        Read::WorkerSeries(&["connect_protocol", "leader_name"], |s| {
            let owner = s.worker.owner_url.clone().unwrap_or_else(|| s.url.clone());
            vec![(vec!["afterimage".to_owned(), owner], 1.0)]
        }),
    ),
    row(
        Group::Rebalance,
        "epoch",
        "The generation that is written into statuses",
        Read::Worker(|s| Some(f64::from(s.worker.generation))),
    ),
    row(
        Group::Rebalance,
        "completed-rebalances-total",
        "How often it was settled which worker of the group runs the connectors",
        Read::Worker(|s| Some(s.worker.rebalances.completed as f64)),
    ),
    row(
        Group::Rebalance,
        "rebalancing",
        "Whether it is not settled which worker of the group runs the connectors",
        Read::Worker(|s| flag(s.worker.rebalances.is_rebalancing)),
    ),
    row(
        Group::Rebalance,
        "rebalance-max-time-ms",
        "Longest time until it was settled which worker runs the connectors, milliseconds",
        Read::Worker(|s| s.worker.rebalances.max_ms),
    ),
    row(
        Group::Rebalance,
        "rebalance-avg-time-ms",
        "Mean time until it was settled which worker runs the connectors, milliseconds",
        Read::Worker(|s| s.worker.rebalances.mean_ms),
    ),
    row(
        Group::Rebalance,
        "time-since-last-rebalance-ms",
        "Time since it was settled which worker runs the connectors, milliseconds",
        Read::Worker(|s| s.worker.rebalances.since_ms),
    ),
    row(
        Group::Coordinator,
        "assigned-connectors",
        "Connectors that this worker runs",
        Read::Worker(|s| count(s.worker.connectors.len())),
    ),
    row(
        Group::Coordinator,
        "assigned-tasks",
        "Tasks that this worker runs",
        Read::Worker(|s| count(s.worker.connectors.iter().map(|connector| connector.tasks.len()).sum())),
    ),
    row(
        Group::AppInfo,
        "info",
        "The version of Kafka Connect that the worker is compatible with, and its own commit",
        Read::WorkerSeries(&["version", "commit_id"], |s| {
            vec![(vec![CONNECT_VERSION.to_owned(), s.commit.clone()], 1.0)]
        }),
    ),
    row(
        Group::AppInfo,
        "start-time-ms",
        "When the worker started, milliseconds since 1970",
        Read::Worker(|s| Some(s.worker.started_ms as f64)),
    ),
    row(
        Group::Only(Family::F2),
        "kafka_connect_version_info",
        "The version of Kafka Connect that the worker is compatible with",
        Read::WorkerSeries(&["clientId", "version"], |s| {
            vec![(vec![s.worker.worker_id.clone(), CONNECT_VERSION.to_owned()], 1.0)]
        }),
    ),
    row(
        Group::Only(Family::F2),
        "kafka_connect_start_time_seconds",
        "When the worker started, seconds since 1970",
        Read::WorkerSeries(&["clientId"], |s| {
            vec![(vec![s.worker.worker_id.clone()], s.worker.started_ms as f64 / 1000.0)]
        }),
    ),
    row(
        Group::Connector,
        "status",
        "1 for the connector's state, 0 for all others",
        Read::ConnectorSeries(&["status"], |c| states(&c.state)),
    ),
    row(
        Group::Connector,
        "info",
        "What a connector is",
        Read::ConnectorSeries(&["connector_type", "connector_class", "connector_version"], |c| {
            vec![(connector_texts(c), 1.0)]
        }),
    ),
];

/// Of tasks.
pub(super) static TASKS: &[Row] = &[
    row(
        Group::Task,
        "status",
        "1 for the task's state, 0 for all others",
        Read::TaskSeries(&["status"], |_, task| states(&task.state)),
    ),
    row(
        Group::Only(Family::F2),
        "kafka_connect_connector_status",
        "The state of each task",
        Read::TaskSeries(&["status"], |_, task| vec![(vec![task.state.to_lowercase()], 1.0)]),
    ),
    row(
        Group::Task,
        "info",
        "What a task is made of",
        Read::TaskSeries(
            &[
                "connector_type",
                "connector_class",
                "connector_version",
                "task_class",
                "task_version",
                "key_converter_class",
                "key_converter_version",
                "value_converter_class",
                "value_converter_version",
                "header_converter_class",
                "header_converter_version",
            ],
            |connector, _| {
                let mut texts = connector_texts(connector);
                texts.push(connector.task_class.unwrap_or_default().to_owned());
                texts.push(connector.version.unwrap_or_default().to_owned());
                texts.extend(connector.converters.iter().flat_map(class_texts));
                vec![(texts, 1.0)]
            },
        ),
    ),
    row(
        Group::Transform,
        "info",
        "What a transform of a task is",
        Read::TaskSeries(&["transform", "transform_class", "transform_version"], |connector, _| {
            parts(&connector.transforms)
        }),
    ),
    row(
        Group::Predicate,
        "info",
        "What a predicate of a task is",
        Read::TaskSeries(&["predicate", "predicate_class", "predicate_version"], |connector, _| {
            parts(&connector.predicates)
        }),
    ),
    row(
        Group::Task,
        "running-ratio",
        "Part of the task's time in which it ran, 0 to 1",
        Read::Task(|t| Some(t.running_ratio)),
    ),
    row(
        Group::Task,
        "pause-ratio",
        "Part of the task's time in which it was paused, 0 to 1",
        Read::Task(|t| Some(t.pause_ratio)),
    ),
    row(Group::Task, "batch-size-max", "Most records of a batch", Read::Counted(|n| n.batch_records.max())),
    row(Group::Task, "batch-size-avg", "Mean of the records of a batch", Read::Counted(|n| n.batch_records.mean())),
    row(
        Group::Task,
        "offset-commit-max-time-ms",
        "Longest write of an offset, milliseconds",
        Read::Counted(|n| n.commit_ms.max()),
    ),
    row(
        Group::Task,
        "offset-commit-avg-time-ms",
        "Mean time of a write of an offset, milliseconds",
        Read::Counted(|n| n.commit_ms.mean()),
    ),
    row(
        Group::Task,
        "offset-commit-success-percentage",
        "Part of the last minute's writes of offsets that succeeded, 0 to 1; 0 without writes",
        Read::Counted(|n| Some(n.commit_outcomes.mean().unwrap_or(0.0))),
    ),
    row(
        Group::Task,
        "offset-commit-failure-percentage",
        "Part of the last minute's writes of offsets that failed, 0 to 1",
        Read::Counted(|n| Some(n.commit_outcomes.mean().map_or(0.0, |success| 1.0 - success))),
    ),
    row(
        Group::SourceTask,
        "source-record-poll-total",
        "Records that the connector made",
        Read::Counted(|n| Some(n.polled as f64)),
    ),
    row(
        Group::SourceTask,
        "source-record-poll-rate",
        "Records that the connector made, a second",
        Read::Counted(|n| Some(n.batch_records.per_second())),
    ),
    row(
        Group::SourceTask,
        "source-record-write-total",
        "Records that the broker acknowledged, with all others of their batch",
        Read::Counted(|n| Some(n.delivered() as f64)),
    ),
    row(
        Group::SourceTask,
        "source-record-write-rate",
        "Records that the broker acknowledged, a second",
        Read::Counted(|n| Some(n.writes.per_second())),
    ),
    row(
        Group::SourceTask,
        "poll-batch-max-time-ms",
        "Longest time in which a batch was converted, milliseconds",
        Read::Counted(|n| n.batch_ms.max()),
    ),
    row(
        Group::SourceTask,
        "poll-batch-avg-time-ms",
        "Mean time in which a batch was converted, milliseconds",
        Read::Counted(|n| n.batch_ms.mean()),
    ),
    row(
        Group::SourceTask,
        "source-record-active-count",
        "Records of batches that are not acknowledged as a whole",
        Read::Counted(|n| Some(n.under_way as f64)),
    ),
    row(
        Group::SourceTask,
        "source-record-active-count-max",
        "Most records of batches that were not acknowledged as a whole",
        Read::Counted(|n| n.active.max()),
    ),
    row(
        Group::SourceTask,
        "source-record-active-count-avg",
        "Mean of the records of batches that were not acknowledged as a whole",
        Read::Counted(|n| n.active.mean()),
    ),
    row(
        Group::SourceTask,
        "transaction-size-min",
        "Fewest records of a transaction (exactly once)",
        Read::Counted(|n| n.transaction_records.min()),
    ),
    row(
        Group::SourceTask,
        "transaction-size-max",
        "Most records of a transaction (exactly once)",
        Read::Counted(|n| n.transaction_records.max()),
    ),
    row(
        Group::SourceTask,
        "transaction-size-avg",
        "Mean of the records of a transaction (exactly once)",
        Read::Counted(|n| n.transaction_records.mean()),
    ),
    row(
        Group::TaskError,
        "total-record-failures",
        "Operations on records that failed, repeated ones included",
        Read::Counted(|n| Some(n.failures as f64)),
    ),
    row(
        Group::TaskError,
        "total-record-errors",
        "Records that failed for good",
        Read::Counted(|n| Some(n.errors as f64)),
    ),
    row(
        Group::TaskError,
        "total-records-skipped",
        "Records left out by errors.tolerance=all",
        Read::Counted(|n| Some(n.skipped as f64)),
    ),
    row(
        Group::TaskError,
        "total-retries",
        "Operations that were tried again",
        Read::Counted(|n| Some(n.retries as f64)),
    ),
    row(
        Group::TaskError,
        "total-errors-logged",
        "Failed records with a line in the log",
        Read::Counted(|n| Some(n.logged as f64)),
    ),
    row(
        Group::TaskError,
        "deadletterqueue-produce-requests",
        "Records written to a dead letter queue",
        Read::Counted(|n| Some(n.letters as f64)),
    ),
    row(
        Group::TaskError,
        "deadletterqueue-produce-failures",
        "Records that a dead letter queue refused",
        Read::Counted(|n| Some(n.failed_letters as f64)),
    ),
    row(
        Group::TaskError,
        "last-error-timestamp",
        "When a record failed last, milliseconds since 1970; 0 for never",
        Read::Counted(|n| Some(n.last_error_ms.unwrap_or(0) as f64)),
    ),
];

/// Connect's states of connectors and tasks, as its metrics spell them.
const STATES: [&str; 7] = ["unassigned", "running", "paused", "stopped", "failed", "restarting", "destroyed"];

fn states(now: &str) -> Vec<Series> {
    let one = |state: &str| (vec![state.to_owned()], f64::from(u8::from(now.eq_ignore_ascii_case(state))));
    STATES.into_iter().map(one).collect()
}

#[allow(clippy::unnecessary_wraps, reason = "a row reads an option")]
fn count(things: usize) -> Option<f64> {
    Some(things as f64)
}

#[allow(clippy::unnecessary_wraps, reason = "a row reads an option")]
fn failed(starts: StartNumbers) -> Option<f64> {
    Some(starts.success_ratio.map_or(0.0, |success| 1.0 - success))
}

/// How many tasks of a connector are in a state; all of them without one. `None` for a connector that has none.
fn tasks(connector: &ConnectorNumbers, state: Option<&str>) -> Option<f64> {
    let is = |task: &&TaskNumbers| state.is_none_or(|state| task.state == state);
    (!connector.tasks.is_empty()).then(|| connector.tasks.iter().filter(is).count() as f64)
}

fn connector_texts(connector: &ConnectorNumbers) -> Vec<String> {
    vec!["source".to_owned(), connector.class.clone(), connector.version.unwrap_or_default().to_owned()]
}

fn class_texts(class: &ClassOf) -> [String; 2] {
    [class.class.clone(), class.version.to_owned()]
}

fn parts(parts: &[(String, ClassOf)]) -> Vec<Series> {
    parts.iter().map(|(name, class)| ([&[name.clone()][..], &class_texts(class)].concat(), 1.0)).collect()
}
