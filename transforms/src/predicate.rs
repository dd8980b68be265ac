//! Predicates: they decide which records a transform is applied to.
//!
//! Must not know: transforms.

use record::Record;
use settings::{Asked, Check, Def, Invalid, JavaRegex, Key, Properties, ReplaceError};

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
    /// The keys of the predicate.
    pub keys: Def,
    make: fn(&Properties) -> Result<Predicate, Vec<Invalid>>,
}

fn regex(asked: &Asked<'_>) -> Vec<String> {
    if asked.value.is_none() {
        return vec![crate::table::missing_regex(asked.name)];
    }
    let bad = asked.value.and_then(|text| JavaRegex::new_case_sensitive(text).err().map(|error| (text, error)));
    let words = |(text, error)| {
        let key = asked.name;
        format!("Invalid value {text} for configuration {key}: Invalid regex: {error}")
    };
    bad.map(words).into_iter().collect()
}

const TOPIC: &[Key] = &[Key::new("pattern", settings::Kind::String)
    .required()
    .checks(&[Check::Own(regex)])
    .doc("A Java regex that the whole topic name must match.")];

const HEADER: &[Key] =
    &[Key::new("name", settings::Kind::String).required().checks(&[Check::NonEmpty]).doc("The name of the header.")];

/// Every predicate that a config can name.
pub static PREDICATES: &[PredicateKind] = &[
    PredicateKind {
        class: "org.apache.kafka.connect.transforms.predicates.HasHeaderKey",
        keys: Def::new(&[HEADER]),
        make: |properties| Ok(Predicate::HasHeaderKey(properties.get("name").unwrap_or_default().to_owned())),
    },
    PredicateKind {
        class: "org.apache.kafka.connect.transforms.predicates.RecordIsTombstone",
        keys: Def::new(&[]),
        make: |_| Ok(Predicate::RecordIsTombstone),
    },
    PredicateKind {
        class: "org.apache.kafka.connect.transforms.predicates.TopicNameMatches",
        keys: Def::new(&[TOPIC]),
        make: |properties| {
            let pattern = properties.get("pattern").unwrap_or_default();
            let regex = JavaRegex::new_case_sensitive(pattern);
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
