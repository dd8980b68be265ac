//! What every request passes before a resource is chosen: path, method, media types, in the order in which Jersey looks.
//!
//! Must not know: what a resource does.

use std::time::Instant;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, ALLOW, CONNECTION, CONTENT_LENGTH, CONTENT_TYPE, USER_AGENT};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::routes::{self, Row};
use super::{ApiError, App, Segments};

/// Answers what needs no resource; else hands on with a path without trailing slashes.
pub(super) async fn gate(State(app): State<App>, mut request: Request, next: Next) -> Response {
    let path = request.uri().path();
    if let Some(reason) = refused(path) {
        return bad_request(request.method(), reason);
    }
    // What follows a semicolon are a segment's parameters; no resource has any.
    let plain = |segment: &'_ str| segment.split(';').next().unwrap_or_default().to_owned();
    let raw: Vec<String> = path.split('/').map(plain).filter(|segment| !segment.is_empty()).collect();
    let raw: Vec<&str> = raw.iter().map(String::as_str).collect();
    let is_admin = raw.first() == Some(&"admin");
    let Some(row) = routes::find(&raw).filter(|_| !is_admin || app.config.is_admin_enabled) else {
        return ApiError::untyped(StatusCode::NOT_FOUND).into_response();
    };
    if request.method() == Method::OPTIONS {
        return options(row);
    }
    let method = if request.method() == Method::HEAD { "GET" } else { request.method().as_str() };
    let Some((_, reads, _)) = row.methods.iter().find(|(name, ..)| *name == method) else {
        return ApiError::untyped(StatusCode::METHOD_NOT_ALLOWED).into_response();
    };
    if row.consumes && !is_json(request.headers(), *reads) {
        return ApiError::untyped(StatusCode::UNSUPPORTED_MEDIA_TYPE).into_response();
    }
    if !accepts_json(request.headers()) {
        return ApiError::untyped(StatusCode::NOT_ACCEPTABLE).into_response();
    }
    let segments = Segments(raw.iter().map(|segment| decode(segment)).collect());
    let mut plain = format!("/{}", raw.join("/"));
    if let Some(query) = request.uri().query() {
        plain.push('?');
        plain.push_str(query);
    }
    if let Ok(uri) = plain.parse::<Uri>() {
        *request.uri_mut() = uri;
    }
    request.extensions_mut().insert(segments);
    next.run(request).await
}

/// One line a request, as Connect's own log has it.
pub(super) async fn log(request: Request, next: Next) -> Response {
    let begin = Instant::now();
    let (method, uri) = (request.method().clone(), request.uri().clone());
    let agent = request.headers().get(USER_AGENT).and_then(|agent| agent.to_str().ok()).unwrap_or("-").to_owned();
    let response = next.run(request).await;
    let length = response.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok()).unwrap_or("-");
    tracing::info!(
        target: "org.apache.kafka.connect.runtime.rest.RestServer",
        "\"{method} {uri} HTTP/1.1\" {} {length} \"-\" \"{agent}\" {}",
        response.status().as_u16(),
        begin.elapsed().as_millis()
    );
    response
}

/// Percent-decoding; what is not UTF-8 afterwards is replaced, and then matches no name.
pub(super) fn decode(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        let hex = (first == b'%').then(|| tail.get(..2)).flatten();
        let byte = hex.and_then(|hex| u8::from_str_radix(str::from_utf8(hex).ok()?, 16).ok());
        bytes.push(byte.unwrap_or(first));
        rest = if byte.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// What Connect's HTTP layer refuses of a path, before any JSON.
fn refused(path: &str) -> Option<&'static str> {
    if path.contains("//") {
        return Some("Ambiguous URI empty segment");
    }
    path.split('%').skip(1).find_map(|after| {
        let code = after.get(..2).filter(|hex| hex.bytes().all(|byte| byte.is_ascii_hexdigit()));
        match code.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            None => Some("Bad URI"),
            Some(b'/') => Some("Ambiguous URI path separator"),
            Some(0..0x20 | 0x7f) => Some("Suspicious Path Character"),
            Some(_) => None,
        }
    })
}

fn bad_request(method: &Method, reason: &str) -> Response {
    if !matches!(*method, Method::GET | Method::HEAD | Method::POST) {
        // Jetty writes a page for these three only.
        return (StatusCode::BAD_REQUEST, [(CONNECTION, "close")]).into_response();
    }
    let page = format!(
        "<html><head><title>Error 400 {reason}</title></head><body><h2>HTTP ERROR 400 {reason}</h2></body></html>\n"
    );
    let headers = [(CONTENT_TYPE, "text/html;charset=iso-8859-1"), (CONNECTION, "close")];
    (StatusCode::BAD_REQUEST, headers, page).into_response()
}

fn options(row: &Row) -> Response {
    let mut methods: Vec<&str> = row.methods.iter().map(|(name, ..)| *name).collect();
    if let Some(get) = methods.iter().position(|name| *name == "GET") {
        methods.remove(get);
        methods.insert(0, "HEAD");
        methods.push("GET");
    }
    methods.push("OPTIONS");
    let mut response = Response::new(Body::from(methods.join(", ")));
    response.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("text/plain"));
    if let Ok(allow) = HeaderValue::from_str(&methods.join(",")) {
        response.headers_mut().insert(ALLOW, allow);
    }
    response
}

fn is_json(headers: &HeaderMap, reads: bool) -> bool {
    let Some(sent) = headers.get(CONTENT_TYPE) else { return !reads };
    let media = sent.to_str().unwrap_or_default().split(';').next().unwrap_or_default().trim();
    matches!(media.to_ascii_lowercase().as_str(), "application/json" | "application/*" | "*/*")
}

fn accepts_json(headers: &HeaderMap) -> bool {
    let mut ranges = headers
        .get_all(ACCEPT)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .filter(|range| !range.is_empty())
        .peekable();
    let is_any = ranges.peek().is_none();
    is_any
        || ranges.any(|range| {
            let mut parts = range.split(';').map(str::trim);
            let media = parts.next().unwrap_or_default().to_ascii_lowercase();
            let refused = parts.any(|p| p.strip_prefix("q=").and_then(|q| q.parse::<f32>().ok()) == Some(0.0));
            !refused && matches!(media.as_str(), "application/json" | "application/*" | "*/*" | "*")
        })
}
