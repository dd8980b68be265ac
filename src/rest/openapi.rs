//! The OpenAPI 3.1 document, made of the same table by which the gate answers.
//!
//! Must not know: handlers.

use axum::Router;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::routes::ROWS;
use super::{App, ok};

pub(super) fn routes() -> Router<App> {
    Router::new().route("/openapi.json", get(|| async { ok(&document()) }))
}

/// The whole document.
pub(super) fn document() -> Value {
    let mut paths = Map::new();
    for row in ROWS {
        let names = row.path.split('/').filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'));
        let parameters: Vec<Value> = names
            .map(|name| {
                let kind =
                    if name == "task" { json!({"type": "integer", "minimum": 0}) } else { json!({"type": "string"}) };
                json!({"name": name, "in": "path", "required": true, "schema": kind})
            })
            .collect();
        let mut item = Map::new();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), Value::Array(parameters));
        }
        for (method, reads, summary) in row.methods {
            item.insert(method.to_ascii_lowercase(), operation(row.path, method, *reads, summary));
        }
        paths.insert(row.path.to_owned(), Value::Object(item));
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "afterimage",
            "description": "The Kafka Connect REST API, as served by afterimage",
            "version": env!("CARGO_PKG_VERSION"),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": {"schemas": schemas()},
    })
}

fn operation(path: &str, method: &str, reads: bool, summary: &str) -> Value {
    let words = path.split(['/', '{', '}', '-', '.']).filter(|word| !word.is_empty());
    let mut id = method.to_ascii_lowercase();
    for word in words {
        let (head, tail) = word.split_at(1);
        id.push_str(&head.to_ascii_uppercase());
        id.push_str(tail);
    }
    let (success, body) = answer(path, method);
    let mut done = json!({"description": "Done"});
    if let Some(schema) = body {
        done["content"] = json!({"application/json": {"schema": schema}});
    }
    let error = json!({
        "description": "Refused, or failed",
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/Error"}}},
    });
    let mut responses = Map::new();
    responses.insert(success.to_owned(), done.clone());
    if method == "PUT" && path.ends_with("{connector}/config") {
        responses.insert("201".to_owned(), done);
    }
    responses.insert("default".to_owned(), error);
    let mut operation = json!({"operationId": id, "summary": summary, "responses": responses});
    let parameters = query(path, method);
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if reads {
        let schema = match (path, method) {
            ("/connectors", "POST") => json!({"$ref": "#/components/schemas/CreateConnector"}),
            (_, "PATCH") if path.ends_with("offsets") => json!({"$ref": "#/components/schemas/Offsets"}),
            (_, "POST") => json!({"type": "array", "items": {"$ref": "#/components/schemas/Config"}}),
            _ => json!({"$ref": "#/components/schemas/Config"}),
        };
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn answer(path: &str, method: &str) -> (&'static str, Option<Value>) {
    let of = |name: &str| Some(json!({"$ref": format!("#/components/schemas/{name}")}));
    match (path, method) {
        ("/connectors", "GET") => ("200", Some(json!({"type": ["array", "object"]}))),
        ("/connectors", _) => ("201", of("ConnectorInfo")),
        (_, "DELETE" | "PATCH") if path.ends_with("offsets") => ("200", of("Message")),
        (_, "GET") if path.ends_with("offsets") => ("200", of("Offsets")),
        (_, "GET") if path.starts_with("/connectors/") && path.ends_with("/config") => ("200", of("Config")),
        ("/connectors/{connector}", "GET") => ("200", of("ConnectorInfo")),
        (_, "PUT" | "PATCH") if path.starts_with("/connectors/") && path.ends_with("/config") => {
            ("200", of("ConnectorInfo"))
        }
        (_, "PUT") if path.ends_with("/pause") || path.ends_with("/resume") || path.ends_with("/reset") => {
            ("202", None)
        }
        (_, "PUT") if path.ends_with("/stop") || path.ends_with("/fence") => ("204", None),
        (_, "POST" | "DELETE") => ("204", None),
        (_, "GET") if path.ends_with("/tasks") => ("200", Some(json!({"type": "array", "items": {"type": "object"}}))),
        (_, "GET") if path.starts_with("/connector-plugins") => {
            ("200", Some(json!({"type": "array", "items": {"type": "object"}})))
        }
        _ => ("200", Some(json!({"type": ["object", "array"]}))),
    }
}

fn query(path: &str, method: &str) -> Vec<Value> {
    let one = |name: &str, schema: Value| json!({"name": name, "in": "query", "schema": schema});
    match (path, method) {
        ("/connectors", "GET") => {
            let words = json!({"type": "array", "items": {"type": "string", "enum": ["info", "status"]}});
            vec![one("expand", words)]
        }
        (_, "POST") if path.ends_with("{connector}/restart") => vec![
            one("includeTasks", json!({"type": "boolean", "default": false})),
            one("onlyFailed", json!({"type": "boolean", "default": false})),
        ],
        ("/connector-plugins", _) => vec![one("connectorsOnly", json!({"type": "boolean", "default": true}))],
        ("/connector-plugins/{plugin}/config", _) => vec![one("version", json!({"type": "string"}))],
        ("/admin/loggers/{logger}", "PUT") => {
            vec![one("scope", json!({"type": "string", "enum": ["worker", "cluster"], "default": "worker"}))]
        }
        _ => Vec::new(),
    }
}

fn schemas() -> Value {
    let text = json!({"type": "string"});
    json!({
        "Config": {"type": "object", "additionalProperties": {"type": ["string", "number", "boolean", "null"]}},
        "Error": {
            "type": "object",
            "required": ["error_code", "message"],
            "properties": {"error_code": {"type": "integer"}, "message": {"type": ["string", "null"]}},
        },
        "Message": {"type": "object", "required": ["message"], "properties": {"message": text}},
        "CreateConnector": {
            "type": "object",
            "required": ["name", "config"],
            "additionalProperties": false,
            "properties": {
                "name": text,
                "config": {"$ref": "#/components/schemas/Config"},
                "initial_state": {"type": ["string", "null"], "enum": ["RUNNING", "PAUSED", "STOPPED", null]},
            },
        },
        "ConnectorInfo": {
            "type": "object",
            "required": ["name", "config", "tasks", "type"],
            "properties": {
                "name": text,
                "config": {"$ref": "#/components/schemas/Config"},
                "tasks": {"type": "array", "items": {"type": "object"}},
                "type": {"type": "string", "enum": ["source", "sink", "unknown"]},
            },
        },
        "Offsets": {
            "type": "object",
            "required": ["offsets"],
            "properties": {"offsets": {"type": "array", "items": {
                "type": "object",
                "properties": {"partition": {"type": "object"}, "offset": {"type": ["object", "null"]}},
            }}},
        },
    })
}
