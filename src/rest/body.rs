//! Reads and parses request bodies within bounds. Error messages say where a body is wrong.
//!
//! Must not know: which call the body belongs to.

use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use futures_util::future::poll_fn;
use serde_json::{Map, Value};
use settings::Properties;
use tokio::sync::Semaphore;

use super::ApiError;

/// What reading bodies may cost.
struct Bounds<'a> {
    /// Most bytes of one body.
    body_bytes: usize,
    /// Bytes that are still free for the bodies of all requests together.
    free: &'a Semaphore,
    /// Time from the end of the head to the end of the body.
    time: Duration,
}

/// Bytes of all bodies that are being read at the same time.
static FREE: Semaphore = Semaphore::const_new(24 * 1024 * 1024);

/// 8 MiB is far more than any configuration needs: a record in the config topic has at most 1 MiB by Kafka's default.
const BOUNDS: Bounds<'static> = Bounds { body_bytes: 8 * 1024 * 1024, free: &FREE, time: Duration::from_secs(30) };

pub(super) async fn read(body: Body) -> Result<Value, ApiError> {
    let bytes = collect(body, &BOUNDS).await?;
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

async fn collect(body: Body, bounds: &Bounds<'_>) -> Result<Vec<u8>, ApiError> {
    let too_large = || {
        let limit = bounds.body_bytes;
        ApiError::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            format!("The request's body is too large: at most {limit} bytes are taken"),
        )
    };
    if body.size_hint().lower() > bounds.body_bytes as u64 {
        return Err(too_large());
    }
    let reading = async {
        let (mut body, mut bytes, mut taken) = (body, Vec::new(), Vec::new());
        while let Some(frame) = poll_fn(|cx| std::pin::Pin::new(&mut body).poll_frame(cx)).await {
            // The client went away or broke HTTP, so nobody reads this answer.
            let frame = frame.map_err(|error| ApiError::bad(format!("The request's body ended early: {error}")))?;
            let Ok(data) = frame.into_data() else { continue };
            if bytes.len() + data.len() > bounds.body_bytes {
                return Err(too_large());
            }
            let Ok(place) = bounds.free.try_acquire_many(data.len() as u32) else {
                return Err(ApiError::new(
                    StatusCode::SERVICE_UNAVAILABLE,
                    "Too many large requests are being read at this moment: try again",
                ));
            };
            taken.push(place);
            bytes.extend_from_slice(&data);
        }
        Ok(bytes)
    };
    tokio::time::timeout(bounds.time, reading).await.unwrap_or_else(|_| {
        let seconds = bounds.time.as_secs();
        Err(ApiError::new(
            StatusCode::REQUEST_TIMEOUT,
            format!("The request's body did not arrive within {seconds} seconds"),
        ))
    })
}

/// An object that has no other fields than `known`. `class` is the Java class that Connect's error message names.
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

/// A connector's configuration. Numbers and booleans become text, null stays null.
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

/// JSON's name for the type of `value`.
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

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

    use super::*;

    /// A body that arrives in pieces of four bytes. When `ends` is false, it then waits forever.
    fn pieces(count: usize, ends: bool) -> Body {
        let sent = (0..count).map(|_| Ok::<_, std::convert::Infallible>(Bytes::from_static(b"    ")));
        let rest = stream::poll_fn(move |_| if ends { std::task::Poll::Ready(None) } else { std::task::Poll::Pending });
        Body::from_stream(futures_util::StreamExt::chain(stream::iter(sent), rest))
    }

    #[tokio::test(start_paused = true)]
    async fn bodies_cost_no_more_than_their_bounds() {
        let free = Semaphore::new(20);
        let bounds = Bounds { body_bytes: 16, free: &free, time: Duration::from_secs(30) };
        for (body, expect) in [
            (pieces(4, true), Ok(16)),
            (pieces(5, true), Err(413)),
            (Body::from("x".repeat(16)), Ok(16)),
            (Body::from("x".repeat(17)), Err(413)),
            (pieces(1, false), Err(408)),
            (Body::empty(), Ok(0)),
        ] {
            let read = collect(body, &bounds).await;
            let seen = read.map(|bytes| bytes.len()).map_err(|error| error.status().as_u16());
            assert_eq!(seen, expect);
            assert_eq!(free.available_permits(), 20, "what was taken is given back");
        }
        let _others = free.try_acquire_many(12).expect("free");
        assert_eq!(collect(pieces(4, true), &bounds).await.map_err(|e| e.status().as_u16()), Err(503));
        assert!(collect(pieces(2, true), &bounds).await.is_ok());
    }
}
