//! The Kafka Connect REST API: HTTP, JSON bodies and messages. Each resource has its own file.
//!
//! Purpose: clients of Kafka Connect keep working. They depend on status codes, on the order of fields, on messages and
//! even on the missing `Content-Type` of some errors. The rules that come before a resource (unknown path, wrong
//! method, wrong media type, trailing slash, password) are therefore one table and one gate (`gate.rs`) in front of the
//! router, and not repeated in the handlers. Where Connect answers 500 to a client's mistake, the answer here is 400.
//!
//! A connection comes in through [`server`], which limits what a client may cost and speaks TLS. A request then passes,
//! from the outside in: its span (where traces are exported), the log line, the headers of `response.http.headers.config`, CORS, the gate, perhaps the way on to the
//! group's owner (`forward.rs`), and its handler.
//!
//! Must not know: databases, the Kafka client, what a connector's keys mean.

mod answer;
pub mod auth;
mod body;
mod connectors;
mod cors;
mod dead_letters;
mod error;
mod forward;
mod gate;
mod health;
mod loggers;
mod metrics;
mod offsets;
mod openapi;
mod plugins;
mod request;
mod response_headers;
mod routes;
pub mod server;
mod tasks;
mod topics;
mod traced;

use std::sync::Arc;

use axum::Router;
use axum::middleware::{from_fn, from_fn_with_state};
use tokio::sync::watch;

use answer::{Answer, bare, json, ok};
use health::CONNECT_VERSION;
use request::{Query, Segments};

pub use auth::BasicAuth;
pub use cors::Cors;
pub use error::ApiError;
pub use forward::Forwarder;
pub use loggers::{Apply, Loggers};
pub use metrics::MetricNames;
pub use response_headers::ResponseHeaders;

use crate::runtime::supervisor::Supervisor;
use crate::runtime::traces::Tracer;

/// What the API tells about the process, and its settings.
#[derive(Clone)]
pub struct Config {
    /// The `commit` in the answer to `GET /`.
    pub commit: String,
    /// The Kafka cluster's id; empty until a broker has told it. `GET /` answers 503 until then.
    pub kafka_cluster_id: watch::Receiver<String>,
    /// The brokers that are asked for the cluster's id, as `bootstrap.servers` names them.
    pub bootstrap_servers: String,
    /// Base of the `Location` header, such as `http://host:8083`: from `rest.advertised.*`, else the listener's
    /// address.
    pub advertised_url: String,
    /// `access.control.allow.*`; `None`: CORS is off.
    pub cors: Option<Cors>,
    /// `response.http.headers.config`.
    pub response_headers: ResponseHeaders,
    /// Who may call, when `rest.extension.classes` names the basic auth extension; `None`: everybody.
    pub auth: Option<Arc<BasicAuth>>,
    /// Log levels (`/admin/loggers`).
    pub loggers: Loggers,
    /// `metrics.names`.
    pub metric_names: MetricNames,
    /// Passes calls on to the group's owner.
    pub forwarder: Forwarder,
    /// Makes spans of calls.
    pub traces: Tracer,
}

/// The part of the API that a listener serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// The whole API. `listeners` serve it while `admin.listeners` is not set.
    Whole,
    /// All but `/admin`. `listeners` serve it when `admin.listeners` is set.
    WithoutAdmin,
    /// `/admin` only, on `admin.listeners`. As in Connect, there is no password, CORS or configured header.
    Admin,
}

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct App {
    supervisor: Arc<Supervisor>,
    config: Arc<Config>,
    part: Part,
}

/// Builds the router for one part of the API.
pub fn router(supervisor: Arc<Supervisor>, config: Config, part: Part) -> Router {
    let traces = config.traces.clone();
    let app = App { supervisor, config: Arc::new(config), part };
    let resources = Router::new()
        .merge(health::routes())
        .merge(metrics::routes())
        .merge(connectors::routes())
        .merge(tasks::routes())
        .merge(topics::routes())
        .merge(offsets::routes())
        .merge(dead_letters::routes())
        .merge(plugins::routes())
        .merge(loggers::routes())
        .merge(openapi::routes())
        .with_state(app.clone());
    let resources = Router::new().fallback_service(resources).layer(from_fn_with_state(app.clone(), forward::forward));
    // The gate changes the path (trailing slashes), so it must run before the router, not as a layer inside of it.
    let gated = Router::new().fallback_service(resources).layer(from_fn_with_state(app.clone(), gate::gate));
    let whole = if part == Part::Admin {
        gated
    } else {
        gated.layer(from_fn_with_state(app.clone(), cors::answer)).layer(from_fn_with_state(app, response_headers::add))
    };
    let logged = whole.layer(from_fn(gate::log));
    if traces.is_on() { logged.layer(from_fn_with_state(traces, traced::call)) } else { logged }
}

#[cfg(test)]
#[allow(clippy::expect_used, reason = "a test may")]
mod tests;
