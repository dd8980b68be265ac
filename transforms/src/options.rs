//! How Debezium's transforms read their options. Debezium is more lenient than Kafka: a number or a truth value that cannot be
//! parsed counts as not set. What is wrong with an option is said when the task starts, not when the connector is created.
//!
//! Must not know: which transforms there are.

use record::Adjustment;
use settings::{Choice, Finding, JavaRegex, Key, Properties, Severity, Width};

use crate::error::{Refusal, java};

settings::choices! {
    /// How names of schemas or fields are adjusted (`schema.name.adjustment.mode`, `field.name.adjustment.mode`).
    pub(crate) enum Names {
        /// Not at all.
        None = "none",
        /// For Avro.
        Avro = "avro",
        /// For Avro, and so that different names stay different.
        AvroUnicode = "avro_unicode",
    }
}

impl From<Names> for Adjustment {
    fn from(names: Names) -> Self {
        match names {
            Names::None => Self::None,
            Names::Avro => Self::Avro,
            Names::AvroUnicode => Self::AvroUnicode,
        }
    }
}

/// An option as Debezium's transforms list it over REST: in no group, but at position 1.
pub(crate) const fn key(name: &'static str, kind: settings::Kind, title: &'static str, width: Width) -> Key {
    let key = Key::new(name, kind).shown(title, width);
    Key { order_in_group: 1, ..key }
}

/// Reads the options of one transform and keeps what is wrong with them.
#[derive(Debug)]
pub(crate) struct Options<'a> {
    properties: &'a Properties,
    problems: Vec<(&'static str, String)>,
}

impl<'a> Options<'a> {
    pub(crate) fn new(properties: &'a Properties) -> Self {
        Self { properties, problems: Vec::new() }
    }

    /// The value as it is written, blanks included.
    pub(crate) fn text(&self, key: &str) -> Option<&'a str> {
        self.properties.get(key)
    }

    /// A truth value; anything but `true` and `false` counts as not set.
    pub(crate) fn flag(&self, key: &str, default: bool) -> bool {
        match self.text(key).map(|text| text.trim().to_ascii_lowercase()).as_deref() {
            Some("true") => true,
            Some("false") => false,
            _ => default,
        }
    }

    /// The items between commas, without the blanks around them. Empty items at the end do not count, as with Java's
    /// `split`.
    pub(crate) fn list(&self, key: &str) -> Vec<&'a str> {
        self.text(key).map_or(Vec::new(), |text| java_split(text, ',').into_iter().map(str::trim).collect())
    }

    /// The value of a key that must be set; empty, with a problem noted, if it is not or is blank.
    pub(crate) fn required(&mut self, key: &'static str) -> &'a str {
        let text = self.text(key).unwrap_or_default();
        if text.trim().is_empty() {
            self.problem(key, "A value is required");
        }
        text
    }

    /// One of the names of `T`.
    pub(crate) fn choice<T: Choice>(&mut self, key: &'static str, default: T) -> T {
        let Some(text) = self.text(key) else { return default };
        T::from_name(text).unwrap_or_else(|| {
            self.problem(key, one_of::<T>());
            default
        })
    }

    /// One of the names of `T`, which must be set; none, with a problem noted, if it is not.
    pub(crate) fn required_choice<T: Choice>(&mut self, key: &'static str) -> Option<T> {
        let text = self.text(key).unwrap_or_default();
        if text.trim().is_empty() {
            self.problem(key, "A value is required");
            return None;
        }
        let found = T::from_name(text);
        if found.is_none() {
            self.problem(key, one_of::<T>());
        }
        found
    }

    /// Notes a problem if the value is no Java regex.
    pub(crate) fn check_regex(&mut self, key: &'static str) {
        let error = self.text(key).and_then(|text| JavaRegex::new_case_sensitive(text).err());
        if let Some(error) = error {
            self.problem(key, format!("A valid regular expressions is expected, but {error}"));
        }
    }

    /// Notes what is wrong with the value of `key`.
    pub(crate) fn problem(&mut self, key: &'static str, problem: impl Into<String>) {
        self.problems.push((key, problem.into()));
    }

    /// All problems, in the words of those transforms of Debezium that refuse one option at a time.
    pub(crate) fn each_refused(self) -> Result<(), Vec<Refusal>> {
        let refusal = |(key, problem): &(&'static str, String)| {
            let value = self.text(key).unwrap_or("null");
            let message =
                format!("Invalid value {value} for configuration {key}: The '{key}' value is invalid: {problem}");
            Refusal::new(java::CONFIG, key, message)
        };
        let refusals: Vec<Refusal> = self.problems.iter().map(refusal).collect();
        if refusals.is_empty() { Ok(()) } else { Err(refusals) }
    }

    /// All problems, in the words of those transforms of Debezium that refuse their options as a whole with an exception of
    /// `class`, and write to the log what is wrong. Here the message says it too.
    pub(crate) fn refused_as_a_whole(self, class: &'static str) -> Result<(), Vec<Refusal>> {
        let refusal = |(key, problem): &(&'static str, String)| {
            let value = self.text(key).map_or(String::new(), |text| format!("'{text}' "));
            let message = format!("Unable to validate config. The '{key}' value {value}is invalid: {problem}");
            Refusal::new(class, key, message)
        };
        let refusals: Vec<Refusal> = self.problems.iter().map(refusal).collect();
        if refusals.is_empty() { Ok(()) } else { Err(refusals) }
    }
}

/// The remark on an option that a release of Debezium removed.
pub(crate) fn removed(key: &str, remedy: impl Into<String>) -> Finding {
    Finding {
        key: key.to_owned(),
        severity: Severity::Warning,
        reason: "This option was removed and has no effect.".to_owned(),
        remedy: remedy.into(),
    }
}

fn one_of<T: Choice>() -> String {
    let names: Vec<&str> = T::NAMES.iter().map(|(name, _)| *name).collect();
    format!("Value must be one of {}", names.join(", "))
}

/// Splits as Java's `String.split` does: empty parts at the end are left out, but an empty text has one empty part.
pub(crate) fn java_split(text: &str, at: char) -> Vec<&str> {
    let mut parts: Vec<&str> = text.split(at).collect();
    if text.is_empty() {
        return parts;
    }
    while parts.last().is_some_and(|last| last.is_empty()) {
        parts.pop();
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    settings::choices! {
        /// For the tests.
        enum Colour {
            /// Red.
            Red = "red",
            /// Blue.
            Blue = "blue",
        }
    }

    #[test]
    fn lists_and_flags() {
        let check = |text: &str, list: &[&str], flag: bool| {
            let properties = [("k", text)].into_iter().collect();
            let options = Options::new(&properties);
            assert_eq!((options.list("k"), options.flag("k", true)), (list.to_vec(), flag), "{text:?}");
        };
        check("a , b", &["a", "b"], true);
        check(",a,,b,, ", &["", "a", "", "b", "", ""], true);
        check("a,,", &["a"], true);
        check("", &[""], true);
        check(",", &[], true);
        check(" False ", &["False"], false);
        check("TRUE", &["TRUE"], true);
        check("no", &["no"], true);
    }

    #[test]
    fn problems() {
        let properties = [("r", "("), ("c", "green"), ("b", " ")].into_iter().collect();
        let noted = || {
            let mut options = Options::new(&properties);
            options.required("none");
            options.required("b");
            options.check_regex("r");
            assert_eq!(options.choice("c", Colour::Blue), Colour::Blue);
            assert_eq!(options.required_choice::<Colour>("c"), None);
            options
        };
        let texts = |refused: Result<(), Vec<Refusal>>| {
            let texts: Vec<String> = refused.unwrap_err().iter().map(ToString::to_string).collect();
            texts
        };
        let regex = "A valid regular expressions is expected, but Unclosed group near index 1\n(";
        let colours = "Value must be one of red, blue";
        assert_eq!(
            texts(noted().each_refused()),
            [
                "Invalid value null for configuration none: The 'none' value is invalid: A value is required"
                    .to_owned(),
                "Invalid value   for configuration b: The 'b' value is invalid: A value is required".to_owned(),
                format!("Invalid value ( for configuration r: The 'r' value is invalid: {regex}"),
                format!("Invalid value green for configuration c: The 'c' value is invalid: {colours}"),
                format!("Invalid value green for configuration c: The 'c' value is invalid: {colours}"),
            ]
        );
        let whole = texts(noted().refused_as_a_whole(java::CONNECT));
        assert_eq!(whole[0], "Unable to validate config. The 'none' value is invalid: A value is required");
        assert_eq!(whole[3], format!("Unable to validate config. The 'c' value 'green' is invalid: {colours}"));
    }
}
