//! A database for each test, on the server that `AFTERIMAGE_TEST_POSTGRES` names.
//!
//! Purpose: tests run side by side on one server, so each has a database, and drops it with its slots when it ends.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use postgres::sql::Sql;
use postgres::wire::ConnectOptions;

/// The server's `postgres` database.
pub fn server() -> ConnectOptions {
    let at = std::env::var("AFTERIMAGE_TEST_POSTGRES").expect(
        "AFTERIMAGE_TEST_POSTGRES is not set: these tests need a PostgreSQL with wal_level=logical (host:port, user \
         postgres, trust); `make test` starts one",
    );
    let (host, port) = at.rsplit_once(':').expect("AFTERIMAGE_TEST_POSTGRES must be host:port");
    ConnectOptions {
        host: host.into(),
        port: port.parse().expect("a port"),
        user: "postgres".into(),
        dbname: "postgres".into(),
        ..ConnectOptions::default()
    }
}

/// A fresh database; what an earlier run left under this name is removed.
pub struct Database {
    pub options: ConnectOptions,
    admin: Sql,
}

impl Database {
    pub async fn fresh(name: &str) -> Self {
        let admin = Sql::connect(&server()).await.unwrap();
        let database = Self { options: ConnectOptions { dbname: name.into(), ..server() }, admin };
        database.remove().await;
        database.admin.execute("test", &format!("CREATE DATABASE {name}")).await.unwrap();
        database
    }

    pub async fn sql(&self, statements: &str) {
        Sql::connect(&self.options).await.unwrap().execute("test", statements).await.unwrap();
    }

    /// Removes the database and its slots.
    pub async fn remove(&self) {
        let name = &self.options.dbname;
        for statement in [
            // The time-out in milliseconds makes the server wait until the session is gone (PostgreSQL 14 and later).
            format!("SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{name}'"),
            format!("SELECT pg_drop_replication_slot(slot_name) FROM pg_replication_slots WHERE database = '{name}'"),
            format!("DROP DATABASE IF EXISTS {name}"),
        ] {
            self.admin.execute("test", &statement).await.unwrap();
        }
    }
}
