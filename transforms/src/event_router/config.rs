//! The options of the outbox router.
//!
//! Must not know: records.

use settings::{Finding, JavaReplacement, Key, Kind, Properties, Support, Width};

use crate::error::{Refusal, java};
use crate::expand_json::{Expander, Nulls};
use crate::options::{Names, Options, java_split, removed};

settings::choices! {
    /// What an update of the outbox leads to (`table.op.invalid.behavior`).
    pub(super) enum InvalidOperation {
        /// A warning in the log.
        Warn = "warn",
        /// An error in the log.
        Error = "error",
        /// The record fails.
        Fatal = "fatal",
    }

    /// What happens if an additional column is missing (`table.field.additional.missing`).
    pub(super) enum Missing {
        /// The record fails.
        Error = "error",
        /// The column is left out.
        Ignore = "ignore",
    }

    /// Where an additional column goes.
    pub(super) enum Placement {
        /// A header.
        Header = "header",
        /// A field beside the payload.
        Envelope = "envelope",
        /// The record's partition.
        Partition = "partition",
    }
}

const fn key(name: &'static str, kind: Kind, group: &'static str, order: i32, title: &'static str) -> Key {
    Key::new(name, kind).at(group, order).shown(title, Width::Medium)
}

pub(super) const TABLE: &[Key] = &[
    key("table.field.event.id", Kind::String, "Table", 1, "Event ID Field")
        .low()
        .default("id")
        .doc("The column with the event's id, which becomes the header id."),
    key("table.field.event.key", Kind::String, "Table", 2, "Event Key Field")
        .low()
        .default("aggregateid")
        .doc("The column whose value becomes the record's key."),
    key("table.field.event.type", Kind::String, "Table", 3, "Event Type Field")
        .low()
        .default("type")
        .support(Support::NoEffect("Debezium does not use it either; table.fields.additional.placement sends the column"))
        .doc("The column with the event's type. Nothing is done with it."),
    key("table.field.event.payload", Kind::String, "Table", 4, "Event Payload Field")
        .low()
        .default("payload")
        .doc("The column whose value becomes the record's value."),
    key("table.field.event.timestamp", Kind::String, "Table", 5, "Event Timestamp Field")
        .doc("A column whose value becomes the record's timestamp. Not set: the time at which the change was processed."),
    key("table.fields.additional.placement", Kind::List, "Table", 6, "Settings for each additional column in the outbox table")
        .high()
        .doc("More columns to send: column:placement or column:placement:name, with commas between. A placement is header, envelope (beside the payload) or partition."),
    key("table.field.additional.missing", Kind::String, "Table", 7, "Behavior when an additional field is missing in the change data")
        .default("error")
        .doc("Whether a row without one of these columns fails (error) or is sent without it (ignore)."),
    key("table.field.event.schema.version", Kind::String, "Table", 8, "Event Schema Version Field")
        .low()
        .doc("A column whose value becomes the version of the value's schema. It matters only if a column has the placement envelope."),
    key("table.op.invalid.behavior", Kind::String, "Table", 9, "Behavior when capturing an unexpected outbox event")
        .default("warn")
        .doc("What an update of the outbox leads to: a line in the log (warn or error), or a failure (fatal)."),
    key("table.expand.json.payload", Kind::Boolean, "Table", 10, "Expand Payload escaped string as real JSON")
        .default("false")
        .doc("Whether a payload that is a JSON text becomes a struct, whose schema is inferred from the text. A text for which that is not possible is passed as it is."),
    key("table.json.payload.null.behavior", Kind::String, "Table", 11, "Behavior when json payload including null value")
        .default("ignore")
        .doc("With table.expand.json.payload: whether fields that are null are left out (ignore) or have the type BYTES (optional_bytes)."),
];

pub(super) const ROUTER: &[Key] = &[
    key("route.by.field", Kind::String, "Router", 1, "Field to route events by")
        .high()
        .default("aggregatetype")
        .doc("The column whose value decides on the topic."),
    key("route.topic.regex", Kind::String, "Router", 2, "The name of the routed topic")
        .low()
        .default("(?<routedByValue>.*)")
        .doc("A Java regex for that value. If it does not match the whole value, the value itself is the topic."),
    key("route.topic.replacement", Kind::String, "Router", 3, "The name of the routed topic")
        .high()
        .default("outbox.event.${routedByValue}")
        .doc("The topic; $1 and ${name} stand for groups of the regex."),
    key("route.tombstone.on.empty.payload", Kind::Boolean, "Router", 4, "Empty payloads cause a tombstone message")
        .high()
        .default("false")
        .doc("Whether a payload that is null or blank makes a tombstone."),
];

const NO_TRACING: Support = Support::NoEffect("the router makes no spans: ActivateTracingSpan in front of it does");

pub(super) const TRACING: &[Key] = &[
    key("tracing.span.context.field", Kind::String, "Tracing", 1, "Serialized tracing span context field")
        .high()
        .default("tracingspancontext")
        .support(NO_TRACING)
        .doc("The column with the context of a tracing span."),
    key("tracing.operation.name", Kind::String, "Tracing", 2, "Tracing operation name")
        .high()
        .default("debezium-read")
        .support(NO_TRACING)
        .doc("The name of the span."),
    key("tracing.with.context.field.only", Kind::Boolean, "Tracing", 3, "Trace only events with context field present")
        .high()
        .default("false")
        .support(NO_TRACING)
        .doc("Whether only events with such a context are traced."),
];

/// Debezium reads this key, but does not declare it.
pub(super) const UNLISTED: &[Key] = &[Key::new("field.name.adjustment.mode", Kind::String)
    .default("none")
    .unlisted()
    .doc("With table.expand.json.payload: how names of fields are adjusted: none, avro or avro_unicode.")];

/// A column to send beside key and payload.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Additional {
    pub(super) column: String,
    /// None if the word in the option is no placement; this shows when the first record comes.
    pub(super) placement: Option<Placement>,
    pub(super) alias: String,
}

/// The options.
#[derive(Debug)]
pub(super) struct Config {
    pub(super) id: String,
    pub(super) key: String,
    pub(super) payload: String,
    pub(super) timestamp: Option<String>,
    pub(super) version: Option<String>,
    pub(super) additional: Vec<Additional>,
    pub(super) missing: Missing,
    pub(super) invalid_operation: InvalidOperation,
    pub(super) route_by: String,
    pub(super) rename: JavaReplacement,
    pub(super) tombstone_on_empty: bool,
    /// Set if payloads are expanded.
    pub(super) expander: Option<Expander>,
}

impl Config {
    pub(super) fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let text = |options: &Options<'_>, key: &str, default: &str| options.text(key).unwrap_or(default).to_owned();
        let additional = additional(&mut options);
        let missing = options.choice("table.field.additional.missing", Missing::Error);
        options.check_regex("route.topic.regex");
        let invalid_operation = options.choice("table.op.invalid.behavior", InvalidOperation::Warn);
        let nulls = options.choice("table.json.payload.null.behavior", Nulls::Ignore);
        let expander = options.flag("table.expand.json.payload", false).then(|| {
            let names = options.choice("field.name.adjustment.mode", Names::None);
            Expander::new(nulls, names.into())
        });
        // Debezium hands these two to Kafka's RegexRouter, which trims them.
        let regex = text(&options, "route.topic.regex", "(?<routedByValue>.*)");
        let replacement = text(&options, "route.topic.replacement", "outbox.event.${routedByValue}");
        let config = |rename| Self {
            id: text(&options, "table.field.event.id", "id"),
            key: text(&options, "table.field.event.key", "aggregateid"),
            payload: text(&options, "table.field.event.payload", "payload"),
            timestamp: options.text("table.field.event.timestamp").map(str::to_owned),
            version: options.text("table.field.event.schema.version").map(str::to_owned),
            additional,
            missing,
            invalid_operation,
            route_by: text(&options, "route.by.field", "aggregatetype"),
            rename,
            tombstone_on_empty: options.flag("route.tombstone.on.empty.payload", false),
            expander,
        };
        match JavaReplacement::new(regex.trim(), replacement.trim()) {
            Ok(rename) => {
                let config = config(rename);
                options.each_refused().map(|()| config)
            }
            Err(error) => {
                options.each_refused()?;
                Err(vec![Refusal::new(java::CONFIG, "route.topic.regex", error.to_string())])
            }
        }
    }
}

fn additional(options: &mut Options<'_>) -> Vec<Additional> {
    const KEY: &str = "table.fields.additional.placement";
    let items = options.text(KEY).map_or(Vec::new(), |text| java_split(text, ','));
    let mut all = Vec::new();
    for item in &items {
        let parts: Vec<&str> = java_split(item, ':').into_iter().map(str::trim).collect();
        match *parts {
            [column, placement] | [column, placement, _] => all.push(Additional {
                column: column.to_owned(),
                placement: settings::Choice::from_name(placement),
                alias: parts.get(2).unwrap_or(&column).to_string(),
            }),
            _ => {
                let got = items.join(", ");
                options.problem(
                    KEY,
                    format!("A comma-separated list of valid String pairs or trios is expected but got: [{got}]"),
                );
                break;
            }
        }
    }
    all
}

/// Remarks on options of older releases.
pub(super) fn remarks(properties: &Properties) -> Vec<Finding> {
    const GONE: &[(&str, &str)] = &[
        ("table.field.payload", "table.field.event.payload"),
        ("table.field.payload.id", "table.field.event.key"),
        ("table.field.event.payload.id", "table.field.event.key"),
        ("table.field.schema.version", "table.field.event.schema.version"),
        ("debezium.op.invalid.behavior", "table.op.invalid.behavior"),
    ];
    let now = |key: &str| match GONE.iter().find(|(gone, _)| *gone == key) {
        Some((_, now)) => Some((*now).to_owned()),
        None => key.strip_prefix("field.event.").map(|rest| format!("table.field.event.{rest}")),
    };
    properties.iter().filter_map(|(key, _)| now(key).map(|now| removed(key, format!("Use {now}.")))).collect()
}
