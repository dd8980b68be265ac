//! `org.apache.kafka.connect.transforms.Filter`: drops every record. A predicate decides which records it gets.
//!
//! Tombstones are dropped:
//!
//! ```json
//! {"predicate": "dead", "predicates": "dead", "predicates.dead.type": "RecordIsTombstone"}
//! {"topic": "t", "key": {"id": 1}, "value": null}
//! => dropped
//! {"topic": "t", "key": {"id": 1}, "value": {"id": 1}}
//! => {}
//! ```
//!
//! Must not know: payloads.

use record::Record;
use settings::Def;

use crate::table::no_remarks;
use crate::{Kind, Transform, TransformError};

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.Filter",
    module: module_path!(),
    summary: "Drops every record that its predicate selects.",
    keys: Def::new(&[]),
    make: |_| Ok(Box::new(Filter)),
    remarks: no_remarks,
};

#[derive(Debug)]
struct Filter;

impl Transform for Filter {
    fn apply<'a>(&mut self, _: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        Ok(None)
    }
}
