//! Families of key names, and single keys that Debezium reads or passes on without listing them.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Key, Kind, Support, Values};

use super::rules;

/// An older release's name: [`super::warnings`] remarks on it, so no second remark here.
const OLD_NAME: (Values, Support) = (Values::Own(rules::is_spoken_of), Support::Works);
const GUARD: (Values, Support) = (
    Values::Own(rules::guards_the_connection),
    Support::Refused(
        "it is a property of the Java driver that guards the connection, and there is no JVM here",
        "Remove it, and use database.sslmode, database.sslrootcert, database.sslcert and database.sslkey.",
    ),
);
const DRIVER: (Values, Support) =
    (Values::Not(&[]), Support::NoEffect("it is a property of the Java driver, and there is none here"));
const ONE_DATABASE: &str = "this connector captures the one database that database.dbname names";

/// Single names first, then families. A name that fits several families belongs to the first of them.
pub(super) const KEYS: &[Key] = &[
    Key::debezium("database.include.list", Kind::List)
        .doc("Databases to capture. It is a key of the MySQL connector; with it, Debezium captures nothing from PostgreSQL.")
        .unlisted()
        .support(Support::Refused(
            ONE_DATABASE,
            "Remove it; use database.dbname for the database, and schema.include.list or table.include.list to choose tables in it.",
        )),
    Key::debezium("database.exclude.list", Kind::List)
        .doc("Databases not to capture. It is a key of the MySQL connector.")
        .unlisted()
        .support(Support::Refused(
            ONE_DATABASE,
            "Remove it; use schema.exclude.list or table.exclude.list to leave tables out.",
        )),
    Key::debezium("database.options", Kind::String)
        .doc("Settings of the server for the connector's sessions, written as libpq's options: '-c name=value'. driver.options takes precedence.")
        .unlisted(),
    Key::debezium("driver.options", Kind::String)
        .doc("Settings of the server for the connector's sessions, written as libpq's options: '-c name=value'. Takes precedence over database.options.")
        .unlisted(),
    Key::debezium("database.connection.factory.class", Kind::Class)
        .doc("Java class that opens connections to the database.")
        .unlisted()
        .lenient()
        .support(Support::Refused(
            "Java classes do not run here, and the connection would be opened in another way than this class does",
            "Remove it, and use the database.* keys.",
        )),
    Key::debezium("incremental.snapshot.allow.schema.changes", Kind::Boolean)
        .default("false")
        .doc("Whether the columns of a table may change during an incremental snapshot. Debezium does not read it for PostgreSQL.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("there are no incremental snapshots yet, and a signal table is refused")),
    keys::QUEUE_PROVIDER_TYPE,
    keys::POST_PROCESSOR_TYPE,
    keys::POST_PROCESSOR_RESELECT_COLUMNS_INCLUDE_LIST,
    keys::POST_PROCESSOR_RESELECT_COLUMNS_EXCLUDE_LIST,
    keys::POST_PROCESSOR_RESELECT_UNAVAILABLE_VALUES,
    keys::POST_PROCESSOR_RESELECT_NULL_VALUES,
    keys::POST_PROCESSOR_RESELECT_USE_EVENT_KEY,
    keys::POST_PROCESSOR_RESELECT_ERROR_HANDLING_MODE,
    keys::POST_PROCESSOR_OTHER,
    keys::SIGNAL_CONSUMER,
    keys::COLUMN_MASK_OTHER,
    keys::COLUMN_TRUNCATE_OTHER,
    Key::debezium("database.<property>", Kind::String)
        .family("database.<property>")
        .doc("Any other name that begins with database: a connection property of the Java driver.")
        .unlisted()
        .support(Support::Partly(&[OLD_NAME, GUARD, DRIVER])),
    Key::debezium("driver.<property>", Kind::String)
        .family("driver.<property>")
        .doc("A connection property of the Java driver.")
        .unlisted()
        .support(Support::Partly(&[OLD_NAME, GUARD, DRIVER])),
];
