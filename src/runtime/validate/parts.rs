//! The parts of a validation that follow from other keys: transformations, predicates, overrides, converters.
//!
//! Must not know: the connector's own keys.

use settings::{Checked, Def, Properties};

use super::version;
use crate::runtime::catalog::{Offered, PartKind};
use crate::runtime::keys::{self, list};
use crate::runtime::overrides::OverridePolicy;
use crate::runtime::supervisor::Settings;
use crate::sink::properties;

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
            one.remarks.push(settings.catalog.lacks(*kind));
        }
    } else if let Some(offered) = offered {
        default(one, config, offered.version);
        one.recommended = vec![offered.version.to_owned()];
    }
    if let (Some(wanted), Some(offered)) = (config.get(&format!("{key}.plugin.version")), offered) {
        one.errors.extend(version::refusal(offered.class, wanted, offered.version));
    }
}

/// All transformations, in the order of `transforms`.
pub(super) fn transforms(settings: &Settings, config: &Properties, checked: &mut Vec<Checked>) {
    for alias in distinct(list(config, "transforms")) {
        let prefix = format!("transforms.{alias}.");
        let kind = PartKind::Transformation;
        let mut all = part(settings, config, &prefix, alias, &keys::TRANSFORM, kind);
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
pub(super) fn predicates(settings: &Settings, config: &Properties, checked: &mut Vec<Checked>) {
    for alias in distinct(list(config, "predicates")) {
        let prefix = format!("predicates.{alias}.");
        checked.append(&mut part(settings, config, &prefix, alias, &keys::PREDICATE, PartKind::Predicate));
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
                one.remarks.push(settings.catalog.lacks(kind));
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
            let wanted = config.get(&one.name);
            one.errors.extend(wanted.and_then(|wanted| version::refusal(offered.class, wanted, offered.version)));
        }
    }
    if let Some(offered) = offered {
        let first = all.len() as i32;
        all.append(&mut offered.keys.validate_embedded(prefix, &group, first, config));
        for (key, line) in offered.remarks(prefix, config) {
            super::remark(&mut all, &key, line);
        }
    }
    all
}

/// The connector's client overrides, held against the worker's policy.
pub(super) fn overrides(settings: &Settings, config: &Properties) -> Vec<Checked> {
    let policy = OverridePolicy::read(&settings.worker);
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
    honoured(settings, config, &mut all);
    all
}

/// What the clients themselves make of the overrides that the policy allows.
fn honoured(settings: &Settings, config: &Properties, all: &mut [Checked]) {
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

/// Options of a converter whose class the connector does not set: the converter is the worker's, with all its settings.
pub(super) fn without_class(config: &Properties, all: &mut Vec<Checked>) {
    for (key, ..) in CONVERTERS.iter().filter(|(key, ..)| config.get(key).is_none()) {
        let prefix = format!("{key}.");
        for (option, _) in config.under(&prefix).filter(|(option, _)| *option != "plugin.version") {
            let name = format!("{prefix}{option}");
            let line = format!(
                "'{name}' has no effect here: the connector sets no {key}, so that converter is the worker's with all its settings."
            );
            super::remark(all, &name, line);
        }
    }
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
