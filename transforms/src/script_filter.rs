//! `io.debezium.transforms.Filter`: keeps the records for which a condition is true.
//!
//! Updates of one row are kept, everything else is dropped but tombstones:
//!
//! ```json
//! {"language": "jsr223.groovy", "condition": "value.op == 'u' && value.before.id == 2"}
//! {"topic": "srv.public.orders", "key": {"id": 2}, "value": {"op": "u", "before": {"id": 2}, "after": {"id": 2}}}
//! => {}
//! {"topic": "srv.public.orders", "key": {"id": 3}, "value": {"op": "u", "before": {"id": 3}, "after": {"id": 3}}}
//! => dropped
//! {"topic": "srv.public.orders", "key": {"id": 2}, "value": {"op": "c", "after": {"id": 2}}}
//! => dropped
//! {"topic": "srv.public.orders", "key": {"id": 2}, "value": null}
//! => {}
//! {"topic": "__debezium-heartbeat.srv", "value": {"ts_ms": 1}}
//! => fails: Error while evaluating expression 'value.op == 'u' && value.before.id == 2' for record 'ConnectRecord{topic='__debezium-heartbeat.srv'}': op is not a valid field name (column 7)
//! ```
//!
//! With `topic.regex`, records of other topics pass:
//!
//! ```json
//! {"language": "jsr223.graal.js", "condition": "value.after?.amount > 1000", "topic.regex": "srv\\.public\\..*", "null.handling.mode": "drop"}
//! {"topic": "__debezium-heartbeat.srv", "value": {"ts_ms": 1}}
//! => {}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1, "amount": 1500}}}
//! => {}
//! {"topic": "srv.public.orders", "value": {"op": "d", "before": {"id": 1, "amount": 1500}}}
//! => dropped
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": null}
//! => dropped
//! ```
//!
//! In CEL, which Debezium does not have:
//!
//! ```json
//! {"language": "cel", "condition": "value.op in ['c', 'u'] && value.after.name.startsWith('A')"}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 1, "name": "Ann"}}}
//! => {}
//! {"topic": "srv.public.orders", "value": {"op": "c", "after": {"id": 2, "name": "Bob"}}}
//! => dropped
//! ```
//!
//! Must not know: how expressions are evaluated.

use record::Record;
use settings::{Def, Key, Properties};

use crate::error::{Refusal, java};
use crate::script::Outcome;
use crate::scripting::{self, LANGUAGE, NULL_HANDLING, Scripting, TOPIC_REGEX, Turn};
use crate::table::{Kind, no_remarks};
use crate::{Transform, TransformError};

const CONDITION: &str = "condition";

const KEYS: &[Key] = &[
    TOPIC_REGEX,
    LANGUAGE,
    scripting::expression(CONDITION, "Filtering condition").doc(
        "The expression that decides: the record is kept when it is true, dropped when it is false. It sees key, value, \
         keySchema, valueSchema, topic and header.",
    ),
    NULL_HANDLING,
];

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "io.debezium.transforms.Filter",
    module: module_path!(),
    summary: "Keeps the records for which an expression is true.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ScriptFilter::new(properties)?)),
    remarks: no_remarks,
};

/// Keeps the records for which its condition is true; see Debezium's
/// [message filtering](https://debezium.io/documentation/reference/stable/transformations/filtering.html).
#[derive(Debug)]
struct ScriptFilter(Scripting);

impl ScriptFilter {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        Scripting::new(properties, CONDITION).map(Self)
    }
}

impl Transform for ScriptFilter {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        match self.0.turn(&record)? {
            Turn::Pass => Ok(Some(record)),
            Turn::Drop => Ok(None),
            Turn::Evaluate => match self.0.evaluate(&record)? {
                Outcome::Bool(true) => Ok(Some(record)),
                Outcome::Bool(false) => Ok(None),
                Outcome::Null => Err(TransformError::new(
                    java::NULL_POINTER,
                    format!("the expression '{}' returned null, not true or false", self.0.source()),
                )),
                other => Err(self.0.wrong_type(&record, &other, "Boolean")),
            },
        }
    }
}
