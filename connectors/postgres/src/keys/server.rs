//! Group `Postgres`: the connection, the slot, the publication, the position.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support, Width};

use crate::keys::rules;

const GROUP: &str = "Postgres";

pub(super) const KEYS: &[Key] = &[
    keys::TOPIC_PREFIX.at(GROUP, 1),
    keys::DATABASE_HOSTNAME.at(GROUP, 2),
    keys::DATABASE_PORT.default("5432").at(GROUP, 3),
    keys::DATABASE_USER.at(GROUP, 4),
    keys::DATABASE_PASSWORD.at(GROUP, 5),
    Key::debezium("database.dbname", Kind::String)
        .high()
        .at(GROUP, 6)
        .shown("Database", Width::Medium)
        .checks(&[Check::Required])
        .doc(
            "Database to capture. One connector reads one database: a slot and a publication belong to it.",
        ),
    keys::DATABASE_QUERY_TIMEOUT_MS.at(GROUP, 7),
    Key::debezium("plugin.name", Kind::String)
        .default("decoderbufs")
        .at(GROUP, 8)
        .shown("Plugin", Width::Medium)
        .one_of(&["decoderbufs", "pgoutput"], &[Check::OneOf(&["decoderbufs", "pgoutput"])])
        .doc(
            "Output plugin of the replication slot. Streaming runs on pgoutput whichever of the two is named; a slot that exists with another plugin is refused.",
        ),
    Key::debezium("slot.name", Kind::String)
        .default("debezium")
        .at(GROUP, 9)
        .shown("Slot", Width::Medium)
        .checks(&[Check::Own(rules::slot_name)])
        .doc(
            "Replication slot that holds the position on the server. Two connectors must never share one. While the connector is away the server keeps the write-ahead log for it, so drop the slot when the connector is gone for good.",
        ),
    Key::debezium("publication.name", Kind::String)
        .default("dbz_publication")
        .at(GROUP, 10)
        .shown("Publication", Width::Medium)
        .doc(
            "Publication that says which tables the server sends. See publication.autocreate.mode for who makes it.",
        ),
    Key::debezium("publication.autocreate.mode", Kind::String)
        .default("all_tables")
        .at(GROUP, 11)
        .shown("Publication Auto Create Mode", Width::Medium)
        .one_of(&["no_tables", "filtered", "disabled", "all_tables"], &[Check::OneOf(&["no_tables", "filtered", "disabled", "all_tables"])])
        .doc(
            "Who makes the publication when it does not exist: all_tables makes it for every table (needs a superuser), filtered for the captured tables and alters it when the filters change (needs ownership), no_tables makes an empty one, disabled makes none and fails when it is missing.",
        ),
    Key::debezium("replica.identity.autoset.values", Kind::String)
        .at(GROUP, 12)
        .shown("Replica Identity Auto Set Values", Width::Long)
        .checks(&[Check::Own(rules::replica_identities)])
        .doc(
            "Replica identities to set, as '<table regex>:<DEFAULT | FULL | NOTHING | INDEX name>', separated by commas. Before streaming, the connector gives tables that match this replica identity by ALTER TABLE. It decides how much of the old row is in updates and deletes.",
        ),
    Key::debezium("slot.drop.on.stop", Kind::Boolean)
        .default("false")
        .at(GROUP, 13)
        .shown("Drop slot on stop", Width::None)
        .doc(
            "Drop the replication slot when the task stops in an orderly way. The connector then misses all changes that are made until its next start: for tests only.",
        ),
    Key::debezium("slot.failover", Kind::Boolean)
        .default("false")
        .at(GROUP, 14)
        .shown("Create failover slot", Width::None)
        .doc(
            "Ask for a failover slot when the slot is created (PostgreSQL 17 and later), so that a promoted standby has it too. An existing slot is left as it is.",
        ),
    Key::debezium("slot.stream.params", Kind::String)
        .low()
        .at(GROUP, 15)
        .shown("Optional parameters to pass to the logical decoder when the stream is started.", Width::Long)
        .doc(
            "Extra options of START_REPLICATION, as 'name=value' separated by ';'. An option that cannot be read, or that would change how the stream is read, is left out with a line in the log.",
        ),
    keys::DATABASE_INITIAL_STATEMENTS.at(GROUP, 16),
    Key::debezium("database.sslmode", Kind::String)
        .default("prefer")
        .at(GROUP, 17)
        .shown("SSL mode", Width::Medium)
        .one_of(&["allow", "prefer", "disable", "verify-ca", "require", "verify-full"], &[Check::OneOf(&["allow", "prefer", "disable", "verify-ca", "require", "verify-full"])])
        .doc(
            "Whether connections use TLS, with libpq's meanings: disable (never), allow (if the server insists), prefer (if the server offers it), require (always, without verifying the server), verify-ca (the server's certificate must come from an authority in database.sslrootcert), verify-full (it must also carry the host name). Before verify-ca, an attacker can pose as the server.",
        ),
    Key::debezium("database.sslcert", Kind::String)
        .at(GROUP, 18)
        .shown("SSL Client Certificate", Width::Long)
        .doc(
            "File with the certificate that the connector shows to servers that ask for one.",
        ),
    Key::debezium("database.sslpassword", Kind::Password)
        .at(GROUP, 19)
        .shown("SSL Client Key Password", Width::Medium)
        .doc(
            "Password of the file in database.sslkey, if the key in it is encrypted.",
        ),
    Key::debezium("database.sslrootcert", Kind::String)
        .at(GROUP, 20)
        .shown("SSL Root Certificate", Width::Long)
        .doc(
            "File with the certificates of the authorities by which the server is verified, with database.sslmode=verify-ca or verify-full.",
        ),
    Key::debezium("database.sslkey", Kind::String)
        .at(GROUP, 21)
        .shown("SSL Client Key", Width::Long)
        .doc(
            "File with the private key of the certificate in database.sslcert: DER (PKCS-8) or PEM. Or a PKCS-12 or JKS store with both; then database.sslcert need not be set.",
        ),
    Key::debezium("slot.max.retries", Kind::Int)
        .default("6")
        .low()
        .at(GROUP, 22)
        .shown("Retry count", Width::None)
        .checks(&[Check::Integer])
        .doc(
            "How many times the connector tries to start streaming when the slot cannot be used yet, for example because another connection still holds it. slot.retry.delay.ms is the time between two attempts.",
        ),
    Key::debezium("slot.retry.delay.ms", Kind::Long)
        .default("10000")
        .low()
        .at(GROUP, 23)
        .shown("Retry delay", Width::None)
        .checks(&[Check::Integer])
        .doc(
            "Milliseconds between two of the attempts that slot.max.retries allows.",
        ),
    Key::debezium("database.sslfactory", Kind::String)
        .at(GROUP, 24)
        .shown("SSL Root Certificate", Width::Long)
        .doc(
            "Java class that opens TLS connections. There is no JVM here: the driver's NonValidatingFactory is taken as database.sslmode=require, any other class is refused.",
        ),
    Key::debezium("status.update.interval.ms", Kind::Int)
        .default("10000")
        .at(GROUP, 25)
        .shown("Status update interval (ms)", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Milliseconds between two status messages to the server. Must be below the server's wal_sender_timeout, or the server closes the connection.",
        ),
    Key::debezium("lsn.flush.timeout.ms", Kind::Long)
        .default("30000")
        .at(GROUP, 26)
        .shown("LSN flush timeout (ms)", Width::Short)
        .checks(&[Check::PositiveInteger])
        .doc(
            "Milliseconds that telling the server the position up to which its log has been read may take, before lsn.flush.timeout.action applies.",
        )
        .support(Support::NoEffect("a confirmation is part of the status messages, and nobody waits for its end")),
    Key::debezium("lsn.flush.timeout.action", Kind::String)
        .default("fail")
        .at(GROUP, 27)
        .shown("LSN flush timeout action", Width::Medium)
        .one_of(&["fail", "warn", "ignore"], &[Check::OneOf(&["fail", "warn", "ignore"])])
        .doc(
            "What Debezium does when lsn.flush.timeout.ms is over: fail stops the task, warn and ignore go on.",
        )
        .support(Support::NoEffect("a confirmation is part of the status messages, and nobody waits for its end")),
    Key::debezium("database.tcpKeepAlive", Kind::Boolean)
        .default("true")
        .at(GROUP, 28)
        .shown("TCP keep-alive probe", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Send TCP keep-alive probes, so that a firewall does not cut an idle connection and a dead server is noticed.",
        ),
    Key::debezium("xmin.fetch.interval.ms", Kind::Long)
        .default("0")
        .at(GROUP, 29)
        .shown("Xmin fetch interval (ms)", Width::Short)
        .checks(&[Check::NonNegativeLong])
        .doc(
            "Milliseconds between two reads of the slot's catalog_xmin, which records carry as source.xmin; with 0 it is not read, and source.xmin is null.",
        )
        .support(Support::Refused("source.xmin is not read here and would stay null", "Remove it or set 0; nothing else of a record depends on it.")),
    keys::SKIPPED_OPERATIONS.at(GROUP, 30),
    Key::debezium("lsn.flush.mode", Kind::String)
        .low()
        .at(GROUP, 31)
        .shown("LSN flush mode", Width::Short)
        .one_of(&["connector_and_driver", "connector", "manual"], &[Check::OneOf(&["connector_and_driver", "connector", "manual"])])
        .doc(
            "When the server is told how far its log has been read, so that it can remove older parts: connector (after the records are stored in Kafka; the default), connector_and_driver (also after changes that yield no record), manual (never: the server's log grows until you move the slot yourself).",
        ),
    Key::debezium("flush.lsn.source", Kind::Boolean)
        .default("true")
        .low()
        .at(GROUP, 32)
        .shown("Boolean to determine if Debezium should flush LSN in the source database", Width::Short)
        .checks(&[Check::Boolean])
        .doc(
            "Older form of lsn.flush.mode, which counts when that is not set: true is connector, false is manual.",
        ),
];
