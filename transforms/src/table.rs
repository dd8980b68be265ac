//! The table of all transforms.
//!
//! Must not know: chains.

use settings::{Check, Def, Finding, Invalid, Properties, names_class};

use crate::error::Refusal;
use crate::{
    Transform, by_logical_table_router, cast, drop_headers, event_router, extract_changed_record_state, extract_field,
    extract_new_record_state, extract_schema_to_new_record, filter, flatten, header_from, header_to_value, hoist_field,
    insert_field, insert_header, mask_field, partition_routing, regex_router, replace_field,
    schema_change_event_filter, set_schema_metadata, timestamp_converter, timestamp_router, value_to_key,
};

/// What making a transform gives: the transform, or all refusals.
pub(crate) type Made = Result<Box<dyn Transform>, Vec<Refusal>>;

/// A transform class: one row of [`ALL`].
#[derive(Clone, Copy, Debug)]
pub struct Kind {
    /// The Java class name.
    pub class: &'static str,
    /// Path of the module in which the transform stands (`module_path!()`): its documentation has the examples.
    pub module: &'static str,
    /// What the transform does, in one sentence.
    pub summary: &'static str,
    /// The keys of the transform.
    pub keys: Def,
    /// Makes the transform from its own properties (without `transforms.NAME.`), which have passed the checks of `keys`.
    pub(crate) make: fn(&Properties) -> Made,
    /// Remarks on properties that are accepted but have no effect, such as options that a release removed.
    pub(crate) remarks: fn(&Properties) -> Vec<Finding>,
}

/// No remarks.
pub(crate) fn no_remarks(_: &Properties) -> Vec<Finding> {
    Vec::new()
}

/// Every transform that a config can name, in the order of the class names.
pub static ALL: &[Kind] = &[
    by_logical_table_router::KIND,
    extract_changed_record_state::KIND,
    extract_new_record_state::KIND,
    extract_schema_to_new_record::KIND,
    header_to_value::KIND,
    schema_change_event_filter::KIND,
    event_router::KIND,
    partition_routing::KIND,
    cast::KEY,
    cast::VALUE,
    drop_headers::KIND,
    extract_field::KEY,
    extract_field::VALUE,
    filter::KIND,
    flatten::KEY,
    flatten::VALUE,
    header_from::KEY,
    header_from::VALUE,
    hoist_field::KEY,
    hoist_field::VALUE,
    insert_field::KEY,
    insert_field::VALUE,
    insert_header::KIND,
    mask_field::KEY,
    mask_field::VALUE,
    regex_router::KIND,
    replace_field::KEY,
    replace_field::VALUE,
    set_schema_metadata::KEY,
    set_schema_metadata::VALUE,
    timestamp_converter::KEY,
    timestamp_converter::VALUE,
    timestamp_router::KIND,
    value_to_key::KIND,
];

/// Finds a transform by its Java class name, its simple name, or its simple name without `Transformation`. Of several,
/// Kafka's own is meant: a worker without further plug-ins has only that one.
pub fn find(class: &str) -> Option<&'static Kind> {
    let mut named = ALL.iter().filter(|kind| names_class(class, kind.class, &["Transformation"]));
    let first = named.next();
    named.find(|kind| kind.class.starts_with("org.apache.kafka.")).or(first)
}

/// Kafka Connect's message for a class that only stands for others: the class around `NAME$Key` and `NAME$Value`.
pub fn abstract_class(class: &str) -> Option<String> {
    let is_inner = |kind: &&Kind| kind.class.strip_prefix(class).is_some_and(|rest| rest.starts_with('$'));
    let inner: Vec<&str> = ALL.iter().filter(is_inner).map(|kind| kind.class).collect();
    let names = inner.join(", ");
    (!inner.is_empty()).then(|| format!("This class is abstract and cannot be created. Did you mean {names}?"))
}

impl Kind {
    /// Makes the transform from its own properties (without `transforms.NAME.`).
    ///
    /// # Errors
    /// All refusals of the properties.
    pub fn create(&self, properties: &Properties) -> Result<Box<dyn Transform>, Vec<Refusal>> {
        let complaints: Vec<Invalid> = self.keys.complaints(properties);
        if !complaints.is_empty() {
            return Err(crate::error::refusals(complaints));
        }
        (self.make)(properties)
    }

    /// Remarks on properties that are accepted but have no effect, such as options that Debezium removed.
    pub fn warnings(&self, properties: &Properties) -> Vec<Finding> {
        (self.remarks)(properties)
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
