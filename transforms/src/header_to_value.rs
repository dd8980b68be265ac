//! `io.debezium.transforms.HeaderToValue`: copies or moves headers into the value, as fields.
//!
//! ```json
//! {"headers": "h1", "fields": "x", "operation": "copy"}
//! {"topic": "t", "headers": [["h1", "v"], ["h2", 2]], "value": {"a": 1}}
//! => {"value": {"a": 1, "x": "v"}}
//! {"topic": "t", "headers": [["h2", 2]], "value": {"a": 1}}
//! => {}
//! ```
//!
//! A point in the name of the field means a struct, which is made if the value has none of that name:
//!
//! ```json
//! {"headers": "h1,h2", "fields": "source.h,made.n", "operation": "move"}
//! {"topic": "srv.public.a", "headers": [["h1", "v"], ["h2", 2], ["h3", 3]], "value": {"op": "c", "after": {"id": 1}}}
//! => {"value": {"after": {"id": 1}, "source": {"table": "a", "h": "v"}, "made": {"n": 2}}, "headers": [["h3", 3]]}
//! ```
//!
//! Must not know: tables, databases.

mod plan;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{Cache, Kind, Record, Schema, View};
use settings::{Def, Key, Properties, Width};

use self::plan::Entry;
use crate::error::{Refusal, java};
use crate::options::{Options, java_split};
use crate::structs::java_class;
use crate::{Transform, TransformError};

/// The number of inputs (with the headers that they come with) of which something is kept.
const CACHE: usize = 4096;

settings::choices! {
    /// What becomes of the headers (`operation`).
    enum Operation {
        /// They are taken out of the record.
        Move = "move",
        /// They stay.
        Copy = "copy",
    }
}

const fn key(name: &'static str, kind: settings::Kind, title: &'static str) -> Key {
    crate::options::key(name, kind, title, Width::None).high()
}

const KEYS: &[Key] = &[
    key("headers", settings::Kind::List, "Header names list")
        .doc("The names of the headers, with commas between. Must be set."),
    key("fields", settings::Kind::List, "Field names list").doc(
        "The name of the field for each header, in the same order, with points for fields of structs. Must be set.",
    ),
    key("operation", settings::Kind::String, "Operation: mover or copy")
        .doc("Whether the headers are taken out of the record (move) or stay (copy). Must be set."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.HeaderToValue",
    module: module_path!(),
    summary: "Copies or moves headers into the value, as fields.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(HeaderToValue::new(properties)?)),
    remarks: crate::table::no_remarks,
};

/// Copies or moves headers into the value. Options and results are those of Debezium's
/// [`HeaderToValue`](https://debezium.io/documentation/reference/stable/transformations/header-to-value.html).
#[derive(Debug)]
struct HeaderToValue {
    /// The names of the headers, and the names on the way to the field of each.
    wanted: Vec<(String, Vec<String>)>,
    operation: Operation,
    /// The views of values with the new fields, by the payload's id and the headers that were found.
    views: Cache<Input, Result<Arc<View>, TransformError>>,
}

/// A payload's id, and for each header that was found which one of the wanted it is and the id of its schema.
type Input = (u32, Vec<(usize, u32)>);

impl HeaderToValue {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let mut list = |key| {
            let items = options.list(key);
            if options.required(key).trim().is_empty() {
                return items;
            }
            if items.contains(&"") {
                options.problem(key, "Empty string element(s) not permitted");
            } else if items.iter().any(|item| item.contains(' ')) {
                options.problem(key, "Element(s) containing space not permitted");
            }
            items
        };
        let (fields, headers) = (list("fields"), list("headers"));
        let operation = options.required_choice("operation").unwrap_or(Operation::Copy);
        options.each_refused()?;
        if fields.len() != headers.len() {
            let message = "'fields' config must have the same number of elements as 'headers' config.";
            return Err(vec![Refusal::new(java::CONFIG, "fields", message)]);
        }
        let path = |field: &str| java_split(field, '.').into_iter().map(str::to_owned).collect();
        let wanted = headers.iter().zip(fields).map(|(header, field)| ((*header).to_owned(), path(field))).collect();
        Ok(Self { wanted, operation, views: Cache::new(CACHE) })
    }
}

impl Transform for HeaderToValue {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let Some(schema) = record.value.schema().filter(|_| !record.value.is_null()) else { return Ok(Some(record)) };
        if !matches!(schema.kind, Kind::Struct(_)) {
            return Err(TransformError::not_a_struct("Header field insertion", java_class(schema)));
        }
        let wanted = &self.wanted;
        let place = |name: &str| wanted.iter().position(|(wanted, _)| wanted == name);
        let found: Vec<_> =
            record.headers.iter().filter_map(|header| Some((place(&header.name)?, &header.value))).collect();
        if found.is_empty() {
            return Ok(Some(record));
        }
        let schema_of = |schema: Option<&Arc<Schema>>| schema.map_or(0, |schema| schema.id);
        let id = record.value.id();
        let input: Input = (id, found.iter().map(|(place, value)| (*place, schema_of(value.schema()))).collect());
        let place = if let Some(place) = self.views.place(|known| *known == input, || input.clone()) {
            place
        } else {
            let slots = record.value.slots();
            let entry = |(i, (place, value)): (usize, &(usize, &record::Payload<'a>))| Entry {
                path: wanted[*place].1.as_slice(),
                schema: value.schema().cloned(),
                slot: slots + i as u16,
            };
            let entries: Vec<Entry<'_>> = found.iter().enumerate().map(entry).collect();
            let part = record.value.part().ok_or_else(TransformError::struct_mismatch)?;
            let view = plan::with_entries(&part, &entries).map(|part| View::of(part, slots + entries.len() as u16));
            self.views.insert(input, view)
        };
        let view = self.views.at(place).clone()?;
        let values: Vec<_> = found.iter().map(|(_, value)| value.to_value()).collect();
        record.value = record.value.through(&view, values);
        if self.operation == Operation::Move {
            record.headers.retain(|header| !self.wanted.iter().any(|(wanted, _)| **wanted == *header.name));
            record.headers.detach();
        }
        Ok(Some(record))
    }
}
