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
    ok(&part_json(Some(task), &app.supervisor.task_state(path.at(1), task)?))
}

async fn restart(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.restart_task(path.at(1), path.task(3)?).await?;
    Ok(bare(StatusCode::NO_CONTENT))
}

/// Answers the calls between Kafka Connect's workers. They are signed with a key that those workers share (KIP-507). No
/// such worker can be in a group that this daemon owns, so no signature can be right.
async fn internal(headers: HeaderMap) -> Answer {
    if !headers.contains_key("x-connect-authorization") {
        return Err(ApiError::bad("Internal request missing required signature"));
    }
    Err(ApiError::new(StatusCode::FORBIDDEN, "Internal request contained invalid signature."))
}
