//! Keys that are read although no answer over REST lists them.
//!
//! Debezium does not check them when a config is sent. A bad value of a key for topic names is refused when the connector
//! starts, here as in Debezium. The other keys fall back to their defaults, with a warning in the log. The exception is
//! `field.name.adjustment.mode`, which is checked when the config is sent: a bad value fails Debezium's validation with an
//! internal error.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Support};

use super::rules;

const ADJUSTMENTS: &[&str] = &["none", "avro", "avro_unicode"];

/// A bad value is refused already when the config is sent.
pub(super) const CHECKED_AT_VALIDATION: &[Key] = &[Key::debezium("field.name.adjustment.mode", Kind::String)
    .checks(&[Check::OneOf(ADJUSTMENTS)])
    .doc("What happens to characters in field names that Avro does not allow: none leaves them, avro replaces each by '_', avro_unicode by '_uXXXX' (so that names stay distinct). Not set: avro if one of the connector's converters is an Avro converter, else none.")
    .unlisted()];

/// A bad value is refused when the connector starts.
pub(super) const CHECKED_AT_START: &[Key] = &[
    Key::debezium("topic.delimiter", Kind::String)
        .default(".")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("Text between the parts of a topic's name, for example topic.prefix, schema and table.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.cache.size", Kind::Int)
        .default("10000")
        .checks(&[Check::PositiveInteger])
        .doc("Number of topic names that Debezium keeps in memory.")
        .unlisted()
        .at_start()
        .support(Support::NoEffect("topic names are kept with their tables")),
    Key::debezium("topic.heartbeat.prefix", Kind::String)
        .default("__debezium-heartbeat")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("First part of the name of the heartbeat topic; topic.delimiter and topic.prefix follow.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.heartbeat.name", Kind::String)
        .checks(&[Check::Own(rules::plain_name)])
        .doc("Whole name of the heartbeat topic. Not set: topic.heartbeat.prefix, topic.delimiter and topic.prefix.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.transaction", Kind::String)
        .default("transaction")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("Last part of the name of the topic for begin and end of transactions (provide.transaction.metadata), behind topic.prefix and topic.delimiter.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.regex", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("With a regex strategy in topic.naming.strategy: a regex on the names of tables' topics. A topic that matches gets the name in topic.replacement.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.replacement", Kind::String)
        .checks(&[Check::Own(rules::topic_replacement)])
        .doc("With a regex strategy in topic.naming.strategy: the new name of topics that topic.regex matches; $1 stands for the regex's first group.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.key.field.regex", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("With a regex strategy in topic.naming.strategy: a regex on the old topic name. What topic.key.field.replacement makes of it is the value of the field topic.key.field.name.")
        .unlisted()
        .at_start(),
];

/// A bad value is a warning in the log, and the default is used.
pub(super) const LENIENT: &[Key] = &[
    Key::debezium("topic.key.enforce.uniqueness", Kind::Boolean)
        .default("true")
        .doc("With a regex strategy in topic.naming.strategy: add the field topic.key.field.name to the record's key, so that keys of different tables in one topic differ.")
        .unlisted()
        .lenient(),
    Key::debezium("topic.key.field.name", Kind::String)
        .default("__dbz__physicalTableIdentifier")
        .doc("Name of the field that topic.key.enforce.uniqueness adds to the record's key.")
        .unlisted()
        .lenient(),
    Key::debezium("topic.key.field.replacement", Kind::String)
        .doc("Value of the field that topic.key.enforce.uniqueness adds; $1 stands for the first group of topic.key.field.regex. Not set: the old topic name.")
        .unlisted()
        .lenient(),
    Key::debezium("money.fraction.digits", Kind::Short)
        .default("2")
        .doc("Number of digits after the decimal point of values of type money. Must be that of the server's lc_monetary.")
        .unlisted()
        .lenient(),
    Key::debezium("read.only", Kind::Boolean)
        .default("false")
        .doc("Whether incremental snapshots do without writes to the database (PostgreSQL 13 and later).")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("afterimage writes to no signal table; what publication.autocreate.mode and the slot ask for is done all the same")),
    Key::debezium("offset.mismatch.strategy", Kind::String)
        .default("no_validation")
        .checks(&[Check::OneOf(&["no_validation", "trust_offset", "trust_slot", "trust_greater_lsn"])])
        .doc("Where streaming starts when the stored position and the slot's differ: no_validation at the stored one (or at the slot's, if that is ahead), trust_offset at the stored one (the slot is moved up to it), trust_slot at the slot's, if the stored one is behind, trust_greater_lsn at the later of the two.")
        .unlisted()
        .lenient(),
    Key::debezium("internal.create.slot.command.timeout", Kind::Long)
        .default("90")
        .checks(&[Check::PositiveLong])
        .doc("Seconds that the creation of the slot may take. It waits until all transactions have ended that were open when it began.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("the creation of the slot waits for the transactions that are open, and the status says so")),
    Key::debezium("skip.messages.without.change", Kind::Boolean)
        .default("false")
        .doc("Send no record for an update in which no captured column changed. Needs the replica identity FULL.")
        .unlisted()
        .lenient(),
    Key::debezium("event.converting.failure.handling.mode", Kind::String)
        .default("warn")
        .checks(&[Check::OneOf(&["skip", "warn", "fail"])])
        .doc("What happens when a single value cannot be converted: skip and warn send null in its place, fail stops the task.")
        .unlisted()
        .lenient(),
    Key::debezium("internal.custom.retriable.exception", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("Regex on the messages of errors after which the connector should try again, although it would stop.")
        .unlisted()
        .lenient()
        .support(Support::Refused("which errors are tried again is built in, and an error that this names would fail the task", "Remove it.")),
    Key::debezium("database.connection.timeout.ms", Kind::Long)
        .default("600000")
        .checks(&[Check::PositiveLong])
        .doc("Milliseconds that opening a connection other than the replication connection may take.")
        .unlisted()
        .lenient(),
    Key::debezium("signal.file", Kind::String)
        .default("file-signals.txt")
        .doc("File from which the channel 'file' of signal.enabled.channels reads signals.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.topic", Kind::String)
        .doc("Topic from which the channel 'kafka' of signal.enabled.channels reads signals. Not set: topic.prefix and '-signal'.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.bootstrap.servers", Kind::String)
        .doc("Kafka brokers of the channel 'kafka' of signal.enabled.channels; required with it.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.groupId", Kind::String)
        .default("kafka-signal")
        .doc("Consumer group of the channel 'kafka' of signal.enabled.channels.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.poll.timeout.ms", Kind::Int)
        .default("0")
        .checks(&[Check::NonNegativeInteger])
        .doc("Milliseconds that the channel 'kafka' of signal.enabled.channels waits for signals at a time.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
];
