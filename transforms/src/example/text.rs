//! Reads examples, and compares records with what they say.
//!
//! Must not know: how records are built.

use std::sync::Arc;

use record::{Kind, Logical, Payload, Record, Schema, Value};
use serde_json::{Map, Value as Json, json};

use super::is_envelope;

/// What becomes of a record.
#[derive(Debug)]
pub(super) enum Outcome {
    Becomes(Json),
    Dropped,
    Fails(String),
}

type Steps = (Map<String, Json>, Vec<(Json, Outcome)>);

/// The options and the records of an example.
pub(super) fn steps(example: &str) -> Result<Steps, String> {
    let mut rest = example.trim_start();
    let Json::Object(options) = next_json(&mut rest)? else { return Err("the options are no object".to_owned()) };
    let mut steps = Vec::new();
    while !rest.is_empty() {
        let record = next_json(&mut rest)?;
        rest = rest.strip_prefix("=>").ok_or_else(|| format!("no => before {rest}"))?.trim_start();
        let outcome = if let Some(after) = rest.strip_prefix("dropped") {
            rest = after.trim_start();
            Outcome::Dropped
        } else if let Some(after) = rest.strip_prefix("fails:") {
            let (message, after) = after.split_once('\n').unwrap_or((after, ""));
            rest = after.trim_start();
            Outcome::Fails(message.trim().to_owned())
        } else {
            Outcome::Becomes(next_json(&mut rest)?)
        };
        steps.push((record, outcome));
    }
    if steps.is_empty() { Err("the example has no record".to_owned()) } else { Ok((options, steps)) }
}

fn next_json(rest: &mut &str) -> Result<Json, String> {
    let mut stream = serde_json::Deserializer::from_str(rest).into_iter::<Json>();
    let json = stream.next().ok_or("the example ends early")?.map_err(|error| format!("{error} in {rest}"))?;
    *rest = rest[stream.byte_offset()..].trim_start();
    Ok(json)
}

/// The record as an example shows it.
pub(super) fn shown(record: &Record<'_>) -> Json {
    let headers: Vec<Json> =
        record.headers.iter().map(|header| json!([&*header.name, payload(&header.value)])).collect();
    json!({
        "topic": &*record.topic,
        "partition": record.partition,
        "timestamp": record.timestamp_ms,
        "key": payload(&record.key),
        "value": payload(&record.value),
        "headers": headers,
    })
}

fn payload(payload: &Payload<'_>) -> Json {
    payload.schema().map_or(Json::Null, |schema| json(schema, &payload.to_value()))
}

/// The JSON of a payload, and its type; `-` without a schema.
pub(super) fn described(payload: &Payload<'_>) -> String {
    let Some(schema) = payload.schema() else { return "-".to_owned() };
    format!(
        "{} {}{}",
        self::payload(payload),
        type_text(schema),
        if schema.schemaless { " without schema" } else { "" }
    )
}

/// A value as JSON: decimals as texts of digits, bytes as text.
fn json(schema: &Schema, value: &Value) -> Json {
    match (&schema.kind, value) {
        (_, Value::Null) => Json::Null,
        (_, Value::Bool(truth)) => json!(truth),
        (_, Value::Int(number)) => json!(number),
        (_, Value::Float(number)) => json!(number),
        (_, Value::Double(number)) => json!(number),
        (_, Value::Text(text)) => json!(text),
        (_, Value::Bytes(bytes)) => match std::str::from_utf8(bytes) {
            Ok(text) if !text.contains(char::is_control) => json!(text),
            _ => json!(bytes.iter().fold("0x".to_owned(), |hex, byte| format!("{hex}{byte:02x}"))),
        },
        (_, Value::Decimal { unscaled, scale }) => json!(decimal(unscaled, *scale)),
        (Kind::Array(of), Value::Array(items)) => items.iter().map(|item| json(of, item)).collect(),
        (Kind::Struct(fields), Value::Struct(values)) => {
            assert_eq!(fields.len(), values.len(), "a struct does not fit its schema");
            let member =
                |(field, value): (&record::Field, &Value)| (field.name.to_string(), json(&field.schema, value));
            Json::Object(fields.iter().zip(values).map(member).collect())
        }
        (Kind::Map(_, of), Value::Map(entries)) => {
            let member = |(key, value): &(Value, Value)| match key {
                Value::Text(key) => (key.clone(), json(of, value)),
                Value::Int(key) => (key.to_string(), json(of, value)),
                other => (format!("{other:?}"), json(of, value)),
            };
            Json::Object(entries.iter().map(member).collect())
        }
        (kind, value) => panic!("{value:?} is no {kind:?}"),
    }
}

fn decimal(unscaled: &[u8], scale: i32) -> String {
    let negative = unscaled.first().is_some_and(|byte| byte & 0x80 != 0);
    let number = unscaled.iter().fold(if negative { -1_i128 } else { 0 }, |n, byte| n << 8 | i128::from(*byte));
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale.max(0) as usize + 1);
    let (whole, fraction) = digits.split_at(digits.len() - scale.max(0) as usize);
    let point = if fraction.is_empty() { "" } else { "." };
    format!("{}{whole}{point}{fraction}", if negative { "-" } else { "" })
}

/// Compares a record with the members that an example names; the others must be those of the record before.
pub(super) fn compare(record: &Record<'_>, given: &Json, expect: &Json) -> Result<(), String> {
    let found = shown(record);
    for member in ["topic", "partition", "timestamp", "key", "value", "headers"] {
        let wanted = expect.get(member).or_else(|| given.get(member));
        let whole = !(is_envelope(if member == "key" { &record.key } else { &record.value }) && member == "value");
        let nothing = if member == "headers" { json!([]) } else { Json::Null };
        let wanted = wanted.unwrap_or(&nothing);
        // As texts, so that the order of the fields counts.
        let (as_wanted, as_found) = (wanted.to_string(), found[member].to_string());
        let same = if whole { as_wanted == as_found } else { includes(&found[member], wanted) };
        if !same {
            return Err(format!("{member} is {}, wanted {wanted}", found[member]));
        }
    }
    for (path, wanted) in expect.get("types").and_then(Json::as_object).into_iter().flatten() {
        let found = type_at(record, path).ok_or_else(|| format!("there is no {path}"))?;
        if wanted != &json!(found) {
            return Err(format!("the type of {path} is {found}, wanted {wanted}"));
        }
    }
    Ok(())
}

/// Whether everything in `part` is in `whole`.
fn includes(whole: &Json, part: &Json) -> bool {
    match (whole, part) {
        (Json::Object(whole), Json::Object(part)) => {
            part.iter().all(|(name, part)| whole.get(name).is_some_and(|whole| includes(whole, part)))
        }
        _ => whole == part,
    }
}

fn type_at(record: &Record<'_>, path: &str) -> Option<String> {
    if let Some(path) = path.strip_suffix("#version") {
        return Some(
            schema_at(record, path)??.version.map_or_else(|| "none".to_owned(), |version| version.to_string()),
        );
    }
    Some(schema_at(record, path)?.map_or_else(|| "none".to_owned(), |schema| type_text(&schema)))
}

/// The schema at a path; none inside if there is no schema, none at all if there is no such path.
#[allow(clippy::option_option, reason = "the two say different things, and only tests ask")]
fn schema_at(record: &Record<'_>, path: &str) -> Option<Option<Arc<Schema>>> {
    let (half, path) = path.split_once('.').unwrap_or((path, ""));
    let payload = match half {
        "key" => &record.key,
        "value" => &record.value,
        header => &record.headers.find(header.strip_prefix("header:")?)?.value,
    };
    let Some(schema) = payload.schema() else { return Some(None) };
    schema_inside(schema, path).map(Some)
}

/// The schema at a path, whose steps may be names with dots.
fn schema_inside(schema: &Arc<Schema>, path: &str) -> Option<Arc<Schema>> {
    if path.is_empty() {
        return Some(Arc::clone(schema));
    }
    let after =
        |step: &str| path.strip_prefix(step).and_then(|rest| rest.strip_prefix('.').or(rest.is_empty().then_some("")));
    match &schema.kind {
        Kind::Array(of) => schema_inside(of, after("[]")?),
        Kind::Map(_, of) => schema_inside(of, after("{}")?),
        _ => schema.fields().iter().find_map(|field| schema_inside(&field.schema, after(&field.name)?)),
    }
}

/// A type as examples write it: `int64?=5 name`.
fn type_text(schema: &Schema) -> String {
    let mut text = match (&schema.kind, schema.logical) {
        (_, Logical::Decimal { scale }) => format!("decimal({scale})"),
        (Kind::Array(of), _) => format!("array<{}>", type_text(of)),
        (Kind::Map(key, value), _) => format!("map<{},{}>", type_text(key), type_text(value)),
        _ => schema.type_name().to_ascii_lowercase(),
    };
    if schema.optional {
        text.push('?');
    }
    if let Some(default) = &schema.default {
        text.push('=');
        text.push_str(&json(schema, default).to_string());
    }
    if let (Some(name), Logical::Plain | Logical::Date | Logical::Time | Logical::Timestamp) =
        (&schema.name, schema.logical)
    {
        text.push(' ');
        text.push_str(name);
    }
    text
}
