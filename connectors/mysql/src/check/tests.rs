//! What the check says of servers.

use super::*;

/// The warnings of a check that sees this.
#[track_caller]
fn check(seen: &Seen, pairs: &[(&str, &str)], expect: &[&str]) {
    let base = [
        ("topic.prefix", "t"),
        ("database.hostname", "h"),
        ("database.user", "u"),
        ("database.server.id", "7"),
        ("name", "users"),
    ];
    let properties: Properties = base.iter().chain(pairs).copied().collect();
    let config = MySqlConfig::read(Flavour::MySql, &properties).unwrap();
    let shown: Vec<String> = seen.findings(&config, properties.get("name")).iter().map(ToString::to_string).collect();
    assert_eq!(shown, expect);
}

fn seen(grants: &[&str]) -> Seen {
    Seen {
        flavour: Flavour::MySql,
        server: Server { server_uuid: Some("check_tests".into()), ..Server::default() },
        grants: Grants::parse(grants.iter().copied()),
        account: "'u'@'%'".into(),
        unlogged: Vec::new(),
        replicas: Vec::new(),
        unreadable: Vec::new(),
        captured: None,
        unknown_zones: Vec::new(),
    }
}

const ALL: &[&str] = &["GRANT ALL PRIVILEGES ON *.* TO `u`@`%`"];

#[test]
fn grants() {
    check(&seen(ALL), &[], &[]);
    let none = seen(&["GRANT SELECT ON *.* TO `u`@`%`"]);
    check(
        &none,
        &[],
        &[
            "database.user: the account u lacks REPLICATION SLAVE, REPLICATION CLIENT, RELOAD. Run GRANT REPLICATION SLAVE, \
           REPLICATION CLIENT, RELOAD ON *.* TO 'u'@'%'.",
        ],
    );
    check(
        &none,
        &[("snapshot.mode", "initial_only")],
        &["database.user: the account u lacks RELOAD. Run GRANT RELOAD ON *.* TO 'u'@'%'."],
    );
    check(&none, &[("snapshot.mode", "initial_only"), ("snapshot.locking.mode", "none")], &[]);
}

#[test]
fn the_server() {
    let mut other = seen(ALL);
    other.flavour = Flavour::MariaDb;
    other.server.version = "10.11.19-MariaDB".into();
    check(
        &other,
        &[],
        &["connector.class: is not the one for the server, which is 10.11.19-MariaDB. Use \
           io.debezium.connector.mariadb.MariaDbConnector."],
    );
    let mut statements = seen(ALL);
    statements.server.binlog_rows_query_log_events = Some("OFF".into());
    check(&statements, &[], &[]);
    check(
        &statements,
        &[("include.query", "true")],
        &["include.query: finds no statements: binlog_rows_query_log_events of the server is OFF. SET GLOBAL \
           binlog_rows_query_log_events = ON, and my.cnf."],
    );
    let mut mixed = seen(ALL);
    mixed.server.binlog_format = Some("MIXED".into());
    check(
        &mixed,
        &[],
        &["database.hostname: binlog_format of the server at h:3306 is 'MIXED', must be 'ROW': SET \
           GLOBAL binlog_format = 'ROW', and my.cnf."],
    );
    check(&mixed, &[("snapshot.mode", "initial_only")], &[]);
}

#[test]
fn changes_that_nobody_logs() {
    let cascade = |table: &str| Cascade { database: "d".into(), table: table.into(), parent: "d.orders".into() };
    let mut seen = seen(ALL);
    seen.unlogged = vec![cascade("lines"), cascade("notes")];
    let warned = |tables: &str| {
        format!(
            "table.include.list: captures tables whose rows a cascading foreign key changes or deletes, which this server \
             does not log, so that there are no records of it: {tables}. Change these rows in the application or by \
             triggers, or use MySQL 9.6 or later."
        )
    };
    check(&seen, &[], &[&warned("d.lines (of d.orders), d.notes (of d.orders)")]);
    check(&seen, &[("table.include.list", "d.notes")], &[&warned("d.notes (of d.orders)")]);
    check(&seen, &[("database.exclude.list", "d")], &[]);
    seen.unlogged = (0..7).map(|n| cascade(&format!("t{n}"))).collect();
    let five: Vec<String> = (0..5).map(|n| format!("d.t{n} (of d.orders)")).collect();
    check(&seen, &[], &[&warned(&format!("{} and 2 more", five.join(", ")))]);
}

#[test]
fn a_number_that_another_connector_has() {
    // Other tests run side by side with this one: none of them has this number.
    const NUMBER: (&str, &str) = ("database.server.id", "77");
    let _entry = replicas::enter("check_tests", 77, "orders".into());
    check(&seen(ALL), &[("database.server.id", "78")], &[]);
    check(&seen(ALL), &[NUMBER, ("name", "orders")], &[]);
    check(
        &seen(ALL),
        &[NUMBER],
        &[
            "database.server.id: 77 is that of the connector orders, which reads the same server: each would end the other's \
           connection. Give each connector a number of its own.",
        ],
    );
}

/// One setting of the server each: its key, how bad it is, and the statement that mends it.
#[test]
fn each_setting_of_the_server() {
    use Severity::{Unmet, Warning};
    #[track_caller]
    fn one(change: impl FnOnce(&mut Seen), key: &str, severity: Severity, parts: &[&str]) {
        let mut seen = seen(ALL);
        change(&mut seen);
        let base =
            [("topic.prefix", "t"), ("database.hostname", "h"), ("database.user", "u"), ("database.server.id", "7")];
        let properties: Properties = base.into_iter().chain([("table.include.list", "d.t")]).collect();
        let config = MySqlConfig::read(Flavour::MySql, &properties).unwrap();
        let found = seen.findings(&config, None);
        let [finding] = found.as_slice() else { panic!("{found:?}") };
        assert_eq!((finding.key.as_str(), finding.severity), (key, severity), "{finding}");
        for part in parts {
            assert!(finding.to_string().contains(part), "{part:?} is not in {finding}");
        }
    }
    let some = |text: &str| Some(text.to_owned());
    one(|s| s.server.log_bin = some("OFF"), "database.hostname", Unmet, &["log_bin", "'ON'"]);
    one(
        |s| s.server.binlog_row_image = some("MINIMAL"),
        "database.hostname",
        Unmet,
        &["SET GLOBAL binlog_row_image = 'FULL'"],
    );
    one(
        |s| s.server.binlog_expire_logs_seconds = some("3600"),
        "database.hostname",
        Warning,
        &["3600 s", "SET GLOBAL binlog_expire_logs_seconds = 604800"],
    );
    one(|s| s.server.gtid_mode = some("OFF"), "database.hostname", Warning, &["gtid_mode of the server is OFF"]);
    one(|s| s.server.server_id = some("7"), "database.server.id", Warning, &["the server's own number"]);
    let replica = |host: &str| Replica { server_id: 7, host: host.into() };
    one(|s| s.replicas = vec![replica("b")], "database.server.id", Warning, &["a replica at b reads this server now"]);
    one(|s| s.replicas = vec![replica("")], "database.server.id", Warning, &["a replica reads this server now"]);
    one(|s| s.unreadable = vec!["`d`.`t`".into()], "database.user", Unmet, &["GRANT SELECT ON `d`.`t` TO 'u'@'%'"]);
    one(|s| s.captured = Some(0), "table.include.list", Warning, &["matches no table"]);
    one(
        |s| s.unknown_zones = vec!["Europe/Berlin".into()],
        "database.initial.statements",
        Unmet,
        &["mysql_tzinfo_to_sql"],
    );
}

#[test]
fn several_settings_are_all_told() {
    let mut seen = seen(ALL);
    seen.server.log_bin = Some("OFF".into());
    seen.server.binlog_format = Some("STATEMENT".into());
    let base = [("topic.prefix", "t"), ("database.hostname", "h"), ("database.user", "u"), ("database.server.id", "7")];
    let properties: Properties = base.into_iter().collect();
    let config = MySqlConfig::read(Flavour::MySql, &properties).unwrap();
    assert_eq!(seen.findings(&config, None).len(), 2);
}

#[test]
fn expiry() {
    let server = |seconds: Option<&str>, days: Option<&str>| Server {
        binlog_expire_logs_seconds: seconds.map(Into::into),
        expire_logs_days: days.map(Into::into),
        ..Server::default()
    };
    assert_eq!(server(None, None).binlog_expiry(), None);
    assert_eq!(server(Some("0"), Some("0")).binlog_expiry(), Some(("binlog_expire_logs_seconds", 0)));
    assert_eq!(server(Some("60"), Some("9")).binlog_expiry(), Some(("binlog_expire_logs_seconds", 60)));
    assert_eq!(server(Some("0"), Some("0.500000")).binlog_expiry(), Some(("binlog_expire_logs_seconds", 0)));
    assert_eq!(server(None, Some("2")).binlog_expiry(), Some(("expire_logs_days", 172_800)));
}
