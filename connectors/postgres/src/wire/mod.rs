//! The replication connection.
//!
//! It is written here because the released PostgreSQL clients neither enter CopyBoth mode nor hand out the read buffer. With
//! this one the decoder parses frames where the kernel put them ([`Replication::fill`]).
//!
//! Must not know: pgoutput, the catalog, offsets.

pub mod frames;
pub mod options;
mod replication;
mod startup;
mod stream;
mod streaming;

pub use options::{ConnectOptions, SslMode};
pub use replication::{CreatedSlot, Replication, Row};
pub use startup::Canceller;
pub(crate) use startup::{refusal, version_number};
pub use stream::Stream;
pub(crate) use stream::{Encrypt, attempts, worth_another_attempt};
pub(crate) use streaming::POSTGRES_EPOCH_US;
pub use streaming::{error_in_stream, loss_in_stream};
