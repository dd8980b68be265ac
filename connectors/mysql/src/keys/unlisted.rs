//! Keys that are read although no answer over REST lists them.
//!
//! Debezium does not check them when a config is sent. A bad value of a key for topic names is refused when the connector
//! starts, here as in Debezium. The other keys fall back to their defaults, with a warning in the log. The exception is
//! `field.name.adjustment.mode`, which is checked when the config is sent.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::Key;

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
    keys::BINARY_HANDLING_MODE.unlisted().lenient().doc(
        "How values of types BINARY, VARBINARY and BLOB are sent: bytes, or as text in base64, base64-url-safe or hex.",
    ),
    keys::READ_ONLY,
    keys::SKIP_MESSAGES_WITHOUT_CHANGE.doc("Send no record for an update in which no captured column changed."),
    keys::EVENT_CONVERTING_FAILURE_HANDLING_MODE,
    keys::SNAPSHOT_LOCKING_MODE_CUSTOM_NAME.checks(&[]).unlisted().lenient(),
    keys::INTERNAL_CUSTOM_RETRIABLE_EXCEPTION,
    keys::SIGNAL_FILE,
    keys::SIGNAL_KAFKA_TOPIC,
    keys::SIGNAL_KAFKA_BOOTSTRAP_SERVERS,
    keys::SIGNAL_KAFKA_GROUPID,
    keys::SIGNAL_KAFKA_POLL_TIMEOUT_MS,
];
