//! `org.apache.kafka.connect.transforms.HeaderFrom$Key` and `$Value`: copies or moves fields into headers.
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.HeaderFrom$Value", "fields": "v,id", "headers": "was_v,was_id", "operation": "move"}
//! {"topic": "t", "headers": [["h", "x"]], "value": {"id": 1, "v": "x", "n": 2}}
//! => {"value": {"n": 2}, "headers": [["h", "x"], ["was_v", "x"], ["was_id", 1]], "types": {"header:was_id": "int32"}}
//! ```
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.HeaderFrom$Key", "fields": "id", "headers": "id", "operation": "copy"}
//! {"topic": "t", "key": {"id": 1}, "value": {"id": 1}}
//! => {"headers": [["id", 1]]}
//! ```
//!
//! A tombstone ends the task, so topics with tombstones need the predicate `RecordIsTombstone` with `negate`:
//!
//! ```json
//! {"type": "org.apache.kafka.connect.transforms.HeaderFrom$Value", "fields": "v", "headers": "v", "operation": "copy"}
//! {"topic": "t", "value": null}
//! => fails: Only Map objects supported in absence of schema for [header copy], found: null
//! ```
//!
//! Must not know: topics.

use std::sync::Arc;

use record::{Header, Part, Payload, Record, View};
use settings::{Check, Def, Key, Properties};

use crate::connect_options::{self, Options, REPLACE_NULL};
use crate::error::{Refusal, java};
use crate::half::{Compiled, Half};
use crate::requirements::{fields, or_default, rebuilt, struct_of};
use crate::table::{Made, no_remarks};
use crate::{Transform, TransformError};

const NOT_EMPTY: Check = Check::Own(|asked| {
    let found = match asked.value.map(connect_options::split) {
        None => "null",
        Some(items) if items.is_empty() => "[]",
        Some(_) => return Vec::new(),
    };
    vec![format!("Invalid value {found} for configuration {}: Empty list", asked.name)]
});

const KEYS: &[Key] = &[
    Key::new("fields", settings::Kind::List)
        .required()
        .high()
        .checks(&[NOT_EMPTY])
        .doc("Fields whose values go into headers."),
    Key::new("headers", settings::Kind::List)
        .required()
        .high()
        .checks(&[NOT_EMPTY])
        .doc("Names of the headers, in the order of the fields."),
    Key::new("operation", settings::Kind::String)
        .required()
        .high()
        .checks(&[Check::OneOfExactly(&["move", "copy"])])
        .doc("move takes the fields out of the key or value; copy leaves them there."),
    REPLACE_NULL,
];

/// The row of `HeaderFrom$Key` in the table.
pub(crate) const KEY: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.HeaderFrom$Key",
    summary: "Copies or moves fields of the key into headers.",
    make: |properties| make(Half::Key, properties),
    ..VALUE
};

/// The row of `HeaderFrom$Value` in the table.
pub(crate) const VALUE: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.HeaderFrom$Value",
    module: module_path!(),
    summary: "Copies or moves fields of the value into headers.",
    keys: Def::new(&[KEYS]),
    make: |properties| make(Half::Value, properties),
    remarks: no_remarks,
};

fn make(half: Half, properties: &Properties) -> Made {
    let options = Options::new(KEYS, properties);
    let (names, headers) = (options.list("fields"), options.list("headers"));
    if names.len() != headers.len() {
        let message = "'fields' config must have the same number of elements as 'headers' config.";
        return Err(vec![Refusal::config("fields", message)]);
    }
    let pairs = names.into_iter().zip(headers).map(|(field, header)| (field.to_owned(), Arc::from(header))).collect();
    let moves = options.text("operation") == Some("move");
    let taken = Taken { pairs, moves, replace_null: options.replace_null() };
    Ok(Box::new(HeaderFrom { half, taken, plans: Compiled::new() }))
}

#[derive(Debug)]
struct HeaderFrom {
    half: Half,
    taken: Taken,
    plans: Compiled<Plan>,
}

/// Which fields are taken.
#[derive(Debug)]
struct Taken {
    /// Fields and their headers.
    pairs: Vec<(String, Arc<str>)>,
    moves: bool,
    replace_null: bool,
}

/// How it is done for one kind of input.
#[derive(Debug)]
struct Plan {
    headers: Vec<(Arc<str>, Part)>,
    /// What stays; nothing if everything does.
    rest: Option<Arc<View>>,
}

impl Taken {
    fn purpose(&self) -> &'static str {
        if self.moves { "header move" } else { "header copy" }
    }

    fn plan(&self, payload: &Payload<'_>) -> Result<Plan, TransformError> {
        let whole = struct_of(payload, self.purpose())?;
        let mut rest = None;
        if self.moves {
            let stays = |name: &str| !self.pairs.iter().any(|(taken, _)| taken == name);
            let kept = fields(&whole, self.replace_null).filter(|(name, _)| stays(name)).collect();
            rest = Some(View::of(rebuilt(&whole.schema, kept)?, payload.slots()));
        }
        let mut headers = Vec::with_capacity(self.pairs.len());
        for (name, header) in &self.pairs {
            let field = whole.field(name).ok_or_else(|| no_such_field(name))?;
            headers.push((Arc::clone(header), or_default(field, self.replace_null)));
        }
        Ok(Plan { headers, rest })
    }
}

/// Connect trips over the missing field, with a message that names no field.
fn no_such_field(name: &str) -> TransformError {
    let message = format!(
        "Cannot invoke \"org.apache.kafka.connect.data.Field.schema()\" because the return value of \
         \"org.apache.kafka.connect.data.Schema.field(String)\" is null (field {name})"
    );
    TransformError::new(java::NULL_POINTER, message)
        .remedy_is("List only fields that every record has, or use a predicate.")
}

impl Transform for HeaderFrom {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let payload = self.half.of(&record);
        if payload.is_null() {
            struct_of(payload, self.taken.purpose())?;
        }
        let plan = self.plans.of(payload, |payload| self.taken.plan(payload))?;
        let frame = payload.frame();
        let header = |(name, part): &(Arc<str>, Part)| {
            Header::new(Arc::clone(name), Arc::clone(&part.schema), part.value(frame))
        };
        let headers: Vec<Header<'a>> = plan.headers.iter().map(header).collect();
        record.headers.extend(headers);
        record.headers.detach();
        let Some(rest) = &plan.rest else { return Ok(Some(record)) };
        Ok(Some(self.half.changed(record, |payload| payload.through(rest, []))))
    }
}
