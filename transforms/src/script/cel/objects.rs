//! The record as CEL sees it: structs and headers whose members are read when they are asked for.
//!
//! Must not know: programs.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use cel::ExecutionError;
use cel::common::traits::{Container, Indexer};
use cel::common::types::{CelBool, CelDouble, CelInt, CelList, CelMap, CelNull, CelString, Type};
use cel::common::value::{CowVal, Val};
use cel::context::VariableResolver;
use record::{Header, Headers, Record, Schema};

use super::super::bindings::{Bindings, Struct, payload};
use super::super::item::{Item, Text};
use super::super::members::header;
use super::super::number::Number;

/// The name of the function in errors of this file, whose messages name no values.
pub(super) const READING: &str = "reading the record";
/// The most steps of one evaluation: a step is a look at a variable, a field or an item, or [`STEP_BYTES`] of its text.
const MOST_STEPS: usize = 1_000_000;
const STEP_BYTES: usize = 64;
/// The most items of a list of the record.
const MOST_ITEMS: usize = 10_000;

/// The type of structs, of headers and of schemas.
static OBJECT: Type = Type::new_unspecified_type("object");

/// The variables of an expression.
pub(super) struct Bound<'a> {
    record: Bindings<'a>,
    steps: AtomicUsize,
}

impl<'a> Bound<'a> {
    pub(super) fn new(record: &'a Record<'a>) -> Self {
        Self { record: Bindings(record), steps: AtomicUsize::new(MOST_STEPS) }
    }

    /// Whether the evaluation has taken too long; its result then does not count.
    pub(super) fn is_exhausted(&self) -> bool {
        self.steps.load(Ordering::Relaxed) == 0
    }
}

impl VariableResolver for Bound<'_> {
    fn resolve<'b>(&'b self, variable: &str) -> Option<CowVal<'b, 'b>> {
        let of = self.record.0;
        let schema = |schema: Option<&'b Arc<Schema>>| Item::or_null(schema.map(Item::Schema));
        let item = match variable {
            "key" => payload(&of.key),
            "value" => payload(&of.value),
            "keySchema" => schema(of.key.schema()),
            "valueSchema" => schema(of.value.schema()),
            "topic" => Item::text(self.record.topic()),
            "header" => Item::Headers(self.record.headers()),
            _ => return None,
        };
        // A variable cannot fail; what cannot be read is left out, and the expression fails.
        value(item, &self.steps).ok().map(CowVal::Owned)
    }
}

fn unreadable(what: &str) -> ExecutionError {
    ExecutionError::function_error(READING, what)
}

fn take(steps: &AtomicUsize, count: usize) -> Result<(), ExecutionError> {
    let left = steps.load(Ordering::Relaxed);
    steps.store(left.saturating_sub(count), Ordering::Relaxed);
    if left > count { Ok(()) } else { Err(unreadable("the expression needs too many steps on this record")) }
}

/// A value of the record as one of CEL's.
fn value<'v>(item: Item<'v>, steps: &'v AtomicUsize) -> Result<Box<dyn Val + 'v>, ExecutionError> {
    take(steps, 1)?;
    Ok(match item {
        Item::Null | Item::Undefined => Box::new(CelNull),
        Item::Bool(truth) => Box::new(CelBool::from(truth)),
        Item::Number(Number::Whole(number, _)) => Box::new(CelInt::from(number)),
        Item::Number(number) => Box::new(CelDouble::from(number.to_double())),
        Item::Date(millis) => Box::new(CelInt::from(millis)),
        Item::Text(text) | Item::Template(text) => {
            take(steps, text.len() / STEP_BYTES)?;
            match text {
                Text::Borrowed(text) => Box::new(CelString::from(text)),
                Text::Made(text) => Box::new(CelString::from(text.to_string())),
            }
        }
        Item::List(list) => {
            if list.len() > MOST_ITEMS {
                return Err(unreadable("a list has more items than an expression can look at"));
            }
            let items: Result<Vec<_>, _> = list.iter().map(|item| value(item, steps)).collect();
            Box::new(CelList::from(items?))
        }
        Item::Map(map) => {
            if map.len() > MOST_ITEMS {
                return Err(unreadable("a map has more entries than an expression can look at"));
            }
            let mut entries = std::collections::HashMap::new();
            for (key, of) in map.iter() {
                let Item::Text(key) = key else { return Err(unreadable("the keys of a map must be texts")) };
                entries.insert(key.to_string().into(), value(of, steps)?);
            }
            Box::new(CelMap::from(entries))
        }
        Item::Struct(of) => Box::new(Object { what: What::Struct(of), steps }),
        Item::Schema(of) => Box::new(Object { what: What::Schema(of), steps }),
        Item::Headers(of) => Box::new(Object { what: What::Headers(of), steps }),
        Item::Header(of) => Box::new(Object { what: What::Header(of), steps }),
        Item::Bytes => return Err(unreadable("bytes cannot be read in an expression")),
        other => return Err(unreadable(&format!("{} cannot be read in an expression", other.kind().name()))),
    })
}

/// Something with members.
#[derive(Clone)]
struct Object<'a> {
    what: What<'a>,
    steps: &'a AtomicUsize,
}

#[derive(Clone, Copy)]
enum What<'a> {
    Struct(Struct<'a>),
    Schema(&'a Schema),
    Headers(&'a Headers<'a>),
    Header(&'a Header<'a>),
}

impl fmt::Debug for Object<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("object")
    }
}

impl<'a> Object<'a> {
    fn member(&self, name: &str) -> Result<Item<'a>, ExecutionError> {
        let missing = || ExecutionError::no_such_key(name);
        match self.what {
            What::Struct(of) => of.schema.field(name).map(|at| of.get(at)).ok_or_else(missing),
            What::Headers(of) => header(of, name).ok_or_else(missing),
            What::Header(of) => match name {
                "value" => Ok(payload(&of.value)),
                "schema" => Ok(Item::or_null(of.value.schema().map(Item::Schema))),
                _ => Err(missing()),
            },
            What::Schema(of) => match name {
                "name" => Ok(Item::or_null(of.name.as_deref().map(Item::text))),
                "type" => Ok(Item::text(of.type_name())),
                "optional" => Ok(Item::Bool(of.optional)),
                "version" => Ok(Item::or_null(of.version.map(|v| Item::Number(Number::int(v.into()))))),
                "fields" => Ok(Item::list(of.fields().iter().map(|field| Item::text(&field.name)).collect())),
                _ => Err(missing()),
            },
        }
    }
}

fn name(of: &dyn Val) -> Result<&str, ExecutionError> {
    of.downcast_ref::<CelString>().map(CelString::inner).ok_or_else(|| unreadable("the name of a field must be a text"))
}

impl Val for Object<'_> {
    fn get_type(&self) -> &Type {
        &OBJECT
    }

    fn cel_type() -> &'static Type {
        &OBJECT
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }
}

impl Indexer for Object<'_> {
    fn get<'b, 'v>(&'b self, member: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        value(self.member(name(member)?)?, self.steps).map(CowVal::Owned)
    }

    fn steal<'v>(self: Box<Self>, member: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        value(self.member(name(member)?)?, self.steps)
    }
}

impl Container for Object<'_> {
    fn contains(&self, member: &dyn Val) -> Result<bool, ExecutionError> {
        take(self.steps, 1)?;
        Ok(self.member(name(member)?).is_ok())
    }
}
