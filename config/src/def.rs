//! A table of keys, and running all its checks on one config.
//!
//! Must not know: which keys there are, who asks.

use crate::connect::{self, Parsed};
use crate::secret::without_user_info;
use crate::support::{Verdict, refusal, remark};
use crate::{Definition, Finding, Importance, Invalid, Key, Properties, Severity, Style, debezium, family};

/// An ordered table of keys, made of static slices that follow one another.
#[derive(Clone, Copy, Debug)]
pub struct Def {
    parts: &'static [&'static [Key]],
}

/// The part of a validation answer (`PUT /connector-plugins/<class>/config/validate`) that is about one key.
#[derive(Clone, Debug, PartialEq)]
pub struct Checked {
    /// Name of the key, with its prefix.
    pub name: String,
    /// The key's definition; `None` when the key is unlisted, and the answer holds its errors and remarks only.
    pub definition: Option<Definition>,
    /// The value as Connect shows it; always `None` for Debezium's keys.
    pub value: Option<String>,
    /// Values that a form should offer.
    pub recommended: Vec<String>,
    /// Error messages, each complete.
    pub errors: Vec<String>,
    /// What a user should know besides the errors, such as that the key has no effect. Kafka Connect has nothing like
    /// it, so these lines are kept apart from the errors.
    pub remarks: Vec<String>,
    /// Whether forms show the key.
    pub visible: bool,
    /// Whether the answer has a value object for this key. It has none for a key that is merely an older name of
    /// another.
    pub answered: bool,
}

impl Def {
    /// A table of the given slices, in order.
    pub const fn new(parts: &'static [&'static [Key]]) -> Self {
        Self { parts }
    }

    /// All keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &'static Key> + use<> {
        self.parts.iter().flat_map(|part| part.iter())
    }

    /// The key whose own name is `name`; older names and families do not count.
    pub fn get(&self, name: &str) -> Option<&'static Key> {
        self.keys().find(|key| key.name == name)
    }

    /// The key that a config sets by `name`: the key of that name, else the key with that older name, else the first
    /// family that covers it.
    pub fn find(&self, name: &str) -> Option<&'static Key> {
        let of_family = || self.keys().find(|key| key.family.is_some_and(|form| family::is_of(form, name)));
        self.get(name).or_else(|| self.keys().find(|key| key.aliases.contains(&name))).or_else(of_family)
    }

    /// The definitions of all listed keys, in the order in which REST lists them.
    pub fn definitions(&self) -> Vec<Definition> {
        self.keys().filter(|key| key.listed).map(Key::definition).collect()
    }

    /// Runs all checks on `properties` except those of keys that are checked at a start only. Returns one entry for
    /// each listed key, in order, and one for each unlisted key that has errors or remarks.
    pub fn validate(&self, properties: &Properties) -> Vec<Checked> {
        self.check(properties, false)
    }

    fn check(&self, properties: &Properties, at_start: bool) -> Vec<Checked> {
        let keys = self.keys().filter(|key| at_start || !key.at_start);
        let mut all = keys.filter_map(|key| checked(key, properties)).collect();
        self.hold_against_support("", properties, &mut all);
        all
    }

    /// Every complaint that stands in the way of a connector's start, in the order of the keys.
    pub fn complaints(&self, properties: &Properties) -> Vec<Invalid> {
        let refusals = |c: Checked| c.errors.into_iter().map(move |m| Invalid::new(c.name.clone(), m));
        self.check(properties, true).into_iter().flat_map(refusals).collect()
    }

    /// The keys under `prefix` that are set and not supported ([`Support::Refused`](crate::Support::Refused)), in the
    /// order of `properties`. Each of them ends a start. Other checks do not run.
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

    /// The keys under `prefix` that are set and have no effect, in the order of `properties`.
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

    /// Every key that is set under `prefix`: its whole name, its definition, its value and the verdict on that value.
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

    /// Adds an error to each key that is refused, and a remark to each key that has no effect. A key that already has
    /// errors gets neither.
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

    /// Runs all checks with these tables, as one, placed under `prefix` and into one group, as an SMT's keys stand under
    /// `transforms.A.` (`ConfigDef.embed`). Names in the answer carry the prefix, positions in the group count from
    /// `first_order`, and the keys come in the order of [`Def::sorted`]. Keys with a group of their own get one below:
    /// `GROUP: OWN`.
    pub fn validate_embedded(
        tables: &[&Self],
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
            definition.group = Some(match key.group {
                Some(own) => format!("{group}: {own}"),
                None => group.to_owned(),
            });
            definition.order_in_group = order;
            for dependent in &mut definition.dependents {
                dependent.insert_str(0, prefix);
            }
            answer(key, definition, &value, errors)
        };
        let mut all = sorted(tables.iter().flat_map(|table| table.keys())).into_iter().map(one).collect();
        for table in tables {
            table.hold_against_support(prefix, properties, &mut all);
        }
        all
    }

    /// Runs all checks on what stands under `prefix`, as a converter's keys stand under `value.converter.`. Connect hands such
    /// keys to the class without the prefix, so complaints name them without it; groups and positions are those of the table.
    pub fn validate_under(&self, prefix: &str, properties: &Properties) -> Vec<Checked> {
        let own: Properties = properties.under(prefix).collect();
        let one = |key: &'static Key| {
            let (value, errors) = connect::check(key, "", &own);
            let mut definition = key.definition();
            definition.name.insert_str(0, prefix);
            answer(key, definition, &value, errors)
        };
        let mut all = self.keys().filter(|key| key.listed).map(one).collect();
        self.hold_against_support(prefix, properties, &mut all);
        all
    }

    /// The listed keys as Connect sorts a definition: by group and position, then required keys first, then by
    /// importance, then by name.
    pub fn sorted(&self) -> Vec<&'static Key> {
        sorted(self.keys())
    }
}

fn sorted(keys: impl Iterator<Item = &'static Key>) -> Vec<&'static Key> {
    let all: Vec<&'static Key> = keys.collect();
    let mut groups: Vec<&str> = Vec::new();
    for group in all.iter().filter_map(|key| key.group) {
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
    let mut listed: Vec<_> = all.into_iter().filter(|key| key.listed).collect();
    listed.sort_by_key(|key| place(key));
    listed
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
        // Connect shows the whole address. Who validates need not see the password in it again.
        value: value.shown().map(|shown| without_user_info(&shown).into_owned()),
        recommended: key.recommended.iter().map(|&r| r.to_owned()).collect(),
        errors,
        remarks: Vec::new(),
        visible: key.visible,
        answered: key.alias_of.is_none(),
    }
}

/// The entry of an unlisted key, before its name, errors and remarks are filled in.
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
