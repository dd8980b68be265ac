//! How the server is asked about tables that a statement left in doubt, and about tables whose own statement is not understood: how
//! often, and which server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/own.rs"]
mod own;
#[path = "rig/relay.rs"]
mod relay;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::time::Duration;

use mysql::Flavour;
use mysql::sql::Sql;
use mysql::wire::ConnectOptions;
use own::Own;
use relay::Relay;
use rig::{BOTH, Database};
use serde_json::Value as Json;
use task::{State, Task, World, operations};

/// Has statements done outside of the binlog.
async fn unseen(sql: &mut Sql, statement: &str) {
    for statement in ["SET sql_log_bin = 0", statement, "SET sql_log_bin = 1"] {
        sql.execute("test", statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// The values of a row, whether they are borrowed or not.
fn plain(row: &[String]) -> String {
    row.join(" ").replace("Owned(Text(", "Text(").replace("))", ")")
}

/// A task that reaches the server through a relay, without TLS, which a relay could not read.
fn start(flavour: Flavour, name: &str, relay: &Relay, more: &[(&str, &str)], world: &World) -> Task {
    let port = relay.port.to_string();
    let base =
        [("database.hostname", "127.0.0.1"), ("database.port", port.as_str()), ("database.ssl.mode", "disabled")];
    let base = if flavour == Flavour::MariaDb { [base[0], base[1], ("database.ssl.mode", "disable")] } else { base };
    Task::start(flavour, name, &[&base[..], more].concat(), world, Duration::ZERO)
}

/// Two tables are in doubt, of which the server cannot tell how they were. However many statements and rows there are, the rest of
/// the binlog is read once, and each table is asked for once before and once behind its last statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_rest_of_the_binlog_is_read_once_for_all_tables() {
    for flavour in BOTH {
        let name = "lookup_once";
        let mut database = Database::fresh(flavour, name).await;
        let world = World::default();
        let relay = Relay::to(&rig::server(flavour)).await;
        let tables = ["t", "u"];
        for table in tables {
            database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
        }
        let task = start(flavour, name, &relay, &[], &world);
        task.until("the copy", State::is_copied).await;
        task.stop().await;
        for table in tables {
            unseen(&mut database.sql, &format!("ALTER TABLE {table} ADD n INT")).await;
            database.run(&format!("ALTER TABLE {table} MODIFY n BIGINT")).await;
        }
        for i in 0..10 {
            database.run(&format!("CREATE TABLE other_{i} (id INT PRIMARY KEY)")).await;
            for table in tables {
                database.run(&format!("INSERT INTO {table} VALUES ({i}, 1)")).await;
            }
        }
        for table in tables {
            database.run(&format!("ALTER TABLE {table} ADD z INT")).await;
            database.run(&format!("INSERT INTO {table} VALUES (100, 1, 2)")).await;
        }
        let before = relay.opened();
        let warn = [("inconsistent.schema.handling.mode", "warn")];
        let task = start(flavour, name, &relay, &warn, &world);
        let all = |state: &State| state.rows().filter(|record| record.op == "c").count() == 2;
        task.until("the last rows", all).await;
        task.stop().await;
        for table in tables {
            assert_eq!(operations(&world, &format!("{name}.{table}")), "c", "what nobody tells is left out");
        }
        // Two of the task itself; for the first table one question and one reading; for each further answer a question, and a
        // reading of what other tests have written meanwhile.
        let opened = relay.opened() - before;
        assert!(opened <= 2 + 2 * 4, "{opened} connections");
        database.remove().await;
    }
}

/// Behind the name there is another server when the first is asked: its answer would be about another table.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_server_does_not_tell() {
    for flavour in BOTH {
        let own = Own::plain(flavour, &format!("lookup-{flavour:?}"));
        let (first, second) = (rig::options(&own.at), rig::server(flavour));
        let name = "lookup_other";
        let mut database = Database::fresh_at(&first, name).await;
        let mut same = Database::fresh_at(&second, name).await;
        for database in [&mut database, &mut same] {
            database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
        }
        let world = World::default();
        let relay = Relay::to(&first).await;
        let task = start(flavour, name, &relay, &[], &world);
        task.until("the copy", State::is_copied).await;
        // The stream is there.
        database.run("INSERT INTO t VALUES (0)").await;
        task.until("a row", |state| state.rows().count() == 1).await;
        relay.lead_to(&second);
        unseen(&mut same.sql, "ALTER TABLE t ADD n BIGINT").await;
        unseen(&mut database.sql, "ALTER TABLE t ADD n INT").await;
        database.run("ALTER TABLE t MODIFY n BIGINT").await;
        database.run("INSERT INTO t VALUES (1, 2)").await;
        let trace = task.failed().await;
        let variable = if flavour == Flavour::MySql { "server_uuid '" } else { " '" };
        for part in
            ["another server answers than the one whose binlog is followed (", variable, "load balancer", "t, at "]
        {
            assert!(trace.contains(part), "{part}: {trace}");
        }
        // Asked at the right place, it tells.
        relay.lead_to(&first);
        let task = start(flavour, name, &relay, &[], &world);
        task.until("the row", |state| state.rows().count() == 2).await;
        task.stop().await;
        same.remove().await;
    }
}

/// What `SHOW CREATE TABLE` answers is not understood: the catalogue's columns are taken, for the copy, the history and the stream.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_goes_on_where_the_server_s_own_statement_is_not_understood() {
    for flavour in BOTH {
        let name = "lookup_described";
        let mut database = Database::fresh(flavour, name).await;
        database
            .run("CREATE TABLE t (id INT PRIMARY KEY, odd INT NOT NULL DEFAULT 7, v VARCHAR(9) CHARACTER SET latin1 COMMENT 'it''s')")
            .await;
        database.run("INSERT INTO t VALUES (1, 2, 'é')").await;
        let relay = Relay::to(&rig::server(flavour)).await;
        relay.replace("`odd` int", "`odd` (nt");
        let world = World::default();
        let task = start(flavour, name, &relay, &[], &world);
        task.until("the copy", State::is_copied).await;
        task.stop().await;
        let history = world.lock().unwrap().history.clone().unwrap();
        let records: Vec<Json> = history.iter().map(|text| serde_json::from_str(text).unwrap()).collect();
        let made: Vec<&Json> = records.iter().filter(|record| record["tableChanges"][0]["type"] == "CREATE").collect();
        let [made] = made.as_slice() else { panic!("{records:?}") };
        let columns = made["tableChanges"][0]["table"]["columns"].as_array().unwrap();
        let shown: Vec<_> =
            columns.iter().map(|c| format!("{} {} {}", c["name"], c["typeName"], c["optional"])).collect();
        assert_eq!(shown, ["\"id\" \"INT\" false", "\"odd\" \"INT\" false", "\"v\" \"VARCHAR\" true"]);
        assert!(made["ddl"].as_str().unwrap().starts_with("CREATE TABLE `lookup_described`.`t` (`id` int"), "{made}");
        assert_eq!(columns[1]["defaultValueExpression"], "7");
        // The statement is read again with prefer.ddl.
        for (key, prefer_ddl) in [(2, "false"), (3, "true")] {
            let more = [("schema.history.internal.prefer.ddl", prefer_ddl)];
            let task = start(flavour, name, &relay, &more, &world);
            database.run(&format!("INSERT INTO t (id, v) VALUES ({key}, 'ü')")).await;
            task.until("the row", |state| state.rows().count() == key).await;
            task.stop().await;
        }
        let rows: Vec<_> = world.lock().unwrap().rows().map(|record| plain(&record.row)).collect();
        assert_eq!(rows, ["Int(1) Int(2) Text(\"é\")", "Int(2) Int(7) Text(\"ü\")", "Int(3) Int(7) Text(\"ü\")"]);
        database.remove().await;
    }
}

/// Runs statements as a client does that speaks this character set.
fn run_as(server: &ConnectOptions, charset: &str, statements: &[u8]) {
    use std::io::Write as _;
    use std::process::{Command, Stdio};
    let mut client = Command::new("mariadb")
        .args(["--no-defaults", "--skip-ssl", "-u", "root", "-h", &server.host, "-P", &server.port.to_string()])
        .arg(format!("--default-character-set={charset}"))
        .stdin(Stdio::piped())
        .spawn()
        .expect("the client of MariaDB");
    client.stdin.take().unwrap().write_all(statements).unwrap();
    assert!(client.wait().unwrap().success());
}

/// A statement stands in the binlog in the character set of the client that sent it.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn statements_of_clients_in_other_character_sets() {
    for flavour in BOTH {
        let name = "lookup_charset";
        let mut database = Database::fresh(flavour, name).await;
        database.run("CREATE TABLE plain (id INT PRIMARY KEY)").await;
        let world = World::default();
        let comments = [("include.schema.comments", "true")];
        let task = Task::start(flavour, name, &comments, &world, Duration::ZERO);
        task.until("the copy", State::is_copied).await;
        let server = rig::server(flavour);
        // `tä` with a column `é`; `中` with a column `文`, of which `\x5c` is the second byte of a character.
        run_as(
            &server,
            "latin1",
            b"USE lookup_charset; CREATE TABLE `t\xe4` (id INT PRIMARY KEY, `\xe9` VARCHAR(9) DEFAULT '\xfc' COMMENT '\xdf'); \
              INSERT INTO `t\xe4` (id) VALUES (1); ALTER TABLE `t\xe4` ADD n INT; INSERT INTO `t\xe4` (id) VALUES (2); \
              RENAME TABLE `t\xe4` TO `u\xe4`; INSERT INTO `u\xe4` (id) VALUES (3); DROP TABLE `u\xe4`; \
              CREATE TABLE `u\xe4` (k INT PRIMARY KEY); INSERT INTO `u\xe4` VALUES (4);",
        );
        run_as(
            &server,
            "gbk",
            b"USE lookup_charset; CREATE TABLE `\xd6\xd0` (id INT PRIMARY KEY, `\xce\xc4` VARCHAR(9) CHARACTER SET utf8mb4 DEFAULT '\x95\x5c' COMMENT \
              '\x95\x5c'); INSERT INTO `\xd6\xd0` (id) VALUES (5);",
        );
        database.run("INSERT INTO plain VALUES (6)").await;
        task.until("the last row", |state| {
            state.rows().any(|record| record.table.split('.').next_back() == Some("plain"))
        })
        .await;
        task.stop().await;
        let rows: Vec<_> =
            world.lock().unwrap().rows().map(|record| format!("{} {}", record.table, plain(&record.row))).collect();
        let expect = [
            "tä Int(1) Text(\"ü\")",
            "tä Int(2) Text(\"ü\") Null",
            "uä Int(3) Text(\"ü\") Null",
            "uä Int(4)",
            "中 Int(5) Text(\"昞\")",
            "plain Int(6)",
        ];
        assert_eq!(rows, expect.map(|row| format!("{name}.{row}")));
        let history = world.lock().unwrap().history.clone().unwrap();
        let made = |table: &str| {
            let id = format!("\"{name}\".\"{table}\"");
            let records = history.iter().map(|text| serde_json::from_str::<Json>(text).unwrap());
            let mut changes = records.flat_map(|record| record["tableChanges"].as_array().unwrap().clone());
            changes.find(|change| change["id"] == id.as_str()).unwrap_or_else(|| panic!("{table}: {history:?}"))
        };
        for (table, column, default, comment) in [("tä", "é", "ü", "ß"), ("中", "文", "昞", "昞")] {
            let column_of = &made(table)["table"]["columns"][1];
            assert_eq!((&column_of["name"], &column_of["comment"]), (&column.into(), &comment.into()));
            assert_eq!(column_of["defaultValueExpression"], default);
        }
        database.remove().await;
    }
}
