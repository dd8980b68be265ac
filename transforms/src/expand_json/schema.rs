//! Infers the schema of a JSON tree. Schemas are found by what they are made of, so those of a form that was seen before are
//! neither built nor looked up among all schemas of the process.
//!
//! Must not know: the values.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use record::{Adjustment, Field, Kind, Schema, adjust_field_name};

use super::node::Node;
use super::{NotExpanded, Nulls};

/// The number of schemas that are kept. When there are more, all are forgotten.
const KEPT: usize = 4096;

/// The most fields of a struct: a view refers to a field by an index of 16 bits.
const MOST_FIELDS: usize = 1 << 16;

/// Infers schemas and keeps them.
#[derive(Debug)]
pub(super) struct Schemas {
    nulls: Nulls,
    names: Adjustment,
    text: Arc<Schema>,
    truth: Arc<Schema>,
    int32: Arc<Schema>,
    int64: Arc<Schema>,
    float64: Arc<Schema>,
    bytes: Arc<Schema>,
    /// Arrays, by the id of the elements' schema.
    arrays: HashMap<u32, Arc<Schema>>,
    /// Structs, by their name and their fields' names and ids of schemas.
    structs: HashMap<Vec<u8>, Arc<Schema>>,
    /// What several schemas of an array's elements became, by their ids.
    merged: HashMap<Vec<u32>, Arc<Schema>>,
}

/// The name that a struct has: that of the root, and the names of the fields on the way to the struct, with points between.
/// What is inside of an array in an array has no root.
struct Path {
    text: String,
    is_name: bool,
}

/// What a path was before a field was entered.
struct Outside {
    length: usize,
    is_name: bool,
    /// A blank text, which does not stand before the names of fields.
    blank: Option<String>,
}

impl Path {
    fn enter(&mut self, field: &str) -> Outside {
        let mut outside = Outside { length: self.text.len(), is_name: self.is_name, blank: None };
        if self.text.trim().is_empty() {
            outside.blank = Some(std::mem::take(&mut self.text));
        } else {
            self.text.push('.');
        }
        self.text.push_str(field);
        self.is_name = true;
        outside
    }

    fn back(&mut self, outside: Outside) {
        match outside.blank {
            Some(blank) => self.text = blank,
            None => self.text.truncate(outside.length),
        }
        self.is_name = outside.is_name;
    }
}

impl Schemas {
    pub(super) fn new(nulls: Nulls, names: Adjustment) -> Self {
        let of = |kind| Schema::of(kind).optional().build();
        Self {
            nulls,
            names,
            text: of(Kind::String),
            truth: of(Kind::Bool),
            int32: of(Kind::Int32),
            int64: of(Kind::Int64),
            float64: of(Kind::Float64),
            bytes: of(Kind::Bytes),
            arrays: HashMap::new(),
            structs: HashMap::new(),
            merged: HashMap::new(),
        }
    }

    /// The schema of a whole text, which must be an object.
    pub(super) fn infer(&mut self, name: &str, node: &Node<'_>) -> Result<Arc<Schema>, NotExpanded> {
        if self.arrays.len() + self.structs.len() + self.merged.len() > KEPT {
            self.arrays.clear();
            self.structs.clear();
            self.merged.clear();
        }
        let Node::Object(members) = node else { return Err(NotExpanded::Root) };
        self.object(&mut Path { text: name.to_owned(), is_name: true }, members)
    }

    /// The schema of one value; none for what is left out.
    fn schema(&mut self, path: &mut Path, node: &Node<'_>) -> Result<Option<Arc<Schema>>, NotExpanded> {
        Ok(Some(match node {
            Node::Null if self.nulls == Nulls::Ignore => return Ok(None),
            Node::Null => Arc::clone(&self.bytes),
            Node::Bool(_) => Arc::clone(&self.truth),
            Node::Text(_) => Arc::clone(&self.text),
            Node::Int(number) if i32::try_from(*number).is_ok() => Arc::clone(&self.int32),
            Node::Int(_) => Arc::clone(&self.int64),
            Node::Double(_) | Node::Big => Arc::clone(&self.float64),
            Node::Array(items) if items.is_empty() => return Ok(None),
            Node::Array(items) => {
                let element = self.element(path, items)?;
                let array = || Schema::of(Kind::Array(Arc::clone(&element))).optional().build();
                Arc::clone(self.arrays.entry(element.id).or_insert_with(array))
            }
            Node::Object(members) => self.object(path, members)?,
        }))
    }

    fn object(&mut self, path: &mut Path, members: &[(Cow<'_, str>, Node<'_>)]) -> Result<Arc<Schema>, NotExpanded> {
        let mut fields: Vec<(Cow<'_, str>, Arc<Schema>)> = Vec::with_capacity(members.len());
        let mut seen = HashSet::new();
        for (name, node) in members {
            let name = match self.names {
                Adjustment::None => Cow::Borrowed(&**name),
                mode => Cow::Owned(adjust_field_name(mode, name)),
            };
            let outside = path.enter(&name);
            let schema = self.schema(path, node);
            path.back(outside);
            let Some(schema) = schema? else { continue };
            if name.is_empty() {
                return Err(NotExpanded::Nameless);
            }
            // Two names can become the same one by adjustment. Then the first counts.
            if self.names == Adjustment::None || seen.insert(name.clone()) {
                fields.push((name, schema));
            }
        }
        if fields.len() > MOST_FIELDS {
            return Err(NotExpanded::Large);
        }
        let print = print(path, &fields);
        if let Some(known) = self.structs.get(&print) {
            return Ok(Arc::clone(known));
        }
        let mut schema = Schema::of(structure(fields)).optional();
        if path.is_name {
            schema = schema.named(&path.text, None);
        }
        Ok(Arc::clone(self.structs.entry(print).or_insert(schema.build())))
    }

    /// The schema of an array's elements.
    fn element(&mut self, path: &mut Path, items: &[Node<'_>]) -> Result<Arc<Schema>, NotExpanded> {
        let mut there = items.iter().filter(|item| **item != Node::Null);
        let sample = there.next().unwrap_or(&Node::Null);
        if !there.all(|item| self.is_like(sample, item)) {
            return Err(NotExpanded::Mixed);
        }
        if !matches!(sample, Node::Object(_)) {
            let outside = std::mem::replace(path, Path { text: String::new(), is_name: false });
            let schema = self.schema(path, sample);
            *path = outside;
            return schema?.ok_or(NotExpanded::Untyped);
        }
        let (mut different, mut seen): (Vec<Arc<Schema>>, _) = (Vec::new(), HashSet::new());
        for item in items {
            let Node::Object(members) = item else { continue };
            let schema = self.object(path, members)?;
            if seen.insert(schema.id) {
                different.push(schema);
            }
        }
        match &*different {
            [only] => Ok(Arc::clone(only)),
            _ => self.merge(&different),
        }
    }

    /// Whether two elements can be in one array: values of one JSON type, and numbers of one Connect type.
    fn is_like(&self, one: &Node<'_>, other: &Node<'_>) -> bool {
        let number = |node: &Node<'_>| match node {
            Node::Int(number) if i32::try_from(*number).is_ok() => Some(&self.int32),
            Node::Int(_) => Some(&self.int64),
            Node::Double(_) | Node::Big => Some(&self.float64),
            _ => None,
        };
        match (one, other) {
            (Node::Bool(_), Node::Bool(_))
            | (Node::Text(_), Node::Text(_))
            | (Node::Array(_), Node::Array(_))
            | (Node::Object(_), Node::Object(_)) => true,
            _ => number(one).zip(number(other)).is_some_and(|(one, other)| one.id == other.id),
        }
    }

    /// One struct with the fields of all. Of different types of one field the first counts, but a field that was null so far
    /// takes the type of a value.
    fn merge(&mut self, schemas: &[Arc<Schema>]) -> Result<Arc<Schema>, NotExpanded> {
        let ids: Vec<u32> = schemas.iter().map(|schema| schema.id).collect();
        if let Some(known) = self.merged.get(&ids) {
            return Ok(Arc::clone(known));
        }
        let (mut fields, mut places): (Vec<Field>, HashMap<Arc<str>, usize>) = (Vec::new(), HashMap::new());
        for field in schemas.iter().flat_map(|schema| schema.fields()) {
            match places.get(&field.name) {
                None => {
                    places.insert(Arc::clone(&field.name), fields.len());
                    fields.push(field.clone());
                }
                Some(place) if matches!(fields[*place].schema.kind, Kind::Bytes) => {
                    fields[*place].schema = Arc::clone(&field.schema);
                }
                Some(_) => {}
            }
        }
        if fields.len() > MOST_FIELDS {
            return Err(NotExpanded::Large);
        }
        // Not optional any more, as in Debezium.
        let merged = schemas.first().map_or_else(|| Schema::of(Kind::Struct(Vec::new())), |first| first.edit());
        let merged = merged.optional_if(false).kind(Kind::Struct(fields)).build();
        Ok(Arc::clone(self.merged.entry(ids).or_insert(merged)))
    }
}

fn structure(fields: Vec<(Cow<'_, str>, Arc<Schema>)>) -> Kind {
    Kind::Struct(fields.into_iter().map(|(name, schema)| Field { name: (&*name).into(), schema }).collect())
}

/// Bytes that are equal exactly when name and fields are.
fn print(path: &Path, fields: &[(Cow<'_, str>, Arc<Schema>)]) -> Vec<u8> {
    let mut out = Vec::with_capacity(path.text.len() + 16 * fields.len() + 8);
    let mut text = |text: &str| {
        out.extend_from_slice(&(text.len() as u32).to_le_bytes());
        out.extend_from_slice(text.as_bytes());
    };
    text(&path.text);
    for (name, _) in fields {
        text(name);
    }
    for (_, schema) in fields {
        out.extend_from_slice(&schema.id.to_le_bytes());
    }
    out.push(u8::from(path.is_name));
    out
}
