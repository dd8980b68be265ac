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

use record::{Payload, Record, View};
use settings::{Def, Key, Properties};

use crate::connect_options::{Options, REPLACE_NULL, SOME_NAMES};
use crate::half::Compiled;
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
    views: Compiled<Arc<View>>,
}

#[derive(Debug)]
struct Wanted {
    fields: Vec<String>,
    replace_null: bool,
}

impl ValueToKey {
    fn new(properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        let fields = options.list("fields").into_iter().map(str::to_owned).collect();
        Self { wanted: Wanted { fields, replace_null: options.replace_null() }, views: Compiled::new() }
    }
}

impl Wanted {
    /// The key as a view of the value.
    fn key(&self, value: &Payload<'_>) -> Result<Arc<View>, TransformError> {
        let whole = struct_of(value, PURPOSE)?;
        let mut fields = Vec::with_capacity(self.fields.len());
        for name in &self.fields {
            let missing = || TransformError::data(format!("Field does not exist: {name}"));
            let field = whole.field(name).ok_or_else(missing)?;
            fields.push((Arc::from(name.as_str()), or_default(field, self.replace_null)));
        }
        Ok(View::of(unnamed(fields)?, value.slots()))
    }
}

impl Transform for ValueToKey {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            struct_of(&record.value, PURPOSE)?;
        }
        let view = self.views.of(&record.value, |value| self.wanted.key(value))?;
        record.key = record.value.beside(view);
        record.headers.detach();
        Ok(Some(record))
    }
}
