//! The parts of a validation that follow from other keys: transformations, predicates, overrides, converters.
//!
//! Must not know: the connector's own keys.

use settings::{Checked, Def, Properties};

use crate::runtime::catalog::{Offered, PartKind};
use crate::runtime::keys::{self, list};
use crate::runtime::supervisor::Settings;

/// Sets a default that is only known here.
pub(super) fn default(one: &mut Checked, config: &Properties, value: &str) {
    if let Some(definition) = &mut one.definition {
        definition.default_value = Some(value.to_owned());
    }
    if !config.contains(&one.name) {
        one.value = Some(value.to_owned());
    }
}

fn not_found(class: &str, key: &str) -> String {
    format!("Invalid value {class} for configuration {key}: Class {class} could not be found.")
}

const CONVERTERS: [(&str, PartKind, &str); 3] = [
    ("header.converter", PartKind::HeaderConverter, "org.apache.kafka.connect.storage.SimpleHeaderConverter"),
    ("key.converter", PartKind::Converter, "org.apache.kafka.connect.json.JsonConverter"),
    ("value.converter", PartKind::Converter, "org.apache.kafka.connect.json.JsonConverter"),
];

/// A converter's class, or its version: the worker's are the defaults.
pub(super) fn converter(settings: &Settings, config: &Properties, one: &mut Checked) {
    let key = one.name.strip_suffix(".plugin.version").unwrap_or(&one.name).to_owned();
    let Some((_, kind, usual)) = CONVERTERS.iter().find(|(name, ..)| *name == key) else { return };
    let workers = settings.worker.get(&key).map_or(*usual, str::trim);
    let class = config.get(&key).map_or(workers, str::trim);
    let offered = settings.catalog.find(*kind, class);
    if one.name == key {
        default(one, config, workers);
        one.recommended = settings.catalog.classes(*kind);
        if config.get(&key).is_some() && offered.is_none() {
            one.value = None;
            one.errors.push(not_found(class, &key));
        }
    } else if let Some(offered) = offered {
        default(one, config, offered.version);
        one.recommended = vec![offered.version.to_owned()];
    }
}

/// All transformations, in the order of `transforms`.
pub(super) fn transforms(
    settings: &Settings,
    config: &Properties,
    checked: &mut Vec<Checked>,
    remarks: &mut Vec<String>,
) {
    for alias in distinct(list(config, "transforms")) {
        let prefix = format!("transforms.{alias}.");
        let kind = PartKind::Transformation;
        let mut all = part(settings, config, &prefix, alias, &keys::TRANSFORM, kind, remarks);
        let [negate, predicate, class] = ["negate", "predicate", "type"].map(|key| format!("{prefix}{key}"));
        if config.contains(&negate)
            && !config.contains(&predicate)
            && let Some(one) = all.iter_mut().find(|c| c.name == class)
        {
            one.errors.push(format!(
                "Config '{negate}' was provided but there is no config '{predicate}' defining a predicate to be negated."
            ));
        }
        checked.append(&mut all);
    }
}

/// All predicates.
pub(super) fn predicates(
    settings: &Settings,
    config: &Properties,
    checked: &mut Vec<Checked>,
    remarks: &mut Vec<String>,
) {
    for alias in distinct(list(config, "predicates")) {
        let prefix = format!("predicates.{alias}.");
        checked.append(&mut part(settings, config, &prefix, alias, &keys::PREDICATE, PartKind::Predicate, remarks));
    }
}

fn distinct(mut aliases: Vec<&str>) -> Vec<&str> {
    let mut seen = Vec::new();
    aliases.retain(|alias| {
        let is_new = !seen.contains(alias);
        seen.push(*alias);
        is_new
    });
    aliases
}

fn part(
    settings: &Settings,
    config: &Properties,
    prefix: &str,
    alias: &str,
    head: &'static Def,
    kind: PartKind,
    remarks: &mut Vec<String>,
) -> Vec<Checked> {
    let group = match kind {
        PartKind::Predicate => format!("Predicates: {alias}"),
        _ => format!("Transforms: {alias}"),
    };
    let mut all = head.validate_embedded(prefix, &group, 0, config);
    let class_key = format!("{prefix}type");
    let class = config.get(&class_key).map(str::trim);
    let offered: Option<&Offered> = class.and_then(|class| settings.catalog.find(kind, class));
    for one in &mut all {
        if let Some(definition) = &mut one.definition
            && definition.display_name.ends_with(' ')
        {
            definition.display_name.push_str(alias);
        }
        if one.name == class_key {
            one.recommended = settings.catalog.classes(kind);
            if let (Some(class), None) = (class, offered) {
                one.value = None;
                one.errors.push(match settings.catalog.any(class) {
                    Some(other) => {
                        let wanted = if kind == PartKind::Predicate { "Predicate" } else { "Transformation" };
                        format!("Class class {} does not implement the {wanted} interface", other.class)
                    }
                    None => not_found(class, &class_key),
                });
            }
        } else if let (true, Some(offered)) = (one.name.ends_with(".plugin.version"), offered) {
            default(one, config, offered.version);
            one.recommended = vec![offered.version.to_owned()];
        }
    }
    if let Some(offered) = offered {
        let first = all.len() as i32;
        all.append(&mut offered.keys.validate_embedded(prefix, &group, first, config));
        remarks.extend(offered.remarks(prefix, config));
    }
    all
}

/// The connector's client overrides, held against the worker's policy.
pub(super) fn overrides(settings: &Settings, config: &Properties) -> Vec<Checked> {
    const PRINCIPAL: [&str; 3] = ["sasl.jaas.config", "sasl.mechanism", "security.protocol"];
    let policy = settings.worker.get("connector.client.config.override.policy").map_or("All", str::trim);
    let policy = policy.rsplit('.').next().unwrap_or(policy);
    let policy = policy.strip_suffix("ConnectorClientConfigOverridePolicy").unwrap_or(policy);
    let allowed = list(&settings.worker, "connector.client.config.override.allowlist");
    let mut all = Vec::new();
    // Connect looks at the admin client's only when it may be used.
    let creates = config.iter().any(|(name, _)| name.starts_with("topic.creation."));
    let own_offsets = config.get("offsets.storage.topic").is_some();
    let clients = [
        ("producer.override.", true),
        ("consumer.override.", own_offsets),
        ("admin.override.", creates || own_offsets),
    ];
    for (prefix, _) in clients.into_iter().filter(|(_, looked_at)| *looked_at) {
        for (key, value) in config.under(prefix) {
            let is_allowed = match policy {
                "None" => false,
                "Principal" => PRINCIPAL.contains(&key),
                "Allowlist" => allowed.contains(&key),
                _ => true,
            };
            let refusal = format!(
                "The '{policy}' policy does not allow '{key}' to be overridden in the connector configuration."
            );
            all.push(Checked {
                name: format!("{prefix}{key}"),
                definition: None,
                value: Some(value.to_owned()),
                recommended: Vec::new(),
                errors: if is_allowed { Vec::new() } else { vec![refusal] },
                visible: true,
                answered: true,
            });
        }
    }
    all
}

/// The keys of converters that the connector itself sets.
pub(super) fn converters(settings: &Settings, config: &Properties) -> Vec<Checked> {
    let mut all = Vec::new();
    for (key, kind, _) in CONVERTERS {
        let Some(class) = config.get(key) else { continue };
        if let Some(offered) = settings.catalog.find(kind, class.trim()) {
            let prefix = format!("{key}.");
            // What a converter is used for is the worker's to fill in (`key`, `value`, `header`).
            let mut filled = config.clone();
            filled.insert(format!("{prefix}converter.type"), key.split('.').next().unwrap_or_default());
            all.append(&mut offered.keys.validate_embedded(&prefix, key, 1, &filled));
        }
    }
    all
}
