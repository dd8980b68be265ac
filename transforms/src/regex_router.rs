//! `org.apache.kafka.connect.transforms.RegexRouter`: another topic by a regex.
//!
//! Must not know: payloads.

use std::sync::Arc;

use record::Record;
use settings::{Def, Invalid, JavaReplacement, Key, Properties};

use crate::{Transform, TransformError};

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

/// The transform.
#[derive(Debug)]
pub struct RegexRouter {
    rename: JavaReplacement,
    /// The last topic and what became of it: records come in runs of one topic.
    last: Option<(Arc<str>, Arc<str>)>,
}

impl RegexRouter {
    /// From the transform's own properties.
    ///
    /// # Errors
    /// With all complaints.
    pub fn new(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        let complaints = DEF.complaints(properties);
        if !complaints.is_empty() {
            return Err(complaints);
        }
        // ConfigDef trims texts.
        let text = |name| properties.get(name).unwrap_or_default().trim();
        let rename = JavaReplacement::new(text("regex"), text("replacement"));
        Ok(Self { rename: rename.map_err(|error| vec![Invalid::new("regex", error.to_string())])?, last: None })
    }
}

impl Transform for RegexRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if let Some((_, to)) = self.last.as_ref().filter(|(from, _)| *from == record.topic) {
            record.topic = to.clone();
            return Ok(Some(record));
        }
        let to = match self.rename.apply(&record.topic)? {
            Some(topic) => topic.into(),
            None => record.topic.clone(),
        };
        let from = std::mem::replace(&mut record.topic, Arc::clone(&to));
        self.last = Some((from, to));
        Ok(Some(record))
    }
}
