//! `org.apache.kafka.connect.transforms.Flatten$Key` and `$Value`: makes one flat struct of a struct with others inside.
//!
//! The names on the way to a field are joined:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.Flatten$Value", "delimiter": "_"}
//! {"topic": "t", "types": {"a.b.c": "int32=7"}, "value": {"id": 1, "a": {"b": {"c": 2, "d": "x"}, "e": [1]}}}
//! => {"value": {"id": 1, "a_b_c": 2, "a_b_d": "x", "a_e": [1]}, "types": {"value.a_b_c": "int32?=7", "value.a_e": "array<int32?>?"}}
//! {"topic": "t", "value": {"id": 1, "a": {"b": null, "e": null}}}
//! => {"value": {"id": 1, "a_b": null, "a_e": null}}
//! {"topic": "t", "value": null}
//! => {}
//! ```
//!
//! A field becomes optional if a struct around it is:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.Flatten$Value"}
//! {"topic": "srv.public.t", "value": {"op": "d", "before": {"id": 1, "v": "x"}}}
//! => {"value": {"before.id": 1, "before.v": "x", "after.id": null, "after.v": null, "source.version": "3.6.1.Final",
//!       "source.connector": "postgresql", "source.name": "srv", "source.ts_ms": 1700000000000, "source.snapshot": "false",
//!       "source.db": "shop", "source.sequence": "[null,\"24023128\"]", "source.ts_us": 1700000000000000,
//!       "source.ts_ns": 1700000000000000000, "source.schema": "public", "source.table": "t", "source.txId": 555,
//!       "source.lsn": 24023128, "source.xmin": null, "transaction.id": null, "transaction.total_order": null,
//!       "transaction.data_collection_order": null, "op": "d", "ts_ms": 1700000000123, "ts_us": 1700000000123456,
//!       "ts_ns": 1700000000123456789},
//!     "types": {"value.before.id": "int32?", "value.source.ts_ms": "int64", "value.op": "string"}}
//! ```
//!
//! Must not know: headers, topics.

use std::sync::Arc;

use record::{Kind, Node, Part, Payload, Schema, Source, Value, View};
use settings::{Def, Key, Properties};

use crate::TransformError;
use crate::connect_options::Options;
use crate::half::Half;
use crate::requirements::{Fields, rebuilt, struct_of};
use crate::reshape::{Reshape, Reshaped};
use crate::table::no_remarks;

const KEYS: &[Key] =
    &[Key::new("delimiter", settings::Kind::String).default(".").doc("What stands between the names that are joined.")];

/// The row of `Flatten$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.Flatten$Key",
    summary: "Makes one flat struct of a key with structs inside.",
    make: |properties| Ok(Box::new(shape(Half::Key, properties))),
    ..VALUE
};

/// The row of `Flatten$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.Flatten$Value",
    module: module_path!(),
    summary: "Makes one flat struct of a value with structs inside.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(shape(Half::Value, properties))),
    remarks: no_remarks,
};

fn shape(half: Half, properties: &Properties) -> Reshaped<Flatten> {
    let delimiter = Options::new(KEYS, properties).text("delimiter").unwrap_or("null").to_owned();
    Reshaped::new(half, Flatten { delimiter })
}

#[derive(Debug)]
struct Flatten {
    delimiter: String,
}

/// What a field has from the structs around it.
struct Around<'d> {
    /// The names on the way, joined.
    prefix: String,
    /// Whether one of them is optional.
    optional: bool,
    /// The default of the innermost one.
    default: Option<&'d Value>,
}

impl Reshape for Flatten {
    fn view(&self, payload: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let whole = struct_of(payload, "flattening")?;
        let mut flat = Vec::new();
        let schema = Arc::clone(&whole.schema);
        let around = Around { prefix: String::new(), optional: schema.optional, default: schema.default.as_ref() };
        self.add(&whole, &around, &mut flat)?;
        Ok(View::of(rebuilt(&schema, flat)?, payload.slots()))
    }
}

impl Flatten {
    fn add(&self, part: &Part, around: &Around<'_>, flat: &mut Fields) -> Result<(), TransformError> {
        for (at, (name, field)) in part.fields().enumerate() {
            let name = if around.prefix.is_empty() {
                name.to_string()
            } else {
                [&around.prefix, &*self.delimiter, &name].concat()
            };
            let schema = Arc::clone(&field.schema);
            let optional = around.optional || schema.optional;
            let default = schema.default.as_ref().or_else(|| default_in(around.default, at));
            match schema.kind {
                Kind::Struct(_) => self.add(&field, &Around { prefix: name, optional, default }, flat)?,
                Kind::Map(..) => {
                    let message = format!(
                        "Flatten transformation does not support MAP for record with schemas (for field {name})."
                    );
                    return Err(TransformError::data(message));
                }
                _ => {
                    // A null that a transform computed inside of a struct stays null: that transform has put the default in
                    // its place, unless the struct itself is missing, which the computed value does not know.
                    let field =
                        if around.prefix.is_empty() || !is_computed(&field) { field.or_default() } else { field };
                    flat.push((name.into(), Part { schema: flattened(&schema, optional, default), ..field }));
                }
            }
        }
        Ok(())
    }
}

/// Whether the field is a value of its own, and not a part of the change or of a larger value.
fn is_computed(field: &Part) -> bool {
    matches!(&field.node, Node::Leaf(leaf) if matches!(leaf.source, Source::Owned(_)) && leaf.path.is_empty())
}

/// The field's part of a struct's default.
fn default_in(default: Option<&Value>, at: usize) -> Option<&Value> {
    let Some(Value::Struct(fields)) = default else { return None };
    fields.get(at).filter(|value| **value != Value::Null)
}

fn flattened(schema: &Schema, optional: bool, default: Option<&Value>) -> Arc<Schema> {
    schema.edit().optional_if(optional).default(default.cloned()).build()
}
