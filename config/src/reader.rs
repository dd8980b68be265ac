//! Reads typed values from a config.
//!
//! [`Reader::new`] runs all checks first. Where a value is bad, a typed getter can therefore simply return the default:
//! the complaint is already recorded, and [`Reader::finish`] returns all complaints.
//!
//! Must not know: which keys exist, beyond the table that it is given.

use std::time::Duration;

use crate::connect::split_list;
use crate::debezium::effective;
use crate::{Choice, Def, Finding, Invalid, JavaRegex, Key, Kind, Properties, Secret, Severity, Style, debezium};

/// Reads typed values against a [`Def`] and keeps every complaint.
#[derive(Debug)]
pub struct Reader<'a> {
    def: Def,
    properties: &'a Properties,
    complaints: Vec<Invalid>,
    findings: Vec<Finding>,
    /// Lenient keys whose value cannot be parsed.
    bad: Vec<&'static str>,
}

impl<'a> Reader<'a> {
    /// Runs all checks of `def` on `properties`, and returns a reader that holds the complaints.
    pub fn new(def: Def, properties: &'a Properties) -> Self {
        let complaints = def.complaints(properties);
        let mut reader = Self { def, properties, complaints, findings: Vec::new(), bad: Vec::new() };
        for key in def.keys().filter(|key| key.lenient) {
            reader.remark(key);
        }
        reader
    }

    /// Adds a warning if the lenient `key` has a bad value; the getters then return its default.
    fn remark(&mut self, key: &'static Key) {
        if let Some(first) = debezium::complaints(key, self.properties).into_iter().next() {
            let default = key.default.unwrap_or("not set");
            self.bad.push(key.name);
            self.findings.push(Finding {
                key: key.name.to_owned(),
                severity: Severity::Warning,
                reason: format!("{}; the default ({default}) is used instead.", first.message),
                remedy: "Correct the value or remove the key.".to_owned(),
            });
        }
    }

    /// The config that this reader reads.
    pub fn properties(&self) -> &'a Properties {
        self.properties
    }

    /// Refuses a key's value, as Debezium words it.
    pub fn refuse(&mut self, key: &str, problem: &str) {
        self.complain(Invalid::new(key, format!("The '{key}' value is invalid: {problem}")));
    }

    /// Adds a complaint of the caller's own.
    pub fn complain(&mut self, invalid: Invalid) {
        self.complaints.push(invalid);
    }

    /// The remarks so far.
    pub fn findings(&self) -> &[Finding] {
        &self.findings
    }

    /// Adds a remark of the caller's own.
    pub fn find(&mut self, finding: Finding) {
        self.findings.push(finding);
    }

    /// The text of `name`, or its default when the key is not set or its value was refused; `None` without a default.
    fn raw(&mut self, name: &str) -> Option<&'a str> {
        let Some(key) = self.def.get(name) else {
            debug_assert!(false, "{name} is read but in no table");
            self.complaints.push(Invalid::new(name, format!("The '{name}' value is invalid: the key is in no table")));
            return None;
        };
        let bad =
            if key.lenient { self.bad.contains(&key.name) } else { self.complaints.iter().any(|c| c.key == name) };
        if bad { key.default } else { effective(key, self.properties) }
    }

    /// Parses the text of `name`. A text that passed all checks but does not fit the type that the getter asks for
    /// earns a complaint here.
    fn parsed<T>(&mut self, name: &str, what: &str, parse: impl Fn(&str) -> Option<T>) -> Option<T> {
        let text = self.raw(name)?;
        let value = parse(text);
        if value.is_none() {
            let connect = self.def.get(name).is_some_and(|key| key.style == Style::Connect);
            let message = if connect {
                format!("Invalid value {text} for configuration {name}: {what}")
            } else {
                debezium::message(name, what)
            };
            self.complaints.push(Invalid::new(name, message));
        }
        value
    }

    /// Whether the config sets `name` (older names do not count).
    pub fn is_set(&self, name: &str) -> bool {
        self.properties.get(name).is_some()
    }

    /// A boolean; `false` without a default.
    pub fn boolean(&mut self, name: &str) -> bool {
        self.parsed(name, "Either 'true' or 'false' is expected", |t| {
            let t = t.trim();
            if t.eq_ignore_ascii_case("true") {
                Some(true)
            } else if t.eq_ignore_ascii_case("false") {
                Some(false)
            } else {
                None
            }
        })
        .unwrap_or(false)
    }

    /// A 64-bit integer; 0 without a default.
    pub fn long(&mut self, name: &str) -> i64 {
        self.long_or_none(name).unwrap_or(0)
    }

    /// A 64-bit integer that may be absent.
    pub fn long_or_none(&mut self, name: &str) -> Option<i64> {
        self.parsed(name, "A long value is expected", |t| t.trim().parse().ok())
    }

    /// A 32-bit integer; 0 without a default.
    pub fn int(&mut self, name: &str) -> i32 {
        self.int_or_none(name).unwrap_or(0)
    }

    /// A 32-bit integer that may be absent.
    pub fn int_or_none(&mut self, name: &str) -> Option<i32> {
        self.parsed(name, "An integer is expected", |t| t.trim().parse().ok())
    }

    /// A number that counts things; 0 when it is negative.
    pub fn count(&mut self, name: &str) -> usize {
        usize::try_from(self.long(name)).unwrap_or(0)
    }

    /// A duration in milliseconds; zero when the number is negative.
    pub fn millis(&mut self, name: &str) -> Duration {
        Duration::from_millis(u64::try_from(self.long(name)).unwrap_or(0))
    }

    /// A text that may be absent.
    pub fn text_or_none(&mut self, name: &str) -> Option<String> {
        self.raw(name).map(str::to_owned)
    }

    /// A text; empty without a default.
    pub fn text(&mut self, name: &str) -> String {
        self.text_or_none(name).unwrap_or_default()
    }

    /// The items between commas; empty items are dropped.
    pub fn list(&mut self, name: &str) -> Vec<String> {
        let items = self.raw(name).map(split_list).unwrap_or_default();
        items.into_iter().filter(|item| !item.is_empty()).collect()
    }

    /// A list of regexes as the user wrote them, without those that do not compile (each of these is a complaint).
    pub fn regex_texts(&mut self, name: &str) -> Vec<String> {
        self.regexes(name).iter().map(|r| r.as_str().to_owned()).collect()
    }

    /// A list of compiled regexes.
    pub fn regexes(&mut self, name: &str) -> Vec<JavaRegex> {
        let Some(text) = self.raw(name) else { return Vec::new() };
        let mut regexes = Vec::new();
        for item in crate::split_regex_list(text) {
            match JavaRegex::new(&item) {
                Ok(regex) => regexes.push(regex),
                Err(e) => {
                    let problem = format!("A comma-separated list of valid regular expressions is expected, but {e}");
                    self.complaints.push(Invalid::new(name, debezium::message(name, &problem)));
                }
            }
        }
        regexes
    }

    /// An enumerated value that may be absent.
    fn choice_or_none<T: Choice>(&mut self, name: &str) -> Option<T> {
        let values = T::NAMES.iter().map(|&(n, _)| n).collect::<Vec<_>>().join(", ");
        self.parsed(name, &format!("Value must be one of {values}"), T::from_name)
    }

    /// An enumerated value; `otherwise` when the key is absent or its value was refused, and it has no default.
    pub fn choice<T: Choice>(&mut self, name: &str, otherwise: T) -> T {
        self.choice_or_none(name).unwrap_or(otherwise)
    }

    /// A password; `None` when it is absent and has no default.
    pub fn secret(&mut self, name: &str) -> Option<Secret> {
        debug_assert!(self.def.get(name).is_none_or(|key| key.kind == Kind::Password), "{name} is no PASSWORD");
        self.raw(name).map(Secret::new)
    }

    /// Returns `value` and the remarks when there are no complaints, otherwise all complaints in the order of the
    /// checks.
    pub fn finish<T>(self, value: T) -> Result<(T, Vec<Finding>), Vec<Invalid>> {
        if self.complaints.is_empty() { Ok((value, self.findings)) } else { Err(self.complaints) }
    }
}
