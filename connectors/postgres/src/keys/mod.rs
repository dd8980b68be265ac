//! Every key of the PostgreSQL connector, with what it does and what its values may be.
//!
//! The table is the reference's definition list, in the order in which it answers over REST, so that forms and tools see
//! what they know; the texts are ours and say the consequence. Keys that the reference reads without listing them are in
//! [`READ`] only.
//!
//! Must not know: connections, what the values do.

mod events;
mod older;
mod pipeline;
mod rules;
mod server;
mod treatment;
mod unlisted;

pub(crate) use older::is_older;
pub use older::{remedies, warnings};
pub use rules::{MESSAGE_KEY_PATTERN, REPLICA_IDENTITY_PATTERN};

use settings::Def;

/// What a validation over REST checks and shows: 125 keys and an alias; `field.name.adjustment.mode` shows only with an
/// error (the reference breaks on a bad one).
pub static KEYS: Def =
    Def::new(&[server::KEYS, pipeline::KEYS, treatment::KEYS, events::KEYS, unlisted::CHECKED_AT_VALIDATION]);

/// What is read at start: [`KEYS`] and those outside of the definition list.
pub static READ: Def = Def::new(&[
    server::KEYS,
    pipeline::KEYS,
    treatment::KEYS,
    events::KEYS,
    unlisted::CHECKED_AT_VALIDATION,
    unlisted::CHECKED_AT_START,
    unlisted::LENIENT,
]);
