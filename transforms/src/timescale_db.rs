//! `io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb`: gives changes of TimescaleDB's chunks the names of the
//! tables that they belong to.
//!
//! TimescaleDB keeps the rows of a hypertable in many tables, the chunks, and PostgreSQL's log names those. The transform puts
//! the hypertable's name in the source block and in the topic, and the chunk's name in headers. The rows of a continuous
//! aggregate are in chunks of a hypertable that nobody knows by its name; they get the name of the aggregate's view, and the
//! hypertable's name becomes a header too.
//!
//! Which chunk belongs to what, TimescaleDB's catalogue says. It is read over a connection of the transform's own
//! (`database.hostname` and so on, written as options of the transform), when a chunk is seen that is not known.
//!
//! ```json
//! {}
//! {"topic": "srv._timescaledb_internal._hyper_1_1_chunk", "value": {"op": "c", "after": {"id": 1, "temperature": 21.5}}}
//! => {"topic": "timescaledb.public.conditions", "value": {"source": {"schema": "public", "table": "conditions"},
//!     "after": {"id": 1, "temperature": 21.5}},
//!   "headers": [["__debezium_timescaledb_chunk_table", "_hyper_1_1_chunk"],
//!     ["__debezium_timescaledb_chunk_schema", "_timescaledb_internal"]]}
//! {"topic": "srv._timescaledb_internal._hyper_2_3_chunk", "value": {"op": "c", "after": {"id": 1, "mean": 20.0}}}
//! => {"topic": "timescaledb.public.conditions_daily", "value": {"source": {"schema": "public", "table": "conditions_daily"}},
//!   "headers": [["__debezium_timescaledb_chunk_table", "_hyper_2_3_chunk"],
//!     ["__debezium_timescaledb_chunk_schema", "_timescaledb_internal"],
//!     ["__debezium_timescaledb_hypertable_table", "_materialized_hypertable_2"],
//!     ["__debezium_timescaledb_hypertable_schema", "_timescaledb_internal"]]}
//! {"topic": "srv.public.other", "value": {"op": "c", "after": {"id": 1}}}
//! => {}
//! ```
//!
//! The tombstone behind a delete names no table, so it keeps the chunk's topic.
//!
//! Must not know: SQL, how the catalogue is read.

mod catalog;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{Cache, Frame, Header, Kind, Part, Payload, Record, Schema, Value, View};
use settings::{Def, Key, Properties, Width};

use self::catalog::{Catalog, Found, Target};
use crate::envelope::is_envelope;
use crate::error::java;
use crate::options::Options;
use crate::table::no_remarks;
use crate::{Connector, Transform, TransformError};

const SCHEMAS: &str = "schema.list";
const PREFIX: &str = "target.topic.prefix";
const INTERNAL: &str = "_timescaledb_internal";

/// The number of chunks whose views are remembered.
const CACHE: usize = 4096;

const fn key(name: &'static str, kind: settings::Kind, display_name: &'static str) -> Key {
    crate::options::key(name, kind, display_name, Width::Medium)
}

const KEYS: &[Key] = &[
    key(SCHEMAS, settings::Kind::List, "The list of TimescaleDB data schemas")
        .default(INTERNAL)
        .high()
        .doc("The schemas that chunks are in, with commas between."),
    key(PREFIX, settings::Kind::String, "The prefix of TimescaleDB topic names")
        .default("timescaledb")
        .doc("The first part of the new topics' names: PREFIX.schema.table."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.connector.postgresql.transforms.timescaledb.TimescaleDb",
    module: module_path!(),
    summary: "Gives changes of TimescaleDB's chunks the names of the tables that they belong to.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(TimescaleDb::new(properties))),
    remarks: no_remarks,
};

/// Where an envelope names its table.
#[derive(Clone, Debug)]
struct Names {
    schema: Part,
    table: Part,
}

#[derive(Debug)]
struct TimescaleDb {
    /// The transform's own options, with those of its connection.
    properties: Properties,
    schemas: Vec<String>,
    catalog: Catalog,
    /// None for values that are no envelopes, and for those without a source block.
    names: Cache<u32, Option<Names>>,
    /// The views with new names, by the value's id and the target's number.
    views: Cache<(u32, u64), Arc<View>>,
}

impl TimescaleDb {
    fn new(properties: &Properties) -> Self {
        let options = Options::new(properties);
        let schemas: Vec<String> = options.list(SCHEMAS).into_iter().map(str::to_owned).collect();
        let prefix = options.text(PREFIX).unwrap_or("timescaledb").to_owned();
        let reader = (Connector::default().chunks)(properties);
        Self {
            properties: properties.clone(),
            schemas: if schemas.is_empty() { vec![INTERNAL.to_owned()] } else { schemas },
            catalog: Catalog::new(prefix, reader),
            names: Cache::new(CACHE),
            views: Cache::new(CACHE),
        }
    }

    fn names(&mut self, value: &Payload<'_>) -> Result<Option<Names>, TransformError> {
        let id = value.id();
        if let Some(place) = self.names.place(|known| *known == id, || id) {
            return Ok(self.names.at(place).clone());
        }
        let envelope = value.part().filter(|part| is_envelope(&part.schema));
        let names = match envelope.map(|whole| whole.field("source").ok_or_else(|| TransformError::no_field("source")))
        {
            None => None,
            Some(source) => {
                let source = source?;
                let name = |name: &str| {
                    let part = source.field(name).ok_or_else(|| TransformError::no_field(name))?;
                    let is_text = matches!(part.schema.kind, Kind::String);
                    if is_text { Ok(part) } else { Err(TransformError::field_type(name, "STRING")) }
                };
                Some(Names { schema: name("schema")?, table: name("table")? })
            }
        };
        self.names.insert(id, names.clone());
        Ok(names)
    }

    /// What the record's table belongs to; none for a table that is no chunk.
    fn target(&mut self, names: &Names, frame: Frame<'_>) -> Result<Option<Arc<Target>>, TransformError> {
        let (schemas, catalog) = (&self.schemas, &mut self.catalog);
        names.schema.with_text(frame, |schema| {
            let Some(schema) = schema.filter(|schema| schemas.iter().any(|one| one == schema)) else { return Ok(None) };
            names.table.with_text(frame, |table| {
                let Some(table) = table else { return Ok(None) };
                match catalog.find(schema, table) {
                    Ok(Found::Target(target)) => Ok(Some(target)),
                    Ok(Found::Nothing) => Ok(None),
                    Err(why) => {
                        let message = format!("Failed to read TimescaleDB metadata: {why}");
                        let error = TransformError::new(java::DEBEZIUM, message);
                        Err(error
                            .remedy_is("Set database.hostname and the other options of a connection on the transform."))
                    }
                }
            })
        })
    }

    fn view(&mut self, value: &Payload<'_>, target: &Target) -> Option<Arc<View>> {
        let key = (value.id(), target.number);
        if let Some(place) = self.views.place(|known| *known == key, || key) {
            return Some(Arc::clone(self.views.at(place)));
        }
        let whole = value.part()?;
        let renamed = |(name, part): (Arc<str>, Part)| {
            let part = match &*name {
                "schema" => Part::constant(part.schema, Value::text(&target.schema)),
                "table" => Part::constant(part.schema, Value::text(&target.table)),
                _ => part,
            };
            (name, part)
        };
        let block = |(name, part): (Arc<str>, Part)| {
            if *name != *"source" {
                return (name, part);
            }
            let source = Part::structure(&part.schema, part.fields().map(renamed).collect(), part.presence());
            (name, source)
        };
        let part = Part::structure(&whole.schema, whole.fields().map(block).collect(), whole.presence());
        let view = View::of(part, value.slots());
        self.views.insert(key, Arc::clone(&view));
        Some(view)
    }
}

impl Transform for TimescaleDb {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(names) = self.names(&record.value)? else { return Ok(Some(record)) };
        let Some(target) = self.target(&names, record.value.frame())? else { return Ok(Some(record)) };
        let Some(view) = self.view(&record.value, &target) else { return Ok(Some(record)) };
        record.topic = Arc::clone(&target.topic);
        record.value = record.value.through(&view, []);
        for (name, text) in &target.headers {
            let schema = Schema::of(Kind::String).build();
            record.headers.append_in_place(Header::new(*name, schema, Value::text(text)));
        }
        Ok(Some(record))
    }

    fn attach(&mut self, connector: &Connector) {
        self.catalog.read_with((connector.chunks)(&self.properties));
    }
}
