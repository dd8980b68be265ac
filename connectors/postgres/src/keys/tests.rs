#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use std::time::Duration;

use proptest::prelude::*;
use relational::{Adjustment, Operation};
use settings::{Kind, Properties};

use super::{KEYS, MESSAGE_KEY_PATTERN, REPLICA_IDENTITY_PATTERN, warnings};
use snapshot::Mode;

use crate::config::{LsnFlushMode, PostgresConfig};
use crate::publication::Autocreate;
use crate::wire::SslMode;

mod claims;

const BASE: &[(&str, &str)] = &[
    ("topic.prefix", "t"),
    ("database.hostname", "h"),
    ("database.user", "u"),
    ("database.password", "hunter2"),
    ("database.dbname", "d"),
];

fn with(pairs: &[(&str, &str)]) -> Properties {
    BASE.iter().chain(pairs).copied().collect()
}

fn messages(pairs: &[(&str, &str)]) -> Vec<String> {
    KEYS.validate(&with(pairs)).into_iter().flat_map(|c| c.errors).collect()
}

#[test]
fn the_definition_list() {
    let definitions = KEYS.definitions();
    let aliases = KEYS.keys().filter(|k| k.alias_of.is_some()).count();
    assert_eq!((definitions.len(), aliases), (126, 1));
    for (group, count) in [("Postgres", 32), ("Connector", 60), ("Events", 33)] {
        let orders: Vec<_> =
            KEYS.keys().filter(|k| k.group == Some(group) && k.alias_of.is_none()).map(|k| k.order_in_group).collect();
        assert_eq!(orders, (1..=count).collect::<Vec<_>>(), "{group}");
    }
    for key in KEYS.keys() {
        assert!(key.documentation.ends_with('.') && key.documentation.len() > 20, "{} is not explained", key.name);
        assert!(!key.required, "{}", key.name);
        assert_eq!(KEYS.keys().filter(|k| k.name == key.name).count(), 1, "{} twice", key.name);
    }
    assert!(KEYS.complaints(&with(&[])).is_empty(), "a default is refused by its own check");
}

#[test]
fn no_config_at_all() {
    let errors: Vec<_> = KEYS.validate(&Properties::new()).into_iter().flat_map(|c| c.errors).collect();
    assert_eq!(
        errors,
        [
            "The 'topic.prefix' value is invalid: A value is required",
            "The 'database.hostname' value is invalid: A value is required",
            "The 'database.user' value is invalid: A value is required",
            "The 'database.dbname' value is invalid: A value is required",
        ]
    );
}

#[test]
fn one_bad_value() {
    #[track_caller]
    fn check(key: &str, value: &str, expect: &[&str]) {
        let expect: Vec<_> = expect.iter().map(|p| format!("The '{key}' value is invalid: {p}")).collect();
        assert_eq!(messages(&[(key, value)]), expect, "{key}={value}");
    }
    let (int, long, boolean) =
        ("An integer is expected", "A long value is expected", "Either 'true' or 'false' is expected");
    let positive = "A positive, non-zero integer value is expected";
    let host = "a:b has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)";
    let slot =
        "Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63";
    check("topic.prefix", "a:b", &[host]);
    check(
        "topic.prefix",
        "",
        &[
            "A value is required",
            " has invalid format (only the underscore, hyphen, dot and alphanumeric characters are allowed)",
        ],
    );
    check("database.hostname", "a:b", &[host]);
    check("database.hostname", " ", &["A value is required"]);
    for key in ["database.port", "slot.max.retries", "errors.max.retries"] {
        check(key, "x", &[int, int]);
    }
    check("database.query.timeout.ms", "x", &[int]);
    check("database.tcpKeepAlive", "yes", &[boolean, boolean]);
    check("slot.drop.on.stop", "yes", &[boolean]);
    check("slot.name", "Bad-Slot", &[slot]);
    check("slot.name", &"a".repeat(64), &[slot]);
    check("slot.retry.delay.ms", "3000000000", &[int]);
    check("slot.retry.delay.ms", "x", &[long, int]);
    check("status.update.interval.ms", "0", &[positive]);
    check("lsn.flush.timeout.ms", "x", &[long, positive]);
    check("xmin.fetch.interval.ms", "-1", &["A non-negative long value is expected"]);
    check("max.batch.size", "x", &[int, positive]);
    check("max.queue.size", "0", &["A positive queue size is required", "Must be larger than the maximum batch size"]);
    check("max.queue.size", "2048", &["Must be larger than the maximum batch size"]);
    check("connection.validation.timeout.ms", "0", &["A positive, non-zero long value is expected"]);
    check("snapshot.fetch.size", "-1", &["An non-negative integer is expected"]);
    check("topic.naming.strategy", "a b", &["A Java class name is expected"]);
    check("skipped.operations", "U", &["Invalid operation"]);
    check("skipped.operations", "t,none", &["'none' cannot be specified with other skipped operation types"]);
    check("plugin.name", "wal2json", &["Value must be one of decoderbufs, pgoutput"]);
    check(
        "snapshot.mode",
        "never",
        &["Value must be one of always, initial_only, configuration_based, when_needed, initial, custom, no_data"],
    );
    check("lsn.flush.mode", "x", &["Value must be one of connector_and_driver, connector, manual"]);
    check("database.sslmode", "x", &["Value must be one of allow, prefer, disable, verify-ca, require, verify-full"]);
    check("field.name.adjustment.mode", "x", &["Value must be one of none, avro, avro_unicode"]);
    check(
        "signal.data.collection",
        "a.b,c.d",
        &["For single task connector only one signal data collection is permitted."],
    );
    check("message.key.columns", "a:b;c", &[&format!("c has an invalid format (expecting '{MESSAGE_KEY_PATTERN}')")]);
    check(
        "message.key.columns",
        "",
        &["Must not be empty", &format!(" has an invalid format (expecting '{MESSAGE_KEY_PATTERN}')")],
    );
    check(
        "replica.identity.autoset.values",
        "a:full,b:never",
        &[&format!("b:never has an invalid format (expecting '{REPLICA_IDENTITY_PATTERN}')")],
    );
}

#[test]
fn keys_together() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], key: &str, problem: &str) {
        assert_eq!(messages(pairs), [format!("The '{key}' value is invalid: {problem}")]);
    }
    for family in ["schema", "table", "column"] {
        let (include, exclude) = (format!("{family}.include.list"), format!("{family}.exclude.list"));
        check(&[(&include, "a"), (&exclude, "b")], &exclude, &format!("\"{include}\" is already specified"));
    }
    check(
        &[("message.prefix.include.list", "a"), ("message.prefix.exclude.list", "b")],
        "message.prefix.exclude.list",
        "\"logical_decoding_message.prefix.include.list\" is already specified",
    );
    for mode in ["snapshot.mode", "snapshot.locking.mode", "snapshot.query.mode"] {
        let name = format!("{mode}.custom.name");
        check(&[(mode, "custom")], &name, &format!("{name} cannot be empty when {mode} 'custom' is defined"));
    }
    check(
        &[("notification.enabled.channels", "log, sink")],
        "notification.sink.topic.name",
        "Notification topic name must be provided when kafka notification channel is enabled",
    );
    check(
        &[("internal.legacy.snapshot.max.threads", "x")],
        "legacy.snapshot.max.threads",
        "Either 'true' or 'false' is expected",
    );
}

#[test]
fn what_is_read() {
    let config = PostgresConfig::read(&with(&[])).unwrap();
    assert_eq!((config.connection.port, config.connection.tls.mode), (5432, SslMode::Prefer));
    assert_eq!(config.connection.query_timeout, Duration::from_secs(600));
    assert_eq!(config.slot.name, "debezium");
    assert_eq!(config.position.flush_mode, LsnFlushMode::Connector);
    assert_eq!(config.publication.autocreate, Autocreate::AllTables);
    assert_eq!(config.snapshot.mode, Mode::Initial);
    assert_eq!(config.events.skipped, [Operation::Truncate]);
    assert_eq!((config.limits.max_retries, config.types.names.field_names), (None, Adjustment::None));
    assert_eq!(config.types.unavailable, b"__debezium_unavailable_value");
    assert!(!format!("{config:?}").contains("hunter2"));

    let config = PostgresConfig::read(&with(&[
        ("database.options", "-c x=1"),
        ("database.loginTimeout", "5"),
        ("driver.loginTimeout", "9"),
        ("flush.lsn.source", "false"),
        ("snapshot.mode", " Initial_Only "),
        ("table.include.list", r"public\.a, public\.b\,c"),
        ("column.mask.with.3.chars", "public.a.x"),
        ("value.converter", "io.confluent.connect.avro.AvroConverter"),
        ("errors.max.retries", "0"),
        ("skipped.operations", "none"),
        ("unavailable.value.placeholder", "hex: 00fF"),
        ("database.sslfactory", "org.postgresql.ssl.NonValidatingFactory"),
        ("snapshot.select.statement.overrides", "public.a,public.b"),
        ("snapshot.select.statement.overrides.public.a", "SELECT 1"),
    ]))
    .unwrap();
    assert_eq!(config.connection.options.as_deref(), Some("-c x=1"));
    assert_eq!((config.position.flush_mode, config.snapshot.mode), (LsnFlushMode::Manual, Mode::InitialOnly));
    assert_eq!(config.filters.tables.table_include, [r"public\.a", r"public\.b,c"]);
    assert!(!config.treatment.rules.is_empty());
    assert_eq!((config.types.names.field_names, config.limits.max_retries), (Adjustment::Avro, Some(0)));
    assert!(config.events.skipped.is_empty());
    assert_eq!(config.types.unavailable, [0, 0xff]);
    assert_eq!(config.connection.tls.mode, SslMode::Require);
    assert_eq!(config.snapshot.copying.selects, [("public.a".to_owned(), "SELECT 1".to_owned())]);
}

#[test]
fn read_refuses_what_cannot_run_here() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], key: &str) {
        let refused = PostgresConfig::read(&with(pairs)).unwrap_err();
        assert_eq!(refused.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(), [key], "{refused:?}");
    }
    check(&[("snapshot.mode", "custom"), ("snapshot.mode.custom.name", "x")], "snapshot.mode");
    check(&[("topic.naming.strategy", "com.example.Naming")], "topic.naming.strategy");
    check(&[("replica.identity.autoset.values", "public.a:FULL,(b:DEFAULT")], "replica.identity.autoset.values");
    check(&[("unavailable.value.placeholder", "hex:0")], "unavailable.value.placeholder");
    check(&[("database.sslfactory", "com.example.Factory")], "database.sslfactory");
    check(&[("database.port", "100000")], "database.port");
    check(&[("topic.delimiter", "?")], "topic.delimiter");
    check(&[("topic.regex", "a")], "topic.replacement");
    check(&[("column.mask.with.3.chars", "[")], "column.mask.with.3.chars");
    check(&[("signal.enabled.channels", "kafka")], "signal.enabled.channels");
}

#[test]
fn what_is_said() {
    let findings = PostgresConfig::read_with_findings(&with(&[
        ("lsn.flush.mode", "connector_and_driver"),
        ("offset.mismatch.strategy", "sometimes"),
        ("snapshot.select.statement.overrides", "public.a"),
    ]))
    .map(|(config, findings)| (config.events.heartbeat_interval, findings))
    .unwrap();
    let keys: Vec<_> = findings.1.iter().map(|f| f.key.as_str()).collect();
    assert_eq!(keys, ["offset.mismatch.strategy", "snapshot.select.statement.overrides", "heartbeat.interval.ms"]);
    assert_eq!(findings.0, Duration::from_secs(600));
}

#[test]
fn old_names_get_their_remedy() {
    let old: Properties = [
        ("database.server.name", "dbserver1"),
        ("table.whitelist", "public.users"),
        ("plugin.name", "pgoutput"),
        ("include.schema.changes", "true"),
        ("snapshot.mode", "never"),
        ("database.history.kafka.topic", "h"),
    ]
    .into_iter()
    .collect();
    let found = warnings(&old);
    assert_eq!(found.len(), 5, "{found:?}");
    assert_eq!(
        found[0].to_string(),
        "database.server.name: is no longer known and is ignored. Use topic.prefix, with the same value to keep topics and offsets."
    );
    assert!(found[1].reason.ends_with("everything is captured."), "{}", found[1]);
    assert_eq!(found[3].to_string(), "snapshot.mode: value 'never' is no longer known. Use no_data.");
    assert!(warnings(&with(&[("plugin.name", "pgoutput")])).is_empty());
}

proptest! {
    #[test]
    fn no_text_breaks_reading(at in 0..KEYS.keys().count(), text in ".*") {
        let key = KEYS.keys().nth(at).unwrap();
        let properties = with(&[(key.name, &text)]);
        let refused = KEYS.complaints(&properties);
        match PostgresConfig::read(&properties) {
            Ok(_) => prop_assert!(refused.is_empty()),
            Err(all) => prop_assert!(all.len() >= refused.len()),
        }
        if key.kind == Kind::Password {
            prop_assert!(refused.is_empty());
        }
    }
}
