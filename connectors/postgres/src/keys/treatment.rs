//! Group `Connector`, second part: headers, limits, snapshot modes, how types become values.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support, Values, Width};

use crate::keys::rules;

const GROUP: &str = "Connector";

pub(super) const KEYS: &[Key] = &[
    Key::debezium("extended.headers.enabled", Kind::Boolean)
        .default("true")
        .low()
        .at(GROUP, 35)
        .shown("Enable/Disable extended headers", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Add four headers __debezium.context.… (logical name, task, connector, run) to the records of rows.",
        ),
    Key::debezium("guardrail.collections.max", Kind::Int)
        .default("0")
        .at(GROUP, 36)
        .shown("Maximum number of collections or tables", Width::Short)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Largest number of tables that may be captured, counted at the start; guardrail.collections.limit.action says what happens with more. 0 sets no limit.",
        ),
    Key::debezium("guardrail.collections.limit.action", Kind::String)
        .default("warn")
        .at(GROUP, 37)
        .shown("Guardrail collections limit action", Width::Short)
        .one_of(&["warn", "fail"], &[Check::OneOf(&["warn", "fail"])])
        .doc(
            "What happens when more tables than guardrail.collections.max are captured: warn writes it to the log, fail fails the connector.",
        ),
    Key::debezium("custom.sanitize.pattern", Kind::String)
        .default(".*secret$|.*password$|.*sasl\\.jaas\\.config$|.*basic\\.auth\\.user\\.info|.*registry\\.auth\\.client-secret|.*credentials\\.json$|.*connectionstring$|.*connection\\.string$")
        .low()
        .at(GROUP, 38)
        .shown("Custom pattern for masking sensitive configuration", Width::Long)
        .doc(
            "Regex on the names of keys whose values are masked in the log; it replaces the default. A pattern that misses a key lets its secret into the log.",
        ),
    Key::debezium("statistics.metrics.enabled", Kind::Boolean)
        .default("true")
        .at(GROUP, 39)
        .shown("Enable collecting statistics metrics like latencies", Width::Short)
        .doc(
            "Keep percentiles of the time that records take in the metrics.",
        )
        .support(Support::NoEffect("no percentiles of the lag are kept")),
    Key::debezium("decimal.handling.mode", Kind::String)
        .default("precise")
        .at(GROUP, 40)
        .shown("Decimal Handling", Width::Short)
        .one_of(&["string", "double", "precise"], &[Check::OneOf(&["string", "double", "precise"])])
        .doc(
            "How values of types numeric, decimal and money are sent: precise (Connect's Decimal: exact, as bytes), double (rounds beyond 15 digits) or string (exact, as text).",
        ),
    Key::debezium("time.precision.mode", Kind::String)
        .default("adaptive")
        .at(GROUP, 41)
        .shown("Time Precision", Width::Short)
        .one_of(&["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"], &[Check::OneOf(&["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"])])
        .doc(
            "How dates and times are sent: adaptive (the unit follows the column's precision), adaptive_time_microseconds (the same, but times of day always in microseconds), connect (Connect's types in milliseconds; finer digits are cut off), isostring (text), microseconds or nanoseconds.",
        ),
    Key::debezium("snapshot.lock.timeout.ms", Kind::Long)
        .default("10000")
        .at(GROUP, 42)
        .shown("Snapshot lock timeout (ms)", Width::Long)
        .doc(
            "Milliseconds to wait for a table lock in snapshot.locking.mode=shared before the snapshot fails.",
        ),
    Key::debezium("memory.management.schemas.class", Kind::Class)
        .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
        .low()
        .at(GROUP, 43)
        .shown("Schema storage class", Width::Long)
        .doc(
            "Java class in which Debezium keeps schemas in memory.",
        )
        .support(Support::NoEffect("there is no JVM here, and tables are kept in memory")),
    Key::debezium("memory.management.tables.class", Kind::Class)
        .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
        .low()
        .at(GROUP, 44)
        .shown("Table storage class", Width::Long)
        .doc(
            "Java class in which Debezium keeps the structure of tables in memory.",
        )
        .support(Support::NoEffect("there is no JVM here, and tables are kept in memory")),
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
    Key::debezium("snapshot.query.mode", Kind::String)
        .default("select_all")
        .low()
        .at(GROUP, 47)
        .shown("Snapshot query mode", Width::Short)
        .one_of(&["custom", "select_all"], &[Check::OneOf(&["custom", "select_all"])])
        .doc(
            "How the snapshot selects rows: select_all, or custom (a Java plug-in, which does not run here).",
        )
        .support(Support::Partly(&[(Values::Own(rules::is_custom_query), Support::Refused("it names a Java plug-in, and these do not run here", "Use select_all, with snapshot.select.statement.overrides for tables that need a SELECT of their own."))])),
    Key::debezium("snapshot.query.mode.custom.name", Kind::String)
        .at(GROUP, 48)
        .shown("Snapshot Query Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_query_mode)])
        .doc(
            "With snapshot.query.mode=custom: the name of the Java plug-in that selects rows. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here")),
    Key::debezium("snapshot.locking.mode.custom.name", Kind::String)
        .at(GROUP, 49)
        .shown("Snapshot Locking Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_locking_mode)])
        .doc(
            "With snapshot.locking.mode=custom: the name of the Java plug-in that locks tables. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here")),
    Key::debezium("snapshot.locking.mode", Kind::String)
        .default("none")
        .low()
        .at(GROUP, 50)
        .shown("Snapshot locking mode", Width::Short)
        .one_of(&["shared", "custom", "none"], &[Check::OneOf(&["shared", "custom", "none"])])
        .doc(
            "Which locks are taken on tables when the snapshot begins: none, shared (nobody can alter the tables meanwhile) or custom (a Java plug-in, which does not run here).",
        )
        .support(Support::Partly(&[(Values::Own(rules::is_custom_locking), Support::Refused("it names a Java plug-in, and these do not run here", "Use none or shared."))])),
    Key::debezium("hstore.handling.mode", Kind::String)
        .default("json")
        .low()
        .at(GROUP, 51)
        .shown("HStore Handling", Width::Medium)
        .one_of(&["json", "map"], &[Check::OneOf(&["json", "map"])])
        .doc(
            "How values of type hstore are sent: json (one text) or map (a map of texts).",
        ),
    Key::debezium("binary.handling.mode", Kind::String)
        .default("bytes")
        .low()
        .at(GROUP, 52)
        .shown("Binary Handling", Width::Medium)
        .one_of(&["bytes", "base64", "hex", "base64-url-safe"], &[Check::OneOf(&["bytes", "base64", "hex", "base64-url-safe"])])
        .doc(
            "How values of type bytea are sent: bytes, or as text in base64, base64-url-safe or hex.",
        ),
    Key::debezium("schema.name.adjustment.mode", Kind::String)
        .default("none")
        .low()
        .at(GROUP, 53)
        .shown("Schema Name Adjustment", Width::Medium)
        .one_of(&["none", "avro_unicode", "avro"], &[Check::OneOf(&["none", "avro_unicode", "avro"])])
        .doc(
            "What happens to characters in schema names that Avro does not allow: none leaves them, avro replaces each by '_', avro_unicode by '_uXXXX' (so that names stay distinct).",
        ),
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
    Key::debezium("incremental.snapshot.chunk.size", Kind::Int)
        .default("1024")
        .at(GROUP, 56)
        .shown("Incremental snapshot chunk size", Width::Medium)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Number of rows that an incremental snapshot reads in one chunk.",
        )
        .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused")),
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
