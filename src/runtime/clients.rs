//! Properties of the worker's own clients (internal topics, group, admin), from its unprefixed keys.

use std::collections::BTreeMap;

use crate::sink::properties::{self, Client, Refusal};

/// Makes librdkafka's properties of the worker's.
///
/// # Errors
/// The first property that cannot be honoured.
pub fn internal(worker: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let mapped = properties::internal(Client::Admin, worker);
    match mapped.refusals.into_iter().next() {
        Some(refusal) => Err(refusal),
        None => Ok(mapped.client),
    }
}
