//! Members of structs, of schemas and of headers.
//!
//! Must not know: texts, numbers.

use std::sync::Arc;

use record::{Headers, Kind as Stored, Schema};

use super::super::bindings::{self, Struct, stored};
use super::super::item::List;
use super::super::number::Number;
use super::lists::contains_all;
use super::{Call, Failure, Item, Kind, Out, Row, groovy, method};

const S: Kind = Kind::Struct;
const C: Kind = Kind::Schema;
const H: Kind = Kind::Headers;

pub(super) const ROWS: &[Row] = &[
    groovy(S, "get", (1, 1), Kind::Any, |c| get(this(c)?, c.text(0)?)),
    groovy(S, "getWithoutDefault", (1, 1), Kind::Any, |c| Ok(this(c)?.field(field(this(c)?, c.text(0)?)?))),
    groovy(S, "getString", (1, 1), Kind::Text, |c| typed(c, "STRING")),
    groovy(S, "getBoolean", (1, 1), Kind::Bool, |c| typed(c, "BOOLEAN")),
    groovy(S, "getInt8", (1, 1), Kind::Number, |c| typed(c, "INT8")),
    groovy(S, "getInt16", (1, 1), Kind::Number, |c| typed(c, "INT16")),
    groovy(S, "getInt32", (1, 1), Kind::Number, |c| typed(c, "INT32")),
    groovy(S, "getInt64", (1, 1), Kind::Number, |c| typed(c, "INT64")),
    groovy(S, "getFloat32", (1, 1), Kind::Number, |c| typed(c, "FLOAT32")),
    groovy(S, "getFloat64", (1, 1), Kind::Number, |c| typed(c, "FLOAT64")),
    groovy(S, "getStruct", (1, 1), S, |c| typed(c, "STRUCT")),
    groovy(S, "getArray", (1, 1), Kind::List, |c| typed(c, "ARRAY")),
    groovy(S, "getMap", (1, 1), Kind::Map, |c| typed(c, "MAP")),
    groovy(S, "getBytes", (1, 1), Kind::Bytes, |c| typed(c, "BYTES")),
    groovy(S, "schema", (0, 0), C, |c| this(c).map(|this| Item::Schema(this.schema))),
    method(C, "field", (1, 1), Kind::Field, |c| {
        let schema = of_struct(schema(c)?)?;
        let at = schema.field(c.text(0)?);
        Ok(Item::or_null(at.map(|at| Item::Field(&schema.fields()[at], at))))
    }),
    method(C, "fields", (0, 0), Kind::Fields, fields),
    groovy(C, "fields", (0, 0), Kind::Fields, fields).property(),
    method(C, "name", (0, 0), Kind::Text, name),
    groovy(C, "name", (0, 0), Kind::Text, name).property(),
    method(C, "type", (0, 0), Kind::Type, |c| schema(c).map(|schema| Item::Type(schema.type_name()))),
    groovy(C, "type", (0, 0), Kind::Type, |c| schema(c).map(|schema| Item::Type(schema.type_name()))).property(),
    method(C, "version", (0, 0), Kind::Number, version),
    groovy(C, "version", (0, 0), Kind::Number, version).property(),
    method(C, "doc", (0, 0), Kind::Text, |c| schema(c).map(|s| Item::or_null(s.doc.as_deref().map(Item::text)))),
    method(C, "isOptional", (0, 0), Kind::Bool, |c| schema(c).map(|schema| Item::Bool(schema.optional))),
    groovy(C, "optional", (0, 0), Kind::Bool, |c| schema(c).map(|schema| Item::Bool(schema.optional))).property(),
    method(C, "parameters", (0, 0), Kind::Map, parameters),
    groovy(C, "parameters", (0, 0), Kind::Map, parameters).property(),
    method(C, "defaultValue", (0, 0), Kind::Any, default),
    groovy(C, "defaultValue", (0, 0), Kind::Any, default).property(),
    method(C, "valueSchema", (0, 0), C, |c| match &schema(c)?.kind {
        Stored::Array(value) | Stored::Map(_, value) => Ok(Item::Schema(value)),
        _ => Err(Failure::new("Cannot look up value schema on non-array and non-map type")),
    }),
    method(C, "keySchema", (0, 0), C, |c| match &schema(c)?.kind {
        Stored::Map(key, _) => Ok(Item::Schema(key)),
        _ => Err(Failure::new("Cannot look up key schema on non-map type")),
    }),
    method(Kind::Fields, "size", (0, 0), Kind::Number, |c| Ok(Item::count(of_fields(c)?.fields().len()))),
    method(Kind::Fields, "isEmpty", (0, 0), Kind::Bool, |c| Ok(Item::Bool(of_fields(c)?.fields().is_empty()))),
    method(Kind::Fields, "get", (1, 1), Kind::Field, |c| {
        let (schema, at) = (of_fields(c)?, usize::try_from(c.whole(0)?).unwrap_or(usize::MAX));
        let field = schema.fields().get(at).map(|field| Item::Field(field, at));
        field.ok_or_else(|| Failure::new("java.lang.IndexOutOfBoundsException: the schema has no field of this index"))
    }),
    method(Kind::Fields, "keySet", (0, 0), Kind::List, |c| names(c, of_fields(c)?)),
    method(Kind::Fields, "containsKey", (1, 1), Kind::Bool, |c| {
        Ok(Item::Bool(of_fields(c)?.field(c.text(0)?).is_some()))
    }),
    method(Kind::Field, "name", (0, 0), Kind::Text, field_name),
    groovy(Kind::Field, "name", (0, 0), Kind::Text, field_name).property(),
    method(Kind::Field, "schema", (0, 0), C, field_schema),
    groovy(Kind::Field, "schema", (0, 0), C, field_schema).property(),
    method(Kind::Field, "index", (0, 0), Kind::Number, |c| match c.this {
        Item::Field(_, at) => Ok(Item::count(*at)),
        _ => Err(c.no_signature()),
    }),
    method(Kind::Type, "name", (0, 0), Kind::Text, |c| match c.this {
        Item::Type(name) => Ok(Item::text(name)),
        _ => Err(c.no_signature()),
    }),
    method(Kind::Type, "getName", (0, 0), Kind::Text, type_name),
    groovy(Kind::Type, "name", (0, 0), Kind::Text, type_name).property(),
    groovy(H, "get", (1, 1), Kind::Header, |c| Ok(Item::or_null(header(headers(c)?, c.text(0)?)))),
    groovy(H, "containsKey", (1, 1), Kind::Bool, |c| Ok(Item::Bool(has_header(headers(c)?, c.text(0)?)))),
    groovy(H, "isEmpty", (0, 0), Kind::Bool, |c| header_names(c).map(|names| Item::Bool(names.len() == 0))),
    groovy(H, "size", (0, 0), Kind::Number, |c| header_names(c).map(|names| Item::count(names.len()))),
    groovy(H, "keySet", (0, 0), Kind::List, |c| header_names(c).map(Item::List)),
    method(Kind::Header, "value", (0, 0), Kind::Any, header_value).property(),
    method(Kind::Header, "getValue", (0, 0), Kind::Any, header_value),
    method(Kind::Header, "schema", (0, 0), C, header_schema).property(),
    method(Kind::Header, "getSchema", (0, 0), C, header_schema),
    groovy(Kind::List, "containsAll", (1, 1), Kind::Bool, |c| match (c.this, c.argument(0)) {
        (Item::List(all), Item::List(wanted)) => contains_all(c, all, wanted),
        _ => Err(c.no_signature()),
    }),
];

/// The index of a struct's field.
pub(in super::super) fn field(of: &Struct<'_>, name: &str) -> Result<usize, Failure> {
    of.schema.field(name).ok_or_else(|| Failure::new(format!("{name} is not a valid field name")))
}

/// A struct's field, or its default where it is null (`Struct.get`).
pub(in super::super) fn get<'a>(of: &Struct<'a>, name: &str) -> Out<'a> {
    field(of, name).map(|at| of.get(at))
}

impl<'a> Struct<'a> {
    /// The field at this index, or its default where it is null.
    pub(in super::super) fn get(&self, at: usize) -> Item<'a> {
        match (self.field(at), self.schema.fields().get(at)) {
            (Item::Null, Some(field)) => match &field.schema.default {
                Some(default) => stored(&field.schema, default),
                None => Item::Null,
            },
            (item, _) => item,
        }
    }
}

fn this<'c, 'a>(call: &Call<'a, 'c>) -> Result<&'c Struct<'a>, Failure> {
    match call.this {
        Item::Struct(this) => Ok(this),
        _ => Err(call.no_signature()),
    }
}

fn typed<'a>(call: &Call<'a, '_>, wanted: &str) -> Out<'a> {
    let (this, name) = (this(call)?, call.text(0)?);
    let at = field(this, name)?;
    if this.schema.fields()[at].schema.type_name() != wanted {
        return Err(Failure::new(format!("Field '{name}' is not of type {wanted}")));
    }
    Ok(this.get(at))
}

fn schema<'a>(call: &Call<'a, '_>) -> Result<&'a Arc<Schema>, Failure> {
    match call.this {
        Item::Schema(schema) => Ok(schema),
        _ => Err(call.no_signature()),
    }
}

fn of_struct(schema: &Arc<Schema>) -> Result<&Arc<Schema>, Failure> {
    match &schema.kind {
        Stored::Struct(_) => Ok(schema),
        _ => Err(Failure::new("Cannot look up fields on non-struct type")),
    }
}

fn fields<'a>(call: &Call<'a, '_>) -> Out<'a> {
    of_struct(schema(call)?).map(|schema| Item::Fields(schema))
}

fn name<'a>(call: &Call<'a, '_>) -> Out<'a> {
    Ok(Item::or_null(schema(call)?.name.as_deref().map(Item::text)))
}

fn version<'a>(call: &Call<'a, '_>) -> Out<'a> {
    Ok(Item::or_null(schema(call)?.version.map(|version| Item::Number(Number::int(version.into())))))
}

fn default<'a>(call: &Call<'a, '_>) -> Out<'a> {
    let schema = schema(call)?;
    Ok(Item::or_null(schema.default.as_ref().map(|default| stored(schema, default))))
}

fn parameters<'a>(call: &Call<'a, '_>) -> Out<'a> {
    let parameters = &schema(call)?.parameters;
    call.budget.list(parameters.len())?;
    if parameters.is_empty() {
        return Ok(Item::Null);
    }
    let entries: Vec<_> = parameters.iter().map(|(name, value)| (Item::text(name), Item::text(value))).collect();
    Ok(Item::Map(super::super::item::Map::Made(entries.into())))
}

fn of_fields<'a>(call: &Call<'a, '_>) -> Result<&'a Schema, Failure> {
    match call.this {
        Item::Fields(schema) => Ok(schema),
        _ => Err(call.no_signature()),
    }
}

fn names<'a>(call: &Call<'a, '_>, schema: &'a Schema) -> Out<'a> {
    call.budget.list(schema.fields().len())?;
    Ok(Item::list(schema.fields().iter().map(|field| Item::text(&field.name)).collect()))
}

fn field_name<'a>(call: &Call<'a, '_>) -> Out<'a> {
    match call.this {
        Item::Field(field, _) => Ok(Item::text(&field.name)),
        _ => Err(call.no_signature()),
    }
}

fn field_schema<'a>(call: &Call<'a, '_>) -> Out<'a> {
    match call.this {
        Item::Field(field, _) => Ok(Item::Schema(&field.schema)),
        _ => Err(call.no_signature()),
    }
}

/// `Schema.Type.getName()`: in lower case.
fn type_name<'a>(call: &Call<'a, '_>) -> Out<'a> {
    match call.this {
        Item::Type(name) => Ok(Item::made(name.to_ascii_lowercase())),
        _ => Err(call.no_signature()),
    }
}

fn headers<'a>(call: &Call<'a, '_>) -> Result<&'a Headers<'a>, Failure> {
    match call.this {
        Item::Headers(headers) => Ok(headers),
        _ => Err(call.no_signature()),
    }
}

/// The header of this name; the last one, where there are several.
pub(in super::super) fn header<'a>(headers: &'a Headers<'a>, name: &str) -> Option<Item<'a>> {
    headers.iter().filter(|header| *header.name == *name).last().map(Item::Header)
}

/// Whether there is a header of this name.
pub(in super::super) fn has_header(headers: &Headers<'_>, name: &str) -> bool {
    headers.iter().any(|header| *header.name == *name)
}

/// The names of the headers, each once.
fn header_names<'a>(call: &Call<'a, '_>) -> Result<List<'a>, Failure> {
    let headers = headers(call)?;
    let mut names: Vec<&'a str> = Vec::new();
    for header in headers.iter() {
        call.budget.list(1 + names.len() / 64)?;
        if !names.contains(&&*header.name) {
            names.push(&header.name);
        }
    }
    Ok(List::Made(names.into_iter().map(Item::text).collect()))
}

fn header_value<'a>(call: &Call<'a, '_>) -> Out<'a> {
    match call.this {
        Item::Header(header) => Ok(bindings::payload(&header.value)),
        _ => Err(call.no_signature()),
    }
}

fn header_schema<'a>(call: &Call<'a, '_>) -> Out<'a> {
    match call.this {
        Item::Header(header) => Ok(Item::or_null(header.value.schema().map(Item::Schema))),
        _ => Err(call.no_signature()),
    }
}
