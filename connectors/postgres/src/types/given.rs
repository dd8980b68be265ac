//! Columns of a user's SELECT (`snapshot.select.statement.overrides`) whose types differ from the table's.
//!
//! A snapshot's rows are read by the types of the table. Where a conversion always succeeds, the server converts. Where it
//! depends on the value, the server prints the value, and it is read here as a text of the stream would be. So the error for
//! a value that does not fit names the column, which the error of a cast on the server would not.

use std::sync::Arc;

use record::{Decode, DecodeError, Kind, Schema, Span, Value, ValueRef};

use super::plan::numeric_modifier;
use super::row::{ColumnCodec, RowCodec};
use super::{Catalogue, PgType, TypeKind};

/// `pg_type.oid` of the built-in types that are converted to one another.
mod oid {
    pub(super) const BOOL: u32 = 16;
    pub(super) const BYTEA: u32 = 17;
    pub(super) const NAME: u32 = 19;
    pub(super) const INT8: u32 = 20;
    pub(super) const INT2: u32 = 21;
    pub(super) const INT4: u32 = 23;
    pub(super) const TEXT: u32 = 25;
    pub(super) const OID: u32 = 26;
    pub(super) const JSON: u32 = 114;
    pub(super) const FLOAT4: u32 = 700;
    pub(super) const FLOAT8: u32 = 701;
    pub(super) const BPCHAR: u32 = 1042;
    pub(super) const VARCHAR: u32 = 1043;
    pub(super) const DATE: u32 = 1082;
    pub(super) const TIME: u32 = 1083;
    pub(super) const TIMESTAMP: u32 = 1114;
    pub(super) const TIMESTAMPTZ: u32 = 1184;
    pub(super) const TIMETZ: u32 = 1266;
    pub(super) const BIT: u32 = 1560;
    pub(super) const VARBIT: u32 = 1562;
    pub(super) const NUMERIC: u32 = 1700;
    pub(super) const JSONB: u32 = 3802;
}

/// How a column of the statement becomes the table's column: an SQL expression, and what that gives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Conversion {
    /// This expression has the table's type.
    Own(String),
    /// This expression is a text. A text that is not a value of the table's type is an error of that column.
    Printed(String),
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Family {
    Bool,
    Int,
    Float,
    Numeric,
    Text,
    Other,
}

fn family(oid: u32) -> Family {
    match oid {
        oid::BOOL => Family::Bool,
        oid::INT2 | oid::INT4 | oid::INT8 | oid::OID => Family::Int,
        oid::FLOAT4 | oid::FLOAT8 => Family::Float,
        oid::NUMERIC => Family::Numeric,
        oid::TEXT | oid::VARCHAR | oid::BPCHAR | oid::NAME => Family::Text,
        _ => Family::Other,
    }
}

/// How a column that the statement gives in the type `given` (oid and modifier) becomes the table's type `own`. `column` is
/// its quoted name. `None` when there is no conversion that everybody would expect.
pub fn conversion(catalogue: &Catalogue, given: (u32, i32), own: (u32, i32), column: &str) -> Option<Conversion> {
    use Conversion::{Own, Printed};
    use Family::{Bool, Float, Int, Numeric, Other, Text};
    let (given, given_typmod) = catalogue.base(given.0, given.1)?;
    let (own, own_typmod) = catalogue.base(own.0, own.1)?;
    let scale = numeric_modifier(own_typmod).map(|(_, scale)| scale.max(0));
    if given.oid == own.oid {
        return Some(if own.oid == oid::NUMERIC && scale.is_some() && given_typmod != own_typmod {
            Printed(at_scale(column, scale))
        } else {
            Own(column.to_owned())
        });
    }
    Some(match (family(given.oid), family(own.oid)) {
        // The bytes of all these types are the text itself, with the blanks at the end of a char(n).
        (Text, Text) => Own(column.to_owned()),
        (_, Text) => Own(format!("{column}::text")),
        (Text, Bool) => Printed(format!(
            "CASE WHEN lower(btrim({column}::text)) IN ('t', 'true', 'y', 'yes', 'on', '1') THEN 't' \
             WHEN lower(btrim({column}::text)) IN ('f', 'false', 'n', 'no', 'off', '0') THEN 'f' ELSE {column}::text END"
        )),
        (Text, Numeric) => {
            let number = at_scale(&format!("{column}::text::numeric"), scale);
            Printed(format!(
                r"CASE WHEN {column}::text ~ '^\s*[-+]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][-+]?[0-9]+)?\s*$' THEN {number} ELSE {column}::text END"
            ))
        }
        (Text, Other) if own.oid == oid::BYTEA => Own(format!("pg_catalog.convert_to({column}::text, 'UTF8')")),
        (Text, _) => Printed(format!("{column}::text")),
        (Int | Float | Numeric, Bool) => Own(format!("({column} <> 0)")),
        (Bool, Int | Float) => Printed(format!("{column}::int4::text")),
        (Bool, Numeric) => Printed(at_scale(&format!("{column}::int4::numeric"), scale)),
        (Int, Int) => Printed(format!("{column}::text")),
        // Towards zero, as a cast in Java does; a cast on the server would round.
        (Float, Int) => Printed(format!(
            "CASE WHEN trunc({column}) BETWEEN -9223372036854775808::float8 AND 9223372036854774784::float8 \
             THEN trunc({column})::int8::text ELSE {column}::text END"
        )),
        (Numeric, Int) => {
            Printed(format!("CASE WHEN {column} = trunc({column}) THEN trunc({column})::text ELSE {column}::text END"))
        }
        (Int, Float) => Own(format!("{column}::{}", own.name)),
        (Float, Float) if own.oid == oid::FLOAT8 => Own(format!("{column}::float8")),
        (Float | Numeric, Float) => Printed(format!("{column}::text")),
        (Int, Numeric) => Printed(at_scale(&format!("{column}::numeric"), scale)),
        // By way of the text, which has all digits: a cast on the server keeps fifteen only.
        (Float, Numeric) => Printed(at_scale(&format!("{column}::text::numeric"), scale)),
        (Other, Other) => return other(catalogue, given, own, column),
        _ => return None,
    })
}

/// Times, documents, bits and arrays.
fn other(catalogue: &Catalogue, given: &PgType, own: &PgType, column: &str) -> Option<Conversion> {
    use Conversion::{Own, Printed};
    use oid::{BIT, DATE, JSON, JSONB, TIME, TIMESTAMP, TIMESTAMPTZ, TIMETZ, VARBIT};
    match (given.oid, own.oid) {
        (DATE, TIMESTAMP | TIMESTAMPTZ) | (TIMESTAMP, DATE | TIME | TIMESTAMPTZ) | (TIMESTAMPTZ, DATE | TIMESTAMP) => {
            return Some(Own(format!("{column}::{}", own.name)));
        }
        (TIME, TIMETZ) => return Some(Own(format!("{column}::timetz"))),
        (JSON, JSONB) | (JSONB, JSON) | (BIT, VARBIT) | (VARBIT, BIT) => {
            return Some(Printed(format!("{column}::text")));
        }
        _ => {}
    }
    let (TypeKind::Array(given), TypeKind::Array(own)) = (&given.kind, &own.kind) else { return None };
    let (given, own) = (catalogue.base(*given, -1)?.0, catalogue.base(*own, -1)?.0);
    let is_number = |family| matches!(family, Family::Int | Family::Float | Family::Numeric);
    match (family(given.oid), family(own.oid)) {
        (_, Family::Text) => Some(Printed(format!("{column}::text[]::text"))),
        (Family::Text, _) => Some(Printed(format!("{column}::text"))),
        (given, own) if is_number(given) && is_number(own) => Some(Printed(format!("{column}::text"))),
        _ => None,
    }
}

/// SQL that prints a numeric with exactly `scale` digits behind the point. For a number with more digits it gives a text that
/// is no number, so that reading it fails: rounding would send another value than the statement gave.
fn at_scale(number: &str, scale: Option<i32>) -> String {
    match scale {
        None => format!("({number})::text"),
        Some(scale) => format!(
            "CASE WHEN {number} <> round({number}, {scale}) THEN 'more than {scale} digits behind the point' \
             ELSE round({number}, {scale})::text END"
        ),
    }
}

/// Reads the rows of a user's SELECT as rows of the table. The error for a value that does not fit names the statement.
pub struct GivenRow {
    row: RowCodec,
    /// For each value of the row, in order: the column's codec and the name of the type that the statement gives. None where
    /// that is the table's type.
    columns: Vec<Option<(ColumnCodec, Arc<str>)>>,
}

impl GivenRow {
    /// `columns` has an entry for each captured column, in the order of the row's values: the column's codec and the name of
    /// the type that the statement gives, or none where that is the table's type.
    pub fn new(row: RowCodec, columns: Vec<Option<(ColumnCodec, Arc<str>)>>) -> Self {
        Self { row, columns }
    }

    fn explained(&self, mut error: DecodeError) -> DecodeError {
        let given = self.columns.iter().flatten().find(|(codec, _)| *codec.name == *error.column);
        if let Some((_, type_name)) = given {
            error.reason = format!(
                "{}. The statement of snapshot.select.statement.overrides gives it as {type_name}, and this value cannot be \
                 converted to the type of the table's column: cast it in the statement",
                error.reason
            );
        }
        error
    }
}

/// Whether a value that was read from text is in the range of the column's type. Any integer is read as an `i64`, so a too
/// large one is found only here.
fn fits(schema: &Schema, value: &ValueRef<'_>) -> bool {
    match value {
        ValueRef::Int(n) => is_in_range(&schema.kind, *n),
        ValueRef::Owned(owned) => match (&schema.kind, &**owned) {
            (Kind::Array(item), Value::Array(values)) => {
                values.iter().all(|value| !matches!(value, Value::Int(n) if !is_in_range(&item.kind, *n)))
            }
            _ => true,
        },
        _ => true,
    }
}

fn is_in_range(kind: &Kind, n: i64) -> bool {
    match kind {
        Kind::Int8 => i8::try_from(n).is_ok(),
        Kind::Int16 => i16::try_from(n).is_ok(),
        Kind::Int32 => i32::try_from(n).is_ok(),
        _ => true,
    }
}

impl Decode for GivenRow {
    fn row<'a>(&'a self, buffer: &'a [u8], spans: &'a [Span], out: &mut Vec<ValueRef<'a>>) -> Result<(), DecodeError> {
        let first = out.len();
        self.row.row(buffer, spans, out).map_err(|error| self.explained(error))?;
        for (value, column) in out[first..].iter_mut().zip(&self.columns) {
            if let Some((codec, _)) = column
                && !fits(&codec.schema, value)
            {
                let out_of_range = codec.failed("out of the range of the column's type");
                *value = out_of_range.map_err(|error| self.explained(error))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn catalogue() -> Catalogue {
        let plain = |oid, name: &str| PgType::built_in(oid, name, TypeKind::Base);
        let mut catalogue = Catalogue::default();
        catalogue.extend([
            plain(oid::BOOL, "bool"),
            plain(oid::INT2, "int2"),
            plain(oid::INT4, "int4"),
            plain(oid::INT8, "int8"),
            plain(oid::FLOAT4, "float4"),
            plain(oid::FLOAT8, "float8"),
            plain(oid::NUMERIC, "numeric"),
            plain(oid::TEXT, "text"),
            plain(oid::VARCHAR, "varchar"),
            plain(oid::BYTEA, "bytea"),
            plain(oid::DATE, "date"),
            plain(oid::TIMESTAMP, "timestamp"),
            plain(oid::JSONB, "jsonb"),
            plain(600, "point"),
            PgType::built_in(1007, "_int4", TypeKind::Array(oid::INT4)),
            PgType::built_in(1016, "_int8", TypeKind::Array(oid::INT8)),
            PgType::built_in(1017, "_point", TypeKind::Array(600)),
            PgType::built_in(90_001, "age", TypeKind::Domain { base: oid::INT4, typmod: -1 }),
            // A user's type with the name of a built-in one is not that type.
            PgType { schema: "app".into(), ..PgType::built_in(90_002, "int4", TypeKind::Other) },
        ]);
        catalogue
    }

    #[track_caller]
    fn check(given: u32, own: u32, expect: impl Into<Option<Conversion>>) {
        assert_eq!(conversion(&catalogue(), (given, -1), (own, -1), "c"), expect.into(), "{given} as {own}");
    }

    #[test]
    fn pairs_of_types() {
        let own = |sql: &str| Some(Conversion::Own(sql.into()));
        let printed = |sql: &str| Some(Conversion::Printed(sql.into()));
        check(oid::INT4, oid::INT4, own("c"));
        check(90_001, oid::INT4, own("c"));
        check(oid::VARCHAR, oid::TEXT, own("c"));
        check(oid::INT8, oid::FLOAT8, own("c::float8"));
        check(oid::FLOAT4, oid::FLOAT8, own("c::float8"));
        check(oid::INT8, oid::INT4, printed("c::text"));
        check(oid::NUMERIC, oid::FLOAT4, printed("c::text"));
        check(oid::BOOL, oid::INT4, printed("c::int4::text"));
        check(oid::INT4, oid::BOOL, own("(c <> 0)"));
        check(oid::JSONB, oid::TEXT, own("c::text"));
        check(600, oid::VARCHAR, own("c::text"));
        check(oid::TEXT, oid::INT4, printed("c::text"));
        check(oid::TEXT, oid::DATE, printed("c::text"));
        check(oid::TEXT, oid::BYTEA, own("pg_catalog.convert_to(c::text, 'UTF8')"));
        check(oid::DATE, oid::TIMESTAMP, own("c::timestamp"));
        check(oid::TIMESTAMP, oid::DATE, own("c::date"));
        check(1016, 1007, printed("c::text"));
        for (given, own) in
            [(600, oid::INT4), (oid::INT4, oid::DATE), (oid::DATE, oid::INT4), (1017, 1007), (90_002, 23)]
        {
            check(given, own, None);
        }
    }

    #[test]
    fn a_scale_that_the_column_has_not_room_for() {
        let typmod = |precision: i32, scale: i32| (precision << 16 | scale) + 4;
        let same = conversion(&catalogue(), (oid::NUMERIC, typmod(8, 2)), (oid::NUMERIC, typmod(8, 2)), "c");
        assert_eq!(same, Some(Conversion::Own("c".into())));
        let other = conversion(&catalogue(), (oid::NUMERIC, -1), (oid::NUMERIC, typmod(8, 2)), "c");
        let Some(Conversion::Printed(sql)) = other else { panic!("{other:?}") };
        assert!(sql.starts_with("CASE WHEN c <> round(c, 2) THEN 'more than 2 digits"), "{sql}");
    }

    #[test]
    fn integers_fit_or_do_not() {
        let schema = |kind| Schema::of(kind).build();
        assert!(fits(&schema(Kind::Int32), &ValueRef::Int(i64::from(i32::MAX))));
        assert!(!fits(&schema(Kind::Int32), &ValueRef::Int(99_999_999_999)));
        assert!(!fits(&schema(Kind::Int16), &ValueRef::Int(70_000)));
        let array = |n| ValueRef::Owned(Box::new(Value::Array(vec![Value::Int(n), Value::Null])));
        let ints = schema(Kind::Array(schema(Kind::Int32)));
        assert!(fits(&ints, &array(5)) && !fits(&ints, &array(1 << 40)));
    }
}
