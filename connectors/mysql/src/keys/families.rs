//! Families of key names, and single keys that Debezium passes on to a Java driver.
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
        "Remove it, and use database.ssl.mode, database.ssl.truststore and database.ssl.keystore.",
    ),
);
const SQL: (Values, Support) = (
    Values::Own(rules::runs_sql),
    Support::Refused(
        "it is a property of the Java driver that changes sessions, and there is none here",
        "Write what it sets as statements in database.initial.statements.",
    ),
);
const TIMES: (Values, Support) = (
    Values::Own(rules::moves_times),
    Support::Refused(
        "it is a property of the Java driver that may change TIMESTAMPs in snapshots, and there is none here",
        "Remove it; driver.connectionTimeZone (MySQL) or driver.timezone (MariaDB) names the zone.",
    ),
);
const DRIVER: (Values, Support) =
    (Values::Not(&[]), Support::NoEffect("it is a property of the Java driver, and there is none here"));

const PROPERTY: Support = Support::Partly(&[OLD_NAME, GUARD, SQL, TIMES, DRIVER]);

/// What a zone does to a snapshot.
const ZONE: &str = "Zone in which the server's TIMESTAMPs are taken to be printed in snapshots, such as Europe/Berlin or +02:00. Not set: what the server stores, which is right. Another zone moves every TIMESTAMP of a snapshot, and none of the stream.";

pub(super) const MYSQL_ONLY: &[Key] = &[zone("driver.connectionTimeZone"), zone("database.connectionTimeZone")];
pub(super) const MARIADB_ONLY: &[Key] = &[zone("driver.timezone"), zone("database.timezone")];

const fn zone(name: &'static str) -> Key {
    Key::debezium(name, Kind::String).doc(ZONE).unlisted()
}

/// A name that fits several families belongs to the first of them.
pub(super) const KEYS: &[Key] = &[
    Key::debezium("database.connection.factory.class", Kind::Class)
        .doc("Java class that opens connections to the database.")
        .unlisted()
        .lenient()
        .support(Support::Refused(
            "Java classes do not run here, and the connection would be opened in another way than this class does",
            "Remove it, and use the database.* keys.",
        )),
    keys::QUEUE_PROVIDER_TYPE,
    keys::POST_PROCESSOR_TYPE,
    keys::POST_PROCESSOR_RESELECT_COLUMNS_INCLUDE_LIST.doc(
        "Regexes on 'database.table:column', separated by commas: only these columns are read again. Not set: all columns. The columns of one change are read by one query, so name those that are needed.",
    ),
    keys::POST_PROCESSOR_RESELECT_COLUMNS_EXCLUDE_LIST.doc(
        "Regexes on 'database.table:column', separated by commas: these columns are not read again. Not read if reselect.columns.include.list is set.",
    ),
    keys::POST_PROCESSOR_RESELECT_UNAVAILABLE_VALUES.doc(
        "Read columns again whose value the server did not send. The binlog leaves none out, so here only reselect.null.values has columns read again.",
    ),
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
        .support(PROPERTY),
    Key::debezium("driver.<property>", Kind::String)
        .family("driver.<property>")
        .doc("A connection property of the Java driver.")
        .unlisted()
        .support(PROPERTY),
];
