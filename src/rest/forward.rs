//! Passes calls that only the group's owner can answer on to the owner, as Connect's workers pass them on to their leader.
//!
//! A client may then call any worker, as behind a load balancer. Of the headers only `Authorization` goes along, and the trace
//! that the call is in, where traces are exported. The answer
//! comes back as it is. A call is passed on twice at most: the query `forward=true` marks the first hop and `forward=false` the
//! second, because the group may change hands in between.
//!
//! Must not know: what a call does.

use std::time::Duration;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, LOCATION, USER_AGENT};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Url};
use settings::Properties;

use super::server::{Tls, TlsError};
use super::{ApiError, App, Query, body, routes, traced};
use crate::runtime::supervisor::Leader;
use crate::runtime::traces::Context;

/// A call may take 90 s at the owner; the answer then says so.
const ANSWER_WAIT: Duration = Duration::from_secs(100);
const CONNECT_WAIT: Duration = Duration::from_secs(10);
/// Connect's answer to a call that was passed on twice and still did not come to the right worker.
const CONFLICT: &str = "Cannot complete request because of a conflicting operation (e.g. worker rebalance)";

/// Makes the calls to the owner. TLS settings that will not do matter only once the owner is called over https: until then they
/// may be meant for something else, and Connect does not look at them either.
#[derive(Clone, Debug)]
pub struct Forwarder {
    plain: Client,
    tls: Result<Client, String>,
}

impl Forwarder {
    /// With the TLS settings of the worker's https listeners: other workers have the same.
    ///
    /// # Errors
    /// When no client can be made at all.
    pub fn new(worker: &Properties) -> Result<Self, TlsError> {
        let built = |builder: ClientBuilder| {
            let builder =
                builder.redirect(Policy::none()).no_proxy().connect_timeout(CONNECT_WAIT).timeout(ANSWER_WAIT);
            builder.build().map_err(|error| TlsError { key: "listeners".to_owned(), reason: error.to_string() })
        };
        let tls = Tls::client(worker, "listeners.https.");
        let tls = tls.and_then(|tls| built(Client::builder().tls_backend_preconfigured(tls)));
        // The HTTP client brings no TLS of its own, also where none is spoken.
        let plain = built(Client::builder().tls_backend_preconfigured(Tls::client(&Properties::new(), "")?))?;
        Ok(Self { plain, tls: tls.map_err(|error| error.to_string()) })
    }

    fn client(&self, owner: &Url) -> Result<&Client, &String> {
        if owner.scheme() == "https" { self.tls.as_ref() } else { Ok(&self.plain) }
    }
}

/// Passes the call on when the owner is another process and only the owner can answer. Else the handler answers.
pub(super) async fn forward(State(app): State<App>, request: Request, next: Next) -> Response {
    if !is_for_the_owner(&request) {
        return next.run(request).await;
    }
    let Leader::Other(url) = app.supervisor.leader() else { return next.run(request).await };
    match pass_on(&app.config.forwarder, &url, request).await {
        Ok(response) => response,
        Err(error) => error.into_response(),
    }
}

/// Whether a call changes something, apart from the calls between workers and from what concerns this process alone.
fn is_for_the_owner(request: &Request) -> bool {
    let method = request.method();
    if matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS) {
        return false;
    }
    let segments: Vec<&str> = request.uri().path().split('/').filter(|segment| !segment.is_empty()).collect();
    let Some(row) = routes::find(&segments) else { return false };
    if row.path == "/admin/loggers/{logger}" {
        let query = Query::of(request.uri());
        return query.all("scope").next().is_some_and(|scope| scope.eq_ignore_ascii_case("cluster"));
    }
    row.path.starts_with("/connectors") && !row.is_internal(method.as_str())
}

async fn pass_on(forwarder: &Forwarder, owner: &str, request: Request) -> Result<Response, ApiError> {
    let hop = match Query::of(request.uri()).all("forward").next() {
        None => "true",
        Some(first) if first.eq_ignore_ascii_case("true") => "false",
        Some(_) => return Err(ApiError::new(StatusCode::CONFLICT, CONFLICT)),
    };
    let failed = |error: &dyn std::fmt::Display| {
        let message = format!("IO Error trying to forward REST request: {error}");
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, message)
    };
    let (parts, sent) = request.into_parts();
    let mut url: Url =
        format!("{}{}", owner.trim_end_matches('/'), parts.uri.path()).parse().map_err(|error| failed(&error))?;
    let query = parts.uri.query().unwrap_or_default().split('&');
    let kept = query.filter(|pair| !pair.is_empty() && *pair != "forward" && !pair.starts_with("forward="));
    let query: Vec<String> = kept.map(str::to_owned).chain([format!("forward={hop}")]).collect();
    url.set_query(Some(&query.join("&")));
    let client = forwarder.client(&url).map_err(|error| failed(error))?;
    let sent = body::bytes(sent).await?;
    let mut call =
        client.request(parts.method, url).header(ACCEPT, "application/json").header(USER_AGENT, "kafka-connect");
    for name in [AUTHORIZATION, CONTENT_TYPE] {
        if let Some(value) = parts.headers.get(&name) {
            call = call.header(name, value);
        }
    }
    call = call.headers(traced::headers(parts.extensions.get::<Context>()));
    let answer = call.body(sent).send().await.map_err(|error| failed(&chain(&error)))?;
    let mut response = Response::new(Body::empty());
    *response.status_mut() = answer.status();
    for name in [CONTENT_TYPE, LOCATION] {
        if let Some(value) = answer.headers().get(&name) {
            response.headers_mut().insert(name, value.clone());
        }
    }
    *response.body_mut() = Body::from(answer.bytes().await.map_err(|error| failed(&chain(&error)))?);
    Ok(response)
}

/// An error with what is behind it. The owner's address has no user and password.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut behind = std::error::Error::source(error);
    while let Some(cause) = behind {
        text.push_str(": ");
        text.push_str(&cause.to_string());
        behind = cause.source();
    }
    text
}
