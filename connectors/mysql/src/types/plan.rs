//! From a column to its Connect schema and its decoder: one row a type.

use std::sync::Arc;

use record::{Kind, Schema, SchemaBuilder, Value};
use relational::values::{DecimalMode, binary, debezium, decimal, geometry, point, temporal};

use super::cell::Cell;
use super::charset::Charset;
use super::labels::{Labels, allowed};
use super::modes::{BigintUnsignedMode, Modes};
use crate::Flavour;
use crate::model::{Column, TableId};

/// How a column becomes a field.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The field's schema, still without optionality and default.
    pub schema: SchemaBuilder,
    /// How the column's bytes are read.
    pub cell: Cell,
    /// What a converter of the configuration puts in the place of NULL and of a zero date.
    pub fallback: Option<Fallback>,
}

/// What `ZeroDateFallbackConverter` puts in the place of a missing or zero date: null makes the field optional.
#[derive(Clone, Debug, PartialEq)]
pub struct Fallback(pub Value);

/// The numbers of `java.sql.Types` that columns have.
pub(crate) mod jdbc {
    pub(crate) const BIT: i32 = -7;
    pub(crate) const BIGINT: i32 = -5;
    pub(crate) const VARBINARY: i32 = -3;
    pub(crate) const BINARY: i32 = -2;
    pub(crate) const NVARCHAR: i32 = -9;
    pub(crate) const NCHAR: i32 = -15;
    pub(crate) const CHAR: i32 = 1;
    pub(crate) const NUMERIC: i32 = 2;
    pub(crate) const DECIMAL: i32 = 3;
    pub(crate) const INTEGER: i32 = 4;
    pub(crate) const SMALLINT: i32 = 5;
    pub(crate) const FLOAT: i32 = 6;
    pub(crate) const REAL: i32 = 7;
    pub(crate) const DOUBLE: i32 = 8;
    pub(crate) const VARCHAR: i32 = 12;
    pub(crate) const BOOLEAN: i32 = 16;
    pub(crate) const DATE: i32 = 91;
    pub(crate) const TIME: i32 = 92;
    pub(crate) const TIMESTAMP: i32 = 93;
    pub(crate) const BLOB: i32 = 2004;
    pub(crate) const TIMESTAMP_WITH_TIMEZONE: i32 = 2014;
    pub(crate) const OTHER: i32 = 1111;
}

/// Plans a column of `table`; `None` when its field is left out, because its type is not known.
pub fn plan(table: &TableId, column: &Column, flavour: Flavour, modes: &Modes) -> Option<Planned> {
    let (schema, cell) = by_name(column, flavour, modes).or_else(|| by_number(column, flavour, modes))?;
    let planned = Planned { schema, cell, fallback: None };
    Some(modes.converters.convert(table, column, planned))
}

/// The type's name without what follows it: `INT` of `INT UNSIGNED`, and whether its numbers are unsigned.
fn base(column: &Column) -> (&str, bool) {
    let name = &*column.type_name;
    let unsigned = name.contains(" UNSIGNED") || name.contains(" ZEROFILL");
    let end = [" UNSIGNED", " ZEROFILL", " SIGNED", "("].iter().filter_map(|mark| name.find(mark)).min();
    (name[..end.unwrap_or(name.len())].trim_end(), unsigned)
}

/// The digits of a second's fraction.
pub(super) fn digits(column: &Column) -> u8 {
    column.length.and_then(|length| u8::try_from(length).ok()).unwrap_or(0).min(6)
}

/// Types that their name tells.
fn by_name(column: &Column, flavour: Flavour, modes: &Modes) -> Option<(SchemaBuilder, Cell)> {
    let (name, unsigned) = base(column);
    let int = |kind| Some((Schema::of(kind), Cell::Int { unsigned }));
    match name {
        "JSON" => {
            let cell = match flavour {
                Flavour::MySql => Cell::Json,
                // An alias of LONGTEXT, always in utf8mb4.
                Flavour::MariaDb => Cell::Text(Charset::UTF8),
            };
            Some((debezium(Kind::String, "data.Json"), cell))
        }
        "POINT" => Some((point(), Cell::Point)),
        "GEOMETRY" | "LINESTRING" | "POLYGON" | "MULTIPOINT" | "MULTILINESTRING" | "MULTIPOLYGON"
        | "GEOMETRYCOLLECTION" | "GEOMCOLLECTION" => Some((geometry("Geometry"), Cell::Geometry)),
        "YEAR" => Some((debezium(Kind::Int32, "time.Year"), Cell::Year { adjusts: modes.adjusts_years })),
        "ENUM" => {
            let schema = debezium(Kind::String, "data.Enum").parameter("allowed", &allowed(&column.enum_values));
            Some((schema, Cell::Enum(Arc::new(Labels::of_enum(&column.enum_values)))))
        }
        "SET" => {
            let schema = debezium(Kind::String, "data.EnumSet").parameter("allowed", &allowed(&column.enum_values));
            Some((schema, Cell::Set(Arc::new(Labels::new(&column.enum_values)))))
        }
        "SMALLINT" | "INT2" if unsigned => int(Kind::Int32),
        "INT" | "INTEGER" | "INT4" if unsigned => int(Kind::Int64),
        "BIGINT" | "INT8" if unsigned && modes.bigint_unsigned == BigintUnsignedMode::Precise => {
            Some((decimal_schema(20, 0), Cell::UnsignedBigint))
        }
        "FLOAT" if column.scale.is_none() && column.length.is_none_or(|bits| bits <= 24) => {
            Some((Schema::of(Kind::Float32), Cell::Float))
        }
        "VECTOR" => Some((debezium(Kind::Array(Schema::of(Kind::Float32).build()), "data.FloatVector"), Cell::Vector)),
        "UUID" => Some((debezium(Kind::String, "data.Uuid"), Cell::Uuid)),
        "INET4" => Some((Schema::of(Kind::String), Cell::Inet4)),
        "INET6" => Some((Schema::of(Kind::String), Cell::Inet6)),
        _ => None,
    }
}

/// Connect's Decimal; its precision stands before its scale in Debezium's schemas, which readers do not see as an order.
fn decimal_schema(precision: i32, scale: i32) -> SchemaBuilder {
    decimal::schema(Some(precision), scale)
}

/// Types that their number in `java.sql.Types` tells.
fn by_number(column: &Column, flavour: Flavour, modes: &Modes) -> Option<(SchemaBuilder, Cell)> {
    let (_, unsigned) = base(column);
    let int = |kind| (Schema::of(kind), Cell::Int { unsigned });
    Some(match column.jdbc_type {
        jdbc::BOOLEAN => (Schema::of(Kind::Bool), Cell::Flag),
        jdbc::SMALLINT => int(Kind::Int16),
        jdbc::INTEGER => int(Kind::Int32),
        jdbc::BIGINT => int(Kind::Int64),
        jdbc::REAL => (Schema::of(Kind::Float32), Cell::Float),
        jdbc::DOUBLE => (Schema::of(Kind::Float64), Cell::Double { is_single: false }),
        // FLOAT(M,D) and FLOAT4 have four bytes, FLOAT(p) beyond 24 bits has eight.
        jdbc::FLOAT => {
            let is_single = column.scale.is_some() || column.length.is_none_or(|bits| bits <= 24);
            (Schema::of(Kind::Float64), Cell::Double { is_single })
        }
        jdbc::DECIMAL | jdbc::NUMERIC => {
            let (precision, scale) = (column.length.unwrap_or(10), column.scale.unwrap_or(0));
            let schema = match modes.decimal {
                DecimalMode::Precise => decimal_schema(precision, scale),
                DecimalMode::Double => Schema::of(Kind::Float64),
                DecimalMode::String => Schema::of(Kind::String),
            };
            (schema, Cell::Decimal { scale, mode: modes.decimal })
        }
        jdbc::BIT => match column.length.unwrap_or(1) {
            ..=1 => (Schema::of(Kind::Bool), Cell::Bit),
            bits => {
                let schema = debezium(Kind::Bytes, "data.Bits").parameter("length", &bits.to_string());
                (schema, Cell::Bits { bytes: (bits as usize).div_ceil(8) })
            }
        },
        jdbc::CHAR | jdbc::VARCHAR | jdbc::NCHAR | jdbc::NVARCHAR => {
            (Schema::of(Kind::String), Cell::Text(charset(column)))
        }
        jdbc::BINARY => {
            let width = usize::try_from(column.length.unwrap_or(1)).unwrap_or(0);
            (binary::schema(modes.binary), Cell::Bytes { mode: modes.binary, width })
        }
        jdbc::VARBINARY | jdbc::BLOB => (binary::schema(modes.binary), Cell::Bytes { mode: modes.binary, width: 0 }),
        jdbc::DATE => {
            let (schema, form) = temporal::date(modes.time);
            (schema, Cell::Date { form, adjusts: modes.adjusts_years })
        }
        jdbc::TIME => {
            let (schema, form) = temporal::time(digits(column), modes.time);
            (schema, Cell::Time(form))
        }
        jdbc::TIMESTAMP => {
            let (schema, form) = temporal::timestamp(digits(column), modes.time);
            (schema, Cell::Datetime { form, adjusts: modes.adjusts_years })
        }
        jdbc::TIMESTAMP_WITH_TIMEZONE => {
            let zone = modes.snapshot_zone.clone();
            let zero_is_epoch = flavour == Flavour::MariaDb;
            (temporal::zoned(), Cell::Timestamp { digits: Some(digits(column)), zero_is_epoch, zone })
        }
        _ => return None,
    })
}

/// The set of a text column; UTF-8 for one that has none or one that is not known.
fn charset(column: &Column) -> Charset {
    let found = column.charset.as_deref().and_then(Charset::named);
    found.unwrap_or_else(|| {
        tracing::warn!(
            column = &*column.name,
            charset = column.charset.as_deref().unwrap_or(""),
            "the column's character set is not known; its texts are read as UTF-8"
        );
        Charset::UTF8
    })
}

#[cfg(test)]
pub(super) mod tests;
