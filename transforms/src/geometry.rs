//! Debezium's two transforms of geometries: finding the geometries of a value, and their well-known binary (WKB).
//!
//! Both transforms look at structs named `io.debezium.data.geometry.Geometry` only, wherever in the value they are. Of a
//! geometry only the field `wkb` becomes a value of its own.
//!
//! Must not know: which connectors make geometries.

pub(crate) mod format;
pub(crate) mod swap;
mod wkb;

use std::sync::Arc;

use record::{Cache, Kind, Part, Payload, Schema, Value, ValueRef, View};

use crate::TransformError;
use crate::walk::rebuilt;

const GEOMETRY: &str = "io.debezium.data.geometry.Geometry";
const WKB: &str = "wkb";
const SRID: &str = "srid";

/// The number of schemas whose geometries are remembered.
const CACHE: usize = 4096;

/// What changes the WKB of one geometry: it gets the bytes and the SRID.
type Change<'c> = dyn FnMut(&[u8], Option<i64>) -> Result<Option<Vec<u8>>, TransformError> + 'c;

fn is_geometry(schema: &Schema) -> bool {
    matches!(schema.kind, Kind::Struct(_)) && schema.name.as_deref() == Some(GEOMETRY)
}

/// A computed value of the view.
#[derive(Debug)]
enum Place {
    /// The WKB of a geometry.
    Wkb { whole: Part, wkb: Part, srid: Part },
    /// An array or a map with geometries somewhere inside.
    Inside(Part),
}

/// The geometries of one input, and the view in which their WKBs are computed.
#[derive(Debug)]
struct Geometries {
    places: Vec<Place>,
    view: Arc<View>,
}

impl Geometries {
    /// Finds all geometries; those in arrays and maps only if `everywhere`.
    fn find(value: &Payload<'_>, whole: &Part, everywhere: bool) -> Result<Self, TransformError> {
        let mut places: Vec<Place> = Vec::new();
        let part = rebuilt(whole, &mut |_, field| {
            let slot = value.slots() + places.len() as u16;
            if is_geometry(&field.schema)
                && let (Some(wkb), Some(srid)) = (field.field(WKB), field.field(SRID))
            {
                let with_new = |(name, part): (Arc<str>, Part)| {
                    let part = if *name == *WKB { Part::owned(part.schema, slot) } else { part };
                    (name, part)
                };
                let new = Part::structure(&field.schema, field.fields().map(with_new).collect(), field.presence());
                places.push(Place::Wkb { whole: field.clone(), wkb, srid });
                return Ok(Some(new));
            }
            if everywhere && matches!(field.schema.kind, Kind::Array(_) | Kind::Map(..)) && has_work(&field.schema) {
                places.push(Place::Inside(field.clone().or_default()));
                return Ok(Some(Part::owned(Arc::clone(&field.schema), slot)));
            }
            Ok(None)
        })?;
        let slots = value.slots() + places.len() as u16;
        Ok(Self { places, view: View::of(part, slots) })
    }

    /// The value with the WKB of each geometry changed, in the order of the fields.
    fn change<'a>(&self, value: Payload<'a>, change: &mut Change<'_>) -> Result<Payload<'a>, TransformError> {
        let frame = value.frame();
        let mut computed = Vec::with_capacity(self.places.len());
        for place in &self.places {
            computed.push(match place {
                Place::Wkb { whole, .. } if whole.is_null(frame) => Value::Null,
                Place::Wkb { wkb, srid, .. } => {
                    #[allow(
                        clippy::redundant_closure_for_method_calls,
                        reason = "the method itself is not general enough"
                    )]
                    let srid = srid.with(frame, |cell| cell.as_int());
                    wkb.with(frame, |cell| changed(cell, srid, change))?
                }
                Place::Inside(part) => inside(&part.schema, part.value(frame), change)?,
            });
        }
        Ok(value.through(&self.view, computed))
    }
}

fn changed(wkb: &ValueRef<'_>, srid: Option<i64>, change: &mut Change<'_>) -> Result<Value, TransformError> {
    let owned;
    let bytes = match wkb {
        ValueRef::Bytes(bytes) => bytes,
        ValueRef::Shared(Value::Bytes(bytes)) => bytes.as_slice(),
        other => match other.to_value() {
            Value::Bytes(bytes) => {
                owned = bytes;
                owned.as_slice()
            }
            other => return Ok(other),
        },
    };
    Ok(Value::Bytes(change(bytes, srid)?.unwrap_or_else(|| bytes.to_vec())))
}

/// Whether values of this schema can have geometries inside, or nulls that become defaults.
fn has_work(schema: &Schema) -> bool {
    match &schema.kind {
        Kind::Struct(_) if is_geometry(schema) => true,
        Kind::Struct(fields) => fields.iter().any(|field| field.schema.default.is_some() || has_work(&field.schema)),
        Kind::Array(of) => has_work(of),
        Kind::Map(key, of) => has_work(key) || has_work(of),
        _ => false,
    }
}

/// Changes all geometries inside of an owned value. Nulls in structs become the defaults of their fields, as
/// [`rebuilt`] does it for the structs outside of arrays and maps.
fn inside(schema: &Schema, value: Value, change: &mut Change<'_>) -> Result<Value, TransformError> {
    Ok(match (&schema.kind, value) {
        (Kind::Array(of), Value::Array(items)) => {
            Value::Array(items.into_iter().map(|item| inside(of, item, change)).collect::<Result<_, _>>()?)
        }
        (Kind::Map(key, of), Value::Map(entries)) => {
            let entry = |(name, value)| Ok((inside(key, name, change)?, inside(of, value, change)?));
            Value::Map(entries.into_iter().map(entry).collect::<Result<_, TransformError>>()?)
        }
        (Kind::Struct(_), Value::Struct(mut values)) if is_geometry(schema) => {
            if let (Some(wkb), Some(srid)) = (schema.field(WKB), schema.field(SRID)) {
                let srid = ValueRef::Shared(&values[srid]).as_int();
                values[wkb] = changed(&ValueRef::Shared(&values[wkb]), srid, change)?;
            }
            Value::Struct(values)
        }
        (Kind::Struct(fields), Value::Struct(values)) => {
            let field = |(field, value): (&record::Field, Value)| {
                let value = if value == Value::Null { field.schema.default.clone().unwrap_or(value) } else { value };
                inside(&field.schema, value, change)
            };
            Value::Struct(fields.iter().zip(values).map(field).collect::<Result<_, _>>()?)
        }
        (_, value) => value,
    })
}

/// The geometries of each input that was seen.
#[derive(Debug)]
struct Known {
    everywhere: bool,
    inputs: Cache<u32, Arc<Geometries>>,
}

impl Known {
    fn new(everywhere: bool) -> Self {
        Self { everywhere, inputs: Cache::new(CACHE) }
    }

    /// The geometries of a value; `None` for what is no struct.
    fn of(&mut self, value: &Payload<'_>) -> Result<Option<Arc<Geometries>>, TransformError> {
        let id = value.id();
        if let Some(place) = self.inputs.place(|known| *known == id, || id) {
            return Ok(Some(Arc::clone(self.inputs.at(place))));
        }
        let Some(whole) = value.part().filter(|part| matches!(part.schema.kind, Kind::Struct(_))) else {
            return Ok(None);
        };
        let geometries = Arc::new(Geometries::find(value, &whole, self.everywhere)?);
        self.inputs.insert(id, Arc::clone(&geometries));
        Ok(Some(geometries))
    }
}
