//! The connector's client overrides (`producer.override.*` and the like): whether the worker's policy allows them (KIP-458),
//! and whether the client takes them.
//!
//! Must not know: the connector's own keys.

use settings::{Checked, Properties};

use crate::runtime::overrides::OverridePolicy;
use crate::runtime::supervisor::SupervisorSettings;
use crate::sink::properties;

/// Checks all client overrides of a configuration.
pub(super) fn client_overrides(settings: &SupervisorSettings, config: &Properties) -> Vec<Checked> {
    let policy = OverridePolicy::read(&settings.worker);
    let mut all = Vec::new();
    // Connect checks the overrides of the admin client only if the connector may use that client.
    let creates = config.iter().any(|(name, _)| name.starts_with("topic.creation."));
    let own_offsets = config.get("offsets.storage.topic").is_some();
    let clients = [
        ("producer.override.", true),
        ("consumer.override.", own_offsets),
        ("admin.override.", creates || own_offsets),
    ];
    for (prefix, _) in clients.into_iter().filter(|(_, looked_at)| *looked_at) {
        for (key, value) in config.under(prefix) {
            // A worker whose policy cannot be read does not start.
            let refusal = match &policy {
                Ok(policy) => policy.refusal(key),
                Err(reason) => Some(reason.clone()),
            };
            all.push(Checked {
                name: format!("{prefix}{key}"),
                value: Some(value.to_owned()),
                errors: refusal.into_iter().collect(),
                ..Checked::default()
            });
        }
    }
    check_with_producer(settings, config, &mut all);
    all
}

/// Adds what the producer says about the overrides that the policy allows: refusals and remarks.
fn check_with_producer(settings: &SupervisorSettings, config: &Properties, all: &mut [Checked]) {
    fn flat<'a>(pairs: impl Iterator<Item = (&'a str, &'a str)>) -> properties::Properties {
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
    fn find<'a>(all: &'a mut [Checked], name: &str) -> Option<&'a mut Checked> {
        let full = format!("producer.override.{name}");
        all.iter_mut().find(|one| one.name == full && one.errors.is_empty())
    }
    let (worker, own) = (flat(settings.worker.under("producer.")), flat(config.under("producer.override.")));
    let alone = properties::producer("", &worker, &properties::Properties::new());
    let with = properties::producer("", &worker, &own);
    for refusal in with.refusals.iter().filter(|refusal| !alone.refusals.contains(refusal)) {
        // A key that the connector does not set may be missing because of one that it does: sasl.jaas.config.
        let name = if own.contains_key(&refusal.name) { Some(&refusal.name) } else { own.keys().next() };
        if let Some(one) = name.and_then(|name| find(all, name)) {
            one.errors.push(refusal.to_string());
        }
    }
    for (name, line) in with.warnings.iter().filter(|line| !alone.warnings.contains(line)) {
        if let Some(one) = find(all, name) {
            one.remarks.push(line.clone());
        }
    }
}
