//! A connector's tasks. Also the two calls that Kafka Connect's workers make to each other, which have no use here.
//!
//! Must not know: what a task does.

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::{get, post, put};
use serde_json::{Value, json};

use super::connectors::part_json;
use super::{Answer, ApiError, App, Segments, bare, ok};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connectors/{connector}/tasks", get(list).post(internal))
        .route("/connectors/{connector}/fence", put(internal))
        .route("/connectors/{connector}/tasks/{task}/status", get(status))
        .route("/connectors/{connector}/tasks/{task}/restart", post(restart))
}

async fn list(State(app): State<App>, path: Segments) -> Answer {
    let name = path.at(1);
    let one = |(task, config)| json!({"id": {"connector": name, "task": task}, "config": config});
    let tasks: Vec<Value> = app.supervisor.task_configs(name)?.into_iter().enumerate().map(one).collect();
    ok(&tasks)
}

async fn status(State(app): State<App>, path: Segments) -> Answer {
    let task = path.task(3)?;
    let state = app.supervisor.task_state(path.at(1), task)?;
    ok(&part_json(u32::try_from(task).ok(), &state))
}

async fn restart(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.restart_task(path.at(1), path.task(3)?).await?;
    Ok(bare(StatusCode::NO_CONTENT))
}

/// The headers of a call between workers.
const SIGNATURE: &str = "x-connect-authorization";
const ALGORITHM: &str = "x-connect-request-signature-algorithm";

/// Answers the calls between Kafka Connect's workers. They are signed with a key that those workers share (KIP-507). No
/// such worker can be in a group that this daemon owns, so no signature can be right.
async fn internal(State(app): State<App>, headers: HeaderMap) -> Answer {
    let text = |name: &str| headers.get(name).map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
    let (Some(_), Some(algorithm)) = (text(SIGNATURE), text(ALGORITHM)) else {
        return Err(ApiError::bad("Internal request missing required signature"));
    };
    let known = app.supervisor.settings().worker.get("inter.worker.verification.algorithms").unwrap_or("HmacSHA256");
    let known: Vec<&str> = known.split(',').map(str::trim).filter(|name| !name.is_empty()).collect();
    if !known.contains(&algorithm.as_str()) {
        return Err(ApiError::bad(format!(
            "This worker does not support the '{algorithm}' key signing algorithm used by other workers. This worker is \
             currently configured to use: [{}]. Check that all workers' configuration files permit the same set of signature \
             algorithms, and correct any misconfigured worker and restart it.",
            known.join(", ")
        )));
    }
    if !app.supervisor.is_read() {
        return Err(ApiError::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This worker is still starting up and has not been able to read a session key from the config topic yet",
        ));
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "Internal request contained invalid signature."))
}
