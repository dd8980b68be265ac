//! `io.debezium.transforms.ContentBasedRouter`: an expression gives the topic of a record.
//!
//! Deletes go to a topic of their own; null leaves the topic:
//!
//! ```json
//! {"language": "jsr223.groovy", "topic.regex": "srv\\.inventory\\.orders", "topic.expression": "value.op == 'd' ? topic + '.deletes' : null"}
//! {"topic": "srv.inventory.orders", "key": {"id": 1}, "value": {"op": "d", "before": {"id": 1}}}
//! => {"topic": "srv.inventory.orders.deletes"}
//! {"topic": "srv.inventory.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}
//! => {}
//! {"topic": "srv.inventory.orders", "key": {"id": 1}, "value": null}
//! => {}
//! {"topic": "srv.inventory.customers", "key": {"id": 1}, "value": {"op": "d", "before": {"id": 1}}}
//! => {}
//! ```
//!
//! A Groovy text with values in it is no String, as in Debezium, unless it is made one:
//!
//! ```json
//! {"language": "jsr223.groovy", "topic.expression": "\"${topic}-x\""}
//! {"topic": "t", "value": {"id": 1}}
//! => fails: Error while evaluating expression '"${topic}-x"' for record 'ConnectRecord{topic='t'}': The value returned by the expression is not a String, but of the class org.codehaus.groovy.runtime.GStringImpl
//! ```
//!
//! ```json
//! {"language": "jsr223.groovy", "topic.expression": "\"${topic}-x\".toString()", "null.handling.mode": "evaluate"}
//! {"topic": "t", "value": {"id": 1}}
//! => {"topic": "t-x"}
//! {"topic": "t", "value": null}
//! => {"topic": "t-x"}
//! ```
//!
//! Must not know: how expressions are evaluated.

use std::sync::Arc;

use record::Record;
use settings::{Def, Key, Properties};

use crate::error::Refusal;
use crate::script::Outcome;
use crate::scripting::{self, LANGUAGE, NULL_HANDLING, Scripting, TOPIC_REGEX, Turn};
use crate::table::{Kind, no_remarks};
use crate::{Transform, TransformError};

const EXPRESSION: &str = "topic.expression";

const KEYS: &[Key] = &[
    TOPIC_REGEX,
    LANGUAGE,
    scripting::expression(EXPRESSION, "Topic name expression").doc(
        "The expression that gives the new topic; null leaves the topic. It sees key, value, keySchema, valueSchema, topic \
         and header.",
    ),
    NULL_HANDLING,
];

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "io.debezium.transforms.ContentBasedRouter",
    module: module_path!(),
    summary: "Sends records to the topic that an expression gives.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ContentBasedRouter::new(properties)?)),
    remarks: no_remarks,
};

/// Renames the topic of each record as its expression says; see Debezium's
/// [content-based routing](https://debezium.io/documentation/reference/stable/transformations/content-based-routing.html).
#[derive(Debug)]
struct ContentBasedRouter {
    scripting: Scripting,
    /// The topic that was given last: records of one topic often follow each other.
    last: Arc<str>,
}

impl ContentBasedRouter {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        Ok(Self { scripting: Scripting::new(properties, EXPRESSION)?, last: Arc::from("") })
    }
}

impl Transform for ContentBasedRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        match self.scripting.turn(&record)? {
            Turn::Pass => return Ok(Some(record)),
            Turn::Drop => return Ok(None),
            Turn::Evaluate => {}
        }
        match self.scripting.evaluate(&record)? {
            Outcome::Null => return Ok(Some(record)),
            Outcome::Text(topic) => {
                if *self.last != *topic {
                    self.last = topic.into();
                }
            }
            other => return Err(self.scripting.wrong_type(&record, &other, "String")),
        }
        record.topic = Arc::clone(&self.last);
        record.headers.detach();
        Ok(Some(record))
    }
}
