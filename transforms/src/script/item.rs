//! The values of expressions. What belongs to the record is borrowed and read only when an expression asks for it.
//!
//! Must not know: syntax, dialects, methods.

use std::ops::Deref;
use std::rc::Rc;
use std::sync::Arc;

use record::{Field, Header, Headers, Schema, Value};
use settings::JavaSearch;

use super::bindings::{Struct, stored};
use super::number::Number;

/// A text, borrowed from the record or the expression where it can be.
#[derive(Clone, Debug)]
pub(crate) enum Text<'a> {
    Borrowed(&'a str),
    Made(Rc<str>),
}

impl Deref for Text<'_> {
    type Target = str;

    fn deref(&self) -> &str {
        match self {
            Self::Borrowed(text) => text,
            Self::Made(text) => text,
        }
    }
}

impl From<String> for Text<'_> {
    fn from(text: String) -> Self {
        Self::Made(text.into())
    }
}

/// A value.
#[derive(Clone, Debug)]
pub(crate) enum Item<'a> {
    /// JavaScript's `undefined`.
    Undefined,
    Null,
    Bool(bool),
    Number(Number),
    Text(Text<'a>),
    /// A Groovy text with values in it (GString): it equals a String, but is none.
    Template(Text<'a>),
    /// `java.util.Date`: milliseconds since 1970.
    Date(i64),
    /// BYTES; expressions can only ask whether they are there.
    Bytes,
    List(List<'a>),
    Map(Map<'a>),
    /// Whole numbers from the first to the last, both included; it may go down.
    Range(i64, i64),
    /// What `text =~ regex` gives.
    Matcher(&'a JavaSearch, Text<'a>),
    Struct(Struct<'a>),
    Schema(&'a Arc<Schema>),
    /// The fields of a struct's schema: a list of them, and a map by their names.
    Fields(&'a Schema),
    /// A field of a schema, and its index.
    Field(&'a Field, usize),
    /// A value of the enum `Schema.Type`, such as `STRUCT`.
    Type(&'static str),
    Headers(&'a Headers<'a>),
    Header(&'a Header<'a>),
}

/// A list: of the record, or made by the expression.
#[derive(Clone, Debug)]
pub(crate) enum List<'a> {
    Stored(&'a Arc<Schema>, &'a [Value]),
    Made(Rc<[Item<'a>]>),
}

impl<'a> List<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Stored(_, values) => values.len(),
            Self::Made(items) => items.len(),
        }
    }

    pub(crate) fn get(&self, at: usize) -> Option<Item<'a>> {
        match self {
            Self::Stored(schema, values) => values.get(at).map(|value| stored(schema, value)),
            Self::Made(items) => items.get(at).cloned(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = Item<'a>> + '_ {
        (0..self.len()).filter_map(|at| self.get(at))
    }
}

/// A map: of the record, or made by the expression.
#[derive(Clone, Debug)]
pub(crate) enum Map<'a> {
    Stored { key: &'a Arc<Schema>, value: &'a Arc<Schema>, entries: &'a [(Value, Value)] },
    Made(Rc<[(Item<'a>, Item<'a>)]>),
}

impl<'a> Map<'a> {
    pub(crate) fn len(&self) -> usize {
        match self {
            Self::Stored { entries, .. } => entries.len(),
            Self::Made(entries) => entries.len(),
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Item<'a>, Item<'a>)> + '_ {
        (0..self.len()).map(|at| match self {
            Self::Stored { key, value, entries } => (stored(key, &entries[at].0), stored(value, &entries[at].1)),
            Self::Made(entries) => entries[at].clone(),
        })
    }

    /// The value under a text key.
    pub(crate) fn get(&self, name: &str) -> Option<Item<'a>> {
        let is = |key: &Item<'_>| matches!(key, Item::Text(text) if **text == *name);
        self.iter().find(|(key, _)| is(key)).map(|(_, value)| value)
    }
}

/// What kind of value something is, so far as members depend on it. Of an expression, it may be known before any record is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Not known before there is a record.
    Any,
    Nothing,
    Bool,
    Number,
    Text,
    Date,
    Bytes,
    List,
    Map,
    Range,
    Matcher,
    Struct,
    Schema,
    Fields,
    Field,
    Type,
    Headers,
    Header,
}

impl Kind {
    /// The kind's name in messages.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Any => "a value",
            Self::Nothing => "null",
            Self::Bool => "a boolean",
            Self::Number => "a number",
            Self::Text => "a text",
            Self::Date => "a date",
            Self::Bytes => "bytes",
            Self::List => "a list",
            Self::Map => "a map",
            Self::Range => "a range",
            Self::Matcher => "the result of =~",
            Self::Struct => "a struct",
            Self::Schema => "a schema",
            Self::Fields => "the fields of a schema",
            Self::Field => "a field of a schema",
            Self::Type => "a type of a schema",
            Self::Headers => "the headers",
            Self::Header => "a header",
        }
    }
}

impl<'a> Item<'a> {
    /// A text of the expression or the record.
    pub(crate) fn text(text: &'a str) -> Self {
        Self::Text(Text::Borrowed(text))
    }

    pub(crate) fn made(text: String) -> Self {
        Self::Text(text.into())
    }

    pub(crate) fn list(items: Vec<Item<'a>>) -> Self {
        Self::List(List::Made(items.into()))
    }

    pub(crate) fn count(count: usize) -> Self {
        Self::Number(Number::count(count))
    }

    /// An optional schema or text: null when there is none.
    pub(crate) fn or_null(item: Option<Self>) -> Self {
        item.unwrap_or(Self::Null)
    }

    pub(crate) fn is_null(&self) -> bool {
        matches!(self, Self::Null | Self::Undefined)
    }

    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Undefined | Self::Null => Kind::Nothing,
            Self::Bool(_) => Kind::Bool,
            Self::Number(_) => Kind::Number,
            Self::Text(_) | Self::Template(_) => Kind::Text,
            Self::Date(_) => Kind::Date,
            Self::Bytes => Kind::Bytes,
            Self::List(_) => Kind::List,
            Self::Map(_) => Kind::Map,
            Self::Range(..) => Kind::Range,
            Self::Matcher(..) => Kind::Matcher,
            Self::Struct(_) => Kind::Struct,
            Self::Schema(_) => Kind::Schema,
            Self::Fields(_) => Kind::Fields,
            Self::Field(..) => Kind::Field,
            Self::Type(_) => Kind::Type,
            Self::Headers(_) => Kind::Headers,
            Self::Header(_) => Kind::Header,
        }
    }

    /// The name of the value's Java class, as messages show it.
    pub(crate) fn class(&self) -> &'static str {
        match self {
            Self::Undefined => "undefined",
            Self::Null => "null",
            Self::Bool(_) => "java.lang.Boolean",
            Self::Number(number) => number.class(),
            Self::Text(_) => "java.lang.String",
            Self::Template(_) => "org.codehaus.groovy.runtime.GStringImpl",
            Self::Date(_) => "java.util.Date",
            Self::Bytes => "java.nio.ByteBuffer",
            Self::List(_) | Self::Fields(_) => "java.util.ArrayList",
            Self::Map(_) | Self::Headers(_) => "java.util.HashMap",
            Self::Range(..) => "groovy.lang.IntRange",
            Self::Matcher(..) => "java.util.regex.Matcher",
            Self::Struct(_) => "org.apache.kafka.connect.data.Struct",
            Self::Schema(_) => "org.apache.kafka.connect.data.ConnectSchema",
            Self::Field(..) => "org.apache.kafka.connect.data.Field",
            Self::Type(_) => "org.apache.kafka.connect.data.Schema$Type",
            Self::Header(_) => "io.debezium.transforms.scripting.RecordHeader",
        }
    }
}
