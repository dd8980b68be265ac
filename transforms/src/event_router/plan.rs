//! What is known of an outbox table: where in its rows key, payload, topic and so on are. It is worked out once for each input.
//!
//! Must not know: how options are written, how values are made.

use std::sync::Arc;

use record::{Cache, Frame, Kind, Part, Schema, View};

use super::config::{Config, Missing, Placement};
use super::value::Views;
use crate::TransformError;
use crate::error::java;
use crate::structs::{java_class, names_differ};

/// An input, and what becomes of it.
#[derive(Debug)]
pub(super) struct Plan {
    pub(super) operation: Part,
    pub(super) after: Part,
    /// How a row becomes an event; an error if the table lacks a column. That shows only when there is a row.
    pub(super) event: Result<Event, TransformError>,
}

/// How a row becomes an event.
#[derive(Debug)]
pub(super) struct Event {
    pub(super) timestamp: Timestamp,
    pub(super) id: Arc<View>,
    pub(super) key: Arc<View>,
    pub(super) payload: Part,
    pub(super) payload_view: Arc<View>,
    pub(super) payload_is_text: bool,
    pub(super) headers: Vec<(Arc<str>, Arc<View>)>,
    pub(super) partition: Option<Part>,
    pub(super) route: Part,
    pub(super) envelope: Option<Envelope>,
}

/// The struct around the payload.
#[derive(Debug)]
pub(super) struct Envelope {
    /// The fields beside the payload.
    pub(super) fields: Vec<(Arc<str>, Part)>,
    /// The name of the row's schema.
    pub(super) row: Option<Arc<str>>,
    /// The column with the version of the schema.
    pub(super) version: Option<Part>,
    /// How many owned values the input has.
    pub(super) slots: u16,
    pub(super) views: Views,
}

/// Where the record's timestamp comes from.
#[derive(Debug)]
pub(super) struct Timestamp {
    processed: Part,
    /// A column, and how many of its units are a millisecond; an error if that cannot be told, which shows only when the
    /// column has a value.
    column: Option<(Part, Result<i64, TransformError>)>,
}

impl Timestamp {
    /// Milliseconds since 1970.
    pub(super) fn millis(&self, frame: Frame<'_>) -> Result<Option<i64>, TransformError> {
        if let Some((part, units)) = &self.column
            && let Some(value) = part.int(frame)
        {
            return units.clone().map(|units| Some(value / units));
        }
        Ok(self.processed.int(frame))
    }
}

/// A field of this type, as Connect's typed getters find it: the type must be right, and a null stays null.
fn typed(part: &Part, name: &str, is: fn(&Kind) -> bool, shown: &str) -> Result<Part, TransformError> {
    let field = part.field(name).ok_or_else(|| TransformError::no_field(name))?;
    if is(&field.schema.kind) { Ok(field) } else { Err(TransformError::field_type(name, shown)) }
}

/// A field, as Connect's `get` finds it: a null becomes the default.
fn any(part: &Part, name: &str) -> Result<Part, TransformError> {
    part.field(name).map(Part::or_default).ok_or_else(|| TransformError::no_field(name))
}

fn is_text(kind: &Kind) -> bool {
    matches!(kind, Kind::String)
}

fn is_int32(kind: &Kind) -> bool {
    matches!(kind, Kind::Int32)
}

fn is_int64(kind: &Kind) -> bool {
    matches!(kind, Kind::Int64)
}

impl Plan {
    /// Looks for everything in an envelope that has `slots` owned values.
    pub(super) fn of(envelope: &Part, slots: u16, config: &Config) -> Result<Self, TransformError> {
        if !matches!(envelope.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::not_a_struct("Detect Debezium Operation", java_class(&envelope.schema)));
        }
        let operation = typed(envelope, "op", is_text, "STRING")?;
        let unknown = || TransformError::new(java::ILLEGAL_ARGUMENT, "Unknown field: after");
        let after = envelope.field("after").ok_or_else(unknown)?;
        Ok(Self { event: event(envelope, &after, slots, config), operation, after })
    }
}

/// The steps stand in Debezium's order, so that of several mistakes the same one is reported.
fn event(envelope: &Part, row: &Part, slots: u16, config: &Config) -> Result<Event, TransformError> {
    let view = |part| View::of(part, slots);
    let no_payload = || TransformError::connect(format!("Unable to find payload field {} in event", config.payload));
    let payload = row.field(&config.payload).map(Part::or_default).ok_or_else(no_payload)?;
    let timestamp = timestamp(envelope, row, config.timestamp.as_deref())?;
    let id = view(any(row, &config.id)?);
    let around = around(row, slots, config)?;
    let (mut headers, mut partition) = (Vec::new(), None);
    for one in &config.additional {
        let column = one.column.as_str();
        if config.missing == Missing::Ignore && row.field(column).is_none() {
            continue;
        }
        match one.placement {
            Some(Placement::Envelope) => {}
            Some(Placement::Header) => headers.push((one.alias.as_str().into(), view(any(row, column)?))),
            Some(Placement::Partition) => partition = Some(typed(row, column, is_int32, "INT32")?),
            None => {
                let message =
                    format!("table.fields.additional.placement has no known placement for the column {column}");
                let error = TransformError::new(java::NULL_POINTER, message);
                return Err(error.remedy_is("Placements are header, envelope and partition."));
            }
        }
    }
    let key = view(any(row, &config.key)?);
    let route = typed(row, &config.route_by, is_text, "STRING")?;
    Ok(Event {
        timestamp,
        id,
        key,
        payload_view: view(payload.clone()),
        payload_is_text: is_text(&payload.schema.kind),
        payload,
        headers,
        partition,
        route,
        envelope: around,
    })
}

/// The struct around the payload, if a column has that placement.
fn around(row: &Part, slots: u16, config: &Config) -> Result<Option<Envelope>, TransformError> {
    let mut placed = config.additional.iter().filter(|one| one.placement == Some(Placement::Envelope)).peekable();
    if placed.peek().is_none() {
        return Ok(None);
    }
    let version = match &config.version {
        Some(column) => Some(typed(row, column, is_int32, "INT32")?),
        None => None,
    };
    typed(row, &config.route_by, is_text, "STRING")?;
    let mut fields: Vec<(Arc<str>, Part)> = Vec::new();
    for one in placed {
        match row.field(&one.column) {
            Some(part) => fields.push((one.alias.as_str().into(), part.or_default())),
            None if config.missing == Missing::Ignore => {}
            None => {
                return Err(TransformError::connect(format!("Unable to find field {} in event", one.column)));
            }
        }
    }
    names_differ(std::iter::once(super::value::PAYLOAD).chain(fields.iter().map(|(name, _)| &**name)))?;
    Ok(Some(Envelope { fields, row: row.schema.name.clone(), version, slots, views: Cache::new(super::CACHE) }))
}

fn timestamp(envelope: &Part, row: &Part, column: Option<&str>) -> Result<Timestamp, TransformError> {
    let processed = typed(envelope, "ts_ms", is_int64, "INT64")?;
    let Some(name) = column else { return Ok(Timestamp { processed, column: None }) };
    if row.field(name).is_none() {
        return Err(TransformError::connect(format!("Unable to find timestamp field {name} in event")));
    }
    let part = typed(row, name, is_int64, "INT64")?;
    let units = units(&part.schema);
    Ok(Timestamp { processed, column: Some((part, units)) })
}

/// How many units of a column's type are a millisecond.
fn units(schema: &Schema) -> Result<i64, TransformError> {
    match schema.name.as_deref() {
        Some("io.debezium.time.Timestamp") => Ok(1),
        Some("io.debezium.time.MicroTimestamp") => Ok(1000),
        Some("io.debezium.time.NanoTimestamp") => Ok(1_000_000),
        Some(name) => Err(TransformError::connect(format!("Unsupported field type {name} for event timestamp"))),
        None => Err(TransformError::connect(
            "Unsupported field type INT64 (without logical schema name) for event timestamp",
        )),
    }
}
