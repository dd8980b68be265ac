//! Slots that somebody else made, against a real server: each slot that cannot be read is refused by name, with the remedy.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod rig;

use postgres::slot;
use postgres::sql::Sql;
use postgres::wire::Replication;
use rig::{Database, server};

#[tokio::test]
async fn a_slot_that_cannot_be_read_is_refused_by_name() {
    let database = Database::fresh("wire_unfit").await;
    let sql = Sql::connect(&database.options).await.unwrap();
    let logical = |name: &str, more: &str| format!("SELECT pg_create_logical_replication_slot('{name}', {more})");
    let elsewhere = Sql::connect(&server()).await.unwrap();
    let clear = "SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE slot_name LIKE 'unfit_%'";
    elsewhere.execute("a test", clear).await.unwrap();
    elsewhere.execute("a test", &logical("unfit_elsewhere", "'pgoutput'")).await.unwrap();
    sql.execute("a test", &logical("unfit_plugin", "'test_decoding'")).await.unwrap();
    sql.execute("a test", "SELECT pg_create_physical_replication_slot('unfit_physical')").await.unwrap();
    let mut owner = Replication::connect(&database.options).await.unwrap();
    owner.simple_query("CREATE_REPLICATION_SLOT unfit_temporary TEMPORARY LOGICAL pgoutput").await.unwrap();
    let mut cases = vec![
        ("unfit_elsewhere", "belongs to database \"postgres\"", "correct database.dbname"),
        ("unfit_plugin", "belongs to output plugin test_decoding", "SELECT pg_drop_replication_slot('unfit_plugin')"),
        ("unfit_physical", "is a physical slot", "choose another slot.name"),
        ("unfit_temporary", "is temporary: it belongs to another session (process", "end that session"),
    ];
    if sql.server_version() >= 140_000 {
        sql.execute("a test", &logical("unfit_two_phase", "'pgoutput', false, true")).await.unwrap();
        cases.push((
            "unfit_two_phase",
            "was made with two_phase",
            "SELECT pg_drop_replication_slot('unfit_two_phase')",
        ));
    }
    for (name, reason, remedy) in cases {
        let error = slot::find(&sql, name).await.unwrap_err();
        let text = error.trace();
        assert!(!error.is_transient(), "{text}");
        assert!(text.contains(&format!("\"{name}\"")), "{text}");
        assert!(text.contains(reason), "{reason:?} is not in {text}");
        assert!(text.contains(remedy), "{remedy:?} is not in {text}");
    }
    drop(owner);
    elsewhere.execute("a test", "SELECT pg_drop_replication_slot('unfit_elsewhere')").await.unwrap();
    sql.execute("a test", "SELECT pg_drop_replication_slot('unfit_physical')").await.unwrap();
    drop(sql);
    database.remove().await;
}
