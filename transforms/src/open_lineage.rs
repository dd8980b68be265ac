//! `io.debezium.transforms.openlineage.OpenLineage`: changes no record.
//!
//! Debezium's transform tells an OpenLineage server which topics a connector writes. This daemon tells no such server, so
//! the transform is accepted, does nothing, and a remark says so.
//!
//! ```json
//! {}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}
//! => {}
//! ```
//!
//! Must not know: records.

use record::Record;
use settings::{Def, Finding, Severity};

use crate::{Transform, TransformError};

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.openlineage.OpenLineage",
    module: module_path!(),
    summary: "Passes each record on as it is; no lineage is reported.",
    keys: Def::new(&[]),
    make: |_| Ok(Box::new(OpenLineage)),
    remarks: |_| {
        vec![Finding {
            key: "type".to_owned(),
            severity: Severity::Warning,
            reason: "Lineage is not reported here; the transform passes each record on as it is.".to_owned(),
            remedy: "Remove it.".to_owned(),
        }]
    },
};

#[derive(Debug)]
struct OpenLineage;

impl Transform for OpenLineage {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        Ok(Some(record))
    }
}
