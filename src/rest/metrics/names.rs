//! Under which names an attribute is shown, and with which labels.
//!
//! Kafka Connect's metrics are attributes of JMX beans. Three sets of rules by which the Prometheus JMX exporter names them are
//! in use, and each has its dashboards.
//!
//! Must not know: which attributes there are, their values.

/// A set of rules.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Family {
    /// The exporter without rules, as in Confluent's stacks: `kafka_connect_source_task_metrics_…`.
    F1,
    /// The exporter's example file for Connect, which Strimzi uses: `kafka_connect_source_task_…`. It leaves out rates, extremes
    /// and parts.
    F2,
    /// Debezium's example, which has the worker's counts only: `kafka_connect_worker_metrics_…`.
    F3,
}

const ALL: [(&str, Family); 3] = [("f1", Family::F1), ("f2", Family::F2), ("f3", Family::F3)];
const STRIP_TOTAL: &str = "strip-total";

/// `metrics.names`: which rules name Connect's metrics.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MetricNames {
    families: [bool; ALL.len()],
    /// The exporter since version 1.0 drops `_total` from what it does not know to be a counter.
    strips_total: bool,
}

impl Default for MetricNames {
    fn default() -> Self {
        Self { families: [true, false, false], strips_total: false }
    }
}

impl MetricNames {
    /// Reads the words of `metrics.names`.
    ///
    /// # Errors
    /// A word that is not known, or no set of rules: what is wrong, with the words that there are.
    pub fn parse(words: &[String]) -> Result<Self, String> {
        let mut names = Self { families: [false; ALL.len()], strips_total: false };
        for word in words {
            match ALL.iter().position(|(name, _)| name.eq_ignore_ascii_case(word)) {
                Some(family) => names.families[family] = true,
                None if word.eq_ignore_ascii_case(STRIP_TOTAL) => names.strips_total = true,
                None => return Err(format!("'{word}' is no set of names: there are f1, f2, f3 and {STRIP_TOTAL}")),
            }
        }
        if names.families == [false; ALL.len()] {
            return Err("it names none of f1, f2 and f3, and Connect's metrics would have no names".to_owned());
        }
        Ok(names)
    }

    fn families(self) -> impl Iterator<Item = Family> {
        ALL.into_iter().zip(self.families).filter_map(|((_, family), is_shown)| is_shown.then_some(family))
    }
}

/// Where an attribute belongs: a type of Connect's JMX beans, a context of Debezium's, or nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Group {
    /// `connect-worker-metrics`.
    Worker,
    /// `connect-worker-metrics` of a connector.
    WorkerConnector,
    /// `connect-worker-rebalance-metrics`.
    Rebalance,
    /// `connect-coordinator-metrics`.
    Coordinator,
    /// `connector-metrics`.
    Connector,
    /// `connector-task-metrics`.
    Task,
    /// `source-task-metrics`.
    SourceTask,
    /// `task-error-metrics`.
    TaskError,
    /// `connector-transform-metrics`.
    Transform,
    /// `connector-predicate-metrics`.
    Predicate,
    /// `app-info`.
    AppInfo,
    /// Debezium's `connector-metrics` of this context.
    Debezium(&'static str),
    /// An attribute with a whole name that only this family has.
    Only(Family),
    /// A metric that only afterimage has; the attribute is its whole name.
    Own,
}

/// What the attributes of tasks end in that the exporter's example file lets through.
const EXAMPLE_FILE: [&str; 12] = [
    "-total",
    "-count",
    "-ms",
    "-ratio",
    "-avg",
    "-failures",
    "-requests",
    "-timestamp",
    "-logged",
    "-errors",
    "-retries",
    "-skipped",
];

/// A name under which an attribute is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Name {
    pub(super) text: String,
    /// The labels of its group; the subject gives their values.
    pub(super) labels: &'static [&'static str],
}

impl Group {
    /// The type of its beans, and their tags as labels.
    const fn bean(self) -> Option<(&'static str, &'static [&'static str])> {
        const NONE: &[&str] = &[];
        const CONNECTOR: &[&str] = &["connector"];
        const TASK: &[&str] = &["connector", "task"];
        Some(match self {
            Self::Worker => ("connect-worker-metrics", NONE),
            Self::WorkerConnector => ("connect-worker-metrics", CONNECTOR),
            Self::Rebalance => ("connect-worker-rebalance-metrics", NONE),
            Self::Coordinator => ("connect-coordinator-metrics", &["client_id"]),
            Self::Connector => ("connector-metrics", CONNECTOR),
            Self::Task => ("connector-task-metrics", TASK),
            Self::SourceTask => ("source-task-metrics", TASK),
            Self::TaskError => ("task-error-metrics", TASK),
            Self::Transform => ("connector-transform-metrics", TASK),
            Self::Predicate => ("connector-predicate-metrics", TASK),
            Self::AppInfo => ("app-info", &["id"]),
            Self::Debezium(_) | Self::Only(_) | Self::Own => return None,
        })
    }

    /// The name of an attribute of this group by a set of rules; `None` if they leave it out.
    fn named(self, attribute: &str, family: Family) -> Option<Name> {
        let (bean, labels) = self.bean()?;
        let name = |stem: &str, labels: &'static [&'static str]| Name {
            text: format!("{stem}_{attribute}").replace('-', "_"),
            labels,
        };
        match (family, self) {
            // The beans of the application itself have no attributes but texts and one time.
            (Family::F1, Self::AppInfo) if attribute == "info" => {
                Some(Name { text: "kafka_connect_app_info".to_owned(), labels })
            }
            (Family::F1, _) => Some(name(&format!("kafka_connect_{bean}"), labels)),
            (Family::F2, Self::Worker | Self::WorkerConnector) => Some(name("kafka_connect_worker", labels)),
            (Family::F2, Self::Rebalance) if attribute != "info" => {
                Some(name("kafka_connect_worker_rebalance", labels))
            }
            (Family::F2, Self::Coordinator) => Some(name("kafka_connect_coordinator", &["clientId"])),
            (Family::F2, Self::Task | Self::SourceTask | Self::TaskError)
                if EXAMPLE_FILE.iter().any(|end| attribute.ends_with(end)) =>
            {
                Some(name(&format!("kafka_connect_{}", bean.trim_end_matches("-metrics")), labels))
            }
            (Family::F3, Self::Worker) => Some(name("kafka_connect_worker_metrics", labels)),
            (Family::F2 | Family::F3, _) => None,
        }
    }

    /// All names of an attribute of this group. `of_all` are the labels of a group that has none of its own.
    pub(super) fn names(self, attribute: &str, names: MetricNames, of_all: &'static [&'static str]) -> Vec<Name> {
        let whole = |text: String, labels: &'static [&'static str]| vec![Name { text, labels }];
        match self {
            Self::Debezium(_) => whole(format!("debezium_metrics_{attribute}"), &["context", "name", "plugin"]),
            Self::Own => whole(attribute.to_owned(), of_all),
            Self::Only(family) if names.families().any(|shown| shown == family) => whole(attribute.to_owned(), of_all),
            Self::Only(_) => Vec::new(),
            _ => {
                let stripped = |mut name: Name| {
                    if names.strips_total
                        && let Some(stem) = name.text.strip_suffix("_total")
                    {
                        name.text = stem.to_owned();
                    }
                    name
                };
                names.families().filter_map(|family| self.named(attribute, family)).map(stripped).collect()
            }
        }
    }

    /// Of Debezium's beans, their context.
    pub(super) const fn context(self) -> Option<&'static str> {
        match self {
            Self::Debezium(context) => Some(context),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(words: &str, group: Group, attribute: &str, expect: &[&str]) {
        let words: Vec<String> = words.split(',').map(str::to_owned).collect();
        let names = group.names(attribute, MetricNames::parse(&words).unwrap(), &[]);
        assert_eq!(names.iter().map(|name| name.text.as_str()).collect::<Vec<_>>(), expect);
    }

    #[test]
    fn names_by_their_rules() {
        check(
            "f1,f2,f3",
            Group::Worker,
            "connector-count",
            &[
                "kafka_connect_connect_worker_metrics_connector_count",
                "kafka_connect_worker_connector_count",
                "kafka_connect_worker_metrics_connector_count",
            ],
        );
        check(
            "f2,f1",
            Group::SourceTask,
            "source-record-poll-total",
            &[
                "kafka_connect_source_task_metrics_source_record_poll_total",
                "kafka_connect_source_task_source_record_poll_total",
            ],
        );
        check("f2", Group::SourceTask, "source-record-poll-rate", &[]);
        check(
            "f2",
            Group::Worker,
            "task-startup-success-percentage",
            &["kafka_connect_worker_task_startup_success_percentage"],
        );
        check("f2", Group::TaskError, "total-record-errors", &["kafka_connect_task_error_total_record_errors"]);
        check("f3", Group::WorkerConnector, "connector-total-task-count", &[]);
        check(
            "F1,Strip-Total",
            Group::Rebalance,
            "completed-rebalances-total",
            &["kafka_connect_connect_worker_rebalance_metrics_completed_rebalances"],
        );
        check("f1", Group::AppInfo, "info", &["kafka_connect_app_info"]);
        check("f1", Group::AppInfo, "start-time-ms", &["kafka_connect_app_info_start_time_ms"]);
        check("f1", Group::Only(Family::F2), "kafka_connect_connector_status", &[]);
        check("f2,strip-total", Group::Own, "afterimage_x_total", &["afterimage_x_total"]);
    }

    #[test]
    fn words_that_are_not_known() {
        for (words, part) in
            [(&["f1", "f4"][..], "'f4' is no set of names: there are f1, f2, f3"), (&["strip-total"], "none of f1")]
        {
            let words: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
            let refused = MetricNames::parse(&words).unwrap_err();
            assert!(refused.contains(part), "{refused}");
        }
        assert_eq!(MetricNames::parse(&["f1".to_owned()]), Ok(MetricNames::default()));
    }
}
