//! The table of all transforms.
//!
//! Must not know: chains.

use settings::{Check, Def, Finding, Invalid, Properties, names_class};

use crate::{ExtractNewRecordState, RegexRouter, Transform, extract_new_record_state, regex_router};

type Made = Result<Box<dyn Transform>, Vec<Invalid>>;

/// A transform class: one row of [`ALL`].
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The Java class name.
    pub class: &'static str,
    /// The keys of the transform.
    pub keys: Def,
    make: fn(&Properties) -> Made,
    warnings: fn(&Properties) -> Vec<Finding>,
}

fn boxed<T: Transform + 'static>(made: Result<T, Vec<Invalid>>) -> Made {
    made.map(|transform| Box::new(transform) as Box<dyn Transform>)
}

/// Every transform that a config can name.
pub static ALL: &[Kind] = &[
    Kind {
        class: "io.debezium.transforms.ExtractNewRecordState",
        keys: extract_new_record_state::DEF,
        make: |properties| boxed(ExtractNewRecordState::new(properties)),
        warnings: extract_new_record_state::warnings,
    },
    Kind {
        class: "org.apache.kafka.connect.transforms.RegexRouter",
        keys: regex_router::DEF,
        make: |properties| boxed(RegexRouter::new(properties)),
        warnings: |_| Vec::new(),
    },
];

/// Finds a transform by its Java class name, its simple name, or its simple name without `Transformation`.
pub fn find(class: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| names_class(class, kind.class, &["Transformation"]))
}

impl Kind {
    /// Makes the transform from its own properties (without `transforms.NAME.`).
    ///
    /// # Errors
    /// All complaints about the properties.
    pub fn create(&self, properties: &Properties) -> Result<Box<dyn Transform>, Vec<Invalid>> {
        (self.make)(properties)
    }

    /// Remarks on properties that are accepted but have no effect, such as options that Debezium removed.
    pub fn warnings(&self, properties: &Properties) -> Vec<Finding> {
        (self.warnings)(properties)
    }
}

/// The message that Connect adds when a regex is missing, because its validator runs on the null too.
fn missing_regex(key: &str) -> String {
    format!(
        "Invalid value null for configuration {key}: Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" \
         is null"
    )
}

/// Checks that a text is a Java regex, with the message of Kafka's `ConfigDef`.
pub(crate) const REGEX: Check = Check::Own(|asked| {
    let key = asked.name;
    let Some(text) = asked.value else { return vec![missing_regex(key)] };
    let error = settings::JavaRegex::new_case_sensitive(text).err();
    error
        .map(|error| format!("Invalid value {text} for configuration {key}: Invalid regex: {error}"))
        .into_iter()
        .collect()
});
