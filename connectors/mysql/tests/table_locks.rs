//! Snapshots under a lock of single tables: what a server allows that refuses `FLUSH TABLES WITH READ LOCK`, as hosted ones do.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, reason = "a test program")]

#[path = "rig/relay.rs"]
mod relay;
#[path = "rig/mod.rs"]
mod rig;
#[path = "rig/task.rs"]
mod task;

use std::time::Duration;

use mysql::Flavour;
use relay::Relay;
use rig::{BOTH, Database};
use task::{State, Task, World, operations};

/// Other tables may be dropped and made while the lock is waited for: a dropped one fails nothing, and of one that was made no row
/// is missed.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn tables_that_are_dropped_and_made_while_their_lock_is_waited_for() {
    for flavour in BOTH {
        let name = "table_locks";
        let mut database = Database::fresh(flavour, name).await;
        for table in ["held", "dropped"] {
            database.run(&format!("CREATE TABLE {table} (id INT PRIMARY KEY)")).await;
            database.run(&format!("INSERT INTO {table} VALUES (1)")).await;
        }
        let more = if flavour == Flavour::MySql { "FLUSH_TABLES" } else { "RELOAD" };
        let grants = format!("SELECT, REPLICATION SLAVE, REPLICATION CLIENT, LOCK TABLES, {more}");
        let account = rig::account(&mut database.sql, name, &grants).await;
        let relay = Relay::to(&rig::server(flavour)).await;
        // Without TLS, which a relay could not read. The statement that is asked instead is refused for want of a privilege.
        relay.ask_instead("FLUSH TABLES WITH READ LOCK", "SET GLOBAL sync_binlog=1");
        let port = relay.port.to_string();
        let without_tls = if flavour == Flavour::MySql { "disabled" } else { "disable" };
        let properties = [
            ("database.hostname", "127.0.0.1"),
            ("database.port", port.as_str()),
            ("database.ssl.mode", without_tls),
            ("database.user", account.user.as_str()),
            ("database.password", "ge'heim"),
            ("snapshot.lock.timeout.ms", "600000"),
        ];
        let mut other = mysql::sql::Sql::connect(&rig::server(flavour)).await.unwrap();
        other.execute("test", "BEGIN").await.unwrap();
        other.execute("test", &format!("INSERT INTO {name}.held VALUES (2)")).await.unwrap();
        let world = World::default();
        let mut task = Task::start(flavour, name, &properties, &world, Duration::ZERO);
        task.waiting_for("The snapshot is waiting for").await;
        database.run("DROP TABLE dropped").await;
        database.run("CREATE TABLE made (id INT PRIMARY KEY)").await;
        database.run("INSERT INTO made VALUES (1)").await;
        other.execute("test", "COMMIT").await.unwrap();
        task.until("the copy", State::is_copied).await;
        assert_eq!(operations(&world, &format!("{name}.held")), "rr", "{flavour:?}");
        assert_eq!(operations(&world, &format!("{name}.made")), "r", "{flavour:?}");
        assert_eq!(operations(&world, &format!("{name}.dropped")), "", "{flavour:?}");
        task.stop().await;
        database.run(&format!("DROP USER '{name}'@'localhost'")).await;
        database.remove().await;
    }
}
