//! The connector's client overrides (`producer.override.*` and the like): whether the worker's policy allows them (KIP-458),
//! and whether the client takes them.
//!
//! Must not know: the connector's own keys.

use settings::{Checked, Finding, HIDDEN, Properties, SecretNames, Severity};

use crate::runtime::letters::LetterTopic;
use crate::runtime::overrides::OverridePolicy;
use crate::runtime::supervisor::SupervisorSettings;
use crate::sink::properties;

/// Checks all client overrides of a configuration. A file that cannot be used (a key store) stands against no configuration, as
/// in Connect: it is a finding apart.
pub(super) fn client_overrides(settings: &SupervisorSettings, config: &Properties) -> (Vec<Checked>, Vec<Finding>) {
    let policy = OverridePolicy::read(&settings.worker);
    let mut all = Vec::new();
    // Connect checks the overrides of a client only if the connector may use that client. Dead letters need two of them here: the
    // policy keeps the worker's credentials from going to other brokers.
    let letters = LetterTopic::of(config).is_some();
    let creates = config.iter().any(|(name, _)| name.starts_with("topic.creation."));
    let own_offsets = config.get("offsets.storage.topic").is_some();
    let clients = [
        ("producer.override.", true),
        ("consumer.override.", own_offsets || letters),
        ("admin.override.", creates || own_offsets || letters),
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
                // Connect hides what the client's own definition calls a password.
                value: Some(if SecretNames::Usual.hides(key) { HIDDEN } else { value }.to_owned()),
                errors: refusal.into_iter().collect(),
                ..Checked::default()
            });
        }
    }
    let files = check_with_producer(settings, config, &mut all);
    (all, files)
}

/// Adds what the producer says about the overrides that the policy allows: refusals and remarks. Returns the refusals that are
/// about files.
fn check_with_producer(settings: &SupervisorSettings, config: &Properties, all: &mut [Checked]) -> Vec<Finding> {
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
    let mut files = Vec::new();
    for refusal in with.refusals.iter().filter(|refusal| !alone.refusals.contains(refusal)) {
        // A key that the connector does not set may be missing because of one that it does: sasl.jaas.config.
        let name = if own.contains_key(&refusal.name) { Some(&refusal.name) } else { own.keys().next() };
        match name.and_then(|name| find(all, name)) {
            Some(one) if refusal.of_file => files.push(Finding {
                key: one.name.clone(),
                severity: Severity::Unmet,
                reason: format!("{}.", refusal.reason),
                remedy: format!("{}.", refusal.remedy),
            }),
            Some(one) => one.errors.push(refusal.to_string()),
            None => {}
        }
    }
    for (name, line) in with.warnings.iter().filter(|line| !alone.warnings.contains(line)) {
        if let Some(one) = find(all, name) {
            one.remarks.push(line.clone());
        }
    }
    files
}
