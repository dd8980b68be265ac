//! Every key of the PostgreSQL connector, with what it does and what its values may be.
//!
//! The table is the reference's definition list, in the order in which it answers over REST, so that forms and tools see
//! what they know; the texts are ours and say the consequence. Keys that the reference reads without listing them come behind.
//! Each key says whether it works here ([`settings::Support`]); the tests hold every such claim against the typed settings
//! that are read from it.
//!
//! Must not know: connections, what the values do.

mod events;
mod families;
mod older;
mod pipeline;
mod rules;
mod server;
mod treatment;
mod unlisted;

pub(crate) use older::is_older;
pub use older::warnings;
pub use rules::{MESSAGE_KEY_PATTERN, REPLICA_IDENTITY_PATTERN};

use settings::Def;

/// All keys. 125 and an alias are in the reference's definition list; `field.name.adjustment.mode` shows only with an error
/// (the reference breaks on a bad one). The others are read when the connector starts.
pub static KEYS: Def = Def::new(&[
    server::KEYS,
    pipeline::KEYS,
    treatment::KEYS,
    events::KEYS,
    unlisted::CHECKED_AT_VALIDATION,
    unlisted::CHECKED_AT_START,
    unlisted::LENIENT,
    families::KEYS,
]);

#[cfg(test)]
mod tests;
