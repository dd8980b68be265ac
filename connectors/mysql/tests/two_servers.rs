//! A name that leads to several servers, as through a load balancer.
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

use own::Own;
use relay::Relay;
use rig::{BOTH, Database};
use task::{State, Task, World, operations};

/// The position of one server and the rows of another would lose changes.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_snapshot_is_of_one_server() {
    for flavour in BOTH {
        let own = Own::plain(flavour, &format!("two-{flavour:?}"));
        let (first, second) = (rig::options(&own.at), rig::server(flavour));
        let name = "two_servers";
        let mut left = Database::fresh_at(&first, name).await;
        let mut right = Database::fresh_at(&second, name).await;
        for (database, rows) in [(&mut left, "(1)"), (&mut right, "(1), (2), (3)")] {
            database.run("CREATE TABLE t (id INT PRIMARY KEY)").await;
            database.run(&format!("INSERT INTO t VALUES {rows}")).await;
        }
        let relay = Relay::to(&first).await;
        relay.lead_to_after(1, &second);
        let port = relay.port.to_string();
        let properties = [("database.hostname", "127.0.0.1"), ("database.port", port.as_str())];
        let world = World::default();
        let trace = Task::start(flavour, name, &properties, &world, Duration::ZERO).failed().await;
        assert!(trace.contains("another server answers") && trace.contains("database.hostname"), "{trace}");
        // All that it asks when it begins anew is asked of one server.
        let task = Task::start(flavour, name, &properties, &world, Duration::ZERO);
        task.until("the copy", State::is_copied).await;
        right.run("INSERT INTO t VALUES (4)").await;
        task.until("the written row", |state| state.rows().any(|record| record.op == "c")).await;
        assert_eq!(operations(&world, &format!("{name}.t")), "rrrc", "{flavour:?}");
        task.stop().await;
        left.remove().await;
        right.remove().await;
    }
}
