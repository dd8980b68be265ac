//! `io.debezium.transforms.ByLogicalTableRouter`: sends the changes of several tables, such as shards, to one topic.
//!
//! The topic is renamed by a regex, and with it the schemas of key, row and envelope. Because rows of different tables can have
//! equal keys, the key gets one more field that says which table a row comes from. All values stay where they are: the new
//! keys and envelopes are views.
//!
//! ```json
//! {"topic.regex": "(.*)customers_shard(.*)", "topic.replacement": "$1customers_all_shards"}
//! {"topic": "srv.public.customers_shard7", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1, "v": "a"}}}
//! => {"topic": "srv.public.customers_all_shards",
//!     "key": {"id": 1, "__dbz__physicalTableIdentifier": "srv.public.customers_shard7"}, "value": {"after": {"id": 1, "v": "a"}},
//!     "types": {"key": "struct srv.public.customers_all_shards.Key",
//!               "value": "struct srv.public.customers_all_shards.Envelope",
//!               "value.after": "struct? srv.public.customers_all_shards.Value"}}
//! {"topic": "srv.public.customers_shard7", "key": {"id": 1}, "value": null}
//! => {"topic": "srv.public.customers_all_shards",
//!     "key": {"id": 1, "__dbz__physicalTableIdentifier": "srv.public.customers_shard7"}}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1}}}
//! => {}
//! ```
//!
//! Another name for that field, and only a part of the old topic as its value:
//!
//! ```json
//! {"topic.regex": "(.*)customers_shard(.*)", "topic.replacement": "$1customers_all_shards",
//!  "key.field.name": "shard_id", "key.field.regex": "(.*)customers_shard(.*)", "key.field.replacement": "$2"}
//! {"topic": "srv.public.customers_shard7", "key": {"id": 1}, "value": {"op": "d", "before": {"id": 1}}}
//! => {"topic": "srv.public.customers_all_shards", "key": {"id": 1, "shard_id": "7"}}
//! ```
//!
//! Must not know: tables, databases.

#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{
    Adjustment, Cache, Kind, Node, Part, Payload, Presence, Record, Schema, SchemaBuilder, Source, Value, View,
    adjust_schema_name,
};
use settings::{Def, JavaReplacement, Key, Properties, Support, Width};

use crate::envelope::is_envelope;
use crate::error::{Refusal, java};
use crate::options::{Names, Options};
use crate::structs::{java_class, structure};
use crate::{Transform, TransformError};

/// The number of topics and of inputs of which something is kept.
const CACHE: usize = 4096;
/// What stands for a struct in Debezium's error messages here.
const PURPOSE: &str = "Updating schema";

const fn key(name: &'static str, kind: settings::Kind, title: &'static str, width: Width) -> Key {
    crate::options::key(name, kind, title, width).low()
}

const KEYS: &[Key] = &[
    key("topic.regex", settings::Kind::String, "Topic regex", Width::Long)
        .doc("A Java regex; topics that match as a whole are renamed. Must be set."),
    key("topic.replacement", settings::Kind::String, "Topic replacement", Width::Long)
        .doc("The new topic; $1 and ${name} stand for groups of the regex. Must be set."),
    key("key.enforce.uniqueness", settings::Kind::Boolean, "Add source topic name into key", Width::Short)
        .default("true")
        .doc("Whether the key gets a field that says which table a row comes from."),
    key("key.field.regex", settings::Kind::String, "Key field regex", Width::Long)
        .doc("A Java regex for the old topic. If it matches as a whole, key.field.replacement gives the value of that field; else the old topic is the value."),
    key("key.field.replacement", settings::Kind::String, "Key field replacement", Width::Long)
        .doc("The value of that field; $1 and ${name} stand for groups of key.field.regex."),
    key("logical.table.cache.size", settings::Kind::Int, "Logical table cache size", Width::Long)
        .default("16")
        .support(Support::NoEffect("what is known of topics and schemas is kept for some thousands of them"))
        .doc("How many topics and schemas Debezium remembers."),
    // Debezium reads these two, but does not declare them.
    key("key.field.name", settings::Kind::String, "Key field name", Width::Long)
        .default("__dbz__physicalTableIdentifier")
        .unlisted()
        .doc("The name of the key's additional field."),
    key("schema.name.adjustment.mode", settings::Kind::String, "Schema Name Adjustment", Width::Medium)
        .default("none")
        .unlisted()
        .doc("How the names of the new schemas are adjusted: none, avro or avro_unicode."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.ByLogicalTableRouter",
    module: module_path!(),
    summary: "Sends the changes of several tables to one topic.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ByLogicalTableRouter::new(properties)?)),
    remarks: crate::table::no_remarks,
};

/// Sends the changes of several tables to one topic. Options and results are those of Debezium's
/// [topic routing](https://debezium.io/documentation/reference/stable/transformations/topic-routing.html).
#[derive(Debug)]
struct ByLogicalTableRouter {
    rename: JavaReplacement,
    names: Adjustment,
    field: Option<IdentifierField>,
    /// What becomes of a topic.
    topics: Cache<Arc<str>, Option<Target>>,
    /// The topics after which schemas of keys and envelopes are named, by the old schema. As in Debezium, the first topic with
    /// a schema decides. The old schema is held, so that its id stays its own.
    schemas: Cache<u32, (Arc<Schema>, Arc<str>)>,
    /// Views of keys, by their ids and the old topic.
    keys: Cache<(u32, Arc<str>), Arc<View>>,
    /// Views of envelopes, by their ids.
    envelopes: Cache<u32, Arc<View>>,
}

/// The key's additional field.
#[derive(Debug)]
struct IdentifierField {
    name: Arc<str>,
    /// What makes its value of the old topic; none: the old topic is the value.
    value: Option<JavaReplacement>,
}

/// Where the records of a topic go.
#[derive(Clone, Debug)]
struct Target {
    topic: Arc<str>,
    /// The value of the key's additional field.
    identifier: Arc<Value>,
}

impl ByLogicalTableRouter {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let regex = options.required("topic.regex");
        options.check_regex("topic.regex");
        let replacement = options.required("topic.replacement");
        options.check_regex("key.field.regex");
        let field_regex = options.text("key.field.regex").filter(|text| !text.trim().is_empty());
        let field_replacement = options.text("key.field.replacement").filter(|text| !text.trim().is_empty());
        if field_regex.is_some() && field_replacement.is_none() {
            options
                .problem("key.field.replacement", "key.field.replacement must be non-empty if key.field.regex is set.");
        }
        let names = options.choice("schema.name.adjustment.mode", Names::None);
        let is_unique = options.flag("key.enforce.uniqueness", true);
        let name = options.text("key.field.name").unwrap_or("__dbz__physicalTableIdentifier");
        options.refused_as_a_whole(java::CONNECT)?;
        let made = |key, regex: &str, replacement: &str| {
            let made = JavaReplacement::new(regex, replacement);
            made.map_err(|error| vec![Refusal::new(java::CONNECT, key, error.to_string())])
        };
        let value = match field_regex.zip(field_replacement) {
            Some((regex, replacement)) => Some(made("key.field.regex", regex, replacement)?),
            None => None,
        };
        Ok(Self {
            rename: made("topic.regex", regex, replacement)?,
            names: names.into(),
            field: is_unique.then(|| IdentifierField { name: name.into(), value }),
            topics: Cache::new(CACHE),
            schemas: Cache::new(CACHE),
            keys: Cache::new(CACHE),
            envelopes: Cache::new(CACHE),
        })
    }

    /// Where the records of a topic go; none if they are left alone.
    fn target(&mut self, topic: &Arc<str>) -> Result<Option<Target>, TransformError> {
        let known = self.topics.place(|known| known == topic, || Arc::clone(topic));
        let place = if let Some(place) = known {
            place
        } else {
            let target = self.new_target(topic)?;
            self.topics.insert(Arc::clone(topic), target)
        };
        Ok(self.topics.at(place).clone())
    }

    fn new_target(&self, topic: &Arc<str>) -> Result<Option<Target>, TransformError> {
        let Some(to) = self.rename.apply(topic)? else { return Ok(None) };
        if to.is_empty() {
            tracing::warn!(%topic, "Routing regex returned an empty topic name, propagating original record");
            return Ok(None);
        }
        let identifier = match self.field.as_ref().and_then(|field| field.value.as_ref()) {
            Some(value) => value.apply(topic)?,
            None => None,
        };
        let identifier = Arc::new(Value::Text(identifier.unwrap_or_else(|| topic.to_string())));
        Ok(Some(Target { topic: to.into(), identifier }))
    }

    /// The name of the schema in the place of `old`, and of a part of it.
    fn named(&mut self, old: &Arc<Schema>, topic: &Arc<str>, ends: [&str; 2]) -> [String; 2] {
        let place = match self.schemas.place(|known| *known == old.id, || old.id) {
            Some(place) => place,
            None => self.schemas.insert(old.id, (Arc::clone(old), Arc::clone(topic))),
        };
        let (_, topic) = &*self.schemas.at(place);
        ends.map(|end| adjust_schema_name(self.names, &format!("{topic}{end}")))
    }

    fn key<'a>(&mut self, key: Payload<'a>, old: &Arc<str>, target: &Target) -> Result<Payload<'a>, TransformError> {
        if key.is_null() {
            return Ok(Payload::Null);
        }
        let id = key.id();
        if let Some(place) = self.keys.place(|known| known.0 == id && known.1 == *old, || (id, Arc::clone(old))) {
            return Ok(key.through(self.keys.at(place), []));
        }
        let Some(part) = key.part() else { return Ok(Payload::Null) };
        if !matches!(part.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::not_a_struct(PURPOSE, java_class(&part.schema)));
        }
        let [name, _] = self.named(&part.schema, &target.topic, [".Key", ""]);
        let mut fields: Vec<(Arc<str>, Part)> = part.fields().collect();
        if let Some(field) = &self.field {
            let node = Source::Constant(Arc::clone(&target.identifier)).into();
            fields.push((Arc::clone(&field.name), Part { schema: Schema::of(Kind::String).build(), node }));
        }
        let basics = renamed(&part.schema, &name).build();
        let view = View::of(structure(&basics, fields, Presence::Always)?, key.slots());
        self.keys.insert((id, Arc::clone(old)), Arc::clone(&view));
        Ok(key.through(&view, []))
    }

    fn value<'a>(&mut self, value: Payload<'a>, target: &Target) -> Result<Payload<'a>, TransformError> {
        let id = value.id();
        if let Some(place) = self.envelopes.place(|known| *known == id, || id) {
            return Ok(value.through(self.envelopes.at(place), []));
        }
        let Some(part) = value.part() else { return Ok(value) };
        if !matches!(part.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::not_a_struct(PURPOSE, java_class(&part.schema)));
        }
        let [name, row_name] = self.named(&part.schema, &target.topic, [".Envelope", ".Value"]);
        // Both rows get the schema of the row before.
        let row = part.field("before").ok_or_else(|| TransformError::no_field("before"))?.schema;
        let row = renamed(&row, &row_name).build();
        let mut fields = Vec::new();
        for (name, field) in part.fields() {
            let field = if matches!(&*name, "before" | "after") { as_row(field, &row)? } else { field.or_default() };
            fields.push((name, field));
        }
        let basics = renamed(&part.schema, &name).build();
        let view = View::of(Part::structure(&basics, fields, Presence::Always), value.slots());
        self.envelopes.insert(id, Arc::clone(&view));
        Ok(value.through(&view, []))
    }
}

/// The schema with another name and without a default.
fn renamed(schema: &Schema, name: &str) -> SchemaBuilder {
    schema.edit().named(name, schema.version).default(None)
}

/// A row under another schema with the same fields.
fn as_row(old: Part, schema: &Arc<Schema>) -> Result<Part, TransformError> {
    let same = |(one, other): (&record::Field, &record::Field)| one.name == other.name;
    let (had, has) = (old.schema.fields(), schema.fields());
    if had.len() == has.len() && had.iter().zip(has).all(same) {
        return Ok(Part { schema: Arc::clone(schema), node: old.node });
    }
    if let Some(unknown) = had.iter().find(|field| schema.field(&field.name).is_none()) {
        return Err(TransformError::no_field(&unknown.name));
    }
    let null = || Source::Constant(Arc::new(Value::Null)).into();
    let nodes = has.iter().map(|field| old.field(&field.name).map_or_else(null, |part| part.node)).collect();
    Ok(Part { schema: Arc::clone(schema), node: Node::Struct(nodes, old.presence()) })
}

impl Transform for ByLogicalTableRouter {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let Some(target) = self.target(&record.topic)? else { return Ok(Some(record)) };
        record.key = self.key(record.key, &record.topic, &target)?;
        if !record.value.is_null() && record.value.schema().is_some_and(|schema| is_envelope(schema)) {
            record.value = self.value(record.value, &target)?;
        }
        record.topic = target.topic;
        record.headers.detach();
        Ok(Some(record))
    }
}
