//! Key names and values of older Debezium releases, and what replaced each.
//!
//! Debezium ignores old names silently, so that a config with an old `table.whitelist` captures every table. Here old names
//! are ignored too, but with a warning: in the log, and after Connect's own list of errors when a config is refused.
//!
//! Must not know: the options of ExtractNewRecordState and of other SMTs.

use settings::{Finding, Properties, Severity};

/// An old name, what follows from its being ignored, and what to do.
type Older = (&'static str, &'static str, &'static str);

const CAPTURES_ALL: &str = "is no longer known and is ignored: without a filter everything is captured.";
const DROPS_NOTHING: &str = "is no longer known and is ignored: what it names is captured as well.";
const IGNORED: &str = "is no longer known and is ignored.";
const NOT_HERE: &str = "does nothing in the PostgreSQL connector.";

const NAMES: &[Older] = &[
    ("database.server.name", IGNORED, "Use topic.prefix, with the same value to keep topics and offsets."),
    ("table.whitelist", CAPTURES_ALL, "Use table.include.list."),
    ("table.blacklist", DROPS_NOTHING, "Use table.exclude.list."),
    ("schema.whitelist", CAPTURES_ALL, "Use schema.include.list."),
    ("schema.blacklist", DROPS_NOTHING, "Use schema.exclude.list."),
    ("column.whitelist", CAPTURES_ALL, "Use column.include.list."),
    ("column.blacklist", DROPS_NOTHING, "Use column.exclude.list."),
    ("message.prefix.whitelist", CAPTURES_ALL, "Use message.prefix.include.list."),
    ("message.prefix.blacklist", DROPS_NOTHING, "Use message.prefix.exclude.list."),
    ("toasted.value.placeholder", IGNORED, "Use unavailable.value.placeholder."),
    ("sanitize.field.names", IGNORED, "Use field.name.adjustment.mode=avro."),
    ("slot.drop_on_stop", IGNORED, "Use slot.drop.on.stop."),
    ("transaction.topic", IGNORED, "Use topic.transaction."),
    ("truncate.handling.mode", IGNORED, "Use skipped.operations: without t in it truncates are sent."),
    ("event.deserialization.failure.handling.mode", IGNORED, "Use event.processing.failure.handling.mode."),
    ("slot.seek.to.known.offset", IGNORED, "Use offset.mismatch.strategy."),
    ("slot.seek.to.known.offset.on.start", IGNORED, "Use offset.mismatch.strategy."),
    ("internal.slot.seek.to.known.offset.on.start", "has no effect.", "Use offset.mismatch.strategy."),
    ("snapshot.custom.class", IGNORED, "Java snapshotters do not run here: choose another snapshot.mode."),
    ("snapshot.new.tables", IGNORED, "Send an incremental snapshot signal for a new table."),
    ("source.struct.version", IGNORED, "Remove it: there is one version of the source block."),
    ("rows.fetch.size", IGNORED, "Use snapshot.fetch.size."),
    ("initial.statements", IGNORED, "Use database.initial.statements."),
    ("include.schema.changes", NOT_HERE, "Remove it: PostgreSQL sends no schema change records."),
    ("database.history", NOT_HERE, "Remove it: PostgreSQL needs no schema history."),
];

/// Families of keys that belong to other connectors.
const FAMILIES: &[Older] = &[
    ("database.history.", NOT_HERE, "Remove it: PostgreSQL needs no schema history."),
    ("schema.history.internal", NOT_HERE, "Remove it: PostgreSQL needs no schema history."),
];

/// Old values: key, old value, and what to do.
const VALUES: &[(&str, &str, &str)] = &[
    ("snapshot.mode", "never", "Use no_data."),
    ("snapshot.mode", "schema_only", "Use no_data."),
    ("snapshot.mode", "initial_schema", "Use no_data."),
    ("snapshot.mode", "exported", "Use initial: its snapshot is always the slot's exported one."),
    ("snapshot.mode", "schema_only_recovery", "Use when_needed: PostgreSQL has no schema history to recover."),
    ("plugin.name", "wal2json", "Use pgoutput, with a new slot.name: a slot keeps its plugin."),
    ("plugin.name", "wal2json_rds", "Use pgoutput, with a new slot.name: a slot keeps its plugin."),
    ("plugin.name", "wal2json_streaming", "Use pgoutput, with a new slot.name: a slot keeps its plugin."),
    ("plugin.name", "wal2json_rds_streaming", "Use pgoutput, with a new slot.name: a slot keeps its plugin."),
];

/// Whether `name` is a key that nothing reads any more. Such a name is no property of the JDBC driver either.
pub(crate) fn is_older(name: &str) -> bool {
    NAMES.iter().any(|(n, ..)| *n == name) || FAMILIES.iter().any(|(prefix, ..)| name.starts_with(prefix))
}

/// Findings about old names (warnings) and old values (errors) in a config, in the order of the config.
pub fn warnings(properties: &Properties) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (name, value) in properties.iter() {
        let older = NAMES.iter().find(|(n, ..)| *n == name);
        let family = || FAMILIES.iter().find(|(prefix, ..)| name.starts_with(prefix));
        if let Some((_, reason, remedy)) = older.or_else(family) {
            findings.push(Finding {
                key: name.to_owned(),
                severity: Severity::Warning,
                reason: (*reason).to_owned(),
                remedy: (*remedy).to_owned(),
            });
        }
        let value = value.unwrap_or("").trim();
        if let Some((_, old, remedy)) = VALUES.iter().find(|(n, v, _)| *n == name && v.eq_ignore_ascii_case(value)) {
            findings.push(Finding {
                key: name.to_owned(),
                severity: Severity::Error,
                reason: format!("value '{old}' is no longer known."),
                remedy: (*remedy).to_owned(),
            });
        }
    }
    findings
}
