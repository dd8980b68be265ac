//! Group `Events`: records, signals, notifications, filters, column treatment.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support, Values, Width};

use crate::keys::rules;

const GROUP: &str = "Events";

pub(super) const KEYS: &[Key] = &[
    Key::debezium("converters", Kind::String)
        .low()
        .at(GROUP, 1)
        .shown("List of prefixes defining custom values converters.", Width::Medium)
        .doc(
            "Names of custom converters, each with '<name>.type'. Java classes do not run here.",
        )
        .support(Support::Refused("custom converters are Java classes, which do not run here, and values would differ from what they make", "Remove the key; time.precision.mode, decimal.handling.mode, interval.handling.mode, binary.handling.mode and hstore.handling.mode choose among the forms that are built in.")),
    Key::debezium("post.processors", Kind::String)
        .low()
        .at(GROUP, 2)
        .shown("List of change event post processors.", Width::Medium)
        .doc(
            "Names of post processors, separated by commas, each with 'post.processors.<name>.type'. They act on a change in this order, before the transforms. There is io.debezium.processors.reselect.ReselectColumnsPostProcessor, which reads columns of a changed row again that the server did not send, or that are null.",
        ),
    Key::debezium("tombstones.on.delete", Kind::Boolean)
        .default("true")
        .at(GROUP, 3)
        .shown("Change the behaviour of Debezium with regards to delete operations", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Follow each delete by a record with the same key and no value, so that a compacted topic forgets the row. false keeps deleted keys for ever.",
        ),
    Key::debezium("heartbeat.interval.ms", Kind::Int)
        .default("0")
        .at(GROUP, 4)
        .shown("Connector heartbeat interval (milli-seconds)", Width::Medium)
        .checks(&[Check::NonNegativeInteger])
        .doc(
            "Milliseconds between heartbeat records, which move the stored position when the captured tables are idle; 0 sends none. Without them a busy database with idle captured tables keeps its log.",
        ),
    Key::debezium("heartbeat.topics.prefix", Kind::String)
        .default("__debezium-heartbeat")
        .low()
        .at(GROUP, 5)
        .shown("A prefix used for naming of heartbeat topics", Width::Medium)
        .doc(
            "Once the first part of the heartbeat topic's name, which topic.heartbeat.prefix sets now.",
        )
        .support(Support::NoEffect("Debezium does not read it either; topic.heartbeat.prefix is the one that counts")),
    Key::debezium("signal.data.collection", Kind::List)
        .at(GROUP, 6)
        .shown("Signaling data collection", Width::Medium)
        .checks(&[Check::Own(rules::one_signal_table)])
        .doc(
            "The one table ('schema.table') into which signals to the connector are written, and into which incremental snapshots write marks. It is captured without being in a filter.",
        )
        .support(Support::Refused("signals are not built in yet, and one that is sent would be passed over in silence", "Remove it for now; a table is copied anew by a second connector with snapshot.mode=initial_only and a topic.prefix of its own, or after a reset of the offsets.")),
    Key::debezium("signal.poll.interval.ms", Kind::Long)
        .default("5000")
        .at(GROUP, 7)
        .shown("Signal processor poll interval", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Milliseconds between two looks for new signals in the channels of signal.enabled.channels.",
        )
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.enabled.channels", Kind::List)
        .default("source")
        .at(GROUP, 8)
        .shown("Enabled channels names", Width::Long)
        .doc(
            "Channels from which signals are taken, separated by commas: source (the table in signal.data.collection), kafka, file, jmx, in-process.",
        )
        .support(Support::Partly(&[(Values::Not(&["source"]), Support::Refused("signals are not built in yet, and one that is sent through these channels would be passed over in silence", "Remove it for now."))])),
    Key::debezium("topic.naming.strategy", Kind::Class)
        .default("io.debezium.schema.SchemaTopicNamingStrategy")
        .at(GROUP, 9)
        .shown("Topic naming strategy class", Width::Medium)
        .doc(
            "Java class that names topics. The strategies of Debezium in io.debezium.schema are built in; another class is refused.",
        ),
    Key::debezium("notification.enabled.channels", Kind::List)
        .at(GROUP, 10)
        .shown("Enabled notification channels names", Width::Long)
        .doc(
            "Channels to which notifications about snapshots go, separated by commas: sink (the topic in notification.sink.topic.name), log, jmx.",
        )
        .support(Support::Partly(&[(Values::Own(rules::notifies_a_topic), Support::Refused("notifications are not built in yet, and whoever waits for them in the topic would wait for ever", "Remove it, and take the state of the snapshot from the last_snapshot_record and snapshot fields of the records or from the connector's offsets.")), (Values::Not(&["sink"]), Support::NoEffect("notifications are not built in yet; the log says when a snapshot begins and ends"))])),
    Key::debezium("notification.sink.topic.name", Kind::String)
        .high()
        .at(GROUP, 11)
        .shown("Notification topic name", Width::Long)
        .checks(&[Check::Own(rules::notification_topic)])
        .doc(
            "Topic to which notifications go; required if notification.enabled.channels has sink.",
        )
        .support(Support::NoEffect("notifications are not built in yet")),
    Key::debezium("transaction.metadata.factory", Kind::Class)
        .default("io.debezium.pipeline.txmetadata.DefaultTransactionMetadataFactory")
        .low()
        .at(GROUP, 12)
        .shown("Factory class to create transaction context & transaction struct maker classes", Width::Medium)
        .doc(
            "Java class that makes the transaction block of records. Only the default is built in.",
        )
        .support(Support::Refused("it is a Java class, which does not run here, and transaction blocks would differ from what it makes", "Remove it for the default's form.")),
    Key::debezium("custom.metric.tags", Kind::List)
        .low()
        .at(GROUP, 13)
        .shown("Customize metric tags", Width::Medium)
        .checks(&[Check::Pairs])
        .doc(
            "Extra tags of the connector's metrics, as 'k1=v1,k2=v2'.",
        )
        .support(Support::NoEffect("metrics carry no extra tags yet")),
    Key::debezium("column.include.list", Kind::List)
        .at(GROUP, 14)
        .shown("Include Columns", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: only these columns are in the record's value. Columns of the key stay in the key. Not set: all columns.",
        ),
    Key::debezium("column.exclude.list", Kind::List)
        .at(GROUP, 15)
        .shown("Exclude Columns", Width::Long)
        .checks(&[Check::NotWith { other: "column.include.list", shown: "column.include.list" }, Check::RegexList])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: these columns are left out of the record's value. Not together with column.include.list.",
        ),
    Key::debezium("table.include.list", Kind::List)
        .high()
        .at(GROUP, 16)
        .shown("Include Tables", Width::Long)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table', separated by commas: only these tables are captured. Not set: every table.",
        ),
    Key::debezium("table.exclude.list", Kind::List)
        .at(GROUP, 17)
        .shown("Exclude Tables", Width::Long)
        .checks(&[Check::NotWith { other: "table.include.list", shown: "table.include.list" }, Check::RegexList])
        .doc(
            "Regexes on 'schema.table', separated by commas: these tables are not captured. Not together with table.include.list.",
        ),
    Key::debezium("table.ignore.builtin", Kind::Boolean)
        .default("true")
        .low()
        .at(GROUP, 18)
        .shown("Ignore system databases", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Leave out PostgreSQL's own schemas, and the table spatial_ref_sys of PostGIS, whatever the filters say.",
        ),
    Key::debezium("schema.include.list", Kind::List)
        .high()
        .at(GROUP, 19)
        .shown("Include Schemas", Width::Long)
        .checks(&[Check::RegexList])
        .dependents(&["table.include.list"])
        .doc(
            "Regexes on the schema's name, separated by commas: only tables in these schemas are captured. Not set: every schema.",
        ),
    Key::debezium("schema.exclude.list", Kind::List)
        .at(GROUP, 20)
        .shown("Exclude Schemas", Width::Long)
        .checks(&[Check::NotWith { other: "schema.include.list", shown: "schema.include.list" }, Check::RegexList])
        .invisible()
        .doc(
            "Regexes on the schema's name, separated by commas: tables in these schemas are not captured. Not together with schema.include.list.",
        ),
    Key::debezium("message.key.columns", Kind::String)
        .at(GROUP, 21)
        .shown("Columns PK mapping", Width::Long)
        .checks(&[Check::Own(rules::message_keys)])
        .doc(
            "Columns that make up the record's key in place of the primary key: '<table regex>:<column>[,<column>]' separated by ';'. The table then needs a replica identity with these columns (such as FULL), or deletes have an empty key.",
        ),
    Key::debezium("snapshot.select.statement.overrides", Kind::String)
        .family("snapshot.select.statement.overrides.<table>")
        .at(GROUP, 22)
        .shown("List of tables where the default select statement used during snapshotting should be overridden.", Width::Long)
        .doc(
            "Tables 'schema.table' that the snapshot reads by a SELECT of yours, each under snapshot.select.statement.overrides.<schema>.<table>. Rows it leaves out are never copied; streaming is not touched.",
        ),
    Key::debezium("column.mask.hash.([^.]+).with.salt.(.+)", Kind::String)
        .at(GROUP, 23)
        .shown("Mask Columns Using Hash and Salt", Width::Long)
        .doc(
            "Regexes on 'schema.table.column', separated by commas: texts in these columns are replaced by a hex digest of salt and value. The key's name holds the digest's name, such as SHA-256, and the salt; column.mask.hash.v2.… hashes the text itself, column.mask.hash.… its Java serialisation. Equal values have equal digests, so joins still work.",
        )
        .family("column.mask.hash.<digest>.with.salt.<salt>"),
    Key::debezium("column.mask.with.(d+).chars", Kind::String)
        .at(GROUP, 24)
        .shown("Mask Columns With n Asterisks", Width::None)
        .checks(&[Check::Integer])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: texts in these columns, and NULL too, are replaced by <n> asterisks.",
        )
        .family("column.mask.with.<n>.chars"),
    Key::debezium("column.truncate.to.(d+).chars", Kind::Int)
        .at(GROUP, 25)
        .shown("Truncate Columns To n Characters", Width::None)
        .checks(&[Check::Integer])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: texts in these columns are cut to <n> characters, and bytes to <n> bytes.",
        )
        .family("column.truncate.to.<n>.chars"),
    Key::debezium("include.schema.comments", Kind::Boolean)
        .default("false")
        .at(GROUP, 26)
        .shown("Include Table and Column Comments", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Put the comments on tables and columns into the schemas.",
        )
        .support(Support::NoEffect("comments are not read for PostgreSQL, in Debezium neither")),
    Key::debezium("column.propagate.source.type", Kind::List)
        .at(GROUP, 27)
        .shown("Propagate Source Types by Columns", Width::None)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table.column', separated by commas: the schemas of these columns carry the type, length and scale in the database as parameters.",
        ),
    Key::debezium("datatype.propagate.source.type", Kind::List)
        .at(GROUP, 28)
        .shown("Propagate Source Types by Data Type", Width::None)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on 'schema.table.type', separated by commas: columns of these types carry the type, length and scale in the database as parameters of their schemas.",
        ),
    Key::debezium("internal.snapshot.scan.all.columns.force", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 29)
        .shown("Snapshot force scan all columns of all tables", Width::Short)
        .doc(
            "Read the columns of all tables when the connector starts, not only of the captured ones.",
        )
        .support(Support::NoEffect("columns of captured tables are read when they are needed")),
    Key::debezium("snapshot.tables.order.by.row.count", Kind::String)
        .default("disabled")
        .at(GROUP, 30)
        .shown("Initial snapshot tables order by row count", Width::None)
        .one_of(&["disabled", "ascending", "descending"], &[Check::OneOf(&["disabled", "ascending", "descending"])])
        .doc(
            "Copy small tables first (ascending) or large ones first (descending), or in the natural order (disabled). Acts only with snapshot.max.threads above 1.",
        )
        .support(Support::NoEffect("one connection copies table after table, where Debezium does not order them either")),
    Key::debezium("heartbeat.action.query", Kind::String)
        .low()
        .at(GROUP, 31)
        .shown("An optional query to execute with every heartbeat", Width::Medium)
        .doc(
            "SQL that is run with every heartbeat (heartbeat.interval.ms), for example an INSERT into a captured table, so that the stored position moves on while the captured tables are idle.",
        ),
    Key::debezium("include.unknown.datatypes", Kind::Boolean)
        .default("false")
        .at(GROUP, 32)
        .shown("Include unknown datatypes", Width::Short)
        .doc(
            "Send columns whose type is not known to the connector as raw bytes. false leaves such columns out.",
        ),
    Key::debezium("sourceinfo.struct.maker", Kind::Class)
        .default("io.debezium.connector.postgresql.PostgresSourceInfoStructMaker")
        .low()
        .at(GROUP, 33)
        .shown("Source info struct maker class", Width::Medium)
        .doc(
            "Java class that makes the source block of records. Only the default is built in.",
        )
        .support(Support::Refused("it is a Java class, which does not run here, and source blocks would differ from what it makes", "Remove it for the default's form.")),
];
