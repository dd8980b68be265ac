//! `org.apache.kafka.connect.transforms.InsertHeader`: adds the same header to each record.
//!
//! The type follows from the text: the smallest integer type that fits, a float, a boolean, a date, a list, a map, else a text:
//!
//! ```json
//! {"header": "n", "value.literal": "7"}
//! {"topic": "t", "headers": [["h", "x"], ["n", "y"]], "value": null}
//! => {"headers": [["h", "x"], ["n", "y"], ["n", 7]]}
//! ```
//!
//! ```json
//! {"header": "day", "value.literal": "2024-01-02"}
//! {"topic": "t", "value": {"id": 1}}
//! => {"headers": [["day", 19724]], "types": {"header:day": "int32 org.apache.kafka.connect.data.Date"}}
//! ```
//!
//! Must not know: payloads.

use std::sync::Arc;

use record::{Header, Payload, Record};
use settings::{Def, Key, Properties};

use crate::connect_options::{NOT_NULL, Options};
use crate::literal::{self, Literal};
use crate::table::no_remarks;
use crate::{Kind, Transform, TransformError};

const KEYS: &[Key] = &[
    Key::new("header", settings::Kind::String).required().high().checks(&[NOT_NULL]).doc("Name of the header."),
    Key::new("value.literal", settings::Kind::String)
        .required()
        .high()
        .checks(&[NOT_NULL])
        .doc("Value of the header; its type is found out from the text."),
];

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.InsertHeader",
    module: module_path!(),
    summary: "Adds the same header to each record.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(InsertHeader::new(properties))),
    remarks: no_remarks,
};

#[derive(Debug)]
struct InsertHeader {
    name: Arc<str>,
    value: Literal,
}

impl InsertHeader {
    fn new(properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        Self {
            name: options.text("header").unwrap_or_default().into(),
            value: literal::parse(options.text("value.literal").unwrap_or_default()),
        }
    }
}

impl Transform for InsertHeader {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let value = match &self.value {
            Some((schema, value)) => Payload::Value(Arc::clone(schema), value.clone()),
            None => Payload::Null,
        };
        record.headers.push(Header { name: Arc::clone(&self.name), value });
        record.headers.detach();
        Ok(Some(record))
    }
}
