//! A table of keys, and the run of all its checks over one config.
//!
//! Must not know: which keys there are, who asks.

use crate::connect::{self, Parsed};
use crate::{Definition, Importance, Invalid, Key, Properties, SecretNames, Style, debezium};

/// An ordered set of keys: static slices, one after the other.
#[derive(Clone, Copy, Debug)]
pub struct Def {
    parts: &'static [&'static [Key]],
}

/// One key's part of a validate answer.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Full name.
    pub name: String,
    /// Its definition; `None`: the key is not in the definition list, only its errors are.
    pub definition: Option<Definition>,
    /// The value as Connect shows it; always `None` for Debezium's keys.
    pub value: Option<String>,
    /// Values to offer.
    pub recommended: Vec<String>,
    /// Whole messages.
    pub errors: Vec<String>,
    /// Whether forms show it.
    pub visible: bool,
    /// `false`: the answer has no value object at all (an alias; Connect trips over it, so skip it when counting).
    pub answered: bool,
}

impl Def {
    /// A table of the slices given, in order.
    pub const fn new(parts: &'static [&'static [Key]]) -> Self {
        Self { parts }
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// The key named so.
    pub fn get(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }

    /// The definition list of REST, in order.
    pub fn definitions(&self) -> Vec<Definition> {
        self.keys().filter(|key| key.listed).map(Key::definition).collect()
    }

    /// Runs every check over `properties`: one entry a listed key, in order; unlisted keys only with errors.
    pub fn validate(&self, properties: &Properties) -> Vec<Checked> {
        self.keys().filter_map(|key| checked(key, properties)).collect()
    }

    /// All refusals of [`Def::validate`], in order.
    pub fn complaints(&self, properties: &Properties) -> Vec<Invalid> {
        let refusals = |c: Checked| c.errors.into_iter().map(move |m| Invalid::new(c.name.clone(), m));
        self.validate(properties).into_iter().flat_map(refusals).collect()
    }

    /// The refusals of Debezium's keys as its tasks log them at start, with the values: `The 'database.port' value 'x' is
    /// invalid: …`. Secret values are masked.
    pub fn log_lines(&self, properties: &Properties, names: &SecretNames) -> Vec<String> {
        let own = |key: &&Key| key.style == Style::Debezium && !key.lenient && key.alias_of.is_none();
        self.keys().filter(own).flat_map(|key| debezium::logged(key, properties, names)).collect()
    }

    /// The same table embedded under `prefix` in one group, as an SMT's keys are under `transforms.A.`: names carry the
    /// prefix, positions count from `first_order`, and the keys come in Connect's order (required first, then by
    /// importance, then by name, unless groups order them).
    pub fn validate_embedded(
        &self,
        prefix: &str,
        group: &str,
        first_order: i32,
        properties: &Properties,
    ) -> Vec<Checked> {
        let mut order = first_order - 1;
        let one = |key: &'static Key| {
            order += 1;
            let (value, errors) = connect::check(key, prefix, properties);
            let mut definition = key.definition();
            definition.name = format!("{prefix}{}", key.name);
            definition.group = Some(group.to_owned());
            definition.order_in_group = order;
            for dependent in &mut definition.dependents {
                dependent.insert_str(0, prefix);
            }
            answer(key, definition, &value, errors)
        };
        self.sorted().into_iter().map(one).collect()
    }

    /// The listed keys as Connect sorts a definition.
    pub fn sorted(&self) -> Vec<&'static Key> {
        let mut groups: Vec<&str> = Vec::new();
        for group in self.keys().filter_map(|key| key.group) {
            if !groups.contains(&group) {
                groups.push(group);
            }
        }
        let place = |key: &Key| {
            let group = key.group.and_then(|g| groups.iter().position(|x| *x == g));
            let importance = match key.importance {
                Importance::High => 0,
                Importance::Medium => 1,
                Importance::Low => 2,
            };
            (group, key.order_in_group, !key.required, importance, key.name)
        };
        let mut keys: Vec<_> = self.keys().filter(|key| key.listed).collect();
        keys.sort_by_key(|key| place(key));
        keys
    }
}

fn checked(key: &'static Key, properties: &Properties) -> Option<Checked> {
    let (value, errors) = match key.style {
        Style::Connect => connect::check(key, "", properties),
        _ if key.alias_of.is_some() => (Parsed::Null, Vec::new()),
        Style::Debezium if key.lenient => (Parsed::Null, Vec::new()),
        Style::Debezium => {
            (Parsed::Null, debezium::complaints(key, properties).into_iter().map(|i| i.message).collect())
        }
    };
    if key.listed {
        return Some(answer(key, key.definition(), &value, errors));
    }
    (!errors.is_empty()).then(|| Checked { definition: None, ..answer(key, key.definition(), &value, errors) })
}

fn answer(key: &Key, definition: Definition, value: &Parsed, errors: Vec<String>) -> Checked {
    Checked {
        name: definition.name.clone(),
        definition: Some(definition),
        value: value.shown(),
        recommended: key.recommended.iter().map(|&r| r.to_owned()).collect(),
        errors,
        visible: key.visible,
        answered: key.alias_of.is_none(),
    }
}
