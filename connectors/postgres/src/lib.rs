//! PostgreSQL as a source: the replication connection, slots, publications, the catalog.
//!
//! The replication protocol is spoken by an own connection, because the bytes of the log must reach the decoder in the
//! buffer they were read into; everything else goes through ordinary SQL.
//!
//! Must not know: MySQL, Kafka, SMTs.

pub mod error;
pub mod lsn;
pub mod publication;
pub mod slot;
pub mod sql;
pub mod tls;
pub mod wire;

pub use error::Error;
pub use lsn::Lsn;
