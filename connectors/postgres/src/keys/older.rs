//! Key names and values of older releases of Debezium's PostgreSQL connector, and what replaced each. What is said of them:
//! [`relational::keys::older`].

use relational::keys::older::{CAPTURES_ALL, DROPS_NOTHING, IGNORED, Older, OlderKeys};
use settings::{Finding, Properties};

const NOT_HERE: &str = "does nothing in the PostgreSQL connector.";

const KEYS: OlderKeys = OlderKeys { names: NAMES, families: FAMILIES, values: VALUES };

const NAMES: &[Older] = &[
    ("schema.whitelist", CAPTURES_ALL, "Use schema.include.list."),
    ("schema.blacklist", DROPS_NOTHING, "Use schema.exclude.list."),
    ("message.prefix.whitelist", CAPTURES_ALL, "Use message.prefix.include.list."),
    ("message.prefix.blacklist", DROPS_NOTHING, "Use message.prefix.exclude.list."),
    ("toasted.value.placeholder", IGNORED, "Use unavailable.value.placeholder."),
    ("slot.drop_on_stop", IGNORED, "Use slot.drop.on.stop."),
    ("truncate.handling.mode", IGNORED, "Use skipped.operations: without t in it truncates are sent."),
    ("event.deserialization.failure.handling.mode", IGNORED, "Use event.processing.failure.handling.mode."),
    ("slot.seek.to.known.offset", IGNORED, "Use offset.mismatch.strategy."),
    ("slot.seek.to.known.offset.on.start", IGNORED, "Use offset.mismatch.strategy."),
    ("internal.slot.seek.to.known.offset.on.start", "has no effect.", "Use offset.mismatch.strategy."),
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

/// Whether `name` is a key that nothing reads any more.
pub(crate) fn is_older(name: &str) -> bool {
    KEYS.has(name)
}

/// Findings about old names (warnings) and old values (errors) in a config, in the order of the config.
pub fn warnings(properties: &Properties) -> Vec<Finding> {
    KEYS.warnings(properties)
}
