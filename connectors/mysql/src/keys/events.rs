//! Group `Events`: records, signals, notifications, filters, column treatment, the reading of the binlog.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support, Width};

use super::rules;

const GROUP: &str = "Events";

const FAILURES: &[&str] = &["warn", "fail", "ignore", "skip"];

pub(super) const MYSQL: [Key; 41] = both(
    keys::INCLUDE_SCHEMA_COMMENTS,
    "io.debezium.connector.mysql.MySqlSourceInfoStructMaker",
    [
        "Regexes on the UUID of a server, separated by commas: of the stored GTIDs only those of servers that match count at a start, and, with gtid.source.filter.dml.events, only their changes are sent.",
        "Regexes on the UUID of a server, separated by commas: as gtid.source.includes, for servers that do not match. Not together with it.",
    ],
);
pub(super) const MARIADB: [Key; 41] = both(
    keys::INCLUDE_SCHEMA_COMMENTS.support(Support::NoEffect(
        "for MariaDB comments are kept when include.schema.changes is true, in Debezium too",
    )),
    "io.debezium.connector.mariadb.MariaDbSourceInfoStructMaker",
    [
        "Regexes on domain and server ('0-1'), separated by commas: of the stored GTIDs only those of sources that match count at a start, and, with gtid.source.filter.dml.events, only their changes are sent.",
        "Regexes on domain and server ('0-1'), separated by commas: as gtid.source.includes, for sources that do not match. Not together with it.",
    ],
);

const fn both(comments: Key, struct_maker: &'static str, gtids: [&'static str; 2]) -> [Key; 41] {
    [
        Key::debezium("converters", Kind::String)
            .low()
            .at(GROUP, 1)
            .shown("List of prefixes defining custom values converters.", Width::Medium)
            .doc(
                "Names of converters, separated by commas, each with '<name>.type' and its options. There are TinyIntOneToBooleanConverter, JdbcSinkDataTypesConverter and ZeroDateFallbackConverter of io.debezium.connector.binlog.converters; others are Java classes, which do not run here, and are refused.",
            ),
        keys::POST_PROCESSORS.at(GROUP, 2).doc(
            "Names of post processors, separated by commas, each with 'post.processors.<name>.type'. They act on a change in this order, before the transforms. There is io.debezium.processors.reselect.ReselectColumnsPostProcessor, which reads columns of a changed row again that are null in the binlog.",
        ),
        keys::TOMBSTONES_ON_DELETE.at(GROUP, 3),
        keys::HEARTBEAT_INTERVAL_MS.at(GROUP, 4).doc(
            "Milliseconds between heartbeat records, which move the stored position when the captured tables are idle; 0 sends none. Without them the position of idle tables may fall behind the oldest binlog that the server keeps.",
        ),
        keys::HEARTBEAT_TOPICS_PREFIX.at(GROUP, 5),
        keys::SIGNAL_DATA_COLLECTION.at(GROUP, 6).doc(
            "The one table ('database.table') into which signals to the connector are written, and into which incremental snapshots write marks. It is captured without being in a filter.",
        ),
        keys::SIGNAL_POLL_INTERVAL_MS.at(GROUP, 7),
        keys::SIGNAL_ENABLED_CHANNELS.at(GROUP, 8),
        keys::TOPIC_NAMING_STRATEGY.at(GROUP, 9).doc(
            "Java class that names topics. The strategies of Debezium in io.debezium.schema are built in; another class is refused. The Schema and the Default strategies do the same here: prefix, database, table.",
        ),
        keys::NOTIFICATION_ENABLED_CHANNELS.at(GROUP, 10),
        keys::NOTIFICATION_SINK_TOPIC_NAME.at(GROUP, 11),
        keys::TRANSACTION_METADATA_FACTORY.at(GROUP, 12),
        keys::CUSTOM_METRIC_TAGS.at(GROUP, 13),
        keys::COLUMN_INCLUDE_LIST.at(GROUP, 14).doc(
            "Regexes on 'database.table.column', separated by commas: only these columns are in the record's value. Columns of the key stay in the key. Not set: all columns.",
        ),
        keys::COLUMN_EXCLUDE_LIST.at(GROUP, 15).doc(
            "Regexes on 'database.table.column', separated by commas: these columns are left out of the record's value. Not together with column.include.list.",
        ),
        keys::TABLE_INCLUDE_LIST.at(GROUP, 16).doc(
            "Regexes on 'database.table', separated by commas: only these tables are captured. Not set: every table.",
        ),
        keys::TABLE_EXCLUDE_LIST.at(GROUP, 17).doc(
            "Regexes on 'database.table', separated by commas: these tables are not captured. Not together with table.include.list.",
        ),
        keys::MESSAGE_KEY_COLUMNS.at(GROUP, 18).doc(
            "Columns that make up the record's key in place of the primary key: '<table regex>:<column>[,<column>]' separated by ';', where the regex is on 'database.table'.",
        ),
        keys::SNAPSHOT_SELECT_STATEMENT_OVERRIDES.at(GROUP, 19).doc(
            "Tables 'database.table' that the snapshot reads by a SELECT of yours, each under snapshot.select.statement.overrides.<database>.<table>. Rows it leaves out are never copied; streaming is not touched.",
        ),
        keys::COLUMN_MASK_HASH.at(GROUP, 20).doc(
            "Regexes on 'database.table.column', separated by commas: texts in these columns are replaced by a hex digest of salt and value. The key's name holds the digest's name, such as SHA-256, and the salt; column.mask.hash.v2.… hashes the text itself, column.mask.hash.… its Java serialisation. Equal values have equal digests, so joins still work.",
        ),
        keys::COLUMN_MASK_CHARS.at(GROUP, 21).doc(
            "Regexes on 'database.table.column', separated by commas: texts in these columns, and NULL too, are replaced by <n> asterisks.",
        ),
        keys::COLUMN_TRUNCATE.at(GROUP, 22).doc(
            "Regexes on 'database.table.column', separated by commas: texts in these columns are cut to <n> characters, and bytes to <n> bytes.",
        ),
        Key::debezium("include.schema.changes", Kind::Boolean)
            .default("true")
            .at(GROUP, 23)
            .shown("Include database schema changes", Width::Short)
            .doc("Send a record of each DDL statement to the topic that is named as topic.prefix."),
        comments.at(GROUP, 24),
        keys::COLUMN_PROPAGATE_SOURCE_TYPE.at(GROUP, 25).doc(
            "Regexes on 'database.table.column', separated by commas: the schemas of these columns carry the type, length and scale in the database as parameters.",
        ),
        keys::DATATYPE_PROPAGATE_SOURCE_TYPE.at(GROUP, 26).doc(
            "Regexes on 'database.table.type', separated by commas: columns of these types carry the type, length and scale in the database as parameters of their schemas. Types are in upper case, as in 'INT UNSIGNED'.",
        ),
        keys::INTERNAL_SNAPSHOT_SCAN_ALL_COLUMNS_FORCE.at(GROUP, 27).support(Support::NoEffect(
            "the structure of all tables is read unless a key of schema.history.internal.store.only.captured says otherwise",
        )),
        keys::SNAPSHOT_TABLES_ORDER_BY_ROW_COUNT.at(GROUP, 28).support(Support::Works).doc(
            "Copy small tables first (ascending) or large ones first (descending), by the server's estimate of their rows, or in the order of table.include.list (disabled). Acts only with snapshot.max.threads above 1.",
        ),
        keys::HEARTBEAT_ACTION_QUERY.at(GROUP, 29),
        Key::debezium("include.query", Kind::Boolean)
            .default("false")
            .at(GROUP, 30)
            .shown("Include original SQL query with in change events", Width::Short)
            .doc(
                "Put the statement that changed a row into source.query. The server must log it: binlog_rows_query_log_events (MySQL) or binlog_annotate_row_events (MariaDB). It may hold what columns are masked for.",
            ),
        keys::TABLE_IGNORE_BUILTIN.at(GROUP, 31).dependents(&["database.include.list"]).doc(
            "Leave out the databases mysql, performance_schema, sys and information_schema, whatever the filters say.",
        ),
        Key::debezium("database.include.list", Kind::List)
            .high()
            .at(GROUP, 32)
            .shown("Include Databases", Width::Long)
            .checks(&[Check::RegexList])
            .dependents(&["table.include.list"])
            .doc(
                "Regexes on the database's name, separated by commas: only tables in these databases are captured. Not set: every database.",
            ),
        Key::debezium("database.exclude.list", Kind::List)
            .at(GROUP, 33)
            .shown("Exclude Databases", Width::Long)
            .checks(&[
                Check::NotWith { other: "database.include.list", shown: "database.include.list" },
                Check::RegexList,
            ])
            .doc(
                "Regexes on the database's name, separated by commas: tables in these databases are not captured. Not together with database.include.list.",
            ),
        Key::debezium("binlog.buffer.size", Kind::Int)
            .default("0")
            .at(GROUP, 34)
            .shown("Binlog reader buffer size", Width::Medium)
            .checks(&[Check::NonNegativeInteger])
            .doc(
                "Number of events of a transaction that are held back until it is committed, so that changes of one that is rolled back are not sent; 0 holds back none. A transaction of more events, or of more than 128 KiB, is sent as it comes.",
            ),
        Key::debezium("event.deserialization.failure.handling.mode", Kind::String)
            .default("fail")
            .at(GROUP, 35)
            .shown("Event deserialization failure handling", Width::Short)
            .one_of(FAILURES, &[Check::OneOf(FAILURES)])
            .doc("Earlier name of event.processing.failure.handling.mode.")
            .support(Support::NoEffect("Debezium does not read it either; event.processing.failure.handling.mode took its place")),
        Key::debezium("inconsistent.schema.handling.mode", Kind::String)
            .default("fail")
            .at(GROUP, 36)
            .shown("Inconsistent schema failure handling", Width::Short)
            .one_of(FAILURES, &[Check::OneOf(FAILURES)])
            .doc(
                "When rows of a captured table come whose structure is not known, or which a DDL statement may have changed that cannot be read and that nothing else tells of: fail stops the task; warn leaves the rows out with a warning in the log, skip and ignore without. What is left out is lost.",
            ),
        Key::debezium("gtid.source.filter.dml.events", Kind::Boolean)
            .default("true")
            .at(GROUP, 37)
            .shown("Filter DML events", Width::Short)
            .doc("With gtid.source.includes or gtid.source.excludes: drop the changes of other servers too."),
        Key::debezium("gtid.ignore.on.recovery", Kind::Boolean)
            .default("false")
            .low()
            .at(GROUP, 38)
            .shown("Ignore GTID on recovery", Width::Short)
            .doc(
                "Start at the stored file and position although GTIDs are stored, and forget these. For servers whose GTIDs cannot be trusted; it binds the connector to this one server.",
            ),
        Key::debezium("gtid.source.includes", Kind::List)
            .high()
            .at(GROUP, 39)
            .shown("Include GTID sources", Width::Long)
            .checks(&[Check::RegexList])
            .dependents(&["table.include.list"])
            .doc(gtids[0]),
        Key::debezium("gtid.source.excludes", Kind::String)
            .at(GROUP, 40)
            .shown("Exclude GTID sources", Width::Long)
            .checks(&[Check::Own(rules::gtid_excludes), Check::RegexList])
            .invisible()
            .doc(gtids[1]),
        keys::SOURCEINFO_STRUCT_MAKER.default(struct_maker).at(GROUP, 41),
    ]
}
