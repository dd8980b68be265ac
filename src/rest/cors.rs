//! Cross-origin requests, as `access.control.allow.origin` and `access.control.allow.methods` say.
//!
//! Must not know: resources.

use axum::extract::{Request, State};
use axum::http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_MAX_AGE,
    ACCESS_CONTROL_REQUEST_METHOD, ORIGIN, VARY,
};
use axum::http::{HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use settings::{JavaRegex, RegexError};

use super::App;

/// Which origins may call, and with which methods.
#[derive(Clone, Debug)]
pub struct Cors {
    /// Each pattern must match a whole origin. Not used when `is_any` is set.
    origins: Vec<JavaRegex>,
    is_any: bool,
    methods: HeaderValue,
}

impl Cors {
    /// Reads the worker's two settings. `None` when `origins` is empty, which switches CORS off.
    pub fn new(origins: &str, methods: &str) -> Result<Option<Self>, RegexError> {
        let items: Vec<&str> = origins.split(',').map(str::trim).filter(|item| !item.is_empty()).collect();
        if items.is_empty() {
            return Ok(None);
        }
        let is_any = items.contains(&"*");
        let patterns = items.iter().filter(|item| **item != "*");
        let origins = patterns.map(|item| JavaRegex::new(item)).collect::<Result<_, _>>()?;
        let methods = if methods.trim().is_empty() { "GET,POST,HEAD" } else { methods.trim() };
        let methods = HeaderValue::from_str(methods).unwrap_or(HeaderValue::from_static("GET,POST,HEAD"));
        Ok(Some(Self { origins, is_any, methods }))
    }

    fn allows(&self, origin: &str) -> bool {
        self.is_any || self.origins.iter().any(|pattern| pattern.matches(origin).unwrap_or(false))
    }
}

/// Adds the CORS headers. The request itself is served in any case.
pub(super) async fn answer(State(app): State<App>, request: Request, next: Next) -> Response {
    let Some(cors) = &app.config.cors else { return next.run(request).await };
    let origin = request.headers().get(ORIGIN).cloned();
    let is_preflight =
        request.method() == Method::OPTIONS && request.headers().contains_key(ACCESS_CONTROL_REQUEST_METHOD);
    let mut response = next.run(request).await;
    let headers = response.headers_mut();
    headers.append(VARY, HeaderValue::from_static("Origin"));
    if let Some(origin) = origin.filter(|origin| origin.to_str().is_ok_and(|origin| cors.allows(origin))) {
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        if is_preflight {
            headers.insert(ACCESS_CONTROL_ALLOW_METHODS, cors.methods.clone());
            headers.insert(ACCESS_CONTROL_ALLOW_HEADERS, HeaderValue::from_static("Content-Type"));
            headers.insert(ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("60"));
        }
    }
    response
}
