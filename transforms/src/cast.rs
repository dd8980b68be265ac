//! `org.apache.kafka.connect.transforms.Cast$Key` and `$Value`: gives fields, or the whole key or value, another type.
//!
//! Numbers that do not fit are cut as Java cuts them. The name of a logical type is lost:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.Cast$Value", "spec": "n:string,f:int32,txt:float64,yes:int8,small:boolean,wide:int8,at:string,nosuch:string"}
//! {"topic": "t", "types": {"at": "int64? io.debezium.time.MicroTimestamp"},
//!  "value": {"id": 1, "n": 10, "f": -2.9, "txt": "1.25", "yes": true, "small": 3, "wide": 300, "at": 1700000000000000}}
//! => {"value": {"id": 1, "n": "10", "f": -2, "txt": 1.25, "yes": 1, "small": true, "wide": 44, "at": "1700000000000000"},
//!     "types": {"value.n": "string?", "value.at": "string?", "value.wide": "int8?", "value": "struct t.Value"}}
//! {"topic": "t", "value": {"id": 1, "txt": "x"}}
//! => fails: Value (of the field txt) was out of range for requested data type
//! {"topic": "t", "value": null}
//! => {}
//! ```
//!
//! A key that is not a struct:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.Cast$Key", "spec": "string"}
//! {"topic": "t", "key": 1, "value": {"id": 1}}
//! => {"key": "1", "types": {"key": "string?"}}
//! ```
//!
//! Must not know: headers, topics.

mod convert;
#[cfg(test)]
mod tests;

use std::collections::HashMap;
use std::sync::Arc;

use record::{Kind, Part, Payload, Record, Schema, Value, ValueRef, View};
use settings::{Check, Def, Key, Properties};

use self::convert::{Wrong, convert, keeps, kind_of};
use crate::connect_options::{self, Options, REPLACE_NULL};
use crate::half::{Compiled, Half};
use crate::options::java_split;
use crate::requirements::{fields, with_schema};
use crate::structs::java_class;
use crate::table::no_remarks;
use crate::{Transform, TransformError};

const KEYS: &[Key] = &[
    Key::new("spec", settings::Kind::List)
        .required()
        .high()
        .checks(&[Check::Own(|asked| spec(asked.value.unwrap_or_default()).err().into_iter().collect())])
        .doc("Fields and their new types, field:type, with commas between; or one type for the whole key or value. The types are int8, int16, int32, int64, float32, float64, boolean and string."),
    REPLACE_NULL,
];

/// The row of `Cast$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.Cast$Key",
    summary: "Gives the key or its fields another type.",
    make: |properties| Ok(Box::new(Cast::new(Half::Key, properties))),
    ..VALUE
};

/// The row of `Cast$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.Cast$Value",
    module: module_path!(),
    summary: "Gives the value or its fields another type.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(Cast::new(Half::Value, properties))),
    remarks: no_remarks,
};

/// The types that can be cast to, in the order of Connect's messages.
const OUTPUTS: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING]";
const INPUTS: &str = "[INT8, INT16, INT32, INT64, FLOAT32, FLOAT64, BOOLEAN, STRING, BYTES]";

/// A type that can be cast to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Target {
    Int8,
    Int16,
    Int32,
    Int64,
    Float32,
    Float64,
    Boolean,
    String,
}

impl Target {
    fn parse(text: &str) -> Result<Self, String> {
        let name = text.trim().to_uppercase();
        Ok(match name.as_str() {
            "INT8" => Self::Int8,
            "INT16" => Self::Int16,
            "INT32" => Self::Int32,
            "INT64" => Self::Int64,
            "FLOAT32" => Self::Float32,
            "FLOAT64" => Self::Float64,
            "BOOLEAN" => Self::Boolean,
            "STRING" => Self::String,
            "BYTES" | "ARRAY" | "MAP" | "STRUCT" => {
                return Err(format!(
                    "Cast transformation does not support casting to {name}; supported types are {OUTPUTS}"
                ));
            }
            _ => {
                // Connect puts the parts of its message into the wrong places.
                return Err(format!(
                    "Invalid value java.lang.IllegalArgumentException: No enum constant \
                     org.apache.kafka.connect.data.Schema.Type.{name} for configuration Invalid type found in casting spec: {}",
                    text.trim()
                ));
            }
        })
    }
}

/// What is cast.
#[derive(Debug, PartialEq)]
enum Spec {
    Whole(Target),
    Fields(HashMap<String, Target>),
}

/// Reads the option `spec`, or says what is wrong with it.
fn spec(list: &str) -> Result<Spec, String> {
    let items = connect_options::split(list);
    if items.is_empty() {
        return Err("Must specify at least one field to cast.".to_owned());
    }
    let mut whole = None;
    let mut casts = HashMap::new();
    for item in &items {
        match java_split(item, ':')[..] {
            [target] => whole = Some(Target::parse(target)?),
            [field, target] => {
                casts.insert(field.trim().to_owned(), Target::parse(target)?);
            }
            _ => {
                let list = connect_options::shown(&items);
                return Err(format!("Invalid value {list} for configuration renames: Invalid rename mapping: {item}"));
            }
        }
    }
    match whole {
        Some(target) if items.len() == 1 => Ok(Spec::Whole(target)),
        Some(_) => Err(
            "Cast transformations that specify a type to cast the entire value to may only specify a single cast in \
                        their spec"
                .to_owned(),
        ),
        None => Ok(Spec::Fields(casts)),
    }
}

#[derive(Debug)]
struct Cast {
    half: Half,
    casts: Casts,
    plans: Compiled<Plan>,
}

#[derive(Debug)]
struct Casts {
    spec: Spec,
    replace_null: bool,
    /// What messages call the whole.
    whole: &'static str,
}

/// How inputs of one kind are cast.
#[derive(Debug)]
struct Plan {
    view: Arc<View>,
    /// The values that must be computed. Others, such as an INT16 that becomes an INT32, are only shown under another schema.
    steps: Vec<Step>,
}

#[derive(Debug)]
struct Step {
    from: Part,
    to: Target,
    field: Option<Arc<str>>,
}

impl Cast {
    fn new(half: Half, properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        // The check of the key has made sure that it can be read.
        let spec = spec(options.text("spec").unwrap_or_default()).unwrap_or_else(|_| Spec::Fields(HashMap::new()));
        let casts = Casts { spec, replace_null: options.replace_null(), whole: half.name() };
        Self { half, casts, plans: Compiled::new() }
    }
}

impl Casts {
    fn plan(&self, payload: &Payload<'_>) -> Result<Plan, TransformError> {
        let whole = payload.part().ok_or_else(|| TransformError::not_a_map("cast types", "null"))?;
        let mut steps = Vec::new();
        let slots = payload.slots();
        let part = match &self.spec {
            Spec::Whole(target) => {
                let basics = whole.schema.edit().kind(kind_of(*target));
                let default = self.default(&whole.schema, *target, None)?;
                let schema = basics.default(default).build();
                shown(whole, schema, *target, None, slots, &mut steps)
            }
            Spec::Fields(casts) => {
                if !matches!(whole.schema.kind, Kind::Struct(_)) {
                    return Err(TransformError::no_fields());
                }
                let mut list = Vec::new();
                for (name, field) in fields(&whole, self.replace_null) {
                    let Some(target) = casts.get(&*name) else {
                        list.push((name, field));
                        continue;
                    };
                    let default = self.default(&field.schema, *target, Some(&name))?;
                    let optional = field.schema.optional;
                    let schema = Schema::of(kind_of(*target)).optional_if(optional).default(default).build();
                    let field = shown(field, schema, *target, Some(Arc::clone(&name)), slots, &mut steps);
                    list.push((name, field));
                }
                with_schema(&whole.schema, list)?
            }
        };
        Ok(Plan { view: View::of(part, slots + steps.len() as u16), steps })
    }

    /// The default of a schema, in the new type.
    fn default(&self, schema: &Schema, to: Target, field: Option<&str>) -> Result<Option<Value>, TransformError> {
        let Some(default) = &schema.default else { return Ok(None) };
        let cast = convert(&ValueRef::Shared(default), schema, to).map_err(|wrong| self.error(wrong, schema, field))?;
        Ok(Some(cast))
    }

    fn error(&self, wrong: Wrong, schema: &Schema, field: Option<&str>) -> TransformError {
        TransformError::data(match wrong {
            Wrong::Range => {
                let what =
                    field.map_or_else(|| format!("the whole {}", self.whole), |name| format!("the field {name}"));
                format!("Value (of {what}) was out of range for requested data type")
            }
            Wrong::Class => format!("Unexpected type in Cast transformation: class {}", java_class(schema)),
            Wrong::Type => format!(
                "Cast transformation does not support casting from {}; supported types are {INPUTS}",
                schema.type_name()
            ),
        })
    }
}

/// The value under its new schema. If it must be computed, a step is added for it.
fn shown(
    from: Part,
    schema: Arc<Schema>,
    to: Target,
    field: Option<Arc<str>>,
    slots: u16,
    steps: &mut Vec<Step>,
) -> Part {
    if keeps(&from.schema, to) {
        return Part { schema, ..from };
    }
    steps.push(Step { from, to, field });
    Part::owned(schema, slots + steps.len() as u16 - 1)
}

impl Transform for Cast {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let payload = self.half.of(&record);
        if payload.is_null() {
            return Ok(Some(record));
        }
        let plan = self.plans.of(payload, |payload| self.casts.plan(payload))?;
        let frame = payload.frame();
        let mut computed = Vec::with_capacity(plan.steps.len());
        for Step { from, to, field } in &plan.steps {
            let value = from.with(frame, |cell| convert(cell, &from.schema, *to));
            computed.push(value.map_err(|wrong| self.casts.error(wrong, &from.schema, field.as_deref()))?);
        }
        Ok(Some(self.half.changed(record, |payload| payload.through(&plan.view, computed))))
    }
}
