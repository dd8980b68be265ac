//! Checks the document against OpenAPI's own schema, and answers against the document.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use jsonschema::Validator;
use serde_json::{Map, Value, json};

use super::document;
use crate::rest::routes;

/// OpenAPI's schema; see `tests/data/openapi/README.md`.
fn specification() -> Validator {
    let text = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/openapi/schema-3.1.json"));
    jsonschema::draft202012::new(&serde_json::from_str(text).expect("JSON")).expect("a schema")
}

/// Visits every object of the document, with its JSON pointer.
fn walk<'a>(value: &'a Value, at: &str, visit: &mut impl FnMut(&str, &'a Map<String, Value>)) {
    match value {
        Value::Object(object) => {
            visit(at, object);
            for (key, inner) in object {
                walk(inner, &format!("{at}/{}", key.replace('/', "~1")), visit);
            }
        }
        Value::Array(all) => {
            for (i, inner) in all.iter().enumerate() {
                walk(inner, &format!("{at}/{i}"), visit);
            }
        }
        _ => {}
    }
}

fn operations(document: &Value) -> impl Iterator<Item = (&String, &String, &Value)> {
    let paths = document["paths"].as_object().expect("paths");
    paths.iter().flat_map(|(path, item)| {
        let methods = item.as_object().expect("an item").iter().filter(|(key, _)| *key != "parameters");
        methods.map(move |(method, operation)| (path, method, operation))
    })
}

#[test]
fn the_document_is_openapi() {
    let document = document();
    let complaints: Vec<String> =
        specification().iter_errors(&document).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert_eq!(complaints, Vec::<String>::new());
}

/// Shows that the check above can fail.
#[test]
fn what_is_not_openapi_is_noticed() {
    for (at, wrong) in [
        ("/info", json!({"title": "t"})),
        ("/openapi", json!("3.0.0")),
        ("/paths/~1health/gett", json!({"responses": {}})),
        ("/paths/~1health/get/response", json!({})),
        ("/paths/~1health/get/responses/200", json!({"content": {}})),
        ("/paths/~1health/get/responses/2000", json!({"description": "Done"})),
        ("/paths/~1health/get/parameters", json!([{"name": "a", "in": "paths", "schema": {}}])),
        ("/paths/~1connectors~1{connector}/parameters/0/required", json!(false)),
        ("/paths/~1connectors/post/requestBody", json!({"required": true})),
        ("/components/schema", json!({})),
    ] {
        let mut document = document();
        let (parent, key) = at.rsplit_once('/').expect("a place");
        document.pointer_mut(parent).expect("it is there")[key] = wrong;
        assert!(!specification().is_valid(&document), "{at}");
    }
}

/// OpenAPI's schema does not check the schemas inside of a document: JSON Schema's own schema does.
#[test]
fn its_schemas_are_schemas() {
    let document = document();
    let mut schemas: Vec<(String, &Value)> = Vec::new();
    walk(&document["paths"], "", &mut |at, object| schemas.extend(object.get("schema").map(|s| (at.to_owned(), s))));
    let components = document["components"]["schemas"].as_object().expect("schemas");
    schemas.extend(components.iter().map(|(name, schema)| (name.clone(), schema)));
    assert!(schemas.len() > 50, "only {} found", schemas.len());
    for (at, schema) in schemas {
        assert!(jsonschema::meta::is_valid(schema), "{at}: {schema}");
    }
}

#[test]
fn references_lead_somewhere_and_everything_is_used() {
    let document = document();
    let mut used = BTreeSet::new();
    walk(&document, "", &mut |at, object| {
        if let Some(to) = object.get("$ref").and_then(Value::as_str) {
            let place = to.strip_prefix('#').unwrap_or_else(|| panic!("{at}: {to}"));
            assert!(document.pointer(place).is_some(), "{at}: {to} is not there");
            used.insert(to.rsplit('/').next().expect("a name").to_owned());
        }
    });
    let named: BTreeSet<String> =
        document["components"]["schemas"].as_object().expect("schemas").keys().cloned().collect();
    assert_eq!(named, used);
}

#[test]
fn every_operation_is_told_once_and_whole() {
    let document = document();
    let (mut ids, mut told) = (BTreeSet::new(), BTreeSet::new());
    for (path, method, operation) in operations(&document) {
        assert!(ids.insert(operation["operationId"].to_string()), "{} twice", operation["operationId"]);
        told.insert((path.as_str(), method.to_ascii_uppercase()));
        let parameters = document["paths"][path]["parameters"].as_array().into_iter().flatten();
        let names: Vec<String> = parameters.map(|p| format!("{{{}}}", p["name"].as_str().expect("a name"))).collect();
        let parts: Vec<&str> = path.split('/').filter(|part| part.starts_with('{')).collect();
        assert_eq!(names, parts, "{path}");
    }
    let rows =
        routes::ROWS.iter().flat_map(|row| row.methods.iter().map(|(method, ..)| (row.path, (*method).to_owned())));
    assert_eq!(told, rows.collect());
}

/// Fails when the document does not list this answer. The document leaves out what no resource answers (unknown path,
/// wrong method, a path that the HTTP server refuses) and what HTTP itself defines (HEAD, OPTIONS).
#[track_caller]
pub(in crate::rest) fn told(method: &str, path: &str, status: u16, media: &str, body: &Value) {
    static DOCUMENT: LazyLock<Value> = LazyLock::new(document);
    if (status == 400 && media != "application/json") || (status == 404 && media.is_empty()) {
        return;
    }
    let segments: Vec<&str> = path.split('?').next().unwrap_or_default().split('/').filter(|s| !s.is_empty()).collect();
    let Some(row) = routes::find(&segments) else { return };
    let Some(operation) = DOCUMENT["paths"][row.path].get(method.to_ascii_lowercase()) else { return };
    let call = format!("{method} {path}: {status} {media:?} {body}");
    let told = operation["responses"].get(status.to_string());
    let told = told.unwrap_or_else(|| panic!("{call}: the document does not know this status"));
    let mut schema = match told.get("content") {
        Some(content) => {
            let schema = content.get(media);
            schema.unwrap_or_else(|| panic!("{call}: the document does not know this media type"))["schema"].clone()
        }
        // With an error's body, or with none when the HTTP server refuses the path; the document leaves it open.
        None if status == 400 => json!({"$ref": "#/components/schemas/Error"}),
        None => {
            assert!(media.is_empty(), "{call}: the document tells of no body");
            return;
        }
    };
    schema["components"] = DOCUMENT["components"].clone();
    let validator = jsonschema::draft202012::new(&schema).expect("a schema");
    let complaints: Vec<String> = validator.iter_errors(body).map(|e| format!("{}: {e}", e.instance_path())).collect();
    assert!(complaints.is_empty(), "{call}: {complaints:?}");
}

#[test]
fn an_answer_that_is_not_told_is_noticed() {
    let good = json!({"status": "healthy", "message": "m"});
    told("GET", "/health", 200, "application/json", &good);
    for (method, path, status, media, body) in [
        ("GET", "/health", 202, "application/json", good.clone()),
        ("GET", "/health", 200, "text/plain", good.clone()),
        ("GET", "/health", 200, "", good.clone()),
        ("GET", "/health", 200, "application/json", json!({"status": "well", "message": "m"})),
        ("GET", "/health", 200, "application/json", json!({"status": "healthy"})),
        ("PUT", "/connectors/a/pause", 202, "application/json", Value::Null),
        ("GET", "/connectors/a/topics", 200, "application/json", json!({"a": {"topic": []}})),
    ] {
        let noticed = std::panic::catch_unwind(|| told(method, path, status, media, &body));
        assert!(noticed.is_err(), "{method} {path} {status} {media} {body}");
    }
}
