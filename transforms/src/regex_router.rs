//! `org.apache.kafka.connect.transforms.RegexRouter`: renames topics by a regex.
//!
//! Must not know: payloads.

use std::sync::Arc;

use record::{Cache, Record};
use settings::{Def, Invalid, JavaReplacement, Key, Properties};

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

/// The transform's keys.
pub(crate) const DEF: Def = Def::new(&[KEYS]);

/// Renames the topic of each record that the regex matches; see the
/// [Kafka Connect documentation](https://kafka.apache.org/documentation/#connect_included_transformation).
#[derive(Debug)]
pub struct RegexRouter {
    rename: JavaReplacement,
    /// Topics and their new names. Without this cache, the regex would take longer than all other work on a record.
    known: Cache<Arc<str>, Arc<str>>,
}

impl RegexRouter {
    /// Makes the transform from its own properties (without `transforms.NAME.`).
    ///
    /// # Errors
    /// All complaints about the properties.
    pub fn new(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        let complaints = DEF.complaints(properties);
        if !complaints.is_empty() {
            return Err(complaints);
        }
        // Kafka's ConfigDef trims texts.
        let text = |name| properties.get(name).unwrap_or_default().trim();
        let rename = JavaReplacement::new(text("regex"), text("replacement"));
        Ok(Self {
            rename: rename.map_err(|error| vec![Invalid::new("regex", error.to_string())])?,
            known: Cache::new(CACHE),
        })
    }
}

impl Transform for RegexRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let topic = &record.topic;
        let place = if let Some(place) = self.known.place(|known| known == topic, || Arc::clone(topic)) {
            place
        } else {
            let to = self.rename.apply(topic)?.map_or_else(|| Arc::clone(topic), Arc::from);
            self.known.insert(Arc::clone(topic), to)
        };
        record.topic = Arc::clone(self.known.at(place));
        Ok(Some(record))
    }
}
