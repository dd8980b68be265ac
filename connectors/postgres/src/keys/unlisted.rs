//! Keys that are read although no answer over REST lists them.
//!
//! Debezium does not check them when a config is sent. A bad value of a key for topic names is refused when the connector
//! starts, here as in Debezium. The other keys fall back to their defaults, with a warning in the log. The exception is
//! `field.name.adjustment.mode`, which is checked when the config is sent: a bad value fails Debezium's validation with an
//! internal error.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support};

/// A bad value is refused already when the config is sent.
pub(super) const CHECKED_AT_VALIDATION: &[Key] = &[keys::FIELD_NAME_ADJUSTMENT_MODE];

/// A bad value is refused when the connector starts.
pub(super) const CHECKED_AT_START: &[Key] = &[
    keys::TOPIC_DELIMITER,
    keys::TOPIC_CACHE_SIZE,
    keys::TOPIC_HEARTBEAT_PREFIX,
    keys::TOPIC_HEARTBEAT_NAME,
    keys::TOPIC_TRANSACTION,
    keys::TOPIC_REGEX,
    keys::TOPIC_REPLACEMENT,
    keys::TOPIC_KEY_FIELD_REGEX,
];

/// A bad value is a warning in the log, and the default is used.
pub(super) const LENIENT: &[Key] = &[
    keys::TOPIC_KEY_ENFORCE_UNIQUENESS,
    keys::TOPIC_KEY_FIELD_NAME,
    keys::TOPIC_KEY_FIELD_REPLACEMENT,
    Key::debezium("money.fraction.digits", Kind::Short)
        .default("2")
        .doc("Number of digits after the decimal point of values of type money. Must be that of the server's lc_monetary.")
        .unlisted()
        .lenient(),
    keys::READ_ONLY
        .doc("Whether incremental snapshots do without writes to the database (PostgreSQL 13 and later).")
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
    keys::SKIP_MESSAGES_WITHOUT_CHANGE,
    keys::EVENT_CONVERTING_FAILURE_HANDLING_MODE,
    keys::INTERNAL_CUSTOM_RETRIABLE_EXCEPTION,
    Key::debezium("database.connection.timeout.ms", Kind::Long)
        .default("600000")
        .checks(&[Check::PositiveLong])
        .doc("Milliseconds that opening a connection other than the replication connection may take.")
        .unlisted()
        .lenient(),
    keys::SIGNAL_FILE,
    keys::SIGNAL_KAFKA_TOPIC,
    keys::SIGNAL_KAFKA_BOOTSTRAP_SERVERS,
    keys::SIGNAL_KAFKA_GROUPID,
    keys::SIGNAL_KAFKA_POLL_TIMEOUT_MS,
];
