//! Options as Kafka's `ConfigDef` reads them: texts are trimmed, and lists are checked.
//!
//! Must not know: any transform.

use settings::{Asked, Check, Key, Properties};

/// The option that most transforms have which copy structs.
pub(crate) const REPLACE_NULL: Key = Key::new("replace.null.with.default", settings::Kind::Boolean)
    .default("true")
    .doc("Whether a null becomes the default of its field, if the field has one.");

/// A list of names that may be empty.
pub(crate) const NAMES: Check = Check::Own(|asked| names(asked, true));

/// A list of at least one name.
pub(crate) const SOME_NAMES: Check = Check::Own(|asked| names(asked, false));

/// The value must be given, and not be null.
pub(crate) const NOT_NULL: Check = Check::Own(|asked| match asked.value {
    Some(_) => Vec::new(),
    None => vec![format!("Invalid value null for configuration {}: entry must be non null", asked.name)],
});

fn names(asked: &Asked<'_>, may_be_empty: bool) -> Vec<String> {
    let key = asked.name;
    let Some(items) = asked.value.map(split) else {
        return vec![format!("Configuration '{key}' values must not be null.")];
    };
    if items.is_empty() && !may_be_empty {
        return vec![format!("Configuration '{key}' must not be empty. Valid values include: any non-empty value")];
    }
    if items.iter().enumerate().any(|(i, item)| items[..i].contains(item)) {
        return vec![format!("Configuration '{key}' values must not be duplicated.")];
    }
    if items.contains(&"") {
        return vec![format!("Configuration '{key}' values must not be empty.")];
    }
    Vec::new()
}

/// The items of a list; a blank text has none.
pub(crate) fn split(text: &str) -> Vec<&str> {
    let text = trimmed(text);
    if text.is_empty() { Vec::new() } else { text.split(',').map(str::trim).collect() }
}

/// The list as Java prints it in messages.
pub(crate) fn shown(items: &[&str]) -> String {
    format!("[{}]", items.join(", "))
}

/// The text without blanks around it, as Java's `trim` does it.
fn trimmed(text: &str) -> &str {
    text.trim_matches(|c| c <= ' ')
}

/// Reads options that have passed the checks of their keys.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Options<'a> {
    keys: &'static [Key],
    properties: &'a Properties,
}

impl<'a> Options<'a> {
    pub(crate) fn new(keys: &'static [Key], properties: &'a Properties) -> Self {
        Self { keys, properties }
    }

    /// The text, else the default, if there is one.
    pub(crate) fn text(self, name: &str) -> Option<&'a str> {
        let default = || self.keys.iter().find(|key| key.name == name).and_then(|key| key.default);
        if self.properties.contains(name) { self.properties.get(name).map(trimmed) } else { default() }
    }

    /// The items of a list.
    pub(crate) fn list(self, name: &str) -> Vec<&'a str> {
        self.text(name).map(split).unwrap_or_default()
    }

    /// Whether the option is true.
    pub(crate) fn flag(self, name: &str) -> bool {
        self.text(name).is_some_and(|text| text.eq_ignore_ascii_case("true"))
    }

    /// Whether nulls become defaults: [`REPLACE_NULL`].
    pub(crate) fn replace_null(self) -> bool {
        self.flag(REPLACE_NULL.name)
    }
}
