//! Reads and parses request bodies within bounds. Error messages say where a body is wrong.
//!
//! Must not know: which call the body belongs to.

use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use axum::body::{Body, HttpBody as _};
use axum::http::StatusCode;
use futures_util::future::poll_fn;
use serde::de::{self, MapAccess};
use serde::{Deserialize, Deserializer};
use serde_json::Value;
use serde_json::value::RawValue;
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

/// Most keys of one configuration: far more than any has, and few enough for work that grows with the square of their number.
const KEYS_AT_MOST: usize = 10_000;

/// Bytes of all bodies that are being read at the same time.
static FREE: Semaphore = Semaphore::const_new(24 * 1024 * 1024);

/// 8 MiB is far more than any configuration needs: a record in the config topic has at most 1 MiB by Kafka's default.
const BOUNDS: Bounds<'static> = Bounds { body_bytes: 8 * 1024 * 1024, free: &FREE, time: Duration::from_secs(30) };

/// A value of a body, as it was sent: numbers keep their spelling, so that `1.50` stays `1.50`.
#[derive(Clone, Debug)]
pub(super) struct Json(Box<RawValue>);

/// The fields of an object in order. A name that comes twice has its last value, at its first place, as in Java's maps.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields(Vec<(String, Json)>);

impl Json {
    fn text(&self) -> &str {
        self.0.get()
    }

    /// JSON's name for the type.
    pub(super) fn kind(&self) -> &'static str {
        match self.text().as_bytes().first() {
            Some(b'{') => "Object",
            Some(b'[') => "Array",
            Some(b'"') => "String",
            Some(b't' | b'f') => "Boolean",
            Some(b'n') => "null",
            _ => "Number",
        }
    }

    pub(super) fn is_null(&self) -> bool {
        self.kind() == "null"
    }

    /// A text, a number or a boolean as the text that Connect makes of it; `None` for anything else.
    pub(super) fn scalar(&self) -> Option<String> {
        match self.kind() {
            "String" => serde_json::from_str(self.text()).ok(),
            "Number" | "Boolean" => Some(self.text().to_owned()),
            _ => None,
        }
    }

    /// The fields of an object.
    pub(super) fn fields(&self) -> Option<Fields> {
        serde_json::from_str(self.text()).ok()
    }

    /// The elements of an array.
    pub(super) fn elements(&self) -> Option<Vec<Self>> {
        let all: Vec<Box<RawValue>> = serde_json::from_str(self.text()).ok()?;
        Some(all.into_iter().map(Self).collect())
    }

    /// The whole value, with numbers as JSON numbers.
    pub(super) fn value(&self) -> Result<Value, ApiError> {
        serde_json::from_str(self.text()).map_err(|error| malformed(&error))
    }
}

impl<'de> Deserialize<'de> for Fields {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Visitor;
        impl<'de> de::Visitor<'de> for Visitor {
            type Value = Fields;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Fields, A::Error> {
                let (mut fields, mut places) = (Fields::default(), HashMap::new());
                while let Some((name, value)) = map.next_entry::<String, Box<RawValue>>()? {
                    if let Some(place) = places.get(&name).copied() {
                        let known: &mut (String, Json) = &mut fields.0[place];
                        known.1 = Json(value);
                    } else {
                        places.insert(name.clone(), fields.0.len());
                        fields.0.push((name, Json(value)));
                    }
                }
                Ok(fields)
            }
        }
        deserializer.deserialize_map(Visitor)
    }
}

impl Fields {
    /// Takes a field out.
    pub(super) fn remove(&mut self, name: &str) -> Option<Json> {
        let place = self.0.iter().position(|(known, _)| known == name)?;
        Some(self.0.remove(place).1)
    }
}

/// Reads a body, whatever it holds.
pub(super) async fn bytes(body: Body) -> Result<Vec<u8>, ApiError> {
    collect(body, &BOUNDS).await
}

/// Reads a body of one JSON value.
pub(super) async fn read(body: Body) -> Result<Json, ApiError> {
    let bytes = collect(body, &BOUNDS).await?;
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Err(ApiError::bad("The request has no body: a JSON object is expected"));
    }
    serde_json::from_slice(&bytes).map(Json).map_err(|error| malformed(&error))
}

fn malformed(error: &serde_json::Error) -> ApiError {
    let (line, column) = (error.line(), error.column());
    let text = error.to_string();
    let text = text.split(" at line ").next().unwrap_or_default();
    ApiError::bad(format!("{text} at [Source: REDACTED; line: {line}, column: {column}]"))
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
pub(super) fn object(json: &Json, class: &str, known: &[&str]) -> Result<Fields, ApiError> {
    let Some(fields) = json.fields() else {
        return Err(ApiError::bad(format!(
            "Cannot deserialize value of type `{class}` from {} value: a JSON object is expected",
            json.kind()
        )));
    };
    if let Some((field, _)) = fields.0.iter().find(|(field, _)| !known.contains(&field.as_str())) {
        let names: Vec<String> = known.iter().map(|name| format!("\"{name}\"")).collect();
        return Err(ApiError::bad(format!(
            "Unrecognized field \"{field}\" (class {class}), not marked as ignorable ({} known properties: {})",
            known.len(),
            names.join(", ")
        )));
    }
    Ok(fields)
}

/// A connector's configuration. Numbers and booleans become text as they are spelled, null stays null.
pub(super) fn config(json: &Json) -> Result<Properties, ApiError> {
    let Some(fields) = json.fields() else {
        return Err(ApiError::bad(format!("A configuration is a JSON object of names and texts, not {}", json.kind())));
    };
    if fields.0.len() > KEYS_AT_MOST {
        return Err(ApiError::bad(format!(
            "A configuration has at most {KEYS_AT_MOST} keys, and this one has {}",
            fields.0.len()
        )));
    }
    let mut config = Properties::new();
    for (name, value) in fields.0 {
        if value.is_null() {
            config.insert_null(name);
        } else if let Some(text) = value.scalar() {
            config.insert(name, text);
        } else {
            let token = if value.kind() == "Array" { "START_ARRAY" } else { "START_OBJECT" };
            return Err(ApiError::bad(format!(
                "Cannot deserialize value of type `java.lang.String` from {} value (token `JsonToken.{token}`): the value \
                 of \"{name}\" must be a text",
                value.kind()
            )));
        }
    }
    Ok(config)
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

    #[tokio::test]
    async fn values_keep_their_spelling() {
        let sent = r#"{"a":1.50,"b":true,"c":1E3,"d":12345678901234567890123,"e":"x\u00e4","a":0.10,"f":null}"#;
        let read = config(&read(Body::from(sent)).await.expect("JSON")).expect("a configuration");
        let seen: Vec<_> = read.iter().map(|(name, value)| format!("{name}={}", value.unwrap_or("null"))).collect();
        assert_eq!(seen, ["a=0.10", "b=true", "c=1E3", "d=12345678901234567890123", "e=xä", "f=null"]);
    }

    #[tokio::test]
    async fn what_is_no_configuration() {
        for (sent, part) in [
            (r#"{"a":[1]}"#, "from Array value (token `JsonToken.START_ARRAY`)"),
            (r#"{"a":{}}"#, "from Object value (token `JsonToken.START_OBJECT`)"),
            ("[]", "not Array"),
            ("null", "not null"),
        ] {
            let error = config(&read(Body::from(sent)).await.expect("JSON")).expect_err(sent);
            assert_eq!(error.status().as_u16(), 400);
            assert!(format!("{error:?}").contains(part), "{sent}: {error:?}");
        }
        let many: Vec<String> = (0..=KEYS_AT_MOST).map(|number| format!("\"{number}\":1")).collect();
        let error =
            config(&read(Body::from(format!("{{{}}}", many.join(",")))).await.expect("JSON")).expect_err("too many");
        assert!(format!("{error:?}").contains("at most 10000 keys"), "{error:?}");
        for sent in ["{", "{\"a\":1,}", "nul", "{} {}", "\"\u{1}\"", "{\"a\":01}", ""] {
            let error = read(Body::from(sent)).await.expect_err(sent);
            assert_eq!(error.status().as_u16(), 400, "{sent}");
        }
        // A body may be nested as deeply as it is long.
        let deep = "[".repeat(200_000) + &"]".repeat(200_000);
        let error = config(&read(Body::from(deep)).await.expect("JSON")).expect_err("no object");
        assert!(format!("{error:?}").contains("not Array"), "{error:?}");
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
