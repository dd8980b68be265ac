#![allow(clippy::unwrap_used, reason = "a failed unwrap is a failed test")]

use proptest::prelude::*;
use serde_json::{Value as Json, json};
use settings::{Checked, Def, Kind, Properties};

use super::{MARIADB, MYSQL, of, warnings};
use crate::Flavour;
use crate::config::MySqlConfig;

mod claims;
mod reading;

const BASE: &[(&str, &str)] = &[
    ("topic.prefix", "t"),
    ("database.hostname", "h"),
    ("database.user", "u"),
    ("database.password", "hunter2"),
    ("database.server.id", "7"),
];
const BOTH: [Flavour; 2] = [Flavour::MySql, Flavour::MariaDb];

fn with(pairs: &[(&str, &str)]) -> Properties {
    BASE.iter().chain(pairs).copied().collect()
}

fn messages(flavour: Flavour, pairs: &[(&str, &str)]) -> Vec<String> {
    of(flavour).validate(&with(pairs)).into_iter().flat_map(|c| c.errors).collect()
}

fn shown(checked: Checked) -> Option<Json> {
    let d = checked.definition?;
    let mut offered = checked.recommended;
    offered.sort();
    Some(json!([
        d.name,
        d.kind.as_str(),
        d.default_value,
        d.importance.as_str(),
        d.group,
        d.order_in_group,
        format!("{:?}", d.width).to_uppercase(),
        d.display_name,
        d.dependents,
        offered,
        checked.errors,
        checked.visible,
        checked.answered,
    ]))
}

/// `tests/mysql.json` is the answer of Debezium 3.6.1 to a validation of an empty config of the MySQL connector, each key's
/// fields in the order of [`shown`]; it lists offered values in another order each time.
#[test]
fn the_definitions_of_mysql_are_debeziums() {
    let expect: Vec<Json> = serde_json::from_str(include_str!("tests/mysql.json")).unwrap();
    let found: Vec<Json> = MYSQL.validate(&Properties::new()).into_iter().filter_map(shown).collect();
    for (found, expect) in found.iter().zip(&expect) {
        assert_eq!(found, expect);
    }
    assert_eq!(found.len(), expect.len());
}

/// The keys of Debezium's two connectors are made from one list; three are MySQL's only.
#[test]
fn the_definitions_of_mariadb_are_those_of_mysql_but_for_three() {
    let names = |def: &Def| def.definitions().into_iter().map(|d| d.name).collect::<Vec<_>>();
    let mut expect = names(&MYSQL);
    expect.retain(|name| !["database.jdbc.driver", "database.protocol", "ddl.parser.type"].contains(&name.as_str()));
    assert_eq!(names(&MARIADB), expect);
}

#[test]
fn positions_count_up_in_each_group() {
    for (def, groups) in
        [(&MYSQL, [("MySQL", 16), ("Connector", 62)]), (&MARIADB, [("MariaDB", 14), ("Connector", 61)])]
    {
        for (group, count) in groups.into_iter().chain([("History Storage", 4), ("Events", 41)]) {
            let orders: Vec<_> = def
                .keys()
                .filter(|k| k.group == Some(group) && k.alias_of.is_none())
                .map(|k| k.order_in_group)
                .collect();
            assert_eq!(orders, (1..=count).collect::<Vec<_>>(), "{group}");
        }
    }
}

#[test]
fn each_key_is_explained_once_and_takes_its_default() {
    for def in [&MYSQL, &MARIADB] {
        for key in def.keys() {
            assert!(key.documentation.ends_with('.') && key.documentation.len() > 20, "{} is not explained", key.name);
            assert!(!key.documentation.contains("schema.table"), "{} speaks of another database", key.name);
            assert_eq!(def.keys().filter(|k| k.name == key.name).count(), 1, "{} twice", key.name);
        }
        assert!(def.complaints(&with(&[])).is_empty(), "a default is refused by its own check");
    }
}

#[test]
fn no_config_at_all() {
    for flavour in BOTH {
        let errors: Vec<_> = of(flavour).validate(&Properties::new()).into_iter().flat_map(|c| c.errors).collect();
        let missing = ["topic.prefix", "database.hostname", "database.user", "database.server.id"];
        assert_eq!(errors, missing.map(|key| format!("The '{key}' value is invalid: A value is required")));
    }
}

#[test]
fn one_bad_value() {
    #[track_caller]
    fn check(key: &str, value: &str, expect: &[&str]) {
        let expect: Vec<_> = expect.iter().map(|p| format!("The '{key}' value is invalid: {p}")).collect();
        for flavour in BOTH {
            assert_eq!(messages(flavour, &[(key, value)]), expect, "{key}={value}");
        }
    }
    let (int, long, boolean) =
        ("An integer is expected", "A long value is expected", "Either 'true' or 'false' is expected");
    let (positive, positive_long) =
        ("A positive, non-zero integer value is expected", "A positive, non-zero long value is expected");
    let (not_negative, not_negative_long) =
        ("An non-negative integer is expected", "A non-negative long value is expected");
    let required = "A value is required";
    check("database.hostname", " ", &[required]);
    check("database.port", "x", &[int, int]);
    check("database.server.id", "", &[long, positive_long, required]);
    check("database.server.id", "0", &[positive_long]);
    check("database.server.id.offset", "x", &[long]);
    check("database.query.timeout.ms", "x", &[int]);
    check("connect.timeout.ms", "0", &[positive]);
    check("connect.keep.alive", "yes", &[boolean, boolean]);
    check("connect.keep.alive.interval.ms", "0", &[positive]);
    check("use.nongraceful.disconnect", "yes", &[boolean]);
    check("binlog.buffer.size", "-1", &[not_negative]);
    check("binlog.net.write.timeout", "-1", &[not_negative_long]);
    check("binlog.net.read.timeout", "x", &[long, not_negative_long]);
    check("min.row.count.to.stream.results", "-1", &[not_negative_long]);
    // Debezium's own default.
    check("snapshot.fetch.size", "-2147483648", &[not_negative]);
    check("table.ignore.builtin", "yes", &[boolean, boolean]);
    check("tombstones.on.delete", "yes", &[boolean, boolean]);
    check("include.schema.changes", "yes", &[boolean]);
    check("include.query", "yes", &[boolean]);
    check("enable.time.adjuster", "yes", &[boolean]);
    check("gtid.source.filter.dml.events", "yes", &[boolean]);
    check("gtid.ignore.on.recovery", "yes", &[boolean]);
    let modes = "Value must be one of always, initial_only, configuration_based, when_needed, initial, custom, no_data, \
                 recovery";
    for old in ["never", "schema_only", "schema_only_recovery"] {
        check("snapshot.mode", old, &[modes]);
    }
    let times =
        "Value must be one of adaptive, adaptive_time_microseconds, isostring, microseconds, nanoseconds, connect";
    check("time.precision.mode", "x", &[times, times]);
    check("time.precision.mode", "adaptive", &["The 'adaptive' time.precision.mode is no longer supported"]);
    check("snapshot.query.mode", "x", &["Value must be one of custom, select_all"]);
    check("bigint.unsigned.handling.mode", "x", &["Value must be one of precise, long"]);
    for key in [
        "event.processing.failure.handling.mode",
        "event.deserialization.failure.handling.mode",
        "inconsistent.schema.handling.mode",
    ] {
        check(key, "x", &["Value must be one of warn, fail, ignore, skip"]);
    }
    check("topic.naming.strategy", "a b", &["A Java class name is expected"]);
    check("skipped.operations", "U", &["Invalid operation"]);
}

/// What an enumerated key of one connector takes and refuses.
#[test]
fn keys_that_differ() {
    #[track_caller]
    fn check(flavour: Flavour, key: &str, value: &str, expect: &[&str]) {
        let expect: Vec<_> = expect.iter().map(|p| format!("The '{key}' value is invalid: {p}")).collect();
        assert_eq!(messages(flavour, &[(key, value)]), expect, "{flavour:?} {key}={value}");
    }
    let (my, maria) = (Flavour::MySql, Flavour::MariaDb);
    check(my, "database.ssl.mode", "required", &[]);
    check(
        my,
        "database.ssl.mode",
        "trust",
        &["Value must be one of verify_identity, disabled, preferred, required, verify_ca"],
    );
    check(maria, "database.ssl.mode", "trust", &[]);
    check(maria, "database.ssl.mode", "required", &["Value must be one of disable, trust, verify-ca, verify-full"]);
    let invalid = "Must be a valid snapshot.locking.mode value";
    check(my, "snapshot.locking.mode", "minimal_percona", &[]);
    check(
        my,
        "snapshot.locking.mode",
        "minimal_at_least_once",
        &[
            invalid,
            "Value must be one of minimal, minimal_percona, custom, none, minimal_percona_no_table_locks, extended",
        ],
    );
    check(
        maria,
        "snapshot.locking.mode",
        "minimal_percona",
        &[invalid, "Value must be one of minimal, custom, none, extended"],
    );
    check(my, "ddl.parser.type", "x", &["Value must be one of default, legacy"]);
    check(maria, "ddl.parser.type", "x", &[]);
}

#[test]
fn keys_together() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], key: &str, problem: &str) {
        for flavour in BOTH {
            assert_eq!(messages(flavour, pairs), [format!("The '{key}' value is invalid: {problem}")]);
        }
    }
    for family in ["database", "table", "column"] {
        let (include, exclude) = (format!("{family}.include.list"), format!("{family}.exclude.list"));
        check(&[(&include, "a"), (&exclude, "b")], &exclude, &format!("\"{include}\" is already specified"));
    }
    check(
        &[("gtid.source.includes", "a"), ("gtid.source.excludes", "b")],
        "gtid.source.excludes",
        "Cannot specify GTID excludes when includes are provided.",
    );
    check(
        &[("snapshot.mode", "custom")],
        "snapshot.mode.custom.name",
        "snapshot.mode.custom.name cannot be empty when snapshot.mode 'custom' is defined",
    );
}

/// What Debezium takes without a word when it validates.
#[test]
fn what_is_not_checked() {
    for flavour in BOTH {
        for (key, value) in [
            ("schema.include.list", "a"),
            ("tasks.max", "2"),
            ("binary.handling.mode", "x"),
            ("read.only", "x"),
            ("topic.heartbeat.prefix", "?"),
            ("errors.max.retries", "3"),
        ] {
            assert_eq!(messages(flavour, &[(key, value)]), [""; 0], "{key}={value}");
        }
    }
}

#[test]
fn old_names_get_their_remedy() {
    #[track_caller]
    fn check(name: &str, value: &str, expect: &str) {
        let found: Vec<String> = warnings(&with(&[(name, value)])).iter().map(ToString::to_string).collect();
        assert_eq!(found, [format!("{name}: {expect}")]);
    }
    check(
        "database.server.name",
        "s",
        "is no longer known and is ignored. Use topic.prefix, with the same value to keep topics and offsets.",
    );
    check(
        "database.whitelist",
        "d",
        "is no longer known and is ignored: without a filter everything is captured. Use database.include.list.",
    );
    check(
        "database.history.kafka.topic",
        "h",
        "is no longer known and is ignored. Use the same name with schema.history.internal. in place of database.history., and the same topic.",
    );
    check("snapshot.mode", "Schema_Only_Recovery", "value 'schema_only_recovery' is no longer known. Use recovery.");
    assert!(warnings(&with(&[("snapshot.mode", "recovery")])).is_empty());
}

proptest! {
    #[test]
    fn no_text_breaks_reading(at in 0..MYSQL.keys().count(), text in ".*", flavour in prop::sample::select(&BOTH)) {
        let key = MYSQL.keys().nth(at).unwrap();
        let properties = with(&[(key.name, &text)]);
        let refused = of(flavour).complaints(&properties);
        match MySqlConfig::read(flavour, &properties) {
            Ok(_) => prop_assert!(refused.is_empty()),
            Err(all) => prop_assert!(all.len() >= refused.len()),
        }
        if key.kind == Kind::Password {
            prop_assert!(refused.is_empty());
        }
    }
}
