//! Errors as Connect answers them: `{"error_code":…,"message":…}`, the code being the HTTP status.
//!
//! Must not know: which call failed.

use axum::body::Body;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::runtime::supervisor::Refusal;
use crate::runtime::validate::Rejected;

/// An answer that is an error.
#[derive(Debug)]
pub struct ApiError {
    status: StatusCode,
    message: String,
    /// Errors from before a resource is chosen have no content type, in Connect.
    is_typed: bool,
}

impl ApiError {
    /// Of a resource.
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into(), is_typed: true }
    }

    #[cfg(test)]
    pub(super) fn status(&self) -> StatusCode {
        self.status
    }

    /// A client's mistake.
    pub(super) fn bad(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    /// From before a resource is chosen: `HTTP 404 Not Found` and the like, without a content type.
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
            Refusal::Exists(_) | Refusal::NotOwner => StatusCode::CONFLICT,
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
