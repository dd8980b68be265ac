//! Recognises Debezium's records as Debezium does: by how the name of the value's schema ends.
//!
//! Must not know: transforms.

use record::{Frame, Part, Schema};

/// Whether a value of this schema is an envelope: a change with `before`, `after`, `source` and `op`.
pub(crate) fn is_envelope(schema: &Schema) -> bool {
    named_like(schema, ".Envelope")
}

/// Whether a value of this schema is a schema change.
pub(crate) fn is_schema_change(schema: &Schema) -> bool {
    named_like(schema, ".SchemaChangeValue") || named_like(schema, ".SchemaChangeKey")
}

fn named_like(schema: &Schema, end: &str) -> bool {
    schema.name.as_deref().is_some_and(|name| name.ends_with(end))
}

/// The letter in an envelope's field `op`; none when it is null or no letter.
pub(crate) fn operation(op: &Part, frame: Frame<'_>) -> Option<u8> {
    op.with_text(frame, |text| text.and_then(|text| (text.len() == 1).then(|| text.as_bytes()[0])))
}
