//! `io.debezium.transforms.ExtractNewRecordState`, usually called `unwrap`: replaces the envelope by the row inside it.
//!
//! The row leaves as a view of the cells; the view of a table is built once.
//!
//! A row as it is, and what becomes of its delete:
//!
//! ```json
//! {"add.fields": "op,table,source.ts_ms,nosuch", "add.headers": "db:database,op"}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1, "name": "Ann", "qty": null}}}
//! => {"value": {"id": 1, "name": "Ann", "qty": null, "__op": "c", "__table": "orders", "__source_ts_ms": 1700000000000},
//!     "headers": [["__database", "shop"], ["__op", "c"]]}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "d", "before": {"id": 1, "name": "Ann", "qty": null}}}
//! => {"value": null, "headers": [["__database", "shop"], ["__op", "d"]]}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": null}
//! => dropped
//! ```
//!
//! A delete as a row, with a field that says so:
//!
//! ```json
//! {"delete.tombstone.handling.mode": "rewrite", "add.fields": "op,lsn"}
//! {"topic": "srv.public.orders", "key": {"id": 1}, "value": {"op": "d", "before": {"id": 1, "name": "Ann"}}}
//! => {"value": {"id": 1, "name": "Ann", "__deleted": "true", "__op": "d", "__lsn": 24023128}}
//! ```
//!
//! Must not know: tables, databases.

#[cfg(test)]
mod cases;
mod plan;
mod reference;
#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;

use record::{Cache, Frame, Header, Headers, Kind, Part, Payload, Presence, Record, Schema, Value, View};
use settings::{Asked, Check, Choice, Def, Finding, Importance, Key, Properties, Width};

use self::plan::{Added, Plan, resolve};
use self::reference::Reference;
use crate::envelope::is_envelope;
use crate::error::{Refusal, java};
use crate::options::{Options, removed};
use crate::structs::java_class;
use crate::{Transform, TransformError};

/// The field that the rewrite modes add.
const DELETED: &str = "__deleted";
/// The number of flattened forms that are cached. Building one takes as long as flattening many records, so the cache
/// is large enough for every table of a large database.
const CACHE: usize = 4096;
const MODE: &str = "delete.tombstone.handling.mode";

settings::choices! {
    /// What a delete and its tombstone become (`delete.tombstone.handling.mode`).
    enum DeleteMode {
    /// Both are dropped.
    Drop = "drop",
    /// The delete becomes a null with the row's schema; the tombstone is dropped.
    Tombstone = "tombstone",
    /// The delete becomes the row before it, with `__deleted=true`; the tombstone is dropped.
    Rewrite = "rewrite",
    /// As [`DeleteMode::Rewrite`], but the tombstone is kept.
    RewriteWithTombstone = "rewrite-with-tombstone",
    /// The delete becomes a null without a schema; the tombstone is dropped.
        DeleteToTombstone = "delete-to-tombstone",
    }
}

impl DeleteMode {
    fn rewrites(self) -> bool {
        matches!(self, Self::Rewrite | Self::RewriteWithTombstone)
    }
}

fn mode_check(asked: &Asked<'_>) -> Vec<String> {
    let Some(text) = asked.value.filter(|text| DeleteMode::from_name(text).is_none()) else { return Vec::new() };
    let names: Vec<&str> = DeleteMode::NAMES.iter().map(|(name, _)| *name).collect();
    let (names, key) = (names.join(", "), asked.name);
    vec![format!("Invalid value {text} for configuration {key}: Value must be one of {names}")]
}

const fn key(name: &'static str, kind: settings::Kind, display_name: &'static str, width: Width) -> Key {
    crate::options::key(name, kind, display_name, width).low()
}

const KEYS: &[Key] = &[
    Key {
        importance: Importance::Medium,
        ..key(MODE, settings::Kind::String, "Handle delete and tombstone records", Width::Medium)
            .default("tombstone")
            .checks(&[Check::Own(mode_check)])
            .doc("What becomes of a delete and of the tombstone behind it: drop, tombstone, rewrite, rewrite-with-tombstone or delete-to-tombstone.")
    },
    key("route.by.field", settings::Kind::String, "Route by field name", Width::Long)
        .default("")
        .doc("A text column whose value becomes the topic."),
    key("add.fields.prefix", settings::Kind::String, "Field prefix to be added to each field.", Width::Short)
        .default("__")
        .doc("Stands before the name of each added field."),
    key("add.fields", settings::Kind::List, "Adds the specified field(s) to the message if they exist.", Width::Long)
        .default("")
        .doc("Fields of the envelope to add to the row: [struct.]field[:new name], with commas between."),
    key("add.headers.prefix", settings::Kind::String, "Header prefix to be added to each header.", Width::Short)
        .default("__")
        .doc("Stands before the name of each added header."),
    key("add.headers", settings::Kind::List, "Adds the specified fields to the header if they exist.", Width::Long)
        .default("")
        .doc("Fields of the envelope to add as headers, written as for add.fields."),
    key(
        "drop.fields.header.name",
        settings::Kind::String,
        "Specifies a header that contains a list of field names to be removed",
        Width::Short,
    )
    .doc("Name of a header that holds a list of field names; these fields are taken out of the record's value. Not set: none are."),
    key(
        "drop.fields.from.key",
        settings::Kind::Boolean,
        "Specifies whether the fields to be dropped should also be omitted from the key",
        Width::Short,
    )
    .default("false")
    .doc("With drop.fields.header.name: whether the fields are taken out of the record's key too."),
    key(
        "drop.fields.keep.schema.compatible",
        settings::Kind::Boolean,
        "Specifies if fields are dropped, will the event's schemas be compatible",
        Width::Short,
    )
    .default("true")
    .doc("With drop.fields.header.name: whether only optional fields are taken out, so that readers with the old schema still understand the record."),
    // Debezium reads it, but does not declare it.
    Key::new("replace.null.with.default", settings::Kind::Boolean)
        .default("true")
        .unlisted()
        .doc("With the modes rewrite and rewrite-with-tombstone: whether nulls in columns with a default become that default."),
];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.ExtractNewRecordState",
    module: module_path!(),
    summary: "Replaces the envelope of a change by the row inside it.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(ExtractNewRecordState::new(properties)?)),
    remarks: warnings,
};

/// Remarks on keys of older Debezium releases that no longer have an effect, with the keys that replaced them.
fn warnings(properties: &Properties) -> Vec<Finding> {
    let drops = properties.get("drop.tombstones").map(|text| !text.trim().eq_ignore_ascii_case("false"));
    let handling = properties.get("delete.handling.mode").map(|text| text.trim().to_ascii_lowercase());
    let mut findings = Vec::new();
    if drops.is_some() || handling.is_some() {
        // The defaults were `drop.tombstones=true` and `delete.handling.mode=drop`.
        let meant = match (handling.as_deref().unwrap_or("drop"), drops.unwrap_or(true)) {
            ("rewrite", true) => "rewrite",
            ("rewrite", false) => "rewrite-with-tombstone",
            ("none", _) => "tombstone",
            (_, true) => "drop",
            (_, false) => "delete-to-tombstone",
        };
        let now = properties.get(MODE).unwrap_or("tombstone");
        let remedy = format!("Set {MODE}={meant} for what it meant; {now} holds now.");
        for key in ["drop.tombstones", "delete.handling.mode"] {
            findings.extend(properties.get(key).map(|_| removed(key, remedy.clone())));
        }
    }
    for (key, remedy) in [
        ("operation.header", "Use add.headers=op."),
        ("add.source.fields", "Use add.fields with source.NAME for each of them."),
    ] {
        findings.extend(properties.get(key).map(|_| removed(key, remedy)));
    }
    findings
}

/// Replaces a Debezium envelope by its row. Options and results are those of Debezium's
/// [event flattening](https://debezium.io/documentation/reference/stable/transformations/event-flattening.html).
#[derive(Debug)]
struct ExtractNewRecordState {
    mode: DeleteMode,
    route_by: Option<String>,
    fields: Vec<Reference>,
    headers: Vec<Reference>,
    drop_header: Option<String>,
    drop_from_key: bool,
    only_optional: bool,
    replace_null: bool,
    /// What was found out about an input, by the payload's id.
    envelopes: Cache<u32, Arc<Envelope>>,
    /// The views of flattened rows.
    flat: Cache<Form, Arc<Flat>>,
}

/// Identifies a flattened form: the input, whether it is for deletes, and the fields that `drop.fields.header.name`
/// drops.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct Form {
    input: u32,
    delete: bool,
    dropped: Vec<String>,
}

/// The parts of an envelope that are asked for on each record.
#[derive(Debug)]
struct Envelope {
    whole: Part,
    before: Part,
    after: Part,
    headers: Vec<Added>,
}

/// A flattened row.
#[derive(Debug)]
struct Flat {
    view: Arc<View>,
    /// The added fields that would hold a whole struct or map. Only null is allowed there.
    whole: Vec<Part>,
}

fn only_nulls<'a>(parts: impl IntoIterator<Item = &'a Part>, frame: Frame<'_>) -> Result<(), TransformError> {
    if parts.into_iter().all(|part| part.is_null(frame)) { Ok(()) } else { Err(TransformError::struct_mismatch()) }
}

impl ExtractNewRecordState {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut refusals = Vec::new();
        let options = Options::new(properties);
        let mut references = |name: &str, prefix: &str| {
            let prefix = properties.get(prefix).unwrap_or("__");
            Reference::parse_list(properties.get(name).unwrap_or_default(), prefix).unwrap_or_else(|message| {
                refusals.push(Refusal::new(java::ILLEGAL_ARGUMENT, name, message));
                Vec::new()
            })
        };
        let fields = references("add.fields", "add.fields.prefix");
        let headers = references("add.headers", "add.headers.prefix");
        if !refusals.is_empty() {
            return Err(refusals);
        }
        Ok(Self {
            mode: options.text(MODE).and_then(DeleteMode::from_name).unwrap_or(DeleteMode::Tombstone),
            route_by: options.text("route.by.field").filter(|name| !name.is_empty()).map(str::to_owned),
            fields,
            headers,
            drop_header: options.text("drop.fields.header.name").filter(|name| !name.is_empty()).map(str::to_owned),
            drop_from_key: options.flag("drop.fields.from.key", false),
            only_optional: options.flag("drop.fields.keep.schema.compatible", true),
            replace_null: options.flag("replace.null.with.default", true),
            envelopes: Cache::new(CACHE),
            flat: Cache::new(CACHE),
        })
    }

    /// Keeps a tombstone in one mode only.
    fn tombstone<'a>(&self, mut record: Record<'a>) -> Option<Record<'a>> {
        if self.mode != DeleteMode::RewriteWithTombstone {
            return None;
        }
        for reference in self.headers.iter().filter(|reference| reference.field == "op") {
            let schema = Schema::of(Kind::String).build();
            record.headers.append_in_place(Header::new(reference.name.as_str(), schema, Value::text("d")));
        }
        Some(record)
    }

    /// What is known of the envelope, from the cache or found out now.
    fn envelope(&mut self, value: &Payload<'_>) -> Result<Option<Arc<Envelope>>, TransformError> {
        let id = value.id();
        if let Some(place) = self.envelopes.place(|known| *known == id, || id) {
            return Ok(Some(Arc::clone(self.envelopes.at(place))));
        }
        let Some(whole) = value.part().filter(|part| is_envelope(&part.schema)) else { return Ok(None) };
        let after = whole.field("after").ok_or_else(|| TransformError::no_field("after"))?;
        // An envelope that was made of a logical message has no `before`.
        let before = whole.field("before").unwrap_or_else(|| Part::constant(Arc::clone(&after.schema), Value::Null));
        let mut headers = Vec::with_capacity(self.headers.len());
        for reference in &self.headers {
            headers.extend(resolve(&whole, reference)?.map(Added::into_header));
        }
        let envelope = Arc::new(Envelope { whole, before, after, headers });
        self.envelopes.insert(id, Arc::clone(&envelope));
        Ok(Some(envelope))
    }

    /// The field names that the header `drop.fields.header.name` lists; empty when the record has no such header.
    fn dropped(&self, headers: &Headers<'_>) -> Result<Vec<String>, TransformError> {
        let Some(name) = &self.drop_header else { return Ok(Vec::new()) };
        let wrong = || {
            let message =
                format!("the header {name} is not a list of field names, as drop.fields.header.name needs it");
            TransformError::new(java::CLASS_CAST, message)
        };
        let items = match headers.find(name).map(|header| header.value.to_value()) {
            None | Some(Value::Null) => return Ok(Vec::new()),
            Some(Value::Array(items)) => items.into_iter(),
            Some(_) => return Err(wrong()),
        };
        let names = items.map(|item| if let Value::Text(text) = item { Ok(text) } else { Err(wrong()) });
        let names: Vec<String> = names.collect::<Result<_, _>>()?;
        // Debezium hands the list to Kafka's ReplaceField then, which checks it as an option.
        let mut seen = HashSet::new();
        if !self.only_optional && names.iter().any(|name| !seen.insert(name)) {
            let message = "Configuration 'exclude' values must not be duplicated.";
            return Err(TransformError::new(java::CONFIG, message));
        }
        Ok(names)
    }

    /// The flattened form of this input, from the cache or newly built.
    fn flat(
        &mut self,
        value: &Payload<'_>,
        envelope: &Envelope,
        delete: bool,
        dropped: &[String],
    ) -> Result<Arc<Flat>, TransformError> {
        let input = value.id();
        let is = |known: &Form| known.input == input && known.delete == delete && known.dropped == dropped;
        let form = || Form { input, delete, dropped: dropped.to_vec() };
        if let Some(place) = self.flat.place(is, form) {
            return Ok(Arc::clone(self.flat.at(place)));
        }
        let mut plan = Plan::of_row(if delete { &envelope.before } else { &envelope.after });
        if self.mode.rewrites() {
            plan.mark_deleted(delete, self.replace_null);
        }
        // As in Debezium: for a delete, fields are dropped before others are added; for other changes, after.
        if delete && !dropped.is_empty() {
            plan.drop_fields(dropped, self.only_optional);
        }
        let whole = plan.add(&envelope.whole, &self.fields)?;
        // Duplicate names are refused even if one of the two would be dropped below.
        plan.check_names()?;
        if !delete && !dropped.is_empty() {
            plan.drop_fields(dropped, self.only_optional);
        }
        let flat = Arc::new(Flat { view: View::of(plan.into_part(), value.slots()), whole });
        self.flat.insert(form(), Arc::clone(&flat));
        Ok(flat)
    }

    /// The topic that the row's field `route.by.field` names; `None` without that option, or when the field is blank.
    fn route(&self, row: &Part, delete: bool, frame: Frame<'_>) -> Result<Option<Arc<str>>, TransformError> {
        let Some(name) = &self.route_by else { return Ok(None) };
        if name == DELETED && self.mode.rewrites() && !delete {
            return Ok(Some("false".into()));
        }
        let column = row.field(name).ok_or_else(|| TransformError::no_field(name))?;
        if !matches!(column.schema.kind, Kind::String) {
            return Err(TransformError::field_type(name, "STRING"));
        }
        // The row that is looked at has `__deleted` already, and nulls in it have become defaults.
        let filled = self.mode.rewrites() && !delete && self.replace_null;
        let column = if filled { column.or_default() } else { column };
        Ok(column.text(frame).filter(|topic| !topic.trim().is_empty()).map(Arc::from))
    }

    /// The record's key without the fields in `dropped`.
    fn narrow_key<'a>(&self, key: Payload<'a>, dropped: &[String]) -> Result<Payload<'a>, TransformError> {
        let Some(part) = key.part().filter(|_| !key.is_null()) else { return Ok(key) };
        if !matches!(part.schema.kind, Kind::Struct(_)) {
            return Err(if self.only_optional {
                TransformError::data("Cannot list fields on non-struct type")
            } else {
                TransformError::not_a_struct("field replacement", java_class(&part.schema))
            });
        }
        let goes = |name: &str, schema: &Schema| {
            (!self.only_optional || schema.optional) && dropped.iter().any(|dropped| dropped == name)
        };
        if self.only_optional && !part.schema.fields().iter().any(|field| goes(&field.name, &field.schema)) {
            return Ok(key);
        }
        let kept = part.fields().filter(|(name, field)| !goes(name, &field.schema));
        let fields = kept.map(|(name, field)| (name, field.or_default())).collect();
        let basics = part.schema.edit().optional_if(false).default(None).build();
        let view = View::of(Part::structure(&basics, fields, Presence::Always), key.slots());
        Ok(key.through(&view, []))
    }
}

impl Transform for ExtractNewRecordState {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(self.tombstone(record));
        }
        let Some(envelope) = self.envelope(&record.value)? else { return Ok(Some(record)) };
        let frame = record.value.frame();
        let delete = envelope.after.is_null(frame);
        for Added { name, part, .. } in &envelope.headers {
            let value = part.value(frame);
            record.headers.append_in_place(Header::new(Arc::clone(name), Arc::clone(&part.schema), value));
        }
        if delete && (envelope.before.is_null(frame) || self.mode == DeleteMode::Drop) {
            return Ok(None);
        }
        let row = if delete { &envelope.before } else { &envelope.after };
        if let Some(topic) = self.route(row, delete, frame)? {
            record.topic = topic;
        }
        let dropped = self.dropped(&record.headers)?;
        if self.drop_from_key && !dropped.is_empty() {
            record.key = self.narrow_key(record.key, &dropped)?;
        }
        record.value = match (delete, self.mode) {
            (true, DeleteMode::DeleteToTombstone) => Payload::Null,
            (true, DeleteMode::Tombstone) => Payload::NullOf(Arc::clone(&envelope.after.schema)),
            _ => {
                let flat = self.flat(&record.value, &envelope, delete, &dropped)?;
                only_nulls(&flat.whole, record.value.frame())?;
                record.value.through(&flat.view, [])
            }
        };
        record.headers.detach();
        Ok(Some(record))
    }
}
