//! Keys that the relational connectors of Debezium share: their definitions stand here once.
//!
//! Purpose: a connector lists them with their place in its own answer over REST (`keys::MAX_BATCH_SIZE.at(GROUP, 2)`), and
//! where its database differs, with a default, a text or a support of its own. So two connectors cannot say different things
//! of one key.
//!
//! Must not know: which connector lists a key, how the values are used.

mod connection;
mod events;
mod families;
pub mod older;
mod pipeline;
pub mod rules;
mod treatment;
mod unlisted;

pub use connection::*;
pub use events::*;
pub use families::*;
pub use pipeline::*;
pub use treatment::*;
pub use unlisted::*;
