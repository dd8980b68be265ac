//! Makes the OpenAPI 3.1 document from the table of routes, by which the gate answers too.
//!
//! Every status that a call can answer is listed with its body, so that generated clients and checkers can hold the
//! daemon to it. The tests of this room check each answer that they see against the document.
//!
//! Must not know: handlers.

mod schemas;

use axum::Router;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::routes::{METRICS, ROWS, Row};
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
                let schema = if name == "task" {
                    json!({"type": "integer", "format": "int32", "minimum": 0})
                } else {
                    json!({"type": "string", "pattern": r"^(?!\.\.?$)[^/%\\\u0000-\u001f\u007f]+$"})
                };
                let example = match name {
                    "task" => json!(0),
                    "plugin" => json!("PostgresConnector"),
                    "logger" => json!("org.apache.kafka.connect"),
                    _ => json!("inventory"),
                };
                json!({"name": name, "in": "path", "required": true, "schema": schema, "example": example})
            })
            .collect();
        let mut item = Map::new();
        if !parameters.is_empty() {
            item.insert("parameters".to_owned(), Value::Array(parameters));
        }
        for (method, reads, summary) in row.methods {
            item.insert(method.to_ascii_lowercase(), operation(row, method, *reads, summary));
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
        // Without rest.extension.classes no password is needed.
        "security": [{}, {"basic": []}],
        "components": {
            "schemas": schemas::all(),
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
        },
    })
}

fn operation(row: &Row, method: &str, reads: bool, summary: &str) -> Value {
    let words = row.path.split(['/', '{', '}', '-', '.']).filter(|word| !word.is_empty());
    let mut id = method.to_ascii_lowercase();
    for word in words {
        let (head, tail) = word.split_at(1);
        id.push_str(&head.to_ascii_uppercase());
        id.push_str(tail);
    }
    let mut operation = json!({"operationId": id, "summary": summary, "responses": responses(row, method, reads)});
    let parameters = query(row.path, method);
    if !parameters.is_empty() {
        operation["parameters"] = Value::Array(parameters);
    }
    if row.is_internal(method) {
        operation["security"] = json!([]);
    }
    if reads {
        let schema = match (row.path, method) {
            ("/connectors", "POST") => named("CreateConnector"),
            (path, "PATCH") if path.ends_with("/offsets") => named("AlterOffsets"),
            (_, "POST") => array_of(named("Config")),
            ("/admin/loggers/{logger}", _) => named("SetLevel"),
            _ => named("Config"),
        };
        operation["requestBody"] = json!({"required": true, "content": {"application/json": {"schema": schema}}});
    }
    operation
}

fn named(schema: &str) -> Value {
    json!({"$ref": format!("#/components/schemas/{schema}")})
}

#[allow(clippy::needless_pass_by_value, reason = "it is made where it is given")]
fn array_of(item: Value) -> Value {
    json!({"type": "array", "items": item})
}

fn responses(row: &Row, method: &str, reads: bool) -> Value {
    let mut responses = Map::new();
    let media = if row.path == METRICS { "text/plain" } else { "application/json" };
    for (status, schema) in answers(row.path, method) {
        let mut answer = json!({"description": "Done"});
        if let Some(schema) = schema {
            answer["content"] = json!({media: {"schema": schema}});
        }
        responses.insert(status.to_owned(), answer);
    }
    for (status, why) in refusals(row, method, reads) {
        let content = json!({"application/json": {"schema": named("Error")}});
        responses.insert(status.to_owned(), json!({"description": why, "content": content}));
    }
    if !row.is_internal(method) {
        // Like Connect's extension, the answer is plain text, whatever its media type says.
        let content = json!({"application/json": {"schema": {"type": "string"}}});
        let why = "A password is asked for (rest.extension.classes), and there is none or a wrong one";
        responses.insert("401".to_owned(), json!({"description": why, "content": content}));
    }
    if row.path != METRICS {
        // This comes before a resource is chosen and has no content type, as in Connect.
        responses.insert("406".to_owned(), json!({"description": "The Accept header leaves out application/json"}));
    }
    if row.consumes {
        responses.insert("415".to_owned(), json!({"description": "The Content-Type header is not application/json"}));
    }
    if row.path.contains('{') {
        // Connect's HTTP server answers this before any JSON is made: with an error page or, for some methods, with no
        // body.
        let mut refused = responses.remove("400").unwrap_or_else(|| json!({"description": ""}));
        let why =
            "A segment of the path is ambiguous or not allowed (empty, .., a slash, backslash, % or control character)";
        let said = refused["description"].as_str().filter(|said| !said.is_empty()).map(|said| format!("; or: {said}"));
        refused["description"] = json!(format!("{why}{}", said.unwrap_or_default()));
        if matches!(method, "GET" | "POST") {
            refused["content"]["text/html"] = json!({"schema": {"type": "string"}});
        } else if let Some(answer) = refused.as_object_mut() {
            // The document cannot say "with this body or with none", so it leaves the body open.
            answer.remove("content");
        }
        responses.insert("400".to_owned(), refused);
    }
    Value::Object(responses)
}

/// The successful answers: status and body. The calls between Kafka Connect's own workers never succeed here.
fn answers(path: &str, method: &str) -> Vec<(&'static str, Option<Value>)> {
    let one = |status: &'static str, schema: &str| vec![(status, Some(named(schema)))];
    match (path, method) {
        ("/", _) => one("200", "Server"),
        ("/health", _) => {
            vec![("200", Some(named("Health"))), ("500", Some(named("Health"))), ("503", Some(named("Health")))]
        }
        (METRICS, _) => vec![("200", Some(json!({"type": "string"})))],
        ("/openapi.json", _) => vec![("200", Some(json!({"type": "object"})))],
        ("/connectors", "GET") => vec![(
            "200",
            Some(json!({"anyOf": [
                array_of(json!({"type": "string"})),
                {"type": "object", "additionalProperties": named("Expanded")},
            ]})),
        )],
        ("/connectors", _) => one("201", "Connector"),
        ("/connectors/{connector}", "GET") => one("200", "Connector"),
        ("/connectors/{connector}/config", "GET") => one("200", "Config"),
        ("/connectors/{connector}/config", "PUT") => {
            vec![("200", Some(named("Connector"))), ("201", Some(named("Connector")))]
        }
        ("/connectors/{connector}/config", _) => one("200", "Connector"),
        ("/connectors/{connector}/status", _) => one("200", "Status"),
        ("/connectors/{connector}/restart", _) => vec![("202", Some(named("Status"))), ("204", None)],
        (_, "PUT") if path.ends_with("/pause") || path.ends_with("/resume") || path.ends_with("/reset") => {
            vec![("202", None)]
        }
        ("/connectors/{connector}/tasks", "GET") => vec![("200", Some(array_of(named("Task"))))],
        ("/connectors/{connector}/tasks" | "/connectors/{connector}/fence", _) => Vec::new(),
        ("/connectors/{connector}/tasks/{task}/status", _) => one("200", "TaskState"),
        ("/connectors/{connector}/topics", _) => one("200", "Topics"),
        ("/connectors/{connector}/offsets", "GET") => one("200", "Offsets"),
        ("/connectors/{connector}/offsets", _) => one("200", "Message"),
        ("/connectors/{connector}/dead-letters", _) => one("200", "DeadLetters"),
        ("/connectors/{connector}/dead-letters/replay", _) => one("200", "Replayed"),
        ("/connector-plugins", _) => vec![("200", Some(array_of(named("Plugin"))))],
        ("/connector-plugins/{plugin}/config", _) => vec![("200", Some(array_of(named("Definition"))))],
        ("/connector-plugins/{plugin}/config/validate", _) => one("200", "Validation"),
        ("/admin/loggers", _) => {
            vec![("200", Some(json!({"type": "object", "additionalProperties": named("Level")})))]
        }
        ("/admin/loggers/{logger}", "GET") => one("200", "Level"),
        ("/admin/loggers/{logger}", _) => {
            vec![("200", Some(array_of(json!({"type": "string"})))), ("204", None)]
        }
        _ => vec![("204", None)],
    }
}

/// The answers that name their reason in an error body.
fn refusals(row: &Row, method: &str, reads: bool) -> Vec<(&'static str, &'static str)> {
    let path = row.path;
    if row.is_internal(method) {
        return vec![
            ("400", "The request is not signed, or in a way that is not known"),
            ("403", "The signature is not valid"),
            ("503", "The stored state is still being read"),
        ];
    }
    let mut refusals = Vec::new();
    if path == "/" {
        refusals.push(("503", "No broker has told the Kafka cluster's id yet"));
    }
    let is_state = path.starts_with("/connectors");
    let changes = is_state && method != "GET" && !path.ends_with("/topics/reset");
    if reads
        || path.ends_with("/offsets")
        || path.contains("/dead-letters")
        || path == "/connector-plugins/{plugin}/config"
    {
        refusals.push(("400", "The request, or the configuration in it, will not do"));
    }
    if path.ends_with("/topics") || path.ends_with("/topics/reset") {
        refusals.push(("403", "Topic tracking is switched off"));
    }
    if path.contains('{') && (path, method) != ("/connectors/{connector}/config", "PUT") {
        refusals.push(("404", "There is none of this name"));
    }
    if changes {
        refusals.push(("409", "The name is taken, or this worker does not own the group"));
    }
    if reads {
        refusals.push(("408", "The body did not arrive in time"));
        refusals.push(("413", "The body is too large"));
    }
    if is_state || reads {
        refusals.push(("500", "It failed; the message says why"));
    }
    if is_state {
        refusals.push(("503", "The stored state is still being read, or too many large bodies are"));
    } else if reads {
        refusals.push(("503", "Too many large bodies are being read"));
    }
    refusals
}

/// The query parameters. Connect accepts any text in them and ignores what it does not know.
fn query(path: &str, method: &str) -> Vec<Value> {
    let one = |name: &str, schema: Value, says: &str| json!({"name": name, "in": "query", "schema": schema, "description": says});
    let flag = |name: &str, default: bool| {
        let schema = json!({"type": ["boolean", "string"], "default": default});
        one(name, schema, "true in any case of letters; everything else is false")
    };
    let text = json!({"type": "string"});
    match (path, method) {
        ("/connectors", "GET") => {
            vec![one("expand", array_of(text), "info, status, or both; other words are passed over")]
        }
        (_, "POST") if path.ends_with("{connector}/restart") => {
            vec![flag("includeTasks", false), flag("onlyFailed", false)]
        }
        ("/connectors/{connector}/dead-letters", _) => {
            let schema = json!({"type": "integer", "minimum": 0, "maximum": 100, "default": 20});
            vec![one("newest", schema, "How many of the newest letters are shown")]
        }
        ("/connectors/{connector}/dead-letters/replay", _) => {
            let schema = json!({"type": "integer", "minimum": 1, "maximum": 10_000, "default": 1000});
            vec![flag("force", false), one("limit", schema, "How many letters are taken at most")]
        }
        ("/connector-plugins", _) => vec![flag("connectorsOnly", true)],
        ("/connector-plugins/{plugin}/config", _) => {
            vec![one("version", text, "The only one that is there, or latest")]
        }
        ("/admin/loggers/{logger}", "PUT") => vec![one("scope", text, "worker (the default) or cluster")],
        _ => Vec::new(),
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
pub(super) mod tests;
