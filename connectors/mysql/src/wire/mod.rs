//! The connection to a server: TLS, authentication, commands, the dump of the binlog, packets.
//!
//! Purpose: events and rows are decoded in place in the buffer that the socket fills. The protocol is spoken here, because
//! the released client (mysql_async) takes no socket that somebody else has encrypted, copies each event and each cell into
//! memory of its own, drops a compressed transaction that it cannot read without an error, offers to send local files, and
//! knows neither `sha256_password` nor MariaDB's way to ask for a binlog.
//!
//! Must not know: what the events mean, what is asked in SQL.

mod auth;
mod connection;
mod dump;
mod greeting;
mod identity;
pub mod options;
pub mod packets;
mod replication;
mod rows;
mod socket;
mod tls;

pub use connection::Connection;
pub use dump::{Dump, Start};
pub use greeting::Greeting;
pub use identity::Identity;
pub use options::{ConnectOptions, MariaDbSslMode, MySqlSslMode, TlsMode, initial_statements};
pub use replication::{Next, Replication};
pub use rows::{ColumnDefinition, NextRow, Row, Rows};
