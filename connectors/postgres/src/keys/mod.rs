//! Every key of the PostgreSQL connector, with what it does and what its values may be.
//!
//! The table follows the list of keys that Debezium's connector answers with over REST, in its order, so that forms and
//! tools see what they know. The documentation texts are our own and say what follows from a value. Keys that Debezium reads
//! without listing them come last.
//!
//! Each key says whether it works here ([`settings::Support`]); the tests check every such claim against the typed settings
//! that are read from the key.
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
pub use relational::keys::rules::MESSAGE_KEY_PATTERN;
pub use rules::REPLICA_IDENTITY_PATTERN;

use settings::Def;

/// All keys. Debezium lists 125 of them and an alias. `field.name.adjustment.mode` is listed only when it has an error. The
/// others are never listed, and are read when the connector starts.
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
