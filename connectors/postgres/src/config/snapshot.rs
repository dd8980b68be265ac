//! What is copied, when and how.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::{Finding, Reader, Severity};
use snapshot::{Copies, Rule};

use super::connection::complain;
use super::modes::{ConvertFailure, SnapshotIsolation, SnapshotLocking, SnapshotMode};

/// The flags of `snapshot.mode=configuration_based`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct ConfigurationBased {
    /// Copy rows.
    data: bool,
    /// Read the tables' structure. A connector to PostgreSQL reads it at every start; what the flag changes is that a start
    /// which finds an unfinished copy, and may not copy rows, goes on instead of being refused.
    schema: bool,
    /// Stream afterwards.
    stream: bool,
    /// Copy again when the stored position is gone.
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

    /// Debezium asks the flag `…snapshot.data` anew at each start, whatever is stored: with it rows come at every start.
    fn rule(self) -> Rule {
        Rule {
            copies: if self.data { Copies::EveryStart } else { Copies::Never },
            copies_when_lost: self.on_data_error,
            streams: self.stream,
            leaves_unfinished: self.schema,
        }
    }
}

/// The snapshot.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// `snapshot.mode`, for messages; what it means is [`Snapshot::rule`].
    pub mode: SnapshotMode,
    /// When rows are copied, and whether the log is followed.
    pub rule: Rule,
    /// Isolation; an exported snapshot is repeatable read whatever this says.
    pub isolation: SnapshotIsolation,
    /// Table locks.
    pub locking: SnapshotLocking,
    /// Limit of waiting for one.
    pub lock_timeout: Duration,
    /// Of the captured tables, those that are copied (regexes on `schema.table`); empty: all.
    pub tables: Vec<String>,
    /// Wait before it.
    pub delay: Duration,
    /// Wait between it and streaming.
    pub streaming_delay: Duration,
    /// SELECT by `schema.table`, for the tables listed; a listed one without a statement is absent here.
    pub selects: Vec<(String, String)>,
    /// What becomes of a value of these SELECTs that does not fit its column: as event.converting.failure.handling.mode says
    /// where it is set. Its default, a null, would take a wrong statement for a right one, so without it the task fails.
    pub selects_failure: ConvertFailure,
}

/// What stands in the place of a Java snapshotter.
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
            isolation: r.choice("snapshot.isolation.mode", SnapshotIsolation::Serializable),
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

/// What a mode asks for.
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

/// A Java plug-in cannot run here: better a refusal than another snapshot than the one asked for.
fn refuse_plugins(r: &mut Reader<'_>, mode: SnapshotMode) {
    if mode == SnapshotMode::Custom {
        let problem = format!("'custom' names a Java plug-in, and these do not run here; use {SNAPSHOT_MODES}");
        complain(r, "snapshot.mode", &problem);
    }
}

/// SELECT by table. A table that is listed without a statement is copied whole, and that is said.
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
