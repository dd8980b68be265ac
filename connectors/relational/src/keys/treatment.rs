//! Keys of headers, guardrails and of how values are sent.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support, Values, Width};

use super::rules;

/// `extended.headers.enabled`.
pub const EXTENDED_HEADERS_ENABLED: Key = Key::debezium("extended.headers.enabled", Kind::Boolean)
    .default("true")
    .low()
    .shown("Enable/Disable extended headers", Width::Short)
    .checks(&[Check::Boolean])
    .doc("Add four headers __debezium.context.… (logical name, task, connector, run) to the records of rows.");

/// `guardrail.collections.max`.
pub const GUARDRAIL_COLLECTIONS_MAX: Key = Key::debezium("guardrail.collections.max", Kind::Int)
        .default("0")
        .shown("Maximum number of collections or tables", Width::Short)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Largest number of tables that may be captured, counted at the start; guardrail.collections.limit.action says what happens with more. 0 sets no limit.",
        );

/// `guardrail.collections.limit.action`.
pub const GUARDRAIL_COLLECTIONS_LIMIT_ACTION: Key = Key::debezium("guardrail.collections.limit.action", Kind::String)
        .default("warn")
        .shown("Guardrail collections limit action", Width::Short)
        .one_of(&["warn", "fail"], &[Check::OneOf(&["warn", "fail"])])
        .doc(
            "What happens when more tables than guardrail.collections.max are captured: warn writes it to the log, fail fails the connector.",
        );

/// `custom.sanitize.pattern`.
pub const CUSTOM_SANITIZE_PATTERN: Key = Key::debezium("custom.sanitize.pattern", Kind::String)
        .default(".*secret$|.*password$|.*sasl\\.jaas\\.config$|.*basic\\.auth\\.user\\.info|.*registry\\.auth\\.client-secret|.*credentials\\.json$|.*connectionstring$|.*connection\\.string$")
        .low()
        .shown("Custom pattern for masking sensitive configuration", Width::Long)
        .doc(
            "Regex on the names of keys whose values are masked in the log; it replaces the default. A pattern that misses a key lets its secret into the log.",
        );

/// `statistics.metrics.enabled`.
pub const STATISTICS_METRICS_ENABLED: Key = Key::debezium("statistics.metrics.enabled", Kind::Boolean)
    .default("true")
    .shown("Enable collecting statistics metrics like latencies", Width::Short)
    .doc("Keep percentiles of the time that records take in the metrics.")
    .support(Support::NoEffect("percentiles of the lag are always kept; they cost two kilobytes"));

/// `decimal.handling.mode`.
pub const DECIMAL_HANDLING_MODE: Key = Key::debezium("decimal.handling.mode", Kind::String)
        .default("precise")
        .shown("Decimal Handling", Width::Short)
        .one_of(&["string", "double", "precise"], &[Check::OneOf(&["string", "double", "precise"])])
        .doc(
            "How values of types numeric, decimal and money are sent: precise (Connect's Decimal: exact, as bytes), double (rounds beyond 15 digits) or string (exact, as text).",
        );

/// `time.precision.mode`.
pub const TIME_PRECISION_MODE: Key = Key::debezium("time.precision.mode", Kind::String)
        .default("adaptive")
        .shown("Time Precision", Width::Short)
        .one_of(TIME_MODES, &[Check::OneOf(TIME_MODES)])
        .doc(
            "How dates and times are sent: adaptive (the unit follows the column's precision), adaptive_time_microseconds (the same, but times of day always in microseconds), connect (Connect's types in milliseconds; finer digits are cut off), isostring (text), microseconds or nanoseconds.",
        );

/// The literals of `time.precision.mode`.
pub const TIME_MODES: &[&str] =
    &["adaptive", "adaptive_time_microseconds", "isostring", "microseconds", "nanoseconds", "connect"];

/// `binary.handling.mode`. The documentation says of which types.
pub const BINARY_HANDLING_MODE: Key = Key::debezium("binary.handling.mode", Kind::String)
    .default("bytes")
    .low()
    .shown("Binary Handling", Width::Medium)
    .one_of(BINARY_MODES, &[Check::OneOf(BINARY_MODES)]);

const BINARY_MODES: &[&str] = &["bytes", "base64", "hex", "base64-url-safe"];

/// `snapshot.lock.timeout.ms`.
pub const SNAPSHOT_LOCK_TIMEOUT_MS: Key = Key::debezium("snapshot.lock.timeout.ms", Kind::Long)
    .default("10000")
    .shown("Snapshot lock timeout (ms)", Width::Long)
    .doc("Milliseconds to wait for a table lock in snapshot.locking.mode=shared before the snapshot fails.");

/// `memory.management.schemas.class`.
pub const MEMORY_MANAGEMENT_SCHEMAS_CLASS: Key = Key::debezium("memory.management.schemas.class", Kind::Class)
    .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
    .low()
    .shown("Schema storage class", Width::Long)
    .doc("Java class in which Debezium keeps schemas in memory.")
    .support(Support::NoEffect("there is no JVM here, and tables are kept in memory"));

/// `memory.management.tables.class`.
pub const MEMORY_MANAGEMENT_TABLES_CLASS: Key = Key::debezium("memory.management.tables.class", Kind::Class)
    .default("io.debezium.relational.ConcurrentMapTableMappingStorage")
    .low()
    .shown("Table storage class", Width::Long)
    .doc("Java class in which Debezium keeps the structure of tables in memory.")
    .support(Support::NoEffect("there is no JVM here, and tables are kept in memory"));

/// `snapshot.query.mode`.
pub const SNAPSHOT_QUERY_MODE: Key = Key::debezium("snapshot.query.mode", Kind::String)
    .default("select_all")
    .low()
    .shown("Snapshot query mode", Width::Short)
    .one_of(&["custom", "select_all"], &[Check::OneOf(&["custom", "select_all"])])
    .doc("How the snapshot selects rows: select_all, or custom (a Java plug-in, which does not run here).")
    .support(Support::Partly(&[(
        Values::Own(rules::is_custom_query),
        Support::Refused(
            "it names a Java plug-in, and these do not run here",
            "Use select_all, with snapshot.select.statement.overrides for tables that need a SELECT of their own.",
        ),
    )]));

/// `snapshot.query.mode.custom.name`.
pub const SNAPSHOT_QUERY_MODE_CUSTOM_NAME: Key = Key::debezium("snapshot.query.mode.custom.name", Kind::String)
        .shown("Snapshot Query Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_query_mode)])
        .doc(
            "With snapshot.query.mode=custom: the name of the Java plug-in that selects rows. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here"));

/// `snapshot.locking.mode.custom.name`.
pub const SNAPSHOT_LOCKING_MODE_CUSTOM_NAME: Key = Key::debezium("snapshot.locking.mode.custom.name", Kind::String)
        .shown("Snapshot Locking Mode Custom Name", Width::Medium)
        .checks(&[Check::Own(rules::custom_locking_mode)])
        .doc(
            "With snapshot.locking.mode=custom: the name of the Java plug-in that locks tables. Java plug-ins do not run here.",
        )
        .support(Support::NoEffect("Java plug-ins cannot be loaded here"));

/// `schema.name.adjustment.mode`.
pub const SCHEMA_NAME_ADJUSTMENT_MODE: Key = Key::debezium("schema.name.adjustment.mode", Kind::String)
        .default("none")
        .low()
        .shown("Schema Name Adjustment", Width::Medium)
        .one_of(&["none", "avro_unicode", "avro"], &[Check::OneOf(&["none", "avro_unicode", "avro"])])
        .doc(
            "What happens to characters in schema names that Avro does not allow: none leaves them, avro replaces each by '_', avro_unicode by '_uXXXX' (so that names stay distinct).",
        );

/// `incremental.snapshot.chunk.size`.
pub const INCREMENTAL_SNAPSHOT_CHUNK_SIZE: Key = Key::debezium("incremental.snapshot.chunk.size", Kind::Int)
    .default("1024")
    .shown("Incremental snapshot chunk size", Width::Medium)
    .checks(&[Check::NonNegativeInteger])
    .doc("Number of rows that an incremental snapshot reads in one chunk.")
    .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused"));
