//! Reads a payload back from JSON that has its schema beside it, which is what [`JsonConverter::faithful`] writes. Names, types,
//! parameters, defaults and values come back as they were, so that a record can be kept as JSON and go its way later.
//!
//! Must not know: who keeps records, topics.
//!
//! [`JsonConverter::faithful`]: super::JsonConverter::faithful

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use record::{Field, Kind, Logical, Payload, Schema, Value};
use serde_json::{Map, Value as Json};

/// Why a text is no payload with its schema. It names the field and never a value.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("it is no JSON with a schema: {reason}{}", place(.at))]
pub struct Unreadable {
    /// The field, as `after.id`; empty for the whole.
    at: String,
    /// What is wrong.
    reason: &'static str,
}

fn place(at: &str) -> String {
    if at.is_empty() { String::new() } else { format!(" (field {at})") }
}

type Read<T> = Result<T, Unreadable>;

/// Reads a payload; `None` is Kafka's null.
///
/// # Errors
/// When the bytes are no JSON object with `schema` and `payload`, or the payload does not fit the schema.
pub fn read_payload(bytes: Option<&[u8]>) -> Read<Payload<'static>> {
    let Some(bytes) = bytes else { return Ok(Payload::Null) };
    let wrong = |reason| Unreadable { at: String::new(), reason };
    let Ok(Json::Object(mut both)) = serde_json::from_slice(bytes) else { return Err(wrong("it is no JSON object")) };
    let (Some(schema), Some(payload)) = (both.remove("schema"), both.remove("payload")) else {
        return Err(wrong("the members schema and payload are expected"));
    };
    let schema = read_schema(&schema, "")?;
    Ok(match read_value(&schema, payload, "")? {
        Value::Null => Payload::NullOf(schema),
        value => Payload::Value(schema, value),
    })
}

fn below(at: &str, name: &str) -> String {
    if at.is_empty() { name.to_owned() } else { format!("{at}.{name}") }
}

fn read_schema(json: &Json, at: &str) -> Read<Arc<Schema>> {
    let wrong = |reason| Unreadable { at: at.to_owned(), reason };
    let object = json.as_object().ok_or_else(|| wrong("a schema is a JSON object"))?;
    let inner = |name: &str| {
        let schema = object.get(name).ok_or_else(|| wrong("the schema of its items, keys or values is missing"))?;
        read_schema(schema, at)
    };
    let kind = match object.get("type").and_then(Json::as_str) {
        Some("boolean") => Kind::Bool,
        Some("int8") => Kind::Int8,
        Some("int16") => Kind::Int16,
        Some("int32") => Kind::Int32,
        Some("int64") => Kind::Int64,
        Some("float") => Kind::Float32,
        Some("double") => Kind::Float64,
        Some("string") => Kind::String,
        Some("bytes") => Kind::Bytes,
        Some("array") => Kind::Array(inner("items")?),
        Some("map") => Kind::Map(inner("keys")?, inner("values")?),
        Some("struct") => Kind::Struct(fields(object, at)?),
        _ => return Err(wrong("its type is none of Connect's")),
    };
    let text = |name: &str| object.get(name).and_then(Json::as_str);
    let mut schema = Schema::of(kind)
        .optional_if(object.get("optional").and_then(Json::as_bool).unwrap_or(false))
        .name(text("name").map(Arc::from))
        .version(object.get("version").and_then(Json::as_i64).map(|version| version as i32));
    if let Some(doc) = text("doc") {
        schema = schema.doc(doc);
    }
    for (name, value) in object.get("parameters").and_then(Json::as_object).into_iter().flatten() {
        schema = schema.parameter(name, value.as_str().ok_or_else(|| wrong("a parameter is a text"))?);
    }
    let Some(default) = object.get("default").filter(|default| !default.is_null()) else { return Ok(schema.build()) };
    let default = read_value(&schema.clone().build(), default.clone(), at)?;
    Ok(schema.default(Some(default)).build())
}

fn fields(object: &Map<String, Json>, at: &str) -> Read<Vec<Field>> {
    let wrong = |reason| Unreadable { at: at.to_owned(), reason };
    let list = object.get("fields").and_then(Json::as_array).ok_or_else(|| wrong("a struct has fields"))?;
    list.iter()
        .map(|field| {
            let name = field.get("field").and_then(Json::as_str).ok_or_else(|| wrong("a field has a name"))?;
            Ok(Field { name: name.into(), schema: read_schema(field, &below(at, name))? })
        })
        .collect()
}

fn read_value(schema: &Schema, json: Json, at: &str) -> Read<Value> {
    let wrong = |reason| Unreadable { at: at.to_owned(), reason };
    let bytes = |text: &str| STANDARD.decode(text).map_err(|_| wrong("bytes are a text in base64"));
    Ok(match (&schema.kind, json) {
        // Whether a null will do is for those to say who use the record.
        (_, Json::Null) => Value::Null,
        (Kind::Bool, Json::Bool(truth)) => Value::Bool(truth),
        (Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64, Json::Number(number)) => {
            Value::Int(number.as_i64().ok_or_else(|| wrong("a whole number of at most 64 bits is expected"))?)
        }
        (Kind::Float32, json) => Value::Float(real(&json).ok_or_else(|| wrong("a number is expected"))? as f32),
        (Kind::Float64, json) => Value::Double(real(&json).ok_or_else(|| wrong("a number is expected"))?),
        (Kind::String, Json::String(text)) => Value::Text(text),
        (Kind::Bytes, Json::String(text)) => match schema.logical {
            Logical::Decimal { scale } => Value::Decimal { unscaled: bytes(&text)?, scale },
            _ => Value::Bytes(bytes(&text)?),
        },
        (Kind::Array(items), Json::Array(list)) => {
            Value::Array(list.into_iter().map(|item| read_value(items, item, at)).collect::<Read<_>>()?)
        }
        (Kind::Map(keys, values), Json::Object(object)) if matches!(keys.kind, Kind::String) => {
            let entry = |(key, value)| Ok((Value::Text(key), read_value(values, value, at)?));
            Value::Map(object.into_iter().map(entry).collect::<Read<_>>()?)
        }
        (Kind::Map(keys, values), Json::Array(pairs)) => {
            let entry = |pair| match pair {
                Json::Array(mut pair) if pair.len() == 2 => {
                    let (value, key) = (pair.pop().unwrap_or_default(), pair.pop().unwrap_or_default());
                    Ok((read_value(keys, key, at)?, read_value(values, value, at)?))
                }
                _ => Err(wrong("an entry of a map is an array of key and value")),
            };
            Value::Map(pairs.into_iter().map(entry).collect::<Read<_>>()?)
        }
        (Kind::Struct(fields), Json::Object(mut object)) => {
            let value = |field: &Field| {
                // Removing swaps the last member into the place, which nobody minds: fields are found by name.
                let json = object.swap_remove(&*field.name).unwrap_or(Json::Null);
                read_value(&field.schema, json, &below(at, &field.name))
            };
            Value::Struct(fields.iter().map(value).collect::<Read<_>>()?)
        }
        _ => return Err(wrong("the value is of another type than its schema says")),
    })
}

/// A floating-point number; those that JSON has no numbers for are texts.
fn real(json: &Json) -> Option<f64> {
    match json {
        Json::Number(number) => number.as_f64(),
        Json::String(text) => match text.as_str() {
            "NaN" => Some(f64::NAN),
            "Infinity" => Some(f64::INFINITY),
            "-Infinity" => Some(f64::NEG_INFINITY),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::JsonConverter;
    use super::*;

    fn written(payload: &Payload<'_>) -> Vec<u8> {
        let part = payload.part().unwrap();
        let mut out = Vec::new();
        assert!(JsonConverter::faithful().encoder(Some(&part)).unwrap().write(payload, &mut out).unwrap());
        out
    }

    #[track_caller]
    fn check(schema: &Arc<Schema>, value: &Value) {
        let text = written(&Payload::Value(Arc::clone(schema), value.clone()));
        let read = read_payload(Some(&text)).unwrap_or_else(|e| panic!("{e}: {}", String::from_utf8_lossy(&text)));
        assert!(Arc::ptr_eq(read.schema().unwrap(), schema), "{:?} instead of {schema:?}", read.schema());
        // Debug texts, because NaN equals nothing.
        assert_eq!(format!("{:?}", read.to_value()), format!("{value:?}"));
    }

    fn of(kind: Kind) -> Arc<Schema> {
        Schema::of(kind).optional().build()
    }

    #[test]
    fn everything_comes_back() {
        let decimal = Schema::of(Kind::Bytes)
            .named("org.apache.kafka.connect.data.Decimal", Some(1))
            .parameter("scale", "3")
            .parameter("connect.decimal.precision", "9")
            .default(Some(Value::Decimal { unscaled: vec![4, 210], scale: 3 }))
            .optional()
            .build();
        let date = Schema::of(Kind::Int32).named("io.debezium.time.Date", Some(1)).doc("a \"day\"").build();
        let row = Schema::of(Kind::structure([
            ("truth", of(Kind::Bool)),
            ("byte", of(Kind::Int8)),
            ("day", date),
            ("long", Schema::of(Kind::Int64).default(Some(Value::Int(-7))).build()),
            ("float", of(Kind::Float32)),
            ("double", of(Kind::Float64)),
            ("text", Schema::of(Kind::String).default(Some(Value::text("d"))).optional().build()),
            ("bytes", of(Kind::Bytes)),
            ("decimal", decimal),
            ("list", of(Kind::Array(of(Kind::String)))),
            ("map", of(Kind::Map(Schema::of(Kind::String).build(), of(Kind::Int32)))),
            ("pairs", of(Kind::Map(of(Kind::Int32), of(Kind::String)))),
            ("inner", of(Kind::structure([("a", of(Kind::Int32))]))),
        ]))
        .named("p.public.t.Value", Some(2))
        .build();
        let nulls = Value::Struct(row.fields().iter().map(|_| Value::Null).collect());
        // A null stays a null where the schema has a default, and where it allows none.
        check(&row, &nulls);
        let full = Value::Struct(vec![
            Value::Bool(true),
            Value::Int(-128),
            Value::Int(19_000),
            Value::Int(i64::MAX),
            Value::Float(f32::NEG_INFINITY),
            Value::Double(f64::NAN),
            Value::text("é😀\u{0}\"\\\n"),
            Value::Bytes(vec![0, 255, 7]),
            Value::Decimal { unscaled: vec![0xff, 0, 1], scale: 3 },
            Value::Array(vec![Value::text("x"), Value::Null]),
            Value::Map(vec![(Value::text("k"), Value::Int(1)), (Value::text("l"), Value::Null)]),
            Value::Map(vec![(Value::Int(5), Value::text("v")), (Value::Null, Value::Null)]),
            Value::Struct(vec![Value::Int(9)]),
        ]);
        check(&row, &full);
    }

    #[test]
    fn nulls() {
        assert!(matches!(read_payload(None), Ok(Payload::Null)));
        let schema = of(Kind::String);
        let text = written(&Payload::NullOf(Arc::clone(&schema)));
        assert!(matches!(read_payload(Some(&text)), Ok(Payload::NullOf(read)) if Arc::ptr_eq(&read, &schema)));
    }

    #[test]
    fn what_is_no_payload_is_refused_without_its_values() {
        for (text, word) in [
            ("secret", "it is no JSON object"),
            (r#"{"payload":"secret"}"#, "schema and payload"),
            (r#"{"schema":null,"payload":"secret"}"#, "a schema is a JSON object"),
            (r#"{"schema":{"type":"secret"},"payload":1}"#, "its type is none of Connect's"),
            (r#"{"schema":{"type":"int32"},"payload":"secret"}"#, "of another type"),
            (
                r#"{"schema":{"type":"struct","fields":[{"type":"bytes","field":"b"}]},"payload":{"b":"secret!"}}"#,
                "base64 (field b)",
            ),
        ] {
            let error = read_payload(Some(text.as_bytes())).expect_err(text).to_string();
            assert!(error.contains(word) && !error.contains("secret"), "{text}: {error}");
        }
    }

    proptest! {
        #[test]
        fn numbers_come_back(double in any::<f64>(), float in any::<f32>(), text in ".*") {
            check(&of(Kind::Float64), &Value::Double(double));
            check(&of(Kind::Float32), &Value::Float(float));
            check(&of(Kind::String), &Value::Text(text));
        }

        #[test]
        fn nothing_makes_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read_payload(Some(&bytes));
        }
    }
}
