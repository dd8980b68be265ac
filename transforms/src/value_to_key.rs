//! `org.apache.kafka.connect.transforms.ValueToKey`: makes a new key of fields of the value.
//!
//! ```json
//! {"fields": "code,id"}
//! {"topic": "t", "key": {"id": 1}, "value": {"id": 1, "code": "c1", "n": 5}}
//! => {"key": {"code": "c1", "id": 1}, "types": {"key": "struct", "key.code": "string?", "key.id": "int32"}}
//! {"topic": "t", "key": {"id": 1}, "value": {"id": 1}}
//! => fails: Field does not exist: code
//! ```
//!
//! A tombstone ends the task, so topics with tombstones need the predicate `RecordIsTombstone` with `negate`:
//!
//! ```json
//! {"fields": "code"}
//! {"topic": "t", "key": {"id": 1}, "value": null}
//! => fails: Only Map objects supported in absence of schema for [copying fields from value to key], found: null
//! ```
//!
//! Must not know: headers, topics.

use std::sync::Arc;

use record::{Node, Part, Payload, Record, Source, View};
use settings::{Def, Key, Properties};

use crate::half::Compiled;
use crate::connect_options::{Options, REPLACE_NULL, SOME_NAMES};
use crate::requirements::{or_default, struct_of, unnamed};
use crate::table::no_remarks;
use crate::{Transform, TransformError};

const KEYS: &[Key] = &[
    Key::new("fields", settings::Kind::List)
        .required()
        .high()
        .checks(&[SOME_NAMES])
        .doc("Fields of the value; they become the fields of the key, in this order."),
    REPLACE_NULL,
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "org.apache.kafka.connect.transforms.ValueToKey",
    module: module_path!(),
    summary: "Makes a new key of fields of the value.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ValueToKey::new(properties))),
    remarks: no_remarks,
};

const PURPOSE: &str = "copying fields from value to key";

#[derive(Debug)]
struct ValueToKey {
    wanted: Wanted,
    keys: Compiled<NewKey>,
}

#[derive(Debug)]
struct Wanted {
    fields: Vec<String>,
    replace_null: bool,
}

/// The key that is made of values of one kind.
#[derive(Debug)]
struct NewKey {
    view: Arc<View>,
    /// What must be copied out of the value. All other fields stay cells of the change.
    copied: Vec<Part>,
}

impl ValueToKey {
    fn new(properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        let fields = options.list("fields").into_iter().map(str::to_owned).collect();
        Self { wanted: Wanted { fields, replace_null: options.replace_null() }, keys: Compiled::new() }
    }
}

impl Wanted {
    fn key(&self, value: &Payload<'_>) -> Result<NewKey, TransformError> {
        let whole = struct_of(value, PURPOSE)?;
        let (mut fields, mut copied) = (Vec::new(), Vec::new());
        for name in &self.fields {
            let missing = || TransformError::data(format!("Field does not exist: {name}"));
            let found = or_default(whole.field(name).ok_or_else(missing)?, self.replace_null);
            let field = if needs_owned(&found.node) {
                copied.push(found.clone());
                Part::owned(Arc::clone(&found.schema), copied.len() as u16 - 1)
            } else {
                found
            };
            fields.push((Arc::from(name.as_str()), field));
        }
        Ok(NewKey { view: View::of(unnamed(fields)?, copied.len() as u16), copied })
    }
}

/// Whether a value comes from those that belong to the payload itself.
fn needs_owned(node: &Node) -> bool {
    match node {
        Node::Leaf(leaf) => match &leaf.source {
            Source::Owned(_) => true,
            Source::Masked(mask) => needs_owned(&Node::Leaf(mask.hidden.clone())),
            _ => false,
        },
        // A whole struct is rarely a part of a key.
        Node::Struct(..) => true,
    }
}

impl Transform for ValueToKey {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            struct_of(&record.value, PURPOSE)?;
        }
        let key = self.keys.of(&record.value, |value| self.wanted.key(value))?;
        let frame = record.value.frame();
        let copied = key.copied.iter().map(|part| part.value(frame)).collect();
        let decoded = if let Payload::View(_, decoded, _) = &record.value { *decoded } else { None };
        record.key = Payload::View(Arc::clone(&key.view), decoded, copied);
        record.headers.detach();
        Ok(Some(record))
    }
}
