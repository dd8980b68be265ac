//! Keys of the connection, and the prefix of topics.
//!
//! Must not know: how the values are used.

use settings::{Check, Key, Kind, Width};

use super::rules;

/// `topic.prefix`.
pub const TOPIC_PREFIX: Key = Key::debezium("topic.prefix", Kind::String)
        .high()
        .shown("Topic prefix", Width::Medium)
        .checks(&[Check::Required, Check::Own(rules::plain_name)])
        .doc(
            "Logical name of this server: the first part of every topic name and of the stored source partition. Change it and the connector starts anew under other topics, with its old offsets orphaned. Letters, digits, '_', '.' and '-'.",
        );

/// `database.hostname`.
pub const DATABASE_HOSTNAME: Key = Key::debezium("database.hostname", Kind::String)
        .high()
        .shown("Hostname", Width::Medium)
        .checks(&[Check::Required, Check::Own(rules::host_name)])
        .doc(
            "Host name or address of the server, used for every connection. One host; no colon, so an IPv6 address needs a name.",
        );

/// `database.port`. Each database has a default of its own.
pub const DATABASE_PORT: Key = Key::debezium("database.port", Kind::Int)
    .high()
    .shown("Port", Width::Short)
    .checks(&[Check::Integer])
    .doc("TCP port of the server.");

/// `database.user`.
pub const DATABASE_USER: Key = Key::debezium("database.user", Kind::String)
        .high()
        .shown("User", Width::Short)
        .checks(&[Check::Required])
        .doc(
            "Role to connect as. It needs LOGIN and REPLICATION, SELECT on the captured tables, and either ownership of them or a publication made beforehand.",
        );

/// `database.password`.
pub const DATABASE_PASSWORD: Key = Key::debezium("database.password", Kind::Password)
        .high()
        .shown("Password", Width::Short)
        .doc(
            "Password of the role. Leave it out where the server trusts the connection or asks for a client certificate. Never shown in answers or logs.",
        );

/// `database.query.timeout.ms`.
pub const DATABASE_QUERY_TIMEOUT_MS: Key = Key::debezium("database.query.timeout.ms", Kind::Int)
        .default("600000")
        .low()
        .shown("Query timeout", Width::None)
        .doc(
            "Milliseconds after which an ordinary statement (snapshot selects, catalog queries, the heartbeat query) is cancelled; 0 waits for ever. A snapshot of a large table may need more than the default.",
        );

/// `database.initial.statements`.
pub const DATABASE_INITIAL_STATEMENTS: Key = Key::debezium("database.initial.statements", Kind::String)
        .low()
        .shown("Initial statements", Width::Long)
        .doc(
            "SQL statements, separated by ';', that are run on each new connection other than the replication connection. A ';' inside of a statement is written ';;'.",
        );

/// `skipped.operations`.
pub const SKIPPED_OPERATIONS: Key = Key::debezium("skipped.operations", Kind::List)
        .default("t")
        .low()
        .shown("Skipped Operations", Width::Short)
        .checks(&[Check::Own(rules::skipped_operations)])
        .doc(
            "Operations for which no record is sent, separated by commas: c (insert), u (update), d (delete), t (truncate); or none alone, to send all. r is accepted, but the rows of snapshots are sent all the same.",
        );
