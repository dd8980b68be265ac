//! `org.apache.kafka.connect.transforms.MaskField$Key` and `$Value`: hides the values of fields of a struct.
//!
//! A value becomes the empty one of its type; null stays null. The schema stays as it is:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.MaskField$Value", "fields": "pin,secret,flag,nosuch"}
//! {"topic": "t", "value": {"id": 1, "pin": 1234, "secret": "s", "flag": true, "open": "o"}}
//! => {"value": {"id": 1, "pin": 0, "secret": "", "flag": false, "open": "o"}}
//! {"topic": "t", "types": {"pin": "int32?"}, "value": {"id": 1, "pin": null, "secret": null, "flag": null, "open": "o"}}
//! => {}
//! ```
//!
//! Texts and numbers can become something else:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.MaskField$Value", "fields": "pin,secret", "replacement": "77"}
//! {"topic": "t", "value": {"id": 1, "pin": 1234, "secret": "s"}}
//! => {"value": {"id": 1, "pin": 77, "secret": "77"}}
//! ```
//!
//! A tombstone ends the task, so topics with tombstones need the predicate `RecordIsTombstone` with `negate`:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.MaskField$Value", "fields": "pin"}
//! {"topic": "t", "value": null}
//! => fails: Only Map objects supported in absence of schema for [mask fields], found: null
//! ```
//!
//! Must not know: headers, topics.

use std::collections::HashSet;
use std::sync::Arc;

use record::{Frame, Kind, Leaf, Logical, Mask, Node, Part, Payload, Record, Schema, Source, Value, View};
use settings::{Check, Def, Key, Properties};

use crate::connect_options::{Options, REPLACE_NULL, SOME_NAMES};
use crate::half::{Compiled, Half};
use crate::java_number;
use crate::requirements::{fields, struct_of, with_schema};
use crate::structs::java_class;
use crate::table::no_remarks;
use crate::{Transform, TransformError};

const KEYS: &[Key] = &[
    Key::new("fields", settings::Kind::List)
        .required()
        .high()
        .checks(&[SOME_NAMES])
        .doc("Names of the fields to hide."),
    Key::new("replacement", settings::Kind::String)
        .low()
        .checks(&[Check::NonEmpty])
        .doc("What texts and numbers become, instead of an empty text or 0."),
    REPLACE_NULL,
];

/// The row of `MaskField$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.MaskField$Key",
    summary: "Hides the values of fields of the key.",
    make: |properties| Ok(Box::new(MaskField::new(Half::Key, properties))),
    ..VALUE
};

/// The row of `MaskField$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.MaskField$Value",
    module: module_path!(),
    summary: "Hides the values of fields of the value.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(MaskField::new(Half::Value, properties))),
    remarks: no_remarks,
};

const PURPOSE: &str = "mask fields";

#[derive(Debug)]
struct MaskField {
    half: Half,
    masks: Masks,
    masked: Compiled<Masked>,
}

#[derive(Debug)]
struct Masks {
    fields: HashSet<String>,
    replacement: Option<String>,
    replace_null: bool,
}

/// What was made for one kind of input.
#[derive(Debug)]
struct Masked {
    view: Arc<View>,
    /// Fields that cannot be masked, and why. A record fails only if such a field is not null in it.
    impossible: Vec<(Part, TransformError)>,
}

impl MaskField {
    fn new(half: Half, properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        let masks = Masks {
            fields: options.list("fields").into_iter().map(str::to_owned).collect(),
            replacement: options.text("replacement").map(str::to_owned),
            replace_null: options.replace_null(),
        };
        Self { half, masks, masked: Compiled::new() }
    }
}

impl Masks {
    fn masked(&self, payload: &Payload<'_>) -> Result<Masked, TransformError> {
        let whole = struct_of(payload, PURPOSE)?;
        let mut impossible = Vec::new();
        let mut list = Vec::new();
        for (name, field) in fields(&whole, self.replace_null) {
            if !self.fields.contains(&*name) {
                list.push((name, field));
                continue;
            }
            match self.shown(&field.schema) {
                Ok(shown) => list.push((name, mask(field, shown))),
                Err(why) => {
                    impossible.push((field.clone(), why));
                    list.push((name, field));
                }
            }
        }
        // The very schema of the input stays, whether it is optional, and its default.
        let part = with_schema(&whole.schema, list)?;
        Ok(Masked { view: View::of(part, payload.slots()), impossible })
    }

    /// What a value of this schema becomes.
    fn shown(&self, schema: &Schema) -> Result<Value, TransformError> {
        match &self.replacement {
            None => nothing(schema).ok_or_else(|| {
                TransformError::data(format!("Cannot mask value of type: class {}", java_class(schema)))
            }),
            Some(text) => replaced(schema, text),
        }
    }
}

/// The field, with `shown` in the place of every value.
fn mask(field: Part, shown: Value) -> Part {
    let node = match field.node {
        Node::Leaf(_) if !field.schema.optional && field.schema.default.is_none() => {
            Source::Constant(Arc::new(shown)).into()
        }
        Node::Leaf(hidden) => masked_leaf(hidden, shown).into(),
        // A struct that is made field by field; it cannot be masked.
        node @ Node::Struct(..) => node,
    };
    Part { node, ..field }
}

fn masked_leaf(hidden: Leaf, shown: Value) -> Source {
    Source::Masked(Arc::new(Mask { hidden, shown }))
}

/// The empty value of a type.
fn nothing(schema: &Schema) -> Option<Value> {
    Some(match (&schema.kind, schema.logical) {
        // Scale 0, whatever the schema says, as in Connect: a converter refuses it where the scale is another.
        (_, Logical::Decimal { .. }) => Value::Decimal { unscaled: vec![0], scale: 0 },
        (Kind::Bool, _) => Value::Bool(false),
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, _) => Value::Int(0),
        (Kind::Float32, _) => Value::Float(0.0),
        (Kind::Float64, _) => Value::Double(0.0),
        (Kind::String, _) => Value::text(""),
        (Kind::Array(_), _) => Value::Array(Vec::new()),
        (Kind::Map(..), _) => Value::Map(Vec::new()),
        (Kind::Bytes | Kind::Struct(_), _) => return None,
    })
}

/// The replacement as a value of a type.
fn replaced(schema: &Schema, text: &str) -> Result<Value, TransformError> {
    let is_decimal = matches!(schema.logical, Logical::Decimal { .. });
    let number = || {
        java_number::decimal(text).ok_or_else(|| {
            // Two places in Connect notice it, with two texts.
            let number = if is_decimal { "number" } else { "a number" };
            TransformError::data(format!("Unable to convert {text} (class java.lang.String) to {number}"))
        })
    };
    Ok(match (&schema.kind, schema.logical) {
        (_, Logical::Decimal { .. }) => number()?.into_value(),
        (Kind::Bool | Kind::Bytes | Kind::Array(_) | Kind::Map(..) | Kind::Struct(_), _)
        | (_, Logical::Date | Logical::Time | Logical::Timestamp) => {
            let class = java_class(schema);
            let message = format!("Cannot mask value of type class {class} with custom replacement.");
            return Err(TransformError::data(message));
        }
        (Kind::Int8, _) => Value::Int(i64::from(number()?.to_i64() as i8)),
        (Kind::Int16, _) => Value::Int(i64::from(number()?.to_i64() as i16)),
        (Kind::Int32, _) => Value::Int(i64::from(number()?.to_i64() as i32)),
        (Kind::Int64, _) => Value::Int(number()?.to_i64()),
        (Kind::Float32, _) => Value::Float(number()?.to_f32()),
        (Kind::Float64, _) => Value::Double(number()?.to_f64()),
        (Kind::String, _) => Value::text(text),
    })
}

impl Transform for MaskField {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let payload = self.half.of(&record);
        if payload.is_null() {
            struct_of(payload, PURPOSE)?;
        }
        let masked = self.masked.of(payload, |payload| self.masks.masked(payload))?;
        let frame: Frame<'_> = payload.frame();
        if let Some((_, why)) = masked.impossible.iter().find(|(field, _)| !field.is_null(frame)) {
            return Err(why.clone());
        }
        Ok(Some(self.half.changed(record, |payload| payload.through(&masked.view, []))))
    }
}
