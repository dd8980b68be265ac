//! The PostgreSQL source: the replication connection, slot and publication, pgoutput, types, the catalogue, snapshots.
//!
//! Purpose: turns a connector's settings into batches of raw changes in the order of the log. The crate has its own client
//! of the replication protocol, because the decoder works in the read buffer itself. Everything else goes through ordinary
//! SQL.
//!
//! Must not know: MySQL, Kafka, SMTs.

mod check;
#[allow(unreachable_pub, reason = "its parts name each other; what matters is that nobody outside of the crate can")]
mod config;
mod copy;
pub mod error;
mod heartbeat;
mod holders;
#[cfg(any(test, feature = "fuzzing"))]
pub mod hostile;
pub mod keys;
pub mod lsn;
mod plugin;
pub mod position;
pub mod publication;
mod reselect;
mod session;
pub mod slot;
pub mod sql;
mod stream;
mod table;
pub mod timescale;
pub mod tls;
pub mod types;
pub mod wire;

pub use check::check;
pub use error::Error;
pub use lsn::Lsn;
pub use plugin::{CLASS, TASK_CLASS, VERSION, headers, start};
