//! The MySQL and MariaDB source connector: its snapshot, its binlog, the tables that DDL describes, their history.
//!
//! Purpose: everything that only this pair of databases has. What it shares with other relational sources (filters, naming,
//! treatments of columns, the envelope) is in `relational`.
//!
//! Must not know: PostgreSQL, Kafka, transforms.

pub mod binlog;
pub mod ddl;
pub mod error;
pub mod gtid;
pub mod history;
#[cfg(any(test, feature = "fuzzing"))]
pub mod hostile;
pub mod json;
pub mod model;
pub mod sql;
pub mod types;
pub mod wire;

pub use check::check;
pub use error::Error;
pub use plugin::{VERSION, partition, start};

mod announced;
mod check;
#[allow(unreachable_pub, reason = "its parts name each other; what matters is that nobody outside of the crate can")]
mod config;
mod copy;
mod heartbeat;
pub mod keys;
mod plugin;
pub mod position;
mod replicas;
mod reselect;
mod schema;
mod schema_changes;
mod session;
mod stream;
mod tables;

/// Which of the two products a server is. They differ in GTIDs, some events, some types and in what DDL they write.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Flavour {
    /// MySQL, Percona Server, and what speaks as they do.
    MySql,
    /// MariaDB.
    MariaDb,
}

impl Flavour {
    /// The name in source blocks, schema names and metrics.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::MySql => "mysql",
            Self::MariaDb => "mariadb",
        }
    }
}
