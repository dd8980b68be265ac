//! `org.apache.kafka.connect.transforms.DropHeaders`: removes headers.
//!
//! ```json
//! {"headers": "a,nosuch"}
//! {"topic": "t", "headers": [["a", "1"], ["b", "2"], ["a", "3"]], "value": {"id": 1}}
//! => {"headers": [["b", "2"]]}
//! {"topic": "t", "headers": [["a", "1"]], "value": null}
//! => {"headers": []}
//! ```
//!
//! Must not know: payloads.

use std::collections::HashSet;

use record::Record;
use settings::{Def, Key, Properties};

use crate::connect_options::{Options, SOME_NAMES};
use crate::table::no_remarks;
use crate::{Kind, Transform, TransformError};

const KEYS: &[Key] = &[Key::new("headers", settings::Kind::List)
    .required()
    .high()
    .checks(&[SOME_NAMES])
    .doc("Names of the headers to remove. All headers of such a name are removed.")];

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.DropHeaders",
    module: module_path!(),
    summary: "Removes headers.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(DropHeaders::new(properties))),
    remarks: no_remarks,
};

#[derive(Debug)]
struct DropHeaders(HashSet<String>);

impl DropHeaders {
    fn new(properties: &Properties) -> Self {
        Self(Options::new(KEYS, properties).list("headers").into_iter().map(str::to_owned).collect())
    }
}

impl Transform for DropHeaders {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        record.headers.retain(|header| !self.0.contains(&*header.name));
        record.headers.detach();
        Ok(Some(record))
    }
}
