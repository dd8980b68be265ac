//! The check of a configuration against real servers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/mod.rs"]
mod rig;

use mysql::Flavour;
use rig::{BOTH, Database};
use settings::{Finding, Properties, Severity};

async fn found(flavour: Flavour, pairs: &[(&str, &str)]) -> Vec<Finding> {
    let server = rig::server(flavour);
    let port = server.port.to_string();
    let base = [
        ("topic.prefix", "t"),
        ("database.hostname", server.host.as_str()),
        ("database.port", &port),
        ("database.user", "root"),
        ("database.server.id", "4711"),
        // Nothing of what other tests have on the server.
        ("database.include.list", "nothing"),
    ];
    let mut properties: Properties = base.into_iter().collect();
    for (name, value) in pairs {
        properties.insert(*name, *value);
    }
    mysql::check(flavour, properties).await
}

/// The only error is at `database.hostname` and begins so.
async fn check(flavour: Flavour, pairs: &[(&str, &str)], begin: &str) {
    let all = found(flavour, pairs).await;
    let [finding] = all.as_slice() else { panic!("{all:?}") };
    assert_eq!((finding.key.as_str(), finding.severity), ("database.hostname", Severity::Error));
    assert!(finding.reason.starts_with(begin), "{finding}");
}

#[tokio::test]
async fn a_server_that_can_be_used() {
    for flavour in BOTH {
        assert_eq!(found(flavour, &[]).await.iter().map(ToString::to_string).collect::<Vec<_>>(), [""; 0]);
    }
}

#[tokio::test]
async fn a_server_that_cannot_be_used() {
    for flavour in BOTH {
        let denied = "Unable to connect: Access denied for user 'nobody_here'@'localhost' (using password: YES)";
        check(flavour, &[("database.user", "nobody_here"), ("database.password", "x")], denied).await;
        let nobody = "Error during connection validation: io.debezium.DebeziumException: Failed to establish connection with \
                      the database: ";
        check(flavour, &[("database.port", "1")], nobody).await;
    }
}

#[tokio::test]
async fn a_server_that_does_not_answer() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = silent.local_addr().unwrap().port().to_string();
    let pairs =
        [("database.hostname", "127.0.0.1"), ("database.port", &*port), ("connection.validation.timeout.ms", "200")];
    check(Flavour::MySql, &pairs, "Connection validation timed out after 200 ms").await;
}

#[tokio::test]
async fn an_account_that_may_little() {
    for flavour in BOTH {
        let mut root = mysql::sql::Sql::connect(&rig::server(flavour)).await.unwrap();
        rig::account(&mut root, "check_little", "SELECT").await;
        let all = found(flavour, &[("database.user", "check_little"), ("database.password", "ge'heim")]).await;
        root.execute("test", "DROP USER 'check_little'@'localhost'").await.unwrap();
        let [finding] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((finding.key.as_str(), finding.severity), ("database.user", Severity::Unmet));
        let lacks = "the account check_little lacks REPLICATION SLAVE, REPLICATION CLIENT, RELOAD.";
        assert_eq!(finding.reason, lacks);
        let grant = "Run GRANT REPLICATION SLAVE, REPLICATION CLIENT, RELOAD ON *.* TO 'check_little'@'localhost'.";
        assert_eq!(finding.remedy, grant);
        assert!(!finding.to_string().contains("heim"), "a password is told: {finding}");
    }
}

/// MySQL 9.6 and later logs what a foreign key changes; MariaDB does not.
#[tokio::test]
async fn tables_that_a_foreign_key_changes() {
    for flavour in BOTH {
        let mut database = Database::fresh(flavour, "check_cascade").await;
        database.run("CREATE TABLE p (id INT PRIMARY KEY)").await;
        database.run("CREATE TABLE c (p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE CASCADE)").await;
        database.run("CREATE TABLE r (p INT, FOREIGN KEY (p) REFERENCES p (id) ON DELETE RESTRICT)").await;
        let logs = database.sql.variable("innodb_native_foreign_keys").await.unwrap().as_deref() == Some("OFF");
        let all = found(flavour, &[("database.include.list", "check_cascade")]).await;
        database.remove().await;
        let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
        if logs {
            assert_eq!(shown, [""; 0]);
        } else {
            let [warning] = shown.as_slice() else { panic!("{shown:?}") };
            assert!(warning.contains(": check_cascade.c (of check_cascade.p)."), "{warning}");
        }
    }
}

/// The findings of one server whose settings are not those of the tests' own.
async fn found_at(flavour: Flavour, at: &str, more: &[(&str, &str)]) -> Vec<Finding> {
    let port = at.rsplit(':').next().unwrap();
    let mut pairs = vec![("database.hostname", "127.0.0.1"), ("database.port", port)];
    pairs.extend_from_slice(more);
    found(flavour, &pairs).await
}

/// Each setting of the server that stands in the way, alone: its key and the statement that mends it.
#[tokio::test]
async fn each_setting_that_stands_in_the_way() {
    for flavour in BOTH {
        let server = own::Own::start(flavour, &format!("check-{flavour:?}"), "", "");
        let mut root = mysql::sql::Sql::connect(&rig::options(&server.at)).await.unwrap();
        assert_eq!(found_at(flavour, &server.at, &[]).await, Vec::<Finding>::new());
        let gtids =
            ("SET GLOBAL gtid_mode = ON_PERMISSIVE", "SET GLOBAL gtid_mode = ON", Severity::Warning, "gtid_mode = ");
        let settings = [
            (
                "SET GLOBAL binlog_format = 'MIXED'",
                "SET GLOBAL binlog_format = 'ROW'",
                Severity::Unmet,
                "binlog_format = 'ROW'",
            ),
            (
                "SET GLOBAL binlog_row_image = 'MINIMAL'",
                "SET GLOBAL binlog_row_image = 'FULL'",
                Severity::Unmet,
                "binlog_row_image = 'FULL'",
            ),
            (
                "SET GLOBAL binlog_expire_logs_seconds = 60",
                "SET GLOBAL binlog_expire_logs_seconds = 2592000",
                Severity::Warning,
                "binlog_expire_logs_seconds = 604800",
            ),
        ];
        for (spoil, mend, severity, statement) in
            settings.into_iter().chain((flavour == Flavour::MySql).then_some(gtids))
        {
            root.execute("test", spoil).await.unwrap();
            let all = found_at(flavour, &server.at, &[]).await;
            root.execute("test", mend).await.unwrap();
            let [finding] = all.as_slice() else { panic!("{flavour:?} {spoil}: {all:?}") };
            assert_eq!((finding.key.as_str(), finding.severity), ("database.hostname", severity), "{finding}");
            assert!(finding.to_string().contains(statement), "{statement} is not in {finding}");
        }
        // The server's own number, and one that another replica has.
        let own_number = root.variable("server_id").await.unwrap().unwrap();
        let all = found_at(flavour, &server.at, &[("database.server.id", &own_number)]).await;
        assert!(matches!(all.as_slice(), [one] if one.key == "database.server.id"), "{all:?}");
        // No server of these tests has tables of time zones.
        let zone = [("database.initial.statements", "SET time_zone = 'Europe/Berlin'")];
        let all = found_at(flavour, &server.at, &zone).await;
        let [finding] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((finding.key.as_str(), finding.severity), ("database.initial.statements", Severity::Unmet));
        assert!(finding.remedy.contains("mysql_tzinfo_to_sql"), "{finding}");
    }
}

#[tokio::test]
async fn a_server_without_binlog() {
    for flavour in BOTH {
        let server = own::Own::start(flavour, &format!("nobinlog-{flavour:?}"), "", "--skip-log-bin");
        let all = found_at(flavour, &server.at, &[]).await;
        let log = all.iter().find(|finding| finding.reason.contains("log_bin")).unwrap_or_else(|| panic!("{all:?}"));
        assert_eq!((log.key.as_str(), log.severity), ("database.hostname", Severity::Unmet));
        // Who copies only needs none.
        assert_eq!(found_at(flavour, &server.at, &[("snapshot.mode", "initial_only")]).await, Vec::<Finding>::new());
    }
}

/// An account that may stream, but not read one of the tables.
#[tokio::test]
async fn tables_that_the_account_may_not_read() {
    for flavour in BOTH {
        let mut database = Database::fresh(flavour, "check_select").await;
        database.run("CREATE TABLE a (id INT PRIMARY KEY)").await;
        database.run("CREATE TABLE b (id INT PRIMARY KEY)").await;
        rig::account(&mut database.sql, "check_select", "REPLICATION SLAVE, REPLICATION CLIENT, RELOAD, LOCK TABLES")
            .await;
        for grant in ["SELECT ON check_select.a", "INSERT ON check_select.b"] {
            database.run(&format!("GRANT {grant} TO 'check_select'@'localhost'")).await;
        }
        let pairs = [
            ("database.user", "check_select"),
            ("database.password", "ge'heim"),
            ("database.include.list", "check_select"),
        ];
        let all = found(flavour, &pairs).await;
        let missing = found(flavour, &[&pairs[..2], &[("table.include.list", "check_select.none")]].concat()).await;
        database.run("DROP USER 'check_select'@'localhost'").await;
        database.remove().await;
        let [finding] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((finding.key.as_str(), finding.severity), ("database.user", Severity::Unmet));
        assert_eq!(finding.remedy, "Run GRANT SELECT ON `check_select`.`b` TO 'check_select'@'localhost'.");
        assert!(missing.iter().any(|one| one.key == "table.include.list"), "{missing:?}");
    }
}

/// Another replica with the same number: one that the test itself registers.
#[tokio::test]
async fn a_number_that_a_replica_has() {
    for flavour in BOTH {
        let mut root = mysql::sql::Sql::connect(&rig::server(flavour)).await.unwrap();
        let status = root.binlog_status().await.unwrap();
        let start = mysql::wire::Start::Position { file: status.file, position: status.position };
        let dump = mysql::wire::Dump {
            start,
            server_id: 8140,
            heartbeat_ms: 0,
            net_write_timeout_s: 0,
            net_read_timeout_s: 0,
            annotate_rows: false,
            until_end: false,
        };
        let reader = mysql::wire::Replication::start(&rig::server(flavour), &dump).await.unwrap();
        let all = found(flavour, &[("database.server.id", "8140")]).await;
        drop(reader);
        let [finding] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((finding.key.as_str(), finding.severity), ("database.server.id", Severity::Warning));
        assert!(finding.reason.contains("a replica"), "{finding}");
    }
}
