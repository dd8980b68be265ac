//! Errors in Connect's form: `{"error_code":…,"message":…}`. The code is the HTTP status.
//!
//! Must not know: which call failed.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::runtime::supervisor::Refusal;
use crate::runtime::validate::Rejected;

/// An error as an answer.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    /// Whether the answer has a content type. In Connect, errors that come before a resource is chosen have none.
    is_typed: bool,
}

impl ApiError {
    /// An error of a resource.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), is_typed: true }
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// The answer to a client's mistake: 400.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// An error that comes before a resource is chosen, such as `HTTP 404 Not Found`. It has no content type.
    pub(super) fn untyped(status: StatusCode) -> Self {
        let reason = status.canonical_reason().unwrap_or_default();
        Self { status, message: format!("HTTP {} {reason}", status.as_u16()), is_typed: false }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let body = json!({"error_code": self.status.as_u16(), "message": self.message});
        if self.is_typed {
            return super::json(self.status, &body);
        }
        let mut response = Response::new(Body::from(body.to_string()));
        *response.status_mut() = self.status;
        response
    }
}

impl From<Refusal> for ApiError {
    fn from(refusal: Refusal) -> Self {
        let status = match &refusal {
            Refusal::Absent(_)
            | Refusal::UnknownHere(_)
            | Refusal::Unknown(_)
            | Refusal::UnknownTask(..)
            | Refusal::NoStatus(_)
            | Refusal::StatusNotFound(_)
            | Refusal::NoTaskStatus(..) => StatusCode::NOT_FOUND,
            Refusal::Exists(_) | Refusal::Busy(_) | Refusal::NotOwner => StatusCode::CONFLICT,
            Refusal::Invalid(_) => StatusCode::BAD_REQUEST,
            Refusal::TopicTracking(_) => StatusCode::FORBIDDEN,
            Refusal::Starting => StatusCode::SERVICE_UNAVAILABLE,
            Refusal::Failed(_) | Refusal::Stopping | Refusal::TimedOut(_) | Refusal::Store { .. } => {
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self::new(status, refusal.to_string())
    }
}

impl From<Rejected> for ApiError {
    fn from(rejected: Rejected) -> Self {
        match rejected {
            Rejected::Defect(trace) => Self::new(StatusCode::INTERNAL_SERVER_ERROR, trace),
            other => Self::bad(other.to_string()),
        }
    }
}
