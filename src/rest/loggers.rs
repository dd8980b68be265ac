//! Log levels at run time (KIP-495, KIP-976).
//!
//! Names of loggers are Java's: a hierarchy by dots, with `root` above all. A function given by the room that owns the
//! log puts each new level into effect.
//!
//! Must not know: how logs are written.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::get;
use serde_json::{Map, Value, json};

use super::{Answer, ApiError, App, Query, Segments, bare, body, ok};

const LEVELS: [&str; 8] = ["OFF", "FATAL", "ERROR", "WARN", "INFO", "DEBUG", "TRACE", "ALL"];
const ROOT: &str = "root";

/// Called on each change with the logger's name and its new level.
pub type Apply = Arc<dyn Fn(&str, &str) + Send + Sync>;

#[derive(Clone)]
struct Level {
    name: &'static str,
    modified_ms: Option<i64>,
}

/// The known loggers and their levels.
#[derive(Clone)]
pub struct Loggers {
    levels: Arc<Mutex<BTreeMap<String, Level>>>,
    apply: Apply,
}

impl Loggers {
    /// Creates the loggers with `root` at `level`, or at INFO when `level` is not known.
    pub fn new(level: &str, apply: Apply) -> Self {
        let root = Level { name: level_name(level).unwrap_or("INFO"), modified_ms: None };
        Self { levels: Arc::new(Mutex::new(BTreeMap::from([(ROOT.to_owned(), root)]))), apply }
    }

    fn levels(&self) -> MutexGuard<'_, BTreeMap<String, Level>> {
        self.levels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sets the level of a logger and of all below it. Returns the names whose level changed, sorted; `None` when
    /// `level` is not known.
    pub fn set(&self, logger: &str, level: &str) -> Option<Vec<String>> {
        let name = level_name(level)?;
        let logger = canonical(logger);
        let modified_ms = SystemTime::now().duration_since(UNIX_EPOCH).ok().map(|now| now.as_millis() as i64);
        let mut levels = self.levels();
        if !levels.contains_key(logger) {
            let inherited = inherited(&levels, logger);
            levels.insert(logger.to_owned(), inherited);
        }
        let below = format!("{logger}.");
        let mut changed = Vec::new();
        for (one, level) in levels.iter_mut() {
            if (logger == ROOT || one == logger || one.starts_with(&below)) && level.name != name {
                *level = Level { name, modified_ms };
                changed.push(one.clone());
            }
        }
        drop(levels);
        (self.apply)(logger, name);
        Some(changed)
    }
}

fn inherited(levels: &BTreeMap<String, Level>, logger: &str) -> Level {
    let mut above = logger;
    while let Some((parent, _)) = above.rsplit_once('.') {
        if let Some(level) = levels.get(parent) {
            return Level { modified_ms: None, ..level.clone() };
        }
        above = parent;
    }
    let name = levels.get(ROOT).map_or("INFO", |root| root.name);
    Level { name, modified_ms: None }
}

fn canonical(logger: &str) -> &str {
    if logger.eq_ignore_ascii_case(ROOT) { ROOT } else { logger }
}

fn level_name(level: &str) -> Option<&'static str> {
    LEVELS.into_iter().find(|name| name.eq_ignore_ascii_case(level))
}

fn level_json(level: &Level) -> Value {
    json!({"level": level.name, "last_modified": level.modified_ms})
}

pub(super) fn routes() -> Router<App> {
    Router::new().route("/admin/loggers", get(list)).route("/admin/loggers/{logger}", get(one).put(set))
}

async fn list(State(app): State<App>) -> Answer {
    let levels = app.config.loggers.levels();
    let shown = levels.iter().filter(|(_, level)| level.name != "OFF");
    ok(&shown.map(|(name, level)| (name.clone(), level_json(level))).collect::<Map<_, _>>())
}

async fn one(State(app): State<App>, path: Segments) -> Answer {
    let logger = path.at(2);
    let level = app.config.loggers.levels().get(canonical(logger)).map(level_json);
    let level = level.ok_or_else(|| ApiError::new(StatusCode::NOT_FOUND, format!("Logger {logger} not found.")))?;
    ok(&level)
}

async fn set(State(app): State<App>, path: Segments, query: Query, request: Request) -> Answer {
    let sent = body::config(&body::read(request.into_body()).await?)?;
    let level =
        sent.get("level").ok_or_else(|| ApiError::bad("Desired 'level' parameter was not specified in request."))?;
    let level = level.trim();
    if level.is_empty() {
        return Err(ApiError::bad("Desired 'level' parameter is empty: one of the levels' names is expected"));
    }
    let unknown = || ApiError::new(StatusCode::NOT_FOUND, format!("invalid log level '{level}'."));
    match query.all("scope").next() {
        Some(scope) if scope.eq_ignore_ascii_case("cluster") => {
            // It takes effect, here too, when the record has come back from the config topic.
            let level = level_name(level).ok_or_else(unknown)?;
            app.supervisor.set_cluster_log_level(canonical(path.at(2)), level).await?;
            return Ok(bare(StatusCode::NO_CONTENT));
        }
        Some(scope) if !scope.eq_ignore_ascii_case("worker") => {
            tracing::warn!("the scope '{scope}' of a log level is none of worker and cluster, and is taken as worker");
        }
        _ => {}
    }
    ok(&app.config.loggers.set(path.at(2), level).ok_or_else(unknown)?)
}
