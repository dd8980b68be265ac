//! `org.apache.kafka.connect.transforms.RegexRouter`: renames topics by a regex.
//!
//! The last part of the name becomes the topic:
//!
//! ```json
//! {"regex": "([^.]+)\\.([^.]+)\\.([^.]+)", "replacement": "$3"}
//! {"topic": "srv.public.orders"}
//! => {"topic": "orders"}
//! {"topic": "heartbeat"}
//! => {"topic": "heartbeat"}
//! ```
//!
//! The regex must match the whole name, but only what it finds first is replaced:
//!
//! ```json
//! {"regex": "a|ab", "replacement": "X"}
//! {"topic": "ab"}
//! => {"topic": "Xb"}
//! ```
//!
//! Must not know: payloads.

use std::sync::Arc;

use record::{Cache, Record};
use settings::{Def, Invalid, JavaReplacement, Key, Properties};

use crate::error::Refusal;
use crate::table::{Kind, no_remarks};
use crate::{Transform, TransformError};

/// The number of topics whose new names are remembered.
const CACHE: usize = 4096;

const KEYS: &[Key] = &[
    Key::new("regex", settings::Kind::String)
        .required()
        .high()
        .checks(&[crate::table::REGEX])
        .doc("A Java regex; topics that match as a whole are renamed."),
    Key::new("replacement", settings::Kind::String)
        .required()
        .high()
        .doc("What the first hit becomes; $1 and ${name} stand for groups."),
];

/// The transform's row in the table.
pub(crate) const KIND: Kind = Kind {
    class: "org.apache.kafka.connect.transforms.RegexRouter",
    module: module_path!(),
    summary: "Renames topics by a regex.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(RegexRouter::new(properties)?)),
    remarks: no_remarks,
};

/// Renames the topic of each record that the regex matches; see the
/// [Kafka Connect documentation](https://kafka.apache.org/documentation/#connect_included_transformation).
#[derive(Debug)]
struct RegexRouter {
    rename: JavaReplacement,
    /// Topics and their new names; none for a topic that the regex does not match. Without this cache, the regex would take
    /// longer than all other work on a record.
    known: Cache<Arc<str>, Option<Arc<str>>>,
}

impl RegexRouter {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        // Kafka's ConfigDef trims texts.
        let text = |name| properties.get(name).unwrap_or_default().trim();
        let rename = JavaReplacement::new(text("regex"), text("replacement"))
            .map_err(|error| vec![Invalid::new("regex", error.to_string()).into()])?;
        Ok(Self { rename, known: Cache::new(CACHE) })
    }
}

impl Transform for RegexRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let topic = &record.topic;
        let place = if let Some(place) = self.known.place(|known| known == topic, || Arc::clone(topic)) {
            place
        } else {
            let to = self.rename.apply(topic)?.map(Arc::from);
            self.known.insert(Arc::clone(topic), to)
        };
        if let Some(to) = self.known.at(place) {
            record.topic = Arc::clone(to);
            record.headers.detach();
        }
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use record::{Follower, Header, Headers, Kind, Payload, Schema, Value};

    use super::*;

    /// A record whose topic does not match is not made anew, so its list of headers stays the one that its tombstone shares.
    #[test]
    fn what_does_not_match_is_left_alone() {
        let options = [("regex", "a"), ("replacement", "b")].into_iter().collect();
        let mut router = RegexRouter::new(&options).unwrap();
        for (topic, shared) in [("x", 1), ("x", 1), ("a", 0)] {
            let follower = Follower::default();
            let mut record = Record {
                topic: topic.into(),
                partition: None,
                timestamp_ms: None,
                key: Payload::Null,
                value: Payload::Null,
                headers: Headers::default(),
            };
            record.headers.followed_by(&follower);
            let mut record = router.apply(record).unwrap().unwrap();
            record.headers.append_in_place(Header::new("h", Schema::of(Kind::Int8).build(), Value::Int(1)));
            assert_eq!(follower.lock().unwrap().len(), shared, "{topic}");
        }
    }
}
