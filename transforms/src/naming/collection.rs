//! `io.debezium.connector.jdbc.transforms.CollectionNameTransformation`: renames topics by a style, a prefix and a suffix.
//!
//! It comes with Debezium's JDBC sink, where a topic's name becomes a table's.
//!
//! ```json
//! {"collection.naming.style": "snake_case", "collection.naming.prefix": "t_"}
//! {"topic": "srv.public.orderLines", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}
//! => {"topic": "t_srv_public_order_lines"}
//! {"topic": "srv.public.orderLines", "key": {"id": 1}, "value": null}
//! => {"topic": "t_srv_public_order_lines"}
//! ```
//!
//! Must not know: payloads.

use std::sync::Arc;

use record::{Cache, Record};
use settings::{Def, Key};

use super::Naming;
use crate::table::no_remarks;
use crate::{Transform, TransformError};

/// The number of topics whose new names are remembered.
const CACHE: usize = 4096;

const PREFIX: &str = "collection.naming.prefix";
const SUFFIX: &str = "collection.naming.suffix";
const STYLE: &str = "collection.naming.style";

const KEYS: &[Key] = &[
    Key::new(PREFIX, settings::Kind::String).default("").low().doc("Stands before the name of each topic."),
    Key::new(SUFFIX, settings::Kind::String).default("").low().doc("Stands behind the name of each topic."),
    Key::new(STYLE, settings::Kind::String).default("default").low().doc(
        "How the name itself is written: snake_case, camel_case, UPPER_CASE, lower_case or default, which leaves it.",
    ),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.connector.jdbc.transforms.CollectionNameTransformation",
    module: module_path!(),
    summary: "Renames topics by a style, a prefix and a suffix.",
    keys: Def::new(&[KEYS]),
    make: |properties| {
        let naming = Naming::new(properties, [PREFIX, SUFFIX, STYLE])?;
        Ok(Box::new(CollectionName { naming, known: Cache::new(CACHE) }))
    },
    remarks: no_remarks,
};

#[derive(Debug)]
struct CollectionName {
    naming: Naming,
    /// Topics and their new names.
    known: Cache<Arc<str>, Arc<str>>,
}

impl Transform for CollectionName {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let topic = &record.topic;
        let place = match self.known.place(|known| known == topic, || Arc::clone(topic)) {
            Some(place) => place,
            None => self.known.insert(Arc::clone(topic), self.naming.apply(topic).into()),
        };
        record.topic = Arc::clone(self.known.at(place));
        record.headers.detach();
        Ok(Some(record))
    }
}
