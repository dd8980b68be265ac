//! A connector's stored offsets (KIP-875).
//!
//! Must not know: what the offsets mean.

use axum::Router;
use axum::extract::{Request, State};
use axum::routing::get;
use serde_json::{Value, json};

use super::body::{self, Json};
use super::{Answer, ApiError, App, Segments, ok};
use crate::runtime::supervisor::Alteration;

const REQUEST: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffsets";
const OFFSET: &str = "org.apache.kafka.connect.runtime.rest.entities.ConnectorOffset";

pub(super) fn routes() -> Router<App> {
    Router::new().route("/connectors/{connector}/offsets", get(list).patch(alter).delete(reset))
}

async fn list(State(app): State<App>, path: Segments) -> Answer {
    let stored = app.supervisor.offsets(path.at(1)).await?;
    let one = |(partition, offset)| json!({"partition": partition, "offset": offset});
    ok(&json!({"offsets": stored.into_iter().map(one).collect::<Vec<_>>()}))
}

async fn alter(State(app): State<App>, path: Segments, request: Request) -> Answer {
    let mut fields = body::object(&body::read(request.into_body()).await?, REQUEST, &["offsets"])?;
    let offsets = match fields.remove("offsets").filter(|offsets| !offsets.is_null()) {
        None => Vec::new(),
        Some(offsets) => offsets
            .elements()
            .ok_or_else(|| ApiError::bad(format!("\"offsets\" must be an array, not {}", offsets.kind())))?,
    };
    let offsets = offsets.iter().map(alteration).collect::<Result<Vec<_>, _>>()?;
    ok(&json!({"message": app.supervisor.alter_offsets(path.at(1), offsets).await?}))
}

fn alteration(json: &Json) -> Result<Alteration, ApiError> {
    let mut fields = body::object(json, OFFSET, &["offset", "partition"])?;
    let mut map = |name: &str| match fields.remove(name).filter(|map| !map.is_null()) {
        None => Ok(None),
        Some(json) => match json.value()? {
            Value::Object(map) => Ok(Some(map)),
            _ => Err(ApiError::bad(format!("\"{name}\" must be an object, not {}", json.kind()))),
        },
    };
    Ok((map("partition")?, map("offset")?))
}

async fn reset(State(app): State<App>, path: Segments) -> Answer {
    ok(&json!({"message": app.supervisor.reset_offsets(path.at(1)).await?}))
}
