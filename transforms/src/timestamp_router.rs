//! `org.apache.kafka.connect.transforms.TimestampRouter`: renames topics by the records' timestamps.
//!
//! ```json
//! {"topic.format": "${topic}-${timestamp}", "timestamp.format": "yyyyMM"}
//! {"topic": "orders", "timestamp": 1700000000000}
//! => {"topic": "orders-202311"}
//! ```
//!
//! Records of changes have no timestamp, unless another transform gives them one, such as the outbox's EventRouter:
//!
//! ```json
//! {}
//! {"topic": "orders", "value": {"id": 1}}
//! => fails: Timestamp missing on record: of topic orders
//! ```
//!
//! Must not know: payloads.

use std::sync::Arc;

use record::{Cache, Record};
use settings::{Def, Key, Properties};

use crate::connect_options::Options;
use crate::date_format::DateFormat;
use crate::error::java;
use crate::half::CACHE;
use crate::table::no_remarks;
use crate::{Kind, Transform, TransformError};

const KEYS: &[Key] = &[
    Key::new("topic.format", settings::Kind::String)
        .default("${topic}-${timestamp}")
        .high()
        .doc("The new name; ${topic} stands for the old one, ${timestamp} for the timestamp."),
    Key::new("timestamp.format", settings::Kind::String)
        .default("yyyyMMdd")
        .high()
        .doc("How the timestamp is written: a pattern of Java's SimpleDateFormat, in UTC."),
];

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.TimestampRouter",
    module: module_path!(),
    summary: "Renames topics by the records' timestamps.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(TimestampRouter::new(properties))),
    remarks: no_remarks,
};

#[derive(Debug)]
struct TimestampRouter {
    topic_format: String,
    /// A pattern that is wrong fails at the first record, as in Connect.
    format: Result<DateFormat, String>,
    /// The timestamp as it was written last.
    text: Vec<u8>,
    known: Cache<(Arc<str>, Vec<u8>), Arc<str>>,
}

impl TimestampRouter {
    fn new(properties: &Properties) -> Self {
        let options = Options::new(KEYS, properties);
        Self {
            topic_format: options.text("topic.format").unwrap_or_default().to_owned(),
            format: DateFormat::new(options.text("timestamp.format").unwrap_or_default()),
            text: Vec::new(),
            known: Cache::new(CACHE),
        }
    }

    fn renamed(&self, topic: &str) -> Arc<str> {
        let text = String::from_utf8_lossy(&self.text);
        // Java replaces the topic first, then the timestamp, in the result too.
        self.topic_format.replace("${topic}", topic).replace("${timestamp}", &text).into()
    }
}

impl Transform for TimestampRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let Some(timestamp_ms) = record.timestamp_ms else {
            // Connect shows the whole record here, with its values.
            let message = format!("Timestamp missing on record: of topic {}", record.topic);
            let remedy = "Changes have no timestamp; use TimestampRouter only behind a transform that sets one.";
            return Err(TransformError::data(message).remedy_is(remedy));
        };
        let format = self.format.as_ref().map_err(|wrong| TransformError::new(java::ILLEGAL_ARGUMENT, wrong))?;
        self.text.clear();
        format.write(&mut self.text, timestamp_ms);
        let (topic, text) = (&record.topic, &self.text);
        let place = self.known.place(|(known, at)| known == topic && at == text, || (Arc::clone(topic), text.clone()));
        let place = if let Some(place) = place {
            place
        } else {
            let to = self.renamed(topic);
            self.known.insert((Arc::clone(topic), self.text.clone()), to)
        };
        record.topic = Arc::clone(self.known.at(place));
        record.headers.detach();
        Ok(Some(record))
    }
}
