//! Checks what each key claims of itself against the typed settings that are read from it.
//!
//! A key that works changes the typed settings; a key without effect changes nothing in them; a key that is refused is an
//! error that says why and what to do. That the fields of the typed settings are used is left to the compiler: nobody outside
//! of the crate can name those structs, so a field that no code reads is a warning, which CI forbids.

use settings::{Check, Key, Kind, Properties, Support};

use super::{KEYS, PostgresConfig};

const BASE: &[(&str, &str)] =
    &[("topic.prefix", "t"), ("database.hostname", "h"), ("database.user", "u"), ("database.dbname", "d")];

const REGEX: &[(&str, &str)] = &[
    ("topic.naming.strategy", "io.debezium.schema.SchemaRegexTopicNamingStrategy"),
    ("topic.regex", "t.(.*)"),
    ("topic.replacement", "$1"),
];
const KEY_FIELD: &[(&str, &str)] = &[
    ("topic.naming.strategy", "io.debezium.schema.SchemaRegexTopicNamingStrategy"),
    ("topic.regex", "t.(.*)"),
    ("topic.replacement", "$1"),
    ("topic.key.field.regex", "t.(.*)"),
    ("topic.key.field.replacement", "$1"),
];

const RESELECT: &str = relational::reselect::CLASS;
const PROCESSOR: Settings = &[("post.processors", "p"), ("post.processors.p.type", RESELECT)];

const BY_FLAGS: &[(&str, &str)] = &[("snapshot.mode", "configuration_based")];

/// Keys and their values.
type Settings = &'static [(&'static str, &'static str)];

/// Keys whose example value cannot be made from their kind: title, name, value, and what else must be set.
const EXAMPLES: &[(&str, &str, &str, Settings)] = &[
    ("topic.naming.strategy", "topic.naming.strategy", "io.debezium.schema.DefaultTopicNamingStrategy", &[]),
    ("topic.regex", "topic.regex", "x(.*)", REGEX),
    ("topic.replacement", "topic.replacement", "x", REGEX),
    ("topic.key.enforce.uniqueness", "topic.key.enforce.uniqueness", "false", REGEX),
    ("topic.key.field.name", "topic.key.field.name", "f", REGEX),
    ("topic.key.field.regex", "topic.key.field.regex", "x(.*)", KEY_FIELD),
    ("topic.key.field.replacement", "topic.key.field.replacement", "x", KEY_FIELD),
    (
        "snapshot.mode.configuration.based.snapshot.data",
        "snapshot.mode.configuration.based.snapshot.data",
        "true",
        BY_FLAGS,
    ),
    (
        "snapshot.mode.configuration.based.snapshot.schema",
        "snapshot.mode.configuration.based.snapshot.schema",
        "true",
        BY_FLAGS,
    ),
    (
        "snapshot.mode.configuration.based.start.stream",
        "snapshot.mode.configuration.based.start.stream",
        "true",
        BY_FLAGS,
    ),
    (
        "snapshot.mode.configuration.based.snapshot.on.data.error",
        "snapshot.mode.configuration.based.snapshot.on.data.error",
        "true",
        BY_FLAGS,
    ),
    ("slot.stream.params", "slot.stream.params", "origin=none", &[]),
    ("replica.identity.autoset.values", "replica.identity.autoset.values", "public.a:FULL", &[]),
    ("message.key.columns", "message.key.columns", "public.a:id", &[]),
    ("skipped.operations", "skipped.operations", "c", &[]),
    ("database.sslfactory", "database.sslfactory", "org.postgresql.ssl.NonValidatingFactory", &[]),
    ("custom.sanitize.pattern", "custom.sanitize.pattern", "[", &[]),
    ("signal.enabled.channels", "signal.enabled.channels", "source", &[]),
    ("notification.enabled.channels", "notification.enabled.channels", "sink", &[("notification.sink.topic.name", "")]),
    (
        "snapshot.select.statement.overrides.<table>",
        "snapshot.select.statement.overrides.public.a",
        "SELECT 1",
        &[("snapshot.select.statement.overrides", "public.a")],
    ),
    ("snapshot.max.threads.multiplier.<table>", "snapshot.max.threads.multiplier.public.a", "2", &[]),
    ("column.mask.hash.<digest>.with.salt.<salt>", "column.mask.hash.SHA-256.with.salt.x", "public.a.b", &[]),
    ("column.mask.with.<n>.chars", "column.mask.with.5.chars", "public.a.b", &[]),
    ("column.truncate.to.<n>.chars", "column.truncate.to.5.chars", "public.a.b", &[]),
    ("column.mask.<form>", "column.mask.with.five.chars", "public.a.b", &[]),
    ("column.truncate.<form>", "column.truncate.to.chars", "public.a.b", &[]),
    ("post.processors", "post.processors", "p", &[("post.processors.p.type", RESELECT)]),
    (
        "post.processors.<name>.type",
        "post.processors.p.type",
        RESELECT,
        &[("post.processors", "p"), ("p.type", RESELECT)],
    ),
    (
        "post.processors.<name>.reselect.columns.include.list",
        "post.processors.p.reselect.columns.include.list",
        "public.t:a",
        PROCESSOR,
    ),
    (
        "post.processors.<name>.reselect.columns.exclude.list",
        "post.processors.p.reselect.columns.exclude.list",
        "public.t:a",
        PROCESSOR,
    ),
    (
        "post.processors.<name>.reselect.unavailable.values",
        "post.processors.p.reselect.unavailable.values",
        "false",
        PROCESSOR,
    ),
    ("post.processors.<name>.reselect.null.values", "post.processors.p.reselect.null.values", "false", PROCESSOR),
    ("post.processors.<name>.reselect.use.event.key", "post.processors.p.reselect.use.event.key", "true", PROCESSOR),
    (
        "post.processors.<name>.reselect.error.handling.mode",
        "post.processors.p.reselect.error.handling.mode",
        "fail",
        PROCESSOR,
    ),
    ("post.processors.<name>.<option>", "post.processors.p.reselect.cache", "true", &[]),
    ("signal.consumer.<property>", "signal.consumer.group.id", "g", &[]),
    ("database.<property>", "database.loginTimeout", "5", &[]),
    ("driver.<property>", "driver.socketTimeout", "5", &[]),
];

/// Values that a key treats differently from others: name, value, what else must be set, and what must come of it.
const CASES: &[(&str, &str, Settings, Held)] = &[
    ("signal.enabled.channels", "source, kafka", &[], Held::Refused),
    ("notification.enabled.channels", "log", &[], Held::NoEffect),
    ("notification.enabled.channels", "sink", &[("notification.sink.topic.name", "n")], Held::Refused),
    ("snapshot.query.mode", "custom", &[("snapshot.query.mode.custom.name", "q")], Held::Refused),
    ("snapshot.locking.mode", "custom", &[("snapshot.locking.mode.custom.name", "q")], Held::Refused),
    ("database.channelBinding", "require", &[], Held::Refused),
    ("database.channelBinding", "prefer", &[], Held::NoEffect),
    ("driver.socketFactory", "com.google.cloud.sql.postgres.SocketFactory", &[], Held::Refused),
    ("driver.gssEncMode", "disable", &[], Held::NoEffect),
    ("database.server.name", "older names are spoken of elsewhere", &[], Held::Silent),
    ("database.options", "-c a=b", &[], Held::Works),
    ("driver.options", "-c a=b", &[], Held::Works),
    ("column.mask.hash.v2.SHA-256.with.salt.x", "a.b.c", &[], Held::Works),
    ("column.mask.hash.SHA256.with.salt.x", "a.b.c", &[], Held::Works),
    ("column.mask.hash.ROT13.with.salt.x", "a.b.c", &[], Held::RefusedByItsForm),
    ("column.mask.hash.SHA-256.with.salt.", "a.b.c", &[], Held::Refused),
    ("column.truncate.to.1.5.chars", "a.b.c", &[], Held::Refused),
    (
        "post.processors.p.type",
        "com.example.Mine",
        &[("post.processors", "p"), ("p.type", RESELECT)],
        Held::RefusedByItsForm,
    ),
    ("post.processors.p.type", "com.example.Mine", &[], Held::Silent),
    ("max.batch.size", "02048", &[], Held::Silent),
    ("tombstones.on.delete", "true", &[], Held::Silent),
];

/// What setting a value does.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Held {
    Works,
    NoEffect,
    Refused,
    /// Refused by the code that reads the value, not by the key's claim.
    RefusedByItsForm,
    /// Changes nothing and gives no warning here: the value is the default, or [`super::warnings`] speaks of the name.
    Silent,
}

fn properties(beside: &[(&str, &str)]) -> Properties {
    BASE.iter().chain(beside).copied().collect()
}

/// A text of all that the connector is made from: typed settings and findings, the records' headers, the source partition.
fn made(properties: &Properties) -> Result<String, Vec<settings::Invalid>> {
    let (config, findings) = PostgresConfig::read_with_findings(properties)?;
    // The run's id differs each time.
    let headers: Vec<_> = crate::headers(properties).into_iter().filter(|(name, _)| !name.ends_with("runId")).collect();
    Ok(format!("{config:?} {findings:?} {headers:?} {:?}", crate::partition(properties)))
}

#[track_caller]
fn check(name: &str, value: &str, beside: &[(&str, &str)], held: Held) {
    let without = properties(beside);
    let mut with = without.clone();
    with.insert(name, value);
    let before = made(&without).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let said = KEYS.without_effect("", &with).into_iter().any(|finding| finding.key == name);
    let refused = KEYS.refused("", &with);
    assert_eq!(said, held == Held::NoEffect, "{name}={value}: the warning of a key without effect");
    assert_eq!(!refused.is_empty(), held == Held::Refused, "{name}={value}: {refused:?}");
    match made(&with) {
        Ok(after) => {
            assert!(!matches!(held, Held::Refused | Held::RefusedByItsForm), "{name}={value} is taken");
            assert_eq!(after != before, held == Held::Works, "{name}={value}: whether code reads it");
        }
        Err(invalid) => {
            assert!(matches!(held, Held::Refused | Held::RefusedByItsForm), "{name}={value}: {invalid:?}");
            assert!(invalid.iter().all(|i| i.key == name), "{name}={value}: {invalid:?}");
            assert!(held == Held::RefusedByItsForm || invalid == refused, "{name}={value}: {invalid:?}");
            let shown = KEYS.validate(&with).into_iter().find(|c| c.name == name).map_or(0, |c| c.errors.len());
            assert!(held == Held::RefusedByItsForm || shown == 1, "{name}={value} shows {shown} errors over REST");
        }
    }
}

/// A value other than the default, by the key's kind.
fn other(key: &Key) -> String {
    for check in key.checks {
        match check {
            Check::OneOf(values) => {
                let other = values
                    .iter()
                    .rev()
                    .find(|value| !key.default.unwrap_or_default().eq_ignore_ascii_case(value) && **value != "custom");
                return (*other.unwrap()).to_owned();
            }
            Check::Pairs => return "a=b".to_owned(),
            _ => {}
        }
    }
    match key.kind {
        Kind::Boolean => (key.default != Some("true")).to_string(),
        Kind::Int | Kind::Short | Kind::Long => {
            (key.default.map_or(6, |default| default.parse::<i64>().unwrap()) + 1).to_string()
        }
        Kind::Class => "com.example.Other".to_owned(),
        _ => "other".to_owned(),
    }
}

fn claim(key: &Key) -> Held {
    match key.support {
        Support::Works => Held::Works,
        Support::NoEffect(_) => Held::NoEffect,
        Support::Refused(..) => Held::Refused,
        // The special values are in CASES; any other value works.
        Support::Partly(_) => Held::Works,
    }
}

#[test]
fn every_key_does_what_it_claims() {
    for key in KEYS.keys().filter(|key| !PARTLY_WITHOUT_OTHERS.contains(&key.title())) {
        let listed = key.family.filter(|form| *form != key.name && !form.starts_with("column."));
        if listed.is_some() {
            // The name itself is a key too, beside its family.
            check(key.name, &other(key), &[], claim(key));
        }
        if let Some((_, name, value, beside)) = EXAMPLES.iter().find(|(title, ..)| *title == key.title()) {
            check(name, value, beside, claim(key));
        } else {
            assert!(key.family.is_none(), "{} needs an example", key.title());
            check(key.name, &other(key), &[], claim(key));
        }
    }
}

/// Keys that have no other values than the default and those in [`CASES`].
const PARTLY_WITHOUT_OTHERS: &[&str] = &[
    "signal.enabled.channels",
    "notification.enabled.channels",
    "snapshot.query.mode",
    "database.<property>",
    "driver.<property>",
];

#[test]
fn cases() {
    for (name, value, beside, held) in CASES {
        check(name, value, beside, *held);
    }
    for key in KEYS.keys().filter(|key| matches!(key.support, Support::Partly(_))) {
        let has_cases =
            CASES.iter().any(|(name, ..)| KEYS.find(name).is_some_and(|found| found.title() == key.title()));
        assert!(has_cases, "{} behaves by its value and has no case", key.title());
    }
}

#[test]
fn texts_are_sentences() {
    fn walk(title: &str, support: Support) {
        match support {
            Support::Works => {}
            Support::NoEffect(why) => assert!(!why.is_empty() && !why.ends_with('.'), "{title}: {why}"),
            Support::Refused(why, instead) => {
                assert!(!why.is_empty() && !why.ends_with('.') && instead.ends_with('.'), "{title}: {why} {instead}");
            }
            Support::Partly(cases) => cases.iter().for_each(|(_, support)| walk(title, *support)),
        }
    }
    for key in KEYS.keys() {
        walk(key.title(), key.support);
    }
}
