//! A connector that a Java worker ran is continued here, from the offsets that Debezium stores.
#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs, reason = "a test program")]

mod rig;

use std::time::Duration;

use rig::{Daemon, Database, Kafka, Options, wait_until};
use serde_json::json;

const PATIENCE: Duration = Duration::from_secs(30);

/// The slot is ahead of the stored position of a copy. The Java connector confirms changes of other tables without
/// storing an offset; afterimage never does.
#[test]
fn a_slot_ahead_of_a_stored_copy() {
    let daemon = Daemon::start(Options::new("ahead"));
    let database = Database::create("ahead");
    let (name, topic) = (&database.name, format!("{}.public.t", database.name));
    database.run("create table t(id int primary key); insert into t values (1); create table other(id int)");
    daemon.create(name, &database.connector(&[("table.include.list", "public.t")]));
    database.wait_streamed(true);
    let kafka = Kafka::shared();
    wait_until("the copied row", PATIENCE, || kafka.length(&topic) == 1);
    let offsets = format!("/connectors/{name}/offsets");
    let stop = || {
        assert_eq!(daemon.rest("PUT", &format!("/connectors/{name}/stop"), None).status, 204);
        database.wait_streamed(false);
    };
    let restart = || daemon.rest("PUT", &format!("/connectors/{name}/resume"), None);
    stop();
    let mut stored = daemon.rest("GET", &offsets, None).json();
    database.run("insert into other values (1)");
    database.run(
        "select pg_replication_slot_advance(slot_name, pg_current_wal_lsn()) from pg_replication_slots \
         where database = current_database()",
    );
    restart();
    let trace = daemon.wait_task(name, "FAILED", PATIENCE);
    assert!(trace.contains("confirmed_flush_lsn"), "{trace}");

    // The offset that the Java connector stores after a copy, and keeps while its filter has passed no change.
    let offset = &mut stored["offsets"][0]["offset"];
    *offset = json!({"lsn": offset["lsn"], "txId": 7, "ts_usec": 1, "snapshot": "INITIAL", "snapshot_completed": true,
        "last_snapshot_record": true});
    stop();
    let answer = daemon.rest("PATCH", &offsets, Some(&stored));
    assert_eq!(answer.status, 200, "{}", answer.json());
    restart();
    daemon.wait_task(name, "RUNNING", PATIENCE);
    database.wait_streamed(true);
    database.run("insert into t values (2)");
    wait_until("the streamed row", PATIENCE, || kafka.length(&topic) == 2);
}
