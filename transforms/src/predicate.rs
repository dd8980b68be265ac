//! Predicates: they decide which records a transform is applied to.
//!
//! Must not know: transforms.

use record::Record;
use settings::{Check, Def, Invalid, JavaRegex, Key, Properties, ReplaceError};

use crate::TransformError;

/// A configured predicate.
#[derive(Clone, Debug)]
pub enum Predicate {
    /// The regex matches the whole topic name.
    TopicNameMatches(JavaRegex),
    /// The record has a header of this name.
    HasHeaderKey(String),
    /// The record's value is null, with or without a schema.
    RecordIsTombstone,
}

impl Predicate {
    /// Whether the record satisfies the predicate.
    ///
    /// # Errors
    /// When the regex engine gives up.
    pub fn test(&self, record: &Record<'_>) -> Result<bool, TransformError> {
        Ok(match self {
            Self::TopicNameMatches(regex) => {
                regex.matches(&record.topic).map_err(|_| ReplaceError::Backtracking(regex.as_str().to_owned()))?
            }
            Self::HasHeaderKey(name) => record.headers.find(name).is_some(),
            Self::RecordIsTombstone => record.value.is_null(),
        })
    }
}

/// A predicate class: one row of [`PREDICATES`].
#[derive(Clone, Copy, Debug)]
pub struct PredicateKind {
    /// The Java class name.
    pub class: &'static str,
    /// When the predicate holds, in one sentence.
    pub summary: &'static str,
    /// The keys of the predicate.
    pub keys: Def,
    make: fn(&Properties) -> Result<Predicate, Vec<Invalid>>,
}

/// The value of a text, trimmed as by Kafka's `ConfigDef`.
fn text<'a>(properties: &'a Properties, name: &str) -> &'a str {
    properties.get(name).unwrap_or_default().trim()
}

const TOPIC: &[Key] = &[Key::new("pattern", settings::Kind::String)
    .required()
    .checks(&[crate::table::REGEX])
    .doc("Java regex that the whole name of the record's topic must match.")];

const HEADER: &[Key] = &[Key::new("name", settings::Kind::String)
    .required()
    .checks(&[Check::NonEmpty])
    .doc("Name of the header that a record must have.")];

/// Every predicate that a config can name.
pub static PREDICATES: &[PredicateKind] = &[
    PredicateKind {
        class: "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        summary: "Holds for records that have a header of a given name.",
        keys: Def::new(&[HEADER]),
        make: |properties| Ok(Predicate::HasHeaderKey(text(properties, "name").to_owned())),
    },
    PredicateKind {
        class: "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        summary: "Holds for records whose value is null.",
        keys: Def::new(&[]),
        make: |_| Ok(Predicate::RecordIsTombstone),
    },
    PredicateKind {
        class: "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        summary: "Holds for records whose topic a regex matches as a whole.",
        keys: Def::new(&[TOPIC]),
        make: |properties| {
            let regex = JavaRegex::new_case_sensitive(text(properties, "pattern"));
            regex.map(Predicate::TopicNameMatches).map_err(|error| vec![Invalid::new("pattern", error.to_string())])
        },
    },
];

impl PredicateKind {
    /// Finds a predicate by its Java class name, its simple name, or its simple name without `Predicate`.
    pub fn find(class: &str) -> Option<&'static Self> {
        PREDICATES.iter().find(|kind| settings::names_class(class, kind.class, &["Predicate"]))
    }

    /// Makes the predicate from its own properties (without `predicates.NAME.`).
    ///
    /// # Errors
    /// All complaints about the properties.
    pub fn create(&self, properties: &Properties) -> Result<Predicate, Vec<Invalid>> {
        let complaints = self.keys.complaints(properties);
        if complaints.is_empty() { (self.make)(properties) } else { Err(complaints) }
    }
}

#[cfg(test)]
mod tests {
    use record::{Headers, Payload};

    use super::*;

    /// Kafka's `ConfigDef` trims texts before a predicate gets them.
    #[test]
    fn blanks_around_a_text_do_not_count() {
        #[track_caller]
        fn make(class: &str, key: &str, value: &str) -> Result<Predicate, Vec<Invalid>> {
            PredicateKind::find(class).unwrap().create(&[(key, value)].into_iter().collect())
        }
        for pattern in ["a\\.b", " a\\.b", "a\\.b \n"] {
            let record = Record {
                topic: "a.b".into(),
                partition: None,
                timestamp_ms: None,
                key: Payload::Null,
                value: Payload::Null,
                headers: Headers::default(),
            };
            assert_eq!(make("TopicNameMatches", "pattern", pattern).unwrap().test(&record), Ok(true), "{pattern:?}");
        }
        match make("HasHeaderKey", "name", " h\t").unwrap() {
            Predicate::HasHeaderKey(name) => assert_eq!(name, "h"),
            other => panic!("{other:?}"),
        }
        let wrong = make("TopicNameMatches", "pattern", "a(").unwrap_err();
        assert!(wrong[0].message.contains("Invalid regex"), "{wrong:?}");
    }
}
