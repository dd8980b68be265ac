//! Checks that only this connector's keys need. Their messages are Debezium's, word for word.
//!
//! Must not know: connections.

use relational::keys::rules::{entries, unless};
use settings::Asked;

/// The pattern of one `replica.identity.autoset.values` entry, as the error message shows it.
pub const REPLICA_IDENTITY_PATTERN: &str =
    r"(?i)^\s*(?<tablepredicate>[^\s:]+):(?<replicaidentity>DEFAULT|(INDEX) (?<indexname>.\w*)|FULL|NOTHING)\s*$";

const LENGTH_OF_A_SLOT_NAME: usize = 63; // NAMEDATALEN - 1

pub(super) fn slot_name(asked: &Asked<'_>) -> Vec<String> {
    let fine = asked.value.is_none_or(|v| {
        (1..=LENGTH_OF_A_SLOT_NAME).contains(&v.len())
            && v.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'_')
    });
    unless(fine, || {
        "Valid replication slot name must contain only digits, lowercase characters and underscores with length <= 63"
            .to_owned()
    })
}

pub(super) fn replica_identities(asked: &Asked<'_>) -> Vec<String> {
    asked.value.map_or_else(Vec::new, |value| entries(value, ',', REPLICA_IDENTITY_PATTERN))
}

/// A property of the Java driver that chooses how the server is verified, how the role logs in or how bytes are encrypted.
/// Whoever sets one relies on it, so it must be refused rather than ignored.
pub(super) fn guards_the_connection(asked: &Asked<'_>) -> bool {
    const GUARDS: [&str; 6] = [
        "authenticationPluginClassName",
        "requireAuth",
        "socketFactory",
        "socketFactoryArg",
        "sslhostnameverifier",
        "sslpasswordcallback",
    ];
    let property = asked.name.split_once('.').map_or("", |(_, property)| property);
    let value = asked.value.unwrap_or_default().trim();
    match property {
        "gssEncMode" | "channelBinding" => value.eq_ignore_ascii_case("require"),
        _ => GUARDS.contains(&property),
    }
}

/// Whether the name is a key of an older release: [`super::warnings`] speaks of it, so nothing else does.
pub(super) fn is_spoken_of(asked: &Asked<'_>) -> bool {
    super::is_older(asked.name)
}
