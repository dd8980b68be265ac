//! Request bodies: read within a bound, parsed, with complaints that say where.
//!
//! Must not know: which call it is.

use axum::body::{Body, to_bytes};
use axum::http::StatusCode;
use serde_json::{Map, Value};
use settings::Properties;

use super::ApiError;

/// Far above any configuration, far below what hurts.
const LIMIT_BYTES: usize = 8 * 1024 * 1024;

/// Reads and parses a body.
pub(super) async fn read(body: Body) -> Result<Value, ApiError> {
    let bytes = to_bytes(body, LIMIT_BYTES).await.map_err(|_| {
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The request's body could not be read whole: at most {LIMIT_BYTES} bytes are taken"),
        )
    })?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::bad("The request has no body: a JSON object is expected"));
    }
    serde_json::from_slice(&bytes).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        let text = error.to_string();
        let text = text.split(" at line ").next().unwrap_or_default();
        ApiError::bad(format!("{text} at [Source: REDACTED; line: {line}, column: {column}]"))
    })
}

/// An object with none but the `known` fields.
pub(super) fn object(value: Value, class: &str, known: &[&str]) -> Result<Map<String, Value>, ApiError> {
    let Value::Object(object) = value else {
        return Err(ApiError::bad(format!(
            "Cannot deserialize value of type `{class}` from {} value: a JSON object is expected",
            kind(&value)
        )));
    };
    if let Some(field) = object.keys().find(|field| !known.contains(&field.as_str())) {
        let names: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(ApiError::bad(format!(
            "Unrecognized field \"{field}\" (class {class}), not marked as ignorable ({} known properties: {})",
            known.len(),
            names.join(", ")
        )));
    }
    Ok(object)
}

/// A configuration: scalars become text, null stays null.
pub(super) fn config(value: Value) -> Result<Properties, ApiError> {
    let Value::Object(object) = value else {
        return Err(ApiError::bad(format!(
            "A configuration is a JSON object of names and texts, not {}",
            kind(&value)
        )));
    };
    let mut config = Properties::new();
    for (name, value) in object {
        match value {
            Value::Null => config.insert_null(name),
            Value::String(text) => config.insert(name, text),
            Value::Number(_) | Value::Bool(_) => config.insert(name, value.to_string()),
            Value::Array(_) | Value::Object(_) => {
                let (kind, token) =
                    if value.is_array() { ("Array", "START_ARRAY") } else { ("Object", "START_OBJECT") };
                return Err(ApiError::bad(format!(
                    "Cannot deserialize value of type `java.lang.String` from {kind} value (token `JsonToken.{token}`): \
                     the value of \"{name}\" must be a text"
                )));
            }
        }
    }
    Ok(config)
}

/// JSON's word for what it is.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "Boolean",
        Value::Number(_) => "Number",
        Value::String(_) => "String",
        Value::Array(_) => "Array",
        Value::Object(_) => "Object",
    }
}
