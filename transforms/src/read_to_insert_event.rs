//! `io.debezium.connector.mysql.transforms.ReadToInsertEvent`: rows that a snapshot read look like inserted ones.
//!
//! ```json
//! {}
//! {"topic": "srv.shop.orders", "key": {"id": 1}, "value": {"op": "r", "after": {"id": 1, "name": "Ann"}}}
//! => {"value": {"op": "c", "before": null, "after": {"id": 1, "name": "Ann"}}}
//! {"topic": "srv.shop.orders", "key": {"id": 1}, "value": {"op": "u", "after": {"id": 1, "name": "Bob"}}}
//! => {}
//! {"topic": "srv.shop.orders", "key": {"id": 1}, "value": null}
//! => {}
//! ```
//!
//! Must not know: rows, databases.

use std::sync::Arc;

use record::{Cache, Part, Payload, Record, Value, View};
use settings::Def;

use crate::envelope::{is_envelope, operation};
use crate::table::no_remarks;
use crate::{Transform, TransformError};

/// The number of tables whose views are remembered.
const CACHE: usize = 4096;

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.connector.mysql.transforms.ReadToInsertEvent",
    module: module_path!(),
    summary: "Makes rows that a snapshot read look like inserted ones.",
    keys: Def::new(&[]),
    make: |_| Ok(Box::new(ReadToInsertEvent { known: Cache::new(CACHE) })),
    remarks: no_remarks,
};

/// What is known of an envelope: where its operation stands, and the view in which that is `c`.
#[derive(Debug)]
struct Envelope {
    op: Part,
    view: Arc<View>,
}

#[derive(Debug)]
struct ReadToInsertEvent {
    known: Cache<u32, Arc<Envelope>>,
}

impl ReadToInsertEvent {
    fn envelope(&mut self, value: &Payload<'_>) -> Result<Option<Arc<Envelope>>, TransformError> {
        let id = value.id();
        if let Some(place) = self.known.place(|known| *known == id, || id) {
            return Ok(Some(Arc::clone(self.known.at(place))));
        }
        let Some(whole) = value.part().filter(|part| is_envelope(&part.schema)) else { return Ok(None) };
        let op = whole.field("op").ok_or_else(|| TransformError::no_field("op"))?;
        let as_insert = |(name, part): (Arc<str>, Part)| {
            let part = if *name == *"op" { Part::constant(part.schema, Value::text("c")) } else { part };
            (name, part)
        };
        let fields = whole.fields().map(as_insert).collect();
        let view = View::of(Part::structure(&whole.schema, fields, whole.presence()), value.slots());
        let envelope = Arc::new(Envelope { op, view });
        self.known.insert(id, Arc::clone(&envelope));
        Ok(Some(envelope))
    }
}

impl Transform for ReadToInsertEvent {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(envelope) = self.envelope(&record.value)? else { return Ok(Some(record)) };
        let is_read = operation(&envelope.op, record.value.frame()) == Some(b'r');
        if is_read {
            record.value = record.value.through(&envelope.view, []);
            record.headers.detach();
        }
        Ok(Some(record))
    }
}
