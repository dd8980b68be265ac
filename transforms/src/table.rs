//! Which transforms there are.
//!
//! Must not know: chains.

use settings::{Check, Def, Finding, Invalid, Properties, names_class};

use crate::{ExtractNewRecordState, RegexRouter, Transform, extract_new_record_state, regex_router};

type Made = Result<Box<dyn Transform>, Vec<Invalid>>;

/// A transform class.
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The Java class name.
    pub class: &'static str,
    /// Its keys.
    pub keys: Def,
    make: fn(&Properties) -> Made,
    warnings: fn(&Properties) -> Vec<Finding>,
}

fn boxed<T: Transform + 'static>(made: Result<T, Vec<Invalid>>) -> Made {
    made.map(|transform| Box::new(transform) as Box<dyn Transform>)
}

/// Every transform.
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

/// Finds a transform by its class name or an alias of it.
pub fn find(class: &str) -> Option<&'static Kind> {
    ALL.iter().find(|kind| names_class(class, kind.class, &["Transformation"]))
}

impl Kind {
    /// Makes it from its own properties (without `transforms.NAME.`).
    ///
    /// # Errors
    /// With all complaints.
    pub fn create(&self, properties: &Properties) -> Result<Box<dyn Transform>, Vec<Invalid>> {
        (self.make)(properties)
    }

    /// What a person should know though nothing is refused: options that were removed or that nobody knows.
    pub fn warnings(&self, properties: &Properties) -> Vec<Finding> {
        (self.warnings)(properties)
    }
}

/// What Connect adds where the regex is not given: its check is run all the same.
pub(crate) fn missing_regex(key: &str) -> String {
    format!(
        "Invalid value null for configuration {key}: Invalid regex: Cannot invoke \"String.isEmpty()\" because \"this.pattern\" \
         is null"
    )
}

/// A check that a text is a Java regex, in the words of `ConfigDef`.
pub(crate) const REGEX: Check = Check::Own(|asked| {
    let key = asked.name;
    let Some(text) = asked.value else { return vec![missing_regex(key)] };
    let error = settings::JavaRegex::new_case_sensitive(text).err();
    error
        .map(|error| format!("Invalid value {text} for configuration {key}: Invalid regex: {error}"))
        .into_iter()
        .collect()
});
