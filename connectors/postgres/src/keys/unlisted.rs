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
    .doc("What becomes of characters in field names that Avro refuses: none, avro ('_'), avro_unicode ('_uXXXX'). Not set: avro when one of the connector's converters is an Avro converter, else none.")
    .unlisted()];

/// A bad value is refused when the connector starts.
pub(super) const CHECKED_AT_START: &[Key] = &[
    Key::debezium("topic.delimiter", Kind::String)
        .default(".")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("What stands between the parts of a topic name.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.cache.size", Kind::Int)
        .default("10000")
        .checks(&[Check::PositiveInteger])
        .doc("How many topic names are remembered.")
        .unlisted()
        .at_start()
        .support(Support::NoEffect("topic names are kept with their tables")),
    Key::debezium("topic.heartbeat.prefix", Kind::String)
        .default("__debezium-heartbeat")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("First part of the heartbeat topic's name, before topic.delimiter and topic.prefix.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.heartbeat.name", Kind::String)
        .checks(&[Check::Own(rules::plain_name)])
        .doc("Whole name of the heartbeat topic, in place of prefix and topic.prefix.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.transaction", Kind::String)
        .default("transaction")
        .checks(&[Check::Own(rules::plain_name)])
        .doc("Last part of the transaction topic's name.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.regex", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("With a regex naming strategy: data topics that match are renamed by topic.replacement.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.replacement", Kind::String)
        .checks(&[Check::Own(rules::topic_replacement)])
        .doc("With a regex naming strategy: the new name, with $1 for groups of topic.regex.")
        .unlisted()
        .at_start(),
    Key::debezium("topic.key.field.regex", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("With a regex naming strategy: finds the value of the key's table field in the old topic name.")
        .unlisted()
        .at_start(),
];

/// A bad value is a warning in the log, and the default is used.
pub(super) const LENIENT: &[Key] = &[
    Key::debezium("topic.key.enforce.uniqueness", Kind::Boolean)
        .default("true")
        .doc("With a regex naming strategy: add a field to the key that tells tables in one topic apart.")
        .unlisted()
        .lenient(),
    Key::debezium("topic.key.field.name", Kind::String)
        .default("__dbz__physicalTableIdentifier")
        .doc("Name of the field that topic.key.enforce.uniqueness adds.")
        .unlisted()
        .lenient(),
    Key::debezium("topic.key.field.replacement", Kind::String)
        .doc("Value of that field, with $1 for groups of topic.key.field.regex.")
        .unlisted()
        .lenient(),
    Key::debezium("money.fraction.digits", Kind::Short)
        .default("2")
        .doc("Digits after the point of money values, as lc_monetary has them.")
        .unlisted()
        .lenient(),
    Key::debezium("read.only", Kind::Boolean)
        .default("false")
        .doc("Write nothing to the database: incremental snapshots mark their windows by transaction snapshots. PostgreSQL 13 and later.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("afterimage writes to no signal table; what publication.autocreate.mode and the slot ask for is done all the same")),
    Key::debezium("offset.mismatch.strategy", Kind::String)
        .default("no_validation")
        .checks(&[Check::OneOf(&["no_validation", "trust_offset", "trust_slot", "trust_greater_lsn"])])
        .doc("Which holds when the stored position and the slot's differ.")
        .unlisted()
        .lenient(),
    Key::debezium("internal.create.slot.command.timeout", Kind::Long)
        .default("90")
        .checks(&[Check::PositiveLong])
        .doc("Seconds that the creation of the slot may take; it waits for transactions that are open.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("the creation of the slot waits for the transactions that are open, and the status says so")),
    Key::debezium("skip.messages.without.change", Kind::Boolean)
        .default("false")
        .doc("Drop an update whose row, as sent, equals the one before. Needs replica identity FULL.")
        .unlisted()
        .lenient(),
    Key::debezium("event.converting.failure.handling.mode", Kind::String)
        .default("warn")
        .checks(&[Check::OneOf(&["skip", "warn", "fail"])])
        .doc("When one value cannot be converted: skip and warn send null in its place, fail stops the task.")
        .unlisted()
        .lenient(),
    Key::debezium("internal.custom.retriable.exception", Kind::String)
        .checks(&[Check::Own(rules::regex)])
        .doc("Regex on error messages that are to be retried although they would not be.")
        .unlisted()
        .lenient()
        .support(Support::Refused("which errors are tried again is built in, and an error that this names would fail the task", "Remove it.")),
    Key::debezium("database.connection.timeout.ms", Kind::Long)
        .default("600000")
        .checks(&[Check::PositiveLong])
        .doc("Milliseconds to wait for an ordinary connection.")
        .unlisted()
        .lenient(),
    Key::debezium("signal.file", Kind::String)
        .default("file-signals.txt")
        .doc("File of the signal channel 'file'.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.topic", Kind::String)
        .doc("Topic of the signal channel 'kafka'; topic.prefix and '-signal' without it.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.bootstrap.servers", Kind::String)
        .doc("Brokers of the signal channel 'kafka'; it needs them.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.groupId", Kind::String)
        .default("kafka-signal")
        .doc("Consumer group of the signal channel 'kafka'.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
    Key::debezium("signal.kafka.poll.timeout.ms", Kind::Int)
        .default("0")
        .checks(&[Check::NonNegativeInteger])
        .doc("Milliseconds that one poll of the signal topic waits.")
        .unlisted()
        .lenient()
        .support(Support::NoEffect("signals are not built in yet")),
];
