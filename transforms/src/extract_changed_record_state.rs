//! `io.debezium.transforms.ExtractChangedRecordState`: headers that name the columns which an update changed, and those that it
//! did not change.
//!
//! ```json
//! {"header.changed.name": "Changed", "header.unchanged.name": "Unchanged"}
//! {"topic": "srv.public.a", "value": {"op": "u", "before": {"id": 1, "name": "a", "qty": 1}, "after": {"id": 1, "name": "b", "qty": 1}}}
//! => {"headers": [["Changed", ["name"]], ["Unchanged", ["id", "qty"]]],
//!     "types": {"header:Changed": "array<string?>? Changed"}}
//! ```
//!
//! Every change gets the headers; the lists are empty unless both rows are there:
//!
//! ```json
//! {"header.changed.name": "Changed"}
//! {"topic": "srv.public.a", "value": {"op": "c", "after": {"id": 1}}}
//! => {"headers": [["Changed", []]]}
//! {"topic": "srv.public.a", "value": {"op": "u", "after": {"id": 1}}}
//! => {"headers": [["Changed", []]]}
//! {"topic": "heartbeat", "value": {"ts_ms": 1}}
//! => {}
//! ```
//!
//! Must not know: tables, databases.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{Cache, Header, Kind, Part, Payload, Record, Schema, Value, ValueRef};
use settings::{Def, Key, Properties, Width};

use crate::envelope::is_envelope;
use crate::structs::java_class;
use crate::{Transform, TransformError};

/// The number of inputs (usually tables) of which something is kept.
const CACHE: usize = 4096;

const fn key(name: &'static str, title: &'static str) -> Key {
    crate::options::key(name, settings::Kind::String, title, Width::Long).low()
}

const KEYS: &[Key] = &[
    key("header.changed.name", "Header change name.")
        .doc("Name of a header that lists the columns which an update changed. Not set: there is no such header."),
    key("header.unchanged.name", "Header unchanged name.").doc(
        "Name of a header that lists the columns which an update did not change. Not set: there is no such header.",
    ),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.ExtractChangedRecordState",
    module: module_path!(),
    summary: "Adds headers that name the columns which an update changed, or did not change.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ExtractChangedRecordState::new(properties))),
    remarks: crate::table::no_remarks,
};

/// Adds headers that name changed and unchanged columns. Options and results are those of Debezium's
/// [event changes](https://debezium.io/documentation/reference/stable/transformations/event-changes.html).
#[derive(Debug)]
struct ExtractChangedRecordState {
    changed: Option<List>,
    unchanged: Option<List>,
    /// What was found out about an input, by the payload's id.
    plans: Cache<u32, Plan>,
}

/// A header with a list of names.
#[derive(Debug)]
struct List {
    name: Arc<str>,
    schema: Arc<Schema>,
}

/// The two rows of an input.
#[derive(Debug)]
struct Plan {
    before: Part,
    after: Part,
    /// The columns of the row after, there and in the row before; an error if the row before lacks one, which shows only when
    /// both rows are there.
    columns: Result<Vec<Column>, TransformError>,
}

#[derive(Debug)]
struct Column {
    name: Arc<str>,
    before: Part,
    after: Part,
}

impl List {
    /// None without a name, or with a blank one.
    fn named(properties: &Properties, key: &str) -> Option<Self> {
        let name = properties.get(key).filter(|name| !name.trim().is_empty())?;
        let text = Schema::of(Kind::String).optional().build();
        Some(Self { name: name.into(), schema: Schema::of(Kind::Array(text)).optional().named(name, None).build() })
    }

    fn header(&self, names: Vec<Value>) -> Header<'static> {
        Header::new(Arc::clone(&self.name), Arc::clone(&self.schema), Value::Array(names))
    }
}

impl ExtractChangedRecordState {
    fn new(properties: &Properties) -> Self {
        Self {
            changed: List::named(properties, "header.changed.name"),
            unchanged: List::named(properties, "header.unchanged.name"),
            plans: Cache::new(CACHE),
        }
    }

    /// The place of what is known of an input; none if it is no envelope.
    fn place(&mut self, value: &Payload<'_>) -> Result<Option<usize>, TransformError> {
        let id = value.id();
        if let Some(place) = self.plans.place(|known| *known == id, || id) {
            return Ok(Some(place));
        }
        let Some(envelope) = value.part().filter(|part| is_envelope(&part.schema)) else { return Ok(None) };
        let row = |name: &str| {
            let row = envelope.field(name).ok_or_else(|| TransformError::no_field(name))?;
            if matches!(row.schema.kind, Kind::Struct(_)) {
                return Ok(row);
            }
            let purpose =
                if name == "after" { "After value should be struct." } else { "Before value should be struct." };
            Err(TransformError::not_a_struct(purpose, java_class(&row.schema)))
        };
        let (after, before) = (row("after")?, row("before")?);
        let column = |(name, after): (Arc<str>, Part)| {
            let before = before.field(&name).ok_or_else(|| TransformError::no_field(&name))?;
            Ok(Column { name, before, after })
        };
        let columns = after.fields().map(column).collect();
        Ok(Some(self.plans.insert(id, Plan { before, after, columns })))
    }
}

impl Transform for ExtractChangedRecordState {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(place) = self.place(&record.value)? else { return Ok(Some(record)) };
        let plan = self.plans.at(place);
        let frame = record.value.frame();
        let (mut changed, mut unchanged) = (Vec::new(), Vec::new());
        if !plan.after.is_null(frame) && !plan.before.is_null(frame) {
            for column in plan.columns.as_ref().map_err(Clone::clone)? {
                let is_same = column.after.with(frame, |after| column.before.with(frame, |before| same(before, after)));
                let (list, names) =
                    if is_same { (&self.unchanged, &mut unchanged) } else { (&self.changed, &mut changed) };
                if list.is_some() {
                    names.push(Value::text(&column.name));
                }
            }
        }
        for (list, names) in [(&self.changed, changed), (&self.unchanged, unchanged)] {
            if let Some(list) = list {
                record.headers.append_in_place(list.header(names));
            }
        }
        Ok(Some(record))
    }
}

/// Whether two values of one type are equal in Java: `NaN` equals itself, 0.0 is not -0.0, and decimals of different scales
/// differ.
fn same(one: &ValueRef<'_>, other: &ValueRef<'_>) -> bool {
    match (one, other) {
        (ValueRef::Float(one), ValueRef::Float(other)) => same_floats(f64::from(*one), f64::from(*other)),
        (ValueRef::Double(one), ValueRef::Double(other)) => same_floats(*one, *other),
        (ValueRef::Hex(one), ValueRef::Hex(other)) => one.eq_ignore_ascii_case(other),
        (ValueRef::Shared(one), ValueRef::Shared(other)) => same_values(one, other),
        (ValueRef::Owned(one), ValueRef::Owned(other)) => same_values(one, other),
        _ if std::mem::discriminant(one) == std::mem::discriminant(other) => one == other,
        _ => same_values(&one.to_value(), &other.to_value()),
    }
}

fn same_floats(one: f64, other: f64) -> bool {
    one.to_bits() == other.to_bits() || one.is_nan() && other.is_nan()
}

fn same_values(one: &Value, other: &Value) -> bool {
    match (one, other) {
        (Value::Float(one), Value::Float(other)) => same_floats(f64::from(*one), f64::from(*other)),
        (Value::Double(one), Value::Double(other)) => same_floats(*one, *other),
        (Value::Array(one), Value::Array(other)) | (Value::Struct(one), Value::Struct(other)) => {
            one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same_values(one, other))
        }
        (Value::Map(one), Value::Map(other)) => {
            let has = |(key, value): &(Value, Value)| {
                other.iter().any(|(known, held)| same_values(known, key) && same_values(held, value))
            };
            one.len() == other.len() && one.iter().all(has)
        }
        _ => one == other,
    }
}
