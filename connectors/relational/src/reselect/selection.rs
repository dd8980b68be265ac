//! Which columns of a table are read again, and when: decided once for each table, from what its records would show.
//!
//! Must not know: how rows are read.

use record::{Kind, Schema, Value};

use super::{Columns, Reselect};

/// A column of a table, as far as it matters here.
#[derive(Clone, Debug)]
pub struct Selectable<'a> {
    /// The column's name in the database.
    pub name: &'a str,
    /// The schema of its field in the record's row.
    pub schema: &'a Schema,
    /// Whether the log may leave the column's value out of a new row.
    pub may_be_absent: bool,
    /// What the record shows then; `None` for a type that has nothing to show.
    pub absent: Option<Value>,
    /// What the record shows for SQL NULL.
    pub null: Value,
}

/// When a column is read again. At least one of the two is true.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct When {
    /// When the log does not carry the value.
    pub is_absent: bool,
    /// When the value is NULL.
    pub is_null: bool,
}

impl Reselect {
    /// When this processor reads a column of `table` (written `schema.table`) again; `None`: never. `placeholder` is
    /// `unavailable.value.placeholder`.
    ///
    /// A column that the log does not carry is read again if the record would show the placeholder in a form that Debezium
    /// takes for one: a mask in its place is not read again. A null counts only where the field has no default, because
    /// Connect reads a null as the default.
    pub fn when(&self, table: &str, column: &Selectable<'_>, placeholder: &[u8]) -> Option<When> {
        let is_absent = column.may_be_absent
            && match &column.absent {
                Some(shown) => self.unavailable && is_placeholder(column.schema, shown, placeholder),
                // To Debezium such a value is a null. It is one that the log does not carry as well.
                None => self.unavailable || self.null,
            };
        let has_default = column.schema.default.as_ref().is_some_and(|default| *default != Value::Null);
        let is_null = self.null && column.null == Value::Null && !has_default;
        let is_any = is_absent || is_null;
        (is_any && self.selects(&format!("{table}:{}", column.name))).then_some(When { is_absent, is_null })
    }

    fn selects(&self, name: &str) -> bool {
        match &self.columns {
            Columns::All => true,
            Columns::Only(patterns) => patterns.matches(name),
            Columns::AllBut(patterns) => !patterns.matches(name),
        }
    }
}

/// Whether a value stands for one that the log does not carry.
fn is_placeholder(schema: &Schema, value: &Value, placeholder: &[u8]) -> bool {
    match (&schema.kind, value) {
        (Kind::Array(item), Value::Array(values)) => {
            values.iter().any(|value| is_plain_placeholder(item, value, placeholder))
                || matches!(item.kind, Kind::Int32 | Kind::Int64) && are_bytes(values, placeholder)
        }
        _ => is_plain_placeholder(schema, value, placeholder),
    }
}

fn is_plain_placeholder(schema: &Schema, value: &Value, placeholder: &[u8]) -> bool {
    let is_word = |value: &Value| matches!(value, Value::Text(text) if text.as_bytes() == word(placeholder).as_bytes());
    match (&schema.kind, value) {
        (Kind::Bytes, Value::Bytes(bytes)) => bytes == placeholder,
        (Kind::Map(..), Value::Map(entries)) => {
            matches!(entries.as_slice(), [(key, value)] if is_word(key) && is_word(value))
        }
        (Kind::String, Value::Text(text)) => {
            let is_json = schema.name.as_deref() == Some("io.debezium.data.Json");
            is_word(value) || is_json && *text == format!("{{\"{0}\":\"{0}\"}}", word(placeholder))
        }
        _ => false,
    }
}

/// Whether the numbers are the bytes of the placeholder, as Java counts them (-128 to 127).
fn are_bytes(values: &[Value], placeholder: &[u8]) -> bool {
    let is_byte = |(value, byte): (&Value, &u8)| *value == Value::Int(i64::from(*byte as i8));
    values.len() == placeholder.len() && values.iter().zip(placeholder).all(is_byte)
}

fn word(placeholder: &[u8]) -> std::borrow::Cow<'_, str> {
    String::from_utf8_lossy(placeholder)
}
