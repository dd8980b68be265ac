//! The check of a configuration against real servers: each thing that a server lacks, alone, with its key and the statement
//! that mends it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rig/own.rs"]
mod own;
mod rig;

use own::Own;
use postgres::sql::Sql;
use postgres::wire::{ConnectOptions, Replication};
use rig::Database;
use settings::{Finding, Properties, Severity};

/// A password that must not be in any answer.
const PASSWORD: &str = "Ge\"heim'nis";

async fn found(at: &ConnectOptions, pairs: &[(&str, &str)]) -> Vec<Finding> {
    let port = at.port.to_string();
    let mut properties: Properties = [
        ("topic.prefix", "t"),
        ("plugin.name", "pgoutput"),
        ("database.hostname", at.host.as_str()),
        ("database.port", port.as_str()),
        ("database.user", at.user.as_str()),
        ("database.dbname", at.dbname.as_str()),
        ("slot.name", "check_none"),
        ("publication.name", "check_pub"),
    ]
    .into_iter()
    .collect();
    if let Some(password) = &at.password {
        properties.insert("database.password", password.as_str());
    }
    for (name, value) in pairs {
        properties.insert(*name, *value);
    }
    let all = postgres::check(properties).await;
    assert!(all.iter().all(|one| !one.to_string().contains("heim")), "a password is told: {all:?}");
    all
}

/// There is this finding and no other.
#[track_caller]
fn only(all: &[Finding], key: &str, severity: Severity, parts: &[&str]) {
    let [finding] = all else { panic!("{key} alone is expected: {all:#?}") };
    assert_eq!((finding.key.as_str(), finding.severity), (key, severity), "{finding}");
    for part in parts {
        assert!(finding.to_string().contains(part), "{part:?} is not in {finding}");
    }
}

/// A fresh database with the tables `a` and `b`.
async fn fresh(name: &str) -> Database {
    let database = Database::fresh(name).await;
    database.sql("CREATE TABLE a (id int PRIMARY KEY, v text); CREATE TABLE b (id int PRIMARY KEY, v text)").await;
    database
}

/// A role that may log in to the database and stream, and nothing more.
async fn role(database: &Database, name: &str, attributes: &str) -> ConnectOptions {
    let password = PASSWORD.replace('\'', "''");
    database
        .sql(&format!(
            "DO $$ BEGIN IF EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{name}') THEN EXECUTE 'DROP ROLE {name}'; END IF; \
             END $$; CREATE ROLE {name} LOGIN {attributes} PASSWORD '{password}'"
        ))
        .await;
    ConnectOptions { user: name.into(), password: Some(PASSWORD.into()), ..database.options.clone() }
}

async fn end(database: Database, roles: &[&str]) {
    for role in roles {
        database.sql(&format!("DROP OWNED BY {role}; DROP ROLE {role}")).await;
    }
    database.remove().await;
}

#[tokio::test]
async fn a_server_that_can_be_used_is_left_as_it_is() {
    let database = fresh("check_fine").await;
    let sql = Sql::connect(&database.options).await.unwrap();
    assert_eq!(found(&database.options, &[]).await, Vec::<Finding>::new());
    assert_eq!(sql.slot("check_none").await.unwrap(), None);
    assert_eq!(sql.publication("check_pub").await.unwrap(), None);
    drop(sql);
    database.remove().await;
}

#[tokio::test]
async fn the_log_must_be_logical() {
    let own = Own::start("level", "wal_level = replica");
    only(
        &found(&own.options, &[]).await,
        "database.hostname",
        Severity::Unmet,
        &["wal_level of the server is 'replica'", "ALTER SYSTEM SET wal_level = 'logical'"],
    );
    // A copy alone needs no log.
    assert_eq!(found(&own.options, &[("snapshot.mode", "initial_only")]).await, Vec::<Finding>::new());
}

#[tokio::test]
async fn room_for_a_slot_and_a_sender_and_the_limits_of_the_log() {
    let own = Own::start("room", "max_replication_slots = 1\nmax_wal_senders = 1\nwal_keep_size = 0");
    let sql = Sql::connect(&own.options).await.unwrap();
    let sender = Replication::connect(&own.options).await.unwrap();
    only(
        &found(&own.options, &[]).await,
        "database.hostname",
        Severity::Unmet,
        &["no WAL sender is free: 1 of at most 1", "ALTER SYSTEM SET max_wal_senders = 6"],
    );
    drop(sender);
    gone(&sql).await;
    sql.execute("test", "SELECT pg_create_logical_replication_slot('idle', 'pgoutput')").await.unwrap();
    gone(&sql).await;
    only(
        &found(&own.options, &[]).await,
        "slot.name",
        Severity::Unmet,
        &[
            "no replication slot is free for \"check_none\": the server has 1 of at most 1",
            "ALTER SYSTEM SET max_replication_slots = 6",
            "SELECT pg_drop_replication_slot('idle')",
        ],
    );
    // Whose slot it is needs no other.
    gone(&sql).await;
    assert_eq!(found(&own.options, &[("slot.name", "idle")]).await, Vec::<Finding>::new());
    sql.execute("test", "ALTER SYSTEM SET max_slot_wal_keep_size = '1MB'").await.unwrap();
    sql.execute("test", "SELECT pg_reload_conf()").await.unwrap();
    for _ in 0..4 {
        sql.execute("test", "SELECT pg_logical_emit_message(false, 'x', 'y'), pg_switch_wal()").await.unwrap();
    }
    sql.execute("test", "CHECKPOINT").await.unwrap();
    gone(&sql).await;
    only(
        &found(&own.options, &[("slot.name", "idle")]).await,
        "slot.name",
        Severity::Unmet,
        &["has lost its log", "SELECT pg_drop_replication_slot('idle')"],
    );
    sql.execute("test", "SELECT pg_drop_replication_slot('idle')").await.unwrap();
    gone(&sql).await;
    only(&found(&own.options, &[]).await, "slot.name", Severity::Warning, &["1MB (max_slot_wal_keep_size)"]);
}

/// Waits until no session streams.
async fn gone(sql: &Sql) {
    for _ in 0..200 {
        if sql.room().await.unwrap().senders_used == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(50)).await;
    }
    panic!("the sender stays");
}

#[tokio::test]
async fn the_role_must_have_replication() {
    let database = fresh("check_attribute").await;
    let options = role(&database, "check_attribute", "").await;
    database.sql("GRANT SELECT ON ALL TABLES IN SCHEMA public TO check_attribute; CREATE PUBLICATION check_pub FOR ALL TABLES").await;
    only(
        &found(&options, &[]).await,
        "database.user",
        Severity::Unmet,
        &["the role check_attribute may not stream changes", "ALTER ROLE \"check_attribute\" REPLICATION"],
    );
    end(database, &["check_attribute"]).await;
}

#[tokio::test]
async fn the_role_must_read_the_tables() {
    let database = fresh("check_select").await;
    let options = role(&database, "check_select", "REPLICATION").await;
    database.sql("CREATE PUBLICATION check_pub FOR ALL TABLES; GRANT SELECT ON a TO check_select; GRANT SELECT (id) ON b TO check_select").await;
    only(
        &found(&options, &[]).await,
        "database.user",
        Severity::Unmet,
        &[
            "the role check_select may not read public.b; of single columns: public.b (v)",
            "GRANT SELECT ON \"public\".\"b\" TO \"check_select\"",
        ],
    );
    // What is not copied need not be read.
    for pairs in
        [("column.exclude.list", "public.b.v"), ("snapshot.mode", "no_data"), ("table.exclude.list", "public.b")]
    {
        assert_eq!(found(&options, &[pairs]).await, Vec::<Finding>::new(), "{pairs:?}");
    }
    database
        .sql("CREATE SCHEMA \"S\" CREATE TABLE c (id int PRIMARY KEY); GRANT SELECT ON \"S\".c TO check_select")
        .await;
    only(
        &found(&options, &[("table.include.list", "S.c")]).await,
        "database.user",
        Severity::Unmet,
        &["lacks USAGE", "GRANT USAGE ON SCHEMA \"S\" TO \"check_select\""],
    );
    database.sql("GRANT SELECT ON b TO check_select; ALTER TABLE b ENABLE ROW LEVEL SECURITY").await;
    only(
        &found(&options, &[("table.include.list", "public.b")]).await,
        "database.user",
        Severity::Unmet,
        &["row-level security", "ALTER ROLE \"check_select\" BYPASSRLS"],
    );
    end(database, &["check_select"]).await;
}

#[tokio::test]
async fn a_publication_that_is_missing_or_cannot_be_made() {
    let database = fresh("check_missing").await;
    let disabled = [("publication.autocreate.mode", "disabled")];
    only(
        &found(&database.options, &disabled).await,
        "publication.name",
        Severity::Unmet,
        &[
            "publication \"check_pub\" does not exist",
            "CREATE PUBLICATION \"check_pub\" FOR TABLE \"public\".\"a\", \"public\".\"b\"",
        ],
    );
    let filtered = ("publication.autocreate.mode", "filtered");
    let none = [filtered, ("table.include.list", "public.nothing")];
    only(&found(&database.options, &none).await, "table.include.list", Severity::Unmet, &["no captured table"]);
    let options = role(&database, "check_missing", "REPLICATION").await;
    database.sql("GRANT SELECT ON a, b TO check_missing").await;
    only(
        &found(&options, &[]).await,
        "publication.autocreate.mode",
        Severity::Unmet,
        &["FOR ALL TABLES takes a superuser", "CREATE PUBLICATION \"check_pub\" FOR ALL TABLES"],
    );
    database.sql("ALTER TABLE a OWNER TO check_missing").await;
    let own = [filtered, ("table.include.list", "public.a")];
    only(
        &found(&options, &own).await,
        "publication.autocreate.mode",
        Severity::Unmet,
        &["lacks CREATE on the database", "GRANT CREATE ON DATABASE \"check_missing\" TO \"check_missing\""],
    );
    database.sql("GRANT CREATE ON DATABASE check_missing TO check_missing").await;
    assert_eq!(found(&options, &own).await, Vec::<Finding>::new());
    only(
        &found(&options, &[filtered]).await,
        "publication.autocreate.mode",
        Severity::Unmet,
        &["does not own public.b"],
    );
    end(database, &["check_missing"]).await;
}

#[tokio::test]
async fn a_publication_that_does_not_send_what_is_captured() {
    let database = fresh("check_unsent").await;
    database.sql("CREATE PUBLICATION check_pub FOR TABLE a").await;
    let add = "ALTER PUBLICATION \"check_pub\" ADD TABLE \"public\".\"b\"";
    // Without a list the publication may be meant as the list.
    only(&found(&database.options, &[]).await, "publication.name", Severity::Warning, &["public.b", add]);
    let list = ("table.include.list", "public.a,public.b");
    only(&found(&database.options, &[list]).await, "publication.name", Severity::Unmet, &["public.b", add]);
    // A connector that may, adds it itself.
    assert_eq!(
        found(&database.options, &[list, ("publication.autocreate.mode", "filtered")]).await,
        Vec::<Finding>::new()
    );
    let options = role(&database, "check_unsent", "REPLICATION").await;
    database.sql("GRANT SELECT ON a, b TO check_unsent").await;
    only(
        &found(&options, &[("publication.autocreate.mode", "filtered")]).await,
        "publication.name",
        Severity::Unmet,
        &["may not alter it", add],
    );
    database.sql("ALTER PUBLICATION check_pub SET (publish = 'insert')").await;
    only(
        &found(&database.options, &[("table.include.list", "public.a")]).await,
        "publication.name",
        Severity::Unmet,
        &[
            "does not publish update, delete",
            "ALTER PUBLICATION \"check_pub\" SET (publish = 'insert, update, delete')",
        ],
    );
    let skipping = [("table.include.list", "public.a"), ("skipped.operations", "u,d,t")];
    assert_eq!(found(&database.options, &skipping).await, Vec::<Finding>::new());
    database.sql("DROP PUBLICATION check_pub; CREATE PUBLICATION check_pub FOR ALL TABLES").await;
    only(
        &found(&database.options, &[("publication.autocreate.mode", "filtered")]).await,
        "publication.name",
        Severity::Unmet,
        &["is FOR ALL TABLES and cannot be filtered"],
    );
    end(database, &["check_unsent"]).await;
}

#[tokio::test]
async fn partitions_come_under_the_name_that_the_publication_gives_them() {
    let database = Database::fresh("check_partitions").await;
    database
        .sql(
            "CREATE TABLE r (id int PRIMARY KEY) PARTITION BY RANGE (id); CREATE TABLE r1 PARTITION OF r FOR VALUES FROM (0) TO \
             (9); CREATE PUBLICATION check_pub FOR TABLE r",
        )
        .await;
    let root = [("table.include.list", "public.r")];
    only(
        &found(&database.options, &root).await,
        "publish.via.partition.root",
        Severity::Unmet,
        &[
            "changes of public.r come under the name of their partitions",
            "ALTER PUBLICATION \"check_pub\" SET (publish_via_partition_root = true)",
        ],
    );
    assert_eq!(found(&database.options, &[("table.include.list", "public.r1")]).await, Vec::<Finding>::new());
    database.sql("ALTER PUBLICATION check_pub SET (publish_via_partition_root = true)").await;
    assert_eq!(found(&database.options, &root).await, Vec::<Finding>::new());
    only(
        &found(&database.options, &[("table.include.list", "public.r1")]).await,
        "publish.via.partition.root",
        Severity::Unmet,
        &["changes of public.r1 come under the name of the table", "SET (publish_via_partition_root = false)"],
    );
    database.remove().await;
}

#[tokio::test]
async fn tables_whose_rows_cannot_be_told_apart() {
    let database = Database::fresh("check_identity").await;
    database.sql("CREATE TABLE k (v text)").await;
    only(
        &found(&database.options, &[]).await,
        "table.include.list",
        Severity::Warning,
        &["public.k have no primary key", "ALTER TABLE \"public\".\"k\" REPLICA IDENTITY FULL"],
    );
    // The connector will set it.
    let set = [("replica.identity.autoset.values", "public.k:FULL")];
    assert_eq!(found(&database.options, &set).await, Vec::<Finding>::new());
    assert_eq!(found(&database.options, &[("skipped.operations", "u,d")]).await, Vec::<Finding>::new());
    database.sql("ALTER TABLE k REPLICA IDENTITY FULL").await;
    only(&found(&database.options, &[]).await, "message.key.columns", Severity::Warning, &["public.k have no key"]);
    assert_eq!(found(&database.options, &[("message.key.columns", "public.k:v")]).await, Vec::<Finding>::new());
    database.sql("ALTER TABLE k REPLICA IDENTITY NOTHING").await;
    only(
        &found(&database.options, &[]).await,
        "table.include.list",
        Severity::Warning,
        &["REPLICA IDENTITY NOTHING", "ALTER TABLE \"public\".\"k\" REPLICA IDENTITY DEFAULT"],
    );
    database.remove().await;
}

#[tokio::test]
async fn a_slot_of_another_plugin() {
    let database = fresh("check_slot").await;
    database.sql("SELECT pg_create_logical_replication_slot('check_slot', 'test_decoding')").await;
    only(
        &found(&database.options, &[("slot.name", "check_slot")]).await,
        "slot.name",
        Severity::Unmet,
        &["belongs to output plugin test_decoding", "SELECT pg_drop_replication_slot('check_slot')"],
    );
    database.remove().await;
}

#[tokio::test]
async fn a_server_that_cannot_be_asked() {
    let silent = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let options = ConnectOptions { port: silent.local_addr().unwrap().port(), ..rig::server() };
    only(
        &found(&options, &[("connection.validation.timeout.ms", "200")]).await,
        "database.hostname",
        Severity::Error,
        &["Connection validation timed out after 200 ms"],
    );
    let wrong = ConnectOptions { user: "nobody_here".into(), password: Some(PASSWORD.into()), ..rig::server() };
    only(&found(&wrong, &[]).await, "database.hostname", Severity::Error, &["Error while validating connector config"]);
}
