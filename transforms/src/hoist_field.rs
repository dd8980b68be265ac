//! `org.apache.kafka.connect.transforms.HoistField$Key` and `$Value`: puts the whole key or value into a struct with one field.
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.HoistField$Value", "field": "row"}
//! {"topic": "srv.public.t", "value": {"id": 1, "v": "z"}}
//! => {"value": {"row": {"id": 1, "v": "z"}}, "types": {"value": "struct", "value.row": "struct srv.public.t.Value"}}
//! ```
//!
//! A tombstone is no tombstone any more: it becomes a map without a schema, in which the field is null.
//!
//! Must not know: headers, topics.

use std::sync::Arc;

use record::{Kind, Payload, Schema, Value, View};
use settings::{Def, Key, Properties};

use crate::TransformError;
use crate::connect_options::Options;
use crate::half::Half;
use crate::requirements::unnamed;
use crate::reshape::{Null, Reshape, Reshaped};
use crate::table::no_remarks;

const KEYS: &[Key] =
    &[Key::new("field", settings::Kind::String).required().doc("The name of the only field of the new struct.")];

/// The row of `HoistField$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.HoistField$Key",
    summary: "Puts the whole key into a struct with one field.",
    make: |properties| Ok(Box::new(shape(Half::Key, properties))),
    ..VALUE
};

/// The row of `HoistField$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.HoistField$Value",
    module: module_path!(),
    summary: "Puts the whole value into a struct with one field.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(shape(Half::Value, properties))),
    remarks: no_remarks,
};

fn shape(half: Half, properties: &Properties) -> Reshaped<HoistField> {
    let field = Options::new(KEYS, properties).text("field").unwrap_or_default().into();
    Reshaped::new(half, HoistField { field })
}

#[derive(Debug)]
struct HoistField {
    field: Arc<str>,
}

impl HoistField {
    /// A map without a schema that has only this value.
    fn bare_map(&self, schema: Arc<Schema>, value: Value) -> Payload<'static> {
        let map = Schema::of(Kind::Map(Schema::of(Kind::String).build(), schema)).schemaless().build();
        Payload::Value(map, Value::Map(vec![(Value::text(&self.field), value)]))
    }
}

impl Reshape for HoistField {
    fn null(&self, payload: &Payload<'_>) -> Result<Null, TransformError> {
        let Some(schema) = payload.schema() else {
            return Ok(Null::Becomes(self.bare_map(Schema::of(Kind::String).optional().build(), Value::Null)));
        };
        if schema.optional { Ok(Null::IsShown) } else { Err(TransformError::required(&self.field, schema.type_name())) }
    }

    fn bare(&self, map: &Payload<'_>) -> Option<Payload<'static>> {
        Some(self.bare_map(Arc::clone(map.schema()?), map.to_value()))
    }

    fn view(&self, payload: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let fields = payload.part().map(|whole| (Arc::clone(&self.field), whole)).into_iter().collect();
        Ok(View::of(unnamed(fields)?, payload.slots()))
    }
}
