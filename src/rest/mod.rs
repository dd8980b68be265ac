//! The Connect REST API: HTTP, its JSON and its texts; a file a resource.
//!
//! Clients of Kafka Connect depend on status codes, on the order of fields and on texts down to the missing
//! `Content-Type` of an error, so the rules that come before a resource (unknown path, wrong method, wrong media type,
//! trailing slash) are one table and one gate ([`gate`]) in front of the router, not habits of its handlers. Where Connect
//! answers a client's mistake with 500, the answer here is 400.
//!
//! TLS and basic auth will stand between the listener and the gate: [`serve`] takes any listener, and [`router`] is the
//! same with or without them.
//!
//! Must not know: databases, the Kafka client, what a connector's keys mean.

mod body;
mod connectors;
mod cors;
mod error;
mod gate;
mod health;
mod loggers;
mod metrics;
mod offsets;
mod openapi;
mod plugins;
mod routes;
mod tasks;
mod topics;

use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use tokio::net::TcpListener;
use tokio::sync::watch;

pub use cors::Cors;
pub use error::ApiError;
pub use loggers::{Apply, Loggers};

use crate::runtime::supervisor::Supervisor;

/// What the API shows of the process, and its settings.
#[derive(Clone)]
pub struct Config {
    /// `commit` of `GET /`.
    pub commit: String,
    /// The Kafka cluster's id; empty until it is known.
    pub kafka_cluster_id: watch::Receiver<String>,
    /// Base of `Location`, such as `http://host:8083`: `rest.advertised.*`, else the listener's.
    pub advertised_url: String,
    /// `access.control.allow.*`; `None`: off.
    pub cors: Option<Cors>,
    /// `admin.listeners` set to the empty text switches the loggers' resource off.
    pub is_admin_enabled: bool,
    /// Log levels.
    pub loggers: Loggers,
}

/// What handlers share.
#[derive(Clone)]
pub(crate) struct App {
    supervisor: Arc<Supervisor>,
    config: Arc<Config>,
}

/// The whole API.
pub fn router(supervisor: Arc<Supervisor>, config: Config) -> Router {
    let app = App { supervisor, config: Arc::new(config) };
    let resources = Router::new()
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(connectors::routes())
        .merge(tasks::routes())
        .merge(topics::routes())
        .merge(offsets::routes())
        .merge(plugins::routes())
        .merge(loggers::routes())
        .merge(openapi::routes())
        .with_state(app.clone());
    // The gate changes the path (trailing slashes), so it must stand in front of the router, not inside of it.
    Router::new()
        .fallback_service(resources)
        .layer(axum::middleware::from_fn_with_state(app.clone(), gate::gate))
        .layer(axum::middleware::from_fn_with_state(app, cors::answer))
        .layer(axum::middleware::from_fn(gate::log))
}

/// Serves until `stop` turns true, then lets the requests under way end for at most `grace`.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    mut stop: watch::Receiver<bool>,
    grace: Duration,
) -> std::io::Result<()> {
    let mut ended = stop.clone();
    let serving = axum::serve(listener, router).with_graceful_shutdown(async move {
        // A sender that is gone means that the daemon ends.
        let _ = stop.wait_for(|stop| *stop).await;
    });
    let bound = async {
        let _ = ended.wait_for(|stop| *stop).await;
        tokio::time::sleep(grace).await;
    };
    tokio::select! {
        served = serving => served,
        () = bound => {
            tracing::warn!("requests were still under way {} ms after the stop and were cut", grace.as_millis());
            Ok(())
        }
    }
}

/// What a handler answers.
type Answer = Result<Response, ApiError>;

/// JSON with Connect's content type: no charset.
fn json<T: Serialize + ?Sized>(status: StatusCode, value: &T) -> Response {
    // Maps with text keys: serialising cannot fail; an empty body would be seen at once.
    let body = serde_json::to_vec(value).unwrap_or_default();
    (status, [("content-type", "application/json")], body).into_response()
}

#[allow(clippy::unnecessary_wraps, reason = "handlers end with it, and answer a Result")]
fn ok<T: Serialize + ?Sized>(value: &T) -> Answer {
    Ok(json(StatusCode::OK, value))
}

/// A bare status: no body, no content type.
fn bare(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

/// The path's segments, decoded; put there by the gate.
#[derive(Clone, Debug, Default)]
pub(crate) struct Segments(Vec<String>);

impl Segments {
    fn at(&self, i: usize) -> &str {
        self.0.get(i).map_or("", String::as_str)
    }

    /// The task's number at `i`; Connect does not know the path when it is none.
    fn task(&self, i: usize) -> Result<u32, ApiError> {
        let number: i32 = self.at(i).parse().map_err(|_| ApiError::new(StatusCode::NOT_FOUND, "HTTP 404 Not Found"))?;
        Ok(u32::try_from(number).unwrap_or(u32::MAX))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Segments {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(parts.extensions.get::<Self>().cloned().unwrap_or_default())
    }
}

/// Query parameters: repeatable, in order.
pub(crate) struct Query(Vec<(String, String)>);

impl Query {
    fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    /// Connect's booleans: `true` in any case is true, everything else is false.
    fn flag(&self, name: &str, default: bool) -> bool {
        self.all(name).next().map_or(default, |value| value.eq_ignore_ascii_case("true"))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Query {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        let query = parts.uri.query().unwrap_or_default();
        let pair = |part: &str| {
            let (name, value) = part.split_once('=').unwrap_or((part, ""));
            (gate::decode(&name.replace('+', " ")), gate::decode(&value.replace('+', " ")))
        };
        Ok(Self(query.split('&').filter(|part| !part.is_empty()).map(pair).collect()))
    }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests;
