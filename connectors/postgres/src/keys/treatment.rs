//! Group `Connector`, second part: headers, limits, snapshot modes, how types become values.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support, Values, Width};

const GROUP: &str = "Connector";

pub(super) const KEYS: &[Key] = &[
    keys::EXTENDED_HEADERS_ENABLED.at(GROUP, 35),
    keys::GUARDRAIL_COLLECTIONS_MAX.at(GROUP, 36),
    keys::GUARDRAIL_COLLECTIONS_LIMIT_ACTION.at(GROUP, 37),
    keys::CUSTOM_SANITIZE_PATTERN.at(GROUP, 38),
    keys::STATISTICS_METRICS_ENABLED.at(GROUP, 39),
    keys::DECIMAL_HANDLING_MODE.at(GROUP, 40),
    keys::TIME_PRECISION_MODE.at(GROUP, 41),
    keys::SNAPSHOT_LOCK_TIMEOUT_MS.at(GROUP, 42),
    keys::MEMORY_MANAGEMENT_SCHEMAS_CLASS.at(GROUP, 43),
    keys::MEMORY_MANAGEMENT_TABLES_CLASS.at(GROUP, 44),
    Key::debezium("snapshot.mode", Kind::String)
        .default("initial")
        .at(GROUP, 45)
        .shown("Snapshot mode", Width::Short)
        .one_of(&["always", "initial_only", "configuration_based", "when_needed", "initial", "custom", "no_data"], &[Check::OneOf(&["always", "initial_only", "configuration_based", "when_needed", "initial", "custom", "no_data"])])
        .doc(
            "When rows are copied before streaming: initial (once, the default), always (at every start), initial_only (once, then nothing is streamed), no_data (never: what was there before stays unread), when_needed (also when the stored position is gone), configuration_based, custom.",
        ),
    Key::debezium("snapshot.isolation.mode", Kind::String)
        .default("serializable")
        .low()
        .at(GROUP, 46)
        .shown("Snapshot isolation mode", Width::Short)
        .one_of(&["read_uncommitted", "repeatable_read", "read_committed", "serializable"], &[Check::OneOf(&["read_uncommitted", "repeatable_read", "read_committed", "serializable"])])
        .doc(
            "Isolation level of the snapshot's transaction. With the weaker levels, the copied rows may be of different moments. A view that the slot exports is read in repeatable read, whatever is set.",
        ),
    keys::SNAPSHOT_QUERY_MODE.at(GROUP, 47),
    keys::SNAPSHOT_QUERY_MODE_CUSTOM_NAME.at(GROUP, 48),
    keys::SNAPSHOT_LOCKING_MODE_CUSTOM_NAME.at(GROUP, 49),
    Key::debezium("snapshot.locking.mode", Kind::String)
        .default("none")
        .low()
        .at(GROUP, 50)
        .shown("Snapshot locking mode", Width::Short)
        .one_of(&["shared", "custom", "none"], &[Check::OneOf(&["shared", "custom", "none"])])
        .doc(
            "Which locks are taken on tables when the snapshot begins: none, shared (nobody can alter the tables meanwhile) or custom (a Java plug-in, which does not run here).",
        )
        .support(Support::Partly(&[(Values::Own(keys::rules::is_custom_locking), Support::Refused("it names a Java plug-in, and these do not run here", "Use none or shared."))])),
    Key::debezium("hstore.handling.mode", Kind::String)
        .default("json")
        .low()
        .at(GROUP, 51)
        .shown("HStore Handling", Width::Medium)
        .one_of(&["json", "map"], &[Check::OneOf(&["json", "map"])])
        .doc(
            "How values of type hstore are sent: json (one text) or map (a map of texts).",
        ),
    keys::BINARY_HANDLING_MODE
        .at(GROUP, 52)
        .doc("How values of type bytea are sent: bytes, or as text in base64, base64-url-safe or hex."),
    keys::SCHEMA_NAME_ADJUSTMENT_MODE.at(GROUP, 53),
    Key::debezium("interval.handling.mode", Kind::String)
        .default("numeric")
        .low()
        .at(GROUP, 54)
        .shown("Interval Handling", Width::Medium)
        .one_of(&["string", "numeric"], &[Check::OneOf(&["string", "numeric"])])
        .doc(
            "How values of type interval are sent: numeric (microseconds, with a month as 30.4375 days: not exact) or string (ISO 8601: exact).",
        ),
    Key::debezium("schema.refresh.mode", Kind::String)
        .default("columns_diff")
        .at(GROUP, 55)
        .shown("Schema refresh mode", Width::Short)
        .one_of(&["columns_diff", "columns_diff_exclude_unchanged_toast"], &[Check::OneOf(&["columns_diff", "columns_diff_exclude_unchanged_toast"])])
        .doc(
            "When Debezium reads the columns of a table again: columns_diff when a change has other columns than are known, columns_diff_exclude_unchanged_toast not when only large values (TOAST) are missing.",
        )
        .support(Support::NoEffect("the log itself says when a table's columns change")),
    keys::INCREMENTAL_SNAPSHOT_CHUNK_SIZE.at(GROUP, 56),
    Key::debezium("unavailable.value.placeholder", Kind::String)
        .default("__debezium_unavailable_value")
        .at(GROUP, 57)
        .shown("Unavailable value placeholder", Width::Medium)
        .doc(
            "Value that is sent in place of a large value (TOAST) which did not change and which the server therefore did not send: a text, or 'hex:' and hex digits for bytes. Must be a value that never occurs.",
        ),
    Key::debezium("message.prefix.include.list", Kind::List)
        .at(GROUP, 58)
        .shown("Include Logical Decoding Message Prefixes", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on the prefix of logical messages (pg_logical_emit_message), separated by commas: only messages that match are sent. Not set: all.",
        ),
    Key::debezium("message.prefix.exclude.list", Kind::List)
        .at(GROUP, 59)
        .shown("Exclude Logical Decoding Message Prefixes", Width::Long)
        .checks(&[Check::NotWith { other: "message.prefix.include.list", shown: "logical_decoding_message.prefix.include.list" }, Check::RegexList])
        .doc(
            "Regexes on the prefix of logical messages (pg_logical_emit_message), separated by commas: messages that match are not sent. Not together with message.prefix.include.list.",
        ),
    Key::debezium("publish.via.partition.root", Kind::Boolean)
        .default("false")
        .at(GROUP, 60)
        .shown("Publish via partition root", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Whether changes in partitions are sent under the name of the partitioned table, and so to one topic. Applies when the connector makes the publication; one that exists is left as it is.",
        ),
];
