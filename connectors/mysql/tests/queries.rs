//! Every query of the catalogue, and rows read in place, on both products.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "rig/mod.rs"]
mod rig;

use std::time::{Duration, Instant};

use bytes::BytesMut;
use mysql::sql::{Purpose, Sql, quoted};
use mysql::wire::{ConnectOptions, NextRow, Rows};
use mysql::{Error, Flavour};
use record::Span;
use rig::{BOTH, Database};

/// All rows, each cell as its bytes.
async fn all(mut rows: Rows<'_>) -> Result<Vec<Vec<Option<Vec<u8>>>>, Error> {
    let (mut buffer, mut at, mut spans, mut out) = (BytesMut::new(), 0, Vec::<Span>::new(), Vec::new());
    loop {
        spans.clear();
        match rows.next(&mut buffer, at, &mut spans)? {
            NextRow::Row { end } => {
                at = end;
                out.push(spans.iter().map(|span| span.bytes(&buffer).map(<[u8]>::to_vec)).collect());
            }
            NextRow::Incomplete { need } => {
                let _ = buffer.split_to(std::mem::take(&mut at));
                buffer.reserve(need.saturating_sub(buffer.len()));
                if rows.try_fill(&mut buffer)?.is_none() {
                    rows.fill(&mut buffer).await?;
                }
            }
            NextRow::End { .. } => return Ok(out),
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn facts_of_the_server() {
    for flavour in BOTH {
        let mut sql = Sql::connect(&rig::server(flavour)).await.unwrap();
        assert_eq!(sql.flavour(), flavour);
        assert!(sql.version() >= (10, 0, 0) || flavour == Flavour::MySql && sql.version() >= (8, 0, 0));
        let server = sql.server().await.unwrap();
        server.check_binlog("x").unwrap();
        assert_eq!(server.has_gtids(), flavour == Flavour::MySql);
        assert_eq!(server.server_uuid.is_some(), flavour == Flavour::MySql);
        assert_eq!(server.log_bin_compress.as_deref(), (flavour == Flavour::MariaDb).then_some("OFF"));
        assert!(server.server_id.as_deref().is_some_and(|id| id.parse::<u32>().is_ok()), "{server:?}");
        assert!(!server.ignores_case() && server.time_zone.as_deref() == Some("SYSTEM"), "{server:?}");
        assert!(server.sql_mode.unwrap().contains("STRICT_TRANS_TABLES"));
        assert_eq!(sql.variable("no_such_variable").await.unwrap(), None);
        assert_eq!(sql.variable("binlog_checksum").await.unwrap().as_deref(), Some("CRC32"));
        let now_ms = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis() as i64;
        assert!((sql.now_ms().await.unwrap() - now_ms).abs() < 60_000);
        sql.check_grants(Purpose::Stream).await.unwrap();
        sql.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn positions_and_gtids() {
    for flavour in BOTH {
        let mut database = Database::fresh(flavour, "wire_positions").await;
        let before = database.sql.binlog_status().await.unwrap();
        database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
        let after = database.sql.binlog_status().await.unwrap();
        assert!((&after.file, after.position) > (&before.file, before.position), "{before:?} {after:?}");
        let gtids = after.gtids.unwrap();
        assert!(!gtids.contains('\n') && gtids != before.gtids.unwrap(), "{gtids}");
        let files = database.sql.binlog_files().await.unwrap();
        assert!(files.iter().any(|file| file.name == after.file && file.size_bytes > 0), "{files:?}");
        let executed = database.sql.gtid_executed().await.unwrap().unwrap();
        match flavour {
            Flavour::MySql => {
                assert_eq!(database.sql.gtid_subtract(&executed, &executed).await.unwrap(), None);
                assert_eq!(database.sql.gtid_subtract(&executed, "").await.unwrap(), Some(executed));
            }
            Flavour::MariaDb => {
                let at = database.sql.gtids_at(&after.file, after.position).await.unwrap();
                assert_eq!(at, Some(gtids));
                assert_eq!(database.sql.gtids_at("no-such-file", 4).await.unwrap(), None);
            }
        }
        assert_eq!(database.sql.gtid_purged().await.unwrap(), None);
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn databases_and_tables() {
    for flavour in BOTH {
        let name = "wire `tables' \\ \u{e4}";
        let mut database = Database::fresh(flavour, name).await;
        database.run("CREATE TABLE `a``b` (id INT PRIMARY KEY, `t\u{e4}` TEXT COMMENT 'it''s')").await;
        database.run("CREATE VIEW v AS SELECT 1 AS one").await;
        database.run("INSERT INTO `a``b` VALUES (1, 'x')").await;
        let sql = &mut database.sql;
        assert!(sql.databases().await.unwrap().iter().any(|found| found == name));
        let defaults = sql.database(name).await.unwrap().unwrap();
        let expect = sql.server().await.unwrap();
        assert_eq!(
            (Some(defaults.charset), Some(defaults.collation)),
            (expect.character_set_server, expect.collation_server)
        );
        assert_eq!(sql.database("no such").await.unwrap(), None);
        let tables = sql.tables(name).await.unwrap();
        let listed: Vec<_> = tables.iter().map(|table| (table.name.as_str(), table.kind.as_str())).collect();
        assert_eq!(listed, [("a`b", "BASE TABLE"), ("v", "VIEW")]);
        let statement = sql.create_statement(name, "a`b").await.unwrap();
        assert!(statement.starts_with("CREATE TABLE `a``b` (") && statement.contains("`t\u{e4}` text"), "{statement}");
        assert!(sql.row_estimate(name, "a`b").await.unwrap().is_some());
        assert_eq!(sql.row_estimate(name, "a_b").await.unwrap(), None);
        let error = sql.create_statement(name, "gone").await.unwrap_err();
        assert_eq!((error.number(), error.sqlstate()), (Some(1146), Some("42S02")));
        assert!(
            error.to_string().contains("reading how `wire") && error.to_string().contains("user 'root'"),
            "{error}"
        );
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn rows_in_both_protocols() {
    for flavour in BOTH {
        let mut database = Database::fresh(flavour, "wire_rows").await;
        database
            .run("CREATE TABLE t (id INT PRIMARY KEY, b BIGINT UNSIGNED, d DECIMAL(5,2), at DATETIME(3), s VARCHAR(9), y BLOB, f DOUBLE)")
            .await;
        database
            .run("INSERT INTO t VALUES (1, 18446744073709551615, 1.50, '2026-11-30 06:20:00.125', 'hé', x'00ff', 0.5)")
            .await;
        database.run("INSERT INTO t VALUES (-2, NULL, NULL, NULL, NULL, '', NULL)").await;
        let select = "SELECT * FROM t ORDER BY id DESC";
        let rows = database.sql.rows("test", select, false).await.unwrap();
        let names: Vec<_> = rows.columns().iter().map(|column| column.name.clone()).collect();
        assert_eq!(names, ["id", "b", "d", "at", "s", "y", "f"]);
        let text = |cells: [Option<&[u8]>; 7]| cells.map(|cell| cell.map(<[u8]>::to_vec)).to_vec();
        let expect = [
            text([
                Some(b"1"),
                Some(b"18446744073709551615"),
                Some(b"1.50"),
                Some(b"2026-11-30 06:20:00.125"),
                Some("hé".as_bytes()),
                Some(b"\0\xff"),
                Some(b"0.5"),
            ]),
            text([Some(b"-2"), None, None, None, None, Some(b""), None]),
        ];
        assert_eq!(all(rows).await.unwrap(), expect);
        let rows = database.sql.rows("test", select, true).await.unwrap();
        let expect = [
            text([
                Some(b"\x01\0\0\0"),
                Some(&[0xff; 8]),
                Some(b"1.50"),
                Some(b"\xea\x07\x0b\x1e\x06\x14\0\x48\xe8\x01\0"),
                Some("hé".as_bytes()),
                Some(b"\0\xff"),
                Some(&0.5_f64.to_le_bytes()),
            ]),
            text([Some(b"\xfe\xff\xff\xff"), None, None, None, None, Some(b""), None]),
        ];
        assert_eq!(all(rows).await.unwrap(), expect);
        // No rows, and the session goes on.
        assert_eq!(
            all(database.sql.rows("test", "SELECT 1 FROM t WHERE id = 9", false).await.unwrap()).await.unwrap().len(),
            0
        );
        // A cell of more than a packet's piece, and one that fills pieces exactly.
        for length in [0xff_ffff - 5, 0xff_ffff * 2 - 9, 40_000_000] {
            for is_binary in [false, true] {
                let sql = format!("SELECT REPEAT('x', {length}), 'end'");
                let found = all(database.sql.rows("test", &sql, is_binary).await.unwrap()).await.unwrap();
                assert_eq!(found[0][0].as_ref().map(Vec::len), Some(length));
                assert!(found[0][0].as_ref().unwrap().iter().all(|byte| *byte == b'x'));
                assert_eq!(found[0][1].as_deref(), Some(&b"end"[..]));
            }
        }
        // An error inside the rows.
        let failing = "SELECT IF(id = -2, (SELECT 1 UNION SELECT 2), id) FROM t ORDER BY id DESC";
        let failed = match database.sql.rows("test", failing, false).await {
            Ok(rows) => all(rows).await.unwrap_err(),
            Err(error) => error,
        };
        assert_eq!(failed.number(), Some(1242), "{failed}");
        database.sql.ping().await.unwrap();
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn locks_and_transactions() {
    for flavour in BOTH {
        let mut database = Database::fresh(flavour, "wire_locks").await;
        database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
        let options = ConnectOptions { initial_statements: vec!["SET @a = 'x;y'".into()], ..rig::server(flavour) };
        let mut reader = Sql::connect(&options).await.unwrap();
        assert_eq!(reader.query("test", "SELECT @a").await.unwrap()[0].text(0), Some("x;y"));
        reader.lock_timeout(1).await.unwrap();
        reader.lock_tables(&[]).await.unwrap();
        reader.lock_tables(&[("wire_locks", "t")]).await.unwrap();
        database.sql.lock_timeout(1).await.unwrap();
        let error = database.sql.execute("writing", "INSERT INTO t VALUES (1)").await.unwrap_err();
        assert_eq!((error.number(), error.is_transient()), (Some(1205), true), "{error}");
        reader.unlock().await.unwrap();
        reader.begin_reading().await.unwrap();
        database.run("INSERT INTO t VALUES (1)").await;
        let count = format!("SELECT COUNT(*) FROM {}", quoted("wire_locks", "t"));
        assert_eq!(reader.query("test", &count).await.unwrap()[0].number(0), Some(0));
        reader.rollback().await.unwrap();
        assert_eq!(reader.query("test", &count).await.unwrap()[0].number(0), Some(1));
        database.remove().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_that_may_not() {
    for flavour in BOTH {
        let mut root = Sql::connect(&rig::server(flavour)).await.unwrap();
        let options = rig::account(&mut root, "wire_may_not", "SELECT").await;
        let mut sql = Sql::connect(&options).await.unwrap();
        let error = sql.check_grants(Purpose::Stream).await.unwrap_err();
        let expect =
            "lacks REPLICATION SLAVE, REPLICATION CLIENT: GRANT REPLICATION SLAVE, REPLICATION CLIENT ON *.* TO";
        assert!(error.to_string().contains(expect) && error.to_string().contains("'wire_may_not'"), "{error}");
        for (refused, privilege) in [
            (sql.lock_globally().await, "RELOAD"),
            (
                sql.binlog_status().await.map(drop),
                if flavour == Flavour::MySql { "REPLICATION CLIENT" } else { "BINLOG MONITOR" },
            ),
        ] {
            let error = refused.unwrap_err();
            assert_eq!((error.number(), error.is_transient()), (Some(1227), false), "{error}");
            let text = error.to_string();
            assert!(text.contains(privilege) && text.contains(". GRANT ") && text.contains("'wire_may_not'"), "{text}");
        }
        root.execute("test", "DROP USER 'wire_may_not'@'localhost'").await.unwrap();
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn sessions_that_end() {
    for flavour in BOTH {
        let mut root = Sql::connect(&rig::server(flavour)).await.unwrap();
        // A statement that takes too long is cancelled on the server, and the session is given up.
        let mut slow = Sql::connect(&ConnectOptions { query_timeout_ms: 300, ..rig::server(flavour) }).await.unwrap();
        let id = slow.connection().greeting().connection_id;
        let error = slow.execute("sleeping", "SELECT SLEEP(30)").await.unwrap_err();
        assert!(matches!(error, Error::QueryTimedOut { .. }) && error.is_transient(), "{error}");
        let begin = Instant::now();
        let running =
            format!("SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE ID = {id} AND COMMAND = 'Query'");
        while root.query("test", &running).await.unwrap()[0].number(0) != Some(0) {
            assert!(begin.elapsed() < Duration::from_secs(5), "the statement still runs");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let error = slow.ping().await.unwrap_err();
        assert!(error.to_string().contains("not read to its end"), "{error}");
        // A session that somebody kills.
        let mut victim = Sql::connect(&rig::server(flavour)).await.unwrap();
        root.execute("test", &format!("KILL {}", victim.connection().greeting().connection_id)).await.unwrap();
        let error = loop {
            if let Err(error) = victim.ping().await {
                break error;
            }
        };
        assert!(error.is_transient(), "{error}");
    }
    let nobody = ConnectOptions { port: 1, ..rig::server(Flavour::MySql) };
    let error = Sql::connect(&nobody).await.unwrap_err();
    assert!(error.is_transient() && error.to_string().contains("connecting to the server at 127.0.0.1:1"), "{error}");
}

/// What `information_schema` says makes the same table as the server's own statement.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_as_the_catalogue_describes_them() {
    for flavour in BOTH {
        let name = "wire_described";
        let mut database = Database::fresh(flavour, name).await;
        for definition in [
            "id INT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, v VARCHAR(10) CHARACTER SET latin1 DEFAULT 'it''s', d DECIMAL(10,2) \
             NOT NULL DEFAULT 1.50, e ENUM('a','b''c') NOT NULL DEFAULT 'a', s SET('x','y'), ts TIMESTAMP(3) NOT NULL DEFAULT \
             CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3), b BIT(3) DEFAULT b'101', j JSON, x INT DEFAULT (1 + 1), t TEXT \
             COMMENT 'it''s \\\\', f FLOAT, g INT AS (x + 1) STORED, y YEAR, p POINT NOT NULL",
            "a INT NOT NULL, b INT NOT NULL, n INT, UNIQUE (n), UNIQUE (b, a)",
            "a INT NOT NULL, b INT NOT NULL, PRIMARY KEY (b, a), UNIQUE (a)",
        ] {
            database.run("DROP TABLE IF EXISTS t").await;
            database.run(&format!("CREATE TABLE t ({definition})")).await;
            let own = database.sql.create_statement(name, "t").await.unwrap();
            let described = database.sql.described(name, "t").await.unwrap().unwrap();
            let tables = [&own, &described].map(|text| {
                let dialect = mysql::ddl::Dialect::new(flavour);
                let rules = mysql::ddl::Rules { dialect, comments: true, lower_case_table_names: 0 };
                let mut catalog = mysql::ddl::Catalog::new(rules);
                let outcome = catalog.apply(&mysql::ddl::Query { text, database: name, sql_mode: Some(0) });
                assert_eq!(outcome.not_understood, None, "{text}");
                let table = catalog.tables().next().unwrap();
                let mut columns = table.columns.clone();
                // The description does not say how a column is computed.
                for column in &mut columns {
                    column.computed = false;
                }
                (columns, table.primary_key.clone())
            });
            assert_eq!(tables[0], tables[1], "{own}\n{described}");
        }
        assert_eq!(database.sql.described(name, "none").await.unwrap(), None);
        database.remove().await;
    }
}
