//! Publications that others change too, against a real server: several connectors at once, and a person.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use postgres::publication::{self, Autocreate, Outcome, PublicationOptions};
use postgres::sql::{Sql, TableName};
use postgres::wire::Replication;
use rig::Database;

/// Connectors that start at the same moment.
const CONNECTORS: usize = 8;
/// How often they start together: they rarely meet at the moment that matters.
const ROUNDS: usize = 6;

fn options(autocreate: Autocreate) -> PublicationOptions {
    PublicationOptions {
        name: "shared".into(),
        database: "d".into(),
        autocreate,
        via_partition_root: false,
        publish: publication::publish_list(Some("t")),
        sent: publication::sent_operations(&["t"]),
    }
}

fn names(tables: &[&str]) -> Vec<TableName> {
    tables.iter().map(|table| TableName { schema: "public".into(), table: (*table).into() }).collect()
}

/// One connector's two connections.
async fn connected(database: &Database) -> (Replication, Sql) {
    (Replication::connect(&database.options).await.unwrap(), Sql::connect(&database.options).await.unwrap())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn connectors_that_start_together_share_a_publication() {
    let database = Database::fresh("wire_pub_races").await;
    database
        .sql("CREATE TABLE a (id int PRIMARY KEY); CREATE TABLE b (id int PRIMARY KEY); CREATE TABLE c (id int PRIMARY KEY)")
        .await;
    let mut connectors = Vec::new();
    for _ in 0..CONNECTORS {
        connectors.push(connected(&database).await);
    }
    for round in 0..ROUNDS {
        // In even rounds all make it at once, then change it at once; in odd rounds all make one for all tables.
        let wanted: &[(Autocreate, &[&str])] = if round % 2 == 0 {
            &[(Autocreate::Filtered, &["a", "b"]), (Autocreate::Filtered, &["b", "c"]), (Autocreate::Filtered, &["a"])]
        } else {
            &[(Autocreate::AllTables, &[])]
        };
        for (autocreate, tables) in wanted {
            let mut tasks = tokio::task::JoinSet::new();
            for (mut stream, sql) in connectors.drain(..) {
                let (options, tables) = (options(*autocreate), names(tables));
                tasks.spawn(async move {
                    let outcome = publication::ensure(&mut stream, &sql, &options, &tables).await;
                    (stream, sql, outcome)
                });
            }
            let mut changed = 0;
            while let Some(ended) = tasks.join_next().await {
                let (stream, sql, outcome) = ended.unwrap();
                let outcome = outcome.unwrap_or_else(|error| panic!("{}", error.trace()));
                changed += usize::from(outcome != Outcome::Unchanged);
                connectors.push((stream, sql));
            }
            assert!(changed > 0, "nobody made it");
            let found = connectors[0].1.publication("shared").await.unwrap().unwrap();
            assert_eq!(found.all_tables, *autocreate == Autocreate::AllTables);
            assert_eq!(found.named, names(tables));
        }
        database.sql("DROP PUBLICATION shared").await;
    }
    drop(connectors);
    database.remove().await;
}

#[tokio::test]
async fn what_a_person_narrowed_stays_narrow() {
    let database = Database::fresh("wire_pub_hand").await;
    database
        .sql(
            "CREATE TABLE a (id int PRIMARY KEY, secret text); CREATE TABLE b (id int PRIMARY KEY, secret text); \
             CREATE TABLE c (id int PRIMARY KEY); CREATE TABLE d (id int PRIMARY KEY); CREATE TABLE gone (id int PRIMARY KEY)",
        )
        .await;
    let (mut stream, sql) = connected(&database).await;
    if sql.server_version() < 150_000 {
        // Row filters and column lists exist since PostgreSQL 15.
        return database.remove().await;
    }
    database
        .sql("CREATE PUBLICATION shared FOR TABLE a WHERE (id > 100), b (id), gone WITH (publish = 'insert, delete')")
        .await;
    assert_eq!(sql.publication("shared").await.unwrap().unwrap().operations, ["insert", "delete"]);
    let captured = names(&["a", "b", "c", "d"]);
    let ensured = publication::ensure(&mut stream, &sql, &options(Autocreate::Filtered), &captured).await;
    assert_eq!(ensured.unwrap(), Outcome::Altered);
    let found = sql.publication("shared").await.unwrap().unwrap();
    assert_eq!((found.named, found.narrowed), (captured.clone(), names(&["a", "b"])));
    assert_eq!(found.operations, ["insert", "update", "delete"]);
    let shown = "SELECT string_agg(concat_ws(' ', prrelid::regclass, pg_get_expr(prqual, prrelid), prattrs), ', ' \
                 ORDER BY prrelid::regclass::text) FROM pg_publication_rel";
    let shown = stream.simple_query(shown).await.unwrap();
    assert_eq!(shown, vec![vec![Some("a (id > 100), b 1, c, d".to_owned())]]);
    let again = publication::ensure(&mut stream, &sql, &options(Autocreate::Filtered), &captured).await;
    assert_eq!(again.unwrap(), Outcome::Unchanged);

    // The publication has a whole schema already, so only the table of the other schema is added.
    database
        .sql(
            "DROP PUBLICATION shared; CREATE SCHEMA more; CREATE TABLE more.e (id int PRIMARY KEY); \
              CREATE PUBLICATION shared FOR TABLES IN SCHEMA public",
        )
        .await;
    let mut both = captured;
    both.push(TableName { schema: "more".into(), table: "e".into() });
    let ensured = publication::ensure(&mut stream, &sql, &options(Autocreate::Filtered), &both).await;
    assert_eq!(ensured.unwrap(), Outcome::Altered);
    let found = sql.publication("shared").await.unwrap().unwrap();
    assert_eq!((found.schemas, found.named), (vec!["public".to_owned()], both[4..].to_vec()));
    drop((stream, sql));
    database.remove().await;
}
