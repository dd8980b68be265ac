//! Reading TimescaleDB's catalogue. The extension is not on the test servers, so tables stand in for its catalogue, with the
//! columns that are read.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use postgres::sql::TableName;
use postgres::timescale::ChunkReader;
use rig::Database;

#[tokio::test]
async fn chunks_and_aggregates() {
    let database = Database::fresh("timescale_catalog").await;
    let (host, port) = (database.options.host.clone(), database.options.port.to_string());
    let properties = [
        ("database.hostname", host.as_str()),
        ("database.port", &port),
        ("database.user", "postgres"),
        ("database.dbname", "timescale_catalog"),
        ("target.topic.prefix", "t"),
    ];
    let mut reader = ChunkReader::new(&properties.into_iter().collect()).unwrap();
    let error = reader.read().await.unwrap_err().to_string();
    assert!(error.contains("_timescaledb_catalog.chunk"), "{error}");
    database
        .sql(
            "CREATE SCHEMA _timescaledb_catalog; \
             CREATE TABLE _timescaledb_catalog.hypertable (id int, schema_name name, table_name name); \
             CREATE TABLE _timescaledb_catalog.chunk (id int, hypertable_id int, schema_name name, table_name name); \
             CREATE TABLE _timescaledb_catalog.continuous_agg \
               (mat_hypertable_id int, user_view_schema name, user_view_name name); \
             INSERT INTO _timescaledb_catalog.hypertable VALUES (1, 'public', 'conditions'), (2, 'internal', 'mat_2'); \
             INSERT INTO _timescaledb_catalog.chunk VALUES (1, 1, 'internal', 'chunk_1'), (2, 2, 'internal', 'chunk_2'); \
             INSERT INTO _timescaledb_catalog.continuous_agg VALUES (2, 'public', 'daily')",
        )
        .await;
    let name = |schema: &str, table: &str| TableName { schema: schema.to_owned(), table: table.to_owned() };
    let internal = |table: &str| name("internal", table);
    let mut found = reader.read().await.unwrap();
    found.hypertables.sort();
    let chunks = vec![(internal("chunk_1"), name("public", "conditions")), (internal("chunk_2"), internal("mat_2"))];
    assert_eq!(found.hypertables, chunks);
    assert_eq!(found.aggregates, [(internal("mat_2"), name("public", "daily"))]);
    // A reader whose connection was cut connects again.
    let cut = "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity \
               WHERE application_name = 'Debezium TimescaleDB metadata'";
    database.sql(cut).await;
    assert_eq!(reader.read().await.unwrap().hypertables.len(), 2);
    drop(reader);
    database.remove().await;
}
