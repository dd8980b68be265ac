//! Replaces values that differ from run to run (times, positions, ids) by a mark of their type, and checks separately
//! what the marks would hide.

use std::collections::BTreeSet;
use std::sync::LazyLock;
use std::time::SystemTime;

use base64::Engine as _;
use fancy_regex::Regex;

use super::json::Json;

/// Fields that hold times, positions, transaction ids or versions.
pub(crate) const VOLATILE: &[&str] = &[
    "ts_ms",
    "ts_us",
    "ts_ns",
    "lsn",
    "sequence",
    "txId",
    "xmin",
    "origin_lsn",
    "version",
    "file",
    "pos",
    "gtid",
    "thread",
    "id@transaction",
    "__ts_ms",
    "__source_ts_ms",
    "__source_ts_us",
    "__source_ts_ns",
    "__ts_us",
    "__ts_ns",
    "__lsn",
    "__source_lsn",
    "__txId",
    "__source_txId",
    "__source_version",
    "__version",
    "__gtid",
    "__file",
    "__pos",
    "__source_file",
    "__source_pos",
    "__source_gtid",
    "__source_sequence",
    "__sequence",
    "lsn_proc",
    "lsn_commit",
    "ts_sec",
    "gtids",
    "event_id",
];

/// Fields that are volatile only inside of a source block or a position. Elsewhere they are columns of the user.
const ONLY_IN_SOURCE: &[&str] = &["version", "file", "pos", "thread", "gtid"];

/// The fields that a Connect schema in JSON may have.
const OF_SCHEMAS: &[&str] =
    &["type", "optional", "field", "name", "version", "default", "parameters", "doc", "items", "keys", "values"];

static UUID: LazyLock<Regex> = LazyLock::new(|| Regex::new(r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$").unwrap());
static STRUCT_TEXT: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(ts_[mun]s|lsn|txId|sequence|version)=(\[[^\]]*\]|[^,}]*)").unwrap());

/// The mark for the type of a value.
pub(crate) fn mark(value: &Json) -> Json {
    match value {
        Json::Null | Json::Bool(_) => value.clone(),
        Json::Number(digits) => Json::text(if digits.contains(['.', 'e', 'E']) { "<float>" } else { "<int>" }),
        Json::Text(_) => Json::text("<str>"),
        Json::List(_) => Json::text("<list>"),
        Json::Map(_) => Json::text("<map>"),
    }
}

fn is_schema(entries: &[(String, Json)], value: &Json) -> bool {
    value.get("type").is_some_and(|t| t.as_text().is_some())
        && (value.get("fields").is_some()
            || value.get("items").is_some()
            || entries.iter().all(|(k, _)| OF_SCHEMAS.contains(&k.as_str())))
}

/// The value with marks in place of volatile parts. `parent` is the name of the field that holds the value.
pub(crate) fn normalise(value: &Json, parent: &str, extra: &BTreeSet<String>) -> Json {
    let entries = match value {
        Json::Map(entries) => entries,
        Json::List(items) => {
            let mut items: Vec<Json> = items.iter().map(|item| normalise(item, parent, extra)).collect();
            if parent == "data_collections" {
                items.sort_by_key(Json::line); // they come in the order of a hash map
            }
            return Json::List(items);
        }
        _ => return value.clone(),
    };
    if is_schema(entries, value) {
        // Everything in a schema is compared, except for the documentation.
        let kept = entries.iter().filter(|(k, _)| k != "doc").map(|(k, v)| {
            let deeper = ["fields", "items", "keys", "values"].contains(&k.as_str());
            (k.clone(), if deeper { normalise(v, k, extra) } else { v.clone() })
        });
        return Json::Map(kept.collect());
    }
    let of_transaction = value.get("status").is_some() && value.get("data_collections").is_some();
    let of_notification = value.get("aggregate_type").is_some() && value.get("additional_data").is_some();
    // The rows of a snapshot that interrupts the stream may or may not show the thread of the stream's last event.
    let of_snapshot = parent == "source" && value.get("snapshot").and_then(Json::as_text).is_some_and(|s| s != "false");
    let is_left_over = of_snapshot && value.get("gtid").and_then(Json::as_text).is_some_and(|g| !g.is_empty());
    let hidden = |k: &str, v: &Json| {
        (VOLATILE.contains(&k) && !(ONLY_IN_SOURCE.contains(&k) && parent != "source" && parent != "position"))
            || extra.contains(k)
            || (k == "id" && (parent == "transaction" || of_transaction))
            || (of_notification && (k == "timestamp" || (k == "id" && is_uuid(v))))
    };
    let marked = entries.iter().map(|(k, v)| {
        let shown = match v {
            _ if is_left_over && k == "thread" => Json::text("<str>"),
            v if hidden(k, v) => mark(v),
            v => normalise(v, k, extra),
        };
        (k.clone(), shown)
    });
    Json::Map(marked.collect())
}

fn is_uuid(value: &Json) -> bool {
    value.as_text().is_some_and(|text| UUID.is_match(text).unwrap())
}

/// The bytes of a key, a value or a header as JSON with marks. Bytes that are not JSON become text or base64.
pub(crate) fn readable(bytes: Option<&[u8]>, extra: &BTreeSet<String>) -> Json {
    let Some(bytes) = bytes else { return Json::Null };
    let Ok(text) = std::str::from_utf8(bytes) else {
        let base64 = base64::engine::general_purpose::STANDARD.encode(bytes);
        return Json::Map(vec![("base64".to_owned(), Json::Text(base64))]);
    };
    if let Some(value) = Json::parse(text) {
        normalise(&value, "", extra)
    } else {
        let text = STRUCT_TEXT.replace_all(text, "$1=<>").into_owned();
        Json::Map(vec![("text".to_owned(), Json::Text(text))])
    }
}

/// The payload of a value with a schema, or the value itself.
pub(crate) fn payload(value: &Json) -> &Json {
    value.get("payload").unwrap_or(value)
}

/// Marks the generated id in the key of a transaction or notification record.
pub(crate) fn mark_made_up_key(key: &mut Json, value: &Json) {
    let value = payload(value);
    let inner = if key.get("payload").is_some() { key.get_mut("payload").unwrap() } else { key };
    let transaction = value.get("status").is_some() && value.get("data_collections").is_some();
    if let Some(id) = inner.get_mut("id")
        && (transaction || (value.get("aggregate_type").is_some() && is_uuid(id)))
    {
        *id = mark(id);
    }
}

/// Checks what the marks would hide. Returns complaints about times that disagree or are not of today, and positions
/// that contradict each other.
pub(crate) fn doubts(bytes: Option<&[u8]>) -> Vec<String> {
    let parsed = bytes.and_then(|b| std::str::from_utf8(b).ok()).and_then(Json::parse);
    let Some(parsed) = parsed else { return Vec::new() };
    let value = payload(&parsed);
    let Some(source) = value.get("source").filter(|s| matches!(s, Json::Map(_))) else { return Vec::new() };
    let int = |block: &Json, name: &str| block.get(name).and_then(Json::as_int);
    let now_s = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_secs_f64();
    let mut out = Vec::new();
    for (what, block) in [("the event", value), ("source", source)] {
        if let (Some(ms), Some(us), Some(ns)) = (int(block, "ts_ms"), int(block, "ts_us"), int(block, "ts_ns")) {
            if us.div_euclid(1000) != ms || ns.div_euclid(1000) != us {
                out.push(format!("ts_ms, ts_us, ts_ns of {what} disagree"));
            }
            // A session of MySQL may set the time of its statements.
            let is_now = what == "the event" || source.get("connector").and_then(Json::as_text) == Some("postgresql");
            if is_now && ms != 0 && (ms as f64 / 1000.0 - now_s).abs() > 86400.0 {
                out.push(format!("ts_ms of {what} is not of today"));
            }
        }
    }
    let streamed = source.get("snapshot").is_none_or(|s| *s == Json::Null || s.as_text() == Some("false"));
    let sequence = source.get("sequence").and_then(Json::as_text).and_then(Json::parse);
    if let (true, Some(lsn), Some(Json::List(pair))) = (streamed, int(source, "lsn"), sequence) {
        let last = pair.get(1).map_or(Some(0), |v| v.as_text().map_or(Some(0), |t| t.parse::<i128>().ok()));
        if pair.len() != 2 || last != Some(lsn) || lsn == 0 {
            out.push("sequence does not end in the lsn".to_owned());
        }
        if let Some(id) = value.get("transaction").and_then(|t| t.get("id")).and_then(Json::as_text) {
            let tx = source.get("txId").map(Json::line).unwrap_or_default();
            if id != format!("{tx}:{lsn}") {
                out.push("transaction.id is not txId:lsn".to_owned());
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expect: &str) {
        assert_eq!(readable(Some(text.as_bytes()), &BTreeSet::new()).line(), expect);
    }

    #[test]
    fn marks_what_differs_and_nothing_else() {
        check(
            r#"{"source":{"lsn":5,"version":"3","db":"d"}}"#,
            r#"{"source": {"db": "d","lsn": "<int>","version": "<str>"}}"#,
        );
        check(r#"{"after":{"version":"mine","id":7}}"#, r#"{"after": {"id": 7,"version": "mine"}}"#);
        check(
            r#"{"type":"int32","optional":false,"version":1,"doc":"x"}"#,
            r#"{"optional": false,"type": "int32","version": 1}"#,
        );
        check(
            r#"{"transaction":{"id":"1:2","total_order":1}}"#,
            r#"{"transaction": {"id": "<str>","total_order": 1}}"#,
        );
        check("Struct{lsn=5,name=a}", r#"{"text": "Struct{lsn=<>,name=a}"}"#);
    }

    #[test]
    fn marks_what_differs_in_mysql() {
        check(
            r#"{"source":{"gtid":"u:1","file":"b.1","pos":4,"row":1,"thread":null,"server_id":1},"after":{"file":"f","gtid":"g"}}"#,
            r#"{"after": {"file": "f","gtid": "g"},"source": {"file": "<str>","gtid": "<str>","pos": "<int>","row": 1,"server_id": 1,"thread": null}}"#,
        );
        check(
            r#"{"source":{"gtid":"u:1","thread":null,"snapshot":"last"}}"#,
            r#"{"source": {"gtid": "<str>","snapshot": "last","thread": "<str>"}}"#,
        );
        check(
            r#"{"position":{"ts_sec":1,"file":"b","pos":4,"gtids":"u:1-2","snapshot":true}}"#,
            r#"{"position": {"file": "<str>","gtids": "<str>","pos": "<int>","snapshot": true,"ts_sec": "<int>"}}"#,
        );
    }

    #[test]
    fn doubts_what_cannot_be() {
        let doubted = |text: &str| doubts(Some(text.as_bytes())).join("; ");
        assert_eq!(
            doubted(r#"{"source":{"connector":"postgresql","ts_ms":1,"ts_us":1000,"ts_ns":1000000}}"#),
            "ts_ms of source is not of today"
        );
        assert_eq!(doubted(r#"{"source":{"connector":"mysql","ts_ms":1,"ts_us":1000,"ts_ns":1000000}}"#), "");
        assert_eq!(
            doubted(r#"{"source":{"ts_ms":0,"ts_us":1000,"ts_ns":1000000}}"#),
            "ts_ms, ts_us, ts_ns of source disagree"
        );
        assert_eq!(doubted(r#"{"source":{"lsn":5,"sequence":"[\"3\",\"4\"]"}}"#), "sequence does not end in the lsn");
        assert_eq!(doubted(r#"{"source":{"lsn":4,"sequence":"[null,\"4\"]"}}"#), "");
        assert_eq!(
            doubted(r#"{"source":{"lsn":4,"txId":9,"sequence":"[null,\"4\"]"},"transaction":{"id":"8:4"}}"#),
            "transaction.id is not txId:lsn"
        );
    }
}
