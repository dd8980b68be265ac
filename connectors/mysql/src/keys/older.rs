//! Key names and values of older releases of Debezium's MySQL and MariaDB connectors, and what replaced each. What is said of
//! them: [`relational::keys::older`].
//!
//! Must not know: the options of ExtractNewRecordState and of other SMTs.

use relational::keys::older::{CAPTURES_ALL, DROPS_NOTHING, IGNORED, Older, OlderKeys};
use settings::{Finding, Properties};

const NOT_HERE: &str = "does nothing in the MySQL and MariaDB connectors.";

const NAMES: &[Older] = &[
    ("database.whitelist", CAPTURES_ALL, "Use database.include.list."),
    ("database.blacklist", DROPS_NOTHING, "Use database.exclude.list."),
    ("schema.include.list", NOT_HERE, "Use database.include.list: without it every database is captured."),
    ("schema.exclude.list", NOT_HERE, "Use database.exclude.list."),
    ("database.dbname", NOT_HERE, "Use database.include.list: without it every database is captured."),
    ("database.history", IGNORED, "Use schema.history.internal."),
    ("snapshot.minimal.locks", IGNORED, "Use snapshot.locking.mode."),
    ("gtid.new.channel.position", IGNORED, "Remove it: a new source is read from its first transaction."),
    ("internal.schema.history.internal.prefer.ddl", IGNORED, "Use schema.history.internal.prefer.ddl."),
];

/// Families of old names.
const FAMILIES: &[Older] = &[(
    "database.history.",
    IGNORED,
    "Use the same name with schema.history.internal. in place of database.history., and the same topic.",
)];

/// Old values: key, old value, and what to do.
const VALUES: &[Older] = &[
    (
        "snapshot.mode",
        "never",
        "Use configuration_based with snapshot.mode.configuration.based.start.stream=true, if the binlog reaches back to the creation of every table; else no_data.",
    ),
    ("snapshot.mode", "schema_only", "Use no_data."),
    ("snapshot.mode", "schema_only_recovery", "Use recovery."),
    ("time.precision.mode", "adaptive", "Use adaptive_time_microseconds."),
];

const OLDER: OlderKeys = OlderKeys { names: NAMES, families: FAMILIES, values: VALUES };

/// Whether `name` is a key that nothing reads any more. Such a name is no property of a Java driver either.
pub(crate) fn is_older(name: &str) -> bool {
    OLDER.has(name)
}

/// Findings about old names (warnings) and old values (errors) in a config, in the order of the config.
pub fn warnings(properties: &Properties) -> Vec<Finding> {
    OLDER.warnings(properties)
}
