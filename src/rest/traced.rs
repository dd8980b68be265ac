//! The span of a call. A caller's own trace (W3C's `traceparent`) is gone on with, and a call that is passed on to the group's owner
//! takes the trace along.
//!
//! Must not know: what a call does, where spans are sent.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, Method, Uri};
use axum::middleware::Next;
use axum::response::Response;

use super::routes::{self, METRICS};
use super::{Segments, gate};
use crate::runtime::traces::{Context, Kind, Span, Tracer};

/// The headers of W3C's trace context.
const TRACEPARENT: &str = "traceparent";
const TRACESTATE: &str = "tracestate";

/// What asks for these asks all the time. Only a caller who has a trace of its own wants to see it there.
const ASKED_ALL_THE_TIME: [&str; 2] = ["/health", METRICS];

/// Makes the span of a call. This layer is there only where traces are exported.
pub(super) async fn call(State(tracer): State<Tracer>, mut request: Request, next: Next) -> Response {
    let Some(mut span) = begin(&tracer, request.method(), request.uri(), request.headers()) else {
        return next.run(request).await;
    };
    request.extensions_mut().insert(span.context().clone());
    let response = next.run(request).await;
    let status = response.status();
    span.set("http.response.status_code", i64::from(status.as_u16()));
    // A client's mistake is no failure of this span, as the conventions for servers say.
    if status.is_server_error() {
        span.fail(status.as_u16().to_string());
    }
    response
}

/// Begins the span of a call; none for a call that is not worth one.
fn begin(tracer: &Tracer, asked: &Method, uri: &Uri, headers: &HeaderMap) -> Option<Span> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let caller = tracer.caller(text(TRACEPARENT), text(TRACESTATE));
    let segments = Segments(uri.path().split('/').filter(|part| !part.is_empty()).map(gate::decode).collect());
    let texts: Vec<&str> = segments.0.iter().map(String::as_str).collect();
    let route = routes::find(&texts).map(|row| row.path);
    if caller.is_none() && route.is_some_and(|route| ASKED_ALL_THE_TIME.contains(&route)) {
        return None;
    }
    let method = method(asked);
    let name = route.map_or_else(|| method.to_owned(), |route| format!("{method} {route}"));
    let mut span = tracer.begin(name, Kind::Server, caller.as_ref())?;
    span.set("http.request.method", method);
    // An address that leads nowhere may be anything, and is not shown; a query never is.
    if let Some(route) = route {
        span.set("http.route", route);
        span.set("url.path", uri.path().to_owned());
        if route.starts_with("/connectors/{connector}") {
            span.set("afterimage.connector", segments.at(1).to_owned());
        }
    }
    Some(span)
}

/// The method as an attribute; others than these could be without end.
fn method(method: &Method) -> &'static str {
    ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT"]
        .into_iter()
        .find(|known| method == *known)
        .unwrap_or("_OTHER")
}

/// The headers with which a call that is passed on stays in its trace.
pub(super) fn headers(context: Option<&Context>) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let Some(context) = context else { return headers };
    let texts = [(TRACEPARENT, Some(context.traceparent())), (TRACESTATE, context.state.as_deref().map(str::to_owned))];
    for (name, text) in texts {
        if let Some(value) = text.and_then(|text| text.parse().ok()) {
            headers.insert(name, value);
        }
    }
    headers
}
