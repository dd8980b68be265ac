//! Sets of global transaction ids, of MySQL (with tags) and of MariaDB; and the names of XA transactions.
//!
//! Purpose: a restart says which transactions it already has; a set that is wrong by one loses a transaction or repeats it.
//! So the operations are few, each is tested as a law of sets, and those of MySQL against the server's own functions.
//!
//! Must not know: the socket, SQL.

mod encoding;
mod maria;
mod mysql;
mod start;
mod tag;
#[cfg(test)]
mod tests;
mod text;
mod xid;

pub use maria::{MariaGtid, MariaSet};
pub use mysql::{Interval, MySqlSet, Source};
pub use start::{maria_available, mysql_available, mysql_start};
pub use tag::Tag;
pub use xid::Xid;

/// A text or an encoding that is not a set of ids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a GTID set: {0}")]
pub struct GtidError(pub &'static str);
