//! `io.debezium.transforms.SchemaChangeEventFilter`: drops schema changes by their type.
//!
//! The first table that a statement changes decides for the whole record. A statement that changes no table, such as
//! `CREATE DATABASE`, has the type DATABASE. All other records pass.
//!
//! ```json
//! {"schema.change.event.exclude.list": "TRUNCATE,DATABASE"}
//! {"topic": "srv", "types": {"": "struct io.debezium.connector.mysql.SchemaChangeValue"},
//!  "value": {"ddl": "ALTER TABLE a ADD b int", "tableChanges": [{"type": "ALTER"}]}}
//! => {}
//! {"topic": "srv", "types": {"": "struct io.debezium.connector.mysql.SchemaChangeValue"},
//!  "value": {"ddl": "TRUNCATE TABLE a", "tableChanges": [{"type": "TRUNCATE"}]}}
//! => dropped
//! {"topic": "srv", "types": {"": "struct io.debezium.connector.mysql.SchemaChangeValue"},
//!  "value": {"ddl": "CREATE DATABASE d", "tableChanges": []}}
//! => dropped
//! {"topic": "srv.d.a", "value": {"op": "t"}}
//! => {}
//! ```
//!
//! Must not know: which connector makes schema changes.

use record::{Kind, Record, Value, ValueRef};
use settings::{Def, Key, Properties, Width};

use crate::envelope::is_schema_change;
use crate::error::{Refusal, java};
use crate::options::{Options, java_split};
use crate::structs::java_class;
use crate::{Transform, TransformError};

const LIST: &str = "schema.change.event.exclude.list";
const TYPES: &[&str] = &["CREATE", "ALTER", "DROP", "TRUNCATE", "DATABASE"];

const KEYS: &[Key] = &[crate::options::key(
    LIST,
    settings::Kind::String,
    "Schema change event exclude list",
    Width::Short,
)
.high()
.doc(
    "The types of schema changes to drop, with commas between: CREATE, ALTER, DROP, TRUNCATE, DATABASE. Must be set.",
)];

/// The transform's row in the table.
pub(crate) const KIND: crate::Kind = crate::Kind {
    class: "io.debezium.transforms.SchemaChangeEventFilter",
    module: module_path!(),
    summary: "Drops schema changes by their type.",
    keys: Def::new(&[KEYS]),
    make: |properties| Ok(Box::new(SchemaChangeEventFilter::new(properties)?)),
    remarks: crate::table::no_remarks,
};

/// Drops schema changes by their type. Options and results are those of Debezium's
/// [schema change event filter](https://debezium.io/documentation/reference/stable/transformations/schema-change-event-filter.html).
#[derive(Debug)]
struct SchemaChangeEventFilter {
    dropped: Vec<&'static str>,
}

/// The type of this name.
fn known(name: &str) -> Result<&'static str, String> {
    let found = TYPES.iter().find(|known| **known == name).copied();
    found.ok_or_else(|| format!("No enum constant io.debezium.schema.SchemaChangeEvent.SchemaChangeEventType.{name}"))
}

impl SchemaChangeEventFilter {
    fn new(properties: &Properties) -> Result<Self, Vec<Refusal>> {
        let mut options = Options::new(properties);
        let list = options.required(LIST);
        options.each_refused()?;
        let dropped = java_split(list, ',').into_iter().map(|name| known(name.trim())).collect::<Result<_, _>>();
        let refusal = |message| vec![Refusal::new(java::ILLEGAL_ARGUMENT, LIST, message)];
        dropped.map(|dropped| Self { dropped }).map_err(refusal)
    }

    /// Whether a record with these table changes is dropped; `place` is that of the type in a table change.
    fn drops(&self, changes: &ValueRef<'_>, place: Option<usize>) -> Result<bool, TransformError> {
        let changes = match changes {
            ValueRef::Owned(value) => &**value,
            ValueRef::Shared(value) => *value,
            _ => &Value::Null,
        };
        let Value::Array(changes) = changes else { return Ok(true) };
        let kind = match (changes.first(), place) {
            (None, _) => Ok("DATABASE"),
            (Some(Value::Struct(fields)), Some(place)) => match fields.get(place) {
                Some(Value::Text(name)) => known(name),
                _ => Err("Name is null".to_owned()),
            },
            _ => return Err(TransformError::no_field("type")),
        };
        let kind = kind.map_err(|message| TransformError::new(java::ILLEGAL_ARGUMENT, message))?;
        Ok(self.dropped.contains(&kind))
    }
}

impl Transform for SchemaChangeEventFilter {
    fn apply<'a>(&mut self, record: Record<'a>) -> Result<Option<Record<'a>>, TransformError> {
        let Some(part) = record.value.part().filter(|part| !record.value.is_null() && is_schema_change(&part.schema))
        else {
            return Ok(Some(record));
        };
        if !matches!(part.schema.kind, Kind::Struct(_)) {
            return Err(TransformError::not_a_struct("Read schema change event to filter", java_class(&part.schema)));
        }
        let changes = part.field("tableChanges").ok_or_else(|| TransformError::no_field("tableChanges"))?;
        let Kind::Array(change) = &changes.schema.kind else {
            return Err(TransformError::field_type("tableChanges", "ARRAY"));
        };
        let place = change.field("type");
        let drops = changes.with(record.value.frame(), |cell| self.drops(cell, place))?;
        Ok((!drops).then_some(record))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::example::check;

    #[track_caller]
    fn case(list: &str, value: &str, outcome: &str) {
        let types = r#"{"": "struct io.debezium.connector.mysql.SchemaChangeValue", "tableChanges": "array<struct>?"}"#;
        let record = format!(r#"{{"topic": "srv", "types": {types}, "value": {{"tableChanges": {value}}}}}"#);
        check(KIND.class, &format!(r#"{{"{LIST}": "{list}"}} {record} => {outcome}"#));
    }

    #[test]
    fn the_first_change_decides() {
        case("DROP", r#"[{"type": "DROP"}, {"type": "CREATE"}]"#, "dropped");
        case("CREATE", r#"[{"type": "DROP"}, {"type": "CREATE"}]"#, "{}");
        case(" ALTER , CREATE,", r#"[{"type": "CREATE"}]"#, "dropped");
        case("DATABASE", "[]", "dropped");
        case("TRUNCATE", "[]", "{}");
        // Without a list of changes the record goes, whatever is excluded.
        case("TRUNCATE", "null", "dropped");
        let unknown = "fails: No enum constant io.debezium.schema.SchemaChangeEvent.SchemaChangeEventType.RENAME";
        case("DROP", r#"[{"type": "RENAME"}]"#, unknown);
    }

    #[test]
    fn other_records_pass() {
        check(
            KIND.class,
            r#"{"schema.change.event.exclude.list": "CREATE,ALTER,DROP,TRUNCATE,DATABASE"}
            {"topic": "srv.d.a", "value": {"op": "c", "after": {"id": 1}}} => {}
            {"topic": "heartbeat", "value": {"ts_ms": 1}} => {}
            {"topic": "srv", "value": null} => {}"#,
        );
    }

    #[test]
    fn options_that_are_refused() {
        let constant = "No enum constant io.debezium.schema.SchemaChangeEvent.SchemaChangeEventType";
        for (list, class, message) in [
            (
                None,
                java::CONFIG,
                format!(
                    "Invalid value null for configuration {LIST}: The '{LIST}' value is invalid: A value is required"
                ),
            ),
            (Some("alter"), java::ILLEGAL_ARGUMENT, format!("{constant}.alter")),
            (Some("ALTER,,DROP"), java::ILLEGAL_ARGUMENT, format!("{constant}.")),
        ] {
            let made = KIND.create(&list.map(|list| (LIST, list)).into_iter().collect()).err().unwrap();
            assert_eq!(made.len(), 1);
            assert_eq!((made[0].java_class, made[0].to_string()), (class, message));
        }
    }
}
