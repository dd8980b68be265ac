//! What is read of a config, typed.

use std::time::Duration;

use relational::{Adjustment, NamingStrategy, Operation};
use settings::Secret;
use snapshot::{Copies, Rule, StructureRule};

use super::{BOTH, with};
use crate::Flavour::{self, MariaDb, MySql};
use crate::config::{Failure, MySqlConfig, SnapshotLocking, is_builtin};
use crate::ddl::Grammar;
use crate::types::BigintUnsignedMode;
use crate::wire::TlsMode;

fn read(flavour: Flavour, pairs: &[(&str, &str)]) -> MySqlConfig {
    MySqlConfig::read(flavour, &with(pairs)).unwrap()
}

#[test]
fn defaults() {
    for flavour in BOTH {
        let config = read(flavour, &[]);
        let connection = &config.connection;
        assert_eq!((connection.options.port, connection.server_id, connection.heartbeat_ms), (3306, 7, 48_000));
        assert_eq!((connection.options.connect_timeout_ms, connection.options.query_timeout_ms), (30_000, 600_000));
        assert_eq!(connection.validation_timeout, Duration::from_secs(60));
        assert_eq!((config.snapshot.rule, config.snapshot.structure), (Rule::INITIAL, StructureRule::INITIAL));
        assert_eq!((config.snapshot.locking, config.snapshot.threads), (SnapshotLocking::Minimal, 1));
        assert!(!config.snapshot.is_binary && config.filters.ignore_builtin);
        assert!(
            config.binlog.sources.keeps_all() && config.binlog.drops_other_sources && config.binlog.checks_position
        );
        assert_eq!((config.binlog.unknown_table, config.binlog.undecodable), (Failure::Fail, Failure::Fail));
        assert!(config.schema.publishes && config.schema.filter.drops("GRANT ALL ON *.* TO u"));
        assert!(config.types.stops_at_invalid_dates && config.types.adjusts_years);
        assert_eq!(config.types.bigint_unsigned, BigintUnsignedMode::Long);
        assert_eq!(config.events.skipped, [Operation::Truncate]);
        assert_eq!((config.limits.max_retries, config.names.field_names), (None, Adjustment::None));
        assert!(!format!("{config:?}").contains("hunter2"));
    }
    let of = |flavour| {
        let config = read(flavour, &[]);
        (config.connection.options.tls, config.schema.grammar, config.schema.comments)
    };
    assert_eq!(of(MySql), (TlsMode::IfOffered, Grammar::Default, false));
    assert_eq!(of(MariaDb), (TlsMode::Off, Grammar::Legacy, true));
}

#[test]
fn values() {
    let config = read(
        MySql,
        &[
            ("connect.keep.alive", "false"),
            ("database.ssl.mode", "verify_identity"),
            ("database.ssl.keystore.password", "p"),
            ("database.initial.statements", "SET a=';;'; SET b=1"),
            ("snapshot.fetch.size", "100"),
            ("snapshot.locking.mode", " Extended "),
            ("snapshot.max.threads", "4"),
            ("ddl.parser.type", "legacy"),
            ("include.schema.comments", "true"),
            ("internal.schema.history.internal.ddl.filter", r"CREATE\s+EVENT.*"),
            ("topic.naming.strategy", "io.debezium.schema.DefaultUnicodeTopicNamingStrategy"),
            ("table.include.list", r"d\.a, d\.b\,c"),
            ("event.processing.failure.handling.mode", "warn"),
            ("gtid.source.excludes", "0a.*"),
        ],
    );
    assert_eq!((config.connection.heartbeat_ms, config.connection.options.tls), (0, TlsMode::VerifyHost));
    assert_eq!(config.connection.options.keystore_password.reveal(), Secret::new("p").reveal());
    assert_eq!(config.connection.options.initial_statements, ["SET a=';'", "SET b=1"]);
    assert!(config.snapshot.is_binary && config.schema.comments && !config.types.stops_at_invalid_dates);
    assert_eq!((config.snapshot.locking, config.snapshot.threads), (SnapshotLocking::Extended, 4));
    assert_eq!(config.schema.grammar, Grammar::Legacy);
    assert!(config.schema.filter.drops("create event e") && !config.schema.filter.drops("GRANT ALL ON *.* TO u"));
    assert_eq!(config.topics.strategy, NamingStrategy::SchemaUnicode);
    assert_eq!(config.filters.table_include, [r"d\.a", r"d\.b,c"]);
    assert_eq!(config.binlog.undecodable, Failure::Warn);
    assert!(!config.binlog.sources.keeps("0A-1") && config.binlog.sources.keeps("1a-1"));
}

#[test]
fn sources_of_gtids() {
    #[track_caller]
    fn check(key: &str, list: &str, source: &str, keeps: bool) {
        assert_eq!(read(MariaDb, &[(key, list)]).binlog.sources.keeps(source), keeps, "{key}={list} {source}");
    }
    check("gtid.source.includes", "0-1,1-.*", "0-1", true);
    check("gtid.source.includes", "0-1,1-.*", "1-77", true);
    check("gtid.source.includes", "0-1", "0-11", false);
    check("gtid.source.excludes", "0-1", "0-1", false);
    check("gtid.source.excludes", "0-1", "0-11", true);
}

#[test]
fn snapshot_modes() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], rule: Rule, structure: StructureRule) {
        let snapshot = read(MySql, pairs).snapshot;
        assert_eq!((snapshot.rule, snapshot.structure), (rule, structure), "{pairs:?}");
    }
    check(&[("snapshot.mode", "always")], Rule::ALWAYS, StructureRule::ALWAYS);
    check(&[("snapshot.mode", "initial_only")], Rule::INITIAL_ONLY, StructureRule::INITIAL);
    check(&[("snapshot.mode", "no_data")], Rule::NO_DATA, StructureRule::INITIAL);
    check(&[("snapshot.mode", "recovery")], Rule::RECOVERY, StructureRule::RECOVERY);
    check(&[("snapshot.mode", "when_needed")], Rule::WHEN_NEEDED, StructureRule::INITIAL);
    // The removed mode `never`.
    check(
        &[("snapshot.mode", "configuration_based"), ("snapshot.mode.configuration.based.start.stream", "true")],
        Rule { copies: Copies::Never, ..Rule::INITIAL },
        StructureRule { reads: Copies::Never, reads_when_lost: false, recovers: false },
    );
    check(
        &[
            ("snapshot.mode", "configuration_based"),
            ("snapshot.mode.configuration.based.snapshot.data", "true"),
            ("snapshot.mode.configuration.based.snapshot.schema", "true"),
            ("snapshot.mode.configuration.based.snapshot.on.schema.error", "true"),
            ("snapshot.mode.configuration.based.snapshot.on.data.error", "true"),
        ],
        Rule { copies: Copies::EveryStart, copies_when_lost: true, streams: false, leaves_unfinished: true },
        StructureRule { reads: Copies::EveryStart, reads_when_lost: true, recovers: false },
    );
}

#[test]
fn zones_of_snapshots() {
    #[track_caller]
    fn check(flavour: Flavour, pairs: &[(&str, &str)], expect: Option<&str>) {
        let zone = read(flavour, pairs).types.snapshot_zone;
        let shown = zone.map(|zone| match zone.iana_name() {
            Some(name) => name.to_owned(),
            None => zone.to_fixed_offset().unwrap().to_string(),
        });
        assert_eq!(shown.as_deref(), expect, "{pairs:?}");
    }
    check(MySql, &[("driver.connectionTimeZone", "SERVER")], None);
    check(MySql, &[("database.connectionTimeZone", "Europe/Berlin")], Some("Europe/Berlin"));
    check(MySql, &[("database.connectionTimeZone", "UTC"), ("driver.connectionTimeZone", "+02:00")], Some("+02"));
    check(MariaDb, &[("driver.timezone", "auto")], None);
    check(MariaDb, &[("driver.timezone", "America/New_York")], Some("America/New_York"));
    check(MariaDb, &[("driver.connectionTimeZone", "UTC")], None);
}

#[test]
fn what_is_refused() {
    #[track_caller]
    fn check(pairs: &[(&str, &str)], key: &str) {
        for flavour in BOTH {
            let refused = MySqlConfig::read(flavour, &with(pairs)).unwrap_err();
            assert_eq!(refused.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(), [key], "{refused:?}");
        }
    }
    check(&[("snapshot.mode", "custom"), ("snapshot.mode.custom.name", "x")], "snapshot.mode");
    check(&[("snapshot.locking.mode", "custom")], "snapshot.locking.mode");
    check(&[("snapshot.query.mode", "custom"), ("snapshot.query.mode.custom.name", "x")], "snapshot.query.mode");
    check(&[("topic.naming.strategy", "com.example.Naming")], "topic.naming.strategy");
    check(&[("sourceinfo.struct.maker", "com.example.Maker")], "sourceinfo.struct.maker");
    check(&[("converters", "c"), ("c.type", "com.example.Mine")], "c.type");
    check(&[("database.port", "100000")], "database.port");
    check(&[("database.server.id", "4294967296")], "database.server.id");
    check(&[("gtid.source.includes", "[")], "gtid.source.includes");
    check(&[("gtid.source.excludes", "[")], "gtid.source.excludes");
    check(&[("internal.schema.history.internal.ddl.filter", "(")], "internal.schema.history.internal.ddl.filter");
    check(
        &[("schema.history.internal", "io.debezium.storage.redis.history.RedisSchemaHistory")],
        "schema.history.internal",
    );
    check(&[("signal.data.collection", "d.signals")], "signal.data.collection");
    check(&[("driver.sslMode", "VERIFY_CA")], "driver.sslMode");
    check(&[("database.sessionVariables", "sql_mode=ANSI")], "database.sessionVariables");
    check(&[("database.serverTimezone", "UTC")], "database.serverTimezone");
}

#[test]
fn a_zone_must_be_one() {
    for (flavour, key) in [(MySql, "driver.connectionTimeZone"), (MariaDb, "database.timezone")] {
        let refused = MySqlConfig::read(flavour, &with(&[(key, "LOCAL")])).unwrap_err();
        assert_eq!(refused.iter().map(|i| i.key.as_str()).collect::<Vec<_>>(), [key]);
    }
}

#[test]
fn the_servers_own_databases() {
    assert!(is_builtin("MySQL", "user") && is_builtin("sys", "x") && !is_builtin("mysqlx", "user"));
}
