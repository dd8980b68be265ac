//! The value of an event: the payload alone, or a struct around it.
//!
//! The struct's schema is named after the value of the routing column. As in Debezium, the first event with a payload schema
//! (or, with a version column, the first event with a version) decides on the whole schema, name included, for all later ones.
//! Registries of schemas show these names, so they stay as they were.
//!
//! Must not know: topics, keys, headers.

use std::sync::Arc;

use record::{Cache, Field, Frame, Kind, Node, Part, Payload, Presence, Schema, Source, Value, View};

use super::plan::Envelope;
use crate::TransformError;
use crate::structs::check_put;

/// The field that holds the payload.
pub(super) const PAYLOAD: &str = "payload";
/// The number of payload schemas, and of versions, whose envelopes are kept. Debezium keeps as many for payload schemas, and
/// all for versions.
const SCHEMAS: usize = 10_000;

/// What the payload is.
#[derive(Debug)]
pub(super) enum Content {
    /// The column as it is.
    Column,
    /// The column is null.
    Null,
    /// What the column's text was expanded to.
    Expanded(Arc<Schema>, Value),
}

/// Views of whole values, by the form of the payload, the id of its schema and the id of the value's schema.
pub(super) type Views = Cache<(Form, u32, u32), Result<Arc<View>, TransformError>>;

/// Where the payload is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Form {
    Column,
    Null,
    Expanded,
}

impl Content {
    fn form(&self) -> Form {
        match self {
            Self::Column => Form::Column,
            Self::Null => Form::Null,
            Self::Expanded(..) => Form::Expanded,
        }
    }

    /// Whether the payload is null, or a text of nothing but blanks (in Java's sense of `trim`).
    pub(super) fn is_empty(&self, payload: &Part, frame: Frame<'_>) -> bool {
        match self {
            Self::Null => true,
            Self::Expanded(..) => false,
            Self::Column => payload.with_text(frame, |text| text.is_some_and(|text| text.bytes().all(|b| b <= b' '))),
        }
    }

    /// The record's value: seen through `view` if there is a struct around the payload, else the payload alone.
    pub(super) fn put<'a>(self, value: Payload<'a>, view: Option<&Arc<View>>, alone: &Arc<View>) -> Payload<'a> {
        match (self, view) {
            (Self::Expanded(_, payload), Some(view)) => value.through(view, [payload]),
            (Self::Expanded(schema, payload), None) => Payload::Value(schema, payload),
            (Self::Column | Self::Null, view) => value.through(view.unwrap_or(alone), []),
        }
    }
}

/// The schemas of values that have a struct around the payload.
#[derive(Debug)]
pub(super) struct Envelopes {
    by_payload: Cache<u32, Arc<Schema>>,
    by_version: Cache<Option<i32>, Arc<Schema>>,
}

impl Envelopes {
    pub(super) fn new() -> Self {
        Self { by_payload: Cache::new(SCHEMAS), by_version: Cache::new(SCHEMAS) }
    }

    /// The view of a whole value.
    pub(super) fn view(
        &mut self,
        envelope: &mut Envelope,
        column: &Part,
        content: &Content,
        route: &str,
        frame: Frame<'_>,
    ) -> Result<Arc<View>, TransformError> {
        let payload = match content {
            Content::Expanded(schema, _) => schema,
            Content::Column | Content::Null => &column.schema,
        };
        let schema = match &envelope.version {
            None => {
                let place = match self.by_payload.place(|known| *known == payload.id, || payload.id) {
                    Some(place) => place,
                    None => self.by_payload.insert(payload.id, schema(envelope, payload, route, None)),
                };
                &*self.by_payload.at(place)
            }
            Some(column) => {
                let version = column.int(frame).map(|version| version as i32);
                let place = match self.by_version.place(|known| *known == version, || version) {
                    Some(place) => place,
                    None => self.by_version.insert(version, schema(envelope, payload, route, version)),
                };
                &*self.by_version.at(place)
            }
        };
        let key = (content.form(), payload.id, schema.id);
        if let Some(place) = envelope.views.place(|known| *known == key, || key) {
            return envelope.views.at(place).clone();
        }
        let (part, computed) = match content {
            Content::Column => (column.clone(), 0),
            Content::Null => (Part::constant(Arc::clone(payload), Value::Null), 0),
            Content::Expanded(schema, _) => (Part::owned(Arc::clone(schema), envelope.slots), 1),
        };
        let whole = whole(schema, &part, key.0, &envelope.fields);
        let view = whole.map(|part| View::of(part, envelope.slots + computed));
        envelope.views.insert(key, view.clone());
        view
    }
}

/// The schema of an envelope around such a payload, named after `route`.
fn schema(envelope: &Envelope, payload: &Arc<Schema>, route: &str, version: Option<i32>) -> Arc<Schema> {
    let name = match envelope.row.as_deref().map(|row| (row, row.rfind('.'))) {
        Some((row, Some(point))) => format!("{}.{route}{}", &row[..point], &row[point..]),
        Some((row, None)) => format!("{route}.{row}"),
        None => route.to_owned(),
    };
    let payload = Field { name: PAYLOAD.into(), schema: Arc::clone(payload) };
    let others = envelope.fields.iter();
    let others = others.map(|(name, part)| Field { name: Arc::clone(name), schema: Arc::clone(&part.schema) });
    let fields = std::iter::once(payload).chain(others).collect();
    Schema::of(Kind::Struct(fields)).named(&name, version).build()
}

/// The value under `schema`, which an event of another table may have decided on.
fn whole(
    schema: &Arc<Schema>,
    payload: &Part,
    form: Form,
    others: &[(Arc<str>, Part)],
) -> Result<Part, TransformError> {
    let mut nodes: Vec<Node> = Vec::with_capacity(schema.fields().len());
    for field in schema.fields() {
        let part = if *field.name == *PAYLOAD {
            Some(payload)
        } else {
            others.iter().find(|(name, _)| *name == field.name).map(|(_, part)| part)
        };
        if let Some(part) = part {
            if form != Form::Null || *field.name != *PAYLOAD {
                check_put(&field.name, &field.schema, &part.schema)?;
            }
            nodes.push(part.node.clone());
        } else {
            nodes.push(Source::Constant(Arc::new(Value::Null)).into());
        }
    }
    if let Some((name, _)) = others.iter().find(|(name, _)| schema.field(name).is_none()) {
        return Err(TransformError::no_field(name));
    }
    Ok(Part { schema: Arc::clone(schema), node: Node::Struct(nodes.into(), Presence::Always) })
}
