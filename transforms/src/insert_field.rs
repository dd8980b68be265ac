//! `org.apache.kafka.connect.transforms.InsertField$Key` and `$Value`: adds fields about the record, or a fixed text.
//!
//! They come after the other fields, in the order topic, partition, timestamp, fixed text. A name can end in `!`, which makes
//! the field required:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.InsertField$Value", "static.field": "origin", "static.value": "here", "topic.field": "topic!", "timestamp.field": "at"}
//! {"topic": "srv.public.t", "value": {"id": 1}}
//! => {"value": {"id": 1, "topic": "srv.public.t", "at": null, "origin": "here"},
//!     "types": {"value.topic": "string", "value.origin": "string?", "value.at": "int64? org.apache.kafka.connect.data.Timestamp"}}
//! {"topic": "srv.public.t", "value": null}
//! => {}
//! ```
//!
//! Records of changes have no partition and no timestamp, unless another transform gives them one.
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.InsertField$Value", "static.field": "id", "static.value": "here"}
//! {"topic": "srv.public.t", "value": {"id": 1}}
//! => fails: Cannot create field because of field name duplication id
//! ```
//!
//! Must not know: headers.

use std::sync::Arc;

use record::{Cache, Kind, Part, Payload, Record, Schema, Value, View};
use settings::{Def, Key, Properties};

use crate::connect_options::{Options, REPLACE_NULL};
use crate::error::Refusal;
use crate::half::{CACHE, Half};
use crate::requirements::{fields, rebuilt, struct_of};
use crate::table::{Made, no_remarks};
use crate::{Transform, TransformError, logical};

const fn text(name: &'static str, doc: &'static str) -> Key {
    Key::new(name, settings::Kind::String).doc(doc)
}

const KEYS: &[Key] = &[
    text(
        "topic.field",
        "Name of the field for the topic. An ! behind it makes the field required, a ? optional (the default).",
    ),
    text("partition.field", "Name of the field for the partition, also with ! or ?."),
    text(
        "offset.field",
        "Name of the field for the offset. Records of a source have no offset, so each of them fails.",
    ),
    text("timestamp.field", "Name of the field for the record's timestamp, also with ! or ?."),
    text("static.field", "Name of the field for a fixed text, also with ! or ?."),
    text("static.value", "The fixed text."),
    REPLACE_NULL,
];

/// The row of `InsertField$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.InsertField$Key",
    summary: "Adds fields about the record, or a fixed text, to the key.",
    make: |properties| make(Half::Key, properties),
    ..VALUE
};

/// The row of `InsertField$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.InsertField$Value",
    module: module_path!(),
    summary: "Adds fields about the record, or a fixed text, to the value.",
    keys: Def::new(&[KEYS]),
    make: |properties| make(Half::Value, properties),
    remarks: no_remarks,
};

fn make(half: Half, properties: &Properties) -> Made {
    let options = Options::new(KEYS, properties);
    let field = |name| options.text(name).map(NewField::parse);
    let insertion = Insertion {
        topic: field("topic.field"),
        partition: field("partition.field"),
        offset: field("offset.field"),
        timestamp: field("timestamp.field"),
        fixed: field("static.field"),
        text: options.text("static.value").unwrap_or_default().to_owned(),
        replace_null: options.replace_null(),
    };
    if let Some(fixed) = insertion.fixed.as_ref().filter(|_| options.text("static.value").is_none()) {
        let name = &fixed.name;
        let message =
            format!("Invalid value null for configuration static.value: No value specified for static field: {name}");
        return Err(vec![Refusal::config("static.value", message)]);
    }
    let all = [&insertion.topic, &insertion.partition, &insertion.offset, &insertion.timestamp, &insertion.fixed];
    if all.iter().all(|field| field.is_none()) {
        return Err(vec![Refusal::config("topic.field", "No field insertion configured")]);
    }
    Ok(Box::new(InsertField { half, insertion, views: Cache::new(CACHE) }))
}

/// A field to add.
#[derive(Debug)]
struct NewField {
    name: Arc<str>,
    optional: bool,
}

impl NewField {
    fn parse(text: &str) -> Self {
        let (name, optional) = match (text.strip_suffix('?'), text.strip_suffix('!')) {
            (Some(name), _) => (name, true),
            (None, Some(name)) => (name, false),
            (None, None) => (text, true),
        };
        Self { name: name.into(), optional }
    }

    fn with(&self, part: Part) -> (Arc<str>, Part) {
        (Arc::clone(&self.name), part)
    }
}

#[derive(Debug)]
struct InsertField {
    half: Half,
    insertion: Insertion,
    /// The topic is a constant of the view, so nothing is copied for a record.
    views: Cache<Input, Arc<View>>,
}

/// What a view was made for.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Input {
    payload: u32,
    topic: Option<Arc<str>>,
    has_partition: bool,
    has_timestamp: bool,
}

#[derive(Debug)]
struct Insertion {
    topic: Option<NewField>,
    partition: Option<NewField>,
    offset: Option<NewField>,
    timestamp: Option<NewField>,
    fixed: Option<NewField>,
    text: String,
    replace_null: bool,
}

impl Insertion {
    /// What of the record goes into the new fields: the partition and the timestamp.
    fn values(&self, record: &Record<'_>) -> [Option<i64>; 2] {
        [self.partition.as_ref().and(record.partition).map(i64::from), self.timestamp.as_ref().and(record.timestamp_ms)]
    }

    fn view(&self, payload: &Payload<'_>, record: &Record<'_>) -> Result<Arc<View>, TransformError> {
        let whole = struct_of(payload, "field insertion")?;
        let mut all: Vec<_> = fields(&whole, self.replace_null).collect();
        let of = |kind, field: &NewField| Schema::of(kind).optional_if(field.optional).build();
        let mut slots = payload.slots();
        // A value that a record does not have is null; Connect notices only in the converter that a field is required.
        let mut value = |schema, given: Option<i64>| match given {
            Some(_) => {
                slots += 1;
                Part::owned(schema, slots - 1)
            }
            None => Part::constant(schema, Value::Null),
        };
        let [partition, timestamp] = self.values(record);
        all.extend(self.topic.iter().map(|f| f.with(Part::constant(of(Kind::String, f), Value::text(&record.topic)))));
        all.extend(self.partition.iter().map(|f| f.with(value(of(Kind::Int32, f), partition))));
        all.extend(self.offset.iter().map(|f| f.with(Part::constant(of(Kind::Int64, f), Value::Null))));
        all.extend(self.timestamp.iter().map(|f| f.with(value(logical::timestamp(f.optional), timestamp))));
        all.extend(self.fixed.iter().map(|f| f.with(Part::constant(of(Kind::String, f), Value::text(&self.text)))));
        let part = rebuilt(&whole.schema, all)?;
        if self.offset.is_some() {
            let found = "org.apache.kafka.connect.source.SourceRecord";
            let message = format!("Only SinkRecord supported for [field insertion], found: {found}");
            return Err(
                TransformError::data(message).remedy_is("Remove offset.field: records of a source have no offset.")
            );
        }
        Ok(View::of(part, slots))
    }
}

impl Transform for InsertField {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let payload = self.half.of(&record);
        if payload.is_null() {
            return Ok(Some(record));
        }
        let values = self.insertion.values(&record);
        let [has_partition, has_timestamp] = values.map(|value| value.is_some());
        let (id, with_topic) = (payload.id(), self.insertion.topic.is_some());
        let is = |known: &Input| {
            let same_topic = known.topic.as_ref().is_none_or(|topic| *topic == record.topic);
            let has = (known.has_partition, known.has_timestamp);
            known.payload == id && same_topic && has == (has_partition, has_timestamp)
        };
        let input = || Input {
            payload: id,
            topic: with_topic.then(|| Arc::clone(&record.topic)),
            has_partition,
            has_timestamp,
        };
        let place = match self.views.place(is, input) {
            Some(place) => place,
            None => self.views.insert(input(), self.insertion.view(payload, &record)?),
        };
        let view = self.views.at(place);
        Ok(Some(
            self.half.changed(record, |payload| payload.through(view, values.into_iter().flatten().map(Value::Int))),
        ))
    }
}
