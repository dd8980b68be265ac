//! `org.apache.kafka.connect.transforms.ReplaceField$Key` and `$Value`: drops and renames fields of a struct.
//!
//! `exclude` and `include` name the fields as they are before `renames`, and `exclude` wins:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.ReplaceField$Value", "exclude": "junk,nosuch", "renames": "nm:name,n:count"}
//! {"topic": "t", "value": {"id": 1, "nm": "Ann", "n": 10, "junk": "j"}}
//! => {"value": {"id": 1, "name": "Ann", "count": 10}}
//! {"topic": "t", "value": null}
//! => {}
//! ```
//!
//! On an envelope the fields are `before`, `after`, `source` and so on:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.ReplaceField$Value", "include": "after,op"}
//! {"topic": "srv.public.t", "value": {"op": "c", "after": {"id": 1, "v": "y"}}}
//! => {"value": {"after": {"id": 1, "v": "y"}, "op": "c"}, "types": {"value": "struct srv.public.t.Envelope"}}
//! ```
//!
//! Must not know: headers, topics.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use record::{Payload, View};
use settings::{Check, Def, Finding, Key, Properties, Severity};

use crate::TransformError;
use crate::connect_options::{self, NAMES, Options, REPLACE_NULL};
use crate::half::Half;
use crate::options::java_split;
use crate::requirements::{check_names, or_default, rebuilt, struct_of};
use crate::reshape::{Reshape, Reshaped};
use crate::structs::check_put;
use crate::table::Kind;

const KEYS: &[Key] = &[
    Key::new("exclude", settings::Kind::List)
        .default("")
        .checks(&[NAMES])
        .doc("Fields to drop. They are dropped even if include names them too."),
    Key::new("include", settings::Kind::List)
        .default("")
        .checks(&[NAMES])
        .doc("The only fields to keep. Empty: all are kept."),
    Key::new("renames", settings::Kind::List)
        .default("")
        .checks(&[Check::Own(|asked| renames(asked.value.unwrap_or_default()).err().into_iter().collect())])
        .doc("Old and new names of fields, old:new, with commas between."),
    REPLACE_NULL,
];

/// The row of `ReplaceField$Key` in the table.
pub(crate) const KEY: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.ReplaceField$Key",
    summary: "Drops and renames fields of the key.",
    make: |properties| Ok(Box::new(Reshaped::new(Half::Key, ReplaceField::new(properties)))),
    ..VALUE
};

/// The row of `ReplaceField$Value` in the table.
pub(crate) const VALUE: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.ReplaceField$Value",
    module: module_path!(),
    summary: "Drops and renames fields of the value.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(Reshaped::new(Half::Value, ReplaceField::new(properties)))),
    remarks,
};

/// Old names of options, which once hid fields and now hide nothing.
fn remarks(properties: &Properties) -> Vec<Finding> {
    let old = [("blacklist", "exclude"), ("whitelist", "include")];
    let set = old.into_iter().filter(|(name, _)| properties.get(name).is_some());
    set.map(|(name, now)| Finding {
        key: name.to_owned(),
        severity: Severity::Warning,
        reason: "Kafka Connect 4 removed this option, so it has no effect: no field is dropped because of it, and what it was \
                 meant to hide is published."
            .to_owned(),
        remedy: format!("Use {now}."),
    })
    .collect()
}

/// The old and the new name in `old:new`.
fn pair(item: &str) -> Option<(&str, &str)> {
    match java_split(item, ':')[..] {
        [old, new] => Some((old, new)),
        _ => None,
    }
}

/// The pairs of old and new names, or Connect's message.
fn renames(list: &str) -> Result<Vec<(&str, &str)>, String> {
    let items = connect_options::split(list);
    let wrong = items.iter().find(|item| pair(item).is_none());
    if let Some(wrong) = wrong {
        let list = connect_options::shown(&items);
        return Err(format!("Invalid value {list} for configuration renames: Invalid rename mapping: {wrong}"));
    }
    Ok(items.into_iter().filter_map(pair).collect())
}

/// Puts the pairs into the order in which a Java `HashMap` with their first texts as keys goes through them.
fn order_as_java(pairs: &mut Vec<(&str, &str)>) {
    let mut last: Vec<(&str, &str)> = Vec::new();
    for pair in pairs.iter() {
        match last.iter_mut().find(|(old, _)| *old == pair.0) {
            Some(known) => *known = *pair,
            None => last.push(*pair),
        }
    }
    // A map of 16 places doubles when it is three quarters full.
    let mut places = 16;
    while last.len() * 4 > places * 3 {
        places *= 2;
    }
    let place = |text: &str| {
        let hash = text.encode_utf16().fold(0_u32, |hash, unit| hash.wrapping_mul(31).wrapping_add(u32::from(unit)));
        (hash ^ (hash >> 16)) as usize & (places - 1)
    };
    last.sort_by_key(|(old, _)| place(old));
    *pairs = last;
}

#[derive(Debug)]
struct ReplaceField {
    exclude: HashSet<String>,
    include: HashSet<String>,
    /// New names by old ones.
    renames: HashMap<String, Arc<str>>,
    /// Old names by new ones.
    old: HashMap<Arc<str>, String>,
    replace_null: bool,
}

impl ReplaceField {
    fn new(properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        let set = |name| options.list(name).into_iter().map(str::to_owned).collect();
        let mut pairs = renames(options.text("renames").unwrap_or_default()).unwrap_or_default();
        // Of two old names of one new name, the last in the order of a Java map counts.
        order_as_java(&mut pairs);
        Self {
            exclude: set("exclude"),
            include: set("include"),
            renames: pairs.iter().map(|(old, new)| ((*old).to_owned(), Arc::from(*new))).collect(),
            old: pairs.iter().map(|(old, new)| (Arc::from(*new), (*old).to_owned())).collect(),
            replace_null: options.replace_null(),
        }
    }

    fn keeps(&self, name: &str) -> bool {
        !self.exclude.contains(name) && (self.include.is_empty() || self.include.contains(name))
    }
}

impl Reshape for ReplaceField {
    fn view(&self, payload: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let whole = struct_of(payload, "field replacement")?;
        let renamed = |name: Arc<str>| self.renames.get(&*name).cloned().unwrap_or(name);
        let kept = whole.fields().filter(|(name, _)| self.keeps(name));
        let kept: Vec<_> = kept.map(|(name, field)| (renamed(name), field)).collect();
        check_names(kept.iter().map(|(name, _)| &**name))?;
        let mut fields = Vec::with_capacity(kept.len());
        for (name, field) in kept {
            // As in Connect, the value is looked up by the old name that belongs to the new one. Usually that is this field.
            // It is another one, or none, where a field already has the new name of another.
            let Some(old) = self.old.get(&name) else {
                fields.push((name, or_default(field, self.replace_null)));
                continue;
            };
            let mut found = whole.field(old).ok_or_else(|| TransformError::no_field(old))?;
            check_put(&name, &field.schema, &found.schema)?;
            found = or_default(found, self.replace_null);
            found.schema = field.schema;
            fields.push((name, found));
        }
        Ok(View::of(rebuilt(&whole.schema, fields)?, payload.slots()))
    }
}
