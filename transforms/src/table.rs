//! The table of all transforms.
//!
//! Must not know: chains.

use settings::{Check, Def, Finding, Invalid, Properties, Severity, names_class};

use crate::error::Refusal;
use crate::{
    Transform, activate_tracing_span, by_logical_table_router, cast, content_based_router, decode_logical_message,
    drop_headers, enforce_record_size, event_router, extract_changed_record_state, extract_field,
    extract_new_record_state, extract_schema_to_new_record, filter, flatten, geometry, header_from, header_to_value,
    hoist_field, insert_field, insert_header, mask_field, naming, open_lineage, partition_routing,
    read_to_insert_event, regex_router, replace_field, schema_change_event_filter, script_filter, set_schema_metadata,
    timescale_db, timestamp_converter, timestamp_router, timezone_converter, value_to_key, vector_to_json,
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

/// What every transform has, whatever its class.
const EVERY: &[&str] = &["type", "plugin.version", "predicate", "negate"];

/// No remarks.
pub(crate) fn no_remarks(_: &Properties) -> Vec<Finding> {
    Vec::new()
}

/// Every transform that a config can name, in the order of the class names.
pub static ALL: &[Kind] = &[
    naming::collection::KIND,
    naming::field::KIND,
    read_to_insert_event::KIND,
    decode_logical_message::KIND,
    timescale_db::KIND,
    by_logical_table_router::KIND,
    content_based_router::KIND,
    enforce_record_size::KIND,
    extract_changed_record_state::KIND,
    extract_new_record_state::KIND,
    extract_schema_to_new_record::KIND,
    script_filter::KIND,
    geometry::format::KIND,
    header_to_value::KIND,
    schema_change_event_filter::KIND,
    geometry::swap::KIND,
    timezone_converter::KIND,
    vector_to_json::KIND,
    open_lineage::KIND,
    event_router::KIND,
    partition_routing::KIND,
    activate_tracing_span::KIND,
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

    /// Remarks on properties that are accepted but have no effect: options that Debezium removed, and names that are no
    /// options of this class at all.
    pub fn warnings(&self, properties: &Properties) -> Vec<Finding> {
        let mut findings = (self.remarks)(properties);
        for (key, _) in properties.iter() {
            let is_known = EVERY.contains(&key) || self.keys.find(key).is_some();
            if !is_known && findings.iter().all(|finding| finding.key != key) {
                findings.push(Finding {
                    key: key.to_owned(),
                    severity: Severity::Warning,
                    reason: format!("{} has no such option; it has no effect.", self.class),
                    remedy: "Look for a misspelling, or remove it.".to_owned(),
                });
            }
        }
        findings
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_are_no_options() {
        let kind = find("io.debezium.transforms.ExtractNewRecordState").unwrap();
        let warnings = |names: &[&str]| {
            let found = kind.warnings(&names.iter().map(|name| (*name, "x")).collect());
            found.into_iter().map(|finding| finding.to_string()).collect::<Vec<_>>()
        };
        assert_eq!(warnings(&["type", "predicate", "negate", "plugin.version", "add.fields"]), [""; 0]);
        assert_eq!(
            warnings(&["add.field"]),
            [
                "add.field: io.debezium.transforms.ExtractNewRecordState has no such option; it has no effect. Look for a misspelling, \
              or remove it."
            ]
        );
        // What a release removed is remarked on once.
        assert_eq!(warnings(&["operation.header"]).len(), 1);
        for kind in ALL {
            let own = kind.keys.keys().map(|key| (key.name, key.default.unwrap_or("x"))).collect();
            let found = kind.warnings(&own);
            assert!(!found.iter().any(|finding| finding.reason.contains("no such option")), "{found:?}");
        }
    }
}
