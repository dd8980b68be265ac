//! The table that a TABLE_MAP tells of, where it names the columns (`binlog_row_metadata=FULL`).
//!
//! What no TABLE_MAP has (defaults, comments, AUTO_INCREMENT, how a type was spelled) is taken from the table as it was known
//! before, for each column that still has the same name and type.
//!
//! Must not know: why the table is not known.

use std::sync::Arc;

use super::check::{first_word, integer, is_labelled, is_unsigned};
use super::{Announced, Said};
use crate::Flavour;
use crate::binlog::wire_type as kind;
use crate::model::{Column, Table};
use crate::types::{jdbc, most_bytes};

/// The spatial types by their numbers.
const GEOMETRIES: [&str; 8] = [
    "GEOMETRY",
    "POINT",
    "LINESTRING",
    "POLYGON",
    "MULTIPOINT",
    "MULTILINESTRING",
    "MULTIPOLYGON",
    "GEOMETRYCOLLECTION",
];

/// The lengths of MariaDB's UUID, INET6 and INET4, which the binlog does not tell from BINARY.
const ADDRESSES: [u16; 2] = [16, 4];

impl Announced {
    /// The table. `old` is the table as it was known before; `charset` what a new table inherits from its database.
    ///
    /// # Errors
    /// Why the table cannot be told from the binlog alone.
    pub(crate) fn rebuilt(
        &self,
        old: Option<&Table>,
        charset: Option<Arc<str>>,
        flavour: Flavour,
    ) -> Result<Table, &'static str> {
        let is_known = |name: &str| old.is_some_and(|old| old.column(name).is_some());
        let own = (0..=self.columns.len()).find(|own| {
            let behind = &self.columns[*own..];
            let is_hidden = self.hidden(*own, flavour) == behind.len();
            is_hidden && !behind.iter().any(|said| said.name.as_deref().is_some_and(is_known))
        });
        let own = own.unwrap_or(self.columns.len());
        let mut table = Table::new(self.id.clone());
        table.default_charset = old.and_then(|old| old.default_charset.clone()).or(charset);
        table.comment = old.and_then(|old| old.comment.clone());
        for said in &self.columns[..own] {
            let name = said.name.as_deref().ok_or("the binlog does not name the columns")?;
            table.columns.push(said.column(name, old.and_then(|old| old.column(name)), flavour)?);
        }
        let name = |column: &usize| table.columns.get(*column).map(|column| Arc::clone(&column.name));
        table.primary_key = self.primary_key.iter().filter_map(name).collect();
        if let (true, Some(old)) = (table.primary_key.is_empty(), old) {
            // A unique key may have stood for the primary key, and the binlog tells nothing of unique keys.
            let stands = |name: &Arc<str>| table.column(name).is_some_and(|column| !column.optional);
            if old.primary_key.iter().all(stands) {
                table.primary_key.clone_from(&old.primary_key);
            }
        }
        Ok(table)
    }
}

/// A type as the model has it.
struct Type {
    jdbc: i32,
    name: String,
    length: Option<i32>,
    scale: Option<i32>,
}

impl Type {
    fn new(jdbc: i32, name: &str) -> Self {
        Self { jdbc, name: name.to_owned(), length: None, scale: None }
    }

    fn of_length(self, length: impl Into<i32>) -> Self {
        Self { length: Some(length.into()), ..self }
    }
}

impl Said {
    /// The column, with what `old` knows besides.
    fn column(&self, name: &str, old: Option<&Column>, flavour: Flavour) -> Result<Column, &'static str> {
        if let Some(old) = old.filter(|old| self.is_of(old, flavour)) {
            let mut column = old.clone();
            column.optional = self.nullable;
            // A column that may be NULL has NULL as its default if it has no other.
            column.has_default = column.default.is_some() || self.nullable || old.has_default && !old.optional;
            if column.charset.is_some() {
                column.charset = self.charset.map(Arc::from).or(column.charset);
            }
            if !self.labels.is_empty() && !is_labelled(&old.enum_values, &self.labels) {
                column.enum_values = self.labels.iter().map(|label| written(label)).collect();
            }
            column.name = name.into();
            return Ok(column);
        }
        let made = self.type_of(flavour)?;
        let has_charset = matches!(made.jdbc, jdbc::CHAR | jdbc::VARCHAR);
        Ok(Column {
            name: name.into(),
            jdbc_type: made.jdbc,
            type_name: made.name.into(),
            charset: self.charset.filter(|_| has_charset).map(Arc::from),
            length: made.length,
            scale: made.scale,
            optional: self.nullable,
            auto_incremented: old.is_some_and(|old| old.auto_incremented),
            generated: old.is_some_and(|old| old.generated),
            computed: old.is_some_and(|old| old.computed),
            comment: old.and_then(|old| old.comment.clone()),
            has_default: self.nullable,
            default: None,
            enum_values: self.labels.iter().map(|label| written(label)).collect(),
        })
    }

    /// Whether the column still has the type that the history knows.
    fn is_of(&self, old: &Column, flavour: Flavour) -> bool {
        if let Some(integer) = integer(old) {
            return integer == self.wire.kind && self.unsigned.is_none_or(|said| said == is_unsigned(old));
        }
        let length = |usual: i32| old.length.unwrap_or(usual);
        match first_word(old) {
            "UUID" | "INET6" => return self.is_binary_string(16),
            "INET4" => return self.is_binary_string(4),
            "JSON" if flavour == Flavour::MariaDb => return self.wire.kind == kind::BLOB && self.wire.metadata == 4,
            "VECTOR" if flavour == Flavour::MariaDb => return self.wire.kind == kind::VARCHAR,
            _ => {}
        }
        let Ok(made) = self.type_of(flavour) else { return false };
        let is_same_kind = match old.jdbc_type {
            jdbc::NUMERIC | jdbc::DECIMAL => made.jdbc == jdbc::DECIMAL,
            jdbc::REAL | jdbc::DOUBLE => made.jdbc == jdbc::DOUBLE,
            // FLOAT of more than 24 bits is DOUBLE.
            jdbc::FLOAT if old.scale.is_none() && length(0) > 24 => made.jdbc == jdbc::DOUBLE,
            jdbc::NCHAR => made.name == "CHAR",
            jdbc::NVARCHAR => made.name == "VARCHAR",
            number => made.jdbc == number,
        };
        is_same_kind
            && match made.jdbc {
                jdbc::DECIMAL => {
                    (length(10), old.scale.unwrap_or(0)) == (made.length.unwrap_or(10), made.scale.unwrap_or(0))
                }
                jdbc::TIME | jdbc::TIMESTAMP | jdbc::TIMESTAMP_WITH_TIMEZONE | jdbc::BIT => {
                    length(0) == made.length.unwrap_or(0)
                }
                jdbc::CHAR | jdbc::VARCHAR | jdbc::BINARY | jdbc::VARBINARY => {
                    let is_labels = matches!(made.name.as_str(), "ENUM" | "SET");
                    let is_long = made.length.is_none();
                    first_word(old) == made.name && (is_labels || is_long || length(1) == made.length.unwrap_or(1))
                        || matches!(old.jdbc_type, jdbc::NCHAR | jdbc::NVARCHAR)
                            && length(1) == made.length.unwrap_or(1)
                }
                jdbc::BLOB => first_word(old) == made.name,
                jdbc::OTHER => first_word(old) == made.name || made.name == "GEOMETRYCOLLECTION",
                _ => true,
            }
    }

    fn is_binary_string(&self, bytes: u16) -> bool {
        self.wire.kind == kind::STRING && self.wire.metadata == bytes
    }

    fn type_of(&self, flavour: Flavour) -> Result<Type, &'static str> {
        const NO_SIGN: &str = "the binlog does not say which numbers are UNSIGNED";
        const NO_CHARSET: &str = "the binlog has texts in a character set that is not known";
        let metadata = self.wire.metadata;
        let number = |jdbc: i32, name: &str| match self.unsigned {
            Some(true) => Ok(Type::new(jdbc, &format!("{name} UNSIGNED"))),
            Some(false) => Ok(Type::new(jdbc, name)),
            None => Err(NO_SIGN),
        };
        let fraction = |jdbc: i32, name: &str| {
            let made = Type::new(jdbc, name);
            Ok(if metadata == 0 { made } else { made.of_length(metadata) })
        };
        // Of a text or of bytes: whichever its character set says.
        let sized = |text: (i32, &str), bytes: (i32, &str), length: Option<u16>| -> Result<Type, &'static str> {
            let charset = self.charset.ok_or(NO_CHARSET)?;
            let (jdbc, name) = if charset == "binary" { bytes } else { text };
            let made = Type::new(jdbc, name);
            Ok(match length {
                Some(length) => made.of_length(length / most_bytes(charset)),
                None => made,
            })
        };
        match self.wire.kind {
            kind::TINY => number(jdbc::SMALLINT, "TINYINT"),
            kind::SHORT => number(jdbc::SMALLINT, "SMALLINT"),
            kind::INT24 => number(jdbc::INTEGER, "MEDIUMINT"),
            kind::LONG => number(jdbc::INTEGER, "INT"),
            kind::LONGLONG => number(jdbc::BIGINT, "BIGINT"),
            kind::FLOAT => number(jdbc::FLOAT, "FLOAT"),
            kind::DOUBLE => number(jdbc::DOUBLE, "DOUBLE"),
            kind::NEWDECIMAL => {
                let [precision, scale] = metadata.to_be_bytes();
                let made = number(jdbc::DECIMAL, "DECIMAL")?.of_length(precision);
                Ok(Type { scale: Some(scale.into()), ..made })
            }
            kind::YEAR => Ok(Type::new(jdbc::INTEGER, "YEAR")),
            kind::DATE | kind::NEWDATE => Ok(Type::new(jdbc::DATE, "DATE")),
            kind::TIME | kind::TIME2 => fraction(jdbc::TIME, "TIME"),
            kind::DATETIME | kind::DATETIME2 => fraction(jdbc::TIMESTAMP, "DATETIME"),
            kind::TIMESTAMP | kind::TIMESTAMP2 => fraction(jdbc::TIMESTAMP_WITH_TIMEZONE, "TIMESTAMP"),
            kind::BIT => {
                let [bytes, bits] = metadata.to_be_bytes();
                Ok(Type::new(jdbc::BIT, "BIT").of_length(u16::from(bytes) * 8 + u16::from(bits)))
            }
            kind::STRING
                if flavour == Flavour::MariaDb && self.charset == Some("binary") && ADDRESSES.contains(&metadata) =>
            {
                Err("the binlog of MariaDB does not tell UUID, INET6 and INET4 from BINARY")
            }
            kind::STRING => sized((jdbc::CHAR, "CHAR"), (jdbc::BINARY, "BINARY"), Some(metadata)),
            kind::VARCHAR | kind::VAR_STRING => {
                sized((jdbc::VARCHAR, "VARCHAR"), (jdbc::VARBINARY, "VARBINARY"), Some(metadata))
            }
            // The first byte of a compressed value says how it is compressed.
            kind::VARCHAR_COMPRESSED => {
                sized((jdbc::VARCHAR, "VARCHAR"), (jdbc::VARBINARY, "VARBINARY"), Some(metadata.saturating_sub(1)))
            }
            kind::TINY_BLOB..=kind::BLOB | kind::BLOB_COMPRESSED => {
                let (text, bytes) = match metadata {
                    1 => ("TINYTEXT", "TINYBLOB"),
                    2 => ("TEXT", "BLOB"),
                    3 => ("MEDIUMTEXT", "MEDIUMBLOB"),
                    _ => ("LONGTEXT", "LONGBLOB"),
                };
                sized((jdbc::VARCHAR, text), (jdbc::BLOB, bytes), None)
            }
            kind::ENUM => Ok(Type::new(jdbc::CHAR, "ENUM").of_length(1)),
            kind::SET => {
                let count = u16::try_from(self.labels.len()).unwrap_or(64);
                Ok(Type::new(jdbc::CHAR, "SET").of_length((2 * count).saturating_sub(1)))
            }
            kind::JSON => Ok(Type::new(jdbc::OTHER, "JSON")),
            kind::GEOMETRY => {
                let name = self.geometry.and_then(|number| GEOMETRIES.get(number as usize));
                name.map(|name| Type::new(jdbc::OTHER, name))
                    .ok_or("the binlog has a geometry of a type that is not known")
            }
            kind::VECTOR => {
                let length = self.dimensions.and_then(|count| i32::try_from(count).ok());
                Ok(Type { length, ..Type::new(jdbc::OTHER, "VECTOR") })
            }
            _ => Err("the binlog has a type that is not known"),
        }
    }
}

/// A label as a statement writes it.
fn written(label: &str) -> Arc<str> {
    format!("'{}'", label.replace('\\', "\\\\").replace('\'', "''")).into()
}
