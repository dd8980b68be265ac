//! The rows: which attributes there are, what they mean, and where their values come from.
//!
//! Purpose: a metric is data. A new attribute is one row; its names, its labels, its line in `docs/metrics.md` and its test
//! follow from the row. What Connect and Debezium count, and how, is copied from what their beans show
//! (`metrics` of Kafka Connect's documentation; "Monitoring" of Debezium's).
//!
//! Must not know: how names are made, how metrics are written.

mod connect;
mod debezium;
mod own;

use std::time::{SystemTime, UNIX_EPOCH};

use relational::{HistogramNumbers, Numbers};

use super::names::{Group, MetricNames, Name};
use crate::runtime::supervisor::{ConnectorNumbers, TaskNumbers, WorkerNumbers};

/// What one answer shows.
#[derive(Clone, Debug, Default)]
pub(super) struct Scraped {
    /// The numbers of the worker, its connectors and tasks.
    pub(super) worker: WorkerNumbers,
    /// The commit that `GET /` shows.
    pub(super) commit: String,
    /// Where this worker's REST API is.
    pub(super) url: String,
}

/// A value with the texts of its row's own labels.
pub(super) type Series = (Vec<String>, f64);

/// The labels that a row has beside those of its group.
type OwnLabels = &'static [&'static str];

/// Where an attribute's value comes from; `None` while there is nothing to show.
pub(super) enum Read {
    /// A number of the worker.
    Worker(fn(&Scraped) -> Option<f64>),
    /// Several of the worker.
    WorkerSeries(OwnLabels, fn(&Scraped) -> Vec<Series>),
    /// A number of each connector.
    Connector(fn(&ConnectorNumbers) -> Option<f64>),
    /// Several of each connector.
    ConnectorSeries(OwnLabels, fn(&ConnectorNumbers) -> Vec<Series>),
    /// A number of each task, whether it runs or not.
    Task(fn(&TaskNumbers) -> Option<f64>),
    /// Several of each task, whether it runs or not.
    TaskSeries(OwnLabels, fn(&ConnectorNumbers, &TaskNumbers) -> Vec<Series>),
    /// A number that each running task counts.
    Counted(fn(&Numbers) -> Option<f64>),
    /// Several that each running task counts.
    CountedSeries(OwnLabels, fn(&Numbers) -> Vec<Series>),
    /// A histogram that each running task counts, in seconds.
    Times(fn(&Numbers) -> HistogramNumbers),
}

impl Read {
    /// The labels that the row has beside those of its group.
    pub(super) const fn labels(&self) -> OwnLabels {
        match self {
            Self::WorkerSeries(labels, _)
            | Self::ConnectorSeries(labels, _)
            | Self::TaskSeries(labels, _)
            | Self::CountedSeries(labels, _) => labels,
            _ => &[],
        }
    }

    /// The labels that tell apart what is shown, for a group that has no labels of its own.
    const fn subject_labels(&self) -> OwnLabels {
        match self {
            Self::Worker(_) | Self::WorkerSeries(..) => &[],
            Self::Connector(_) | Self::ConnectorSeries(..) => &["connector"],
            _ => &["connector", "task"],
        }
    }
}

/// An attribute.
pub(super) struct Row {
    pub(super) group: Group,
    /// Its name in its group.
    pub(super) attribute: &'static str,
    /// What it says, for people.
    pub(super) help: &'static str,
    pub(super) read: Read,
}

const fn row(group: Group, attribute: &'static str, help: &'static str, read: Read) -> Row {
    Row { group, attribute, help, read }
}

impl Row {
    /// The names under which it is shown.
    pub(super) fn names(&self, names: MetricNames) -> Vec<Name> {
        self.group.names(self.attribute, names, self.read.subject_labels())
    }
}

/// All rows. A metric that two rows have is shown with the first one's help.
pub(super) fn all() -> impl Iterator<Item = &'static Row> {
    connect::ROWS.iter().chain(connect::TASKS).chain(debezium::ROWS).chain(own::ROWS)
}

/// Of what a value is.
#[derive(Clone, Copy)]
pub(super) struct Subject<'a> {
    pub(super) scraped: &'a Scraped,
    pub(super) connector: Option<&'a ConnectorNumbers>,
    pub(super) task: Option<&'a TaskNumbers>,
}

impl Subject<'_> {
    /// The text of a label of a group.
    pub(super) fn label(self, label: &str, group: Group) -> String {
        let of_connector =
            |text: fn(&ConnectorNumbers) -> &str| self.connector.map(text).unwrap_or_default().to_owned();
        match label {
            "connector" => of_connector(|connector| &connector.name),
            "task" => self.task.map(|task| task.number.to_string()).unwrap_or_default(),
            "context" => group.context().unwrap_or_default().to_owned(),
            "name" => of_connector(|connector| &connector.topic_prefix),
            "plugin" => of_connector(|connector| connector.kind.unwrap_or_default()),
            // Connect's own clients and the worker itself have the worker's id.
            _ => self.scraped.worker.worker_id.clone(),
        }
    }
}

/// A truth as a number.
#[allow(clippy::unnecessary_wraps, reason = "a row reads an option")]
fn flag(is_true: bool) -> Option<f64> {
    Some(f64::from(u8::from(is_true)))
}

/// Milliseconds since a moment, which is in milliseconds since 1970; -1 for never.
fn since(at_ms: Option<i64>) -> f64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    at_ms.map_or(-1.0, |at_ms| (now.as_millis() as i64 - at_ms).max(0) as f64)
}
