//! Settings of records beside the changes, of how changes look, of retries and waits.
//!
//! Must not know: schemas, Kafka.

use std::time::Duration;

use settings::{Finding, Reader, Severity};

use super::modes::{GuardrailAction, LsnFlushMode};

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
    /// Whether a tombstone follows each delete.
    pub tombstones: bool,
    /// Operations that yield no record.
    pub skipped: Vec<Operation>,
    /// Whether updates are dropped whose row, as sent, equals the one before.
    pub skip_unchanged: bool,
    /// Whether BEGIN and END records are sent, and changes have a transaction block.
    pub transaction_metadata: bool,
    /// Time between heartbeats; zero sends none.
    pub heartbeat_interval: Duration,
    /// SQL to run with each heartbeat.
    pub heartbeat_query: Option<String>,
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
            heartbeat_interval: r.millis("heartbeat.interval.ms"),
            heartbeat_query: r.text_or_none("heartbeat.action.query").filter(|q| !q.trim().is_empty()),
        }
    }

    /// `lsn.flush.mode=connector_and_driver` confirms positions that no record carries. Without heartbeats and transaction
    /// records such positions would never be stored, so heartbeats are switched on, as in Debezium.
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

/// Retries, waits and the number of tables.
#[derive(Clone, Debug)]
pub struct Limits {
    /// Wait before a restart after an error that may pass.
    pub restart_wait: Duration,
    /// Restarts before the task fails; `None` sets no limit.
    pub max_retries: Option<u32>,
    /// How many tables may be captured; 0 sets no limit.
    pub max_tables: usize,
    /// What to do when there are more tables.
    pub max_tables_action: GuardrailAction,
}

impl Limits {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        Self {
            restart_wait: r.millis("retriable.restart.connector.wait.ms"),
            max_retries: u32::try_from(r.int("errors.max.retries")).ok(),
            max_tables: r.count("guardrail.collections.max"),
            max_tables_action: r.choice("guardrail.collections.limit.action", GuardrailAction::Warn),
        }
    }
}
