//! The parts of a request that handlers read besides its body: the segments of the path, and the query.
//!
//! Must not know: which call is made.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use axum::http::{StatusCode, Uri};

use super::{ApiError, gate};

/// The decoded segments of the path, which the gate has put there.
#[derive(Clone, Debug, Default)]
pub(super) struct Segments(pub(super) Vec<String>);

impl Segments {
    pub(super) fn at(&self, i: usize) -> &str {
        self.0.get(i).map_or("", String::as_str)
    }

    /// Segment `i` as the number of a task. Like Connect, a path with anything else there is a 404.
    pub(super) fn task(&self, i: usize) -> Result<i32, ApiError> {
        self.at(i).parse().map_err(|_| ApiError::new(StatusCode::NOT_FOUND, "HTTP 404 Not Found"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Query parameters in order. A name may come more than once.
pub(super) struct Query(Vec<(String, String)>);

impl Query {
    /// The query of an address.
    pub(super) fn of(uri: &Uri) -> Self {
        let query = uri.query().unwrap_or_default();
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (gate::decode(&name.replace('+', " ")), gate::decode(&value.replace('+', " ")))
        };
        Self(query.split('&').filter(|part| !part.is_empty()).map(pair).collect())
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Reads a boolean like Connect: `true` in upper or lower case is true, everything else is false.
    pub(super) fn flag(&self, name: &str, default: bool) -> bool {
        self.all(name).next().map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self::of(&parts.uri))
    }
}
