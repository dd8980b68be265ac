//! Records beside the changes, how changes look, queues and waits, signals and notifications.
//!
//! Must not know: schemas, Kafka.

use std::time::Duration;

use settings::{Finding, Properties, Reader, Severity};

use super::modes::{GuardrailAction, LsnFlushMode, ProcessingFailure};

settings::choices! {
    /// An operation of `skipped.operations`.
    pub enum Operation {
        /// A row that a snapshot read; never skipped.
        Read = "r",
        /// Insert.
        Create = "c",
        /// Update.
        Update = "u",
        /// Delete.
        Delete = "d",
        /// Truncate.
        Truncate = "t",
    }
}

/// Which records there are, and how changes look.
#[derive(Clone, Debug)]
pub struct Events {
    /// A null-valued record after each delete.
    pub tombstones: bool,
    /// These yield no record.
    pub skipped: Vec<Operation>,
    /// Drop updates whose row, as sent, is the same.
    pub skip_unchanged: bool,
    /// BEGIN and END records, and a transaction block.
    pub transaction_metadata: bool,
    /// The four context headers.
    pub extended_headers: bool,
    /// Between heartbeats; zero: none.
    pub heartbeat_interval: Duration,
    /// SQL with each.
    pub heartbeat_query: Option<String>,
    /// Post processors by name, each with its settings under `post.processors.<name>.`.
    pub post_processors: Vec<(String, Properties)>,
    /// Custom converters by name, each with its settings under `<name>.`.
    pub converters: Vec<(String, Properties)>,
    /// One change cannot be decoded.
    pub processing_failure: ProcessingFailure,
}

const HEARTBEAT_FOR_POSITIONS: Duration = Duration::from_secs(600);

impl Events {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let skipped = r.list("skipped.operations");
        Self {
            tombstones: r.boolean("tombstones.on.delete"),
            skipped: skipped.iter().filter_map(|o| <Operation as settings::Choice>::from_name(o)).collect(),
            skip_unchanged: r.boolean("skip.messages.without.change"),
            transaction_metadata: r.boolean("provide.transaction.metadata"),
            extended_headers: r.boolean("extended.headers.enabled"),
            heartbeat_interval: r.millis("heartbeat.interval.ms"),
            heartbeat_query: r.text_or_none("heartbeat.action.query").filter(|q| !q.trim().is_empty()),
            post_processors: named(r, "post.processors", "post.processors."),
            converters: named(r, "converters", ""),
            processing_failure: r.choice("event.processing.failure.handling.mode", ProcessingFailure::Fail),
        }
    }

    /// connector_and_driver confirms positions that no record carries; without heartbeats and transaction records they
    /// would never be stored, so heartbeats are switched on (as in the reference).
    pub(super) fn heartbeat_when_positions_need_it(&mut self, mode: LsnFlushMode, r: &mut Reader<'_>) {
        let needed = mode == LsnFlushMode::ConnectorAndDriver && !self.transaction_metadata;
        if needed && self.heartbeat_interval.is_zero() {
            self.heartbeat_interval = HEARTBEAT_FOR_POSITIONS;
            r.find(Finding {
                key: "heartbeat.interval.ms".to_owned(),
                severity: Severity::Warning,
                reason: "is set to 600000: lsn.flush.mode=connector_and_driver needs records that carry positions."
                    .to_owned(),
                remedy: "Set heartbeat.interval.ms above 0, or provide.transaction.metadata=true.".to_owned(),
            });
        }
    }
}

fn named(r: &mut Reader<'_>, key: &str, prefix: &str) -> Vec<(String, Properties)> {
    let properties = r.properties();
    let settings = |name: String| {
        let prefix = format!("{prefix}{name}.");
        let own = properties.under(&prefix).collect();
        (name, own)
    };
    r.list(key).into_iter().map(settings).collect()
}

/// Queues, retries and waits.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Records in one batch.
    pub batch_records: usize,
    /// Records between reader and Kafka.
    pub queue_records: usize,
    /// Bytes between reader and Kafka; 0: the process's own budget alone.
    pub queue_bytes: usize,
    /// Wait for a first record.
    pub poll_interval: Duration,
    /// Wait before a restart after an error that may pass.
    pub restart_wait: Duration,
    /// Restarts before the task fails; `None`: no limit.
    pub max_retries: Option<u32>,
    /// Regex on messages of errors that are to be retried although they would not be.
    pub retriable_messages: Option<String>,
    /// Grace of workers at a stop.
    pub shutdown_timeout: Duration,
    /// Most captured tables; 0: no limit.
    pub max_tables: usize,
    /// What if there are more.
    pub max_tables_action: GuardrailAction,
    /// Extra tags of metrics.
    pub metric_tags: Vec<(String, String)>,
    /// Percentiles of the lag.
    pub statistics: bool,
    /// Counters for each table.
    pub table_metrics: bool,
}

impl Limits {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let pair = |item: String| item.split_once('=').map(|(k, v)| (k.trim().to_owned(), v.trim().to_owned()));
        Self {
            batch_records: r.count("max.batch.size"),
            queue_records: r.count("max.queue.size"),
            queue_bytes: r.count("max.queue.size.in.bytes"),
            poll_interval: r.millis("poll.interval.ms"),
            restart_wait: r.millis("retriable.restart.connector.wait.ms"),
            max_retries: u32::try_from(r.int("errors.max.retries")).ok(),
            retriable_messages: r.text_or_none("internal.custom.retriable.exception"),
            shutdown_timeout: r.millis("executor.shutdown.timeout.ms"),
            max_tables: r.count("guardrail.collections.max"),
            max_tables_action: r.choice("guardrail.collections.limit.action", GuardrailAction::Warn),
            metric_tags: r.list("custom.metric.tags").into_iter().filter_map(pair).collect(),
            statistics: r.boolean("statistics.metrics.enabled"),
            table_metrics: r.boolean("internal.advanced.metrics.enable"),
        }
    }
}

/// Where signals come from.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Channels: source, kafka, file, jmx, in-process.
    pub channels: Vec<String>,
    /// The signal table `schema.table`.
    pub table: Option<String>,
    /// Between looks.
    pub poll_interval: Duration,
    /// The file of channel `file`.
    pub file: String,
    /// The topic of channel `kafka`; `None`: topic.prefix and `-signal`.
    pub kafka_topic: Option<String>,
    /// Its brokers.
    pub kafka_servers: Option<String>,
    /// Its consumer group.
    pub kafka_group: String,
    /// One poll of it.
    pub kafka_poll_timeout: Duration,
    /// Its consumer's properties, without `signal.consumer.`.
    pub consumer: Properties,
}

impl Signals {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let channels = r.list("signal.enabled.channels");
        let servers = r.text_or_none("signal.kafka.bootstrap.servers").filter(|s| !s.trim().is_empty());
        if servers.is_none() && channels.iter().any(|c| c == "kafka") {
            super::connection::complain(r, "signal.kafka.bootstrap.servers", "A value is required");
        }
        Self {
            channels,
            table: r.list("signal.data.collection").into_iter().next(),
            poll_interval: r.millis("signal.poll.interval.ms"),
            file: r.text("signal.file"),
            kafka_topic: r.text_or_none("signal.kafka.topic"),
            kafka_servers: servers,
            kafka_group: r.text("signal.kafka.groupId"),
            kafka_poll_timeout: r.millis("signal.kafka.poll.timeout.ms"),
            consumer: r.properties().under("signal.consumer.").collect(),
        }
    }
}

/// Where notifications go.
#[derive(Clone, Debug)]
pub struct Notifications {
    /// Channels: sink, log, jmx.
    pub channels: Vec<String>,
    /// The topic of channel `sink`.
    pub topic: Option<String>,
}

impl Notifications {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            channels: r.list("notification.enabled.channels"),
            topic: r.text_or_none("notification.sink.topic.name"),
        }
    }
}
