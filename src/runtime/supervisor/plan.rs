//! A connector's plan: its plug-in and the task configurations that follow from its configuration.
//!
//! Must not know: whether and when tasks run.

use serde_json::Value;
use settings::Properties;

use super::SupervisorSettings;
use crate::plugins::Plugin;
use crate::runtime::validate::{self, Rejected};
use crate::sink::topics::TopicCreation;
use crate::store::Object;

/// What a connector runs as: its plug-in and its tasks.
pub(super) struct Plan {
    pub(super) plugin: &'static Plugin,
    /// The task configurations. Variables are not resolved in them, so that no secret reaches the topic.
    pub(super) tasks: Vec<Object>,
}

/// Makes the plan of a stored configuration; `resolved` is the same with its variables resolved.
///
/// # Errors
/// A trace for the status, in Java's form.
pub(super) fn plan(settings: &SupervisorSettings, config: &Object, resolved: &Properties) -> Result<Plan, String> {
    if let Some((key, _)) = config.iter().find(|(_, value)| value.is_null()) {
        // Java's worker stores such configurations, so the topic may hold one.
        return Err(format!(
            "java.lang.ClassCastException: Non-string value found in original settings for key {key}: null\nRemove the \
             key with PATCH, or give it a value"
        ));
    }
    let plugin = validate::plugin(settings, resolved).map_err(|rejected| missing(settings, rejected))?;
    let idle = validate::at_start(settings, plugin, resolved)?;
    if !idle.is_empty() {
        let connector = resolved.get("name").unwrap_or_default();
        tracing::warn!(connector, settings = idle.len(), "set, but without effect here: {}", idle.join(" "));
    }
    if resolved.iter().any(|(name, _)| name.starts_with("topic.creation.")) {
        for key in ["topic.creation.default.replication.factor", "topic.creation.default.partitions"] {
            if !resolved.contains(key) {
                return Err(format!(
                    "org.apache.kafka.common.config.ConfigException: Missing required configuration \"{key}\" which has \
                     no default value."
                ));
            }
        }
        let flat = resolved.iter().filter_map(|(name, value)| Some((name.to_owned(), value?.to_owned()))).collect();
        TopicCreation::parse(&flat).map_err(|e| format!("org.apache.kafka.common.config.ConfigException: {e}"))?;
    }
    // The connectors here read one log each, so they have one task, whatever tasks.max allows.
    let mut task = config.clone();
    task.insert("task.class".to_owned(), Value::String(plugin.task_class.to_owned()));
    Ok(Plan { plugin, tasks: vec![task] })
}

/// The trace of a connector whose class is not built in: a sink, another database's, somebody's own. Nothing is written of it
/// but this status, so that it goes on where it was once Kafka Connect has the group again.
fn missing(settings: &SupervisorSettings, rejected: Rejected) -> String {
    let first = format!("org.apache.kafka.connect.errors.ConnectException: {rejected}");
    let Rejected::UnknownClass { class, .. } = rejected else { return first };
    let has: Vec<&str> = settings.plugins.iter().map(|plugin| plugin.class).collect();
    format!(
        "{first}\nReason: class {class} is not in this daemon; it has {}. This is afterimage, which loads no Java classes.\n\
         Remedy: run this connector on a Kafka Connect worker: move it to another group, or give the whole group back. Its \
         configuration, its tasks, its offsets and its history stay as they are, and it goes on from there.",
        has.join(", ")
    )
}
