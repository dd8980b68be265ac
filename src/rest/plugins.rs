//! `/connector-plugins`: the plug-ins, their keys, and the validation of a configuration.
//!
//! Must not know: what the keys mean.

use axum::Router;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::routing::{get, put};
use serde_json::{Value, json};
use settings::{Checked, Definition};

use super::{Answer, ApiError, App, Query, Segments, body, ok};
use crate::runtime::validate;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/connector-plugins", get(list))
        .route("/connector-plugins/{plugin}/config", get(definitions))
        .route("/connector-plugins/{plugin}/config/validate", put(check))
}

async fn list(State(app): State<App>, query: Query) -> Answer {
    let settings = app.supervisor.settings();
    let item = |class: &str, kind: &str, version: &str| json!({"class": class, "type": kind, "version": version});
    let mut all: Vec<Value> = settings.plugins.iter().map(|p| item(p.class, "source", p.version)).collect();
    all.sort_by_key(|item| item["class"].as_str().unwrap_or_default().to_owned());
    if !query.flag("connectorsOnly", true) {
        all.extend(settings.catalog.iter().map(|part| item(part.class, part.kind.name(), part.version)));
    }
    ok(&all)
}

async fn definitions(State(app): State<App>, path: Segments, query: Query) -> Answer {
    let settings = app.supervisor.settings();
    let name = path.at(1);
    let (all, class, version) = if let Some(plugin) = settings.find(name) {
        (validate::definitions(plugin), plugin.class, plugin.version)
    } else if let Some(part) = settings.catalog.any(name) {
        (part.keys.definitions(), part.class, part.version)
    } else {
        return Err(ApiError::new(StatusCode::NOT_FOUND, format!("Unknown plugin {name}.")));
    };
    let asked = query.all("version").next().unwrap_or("latest").trim();
    if !asked.eq_ignore_ascii_case("latest") {
        validate::plugin_version(class, asked, version).map_err(ApiError::bad)?;
    }
    ok(&all.iter().map(definition_json).collect::<Vec<_>>())
}

async fn check(State(app): State<App>, path: Segments, request: Request) -> Answer {
    let config = body::config(&body::read(request.into_body()).await?)?;
    if let Some(class) = config.get("connector.class") {
        let (given, named) = (without_suffix(class.trim()), without_suffix(path.at(1)));
        if !given.ends_with(named) {
            return Err(ApiError::bad(format!(
                "Included connector type {class} does not match request type {}",
                path.at(1)
            )));
        }
    }
    let validation = app.supervisor.validate(&config).await?.with_unmet();
    let configs: Vec<Value> = validation.configs.iter().map(checked_json).collect();
    ok(&json!({
        "name": validation.name,
        "error_count": validation.error_count,
        "groups": validation.groups,
        "configs": configs,
    }))
}

fn without_suffix(class: &str) -> &str {
    class.strip_suffix("Connector").unwrap_or(class)
}

fn checked_json(checked: &Checked) -> Value {
    let value = checked.answered.then(|| {
        let mut value = json!({
            "name": checked.name,
            "value": checked.value,
            "recommended_values": checked.recommended,
            "errors": checked.errors,
            "visible": checked.visible,
        });
        // Connect has no such field, so it is added only when there is something to warn of.
        if !checked.remarks.is_empty() {
            value["warnings"] = json!(checked.remarks);
        }
        value
    });
    json!({"definition": checked.definition.as_ref().map(definition_json), "value": value})
}

fn definition_json(definition: &Definition) -> Value {
    json!({
        "name": definition.name,
        "type": definition.kind.as_str(),
        "required": definition.required,
        "default_value": definition.default_value,
        "importance": definition.importance.as_str(),
        "documentation": definition.documentation,
        "group": definition.group,
        "order_in_group": definition.order_in_group,
        "width": definition.width.as_str(),
        "display_name": definition.display_name,
        "dependents": definition.dependents,
    })
}
