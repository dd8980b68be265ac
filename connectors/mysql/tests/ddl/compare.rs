//! Compares the tables of the model with those of a server.

use std::collections::{BTreeMap, BTreeSet};

use mysql::Flavour;
use mysql::ddl::Catalog;
use mysql::model::{Column, Table, TableId};
use mysql_async::prelude::Queryable;
use mysql_async::{Conn, Row};

/// A column as `information_schema.columns` has it.
struct Real {
    name: String,
    default: Option<String>,
    nullable: bool,
    data_type: String,
    chars: Option<u64>,
    precision: Option<u64>,
    scale: Option<u64>,
    fraction: Option<u64>,
    charset: Option<String>,
    column_type: String,
    in_key: bool,
    generated: bool,
}

/// The word of the server for the type that a statement names.
fn server_type(column: &Column, flavour: Flavour) -> String {
    let name = column.type_name.trim_end_matches(" ZEROFILL").trim_end_matches(" UNSIGNED").trim_end_matches(" SIGNED");
    let name = name.trim_end_matches(" BINARY");
    let length = column.length.unwrap_or(0);
    let by_length = |kind: &str, bytes: i32| match length.saturating_mul(bytes) {
        0 => kind.to_owned(),
        1..=255 => format!("tiny{kind}"),
        256..=65_535 => kind.to_owned(),
        65_536..=16_777_215 => format!("medium{kind}"),
        _ => format!("long{kind}"),
    };
    let word = match name {
        "INT1" | "BOOL" | "BOOLEAN" => "tinyint",
        "INT2" => "smallint",
        "INT3" | "MIDDLEINT" => "mediumint",
        "INTEGER" | "INT4" => "int",
        "INT8" => "bigint",
        "REAL" | "DOUBLE PRECISION" | "FLOAT8" => "double",
        "FLOAT" if length > 24 && column.scale.is_none() => "double",
        "FLOAT4" => "float",
        "DEC" | "FIXED" | "NUMERIC" | "NUMBER" => "decimal",
        "CHARACTER" | "NCHAR" | "NATIONAL CHAR" | "NATIONAL CHARACTER" => "char",
        "LONG" | "LONG VARCHAR" => "mediumtext",
        "LONG VARBINARY" => "mediumblob",
        "CLOB" => "longtext",
        "RAW" => "varbinary",
        "CHAR" | "VARCHAR" if column.charset.as_deref() == Some("binary") => {
            return format!("{}binary", &name.to_ascii_lowercase()[..name.len() - 4]);
        }
        "TEXT" => {
            let bytes = match column.charset.as_deref() {
                Some("utf8mb4") => 4,
                Some("utf8mb3" | "utf8") => 3,
                _ => 1,
            };
            return by_length("text", bytes);
        }
        "BLOB" => return by_length("blob", 1),
        "JSON" if flavour == Flavour::MariaDb => "longtext",
        "GEOMETRYCOLLECTION" if flavour == Flavour::MySql => "geomcollection",
        other if other.contains("VAR") && !other.contains("VARBINARY") => "varchar",
        other => return other.to_ascii_lowercase(),
    };
    word.to_owned()
}

/// A label as it is meant.
fn label(written: &str) -> String {
    let quote = written.chars().next().unwrap_or('\'');
    let content = written.get(1..written.len() - 1).unwrap_or("");
    let mut text = String::new();
    let mut chars = content.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('\\', Some('n')) => {
                chars.next();
                text.push('\n');
            }
            ('\\', Some(_)) => text.extend(chars.next()),
            (c, Some(next)) if c == quote && *next == quote => text.extend(chars.next()),
            _ => text.push(c),
        }
    }
    text.trim_end_matches(' ').to_owned()
}

/// The labels of a type that the server prints.
fn server_labels(column_type: &str) -> Vec<String> {
    let list = column_type.split_once('(').map_or("", |(_, list)| list.trim_end_matches(')'));
    list.replace("','", "'\u{0}'").split('\u{0}').map(label).collect()
}

fn same_charset(model: Option<&str>, real: Option<&str>) -> bool {
    let name = |c: &str| if c == "utf8" { "utf8mb3".to_owned() } else { c.to_ascii_lowercase() };
    model.map(name) == real.map(name)
}

fn column(model: &Column, real: &Real, flavour: Flavour, complain: &mut dyn FnMut(String)) {
    let mut expect = |what: &str, model: String, real: String| {
        if model != real {
            complain(format!("{what}: the model has {model}, the server {real}"));
        }
    };
    let kind = server_type(model, flavour);
    // Fixed bytes by another name: Debezium keeps CHAR, and its records show it.
    let types = (kind.as_str(), real.data_type.as_str());
    let bytes = matches!(types, ("char", "binary") | ("varchar", "varbinary") | ("text", "blob"));
    // A conversion to a character set of more bytes makes room; Debezium keeps the word.
    let wider = matches!(types, ("text", "mediumtext"));
    if !bytes && !wider {
        expect("type", kind.clone(), real.data_type.clone());
    }
    let unsigned = model.type_name.contains("UNSIGNED");
    expect("unsigned", unsigned.to_string(), real.column_type.contains("unsigned").to_string());
    let length = model.length.map(|n| n as u64);
    match real.data_type.as_str() {
        // A length of 0 is kept as 10 by Debezium's grammar for MySQL.
        "char" | "varchar" | "binary" | "varbinary" if real.chars != Some(0) && !bytes => {
            expect(
                "length",
                length.or(Some(1)).map_or(String::new(), |n| n.to_string()),
                real.chars.unwrap_or(0).to_string(),
            );
        }
        "decimal" => {
            expect("precision", format!("{length:?}"), format!("{:?}", real.precision));
            expect("scale", format!("{:?}", model.scale.map(|n| n as u64)), format!("{:?}", real.scale));
        }
        "bit" => expect("bits", format!("{length:?}"), format!("{:?}", real.precision)),
        "time" | "datetime" | "timestamp" => {
            expect("fraction", length.unwrap_or(0).to_string(), real.fraction.unwrap_or(0).to_string());
        }
        "enum" | "set" => {
            let labels: Vec<String> = model.enum_values.iter().map(|l| label(l)).collect();
            expect("labels", format!("{labels:?}"), format!("{:?}", server_labels(&real.column_type)));
        }
        _ => {}
    }
    // A column of the key that is modified without NOT NULL is optional to Debezium.
    // SHOW CREATE TABLE does not say that the start of a row's life is required.
    let row_start = flavour == Flavour::MariaDb && real.generated && real.data_type == "timestamp";
    if !(row_start || real.in_key && model.optional) {
        expect("nullable", model.optional.to_string(), real.nullable.to_string());
    }
    let text = model.jdbc_type == 1 || model.jdbc_type == 12 || model.jdbc_type < -8;
    if text && !bytes && !real.data_type.ends_with("binary") && real.data_type != "blob" {
        let same = same_charset(model.charset.as_deref(), real.charset.as_deref());
        expect(
            "charset",
            if same { String::new() } else { format!("{:?}", model.charset) },
            if same { String::new() } else { format!("{:?}", real.charset) },
        );
    }
    defaults(model, real, flavour, &mut expect);
}

fn defaults(model: &Column, real: &Real, flavour: Flavour, expect: &mut dyn FnMut(&str, String, String)) {
    let written = real.default.as_deref().filter(|d| flavour == Flavour::MySql || *d != "NULL");
    let unsaid = real.nullable && written.is_none() || real.in_key && model.optional;
    if !real.generated && !unsaid {
        expect("has a default", model.has_default.to_string(), written.is_some().to_string());
    }
    let (Some(default), Some(written)) = (model.default.as_deref(), written) else { return };
    // MySQL shows texts without quotes, MariaDB with them.
    let written = written.strip_prefix('\'').and_then(|w| w.strip_suffix('\'')).unwrap_or(written);
    let number = |text: &str| text.trim_start_matches('+').parse::<i64>().ok();
    let bits = matches!(model.jdbc_type, 5 | 4 | -5);
    if let (true, Some(default), Some(written)) = (bits, number(default), number(written)) {
        expect("default", default.to_string(), written.to_string());
    }
    if model.jdbc_type == 1 && !model.enum_values.is_empty() && flavour == Flavour::MySql && !default.contains('\\') {
        expect("default", default.replace("''", "'"), written.to_owned());
    }
}

fn table(model: &Table, real: &[Real], keys: &BTreeMap<String, Vec<String>>, flavour: Flavour) -> Vec<String> {
    let mut found = Vec::new();
    let names = |n: &mut dyn Iterator<Item = &str>| n.map(str::to_owned).collect::<Vec<_>>();
    let (ours, theirs) =
        (names(&mut model.columns.iter().map(|c| &*c.name)), names(&mut real.iter().map(|c| &*c.name)));
    if ours != theirs {
        return vec![format!("{}: the columns of the model are {ours:?}, of the server {theirs:?}", model.id)];
    }
    for (ours, theirs) in model.columns.iter().zip(real) {
        column(ours, theirs, flavour, &mut |what| found.push(format!("{}.{}, {what}", model.id, ours.name)));
    }
    let key = names(&mut model.primary_key.iter().map(|c| &**c));
    // MariaDB adds the end of a row's life to a key that does not name it, and a period's columns.
    let complete =
        |real: &Vec<String>| *real == key || flavour == Flavour::MariaDb && real.starts_with(&key) && !key.is_empty();
    let good = match keys.get("PRIMARY") {
        Some(primary) => complete(primary),
        None => key.is_empty() || keys.values().any(complete),
    };
    if !good {
        found.push(format!("{}: the key of the model is {key:?}, the server has {keys:?}", model.id));
    }
    found
}

async fn real_columns(conn: &mut Conn, database: &str) -> BTreeMap<String, Vec<Real>> {
    let rows: Vec<Row> = conn
        .query(format!(
            "select c.table_name, column_name, column_default, is_nullable, data_type, character_maximum_length, \
             numeric_precision, numeric_scale, datetime_precision, character_set_name, column_type, column_key, extra \
             from information_schema.columns c join information_schema.tables t \
             on t.table_schema = c.table_schema and t.table_name = c.table_name \
             where c.table_schema = '{database}' and t.table_type in ('BASE TABLE', 'SYSTEM VERSIONED') \
             order by c.table_name, ordinal_position"
        ))
        .await
        .unwrap();
    let mut tables: BTreeMap<String, Vec<Real>> = BTreeMap::new();
    for row in rows {
        let text = |at: usize| row.get::<Option<String>, _>(at).unwrap();
        let number = |at: usize| row.get::<Option<u64>, _>(at).unwrap();
        tables.entry(text(0).unwrap()).or_default().push(Real {
            name: text(1).unwrap(),
            default: text(2),
            nullable: text(3).unwrap() == "YES",
            data_type: text(4).unwrap(),
            chars: number(5),
            precision: number(6),
            scale: number(7),
            fraction: number(8),
            charset: text(9),
            column_type: text(10).unwrap(),
            in_key: text(11).unwrap() == "PRI",
            generated: text(12).unwrap().contains(" GENERATED") || text(12).unwrap().contains("INVISIBLE"),
        });
    }
    tables
}

/// The unique indexes of each table, with their columns in order. Those over expressions are left out.
async fn real_keys(conn: &mut Conn, database: &str) -> BTreeMap<String, BTreeMap<String, Vec<String>>> {
    let rows: Vec<(String, String, Option<String>)> = conn
        .query(format!(
            "select table_name, index_name, column_name from information_schema.statistics \
             where table_schema = '{database}' and non_unique = 0 order by table_name, index_name, seq_in_index"
        ))
        .await
        .unwrap();
    let mut tables: BTreeMap<String, BTreeMap<String, Vec<String>>> = BTreeMap::new();
    for (table, index, column) in rows {
        if let Some(column) = column {
            tables.entry(table).or_default().entry(index).or_default().push(column);
        }
    }
    tables
}

/// What differs between the model and the server's tables of a database.
pub(crate) async fn compare(conn: &mut Conn, flavour: Flavour, database: &str, catalog: &Catalog) -> Vec<String> {
    let real = real_columns(conn, database).await;
    let keys = real_keys(conn, database).await;
    let ours: BTreeSet<&str> = catalog.tables().filter(|t| &*t.id.database == database).map(|t| &*t.id.table).collect();
    let theirs: BTreeSet<&str> = real.keys().map(String::as_str).collect();
    let mut found = Vec::new();
    if ours != theirs {
        let only = |a: &BTreeSet<&str>, b: &BTreeSet<&str>| format!("{:?}", a.difference(b).collect::<Vec<_>>());
        found.push(format!("only the model has {}, only the server {}", only(&ours, &theirs), only(&theirs, &ours)));
    }
    for (name, columns) in &real {
        let id = TableId { database: database.into(), table: name.as_str().into() };
        if let Some(model) = catalog.table(&id) {
            found.extend(table(model, columns, keys.get(name).unwrap_or(&BTreeMap::new()), flavour));
        }
    }
    found
}
