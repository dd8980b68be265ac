//! `org.apache.kafka.connect.transforms.TimestampConverter$Key` and `$Value`: converts a field, or the whole key or value,
//! between dates, numbers of the time since 1970 and texts.
//!
//! What the field is, follows from its schema: Kafka Connect's own types, an INT64 (of the unit that `unix.precision` names),
//! or a text in the form of `format`. Fractions of a millisecond are lost:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.TimestampConverter$Value", "field": "at", "target.type": "string", "format": "yyyy-MM-dd'T'HH:mm:ss.SSS",
//!  "unix.precision": "microseconds"}
//! {"topic": "t", "types": {"at": "int64? io.debezium.time.MicroTimestamp"}, "value": {"id": 1, "at": 1704164645678901}}
//! => {"value": {"id": 1, "at": "2024-01-02T03:04:05.678"}, "types": {"value.at": "string?"}}
//! {"topic": "t", "types": {"at": "int64? io.debezium.time.MicroTimestamp"}, "value": {"id": 1, "at": null}}
//! => {}
//! {"topic": "t", "value": null}
//! => {}
//! ```
//!
//! Debezium's dates are INT32, which Kafka Connect does not take for dates:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.TimestampConverter$Value", "field": "day", "target.type": "Timestamp"}
//! {"topic": "t", "types": {"day": "int32? io.debezium.time.Date"}, "value": {"id": 1, "day": 19724}}
//! => fails: Schema Schema{io.debezium.time.Date:INT32} does not correspond to a known timestamp type format
//! {"topic": "t", "types": {"day": "int32? org.apache.kafka.connect.data.Date"}, "value": {"id": 1, "day": 19724}}
//! => {"value": {"id": 1, "day": 1704153600000}, "types": {"value.day": "int64? org.apache.kafka.connect.data.Timestamp"}}
//! ```
//!
//! Must not know: headers, topics.

#[cfg(test)]
mod tests;
mod units;

use std::sync::Arc;

use record::{Kind, Part, Payload, Record, Schema, Value, ValueRef, View};
use settings::{Check, Def, Key, Properties};

use self::units::{Form, Precision};
use crate::connect_options::{Options, REPLACE_NULL};
use crate::date_format::DateFormat;
use crate::error::{Refusal, java};
use crate::half::{Compiled, Half};
use crate::requirements::{Fields, fields, needs_struct, with_schema};
use crate::table::{Made, no_remarks};
use crate::{Transform, TransformError};

const KEYS: &[Key] = &[
    Key::new("field", settings::Kind::String)
        .default("")
        .high()
        .doc("The field to convert. Empty: the whole key or value."),
    Key::new("target.type", settings::Kind::String)
        .required()
        .high()
        .checks(&[Check::OneOfExactly(&["string", "unix", "Date", "Time", "Timestamp"])])
        .doc("What it becomes: string, unix (a number), or Kafka Connect's Date, Time or Timestamp."),
    Key::new("format", settings::Kind::String)
        .default("")
        .doc("How texts are written and read: a pattern of Java's SimpleDateFormat, in UTC."),
    Key::new("unix.precision", settings::Kind::String)
        .default("milliseconds")
        .low()
        .checks(&[Check::OneOfExactly(&["nanoseconds", "microseconds", "milliseconds", "seconds"])])
        .doc("The unit of numbers, read or written: seconds, milliseconds, microseconds or nanoseconds."),
    REPLACE_NULL,
];

/// The row of `TimestampConverter$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.TimestampConverter$Key",
    summary: "Converts dates and times in the key.",
    make: |properties| make(Half::Key, properties),
    ..VALUE
};

/// The row of `TimestampConverter$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.TimestampConverter$Value",
    module: module_path!(),
    summary: "Converts dates and times in the value.",
    keys: Def::new(&[KEYS]),
    make: |properties| make(Half::Value, properties),
    remarks: no_remarks,
};

fn make(half: Half, properties: &Properties) -> Made {
    let options = Options::new(KEYS, properties);
    let pattern = options.text("format").unwrap_or_default();
    let target = Form::parse(options.text("target.type").unwrap_or_default());
    if target == Form::Text && pattern.is_empty() {
        let message = "TimestampConverter requires format option to be specified when using string timestamps";
        return Err(vec![Refusal::config("format", message)]);
    }
    let format = (!pattern.is_empty()).then(|| DateFormat::new(pattern)).transpose().map_err(|wrong| {
        // Connect puts the parts of its message into the wrong places.
        let message = format!(
            "Invalid value java.lang.IllegalArgumentException: {wrong} for configuration TimestampConverter requires a \
             SimpleDateFormat-compatible pattern for string timestamps: {pattern}"
        );
        vec![Refusal::config("format", message)]
    })?;
    let conversion = Conversion {
        field: options.text("field").filter(|name| !name.is_empty()).map(Arc::from),
        target,
        format,
        precision: Precision::parse(options.text("unix.precision").unwrap_or_default()),
        replace_null: options.replace_null(),
        whole: half.name(),
    };
    Ok(Box::new(TimestampConverter { half, conversion, plans: Compiled::new(), text: Vec::new() }))
}

#[derive(Debug)]
struct TimestampConverter {
    half: Half,
    conversion: Conversion,
    plans: Compiled<Plan>,
    /// The text that is being read.
    text: Vec<u8>,
}

#[derive(Debug)]
struct Conversion {
    /// Nothing: the whole key or value.
    field: Option<Arc<str>>,
    target: Form,
    format: Option<DateFormat>,
    precision: Precision,
    replace_null: bool,
    /// What messages call the whole.
    whole: &'static str,
}

/// How inputs of one kind are converted.
#[derive(Debug)]
struct Plan {
    /// The view, and the value that must be computed. A number of milliseconds that becomes a Timestamp is only shown under
    /// another schema.
    good: Arc<View>,
    computed: Option<(Part, Form)>,
    /// The field is of a type that cannot be converted. Connect notices it at the first struct that is not null.
    bad: Option<TransformError>,
}

impl Conversion {
    fn plan(&self, payload: &Payload<'_>) -> Result<Plan, TransformError> {
        const PURPOSE: &str = "converting timestamp formats";
        let whole = payload.part().ok_or_else(|| TransformError::not_a_map(PURPOSE, "null"))?;
        let slots = payload.slots();
        let Some(field) = &self.field else {
            let form = form_of(&whole.schema)?;
            let schema = self.target.schema(whole.schema.optional);
            let computed = (!self.keeps(form)).then(|| (whole.clone(), form));
            let part = if computed.is_some() { Part::owned(schema, slots) } else { Part { schema, ..whole } };
            return Ok(Plan { good: View::of(part, slots + u16::from(computed.is_some())), computed, bad: None });
        };
        needs_struct(&whole.schema, PURPOSE)?;
        let (mut computed, mut bad) = (None, None);
        let mut list: Fields = Vec::new();
        for (name, part) in fields(&whole, self.replace_null) {
            if name != *field {
                list.push((name, part));
                continue;
            }
            let schema = self.target.schema(part.schema.optional);
            let form = form_of(&part.schema).map_err(|wrong| bad = Some(wrong)).unwrap_or(self.target);
            if self.keeps(form) {
                list.push((name, Part { schema, ..part }));
            } else {
                computed = Some((part, form));
                list.push((name, Part::owned(schema, slots)));
            }
        }
        let part = with_schema(&whole.schema, list)?;
        Ok(Plan { good: View::of(part, slots + u16::from(computed.is_some())), computed, bad })
    }

    /// Whether values of this form stay as they are.
    fn keeps(&self, from: Form) -> bool {
        let (to, ms) = (self.target, self.precision == Precision::Milliseconds);
        let is_ms = |form| form == Form::Timestamp || form == Form::Unix && ms;
        // A number is a number of milliseconds for a moment, and a text is read and written, so both may change.
        from == to && from != Form::Text && (from != Form::Unix || ms)
            || is_ms(from) && is_ms(to)
            || from == Form::Time && is_ms(to)
    }

    fn convert(&self, cell: &ValueRef<'_>, from: Form, text: &mut Vec<u8>) -> Result<Value, TransformError> {
        if cell.is_null() {
            return Ok(Value::Null);
        }
        let ms = match from {
            Form::Text => {
                let format = self.format.as_ref().ok_or_else(no_format)?;
                text.clear();
                cell.write_text(text);
                let read = std::str::from_utf8(text).ok().and_then(|text| format.read(text));
                read.ok_or_else(|| self.unreadable(format))?
            }
            _ => from.to_ms(cell.as_int().unwrap_or(0), self.precision),
        };
        Ok(match (self.target, &self.format) {
            (Form::Text, Some(format)) => {
                let mut out = Vec::with_capacity(format.pattern().len() + 8);
                format.write(&mut out, ms);
                Value::Text(String::from_utf8(out).unwrap_or_default())
            }
            (target, _) => Value::Int(target.of_ms(ms, self.precision)),
        })
    }

    fn unreadable(&self, format: &DateFormat) -> TransformError {
        let what = match &self.field {
            Some(name) => format!("of the field {name}"),
            None => format!("of the whole {}", self.whole),
        };
        TransformError::data(format!(
            "Could not parse timestamp: value ({what}) does not match pattern ({})",
            format.pattern()
        ))
    }
}

/// Connect trips over the missing format.
fn no_format() -> TransformError {
    let message = "Cannot invoke \"java.text.SimpleDateFormat.parse(String)\" because \"config.format\" is null";
    TransformError::new(java::NULL_POINTER, message).remedy_is("Set format to the form of the texts.")
}

/// What values of a schema are.
fn form_of(schema: &Schema) -> Result<Form, TransformError> {
    match (schema.name.as_deref(), &schema.kind) {
        (Some("org.apache.kafka.connect.data.Timestamp"), _) => Ok(Form::Timestamp),
        (Some("org.apache.kafka.connect.data.Date"), _) => Ok(Form::Date),
        (Some("org.apache.kafka.connect.data.Time"), _) => Ok(Form::Time),
        (_, Kind::String) => Ok(Form::Text),
        (_, Kind::Int64) => Ok(Form::Unix),
        (name, _) => {
            let name = name.map(|name| format!("{name}:")).unwrap_or_default();
            let kind = schema.type_name();
            let message = format!("Schema Schema{{{name}{kind}}} does not correspond to a known timestamp type format");
            Err(TransformError::connect(message))
        }
    }
}

impl Transform for TimestampConverter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let payload = self.half.of(&record);
        if payload.schema().is_none() {
            record.headers.detach();
            return Ok(Some(record));
        }
        let is_null = payload.is_null();
        let plan = self.plans.of(payload, |payload| self.conversion.plan(payload))?;
        if let Some(wrong) = plan.bad.as_ref().filter(|_| !is_null) {
            return Err(wrong.clone());
        }
        if is_null {
            let schema = Arc::clone(&plan.good.part.schema);
            return Ok(Some(self.half.changed(record, |_| Payload::NullOf(schema))));
        }
        let mut computed = None;
        if let Some((part, form)) = &plan.computed {
            computed = Some(part.with(payload.frame(), |cell| self.conversion.convert(cell, *form, &mut self.text))?);
        }
        Ok(Some(self.half.changed(record, |payload| payload.through(&plan.good, computed))))
    }
}
