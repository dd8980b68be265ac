//! Families of key names, and single keys that Debezium reads or passes on without listing them.
//!
//! Must not know: how the values are used.

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
const NO_SUCH_RULE: Support = Support::Refused(
    "it is of no form that is known, and columns that it should hide would be sent as they are",
    "Write column.mask.with.<n>.chars, column.mask.hash.<digest>.with.salt.<salt>, \
     column.mask.hash.v2.<digest>.with.salt.<salt> or column.truncate.to.<n>.chars.",
);

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
    Key::debezium("queue.provider.type", Kind::String)
        .default("memory")
        .doc("Where Debezium keeps changes between the reader and Kafka.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("changes wait in memory, and come again from the server after a crash")),
    Key::debezium("post.processors.<name>.type", Kind::Class)
        .family("post.processors.<name>.type")
        .doc("Java class of the post processor: io.debezium.processors.reselect.ReselectColumnsPostProcessor. Others are refused, because they are Java classes, which do not run here.")
        .unlisted(),
    Key::debezium("post.processors.<name>.reselect.columns.include.list", Kind::List)
        .family("post.processors.<name>.reselect.columns.include.list")
        .doc("Regexes on 'schema.table:column', separated by commas: only these columns are read again. Not set: all columns. The columns of one change are read by one query, so name those that are needed.")
        .unlisted(),
    Key::debezium("post.processors.<name>.reselect.columns.exclude.list", Kind::List)
        .family("post.processors.<name>.reselect.columns.exclude.list")
        .doc("Regexes on 'schema.table:column', separated by commas: these columns are not read again. Not read if reselect.columns.include.list is set.")
        .unlisted(),
    Key::debezium("post.processors.<name>.reselect.unavailable.values", Kind::Boolean)
        .family("post.processors.<name>.reselect.unavailable.values")
        .default("true")
        .doc("Read columns again whose value the server did not send (unchanged large values), in place of unavailable.value.placeholder. What is read is the value of now, not of the time of the change.")
        .unlisted(),
    Key::debezium("post.processors.<name>.reselect.null.values", Kind::Boolean)
        .family("post.processors.<name>.reselect.null.values")
        .default("true")
        .doc("Read columns again that are null and have no default. With many nullable columns that is a query for nearly every change.")
        .unlisted(),
    Key::debezium("post.processors.<name>.reselect.use.event.key", Kind::Boolean)
        .family("post.processors.<name>.reselect.use.event.key")
        .default("false")
        .doc("Look for the row by the columns of the event's key (message.key.columns), and not by those of the primary key.")
        .unlisted(),
    Key::debezium("post.processors.<name>.reselect.error.handling.mode", Kind::String)
        .family("post.processors.<name>.reselect.error.handling.mode")
        .default("warn")
        .doc("When the row is gone or the database refuses the query: warn logs it and sends the change as it is, fail stops the task. While the database cannot be reached, the task waits for it in either case.")
        .unlisted(),
    Key::debezium("post.processors.<name>.<option>", Kind::String)
        .family("post.processors.<name>.<option>")
        .doc("Any other name: no option of the post processor.")
        .unlisted()
        .support(Support::NoEffect("the post processor has no such option")),
    Key::debezium("signal.consumer.<property>", Kind::String)
        .family("signal.consumer.<property>")
        .doc("A property of the Kafka consumer of the channel 'kafka' of signal.enabled.channels.")
        .unlisted()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("column.mask.<form>", Kind::String)
        .family("column.mask.<form>")
        .doc("Any other name that begins with column.mask: probably column.mask.with.<n>.chars or column.mask.hash.… mistyped.")
        .unlisted()
        .support(NO_SUCH_RULE),
    Key::debezium("column.truncate.<form>", Kind::String)
        .family("column.truncate.<form>")
        .doc("Any other name that begins with column.truncate: probably column.truncate.to.<n>.chars mistyped.")
        .unlisted()
        .support(NO_SUCH_RULE),
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
