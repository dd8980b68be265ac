//! The two forms of an answer: JSON, or a bare status.
//!
//! Must not know: which call is answered.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use super::ApiError;

/// What a handler returns.
pub(super) type Answer = Result<Response, ApiError>;

/// JSON with Connect's content type, which names no charset.
pub(super) fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Response {
    // Serialising cannot fail, because all maps have text keys. If it did, the empty body would be noticed at once.
    let body = serde_json::to_vec(value).unwrap_or_default();
    (status, [("content-type", "application/json")], body).into_response()
}

#[allow(clippy::unnecessary_wraps, reason = "handlers end with it, and answer a Result")]
pub(super) fn ok<T: Serialize + ?Sized>(value: &T) -> Answer {
    Ok(json(StatusCode::OK, value))
}

/// A status without body and content type.
pub(super) fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}
