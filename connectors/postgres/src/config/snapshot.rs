//! What is copied, when and how.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::{Finding, Reader, Severity};
use snapshot::{Copies, Rule};

use super::connection::complain;
use super::modes::{ConvertFailure, SnapshotLocking, SnapshotMode};
use crate::sql::Isolation;

/// The flags of `snapshot.mode=configuration_based`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ConfigurationBased {
    /// Whether to copy rows.
    data: bool,
    /// Whether to read the tables' structure. For PostgreSQL it is read at every start. What the flag changes: a start that
    /// finds an unfinished copy, and may not copy rows, goes on instead of being refused.
    schema: bool,
    /// Whether to stream afterwards.
    stream: bool,
    /// Whether to copy again when the stored position is gone.
    on_data_error: bool,
}

impl ConfigurationBased {
    fn read(r: &mut Reader<'_>) -> Self {
        Self {
            data: r.boolean("snapshot.mode.configuration.based.snapshot.data"),
            schema: r.boolean("snapshot.mode.configuration.based.snapshot.schema"),
            stream: r.boolean("snapshot.mode.configuration.based.start.stream"),
            on_data_error: r.boolean("snapshot.mode.configuration.based.snapshot.on.data.error"),
        }
    }

    /// Debezium looks at the flag `…snapshot.data` at each start, whatever is stored: with the flag, rows are copied at every
    /// start.
    fn rule(self) -> Rule {
        Rule {
            copies: if self.data { Copies::EveryStart } else { Copies::Never },
            copies_when_lost: self.on_data_error,
            streams: self.stream,
            leaves_unfinished: self.schema,
        }
    }
}

/// What is copied, when and how.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `snapshot.mode`, for messages; what it means is [`Snapshot::rule`].
    pub mode: SnapshotMode,
    /// When rows are copied, and whether the log is followed.
    pub rule: Rule,
    /// The isolation of a snapshot of its own. A snapshot that the slot exported is always repeatable read.
    pub isolation: Isolation,
    /// Whether tables are locked.
    pub locking: SnapshotLocking,
    /// How long to wait for a table lock.
    pub lock_timeout: Duration,
    /// Of the captured tables, those that are copied (regexes on `schema.table`); an empty list copies all.
    pub tables: Vec<String>,
    /// Wait before the snapshot.
    pub delay: Duration,
    /// Wait between the snapshot and streaming.
    pub streaming_delay: Duration,
    /// `schema.table` and its SELECT, for the tables that have one.
    pub selects: Vec<(String, String)>,
    /// What becomes of a value of these SELECTs that does not fit its column: what event.converting.failure.handling.mode
    /// says when it is set. The key's default, a null in place of the value, would hide a mistake in the statement, so when
    /// the key is not set the task fails.
    pub selects_failure: ConvertFailure,
}

/// What to use in place of a Java snapshotter, for the error message.
const SNAPSHOT_MODES: &str = "initial, always, initial_only, no_data or when_needed, or say what is copied and when with \
                              configuration_based and the keys snapshot.mode.configuration.based.*";

impl Snapshot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mode = r.choice("snapshot.mode", SnapshotMode::Initial);
        let locking = r.choice("snapshot.locking.mode", SnapshotLocking::None);
        refuse_plugins(r, mode);
        let selects = selects(r);
        Self {
            mode,
            rule: rule(mode, ConfigurationBased::read(r)),
            isolation: r.choice("snapshot.isolation.mode", Isolation::Serializable),
            locking,
            lock_timeout: r.millis("snapshot.lock.timeout.ms"),
            tables: r.regex_texts("snapshot.include.collection.list"),
            delay: r.millis("snapshot.delay.ms"),
            streaming_delay: r.millis("streaming.delay.ms"),
            selects,
            selects_failure: if r.is_set("event.converting.failure.handling.mode") {
                r.choice("event.converting.failure.handling.mode", ConvertFailure::Warn)
            } else {
                ConvertFailure::Fail
            },
        }
    }
}

/// The rule that a mode stands for.
fn rule(mode: SnapshotMode, flags: ConfigurationBased) -> Rule {
    match mode {
        SnapshotMode::Initial => Rule::INITIAL,
        SnapshotMode::Always => Rule::ALWAYS,
        SnapshotMode::InitialOnly => Rule::INITIAL_ONLY,
        SnapshotMode::NoData => Rule::NO_DATA,
        SnapshotMode::WhenNeeded => Rule::WHEN_NEEDED,
        SnapshotMode::ConfigurationBased => flags.rule(),
        // Refused by `refuse_plugins`: no connector starts with it.
        SnapshotMode::Custom => Rule { copies: Copies::Never, streams: false, ..Rule::INITIAL },
    }
}

/// Refuses `snapshot.mode=custom`: a Java plug-in cannot run here, and another mode would not copy what the user asked for.
fn refuse_plugins(r: &mut Reader<'_>, mode: SnapshotMode) {
    if mode == SnapshotMode::Custom {
        let problem = format!("'custom' names a Java plug-in, and these do not run here; use {SNAPSHOT_MODES}");
        complain(r, "snapshot.mode", &problem);
    }
}

/// `schema.table` and its SELECT. A table that is listed without a SELECT is copied whole, with a warning.
fn selects(r: &mut Reader<'_>) -> Vec<(String, String)> {
    let properties = r.properties();
    let mut found = Vec::new();
    for table in r.list("snapshot.select.statement.overrides") {
        let key = format!("snapshot.select.statement.overrides.{table}");
        match properties.get(&key) {
            Some(select) if !select.trim().is_empty() => found.push((table, select.to_owned())),
            _ => r.find(Finding {
                key: "snapshot.select.statement.overrides".to_owned(),
                severity: Severity::Warning,
                reason: format!("lists {table}, which has no statement: all its rows are copied."),
                remedy: format!("Give {key} a SELECT, or take the table out of the list."),
            }),
        }
    }
    found
}
