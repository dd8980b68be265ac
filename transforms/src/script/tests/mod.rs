//! Tables of expressions and what they give.
//!
//! Purpose: each rule of the languages is a row, so that a missing one is seen and a new one costs a line.
//!
//! Must not know: how anything is evaluated.

mod bounds;
mod groovy;
mod javascript;
mod refusals;
mod sample;
mod speed;

use super::{Expression, Language, Outcome};
use crate::example::with_record;

/// An update of a row with columns of many types.
const UPDATE: &str = r#"{"topic": "srv.inventory.orders", "key": {"id": 1103},
  "headers": [["idh", 0], ["idh", 1], ["name", "h"]],
  "value": {"op": "u",
    "before": {"id": 2, "small": 2, "big": 2, "amount": "2.00", "price": 2.5, "status": "old", "active": false, "flags": "{}",
      "email": "a@test.com", "name": "srv1", "country": {"value": "UK"}, "tags": ["a", "b"], "nothing": null, "tenant_id": 51,
      "count": 5, "blank": "", "at": 5000},
    "after": {"id": 2, "small": 2, "big": 2, "amount": "1500.00", "price": 0.0, "status": "shipped", "active": true,
      "flags": "{x}", "email": "A@Example.com", "name": "srv1", "country": {"value": "UK"}, "tags": ["a", "b"],
      "nothing": null, "tenant_id": 51, "count": null, "blank": "", "at": 9000}},
  "types": {"before.small": "int16", "before.big": "int64", "before.amount": "decimal(2)", "before.nothing": "int32?",
    "after.small": "int16", "after.big": "int64", "after.amount": "decimal(2)", "after.nothing": "int32?",
    "before.count": "int32?=7", "after.count": "int32?=7",
    "before.at": "int64 org.apache.kafka.connect.data.Timestamp", "after.at": "int64 org.apache.kafka.connect.data.Timestamp"}}"#;
/// A delete of such a row.
const DELETE: &str = r#"{"topic": "srv.inventory.orders", "key": {"id": 2},
  "value": {"op": "d", "before": {"id": 2, "amount": 5, "status": "old"}}}"#;
/// A row without an envelope, as behind unwrap.
const FLAT: &str =
    r#"{"topic": "srv.inventory.orders", "key": {"id": 2}, "value": {"id": 2, "status": "FAILED", "class": "x"}}"#;
/// A record whose key is a number, as behind ExtractField.
const BARE: &str = r#"{"topic": "t", "key": 7, "value": {"id": 2}}"#;
const TOMBSTONE: &str = r#"{"topic": "srv.inventory.orders", "key": {"id": 2}, "value": null}"#;
const HEARTBEAT: &str = r#"{"topic": "__debezium-heartbeat.srv", "key": {"serverName": "srv"}, "value": {"ts_ms": 1}}"#;

fn record(name: &str) -> &'static str {
    match name {
        "update" => UPDATE,
        "delete" => DELETE,
        "flat" => FLAT,
        "bare" => BARE,
        "tombstone" => TOMBSTONE,
        "heartbeat" => HEARTBEAT,
        other => panic!("there is no record {other}"),
    }
}

/// What an expression gives on a record: `true`, `'text'`, `null`, `<class>`, `fails: why` or `refused: why`. The record is
/// tried as a raw change and as owned values, which must give the same.
fn result(language: Language, source: &str, on: &str) -> String {
    let expression = match Expression::new(language, source) {
        Ok(expression) => expression,
        Err(message) => {
            let prefix = format!("Failed to parse expression '{source}': ");
            let why = message.strip_prefix(&prefix).unwrap_or_else(|| panic!("{message}"));
            return format!("refused: {why}");
        }
    };
    let once = |owned| {
        // Twice, because the place of a field is remembered.
        let results =
            with_record(record(on), owned, |record| [expression.evaluate(record), expression.evaluate(record)]);
        assert_eq!(results[0], results[1], "{source}");
        match &results[0] {
            Ok(Outcome::Null) => "null".to_owned(),
            Ok(Outcome::Bool(truth)) => truth.to_string(),
            Ok(Outcome::Text(text)) => format!("'{text}'"),
            Ok(Outcome::Other(class)) => format!("<{}>", class.rsplit('.').next().unwrap_or(class)),
            Err(why) => format!("fails: {why}"),
        }
    };
    let (raw, owned) = (once(false), once(true));
    assert_eq!(raw, owned, "{source}: a raw change and its values differ");
    raw
}

/// Checks lines of the form `expression => result`, each on this record.
#[track_caller]
pub(super) fn check(language: Language, on: &str, table: &[(&str, &str)]) {
    let mut wrong = Vec::new();
    for (source, expect) in table {
        let found = result(language, source, on);
        if found != *expect {
            wrong.push(format!("{source}\n  gives  {found}\n  wanted {expect}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
