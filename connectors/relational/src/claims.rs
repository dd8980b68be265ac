//! For the tests of connectors: holds what each key claims of itself against what is read from it.
//!
//! Purpose: a key that works changes what the connector is made from; a key without effect changes nothing in it; a key that is
//! refused is an error that says why and what to do. Two connectors share most of their keys, and so they share the examples
//! and this check.
//!
//! Must not know: which connector is tested.

#![allow(
    clippy::missing_panics_doc,
    clippy::unwrap_used,
    clippy::panic,
    reason = "it is code of tests: a panic is a failed test"
)]

use settings::{Check, Def, Finding, Invalid, Key, Kind, Properties, Support};

use crate::{reselect, shell};

/// Keys and their values.
pub type Settings = &'static [(&'static str, &'static str)];

/// An example of a key whose value cannot be made from its kind: the key's title, a name, a value, and what else must be set.
pub type Example = (&'static str, &'static str, &'static str, Settings);

/// A value that a key treats differently from others: name, value, what else must be set, and what must come of it.
pub type Case = (&'static str, &'static str, Settings, Held);

/// A text of all that a connector alone makes of a config, and its findings; or what it refuses.
pub type Made = Result<(String, Vec<Finding>), Vec<Invalid>>;

/// What setting a value does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Held {
    /// It changes what the connector is made from.
    Works,
    /// It changes nothing, and a warning says so.
    NoEffect,
    /// It is refused as the key claims.
    Refused,
    /// It is refused by the code that reads the value, not by the key's claim.
    RefusedByItsForm,
    /// It changes nothing and gives no warning here: the value is the default, or the list of older names speaks of it.
    Silent,
    /// It is read by the runtime, outside of the connector: it changes nothing here and gives no warning.
    OfRuntime,
}

/// What is held against each other.
#[derive(Debug)]
pub struct Claims {
    /// The connector's keys.
    pub def: &'static Def,
    /// A config that is read without errors.
    pub base: Settings,
    /// What the connector makes of a config.
    pub made: fn(&Properties) -> Made,
    /// Examples beside [`EXAMPLES`].
    pub examples: &'static [Example],
    /// Cases beside [`CASES`].
    pub cases: &'static [Case],
    /// Titles of keys that have no other values than the default and those in cases.
    pub without_others: &'static [&'static str],
    /// Titles of keys that the runtime reads.
    pub of_runtime: &'static [&'static str],
}

const REGEX: Settings = &[
    ("topic.naming.strategy", "io.debezium.schema.SchemaRegexTopicNamingStrategy"),
    ("topic.regex", "t.(.*)"),
    ("topic.replacement", "$1"),
];
const KEY_FIELD: Settings = &[
    ("topic.naming.strategy", "io.debezium.schema.SchemaRegexTopicNamingStrategy"),
    ("topic.regex", "t.(.*)"),
    ("topic.replacement", "$1"),
    ("topic.key.field.regex", "t.(.*)"),
    ("topic.key.field.replacement", "$1"),
];
const PROCESSOR: Settings = &[("post.processors", "p"), ("post.processors.p.type", reselect::CLASS)];
const BY_FLAGS: Settings = &[("snapshot.mode", "configuration_based")];

/// Examples of keys that connectors share.
pub const EXAMPLES: &[Example] = &[
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
    ("message.key.columns", "message.key.columns", "public.a:id", &[]),
    ("skipped.operations", "skipped.operations", "c", &[]),
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
    ("post.processors", "post.processors", "p", &[("post.processors.p.type", reselect::CLASS)]),
    (
        "post.processors.<name>.type",
        "post.processors.p.type",
        reselect::CLASS,
        &[("post.processors", "p"), ("p.type", reselect::CLASS)],
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
];

/// Cases of keys that connectors share.
pub const CASES: &[Case] = &[
    ("signal.enabled.channels", "source, kafka", &[], Held::Refused),
    ("notification.enabled.channels", "log", &[], Held::NoEffect),
    ("notification.enabled.channels", "sink", &[("notification.sink.topic.name", "n")], Held::Refused),
    ("snapshot.query.mode", "custom", &[("snapshot.query.mode.custom.name", "q")], Held::Refused),
    ("snapshot.locking.mode", "custom", &[("snapshot.locking.mode.custom.name", "q")], Held::Refused),
    ("column.mask.hash.v2.SHA-256.with.salt.x", "a.b.c", &[], Held::Works),
    ("column.mask.hash.SHA256.with.salt.x", "a.b.c", &[], Held::Works),
    ("column.mask.hash.ROT13.with.salt.x", "a.b.c", &[], Held::RefusedByItsForm),
    ("column.mask.hash.SHA-256.with.salt.", "a.b.c", &[], Held::Refused),
    ("column.truncate.to.1.5.chars", "a.b.c", &[], Held::Refused),
    ("max.batch.size", "02048", &[], Held::Silent),
    ("tombstones.on.delete", "true", &[], Held::Silent),
];

/// Titles of shared keys that have no other values than the default and those in cases.
const WITHOUT_OTHERS: &[&str] = &[
    "signal.enabled.channels",
    "notification.enabled.channels",
    "snapshot.query.mode",
    "database.<property>",
    "driver.<property>",
];

impl Claims {
    /// Sets each key to another value than its default.
    pub fn every_key(&self) {
        let plain = self.plain();
        let without_others =
            |key: &Key| WITHOUT_OTHERS.iter().chain(self.without_others).any(|title| *title == key.title());
        for key in self.def.keys().filter(|key| !without_others(key)) {
            let listed = key.family.filter(|form| *form != key.name && !form.starts_with("column."));
            if listed.is_some() {
                // The name itself is a key too, beside its family.
                self.check(&plain, key.name, &other(key), &[], self.claim(key));
            }
            let example = self.examples.iter().chain(EXAMPLES).find(|(title, ..)| *title == key.title());
            if let Some((_, name, value, beside)) = example {
                self.check(&plain, name, value, beside, self.claim(key));
            } else {
                assert!(key.family.is_none(), "{} needs an example", key.title());
                self.check(&plain, key.name, &other(key), &[], self.claim(key));
            }
        }
    }

    /// Sets the values that a key treats differently from others.
    pub fn cases(&self) {
        let plain = self.plain();
        let cases = || self.cases.iter().chain(CASES);
        for (name, value, beside, held) in cases() {
            self.check(&plain, name, value, beside, *held);
        }
        for key in self.def.keys().filter(|key| matches!(key.support, Support::Partly(_))) {
            let has_cases =
                cases().any(|(name, ..)| self.def.find(name).is_some_and(|found| found.title() == key.title()));
            assert!(has_cases, "{} behaves by its value and has no case", key.title());
        }
    }

    /// Looks at the texts that say why.
    pub fn texts(&self) {
        fn walk(title: &str, support: Support) {
            match support {
                Support::Works => {}
                Support::NoEffect(why) => assert!(!why.is_empty() && !why.ends_with('.'), "{title}: {why}"),
                Support::Refused(why, instead) => {
                    assert!(
                        !why.is_empty() && !why.ends_with('.') && instead.ends_with('.'),
                        "{title}: {why} {instead}"
                    );
                }
                Support::Partly(cases) => cases.iter().for_each(|(_, support)| walk(title, *support)),
            }
        }
        for key in self.def.keys() {
            walk(key.title(), key.support);
        }
    }

    /// What the connector is made from, with the records' headers and the source partition.
    fn made(&self, properties: &Properties) -> Result<String, Vec<Invalid>> {
        let (config, findings) = (self.made)(properties)?;
        // The run's id differs each time.
        let headers: Vec<_> =
            shell::headers(properties, "").into_iter().filter(|(name, _)| !name.ends_with("runId")).collect();
        Ok(format!("{config} {findings:?} {headers:?} {:?}", shell::partition(properties)))
    }

    /// What is made of the base alone.
    fn plain(&self) -> String {
        self.made(&self.base.iter().copied().collect()).unwrap_or_else(|e| panic!("the base: {e:?}"))
    }

    /// `plain` is what is made of the base alone, which takes a while.
    #[track_caller]
    fn check(&self, plain: &str, name: &str, value: &str, beside: &[(&str, &str)], held: Held) {
        let def = self.def;
        let without: Properties = self.base.iter().chain(beside).copied().collect();
        let mut with = without.clone();
        with.insert(name, value);
        let before = if beside.is_empty() {
            plain.to_owned()
        } else {
            self.made(&without).unwrap_or_else(|e| panic!("{name}: {e:?}"))
        };
        let said = def.without_effect("", &with).into_iter().any(|finding| finding.key == name);
        let refused = def.refused("", &with);
        assert_eq!(said, held == Held::NoEffect, "{name}={value}: the warning of a key without effect");
        assert_eq!(!refused.is_empty(), held == Held::Refused, "{name}={value}: {refused:?}");
        match self.made(&with) {
            Ok(after) => {
                assert!(!matches!(held, Held::Refused | Held::RefusedByItsForm), "{name}={value} is taken");
                assert_eq!(after != before, held == Held::Works, "{name}={value}: whether code reads it");
            }
            Err(invalid) => {
                assert!(matches!(held, Held::Refused | Held::RefusedByItsForm), "{name}={value}: {invalid:?}");
                assert!(invalid.iter().all(|i| i.key == name), "{name}={value}: {invalid:?}");
                assert!(held == Held::RefusedByItsForm || invalid == refused, "{name}={value}: {invalid:?}");
                let shown = def.validate(&with).into_iter().find(|c| c.name == name).map_or(0, |c| c.errors.len());
                assert!(held == Held::RefusedByItsForm || shown == 1, "{name}={value} shows {shown} errors over REST");
            }
        }
    }

    fn claim(&self, key: &Key) -> Held {
        match key.support {
            _ if self.of_runtime.contains(&key.title()) => Held::OfRuntime,
            // The special values of a key that works partly are cases; any other value works.
            Support::Works | Support::Partly(_) => Held::Works,
            Support::NoEffect(_) => Held::NoEffect,
            Support::Refused(..) => Held::Refused,
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
