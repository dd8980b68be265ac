//! The group that is named after the database: the connection, the replica's number, TLS.
//!
//! Order and titles are those of Debezium's answer over REST, for forms that are built from it.
//!
//! Must not know: how the values are used.

use relational::keys;
use settings::{Check, Key, Kind, Support, Width};

const MYSQL_GROUP: &str = "MySQL";
const MARIADB_GROUP: &str = "MariaDB";

const NO_DRIVER: Support =
    Support::NoEffect("there is no Java driver here: the server's protocol is spoken without one");

/// The keys of the group that both connectors have.
pub(super) const MYSQL: [Key; 13] = both(MYSQL_GROUP);
/// The keys of the group that both connectors have.
pub(super) const MARIADB: [Key; 13] = both(MARIADB_GROUP);

const fn both(group: &'static str) -> [Key; 13] {
    [
        keys::TOPIC_PREFIX.at(group, 1),
        keys::DATABASE_HOSTNAME.at(group, 2),
        keys::DATABASE_PORT.default("3306").at(group, 3),
        keys::DATABASE_USER.at(group, 4).doc(
            "Account to log in as. It needs SELECT on the captured tables, SHOW DATABASES, REPLICATION SLAVE and REPLICATION CLIENT (MariaDB: BINLOG MONITOR), and for snapshots RELOAD, or LOCK TABLES.",
        ),
        keys::DATABASE_PASSWORD.at(group, 5).doc(
            "Password of the account. Leave it out where the account has none. Never shown in answers or logs.",
        ),
        keys::DATABASE_QUERY_TIMEOUT_MS.at(group, 6).doc(
            "Milliseconds after which an ordinary statement is cancelled; 0 waits for ever. Reading the rows of a table is not limited.",
        ),
        keys::DATABASE_INITIAL_STATEMENTS.at(group, 7).doc(
            "SQL statements, separated by ';', that are run on each new connection other than that of the binlog. A ';' inside of a statement is written ';;'.",
        ),
        Key::debezium("database.server.id", Kind::Long)
            .high()
            .at(group, 8)
            .shown("Cluster ID", Width::Long)
            .checks(&[Check::PositiveLong, Check::Required])
            .doc(
                "Number of the connector among the server's replicas, from 1 to 4294967295. It must differ from that of the server, of each of its replicas and of each other connector: the server ends the connection of an older replica with the same number.",
            ),
        Key::debezium("database.server.id.offset", Kind::Long)
            .default("10000")
            .high()
            .at(group, 9)
            .shown("Cluster ID offset", Width::Long)
            .doc("Distance of the numbers that further readers of the binlog would get.")
            .support(Support::NoEffect("there is one reader of the binlog, in Debezium too")),
        Key::debezium("database.ssl.keystore", Kind::String)
            .at(group, 10)
            .shown("SSL Keystore", Width::Long)
            .doc(
                "File with the certificate and the key that the connector shows to servers that ask for them: PKCS-12, JKS or PEM.",
            ),
        Key::debezium("database.ssl.keystore.password", Kind::Password)
            .at(group, 11)
            .shown("SSL Keystore Password", Width::Medium)
            .doc("Password of the file in database.ssl.keystore."),
        Key::debezium("database.ssl.truststore", Kind::String)
            .at(group, 12)
            .shown("SSL Truststore", Width::Long)
            .doc(
                "File with the certificates of the authorities by which the server is verified, where database.ssl.mode asks for it: PKCS-12, JKS or PEM. Not set: those that the system trusts.",
            ),
        Key::debezium("database.ssl.truststore.password", Kind::Password)
            .at(group, 13)
            .shown("SSL Truststore Password", Width::Medium)
            .doc("Password of the file in database.ssl.truststore."),
    ]
}

const MYSQL_SSL_MODES: &[&str] = &["verify_identity", "disabled", "preferred", "required", "verify_ca"];
const MARIADB_SSL_MODES: &[&str] = &["disable", "trust", "verify-ca", "verify-full"];

pub(super) const MYSQL_ONLY: &[Key] = &[
    Key::debezium("database.jdbc.driver", Kind::Class)
        .default("com.mysql.cj.jdbc.Driver")
        .low()
        .at(MYSQL_GROUP, 14)
        .shown("JDBC Driver Class Name", Width::Medium)
        .doc("Java class of the driver by which Debezium connects.")
        .support(NO_DRIVER),
    Key::debezium("database.protocol", Kind::String)
        .default("jdbc:mysql")
        .low()
        .at(MYSQL_GROUP, 15)
        .shown("JDBC Protocol", Width::Medium)
        .doc("First part of the address that Debezium gives to its Java driver.")
        .support(NO_DRIVER),
    Key::debezium("database.ssl.mode", Kind::String)
        .default("preferred")
        .at(MYSQL_GROUP, 16)
        .shown("SSL mode", Width::Medium)
        .one_of(MYSQL_SSL_MODES, &[Check::OneOf(MYSQL_SSL_MODES)])
        .doc(
            "Whether connections use TLS: disabled (never), preferred (if the server offers it), required (always, without verifying the server), verify_ca (the server's certificate must come from an authority in database.ssl.truststore), verify_identity (it must also carry the host name). Before verify_ca, an attacker can pose as the server.",
        ),
];

pub(super) const MARIADB_ONLY: &[Key] = &[Key::debezium("database.ssl.mode", Kind::String)
    .default("disable")
    .at(MARIADB_GROUP, 14)
    .shown("SSL mode", Width::Medium)
    .one_of(MARIADB_SSL_MODES, &[Check::OneOf(MARIADB_SSL_MODES)])
    .doc(
        "Whether connections use TLS: disable (never), trust (always, without verifying the server), verify-ca (the server's certificate must come from an authority in database.ssl.truststore), verify-full (it must also carry the host name). Before verify-ca, an attacker can pose as the server.",
    )];
