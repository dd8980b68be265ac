//! A table of keys, and the run of all its checks over one config.
//!
//! Must not know: which keys there are, who asks.

use crate::connect::{self, Parsed};
use crate::support::{Verdict, refusal, remark};
use crate::{Definition, Finding, Importance, Invalid, Key, Properties, Severity, Style, debezium, family};

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
    /// What a person should know of the key beside its errors: that it has no effect, or what to do about an error. Kafka
    /// Connect has nothing like it, so these lines stand apart from the errors.
    pub remarks: Vec<String>,
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

    /// The key that `name` sets: the one of that name, one that knows it as an older name, or the first family it is of.
    pub fn find(&self, name: &str) -> Option<&'static Key> {
        let of_family = || self.keys().find(|key| key.family.is_some_and(|form| family::is_of(form, name)));
        self.get(name).or_else(|| self.keys().find(|key| key.aliases.contains(&name))).or_else(of_family)
    }

    /// The definition list of REST, in order.
    pub fn definitions(&self) -> Vec<Definition> {
        self.keys().filter(|key| key.listed).map(Key::definition).collect()
    }

    /// Runs every check over `properties` that runs when a config is sent: one entry a listed key, in order; unlisted keys
    /// only with errors or remarks.
    pub fn validate(&self, properties: &Properties) -> Vec<Checked> {
        self.check(properties, false)
    }

    fn check(&self, properties: &Properties, at_start: bool) -> Vec<Checked> {
        let keys = self.keys().filter(|key| at_start || !key.at_start);
        let mut all = keys.filter_map(|key| checked(key, properties)).collect();
        self.hold_against_support("", properties, &mut all);
        all
    }

    /// All refusals when a connector starts, in order.
    pub fn complaints(&self, properties: &Properties) -> Vec<Invalid> {
        let refusals = |c: Checked| c.errors.into_iter().map(move |m| Invalid::new(c.name.clone(), m));
        self.check(properties, true).into_iter().flat_map(refusals).collect()
    }

    /// What is set and refused whatever the value's form, in the order in which it is set: what ends a start. `prefix`
    /// stands before each name.
    pub fn refused(&self, prefix: &str, properties: &Properties) -> Vec<Invalid> {
        let invalid = |(name, key, value, verdict): (String, &Key, &str, Verdict)| match verdict {
            Verdict::Refused(why, instead) => {
                let message = refusal(key, &name, value, why, instead);
                Some(Invalid::new(name, message))
            }
            Verdict::Works | Verdict::NoEffect(_) => None,
        };
        self.verdicts(prefix, properties).filter_map(invalid).collect()
    }

    /// The keys that are set and have no effect, in the order in which they are set; `prefix` stands before each name.
    pub fn without_effect(&self, prefix: &str, properties: &Properties) -> Vec<Finding> {
        let spoken = self.verdicts(prefix, properties);
        let finding = |(name, _, _, verdict): (String, _, _, Verdict)| match verdict {
            Verdict::NoEffect(why) => Some(Finding {
                key: name,
                severity: Severity::Warning,
                reason: format!("has no effect here: {why}."),
                remedy: String::new(),
            }),
            Verdict::Works | Verdict::Refused(..) => None,
        };
        spoken.filter_map(finding).collect()
    }

    /// Each key that is set under `prefix`: its whole name, what it is, its value and what becomes of that.
    fn verdicts<'a>(
        &'a self,
        prefix: &'a str,
        properties: &'a Properties,
    ) -> impl Iterator<Item = (String, &'static Key, &'a str, Verdict)> + 'a {
        properties.iter().filter_map(move |(name, value)| {
            let bare = name.strip_prefix(prefix)?;
            let (key, value) = (self.find(bare)?, value?);
            Some((name.to_owned(), key, value, key.verdict(bare, value, properties)))
        })
    }

    /// Adds refusals to the errors and what has no effect to the remarks. A value that is wrong anyway earns neither.
    fn hold_against_support(&self, prefix: &str, properties: &Properties, all: &mut Vec<Checked>) {
        for (name, key, value, verdict) in self.verdicts(prefix, properties) {
            let (errors, remarks) = match verdict {
                Verdict::Works => continue,
                Verdict::NoEffect(why) => (Vec::new(), vec![remark(&name, why)]),
                Verdict::Refused(why, instead) => (vec![refusal(key, &name, value, why, instead)], Vec::new()),
            };
            match all.iter_mut().find(|checked| checked.name == name) {
                Some(checked) if checked.errors.is_empty() => {
                    checked.errors = errors;
                    checked.remarks = remarks;
                }
                Some(_) => {}
                None => all.push(Checked { name, errors, remarks, ..Checked::default() }),
            }
        }
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
        let mut all = self.sorted().into_iter().map(one).collect();
        self.hold_against_support(prefix, properties, &mut all);
        all
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
        remarks: Vec::new(),
        visible: key.visible,
        answered: key.alias_of.is_none(),
    }
}

/// A key that no table defines: only what is said of it counts.
impl Default for Checked {
    fn default() -> Self {
        Self {
            name: String::new(),
            definition: None,
            value: None,
            recommended: Vec::new(),
            errors: Vec::new(),
            remarks: Vec::new(),
            visible: true,
            answered: true,
        }
    }
}
