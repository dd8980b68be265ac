//! Reads the cases of `tests/data/avro`: Connect schemas in the form that JsonConverter writes, and what Java made of
//! them.

use std::sync::Arc;

use record::{Kind, Logical, Schema, Value, unhex};
use serde_json::Value as Json;
use settings::Properties;

/// A schema, and what Java answered.
pub(super) struct Case {
    /// The line of the file, for messages.
    pub(super) line: String,
    pub(super) options: Properties,
    /// None stands for a record without a schema.
    pub(super) schema: Option<Arc<Schema>>,
    /// Confluent's document, or why there is none.
    pub(super) confluent: Result<String, String>,
    /// The same of Apicurio's converter.
    pub(super) apicurio: Result<String, String>,
    /// A value, where Java was asked about one.
    pub(super) value: Option<Value>,
    /// The value's bytes, without the id of the schema before them. None: there are no bytes, or Java was not asked.
    pub(super) confluent_bytes: Option<Result<Vec<u8>, String>>,
    /// The same of Apicurio's converter.
    pub(super) apicurio_bytes: Option<Result<Vec<u8>, String>>,
}

/// All cases.
pub(super) fn read() -> Vec<Case> {
    file("documents.jsonl").lines().map(|line| Case::of(line, &serde_json::from_str(line).unwrap())).collect()
}

/// The text of a file.
pub(super) fn file(name: &str) -> String {
    std::fs::read_to_string(format!("{}/tests/data/avro/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

impl Case {
    fn of(line: &str, json: &Json) -> Self {
        let answer = |name: &str| match json[name].as_str() {
            Some(document) => Ok(document.to_owned()),
            None => Err(json[format!("{name}_error")].as_str().unwrap().to_owned()),
        };
        let confluent = answer("confluent");
        // A line without Apicurio's answer stands for the same answer.
        let same = json.get("apicurio").is_none() && json.get("apicurio_error").is_none();
        let apicurio = if same { confluent.clone() } else { answer("apicurio") };
        let bytes = |name: &str| match (&json[name], &json[format!("{name}_error")]) {
            (Json::String(digits), _) => Some(Ok(unhex(digits.as_bytes()).unwrap())),
            (_, Json::String(error)) => Some(Err(error.clone())),
            _ => None,
        };
        let confluent_bytes = bytes("bytes");
        let other = json.get("apicurio_bytes").is_some() || json.get("apicurio_bytes_error").is_some();
        let apicurio_bytes = if other { bytes("apicurio_bytes") } else { confluent_bytes.clone() };
        let of = (!json["schema"].is_null()).then(|| schema(&json["schema"]));
        let options = json["options"].as_object().into_iter().flatten();
        Self {
            line: line.to_owned(),
            options: options.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect(),
            value: json.get("value").zip(of.as_ref()).map(|(json, schema)| value(schema, json)),
            schema: of,
            confluent,
            apicurio,
            confluent_bytes,
            apicurio_bytes,
        }
    }
}

/// A schema of its JSON.
pub(super) fn schema(json: &Json) -> Arc<Schema> {
    let kind = match json["type"].as_str().unwrap() {
        "int8" => Kind::Int8,
        "int16" => Kind::Int16,
        "int32" => Kind::Int32,
        "int64" => Kind::Int64,
        "float" => Kind::Float32,
        "double" => Kind::Float64,
        "boolean" => Kind::Bool,
        "string" => Kind::String,
        "bytes" => Kind::Bytes,
        "array" => Kind::Array(schema(&json["items"])),
        "map" => Kind::Map(schema(&json["keys"]), schema(&json["values"])),
        "struct" => Kind::structure(
            json["fields"].as_array().unwrap().iter().map(|field| (field["field"].as_str().unwrap(), schema(field))),
        ),
        other => panic!("no type {other}"),
    };
    let mut builder = Schema::of(kind).optional_if(json["optional"] == true);
    if let Some(name) = json["name"].as_str() {
        builder = builder.named(name, json["version"].as_i64().map(|version| version as i32));
    }
    if let Some(doc) = json["doc"].as_str() {
        builder = builder.doc(doc);
    }
    for (name, value) in json["parameters"].as_object().into_iter().flatten() {
        builder = builder.parameter(name, value.as_str().unwrap());
    }
    match json.get("default") {
        Some(default) => builder.clone().default(Some(value(&builder.build(), default))).build(),
        None => builder.build(),
    }
}

/// A value of its JSON: bytes as hexadecimal digits, maps as pairs, structs as objects.
pub(super) fn value(schema: &Schema, json: &Json) -> Value {
    if json.is_null() {
        return Value::Null;
    }
    if let Logical::Decimal { .. } = schema.logical {
        let digits: i128 = json["unscaled"].as_str().unwrap().parse().unwrap();
        return Value::Decimal {
            unscaled: record::twos_complement(digits),
            scale: json["scale"].as_i64().unwrap() as i32,
        };
    }
    let list = || json.as_array().unwrap().iter();
    match &schema.kind {
        Kind::Bool => Value::Bool(json.as_bool().unwrap()),
        Kind::Int8 | Kind::Int16 | Kind::Int32 | Kind::Int64 => Value::Int(json.as_i64().unwrap()),
        Kind::Float32 => Value::Float(real(json).parse().unwrap()),
        Kind::Float64 => Value::Double(real(json).parse().unwrap()),
        Kind::String => Value::text(json.as_str().unwrap()),
        Kind::Bytes => Value::Bytes(unhex(json.as_str().unwrap().as_bytes()).unwrap()),
        Kind::Array(items) => Value::Array(list().map(|item| value(items, item)).collect()),
        Kind::Map(keys, values) => {
            Value::Map(list().map(|pair| (value(keys, &pair[0]), value(values, &pair[1]))).collect())
        }
        Kind::Struct(fields) => {
            Value::Struct(fields.iter().map(|field| value(&field.schema, &json[&*field.name])).collect())
        }
    }
}

fn real(json: &Json) -> String {
    json.as_str().map_or_else(|| json.to_string(), str::to_owned)
}
