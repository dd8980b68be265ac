//! Reads the cases of `tests/data/avro`: Connect schemas in the form that JsonConverter writes, and what Java made of
//! them.

use std::sync::Arc;

use record::{Schema, Value, unhex};
use serde_json::Value as Json;
use settings::Properties;

pub(super) use crate::convert::tests::answers::{schema, value};

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
