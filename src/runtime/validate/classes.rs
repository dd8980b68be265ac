//! The keys that a configuration has because of a class that it names: those of transformations, predicates and converters.
//!
//! Must not know: the connector's own keys.

use record::java_map::{Made, listed};
use settings::{Checked, Def, Properties};

use super::{recommended, version};
use crate::runtime::catalog::{Offered, PartKind};
use crate::runtime::keys::{self, list};
use crate::runtime::supervisor::SupervisorSettings;

/// Gives a key the default that only the worker knows, and its value if the configuration has none.
pub(super) fn set_default(one: &mut Checked, config: &Properties, value: &str) {
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

/// Checks the key of a converter's class or version, for which the worker's are the defaults. Does nothing for other keys.
pub(super) fn check_converter(settings: &SupervisorSettings, config: &Properties, one: &mut Checked) {
    let key = one.name.strip_suffix(".plugin.version").unwrap_or(&one.name).to_owned();
    let Some((_, kind, usual)) = CONVERTERS.iter().find(|(name, ..)| *name == key) else { return };
    let workers = settings.worker.get(&key).map_or(*usual, str::trim);
    let class = config.get(&key).map_or(workers, str::trim);
    let offered = settings.catalog.find(*kind, class);
    if one.name == key {
        set_default(one, config, workers);
        one.recommended = recommended::classes(&settings.catalog, *kind);
        if config.get(&key).is_some() && offered.is_none() {
            one.value = None;
            one.errors.push(not_found(class, &key));
            one.remarks.push(settings.catalog.lacks(*kind, class));
        }
    } else if let Some(offered) = offered {
        set_default(one, config, offered.version);
        one.recommended = vec![offered.version.to_owned()];
    } else {
        one.visible = false;
    }
    if let (Some(wanted), Some(offered)) = (config.get(&format!("{key}.plugin.version")), offered) {
        one.errors.extend(version::refusal(offered.class, wanted, offered.version));
    }
}

/// Adds the keys of all transformations, in the order of `transforms`.
pub(super) fn add_transforms(settings: &SupervisorSettings, config: &Properties, checked: &mut Vec<Checked>) {
    for alias in distinct(list(config, "transforms")) {
        let prefix = format!("transforms.{alias}.");
        let kind = PartKind::Transformation;
        let mut all = keys_of_alias(settings, config, &prefix, alias, &keys::TRANSFORM_TYPE, kind);
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

/// Adds the keys of all predicates, in the order of `predicates`.
pub(super) fn add_predicates(settings: &SupervisorSettings, config: &Properties, checked: &mut Vec<Checked>) {
    for alias in distinct(list(config, "predicates")) {
        let prefix = format!("predicates.{alias}.");
        checked.append(&mut keys_of_alias(settings, config, &prefix, alias, &keys::PREDICATE, PartKind::Predicate));
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

/// The keys of one transformation or predicate: those that all have (`head`), and those of its class.
fn keys_of_alias(
    settings: &SupervisorSettings,
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
    let mut all = Def::validate_embedded(&[head], prefix, &group, 0, config);
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
            one.recommended = recommended::classes(&settings.catalog, kind);
            if let (Some(class), None) = (class, offered) {
                if kind == PartKind::Transformation
                    && let Some(text) = transforms::abstract_class(class)
                {
                    one.value = Some(class.to_owned());
                    one.errors.push(text);
                    continue;
                }
                // A class of another kind is found, and is not the one that is wanted.
                let connector = settings.find(class).map(|plugin| plugin.class);
                let other = settings.catalog.any(class).map(|other| other.class).or(connector);
                one.value = other.map(|_| class.to_owned());
                one.remarks.push(settings.catalog.lacks(kind, class));
                one.errors.push(match other {
                    Some(other) => {
                        let wanted = if kind == PartKind::Predicate { "Predicate" } else { "Transformation" };
                        format!("Class class {other} does not implement the {wanted} interface")
                    }
                    None => transforms::abstract_class(class).unwrap_or_else(|| not_found(class, &class_key)),
                });
            }
        } else if let (true, Some(offered)) = (one.name.ends_with(".plugin.version"), offered) {
            set_default(one, config, offered.version);
            one.recommended = recommended::versions(offered);
            let wanted = config.get(&one.name);
            one.errors.extend(wanted.and_then(|wanted| version::refusal(offered.class, wanted, offered.version)));
        }
    }
    if let Some(offered) = offered {
        let first = all.len() as i32;
        let tables = match kind {
            PartKind::Transformation => &[&offered.keys, &keys::TRANSFORM_APPLIED][..],
            _ => &[&offered.keys],
        };
        all.append(&mut Def::validate_embedded(tables, prefix, &group, first, config));
        for (key, line) in offered.remarks(prefix, config) {
            super::remark(&mut all, &key, line);
        }
    }
    all
}

/// Adds remarks on the options of converters whose class the connector does not set: such a converter is the worker's, with
/// all its settings.
pub(super) fn remark_on_unused_options(config: &Properties, all: &mut Vec<Checked>) {
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

/// The options of the converters whose class the connector sets.
pub(super) fn converter_options(settings: &SupervisorSettings, config: &Properties) -> Vec<Checked> {
    let mut all = Vec::new();
    for (key, kind, _) in CONVERTERS {
        let Some(class) = config.get(key) else { continue };
        if let Some(offered) = settings.catalog.find(kind, class.trim()) {
            let prefix = format!("{key}.");
            // Connect itself fills in what the converter is for (`key`, `value`, `header`).
            let mut filled = config.clone();
            filled.insert(format!("{prefix}converter.type"), key.split('.').next().unwrap_or_default());
            let checked = offered.keys.validate_under(&prefix, &filled);
            // Connect lists them in the order of a hash map of their names without the prefix.
            let bare = |one: &Checked| one.name.len().min(prefix.len());
            all.append(&mut listed(checked, |one| &one.name[bare(one)..], Made::Growing));
        }
    }
    all
}
