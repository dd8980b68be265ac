//! From a column's type to its Connect schema and its decoder: one row a type.

use std::sync::Arc;

use record::{Kind, Schema, SchemaBuilder};
use relational::Meters;
use relational::values::{binary, debezium, decimal, geometry, point, structure, temporal};

use super::{Catalogue, Cell, PgType, TypeKind};

pub use crate::config::{BinaryMode, ConvertFailure, DecimalMode, HstoreMode, IntervalMode, TimeMode};

/// The settings that decide how types become values.
#[derive(Clone, Debug)]
pub struct Modes {
    /// `decimal.handling.mode`: numeric and money.
    pub decimal: DecimalMode,
    /// `time.precision.mode`: dates and times.
    pub time: TimeMode,
    /// `interval.handling.mode`.
    pub interval: IntervalMode,
    /// `binary.handling.mode`: bytea, and unknown types.
    pub binary: BinaryMode,
    /// `hstore.handling.mode`.
    pub hstore: HstoreMode,
    /// `event.converting.failure.handling.mode`: values that cannot be converted.
    pub failure: ConvertFailure,
    /// `include.unknown.datatypes`: whether columns of unknown types are sent as bytes.
    pub include_unknown: bool,
    /// `money.fraction.digits`: the scale of money.
    pub money_digits: u8,
    /// `unavailable.value.placeholder`: what stands for an unchanged value that the log does not carry.
    pub placeholder: Vec<u8>,
    /// Counts values that cannot be converted and logs them; none in tests.
    pub meters: Option<Arc<Meters>>,
}

impl Default for Modes {
    fn default() -> Self {
        Self {
            decimal: DecimalMode::Precise,
            time: TimeMode::Adaptive,
            interval: IntervalMode::Numeric,
            binary: BinaryMode::Bytes,
            hstore: HstoreMode::Json,
            failure: ConvertFailure::Warn,
            include_unknown: false,
            money_digits: 2,
            placeholder: b"__debezium_unavailable_value".to_vec(),
            meters: None,
        }
    }
}

impl From<&crate::config::Types> for Modes {
    fn from(types: &crate::config::Types) -> Self {
        Self {
            decimal: types.decimal,
            time: types.time,
            interval: types.interval,
            binary: types.binary,
            hstore: types.hstore,
            failure: types.convert_failure,
            include_unknown: types.include_unknown,
            money_digits: u8::try_from(types.money_fraction_digits).unwrap_or(2),
            placeholder: types.unavailable.clone(),
            meters: None,
        }
    }
}

/// How a column becomes a field.
#[derive(Clone, Debug)]
pub struct Planned {
    /// The field's schema, still without optionality and default.
    pub schema: SchemaBuilder,
    /// How the column's bytes are read.
    pub cell: Cell,
    /// Whether the field is optional even for a NOT NULL column (PostGIS geometry).
    pub always_optional: bool,
    /// Whether the column's default may stand in the schema.
    pub has_default: bool,
}

/// io.debezium.data.VariableScaleDecimal.
fn variable_decimal() -> SchemaBuilder {
    let kind = structure(vec![("scale", Schema::of(Kind::Int32)), ("value", Schema::of(Kind::Bytes))]);
    debezium(kind, "data.VariableScaleDecimal").doc("Variable scaled decimal")
}

/// Types whose arrays have optional elements. The elements of arrays of other known types are required.
const OPTIONAL_ELEMENTS: &[&str] = &[
    "int2",
    "int4",
    "int8",
    "oid",
    "float4",
    "float8",
    "bool",
    "char",
    "varchar",
    "text",
    "bpchar",
    "inet",
    "cidr",
    "macaddr",
    "macaddr8",
    "int4range",
    "int8range",
    "numrange",
    "daterange",
    "tsrange",
    "tstzrange",
    "citext",
    "ltree",
    "uuid",
    "json",
    "jsonb",
    "date",
    "time",
    "timetz",
    "timestamp",
    "timestamptz",
    "bytea",
    "numeric",
    "hstore",
    "geometry",
    "geography",
];

/// Types whose array columns are left out, also with `include.unknown.datatypes`.
const NO_ARRAYS: &[&str] = &["money", "name", "interval", "varbit", "xml", "point", "refcursor"];

/// Plans a column of this type; `None` when its field is left out.
pub fn plan(catalogue: &Catalogue, oid: u32, typmod: i32, modes: &Modes) -> Option<Planned> {
    let known = catalogue.base(oid, typmod).and_then(|(found, typmod)| {
        let planned = match &found.kind {
            TypeKind::Array(element) => plan_array(catalogue, *element, typmod, modes),
            _ => plan_scalar(found, typmod, modes),
        };
        planned.map(|(schema, cell)| (schema, cell, found.known_name() == "geometry"))
    });
    if let Some((schema, cell, always_optional)) = known {
        return Some(Planned {
            schema,
            cell,
            always_optional,
            // A column of a domain has no default in the schema: Debezium goes by the domain's own name and knows no such type.
            has_default: catalogue.get(oid).is_some_and(has_default),
        });
    }
    if !modes.include_unknown {
        // What a dropped type was is no longer known, but the log has its values as text.
        let (schema, cell) = (Schema::of(Kind::String), Cell::Text);
        return catalogue.dropped(oid).map(|_| Planned { schema, cell, always_optional: false, has_default: false });
    }
    let found = catalogue.base(oid, typmod).map(|(found, _)| found);
    let opaque = |name: &str| match name {
        "box" | "circle" | "line" | "lseg" | "path" | "polygon" => Cell::Geometric(modes.binary),
        _ => Cell::Opaque(modes.binary),
    };
    let (schema, cell) = match found.map(|found| (&found.kind, found.known_name())) {
        Some((TypeKind::Array(element), _)) => {
            let element = catalogue.get(*element);
            let name = element.map_or("", PgType::known_name);
            if NO_ARRAYS.contains(&name) {
                return None;
            }
            let delimiter = element.map_or(b',', |found| found.delimiter);
            let cell = Cell::Array { element: Box::new(opaque(name)), nullable: false, delimiter };
            (Schema::of(Kind::Array(binary::schema(modes.binary).build())), cell)
        }
        known => (binary::schema(modes.binary), opaque(known.map_or("", |(_, name)| name))),
    };
    Some(Planned { schema, cell, always_optional: false, has_default: false })
}

/// Types whose column default is shown in the schema.
fn has_default(found: &PgType) -> bool {
    matches!(found.kind, TypeKind::Enum(_))
        || matches!(
            found.known_name(),
            "bit"
                | "varbit"
                | "bool"
                | "bpchar"
                | "varchar"
                | "text"
                | "numeric"
                | "float4"
                | "float8"
                | "int2"
                | "int4"
                | "int8"
                | "json"
                | "jsonb"
                | "xml"
                | "uuid"
                | "date"
                | "time"
                | "timestamp"
                | "timestamptz"
                | "interval"
        )
}

fn plan_array(catalogue: &Catalogue, element: u32, typmod: i32, modes: &Modes) -> Option<(SchemaBuilder, Cell)> {
    let found = catalogue.get(element)?;
    if matches!(found.kind, TypeKind::Domain { .. } | TypeKind::Array(_)) || NO_ARRAYS.contains(&found.known_name()) {
        return None;
    }
    let (schema, cell) = plan_scalar(found, typmod, modes)?;
    if found.known_name() == "bit" {
        // The field has the schema of a single bit string, and no value can be converted to it.
        return Some((schema, Cell::Unreadable));
    }
    let nullable = OPTIONAL_ELEMENTS.contains(&found.known_name());
    let schema = schema.optional_if(nullable).build();
    Some((
        Schema::of(Kind::Array(schema)),
        Cell::Array { element: Box::new(cell), nullable, delimiter: found.delimiter },
    ))
}

fn plan_scalar(found: &PgType, typmod: i32, modes: &Modes) -> Option<(SchemaBuilder, Cell)> {
    if let TypeKind::Enum(labels) = &found.kind {
        return Some((debezium(Kind::String, "data.Enum").parameter("allowed", &labels.join(",")), Cell::Text));
    }
    let text = || Schema::of(Kind::String);
    Some(match found.known_name() {
        "bool" => (Schema::of(Kind::Bool), Cell::Bool),
        "int2" => (Schema::of(Kind::Int16), Cell::Int),
        "int4" => (Schema::of(Kind::Int32), Cell::Int),
        "int8" => (Schema::of(Kind::Int64), Cell::Int),
        "oid" => (Schema::of(Kind::Int64), Cell::Oid),
        "float4" => (Schema::of(Kind::Float32), Cell::Float),
        "float8" => (Schema::of(Kind::Float64), Cell::Double),
        "bpchar" | "varchar" | "text" | "name" => (text(), Cell::Text),
        "inet" => (text(), Cell::Inet),
        "char" | "citext" | "isbn" | "cidr" | "macaddr" | "macaddr8" | "int4range" | "int8range" | "numrange"
        | "daterange" | "tsrange" | "tstzrange" => (text(), Cell::PrintedText),
        "json" => (debezium(Kind::String, "data.Json"), Cell::Text),
        "jsonb" => (debezium(Kind::String, "data.Json"), Cell::Jsonb),
        "xml" => (debezium(Kind::String, "data.Xml"), Cell::Xml),
        "ltree" => (debezium(Kind::String, "data.Ltree"), Cell::PrintedText),
        "tsvector" => (debezium(Kind::String, "data.Tsvector"), Cell::PrintedText),
        "uuid" => (debezium(Kind::String, "data.Uuid"), Cell::Uuid),
        "bytea" => (binary::schema(modes.binary), Cell::Bytea(modes.binary)),
        "bit" | "varbit" => match typmod {
            1 => (Schema::of(Kind::Bool), Cell::Bit),
            length => {
                let length = if length < 0 { i32::MAX } else { length };
                (debezium(Kind::Bytes, "data.Bits").parameter("length", &length.to_string()), Cell::Bits)
            }
        },
        "numeric" => plan_numeric(typmod, modes),
        "money" => plan_money(modes),
        "date" => {
            let (schema, form) = temporal::date(modes.time);
            (schema, Cell::Date(form))
        }
        "time" => {
            let (schema, form) = temporal::time(precision(typmod), modes.time);
            (schema, Cell::Time(form))
        }
        "timetz" => (debezium(Kind::String, "time.ZonedTime"), Cell::ZonedTime),
        "timestamp" => {
            let (schema, form) = temporal::timestamp(precision(typmod), modes.time);
            (schema, Cell::Timestamp(form))
        }
        "timestamptz" => (temporal::zoned(), Cell::ZonedTimestamp { digits: precision(typmod) }),
        "interval" => match modes.interval {
            IntervalMode::Numeric => (debezium(Kind::Int64, "time.MicroDuration"), Cell::Interval),
            IntervalMode::String => (debezium(Kind::String, "time.Interval"), Cell::IsoInterval),
        },
        "point" => (point(), Cell::Point),
        "geometry" => (geometry("Geometry"), Cell::Geometry),
        "geography" => (geometry("Geography"), Cell::Geometry),
        "hstore" => match modes.hstore {
            HstoreMode::Json => (debezium(Kind::String, "data.Json"), Cell::Hstore(HstoreMode::Json)),
            HstoreMode::Map => {
                let map = Kind::Map(text().build(), text().optional().build());
                (Schema::of(map), Cell::Hstore(HstoreMode::Map))
            }
        },
        "vector" => (
            debezium(Kind::Array(Schema::of(Kind::Float64).build()), "data.DoubleVector"),
            Cell::Vector { single: false },
        ),
        "halfvec" => (
            debezium(Kind::Array(Schema::of(Kind::Float32).build()), "data.FloatVector"),
            Cell::Vector { single: true },
        ),
        "sparsevec" => {
            let entries = Kind::Map(Schema::of(Kind::Int16).build(), Schema::of(Kind::Float64).build());
            let kind = structure(vec![("dimensions", Schema::of(Kind::Int16)), ("vector", Schema::of(entries))]);
            (debezium(kind, "data.SparseDoubleVector"), Cell::SparseVector)
        }
        _ => return None,
    })
}

/// A time type's precision, 6 when the column names none.
fn precision(typmod: i32) -> u8 {
    u8::try_from(typmod).ok().filter(|p| *p <= 6).unwrap_or(6)
}

/// Precision and scale of a numeric's modifier (`numeric_typmod`): 16 bits of precision, 11 bits of signed scale.
pub(super) fn numeric_modifier(typmod: i32) -> Option<(i32, i32)> {
    let packed = typmod.checked_sub(4).filter(|packed| *packed >= 0)?;
    let scale = ((packed & 0x7ff) ^ 1024) - 1024;
    Some((packed >> 16 & 0xffff, scale))
}

fn plan_numeric(typmod: i32, modes: &Modes) -> (SchemaBuilder, Cell) {
    match (modes.decimal, numeric_modifier(typmod)) {
        (DecimalMode::Double, fixed) => {
            (Schema::of(Kind::Float64), Cell::DecimalDouble { scale: fixed.map(|(_, scale)| scale.max(0)) })
        }
        (DecimalMode::String, fixed) => {
            (Schema::of(Kind::String), Cell::DecimalString { scale: fixed.map(|(_, scale)| scale.max(0)) })
        }
        (DecimalMode::Precise, None) => (variable_decimal(), Cell::VariableDecimal),
        (DecimalMode::Precise, Some((precision, scale))) => {
            // A negative scale rounds before the point; such values are sent with scale 0 and their zeros.
            let (precision, scale) = if scale < 0 { (precision - scale, 0) } else { (precision, scale) };
            (decimal::schema(Some(precision), scale), Cell::Decimal { scale })
        }
    }
}

fn plan_money(modes: &Modes) -> (SchemaBuilder, Cell) {
    let scale = i32::from(modes.money_digits);
    match modes.decimal {
        DecimalMode::Double => (Schema::of(Kind::Float64), Cell::MoneyDouble),
        DecimalMode::String => (Schema::of(Kind::String), Cell::MoneyString { scale }),
        DecimalMode::Precise => (decimal::schema(None, scale), Cell::Money { scale }),
    }
}

/// The planned schema with the column's optionality and default.
pub(super) fn finish(planned: &Planned, optional: bool, default: Option<record::Value>) -> Arc<Schema> {
    planned.schema.clone().optional_if(optional || planned.always_optional).default(default).build()
}

#[cfg(test)]
mod tests;
