//! Group `Events`: records, signals, notifications, filters, column treatment.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support, Width};

const GROUP: &str = "Events";

pub(super) const KEYS: &[Key] = &[
    Key::debezium("converters", Kind::String)
        .low()
        .at(GROUP, 1)
        .shown("List of prefixes defining custom values converters.", Width::Medium)
        .doc(
            "Names of custom converters, each with '<name>.type'. Java classes do not run here.",
        )
        .support(Support::Refused("custom converters are Java classes, which do not run here, and values would differ from what they make", "Remove the key; time.precision.mode, decimal.handling.mode, interval.handling.mode, binary.handling.mode and hstore.handling.mode choose among the forms that are built in.")),
    keys::POST_PROCESSORS.at(GROUP, 2),
    keys::TOMBSTONES_ON_DELETE.at(GROUP, 3),
    keys::HEARTBEAT_INTERVAL_MS.at(GROUP, 4),
    keys::HEARTBEAT_TOPICS_PREFIX.at(GROUP, 5),
    keys::SIGNAL_DATA_COLLECTION.at(GROUP, 6),
    keys::SIGNAL_POLL_INTERVAL_MS.at(GROUP, 7),
    keys::SIGNAL_ENABLED_CHANNELS.at(GROUP, 8),
    keys::TOPIC_NAMING_STRATEGY.at(GROUP, 9),
    keys::NOTIFICATION_ENABLED_CHANNELS.at(GROUP, 10),
    keys::NOTIFICATION_SINK_TOPIC_NAME.at(GROUP, 11),
    keys::TRANSACTION_METADATA_FACTORY.at(GROUP, 12),
    keys::CUSTOM_METRIC_TAGS.at(GROUP, 13),
    keys::COLUMN_INCLUDE_LIST.at(GROUP, 14),
    keys::COLUMN_EXCLUDE_LIST.at(GROUP, 15),
    keys::TABLE_INCLUDE_LIST.at(GROUP, 16),
    keys::TABLE_EXCLUDE_LIST.at(GROUP, 17),
    keys::TABLE_IGNORE_BUILTIN.at(GROUP, 18).doc(
        "Leave out PostgreSQL's own schemas, and the table spatial_ref_sys of PostGIS, whatever the filters say.",
    ),
    Key::debezium("schema.include.list", Kind::List)
        .high()
        .at(GROUP, 19)
        .shown("Include Schemas", Width::Long)
        .checks(&[Check::RegexList])
        .dependents(&["table.include.list"])
        .doc(
            "Regexes on the schema's name, separated by commas: only tables in these schemas are captured. Not set: every schema.",
        ),
    Key::debezium("schema.exclude.list", Kind::List)
        .at(GROUP, 20)
        .shown("Exclude Schemas", Width::Long)
        .checks(&[Check::NotWith { other: "schema.include.list", shown: "schema.include.list" }, Check::RegexList])
        .invisible()
        .doc(
            "Regexes on the schema's name, separated by commas: tables in these schemas are not captured. Not together with schema.include.list.",
        ),
    keys::MESSAGE_KEY_COLUMNS.at(GROUP, 21),
    keys::SNAPSHOT_SELECT_STATEMENT_OVERRIDES.at(GROUP, 22),
    keys::COLUMN_MASK_HASH.at(GROUP, 23),
    keys::COLUMN_MASK_CHARS.at(GROUP, 24),
    keys::COLUMN_TRUNCATE.at(GROUP, 25),
    keys::INCLUDE_SCHEMA_COMMENTS
        .at(GROUP, 26)
        .support(Support::NoEffect("comments are not read for PostgreSQL, in Debezium neither")),
    keys::COLUMN_PROPAGATE_SOURCE_TYPE.at(GROUP, 27),
    keys::DATATYPE_PROPAGATE_SOURCE_TYPE.at(GROUP, 28),
    keys::INTERNAL_SNAPSHOT_SCAN_ALL_COLUMNS_FORCE.at(GROUP, 29),
    keys::SNAPSHOT_TABLES_ORDER_BY_ROW_COUNT.at(GROUP, 30),
    keys::HEARTBEAT_ACTION_QUERY.at(GROUP, 31),
    Key::debezium("include.unknown.datatypes", Kind::Boolean)
        .default("false")
        .at(GROUP, 32)
        .shown("Include unknown datatypes", Width::Short)
        .doc(
            "Send columns whose type is not known to the connector as raw bytes. false leaves such columns out.",
        ),
    keys::SOURCEINFO_STRUCT_MAKER
        .default("io.debezium.connector.postgresql.PostgresSourceInfoStructMaker")
        .at(GROUP, 33),
];
