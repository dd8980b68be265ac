//! The servers that `AFTERIMAGE_TEST_MYSQL` and `AFTERIMAGE_TEST_MARIADB` name, with a database and an account for each test.
//!
//! Purpose: tests run side by side on one server of each product, so each has names of its own and drops them at the end.
//!
//! Must not know: what is tested.
#![allow(dead_code, unreachable_pub, clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use bytes::BytesMut;
use mysql::Flavour;
use mysql::sql::{Sql, quoted_name};
use mysql::wire::{ConnectOptions, Next, Replication};
use settings::Secret;

pub const BOTH: [Flavour; 2] = [Flavour::MySql, Flavour::MariaDb];

/// The server of a product, as root.
pub fn server(flavour: Flavour) -> ConnectOptions {
    let name = match flavour {
        Flavour::MySql => "AFTERIMAGE_TEST_MYSQL",
        Flavour::MariaDb => "AFTERIMAGE_TEST_MARIADB",
    };
    let at = std::env::var(name).unwrap_or_else(|_| {
        panic!(
            "{name} is not set: these tests need a server (host:port, root without a password, binlog in ROW format, GTIDs); \
             `make test` starts one"
        )
    });
    options(&at)
}

/// The server at `host:port`, as root.
pub fn options(at: &str) -> ConnectOptions {
    let (host, port) = at.rsplit_once(':').expect("host:port");
    ConnectOptions {
        host: host.into(),
        port: port.parse().expect("a port"),
        user: "root".into(),
        ..ConnectOptions::default()
    }
}

/// A fresh database; what an earlier run left under this name is removed.
pub struct Database {
    pub name: String,
    pub sql: Sql,
}

impl Database {
    pub async fn fresh(flavour: Flavour, name: &str) -> Self {
        Self::fresh_at(&server(flavour), name).await
    }

    /// On the server that these options name.
    pub async fn fresh_at(server: &ConnectOptions, name: &str) -> Self {
        let mut sql = Sql::connect(server).await.unwrap();
        for statement in [
            format!("DROP DATABASE IF EXISTS {}", quoted_name(name)),
            format!("CREATE DATABASE {}", quoted_name(name)),
            format!("USE {}", quoted_name(name)),
        ] {
            sql.execute("test", &statement).await.unwrap();
        }
        Self { name: name.into(), sql }
    }

    pub async fn run(&mut self, statement: &str) {
        self.sql.execute("test", statement).await.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }

    /// A table of `count` rows with the numbers from 0 on, as its key.
    pub async fn fill(&mut self, table: &str, key: &str, count: u64) {
        self.run(&format!("CREATE TABLE {table} (id {key} PRIMARY KEY, n INT, t VARCHAR(40), at TIMESTAMP NULL)"))
            .await;
        let digits = "(SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION \
                      SELECT 7 UNION SELECT 8 UNION SELECT 9)";
        self.run(&format!(
                "INSERT INTO {table} SELECT n, n * 7, CONCAT('row ', n), '2024-05-06 07:08:09' FROM (SELECT a.d + 10 * b.d + 100 * c.d \
                 + 1000 * d.d + 10000 * e.d AS n FROM {digits} a, {digits} b, {digits} c, {digits} d, {digits} e) AS numbers WHERE n < \
                 {count}"
            ))
            .await;
        self.sql.query("test", &format!("ANALYZE TABLE {table}")).await.unwrap();
    }

    pub async fn remove(mut self) {
        let name = quoted_name(&self.name);
        self.run(&format!("DROP DATABASE {name}")).await;
    }
}

/// An account with these grants on `*.*`, and how to log in as it.
pub async fn account(root: &mut Sql, name: &str, grants: &str) -> ConnectOptions {
    for statement in [
        format!("DROP USER IF EXISTS '{name}'@'localhost'"),
        format!("CREATE USER '{name}'@'localhost' IDENTIFIED BY 'ge''heim'"),
        format!("GRANT {grants} ON *.* TO '{name}'@'localhost'"),
    ] {
        root.execute("test", &statement).await.unwrap();
    }
    ConnectOptions { user: name.into(), password: Secret::new("ge'heim"), ..root.connection().options().clone() }
}

/// The next event of a dump, with the buffer that it stands in.
pub struct Events {
    pub replication: Replication,
    buffer: BytesMut,
    at: usize,
}

impl Events {
    pub fn new(replication: Replication) -> Self {
        Self { replication, buffer: BytesMut::new(), at: 0 }
    }

    /// The bytes of the next event; `None` when the server has ended the dump.
    pub async fn next(&mut self) -> Result<Option<Vec<u8>>, mysql::Error> {
        loop {
            match self.replication.next(&mut self.buffer, self.at)? {
                Next::Event { event, end } => {
                    self.at = end;
                    return Ok(Some(self.buffer[event].to_vec()));
                }
                Next::End => return Ok(None),
                Next::Incomplete { need } => {
                    let _ = self.buffer.split_to(std::mem::take(&mut self.at));
                    self.buffer.reserve(need.saturating_sub(self.buffer.len()));
                    self.replication.fill(&mut self.buffer).await?;
                }
            }
        }
    }

    /// All events up to the end of the dump.
    pub async fn all(&mut self) -> Result<Vec<Vec<u8>>, mysql::Error> {
        let mut events = Vec::new();
        while let Some(event) = self.next().await? {
            events.push(event);
        }
        Ok(events)
    }
}
