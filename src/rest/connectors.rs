//! `/connectors`: configuration, status, creation and deletion of connectors, and pause, resume, stop and restart.
//!
//! Must not know: how a connector is run.

use std::fmt::Write;

use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use axum::routing::{get, post, put};
use serde_json::{Map, Value, json};
use settings::Properties;

use super::{Answer, ApiError, App, Query, Segments, bare, body, json as answer, ok};
use crate::runtime::supervisor::{Info, PartState, StateInfo};
use crate::runtime::validate;
use crate::store::TargetState;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connectors", get(list).post(create))
        .route("/connectors/{connector}", get(info).delete(remove))
        .route("/connectors/{connector}/config", get(config).put(replace).patch(patch))
        .route("/connectors/{connector}/status", get(status))
        .route("/connectors/{connector}/restart", post(restart))
        .route("/connectors/{connector}/pause", put(pause))
        .route("/connectors/{connector}/resume", put(resume))
        .route("/connectors/{connector}/stop", put(stop))
}

async fn list(State(app): State<App>, query: Query) -> Answer {
    let names = app.supervisor.names()?;
    if query.all("expand").next().is_none() {
        return ok(&names);
    }
    let (with_status, with_info) =
        (query.all("expand").any(|e| e == "status"), query.all("expand").any(|e| e == "info"));
    let mut all = Map::new();
    for name in names {
        let mut one = Map::new();
        if with_status {
            // One that has no status yet is left out, as Connect does.
            let Ok(state) = app.supervisor.connector_state(&name) else { continue };
            one.insert("status".to_owned(), state_json(&state));
        }
        if with_info {
            // The connector was deleted in the meantime.
            let Ok(info) = app.supervisor.info(&name) else { continue };
            one.insert("info".to_owned(), info_json(&info));
        }
        all.insert(name, Value::Object(one));
    }
    ok(&all)
}

async fn create(State(app): State<App>, request: Request) -> Answer {
    const CLASS: &str = "org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest";
    let sent = body::read(request.into_body()).await?;
    let mut fields = body::object(&sent, CLASS, &["initial_state", "config", "name"])?;
    let mut text = |name: &str| match fields.remove(name).filter(|value| !value.is_null()) {
        None => Ok(None),
        Some(value) => match value.scalar() {
            Some(text) => Ok(Some(text)),
            None => Err(ApiError::bad(format!("\"{name}\" must be a text, not {}", value.kind()))),
        },
    };
    let name = text("name")?.unwrap_or_default().trim().to_owned();
    let initial = text("initial_state")?.map(|state| initial_state(&state)).transpose()?;
    let config = fields.remove("config").filter(|config| !config.is_null());
    let config =
        config.ok_or_else(|| ApiError::bad("\"config\" is missing: the connector's configuration is expected"))?;
    let config = named(body::config(&config)?, &name)?;
    let info = app.supervisor.create(&name, config, initial).await?;
    Ok(created(&app, &info))
}

fn initial_state(text: &str) -> Result<TargetState, ApiError> {
    TargetState::from_initial(text).ok_or_else(|| {
        ApiError::bad(format!(
            "Cannot deserialize value of type \
             `org.apache.kafka.connect.runtime.rest.entities.CreateConnectorRequest$InitialState` from String \"{text}\": not \
             one of the values accepted for Enum class: [STOPPED, PAUSED, RUNNING]"
        ))
    })
}

/// The configuration with the connector's name in it. It is an error when it holds another name.
fn named(mut config: Properties, name: &str) -> Result<Properties, ApiError> {
    match config.get("name") {
        Some(other) if other == name => Ok(config),
        Some(other) => Err(ApiError::bad(validate::name_mismatch(other, name))),
        None => {
            config.insert("name", name);
            Ok(config)
        }
    }
}

fn created(app: &App, info: &Info) -> Response {
    let mut response = answer(StatusCode::CREATED, &info_json(info));
    let mut location = format!("{}/connectors/", app.config.advertised_url.trim_end_matches('/'));
    for byte in info.name.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@".contains(&byte) {
            location.push(char::from(byte));
        } else {
            // Writing into a string cannot fail.
            let _ = write!(location, "%{byte:02X}");
        }
    }
    if let Ok(location) = HeaderValue::from_str(&location) {
        response.headers_mut().insert(header::LOCATION, location);
    }
    response
}

async fn info(State(app): State<App>, path: Segments) -> Answer {
    ok(&info_json(&app.supervisor.info(path.at(1))?))
}

async fn config(State(app): State<App>, path: Segments) -> Answer {
    ok(&app.supervisor.info(path.at(1))?.config)
}

async fn replace(State(app): State<App>, path: Segments, request: Request) -> Answer {
    let config = body::config(&body::read(request.into_body()).await?)?;
    let name = path.at(1);
    let (info, is_new) = app.supervisor.replace(name, named(config, name)?).await?;
    if is_new { Ok(created(&app, &info)) } else { ok(&info_json(&info)) }
}

async fn patch(State(app): State<App>, path: Segments, request: Request) -> Answer {
    let changes = body::config(&body::read(request.into_body()).await?)?;
    ok(&info_json(&app.supervisor.patch(path.at(1), &changes).await?))
}

async fn remove(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.remove(path.at(1)).await?;
    Ok(bare(StatusCode::NO_CONTENT))
}

async fn status(State(app): State<App>, path: Segments) -> Answer {
    ok(&state_json(&app.supervisor.connector_state(path.at(1))?))
}

async fn restart(State(app): State<App>, path: Segments, query: Query) -> Answer {
    let (tasks, failed) = (query.flag("includeTasks", false), query.flag("onlyFailed", false));
    if tasks || failed {
        let state = app.supervisor.restart_with(path.at(1), tasks, failed).await?;
        return Ok(answer(StatusCode::ACCEPTED, &state_json(&state)));
    }
    app.supervisor.restart(path.at(1)).await?;
    Ok(bare(StatusCode::NO_CONTENT))
}

async fn pause(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.aim(path.at(1), TargetState::Paused).await?;
    Ok(bare(StatusCode::ACCEPTED))
}

async fn resume(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.aim(path.at(1), TargetState::Started).await?;
    Ok(bare(StatusCode::ACCEPTED))
}

async fn stop(State(app): State<App>, path: Segments) -> Answer {
    app.supervisor.aim(path.at(1), TargetState::Stopped).await?;
    Ok(bare(StatusCode::NO_CONTENT))
}

fn info_json(info: &Info) -> Value {
    let tasks: Vec<Value> = (0..info.tasks).map(|task| json!({"connector": info.name, "task": task})).collect();
    json!({"name": info.name, "config": info.config, "tasks": tasks, "type": info.kind})
}

fn state_json(state: &StateInfo) -> Value {
    let tasks: Vec<Value> = state.tasks.iter().map(|(task, part)| part_json(Some(*task), part)).collect();
    json!({
        "name": state.name,
        "connector": part_json(None, &state.connector),
        "tasks": tasks,
        "type": state.kind,
    })
}

/// A task's state, or a connector's, which has no id.
pub(super) fn part_json(task: Option<u32>, part: &PartState) -> Value {
    let mut object = Map::new();
    if let Some(task) = task {
        object.insert("id".to_owned(), json!(task));
    }
    object.insert("state".to_owned(), json!(part.state));
    object.insert("worker_id".to_owned(), json!(part.worker_id));
    object.insert("version".to_owned(), json!(part.version));
    if let Some(trace) = &part.trace {
        object.insert("trace".to_owned(), json!(trace));
    }
    Value::Object(object)
}
