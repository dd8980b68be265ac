//! `io.debezium.transforms.ExtractNewRecordState`, usually called `unwrap`: replaces the envelope by the row inside it.
//!
//! A raw change leaves as a view of its cells; the view of a table is built once. An envelope that another transform
//! has turned into values is flattened value by value.
//!
//! Debezium's connectors give a delete and its tombstone the same header object, so headers that a transform adds to
//! the delete appear on the tombstone too. Here, the headers added to the last delete are kept and added to the next
//! record if it is the tombstone. So the pipeline must pass a tombstone directly after its delete.
//!
//! Must not know: tables, databases.

mod plan;
mod reference;
#[cfg(test)]
mod tests;

use std::sync::Arc;

use record::{Cache, Decoded, Header, HeaderValue, Headers, Kind, Payload, Record, Schema, Value, View};
use settings::{Asked, Check, Choice, Def, Finding, Importance, Invalid, Key, Properties, Severity, Width};

use self::plan::{Origin, Plan, lower, read, resolve};
use self::reference::Reference;
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
    let key = Key::new(name, kind).low().shown(display_name, width);
    Key { order_in_group: 1, ..key }
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
];

/// The transform's keys.
pub(crate) const DEF: Def = Def::new(&[KEYS]);

/// Remarks on keys of older Debezium releases that no longer have an effect, with the keys that replaced them.
pub(crate) fn warnings(properties: &Properties) -> Vec<Finding> {
    let finding = |key: &str, remedy: String| Finding {
        key: key.to_owned(),
        severity: Severity::Warning,
        reason: "This option was removed and has no effect.".to_owned(),
        remedy,
    };
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
            findings.extend(properties.get(key).map(|_| finding(key, remedy.clone())));
        }
    }
    for (key, remedy) in [
        ("operation.header", "Use add.headers=op."),
        ("add.source.fields", "Use add.fields with source.NAME for each of them."),
    ] {
        findings.extend(properties.get(key).map(|_| finding(key, remedy.to_owned())));
    }
    findings
}

/// Identifies a flattened form: the input, whether it is for deletes, and the fields that `drop.fields.header.name`
/// drops.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct CacheKey {
    input: Input,
    delete: bool,
    dropped: Vec<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
enum Input {
    /// Raw changes of the shape with this id.
    Shape(u64),
    /// Values of the schema with this id.
    Schema(u32),
}

#[derive(Debug)]
enum Flat {
    View(Arc<View>),
    Values(Plan, Arc<Schema>),
}

/// Replaces a Debezium envelope by its row. Options and results are those of Debezium's
/// [event flattening](https://debezium.io/documentation/reference/stable/transformations/event-flattening.html).
#[derive(Debug)]
pub struct ExtractNewRecordState {
    mode: DeleteMode,
    route_by: Option<String>,
    fields: Vec<Reference>,
    headers: Vec<Reference>,
    drop_header: Option<String>,
    drop_from_key: bool,
    only_optional: bool,
    replace_null: bool,
    cache: Cache<CacheKey, Arc<Flat>>,
    /// If the last record was a delete: its topic and the headers that were added to it.
    last_delete: Option<(Arc<str>, Vec<Header<'static>>)>,
}

/// A record's envelope: a raw change, or values that another transform made.
enum Envelope<'a> {
    Raw(&'a Decoded<'a>),
    Value(Arc<Schema>, Value),
}

impl<'a> Envelope<'a> {
    fn of(payload: &Payload<'a>) -> Option<Self> {
        match payload {
            Payload::Change(decoded) => Some(Self::Raw(decoded)),
            other => Some(Self::Value(other.schema()?.clone(), other.to_value())),
        }
    }

    fn schema(&self) -> &Schema {
        match self {
            Self::Raw(decoded) => &decoded.shape.envelope,
            Self::Value(schema, _) => schema,
        }
    }

    fn read(&self, origin: &Origin) -> Value {
        match self {
            Self::Raw(decoded) => match origin {
                Origin::Root(at) => decoded.envelope_field(&decoded.shape.envelope.fields()[*at]),
                origin => lower(origin, decoded.shape).value(decoded),
            },
            Self::Value(_, value) => read(origin, value),
        }
    }

    fn is_null(&self, part: &str) -> bool {
        match self {
            Self::Raw(decoded) => match part {
                "before" => decoded.before.is_none(),
                "after" => decoded.after.is_none(),
                "transaction" => decoded.change.transaction.is_none(),
                _ => false,
            },
            Self::Value(schema, value) => {
                schema.field(part).is_none_or(|at| read(&Origin::Root(at), value) == Value::Null)
            }
        }
    }

    /// Fails when a reference names a whole struct (or array or map) that is not null: only plain fields can be added.
    fn check_whole(&self, references: &[Reference]) -> Result<(), TransformError> {
        for reference in references {
            let Some(column) = resolve(self.schema(), reference)? else { continue };
            let plain = !matches!(column.schema.kind, Kind::Struct(_) | Kind::Array(_) | Kind::Map(..));
            if !plain && self.read(&column.origin) != Value::Null {
                return Err(TransformError::StructMismatch);
            }
        }
        Ok(())
    }
}

impl ExtractNewRecordState {
    /// Makes the transform from its own properties (without `transforms.NAME.`).
    ///
    /// # Errors
    /// All complaints about the properties, those about the items of `add.fields` and `add.headers` included.
    pub fn new(properties: &Properties) -> Result<Self, Vec<Invalid>> {
        let mut complaints = DEF.complaints(properties);
        let text = |name: &str, default: &str| properties.get(name).unwrap_or(default).trim().to_owned();
        let flag =
            |name: &str, default: bool| match properties.get(name).map(|t| t.trim().to_ascii_lowercase()).as_deref() {
                Some("true") => true,
                Some("false") => false,
                _ => default,
            };
        let mut references = |name: &str, prefix: &str| {
            let prefix = properties.get(prefix).unwrap_or("__");
            Reference::parse_list(properties.get(name).unwrap_or_default(), prefix).unwrap_or_else(|message| {
                complaints.push(Invalid::new(name, message));
                Vec::new()
            })
        };
        let fields = references("add.fields", "add.fields.prefix");
        let headers = references("add.headers", "add.headers.prefix");
        if !complaints.is_empty() {
            return Err(complaints);
        }
        Ok(Self {
            mode: DeleteMode::from_name(&text(MODE, "tombstone")).unwrap_or(DeleteMode::Tombstone),
            route_by: Some(text("route.by.field", "")).filter(|name| !name.is_empty()),
            fields,
            headers,
            drop_header: properties.get("drop.fields.header.name").map(str::to_owned).filter(|name| !name.is_empty()),
            drop_from_key: flag("drop.fields.from.key", false),
            only_optional: flag("drop.fields.keep.schema.compatible", true),
            replace_null: flag("replace.null.with.default", true),
            cache: Cache::new(CACHE),
            last_delete: None,
        })
    }

    fn tombstone<'a>(
        &self,
        mut record: Record<'a>,
        delete: Option<(Arc<str>, Vec<Header<'static>>)>,
    ) -> Option<Record<'a>> {
        if self.mode != DeleteMode::RewriteWithTombstone {
            return None;
        }
        if let Some((_, headers)) = delete.filter(|(topic, _)| *topic == record.topic) {
            record.headers.extend(headers);
        }
        for reference in self.headers.iter().filter(|reference| reference.field == "op") {
            let schema = Schema::of(Kind::String).build();
            record.headers.push(Header::new(reference.name.as_str(), schema, Value::text("d")));
        }
        Some(record)
    }

    /// The headers that `add.headers` asks for.
    fn added_headers(&self, envelope: &Envelope<'_>) -> Result<Vec<Header<'static>>, TransformError> {
        envelope.check_whole(&self.headers)?;
        let mut added = Vec::with_capacity(self.headers.len());
        for reference in &self.headers {
            if let Some(column) = resolve(envelope.schema(), reference)? {
                let value = envelope.read(&column.origin);
                added.push(Header::new(column.name, column.schema, value));
            }
        }
        Ok(added)
    }

    /// The field names that the header `drop.fields.header.name` lists; empty when the record has no such header.
    fn dropped(&self, headers: &Headers<'_>) -> Result<Vec<String>, TransformError> {
        let Some(name) = &self.drop_header else { return Ok(Vec::new()) };
        let wrong = || TransformError::HeaderType(name.clone());
        match headers.find(name).map(|header| &header.value) {
            None | Some(HeaderValue::Owned(_, Value::Null)) => Ok(Vec::new()),
            Some(HeaderValue::Owned(_, Value::Array(items))) => items
                .iter()
                .map(|item| if let Value::Text(text) = item { Ok(text.clone()) } else { Err(wrong()) })
                .collect(),
            Some(_) => Err(wrong()),
        }
    }

    /// The flattened form of this input, from the cache or newly built.
    fn flat(&mut self, envelope: &Envelope<'_>, delete: bool, dropped: &[String]) -> Result<Arc<Flat>, TransformError> {
        let input = match envelope {
            Envelope::Raw(decoded) => Input::Shape(decoded.shape.id),
            Envelope::Value(schema, _) => Input::Schema(schema.id),
        };
        let is = |known: &CacheKey| known.input == input && known.delete == delete && known.dropped == dropped;
        let key = || CacheKey { input, delete, dropped: dropped.to_vec() };
        if let Some(place) = self.cache.place(is, key) {
            return Ok(self.cache.at(place).clone());
        }
        let mut plan = Plan::of_row(envelope.schema(), if delete { "before" } else { "after" })?;
        if self.mode.rewrites() {
            plan.mark_deleted(delete, self.replace_null);
        }
        // As in Debezium: for a delete, fields are dropped before others are added; for other changes, after.
        if delete && !dropped.is_empty() {
            plan.drop_fields(dropped, self.only_optional);
        }
        plan.add(envelope.schema(), &self.fields)?;
        // Duplicate names are refused even if one of the two would be dropped below.
        let schema = plan.schema()?;
        if !delete && !dropped.is_empty() {
            plan.drop_fields(dropped, self.only_optional);
        }
        let flat = Arc::new(match envelope {
            Envelope::Raw(decoded) => Flat::View(Arc::new(plan.view(decoded.shape)?)),
            Envelope::Value(..) => {
                let schema = if dropped.is_empty() { schema } else { plan.schema()? };
                Flat::Values(plan, schema)
            }
        });
        self.cache.insert(key(), flat.clone());
        Ok(flat)
    }

    /// The topic that the row's field `route.by.field` names; `None` without that option, or when the field is blank.
    fn route(&self, envelope: &Envelope<'_>, delete: bool) -> Result<Option<Arc<str>>, TransformError> {
        let Some(name) = &self.route_by else { return Ok(None) };
        if name == DELETED && self.mode.rewrites() && !delete {
            return Ok(Some("false".into()));
        }
        let plan = Plan::of_row(envelope.schema(), if delete { "before" } else { "after" })?;
        let column = plan.columns.iter().find(|column| *column.name == **name);
        let column = column.ok_or_else(|| TransformError::NoField(name.clone()))?;
        if !matches!(column.schema.kind, Kind::String) {
            return Err(TransformError::FieldType { field: name.clone(), expected: "STRING" });
        }
        let Value::Text(topic) = envelope.read(&column.origin) else { return Ok(None) };
        Ok(Some(topic.into()).filter(|topic: &Arc<str>| !topic.trim().is_empty()))
    }

    /// The record's key without the fields in `dropped`.
    fn narrow_key<'a>(&self, key: Payload<'a>, dropped: &[String]) -> Payload<'a> {
        let (Some(schema), Value::Struct(values)) = (key.schema(), key.to_value()) else { return key };
        let goes = |field: &record::Field| {
            (!self.only_optional || field.schema.optional) && dropped.iter().any(|name| **name == *field.name)
        };
        if !schema.fields().iter().any(goes) {
            return key;
        }
        let (mut fields, mut kept) = (Vec::new(), Vec::new());
        for (field, value) in schema.fields().iter().zip(values).filter(|(field, _)| !goes(field)) {
            fields.push(field.clone());
            kept.push(if value == Value::Null { field.schema.default.clone().unwrap_or(value) } else { value });
        }
        let schema = schema.edit().optional_if(false).default(None).kind(Kind::Struct(fields)).build();
        Payload::Value(schema, Value::Struct(kept))
    }
}

fn is_envelope(schema: &Schema) -> bool {
    schema.name.as_deref().is_some_and(|name| name.ends_with(".Envelope"))
}

impl Transform for ExtractNewRecordState {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let last_delete = self.last_delete.take();
        if record.value.is_null() {
            return Ok(self.tombstone(record, last_delete));
        }
        let named = record.value.schema().is_some_and(|schema| is_envelope(schema));
        let Some(envelope) = Some(&record.value).filter(|_| named).and_then(Envelope::of) else {
            return Ok(Some(record));
        };
        let delete = envelope.is_null("after");
        if !self.headers.is_empty() {
            let added = self.added_headers(&envelope)?;
            if delete && self.mode == DeleteMode::RewriteWithTombstone {
                self.last_delete = Some((record.topic.clone(), added.clone()));
            }
            record.headers.extend(added);
        }
        if delete && (envelope.is_null("before") || self.mode == DeleteMode::Drop) {
            return Ok(None);
        }
        if let Some(topic) = self.route(&envelope, delete)? {
            record.topic = topic;
        }
        let dropped = self.dropped(&record.headers)?;
        if self.drop_from_key && !dropped.is_empty() {
            record.key = self.narrow_key(record.key, &dropped);
        }
        record.value = match (delete, self.mode) {
            (true, DeleteMode::DeleteToTombstone) => Payload::Null,
            (true, DeleteMode::Tombstone) => {
                let at = envelope.schema().field("before").ok_or_else(|| TransformError::NoField("before".into()))?;
                Payload::NullOf(envelope.schema().fields()[at].schema.clone())
            }
            _ => {
                envelope.check_whole(&self.fields)?;
                let flat = self.flat(&envelope, delete, &dropped)?;
                match (&*flat, envelope) {
                    (Flat::View(view), Envelope::Raw(decoded)) => Payload::View(view.clone(), decoded),
                    (Flat::Values(plan, schema), Envelope::Value(_, value)) => {
                        Payload::Value(schema.clone(), plan.value(&value))
                    }
                    // Cannot happen: a cache key belongs to raw changes or to values, never to both.
                    _ => return Err(TransformError::StructMismatch),
                }
            }
        };
        Ok(Some(record))
    }
}
