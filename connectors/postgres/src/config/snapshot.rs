//! What is copied, when and how.
//!
//! Must not know: SQL.

use std::time::Duration;

use settings::{Finding, Reader, Severity};

use super::connection::complain;
use super::modes::{SnapshotIsolation, SnapshotLocking, SnapshotMode};

/// The flags of `snapshot.mode=configuration_based`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConfigurationBased {
    /// Copy rows.
    pub data: bool,
    /// Stream afterwards.
    pub stream: bool,
    /// Copy again when the stored position is gone.
    pub on_data_error: bool,
}

/// The snapshot.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When.
    pub mode: SnapshotMode,
    /// Meaningful with [`SnapshotMode::ConfigurationBased`].
    pub configuration_based: ConfigurationBased,
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
}

impl Snapshot {
    pub(super) fn read(r: &mut Reader<'_>) -> Self {
        let mode = r.choice("snapshot.mode", SnapshotMode::Initial);
        let locking = r.choice("snapshot.locking.mode", SnapshotLocking::None);
        refuse_plugins(r, mode);
        let selects = selects(r);
        Self {
            mode,
            configuration_based: ConfigurationBased {
                data: r.boolean("snapshot.mode.configuration.based.snapshot.data"),
                stream: r.boolean("snapshot.mode.configuration.based.start.stream"),
                on_data_error: r.boolean("snapshot.mode.configuration.based.snapshot.on.data.error"),
            },
            isolation: r.choice("snapshot.isolation.mode", SnapshotIsolation::Serializable),
            locking,
            lock_timeout: r.millis("snapshot.lock.timeout.ms"),
            tables: r.regex_texts("snapshot.include.collection.list"),
            delay: r.millis("snapshot.delay.ms"),
            streaming_delay: r.millis("streaming.delay.ms"),
            selects,
        }
    }
}

/// A Java plug-in cannot run here: better a refusal than another snapshot than the one asked for.
fn refuse_plugins(r: &mut Reader<'_>, mode: SnapshotMode) {
    if mode == SnapshotMode::Custom {
        complain(
            r,
            "snapshot.mode",
            "'custom' names a Java plug-in, and these do not run here; use initial, always, initial_only, no_data or \
             when_needed",
        );
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
