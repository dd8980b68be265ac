//! `org.apache.kafka.connect.transforms.ExtractField$Key` and `$Value`: replaces a struct by one of its fields.
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.ExtractField$Key", "field": "id"}
//! {"topic": "t", "key": {"id": 7, "v": "x"}, "value": {"id": 7}}
//! => {"key": 7, "types": {"key": "int32"}}
//! {"topic": "t", "key": null, "value": {"id": 7}}
//! => {}
//! ```
//!
//! With syntax V2 the field can be inside of others; backticks stand around names with dots:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.ExtractField$Value", "field": "after.`a.b`", "field.syntax.version": "V2"}
//! {"topic": "srv.public.t", "value": {"op": "c", "after": {"id": 1, "a.b": "x"}}}
//! => {"value": "x", "types": {"value": "string?"}}
//! {"topic": "srv.public.t", "value": {"op": "d", "before": {"id": 1, "a.b": "x"}}}
//! => {"value": null, "types": {"value": "string?"}}
//! {"topic": "srv.public.t", "value": {"op": "c", "after": {"id": 1}}}
//! => fails: Unknown field: after.`a.b`
//! ```
//!
//! Must not know: headers, topics.

use std::sync::Arc;

use record::{Kind, Payload, View};
use settings::{Check, Def, Key, Properties};

use crate::TransformError;
use crate::connect_options::{Options, REPLACE_NULL};
use crate::error::{Refusal, java};
use crate::field_path::FieldPath;
use crate::half::Half;
use crate::requirements::needs_struct;
use crate::reshape::{Null, Reshape, Reshaped};
use crate::table::{Made, no_remarks};

const KEYS: &[Key] = &[
    Key::new("field", settings::Kind::String).required().doc("The field that becomes the whole key or value."),
    REPLACE_NULL,
    Key::new("field.syntax.version", settings::Kind::String)
        .default("V1")
        .high()
        .checks(&[Check::OneOfAnyCase(&["V1", "V2"])])
        .doc(
            "V1: the field is named as it is. V2: it can be a path such as a.b, with backticks around names with dots.",
        ),
];

/// The row of `ExtractField$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.ExtractField$Key",
    summary: "Replaces the key by one of its fields.",
    make: |properties| make(Half::Key, properties),
    ..VALUE
};

/// The row of `ExtractField$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.ExtractField$Value",
    module: module_path!(),
    summary: "Replaces the value by one of its fields.",
    keys: Def::new(&[KEYS]),
    make: |properties| make(Half::Value, properties),
    remarks: no_remarks,
};

fn make(half: Half, properties: &Properties) -> Made {
    let options = Options::new(KEYS, properties);
    let field = options.text("field").unwrap_or_default();
    let with_paths = options.text("field.syntax.version").is_some_and(|version| version.eq_ignore_ascii_case("V2"));
    let path = if with_paths { FieldPath::parse(field) } else { Ok(FieldPath::name(field)) };
    let path = path.map_err(|message| vec![Refusal::config("field", message)])?;
    let shape = ExtractField { path, written: field.to_owned(), replace_null: options.replace_null() };
    Ok(Box::new(Reshaped::new(half, shape)))
}

#[derive(Debug)]
struct ExtractField {
    path: FieldPath,
    /// The path as it was written.
    written: String,
    replace_null: bool,
}

impl Reshape for ExtractField {
    fn null(&self, payload: &Payload<'_>) -> Result<Null, TransformError> {
        Ok(if payload.schema().is_none() { Null::Becomes(Payload::Null) } else { Null::IsShown })
    }

    fn bare(&self, map: &Payload<'_>) -> Option<Payload<'static>> {
        Some(self.path.find_bare(Arc::clone(map.schema()?), map.to_value()))
    }

    fn view(&self, payload: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let unknown = || TransformError::new(java::ILLEGAL_ARGUMENT, format!("Unknown field: {}", self.written));
        let whole = payload.part().ok_or_else(unknown)?;
        if payload.is_null() && !matches!(whole.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::no_field_in());
        }
        needs_struct(&whole.schema, "field extraction")?;
        let field = self.path.find(&whole, self.replace_null)?.ok_or_else(unknown)?;
        Ok(View::of(field, payload.slots()))
    }
}
