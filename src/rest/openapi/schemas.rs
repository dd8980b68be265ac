//! The schemas of the bodies, by name.
//!
//! A schema is closed (`additionalProperties: false`) wherever Connect's answer has a fixed set of fields, so that a
//! field too many is noticed as well as a missing one.

use serde_json::{Value, json};

use super::{array_of, named};

/// The content of `components.schemas`.
pub(super) fn all() -> Value {
    let text = json!({"type": "string"});
    let texts = array_of(text.clone());
    let state = json!({
        "type": "string",
        "enum": ["UNASSIGNED", "RUNNING", "PAUSED", "FAILED", "DESTROYED", "RESTARTING", "STOPPED"],
    });
    let kind = json!({"type": "string", "enum": ["source", "sink", "unknown"]});
    let map = json!({"type": "object"});
    let number = json!({"type": "integer"});
    json!({
        "Server": closed(&[], json!({
            "version": text, "commit": text, "kafka_cluster_id": text,
        })),
        "Health": closed(&[], json!({
            "status": {"type": "string", "enum": ["healthy", "starting", "unhealthy"]}, "message": text,
        })),
        "Error": closed(&[], json!({"error_code": number, "message": text})),
        "Message": closed(&[], json!({"message": text})),
        "Config": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        "CreateConnector": closed(&["initial_state"], json!({
            "name": text,
            "config": named("Config"),
            "initial_state": {"type": ["string", "null"], "enum": ["RUNNING", "PAUSED", "STOPPED", null]},
        })),
        "Connector": closed(&[], json!({
            "name": text, "config": named("Config"), "tasks": array_of(named("TaskId")), "type": kind,
        })),
        "TaskId": closed(&[], json!({"connector": text, "task": number})),
        "Task": closed(&[], json!({"id": named("TaskId"), "config": named("Config")})),
        "Expanded": closed(&["info", "status"], json!({"info": named("Connector"), "status": named("Status")})),
        "Status": closed(&[], json!({
            "name": text, "connector": named("ConnectorState"), "tasks": array_of(named("TaskState")), "type": kind,
        })),
        "ConnectorState": closed(&["trace"], json!({
            "state": state, "worker_id": text, "version": nullable("string"), "trace": text,
        })),
        "TaskState": closed(&["trace"], json!({
            "id": number, "state": state, "worker_id": text, "version": nullable("string"), "trace": text,
        })),
        "Topics": {
            "type": "object",
            "minProperties": 1,
            "maxProperties": 1,
            "additionalProperties": closed(&[], json!({"topics": texts})),
        },
        "Offsets": closed(&[], json!({"offsets": array_of(closed(&[], json!({
            "partition": map, "offset": map,
        })))})),
        "DeadLetters": closed(&[], json!({
            "topic": text,
            "letters": number,
            "replayed": number,
            "unreadable": number,
            "newest": array_of(closed(&[], json!({
                "partition": number,
                "offset": number,
                "timestamp": number,
                "topic": text,
                "source": closed(&[], json!({"partition": nullable("object"), "offset": nullable("object")})),
                "stage": nullable("string"),
                "class": nullable("string"),
                "exception": nullable("string"),
                "message": nullable("string"),
                "replayed": {"type": "boolean"},
            }))),
        })),
        "Replayed": closed(&[], json!({
            "sent": number,
            "dropped": number,
            "already": number,
            "refused": number,
            "left": number,
            "reasons": array_of(closed(&[], json!({
                "partition": number, "offset": number, "timestamp": number, "topic": text, "reason": text,
            }))),
        })),
        "AlterOffsets": closed(&[], json!({"offsets": {
            "type": "array",
            "minItems": 1,
            "items": closed(&[], json!({"partition": map, "offset": nullable("object")})),
        }})),
        "Plugin": closed(&[], json!({"class": text, "type": text, "version": text})),
        "Definition": definition(),
        "Validation": closed(&[], json!({
            "name": text,
            "error_count": number,
            "groups": texts,
            "configs": array_of(closed(&[], json!({
                "definition": {"anyOf": [named("Definition"), {"type": "null"}]},
                "value": {"anyOf": [named("Value"), {"type": "null"}]},
            }))),
        })),
        "Value": closed(&["warnings"], json!({
            "name": text,
            "value": nullable("string"),
            "recommended_values": texts,
            "errors": texts,
            "visible": {"type": "boolean"},
            "warnings": texts,
        })),
        "Level": closed(&[], json!({"level": text, "last_modified": nullable("integer")})),
        "SetLevel": {"type": "object", "required": ["level"], "properties": {"level": text}},
    })
}

fn definition() -> Value {
    let text = json!({"type": "string"});
    let kinds = ["BOOLEAN", "STRING", "INT", "SHORT", "LONG", "DOUBLE", "LIST", "CLASS", "PASSWORD"];
    let properties = json!({
        "name": text,
        "type": {"type": "string", "enum": kinds},
        "required": {"type": "boolean"},
        "default_value": nullable("string"),
        "importance": {"type": "string", "enum": ["HIGH", "MEDIUM", "LOW"]},
        "documentation": text,
        "group": nullable("string"),
        "order_in_group": {"type": "integer"},
        "width": {"type": "string", "enum": ["NONE", "SHORT", "MEDIUM", "LONG"]},
        "display_name": text,
        "dependents": array_of(text.clone()),
    });
    closed(&[], properties)
}

fn nullable(kind: &str) -> Value {
    json!({"type": [kind, "null"]})
}

/// An object with exactly these fields. All of them are required, except those in `optional`.
#[allow(clippy::needless_pass_by_value, reason = "it is made where it is given")]
fn closed(optional: &[&str], properties: Value) -> Value {
    let names = properties.as_object().into_iter().flatten().map(|(name, _)| name.as_str());
    let required: Vec<&str> = names.filter(|name| !optional.contains(name)).collect();
    json!({"type": "object", "required": required, "properties": properties, "additionalProperties": false})
}
