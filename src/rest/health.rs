//! The worker itself: its version and its health.
//!
//! Must not know: what decides about the health.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::json;

use super::{Answer, ApiError, App, json as answer, ok};
use crate::runtime::supervisor::Health;

/// The Kafka Connect version that the API is compatible with. Some clients switch features on by it.
pub(super) const CONNECT_VERSION: &str = "4.3.1";

pub(super) fn routes() -> Router<App> {
    Router::new().route("/", get(root)).route("/health", get(health))
}

/// `GET /`. It answers 503 until a broker has told the cluster's id, because clients take a 200 here for a worker that
/// can work. (Connect's worker does not listen before it knows the id.) Once known the id stays, even if the brokers go
/// away.
async fn root(State(app): State<App>) -> Answer {
    let cluster = app.config.kafka_cluster_id.borrow().clone();
    if cluster.is_empty() {
        let message = format!(
            "Worker is still starting up. It waits for a broker to tell the Kafka cluster's id; none of bootstrap.servers \
             ({}) has answered yet",
            app.config.bootstrap_servers
        );
        return Err(ApiError::new(StatusCode::SERVICE_UNAVAILABLE, message));
    }
    ok(&json!({"version": CONNECT_VERSION, "commit": app.config.commit, "kafka_cluster_id": cluster}))
}

async fn health(State(app): State<App>) -> Answer {
    let (status, word, message) = match app.supervisor.health().await {
        Health::Healthy(message) => (StatusCode::OK, "healthy", message),
        Health::Starting(message) => (StatusCode::SERVICE_UNAVAILABLE, "starting", message),
        Health::Unhealthy(message) => (StatusCode::INTERNAL_SERVER_ERROR, "unhealthy", message),
    };
    Ok(answer(status, &json!({"status": word, "message": message})))
}
