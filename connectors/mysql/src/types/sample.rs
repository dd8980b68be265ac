//! Columns for tests, from their types as DDL writes them.

use std::sync::Arc;

use crate::model::{Column, TableId};

/// A nullable column of a type in upper case: `DECIMAL(10,2) UNSIGNED`, `ENUM('a','b')`, `TEXT`.
pub(super) fn column(definition: &str) -> Column {
    let (name, rest) = definition.split_once('(').unwrap_or((definition, ""));
    let (inside, after) = rest.rsplit_once(')').unwrap_or(("", ""));
    let is_listed = matches!(name, "ENUM" | "SET");
    let numbers: Vec<i32> =
        if is_listed { Vec::new() } else { inside.split(',').filter_map(|n| n.parse().ok()).collect() };
    let base = name.split(" UNSIGNED").next().unwrap_or(name);
    Column {
        name: "c".into(),
        jdbc_type: number_of(base),
        type_name: format!("{name}{after}").into(),
        charset: None,
        length: if is_listed { Some(1) } else { numbers.first().copied() },
        scale: numbers.get(1).copied(),
        optional: true,
        auto_incremented: false,
        computed: false,
        generated: false,
        comment: None,
        has_default: true,
        default: None,
        enum_values: if is_listed { labels(inside) } else { Vec::new() },
    }
}

/// Labels between commas, each in its quotes.
fn labels(inside: &str) -> Vec<Arc<str>> {
    let inner = inside.trim_start_matches('\'').trim_end_matches('\'');
    inner.split("','").map(|label| format!("'{label}'").into()).collect()
}

fn number_of(base: &str) -> i32 {
    match base {
        "TINYINT" | "INT1" | "SMALLINT" | "INT2" => 5,
        "MEDIUMINT" | "INT3" | "MIDDLEINT" | "INT" | "INTEGER" | "INT4" | "YEAR" => 4,
        "BIGINT" | "INT8" => -5,
        "REAL" => 7,
        "DOUBLE" | "DOUBLE PRECISION" | "FLOAT8" => 8,
        "FLOAT" | "FLOAT4" => 6,
        "DECIMAL" | "DEC" | "FIXED" => 3,
        "NUMERIC" => 2,
        "BIT" => -7,
        "BOOL" | "BOOLEAN" => 16,
        "DATE" => 91,
        "TIME" => 92,
        "DATETIME" => 93,
        "TIMESTAMP" => 2014,
        "CHAR" | "ENUM" | "SET" => 1,
        "NCHAR" => -15,
        "NVARCHAR" => -9,
        "BINARY" => -2,
        "VARBINARY" => -3,
        _ if base.ends_with("BLOB") => 2004,
        _ if base.ends_with("TEXT") || base == "VARCHAR" => 12,
        _ => 1111,
    }
}

/// A table's name.
pub(super) fn table() -> TableId {
    TableId { database: "db".into(), table: "t".into() }
}
