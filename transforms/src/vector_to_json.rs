//! `io.debezium.transforms.VectorToJsonConverter`: makes JSON texts of vectors.
//!
//! Vectors of Debezium's three types become texts of its type `io.debezium.data.Json`, wherever in the structs of a value they
//! are (not in arrays and maps). On the way nulls become the defaults of their fields, as in Debezium.
//!
//! ```json
//! {}
//! {"topic": "srv.public.items", "key": {"id": 1}, "value": {"op": "c", "after": {"id": 1, "v": [1.0, 2.0, 3.5],
//!     "s": {"dimensions": 25, "vector": {"5": 25.0, "1": 10.0}}}},
//!   "types": {"after.v": "array<float64>? io.debezium.data.DoubleVector", "after.s": "struct io.debezium.data.SparseDoubleVector",
//!     "after.s.dimensions": "int16", "after.s.vector": "map<int16,float64>"}}
//! => {"value": {"op": "c", "before": null, "after": {"id": 1, "v": "{ \"values\": [1.0, 2.0, 3.5] }",
//!     "s": "{ \"dimensions\": 25, \"vector\": { \"1\": 10.0, \"5\": 25.0 } }"}},
//!   "types": {"value.after.v": "string? io.debezium.data.Json", "value.before.s": "string io.debezium.data.Json"}}
//! {"topic": "srv.public.items", "key": {"id": 1}, "value": null}
//! => {}
//! ```
//!
//! Must not know: which connectors make vectors.

use std::sync::Arc;

use record::{Cache, Kind, Part, Payload, Record, Schema, Value, ValueRef, View, write_double, write_float, write_int};
use settings::Def;

use crate::structs::java_class;
use crate::table::no_remarks;
use crate::walk::rebuilt;
use crate::{Transform, TransformError};

/// The number of schemas whose vectors are remembered.
const CACHE: usize = 4096;

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.VectorToJsonConverter",
    module: module_path!(),
    summary: "Makes JSON texts of vectors.",
    keys: Def::new(&[]),
    make: |_| Ok(Box::new(VectorToJson { inputs: Cache::new(CACHE) })),
    remarks: no_remarks,
};

/// The vectors of one input, and the view in which they are texts.
#[derive(Debug)]
struct Vectors {
    parts: Vec<Part>,
    view: Arc<View>,
}

#[derive(Debug)]
struct VectorToJson {
    inputs: Cache<u32, Arc<Vectors>>,
}

fn is_vector(schema: &Schema) -> bool {
    matches!(
        schema.name.as_deref(),
        Some("io.debezium.data.DoubleVector" | "io.debezium.data.FloatVector" | "io.debezium.data.SparseDoubleVector")
    )
}

impl VectorToJson {
    fn vectors(&mut self, value: &Payload<'_>) -> Result<Option<Arc<Vectors>>, TransformError> {
        let id = value.id();
        if let Some(place) = self.inputs.place(|known| *known == id, || id) {
            return Ok(Some(Arc::clone(self.inputs.at(place))));
        }
        let Some(whole) = value.part() else { return Ok(None) };
        if !matches!(whole.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::not_a_struct("Value should be a struct", java_class(&whole.schema)));
        }
        let mut parts: Vec<Part> = Vec::new();
        let part = rebuilt(&whole, &mut |_, field| {
            if !is_vector(&field.schema) {
                return Ok(None);
            }
            let json = Schema::of(Kind::String).named("io.debezium.data.Json", Some(1));
            let json = json.optional_if(field.schema.optional).build();
            let slot = value.slots() + parts.len() as u16;
            parts.push(field.clone().or_default());
            Ok(Some(Part::owned(json, slot)))
        })?;
        let view = View::of(part, value.slots() + parts.len() as u16);
        let vectors = Arc::new(Vectors { parts, view });
        self.inputs.insert(id, Arc::clone(&vectors));
        Ok(Some(vectors))
    }
}

/// The JSON text of a vector; null for null.
fn text(cell: &ValueRef<'_>) -> Value {
    let owned;
    let value = match cell {
        ValueRef::Shared(value) => *value,
        ValueRef::Owned(value) => value,
        cell => {
            owned = cell.to_value();
            &owned
        }
    };
    let mut out = Vec::with_capacity(64);
    match value {
        Value::Array(items) => {
            out.extend_from_slice(b"{ \"values\": [");
            separated(&mut out, items, number);
            out.extend_from_slice(b"] }");
        }
        Value::Struct(fields) => {
            let [dimensions, Value::Map(entries)] = &fields[..] else { return Value::Null };
            let mut entries: Vec<&(Value, Value)> = entries.iter().collect();
            entries.sort_by_key(|(place, _)| if let Value::Int(place) = place { *place } else { 0 });
            out.extend_from_slice(b"{ \"dimensions\": ");
            number(&mut out, dimensions);
            out.extend_from_slice(b", \"vector\": { ");
            separated(&mut out, entries, |out, (place, value)| {
                out.push(b'"');
                number(out, place);
                out.extend_from_slice(b"\": ");
                number(out, value);
            });
            out.extend_from_slice(b" } }");
        }
        _ => return Value::Null,
    }
    // Only ASCII was written.
    Value::Text(String::from_utf8(out).unwrap_or_default())
}

fn separated<T>(out: &mut Vec<u8>, items: impl IntoIterator<Item = T>, write: impl Fn(&mut Vec<u8>, T)) {
    for (i, item) in items.into_iter().enumerate() {
        if i > 0 {
            out.extend_from_slice(b", ");
        }
        write(out, item);
    }
}

/// Writes a number as Java does.
fn number(out: &mut Vec<u8>, value: &Value) {
    match value {
        Value::Double(number) => write_double(out, *number),
        Value::Float(number) => write_float(out, *number),
        Value::Int(number) => write_int(out, *number),
        _ => out.extend_from_slice(b"null"),
    }
}

impl Transform for VectorToJson {
    fn apply<'a>(&mut self, mut record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        if record.value.is_null() {
            return Ok(Some(record));
        }
        let Some(vectors) = self.vectors(&record.value)? else { return Ok(Some(record)) };
        let frame = record.value.frame();
        let texts: Vec<Value> = vectors.parts.iter().map(|part| part.with(frame, text)).collect();
        record.value = record.value.through(&vectors.view, texts);
        Ok(Some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts() {
        #[track_caller]
        fn check(value: &Value, expect: Option<&str>) {
            assert_eq!(text(&ValueRef::Shared(value)), expect.map_or(Value::Null, Value::text));
        }
        let doubles = |numbers: &[f64]| Value::Array(numbers.iter().map(|number| Value::Double(*number)).collect());
        let floats = |numbers: &[f32]| Value::Array(numbers.iter().map(|number| Value::Float(*number)).collect());
        let sparse = |entries: &[(i64, f64)]| {
            let entry = |(place, number): &(i64, f64)| (Value::Int(*place), Value::Double(*number));
            Value::Struct(vec![Value::Int(5), Value::Map(entries.iter().map(entry).collect())])
        };
        check(&Value::Null, None);
        check(&doubles(&[]), Some(r#"{ "values": [] }"#));
        check(
            &doubles(&[1e10, f64::NAN, -0.0, 0.001, 1e-4]),
            Some(r#"{ "values": [1.0E10, NaN, -0.0, 0.001, 1.0E-4] }"#),
        );
        // What Debezium wrote for a VECTOR of MySQL.
        check(&floats(&[1.0, 2.5, -3e-5]), Some(r#"{ "values": [1.0, 2.5, -3.0E-5] }"#));
        check(&sparse(&[]), Some(r#"{ "dimensions": 5, "vector": {  } }"#));
        check(&sparse(&[(10, 1.0), (2, 1.5)]), Some(r#"{ "dimensions": 5, "vector": { "2": 1.5, "10": 1.0 } }"#));
    }

    #[test]
    fn where_vectors_are() {
        crate::example::check(
            KIND.class,
            r#"{}
            {"topic": "t", "value": {"none": null, "deep": {"v": [0.5], "n": null}, "list": [[1.0]], "plain": [2.0]},
             "types": {"none": "array<float32>? io.debezium.data.FloatVector", "deep.v": "array<float32> io.debezium.data.FloatVector",
                "deep.n": "int32?=4", "list.[]": "array<float64> io.debezium.data.DoubleVector", "plain": "array<float64>"}}
            => {"value": {"none": null, "deep": {"v": "{ \"values\": [0.5] }", "n": 4}, "list": [[1.0]], "plain": [2.0]},
                "types": {"value.deep.v": "string io.debezium.data.Json", "value.none": "string? io.debezium.data.Json",
                    "value.deep.n": "int32?=4"}}
            {"topic": "t", "value": "text"}
            => fails: Only Struct objects supported for [Value should be a struct], found: java.lang.String"#,
        );
        // The default of a null vector is converted too; as a text it has no default.
        crate::example::check(
            KIND.class,
            r#"{}
            {"topic": "t", "value": {"v": null}, "types": {"v": "array<float64>?=[1.0,2.0] io.debezium.data.DoubleVector"}}
            => {"value": {"v": "{ \"values\": [1.0, 2.0] }"}, "types": {"value.v": "string? io.debezium.data.Json"}}"#,
        );
    }
}
