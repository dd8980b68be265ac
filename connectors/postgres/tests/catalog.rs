//! Queries of the catalog, publications and the snapshot's transaction, against a real server.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use futures_util::StreamExt;
use postgres::Error;
use postgres::publication::{self, Autocreate, IdentityRule, Outcome, PublicationOptions};
use postgres::sql::{Isolation, SnapshotReader, Sql, Table, TableKind, TableName};
use postgres::types::TypeKind;
use postgres::wire::Replication;
use rig::Database;

fn table<'a>(tables: &'a [Table], name: &str) -> &'a Table {
    tables.iter().find(|table| table.name.to_string() == name).unwrap_or_else(|| panic!("{name} is not listed"))
}

#[tokio::test]
async fn tables_columns_keys_and_types() {
    let database = Database::fresh("wire_catalog").await;
    database
        .sql("CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy'); ALTER TYPE mood ADD VALUE 'calm' BEFORE 'happy'; \
              CREATE DOMAIN price AS numeric(8,2) NOT NULL; CREATE SCHEMA apart; CREATE DOMAIN apart.hidden AS int; \
              CREATE TABLE \"Odd\"\"Name\" (b text DEFAULT 'x', a int GENERATED ALWAYS AS IDENTITY, gone int, m mood, p price, \
                u text GENERATED ALWAYS AS (upper(b)) STORED, PRIMARY KEY (a, b) INCLUDE (m)); \
              ALTER TABLE \"Odd\"\"Name\" DROP COLUMN gone; \
              CREATE TABLE uniq (x int, y int NOT NULL, z int); CREATE UNIQUE INDEX a_expression ON uniq ((x + 1)); \
              CREATE UNIQUE INDEX b_columns ON uniq (y, x) INCLUDE (z); CREATE UNIQUE INDEX c_columns ON uniq (z); \
              CREATE TABLE parted (id int) PARTITION BY RANGE (id); \
              CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM (0) TO (10); \
              CREATE VIEW v AS SELECT 1; CREATE TEMPORARY TABLE temp (id int)")
        .await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let mut tables = sql.tables(true).await.unwrap();
    sql.describe(&mut tables).await.unwrap();
    let names: Vec<_> = tables.iter().map(|table| table.name.to_string()).collect();
    assert_eq!(names, ["public.Odd\"Name", "public.parted", "public.parted_1", "public.uniq"]);
    let odd = table(&tables, "public.Odd\"Name");
    let columns: Vec<_> = odd.columns.iter().map(|column| (column.attnum, column.name.as_str())).collect();
    assert_eq!(columns, [(1, "b"), (2, "a"), (4, "m"), (5, "p"), (6, "u")]);
    assert_eq!(odd.primary_key, [2, 1]);
    assert_eq!(odd.replica_identity, b'd');
    assert_eq!(odd.columns[0].default.as_deref(), Some("'x'::text"));
    assert!(odd.columns[0].not_null);
    // Column p is NOT NULL because its domain is.
    assert_eq!(odd.columns.iter().map(|column| column.not_null).collect::<Vec<_>>(), [true, true, false, true, false]);
    assert_eq!((odd.columns[1].identity, odd.columns[1].generated), (b'a', 0));
    assert_eq!((odd.columns[4].generated, odd.columns[4].default.as_deref()), (b's', Some("upper(b)")));
    let uniq = table(&tables, "public.uniq");
    assert_eq!((uniq.primary_key.len(), uniq.unique_key.as_slice()), (0, &[2i16, 1, 3][..]));
    assert_eq!(table(&tables, "public.parted").kind, TableKind::Partitioned);
    assert!(table(&tables, "public.parted_1").is_partition);
    assert!(sql.tables(false).await.unwrap().len() > tables.len());

    let types = sql.types().await.unwrap();
    let find = |name: &str| types.iter().find(|kind| kind.name == name).unwrap_or_else(|| panic!("{name}"));
    assert_eq!(find("mood").kind, TypeKind::Enum(["sad", "ok", "calm", "happy"].map(str::to_owned).to_vec()));
    assert_eq!(find("_mood").kind, TypeKind::Array(find("mood").oid));
    let price = find("price");
    assert_eq!(price.kind, TypeKind::Domain { base: find("numeric").oid, typmod: (8 << 16) + 2 + 4 });
    assert_eq!((&find("int4").kind, &find("int4range").kind), (&TypeKind::Base, &TypeKind::Other));
    assert!(types.iter().all(|kind| kind.name != "uniq" && kind.name != "_uniq"));
    assert_eq!((price.schema.as_str(), price.is_on_path), ("public", true));
    assert_eq!((find("hidden").schema.as_str(), find("hidden").is_on_path), ("apart", false));
    database.remove().await;
}

#[tokio::test]
async fn the_server_and_the_role() {
    let database = Database::fresh("wire_server").await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let facts = sql.facts().await.unwrap();
    facts.check_wal_level().unwrap();
    assert!(facts.version >= 120_000 && facts.version == sql.server_version() && !facts.in_recovery);
    assert_eq!(facts.encoding, "UTF8");
    let role = sql.role().await.unwrap();
    assert!(role.can_login && role.can_replicate && role.is_superuser && role.name == "postgres");
    assert!(sql.current_lsn().await.unwrap().is_valid());
    assert!(sql.current_xid().await.unwrap().is_some());
    let now_us = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_micros() as i64;
    assert!((sql.current_timestamp_us().await.unwrap() - now_us).abs() < 5_000_000);
    database.remove().await;
}

#[tokio::test]
async fn publications_follow_the_mode() {
    let database = Database::fresh("wire_pub").await;
    database
        .sql(
            "CREATE TABLE \"T\" (id int PRIMARY KEY); CREATE TABLE u (id int PRIMARY KEY); \
              CREATE TABLE root (id int) PARTITION BY RANGE (id); \
              CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (10)",
        )
        .await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let mut stream = Replication::connect(&database.options).await.unwrap();
    let name = |table: &str| TableName { schema: "public".into(), table: table.into() };
    let mut options = PublicationOptions {
        name: "Upper".into(),
        database: "d".into(),
        autocreate: Autocreate::Disabled,
        via_partition_root: false,
        publish: publication::publish_list(Some("t")),
        sent: publication::sent_operations(&["t"]),
    };
    let missing = publication::ensure(&mut stream, &sql, &options, &[name("T")]).await.unwrap_err();
    assert!(matches!(missing, Error::PublicationDisabled { .. }));
    options.autocreate = Autocreate::Filtered;
    let with_parts = [name("T"), name("root"), name("leaf")];
    for (captured, expect) in [
        (&[name("T")][..], Outcome::Created),
        (&[name("T")][..], Outcome::Unchanged),
        (&[name("u"), name("T")][..], Outcome::Altered),
        (&with_parts[..], Outcome::Altered),
        (&with_parts[..], Outcome::Unchanged),
    ] {
        assert_eq!(publication::ensure(&mut stream, &sql, &options, captured).await.unwrap(), expect, "{captured:?}");
    }
    let gone = publication::ensure(&mut stream, &sql, &options, &[name("none")]).await.unwrap_err();
    assert!(gone.trace().starts_with("org.apache.kafka.connect.errors.ConnectException: Unable to update filtered"));
    assert_eq!(stream.simple_query("SHOW statement_timeout").await.unwrap(), vec![vec![Some("0".into())]]);
    options.name = "everything".into();
    options.autocreate = Autocreate::AllTables;
    assert_eq!(publication::ensure(&mut stream, &sql, &options, &[]).await.unwrap(), Outcome::Created);
    assert!(sql.publication("everything").await.unwrap().unwrap().all_tables);
    options.autocreate = Autocreate::Filtered;
    let fixed = publication::ensure(&mut stream, &sql, &options, &[name("T")]).await.unwrap_err();
    assert!(matches!(fixed, Error::PublicationAllTables { .. }));

    let rule = |entry: &str| IdentityRule::parse(entry).unwrap().unwrap();
    let rules = [rule("public\\.t:FULL"), rule(".*\\.u:INDEX u_pkey")];
    let tables = sql.tables(true).await.unwrap();
    publication::set_identities(&sql, &tables, &rules).await;
    let tables = sql.tables(true).await.unwrap();
    assert_eq!(table(&tables, "public.T").replica_identity, b'f');
    assert_eq!(table(&tables, "public.u").identity_index.as_deref(), Some("u_pkey"));
    assert_eq!(table(&tables, "public.leaf").replica_identity, b'd');
    database.remove().await;
}

#[tokio::test]
async fn a_snapshot_is_the_slots_and_hides_nothing() {
    let database = Database::fresh("wire_snap").await;
    database
        .sql(
            "CREATE TABLE t (id int PRIMARY KEY); INSERT INTO t SELECT generate_series(1, 50000); \
              CREATE TABLE r (id int); INSERT INTO r VALUES (1), (2); ALTER TABLE r ENABLE ROW LEVEL SECURITY; \
              CREATE POLICY half ON r USING (id = 1); DROP ROLE IF EXISTS wire_reader; CREATE ROLE wire_reader LOGIN PASSWORD 'reads'; \
              GRANT SELECT ON r, t TO wire_reader",
        )
        .await;
    let mut stream = Replication::connect(&database.options).await.unwrap();
    let created = stream.create_slot("wire_snap", "pgoutput", false).await.unwrap();
    database.sql("INSERT INTO t VALUES (0)").await;
    let snapshot = created.snapshot_name.unwrap();
    let reader = SnapshotReader::begin(&database.options, Some(&snapshot), Isolation::Serializable).await.unwrap();
    let name = TableName { schema: "public".into(), table: "t".into() };
    reader.lock(std::slice::from_ref(&name), 1000).await.unwrap();
    let copy = reader.copy("copying t", "COPY (SELECT id FROM t) TO STDOUT (FORMAT binary)").await.unwrap();
    let mut copy = std::pin::pin!(copy);
    let mut bytes = 0;
    while let Some(item) = copy.next().await {
        bytes += item.unwrap().len();
    }
    assert_eq!(bytes, 19 + 50_000 * 10 + 2);
    reader.rollback().await.unwrap();

    let mut options = database.options.clone();
    options.user = "wire_reader".into();
    options.password = Some("reads".into());
    let reader = SnapshotReader::begin(&options, None, Isolation::RepeatableRead).await.unwrap();
    let mut tables = reader.sql().tables(true).await.unwrap();
    reader.sql().describe(&mut tables).await.unwrap();
    let oids: Vec<u32> = tables.iter().map(|table| table.oid).collect();
    let hidden = reader.sql().hidden_by_row_security(&oids).await.unwrap();
    assert_eq!(hidden.iter().map(ToString::to_string).collect::<Vec<_>>(), ["public.r"]);
    assert!(!reader.sql().role().await.unwrap().can_replicate);
    let error = reader.copy("copying r", "COPY (SELECT id FROM r) TO STDOUT (FORMAT binary)").await.err().unwrap();
    assert_eq!(error.sqlstate(), Some("42501"), "{error}");
    drop((reader, stream));
    database.sql("DROP OWNED BY wire_reader; DROP ROLE wire_reader").await;
    database.remove().await;
}

#[tokio::test]
async fn a_transaction_is_waited_for_until_it_can_be_seen() {
    let database = Database::fresh("catalog_seen").await;
    let (sql, other) = (Sql::connect(&database.options).await.unwrap(), Sql::connect(&database.options).await.unwrap());
    other.execute("a test", "BEGIN; CREATE TABLE late (id int PRIMARY KEY)").await.unwrap();
    let xid = other.current_xid().await.unwrap().unwrap() as u32;
    let seen = async {
        sql.wait_until_seen(xid).await.unwrap();
        sql.tables(true).await.unwrap().len()
    };
    let committed = async {
        tokio::time::sleep(std::time::Duration::from_millis(200)).await;
        other.execute("a test", "COMMIT").await.unwrap();
    };
    assert_eq!(tokio::join!(seen, committed).0, 1);
    sql.wait_until_seen(xid).await.unwrap();
    drop((sql, other));
    database.remove().await;
}

#[tokio::test]
async fn a_question_that_takes_too_long_is_cancelled() {
    let database = Database::fresh("catalog_slow").await;
    let mut options = database.options.clone();
    options.query_timeout_ms = 500;
    options.application_name = "too slow".into();
    let sql = Sql::connect(&options).await.unwrap();
    sql.execute("a test", "SELECT 1").await.unwrap();
    assert!(!sql.is_closed());
    let error = sql.execute("sleeping", "SELECT pg_sleep(60)").await.unwrap_err();
    assert!(error.is_transient() && error.to_string().starts_with("sleeping at "), "{error}");
    // The next answer would be that of the statement that was given up.
    assert!(sql.is_closed());
    let sees = Sql::connect(&database.options).await.unwrap();
    let gone = "DO $$ BEGIN IF EXISTS (SELECT FROM pg_stat_activity WHERE application_name = 'too slow' AND state = 'active') \
                THEN RAISE 'it runs on'; END IF; END $$";
    let ended = async {
        while sees.execute("looking", gone).await.is_err() {
            tokio::time::sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    tokio::time::timeout(std::time::Duration::from_secs(20), ended).await.unwrap();
    database.remove().await;
}

#[tokio::test]
async fn files_change_with_a_rewrite() {
    let database = Database::fresh("catalog_files").await;
    database
        .sql(
            "CREATE TABLE plain (id int PRIMARY KEY); CREATE TABLE root (id int PRIMARY KEY) PARTITION BY RANGE (id); \
             CREATE TABLE leaf PARTITION OF root FOR VALUES FROM (0) TO (9)",
        )
        .await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let oids: Vec<u32> = sql.tables(true).await.unwrap().iter().map(|table| table.oid).collect();
    // The tables are listed by name: leaf, plain, root.
    for (change, replaced) in [
        ("INSERT INTO plain VALUES (1); INSERT INTO root VALUES (1)", [false, false, false]),
        (
            "ALTER TABLE plain ADD COLUMN v int; CREATE TABLE more PARTITION OF root FOR VALUES FROM (9) TO (20)",
            [false; 3],
        ),
        ("TRUNCATE plain", [false, true, false]),
        ("TRUNCATE leaf", [true, false, true]),
        ("ALTER TABLE plain ALTER v TYPE text", [false, true, false]),
        ("DROP TABLE leaf", [false; 3]),
    ] {
        let before = sql.files(&oids).await.unwrap();
        database.sql(change).await;
        let now = sql.files(&oids).await.unwrap();
        let none = postgres::sql::Files::default();
        let found: Vec<bool> = oids
            .iter()
            .map(|oid| before.get(oid).unwrap_or(&none).were_replaced(now.get(oid).unwrap_or(&none)))
            .collect();
        assert_eq!(found, replaced, "{change}");
    }
    database.remove().await;
}
