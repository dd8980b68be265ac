//! Checks what each key claims of itself against the typed settings that are read from it.
//!
//! Where the schema history lies is read by the runtime; its own tests hold those keys.

use relational::claims::{Case, Claims, Example, Held, Made, Settings};
use settings::{Properties, Secret};

use super::{MARIADB, MYSQL};
use crate::Flavour;
use crate::config::MySqlConfig;

const BASE: Settings =
    &[("topic.prefix", "t"), ("database.hostname", "h"), ("database.user", "u"), ("database.server.id", "1")];

const OF_MYSQL: Claims = Claims {
    def: &MYSQL,
    base: BASE,
    made: |properties| made(Flavour::MySql, properties),
    examples: EXAMPLES,
    cases: CASES,
    without_others: &["schema.history.internal"],
    of_runtime: OF_RUNTIME,
};

const OF_MARIADB: Claims = Claims { def: &MARIADB, made: |properties| made(Flavour::MariaDb, properties), ..OF_MYSQL };

/// The typed settings as a text, with the secrets, which are not printed otherwise.
fn made(flavour: Flavour, properties: &Properties) -> Made {
    let (config, findings) = MySqlConfig::read_with_findings(flavour, properties)?;
    let options = &config.connection.options;
    let secrets = [&options.password, &options.keystore_password, &options.truststore_password].map(Secret::reveal);
    Ok((format!("{config:?} {secrets:?}"), findings))
}

const OF_RUNTIME: &[&str] = &[
    "schema.history.internal.kafka.topic",
    "schema.history.internal.kafka.bootstrap.servers",
    "schema.history.internal.kafka.recovery.poll.interval.ms",
    "schema.history.internal.kafka.recovery.attempts",
    "schema.history.internal.kafka.query.timeout.ms",
    "schema.history.internal.kafka.create.timeout.ms",
    "schema.history.internal.name",
    "schema.history.internal.file.filename",
    "schema.history.internal.producer.<property>",
    "schema.history.internal.consumer.<property>",
];

const EXAMPLES: &[Example] = &[
    // One millisecond more than the default would not show: the server is asked for 0.8 of it.
    ("connect.keep.alive.interval.ms", "connect.keep.alive.interval.ms", "10000", &[]),
    ("topic.naming.strategy", "topic.naming.strategy", "io.debezium.schema.DefaultUnicodeTopicNamingStrategy", &[]),
    (
        "snapshot.mode.configuration.based.snapshot.on.schema.error",
        "snapshot.mode.configuration.based.snapshot.on.schema.error",
        "true",
        &[("snapshot.mode", "configuration_based")],
    ),
    (
        "converters",
        "converters",
        "c",
        &[("c.type", "io.debezium.connector.binlog.converters.TinyIntOneToBooleanConverter")],
    ),
    ("driver.connectionTimeZone", "driver.connectionTimeZone", "Europe/Berlin", &[]),
    ("database.connectionTimeZone", "database.connectionTimeZone", "Europe/Berlin", &[]),
    ("driver.timezone", "driver.timezone", "Europe/Berlin", &[]),
    ("database.timezone", "database.timezone", "Europe/Berlin", &[]),
    ("schema.history.internal.producer.<property>", "schema.history.internal.producer.linger.ms", "1", &[]),
    ("schema.history.internal.consumer.<property>", "schema.history.internal.consumer.fetch.min.bytes", "2", &[]),
    ("schema.history.internal.<property>", "schema.history.internal.redis.address", "r:1", &[]),
];

const CASES: &[Case] = &[
    ("schema.history.internal", "io.debezium.storage.file.history.FileSchemaHistory", &[], Held::OfRuntime),
    ("schema.history.internal", "io.debezium.relational.history.MemorySchemaHistory", &[], Held::OfRuntime),
    ("schema.history.internal", "io.debezium.storage.s3.history.S3SchemaHistory", &[], Held::Refused),
    ("event.deserialization.failure.handling.mode", "skip", &[], Held::NoEffect),
    ("snapshot.locking.mode", "custom", &[], Held::Refused),
    ("database.useSSL", "true", &[], Held::Refused),
    ("driver.trustStore", "/t.p12", &[], Held::Refused),
    ("driver.sessionVariables", "sql_mode=ANSI", &[], Held::Refused),
    ("database.serverTimezone", "UTC", &[], Held::Refused),
    ("database.useCompression", "true", &[], Held::NoEffect),
    ("driver.useCompression", "true", &[], Held::NoEffect),
    ("database.server.name", "older names are spoken of elsewhere", &[], Held::Silent),
    ("database.history.kafka.topic", "older names are spoken of elsewhere", &[], Held::Silent),
];

#[test]
fn every_key_of_mysql_does_what_it_claims() {
    OF_MYSQL.every_key();
}

#[test]
fn every_key_of_mariadb_does_what_it_claims() {
    OF_MARIADB.every_key();
}

#[test]
fn cases() {
    OF_MYSQL.cases();
    OF_MARIADB.cases();
}

#[test]
fn texts_are_sentences() {
    OF_MYSQL.texts();
    OF_MARIADB.texts();
}
