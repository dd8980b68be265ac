//! Lists and maps: the type that fits all their items.

use std::sync::Arc;

use record::{Kind, Logical, Schema, Value};

use super::{Literal, NoLiteral, of};
use crate::date_format;

/// The schema that all items met so far have in common.
#[derive(Debug, Default)]
pub(super) struct Common {
    schema: Option<Arc<Schema>>,
    /// There is no such schema.
    none: bool,
}

type Typed = (Arc<Schema>, Value);

/// The place of a numeric type, from the narrowest on.
fn rank(schema: &Schema) -> Option<u8> {
    Some(match schema.kind {
        Kind::Int8 => 0,
        Kind::Int16 => 1,
        Kind::Int32 => 2,
        Kind::Int64 => 3,
        Kind::Float32 => 4,
        Kind::Float64 => 5,
        _ => return None,
    })
}

impl Common {
    pub(super) fn meets(&mut self, item: Option<&Typed>) {
        let Some((new, _)) = item.filter(|_| !self.none) else { return };
        let Some(old) = &self.schema else {
            self.schema = Some(Arc::clone(new));
            return;
        };
        let same_type = old.type_name() == new.type_name();
        let is_collection = matches!(new.kind, Kind::Array(_) | Kind::Map(..));
        match (rank(old), rank(new)) {
            (Some(a), Some(b)) if a > b => return,
            (Some(_), Some(_)) => {}
            _ if same_type && (!is_collection || old.id == new.id) => {}
            _ => {
                self.schema = None;
                self.none = true;
                return;
            }
        }
        self.schema = Some(Arc::clone(new));
    }

    pub(super) fn list(&self, items: Vec<Literal>) -> Result<Typed, NoLiteral> {
        if self.none {
            // Connect has a list whose items have no common schema. Header converters write it as this text.
            return Ok((of(Kind::String), Value::Text(list_text(&items))));
        }
        let items = items.into_iter().map(|item| self.aligned(item)).collect::<Result<_, _>>()?;
        Ok((of(Kind::Array(self.schema())), Value::Array(items)))
    }

    pub(super) fn map(&self, values: &Self, entries: Vec<(Typed, Literal)>) -> Result<Typed, NoLiteral> {
        if self.none || values.none {
            return Ok((of(Kind::String), Value::Text(map_text(&entries))));
        }
        let entry = |(key, value)| Ok((self.aligned(Some(key))?, values.aligned(value)?));
        let entries = entries.into_iter().map(entry).collect::<Result<_, _>>()?;
        Ok((of(Kind::Map(self.schema(), values.schema())), Value::Map(entries)))
    }

    /// The common schema; of nothing but nulls, any optional one.
    fn schema(&self) -> Arc<Schema> {
        self.schema.clone().unwrap_or_else(|| Schema::of(Kind::String).optional().build())
    }

    /// The value in the common schema.
    fn aligned(&self, item: Literal) -> Result<Value, NoLiteral> {
        let Some(to) = &self.schema else { return Ok(Value::Null) };
        // The common schema is a required one, so there may be no null beside other items.
        let (from, value) = item.ok_or(NoLiteral)?;
        // A date does not become a number, but a number becomes a date.
        let is_date = matches!(from.logical, Logical::Date | Logical::Time | Logical::Timestamp);
        if is_date && from.logical != to.logical {
            return Err(NoLiteral);
        }
        Ok(match (&to.kind, value) {
            (Kind::Float32, Value::Int(number)) => Value::Float(number as f32),
            (Kind::Float64, Value::Int(number)) => Value::Double(number as f64),
            (Kind::Float64, Value::Float(number)) => Value::Double(f64::from(number)),
            (_, value) => value,
        })
    }
}

/// A list as header converters write it.
fn list_text(items: &[Literal]) -> String {
    let items: Vec<String> = items.iter().map(text).collect();
    format!("[{}]", items.join(","))
}

/// A map as header converters write it.
fn map_text(entries: &[(Typed, Literal)]) -> String {
    let entry = |(key, value): &(Typed, Literal)| format!("{}:{}", typed_text(key), text(value));
    format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(","))
}

fn text(item: &Literal) -> String {
    item.as_ref().map_or_else(|| "null".to_owned(), typed_text)
}

fn typed_text((schema, value): &Typed) -> String {
    let mut out = Vec::new();
    match value {
        Value::Bool(truth) => return truth.to_string(),
        Value::Int(number) => match schema.logical {
            Logical::Date => date_format::write_as_connect(&mut out, number * 86_400_000),
            Logical::Time | Logical::Timestamp => date_format::write_as_connect(&mut out, *number),
            Logical::Plain | Logical::Decimal { .. } => record::write_int(&mut out, *number),
        },
        Value::Float(number) => record::write_float(&mut out, *number),
        Value::Double(number) => record::write_double(&mut out, *number),
        Value::Decimal { unscaled, scale } => record::write_long_decimal(&mut out, unscaled, *scale),
        Value::Text(text) if matches!(schema.kind, Kind::String) => {
            return format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""));
        }
        Value::Array(items) => {
            let Kind::Array(of) = &schema.kind else { return String::new() };
            let items: Vec<Literal> = items.iter().map(|item| literal(of, item)).collect();
            return list_text(&items);
        }
        Value::Map(entries) => {
            let Kind::Map(key, value) = &schema.kind else { return String::new() };
            let entry = |(k, v): &(Value, Value)| ((Arc::clone(key), k.clone()), literal(value, v));
            return map_text(&entries.iter().map(entry).collect::<Vec<_>>());
        }
        Value::Null | Value::Text(_) | Value::Bytes(_) | Value::Struct(_) => return "null".to_owned(),
    }
    String::from_utf8_lossy(&out).into_owned()
}

fn literal(schema: &Arc<Schema>, value: &Value) -> Literal {
    (*value != Value::Null).then(|| (Arc::clone(schema), value.clone()))
}
