//! Properties of the worker's own clients (internal topics, group, admin), from its unprefixed keys.

use std::collections::BTreeMap;

use crate::sink::properties::{self, Client, Refusal};

/// Makes librdkafka's properties of the worker's, and logs which of its security settings have no effect.
///
/// # Errors
/// The first property that cannot be honoured.
pub fn internal(worker: &BTreeMap<String, String>) -> Result<BTreeMap<String, String>, Refusal> {
    let mapped = properties::internal(Client::Admin, worker);
    if let Some(refusal) = mapped.refusals.into_iter().next() {
        return Err(refusal);
    }
    for (key, warning) in mapped.warnings {
        tracing::warn!(%key, "{warning}");
    }
    Ok(mapped.client)
}
