//! Settings of records beside the changes, of how changes look, of retries and of the number of tables.
//!
//! Must not know: schemas, Kafka.

use std::time::Duration;

use settings::{Choice, Reader};

use crate::{Retries, Wanted};

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

    /// `guardrail.collections.limit.action`.
    pub enum GuardrailAction {
        /// Log a warning.
        Warn = "warn",
        /// Refuse to start.
        Fail = "fail",
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

impl Events {
    /// Reads the settings.
    pub fn read(r: &mut Reader<'_>) -> Self {
        let skipped = r.list("skipped.operations");
        Self {
            tombstones: r.boolean("tombstones.on.delete"),
            skipped: skipped.iter().filter_map(|operation| Operation::from_name(operation)).collect(),
            skip_unchanged: r.boolean("skip.messages.without.change"),
            transaction_metadata: r.boolean("provide.transaction.metadata"),
            heartbeat_interval: r.millis("heartbeat.interval.ms"),
            heartbeat_query: r.text_or_none("heartbeat.action.query").filter(|query| !query.trim().is_empty()),
        }
    }

    /// Which changes are wanted.
    pub fn wanted(&self) -> Wanted {
        let skips = |operation| self.skipped.contains(&operation);
        Wanted {
            skip_create: skips(Operation::Create),
            skip_update: skips(Operation::Update),
            skip_delete: skips(Operation::Delete),
            skip_truncate: skips(Operation::Truncate),
            skip_unchanged: self.skip_unchanged,
            tombstones: self.tombstones,
            moves_as_update: false,
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

/// More tables are captured than `guardrail.collections.max` allows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TooMany {
    /// How many tables are captured.
    pub found: usize,
    /// `guardrail.collections.max`.
    pub limit: usize,
}

impl Limits {
    /// Reads the settings.
    pub fn read(r: &mut Reader<'_>) -> Self {
        Self {
            restart_wait: r.millis("retriable.restart.connector.wait.ms"),
            max_retries: u32::try_from(r.int("errors.max.retries")).ok(),
            max_tables: r.count("guardrail.collections.max"),
            max_tables_action: r.choice("guardrail.collections.limit.action", GuardrailAction::Warn),
        }
    }

    /// The retries of a task.
    pub fn retries(&self) -> Retries {
        Retries::new(self.restart_wait, self.max_retries)
    }

    /// Holds the number of captured tables against `guardrail.collections.max`.
    ///
    /// # Errors
    /// When there are more, and `guardrail.collections.limit.action` is `fail`.
    pub fn guard(&self, found: usize) -> Result<(), TooMany> {
        let limit = self.max_tables;
        if limit > 0 && found > limit {
            if self.max_tables_action == GuardrailAction::Fail {
                return Err(TooMany { found, limit });
            }
            tracing::warn!(found, limit, "more tables are captured than guardrail.collections.max allows");
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn guardrail() {
        #[track_caller]
        fn check(max_tables: usize, max_tables_action: GuardrailAction, found: usize, is_fine: bool) {
            let limits = Limits { restart_wait: Duration::ZERO, max_retries: None, max_tables, max_tables_action };
            let refused = Err(TooMany { found, limit: max_tables });
            assert_eq!(limits.guard(found), if is_fine { Ok(()) } else { refused });
        }
        check(0, GuardrailAction::Fail, 9, true);
        check(2, GuardrailAction::Fail, 2, true);
        check(2, GuardrailAction::Fail, 3, false);
        check(2, GuardrailAction::Warn, 3, true);
    }
}
