//! One record of the history, as JSON and back.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::json::pretty;
use crate::model::{ChangeKind, Column, Table, TableChange, TableId};

/// A record of the schema history: a statement, where it stood, and the tables that it changed.
#[derive(Clone, Debug, PartialEq)]
pub struct HistoryRecord {
    /// Whose record it is: `server` is the topic prefix.
    pub source: Map<String, Value>,
    /// The offset when the statement was read, in the order in which it is written.
    pub position: Map<String, Value>,
    /// When it was recorded, in milliseconds since 1970.
    pub ts_ms: i64,
    /// The database that the statement is about; empty for the whole server.
    pub database: Option<String>,
    /// The statement.
    pub ddl: Option<String>,
    /// The tables that changed.
    pub changes: Vec<TableChange>,
}

/// A text that is not a record of the history; see [`damaged`].
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is not JSON.
    #[error("a record of the schema history is not JSON: {0}")]
    NotJson(String),
    /// It lacks a part that every record has.
    #[error("a record of the schema history has no usable `{0}`")]
    Lacks(&'static str),
}

impl HistoryRecord {
    /// The record as Debezium writes it.
    pub fn to_json(&self) -> String {
        let mut map = Map::new();
        map.insert("source".into(), Value::Object(self.source.clone()));
        map.insert("position".into(), Value::Object(self.position.clone()));
        map.insert("ts_ms".into(), self.ts_ms.into());
        if let Some(database) = &self.database {
            map.insert("databaseName".into(), database.as_str().into());
        }
        if let Some(ddl) = &self.ddl {
            map.insert("ddl".into(), ddl.as_str().into());
        }
        map.insert("tableChanges".into(), self.changes.iter().map(write_change).collect());
        pretty(&Value::Object(map))
    }

    /// Reads a record that this or the Java connector wrote. What a record may lack may be missing.
    pub fn parse(text: &[u8]) -> Result<Self, Unreadable> {
        let value: Value = serde_json::from_slice(text).map_err(|e| Unreadable::NotJson(e.to_string()))?;
        let object =
            |name: &'static str| value.get(name).and_then(Value::as_object).cloned().ok_or(Unreadable::Lacks(name));
        let text = |name: &str| value.get(name).and_then(Value::as_str).map(str::to_owned);
        let changes = match value.get("tableChanges").and_then(Value::as_array) {
            Some(changes) => changes.iter().map(read_change).collect::<Result<_, _>>()?,
            None => Vec::new(),
        };
        Ok(Self {
            source: object("source")?,
            position: object("position")?,
            ts_ms: value.get("ts_ms").and_then(Value::as_i64).unwrap_or(0),
            database: text("databaseName"),
            ddl: text("ddl"),
            changes,
        })
    }
}

/// Whether a text that cannot be read was once a record of this source. What others left in the topic is none of ours, and
/// Debezium passes over all that it cannot read; but without one of our own records, the tables that it changed would be
/// read wrongly.
pub fn damaged(text: &[u8], source: &Map<String, Value>) -> bool {
    if let Ok(value) = serde_json::from_slice::<Value>(text) {
        return value.get("source").and_then(Value::as_object) == Some(source);
    }
    let text = String::from_utf8_lossy(text);
    text.contains("\"source\"") && source.values().all(|value| text.contains(&value.to_string()))
}

fn write_id(id: &TableId) -> String {
    let quoted = |name: &str| name.replace('"', "\"\"");
    format!("\"{}\".\"{}\"", quoted(&id.database), quoted(&id.table))
}

/// `"db"."table"`, or the same without quotes.
fn read_id(text: &str) -> Option<TableId> {
    let mut parts = vec![String::new()];
    let mut quoted = false;
    let mut chars = text.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '"' if quoted && chars.peek() == Some(&'"') => {
                chars.next();
                parts.last_mut()?.push('"');
            }
            '"' => quoted = !quoted,
            '.' if !quoted => parts.push(String::new()),
            c => parts.last_mut()?.push(c),
        }
    }
    // A name without quotes may itself have dots; the first one ends the database.
    let database = if parts.len() > 1 { parts.remove(0) } else { String::new() };
    Some(TableId { database: database.into(), table: parts.join(".").into() })
}

fn write_change(change: &TableChange) -> Value {
    let kind = match change.kind {
        ChangeKind::Create => "CREATE",
        ChangeKind::Alter => "ALTER",
        ChangeKind::Drop => "DROP",
    };
    let mut map = Map::new();
    map.insert("type".into(), kind.into());
    map.insert("id".into(), write_id(&change.id).into());
    if let Some(previous) = &change.previous {
        map.insert("previousId".into(), write_id(previous).into());
    }
    if let Some(table) = &change.table {
        map.insert("table".into(), write_table(table));
        map.insert("comment".into(), table.comment.as_deref().into());
    }
    Value::Object(map)
}

fn read_change(value: &Value) -> Result<TableChange, Unreadable> {
    let id_of = |name: &str| value.get(name).and_then(Value::as_str).and_then(read_id);
    let id = id_of("id").ok_or(Unreadable::Lacks("id"))?;
    let kind = match value.get("type").and_then(Value::as_str) {
        Some("CREATE") => ChangeKind::Create,
        Some("ALTER") => ChangeKind::Alter,
        Some("DROP") => ChangeKind::Drop,
        _ => return Err(Unreadable::Lacks("type")),
    };
    let table = match value.get("table") {
        Some(table) if kind != ChangeKind::Drop => {
            let mut table = read_table(&id, table)?;
            table.comment = text(value, "comment");
            Some(Arc::new(table))
        }
        _ if kind == ChangeKind::Drop => None,
        _ => return Err(Unreadable::Lacks("table")),
    };
    Ok(TableChange { kind, id, previous: id_of("previousId"), table })
}

fn names(names: &[Arc<str>]) -> Value {
    names.iter().map(|name| Value::from(&**name)).collect()
}

fn write_table(table: &Table) -> Value {
    let columns: Vec<Value> = (1_u32..).zip(&table.columns).map(|(position, c)| write_column(position, c)).collect();
    json!({
        "defaultCharsetName": table.default_charset.as_deref(),
        "primaryKeyColumnNames": names(&table.primary_key),
        "columns": columns,
        "attributes": [],
    })
}

fn write_column(position: u32, column: &Column) -> Value {
    let mut map = Map::new();
    let mut put = |name: &str, value: Value| map.insert(name.to_owned(), value);
    put("name", (*column.name).into());
    put("jdbcType", column.jdbc_type.into());
    put("typeName", (*column.type_name).into());
    put("typeExpression", (*column.type_name).into());
    put("charsetName", column.charset.as_deref().into());
    if let Some(length) = column.length {
        put("length", length.into());
    }
    if let Some(scale) = column.scale {
        put("scale", scale.into());
    }
    put("position", position.into());
    put("optional", column.optional.into());
    put("autoIncremented", column.auto_incremented.into());
    put("generated", column.generated.into());
    put("comment", column.comment.as_deref().into());
    put("hasDefaultValue", column.has_default.into());
    if let Some(default) = column.default.as_deref() {
        put("defaultValueExpression", default.into());
    }
    put("enumValues", names(&column.enum_values));
    Value::Object(map)
}

fn text(value: &Value, name: &str) -> Option<Arc<str>> {
    value.get(name).and_then(Value::as_str).map(Arc::from)
}

fn texts(value: &Value, name: &str) -> Vec<Arc<str>> {
    let items = value.get(name).and_then(Value::as_array);
    items.into_iter().flatten().filter_map(Value::as_str).map(Arc::from).collect()
}

fn read_table(id: &TableId, value: &Value) -> Result<Table, Unreadable> {
    let columns = value.get("columns").and_then(Value::as_array).ok_or(Unreadable::Lacks("columns"))?;
    Ok(Table {
        default_charset: text(value, "defaultCharsetName"),
        primary_key: texts(value, "primaryKeyColumnNames"),
        columns: columns.iter().map(read_column).collect::<Result<_, _>>()?,
        ..Table::new(id.clone())
    })
}

fn read_column(value: &Value) -> Result<Column, Unreadable> {
    let flag = |name: &str| value.get(name).and_then(Value::as_bool).unwrap_or(false);
    let number = |name: &str| value.get(name).and_then(Value::as_i64).and_then(|n| i32::try_from(n).ok());
    let default = text(value, "defaultValueExpression");
    Ok(Column {
        name: text(value, "name").ok_or(Unreadable::Lacks("name"))?,
        jdbc_type: number("jdbcType").ok_or(Unreadable::Lacks("jdbcType"))?,
        type_name: text(value, "typeName").ok_or(Unreadable::Lacks("typeName"))?,
        charset: text(value, "charsetName"),
        length: number("length"),
        scale: number("scale"),
        optional: flag("optional"),
        auto_incremented: flag("autoIncremented"),
        generated: flag("generated"),
        computed: false,
        comment: text(value, "comment"),
        has_default: flag("hasDefaultValue") || default.is_some(),
        default,
        enum_values: texts(value, "enumValues"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What Debezium 3.6.1 wrote for a snapshot of a MySQL 9.7 server: one record a line, as a JSON string.
    const JAVA: &str = include_str!("data/debezium.jsonl");

    #[test]
    fn records_of_the_java_connector_are_written_as_it_wrote_them() {
        for line in JAVA.lines() {
            let text: String = serde_json::from_str(line).unwrap();
            assert_eq!(HistoryRecord::parse(text.as_bytes()).unwrap().to_json(), text);
        }
    }

    #[track_caller]
    fn check_id(text: &str, database: &str, table: &str) {
        let id = TableId { database: database.into(), table: table.into() };
        assert_eq!(read_id(text), Some(id));
    }

    #[test]
    fn ids_with_and_without_quotes() {
        check_id("\"a\".\"b\"", "a", "b");
        check_id("\"a.b\".\"c\"\"d\"", "a.b", "c\"d");
        check_id("a.b", "a", "b");
        let odd = TableId { database: "a.b".into(), table: "c\"d".into() };
        assert_eq!(read_id(&write_id(&odd)), Some(odd));
    }

    #[track_caller]
    fn check_unreadable(text: &str, expect: &str) {
        assert_eq!(HistoryRecord::parse(text.as_bytes()).unwrap_err().to_string(), expect);
    }

    #[test]
    fn what_is_not_a_record() {
        check_unreadable("{\"position\":{}}", "a record of the schema history has no usable `source`");
        check_unreadable("{\"source\":{}}", "a record of the schema history has no usable `position`");
        check_unreadable(
            "{\"source\":{},\"position\":{},\"tableChanges\":[{\"type\":\"CREATE\",\"id\":\"a.b\"}]}",
            "a record of the schema history has no usable `table`",
        );
        assert!(matches!(HistoryRecord::parse(b"garbage"), Err(Unreadable::NotJson(_))));
    }

    #[test]
    fn what_was_a_record_of_ours() {
        let source = serde_json::from_str(r#"{"server":"s"}"#).unwrap();
        let check = |text: &str, expect: bool| assert_eq!(damaged(text.as_bytes(), &source), expect, "{text}");
        check(r#"{"source":{"server":"s"}}"#, true);
        check("{\n  \"source\" : {\n    \"server\" : \"s\"\n  },\n  \"position\" : {", true);
        check(r#"{"source":{"server":"other"}}"#, false);
        check(r#"{"source":{"server":"other"},"pos"#, false);
        check(r#"{"position":{"file":"s"}}"#, false);
        check("garbage", false);
        check("", false);
    }

    #[test]
    fn a_record_may_be_compact_and_lack_what_is_null() {
        let text = r#"{"source":{"server":"s"},"position":{"file":"b.1"},"tableChanges":[{"type":"ALTER","id":"\"d\".\"t\"",
            "previousId":"\"d\".\"o\"","table":{"columns":[{"name":"a","jdbcType":4,"typeName":"INT"}]}}]}"#;
        let record = HistoryRecord::parse(text.as_bytes()).unwrap();
        let change = &record.changes[0];
        assert_eq!(change.previous.as_ref().unwrap().to_string(), "d.o");
        assert_eq!(change.table.as_ref().unwrap().columns[0].type_name, "INT".into());
    }
}
