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
            "Put four __debezium.context headers (logical name, task, connector, run) on data records. false: records go without, and are smaller.",
        ),
    Key::debezium("guardrail.collections.max", Kind::Int)
        .default("0")
        .at(GROUP, 36)
        .shown("Maximum number of collections or tables", Width::Short)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Most tables that may be captured at start; 0 sets no limit. A filter that matches far too much is caught by it.",
        ),
    Key::debezium("guardrail.collections.limit.action", Kind::String)
        .default("warn")
        .at(GROUP, 37)
        .shown("Guardrail collections limit action", Width::Short)
        .one_of(&["warn", "fail"], &[Check::OneOf(&["warn", "fail"])])
        .doc(
            "When guardrail.collections.max is passed: warn logs it, fail refuses to start.",
        ),
    Key::debezium("custom.sanitize.pattern", Kind::String)
        .default(".*secret$|.*password$|.*sasl\\.jaas\\.config$|.*basic\\.auth\\.user\\.info|.*registry\\.auth\\.client-secret|.*credentials\\.json$|.*connectionstring$|.*connection\\.string$")
        .low()
        .at(GROUP, 38)
        .shown("Custom pattern for masking sensitive configuration", Width::Long)
        .doc(
            "Regex on key names whose values are masked in logs, in place of the built-in one. Too narrow a pattern writes secrets into the log.",
        ),
    Key::debezium("statistics.metrics.enabled", Kind::Boolean)
        .default("true")
        .at(GROUP, 39)
        .shown("Enable collecting statistics metrics like latencies", Width::Short)
        .doc(
            "Keep percentiles of the lag in the metrics. false saves a little work a record.",
        )
        .support(Support::NoEffect("no percentiles of the lag are kept")),
    Key::debezium("decimal.handling.mode", Kind::String)
        .default("precise")
        .at(GROUP, 40)
        .shown("Decimal Handling", Width::Short)
        .one_of(&["string", "double", "precise"], &[Check::OneOf(&["string", "double", "precise"])])
        .doc(
            "numeric, decimal and money as: precise (Connect's Decimal, exact bytes), double (rounds beyond 15 digits), string (exact text).",
        ),
    Key::debezium("time.precision.mode", Kind::String)
        .default("adaptive")
        .at(GROUP, 41)
        .shown("Time Precision", Width::Short)
        .one_of(&["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"], &[Check::OneOf(&["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"])])
        .doc(
            "Dates and times as: adaptive (the unit follows the column's precision), adaptive_time_microseconds (times always microseconds), connect (milliseconds; finer digits are cut), isostring, microseconds, nanoseconds.",
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
            "Java class that keeps schemas. Accepted, without effect: there is no JVM here.",
        )
        .support(Support::NoEffect("there is no JVM here, and tables are kept in memory")),
    Key::debezium("memory.management.tables.class", Kind::Class)
        .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
        .low()
        .at(GROUP, 44)
        .shown("Table storage class", Width::Long)
        .doc(
            "Java class that keeps tables. Accepted, without effect: there is no JVM here.",
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
            "Isolation of the snapshot's transaction. An exported snapshot runs in repeatable read whatever is named; the weaker ones can copy a state that never was.",
        ),
    Key::debezium("snapshot.query.mode", Kind::String)
        .default("select_all")
        .low()
        .at(GROUP, 47)
        .shown("Snapshot query mode", Width::Short)
        .one_of(&["custom", "select_all"], &[Check::OneOf(&["custom", "select_all"])])
        .doc(
            "How rows are selected: select_all, or custom (a Java plug-in, which does not run here).",
        )
        .support(Support::Partly(&[(Values::Own(rules::is_custom_query), Support::Refused("it names a Java plug-in, and these do not run here", "Use select_all, with snapshot.select.statement.overrides for tables that need a SELECT of their own."))])),
    Key::debezium("snapshot.query.mode.custom.name", Kind::String)
        .at(GROUP, 48)
        .shown("Snapshot Query Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_query_mode)])
        .doc(
            "Name of a Java query plug-in, for snapshot.query.mode=custom. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here")),
    Key::debezium("snapshot.locking.mode.custom.name", Kind::String)
        .at(GROUP, 49)
        .shown("Snapshot Locking Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_locking_mode)])
        .doc(
            "Name of a Java locking plug-in, for snapshot.locking.mode=custom. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here")),
    Key::debezium("snapshot.locking.mode", Kind::String)
        .default("none")
        .low()
        .at(GROUP, 50)
        .shown("Snapshot locking mode", Width::Short)
        .one_of(&["shared", "custom", "none"], &[Check::OneOf(&["shared", "custom", "none"])])
        .doc(
            "Table locks while the snapshot starts: none (the default), shared (keeps others from altering the tables), custom.",
        )
        .support(Support::Partly(&[(Values::Own(rules::is_custom_locking), Support::Refused("it names a Java plug-in, and these do not run here", "Use none or shared."))])),
    Key::debezium("hstore.handling.mode", Kind::String)
        .default("json")
        .low()
        .at(GROUP, 51)
        .shown("HStore Handling", Width::Medium)
        .one_of(&["json", "map"], &[Check::OneOf(&["json", "map"])])
        .doc(
            "hstore as json (one text) or map (a MAP of texts).",
        ),
    Key::debezium("binary.handling.mode", Kind::String)
        .default("bytes")
        .low()
        .at(GROUP, 52)
        .shown("Binary Handling", Width::Medium)
        .one_of(&["bytes", "base64", "hex", "base64-url-safe"], &[Check::OneOf(&["bytes", "base64", "hex", "base64-url-safe"])])
        .doc(
            "bytea as bytes, or as text: base64, base64-url-safe, hex.",
        ),
    Key::debezium("schema.name.adjustment.mode", Kind::String)
        .default("none")
        .low()
        .at(GROUP, 53)
        .shown("Schema Name Adjustment", Width::Medium)
        .one_of(&["none", "avro_unicode", "avro"], &[Check::OneOf(&["none", "avro_unicode", "avro"])])
        .doc(
            "What becomes of characters in schema names that Avro refuses: none, avro ('_' for each), avro_unicode ('_uXXXX', which keeps names distinct).",
        ),
    Key::debezium("interval.handling.mode", Kind::String)
        .default("numeric")
        .low()
        .at(GROUP, 54)
        .shown("Interval Handling", Width::Medium)
        .one_of(&["string", "numeric"], &[Check::OneOf(&["string", "numeric"])])
        .doc(
            "interval as numeric (microseconds, a month taken as 30.4375 days: not exact) or string (ISO 8601, exact).",
        ),
    Key::debezium("schema.refresh.mode", Kind::String)
        .default("columns_diff")
        .at(GROUP, 55)
        .shown("Schema refresh mode", Width::Short)
        .one_of(&["columns_diff", "columns_diff_exclude_unchanged_toast"], &[Check::OneOf(&["columns_diff", "columns_diff_exclude_unchanged_toast"])])
        .doc(
            "When the known schema of a table is compared with a change: columns_diff at any difference, columns_diff_exclude_unchanged_toast not for missing TOAST columns. pgoutput sends schemas itself, so it does nothing there.",
        )
        .support(Support::NoEffect("the log itself says when a table's columns change")),
    Key::debezium("incremental.snapshot.chunk.size", Kind::Int)
        .default("1024")
        .at(GROUP, 56)
        .shown("Incremental snapshot chunk size", Width::Medium)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Rows that an incremental snapshot reads in one window. More is faster and holds more rows in memory.",
        )
        .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused")),
    Key::debezium("unavailable.value.placeholder", Kind::String)
        .default("__debezium_unavailable_value")
        .at(GROUP, 57)
        .shown("Unavailable value placeholder", Width::Medium)
        .doc(
            "What stands for a large value that the server did not send because it did not change; 'hex:' and hex digits for raw bytes. Must be a value that never occurs.",
        ),
    Key::debezium("message.prefix.include.list", Kind::List)
        .at(GROUP, 58)
        .shown("Include Logical Decoding Message Prefixes", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on the prefix of logical messages (pg_logical_emit_message): those that match are sent.",
        ),
    Key::debezium("message.prefix.exclude.list", Kind::List)
        .at(GROUP, 59)
        .shown("Exclude Logical Decoding Message Prefixes", Width::Long)
        .checks(&[Check::NotWith { other: "message.prefix.include.list", shown: "logical_decoding_message.prefix.include.list" }, Check::RegexList])
        .doc(
            "Regexes on the prefix of logical messages: those that match are not sent. Not together with message.prefix.include.list.",
        ),
    Key::debezium("publish.via.partition.root", Kind::Boolean)
        .default("false")
        .at(GROUP, 60)
        .shown("Publish via partition root", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "When the connector itself makes the publication: changes in partitions come under the partitioned table's name, so in one topic. An existing publication is left as it is.",
        ),
];
