//! Checks the claims in the tables of keys (worker, connectors, transformations, converters) against the code.
//!
//! A key that claims to work must leave a trace when it is set. The trace is a difference in the typed settings, in the
//! properties for the Kafka clients, or in the transformation or converter. Where the value is read as text, the key's
//! name must appear in code outside of the tables of keys. A key that claims to have no effect must leave no trace.

use std::collections::BTreeMap;
use std::path::Path;

use settings::{Check, Def, Key, Kind, Properties, Support};

use super::keys::{DISTRIBUTED, STANDALONE};
use super::{Layers, WorkerConfig};
use crate::convert;
use crate::runtime::keys::{COMMON, PREDICATE, TRANSFORM};
use crate::sink::properties::{self, Client};
use crate::sink::transactional::{USUAL_TIMEOUT, transactional_producer};

const WORKER: &[(&str, &str)] = &[
    ("bootstrap.servers", "k:1"),
    ("group.id", "g"),
    ("key.converter", "Json"),
    ("value.converter", "Json"),
    ("config.storage.topic", "c"),
    ("offset.storage.topic", "o"),
    ("status.storage.topic", "s"),
];

/// Keys and their values.
type Settings = &'static [(&'static str, &'static str)];

/// Other settings that a key needs before it has an effect, and a value where the key's type does not suggest one.
const BESIDE: &[(&str, Option<&str>, Settings)] = &[
    ("key.converter", Some("StringConverter"), &[]),
    ("value.converter", Some("StringConverter"), &[]),
    ("header.converter", Some("StringConverter"), &[]),
    ("listeners", Some("http://:1"), &[]),
    ("admin.listeners", Some("http://:1"), &[]),
    (
        "rest.extension.classes",
        Some("org.apache.kafka.connect.rest.basic.auth.extension.BasicAuthSecurityRestExtension"),
        &[],
    ),
    ("connector.client.config.override.policy", Some("None"), &[]),
    ("config.providers", Some("env"), ENV),
    ("config.providers.<name>.class", Some("DirectoryConfigProvider"), ENV),
    ("config.providers.<name>.param.<parameter>", Some("A.*"), ENV),
    ("exactly.once.source.support", Some("preparing"), &[]),
    ("metrics.names", Some("f1,f2"), &[]),
    // The signature algorithm must be among the verification algorithms.
    (
        "inter.worker.signature.algorithm",
        Some("HmacSHA512"),
        &[("inter.worker.verification.algorithms", "HmacSHA256,HmacSHA512")],
    ),
    ("inter.worker.verification.algorithms", Some("HmacSHA256,HmacSHA512"), &[]),
    ("sasl.mechanism", Some("SCRAM-SHA-512"), SASL),
    ("sasl.jaas.config", Some("x.PlainLoginModule required username=\"a\" password=\"c\";"), SASL),
    ("sasl.client.callback.handler.class", Some("com.example.Handler"), SASL),
    ("sasl.login.callback.handler.class", Some("com.example.Handler"), SASL),
    ("security.protocol", Some("SSL"), &[]),
    ("ssl.keystore.type", Some("BCFKS"), KEY_STORE),
    ("ssl.truststore.type", Some("BCFKS"), TRUST_STORE),
    ("ssl.keystore.password", Some("x"), KEY_STORE),
    ("ssl.key.password", Some("x"), KEY_STORE),
    ("ssl.truststore.password", Some("x"), TRUST_STORE),
    ("ssl.truststore.location", Some("/k.pem"), &[("security.protocol", "SSL")]),
    ("ssl.enabled.protocols", Some("TLSv1.3"), &[("security.protocol", "SSL")]),
];
const ENV: &[(&str, &str)] = &[
    ("config.providers", "e"),
    ("config.providers.e.class", "EnvVarConfigProvider"),
    ("config.providers.env.class", "EnvVarConfigProvider"),
];
const KEY_STORE: &[(&str, &str)] = &[
    ("security.protocol", "SSL"),
    ("ssl.keystore.location", concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/tests/data/client.jks")),
];
const TRUST_STORE: &[(&str, &str)] = &[
    ("security.protocol", "SSL"),
    ("ssl.truststore.location", concat!(env!("CARGO_MANIFEST_DIR"), "/certificates/tests/data/trust.jks")),
];
/// A login by tokens.
const TOKENS: &[(&str, &str)] = &[
    ("security.protocol", "SASL_SSL"),
    ("sasl.mechanism", "OAUTHBEARER"),
    ("sasl.jaas.config", "x.OAuthBearerLoginModule required clientId=\"a\" clientSecret=\"b\";"),
    ("sasl.oauthbearer.token.endpoint.url", "https://h/token"),
];
const SASL: &[(&str, &str)] = &[
    ("security.protocol", "SASL_SSL"),
    ("sasl.mechanism", "PLAIN"),
    ("sasl.jaas.config", "x.PlainLoginModule required username=\"a\" password=\"b\";"),
];

/// All code except tables of keys, tests and comments.
fn code() -> String {
    fn read(dir: &Path, into: &mut String) {
        for entry in std::fs::read_dir(dir).expect("a folder of this repository").flatten() {
            let path = entry.path();
            let name = entry.file_name().to_string_lossy().into_owned();
            if path.is_dir() {
                read(&path, into);
            } else if path.extension().is_some_and(|ends| ends == "rs")
                && !["keys.rs", "claims.rs", "tests.rs", "reference.rs"].contains(&&*name)
            {
                let text = std::fs::read_to_string(&path).expect("a file of this repository");
                let text = text.split("\nmod tests {").next().unwrap_or_default();
                for line in text.lines().filter(|line| !line.trim_start().starts_with("//")) {
                    into.push_str(line);
                    into.push('\n');
                }
            }
        }
    }
    let mut all = String::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("transforms/src"), &mut all);
    all
}

/// Whether the code has `key` as a whole string literal, or the constant part of its family.
fn is_named(code: &str, key: &Key) -> bool {
    let name = key.family.unwrap_or(key.name);
    let (before, family) = name.split_once('<').map_or((name, false), |(before, _)| (before, true));
    // Keys such as `<role>.converter.` are put together at run time from the name of another key.
    let whole = format!("\"{before}\"");
    let start = format!("\"{before}");
    let stem = format!("\"{}\"", before.trim_end_matches('.'));
    if family { code.contains(&start) || code.contains(&stem) } else { code.contains(&whole) }
}

fn example(key: &Key) -> String {
    for check in key.checks {
        if let Check::OneOfExactly(values) | Check::OneOfAnyCase(values) = check {
            let other = values.iter().find(|value| !key.default.unwrap_or_default().eq_ignore_ascii_case(value));
            return other.map_or_else(String::new, |value| (*value).to_owned());
        }
    }
    match key.kind {
        Kind::Boolean => (key.default != Some("true")).to_string(),
        Kind::Int | Kind::Short | Kind::Long => {
            (key.default.and_then(|default| default.parse::<i64>().ok()).unwrap_or(80) + 1).to_string()
        }
        _ => "other".to_owned(),
    }
}

fn flags(pairs: &[(&str, &str)]) -> Vec<(String, String, String)> {
    let mut flags: Vec<(String, String, String)> = Vec::new();
    for (key, value) in pairs {
        flags.retain(|(known, ..)| known != key);
        flags.push(((*key).to_owned(), (*value).to_owned(), "test".to_owned()));
    }
    flags
}

/// Everything that is made from a worker's settings, or the errors for the keys that are refused.
fn worker(pairs: &[(&str, &str)]) -> Result<String, Vec<String>> {
    let layers = Layers::read(false, None, Vec::new(), &flags(pairs)).expect("layers");
    let mut config = WorkerConfig::read(&layers, false)
        .map_err(|errors| errors.iter().map(ToString::to_string).collect::<Vec<_>>())?;
    let set: BTreeMap<String, String> = std::mem::take(&mut config.properties)
        .iter()
        .filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned())))
        .collect();
    let clients: Vec<String> = [Client::Admin, Client::Consumer, Client::Producer]
        .map(|kind| properties::internal(kind, &set))
        .iter()
        .map(|mapped| format!("{:?} {:?}", mapped.client, mapped.refusals))
        .collect();
    let producer = properties::producer("", &properties::under("producer.", &set), &properties::Properties::new());
    Ok(format!("{config:?} {clients:?} {:?} {}", producer.client, layers.log_level()))
}

#[test]
fn every_worker_key_does_what_it_claims() {
    let code = code();
    let mut wrong = Vec::new();
    for key in DISTRIBUTED.keys() {
        let (value, beside) = BESIDE
            .iter()
            .find(|(title, ..)| *title == key.title())
            .map_or((None, &[][..]), |(_, value, beside)| (*value, *beside));
        let value = value.map_or_else(|| example(key), str::to_owned);
        let name = match key.title() {
            "producer.<property>" => "producer.linger.ms".to_owned(),
            "config.providers.<name>.class" => "config.providers.e.class".to_owned(),
            "config.providers.<name>.param.<parameter>" => "config.providers.e.param.allowlist.pattern".to_owned(),
            title => title.replace(['<', '>'], ""),
        };
        let ssl = if key.name.starts_with("ssl.") { &[("security.protocol", "SSL")][..] } else { &[] };
        let base: Vec<(&str, &str)> = WORKER.iter().chain(ssl).chain(beside).copied().collect();
        let value = if name == "producer.linger.ms" { "7".to_owned() } else { value };
        let before = worker(&base).unwrap_or_else(|e| panic!("{name}: {e:?}"));
        let after = worker(&[&base[..], &[(&*name, &*value)]].concat());
        let leaves_a_trace = after != Ok(before) || is_named(&code, key);
        let changes = matches!(&after, Ok(after) if Ok(after) != worker(&base).as_ref());
        let fine = match key.support {
            Support::Works | Support::Partly(_) => leaves_a_trace,
            Support::NoEffect(_) => after.is_ok() && !changes,
            Support::Refused(..) => after.is_err(),
        };
        if !fine {
            wrong.push(format!("{name}={value} claims {:?}: {after:?}", key.support));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    let alone = STANDALONE.keys().find(|key| DISTRIBUTED.get(key.name).is_none()).expect("the file of the offsets");
    assert_eq!(alone.name, "offset.storage.file.filename");
}

#[test]
fn every_common_key_is_read() {
    let code = code();
    let mut missing = Vec::new();
    for key in COMMON.keys().chain(TRANSFORM.keys()).chain(PREDICATE.keys()) {
        let claims = matches!(key.support, Support::Works | Support::Partly(_));
        // These keys are put together from a prefix and the name.
        let short =
            key.name == "name" || key.name.ends_with("plugin.version") || key.name.starts_with("topic.creation.<");
        if claims && !short && !is_named(&code, key) {
            missing.push(key.title());
        }
    }
    assert!(missing.is_empty(), "no code reads {missing:?}");
}

/// Each option of a transformation or converter is named where it is read, not only in its table of keys.
#[test]
fn every_option_is_read() {
    let code = code();
    let mut missing = Vec::new();
    let mut look = |class: &str, def: &Def| {
        for key in def.keys().filter(|key| matches!(key.support, Support::Works)) {
            let constant = format!("= \"{}\"", key.name);
            let counted = code.matches(&format!("\"{}\"", key.name)).count();
            // Once in the table of keys, which is in the same file, and once where it is read.
            if counted < 2 && !code.contains(&constant) {
                missing.push(format!("{class}: {}", key.name));
            }
        }
    };
    for kind in transforms::ALL {
        look(kind.class, &kind.keys);
    }
    for kind in transforms::PREDICATES {
        look(kind.class, &kind.keys);
    }
    for entry in convert::ALL {
        look(entry.class, &entry.keys);
    }
    assert!(missing.is_empty(), "no code reads {missing:?}");
}

/// Each producer property that claims to work changes what librdkafka gets, or its value is refused.
#[test]
fn every_producer_property_does_what_it_claims() {
    let beside = |name: &str| -> Vec<(&str, &str)> {
        match name {
            "sasl.mechanism" | "sasl.jaas.config" | "sasl.login.class" => SASL.to_vec(),
            name if name.starts_with("sasl.oauthbearer.") || name.starts_with("sasl.login.") => TOKENS.to_vec(),
            "ssl.keystore.type" | "ssl.keystore.password" | "ssl.key.password" => KEY_STORE.to_vec(),
            "ssl.truststore.type" | "ssl.truststore.password" => TRUST_STORE.to_vec(),
            "compression.gzip.level" => vec![("compression.type", "gzip")],
            "compression.zstd.level" => vec![("compression.type", "zstd")],
            name if name.starts_with("ssl.") => vec![("security.protocol", "SSL")],
            name if name.starts_with("sasl.") => SASL.to_vec(),
            _ => Vec::new(),
        }
    };
    let made = |pairs: &[(&str, &str)]| {
        let own = pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let mapped = properties::producer("k:1", &properties::Properties::new(), &own);
        // Works with exactly-once delivery only.
        let once = transactional_producer("k:1", &properties::Properties::new(), &own, "id", USUAL_TIMEOUT).0;
        let lasts = once.client.get("transaction.timeout.ms");
        (
            format!("{:?} {} {:?} {lasts:?}", mapped.client, mapped.max_request_bytes, mapped.refusals),
            mapped.warnings,
            mapped.refusals,
        )
    };
    for (name, support) in properties::support(Client::Producer) {
        let base = beside(name);
        let before = made(&base);
        for value in ["3", "true", "x"] {
            let after = made(&[&base[..], &[(name, value)]].concat());
            match support {
                Support::Works | Support::Partly(_) if after.0 != before.0 => break,
                Support::Works | Support::Partly(_) => assert!(value != "x", "{name} changes nothing"),
                Support::NoEffect(_) => {
                    assert_eq!(after.0, before.0, "{name}={value}");
                    let said = after.1.iter().any(|(said, _)| said == name);
                    assert!(said, "{name} is passed over in silence");
                }
                Support::Refused(..) => assert!(!after.2.is_empty(), "{name} is taken"),
            }
        }
    }
}

/// The checks above must not count a name in a table or a comment as code.
#[test]
fn a_mention_is_no_proof() {
    let code = code();
    assert!(!is_named(&code, &Key::new("no.such.key", Kind::String)));
    assert!(!is_named(&code, &Key::new("scheduled.rebalance.max.delay.ms", Kind::Int)), "it is in tables only");
    assert!(is_named(&code, &Key::new("topic.creation.enable", Kind::Boolean)));
    let properties = Properties::new();
    assert!(COMMON.without_effect("", &properties).is_empty());
}
