//! `io.debezium.transforms.outbox.EventRouter`, usually called `outbox`: turns rows of an outbox table into messages.
//!
//! A row that was inserted (or copied by a snapshot) becomes a message: its topic, key and value come from columns. Deleting
//! the row afterwards sends nothing. Nothing is copied for this: key, value and headers are views of the row's cells. What is
//! known of a table is worked out once, and so is the topic of each value of the routing column.
//!
//! ```json
//! {}
//! {"topic": "srv.public.outbox", "key": {"id": "406c07f3"}, "value": {"op": "c", "after": {"id": "406c07f3",
//!  "aggregatetype": "Order", "aggregateid": "1", "type": "OrderCreated", "payload": "{\"id\": 1}"}}}
//! => {"topic": "outbox.event.Order", "key": "1", "value": "{\"id\": 1}", "timestamp": 1700000000123,
//!     "headers": [["id", "406c07f3"]]}
//! {"topic": "srv.public.outbox", "key": {"id": "406c07f3"}, "value": {"op": "d", "before": {"id": "406c07f3"}}}
//! => dropped
//! {"topic": "srv.public.outbox", "key": {"id": "406c07f3"}, "value": null}
//! => dropped
//! ```
//!
//! More columns as headers, beside the payload, and as the partition:
//!
//! ```json
//! {"table.fields.additional.placement": "type:header:eventType,tenant:envelope,part:partition"}
//! {"topic": "srv.public.outbox", "value": {"op": "c", "after": {"id": "406c07f3", "aggregatetype": "Order", "aggregateid": "1",
//!  "type": "OrderCreated", "payload": "{}", "tenant": "t1", "part": 3}}}
//! => {"topic": "outbox.event.Order", "partition": 3, "key": "1", "value": {"payload": "{}", "tenant": "t1"},
//!     "timestamp": 1700000000123, "headers": [["id", "406c07f3"], ["eventType", "OrderCreated"]],
//!     "types": {"value": "struct srv.public.outbox.Order.Value"}}
//! ```
//!
//! The payload as a struct instead of a JSON text:
//!
//! ```json
//! {"table.expand.json.payload": true}
//! {"topic": "srv.public.outbox", "value": {"op": "c", "after": {"id": "406c07f3", "aggregatetype": "Order", "aggregateid": "1",
//!  "payload": "{\"id\": 1, \"total\": 12.5, \"tags\": [], \"note\": null}"}}}
//! => {"topic": "outbox.event.Order", "key": "1", "value": {"id": 1, "total": 12.5}, "timestamp": 1700000000123,
//!     "headers": [["id", "406c07f3"]], "types": {"value": "struct? payload", "value.total": "float64?"}}
//! ```
//!
//! Changes of other tables do not fit, so a predicate must keep them away:
//!
//! ```json
//! {}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1}}}
//! => fails: Unable to find payload field payload in event
//! ```
//!
//! Must not know: tables, databases.

mod config;
mod plan;
#[cfg(test)]
mod tests;
mod value;

use std::sync::Arc;

use record::{Cache, Header, Payload, Record};
use settings::{Def, JavaReplacement};

use self::config::{Config, InvalidOperation};
use self::plan::{Event, Plan};
use self::value::{Content, Envelopes};
use crate::envelope::{is_envelope, operation};
use crate::error::java;
use crate::expand_json::Expander;
use crate::{Transform, TransformError};

/// The number of inputs (usually tables), and of values of the routing column, of which something is kept.
const CACHE: usize = 4096;

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.outbox.EventRouter",
    module: module_path!(),
    summary: "Turns rows of an outbox table into messages.",
    keys: Def::new(&[config::TABLE, config::ROUTER, config::TRACING, config::UNLISTED]),
    make: |properties| Ok(Box::new(EventRouter::new(Config::new(properties)?))),
    remarks: config::remarks,
};

/// Turns rows of an outbox table into messages. Options and results are those of Debezium's
/// [outbox event router](https://debezium.io/documentation/reference/stable/transformations/outbox-event-router.html).
#[derive(Debug)]
struct EventRouter {
    topics: Topics,
    expander: Option<Expander>,
    envelopes: Envelopes,
    /// What was found out about an input, by the payload's id.
    plans: Cache<u32, Plan>,
    config: Config,
    id: Arc<str>,
}

/// Topics by the values of the routing column.
#[derive(Debug)]
struct Topics {
    rename: JavaReplacement,
    known: Cache<Arc<str>, Arc<str>>,
}

impl Topics {
    /// The topic for a value: what the regex makes of it, else the value itself.
    fn of(&mut self, route: &str) -> Result<Arc<str>, TransformError> {
        let place = if let Some(place) = self.known.place(|known| **known == *route, || route.into()) {
            place
        } else {
            let topic = self.rename.apply(route)?.map_or_else(|| Arc::from(route), Arc::from);
            self.known.insert(route.into(), topic)
        };
        Ok(Arc::clone(self.known.at(place)))
    }
}

impl EventRouter {
    fn new(mut config: Config) -> Self {
        Self {
            topics: Topics { rename: config.rename.clone(), known: Cache::new(CACHE) },
            expander: config.expander.take(),
            envelopes: Envelopes::new(),
            plans: Cache::new(CACHE),
            config,
            id: "id".into(),
        }
    }

    /// The place of what is known of an input; none if it is no envelope.
    fn place(&mut self, value: &Payload<'_>) -> Result<Option<usize>, TransformError> {
        let id = value.id();
        if let Some(place) = self.plans.place(|known| *known == id, || id) {
            return Ok(Some(place));
        }
        let Some(part) = value.part().filter(|part| is_envelope(&part.schema)) else { return Ok(None) };
        let plan = Plan::of(&part, value.slots(), &self.config)?;
        Ok(Some(self.plans.insert(id, plan)))
    }

    /// An update of a row of the outbox, which should not happen.
    fn unexpected<'a>(&self, topic: &str) -> Result<Option<Record<'a>>, TransformError> {
        match self.config.invalid_operation {
            InvalidOperation::Warn => tracing::warn!(topic, "Unexpected update message received and ignored"),
            InvalidOperation::Error => tracing::error!(topic, "Unexpected update message received and ignored"),
            InvalidOperation::Fatal => {
                let message = "Unexpected update message received, fail.";
                let error = TransformError::new(java::ILLEGAL_STATE, message);
                return Err(error.remedy_is(
                    "A row of the outbox was updated. Rows should only be inserted and deleted; with \
                     table.op.invalid.behavior=warn, updates are passed over.",
                ));
            }
        }
        Ok(None)
    }
}

/// The payload, expanded where that is asked for.
fn content(event: &Event, expander: Option<&mut Expander>, value: &Payload<'_>, topic: &str, name: &str) -> Content {
    let frame = value.frame();
    if event.payload.is_null(frame) {
        return Content::Null;
    }
    let Some(expander) = expander else { return Content::Column };
    if !event.payload_is_text {
        tracing::warn!(topic, "Expand JSON payload is turned on but payload is not a string");
        return Content::Column;
    }
    let expanded = event.payload.with_text(frame, |text| expander.expand(name, text.unwrap_or_default()));
    match expanded {
        Ok((schema, value)) => Content::Expanded(schema, value),
        Err(reason) => {
            tracing::warn!(topic, "JSON expansion failed, the payload is passed as it is: {reason}");
            Content::Column
        }
    }
}

impl Transform for EventRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(None);
        }
        let Some(place) = self.place(&record.value)? else { return Ok(Some(record)) };
        let plan = self.plans.at(place);
        let frame = record.value.frame();
        match operation(&plan.operation, frame) {
            Some(b'd') => return Ok(None),
            Some(b'u') => return self.unexpected(&record.topic),
            _ => {}
        }
        if plan.after.is_null(frame) {
            return Err(TransformError::not_a_struct("Read Outbox Event", "null"));
        }
        let event = plan.event.as_mut().map_err(|error| error.clone())?;
        let timestamp = event.timestamp.millis(frame)?;
        let content = content(event, self.expander.as_mut(), &record.value, &record.topic, &self.config.payload);
        let header = |name: &Arc<str>, view| Header { name: Arc::clone(name), value: record.value.beside(view) };
        record.headers.append_in_place(header(&self.id, &event.id));
        for (name, view) in &event.headers {
            record.headers.append_in_place(header(name, view));
        }
        record.partition = event.partition.as_ref().and_then(|part| part.int(frame)).map(|n| n as i32);
        record.key = record.value.beside(&event.key);
        record.timestamp_ms = timestamp;
        let is_empty = self.config.tombstone_on_empty && content.is_empty(&event.payload, frame);
        let (envelopes, topics, around) = (&mut self.envelopes, &mut self.topics, &mut event.envelope);
        let routed = event.route.with_text(frame, |route| {
            let route = route.ok_or_else(|| no_route(&self.config.route_by))?;
            // Also for an empty payload: the first event decides on a schema that later ones have.
            let view = around.as_mut().map(|around| envelopes.view(around, &event.payload, &content, route, frame));
            Ok::<_, TransformError>((topics.of(route)?, view.transpose()?))
        });
        let (topic, view) = routed?;
        record.topic = topic;
        record.value =
            if is_empty { Payload::Null } else { content.put(record.value, view.as_ref(), &event.payload_view) };
        record.headers.detach();
        Ok(Some(record))
    }
}

fn no_route(column: &str) -> TransformError {
    let error = TransformError::data(format!("the column {column} is null, so the event has no topic"));
    error.remedy_is("The column that route.by.field names must have a value in each row of the outbox.")
}
