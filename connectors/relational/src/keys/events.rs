//! Keys of records beside the changes, of filters, masks and signals.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support, Values, Width};

use super::rules;

/// `post.processors`.
pub const POST_PROCESSORS: Key = Key::debezium("post.processors", Kind::String)
        .low()
        .shown("List of change event post processors.", Width::Medium)
        .doc(
            "Names of post processors, separated by commas, each with 'post.processors.<name>.type'. They act on a change in this order, before the transforms. There is io.debezium.processors.reselect.ReselectColumnsPostProcessor, which reads columns of a changed row again that the server did not send, or that are null.",
        );

/// `tombstones.on.delete`.
pub const TOMBSTONES_ON_DELETE: Key = Key::debezium("tombstones.on.delete", Kind::Boolean)
        .default("true")
        .shown("Change the behaviour of Debezium with regards to delete operations", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Follow each delete by a record with the same key and no value, so that a compacted topic forgets the row. false keeps deleted keys for ever.",
        );

/// `heartbeat.interval.ms`.
pub const HEARTBEAT_INTERVAL_MS: Key = Key::debezium("heartbeat.interval.ms", Kind::Int)
        .default("0")
        .shown("Connector heartbeat interval (milli-seconds)", Width::Medium)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Milliseconds between heartbeat records, which move the stored position when the captured tables are idle; 0 sends none. Without them a busy database with idle captured tables keeps its log.",
        );

/// `heartbeat.topics.prefix`.
pub const HEARTBEAT_TOPICS_PREFIX: Key = Key::debezium("heartbeat.topics.prefix", Kind::String)
    .default("__debezium-heartbeat")
    .low()
    .shown("A prefix used for naming of heartbeat topics", Width::Medium)
    .doc("Once the first part of the heartbeat topic's name, which topic.heartbeat.prefix sets now.")
    .support(Support::NoEffect("Debezium does not read it either; topic.heartbeat.prefix is the one that counts"));

/// `signal.data.collection`.
pub const SIGNAL_DATA_COLLECTION: Key = Key::debezium("signal.data.collection", Kind::List)
        .shown("Signaling data collection", Width::Medium)
        .checks(&[Check::Own(rules::one_signal_table)])
        .doc(
            "The one table ('schema.table') into which signals to the connector are written, and into which incremental snapshots write marks. It is captured without being in a filter.",
        )
        .support(Support::Refused("signals are not built in yet, and one that is sent would be passed over in silence", "Remove it for now; a table is copied anew by a second connector with snapshot.mode=initial_only and a topic.prefix of its own, or after a reset of the offsets."));

/// `signal.poll.interval.ms`.
pub const SIGNAL_POLL_INTERVAL_MS: Key = Key::debezium("signal.poll.interval.ms", Kind::Long)
    .default("5000")
    .shown("Signal processor poll interval", Width::Short)
    .checks(&[Check::PositiveInteger])
    .doc("Milliseconds between two looks for new signals in the channels of signal.enabled.channels.")
    .support(Support::NoEffect("signals are not built in yet"));

/// `signal.enabled.channels`.
pub const SIGNAL_ENABLED_CHANNELS: Key = Key::debezium("signal.enabled.channels", Kind::List)
        .default("source")
        .shown("Enabled channels names", Width::Long)
        .doc(
            "Channels from which signals are taken, separated by commas: source (the table in signal.data.collection), kafka, file, jmx, in-process.",
        )
        .support(Support::Partly(&[(Values::Not(&["source"]), Support::Refused("signals are not built in yet, and one that is sent through these channels would be passed over in silence", "Remove it for now."))]));

/// `topic.naming.strategy`.
pub const TOPIC_NAMING_STRATEGY: Key = Key::debezium("topic.naming.strategy", Kind::Class)
        .default("io.debezium.schema.SchemaTopicNamingStrategy")
        .shown("Topic naming strategy class", Width::Medium)
        .doc(
            "Java class that names topics. The strategies of Debezium in io.debezium.schema are built in; another class is refused.",
        );

/// `notification.enabled.channels`.
pub const NOTIFICATION_ENABLED_CHANNELS: Key = Key::debezium("notification.enabled.channels", Kind::List)
        .shown("Enabled notification channels names", Width::Long)
        .doc(
            "Channels to which notifications about snapshots go, separated by commas: sink (the topic in notification.sink.topic.name), log, jmx.",
        )
        .support(Support::Partly(&[(Values::Own(rules::notifies_a_topic), Support::Refused("notifications are not built in yet, and whoever waits for them in the topic would wait for ever", "Remove it, and take the state of the snapshot from the last_snapshot_record and snapshot fields of the records or from the connector's offsets.")), (Values::Not(&["sink"]), Support::NoEffect("notifications are not built in yet; the log says when a snapshot begins and ends"))]));

/// `notification.sink.topic.name`.
pub const NOTIFICATION_SINK_TOPIC_NAME: Key = Key::debezium("notification.sink.topic.name", Kind::String)
    .high()
    .shown("Notification topic name", Width::Long)
    .checks(&[Check::Own(rules::notification_topic)])
    .doc("Topic to which notifications go; required if notification.enabled.channels has sink.")
    .support(Support::NoEffect("notifications are not built in yet"));

/// `transaction.metadata.factory`.
pub const TRANSACTION_METADATA_FACTORY: Key = Key::debezium("transaction.metadata.factory", Kind::Class)
    .default("io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory")
    .low()
    .shown("Factory class to create transaction context & transaction struct maker classes", Width::Medium)
    .doc("Java class that makes the transaction block of records. Only the default is built in.")
    .support(Support::Refused(
        "it is a Java class, which does not run here, and transaction blocks would differ from what it makes",
        "Remove it for the default's form.",
    ));

/// `custom.metric.tags`.
pub const CUSTOM_METRIC_TAGS: Key = Key::debezium("custom.metric.tags", Kind::List)
    .low()
    .shown("Customize metric tags", Width::Medium)
    .checks(&[Check::Pairs])
    .doc("Extra tags of the connector's metrics, as 'k1=v1,k2=v2'.")
    .support(Support::NoEffect("metrics carry no extra tags yet"));

/// `column.include.list`.
pub const COLUMN_INCLUDE_LIST: Key = Key::debezium("column.include.list", Kind::List)
        .shown("Include Columns", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: only these columns are in the record's value. Columns of the key stay in the key. Not set: all columns.",
        );

/// `column.exclude.list`.
pub const COLUMN_EXCLUDE_LIST: Key = Key::debezium("column.exclude.list", Kind::List)
        .shown("Exclude Columns", Width::Long)
        .checks(&[Check::NotWith { other: "column.include.list", shown: "column.include.list" }, Check::RegexList])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: these columns are left out of the record's value. Not together with column.include.list.",
        );

/// `table.include.list`.
pub const TABLE_INCLUDE_LIST: Key = Key::debezium("table.include.list", Kind::List)
    .high()
    .shown("Include Tables", Width::Long)
    .checks(&[Check::RegexList])
    .doc("Regexes on 'schema.table', separated by commas: only these tables are captured. Not set: every table.");

/// `table.exclude.list`.
pub const TABLE_EXCLUDE_LIST: Key = Key::debezium("table.exclude.list", Kind::List)
        .shown("Exclude Tables", Width::Long)
        .checks(&[Check::NotWith { other: "table.include.list", shown: "table.include.list" }, Check::RegexList])
        .doc(
            "Regexes on 'schema.table', separated by commas: these tables are not captured. Not together with table.include.list.",
        );

/// `table.ignore.builtin`. The documentation says which tables are the server's own.
pub const TABLE_IGNORE_BUILTIN: Key = Key::debezium("table.ignore.builtin", Kind::Boolean)
    .default("true")
    .low()
    .shown("Ignore system databases", Width::Short)
    .checks(&[Check::Boolean]);

/// `message.key.columns`.
pub const MESSAGE_KEY_COLUMNS: Key = Key::debezium("message.key.columns", Kind::String)
        .shown("Columns PK mapping", Width::Long)
        .checks(&[Check::Own(rules::message_keys)])
        .doc(
            "Columns that make up the record's key in place of the primary key: '<table regex>:<column>[,<column>]' separated by ';'. The table then needs a replica identity with these columns (such as FULL), or deletes have an empty key.",
        );

/// `snapshot.select.statement.overrides`.
pub const SNAPSHOT_SELECT_STATEMENT_OVERRIDES: Key = Key::debezium("snapshot.select.statement.overrides", Kind::String)
        .family("snapshot.select.statement.overrides.<table>")
        .shown("List of tables where the default select statement used during snapshotting should be overridden.", Width::Long)
        .doc(
            "Tables 'schema.table' that the snapshot reads by a SELECT of yours, each under snapshot.select.statement.overrides.<schema>.<table>. Rows it leaves out are never copied; streaming is not touched.",
        );

/// `column.mask.hash.([^.]+).with.salt.(.+)`.
pub const COLUMN_MASK_HASH: Key = Key::debezium("column.mask.hash.([^.]+).with.salt.(.+)", Kind::String)
        .shown("Mask Columns Using Hash and Salt", Width::Long)
        .doc(
            "Regexes on 'schema.table.column', separated by commas: texts in these columns are replaced by a hex digest of salt and value. The key's name holds the digest's name, such as SHA-256, and the salt; column.mask.hash.v2.… hashes the text itself, column.mask.hash.… its Java serialisation. Equal values have equal digests, so joins still work.",
        )
        .family("column.mask.hash.<digest>.with.salt.<salt>");

/// `column.mask.with.(d+).chars`.
pub const COLUMN_MASK_CHARS: Key = Key::debezium("column.mask.with.(d+).chars", Kind::String)
        .shown("Mask Columns With n Asterisks", Width::None)
        .checks(&[Check::Integer])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: texts in these columns, and NULL too, are replaced by <n> asterisks.",
        )
        .family("column.mask.with.<n>.chars");

/// `column.truncate.to.(d+).chars`.
pub const COLUMN_TRUNCATE: Key = Key::debezium("column.truncate.to.(d+).chars", Kind::Int)
        .shown("Truncate Columns To n Characters", Width::None)
        .checks(&[Check::Integer])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: texts in these columns are cut to <n> characters, and bytes to <n> bytes.",
        )
        .family("column.truncate.to.<n>.chars");

/// `include.schema.comments`.
pub const INCLUDE_SCHEMA_COMMENTS: Key = Key::debezium("include.schema.comments", Kind::Boolean)
    .default("false")
    .shown("Include Table and Column Comments", Width::Short)
    .checks(&[Check::Boolean])
    .doc("Put the comments on tables and columns into the schemas.");

/// `column.propagate.source.type`.
pub const COLUMN_PROPAGATE_SOURCE_TYPE: Key = Key::debezium("column.propagate.source.type", Kind::List)
        .shown("Propagate Source Types by Columns", Width::None)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: the schemas of these columns carry the type, length and scale in the database as parameters.",
        );

/// `datatype.propagate.source.type`.
pub const DATATYPE_PROPAGATE_SOURCE_TYPE: Key = Key::debezium("datatype.propagate.source.type", Kind::List)
        .shown("Propagate Source Types by Data Type", Width::None)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table.type', separated by commas: columns of these types carry the type, length and scale in the database as parameters of their schemas.",
        );

/// `internal.snapshot.scan.all.columns.force`.
pub const INTERNAL_SNAPSHOT_SCAN_ALL_COLUMNS_FORCE: Key =
    Key::debezium("internal.snapshot.scan.all.columns.force", Kind::Boolean)
        .default("false")
        .low()
        .shown("Snapshot force scan all columns of all tables", Width::Short)
        .doc("Read the columns of all tables when the connector starts, not only of the captured ones.")
        .support(Support::NoEffect("columns of captured tables are read when they are needed"));

/// `snapshot.tables.order.by.row.count`.
pub const SNAPSHOT_TABLES_ORDER_BY_ROW_COUNT: Key = Key::debezium("snapshot.tables.order.by.row.count", Kind::String)
        .default("disabled")
        .shown("Initial snapshot tables order by row count", Width::None)
        .one_of(&["disabled", "ascending", "descending"], &[Check::OneOf(&["disabled", "ascending", "descending"])])
        .doc(
            "Copy small tables first (ascending) or large ones first (descending), or in the natural order (disabled). Acts only with snapshot.max.threads above 1.",
        )
        .support(Support::NoEffect("one connection copies table after table, where Debezium does not order them either"));

/// `heartbeat.action.query`.
pub const HEARTBEAT_ACTION_QUERY: Key = Key::debezium("heartbeat.action.query", Kind::String)
        .low()
        .shown("An optional query to execute with every heartbeat", Width::Medium)
        .doc(
            "SQL that is run with every heartbeat (heartbeat.interval.ms), for example an INSERT into a captured table, so that the stored position moves on while the captured tables are idle.",
        );

/// `sourceinfo.struct.maker`. Each connector has a default of its own.
pub const SOURCEINFO_STRUCT_MAKER: Key = Key::debezium("sourceinfo.struct.maker", Kind::Class)
    .low()
    .shown("Source info struct maker class", Width::Medium)
    .doc("Java class that makes the source block of records. Only the default is built in.")
    .support(Support::Refused(
        "it is a Java class, which does not run here, and source blocks would differ from what it makes",
        "Remove it for the default's form.",
    ));
