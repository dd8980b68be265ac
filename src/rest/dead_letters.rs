//! `/connectors/C/dead-letters`: what dead letters a connector has, and sending them again. Kafka Connect has no such calls.
//!
//! No answer holds anything of a record: letters are shown by their places, positions, stages and reasons.
//!
//! Must not know: how letters are kept.

use axum::Router;
use axum::extract::State;
use axum::routing::{get, post};
use serde_json::{Value, json};

use super::{Answer, ApiError, App, Query, Segments, ok};
use crate::runtime::supervisor::{LetterList, Replayed, Shown, Wanted};

/// How many of the newest letters are shown unless the caller says otherwise, and at most.
const SHOWN: (usize, usize) = (20, 100);
/// How many letters a replay takes unless the caller says otherwise, and at most.
const TAKEN: (usize, usize) = (1000, 10_000);

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connectors/{connector}/dead-letters", get(list))
        .route("/connectors/{connector}/dead-letters/replay", post(replay))
}

async fn list(State(app): State<App>, path: Segments, query: Query) -> Answer {
    let shows = number(&query, "newest", 0, SHOWN)?;
    ok(&list_json(&app.supervisor.dead_letters(path.at(1), shows).await?))
}

async fn replay(State(app): State<App>, path: Segments, query: Query) -> Answer {
    let wanted = Wanted { force: query.flag("force", false), limit: number(&query, "limit", 1, TAKEN)? };
    ok(&replayed_json(&app.supervisor.replay_letters(path.at(1), wanted).await?))
}

/// A whole number of the query.
fn number(query: &Query, name: &str, least: usize, (default, most): (usize, usize)) -> Result<usize, ApiError> {
    let Some(text) = query.all(name).next() else { return Ok(default) };
    let number = text.parse().ok().filter(|number| (least..=most).contains(number));
    number.ok_or_else(|| ApiError::bad(format!("\"{name}\" must be a whole number from {least} to {most}")))
}

fn list_json(list: &LetterList) -> Value {
    let LetterList { topic, letters, replayed, unreadable, newest } = list;
    let newest: Vec<Value> = newest.iter().map(letter_json).collect();
    json!({"topic": topic, "letters": letters, "replayed": replayed, "unreadable": unreadable, "newest": newest})
}

fn letter_json(letter: &Shown) -> Value {
    json!({
        "partition": letter.partition,
        "offset": letter.offset,
        "timestamp": letter.timestamp_ms,
        "topic": letter.topic,
        "source": {"partition": letter.source_partition, "offset": letter.source_offset},
        "stage": letter.stage,
        "class": letter.class,
        "exception": letter.exception,
        "message": letter.message,
        "replayed": letter.is_replayed,
    })
}

fn replayed_json(replayed: &Replayed) -> Value {
    let Replayed { sent, dropped, already, refused, reasons, left } = replayed;
    let reasons: Vec<Value> = reasons
        .iter()
        .map(|one| {
            json!({
                "partition": one.partition,
                "offset": one.offset,
                "timestamp": one.timestamp_ms,
                "topic": one.topic,
                "reason": one.reason,
            })
        })
        .collect();
    json!({"sent": sent, "dropped": dropped, "already": already, "refused": refused, "left": left, "reasons": reasons})
}
