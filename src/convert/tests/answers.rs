//! Reads cases of `tests/data`: Connect schemas in the form that JsonConverter writes, values, and what Java made of them.

use std::sync::Arc;

use record::{Kind, Logical, Payload, Schema, Value, unhex};
use serde_json::Value as Json;
use settings::Properties;

/// A question that Java was asked.
pub(in crate::convert) struct Case {
    /// The line of the file, for messages.
    pub(in crate::convert) line: String,
    /// The whole line: the question and the answers.
    pub(in crate::convert) json: Json,
    /// The converter's settings.
    pub(in crate::convert) options: Properties,
    /// None stands for a record without a schema.
    pub(in crate::convert) schema: Option<Arc<Schema>>,
    /// The value, where Java was asked about one.
    pub(in crate::convert) value: Option<Value>,
}

/// All cases of a file below `tests/data`.
pub(in crate::convert) fn read(name: &str) -> Vec<Case> {
    let path = format!("{}/tests/data/{name}", env!("CARGO_MANIFEST_DIR"));
    let text = std::fs::read_to_string(path).unwrap();
    text.lines().map(Case::of).collect()
}

impl Case {
    fn of(line: &str) -> Self {
        let json: Json = serde_json::from_str(line).unwrap();
        let options = json["options"].as_object().into_iter().flatten();
        let of = (!json["schema"].is_null()).then(|| schema(&json["schema"]));
        Self {
            line: line.to_owned(),
            options: options.map(|(name, value)| (name.as_str(), value.as_str().unwrap())).collect(),
            value: json.get("value").zip(of.as_ref()).map(|(json, schema)| value(schema, json)),
            schema: of,
            json,
        }
    }

    /// The record's value.
    pub(in crate::convert) fn payload(&self) -> Payload<'static> {
        match (&self.schema, &self.value) {
            (None, _) => Payload::Null,
            (Some(schema), None | Some(Value::Null)) => Payload::NullOf(Arc::clone(schema)),
            (Some(schema), Some(value)) => Payload::Value(Arc::clone(schema), value.clone()),
        }
    }

    /// The answer to one question: a text, nothing, or why there is none. None: Java was not asked.
    pub(in crate::convert) fn answer(&self, name: &str) -> Option<Result<Option<String>, String>> {
        if let Some(error) = self.json.get(format!("{name}_error")) {
            return Some(Err(error.as_str().unwrap().to_owned()));
        }
        self.json.get(name).map(|answer| Ok(answer.as_str().map(str::to_owned)))
    }
}

/// A schema of its JSON.
pub(in crate::convert) fn schema(json: &Json) -> Arc<Schema> {
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
pub(in crate::convert) fn value(schema: &Schema, json: &Json) -> Value {
    if json.is_null() {
        return Value::Null;
    }
    if let Logical::Decimal { .. } = schema.logical {
        let digits = json["unscaled"].as_str().unwrap();
        let (negative, digits) = digits.strip_prefix('-').map_or((false, digits), |digits| (true, digits));
        return Value::Decimal {
            unscaled: record::unscaled_of(digits.as_bytes(), negative),
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

/// Bytes as hexadecimal digits.
pub(in crate::convert) fn hex(bytes: &[u8]) -> String {
    let digit = |nibble: u8| char::from_digit(u32::from(nibble), 16).unwrap();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Where two texts begin to differ.
pub(in crate::convert) fn first_difference(made: &str, expect: &str) -> String {
    let at = made.bytes().zip(expect.bytes()).take_while(|(one, other)| one == other).count();
    let around = |text: &str| {
        String::from_utf8_lossy(&text.as_bytes()[at.saturating_sub(80)..text.len().min(at + 80)]).into_owned()
    };
    format!("  wanted …{}…\n  made   …{}…", around(expect), around(made))
}
