//! The topics that a connector wrote to (KIP-558).
//!
//! Must not know: how they become known.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::{get, put};
use serde_json::{Map, json};

use super::{Answer, App, Segments, bare, ok};

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connectors/{connector}/topics", get(list))
        .route("/connectors/{connector}/topics/reset", put(reset))
}

async fn list(State(app): State<App>, path: Segments) -> Answer {
    let topics = app.supervisor.topics(path.at(1))?;
    ok(&Map::from_iter([(path.at(1).to_owned(), json!({"topics": topics}))]))
}

async fn reset(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.reset_topics(path.at(1))?;
    Ok(bare(StatusCode::ACCEPTED))
}
