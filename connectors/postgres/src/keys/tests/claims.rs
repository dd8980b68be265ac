//! Checks what each key claims of itself against the typed settings that are read from it.
//!
//! That the fields of the typed settings are used is left to the compiler: nobody outside of the crate can name those structs,
//! so a field that no code reads is a warning, which CI forbids. (It cannot see that of the structs that all databases share,
//! which are `relational`'s.)

use relational::claims::{Case, Claims, Example, Held};

use super::{KEYS, PostgresConfig};

const CLAIMS: Claims = Claims {
    def: &KEYS,
    base: &[("topic.prefix", "t"), ("database.hostname", "h"), ("database.user", "u"), ("database.dbname", "d")],
    made: |properties| {
        PostgresConfig::read_with_findings(properties).map(|(config, findings)| (format!("{config:?}"), findings))
    },
    examples: EXAMPLES,
    cases: CASES,
    without_others: &[],
    of_runtime: &[],
};

const EXAMPLES: &[Example] = &[
    ("topic.naming.strategy", "topic.naming.strategy", "io.debezium.schema.DefaultTopicNamingStrategy", &[]),
    ("slot.stream.params", "slot.stream.params", "origin=none", &[]),
    ("replica.identity.autoset.values", "replica.identity.autoset.values", "public.a:FULL", &[]),
    ("database.sslfactory", "database.sslfactory", "org.postgresql.ssl.NonValidatingFactory", &[]),
];

const CASES: &[Case] = &[
    (
        "post.processors.p.type",
        "com.example.Mine",
        &[("post.processors", "p"), ("p.type", relational::reselect::CLASS)],
        Held::RefusedByItsForm,
    ),
    ("post.processors.p.type", "com.example.Mine", &[], Held::Silent),
    ("database.channelBinding", "require", &[], Held::Refused),
    ("database.channelBinding", "prefer", &[], Held::NoEffect),
    ("driver.socketFactory", "com.google.cloud.sql.postgres.SocketFactory", &[], Held::Refused),
    ("driver.gssEncMode", "disable", &[], Held::NoEffect),
    ("database.server.name", "older names are spoken of elsewhere", &[], Held::Silent),
    ("database.options", "-c a=b", &[], Held::Works),
    ("driver.options", "-c a=b", &[], Held::Works),
];

#[test]
fn every_key_does_what_it_claims() {
    CLAIMS.every_key();
}

#[test]
fn cases() {
    CLAIMS.cases();
}

#[test]
fn texts_are_sentences() {
    CLAIMS.texts();
}
