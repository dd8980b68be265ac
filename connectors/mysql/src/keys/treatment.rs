//! Group `Connector`, second part: headers, limits, timeouts of the binlog connection, snapshot modes, how types become values.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support, Values, Width};

use super::rules;

const GROUP: &str = "Connector";

const SNAPSHOT_MODES: &[&str] =
    &["always", "initial_only", "configuration_based", "when_needed", "initial", "custom", "no_data", "recovery"];

pub(super) const KEYS: &[Key] = &[
    keys::EXTENDED_HEADERS_ENABLED.at(GROUP, 36),
    keys::GUARDRAIL_COLLECTIONS_MAX.at(GROUP, 37),
    keys::GUARDRAIL_COLLECTIONS_LIMIT_ACTION.at(GROUP, 38),
    keys::CUSTOM_SANITIZE_PATTERN.at(GROUP, 39),
    keys::STATISTICS_METRICS_ENABLED.at(GROUP, 40),
    keys::DECIMAL_HANDLING_MODE.at(GROUP, 41).doc(
        "How values of types DECIMAL and NUMERIC are sent: precise (Connect's Decimal: exact, as bytes), double (rounds beyond 15 digits) or string (exact, as text).",
    ),
    keys::SNAPSHOT_LOCK_TIMEOUT_MS.at(GROUP, 42).doc(
        "Milliseconds to wait for the lock of snapshot.locking.mode before the snapshot fails. Counted in whole seconds.",
    ),
    keys::MEMORY_MANAGEMENT_SCHEMAS_CLASS.at(GROUP, 43),
    keys::MEMORY_MANAGEMENT_TABLES_CLASS.at(GROUP, 44),
    Key::debezium("connect.timeout.ms", Kind::Int)
        .default("30000")
        .at(GROUP, 45)
        .shown("Connection Timeout (ms)", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc("Milliseconds that opening a connection to the server may take."),
    Key::debezium("connect.keep.alive", Kind::Boolean)
        .default("true")
        .low()
        .at(GROUP, 46)
        .shown("Keep connection alive (true/false)", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Ask the server to show that it lives while its binlog is idle, and connect anew when it is silent. false leaves a dead connection to the kernel's probes.",
        ),
    Key::debezium("connect.keep.alive.interval.ms", Kind::Long)
        .default("60000")
        .low()
        .at(GROUP, 47)
        .shown("Keep alive interval (ms)", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "With connect.keep.alive: the server is asked to show that it lives each time that 0.8 of these milliseconds have passed without an event.",
        ),
    Key::debezium("use.nongraceful.disconnect", Kind::Boolean)
        .default("false")
        .at(GROUP, 48)
        .shown("Use Non-graceful Disconnect", Width::Short)
        .doc("Drop what was not yet sent when a connection is closed (SO_LINGER 0), so that closing never waits."),
    Key::debezium("binlog.net.write.timeout", Kind::Long)
        .default("0")
        .at(GROUP, 49)
        .shown("Binlog Net Write Timeout", Width::Short)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Seconds that the server waits for the connector to take events before it ends the connection (net_write_timeout of the binlog connection); 0 leaves the server's own.",
        ),
    Key::debezium("binlog.net.read.timeout", Kind::Long)
        .default("0")
        .at(GROUP, 50)
        .shown("Binlog Net Read Timeout", Width::Short)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Seconds that the server waits for a command of the connector (net_read_timeout of the binlog connection); 0 leaves the server's own.",
        ),
    Key::debezium("snapshot.mode", Kind::String)
        .default("initial")
        .low()
        .at(GROUP, 51)
        .shown("Snapshot mode", Width::Short)
        .one_of(SNAPSHOT_MODES, &[Check::OneOf(SNAPSHOT_MODES)])
        .doc(
            "When tables are read before streaming: initial (structure and rows once, the default), always (at every start), initial_only (once, then nothing is streamed), no_data (structure only: rows that were there before stay unread), recovery (the structure as it is now, to make a lost schema history anew; right only if no DDL ran since the stored position), when_needed (as initial, and again when the stored position is gone), configuration_based, custom.",
        ),
    keys::SNAPSHOT_QUERY_MODE.at(GROUP, 52),
    keys::SNAPSHOT_QUERY_MODE_CUSTOM_NAME.at(GROUP, 53),
    Key::debezium("bigint.unsigned.handling.mode", Kind::String)
        .default("long")
        .at(GROUP, 54)
        .shown("The mode for handling bigint-unsigned values", Width::Short)
        .one_of(&["precise", "long"], &[Check::OneOf(&["precise", "long"])])
        .doc(
            "How values of type BIGINT UNSIGNED are sent: long (values above 9223372036854775807 become negative) or precise (Connect's Decimal: exact, as bytes).",
        ),
    keys::TIME_PRECISION_MODE
        .default("adaptive_time_microseconds")
        .at(GROUP, 55)
        .shown("The time precision mode to be used", Width::Short)
        .one_of(
            keys::TIME_MODES,
            // Debezium's definition has the check of names twice, and so has its answer.
            &[Check::Own(rules::not_adaptive), Check::OneOf(keys::TIME_MODES), Check::OneOf(keys::TIME_MODES)],
        )
        .doc(
            "How dates and times are sent: adaptive_time_microseconds (the unit follows the column's precision, times of day always in microseconds), connect (Connect's types in milliseconds; finer digits are cut off), isostring (text), microseconds or nanoseconds. adaptive is offered and refused, in Debezium too.",
        ),
    Key::debezium("enable.time.adjuster", Kind::Boolean)
        .default("true")
        .low()
        .at(GROUP, 56)
        .shown("Enable Time Adjuster", Width::Short)
        .doc("Take the years 0 to 69 for 2000 to 2069 and 70 to 99 for 1970 to 1999, in DATE, DATETIME and YEAR."),
    keys::SCHEMA_NAME_ADJUSTMENT_MODE.at(GROUP, 57),
    Key::debezium("min.row.count.to.stream.results", Kind::Int)
        .default("1000")
        .low()
        .at(GROUP, 58)
        .shown("Stream result set of size", Width::Medium)
        .checks(&[Check::NonNegativeLong])
        .doc("Number of rows above which Debezium reads a table as a stream.")
        .support(Support::NoEffect("every table is read as a stream")),
    keys::INCREMENTAL_SNAPSHOT_CHUNK_SIZE.at(GROUP, 59),
    Key::debezium("incremental.snapshot.allow.schema.changes", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 60)
        .shown("Allow schema changes during incremental snapshot if supported.", Width::Short)
        .doc("Whether the columns of a table may change during an incremental snapshot.")
        .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused")),
];

const CUSTOM_LOCKS: Support = Support::Partly(&[(
    Values::These(&["custom"]),
    Support::Refused("it names a Java plug-in, and these do not run here", "Use minimal, extended or none."),
)]);

pub(super) const MYSQL_ONLY: &[Key] = &[
    locking().one_of(MYSQL_LOCKS, &[Check::Own(rules::mysql_locks), Check::OneOf(MYSQL_LOCKS)]).doc(
        "What a snapshot locks: minimal (all writes, while it reads the position and the structure of the tables), extended (all writes, to the end of the copy), minimal_percona and minimal_percona_no_table_locks (as minimal, but by Percona Server's LOCK TABLES FOR BACKUP, which lets most writes through), none (nothing; safe only while no DDL runs), custom (a Java plug-in, which does not run here).",
    ),
    Key::debezium("ddl.parser.type", Kind::String)
        .default("default")
        .low()
        .at(GROUP, 62)
        .shown("DDL Parser Type", Width::Short)
        .one_of(&["default", "legacy"], &[Check::OneOf(&["default", "legacy"])])
        .doc(
            "Which of Debezium's two grammars is followed where they leave different records behind: default, or legacy (that of earlier releases).",
        ),
];

pub(super) const MARIADB_ONLY: &[Key] = &[locking()
    .one_of(MARIADB_LOCKS, &[Check::Own(rules::mariadb_locks), Check::OneOf(MARIADB_LOCKS)])
    .doc(
        "What a snapshot locks: minimal (all writes, while it reads the position and the structure of the tables), extended (all writes, to the end of the copy), none (nothing; safe only while no DDL runs), custom (a Java plug-in, which does not run here).",
    )];

pub(super) const MYSQL_LOCKS: &[&str] =
    &["minimal", "minimal_percona", "custom", "none", "minimal_percona_no_table_locks", "extended"];
pub(super) const MARIADB_LOCKS: &[&str] = &["minimal", "custom", "none", "extended"];

const fn locking() -> Key {
    Key::debezium("snapshot.locking.mode", Kind::String)
        .default("minimal")
        .low()
        .at(GROUP, 61)
        .shown("Snapshot locking mode", Width::Short)
        .support(CUSTOM_LOCKS)
}
