//! `io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent`: makes change events of logical messages
//! whose content is JSON.
//!
//! A message that a program wrote to PostgreSQL's log with `pg_logical_emit_message` becomes an insert whose row is the
//! content. So programs can send events without an outbox table, and the outbox event router understands them. The record
//! has no key then. All other records stay.
//!
//! ```json
//! {}
//! {"topic": "srv.message", "key": {"prefix": "outbox"}, "value": {"op": "m", "ts_ms": 1, "source": {"lsn": 7},
//!     "message": {"prefix": "outbox", "content": "{\"id\": \"a\", \"qty\": 3, \"to\": {\"zip\": \"1\"}, \"note\": null}"}},
//!   "types": {"message.content": "bytes?"}}
//! => {"key": null, "value": {"op": "c", "ts_ms": 1, "source": {"lsn": 7}, "after": {"id": "a", "qty": 3, "to": {"zip": "1"}}},
//!     "types": {"key": "none", "value": "struct io.debezium.connector.postgresql.MessageValue.Envelope",
//!       "value.after": "struct?", "value.after.qty": "int32?", "value.after.to": "struct? to"}}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}
//! => {}
//! ```
//!
//! Nulls can be kept; then their type is BYTES:
//!
//! ```json
//! {"fields.null.include": true}
//! {"topic": "srv.message", "value": {"op": "m", "message": {"prefix": "", "content": "{\"note\": null}"}},
//!   "types": {"message.content": "bytes"}}
//! => {"value": {"op": "c", "after": {"note": null}}, "types": {"value.after.note": "bytes?"}}
//! ```
//!
//! Must not know: the event router, PostgreSQL's log.

use std::sync::Arc;

use record::{Adjustment, Cache, Kind, Part, Payload, Presence, Record, Schema, Value, View};
use settings::{Def, Key, Width};

use crate::error::java;
use crate::expand_json::{Expander, NotExpanded, Nulls};
use crate::options::Options;
use crate::structs::java_class;
use crate::table::no_remarks;
use crate::{Transform, TransformError};

const MESSAGE_VALUE: &str = "io.debezium.connector.postgresql.MessageValue";
/// The name that the new schema has. Its end makes others take the record for a change event.
const ENVELOPE: &str = "io.debezium.connector.postgresql.MessageValue.Envelope";
const NULLS: &str = "fields.null.include";

/// The number of forms of messages whose views are remembered.
const CACHE: usize = 10_000;

const KEYS: &[Key] = &[crate::options::key(
    NULLS,
    settings::Kind::Boolean,
    "Defines whether to include fields with null values to the decoded structure",
    Width::Medium,
)
.default("false")
.doc("Whether fields that are null are kept, with the type BYTES. Otherwise they are left out.")];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.connector.postgresql.transforms.DecodeLogicalDecodingMessageContent",
    module: module_path!(),
    summary: "Makes change events of logical messages whose content is JSON.",
    keys: Def::new(&[KEYS]),
    make: |properties| {
        let nulls = if Options::new(properties).flag(NULLS, false) { Nulls::OptionalBytes } else { Nulls::Ignore };
        let expander = Expander::new(nulls, Adjustment::None);
        Ok(Box::new(DecodeMessage { expander, contents: Cache::new(4), views: Cache::new(CACHE) }))
    },
    remarks: no_remarks,
};

#[derive(Debug)]
struct DecodeMessage {
    expander: Expander,
    /// Where the content stands, by the value's id; none in values that are no messages.
    contents: Cache<u32, Option<Part>>,
    /// The views of messages, by the ids of the value and of the content's schema.
    views: Cache<(u32, u32), Arc<View>>,
}

/// Finds the content in a value; none if it is no message.
fn content(value: &Payload<'_>) -> Result<Option<Part>, TransformError> {
    let is_message = |part: &Part| part.schema.name.as_deref() == Some(MESSAGE_VALUE);
    let Some(whole) = value.part().filter(is_message) else { return Ok(None) };
    let message = whole.field("message").ok_or_else(|| TransformError::no_field("message"))?;
    if !matches!(message.schema.kind, Kind::Struct(_)) {
        let purpose = "Retrieve content of a logical decoding message";
        return Err(TransformError::not_a_struct(purpose, java_class(&message.schema)));
    }
    let content = message.field("content").ok_or_else(|| TransformError::no_field("content"))?;
    if !matches!(content.schema.kind, Kind::Bytes) {
        let error = TransformError::new(java::DEBEZIUM, "The content of a logical decoding message is non-binary");
        return Err(error.remedy_is("Set binary.handling.mode=bytes."));
    }
    Ok(Some(content))
}

fn not_expanded(why: NotExpanded) -> TransformError {
    let message = format!("Unable to parse logical decoding message content JSON string: {why}");
    TransformError::new(java::DEBEZIUM, message)
}

impl DecodeMessage {
    fn content(&mut self, value: &Payload<'_>) -> Result<Option<Part>, TransformError> {
        let id = value.id();
        if let Some(place) = self.contents.place(|known| *known == id, || id) {
            return Ok(self.contents.at(place).clone());
        }
        let content = content(value)?;
        self.contents.insert(id, content.clone());
        Ok(content)
    }

    /// The view of a message as a change event with a row of this schema.
    fn view(&mut self, value: &Payload<'_>, row: &Schema) -> Option<Arc<View>> {
        let key = (value.id(), row.id);
        if let Some(place) = self.views.place(|known| *known == key, || key) {
            return Some(Arc::clone(self.views.at(place)));
        }
        let whole = value.part()?;
        let mut fields: Vec<(Arc<str>, Part)> = Vec::with_capacity(whole.schema.fields().len());
        for (name, part) in whole.fields() {
            match &*name {
                "message" => {}
                // The event router and others take it for an insert.
                "op" => fields.push((name, Part::constant(part.schema, Value::text("c")))),
                _ => fields.push((name, part.or_default())),
            }
        }
        // The row's schema has no name.
        let row = Schema::of(row.kind.clone()).optional().build();
        fields.push(("after".into(), Part::owned(row, value.slots())));
        let basics = Schema::of(Kind::Struct(Vec::new())).named(ENVELOPE, None).build();
        let view = View::of(Part::structure(&basics, fields, Presence::Always), value.slots() + 1);
        self.views.insert(key, Arc::clone(&view));
        Some(view)
    }
}

impl Transform for DecodeMessage {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(content) = self.content(&record.value)? else { return Ok(Some(record)) };
        let Value::Bytes(bytes) = content.value(record.value.frame()) else {
            return Err(not_expanded(NotExpanded::Start));
        };
        let text = String::from_utf8_lossy(&bytes);
        let (schema, row) = self.expander.expand("", &text).map_err(not_expanded)?;
        let Some(view) = self.view(&record.value, &schema) else { return Ok(Some(record)) };
        record.value = record.value.through(&view, [row]);
        record.key = Payload::Null;
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::KIND;

    #[track_caller]
    fn check(content: &str, content_type: &str, expect: &str) {
        let content = serde_json::Value::from(content);
        crate::example::check(
            KIND.class,
            &format!(
                r#"{{}}
                {{"topic": "t", "value": {{"op": "m", "ts_ms": null,
                    "message": {{"prefix": "", "content": {content}}}}},
                  "types": {{"message.content": "{content_type}", "ts_ms": "int64?=3"}}}}
                => {expect}"#
            ),
        );
    }

    #[test]
    fn contents() {
        const FAILS: &str = "fails: Unable to parse logical decoding message content JSON string:";
        check(
            r#"{"a": [1, 2], "b": [{"c": 1}]} and more"#,
            "bytes",
            r#"{"value": {"op": "c", "ts_ms": 3, "after": {"a": [1, 2], "b": [{"c": 1}]}}}"#,
        );
        check("text", "bytes", &format!("{FAILS} it does not begin with {{ or ["));
        check(" {}", "bytes", &format!("{FAILS} it does not begin with {{ or ["));
        check("{", "bytes", &format!("{FAILS} it is not JSON"));
        check("[{}]", "bytes", &format!("{FAILS} it is an array, not an object"));
        check("{}", "string", "fails: The content of a logical decoding message is non-binary");
    }

    #[test]
    fn other_records() {
        crate::example::check(
            KIND.class,
            r#"{}
            {"topic": "t", "key": {"id": 1}, "value": null}
            => {}
            {"topic": "t", "value": "text"}
            => {}"#,
        );
    }
}
