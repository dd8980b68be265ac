//! Group `History Storage`, and the keys of the schema history that Debezium does not list. Those that say where the history
//! lies are read by the runtime, which keeps it.
//!
//! Must not know: what a history holds.

use settings::{Check, Key, Kind, Support, Values, Width};

const GROUP: &str = "History Storage";

pub(super) const LISTED: &[Key] = &[
    Key::debezium("schema.history.internal", Kind::Class)
        .default("io.debezium.storage.kafka.history.KafkaSchemaHistory")
        .low()
        .at(GROUP, 1)
        .shown("Database schema history class", Width::Long)
        .invisible()
        .doc(
            "Where the connector keeps the DDL that it has seen, without which it cannot read the binlog: KafkaSchemaHistory (in a topic), io.debezium.storage.file.history.FileSchemaHistory or io.debezium.relational.history.MemorySchemaHistory (lost at the end: for tests).",
        )
        .support(Support::Partly(&[(
            Values::Not(&[
                "io.debezium.storage.kafka.history.KafkaSchemaHistory",
                "io.debezium.storage.file.history.FileSchemaHistory",
                "io.debezium.relational.history.MemorySchemaHistory",
            ]),
            Support::Refused(
                "it is a Java class, which does not run here, and the history would not be where it is expected",
                "Use io.debezium.storage.kafka.history.KafkaSchemaHistory or io.debezium.storage.file.history.FileSchemaHistory, with snapshot.mode=recovery once to fill it.",
            ),
        )])),
    Key::debezium("schema.history.internal.skip.unparseable.ddl", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 2)
        .shown("Skip DDL statements that cannot be parsed", Width::Short)
        .doc(
            "For a table that a DDL statement may have changed which cannot be read. Before its next row is sent, the table is looked up in the binlog's metadata (binlog_row_metadata=FULL) or on the server. Where neither tells how it was, true keeps it as it was before, with a warning in the log, so that its rows may be read wrongly; false leaves it to inconsistent.schema.handling.mode.",
        ),
    Key::debezium("schema.history.internal.store.only.captured.tables.ddl", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 3)
        .shown("Store only DDL that modifies tables that are captured based on include/exclude lists", Width::Short)
        .doc(
            "Keep only DDL of captured tables. The history is smaller, but a table that is captured later is unknown: it must be read by a new snapshot.",
        ),
    Key::debezium("schema.history.internal.store.only.captured.databases.ddl", Kind::Boolean)
        .default("false")
        .low()
        .at(GROUP, 4)
        .shown("Store only DDL that modifies tables of databases that are captured based on include/exclude lists", Width::Short)
        .doc("Read only the tables of captured databases when a snapshot reads the structure of the tables."),
];

pub(super) const UNLISTED: &[Key] = &[
    Key::debezium("schema.history.internal.prefer.ddl", Kind::Boolean)
        .default("false")
        .doc("Read the text of every statement of the history again at a start, instead of the tables that its record holds.")
        .unlisted()
        .lenient(),
    Key::debezium("internal.schema.history.internal.ddl.filter", Kind::List)
        .checks(&[Check::RegexList])
        .doc(
            "Regexes on whole statements, separated by commas: these leave no record. It replaces the built-in list (users, roles, views, routines, triggers, GRANT, TRUNCATE, the heartbeats of Amazon RDS).",
        )
        .unlisted(),
    of_store("schema.history.internal.kafka.topic", Kind::String)
        .doc("Topic of the history. Required with KafkaSchemaHistory; each connector needs one of its own, with one partition and without compaction or expiry."),
    of_store("schema.history.internal.kafka.bootstrap.servers", Kind::String)
        .doc("Kafka brokers of the history's topic. Required with KafkaSchemaHistory."),
    of_store("schema.history.internal.kafka.recovery.poll.interval.ms", Kind::Int)
        .default("100")
        .doc("Milliseconds to wait for records when the history is read; with kafka.recovery.attempts it bounds how long the broker may say nothing."),
    of_store("schema.history.internal.kafka.recovery.attempts", Kind::Int)
        .default("100")
        .doc("How many waits of kafka.recovery.poll.interval.ms may pass without a record before reading the history fails."),
    of_store("schema.history.internal.kafka.query.timeout.ms", Kind::Long)
        .default("3000")
        .doc("Milliseconds that a question about the history's topic may take."),
    of_store("schema.history.internal.kafka.create.timeout.ms", Kind::Long)
        .default("30000")
        .doc("Milliseconds that the creation of the history's topic may take."),
    Key::debezium("schema.history.internal.kafka.buffer.batch.size", Kind::Int)
        .default("1024")
        .doc("Number of records that Debezium sends to the history at a time in a snapshot.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("the records of a step are sent together and waited for once")),
    of_store("schema.history.internal.name", Kind::String)
        .doc("Id of the Kafka clients of the history. Not set: topic.prefix and '-schemahistory'."),
    of_store("schema.history.internal.file.filename", Kind::String)
        .doc("File of the history. Required with FileSchemaHistory."),
    of_store("schema.history.internal.producer.<property>", Kind::String)
        .family("schema.history.internal.producer.<property>")
        .doc("A property of the Kafka producer of the history, in Java's words; also of the client that makes its topic."),
    of_store("schema.history.internal.consumer.<property>", Kind::String)
        .family("schema.history.internal.consumer.<property>")
        .doc("A property of the Kafka consumer of the history, in Java's words."),
    Key::debezium("schema.history.internal.<property>", Kind::String)
        .family("schema.history.internal.<property>")
        .doc("Any other name that begins with schema.history.internal: an option of a history that is not built in, or mistyped.")
        .unlisted()
        .support(Support::NoEffect("no history that is built in has such an option")),
];

/// A key that the runtime reads when the connector starts.
const fn of_store(name: &'static str, kind: Kind) -> Key {
    Key::debezium(name, kind).unlisted().at_start()
}
