//! A part of a record: a schema, and where each value under it comes from. A transform builds the parts of its output from
//! the parts of its input, once for each input; no value is touched meanwhile.
//!
//! Must not know: formats, which transforms there are.

use std::sync::Arc;

use crate::{Frame, Kind, Schema, Source, Value, ValueRef};

/// One value, or a field inside of it.
#[derive(Clone, Debug, PartialEq)]
pub struct Leaf {
    /// Where the value comes from.
    pub source: Source,
    /// The way to the field, for a field of a struct that is a value itself: the index of a field at each step.
    pub path: Box<[u16]>,
    /// What a null becomes. It does not apply when the struct around the field is itself null or missing.
    pub or: Option<Arc<Value>>,
}

/// When a struct is there; otherwise it is null.
#[derive(Clone, Debug, PartialEq)]
pub enum Presence {
    /// In every record.
    Always,
    /// When the change has a row before.
    Before,
    /// When the change has a row after.
    After,
    /// When the change has a transaction block.
    Transaction,
    /// When this value is not null.
    Of(Leaf),
}

/// How a value is made.
#[derive(Clone, Debug, PartialEq)]
pub enum Node {
    /// It is read as it is.
    Leaf(Leaf),
    /// A struct, field by field in the order of its schema.
    Struct(Arc<[Node]>, Presence),
}

/// A schema, and how its value is made.
#[derive(Clone, Debug)]
pub struct Part {
    /// The schema of the value.
    pub schema: Arc<Schema>,
    /// How the value is made.
    pub node: Node,
}

impl From<Source> for Leaf {
    fn from(source: Source) -> Self {
        Self { source, path: Box::default(), or: None }
    }
}

impl From<Source> for Node {
    fn from(source: Source) -> Self {
        Self::Leaf(source.into())
    }
}

impl Leaf {
    /// Calls `read` with the value, which is not copied; with null when there is none.
    #[inline]
    pub fn with<R>(&self, frame: Frame<'_>, read: impl FnOnce(&ValueRef<'_>) -> R) -> R {
        if self.path.is_empty() && self.or.is_none() {
            return self.source.with(frame, read);
        }
        self.inside(frame, read)
    }

    fn inside<R>(&self, frame: Frame<'_>, read: impl FnOnce(&ValueRef<'_>) -> R) -> R {
        self.source.with(frame, |cell| {
            let or = |there: bool| match &self.or {
                Some(default) if there => ValueRef::Shared(default),
                _ => ValueRef::Null,
            };
            if self.path.is_empty() {
                return if cell.is_null() { read(&or(self.source.is_there(frame))) } else { read(cell) };
            }
            let mut value = match cell {
                ValueRef::Owned(value) => Some(&**value),
                ValueRef::Shared(value) => Some(*value),
                _ => None,
            };
            let mut there = false;
            for step in &self.path {
                let fields = if let Some(Value::Struct(fields)) = value { Some(fields) } else { None };
                there = fields.is_some();
                value = fields.and_then(|fields| fields.get(usize::from(*step)));
            }
            match value {
                Some(value) if *value != Value::Null => read(&ValueRef::Shared(value)),
                _ => read(&or(there)),
            }
        })
    }

    /// Whether the value is null in this record.
    pub fn is_null(&self, frame: Frame<'_>) -> bool {
        self.with(frame, |cell: &ValueRef<'_>| cell.is_null())
    }

    /// The value, owned.
    pub fn value(&self, frame: Frame<'_>) -> Value {
        self.with(frame, |cell: &ValueRef<'_>| cell.to_value())
    }
}

impl Presence {
    /// Whether the struct is there in this record.
    #[inline]
    pub fn holds(&self, frame: Frame<'_>) -> bool {
        match self {
            Self::Always => true,
            Self::Before => frame.decoded.is_some_and(|decoded| decoded.before.is_some()),
            Self::After => frame.decoded.is_some_and(|decoded| decoded.after.is_some()),
            Self::Transaction => frame.decoded.is_some_and(|decoded| decoded.change.transaction.is_some()),
            Self::Of(leaf) => !leaf.is_null(frame),
        }
    }
}

impl Node {
    /// Whether the value is null in this record.
    pub fn is_null(&self, frame: Frame<'_>) -> bool {
        match self {
            Self::Leaf(leaf) => leaf.is_null(frame),
            Self::Struct(_, presence) => !presence.holds(frame),
        }
    }

    /// The value, owned.
    pub fn value(&self, frame: Frame<'_>) -> Value {
        match self {
            Self::Leaf(leaf) => leaf.value(frame),
            Self::Struct(..) if self.is_null(frame) => Value::Null,
            Self::Struct(fields, _) => Value::Struct(fields.iter().map(|field| field.value(frame)).collect()),
        }
    }
}

impl Part {
    /// A value that is the same in every record.
    pub fn constant(schema: Arc<Schema>, value: Value) -> Self {
        Self { schema, node: Source::Constant(Arc::new(value)).into() }
    }

    /// One of the record's owned values.
    pub fn owned(schema: Arc<Schema>, slot: u16) -> Self {
        Self { schema, node: Source::Owned(slot).into() }
    }

    /// A struct of these fields. `schema` gives everything but the fields: name, version, parameters, whether it is
    /// optional.
    pub fn structure(schema: &Schema, fields: Vec<(Arc<str>, Part)>, presence: Presence) -> Self {
        let nodes = fields.iter().map(|(_, part)| part.node.clone()).collect();
        let field = |(name, part): (Arc<str>, Part)| crate::Field { name, schema: part.schema };
        let kind = Kind::Struct(fields.into_iter().map(field).collect());
        Self { schema: schema.edit().kind(kind).build(), node: Node::Struct(nodes, presence) }
    }

    /// The fields of a struct, in order; nothing for other types.
    pub fn fields(&self) -> impl Iterator<Item = (Arc<str>, Part)> + '_ {
        let part = |(i, field): (usize, &crate::Field)| {
            (Arc::clone(&field.name), Part { schema: Arc::clone(&field.schema), node: self.child(i) })
        };
        self.schema.fields().iter().enumerate().map(part)
    }

    /// A field of a struct, by its name.
    pub fn field(&self, name: &str) -> Option<Part> {
        let at = self.schema.field(name)?;
        Some(Part { schema: Arc::clone(&self.schema.fields()[at].schema), node: self.child(at) })
    }

    fn child(&self, at: usize) -> Node {
        match &self.node {
            Node::Struct(fields, _) => {
                fields.get(at).cloned().unwrap_or(Source::Constant(Arc::new(Value::Null)).into())
            }
            Node::Leaf(leaf) => {
                let path = leaf.path.iter().copied().chain(std::iter::once(at as u16)).collect();
                Node::Leaf(Leaf { source: leaf.source.clone(), path, or: None })
            }
        }
    }

    /// When the struct is there.
    pub fn presence(&self) -> Presence {
        match &self.node {
            Node::Struct(_, presence) => presence.clone(),
            Node::Leaf(_) if !self.schema.optional => Presence::Always,
            Node::Leaf(leaf) => Presence::Of(leaf.clone()),
        }
    }

    /// The same value, but null becomes the default of the schema, if it has one. That is how Connect's `Struct.get`
    /// reads a field, and so what most transforms that copy a struct do.
    #[must_use]
    pub fn or_default(mut self) -> Self {
        if let (Node::Leaf(leaf), Some(default)) = (&mut self.node, &self.schema.default)
            && leaf.or.is_none()
        {
            leaf.or = Some(Arc::new(default.clone()));
        }
        self
    }

    /// Whether the value is null in this record.
    pub fn is_null(&self, frame: Frame<'_>) -> bool {
        self.node.is_null(frame)
    }

    /// The value, owned.
    pub fn value(&self, frame: Frame<'_>) -> Value {
        self.node.value(frame)
    }

    /// Calls `read` with the value, which is not copied unless it is a struct that is made field by field.
    pub fn with<R>(&self, frame: Frame<'_>, read: impl FnOnce(&ValueRef<'_>) -> R) -> R {
        match &self.node {
            Node::Leaf(leaf) => leaf.with(frame, read),
            node @ Node::Struct(..) => read(&ValueRef::Owned(Box::new(node.value(frame)))),
        }
    }

    /// The number of an integer of any width; none for null and for other types.
    pub fn int(&self, frame: Frame<'_>) -> Option<i64> {
        // A closure, because the method's own type is tied to one lifetime.
        #[allow(clippy::redundant_closure_for_method_calls)]
        self.with(frame, |cell| cell.as_int())
    }

    /// Calls `read` with the text of a text value; with none for null and for other types. Only a text that is kept in a
    /// compact form, such as a UUID, is written out for this.
    pub fn with_text<R>(&self, frame: Frame<'_>, read: impl FnOnce(Option<&str>) -> R) -> R {
        self.with(frame, |cell| match cell {
            ValueRef::Text(text) => read(Some(text)),
            ValueRef::Shared(Value::Text(text)) => read(Some(text)),
            ValueRef::Owned(value) => read(if let Value::Text(text) = &**value { Some(text) } else { None }),
            ValueRef::Zoned { .. } | ValueRef::Uuid(_) | ValueRef::Sequence { .. } => {
                let mut out = Vec::with_capacity(36);
                cell.write_text(&mut out);
                read(std::str::from_utf8(&out).ok())
            }
            _ => read(None),
        })
    }

    /// The text of a text value; none for null and for other types.
    pub fn text(&self, frame: Frame<'_>) -> Option<String> {
        self.with(frame, |cell| {
            let mut out = Vec::new();
            let is_text = cell.write_text(&mut out);
            is_text.then(|| String::from_utf8_lossy(&out).into_owned())
        })
    }
}
