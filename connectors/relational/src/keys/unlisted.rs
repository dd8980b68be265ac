//! Keys that are read although no answer over REST lists them.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support};

use super::rules;

const ADJUSTMENTS: &[&str] = &["none", "avro", "avro_unicode"];

/// `field.name.adjustment.mode`.
pub const FIELD_NAME_ADJUSTMENT_MODE: Key = Key::debezium("field.name.adjustment.mode", Kind::String)
    .checks(&[Check::OneOf(ADJUSTMENTS)])
    .doc("What happens to characters in field names that Avro does not allow: none leaves them, avro replaces each by '_', avro_unicode by '_uXXXX' (so that names stay distinct). Not set: avro if one of the connector's converters is an Avro converter, else none.")
    .unlisted();

/// `topic.delimiter`.
pub const TOPIC_DELIMITER: Key = Key::debezium("topic.delimiter", Kind::String)
    .default(".")
    .checks(&[Check::Own(rules::plain_name)])
    .doc("Text between the parts of a topic's name, for example topic.prefix, schema and table.")
    .unlisted()
    .at_start();

/// `topic.cache.size`.
pub const TOPIC_CACHE_SIZE: Key = Key::debezium("topic.cache.size", Kind::Int)
    .default("10000")
    .checks(&[Check::PositiveInteger])
    .doc("Number of topic names that Debezium keeps in memory.")
    .unlisted()
    .at_start()
    .support(Support::NoEffect("topic names are kept with their tables"));

/// `topic.heartbeat.prefix`.
pub const TOPIC_HEARTBEAT_PREFIX: Key = Key::debezium("topic.heartbeat.prefix", Kind::String)
    .default("__debezium-heartbeat")
    .checks(&[Check::Own(rules::plain_name)])
    .doc("First part of the name of the heartbeat topic; topic.delimiter and topic.prefix follow.")
    .unlisted()
    .at_start();

/// `topic.heartbeat.name`.
pub const TOPIC_HEARTBEAT_NAME: Key = Key::debezium("topic.heartbeat.name", Kind::String)
    .checks(&[Check::Own(rules::plain_name)])
    .doc("Whole name of the heartbeat topic. Not set: topic.heartbeat.prefix, topic.delimiter and topic.prefix.")
    .unlisted()
    .at_start();

/// `topic.transaction`.
pub const TOPIC_TRANSACTION: Key = Key::debezium("topic.transaction", Kind::String)
        .default("transaction")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("Last part of the name of the topic for begin and end of transactions (provide.transaction.metadata), behind topic.prefix and topic.delimiter.")
        .unlisted()
        .at_start();

/// `topic.regex`.
pub const TOPIC_REGEX: Key = Key::debezium("topic.regex", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("With a regex strategy in topic.naming.strategy: a regex on the names of tables' topics. A topic that matches gets the name in topic.replacement.")
        .unlisted()
        .at_start();

/// `topic.replacement`.
pub const TOPIC_REPLACEMENT: Key = Key::debezium("topic.replacement", Kind::String)
        .checks(&[Check::Own(rules::topic_replacement)])
        .doc("With a regex strategy in topic.naming.strategy: the new name of topics that topic.regex matches; $1 stands for the regex's first group.")
        .unlisted()
        .at_start();

/// `topic.key.field.regex`.
pub const TOPIC_KEY_FIELD_REGEX: Key = Key::debezium("topic.key.field.regex", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("With a regex strategy in topic.naming.strategy: a regex on the old topic name. What topic.key.field.replacement makes of it is the value of the field topic.key.field.name.")
        .unlisted()
        .at_start();

/// `topic.key.enforce.uniqueness`.
pub const TOPIC_KEY_ENFORCE_UNIQUENESS: Key = Key::debezium("topic.key.enforce.uniqueness", Kind::Boolean)
        .default("true")
        .doc("With a regex strategy in topic.naming.strategy: add the field topic.key.field.name to the record's key, so that keys of different tables in one topic differ.")
        .unlisted()
        .lenient();

/// `topic.key.field.name`.
pub const TOPIC_KEY_FIELD_NAME: Key = Key::debezium("topic.key.field.name", Kind::String)
    .default("__dbz__physicalTableIdentifier")
    .doc("Name of the field that topic.key.enforce.uniqueness adds to the record's key.")
    .unlisted()
    .lenient();

/// `topic.key.field.replacement`.
pub const TOPIC_KEY_FIELD_REPLACEMENT: Key = Key::debezium("topic.key.field.replacement", Kind::String)
        .doc("Value of the field that topic.key.enforce.uniqueness adds; $1 stands for the first group of topic.key.field.regex. Not set: the old topic name.")
        .unlisted()
        .lenient();

/// `skip.messages.without.change`.
pub const SKIP_MESSAGES_WITHOUT_CHANGE: Key = Key::debezium("skip.messages.without.change", Kind::Boolean)
    .default("false")
    .doc("Send no record for an update in which no captured column changed. Needs the replica identity FULL.")
    .unlisted()
    .lenient();

/// `event.converting.failure.handling.mode`.
pub const EVENT_CONVERTING_FAILURE_HANDLING_MODE: Key = Key::debezium(
    "event.converting.failure.handling.mode",
    Kind::String,
)
.default("warn")
.checks(&[Check::OneOf(&["skip", "warn", "fail"])])
.doc("What happens when a single value cannot be converted: skip and warn send null in its place, fail stops the task.")
.unlisted()
.lenient();

/// `internal.custom.retriable.exception`.
pub const INTERNAL_CUSTOM_RETRIABLE_EXCEPTION: Key = Key::debezium("internal.custom.retriable.exception", Kind::String)
    .checks(&[Check::Own(rules::regex)])
    .doc("Regex on the messages of errors after which the connector should try again, although it would stop.")
    .unlisted()
    .lenient()
    .support(Support::Refused(
        "which errors are tried again is built in, and an error that this names would fail the task",
        "Remove it.",
    ));

/// `signal.file`.
pub const SIGNAL_FILE: Key = Key::debezium("signal.file", Kind::String)
    .default("file-signals.txt")
    .doc("File from which the channel 'file' of signal.enabled.channels reads signals.")
    .unlisted()
    .lenient()
    .support(Support::NoEffect("signals are not built in yet"));

/// `signal.kafka.topic`.
pub const SIGNAL_KAFKA_TOPIC: Key = Key::debezium("signal.kafka.topic", Kind::String)
        .doc("Topic from which the channel 'kafka' of signal.enabled.channels reads signals. Not set: topic.prefix and '-signal'.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet"));

/// `signal.kafka.bootstrap.servers`.
pub const SIGNAL_KAFKA_BOOTSTRAP_SERVERS: Key = Key::debezium("signal.kafka.bootstrap.servers", Kind::String)
    .doc("Kafka brokers of the channel 'kafka' of signal.enabled.channels; required with it.")
    .unlisted()
    .lenient()
    .support(Support::NoEffect("signals are not built in yet"));

/// `signal.kafka.groupId`.
pub const SIGNAL_KAFKA_GROUPID: Key = Key::debezium("signal.kafka.groupId", Kind::String)
    .default("kafka-signal")
    .doc("Consumer group of the channel 'kafka' of signal.enabled.channels.")
    .unlisted()
    .lenient()
    .support(Support::NoEffect("signals are not built in yet"));

/// `signal.kafka.poll.timeout.ms`.
pub const SIGNAL_KAFKA_POLL_TIMEOUT_MS: Key = Key::debezium("signal.kafka.poll.timeout.ms", Kind::Int)
    .default("0")
    .checks(&[Check::NonNegativeInteger])
    .doc("Milliseconds that the channel 'kafka' of signal.enabled.channels waits for signals at a time.")
    .unlisted()
    .lenient()
    .support(Support::NoEffect("signals are not built in yet"));

/// `read.only`.
pub const READ_ONLY: Key = Key::debezium("read.only", Kind::Boolean)
    .default("false")
    .doc("Whether incremental snapshots do without writes to the database.")
    .unlisted()
    .lenient()
    .support(Support::NoEffect("there are no incremental snapshots yet, and nothing is written to a signal table"));
